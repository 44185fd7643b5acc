//! The interpreter: runs what the catalog holds against the sources.
//!
//! Called by the server and the command line. Knows nothing of protocols, sessions or drivers. A call keeps the
//! catalog that it began with; a replaced catalog serves the next call.

mod arguments;
mod changes;
mod client;
mod collect;
mod complete;
mod conclude;
mod content;
mod document;
mod error;
mod event;
mod example;
mod list;
mod live;
mod prompt;
mod query;
mod render;
mod sources;
mod status;
mod tenancy;
mod variables;
mod window;

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{
    catalog::{Catalog, CompiledAction},
    definition::Action,
};

pub use arguments::Spelling;
pub use client::{Abilities, Asked, Client, Elicitation, Nobody, Outcome, Pending, Question, Resume};
pub use complete::Completion;
pub use content::{Answer, Body, Content, PromptAnswer, ResourceAnswer, ResourceContent, texts};
pub use document::{Document, Heading, Organisation, Remark, SectionAnswer, Status};
pub use error::{CallError, CallErrorKind, nearest};
pub use event::{Event, Events};
pub use example::ExampleOutcome;
pub use live::{LiveFinding, LiveReport};
pub use render::Format;
pub use sources::Sources;
pub use status::Finding;
pub use tenancy::{Principal, Tenancy, Unresolved};
pub use window::{TimeWindow, stamp};

/// What the operator decides about calls.
#[derive(Clone)]
pub struct EngineOptions {
    pub tenancy: Tenancy,
    /// Longest collection of a context; sections that are not finished then are `timeout`. Default: 5 s.
    pub context_deadline: Duration,
    /// Longest rendered context, in characters. Default: 10,000.
    pub max_chars: usize,
    /// Longest run of a tool that does not say otherwise. Default: 30 s.
    pub tool_timeout: Duration,
    /// Longest single statement. Default: 15 s.
    pub query_timeout: Duration,
    /// Most calls that run at once; further ones wait for their turn. Default: 64.
    pub concurrent_calls: usize,
    /// Most rows that one statement may answer. Default: 1,000.
    pub max_rows: usize,
    /// Most bytes that one statement may answer. Default: 4 MiB.
    pub max_bytes: usize,
    /// The settings in force, without secrets: what a resource about them shows.
    pub config: Arc<Value>,
    /// The current time; tests set it.
    pub clock: Arc<dyn Fn() -> OffsetDateTime + Send + Sync>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            tenancy: Tenancy::default(),
            context_deadline: Duration::from_secs(5),
            max_chars: 10_000,
            tool_timeout: Duration::from_secs(30),
            query_timeout: Duration::from_secs(15),
            concurrent_calls: 64,
            max_rows: 1000,
            max_bytes: 4 << 20,
            config: Arc::new(Value::Null),
            clock: Arc::new(OffsetDateTime::now_utc),
        }
    }
}

/// Runs tools, prompts, resources and contexts.
pub struct Engine {
    /// Read by every call, replaced seldom.
    catalog: ArcSwap<Catalog>,
    status: status::Status,
    sources: Sources,
    directory: tenancy::Directory,
    turns: Semaphore,
    options: EngineOptions,
    events: Events,
}

/// What the transport knows about a call.
#[derive(Clone)]
pub struct Call {
    /// Ends the call, in the database too.
    pub cancel: CancellationToken,
    pub principal: Principal,
    /// Whom it talks to.
    pub client: Arc<dyn Client>,
    /// What a repeated call brings along; none for a first one.
    pub resume: Option<Resume>,
    /// The trace that the call belongs to (W3C trace id, 32 hexadecimal digits); empty where none is kept.
    pub trace_id: String,
}

impl Default for Call {
    fn default() -> Self {
        let (cancel, principal) = (CancellationToken::new(), Principal::default());
        Self { cancel, principal, client: client::nobody(), resume: None, trace_id: String::new() }
    }
}

/// What an action produced.
pub(crate) struct Produced {
    content: Vec<Content>,
    /// The collected document, for examples.
    document: Option<Document>,
    is_error: bool,
}

impl Produced {
    fn text(text: String) -> Self {
        Self { content: vec![Content::text(text)], document: None, is_error: false }
    }

    fn answer(self) -> Answer {
        Answer { content: self.content, structured: None, is_error: self.is_error }
    }
}

impl Engine {
    pub fn new(catalog: Catalog, sources: Sources, options: EngineOptions) -> Self {
        let turns = Semaphore::new(options.concurrent_calls.max(1));
        Self {
            catalog: ArcSwap::from_pointee(catalog),
            status: status::Status::default(),
            sources,
            directory: tenancy::Directory::default(),
            turns,
            options,
            events: Events::default(),
        }
    }

    /// The catalog that the next call uses.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.catalog.load_full()
    }

    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    pub fn options(&self) -> &EngineOptions {
        &self.options
    }

    /// What clients may want to know.
    pub fn events(&self) -> &Events {
        &self.events
    }

    pub fn now(&self) -> OffsetDateTime {
        (self.options.clock)()
    }

    /// Calls a tool.
    ///
    /// # Errors
    /// `UnknownTool`; any other failure too, which the protocol shows as a result with `isError`.
    pub async fn call_tool(
        &self,
        name: &str,
        arguments: Map<String, Value>,
        call: &Call,
    ) -> Result<Outcome<Answer>, CallError> {
        let produced = self.run_tool(&self.catalog(), name, &arguments, Spelling::Json, call).await?;
        Ok(Outcome::Done(produced.answer()))
    }

    /// Calls a tool with arguments written as text, as on a command line.
    pub async fn call_tool_with_text(
        &self,
        name: &str,
        arguments: Map<String, Value>,
        call: &Call,
    ) -> Result<Answer, CallError> {
        let produced = self.run_tool(&self.catalog(), name, &arguments, Spelling::Text, call).await?;
        Ok(produced.answer())
    }

    async fn run_tool(
        &self,
        catalog: &Catalog,
        name: &str,
        arguments: &Map<String, Value>,
        spelling: Spelling,
        call: &Call,
    ) -> Result<Produced, CallError> {
        let Some(entry) = catalog.tools.get(name) else {
            let known = catalog.tools.keys().map(String::as_str);
            return Err(CallError::unknown(CallErrorKind::UnknownTool, "tool", name, known));
        };
        let arguments = arguments::check(&entry.definition.parameters, arguments, spelling)?;
        let timeout = entry.definition.timeout.map_or(self.options.tool_timeout, |period| period.0);
        self.run(catalog, &entry.definition.run, &entry.action, arguments, timeout, call).await
    }

    /// Builds the messages of a prompt.
    pub async fn get_prompt(
        &self,
        name: &str,
        arguments: Map<String, Value>,
        call: &Call,
    ) -> Result<Outcome<PromptAnswer>, CallError> {
        let catalog = self.catalog();
        let Some(entry) = catalog.prompts.get(name) else {
            let known = catalog.prompts.keys().map(String::as_str);
            return Err(CallError::unknown(CallErrorKind::UnknownPrompt, "prompt", name, known));
        };
        let arguments = arguments::check(&entry.definition.arguments, &arguments, Spelling::Text)?;
        let mut messages = Vec::with_capacity(entry.actions.len());
        for (message, action) in entry.definition.messages.iter().zip(&entry.actions) {
            let timeout = self.options.tool_timeout;
            let produced = self.run(&catalog, &message.run, action, arguments.clone(), timeout, call).await?;
            messages.extend(produced.content.into_iter().map(|content| (message.role, content)));
        }
        Ok(Outcome::Done(PromptAnswer { description: entry.definition.description.clone(), messages }))
    }

    /// Reads a resource.
    pub async fn read_resource(&self, uri: &str, call: &Call) -> Result<Outcome<ResourceAnswer>, CallError> {
        let catalog = self.catalog();
        let Some((entry, variables)) = catalog.resource(uri) else {
            let known = catalog.resources.values().map(|entry| entry.definition.uri.as_str());
            return Err(CallError::unknown(CallErrorKind::UnknownResource, "resource", uri, known));
        };
        let definition = &entry.definition;
        let arguments = arguments::check(&definition.parameters, &variables, Spelling::Text)?;
        let timeout = self.options.tool_timeout;
        let produced = self.run(&catalog, &definition.run, &entry.action, arguments, timeout, call).await?;
        let contents = vec![ResourceContent {
            uri: uri.to_owned(),
            mime_type: Some(definition.mime_type.clone()),
            body: Body::Text(texts(&produced.content)),
        }];
        Ok(Outcome::Done(ResourceAnswer { contents, ttl: definition.ttl, cache_scope: definition.cache_scope }))
    }

    /// Runs one action with checked arguments, within the timeout and until cancelled.
    async fn run(
        &self,
        catalog: &Catalog,
        action: &Action,
        compiled: &CompiledAction,
        arguments: Map<String, Value>,
        timeout: Duration,
        call: &Call,
    ) -> Result<Produced, CallError> {
        let run = async {
            let _turn = self
                .turns
                .acquire()
                .await
                .map_err(|_| CallError::new(CallErrorKind::Internal, "the engine is closed"))?;
            match (action, compiled) {
                (Action::Template { .. }, CompiledAction::Template(key)) => {
                    let variables = crate::template::jinja(&arguments);
                    let text = catalog.templates.render(crate::template::Flavour::Plain, key, variables);
                    text.map(Produced::text).map_err(CallError::definition)
                }
                (Action::Sql { source, output, .. }, CompiledAction::Sql(sql)) => {
                    self.run_sql(catalog, source, sql, output, &arguments, timeout, call).await
                }
                (Action::SqlQuery { source, output }, _) => {
                    self.run_caller_sql(source, output, &arguments, timeout, call).await
                }
                (Action::ContextCollect { with }, _) => self.run_collect(catalog, with, arguments, call).await,
                (Action::CatalogList { of, with }, _) => {
                    Ok(Produced::text(list::render(catalog, *of, &fixed(arguments, with))?))
                }
                (Action::Status { of }, _) => Ok(Produced::text(self.tell_status(catalog, *of))),
                (Action::PromptBuild { part, with }, _) => {
                    self.run_prompt(catalog, *part, &fixed(arguments, with), call).await
                }
                (
                    Action::Pipeline { .. }
                    | Action::Image { .. }
                    | Action::Audio { .. }
                    | Action::Embed { .. }
                    | Action::Link { .. }
                    | Action::Log { .. }
                    | Action::Progress { .. }
                    | Action::Delay { .. }
                    | Action::Task {}
                    | Action::Elicit { .. }
                    | Action::ElicitUrl { .. }
                    | Action::Sample { .. }
                    | Action::Roots {}
                    | Action::Ask { .. }
                    | Action::Announce { .. }
                    | Action::Fail { .. },
                    _,
                ) => Err(CallError::new(CallErrorKind::Internal, "the action cannot be run yet")),
                (Action::Template { .. } | Action::Sql { .. }, _) => {
                    Err(CallError::new(CallErrorKind::Internal, "the action was compiled as another one"))
                }
            }
        };
        // The statement is ended in the database by its own deadline; this one covers everything around it.
        tokio::select! {
            result = run => result,
            () = call.cancel.cancelled() => Err(CallError::new(CallErrorKind::Cancelled, "the call was cancelled")),
            () = tokio::time::sleep(timeout + Duration::from_millis(250)) => {
                Err(CallError::new(CallErrorKind::Timeout, format!("not finished within {timeout:?}"))
                    .hint("ask for a shorter window or fewer rows"))
            }
        }
    }
}

/// Arguments with the definition's fixed ones on top.
fn fixed(mut arguments: Map<String, Value>, with: &indexmap::IndexMap<String, Value>) -> Map<String, Value> {
    arguments.extend(with.iter().map(|(name, value)| (name.clone(), value.clone())));
    arguments
}
