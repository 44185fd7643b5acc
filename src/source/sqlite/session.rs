//! Sessions of SQLite: opened read-only, interruptible, kept between statements.
//!
//! The driver runs each session on a thread of its own. A progress handler, which SQLite calls every few hundred
//! steps of its virtual machine, is how a statement that nobody waits for any more, whose time is up or whose memory
//! grew too much, ends. A session counts as in use until its thread has really stopped.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc, LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    bounds::{Bounds, HEAP, memory_used},
    error::source_error,
    sealed::Seal,
};
use crate::{
    source::{SourceError, SourceErrorKind},
    sql::clock,
};

/// How long closing waits for statements that were told to stop.
const PATIENCE: Duration = Duration::from_secs(2);

/// When a statement has to stop.
#[derive(Default)]
struct Limit {
    stop: AtomicBool,
    /// Nanoseconds on [`CLOCK`]; zero is never.
    deadline: AtomicU64,
    /// Most bytes that SQLite may hold in this process while the statement runs: what it held when the statement
    /// began, and the growth that is allowed. SQLite counts no memory by session, so a statement is blamed for what
    /// was added while it ran.
    memory: AtomicI64,
    outgrown: AtomicBool,
    /// The pool is closed.
    closing: Arc<AtomicBool>,
}

static CLOCK: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Limit {
    fn passed(&self) -> bool {
        if memory_used() > self.memory.load(Ordering::Relaxed) {
            self.outgrown.store(true, Ordering::Relaxed);
            return true;
        }
        let deadline = self.deadline.load(Ordering::Relaxed);
        self.stop.load(Ordering::Relaxed) || self.closing.load(Ordering::Relaxed) || (deadline > 0 && now() > deadline)
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
    /// Set where the file was opened as one that nobody changes.
    seal: Option<Seal>,
}

/// Sessions that wait for work.
#[derive(Clone)]
pub(super) struct Pool {
    path: PathBuf,
    /// What to do when there is no such file.
    absent: Arc<str>,
    /// The layer of the operating system to use instead of the usual one.
    layer: Option<String>,
    bounds: Bounds,
    permits: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Session>>>,
    closing: Arc<AtomicBool>,
}

/// A session in use. Dropped while a statement runs, it stops that statement.
pub(super) struct Lease {
    session: Option<Session>,
    running: bool,
    pool: Pool,
    permit: Option<OwnedSemaphorePermit>,
}

impl Pool {
    pub fn new(path: PathBuf, bounds: Bounds) -> Self {
        let permits = Arc::new(Semaphore::new(bounds.sessions));
        let absent = Arc::from("check its path, or make the file with `tfo-mcp demo`");
        Self { path, absent, layer: None, bounds, permits, idle: Arc::default(), closing: Arc::default() }
    }

    pub fn absent(self, hint: &str) -> Self {
        Self { absent: Arc::from(hint), ..self }
    }

    pub fn over(self, layer: Option<String>) -> Self {
        Self { layer, ..self }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which file lies under the name now.
    pub fn file(&self) -> Result<(u64, u64), SourceError> {
        let metadata = std::fs::metadata(&self.path).map_err(|error| {
            let message = format!("no SQLite database at `{}`: {error}", self.path.display());
            SourceError::new(SourceErrorKind::Unavailable, message).hint(&*self.absent)
        })?;
        Ok((metadata.dev(), metadata.ino()))
    }

    pub async fn acquire(&self) -> Result<Lease, SourceError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| closed())?;
        if self.closing.load(Ordering::Relaxed) {
            return Err(closed());
        }
        let file = self.file()?;
        let idle = {
            let mut idle = self.idle();
            idle.retain(|session| session.file == file && session.holds(&self.path));
            idle.pop()
        };
        let session = match idle {
            Some(session) => session,
            None => self.open(file).await?,
        };
        Ok(Lease { session: Some(session), running: false, pool: self.clone(), permit: Some(permit) })
    }

    /// Stops what runs, waits a moment until it has stopped, and closes the sessions.
    pub async fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
        let all = u32::try_from(self.bounds.sessions).unwrap_or(u32::MAX);
        if tokio::time::timeout(PATIENCE, self.permits.acquire_many(all)).await.is_err() {
            tracing::warn!(path = %self.path.display(), "a statement in SQLite was told to stop and has not yet");
        }
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
        session.limit.memory.store(memory_used().saturating_add(self.pool.bounds.growth), Ordering::Relaxed);
        session.limit.outgrown.store(false, Ordering::Relaxed);
        self.running = true;
        Ok(&mut session.connection)
    }

    /// The statement has come to its end.
    pub fn finished(&mut self) {
        self.running = false;
    }

    /// Whether the statement was stopped for its memory.
    pub fn outgrown(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.limit.outgrown.load(Ordering::Relaxed))
    }

    /// Enough rows were read: stops the statement and waits until it has.
    pub async fn cut(&mut self) {
        let Some(session) = self.session.as_mut() else { return };
        if session.stopped().await {
            self.running = false;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut session) = self.session.take() else { return };
        if !self.running {
            return self.pool.keep(session);
        }
        session.limit.stop.store(true, Ordering::Relaxed);
        // The permit is given back when the thread has stopped, or every repetition would add a thread.
        if let (Ok(runtime), Some(permit)) = (tokio::runtime::Handle::try_current(), self.permit.take()) {
            let pool = self.pool.clone();
            runtime.spawn(async move {
                if session.stopped().await {
                    pool.keep(session);
                }
                drop(permit);
            });
        }
    }
}

impl Session {
    /// Whether what it was told of the file is true still.
    fn holds(&self, path: &Path) -> bool {
        self.seal.is_none() || self.seal == Seal::of(path)
    }

    /// Stops the statement and waits until it has; false if the session is of no use any more.
    async fn stopped(&mut self) -> bool {
        self.limit.stop.store(true, Ordering::Relaxed);
        let stopped = self.connection.ping().await.is_ok();
        if stopped {
            self.limit.stop.store(false, Ordering::Relaxed);
        }
        stopped
    }
}

impl Pool {
    /// Takes a session back that waits for work again.
    fn keep(&self, session: Session) {
        session.limit.deadline.store(0, Ordering::Relaxed);
        session.limit.memory.store(i64::MAX, Ordering::Relaxed);
        if !self.closing.load(Ordering::Relaxed) {
            self.idle().push(session);
        }
    }

    async fn open(&self, file: (u64, u64)) -> Result<Session, SourceError> {
        let (mut connection, seal) = match self.connect(false).await {
            Ok(connection) => (connection, None),
            Err(error) => match Seal::instead(&self.path, &error)? {
                Some(seal) => (self.connect(true).await.map_err(|error| source_error(&error))?, Some(seal)),
                None => return Err(source_error(&error)),
            },
        };
        let limit = Limit { memory: AtomicI64::new(i64::MAX), closing: Arc::clone(&self.closing), ..Limit::default() };
        let limit = Arc::new(limit);
        let watched = Arc::clone(&limit);
        let mut handle = connection.lock_handle().await.map_err(|error| source_error(&error))?;
        self.bounds.apply(&mut handle);
        handle.set_progress_handler(self.bounds.steps, move || !watched.passed());
        drop(handle);
        Ok(Session { connection, limit, file, seal })
    }

    async fn connect(&self, sealed: bool) -> Result<SqliteConnection, sqlx::Error> {
        let options = settled(SqliteConnectOptions::new())
            .filename(&self.path)
            .read_only(true)
            .immutable(sealed)
            .pragma("query_only", "ON")
            .busy_timeout(Duration::from_secs(2))
            .statement_cache_capacity(self.bounds.prepared);
        let options = self.layer.iter().fold(options, |options, layer| options.vfs(layer.clone()));
        let mut connection = options.connect().await?;
        // SQLite looks at the file only now.
        sqlx::raw_sql("SELECT 1 FROM sqlite_schema LIMIT 1").execute(&mut connection).await?;
        Ok(connection)
    }

    /// A database in memory with tables as these texts make them, and nothing in them. What cannot be made there is left out.
    pub async fn blank(&self, texts: impl Iterator<Item = &str>) -> Result<SqliteConnection, SourceError> {
        let options = settled(SqliteConnectOptions::new()).in_memory(true);
        let mut connection = options.connect().await.map_err(|error| source_error(&error))?;
        for text in texts {
            if let Err(error) = sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await {
                tracing::debug!(%error, "a table cannot be made in memory to plan a statement by it");
            }
        }
        let mut handle = connection.lock_handle().await.map_err(|error| source_error(&error))?;
        self.bounds.apply(&mut handle);
        drop(handle);
        Ok(connection)
    }
}

/// What every session has, whatever it is opened on.
fn settled(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options
        // Views and triggers of a file that someone else made may not call functions with side effects.
        .pragma("trusted_schema", "OFF")
        // What is sorted or kept aside lies in memory, which is bounded, and not in files, which are not.
        .pragma("temp_store", "MEMORY")
        .pragma("cache_size", "-4096")
        .pragma("hard_heap_limit", HEAP.to_string())
        // PostgreSQL's name for the order of bytes: a text that says it serves both databases.
        .collation("C", Ord::cmp)
        .collation(clock::INSTANT, clock::order)
        .disable_statement_logging()
}

fn closed() -> SourceError {
    SourceError::new(SourceErrorKind::Unavailable, "the SQLite database was closed").hint("the server is shutting down")
}
