//! Characters that nobody sees: one within a name hides the name from forms, and from nobody who reads it.

use std::ops::Range;

/// Blanks of no width, what joins characters, and hyphens where a word may be parted.
const HIDDEN: [char; 6] = ['\u{ad}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}'];

/// Where they stood: how many bytes of the text without them stand before each, and how many bytes they have had until there.
pub(super) struct Hidden(Vec<(usize, usize)>);

/// A text without them and without the colours of terminals, and whether it has such. None: it has neither.
pub(super) fn shown(text: &str) -> Option<(String, Hidden, bool)> {
    let colours = text.contains("\x1b[");
    if !colours && (text.is_ascii() || !text.contains(HIDDEN)) {
        return None;
    }
    let (mut shown, mut hidden, mut gone, mut at) = (String::with_capacity(text.len()), Vec::new(), 0, 0);
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let length = match c {
            '\x1b' => colour(text.get(at..).unwrap_or_default()),
            c if HIDDEN.contains(&c) => c.len_utf8(),
            _ => 0,
        };
        if length > 0 {
            gone += length;
            hidden.push((shown.len(), gone));
        } else {
            shown.push(c);
        }
        at += length.max(c.len_utf8());
    }
    Some((shown, Hidden(hidden), colours))
}

/// How long the colour is that begins a text, or what clears the rest of a line as programs write it beside one.
fn colour(text: &str) -> usize {
    let Some(code) = text.strip_prefix("\x1b[") else { return 0 };
    let number = code.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b';').count();
    match code.as_bytes().get(number) {
        Some(b'm' | b'K') => number + 3,
        _ => 0,
    }
}

impl Hidden {
    /// Places of the text without them, as they are in the text.
    pub(super) fn places(&self, mut places: Vec<Range<usize>>) -> Vec<Range<usize>> {
        let gone = |passed: usize| passed.checked_sub(1).and_then(|last| self.0.get(last)).map_or(0, |(_, gone)| *gone);
        for place in &mut places {
            place.start += gone(self.0.partition_point(|(at, _)| *at <= place.start));
            place.end += gone(self.0.partition_point(|(at, _)| *at < place.end));
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::super::Masking;

    #[test]
    fn a_name_is_read_as_it_is_seen() {
        for (text, shown) in [
            ("a\u{ad}b pass\u{ad}word=hun\u{200b}ter2X9 x", "a\u{ad}b pass\u{ad}word=*** x"),
            (
                "DB_\u{1b}[01;31m\u{1b}[KPASSWORD\u{1b}[m\u{1b}[K=hunter2X9 x",
                "DB_\u{1b}[01;31m\u{1b}[KPASSWORD\u{1b}[m\u{1b}[K=*** x",
            ),
            (
                "\u{1b}[34;1m\"password\"\u{1b}[0m\u{1b}[1;39m: \u{1b}[0m\u{1b}[0;32m\"letmein\"\u{1b}[0m",
                "\u{1b}[34;1m\"password\"\u{1b}[0m\u{1b}[1;39m: \u{1b}[0m\u{1b}[0;32m\"***\"\u{1b}[0m",
            ),
            ("is\u{1b}[32mghp_aB3dE5gH7jK9mN1pQ3sT5vX7zA9cE1gI3kM5\u{1b}[0m", "is\u{1b}[32m***\u{1b}[0m"),
            ("password\u{200b}=hunter2X9\u{200d} \u{feff}", "password\u{200b}=***\u{200d} \u{feff}"),
        ] {
            assert_eq!(Masking::secrets().masked(text).0, shown);
        }
    }
}
