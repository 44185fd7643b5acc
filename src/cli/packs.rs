//! Which packs a folder means: itself, or those that lie below it.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use crate::load;

/// Deepest folder that is looked into for packs.
const DEEPEST: usize = 5;

/// Folders of other tools that are large and hold no pack of anybody.
const OTHERS: [&str; 3] = ["node_modules", "target", "venv"];

/// Whether a path is a folder that holds the folders of a pack.
pub(super) fn is_pack(path: &Path) -> bool {
    ["definitions", "personas", "prompts"].iter().any(|folder| path.join(folder).is_dir())
}

/// The pack that a path is, or those that lie below it; links are not followed.
pub(super) fn at(path: &Path) -> Vec<PathBuf> {
    if is_pack(path) {
        return vec![path.to_owned()];
    }
    let mut found = Vec::new();
    below(path, 1, &mut found);
    found
}

fn below(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut paths: Vec<PathBuf> = folders.map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || OTHERS.iter().any(|other| *other == name) {
            continue;
        }
        // A folder of that name may be anybody's: only one with something to read in it is a pack.
        if is_pack(&path) && !load::survey(std::slice::from_ref(&path)).files.is_empty() {
            // Written as people do, which annotations of a workflow need too.
            found.push(path.strip_prefix(".").map(Path::to_owned).unwrap_or(path));
        } else if depth < DEEPEST {
            below(&path, depth + 1, found);
        }
    }
}

/// Leaves out packs that are named again; read twice they would collide with themselves.
pub(super) fn once(packs: &mut Vec<PathBuf>) {
    let mut seen = HashSet::new();
    packs.retain(|pack| seen.insert(pack.canonicalize().unwrap_or_else(|_| pack.clone())));
}
