//! What nobody sees of a word that people and models copy: white space around it, and characters without a picture.
//!
//! A sentence that shows such a word shows another one, so that it has to be read without them, or to name them.

use super::ignorable::is_hidden;

/// Makes a picture of the sign before it, of a digit as well.
const PICTURE: char = '\u{fe0f}';

/// A word without what nobody sees at its ends.
pub fn trimmed(word: &str) -> &str {
    word.trim_matches(|c: char| c.is_whitespace() || is_hidden(c) && !is_part(c))
}

/// What nobody sees of a word, in words that follow it; none where all of it is seen.
pub fn unseen(word: &str) -> Option<String> {
    let usual = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
    let odd = |c: &char| !usual(*c) && (c.is_whitespace() || is_hidden(*c) && !is_part(*c));
    match word.chars().find(odd) {
        Some(c) => Some(format!("with U+{:04X} in it, which nobody sees", u32::from(c))),
        None if word.trim() != word => Some("with white space around it".to_owned()),
        None => within(word).map(str::to_owned),
    }
}

/// What nobody sees of a text of many lines, each with its place. What joins signs and letters belongs to them where these are.
pub fn hidden(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut before = None;
    text.char_indices().filter(move |(_, c)| {
        let joins = is_part(*c) && before.is_some_and(|of: char| !of.is_ascii() || *c == PICTURE);
        before = Some(*c);
        // A file with NUL is refused as such.
        is_hidden(*c) && !matches!(c, '\0' | '\t' | '\n' | '\r') && !joins
    })
}

/// White space between words that a line shows as one blank.
fn within(word: &str) -> Option<&'static str> {
    match () {
        () if word.contains(['\n', '\r']) => Some("with a line break in it"),
        () if word.contains('\t') => Some("with a tab in it"),
        () if word.contains("  ") => Some("with several blanks in a row in it"),
        () => None,
    }
}

/// Whether a character that has no picture changes that of another: signs and letters of some scripts are written with
/// these.
fn is_part(c: char) -> bool {
    matches!(u32::from(c), 0x34f | 0x180b..=0x180d | 0x180f | 0x200c | 0x200d | 0xfe00..=0xfe0f | 0xe0000..=0xe0fff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_taken_off_and_named() {
        for (word, seen, said) in [
            ("checkout", "checkout", None),
            ("a b", "a b", None),
            ("a  b", "a  b", Some("with several blanks in a row in it")),
            ("a\tb", "a\tb", Some("with a tab in it")),
            ("Timed\r\nout", "Timed\r\nout", Some("with a line break in it")),
            (" checkout\n", "checkout", Some("with white space around it")),
            ("checkout\u{200b}", "checkout", Some("with U+200B in it, which nobody sees")),
            ("\u{feff}checkout\u{a0}", "checkout", Some("with U+FEFF in it, which nobody sees")),
            ("check\u{ad}out", "check\u{ad}out", Some("with U+00AD in it, which nobody sees")),
            ("check\u{a0}out", "check\u{a0}out", Some("with U+00A0 in it, which nobody sees")),
            ("❤\u{fe0f}", "❤\u{fe0f}", None),
            ("\u{200b} ", "", Some("with U+200B in it, which nobody sees")),
        ] {
            assert_eq!((trimmed(word), unseen(word).as_deref()), (seen, said), "{word:?}");
        }
    }
    #[test]
    fn what_is_hidden_in_a_text_is_found_where_it_stands() {
        for (text, found) in [
            ("a\n\tb\r\n", vec![]),
            ("10\u{a0}000 — ❤\u{fe0f} 1\u{fe0f} 👩\u{200d}💻 می\u{200c}خواهم", vec![]),
            ("Act\u{202e}ive\u{202c}", vec![(3, '\u{202e}'), (9, '\u{202c}')]),
            ("check\u{ad}out\u{200b}", vec![(5, '\u{ad}'), (10, '\u{200b}')]),
            ("a\u{200d}b", vec![(1, '\u{200d}')]),
            ("a\u{e0041}", vec![(1, '\u{e0041}')]),
            ("a\u{1b}[0m", vec![(1, '\u{1b}')]),
        ] {
            assert_eq!(hidden(text).collect::<Vec<_>>(), found, "{text:?}");
        }
    }
}
