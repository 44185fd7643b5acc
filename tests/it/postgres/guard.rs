//! The guard in the database: what its role sees, what is believed of it, and that the platform does not notice.

use std::process::Command;

use sqlx::Connection as _;

use tfo_mcp::{
    definition::shipped_rules,
    demo::schema,
    source::postgres::{
        GuardKey,
        migration::{self, Platform},
    },
};

use super::*;
use crate::support::{
    pooler::{Startup, pooler},
    postgres::binaries,
};

pub const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef";
pub const OWN: &str = "00000000-0000-0000-0000-0000000000a0";
pub const OTHER: &str = "00000000-0000-0000-0000-0000000000b0";

/// Two organisations in the platform's tables, and rows that are nobody's.
pub const ROWS: &str = "
    INSERT INTO organizations (organization_id, name, code)
        VALUES ('00000000-0000-0000-0000-0000000000a0', 'own', 'a'), ('00000000-0000-0000-0000-0000000000b0', 'other', 'b');
    INSERT INTO users (id, email, password, \"firstName\", organization_id) VALUES
        ('00000000-0000-0000-0000-000000000001', 'own@x', 'secret', 'own', '00000000-0000-0000-0000-0000000000a0'),
        ('00000000-0000-0000-0000-000000000002', 'other@x', 'secret', 'other', '00000000-0000-0000-0000-0000000000b0'),
        ('00000000-0000-0000-0000-000000000003', 'admin@x', 'secret', 'admin', NULL);
    INSERT INTO roles (id, name) VALUES ('00000000-0000-0000-0000-000000000004', 'viewer');
    INSERT INTO user_roles (id, user_id, role_id) VALUES
        ('00000000-0000-0000-0000-000000000005', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000004'),
        ('00000000-0000-0000-0000-000000000006', '00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000004');
    INSERT INTO retention_policies (id, name, data_type, retention_days, organization_id) VALUES
        ('00000000-0000-0000-0000-000000000007', 'own', 'logs', 1, '00000000-0000-0000-0000-0000000000a0'),
        ('00000000-0000-0000-0000-000000000008', 'other', 'logs', 1, '00000000-0000-0000-0000-0000000000b0'),
        ('00000000-0000-0000-0000-000000000009', 'default', 'logs', 1, NULL);";

/// Roles belong to the whole server, which takes one change of them at a time.
pub static ROLES: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

pub async fn platform() -> Database {
    let database = database().await;
    database.execute(schema::POSTGRES).await;
    database.execute("CREATE TABLE auth_tokens (id int, organization_id uuid, token_hash text)").await;
    database.execute(ROWS).await;
    database
}

pub fn reader(database: &Database) -> String {
    format!("reader_{}", database.name)
}

async fn install(database: &Database, key: &str) -> migration::Guard {
    let guard = Platform::read(&secret(&database.url)).await.unwrap();
    let guard = guard.guard(&GuardKey::new(&secret(key)).unwrap(), &reader(database), &shipped_rules());
    let _one = ROLES.lock().await;
    migration::apply(&secret(&database.url), &guard.sql).await.unwrap();
    guard
}

fn keyed(url: &str, key: Option<&str>) -> Postgres {
    let mut options = PostgresOptions::new(secret(url));
    options.guard_key = key.map(secret);
    Postgres::new(options).unwrap()
}

/// Connects as the role that reads through the guard.
fn guarded(database: &Database) -> Postgres {
    keyed(&database.url_for(&reader(database), "none"), Some(KEY))
}

pub async fn ask_as(source: &dyn Source, author: Author<'_>, sql: &str) -> Result<Vec<Value>, SourceError> {
    let (statement, cancel) = (statement(sql, Vec::new()), CancellationToken::new());
    let rows = source.query(Query { statement: &statement, limits: LIMITS, author, cancel: &cancel, id: None }).await?;
    Ok(rows.rows.into_iter().map(|mut row| row.remove(0)).collect())
}

pub fn definition(organization_id: &str) -> Author<'_> {
    Author::Definition { organization_id: Some(organization_id) }
}

/// Statements of two organisations and of nobody, and what each may see of them.
async fn assert_confined(source: &Postgres) {
    for (sql, own, nobody) in [
        ("SELECT name FROM organizations", json!(["own"]), json!([])),
        ("SELECT \"firstName\" FROM users ORDER BY 1", json!(["own"]), json!([])),
        ("SELECT u.email FROM user_roles r JOIN users u ON u.id = r.user_id", json!(["own@x"]), json!([])),
        ("SELECT name FROM retention_policies ORDER BY 1", json!(["default", "own"]), json!(["default"])),
        ("SELECT name FROM roles", json!(["viewer"]), json!(["viewer"])),
    ] {
        let seen = ask_as(source, definition(OWN), sql).await.unwrap();
        assert_eq!(json!(seen), own, "{sql}");
        let caller = Author::Caller { organization_id: OWN };
        assert_eq!(json!(ask_as(source, caller, sql).await.unwrap()), own, "{sql}");
        assert_eq!(json!(ask_as(source, Author::UNBOUND, sql).await.unwrap()), nobody, "{sql}");
        let other = json!(ask_as(source, definition(OTHER), sql).await.unwrap()).to_string();
        assert_eq!(other, own.to_string().replace("own", "other"), "{sql}");
    }
}

#[tokio::test]
async fn the_guard_shows_each_organisation_its_own_rows_and_no_secrets() {
    let database = platform().await;
    let guard = install(&database, KEY).await;
    assert!(guard.served.contains(&"user_roles".to_owned()) && guard.left_out.contains(&"auth_tokens".to_owned()));
    let source = guarded(&database);
    assert_confined(&source).await;
    let tables = source.tables().await.unwrap();
    assert!(tables.has("users.firstName") && !tables.has("users.password") && !tables.has("auth_tokens"));
    assert!(!tables.has("key"), "{:?}", tables.0.keys());
    for past in [
        "SELECT name FROM public.organizations",
        "SELECT password FROM public.users",
        "SELECT inner_pad FROM tfo_guard.key",
        "SELECT token_hash FROM public.auth_tokens",
    ] {
        let error = ask_as(&source, definition(OWN), past).await.unwrap_err();
        assert!(matches!(error.kind, SourceErrorKind::Forbidden), "{past}: {error:?}");
    }
    // The same through a pooler, whose backends follow no startup message.
    for mode in ["transaction", "session"] {
        let pooler = pooler(&database, mode, Startup::Dropped, &reader(&database)).await;
        let mut options = PostgresOptions::new(secret(&pooler.url()));
        options.guard_key = Some(secret(KEY));
        // In session mode each session holds one of its four backends: these, and those for callers.
        options.max_connections = 2;
        assert_confined(&Postgres::new(options).unwrap()).await;
    }
    // A statement uses the primary key, and asks for the organisation once.
    let many = format!(
        "INSERT INTO users (id, email, password, organization_id)
         SELECT gen_random_uuid(), i || '@many', '', '{OTHER}' FROM generate_series(1, 5000) i; ANALYZE users"
    );
    database.execute(&many).await;
    let plan = "EXPLAIN (COSTS OFF) SELECT email FROM users WHERE id = '00000000-0000-0000-0000-000000000001'";
    let plan = json!(ask_as(&source, definition(OWN), plan).await.unwrap()).to_string();
    assert!(plan.contains("InitPlan") && plan.contains("Index Scan using users_pkey"), "{plan}");
}

#[tokio::test]
async fn an_organisation_that_the_server_did_not_sign_opens_nothing() {
    let database = platform().await;
    install(&database, KEY).await;
    let source = guarded(&database);
    let signed = ask_as(&source, definition(OTHER), "SELECT current_setting('tfo.organization')").await.unwrap();
    let signed = signed[0].as_str().unwrap().to_owned();
    assert!(signed.starts_with(OTHER), "{signed}");
    let forged = format!("{OTHER}.{}", "0".repeat(64));
    // As it is, another's signature under one's own, another's value that was good in its own transaction.
    let own = ask_as(&source, definition(OWN), "SELECT current_setting('tfo.organization')").await.unwrap();
    let mixed = format!("{OTHER}.{}", own[0].as_str().unwrap().split_once('.').unwrap().1);
    for value in [forged.as_str(), OTHER, &mixed, &signed, &format!("{signed}.x"), ".", "x.y.z"] {
        for sql in [
            format!(
                "WITH set AS MATERIALIZED (SELECT set_config('tfo.organization', '{value}', true) AS v)
                 SELECT u.email FROM set, users u WHERE set.v IS NOT NULL"
            ),
            format!(
                "SELECT u.email FROM (SELECT set_config('tfo.organization', '{value}', false) OFFSET 0) s, users u"
            ),
        ] {
            for author in [definition(OWN), Author::UNBOUND] {
                match ask_as(&source, author, &sql).await {
                    Err(error) => assert!(error.message.contains("not signed"), "{sql}: {error:?}"),
                    // The planner may ask for the organisation before the setting is changed.
                    Ok(seen) => assert!(seen.is_empty() || seen == [json!("own@x")], "{sql}: {seen:?}"),
                }
            }
        }
    }
    // What was set is gone with its transaction.
    assert_confined(&source).await;
    // Nor does a caller get that far.
    let sql = "SELECT set_config('tfo.organization', 'x', false)";
    let refused = ask_as(&source, Author::Caller { organization_id: OWN }, sql).await.unwrap_err();
    assert_eq!(refused.kind, SourceErrorKind::Forbidden);
    let hostile = ask_as(&source, definition("x'; SET ROLE postgres; --"), "SELECT 1").await.unwrap_err();
    assert_eq!(hostile.kind, SourceErrorKind::Forbidden, "{hostile:?}");
}

#[tokio::test]
async fn a_guard_and_a_key_belong_together() {
    let database = platform().await;
    let sql = "SELECT name FROM organizations";
    let error = ask_as(&keyed(&database.url, Some(KEY)), definition(OWN), sql).await.unwrap_err();
    assert!(error.message.contains("no guard"), "{error:?}");
    install(&database, KEY).await;
    for url in [database.url.clone(), database.url_for(&reader(&database), "none")] {
        let error = ask_as(&keyed(&url, None), definition(OWN), sql).await.unwrap_err();
        assert!(error.message.contains("no key") && error.hint.is_some(), "{error:?}");
        let other = "fedcba9876543210fedcba9876543210";
        for author in [definition(OWN), Author::UNBOUND, Author::Caller { organization_id: OWN }] {
            let error = ask_as(&keyed(&url, Some(other)), author, sql).await.unwrap_err();
            assert!(error.message.contains("not signed") && error.hint.is_some(), "{error:?}");
        }
    }
    assert!(
        Postgres::new(PostgresOptions {
            guard_key: Some(secret("short")),
            ..PostgresOptions::new(secret("postgres://h/d"))
        })
        .is_err()
    );
}

fn dump(database: &Database, user: &str) -> String {
    let url = database.url_for(user, "none");
    // Debian's `initdb` may be a link from the search path; `pg_dump` lies where it points to.
    let folder = std::fs::canonicalize(binaries().join("initdb")).unwrap();
    let mut dump = Command::new(folder.with_file_name("pg_dump"));
    let dump = dump.args(["--schema=public", "--dbname", &url]).output().unwrap();
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    // Newer ones restrict a dump by a random word.
    let text = String::from_utf8(dump.stdout).unwrap();
    text.lines()
        .filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[tokio::test]
async fn the_platform_does_not_notice_its_guard() {
    let database = platform().await;
    let auditor = format!("auditor_{}", database.name);
    {
        let _one = ROLES.lock().await;
        database
            .execute(&format!(
                "CREATE ROLE {auditor} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {auditor};
                 GRANT SELECT ON roles TO PUBLIC; GRANT CREATE ON SCHEMA public TO {auditor};"
            ))
            .await;
    }
    let mut writer = Writer::connect_url(&database.url_for(&auditor, "none")).await.unwrap();
    writer.execute_script("CREATE VIEW names AS SELECT name FROM organizations").await.unwrap();
    writer.close().await;
    let before = ["postgres", &auditor].map(|user| dump(&database, user));
    install(&database, KEY).await;
    assert_eq!(before[0], dump(&database, "postgres"));
    assert_eq!(before[1], dump(&database, &auditor));
    let mut other = sqlx::PgConnection::connect(&database.url_for(&auditor, "none")).await.unwrap();
    let names: Vec<String> =
        sqlx::query_scalar("SELECT name FROM names ORDER BY 1").fetch_all(&mut other).await.unwrap();
    assert_eq!(names, ["other", "own"]);

    // Tables that come later are served by the next run, whatever the guard was then.
    database.execute("CREATE TABLE later (id int, organization_id uuid, api_key text)").await;
    database.execute(&format!("INSERT INTO later VALUES (1, '{OWN}', 'x'), (2, '{OTHER}', 'x')")).await;
    install(&database, KEY).await;
    let source = guarded(&database);
    assert_eq!(ask_as(&source, definition(OWN), "SELECT id FROM later").await.unwrap(), [json!(1)]);
    assert!(!source.tables().await.unwrap().has("later.api_key"));
    assert_confined(&source).await;
    source.close().await;

    // And without a guard all is as it was, also for migrations that the views would stand in the way of.
    {
        let _one = ROLES.lock().await;
        migration::apply(&secret(&database.url), &migration::without_guard(&reader(&database))).await.unwrap();
    }
    database.execute("DROP TABLE later").await;
    assert_eq!(before[0], dump(&database, "postgres"));
    let names = ask_as(&keyed(&database.url, None), Author::UNBOUND, "SELECT name FROM organizations ORDER BY 1").await;
    assert_eq!(names.unwrap(), [json!("other"), json!("own")]);
}

#[tokio::test]
async fn doctor_hears_what_an_account_can_do_that_it_need_not() {
    let database = platform().await;
    let hints = |remarks: Vec<tfo_mcp::source::Remark>| {
        remarks.into_iter().filter(|remark| remark.hint.is_some()).map(|remark| remark.found).collect::<Vec<_>>()
    };
    let found = hints(source(&database).remarks().await.unwrap());
    assert!(found[0].contains("one lock") && found[1].contains("superuser"), "{found:?}");
    let role = format!("wide_{}", database.name);
    {
        let _one = ROLES.lock().await;
        let grants = format!(
            "CREATE ROLE {role} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role};
             GRANT UPDATE ON users TO {role}; GRANT pg_read_server_files TO {role}"
        );
        database.execute(&grants).await;
    }
    let wide = hints(connect(&database.url_for(&role, "none")).remarks().await.unwrap()).join("; ");
    for said in ["one lock", "pg_read_server_files", "write to 1 tables", "secrets: ", "temporary files"] {
        assert!(wide.contains(said), "{said}: {wide}");
    }
    install(&database, KEY).await;
    assert_eq!(hints(guarded(&database).remarks().await.unwrap()), Vec::<String>::new());
    let wide = hints(
        keyed(&database.url_for(&role, "none"), Some(KEY))
            .remarks()
            .await
            .map_err(|error| error.message)
            .unwrap_or_default(),
    );
    assert_eq!(wide, Vec::<String>::new(), "a role that the guard does not know reads nothing");
    {
        let _one = ROLES.lock().await;
        database.execute(&format!("GRANT SELECT ON organizations TO {}", reader(&database))).await;
    }
    let past = hints(guarded(&database).remarks().await.unwrap());
    assert!(past.iter().any(|found| found.contains("read 1 tables past the guard")), "{past:?}");
}
