//! The compiled form of all definitions: immutable, shared, replaced whole.
//!
//! Templates and statements are compiled here, or where a start must be quick by the first call that needs them; input
//! schemas are built, aliases and references are resolved. [`Catalog::compile`] never fails: what cannot be compiled is left out and named in
//! the problems; `check` finds the same mistakes with their positions.

mod access;
mod action;
mod columns;
mod contexts;
mod keys;
mod next;
mod page;
mod parameters;
mod request;
mod schema;
mod statement;
mod texts;
mod uri;
mod values;

use std::{
    collections::{BTreeMap, HashMap},
    sync::atomic::{AtomicU64, Ordering},
};

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::{
    definition::{
        Context, Definition, Insight, Kind, Name, Parameter, Parameters, Persona, Prompt, Provider, Resource, Tool,
        Toolset, ValuesFrom,
    },
    sql::{template::SqlTemplates, tenancy::TableRules},
    template::{Flavour, Templates},
};

pub use access::{Access, OWN_SQL};
pub use action::{
    Asks, CompiledAction, CompiledBody, CompiledLink, CompiledQuestion, CompiledStep, Leaf, Schema, Text, Verb,
    compile as compile_schema,
};
pub use columns::Dictionary;
pub use contexts::{ContextEntry, Contexts, HighlightKeys, Later, SectionEntry};
pub use keys::{insight_key, persona_key, prompt_template_key};
pub use next::NextKeys;
pub use page::{index, page};
use parameters::Collector;
pub use parameters::meant;
pub use request::{CompiledRequest, RequestJson, RequestValue};
pub use schema::{ANY, MOST_CHOICES, exact_schema, input_schema, offers_any, property_names};
pub use statement::CompiledSql;
use texts::{Deferred, Texts};
pub use uri::UriTemplate;
pub use values::{CONTAINS, PlaceEntry, Reach, ValuesEntry};

/// What the operator decides about the catalog.
#[derive(Debug, Clone, Default)]
pub struct CatalogOptions {
    /// Toolsets to offer. None: those whose definition says `default: true`.
    pub toolsets: Option<Vec<String>>,
    /// Offer whatever there is, in a toolset or in none.
    pub all: bool,
    /// Compile each template when it is first used, for definitions that `check` has just proven. Default: false,
    /// all are compiled at once and what is wrong is named.
    pub lazy: bool,
    /// Whether callers may name one of the organisations they may see (`tenancy.allow_argument`).
    pub allow_tenancy_argument: bool,
}

/// Catalogs that this process has compiled.
static REVISIONS: AtomicU64 = AtomicU64::new(1);

/// All definitions, compiled.
#[derive(Default)]
pub struct Catalog {
    /// Tells it apart from every other catalog of this process.
    pub revision: u64,
    /// Tools on offer, in the order in which clients see them.
    pub tools: IndexMap<String, ToolEntry>,
    pub prompts: IndexMap<String, PromptEntry>,
    pub resources: IndexMap<String, ResourceEntry>,
    pub contexts: Contexts,
    pub insights: IndexMap<String, Insight>,
    pub personas: IndexMap<String, Persona>,
    pub providers: IndexMap<String, Provider>,
    pub toolsets: IndexMap<String, Toolset>,
    /// Tools that are not offered, each with the toolsets that it is in.
    pub off: BTreeMap<String, Vec<String>>,
    /// How columns are shown of which their section says nothing.
    pub columns: Dictionary,
    /// Whose the rows of tables are, and what of them nobody may see.
    pub tables: TableRules,
    /// Lists of known values.
    pub known_values: IndexMap<String, ValuesEntry>,
    /// The prompt templates by name, as they were written.
    pub prompt_templates: IndexMap<String, String>,
    pub templates: Templates,
    pub sql: SqlTemplates,
    /// What a caller may narrow some context type by: the parameters of all of them, under one name each.
    pub filters: Parameters,
    aliases: HashMap<String, String>,
    fallback_persona: Option<String>,
    /// Where a caller finds names that are too many for a schema.
    places: HashMap<ValuesFrom, String>,
    /// By context type: the tool that collects it and no other.
    collectors: HashMap<String, Collector>,
    /// The tool on offer that collects whatever type a call names.
    collects: Option<String>,
}

/// A tool and what a client is shown of it.
pub struct ToolEntry {
    /// With hidden parameters removed, `values_from` resolved to choices, the scopes that its action demands, and the
    /// annotations that follow from it.
    pub definition: Tool,
    /// JSON Schema of the arguments.
    pub input_schema: Map<String, Value>,
    /// The schema that the definition brings along instead of parameters.
    pub own_schema: Option<Schema>,
    /// What the structured content of every answer satisfies.
    pub output_schema: Option<Schema>,
    pub action: CompiledAction,
}

impl ToolEntry {
    pub fn access(&self) -> Access<'_> {
        Access { toolsets: &self.definition.toolsets, scopes: &self.definition.scopes }
    }
}

/// A prompt whose messages are compiled.
pub struct PromptEntry {
    pub definition: Prompt,
    /// One per message.
    pub actions: Vec<CompiledAction>,
}

impl PromptEntry {
    pub fn access(&self) -> Access<'_> {
        Access { toolsets: &self.definition.toolsets, scopes: &self.definition.scopes }
    }
}

/// A resource and how its URI is read.
pub struct ResourceEntry {
    pub definition: Resource,
    pub uri: UriTemplate,
    pub action: CompiledAction,
}

impl ResourceEntry {
    pub fn access(&self) -> Access<'_> {
        Access { toolsets: &self.definition.toolsets, scopes: &self.definition.scopes }
    }
}

/// Something that could not be compiled and was left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} `{name}`: {message}")]
pub struct Problem {
    pub kind: Kind,
    pub name: String,
    pub message: String,
}

/// Names of the prompt templates that the engine renders, without `.md.j2`.
pub const PROMPT_TEMPLATES: [&str; 3] = ["system", "context", "insight"];

impl Catalog {
    /// Compiles definitions and the prompt templates (name without `.md.j2`, text).
    pub fn compile(
        definitions: impl IntoIterator<Item = Definition>,
        prompt_templates: &IndexMap<String, String>,
        options: &CatalogOptions,
    ) -> (Self, Vec<Problem>) {
        Self::compile_with(definitions, Vec::new(), prompt_templates, options)
    }

    /// As [`compile`](Self::compile), with context types that are put together later.
    pub fn compile_with(
        definitions: impl IntoIterator<Item = Definition>,
        later: Vec<Later>,
        prompt_templates: &IndexMap<String, String>,
        options: &CatalogOptions,
    ) -> (Self, Vec<Problem>) {
        let revision = REVISIONS.fetch_add(1, Ordering::Relaxed);
        let mut catalog = Self { revision, prompt_templates: prompt_templates.clone(), ..Self::default() };
        let (texts, statements) = (catalog.templates.deferred().clone(), catalog.sql.deferred().clone());
        catalog.contexts.deferred = Deferred { texts, statements };
        let mut compiler = Compiler { catalog, problems: Vec::new(), options };
        for (name, text) in prompt_templates {
            compiler.template(Kind::Prompt, name, &prompt_template_key(name), text);
        }
        let (mut contexts, mut values, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        for definition in definitions {
            match definition {
                Definition::Context(context) => contexts.push(context),
                Definition::Values(list) => values.push(list),
                Definition::Insight(d) => drop(compiler.catalog.insights.insert(d.name.0.clone(), d)),
                Definition::Persona(d) => drop(compiler.catalog.personas.insert(d.name.0.clone(), d)),
                Definition::Provider(d) => drop(compiler.catalog.providers.insert(d.name.0.clone(), d)),
                Definition::Columns(d) => compiler.catalog.columns.add(d),
                Definition::Tables(d) => {
                    compiler.catalog.tables = std::mem::take(&mut compiler.catalog.tables).with(&d.rules())
                }
                Definition::Toolset(d) => drop(compiler.catalog.toolsets.insert(d.name.0.clone(), d)),
                other => rest.push(other),
            }
        }
        compiler.personas_and_insights();
        contexts.into_iter().for_each(|context| compiler.context(context));
        for later in later {
            compiler.aliases(&later.head);
            compiler.catalog.contexts.insert_later(later);
        }
        compiler.catalog.contexts.sort_keys();
        compiler.catalog.filters = parameters::union(compiler.catalog.listed());
        compiler.places(&rest);
        values.into_iter().for_each(|values| compiler.values(values));
        for definition in rest {
            match definition {
                Definition::Tool(tool) => compiler.tool(tool),
                Definition::Prompt(prompt) => compiler.prompt(prompt),
                Definition::Resource(resource) => compiler.resource(resource),
                _ => {}
            }
        }
        compiler.catalog.sort();
        (compiler.catalog, compiler.problems)
    }

    /// The services that what is on offer asks, each with the names of what asks it.
    pub fn services(&self) -> BTreeMap<&str, Vec<&str>> {
        let tools = self.tools.iter().map(|(name, tool)| (name, tool.action.services()));
        let resources = self.resources.iter().map(|(name, resource)| (name, resource.action.services()));
        let prompts = self.prompts.iter();
        let prompts =
            prompts.map(|(name, prompt)| (name, prompt.actions.iter().flat_map(CompiledAction::services).collect()));
        let mut asked: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, services) in tools.chain(resources).chain(prompts) {
            for service in services {
                let by = asked.entry(service).or_default();
                if by.last() != Some(&name.as_str()) {
                    by.push(name);
                }
            }
        }
        asked
    }

    /// The context type of a name or alias.
    pub fn context(&self, name: &str) -> Option<&ContextEntry> {
        self.contexts.get(name).or_else(|| self.contexts.get(self.aliases.get(name)?))
    }

    /// The persona of a context type, or the fallback.
    pub fn persona(&self, name: Option<&str>) -> Option<&Persona> {
        name.and_then(|name| self.personas.get(name))
            .or_else(|| self.fallback_persona.as_ref().and_then(|name| self.personas.get(name)))
    }

    /// The resource whose URI or template matches, within the toolsets of a caller, and its variables.
    pub fn resource(&self, uri: &str, toolsets: Option<&[String]>) -> Option<(&ResourceEntry, Map<String, Value>)> {
        let mut covered = self.resources.values().filter(|entry| entry.access().within(toolsets));
        covered.find_map(|entry| Some((entry, entry.uri.matches(uri)?)))
    }

    /// The scopes that definitions ask for; some more than once.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        let tools = self.tools.values().map(|entry| entry.access());
        let prompts = self.prompts.values().map(|entry| entry.access());
        let resources = self.resources.values().map(|entry| entry.access());
        tools.chain(prompts).chain(resources).flat_map(|access| access.scopes).map(String::as_str)
    }

    /// The list of which a parameter of this name takes a value.
    pub fn values_of(&self, name: &str, parameter: &Parameter) -> Option<&ValuesEntry> {
        match &parameter.known_values {
            Some(list) => self.known_values.get(&**list),
            None if parameter.choices.is_some() => None,
            None => self.known_values.values().find(|entry| entry.definition.for_parameters.iter().any(|p| p == name)),
        }
    }

    /// Every list in a fixed order, whatever order files were read in: clients cache by content.
    fn sort(&mut self) {
        self.tools.sort_keys();
        self.prompts.sort_keys();
        self.resources.sort_keys();
        self.contexts.sort_keys();
        self.insights.sort_keys();
        self.personas.sort_keys();
        self.providers.sort_keys();
        self.toolsets.sort_keys();
        self.known_values.sort_keys();
    }
}

struct Compiler<'a> {
    catalog: Catalog,
    problems: Vec<Problem>,
    options: &'a CatalogOptions,
}

impl Compiler<'_> {
    fn problem(&mut self, kind: Kind, name: &str, message: impl Into<String>) {
        self.problems.push(Problem { kind, name: name.to_owned(), message: message.into() });
    }

    fn template(&mut self, kind: Kind, name: &str, key: &str, text: &str) {
        self.text(Flavour::Plain, kind, name, key, text);
    }

    fn personas_and_insights(&mut self) {
        let personas: Vec<_> = self.catalog.personas.values().map(|p| (p.name.0.clone(), p.prompt.clone())).collect();
        for (name, prompt) in personas {
            self.template(Kind::Persona, &name, &persona_key(&name), &prompt);
        }
        let insights: Vec<_> = self.catalog.insights.values().map(|i| (i.name.0.clone(), i.task.clone())).collect();
        for (name, task) in insights {
            self.template(Kind::Insight, &name, &insight_key(&name), &task);
        }
        self.catalog.fallback_persona =
            self.catalog.personas.values().find(|persona| persona.fallback).map(|persona| persona.name.0.clone());
    }

    fn context(&mut self, definition: Context) {
        self.aliases(&definition);
        let entry = contexts::entry(self, definition);
        self.catalog.contexts.insert(entry);
    }

    fn aliases(&mut self, definition: &Context) {
        for alias in &definition.aliases {
            self.catalog.aliases.insert(alias.0.clone(), definition.name.0.clone());
        }
    }

    /// A JSON Schema that a definition brings along.
    fn schema(&mut self, kind: Kind, name: &str, source: &Map<String, Value>) -> Schema {
        let schema = Schema::new(source.clone());
        if !self.options.lazy
            && let Err(message) = schema.validator()
        {
            let message = format!("a schema cannot be compiled: {message}");
            self.problem(kind, name, message);
        }
        schema
    }

    /// Whether a definition of these toolsets is offered.
    fn offered(&self, toolsets: &[Name]) -> bool {
        match &self.options.toolsets {
            _ if self.options.all => true,
            Some(wanted) => toolsets.iter().any(|set| wanted.contains(&set.0)),
            None => {
                toolsets.is_empty()
                    || toolsets.iter().any(|set| self.catalog.toolsets.get(&**set).is_none_or(|set| set.default))
            }
        }
    }

    fn tool(&mut self, mut definition: Tool) {
        if !self.offered(&definition.toolsets) {
            let toolsets = definition.toolsets.into_iter().map(|set| set.0).collect();
            self.catalog.off.insert(definition.name.0, toolsets);
            return;
        }
        self.resolve(&mut definition.parameters);
        let name = definition.name.0.clone();
        let action = self.action(Kind::Tool, &name, &format!("tool/{name}"), &definition.run);
        definition.scopes = access::demanded(definition.scopes, [&definition.run]);
        definition.annotations = definition.annotations.of(definition.run.reach());
        let own_schema = definition.input_schema.as_ref().map(|source| self.schema(Kind::Tool, &name, source));
        let input_schema = match &own_schema {
            Some(schema) => schema.source.clone(),
            None => input_schema(&definition.parameters),
        };
        let output_schema = definition.output_schema.as_ref().map(|source| self.schema(Kind::Tool, &name, source));
        self.catalog.tools.insert(name, ToolEntry { definition, input_schema, own_schema, output_schema, action });
    }

    fn prompt(&mut self, mut definition: Prompt) {
        if !self.offered(&definition.toolsets) {
            return;
        }
        self.resolve(&mut definition.arguments);
        let name = definition.name.0.clone();
        let runs: Vec<_> = definition.messages.iter().map(|message| message.run.clone()).collect();
        let actions: Vec<_> = runs
            .iter()
            .enumerate()
            .map(|(i, run)| self.action(Kind::Prompt, &name, &format!("prompt/{name}/{i}"), run))
            .collect();
        definition.scopes = access::demanded(definition.scopes, definition.messages.iter().map(|message| &message.run));
        self.catalog.prompts.insert(name, PromptEntry { definition, actions });
    }

    fn resource(&mut self, mut definition: Resource) {
        if !self.offered(&definition.toolsets) {
            return;
        }
        let written: Vec<String> = definition.parameters.keys().cloned().collect();
        self.resolve(&mut definition.parameters);
        let hidden = written.iter().filter(|name| !definition.parameters.contains_key(*name));
        definition.uri = hidden.fold(definition.uri, |uri, name| uri::without(&uri, name));
        let name = definition.name.0.clone();
        match UriTemplate::parse(&definition.uri) {
            Ok(uri) => {
                let aliases = definition.parameters.values().flat_map(|parameter| parameter.aliases.iter().cloned());
                let uri = uri.with_aliases(aliases.collect());
                let action = self.action(Kind::Resource, &name, &format!("resource/{name}"), &definition.run);
                definition.scopes = access::demanded(definition.scopes, [&definition.run]);
                self.catalog.resources.insert(name, ResourceEntry { definition, uri, action });
            }
            Err(message) => self.problem(Kind::Resource, &name, message),
        }
    }
}
