//! Commands in the background: started, read piece by piece, listed, ended. None outlives the server.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime},
};

use tokio::sync::{Notify, watch};

use super::{CommandError, Commands, Confinement, Ended, Kept, Wanted, running::Running};

/// Commands of a caller that have ended and are remembered: those that were read to their end, and those that were not.
const REMEMBERED: usize = 32;
const UNREAD: usize = 256;

/// How long the end of all of them may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// The commands in the background, by name.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    all: Mutex<BTreeMap<String, Arc<Background>>>,
}

/// One of them.
#[derive(Debug)]
struct Background {
    /// Who started it; for everybody else it does not exist.
    owner: Option<String>,
    /// Its words, as far as somebody may want to see them.
    command: String,
    began: SystemTime,
    since: Instant,
    confinement: Confinement,
    unread: Mutex<Kept>,
    /// Its end was told with the last of its output.
    read: AtomicBool,
    terminate: Notify,
    /// Ends it at once.
    abandon: Notify,
    ended: watch::Receiver<Option<Ended>>,
}

/// What is told of one.
#[derive(Debug, Clone)]
pub struct Session {
    pub id: String,
    /// Its words, as they were given.
    pub command: String,
    pub began: SystemTime,
    pub took: Duration,
    pub confinement: Confinement,
    /// None: it runs.
    pub ended: Option<Ended>,
    /// Bytes of output that nobody has read.
    pub unread: u64,
}

/// What one said since it was read last.
#[derive(Debug)]
pub struct SessionOutput {
    pub kept: Kept,
    pub session: Session,
}

impl Background {
    fn unread(&self) -> MutexGuard<'_, Kept> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self, id: &str) -> Session {
        let ended = self.ended.borrow().clone();
        Session {
            id: id.to_owned(),
            command: self.command.clone(),
            began: self.began,
            took: ended.as_ref().map_or_else(|| self.since.elapsed(), |ended| Duration::from_millis(ended.took)),
            confinement: self.confinement,
            unread: self.unread().total(),
            ended,
        }
    }

    async fn over(&self) -> Option<Ended> {
        let mut ended = self.ended.clone();
        ended.wait_for(Option::is_some).await.ok().and_then(|ended| ended.clone())
    }
}

impl Sessions {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Background>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets the oldest of a caller that have ended. What nobody has read is kept longest.
    fn forget(&self, owner: Option<&str>) {
        let mut all = self.all();
        for (was_read, most) in [(true, REMEMBERED), (false, UNREAD)] {
            let is_one = |one: &Background| {
                one.owner.as_deref() == owner && one.ended.borrow().is_some() && one.read.load(Relaxed) == was_read
            };
            let ended = all.iter().filter(|(_, one)| is_one(one));
            let mut ended: Vec<(SystemTime, String)> = ended.map(|(id, one)| (one.began, id.clone())).collect();
            ended.sort();
            for (_, id) in ended.iter().rev().skip(most) {
                all.remove(id);
            }
        }
    }
}

/// Most of a command line that is kept, in bytes.
const SHOWN: usize = 4096;

/// A command line for people, who see the beginning of a long one: the end of a word that was cut is left out, which may be the half
/// of a secret.
fn shown(name: &str, arguments: &[String]) -> String {
    let mut shown = String::new();
    for word in std::iter::once(name).chain(arguments.iter().map(String::as_str)) {
        let between = if shown.is_empty() { "" } else { " " };
        if shown.len() + between.len() + word.len() > SHOWN {
            shown.extend([between, "…"]);
            break;
        }
        shown.extend([between, word]);
    }
    shown
}

impl Commands {
    /// Starts a command in the background.
    ///
    /// # Errors
    /// Why it was not started.
    pub async fn start(&self, wanted: &Wanted<'_>, owner: Option<String>) -> Result<Session, CommandError> {
        let (spec, place) = self.spec(wanted, self.settings.background_timeout.0, owner.as_deref()).await?;
        let mut running = Running::start(&spec, self.keeper.as_deref(), place).await?;
        let (tell, ended) = watch::channel(None);
        let command = shown(&spec.name, &spec.arguments);
        let one = Arc::new(Background {
            owner,
            command,
            began: SystemTime::now(),
            since: Instant::now(),
            confinement: running.confinement,
            unread: Mutex::new(Kept::new(wanted.output)),
            read: AtomicBool::new(false),
            terminate: Notify::new(),
            abandon: Notify::new(),
            ended,
        });
        let id = uuid::Uuid::new_v4().simple().to_string().chars().take(8).collect::<String>();
        self.sessions.forget(one.owner.as_deref());
        self.sessions.all().insert(id.clone(), one.clone());
        let told = one.told(&id);
        tokio::spawn(async move {
            let mut bytes = vec![0; 64 << 10];
            loop {
                tokio::select! {
                    length = running.next(&mut bytes) => match length {
                        Some(length) => one.unread().take(bytes.get(..length).unwrap_or_default()),
                        None => break,
                    },
                    () = one.terminate.notified() => running.terminate().await,
                    () = one.abandon.notified() => running.abandon(),
                }
            }
            let _ = tell.send(Some(running.ended().await));
        });
        Ok(told)
    }

    /// What a command said since it was read last.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn output(&self, id: &str, owner: Option<&str>) -> Result<SessionOutput, CommandError> {
        let one = self.session(id, owner)?;
        // Its end is looked at first: what comes after that is nothing.
        let session = one.told(id);
        let kept = one.unread().read(session.ended.is_some());
        one.read.store(session.ended.is_some(), Relaxed);
        Ok(SessionOutput { kept, session })
    }

    /// All commands of an owner, those that run and those that ended of late.
    pub fn sessions(&self, owner: Option<&str>) -> Vec<Session> {
        let all = self.sessions.all();
        let of = all.iter().filter(|(_, one)| one.owner.as_deref() == owner);
        let mut told: Vec<Session> = of.map(|(id, one)| one.told(id)).collect();
        told.sort_by_key(|session| session.began);
        told
    }

    /// Ends a command: it gets a moment, then it is killed, and all that came of it.
    ///
    /// # Errors
    /// There is none of this name.
    pub async fn terminate(&self, id: &str, owner: Option<&str>) -> Result<Session, CommandError> {
        let one = self.session(id, owner)?;
        if one.ended.borrow().is_some() {
            return Ok(one.told(id));
        }
        one.terminate.notify_one();
        if tokio::time::timeout(PATIENCE, one.over()).await.is_err() {
            one.abandon.notify_one();
            return Err(
                CommandError::failed(format!("the command `{id}` does not end")).hint("look at it again in a moment")
            );
        }
        Ok(one.told(id))
    }

    /// Ends all of them at once.
    pub async fn close(&self) {
        let all: Vec<Arc<Background>> = self.sessions.all().values().cloned().collect();
        all.iter().for_each(|one| one.abandon.notify_one());
        let over = futures::future::join_all(all.iter().map(|one| one.over()));
        if tokio::time::timeout(PATIENCE, over).await.is_err() {
            tracing::warn!("Commands in the background did not end in time.");
        }
    }

    fn session(&self, id: &str, owner: Option<&str>) -> Result<Arc<Background>, CommandError> {
        let all = self.sessions.all();
        let one = all.get(id).filter(|one| one.owner.as_deref() == owner);
        one.cloned().ok_or_else(|| {
            CommandError::invalid(format!("`session_id`: there is no command `{id}` in the background"))
                .hint("list them; those that ended long ago are forgotten")
        })
    }
}
