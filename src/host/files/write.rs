//! Writing a file whole: whoever looks, at any moment, sees the old content or the new one.
//!
//! The new content is written beside the old under a name of its own, given to the disk, and renamed over it. A link at the
//! end of the path keeps leading to the file that it led to. Other names of the file (hard links) keep the old content.

use std::{ffi::OsString, io::Write as _};

use cap_std::fs::{Dir, MetadataExt as _, OpenOptions, OpenOptionsExt as _};
use rustix::fs::{Access, AtFlags, Mode, OFlags};

use super::{FileError, Files, place::Target};

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    pub bytes: usize,
    /// Length of the file before; none: it is new.
    pub before: Option<u64>,
}

/// A file that is removed unless it has become what it was written for.
struct Draft<'a> {
    parent: &'a Dir,
    name: OsString,
    done: bool,
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if !self.done {
            drop(self.parent.remove_file(&self.name));
        }
    }
}

impl Files {
    /// Writes a file whole.
    pub fn write(&self, path: &str, content: &[u8], create_dirs: bool) -> Result<Written, FileError> {
        let place = self.place(path)?;
        let _alone = self.changing();
        let target = place.target(self, &self.own.now(), create_dirs).map_err(|error| match create_dirs {
            false if error.hint.as_deref() == Some("make the folder first") => {
                error.hint("`create_dirs: true` makes it")
            }
            _ => error,
        })?;
        let target = target.changeable(path)?;
        target.replace(content, path)?;
        Ok(Written { bytes: content.len(), before: target.existing.as_ref().map(cap_std::fs::Metadata::len) })
    }
}

impl Target {
    /// Puts the content in the place of what is there, with its mode: who may read, write and run it. What lets a program run
    /// as its owner or group was given to the old content, and is not given to the new one.
    pub(super) fn replace(&self, content: &[u8], said: &str) -> Result<(), FileError> {
        let failed = |error| FileError::of(said, &error);
        if self.existing.is_some() {
            // A new file beside it would not ask whether this one may be written.
            rustix::fs::accessat(&self.parent, &self.name, Access::WRITE_OK, AtFlags::EACCESS)
                .map_err(|error| failed(error.into()))?;
        }
        let mut draft =
            Draft { parent: &self.parent, name: format!(".tfo-mcp-{}.tmp", uuid::Uuid::new_v4()).into(), done: false };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(if self.existing.is_some() { 0o600 } else { 0o666 });
        let mut file = self.parent.open_with(&draft.name, &options).map_err(failed)?.into_std();
        file.write_all(content).map_err(failed)?;
        if let Some(existing) = &self.existing {
            // Whoever may not give files away keeps its own: the mode matters, and with another owner it is not wider.
            let _ = std::os::unix::fs::fchown(&file, Some(existing.uid()), Some(existing.gid()));
            rustix::fs::fchmod(&file, Mode::from_bits_truncate(existing.mode() & 0o777))
                .map_err(|error| failed(error.into()))?;
        }
        file.sync_all().map_err(failed)?;
        self.parent.rename(&draft.name, &self.parent, &self.name).map_err(failed)?;
        draft.done = true;
        sync(&self.parent);
        Ok(())
    }
}

/// Gives the names of a folder to the disk. Where that is not known, there is nothing to be done about it.
pub(super) fn sync(folder: &Dir) {
    let opened = rustix::fs::openat(folder, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    if let Ok(opened) = opened {
        let _ = rustix::fs::fsync(opened);
    }
}
