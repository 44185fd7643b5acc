//! Resources: what a client may read by URI.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Action, Example, Name, Parameters, Period, StatedParameters};

/// A resource that a client may read by URI.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// Unique name.
    pub name: Name,
    /// One line for people.
    pub title: String,
    /// What it holds.
    pub description: String,
    /// The URI, such as `catalog://contexts`, or a template (RFC 6570: simple and query expansion, and `{+name}` at the end), such as
    /// `telemetry://context/{context_type}{?time_range,start,end,service_name}`.
    pub uri: String,
    /// Media type of the content, such as `text/markdown`.
    pub mime_type: String,
    /// Toolsets that contain it. Where the server or a credential is limited to some, only their resources are offered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub toolsets: Vec<Name>,
    /// Scopes that a credential must carry for reading it. Where an action is `sql.query`, `sql.query` is one of them
    /// whether it stands here or not. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// The variables of a URI template.
    #[serde(default)]
    #[schemars(with = "StatedParameters")]
    pub parameters: Parameters,
    /// How long a client may keep the content. Default: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Period>,
    /// Who may share the content. Default: `private`.
    #[serde(default)]
    pub cache_scope: CacheScope,
    /// Further data about it for the client's program, shown exactly as written in lists and with its content: of a view
    /// (`ui://…`, `text/html;profile=mcp-app`) `_meta: { ui: { … } }` says how it is shown (extension
    /// `io.modelcontextprotocol/ui`). Default: none.
    #[serde(default, rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<serde_json::Map<String, serde_json::Value>>,
    /// What is done when it is read.
    pub run: Action,
    /// Executable examples.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<Example>,
    /// Replaces the definition of the same name in an earlier pack. Default: false.
    #[serde(default, rename = "override")]
    pub overrides: bool,
}

/// Who may share cached content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CacheScope {
    /// Only the caller.
    #[default]
    Private,
    /// Every caller.
    Public,
}
