//! Texts within texts, as others write them: with entities of XML and HTML, with codes of addresses, and between quotes with escapes or doubled
//! ones. What they say is read as a text of its own.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use super::{json, reading::Reading};

/// What the characters of XML and HTML that stand for something are called.
const ENTITIES: [(&str, &str); 29] = [
    ("quot;", "\""),
    ("apos;", "'"),
    ("lt;", "<"),
    ("gt;", ">"),
    ("amp;", "&"),
    ("colon;", ":"),
    ("equals;", "="),
    ("commat;", "@"),
    ("sol;", "/"),
    ("bsol;", "\\"),
    ("num;", "#"),
    ("quest;", "?"),
    ("semi;", ";"),
    ("comma;", ","),
    ("period;", "."),
    ("lowbar;", "_"),
    ("plus;", "+"),
    ("percnt;", "%"),
    ("dollar;", "$"),
    ("lpar;", "("),
    ("rpar;", ")"),
    ("lsqb;", "["),
    ("rsqb;", "]"),
    ("lcub;", "{"),
    ("rcub;", "}"),
    ("verbar;", "|"),
    ("Tab;", "\t"),
    ("NewLine;", "\n"),
    ("nbsp;", " "),
];

/// What begins as one that is read, or as a sign of one that is written once more. `&amp;` alone is of an address.
static ENTITY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let names = ENTITIES.iter().filter(|(_, said)| *said != "&").map(|(name, _)| name.trim_end_matches(';'));
    let names = names.collect::<Vec<_>>().join("|");
    Regex::new(&format!(
        "&(?:amp;)*(?:{names}|amp;amp|\\x23(?:[0-9]{{1,3}}|9[45][0-9]{{2}}|[xX](?:25)?0*[0-9a-fA-F]{{1,2}}));"
    ))
    .ok()
});

/// A text in quotes with an escape, as `msg="…\"…"`; a cell with doubled quotes; a text of YAML or SQL with doubled ones; a word of an
/// address with codes of what no address has.
static WITHIN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"(?:^|[\s=(])"(?<e>(?:[^"\\\n]|\\[^\n])*\\["n\\](?:[^"\\\n]|\\[^\n])*)""#,
        r#"|(?m:^|[,;\t])"(?<d>(?:[^"]|"")*?""(?:[^"]|"")*)"(?m:[,;\t\r]|$)"#,
        r#"|(?:^|[\s=(:,\[{-])'(?<s>(?:[^'\n]|'')*?''(?:[^'\n]|'')*)'(?m:[\s,;:)\]}]|$)"#,
        r#"|(?<p>(?:[^\s"'<>?&=%]*%0[0-9a-fA-F])*[^\s"'<>?&=%]*%[2-7][0-9a-fA-F][^\s"'<>?&=]*)"#
    ))
    .ok()
});

/// Quotes and ends of lines within single ones, as programs write them; a value of a form, in which `+` is a blank.
static FURTHER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?:^|[\s=(:,\[{$])'(?<e>(?:[^'\\\n]|\\[^\n])*\\['n](?:[^'\\\n]|\\[^\n])*)'",
        r#"|[?&][\w.\[\]%-]+=(?<p>[^\s"'<>?&=]*\+[^\s"'<>?&=]*)|(?m:^|[\s"'])[\w.-]+=(?<f>[^\s"'<>?&=]*\+[^\s"'<>?&=]*)&"#,
    ))
    .ok()
});

/// A cell with ends of lines, as databases copy it.
static CELL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?m:^|[\t,|])(?<e>[^\t\n"]*?\\n[^\t\n"]*)(?m:\t|$)"#).ok());

/// What is written so in a text.
pub(super) fn readings(text: &str) -> Vec<Reading> {
    let mut readings = Vec::new();
    if text.contains('&') && ENTITY.as_ref().is_some_and(|entity| entity.is_match(text)) {
        readings.push(entities(text));
    }
    let any = ["\\\"", "\\n", "\"\"", "''", "%"].iter().any(|sign| text.contains(sign));
    readings.extend(WITHIN.as_ref().filter(|_| any).map(|within| written(text, within)));
    let any = text.contains("\\n") || text.contains("\\'") || ["+", "=", "&"].iter().all(|sign| text.contains(sign));
    readings.extend(FURTHER.as_ref().filter(|_| any).map(|further| written(text, further)));
    readings.extend(CELL.as_ref().filter(|_| text.contains("\\n")).map(|cell| written(text, cell)));
    readings.retain(|reading| !reading.text().is_empty());
    readings
}

/// What a form finds in a text, all of it together: there may be very much.
fn written(text: &str, form: &Regex) -> Reading {
    let mut reading = Reading::default();
    for found in form.captures_iter(text) {
        let of = |names: &[&str]| names.iter().find_map(|name| found.name(name)).map(|part| part.range());
        match (of(&["e"]), of(&["d"]), of(&["s"]), of(&["p", "f"])) {
            // A member of JSON is read with its name.
            (Some(part), ..) if is_member(text, part.start) => continue,
            (Some(part), ..) => escaped(&mut reading, text, part),
            (_, Some(part), ..) => doubled(&mut reading, text, part, "\"\""),
            (.., Some(part), _) => doubled(&mut reading, text, part, "''"),
            (.., Some(part)) => encoded(&mut reading, text, part),
            _ => continue,
        }
        reading.part();
    }
    reading
}

/// Whether the text behind a quote is the value of a member.
fn is_member(text: &str, begins: usize) -> bool {
    text.get(..begins.saturating_sub(1)).is_some_and(|before| before.trim_end_matches(' ').ends_with("\":"))
}

fn entities(text: &str) -> Reading {
    let mut reading = Reading::default();
    let mut from = 0;
    for (at, _) in text.match_indices('&') {
        let rest = text.get(at + 1..).unwrap_or_default();
        let named = ENTITIES.iter().find(|(name, _)| rest.starts_with(name));
        let (said, length) = match named {
            Some((name, said)) => ((*said).to_owned(), name.len() + 1),
            None => {
                let Some((code, _)) =
                    rest.strip_prefix('#').and_then(|code| code.get(..code.floor_char_boundary(8))?.split_once(';'))
                else {
                    continue;
                };
                let number = match code.strip_prefix(['x', 'X']) {
                    Some(code) => u32::from_str_radix(code, 16).ok(),
                    None => code.parse().ok(),
                };
                let Some(said) = number.and_then(char::from_u32) else { continue };
                (said.to_string(), code.len() + 3)
            }
        };
        if at < from {
            continue;
        }
        reading.push(text.get(from..at).unwrap_or_default(), from..at);
        reading.push(&said, at..at + length);
        from = at + length;
    }
    reading.push(text.get(from..).unwrap_or_default(), from..text.len());
    reading
}

/// A text of JSON or of a program.
pub(super) fn escaped(reading: &mut Reading, text: &str, part: Range<usize>) {
    let raw = text.get(part.clone()).unwrap_or_default();
    let (said, from) = json::decoded(raw);
    for (at, c) in said.char_indices() {
        let end = at + c.len_utf8();
        let written = |at: usize| from.get(at).copied().unwrap_or(raw.len()) + part.start;
        reading.push(said.get(at..end).unwrap_or_default(), written(at)..written(end));
    }
}

/// A text between quotes of which two are one.
fn doubled(reading: &mut Reading, text: &str, part: Range<usize>, pair: &str) {
    let mut from = part.start;
    let raw = text.get(part.clone()).unwrap_or_default();
    for (at, _) in raw.match_indices(pair) {
        let at = part.start + at;
        reading.push(text.get(from..=at).unwrap_or_default(), from..at + 1);
        from = at + 2;
        // Both are masked where one is.
        reading.push("", at + 1..from);
    }
    reading.push(text.get(from..part.end).unwrap_or_default(), from..part.end);
}

/// A word of an address.
fn encoded(reading: &mut Reading, text: &str, part: Range<usize>) {
    let mut at = part.start;
    let code = |at: usize| {
        let code = text.get(at..at + 3)?.strip_prefix('%')?;
        u8::from_str_radix(code, 16).ok()
    };
    while at < part.end {
        let rest = text.get(at..part.end).unwrap_or_default();
        let coded = || {
            let bytes: Vec<u8> = (0..4).map_while(|number| code(at + 3 * number)).collect();
            let first = bytes.utf8_chunks().next()?.valid().chars().next()?;
            Some((first.to_string(), 3 * first.len_utf8()))
        };
        let (said, length) = match (rest.as_bytes().first(), coded()) {
            (_, Some(coded)) => coded,
            (Some(b'+'), _) => (" ".to_owned(), 1),
            _ => {
                let plain = rest.char_indices().skip(1).find(|(_, c)| matches!(c, '%' | '+'));
                let length = plain.map_or(rest.len(), |(at, _)| at);
                (rest.get(..length).unwrap_or_default().to_owned(), length)
            }
        };
        reading.push(&said, at..at + length);
        at += length;
    }
}
