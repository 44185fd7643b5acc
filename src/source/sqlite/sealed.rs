//! Files in WAL mode that may only be read.
//!
//! A reader of such a file wants to write beside it: what readers and writers agree on lies in `-shm`. Where it may
//! not, on a read-only medium or in somebody else's folder, SQLite opens the file all the same if it is told that
//! nobody changes it. That is true as long as no `-wal` with content lies beside it and the file stays as it was; both
//! are looked at before every statement.

use std::{
    ffi::OsString,
    fs::File,
    io::Read as _,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::error;
use crate::source::{SourceError, SourceErrorKind};

/// What a file was like when it was opened as one that nobody changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seal {
    modified: (i64, i64),
    length: u64,
}

impl Seal {
    /// Whether a file that could not be opened may be opened as one that nobody changes.
    ///
    /// # Errors
    /// What is in the way where that would leave changes out.
    pub fn instead(path: &Path, failed: &sqlx::Error) -> Result<Option<Self>, SourceError> {
        // SQLITE_READONLY and SQLITE_CANTOPEN
        if !matches!(error::code(failed), Some(8 | 14)) || !is_in_wal_mode(path) {
            return Ok(None);
        }
        match Self::of(path) {
            Some(seal) => Ok(Some(seal)),
            None => Err(SourceError::new(
                SourceErrorKind::Unavailable,
                format!(
                    "the SQLite database at `{}` has changes in its write-ahead log, and its folder may only be read",
                    path.display()
                ),
            )
            .hint(
                "let this program write into the folder, or empty the log where that may be done: \
                 `PRAGMA wal_checkpoint(TRUNCATE)`",
            )),
        }
    }

    /// The file as it is now; none where its last changes lie beside it.
    pub fn of(path: &Path) -> Option<Self> {
        let mut log = OsString::from(path);
        log.push("-wal");
        if std::fs::metadata(PathBuf::from(log)).is_ok_and(|log| log.len() > 0) {
            return None;
        }
        let file = std::fs::metadata(path).ok()?;
        Some(Self { modified: (file.mtime(), file.mtime_nsec()), length: file.len() })
    }
}

/// Bytes 18 and 19 of the header: <https://sqlite.org/fileformat2.html#file_format_version_numbers>.
fn is_in_wal_mode(path: &Path) -> bool {
    let mut header = [0; 20];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    read.is_ok() && header.ends_with(&[2, 2])
}
