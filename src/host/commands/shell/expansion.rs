//! What a text for a shell holds behind `$` and between back-quotes: what it is, nobody knows yet; the commands in it are looked at.

use super::super::counted::variable;
use super::{QUOTED, Reader, UNKNOWN, work};

impl Reader<'_> {
    /// Looks ahead whether what stands between here and its end is counted: `((x))`, `$((x))`. The first sign has been read.
    ///
    /// # Errors
    /// There is something in it that is no part of a number. A shell takes quotes and comments there for other than this reader does.
    pub(super) fn number(&mut self) -> Result<(), String> {
        let mut ahead = self.rest.clone();
        if ahead.next_if_eq(&'(').is_none() {
            return Ok(());
        }
        let (mut open, mut text) = (2, String::new());
        for c in ahead {
            open = match c {
                '(' => open + 1,
                ')' => open - 1,
                _ => open,
            };
            if open == 0 {
                break;
            }
            text.push(c);
        }
        work::take(text.len())?;
        // Read as groups, it would begin a here-document.
        if text.contains("<<") {
            return Err(
                "has `<<` in `((…))`, which is a number or the beginning of a text: multiply instead".to_owned()
            );
        }
        self.counts |= text.contains(|c: char| c.is_alphabetic() || c == '_' || c == '$');
        self.numbers.counted(&text)
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
        if inner.contains('\n') {
            self.no_line_ends()?;
        }
        let numbers = std::mem::take(&mut self.numbers);
        let mut reader = Reader { depth: self.depth, numbers, ..Reader::of(&inner) };
        reader.list(None)?;
        self.join(reader);
        Ok(())
    }

    /// `$name`, `${…}`, `$(…)`, `$((…))`, `` `…` ``: what it is, nobody knows yet; the commands in it are looked at.
    pub(super) fn expansion(&mut self, into: &mut String, in_quotes: bool) -> Result<(), String> {
        let before = self.foreign;
        let is_number = self.begins("$((");
        if self.begins("`") || self.begins("$(") && !is_number {
            self.numbers.seen("");
        }
        let (begins, many) = (into.len(), std::mem::take(&mut self.many));
        self.deeper(|reader| reader.expanded(into, in_quotes))?;
        // In quotes it stays in its word.
        if in_quotes && !self.many && into.get(begins..).is_some_and(|of| of.starts_with(UNKNOWN)) {
            into.insert(begins + UNKNOWN.len_utf8(), QUOTED);
        }
        self.many |= many;
        self.foreign = before || !is_number;
        Ok(())
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
                self.number()?;
                // An arithmetic one reads like two groups, whose words are no programs; that refuses more than it must.
                self.list(Some(')'))
            }
            Some('{') => {
                self.rest.next();
                into.push(UNKNOWN);
                let begins = self.numbers.so_far();
                let mut inner = String::new();
                self.foreign = false;
                loop {
                    match self.rest.peek().copied() {
                        Some('}') => {
                            self.rest.next();
                            self.many |= inner.contains('@');
                            let (holds, counts) = variable(&inner)?;
                            self.holds |= holds;
                            self.counts |= counts;
                            return self.numbers.variable(&inner, begins, counts, !self.foreign);
                        }
                        Some('$' | '`') => self.expansion(&mut inner, in_quotes)?,
                        // Some shells take them for quotes there and some for signs, by what stands before.
                        Some('\'' | '"') if in_quotes => {
                            return Err(
                                "has quotes in `${…}` in quotes, which shells read in different ways".to_owned()
                            );
                        }
                        Some('\\') if self.begins("\\\n") => {
                            return Err("goes on behind a backslash in `${…}`".to_owned());
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
                        Some('\n') if self.no_line_ends().is_err() => return self.no_line_ends(),
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
            Some('[') => Err("counts in `$[…]`, which shells read in different ways".to_owned()),
            Some('\\') if self.begins("\\\n") => Err("goes on behind a backslash in the middle of a sign".to_owned()),
            Some(c) if c.is_alphanumeric() || "_@*#?$!-".contains(c) => {
                into.push(UNKNOWN);
                self.rest.next();
                self.many |= c == '@';
                let mut name = String::from(c);
                if c.is_alphabetic() || c == '_' {
                    name.extend(std::iter::from_fn(|| self.rest.next_if(|c| c.is_alphanumeric() || *c == '_')));
                }
                if !"#?$!".contains(c) {
                    self.numbers.seen(&name);
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
