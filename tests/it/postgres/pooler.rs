//! Behind a pooler: read-only all the same, never rows of another statement, and a cancel that reaches the right one.

use super::*;
use crate::support::pooler::{Pooler, Startup, pooler};

/// What a definition could try in order to write.
const WRITES: [&str; 6] = [
    "SELECT bump()",
    "UPDATE counter SET n = n + 1 RETURNING n",
    "SELECT nextval('numbers')",
    "SELECT set_config('transaction_read_only', 'off', true), bump()",
    "WITH off AS MATERIALIZED (SELECT set_config('transaction_read_only', 'off', false) AS v) SELECT v, bump() FROM off",
    "WITH d AS (DELETE FROM counter RETURNING n) SELECT n FROM d",
];

/// A source behind a pooler. In session mode each session holds a backend for as long as it is open, and there are four.
fn behind(pooler: &Pooler) -> Postgres {
    let mut options = PostgresOptions::new(SecretString::from(pooler.url()));
    options.max_connections = 2;
    Postgres::new(options).unwrap()
}

async fn counter() -> Database {
    let database = database().await;
    database
        .execute(
            "CREATE TABLE counter (n int); INSERT INTO counter VALUES (0); CREATE SEQUENCE numbers;
             CREATE FUNCTION bump() RETURNS int LANGUAGE plpgsql AS
             $$ DECLARE r int; BEGIN UPDATE counter SET n = n + 1 RETURNING n INTO r; RETURN r; END $$",
        )
        .await;
    database
}

#[tokio::test]
async fn nothing_writes_behind_a_pooler_that_drops_what_a_session_is_started_with() {
    let database = counter().await;
    let direct = source(&database);
    for (mode, startup) in
        [("session", Startup::Dropped), ("transaction", Startup::Dropped), ("transaction", Startup::Refused)]
    {
        let pooler = pooler(&database, mode, startup, "postgres").await;
        let source = behind(&pooler);
        for sql in WRITES {
            let expected = ask(&direct, sql).await.unwrap_err();
            assert_eq!(expected.kind, SourceErrorKind::Forbidden, "{sql}: {expected:?}");
            assert_eq!(ask(&source, sql).await.unwrap_err(), expected, "{mode} {startup:?}: {sql}");
        }
        // The same bounds, the same words.
        for sql in [
            "SELECT current_setting('transaction_read_only')",
            "SELECT current_setting('statement_timeout')",
            "SELECT current_setting('idle_in_transaction_session_timeout')",
            "SELECT current_setting('standard_conforming_strings')",
            "SELECT interval '1 day 2 hours'::text",
            "SELECT timestamptz '2026-11-20 10:00:00Z'::text",
            "SELECT (0.1::float4)::text",
        ] {
            assert_eq!(values(&source, sql).await, values(&direct, sql).await, "{mode} {startup:?}: {sql}");
        }
        source.prepare(&statement("SELECT n FROM counter WHERE n = $1", vec![Bind::Integer(1)])).await.unwrap();
        assert!(source.ping().await.unwrap().version.starts_with("PostgreSQL 1"));
        let remarks = source.remarks().await.unwrap();
        assert!(remarks[0].found.contains("behind a pooler"), "{remarks:?}");
    }
    assert_eq!(values(&direct, "SELECT n FROM counter").await, [json!(0)]);
    assert!(direct.remarks().await.unwrap()[0].found.contains("directly"));
}

#[tokio::test]
async fn a_pooler_that_knows_no_transactions_is_refused_with_the_reason() {
    let database = counter().await;
    let pooler = pooler(&database, "statement", Startup::Dropped, "postgres").await;
    let error = ask(&behind(&pooler), "SELECT 1").await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unavailable, "{error:?}");
    assert!(error.message.contains("pooler") && error.hint.unwrap().contains("pool_mode"), "{}", error.message);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_statement_behind_a_pooler_never_answers_rows_of_another() {
    let database = database().await;
    for mode in ["transaction", "session"] {
        let pooler = pooler(&database, mode, Startup::Dropped, "postgres").await;
        // Somebody else's statements under the driver's own names, left on the backends that are about to be lent.
        for n in [1, 2, 4] {
            let mut writer = Writer::connect_url(&pooler.url()).await.unwrap();
            let foreign = format!("PREPARE sqlx_s_{n} AS SELECT 'foreign' AS who, ''::text AS s");
            writer.execute_script(&foreign).await.unwrap();
            writer.close().await;
        }
        // Two servers, whose names are the same.
        let servers: Vec<Postgres> = (0..2)
            .map(|_| {
                let mut options = PostgresOptions::new(SecretString::from(pooler.url()));
                // In session mode each holds its backend for as long as it is open.
                options.max_connections = if mode == "session" { 2 } else { 32 };
                Postgres::new(options).unwrap()
            })
            .collect();
        let calls = (0..400).map(|n| {
            let (server, own) = (&servers[n % 2], format!("who_{}", (n * 7) % 8));
            async move {
                let sql = format!("SELECT '{own}' AS who, pg_sleep(0.005)::text AS s");
                let rows = ask(server, &sql).await.unwrap_or_else(|error| panic!("{mode}: {own}: {error}"));
                assert_eq!(rows.rows[0][0], json!(own), "{mode}");
            }
        });
        futures::future::join_all(calls).await;
        for server in servers {
            server.close().await;
        }
    }
}

#[tokio::test]
async fn callers_behind_a_pooler_leave_nothing_prepared() {
    let database = database().await;
    database.execute("CREATE TABLE roles (id int, name text); INSERT INTO roles VALUES (1, 'x')").await;
    let pooler = pooler(&database, "transaction", Startup::Dropped, "postgres").await;
    let source = behind(&pooler);
    let cancel = CancellationToken::new();
    let author = Author::Caller { organization_id: "00000000-0000-0000-0000-000000000001" };
    for n in 0..20 {
        let asked = statement(&format!("SELECT name, {n} AS n FROM roles WHERE id = $1"), vec![Bind::Integer(1)]);
        let query = Query { statement: &asked, limits: LIMITS, author, cancel: &cancel, id: None };
        assert_eq!(source.query(query).await.unwrap().rows, [[json!("x"), json!(n)]]);
    }
    source.close().await;
    let mut names = Vec::new();
    let observer = behind(&pooler);
    for _ in 0..4 {
        let sql = "SELECT count(*)::int4 FROM pg_prepared_statements WHERE statement LIKE '%roles%' \
                   AND statement NOT LIKE '%pg_prepared_statements%'";
        names.extend(values(&observer, sql).await);
    }
    assert_eq!(names, [json!(0), json!(0), json!(0), json!(0)]);
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_cancel_behind_a_pooler_ends_the_right_statement() {
    let database = database().await;
    let observer = source(&database);
    for mode in ["transaction", "session"] {
        let pooler = pooler(&database, mode, Startup::Dropped, "postgres").await;
        let source = behind(&pooler);
        let cancel = CancellationToken::new();
        let sleep = statement("SELECT pg_sleep(600) AS pooled_sleeper", Vec::new());
        let query = Query { statement: &sleep, limits: LIMITS, author: Author::UNBOUND, cancel: &cancel, id: None };
        let (cancelled, other, ()) =
            tokio::join!(source.query(query), ask(&source, "SELECT pg_sleep(2)::text AS other_sleeper"), async {
                assert_running(&observer, "sleeper", 2).await;
                cancel.cancel();
            });
        assert_eq!(cancelled.unwrap_err().kind, SourceErrorKind::Cancelled, "{mode}");
        assert!(other.is_ok(), "{mode}: {other:?}");
        assert_running(&observer, "pooled_sleeper", 0).await;
        let limits = Limits { timeout: Duration::from_millis(300), ..LIMITS };
        let error = ask_with(&source, &sleep.sql, Vec::new(), limits).await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::Timeout, "{mode}: {error:?}");
        assert_running(&observer, "pooled_sleeper", 0).await;
    }
}
