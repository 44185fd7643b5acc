//! Findings about files that people wrote: what is wrong, where, and what to do.
//!
//! A [`Diagnostic`] always carries a file, a place in it and a [`Code`] from the one table in `code.rs`, from
//! which `docs/diagnostics.md` is generated. `load` and `check` make them; `render` and `report` print them.
//! Nothing here knows definitions, YAML or SQL.

mod code;
mod render;
mod report;

use std::{ops::Range, sync::Arc};

pub use crate::written::{did_you_mean, invisible, without_mark};
pub use code::{Code, Rule, reference};
pub use render::{render, render_all};
pub use report::{Format, github, json, sarif};

/// A text file as it was read, with the name by which people know it.
#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceFile {
    /// Path as given on the command line, or `built-in/…` for files of the binary.
    pub path: String,
    /// Its text; empty where it could not be read.
    pub text: std::borrow::Cow<'static, str>,
}

impl SourceFile {
    pub fn new(path: impl Into<String>, text: impl Into<std::borrow::Cow<'static, str>>) -> Arc<Self> {
        Arc::new(Self { path: path.into(), text: text.into() })
    }

    /// Line and column of a byte, both from 1, the column in characters.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let offset = self.floor(offset);
        let before = self.text.get(..offset).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        (line, before.get(line_start..).map_or(0, |rest| rest.chars().count()) + 1)
    }

    /// The byte at which a line begins, lines from 1; the end of the text for lines beyond it.
    pub fn line_start(&self, line: usize) -> usize {
        let skipped = line.saturating_sub(1);
        if skipped == 0 {
            return 0;
        }
        self.text.match_indices('\n').nth(skipped - 1).map_or(self.text.len(), |(at, _)| at + 1)
    }

    /// A span cut down to whole characters inside the text.
    pub fn within(&self, span: Range<usize>) -> Range<usize> {
        let start = self.floor(span.start);
        let end = self.floor(span.end.max(span.start));
        start..end.max(start)
    }

    /// The line that holds a span. None: it goes over several.
    fn line_of(&self, span: &Range<usize>) -> Option<&str> {
        let start = self.text.get(..span.start)?.rfind('\n').map_or(0, |at| at + 1);
        let line = self.text.get(start..)?.lines().next()?;
        // A mark at the beginning of a file is nobody's mistake.
        (span.end <= start + line.len()).then(|| without_mark(line))
    }

    fn floor(&self, offset: usize) -> usize {
        self.text.floor_char_boundary(offset.min(self.text.len()))
    }
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The definition cannot be served.
    Error,
    /// It can be served, and will probably disappoint.
    Warning,
}

impl Severity {
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// A place in a file, and what stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub file: Arc<SourceFile>,
    /// Bytes of the file, on character boundaries, inside the text.
    pub span: Range<usize>,
    /// Shown beside the carets; may be empty.
    pub text: String,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub code: Code,
    pub severity: Severity,
    /// One line: what is wrong, literals in backticks.
    pub message: String,
    /// Where it is wrong.
    pub at: Label,
    /// Other places that explain it, such as the first of two equal names.
    pub related: Vec<Label>,
    /// What to do, a sentence each.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// A finding of the severity that its code has in the table.
    pub fn new(code: Code, file: &Arc<SourceFile>, span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.rule().severity,
            message: message.into(),
            at: Label { file: file.clone(), span: file.within(span), text: String::new() },
            related: Vec::new(),
            help: Vec::new(),
        }
    }

    /// Names what nobody sees in the line of the finding: it may be all that is wrong with it.
    pub fn name_hidden(&mut self) {
        if self.code == Code::HiddenCharacter {
            return;
        }
        let hidden = self.at.file.line_of(&self.at.span).and_then(invisible);
        self.help.extend(hidden.map(|hidden| format!("in this line stands {hidden}, which nobody sees: type it anew")));
    }

    /// What the carets say.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.at.text = text.into();
        self
    }

    /// What to do. Printed like everything of a diagnostic: no capital at its beginning, no full stop at its end.
    #[must_use]
    pub fn help(mut self, sentence: impl AsRef<str>) -> Self {
        self.help.push(lower_first(sentence.as_ref().trim_end_matches('.')));
        self
    }

    #[must_use]
    pub fn related(mut self, file: &Arc<SourceFile>, span: Range<usize>, text: impl Into<String>) -> Self {
        self.related.push(Label { file: file.clone(), span: file.within(span), text: text.into() });
        self
    }

    /// Line and column of the finding, from 1.
    pub fn line_column(&self) -> (usize, usize) {
        self.at.file.line_column(self.at.span.start)
    }

    /// What is said beside the message: the label, then the help.
    pub fn hints(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.at.text.as_str())
            .chain(self.help.iter().map(String::as_str))
            .filter(|text| !text.is_empty())
    }

    fn order(&self) -> (&str, usize, usize, Code, &str) {
        (&self.at.file.path, self.at.span.start, self.at.span.end, self.code, &self.message)
    }
}

/// Sorts by file, place and code, and drops exact repetitions, so that a run is the same every time.
pub fn sort(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by(|a, b| a.order().cmp(&b.order()));
    diagnostics.dedup();
}

/// The text with a small first letter, unless that begins an acronym.
pub fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(_), Some(second)) if second.is_uppercase() => text.to_owned(),
        (Some(first), _) => first.to_lowercase().chain(chars).collect(),
        (None, _) => String::new(),
    }
}

/// A list for a sentence: `` `a`, `b` and `c` ``, at most `most` words of it.
pub fn all_of<'a>(words: impl IntoIterator<Item = &'a str>, most: usize) -> String {
    list(words, most, "and")
}

/// A list for a sentence: `` `a`, `b` or `c` ``, at most `most` words of it.
pub fn one_of<'a>(words: impl IntoIterator<Item = &'a str>, most: usize) -> String {
    list(words, most, "or")
}

fn list<'a>(words: impl IntoIterator<Item = &'a str>, most: usize, join: &str) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    let shown: Vec<String> = words.iter().take(most).map(|word| format!("`{word}`")).collect();
    match (shown.split_last(), words.len() > most) {
        (None, _) => "nothing".to_owned(),
        (Some(_), true) => format!("{} {join} {} more", shown.join(", "), words.len() - most),
        (Some((last, [])), _) => last.clone(),
        (Some((last, rest)), _) => format!("{} {join} {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(one_of([], 3), "nothing");
        assert_eq!(one_of(["a"], 3), "`a`");
        assert_eq!(one_of(["a", "b"], 3), "`a` or `b`");
        assert_eq!(one_of(["a", "b", "c", "d"], 2), "`a`, `b` or 2 more");
    }

    #[test]
    fn lines_and_columns_count_characters() {
        let file = SourceFile::new("x.yaml", "aé\nüx\n");
        assert_eq!(file.line_column(0), (1, 1));
        assert_eq!(file.line_column(3), (1, 3));
        assert_eq!(file.line_column(6), (2, 2));
        assert_eq!(file.line_column(99), (3, 1));
        assert_eq!(file.line_start(2), 4);
        assert_eq!(file.line_start(9), 8);
        assert_eq!(file.within(2..5), 1..4);
    }
}
