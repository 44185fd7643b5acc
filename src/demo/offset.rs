//! Signed lengths of time with a unit, down to microseconds, for the demo's YAML files.
//!
//! Definitions use `Period`; a scenario also needs `-40m` (before the end) and a world needs `600us`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error};

/// Nanoseconds, written as a whole number and a unit of `us`, `ms`, `s`, `m` or `h`, with an optional minus sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Offset(pub i64);

const UNITS: [(&str, i64); 5] =
    [("us", 1_000), ("ms", 1_000_000), ("s", SECOND), ("m", 60 * SECOND), ("h", 3600 * SECOND)];

/// Nanoseconds of a second.
pub const SECOND: i64 = 1_000_000_000;
/// Nanoseconds of a minute.
pub const MINUTE: i64 = 60 * SECOND;
/// Nanoseconds of an hour.
pub const HOUR: i64 = 60 * MINUTE;

impl Offset {
    pub fn parse(text: &str) -> Result<Self, String> {
        let fail = || {
            format!("`{text}` is not a length of time: write a whole number and a unit, such as `-40m`, `3ms`, `600us`")
        };
        let (sign, rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = rest.split_at_checked(digits).ok_or_else(fail)?;
        let number: i64 = number.parse().map_err(|_| fail())?;
        let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor).ok_or_else(fail)?;
        number.checked_mul(factor * sign).map(Self).ok_or_else(fail)
    }
}

impl<'de> Deserialize<'de> for Offset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for Offset {
    fn schema_name() -> Cow<'static, str> {
        "Offset".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A length of time: a whole number and a unit of us, ms, s, m or h; a minus sign means before.",
            "pattern": r"^-?[0-9]{1,9}(us|ms|s|m|h)$",
            "examples": ["-40m", "3ms", "600us"],
        })
    }
}
