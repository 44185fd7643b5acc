//! Sources as operators bind them: what stands where a URL belongs, which setting a hint names, and files that may only
//! be read.

use std::{
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::Path,
};

use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::cli::{Cli, Run};

fn run(cli: &Cli, arguments: &[&str], environment: &[(&str, &str)]) -> Run {
    let mut command = cli.command(arguments);
    command.envs(environment.iter().copied());
    Run::of(command.output().unwrap(), cli.folder.path())
}

#[test]
fn what_people_put_where_a_database_url_belongs_is_told() {
    let cli = Cli::new();
    let postgres = "TELEMETRYFLOW_MCP_POSTGRES_URL";
    let clickhouse = "TELEMETRYFLOW_MCP_CLICKHOUSE_URL";
    for (variable, url, told) in [
        (postgres, "mysql://root:hunter2@127.0.0.1:1/app", "`mysql://` is no URL of PostgreSQL"),
        (postgres, "jdbc:postgresql://127.0.0.1:1/app", "`jdbc:postgresql://` is no URL of PostgreSQL"),
        (postgres, "https://127.0.0.1:1/app", "`https://` is no URL of PostgreSQL"),
        (postgres, "postgres://u:hunter2#ss@127.0.0.1:1/postgres", "write `#` as `%23`"),
        (postgres, "${PG_URL}", "a placeholder that nobody filled in"),
        (postgres, "\"postgres://u:hunter2@127.0.0.1:1/postgres\"", "quotation mark"),
        (clickhouse, "postgres://u:hunter2@127.0.0.1:1/d", "`postgres://` is no URL of ClickHouse over HTTP"),
        (clickhouse, "tcp://u:hunter2@127.0.0.1:9000", "`tcp://` is no URL of ClickHouse over HTTP"),
        (clickhouse, "$CLICKHOUSE_URL", "a placeholder that nobody filled in"),
    ] {
        let doctor = run(&cli, &["doctor", "--timeout", "2"], &[(variable, url)]);
        let both = format!("{}{}", doctor.stdout, doctor.stderr);
        assert!(doctor.code != 0 && both.contains(told), "{url}: {doctor:?}");
        assert!(both.contains(variable) && !both.contains("hunter2"), "{url}: {doctor:?}");
    }
    // Brackets are of the URL and not of the address.
    let doctor = run(&cli, &["doctor", "--timeout", "2"], &[(postgres, "postgres://postgres@[::1]:1/postgres\n")]);
    let both = format!("{}{}", doctor.stdout, doctor.stderr);
    assert!(both.contains("PostgreSQL at [::1]:1/postgres") && !both.contains("lookup"), "{doctor:?}");
}

#[test]
fn a_hint_names_the_setting_that_was_used() {
    let cli = Cli::new();
    let below = [
        ("TELEMETRYFLOW_MCP_SOURCES__PLATFORM__TYPE", "postgres"),
        ("TELEMETRYFLOW_MCP_SOURCES__PLATFORM__URL", "postgres://u:hunter2@127.0.0.1:1/d"),
        ("TELEMETRYFLOW_MCP_SOURCES__TELEMETRY__TYPE", "clickhouse"),
        ("TELEMETRYFLOW_MCP_SOURCES__TELEMETRY__URL", "http://u:hunter2@127.0.0.1:1/d"),
        ("TELEMETRYFLOW_MCP_SOURCES__STATE__TYPE", "sqlite"),
        ("TELEMETRYFLOW_MCP_SOURCES__STATE__PATH", "/nowhere/state.sqlite"),
    ];
    let doctor = run(&cli, &["doctor", "--timeout", "2"], &below);
    for named in ["`sources.platform.url` names", "`sources.telemetry.url` names", "check `sources.state.path`"] {
        assert!(doctor.stdout.contains(named), "{named}: {doctor:?}");
    }
    assert!(!doctor.stdout.contains("database.postgres_url"), "{doctor:?}");
    let one_line = [
        ("TELEMETRYFLOW_MCP_POSTGRES_URL", "postgres://u:hunter2@127.0.0.1:1/d"),
        ("TELEMETRYFLOW_MCP_CLICKHOUSE_URL", "http://u:hunter2@127.0.0.1:1/d"),
    ];
    let doctor = run(&cli, &["doctor", "--timeout", "2"], &one_line);
    for named in ["`database.postgres_url` names", "`analytics.clickhouse_url` names"] {
        assert!(doctor.stdout.contains(named), "{named}: {doctor:?}");
    }
}

const KNOWN: &str = "0192f0c1-2b3c-7d4e-8f5a-6b7c8d9e0f1a";

/// A database whose last change lies in its write-ahead log while it is open.
async fn in_wal_mode(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true).disable_statement_logging();
    let mut connection = options.connect().await.unwrap();
    let script = format!(
        "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;
         CREATE TABLE organizations (organization_id UUID, name TEXT, is_active BOOLEAN, deleted_at TIMESTAMP);
         INSERT INTO organizations VALUES ('{KNOWN}', 'Meridian Outfitters', 1, NULL);"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(script)).execute(&mut connection).await.unwrap();
    connection
}

#[tokio::test]
async fn a_file_in_wal_mode_that_may_only_be_read_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = folder.path().join("shelf");
    std::fs::create_dir(&shelf).unwrap();
    let file = shelf.join("platform.sqlite");
    let open = in_wal_mode(&file).await;
    // A copy of what a program leaves behind that ended without closing: changes in the log.
    let torn = folder.path().join("torn");
    std::fs::create_dir(&torn).unwrap();
    for name in ["platform.sqlite", "platform.sqlite-wal"] {
        std::fs::copy(shelf.join(name), torn.join(name)).unwrap();
    }
    open.close().await.unwrap();
    assert!(!shelf.join("platform.sqlite-wal").exists());

    // Whoever may do everything may write everywhere.
    let nobody = rustix::process::geteuid().is_root().then_some(65_534);
    let home = folder.path().join("home");
    std::fs::create_dir(&home).unwrap();
    let program = folder.path().join("tfo-mcp");
    std::fs::copy(env!("CARGO_BIN_EXE_tfo-mcp"), &program).unwrap();
    let mode = |path: &Path, mode: u32| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(folder.path(), 0o755);
    mode(&home, 0o777);
    for shelf in [&shelf, &torn] {
        for entry in std::fs::read_dir(shelf).unwrap() {
            mode(&entry.unwrap().path(), 0o444);
        }
        mode(shelf, 0o555);
    }
    let doctor = |shelf: &Path| {
        let mut command = std::process::Command::new(&program);
        command.args(["doctor", "--timeout", "5"]).current_dir(&home).env_clear().env("HOME", &home);
        command.env("TELEMETRYFLOW_MCP_SOURCES__PLATFORM__TYPE", "sqlite");
        command.env("TELEMETRYFLOW_MCP_SOURCES__PLATFORM__PATH", shelf.join("platform.sqlite"));
        if let Some(uid) = nobody {
            command.uid(uid).gid(uid);
        }
        Run::of(command.output().unwrap(), folder.path())
    };
    let read = doctor(&shelf);
    let refused = doctor(&torn);
    for shelf in [&shelf, &torn] {
        mode(shelf, 0o755);
    }
    assert!(read.stdout.contains("Meridian Outfitters"), "{read:?}");
    // Without the log an organisation would be missing, and nobody would be told.
    assert!(refused.stdout.contains("has changes in its write-ahead log"), "{refused:?}");
    assert!(refused.stdout.contains("wal_checkpoint(TRUNCATE)"), "{refused:?}");
}
