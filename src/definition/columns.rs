//! How columns are shown wherever they are selected: titles, units and descriptions by name and by parts of names.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Column, Name};

/// A dictionary of columns, one for a pack. It says how columns of all context types are shown; what a section says of
/// its own columns wins, key by key.
///
/// `prev_error_pct` is looked up as a whole, then as `error_pct` with the prefix `prev_`, then by the suffix `_pct`. In the
/// title of a prefix or a suffix `{}` stands for the title of the rest, or for the rest with spaces for `_`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    /// Name of the dictionary.
    pub name: Name,
    /// Columns by their whole name.
    #[serde(default)]
    pub names: IndexMap<String, Column>,
    /// Columns by the beginning of their name, such as `prev_: { title: "{} before" }`.
    #[serde(default)]
    pub prefixes: IndexMap<String, Column>,
    /// Columns by the end of their name, such as `_pct: { unit: "%", title: "{}" }`.
    #[serde(default)]
    pub suffixes: IndexMap<String, Column>,
    /// Replaces the definition of the same name in an earlier pack. Default: false.
    #[serde(default, rename = "override")]
    pub overrides: bool,
}
