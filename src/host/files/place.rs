//! A path of a caller: which folder it lies in, and how the thing at its end is opened.

use std::{
    ffi::OsString,
    fs::File,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use cap_std::fs::{Dir, Metadata, MetadataExt as _, OpenOptions, OpenOptionsExt as _};
use rustix::fs::OFlags;

use super::{FileError, Files, Root};

/// Longest path that is looked at, in bytes.
const LONGEST: usize = 4096;

/// A path below a folder.
pub(super) struct Place<'a> {
    pub root: &'a Root,
    pub dir: &'a Dir,
    /// Below the folder; `.` is the folder.
    pub path: PathBuf,
    /// As the caller wrote it.
    pub said: &'a str,
}

/// A name in an open folder, where something is to be put.
pub(super) struct Target {
    pub parent: Dir,
    pub name: OsString,
    /// What is there now.
    pub existing: Option<Metadata>,
}

impl Files {
    /// Where a path of a caller lies.
    pub(super) fn place<'a>(&'a self, said: &'a str) -> Result<Place<'a>, FileError> {
        if said.is_empty() {
            return Err(FileError::invalid("`path` is required"));
        }
        if said.contains('\0') || said.len() > LONGEST {
            let why = if said.len() > LONGEST { "is longer than 4096 bytes" } else { "holds a zero byte" };
            return Err(FileError::invalid(format!("`path` {why}, which no path may")));
        }
        let Some(first) = self.roots.first() else {
            return Err(self.none_open());
        };
        let path = Path::new(said);
        let (root, below) = match path.is_absolute() {
            false => (first, path),
            true => {
                let below = |root: &'a Arc<Root>| {
                    let below = path.strip_prefix(&root.path).or_else(|_| path.strip_prefix(&root.real)).ok()?;
                    Some((root, below))
                };
                // Of folders inside each other the inner one, whose rules are its own.
                let found = self.roots.iter().filter_map(below).min_by_key(|(_, below)| below.components().count());
                found.ok_or_else(|| self.outside(said))?
            }
        };
        let dir = root.dir.as_ref().map_err(|why| {
            FileError::failed(format!("the folder of `{said}` cannot be opened: {why}"))
                .hint("its operator checks `files.roots`")
        })?;
        let path = if below.as_os_str().is_empty() { PathBuf::from(".") } else { below.to_owned() };
        Ok(Place { root, dir, path, said })
    }

    /// Whether an absolute path lies in a folder, by its letters alone.
    pub fn covers(&self, path: &str) -> bool {
        let path = Path::new(path);
        self.roots.iter().any(|root| path.starts_with(&root.path) || path.starts_with(&root.real))
    }

    /// That there are no folders, and who can open one.
    fn none_open(&self) -> FileError {
        let operator = "its operator names some in the settings under `files.roots`";
        let message = "no folder is open to file tools on this server";
        match self.refused.is_empty() {
            true => FileError::forbidden(message).hint(operator),
            false => FileError::forbidden(format!("{message}: {}", self.refused.join("; ")))
                .hint(format!("name another folder in your client, or {operator}")),
        }
    }

    /// That a path is in none of the folders, and which there are.
    fn outside(&self, said: &str) -> FileError {
        let roots: Vec<String> = self.roots.iter().map(|root| format!("`{}`", root.path.display())).collect();
        let mut hint = format!("write a path relative to {}", roots.join(", or an absolute one in "));
        for refused in &self.refused {
            hint = format!("{hint}; {refused}");
        }
        FileError::outside(said).hint(hint)
    }

    /// Refuses what belongs to the server itself, whatever name leads to it.
    pub(super) fn refuse_own(&self, said: &str, device: u64, inode: u64) -> Result<(), FileError> {
        let is_it = |own: &PathBuf| is_at(own, device, inode);
        if self.own.iter().any(is_it) { Err(own(said)) } else { Ok(()) }
    }

    /// The same of what stands at a name of a folder, or will stand there.
    pub(super) fn refuse_own_entry(&self, said: &str, target: &Target) -> Result<(), FileError> {
        if let Some(meta) = &target.existing {
            return self.refuse_own(said, meta.dev(), meta.ino());
        }
        let folder = target.parent.dir_metadata().map_err(|error| FileError::of(said, &error))?;
        let would_be = |own: &PathBuf| {
            own.file_name() == Some(&target.name)
                && own.parent().is_some_and(|own| is_at(own, folder.dev(), folder.ino()))
        };
        if self.own.iter().any(would_be) { Err(own(said)) } else { Ok(()) }
    }

    /// Opens a plain file to read. What is no plain file is not opened, and if it is swapped meanwhile, neither waited for
    /// nor read.
    pub(super) fn open(&self, place: &Place<'_>) -> Result<(File, std::fs::Metadata), FileError> {
        self.open_in(place.dir, &place.path, place.said)
    }

    pub(super) fn open_in(&self, dir: &Dir, path: &Path, said: &str) -> Result<(File, std::fs::Metadata), FileError> {
        let failed = |error| FileError::of(said, &error);
        let before = dir.metadata(path).map_err(failed)?;
        if before.is_dir() {
            return Err(FileError::failed(format!("`{said}` is a folder")).hint("list it instead"));
        }
        if !before.is_file() {
            return Err(special(said));
        }
        let mut options = OpenOptions::new();
        // A pipe that took its place is not waited for, and a terminal does not become ours.
        let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
        options.read(true).custom_flags(i32::try_from(flags).unwrap_or_default());
        let file = dir.open_with(path, &options).map_err(failed)?.into_std();
        let opened = file.metadata().map_err(failed)?;
        if !opened.is_file() || opened.file_type().is_fifo() {
            return Err(special(said));
        }
        if opened.nlink() > 1 && !self.hard_links {
            let message =
                format!("`{said}` has {} names (hard links), and one may lie outside of the folders", opened.nlink());
            return Err(FileError::forbidden(message).hint("the operator allows it with `files.hard_links: true`"));
        }
        self.refuse_own(said, opened.dev(), opened.ino())?;
        Ok((file, opened))
    }
}

fn is_at(path: &Path, device: u64, inode: u64) -> bool {
    std::fs::metadata(path).is_ok_and(|found| (found.dev(), found.ino()) == (device, inode))
}

fn own(said: &str) -> FileError {
    FileError::forbidden(format!("`{said}` belongs to this server and is nobody's business"))
        .hint("what it is set up with is shown by the resource about its settings, without secrets")
}

/// It is a pipe, a device or a socket.
pub(super) fn special(said: &str) -> FileError {
    FileError::forbidden(format!("`{said}` is no plain file but a pipe, a device or a socket"))
}

impl<'a> Place<'a> {
    /// Refuses a change of a folder that is only read.
    pub(super) fn changeable(self) -> Result<Self, FileError> {
        match self.root.read_only {
            true => Err(FileError::forbidden(format!("`{}` may be read and not changed", self.said)).hint(
                "the operator decides that with `files.read_only` and `files.read_only_roots`; over HTTP it is so by default",
            )),
            false => Ok(self),
        }
    }

    /// The name at the end of the path in its open folder. A link at the end is followed, as long as it stays in the folder.
    pub(super) fn target(&self, files: &Files, create_dirs: bool) -> Result<Target, FileError> {
        let failed = |error| FileError::of(self.said, &error);
        let real;
        let path = match self.dir.symlink_metadata(&self.path) {
            Ok(meta) if meta.is_symlink() => {
                real = self.dir.canonicalize(&self.path).map_err(failed)?;
                real.as_path()
            }
            _ => self.path.as_path(),
        };
        let target = self.entry(path, create_dirs)?;
        match &target.existing {
            Some(meta) if meta.is_dir() => {
                return Err(FileError::failed(format!("`{}` is a folder", self.said)));
            }
            Some(meta) if !meta.is_file() => return Err(special(self.said)),
            _ => files.refuse_own_entry(self.said, &target)?,
        }
        Ok(target)
    }

    /// The last name of a path in its open folder, whatever stands there.
    pub(super) fn entry(&self, path: &Path, create_dirs: bool) -> Result<Target, FileError> {
        let failed = |error| FileError::of(self.said, &error);
        let named = path.components().next_back();
        let Some(Component::Normal(name)) = named.filter(|_| !self.said.ends_with("/.") && !self.said.ends_with('/'))
        else {
            return Err(FileError::invalid(format!("`{}` ends with no name of a file", self.said)));
        };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if create_dirs {
            self.dir.create_dir_all(folder).map_err(failed)?;
        }
        let parent = self.dir.open_dir(folder).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                FileError::failed(format!("the folder of `{}` does not exist", self.said)).hint("make the folder first")
            }
            _ => failed(error),
        })?;
        let existing = match parent.symlink_metadata(name) {
            Ok(meta) => Some(meta),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        Ok(Target { parent, name: name.to_owned(), existing })
    }
}
