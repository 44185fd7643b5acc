//! Lines of several programs that come in turn, as of the containers of a pod or of two files: what one of them says is read without
//! the lines of the others between.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    ops::Range,
};

use super::{
    All, Masking, READINGS,
    lines::{self, said, tells},
    places::apart,
    reading::Reading,
};

/// How many words behind a time, or behind what is known by its form, tell whose a line is: a container, a machine and a program.
const WORDS: [(bool, usize); 3] = [(false, 0), (true, 1), (false, 2)];

/// How many heads of lines are taken off, one after the other, where texts are read no further otherwise.
pub(super) const HEADS: usize = 3;

/// Fewer lines do not come in turn.
const LEAST: usize = 3;

impl Masking {
    /// Where lines are masked as they are read without the beginnings that they share, and without those behind them.
    pub(super) fn behind(&self, text: &str, heads: usize) -> Vec<Range<usize>> {
        let Some(reading) = (heads > 0).then(|| lines::behind(text)).flatten() else { return Vec::new() };
        let mut places = self.places_of(reading.text(), READINGS, All::OverLines);
        places.extend(self.behind(reading.text(), heads - 1));
        reading.written(&apart(places))
    }
}

/// The lines of each program together, by as many words as tell programs apart.
pub(super) fn readings(text: &str, lines: &[Range<usize>], heads: &[(usize, usize)]) -> Vec<Reading> {
    if lines.len() < LEAST {
        return Vec::new();
    }
    let mut before: Vec<Option<u64>> = Vec::new();
    let mut readings = Vec::new();
    for (of_time, words) in WORDS {
        let key = |(line, (_, head)): (&Range<usize>, &(usize, usize))| {
            let line = said(text, line);
            key(line, if of_time { times(line) } else { *head }, words)
        };
        let keys: Vec<Option<u64>> = lines.iter().zip(heads).map(key).collect();
        if keys != before {
            readings.push(grouped(text, lines, &keys));
        }
        before = keys;
    }
    readings
}

/// Whose a line is; none: nothing tells that.
fn key(line: &str, head: usize, words: usize) -> Option<u64> {
    let (known, mut rest) = line.split_at_checked(head)?;
    if words == 0 && head == 0 {
        return None;
    }
    let mut key = DefaultHasher::new();
    // Times differ from line to line, names do not.
    for word in known.split([' ', '\t']) {
        if is_counted(word) { 0.hash(&mut key) } else { word.hash(&mut key) }
    }
    for _ in 0..words {
        let word = rest.split([' ', '\t']).next().unwrap_or_default();
        if !word.bytes().any(|b| b.is_ascii_alphanumeric()) || word.starts_with(['"', '\'']) {
            return None;
        }
        let own = of_a_file(word).unwrap_or(word);
        own.hash(&mut key);
        if own.len() < word.len() {
            break;
        }
        rest = rest.get(word.len()..)?.trim_start_matches([' ', '\t']);
    }
    Some(key.finish())
}

/// Whether a word counts or tells a time.
fn is_counted(word: &str) -> bool {
    word.trim_start_matches(['[', '(']).starts_with(|c: char| c.is_ascii_digit())
}

/// How much of a line its times and numbers are with which it begins, in bytes.
fn times(line: &str) -> usize {
    let words = line.split_inclusive([' ', '\t']).take_while(|word| is_counted(word) || word.trim().is_empty());
    words.map(str::len).sum()
}

/// The name of a file before the number of a line: `a.yaml:12:`, `a.yaml-12-`.
fn of_a_file(word: &str) -> Option<&str> {
    word.match_indices([':', '-']).find_map(|(at, sign)| {
        let behind = word.get(at + 1..)?;
        let number = behind.len() - behind.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        (at > 0 && number > 0 && behind.get(number..)?.starts_with(sign)).then(|| word.get(..at)).flatten()
    })
}

/// The lines of each that come in turn with those of others.
fn grouped(text: &str, lines: &[Range<usize>], keys: &[Option<u64>]) -> Reading {
    let mut reading = Reading::default();
    let mut count: HashMap<u64, usize> = HashMap::new();
    for key in keys.iter().flatten() {
        *count.entry(*key).or_default() += 1;
    }
    let blank =
        |at: usize| lines.get(at).and_then(|line| text.get(line.clone())).is_none_or(|line| line.trim().is_empty());
    // What is said once is of nobody.
    let of = |at: usize| keys.get(at).copied().flatten().filter(|key| count.get(key).is_some_and(|count| *count > 1));
    let mut at = 0;
    while at < lines.len() {
        let begins = at;
        let (mut all, mut known, mut turns, mut last) = (Vec::new(), HashSet::new(), 0, None);
        while at < lines.len() && (of(at).is_some() || blank(at)) {
            if let Some(key) = of(at) {
                turns += usize::from(last != Some(key));
                if known.insert(key) {
                    all.push(key);
                }
                last = Some(key);
            }
            at += 1;
        }
        // Else each stands alone already.
        if turns > all.len() {
            together(&mut reading, text, lines.get(begins..at).unwrap_or_default(), (&all, &|line| of(begins + line)));
        }
        at = at.max(begins + 1);
    }
    reading
}

/// The lines of each, one after the other, if something in them is the name of a secret.
fn together(
    reading: &mut Reading,
    text: &str,
    lines: &[Range<usize>],
    (all, of): (&[u64], &dyn Fn(usize) -> Option<u64>),
) {
    let mut groups: HashMap<u64, Vec<&Range<usize>>> = HashMap::new();
    for (number, line) in lines.iter().enumerate() {
        if let Some(key) = of(number) {
            groups.entry(key).or_default().push(line);
        }
    }
    for lines in all.iter().filter_map(|key| groups.get(key)) {
        let said = |line: &Range<usize>| text.get(line.clone()).unwrap_or_default();
        if lines.iter().any(|line| tells(said(line))) {
            for line in lines {
                reading.push(said(line), (*line).clone());
            }
            reading.part();
        }
    }
}
