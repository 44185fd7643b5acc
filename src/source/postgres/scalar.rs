//! Binary forms of PostgreSQL's single values: numbers, times, addresses.

use std::fmt::Write as _;

use serde_json::Value;

use crate::source::text;

/// Seconds from 1970-01-01 to 2000-01-01, where PostgreSQL's clock begins.
const EPOCH: i64 = 946_684_800;
const MICROS: i64 = 1_000_000;

/// The shortest decimal that is this float, not the double nearest to it: 0.1, not 0.10000000149011612.
pub(super) fn float4(value: f32) -> Value {
    if !value.is_finite() {
        return text::float(f64::from(value));
    }
    text::float(value.to_string().parse().unwrap_or(f64::from(value)))
}

/// Microseconds since 2000-01-01, UTC. The two ends of the range mean infinity.
pub(super) fn timestamp(micros: i64) -> String {
    moment(micros, text::timestamp)
}

/// The same of a clock whose zone nobody recorded.
pub(super) fn local_timestamp(micros: i64) -> String {
    moment(micros, text::local_timestamp)
}

fn moment(micros: i64, written: fn(i64, u32) -> String) -> String {
    match micros {
        i64::MAX => "infinity".into(),
        i64::MIN => "-infinity".into(),
        _ => {
            let nanos = u32::try_from(micros.rem_euclid(MICROS)).unwrap_or(0) * 1_000;
            written(micros.div_euclid(MICROS) + EPOCH, nanos)
        }
    }
}

/// Days since 2000-01-01.
pub(super) fn date(days: i32) -> String {
    match days {
        i32::MAX => "infinity".into(),
        i32::MIN => "-infinity".into(),
        _ => text::date(i64::from(days) + EPOCH / 86_400),
    }
}

/// Microseconds since midnight; 24:00:00 exists.
pub(super) fn time(micros: i64) -> String {
    let nanos = u32::try_from(micros.rem_euclid(MICROS)).unwrap_or(0) * 1_000;
    text::time_of_day(micros.div_euclid(MICROS), nanos)
}

/// A time of day and seconds west of Greenwich.
pub(super) fn time_with_zone(bytes: &[u8]) -> Option<String> {
    let (micros, zone) = bytes.split_at_checked(8)?;
    let west = i32::from_be_bytes(zone.try_into().ok()?);
    let sign = if west > 0 { '-' } else { '+' };
    let (hours, minutes) = (west.unsigned_abs() / 3_600, west.unsigned_abs() / 60 % 60);
    Some(format!("{}{sign}{hours:02}:{minutes:02}", time(i64::from_be_bytes(micros.try_into().ok()?))))
}

/// An interval as ISO 8601 writes it: `P1Y2M3DT4H5M6.5S`. Months, days and microseconds are separate, since
/// no month and no day has always the same length; each keeps its own sign.
pub(super) fn interval(bytes: &[u8]) -> Option<String> {
    let micros = i64::from_be_bytes(bytes.get(..8)?.try_into().ok()?);
    let days = i32::from_be_bytes(bytes.get(8..12)?.try_into().ok()?);
    let months = i32::from_be_bytes(bytes.get(12..16)?.try_into().ok()?);
    match (micros, days, months) {
        (i64::MAX, i32::MAX, i32::MAX) => return Some("infinity".into()),
        (i64::MIN, i32::MIN, i32::MIN) => return Some("-infinity".into()),
        _ => {}
    }
    let mut out = String::from("P");
    // Writing to a string cannot fail.
    let mut part = |value: i64, unit: char| {
        if value != 0 {
            let _ = write!(out, "{value}{unit}");
        }
    };
    part(i64::from(months / 12), 'Y');
    part(i64::from(months % 12), 'M');
    part(i64::from(days), 'D');
    if micros != 0 {
        out.push('T');
        let mut part = |value: i64, unit: char| {
            if value != 0 {
                let _ = write!(out, "{value}{unit}");
            }
        };
        part(micros / (3_600 * MICROS), 'H');
        part(micros / (60 * MICROS) % 60, 'M');
        let rest = micros % (60 * MICROS);
        if rest != 0 {
            let sign = if rest < 0 { "-" } else { "" };
            let fraction = format!("{:06}", (rest % MICROS).unsigned_abs());
            let fraction = fraction.trim_end_matches('0');
            let dot = if fraction.is_empty() { "" } else { "." };
            let _ = write!(out, "{sign}{}{dot}{fraction}S", (rest / MICROS).unsigned_abs());
        }
    }
    if out.len() == 1 {
        out.push_str("T0S");
    }
    Some(out)
}

/// Digits in groups of four, a weight, a sign and the number of digits to show after the point.
pub(super) fn numeric(bytes: &[u8]) -> Option<String> {
    let word = |index: usize| -> Option<u16> {
        Some(u16::from_be_bytes(bytes.get(index * 2..index * 2 + 2)?.try_into().ok()?))
    };
    let count = usize::from(word(0)?);
    let weight = i32::from(word(1)?.cast_signed());
    match word(2)? {
        0xC000 => return Some("NaN".into()),
        0xD000 => return Some("Infinity".into()),
        0xF000 => return Some("-Infinity".into()),
        _ => {}
    }
    let scale = usize::from(word(3)?);
    let mut out = String::with_capacity(count * 4 + scale + 2);
    if word(2)? == 0x4000 {
        out.push('-');
    }
    let group = |position: i32| -> Option<u16> {
        let index = usize::try_from(position).ok().filter(|index| *index < count);
        index.map_or(Some(0), |index| word(4 + index))
    };
    if weight < 0 {
        out.push('0');
    }
    for position in 0..=weight {
        let digits = group(position)?;
        // Writing to a string cannot fail.
        let _ = if position == 0 { write!(out, "{digits}") } else { write!(out, "{digits:04}") };
    }
    if scale > 0 {
        out.push('.');
        let whole = out.len();
        let mut position = weight + 1;
        while out.len() < whole + scale {
            let _ = write!(out, "{:04}", group(position)?);
            position += 1;
        }
        out.truncate(whole + scale);
    }
    Some(out)
}

/// A number of bits, then the bits.
pub(super) fn bits(bytes: &[u8]) -> Option<String> {
    let (length, bits) = bytes.split_at_checked(4)?;
    let length = usize::try_from(i32::from_be_bytes(length.try_into().ok()?)).ok()?;
    (0..length)
        .map(|index| {
            let byte = bits.get(index / 8)?;
            Some(if byte & (128 >> (index % 8)) != 0 { '1' } else { '0' })
        })
        .collect()
}

/// Family, bits of the mask, whether it is a `cidr`, length, address.
pub(super) fn network(bytes: &[u8]) -> Option<String> {
    let mask = *bytes.get(1)?;
    let is_cidr = *bytes.get(2)? != 0;
    let address = bytes.get(4..)?;
    let (address, full) = match address.len() {
        4 => (std::net::IpAddr::from(<[u8; 4]>::try_from(address).ok()?), 32),
        16 => (std::net::IpAddr::from(<[u8; 16]>::try_from(address).ok()?), 128),
        _ => return None,
    };
    Some(if is_cidr || mask != full { format!("{address}/{mask}") } else { address.to_string() })
}

pub(super) fn mac_address(bytes: &[u8]) -> String {
    let parts: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    parts.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval_of(months: i32, days: i32, micros: i64) -> String {
        let mut bytes = micros.to_be_bytes().to_vec();
        bytes.extend(days.to_be_bytes());
        bytes.extend(months.to_be_bytes());
        interval(&bytes).unwrap()
    }

    #[test]
    fn intervals() {
        assert_eq!(interval_of(0, 0, 0), "PT0S");
        assert_eq!(interval_of(14, 3, 14_706_500_000), "P1Y2M3DT4H5M6.5S");
        assert_eq!(interval_of(-1, 1, -500_000), "P-1M1DT-0.5S");
        assert_eq!(interval_of(0, 0, 7_200_000_000), "PT2H");
    }

    #[test]
    fn numerics() {
        let number = |count: u16, weight: i16, sign: u16, scale: u16, groups: &[u16]| {
            let mut bytes = Vec::new();
            for word in [count, weight.cast_unsigned(), sign, scale].iter().chain(groups) {
                bytes.extend(word.to_be_bytes());
            }
            numeric(&bytes).unwrap()
        };
        assert_eq!(number(0, 0, 0, 0, &[]), "0");
        assert_eq!(number(0, 0, 0, 2, &[]), "0.00");
        assert_eq!(number(2, 0, 0x4000, 2, &[12, 3400]), "-12.34");
        assert_eq!(number(1, -1, 0, 4, &[5]), "0.0005");
        assert_eq!(number(1, -2, 0, 6, &[1200]), "0.000012");
        assert_eq!(number(1, 2, 0, 0, &[3]), "300000000");
        assert_eq!(number(0, 0, 0xC000, 0, &[]), "NaN");
    }
}
