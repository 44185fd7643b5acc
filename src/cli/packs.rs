//! Which packs a folder means: itself, or those that lie below it.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    sync::Once,
};

use super::output;
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

/// Says, once, where the working folder holds definitions that nothing reads: answers are those of others.
pub(super) fn tell_unread(packs: &[PathBuf]) {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        if let Some(unread) = unread_here(packs) {
            output::hint_line(&format!(
                "`{unread}` and what else this folder defines are not read: `--pack .` reads them"
            ));
        }
    });
}

/// A definition of the working folder that is neither of the packs nor what is built in.
fn unread_here(packs: &[PathBuf]) -> Option<String> {
    let here = Path::new(".");
    let real = |path: &Path| path.canonicalize().ok();
    if !is_pack(here) || packs.iter().any(|pack| real(pack) == real(here)) {
        return None;
    }
    let is_built_in = |path: &Path| {
        let inside = path.strip_prefix(here).unwrap_or(path);
        let known = load::BUILT_IN.binary_search_by(|file| Path::new(file.path).cmp(inside));
        let known = known.ok().and_then(|at| load::BUILT_IN.get(at));
        known.is_some_and(|file| fs::read(path).is_ok_and(|text| text == file.text.as_bytes()))
    };
    let unread = load::survey(&[here.to_owned()]).files.into_iter().find(|path| !is_built_in(path))?;
    Some(unread.strip_prefix(here).unwrap_or(&unread).display().to_string())
}

/// Leaves out packs that are named again; read twice they would collide with themselves.
pub(super) fn once(packs: &mut Vec<PathBuf>) {
    let mut seen = HashSet::new();
    packs.retain(|pack| seen.insert(pack.canonicalize().unwrap_or_else(|_| pack.clone())));
}
