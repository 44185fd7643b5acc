//! Where a reader of a document looks next.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Expression, Name, Template};

/// Another context type that continues where this one ends, with the filters that its rows give.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Next {
    /// The context type to ask for, or one that a tool of its own collects.
    pub context: Name,
    /// The section whose rows it is about: the first row that passes `when` is taken. Without it the step is judged once over
    /// `sections`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<String>,
    /// When the step is told. Variables are those of a highlight. Default: always, of a section that has a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Expression>,
    /// Filters of that type, by name, each a text such as `{{ row.service_name }}`. Where one is empty the step is not told.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub filters: IndexMap<String, Template>,
    /// A time, such as `{{ row.began_at }}`: the step asks for a window of that type's default length around it, which ends no
    /// later than this one. Default: the window of the document, as much of its end as that type allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub around: Option<Template>,
    /// What is to be found there, in a few words.
    pub why: Template,
}
