//! PostgreSQL as a source, against a real server.

mod confined;
mod endings;
pub mod guard;
mod migrate;
mod pooler;
mod typed;
mod values;

use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use tfo_mcp::{
    source::{
        Author, ColumnType, Limits, Query, Rows, Source, SourceError, SourceErrorKind, Truncation,
        postgres::{Postgres, PostgresOptions, Writer},
    },
    sql::{Bind, Statement},
};
use tokio_util::sync::CancellationToken;

use crate::support::eventually::eventually;
use crate::support::postgres::{Database, database};

const LIMITS: Limits = Limits { timeout: Duration::from_secs(20), max_rows: 10_000, max_bytes: 64 << 20 };

fn source(database: &Database) -> Postgres {
    connect(&database.url)
}

fn connect(url: &str) -> Postgres {
    Postgres::new(PostgresOptions::new(SecretString::from(url.to_owned()))).unwrap()
}

fn statement(sql: &str, binds: Vec<Bind>) -> Statement {
    Statement { sql: sql.to_owned(), binds }
}

async fn ask_with(source: &Postgres, sql: &str, binds: Vec<Bind>, limits: Limits) -> Result<Rows, SourceError> {
    let cancel = CancellationToken::new();
    let statement = statement(sql, binds);
    source.query(Query { statement: &statement, limits, author: Author::UNBOUND, cancel: &cancel, id: None }).await
}

async fn ask(source: &Postgres, sql: &str) -> Result<Rows, SourceError> {
    ask_with(source, sql, Vec::new(), LIMITS).await
}

/// The values of the only column.
async fn values(source: &Postgres, sql: &str) -> Vec<Value> {
    let rows = ask(source, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    rows.rows.into_iter().map(|mut row| row.remove(0)).collect()
}

/// Waits until the number of statements with `mark` that the server works on is `count`.
async fn assert_running(observer: &Postgres, mark: &str, count: usize) {
    let sql = format!(
        "SELECT count(*)::int4 FROM pg_stat_activity \
         WHERE state = 'active' AND query LIKE '%{mark}%' AND pid <> pg_backend_pid()"
    );
    eventually(format!("{count} statements with {mark}"), async || values(observer, &sql).await == [json!(count)])
        .await;
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn rows_and_bytes_are_capped_and_the_rest_is_not_computed() {
    let database = database().await;
    let (source, observer) = (source(&database), source(&database));
    let capped = |max_rows, max_bytes| Limits { max_rows, max_bytes, ..LIMITS };
    for (limits, count, truncated) in [
        (capped(100, usize::MAX), 100, None),
        (capped(99, usize::MAX), 99, Some(Truncation::Rows)),
        (capped(0, usize::MAX), 0, Some(Truncation::Rows)),
        (capped(1_000, 1_030), 10, Some(Truncation::Bytes)),
    ] {
        let sql = "SELECT repeat('x', 100) AS s FROM generate_series(1, 100)";
        let rows = ask_with(&source, sql, Vec::new(), limits).await.unwrap();
        assert_eq!((rows.rows.len(), rows.truncated), (count, truncated), "{limits:?}");
        assert_eq!(rows.columns.len(), 1);
    }
    let none = ask(&source, "SELECT 1 AS a, 'x' AS b WHERE false").await.unwrap();
    assert_eq!(none.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!((none.rows.len(), none.truncated), (0, None));

    // A function in the list of columns sends its rows as they come; in FROM they would be collected first.
    let endless = "SELECT generate_series(1, 100000000000) AS endless_rows";
    for _ in 0..10 {
        let rows = ask_with(&source, endless, Vec::new(), capped(10, usize::MAX)).await.unwrap();
        assert_eq!((rows.rows.len(), rows.truncated), (10, Some(Truncation::Rows)));
    }
    assert_running(&observer, "endless_rows", 0).await;
}

#[tokio::test]
async fn definitions_cannot_write() {
    let database = database().await;
    database.execute("CREATE TABLE t (n int); INSERT INTO t VALUES (1)").await;
    let source = source(&database);
    for sql in [
        "INSERT INTO t VALUES (2)",
        "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d",
        "CREATE TABLE u (n int)",
        "DROP TABLE t",
        "SELECT n FROM t FOR UPDATE",
    ] {
        let error = ask(&source, sql).await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::Forbidden, "{sql}: {error:?}");
    }
    // The protocol that we speak takes one statement.
    assert_eq!(ask(&source, "SELECT 1; SELECT 2").await.unwrap_err().kind, SourceErrorKind::Invalid);
    assert_eq!(values(&source, "SELECT n FROM t").await, [json!(1)]);
}

#[tokio::test]
async fn what_a_definition_sets_locks_or_makes_is_gone_before_the_next_statement() {
    let database = database().await;
    let made = "CREATE SCHEMA evil; CREATE TABLE evil.counted (n int); CREATE TABLE counted (n int);
        INSERT INTO counted VALUES (1), (2);
        CREATE FUNCTION writer() RETURNS int LANGUAGE sql AS 'INSERT INTO counted VALUES (3) RETURNING n';
        CREATE FUNCTION opener() RETURNS text LANGUAGE sql AS
            $$SELECT set_config('default_transaction_read_only', 'off', false)$$";
    database.execute(made).await;
    let source = source(&database);
    for sets in [
        "SELECT set_config('default_transaction_read_only', 'off', false)",
        "SELECT opener()",
        "SELECT set_config('search_path', 'evil', false)",
        "SELECT set_config('statement_timeout', '0', false)",
        "SELECT pg_advisory_lock(77)::text",
        "SELECT lo_create(0)",
        "SELECT lo_from_bytea(0, 'abc')",
    ] {
        // From PostgreSQL 16 on large objects are refused.
        let said = ask(&source, sets).await;
        assert!(said.is_ok() || sets.contains("lo_"), "{sets}: {said:?}");
        for writes in [
            "SELECT writer()",
            "EXPLAIN ANALYZE DELETE FROM counted",
            "SELECT set_config('transaction_read_only', 'off', true), writer()",
            "WITH w AS (SELECT set_config('transaction_read_only', 'off', false)) SELECT writer() FROM w",
        ] {
            assert!(ask(&source, writes).await.is_err(), "{sets}; {writes}");
        }
        let state = "SELECT (SELECT count(*) FROM counted), current_setting('default_transaction_read_only'),
            current_setting('statement_timeout') <> '0',
            (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 77),
            (SELECT count(*) FROM pg_largeobject_metadata)";
        let kept = ask(&source, state).await.unwrap().rows;
        assert_eq!(json!(kept), json!([[2, "on", true, 0, 0]]), "{sets}");
    }
}

#[tokio::test]
async fn a_statement_that_another_has_prepared_answers_for_nobody() {
    let database = database().await;
    let made = "CREATE FUNCTION poison() RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DEALLOCATE ALL';
            FOR i IN 1..40 LOOP EXECUTE 'PREPARE sqlx_s_' || i || ' AS SELECT 666 AS v, ''evil''::text AS n'; END LOOP;
            RETURN 1; END $$;
        CREATE FUNCTION forget() RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DEALLOCATE ALL'; RETURN 1; END $$";
    database.execute(made).await;
    let source = source(&database);
    let (one, two) = ("SELECT 1::int AS v, 'one'::text AS n", "SELECT 2::int AS v, 'two'::text AS n");
    for poison in ["SELECT poison()", "SELECT forget()"] {
        for _ in 0..3 {
            assert_eq!(ask(&source, one).await.unwrap().rows, [[json!(1), json!("one")]]);
            assert_eq!(values(&source, poison).await, [json!(1)]);
            assert_eq!(ask(&source, one).await.unwrap().rows, [[json!(1), json!("one")]]);
            assert_eq!(ask(&source, two).await.unwrap().rows, [[json!(2), json!("two")]]);
        }
    }
}

#[tokio::test]
async fn errors_keep_their_kind_and_secrets_their_silence() {
    let database = database().await;
    database
        .execute(
            "CREATE TABLE t (n int); CREATE TABLE closed (n int);
             DROP ROLE IF EXISTS locked; CREATE ROLE locked LOGIN PASSWORD 'correct-horse'; GRANT SELECT ON t TO locked",
        )
        .await;
    let open = source(&database);
    for (sql, kind) in [
        ("SELECT * FROM nowhere", SourceErrorKind::Missing),
        ("SELECT nothing FROM t", SourceErrorKind::Missing),
        ("SELECT FROM WHERE", SourceErrorKind::Invalid),
        ("SELECT nofunction(1)", SourceErrorKind::Invalid),
        ("SELECT 1 / 0", SourceErrorKind::Invalid),
        ("SELECT 'x'::int", SourceErrorKind::Invalid),
        ("SELECT repeat('x', 2000000000)", SourceErrorKind::Exhausted),
    ] {
        let error = ask(&open, sql).await.unwrap_err();
        assert_eq!(error.kind, kind, "{sql}: {error:?}");
        assert!(!error.message.contains('\n'));
    }
    let locked = connect(&database.url_for("locked", "correct-horse"));
    assert_eq!(ask(&locked, "SELECT * FROM t").await.unwrap().rows.len(), 0);
    let error = ask(&locked, "SELECT * FROM closed").await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Forbidden, "{error:?}");
    assert!(!locked.tables().await.unwrap().has("closed"), "a table that cannot be read is no table");

    let wrong = connect(&database.url_for("locked", "wrong-battery"));
    let nowhere = connect("postgres://locked:wrong-battery@127.0.0.1:1/x");
    let absent = connect(&database.url_for("locked", "correct-horse").replace(&database.name, "no_such_database"));
    for source in [wrong, nowhere, absent] {
        for error in [source.ping().await.unwrap_err(), ask(&source, "SELECT 1").await.unwrap_err()] {
            assert_eq!(error.kind, SourceErrorKind::Unavailable, "{error:?}");
            let shown = format!("{error:?} {error} {}", source.describe());
            assert!(!shown.contains("battery") && !shown.contains("horse"), "{shown}");
            assert!(error.hint.is_some(), "{error:?}");
        }
    }
    let options = PostgresOptions::new(SecretString::from("postgres://u:battery@h/d".to_owned()));
    assert!(!format!("{options:?}").contains("battery"));
}

#[tokio::test]
async fn lost_and_outdated_sessions_are_replaced_without_a_word() {
    let database = database().await;
    database.execute("CREATE TABLE t (n int); INSERT INTO t VALUES (1)").await;
    let source = source(&database);
    assert_eq!(values(&source, "SELECT * FROM t").await, [json!(1)]);
    database
        .execute(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = '{}' AND application_name = 'tfo-mcp' AND pid <> pg_backend_pid()",
            database.name
        ))
        .await;
    assert_eq!(values(&source, "SELECT * FROM t").await, [json!(1)]);
    database.execute("DROP TABLE t; CREATE TABLE t (s text, n int); INSERT INTO t VALUES ('x', 2)").await;
    let rows = ask(&source, "SELECT * FROM t").await.unwrap();
    assert_eq!(rows.rows, [[json!("x"), json!(2)]]);
}

#[tokio::test]
async fn tables_are_those_of_the_search_path_and_learned_anew_when_one_is_missing() {
    let database = database().await;
    database
        .execute(
            "CREATE SCHEMA other; CREATE TABLE other.hidden (n int);
             CREATE TABLE t (n int, \"camelCase\" text); CREATE VIEW v AS SELECT n FROM t;
             CREATE MATERIALIZED VIEW m AS SELECT n FROM t; ALTER TABLE t ADD COLUMN gone int; ALTER TABLE t DROP COLUMN gone",
        )
        .await;
    let source = source(&database);
    let tables = source.tables().await.unwrap();
    assert_eq!(tables.0.keys().collect::<Vec<_>>(), ["m", "t", "v"]);
    assert!(tables.has("t.camelCase") && tables.has("v.n") && !tables.has("t.gone") && !tables.has("hidden"));
    database.execute("CREATE TABLE late (n int)").await;
    assert!(!source.tables().await.unwrap().has("late"));
    assert_eq!(ask(&source, "SELECT * FROM nowhere").await.unwrap_err().kind, SourceErrorKind::Missing);
    assert!(source.tables().await.unwrap().has("late"));
}

#[tokio::test]
async fn a_table_that_is_made_later_is_found_when_it_is_missed() {
    let database = database().await;
    database.execute("CREATE TABLE t (id int, organization_id uuid)").await;
    let source = source(&database);
    let seen = source.tables().await.unwrap();
    database.execute("CREATE TABLE late (id int, organization_id uuid)").await;
    assert!(std::sync::Arc::ptr_eq(&seen, &source.tables().await.unwrap()), "nobody missed it");
    let again = futures::future::join_all((0..5).map(|_| source.tables_again(&seen))).await;
    for tables in again {
        assert!(tables.unwrap().has("late"));
    }
    // The database is not asked all the time for what is not there.
    database.execute("CREATE TABLE later (id int, organization_id uuid)").await;
    let seen = source.tables().await.unwrap();
    assert!(!source.tables_again(&seen).await.unwrap().has("later"));

    let fresh = connect(&database.url);
    fresh.tables().await.unwrap();
    database.execute("CREATE TABLE latest (id int, organization_id uuid)").await;
    let author = Author::Caller { organization_id: "00000000-0000-4000-8000-000000000001" };
    let (cancel, statement) = (CancellationToken::new(), statement("SELECT id FROM latest", Vec::new()));
    let answer = fresh.query(Query { statement: &statement, limits: LIMITS, author, cancel: &cancel, id: None }).await;
    assert!(answer.unwrap().rows.is_empty());
}

async fn asked_by_a_caller(source: &Postgres, sql: &str) -> Result<Rows, SourceError> {
    let author = Author::Caller { organization_id: "00000000-0000-4000-8000-000000000001" };
    let (cancel, statement) = (CancellationToken::new(), statement(sql, Vec::new()));
    source.query(Query { statement: &statement, limits: LIMITS, author, cancel: &cancel, id: None }).await
}

/// The list of columns that was written into the statement named one that was gone.
#[tokio::test]
async fn a_table_that_was_changed_is_looked_at_again() {
    let database = database().await;
    database.execute("CREATE TABLE t (id int, organization_id uuid)").await;
    let source = source(&database);
    assert_eq!(asked_by_a_caller(&source, "SELECT * FROM t").await.unwrap().columns.len(), 2);
    database.execute("ALTER TABLE t RENAME id TO number").await;
    let rows = asked_by_a_caller(&source, "SELECT * FROM t").await.unwrap();
    assert_eq!(
        rows.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(),
        ["number", "organization_id"]
    );
    let gone = asked_by_a_caller(&source, "SELECT id FROM t").await.unwrap_err();
    assert_eq!(gone.kind, SourceErrorKind::Missing, "{gone:?}");
}

/// What is there and was not granted was told as what is not there.
#[tokio::test]
async fn a_table_that_the_role_may_not_read_is_not_called_absent() {
    let database = database().await;
    let role = format!("ro_{}", database.name);
    database
        .execute(&format!(
            "CREATE ROLE {role} LOGIN PASSWORD 'none'; CREATE TABLE t (id int, organization_id uuid);
             CREATE TABLE open (id int, organization_id uuid); GRANT SELECT ON open TO {role};
             CREATE TABLE auth_tokens (id int); CREATE SCHEMA apart; CREATE TABLE apart.far (id int, organization_id uuid)"
        ))
        .await;
    let source = connect(&database.url_for(&role, "none"));
    let tables = source.tables().await.unwrap();
    assert!(tables.has("open") && !tables.has("t"));
    assert_eq!(tables.1.iter().collect::<Vec<_>>(), ["auth_tokens", "far", "t"]);
    for (sql, said) in [
        ("SELECT id FROM t", "the table `t` is there, but the account of this server may not read it"),
        ("SELECT id FROM apart.far", "the table `far` is there"),
        ("SELECT id FROM auth_tokens", "there is no table `auth_tokens`"),
        ("SELECT id FROM nowhere", "there is no table `nowhere`"),
    ] {
        let refused = asked_by_a_caller(&source, sql).await.unwrap_err();
        assert!(refused.message.contains(said), "{sql}: {refused:?}");
    }
    database.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn a_refusal_of_the_server_says_what_helps_against_it() {
    let database = database().await;
    let absent = connect(&database.url.replace(&database.name, "no_such_database")).ping().await.unwrap_err();
    assert_eq!(absent.hint.as_deref(), Some("check the name of the database in its URL"), "{absent:?}");
    let locked = connect(&database.url_for("locked", "wrong")).ping().await.unwrap_err();
    assert!(locked.hint.as_deref().unwrap().contains("the user and the password of its URL"), "{locked:?}");
    let other = connect("postgres://u@127.0.0.1:1/d").ping().await.unwrap_err();
    assert!(other.hint.as_deref().unwrap().contains("its URL names its host and port"), "{other:?}");
}

#[tokio::test]
async fn prepare_plans_without_running() {
    let database = database().await;
    let source = source(&database);
    let sleep = statement("SELECT pg_sleep($1) AS s", vec![Bind::Float(600.0)]);
    source.prepare(&sleep).await.unwrap();
    for (sql, kind) in [
        ("SELECT * FROM nowhere", SourceErrorKind::Missing),
        ("SELECT 1; SELECT 2", SourceErrorKind::Invalid),
        ("SELECT $1::int", SourceErrorKind::Invalid),
    ] {
        assert_eq!(source.prepare(&statement(sql, Vec::new())).await.unwrap_err().kind, kind, "{sql}");
    }
    let ping = source.ping().await.unwrap();
    assert!(ping.version.starts_with("PostgreSQL "), "{ping:?}");
    let described = source.describe();
    assert!(described.contains("127.0.0.1") && described.contains(&database.name), "{described}");
}

#[tokio::test]
async fn a_load_is_stored_whole_or_not_at_all() {
    let database = database().await;
    database.execute("CREATE TABLE t (n int NOT NULL)").await;
    let mut writer = database.writer().await;
    let rows = (0..100_000).map(|n| vec![if n == 99_999 { Bind::Null } else { Bind::Integer(n) }]);
    let error = writer.copy_in("t", &["n"], rows).await.unwrap_err();
    assert!(error.message.contains("23502"), "{error:?}");
    assert!(writer.copy_in("t", &["n"], vec![vec![Bind::Integer(1); 2]]).await.is_err());
    assert_eq!(writer.copy_in("t", &["n"], (0..100_000).map(|n| vec![Bind::Integer(n)])).await.unwrap(), 100_000);
    assert_eq!(values(&source(&database), "SELECT count(*)::int4 FROM t").await, [json!(100_000)]);
}
