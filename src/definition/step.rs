//! Steps of a pipeline, and what they send to or ask of the client.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Action, Expression, Name, Role, Template};

/// One step of a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Keeps the output under this name for later steps, and shows nothing of it. Steps that ask the client need one.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub keep: Option<Name>,
    /// Runs the step only if this holds. Default: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Expression>,
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
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

/// What is announced as changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Announcement {
    /// The list of tools.
    Tools,
    /// The list of prompts.
    Prompts,
    /// The list of resources.
    Resources,
    /// The content of the resource with this URI.
    Resource(Template),
}
