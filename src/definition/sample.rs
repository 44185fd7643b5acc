//! Values that a call could pass, so that a statement can be read as its database would see it though nobody calls.

use serde_json::{Value, json};

use super::{Parameter, ParameterType};

/// A UUID that stands for an identifier.
pub const SAMPLE_ID: &str = "00000000-0000-4000-8000-000000000000";

impl Parameter {
    /// Its default, else nothing where it is optional and not `filled`, else the first value that it allows.
    pub fn sample(&self, filled: bool) -> Value {
        if let Some(default) = &self.default {
            return default.clone();
        }
        if !filled && !self.required {
            return Value::Null;
        }
        if let Some(first) = self.choices.as_ref().and_then(|choices| choices.first()) {
            return first.clone();
        }
        match (self.ty, self.items) {
            (ParameterType::Array, items) => json!([of_type(items.unwrap_or(ParameterType::String), self.minimum)]),
            (ty, _) => of_type(ty, self.minimum),
        }
    }
}

fn of_type(ty: ParameterType, minimum: Option<f64>) -> Value {
    match ty {
        ParameterType::String => json!("x"),
        ParameterType::Integer => json!(minimum.unwrap_or(1.0) as i64),
        ParameterType::Number => json!(minimum.unwrap_or(1.5)),
        ParameterType::Boolean => json!(true),
        ParameterType::Array => json!(["x"]),
        ParameterType::Object => json!({ "x": 1 }),
        ParameterType::TimeRange => json!("1h"),
        ParameterType::Timestamp => json!("2026-01-01T00:00:00Z"),
        ParameterType::Uuid => json!(SAMPLE_ID),
    }
}
