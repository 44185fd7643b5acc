//! The settings as options of the MCP edge. What can be wrong with them, and needs a word about it, is `cli`'s.

use std::{sync::Arc, time::Duration};

use super::{Limits, Offers, Principal, ServerOptions, StateKeys, calls::Calls};
use crate::settings::{Mcp, Settings};

impl From<&Settings> for ServerOptions {
    /// Without keys that seal states, and without anybody who accounts for calls: both may be refused.
    fn from(settings: &Settings) -> Self {
        Self {
            name: settings.server.name.clone(),
            offers: Offers::from(&settings.mcp),
            limits: Limits::from(&settings.mcp),
            page_size: settings.mcp.page_size.get(),
            list_ttl: Duration::from_secs(300),
            principal: Principal::default(),
            state_keys: StateKeys::default(),
            calls: Calls::default(),
            metrics: Arc::default(),
        }
    }
}

impl Default for ServerOptions {
    /// The defaults of the settings, and every part of the protocol.
    fn default() -> Self {
        Self { offers: Offers::default(), ..Self::from(&Settings::default()) }
    }
}

impl From<&Mcp> for Offers {
    fn from(settings: &Mcp) -> Self {
        Self {
            tools: settings.enable_tools,
            resources: settings.enable_resources,
            prompts: settings.enable_prompts,
            logging: settings.enable_logging,
            sampling: settings.enable_sampling,
        }
    }
}

impl From<&Mcp> for Limits {
    fn from(settings: &Mcp) -> Self {
        Self {
            max_message_size: settings.max_message_size.as_usize(),
            max_requests: 1024,
            drain: settings.drain_timeout.0,
            stop: Duration::from_secs(1),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::from(&Mcp::default())
    }
}
