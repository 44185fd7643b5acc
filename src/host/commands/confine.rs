//! Confines the process that becomes a command, and with it whatever that starts: limits, rights, folders, calls to the system.
//! What is done here cannot be undone by whoever it was done to.

#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod opened;
#[cfg(target_os = "linux")]
mod rights;

use std::path::{Path, PathBuf};

use rustix::process::{Resource, Rlimit, getuid, setrlimit};

use super::spoken::{Confinement, Spec};

/// Most open files of a process: behind each the kernel may hold memory that is counted late.
const OPEN_FILES: u64 = 1024;

/// Threads that a process may have, on average.
pub(super) const THREADS: usize = 8;

/// Memory that this program reserves when it starts, whatever it needs.
const RESERVED: u64 = 2 << 30;

/// What the whole process may use, and its children.
pub(super) fn limit(spec: &Spec) -> Result<(), String> {
    let set = |resource, most: u64| {
        // What the server itself may use is never raised.
        let now = rustix::process::getrlimit(resource);
        let most = [now.maximum, now.current].into_iter().flatten().fold(most, u64::min);
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        setrlimit(resource, limit).map_err(|error| format!("a limit cannot be set: {error}"))
    };
    set(Resource::Core, 0)?;
    set(Resource::Fsize, spec.max_file)?;
    set(Resource::Nofile, OPEN_FILES)?;
    // Pages of files that nobody may put aside are in no count of a process.
    set(Resource::Memlock, 0)?;
    // Of one process, for what is faster than the keeper looks. It holds for this program too, which has reserved some.
    set(Resource::Data, spec.max_memory.saturating_add(RESERVED))?;
    // Nobody's turn comes before that of the server.
    #[cfg(target_os = "linux")]
    {
        set(Resource::Rtprio, 0)?;
        set(Resource::Nice, 0)?;
    }
    // It counts all threads of the account and does not bind root: for root the keeper alone counts.
    let account = spec.account.map_or(getuid().as_raw(), |(account, _)| account);
    if account != 0 {
        let others = super::descendants::threads_of(account);
        let most = spec.max_processes.saturating_mul(THREADS).saturating_add(others);
        set(Resource::Nproc, u64::try_from(most).unwrap_or(u64::MAX))?;
    }
    Ok(())
}

/// What the kernel gives a command here, tried on a thread of its own.
///
/// # Errors
/// What could not be done although the kernel has it.
pub fn probe() -> Result<Confinement, String> {
    let spec = Spec {
        program: Path::new("/").to_owned(),
        name: String::new(),
        arguments: Vec::new(),
        folder: Path::new("/").to_owned(),
        environment: Vec::new(),
        own: Path::new("/nonexistent").to_owned(),
        made: None,
        writable: Vec::new(),
        readable: Vec::new(),
        kept: Vec::new(),
        held: Vec::new(),
        system: Vec::new(),
        public: Vec::new(),
        account: None,
        network: false,
        unconfined: false,
        timeout: 1,
        max_processes: 1,
        max_memory: 1,
        max_file: 1,
    };
    let tried = std::thread::scope(|scope| scope.spawn(|| enter(&spec)).join());
    tried.map_err(|_| "it could not be tried".to_owned())?
}

/// Confines this thread and what it starts from now on.
///
/// # Errors
/// What could not be done although the kernel has it.
pub(super) fn enter(spec: &Spec) -> Result<Confinement, String> {
    // So that the keeper and the server get their turns whatever the command does.
    let _ = rustix::process::nice(5);
    #[cfg(target_os = "linux")]
    {
        // It goes first where memory is short.
        let _ = std::fs::write("/proc/self/oom_score_adj", "500");
        let outside = rights::keep_outside(spec)?;
        rights::drop_powers(spec)?;
        rustix::thread::set_no_new_privs(true).map_err(|error| format!("no_new_privs: {error}"))?;
        let landlock = linux::folders(spec)?;
        let seccomp = calls::enter(spec.network)?;
        let account = spec.account.map(|(account, _)| account);
        let network = spec.network || !seccomp;
        Ok(Confinement { landlock, seccomp, no_new_privs: true, network, outside, account })
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = spec;
        Ok(Confinement { network: true, ..Confinement::default() })
    }
}

/// Lets this thread send signals to the commands that it starts from now on, and to nobody else. False: no kernel holds that.
pub(super) fn share_signals() -> bool {
    #[cfg(target_os = "linux")]
    return linux::share_signals();
    #[cfg(not(target_os = "linux"))]
    false
}

/// Folders that every program needs, as they are here.
pub(super) fn system() -> Vec<PathBuf> {
    #[cfg(target_os = "linux")]
    return linux::system();
    #[cfg(not(target_os = "linux"))]
    Vec::new()
}

/// What everybody may read of the settings of this machine.
pub(super) fn public() -> Vec<PathBuf> {
    #[cfg(target_os = "linux")]
    return linux::public_etc();
    #[cfg(not(target_os = "linux"))]
    Vec::new()
}
