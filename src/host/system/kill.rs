//! The end of a process that is not ours, which gets a moment to end by itself.

use std::time::{Duration, Instant};

use rustix::{
    io::Errno,
    process::{Pid, Signal},
};

use super::super::commands::CommandError;

/// How long a process that was asked to end may take, and one that was killed.
const GRACE: Duration = Duration::from_secs(3);

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Killed {
    pub name: String,
    /// It did not end when it was asked.
    pub by_force: bool,
}

/// Ends a process.
///
/// # Errors
/// There is none, it is one that must not end, or it may not be touched.
pub fn kill(pid: i64) -> Result<Killed, CommandError> {
    let raw = i32::try_from(pid).ok().filter(|pid| *pid > 0);
    let Some(pid) = raw.and_then(Pid::from_raw) else {
        return Err(CommandError::invalid(format!("`pid` is the number of a process, above 0, and not {pid}")));
    };
    let number = pid.as_raw_nonzero().get();
    let kept = [(1, "which everything on this machine lives in"), (own(), "which is this server")];
    let parent = rustix::process::getppid().map(|parent| (parent.as_raw_nonzero().get(), "which started this server"));
    if let Some((_, why)) = kept.into_iter().chain(parent).find(|(kept, _)| *kept == number) {
        return Err(CommandError::forbidden(format!("the process {number} is not ended, {why}")));
    }
    if is_of_the_kernel(number) {
        let message =
            format!("the process {number} is not ended, for it is a part of the kernel, which no signal reaches");
        return Err(CommandError::forbidden(message));
    }
    if let Some(process) = thread_of(number) {
        let message = format!("{number} is no process but a thread of the process {process}");
        return Err(CommandError::invalid(message).hint("name that process; a thread does not end alone"));
    }
    let name = std::fs::read_to_string(format!("/proc/{number}/comm")).unwrap_or_default().trim().to_owned();
    let process = Held::of(pid).map_err(|error| refused(number, error))?;
    process.signal(Signal::TERM).map_err(|error| refused(number, error))?;
    if process.is_gone(GRACE) {
        return Ok(Killed { name, by_force: false });
    }
    process.signal(Signal::KILL).map_err(|error| refused(number, error))?;
    match process.is_gone(GRACE) {
        true => Ok(Killed { name, by_force: true }),
        false => Err(CommandError::failed(format!("the process {number} was killed and is still there"))
            .hint("it waits for a device or for its parent; look at it again in a moment")),
    }
}

/// A number of the status of a process or thread.
fn told(pid: i32, name: &str) -> Option<i64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|line| line.trim().parse().ok())
}

/// Threads of the kernel have a flag that says so.
fn is_of_the_kernel(pid: i32) -> bool {
    const FLAG: u64 = 0x0020_0000;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let flags = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(6)?.parse::<u64>().ok());
    flags.is_some_and(|flags| flags & FLAG != 0)
}

/// The process of a thread that is not its first.
fn thread_of(pid: i32) -> Option<i64> {
    told(pid, "Tgid").filter(|process| *process != i64::from(pid))
}

fn own() -> i32 {
    rustix::process::getpid().as_raw_nonzero().get()
}

fn refused(pid: i32, error: Errno) -> CommandError {
    match error {
        Errno::SRCH => CommandError::failed(format!("there is no process {pid}")).hint("list the processes"),
        Errno::PERM => {
            CommandError::forbidden(format!("this server may not end the process {pid}, which is not of its account"))
        }
        error => CommandError::failed(format!("the process {pid} cannot be ended: {error}")),
    }
}

/// A process that stays the same one, even when its number is given to another.
#[cfg(target_os = "linux")]
struct Held(std::os::fd::OwnedFd);

#[cfg(target_os = "linux")]
impl Held {
    fn of(pid: Pid) -> Result<Self, Errno> {
        rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).map(Self)
    }

    fn signal(&self, signal: Signal) -> Result<(), Errno> {
        rustix::process::pidfd_send_signal(&self.0, signal)
    }

    fn is_gone(&self, within: Duration) -> bool {
        use rustix::event::{PollFd, PollFlags, poll};
        let until = Instant::now() + within;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(left) = left.try_into() else { return false };
            match poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&left)) {
                Err(Errno::INTR) => {}
                Ok(ready) => return ready > 0,
                Err(_) => return false,
            }
        }
    }
}

/// By its number: no other name is known here.
#[cfg(not(target_os = "linux"))]
struct Held(Pid);

#[cfg(not(target_os = "linux"))]
impl Held {
    fn of(pid: Pid) -> Result<Self, Errno> {
        rustix::process::test_kill_process(pid).map(|()| Self(pid))
    }

    fn signal(&self, signal: Signal) -> Result<(), Errno> {
        rustix::process::kill_process(self.0, signal)
    }

    fn is_gone(&self, within: Duration) -> bool {
        let until = Instant::now() + within;
        while Instant::now() < until {
            if rustix::process::test_kill_process(self.0).is_err() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }
}
