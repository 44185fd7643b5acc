//! A line of `JSONCompactEachRow` into values that mean what the table in [`crate::source`] says.
//!
//! The type decides how a token is read, so no number passes through a double that is not one. What an account
//! without settings cannot ask for (ISO timestamps, all decimals) is made up for here.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, value::RawValue};

use super::types::DataType;
use crate::source::{json, text};

/// Reads one row. `utc` says that timestamps without a zone are meant in UTC.
pub(super) fn read_row(line: &[u8], types: &[DataType], utc: bool) -> Result<Vec<Value>, String> {
    let row = Row { types, utc };
    let read = if types.iter().any(DataType::holds_binary) {
        let mut reader = serde_json::Deserializer::from_slice(line);
        row.deserialize(&mut reader).and_then(|row| reader.end().map(|()| row))
    } else {
        let repaired = String::from_utf8_lossy(line);
        let mut reader = serde_json::Deserializer::from_str(&repaired);
        row.deserialize(&mut reader).and_then(|row| reader.end().map(|()| row))
    };
    read.map_err(|error| error.to_string())
}

struct Row<'a> {
    types: &'a [DataType],
    utc: bool,
}

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = Vec<Value>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = Vec<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} values", self.types.len())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut row = Vec::with_capacity(self.types.len());
        for ty in self.types {
            let value = items.next_element_seed(Typed { ty, utc: self.utc })?;
            row.push(value.ok_or_else(|| A::Error::custom("a value is missing"))?);
        }
        match items.next_element::<IgnoredAny>()? {
            None => Ok(row),
            Some(_) => Err(A::Error::custom("there are more values than columns")),
        }
    }
}

/// Reads one value of a type.
#[derive(Clone, Copy)]
struct Typed<'a> {
    ty: &'a DataType,
    utc: bool,
}

impl<'a> Typed<'a> {
    fn inner(self, ty: &'a DataType) -> Self {
        Self { ty, ..self }
    }
}

impl<'de> DeserializeSeed<'de> for Typed<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Typed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value of {:?}", self.ty)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.ty {
            DataType::WideInteger => {
                let raw: &RawValue = serde::Deserialize::deserialize(deserializer)?;
                wide_integer(raw.get().trim_matches('"')).map_err(D::Error::custom)
            }
            DataType::Decimal(scale) => {
                let raw: &RawValue = serde::Deserialize::deserialize(deserializer)?;
                decimal(raw.get().trim_matches('"'), *scale).map_err(D::Error::custom)
            }
            // The parser would make doubles of the numbers in it.
            DataType::Json | DataType::Any => {
                let raw: &RawValue = serde::Deserialize::deserialize(deserializer)?;
                Ok(json::read(raw.get()).unwrap_or_else(|| Value::String(raw.get().to_owned())))
            }
            // As bytes: a state may hold any, and so may text where one stands beside it.
            DataType::Text | DataType::Binary => deserializer.deserialize_bytes(self),
            _ => deserializer.deserialize_any(self),
        }
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(match self.ty {
            DataType::Boolean => Value::Bool(value != 0),
            DataType::Float => text::float(value as f64),
            DataType::Interval(unit) => Value::String(interval(&value.to_string(), unit)),
            _ => text::unsigned(value),
        })
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(match self.ty {
            DataType::Float => text::float(value as f64),
            DataType::Interval(unit) => Value::String(interval(&value.to_string(), unit)),
            _ => text::integer(value),
        })
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(text::float(value))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        match self.ty {
            // Accounts of old servers quote 64 bits unless they are told not to.
            DataType::Integer => wide_integer(value).map_err(E::custom),
            DataType::Interval(unit) => Ok(Value::String(interval(value, unit))),
            DataType::Float => match value {
                "nan" | "-nan" => Ok(text::float(f64::NAN)),
                "inf" => Ok(text::float(f64::INFINITY)),
                "-inf" => Ok(text::float(f64::NEG_INFINITY)),
                digits => digits.parse().map(text::float).map_err(E::custom),
            },
            DataType::Timestamp(zone) => timestamp(value, zone.as_deref(), self.utc).map_err(E::custom),
            DataType::Binary => Ok(Value::String(text::binary(value.as_bytes()))),
            _ => Ok(Value::String(value.to_owned())),
        }
    }

    fn visit_bytes<E: serde::de::Error>(self, value: &[u8]) -> Result<Value, E> {
        match self.ty {
            DataType::Binary => Ok(Value::String(text::binary(value))),
            _ => self.visit_str(&String::from_utf8_lossy(value)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::with_capacity(items.size_hint().unwrap_or(0).min(1024));
        let mut index = 0;
        loop {
            let ty = match self.ty {
                DataType::Array(ty) => ty,
                DataType::Tuple(types) => types.get(index).unwrap_or(&DataType::Any),
                DataType::Record(fields) => fields.get(index).map_or(&DataType::Any, |(_, ty)| ty),
                _ => &DataType::Any,
            };
            match items.next_element_seed(self.inner(ty))? {
                Some(value) => values.push(value),
                None => return Ok(Value::Array(values)),
            }
            index += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        // A map of ClickHouse is a list of pairs, and nothing keeps two of them from having the same key: then it is told as one.
        let mut pairs: Option<Vec<Value>> = None;
        while let Some(key) = entries.next_key_seed(Key)? {
            let ty = match self.ty {
                DataType::Map(ty) => ty,
                DataType::Record(fields) => {
                    fields.iter().find(|(name, _)| *name == key).map_or(&DataType::Any, |(_, ty)| ty)
                }
                _ => &DataType::Any,
            };
            let value = entries.next_value_seed(self.inner(ty))?;
            let pair = |(key, value): (String, Value)| Value::Array(vec![Value::String(key), value]);
            match &mut pairs {
                Some(pairs) => pairs.push(pair((key, value))),
                None if object.contains_key(&key) => {
                    let mut all: Vec<Value> = std::mem::take(&mut object).into_iter().map(pair).collect();
                    all.push(pair((key, value)));
                    pairs = Some(all);
                }
                None => {
                    object.insert(key, value);
                }
            }
        }
        Ok(pairs.map_or(Value::Object(object), Value::Array))
    }
}

/// A number of units as ISO 8601 writes a length of time, such as `PT90M`: the number alone would be of nothing.
fn interval(count: &str, unit: &str) -> String {
    let (sign, digits) = match count.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", count),
    };
    let fraction = |places: usize| {
        let padded = format!("{digits:0>width$}", width = places + 1);
        let (whole, rest) = padded.split_at(padded.len() - places);
        format!("PT{sign}{whole}.{rest}S")
    };
    match unit {
        "Nanosecond" => fraction(9),
        "Microsecond" => fraction(6),
        "Millisecond" => fraction(3),
        "Second" => format!("PT{count}S"),
        "Minute" => format!("PT{count}M"),
        "Hour" => format!("PT{count}H"),
        "Day" => format!("P{count}D"),
        "Week" => format!("P{count}W"),
        "Month" => format!("P{count}M"),
        "Year" => format!("P{count}Y"),
        // It has no letter of its own.
        "Quarter" => format!("P{}M", count.parse::<i128>().unwrap_or(0).saturating_mul(3)),
        _ => format!("{count} {}", unit.to_lowercase()),
    }
}

/// A key of an object; may hold bytes that are not UTF-8 where a state stands beside it.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = String;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Key {
    type Value = String;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_str<E>(self, key: &str) -> Result<String, E> {
        Ok(key.to_owned())
    }
    fn visit_bytes<E>(self, key: &[u8]) -> Result<String, E> {
        Ok(String::from_utf8_lossy(key).into_owned())
    }
}

fn wide_integer(digits: &str) -> Result<Value, String> {
    if let Ok(value) = digits.parse() {
        return Ok(text::integer(value));
    }
    let unsigned = digits.strip_prefix('-').unwrap_or(digits);
    if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("an integer is expected".to_owned());
    }
    Ok(Value::String(digits.to_owned()))
}

/// Digits with the scale of the column: ClickHouse leaves trailing zeros out unless it is asked for them.
fn decimal(digits: &str, scale: usize) -> Result<Value, String> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = whole.strip_prefix('-').unwrap_or(whole).bytes().chain(fraction.bytes());
    if whole.is_empty() || !all.clone().all(|byte| byte.is_ascii_digit()) {
        return Err("a decimal is expected".to_owned());
    }
    Ok(Value::String(match scale.max(fraction.len()) {
        0 => whole.to_owned(),
        width => format!("{whole}.{fraction:0<width$}"),
    }))
}

/// `2026-11-20T10:00:00.120000Z` with the fewest of 3, 6 or 9 fraction digits.
fn timestamp(value: &str, zone: Option<&str>, utc: bool) -> Result<Value, String> {
    let (moment, fraction) = match value.strip_suffix('Z') {
        Some(iso) => iso.split_once('.').unwrap_or((iso, "")),
        None if zone.map_or(utc, is_utc) => value.split_once('.').unwrap_or((value, "")),
        None => return Err(ZONE_UNKNOWN.to_owned()),
    };
    let significant = fraction.trim_end_matches('0').len();
    let width = significant.div_ceil(3).max(1) * 3;
    let kept = fraction.get(..significant).unwrap_or_default();
    Ok(Value::String(format!("{}.{kept:0<width$}Z", moment.replacen(' ', "T", 1))))
}

/// The one failure that an operator can do something about.
pub(super) const ZONE_UNKNOWN: &str = "a timestamp in another zone than UTC";

/// Names of UTC in the time zone database.
pub(super) fn is_utc(zone: &str) -> bool {
    matches!(zone, "UTC" | "Etc/UTC" | "Etc/UCT" | "UCT" | "Zulu" | "Etc/Zulu" | "GMT" | "Etc/GMT" | "Universal")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(line: &str, types: &[&str]) -> Result<Vec<Value>, String> {
        let types: Vec<_> = types.iter().map(|ty| DataType::parse(ty)).collect();
        read_row(line.as_bytes(), &types, true)
    }

    #[test]
    fn answers_of_accounts_without_settings_are_made_up_for() {
        let row = read(
            r#"["18446744073709551615", 1.5, "2026-11-20 10:00:00", "2026-11-20 10:00:00.120400", null, -7, "5"]"#,
            &["UInt64", "Decimal(9, 3)", "DateTime", "DateTime64(6)", "Float64", "Decimal(9, 2)", "Int64"],
        );
        let expected = json!([
            "18446744073709551615",
            "1.500",
            "2026-11-20T10:00:00.000Z",
            "2026-11-20T10:00:00.120400Z",
            null,
            "-7.00",
            5
        ]);
        assert_eq!(json!(row.unwrap()), expected);
        assert_eq!(
            read(r#"["2026-11-20 10:00:00"]"#, &["DateTime('Asia/Tokyo')"]).unwrap_err().split(" at ").next(),
            Some(ZONE_UNKNOWN)
        );
    }

    #[test]
    fn intervals_keep_their_unit() {
        for (line, ty, expected) in [
            ("[90]", "IntervalMinute", json!("PT90M")),
            ("[\"-3\"]", "IntervalQuarter", json!("P-9M")),
            ("[1500]", "IntervalMillisecond", json!("PT1.500S")),
            ("[-5]", "IntervalNanosecond", json!("PT-0.000000005S")),
            ("[[1, 2]]", "Tuple(IntervalDay, Nullable(IntervalWeek))", json!(["P1D", "P2W"])),
            ("[null]", "Nullable(IntervalYear)", json!(null)),
        ] {
            assert_eq!(read(line, &[ty]).unwrap(), [expected], "{ty}");
        }
    }

    #[test]
    fn a_map_that_has_a_key_twice_is_a_list_of_pairs() {
        let row = read(
            r#"[{"b": 1, "a": 2}, {"b": 1, "a": 2, "b": 3}, [{"x": "y", "x": "y"}]]"#,
            &["Map(String, UInt8)", "Map(String, UInt8)", "Array(Map(String, String))"],
        );
        let expected = json!([{"b": 1, "a": 2}, [["b", 1], ["a", 2], ["b", 3]], [[["x", "y"], ["x", "y"]]]]);
        assert_eq!(json!(row.unwrap()), expected);
    }

    #[test]
    fn rows_of_another_shape_are_errors() {
        for (line, types) in [
            ("[1]", &["UInt8", "UInt8"][..]),
            ("[1,2]", &["UInt8"]),
            ("[1] x", &["UInt8"]),
            (r#"["x"]"#, &["UInt8"]),
            (r#"["1e5"]"#, &["Decimal(9, 2)"]),
            ("{}", &["UInt8"]),
        ] {
            assert!(read(line, types).is_err(), "{line}");
        }
    }
}
