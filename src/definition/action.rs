//! Actions: the engine's verbs. A tool, a resource or a prompt message runs exactly one.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Name, SqlText, Template, Tenant};

/// What is done when the definition is called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", deny_unknown_fields)]
pub enum Action {
    /// Renders a text from the arguments.
    #[serde(rename = "template")]
    Template {
        /// The text. Variables: the parameters by name.
        text: Template,
    },
    /// Runs one statement that is written here and answers with its rows.
    #[serde(rename = "sql")]
    Sql {
        /// Logical source: `telemetry`, `platform`, `analytics` or `state`.
        source: Name,
        /// The statement.
        sql: SqlText,
        /// Why the statement does not bind `organization_id`, for tables that hold no tenant's data.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tenant: Option<Tenant>,
        /// How the rows are answered.
        #[serde(default)]
        output: Output,
    },
    /// Runs one read-only statement that the caller wrote: parameters `sql`, `params` and `max_rows`.
    /// The database enforces that nothing is written, and every table is bound to the caller's organisation.
    #[serde(rename = "sql.query")]
    SqlQuery {
        /// Logical source: `telemetry`, `platform`, `analytics` or `state`.
        source: Name,
        /// How the rows are answered.
        #[serde(default)]
        output: Output,
    },
    /// Collects a telemetry context: parameters `context_type`, `time_range` or `from` and `to`, `service`,
    /// `filters`, `max_items`, `format`, `max_chars`, `organization_id`, `workspace_id`, `user_id`.
    #[serde(rename = "context.collect")]
    ContextCollect {
        /// Fixed arguments; they win over those of the call.
        #[serde(default)]
        with: IndexMap<String, serde_json::Value>,
    },
    /// Lists what the catalog holds: parameters `category`, `query`, `format`.
    #[serde(rename = "catalog.list")]
    CatalogList {
        /// What is listed.
        of: Subject,
        /// Fixed arguments; they win over those of the call.
        #[serde(default)]
        with: IndexMap<String, serde_json::Value>,
    },
    /// Builds a prompt: the parameters of `context.collect`, and `insight_type`, `question`, `custom_prompt`,
    /// `persona`.
    #[serde(rename = "prompt.build")]
    PromptBuild {
        /// Which prompt.
        part: PromptPart,
        /// Fixed arguments; they win over those of the call.
        #[serde(default)]
        with: IndexMap<String, serde_json::Value>,
    },
}

/// What `catalog.list` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Telemetry context types.
    Contexts,
    /// Analyst personas.
    Personas,
    /// Insights.
    Insights,
}

/// Which prompt `prompt.build` builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PromptPart {
    /// Persona, important instructions, custom instructions.
    System,
    /// The collected context under a heading, as live data.
    Context,
    /// The collected context and the task and outline of an insight, or the caller's question.
    Insight,
    /// System prompt, then the insight prompt: all in one text, for clients with no system role.
    Full,
}

/// How rows are answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// The form of the text. Default: `table`.
    #[serde(default)]
    pub format: OutputFormat,
    /// Most rows answered; one more is read to prove that there are more. Default: 200.
    #[serde(default = "Output::default_rows")]
    pub max_rows: u32,
}

impl Output {
    fn default_rows() -> u32 {
        200
    }
}

impl Default for Output {
    fn default() -> Self {
        Self { format: OutputFormat::default(), max_rows: Self::default_rows() }
    }
}

/// The form of a text that shows rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutputFormat {
    /// A compact table.
    #[default]
    Table,
    /// Comma-separated values (RFC 4180).
    Csv,
    /// JSON.
    Json,
}
