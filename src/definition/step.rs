//! Steps of a pipeline, and what they send to or ask of the client.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Action, Expression, Name, Role, Template};

/// One step of a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Keeps the output under this name for later steps, and shows nothing of it. Steps that ask the client need one, which
    /// is also the name of the question. Outputs are: of content its text; of `sql` and `sql.query` `text`, `rows` (each
    /// with its columns by name), `columns` and `truncated`; of `context.collect` and `prompt.build` `text` and `document`;
    /// of `expression` and of a question what the action says. A step that was not run keeps nothing: ask with `name is defined`.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub keep: Option<Name>,
    /// Runs the step only if this holds. Default: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Expression>,
    /// Runs together with the step before it, in the time of the pipeline: neither sees the output of the other, and steps
    /// behind them see both. Not for steps that ask the client. Default: false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub beside: bool,
    /// The pipeline goes on if the step fails: the answer says what failed and why, and its output, if it is kept, has
    /// `error` instead of what it would have: ask with `name.member is defined`. An answer of which every such step failed is an error. Default: false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// What is done.
    pub run: Box<Action>,
}

/// A message of a conversation with the client's language model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SampleMessage {
    /// Who says it. Default: `user`.
    #[serde(default)]
    pub role: Role,
    /// What is said.
    pub text: Template,
}

/// How important a log message is (RFC 5424, as in MCP).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Detail for whoever looks for a mistake.
    Debug,
    /// What happened.
    Info,
    /// What happened and is worth a look.
    Notice,
    /// What may become a failure.
    Warning,
    /// A failure.
    Error,
    /// A failure of a whole part.
    Critical,
    /// Somebody must act at once.
    Alert,
    /// The system is unusable.
    Emergency,
}

/// A list that clients keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Listed {
    /// The tools.
    Tools,
    /// The prompts.
    Prompts,
    /// The resources and resource templates.
    Resources,
}
