//! What is known of the tables of a source, for the checks of statements that read them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Name, source::SourceName};

/// What the checks know of the tables of one source. Several definitions add up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tables {
    /// Name of the list.
    pub name: Name,
    /// Logical source whose database is asked.
    #[schemars(with = "SourceName")]
    pub source: Name,
    /// Tables whose rows belong to a workspace, by their column `workspace_id`. A statement that reads one of them has to
    /// narrow it by `{% if workspace_id %}AND workspace_id = {{ workspace_id }}{% endif %}`, or say why not.
    #[serde(default)]
    pub workspace: Vec<String>,
    /// Replaces the definition of the same name in an earlier pack. Default: false.
    #[serde(default, rename = "override")]
    pub overrides: bool,
}
