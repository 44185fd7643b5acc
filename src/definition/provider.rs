//! LLM providers: where models answer, which wire dialect they speak and what they cost.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Name;

/// A provider of language models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Unique name.
    pub name: Name,
    /// One line for people.
    pub title: String,
    /// What it is.
    pub description: String,
    /// The wire format of its API.
    pub dialect: DialectKind,
    /// Root of its API, such as `https://api.example.com/v1`.
    pub base_url: String,
    /// How requests are authenticated.
    pub auth: Auth,
    /// Name of the model that is used when a call names none.
    pub default_model: String,
    /// The provider that is asked when this one does not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Name>,
    /// Its models.
    pub models: Vec<Model>,
    /// Replaces the definition of the same name in an earlier pack. Default: false.
    #[serde(default, rename = "override")]
    pub overrides: bool,
}

/// The wire format of an API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DialectKind {
    /// OpenAI chat completions.
    Openai,
    /// Anthropic messages.
    Anthropic,
    /// Google generateContent.
    Google,
}

/// How requests are authenticated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// No key, such as a model on this machine.
    None {},
    /// `Authorization: Bearer` with the key of an environment variable.
    Bearer {
        /// Environment variables that may hold the key, the first that is set wins.
        env: Vec<String>,
    },
    /// A header of its own with the key of an environment variable.
    Header {
        /// Name of the header, such as `x-api-key`.
        header: String,
        /// Environment variables that may hold the key, the first that is set wins.
        env: Vec<String>,
    },
}

/// One model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Identifier that the API takes.
    pub id: String,
    /// Name for people.
    pub title: String,
    /// Tokens of context that it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_window: Option<u64>,
    /// Most tokens of one answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output: Option<u64>,
    /// What it can do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<Capability>,
    /// US dollars per million input tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_price: Option<f64>,
    /// US dollars per million output tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_price: Option<f64>,
}

/// What a model can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Calls tools.
    Tools,
    /// Reads images.
    Vision,
    /// Thinks before it answers.
    Reasoning,
    /// Streams its answer.
    Streaming,
    /// Answers in a given JSON Schema.
    Structured,
}
