//! Files below the folders of the settings, reached through capabilities of those folders alone.
//!
//! A folder is opened once, when the server starts. From then on every path is walked below that handle by the system
//! itself (`openat2` with `RESOLVE_BENEATH` on Linux), so that no `..`, link or swap on the way leads out of it. No check of a
//! text decides that. What is left to check is the thing at the end: a plain file with one name, whose folder is opened first;
//! from that handle upwards is found whose rules it has, and whether it is the server's own (`zone`).

mod closest;
mod decode;
mod edit;
mod error;
mod list;
mod moving;
mod place;
mod read;
mod search;
mod write;
mod zone;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use cap_std::{ambient_authority, fs::Dir};

pub use edit::{Edit, Edited};
pub use error::{FileError, FileErrorKind};
pub use list::{Entry, Info, Listed, Listing, Sort};
pub use moving::Move;
pub use read::{Content, Range, Read, Unit};
pub use search::{Found, Match, Search};
pub use write::Written;

use super::own::Own;
use crate::settings;

/// Longest file that is edited or searched, and the longest that is decoded whole.
const WHOLE: u64 = 16 << 20;

/// The folders that callers may touch, and how.
#[derive(Default)]
pub struct Files {
    roots: Vec<Root>,
    max_read: usize,
    hard_links: bool,
    /// Files and folders of this server, which no caller reads or changes.
    own: Own,
    /// One change after the other: an edit writes what it has read.
    changes: Mutex<()>,
}

/// Which folders there are where the settings name none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// The caller is whoever started the server: the working folder.
    Here,
    /// The caller is somebody on a network: none, and what is named is not changed unless the settings say so.
    Elsewhere,
}

/// A folder.
struct Root {
    /// As whoever set it wrote it, absolute.
    path: PathBuf,
    /// The same without links.
    real: PathBuf,
    /// Why it cannot be opened.
    dir: Result<Dir, String>,
    read_only: bool,
}

/// What a call is given: whether it was given up, and until when a search may go on.
#[derive(Clone)]
pub struct Bounds {
    pub given_up: Arc<AtomicBool>,
    pub until: Instant,
}

impl Bounds {
    fn check(&self) -> Result<(), FileError> {
        if self.given_up.load(Ordering::Relaxed) { Err(FileError::cancelled()) } else { Ok(()) }
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }
}

impl Files {
    /// The folders of the settings. `own` is what belongs to the server.
    pub fn new(settings: &settings::Files, caller: Caller, own: Vec<PathBuf>) -> Self {
        let here = || std::env::current_dir().ok().filter(|here| caller == Caller::Here && may_be_default(here));
        let named = settings.roots.iter().map(|path| (path.clone(), false));
        let mut named: Vec<(PathBuf, bool)> =
            named.chain(settings.read_only_roots.iter().map(|path| (path.clone(), true))).collect();
        if named.is_empty() {
            named.extend(here().map(|here| (here, false)));
        }
        let read_only = settings.read_only.unwrap_or(caller == Caller::Elsewhere);
        let roots = named.into_iter().map(|(path, kept)| Root::open(&path, kept || read_only)).collect();
        Self {
            roots,
            max_read: settings.max_read.as_usize().max(1),
            hard_links: settings.hard_links,
            own: Own::new(own),
            changes: Mutex::default(),
        }
    }

    /// Why folders of the settings cannot be opened, for the log of the server.
    pub fn problems(&self) -> impl Iterator<Item = String> {
        self.roots.iter().filter_map(|root| {
            let why = root.dir.as_ref().err()?;
            Some(format!("file tools cannot open the folder `{}`: {why}", root.path.display()))
        })
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Root {
    fn open(path: &Path, read_only: bool) -> Self {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let real = absolute.canonicalize().unwrap_or_else(|_| absolute.clone());
        let dir = Dir::open_ambient_dir(&real, ambient_authority()).map_err(|error| error.to_string());
        Self { path: absolute, real, dir, read_only }
    }
}

/// Whether a working folder is one that somebody chose: programs with windows start servers in `/` or at home.
pub(in crate::host) fn may_be_default(here: &Path) -> bool {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    here.parent().is_some()
        && home.as_deref() != Some(here)
        && home.and_then(|home| home.canonicalize().ok()).as_deref() != Some(here)
}
