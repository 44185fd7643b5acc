//! Twin databases: one with the rows of several organisations, and one as it were if the caller's organisation
//! were alone and every secret another one. An answer that differs between the two tells of what must not be told.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use tfo_mcp::{
    definition::shipped_rules,
    demo::{Generator, Plan, canary, load, oracle::Window, platform::SECRET_CANARY, schema, world::Organization},
    source::{
        Source,
        clickhouse::{ClickHouse, ClickHouseConfig},
        postgres::{
            GuardKey, Postgres, PostgresOptions, Writer,
            migration::{self, Platform},
        },
        sqlite::{self, Sqlite},
    },
};

use crate::{
    answers::END,
    postgres::guard::{KEY, ROLES},
    support::{clickhouse, http::http_client, postgres},
};

/// Columns that hold secrets: table and column.
pub const SECRETS: [(&str, &str); 14] = [
    ("users", "password"),
    ("users", "mfa_secret"),
    ("users", "mfa_backup_codes"),
    ("users", "passwordHistory"),
    ("notification_channels", "config"),
    ("api_keys", "api_key_secret"),
    ("api_keys", "encrypt_key"),
    ("llm_providers", "encrypted_api_key"),
    ("workspaces", "datasource_config"),
    ("ntf_channels", "config"),
    ("sso_providers", "client_secret"),
    ("sso_providers", "certificate"),
    ("sso_providers", "private_key"),
    ("user_sessions", "session_token"),
];

/// Half an hour before the end of the data.
const RECENT: &str = "2026-11-20 11:30:00";

/// One of the twins.
pub struct World {
    pub source: Arc<dyn Source>,
    /// What stands for the words that all attacks may use.
    pub words: BTreeMap<&'static str, String>,
}

pub struct Twins {
    pub both: World,
    pub own: World,
    /// The caller's.
    pub organization_id: String,
    /// What no answer may hold.
    pub forbidden: Vec<String>,
    /// Names that are different only because there are two databases.
    pub names: Vec<String>,
    /// How the databases are looked at past the product.
    pub admin: Admin,
    _folder: Option<tempfile::TempDir>,
}

/// A way past the product.
pub enum Admin {
    Postgres(String),
    Sqlite(std::path::PathBuf),
    ClickHouse(Box<ClickHouseConfig>),
}

/// A day of three organisations, as small as it gets.
fn generator() -> Arc<Generator> {
    Arc::new(Generator::new(Plan { seed: 7, end: END, scale: 0.002, scenario: None }).unwrap())
}

/// The caller is of the second organisation; the canaries of the second are its own rows, those of the third are not.
fn planted(generator: &Generator) -> (canary::Canaries, &Organization) {
    let to = generator.end();
    let window = Window { from: to - 3_600_000_000_000, to };
    let [first, own, _] = &generator.world.organizations[..] else { panic!("three organisations") };
    (canary::canaries(generator, first, window), own)
}

fn words(own: &Organization, generator: &Generator, database: &str, other: &str) -> BTreeMap<&'static str, String> {
    let foreign = &generator.world.organizations[2];
    BTreeMap::from([
        ("own", own.id_text.clone()),
        ("foreign", foreign.id_text.clone()),
        ("db", database.to_owned()),
        ("other", other.to_owned()),
        ("A62", "a".repeat(62)),
        ("A63", "a".repeat(63)),
    ])
}

fn forbidden(generator: &Generator, own: &Organization) -> Vec<String> {
    let mut words = canary::foreign_names(generator, own);
    words.extend([format!("{}2", canary::FOREIGN), format!("{}0", canary::BEFORE), format!("{}0", canary::AFTER)]);
    words.push(SECRET_CANARY.to_owned());
    words
}

fn is_json(column: &str) -> bool {
    matches!(column, "config" | "datasource_config")
}

/// Statements that make each secret one of its own, with the word that no answer may hold.
fn secrets(postgres: bool) -> Vec<String> {
    let each = |(table, column): (&str, &str)| {
        let id = if table == "workspaces" { "workspace_id" } else { "id" };
        let secret = format!("'{SECRET_CANARY}-{column}-' || CAST({id} AS text)");
        let value = match (is_json(column), postgres) {
            (false, _) => secret,
            (true, false) => format!("'{{\"token\": \"' || {secret} || '\"}}'"),
            (true, true) => format!("CAST('{{\"token\": \"' || {secret} || '\"}}' AS jsonb)"),
        };
        format!("UPDATE {table} SET \"{column}\" = {value}")
    };
    SECRETS.into_iter().map(each).collect()
}

/// Statements that leave the caller's rows alone and change every secret. Tables in the schema's order.
fn alone(own: &str, postgres: bool) -> Vec<String> {
    let script = if postgres { schema::POSTGRES } else { schema::SQLITE };
    let mut statements = Vec::new();
    for (table, columns) in schema::columns(script) {
        if columns.iter().any(|column| column.name == "organization_id") {
            statements.push(format!("DELETE FROM {table} WHERE organization_id <> '{own}'"));
        }
    }
    statements.push("DELETE FROM tenants WHERE workspace_id NOT IN (SELECT workspace_id FROM workspaces)".into());
    for table in ["user_roles", "user_permissions", "user_sessions", "security_logs"] {
        statements.push(format!("DELETE FROM {table} WHERE user_id IS NULL OR user_id NOT IN (SELECT id FROM users)"));
    }
    for (table, column) in SECRETS {
        let id = if table == "workspaces" { "workspace_id" } else { "id" };
        let value = match is_json(column) {
            true => r#"'{"another": "secret"}'"#.to_owned(),
            false => format!("'another secret ' || CAST({id} AS text)"),
        };
        statements.push(format!("UPDATE {table} SET \"{column}\" = {value}"));
    }
    statements
}

fn postgres_source(url: &str) -> Arc<dyn Source> {
    Arc::new(Postgres::new(PostgresOptions::new(SecretString::from(url.to_owned()))).unwrap())
}

impl Twins {
    pub async fn postgres() -> Self {
        let generator = generator();
        let (planted, own) = planted(&generator);
        let both = postgres::database().await;
        load::postgres(&generator, &SecretString::from(both.url.clone())).await.unwrap();
        let mut writer = Writer::connect_url(&both.url).await.unwrap();
        planted.plant_in_postgres(&mut writer).await.unwrap();
        writer.close().await;
        postgres_execute(&both.url, &secrets(true)).await;
        let alone_name = format!("{}_alone", both.name);
        let server = postgres::server().await.url("postgres");
        postgres_execute(&server, &[format!("CREATE DATABASE {alone_name} TEMPLATE {}", both.name)]).await;
        let alone_url = both.url.replace(&both.name, &alone_name);
        let mut statements = vec!["SET session_replication_role = replica".to_owned()];
        statements.extend(alone(&own.id_text, true));
        statements.extend(["VACUUM FULL".to_owned(), "ANALYZE".to_owned()]);
        postgres_execute(&alone_url, &statements).await;
        postgres_execute(&both.url, &["ANALYZE".to_owned()]).await;
        let words = |database: &str| words(own, &generator, database, "postgres");
        Self {
            both: World { source: postgres_source(&both.url), words: words(&both.name) },
            own: World { source: postgres_source(&alone_url), words: words(&alone_name) },
            organization_id: own.id_text.clone(),
            forbidden: forbidden(&generator, own),
            names: vec![alone_name, both.name],
            admin: Admin::Postgres(both.url),
            _folder: None,
        }
    }

    /// The same twins of PostgreSQL, each read through the guard in its database by a role of its own.
    pub async fn guarded() -> Self {
        let mut twins = Self::postgres().await;
        let Admin::Postgres(url) = &twins.admin else { panic!("PostgreSQL") };
        let url = url.clone();
        for (world, database) in [(&mut twins.own, &twins.names[0]), (&mut twins.both, &twins.names[1])] {
            let url = url.replace(&twins.names[1], database);
            let (reader, secret) = (format!("reader_{database}"), SecretString::from(url.clone()));
            let guard = Platform::read(&secret).await.unwrap();
            let guard =
                guard.guard(&GuardKey::new(&SecretString::from(KEY.to_owned())).unwrap(), &reader, &shipped_rules());
            let _one = ROLES.lock().await;
            migration::apply(&secret, &guard.sql).await.unwrap();
            let mut options = PostgresOptions::new(url.replace("//postgres@", &format!("//{reader}:none@")).into());
            options.guard_key = Some(SecretString::from(KEY.to_owned()));
            world.source = Arc::new(Postgres::new(options).unwrap());
        }
        twins
    }

    pub async fn sqlite() -> Self {
        let generator = generator();
        let (planted, own) = planted(&generator);
        let folder = tempfile::tempdir().unwrap();
        let (both, single) = (folder.path().join("twin_a.sqlite"), folder.path().join("twin_b.sqlite"));
        load::sqlite(&generator, &both).await.unwrap();
        let mut writer = sqlite::Writer::open(&both).await.unwrap();
        planted.plant_in_sqlite(&mut writer).await.unwrap();
        writer.close().await.unwrap();
        sqlite_execute(&both, &secrets(false)).await;
        std::fs::copy(&both, &single).unwrap();
        let mut statements = vec!["PRAGMA foreign_keys = OFF".to_owned()];
        statements.extend(alone(&own.id_text, false));
        statements.push("VACUUM".to_owned());
        sqlite_execute(&single, &statements).await;
        let words = |database: &str| words(own, &generator, database, "temp");
        Self {
            both: World { source: Arc::new(Sqlite::new(&both)), words: words("main") },
            own: World { source: Arc::new(Sqlite::new(&single)), words: words("main") },
            organization_id: own.id_text.clone(),
            forbidden: forbidden(&generator, own),
            names: vec!["twin_a".into(), "twin_b".into()],
            admin: Admin::Sqlite(both),
            _folder: Some(folder),
        }
    }

    pub async fn clickhouse() -> Self {
        let generator = generator();
        let (planted, own) = planted(&generator);
        let (day, both) = (clickhouse::clickhouse().await, clickhouse::clickhouse().await);
        let (single, other) = (clickhouse::clickhouse().await, clickhouse::clickhouse().await);
        load::telemetry(&generator, &day.source, |_| {}).await.unwrap();
        // Half an hour of it is enough, and the second twin is filled from the first, so that its views add up the
        // caller's rows alone.
        for twin in [&both, &single] {
            for statement in schema::statements(schema::CLICKHOUSE) {
                twin.source.execute(&statement).await.unwrap();
            }
        }
        for (table, columns) in schema::columns(schema::CLICKHOUSE) {
            let recent = columns.iter().find(|column| matches!(column.name, "timestamp" | "checked_at"));
            let recent = recent
                .map_or_else(String::new, |time| format!(" WHERE {} >= toDateTime('{RECENT}', 'UTC')", time.name));
            both.execute(&[&format!("INSERT INTO {table} SELECT * FROM {}.{table}{recent}", day.database)]).await;
        }
        planted.plant_in_clickhouse(&both.source).await.unwrap();
        for (table, columns) in schema::columns(schema::CLICKHOUSE) {
            let owned = columns.iter().any(|column| column.name == "organization_id");
            let mine = if owned { format!(" WHERE organization_id = '{}'", own.id_text) } else { String::new() };
            single.execute(&[&format!("INSERT INTO {table} SELECT * FROM {}.{table}{mine}", both.database)]).await;
        }
        let foreign = &generator.world.organizations[2].id_text;
        other
            .execute(&[
                &format!("CREATE TABLE logs AS {}.logs", both.database),
                &format!("INSERT INTO logs SELECT * FROM {}.logs WHERE organization_id = '{foreign}'", both.database),
            ])
            .await;
        for twin in [&both, &single] {
            for table in schema::tables(schema::CLICKHOUSE) {
                twin.execute(&[&format!("OPTIMIZE TABLE {table} FINAL")]).await;
            }
        }
        let words = |database: &str| words(own, &generator, database, &other.database);
        Self {
            both: World { words: words(&both.database), source: Arc::new(ClickHouse::remote(both.config.clone())) },
            own: World { words: words(&single.database), source: Arc::new(ClickHouse::remote(single.config)) },
            organization_id: own.id_text.clone(),
            forbidden: forbidden(&generator, own),
            names: vec![both.database, single.database, other.database],
            admin: Admin::ClickHouse(Box::new(both.config)),
            _folder: None,
        }
    }
}

async fn postgres_execute(url: &str, statements: &[String]) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    for statement in statements {
        sqlx::raw_sql(AssertSqlSafe(statement.clone())).execute(&mut connection).await.expect(statement);
    }
    connection.close().await.unwrap();
}

async fn sqlite_execute(path: &Path, statements: &[String]) {
    let mut connection = sqlite(path).await;
    for statement in statements {
        sqlx::raw_sql(AssertSqlSafe(statement.clone())).execute(&mut connection).await.expect(statement);
    }
    connection.close().await.unwrap();
}

async fn sqlite(path: &Path) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap()
}

impl Admin {
    /// Everything that the database with everybody's rows holds, as one text to compare. What a server has for all its
    /// databases is looked at only where no other test makes such things meanwhile.
    pub async fn fingerprint(&self) -> String {
        match self {
            Self::Postgres(url) => {
                let objects = "SELECT concat_ws(' ', (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_proc),
                    (SELECT count(*) FROM pg_roles WHERE rolname IN ('x', 'evil')), (SELECT count(*) FROM pg_largeobject_metadata),
                    (SELECT count(*) FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase
                        WHERE setrole = 0 AND datname = current_database()), (SELECT count(*) FROM pg_extension),
                    (SELECT count(*) FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp'),
                    (SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
                        WHERE locktype = 'advisory' AND datname = current_database()),
                    (SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()),
                    (SELECT count(*) FROM pg_replication_slots))";
                let tables = schema::tables(schema::POSTGRES);
                let sums = tables.iter().map(|table| {
                    format!("SELECT coalesce(md5(string_agg(t::text, '' ORDER BY t::text)), '') FROM {table} t")
                });
                let mut connection = PgConnection::connect(url).await.unwrap();
                let mut found = Vec::new();
                for sql in std::iter::once(objects.to_owned()).chain(sums) {
                    let value: String =
                        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
                    found.push(value);
                }
                found.join("\n")
            }
            Self::Sqlite(path) => {
                let mut files: Vec<String> = std::fs::read_dir(path.parent().unwrap())
                    .unwrap()
                    .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
                    .filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm"))
                    .collect();
                files.sort();
                let mut connection = sqlite(path).await;
                for table in schema::tables(schema::SQLITE) {
                    let names: Vec<String> =
                        sqlx::query_scalar(AssertSqlSafe(format!("SELECT name FROM pragma_table_info('{table}')")))
                            .fetch_all(&mut connection)
                            .await
                            .unwrap();
                    let all = names.iter().map(|name| format!("quote(\"{name}\")")).collect::<Vec<_>>().join("||");
                    let sql = format!(
                        "SELECT coalesce(group_concat(x, ';'), '') FROM (SELECT {all} AS x FROM {table} ORDER BY 1)"
                    );
                    let text: String = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
                    files.push(text);
                }
                files.join("\n")
            }
            Self::ClickHouse(config) => {
                let mut found = vec![
                    ask_clickhouse(config, "SELECT name FROM system.databases WHERE NOT startsWith(name, 'test_') ORDER BY name FORMAT TSV").await,
                    ask_clickhouse(
                        config,
                        "SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY name",
                    )
                    .await,
                    ask_clickhouse(config, "SELECT name FROM system.users ORDER BY name").await,
                ];
                for table in schema::tables(schema::CLICKHOUSE) {
                    found.push(
                        ask_clickhouse(config, &format!("SELECT count(), sum(cityHash64(*)) FROM {table}")).await,
                    );
                }
                found.join("\n")
            }
        }
    }

    /// What the database with everybody's rows answers to a statement past the product, as text.
    pub async fn unguarded(&self, sql: &str) -> String {
        match self {
            Self::Postgres(url) => {
                let mut connection = PgConnection::connect(url).await.unwrap();
                let sql = format!("SELECT coalesce(string_agg(q::text, ';'), '') FROM ({sql}) AS q");
                sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap()
            }
            Self::Sqlite(path) => {
                let mut connection = sqlite(path).await;
                let rows: Vec<String> =
                    sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await.unwrap();
                rows.join(";")
            }
            Self::ClickHouse(config) => ask_clickhouse(config, sql).await,
        }
    }

    /// How many statements the database still works on, beside this question.
    pub async fn running(&self) -> i64 {
        match self {
            Self::Postgres(url) => {
                let mut connection = PgConnection::connect(url).await.unwrap();
                let sql = "SELECT count(*) FROM pg_stat_activity \
                           WHERE state = 'active' AND datname LIKE current_database() || '%' AND pid <> pg_backend_pid()";
                sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
            }
            Self::Sqlite(_) => 0,
            Self::ClickHouse(config) => {
                let sql = "SELECT count() FROM system.processes WHERE current_database = currentDatabase()";
                // One of them is this one.
                ask_clickhouse(config, sql).await.trim().parse::<i64>().unwrap() - 1
            }
        }
    }
}

async fn ask_clickhouse(config: &ClickHouseConfig, sql: &str) -> String {
    let mut request =
        http_client().post(&config.url).header("X-ClickHouse-Database", &config.database).body(sql.to_owned());
    request = request.header("X-ClickHouse-User", config.user.clone().unwrap_or_default());
    if let Some(password) = &config.password {
        request = request.header("X-ClickHouse-Key", password.expose_secret());
    }
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success(), "{sql}: {}", answer.text().await.unwrap());
    answer.text().await.unwrap()
}
