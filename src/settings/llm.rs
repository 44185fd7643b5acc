//! Access to language models. Accepted and checked today, without effect in this version (`names.yaml`).

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Secret, SecretUrl, convert};
use crate::definition::Period;

/// Access to language models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Llm {
    /// API key of the default provider. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    /// Root of the API of the default provider. Default: the provider's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<SecretUrl>,
    /// Model of a call that names none. Default: the default model of the default provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_model: Option<String>,
    /// Most tokens of an answer.
    pub max_tokens: u32,
    /// Sampling temperature, for models that take one. Default: the model's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Longest wait for an answer. A bare number means seconds.
    #[serde(deserialize_with = "convert::period")]
    #[schemars(schema_with = "convert::period_schema")]
    pub timeout: Period,
    /// Further attempts after a failure that may pass.
    pub max_retries: u32,
    /// Keys and addresses by provider name. Default: none.
    pub providers: IndexMap<String, ProviderAccess>,
}

impl Default for Llm {
    fn default() -> Self {
        Self {
            api_key: None,
            base_url: None,
            default_model: None,
            max_tokens: 4096,
            temperature: None,
            timeout: Period::from_secs(120),
            max_retries: 3,
            providers: IndexMap::new(),
        }
    }
}

/// Key and address of one provider.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProviderAccess {
    /// API key. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    /// Root of the API. Default: the provider's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<SecretUrl>,
}
