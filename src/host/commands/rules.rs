//! The rules of an operator: a program, and words of its arguments, as patterns.

use std::sync::OnceLock;

use globset::{Glob, GlobMatcher};

use super::{
    CommandError,
    policy::refused,
    shell::{NAMES, QUOTED, UNKNOWN},
};

/// A program, and words of its arguments.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) written: String,
    words: Vec<Word>,
}

/// A word of a rule, compiled when the first command is judged.
#[derive(Debug)]
struct Word {
    glob: Glob,
    matcher: OnceLock<GlobMatcher>,
}

impl Word {
    fn is_match(&self, word: &str) -> bool {
        self.matcher.get_or_init(|| self.glob.compile_matcher()).is_match(word)
    }
}

impl Rule {
    pub(super) fn read(written: &str) -> Result<Self, String> {
        let words =
            written.split_whitespace().map(|word| Glob::new(word).map(|glob| Word { glob, matcher: OnceLock::new() }));
        let words: Vec<_> =
            words.collect::<Result<_, _>>().map_err(|error| format!("the rule `{written}`: {error}"))?;
        match words.is_empty() {
            true => Err("a rule of `commands` is empty".to_owned()),
            false => Ok(Self { written: written.to_owned(), words }),
        }
    }

    /// The program, and its first arguments in this order: `git status` does not allow `git -c … status`.
    pub(super) fn allows(&self, names: &[String], arguments: &[String]) -> bool {
        let Some((program, words)) = self.words.split_first() else { return false };
        names.first().is_some_and(|name| program.is_match(name))
            && words.len() <= arguments.len()
            && words
                .iter()
                .zip(arguments)
                .all(|(word, argument)| !argument.contains(UNKNOWN) && word.is_match(argument))
    }

    /// The program, and each word somewhere among its arguments. What is known only when it runs may be any of them that it fits.
    pub(super) fn denies(&self, names: &[String], arguments: &[String]) -> Option<Denies> {
        let (program, words) = self.words.split_first()?;
        if !names.iter().any(|name| program.is_match(name)) {
            return None;
        }
        let is_git = names.iter().any(|name| name == "git");
        let is_there = |word: &Word| arguments.iter().any(|one| word.is_match(one));
        let may_be = |word: &Word| {
            let fits = |at: usize, one: &str| {
                one.contains(UNKNOWN) && !(is_git && is_message(arguments, at)) && may_be(one, word.glob.glob())
            };
            arguments.iter().enumerate().any(|(at, one)| fits(at, one))
        };
        match words.iter().all(|word| is_there(word) || may_be(word)) {
            true if words.iter().all(is_there) => Some(Denies::Surely),
            true => Some(Denies::Perhaps),
            false => None,
        }
    }
}

/// How a rule is against a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denies {
    Surely,
    /// If a word is what the rule names, which only a running shell knows.
    Perhaps,
}

/// Whether a word of which a part is known only when it runs may be the word of a rule.
fn may_be(one: &str, rule: &str) -> bool {
    let parts: Vec<&str> = one.split(UNKNOWN).collect();
    // What does not stay in its word may be several, each of them any.
    let stays = parts.iter().skip(1).all(|part| part.starts_with([QUOTED, NAMES]));
    if !stays || rule.contains(['*', '?', '[', '{', '\\']) {
        return true;
    }
    let known = |part: Option<&&str>| part.map_or("", |part| part.trim_start_matches([QUOTED, NAMES])).to_owned();
    let (first, last) = (known(parts.first()), known(parts.last()));
    rule.len() >= first.len() + last.len() && rule.starts_with(&first) && rule.ends_with(&last)
}

/// Whether a word in quotes is the message of `git commit -m "$(date)"` or a similar one, whatever it says.
fn is_message(arguments: &[String], at: usize) -> bool {
    let is_whole = arguments.get(at).is_some_and(|one| one.split(UNKNOWN).skip(1).all(|part| part.starts_with(QUOTED)));
    let option = at.checked_sub(1).and_then(|before| arguments.get(before)).map_or("", String::as_str);
    let letters = option.strip_prefix('-').unwrap_or_default();
    // Before the word that says what git does, a word may be that one.
    let Some(does) = of_git(arguments).filter(|does| at > does + 1) else { return false };
    let does = arguments.get(does).map_or("", String::as_str);
    let has_one = ["commit", "tag", "merge", "notes", "stash"].contains(&does);
    let ends = has_one && letters.ends_with('m') && letters.chars().all(|c| c.is_ascii_alphabetic());
    is_whole
        && !does.contains(UNKNOWN)
        && (ends || ["--message", "--author", "--date", "--grep", "--since", "--until"].contains(&option))
}

/// Where the word stands that says what git does. None: before it is an option that is not known here.
fn of_git(arguments: &[String]) -> Option<usize> {
    const TAKE: [&str; 7] = ["-C", "-c", "--git-dir", "--work-tree", "--namespace", "--config-env", "--attr-source"];
    const ALONE: [&str; 5] = ["-p", "-P", "--paginate", "--no-pager", "--no-optional-locks"];
    let mut at = 0;
    loop {
        let word = arguments.get(at)?.as_str();
        at += match word {
            _ if word.contains(UNKNOWN) => return None,
            _ if !word.starts_with('-') => return Some(at),
            _ if TAKE.contains(&word) => 2,
            _ if ALONE.contains(&word) || word.starts_with("--") && word.contains('=') => 1,
            _ => return None,
        };
    }
}

/// Why a rule is against a program.
pub(super) fn denied(program: &str, rule: &str, denies: Denies) -> CommandError {
    match denies {
        Denies::Surely => refused(
            &format!("`{program}` is not run here: the rule `{rule}` denies it"),
            "the operator decides that with `commands.deny`",
        ),
        Denies::Perhaps => refused(
            &format!(
                "`{program}` is not run here: the rule `{rule}` may be against it, for a word of it is known only when it runs"
            ),
            "write that word plainly, or in quotes with something else of it before or behind; the operator decides the rule with \
             `commands.deny`",
        ),
    }
}
