//! How a definition takes over what another one says: `use:`.

use std::borrow::Cow;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{Column, Expression, Name, Parameter, Parameters, Section};

/// A dictionary of parameters, from which definitions take with `use:`. What later packs say of a name wins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParameterSet {
    /// Name of the dictionary.
    pub name: Name,
    /// The parameters by name.
    pub parameters: Parameters,
    /// Replaces the definition of the same name in an earlier pack. Default: false.
    #[serde(default, rename = "override")]
    pub overrides: bool,
}

/// Parameters as a definition writes them.
#[derive(JsonSchema)]
pub struct StatedParameters {
    /// Names of parameters of a dictionary (`kind: parameters`), which come first. One that is declared here as well is
    /// what is declared here.
    #[serde(default, rename = "use")]
    #[allow(dead_code, reason = "for the schema alone: what is used is written in before a definition is typed")]
    used: Vec<Name>,
    #[serde(flatten)]
    #[allow(dead_code, reason = "see above")]
    own: IndexMap<String, Parameter>,
}

/// A section as a definition writes it: in full, or one of another context type.
pub struct StatedSection;

impl JsonSchema for StatedSection {
    fn schema_name() -> Cow<'static, str> {
        "StatedSection".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "if": { "required": ["use"] },
            "then": generator.subschema_for::<UsedSection>(),
            "else": generator.subschema_for::<Section>(),
        })
    }
}

/// A section of another context type: its query, title and columns, the parameters that it needs, and the highlights that
/// are about its rows alone come along. What is said here wins.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code, reason = "for the schema alone: what is used is written in before a definition is typed")]
pub struct UsedSection {
    /// Context type and section, such as `service-health.alerts`.
    #[schemars(rename = "use")]
    used: String,
    /// Whether its highlights come along. Default: true.
    highlights: Option<bool>,
    /// Heading of the rows.
    title: Option<String>,
    /// 1 is shown first and shortened last.
    priority: Option<u8>,
    /// Most rows shown in a call that does not pass `max_items`.
    limit: Option<u32>,
    /// Whether its rows stand in the document. Highlights and the summary see them in any case.
    show: Option<bool>,
    /// Whether all rows are read though fewer are shown.
    count_all: Option<bool>,
    /// Whether it is shown up to `limit` even if `max_items` is smaller.
    whole: Option<bool>,
    /// Whether its rows are records as they stand when they are read, whatever the window.
    current: Option<bool>,
    /// Whether its data happen now and then: these are not missing where they did not happen.
    ends_only: Option<bool>,
    /// The section is skipped unless this holds. Variables: the parameters, `window.hours`, and `window.ends_now`.
    when: Option<Expression>,
    /// How columns are shown, where the other context type does not show them as they should be here.
    #[serde(default)]
    columns: IndexMap<String, Column>,
}
