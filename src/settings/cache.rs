//! A cache that several servers share. Accepted and checked today, without effect in this version (`names.yaml`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{SecretUrl, convert};
use crate::definition::Period;

/// A cache that several servers share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cache {
    /// Use the shared cache.
    pub cache_enabled: bool,
    /// `redis://user:password@host:6379`. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redis_url: Option<SecretUrl>,
    /// How long an answer is kept. A bare number means seconds.
    #[serde(deserialize_with = "convert::period")]
    #[schemars(schema_with = "convert::period_schema")]
    pub cache_ttl: Period,
}

impl Default for Cache {
    fn default() -> Self {
        Self { cache_enabled: false, redis_url: None, cache_ttl: Period::from_secs(300) }
    }
}
