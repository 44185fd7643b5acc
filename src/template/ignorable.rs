//! Code points that no reader sees: a table of Unicode, and the few that it does not have.
//!
//! Made by `scripts/ignorable.pl` from Unicode 14.0; the property has not changed since. A test compares the table with
//! ICU's, which is newer.

/// `Default_Ignorable_Code_Point`: first and last of each range.
const DEFAULT_IGNORABLE: [(u32, u32); 17] = [
    (0xad, 0xad),
    (0x34f, 0x34f),
    (0x61c, 0x61c),
    (0x115f, 0x1160),
    (0x17b4, 0x17b5),
    (0x180b, 0x180f),
    (0x200b, 0x200f),
    (0x202a, 0x202e),
    (0x2060, 0x206f),
    (0x3164, 0x3164),
    (0xfe00, 0xfe0f),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfff8),
    (0x1bca0, 0x1bca3),
    (0x1d173, 0x1d17a),
    (0xe0000, 0xe0fff),
];

/// Whether a character is never seen: ignorable by default, a control character, an annotation mark, a blank that is
/// no space, or no character at all.
pub(super) fn is_hidden(c: char) -> bool {
    let code = u32::from(c);
    if code < 0x7f {
        return code < 0x20;
    }
    let hidden = DEFAULT_IGNORABLE.binary_search_by(|(first, last)| match () {
        () if *last < code => std::cmp::Ordering::Less,
        () if *first > code => std::cmp::Ordering::Greater,
        () => std::cmp::Ordering::Equal,
    });
    hidden.is_ok()
        || c.is_control()
        || matches!(code, 0x2800 | 0xfff9..=0xfffb | 0xfdd0..=0xfdef | 0x1d159)
        || code & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use icu_properties::{CodePointSetData, props::DefaultIgnorableCodePoint};

    use super::*;

    #[test]
    fn the_table_is_that_of_unicode() {
        let theirs = CodePointSetData::new::<DefaultIgnorableCodePoint>();
        for c in '\0'..=char::MAX {
            let ours = DEFAULT_IGNORABLE.iter().any(|(first, last)| (*first..=*last).contains(&u32::from(c)));
            assert_eq!(ours, theirs.contains(c), "U+{:04X}", u32::from(c));
            assert!(is_hidden(c) || !ours && !c.is_control(), "U+{:04X} can hide", u32::from(c));
        }
    }

    #[test]
    fn what_people_read_is_not_hidden() {
        for c in "az09 é ß я 中 あ 한 ا ก 😀 € — … \u{a0}\u{3000}".chars() {
            assert!(!is_hidden(c), "{c}");
        }
    }
}
