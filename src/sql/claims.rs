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
