//! Where in a definition a database stumbled: its message names a line or a word of the statement, never of the file.

use std::ops::Range;

use crate::{
    check::{Located, statements},
    diagnostic::{Code, Diagnostic},
};

/// A database's message as a finding about the word that it names, in the line that it names; about the beginning of the
/// statement where it names neither.
pub(super) fn finding(located: &Located, pointer: &str, message: String) -> Diagnostic {
    let of_pointer = |site: &statements::StatementSite<'_>| match site.dialect {
        // The message ends with the dialect that was asked.
        Some(dialect) => site.pointer == format!("{pointer}/{dialect}") && message.ends_with(&format!("on {dialect})")),
        None => site.pointer == pointer,
    };
    let sites = statements::statements(&located.definition);
    match sites.iter().find(|site| of_pointer(site)) {
        Some(site) => located.finding(Code::RefusedStatement, &site.pointer, stumbled(site.text, &message), message),
        None => located.finding(Code::RefusedStatement, pointer, None, message),
    }
}

/// The part of a statement. Lines of what was run are those of its template; columns are not.
fn stumbled(text: &str, message: &str) -> Option<Range<usize>> {
    let line = line(message).and_then(|number| {
        let start: usize = text.split_inclusive('\n').take(number.checked_sub(1)?).map(str::len).sum();
        let line = text.get(start..)?.lines().next()?;
        Some(start..start + line.len())
    });
    if let Some(line) = line {
        let inside = text.get(line.clone()).unwrap_or_default();
        let word = words(message).find_map(|word| find(inside, word));
        let indent = inside.len() - inside.trim_start().len();
        let whole = indent..inside.trim_end().len().max(indent);
        let part = word.unwrap_or(whole);
        return Some(line.start + part.start..line.start + part.end);
    }
    words(message).find_map(|word| find(text, word))
}

/// `(line 10, col 9)`, as ClickHouse says it.
fn line(message: &str) -> Option<usize> {
    let (_, rest) = message.split_once("(line ")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Words that a message puts behind a colon or in quotes, in its order.
fn words(message: &str) -> impl Iterator<Item = &str> {
    // What follows repeats the statement.
    let scopes = [" in scope ", " In scope ", " while processing ", ": While processing "];
    let message = scopes.iter().fold(message, |message, scope| message.split(scope).next().unwrap_or(message));
    let behind = ["(line ", "no such column: ", "no such table: ", "no such function: ", "at position "];
    let behind = behind.into_iter().filter_map(move |lead| {
        let (_, rest) = message.split_once(lead)?;
        let rest = if lead == "(line " { rest.split_once("): ")?.1 } else { rest };
        let rest = if lead == "at position " { rest.split_once('(')?.1 } else { rest };
        rest.split(|c: char| c.is_whitespace() || c == ')').next()
    });
    behind.chain(quoted(message)).filter(|word| !word.is_empty())
}

/// What stands in quotes of any kind. An apostrophe inside a word is none.
fn quoted(message: &str) -> impl Iterator<Item = &str> {
    let mut rest = message;
    std::iter::from_fn(move || {
        loop {
            let at = rest.find(['\'', '`', '"'])?;
            let (before, from) = rest.split_at_checked(at)?;
            let mut behind = from.chars();
            let quote = behind.next()?;
            let inside = behind.as_str();
            rest = inside;
            if quote == '\'' && before.ends_with(char::is_alphanumeric) {
                continue;
            }
            let (word, after) = inside.split_once(quote)?;
            rest = after;
            return Some(word);
        }
    })
}

/// Where a word stands by itself.
fn find(text: &str, word: &str) -> Option<Range<usize>> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let alone = |at: &usize| {
        let before = text.get(..*at).and_then(|text| text.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|text| text.chars().next());
        let joined = |edge: Option<char>, inner: Option<char>| edge.is_some_and(part) && inner.is_some_and(part);
        !joined(before, word.chars().next()) && !joined(after, word.chars().next_back())
    };
    text.match_indices(word).map(|(at, _)| at).find(alone).map(|at| at..at + word.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_found_that_a_database_names() {
        let text = "SELECT service_name, servise\nFROM traces\nWHERE x = {{ x }}\nLMIT 2";
        for (message, word) in [
            (
                "Syntax error: failed at position 60 (LMIT) (line 4, col 1): LMIT 2. Expected one of: token (on ClickHouse)",
                "LMIT",
            ),
            ("Syntax error: failed at position 9 (line 2, col 6): traces x (on ClickHouse)", "traces"),
            (
                "Unknown expression identifier `servise` in scope SELECT service_name, servise (on ClickHouse)",
                "servise",
            ),
            (
                "Unknown expression identifier `servise` in scope SELECT toTypeName(x, \\'LMIT\\') FROM traces (on ClickHouse)",
                "servise",
            ),
            ("it isn't `servise`, the table 'traces' has none", "servise"),
            ("column \"servise\" does not exist (with all parameters, on PostgreSQL)", "servise"),
            ("near \"LMIT\": syntax error (on SQLite)", "LMIT"),
            ("no such column: servise (on SQLite)", "servise"),
            ("no such table: traces (on SQLite)", "traces"),
            ("it is not known (line 2, col 1)", "FROM traces"),
        ] {
            let found = stumbled(text, message).and_then(|part| text.get(part));
            assert_eq!(found, Some(word), "{message}");
        }
        assert_eq!(stumbled(text, "it is too deep"), None);
    }
}
