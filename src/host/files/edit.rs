//! Replacing a text in a file exactly, as often as the caller expects, or not at all.

use std::{
    fmt::{self, Write as _},
    fs::File,
    time::{Duration, Instant},
};

use rustix::{fs::FlockOperation, io::Errno};
use similar::{ChangeTag, TextDiff};

use super::{FileError, Files, WHOLE, closest, read::whole};
use crate::masking::Lines;

/// Longest computation of a diff; then it is a coarser one.
const DIFF: Duration = Duration::from_millis(500);

/// Longest wait for another server that edits the same file.
const LOCKED: Duration = Duration::from_secs(5);

/// Most lines that are compared, and most characters of a diff.
const LINES: usize = 200_000;
const SHOWN: usize = 20_000;

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
    /// Unified diff, or its beginning.
    pub diff: String,
    /// The texts were taken with the line ends of the file, which ends lines with a carriage return.
    pub line_ends: bool,
    /// How many lines of the diff are masked because of what stands around them in the file.
    pub masked: usize,
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
        let _alone = self.changing();
        let known = self.own.now();
        let target = place.target(self, &known, false)?;
        let target = if dry_run { target } else { target.changeable(path)? };
        // Without following: the name in the open folder is what is replaced.
        let (file, meta) = self.open_in(&target.parent, &target.name, path, &known)?;
        // Against other servers: who comes second finds that the file is another one.
        let lock = (!dry_run).then(|| locked(&file, path)).transpose()?;
        let bytes = whole(file, path, meta.len())?;
        let Ok(text) = String::from_utf8(bytes) else {
            return Err(FileError::failed(format!("`{path}` is not UTF-8, and nothing else is edited"))
                .hint("read it with its encoding and write it whole"));
        };
        let (old, new, line_ends) = match text.contains("\r\n") && !text.contains(old) && !old.contains('\r') {
            true => (old.replace('\n', "\r\n"), new.replace("\r\n", "\n").replace('\n', "\r\n"), true),
            false => (old.to_owned(), new.to_owned(), false),
        };
        let times = text.matches(&old).count();
        if times == 0 {
            return Err(closest::nothing(path, &text, edit.old, &self.masking));
        }
        if times != expected {
            return Err(otherwise(path, &text, &old, times, expected));
        }
        // Before anything is replaced: a short text may stand in a file a million times.
        let grown = (text.len() - times * old.len()).saturating_add(times.saturating_mul(new.len())) as u64;
        if grown > WHOLE {
            return Err(FileError::failed(format!(
                "`{path}` would have {grown} bytes then, and at most {WHOLE} are edited; nothing was changed"
            ))
            .hint("replace fewer or shorter texts at once"));
        }
        if old == new {
            return Err(FileError::invalid("`old_text` and `new_text` are the same: nothing would change"));
        }
        let changed = text.replace(&old, &new);
        self.keeps_what_is_masked(&text, &changed, path)?;
        let sides = self.masking.sides(&text, &changed, &old, &new);
        let (diff, masked) = unified(path, &text, &changed, Some(&sides));
        if !dry_run {
            target.replace(changed.as_bytes(), path, Some(&meta))?;
        }
        drop(lock);
        Ok(Edited { replacements: times, diff, line_ends, masked })
    }
}

/// Holds a file against other servers that edit it, by a lock that ends with this process.
fn locked(file: &File, said: &str) -> Result<File, FileError> {
    let failed = |error| FileError::of(said, &error);
    let held = file.try_clone().map_err(failed)?;
    let until = Instant::now() + LOCKED;
    loop {
        match rustix::fs::flock(&held, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(held),
            Err(Errno::WOULDBLOCK) if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
            Err(Errno::WOULDBLOCK) => {
                return Err(FileError::failed(format!(
                    "another program holds a lock on `{said}`; nothing was changed"
                ))
                .hint("try again when it is done"));
            }
            // A file system without locks.
            Err(_) => return Ok(held),
        }
    }
}

fn otherwise(path: &str, text: &str, old: &str, times: usize, expected: usize) -> FileError {
    let line = |at: usize| text.get(..at).map_or(0, |before| before.matches('\n').count() + 1).to_string();
    let lines: Vec<String> = text.match_indices(old).take(10).map(|(at, _)| line(at)).collect();
    let (s, more) = (if times == 1 { "" } else { "s" }, if times > 10 { ", …" } else { "" });
    FileError::failed(format!(
        "`old_text` stands {times} time{s} in `{path}` (line{s} {}{more}), and {expected} was expected; nothing was changed",
        lines.join(", ")
    ))
    .hint(format!("lengthen `old_text` until it is the one that you mean, or set `expected_replacements` to {times}"))
}

/// A text that takes so many characters and no more.
struct Bounded {
    text: String,
    left: usize,
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let end = more.char_indices().nth(self.left).map(|(end, _)| end);
        let fits = more.get(..end.unwrap_or(more.len())).unwrap_or_default();
        self.text.push_str(fits);
        self.left = self.left.saturating_sub(fits.chars().count());
        if end.is_some() { Err(fmt::Error) } else { Ok(()) }
    }
}

/// The difference in the form of `diff -u`, or its beginning, and how many lines of it are masked. `sides` are the lines of both
/// texts as they are shown.
pub(super) fn unified(path: &str, old: &str, new: &str, sides: Option<&(Lines<'_>, Lines<'_>)>) -> (String, usize) {
    if [old, new].iter().any(|text| text.lines().nth(LINES).is_some()) {
        return (format!("… no diff is made of more than {LINES} lines"), 0);
    }
    let diff = TextDiff::configure().timeout(DIFF).diff_lines(old, new);
    let (mut shown, mut masked) = (Bounded { text: String::new(), left: SHOWN }, 0);
    let mut hunks = diff.unified_diff();
    hunks.context_radius(3);
    let mut write = || -> fmt::Result {
        for (at, hunk) in hunks.iter_hunks().enumerate() {
            if at == 0 {
                write!(shown, "--- a/{path}\n+++ b/{path}\n")?;
            }
            writeln!(shown, "{}", hunk.header())?;
            for change in hunk.iter_changes() {
                let line = sides.and_then(|(left, right)| match change.tag() {
                    ChangeTag::Insert => right.masked(change.new_index()?),
                    ChangeTag::Delete => left.masked(change.old_index()?),
                    // What is a secret on one side only is none that stays.
                    ChangeTag::Equal => left.masked(change.old_index()?).or_else(|| right.masked(change.new_index()?)),
                });
                masked += usize::from(line.is_some());
                let value = change.value();
                let value = line.as_deref().unwrap_or_else(|| value.strip_suffix('\n').unwrap_or(value));
                writeln!(shown, "{}{value}", change.tag())?;
                if change.missing_newline() {
                    writeln!(shown, "\\ No newline at end of file")?;
                }
            }
        }
        Ok(())
    };
    if write().is_err() {
        shown.text.push_str("\n… the rest of the diff is left out");
    }
    (shown.text, masked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_is_cut_where_it_is_too_long_and_not_made_of_too_many_lines() {
        let cut = unified("f", "a\n", &format!("{}\n", "ä".repeat(SHOWN)), None).0;
        assert!(cut.chars().count() < SHOWN + 100 && cut.contains("+ää"), "{}", cut.len());
        assert!(cut.ends_with("ä\n… the rest of the diff is left out"));
        assert_eq!(unified("f", "a\n", "b\n", None).0, "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n");
        assert_eq!(unified("f", "a\n", &"\n".repeat(LINES + 1), None).0, "… no diff is made of more than 200000 lines");
    }
}
