//! JSON within texts: what its strings say is read and judged by their names, and masked where it is written, so that all else
//! stays as it is: numbers with their digits, members that stand twice, blanks.

use std::{borrow::Cow, ops::Range};

use super::{
    Masking,
    tree::{self, Branch, Tree},
};

/// Deepest value that is read.
const DEEPEST: usize = 64;

/// A value that is written.
enum Node<'t> {
    /// What stands between the quotes, and where that is.
    Text(&'t str, usize),
    List(Vec<Node<'t>>),
    Object(Vec<(Node<'t>, Node<'t>)>),
    Other,
}

impl Tree for Node<'_> {
    fn branch(&self) -> Branch<'_, Self> {
        match self {
            Self::Text(..) => Branch::Text,
            Self::List(items) => Branch::Items(items),
            Self::Object(members) => {
                Branch::Members(members.iter().map(|(name, value)| (name.said(), value)).collect())
            }
            Self::Other => Branch::Other,
        }
    }

    fn said(&self) -> Cow<'_, str> {
        match self {
            Self::Text(raw, _) if raw.contains('\\') => Cow::Owned(decoded(raw).0),
            Self::Text(raw, _) => Cow::Borrowed(raw),
            Self::List(_) | Self::Object(_) | Self::Other => Cow::Borrowed(""),
        }
    }
}

/// Where the JSON of a text is masked: what its names tell of, and what its escapes could hide. `often`: how often the text was read
/// otherwise than it is written.
pub(super) fn places(masking: &Masking, text: &str, often: usize) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    let mut at = 0;
    while let Some(found) = next(text, at) {
        let mut reader = Reader { text, at: found };
        let node = reader.value(0);
        at = reader.at.max(found + 1);
        let names = if masking.secrets { tree::names(&node) } else { Default::default() };
        let mut judge = Judge { masking, often, names, at: 0, places: &mut places };
        judge.node(&node);
    }
    // Names of members are read where they stand, after what they name.
    places.sort_by_key(|place: &Range<usize>| place.start);
    places
}

/// Where an object or a list begins, as far as its first signs tell.
fn next(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| matches!(byte, b'{' | b'['))?;
        let inner = bytes.get(at + 1..)?.iter().copied().find(|byte| !byte.is_ascii_whitespace());
        if matches!(inner, Some(b'"')) || (matches!(inner, Some(b'{' | b'[')) && bytes.get(at) == Some(&b'[')) {
            return Some(at);
        }
        at += 1;
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        self.at += rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.text.as_bytes().get(self.at).copied()
    }

    fn takes(&mut self, sign: u8) -> bool {
        let is = self.peek() == Some(sign);
        self.at += usize::from(is);
        is
    }

    /// A value, or as much of it as there is: a text may be cut anywhere.
    fn value(&mut self, depth: usize) -> Node<'t> {
        match self.peek() {
            Some(b'"') => self.string().unwrap_or(Node::Other),
            Some(b'[') if depth < DEEPEST => {
                self.at += 1;
                let mut items = Vec::new();
                while !self.takes(b']') {
                    let before = self.at;
                    items.push(self.value(depth + 1));
                    if !self.takes(b',') {
                        self.takes(b']');
                        break;
                    }
                    if self.at == before {
                        break;
                    }
                }
                Node::List(items)
            }
            Some(b'{') if depth < DEEPEST => {
                self.at += 1;
                let mut members = Vec::new();
                while self.peek() == Some(b'"') {
                    let Some(name) = self.string() else { break };
                    if !self.takes(b':') {
                        break;
                    }
                    members.push((name, self.value(depth + 1)));
                    if !self.takes(b',') {
                        break;
                    }
                }
                self.takes(b'}');
                Node::Object(members)
            }
            _ => {
                let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
                let plain = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
                self.at += rest.iter().take_while(plain).count();
                Node::Other
            }
        }
    }

    fn string(&mut self) -> Option<Node<'t>> {
        let start = self.at + 1;
        let bytes = self.text.as_bytes();
        let mut at = start;
        loop {
            match bytes.get(at) {
                Some(b'\\') => at += 2,
                Some(b'"') => break,
                // No text of JSON goes over a line; what is cut off ends with it.
                Some(b'\n') | None => {
                    self.at = at.min(bytes.len());
                    return None;
                }
                Some(_) => at += 1,
            }
        }
        self.at = at + 1;
        Some(Node::Text(self.text.get(start..at)?, start))
    }
}

struct Judge<'a> {
    masking: &'a Masking,
    often: usize,
    names: std::collections::BTreeMap<usize, String>,
    at: usize,
    places: &'a mut Vec<Range<usize>>,
}

impl Judge<'_> {
    fn node(&mut self, node: &Node<'_>) {
        match node {
            Node::Text(raw, start) => {
                let name = self.names.remove(&self.at);
                self.at += 1;
                self.text(name.as_deref(), raw, *start);
            }
            Node::List(items) => items.iter().for_each(|item| self.node(item)),
            Node::Object(members) => {
                for (name, value) in members {
                    if let Node::Text(raw, start) = name {
                        self.text(None, raw, *start);
                    }
                    self.node(value);
                }
            }
            Node::Other => {}
        }
    }

    /// What is written as it is, and has no name, is looked through with the whole text.
    fn text(&mut self, name: Option<&str>, raw: &str, start: usize) {
        if raw.contains('\\') {
            let (said, from) = decoded(raw);
            let written = |at: usize| from.get(at).copied().unwrap_or(raw.len());
            let places = self.masking.leaf(name.unwrap_or_default(), &said, self.often).into_iter();
            self.places.extend(places.map(|place| start + written(place.start)..start + written(place.end)));
        } else if let Some(name) = name {
            let places = super::named::places(name, raw).into_iter();
            self.places.extend(places.map(|place| start + place.start..start + place.end));
        }
    }
}

/// What a string says, and for each byte of that where it is written.
pub(super) fn decoded(raw: &str) -> (String, Vec<usize>) {
    let (mut said, mut from) = (String::with_capacity(raw.len()), Vec::with_capacity(raw.len() + 1));
    let mut at = 0;
    let code = |at: usize| u16::from_str_radix(raw.get(at..at + 4)?, 16).ok();
    while let Some(c) = raw.get(at..).and_then(|rest| rest.chars().next()) {
        let (c, length) = match (c, raw.as_bytes().get(at + 1)) {
            ('\\', Some(b'u')) => match code(at + 2) {
                Some(high) if (0xd800..0xdc00).contains(&high) => {
                    let low = raw.get(at + 6..at + 8).filter(|escape| *escape == "\\u").and_then(|_| code(at + 8));
                    let both = low.and_then(|low| char::decode_utf16([high, low]).next()?.ok());
                    both.map_or((char::REPLACEMENT_CHARACTER, 6), |both| (both, 12))
                }
                Some(unit) => (char::from_u32(unit.into()).unwrap_or(char::REPLACEMENT_CHARACTER), 6),
                None => ('\\', 1),
            },
            ('\\', Some(escape)) => match escape {
                b'n' => ('\n', 2),
                b'r' => ('\r', 2),
                b't' => ('\t', 2),
                b'b' => ('\u{8}', 2),
                b'f' => ('\u{c}', 2),
                b'"' | b'\\' | b'/' | b'\'' => (char::from(*escape), 2),
                _ => ('\\', 1),
            },
            (c, _) => (c, c.len_utf8()),
        };
        from.extend(std::iter::repeat_n(at, c.len_utf8()));
        said.push(c);
        at += length;
    }
    from.push(raw.len());
    (said, from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_masked_where_it_is_written_and_stays_what_it_is() {
        let masking = Masking::secrets();
        let token = "\\u0067hp_aB3dE5gH7jK9mN1pQ3sT5vX7zA9cE1gI3kM5";
        for (text, shown) in [
            (
                r#"{"big": 123456789012345678901234567890, "rate": 1.10, "k":"x","k":"y", "note":"a\tb", "api_key":"abcd1234EFGH"}"#
                    .to_owned(),
                r#"{"big": 123456789012345678901234567890, "rate": 1.10, "k":"x","k":"y", "note":"a\tb", "api_key":"***"}"#
                    .to_owned(),
            ),
            (format!(" {{\"t\":\"{token}\"}}"), " {\"t\":\"***\"}".to_owned()),
            (format!("{{\"a\":1}}\n{{\"t\":\"{token} é\"}}\n{{\"b\": "), "{\"a\":1}\n{\"t\":\"*** é\"}\n{\"b\": ".to_owned()),
            (format!("10:00 INFO {{\"t\":[\"{token}\"]}} sent"), "10:00 INFO {\"t\":[\"***\"]} sent".to_owned()),
            (r#"{"\u0070assword":"letmein","n":1"#.to_owned(), r#"{"\u0070assword":"***","n":1"#.to_owned()),
            (
                r#"[{"key":"db.password","value":{"stringValue":"letmein"}}]"#.to_owned(),
                r#"[{"key":"db.password","value":{"stringValue":"***"}}]"#.to_owned(),
            ),
            (r#"[["password","letmein"]]"#.to_owned(), r#"[["password","***"]]"#.to_owned()),
        ] {
            let (said, count) = masking.masked(&text);
            assert_eq!((said.as_ref(), count), (shown.as_str(), 1), "{text}");
        }
        for text in
            [r#"{"a\tb": "c\n"}"#, "[[[[", "{\"", "{\"a\":", "[{\"a\" \"b\"}]", r#"{"a":"\ud83d\ude00 \ud83d \u12"}"#]
        {
            assert_eq!(masking.masked(text), (Cow::Borrowed(text), 0));
        }
        let deep = "[".repeat(100_000) + &"{\"a\":".repeat(100_000);
        assert_eq!(masking.masked(&deep).1, 0);
    }
}
