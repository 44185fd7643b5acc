//! A command that runs, as the server sees it: a keeper that is told what to run, an output, and an end.
//!
//! Whoever drops it ends the command at once, for the keeper's input closes with it.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
};

use super::{
    CommandError, GRACE, descendants, home,
    places::Place,
    spoken::{Begun, Confinement, Ended, SUBCOMMAND, Spec, TERMINATE, Why},
};

/// How long a keeper may take to start a command, and to say how it ended.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long something may still come when a keeper is gone.
const REST: Duration = Duration::from_secs(1);

/// Most that stands in a pipe, in bytes.
const OF_A_PIPE: usize = 1 << 20;

/// A command that runs.
pub(super) struct Running {
    pub confinement: Confinement,
    keeper: Child,
    keeper_id: i32,
    session: i32,
    /// Its keeper ended before it said how the command did; so many processes were ended from here.
    lost: Option<usize>,
    gone: bool,
    /// Bytes that may still come when its keeper is gone.
    rest: usize,
    own: PathBuf,
    input: Option<ChildStdin>,
    output: Option<ChildStdout>,
    said: Lines<BufReader<ChildStderr>>,
    until: Instant,
    begun: Instant,
    /// Until all of it has ended.
    place: Place,
}

impl Running {
    pub(super) async fn start(spec: &Spec, keeper: Option<&Path>, place: Place) -> Result<Self, CommandError> {
        let failed =
            |error: &dyn std::fmt::Display| CommandError::failed(format!("the command cannot be started: {error}"));
        let program = program(keeper).map_err(|error| failed(&error))?;
        let mut command = Command::new(program);
        command.arg(SUBCOMMAND).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        adopt();
        let mut keeper = command.spawn().map_err(|error| failed(&error))?;
        let keeper_id = keeper.id().and_then(|id| i32::try_from(id).ok()).unwrap_or_default();
        place.kept_by(keeper_id);
        let (Some(mut input), Some(output), Some(said)) =
            (keeper.stdin.take(), keeper.stdout.take(), keeper.stderr.take())
        else {
            return Err(failed(&"it has no pipes"));
        };
        let mut line = serde_json::to_vec(spec).map_err(|error| failed(&error))?;
        line.push(b'\n');
        let mut said = BufReader::new(said).lines();
        let begun = async {
            input.write_all(&line).await?;
            input.flush().await?;
            said.next_line().await
        };
        let begun = tokio::time::timeout(PATIENCE, begun).await.map_err(|_| failed(&"it does not begin"))?;
        let begun = begun.map_err(|error| failed(&error))?.ok_or_else(|| failed(&"it ended before it began"))?;
        match serde_json::from_str(&begun) {
            Ok(Begun::Runs { confinement, session }) => {
                let now = Instant::now();
                let until = now + Duration::from_millis(spec.timeout) + GRACE + PATIENCE;
                let (input, output, own) = (Some(input), Some(output), spec.own.clone());
                Ok(Self {
                    confinement,
                    keeper,
                    keeper_id,
                    session,
                    lost: None,
                    gone: false,
                    rest: OF_A_PIPE,
                    own,
                    input,
                    output,
                    said,
                    until,
                    begun: now,
                    place,
                })
            }
            Ok(Begun::Unconfined) => Err(CommandError::forbidden(
                "the kernel of this machine cannot keep a command in its folders (it has no Landlock), so none is run",
            )
            .hint("the operator may accept that with `commands.unconfined: true`")),
            Ok(Begun::Failed(why)) => Err(CommandError::failed(why)),
            Err(_) => Err(failed(&begun)),
        }
    }

    /// The next bytes of the output. None: it is over.
    pub(super) async fn next(&mut self, into: &mut [u8]) -> Option<usize> {
        loop {
            // Somebody else may write to it, and without end.
            if !self.gone
                && let Ok(Some(status)) = self.keeper.try_wait()
            {
                self.keeper_ended(status.success());
            }
            let is_over = if self.gone { self.rest == 0 } else { Instant::now() > self.until };
            if is_over {
                self.output = None;
                return None;
            }
            let until = tokio::time::sleep_until(self.until.into());
            let output = self.output.as_mut()?;
            tokio::select! {
                biased;
                read = output.read(into) => match read {
                    Ok(length) if length > 0 => {
                        self.rest = if self.gone { self.rest.saturating_sub(length) } else { self.rest };
                        return Some(length);
                    }
                    _ => self.output = None,
                },
                status = self.keeper.wait(), if !self.gone => {
                    self.keeper_ended(status.is_ok_and(|status| status.success()));
                }
                () = until => self.output = None,
            }
        }
    }

    /// One that ended in order has left nobody who could still write: what comes is what was written before.
    fn keeper_ended(&mut self, in_order: bool) {
        self.gone = true;
        match in_order {
            true => self.until = self.until.min(Instant::now() + REST),
            false => self.end_orphans(),
        }
    }

    /// Ends what a keeper that is gone has left behind.
    fn end_orphans(&mut self) {
        if self.session > 1 {
            let places = self.place.all();
            let swept = descendants::end_orphans(self.session, &self.own, |pid| places.keepers().has(pid));
            self.lost = Some(self.lost.unwrap_or_default() + swept);
        }
        // It may hold very much, for which nobody waits. Who has ended by then is taken leave of.
        let (session, own, places) = (self.session, self.own.clone(), self.place.all());
        let removes = move || {
            let _ = home::remove(&own, None);
            descendants::end_orphans(session, &own, |pid| places.keepers().has(pid))
        };
        let _ = std::thread::Builder::new().name("removes".to_owned()).spawn(removes);
        self.until = self.until.min(Instant::now() + REST);
    }

    /// Asks it to end, for which it has a moment.
    pub(super) async fn terminate(&mut self) {
        if let Some(input) = &mut self.input {
            let _ = input.write_all(&[TERMINATE]).await;
            let _ = input.flush().await;
        }
    }

    /// Ends it at once.
    pub(super) fn abandon(&mut self) {
        self.input = None;
    }

    /// How it ended, when its output is over.
    pub(super) async fn ended(mut self) -> Ended {
        let until = self.until.max(Instant::now() + REST);
        let said = tokio::time::timeout_at(until.into(), self.said.next_line()).await;
        if let Ok(Ok(Some(line))) = said
            && let Ok(ended) = serde_json::from_str::<Ended>(&line)
        {
            if !ended.folder_stays {
                let _ = tokio::time::timeout(PATIENCE, self.keeper.wait()).await;
            }
            return ended;
        }
        self.ended_from_here().await
    }

    /// Its keeper is gone, or does not answer: what it kept is ended from here.
    async fn ended_from_here(mut self) -> Ended {
        if !self.gone && self.keeper_id > 1 {
            let _ = Pid::from_raw(self.keeper_id).map(|keeper| kill_process(keeper, Signal::KILL));
        }
        self.end_orphans();
        let _ = tokio::time::timeout(PATIENCE, self.keeper.wait()).await;
        let took = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let swept = self.lost.unwrap_or_default();
        Ended { why: Why::Lost, code: None, signal: None, swept, left: 0, took, processes: 0, folder_stays: false }
    }
}

/// Makes the orphans of keepers that are lost children of this server, so that they are found whatever they did to get away.
fn adopt() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
}

/// This program, or another that is it.
pub(super) fn program(keeper: Option<&Path>) -> std::io::Result<PathBuf> {
    match keeper {
        Some(keeper) => Ok(keeper.to_owned()),
        // The file may have been replaced since; this one is what runs.
        None if cfg!(target_os = "linux") => Ok("/proc/self/exe".into()),
        None => std::env::current_exe(),
    }
}
