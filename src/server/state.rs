//! The state of a call that waits for answers, as a client carries it (`requestState` of 2026-07-28).
//!
//! It is signed, not encrypted: a client can read it and cannot change it. Each state is bound to the call that it
//! came from and to its caller, and ends after [`LIFETIME`]. Within that time a client may come back with the same
//! state several times, as with any request that it repeats.

use std::time::Duration;

use ring::rand::{SecureRandom as _, SystemRandom};
use rmcp::{
    ErrorData,
    model::{RequestStateCodec, RequestStateError, SealOptions},
};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::engine::Principal;

/// How long a state is good for.
pub const LIFETIME: Duration = Duration::from_secs(60 * 60);

const MIN_KEY: usize = RequestStateCodec::MIN_KEY_LENGTH;

/// Keys that seal states: the first one seals, all of them open.
#[derive(Debug, Clone)]
pub struct StateKeys(Vec<RequestStateCodec>);

/// Why a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key that seals the state of calls has at least {MIN_KEY} bytes, this one has {_0}", _0 = .0)]
pub struct KeyTooShort(pub usize);

impl Default for StateKeys {
    /// A key of this process alone: after a restart, and at another replica, a state is not known.
    fn default() -> Self {
        let mut key = vec![0; MIN_KEY];
        // Without randomness from the system nothing that follows would be safe either: no key, no state.
        let keys = SystemRandom::new().fill(&mut key).ok().and_then(|()| RequestStateCodec::try_new(key).ok());
        Self(keys.into_iter().collect())
    }
}

impl StateKeys {
    /// The key that seals, then those that sealed before and still open.
    ///
    /// # Errors
    /// A key is too short.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a str>) -> Result<Self, KeyTooShort> {
        let codec = |key: &str| RequestStateCodec::try_new(key).map_err(|_| KeyTooShort(key.len()));
        Ok(Self(keys.into_iter().map(codec).collect::<Result<_, _>>()?))
    }

    /// A state as a client carries it.
    pub fn seal(&self, state: &Value, bound_to: &[u8]) -> Result<String, ErrorData> {
        let options = SealOptions::new().ttl(LIFETIME).associated_data(bound_to);
        let sealed = self.0.first().and_then(|codec| codec.seal_json_with(state, &options).ok());
        sealed.ok_or_else(|| ErrorData::internal_error("the state of the call cannot be sealed", None))
    }

    /// A state as the call left it.
    pub fn open(&self, sealed: &str, bound_to: &[u8]) -> Result<Value, ErrorData> {
        let mut expired = false;
        for codec in &self.0 {
            match codec.open_json_with(sealed, bound_to) {
                Ok(state) => return Ok(state),
                Err(error) => expired |= matches!(error, RequestStateError::Expired),
            }
        }
        let what = if expired {
            "requestState has expired"
        } else {
            "requestState does not belong to this call: it was changed, comes from another server, or was given for \
             other arguments or to another caller"
        };
        let hint = "call again without requestState and inputResponses";
        Err(ErrorData::invalid_params(
            format!("Invalid params: {what}; {hint}"),
            Some(json!({"kind": "request_state", "hint": hint})),
        ))
    }
}

/// What a state is bound to: the call, written in one way only, and who makes it.
pub fn binding(method: &str, subject: &str, arguments: &Map<String, Value>, caller: &Principal) -> Vec<u8> {
    // Written as it is read: most calls never need it, and all of them make it. Texts, numbers and texts as keys are
    // always JSON.
    serde_json::to_vec(&(method, subject, Sorted(arguments), caller.owner())).unwrap_or_default()
}

/// With the keys of every object in order.
struct Sorted<'a>(&'a Map<String, Value>);

impl Serialize for Sorted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields: Vec<_> = self.0.iter().collect();
        fields.sort_by_key(|(key, _)| *key);
        serializer.collect_map(fields.into_iter().map(|(key, value)| (key, Canonical(value))))
    }
}

struct Canonical<'a>(&'a Value);

impl Serialize for Canonical<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(object) => Sorted(object).serialize(serializer),
            Value::Array(items) => serializer.collect_seq(items.iter().map(Canonical)),
            other => other.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "0123456789abcdef0123456789abcdef";
    const B: &str = "fedcba9876543210fedcba9876543210";

    #[test]
    fn a_state_opens_with_its_own_key_and_binding_only() {
        let (old, new) = (StateKeys::new([A]).unwrap(), StateKeys::new([B, A]).unwrap());
        let state = json!({"step": 2});
        let sealed = old.seal(&state, b"call").unwrap();
        assert_eq!(old.open(&sealed, b"call").unwrap(), state);
        assert_eq!(new.open(&sealed, b"call").unwrap(), state, "a key that sealed before still opens");
        assert!(old.open(&sealed, b"another call").unwrap_err().message.contains("does not belong"));
        assert!(old.open(&new.seal(&state, b"call").unwrap(), b"call").is_err());
        assert!(StateKeys::default().open(&sealed, b"call").is_err());
        assert_eq!(StateKeys::new(["short"]).unwrap_err(), KeyTooShort(5));
        assert!(!format!("{new:?}").contains(A));
    }

    #[test]
    fn an_expired_state_says_so() {
        let codec = RequestStateCodec::try_new(A).unwrap();
        let sealed = codec.seal_json_with(&json!(1), &SealOptions::new().ttl(Duration::ZERO)).unwrap();
        std::thread::sleep(Duration::from_millis(2));
        let error = StateKeys::new([B, A]).unwrap().open(&sealed, b"").unwrap_err();
        assert!(error.message.contains("expired") && error.message.contains("call again"), "{}", error.message);
    }

    #[test]
    fn a_binding_depends_on_call_and_caller_but_not_on_the_order_of_keys() {
        let object = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap();
        let ada = Principal { subject: Some("ada".into()), ..Principal::default() };
        let bind =
            |method, subject, arguments, caller: &Principal| binding(method, subject, &object(arguments), caller);
        let bound = bind("tools/call", "x", r#"{"a": {"c": 1, "b": [2]}, "d": 3}"#, &ada);
        assert_eq!(bound, bind("tools/call", "x", r#"{"d": 3, "a": {"b": [2], "c": 1}}"#, &ada));
        let others = [
            bind("prompts/get", "x", r#"{"d": 3, "a": {"b": [2], "c": 1}}"#, &ada),
            bind("tools/call", "y", r#"{"d": 3, "a": {"b": [2], "c": 1}}"#, &ada),
            bind("tools/call", "x", r#"{"d": 4, "a": {"b": [2], "c": 1}}"#, &ada),
            bind("tools/call", "x", r#"{"d": 3, "a": {"b": [2], "c": 1}}"#, &Principal::default()),
            bind(
                "tools/call",
                "x",
                r#"{"d": 3, "a": {"b": [2], "c": 1}}"#,
                &Principal { organizations: Some(vec!["o".into()]), ..ada.clone() },
            ),
            bind(
                "tools/call",
                "x",
                r#"{"d": 3, "a": {"b": [2], "c": 1}}"#,
                &Principal { credential: Some("another key".into()), ..ada.clone() },
            ),
        ];
        assert!(others.iter().all(|other| *other != bound));
    }
}
