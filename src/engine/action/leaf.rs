//! Actions that neither contain others nor wait for the client: an arm each.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{
    super::{CallError, CallErrorKind, Content, Event, Produced, fixed, list},
    Run, content,
};
use crate::{
    catalog::CompiledAction,
    definition::{Listed, Period, PromptPart},
};

impl Run<'_> {
    pub(super) async fn leaf(&self, action: &CompiledAction) -> Result<Produced, CallError> {
        let engine = self.engine;
        let (variables, left) = (&self.variables, self.left);
        // Whoever only computes or waits, such as for a client that does not read, takes nobody's turn.
        let _turn = match asks_databases(action) {
            true => engine.turns.take(self.call.caller.as_ref()).await,
            false => None,
        };
        match action {
            CompiledAction::Template(text) => self.text(text).map(Produced::text),
            CompiledAction::Json(text) => json(&self.text(text)?),
            CompiledAction::Meta(text) => meta(&self.text(text)?),
            CompiledAction::Sql { source, sql, output } => {
                let parameters = self.of.parameters();
                engine.run_sql(self.catalog, source, sql, parameters, output, variables, left, self.call).await
            }
            CompiledAction::SqlQuery { source, output } => {
                engine.run_caller_sql(self.catalog, source, output, variables, left, self.call).await
            }
            CompiledAction::ContextCollect { with } => {
                engine.run_collect(self.catalog, with, variables.clone(), &self.notes, self.call).await
            }
            CompiledAction::CatalogList { of, with } => {
                list::render(self.catalog, *of, &fixed(variables.clone(), with)).map(Produced::text)
            }
            CompiledAction::ValuesList { with } => {
                engine.run_values(self.catalog, &fixed(variables.clone(), with), left, self.call).await
            }
            CompiledAction::TablesSearch { with } => {
                engine.run_tables(&fixed(variables.clone(), with), left, self.call).await
            }
            CompiledAction::PromptBuild { part, with } => {
                let arguments = fixed(variables.clone(), with);
                engine.run_prompt(self.catalog, *part, &arguments, &self.notes, self.call).await
            }
            CompiledAction::Image { data, mime_type } => {
                let (data, mime_type) = (content::base64(self.text(data)?)?, mime_type.clone());
                Ok(Produced::one(Content::Image { data, mime_type }))
            }
            CompiledAction::Audio { data, mime_type } => {
                let (data, mime_type) = (content::base64(self.text(data)?)?, mime_type.clone());
                Ok(Produced::one(Content::Audio { data, mime_type }))
            }
            CompiledAction::Embed { uri, mime_type, body } => {
                self.embed(uri.as_ref(), mime_type.as_ref(), body).map(Produced::one)
            }
            CompiledAction::Link(link) => self.link(link).map(Produced::one),
            CompiledAction::Log { level, logger, message } => {
                let message = Value::String(self.text(message)?);
                self.call.client.log(*level, logger.as_deref().unwrap_or(self.of.name()), message).await;
                Ok(Produced::default())
            }
            CompiledAction::Progress { progress, total, message } => {
                let message = self.optional(message.as_ref())?;
                self.call.client.progress(*progress, *total, message.as_deref()).await;
                Ok(Produced::default())
            }
            CompiledAction::Delay(period) => {
                tokio::time::sleep(pause(&self.text(period)?)?).await;
                Ok(Produced::default())
            }
            CompiledAction::Announce { lists, resources } => {
                for list in lists {
                    engine.events.send(match list {
                        Listed::Tools => Event::ToolsChanged,
                        Listed::Prompts => Event::PromptsChanged,
                        Listed::Resources => Event::ResourcesChanged,
                    });
                }
                for uri in resources {
                    engine.events.send(Event::ResourceUpdated(self.text(uri)?));
                }
                Ok(Produced::default())
            }
            CompiledAction::Fail { message, code } => {
                let kind = code.map_or(CallErrorKind::Failed, CallErrorKind::Refused);
                Err(CallError::new(kind, self.text(message)?))
            }
            CompiledAction::Status { of } => Ok(Produced::text(engine.tell_status(self.catalog, *of))),
            // What `check` reports and a pack that was not checked may still hold.
            CompiledAction::Pipeline(_) => Err(CallError::definition("a pipeline stands in a pipeline")),
            CompiledAction::AskOne(_) | CompiledAction::AskSeveral(_) | CompiledAction::Task => {
                Err(CallError::new(CallErrorKind::Internal, "a question was run as something else"))
            }
        }
    }
}

/// Whether an action takes a connection of a source, which others wait for.
fn asks_databases(action: &CompiledAction) -> bool {
    match action {
        CompiledAction::Sql { .. }
        | CompiledAction::SqlQuery { .. }
        | CompiledAction::ContextCollect { .. }
        | CompiledAction::ValuesList { .. }
        | CompiledAction::TablesSearch { .. } => true,
        CompiledAction::PromptBuild { part, .. } => *part != PromptPart::System,
        CompiledAction::Template(_)
        | CompiledAction::Json(_)
        | CompiledAction::Meta(_)
        | CompiledAction::CatalogList { .. }
        | CompiledAction::Pipeline(_)
        | CompiledAction::Image { .. }
        | CompiledAction::Audio { .. }
        | CompiledAction::Embed { .. }
        | CompiledAction::Link(_)
        | CompiledAction::Log { .. }
        | CompiledAction::Progress { .. }
        | CompiledAction::Delay(_)
        | CompiledAction::Task
        | CompiledAction::AskOne(_)
        | CompiledAction::AskSeveral(_)
        | CompiledAction::Announce { .. }
        | CompiledAction::Fail { .. }
        | CompiledAction::Status { .. } => false,
    }
}

/// A value as structured content and text.
fn json(text: &str) -> Result<Produced, CallError> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| CallError::definition(format!("what it renders is not JSON: {error}")))?;
    let structured = Some(value.clone());
    Ok(Produced { structured, output: Some(value), ..Produced::text(text.trim().to_owned()) })
}

/// An object for the client's program alone.
fn meta(text: &str) -> Result<Produced, CallError> {
    let meta: Map<String, Value> = serde_json::from_str(text)
        .map_err(|error| CallError::definition(format!("the `_meta` that it renders is no JSON object: {error}")))?;
    let output = Some(Value::Object(meta.clone()));
    Ok(Produced { meta: Some(meta), output, ..Produced::default() })
}

/// How long to wait. A template may well say `0s`.
fn pause(text: &str) -> Result<Duration, CallError> {
    let text = text.trim();
    match Period::parse(text) {
        Ok(period) => Ok(period.0),
        Err(_) if text.starts_with('0') && text.trim_start_matches('0').chars().all(|c| c.is_ascii_alphabetic()) => {
            Ok(Duration::ZERO)
        }
        Err(error) => Err(CallError::definition(format!("it waits for `{text}`: {error}"))),
    }
}
