//! ClickHouse over HTTP, remote or embedded: one code path for production, tests and a fresh machine.
//!
//! `request` runs one statement and reads its rows, `types` and `value` give them the meaning of the table in
//! [`crate::source`], `tenant` binds a caller's own SQL to its organisation, `load` writes. The driver's types
//! never leave this folder.

mod config;
mod error;
mod load;

use std::sync::Arc;

use secrecy::ExposeSecret;
use tokio::sync::Mutex;

pub use config::{ClickHouseConfig, EmbeddedConfig};
pub use load::{Insert, InsertFormat};

use self::error::Failure;
use super::{
    SourceError,
    embedded::{Embedded, Endpoint},
};

/// A ClickHouse database. Nothing is connected or started until the first statement.
pub struct ClickHouse {
    place: Place,
    database: String,
    send_settings: bool,
    shared_tables: Vec<String>,
    connection: Mutex<Option<Arc<Connection>>>,
}

enum Place {
    Remote(ClickHouseConfig),
    Embedded(Arc<Embedded>),
}

/// A client and what was found out over it.
struct Connection {
    client: clickhouse::Client,
    /// The start of the embedded server that it talks to.
    endpoint: Option<Endpoint>,
}

impl ClickHouse {
    /// A server somewhere.
    pub fn remote(config: ClickHouseConfig) -> Self {
        Self {
            database: config.database.clone(),
            send_settings: config.send_settings,
            shared_tables: config.shared_tables.clone(),
            place: Place::Remote(config),
            connection: Mutex::default(),
        }
    }

    /// The embedded server of a data directory.
    pub fn embedded(config: EmbeddedConfig) -> Self {
        Self {
            database: config.database,
            send_settings: true,
            shared_tables: config.shared_tables,
            place: Place::Embedded(Arc::new(Embedded::new(config.data_dir, config.executable, config.library))),
            connection: Mutex::default(),
        }
    }

    async fn connection(&self) -> Result<Arc<Connection>, SourceError> {
        let mut current = self.connection.lock().await;
        if let Some(connection) = &*current {
            return Ok(Arc::clone(connection));
        }
        // Uncompressed: with compression the driver answers a late error with every row that came before it.
        let base = clickhouse::Client::default()
            .with_compression(clickhouse::Compression::None)
            .with_product_info("tfo-mcp", env!("CARGO_PKG_VERSION"));
        let connection = match &self.place {
            Place::Remote(config) => {
                let mut client = base.with_url(&config.url);
                if let Some(user) = &config.user {
                    client = client.with_user(user);
                }
                if let Some(password) = &config.password {
                    client = client.with_password(password.expose_secret());
                }
                Connection { client: client.with_database(&self.database), endpoint: None }
            }
            Place::Embedded(embedded) => {
                let endpoint = embedded.endpoint().await?;
                let client = base
                    .with_url(endpoint.url())
                    .with_user(Endpoint::USER)
                    .with_password(endpoint.password.expose_secret());
                let create = format!("CREATE DATABASE IF NOT EXISTS {}", load::identifier(&self.database));
                if let Err(error) = client.query_raw(&create).execute().await {
                    let failure = Failure::from(error);
                    if failure.connection_lost {
                        embedded.lost(&endpoint).await;
                    }
                    return Err(failure.error);
                }
                Connection { client: client.with_database(&self.database), endpoint: Some(endpoint) }
            }
        };
        let connection = Arc::new(connection);
        *current = Some(Arc::clone(&connection));
        Ok(connection)
    }

    /// Forgets a connection whose embedded server is gone, so that the next statement finds or starts another.
    async fn noted(&self, connection: &Arc<Connection>, failure: Failure) -> Failure {
        if failure.connection_lost
            && let (Place::Embedded(embedded), Some(endpoint)) = (&self.place, &connection.endpoint)
        {
            embedded.lost(endpoint).await;
            let mut current = self.connection.lock().await;
            if current.as_ref().is_some_and(|known| Arc::ptr_eq(known, connection)) {
                *current = None;
            }
        }
        failure
    }

    async fn forget_tables(&self) {}
}
