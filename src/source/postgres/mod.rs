//! PostgreSQL as a source.

mod connection;
mod error;
mod write;

use std::time::Duration;

use secrecy::SecretString;
use sqlx::postgres::PgConnectOptions;

pub use write::Writer;

use super::SourceError;

/// What a PostgreSQL source is bound to.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// `postgres://user:password@host:5432/database`, with the parameters that libpq knows.
    pub url: SecretString,
    /// Most sessions for definitions. Callers' own SQL has a few more of its own.
    pub max_connections: usize,
    /// How long to wait for a session to open.
    pub connect_timeout: Duration,
}

impl PostgresOptions {
    pub fn new(url: SecretString) -> Self {
        Self { url, max_connections: 32, connect_timeout: Duration::from_secs(5) }
    }
}

/// A PostgreSQL database. Connects when first asked.
pub struct Postgres {
    #[allow(dead_code)]
    options: PgConnectOptions,
}

impl Postgres {
    /// Fails only when the URL is not one.
    pub fn new(options: PostgresOptions) -> Result<Self, SourceError> {
        Ok(Self { options: connection::parse(&options.url)? })
    }
}

/// A name as PostgreSQL reads it literally.
fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
