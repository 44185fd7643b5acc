//! An open folder, and whether it is still the one that stands at its path.
//!
//! A folder is opened once. Where another one is put in its place, work in the old one would land where nobody looks: the new
//! one is opened then, by its path without links. What it was before keeps its rules.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use cap_std::{ambient_authority, fs::Dir};
use rustix::{
    fs::{CWD, Mode, OFlags, ResolveFlags},
    io::Errno,
};

use super::{
    super::own::{Inode, Known, led},
    zone::{inode, is_own},
};

/// Most folders that a path has led to and that keep its rules.
const KEPT: usize = 16;

/// A folder by its path without links, of which none is followed: it would have come there since.
fn opened(real: &Path) -> Result<Dir, String> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match rustix::fs::openat2(CWD, real, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
        Ok(open) => Ok(Dir::from_std_file(open.into())),
        // A kernel that does not know the call.
        Err(Errno::NOSYS | Errno::PERM) => {
            Dir::open_ambient_dir(real, ambient_authority()).map_err(|error| error.to_string())
        }
        Err(error) => Err(std::io::Error::from(error).to_string()),
    }
}

/// A folder.
pub(super) struct Root {
    /// As whoever set it wrote it, absolute.
    pub path: PathBuf,
    /// The same without links.
    pub real: PathBuf,
    pub read_only: bool,
    /// What stood there, the last of it now; or why it cannot be opened.
    dirs: Mutex<Result<Vec<Arc<Dir>>, String>>,
}

impl Root {
    /// `changeable` are folders that callers change: what a link in one of them leads to outside of it is not opened, nor, to be
    /// changed, what it leads to in one that is `kept` as it is.
    pub fn open(path: &Path, read_only: bool, changeable: &[PathBuf], kept: &[PathBuf]) -> Self {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let kept = if read_only { &[] } else { kept };
        let (real, dir) = match led(&absolute, changeable, kept) {
            Ok(real) => (real.clone(), opened(&real)),
            Err(why) => (absolute.clone(), Err(why)),
        };
        Self { path: absolute, real, read_only, dirs: Mutex::new(dir.map(|dir| vec![Arc::new(dir)])) }
    }

    /// A folder inside of this one, reached through it, with its rules; or itself.
    pub fn narrowed(self: &Arc<Self>, path: &Path) -> Arc<Self> {
        let below = match path.strip_prefix(&self.real) {
            Ok(below) if !below.as_os_str().is_empty() => below,
            _ => return self.clone(),
        };
        let dir = self.dir().and_then(|dir| dir.open_dir(below).map_err(|error| error.to_string()));
        let dirs = Mutex::new(dir.map(|dir| vec![Arc::new(dir)]));
        Arc::new(Self { path: path.to_owned(), real: path.to_owned(), read_only: self.read_only, dirs })
    }

    /// The folder, or why there is none.
    pub fn dir(&self) -> Result<Arc<Dir>, String> {
        let dirs = self.dirs();
        let last = dirs.as_ref().map_err(String::clone)?.last().cloned();
        last.ok_or_else(|| "it was never there".to_owned())
    }

    /// Every folder that stood there, whose rules are these; and of one that is only read what its path leads to now, which was
    /// not there before or is what a link has been turned to.
    pub fn inodes(&self) -> Vec<Inode> {
        let dirs = self.dirs();
        let stood = dirs.iter().flatten().filter_map(|dir| inode(dir).ok());
        let now = [&self.path, &self.real].into_iter().filter(|_| self.read_only);
        let now = now.filter_map(|path| std::fs::metadata(path).ok()).map(|found| (found.dev(), found.ino()));
        stood.chain(now).collect()
    }

    /// Opens what stands there now, if it is another folder than before.
    pub fn look_again(&self, known: &Known) -> Result<(), String> {
        let mut dirs = self.dirs();
        // What could not be opened when it was named is not opened later: who named it was told. What it forbids holds.
        let Ok(dirs) = dirs.as_mut() else { return Ok(()) };
        let Some(last) = dirs.last() else { return Ok(()) };
        let was = inode(last).map_err(|error| error.to_string())?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = rustix::fs::openat2(CWD, &self.real, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS);
        let now = match opened {
            Ok(now) => Dir::from_std_file(now.into()),
            Err(gone @ (Errno::NOENT | Errno::NOTDIR | Errno::LOOP)) => {
                let why = std::io::Error::from(gone);
                return Err(format!("it is no longer what it was, and what stands there now cannot be opened: {why}"));
            }
            // A kernel that does not know the call, or an account that may not look, cannot tell: it stays what it was.
            Err(_) => return Ok(()),
        };
        let standing = inode(&now).map_err(|error| error.to_string())?;
        // Whoever writes the path of a link means what it leads to.
        let led = std::fs::metadata(&self.path).ok().map(|found| (found.dev(), found.ino()));
        if led.is_some_and(|led| led != standing) {
            return Err(
                "it is a link that leads elsewhere than when this server opened it; a restart opens that".to_owned()
            );
        }
        if standing == was {
            return Ok(());
        }
        if is_own(&now, known) {
            return Err("what stands there now belongs to this server".to_owned());
        }
        dirs.push(Arc::new(now));
        if dirs.len() > KEPT {
            dirs.remove(1);
        }
        Ok(())
    }

    fn dirs(&self) -> MutexGuard<'_, Result<Vec<Arc<Dir>>, String>> {
        self.dirs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
