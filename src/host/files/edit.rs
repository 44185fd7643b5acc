//! Replacing a text in a file exactly, as often as the caller expects, or not at all.

use std::{fs::Metadata, os::unix::fs::MetadataExt as _, time::Duration};

use cap_std::fs::MetadataExt as _;
use similar::TextDiff;

use super::{FileError, Files, closest, read::whole};

/// Longest computation of a diff; then it is a coarser one.
const DIFF: Duration = Duration::from_millis(500);

/// What is replaced by what.
#[derive(Debug, Clone, Copy)]
pub struct Edit<'a> {
    pub path: &'a str,
    pub old: &'a str,
    pub new: &'a str,
    pub expected: usize,
    /// Only tell what would be changed.
    pub dry_run: bool,
}

/// What was replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    pub replacements: usize,
    /// Unified diff.
    pub diff: String,
    /// The texts were taken with the line ends of the file, which ends lines with a carriage return.
    pub line_ends: bool,
}

impl Files {
    /// Replaces a text.
    pub fn edit(&self, edit: Edit<'_>) -> Result<Edited, FileError> {
        let Edit { path, old, new, expected, dry_run } = edit;
        if old.is_empty() {
            return Err(FileError::invalid("`old_text` is empty").hint("write the file whole instead"));
        }
        if expected == 0 {
            return Err(FileError::invalid("`expected_replacements` is 0, and an edit replaces something"));
        }
        let place = self.place(path)?;
        let place = if dry_run { place } else { place.changeable()? };
        let _alone = self.changing();
        let target = place.target(self, false)?;
        // Without following: the name in the open folder is what is replaced.
        let (file, meta) = self.open_in(&target.parent, std::path::Path::new(&target.name), path)?;
        let bytes = whole(file, path, meta.len())?;
        let Ok(text) = String::from_utf8(bytes) else {
            return Err(FileError::failed(format!("`{path}` is not UTF-8, and nothing else is edited"))
                .hint("read it with its encoding and write it whole"));
        };
        let (old, new, line_ends) = match text.contains("\r\n") && !text.contains(old) && !old.contains('\r') {
            true => (old.replace('\n', "\r\n"), new.replace("\r\n", "\n").replace('\n', "\r\n"), true),
            false => (old.to_owned(), new.to_owned(), false),
        };
        let found: Vec<usize> = text.match_indices(&old).map(|(at, _)| at).collect();
        if found.is_empty() {
            return Err(closest::nothing(path, &text, edit.old));
        }
        if found.len() != expected {
            return Err(otherwise(path, &text, &found, expected));
        }
        if old == new {
            return Err(FileError::invalid("`old_text` and `new_text` are the same: nothing would change"));
        }
        let changed = text.replace(&old, &new);
        let diff = unified(path, &text, &changed);
        if !dry_run {
            if !target.existing.as_ref().is_some_and(|was| is_same(was, &meta)) {
                return Err(FileError::failed(format!(
                    "`{path}` changed while it was edited; it was left as it is now"
                ))
                .hint("read it again"));
            }
            target.replace(changed.as_bytes(), path)?;
        }
        Ok(Edited { replacements: found.len(), diff, line_ends })
    }
}

fn is_same(was: &cap_std::fs::Metadata, read: &Metadata) -> bool {
    (was.dev(), was.ino(), was.len(), was.mtime(), was.mtime_nsec())
        == (read.dev(), read.ino(), read.len(), read.mtime(), read.mtime_nsec())
}

fn otherwise(path: &str, text: &str, found: &[usize], expected: usize) -> FileError {
    let line = |at: &usize| text.get(..*at).map_or(0, |before| before.matches('\n').count() + 1).to_string();
    let lines: Vec<String> = found.iter().take(10).map(line).collect();
    let (times, more) = (found.len(), if found.len() > 10 { ", …" } else { "" });
    let (s, l) = (if times == 1 { "" } else { "s" }, if times == 1 { "" } else { "s" });
    FileError::failed(format!(
        "`old_text` stands {times} time{s} in `{path}` (line{l} {}{more}), and {expected} was expected; nothing was changed",
        lines.join(", ")
    ))
    .hint(format!("lengthen `old_text` until it is the one that you mean, or set `expected_replacements` to {times}"))
}

/// The difference in the form of `diff -u`.
pub(super) fn unified(path: &str, old: &str, new: &str) -> String {
    let diff = TextDiff::configure().timeout(DIFF).diff_lines(old, new);
    diff.unified_diff().context_radius(3).header(&format!("a/{path}"), &format!("b/{path}")).to_string()
}
