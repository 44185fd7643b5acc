//! Replacing a text in a file exactly, as often as the caller expects, or not at all.

use std::{
    borrow::Cow,
    fmt::{self, Write as _},
    ops::Range,
    time::Duration,
};

use encoding_rs::UTF_8;
use similar::{ChangeTag, TextDiff};

use super::{
    FileError, Files, WHOLE, closest,
    decode::{Kind, encode},
    write::Old,
};
use crate::masking::Sides;

/// Longest computation of a diff; then it is a coarser one.
const DIFF: Duration = Duration::from_millis(500);

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
    /// The texts were taken with these line ends, which are those of the file.
    pub line_ends: Option<LineEnds>,
    /// How many lines of the diff are masked because of what stands around them in the file.
    pub masked: usize,
}

/// How all lines of a text end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnds {
    Lf,
    Crlf,
}

impl LineEnds {
    /// None: there are no lines, or of both kinds.
    pub(super) fn of(text: &str) -> Option<Self> {
        let all = text.matches('\n').count();
        match text.matches("\r\n").count() {
            _ if all == 0 => None,
            0 => Some(Self::Lf),
            some => (some == all).then_some(Self::Crlf),
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lf => "LF",
            Self::Crlf => "CRLF",
        }
    }

    fn fit(self, text: &str) -> Cow<'_, str> {
        let crlf = text.matches("\r\n").count();
        match self {
            Self::Lf if crlf > 0 => text.replace("\r\n", "\n").into(),
            Self::Crlf if crlf < text.matches('\n').count() => text.replace("\r\n", "\n").replace('\n', "\r\n").into(),
            _ => text.into(),
        }
    }
}

impl Files {
    /// Replaces a text.
    pub fn edit(&self, edit: Edit<'_>) -> Result<Edited, FileError> {
        let Edit { path, old, new, expected, dry_run } = edit;
        if old.is_empty() {
            return Err(FileError::invalid("`old_text` is empty, which stands nowhere")
                .hint("write the file whole instead, as an empty one is"));
        }
        if expected == 0 {
            return Err(FileError::invalid("`expected_replacements` is 0, and an edit replaces something"));
        }
        let place = self.place(path)?;
        let mut alone = if dry_run { None } else { Some(self.alone()?) };
        let known = self.own.now();
        let mut target = place.target(self, &known, false)?;
        if let Some(alone) = &mut alone {
            target = target.changeable(path, self)?;
            alone.within(&target.parent, path)?;
            target.look_again(path)?;
        }
        let Old { meta, bytes, text, kind, marked } = self.old(&target, path, &known)?;
        let Kind::Text(encoding) = kind else {
            return Err(not_edited(path, "no text"));
        };
        let text = text.map_err(|error| match encoding == UTF_8 {
            true => not_edited(path, "not UTF-8"),
            false => error,
        })?;
        let ends = LineEnds::of(&text);
        let fit = |text| ends.map_or(Cow::Borrowed(text), |ends: LineEnds| ends.fit(text));
        let (old, new) = (fit(old), fit(new));
        let line_ends = ends.filter(|_| old != edit.old || new != edit.new);
        let (old, new) = (old.as_ref(), new.as_ref());
        // In what answers mask nothing is looked for: whether it stands there would tell a secret letter by letter.
        let places = self.masking.places(&text);
        let stands = stands(&text, old, &places);
        let times = stands.len();
        if times == 0 {
            return Err(closest::nothing(path, &text, old, &self.masking.lines(&text)));
        }
        if times != expected {
            return Err(otherwise(path, &text, &stands, expected));
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
        let changed = replaced(&text, &stands, old.len(), new);
        let written = encode(&changed, encoding, marked)?;
        self.keeps_what_is_masked(&bytes, &written, path)?;
        let sides = self.masking.sides((&text, &changed), places, &stands, (old.len(), new.len()));
        let sides = sides.ok_or_else(|| {
            FileError::failed(format!(
                "`{path}` holds what answers show as `***`, and would show it then; nothing was changed"
            ))
            .hint("leave what stands around it as it is, such as its name")
        })?;
        let (diff, masked) = unified(path, &text, &changed, Some(&sides));
        if !dry_run {
            target.replace_read(&written, &meta, path, self)?;
        }
        Ok(Edited { replacements: times, diff, line_ends, masked })
    }
}

fn not_edited(path: &str, what: &str) -> FileError {
    FileError::failed(format!("`{path}` is {what}, and nothing else is edited"))
        .hint("read it with its `encoding` and write it whole with the same")
}

/// Where a text stands, in order and apart, outside of what answers mask.
fn stands(text: &str, old: &str, masked: &[Range<usize>]) -> Vec<usize> {
    let ends = masked.iter().map(|place| place.end);
    let begins = masked.iter().map(|place| place.start).chain([text.len()]);
    let between = std::iter::once(0).chain(ends).zip(begins).filter_map(|(from, to)| Some((from, text.get(from..to)?)));
    between.flat_map(|(from, part)| part.match_indices(old).map(move |(at, _)| from + at)).collect()
}

fn replaced(text: &str, stands: &[usize], length: usize, new: &str) -> String {
    let (mut changed, mut from) = (String::new(), 0);
    for at in stands {
        changed.push_str(text.get(from..*at).unwrap_or_default());
        changed.push_str(new);
        from = at + length;
    }
    changed + text.get(from..).unwrap_or_default()
}

fn otherwise(path: &str, text: &str, stands: &[usize], expected: usize) -> FileError {
    let times = stands.len();
    let line = |at: usize| text.get(..at).map_or(0, |before| before.matches('\n').count() + 1).to_string();
    let lines: Vec<String> = stands.iter().take(10).map(|at| line(*at)).collect();
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
pub(super) fn unified(path: &str, old: &str, new: &str, sides: Option<&Sides<'_>>) -> (String, usize) {
    if [old, new].iter().any(|text| text.lines().nth(LINES).is_some()) {
        return (format!("… no diff is made of more than {LINES} lines"), 0);
    }
    let lines = |text| -> Vec<&str> { str::split_inclusive(text, '\n').collect() };
    let (left, right) = (lines(old), lines(new));
    let keys = sides.map(Sides::keys).unwrap_or_default();
    let keys = [&keys.0, &keys.1].map(|keys| keys.iter().map(AsRef::as_ref).collect::<Vec<&str>>());
    let [by_left, by_right] = if sides.is_some() { &keys } else { &[left.clone(), right.clone()] };
    let diff = TextDiff::configure().timeout(DIFF).diff_slices(by_left, by_right);
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
                let (was, is) = (change.old_index(), change.new_index());
                let line = sides.and_then(|sides| match change.tag() {
                    ChangeTag::Insert => sides.right.masked(is?),
                    ChangeTag::Delete => sides.left.masked(was?),
                    // What is a secret on one side only is none that stays.
                    ChangeTag::Equal => sides.left.masked(was?).or_else(|| sides.right.masked(is?)),
                });
                masked += usize::from(line.is_some());
                let value = was.map_or_else(|| right.get(is?), |was| left.get(was)).copied().unwrap_or_default();
                let said = line.as_deref().unwrap_or_else(|| value.strip_suffix('\n').unwrap_or(value));
                writeln!(shown, "{}{said}", change.tag())?;
                if !value.ends_with('\n') {
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
