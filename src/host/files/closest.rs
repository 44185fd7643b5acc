//! What in a file comes nearest to a text that is not there, so that the caller sees what is different.

use std::{borrow::Cow, collections::HashSet};

use super::{FileError, edit::unified};
use crate::masking::{Lines, MASK};

/// Most lines that are compared by their letters, most of those that are looked for, and most letters of each.
const LINES: usize = 20_000;
const WANTED: usize = 200;
const LETTERS: usize = 300;

/// As alike a line has to be to be shown.
const ALIKE: f64 = 0.5;

/// Fewer letters are a short text.
const SHORT: usize = 9;

/// What is said of a file with secrets, wherever they stand in it.
const NOT_COMPARED: &str = "; what answers show of it as `***` is not compared, and stays";

/// Most lines that are shown.
const SHOWN: usize = 30;

/// That the text stands nowhere, with the lines that come nearest of what answers show of the file.
pub(super) fn nothing(path: &str, text: &str, old: &str, masked: &Lines<'_>) -> FileError {
    let error = FileError::failed(format!("`old_text` does not stand in `{path}`; nothing was changed"));
    let secret = masked.count() > 0;
    if old.contains(MASK) && secret {
        return error.hint("`***` is what answers show of a secret, and not what the file says: leave that line out");
    }
    let lines = text.split('\n').enumerate();
    let shown: Vec<Cow<'_, str>> =
        lines.map(|(at, line)| masked.masked(at).map_or(Cow::Borrowed(line), Cow::Owned)).collect();
    let Some((line, near)) = closest(&shown.join("\n"), old) else {
        let unlike = "nothing in the file is like it: read the file first";
        return error.hint(if secret { format!("{unlike}{NOT_COMPARED}") } else { unlike.to_owned() });
    };
    let old = old.split_inclusive('\n').take(WANTED).collect::<String>();
    let diff = unified(path, &ended(&old), &ended(&near), None).0;
    let body: Vec<&str> = diff.lines().skip(2).take(SHOWN).collect();
    if body.is_empty() {
        return error.hint(format!(
            "from line {line} on it stands there with other line ends, for the file mixes LF and CRLF: replace each line alone"
        ));
    }
    FileError {
        shown: Some(format!(
            "Closest is from line {line} on (- what `old_text` says, + what the file says):\n{}",
            body.join("\n")
        )),
        ..error.hint(format!(
            "copy the text from the file exactly, blanks included{}",
            if secret { NOT_COMPARED } else { "" }
        ))
    }
}

fn ended(text: &str) -> String {
    if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}

/// The lines of the file that come nearest, as many as the text has, and the number of the first.
fn closest(text: &str, old: &str) -> Option<(usize, String)> {
    let wanted: Vec<&str> = old.lines().map(str::trim).take(WANTED).collect();
    let lines: Vec<&str> = text.lines().take(LINES + WANTED).collect();
    // The line that says most stands for all of them.
    let (key, longest) = wanted.iter().copied().enumerate().max_by_key(|(_, line)| line.len())?;
    if longest.is_empty() {
        return None;
    }
    // A short text is one word, of which two letters say more than three.
    let size = if longest.chars().count() < SHORT { 2 } else { 3 };
    let wanted_pieces = pieces(longest, size);
    if wanted_pieces.is_empty() {
        return None;
    }
    let likeness = |line: &str| {
        let line = pieces(line.trim(), size);
        wanted_pieces.intersection(&line).count() as f64 / wanted_pieces.len() as f64
    };
    let scored = lines.iter().take(LINES).enumerate().rev().map(|(at, line)| {
        let start = at.saturating_sub(key);
        let around = lines.iter().skip(start).zip(&wanted).filter(|(line, wanted)| line.trim() == **wanted).count();
        (start, likeness(line), around)
    });
    let (start, ..) = scored
        .filter(|(_, likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| (a.1 + a.2 as f64).total_cmp(&(b.1 + b.2 as f64)))?;
    let near: Vec<&str> = lines.iter().skip(start).take(wanted.len().max(1)).copied().collect();
    Some((start + 1, near.join("\n")))
}

/// All that stands in so many letters of a line one after the other: what a line has of another's is how alike it is, whatever
/// stands around it.
fn pieces(line: &str, size: usize) -> HashSet<Vec<char>> {
    let letters: Vec<char> = line.chars().take(LETTERS).collect();
    letters.windows(size).map(<[char]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_lines_are_found_by_the_longest_one() {
        let text = "fn a() {\n    let x = 1;\n}\n\nfn b() {\n    let total = x + 12;\n}\n";
        let (line, near) = closest(text, "fn b() {\n  let total = x + 1;\n}").unwrap();
        assert_eq!((line, near.as_str()), (5, "fn b() {\n    let total = x + 12;\n}"));
        assert_eq!(closest(text, "something else altogether"), None);
        assert_eq!(closest(text, "\n\n"), None);
        assert_eq!(closest("", "x"), None);
        // One letter too many, as people write.
        assert_eq!(closest("alpha\nbeta\n", "betta"), Some((2, "beta".to_owned())));
        assert_eq!(closest("alpha\nbeta\n", "gamma"), None);
        let (line, near) = closest("a\nname = \"tfo-mcp\"\n", "tfo-mcq").unwrap();
        assert_eq!((line, near.as_str()), (2, "name = \"tfo-mcp\""));
    }
}
