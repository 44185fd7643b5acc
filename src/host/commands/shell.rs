//! The commands that a text for a shell holds, as far as they stand in it: pipes, lists, groups, substitutions.
//!
//! It reads less than a shell does, on purpose. What it does not read, or what only a running shell would know (a program whose
//! name is a variable), it refuses, so that nothing slips through that it misunderstood.

mod cases;
mod documents;
mod expansion;
mod numbers;
#[cfg(test)]
mod tests;

use std::{iter::Peekable, str::Chars};

use cases::Test;
use documents::Document;
pub(super) use numbers::{Numbers, in_text};

use super::{
    counted::{self, has_index, may_become_one, reads_dynamic},
    particular::may_be_evaluated,
    policy::{is_turning, set_command, turns_names},
    work,
};

/// Stands in a word for what only a running shell knows.
pub(super) const UNKNOWN: char = '\0';

/// Stand behind it where it stays in its word: in quotes it is no word more, and names of files are one or more, each whole.
pub(super) const QUOTED: char = '\u{1}';
pub(super) const NAMES: char = '\u{2}';

/// A word for people.
pub(super) fn shown(word: &str) -> String {
    word.replace(UNKNOWN, "…").replace([QUOTED, NAMES], "")
}

/// Deepest nesting of whatever stands in something else: lists, expansions, texts in values.
const DEEPEST: usize = 40;

/// The words of each command of a text.
///
/// # Errors
/// What cannot be judged, as the end of a sentence that begins with "it".
pub(super) fn commands(text: &str) -> Result<Vec<Vec<String>>, String> {
    inner(text, 0)
}

/// The same of a text that stands so deep in others.
fn inner(text: &str, depth: usize) -> Result<Vec<Vec<String>>, String> {
    work::take(text.len())?;
    if text.contains([UNKNOWN, QUOTED, NAMES]) {
        return Err("holds something that is known only when it runs".to_owned());
    }
    let mut reader = Reader { depth, ..Reader::of(text) };
    reader.list(None)?;
    for words in &reader.found {
        counted::judge_words(words, &mut reader.numbers)?;
    }
    let counts = reader.counts || reader.found.iter().any(|words| reads_dynamic(words));
    if counts && reader.holds && has_index(text) {
        return Err("counts with values that a shell may run".to_owned());
    }
    reader.numbers.judge(&reader.found)?;
    Ok(reader.found)
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    found: Vec<Vec<String>>,
    depth: usize,
    /// Something is read as a number, or as the name of a variable, whose value may be run for that.
    counts: bool,
    /// There are words that may become such a value.
    holds: bool,
    /// Of the word that is read something comes from elsewhere, and is no number.
    foreign: bool,
    /// What was put in the place of a sign may be several words, in quotes as well.
    many: bool,
    /// `IFS` is set for the next program.
    parts: bool,
    numbers: Numbers,
    /// Here-documents whose texts are still to come.
    documents: Vec<Document>,
}

/// A word as it was read.
#[derive(Default)]
struct Word {
    text: String,
    /// Nothing of it stands in quotes.
    bare: bool,
    /// There is one.
    stands: bool,
    /// All of it stands there, or is a number.
    sure: bool,
}

/// Words that begin a part of a compound command, behind which a command stands.
const BEFORE: [&str; 10] = ["if", "then", "elif", "else", "while", "until", "do", "!", "{", "time"];
/// Words that end one.
const BEHIND: [&str; 4] = ["fi", "done", "}", "esac"];
/// Words behind which nothing is understood here.
const REFUSED: [&str; 5] = ["case", "function", "select", "coproc", "alias"];

impl<'a> Reader<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            rest: text.chars().peekable(),
            found: Vec::new(),
            depth: 0,
            counts: false,
            holds: false,
            foreign: false,
            many: false,
            parts: false,
            numbers: Numbers::default(),
            documents: Vec::new(),
        }
    }

    /// Takes what was found by the reader of a part.
    fn join(&mut self, mut part: Reader<'_>) {
        self.numbers = part.numbers;
        self.found.append(&mut part.found);
        self.counts |= part.counts;
        self.holds |= part.holds;
    }

    /// Reads commands up to the end, or to what closes them.
    fn list(&mut self, close: Option<char>) -> Result<(), String> {
        self.deeper(|reader| reader.listed(close))
    }

    /// Reads what stands in something else. There is one bound for all of it, in whatever it stands.
    fn deeper(&mut self, read: impl FnOnce(&mut Self) -> Result<(), String>) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("is nested too deeply".to_owned());
        }
        let done = read(self);
        self.depth -= 1;
        done
    }

    fn listed(&mut self, close: Option<char>) -> Result<(), String> {
        let mut words: Vec<String> = Vec::new();
        // The rest of a `for` up to its end is no command.
        let mut names = false;
        // The word behind `for` is a variable.
        let mut is_name = false;
        // Options of `time` are no program.
        let mut timed = false;
        // A blank stands before, so that a line may go on behind a backslash.
        let mut blank = close.is_none();
        let mut test: Option<Test> = None;
        // `]]` has come, or an assignment or a redirection has begun a command.
        let (mut tested, mut begun) = (false, false);
        // `case` that are open, and whether a pattern comes.
        let (mut cases, mut pattern) = (0_usize, false);
        loop {
            if std::mem::take(&mut pattern) && self.pattern()? {
                cases -= 1;
            }
            let next = self.rest.peek().copied().filter(|c| *c != ')' || test.is_some());
            let Some(c) = next else {
                self.command(&mut words)?;
                self.no_document()?;
                if test.is_some() || cases > 0 {
                    return Err("has a `[[` or a `case` that does not end".to_owned());
                }
                return match (close, self.rest.next()) {
                    (None, None) | (Some(_), Some(_)) => Ok(()),
                    (Some(_), None) => Err("does not end".to_owned()),
                    (None, Some(_)) => Err("has a `)` too many".to_owned()),
                };
            };
            let after_blank = std::mem::replace(&mut blank, matches!(c, ' ' | '\t' | '\n'));
            match c {
                '\\' if after_blank && self.begins("\\\n") => {
                    self.no_line_ends()?;
                    self.rest.nth(1);
                    if self.rest.peek() == Some(&'#') {
                        return Err("has a comment behind a backslash".to_owned());
                    }
                    blank = true;
                }
                ' ' | '\t' => drop(self.rest.next()),
                '#' if test.is_some() => return Err("has a comment in `[[ … ]]`".to_owned()),
                '#' => while self.rest.next_if(|c| *c != '\n').is_some() {},
                ')' | '(' if test.is_some() => {
                    self.rest.next();
                    if c == ')' {
                        test.as_ref().map_or(Ok(()), |test| test.part(&words))?;
                        self.command(&mut words)?;
                    }
                    test.as_mut().map_or(Ok(()), |test| test.group(c))?;
                }
                ';' | '&' if test.is_some() && !self.begins("&&") => {
                    return Err("has a `[[` that does not end".to_owned());
                }
                '\n' | ';' | '&' | '|' => {
                    self.rest.next();
                    if test.is_some() && c == '&' {
                        self.rest.next();
                    }
                    // `&>` writes to a file.
                    if c == '&' && self.rest.next_if_eq(&'>').is_some() {
                        self.target()?;
                        begun |= words.is_empty();
                        continue;
                    }
                    (names, tested, begun) = (false, false, false);
                    self.numbers.loop_ends();
                    test.as_ref().map_or(Ok(()), |test| test.part(&words))?;
                    self.command(&mut words)?;
                    if c == '\n' {
                        self.documents()?;
                    }
                    if c == ';' && cases > 0 && self.rest.next_if(|c| matches!(c, ';' | '&')).is_some() {
                        self.rest.next_if_eq(&'&');
                        pattern = true;
                    }
                }
                '(' if words.is_empty() => {
                    self.rest.next();
                    self.number()?;
                    self.list(Some(')'))?;
                }
                '(' => return Err("defines a function".to_owned()),
                '<' | '>' => {
                    begun |= words.is_empty();
                    self.redirection(&mut words)?;
                }
                _ if words.is_empty() && !names && test.is_none() && self.begins_test() => {
                    cases::judge_own("[[", false, begun)?;
                    self.rest.nth(1);
                    words.push("[[".to_owned());
                    test = Some(Test::default());
                }
                _ => {
                    let seen = self.numbers.so_far();
                    let word = self.word()?;
                    if !word.stands {
                        continue;
                    }
                    if let Some(open) = test.as_mut()
                        && self.tested(open, &word, seen)?
                    {
                        open.part(&words)?;
                        (test, tested) = (None, true);
                        words.push(word.text);
                        continue;
                    }
                    if tested && !self.is_descriptor(&word) {
                        cases::judge_behind_test(&word)?;
                        self.command(&mut words)?;
                        tested = false;
                    }
                    self.holds |= may_become_one(&word.text);
                    let number = word.sure && numbers::is_one(&word.text);
                    if std::mem::take(&mut is_name) {
                        if is_turning(&word.text) {
                            return Err("sets what names of programs mean".to_owned());
                        }
                        self.numbers.loops(&word.text);
                    } else if names {
                        self.numbers.loop_over(&word.text, number);
                    }
                    // `{name}>file` sets a variable, `!(…)` is a pattern.
                    let then = self.rest.peek().copied();
                    if word.text.ends_with('}') && matches!(then, Some('<' | '>'))
                        || word.text == "!" && then == Some('(')
                    {
                        return Err("has signs behind a word that shells read in different ways".to_owned());
                    }
                    if !counted::is_let(&words) {
                        self.numbers.assigned(&word.text, word.sure, self.rest.clone());
                    }
                    let at_program = words.is_empty() && !names;
                    // A word of the shell's own is one where a command begins.
                    let own = at_program && word.bare && !(begun && word.text == "time");
                    if own && is_own(&word.text) {
                        cases::judge_own(&word.text, test.is_some(), begun)?;
                    }
                    // What parts words is set for what a shell reads itself, and for nothing else.
                    self.parts &= !at_program || word.text != "read";
                    let parts = at_program && word.text.starts_with("IFS=");
                    self.parts |= parts;
                    if at_program && !parts && (self.parts || turns_names(&word.text)) {
                        return Err("sets what names of programs mean".to_owned());
                    }
                    // Read as a number, or as a name, a value is run where it holds what runs.
                    if is_assignment(&word.text) && may_be_evaluated(&word.text) {
                        return Err("sets a value that a shell may run".to_owned());
                    }
                    if let (true, Some(command)) = (at_program, set_command(&word.text)) {
                        self.found.append(&mut inner(command, self.depth)?);
                    }
                    if names && word.bare && ["do", "{"].contains(&word.text.as_str()) {
                        names = false;
                        continue;
                    }
                    if at_program && timed && word.text.starts_with('-') {
                        continue;
                    }
                    timed = own && word.text == "time";
                    if self.is_descriptor(&word) {
                        begun |= words.is_empty();
                        self.redirection(&mut words)?;
                    } else if own && word.text == "for" {
                        (names, is_name) = (true, true);
                    } else if own && word.text == "case" && close.is_none() && test.is_none() {
                        self.case()?;
                        (cases, pattern) = (cases + 1, true);
                    } else if own && REFUSED.contains(&word.text.as_str()) {
                        return Err(format!("holds `{}`, which is not looked into", word.text));
                    } else if own && is_own(&word.text) || at_program && is_assignment(&word.text) || names {
                        if own && word.text == "esac" {
                            cases = cases.checked_sub(1).ok_or_else(|| "has an `esac` too many".to_owned())?;
                        }
                        begun |= at_program && is_assignment(&word.text);
                        // What stands behind it is what counts.
                    } else {
                        words.push(word.text);
                    }
                }
            }
        }
    }

    /// Whether these signs come next.
    fn begins(&self, signs: &str) -> bool {
        let mut rest = self.rest.clone();
        signs.chars().all(|sign| rest.next() == Some(sign))
    }

    fn command(&mut self, words: &mut Vec<String>) -> Result<(), String> {
        if std::mem::take(&mut self.parts) {
            return Err("sets what names of programs mean".to_owned());
        }
        if !words.is_empty() {
            self.found.push(std::mem::take(words));
        }
        Ok(())
    }

    /// `>`, `>>`, `<`, `<&1`, `<(…)`.
    fn redirection(&mut self, words: &mut Vec<String>) -> Result<(), String> {
        let first = self.rest.next();
        match self.rest.peek() {
            Some('(') => {
                self.rest.next();
                self.list(Some(')'))?;
                words.push(UNKNOWN.to_string());
                // The word goes on, and what seems to be a comment is none.
                return match self.rest.peek() {
                    None | Some(' ' | '\t' | '\n' | ';' | '&' | '|' | ')' | '<' | '>') => Ok(()),
                    Some(_) => Err("has a word that goes on behind `<(…)`".to_owned()),
                };
            }
            Some('<') if first == Some('<') => {
                self.rest.next();
                return self.document();
            }
            Some('<' | '>' | '&' | '|') => drop(self.rest.next()),
            _ => {}
        }
        self.target()
    }

    /// The word behind a redirection.
    fn target(&mut self) -> Result<(), String> {
        while self.rest.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        if self.rest.peek() == Some(&'&') {
            self.rest.next();
        }
        let word = self.word()?;
        // What stands behind `<<<` is read.
        self.holds |= may_become_one(&word.text);
        Ok(())
    }

    fn word(&mut self) -> Result<Word, String> {
        let mut word = Word { text: String::new(), bare: true, stands: false, sure: true };
        let before = std::mem::take(&mut self.foreign);
        while let Some(c) = self.rest.peek().copied() {
            match c {
                ' ' | '\t' | '\n' | ';' | '&' | '|' | '(' | ')' | '<' | '>' => break,
                '\\' => {
                    self.rest.next();
                    match self.rest.next() {
                        // Where it parts a sign of the shell's own, what is read is not what is run.
                        Some('\n') => return Err("goes on behind a backslash in the middle of a word".to_owned()),
                        None => continue,
                        Some(c) => word.text.push(c),
                    }
                    word.bare = false;
                }
                '\'' => {
                    self.rest.next();
                    word.bare = false;
                    self.quoted(&mut word.text)?;
                }
                '"' => {
                    self.rest.next();
                    word.bare = false;
                    self.double(&mut word.text)?;
                }
                '$' | '`' => self.expansion(&mut word.text, false)?,
                // Names of files, and several words of one.
                '~' if word.text == "=" || !word.text.is_empty() && !word.text.ends_with(['=', ':']) => {
                    self.rest.next();
                    word.text.push(c);
                }
                '*' | '?' | '[' | '~' => {
                    self.rest.next();
                    // A word of its own is a program, or not closed.
                    let alone = c == '[' && word.text.is_empty() && self.rest.peek().is_none_or(is_blank);
                    self.foreign = true;
                    match alone {
                        true => word.text.push(c),
                        false => word.text.extend([UNKNOWN, NAMES]),
                    }
                }
                '{' if !word.text.is_empty() || !self.rest.clone().nth(1).is_none_or(|c| is_blank(&c)) => {
                    self.rest.next();
                    word.text.push(UNKNOWN);
                }
                _ => {
                    self.rest.next();
                    word.text.push(c);
                }
            }
            word.stands = true;
        }
        word.sure = !std::mem::replace(&mut self.foreign, before);
        Ok(word)
    }

    fn quoted(&mut self, into: &mut String) -> Result<(), String> {
        loop {
            match self.rest.next() {
                Some('\'') => return Ok(()),
                Some('\n') if !self.documents.is_empty() => return self.no_line_ends(),
                Some(c) => into.push(c),
                None => return Err("has a quote that is not closed".to_owned()),
            }
        }
    }

    fn double(&mut self, into: &mut String) -> Result<(), String> {
        loop {
            match self.rest.peek().copied() {
                Some('"') => {
                    self.rest.next();
                    return Ok(());
                }
                Some('\\') => {
                    self.rest.next();
                    match self.rest.next() {
                        Some('\n') => self.no_line_ends()?,
                        None => {}
                        Some(c @ ('"' | '\\' | '$' | '`')) => into.push(c),
                        Some(c) => into.extend(['\\', c]),
                    }
                }
                Some('$' | '`') => self.expansion(into, true)?,
                Some(c) => {
                    if c == '\n' {
                        self.no_line_ends()?;
                    }
                    self.rest.next();
                    into.push(c);
                }
                None => return Err("has a quote that is not closed".to_owned()),
            }
        }
    }
}

/// Whether a word is one of the shell's own, where a command begins.
fn is_own(word: &str) -> bool {
    BEFORE.iter().chain(&BEHIND).chain(&REFUSED).any(|own| *own == word) || word == "for"
}

/// What parts words for a shell; no other sign does, whatever it is elsewhere.
fn is_blank(c: &char) -> bool {
    matches!(c, ' ' | '\t' | '\n')
}

/// `NAME=value` before a program.
fn is_assignment(word: &str) -> bool {
    let Some((name, _)) = word.split_once('=') else { return false };
    let name = name.strip_suffix('+').unwrap_or(name);
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
