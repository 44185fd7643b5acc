//! Whether the files of packs are still the same: cheaply, by what the file system says of them, or surely, by
//! their content.

use std::{
    collections::hash_map::DefaultHasher,
    fs,
    hash::{Hash as _, Hasher as _},
    io::Read as _,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::load::{self, MAX_FILE_SIZE};

/// A hash of the paths and contents of all files; equal where nothing changed.
pub type Fingerprint = u64;

/// Some file systems keep times in whole seconds: a file that is younger may change without looking changed.
const YOUNG: Duration = Duration::from_secs(3);

/// What the file system says of packs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    hash: u64,
    /// Whether a file is so young that its next change might not show.
    young: bool,
}

impl Stamp {
    /// Whether a later stamp proves that nothing changed since.
    pub(super) fn proves(&self, later: &Self) -> bool {
        self.hash == later.hash && !self.young
    }

    /// Whether a later stamp shows a change.
    pub(super) fn differs(&self, later: &Self) -> bool {
        self.hash != later.hash
    }
}

pub(super) fn stamp(packs: &[PathBuf]) -> Stamp {
    let survey = load::survey(packs);
    let mut hash = DefaultHasher::new();
    let mut young = false;
    survey.findings.hash(&mut hash);
    for path in survey.folders.iter().chain(&survey.files) {
        path.hash(&mut hash);
        let Ok(about) = fs::metadata(path) else { continue };
        (about.dev(), about.ino()).hash(&mut hash);
        if about.is_file() {
            (about.len(), about.mtime(), about.mtime_nsec(), about.ctime(), about.ctime_nsec()).hash(&mut hash);
            let age = about.modified().ok().and_then(|at| SystemTime::now().duration_since(at).ok());
            young |= age.is_none_or(|age| age < YOUNG);
        }
    }
    Stamp { hash: hash.finish(), young }
}

pub(super) fn fingerprint(packs: &[PathBuf]) -> Fingerprint {
    let survey = load::survey(packs);
    let mut hash = DefaultHasher::new();
    survey.findings.hash(&mut hash);
    for path in &survey.files {
        path.hash(&mut hash);
        match content(path) {
            Ok(bytes) => bytes.hash(&mut hash),
            Err(error) => error.kind().to_string().hash(&mut hash),
        }
    }
    hash.finish()
}

fn content(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if fs::metadata(path)?.is_file() {
        fs::File::open(path)?.take(MAX_FILE_SIZE + 1).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
