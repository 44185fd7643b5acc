//! Writing a file whole: whoever looks, at any moment, sees the old content or the new one.
//!
//! The new content is written beside the old under a name of its own, given to the disk, and put in its place at once. A link
//! at the end of the path keeps leading to the file that it led to. Other names of the file (hard links) keep the old content.

use std::{
    ffi::{OsStr, OsString},
    io::Write as _,
    os::unix::fs::MetadataExt as Std,
};

use cap_std::fs::{Dir, MetadataExt as _, OpenOptions, OpenOptionsExt as _};
use encoding_rs::UTF_8;
use rustix::{
    fs::{Access, AtFlags, Mode, OFlags, RenameFlags, XattrFlags, renameat_with},
    io::Errno,
};

use super::{
    super::own::Known,
    FileError, Files,
    alone::draft_name,
    decode::{Kind, Wanted, decode, encode, has_mark},
    edit::LineEnds,
    place::Target,
    read::whole,
};

/// What is written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Write<'a> {
    pub path: &'a str,
    pub content: &'a str,
    /// Of the file; `base64`: the content is that of bytes. None: that of the file that is there, else UTF-8.
    pub encoding: Option<&'a str>,
    pub create_dirs: bool,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub bytes: usize,
    /// Length of the file before; none: it is new.
    pub before: Option<u64>,
    /// What is other than before beside the content, or was kept without being asked for.
    pub became: Vec<Became>,
}

/// What became of the form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    /// Its encoding and the mark at its beginning were kept.
    Kept(&'static str),
    /// It was no UTF-8 before, and is now.
    Utf8,
    /// It ended its lines with a carriage return, and does not everywhere now.
    LineEnds,
}

/// What the file was that is replaced, as far as it could be read.
pub(super) struct Old {
    pub meta: std::fs::Metadata,
    pub bytes: Vec<u8>,
    /// Or why it is none.
    pub text: Result<String, FileError>,
    pub kind: Kind,
    pub marked: bool,
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
    pub fn write(&self, write: Write<'_>) -> Result<Written, FileError> {
        let Write { path, content, encoding, create_dirs } = write;
        let wanted = Wanted::of(encoding)?;
        let place = self.place(path)?;
        let mut alone = self.alone()?;
        let known = self.own.now();
        let target = place.target(self, &known, create_dirs).map_err(|error| match create_dirs {
            false if error.hint.as_deref() == Some("make the folder first") => {
                error.hint("`create_dirs: true` makes it")
            }
            _ => error,
        })?;
        let mut target = target.changeable(path, self)?;
        alone.within(&target.parent, path)?;
        target.look_again(path)?;
        let there = target.existing.as_ref().map(|_| self.old(&target, path, &known));
        let old = there.as_ref().and_then(|old| old.as_ref().ok());
        let mut became = Vec::new();
        let text = content.strip_prefix('\u{feff}').unwrap_or(content);
        let (encoding, marked) = match (wanted, old) {
            (Wanted::Bytes, _) => (None, false),
            (Wanted::As(encoding), old) => {
                let kept = old.is_some_and(|old| old.kind == Kind::Text(encoding) && old.marked);
                // Without its mark nobody knows UTF-16.
                (Some(encoding), kept || has_mark(encoding))
            }
            (Wanted::Found, Some(Old { kind: Kind::Text(encoding), marked: true, .. })) => {
                became.push(Became::Kept(encoding.name()));
                (Some(*encoding), true)
            }
            (Wanted::Found, old) => {
                became.extend(old.filter(|old| old.text.is_err()).map(|_| Became::Utf8));
                (Some(UTF_8), false)
            }
        };
        let bytes = match encoding {
            None => unwrapped(content)?,
            Some(encoding) => encode(text, encoding, marked || text.len() < content.len())?,
        };
        match &there {
            Some(Ok(old)) => self.keeps_what_is_masked(&old.bytes, &bytes, path)?,
            Some(Err(_)) => self.holds_no_mask(&bytes, path)?,
            None => {}
        }
        if let Some(was) = old.and_then(|old| old.text.as_deref().ok()) {
            let mixed = LineEnds::of(was) == Some(LineEnds::Crlf)
                && encoding.is_some()
                && text.contains('\n')
                && LineEnds::of(text) != Some(LineEnds::Crlf);
            became.extend(mixed.then_some(Became::LineEnds));
        }
        target.replace(&bytes, path, self)?;
        let before = target.existing.as_ref().map(cap_std::fs::Metadata::len);
        Ok(Written { bytes: bytes.len(), before, became })
    }

    /// What stands there, whole. Without following: the name in the open folder is what is replaced.
    pub(super) fn old(&self, target: &Target, said: &str, known: &Known) -> Result<Old, FileError> {
        let (file, meta) = self.open_in(&target.parent, &target.name, said, known)?;
        let bytes = whole(file, said, meta.len())?;
        let kind = Wanted::Found.kind(&bytes);
        let text = match kind {
            Kind::Text(encoding) => decode(&bytes, encoding, said),
            Kind::Bytes => Err(FileError::failed(format!("`{said}` is no text"))),
        };
        Ok(Old { meta, text, kind, marked: encoding_rs::Encoding::for_bom(&bytes).is_some(), bytes })
    }
}

/// The bytes that a caller wrote as base64.
fn unwrapped(content: &str) -> Result<Vec<u8>, FileError> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let written: String = content.split_whitespace().collect();
    STANDARD
        .decode(written)
        .map_err(|error| FileError::invalid(format!("`content` is no base64, which `encoding` says it is: {error}")))
}

impl Target {
    /// Looks what stands there once more, when nobody else changes it.
    pub(super) fn look_again(&mut self, said: &str) -> Result<(), FileError> {
        let found = match self.parent.symlink_metadata(&self.name) {
            Ok(found) => Some(found),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(FileError::of(said, &error)),
        };
        if found.as_ref().is_some_and(|found| !found.is_file()) {
            return Err(changed(said));
        }
        self.existing = found;
        Ok(())
    }

    /// Puts the content in the place of what is there, with its owner, mode and attributes: who may read, write and run it. What
    /// lets a program run as its owner or group was given to the old content, and is not given to the new one.
    pub(super) fn replace(&self, content: &[u8], said: &str, files: &Files) -> Result<(), FileError> {
        let draft = self.draft(content, said)?;
        files.may_change()?;
        self.put(draft, said)
    }

    /// Gives what was written beside it its name, in place of what has it.
    fn put(&self, mut draft: Draft<'_>, said: &str) -> Result<(), FileError> {
        self.parent.rename(&draft.name, &self.parent, &self.name).map_err(|error| FileError::of(said, &error))?;
        draft.done = true;
        sync(&self.parent);
        Ok(())
    }

    /// The same if what is there is what was read and nothing else, also at the moment at which it is replaced.
    pub(super) fn replace_read(
        &self,
        content: &[u8],
        read: &std::fs::Metadata,
        said: &str,
        files: &Files,
    ) -> Result<(), FileError> {
        let draft = self.draft(content, said)?;
        files.may_change()?;
        let failed = |error: Errno| FileError::of(said, &error.into());
        let there = self.parent.symlink_metadata(&self.name).map_err(|_| changed(said))?;
        if !(is_same(&there, read) && (there.ctime(), there.ctime_nsec()) == (Std::ctime(read), Std::ctime_nsec(read)))
        {
            return Err(changed(said));
        }
        let swap = || renameat_with(&self.parent, &draft.name, &self.parent, &self.name, RenameFlags::EXCHANGE);
        match swap() {
            Ok(()) => {}
            // Some file systems cannot do it: a moment is left in which others are not noticed.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => return self.put(draft, said),
            Err(Errno::NOENT) => return Err(changed(said)),
            Err(error) => return Err(failed(error)),
        }
        // What was taken out lies under the draft's name. If somebody has changed it, it goes back.
        let taken = self.parent.symlink_metadata(&draft.name);
        if !taken.is_ok_and(|taken| is_same(&taken, read)) {
            swap().map_err(failed)?;
            return Err(changed(said));
        }
        drop(draft);
        sync(&self.parent);
        Ok(())
    }

    /// The content beside what is there, like it in all else.
    fn draft(&self, content: &[u8], said: &str) -> Result<Draft<'_>, FileError> {
        let failed = |error| FileError::of(said, &error);
        if self.existing.is_some() {
            // A new file beside it would not ask whether this one may be written.
            rustix::fs::accessat(&self.parent, &self.name, Access::WRITE_OK, AtFlags::EACCESS)
                .map_err(|error| failed(error.into()))?;
        }
        let draft = Draft { parent: &self.parent, name: draft_name(), done: false };
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
            if (Std::uid(&became), Std::gid(&became)) != (owner, group) {
                return Err(FileError::forbidden(format!(
                    "`{said}` belongs to account {owner} and group {group}, to which this server may not give its new content; \
                     nothing was changed"
                ))
                .hint("a command that writes into the file keeps them, or its operator lets the server run as that account"));
            }
            // What the folder gives to each new file, the mode would put in force.
            without_list(&file).map_err(failed)?;
            // A list says all that a mode says, and a mode without it would let the group do what the list lets others do.
            if !attributes(&self.parent, &self.name, &file).map_err(failed)? {
                rustix::fs::fchmod(&file, mode).map_err(|error| failed(error.into()))?;
            }
        }
        file.sync_all().map_err(failed)?;
        Ok(draft)
    }
}

/// Whether a file is the one that was read, with what was read.
fn is_same(found: &cap_std::fs::Metadata, read: &std::fs::Metadata) -> bool {
    (found.dev(), found.ino(), found.len(), found.mtime(), found.mtime_nsec())
        == (Std::dev(read), Std::ino(read), read.len(), Std::mtime(read), Std::mtime_nsec(read))
}

fn changed(said: &str) -> FileError {
    FileError::failed(format!("`{said}` changed while it was edited; it was left as it is now")).hint("read it again")
}

/// Attributes that say who may do what (access control lists), and those that users give.
const LIST: &str = "system.posix_acl_access";
const OF_USERS: &[u8] = b"user.";

/// Gives a new file the attributes of the one that it replaces. Says whether a list is among them.
fn attributes(parent: &Dir, name: &OsStr, file: &std::fs::File) -> std::io::Result<bool> {
    let common = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = |how| rustix::fs::openat(parent, name, common | how, Mode::empty());
    // Who may only write learns from the list who else may do what.
    let reads = opened(OFlags::RDONLY);
    let of_users = reads.is_ok();
    let was = reads.or_else(|_| opened(OFlags::WRONLY))?;
    let names = read(|buffer| rustix::fs::flistxattr(&was, buffer))?;
    let mut names: Vec<&[u8]> = names.split(|byte| *byte == 0).collect();
    names.retain(|name| *name == LIST.as_bytes() || (of_users && name.starts_with(OF_USERS)));
    // What says who may write comes last.
    names.sort_by_key(|name| *name == LIST.as_bytes());
    for name in &names {
        let value = read(|buffer| rustix::fs::fgetxattr(&was, *name, buffer))?;
        rustix::fs::fsetxattr(file, *name, &value, XattrFlags::empty())?;
    }
    Ok(names.last() == Some(&LIST.as_bytes()))
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
