//! `case … esac` and `[[ … ]]`: what stands between their words is read as commands, as a shell would that does not know them.

use super::{BEFORE, BEHIND, Reader, UNKNOWN, Word, is_blank};

/// Between which a shell counts.
const COUNTS: [&str; 6] = ["-eq", "-ne", "-lt", "-le", "-gt", "-ge"];

/// What is known of a `[[` that has begun.
#[derive(Default)]
pub(super) struct Test {
    /// Groups that are open in it.
    open: usize,
    /// The word before, and the variables in it.
    last: Option<(String, Vec<String>)>,
    /// What the word before makes of the next one: a number, or the name of a variable.
    is_counted: bool,
    is_name: bool,
}

impl Test {
    /// Refuses a part behind `&&` or `||` that begins with what only a running shell knows.
    pub(super) fn part(&self, words: &[String]) -> Result<(), String> {
        match words.first().is_some_and(|word| word.contains(UNKNOWN)) {
            true => Err("has a part in `[[ … ]]` that some shells would run as a command: each needs its own, `[[ … ]] && [[ … ]]`".to_owned()),
            false => Ok(()),
        }
    }

    /// A group begins or ends.
    pub(super) fn group(&mut self, sign: char) -> Result<(), String> {
        let open = if sign == '(' { self.open.checked_add(1) } else { self.open.checked_sub(1) };
        self.open = open.ok_or_else(|| "has a `)` too many".to_owned())?;
        Ok(())
    }
}

/// A word of the shell's own where a command begins.
///
/// # Errors
/// It stands in `[[ … ]]`, or behind an assignment or a redirection: there it is none for shells, or for some of them.
pub(super) fn judge_own(word: &str, in_test: bool, begun: bool) -> Result<(), String> {
    match (in_test, begun) {
        (true, _) if word != "!" => Err(format!("has a part in `[[ … ]]` that begins with `{word}`")),
        (_, true) => Err(format!("has `{word}` behind an assignment or a redirection, where it is a word like others")),
        _ => Ok(()),
    }
}

/// A word behind `]]`: a part of a compound command may begin or end there without a sign between.
///
/// # Errors
/// It does neither.
pub(super) fn judge_behind_test(word: &Word) -> Result<(), String> {
    match word.bare && BEFORE.iter().chain(&BEHIND).any(|own| *own == word.text) {
        true => Ok(()),
        false => Err("has a word behind `]]`".to_owned()),
    }
}

impl Reader<'_> {
    /// Whether `[[` comes next, as a word.
    pub(super) fn begins_test(&self) -> bool {
        self.begins("[[") && self.rest.clone().nth(2).is_some_and(|c| is_blank(&c))
    }

    /// A word in `[[ … ]]`, since which so many variables were seen. Says whether it is the end.
    ///
    /// # Errors
    /// It counts with what is no number, or asks for a variable by a name that nobody knows, as the end of a sentence that begins
    /// with "it".
    pub(super) fn tested(&mut self, test: &mut Test, word: &Word, seen: usize) -> Result<bool, String> {
        let text = word.text.as_str();
        if word.bare && text == "]]" {
            return if test.open == 0 { Ok(true) } else { Err("has a `[[` that does not end".to_owned()) };
        }
        let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if std::mem::take(&mut test.is_name) && !is_plain(text) {
            return Err("asks in `[[ … ]]` for a variable whose name is a value".to_owned());
        }
        let seen = self.numbers.since(seen);
        if COUNTS.contains(&text) {
            let (left, seen) = test.last.take().unwrap_or_default();
            self.compared(&left, seen)?;
            test.is_counted = true;
        } else if std::mem::take(&mut test.is_counted) {
            self.compared(text, seen.clone())?;
        }
        test.is_name = ["-v", "-R"].contains(&text);
        test.last = Some((text.to_owned(), seen));
        Ok(false)
    }

    /// One side of `-eq` and its like, which a shell reads as a number.
    fn compared(&mut self, text: &str, seen: Vec<String>) -> Result<(), String> {
        let is_of_number =
            |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-' || c == UNKNOWN || c == super::QUOTED;
        if !text.chars().all(is_of_number) {
            return Err("compares what is no number yet in `[[ … ]]`; `[ … ]` compares without running it".to_owned());
        }
        self.numbers.compared(text, seen);
        Ok(())
    }

    /// `case WORD in`.
    pub(super) fn case(&mut self) -> Result<(), String> {
        self.no_line_ends()?;
        while self.rest.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        let is_there = self.word()?.stands;
        while self.rest.next_if(is_blank).is_some() {}
        let begins = self.word()?;
        match is_there && begins.bare && begins.text == "in" {
            true => Ok(()),
            false => Err("holds a `case` that is not understood".to_owned()),
        }
    }

    /// The pattern of a branch up to its `)`. Says whether there is none but the end.
    pub(super) fn pattern(&mut self) -> Result<bool, String> {
        self.no_line_ends()?;
        while self.rest.next_if(is_blank).is_some() {}
        let mut may_end = self.rest.next_if_eq(&'(').is_none();
        loop {
            while self.rest.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
            let word = match self.rest.peek() {
                Some('#') => return Err("has a comment before a branch of `case`".to_owned()),
                _ => self.word()?,
            };
            if std::mem::take(&mut may_end) && word.bare && word.text == "esac" {
                return Ok(true);
            }
            if word.stands {
                continue;
            }
            match self.rest.next() {
                Some('|') => {}
                Some(')') => return Ok(false),
                _ => return Err("holds a `case` that is not understood".to_owned()),
            }
        }
    }
}
