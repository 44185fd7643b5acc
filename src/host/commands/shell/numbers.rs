//! What a text for a shell counts with. A shell that counts with a variable runs what stands between `$(` and `)` in its value, so that only
//! values are let in that the text itself sets, and to numbers.

use std::collections::{BTreeSet, HashMap};

use super::{super::wrappers::SHELLS, NAMES, QUOTED, UNKNOWN, is_assignment, work};

/// Variables that a shell sets to numbers itself.
const OF_A_SHELL: [&str; 12] = [
    "RANDOM",
    "SRANDOM",
    "SECONDS",
    "LINENO",
    "UID",
    "EUID",
    "PPID",
    "BASHPID",
    "EPOCHSECONDS",
    "OPTIND",
    "HISTCMD",
    "BASH_SUBSHELL",
];

/// Those of them that nobody sets in a shell which has them.
const FIXED: [&str; 3] = ["UID", "EUID", "PPID"];

/// What a shell does itself by which variables come to values that nobody knows yet, where their names stand in its words.
const SETS: [&str; 12] = [
    "read",
    "mapfile",
    "readarray",
    "getopts",
    "printf",
    "eval",
    "trap",
    "wait",
    "command",
    "builtin",
    "coproc",
    "vared",
];

/// By what a text for another shell counts.
const COUNTS: [&str; 14] = [
    "((", "$[", "let ", " -v ", "declare", "typeset", "local", "integer", " -eq ", " -ne ", " -lt ", " -le ", " -gt ",
    " -ge ",
];

/// The variables of a text, as far as numbers are made of them.
#[derive(Default)]
pub(in super::super) struct Numbers {
    /// Those that are counted with.
    counted: BTreeSet<String>,
    /// Those that are numbers from where they are declared, and have the value there that they had: of an environment, say.
    open: BTreeSet<String>,
    /// Those to which something is added.
    added: BTreeSet<String>,
    /// Those that are set, and whether that is to numbers alone.
    set: HashMap<String, bool>,
    /// The variable of a loop whose values are still to come, and whether they are said.
    looping: Option<(String, bool)>,
    /// Those that stand somewhere, in this order; an empty one is what a program says.
    seen: Vec<String>,
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether a value is a number, or a row of them in braces. What is counted stands in it as what is not known yet.
pub(super) fn is_one(value: &str) -> bool {
    !value.is_empty() && value.chars().all(|c| c.is_ascii_digit() || c == UNKNOWN || c == QUOTED || "-.,}".contains(c))
}

/// Whether what a shell does itself sets a variable by its name.
fn is_set(found: &[Vec<String>], name: &str) -> bool {
    let names = |word: &str| word == name || word.starts_with('-') && word.ends_with(name);
    let sets = |words: &&Vec<String>| words.first().is_some_and(|program| SETS.contains(&program.as_str()));
    found.iter().filter(sets).flatten().any(|word| word.split(|c: char| !is_of_name(c) && c != '-').any(names))
}

/// Whether what stands behind the name of a variable is a place in its text.
pub(in super::super) fn in_text(rest: &str) -> bool {
    rest.strip_prefix(':').is_some_and(|to| !to.starts_with(['-', '=', '?', '+']))
}

impl Numbers {
    /// A word that may set a variable or a place in an array. What comes behind it is a list of values, if it begins as one.
    pub(super) fn assigned(&mut self, word: &str, sure: bool, mut rest: impl Iterator<Item = char>) {
        let Some((name, value)) = word.split_once('=') else { return };
        if !is_assignment(word) {
            let end = name.find(|c| !is_of_name(c)).unwrap_or(name.len());
            let (name, place) = name.split_at_checked(end).unwrap_or_default();
            if place.starts_with(['[', UNKNOWN, NAMES]) && value.contains(|c: char| !c.is_ascii_digit()) {
                self.set(name, false);
            }
            return;
        }
        let of_list = |c: char| c.is_ascii_digit() || c.is_ascii_whitespace() || c == '-';
        let is_list = value.is_empty() && rest.next() == Some('(');
        let is_plain = !is_list || rest.take_while(|c| *c != ')').all(of_list);
        let (name, adds) = name.strip_suffix('+').map_or((name, false), |name| (name, true));
        if adds {
            self.added.insert(name.to_owned());
        }
        // What it is counted from before it is set has a value from elsewhere.
        let is_first = !value.contains(UNKNOWN) || self.set.contains_key(name) || !self.counted.contains(name);
        self.set(name, sure && is_plain && is_first && (value.is_empty() || is_one(value)));
    }

    fn set(&mut self, name: &str, is_number: bool) {
        *self.set.entry(name.to_owned()).or_insert(true) &= is_number;
    }

    pub(super) fn loops(&mut self, name: &str) {
        self.looping = Some((name.to_owned(), false));
    }

    /// One of the words behind the name of a loop. Without an `in` it is over what the shell was given.
    pub(super) fn loop_over(&mut self, word: &str, is_number: bool) {
        if let Some((name, said)) = self.looping.take() {
            let begins = !said && word == "in";
            self.set(&name, begins || said && is_number);
            self.looping = Some((name, said || begins));
        }
    }

    pub(super) fn loop_ends(&mut self) {
        if let Some((name, false)) = self.looping.take() {
            self.set(&name, false);
        }
    }

    pub(super) fn seen(&mut self, name: &str) {
        self.seen.push(name.to_owned());
    }

    pub(super) fn so_far(&self) -> usize {
        self.seen.len()
    }

    /// The variables that were seen since there were so many.
    pub(super) fn since(&self, seen: usize) -> Vec<String> {
        self.seen.iter().skip(seen).cloned().collect()
    }

    /// A word of `let`, whose variable is a number then.
    ///
    /// # Errors
    /// It holds what is no part of a number, as the end of a sentence that begins with "it".
    pub(in super::super) fn of_let(&mut self, word: &str) -> Result<(), String> {
        let name = word.split(|c: char| !is_of_name(c)).next().unwrap_or_default();
        let value = word
            .get(name.len()..)
            .and_then(|rest| rest.trim_start().strip_prefix('='))
            .filter(|value| !value.starts_with('='));
        if value.is_some() {
            self.set(name, true);
        }
        self.counted(value.unwrap_or(word))
    }

    /// A variable whose values are read as numbers whenever it is set, and whether it is given one there.
    pub(in super::super) fn declared(&mut self, name: &str, is_given: bool) {
        self.counted.insert(name.to_owned());
        if !is_given {
            self.open.insert(name.to_owned());
        }
    }

    /// What is compared as a number, and the variables in it.
    pub(super) fn compared(&mut self, text: &str, seen: Vec<String>) {
        let words = text.split(|c: char| !is_of_name(c)).filter(|word| !word.is_empty());
        self.counted.extend(words.filter(|word| !word.starts_with(|c: char| c.is_ascii_digit())).map(str::to_owned));
        self.counted.extend(seen);
    }

    /// What is counted as a whole.
    ///
    /// # Errors
    /// It holds what is no part of a number, as the end of a sentence that begins with "it".
    pub(super) fn counted(&mut self, text: &str) -> Result<(), String> {
        let is_known = |c: char| is_of_name(c) || c.is_whitespace() || "$+-*/%()?:;=!<>&|^~,{}[]".contains(c);
        let given = ["$(", "$[", "$@", "$*"].iter().any(|of| text.contains(of));
        if given || !text.chars().all(is_known) {
            return Err("counts with what is no number yet".to_owned());
        }
        let words = text.split(|c: char| !is_of_name(c)).filter(|word| !word.is_empty());
        self.counted.extend(words.filter(|word| !word.starts_with(|c: char| c.is_ascii_digit())).map(str::to_owned));
        // Numbers are no names, but for those of what the shell was given.
        let mut pieces = text.split('$').skip(1);
        match pieces.any(|piece| piece.trim_start_matches('{').starts_with(|c: char| c.is_ascii_digit())) {
            true => Err("counts with what is no number yet".to_owned()),
            false => Ok(()),
        }
    }

    /// What stands in `${…}`, what was seen since that began, and whether all of it stands there or is a number.
    ///
    /// # Errors
    /// It names another variable, as the end of a sentence that begins with "it".
    pub(super) fn variable(&mut self, inner: &str, begins: usize, counts: bool, sure: bool) -> Result<(), String> {
        if let Some(name) = inner.strip_prefix('!') {
            let rest = name.trim_start_matches(is_of_name);
            let lists = ["[@]", "[*]", "@", "*"].contains(&rest);
            return if lists { Ok(()) } else { Err("reads a variable whose name is a value".to_owned()) };
        }
        let name: String = inner.chars().take_while(|c| is_of_name(*c)).collect();
        if counts {
            let rest = inner.get(name.len()..).unwrap_or_default();
            // A place in an array, and behind it one in the text.
            let (place, behind) = rest.split_once(']').unwrap_or((rest, ""));
            let behind = if in_text(behind) { behind } else { "" };
            let seen = self.seen.iter().skip(begins).cloned().collect();
            self.compared(&format!("{place} {behind}"), seen);
        }
        // How long something is is a number.
        if inner.trim_start_matches('#') == inner {
            self.seen(&name);
        }
        // A value that it is given there.
        if let Some((_, value)) = inner.get(name.len()..).and_then(|rest| rest.split_once('=')) {
            self.set(&name, sure && is_one(value));
        }
        Ok(())
    }

    /// # Errors
    /// Something is counted with that the text does not set to numbers alone, as the end of a sentence that begins with "it".
    pub(super) fn judge(&self, found: &[Vec<String>]) -> Result<(), String> {
        let is_changed = |name: &str| {
            found.iter().any(|words| match words.split_first() {
                Some((program, _)) if [".", "source"].contains(&program.as_str()) => true,
                Some((program, arguments)) if SETS.contains(&program.as_str()) => {
                    let of_printf = program != "printf" || arguments.iter().any(|word| word.starts_with("-v"));
                    of_printf && arguments.iter().any(|word| word.contains([UNKNOWN]) || word.contains(name))
                }
                _ => false,
            })
        };
        let is_known = |name: &str| match self.set.get(name) {
            Some(to_numbers) => *to_numbers && !is_changed(name),
            None => OF_A_SHELL.contains(&name) && !is_changed(name),
        };
        // A shell counts with what it is given for one of its own numbers as well.
        let is_given = |name: &str| self.set.get(name) == Some(&false) || is_set(found, name);
        if let Some(name) = OF_A_SHELL.iter().find(|name| !FIXED.contains(name) && is_given(name)) {
            return Err(format!("sets `{name}`, which a shell counts with, and not to a number"));
        }
        if let Some(name) = self.open.intersection(&self.added).next() {
            return Err(format!("adds to `{name}`, which is a number that it does not set where it declares it"));
        }
        let length: usize = found.iter().flatten().map(|word| 1 + word.len() / 16).sum();
        for _ in &self.counted {
            work::take(length)?;
        }
        let is_shell = |word: &String| SHELLS.contains(&word.rsplit('/').next().unwrap_or_default());
        let counts = |word: &&String| COUNTS.iter().any(|of| word.contains(of));
        for text in found.iter().filter(|words| words.iter().any(is_shell)).flatten().filter(counts) {
            for name in text.split(|c: char| !is_of_name(c)).filter(|name| !name.is_empty()) {
                work::take(length)?;
                if is_given(name) {
                    return Err(format!("has a shell count, which may have `{name}` from here, that is no number"));
                }
            }
        }
        match self.counted.iter().all(|name| is_known(name)) {
            true => Ok(()),
            false => {
                Err("counts with a value that a shell may run, for the text does not set it to a number".to_owned())
            }
        }
    }
}
