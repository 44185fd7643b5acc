//! Writing a file whole: whoever looks, at any moment, sees the old content or the new one.
//!
//! The new content is written beside the old under a name of its own, given to the disk, and renamed over it. A link at the
//! end of the path keeps leading to the file that it led to. Other names of the file (hard links) keep the old content.

use std::{ffi::OsString, io::Write as _, os::unix::fs::MetadataExt as _};

use cap_std::fs::{Dir, MetadataExt as _, OpenOptions, OpenOptionsExt as _};
use rustix::{
    fs::{Access, AtFlags, Mode, OFlags, XattrFlags},
    io::Errno,
};

use super::{FileError, Files, WHOLE, place::Target, read::whole};
use crate::masking::MASK;

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
        let known = self.own.now();
        let target = place.target(self, &known, create_dirs).map_err(|error| match create_dirs {
            false if error.hint.as_deref() == Some("make the folder first") => {
                error.hint("`create_dirs: true` makes it")
            }
            _ => error,
        })?;
        let target = target.changeable(path)?;
        if let Ok(new) = std::str::from_utf8(content)
            && new.contains(MASK)
            && target.existing.as_ref().is_some_and(|was| was.len() <= WHOLE)
            && let Ok((file, meta)) = self.open_in(&target.parent, &target.name, path, &known)
            && let Ok(was) = String::from_utf8(whole(file, path, meta.len())?)
        {
            self.keeps_what_is_masked(&was, new, path)?;
        }
        target.replace(content, path, None)?;
        Ok(Written { bytes: content.len(), before: target.existing.as_ref().map(cap_std::fs::Metadata::len) })
    }
}

impl Target {
    /// Puts the content in the place of what is there, with its owner, mode and attributes: who may read, write and run it. What
    /// lets a program run as its owner or group was given to the old content, and is not given to the new one. `read` is what
    /// the content was made from: another file, or one that was changed since, stays.
    pub(super) fn replace(
        &self,
        content: &[u8],
        said: &str,
        read: Option<&std::fs::Metadata>,
    ) -> Result<(), FileError> {
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
            let mode = Mode::from_bits_truncate(existing.mode() & 0o777);
            let (owner, group) = (existing.uid(), existing.gid());
            if std::os::unix::fs::fchown(&file, Some(owner), Some(group)).is_err() {
                let _ = std::os::unix::fs::fchown(&file, None, Some(group));
            }
            // The mode of a file says something about its owner and group alone.
            let became = file.metadata().map_err(failed)?;
            if (became.uid(), became.gid()) != (owner, group) {
                return Err(FileError::forbidden(format!(
                    "`{said}` belongs to account {owner} and group {group}, to which this server may not give its new content; \
                     nothing was changed"
                ))
                .hint("a command that writes into the file keeps them, or its operator lets the server run as that account"));
            }
            rustix::fs::fchmod(&file, mode).map_err(|error| failed(error.into()))?;
            attributes(&self.parent, &self.name, &file).map_err(failed)?;
        }
        file.sync_all().map_err(failed)?;
        let is_same = |read: &std::fs::Metadata| {
            self.parent.symlink_metadata(&self.name).is_ok_and(|now| state(&now) == state_of(read))
        };
        if read.is_some_and(|read| !is_same(read)) {
            return Err(FileError::failed(format!("`{said}` changed while it was edited; it was left as it is now"))
                .hint("read it again"));
        }
        self.parent.rename(&draft.name, &self.parent, &self.name).map_err(failed)?;
        draft.done = true;
        sync(&self.parent);
        Ok(())
    }
}

/// Which file it is and when its content was changed.
fn state(meta: &cap_std::fs::Metadata) -> [i128; 5] {
    [meta.dev().into(), meta.ino().into(), meta.len().into(), meta.mtime().into(), meta.mtime_nsec().into()]
}

fn state_of(meta: &std::fs::Metadata) -> [i128; 5] {
    [meta.dev().into(), meta.ino().into(), meta.len().into(), meta.mtime().into(), meta.mtime_nsec().into()]
}

/// Attributes that say who may do what (access control lists), and those that users give.
const LIST: &str = "system.posix_acl_access";
const OF_USERS: &[u8] = b"user.";

/// Gives a new file the attributes of the one that it replaces, and takes from it those that its folder gave it.
fn attributes(parent: &Dir, name: &std::ffi::OsStr, file: &std::fs::File) -> std::io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let was = match rustix::fs::openat(parent, name, flags, Mode::empty()) {
        Ok(was) => was,
        // Who may not read it reads no attributes either; a list of its folder must not open more than its mode does.
        Err(_) => return without_list(file),
    };
    let names = read(|buffer| rustix::fs::flistxattr(&was, buffer))?;
    let mut has_list = false;
    for name in names.split(|byte| *byte == 0) {
        if name != LIST.as_bytes() && !name.starts_with(OF_USERS) {
            continue;
        }
        let value = read(|buffer| rustix::fs::fgetxattr(&was, name, buffer))?;
        rustix::fs::fsetxattr(file, name, &value, XattrFlags::empty())?;
        has_list |= name == LIST.as_bytes();
    }
    if has_list { Ok(()) } else { without_list(file) }
}

fn without_list(file: &std::fs::File) -> std::io::Result<()> {
    match rustix::fs::fremovexattr(file, LIST) {
        Err(error) if !matches!(error, Errno::NODATA | Errno::OPNOTSUPP) => Err(error.into()),
        _ => Ok(()),
    }
}

/// Bytes of a length that is not known before; none where the file system has none of them.
fn read(mut ask: impl FnMut(&mut [u8]) -> Result<usize, Errno>) -> std::io::Result<Vec<u8>> {
    // The kernel lets no list and no value be longer.
    let mut buffer = vec![0; 64 << 10];
    match ask(&mut buffer) {
        Ok(length) => {
            buffer.truncate(length);
            Ok(buffer)
        }
        Err(Errno::OPNOTSUPP) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// Gives the names of a folder to the disk. Where that is not known, there is nothing to be done about it.
pub(super) fn sync(folder: &Dir) {
    let opened = rustix::fs::openat(folder, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    if let Ok(opened) = opened {
        let _ = rustix::fs::fsync(opened);
    }
}
