//! Addresses by which people open what a document shows, with places for its values.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// An address with places for values: `https://jaeger.example/trace/{trace_id}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link(String);

/// Places that every document fills, whatever its rows.
const OF_THE_DOCUMENT: [&str; 5] = ["from", "to", "from_ms", "to_ms", "organization_id"];

impl Link {
    /// Reads an address. It begins with `https://` or `http://`, and names a column.
    ///
    /// # Errors
    /// What is wrong with it, and what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        if !host.is_some_and(|host| host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')) {
            return Err(format!("`{text}` is no address: it begins with `https://` and a host"));
        }
        if text.contains(|c: char| c.is_whitespace() || c.is_control() || "`<>\"".contains(c)) {
            return Err(format!("`{}` holds what no address may: write it as `%20` and the like", text.escape_debug()));
        }
        let link = Self(text.to_owned());
        let places: Vec<&str> = link.pieces().filter_map(Result::err).collect();
        let is_name = |name: &&str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        if let Some(wrong) = places.iter().find(|name| !is_name(name)) {
            return Err(format!(
                "`{{{wrong}}}` is no place for a value: write the name of a column, such as `{{trace_id}}`"
            ));
        }
        if places.iter().all(|name| OF_THE_DOCUMENT.contains(name)) {
            return Err("the address has a place for a column, such as `{trace_id}` or `{service_name}`".to_owned());
        }
        Ok(link)
    }

    /// The columns whose values it needs.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.pieces().filter_map(Result::err).filter(|name| !OF_THE_DOCUMENT.contains(name))
    }

    /// The address with values in their places, which are percent-encoded already. None where one is missing.
    pub fn address(&self, value: impl Fn(&str) -> Option<String>) -> Option<String> {
        let pieces = self.pieces().map(|piece| match piece {
            Ok(text) => Some(text.to_owned()),
            Err(name) => value(name),
        });
        pieces.collect()
    }

    /// Texts, and names of places as errors.
    fn pieces(&self) -> impl Iterator<Item = Result<&str, &str>> {
        self.0.split('{').enumerate().flat_map(|(n, part)| match (n, part.split_once('}')) {
            (0, _) => vec![Ok(part)],
            (_, Some((name, text))) => vec![Err(name), Ok(text)],
            // Never closed: no name has a brace.
            (_, None) => vec![Err(self.0.get(self.0.len() - part.len() - 1..).unwrap_or_default())],
        })
    }
}

impl Serialize for Link {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Link {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for Link {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Link".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "An address with places for values of a row: names of columns, `from` and `to` (RFC 3339), `from_ms` and `to_ms`, `organization_id`.",
            "pattern": "^https?://",
            "examples": ["https://jaeger.example/trace/{trace_id}"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_their_places() {
        let link = Link::parse("https://g.example/d/x?service={service_name}&from={from_ms}#a").unwrap();
        assert_eq!(link.columns().collect::<Vec<_>>(), ["service_name"]);
        let value = |name: &str| Some(if name == "from_ms" { "17" } else { "a%20b" }.to_owned());
        let address = link.address(value).unwrap();
        assert_eq!(address, "https://g.example/d/x?service=a%20b&from=17#a");
        assert_eq!(link.address(|name| (name == "from_ms").then(String::new)), None);
    }

    #[test]
    fn what_is_no_address_or_has_no_place_is_refused() {
        for (text, said) in [
            ("javascript:alert({trace_id})", "begins with `https://`"),
            ("https://{service_name}.example/", "begins with `https://` and a host"),
            ("https://x/{trace_id", "no place for a value"),
            ("https://x/{Trace Id}", "holds what no address may"),
            ("https://x/{}", "no place for a value"),
            ("https://x/{from}", "has a place for a column"),
            ("https://x/", "has a place for a column"),
            ("https://x/`{trace_id}`", "holds what no address may"),
        ] {
            let refused = Link::parse(text).unwrap_err();
            assert!(refused.contains(said), "{text}: {refused}");
        }
    }
}
