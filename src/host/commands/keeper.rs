//! The keeper of one command: a process of this program that starts, counts and ends it, and all that came of it.
//!
//! Run as `tfo-mcp internal-command` by [`super::running`]. It is the parent of every orphan below it, and ends when the command has
//! ended, at the deadline, or when its input closes, which the end of the server does. What it starts is this program once more,
//! which confines itself and becomes the command ([`super::becomes`]).

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::process::ExitStatusExt as _,
    process::{ChildStdout, Command, ExitCode, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, WaitStatus, kill_process_group};

use super::{
    GRACE, becomes, confine,
    descendants::{self, Crowd},
    home,
    spoken::{BECOMES, Begun, Ended, SUBCOMMAND, Spec, TERMINATE, Why},
};

/// How often the processes are counted, and how often while they become more.
const LOOK: Duration = Duration::from_millis(20);
const LOOK_CLOSELY: Duration = Duration::from_millis(2);

/// How long the folder of a command may take to be removed before its end is told.
const REMOVAL: Duration = Duration::from_secs(5);

/// Longest line that says what is run.
const SPEC: u64 = 8 << 20;

/// Runs the keeper, or what becomes the command.
pub fn run_keeper(mut arguments: impl Iterator<Item = std::ffi::OsString>) -> ExitCode {
    if arguments.next().is_some_and(|second| second == BECOMES) {
        return becomes::run();
    }
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
    let mut spec: Spec =
        serde_json::from_str(&line).map_err(|_| "this is for the server to start, not for people".to_owned())?;
    let said = |what: &str, error: &dyn std::fmt::Display| format!("{what}: {error}");
    rustix::process::setsid().map_err(|error| said("no session can be made", &error))?;
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .map_err(|error| said("orphans cannot be taken in", &error))?;
    let asked = listen().map_err(|error| said("no thread can be started", &error))?;
    let home = home::make(&spec.own, spec.account).map_err(|error| said("no folder can be made", &error))?;
    spec.made = Some(home.inode);
    let line = serde_json::to_string(&spec).map_err(|error| said("nothing can be said", &error))?;
    let begun = start(line).and_then(|mut started| Ok((started.begun()?, started)));
    let mut ended = match begun {
        Ok((begun @ Begun::Runs { session, .. }, started)) => {
            // It looks, whatever else wants to run. Without rights to that, its session has the turns of a session.
            let _ = rustix::process::setpriority_process(None, -20);
            say(&begun);
            watch(&spec, session, &started, &asked)
        }
        other => {
            let _ = home.remove(&spec.own, None);
            say(&other.map_or_else(Begun::Failed, |(begun, _)| begun));
            return Ok(());
        }
    };
    ended.folder_stays = home.remove(&spec.own, Some(Instant::now() + REMOVAL)).is_err();
    say(&ended);
    if ended.folder_stays {
        let _ = home.remove(&spec.own, None);
    }
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

/// What that thread does when it is asked.
enum Ask {
    End,
    /// Of who lets itself be traced it is the tracer, for it is its parent.
    LetGo(Pid, WaitStatus),
}

/// What was started, and a thread that reaches all of it at once.
struct Started {
    said: BufReader<ChildStdout>,
    /// Signals of the thread stay among the processes of the command.
    shares: bool,
    /// The thread lives as long as this: the command ends with the thread that started it.
    ask: Sender<Ask>,
    done: Receiver<()>,
}

/// Starts what becomes the command, from a thread that has the same bounds for signals as it: what this thread sends to everybody
/// reaches every process of the command, in one call during which none is born, and nobody else.
fn start(line: String) -> Result<Started, String> {
    let failed = |error: &dyn std::fmt::Display| format!("it could not be started: {error}");
    let (tell, started) = mpsc::channel();
    let (ask, asked) = mpsc::channel();
    let (answer, done) = mpsc::channel();
    let starts = move || {
        let shares = confine::share_signals();
        let _ = tell.send(spawn(&line).map(|said| (said, shares)));
        while let Ok(ask) = asked.recv() {
            let _ = match ask {
                // The kernel's word for all processes is a group of number 1.
                Ask::End => shares.then(|| kill_process_group(Pid::INIT, Signal::KILL)).is_some(),
                Ask::LetGo(pid, status) => descendants::let_go(pid, status),
            };
            let _ = answer.send(());
        }
    };
    std::thread::Builder::new().name("starts".to_owned()).spawn(starts).map_err(|error| failed(&error))?;
    let (said, shares) = started.recv().map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
    Ok(Started { said, shares, ask, done })
}

fn spawn(line: &str) -> std::io::Result<BufReader<ChildStdout>> {
    let program = super::running::program(None)?;
    let mut command = Command::new(program);
    // Its complaints are the output of the command, which it becomes.
    let output = std::os::fd::AsFd::as_fd(&std::io::stdout()).try_clone_to_owned()?;
    command.args([SUBCOMMAND, BECOMES]).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(output);
    let mut child = command.spawn()?;
    let (Some(mut input), Some(said)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(std::io::Error::other("it has no pipes"));
    };
    input.write_all(line.as_bytes())?;
    Ok(BufReader::new(said))
}

impl Started {
    /// What it said last before it became the command, or why it did not.
    fn begun(&mut self) -> Result<Begun, String> {
        let mut said = String::new();
        self.said.read_to_string(&mut said).map_err(|error| format!("it does not say how it began: {error}"))?;
        let last = said.lines().last().ok_or("it ended before it began")?;
        serde_json::from_str(last).map_err(|_| "it does not say how it began".to_owned())
    }

    /// Ends all of it at once. False: that cannot be done.
    fn end(&self) -> bool {
        self.shares && self.ask.send(Ask::End).is_ok() && self.done.recv().is_ok()
    }

    /// Lets go of who lets itself be traced by its parent, which is this process, and waits for it: else it would stand still.
    fn let_go(&self, pid: Pid, status: WaitStatus) {
        if !descendants::let_go(pid, status) && self.ask.send(Ask::LetGo(pid, status)).is_ok() {
            let _ = self.done.recv();
        }
    }
}

/// Follows a command to its end, and ends what it leaves behind.
fn watch(spec: &Spec, child: i32, started: &Started, asked: &Receiver<Asked>) -> Ended {
    let begun = Instant::now();
    let timeout = Duration::from_millis(spec.timeout);
    let mut status: Option<ExitStatus> = None;
    let (mut most, mut last) = (1, 1);
    let mut shared = descendants::Shared::default();
    // Why it is being ended, since when, and whether it was given its moment.
    let mut ending: Option<(Why, Instant)> = None;
    let mut swept = 0;
    let why = loop {
        let mut told = |pid: Pid, ended: WaitStatus| {
            if ended.stopped() {
                started.let_go(pid, ended);
            } else if pid.as_raw_nonzero().get() == child {
                status = Some(ExitStatus::from_raw(ended.as_raw()));
            } else if ending.is_some() && ended.terminating_signal().is_some() {
                swept += 1;
            }
        };
        let any = descendants::reap(&mut told);
        if status.is_some() || !any {
            break ending.map_or(Why::Exited, |(why, _)| why);
        }
        let Crowd { pids, threads, memory } = descendants::crowd(spec.max_processes);
        most = most.max(pids.len());
        if pids.len() > spec.max_processes || threads > spec.max_processes.saturating_mul(confine::THREADS) {
            most = spec.max_processes.saturating_add(1);
            break Why::Processes;
        }
        if memory.saturating_add(shared.of(&pids)) > spec.max_memory {
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
        let look = if threads > last { LOOK_CLOSELY } else { LOOK };
        last = threads;
        match asked.recv_timeout(look) {
            Ok(Asked::Terminate) if ending.is_none() => {
                descendants::signal(child, Signal::TERM);
                ending = Some((Why::Terminated, Instant::now()));
            }
            Ok(Asked::Gone) | Err(RecvTimeoutError::Disconnected) => break Why::Abandoned,
            Ok(Asked::Terminate) | Err(RecvTimeoutError::Timeout) => {}
        }
    };
    let left = descendants::end(
        child,
        || started.end(),
        |pid, ended| {
            // Who stands still is killed as well.
            if !ended.stopped() && pid.as_raw_nonzero().get() == child {
                status = Some(ExitStatus::from_raw(ended.as_raw()));
            } else if ended.terminating_signal() == Some(Signal::KILL.as_raw()) {
                swept += 1;
            }
        },
    );
    Ended {
        why,
        code: status.and_then(|status| status.code()),
        signal: status.and_then(|status| status.signal()),
        swept,
        left,
        took: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        processes: most,
        folder_stays: false,
    }
}
