//! Events and usage records of several servers. Accepted and checked today, without effect in this version (`names.yaml`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SecretUrl;

/// Events and usage records of several servers, carried by NATS.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Queue {
    /// Send events and usage records.
    pub queue_enabled: bool,
    /// `nats://host:4222`. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nats_url: Option<SecretUrl>,
    /// Messages that are worked on at once.
    pub queue_concurrency: u32,
}

impl Default for Queue {
    fn default() -> Self {
        Self { queue_enabled: false, nats_url: None, queue_concurrency: 5 }
    }
}
