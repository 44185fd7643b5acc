//! Text forms that every backend shares: how a number, a moment or bytes are written in an answer, and how a
//! bound value is written where a database reads text.
//!
//! Pure. The table in `source/mod.rs` is the specification; tests compare the backends with one another.

use serde_json::{Number, Value};
use time::{OffsetDateTime, UtcOffset};

use crate::sql::Bind;

/// Integers beyond this magnitude are not exact in a JSON reader that keeps doubles.
const EXACT: u64 = (1 << 53) - 1;

/// An integer: a number when every JSON reader keeps it exact, else its digits.
pub fn integer(value: i64) -> Value {
    if value.unsigned_abs() <= EXACT { Value::Number(value.into()) } else { Value::String(value.to_string()) }
}

/// As [`integer`], for the upper half of 64 bits.
pub fn unsigned(value: u64) -> Value {
    if value <= EXACT { Value::Number(value.into()) } else { Value::String(value.to_string()) }
}

/// A float: a number, or the name of what JSON cannot write.
pub fn float(value: f64) -> Value {
    match Number::from_f64(value) {
        Some(number) => Value::Number(number),
        None if value.is_nan() => Value::String("NaN".into()),
        None if value > 0.0 => Value::String("Infinity".into()),
        None => Value::String("-Infinity".into()),
    }
}

/// Bytes as `\x` and hexadecimal digits.
pub fn binary(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 + bytes.len() * 2);
    text.push_str("\\x");
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from(DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0')));
        }
    }
    text
}

/// Days since 1970-01-01 as `2026-11-20`. Years outside 0..=9999 are written as ISO 8601 extends them, with a
/// sign (`-0043` is 44 BC).
pub fn date(days: i64) -> String {
    let mut text = String::with_capacity(12);
    push_date(&mut text, days);
    text
}

/// Nanoseconds since 1970-01-01T00:00:00Z, as seconds and a remainder, in RFC 3339 with the fewest of 3, 6 or 9
/// fraction digits that lose nothing.
pub fn timestamp(seconds: i64, nanos: u32) -> String {
    let mut text = local_timestamp(seconds, nanos);
    text.push('Z');
    text
}

/// As [`timestamp`], for the reading of a clock whose zone nobody recorded: without `Z`.
pub fn local_timestamp(seconds: i64, nanos: u32) -> String {
    let mut text = String::with_capacity(30);
    push_date(&mut text, seconds.div_euclid(86_400));
    text.push('T');
    push_time(&mut text, seconds.rem_euclid(86_400), nanos);
    text
}

/// A time of day, `10:00:00.000`, with the same rule for its fraction.
pub fn time_of_day(seconds: i64, nanos: u32) -> String {
    let mut text = String::with_capacity(18);
    push_time(&mut text, seconds, nanos);
    text
}

/// A moment as SQLite's tables store it: exactly three fraction digits, so that comparing texts compares times.
pub fn millisecond_timestamp(moment: OffsetDateTime) -> String {
    let moment = moment.to_offset(UtcOffset::UTC);
    timestamp(moment.unix_timestamp(), u32::from(moment.millisecond()) * 1_000_000)
}

/// A list as JSON text, which is what SQLite keeps for one.
pub fn json_list(items: &[Bind]) -> String {
    fn value(bind: &Bind) -> Value {
        match bind {
            Bind::Null => Value::Null,
            Bind::Bool(value) => Value::Bool(*value),
            Bind::Integer(value) => Value::Number((*value).into()),
            Bind::Float(number) => float(*number),
            Bind::Text(text) => Value::String(text.clone()),
            Bind::Timestamp(moment) => Value::String(millisecond_timestamp(*moment)),
            Bind::Uuid(uuid) => Value::String(uuid.to_string()),
            Bind::List(items) => Value::Array(items.iter().map(value).collect()),
        }
    }
    Value::Array(items.iter().map(value).collect()).to_string()
}

/// About how many bytes a value takes in an answer; what a byte limit counts.
pub fn weight(value: &Value) -> usize {
    match value {
        Value::Null => 4,
        Value::Bool(_) => 5,
        Value::Number(_) => 8,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => 2 + items.iter().map(|item| weight(item) + 1).sum::<usize>(),
        Value::Object(fields) => 2 + fields.iter().map(|(key, item)| key.len() + 4 + weight(item)).sum::<usize>(),
    }
}

fn push_date(text: &mut String, days: i64) {
    use std::fmt::Write as _;
    let (year, month, day) = civil(days);
    // Writing to a string cannot fail.
    let _ = match year {
        0..=9999 => write!(text, "{year:04}-{month:02}-{day:02}"),
        _ => write!(text, "{year:+05}-{month:02}-{day:02}"),
    };
}

fn push_time(text: &mut String, seconds: i64, nanos: u32) {
    let two = |text: &mut String, value: i64| {
        text.push(char::from(b'0' + (value / 10 % 10) as u8));
        text.push(char::from(b'0' + (value % 10) as u8));
    };
    two(text, seconds / 3600);
    text.push(':');
    two(text, seconds / 60 % 60);
    text.push(':');
    two(text, seconds % 60);
    text.push('.');
    let (value, digits) = match nanos {
        _ if nanos.is_multiple_of(1_000_000) => (nanos / 1_000_000, 3),
        _ if nanos.is_multiple_of(1_000) => (nanos / 1_000, 6),
        _ => (nanos, 9),
    };
    for place in (0..digits).rev() {
        text.push(char::from(b'0' + (value / 10_u32.pow(place) % 10) as u8));
    }
}

/// The proleptic Gregorian date of a day number. Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
/// `civil_from_days`.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_beyond_a_double_are_digits() {
        assert_eq!(integer((1 << 53) - 1), serde_json::json!(9007199254740991_i64));
        assert_eq!(integer(1 << 53), serde_json::json!("9007199254740992"));
        assert_eq!(integer(i64::MIN), serde_json::json!("-9223372036854775808"));
        assert_eq!(unsigned(u64::MAX), serde_json::json!("18446744073709551615"));
    }

    #[test]
    fn timestamps_keep_the_fewest_digits_that_lose_nothing() {
        assert_eq!(timestamp(0, 0), "1970-01-01T00:00:00.000Z");
        assert_eq!(timestamp(1_795_169_106, 120_000_000), "2026-11-20T10:05:06.120Z");
        assert_eq!(timestamp(1_795_169_106, 120_450_000), "2026-11-20T10:05:06.120450Z");
        assert_eq!(timestamp(-1, 999_999_999), "1969-12-31T23:59:59.999999999Z");
        assert_eq!(date(-719_529), "-0001-12-31");
        assert_eq!(date(2_932_897), "+10000-01-01");
        assert_eq!(date(11_016), "2000-02-29");
    }

    #[test]
    fn floats_and_bytes() {
        assert_eq!(float(f64::NEG_INFINITY), serde_json::json!("-Infinity"));
        assert_eq!(float(0.5), serde_json::json!(0.5));
        assert_eq!(binary(&[0, 0xab, 0xff]), "\\x00abff");
    }
}
