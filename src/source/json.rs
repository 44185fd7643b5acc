//! JSON that a database keeps, read so that no digit of a number is lost.
//!
//! The parser makes a double of what is no 64-bit integer before anybody can ask what stood there. So a number that
//! a double does not hold as it is gets quotes in the text that is parsed: it becomes the string of its digits, as
//! such a number in a column of its own does.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde_json::Value;

use super::text;

/// Reads a document; none where it is not JSON, or nested too deeply to be read.
pub fn read(document: &str) -> Option<Value> {
    serde_json::from_str(&with_digits(document)).ok()
}

/// The document with quotes around the numbers that a parser would change.
fn with_digits(document: &str) -> Cow<'_, str> {
    let bytes = document.as_bytes();
    let (mut written, mut copied, mut at) = (String::new(), 0, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = end_of_string(bytes, at + 1),
            b'-' | b'0'..=b'9' => {
                let length = bytes.iter().skip(at).take_while(|byte| is_of_number(**byte)).count();
                let number = document.get(at..at + length).unwrap_or_default();
                // What is no number either is left to the parser to refuse.
                if !is_exact(number) && serde_json::from_str::<IgnoredAny>(number).is_ok() {
                    written.push_str(document.get(copied..at).unwrap_or_default());
                    written.extend(["\"", number, "\""]);
                    copied = at + length;
                }
                at += length;
            }
            _ => at += 1,
        }
    }
    if copied == 0 {
        return Cow::Borrowed(document);
    }
    written.push_str(document.get(copied..).unwrap_or_default());
    Cow::Owned(written)
}

/// The place behind the quote that ends a string.
fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    loop {
        match bytes.get(at) {
            None => return at,
            Some(b'"') => return at + 1,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
        }
    }
}

const fn is_of_number(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')
}

/// Whether every JSON reader keeps the number: integers by the rule of [`text::integer`], others if the shortest
/// digits of the nearest double are the same number.
fn is_exact(number: &str) -> bool {
    if !number.contains(['.', 'e', 'E']) {
        return number.parse().is_ok_and(|integer: i64| text::integer(integer).is_number());
    }
    match number.parse::<f64>() {
        Ok(double) if double.is_finite() => Decimal::of(number) == Decimal::of(&format!("{double:e}")),
        _ => false,
    }
}

/// A number as its significant digits and the power of ten of the last of them.
#[derive(PartialEq, Eq)]
struct Decimal {
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Sign aside: both of the numbers that are compared have the same.
    fn of(number: &str) -> Option<Self> {
        let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let exponent: i64 = exponent.parse().ok()?;
        let all = format!("{}{fraction}", whole.trim_start_matches('-'));
        let digits = all.trim_end_matches('0');
        let dropped = i64::try_from(all.len() - digits.len()).ok()?;
        let exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(dropped)?;
        let digits = digits.trim_start_matches('0').to_owned();
        // Zero is zero, whatever its exponent.
        let exponent = if digits.is_empty() { 0 } else { exponent };
        Some(Self { digits, exponent })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_keep_every_digit() {
        for (document, value) in [
            ("9007199254740991", json!(9_007_199_254_740_991_i64)),
            ("-9007199254740992", json!("-9007199254740992")),
            ("18446744073709551615", json!("18446744073709551615")),
            ("[1e3, -0.5, 0.1, 1E-7, 0e5, 1.50]", json!([1000.0, -0.5, 0.1, 1e-7, 0.0, 1.5])),
            ("0.12345678901234567890", json!("0.12345678901234567890")),
            ("{\"a\": {\"b\": [12345678901234567.25]}}", json!({"a": {"b": ["12345678901234567.25"]}})),
            ("[1e400, -1e400, 1e-400]", json!(["1e400", "-1e400", "1e-400"])),
            ("1e99999999999999999999", json!("1e99999999999999999999")),
            // What stands inside of texts and keys is nobody's number.
            (
                r#"{"99999999999999999999": "1\"99999999999999999999\\", "x": "é 99999999999999999999"}"#,
                json!({"99999999999999999999": "1\"99999999999999999999\\", "x": "é 99999999999999999999"}),
            ),
            (" null ", json!(null)),
            ("true", json!(true)),
        ] {
            assert_eq!(read(document), Some(value), "{document}");
        }
        for broken in ["", "{", "\"a", "\"a\\", "1 2", "--1", "1-2", "nan", "[99999999999999999999", "{1: 2}"] {
            assert_eq!(read(broken), None, "{broken}");
        }
    }
}
