//! Sections about databases: the logical sources and the two one-line forms of the earlier servers.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Secret, SecretUrl};
use crate::definition::LogicalSource;

/// The databases behind the logical sources that definitions name. A source that is left out is bound by
/// `database.postgres_url` or `analytics.clickhouse_url`, else to an embedded database in the data directory.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sources {
    /// Metrics, logs, traces and audit records of the platform. Default: embedded ClickHouse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub telemetry: Option<Backend>,
    /// Alert rules, users, organisations and inventory of the platform. Default: SQLite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<Backend>,
    /// The server's own calls, model usage and errors. Default: SQLite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analytics: Option<Backend>,
    /// Sessions, conversations and events of the server. Default: SQLite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Backend>,
}

impl Sources {
    /// What is set for a source.
    pub fn of(&self, name: LogicalSource) -> Option<&Backend> {
        match name {
            LogicalSource::Telemetry => self.telemetry.as_ref(),
            LogicalSource::Platform => self.platform.as_ref(),
            LogicalSource::Analytics => self.analytics.as_ref(),
            LogicalSource::State => self.state.as_ref(),
        }
    }
}

/// A database. `type` says which kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Backend {
    /// A ClickHouse server over its HTTP interface.
    Clickhouse(Clickhouse),
    /// ClickHouse in a child process of this program, with its data in the data directory.
    EmbeddedClickhouse(EmbeddedClickhouse),
    /// A PostgreSQL server.
    Postgres(Postgres),
    /// An SQLite file.
    Sqlite(Sqlite),
}

/// A ClickHouse server over its HTTP interface.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clickhouse {
    /// `http://user:password@host:8123/database`, or `https://`. The parts may also be given below.
    pub url: SecretUrl,
    /// Database. Default: the path of the URL, else `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// User. Default: the user of the URL, else `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Password. Default: the password of the URL, else none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// Most statements that run at once; further ones wait. Default: 16.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_connections: Option<u32>,
    /// Send limits and read-only mode with every statement. Switch it off only for an account whose profile says
    /// `readonly = 1`, which refuses any setting; then the profile has to set the limits, and statements that callers
    /// write themselves are refused. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_settings: Option<bool>,
    /// Tables without `organization_id` that callers may read whole in statements of their own. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared_tables: Vec<String>,
    /// Whose a row is, in tables without a column `organization_id` that have the columns named here: a column such as
    /// `tenant_id`, or an expression such as `ResourceAttributes['tenant.id']`. Default: nobody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_expression: Option<String>,
    /// The one organisation whose rows all tables hold that have no column `organization_id`. Calls for others are refused
    /// here. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<String>,
}

impl Clickhouse {
    /// A server of which only the URL is known.
    pub fn at(url: SecretUrl) -> Self {
        Self {
            url,
            database: None,
            user: None,
            password: None,
            max_connections: None,
            send_settings: None,
            shared_tables: Vec::new(),
            organization_expression: None,
            organization_id: None,
        }
    }
}

/// ClickHouse in a child process of this program.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmbeddedClickhouse {
    /// Folder of its data. Default: `clickhouse` in the data directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// Most statements that run at once; further ones wait. Default: 16.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_connections: Option<u32>,
    /// Database. Default: `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// The ClickHouse library. Default: the one that `tfo-mcp setup clickhouse` puts into the data directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub library: Option<PathBuf>,
    /// Tables without `organization_id` that callers may read whole in statements of their own. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared_tables: Vec<String>,
    /// Whose a row is, in tables without a column `organization_id` that have the columns named here: a column such as
    /// `tenant_id`, or an expression such as `ResourceAttributes['tenant.id']`. Default: nobody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_expression: Option<String>,
    /// The one organisation whose rows all tables hold that have no column `organization_id`. Calls for others are refused
    /// here. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<String>,
}

/// A PostgreSQL server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Postgres {
    /// `postgres://user:password@host:5432/database`.
    pub url: SecretUrl,
    /// Most connections. Default: 32.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_connections: Option<u32>,
    /// Key of the guard that `tfo-mcp migrate platform --guard` makes; at least 32 bytes. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard_key: Option<Secret>,
}

/// An SQLite file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sqlite {
    /// The file. Default: the name of the source and `.sqlite` in the data directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
}

/// PostgreSQL in one line: binds the sources `platform` and `state` unless `sources` says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// `postgres://user:password@host:5432/database`. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postgres_url: Option<SecretUrl>,
    /// Most connections. Default: 32.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postgres_max_conns: Option<u32>,
    /// Connections that are kept open when nothing happens. Default: 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postgres_min_conns: Option<u32>,
    /// Key of the guard that `tfo-mcp migrate platform --guard` makes; at least 32 bytes. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guard_key: Option<Secret>,
}

/// ClickHouse in one line: binds the sources `telemetry` and `analytics` unless `sources` says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Analytics {
    /// `http://user:password@host:8123/database`. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clickhouse_url: Option<SecretUrl>,
}
