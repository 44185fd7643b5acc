//! What belongs to the server itself: its settings, keys, databases and logs, which no caller reads or changes.
//!
//! A file is known by its device and inode, as it was when the server saw it first and as it is now: whoever moves it, or a
//! folder above it, opens nothing. What is not there yet is known by its name in its folder, and so is what programs put beside
//! a file under its name: the log of a database, a log of yesterday, the copy of an editor.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    ffi::{OsStr, OsString},
    fs::Metadata,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use super::further::{Further, look};

/// Most links that are followed on the way to a file.
const LINKS: usize = 40;

/// What programs write behind the name of a file for what they put beside it: SQLite, editors, and whoever replaces it.
const BESIDE: [&[u8]; 17] = [
    b"-wal",
    b"-shm",
    b"-journal",
    b"~",
    b".bak",
    b".old",
    b".orig",
    b".new",
    b".tmp",
    b".backup",
    b".save",
    b".rpmsave",
    b".rpmnew",
    b".dpkg-old",
    b".dpkg-new",
    b".gz",
    b".zst",
];

/// Device and inode.
pub(super) type Inode = (u64, u64);

/// A file or folder as it was seen. Its number may belong to another one when it is gone, which is younger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub inode: Inode,
    /// None: the file system does not tell.
    pub born: Option<SystemTime>,
}

/// Files and folders of the server.
#[derive(Clone, Default)]
pub(super) struct Own(Arc<Paths>);

#[derive(Default)]
struct Paths {
    paths: Vec<PathBuf>,
    /// Files that had names in their folders and elsewhere when the server began.
    further: HashMap<Inode, Seen>,
    /// What stood at each first and last.
    seen: Mutex<Vec<[Option<Seen>; 2]>>,
}

/// Where they are at one moment.
pub(super) struct Known {
    own: Arc<Paths>,
    seen: Vec<Seen>,
    /// Names that are theirs, by their folder.
    names: HashMap<Inode, Vec<OsString>>,
    /// Names on the way to them, their own among them.
    way: HashSet<(Inode, OsString)>,
    /// Those that have no folder yet: the nearest one above that is there, and the names below it.
    ahead: Vec<(Inode, Vec<OsString>)>,
}

impl Own {
    /// The paths may not exist yet. What links in the server's own folders lead to is its own as well, but for folders inside of
    /// them that are open.
    pub fn new(mut paths: Vec<PathBuf>, open: &[&Path]) -> Self {
        let Further { links, files, .. } = look(&paths, open);
        paths.extend(links);
        Self::seen(paths, files.into_iter().map(|file| (file.seen.inode, file.seen)).collect())
    }

    /// The same of these alone, whatever lies beside or in them.
    pub fn named(paths: Vec<PathBuf>) -> Self {
        Self::seen(paths, HashMap::new())
    }

    fn seen(paths: Vec<PathBuf>, further: HashMap<Inode, Seen>) -> Self {
        let own = Self(Arc::new(Paths { seen: Mutex::new(vec![[None; 2]; paths.len()]), paths, further }));
        own.now();
        own
    }

    /// Looks where they are.
    pub fn now(&self) -> Known {
        let own = self.0.clone();
        let (names, way_to) = (HashMap::new(), HashSet::new());
        let mut known = Known { own, seen: Vec::new(), names, way: way_to, ahead: Vec::new() };
        let mut before = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for (path, seen) in self.0.paths.iter().zip(before.iter_mut()) {
            if let Some(now) = std::fs::metadata(path).ok().map(|found| Seen::of(&found)) {
                *seen = [seen[0].or(Some(now)), Some(now)];
            }
            known.seen.extend(seen.iter().flatten());
            let (steps, end) = way(path);
            known.ahead.extend(ahead(&end));
            for Step { folder, name, last, .. } in steps {
                if last {
                    known.names.entry(folder).or_default().push(name.clone());
                }
                known.way.insert((folder, name));
            }
        }
        known
    }
}

impl Seen {
    pub fn of(found: &Metadata) -> Self {
        Self { inode: (found.dev(), found.ino()), born: found.created().ok() }
    }

    fn is(&self, other: &Self) -> bool {
        self.inode == other.inode && self.born.zip(other.born).is_none_or(|(one, other)| one == other)
    }
}

impl Known {
    /// Whether it is one of them.
    pub fn is(&self, found: &Seen) -> bool {
        let is_further = || self.own.further.get(&found.inode).is_some_and(|seen| seen.is(found));
        self.seen.iter().any(|seen| seen.is(found)) || is_further()
    }

    /// Whether a name in a folder is that of one of them, or of what is put beside it.
    pub fn names(&self, folder: Inode, name: &OsStr) -> bool {
        let names = self.names.get(&folder).into_iter().flatten();
        names.into_iter().any(|own| own == name || is_beside(own.as_bytes(), name.as_bytes()))
    }

    /// Whether names below a folder that are not there would be one of them, or lie in one: no folder above it has a number by
    /// which it is known.
    pub fn would_be(&self, folder: Inode, names: &[&OsStr]) -> bool {
        self.ahead.iter().filter(|(above, _)| *above == folder).any(|(_, own)| {
            let mut pairs = own.iter().zip(names);
            let last = pairs.next_back().filter(|_| own.len() <= names.len());
            let is_it = last.is_some_and(|(own, name)| own == name || is_beside(own.as_bytes(), name.as_bytes()));
            is_it && pairs.all(|(own, name)| own == name)
        })
    }

    /// Whether a name in a folder leads to one of them.
    pub fn leads(&self, folder: Inode, name: &OsStr) -> bool {
        self.way.contains(&(folder, name.to_owned()))
    }
}

/// A name in a folder on the way of a path.
pub(super) struct Step {
    pub folder: Inode,
    pub name: OsString,
    /// Where it stands, without links before it.
    pub path: PathBuf,
    /// It is what the path leads to, or a link to that.
    pub last: bool,
    /// A link stood there, which was followed.
    pub is_link: bool,
}

/// All names that a path leads through, those of links too, and where it ends. What is not there ends the way, not the path.
pub(super) fn way(path: &Path) -> (Vec<Step>, PathBuf) {
    let mut steps = Vec::new();
    let mut at = PathBuf::from("/");
    let mut links = 0;
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut left: VecDeque<OsString> = parts(&path).collect();
    while let Some(name) = left.pop_front() {
        if name == ".." {
            at.pop();
            continue;
        }
        let next = at.join(&name);
        let led = std::fs::read_link(&next).ok().filter(|_| links < LINKS);
        if let Ok(folder) = std::fs::metadata(&at) {
            let (last, is_link) = (left.is_empty(), led.is_some());
            steps.push(Step {
                folder: (folder.dev(), folder.ino()),
                name: name.clone(),
                path: next.clone(),
                last,
                is_link,
            });
        }
        match led {
            Some(to) => {
                links += 1;
                if to.is_absolute() {
                    at = PathBuf::from("/");
                }
                left = parts(&to).chain(left).collect();
            }
            None => at = next,
        }
    }
    (steps, at)
}

/// Of a path without links whose folder is not there: the nearest folder above that is, and the names below it.
fn ahead(end: &Path) -> Option<(Inode, Vec<OsString>)> {
    let above = end.ancestors().skip(1).find_map(|above| Some((above, std::fs::metadata(above).ok()?)));
    let (above, found) = above.filter(|(above, _)| end.parent() != Some(above))?;
    Some(((found.dev(), found.ino()), parts(end.strip_prefix(above).ok()?).collect()))
}

/// Where a path leads, without links. A link in a folder that is changed from here, which leads out of it, opens nothing: whoever
/// changes the folder may have put it there. Nor does one that leads into what is `kept` as it is, whose rules it would undo.
///
/// Everything is said of one walk: a link that comes and goes while it is looked at is either followed and seen, or neither.
///
/// # Errors
/// Why it opens nothing, and what to do.
pub(super) fn led(path: &Path, changeable: &[PathBuf], kept: &[PathBuf]) -> Result<PathBuf, String> {
    let (steps, end) = way(path);
    let real = |folders: &[PathBuf]| folders.iter().filter_map(|folder| folder.canonicalize().ok()).collect::<Vec<_>>();
    let kept = real(kept);
    let is_kept = |path: &Path| kept.iter().any(|kept| path.starts_with(kept));
    for folder in real(changeable) {
        let is_in = |step: &&Step| step.is_link && step.path.starts_with(&folder) && step.path != folder;
        let out = steps.iter().find(is_in).filter(|_| !end.starts_with(&folder));
        let into = || steps.iter().filter(is_in).find(|step| is_kept(&end) && !is_kept(&step.path));
        let why = "so that it may lead elsewhere than when it was named; name what it leads to instead";
        if let Some(link) = out {
            let link = link.path.display();
            return Err(format!("the link `{link}` leads out of a folder that is changed from here, {why}"));
        }
        if let Some(link) = into() {
            let link = link.path.display();
            return Err(format!(
                "the link `{link}` in a folder that is changed from here leads into one that is not, {why}"
            ));
        }
    }
    Ok(end)
}

/// The names of a path and its `..`.
fn parts(path: &Path) -> impl Iterator<Item = OsString> {
    path.components()
        .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir))
        .map(|part| part.as_os_str().to_owned())
}

/// Whether a name is one of those that programs give to what they put beside a file.
pub(super) fn is_beside(own: &[u8], name: &[u8]) -> bool {
    match name.strip_prefix(own) {
        // Logs of yesterday have a number or a day: `audit.log.1.gz`, `audit.log-20261129`.
        Some([b'.' | b'-', digit, ..]) if digit.is_ascii_digit() => true,
        // SQLite names what several of its files share `-mj` and a number.
        Some(rest) => BESIDE.contains(&rest) || rest.starts_with(b"-mj"),
        None => {
            // Vim and Emacs.
            let hidden = name.strip_prefix(b".").and_then(|name| name.strip_prefix(own));
            let saved = name.strip_prefix(b"#").and_then(|name| name.strip_prefix(own));
            saved == Some(b"#") || hidden.is_some_and(|rest| rest.starts_with(b".sw") || rest.starts_with(b".un~"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_put_beside_a_file_is_told_by_its_name() {
        for name in [
            "a.db-wal",
            "a.db-shm",
            "a.db-journal",
            "a.db-mj0A1B",
            "a.db.1",
            "a.db.2.gz",
            "a.db-20261129",
            "a.db~",
            ".a.db.swp",
            ".a.db.un~",
            "#a.db#",
            "a.db.backup",
            "a.db.rpmsave",
            "a.db.gz",
        ] {
            assert!(is_beside(b"a.db", name.as_bytes()), "{name}");
        }
        for name in ["a.db.example", "a.dbx", "b.db-wal", "a.db-walnut", ".a.db", "a", "a.db.rs"] {
            assert!(!is_beside(b"a.db", name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn the_way_of_a_path_goes_through_links_and_beyond_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("b/c")).unwrap();
        std::os::unix::fs::symlink("b/c", root.join("a")).unwrap();
        std::os::unix::fs::symlink("circle", root.join("circle")).unwrap();
        let (steps, end) = way(&root.join("a/../c/./new/file"));
        assert_eq!(end, root.join("b/c/new/file"));
        let names: Vec<_> = steps.iter().map(|step| step.name.to_string_lossy()).collect();
        let inside = &names[names.iter().position(|name| name == "a").unwrap()..];
        // The folder of `file` is not there, so that nobody can stand in it.
        assert_eq!(inside, ["a", "b", "c", "c", "new"]);
        assert!(steps.iter().all(|step| !step.last));
        std::os::unix::fs::symlink("a/x", root.join("link")).unwrap();
        let (steps, _) = way(&root.join("link"));
        let last: Vec<_> = steps.iter().filter(|step| step.last).map(|step| step.name.to_string_lossy()).collect();
        assert_eq!(last, ["link", "x"]);
        assert_eq!(way(&root.join("circle/x")).1.file_name().unwrap(), "x");
    }

    #[test]
    fn a_file_is_known_wherever_it_is_moved() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own");
        std::fs::write(&path, "x").unwrap();
        let own = Own::new(vec![path.clone()], &[]);
        std::fs::rename(&path, folder.path().join("moved")).unwrap();
        std::fs::write(&path, "another").unwrap();
        let known = own.now();
        let seen = |name: &str| Seen::of(&std::fs::metadata(folder.path().join(name)).unwrap());
        assert!(known.is(&seen("moved")) && known.is(&seen("own")));
        std::fs::write(folder.path().join("other"), "x").unwrap();
        assert!(!known.is(&seen("other")));
        // A number that was given again is another file.
        let again = Seen { born: Some(SystemTime::UNIX_EPOCH), ..seen("moved") };
        assert!(seen("moved").born.is_none() || !known.is(&again));
    }
}
