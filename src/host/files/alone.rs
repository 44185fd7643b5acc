//! One change in a folder at a time, in this server and among all that run on this machine, and what is swept before it.
//!
//! Servers agree by a lock on the folder (`flock`), which the system gives up when its holder is gone. Programs that do not
//! ask for it are noticed by what they leave (`write`).

use std::{
    collections::HashSet,
    ffi::{OsStr, OsString},
    fs::File,
    os::unix::ffi::OsStrExt as _,
    sync::{MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use cap_std::fs::Dir;
use rustix::{
    fs::{FlockOperation, Mode, OFlags, flock, openat},
    io::Errno,
};

use super::{super::own::Inode, FileError, Files, zone::inode};

/// Longest wait for others who change something in a folder, and how often it is tried.
const PATIENCE: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_millis(2);

/// Most folders that are remembered as swept.
const REMEMBERED: usize = 10_000;

/// What stands around the number of a file that is being written.
const BEFORE: &str = ".tfo-mcp-";
const BEHIND: &str = ".tmp";

/// Folders in which nothing is left of writers that were killed.
pub(super) type Swept = HashSet<Inode>;

/// Nobody else changes anything meanwhile: in this server, and in this folder.
pub(super) struct Alone<'a> {
    files: &'a Files,
    /// None: others go on while a folder is waited for.
    swept: Option<MutexGuard<'a, Swept>>,
    /// None: the file system knows no locks.
    _folder: Option<File>,
}

/// A new name for what is being written.
pub(super) fn draft_name() -> OsString {
    format!("{BEFORE}{}{BEHIND}", uuid::Uuid::new_v4()).into()
}

/// Whether a name is one of those.
fn is_draft(name: &OsStr) -> bool {
    let inner = name.as_bytes().strip_prefix(BEFORE.as_bytes()).and_then(|name| name.strip_suffix(BEHIND.as_bytes()));
    inner.and_then(|inner| std::str::from_utf8(inner).ok()).is_some_and(|inner| uuid::Uuid::try_parse(inner).is_ok())
}

impl Files {
    /// Waits until nobody else of this server changes anything.
    ///
    /// # Errors
    /// The call was given up meanwhile, or its time is over.
    pub(super) fn alone(&self) -> Result<Alone<'_>, FileError> {
        let alone = Alone { files: self, swept: Some(self.one_at_a_time()), _folder: None };
        self.may_change()?;
        Ok(alone)
    }

    fn one_at_a_time(&self) -> MutexGuard<'_, Swept> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Alone<'_> {
    /// Waits until no other server changes anything in a folder, and takes away what one that was killed left in it. Whoever
    /// changes something in another folder does not wait for it.
    ///
    /// # Errors
    /// Somebody holds the folder for longer than five seconds, or the call was given up.
    pub(super) fn within(&mut self, folder: &Dir, said: &str) -> Result<(), FileError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(handle) = openat(folder, ".", flags, Mode::empty()) else { return Ok(()) };
        let handle = File::from(handle);
        let until = Instant::now() + PATIENCE;
        loop {
            match flock(&handle, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(Errno::WOULDBLOCK) if Instant::now() < until => {
                    self.swept = None;
                    std::thread::sleep(AGAIN);
                    self.swept = Some(self.files.one_at_a_time());
                    self.files.may_change()?;
                }
                Err(Errno::WOULDBLOCK) => {
                    let message = format!("another program holds the folder of `{said}` locked; nothing was changed");
                    return Err(FileError::failed(message).hint("try again"));
                }
                Err(Errno::INTR) => {}
                // What cannot be locked, as on some network file systems, is changed as if nobody else were there.
                Err(_) => return Ok(()),
            }
        }
        self._folder = Some(handle);
        self.sweep(folder);
        Ok(())
    }

    /// Whoever writes holds the folder: what is left of others is nobody's any more.
    fn sweep(&mut self, folder: &Dir) {
        let (Ok(inode), Some(swept)) = (inode(folder), self.swept.as_mut()) else { return };
        if swept.len() >= REMEMBERED {
            swept.clear();
        }
        if !swept.insert(inode) {
            return;
        }
        for entry in folder.entries().into_iter().flatten().flatten() {
            let name = entry.file_name();
            if is_draft(&name) && entry.file_type().is_ok_and(|kind| kind.is_file()) {
                drop(folder.remove_file(&name));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_known_by_its_whole_name() {
        assert!(is_draft(&draft_name()));
        for name in [".tfo-mcp-.tmp", ".tfo-mcp-notes.tmp", "tfo-mcp.tmp", ".tmp", "a"] {
            assert!(!is_draft(OsStr::new(name)), "{name}");
        }
    }
}
