//! The names by which a command could come to what belongs to the server: its path, each link on the way to it, and other names of
//! the same file.

use std::{
    collections::BTreeSet,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::{Path, PathBuf},
};

use crate::host::own::{is_beside, way};

/// Most names in open folders that are looked at for another name of a file.
const NAMES: usize = 200_000;

/// Whether a file of the server lies in a folder that is open, or is reached through what a command could change: a link in its
/// place leads the next start elsewhere. What is not there yet will be.
pub(super) fn is_open(own: &Path, open: &[&Path], changeable: &[&Path]) -> bool {
    let (steps, end) = way(own);
    let is_inside = |root: &&Path| steps.iter().any(|step| step.path.starts_with(root) && step.path != **root);
    open.iter().any(|root| end.starts_with(root)) || changeable.iter().any(is_inside)
}

/// Another name in an open folder of a file of the server, and what is to be said of it.
pub(super) fn elsewhere(own: &Path, open: &[&Path]) -> Option<String> {
    let meta = std::fs::metadata(own).ok().filter(|meta| meta.is_file() && meta.nlink() > 1)?;
    let name = own.file_name().unwrap_or_default().to_string_lossy();
    let mut ahead: Vec<PathBuf> = open.iter().map(|root| (*root).to_owned()).collect();
    let mut seen = 0;
    while let Some(folder) = ahead.pop() {
        // A file has names on its own file system alone.
        if std::fs::symlink_metadata(&folder).ok()?.dev() != meta.dev() {
            continue;
        }
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            seen += 1;
            if seen > NAMES {
                return Some(format!(
                    "`{name}`, which belongs to this server and has further names that were not found"
                ));
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => ahead.push(entry.path()),
                Ok(kind) if kind.is_file() && entry.metadata().is_ok_and(|found| found.ino() == meta.ino()) => {
                    let other = entry.path();
                    return Some(format!("`{name}`, which belongs to this server, as `{}`", other.display()));
                }
                _ => {}
            }
        }
    }
    None
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
        assert_eq!(elsewhere(&at("own"), &[&at("open")]), None);
        std::fs::hard_link(at("own"), at("second")).unwrap();
        assert_eq!(elsewhere(&at("own"), &[&at("open")]), None);
        std::fs::hard_link(at("own"), at("open/below/third")).unwrap();
        assert!(elsewhere(&at("own"), &[&at("open")]).unwrap().contains("open/below/third"));
        std::os::unix::fs::symlink(at("own"), at("open/link")).unwrap();
        let open = at("open");
        assert!(is_open(&at("open/link"), &[&open], &[&open]) && !is_open(&at("open/link"), &[&open], &[]));
        assert!(
            is_open(&at("open/below/../../own"), &[], &[&open]) && !is_open(&at("open/../own"), &[&open], &[&open])
        );
        assert!(is_open(&at("open/new"), &[&open], &[]) && !is_open(&at("own"), &[&open], &[&open]));
    }
}
