//! Why an answer shows less than there is: every cap in one table, and its words.
//!
//! Whatever is cut says so by a [`Cut`]: which cap, how much it lets through, how much there was, and what to do. Texts
//! put it into their sentences, JSON has it as an object.

use std::{fmt, time::Duration};

use serde_json::{Map, Value, json};

use super::{EngineOptions, document::Total};
use crate::{
    definition::{ByteSize, Period},
    template::counted,
};

/// What cuts answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cap {
    /// `max_items` of the call.
    Asked,
    /// The same, as many as a call may ask for.
    AskedMost,
    /// The section's own number of rows.
    Usual,
    /// The same, in a call that has no `max_items`.
    Fixed,
    /// Most rows that are read of a section.
    SectionRows,
    /// Most bytes that are read of a section.
    SectionBytes,
    /// Longest document.
    DocumentChars,
    /// The same, as long as a call may ask for.
    DocumentCharsMost,
    /// The same, in a call that has no `max_chars`.
    FixedChars,
    /// `max_rows` of the call.
    Caller,
    /// The same, as many as a call may ask for.
    CallerMost,
    /// The tool's own number of rows.
    Tool,
    /// Most rows that are read of an answer.
    Rows,
    /// Most bytes that are read of an answer.
    Bytes,
    /// Longest answer.
    Chars,
    /// Longest answer of a tool that does not ask how long one may be, which nobody can set.
    Length,
    /// Most tokens of any answer.
    Tokens,
    /// Longest structured content beside a text.
    Structured,
    /// Longest collection of a document.
    Deadline,
    /// Longest statement.
    Query,
    /// Longest run of the tool.
    Timeout,
}

impl Cap {
    /// The argument or the setting, and what whoever meets it can do.
    const fn row(self) -> (&'static str, &'static str) {
        const WINDOW: &str = "filter, or shorten the window";
        match self {
            Self::Asked => ("max_items", "raise it to see more"),
            Self::AskedMost => ("max_items", "it takes no more: filter, or shorten the window"),
            Self::Usual => ("limit", "raise `max_items` to see more"),
            Self::Fixed => ("limit", "what matters most stands first"),
            Self::SectionRows => ("limits.max_rows", WINDOW),
            Self::SectionBytes => ("limits.max_bytes", WINDOW),
            Self::DocumentChars => ("max_chars", "raise it, filter or ask for fewer rows"),
            Self::DocumentCharsMost => ("max_chars", "it takes no more: filter or ask for fewer rows"),
            Self::FixedChars => ("limits.context_chars", "what matters most stands first"),
            Self::Caller => ("max_rows", "aggregate, filter or raise it"),
            Self::CallerMost => ("max_rows", "it takes no more: aggregate or filter"),
            Self::Tool => ("max_rows", "narrow what it is asked"),
            Self::Rows => ("limits.max_rows", "aggregate or filter"),
            Self::Bytes => ("limits.max_bytes", "aggregate, filter or take fewer columns"),
            Self::Chars => ("max_chars", "aggregate, filter or take fewer columns"),
            Self::Length => ("the longest answer of this tool", "aggregate, filter or take fewer columns"),
            Self::Tokens => ("limits.answer_tokens", "narrow what it is asked"),
            Self::Structured => ("structured content", "read the text of this answer, which holds more"),
            Self::Deadline => ("limits.context_deadline", "ask for a shorter window or a narrower filter"),
            Self::Query => ("limits.query_timeout", "ask for less"),
            Self::Timeout => ("timeout", "ask for less"),
        }
    }

    pub const fn name(self) -> &'static str {
        self.row().0
    }

    pub const fn what_to_do(self) -> &'static str {
        self.row().1
    }
}

/// Which bounds of a document its reader can move by an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Movable {
    pub items: Reach,
    pub chars: Reach,
}

/// How far an argument moves a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The call has no such argument.
    No,
    /// It asks for as much as it may.
    Most,
    /// It can ask for more.
    More,
    /// It asks for more than the server answers.
    Beyond,
}

impl Movable {
    pub const ALL: Self = Self { items: Reach::More, chars: Reach::More };

    /// Of a call whose arguments reach so far.
    pub fn by(reach: impl Fn(&str) -> Reach) -> Self {
        Self { items: reach(Cap::Asked.name()), chars: reach(Cap::DocumentChars.name()) }
    }

    /// Of a call that asks for so many characters, which may be more than the server answers.
    pub fn with(self, asked: Option<usize>, options: &EngineOptions) -> Self {
        let is_beyond = asked.unwrap_or(options.max_chars) > options.most_chars;
        Self { chars: if is_beyond { Reach::Beyond } else { self.chars }, ..self }
    }

    /// What a number of rows is cut by.
    pub const fn rows(self, cap: Cap) -> Cap {
        match (cap, self.items) {
            (Cap::Usual, Reach::No) => Cap::Fixed,
            (Cap::Asked, Reach::Most) => Cap::AskedMost,
            _ => cap,
        }
    }

    /// What a document is cut by that is too long.
    pub const fn length(self) -> Cap {
        match self.chars {
            Reach::No => Cap::FixedChars,
            Reach::Most => Cap::DocumentCharsMost,
            Reach::More => Cap::DocumentChars,
            Reach::Beyond => Cap::Tokens,
        }
    }
}

/// A text, or as many characters of its beginning and a sign that it goes on. Cut once more it stays the same.
pub(super) fn head(mut text: String, most: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// How much a cap lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    Rows(usize),
    Bytes(usize),
    Chars(usize),
    Time(Duration),
}

impl Limit {
    /// As it is told of rows: `1 row`.
    fn rows(&self) -> String {
        if let Self::Rows(n) = self { counted(*n, "row") } else { self.to_string() }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows(n) => write!(f, "{n}"),
            Self::Bytes(n) => write!(f, "{}", ByteSize(*n as u64)),
            Self::Chars(n) => f.write_str(&counted(*n, "character")),
            Self::Time(time) => write!(f, "{}", Period(*time)),
        }
    }
}

/// What a cap did to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    pub cap: Cap,
    pub limit: Limit,
    /// How many rows there were, as far as it is known; none where nothing was counted.
    pub seen: Option<Total>,
}

impl Cut {
    pub const fn new(cap: Cap, limit: Limit) -> Self {
        Self { cap, limit, seen: None }
    }

    pub const fn seeing(self, seen: Total) -> Self {
        Self { seen: Some(seen), ..self }
    }

    /// The cap and what it lets through, as a clause.
    pub fn why(&self) -> String {
        let (name, limit) = (self.cap.name(), self.limit);
        match self.cap {
            Cap::Asked | Cap::AskedMost => format!("`{name}` asks for {limit}"),
            Cap::Usual => format!("a section shows {limit}"),
            Cap::Fixed => format!("this tool shows {limit} of a section"),
            Cap::SectionRows => format!("this server reads at most {} of a section (`{name}`)", limit.rows()),
            Cap::SectionBytes => format!("this server reads at most {limit} of a section (`{name}`)"),
            Cap::DocumentChars | Cap::DocumentCharsMost | Cap::FixedChars | Cap::Chars => {
                format!("`{name}` is {limit}")
            }
            Cap::Caller | Cap::CallerMost => format!("there are more than `{name}`, which is {limit}"),
            Cap::Tool => format!("this tool answers at most {limit}"),
            Cap::Rows | Cap::Bytes => {
                let of = if self.cap == Cap::Bytes { " of an answer" } else { "" };
                format!("this server reads at most {limit}{of} (`{name}`)")
            }
            Cap::Length => format!("an answer here has at most {limit}"),
            Cap::Tokens => format!("this server answers at most {limit} (`{name}`, of four characters each)"),
            Cap::Structured => format!("{name} has at most {limit}"),
            Cap::Deadline | Cap::Query => format!("what ended it is `{name}` ({limit}), which the operator sets"),
            Cap::Timeout => format!("what ended it is the tool's own `{name}` ({limit}), which its definition sets"),
        }
    }

    /// Of what had nothing of a time that others had.
    pub fn used_up(&self) -> String {
        format!("its turn came when `{}` ({}) was used up", self.cap.name(), self.limit)
    }

    /// For programs.
    pub fn to_value(self) -> Value {
        let limit = match self.limit {
            Limit::Rows(n) | Limit::Chars(n) => json!(n),
            limit @ (Limit::Bytes(_) | Limit::Time(_)) => json!(limit.to_string()),
        };
        let mut value = Map::new();
        value.insert("cap".into(), self.cap.name().into());
        value.insert("limit".into(), limit);
        value.extend(self.seen.map(|seen| ("seen".to_owned(), seen.to_value())));
        value.insert("what_to_do".into(), self.cap.what_to_do().into());
        value.into()
    }
}
