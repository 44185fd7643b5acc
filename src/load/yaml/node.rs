//! Where each value of a document stands in its text, down to the byte of a text that spans lines and escapes.

use std::ops::Range;

/// Where a value stands, the shape of the value repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Bytes of the value; of a block scalar its content, without the `|`.
    pub span: Range<usize>,
    pub style: Style,
    pub children: Children,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Collection,
    Plain,
    SingleQuoted,
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Children {
    None,
    Items(Vec<Node>),
    Entries(Vec<Entry>),
}

/// A key of a mapping and the place of its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub key: String,
    pub key_span: Range<usize>,
    pub node: Node,
}

impl Node {
    /// The node that a JSON pointer (RFC 6901) leads to, and the place of its key if it has one.
    pub fn find(&self, pointer: &str) -> Option<(Option<Range<usize>>, &Node)> {
        let mut node = self;
        let mut key = None;
        for token in pointer.split('/').skip(1) {
            let token = token.replace("~1", "/").replace("~0", "~");
            match &node.children {
                Children::None => return None,
                Children::Items(items) => {
                    node = items.get(token.parse::<usize>().ok()?)?;
                    key = None;
                }
                Children::Entries(entries) => {
                    let entry = entries.iter().find(|entry| entry.key == token)?;
                    key = Some(entry.key_span.clone());
                    node = &entry.node;
                }
            }
        }
        Some((key, node))
    }

    /// The byte of the file at which byte `offset` of a scalar's text stands.
    pub fn locate(&self, file: &str, value: &str, offset: usize) -> usize {
        let offset = value.floor_char_boundary(offset.min(value.len()));
        let found = match self.style {
            Style::Literal => self.locate_literal(file, value, offset),
            _ => self.locate_folded(file, value, offset),
        };
        file.floor_char_boundary(found.clamp(self.span.start.min(file.len()), self.span.end.min(file.len())))
    }

    /// Line by line: the lines of the value are those of the file without their indentation.
    fn locate_literal(&self, file: &str, value: &str, offset: usize) -> usize {
        let before = value.get(..offset).unwrap_or_default();
        let row = before.matches('\n').count();
        let column = before.rfind('\n').map_or(offset, |at| offset - at - 1);
        let wanted = value.split('\n').nth(row).unwrap_or_default();
        // The parser's span begins at the first content; blank lines before it belong to the value too.
        let blank = value.split('\n').take_while(|line| line.is_empty()).count();
        let first = file.get(..self.span.start).and_then(|t| t.rfind('\n')).map_or(0, |at| at + 1);
        let first_is_blank = file.get(first..).and_then(|t| t.lines().next()).is_none_or(|l| l.trim().is_empty());
        let skip = if first_is_blank { row } else { row.saturating_sub(blank) };
        let mut start = first;
        for _ in 0..skip {
            start = file.get(start..).and_then(|t| t.find('\n')).map_or(file.len(), |at| start + at + 1);
        }
        let line = file.get(start..).and_then(|t| t.lines().next()).unwrap_or_default();
        start + line.len().saturating_sub(wanted.len()) + column
    }

    /// Walks value and file side by side; a run of white space of one matches any run of the other.
    fn locate_folded(&self, file: &str, value: &str, offset: usize) -> usize {
        let double = self.style == Style::DoubleQuoted;
        let end = self.span.end.min(file.len());
        let peek = |at: usize| file.get(at..end).and_then(|rest| rest.chars().next());
        let quoted = double || self.style == Style::SingleQuoted;
        let mut at = self.span.start + usize::from(quoted && matches!(peek(self.span.start), Some('"' | '\'')));
        let space = |mut at: usize| {
            while let Some(c) = peek(at).filter(|c| c.is_whitespace()) {
                at += c.len_utf8();
            }
            at
        };
        for wanted in value.get(..offset).unwrap_or_default().chars() {
            // A backslash at the end of a line joins two lines and stands for nothing.
            while double && peek(at) == Some('\\') && matches!(peek(at + 1), Some('\n' | '\r')) {
                at = space(at + 1);
            }
            at = match peek(at) {
                None => break,
                Some('\\') if double => match peek(at + 1) {
                    Some('x') => at + 4,
                    Some('u') => at + 6,
                    Some('U') => at + 10,
                    escaped => at + 1 + escaped.map_or(0, char::len_utf8),
                },
                Some(c) if c.is_whitespace() => space(at),
                Some(_) if wanted.is_whitespace() => at,
                Some('\'') if quoted && !double => at + 2,
                Some(c) => at + c.len_utf8(),
            };
        }
        at
    }
}

/// Nodes of a tree.
pub(super) fn weigh(node: &Node) -> usize {
    match &node.children {
        Children::None => 1,
        Children::Items(items) => 1 + items.iter().map(weigh).sum::<usize>(),
        Children::Entries(entries) => 1 + entries.iter().map(|entry| weigh(&entry.node)).sum::<usize>(),
    }
}

#[cfg(test)]
mod tests {
    use crate::load::yaml::parse;

    /// Every occurrence of `X` in a value is found at an `X` of the file, in order.
    fn check(text: &str) {
        let parsed = parse(text);
        assert_eq!(parsed.faults, [], "{text}");
        let value = parsed.value["k"].as_str().unwrap();
        let (_, node) = parsed.root.find("/k").unwrap();
        let wanted: Vec<usize> = text.match_indices('X').map(|(at, _)| at).collect();
        let found: Vec<usize> = value.match_indices('X').map(|(at, _)| node.locate(text, value, at)).collect();
        assert_eq!(found, wanted, "{text:?}\n{value:?}");
    }

    #[test]
    fn offsets_of_a_scalar_lead_back_into_the_file() {
        check("k: aXb X\n");
        check("k: aX\n   bX  cX\n\n   dX\n");
        check("k: 'it''s X''X'\n");
        check("k: \"a\\n\\\"X\\u00e9X\\x41X \\\n    bX\"\n");
        check("k: |\n  X\n    X\n\n  éX\nz: 1\n");
        check("k: |\n\n\n  X\n    X\n");
        check("k: |2-\n    X\n  X\n");
        check("a: 1\nk: >-\n  X b\n  X c\n\n  dX\n\n    eX\n  fX\n");
        check("a: 1\r\nk: |\r\n  X\r\n  bX\r\n");
        check("{ a: 1, k: \"X, 'X'\" }");
    }
}
