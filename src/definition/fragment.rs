//! Fragments: named pieces of SQL that statements include.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Name, Parameters, Period, Span, SqlText};

/// A named relation, condition or expression in SQL. A statement of the same source includes it with
/// `{% include "name" %}`, a relation between parentheses: `FROM ({% include "entry_spans" %})`.
///
/// It is written into the statement before anything reads that, so that its `{{ }}` are bound and its rows confined as if
/// it stood there. `tfo-mcp explain` shows statements with their fragments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fragment {
    /// Name by which it is included.
    pub name: Name,
    /// What it is, one line: the rows of a relation, what a condition leaves, what an expression says.
    pub description: String,
    /// Logical source: `telemetry`, `platform`, `analytics` or `state`. Only statements of this source include it.
    pub source: Name,
    /// Parameters that its text uses. They come along into every definition that includes it and does not declare them.
    #[serde(default)]
    pub parameters: Parameters,
    /// Ways to write it. Each makes one alternative of every query that includes it, in this order; in one statement a
    /// fragment is the same wherever it stands. A statement of an action takes a fragment with one way only.
    pub query: Vec<FragmentAlternative>,
    /// Replaces the definition of the same name in an earlier pack. Default: false.
    #[serde(default, rename = "override")]
    pub overrides: bool,
}

/// One way to write a fragment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FragmentAlternative {
    /// Tables (`traces`) or columns (`traces.duration_ns`) that must exist in the bound source, besides those that the
    /// including query requires.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// Lengths of the asked window for which it is meant, within those of the including query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// Width of the buckets of a rollup, unless the including query says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub align: Option<Period>,
    /// A sentence that is shown with the rows, unless the including query says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The piece of SQL: one text for all backends of the source, or a text per SQL dialect.
    pub sql: SqlText,
}
