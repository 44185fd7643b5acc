//! Tools: what a model may call.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Action, Changes, Example, Name, Parameters, Period, Rate, Reach, StatedParameters};

/// A tool that a model may call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Name by which clients call it.
    pub name: Name,
    /// One line for people.
    pub title: String,
    /// What it does, when to use it and what it answers; shown to the model.
    pub description: String,
    /// Group in which it is listed, such as `telemetry` or `datasource`.
    pub category: Name,
    /// Toolsets that contain it. Where the server or a credential is limited to some, only their tools are offered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub toolsets: Vec<Name>,
    /// What a caller may pass.
    #[serde(default)]
    #[schemars(with = "StatedParameters")]
    pub parameters: Parameters,
    /// JSON Schema (2020-12) of the arguments, shown to clients exactly as written, for what `parameters` cannot say.
    /// Only one of the two is given. Default: made from `parameters`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_schema: Option<serde_json::Map<String, serde_json::Value>>,
    /// JSON Schema (2020-12) of the structured content, an object, shown to clients exactly as written. Every answer
    /// satisfies it: one that does not is a failure of the definition. It takes an action that is shown and answers with a
    /// value: `json`, `sql`, `sql.query`, or `context.collect` with `format: json`. Default: nothing is promised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<serde_json::Map<String, serde_json::Value>>,
    /// Scopes that a credential must carry for calling it. Where an action is `sql.query`, `sql.query` is one of them
    /// whether it stands here or not. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Whether a call may go on as a task that the client polls (extension `io.modelcontextprotocol/tasks`). Default: `none`.
    #[serde(default)]
    pub task: TaskSupport,
    /// Hints about its effects, for the client's permission dialogue.
    #[serde(default)]
    pub annotations: Annotations,
    /// Further data about it for the client's program, shown exactly as written: `_meta: { ui: { resourceUri: "ui://…" } }`
    /// names the view of its answers (extension `io.modelcontextprotocol/ui`). Default: none.
    #[serde(default, rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<serde_json::Map<String, serde_json::Value>>,
    /// Longest run; then the call is cancelled in the database and answered as a timeout. Time in which the client is asked
    /// does not count; it has 10 minutes for each answer. Default: `mcp.tool_timeout`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Period>,
    /// How long an answer is kept for callers who ask the same and may read the same; equal calls at one time run once. For
    /// what changes seldom. An answer from memory says so, and how old it is. Failures are not kept. Only for actions that
    /// change and tell nothing; at most `1h`. Default: nothing is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<Period>,
    /// How often one caller may call it, such as `30/1m` or `30/1m burst 5`; a call beyond that is refused with the time to
    /// wait. The operator may set another (`limits.tool_rates`). Default: `limits.tool_rate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<Rate>,
    /// What it does.
    pub run: Action,
    /// Executable examples.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<Example>,
    /// Replaces the definition of the same name in an earlier pack. Default: false.
    #[serde(default, rename = "override")]
    pub overrides: bool,
}

/// Hints about the effects of a tool (MCP `ToolAnnotations`). Left out, they follow from what its actions do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Annotations {
    /// It changes nothing. Default: whether its actions only read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// It may destroy something. Default: whether an action of it may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destructive: Option<bool>,
    /// A second call with the same arguments has no further effect. Default: true for one that only reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotent: Option<bool>,
    /// It reaches beyond the systems that this server is set up for. Default: whether an action of it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_world: Option<bool>,
}

impl Annotations {
    /// What a client is told: what is written, and for the rest what follows from the reach of the action. Whoever writes
    /// that a tool changes something is believed: what it shows may be another program's doing.
    #[must_use]
    pub fn of(&self, reach: Reach) -> Self {
        let said = self.read_only == Some(false) || self.destructive == Some(true);
        let changes = said || reach.changes != Changes::Nothing;
        Self {
            read_only: self.read_only.or(Some(!changes)),
            destructive: self.destructive.or((!said).then_some(reach.changes == Changes::Destroys)),
            idempotent: self.idempotent.or((!changes).then_some(true)),
            open_world: self.open_world.or(Some(reach.outside)),
        }
    }
}

/// Whether a call may go on as a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaskSupport {
    /// Never.
    #[default]
    None,
    /// If the client knows tasks.
    Optional,
    /// Always; a client that does not know tasks is refused.
    Required,
}
