//! Insights: what the model is asked to find in a context.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Name, Template};

/// A kind of answer that a model is asked for, such as a root cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Insight {
    /// Unique name.
    pub name: Name,
    /// One line for people.
    pub title: String,
    /// What the answer is good for.
    pub description: String,
    /// The task. Variables: `context_type`, `title`, `window`.
    pub task: Template,
    /// Headings of the answer, in order, each with what belongs under it.
    pub outline: Vec<String>,
    /// The provider whose default model suits it best.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Name>,
    /// Replaces the definition of the same name in an earlier pack. Default: false.
    #[serde(default, rename = "override")]
    pub overrides: bool,
}
