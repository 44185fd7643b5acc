//! What the operator decides about calls, as the settings say it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::Value;
use time::OffsetDateTime;

use super::{RateLimits, Tenancy};
use crate::{
    host::{commands::Commands, files::Files, http::Services},
    masking::Masking,
    settings::{self, Link, Settings},
};

/// What the operator decides about calls. Its defaults are those of the settings.
#[derive(Clone)]
pub struct EngineOptions {
    pub tenancy: Tenancy,
    /// Longest collection of a context; sections that are not finished then are `timeout`.
    pub context_deadline: Duration,
    /// Longest rendered context, in characters.
    pub max_chars: usize,
    /// Longest texts of an answer, in characters.
    pub most_chars: usize,
    /// Longest run of a tool that does not say otherwise.
    pub tool_timeout: Duration,
    /// Longest single statement.
    pub query_timeout: Duration,
    /// Most runs that ask a database at once, of one caller a quarter; further ones wait for their turn.
    pub concurrent_calls: usize,
    /// Bytes of all answers that are kept for a while. None: nothing is.
    pub kept_bytes: Option<usize>,
    /// How often callers may call.
    pub rates: RateLimits,
    /// Most rows that one statement may answer.
    pub max_rows: usize,
    /// Most bytes that one statement may answer.
    pub max_bytes: usize,
    /// Addresses by which people open what a document shows, by what they lead to.
    pub links: Arc<BTreeMap<String, Link>>,
    /// The files that calls may touch; none unless somebody opens folders.
    pub files: Arc<Files>,
    /// What is masked in answers.
    pub masking: Arc<Masking>,
    /// The commands that calls may run; none unless somebody opens folders.
    pub commands: Arc<Commands>,
    /// The services that calls may ask over HTTP; none unless somebody sets them up.
    pub services: Arc<Services>,
    /// The settings in force, without secrets: what a resource about them shows.
    pub config: Arc<dyn Fn() -> Value + Send + Sync>,
    /// The current time; tests set it.
    pub clock: Arc<dyn Fn() -> OffsetDateTime + Send + Sync>,
}

/// As clients and models of English text and tables reckon.
const CHARS_OF_A_TOKEN: usize = 4;

impl From<&Settings> for EngineOptions {
    fn from(settings: &Settings) -> Self {
        let limits = &settings.limits;
        Self {
            tenancy: Tenancy::from(&settings.tenancy),
            context_deadline: limits.context_deadline.0,
            max_chars: limits.context_chars.get(),
            most_chars: limits.answer_tokens.get().saturating_mul(CHARS_OF_A_TOKEN),
            tool_timeout: settings.mcp.tool_timeout.0,
            query_timeout: limits.query_timeout.0,
            concurrent_calls: limits.concurrent_calls.get(),
            kept_bytes: limits.keep_answers.then(|| limits.kept_bytes.as_usize()),
            rates: RateLimits { caller: limits.caller_rate, tool: limits.tool_rate, tools: limits.tool_rates.clone() },
            max_rows: limits.max_rows.get(),
            max_bytes: limits.max_bytes.as_usize(),
            links: Arc::new(settings.mcp.links.clone()),
            files: Arc::default(),
            masking: Arc::new({
                let settings::Masking { secrets, personal, patterns } = &settings.masking;
                Masking::new(*secrets, personal, patterns)
            }),
            commands: Arc::default(),
            services: Arc::default(),
            config: Arc::new(|| Value::Null),
            clock: match settings.server.clock {
                Some(now) => Arc::new(move || now),
                None => Arc::new(OffsetDateTime::now_utc),
            },
        }
    }
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self::from(&Settings::default())
    }
}

impl From<&settings::Tenancy> for Tenancy {
    fn from(settings: &settings::Tenancy) -> Self {
        let text = |id: Option<uuid::Uuid>| id.map(|id| id.to_string());
        Self {
            organization_id: text(settings.organization_id),
            workspace_id: text(settings.workspace_id),
            user_id: text(settings.user_id),
            claims: settings.claims.clone().into_iter().collect(),
            allow_argument: settings.allow_argument,
        }
    }
}
