//! Lines of several programs that come in turn, as of the containers of a pod or of two files: what one of them says is read without
//! the lines of the others between.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    ops::Range,
};

use super::{
    All, Masking, READINGS, heads,
    lines::{self, said, tells, told},
    places::apart,
    reading::Reading,
};

/// How many words behind a time, or behind what is known by its form, tell whose a line is: a container, a machine and a program.
const WORDS: [(bool, usize); 3] = [(false, 0), (true, 1), (false, 2)];

/// How many words that lines share may stand before what tells whose each is.
const SHARED: usize = 24;

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

/// The lines of each program together, by as many words as tell programs apart, by a number in its name, and behind what all lines
/// begin with.
pub(super) fn readings(text: &str, lines: &[Range<usize>], heads: &[(usize, usize)]) -> Vec<Reading> {
    let all: Vec<&str> = lines.iter().map(|line| said(text, line)).collect();
    if lines.len() < LEAST || !all.iter().any(|line| opens(line)) {
        return Vec::new();
    }
    let by_words = WORDS.into_iter().map(|(of_time, words)| {
        let key =
            |(line, (_, head)): (&&str, &(usize, usize))| key(line, if of_time { times(line) } else { *head }, words);
        whose(&all.iter().zip(heads).map(key).collect::<Vec<_>>(), words == 0)
    });
    let behind = behind_shared(&all);
    let of = |heads: bool| all.iter().zip(&behind).map(|(line, at)| key_behind(line.get((*at)?..)?, heads)).collect();
    let further = [(by_numbers(&all), false), (of(true), true), (of(false), true)];
    // Other words may tell the same.
    let mut known = HashSet::new();
    let whose = by_words.chain(further.iter().map(|(keys, heads)| whose(keys, *heads)));
    whose.map(|whose| grouped(text, lines, &whose, &mut known)).collect()
}

/// The first line of whom each line is. What is said once is of nobody, unless what stands before it is known as the head of a line.
fn whose(keys: &[Option<u64>], heads: bool) -> Vec<Option<usize>> {
    let mut all: HashMap<u64, (usize, bool)> = HashMap::new();
    for (at, key) in keys.iter().enumerate() {
        if let Some(key) = key {
            all.entry(*key).and_modify(|(_, again)| *again = true).or_insert((at, false));
        }
    }
    let first =
        |key: &Option<u64>| all.get(key.as_ref()?).filter(|(_, again)| *again || heads).map(|(first, _)| *first);
    keys.iter().map(first).collect()
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

/// Whose lines are by the name that stands first behind a time, where names differ by a number: a host, a process, the number of a
/// container, a file.
fn by_numbers(all: &[&str]) -> Vec<Option<u64>> {
    let names: Vec<Option<&str>> = all.iter().map(|line| name(line)).collect();
    if !names.iter().flatten().any(|name| name.bytes().any(|b| b.is_ascii_digit())) {
        return Vec::new();
    }
    let key = |name: &str| {
        let mut key = DefaultHasher::new();
        name.hash(&mut key);
        key.finish()
    };
    names.into_iter().map(|name| name.map(key)).collect()
}

/// The name that stands first behind a time: a file stands before a colon, and what is found in it behind that.
fn name(line: &str) -> Option<&str> {
    let word = line.get(time(line)..)?.split([' ', '\t']).next()?;
    let end = word.find([':', '|']).filter(|end| *end > 0).unwrap_or(word.len());
    word.get(..end).filter(|name| name.bytes().any(|b| b.is_ascii_alphanumeric()))
}

/// How much of a line the time is with which it begins, in bytes: no number that may be a name.
fn time(line: &str) -> usize {
    const MONTHS: &str = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec";
    let (mut length, mut of_a_month) = (0, false);
    for word in line.split_inclusive([' ', '\t']) {
        let said = word.trim_end();
        let signs = said.bytes().all(|b| b.is_ascii_digit() || b"TZ:.,+-/[]()".contains(&b));
        let digits = said.bytes().filter(u8::is_ascii_digit).count();
        let month = said.len() == 3 && MONTHS.contains(said);
        let told = month || signs && (of_a_month || digits > 5 && said.contains([':', '-', '/']) || digits > 9);
        if !told && !said.is_empty() {
            break;
        }
        of_a_month = month || of_a_month && said.is_empty();
        length += word.len();
    }
    length
}

/// Where lines go on behind the words with which those beside them begin too: loggers and threads of one program write behind what another
/// one writes before them.
fn behind_shared(all: &[&str]) -> Vec<Option<usize>> {
    let mut behind = vec![None; all.len()];
    let mut at = 0;
    while at < all.len() {
        let begins = at;
        let first: Vec<(&str, usize)> = all.get(at).map(|line| words(line).collect()).unwrap_or_default();
        let mut shared = first.len();
        at += 1;
        while let Some(line) = all.get(at) {
            let same = |((one, _), (other, _)): &(&(&str, usize), (&str, usize))| one == other;
            let count = first.iter().take(shared).zip(words(line)).take_while(same).count();
            if count == 0 && !line.trim().is_empty() {
                break;
            }
            shared = if line.trim().is_empty() { shared } else { count };
            at += 1;
        }
        // The time of what a logger writes is of it.
        let head = first.get(..shared).unwrap_or_default();
        let signs = |word: &str| !word.bytes().any(|b| b.is_ascii_alphanumeric());
        let counts = |word: &str| word == COUNTED;
        let own = head.iter().rev().take_while(|(word, _)| signs(word) || counts(word)).count();
        let time = head.iter().skip(shared - own).position(|(word, _)| counts(word));
        let shared = time.map_or(shared, |time| shared - own + time);
        if shared == 0 || at < begins + LEAST {
            continue;
        }
        for (behind, line) in behind.iter_mut().zip(all).take(at).skip(begins) {
            *behind = words(line).nth(shared - 1).map(|(_, end)| end);
        }
    }
    behind
}

/// Whose a line is by what it says there: by the whole head of a line of a log, or by its first word.
fn key_behind(rest: &str, heads: bool) -> Option<u64> {
    match heads::head(rest).1 {
        0 if !is_of_a_log(rest.get(times(rest)..)?) => None,
        head if head > 0 && heads => key(rest, head, 0),
        _ => key(rest, times(rest), 1),
    }
}

/// Whether a word stands first that a program writes before what it says, and no sentence.
fn is_of_a_log(rest: &str) -> bool {
    let mut words = rest.split([' ', '\t']).filter(|word| !word.is_empty());
    let signs = |word: &str| !word.bytes().any(|b| b.is_ascii_alphanumeric());
    words.next().is_some_and(|word| word.contains(['.', '/', ':', ']', '>', ')']) || word.ends_with([',', '|']))
        || words.next().is_some_and(|word| signs(word) || is_counted(word))
}

/// What stands for a word that counts or tells a time.
const COUNTED: &str = "0";

/// The first words of a line, and where each ends with the blanks behind it. A file and the number of a line are one.
fn words(line: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut at = line.len() - line.trim_start_matches([' ', '\t']).len();
    let mut first = true;
    let next = move || {
        let rest = line.get(at..).filter(|rest| !rest.is_empty())?;
        let word = rest.split([' ', '\t']).next().unwrap_or_default();
        let file = Some(word).filter(|_| std::mem::take(&mut first)).and_then(of_a_file);
        if let Some(file) = file {
            let behind = word.get(file.len() + 1..)?.trim_start_matches(|c: char| c.is_ascii_digit());
            at += word.len() - behind.len() + 1;
            return Some((file, at));
        }
        let behind = rest.get(word.len()..)?;
        at += rest.len() - behind.trim_start_matches([' ', '\t']).len();
        Some((if is_counted(word) { COUNTED } else { word }, at))
    };
    std::iter::from_fn(next).take(SHARED)
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
fn grouped(text: &str, lines: &[Range<usize>], whose: &[Option<usize>], known: &mut HashSet<u64>) -> Reading {
    let mut reading = Reading::default();
    let blank =
        |at: usize| lines.get(at).and_then(|line| text.get(line.clone())).is_none_or(|line| line.trim().is_empty());
    let of = |at: usize| whose.get(at).copied().flatten();
    let mut at = 0;
    while at < lines.len() {
        let begins = at;
        let (mut all, mut each, mut turns, mut last) = (Vec::new(), HashSet::new(), 0, None);
        while at < lines.len() && (of(at).is_some() || blank(at)) {
            if let Some(key) = of(at) {
                turns += usize::from(last != Some(key));
                if each.insert(key) {
                    all.push(key);
                }
                last = Some(key);
            }
            at += 1;
        }
        // Else each stands alone already.
        if turns > all.len() {
            let lines = lines.get(begins..at).unwrap_or_default();
            together(&mut reading, text, lines, (&all, &|line| of(begins + line)), known);
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
    (all, of): (&[usize], &dyn Fn(usize) -> Option<usize>),
    known: &mut HashSet<u64>,
) {
    let mut groups: HashMap<usize, Vec<&Range<usize>>> = HashMap::new();
    for (number, line) in lines.iter().enumerate() {
        if let Some(key) = of(number) {
            groups.entry(key).or_default().push(line);
        }
    }
    for lines in all.iter().filter_map(|key| groups.get(key)) {
        let said = |line: &Range<usize>| text.get(line.clone()).unwrap_or_default();
        let mut key = DefaultHasher::new();
        lines.hash(&mut key);
        if lines.iter().any(|line| opens(said(line))) && known.insert(key.finish()) {
            for line in lines {
                reading.push(said(line), (*line).clone());
            }
            reading.part();
        }
    }
}

/// Whether a line has the name of a secret of which another line may tell more: it is no word of a sentence, and has no value.
fn opens(line: &str) -> bool {
    let line = line.trim_end();
    let is_open = |end: usize| {
        let rest = line.get(end..).unwrap_or_default().trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
        let plain = |word: Option<&str>| word.is_some_and(|word| word.starts_with(|c: char| c.is_alphanumeric()));
        let mut words = rest.strip_prefix(' ').unwrap_or_default().split(' ');
        let sentence = plain(words.next()) && plain(words.next());
        let set = rest.strip_prefix('=').is_some_and(|value| plain(Some(value)));
        !sentence && !set
    };
    line.ends_with(|c: char| !c.is_alphanumeric() && !"\"'.)".contains(c)) && tells(line) || told(line).any(is_open)
}
