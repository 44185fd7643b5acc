//! Fragments: named pieces of SQL that statements include.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Alternative, Name, Parameters, StatedParameters, source::SourceName};

/// A named relation, condition or expression in SQL. A statement of the same source includes it with
/// `{% include "name" %}`, a relation between parentheses: `FROM ({% include "entry_spans" %})`.
///
/// It is written into the statement before anything reads that, so that its `{{ }}` are bound and its rows confined as if
/// it stood there. `tfo-mcp explain` shows statements with their fragments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = Alternative::or_one_way)]
pub struct Fragment {
    /// Name by which it is included.
    pub name: Name,
    /// What it is, one line: the rows of a relation, what a condition leaves, what an expression says.
    pub description: String,
    /// Logical source whose database is asked. Only statements of this source include it.
    #[schemars(with = "SourceName")]
    pub source: Name,
    /// Parameters that its text uses. They come along into every definition that includes it and does not declare them.
    #[serde(default)]
    #[schemars(with = "StatedParameters")]
    pub parameters: Parameters,
    /// Ways to write it. Each makes one alternative of every query that includes it, in this order; in one statement a
    /// fragment is the same wherever it stands. What they require is required besides, their spans lie within those of the
    /// query, and `align` and `note` count where the query says none; `tenant` is about the fragment alone. A statement of
    /// an action takes a fragment with one way only. The fields of a single way may stand in the fragment itself.
    pub query: Vec<Alternative>,
    /// Another fragment of the same source, to which this one adds its ways to be written, behind those that it has: for the
    /// tables of another schema, without a copy of what includes it. It selects what the other selects, and takes the further
    /// conditions that the other takes. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adds_to: Option<Name>,
    /// Replaces the definition of the same name in an earlier pack. Default: false.
    #[serde(default, rename = "override")]
    pub overrides: bool,
}
