//! How often something may be done: so many times in a period, and so many of them at once.

use std::{fmt, num::NonZeroU32};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::Period;

/// A number of calls in a period, such as `60/1m`: one is regained every second, and as many as `burst` says may come at
/// once (`60/1m burst 10`). Default of `burst`: the number of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    pub calls: NonZeroU32,
    pub per: Period,
    pub burst: NonZeroU32,
}

/// What stands before the number of calls that may come at once.
const BURST: &str = " burst ";

impl Rate {
    pub const PATTERN: &'static str = r"^[1-9][0-9]{0,8}/[1-9][0-9]{0,8}(ms|s|m|h|d|w)( burst [1-9][0-9]{0,8})?$";

    /// Reads `60/1m` and `60/1m burst 10`. Zero, signs, fractions and a missing period are refused.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fail = || format!("`{text}` is not a rate: write calls and a period, such as `60/1m` or `60/1m burst 10`");
        let number = |digits: &str| match digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.len() < 10 {
            true => digits.parse::<NonZeroU32>().map_err(|_| fail()),
            false => Err(fail()),
        };
        let (calls, rest) = text.split_once('/').ok_or_else(fail)?;
        let (per, burst) = rest.split_once(BURST).map_or((rest, None), |(per, burst)| (per, Some(burst)));
        let calls = number(calls)?;
        let per = Period::parse(per).map_err(|why| format!("{}: {why}", fail()))?;
        Ok(Self { calls, per, burst: burst.map_or(Ok(calls), number)? })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.calls, self.per)?;
        if self.burst == self.calls { Ok(()) } else { write!(f, "{BURST}{}", self.burst) }
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for Rate {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Rate".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "Calls and the period in which they are regained, and how many may come at once.",
            "pattern": Self::PATTERN,
            "examples": ["60/1m", "10/1s burst 30"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_read_and_print() {
        for (text, printed, burst) in
            [("60/1m", "60/1m", 60), ("60/60s burst 10", "60/1m burst 10", 10), ("1/500ms burst 1", "1/500ms", 1)]
        {
            let rate = Rate::parse(text).unwrap();
            assert_eq!((rate.to_string().as_str(), rate.burst.get()), (printed, burst));
        }
        for bad in [
            "",
            "60",
            "60/",
            "/1m",
            "0/1m",
            "60/0m",
            "-1/1m",
            "1.5/1m",
            "60 / 1m",
            "60/m",
            "60/1m burst",
            "60/1m burst 0",
        ] {
            let why = Rate::parse(bad).unwrap_err();
            assert!(why.contains("60/1m burst 10"), "{why}");
        }
    }
}
