//! The commands that a text for a shell holds, as far as they stand in it: pipes, lists, groups, substitutions.
//!
//! It reads less than a shell does, on purpose. What it does not read, or what only a running shell would know (a program whose
//! name is a variable), it refuses, so that nothing slips through that it misunderstood.

mod expansion;
mod numbers;

use std::{iter::Peekable, str::Chars};

use numbers::Numbers;

use super::{
    counted::{has_index, may_become_one, reads_dynamic},
    particular::may_be_evaluated,
    policy::{is_turning, set_command, turns_names},
    work,
};

/// Stands in a word for what only a running shell knows.
pub(super) const UNKNOWN: char = '\0';

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
    if text.contains(UNKNOWN) {
        return Err("holds something that is known only when it runs".to_owned());
    }
    let mut reader = Reader {
        rest: text.chars().peekable(),
        found: Vec::new(),
        depth,
        counts: false,
        holds: false,
        foreign: false,
        numbers: Numbers::default(),
    };
    reader.list(None)?;
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
    numbers: Numbers,
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
const REFUSED: [&str; 6] = ["case", "function", "select", "coproc", "alias", "[["];

impl Reader<'_> {
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
        loop {
            let Some(c) = self.rest.peek().copied() else {
                self.command(&mut words);
                return match close {
                    None => Ok(()),
                    Some(_) => Err("does not end".to_owned()),
                };
            };
            let after_blank = std::mem::replace(&mut blank, matches!(c, ' ' | '\t' | '\n'));
            match c {
                '\\' if after_blank && self.begins("\\\n") => {
                    self.rest.nth(1);
                    if self.rest.peek() == Some(&'#') {
                        return Err("has a comment behind a backslash".to_owned());
                    }
                    blank = true;
                }
                ' ' | '\t' => drop(self.rest.next()),
                '#' => while self.rest.next_if(|c| *c != '\n').is_some() {},
                ')' => {
                    self.rest.next();
                    self.command(&mut words);
                    return if close == Some(')') { Ok(()) } else { Err("has a `)` too many".to_owned()) };
                }
                '\n' | ';' | '&' | '|' => {
                    self.rest.next();
                    // `&>` writes to a file.
                    if c == '&' && self.rest.next_if_eq(&'>').is_some() {
                        self.target()?;
                        continue;
                    }
                    names = false;
                    self.numbers.loop_ends();
                    self.command(&mut words);
                }
                '(' if words.is_empty() => {
                    self.rest.next();
                    self.number()?;
                    self.list(Some(')'))?;
                }
                '(' => return Err("defines a function".to_owned()),
                '<' | '>' => self.redirection(&mut words)?,
                _ => {
                    let word = self.word()?;
                    if !word.stands {
                        continue;
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
                    if is_assignment(&word.text) {
                        self.numbers.assigned(&word.text, word.sure);
                    }
                    let at_program = words.is_empty() && !names;
                    if at_program && turns_names(&word.text) {
                        return Err("sets what names of programs mean".to_owned());
                    }
                    // Read as a number, or as a name, a value is run where it holds what runs.
                    if is_assignment(&word.text) && may_be_evaluated(&word.text) {
                        return Err("sets a value that a shell may run".to_owned());
                    }
                    if let (true, Some(command)) = (at_program, set_command(&word.text)) {
                        self.found.append(&mut inner(command, self.depth)?);
                    }
                    if names && word.bare && word.text == "do" {
                        names = false;
                        continue;
                    }
                    if at_program && timed && word.text.starts_with('-') {
                        continue;
                    }
                    timed = at_program && word.bare && word.text == "time";
                    let digits = !word.text.is_empty() && word.text.bytes().all(|byte| byte.is_ascii_digit());
                    if digits && word.bare && matches!(self.rest.peek(), Some('<' | '>')) {
                        self.redirection(&mut words)?;
                    } else if at_program && word.bare && word.text == "for" {
                        (names, is_name) = (true, true);
                    } else if at_program && word.bare && REFUSED.contains(&word.text.as_str()) {
                        return Err(format!("holds `{}`, which is not looked into", word.text));
                    } else if at_program && word.bare && BEFORE.contains(&word.text.as_str())
                        || at_program && is_assignment(&word.text)
                        || at_program && word.bare && BEHIND.contains(&word.text.as_str())
                        || names
                    {
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

    fn command(&mut self, words: &mut Vec<String>) {
        if !words.is_empty() {
            self.found.push(std::mem::take(words));
        }
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
            Some('<') if first == Some('<') => return Err("holds a here-document, which is not looked into".to_owned()),
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
        self.word().map(drop)
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
                '*' | '?' | '[' | '~' => {
                    self.rest.next();
                    // A word of its own is a program, or not closed.
                    let alone = c == '[' && word.text.is_empty() && self.rest.peek().is_none_or(|c| c.is_whitespace());
                    self.foreign = true;
                    word.text.push(if alone { c } else { UNKNOWN });
                }
                '{' if !word.text.is_empty() || !self.rest.clone().nth(1).is_none_or(char::is_whitespace) => {
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
                        Some('\n') | None => {}
                        Some(c @ ('"' | '\\' | '$' | '`')) => into.push(c),
                        Some(c) => into.extend(['\\', c]),
                    }
                }
                Some('$' | '`') => self.expansion(into, true)?,
                Some(c) => {
                    self.rest.next();
                    into.push(c);
                }
                None => return Err("has a quote that is not closed".to_owned()),
            }
        }
    }
}

/// `NAME=value` before a program.
fn is_assignment(word: &str) -> bool {
    let Some((name, _)) = word.split_once('=') else { return false };
    let name = name.strip_suffix('+').unwrap_or(name);
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match commands(text) {
            Ok(commands) => {
                let show = |words: &Vec<String>| words.join(" ").replace(UNKNOWN, "?");
                commands.iter().map(show).collect::<Vec<_>>().join(" / ")
            }
            Err(why) => format!("it {why}"),
        }
    }

    #[test]
    fn commands_are_found_wherever_they_stand() {
        for (text, found) in [
            ("ls -la", "ls -la"),
            ("a | b && c || d; e & f\ng", "a / b / c / d / e / f / g"),
            ("A=1 B='x y' prog 'two words' \"and more\"", "prog two words and more"),
            ("r\\m 'r'\"m\" x", "rm rm x"),
            ("echo $(rm -rf x) `sudo y`", "rm -rf x / sudo y / echo ? ?"),
            ("echo \"in $(rm a) quotes\" 'not $(rm b)'", "rm a / echo in ? quotes not $(rm b)"),
            ("$X y", "? y"),
            ("cat$IFS/etc/passwd", "cat?/etc/passwd"),
            ("(a; b) > out 2>&1 < in", "a / b"),
            ("if a; then b; else c; fi", "a / b / c"),
            ("for x in rm ls; do $x; done", "?"),
            ("while read x; do y; done", "read x / y"),
            ("diff <(a) <(b)", "a / b / diff ? ?"),
            ("echo a # rm b\nc", "echo a / c"),
            ("/bin/r?m x", "/bin/r?m x"),
            ("{ a; b; }", "a / b"),
            ("{rm,-rf,x}", "?rm,-rf,x}"),
            ("! a", "a"),
            ("exec -c a", "exec -c a"),
            ("time -p a", "a"),
            ("for x do a; done", "a"),
            ("GIT_EDITOR='a b' c", "a b / c"),
            ("echo ${x:-$(rm a)}", "rm a / echo ?"),
            ("echo 5>out", "echo"),
            ("a >out|b", "a / b"),
            ("[ -f x ] && a", "[ -f x ] / a"),
            ("echo $'a b'", "echo ?a b"),
            ("\\\n a \\\n b", "a b"),
            ("a\r#b; c", "a\r#b / c"),
            ("n=0; n=$((n + 1)); grep 'x$' f", "n + 1 / grep x$ f"),
            ("echo `echo \\' ; rm a #'`", "echo ' / rm a / echo ?"),
        ] {
            assert_eq!(read(text), found, "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in [
            "cat <<EOF\n$(rm x)\nEOF",
            "f() { rm x; }",
            "case x in x) rm y;; esac",
            "alias ls=rm",
            "echo 'open",
            "echo $(open",
            "a )",
            "coproc rm",
            "PATH=. git status",
            "PS4='$(rm x)'; set -x",
            "x='a[$(rm x)]'; echo $((x))",
            "y='`rm x`'; echo ${y@P}",
            "echo ${y@P}",
            "\0",
            "echo $'\\'' ; rm victim #'",
            "echo $'\\x72m'",
            "echo \"${x:-'$(rm victim)'}\"",
            "echo \"${x:-'}\" ; rm victim #'}\"",
            "echo \"${x:-\"}\"; rm victim #\"}\"",
            "echo \"`echo \\\"`\"",
            "for PS4 in x; do a; done",
            ": ${PS4:='$(rm victim)'}",
            "x=PS4; : ${!x:=y}",
            "x='b[$' y='(rm victim)]'; z=$x$y; echo $((z))",
            "x='b[$' y='(rm victim)]'; z=$x$y; ((z))",
            "x='b[$' y='(rm victim)]'; z=$x$y; echo $[z]",
            "x='b[$' y='(rm victim)]'; z=$x$y; echo ${x:z}",
            "x='b[$' y='(rm victim)]'; z=$x$y; let z",
            "x='b[$' y='(rm victim)]'; z=$x$y; [ -v \"$z\" ]",
            "x='b[$' y='(rm victim)]'; declare -i z=$x$y",
        ] {
            assert!(read(text).starts_with("it "), "{text}: {}", read(text));
        }
        assert!(commands(&"$(".repeat(100)).is_err());
    }
}
