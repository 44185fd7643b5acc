//! The folder of a command: empty when it begins, and gone when it has ended, whatever the command has put there.

use std::{
    ffi::{CStr, CString},
    fs::File,
    os::{
        fd::{AsFd as _, BorrowedFd, OwnedFd},
        unix::fs::MetadataExt as _,
    },
    path::Path,
    time::Instant,
};

use rustix::{
    fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags},
    io::Errno,
};

use super::spoken::Inode;

/// A folder that was made. As long as it is held, no other one has its inode.
pub(super) struct Home {
    held: File,
    pub inode: Inode,
}

/// Makes a folder that nobody else looks into, and holds it: what is done to it from here on is done to no other one that somebody
/// puts in its place.
pub(super) fn make(folder: &Path, account: Option<(u32, u32)>) -> std::io::Result<Home> {
    let (Some(around), Some(name)) = (folder.parent(), folder.file_name()) else { return Err(Errno::INVAL.into()) };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let around = rustix::fs::openat(CWD, around, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::fs::mkdirat(&around, name, Mode::RWXU)?;
    let held = File::from(rustix::fs::openat(&around, name, flags, Mode::empty())?);
    let meta = held.metadata()?;
    let is_mine = meta.uid() == rustix::process::geteuid().as_raw() && meta.mode() & 0o777 == 0o700;
    if !is_mine || Dir::read_from(&held)?.any(|entry| entry.is_ok_and(|entry| !is_itself(entry.file_name()))) {
        return Err(std::io::Error::other("somebody has put another in its place"));
    }
    if let Some((account, group)) = account {
        std::os::unix::fs::fchown(&held, Some(account), Some(group))?;
    }
    Ok(Home { inode: (meta.dev(), meta.ino()), held })
}

impl Home {
    /// Whether this is what stands at a path.
    fn is_at(&self, folder: &Path) -> bool {
        let inode = |meta: std::fs::Metadata| (meta.dev(), meta.ino());
        folder.symlink_metadata().map(inode).ok() == self.held.metadata().map(inode).ok()
    }

    /// Removes it, by [`remove`]. What somebody put in its place stays.
    pub(super) fn remove(&self, folder: &Path, until: Option<Instant>) -> Result<(), Errno> {
        if self.is_at(folder) { remove(folder, until) } else { Ok(()) }
    }
}

fn is_itself(name: &CStr) -> bool {
    [c".", c".."].contains(&name)
}

/// Removes a folder, however deep it is: what lies deeper is moved up, so that there are never more than two of them open, and no
/// path is longer than a name.
///
/// # Errors
/// What stands against it, or `TIMEDOUT`.
pub(super) fn remove(folder: &Path, until: Option<Instant>) -> Result<(), Errno> {
    let top = match open(CWD, folder) {
        Err(Errno::NOENT) => return Ok(()),
        top => top?,
    };
    let mut names = (0u64..).filter_map(|number| CString::new(format!("{}-{number}", uuid::Uuid::new_v4())).ok());
    loop {
        let folders = empty(top.as_fd())?;
        if folders.is_empty() {
            break;
        }
        for name in folders {
            if until.is_some_and(|until| Instant::now() > until) {
                return Err(Errno::TIMEDOUT);
            }
            let inner = open(top.as_fd(), name.as_c_str())?;
            for deeper in empty(inner.as_fd())? {
                let new = names.next().ok_or(Errno::OVERFLOW)?;
                // To move a folder, one must be able to write to it, for what it calls its parent.
                let moved = || rustix::fs::renameat(&inner, &deeper, &top, &new);
                moved().or_else(|_| open_up(inner.as_fd(), &deeper).and_then(|()| moved()))?;
            }
            rustix::fs::unlinkat(&top, &name, AtFlags::REMOVEDIR)?;
        }
    }
    drop(top);
    rustix::fs::unlinkat(CWD, folder, AtFlags::REMOVEDIR)
}

/// A folder, and no link to one, also where its owner may not look into it.
fn open(at: BorrowedFd<'_>, name: impl rustix::path::Arg + Copy) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(at, name, flags, Mode::empty()) {
        Err(Errno::ACCESS) => {
            open_up(at, name)?;
            rustix::fs::openat(at, name, flags, Mode::empty())
        }
        opened => opened,
    }
}

/// Lets its owner into a folder, and into nothing that a link leads to.
#[cfg(target_os = "linux")]
fn open_up(at: BorrowedFd<'_>, name: impl rustix::path::Arg) -> Result<(), Errno> {
    use std::os::fd::AsRawFd as _;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let held = rustix::fs::openat(at, name, flags, Mode::empty())?;
    rustix::fs::chmod(format!("/proc/self/fd/{}", held.as_raw_fd()), Mode::RWXU)
}

#[cfg(not(target_os = "linux"))]
fn open_up(at: BorrowedFd<'_>, name: impl rustix::path::Arg) -> Result<(), Errno> {
    rustix::fs::chmodat(at, name, Mode::RWXU, AtFlags::SYMLINK_NOFOLLOW)
}

/// Removes the files of a folder, and answers the names of the folders in it.
fn empty(folder: BorrowedFd<'_>) -> Result<Vec<CString>, Errno> {
    let mut folders = Vec::new();
    let mut may_write = false;
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name: &CStr = entry.file_name();
        if is_itself(name) {
            continue;
        }
        let is_folder = match entry.file_type() {
            FileType::Directory => true,
            FileType::Unknown => {
                let stat = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
                FileType::from_raw_mode(stat.st_mode) == FileType::Directory
            }
            _ => false,
        };
        if !may_write {
            // Its owner may have taken it from himself; what is another's is refused below.
            let _ = rustix::fs::fchmod(folder, Mode::RWXU);
            may_write = true;
        }
        match is_folder {
            true => folders.push(name.to_owned()),
            false => rustix::fs::unlinkat(folder, name, AtFlags::empty())?,
        }
    }
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_removed_however_deep_and_whatever_its_modes() {
        // Where there is one, in memory: a disk takes half a minute for so many folders.
        let memory = tempfile::tempdir_in("/dev/shm");
        let room = memory.or_else(|_| tempfile::tempdir()).unwrap();
        let folder = room.path().join("own");
        let home = make(&folder, None).unwrap();
        assert!(make(&folder, None).is_err());
        std::fs::write(room.path().join("beside"), "x").unwrap();
        let mut at = open(CWD, folder.as_path()).unwrap();
        for depth in 0..6000 {
            rustix::fs::mkdirat(&at, "d", Mode::RWXU).unwrap();
            rustix::fs::symlinkat("../..", &at, "up").unwrap();
            rustix::fs::symlinkat(room.path(), &at, "out").unwrap();
            let next = open(at.as_fd(), "d").unwrap();
            if depth % 100 == 0 {
                rustix::fs::fchmod(&at, Mode::empty()).unwrap();
            }
            at = next;
        }
        drop(at);
        assert_eq!(remove(&folder, Some(Instant::now())), Err(Errno::TIMEDOUT));
        // What somebody put in its place is not what was made.
        std::fs::rename(&folder, room.path().join("moved")).unwrap();
        std::os::unix::fs::symlink(room.path(), &folder).unwrap();
        home.remove(&folder, None).unwrap();
        assert!(room.path().join("beside").exists() && folder.is_symlink());
        std::fs::remove_file(&folder).unwrap();
        std::fs::rename(room.path().join("moved"), &folder).unwrap();
        home.remove(&folder, None).unwrap();
        assert!(!folder.exists() && room.path().join("beside").exists());
        remove(&folder, None).unwrap();
    }
}
