//! Actions that neither contain others nor wait for the client: an arm each.

use std::time::Duration;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::{
    super::{CallError, CallErrorKind, Content, Event, Produced, arguments::typed, list, request::Time},
    Of, Run, content, expression,
};
use crate::{
    catalog::{Leaf, Verb},
    definition::{Listed, Period},
};

impl Run<'_> {
    pub(super) async fn leaf(&self, leaf: &Leaf) -> Result<Produced, CallError> {
        let engine = self.engine;
        let (variables, left, none) = (&self.variables, self.left, IndexMap::new());
        // Whoever only computes or waits, such as for a client that does not read, takes nobody's turn; whoever collects
        // takes one itself, if it does not wait for another's collection.
        let _turn = match leaf.asks_data && !matches!(leaf.verb, Verb::ContextCollect { .. }) {
            true => engine.turns.take(self.call.caller.as_ref()).await,
            false => None,
        };
        match &leaf.verb {
            Verb::Template(text) => self.text(text).map(Produced::text),
            Verb::Json(text) => json(&self.text(text)?),
            Verb::Meta(text) => meta(&self.text(text)?),
            Verb::Expression(Some(own)) => expression::own(own, variables),
            Verb::Expression(None) => expression::of_call(typed(variables, &none)?),
            Verb::Sql { source, sql, output } => {
                let parameters = self.of.parameters();
                engine.run_sql(self.catalog, source, sql, parameters, output, variables, left, self.call).await
            }
            Verb::SqlQuery { source, output } => {
                let reach = self.of.reach("max_rows", variables);
                let arguments = typed(variables, &none)?;
                engine.run_caller_sql(self.catalog, (source, reach), output, arguments, left, self.call).await
            }
            Verb::ContextCollect { with } => {
                let arguments = self.catalog.with_own_filters(typed(variables, with)?, with, variables);
                engine.run_collect(self.catalog, arguments, self.of.movable(variables), &self.notes, self.call).await
            }
            Verb::CatalogList { of, with } => {
                Ok(Produced::text(list::render(self.catalog, *of, &typed(variables, with)?)))
            }
            Verb::ValuesList { with } => {
                engine.run_values(self.catalog, typed(variables, with)?, left, self.call).await
            }
            Verb::SqlExplain { with } => {
                engine.run_explain(self.catalog, typed(variables, with)?, left, self.call).await
            }
            Verb::TablesSearch { with } => {
                engine.run_tables(self.catalog, typed(variables, with)?, left, self.call).await
            }
            Verb::PromptBuild { part, with } => {
                let arguments = typed(variables, with)?;
                engine
                    .run_prompt(self.catalog, *part, arguments, self.of.movable(variables), &self.notes, self.call)
                    .await
            }
            Verb::File { verb, with } => {
                let uri = match self.of {
                    Of::Resource(_, uri) => Some(uri),
                    Of::Tool(_) | Of::Prompt(_) => None,
                };
                engine.run_file(*verb, variables, with, left, uri, self.call).await
            }
            Verb::Command { verb, argv, with } => {
                let argv: Vec<String> = argv.iter().map(|text| self.word(text)).collect::<Result<_, _>>()?;
                engine.run_command(*verb, argv, variables, with, left, self.call).await
            }
            Verb::System { verb, with } => engine.run_system(*verb, variables, with, left, self.call).await,
            Verb::Http(request) => {
                let time = Time { left, whole: self.timeout, at_once: self.of.at_once(&request.service) };
                engine.run_request(request, |text| self.text(text), variables, time, self.call).await
            }
            Verb::Image { data, mime_type } => {
                let (data, mime_type) = (content::base64(self.text(data)?)?, mime_type.clone());
                Ok(Produced::one(Content::Image { data, mime_type }))
            }
            Verb::Audio { data, mime_type } => {
                let (data, mime_type) = (content::base64(self.text(data)?)?, mime_type.clone());
                Ok(Produced::one(Content::Audio { data, mime_type }))
            }
            Verb::Embed { uri, mime_type, body } => {
                self.embed(uri.as_ref(), mime_type.as_ref(), body).map(Produced::one)
            }
            Verb::Link(link) => self.link(link).map(Produced::one),
            Verb::Log { level, logger, message } => {
                let message = Value::String(self.said(message)?);
                self.call.client.log(*level, logger.as_deref().unwrap_or(self.of.name()), message).await;
                Ok(Produced::default())
            }
            Verb::Progress { progress, total, message } => {
                let message = message.as_ref().map(|message| self.said(message)).transpose()?;
                self.call.client.progress(*progress, *total, message.as_deref()).await;
                Ok(Produced::default())
            }
            Verb::Delay(period) => {
                tokio::time::sleep(pause(&self.text(period)?)?).await;
                Ok(Produced::default())
            }
            Verb::Announce { lists, resources } => {
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
            Verb::Fail { message, code } => {
                let kind = code.map_or(CallErrorKind::Failed, CallErrorKind::Refused);
                Err(CallError::new(kind, self.text(message)?))
            }
            Verb::Status { of } => Ok(Produced::text(engine.tell_status(self.catalog, *of))),
        }
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
