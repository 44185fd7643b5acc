//! What the placeholders of a statement say of its values: `{p1:Array(String)}`.
//!
//! ClickHouse takes a number that does not fit into its type modulo its size, and a day that is none as 1970-01-01, and
//! does not mind values for which a statement has no place. A caller's value that does not read back as it was given, or
//! is not read at all, is refused here, before something else is counted.

use std::collections::{BTreeMap, BTreeSet};

use time::{Date, macros::format_description};

use super::literals::{self, is_composed};
use crate::{
    source::{SourceError, SourceErrorKind},
    sql::{
        Bind, Dialect,
        lex::{self, Kind},
    },
};

/// The type of each placeholder `pN`, by N.
fn types(sql: &str) -> impl Iterator<Item = (usize, &str)> {
    sql.match_indices("{p").filter_map(|(at, lead)| {
        let rest = sql.get(at + lead.len()..)?;
        let (number, rest) = rest.split_once(':')?;
        let mut depth = 0_usize;
        let end = rest.find(|c| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == '}' && depth == 0
        })?;
        Some((number.trim().parse().ok()?, rest.get(..end)?.trim()))
    })
}

/// The values of placeholders that are literals of several parts, by number, as ClickHouse reads them.
pub(super) fn composed(sql: &str, binds: &[Bind]) -> BTreeMap<usize, String> {
    let composed = types(sql).filter(|(_, ty)| is_composed(ty));
    let written = composed.filter_map(|(number, ty)| match binds.get(number.checked_sub(1)?)? {
        Bind::Text(text) => {
            let literal = literals::read(ty, text, |_, _| None);
            Some((number, literal.map_or_else(|| text.clone(), |literal| literal.text)))
        }
        _ => None,
    });
    written.collect()
}

/// Refuses values that have no placeholder, or are none of its type.
///
/// # Errors
/// The first of them, with its type.
pub(super) fn check(sql: &str, binds: &[Bind]) -> Result<(), SourceError> {
    all_have_places(sql, binds.len())?;
    for (number, ty) in types(sql) {
        let Some(bind) = number.checked_sub(1).and_then(|at| binds.get(at)) else { continue };
        let text = match bind {
            Bind::Text(text) => text.trim().to_owned(),
            Bind::Integer(value) => value.to_string(),
            Bind::Float(value) => format!("{value:?}"),
            _ => continue,
        };
        let misfit = match is_composed(ty) {
            true => literals::read(ty, &text, misfit).and_then(|literal| literal.misfit).map(|found| {
                format!("a part of the value of `{{p{number}:{ty}}}`, `{}`, is {}", shown(&found.part), found.what)
            }),
            false => misfit(inner(ty), &text)
                .map(|what| format!("the value of `{{p{number}:{ty}}}`, `{}`, is {what}", shown(&text))),
        };
        if let Some(message) = misfit {
            return Err(SourceError::new(SourceErrorKind::Value, message)
                .hint("pass a value of that type in `params`, or another type in the placeholder"));
        }
    }
    Ok(())
}

fn all_have_places(sql: &str, values: usize) -> Result<(), SourceError> {
    // What cannot be cut into tokens the database refuses.
    let Ok(tokens) = lex::tokens(Dialect::ClickHouse, sql) else { return Ok(()) };
    let places = tokens.iter().filter(|token| token.kind == Kind::Placeholder);
    let names = places.filter_map(|token| Some(token.text.strip_prefix('{')?.split(':').next()?.trim()));
    let names: BTreeSet<&str> = names.collect();
    let Some(surplus) = (1..=values).find(|n| !names.contains(format!("p{n}").as_str())) else { return Ok(()) };
    let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let (has, given) = (counted(names.len(), "placeholder"), counted(values, "value"));
    let what = format!("`params` has {given}, but the statement has {has}: there is no `{{p{surplus}:Type}}`");
    Err(SourceError::new(SourceErrorKind::Value, what).hint(
        "write `{p1:String}`, `{p2:UInt32}` and so on where the values belong, or leave out those without a place",
    ))
}

/// Enough of a value to know it by.
fn shown(text: &str) -> String {
    const MOST: usize = 40;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The type inside `Nullable` and `LowCardinality`.
pub(super) fn inner(ty: &str) -> &str {
    let mut ty = ty.trim();
    while let Some(inside) =
        ["Nullable(", "LowCardinality("].iter().find_map(|outer| ty.strip_prefix(outer)?.strip_suffix(')'))
    {
        ty = inside.trim();
    }
    ty
}

/// What a text is that is no value of a type.
fn misfit(ty: &str, text: &str) -> Option<String> {
    let base = ty.split('(').next().unwrap_or_default().trim();
    if let Some((signed, bits)) = integer(base) {
        return out_of_range(signed, bits, text);
    }
    let day = |text: &str, first: i32, last: i32| {
        let day = Date::parse(text, format_description!("[year]-[month]-[day]")).ok();
        let known = day.is_some_and(|day| (first..=last).contains(&day.year()));
        (!known).then(|| format!("no day between the years {first} and {last}, written as 2026-11-20"))
    };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match base {
        // A number of days, or of seconds.
        "Date" | "Date32" if digits => None,
        "Date" => day(text, 1970, 2148),
        "Date32" => day(text, 1900, 2299),
        "DateTime" | "DateTime32" | "DateTime64" if !digits => {
            let (first, last) = if base == "DateTime64" { (1900, 2299) } else { (1970, 2105) };
            let date = text.get(..10).filter(|_| text.as_bytes().get(4) == Some(&b'-'));
            let time = || text.get(11..).filter(|time| time.as_bytes().get(2) == Some(&b':')).and_then(hour);
            date.and_then(|date| day(date, first, last).or_else(time))
        }
        "Time" | "Time64" if !digits => hour(text.trim_start_matches('-')),
        "Float32" | "Float64" => {
            let finite = if base == "Float32" {
                text.parse::<f32>().map(f32::is_finite)
            } else {
                text.parse::<f64>().map(f64::is_finite)
            };
            let written = text.bytes().any(|byte| byte.is_ascii_digit());
            (finite == Ok(false) && written).then(|| "beyond its numbers, and would be infinite".to_owned())
        }
        _ if base.starts_with("Decimal") => finer(ty, text),
        _ => None,
    }
}

/// What a time of day is that has no such minute or second.
fn hour(text: &str) -> Option<String> {
    let wrong =
        text.split([':', '.', 'Z', '+', '-']).skip(1).take(2).any(|part| part.parse::<u8>().is_ok_and(|n| n > 59));
    wrong.then(|| "no time of day, written as 10:59:59".to_owned())
}

/// What a number is that a decimal would cut.
fn finer(ty: &str, text: &str) -> Option<String> {
    let scale = ty.rsplit(['(', ',']).next()?.trim_end_matches(')').trim();
    let scale: usize = scale.parse().ok()?;
    let (_, fraction) = text.split_once('.').filter(|_| !text.contains(['e', 'E']))?;
    let digits = fraction.trim_end_matches('0').len();
    (digits > scale).then(|| format!("finer than its numbers, which have {scale} digits behind the point"))
}

/// Whether a type of integers has a sign, and how many bits.
fn integer(base: &str) -> Option<(bool, u32)> {
    let (signed, bits) = match base.strip_prefix("UInt") {
        Some(bits) => (false, bits),
        None => (true, base.strip_prefix("Int")?),
    };
    bits.parse().ok().filter(|bits| [8, 16, 32, 64, 128, 256].contains(bits)).map(|bits| (signed, bits))
}

fn out_of_range(signed: bool, bits: u32, text: &str) -> Option<String> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.trim_start_matches('0');
    if !text.bytes().any(|byte| byte.is_ascii_digit()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some("no whole number".to_owned());
    }
    let most = greatest(if signed { bits - 1 } else { bits }, signed && negative);
    let fits = !negative || signed || digits.is_empty();
    let within = digits.len() < most.len() || (digits.len() == most.len() && digits <= most.as_str());
    (!fits || !within).then(|| {
        let least = if signed { format!("-{}", greatest(bits - 1, true)) } else { "0".to_owned() };
        format!("beyond its numbers, {least} to {}", greatest(if signed { bits - 1 } else { bits }, false))
    })
}

/// The digits of 2^bits, less one unless `whole`.
fn greatest(bits: u32, whole: bool) -> String {
    let mut digits = vec![1_u8];
    for _ in 0..bits {
        let mut carry = 0;
        for digit in &mut digits {
            let doubled = *digit * 2 + carry;
            (*digit, carry) = (doubled % 10, doubled / 10);
        }
        if carry > 0 {
            digits.push(carry);
        }
    }
    // No power of two ends in 0.
    if let Some(last) = digits.first_mut().filter(|_| !whole) {
        *last -= 1;
    }
    digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_beyond_their_type_are_refused() {
        for (ty, text, fits) in [
            ("UInt8", "255", true),
            ("UInt8", "256", false),
            ("UInt8", "-1", false),
            ("UInt8", "-0", true),
            ("UInt8", "0000300", false),
            ("UInt8", "1.5", false),
            ("UInt8", "", false),
            ("Int8", "-128", true),
            ("Int8", "-129", false),
            ("Int8", "128", false),
            ("UInt64", "18446744073709551615", true),
            ("UInt64", "18446744073709551616", false),
            ("Nullable(Int64)", "-9223372036854775808", true),
            ("Nullable(Int64)", "-9223372036854775809", false),
            ("UInt256", &"9".repeat(77), true),
            ("UInt256", &"9".repeat(78), false),
            ("Date", "2026-11-20", true),
            ("Date", "2026-13-45", false),
            ("Date", "1969-12-31", false),
            ("Date32", "1969-12-31", true),
            ("LowCardinality(Date)", "yesterday", false),
            ("DateTime", "2026-02-30 10:00:00", false),
            ("DateTime64(3)", "2026-11-20T10:00:00.000Z", true),
            ("DateTime", "1763632800", true),
            ("String", "2026-13-45", true),
            ("Decimal(9, 2)", "1.5", true),
            ("Decimal(9, 2)", "-1.2300", true),
            ("Decimal(10, 2)", "1.239", false),
            ("Decimal64(1)", "1.25", false),
            ("Float64", "1e400", false),
            ("Float32", "1e39", false),
            ("Float64", "inf", true),
            ("Float64", "1e308", true),
            ("Time", "25:61:00", false),
            ("Time", "100:59:59", true),
            ("DateTime", "2026-11-20 10:61:00", false),
            ("DateTime64(3)", "2026-11-20T10:00:00.000+01:00", true),
            ("Tuple(UInt8, Date)", "(300,'2026-02-28')", false),
            ("Tuple(UInt8, Date)", "(44,'2026-02-30')", false),
            ("Tuple(UInt8, Date)", "(44,'2026-02-28')", true),
            ("Map(String, UInt8)", "{'a':256}", false),
            ("Array(Date)", "['2026-13-45']", false),
            ("Array(Nullable(UInt8))", "[1,NULL,255]", true),
            ("Array(Array(Int8))", "[[1],[128]]", false),
            ("Array(String)", "['2026-13-45']", true),
        ] {
            let sql = format!("SELECT {{p1:{ty}}}");
            let checked = check(&sql, &[Bind::Text(text.to_owned())]);
            assert_eq!(checked.is_ok(), fits, "{ty} {text}: {checked:?}");
        }
        assert!(check("SELECT {p1:UInt8}, {p2:Date}", &[Bind::Integer(300)]).is_err());
    }

    #[test]
    fn values_without_a_place_are_refused() {
        let said = |sql: &str, values| check(sql, &vec![Bind::Text("1".into()); values]).map_err(|error| error.message);
        for (sql, values) in [
            ("SELECT 1", 0),
            ("SELECT {p1:String}", 1),
            ("SELECT { p1 : String }, {p2:UInt8}, {p1:String}", 2),
            // What is missing the database says.
            ("SELECT {p1:String}, {p2:String}", 1),
        ] {
            assert_eq!(said(sql, values), Ok(()), "{sql}");
        }
        for (sql, values, place) in [
            ("SELECT 1", 2, "{p1:Type}"),
            ("SELECT {p1:String}", 2, "{p2:Type}"),
            ("SELECT {p2:String}", 2, "{p1:Type}"),
            ("SELECT '{p1:String}' -- {p1:String}", 1, "{p1:Type}"),
        ] {
            assert!(said(sql, values).unwrap_err().contains(place), "{sql}");
        }
    }

    #[test]
    fn literals_of_several_parts_are_told_by_their_type() {
        let sql =
            "SELECT {p1:Array(String)}, {p2: Map(String, Array(UInt8)) }, {p3:String}, {p10:Tuple(a String, b UInt8)}";
        let values = vec![Bind::Text("x".into()); 10];
        assert_eq!(composed(sql, &values).into_keys().collect::<Vec<_>>(), [1, 2, 10]);
        assert_eq!(types(sql).nth(1), Some((2, "Map(String, Array(UInt8))")));
    }
}
