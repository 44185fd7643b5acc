//! The names by which a command could come to what belongs to the server: its path, each link on the way to it, and other names of
//! the same file.

use std::{
    collections::{BTreeSet, HashMap},
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::{Path, PathBuf},
};

use crate::host::{
    further::{File, Further},
    own::{is_beside, way},
};

/// Most names in open folders that are looked at for another name of a file.
const NAMES: usize = 200_000;

/// Longest path that is told of, in characters.
const SHOWN: usize = 200;

/// Whether a file of the server lies in a folder that is open, or is reached through what a command could change: a link in its
/// place leads the next start elsewhere. What is not there yet will be.
pub(super) fn is_open(own: &Path, open: &[&Path], changeable: &[&Path]) -> bool {
    let (steps, end) = way(own);
    let is_inside = |root: &&Path| steps.iter().any(|step| step.path.starts_with(root) && step.path != **root);
    open.iter().any(|root| end.starts_with(root)) || changeable.iter().any(is_inside)
}

/// Another name in an open folder of a file of the server, and what is to be said of it. What cannot be looked at may hold one.
pub(super) fn elsewhere(further: &Further, open: &[&Path]) -> Option<String> {
    let name = |file: &File| file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let first = further.files.first().map_or_else(|| "what belongs to this server".to_owned(), name);
    let unknown = |why: &str| {
        Some(format!("`{first}`, which belongs to this server and has further names that were not found{why}"))
    };
    if further.is_partial {
        return unknown("");
    }
    if further.files.is_empty() {
        return None;
    }
    let devices: BTreeSet<u64> = further.files.iter().flat_map(|file| file.devices).collect();
    let files: HashMap<_, _> = further.files.iter().map(|file| (file.seen.inode, file)).collect();
    let mut ahead: Vec<PathBuf> = open.iter().map(|root| (*root).to_owned()).collect();
    let mut seen = 0;
    while let Some(folder) = ahead.pop() {
        let closed = || unknown(&format!(", for `{}` cannot be looked into", shown(&folder)));
        match std::fs::symlink_metadata(&folder) {
            // A file has names on its own file system alone.
            Ok(found) if !devices.contains(&found.dev()) => continue,
            Ok(found) if found.is_file() => {
                // A file that is opened by itself.
                if let Some(file) = files.get(&(found.dev(), found.ino())) {
                    return Some(format!("`{}`, which belongs to this server, as `{}`", name(file), shown(&folder)));
                }
                continue;
            }
            Ok(_) => {}
            Err(_) => return closed(),
        }
        let Ok(entries) = std::fs::read_dir(&folder) else { return closed() };
        for entry in entries {
            seen += 1;
            if seen > NAMES {
                return unknown("");
            }
            let Ok(entry) = entry else { return closed() };
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => ahead.push(entry.path()),
                Ok(kind) if kind.is_file() => match entry.metadata() {
                    Ok(found) if files.contains_key(&(found.dev(), found.ino())) => ahead.push(entry.path()),
                    Ok(_) => {}
                    Err(_) => return closed(),
                },
                Ok(_) => {}
                Err(_) => return closed(),
            }
        }
    }
    None
}

/// The beginning of a path, which may be as long as folders lie in each other.
fn shown(path: &Path) -> String {
    let path = path.to_string_lossy();
    let end = path.char_indices().nth(SHOWN).map(|(end, _)| end);
    end.and_then(|end| path.get(..end)).map_or_else(|| path.to_string(), |begin| format!("{begin}…"))
}

/// Paths that are opened to every command, without what belongs to the server and what programs put beside that: a folder that
/// holds some of it is opened by what else is in it, as it is now.
pub(super) fn without(paths: Vec<PathBuf>, own: &[PathBuf]) -> Vec<PathBuf> {
    let own: BTreeSet<PathBuf> = own.iter().map(|own| way(own).1).collect();
    let mut kept = Vec::new();
    let mut ahead = paths;
    while let Some(path) = ahead.pop() {
        let name = path.file_name().unwrap_or_default().as_bytes();
        let is_its = |own: &PathBuf| {
            path.starts_with(own)
                || own.parent() == path.parent() && is_beside(own.file_name().unwrap_or_default().as_bytes(), name)
        };
        if own.iter().any(is_its) {
            continue;
        }
        match own.iter().any(|own| own.starts_with(&path)) {
            false => kept.push(path),
            // A link leads to what has a path of its own.
            true => {
                let entries = std::fs::read_dir(&path).into_iter().flatten().flatten();
                let is_link = |entry: &std::fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_symlink());
                ahead.extend(entries.filter(|entry| !is_link(entry)).map(|entry| entry.path()));
            }
        }
    }
    kept.sort();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::further::look;

    #[test]
    fn a_folder_that_holds_what_is_the_servers_is_opened_by_all_else() {
        let room = tempfile::tempdir().unwrap();
        let root = room.path().canonicalize().unwrap();
        let at = |name: &str| root.join(name);
        for folder in ["a/b/c", "a/d", "data", "e"] {
            std::fs::create_dir_all(at(folder)).unwrap();
        }
        for file in ["a/x", "a/b/own", "a/b/own-wal", "a/b/y", "data/z"] {
            std::fs::write(at(file), "x").unwrap();
        }
        std::os::unix::fs::symlink("b", at("a/link")).unwrap();
        let own = [at("a/link/own"), at("data"), at("a/new/file")];
        let found = without(vec![at("a"), at("data"), at("e"), at("data/z")], &own);
        assert_eq!(found, ["a/b/c", "a/b/y", "a/d", "a/x", "e"].map(at));
        assert_eq!(without(vec![at("a")], &[]), [at("a")]);
    }

    #[test]
    fn a_file_is_found_by_its_other_names_and_by_links_that_may_be_changed() {
        let room = tempfile::tempdir().unwrap();
        let root = room.path().canonicalize().unwrap();
        let at = |name: &str| root.join(name);
        std::fs::create_dir_all(at("open/below")).unwrap();
        std::fs::write(at("own"), "x").unwrap();
        let elsewhere = || {
            let open = at("open");
            super::elsewhere(&look(&[at("own")], &[&open]), &[&open])
        };
        assert_eq!(elsewhere(), None);
        std::fs::hard_link(at("own"), at("second")).unwrap();
        assert_eq!(elsewhere(), None);
        std::fs::hard_link(at("own"), at("open/below/third")).unwrap();
        assert!(elsewhere().unwrap().contains("open/below/third"));
        // What cannot be looked into may hold a name: a folder whose path is longer than the system takes.
        std::fs::rename(at("open/below/third"), at("third")).unwrap();
        assert_eq!(elsewhere(), None);
        let mut folder = cap_std::fs::Dir::open_ambient_dir(at("open"), cap_std::ambient_authority()).unwrap();
        for _ in 0..30 {
            folder.create_dir("a".repeat(200)).unwrap();
            folder = folder.open_dir("a".repeat(200)).unwrap();
        }
        let told = elsewhere().unwrap();
        assert!(told.contains("cannot be looked into") && told.len() < 1000, "{told}");
        std::os::unix::fs::symlink(at("own"), at("open/link")).unwrap();
        let open = at("open");
        assert!(is_open(&at("open/link"), &[&open], &[&open]) && !is_open(&at("open/link"), &[&open], &[]));
        assert!(
            is_open(&at("open/below/../../own"), &[], &[&open]) && !is_open(&at("open/../own"), &[&open], &[&open])
        );
        assert!(is_open(&at("open/new"), &[&open], &[]) && !is_open(&at("own"), &[&open], &[&open]));
    }
}
