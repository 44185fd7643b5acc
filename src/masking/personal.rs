//! Forms of personal data. None is masked unless the operator names its kind: who did it is often what is asked for.

use std::ops::Range;

use regex::Captures;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Of;

/// A kind of personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Personal {
    /// Addresses of e-mail.
    Email,
    /// Numbers of payment cards, by their check digit (ISO/IEC 7812).
    Card,
    /// International bank account numbers, by their check digits (ISO 13616).
    Iban,
    /// Telephone numbers in international form (E.164): `+49 30 901820`.
    Phone,
    /// Addresses of the internet protocol, versions 4 and 6.
    Ip,
}

impl Personal {
    /// An expression, and what is masked of what it finds; a word begins at `§`.
    pub(super) fn form(self) -> (&'static str, Of) {
        match self {
            Self::Email => (
                r"(?i)(?:§[a-z0-9]|[^\x00-\x7f])(?:[a-z0-9._+'-]|[^\x00-\x7f])*(?:@|%40|\\+u0040|&#64;|&#x40;)[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,24}\b",
                Of::Places(address),
            ),
            Self::Card => (r"\b[0-9](?:[ -]?[0-9]){12,18}\b", Of::Value(|seen| is_card(seen.value))),
            Self::Iban => (r"(?i)§[a-z]{2}[0-9]{2} ?[a-z0-9]{2}", Of::Places(account)),
            Self::Phone => (r"\+[1-9](?:[ ().-]{0,2}[0-9]){7,14}\b", Of::Value(|seen| is_phone(seen.value))),
            Self::Ip => (
                r"\b(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})\b|(?i)\b(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}\b|\b(?:[0-9a-f]{1,4}:){1,6}:(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,5})?",
                Of::Value(|seen| is_ip(seen.value)),
            ),
        }
    }
}

/// Where an address of e-mail stands, without the escape before it. `git@github.com` is a machine's.
fn address(_: &str, found: &Captures<'_>) -> (Vec<Range<usize>>, usize) {
    let Some(whole) = found.get(0) else { return (Vec::new(), 0) };
    let place = found.name("b").map_or(whole.start(), |bound| bound.end())..whole.end();
    let length = place.len();
    let said = whole.as_str().get(whole.len() - length..).unwrap_or_default().to_ascii_lowercase();
    let machine = ["git@", "hg@", "ssh@"].iter().any(|user| said.starts_with(user));
    (if machine { Vec::new() } else { vec![place] }, whole.end())
}

/// How long account numbers are by their country (ISO 13616).
const ACCOUNTS: &str = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 \
    ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 \
    LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 \
    SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30";

/// Where an account number stands: as many letters and digits as its country has, in groups or not.
fn account(text: &str, found: &Captures<'_>) -> (Vec<Range<usize>>, usize) {
    let Some(whole) = found.get(0) else { return (Vec::new(), 0) };
    let start = found.name("b").map_or(whole.start(), |bound| bound.end());
    let nothing = (Vec::new(), whole.end());
    let Some(rest) = text.get(start..) else { return nothing };
    let country = rest.get(..2).unwrap_or_default().to_ascii_uppercase();
    let known = ACCOUNTS.split_ascii_whitespace().find_map(|known| known.strip_prefix(country.as_str()));
    let Some(length) = known.and_then(|length| length.parse::<usize>().ok()) else { return nothing };
    let (mut plain, mut end, mut blank) = (String::new(), 0, false);
    for (at, c) in rest.char_indices() {
        match c {
            c if c.is_ascii_alphanumeric() => {
                plain.push(c);
                (end, blank) = (at + 1, false);
            }
            ' ' if !blank => blank = true,
            _ => break,
        }
        if plain.len() == length {
            break;
        }
    }
    let ends = !rest.get(end..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()));
    match plain.len() == length && ends && is_iban(&plain) {
        true => (std::iter::once(start..start + end).collect(), start + end),
        false => nothing,
    }
}

/// A number with a sign before it is a telephone's if it is as long as one, or written as one.
fn is_phone(text: &str) -> bool {
    text.chars().filter(char::is_ascii_digit).count() > 9 || text.contains([' ', '(', '.', '-'])
}

/// Addresses of version 6 are given out from `2000::`; `dead::beef` and `a::b` are words.
fn is_ip(text: &str) -> bool {
    let first = text.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let digit = first.starts_with(|c: char| c.is_ascii_digit());
    let local = first.len() == 4 && ["fc", "fd", "fe", "ff"].iter().any(|begin| first.starts_with(begin));
    !text.contains("::") || digit || local
}

/// The check digit of Luhn.
fn is_card(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    let doubled = |(at, digit): (usize, &u32)| match at % 2 {
        0 => *digit,
        _ if *digit > 4 => 2 * digit - 9,
        _ => 2 * digit,
    };
    let sum: u32 = digits.iter().rev().enumerate().map(doubled).sum();
    digits.iter().any(|digit| *digit != 0) && sum.is_multiple_of(10)
}

/// Moved and read as a number, it is 1 modulo 97.
fn is_iban(plain: &str) -> bool {
    let (head, rest) = plain.split_at_checked(4).unwrap_or_default();
    let values = rest.chars().chain(head.chars()).filter_map(|c| c.to_digit(36));
    values.fold(0, |sum, v| (sum * if v > 9 { 100 } else { 10 } + v) % 97) == 1
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{super::Masking, *};

    #[test]
    fn forms_are_known_by_their_check_digits_their_length_and_what_they_are_given_out_from() {
        for (kind, text, shown) in [
            (Personal::Email, "from ann@example.com to", "from *** to"),
            (Personal::Email, "clone git@github.com:a/b", "clone git@github.com:a/b"),
            (Personal::Card, "paid with 4111 1111 1111 1111 today", "paid with *** today"),
            (Personal::Card, "order 4111 1111 1111 1112", "order 4111 1111 1111 1112"),
            (Personal::Card, "order 0000000000000000", "order 0000000000000000"),
            (Personal::Iban, "to DE89 3704 0044 0532 0130 00, soon", "to ***, soon"),
            (Personal::Iban, "to de89370400440532013000.", "to ***."),
            (Personal::Iban, "to DE88 3704 0044 0532 0130 00", "to DE88 3704 0044 0532 0130 00"),
            (Personal::Iban, "to DE89 3704 0044 0532 0130 001", "to DE89 3704 0044 0532 0130 001"),
            (Personal::Iban, "to DE89  3704", "to DE89  3704"),
            (Personal::Iban, "part ZZ89 3704 0044 0532 0130 00", "part ZZ89 3704 0044 0532 0130 00"),
            (Personal::Phone, "call +49 30 901820 now", "call *** now"),
            (Personal::Phone, "call +4930901820 now", "call *** now"),
            (Personal::Phone, "offset +12345678", "offset +12345678"),
            (Personal::Ip, "from 10.0.0.1 and 2001:db8::1", "from *** and ***"),
            (Personal::Ip, "from fd00::1, in std::fs and dead::beef", "from ***, in std::fs and dead::beef"),
        ] {
            let found = Masking::new(false, &[kind], &BTreeMap::new()).masked(text).0.to_string();
            assert_eq!(found, shown, "{kind:?}");
        }
    }

    #[test]
    fn every_country_has_a_length_that_an_account_number_may_have() {
        for known in ACCOUNTS.split_ascii_whitespace() {
            let (country, length) = known.split_at(2);
            assert!(country.bytes().all(|byte| byte.is_ascii_uppercase()), "{known}");
            assert!(length.parse::<usize>().is_ok_and(|length| (15..=34).contains(&length)), "{known}");
        }
    }
}
