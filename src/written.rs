//! What editors, shells and copied texts leave in what people write (marks, other encodings, characters that nobody sees),
//! and which word they meant by a misspelt one.
//!
//! They look right and are not, so that a message must name them. Knows nothing of settings or definitions.

/// Characters that people copy without seeing them.
const INVISIBLE: [(char, &str); 22] = [
    ('\u{a0}', "no-break space"),
    ('\u{ad}', "soft hyphen"),
    ('\u{61c}', "Arabic letter mark"),
    ('\u{180e}', "Mongolian vowel separator"),
    ('\u{200b}', "zero width space"),
    ('\u{200c}', "zero width non-joiner"),
    ('\u{200d}', "zero width joiner"),
    ('\u{200e}', "left-to-right mark"),
    ('\u{200f}', "right-to-left mark"),
    ('\u{2028}', "line separator"),
    ('\u{2029}', "paragraph separator"),
    ('\u{202a}', "left-to-right embedding"),
    ('\u{202b}', "right-to-left embedding"),
    ('\u{202c}', "end of an embedding"),
    ('\u{202d}', "left-to-right override"),
    ('\u{202e}', "right-to-left override"),
    ('\u{202f}', "narrow no-break space"),
    ('\u{2060}', "word joiner"),
    ('\u{2066}', "left-to-right isolate"),
    ('\u{2069}', "end of an isolate"),
    ('\u{3000}', "ideographic space"),
    ('\u{feff}', "byte order mark"),
];

/// The first character of a text that looks like nothing or like a space, by number and name.
pub fn invisible(text: &str) -> Option<String> {
    text.chars().find_map(|c| {
        let code = u32::from(c);
        let name = INVISIBLE.iter().find(|(known, _)| *known == c).map(|(_, name)| *name);
        // Blanks of other widths, further marks of direction, and what controls a terminal.
        let other = matches!(code, 0x2000..=0x200a | 0x205f | 0x2061..=0x206f | 0x115f | 0x1160 | 0x3164 | 0xffa0)
            || (c.is_control() && !matches!(c, '\t' | '\n' | '\r'));
        match name {
            Some(name) => Some(format!("U+{code:04X} ({name})")),
            None => other.then(|| format!("U+{code:04X}")),
        }
    })
}

/// The first blank of a text that is none of the space bar, by number and name: at its ends, or `anywhere`.
pub fn odd_blank(text: &str, anywhere: bool) -> Option<String> {
    let joins = |c: &char| matches!(c, '\u{200c}' | '\u{200d}');
    let odd = |c: &char| c.is_whitespace() && !matches!(c, ' ' | '\n' | '\r');
    let at_an_end = || [text.chars().next(), text.chars().last()].into_iter().flatten().find(|c| odd(c) || joins(c));
    let found = if anywhere { text.chars().find(odd).or_else(at_an_end) } else { at_an_end() }?;
    match found {
        '\t' => Some("U+0009 (tab)".to_owned()),
        found => invisible(&found.to_string()),
    }
}

/// A text without the mark that some editors begin a file with.
pub fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// A value without what stands around it and is not part of it: the line end of a file that a secret was made from, the
/// blanks and marks of a copied text.
pub fn trimmed(value: &str) -> &str {
    value.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}' | '\u{2060}'))
}

/// The text of a file.
///
/// # Errors
/// Which encoding it has instead of UTF-8.
pub fn text(bytes: Vec<u8>) -> Result<String, String> {
    let wide = matches!(bytes.as_slice(), [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)),
        Err(_) if wide => Err("it is written in UTF-16: save it as UTF-8".into()),
        Err(error) => {
            let (at, bytes) = (error.utf8_error().valid_up_to(), error.as_bytes());
            let line = bytes.iter().take(at).filter(|byte| **byte == b'\n').count() + 1;
            let byte = bytes.get(at).copied().unwrap_or_default();
            Err(format!("byte 0x{byte:02X} in line {line} is not UTF-8: save the file as UTF-8"))
        }
    }
}

/// The word among `candidates` that was probably meant by `word`.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = word.to_lowercase().replace('-', "_");
    let longest = word.chars().count().max(1);
    candidates
        .into_iter()
        .filter(|candidate| !candidate.is_empty() && *candidate != word)
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &candidate.to_lowercase().replace('-', "_")), candidate))
        .filter(|(distance, candidate)| {
            let other = candidate.chars().count();
            *distance <= (longest.max(other) / 3).max(1) && *distance < longest.min(other)
        })
        .min_by(|a, b| a.0.cmp(&b.0).then(a.1.cmp(b.1)))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions_are_close_or_absent() {
        let fields = ["statement", "title", "description", "read_only"];
        for (word, meant) in [
            ("statment", Some("statement")),
            ("Title", Some("title")),
            ("read-only", Some("read_only")),
            ("descripton", Some("description")),
            ("colour", None),
            ("x", None),
        ] {
            assert_eq!(did_you_mean(word, fields), meant, "{word}");
        }
    }

    #[test]
    fn what_nobody_sees_is_named() {
        for (text, found) in [
            ("ser\u{200b}ver", Some("U+200B (zero width space)")),
            ("\u{a0}level", Some("U+00A0 (no-break space)")),
            ("a\u{2003}b", Some("U+2003")),
            ("a\u{1b}b", Some("U+001B")),
            ("plain ä 中 😀 ❤\u{fe0f}\ttext\r\n", None),
        ] {
            assert_eq!(invisible(text).as_deref(), found, "{text:?}");
        }
        assert!(INVISIBLE.is_sorted());
    }

    #[test]
    fn blanks_are_those_of_the_space_bar() {
        for (text, at_its_ends, anywhere) in [
            ("a b\n", None, None),
            ("a\u{a0}", Some("U+00A0 (no-break space)"), Some("U+00A0 (no-break space)")),
            ("\ta", Some("U+0009 (tab)"), Some("U+0009 (tab)")),
            ("a\u{202f}b", None, Some("U+202F (narrow no-break space)")),
            ("a\u{200d}b", None, None),
            ("ab\u{200d}", Some("U+200D (zero width joiner)"), Some("U+200D (zero width joiner)")),
        ] {
            let found = (odd_blank(text, false), odd_blank(text, true));
            assert_eq!((found.0.as_deref(), found.1.as_deref()), (at_its_ends, anywhere), "{text:?}");
        }
    }

    #[test]
    fn what_stands_around_a_value_is_no_part_of_it() {
        assert_eq!(trimmed("\u{feff} a b\u{200b}\r\n"), "a b");
        assert_eq!(trimmed("\n"), "");
    }

    #[test]
    fn a_text_is_utf_8_with_a_mark_or_without() {
        assert_eq!(text(b"\xEF\xBB\xBFa: 1".to_vec()).unwrap(), "a: 1");
        assert_eq!(text(b"a".to_vec()).unwrap(), "a");
        assert!(text(b"\xFF\xFEa\0".to_vec()).unwrap_err().contains("UTF-16"));
        assert!(text(b"a\nb\xE4c".to_vec()).unwrap_err().contains("0xE4 in line 2"));
    }
}
