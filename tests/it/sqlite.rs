//! SQLite as a source, against real files.

mod rules;
mod tables;
mod values;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tfo_mcp::{
    source::{
        Author, ColumnType, Limits, Query, Rows, Source, SourceError, SourceErrorKind, Truncation,
        sqlite::{Sqlite, Writer},
    },
    sql::{Bind, Statement},
};
use tokio_util::sync::CancellationToken;

const LIMITS: Limits = Limits { timeout: Duration::from_secs(20), max_rows: 10_000, max_bytes: 64 << 20 };

/// Counts to infinity without ever returning a row.
const RUNAWAY: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS c FROM n";

struct File {
    folder: TempDir,
    source: Sqlite,
}

impl File {
    async fn with(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.sqlite");
        write(&path, script).await;
        Self { source: Sqlite::new(path), folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("test.sqlite")
    }

    async fn ask(&self, sql: &str) -> Result<Rows, SourceError> {
        self.ask_with(sql, Vec::new(), LIMITS).await
    }

    async fn ask_with(&self, sql: &str, binds: Vec<Bind>, limits: Limits) -> Result<Rows, SourceError> {
        let cancel = CancellationToken::new();
        let statement = Statement { sql: sql.to_owned(), binds };
        self.source
            .query(Query { statement: &statement, limits, author: Author::UNBOUND, cancel: &cancel, id: None })
            .await
    }
}

async fn write(path: &std::path::Path, script: &str) {
    let mut writer = Writer::open(path).await.unwrap();
    writer.execute_script(script).await.unwrap();
    writer.close().await.unwrap();
}

#[tokio::test]
async fn rows_and_bytes_are_capped_and_it_is_said() {
    let file = File::with("CREATE TABLE t (n INTEGER, s TEXT)").await;
    let mut writer = Writer::open(&file.path()).await.unwrap();
    let rows = (0..2_500).map(|n| vec![Bind::Integer(n), Bind::Text("x".repeat(100))]);
    assert_eq!(writer.copy_in("t", &["n", "s"], rows).await.unwrap(), 2_500);
    writer.close().await.unwrap();
    let capped = |max_rows, max_bytes| Limits { max_rows, max_bytes, ..LIMITS };
    for (limits, count, truncated) in [
        (capped(2_500, usize::MAX), 2_500, None),
        (capped(2_499, usize::MAX), 2_499, Some(Truncation::Rows)),
        (capped(0, usize::MAX), 0, Some(Truncation::Rows)),
        (capped(5_000, 1_150), 10, Some(Truncation::Bytes)),
    ] {
        let rows = file.ask_with("SELECT n, s FROM t ORDER BY n", Vec::new(), limits).await.unwrap();
        assert_eq!((rows.rows.len(), rows.truncated), (count, truncated), "{limits:?}");
        assert_eq!(rows.columns.len(), 2);
    }
    // An answer that would never end is cut as well, and the session is good for the next statement.
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
    for _ in 0..20 {
        let rows = file.ask_with(endless, Vec::new(), capped(10, 10_000)).await.unwrap();
        assert_eq!(rows.rows.len(), 10);
    }
}

/// Processor time of this process's threads that run SQLite sessions.
fn sqlite_cpu() -> u64 {
    let mut ticks = 0;
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let Ok(stat) = std::fs::read_to_string(task.path().join("stat")) else { continue };
        if stat.contains("(sqlx-sqlite-") {
            let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
            ticks += fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        }
    }
    ticks
}

/// Held by tests that keep SQLite's threads busy, and by the one that waits until none is.
static HEAVY: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Waits until SQLite's threads have used no processor time for a while.
async fn assert_comes_to_rest() {
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut before = sqlite_cpu();
    while Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let now = sqlite_cpu();
        if now == before {
            return;
        }
        before = now;
    }
    panic!("SQLite still computes");
}

// One test, since it watches the threads of the whole process.
#[tokio::test(flavor = "multi_thread")]
async fn a_runaway_statement_stops_at_the_deadline_on_cancel_and_when_nobody_waits() {
    let _alone = HEAVY.lock().await;
    let file = File::with("CREATE TABLE t (n INTEGER)").await;
    let limits = Limits { timeout: Duration::from_millis(200), ..LIMITS };
    let error = file.ask_with(RUNAWAY, Vec::new(), limits).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Timeout, "{error:?}");
    assert_comes_to_rest().await;

    let cancel = CancellationToken::new();
    let statement = Statement { sql: RUNAWAY.into(), binds: Vec::new() };
    let query = Query { statement: &statement, limits: LIMITS, author: Author::UNBOUND, cancel: &cancel, id: None };
    let (result, ()) = tokio::join!(file.source.query(query), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        cancel.cancel();
    });
    assert_eq!(result.unwrap_err().kind, SourceErrorKind::Cancelled);
    assert_comes_to_rest().await;

    let abandoned = tokio::time::timeout(Duration::from_millis(100), file.ask(RUNAWAY)).await;
    assert!(abandoned.is_err());
    assert_comes_to_rest().await;
    assert_eq!(file.ask("SELECT 1 AS one").await.unwrap().rows, [[json!(1)]]);
}

#[tokio::test]
async fn nothing_but_queries_runs() {
    let file = File::with("CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (1)").await;
    let other = file.folder.path().join("other.sqlite");
    let cases = [
        "INSERT INTO t VALUES (2)".to_owned(),
        "WITH x AS (SELECT 2) INSERT INTO t SELECT * FROM x".to_owned(),
        "DELETE FROM t".to_owned(),
        "DROP TABLE t".to_owned(),
        "PRAGMA query_only = OFF".to_owned(),
        "PRAGMA journal_mode = WAL".to_owned(),
        format!("ATTACH '{}' AS other", other.display()),
        format!("VACUUM INTO '{}'", other.display()),
        "BEGIN IMMEDIATE".to_owned(),
        "SELECT 1; DELETE FROM t".to_owned(),
        "SELECT 1; SELECT 2".to_owned(),
        "SELECT load_extension('x')".to_owned(),
        format!("SELECT writefile('{}', 'x')", other.display()),
        "SELECT readfile('/etc/passwd')".to_owned(),
        "".to_owned(),
    ];
    for sql in cases {
        let error = file.ask(&sql).await.unwrap_err();
        assert!(
            matches!(error.kind, SourceErrorKind::Forbidden | SourceErrorKind::Invalid | SourceErrorKind::Failed),
            "{sql}: {error:?}"
        );
    }
    assert!(!other.exists());
    assert_eq!(file.ask("SELECT n FROM t").await.unwrap().rows, [[json!(1)]]);
}

#[tokio::test]
async fn what_is_withheld_from_a_statement_when_it_runs_is_found_when_it_is_planned() {
    let file = File::with("CREATE TABLE links (organization_id TEXT, encrypted INTEGER, private_key TEXT)").await;
    let confined = async |column: &str| {
        let sql = format!("SELECT {column} FROM links WHERE organization_id = ?1");
        let statement = Statement { sql, binds: vec![Bind::Text("x".into())] };
        file.source.prepare(&statement).await.unwrap();
        file.source.confined(&statement).await
    };
    // A flag is no secret for its name.
    confined("encrypted").await.unwrap();
    assert_eq!(confined("private_key").await.unwrap_err().kind, SourceErrorKind::Missing);
}

#[tokio::test]
async fn errors_say_what_happened() {
    let file = File::with("CREATE TABLE t (n INTEGER)").await;
    for (sql, kind) in [
        ("SELECT * FROM nowhere", SourceErrorKind::Missing),
        ("SELECT absent FROM t", SourceErrorKind::Missing),
        ("SELECT FROM t", SourceErrorKind::Invalid),
        ("SELECT 'a", SourceErrorKind::Invalid),
    ] {
        assert_eq!(file.ask(sql).await.unwrap_err().kind, kind, "{sql}");
        let statement = Statement { sql: sql.into(), binds: Vec::new() };
        assert_eq!(file.source.prepare(&statement).await.unwrap_err().kind, kind, "{sql}");
    }
    let absent = Sqlite::new(file.folder.path().join("absent.sqlite"));
    let error = absent.ping().await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unavailable);
    assert_eq!(error.hint.as_deref(), Some("check its path, or make the file with `tfo-mcp demo`"));
    assert!(!file.folder.path().join("absent.sqlite").exists());

    let garbage = file.folder.path().join("garbage.sqlite");
    std::fs::write(&garbage, "this is no database, but it is long enough to look like one").unwrap();
    let error = Sqlite::new(garbage).tables().await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unavailable, "{error:?}");
}

/// The answer to a caller's statement, and how long it took.
async fn ask_as_caller(file: &File, sql: &str, binds: Vec<Bind>, timeout: Duration) -> Result<Rows, SourceError> {
    let statement = Statement { sql: sql.to_owned(), binds };
    let author = Author::Caller { organization_id: "00000000-0000-4000-8000-000000000001" };
    let cancel = CancellationToken::new();
    let limits = Limits { timeout, ..LIMITS };
    file.source.query(Query { statement: &statement, limits, author, cancel: &cancel, id: None }).await
}

/// `times` nested calls, each of which makes a text ten times as long.
fn longer(times: usize) -> String {
    (0..times).fold("'aaaaaaaaaa'".to_owned(), |text, _| format!("replace({text},'a','aaaaaaaaaa')"))
}

#[tokio::test]
async fn a_text_that_doubles_itself_ends_at_its_length_and_not_at_the_memory_of_the_server() {
    let file = File::with("CREATE TABLE t (n INTEGER)").await;
    for sql in [
        format!("SELECT instr({}, {} || 'b')", longer(6), longer(5)),
        format!("SELECT length({})", longer(8)),
        format!(
            "SELECT length(group_concat(x)) FROM (SELECT {} AS x UNION ALL SELECT {} || 'x')",
            longer(4),
            longer(4)
        ),
    ] {
        let error = ask_as_caller(&file, &sql, Vec::new(), LIMITS.timeout).await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::Exhausted, "{sql}: {error:?}");
        assert!(error.message.contains("too big") && error.hint.is_some(), "{error:?}");
    }
    // A definition may hold longer values, and not without end either.
    assert!(file.ask(&format!("SELECT length({})", longer(5))).await.is_ok());
    let error = file.ask(&format!("SELECT length({})", longer(8))).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Exhausted, "{error:?}");
}

#[tokio::test]
async fn a_pattern_that_takes_the_square_of_its_length_is_refused() {
    let file = File::with("CREATE TABLE t (n INTEGER)").await;
    let binds = vec![Bind::Text("%a".repeat(200))];
    let error = ask_as_caller(&file, "SELECT 'aaa' LIKE ?1", binds, LIMITS.timeout).await.unwrap_err();
    assert!(error.message.contains("too complex"), "{error:?}");
    // So does a set of characters, minutes at 128 KiB.
    for sql in ["SELECT trim('aaa', ?1)", "SELECT ltrim('aaa', replace('b', 'b', 'cc'))", "SELECT unhex('aaa', ?1)"] {
        let binds = if sql.contains('?') { vec![Bind::Text("b".repeat(1_000))] } else { Vec::new() };
        let error = ask_as_caller(&file, sql, binds, LIMITS.timeout).await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::Forbidden, "{sql}: {error:?}");
    }
    let rows = ask_as_caller(&file, "SELECT trim('xay', 'xy') AS a", Vec::new(), LIMITS.timeout).await.unwrap();
    assert_eq!(rows.rows, [[json!("a")]]);
}

/// It wrote gigabytes to the folder for temporary files, for as long as it was let.
#[tokio::test]
async fn what_is_sorted_stays_in_memory_and_is_bounded_there() {
    let _alone = HEAVY.lock().await;
    let file = File::with("CREATE TABLE t (n INTEGER)").await;
    let sql = format!(
        "WITH RECURSIVE t2(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t2 WHERE n < 100000000) \
         SELECT count(*) FROM (SELECT {} || n AS v FROM t2 ORDER BY v LIMIT 100000000)",
        longer(4)
    );
    let callers = ask_as_caller(&file, &sql, Vec::new(), LIMITS.timeout).await.unwrap_err();
    let definitions = file.ask(&sql).await.unwrap_err();
    for error in [callers, definitions] {
        assert_eq!(error.kind, SourceErrorKind::Exhausted, "{error:?}");
        assert!(error.message.contains("more memory"), "{error:?}");
    }
    // 2 is MEMORY: https://sqlite.org/pragma.html#pragma_temp_store
    assert_eq!(file.ask("SELECT temp_store FROM pragma_temp_store").await.unwrap().rows, [[json!(2)]]);
    assert_eq!(file.ask("SELECT 1 AS one").await.unwrap().rows, [[json!(1)]]);
}

/// The answer said "it was stopped", its thread ran on, and every repetition added one.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_session_is_in_use_until_its_thread_has_stopped() {
    let _alone = HEAVY.lock().await;
    let file = File::with("CREATE TABLE t (n INTEGER)").await;
    assert_eq!(ask_as_caller(&file, "SELECT 1 AS one", Vec::new(), LIMITS.timeout).await.unwrap().rows, [[json!(1)]]);
    // Some seconds in one function, inside which SQLite does not look at the clock.
    let long = || {
        let binds = vec![Bind::Text("a".repeat(900_000)), Bind::Text("a".repeat(450_000))];
        file.ask_with("SELECT instr(?1, ?2 || 'b')", binds, Limits { timeout: Duration::from_secs(1), ..LIMITS })
    };
    for answer in futures::future::join_all((0..8).map(|_| long())).await {
        let error = answer.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::Timeout);
        assert!(error.message.contains("was told to stop"), "{error:?}");
    }
    let soon = Limits { timeout: Duration::from_millis(20), ..LIMITS };
    let error = file.ask_with("SELECT 1", Vec::new(), soon).await.unwrap_err();
    assert!(error.message.contains("waited for a free session"), "{error:?}");
    // Callers have sessions of their own.
    assert_eq!(ask_as_caller(&file, "SELECT 1 AS one", Vec::new(), LIMITS.timeout).await.unwrap().rows, [[json!(1)]]);
    let patient = Limits { timeout: Duration::from_secs(120), ..LIMITS };
    assert_eq!(file.ask_with("SELECT 1 AS one", Vec::new(), patient).await.unwrap().rows, [[json!(1)]]);
    file.source.close().await;
}
