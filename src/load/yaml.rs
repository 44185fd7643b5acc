//! YAML text to a JSON value and the place of every key and value in it, in one parse.
//!
//! The only file that knows the YAML parser, and `build.rs` compiles it too: so it uses nothing of the crate.
//! Reads the JSON subset plus block scalars, comments and bounded aliases: scalars are text unless they are
//! `null`, `true`, `false` or a JSON number, so that `no`, `on`, `012` and `1_000` never surprise anyone.

use std::{collections::HashMap, ops::Range};

use serde_json::{Map, Value};
use serde_saphyr::granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span};

// Named, because to `build.rs` this file is a module of another place.
#[path = "yaml/node.rs"]
mod node;

use node::weigh;
pub use node::{Children, Entry, Node, Style};

/// Most nodes of a document, those that aliases repeat included.
const MAX_NODES: usize = 50_000;

/// Deepest nesting of a document.
const MAX_DEPTH: usize = 64;

/// A parsed document. After a syntax error the value holds what was complete before it.
#[derive(Debug, Clone)]
pub struct Parsed {
    pub value: Value,
    pub root: Node,
    pub faults: Vec<Fault>,
}

/// What is wrong with a text as YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub kind: FaultKind,
    pub span: Range<usize>,
    /// The place of the first of two equal keys.
    pub first: Option<Range<usize>>,
    pub message: String,
    pub help: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    Syntax,
    DuplicateKey,
    Feature,
}

/// Reads one document.
pub fn parse(text: &str) -> Parsed {
    let mut builder = Builder { text, ..Builder::default() };
    let options = options();
    for step in Parser::new_from_str_with_options(text, options) {
        match step {
            Ok((event, span)) => {
                if builder.take(event, &span).is_break() {
                    break;
                }
            }
            Err(error) => {
                builder.faults.push(syntax(text, &error));
                break;
            }
        }
    }
    builder.finish()
}

fn options() -> Options {
    let mut options = Options::default();
    options.emit_comments = false;
    options.disallow_directives = true;
    options.emit_unresolved_aliases = true;
    options.block_nesting_limit = MAX_DEPTH;
    options.flow_nesting_limit = MAX_DEPTH;
    options
}

/// A collection that is still open.
struct Open {
    start: usize,
    anchor: usize,
    items: Items,
}

enum Items {
    Sequence(Vec<(Value, Node)>),
    Mapping { value: Map<String, Value>, entries: Vec<Entry>, key: Option<(String, Range<usize>)> },
}

#[derive(Default)]
struct Builder<'t> {
    text: &'t str,
    open: Vec<Open>,
    anchors: HashMap<usize, (Value, Node, usize)>,
    root: Option<(Value, Node)>,
    nodes: usize,
    faults: Vec<Fault>,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: &Span) -> std::ops::ControlFlow<()> {
        use std::ops::ControlFlow::{Break, Continue};
        let bytes = self.bytes(span);
        match event {
            Event::DocumentStart(..) if self.root.is_some() => {
                self.feature(bytes, "a file holds one document", "Move what follows `---` into a file of its own.");
                return Break(());
            }
            Event::Scalar(text, style, anchor, tag) => {
                if let Some(tag) = tag {
                    self.tag(tag.handle(), tag.suffix(), span);
                }
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::SingleQuoted,
                    ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
                    ScalarStyle::Literal => Style::Literal,
                    ScalarStyle::Folded => Style::Folded,
                };
                if self.wants_key() {
                    self.key(text.into_owned(), bytes);
                } else {
                    let value = if style == Style::Plain { scalar(&text) } else { Value::String(text.into_owned()) };
                    self.complete(value, Node { span: bytes, style, children: Children::None }, anchor);
                }
            }
            Event::SequenceStart(_, anchor, tag) | Event::MappingStart(_, anchor, tag) if self.wants_key() => {
                let _ = (anchor, tag);
                let outer = bytes.start.saturating_sub(1);
                if self.text.get(outer..).is_some_and(|text| text.starts_with("{{")) {
                    let help = "put text that begins with braces in quotes";
                    self.feature(outer..outer + 2, "`{{` begins a mapping of YAML here", help);
                } else {
                    self.feature(bytes, "a key is text", "put text that begins with `{` or `[` in quotes");
                }
                return Break(());
            }
            Event::SequenceStart(_, anchor, tag) => {
                if let Some(tag) = tag {
                    self.tag(tag.handle(), tag.suffix(), span);
                }
                self.open.push(Open { start: bytes.start, anchor, items: Items::Sequence(Vec::new()) });
            }
            Event::MappingStart(_, anchor, tag) => {
                if let Some(tag) = tag {
                    self.tag(tag.handle(), tag.suffix(), span);
                }
                let items = Items::Mapping { value: Map::new(), entries: Vec::new(), key: None };
                self.open.push(Open { start: bytes.start, anchor, items });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    self.close(open, bytes.end);
                }
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some((value, node, size)) => {
                    self.nodes += size;
                    self.complete(value, node, 0);
                }
                None => {
                    self.feature(bytes, "an alias stands inside the value that it repeats", "Write the value out.");
                    return Break(());
                }
            },
            Event::UnresolvedAlias(name) => {
                self.faults.push(Fault {
                    kind: FaultKind::Syntax,
                    span: bytes.clone(),
                    first: None,
                    message: format!("no anchor `&{name}` stands before this alias"),
                    help: Some("Text that begins with `*` is put in quotes.".to_owned()),
                });
                self.complete(Value::Null, Node { span: bytes, style: Style::Plain, children: Children::None }, 0);
            }
            _ => {}
        }
        if self.nodes > MAX_NODES {
            let end = self.text.len();
            self.feature(
                span.byte_range().unwrap_or(end..end),
                &format!("a document has at most {MAX_NODES} values, those that aliases repeat included"),
                "Write fewer aliases, or split the definition.",
            );
            return Break(());
        }
        Continue(())
    }

    fn wants_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { items: Items::Mapping { key: None, .. }, .. }))
    }

    fn key(&mut self, text: String, span: Range<usize>) {
        if text == "<<" {
            self.feature(span.clone(), "merge keys (`<<`) are not part of definitions", "Write the keys out.");
        }
        if let Some(Open { items: Items::Mapping { key, entries, .. }, .. }) = self.open.last_mut() {
            if let Some(first) = entries.iter().find(|entry| entry.key == text) {
                self.faults.push(Fault {
                    kind: FaultKind::DuplicateKey,
                    span: span.clone(),
                    first: Some(first.key_span.clone()),
                    message: format!("the key `{text}` stands twice"),
                    help: Some("Remove one of the two.".to_owned()),
                });
            }
            *key = Some((text, span));
        }
    }

    fn complete(&mut self, value: Value, node: Node, anchor: usize) {
        self.nodes += 1;
        if anchor != 0 {
            let size = weigh(&node);
            self.anchors.insert(anchor, (value.clone(), node.clone(), size));
        }
        match self.open.last_mut().map(|open| &mut open.items) {
            None => self.root = Some((value, node)),
            Some(Items::Sequence(items)) => items.push((value, node)),
            Some(Items::Mapping { value: map, entries, key }) => {
                if let Some((key, key_span)) = key.take()
                    && !map.contains_key(&key)
                {
                    map.insert(key.clone(), value);
                    entries.push(Entry { key, key_span, node });
                }
            }
        }
    }

    fn close(&mut self, open: Open, end: usize) {
        let (value, children) = match open.items {
            Items::Sequence(items) => {
                let (values, nodes): (Vec<_>, Vec<_>) = items.into_iter().unzip();
                (Value::Array(values), Children::Items(nodes))
            }
            Items::Mapping { value, entries, .. } => (Value::Object(value), Children::Entries(entries)),
        };
        // The end of a block collection is where the next token begins: leave out the white space before that.
        let written = self.text.get(open.start..end).unwrap_or_default().trim_end().len();
        let node = Node { span: open.start..open.start + written, style: Style::Collection, children };
        self.complete(value, node, open.anchor);
    }

    fn tag(&mut self, handle: &str, suffix: &str, span: &Span) {
        let bytes = span.tag_span().and_then(|span| span.byte_range()).unwrap_or_else(|| self.bytes(span));
        let tag = if handle == "tag:yaml.org,2002:" { format!("!!{suffix}") } else { format!("{handle}{suffix}") };
        self.feature(
            bytes,
            &format!("the tag `{tag}` has no meaning here"),
            "Text that begins with `!` is put in quotes.",
        );
    }

    fn feature(&mut self, span: Range<usize>, message: &str, help: &str) {
        self.faults.push(Fault {
            kind: FaultKind::Feature,
            span,
            first: None,
            message: message.to_owned(),
            help: Some(help.to_owned()),
        });
    }

    fn bytes(&self, span: &Span) -> Range<usize> {
        let end = self.text.len();
        span.byte_range().unwrap_or(end..end)
    }

    fn finish(mut self) -> Parsed {
        let end = self.text.len();
        while let Some(mut open) = self.open.pop() {
            open.anchor = 0;
            self.close(open, end);
        }
        let (value, root) = self
            .root
            .unwrap_or_else(|| (Value::Null, Node { span: 0..0, style: Style::Plain, children: Children::None }));
        Parsed { value, root, faults: self.faults }
    }
}

fn scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
            text.parse().map_or_else(|_| Value::String(text.to_owned()), Value::Number)
        }
        _ => Value::String(text.to_owned()),
    }
}

fn syntax(text: &str, error: &ScanError) -> Fault {
    let at = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
    let at = text.floor_char_boundary(at);
    // In a text without quotes the parser stands at its beginning, lines before the tab.
    let tab = (*error.kind() == ErrorKind::TabInPlainScalar).then(|| leading_tab(text, at)).flatten();
    let at = tab.unwrap_or(at);
    let line = text.get(text.get(..at).and_then(|t| t.rfind('\n')).map_or(0, |n| n + 1)..).unwrap_or_default();
    let line = line.lines().next().unwrap_or_default();
    let (message, help) = match error.kind() {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart => ("a tab is used for indentation".to_owned(), Some("Indent with spaces.")),
        ErrorKind::TabInPlainScalar if tab.is_some() => {
            ("a tab is used for indentation".to_owned(), Some("Indent with spaces."))
        }
        ErrorKind::MappingValueNotAllowed | ErrorKind::MappingKeyNotAllowed => (
            "`:` begins a value where none can stand".to_owned(),
            Some("Put text that contains `: ` in quotes, and indent the keys of one mapping alike."),
        ),
        ErrorKind::UnclosedQuotedScalar => ("a quote is never closed".to_owned(), Some("close it")),
        ErrorKind::InvalidQuotedScalarIndent => {
            ("a quote before this line is not closed".to_owned(), Some("close it at the end of its line"))
        }
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation => (
            "this line is indented unlike the lines around it".to_owned(),
            Some("indent the keys of one mapping alike, and what belongs to a key further than the key"),
        ),
        ErrorKind::InvalidColonPlacement => (
            "`:` cannot stand here".to_owned(),
            Some("close the bracket or brace before it, or put text that contains `:` in quotes"),
        ),
        ErrorKind::RecursionLimitExceeded => (format!("nested deeper than {MAX_DEPTH} levels"), None),
        ErrorKind::DirectiveDisallowed => {
            ("`%` at the start of a line begins a YAML directive, which definitions do not have".to_owned(), None)
        }
        ErrorKind::UnclosedFlowCollection { open } => (format!("`{open}` is never closed"), None),
        ErrorKind::MisplacedFlowCollectionEnd | ErrorKind::MismatchedFlowCollectionEnd { .. }
            if line.contains("{{") || line.contains("{%") =>
        {
            ("braces are not balanced".to_owned(), Some("Put text that begins with `{{` or `{%` in quotes."))
        }
        ErrorKind::UnexpectedCharacter { character: c @ ('@' | '`' | '%') } => {
            (format!("text cannot begin with `{c}`"), Some("Put it in quotes."))
        }
        other => (format!("not YAML: {other}"), line.contains("{{").then_some("Put text with `{{` in quotes.")),
    };
    let end = text.get(at..).and_then(|rest| rest.chars().next()).map_or(at, |c| at + c.len_utf8());
    Fault { kind: FaultKind::Syntax, span: at..end, first: None, message, help: help.map(str::to_owned) }
}

/// The first tab behind a place that only blanks stand before in its line.
fn leading_tab(text: &str, behind: usize) -> Option<usize> {
    let mut start = behind;
    for line in text.get(behind..)?.split_inclusive('\n') {
        let content = line.trim_start_matches([' ', '\t']);
        let blank = line.get(..line.len() - content.len())?;
        if let Some(tab) = blank.find('\t').filter(|_| start > behind) {
            return Some(start + tab);
        }
        start += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_what_json_calls_them() {
        let value =
            parse("[no, on, 012, 1_000, 0x1f, 1e3, -1, .5, ~, null, Null, true, True, 1.0, '1', 2026-01-01, ]").value;
        assert_eq!(
            value.to_string(),
            r#"["no","on","012","1_000","0x1f",1e3,-1,".5",null,null,"Null",true,"True",1.0,"1","2026-01-01"]"#
                .replace("1e3", "1000.0")
        );
    }

    #[test]
    fn bombs_and_loops_are_findings() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for n in 1..9 {
            let item = format!("*a{}, ", n - 1);
            bomb.push_str(&format!("a{n}: &a{n} [{}]\n", item.repeat(10)));
        }
        for text in [
            bomb.as_str(),
            "a: &a [*a]",
            &"[".repeat(500),
            &"- ".repeat(500),
            "a: 1\n---\nb: 2",
            "? [a]\n: 1",
            "a: !!int x",
        ] {
            assert_ne!(parse(text).faults, [], "{text}");
        }
    }
}
