//! A real ClickHouse for tests: the embedded one, one server a test process, one database a test.
//!
//! The library is installed once a machine, with the function that users install it with, into
//! `target/tfo-test-cache`; `TELEMETRYFLOW_MCP_LIBCHDB` names another.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use tfo_mcp::{
    source::{
        Author, Limits, Query, Rows, SettingNames, Source, SourceError,
        clickhouse::{ClickHouse, ClickHouseConfig, Organisation},
        embedded::{self, Embedded, Endpoint},
    },
    sql::{Bind, Statement},
};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

/// Limits that no test means to reach.
pub const WIDE: Limits = Limits { timeout: Duration::from_secs(60), max_rows: 100_000, max_bytes: 64 << 20 };

/// A database of a test.
pub struct TestClickHouse {
    pub source: ClickHouse,
    /// How `source` was made, for further sources of the same database.
    pub config: ClickHouseConfig,
    pub database: String,
}

/// A new empty database on the server of this process.
pub async fn clickhouse() -> TestClickHouse {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let endpoint = server().await;
    let database = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let config = ClickHouseConfig {
        url: endpoint.url(),
        database: database.clone(),
        user: Some(Endpoint::USER.to_owned()),
        password: Some(endpoint.password.clone()),
        send_settings: true,
        max_connections: ClickHouseConfig::DEFAULT_CONNECTIONS,
        shared_tables: Vec::new(),
        organisation: Organisation::default(),
        names: SettingNames::default(),
    };
    let admin = ClickHouse::remote(ClickHouseConfig { database: "default".into(), ..config.clone() });
    admin.execute(&format!("CREATE DATABASE {database}")).await.unwrap();
    TestClickHouse { source: ClickHouse::remote(config.clone()), config, database }
}

/// The endpoint of the server of this process.
pub async fn server() -> Endpoint {
    // Statics are not dropped; the server ends when this process does and its standard input closes.
    static SERVER: OnceCell<(Arc<Embedded>, Endpoint)> = OnceCell::const_new();
    let start = || async {
        let library = tokio::task::spawn_blocking(library).await.unwrap();
        let folder = fresh_folder("server");
        let embedded = Arc::new(Embedded::new(folder).with_executable(executable()).with_library(library));
        let endpoint = embedded.endpoint().await.unwrap();
        (embedded, endpoint)
    };
    SERVER.get_or_init(start).await.1.clone()
}

/// The libchdb of the tests; installed if it is not there yet. Blocks.
pub fn library() -> PathBuf {
    if let Some(named) = std::env::var_os(embedded::LIBRARY_VARIABLE) {
        return named.into();
    }
    let cache = cache();
    let path = embedded::library_path(&cache);
    // Checking the hash of half a gigabyte in every test process would cost a second each.
    if path.is_file() {
        return path;
    }
    embedded::install(&cache, &mut |_| {}).expect("libchdb is installed with npm").path
}

pub fn executable() -> PathBuf {
    env!("CARGO_BIN_EXE_tfo-mcp").into()
}

/// `target/tfo-test-cache`.
pub fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("tfo-test-cache")
}

/// A folder of this process; those of processes that are gone are removed.
pub fn fresh_folder(name: &str) -> PathBuf {
    let parent = cache().join("servers");
    std::fs::create_dir_all(&parent).unwrap();
    for entry in std::fs::read_dir(&parent).unwrap().flatten() {
        let owner = entry.file_name().to_string_lossy().rsplit('-').next().unwrap_or_default().to_owned();
        if !Path::new("/proc").join(owner).exists() {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    parent.join(format!("{name}-{}", std::process::id()))
}

impl TestClickHouse {
    /// Runs a statement of a definition.
    pub async fn query(&self, sql: &str, binds: &[Bind]) -> Result<Rows, SourceError> {
        query(&self.source, sql, binds, WIDE).await
    }

    /// Runs a caller's statement.
    pub async fn ask(&self, organization_id: &str, sql: &str) -> Result<Rows, SourceError> {
        let statement = Statement { sql: sql.to_owned(), binds: Vec::new() };
        let cancel = CancellationToken::new();
        let author = Author::Caller { organization_id };
        self.source.query(Query { statement: &statement, limits: WIDE, author, cancel: &cancel, id: None }).await
    }

    /// The rows of a statement that must succeed.
    pub async fn rows(&self, sql: &str) -> Vec<Vec<Value>> {
        self.query(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}")).rows
    }

    /// Runs statements that may write.
    pub async fn execute(&self, statements: &[&str]) {
        for sql in statements {
            self.source.execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        }
    }
}

/// Runs a statement of a definition on any source.
pub async fn query(source: &dyn Source, sql: &str, binds: &[Bind], limits: Limits) -> Result<Rows, SourceError> {
    let statement = Statement { sql: sql.to_owned(), binds: binds.to_vec() };
    let cancel = CancellationToken::new();
    source.query(Query { statement: &statement, limits, author: Author::UNBOUND, cancel: &cancel, id: None }).await
}
