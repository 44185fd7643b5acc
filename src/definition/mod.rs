//! The vocabulary: every definition a pack may contain, as serde and schemars types.
//!
//! The doc comments of this module are the user documentation: they become the descriptions of
//! `schemas/*.schema.json` and the hover texts of an editor. Nothing here does I/O; what is told of an action (`facts`) is
//! data.
//! One definition a file; its first key is `kind:`; the stem of the file is its `name`.

mod action;
mod arguments;
mod columns;
mod context;
mod facts;
mod files;
mod fragment;
mod host;
mod http;
mod insight;
mod next;
mod output;
mod parameter;
mod pattern;
mod persona;
mod prompt;
mod provider;
mod query;
mod rate;
mod resource;
mod reuse;
mod sample;
mod source;
mod step;
mod tables;
mod tool;
mod toolset;
mod tree;
mod units;
mod values;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use action::{Action, PromptPart, StatusPart, Subject};
pub use arguments::{
    BESIDE_FILTERS, CollectArguments, ExplainArguments, ExpressionArguments, ListArguments, PromptArguments,
    QueryArguments, StatementArguments, SystemArguments, SystemPromptArguments, TablesArguments, ValuesArguments,
    argument_names,
};
pub use columns::Columns;
pub use context::{Column, Context, Highlight, Join, Keep, Names, News, Section, Severity, Sides, Window};
pub use facts::{Asks, CLIENT, Changes, Data, Facts, Inside, Keeps, Part, Reach, Reads, Standing, Statement};
pub use files::{
    FileEditArguments, FileListArguments, FileMoveArguments, FilePathArguments, FileReadArguments, FileSearchArguments,
    FileUnit, FileVerb, FileWriteArguments,
};
pub use fragment::Fragment;
pub use host::{
    CommandRunArguments, CommandSessionArguments, CommandSessionsArguments, CommandVerb, SystemInfoArguments,
    SystemKillArguments, SystemProcessesArguments, SystemVerb, SystemWatchArguments,
};
pub(crate) use http::written;
pub use http::{
    CellPointer, HttpColumn, HttpFailure, HttpJson, HttpMethod, HttpNote, HttpPath, HttpReading, HttpSaid, HttpShape,
    HttpState, HttpValue, RowsPointer,
};
pub use insight::Insight;
pub use next::Next;
pub use output::{Output, OutputFormat};
pub use parameter::{Parameter, ParameterType, Parameters, PropertiesFrom, ValuesFrom, Visibility};
pub use pattern::Pattern;
pub use persona::Persona;
pub use prompt::{Message, Prompt, Role};
pub use provider::{Auth, Capability, DialectKind, Model, Provider};
pub use query::{Alternative, Kept, Sampled, Span, SqlText, Summed, Tenant, Workspace};
pub use rate::Rate;
pub use resource::{CacheScope, Resource};
pub use reuse::{ParameterSet, StatedParameters, StatedSection};
pub use sample::SAMPLE_ID;
pub use source::{LogicalSource, SourceFacts};
pub use step::{Listed, LogLevel, SampleMessage, Step};
pub use tables::{ColumnOf, Path, Tables, shipped_rules};
pub use tool::{Annotations, TaskSupport, Tool};
pub use toolset::Toolset;
pub use tree::Tree;
pub use units::{ByteSize, Period};
pub use values::{Place, Values};

/// What a file defines. The first key of every definition file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Tool,
    Resource,
    Prompt,
    Context,
    Insight,
    Persona,
    Provider,
    Toolset,
    Values,
    Fragment,
    Columns,
    Tables,
    Parameters,
}

impl Kind {
    pub const ALL: [Kind; 13] = [
        Kind::Tool,
        Kind::Resource,
        Kind::Prompt,
        Kind::Context,
        Kind::Insight,
        Kind::Persona,
        Kind::Provider,
        Kind::Toolset,
        Kind::Values,
        Kind::Fragment,
        Kind::Columns,
        Kind::Tables,
        Kind::Parameters,
    ];

    /// The word that stands behind `kind:`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Tool => "tool",
            Kind::Resource => "resource",
            Kind::Prompt => "prompt",
            Kind::Context => "context",
            Kind::Insight => "insight",
            Kind::Persona => "persona",
            Kind::Provider => "provider",
            Kind::Toolset => "toolset",
            Kind::Values => "values",
            Kind::Fragment => "fragment",
            Kind::Columns => "columns",
            Kind::Tables => "tables",
            Kind::Parameters => "parameters",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One definition of any kind, typed.
#[derive(Debug, Clone, PartialEq)]
pub enum Definition {
    Tool(Tool),
    Resource(Resource),
    Prompt(Prompt),
    Context(Context),
    Insight(Insight),
    Persona(Persona),
    Provider(Provider),
    Toolset(Toolset),
    Values(Values),
    Fragment(Fragment),
    Columns(Columns),
    Tables(Tables),
    Parameters(ParameterSet),
}

impl Definition {
    pub fn kind(&self) -> Kind {
        match self {
            Definition::Tool(_) => Kind::Tool,
            Definition::Resource(_) => Kind::Resource,
            Definition::Prompt(_) => Kind::Prompt,
            Definition::Context(_) => Kind::Context,
            Definition::Insight(_) => Kind::Insight,
            Definition::Persona(_) => Kind::Persona,
            Definition::Provider(_) => Kind::Provider,
            Definition::Toolset(_) => Kind::Toolset,
            Definition::Values(_) => Kind::Values,
            Definition::Fragment(_) => Kind::Fragment,
            Definition::Columns(_) => Kind::Columns,
            Definition::Tables(_) => Kind::Tables,
            Definition::Parameters(_) => Kind::Parameters,
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Definition::Tool(d) => &d.name,
            Definition::Resource(d) => &d.name,
            Definition::Prompt(d) => &d.name,
            Definition::Context(d) => &d.name,
            Definition::Insight(d) => &d.name,
            Definition::Persona(d) => &d.name,
            Definition::Provider(d) => &d.name,
            Definition::Toolset(d) => &d.name,
            Definition::Values(d) => &d.name,
            Definition::Fragment(d) => &d.name,
            Definition::Columns(d) => &d.name,
            Definition::Tables(d) => &d.name,
            Definition::Parameters(d) => &d.name,
        }
    }
}

/// Unique name within its kind: letters, digits, `_` and `-`, at most 64. The stem of the file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Name(#[schemars(regex(pattern = r"^[a-zA-Z0-9_-]{1,64}$"))] pub String);

impl std::ops::Deref for Name {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A Jinja template. `{{ value }}` prints, `{% if %}` and `{% for %}` shape; undefined variables are errors.
pub type Template = String;

/// A Jinja expression such as `row.p95_ms > 1000`; no braces around it.
pub type Expression = String;

/// An executable example of a definition: `tfo-mcp test` calls it with `arguments` and compares.
///
/// Examples run against the demo data, so that numbers can be exact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// What the example shows, in a few words.
    pub title: String,
    /// Arguments of the call, as a client would send them.
    #[serde(default)]
    pub arguments: IndexMap<String, serde_json::Value>,
    /// What the client answers, by question: the name behind `as:`, or of a question of `ask`. Each is an MCP result, such
    /// as `{ action: accept, content: { name: Ada } }`. Given any, the client can do everything; default: nothing.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub replies: IndexMap<String, serde_json::Value>,
    /// What must hold for the answer.
    pub expect: Expectation,
}

/// What must hold for the answer of an example. All that is given must hold.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The whole text of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Pieces of text that the answer must contain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contains: Vec<String>,
    /// Pieces of text that the answer must not contain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<String>,
    /// Whether the call must be answered as an error. Default: false.
    #[serde(default)]
    pub error: bool,
    /// Expressions over the answer that must be true. `text` is the answer's text and `document` its
    /// structured form, such as `document.sections.services.rows | length > 3`, or `document.rows` of a statement's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Expression>,
}
