//! The interpreter: runs what the catalog holds against the sources.
//!
//! Called by the server and the command line. Knows nothing of protocols, sessions or drivers. A call keeps the
//! catalog that it began with; a replaced catalog serves the next call.

mod about;
mod absent;
mod action;
mod arguments;
mod caller;
mod changes;
mod choose;
mod client;
mod collect;
mod commands;
mod complete;
mod composed;
mod conclude;
mod content;
mod credential;
mod current;
mod cut;
mod document;
mod ending;
mod error;
mod event;
mod example;
mod explain;
mod exists;
mod extent;
mod filters;
mod folders;
mod forgotten;
mod files;
mod fresh;
mod hole;
mod intake;
mod joined;
mod keeping;
mod kept;
mod known;
mod ledger;
mod links;
mod list;
mod live;
mod masked;
mod missing;
mod narrowed;
mod news;
mod next;
mod options;
mod order;
mod plan;
mod prompt;
mod query;
mod rates;
mod recorded;
mod render;
mod request;
mod samples;
mod sampling;
mod scene;
mod search;
mod shown;
mod sources;
mod status;
mod structured;
mod system;
mod tables;
mod tenancy;
mod tree;
mod turns;
mod variables;
mod wanted;
mod window;

use std::sync::Arc;

use arc_swap::ArcSwap;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::{
    catalog::{Catalog, Schema},
    definition::CacheScope,
    source::Rows,
};

use action::Of;
pub use arguments::Spelling;
use arguments::{Checked, Reading};
pub use client::{
    Abilities, Ability, Asked, Client, ClientRoots, Elicitation, Nobody, Outcome, Pending, Question, Resume,
};
pub use complete::Completion;
pub use content::{Answer, Body, Content, PromptAnswer, ResourceAnswer, ResourceContent, noted, texts};
pub use cut::{Cap, Cut, Limit};
pub use document::{Document, Heading, NextCall, Organisation, Remark, SectionAnswer, Status, Total, Workspace, Zone};
pub use error::{CallError, CallErrorKind, LIST_THEM, nearest, span};
pub use event::{Event, Events};
pub use example::ExampleOutcome;
pub use explain::{Beside, Explained, Way};
pub use kept::Use;
pub use ledger::{Entry, Ledger};
pub use live::{LiveFinding, LiveReport, Unasked};
pub use options::EngineOptions;
pub use rates::RateLimits;
pub use render::Format;
pub use sources::Sources;
pub use status::{Finding, Reached};
pub use tenancy::{Owner, Principal, Tenancy, Unresolved, listed};
pub use window::{TimeWindow, stamp};

/// Runs tools, prompts, resources and contexts.
pub struct Engine {
    /// Read by every call, replaced seldom.
    catalog: Arc<ArcSwap<Catalog>>,
    status: status::Status,
    sources: Sources,
    directory: tenancy::Directory,
    answers: known::Answers,
    described: tables::Described,
    kept: kept::Kept,
    rates: rates::Rates,
    turns: turns::Turns,
    services: turns::ServiceTurns,
    options: EngineOptions,
    events: Events,
    ending: ending::Ending,
}

/// What the transport knows about a call.
#[derive(Clone)]
pub struct Call {
    /// Ends the call, in the database too.
    pub cancel: CancellationToken,
    pub principal: Principal,
    /// Whose share of the turns it takes. None: callers are not told apart, and nobody is held to a share.
    pub caller: Option<Arc<str>>,
    /// Whom it talks to.
    pub client: Arc<dyn Client>,
    /// What a repeated call brings along; none for a first one.
    pub resume: Option<Resume>,
    /// The trace that the call belongs to (W3C trace id, 32 hexadecimal digits); empty where none is kept.
    pub trace_id: String,
    /// What it asks of the databases.
    pub ledger: Arc<Ledger>,
}

impl Default for Call {
    fn default() -> Self {
        let (cancel, principal) = (CancellationToken::new(), Principal::default());
        let (client, ledger) = (client::nobody(), Arc::default());
        Self { cancel, principal, caller: None, client, resume: None, trace_id: String::new(), ledger }
    }
}

/// What an action produced.
#[derive(Clone, Default)]
pub(crate) struct Produced {
    content: Vec<Content>,
    /// The collected document, for examples and later steps.
    document: Option<Document>,
    /// The rows of a statement, for later steps.
    rows: Option<Rows>,
    /// The structured content.
    structured: Option<Value>,
    /// What is for the client's program and its views alone.
    meta: Option<Map<String, Value>>,
    /// What later steps see of it, where that is not made from the rest.
    output: Option<Value>,
    /// What was made of the arguments, where no document says it.
    notes: Vec<String>,
    is_error: bool,
    /// A part of it could not be read, which it says.
    wanting: bool,
    /// How much was masked where it was cut from a longer text.
    masked: usize,
}

impl Produced {
    fn text(text: String) -> Self {
        Self { content: vec![Content::text(text)], ..Self::default() }
    }

    /// Whether the structured content is what the definition promises.
    fn keeps(&self, schema: &Schema) -> Result<(), CallError> {
        let validator = schema.validator().map_err(CallError::definition)?;
        let broken = match &self.structured {
            _ if self.is_error => return Ok(()),
            None => vec!["there is no structured content".to_owned()],
            Some(value) => arguments::violations(validator, &schema.source, value),
        };
        match broken.is_empty() {
            true => Ok(()),
            false => Err(CallError::definition(format!("its `output_schema` is not kept: {}", broken.join("; ")))),
        }
    }

    fn answer(self) -> Answer {
        let Self { content, structured, notes, meta, is_error, .. } = self;
        Answer { content, structured, notes, meta, is_error }
    }
}

impl Engine {
    pub fn new(catalog: Catalog, sources: Sources, mut options: EngineOptions) -> Self {
        options.files = Arc::new(options.files.masked_by(options.masking.clone()));
        sources.know(&catalog.tables);
        let turns = turns::Turns::new(options.concurrent_calls);
        let services = turns::ServiceTurns::new(options.services.names());
        let (kept, rates) = (kept::Kept::new(options.kept_bytes), rates::Rates::new(options.rates.clone()));
        let (catalog, events) = (Arc::new(ArcSwap::from_pointee(catalog)), Events::default());
        sources.tell(&status::tells_health(&catalog, &events));
        Self {
            catalog,
            status: status::Status::default(),
            sources,
            directory: tenancy::Directory::default(),
            answers: known::answers(),
            described: tables::described(),
            kept,
            rates,
            turns,
            services,
            options,
            events,
            ending: ending::Ending::default(),
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
        let produced = self.run_tool(&self.catalog(), name, &arguments, Spelling::Json, call).await;
        Ok(self.told(produced, name, &arguments)?.map(Produced::answer))
    }

    /// Calls a tool with arguments written as text, as on a command line.
    pub async fn call_tool_with_text(
        &self,
        name: &str,
        arguments: Map<String, Value>,
        call: &Call,
    ) -> Result<Answer, CallError> {
        let produced = self.run_tool(&self.catalog(), name, &arguments, Spelling::Text, call).await;
        self.told(produced, name, &arguments)?.done().map(Produced::answer)
    }

    /// What a caller is told: of a failure nothing that nobody should read, whether it is of an action or of what was asked. What was
    /// asked is quoted in one line, so that its own lines are looked at first.
    fn told<T>(&self, result: Result<T, CallError>, of: &str, asked: &Map<String, Value>) -> Result<T, CallError> {
        let masking = &self.options.masking;
        result.map_err(|error| error.masked(masking).without_what_was_asked(masking, of, asked))
    }

    async fn run_tool(
        &self,
        catalog: &Catalog,
        name: &str,
        arguments: &Map<String, Value>,
        spelling: Spelling,
        call: &Call,
    ) -> Result<Outcome<Produced>, CallError> {
        // A tool that the credential does not cover does not exist for the caller, not even as a hint.
        let covered = call.principal.toolsets.as_deref();
        let Some(entry) = catalog.tools.get(name).filter(|entry| entry.access().within(covered)) else {
            let known = catalog.tools.iter().filter(|(_, entry)| call.principal.sees(entry.access()));
            let known = known.map(|(name, _)| name.as_str());
            let unknown = CallError::unknown(CallErrorKind::UnknownTool, "tool", name, known);
            return Err(match catalog.off.get(name).and_then(|toolsets| toolsets.first()).filter(|_| covered.is_none()) {
                Some(toolset) => unknown.hint(format!(
                    "`{name}` is in the toolset `{toolset}`, which this server does not offer: the operator adds it to `toolsets`"
                )),
                None => unknown,
            });
        };
        call.principal.permits(name, entry.access())?;
        self.rates.count(call)?;
        self.rates.count_tool(call, name, entry.definition.rate_limit)?;
        let reading = self.reading(catalog, spelling);
        let checked = match &entry.own_schema {
            Some(schema) => arguments::check_schema(schema, arguments, &reading)?,
            None => arguments::check(&entry.definition.parameters, arguments, &reading)?,
        };
        let timeout = entry.definition.timeout.map_or(self.options.tool_timeout, |period| period.0);
        let sought = self.tool_sought(catalog, entry, arguments, spelling, call);
        let masking = &self.options.masking;
        let said: Vec<String> = checked.notes.iter().map(|note| masking.masked(note).0.into_owned()).collect();
        // What is kept has them already.
        let notes = if sought.is_some() { Vec::new() } else { said.clone() };
        let outcome = self.perform(catalog, Of::Tool(entry), arguments, checked, timeout, (call, sought)).await;
        let outcome = outcome.map_err(|error| error.after(&said))?.map(|produced| {
            let mut produced = only(produced);
            // A document says it by itself.
            if produced.document.is_none() {
                produced.notes.splice(0..0, notes);
            }
            produced
        });
        if let (Outcome::Done(produced), Some(schema)) = (&outcome, &entry.output_schema) {
            produced.keeps(schema)?;
        }
        Ok(outcome)
    }

    fn reading<'a>(&self, catalog: &'a Catalog, spelling: Spelling) -> Reading<'a> {
        Reading { spelling, now: self.now(), catalog }
    }

    /// Builds the messages of a prompt.
    pub async fn get_prompt(
        &self,
        name: &str,
        arguments: Map<String, Value>,
        call: &Call,
    ) -> Result<Outcome<PromptAnswer>, CallError> {
        let asked = arguments.clone();
        self.told(self.prompted(name, arguments, call).await, name, &asked)
    }

    async fn prompted(
        &self,
        name: &str,
        arguments: Map<String, Value>,
        call: &Call,
    ) -> Result<Outcome<PromptAnswer>, CallError> {
        let catalog = self.catalog();
        let covered = call.principal.toolsets.as_deref();
        let Some(entry) = catalog.prompts.get(name).filter(|entry| entry.access().within(covered)) else {
            let known = catalog.prompts.iter().filter(|(_, entry)| call.principal.sees(entry.access()));
            let known = known.map(|(name, _)| name.as_str());
            return Err(CallError::unknown(CallErrorKind::UnknownPrompt, "prompt", name, known));
        };
        call.principal.permits(name, entry.access())?;
        self.rates.count(call)?;
        let reading = self.reading(&catalog, Spelling::Text);
        let checked = arguments::check(&entry.definition.arguments, &arguments, &reading)?;
        let timeout = self.options.tool_timeout;
        let outcome = self.perform(&catalog, Of::Prompt(entry), &arguments, checked, timeout, (call, None)).await?;
        Ok(outcome.map(|mut produced| {
            let is_error = produced.iter().any(|produced| produced.is_error);
            let meta = produced.iter_mut().filter_map(|produced| produced.meta.take());
            let meta = meta.reduce(|mut all, more| {
                all.extend(more);
                all
            });
            let roles = entry.definition.messages.iter().map(|message| message.role);
            let said = roles.zip(produced).flat_map(|(role, produced)| {
                let notes = noted(&produced.notes).map(Content::text);
                produced.content.into_iter().chain(notes).map(move |content| (role, content))
            });
            PromptAnswer { description: entry.definition.description.clone(), messages: said.collect(), meta, is_error }
        }))
    }

    /// Reads a resource.
    pub async fn read_resource(&self, uri: &str, call: &Call) -> Result<Outcome<ResourceAnswer>, CallError> {
        self.told(self.resource(uri, call).await, uri, &Map::new())
    }

    async fn resource(&self, uri: &str, call: &Call) -> Result<Outcome<ResourceAnswer>, CallError> {
        let catalog = self.catalog();
        let covered = call.principal.toolsets.as_deref();
        let Some((entry, variables)) = catalog.resource(uri, covered) else {
            let known = catalog.resources.values().filter(|entry| call.principal.sees(entry.access()));
            let known = known.map(|entry| entry.definition.uri.as_str());
            return Err(CallError::unknown(CallErrorKind::UnknownResource, "resource", uri, known));
        };
        call.principal.permits(uri, entry.access())?;
        self.rates.count(call)?;
        // What only some may read is nothing for a cache that all share.
        let shared = covered.is_none() && entry.access().scopes.is_empty();
        let definition = &entry.definition;
        let checked = arguments::check(&definition.parameters, &variables, &self.reading(&catalog, Spelling::Text))?;
        let timeout = self.options.tool_timeout;
        let outcome =
            self.perform(&catalog, Of::Resource(entry, uri), &variables, checked, timeout, (call, None)).await?;
        let uri = self.options.masking.masked(uri).0;
        Ok(outcome.map(|produced| {
            let produced = only(produced);
            ResourceAnswer {
                contents: action::as_resource(produced.content, &produced.notes, &uri, definition),
                meta: produced.meta,
                ttl: definition.ttl,
                cache_scope: if shared { definition.cache_scope } else { CacheScope::Private },
            }
        }))
    }
}

/// What the one action of a tool or a resource produced.
fn only(produced: Vec<Produced>) -> Produced {
    produced.into_iter().next().unwrap_or_default()
}
