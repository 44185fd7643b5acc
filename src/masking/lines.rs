//! Lines that something stands before: numbers, the name of a file, the time of a log, the sign of a diff, of a remark or of what
//! is quoted. What such lines say together is read without that.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use super::{heads, messages, names, reading::Reading, turns};

/// How much of the beginning of a line may be what stands before it, and how long a part in brackets may be, in bytes.
const LONGEST: usize = 4 << 10;
const GROUP: usize = 120;

/// How many empty lines may stand between lines that go together.
const EMPTY: usize = 2;

/// Which side of a diff a line is of, and how many signs tell that.
type Mark = (u8, usize);

/// Without a word of these nothing that several lines say is a secret.
static WORDS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let words = concat!("(?i-u)", names::names!(), "|(?:access|secret|api|private|auth) key|cookie|LS0tLS1CRUdJTi");
    Regex::new(words).ok()
});

/// What the lines of a text say without what stands before them: the lines that begin alike, those of logs, what members of their lines
/// say, and the sides of a diff.
pub(super) fn readings(text: &str) -> Vec<Reading> {
    let Some(lines) = several(text) else { return Vec::new() };
    let signs = signs(text, &lines);
    let mut readings = vec![alike(text, &lines, &signs)];
    let heads: Vec<(usize, usize)> = lines.iter().map(|line| heads::head(said(text, line))).collect();
    let own = own(text, &lines, &heads);
    if readings
        .iter()
        .all(|reading| reading.text().trim_end_matches(['\n', '\u{1}']) != own.text().trim_end_matches('\n'))
    {
        readings.push(own);
    }
    readings.push(messages::reading(text));
    readings.extend(turns::readings(text, &lines, &heads));
    if !signs.is_empty() {
        readings.extend([b'-', b'+'].map(|other| side(text, &lines, &signs, other)));
    }
    readings.retain(|reading| !reading.text().is_empty());
    readings
}

/// The same without the beginnings that lines share alone; none: they share nothing.
pub(super) fn behind(text: &str) -> Option<Reading> {
    let lines = several(text)?;
    Some(alike(text, &lines, &signs(text, &lines))).filter(|reading| !reading.text().is_empty())
}

/// The lines of a text that has several, and the name of a secret in them.
fn several(text: &str) -> Option<Vec<Range<usize>>> {
    if !text.trim_end().contains('\n') || !tells(text) {
        return None;
    }
    let mut at = 0;
    let line = |line: &str| {
        at += line.len();
        at - line.len()..at
    };
    Some(text.split_inclusive('\n').map(line).collect())
}

/// A line without its end.
pub(super) fn said<'t>(text: &'t str, line: &Range<usize>) -> &'t str {
    text.get(line.clone()).unwrap_or_default().trim_end_matches(['\n', '\r'])
}

/// Whether a text has the name of a secret.
pub(super) fn tells(text: &str) -> bool {
    WORDS.as_ref().is_some_and(|words| words.is_match(text))
}

/// Where the names of secrets in a text end.
pub(super) fn told(text: &str) -> impl Iterator<Item = usize> {
    WORDS.iter().flat_map(|words| words.find_iter(text)).map(|found| found.end())
}

/// All lines, each without what a program writes before it, and without the frame or the sign of the end behind it.
fn own(text: &str, lines: &[Range<usize>], heads: &[(usize, usize)]) -> Reading {
    let mut reading = Reading::default();
    let ended = lines.iter().map(|line| said(text, line)).all(|line| line.ends_with('$'));
    let heads = || heads.iter().map(|head| if ended { (0, 0) } else { *head });
    // A sign before what a line says may be that of a list, unless all lines have one.
    let separated = heads().all(|(end, sure)| end > sure || end == 0);
    if !ended && heads().all(|(end, _)| end == 0) {
        return reading;
    }
    for (line, (end, sure)) in lines.iter().zip(heads()) {
        let begins = line.start + if separated { end } else { sure };
        let shown = said(text, line);
        let framed = (shown.starts_with('│') && !ended).then(|| shown.strip_suffix('│')).flatten().map(str::trim_end);
        let shown = framed.or(shown.strip_suffix('$').filter(|_| ended)).unwrap_or(shown);
        let ends = line.start + shown.len();
        reading.push(text.get(begins..ends).unwrap_or_default(), begins..ends.max(begins));
        reading.push("\n", line.end - 1..line.end);
    }
    reading
}

/// What stands before the lines of a diff: whether they are of its left side, of its right one, or of both (a blank), and how many signs
/// tell that; nothing before others. Empty: there is none.
fn signs(text: &str, lines: &[Range<usize>]) -> Vec<Option<Mark>> {
    if !["@@ -", "@@@ -"].iter().any(|begins| text.starts_with(begins) || text.contains(&format!("\n{begins}"))) {
        return Vec::new();
    }
    // How many sides a line is of: a merge has one for each that was merged.
    let mut sides = 0;
    let sign = |line: &Range<usize>| {
        let line = text.get(line.clone()).unwrap_or_default();
        let first = line.bytes().next().filter(|first| b"+- \\\n\r".contains(first) && sides > 0);
        let marks = line.get(..sides.min(line.trim_end().len())).unwrap_or_default();
        let sign = first.map(|first| match marks.contains(['+', '-']) {
            true => (if marks.contains('-') { b'-' } else { b'+' }, marks.len()),
            false => (first, usize::from(!matches!(first, b'\n' | b'\r')).max(marks.len())),
        });
        let ats = line.len() - line.trim_start_matches('@').len();
        sides = match ats {
            2..=8 if line.get(ats..).is_some_and(|behind| behind.starts_with(" -")) => ats - 1,
            _ if sign.is_some() => sides,
            _ => 0,
        };
        sign
    };
    lines.iter().map(sign).collect()
}

/// One side of a diff: without the lines of the other one, of the parts that tell something.
fn side(text: &str, lines: &[Range<usize>], signs: &[Option<Mark>], other: u8) -> Reading {
    let mut reading = Reading::default();
    let both: Vec<(&Range<usize>, &Option<Mark>)> = lines.iter().zip(signs).collect();
    for part in both.split(|(_, sign)| sign.is_none()) {
        let (Some((first, _)), Some((last, _))) = (part.first(), part.last()) else { continue };
        if !tells(text.get(first.start..last.end).unwrap_or_default()) {
            continue;
        }
        for (line, sign) in part {
            let (sign, length) = sign.unwrap_or_default();
            if sign != other && sign != b'\\' {
                let begins = line.start + length;
                reading.push(text.get(begins..line.end).unwrap_or_default(), begins..line.end);
            }
        }
        reading.part();
    }
    reading
}

/// The lines that begin as those beside them do, without that beginning.
fn alike(text: &str, lines: &[Range<usize>], signs: &[Option<Mark>]) -> Reading {
    let mut reading = Reading::default();
    let said = |at: usize| lines.get(at).and_then(|line| text.get(line.clone())).unwrap_or_default();
    let of_a_diff = |at: usize| signs.get(at).copied().flatten().is_some();
    let mut at = 0;
    while at < lines.len() {
        let (end, shared) = block(at, lines.len(), &said, &of_a_diff);
        let whole = lines.get(at).zip(lines.get(end - 1)).and_then(|(first, last)| text.get(first.start..last.end));
        if shared > 0 && whole.is_some_and(tells) {
            for (number, line) in lines.iter().enumerate().take(end).skip(at) {
                let head = begins(said(number), shared);
                let begins = line.start + head;
                reading.push(text.get(begins..line.end).unwrap_or_default(), begins..line.end);
            }
            reading.part();
        }
        at = end;
    }
    reading
}

/// Where the lines end that begin as the one at a place does, and how many signs of their beginnings they share. No line is looked
/// at again but the last one, so that lines are as much work as they are long.
fn block<'t>(
    at: usize,
    most: usize,
    said: &dyn Fn(usize) -> &'t str,
    of_a_diff: &dyn Fn(usize) -> bool,
) -> (usize, usize) {
    let (mut last, mut end, mut empty) = (said(at), at + 1, 0);
    let mut least: Option<usize> = None;
    if of_a_diff(at) || last.trim().is_empty() {
        return (end, 0);
    }
    let mut next = end;
    while next < most && !of_a_diff(next) {
        let line = said(next);
        next += 1;
        if line.trim().is_empty() {
            empty += 1;
            if empty > EMPTY {
                break;
            }
            continue;
        }
        let (shared, whole) = shared(last, line);
        if shared == 0 {
            break;
        }
        (end, empty) = (next, 0);
        match whole {
            // Nothing stands behind what they share in one of them: that tells no more.
            Whole::Second => {}
            Whole::First => last = line,
            Whole::Neither => {
                least = Some(least.map_or(shared, |least| least.min(shared)));
                last = line;
            }
        }
    }
    // None: all of them are alike.
    (end, least.unwrap_or(0))
}

/// A line of which nothing stands behind what it shares with another one.
enum Whole {
    First,
    Second,
    Neither,
}

/// What lines that begin alike share, however many of them there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Alike {
    /// The beginning of the last line.
    last: String,
    /// How many signs they share. None: nothing tells that yet.
    least: Option<usize>,
}

impl Alike {
    /// Goes on with lines of a text.
    pub(super) fn take<'t>(&mut self, lines: impl Iterator<Item = &'t str>) {
        for line in lines.filter(|line| !line.trim().is_empty()) {
            match shared(&self.last, line) {
                (0, _) => self.least = None,
                (_, Whole::Second) => continue,
                (_, Whole::First) => {}
                (shared, Whole::Neither) => self.least = Some(self.least.map_or(shared, |least| least.min(shared))),
            }
            line.get(..line.floor_char_boundary(LONGEST)).unwrap_or_default().clone_into(&mut self.last);
        }
    }

    /// How much of a line stands before what it says, if it begins as they do, in bytes.
    pub(super) fn before(&self, line: &str) -> usize {
        match self.least {
            Some(least) if least <= shared(&self.last, line).0 => {
                let head = line.get(..begins(line, least)).unwrap_or_default();
                if is_said(head) { 0 } else { head.len() }
            }
            _ => 0,
        }
    }
}

/// Whether lines say what they share, each below the same name or of the same list, and nothing stands before them.
fn is_said(head: &str) -> bool {
    let own = head.trim_start();
    let set_in = own.len() < head.len() && !own.starts_with(|c: char| c.is_ascii_digit());
    let list = head.ends_with(' ') && own.trim_start_matches(['-', ' ']).is_empty();
    let sign = |c: char| !c.is_alphanumeric();
    let name = own.trim_start_matches(sign).strip_suffix(": ").is_some_and(|name| !name.contains([' ', '\t', '[']));
    set_in || list || name || head.contains(['"', '\''])
}

/// How many signs two lines share at their beginnings, as far as that stands before what they say.
fn shared(a: &str, b: &str) -> (usize, Whole) {
    let (mut left, mut right) = (Signs::of(a), Signs::of(b));
    let mut signs: Vec<Sign> = Vec::new();
    let whole = loop {
        match (left.next(), right.next()) {
            (Some(one), Some(other)) if one == other => signs.push(one),
            (None, _) => break Whole::First,
            (_, None) => break Whole::Second,
            _ => break Whole::Neither,
        }
    };
    (before(&signs), whole)
}

/// How many of some signs stand before what a line says: to the last one that may end that, without the sign of a list or the
/// frame of a table, which are said.
fn before(signs: &[Sign]) -> usize {
    let ends = |sign: &Sign| match sign {
        Sign::Byte(byte) => b" \t:])|>#/*;+-!".contains(byte),
        Sign::Parts | Sign::Group => true,
        Sign::Number | Sign::Hash => false,
    };
    let is = |sign: Option<&Sign>, byte: u8| sign == Some(&Sign::Byte(byte));
    let mut count = signs.iter().rposition(ends).map_or(0, |at| at + 1);
    loop {
        let head = signs.get(..count).unwrap_or_default();
        let plain = head.iter().rposition(|sign| *sign != Sign::Byte(b' ')).map_or(0, |at| at + 1);
        let blank = plain < count;
        let head = head.get(..plain).unwrap_or_default();
        let (last, above) = (head.last(), head.get(..head.len().saturating_sub(1)).unwrap_or_default());
        let told = above.iter().any(|sign| *sign != Sign::Byte(b' '));
        if told && (blank && is(last, b'-') && !is(above.last(), b'-') || is(last, b'|')) {
            count = plain - 1;
            continue;
        }
        break;
    }
    let head = signs.get(..count).unwrap_or_default();
    // Lines that are set in are read as they are, unless a tab looks like the end of a cell.
    let blank = head.iter().all(|sign| *sign == Sign::Byte(b' '));
    if blank { 0 } else { count }
}

/// Where a line goes on behind so many signs.
fn begins(line: &str, count: usize) -> usize {
    let mut signs = Signs::of(line);
    for _ in 0..count {
        if signs.next().is_none() {
            break;
        }
    }
    signs.at
}

/// A sign of the beginning of a line. What counts or tells a time differs from line to line.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Sign {
    Number,
    /// What names a version of a file, as git does.
    Hash,
    /// What stands in brackets.
    Group,
    /// Between a file and its lines: `a.conf:12:` and `a.conf-13-`.
    Parts,
    Byte(u8),
}

/// The signs of a line, read as far as they are asked for.
struct Signs<'t> {
    line: &'t str,
    at: usize,
}

impl<'t> Signs<'t> {
    fn of(line: &'t str) -> Self {
        let line = line.trim_end_matches(['\n', '\r']);
        Self { line: line.get(..line.floor_char_boundary(LONGEST)).unwrap_or_default(), at: 0 }
    }
}

impl Iterator for Signs<'_> {
    type Item = Sign;

    fn next(&mut self) -> Option<Sign> {
        let rest = self.line.as_bytes().get(self.at..)?;
        let sign = *rest.first()?;
        let last = self.at.checked_sub(1).and_then(|at| self.line.as_bytes().get(at));
        let word = last.is_some_and(u8::is_ascii_alphanumeric);
        let count = |from: usize, is: fn(&u8) -> bool| {
            rest.get(from..).unwrap_or_default().iter().take_while(|byte| is(byte)).count()
        };
        let group = |close: u8| {
            let near = rest.get(1..rest.len().min(GROUP)).unwrap_or_default();
            near.iter().position(|byte| *byte == close).map(|inner| inner + 2)
        };
        let hash = |from: usize| {
            let length = count(from, |byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'));
            let ends = !rest.get(from + length).is_some_and(u8::is_ascii_alphanumeric);
            (ends && (7..=40).contains(&length)).then_some(from + length)
        };
        let found = match sign {
            b'(' => group(b')').map(|length| (Sign::Group, length)),
            b'[' => group(b']').map(|length| (Sign::Group, length)),
            b'^' | b'a'..=b'f' | b'0'..=b'9' if !word => {
                hash(usize::from(sign == b'^')).map(|length| (Sign::Hash, length))
            }
            b':' | b'-' if word => Some((Sign::Parts, 1)),
            // Numbers are set in by as many blanks as they are short, before a line by none where they are long.
            b' ' => {
                let blanks = count(0, |byte| *byte == b' ');
                let number = count(blanks, u8::is_ascii_digit);
                match self.at {
                    _ if number == 0 => None,
                    0 => Some((Sign::Number, blanks + number)),
                    _ => Some((Sign::Byte(b' '), blanks)),
                }
            }
            _ => None,
        };
        let (sign, length) = found.unwrap_or_else(|| match sign {
            b'0'..=b'9' => (Sign::Number, count(0, u8::is_ascii_digit)),
            byte => (Sign::Byte(byte), 1),
        });
        self.at += length;
        Some(sign)
    }
}
