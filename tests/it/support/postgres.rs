//! One private PostgreSQL server for the whole test process, and a database of its own for each test.
//!
//! The server listens on a loopback port of its own and keeps its files in a temporary folder. A small watcher
//! holds the read end of a pipe of this process: however the process ends, the pipe closes, the watcher ends the
//! server by its process id and removes the folder.

use std::{
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use tfo_mcp::source::postgres::Writer;
use tokio::sync::OnceCell;

/// A running server.
pub struct Server {
    port: u16,
    /// Closing it ends the server.
    _alive: ChildStdin,
}

/// A database that only one test uses.
pub struct Database {
    pub name: String,
    /// `postgres://…` with a user that may do everything.
    pub url: String,
    pub port: u16,
}

impl Database {
    pub async fn writer(&self) -> Writer {
        Writer::connect_url(&self.url).await.unwrap()
    }

    pub async fn execute(&self, sql: &str) {
        let mut writer = self.writer().await;
        writer.execute_script(sql).await.unwrap();
        writer.close().await;
    }

    /// The URL of the same database for another user.
    pub fn url_for(&self, user: &str, password: &str) -> String {
        format!("postgres://{user}:{password}@127.0.0.1:{}/{}", self.port, self.name)
    }
}

/// The server of this test process, started when first asked for.
pub async fn server() -> &'static Server {
    static SERVER: OnceCell<Server> = OnceCell::const_new();
    SERVER.get_or_init(start).await
}

/// A new empty database.
pub async fn database() -> Database {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let server = server().await;
    let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let mut writer = Writer::connect_url(&server.url("postgres")).await.unwrap();
    writer.execute_script(&format!("CREATE DATABASE {name}")).await.unwrap();
    writer.close().await;
    Database { url: server.url(&name), name, port: server.port }
}

impl Server {
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }
}

async fn start() -> Server {
    // Another process may take the port between our asking and the server's binding it.
    for _ in 0..3 {
        if let Some(server) = attempt().await {
            return server;
        }
    }
    panic!("PostgreSQL does not start");
}

async fn attempt() -> Option<Server> {
    let binaries = binaries();
    let folder = tempfile::Builder::new().prefix("tfo-mcp-postgres-").tempdir().unwrap().keep();
    let user = unprivileged();
    if let Some((uid, gid)) = user {
        std::os::unix::fs::chown(&folder, Some(uid), Some(gid)).unwrap();
    }
    let data = folder.join("data");
    let mut initdb = command(&binaries.join("initdb"), &folder, user);
    initdb.arg("-D").arg(&data).args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]);
    let made = initdb.output().unwrap();
    assert!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));
    // The user `locked` has to give its password, everyone else is trusted.
    let rules = std::fs::read_to_string(data.join("pg_hba.conf")).unwrap();
    std::fs::write(data.join("pg_hba.conf"), format!("host all locked all scram-sha-256\n{rules}")).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    serve(&binaries, &folder, &data, port, user).await
}

// Both children outlive this process; the watcher ends the server and then itself.
#[allow(clippy::zombie_processes)]
async fn serve(binaries: &Path, folder: &Path, data: &Path, port: u16, user: Option<(u32, u32)>) -> Option<Server> {
    let log = std::fs::File::create(folder.join("log")).unwrap();
    let mut postgres = command(&binaries.join("postgres"), folder, user);
    postgres.arg("-D").arg(data).args(["-p", &port.to_string(), "-k", ""]);
    for setting in [
        "listen_addresses=127.0.0.1",
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "max_connections=200",
        "shared_buffers=32MB",
    ] {
        postgres.args(["-c", setting]);
    }
    let mut child = postgres.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
    let alive = watch(&child, folder, user);
    let deadline = Instant::now() + Duration::from_secs(60);
    let server = Server { port, _alive: alive };
    while Instant::now() < deadline {
        if let Ok(writer) = Writer::connect_url(&server.url("postgres")).await {
            writer.close().await;
            return Some(server);
        }
        if child.try_wait().unwrap().is_some() {
            println!("PostgreSQL ended: {}", std::fs::read_to_string(folder.join("log")).unwrap_or_default());
            return None;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    None
}

/// Ends `server` when the pipe that it returns is closed.
#[allow(clippy::zombie_processes)]
pub(super) fn watch(server: &Child, folder: &Path, user: Option<(u32, u32)>) -> ChildStdin {
    const SCRIPT: &str = r#"cat >/dev/null; kill -INT "$1" 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$1" 2>/dev/null || break; sleep 0.2; done
kill -KILL "$1" 2>/dev/null; rm -rf "$2""#;
    let mut watcher = command(Path::new("sh"), folder, user);
    watcher.args(["-c", SCRIPT, "watch", &server.id().to_string()]).arg(folder);
    let mut watcher = watcher.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    watcher.stdin.take().unwrap()
}

/// A command in a process group of its own, so that an interrupt at the terminal does not reach it, and not as
/// root, as whom PostgreSQL refuses to run.
pub(super) fn command(program: &Path, folder: &Path, user: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).process_group(0);
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command
}

/// The user `postgres`, or else `nobody`, when this process is root.
pub(super) fn unprivileged() -> Option<(u32, u32)> {
    if !rustix::process::getuid().is_root() {
        return None;
    }
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap();
    let find = |name: &str| {
        let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2).map(|field| field.parse::<u32>().ok());
        Some((fields.next()??, fields.next()??))
    };
    Some(find("postgres").or_else(|| find("nobody")).expect("a user `postgres` or `nobody` to run PostgreSQL as"))
}

/// The folder of `initdb` and `postgres`: in the search path, or where Debian keeps each version's.
pub fn binaries() -> PathBuf {
    let in_path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&in_path).collect::<Vec<_>>();
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    versions.sort();
    in_path
        .into_iter()
        .chain(versions.into_iter().rev())
        .find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
        .expect("PostgreSQL's `initdb` and `postgres`: install the package `postgresql` (apt-get install postgresql)")
}
