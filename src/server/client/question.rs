//! Questions as MCP requests, and MCP answers as the engine expects them.

use indexmap::IndexMap;
use rmcp::model::{InputRequest, InputRequests};
use serde_json::{Map, Value, json};

use crate::{
    definition::Role,
    engine::{CallError, CallErrorKind, Question},
};

/// All questions, by name.
pub fn input_requests(questions: &IndexMap<String, Question>) -> Result<InputRequests, CallError> {
    questions.iter().map(|(name, question)| Ok((name.clone(), input_request(name, question)?))).collect()
}

/// One question as a request. What rmcp's types cannot hold, such as a form with nested objects, MCP does not allow.
pub fn input_request(name: &str, question: &Question) -> Result<InputRequest, CallError> {
    let (method, params) = match question {
        Question::Form { message, schema } => {
            ("elicitation/create", json!({"mode": "form", "message": message, "requestedSchema": schema}))
        }
        Question::Url { message, url } => {
            let id = uuid::Uuid::new_v4().to_string();
            ("elicitation/create", json!({"mode": "url", "message": message, "url": url, "elicitationId": id}))
        }
        Question::Sample { messages, system_prompt, max_tokens, temperature } => {
            let messages: Vec<Value> = messages
                .iter()
                .map(|(role, text)| json!({"role": role_name(*role), "content": {"type": "text", "text": text}}))
                .collect();
            let mut params = json!({"messages": messages, "maxTokens": max_tokens});
            if let Value::Object(params) = &mut params {
                params.extend(system_prompt.iter().map(|prompt| ("systemPrompt".to_owned(), json!(prompt))));
                params.extend(temperature.map(|temperature| ("temperature".to_owned(), json!(temperature))));
            }
            ("sampling/createMessage", params)
        }
        Question::Roots => return parsed(name, json!({"method": "roots/list"})),
    };
    parsed(name, json!({"method": method, "params": params}))
}

fn parsed(name: &str, request: Value) -> Result<InputRequest, CallError> {
    serde_json::from_value(request)
        .map_err(|error| CallError::definition(format!("the question `{name}` is none that MCP knows: {error}")))
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Assistant => "assistant",
    }
}

/// Checks that an answer has the shape that its question asks for; whether a form satisfies its schema is for the
/// engine to say.
pub fn reply(name: &str, question: &Question, answer: Value) -> Result<Value, CallError> {
    let complaint = match (question, &answer) {
        (Question::Form { .. } | Question::Url { .. }, Value::Object(answer)) => elicited(answer),
        (Question::Sample { .. }, Value::Object(answer)) => {
            let missing = ["role", "content", "model"].into_iter().find(|field| !answer.contains_key(*field));
            missing.map(|field| format!("`{field}` is missing"))
        }
        (Question::Roots, Value::Object(answer)) => match answer.get("roots") {
            Some(Value::Array(roots)) if roots.iter().all(|root| root.get("uri").is_some_and(Value::is_string)) => None,
            _ => Some("`roots` must be a list of objects with `uri`".to_owned()),
        },
        _ => Some("it must be an object".to_owned()),
    };
    match complaint {
        None => Ok(answer),
        Some(complaint) => Err(CallError::new(
            CallErrorKind::Failed,
            format!("the client's answer to `{name}` cannot be used: {complaint}"),
        )
        .hint("this is a mistake of the client's program; try again, or use another client")),
    }
}

fn elicited(answer: &Map<String, Value>) -> Option<String> {
    match answer.get("action").and_then(Value::as_str) {
        Some("accept") if answer.get("content").is_some_and(|content| !content.is_object() && !content.is_null()) => {
            Some("`content` must be an object".to_owned())
        }
        Some("accept" | "decline" | "cancel") => None,
        _ => Some("`action` must be `accept`, `decline` or `cancel`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_the_wrong_shape_are_refused() {
        let form = Question::Form { message: "?".into(), schema: Map::new() };
        let sample =
            Question::Sample { messages: Vec::new(), system_prompt: None, max_tokens: 1, temperature: Some(0.7) };
        for (question, answer, fine) in [
            (&form, json!({"action": "accept", "content": {}}), true),
            (&form, json!({"action": "cancel"}), true),
            (&form, json!({"action": "accept", "content": 5}), false),
            (&form, json!({"action": "maybe"}), false),
            (&form, json!({}), false),
            (&form, json!("accept"), false),
            (&sample, json!({"role": "assistant", "content": {"type": "text", "text": "x"}, "model": "m"}), true),
            (&sample, json!({"role": "assistant"}), false),
            (&Question::Roots, json!({"roots": [{"uri": "file:///a"}]}), true),
            (&Question::Roots, json!({"roots": [{"name": "a"}]}), false),
            (&Question::Roots, json!({}), false),
        ] {
            assert_eq!(reply("q", question, answer.clone()).is_ok(), fine, "{answer}");
        }
        // rmcp keeps 32 bits of it, which JSON shows as 0.699999988.
        let request = serde_json::to_value(input_request("q", &sample).unwrap()).unwrap();
        assert_eq!(request["params"]["temperature"], json!(0.7_f32), "{request}");
    }
}
