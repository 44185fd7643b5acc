//! `tfo-mcp call`, `prompt` and `context`: one answer, as a client would get it.

use std::ffi::OsString;

use clap::{
    Args, ValueEnum,
    error::{ContextKind, ErrorKind},
};
use serde_json::{Map, Value, json};

use super::{
    Outcome,
    arguments::{Form, SettingsArguments},
    bootstrap, names,
    outcome::{Reported, hinted},
    output,
    remote::{self, Remote},
    tables::Tables,
};
use crate::{
    definition::{BESIDE_FILTERS, Kind},
    engine::{self, Call, CallError, CallErrorKind, Format, LIST_THEM},
};

/// Call a tool, as a model would
#[derive(Debug, Args)]
pub struct CallArguments {
    /// Name of the tool: see `tfo-mcp list tools`
    #[arg(add = names::of(Kind::Tool))]
    tool: String,
    /// Arguments as `key=value`; lists as `key=a,b`
    #[arg(value_name = "KEY=VALUE")]
    pairs: Vec<String>,
    /// All arguments as a JSON object, `-` to read it from standard input
    #[arg(long, conflicts_with = "pairs", value_name = "OBJECT")]
    json: Option<String>,
    #[command(flatten)]
    remote: Remote,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: Form,
    /// How tables in a text are written
    #[arg(long, value_enum, default_value_t)]
    tables: Tables,
}

pub(super) fn call(common: &SettingsArguments, arguments: &CallArguments) -> anyhow::Result<Outcome> {
    let object = arguments.json.as_deref().map(json_arguments).transpose()?;
    let pairs = pairs(&arguments.pairs)?;
    let show = |text: &str, structured: Option<&Value>, is_error: bool| -> anyhow::Result<Outcome> {
        match arguments.format {
            Form::Text => output::write(&arguments.tables.of(text))?,
            Form::Json => output::json(&json!({ "text": text, "structured": structured, "is_error": is_error }))?,
        }
        Ok(if is_error { Outcome::Findings } else { Outcome::Done })
    };
    if arguments.remote.is_asked() {
        let answer = arguments.remote.call(&arguments.tool, pairs, object)?;
        return show(&answer.text, answer.structured.as_ref(), answer.is_error);
    }
    bootstrap::with_engine(common, async |engine| {
        let call = Call::default();
        let answer = match object {
            Some(object) => engine.call_tool(&arguments.tool, object, &call).await.and_then(engine::Outcome::done),
            None => engine.call_tool_with_text(&arguments.tool, pairs, &call).await,
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                // A model reads it as a result, and so does a program; people read it below.
                if arguments.format == Form::Json && is_result(error.kind) {
                    output::json(&json!({ "text": error.to_text(), "structured": null, "is_error": true }))?;
                }
                return Err(failed(error, "tfo-mcp list tools"));
            }
        };
        answer.notes.iter().for_each(|note| output::say(&format!("{}note{:#}: {note}", output::NOTE, output::NOTE)));
        show(&answer.text(), answer.structured.as_ref(), answer.is_error)
    })
}

/// Build a prompt, as a client would show it
#[derive(Debug, Args)]
pub struct PromptArguments {
    /// Name of the prompt: see `tfo-mcp list prompts`
    #[arg(add = names::of(Kind::Prompt))]
    prompt: String,
    /// Arguments as `key=value`
    #[arg(value_name = "KEY=VALUE")]
    pairs: Vec<String>,
    #[command(flatten)]
    remote: Remote,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: Form,
    /// How tables in a text are written
    #[arg(long, value_enum, default_value_t)]
    tables: Tables,
}

pub(super) fn prompt(common: &SettingsArguments, arguments: &PromptArguments) -> anyhow::Result<Outcome> {
    let pairs = pairs(&arguments.pairs)?;
    let show = |texts: Vec<String>, json: Value, is_error: bool| -> anyhow::Result<Outcome> {
        match arguments.format {
            Form::Text => {
                let texts: Vec<&str> = texts.iter().map(|text| text.trim_end()).collect();
                output::write(&arguments.tables.of(&texts.join("\n\n")))?;
            }
            Form::Json => output::json(&json)?,
        }
        Ok(if is_error { Outcome::Findings } else { Outcome::Done })
    };
    if arguments.remote.is_asked() {
        let prompt = arguments.remote.prompt(&arguments.prompt, pairs)?;
        let message = |(role, content): &(String, Value)| match content.get("text") {
            Some(text) => json!({ "role": role, "text": text }),
            None => json!({ "role": role, "content": content }),
        };
        let texts = prompt.messages.iter().map(|(_, content)| remote::shown(content)).collect();
        let messages: Vec<Value> = prompt.messages.iter().map(message).collect();
        let json = json!({ "description": prompt.description, "messages": messages });
        return show(texts, json, prompt.is_error);
    }
    bootstrap::with_engine(common, async |engine| {
        let answer =
            engine.get_prompt(&arguments.prompt, pairs, &Call::default()).await.and_then(engine::Outcome::done);
        let answer = answer.map_err(|error| failed(error, "tfo-mcp list prompts"))?;
        let texts = answer.messages.iter().filter_map(|(_, content)| content.as_text()).map(str::to_owned).collect();
        let message = |role, content: &engine::Content| match content.as_text() {
            Some(text) => json!({ "role": role, "text": text }),
            None => json!({ "role": role, "content": content }),
        };
        let messages: Vec<Value> = answer.messages.iter().map(|(role, content)| message(role, content)).collect();
        show(texts, json!({ "description": answer.description, "messages": messages }), answer.is_error)
    })
}

/// Collect a telemetry context
#[derive(Debug, Args)]
pub struct ContextArguments {
    /// Name of the context type: see `tfo-mcp list contexts`
    #[arg(add = names::of(Kind::Context))]
    context: String,
    /// How far back, such as `15m`, `1h` or `7d`
    #[arg(long, value_name = "PERIOD", allow_hyphen_values = true)]
    time_range: Option<String>,
    /// Start of the window, such as `2026-11-20T09:00:00Z` or `now-2h` [alias: --from]
    #[arg(long, alias = "from", value_name = "TIME", conflicts_with = "time_range", allow_hyphen_values = true)]
    start: Option<String>,
    /// End of the window [alias: --to]
    #[arg(long, alias = "to", value_name = "TIME", allow_hyphen_values = true)]
    end: Option<String>,
    /// What the window is compared with: `auto`, `previous`, `day` or `week`
    #[arg(long, value_name = "TIME", value_parser = ["auto", "previous", "day", "week"], hide_possible_values = true)]
    baseline: Option<String>,
    /// Only this service [alias: --service]
    #[arg(long, alias = "service", value_name = "SERVICE")]
    service_name: Option<String>,
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
    /// How tables in Markdown are written
    #[arg(long, value_enum, default_value_t)]
    tables: Tables,
}

/// What else a call of a tool names as `key=value` beside its filters, as documents and hints write it.
const BESIDE: [&str; 2] = ["max_chars", "format"];

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
        ("start", &arguments.start),
        ("end", &arguments.end),
        ("baseline", &arguments.baseline),
        ("service_name", &arguments.service_name),
    ];
    for (name, value) in optional {
        call.extend(value.as_ref().map(|value| (name.to_owned(), json!(value))));
    }
    call.extend(arguments.max_items.map(|items| ("max_items".to_owned(), json!(items))));
    call.extend(arguments.max_chars.map(|chars| ("max_chars".to_owned(), json!(chars))));
    let mut filters = pairs(&arguments.filters)?;
    let mut format = arguments.format;
    for name in BESIDE_FILTERS.into_iter().chain(BESIDE) {
        let Some(Value::String(text)) = filters.shift_remove(name) else { continue };
        let wrong = |why: String| hinted(why, format!("write it once, as `--{} VALUE`", name.replace('_', "-")));
        let no_value = || wrong(format!("`{text}` is no value of `{name}`"));
        let value = match name {
            "max_items" | "max_chars" => json!(text.parse::<u32>().map_err(|_| no_value())?),
            "format" => {
                format = ContextForm::from_str(&text, true).map_err(|_| no_value())?;
                continue;
            }
            _ => json!(text),
        };
        if call.insert(name.to_owned(), value).is_some() {
            return Err(wrong(format!("`{name}` is given twice")));
        }
    }
    if !filters.is_empty() {
        call.insert("filters".to_owned(), filters.into());
    }
    let max_chars = call.get("max_chars").and_then(Value::as_u64).and_then(|chars| usize::try_from(chars).ok());
    let format = match format {
        ContextForm::Markdown => Format::Markdown,
        ContextForm::Csv => Format::Csv,
        ContextForm::Json => Format::Json,
    };
    bootstrap::with_engine(common, async |engine| {
        let document = match engine.within_limits(&call) {
            Ok(()) => engine.collect_context(call, &Call::default()).await,
            Err(error) => Err(error),
        };
        let document = document.map_err(|error| failed(error, "tfo-mcp list contexts"))?;
        let text = engine.render(&document, format, max_chars);
        let as_asked = if format == Format::Markdown { arguments.tables } else { Tables::Csv };
        output::write(&as_asked.of(&text))?;
        Ok(if document.status.is_failure() { Outcome::Findings } else { Outcome::Done })
    })
}

/// A call without an answer. A mistake of the caller is wrong usage, anything else a finding.
pub(super) fn failed(error: CallError, list: &str) -> anyhow::Error {
    let hint = match error.kind {
        CallErrorKind::UnknownTool | CallErrorKind::UnknownPrompt | CallErrorKind::UnknownResource => {
            error.hint.or_else(|| Some(format!("see `{list}`")))
        }
        // Here it is known what lists them.
        CallErrorKind::InvalidArguments => error.hint.map(|hint| match hint.split_once(LIST_THEM) {
            Some((before, _)) => format!("{before}`{list}` lists them"),
            None => hint,
        }),
        _ => {
            output::error(&error.message, error.hint.as_deref());
            return Reported(1).into();
        }
    };
    match hint {
        Some(hint) => hinted(error.message, hint),
        None => anyhow::anyhow!(error.message),
    }
}

/// Whether a failed call of a tool has a result that says so, and is no error of the protocol.
fn is_result(kind: CallErrorKind) -> bool {
    !matches!(kind, CallErrorKind::UnknownTool | CallErrorKind::Refused(_) | CallErrorKind::Internal)
}

/// What was probably meant by a flag that does not exist: arguments and filters have names that no flag list knows.
pub(super) fn hint_for(mistake: &clap::Error, typed: &[OsString]) -> Option<String> {
    let takes_pairs = typed.iter().any(|word| ["call", "context", "prompt"].iter().any(|command| word == command));
    let unknown = (mistake.kind() == ErrorKind::UnknownArgument && takes_pairs)
        .then(|| mistake.get(ContextKind::InvalidArg)?.to_string().strip_prefix("--").map(str::to_owned));
    let name = unknown??.replace('-', "_");
    if ["url", "key"].contains(&name.as_str()) {
        return Some(
            "`list`, `call` and `prompt` ask a server at an address: `tfo-mcp list tools --url URL` names its tools, \
             `tfo-mcp call TOOL KEY=VALUE --url URL` calls one"
                .to_owned(),
        );
    }
    Some(format!("arguments and filters of definitions are written without dashes: `{name}=VALUE`"))
}

pub(super) fn pairs(pairs: &[String]) -> anyhow::Result<Map<String, Value>> {
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
