//! What is wrong with the parameters of a known method.
//!
//! rmcp reads a request by trying every shape it knows; a known method with parameters of the wrong shape comes
//! out as an unknown one. The table here says what each method wants, so that the answer can say what is amiss.

use rmcp::{ErrorData, model::ErrorCode};
use serde_json::{Map, Value};

use super::connection::{MAX_STREAMS, MAX_SUBSCRIPTIONS};
use crate::masking::Masking;

/// The JSON type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    Object,
    /// An object whose fields are described too.
    Fields(&'static [Field]),
    OneOf(&'static [&'static str]),
    /// An object whose `type` decides what else it must have.
    Tagged(&'static [(&'static str, Field)]),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Field {
    name: &'static str,
    shape: Shape,
    required: bool,
}

const fn required(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: true }
}

const fn optional(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: false }
}

const LEVELS: &[&str] = &["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];
const PAGE: &[Field] = &[optional("cursor", Shape::Text)];
const TASK: &[Field] = &[required("taskId", Shape::Text)];
const URI: &[Field] = &[required("uri", Shape::Text)];

/// The methods that are served, and the parameters of each.
const METHODS: &[(&str, &[Field])] = &[
    (
        "initialize",
        &[
            required("protocolVersion", Shape::Text),
            required("capabilities", Shape::Object),
            required("clientInfo", Shape::Fields(&[required("name", Shape::Text), required("version", Shape::Text)])),
        ],
    ),
    ("server/discover", &[required("_meta", Shape::Object)]),
    ("ping", &[]),
    ("tools/list", PAGE),
    ("tools/call", &[required("name", Shape::Text), optional("arguments", Shape::Object)]),
    ("prompts/list", PAGE),
    ("prompts/get", &[required("name", Shape::Text), optional("arguments", Shape::Object)]),
    ("resources/list", PAGE),
    ("resources/templates/list", PAGE),
    ("resources/read", URI),
    ("resources/subscribe", URI),
    ("resources/unsubscribe", URI),
    ("subscriptions/listen", &[required("notifications", Shape::Object)]),
    (
        "completion/complete",
        &[
            required(
                "ref",
                Shape::Tagged(&[
                    ("ref/prompt", required("name", Shape::Text)),
                    ("ref/resource", required("uri", Shape::Text)),
                ]),
            ),
            required("argument", Shape::Fields(&[required("name", Shape::Text), required("value", Shape::Text)])),
            optional("context", Shape::Fields(&[optional("arguments", Shape::Object)])),
        ],
    ),
    ("tasks/get", TASK),
    ("tasks/update", &[required("taskId", Shape::Text), required("inputResponses", Shape::Object)]),
    ("tasks/cancel", TASK),
    ("logging/setLevel", &[required("level", Shape::OneOf(LEVELS))]),
];

/// Notifications of clients.
const NOTIFICATIONS: [&str; 4] = [
    "notifications/initialized",
    "notifications/cancelled",
    "notifications/progress",
    "notifications/roots/list_changed",
];

/// Whether a method is one of ours, so that a message that was read as one of nobody's has parameters of another shape.
pub fn is_known(method: &str) -> bool {
    NOTIFICATIONS.contains(&method) || METHODS.iter().any(|(name, _)| *name == method)
}

/// Writes objects where the language of a client wrote something else for them: an empty list for an empty one, as PHP
/// does, and arguments as the text that a model made of them. Says whether there was any.
pub fn mend(message: &mut Map<String, Value>) -> bool {
    let Some(method) = message.get("method").and_then(Value::as_str).map(str::to_owned) else {
        return message.get_mut("result").is_some_and(object_for_list);
    };
    let Some(params) = message.get_mut("params") else { return false };
    let mut mended = object_for_list(params);
    let Value::Object(params) = params else { return mended };
    mended |= params.get_mut("_meta").is_some_and(objects_for_lists);
    match METHODS.iter().find(|(name, _)| *name == method) {
        Some((_, fields)) => mend_fields(fields, params) || mended,
        None => mended,
    }
}

fn mend_fields(fields: &[Field], object: &mut Map<String, Value>) -> bool {
    let mut mended = false;
    for field in fields {
        let Some(value) = object.get_mut(field.name) else { continue };
        mended |= match field.shape {
            Shape::Text | Shape::OneOf(_) => false,
            Shape::Object | Shape::Fields(_) | Shape::Tagged(_) => match field.name {
                "arguments" => object_for_list(value) || object_for_text(value),
                "capabilities" => objects_for_lists(value),
                _ => object_for_list(value),
            },
        };
        if let (Shape::Fields(fields), Value::Object(inner)) = (field.shape, value) {
            mended |= mend_fields(fields, inner);
        }
    }
    mended
}

fn object_for_list(value: &mut Value) -> bool {
    let empty = value.as_array().is_some_and(Vec::is_empty);
    if empty {
        *value = Value::Object(Map::new());
    }
    empty
}

/// As [`object_for_list`], wherever it lies: of what is declared, nothing is an empty list.
fn objects_for_lists(value: &mut Value) -> bool {
    match value {
        Value::Object(fields) => {
            fields.values_mut().filter_map(|value| objects_for_lists(value).then_some(())).count() > 0
        }
        value => object_for_list(value),
    }
}

fn object_for_text(value: &mut Value) -> bool {
    let object = match value.as_str() {
        Some(text) if text.trim().is_empty() => Some(Map::new()),
        Some(text) => serde_json::from_str(text).ok(),
        None => None,
    };
    let found = object.is_some();
    if let Some(object) = object {
        *value = Value::Object(object);
    }
    found
}

/// What 2026-07-28 has taken away.
const REMOVED: [&str; 5] = ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"];

/// Methods that the revisions with sessions do not have.
pub const LATER: [&str; 4] = ["subscriptions/listen", "tasks/get", "tasks/update", "tasks/cancel"];

/// As [`refusal`], for a request of a session.
pub fn earlier_refusal(method: &str, params: Option<&Value>) -> ErrorData {
    if LATER.contains(&method) { method_not_found(method) } else { refusal(method, params) }
}

/// As [`refusal`], for a request of 2026-07-28 or later.
pub fn later_refusal(method: &str, params: Option<&Value>) -> ErrorData {
    if REMOVED.contains(&method) { method_not_found(method) } else { refusal(method, params) }
}

/// The error of a request that matched no method's shape: `-32602` for a method that is known, else `-32601`.
pub fn refusal(method: &str, params: Option<&Value>) -> ErrorData {
    let Some((_, fields)) = METHODS.iter().find(|(name, _)| *name == method) else {
        return method_not_found(method);
    };
    let complaint = match params {
        None => complaint("", fields, &Map::new()),
        Some(Value::Object(params)) => complaint("", fields, params),
        Some(other) => Some(format!("`params` must be an object, not {}", kind(other))),
    };
    // Every field has the right type: something deeper is amiss.
    let complaint = complaint.unwrap_or_else(|| "they do not have the shape that the protocol prescribes".to_owned());
    ErrorData::invalid_params(format!("Invalid params for {method}: {complaint}"), None)
}

/// `-32601`.
pub fn method_not_found(method: &str) -> ErrorData {
    // Before it is part of a sentence: its first line may be that of a table.
    let method = Masking::of_process().masked(method).0;
    ErrorData::new(ErrorCode::METHOD_NOT_FOUND, format!("Method not found: {method}"), None)
}

/// `-32602` of a cursor that no server of this kind has handed out for the list.
pub fn unknown_cursor(cursor: &Value) -> ErrorData {
    let mut shown = cursor.to_string();
    if let Some((end, _)) = shown.char_indices().nth(SHOWN_OF_CURSOR) {
        shown.truncate(end);
        shown.push('…');
    }
    ErrorData::invalid_params(format!("Invalid cursor: {shown}; start again without a cursor"), None)
}

/// `-32602` of a session or a stream that subscribes to too much.
pub fn too_many_subscriptions() -> ErrorData {
    let message =
        format!("Invalid params: a session or stream has at most {MAX_SUBSCRIPTIONS} subscriptions; end one first");
    ErrorData::invalid_params(message, None)
}

/// `-32600` of a pipe on which too many streams are open.
pub fn too_many_streams() -> ErrorData {
    let message =
        format!("Invalid Request: {MAX_STREAMS} streams of subscriptions/listen are open; cancel one of them first");
    ErrorData::invalid_request(message, None)
}

/// Characters of a wrong cursor that its error shows.
const SHOWN_OF_CURSOR: usize = 100;

/// `-32602` of a request before `initialize` that does not carry what the later revisions carry instead.
pub fn not_initialized(missing: &[&str]) -> ErrorData {
    let missing = missing.join("`, `");
    ErrorData::invalid_params(
        format!("Not initialized: send `initialize` first, or, in 2026-07-28, add to the request's _meta: `{missing}`"),
        None,
    )
}

fn complaint(path: &str, fields: &[Field], object: &Map<String, Value>) -> Option<String> {
    fields.iter().find_map(|field| {
        let name = format!("{path}{}", field.name);
        match (object.get(field.name), field.shape) {
            (None, _) if field.required => Some(format!("`{name}` is missing")),
            (None, _) => None,
            (Some(Value::Null), _) if !field.required => None,
            (Some(Value::String(_)), Shape::Text) | (Some(Value::Object(_)), Shape::Object) => None,
            (Some(Value::Object(inner)), Shape::Fields(fields)) => complaint(&format!("{name}."), fields, inner),
            (Some(Value::Object(inner)), Shape::Tagged(tags)) => {
                match tags.iter().find(|(tag, _)| inner.get("type").is_some_and(|ty| ty == tag)) {
                    Some((_, field)) => complaint(&format!("{name}."), std::slice::from_ref(field), inner),
                    None => {
                        let tags: Vec<_> = tags.iter().map(|(tag, _)| *tag).collect();
                        Some(format!("`{name}.type` must be one of {}", tags.join(", ")))
                    }
                }
            }
            (Some(Value::String(word)), Shape::OneOf(words)) if words.contains(&word.as_str()) => None,
            (Some(_), Shape::OneOf(words)) => Some(format!("`{name}` must be one of {}", words.join(", "))),
            (Some(other), Shape::Text) => Some(format!("`{name}` must be a string, not {}", kind(other))),
            (Some(other), Shape::Object | Shape::Fields(_) | Shape::Tagged(_)) => {
                Some(format!("`{name}` must be an object, not {}", kind(other)))
            }
        }
    })
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_are_read_as_languages_write_them() {
        let call = |arguments: Value| json!({"id": 1, "method": "tools/call", "params": {"name": "x", "arguments": arguments}});
        let empty = call(json!({}));
        for (written, read) in [
            (call(json!([])), Some(empty.clone())),
            (call(json!("")), Some(empty.clone())),
            (call(json!(" ")), Some(empty)),
            (call(json!("{\"a\": [1]}")), Some(call(json!({"a": [1]})))),
            (call(json!("[]")), None),
            (call(json!("a=b")), None),
            (call(json!([1])), None),
            (call(json!({"a": []})), None),
            (json!({"method": "tools/list", "params": []}), Some(json!({"method": "tools/list", "params": {}}))),
            (json!({"method": "x/y", "params": []}), Some(json!({"method": "x/y", "params": {}}))),
            (json!({"id": 1, "result": []}), Some(json!({"id": 1, "result": {}}))),
            (
                json!({"method": "ping", "params": {"_meta": []}}),
                Some(json!({"method": "ping", "params": {"_meta": {}}})),
            ),
            (
                json!({"method": "initialize", "params": {"capabilities": {"roots": [], "x": {"y": []}}, "clientInfo": []}}),
                Some(
                    json!({"method": "initialize", "params": {"capabilities": {"roots": {}, "x": {"y": {}}}, "clientInfo": {}}}),
                ),
            ),
            (
                json!({"method": "completion/complete", "params": {"context": {"arguments": []}}}),
                Some(json!({"method": "completion/complete", "params": {"context": {"arguments": {}}}})),
            ),
        ] {
            let mut message = written.as_object().cloned().unwrap();
            let mended = mend(&mut message);
            assert_eq!(mended.then_some(Value::Object(message)), read, "{written}");
        }
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        for (method, params, code, says) in [
            ("tools/call", None, -32602, "`name` is missing"),
            ("tools/call", Some(json!({"name": 5})), -32602, "`name` must be a string, not a number"),
            ("tools/call", Some(json!({"name": "x", "arguments": []})), -32602, "`arguments` must be an object"),
            ("resources/read", Some(json!({})), -32602, "`uri` is missing"),
            ("tasks/get", Some(json!({})), -32602, "`taskId` is missing"),
            ("tasks/update", Some(json!({"taskId": "x"})), -32602, "`inputResponses` is missing"),
            ("logging/setLevel", Some(json!({"level": "loud"})), -32602, "`level` must be one of debug, info"),
            ("initialize", Some(json!({"protocolVersion": "2025-11-25"})), -32602, "`capabilities` is missing"),
            (
                "initialize",
                Some(json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x"}})),
                -32602,
                "`clientInfo.version` is missing",
            ),
            (
                "completion/complete",
                Some(json!({"ref": {"type": "ref/tool"}, "argument": {"name": "a", "value": ""}})),
                -32602,
                "`ref.type` must be one of ref/prompt, ref/resource",
            ),
            (
                "completion/complete",
                Some(json!({"ref": {"type": "ref/resource"}, "argument": {"name": "a", "value": ""}})),
                -32602,
                "`ref.uri` is missing",
            ),
            ("server/discover", None, -32602, "`_meta` is missing"),
            ("ping", Some(json!([1])), -32602, "`params` must be an object, not an array"),
            ("tools/explode", None, -32601, "Method not found: tools/explode"),
        ] {
            let error = refusal(method, params.as_ref());
            assert_eq!(error.code.0, code, "{method}");
            assert!(error.message.contains(says), "{}", error.message);
        }
    }
}
