//! Row, byte and time limits, cancellation that is seen in the database, read-only mode, and kinds of failure.

use std::time::Duration;

use serde_json::json;
use tfo_mcp::{
    source::{
        Author, Limits, Query, Source, SourceErrorKind, Truncation,
        clickhouse::{ClickHouse, ClickHouseConfig},
    },
    sql::{Bind, Statement},
};
use tokio_util::sync::CancellationToken;

use crate::support::clickhouse::{TestClickHouse, WIDE, clickhouse, query};
use crate::support::eventually::eventually;

/// Runs for minutes, and is told apart by its mark.
fn endless(mark: &str) -> String {
    format!("SELECT count() AS n, '{mark}' AS mark FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))")
}

/// Waits until the database runs, or no longer runs, a statement with this mark.
async fn until_running(db: &TestClickHouse, mark: &str, running: bool) {
    let sql = format!(
        "SELECT count() AS n FROM system.processes WHERE query LIKE '%''{mark}''%' AND query NOT LIKE '%system.processes%'"
    );
    let sql = sql.replace("''", "\\'");
    let what = format!("statement {mark} {}", if running { "runs" } else { "has ended" });
    eventually(what, async || (db.rows(&sql).await[0][0] == json!(1)) == running).await;
}

#[tokio::test]
async fn rows_are_cut_with_proof() {
    let db = clickhouse().await;
    let limits = |max_rows| Limits { max_rows, ..WIDE };
    for (rows, max, kept, cut) in [(9, 10, 9, None), (10, 10, 10, None), (11, 10, 10, Some(Truncation::Rows))] {
        let sql = format!("SELECT number AS n FROM numbers({rows}) ORDER BY n");
        let answer = query(&db.source, &sql, &[], limits(max)).await.unwrap();
        assert_eq!((answer.rows.len(), answer.truncated), (kept, cut), "{rows} of {max}");
    }
    // Many blocks, and no rows lost on the way.
    let answer = query(&db.source, "SELECT number AS n FROM numbers(10000000)", &[], limits(100_000)).await.unwrap();
    assert_eq!((answer.rows.len(), answer.truncated), (100_000, Some(Truncation::Rows)));
    assert!(answer.rows.iter().enumerate().all(|(index, row)| row[0] == json!(index)));
}

#[tokio::test]
async fn bytes_are_cut_between_rows() {
    let db = clickhouse().await;
    let limits = Limits { max_bytes: 10_000, ..WIDE };
    let answer = query(&db.source, "SELECT repeat('x', 997) AS x FROM numbers(100)", &[], limits).await.unwrap();
    assert_eq!((answer.rows.len(), answer.truncated), (10, Some(Truncation::Bytes)));
    // One value that is larger than all that is allowed.
    let answer = query(&db.source, "SELECT repeat(repeat('x', 1000), 50000) AS x", &[], limits).await.unwrap();
    assert_eq!((answer.rows.len(), answer.truncated), (0, Some(Truncation::Bytes)));
}

#[tokio::test]
async fn a_cut_answer_ends_the_statement() {
    let db = clickhouse().await;
    let limits = Limits { max_bytes: 10_000, ..WIDE };
    let sql = "SELECT repeat('x', 1000) AS x, 'cut_answer' AS mark FROM numbers(1000000000)";
    let answer = query(&db.source, sql, &[], limits).await.unwrap();
    assert_eq!(answer.truncated, Some(Truncation::Bytes));
    until_running(&db, "cut_answer", false).await;
}

#[tokio::test]
async fn a_cancelled_call_ends_the_statement() {
    let db = clickhouse().await;
    let cancel = CancellationToken::new();
    let statement = Statement { sql: endless("cancelled"), binds: vec![] };
    let ask = Query { statement: &statement, limits: WIDE, author: Author::UNBOUND, cancel: &cancel, id: None };
    let (answer, ()) = tokio::join!(db.source.query(ask), async {
        until_running(&db, "cancelled", true).await;
        cancel.cancel();
    });
    assert_eq!(answer.unwrap_err().kind, SourceErrorKind::Cancelled);
    until_running(&db, "cancelled", false).await;
}

#[tokio::test]
async fn a_dropped_call_ends_the_statement() {
    let db = clickhouse().await;
    let sql = endless("dropped");
    tokio::select! {
        _ = db.query(&sql, &[]) => panic!("it ended"),
        () = until_running(&db, "dropped", true) => {}
    }
    until_running(&db, "dropped", false).await;
}

#[tokio::test]
async fn a_deadline_ends_the_statement() {
    let db = clickhouse().await;
    let limits = Limits { timeout: Duration::from_millis(300), ..WIDE };
    let error = query(&db.source, &endless("late"), &[], limits).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Timeout);
    until_running(&db, "late", false).await;
}

#[tokio::test]
async fn the_database_keeps_the_deadline_too() {
    let db = clickhouse().await;
    let told = "SELECT Settings['max_execution_time'], Settings['timeout_overflow_mode'] FROM system.processes \
                WHERE query LIKE '%\\'told\\'%' AND query NOT LIKE '%system.processes%'";
    let (sql, limits) = (endless("told"), Limits { timeout: Duration::from_secs(45), ..WIDE });
    tokio::select! {
        ended = query(&db.source, &sql, &[], limits) => panic!("{ended:?}"),
        row = eventually("the statement runs", async || db.rows(told).await.into_iter().next()) => {
            let seconds: u64 = row[0].as_str().unwrap().parse().unwrap();
            // Whole seconds, and not sooner than we give up ourselves.
            assert!((45..=50).contains(&seconds), "{row:?}");
            assert!(row[1].as_str().is_some_and(|mode| mode != "break"), "half an answer is none: {row:?}");
        }
    }
    // And no statement gives itself more.
    let sql = "SELECT 1 AS x SETTINGS max_execution_time = 3600";
    let error = query(&db.source, sql, &[], WIDE).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Forbidden, "{error:?}");
}

#[tokio::test]
async fn accounts_without_settings_are_cancelled_as_well() {
    let db = clickhouse().await;
    let plain = ClickHouse::remote(ClickHouseConfig { send_settings: false, ..db.config.clone() });
    let limits = Limits { timeout: Duration::from_millis(300), ..WIDE };
    let error = query(&plain, &endless("plain"), &[], limits).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Timeout);
    until_running(&db, "plain", false).await;
}

#[tokio::test]
async fn nothing_can_be_written() {
    let db = clickhouse().await;
    db.execute(&["CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a"]).await;
    let outfile = std::env::temp_dir().join(format!("tfo-outfile-{}", std::process::id()));
    for sql in [
        "INSERT INTO t VALUES (1)",
        "INSERT INTO t SELECT 1",
        "INSERT INTO FUNCTION file('x.csv') SELECT 1",
        "DROP TABLE t",
        "CREATE TABLE u (a UInt8) ENGINE = Memory",
        "CREATE TEMPORARY TABLE u (a UInt8)",
        "ALTER TABLE t DELETE WHERE 1",
        "TRUNCATE TABLE t",
        "OPTIMIZE TABLE t",
        "SET max_threads = 1",
        "SET readonly = 0",
        "SELECT 1 SETTINGS readonly = 0",
        "SELECT 1 SETTINGS max_execution_time = 0",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
        "SELECT * FROM executable('/bin/true', 'TSV', 'a String')",
        "SYSTEM STOP LISTEN HTTP",
        "SYSTEM SHUTDOWN",
        "/* first */ KILL QUERY WHERE query_id = 'none'",
        "GRANT ALL ON *.* TO default",
        "CREATE USER x",
    ] {
        let error = db.query(sql, &[]).await.expect_err(sql);
        assert_eq!(error.kind, SourceErrorKind::Forbidden, "{sql}: {error:?}");
    }
    let sql = format!("SELECT 1 INTO OUTFILE '{}'", outfile.display());
    assert_eq!(db.query(&sql, &[]).await.unwrap_err().kind, SourceErrorKind::Forbidden);
    assert!(!outfile.exists());
    for sql in ["SELECT 1; SELECT 2", "SELECT 1; DROP TABLE t"] {
        assert_eq!(db.query(sql, &[]).await.unwrap_err().kind, SourceErrorKind::Invalid, "{sql}");
    }
    assert_eq!(db.rows("SELECT count() AS n FROM t").await, [[json!(0)]]);
}

#[tokio::test]
async fn failures_have_kinds() {
    use SourceErrorKind::*;
    let db = clickhouse().await;
    db.execute(&["CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a"]).await;
    for (sql, kind) in [
        ("SELECT * FROM nothing", Missing),
        ("SELECT b FROM t", Missing),
        ("SELECT * FROM nowhere.t", Missing),
        ("SELEC 1", Invalid),
        ("SELECT nofunction(1)", Invalid),
        ("SELECT a + 'x' FROM t", Invalid),
        ("SELECT toUInt8('x')", Invalid),
        ("SELECT a, count() FROM t", Invalid),
        ("SELECT {p1:String}", Invalid),
        ("SELECT throwIf(1)", Invalid),
        ("SELECT arrayResize([0], 1000000000000)", Exhausted),
    ] {
        let error = db.query(sql, &[]).await.expect_err(sql);
        assert_eq!(error.kind, kind, "{sql}: {error:?}");
        assert!(!error.message.contains('\n') && error.message.chars().count() < 700, "{error:?}");
    }
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_late_error_is_an_error_and_shows_no_rows() {
    let db = clickhouse().await;
    let sql = "SELECT repeat('secret', 1000) AS x, throwIf(number = 90000, 'too late') AS y FROM numbers(100000)";
    let error = query(&db.source, sql, &[], WIDE).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Invalid, "{error:?}");
    assert!(error.message.contains("too late") && !error.message.contains("secretsecret"), "{error:?}");
}

#[tokio::test]
async fn a_wrong_login_and_a_dead_server_are_unavailable() {
    let db = clickhouse().await;
    let wrong = ClickHouse::remote(ClickHouseConfig { password: Some("hunter2".into()), ..db.config.clone() });
    let error = query(&wrong, "SELECT 1 AS x", &[], WIDE).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unavailable, "{error:?}");
    assert!(!format!("{error:?}").contains("hunter2"));

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let dead = ClickHouse::remote(ClickHouseConfig { url, ..db.config.clone() });
    for error in [dead.ping().await.unwrap_err(), dead.tables().await.unwrap_err()] {
        assert_eq!(error.kind, SourceErrorKind::Unavailable, "{error:?}");
        assert!(error.message.to_lowercase().contains("refused") && error.hint.is_some(), "{error:?}");
    }
}

#[tokio::test]
async fn prepare_checks_names_and_types_and_reads_nothing() {
    let db = clickhouse().await;
    db.execute(&["CREATE TABLE t (a UInt8, s String) ENGINE = MergeTree ORDER BY a"]).await;
    let prepare = async |sql: &str, binds: Vec<Bind>| {
        db.source.prepare(&Statement { sql: sql.into(), binds }).await.map_err(|error| error.kind)
    };
    assert_eq!(prepare("SELECT a FROM t WHERE s = {p1:String}", vec![Bind::Text("x".into())]).await, Ok(()));
    assert_eq!(prepare("WITH 1 AS one SELECT a + one AS b FROM t -- done", vec![]).await, Ok(()));
    assert_eq!(prepare("SELECT sleep(3) AS x, throwIf(1) AS y FROM t", vec![]).await, Ok(()));
    assert_eq!(prepare("SELECT b FROM t", vec![]).await, Err(SourceErrorKind::Missing));
    assert_eq!(prepare("SELECT a FROM u", vec![]).await, Err(SourceErrorKind::Missing));
    assert_eq!(prepare("SELECT a + s AS x FROM t", vec![]).await, Err(SourceErrorKind::Invalid));
    assert_eq!(prepare("SELECT a AS a, count() AS n FROM t", vec![]).await, Err(SourceErrorKind::Invalid));
    assert_eq!(prepare("SELECT a FROM t WHERE s = {p1:String}", vec![]).await, Err(SourceErrorKind::Invalid));
    assert_eq!(prepare("SELECT nofunction(a) AS x FROM t", vec![]).await, Err(SourceErrorKind::Invalid));
    // Where it is wrong is told of the statement as it was written, whatever was sent around it.
    let wrong = Statement { sql: "SELECT a\nFROM t\nGROPU BY a".into(), binds: vec![] };
    let said = db.source.prepare(&wrong).await.unwrap_err().message;
    assert!(said.contains("failed at position 23 (BY) (line 3, col 7)"), "{said}");
    let said = db.source.confined(&wrong).await.unwrap_err().message;
    assert!(said.contains("failed at position 23 (BY) (line 3, col 7)"), "{said}");
}

#[tokio::test]
async fn tables_are_found_once_and_again_after_a_change() {
    let db = clickhouse().await;
    assert!(db.source.tables().await.unwrap().0.is_empty());
    db.execute(&[
        "CREATE TABLE t (a UInt8, s String) ENGINE = MergeTree ORDER BY a",
        "CREATE MATERIALIZED VIEW m ENGINE = MergeTree ORDER BY a AS SELECT a FROM t",
    ])
    .await;
    let tables = db.source.tables().await.unwrap();
    assert_eq!(tables.0.keys().collect::<Vec<_>>(), ["m", "t"]);
    assert!(tables.has("t.s") && !tables.has("m.s"));
    assert!(std::sync::Arc::ptr_eq(&tables, &db.source.tables().await.unwrap()));
    let server = std::sync::Arc::new(ClickHouse::remote(db.config.clone()));
    let seen = server.tables().await.unwrap();
    db.execute(&["CREATE TABLE late (a UInt8) ENGINE = Memory"]).await;
    assert!(!server.tables().await.unwrap().has("late"), "nobody missed it");
    let again = futures::future::join_all((0..5).map(|_| server.tables_again(&seen))).await;
    assert!(again.into_iter().all(|tables| tables.unwrap().has("late")));
    let ping = db.source.ping().await.unwrap();
    assert!(ping.version.starts_with("26."), "{ping:?}");
    assert!(db.source.describe().starts_with("ClickHouse at http://127.0.0.1:"));
}
