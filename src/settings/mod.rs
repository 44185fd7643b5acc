//! Settings: what an operator decides, from flags, environment, files and defaults.
//!
//! The types here are the user documentation: `schemas/settings.schema.json`, the commented file of
//! `tfo-mcp init-config` and the settings table are generated from their doc comments. `load` stacks the layers,
//! knows of every value where it came from and reports every mistake of a run at once. What settings mean for the
//! running server is decided by `cli`, which binds them to the other modules.

mod audit;
mod auth;
mod backends;
mod cache;
mod commands;
mod convert;
mod expand;
mod explain;
mod file;
mod files;
mod findings;
mod http;
mod layers;
mod links;
mod llm;
mod load;
mod masking;
mod names;
mod queue;
mod secret;
mod sections;
mod services;
mod telemetry;
mod trust;
mod variables;

use std::{path::PathBuf, sync::LazyLock};

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::definition::Period;

pub use audit::{Audit, AuditOutput};
pub use auth::{Auth, Claims};
pub use backends::{Analytics, Backend, Clickhouse, Database, EmbeddedClickhouse, Postgres, Sources, Sqlite};
pub use cache::Cache;
pub use commands::Commands;
pub use files::Files;
pub use findings::{Notice, NoticeKind, Place, Problem};
pub use http::Http;
pub use layers::{ENV_PREFIX, Flag, Inputs, Origin};
pub use links::Link;
pub use llm::{Llm, ProviderAccess};
pub use load::{Loaded, keys, load};
pub use masking::Masking;
pub use names::{flat_names, without_effect};
pub use queue::Queue;
pub use secret::{Secret, SecretUrl, may_show};
pub use sections::{Level, Limits, LogFormat, Logging, Mcp, Server, Tenancy, Transport};
pub use services::{Network, Outgoing, Service, ServiceUrl};
pub use telemetry::{OtlpProtocol, Telemetry};
pub use trust::{Standing, TRUSTED, Trust, settings_file_of};

/// Name of the settings file.
pub const FILE_NAME: &str = "tfo-mcp.yaml";

/// Settings of tfo-mcp. Priority: flags, environment, settings file, the file that `tfo-mcp demo` leaves in the
/// data directory (unless another layer names databases), defaults. A file in the working folder counts only if
/// `tfo-mcp trust` was told so. Texts may use `${NAME}` and `${NAME:-default}` for environment variables, and `$${`
/// for a literal `${`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where embedded databases and downloads live. Default: `tfo-mcp` in the user's data folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// Folders of definitions that are laid over the built-in ones, in order. Default: none.
    pub packs: Vec<PathBuf>,
    /// How changes of packs are noticed while the server runs: what is saved is in force a moment later, and what
    /// cannot be served leaves the last good definitions in force. Settings themselves are read once.
    pub watch: Watch,
    /// How often packs are looked at where the system does not tell of changes. A bare number means seconds.
    #[serde(deserialize_with = "convert::period")]
    #[schemars(schema_with = "convert::period_schema")]
    pub watch_interval: Period,
    /// Offers the definitions of `packs` alone, without the built-in ones.
    pub packs_only: bool,
    /// Names of the toolsets that are offered. Default: all toolsets that are on by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub toolsets: Option<Vec<String>>,
    /// How clients reach the server.
    pub server: Server,
    /// What the server offers to clients.
    pub mcp: Mcp,
    /// The databases behind the logical sources that definitions name.
    pub sources: Sources,
    /// PostgreSQL in one line: binds the sources `platform` and `state`.
    pub database: Database,
    /// ClickHouse in one line: binds the sources `telemetry` and `analytics`.
    pub analytics: Analytics,
    /// Whose data is answered.
    pub tenancy: Tenancy,
    /// What one call may cost.
    pub limits: Limits,
    /// The server's own log.
    pub logging: Logging,
    /// The server's own traces and metrics.
    pub telemetry: Telemetry,
    /// Access to language models. `claude:` is another name of this section.
    pub llm: Llm,
    /// A cache that several servers share.
    pub cache: Cache,
    /// Events and usage records of several servers.
    pub queue: Queue,
    /// What the file tools may touch.
    pub files: Files,
    /// What HTTP tools may ask.
    pub http: Outgoing,
    /// What the command tools may run.
    pub commands: Commands,
    /// What is masked in answers.
    pub masking: Masking,
    /// Who may use the HTTP transport.
    pub auth: Auth,
    /// A line for every call.
    pub audit: Audit,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data_dir: None,
            packs: Vec::new(),
            packs_only: false,
            watch: Watch::default(),
            watch_interval: Period::from_secs(2),
            toolsets: None,
            server: Server::default(),
            mcp: Mcp::default(),
            sources: Sources::default(),
            database: Database::default(),
            analytics: Analytics::default(),
            tenancy: Tenancy::default(),
            limits: Limits::default(),
            logging: Logging::default(),
            telemetry: Telemetry::default(),
            llm: Llm::default(),
            cache: Cache::default(),
            queue: Queue::default(),
            files: Files::default(),
            http: Outgoing::default(),
            commands: Commands::default(),
            masking: Masking::default(),
            auth: Auth::default(),
            audit: Audit::default(),
        }
    }
}

/// How changes of packs are noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Watch {
    /// The system tells; where it cannot (network file systems), packs are looked at every `watch_interval`.
    #[default]
    Auto,
    /// Packs are looked at every `watch_interval`.
    Poll,
    /// They are not noticed: only the signal `SIGHUP` reloads.
    Off,
}

/// The schema of the settings file, as `tfo-mcp schema` wrote it: to make it anew takes a good part of a start.
static SCHEMA: LazyLock<Json> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../schemas/settings.schema.json")).unwrap_or_else(|_| schema().to_value())
});

/// The JSON Schema of the settings file, without references so that every editor understands it. Its descriptions end
/// with the defaults, which stand in one place: the `Default` of the section.
pub fn schema() -> Schema {
    let mut schema = SchemaSettings::draft2020_12()
        .with(|s| s.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<Settings>();
    schema.insert("title".into(), "tfo-mcp settings".into());
    if let Some(properties) = schema.get_mut("properties") {
        say_defaults(properties);
    }
    for key in names::NAMES.unused.keys() {
        let pointer = key.split('.').map(|part| format!("/properties/{part}")).collect::<String>() + "/description";
        if let Some(Json::String(text)) = schema.pointer_mut(&pointer) {
            text.push_str(" Without effect in this version.");
        }
    }
    // Other names of sections; the loader renames them before anything else sees them.
    for (alias, section) in &names::NAMES.sections {
        let copy = schema.pointer(&format!("/properties/{section}")).cloned();
        let properties = schema.get_mut("properties").and_then(Json::as_object_mut);
        if let (Some(copy), Some(properties)) = (copy, properties) {
            properties.insert(alias.clone(), copy);
        }
    }
    schema
}

/// Ends the description of each setting with its default, where that is a word or a number.
fn say_defaults(properties: &mut Json) {
    for property in properties.as_object_mut().into_iter().flatten().map(|(_, property)| property) {
        let default = match property.get("default") {
            Some(Json::String(text)) => Some(format!("`{text}`")),
            Some(value @ (Json::Bool(_) | Json::Number(_))) => Some(value.to_string()),
            _ => None,
        };
        if let (Some(default), Some(Json::String(text))) = (default, property.get_mut("description")) {
            text.push_str(&format!(" Default: {default}."));
        }
        if let Some(inner) = property.get_mut("properties") {
            say_defaults(inner);
        }
    }
}
