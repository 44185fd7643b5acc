//! Exact arithmetic over the text of an expression, safe for texts that strangers write; pure.
//!
//! Numbers are fractions of whole numbers of any size, so that `0.1 + 0.2` is 0.3 and a third three times is 1. Only roots,
//! logarithms and what would have too many digits are rounded, and the answer says so. Length, depth and digits are
//! bounded; there are no texts, lists or loops, and nothing but what this module names can be called.

mod evaluate;
mod number;
mod parse;

use std::{fmt, ops::Range};

use parse::{Node, Variables};

/// Longest text of an expression, in bytes.
pub const LONGEST: usize = 1000;

/// An expression that can be read.
#[derive(Debug)]
pub struct Expression {
    root: Node,
    variables: Variables,
}

/// What an expression comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Computed {
    /// The digits, or `true` or `false`.
    pub text: String,
    /// The same as a JSON value, which has fewer digits.
    pub value: serde_json::Value,
    /// The text is the value itself, not one near it.
    pub exact: bool,
}

/// Why an expression cannot be read or computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Where in the text.
    pub at: Option<Range<usize>>,
}

impl Expression {
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        parse::expression(text).map(|(root, variables)| Self { root, variables })
    }

    /// Where the text names which variables; of `share.value` the first name.
    pub fn named(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        self.variables.iter().map(|(path, range)| (path.split('.').next().unwrap_or(path), range.clone()))
    }

    /// The variables that it reads.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.named().map(|(name, _)| name)
    }

    /// # Errors
    /// What cannot be computed, such as a division by zero.
    pub fn evaluate(&self, variables: &serde_json::Map<String, serde_json::Value>) -> Result<Computed, Mistake> {
        evaluate::computed(&self.root, variables)
    }
}

impl Mistake {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, at: None }
    }

    fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    fn at(self, range: Range<usize>) -> Self {
        Self { at: Some(range), ..self }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;

    fn with(text: &str, variables: Value) -> Result<Computed, Mistake> {
        Expression::parse(text)?.evaluate(variables.as_object().unwrap())
    }

    /// The text, with `≈` before what was rounded.
    fn of(text: &str) -> String {
        match with(text, Value::Object(Map::new())) {
            Ok(computed) => format!("{}{}", if computed.exact { "" } else { "≈" }, computed.text),
            Err(mistake) => format!("! {}", mistake.message),
        }
    }

    #[test]
    fn numbers_are_exact() {
        for (text, expected) in [
            ("0.1 + 0.2", "0.3"),
            ("0.1 + 0.2 == 0.3", "true"),
            ("1 / 3 * 3", "1"),
            ("1 / 3", "≈0.333333333333333"),
            ("2 / 3", "≈0.666666666666667"),
            ("2 ^ 100", "1267650600228229401496703205376"),
            ("9007199254740993 + 0", "9007199254740993"),
            ("123456789.123456789 * 2", "246913578.246913578"),
            ("1e-7", "0.0000001"),
            ("1.5e3", "1500"),
            ("1_000_000 / 8", "125000"),
            ("10 ^ 40", "10000000000000000000000000000000000000000"),
            ("10 ^ 1000", "≈1e1000"),
            ("7 / 10 ^ 50", "≈7e-50"),
            ("2 / 3 * 10 ^ 150", "≈6.66666666666667e149"),
            ("1.005 ^ 360", "≈6.02257521226322"),
            ("-7 % 3", "-1"),
            ("5.5 % 2", "1.5"),
            ("round(2.5)", "3"),
            ("round(-2.5)", "-3"),
            ("round(1.005, 2)", "1.01"),
            ("round(1234, -2)", "1200"),
            ("floor(-0.5)", "-1"),
            ("ceil(-0.5)", "0"),
            ("abs(-3) + min(4, 2, 8) + max(1, 0.5)", "6"),
            ("sqrt(2.25)", "1.5"),
            ("sqrt(2)", "≈1.4142135623731"),
            ("ln(exp(1))", "≈1"),
            ("log10(1000)", "≈3"),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
    }

    #[test]
    fn operators_bind_as_in_mathematics() {
        for (text, expected) in [
            ("2 + 3 * 4", "14"),
            ("(2 + 3) * 4", "20"),
            ("10 - 4 - 3", "3"),
            ("2 ^ 3 ^ 2", "512"),
            ("2 ** 3", "8"),
            ("-2 ^ 2", "-4"),
            ("2 ^ -1", "0.5"),
            ("4 ^ 0.5", "2"),
            ("100 / 10 / 2", "5"),
            ("6 × 7 − 2 ÷ 2", "41"),
            ("1 < 2 and 2 >= 2 or false", "true"),
            ("not 1 == 2", "true"),
            ("1 = 1.0", "true"),
            ("1 <> 1", "false"),
            ("true != false", "true"),
            // What cannot matter is not computed.
            ("1 == 1 or 1 / 0 > 2", "true"),
            ("1 == 2 and 1 / 0 > 2", "false"),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
    }

    #[test]
    fn a_percent_sign_is_a_percentage_or_a_remainder_but_never_a_guess() {
        for (text, expected) in [
            ("15%", "0.15"),
            ("200 * 15%", "30"),
            ("15% of 200", "30"),
            ("100% - 15%", "0.85"),
            ("10 % 3", "1"),
            ("10%3", "1"),
            ("10 % -3", "1"),
            ("(5 + 5)%", "0.1"),
            ("1 == 100%", "true"),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
        let mistake = with("200 + 10%", json!({})).unwrap_err();
        assert!(mistake.message.contains("may mean two things"), "{mistake}");
        assert!(mistake.help.unwrap().contains("* (1 + 10%)"));
    }

    #[test]
    fn names_are_the_values_that_were_passed() {
        let variables =
            json!({"errors": 3, "requests": 8.0, "ok": true, "share": {"value": 0.1}, "none": null, "t": "7"});
        let computed = with("errors / requests * 100", variables.clone()).unwrap();
        assert_eq!(computed, Computed { text: "37.5".into(), value: json!(37.5), exact: true });
        assert_eq!(with("ok and share.value + 0.2 == 0.3", variables.clone()).unwrap().value, json!(true));
        assert_eq!(with("errors", variables.clone()).unwrap().value, json!(3));
        for (text, piece) in [
            ("erors * 2", "`erors` is not known"),
            ("none + 1", "`none` was not passed"),
            ("t + 1", "`t` is a text"),
            ("share + 1", "`share` is an object"),
            ("share.valu", "`share.valu` is not known"),
            ("ok + 1", "`true` is no number"),
        ] {
            let mistake = with(text, variables.clone()).unwrap_err();
            assert!(mistake.message.contains(piece), "{text}: {mistake}");
            assert!(mistake.help.is_some(), "{text}");
        }
        let names: Vec<String> = Expression::parse("a + max(b.c, 2)").unwrap().variables().map(str::to_owned).collect();
        assert_eq!(names, ["a", "b"]);
    }

    #[test]
    fn what_cannot_be_computed_says_why() {
        for (text, piece) in [
            ("", "there is no expression"),
            ("1 +", "something is missing at the end"),
            ("(1", "a `)` is missing"),
            ("1)", "`)` stands where"),
            ("1 2", "`2` stands where"),
            ("1,000 + 1", "`,` stands where"),
            ("1..2", "`.` has no meaning"),
            ("'a' * 1e9", "`'` has no meaning"),
            ("[1]", "`[` has no meaning"),
            ("a|upper", "`|` has no meaning"),
            ("1 < 2 < 3", "two values at a time"),
            ("system(1)", "there is no function `system`"),
            ("abs()", "`abs` takes one value"),
            ("round(1, 2, 3)", "`round` takes one or two values"),
            ("1 / 0", "division by zero"),
            ("1 % 0", "division by zero"),
            ("0 ^ -1", "division by zero"),
            ("sqrt(-1)", "no real number"),
            ("(-8) ^ 0.5", "no real number"),
            ("ln(0)", "no real number"),
            ("1 and true", "is neither true nor false"),
            ("9 ^ 9 ^ 9", "too large or too small"),
            ("exp(1e6)", "too large or too small"),
            ("1e999999999", "too large or too small"),
            ("round(1, 1e9)", "whole number"),
            ("10 ^ 1000 ^ 1000", "too large or too small"),
        ] {
            assert!(of(text).starts_with("! ") && of(text).contains(piece), "{text}: {}", of(text));
        }
    }

    /// On a stack that is smaller than that of any thread of the server.
    #[test]
    fn a_hostile_text_costs_little_and_never_panics() {
        let little = std::thread::Builder::new().stack_size(768 << 10).spawn(hostile);
        little.unwrap().join().unwrap();
    }

    fn hostile() {
        let long = "1+".repeat(600) + "1";
        assert!(of(&long).contains("longer than 1000"), "{}", of(&long));
        for deep in ["(".repeat(400) + "1" + &")".repeat(400), "-".repeat(900) + "1", "2^".repeat(400) + "2"] {
            assert!(of(&deep).contains("too deep"), "{}", of(&deep));
        }
        let wide = "1/7+1/11+1/13+1/17+1/19+1/23+1/29+1/31+1/37+1/41+1/43+1/47+".repeat(15) + "1";
        assert!(of(&wide).starts_with('≈'));
        let growing = format!("({})^999", (1..120).map(|n| format!("1/{n}")).collect::<Vec<_>>().join("+"));
        let began = std::time::Instant::now();
        assert!(of(&growing).starts_with('≈') || of(&growing).contains("too large or too small"));
        assert!(began.elapsed().as_secs() < 60, "unbounded it ends in no time that anybody waits");
        // Every beginning and every ending of a text with everything in it.
        let all = "not (a.b >= 1.5e3 and -2 ^ .5 % 3 <> max(15%, 2×3) of round(1_0, -2)) = true";
        for (at, _) in all.char_indices() {
            let (before, after) = all.split_at(at);
            let _ = (of(before), of(after));
        }
    }
}
