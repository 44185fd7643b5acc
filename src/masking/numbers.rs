//! Numbers that tell what their digits would tell as a text: passwords, keys, cards.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::{MASK, Masking, named};

/// The least number that is no count below the name of a key.
const LEAST_KEY: f64 = 10_000_000.0;
/// How many digits the number of a card has that is no time.
const CARD: RangeInclusive<usize> = 14..=16;

impl Masking {
    /// Masks a number that tells what its digits would tell as a text: a password, a key, a card; and those of a list below a name. Says
    /// how many.
    pub(super) fn number(&self, name: &str, cell: &mut Value) -> usize {
        let number = match cell {
            Value::Array(items) => return items.iter_mut().map(|item| self.number(name, item)).sum(),
            Value::Number(number) => number,
            _ => return 0,
        };
        let written = number.to_string();
        // What stands before a point tells it, below zero as above.
        let own = written.trim_start_matches('-');
        let digits = own.split(['.', 'e', 'E']).next().unwrap_or_default();
        let is_key = number.as_f64().is_some_and(|number| number.abs() >= LEAST_KEY);
        let is_told = self.secrets && named::is_pin(name, number)
            || is_key && self.is_told(name, digits)
            || self.is_of_the_operator(&written);
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

    /// Whether a number has a form of the operator's, however long it is.
    fn is_of_the_operator(&self, written: &str) -> bool {
        self.further.each.iter().skip(self.kinds).any(|form| !form.places(written).is_empty())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

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

    #[test]
    fn numbers_of_lists_below_zero_and_with_a_point_are_masked_and_those_of_the_operators_forms() {
        let own = BTreeMap::from([("staff".to_owned(), r"\b77[0-9]{6}\b".to_owned())]);
        let masking = Masking::new(true, &[Personal::Card], &own);
        for (name, value, shown) in [
            ("n", json!([4_111_111_111_111_111_u64, 7]), json!(["***", 7])),
            (
                "n",
                json!([[4_111_111_111_111_111_u64, "x"], {"x": 4_111_111_111_111_111_u64}]),
                json!([["***", "x"], {"x": "***"}]),
            ),
            ("password", json!([12_345_678, 12, "x1"]), json!(["***", 12, "***"])),
            ("password", json!({"n": [12_345_678]}), json!({"n": [12_345_678]})),
            ("n", json!(-4_111_111_111_111_111_i64), json!("***")),
            ("n", json!(4_111_111_111_111_111.0), json!("***")),
            ("n", json!(4_111_111_111_111_112.0), json!(4_111_111_111_111_112.0)),
            ("api_key", json!(98_765_432.5), json!("***")),
            ("api_key", json!(0.98765432), json!(0.98765432)),
            ("password", json!(1e30), json!("***")),
            ("password", json!(0.5), json!(0.5)),
            ("n", json!([77_123_456, 78_123_456, 771_234_567]), json!(["***", 78_123_456, 771_234_567])),
            ("n", json!(77_123_456.25), json!("***")),
        ] {
            let mut object = json!({ name: value.clone() });
            masking.mask(&mut object);
            assert_eq!(object[name], shown, "{name} {value}");
            let mut rows = vec![vec![value.clone()]];
            masking.rows(&[name], &mut rows);
            assert_eq!(rows[0][0], shown, "{name} {value}");
        }
    }
}
