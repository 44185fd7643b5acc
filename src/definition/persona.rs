//! Personas: the expert whose eyes a model borrows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Name, Template};

/// An analyst whose experience opens a system prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Persona {
    /// Unique name.
    pub name: Name,
    /// One line for people.
    pub title: String,
    /// What the persona is good at.
    pub description: String,
    /// Who the model is, what it looks at first, how it reasons and which mistakes it avoids.
    /// Variables: `context_type`, `title`.
    pub prompt: Template,
    /// Used where a persona is asked for that the catalog lacks. Exactly one persona of a catalog is the fallback. Default: false.
    #[serde(default)]
    pub fallback: bool,
    /// Replaces the definition of the same name in an earlier pack. Default: false.
    #[serde(default, rename = "override")]
    pub overrides: bool,
}
