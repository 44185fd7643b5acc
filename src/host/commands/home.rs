//! The folder of a command: empty when it begins, and gone when it has ended, whatever the command has put there.

use std::{
    ffi::{CStr, CString},
    os::fd::{AsFd as _, BorrowedFd, OwnedFd},
    path::Path,
    time::Instant,
};

use rustix::{
    fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags},
    io::Errno,
};

/// Makes a folder that nobody else looks into.
pub(super) fn make(folder: &Path, account: Option<(u32, u32)>) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().mode(0o700).create(folder)?;
    account.map_or(Ok(()), |(account, group)| std::os::unix::fs::chown(folder, Some(account), Some(group)))
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

/// Lets its owner into a folder. Nothing of the command is left that could put a link in its place.
fn open_up(at: BorrowedFd<'_>, name: impl rustix::path::Arg) -> Result<(), Errno> {
    rustix::fs::chmodat(at, name, Mode::RWXU, AtFlags::empty())
}

/// Removes the files of a folder, and answers the names of the folders in it.
fn empty(folder: BorrowedFd<'_>) -> Result<Vec<CString>, Errno> {
    let mut folders = Vec::new();
    let mut may_write = false;
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name: &CStr = entry.file_name();
        if [c".", c".."].contains(&name) {
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
        make(&folder, None).unwrap();
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
        remove(&folder, None).unwrap();
        assert!(!folder.exists() && room.path().join("beside").exists());
        remove(&folder, None).unwrap();
    }
}
