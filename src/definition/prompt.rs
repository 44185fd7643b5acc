//! Prompts: messages that a person picks from the client's menu.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Action, Example, Name, Parameters, StatedParameters};

/// A prompt that a person picks from the client's menu.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// Name by which clients ask for it.
    pub name: Name,
    /// One line for people.
    pub title: String,
    /// What the model is asked to do.
    pub description: String,
    /// Toolsets that contain it. Where the server or a credential is limited to some, only their prompts are offered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub toolsets: Vec<Name>,
    /// Scopes that a credential must carry for using it. Where an action is `sql.query`, `sql.query` is one of them
    /// whether it stands here or not. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// What a caller may pass. Clients send prompt arguments as text.
    #[serde(default)]
    #[schemars(with = "StatedParameters")]
    pub arguments: Parameters,
    /// The messages, in order.
    pub messages: Vec<Message>,
    /// Executable examples.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<Example>,
    /// Replaces the definition of the same name in an earlier pack. Default: false.
    #[serde(default, rename = "override")]
    pub overrides: bool,
}

/// One message of a prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Who says it. Default: `user`.
    #[serde(default)]
    pub role: Role,
    /// What produces its text.
    pub run: Action,
}

/// Who says a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The person.
    #[default]
    User,
    /// The model.
    Assistant,
}
