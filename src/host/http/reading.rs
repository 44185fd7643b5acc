//! Reads the JSON of a service, without losing what a reader of JSON is free to lose: digits of whole numbers, and that a member
//! was written twice.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    fmt,
};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Whole numbers with as many digits may be beyond 64 bits.
const DIGITS: usize = 19;

/// Most names of repeated members that are kept.
const REPEATED: usize = 5;

/// Most memory that the values of an answer take, in bytes: short ones take many times what they are written with.
const MEMORY: usize = 96 << 20;
/// Of an object that is not empty, and of each further member.
const OBJECT: usize = 448;
const MEMBER: usize = 128;
/// Of a list that is not empty: room for so many values.
const LIST: usize = 4;

/// What is said of JSON that is not read although it is JSON.
const UNREAD: [(&str, &str); 3] = [
    (TOO_MUCH, "its values take more than 96 MiB of memory"),
    ("number out of range", "it has a number that no double holds, such as 1e400"),
    ("recursion limit exceeded", "it is deeper than 128 levels"),
];
const TOO_MUCH: &str = "too many values";

/// Why an answer is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unread {
    /// It is no JSON.
    NoJson(String),
    /// It is JSON, as far as that was read, and more than is read here.
    Refused(&'static str),
}

impl From<serde_json::Error> for Unread {
    fn from(error: serde_json::Error) -> Self {
        let told = error.to_string();
        let refused = UNREAD.into_iter().find(|(begins, _)| told.starts_with(begins));
        refused.map_or(Self::NoJson(told), |(_, why)| Self::Refused(why))
    }
}

/// The JSON of a text, and the first members that an object has twice, of which the last one is kept. A whole number beyond 64
/// bits is its digits.
///
/// # Errors
/// It is no JSON.
pub(super) fn document(text: &str) -> serde_json::Result<(Value, Vec<String>)> {
    // What some writers begin a text with, and readers may skip.
    let text = with_digits(text.strip_prefix('\u{feff}').unwrap_or(text));
    let read = Read { repeated: RefCell::default(), left: Cell::new(MEMORY) };
    let mut reader = serde_json::Deserializer::from_str(&text);
    let value = Any(&read).deserialize(&mut reader)?;
    reader.end()?;
    Ok((value, read.repeated.into_inner()))
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

/// What is known while an answer is read.
struct Read {
    /// The first members that are repeated.
    repeated: RefCell<Vec<String>>,
    /// Memory that is left to its values, in bytes.
    left: Cell<usize>,
}

impl Read {
    /// Takes memory before it is asked for.
    fn take<E: Error>(&self, bytes: usize) -> Result<(), E> {
        let left = self.left.get().checked_sub(bytes).ok_or_else(|| E::custom(TOO_MUCH))?;
        self.left.set(left);
        Ok(())
    }
}

/// Any value.
#[derive(Clone, Copy)]
struct Any<'r>(&'r Read);

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
        self.0.take::<E>(value.len())?;
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        self.0.take::<E>(value.len())?;
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            let taken = if all.is_empty() { LIST } else { 1 };
            self.0.take::<A::Error>(taken * size_of::<Value>())?;
            all.push(item);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            self.0.take::<A::Error>(key.len() + if all.is_empty() { OBJECT } else { MEMBER })?;
            if all.contains_key(&key) {
                let mut repeated = self.0.repeated.borrow_mut();
                if repeated.len() < REPEATED && !repeated.contains(&key) {
                    repeated.push(key.clone());
                }
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
        assert!(repeated.is_empty());
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

    /// Short values take many times the memory that they are written with.
    #[test]
    fn what_takes_much_memory_is_refused_while_it_is_read() {
        let many = |one: &str, times: usize| format!("[{}{one}]", format!("{one},").repeat(times));
        let told = |text: &str| document(text).map(|_| ()).map_err(Unread::from);
        for one in [r#"{"":0}"#, r#"[[[[[[{"":0}]]]]]]"#] {
            assert_eq!(told(&many(one, 300_000)), Err(Unread::Refused(UNREAD[0].1)), "{one}");
            assert_eq!(told(&many(one, 20_000)), Ok(()), "{one}");
        }
        // As a service of metrics writes them.
        assert_eq!(told(&many(r#"[1763640000.781,"0.123456"]"#, 170_000)), Ok(()));
    }

    #[test]
    fn what_is_json_is_not_called_none() {
        let told = |text: &str| document(text).map(|_| ()).map_err(Unread::from);
        assert_eq!(told("[1e400]"), Err(Unread::Refused(UNREAD[1].1)));
        assert_eq!(told(&("[".repeat(200) + &"]".repeat(200))), Err(Unread::Refused(UNREAD[2].1)));
        assert_eq!(document("\u{feff}[1]").unwrap().0, json!([1]));
        assert!(matches!(told("[1"), Err(Unread::NoJson(_))));
    }

    #[test]
    fn a_member_that_is_written_twice_is_told() {
        let (read, repeated) = document(r#"[{"a": 1, "b": {"c": 1, "c": 2}, "a": 3}, {"a": 1}]"#).unwrap();
        assert_eq!(read, json!([{ "a": 3, "b": { "c": 2 } }, { "a": 1 }]));
        assert_eq!(repeated, ["c", "a"]);
    }
}
