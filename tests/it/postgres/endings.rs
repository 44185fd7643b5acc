//! How statements and sessions end: at the deadline, cancelled, forgotten, and when the source is closed.

use super::*;

#[tokio::test]
async fn a_statement_ends_in_the_server_at_the_deadline_on_cancel_and_when_nobody_waits() {
    let database = database().await;
    let (source, observer) = (source(&database), source(&database));
    let sleep = statement("SELECT pg_sleep(600) AS sleeper", Vec::new());

    let limits = Limits { timeout: Duration::from_millis(200), ..LIMITS };
    let error = ask_with(&source, &sleep.sql, Vec::new(), limits).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Timeout, "{error:?}");
    assert_running(&observer, "sleeper", 0).await;

    let cancel = CancellationToken::new();
    let query = Query { statement: &sleep, limits: LIMITS, author: Author::UNBOUND, cancel: &cancel, id: None };
    let (result, ()) = tokio::join!(source.query(query), async {
        assert_running(&observer, "sleeper", 1).await;
        cancel.cancel();
    });
    assert_eq!(result.unwrap_err().kind, SourceErrorKind::Cancelled);
    assert_running(&observer, "sleeper", 0).await;

    {
        let mut abandoned = std::pin::pin!(ask(&source, &sleep.sql));
        tokio::select! {
            _ = &mut abandoned => panic!("slept"),
            () = assert_running(&observer, "sleeper", 1) => {}
        }
    }
    assert_running(&observer, "sleeper", 0).await;

    // A cancel that comes before the statement stops it from running at all.
    let query = Query { statement: &sleep, limits: LIMITS, author: Author::UNBOUND, cancel: &cancel, id: None };
    assert_eq!(source.query(query).await.unwrap_err().kind, SourceErrorKind::Cancelled);

    // None of this hurts the statements that follow.
    for n in 0..50 {
        assert_eq!(values(&source, &format!("SELECT {n} AS n")).await, [json!(n)]);
    }
}

#[tokio::test]
async fn a_callers_statement_ends_in_the_server_too() {
    let database = database().await;
    database.execute("CREATE TABLE roles (id int, name text); INSERT INTO roles VALUES (1, 'x')").await;
    let (source, observer) = (source(&database), source(&database));
    let endless = statement("SELECT count(*) AS callers_count FROM generate_series(1, 100000000000) AS i", Vec::new());
    let cancel = CancellationToken::new();
    let limits = Limits { timeout: Duration::from_millis(300), ..LIMITS };
    let author = Author::Caller { organization_id: "00000000-0000-0000-0000-000000000001" };
    let error =
        source.query(Query { statement: &endless, limits, author, cancel: &cancel, id: None }).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Timeout, "{error:?}");
    assert_running(&observer, "callers_count", 0).await;
}

#[tokio::test]
async fn the_server_ends_a_statement_even_if_we_cannot() {
    let database = database().await;
    let source = source(&database);
    let shown = |timeout| {
        let source = &source;
        async move {
            let limits = Limits { timeout: Duration::from_secs(timeout), ..LIMITS };
            let rows = ask_with(source, "SELECT current_setting('statement_timeout') AS t", Vec::new(), limits).await;
            rows.unwrap().rows[0][0].clone()
        }
    };
    assert_eq!(shown(10).await, json!("15s"));
    assert_eq!(shown(1).await, json!("5s"));
    assert_eq!(shown(50).await, json!("1min"));
    assert_eq!(shown(10).await, json!("15s"));
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_statements_run_at_once() {
    let database = database().await;
    let source = source(&database);
    let observer = self::source(&database);
    let statements = (0..32).map(|_| ask(&source, "SELECT pg_sleep(600) AS all_at_once"));
    tokio::select! {
        ended = futures::future::join_all(statements) => panic!("{ended:?}"),
        () = assert_running(&observer, "all_at_once", 32) => {}
    }
    assert_running(&observer, "all_at_once", 0).await;
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_deadline_that_passes_while_all_sessions_are_in_use_says_so() {
    let database = database().await;
    let mut options = PostgresOptions::new(SecretString::from(database.url.clone()));
    options.max_connections = 1;
    let source = Postgres::new(options).unwrap();
    let short = Limits { timeout: Duration::from_millis(300), ..LIMITS };
    let (_, waiting) = tokio::join!(
        ask_with(&source, "SELECT pg_sleep(2)", Vec::new(), LIMITS),
        ask_with(&source, "SELECT 1", Vec::new(), short)
    );
    let error = waiting.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Timeout);
    assert!(error.hint.unwrap().contains("1 sessions"));
}

#[tokio::test]
async fn close_ends_all_sessions() {
    let database = database().await;
    let (source, observer) = (source(&database), source(&database));
    futures::future::join_all((0..5).map(|_| ask(&source, "SELECT pg_sleep(0.05)"))).await;
    source.close().await;
    assert_eq!(ask(&source, "SELECT 1").await.unwrap_err().kind, SourceErrorKind::Unavailable);
    let sql = format!(
        "SELECT count(*)::int4 FROM pg_stat_activity WHERE datname = '{}' AND pid <> pg_backend_pid()",
        database.name
    );
    eventually("no sessions", || async { values(&observer, &sql).await == [json!(0)] }).await;
}
