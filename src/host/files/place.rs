//! A path of a caller: which folder it lies in, and how the thing at its end is opened.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::ErrorKind,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use cap_std::fs::{Dir, Metadata};
use rustix::fs::{Mode, OFlags};

use super::{
    super::own::Known,
    FileError, Files,
    root::Root,
    zone::{inode, is_own_file, own},
};

/// Longest path that is looked at, in bytes.
const LONGEST: usize = 4096;

/// A path below a folder.
pub(super) struct Place<'a> {
    pub root: &'a Root,
    pub dir: Arc<Dir>,
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
    /// Only read, by the rules of the innermost folder of the settings around it.
    pub read_only: bool,
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
        // All of them, for each of those inside each other has its own rules.
        let known = self.own.now();
        let named = self.named.iter().filter(|named| !self.roots.iter().any(|root| Arc::ptr_eq(root, named)));
        named.for_each(|root| drop(root.look_again(&known)));
        let again = self.roots.iter().map(|one| (one, one.look_again(&known)));
        let mut failed = again.filter(|(one, _)| Arc::ptr_eq(one, root)).filter_map(|(_, again)| again.err());
        let dir = failed.next().map_or_else(|| root.dir(), Err).map_err(|why| {
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

    /// Opens a plain file to read. What is no plain file is not opened, and if it is swapped meanwhile, neither waited for
    /// nor read.
    pub(super) fn open(&self, place: &Place<'_>, known: &Known) -> Result<(File, std::fs::Metadata), FileError> {
        let before = place.dir.metadata(&place.path).map_err(|error| FileError::of(place.said, &error))?;
        if before.is_dir() {
            return Err(folder(place.said));
        }
        let target = place.located(self, known, false)?;
        self.open_in(&target.parent, &target.name, place.said, known)
    }

    /// The same of a name in an open folder, which is no link.
    pub(super) fn open_in(
        &self,
        dir: &Dir,
        name: &OsStr,
        said: &str,
        known: &Known,
    ) -> Result<(File, std::fs::Metadata), FileError> {
        let failed = |error| FileError::of(said, &error);
        let before = dir.symlink_metadata(name).map_err(failed)?;
        if before.is_dir() {
            return Err(folder(said));
        }
        if !before.is_file() {
            return Err(special(said));
        }
        // A pipe that took its place is not waited for, and a terminal does not become ours.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(dir, name, flags, Mode::empty()).map_err(|error| failed(error.into()))?;
        let file = File::from(opened);
        let opened = file.metadata().map_err(failed)?;
        if !opened.is_file() || opened.file_type().is_fifo() {
            return Err(special(said));
        }
        if is_own_file(dir, name, &opened, known).map_err(failed)? {
            return Err(own(said));
        }
        if opened.nlink() > 1 && !self.hard_links {
            let message =
                format!("`{said}` has {} names (hard links), and one may lie outside of the folders", opened.nlink());
            return Err(FileError::forbidden(message).hint("the operator allows it with `files.hard_links: true`"));
        }
        Ok((file, opened))
    }
}

/// A folder in an open one by its name, which is not followed if it is a link.
pub(super) fn open_inner(dir: &Dir, name: &OsStr) -> std::io::Result<Dir> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(Dir::from_std_file(rustix::fs::openat(dir, name, flags, Mode::empty())?.into()))
}

fn folder(said: &str) -> FileError {
    FileError::missing(format!("`{said}` is a folder")).hint("list it instead")
}

/// It is a pipe, a device or a socket.
pub(super) fn special(said: &str) -> FileError {
    FileError::forbidden(format!("`{said}` is no plain file but a pipe, a device or a socket"))
}

impl Target {
    /// Refuses a change of what is only read, and of that by which the next start comes about.
    pub(super) fn changeable(self, said: &str, files: &Files) -> Result<Self, FileError> {
        match self.read_only {
            true => Err(kept(said)),
            false => files.refuse_starting(said, &self).map(|()| self),
        }
    }
}

/// It lies in a folder that is only read.
pub(super) fn kept(said: &str) -> FileError {
    FileError::forbidden(format!("`{said}` may be read and not changed")).hint(
        "the operator decides that with `files.read_only` and `files.read_only_roots`; over HTTP it is so by default",
    )
}

impl Place<'_> {
    /// A plain file at the end of the path, or none yet, that does not belong to the server.
    pub(super) fn target(&self, files: &Files, known: &Known, create_dirs: bool) -> Result<Target, FileError> {
        let target = self.located(files, known, create_dirs)?;
        // A folder that was made is one in which something of the server may have its name.
        let made = create_dirs.then(|| files.own.now());
        match &target.existing {
            Some(meta) if meta.is_dir() => Err(FileError::failed(format!("`{}` is a folder", self.said))),
            Some(meta) if !meta.is_file() => Err(special(self.said)),
            _ => Files::refuse_own(self.said, &target, made.as_ref().unwrap_or(known)).map(|()| target),
        }
    }

    /// The name at the end of the path in its open folder. A link at the end is followed, as long as it stays in the folder.
    pub(super) fn located(&self, files: &Files, known: &Known, create_dirs: bool) -> Result<Target, FileError> {
        let real;
        let path = match self.dir.symlink_metadata(&self.path) {
            Ok(meta) if meta.is_symlink() => {
                real = self.dir.canonicalize(&self.path).map_err(|error| FileError::of(self.said, &error))?;
                real.as_path()
            }
            _ => self.path.as_path(),
        };
        self.entry(path, files, known, create_dirs)
    }

    /// The last name of a path in its open folder, whatever stands there.
    pub(super) fn entry(
        &self,
        path: &Path,
        files: &Files,
        known: &Known,
        create_dirs: bool,
    ) -> Result<Target, FileError> {
        let failed = |error| FileError::of(self.said, &error);
        let named = path.components().next_back();
        let Some(Component::Normal(name)) = named.filter(|_| !self.said.ends_with("/.") && !self.said.ends_with('/'))
        else {
            return Err(FileError::invalid(format!("`{}` ends with no name of a file", self.said)));
        };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let (parent, read_only) = match self.dir.open_dir(folder) {
            Ok(parent) => {
                let read_only = files.is_read_only(&parent, self, known)?;
                (parent, read_only)
            }
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            Err(_) if create_dirs => (self.make(folder, Some(name), files, known)?, false),
            Err(_) => {
                return Err(FileError::failed(format!("the folder of `{}` does not exist", self.said))
                    .hint("make the folder first"));
            }
        };
        let existing = match parent.symlink_metadata(name) {
            Ok(meta) => Some(meta),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        let read_only = read_only || files.is_kept_name(inode(&parent).map_err(failed)?, name);
        Ok(Target { parent, name: name.to_owned(), existing, read_only })
    }

    /// Makes a folder and those above it, one in the other, from the nearest that is there; `file` is what is put into it then.
    pub(super) fn make(
        &self,
        path: &Path,
        file: Option<&OsStr>,
        files: &Files,
        known: &Known,
    ) -> Result<Dir, FileError> {
        let failed = |error| FileError::of(self.said, &error);
        let mut above = path.ancestors().skip(1).map(|above| match above.as_os_str().is_empty() {
            true => (above, self.dir.open_dir(".")),
            false => (above, self.dir.open_dir(above)),
        });
        let nearest = above.find(|(_, opened)| !matches!(opened, Err(error) if error.kind() == ErrorKind::NotFound));
        let Some((above, opened)) = nearest else { return Err(failed(ErrorKind::NotFound.into())) };
        let mut dir = opened.map_err(failed)?;
        if files.is_read_only(&dir, self, known)? {
            return Err(kept(self.said));
        }
        let rest = path.strip_prefix(above).unwrap_or(path);
        if rest.components().any(|part| !matches!(part, Component::Normal(_))) {
            let message = format!("`{}` goes up (`..`) from a folder that is not there", self.said);
            return Err(FileError::invalid(message).hint("write the path without `..`"));
        }
        let names: Vec<&OsStr> = rest.iter().chain(file).collect();
        if known.would_be(inode(&dir).map_err(failed)?, &names) {
            return Err(own(self.said));
        }
        files.refuse_to_start(self.said, &dir, &names)?;
        for name in rest {
            let folder = inode(&dir).map_err(failed)?;
            // What was not there has no number: each folder is looked for anew when it is made.
            let known = files.own.now();
            if known.names(folder, name) {
                return Err(own(self.said));
            }
            if files.is_kept_name(folder, name) {
                return Err(kept(self.said));
            }
            match dir.create_dir(name) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(failed(error)),
                _ => dir = open_inner(&dir, name).map_err(|error| self.no_folder(name, error))?,
            }
            // Somebody else may have made it, or put another one there.
            if files.is_read_only(&dir, self, &known)? {
                return Err(kept(self.said));
            }
        }
        Ok(dir)
    }

    /// That a name on the way is there and is not gone into.
    fn no_folder(&self, name: &OsStr, error: std::io::Error) -> FileError {
        let is_link = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
        match error.kind() {
            kind if is_link || kind == ErrorKind::NotADirectory => FileError::failed(format!(
                "`{}` in `{}` is there, and is a file or a link and no folder",
                name.to_string_lossy(),
                self.said
            ))
            .hint("write to another path"),
            _ => FileError::of(self.said, &error),
        }
    }
}
