//! The keeper of one command: a process of this program that confines, starts, counts and ends it, and all that came of it.
//!
//! Run as `tfo-mcp internal-command` by [`super::running`]. It lives in a session of its own, is the parent of every orphan
//! below it, and ends when the command has ended, at the deadline, or when its input closes, which the end of the server does.

use std::{
    io::{BufRead as _, Read as _, Write as _},
    os::unix::{
        fs::DirBuilderExt as _,
        process::{CommandExt as _, ExitStatusExt as _},
    },
    path::{Path, PathBuf},
    process::{Command, ExitCode, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use rustix::process::{Signal, WaitStatus};

use super::{
    GRACE, confine, descendants,
    spoken::{Begun, Confinement, Ended, Spec, TERMINATE, Why},
};

/// How often the processes are counted.
const LOOK: Duration = Duration::from_millis(20);

/// Longest line that says what is run.
const SPEC: u64 = 8 << 20;

/// Runs the keeper.
pub fn run_keeper() -> ExitCode {
    match keep() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            say(&Begun::Failed(why));
            ExitCode::FAILURE
        }
    }
}

/// A line for the server.
fn say(line: &impl serde::Serialize) {
    if let Ok(mut text) = serde_json::to_string(line) {
        text.push('\n');
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
}

/// What comes to the keeper from outside.
enum Asked {
    Terminate,
    /// Nobody listens any more.
    Gone,
}

/// Closes what whoever started the server had left open, before anything is opened here.
fn close_inherited() {
    let open = std::fs::read_dir("/dev/fd").into_iter().flatten().flatten();
    let numbers: Vec<i32> = open.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for number in numbers.into_iter().filter(|number| *number > 2) {
        let _ = nix::unistd::close(number);
    }
}

fn keep() -> Result<(), String> {
    close_inherited();
    let mut line = String::new();
    std::io::stdin().lock().take(SPEC).read_line(&mut line).map_err(|error| error.to_string())?;
    let spec: Spec =
        serde_json::from_str(&line).map_err(|_| "this is for the server to start, not for people".to_owned())?;
    let said = |what: &str, error: &dyn std::fmt::Display| format!("{what}: {error}");
    rustix::process::setsid().map_err(|error| said("no session can be made", &error))?;
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .map_err(|error| said("orphans cannot be taken in", &error))?;
    confine::limit(&spec)?;
    let asked = listen().map_err(|error| said("no thread can be started", &error))?;
    let own = Folder::make(&spec.own).map_err(|error| said("no folder can be made", &error))?;
    let (begun, child) = start(&spec, &own.0)?;
    say(&begun);
    let Some(child) = child else { return Ok(()) };
    let ended = watch(&spec, child, &asked);
    drop(own);
    say(&ended);
    Ok(())
}

/// Hears what the server says, on a thread.
fn listen() -> std::io::Result<Receiver<Asked>> {
    let (sent, asked) = mpsc::channel();
    std::thread::Builder::new().name("asked".to_owned()).spawn(move || {
        let mut byte = [0];
        while matches!(std::io::stdin().lock().read(&mut byte), Ok(1)) {
            if byte == [TERMINATE] && sent.send(Asked::Terminate).is_err() {
                return;
            }
        }
        let _ = sent.send(Asked::Gone);
    })?;
    Ok(asked)
}

/// Starts the command from a thread that is confined: what a thread starts is as confined as it is.
fn start(spec: &Spec, own: &Path) -> Result<(Begun, Option<i32>), String> {
    let confined = |spec: &Spec| -> Result<(Begun, Option<i32>), String> {
        let confinement: Confinement = confine::enter(spec, own)?;
        if !confinement.keeps_files() && !spec.unconfined {
            return Ok((Begun::Unconfined, None));
        }
        let mut command = Command::new(&spec.program);
        let own = own.to_string_lossy();
        command
            .arg0(&spec.name)
            .args(&spec.arguments)
            .current_dir(&spec.folder)
            .env_clear()
            .env("HOME", own.as_ref())
            .envs(spec.environment.iter().map(|(name, value)| (name, value)))
            .env("TMPDIR", own.as_ref())
            .stdin(Stdio::null())
            .process_group(0);
        // What it says and what it complains about come in the order in which it did.
        let output = std::os::fd::AsFd::as_fd(&std::io::stdout()).try_clone_to_owned();
        command.stderr(output.map_err(|error| error.to_string())?);
        let child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::PermissionDenied => format!(
                "`{}` cannot be started: it is `{}`, which commands may not run; the operator names its folder in \
                 `commands.read_only_roots`",
                spec.name,
                spec.program.display()
            ),
            _ => format!("`{}` cannot be started: {error}", spec.name),
        })?;
        Ok((Begun::Runs(confinement), i32::try_from(child.id()).ok()))
    };
    let thread = std::thread::scope(|scope| scope.spawn(|| confined(spec)).join());
    thread.map_err(|_| "it could not be started".to_owned())?
}

/// Follows a command to its end, and ends what it leaves behind.
fn watch(spec: &Spec, child: i32, asked: &Receiver<Asked>) -> Ended {
    let begun = Instant::now();
    let timeout = Duration::from_millis(spec.timeout);
    let mut status: Option<ExitStatus> = None;
    let mut most = 1;
    // Why it is being ended, since when, and whether it was given its moment.
    let mut ending: Option<(Why, Instant)> = None;
    let why = loop {
        let mut told = |pid: rustix::process::Pid, ended: WaitStatus| {
            if pid.as_raw_nonzero().get() == child {
                status = Some(ExitStatus::from_raw(ended.as_raw()));
            }
        };
        let any = descendants::reap(&mut told);
        if status.is_some() || !any {
            break ending.map_or(Why::Exited, |(why, _)| why);
        }
        let crowd = descendants::crowd(spec.max_processes);
        most = most.max(crowd.pids.len());
        if crowd.pids.len() > spec.max_processes {
            break Why::Processes;
        }
        if crowd.memory > spec.max_memory {
            break Why::Memory;
        }
        match ending {
            Some((why, since)) if since.elapsed() > GRACE => break why,
            None if begun.elapsed() > timeout => {
                descendants::signal(child, Signal::TERM);
                ending = Some((Why::Timeout, Instant::now()));
            }
            _ => {}
        }
        match asked.recv_timeout(LOOK) {
            Ok(Asked::Terminate) if ending.is_none() => {
                descendants::signal(child, Signal::TERM);
                ending = Some((Why::Terminated, Instant::now()));
            }
            Ok(Asked::Gone) | Err(RecvTimeoutError::Disconnected) => break Why::Abandoned,
            Ok(Asked::Terminate) | Err(RecvTimeoutError::Timeout) => {}
        }
    };
    let (mut swept, left) = descendants::end(child, |pid, ended| {
        if pid.as_raw_nonzero().get() == child {
            status = Some(ExitStatus::from_raw(ended.as_raw()));
        }
    });
    swept.remove(&child);
    Ended {
        why,
        code: status.and_then(|status| status.code()),
        signal: status.and_then(|status| status.signal()),
        swept: swept.len(),
        left,
        took: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        processes: most,
    }
}

/// An empty folder that nobody else looks into, for as long as the command lives.
struct Folder(PathBuf);

impl Folder {
    fn make(folder: &Path) -> std::io::Result<Self> {
        std::fs::DirBuilder::new().mode(0o700).create(folder)?;
        Ok(Self(folder.to_owned()))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
