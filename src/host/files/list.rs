//! What is in a folder, and what a path is.

use std::time::SystemTime;

use cap_std::fs::{Dir, FileType, FileTypeExt as _, Metadata, MetadataExt as _};

use super::{Bounds, FileError, Files};

/// Most entries of an answer, most that are looked at in one folder, and most folders inside each other.
const ENTRIES: usize = 1000;
pub(super) const IN_ONE: usize = 100_000;
pub(super) const DEPTH: usize = 64;

/// What is listed.
#[derive(Debug, Clone, Copy)]
pub struct Listing<'a> {
    pub path: &'a str,
    pub recursive: bool,
    /// Whether names that begin with a dot are shown.
    pub hidden: bool,
}

/// The entries of a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    pub entries: Vec<Entry>,
    /// There are more.
    pub truncated: bool,
    /// Hidden names that were left out.
    pub hidden: usize,
    /// Folders that could not be looked into.
    pub closed: usize,
}

/// A name in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Below the folder that is listed.
    pub path: String,
    pub sort: Sort,
    /// Bytes of a file.
    pub size: Option<u64>,
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    File,
    Folder,
    Link,
    Other,
}

impl Sort {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Folder => "directory",
            Self::Link => "link",
            Self::Other => "other",
        }
    }

    pub(super) fn of(kind: FileType) -> Self {
        match () {
            () if kind.is_dir() => Self::Folder,
            () if kind.is_file() => Self::File,
            () if kind.is_symlink() => Self::Link,
            () => Self::Other,
        }
    }
}

/// What a path is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    pub sort: Sort,
    pub size: u64,
    pub modified: Option<SystemTime>,
    pub mode: u32,
    /// Of a link: where it leads below its folder; none: nowhere, or out of it.
    pub leads_to: Option<String>,
    /// How many names it has.
    pub names: u64,
    pub may_change: bool,
    /// Which kind of special file.
    pub special: Option<&'static str>,
}

impl Files {
    /// Lists a folder.
    pub fn list(&self, listing: Listing<'_>, bounds: &Bounds) -> Result<Listed, FileError> {
        let place = self.place(listing.path)?;
        let dir = place.dir.open_dir(&place.path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotADirectory => {
                FileError::failed(format!("`{}` is no folder", listing.path)).hint("read it, or list the folder above")
            }
            _ => FileError::of(listing.path, &error),
        })?;
        let mut listed = Listed::default();
        walk(&dir, "", listing, 0, &mut listed, bounds)?;
        Ok(listed)
    }

    /// Tells what a path is. A link is looked at itself.
    pub fn info(&self, path: &str) -> Result<Info, FileError> {
        let place = self.place(path)?;
        let failed = |error| FileError::of(path, &error);
        let meta: Metadata = place.dir.symlink_metadata(&place.path).map_err(failed)?;
        let kind = meta.file_type();
        let special = match () {
            () if kind.is_fifo() => Some("pipe"),
            () if kind.is_socket() => Some("socket"),
            () if kind.is_block_device() || kind.is_char_device() => Some("device"),
            () => None,
        };
        let leads_to = kind.is_symlink().then(|| place.dir.canonicalize(&place.path).ok()).flatten();
        Ok(Info {
            sort: Sort::of(kind),
            size: meta.len(),
            modified: meta.modified().ok().map(cap_std::time::SystemTime::into_std),
            mode: meta.mode() & 0o7777,
            leads_to: leads_to.map(|path| path.to_string_lossy().into_owned()),
            names: meta.nlink(),
            may_change: !place.root.read_only,
            special,
        })
    }
}

fn walk(
    dir: &Dir,
    prefix: &str,
    listing: Listing<'_>,
    depth: usize,
    listed: &mut Listed,
    bounds: &Bounds,
) -> Result<(), FileError> {
    for (name, kind) in sorted(dir, listing.path)? {
        bounds.check()?;
        let name = name.to_string_lossy();
        if name.starts_with('.') && !listing.hidden {
            listed.hidden += 1;
            continue;
        }
        if listed.entries.len() == ENTRIES || bounds.is_over() {
            listed.truncated = true;
            return Ok(());
        }
        let sort = Sort::of(kind);
        let path = format!("{prefix}{name}");
        let size = (sort == Sort::File).then(|| dir.symlink_metadata(&*name).ok().map(|meta| meta.len())).flatten();
        let below = format!("{path}/");
        listed.entries.push(Entry { path, sort, size });
        if listing.recursive && sort == Sort::Folder {
            match dir.open_dir(&*name) {
                Ok(inner) if depth < DEPTH => walk(&inner, &below, listing, depth + 1, listed, bounds)?,
                _ => listed.closed += 1,
            }
        }
    }
    Ok(())
}

/// The names in a folder in order.
pub(super) fn sorted(dir: &Dir, said: &str) -> Result<Vec<(std::ffi::OsString, FileType)>, FileError> {
    let failed = |error| FileError::of(said, &error);
    let entries = dir.entries().map_err(failed)?.take(IN_ONE);
    let named = entries.map(|entry| entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?))));
    let mut all: Vec<_> = named.collect::<Result<_, _>>().map_err(failed)?;
    all.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(all)
}
