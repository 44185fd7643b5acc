//! Characters that nobody sees: one within a name hides the name from forms, and from nobody who reads it.

use std::ops::Range;

/// Blanks of no width, what joins characters, and hyphens where a word may be parted.
const HIDDEN: [char; 6] = ['\u{ad}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}'];

/// Where they stood: how many bytes of the text without them stand before each, and how many bytes they have had until there.
pub(super) struct Hidden(Vec<(usize, usize)>);

/// A text without them. None: it has none.
pub(super) fn shown(text: &str) -> Option<(String, Hidden)> {
    if text.is_ascii() || !text.contains(HIDDEN) {
        return None;
    }
    let (mut shown, mut hidden, mut gone) = (String::with_capacity(text.len()), Vec::new(), 0);
    for c in text.chars() {
        if HIDDEN.contains(&c) {
            gone += c.len_utf8();
            hidden.push((shown.len(), gone));
        } else {
            shown.push(c);
        }
    }
    Some((shown, Hidden(hidden)))
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
            ("password\u{200b}=hunter2X9\u{200d} \u{feff}", "password\u{200b}=***\u{200d} \u{feff}"),
        ] {
            assert_eq!(Masking::secrets().masked(text).0, shown);
        }
    }
}
