//! By what a reader of a document goes on: a call, or an address.

use serde_json::{Map, Value, json};

/// A tool, its arguments, and what is to be found there.
#[derive(Debug, Clone, PartialEq)]
pub struct NextCall {
    pub tool: String,
    pub arguments: Map<String, Value>,
    /// A finished sentence.
    pub why: String,
}

impl NextCall {
    /// The call as it is written, and why: `` `tool {"argument": "value"}`: why``.
    pub fn line(&self) -> String {
        format!("`{} {}`: {}", self.tool, Value::Object(self.arguments.clone()), self.why)
    }

    pub fn to_value(&self) -> Value {
        json!({ "tool": self.tool, "arguments": self.arguments, "why": self.why })
    }
}

/// An address at which a person opens what a section shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opens {
    /// What it leads to, as the operator calls it.
    pub name: String,
    /// The title of the section whose row it is of.
    pub of: String,
    pub address: String,
}

impl Opens {
    pub fn line(&self) -> String {
        format!("{} of \"{}\": {}", self.name, self.of, self.address)
    }

    pub fn to_value(&self) -> Value {
        json!({ "name": self.name, "of": self.of, "address": self.address })
    }
}
