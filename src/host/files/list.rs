//! What is in a folder, and what a path is.

use std::{
    collections::BinaryHeap,
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt as _,
    path::Path,
    time::SystemTime,
};

use cap_std::fs::{Dir, FileType, FileTypeExt as _, Metadata, MetadataExt as _};

use super::{super::own::Known, Bounds, FileError, Files, place::open_inner, zone::is_own};

/// Most entries of an answer, and most folders inside each other.
const ENTRIES: usize = 1000;
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
    /// Those that are here may not be the first: the time of the call was over before all names were read.
    pub unordered: bool,
    /// Hidden names that were left out.
    pub hidden: usize,
    /// Folders that were not looked into: closed to the server, its own, or too deep.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
        let known = self.own.now();
        self.is_read_only(&dir, &place, &known)?;
        let mut walk = Walk { listing, bounds, known, listed: Listed::default() };
        walk.folder(&dir, "", 0)?;
        Ok(walk.listed)
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
        // What ends with no name is a folder, and has its own rules.
        let folder = if kind.is_dir() { place.path.as_path() } else { place.path.parent().unwrap_or(Path::new("")) };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let may_change = match place.dir.open_dir(folder) {
            Ok(folder) => !self.is_read_only(&folder, &place, &self.own.now())?,
            Err(_) => !place.root.read_only,
        };
        let leads_to = kind.is_symlink().then(|| place.dir.canonicalize(&place.path).ok()).flatten();
        Ok(Info {
            sort: Sort::of(kind),
            size: meta.len(),
            modified: meta.modified().ok().map(cap_std::time::SystemTime::into_std),
            mode: meta.mode() & 0o7777,
            leads_to: leads_to.map(|path| path.to_string_lossy().into_owned()),
            names: meta.nlink(),
            may_change,
            special,
        })
    }
}

struct Walk<'a> {
    listing: Listing<'a>,
    bounds: &'a Bounds,
    known: Known,
    listed: Listed,
}

impl Walk<'_> {
    fn folder(&mut self, dir: &Dir, prefix: &str, depth: usize) -> Result<(), FileError> {
        let room = ENTRIES - self.listed.entries.len();
        let (all, mut hidden) = (self.listing.hidden, 0);
        let names = Names::first(dir, room, self.listing.path, self.bounds, |name, _| {
            let shown = all || !name.as_bytes().starts_with(b".");
            hidden += usize::from(!shown);
            shown
        })?;
        self.listed.hidden += hidden;
        for (name, sort) in names.found {
            self.bounds.check()?;
            if self.listed.entries.len() == ENTRIES || self.bounds.is_over() {
                self.listed.truncated = true;
                return Ok(());
            }
            let path = format!("{prefix}{}", name.to_string_lossy());
            let size = (sort == Sort::File).then(|| dir.symlink_metadata(&name).ok().map(|meta| meta.len())).flatten();
            let below = format!("{path}/");
            self.listed.entries.push(Entry { path, sort, size });
            if self.listing.recursive && sort == Sort::Folder {
                match open_inner(dir, &name) {
                    Ok(inner) if depth < DEPTH && !is_own(&inner, &self.known) => {
                        self.folder(&inner, &below, depth + 1)?
                    }
                    _ => self.listed.closed += 1,
                }
            }
        }
        self.listed.truncated |= names.rest != Rest::Nothing;
        self.listed.unordered |= names.rest == Rest::Unread;
        Ok(())
    }
}

/// Names of a folder.
pub(super) struct Names {
    /// The first ones in their order.
    pub found: Vec<(OsString, Sort)>,
    pub rest: Rest,
}

/// What of a folder is not among its first names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    Nothing,
    /// Names that come later.
    Later,
    /// Nobody knows, for the time of the call was over.
    Unread,
}

impl Names {
    /// The first names of those that are wanted, however many there are in any order.
    pub(super) fn first(
        dir: &Dir,
        most: usize,
        said: &str,
        bounds: &Bounds,
        mut wanted: impl FnMut(&OsStr, Sort) -> bool,
    ) -> Result<Self, FileError> {
        let failed = |error| FileError::of(said, &error);
        let mut first = BinaryHeap::new();
        let mut rest = Rest::Nothing;
        for (at, entry) in dir.entries().map_err(failed)?.enumerate() {
            if at % 1024 == 1023 {
                bounds.check()?;
                if bounds.is_over() {
                    rest = Rest::Unread;
                    break;
                }
            }
            let entry = entry.map_err(failed)?;
            let (name, sort) = (entry.file_name(), Sort::of(entry.file_type().map_err(failed)?));
            if !wanted(&name, sort) {
                continue;
            }
            first.push((name, sort));
            if first.len() > most {
                first.pop();
                rest = Rest::Later;
            }
        }
        Ok(Self { found: first.into_sorted_vec(), rest })
    }
}
