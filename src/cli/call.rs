//! `tfo-mcp call`, `prompt` and `context`: one answer, as a client would get it.

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::{
    Outcome,
    arguments::{Form, SettingsArguments},
    bootstrap,
    outcome::{Reported, hinted},
    output,
};
use crate::engine::{self, Call, CallError, CallErrorKind, Format};

/// Call a tool, as a model would
#[derive(Debug, Args)]
pub struct CallArguments {
    /// Name of the tool: see `tfo-mcp list tools`
    tool: String,
    /// Arguments as `key=value`; lists as `key=a,b`
    #[arg(value_name = "KEY=VALUE")]
    pairs: Vec<String>,
    /// All arguments as a JSON object, `-` to read it from standard input
    #[arg(long, conflicts_with = "pairs", value_name = "OBJECT")]
    json: Option<String>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: Form,
}

pub(super) fn call(common: &SettingsArguments, arguments: &CallArguments) -> anyhow::Result<Outcome> {
    let object = arguments.json.as_deref().map(json_arguments).transpose()?;
    let pairs = pairs(&arguments.pairs)?;
    bootstrap::with_engine(common, async |engine| {
        let call = Call::default();
        let answer = match object {
            Some(object) => engine.call_tool(&arguments.tool, object, &call).await.and_then(engine::Outcome::done),
            None => engine.call_tool_with_text(&arguments.tool, pairs, &call).await,
        };
        let answer = answer.map_err(|error| failed(error, "tfo-mcp list tools"))?;
        match arguments.format {
            Form::Text => output::write(&answer.text())?,
            Form::Json => output::json(&json!({
                "text": answer.text(), "structured": answer.structured, "is_error": answer.is_error,
            }))?,
        }
        Ok(if answer.is_error { Outcome::Findings } else { Outcome::Done })
    })
}

/// Build a prompt, as a client would show it
#[derive(Debug, Args)]
pub struct PromptArguments {
    /// Name of the prompt: see `tfo-mcp list prompts`
    prompt: String,
    /// Arguments as `key=value`
    #[arg(value_name = "KEY=VALUE")]
    pairs: Vec<String>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: Form,
}

pub(super) fn prompt(common: &SettingsArguments, arguments: &PromptArguments) -> anyhow::Result<Outcome> {
    let pairs = pairs(&arguments.pairs)?;
    bootstrap::with_engine(common, async |engine| {
        let answer =
            engine.get_prompt(&arguments.prompt, pairs, &Call::default()).await.and_then(engine::Outcome::done);
        let answer = answer.map_err(|error| failed(error, "tfo-mcp list prompts"))?;
        match arguments.format {
            Form::Text => {
                let texts: Vec<&str> =
                    answer.messages.iter().filter_map(|(_, content)| content.as_text()).map(str::trim_end).collect();
                output::write(&texts.join("\n\n"))?;
            }
            Form::Json => {
                let message = |role, content: &engine::Content| match content.as_text() {
                    Some(text) => json!({ "role": role, "text": text }),
                    None => json!({ "role": role, "content": content }),
                };
                let messages: Vec<Value> =
                    answer.messages.iter().map(|(role, content)| message(role, content)).collect();
                output::json(&json!({ "description": answer.description, "messages": messages }))?;
            }
        }
        Ok(Outcome::Done)
    })
}

/// Collect a telemetry context
#[derive(Debug, Args)]
pub struct ContextArguments {
    /// Name of the context type: see `tfo-mcp list contexts`
    context: String,
    /// How far back, such as `15m`, `1h` or `7d`
    #[arg(long, value_name = "PERIOD")]
    time_range: Option<String>,
    /// Begin of the window in RFC 3339
    #[arg(long, value_name = "TIME", conflicts_with = "time_range")]
    from: Option<String>,
    /// End of the window in RFC 3339
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Only this service
    #[arg(long)]
    service: Option<String>,
    /// Most rows of a section
    #[arg(long)]
    max_items: Option<u32>,
    /// Most characters of the answer
    #[arg(long)]
    max_chars: Option<usize>,
    /// Further filters of the context type as `key=value`
    #[arg(value_name = "KEY=VALUE")]
    filters: Vec<String>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: ContextForm,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum ContextForm {
    #[default]
    Markdown,
    Csv,
    Json,
}

pub(super) fn context(common: &SettingsArguments, arguments: &ContextArguments) -> anyhow::Result<Outcome> {
    let mut call = Map::from_iter([("context_type".to_owned(), json!(arguments.context))]);
    let optional = [
        ("time_range", &arguments.time_range),
        ("from", &arguments.from),
        ("to", &arguments.to),
        ("service", &arguments.service),
    ];
    for (name, value) in optional {
        call.extend(value.as_ref().map(|value| (name.to_owned(), json!(value))));
    }
    call.extend(arguments.max_items.map(|items| ("max_items".to_owned(), json!(items))));
    let filters = pairs(&arguments.filters)?;
    if !filters.is_empty() {
        call.insert("filters".to_owned(), filters.into());
    }
    let format = match arguments.format {
        ContextForm::Markdown => Format::Markdown,
        ContextForm::Csv => Format::Csv,
        ContextForm::Json => Format::Json,
    };
    bootstrap::with_engine(common, async |engine| {
        let document = engine.collect_context(call, &Call::default()).await;
        let document = document.map_err(|error| failed(error, "tfo-mcp list contexts"))?;
        output::write(&engine.render(&document, format, arguments.max_chars))?;
        Ok(if document.status.is_problem() { Outcome::Findings } else { Outcome::Done })
    })
}

/// A call without an answer. A mistake of the caller is wrong usage, anything else a finding.
fn failed(error: CallError, list: &str) -> anyhow::Error {
    let hint = match error.kind {
        CallErrorKind::UnknownTool | CallErrorKind::UnknownPrompt | CallErrorKind::UnknownResource => {
            error.hint.or_else(|| Some(format!("see `{list}`")))
        }
        CallErrorKind::InvalidArguments => match error.hint {
            Some(hint) => return hinted(error.message, hint),
            None => return anyhow::anyhow!(error.message),
        },
        _ => {
            output::error(&error.message, error.hint.as_deref());
            return Reported(1).into();
        }
    };
    hinted(error.message, hint.unwrap_or_default())
}

fn pairs(pairs: &[String]) -> anyhow::Result<Map<String, Value>> {
    pairs
        .iter()
        .map(|pair| match pair.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), json!(value))),
            _ => Err(hinted(format!("`{pair}` is not an argument"), "write `key=value`")),
        })
        .collect()
}

fn json_arguments(text: &str) -> anyhow::Result<Map<String, Value>> {
    let text = if text == "-" { std::io::read_to_string(std::io::stdin())? } else { text.to_owned() };
    serde_json::from_str(&text).map_err(|error| {
        hinted(format!("the arguments are not a JSON object: {error}"), r#"write `--json '{"key": "value"}'`"#)
    })
}
