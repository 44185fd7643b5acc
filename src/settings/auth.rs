//! Who may use the HTTP transport.

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{SecretUrl, convert};
use crate::definition::Period;

/// Who may use the HTTP transport. Over stdio nobody is asked: whoever starts the server is its user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// File of the API keys that `tfo-mcp keys` writes; fingerprints, no secrets. Default: `keys.yaml` in the data
    /// directory. Without this setting and without an issuer, nobody is asked until that file exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys_file: Option<PathBuf>,
    /// Issuer whose access tokens are accepted (OAuth 2.1). Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Audience that access tokens must name, or a list of them, of which they name one. `resource` is always among them.
    /// Needed with an issuer. Default: `server.http.public_url`.
    #[serde(deserialize_with = "convert::texts", skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "convert::texts_schema")]
    pub audience: Vec<String>,
    /// Where the issuer publishes its keys. Default: found through the issuer's metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_url: Option<SecretUrl>,
    /// Public URL of this server's MCP path, for clients that look for the issuer.
    /// Default: `server.http.public_url`, else the first audience that is such a URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Scopes that every access token must have. Default: none.
    pub required_scopes: Vec<String>,
    /// Signature algorithms that are accepted; only asymmetric ones can be. Default: all of them.
    pub algorithms: Vec<String>,
    /// Difference between the issuer's clock and ours that is forgiven, at most 5 minutes. A bare number means seconds.
    #[serde(deserialize_with = "convert::period")]
    #[schemars(schema_with = "convert::period_schema")]
    pub leeway: Period,
    /// How long the issuer's keys are used while it cannot be asked; then no token is accepted. A bare number means
    /// seconds.
    #[serde(deserialize_with = "convert::period")]
    #[schemars(schema_with = "convert::period_schema")]
    pub jwks_max_age: Period,
    /// Which claims of an access token say what. Names may be paths with dots.
    pub claims: Claims,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            keys_file: None,
            issuer: None,
            audience: Vec::new(),
            jwks_url: None,
            resource: None,
            required_scopes: Vec::new(),
            algorithms: Vec::new(),
            leeway: Period::from_secs(60),
            jwks_max_age: Period::from_secs(24 * 60 * 60),
            claims: Claims::default(),
        }
    }
}

/// Which claims of an access token say what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Claims {
    /// Claim with the organisation, or the list of them.
    pub organizations: String,
    /// Claim with the workspace. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// Claim with the user, for definitions that bind it. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Claim with the toolsets that the token opens. Default: none, and a token opens all that are offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub toolsets: Option<String>,
    /// Claims that statements see as `claims.NAME`, by that name. Default: none.
    pub variables: BTreeMap<String, String>,
}

impl Default for Claims {
    fn default() -> Self {
        Self {
            organizations: "organizations".into(),
            workspace: None,
            user: None,
            toolsets: None,
            variables: BTreeMap::new(),
        }
    }
}
