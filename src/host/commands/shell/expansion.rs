//! What a text for a shell holds behind `$` and between back-quotes: what it is, nobody knows yet; the commands in it are looked at.

use super::{Reader, UNKNOWN, work};
use crate::host::commands::counted::variable;

impl Reader<'_> {
    /// Looks ahead whether what stands between here and its end is counted: `((x))`, `$((x))`, `$[x]`. The first sign has been read.
    pub(super) fn number(&mut self, first: char) -> Result<(), String> {
        let mut ahead = self.rest.clone();
        let is_one = first == '[' || ahead.next_if_eq(&'(').is_some();
        if is_one {
            let (mut length, mut names) = (0, false);
            for c in ahead.take_while(|c| *c != '\n') {
                length += 1;
                names = c.is_alphabetic() || c == '$';
                if names {
                    break;
                }
            }
            work::take(length)?;
            self.counts |= names;
        }
        Ok(())
    }

    /// What stands between back-quotes. A backslash there is one only before some signs; for others it stays.
    fn back_quoted(&mut self, in_quotes: bool) -> Result<(), String> {
        let mut inner = String::new();
        loop {
            match self.rest.next() {
                Some('`') => break,
                Some('\\') => match self.rest.next() {
                    Some(c @ ('$' | '`' | '\\')) => inner.push(c),
                    Some('"') if in_quotes => return Err("has quotes in back-quotes in quotes".to_owned()),
                    c => inner.extend(['\\'].into_iter().chain(c)),
                },
                Some(c) => inner.push(c),
                None => return Err("has a back-quote that is not closed".to_owned()),
            }
        }
        work::take(inner.len())?;
        let rest = inner.chars().peekable();
        let mut reader = Reader { rest, found: Vec::new(), depth: self.depth, counts: false, holds: false };
        reader.list(None)?;
        self.found.append(&mut reader.found);
        self.counts |= reader.counts;
        self.holds |= reader.holds;
        Ok(())
    }

    /// `$name`, `${…}`, `$(…)`, `$((…))`, `` `…` ``: what it is, nobody knows yet; the commands in it are looked at.
    pub(super) fn expansion(&mut self, into: &mut String, in_quotes: bool) -> Result<(), String> {
        self.deeper(|reader| reader.expanded(into, in_quotes))
    }

    fn expanded(&mut self, into: &mut String, in_quotes: bool) -> Result<(), String> {
        if self.rest.next() == Some('`') {
            into.push(UNKNOWN);
            return self.back_quoted(in_quotes);
        }
        match self.rest.peek().copied() {
            Some('(') => {
                self.rest.next();
                into.push(UNKNOWN);
                self.number('(')?;
                // An arithmetic one reads like two groups, whose words are no programs; that refuses more than it must.
                self.list(Some(')'))
            }
            Some('{') => {
                self.rest.next();
                into.push(UNKNOWN);
                let mut inner = String::new();
                loop {
                    match self.rest.peek().copied() {
                        Some('}') => {
                            self.rest.next();
                            let (holds, counts) = variable(&inner)?;
                            self.holds |= holds;
                            self.counts |= counts;
                            return Ok(());
                        }
                        Some('$' | '`') => self.expansion(&mut inner, in_quotes)?,
                        // Some shells take them for quotes there and some for signs, by what stands before.
                        Some('\'' | '"') if in_quotes => {
                            return Err(
                                "has quotes in `${…}` in quotes, which shells read in different ways".to_owned()
                            );
                        }
                        Some('\\') => {
                            self.rest.next();
                            inner.extend(self.rest.next());
                        }
                        Some('\'') => {
                            self.rest.next();
                            self.quoted(&mut inner)?;
                        }
                        Some('"') => {
                            self.rest.next();
                            self.double(&mut inner)?;
                        }
                        Some(c) => {
                            self.rest.next();
                            inner.push(c);
                        }
                        None => return Err("has a brace that is not closed".to_owned()),
                    }
                }
            }
            Some('\'') if !in_quotes => {
                self.rest.next();
                into.push(UNKNOWN);
                let begins = into.len();
                self.quoted(into)?;
                // `\'` is a sign of it for one shell, and the end of it for another.
                match into.get(begins..).is_some_and(|text| text.contains('\\')) {
                    true => Err("holds `$'…'` with a backslash, which shells read in different ways".to_owned()),
                    false => Ok(()),
                }
            }
            Some('\'' | '"') => {
                into.push(UNKNOWN);
                Ok(())
            }
            Some('[') => {
                self.rest.next();
                into.push(UNKNOWN);
                self.number('[')?;
                Ok(())
            }
            Some(c) if c.is_alphanumeric() || "_@*#?$!-".contains(c) => {
                into.push(UNKNOWN);
                self.rest.next();
                if c.is_alphabetic() || c == '_' {
                    while self.rest.next_if(|c| c.is_alphanumeric() || *c == '_').is_some() {}
                }
                Ok(())
            }
            _ => {
                into.push('$');
                Ok(())
            }
        }
    }
}
