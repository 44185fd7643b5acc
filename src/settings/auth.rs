//! Who may use the HTTP transport.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SecretUrl;

/// Who may use the HTTP transport. Over stdio nobody is asked: whoever starts the server is its user.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// File of the API keys that `tfo-mcp keys` writes; fingerprints, no secrets. Default: `keys.yaml` in the data
    /// directory, if it exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys_file: Option<PathBuf>,
    /// Issuer of the access tokens (OAuth 2.1). Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Audience that access tokens must name. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// Where the issuer publishes its keys. Default: found through the issuer's metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_url: Option<SecretUrl>,
}
