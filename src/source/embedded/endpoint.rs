//! `endpoint.json`: how the processes that share one data directory find the server of the one that owns it.
//!
//! Only the owner of the lock file reads-and-replaces it, so two processes never start two servers. The file is
//! readable by its owner only, for it holds the password.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    time::{Duration, Instant},
};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::layout::{ENDPOINT_FILE, LOCK_FILE};

/// How to reach a running server.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Process id of the server.
    pub pid: u32,
    pub port: u16,
    pub password: SecretString,
}

impl Endpoint {
    /// The one user that the server lets in over HTTP.
    pub const USER: &'static str = "tfo";

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Whether both are the same start of a server; passwords are never used twice.
    pub fn is(&self, other: &Endpoint) -> bool {
        self.port == other.port && self.password.expose_secret() == other.password.expose_secret()
    }
}

#[derive(Serialize, Deserialize)]
struct EndpointFile {
    pid: u32,
    port: u16,
    password: String,
}

/// Reads the endpoint of `folder`. A missing, foreign or half-written file is no endpoint.
pub(super) fn read(folder: &Path) -> Option<Endpoint> {
    let file: EndpointFile = serde_json::from_slice(&std::fs::read(folder.join(ENDPOINT_FILE)).ok()?).ok()?;
    Some(Endpoint { pid: file.pid, port: file.port, password: file.password.into() })
}

pub(super) fn write(folder: &Path, endpoint: &Endpoint) -> io::Result<()> {
    let file =
        EndpointFile { pid: endpoint.pid, port: endpoint.port, password: endpoint.password.expose_secret().to_owned() };
    write_private(&folder.join(ENDPOINT_FILE), serde_json::to_string(&file)?.as_bytes())
}

/// Removes the endpoint if it still is this one.
pub(super) fn remove(folder: &Path, endpoint: &Endpoint) {
    if read(folder).is_some_and(|current| current.is(endpoint)) {
        let _ = std::fs::remove_file(folder.join(ENDPOINT_FILE));
    }
}

/// Writes a file that only its owner can read, whole or not at all.
pub(super) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(content)?;
    drop(file);
    std::fs::rename(draft, path)
}

/// Creates a folder, and those above it, that only its owner can enter.
pub(super) fn create_private_folder(path: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Waits for the right to look for or start the server of `folder`. The file is the lock as long as it is open.
pub(super) async fn lock(folder: &Path, patience: Duration) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(folder.join(LOCK_FILE))?;
    let deadline = Instant::now() + patience;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "another process holds the lock for too long"));
            }
            Err(TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}
