//! What a credential says of its bearer, as the variable `claims` of SQL templates.
//!
//! A claim is bound like every value. One that is missing is remembered, whatever the template makes of it: a filter
//! for what is missing, such as `default`, must not turn a missing claim into a statement without its condition.

use std::sync::{Arc, Mutex, PoisonError};

use minijinja::{
    Value,
    value::{Object, ObjectRepr, Serde},
};
use serde_json::{Map, Value as Json};

/// Name of the variable.
pub const CLAIMS: &str = "claims";

/// The claims of one rendering.
#[derive(Debug, Clone)]
pub struct Claims(Arc<Level>);

#[derive(Debug)]
struct Level {
    /// None: every claim is there, for statements that are only looked at.
    claims: Option<Map<String, Json>>,
    path: String,
    missing: Arc<Mutex<Option<String>>>,
}

impl Claims {
    pub fn new(claims: &Map<String, Json>) -> Self {
        Self(Arc::new(Level { claims: Some(claims.clone()), path: String::new(), missing: Arc::default() }))
    }

    /// Claims for a sample: each is a text.
    pub fn sample() -> Self {
        Self(Arc::new(Level { claims: None, path: String::new(), missing: Arc::default() }))
    }

    pub fn value(&self) -> Value {
        Value::from_dyn_object(self.0.clone())
    }

    /// The first claim that a rendering asked for in vain.
    pub fn missing(&self) -> Option<String> {
        self.0.missing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Object for Level {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        // No map, or all of it could be bound at once.
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let Some(claims) = &self.claims else { return Some(Value::from("claim")) };
        let name = key.to_string();
        let path = if self.path.is_empty() { name.clone() } else { format!("{}.{name}", self.path) };
        match claims.get(&name) {
            None | Some(Json::Null) => {
                let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
                missing.get_or_insert(path);
                None
            }
            Some(Json::Object(inner)) => {
                let claims = Some(inner.clone());
                Some(Value::from_object(Level { claims, path, missing: self.missing.clone() }))
            }
            Some(other) => Some(Value::from(Serde(other.clone()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_missing_is_remembered_by_its_path_and_the_first_is_told() {
        let all = json!({ "team": "a", "org": { "id": 7 }, "none": null });
        let claims = Claims::new(all.as_object().unwrap());
        let value = claims.value();
        assert_eq!(value.get_attr("team").unwrap().as_str(), Some("a"));
        assert_eq!(value.get_attr("org").unwrap().get_attr("id").unwrap().as_i64(), Some(7));
        assert_eq!(claims.missing(), None);
        assert!(value.get_attr("org").unwrap().get_attr("unit").unwrap().is_undefined());
        assert!(value.get_attr("none").unwrap().is_undefined(), "null is no claim");
        assert_eq!(claims.missing().as_deref(), Some("org.unit"));
    }

    #[test]
    fn of_a_sample_every_claim_is_a_text_and_none_is_missing() {
        let claims = Claims::sample();
        assert_eq!(claims.value().get_attr("anything").unwrap().as_str(), Some("claim"));
        assert_eq!(claims.missing(), None);
    }

    /// A map could be bound as a whole, with what nobody asked for.
    #[test]
    fn claims_are_no_map() {
        let claims = Claims::new(json!({ "team": "a" }).as_object().unwrap());
        assert!(
            claims.value().try_iter().is_err() || claims.value().try_iter().is_ok_and(|mut all| all.next().is_none())
        );
    }
}
