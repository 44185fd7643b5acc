//! Callers' own SQL on PostgreSQL and SQLite: two organisations with the platform's real tables, every text of
//! the other one and every secret marked, and attempts to see a mark.

mod attacks;
mod equal;

use std::time::Duration;

use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};
use secrecy::SecretString;
use serde_json::{Value, json};
use tfo_mcp::{
    demo::schema,
    source::{
        Author, Limits, Query, Rows, Source, SourceError, SourceErrorKind,
        postgres::{Postgres, PostgresOptions},
        sqlite::{self, Sqlite},
    },
    sql::{Bind, Statement},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::postgres::{Database, database};

const LIMITS: Limits = Limits { timeout: Duration::from_secs(20), max_rows: 1_000, max_bytes: 1 << 20 };

/// In every text of the other organisation.
const OTHER: &str = "canary-other";
/// In every secret, whosever it is.
const SECRET: &str = "canary-secret";
/// In every text that the asking organisation may see.
const OWN: &str = "own-text";

fn organization(own: bool) -> Uuid {
    Uuid::from_u128(if own { 0xa0 } else { 0xb0 })
}

pub struct Both {
    pub postgres: Postgres,
    database: Database,
    sqlite: Sqlite,
    _folder: tempfile::TempDir,
}

type Table = (&'static str, Vec<&'static str>, Vec<Vec<Bind>>);

/// Rows of both organisations, and of nobody.
fn rows() -> Vec<Table> {
    let text = |own: bool, what: &str| Bind::Text(format!("{}-{what}", if own { OWN } else { OTHER }));
    let secret = || Bind::Text(SECRET.to_owned());
    let secret_json = || Bind::Text(json!({ "password": SECRET }).to_string());
    let id = |own: bool, kind: u128| Bind::Uuid(Uuid::from_u128(kind * 0x100 + u128::from(own)));
    let org = |own: bool| Bind::Uuid(organization(own));
    let both = [true, false];
    let each = |row: &dyn Fn(bool) -> Vec<Bind>| both.iter().map(|own| row(*own)).collect::<Vec<_>>();
    let mut users =
        each(&|own| vec![id(own, 5), text(own, "email"), secret(), secret(), secret(), text(own, "name"), org(own)]);
    // A platform administrator belongs to no organisation.
    users.push(vec![
        Bind::Uuid(Uuid::from_u128(0x5ff)),
        text(false, "admin"),
        secret(),
        secret(),
        secret(),
        text(false, "admin"),
        Bind::Null,
    ]);
    let mut policies =
        each(&|own| vec![id(own, 9), text(own, "policy"), Bind::Text("logs".into()), Bind::Integer(7), org(own)]);
    policies.push(vec![
        Bind::Uuid(Uuid::from_u128(0x9ff)),
        Bind::Text(format!("{OWN}-default")),
        Bind::Text("traces".into()),
        Bind::Integer(30),
        Bind::Null,
    ]);
    vec![
        ("regions", vec!["id", "code", "name"], each(&|own| vec![id(own, 1), text(own, "code"), text(own, "region")])),
        (
            "organizations",
            vec!["organization_id", "name", "code", "region_id"],
            each(&|own| vec![org(own), text(own, "org"), text(own, "code"), id(own, 1)]),
        ),
        (
            "workspaces",
            vec!["workspace_id", "name", "code", "organization_id", "datasource_config"],
            each(&|own| vec![id(own, 2), text(own, "workspace"), text(own, "code"), org(own), secret_json()]),
        ),
        (
            "tenants",
            vec!["tenant_id", "name", "code", "workspace_id"],
            each(&|own| vec![id(own, 3), text(own, "tenant"), text(own, "code"), id(own, 2)]),
        ),
        (
            "users",
            vec!["id", "email", "password", "mfa_secret", "passwordHistory", "firstName", "organization_id"],
            users,
        ),
        ("roles", vec!["id", "name"], vec![vec![id(true, 6), Bind::Text(format!("{OWN}-role"))]]),
        ("user_roles", vec!["id", "user_id", "role_id"], each(&|own| vec![id(own, 7), id(own, 5), id(true, 6)])),
        (
            "alert_rules",
            vec!["id", "organization_id", "name", "severity", "labels"],
            each(&|own| {
                let labels = json!({ "team": if own { OWN } else { OTHER } }).to_string();
                vec![id(own, 8), org(own), text(own, "rule"), Bind::Text("critical".into()), Bind::Text(labels)]
            }),
        ),
        ("retention_policies", vec!["id", "name", "data_type", "retention_days", "organization_id"], policies),
        (
            "notification_channels",
            vec!["id", "organization_id", "name", "type", "config"],
            each(&|own| vec![id(own, 10), org(own), text(own, "channel"), Bind::Text("slack".into()), secret_json()]),
        ),
        (
            "api_keys",
            vec!["id", "organization_id", "name", "api_key_secret", "encrypt_key", "key_hint"],
            each(&|own| vec![id(own, 11), org(own), text(own, "key"), secret(), secret(), text(own, "hint")]),
        ),
        (
            "llm_providers",
            vec!["id", "organization_id", "name", "provider_type", "encrypted_api_key"],
            each(&|own| vec![id(own, 12), org(own), text(own, "llm"), Bind::Text("openai".into()), secret()]),
        ),
    ]
}

impl Both {
    pub async fn new() -> Self {
        let database = database().await;
        database.execute(schema::POSTGRES).await;
        let mut writer = database.writer().await;
        for (table, columns, rows) in rows() {
            writer.copy_in(table, &columns, rows).await.unwrap();
        }
        writer.close().await;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("platform.sqlite");
        let mut writer = sqlite::Writer::open(&path).await.unwrap();
        writer.execute_script(schema::SQLITE).await.unwrap();
        for (table, columns, rows) in rows() {
            writer.copy_in(table, &columns, rows).await.unwrap();
        }
        writer.close().await.unwrap();

        let options = PostgresOptions::new(SecretString::from(database.url.clone()));
        Self { postgres: Postgres::new(options).unwrap(), database, sqlite: Sqlite::new(path), _folder: folder }
    }

    fn sources(&self) -> [(&'static str, &dyn Source); 2] {
        [("PostgreSQL", &self.postgres), ("SQLite", &self.sqlite)]
    }
}

pub async fn ask(source: &dyn Source, sql: &str, binds: Vec<Bind>) -> Result<Rows, SourceError> {
    let organization_id = organization(true).to_string();
    let statement = Statement { sql: sql.to_owned(), binds };
    let cancel = CancellationToken::new();
    let author = Author::Caller { organization_id: &organization_id };
    source.query(Query { statement: &statement, limits: LIMITS, author, cancel: &cancel, id: None }).await
}

/// All that a caller gets to see of an answer.
pub fn seen(answer: &Result<Rows, SourceError>) -> String {
    match answer {
        Ok(rows) => format!("{:?} {}", rows.columns, json!(rows.rows)),
        Err(error) => format!("{} {:?}", error.message, error.hint),
    }
}

pub fn assert_no_mark(answer: &Result<Rows, SourceError>, place: &str, sql: &str) {
    let seen = seen(answer);
    assert!(!seen.contains(OTHER), "{place} shows another organisation: {sql}\n{seen}");
    assert!(!seen.contains(SECRET), "{place} shows a secret: {sql}\n{seen}");
}

const TABLES: &[&str] = &[
    "regions",
    "organizations",
    "workspaces",
    "tenants",
    "users",
    "roles",
    "user_roles",
    "alert_rules",
    "retention_policies",
    "notification_channels",
    "api_keys",
    "llm_providers",
];

#[tokio::test]
async fn every_table_shows_the_organisations_own_rows_without_secrets() {
    let both = Both::new().await;
    for table in TABLES {
        let sql = format!("SELECT * FROM {table}");
        for (place, source) in both.sources() {
            let answer = ask(source, &sql, Vec::new()).await;
            assert_no_mark(&answer, place, &sql);
            let count = answer.unwrap_or_else(|error| panic!("{place}: {sql}: {error:?}")).rows.len();
            let expected = if *table == "retention_policies" { 2 } else { 1 };
            assert_eq!(count, expected, "{place}: {sql}");
        }
    }
}

#[tokio::test]
async fn useful_statements_work_and_values_stay_bound() {
    let both = Both::new().await;
    let text = |text: &str| Bind::Text(text.to_owned());
    for (place, source) in both.sources() {
        let mark = if place == "SQLite" { '?' } else { '$' };
        let sql = format!(
            "WITH mine AS (SELECT u.id, u.email FROM users u WHERE u.email LIKE {mark}1) \
             SELECT m.email, r.name AS role, {mark}2 || '!' AS said, count(*) OVER () AS n \
             FROM mine m JOIN user_roles ur ON ur.user_id = m.id JOIN roles r ON r.id = ur.role_id \
             WHERE EXISTS (SELECT 1 FROM alert_rules a WHERE a.severity = {mark}3) ORDER BY 1; -- done"
        );
        let binds = vec![text("own%"), text("hi"), text("critical")];
        let rows = ask(source, &sql, binds).await.unwrap_or_else(|error| panic!("{place}: {error:?}"));
        assert_eq!(rows.rows, [[json!("own-text-email"), json!("own-text-role"), json!("hi!"), json!(1)]], "{place}");
        let union = "SELECT email AS who FROM users UNION ALL SELECT name FROM alert_rules ORDER BY who";
        let rows = ask(source, union, Vec::new()).await.unwrap();
        assert_eq!(rows.rows, [[json!("own-text-email")], [json!("own-text-rule")]], "{place}");
        let own = ask(source, "SELECT \"firstName\", organization_id FROM users", Vec::new()).await.unwrap();
        assert_eq!(own.rows, [[json!("own-text-name"), json!(organization(true).to_string())]], "{place}");
    }
}

/// Models write the schema by habit. It is read where it names the place of a table on offer, and changes nothing of
/// what may be seen of that.
#[tokio::test]
async fn a_table_on_offer_may_be_named_with_its_schema() {
    let both = Both::new().await;
    for (schema, (place, source)) in ["public", "main"].into_iter().zip(both.sources()) {
        for table in TABLES {
            let (with, without) = (format!("SELECT * FROM {schema}.{table}"), format!("SELECT * FROM {table}"));
            let answer = ask(source, &with, Vec::new()).await;
            assert_no_mark(&answer, place, &with);
            let plain = ask(source, &without, Vec::new()).await.unwrap();
            let answer = answer.unwrap_or_else(|error| panic!("{place}: {with}: {error:?}"));
            assert_eq!((answer.columns, answer.rows), (plain.columns, plain.rows), "{place}: {with}");
        }
        for (with, without) in [
            ("SELECT {s}.users.email FROM {s}.users", "SELECT users.email FROM users"),
            ("SELECT {s}.users.email FROM users", "SELECT users.email FROM users"),
            ("SELECT users.email FROM {s}.users", "SELECT users.email FROM users"),
            ("SELECT {s}.users.* FROM {s}.users", "SELECT users.* FROM users"),
            ("SELECT \"{s}\".\"users\".\"email\" FROM \"{s}\".\"users\"", "SELECT email FROM users"),
            ("SELECT u.email FROM {s}.users AS u JOIN {s}.users AS v ON u.id = v.id", "SELECT email FROM users"),
            (
                "SELECT (SELECT max(email) FROM {s}.users WHERE {s}.users.id = o.id) AS m FROM users AS o",
                "SELECT email AS m FROM users",
            ),
            ("WITH w AS (SELECT email FROM {s}.users) SELECT email FROM w", "SELECT email FROM users"),
        ] {
            let with = with.replace("{s}", schema);
            let answer = ask(source, &with, Vec::new()).await;
            assert_no_mark(&answer, place, &with);
            let answer = answer.unwrap_or_else(|error| panic!("{place}: {with}: {error:?}"));
            let plain = ask(source, without, Vec::new()).await.unwrap();
            assert_eq!((answer.columns, answer.rows), (plain.columns, plain.rows), "{place}: {with}");
        }
        for refused in [
            "SELECT {s}.users.password FROM {s}.users",
            "SELECT {s}.users.ctid FROM {s}.users",
            "SELECT {s}.u.email FROM {s}.users AS u",
            "SELECT {s}.w.x FROM (SELECT 1 AS x) AS w",
            "SELECT other.users.email FROM {s}.users",
            "SELECT {s}.users.to_jsonb FROM {s}.users",
            "WITH w AS (SELECT 1 AS x) SELECT * FROM {s}.w",
            "SELECT * FROM {s}.tfo_demo",
            "SELECT {s}.lower('A')",
            "SELECT * FROM {s}.generate_series(1, 2)",
        ] {
            let sql = refused.replace("{s}", schema);
            let answer = ask(source, &sql, Vec::new()).await;
            assert_no_mark(&answer, place, &sql);
            assert!(answer.is_err(), "{place}: {sql}: {answer:?}");
        }
    }
    let error = ask(&both.postgres, "SELECT * FROM app.hidden", Vec::new()).await.unwrap_err();
    let hint = error.hint.unwrap();
    assert!(
        hint.contains("the search path (public)") && hint.contains("?options=-csearch_path%3Dpublic%2Capp"),
        "{hint}"
    );
    // What is in the path already is not put there once more.
    let error = ask(&both.postgres, "SELECT * FROM public.ordres", Vec::new()).await.unwrap_err();
    assert!(!error.hint.as_deref().unwrap().contains("search_path"), "{error:?}");
    let error = ask(&both.postgres, "SELECT * FROM app.users", Vec::new()).await.unwrap_err();
    assert!(error.hint.as_deref().unwrap().contains("write `users`"), "{error:?}");
    for system in ["pg_catalog.pg_class", "information_schema.tables"] {
        let error = ask(&both.postgres, &format!("SELECT * FROM {system}"), Vec::new()).await.unwrap_err();
        assert!(!format!("{error:?}").contains("options"), "{error:?}");
    }
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let both = Both::new().await;
    for (sql, kind, part) in [
        ("DELETE FROM users", SourceErrorKind::Forbidden, "no query"),
        ("SELECT * FROM app.users", SourceErrorKind::Missing, "`app.users` on offer"),
        ("SELECT * FROM app.nowhere", SourceErrorKind::Missing, "`app.nowhere` on offer"),
        ("SELECT * FROM a.b.users", SourceErrorKind::Forbidden, "more than a schema"),
        ("SELECT * FROM tfo_demo", SourceErrorKind::Forbidden, "tfo_demo"),
        ("SELECT * FROM nowhere", SourceErrorKind::Missing, "nowhere"),
        ("SELECT absent FROM users", SourceErrorKind::Missing, "absent"),
        ("SELECT 1 +", SourceErrorKind::Invalid, ""),
        ("SELECT repeat('x', 3)", SourceErrorKind::Forbidden, "repeat"),
    ] {
        for (place, source) in both.sources() {
            let error = ask(source, sql, Vec::new()).await.unwrap_err();
            assert_eq!(error.kind, kind, "{place}: {sql}: {error:?}");
            assert!(error.message.contains(part), "{place}: {sql}: {error:?}");
        }
    }
    // A value that no placeholder takes would be left out without a word, and a placeholder in quotes find nothing.
    let value = |text: &str| Bind::Text(text.to_owned());
    for (sql, binds, hint) in [
        (
            "SELECT count(*) AS n FROM alert_rules WHERE severity = '$1'",
            vec![value("critical")],
            "in quotes it is a text",
        ),
        ("SELECT count(*) AS n FROM alert_rules", vec![value("critical")], "`$1`, `$2`"),
        (
            "SELECT count(*) AS n FROM alert_rules WHERE severity = $1",
            vec![value("a"), value("b")],
            "2 values were given",
        ),
        ("SELECT count(*) AS n FROM alert_rules WHERE severity = $2", vec![value("a"), value("b")], "`$1`, `$2`"),
        ("SELECT count(*) AS n FROM alert_rules WHERE severity = $1", vec![], "no value was given"),
        ("SELECT count(*) AS n FROM alert_rules WHERE severity = {p1:String}", vec![value("a")], "`$1`, `$2`"),
        ("SELECT count(*) AS n FROM alert_rules WHERE severity = :severity", vec![value("a")], "`$1`, `$2`"),
    ] {
        for (place, source) in both.sources() {
            let error = ask(source, sql, binds.clone()).await.unwrap_err();
            assert_eq!(error.kind, SourceErrorKind::Invalid, "{place}: {sql}: {error:?}");
            assert!(error.hint.as_deref().unwrap_or_default().contains(hint), "{place}: {sql}: {error:?}");
        }
    }
    // An organisation that is no UUID sees nothing rather than everything.
    for (place, source) in both.sources() {
        let statement = Statement { sql: "SELECT email FROM users".into(), binds: Vec::new() };
        let cancel = CancellationToken::new();
        let author = Author::Caller { organization_id: "' OR 1=1 --" };
        let answer =
            source.query(Query { statement: &statement, limits: LIMITS, author, cancel: &cancel, id: None }).await;
        assert!(answer.as_ref().map_or(true, |rows| rows.rows.is_empty()), "{place}: {answer:?}");
    }
}

/// Behind the guard stands the database: even a function of the database's own users, under a name that the guard
/// lets pass, can neither write nor leave anything behind for the next caller.
#[tokio::test]
async fn postgresql_itself_refuses_to_write_and_forgets() {
    let both = Both::new().await;
    both.database
        .execute(
            "CREATE FUNCTION abbrev(name text) RETURNS text LANGUAGE plpgsql AS $$
             BEGIN
               IF name LIKE '%rule' THEN
                 INSERT INTO roles (id, name) VALUES (gen_random_uuid(), 'written');
               ELSIF name LIKE '%email' THEN
                 PERFORM set_config('transaction_read_only', 'off', false);
               ELSIF name LIKE '%channel' THEN
                 PERFORM set_config('default_transaction_read_only', 'off', false);
                 PERFORM set_config('search_path', 'nowhere', false);
                 PERFORM set_config('statement_timeout', '0', false);
                 PERFORM pg_advisory_lock(7);
               END IF;
               RETURN current_setting('default_transaction_read_only') || ' ' || current_setting('search_path');
             END $$",
        )
        .await;
    let source = &both.postgres;
    for sql in ["SELECT abbrev(name) FROM alert_rules", "SELECT abbrev(email) FROM users"] {
        let error = ask(source, sql, Vec::new()).await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::Forbidden, "{sql}: {error:?}");
    }
    // Each of the few sessions is turned over and comes back clean.
    for _ in 0..10 {
        let turned = ask(source, "SELECT abbrev(name) AS v FROM notification_channels", Vec::new()).await.unwrap();
        assert_eq!(turned.rows, [[json!("off nowhere")]]);
        let clean = ask(source, "SELECT abbrev('x') AS v", Vec::new()).await.unwrap();
        assert_eq!(clean.rows, [[json!("on \"$user\", public")]]);
        let error = ask(source, "SELECT abbrev(name) FROM alert_rules", Vec::new()).await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::Forbidden, "{error:?}");
    }
    let roles = ask(source, "SELECT name FROM roles", Vec::new()).await.unwrap();
    assert_eq!(roles.rows, [[Value::from("own-text-role")]]);
}
