//! Whose rules a folder has: those of the innermost folder of the settings around it, and none where the server itself lives.
//!
//! Found from the handle of the folder upwards. What a caller wrote says nothing about it: `..`, links and relative paths lead
//! into folders inside each other by many names.

use std::{ffi::OsStr, fs::File, io, os::fd::AsFd, path::Path};

use cap_std::fs::{Dir, Metadata, MetadataExt as _};
use rustix::fs::{AtFlags, Mode, OFlags, openat, statat};

use super::{
    super::own::{Inode, Known, Seen, way},
    FileError, Files,
    place::{Place, Target},
    root::Root,
};

impl Files {
    /// Whether what lies in a folder is only read. Refuses a folder of the server itself, and one inside of it, unless the
    /// settings open one that is nearer: a client, or whoever chose the working folder, opens none of them.
    pub(super) fn is_read_only(&self, dir: &Dir, place: &Place<'_>, known: &Known) -> Result<bool, FileError> {
        let root = |root: &Root| root.inodes().into_iter().map(|inode| (inode, root.read_only)).collect::<Vec<_>>();
        let named: Vec<(Inode, bool)> = self.named.iter().flat_map(|one| root(one)).collect();
        let roots: Vec<(Inode, bool)> = self.roots.iter().flat_map(|one| root(one)).chain(named.clone()).collect();
        let mut rules = None;
        let failed = |error| FileError::of(place.said, &error);
        let mut at = step(dir, ".").map_err(failed)?;
        let mut seen = Seen::of(&at.metadata().map_err(failed)?);
        loop {
            if is_process(&at) {
                return Err(of_a_process(place.said));
            }
            let mut here = roots.iter().filter(|(inode, _)| *inode == seen.inode).peekable();
            if rules.is_none() && here.peek().is_some() {
                rules = Some(here.any(|(_, read_only)| *read_only));
            }
            if let Some(rules) = rules
                && named.iter().any(|(inode, _)| *inode == seen.inode)
            {
                return Ok(rules);
            }
            if known.is(&seen) {
                return Err(own(place.said));
            }
            at = step(&at, "..").map_err(failed)?;
            let above = Seen::of(&at.metadata().map_err(failed)?);
            if above.inode == seen.inode {
                // Some file systems number a folder anew each time: then what the path says is all there is.
                return Ok(rules.unwrap_or(place.root.read_only));
            }
            seen = above;
        }
    }

    /// Whether a name in a folder is that of a folder that is only read and may not be there yet.
    pub(super) fn is_kept_name(&self, folder: Inode, name: &OsStr) -> bool {
        let kept = self.roots.iter().chain(&self.named).filter(|root| root.read_only);
        kept.flat_map(|root| way(&root.path).0).any(|step| step.last && step.folder == folder && step.name == name)
    }

    /// Refuses what belongs to the server itself, by what it is and by its name.
    pub(super) fn refuse_own(said: &str, target: &Target, known: &Known) -> Result<(), FileError> {
        let is_it = target.existing.as_ref().is_some_and(|found| known.is(&self::seen(found)));
        let would_be = known.names(inode(&target.parent).map_err(|error| FileError::of(said, &error))?, &target.name);
        if is_it || would_be { Err(own(said)) } else { Ok(()) }
    }

    /// Refuses to move what leads to the server's own files, or is a folder of the settings or leads to one: the next start
    /// would find something else there.
    pub(super) fn refuse_way(&self, said: &str, target: &Target, known: &Known) -> Result<(), FileError> {
        let folder = inode(&target.parent).map_err(|error| FileError::of(said, &error))?;
        if known.leads(folder, &target.name) || self.leads_to_starting(folder, &target.name) {
            return Err(FileError::forbidden(format!(
                "`{said}` leads to what belongs to this server, and stays as it is"
            ))
            .hint("move what else is in it by name"));
        }
        let leads = |path: &Path| way(path).0.iter().any(|step| step.folder == folder && step.name == target.name);
        let roots = self.roots.iter().chain(&self.named).map(|root| &root.path);
        if roots.chain(&self.held).any(|path| leads(path)) {
            return Err(FileError::forbidden(format!(
                "`{said}` is, or leads to, a folder that the settings open, and stays as it is"
            ))
            .hint("move what is in it"));
        }
        Ok(())
    }
}

/// A folder beside a handle, only to be looked at.
pub(super) fn step(from: impl AsFd, name: &str) -> io::Result<File> {
    Ok(openat(from, name, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?.into())
}

pub(super) fn inode(dir: &Dir) -> io::Result<Inode> {
    dir.dir_metadata().map(|found| (found.dev(), found.ino()))
}

pub(super) fn seen(found: &Metadata) -> Seen {
    Seen { inode: (found.dev(), found.ino()), born: found.created().ok().map(cap_std::time::SystemTime::into_std) }
}

/// Whether a folder below one whose rules are known is closed: it belongs to the server, or to a process.
pub(super) fn is_own(dir: &Dir, known: &Known) -> bool {
    is_process(dir) || dir.dir_metadata().is_ok_and(|found| known.is(&seen(&found)))
}

/// Whether a folder is that of a process or a thread in `/proc`. It holds what this server was started with, and so does that
/// of whoever started it, of its threads, and of its children: none of them is a file of anybody.
fn is_process(folder: impl AsFd) -> bool {
    let is_proc = rustix::fs::fstatfs(&folder).is_ok_and(|found| found.f_type == rustix::fs::PROC_SUPER_MAGIC);
    is_proc && statat(&folder, "environ", AtFlags::SYMLINK_NOFOLLOW).is_ok()
}

fn of_a_process(said: &str) -> FileError {
    FileError::forbidden(format!("`{said}` belongs to a process, and may hold what this server was started with"))
        .hint("what runs on this machine is told by the tools about the system")
}

/// Whether a name in a folder, or the file that was opened there, belongs to the server.
pub(super) fn is_own_file(dir: &Dir, name: &OsStr, opened: &std::fs::Metadata, known: &Known) -> io::Result<bool> {
    Ok(known.is(&Seen::of(opened)) || known.names(inode(dir)?, name))
}

pub(super) fn own(said: &str) -> FileError {
    FileError::forbidden(format!("`{said}` belongs to this server and is nobody's business"))
        .hint("what it is set up with is shown by the resource about its settings, without secrets")
}
