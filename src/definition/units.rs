//! Durations and sizes as strings with a unit, so that no number in a definition is ambiguous.

use std::{fmt, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A duration: a whole number and a unit of `ms`, `s`, `m`, `h`, `d` or `w`, such as `5s` or `24h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period(pub Duration);

const PERIOD_UNITS: [(&str, u64); 6] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)];

impl Period {
    pub const PATTERN: &'static str = r"^[1-9][0-9]{0,8}(ms|s|m|h|d|w)$";

    pub const fn from_secs(secs: u64) -> Self {
        Self(Duration::from_secs(secs))
    }

    /// Reads `5s`, `90m`, `24h`, `7d`, `2w`. Zero, signs, fractions and missing units are refused.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fail = || {
            format!("`{text}` is not a duration: write a whole number and a unit, such as `30s`, `15m`, `24h`, `7d`")
        };
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at_checked(digits).ok_or_else(fail)?;
        let number: u64 = number.parse().map_err(|_| fail())?;
        let factor = PERIOD_UNITS.iter().find(|(name, _)| *name == unit).map(|(_, f)| *f).ok_or_else(fail)?;
        if number == 0 {
            return Err(format!("`{text}` is no time at all: zero is not allowed here, write `1{unit}` or more"));
        }
        let millis = number.checked_mul(factor).filter(|_| number < 1_000_000_000).ok_or_else(fail)?;
        Ok(Self(Duration::from_millis(millis)))
    }

    pub fn millis(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.millis();
        let (unit, factor) = PERIOD_UNITS
            .iter()
            .filter(|(unit, _)| *unit != "w")
            .rev()
            .find(|(_, factor)| millis > 0 && millis.is_multiple_of(*factor))
            .copied()
            .unwrap_or(("ms", 1));
        write!(f, "{}{unit}", millis / factor)
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for Period {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Period".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A duration: a whole number and a unit of ms, s, m, h, d or w.",
            "pattern": Self::PATTERN,
            "examples": ["5s", "15m", "24h", "7d"],
        })
    }
}

/// A number of bytes: a whole number and a unit of `B`, `KiB`, `MiB` or `GiB`, such as `64KiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

const SIZE_UNITS: [(&str, u64); 4] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

impl ByteSize {
    pub const PATTERN: &'static str = r"^[1-9][0-9]{0,8}(B|KiB|MiB|GiB)$";

    /// Reads `512B`, `64KiB`, `4MiB`, `1GiB`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fail = || format!("`{text}` is not a size: write a whole number and a unit, such as `64KiB` or `4MiB`");
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at_checked(digits).ok_or_else(fail)?;
        let number: u64 = number.parse().map_err(|_| fail())?;
        let factor = SIZE_UNITS.iter().find(|(name, _)| *name == unit).map(|(_, f)| *f).ok_or_else(fail)?;
        if number == 0 {
            return Err(format!("`{text}` is nothing at all: zero is not allowed here, write `1{unit}` or more"));
        }
        number.checked_mul(factor).filter(|_| number < 1_000_000_000).map(Self).ok_or_else(fail)
    }

    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, factor) =
            SIZE_UNITS.iter().rev().find(|(_, factor)| self.0.is_multiple_of(*factor)).copied().unwrap_or(("B", 1));
        write!(f, "{}{unit}", self.0 / factor)
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for ByteSize {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ByteSize".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A number of bytes: a whole number and a unit of B, KiB, MiB or GiB.",
            "pattern": Self::PATTERN,
            "examples": ["64KiB", "4MiB"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_read_and_print_in_their_largest_unit() {
        for (text, printed) in
            [("5s", "5s"), ("90m", "90m"), ("60m", "1h"), ("24h", "1d"), ("2w", "14d"), ("1500ms", "1500ms")]
        {
            assert_eq!(Period::parse(text).unwrap().to_string(), printed);
        }
        assert_eq!(Period(Duration::ZERO).to_string(), "0ms");
        for bad in ["", "5", "s", "-5s", "1.5h", "0s", "5 s", "5y", "99999999999s", "9999999999w"] {
            assert!(Period::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_read_and_print_in_their_largest_unit() {
        for (text, printed) in [("512B", "512B"), ("64KiB", "64KiB"), ("1024KiB", "1MiB")] {
            assert_eq!(ByteSize::parse(text).unwrap().to_string(), printed);
        }
        for bad in ["", "5", "5KB", "0B", "1.5MiB"] {
            assert!(ByteSize::parse(bad).is_err(), "{bad}");
        }
    }
}
