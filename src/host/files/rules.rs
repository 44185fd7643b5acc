//! Rules of `.gitignore` and `.ignore`, which leave files out of a search.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use cap_std::fs::Dir;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::{super::own::Known, FileErrorKind, Files, read::whole};

/// Most bytes and lines of a file of rules: each takes its share of an automaton.
const RULES_BYTES: u64 = 64 << 10;
const RULES_LINES: usize = 2000;

/// Where rules stand about what is left out, the later ones stronger.
const RULES: [&str; 2] = [".gitignore", ".ignore"];

/// How often braces of a glob stand in each other at most.
pub(super) const NESTED: usize = 20;

/// Rules of a folder, and which folder.
pub(super) struct Rules {
    folder: PathBuf,
    rules: Gitignore,
}

impl Rules {
    /// Those that stand in a folder.
    pub fn of(dir: &Dir, folder: &Path, files: &Files, known: &Known, unread: &mut usize) -> Option<Self> {
        let mut builder = GitignoreBuilder::new("");
        let mut any = false;
        for name in RULES {
            let (file, meta) = match files.open_in(dir, OsStr::new(name), name, known) {
                Ok(opened) => opened,
                Err(error) => {
                    // What is there and is not read, as a link, leaves nothing out.
                    *unread += usize::from(error.kind != FileErrorKind::Missing);
                    continue;
                }
            };
            if meta.len() > RULES_BYTES {
                *unread += 1;
                continue;
            }
            let Ok(bytes) = whole(file, name, meta.len()) else { continue };
            if bytes.split(|byte| *byte == b'\n').count() > RULES_LINES {
                *unread += 1;
                continue;
            }
            // A line that is no pattern leaves nothing out, as for git.
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
            let text = String::from_utf8_lossy(bytes);
            // One that nests without end would take all others with it.
            let (lines, nested): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| !nests(line));
            *unread += usize::from(!nested.is_empty());
            lines.into_iter().for_each(|line| drop(builder.add_line(None, line)));
            any = true;
        }
        let rules = builder.build().ok().filter(|_| any)?;
        Some(Self { folder: folder.to_owned(), rules })
    }
}

/// Whether the nearest rule that says something about it leaves it out.
pub(super) fn is_left_out(rules: &[Rules], path: &Path, is_folder: bool) -> bool {
    let said = rules.iter().rev().map(|rules| {
        path.strip_prefix(&rules.folder).map_or(ignore::Match::None, |below| rules.rules.matched(below, is_folder))
    });
    let mut said = said.filter(|said| !said.is_none());
    said.next().is_some_and(|said| said.is_ignore())
}

/// Whether braces stand in each other more often than what a glob becomes can hold.
pub(super) fn nests(pattern: &str) -> bool {
    let mut depth = 0_usize;
    pattern.bytes().any(|byte| {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > NESTED
    })
}
