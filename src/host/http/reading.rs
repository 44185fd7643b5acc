//! Reads the JSON of a service, without losing what a reader of JSON is free to lose: digits of whole numbers, and that a member
//! was written twice.

use std::{borrow::Cow, cell::RefCell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Whole numbers with as many digits may be beyond 64 bits.
const DIGITS: usize = 19;

/// The JSON of a text, and the first member that an object has twice, of which the last one is kept. A whole number beyond 64
/// bits is its digits.
///
/// # Errors
/// It is no JSON.
pub(super) fn document(text: &str) -> serde_json::Result<(Value, Option<String>)> {
    let text = with_digits(text);
    let repeated = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_str(&text);
    let value = Any(&repeated).deserialize(&mut reader)?;
    reader.end()?;
    Ok((value, repeated.into_inner()))
}

/// Writes whole numbers beyond 64 bits as texts.
fn with_digits(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let (mut written, mut taken, mut n, mut before) = (String::new(), 0, 0, b',');
    while let Some(&byte) = bytes.get(n) {
        match byte {
            b'"' => {
                n += 1;
                while let Some(&byte) = bytes.get(n).filter(|byte| **byte != b'"') {
                    n += if byte == b'\\' { 2 } else { 1 };
                }
                (n, before) = (n + 1, b'"');
            }
            b'-' | b'0'..=b'9' => {
                let end = bytes
                    .iter()
                    .skip(n)
                    .take_while(|byte| matches!(byte, b'-' | b'+' | b'.' | b'0'..=b'9' | b'e' | b'E'));
                let end = n + end.count();
                let number = text.get(n..end).unwrap_or_default();
                // What follows the name of a member is a value, and so is what stands in a list; a name is no number.
                let next = bytes.iter().skip(end).find(|byte| !byte.is_ascii_whitespace());
                if matches!(before, b'[' | b':' | b',') && next != Some(&b':') && is_beyond(number) {
                    written.push_str(text.get(taken..n).unwrap_or_default());
                    written.extend(["\"", number, "\""]);
                    taken = end;
                }
                (n, before) = (end, b'0');
            }
            byte => {
                if !byte.is_ascii_whitespace() {
                    before = byte;
                }
                n += 1;
            }
        }
    }
    if taken == 0 {
        return Cow::Borrowed(text);
    }
    written.push_str(text.get(taken..).unwrap_or_default());
    Cow::Owned(written)
}

/// Whether it is a whole number that 64 bits do not hold.
fn is_beyond(number: &str) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number);
    digits.len() >= DIGITS
        && !digits.starts_with('0')
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && number.parse::<i64>().is_err()
        && number.parse::<u64>().is_err()
}

/// Any value. Remembers the first member that is repeated.
#[derive(Clone, Copy)]
struct Any<'r>(&'r RefCell<Option<String>>);

impl<'de> DeserializeSeed<'de> for Any<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Any<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            all.push(item);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            if all.contains_key(&key) {
                self.0.borrow_mut().get_or_insert_with(|| key.clone());
            }
            all.insert(key, members.next_value_seed(self)?);
        }
        Ok(Value::Object(all))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_keep_their_digits_and_all_else_is_as_it_was() {
        let text = r#"{"a": 18446744073709551616, "b": [-9223372036854775809, 18446744073709551615, -9223372036854775808],
            "c": 1.5, "d": 123456789012345678901.5, "e": "\"[12345678901234567890123]\\", "f": 1e30, "g": [[],{},null,true,-0]}"#;
        let (read, repeated) = document(text).unwrap();
        assert_eq!(repeated, None);
        assert_eq!(
            read,
            json!({
                "a": "18446744073709551616", "b": ["-9223372036854775809", u64::MAX, i64::MIN], "c": 1.5,
                "d": 123456789012345678901.5, "e": "\"[12345678901234567890123]\\", "f": 1e30,
                "g": serde_json::from_str::<Value>("[[],{},null,true,-0]").unwrap(),
            })
        );
        assert_eq!(document("18446744073709551616").unwrap().0, json!("18446744073709551616"));
    }

    #[test]
    fn what_is_no_json_stays_none() {
        for text in [
            "{123456789012345678901234: 1}",
            "{\"a\": 1, 123456789012345678901234: 1}",
            "[012345678901234567890123]",
            "[1 123456789012345678901234]",
            "[123456789012345678901234-]",
            "\"a\" 123456789012345678901234",
            "[1",
            "\"\\",
            "1 2",
            "",
        ] {
            assert!(document(text).is_err(), "{text}");
        }
        assert!(document(&("[".repeat(1000) + &"]".repeat(1000))).is_err(), "it is too deep");
    }

    #[test]
    fn a_member_that_is_written_twice_is_told() {
        let (read, repeated) = document(r#"[{"a": 1, "b": {"c": 1, "c": 2}, "a": 3}, {"a": 1}]"#).unwrap();
        assert_eq!(read, json!([{ "a": 3, "b": { "c": 2 } }, { "a": 1 }]));
        assert_eq!(repeated.as_deref(), Some("c"));
    }
}
