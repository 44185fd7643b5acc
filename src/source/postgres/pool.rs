//! Sessions that wait for work.
//!
//! Ours instead of sqlx's pool, which asks the server for a sign of life each time a session is returned: one
//! round trip more than a point query has. Nor could it end a statement that nobody waits for any more.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;

use super::{
    connection::Opening,
    run::Failure,
    session::{Bounds, Path, Session},
};
use crate::source::{QueryId, SourceError, SourceErrorKind};

/// Sessions idle for longer are replaced: firewalls forget them without a word.
const IDLE: Duration = Duration::from_secs(300);
/// A session that has rested for longer is looked at before it is used.
const RESTED: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub(super) struct Pool(Arc<Shared>);

struct Shared {
    opening: Opening,
    connect_timeout: Duration,
    size: usize,
    /// Whether a session forgets everything before it is used again: strangers follow one another on it.
    forgets: bool,
    /// Whether a pooler showed itself on a session that looked like ours.
    pooled: AtomicBool,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Session>>,
    /// The session that cancels statements of the others, opened when first needed.
    control: tokio::sync::Mutex<Option<PgConnection>>,
    tasks: TaskTracker,
}

/// A session in use. Dropped while a statement runs, it has the server cancel that statement.
pub(super) struct Lease {
    session: Option<Session>,
    state: State,
    pool: Pool,
    permit: Option<OwnedSemaphorePermit>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Ready,
    /// A statement is on its way, or the rest of its rows.
    Running,
    /// The session cannot be used again.
    Broken,
}

impl Pool {
    pub fn new(opening: Opening, connect_timeout: Duration, size: usize, forgets: bool) -> Self {
        Self(Arc::new(Shared {
            opening,
            connect_timeout,
            size,
            forgets,
            pooled: AtomicBool::new(false),
            permits: Arc::new(Semaphore::new(size)),
            idle: Mutex::new(Vec::new()),
            control: tokio::sync::Mutex::new(None),
            tasks: TaskTracker::new(),
        }))
    }

    /// A session. Waits while all are in use; the caller sets the deadline.
    pub async fn acquire(&self) -> Result<Lease, SourceError> {
        let permit = Arc::clone(&self.0.permits).acquire_owned().await.map_err(|_| closed())?;
        let session = match self.rested().await {
            Some(session) => session,
            // Boxed, like all that is rare here: a statement carries the room of the largest thing that it may wait for.
            None => Box::pin(self.open()).await?,
        };
        Ok(Lease { session: Some(session), state: State::Ready, pool: self.clone(), permit: Some(permit) })
    }

    /// An idle session that is still what it was.
    async fn rested(&self) -> Option<Session> {
        loop {
            let mut session = self.take()?;
            if session.path == Path::Pooled || session.idle_since.elapsed() < RESTED {
                return Some(session);
            }
            match tokio::time::timeout(self.0.connect_timeout, Box::pin(session.is_still_ours())).await {
                Ok(Ok(true)) => return Some(session),
                Ok(Ok(false)) => self.notice_pooler(),
                // Lost meanwhile.
                Ok(Err(_)) | Err(_) => {}
            }
        }
    }

    fn take(&self) -> Option<Session> {
        let mut idle = self.idle();
        expire(&mut idle);
        // The last one returned is the likeliest to be alive, and lets the others grow old.
        idle.pop()
    }

    async fn open(&self) -> Result<Session, SourceError> {
        let pooled = self.0.pooled.load(Ordering::Relaxed);
        match tokio::time::timeout(self.0.connect_timeout, Session::open(&self.0.opening, pooled)).await {
            Ok(opened) => opened,
            Err(_) => {
                let message = format!("PostgreSQL did not answer within {:?}", self.0.connect_timeout);
                Err(SourceError::new(SourceErrorKind::Unavailable, message).hint(match pooled {
                    true => {
                        "the pool of the pooler in front of it may be full: raise its size, or lower {max_connections}"
                    }
                    false => "check the host, the port and the firewall between here and the server",
                }))
            }
        }
    }

    /// From now on every session counts as a pooler's.
    pub fn notice_pooler(&self) {
        if !self.0.pooled.swap(true, Ordering::Relaxed) {
            tracing::warn!("A pooler lends sessions of PostgreSQL to several: nothing is kept in them any more.");
        }
        self.forget_idle();
    }

    /// Forgets all idle sessions, since what ended one has ended them all.
    pub fn forget_idle(&self) {
        self.idle().clear();
    }

    /// All sessions in use, for the message of a deadline that passed while waiting.
    pub fn is_exhausted(&self) -> bool {
        self.0.permits.available_permits() == 0
    }

    pub fn size(&self) -> usize {
        self.0.size
    }

    /// Ends all sessions, and waits for statements that are being cancelled.
    pub async fn close(&self) {
        self.0.permits.close();
        self.0.tasks.close();
        self.0.tasks.wait().await;
        let sessions = std::mem::take(&mut *self.idle());
        for session in sessions {
            // A server that is gone has closed it already.
            let _ = session.connection.close().await;
        }
        if let Some(control) = self.0.control.lock().await.take() {
            let _ = control.close().await;
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Session>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, mut session: Session) {
        session.idle_since = Instant::now();
        session.fresh = false;
        if !self.0.permits.is_closed() {
            let mut idle = self.idle();
            expire(&mut idle);
            idle.push(session);
        }
    }

    /// Has the server end the statement of `process`. Without an answer its transaction's own time limit
    /// ends it later.
    async fn cancel(&self, process: i32) {
        let work = async {
            let mut control = self.0.control.lock().await;
            // The second attempt is for a control session that the server has ended meanwhile.
            for _ in 0..2 {
                if control.is_none() {
                    *control = PgConnection::connect_with(&self.0.opening.bare()).await.ok();
                }
                let Some(connection) = control.as_mut() else { return };
                // As one message: behind a pooler a prepared statement could be somebody else's by the time it runs.
                let query = sqlx::raw_sql(AssertSqlSafe(format!("SELECT pg_catalog.pg_cancel_backend({process})")));
                match query.execute(connection).await {
                    Ok(_) => return,
                    Err(_) => *control = None,
                }
            }
        };
        if tokio::time::timeout(self.0.connect_timeout, work).await.is_err() {
            tracing::warn!(process, "a statement could not be cancelled in time, its own timeout will end it");
        }
    }

    async fn settle(self, mut session: Session, state: State) {
        match (state, session.process) {
            (State::Ready, _) => {
                let ended = tokio::time::timeout(self.0.connect_timeout, session.end(self.0.forgets)).await;
                if matches!(ended, Ok(Ok(()))) {
                    self.put(session);
                }
            }
            // Not returned: the cancel may still be on its way and would hit the next statement. Until it is told the
            // session stays open, so that the process cannot be another's: not even behind a pooler, where the
            // transaction binds it.
            (State::Running, Some(process)) => self.cancel(process).await,
            (State::Running, None) | (State::Broken, _) => {}
        }
    }
}

impl Lease {
    /// A statement begins, within its bounds. Until [`Lease::finished`] the session counts as running.
    pub async fn begin(&mut self, bounds: &Bounds<'_>, id: Option<&QueryId>) -> Result<&mut PgConnection, Failure> {
        self.state = State::Running;
        let session = self.session.as_mut().ok_or_else(closed)?;
        identify(session, id);
        session.ready(bounds, &self.pool.0.opening).await?;
        identify(session, id);
        Ok(&mut session.connection)
    }

    /// The statement has come to its end, or the server has refused it.
    pub fn finished(&mut self) {
        self.state = State::Ready;
    }

    /// Enough rows were read; the server may still be sending.
    pub fn cut(&mut self) {
        self.state = State::Running;
    }

    /// The connection is lost.
    pub fn broken(&mut self) {
        self.state = State::Broken;
    }

    pub fn path(&self) -> Option<Path> {
        self.session.as_ref().map(|session| session.path)
    }

    pub fn is_fresh(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.fresh)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else { return };
        let (pool, permit, state) = (self.pool.clone(), self.permit.take(), self.state);
        if state == State::Ready && session.is_clean() && !pool.0.forgets {
            pool.put(session);
            return;
        }
        // Without a runtime the program is ending, and its sockets with it.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let tasks = pool.0.tasks.clone();
        tasks.spawn_on(
            async move {
                pool.settle(session, state).await;
                drop(permit);
            },
            &runtime,
        );
    }
}

/// Says which process of the server works on the statement.
fn identify(session: &Session, id: Option<&QueryId>) {
    if let (Some(id), Some(process)) = (id, session.process) {
        id.set(process.to_string());
    }
}

/// Drops sessions that were idle for too long. The list is in the order in which they came to rest.
fn expire(idle: &mut Vec<Session>) {
    let Some(oldest) = Instant::now().checked_sub(IDLE) else { return };
    let expired = idle.iter().take_while(|session| session.idle_since < oldest).count();
    idle.drain(..expired);
}

fn closed() -> SourceError {
    SourceError::new(SourceErrorKind::Unavailable, "the connection to PostgreSQL was closed")
        .hint("the server is shutting down")
}
