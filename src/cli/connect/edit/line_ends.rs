//! The line ends of a text that was changed: editors of syntax trees write them all alike, and the person's stay.

use crate::cli::connect::diff;

/// A new text with the line ends of the old one: each line that stayed keeps its own, and new ones get what most have.
pub(super) fn as_before(old: &str, new: String) -> String {
    let carriage = old.matches("\r\n").count();
    if carriage == 0 {
        return new;
    }
    let most = if carriage * 2 > old.matches('\n').count() { "\r\n" } else { "\n" };
    let before: Vec<&str> = old.split_inclusive('\n').map(end).collect();
    let (old, plain) = (old.replace("\r\n", "\n"), new.replace("\r\n", "\n"));
    let mut ends: Vec<&str> = plain.lines().map(|_| most).collect();
    for (was, is) in diff::kept(&old, &plain) {
        // The last line of a text may have no end, and need one now.
        if let (Some(end), Some(slot)) = (before.get(was).filter(|end| !end.is_empty()), ends.get_mut(is)) {
            *slot = end;
        }
    }
    let mut out = String::with_capacity(new.len() + ends.len());
    for (line, end) in plain.split_inclusive('\n').zip(ends) {
        out += line.strip_suffix('\n').unwrap_or(line);
        out += if line.ends_with('\n') { end } else { "" };
    }
    out
}

fn end(line: &str) -> &'static str {
    match line {
        _ if line.ends_with("\r\n") => "\r\n",
        _ if line.ends_with('\n') => "\n",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_stay_end_as_before() {
        assert_eq!(as_before("a\nb\n", "a\nc\nb\n".into()), "a\nc\nb\n");
        assert_eq!(as_before("a\r\nb\r\n", "a\nc\nb\n".into()), "a\r\nc\r\nb\r\n");
        assert_eq!(as_before("a\r\nx\nb\r\nd", "a\nx\nc\nb\nd\ne".into()), "a\r\nx\nc\r\nb\r\nd\r\ne");
    }
}
