//! Logical sources: the names of databases in definitions. One table, from which the checks, the catalog, the binding, the
//! settings and the schemas are made.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::Name;
use crate::sql::Dialect;

/// A logical source. Whoever asks something else of it than the table says matches on it, so that a further one is
/// forgotten nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogicalSource {
    /// What a platform measures: metrics, logs, traces.
    Telemetry,
    /// What a platform knows of its customers and their inventory.
    Platform,
    /// The server's own calls.
    Analytics,
    /// What the server remembers.
    State,
}

/// What is known of a logical source.
#[derive(Debug)]
pub struct SourceFacts {
    pub name: &'static str,
    /// Dialects of the databases that it may be bound to.
    pub dialects: &'static [Dialect],
    /// Whether its tables hold rows of tenants, so that statements have to bind the organisation.
    pub tenants: bool,
    /// Of which database the one-line setting stands for it: `database.postgres_url` or `analytics.clickhouse_url`.
    pub url: Dialect,
    /// The database in the data directory that it is without any setting.
    pub embedded: Dialect,
}

impl LogicalSource {
    /// All of them, in the order in which they are shown.
    pub const ALL: [LogicalSource; 4] =
        [LogicalSource::Telemetry, LogicalSource::Platform, LogicalSource::Analytics, LogicalSource::State];

    pub const fn facts(self) -> &'static SourceFacts {
        use Dialect::{ClickHouse, Postgres, Sqlite};
        match self {
            LogicalSource::Telemetry => &SourceFacts {
                name: "telemetry",
                dialects: &[ClickHouse],
                tenants: true,
                url: ClickHouse,
                embedded: ClickHouse,
            },
            LogicalSource::Platform => &SourceFacts {
                name: "platform",
                dialects: &[Postgres, Sqlite],
                tenants: true,
                url: Postgres,
                embedded: Sqlite,
            },
            LogicalSource::Analytics => &SourceFacts {
                name: "analytics",
                dialects: &[ClickHouse, Sqlite],
                tenants: false,
                url: ClickHouse,
                embedded: Sqlite,
            },
            LogicalSource::State => &SourceFacts {
                name: "state",
                dialects: &[Postgres, Sqlite],
                tenants: false,
                url: Postgres,
                embedded: Sqlite,
            },
        }
    }

    pub const fn as_str(self) -> &'static str {
        self.facts().name
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == name)
    }

    /// The dialects of a source by its name; none for one that does not exist.
    pub fn dialects_of(name: &str) -> &'static [Dialect] {
        Self::parse(name).map_or(&[], |source| source.facts().dialects)
    }

    /// Whether a source of this name holds rows of tenants.
    pub fn holds_tenants(name: &str) -> bool {
        Self::parse(name).is_some_and(|source| source.facts().tenants)
    }
}

impl std::fmt::Display for LogicalSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The name of a logical source in the schemas, for editors. That it exists is checked, with a finding of its own.
pub(super) struct SourceName;

impl JsonSchema for SourceName {
    fn schema_name() -> Cow<'static, str> {
        "SourceName".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let names = LogicalSource::ALL.map(LogicalSource::as_str);
        let [others @ .., last] = names.map(|name| format!("`{name}`"));
        let description = format!("Logical source: {} or {last}.", others.join(", "));
        let name = Name::json_schema(generator);
        json_schema!({
            "description": description,
            "type": "string",
            "pattern": name.get("pattern"),
            "examples": names,
        })
    }
}
