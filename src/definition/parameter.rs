//! Parameters: what a caller may pass, and the JSON Schema a client is shown for it.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Name, Pattern};

/// Parameters by name, in the order in which clients see them.
pub type Parameters = IndexMap<String, Parameter>;

/// One thing that a caller may pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// What values it takes.
    #[serde(rename = "type")]
    pub ty: ParameterType,
    /// Other names under which a caller may pass it, such as those of earlier versions. Clients are shown the name only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// What it means, with unit and effect; shown to the model. Required for tools and prompts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether a call without it is refused. Default: false.
    #[serde(default)]
    pub required: bool,
    /// The value of a call that does not pass it. Without one the value is null.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<serde_json::Value>,
    /// The only values allowed; a caller may write them in any case. An identifier can be spliced into SQL (`| ident`) only from such a list.
    #[serde(default, rename = "enum", skip_serializing_if = "Option::is_none")]
    pub choices: Option<Vec<serde_json::Value>>,
    /// Takes the allowed values from the catalog: the names (and aliases) of all definitions of a kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values_from: Option<ValuesFrom>,
    /// The list of known values (`kind: values`) of which it takes one, or `none`. Default: the list that names this
    /// parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_values: Option<Name>,
    /// Smallest number allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<f64>,
    /// Largest number allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<f64>,
    /// Fewest characters of a string, or items of an array. 0 lets a text be of nothing but blanks, which is else none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u64>,
    /// Most characters of a string, or items of an array.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u64>,
    /// Regular expression that a string must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Pattern>,
    /// Type of the items of an array. Required for arrays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<ParameterType>,
    /// What an object holds, or each object of an array, by name. Clients that take no open objects lose a parameter that does not say so.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub properties: Parameters,
    /// Takes what an object holds from the catalog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties_from: Option<PropertiesFrom>,
    /// Values that show how it is used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<serde_json::Value>,
    /// When the parameter is offered at all. Default: always.
    #[serde(default)]
    pub visible: Visibility,
}

impl Parameter {
    /// An optional parameter of a type, of which nothing more is said.
    pub fn of(ty: ParameterType) -> Self {
        Self {
            ty,
            aliases: Vec::new(),
            description: None,
            required: false,
            default: None,
            choices: None,
            values_from: None,
            known_values: None,
            minimum: None,
            maximum: None,
            min_length: None,
            max_length: None,
            pattern: None,
            items: None,
            properties: IndexMap::new(),
            properties_from: None,
            examples: Vec::new(),
            visible: Visibility::default(),
        }
    }
}

/// What values a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParameterType {
    /// Text.
    String,
    /// A whole number of 64 bits.
    Integer,
    /// A floating-point number.
    Number,
    /// true or false.
    Boolean,
    /// A list; `items` gives the type of its items.
    Array,
    /// A JSON object.
    Object,
    /// A look-back duration that ends now, such as `15m`, `1h`, `24h` or `7d`. Also taken: `1 hour`, `now-1h`.
    TimeRange,
    /// A point in time in RFC 3339, such as `2026-11-20T10:00:00Z`. Also taken: `now-1h`, seconds or milliseconds since
    /// 1970, and a time without zone, which is UTC.
    Timestamp,
    /// A UUID.
    Uuid,
}

impl ParameterType {
    /// As definitions write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Array => "array",
            Self::Object => "object",
            Self::TimeRange => "time_range",
            Self::Timestamp => "timestamp",
            Self::Uuid => "uuid",
        }
    }
}

/// Where allowed values come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ValuesFrom {
    /// Names and aliases of all context types.
    Contexts,
    /// Categories of the context types.
    ContextCategories,
    /// Names of all insights.
    Insights,
    /// Names of all personas.
    Personas,
    /// Names of all lists of known values.
    Values,
}

/// Where the properties of an object come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PropertiesFrom {
    /// The parameters of all context types. Whoever passes one beside the object, at the top, is understood.
    Contexts,
}

/// When a parameter is offered to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Always.
    #[default]
    Always,
    /// Only where the operator lets callers name one of the organisations they may see
    /// (`tenancy.allow_argument: true`).
    TenancyArgument,
}
