//! Starts, joins and ends the server of a data directory.
//!
//! Several processes may use one data directory. The first starts the server as its child and publishes the
//! endpoint; the others join it. When the owner ends, in whatever way, its child ends with it, and the next query
//! of another process starts a server of its own. The lock file makes looking and starting one step.

use std::{
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use ring::digest;
use secrecy::ExposeSecret;
use uuid::Uuid;

use super::{
    child::SUBCOMMAND,
    endpoint::{self, Endpoint},
    layout::{CONFIG_FILE, PORT_FILE, USERS_FILE, hexadecimal, library_path},
};
use crate::source::{SourceError, SourceErrorKind};

/// Names a library instead of the one in the data directory.
pub const LIBRARY_VARIABLE: &str = "TELEMETRYFLOW_MCP_LIBCHDB";

/// Longest start of a server: a cold library of half a gigabyte on a slow disk.
const START: Duration = Duration::from_secs(60);
/// Longest answer of a server that another process started.
const PROBE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(10);

/// The embedded ClickHouse of a data directory.
#[derive(Debug)]
pub struct Embedded {
    /// Where its files are.
    folder: PathBuf,
    data_dir: PathBuf,
    executable: Option<PathBuf>,
    library: Option<PathBuf>,
    current: tokio::sync::Mutex<Option<Endpoint>>,
    child: Mutex<Option<(Child, Endpoint)>>,
}

impl Embedded {
    /// Nothing is started or looked for until [`Embedded::endpoint`] is asked.
    pub fn new(data_dir: PathBuf) -> Self {
        Self {
            folder: data_dir.join("clickhouse"),
            data_dir,
            executable: None,
            library: None,
            current: tokio::sync::Mutex::default(),
            child: Mutex::default(),
        }
    }

    /// Keeps the server's files elsewhere than in `clickhouse` of the data directory.
    pub fn with_folder(mut self, folder: PathBuf) -> Self {
        self.folder = folder;
        self
    }

    /// Runs another program than the running one as the child.
    pub fn with_executable(mut self, executable: PathBuf) -> Self {
        self.executable = Some(executable);
        self
    }

    /// Loads this libchdb instead of the environment's or the one of the data directory.
    pub fn with_library(mut self, library: PathBuf) -> Self {
        self.library = Some(library);
        self
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The library that a start would load, if there is one.
    pub fn library(&self) -> Option<PathBuf> {
        find_library(&self.data_dir, self.library.as_deref())
    }

    /// The endpoint of the running server; joins or starts one if need be. A start goes on when the caller gives up,
    /// so that a slow machine has a server when it is asked again.
    pub async fn endpoint(self: &Arc<Self>) -> Result<Endpoint, SourceError> {
        let this = Arc::clone(self);
        tokio::spawn(async move { this.find_or_start().await })
            .await
            .unwrap_or_else(|error| Err(cannot_start(&error.to_string())))
    }

    async fn find_or_start(&self) -> Result<Endpoint, SourceError> {
        let mut current = self.current.lock().await;
        if let Some(endpoint) = &*current {
            return Ok(endpoint.clone());
        }
        let folder = &self.folder;
        // Another process may serve a folder without the library; where there is none, none is made for nothing.
        if !folder.is_dir() {
            self.installed()?;
        }
        endpoint::create_private_folder(folder).map_err(|error| unusable(folder, &error))?;
        let lock = endpoint::lock(folder, START).await.map_err(|error| unusable(folder, &error))?;
        let found = match endpoint::read(folder) {
            Some(endpoint) if answers(&endpoint, PROBE).await => endpoint,
            _ => self.start(folder).await?,
        };
        drop(lock);
        *current = Some(found.clone());
        Ok(found)
    }

    /// Says that `endpoint` did not answer, so that the next caller looks again.
    pub async fn lost(&self, endpoint: &Endpoint) {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(|known| known.is(endpoint)) {
            *current = None;
        }
    }

    /// Ends the server if it is ours.
    pub async fn close(&self) {
        *self.current.lock().await = None;
        self.end_child();
    }

    fn end_child(&self) {
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((mut child, endpoint)) = child {
            endpoint::remove(&self.folder, &endpoint);
            // Killing is what the end of standard input does too, and waits for nobody's idle connection.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn installed(&self) -> Result<PathBuf, SourceError> {
        self.library().ok_or_else(|| {
            SourceError::new(SourceErrorKind::Unavailable, "the embedded ClickHouse is not installed")
                .hint("run `tfo-mcp setup clickhouse` once (about 180 MB), or set a ClickHouse URL")
        })
    }

    async fn start(&self, folder: &Path) -> Result<Endpoint, SourceError> {
        let library = self.installed()?;
        let executable = match &self.executable {
            Some(executable) => executable.clone(),
            None => std::env::current_exe().map_err(|error| cannot_start(&error.to_string()))?,
        };
        self.end_child();
        let deadline = Instant::now() + START;
        loop {
            match self.try_start(folder, &library, &executable, deadline).await {
                // The files are locked by a server whose owner has just died and which is about to end.
                Err(error) if error.message.contains("Code: 76.") && Instant::now() < deadline => {
                    tokio::time::sleep(POLL).await;
                }
                result => return result,
            }
        }
    }

    async fn try_start(
        &self,
        folder: &Path,
        library: &Path,
        executable: &Path,
        deadline: Instant,
    ) -> Result<Endpoint, SourceError> {
        let password = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        configure(folder, &password).map_err(|error| unusable(folder, &error))?;
        let port_file = folder.join(PORT_FILE);
        match std::fs::remove_file(&port_file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unusable(folder, &error)),
            _ => {}
        }

        let mut child = Command::new(executable)
            .arg(SUBCOMMAND)
            .arg(library)
            .arg(folder)
            // It counts for more than the configuration.
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Out of the terminal's process group, so that Ctrl-C reaches only us.
            .process_group(0)
            .spawn()
            .map_err(|error| cannot_start(&format!("`{}`: {error}", executable.display())))?;
        let complaints = child.stderr.take().map(Complaints::collect);

        // Ends the child if this future is dropped or fails; disarmed when the child is handed over.
        let mut child = Guard(Some(child));
        let endpoint = loop {
            if let Some(port) = std::fs::read_to_string(&port_file).ok().as_deref().and_then(complete_port) {
                break Endpoint { pid: child.id(), port, password: password.clone().into() };
            }
            if child.has_ended() {
                return Err(cannot_start(&complaints.map_or_else(String::new, |c| c.text_at_end())));
            }
            if Instant::now() >= deadline {
                return Err(cannot_start("it did not listen in time"));
            }
            tokio::time::sleep(POLL).await;
        };
        if !answers(&endpoint, deadline.saturating_duration_since(Instant::now())).await {
            return Err(cannot_start("it listens but does not answer"));
        }
        endpoint::write(folder, &endpoint).map_err(|error| unusable(folder, &error))?;
        tracing::info!(port = endpoint.port, pid = endpoint.pid, "started the embedded ClickHouse");
        if let Some(child) = child.0.take() {
            *self.child.lock().unwrap_or_else(PoisonError::into_inner) = Some((child, endpoint.clone()));
        }
        Ok(endpoint)
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.end_child();
    }
}

/// The library to load: an explicit one, the environment's, the data directory's. It may not be there yet.
pub fn named_library(data_dir: &Path, explicit: Option<&Path>) -> PathBuf {
    let named = explicit
        .map(Path::to_path_buf)
        .or_else(|| std::env::var_os(LIBRARY_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from));
    named.unwrap_or_else(|| library_path(data_dir))
}

/// The same if it is there.
pub fn find_library(data_dir: &Path, explicit: Option<&Path>) -> Option<PathBuf> {
    // A library that was named but is not there is an error of the operator, not a reason to load another one.
    Some(named_library(data_dir, explicit)).filter(|path| path.is_file())
}

async fn answers(endpoint: &Endpoint, patience: Duration) -> bool {
    let client = clickhouse::Client::default()
        .with_url(endpoint.url())
        .with_user(Endpoint::USER)
        .with_password(endpoint.password.expose_secret())
        .with_compression(clickhouse::Compression::None);
    matches!(tokio::time::timeout(patience, client.query_raw("SELECT 1 FORMAT Null").execute()).await, Ok(Ok(())))
}

/// Writes the server's configuration. The password itself stays in `endpoint.json`.
fn configure(folder: &Path, password: &str) -> std::io::Result<()> {
    let users = folder.join(USERS_FILE);
    // The session inside the child logs in as `default` and cannot give a password, so over HTTP only requests that
    // name the other user are handled at all: user and password come in headers, and ClickHouse refuses a request
    // that gives a second pair in another way.
    let config = format!(
        "<clickhouse>\n\
         <logger><level>none</level></logger>\n\
         <users_config>{users}</users_config>\n\
         <timezone>UTC</timezone>\n\
         <shutdown_wait_unfinished>1</shutdown_wait_unfinished>\n\
         <max_server_memory_usage_to_ram_ratio>0.5</max_server_memory_usage_to_ram_ratio>\n\
         <http_handlers><rule>\n\
         <headers><X-ClickHouse-User>{user}</X-ClickHouse-User></headers>\n\
         <handler><type>dynamic_query_handler</type><query_param_name>query</query_param_name></handler>\n\
         </rule></http_handlers>\n\
         </clickhouse>\n",
        users = xml_text(&users.to_string_lossy()),
        user = Endpoint::USER,
    );
    let account = |credential: &str| {
        format!("{credential}<networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>")
    };
    let hash = hexadecimal(digest::digest(&digest::SHA256, password.as_bytes()).as_ref());
    let users_config = format!(
        "<clickhouse>\n<profiles><default/></profiles>\n<quotas><default/></quotas>\n<users>\n\
         <default>{local}</default>\n<{user}>{remote}</{user}>\n</users>\n</clickhouse>\n",
        local = account("<no_password/>"),
        user = Endpoint::USER,
        remote = account(&format!("<password_sha256_hex>{hash}</password_sha256_hex>")),
    );
    endpoint::write_private(&users, users_config.as_bytes())?;
    endpoint::write_private(&folder.join(CONFIG_FILE), config.as_bytes())
}

fn xml_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The port, once the server has written all of it.
fn complete_port(text: &str) -> Option<u16> {
    text.strip_suffix('\n')?.parse().ok().filter(|port| *port != 0)
}

fn cannot_start(why: &str) -> SourceError {
    let why = why.lines().find(|line| !line.trim().is_empty()).unwrap_or("it ended at once").trim();
    SourceError::new(SourceErrorKind::Unavailable, format!("cannot start the embedded ClickHouse: {why}"))
        .hint("run `tfo-mcp doctor`; `tfo-mcp setup clickhouse` repairs a damaged library")
}

fn unusable(folder: &Path, error: &std::io::Error) -> SourceError {
    SourceError::new(SourceErrorKind::Unavailable, format!("cannot use the folder `{}`: {error}", folder.display()))
        .hint("give a data directory that you can write to with `--data-dir`")
}

struct Guard(Option<Child>);

impl Guard {
    fn id(&self) -> u32 {
        self.0.as_ref().map_or(0, Child::id)
    }

    fn has_ended(&mut self) -> bool {
        self.0.as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What the child says on standard error: kept while it starts, logged as long as it lives.
struct Complaints {
    text: Arc<Mutex<String>>,
    reader: std::thread::JoinHandle<()>,
}

impl Complaints {
    const KEPT: usize = 16 * 1024;

    /// A thread rather than a task: the child may outlive the runtime that happened to start it.
    fn collect(stderr: ChildStderr) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&text);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                tracing::debug!(line, "embedded ClickHouse");
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                if kept.len() < Self::KEPT {
                    kept.push_str(&line);
                    kept.push('\n');
                }
            }
        });
        Self { text, reader }
    }

    /// Everything that was said, after the child has ended.
    fn text_at_end(self) -> String {
        let _ = self.reader.join();
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
