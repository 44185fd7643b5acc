//! What else is the server's own: links in its folders that lead out of them, and files in them and beside its files that have further
//! names elsewhere.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::{Path, PathBuf},
};

use super::own::{Inode, Seen, is_beside, way};

/// Most names of the server's own that are looked at.
const NAMES: usize = 1_000_000;

/// What was found.
#[derive(Default)]
pub(super) struct Further {
    /// Links, by their own paths: what they lead to is the server's, also if it is not there yet.
    pub links: Vec<PathBuf>,
    /// Files that have more names than were found here.
    pub files: Vec<File>,
    /// There was too much to be looked at.
    pub is_partial: bool,
}

/// A file with further names.
pub(super) struct File {
    /// One of its names.
    pub path: PathBuf,
    pub seen: Seen,
    /// File systems on which its other names may be: its own, and that of its folder, which may be told apart where layers are put
    /// together.
    pub devices: [u64; 2],
}

/// A file, how many names it has, and those that were found.
struct Names {
    seen: Seen,
    count: u64,
    device: u64,
    found: BTreeSet<PathBuf>,
}

/// Looks into the folders of the server and beside its files, and not into folders that are open: what lies there is closed or opened
/// by other rules.
pub(super) fn look(own: &[PathBuf], open: &[&Path]) -> Further {
    let mut further = Further::default();
    let ends: BTreeSet<PathBuf> = own.iter().map(|own| way(own).1).collect();
    // One that holds files of the server is no reason not to look at them.
    let is_theirs = |root: &&&Path| !ends.iter().any(|end| end.starts_with(root) && end != **root);
    let open: Vec<&Path> = open.iter().filter(is_theirs).copied().collect();
    let is_inside = |path: &Path| path.ancestors().any(|folder| ends.contains(folder));
    let mut ahead: Vec<PathBuf> = ends.iter().cloned().chain(beside(own, &ends)).collect();
    let mut seen = HashSet::new();
    let mut files: HashMap<Inode, Names> = HashMap::new();
    while let Some(path) = ahead.pop() {
        if open.iter().any(|root| path.starts_with(root)) || !seen.insert(path.clone()) {
            continue;
        }
        if seen.len() > NAMES {
            further.is_partial = true;
            break;
        }
        // What this server cannot look at itself is not its own.
        let Ok(meta) = std::fs::symlink_metadata(&path) else { continue };
        if meta.is_symlink() {
            let end = way(&path).1;
            if !is_inside(&end) {
                further.links.push(path);
            }
            ahead.push(end);
        } else if meta.is_dir() {
            ahead.extend(std::fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        } else if meta.is_file() && meta.nlink() > 1 {
            let device =
                path.parent().and_then(|folder| std::fs::metadata(folder).ok()).map_or(meta.dev(), |at| at.dev());
            let seen = Seen::of(&meta);
            let names = Names { seen, count: meta.nlink(), device, found: BTreeSet::new() };
            files.entry(seen.inode).or_insert(names).found.insert(path);
        }
    }
    let is_elsewhere = |names: &Names| further.is_partial || names.found.len() as u64 != names.count;
    for names in files.into_values().filter(is_elsewhere) {
        let devices = [names.seen.inode.0, names.device];
        further.files.extend(names.found.into_iter().next().map(|path| File { path, seen: names.seen, devices }));
    }
    further.files.sort_by(|one, other| one.path.cmp(&other.path));
    further
}

/// What programs put beside the files of the server, and beside links to them, as it is now.
fn beside(own: &[PathBuf], ends: &BTreeSet<PathBuf>) -> Vec<PathBuf> {
    let mut names: HashMap<&Path, Vec<&[u8]>> = HashMap::new();
    for path in own.iter().chain(ends).filter(|path| !path.is_dir()) {
        if let (Some(folder), Some(name)) = (path.parent(), path.file_name()) {
            names.entry(folder).or_default().push(name.as_bytes());
        }
    }
    let mut found = Vec::new();
    for (folder, names) in names {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten().take(NAMES) {
            if names.iter().any(|own| is_beside(own, entry.file_name().as_bytes())) {
                found.push(way(folder).1.join(entry.file_name()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_out_of_own_folders_and_files_with_names_elsewhere_are_found() {
        let room = tempfile::tempdir().unwrap();
        let root = room.path().canonicalize().unwrap();
        let at = |name: &str| root.join(name);
        for folder in ["data/parts/old", "data/work", "elsewhere/deep", "conf"] {
            std::fs::create_dir_all(at(folder)).unwrap();
        }
        for file in ["data/parts/1.bin", "data/parts/2.bin", "conf/a.sqlite", "conf/a.sqlite-wal", "elsewhere/deep/x"] {
            std::fs::write(at(file), "x").unwrap();
        }
        // A part that has its names in the folder alone, as those of databases do.
        std::fs::hard_link(at("data/parts/1.bin"), at("data/parts/old/1.bin")).unwrap();
        std::fs::hard_link(at("data/parts/2.bin"), at("two")).unwrap();
        std::fs::hard_link(at("conf/a.sqlite-wal"), at("three")).unwrap();
        std::fs::hard_link(at("elsewhere/deep/x"), at("four")).unwrap();
        for (to, link) in [
            ("parts/1.bin", "data/inside"),
            ("../not-there", "data/dangling"),
            ("../elsewhere", "data/out"),
            ("/dev/null", "conf/a.sqlite-shm"),
            ("../../two", "data/work/theirs"),
        ] {
            std::os::unix::fs::symlink(to, at(link)).unwrap();
        }
        let found = look(&[at("data"), at("conf/a.sqlite")], &[&at("data/work")]);
        let mut links = found.links.clone();
        links.sort();
        assert_eq!(links, ["conf/a.sqlite-shm", "data/dangling", "data/out"].map(at));
        let files: Vec<_> = found.files.iter().map(|file| file.path.clone()).collect();
        assert_eq!(files, ["conf/a.sqlite-wal", "data/parts/2.bin", "elsewhere/deep/x"].map(at));
        assert!(!found.is_partial);
    }
}
