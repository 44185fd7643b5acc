//! The arguments that an action reads by name, as the type that says what they are.

use indexmap::IndexMap;
use serde::{
    Deserialize,
    de::{IntoDeserializer as _, value::MapDeserializer},
};
use serde_json::{Error, Map, Value};

use super::super::CallError;

/// Arguments that actions read by name, and what packs of earlier versions declare for them.
const RENAMED: [(&str, &str); 3] = [("service_name", "service"), ("start", "from"), ("end", "to")];

/// The name under which an action reads an argument.
pub fn current(name: &str) -> &str {
    RENAMED.iter().find(|(_, old)| *old == name).map_or(name, |(new, _)| new)
}

/// The arguments of an action: those of the call, with the definition's fixed ones on top. A text that is empty was not
/// given: clients fill in forms that way.
///
/// # Errors
/// What the definition passes as something else than the action reads. The call's own values have been checked.
pub fn typed<'a, T: Deserialize<'a>>(
    given: &'a Map<String, Value>,
    with: &'a IndexMap<String, Value>,
) -> Result<T, CallError> {
    let given = given.iter().filter(|(_, value)| !value.is_null());
    let mut all: IndexMap<&str, &Value> = given.chain(with).map(|(name, value)| (current(name), value)).collect();
    all.retain(|_, value| value.as_str() != Some(""));
    T::deserialize(MapDeserializer::<_, Error>::new(all.iter().map(|(name, value)| (*name, *value)))).map_err(|error| {
        // Which of them it is can be seen by one at a time.
        let alone = |name: &str, value: &'a Value| {
            T::deserialize(MapDeserializer::<_, Error>::new(std::iter::once((name, value.into_deserializer()))))
        };
        let wrong = all.iter().find(|(name, value)| alone(name, value).is_err()).map(|(name, _)| *name);
        let wrong = wrong.map(|name| format!("`{name}` is not what the action reads under this name: "));
        CallError::definition(format!("{}{error}", wrong.unwrap_or_default()))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::definition::{CollectArguments, ListArguments};

    fn read<T: for<'a> Deserialize<'a>>(given: Value, with: Value) -> Result<T, String> {
        let with = serde_json::from_value(with).unwrap();
        typed(given.as_object().unwrap(), &with).map_err(|error| error.to_text())
    }

    #[test]
    fn fixed_arguments_win_and_earlier_names_are_understood() {
        let given = json!({
            "from": "a", "end": null, "service": "cart", "context_type": "logs", "client": {"x": 1}, "format": "",
        });
        let read: CollectArguments = read(given, json!({"context_type": "errors", "to": "b"})).unwrap();
        assert_eq!(read.format, None, "an empty text was not given");
        assert_eq!(read.context_type.as_deref(), Some("errors"));
        assert_eq!((read.start.as_deref(), read.end.as_deref()), (Some("a"), Some("b")));
        assert_eq!(read.service_name, json!("cart"));
    }

    #[test]
    fn what_is_of_another_type_is_named() {
        let error = read::<ListArguments>(json!({"category": "x", "query": {"rows": []}}), json!({})).unwrap_err();
        assert!(error.contains("`query` is not what the action reads under this name"), "{error}");
    }
}
