//! Known values: which services, hosts or metrics the data hold, so that a name that does not exist is told from
//! one of which nothing was recorded.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Alternative, Name, Parameters, StatedParameters, source::SourceName};

/// A list of values that exist in the data, such as all services of a window.
///
/// Parameters that name one of them take it from here: a context tells an unknown one from nothing recorded, prompts
/// and resources complete it, and `values.list` shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Values {
    /// Name of the list, in the plural, such as `services`.
    pub name: Name,
    /// What one of them is called in a sentence, such as `service`.
    pub noun: String,
    /// What they are, one line.
    pub description: String,
    /// Names of the parameters of context types, prompts and resources that take one of them. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub for_parameters: Vec<String>,
    /// Whether it is shown where no list is named. Default: true.
    #[serde(default = "Values::shown")]
    pub overview: bool,
    /// Whether there are too many to list, such as traces: it is only asked for those that have a text in them. Default: false.
    #[serde(default)]
    pub by_name: bool,
    /// What is said of one that is known, where nothing was found and no place that tells when has it in the window: what
    /// that means and where else to look, as the end of a sentence. Default: nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent: Option<String>,
    /// What the list may be narrowed by.
    #[serde(default)]
    #[schemars(with = "StatedParameters")]
    pub parameters: Parameters,
    /// Where they are found. The list holds what any of the places has.
    pub places: IndexMap<String, Place>,
    /// Replaces the definition of the same name in an earlier pack. Default: false.
    #[serde(default, rename = "override")]
    pub overrides: bool,
}

impl Values {
    fn shown() -> bool {
        true
    }
}

/// A place where values are found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = Alternative::or_one_way)]
pub struct Place {
    /// Logical source whose database is asked.
    #[schemars(with = "SourceName")]
    pub source: Name,
    /// Ways to find them: the first whose requirements the source meets is taken. Columns: `value`; `id`, another name
    /// under which it may be asked for, if there is one; and `last_seen`, when it was last recorded between `from` and
    /// `to`, where it is not just on record, and `first_seen` beside it for what is over soon. The most frequent first. Variables: those of every statement, the parameters, and `contains`: a text that the values
    /// have in them, or null. The fields of a single way may stand in the place itself.
    pub query: Vec<Alternative>,
}
