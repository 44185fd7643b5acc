//! Numbers that tell what their digits would tell as a text: passwords, keys, cards.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::{MASK, Masking, named};

/// The least number that is no count below the name of a key.
const LEAST_KEY: u64 = 10_000_000;
/// How many digits the number of a card has that is no time.
const CARD: RangeInclusive<usize> = 14..=16;

impl Masking {
    /// Masks a number that tells what its digits would tell as a text: a password, a key, a card. Says how many.
    pub(super) fn number(&self, name: &str, cell: &mut Value) -> usize {
        let Value::Number(number) = &*cell else { return 0 };
        let is_told = self.secrets && named::is_pin(name, number)
            || number.as_u64().is_some_and(|number| number >= LEAST_KEY && self.is_told(name, &number.to_string()));
        if is_told {
            *cell = MASK.into();
        }
        usize::from(is_told)
    }

    /// Whether digits are masked under a name, or in a card's length by themselves: longer ones are times and ids.
    fn is_told(&self, name: &str, digits: &str) -> bool {
        match CARD.contains(&digits.len()) {
            true => !self.leaf(name, digits, 0).is_empty(),
            false => self.secrets && !named::places(name, digits).is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{super::Personal, *};

    #[test]
    fn numbers_are_masked_as_their_texts_are() {
        let masking = Masking::new(true, &[Personal::Card], &BTreeMap::new());
        for (name, number, is_masked) in [
            ("api_key", 98_765_432_u64, true),
            ("client_secret", 98_765_432, true),
            ("password", 1_234, true),
            ("card_number", 4_111_111_111_111_111, true),
            ("n", 4_111_111_111_111_111, true),
            ("n", 4_111_111_111_111_112, false),
            ("timestamp", 1_795_176_000_000, false),
            ("customer_key", 98_765_432, false),
            ("prompt_tokens", 98_765_432, false),
            ("token_count", 98_765_432, false),
        ] {
            let mut rows = vec![vec![Value::from("a"), number.into()]];
            assert_eq!(masking.rows(&["other", name], &mut rows), usize::from(is_masked), "{name} {number}: {rows:?}");
            let mut value = serde_json::json!({ "a": "x", name: number, "z": "password=hunter2X9" });
            assert_eq!(masking.mask(&mut value), 1 + usize::from(is_masked), "{value}");
            assert_eq!(value["z"], "password=***");
        }
    }
}
