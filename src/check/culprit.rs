//! Where a value stands that a type refuses although the schema let it through.
//!
//! Types read keys in the order in which they are written, so what is refused is the last of the shortest beginning that is refused
//! with the same words.

use serde_json::{Map, Value};

/// Keys that say how the others are read.
const TAGS: [&str; 2] = ["kind", "action"];

/// The JSON pointer of the refused value; empty where it is the whole. `refusal` reads a value and says why it cannot.
pub(super) fn pointer(value: &Value, refusal: impl Fn(&Value) -> Option<String>) -> String {
    let (mut begun, mut at) = (value.clone(), String::new());
    let Some(words) = refusal(value) else { return at };
    let same = |value: &Value| refusal(value).as_ref() == Some(&words);
    loop {
        let Some(place) = begun.pointer(&at) else { return at };
        let count = place.as_object().map(Map::len).or(place.as_array().map(Vec::len)).unwrap_or_default();
        let with = |changed: Option<Value>| {
            let mut whole = begun.clone();
            *whole.pointer_mut(&at)? = changed?;
            Some(whole)
        };
        // What is missing is missing in the object in which its presence would be something else.
        if with(with_missing(place, &words)).is_some_and(|whole| !same(&whole)) {
            return at;
        }
        let shortest = (0..=count).find_map(|kept| Some((kept, with(beginning(place, kept)).filter(&same)?)));
        let Some((kept, whole)) = shortest.filter(|(kept, _)| *kept > 0) else { return at };
        let last = kept - 1;
        // What the whole lacks or has too much of is no fault of its last entry.
        if with(without(place, last)).is_none_or(|whole| same(&whole)) {
            return at;
        }
        let name = match place {
            Value::Object(object) => object.keys().nth(last).cloned().unwrap_or_default(),
            _ => last.to_string(),
        };
        begun = whole;
        at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
    }
}

/// An object with the key that an error says is missing.
fn with_missing(value: &Value, words: &str) -> Option<Value> {
    let name = words.strip_prefix("missing field `")?.split('`').next()?;
    let mut object = value.as_object()?.clone();
    object.insert(name.to_owned(), Value::Null);
    Some(object.into())
}

/// The first entries of a list or an object, and what says how they are read.
fn beginning(value: &Value, kept: usize) -> Option<Value> {
    match value {
        Value::Array(items) => Some(items.iter().take(kept).cloned().collect::<Vec<_>>().into()),
        Value::Object(object) => {
            let entries = object.iter().enumerate();
            let entries = entries.filter(|(n, (key, _))| *n < kept || TAGS.contains(&key.as_str()));
            Some(Value::Object(entries.map(|(_, (key, value))| (key.clone(), value.clone())).collect()))
        }
        _ => None,
    }
}

/// All but one entry.
fn without(value: &Value, left_out: usize) -> Option<Value> {
    match value {
        Value::Array(items) => {
            let kept = items.iter().enumerate().filter(|(n, _)| *n != left_out);
            Some(kept.map(|(_, item)| item.clone()).collect::<Vec<_>>().into())
        }
        Value::Object(object) => {
            let kept = object.iter().enumerate().filter(|(n, _)| *n != left_out);
            Some(Value::Object(kept.map(|(_, (key, value))| (key.clone(), value.clone())).collect()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Deserialize)]
    #[expect(dead_code)]
    struct Whole {
        name: String,
        run: Run,
        list: Vec<std::num::NonZeroU8>,
    }

    #[derive(Deserialize)]
    #[serde(tag = "action", rename_all = "snake_case")]
    #[expect(dead_code)]
    enum Run {
        One { size: std::num::NonZeroU8, other: String },
    }

    #[test]
    fn the_value_is_found_and_not_what_it_needs_beside_it() {
        let refusal = |value: &Value| Whole::deserialize(value).err().map(|error| error.to_string());
        let whole = |run: Value, list: Value| json!({"name": "x", "run": run, "list": list});
        let right = json!({"action": "one", "size": 1, "other": "x"});
        for (value, expected) in [
            (whole(right.clone(), json!([1])), ""),
            (whole(right.clone(), json!([1, 0, 1])), "/list/1"),
            (whole(json!({"size": 0, "action": "one", "other": "x"}), json!([1])), "/run/size"),
            (whole(json!({"other": "x", "size": 0, "action": "one"}), json!([1])), "/run/size"),
            // It is the run that lacks something.
            (whole(json!({"action": "one", "size": 1}), json!([1])), "/run"),
            (json!({"name": "x", "run": right}), ""),
        ] {
            assert_eq!(pointer(&value, refusal), expected, "{value}");
        }
    }
}
