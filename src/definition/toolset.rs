//! Toolsets: groups of tools, prompts and resources that an operator switches on together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Name;

/// A group of tools, prompts and resources that an operator switches on together, and that a credential may be limited
/// to. They name the toolsets that they belong to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Toolset {
    /// Unique name.
    pub name: Name,
    /// One line for people.
    pub title: String,
    /// What they have in common.
    pub description: String,
    /// Whether a server started without `--toolsets` offers it. Default: true.
    #[serde(default = "Toolset::on")]
    pub default: bool,
    /// Replaces the definition of the same name in an earlier pack. Default: false.
    #[serde(default, rename = "override")]
    pub overrides: bool,
}

impl Toolset {
    fn on() -> bool {
        true
    }
}
