//! Sessions of SQLite: opened read-only, interruptible, kept between statements.
//!
//! The driver runs each session on a thread of its own. A progress handler, which SQLite calls every few thousand
//! steps of its virtual machine, is how a statement that nobody waits for any more, or whose time is up, ends.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc, LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::source_error;
use crate::source::{SourceError, SourceErrorKind};

/// Steps of the virtual machine between two looks at the clock: well under a millisecond.
const STEPS: i32 = 2_000;

/// Sessions on one file. Each is a thread; more than a few only compete for the processor.
const SESSIONS: usize = 8;

/// When a statement has to stop.
#[derive(Default)]
struct Limit {
    stop: AtomicBool,
    /// Nanoseconds on [`CLOCK`]; zero is never.
    deadline: AtomicU64,
}

static CLOCK: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Limit {
    fn passed(&self) -> bool {
        let deadline = self.deadline.load(Ordering::Relaxed);
        self.stop.load(Ordering::Relaxed) || (deadline > 0 && now() > deadline)
    }
}

fn now() -> u64 {
    u64::try_from(CLOCK.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

struct Session {
    connection: SqliteConnection,
    limit: Arc<Limit>,
    /// Device and inode: a file that was replaced is another database under the same name.
    file: (u64, u64),
}

/// Sessions that wait for work.
#[derive(Clone)]
pub(super) struct Pool {
    path: PathBuf,
    permits: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Session>>>,
}

/// A session in use. Dropped while a statement runs, it stops that statement.
pub(super) struct Lease {
    session: Option<Session>,
    running: bool,
    pool: Pool,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    pub fn new(path: PathBuf) -> Self {
        Self { path, permits: Arc::new(Semaphore::new(SESSIONS)), idle: Arc::default() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which file lies under the name now.
    pub fn file(&self) -> Result<(u64, u64), SourceError> {
        let metadata = std::fs::metadata(&self.path).map_err(|error| unavailable(&self.path, &error))?;
        Ok((metadata.dev(), metadata.ino()))
    }

    pub async fn acquire(&self) -> Result<Lease, SourceError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| closed())?;
        let file = self.file()?;
        let idle = {
            let mut idle = self.idle();
            idle.retain(|session| session.file == file);
            idle.pop()
        };
        let session = match idle {
            Some(session) => session,
            None => open(&self.path, file).await?,
        };
        Ok(Lease { session: Some(session), running: false, pool: self.clone(), _permit: permit })
    }

    pub async fn close(&self) {
        self.permits.close();
        let sessions = std::mem::take(&mut *self.idle());
        for session in sessions {
            // Nothing was written: there is nothing that closing could lose.
            let _ = session.connection.close().await;
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// A statement begins, which has to end within `timeout`.
    pub fn begin(&mut self, timeout: Duration) -> Result<&mut SqliteConnection, SourceError> {
        let session = self.session.as_mut().ok_or_else(closed)?;
        let deadline = now().saturating_add(u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX));
        session.limit.deadline.store(deadline, Ordering::Relaxed);
        self.running = true;
        Ok(&mut session.connection)
    }

    /// The statement has come to its end.
    pub fn finished(&mut self) {
        self.running = false;
    }

    /// Enough rows were read: stops the statement and waits until it has.
    pub async fn cut(&mut self) {
        let Some(session) = self.session.as_mut() else { return };
        session.limit.stop.store(true, Ordering::Relaxed);
        if session.connection.ping().await.is_ok() {
            session.limit.stop.store(false, Ordering::Relaxed);
            self.running = false;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else { return };
        if self.running {
            // Its thread ends by itself once the statement has stopped.
            session.limit.stop.store(true, Ordering::Relaxed);
            return;
        }
        session.limit.deadline.store(0, Ordering::Relaxed);
        if !self.pool.permits.is_closed() {
            self.pool.idle().push(session);
        }
    }
}

async fn open(path: &Path, file: (u64, u64)) -> Result<Session, SourceError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .pragma("query_only", "ON")
        // Views and triggers of a file that someone else made may not call functions with side effects.
        .pragma("trusted_schema", "OFF")
        .busy_timeout(Duration::from_secs(2))
        .statement_cache_capacity(256)
        .disable_statement_logging();
    let mut connection = options.connect().await.map_err(|error| source_error(&error))?;
    let limit = Arc::new(Limit::default());
    let watched = Arc::clone(&limit);
    let mut handle = connection.lock_handle().await.map_err(|error| source_error(&error))?;
    handle.set_progress_handler(STEPS, move || !watched.passed());
    drop(handle);
    Ok(Session { connection, limit, file })
}

fn unavailable(path: &Path, error: &std::io::Error) -> SourceError {
    SourceError::new(SourceErrorKind::Unavailable, format!("no SQLite database at `{}`: {error}", path.display()))
        .hint("run `tfo-mcp demo` or set `database.postgres_url`")
}

fn closed() -> SourceError {
    SourceError::new(SourceErrorKind::Unavailable, "the SQLite database was closed").hint("the server is shutting down")
}
