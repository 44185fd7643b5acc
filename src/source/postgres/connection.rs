//! How a session of PostgreSQL is opened, and what it may do.

use std::str::FromStr as _;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::PgConnectOptions;

use crate::source::{SourceError, SourceErrorKind};

/// Reads a URL. What is wrong with it is said without repeating it, since it holds the password.
pub(super) fn parse(url: &SecretString) -> Result<PgConnectOptions, SourceError> {
    let options = PgConnectOptions::from_str(url.expose_secret()).map_err(|_| {
        SourceError::new(SourceErrorKind::Unavailable, "`database.postgres_url` is not a URL of a PostgreSQL database")
            .hint("write it as `postgres://user:password@host:5432/database?sslmode=require`")
    })?;
    Ok(options.application_name("tfo-mcp"))
}
