//! Forms of personal data. None is masked unless the operator names its kind: who did it is often what is asked for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{IsMeant, always};

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
    pub(super) fn form(self) -> &'static str {
        match self {
            Self::Email => r"(?i)\b[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,24}\b",
            Self::Card => r"\b[0-9](?:[ -]?[0-9]){12,18}\b",
            Self::Iban => r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}\b",
            Self::Phone => r"\+[1-9](?:[ ().-]{0,2}[0-9]){7,14}\b",
            Self::Ip => {
                r"\b(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})\b|(?i)\b(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}\b|\b(?:[0-9a-f]{1,4}:){1,6}:(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,5})?"
            }
        }
    }

    pub(super) fn meant(self) -> IsMeant {
        match self {
            Self::Card => |seen| is_card(seen.value),
            Self::Iban => |seen| is_iban(seen.value),
            Self::Email | Self::Phone | Self::Ip => always,
        }
    }
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
fn is_iban(text: &str) -> bool {
    let plain: String = text.chars().filter(|c| *c != ' ').collect();
    let (head, rest) = plain.split_at_checked(4).unwrap_or_default();
    let values = rest.chars().chain(head.chars()).filter_map(|c| c.to_digit(36));
    (15..=34).contains(&plain.len()) && values.fold(0, |sum, v| (sum * if v > 9 { 100 } else { 10 } + v) % 97) == 1
}
