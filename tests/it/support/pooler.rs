//! PgBouncer in front of the test process's PostgreSQL: on a port of its own, ended with this process.

use std::{
    path::Path,
    process::{ChildStdin, Stdio},
    time::{Duration, Instant},
};

use super::postgres::{Database, command, unprivileged, watch};

/// A running PgBouncer.
pub struct Pooler {
    port: u16,
    database: String,
    /// Closing it ends the pooler.
    _alive: ChildStdin,
}

/// What it does with the parameters of a startup message that it does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Startup {
    /// Drops them without a word, as its own error message recommends.
    Dropped,
    /// Refuses the connection.
    Refused,
}

impl Pooler {
    /// The URL of the database behind it, for a user that may do everything.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{}", self.port, self.database)
    }
}

/// A pooler of four connections to `database`, all of them as `user`.
#[allow(clippy::zombie_processes)]
pub async fn pooler(database: &Database, mode: &str, startup: Startup, user: &str) -> Pooler {
    let folder = tempfile::Builder::new().prefix("tfo-mcp-pgbouncer-").tempdir().unwrap().keep();
    let owner = unprivileged();
    if let Some((uid, gid)) = owner {
        std::os::unix::fs::chown(&folder, Some(uid), Some(gid)).unwrap();
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let dropped = match startup {
        Startup::Dropped => "ignore_startup_parameters = extra_float_digits,options",
        Startup::Refused => "",
    };
    let settings = format!(
        "[databases]\n{name} = host=127.0.0.1 port={server} dbname={name} user={user}\n\
         [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
         pool_mode = {mode}\ndefault_pool_size = 4\nmax_client_conn = 500\n{dropped}\n",
        name = database.name,
        server = database.port,
    );
    let file = folder.join("pgbouncer.ini");
    std::fs::write(&file, settings).unwrap();
    let log = std::fs::File::create(folder.join("log")).unwrap();
    let mut pgbouncer = command(Path::new(program()), &folder, owner);
    pgbouncer.arg(&file).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    let mut child = pgbouncer.spawn().unwrap();
    let pooler = Pooler { port, database: database.name.clone(), _alive: watch(&child, &folder, owner) };
    let deadline = Instant::now() + Duration::from_secs(20);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        let log = || std::fs::read_to_string(folder.join("log")).unwrap_or_default();
        assert!(child.try_wait().unwrap().is_none(), "PgBouncer ended: {}", log());
        assert!(Instant::now() < deadline, "PgBouncer does not start: {}", log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    pooler
}

/// In the search path, or where Debian keeps it.
fn program() -> &'static str {
    let debian = "/usr/sbin/pgbouncer";
    if Path::new(debian).exists() { debian } else { "pgbouncer" }
}
