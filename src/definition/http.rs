//! What is asked of a service over HTTP: the request that a definition writes, and where the rows are in the answer.
//!
//! Forms and types alone, which are proved when they are read; how a request is sent is the host's.

use std::fmt;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_json::Value;

use super::Template;

/// What is done with what the path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    /// Reads.
    #[default]
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// Values of a query or a form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum HttpValue {
    /// A text. An empty one is left out.
    One(Template),
    /// The name stands once for each of several texts.
    Each(HttpEach),
}

/// Several texts under one name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpEach {
    /// A JSON array of texts, such as `{{ matchers | tojson }}`. None are left out.
    pub each: Template,
}

impl HttpValue {
    /// The template of it, and what stands before it in a JSON pointer.
    pub fn text(&self) -> (&'static str, &str) {
        match self {
            Self::One(text) => ("", text),
            Self::Each(HttpEach { each }) => ("/each", each),
        }
    }
}

/// A column of the rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum HttpColumn {
    /// Where its value is.
    At(CellPointer),
    /// Where its value is, and how it is read.
    Read(HttpCell),
}

/// Where a value is, and how it is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpCell {
    /// The JSON pointer of the value.
    pub at: CellPointer,
    /// Where it is, if nothing stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub or: Option<CellPointer>,
    /// What the value is.
    #[serde(rename = "as")]
    pub reading: HttpReading,
}

/// How a value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HttpReading {
    /// Seconds since 1970, shown as a time in UTC.
    UnixSeconds,
}

impl HttpColumn {
    pub fn at(&self) -> &CellPointer {
        match self {
            Self::At(at) | Self::Read(HttpCell { at, .. }) => at,
        }
    }

    /// Where its value is, one after the other.
    pub fn places(&self) -> impl Iterator<Item = &CellPointer> {
        let or = match self {
            Self::At(_) => None,
            Self::Read(cell) => cell.or.as_ref(),
        };
        std::iter::once(self.at()).chain(or)
    }

    pub fn reading(&self) -> Option<HttpReading> {
        match self {
            Self::At(_) => None,
            Self::Read(cell) => Some(cell.reading),
        }
    }
}

/// Rows of answers of one form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpShape {
    /// JSON pointers and the texts that stand there in an answer of this form.
    pub when: IndexMap<String, String>,
    /// JSON pointer to the rows.
    pub rows: RowsPointer,
    /// Columns by name. Default: the members of the rows.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub columns: IndexMap<String, HttpColumn>,
}

/// Where an answer tells that the service failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum HttpFailure {
    /// JSON pointer to what it says then, in which `*` stands for every element.
    At(RowsPointer),
    /// A state that it tells.
    Unless(HttpState),
}

/// A state that an answer tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpState {
    /// JSON pointer to it, in which `*` stands for every element.
    pub at: RowsPointer,
    /// What stands there if it did not fail.
    pub unless: String,
}

/// What a service says beside the rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum HttpNote {
    /// JSON pointer to it, in which `*` stands for every element: a text, or an array of them; of `true` the name is told.
    At(RowsPointer),
    /// What is said where something stands.
    Says(HttpSaid),
}

/// What is said where something stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpSaid {
    /// JSON pointer to it, in which `*` stands for every element.
    pub at: RowsPointer,
    /// The sentence.
    pub says: String,
}

/// The path of a request below the address of its service. Each part between two slashes is a template of its own, which is
/// encoded whole: no value adds a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpPath(String);

impl HttpPath {
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some(parts) = text.strip_prefix('/') else { return Err(format!("the path `{text}` begins with `/`")) };
        for part in parts.split('/') {
            if part.contains("{%") || part.contains("{#") {
                return Err(format!("a part of a path holds `{{{{ … }}}}` and no blocks, unlike `{part}`"));
            }
            if part.matches("{{").count() != part.matches("}}").count() {
                return Err(format!("`{part}` is a half: an expression in a path holds no `/`"));
            }
            if !part.contains("{{") && (matches!(part, "." | "..") || part.contains(['?', '#', '%', '\\'])) {
                return Err(format!(
                    "`{part}` cannot be a part of a path: it is written unencoded, and a query in `query`"
                ));
            }
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The templates of its parts.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.get(1..).unwrap_or_default().split('/')
    }
}

/// Where the rows are: a JSON pointer in which `*` stands for every element.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowsPointer(Vec<String>);

impl RowsPointer {
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        tokens(text).map(Self)
    }

    pub fn tokens(&self) -> &[String] {
        &self.0
    }
}

/// Where a value of a row is: a JSON pointer below the row (`/labels/job`), or a relative one: `2/metric` is below what holds
/// what holds the row, and `0#` its key or place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CellPointer {
    pub up: usize,
    /// The key is meant, not what stands there.
    pub key: bool,
    pub below: Vec<String>,
}

impl CellPointer {
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (up, rest) = text.split_at(digits);
        let up = match up {
            "" => 0,
            up => up.parse().map_err(|_| format!("`{text}` leads too far up"))?,
        };
        if rest == "#" && digits > 0 {
            return Ok(Self { up, key: true, below: Vec::new() });
        }
        Ok(Self { up, key: false, below: tokens(rest)? })
    }
}

/// The parts of a JSON pointer (RFC 6901).
fn tokens(text: &str) -> Result<Vec<String>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let wrong = || format!("`{text}` is no JSON pointer: write `/data/result`");
    let parts = text.strip_prefix('/').ok_or_else(wrong)?.split('/');
    parts
        .map(|part| {
            let rest = part.replace("~0", "").replace("~1", "");
            if rest.contains('~') { Err(wrong()) } else { Ok(part.replace("~1", "/").replace("~0", "~")) }
        })
        .collect()
}

fn pointer(tokens: &[String]) -> String {
    tokens.iter().map(|token| format!("/{}", token.replace('~', "~0").replace('/', "~1"))).collect()
}

impl fmt::Display for HttpPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for RowsPointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&pointer(&self.0))
    }
}

impl fmt::Display for CellPointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.up > 0 || self.key {
            write!(f, "{}", self.up)?;
        }
        if self.key { f.write_str("#") } else { f.write_str(&pointer(&self.below)) }
    }
}

/// A type that is written as a text, by its `parse` and `Display`, with the JSON Schema of that text.
macro_rules! written {
    ($name:ident, $schema:tt) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
            }
        }
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}
pub(crate) use written;

written!(HttpPath, { "type": "string", "pattern": "^/" });
written!(RowsPointer, { "type": "string", "pattern": "^(/|$)" });
written!(CellPointer, { "type": "string", "pattern": "^([0-9]+#|[0-9]*(/.*)?)$" });

/// A body in JSON. Texts in it are templates; one that is nothing but `{{ name }}` is the value of the parameter, with its type,
/// and a member whose parameter is not given is left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct HttpJson(pub Value);

impl HttpJson {
    /// The name of the parameter whose value stands in the place of a text.
    pub fn parameter(text: &str) -> Option<&str> {
        let name = text.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim();
        let word = |c: char| c == '_' || c.is_ascii_alphanumeric();
        (name.chars().all(word) && name.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())).then_some(name)
    }

    /// Its texts, each with its JSON pointer.
    pub fn texts(&self) -> Vec<(String, &str)> {
        let mut found = Vec::new();
        walk(&self.0, String::new(), &mut found);
        found
    }
}

fn walk<'a>(value: &'a Value, at: String, found: &mut Vec<(String, &'a str)>) {
    match value {
        Value::String(text) => found.push((at, text)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| walk(item, format!("{at}/{n}"), found));
        }
        Value::Object(members) => {
            members.iter().for_each(|(key, item)| walk(item, at.clone() + &pointer(std::slice::from_ref(key)), found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_read_as_they_are_written() {
        for text in ["", "/data/result", "/data/*/values/*", "/a~1b/c~0d"] {
            assert_eq!(RowsPointer::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "/a", "2/metric", "1", "0#", "1#"] {
            assert_eq!(CellPointer::parse(text).unwrap().to_string(), text);
        }
        for text in ["data", "/a~2", "#", "1#/a", "99999999999999999999999/a"] {
            assert!(CellPointer::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_path_is_split_before_it_is_rendered() {
        let path = HttpPath::parse("/api/v1/label/{{ label }}/values").unwrap();
        assert_eq!(path.parts().collect::<Vec<_>>(), ["api", "v1", "label", "{{ label }}", "values"]);
        for (text, said) in [
            ("api", "begins with"),
            ("/{{ a / b }}", "is a half"),
            ("/{% if a %}x{% endif %}", "no blocks"),
            ("/a/../b", "cannot be"),
            ("/a?b=c", "cannot be"),
            ("/a%2fb", "cannot be"),
        ] {
            let refused = HttpPath::parse(text).unwrap_err();
            assert!(refused.contains(said), "{text}: {refused}");
        }
    }

    #[test]
    fn only_a_bare_name_is_a_parameter() {
        assert_eq!(HttpJson::parameter("{{ limit }}"), Some("limit"));
        for text in ["{{ a.b }}", "{{ a | upper }}", "x{{ a }}", "{{ a }}{{ b }}", "{{ 1 }}", "{{ 1a }}", "a"] {
            assert_eq!(HttpJson::parameter(text), None, "{text}");
        }
    }
}
