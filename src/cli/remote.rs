//! `call`, `prompt` and `list` of a server that runs, at its address.

use clap::Args;
use serde_json::{Map, Value, json};

use super::{
    bootstrap,
    client::{Answer, Client, Refused, text_of},
    outcome::{Reported, hinted},
    output,
};
use crate::server::IS_ERROR;

/// Variable with the key, so that it need not be typed.
const KEY: &str = "TFO_MCP_KEY";

/// JSON-RPC's code for arguments or names that do not fit: wrong usage, as for a call of one's own.
const INVALID_PARAMS: i64 = -32602;

/// A server that runs, instead of an engine of this command's own.
#[derive(Debug, Default, Args)]
pub struct Remote {
    /// Ask the server at this address, such as `https://mcp.example.com/mcp`, instead of the sources of the settings
    #[arg(long)]
    url: Option<String>,
    /// API key or access token for that server [default: the variable TFO_MCP_KEY]
    #[arg(long, requires = "url")]
    key: Option<String>,
}

impl Remote {
    /// Whether a server is asked.
    pub(super) fn is_asked(&self) -> bool {
        self.url.is_some()
    }

    /// Does something in a session with the server.
    pub(super) fn with<T>(&self, work: impl AsyncFnOnce(&mut Client) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let url = self.url.as_deref().unwrap_or_default();
        let key = self.key.clone().or_else(|| std::env::var(KEY).ok().filter(|key| !key.is_empty()));
        bootstrap::block_on(async {
            let headers = key.map(|key| ("Authorization".to_owned(), format!("Bearer {key}")));
            let (mut client, _) = Client::reach(url, headers.as_slice()).await?;
            let done = work(&mut client).await;
            client.close().await?;
            done
        })
        .map_err(told)
    }

    /// Calls a tool with `key=value` pairs, read by the types of its schema.
    pub(super) fn call(
        &self,
        tool: &str,
        pairs: Map<String, Value>,
        object: Option<Map<String, Value>>,
    ) -> anyhow::Result<Answer> {
        self.with(async |client| {
            let arguments = match object {
                Some(object) => object,
                None => {
                    let tools = client.list("tools", "tools").await?;
                    let named = |name: &str| tools.iter().find(|tool| tool.get("name") == Some(&json!(name)));
                    // Of one that is not listed the server says why: it may be there, and not for this key.
                    let schema = named(tool).and_then(|tool| tool.get("inputSchema"));
                    let typed = pairs.into_iter().map(|(name, value)| {
                        let property = schema.and_then(|schema| schema.get("properties")?.get(&name));
                        let value = value.as_str().map(|text| typed(property, text)).unwrap_or(value);
                        (name, value)
                    });
                    typed.collect()
                }
            };
            let mut answer = client.call(tool, Value::Object(arguments)).await?;
            answer.text = plain(&answer.text);
            Ok(answer)
        })
    }

    /// A prompt.
    pub(super) fn prompt(&self, prompt: &str, pairs: Map<String, Value>) -> anyhow::Result<Prompt> {
        self.with(async |client| {
            let params = json!({ "name": prompt, "arguments": pairs });
            let mut answer = client.request("prompts/get", params).await?;
            let messages = answer.get_mut("messages").map(Value::take).unwrap_or_default();
            let messages = messages.as_array().into_iter().flatten().map(|message| {
                let role = message.get("role").and_then(Value::as_str).unwrap_or("?").to_owned();
                (role, message.get("content").cloned().unwrap_or_default())
            });
            let is_error = answer.pointer(&format!("/_meta/{}", IS_ERROR.replace('/', "~1"))) == Some(&json!(true));
            let description = answer.get("description").cloned().unwrap_or_default();
            Ok(Prompt { description, messages: messages.collect(), is_error })
        })
    }
}

/// A prompt, as the server built it.
pub(super) struct Prompt {
    pub(super) description: Value,
    /// By role.
    pub(super) messages: Vec<(String, Value)>,
    /// Nothing that it is about could be read, which a server of this kind says.
    pub(super) is_error: bool,
}

/// The text of a piece of content, harmless on a terminal.
pub(super) fn shown(content: &Value) -> String {
    plain(&text_of(content))
}

/// What a stranger's server says, without what a terminal would obey.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// A refusal of the server as an error of this command: a mistake of the caller is wrong usage, anything else a finding.
fn told(error: anyhow::Error) -> anyhow::Error {
    let Some(refused) = error.downcast_ref::<Refused>() else { return error };
    let message = plain(&refused.message);
    // The message may hold the hint already, for clients that show nothing else.
    let hint = refused.hint.as_deref().map(plain).filter(|hint| !message.contains(hint.as_str()));
    match (refused.code, hint) {
        (INVALID_PARAMS, Some(hint)) => hinted(message, hint),
        (INVALID_PARAMS, None) => anyhow::anyhow!(message),
        (_, hint) => {
            output::error(&message, hint.as_deref());
            Reported(1).into()
        }
    }
}

/// A text of the command line as the value that a schema wants. What does not fit stays a text: the server says so.
fn typed(schema: Option<&Value>, text: &str) -> Value {
    let types = schema.and_then(|schema| schema.get("type"));
    let takes = |name: &str| match types {
        Some(Value::String(only)) => only == name,
        Some(Value::Array(several)) => several.iter().any(|one| one == name),
        _ => false,
    };
    let read = || serde_json::from_str::<Value>(text).ok();
    if takes("string") {
        return text.into();
    }
    if takes("array") {
        let list = || text.split(',').map(|item| typed(schema.and_then(|schema| schema.get("items")), item.trim()));
        return read().filter(Value::is_array).unwrap_or_else(|| list().collect());
    }
    let fits = |value: &Value| match value {
        Value::Bool(_) => takes("boolean"),
        Value::Number(_) => takes("number") || takes("integer"),
        Value::Object(_) => takes("object"),
        _ => false,
    };
    read().filter(fits).unwrap_or_else(|| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_what_the_schema_wants() {
        for (schema, text, value) in [
            (json!({"type": "string"}), "12", json!("12")),
            (json!({"type": "integer"}), "12", json!(12)),
            (json!({"type": ["integer", "null"]}), "12", json!(12)),
            (json!({"type": "boolean"}), "true", json!(true)),
            (json!({"type": "boolean"}), "maybe", json!("maybe")),
            (json!({"type": "object"}), "{\"a\": 1}", json!({"a": 1})),
            (json!({"type": "array", "items": {"type": "integer"}}), "1, 2", json!([1, 2])),
            (json!({"type": "array"}), "[1]", json!([1])),
            (json!({}), "12", json!("12")),
        ] {
            assert_eq!(typed(Some(&schema), text), value, "{schema}");
        }
    }

    #[test]
    fn a_terminal_is_not_steered() {
        assert_eq!(plain("a\u{1b}[2Jb\r\n\tc\u{7}"), "a[2Jb\n\tc");
    }
}
