//! This machine: what it is and how busy, what runs on it, and the end of one of its processes.
//!
//! Everything here reads the system at once and blocks while it does; what takes time is for whoever asks to wait for.

mod kill;
mod watch;

use std::time::Duration;

use serde_json::{Map, Value, json};
use sysinfo::{Disks, Networks, Pid, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

pub use kill::{Killed, kill};
pub use watch::{Measure, Watch};

use super::commands::CommandError;

/// How long the processors must be looked at for a number.
pub const LOOK: Duration = sysinfo::MINIMUM_CPU_UPDATE_INTERVAL;

/// A part of what is told of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Os,
    Cpu,
    Memory,
    Disk,
    Network,
    /// This server itself.
    Process,
}

impl Part {
    pub const ALL: [Self; 6] = [Self::Os, Self::Cpu, Self::Memory, Self::Disk, Self::Network, Self::Process];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Os => "os",
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Disk => "disk",
            Self::Network => "network",
            Self::Process => "process",
        }
    }

    /// The part of a name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.as_str() == name)
    }
}

/// A process.
#[derive(Debug, Clone, PartialEq)]
pub struct Process {
    pub pid: u32,
    pub parent: Option<u32>,
    pub name: String,
    /// Its words, as they may be shown.
    pub command: String,
    /// Of one processor, in percent.
    pub cpu: f64,
    /// Bytes.
    pub memory: u64,
    pub state: String,
    /// Since it began.
    pub age: Duration,
}

fn unreadable(error: &dyn std::fmt::Display) -> CommandError {
    CommandError::failed(format!("this machine cannot be looked at: {error}"))
}

fn system() -> Result<System, CommandError> {
    System::new().map_err(|error| unreadable(&error))
}

/// Parts of what this machine is: sizes in bytes (`…_bytes`), shares in percent (`…_percent`), times in seconds.
///
/// # Errors
/// The system cannot be asked.
pub fn info(parts: &[Part]) -> Result<Map<String, Value>, CommandError> {
    let mut system = system()?;
    if parts.contains(&Part::Cpu) || parts.contains(&Part::Process) {
        system.refresh_cpu_usage();
        refresh_own(&mut system);
        std::thread::sleep(LOOK);
    }
    let mut told = Map::new();
    for part in parts {
        let value = match part {
            Part::Os => json!({
                "name": System::name().ok(),
                "version": System::os_version().ok(),
                "kernel": System::kernel_version().ok(),
                "architecture": System::cpu_arch(),
                "host": System::host_name().ok(),
                "uptime_seconds": System::uptime().ok(),
            }),
            Part::Cpu => {
                system.refresh_cpu_usage();
                let load = System::load_average().ok();
                json!({
                    "processors": system.cpus().len(),
                    "model": system.cpus().first().map(|cpu| cpu.brand().to_owned()).filter(|name| !name.is_empty()),
                    "used_percent": rounded(f64::from(system.global_cpu_usage())),
                    "load_1m": load.as_ref().map(|load| load.one),
                    "load_5m": load.as_ref().map(|load| load.five),
                    "load_15m": load.as_ref().map(|load| load.fifteen),
                })
            }
            Part::Memory => {
                system.refresh_memory();
                json!({
                    "total_bytes": system.total_memory(),
                    "used_bytes": system.used_memory(),
                    "available_bytes": system.available_memory(),
                    "swap_total_bytes": system.total_swap(),
                    "swap_used_bytes": system.used_swap(),
                })
            }
            Part::Disk => {
                let disks = Disks::new_with_refreshed_list().map_err(|error| unreadable(&error))?;
                let disk = |disk: &sysinfo::Disk| {
                    json!({
                        "at": disk.mount_point().to_string_lossy(),
                        "file_system": disk.file_system().to_string_lossy(),
                        "total_bytes": disk.total_space(),
                        "available_bytes": disk.available_space(),
                    })
                };
                disks.iter().map(disk).collect()
            }
            Part::Network => {
                let networks = Networks::new_with_refreshed_list().map_err(|error| unreadable(&error))?;
                let mut all: Vec<_> = networks.iter().collect();
                all.sort_by_key(|(name, _)| *name);
                let network = |(name, network): (&std::ffi::OsString, &sysinfo::NetworkData)| {
                    let addresses: Vec<String> =
                        network.ip_networks().iter().map(|address| address.addr.to_string()).collect();
                    json!({
                        "name": name.to_string_lossy(),
                        "addresses": addresses,
                        "received_bytes": network.total_received(),
                        "sent_bytes": network.total_transmitted(),
                    })
                };
                all.into_iter().map(network).collect()
            }
            Part::Process => {
                refresh_own(&mut system);
                let own = system.process(Pid::from_u32(std::process::id()));
                json!({
                    "pid": std::process::id(),
                    "version": env!("CARGO_PKG_VERSION"),
                    "used_percent": own.map(|own| rounded(f64::from(own.cpu_usage()))),
                    "memory_bytes": own.map(|own| own.memory()),
                    "age_seconds": own.map(|own| own.run_time()),
                })
            }
        };
        told.insert(part.as_str().to_owned(), value);
    }
    Ok(told)
}

fn refresh_own(system: &mut System) {
    let own = [Pid::from_u32(std::process::id())];
    let _ = system.refresh_processes(ProcessesToUpdate::Some(&own), true);
}

/// The parent of a process, if it is seen.
pub type Parent<'a> = dyn Fn(u32) -> Option<u32> + 'a;

/// Which processes are looked for, and what of them is told.
pub struct Look<'a> {
    /// What their name or their command line holds as it is shown, in any case.
    pub filter: Option<&'a str>,
    /// Whether their command lines are told.
    pub open: bool,
    /// What of the words of a command line is shown.
    pub shown: &'a dyn Fn(&[String]) -> String,
    /// Whether there is no such process for whoever asks. It is asked when all have been looked at.
    pub hidden: &'a dyn Fn(u32, &Parent<'_>) -> bool,
}

/// The processes of this machine, the busiest first.
///
/// # Errors
/// The system cannot be asked.
pub fn processes(look: &Look<'_>) -> Result<Vec<Process>, CommandError> {
    let Look { filter, open, shown, hidden } = *look;
    let mut system = system()?;
    let what = ProcessRefreshKind::nothing().with_cpu().with_memory();
    let what = if open { what.with_cmd(UpdateKind::OnlyIfNotSet) } else { what };
    let _ = system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
    std::thread::sleep(LOOK);
    let _ = system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
    let wanted = filter.map(str::to_lowercase);
    let parent = |pid: u32| system.process(Pid::from_u32(pid)).and_then(|process| process.parent()).map(Pid::as_u32);
    let processes = system.processes().values().filter(|process| process.thread_kind().is_none());
    let processes = processes.filter(|process| !hidden(process.pid().as_u32(), &parent));
    let process = |process: &sysinfo::Process| Process {
        pid: process.pid().as_u32(),
        parent: process.parent().map(Pid::as_u32),
        name: process.name().to_string_lossy().into_owned(),
        command: shown(&line(process)),
        cpu: rounded(f64::from(process.cpu_usage())),
        memory: process.memory(),
        state: process.status().to_string().to_lowercase(),
        age: Duration::from_secs(process.run_time()),
    };
    let fits = |process: &Process| {
        wanted.as_ref().is_none_or(|wanted| {
            process.name.to_lowercase().contains(wanted) || process.command.to_lowercase().contains(wanted)
        })
    };
    let mut all: Vec<Process> = processes.map(process).filter(fits).collect();
    all.sort_by(|a, b| b.cpu.total_cmp(&a.cpu).then(b.memory.cmp(&a.memory)).then(a.pid.cmp(&b.pid)));
    Ok(all)
}

/// Most of a command line that is looked at, in bytes.
const LINE: usize = 4096;

/// The words of a command line, as far as they are looked at: a word is whole or is not told, for half of a secret is none to be masked.
fn line(process: &sysinfo::Process) -> Vec<String> {
    let mut left = LINE;
    let mut words = Vec::new();
    for word in process.cmd() {
        let Some(rest) = left.checked_sub(word.len() + 1) else {
            words.push("…".to_owned());
            break;
        };
        left = rest;
        words.push(word.to_string_lossy().into_owned());
    }
    words
}

fn rounded(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}
