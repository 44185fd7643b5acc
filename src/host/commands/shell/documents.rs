//! Here-documents: their text is data for whatever reads it, and what a shell puts into it is looked at.

use super::{Reader, Word, may_become_one, work};

/// One that has begun: its text stands behind the line.
pub(super) struct Document {
    /// The line that ends it.
    end: String,
    /// Nothing in it is expanded.
    is_data: bool,
    /// Tabs before its lines count for nothing.
    is_indented: bool,
    depth: usize,
}

fn endless() -> String {
    "has a here-document that does not end".to_owned()
}

impl Reader<'_> {
    /// Whether a word is the number of what is redirected behind it.
    pub(super) fn is_descriptor(&self, word: &Word) -> bool {
        let is_number = !word.text.is_empty() && word.text.bytes().all(|byte| byte.is_ascii_digit());
        is_number && word.bare && self.rest.clone().next().is_some_and(|c| matches!(c, '<' | '>'))
    }

    /// What stands behind `<<`: the word that will end a text, or behind a third sign a text itself.
    pub(super) fn document(&mut self) -> Result<(), String> {
        if self.rest.next_if_eq(&'<').is_some() {
            return self.target();
        }
        let is_indented = self.rest.next_if_eq(&'-').is_some();
        while self.rest.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        let quote = self.rest.next_if(|c| matches!(c, '\'' | '"' | '\\'));
        let mut end = String::new();
        while let Some(c) = self.rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
            end.push(c);
        }
        let is_closed = match quote {
            Some(quote @ ('\'' | '"')) => self.rest.next_if_eq(&quote).is_some(),
            _ => true,
        };
        let is_whole =
            self.rest.peek().is_some_and(|c| matches!(c, ' ' | '\t' | '\n' | ';' | '&' | '|' | ')' | '<' | '>'));
        if end.is_empty() || !is_closed || !is_whole {
            return Err("has a here-document that is not ended by a plain word".to_owned());
        }
        self.documents.push(Document { end, is_data: quote.is_some(), is_indented, depth: self.depth });
        Ok(())
    }

    /// Refuses the end of a line where shells look for the text of a document in different places.
    pub(super) fn no_line_ends(&self) -> Result<(), String> {
        match self.documents.is_empty() {
            true => Ok(()),
            false => Err("goes on in the next line behind the beginning of a here-document".to_owned()),
        }
    }

    /// Refuses the end of a list whose documents have not come.
    pub(super) fn no_document(&self) -> Result<(), String> {
        match self.documents.iter().any(|document| document.depth == self.depth) {
            true => Err(endless()),
            false => Ok(()),
        }
    }

    /// The texts behind the end of a line.
    pub(super) fn documents(&mut self) -> Result<(), String> {
        for Document { end, is_data, is_indented, depth } in std::mem::take(&mut self.documents) {
            if depth != self.depth {
                return Err("has a here-document around what goes on in the next line".to_owned());
            }
            let mut text = String::new();
            loop {
                let line: String = std::iter::from_fn(|| self.rest.next_if(|c| *c != '\n')).collect();
                let is_last = self.rest.next().is_none();
                let line = if is_indented { line.trim_start_matches('\t') } else { &line };
                if line == end {
                    break;
                }
                // In a substitution some shells take `EOF)` for its end.
                if is_last || line.starts_with(&end) {
                    return Err(endless());
                }
                text.extend([line, "\n"]);
            }
            work::take(text.len())?;
            self.holds |= may_become_one(&text);
            if !is_data {
                self.filled(&text)?;
            }
        }
        Ok(())
    }

    /// What a shell puts into a text; quotes are signs like others there.
    fn filled(&mut self, text: &str) -> Result<(), String> {
        if text.contains("\\\n") {
            return Err("goes on behind a backslash in a here-document".to_owned());
        }
        let numbers = std::mem::take(&mut self.numbers);
        let mut reader = Reader { depth: self.depth, numbers, ..Reader::of(text) };
        while let Some(c) = reader.rest.peek().copied() {
            match c {
                '$' | '`' => reader.expansion(&mut String::new(), true)?,
                '\\' => drop(reader.rest.nth(1)),
                _ => drop(reader.rest.next()),
            }
        }
        self.join(reader);
        Ok(())
    }
}
