//! Folders by paths that are known to hold no links. Whoever put one there since, such as a command in the folder around it, opens
//! nothing by it.

use std::{
    ffi::OsStr,
    os::fd::{AsRawFd as _, OwnedFd},
    path::{Component, Path, PathBuf},
};

use rustix::{
    fs::{CWD, FileType, Mode, OFlags, fstat, openat},
    io::Errno,
};

use super::super::spoken::{Inode, Spec};

/// What is to be done where another one stands at a path.
const AGAIN: &str = "no command is run until the one that it was is back, or the operator restarts this server, which opens what is there";

/// What stands at a path, held by no more than its place. None: it is not there, or not to be come to.
///
/// # Errors
/// There is a link on the way.
pub(super) fn opened(path: &Path) -> Result<Option<OwnedFd>, String> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let step = |at: OwnedFd, name: &OsStr| {
        let found = openat(&at, name, flags, Mode::empty())?;
        match FileType::from_raw_mode(fstat(&found)?.st_mode) {
            FileType::Symlink => Err(Errno::LOOP),
            _ => Ok(found),
        }
    };
    let name = |part| match part {
        Component::Normal(name) => Some(name),
        _ => None,
    };
    let names = path.components().filter_map(name);
    let top = openat(CWD, "/", flags, Mode::empty());
    let found = names.fold(top, |at, name| at.and_then(|at| step(at, name)));
    match found {
        Err(Errno::LOOP) => Err(format!("the folder `{}` has become a link; {AGAIN}", path.display())),
        found => Ok(found.ok()),
    }
}

/// What stands at a path that was looked at before.
///
/// # Errors
/// It is another one, or there is a link on the way.
pub(super) fn opened_again(path: &Path, inode: Inode) -> Result<Option<OwnedFd>, String> {
    let found = opened(path)?;
    match found.as_ref().map(fstat) {
        Some(Ok(stat)) if inode_of(&stat) != inode => {
            Err(format!("the folder `{}` is not the one that it was; {AGAIN}", path.display()))
        }
        Some(Err(error)) => Err(format!("the folder `{}`: {error}", path.display())),
        _ => Ok(found),
    }
}

/// A link or a folder that was looked at before, itself, in the folder in which it stands.
///
/// # Errors
/// It is gone, or another one stands there.
pub(super) fn held_again(path: &Path, inode: Inode) -> Result<OwnedFd, String> {
    let gone = || {
        format!(
            "`{}`, by which the next start finds what it is about, is not the one that it was; {AGAIN}",
            path.display()
        )
    };
    let folder = opened(path.parent().ok_or_else(gone)?)?.ok_or_else(gone)?;
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let found = openat(folder, path.file_name().ok_or_else(gone)?, flags, Mode::empty()).map_err(|_| gone())?;
    let is_it = fstat(&found).is_ok_and(|stat| inode_of(&stat) == inode);
    if is_it { Ok(found) } else { Err(gone()) }
}

/// The folder of the command itself.
///
/// # Errors
/// Somebody has put another in its place.
pub(super) fn own(spec: &Spec) -> Result<Option<OwnedFd>, String> {
    spec.made.map_or_else(|| opened(&spec.own), |made| opened_again(&spec.own, made))
}

/// A path that leads to what is open, whatever stands at its own path by now.
pub(super) fn through(open: &OwnedFd) -> PathBuf {
    format!("/proc/self/fd/{}", open.as_raw_fd()).into()
}

/// As `stat` counts them, whatever the widths of its numbers.
#[allow(clippy::useless_conversion, clippy::unnecessary_fallible_conversions)]
fn inode_of(stat: &rustix::fs::Stat) -> Inode {
    (u64::try_from(stat.st_dev).unwrap_or_default(), u64::try_from(stat.st_ino).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt as _, symlink};

    #[test]
    fn a_path_with_a_link_anywhere_opens_nothing_and_another_folder_is_told_apart() {
        let room = tempfile::tempdir().unwrap();
        let at = |name: &str| room.path().canonicalize().unwrap().join(name);
        std::fs::create_dir_all(at("a/b")).unwrap();
        assert!(opened(&at("a/b")).unwrap().is_some() && opened(&at("a/none")).unwrap().is_none());
        let meta = std::fs::metadata(at("a/b")).unwrap();
        let inode = (meta.dev(), meta.ino());
        assert!(opened_again(&at("a/b"), inode).unwrap().is_some());
        std::fs::rename(at("a/b"), at("a/gone")).unwrap();
        std::fs::create_dir(at("a/b")).unwrap();
        assert!(opened_again(&at("a/b"), inode).unwrap_err().contains("not the one that it was"));
        std::fs::remove_dir(at("a/b")).unwrap();
        for (link, path) in [("a/b", "a/b"), ("up", "up/etc")] {
            symlink("/", at(link)).unwrap();
            assert!(opened(&at(path)).unwrap_err().contains("has become a link"), "{path}");
        }
    }
}
