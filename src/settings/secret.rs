//! Values that must not be seen: every way to print or serialise them shows `***`.
//!
//! `Secret` hides all of its text, `SecretUrl` hides the password and the query of a URL, so that `info` and
//! `doctor` can still say which host is meant.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;

use super::convert::schema_at;

/// What stands in the place of a secret.
const MASK: &str = "***";

/// A password, key or token.
#[derive(Clone, Default)]
pub struct Secret(SecretString);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The secret itself. Call it where the secret is used, not before.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// A URL that may carry a password.
#[derive(Clone, Default)]
pub struct SecretUrl(SecretString);

impl SecretUrl {
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The URL with its password. Call it where the URL is used, not before.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The URL with `***` for everything that may be secret: the password and the values of the query.
    pub fn redacted(&self) -> String {
        redact(self.expose())
    }
}

/// Hides the password and the values of the query. A text that is no URL is hidden whole.
fn redact(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return MASK.into() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    // A password may hold an unescaped `/`, `?` or `#`, so the authority ends at the first of these only if no
    // `@` follows it.
    let (authority, tail) = match rest.rfind('@') {
        Some(at) if at > end => {
            let host = rest.get(at..).unwrap_or_default();
            let stop = host.find(['/', '?', '#']).map_or(rest.len(), |n| at + n);
            rest.split_at(stop)
        }
        _ => rest.split_at(end),
    };
    let authority = match authority.rsplit_once('@') {
        None => authority.to_owned(),
        Some((user, host)) => match user.split_once(':') {
            None => format!("{user}@{host}"),
            Some((name, _)) => format!("{name}:{MASK}@{host}"),
        },
    };
    let tail = tail.split('#').next().unwrap_or_default();
    let tail = match tail.split_once('?') {
        None => tail.to_owned(),
        Some((path, query)) => {
            let names: Vec<String> = query
                .split('&')
                .map(|pair| pair.split_once('=').map_or_else(|| MASK.to_owned(), |(name, _)| format!("{name}={MASK}")))
                .collect();
            format!("{path}?{}", names.join("&"))
        }
    };
    format!("{scheme}://{authority}{tail}")
}

macro_rules! hidden {
    ($name:ident, $show:expr, $schema:tt) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let show: fn(&$name) -> String = $show;
                f.write_str(&show(self))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.expose() == other.expose()
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::new)
            }
        }
        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

hidden!(Secret, |_| MASK.to_owned(), {
    "type": "string",
    "description": "A secret; better `${NAME}` of an environment variable than the text itself.",
    "format": "password",
    "writeOnly": true,
});
hidden!(SecretUrl, SecretUrl::redacted, {
    "type": "string",
    "description": "A URL; its password is never shown.",
    "writeOnly": true,
});

/// Whether the value of a key is a secret.
pub(super) fn is_secret(schema: &Json, path: &[&str]) -> bool {
    let marked = |schema: &Json| schema.get("writeOnly") == Some(&Json::Bool(true));
    schema_at(schema, path).is_some_and(|schema| {
        marked(schema)
            || schema.get("items").is_some_and(marked)
            || schema.get("anyOf").and_then(Json::as_array).is_some_and(|branches| branches.iter().any(marked))
    })
}

/// Whether the value of a key may be shown: it is a setting and no secret.
pub fn may_show(key: &str) -> bool {
    let path: Vec<&str> = key.split('.').collect();
    schema_at(&super::SCHEMA, &path).is_some() && !is_secret(&super::SCHEMA, &path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_shows_its_host_and_hides_the_rest() {
        for (url, shown) in [
            ("postgres://tfo:hunter2@db:5432/tfo?sslmode=require", "postgres://tfo:***@db:5432/tfo?sslmode=***"),
            ("http://localhost:8123/telemetry", "http://localhost:8123/telemetry"),
            ("http://default@localhost:8123", "http://default@localhost:8123"),
            ("postgres://u:p@ss:w/rd@db/x", "postgres://u:***@db/x"),
            ("postgres://u:p#q@db/x", "postgres://u:***@db/x"),
            ("http://ch/?password=hunter2#frag", "http://ch/?password=***"),
            ("hunter2", "***"),
        ] {
            assert_eq!(SecretUrl::new(url).to_string(), shown, "{url}");
            assert_eq!(format!("{:?}", SecretUrl::new(url)), shown);
        }
    }

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret} {secret:?} {}", serde_json::to_string(&secret).unwrap()), "*** *** \"***\"");
        assert_eq!(secret.expose(), "hunter2");
    }
}
