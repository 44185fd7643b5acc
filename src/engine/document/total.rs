//! How many rows there are, as far as that is known.

use std::fmt;

use serde_json::{Value, json};

/// A number of rows: exact, or the least that it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    pub count: usize,
    /// Whether there are more, nobody knows how many.
    pub more: bool,
}

impl Total {
    /// As templates see it: a number, or the words `1000 or more`, which compare as greater than any number.
    pub fn to_value(self) -> Value {
        if self.more { json!(self.to_string()) } else { json!(self.count) }
    }
}

impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.count, if self.more { " or more" } else { "" })
    }
}
