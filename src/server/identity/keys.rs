//! API keys: a file of fingerprints, and who may show which key.
//!
//! A key is `tfo_`, a public id and 256 random bits. The file keeps the SHA-256 of the bits: a slow hash defends
//! guessable passwords, and nobody guesses 256 random bits, so a fast one gives nothing away and costs a request
//! microseconds. The file is written whole under another name and moved into place; a running server sees a new
//! key, and the end of one, within a second.

use std::{
    collections::HashMap,
    fs, io,
    io::Write as _,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use ring::{
    digest,
    rand::{SecureRandom as _, SystemRandom},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;
use time::OffsetDateTime;
use tokio::sync::Mutex;

use crate::{engine::Principal, load, written};

/// How every key begins, so that scanners for leaked secrets know one.
pub const PREFIX: &str = "tfo_";

/// How often the file is looked at, at most.
const LOOK: Duration = Duration::from_secs(1);
/// Largest file that is read.
const MAX_FILE: u64 = 16 << 20;
const HEAD: &str = "# Written by `tfo-mcp keys`. It holds no secret: `sha256` is the fingerprint of one.\n";

/// What is kept of a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    pub name: String,
    /// Public part of the key, by which it is found.
    pub id: String,
    /// Fingerprint of the secret part, in hexadecimal.
    pub sha256: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created: OffsetDateTime,
    /// When it ends; never where not given.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub expires: Option<OffsetDateTime>,
    pub organizations: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Toolsets that it opens; all where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toolsets: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub claims: Map<String, Value>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    keys: Vec<Key>,
}

impl Key {
    pub fn expired(&self, now: OffsetDateTime) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    fn principal(&self) -> Principal {
        Principal {
            organizations: Some(self.organizations.clone()),
            workspace_id: self.workspace.clone(),
            user_id: self.user.clone(),
            subject: Some(format!("key:{}", self.name)),
            credential: Some(self.id.clone()),
            scopes: Some(self.scopes.clone()),
            toolsets: self.toolsets.clone(),
            claims: self.claims.clone(),
        }
    }
}

/// A key that was made, and the only sight of its secret.
pub struct Created {
    pub id: String,
    pub sha256: String,
    /// The whole key, as a client sends it.
    pub secret: String,
}

/// Makes a key of 256 random bits.
///
/// # Errors
/// The system has no randomness.
pub fn generate() -> io::Result<Created> {
    let random = SystemRandom::new();
    let (mut id, mut secret) = ([0_u8; 6], [0_u8; 32]);
    let filled = random.fill(&mut id).and_then(|()| random.fill(&mut secret));
    filled.map_err(|_| io::Error::other("the system gave no random numbers"))?;
    let (id, secret) = (hex(&id), hex(&secret));
    Ok(Created { sha256: hex(&fingerprint(&secret)), secret: format!("{PREFIX}{id}_{secret}"), id })
}

/// All keys of a file, in its order; none where the file does not exist.
///
/// # Errors
/// It cannot be read, others than its owner may write it, or it is no file of keys.
pub fn read(path: &Path) -> io::Result<Vec<Key>> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    if metadata.mode() & 0o022 != 0 {
        let what = format!("others than its owner may write {}: run `chmod 600` on it", path.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
    }
    if metadata.len() > MAX_FILE {
        return Err(io::Error::other(format!("{} is too large for a file of keys", path.display())));
    }
    let wrong = |why: String| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{} is no file of keys: {why}", path.display()))
    };
    let text = written::text(fs::read(path)?).map_err(wrong)?;
    let file: Option<File> = load::plain(&text).map_err(|error| {
        // Where a value is none of a key, the line is not known.
        let mut lines = text.lines().skip(error.line.unwrap_or(1).saturating_sub(1));
        let hidden = match error.line {
            Some(_) => lines.next().and_then(written::invisible),
            None => lines.find_map(written::invisible),
        };
        wrong(match hidden {
            Some(hidden) => format!("{error} (in it stands {hidden}, which nobody sees)"),
            None => error.to_string(),
        })
    })?;
    Ok(file.unwrap_or_default().keys)
}

/// Changes the keys of a file as a whole: no reader sees half of it, and no two writers lose each other's keys.
///
/// # Errors
/// It cannot be read or written, or `change` refuses.
pub fn change<T>(path: &Path, change: impl FnOnce(&mut Vec<Key>) -> io::Result<T>) -> io::Result<T> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    // The lock is on the folder, because the file itself is replaced.
    let lock = fs::File::open(folder)?;
    lock.lock()?;
    let mut keys = read(path)?;
    let answer = change(&mut keys)?;
    let text = block(&keys)?;
    let next = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&next)?;
    let written = file
        .write_all(HEAD.as_bytes())
        .and_then(|()| file.write_all(text.as_bytes()))
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&next, path));
    if written.is_err() {
        let _ = fs::remove_file(&next);
    }
    written.and_then(|()| lock.sync_all()).map(|()| answer)
}

/// Keys as YAML: a line for each thing that is said of one, its value as JSON, which needs no care for columns.
fn block(keys: &[Key]) -> io::Result<String> {
    let mut text = if keys.is_empty() { "keys: []\n" } else { "keys:\n" }.to_owned();
    for key in keys {
        let Value::Object(members) = serde_json::to_value(key)? else { continue };
        for (n, (name, value)) in members.iter().enumerate() {
            let start = if n == 0 { "-" } else { " " };
            text.push_str(&format!("{start} {name}: {value}\n"));
        }
    }
    Ok(text)
}

/// The keys of a file, as a running server sees them.
#[derive(Debug)]
pub struct Keys {
    path: PathBuf,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    looked: Option<Instant>,
    stamp: Stamp,
    /// By id; or why they cannot be read.
    keys: Option<Result<ById, String>>,
}

/// What changes when the file does: time, length and inode; none where there is no file.
type Stamp = Option<(i64, i64, u64, u64, u32)>;

impl Keys {
    pub fn new(path: PathBuf) -> Self {
        Self { path, seen: Mutex::default() }
    }

    /// Whose key this is; none where it is not known or has expired.
    ///
    /// # Errors
    /// The keys cannot be read. Nobody is let in then: a revoked key must not come back with a broken file.
    pub async fn principal(&self, key: &str) -> Result<Option<Principal>, String> {
        let keys = self.current().await?;
        let Some((id, secret)) = key.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')) else {
            return Ok(None);
        };
        let Some(known) = keys.get(id) else { return Ok(None) };
        let shown = hex(&fingerprint(secret));
        let same = bool::from(shown.as_bytes().ct_eq(known.sha256.as_bytes()));
        Ok((same && !known.expired(OffsetDateTime::now_utc())).then(|| known.principal()))
    }

    /// Whether there is a file of keys, whatever it holds, or something that cannot be told from one.
    pub async fn exist(&self) -> bool {
        self.current().await.is_err() || self.seen.lock().await.stamp.is_some()
    }

    async fn current(&self) -> Result<ById, String> {
        let mut seen = self.seen.lock().await;
        let fresh = seen.looked.is_some_and(|at| at.elapsed() < LOOK);
        if let (true, Some(keys)) = (fresh, &seen.keys) {
            return keys.clone();
        }
        // What could not be read is tried again: it may be a disk that came back.
        let before = seen.keys.clone().and_then(Result::ok).map(|keys| (seen.stamp, keys));
        let path = self.path.clone();
        let looked = tokio::task::spawn_blocking(move || look(&path, before)).await;
        let (stamp, keys) = looked.map_err(|error| error.to_string())?;
        *seen = Seen { looked: Some(Instant::now()), stamp, keys: Some(keys.clone()) };
        keys
    }
}

type ById = Arc<HashMap<String, Key>>;

/// The keys of a file; those from before where it did not change.
fn look(path: &Path, before: Option<(Stamp, ById)>) -> (Stamp, Result<ById, String>) {
    let stamp = fs::metadata(path).ok().map(|m| (m.mtime(), m.mtime_nsec(), m.len(), m.ino(), m.mode()));
    // Nothing is kept of a file that was not there: it may be there now, and not to be seen.
    if let Some((of, keys)) = before
        && of.is_some()
        && of == stamp
    {
        return (stamp, Ok(keys));
    }
    let read = read(path).map_err(|error| error.to_string());
    (stamp, read.map(|keys| Arc::new(keys.into_iter().map(|key| (key.id.clone(), key)).collect())))
}

fn fingerprint(secret: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, secret.as_bytes()).as_ref());
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
