//! URI templates: RFC 6570 simple (`{name}`), reserved (`{+name}`, at the end) and query (`{?a,b}`) expansion, read backwards.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// A URI or URI template that can tell whether it would expand to a given URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UriTemplate {
    /// Literal text and simple variables, in order.
    parts: Vec<Part>,
    /// Names that may stand in the query.
    query: Vec<String>,
    /// Other names that are taken there.
    aliases: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Variable(String),
    /// All that follows, with its slashes.
    Rest(String),
}

/// A template that does not ask for this variable in its query.
pub(super) fn without(template: &str, name: &str) -> String {
    let Some((before, names)) = template.split_once("{?") else { return template.to_owned() };
    let names = names.strip_suffix('}').unwrap_or(names);
    let left: Vec<&str> = names.split(',').filter(|other| *other != name).collect();
    if left.is_empty() { before.to_owned() } else { format!("{before}{{?{}}}", left.join(",")) }
}

impl UriTemplate {
    /// Reads a URI or template; an error says what is not supported.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut parts, mut query) = (Vec::new(), Vec::new());
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once('{') {
            if !query.is_empty() {
                return Err("nothing may follow the query expansion `{?…}` of a URI template".into());
            }
            let (expression, after) = after.split_once('}').ok_or("a `{` of the URI template is not closed")?;
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            let names = expression.strip_prefix('?');
            let valid = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            match names {
                Some(names) if names.split(',').all(valid) => query = names.split(',').map(str::to_owned).collect(),
                _ => {
                    let part = match expression.strip_prefix('+') {
                        Some(name) if valid(name) && after.is_empty() => Part::Rest(name.to_owned()),
                        None if valid(expression) => Part::Variable(expression.to_owned()),
                        _ => {
                            return Err(format!(
                                "`{{{expression}}}` is not supported: write `{{name}}`, `{{?a,b}}`, or `{{+name}}` at the end"
                            ));
                        }
                    };
                    if matches!(parts.last(), Some(Part::Variable(_))) {
                        return Err("two variables of a URI template need text between them".into());
                    }
                    parts.push(part);
                }
            }
            rest = after;
        }
        if !rest.is_empty() {
            if !query.is_empty() {
                return Err("nothing may follow the query expansion `{?…}` of a URI template".into());
            }
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self { parts, query, aliases: Vec::new() })
    }

    /// The template, which takes these names in the query as well and does not show them.
    pub fn with_aliases(self, aliases: Vec<String>) -> Self {
        Self { aliases, ..self }
    }

    /// Whether it has variables.
    pub fn is_template(&self) -> bool {
        !self.query.is_empty() || self.parts.iter().any(|part| !matches!(part, Part::Literal(_)))
    }

    /// Names of its variables, in order.
    pub fn variables(&self) -> Vec<&str> {
        let simple = self.parts.iter().filter_map(|part| match part {
            Part::Variable(name) | Part::Rest(name) => Some(name.as_str()),
            Part::Literal(_) => None,
        });
        simple.chain(self.query.iter().map(String::as_str)).collect()
    }

    /// The values of the variables if the template expands to this URI.
    pub fn matches(&self, uri: &str) -> Option<Map<String, Value>> {
        let mut values = Map::new();
        let (mut rest, query) = match uri.split_once('?') {
            Some((path, query)) if !self.query.is_empty() => (path, query),
            _ => (uri, ""),
        };
        let mut parts = self.parts.iter().peekable();
        while let Some(part) = parts.next() {
            match part {
                Part::Literal(text) => rest = rest.strip_prefix(text.as_str())?,
                Part::Rest(name) => {
                    if rest.is_empty() {
                        return None;
                    }
                    values.insert(name.clone(), Value::String(decode(rest)));
                    rest = "";
                }
                Part::Variable(name) => {
                    let end = match parts.peek() {
                        Some(Part::Literal(next)) => rest.find(next.as_str())?,
                        _ => rest.find('/').unwrap_or(rest.len()),
                    };
                    let (value, after) = rest.split_at_checked(end)?;
                    if value.is_empty() {
                        return None;
                    }
                    values.insert(name.clone(), Value::String(decode(value)));
                    rest = after;
                }
            }
        }
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = self.query.iter().chain(&self.aliases).find(|known| **known == name)?;
            let value = Value::String(decode(value));
            // Several values of one name are a list, which is refused by whoever takes one value alone.
            match values.get_mut(name) {
                Some(Value::Array(all)) if !all.contains(&value) => all.push(value),
                Some(one) if !one.is_array() && *one != value => *one = Value::Array(vec![one.take(), value]),
                Some(_) => {}
                None => drop(values.insert(name.clone(), value)),
            }
        }
        rest.is_empty().then_some(values)
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn templates_read_back_what_they_expand_to() {
        let template = UriTemplate::parse("telemetry://context/{context_type}{?time_range,service}").unwrap();
        let template = template.with_aliases(vec!["from".into()]);
        assert_eq!(template.variables(), ["context_type", "time_range", "service"]);
        for (uri, expected) in [
            ("telemetry://context/latency", Some(json!({"context_type": "latency"}))),
            (
                "telemetry://context/latency?service=a%20b&time_range=6h",
                Some(json!({"context_type": "latency", "service": "a b", "time_range": "6h"})),
            ),
            ("telemetry://context/latency?from=1", Some(json!({"context_type": "latency", "from": "1"}))),
            (
                "telemetry://context/latency?service=a&time_range=1h&service=b&service=a&time_range=1h",
                Some(json!({"context_type": "latency", "service": ["a", "b"], "time_range": "1h"})),
            ),
            ("telemetry://context/", None),
            ("telemetry://context/a/b", None),
            ("telemetry://context/latency?nope=1", None),
            ("other://context/latency", None),
        ] {
            assert_eq!(template.matches(uri).map(Value::Object), expected, "{uri}");
        }
        let plain = UriTemplate::parse("catalog://contexts").unwrap();
        assert!(!plain.is_template());
        assert!(plain.matches("catalog://contexts").is_some() && plain.matches("catalog://contexts/x").is_none());
        let middle = UriTemplate::parse("test://template/{id}/data").unwrap();
        assert_eq!(middle.matches("test://template/1%2F2/data").map(Value::Object), Some(json!({"id": "1/2"})));
        let file = UriTemplate::parse("file:///{+path}").unwrap();
        assert!(file.is_template() && file.variables() == ["path"]);
        assert_eq!(file.matches("file:///a%20b/c.md?d").map(Value::Object), Some(json!({"path": "a b/c.md?d"})));
        assert_eq!(file.matches("file:///"), None);
        for bad in ["a{", "a{}", "a{+x}b", "a{x}{+y}", "a{+}", "a{+x}{?y}", "a{x}{y}", "a{?x}b", "a{?x}{y}", "{?x-y}"] {
            assert!(UriTemplate::parse(bad).is_err(), "{bad}");
        }
    }
}
