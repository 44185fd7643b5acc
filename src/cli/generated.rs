//! Commands that write a folder of files, or prove with `--check` that it is up to date.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use super::{Outcome, output};
use crate::check::generated;

/// A folder and what it is to hold.
pub(super) struct Folder<'a> {
    pub path: &'a Path,
    pub files: BTreeMap<String, String>,
    /// How the names of the files end; others in the folder are left alone.
    pub ending: &'static str,
    /// What a file with that ending is that is none of them.
    pub left_over: &'static str,
    /// What to do where they are not up to date.
    pub remedy: String,
}

impl Folder<'_> {
    /// Writes, or only compares; says of each file what it did or found.
    pub(super) fn run(&self, check: bool) -> anyhow::Result<Outcome> {
        let Self { path: folder, files, ending, .. } = self;
        let missing = |file: &PathBuf| !file.exists();
        let absent: Vec<PathBuf> = files.keys().map(|name| folder.join(name)).filter(missing).collect();
        let drift = match check {
            true => generated::drift(folder, files, ending),
            false => generated::write(folder, files, ending),
        };
        let drift = drift.with_context(|| format!("cannot use the folder `{}`", folder.display()))?;
        for file in drift.stale.iter().map(|name| folder.join(name)) {
            let found = if absent.contains(&file) { "is missing" } else { "is not up to date" };
            output::say(&format!("{}: {}", file.display(), if check { found } else { "written" }));
        }
        for name in &drift.left_over {
            let left = if check { "" } else { "; left as it is" };
            output::say(&format!("{}: {}{left}", folder.join(name).display(), self.left_over));
        }
        if check && !drift.is_none() {
            let remedy = if drift.stale.is_empty() { "remove what is left over" } else { &self.remedy };
            output::hint_line(remedy);
            return Ok(Outcome::Findings);
        }
        Ok(Outcome::Done)
    }
}
