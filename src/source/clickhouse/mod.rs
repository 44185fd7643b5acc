//! ClickHouse over HTTP, remote or embedded: one code path for production, tests and a fresh machine.
//!
//! `request` runs one statement and reads its rows, `types` and `value` give them the meaning of the table in
//! [`crate::source`], `tables` says whose the rows of a table are, `tenant` binds statements to an organisation,
//! `organisation` says whose rows are, `bounds` what they may take, `catalog` keeps what is known of the database, `load` writes. The driver's types never leave this folder.

mod bounds;
mod catalog;
mod config;
mod describe;
mod error;
mod explain;
mod literals;
mod load;
mod organisation;
mod placeholders;
mod request;
pub mod rollups;
mod tables;
mod tenant;
mod types;
mod value;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use secrecy::ExposeSecret;
use tokio::sync::{Mutex, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use config::{ClickHouseConfig, EmbeddedConfig};
pub use load::{Insert, InsertFormat};
pub use organisation::{Expression, Organisation};

use self::{
    catalog::Catalog,
    error::{Failure, behind},
    organisation::Named,
    request::{Request, Slot},
    tenant::Asked,
};
use super::{
    Author, Limits, Ping, Plan, Query, Remark, Rows, SettingNames, Source, SourceError, SourceErrorKind,
    TableDescription, Tables,
    embedded::{Embedded, Endpoint},
    known::Known,
    rules::Rules,
};
use crate::sql::{Dialect, Statement, lex, tenancy::TableRules};

/// What a question of our own about the database may cost.
const OWN: Limits = Limits { timeout: Duration::from_secs(15), max_rows: 1_000_000, max_bytes: 64 << 20 };

/// How long closing waits for statements that were told to stop.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a reading statement is begun when the embedded server goes away under it.
const BEGINNINGS: usize = 3;

/// A ClickHouse database. Nothing is connected or started until the first statement.
pub struct ClickHouse {
    place: Place,
    database: String,
    send_settings: bool,
    shared_tables: Vec<String>,
    organisation: Organisation,
    rules: Rules,
    names: SettingNames,
    connection: Mutex<Option<Arc<Connection>>>,
    /// One for each statement that may run at the same time.
    slots: Arc<Semaphore>,
    /// A quarter of them for statements of callers, so that those cannot take all.
    callers: Arc<Semaphore>,
    /// Statements that were told to stop and may not have yet.
    endings: TaskTracker,
}

enum Place {
    Remote(Box<ClickHouseConfig>),
    Embedded(Arc<Embedded>),
}

/// A client and what was found out over it.
struct Connection {
    client: clickhouse::Client,
    /// The start of the embedded server that it talks to.
    endpoint: Option<Endpoint>,
    /// Whether timestamps that name no zone are meant in UTC.
    utc: bool,
    endings: TaskTracker,
    catalog: Known<Catalog>,
}

impl ClickHouse {
    /// A server somewhere.
    pub fn remote(config: ClickHouseConfig) -> Self {
        Self {
            database: config.database.clone(),
            send_settings: config.send_settings,
            shared_tables: config.shared_tables.clone(),
            organisation: config.organisation.clone(),
            rules: Rules::default(),
            names: config.names.clone(),
            slots: Arc::new(Semaphore::new(config.max_connections.max(1))),
            callers: share(config.max_connections),
            endings: TaskTracker::new(),
            place: Place::Remote(Box::new(config)),
            connection: Mutex::default(),
        }
    }

    /// The embedded server of a data directory.
    pub fn embedded(config: EmbeddedConfig) -> Self {
        let mut embedded = Embedded::new(config.data_dir);
        if let Some(folder) = config.folder {
            embedded = embedded.with_folder(folder);
        }
        if let Some(executable) = config.executable {
            embedded = embedded.with_executable(executable);
        }
        if let Some(library) = config.library {
            embedded = embedded.with_library(library);
        }
        Self {
            database: config.database,
            send_settings: true,
            shared_tables: config.shared_tables,
            organisation: config.organisation,
            rules: Rules::default(),
            names: SettingNames::default(),
            place: Place::Embedded(Arc::new(embedded)),
            slots: Arc::new(Semaphore::new(config.max_connections.max(1))),
            callers: share(config.max_connections),
            endings: TaskTracker::new(),
            connection: Mutex::default(),
        }
    }

    /// The connection; opens it if need be.
    async fn connection(&self) -> Result<Arc<Connection>, Failure> {
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
                self.connected(client, None)
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
                    return Err(failure);
                }
                self.connected(client, Some(endpoint))
            }
        };
        let connection = Arc::new(if self.send_settings { connection } else { connection.with_zone().await? });
        *current = Some(Arc::clone(&connection));
        Ok(connection)
    }

    fn connected(&self, client: clickhouse::Client, endpoint: Option<Endpoint>) -> Connection {
        Connection {
            client: client.with_database(&self.database),
            endpoint,
            utc: true,
            endings: self.endings.clone(),
            catalog: Known::default(),
        }
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

    /// Runs one statement; anew if the embedded server went away, which a reading statement may.
    async fn run(&self, query: Query<'_>, of: Of) -> Result<Rows, SourceError> {
        let callers = matches!(query.author, Author::Caller { .. });
        if let Some(organization_id) = query.author.organization_id() {
            self.organisation.admit(organization_id)?;
        }
        let slot = self.slot(callers).await?;
        let mut begun = 1;
        loop {
            match self.run_once(query, of, &slot).await {
                Err(failure) if self.begins_anew(&failure, &mut begun) => {}
                result => return result.map_err(|failure| failure.error),
            }
        }
    }

    /// Whether something that only reads is done anew, because the embedded server went away under it. More than once:
    /// a server whose owner has just died may be found again before it ends.
    fn begins_anew(&self, failure: &Failure, begun: &mut usize) -> bool {
        *begun += 1;
        failure.connection_lost && *begun <= BEGINNINGS && matches!(self.place, Place::Embedded(_))
    }

    async fn slot(&self, callers: bool) -> Result<Arc<Slot>, SourceError> {
        let closed = |_| SourceError::new(SourceErrorKind::Unavailable, "the source is closed");
        // The share first: who waits for it keeps nobody else waiting.
        let callers = match callers {
            true => Some(Arc::clone(&self.callers).acquire_owned().await.map_err(closed)?),
            false => None,
        };
        let one = Arc::clone(&self.slots).acquire_owned().await.map_err(closed)?;
        Ok(Arc::new(Slot { _one: one, _callers: callers }))
    }

    async fn run_once(&self, query: Query<'_>, of: Of, slot: &Arc<Slot>) -> Result<Rows, Failure> {
        let Query { statement, limits, author, id, .. } = query;
        let connection = self.connection().await?;
        let run = async |sql: &str, settings: &[(&'static str, String)]| {
            let binds = &statement.binds;
            let request = Request { sql, binds, limits, settings, id, slot: Some(slot) };
            request.run(&connection, self.send_settings).await
        };
        let answer = match author {
            // The one statement that changes something and that `readonly = 1` lets pass.
            Author::Definition { .. } if is_kill(&statement.sql) => {
                Err(SourceError::new(SourceErrorKind::Forbidden, "KILL is no reading statement").into())
            }
            Author::Definition { .. } if of == Of::Server => run(&statement.sql, &[]).await,
            Author::Definition { .. } if !self.send_settings && self.organisation == Organisation::Unknown => {
                run(&statement.sql, &[]).await
            }
            Author::Definition { organization_id } => match self.catalog_for(&connection, &statement.sql).await {
                Ok(catalog) => {
                    let Named { sql, ahead } = self.organisation.named(&catalog, &statement.sql);
                    let ours = connection.endpoint.is_some();
                    let settings = match self.send_settings {
                        true => tenant::of_definition(&catalog, &self.database, &sql, organization_id, ours),
                        false => Vec::new(),
                    };
                    run(&sql, &settings).await.map_err(|failure| behind(&ahead, failure))
                }
                Err(failure) => Err(failure),
            },
            Author::Caller { .. } if !self.send_settings => Err(takes_no_settings().into()),
            Author::Caller { organization_id } => match self.catalog_for(&connection, &statement.sql).await {
                Ok(catalog) => {
                    let (connection, catalog, database) = (&*connection, &*catalog, self.database.as_str());
                    let slot = Some(slot);
                    tenant::run(Asked { connection, catalog, database, organization_id, query, slot }).await
                }
                Err(failure) => Err(failure),
            },
        };
        self.ended(&connection, answer).await
    }

    /// What a failure says of the connection and of the tables is kept in mind.
    async fn ended<T>(&self, connection: &Arc<Connection>, answer: Result<T, Failure>) -> Result<T, Failure> {
        let failure = match answer {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        if matches!(failure.error.kind, SourceErrorKind::Missing | SourceErrorKind::Forbidden) {
            // What was known about tables may be out of date.
            connection.catalog.doubt();
        }
        Err(self.noted(connection, failure).await)
    }

    /// Runs a statement of our own.
    async fn own(&self, statement: &Statement) -> Result<Rows, SourceError> {
        let cancel = &CancellationToken::new();
        let query = Query { statement, limits: OWN, author: Author::UNBOUND, cancel, id: None };
        self.within(query, self.run(query, Of::Server)).await
    }

    /// Asks the database about itself.
    async fn ask(&self, sql: &str) -> Result<Rows, SourceError> {
        let statement = Statement { sql: sql.to_owned(), binds: Vec::new() };
        self.own(&statement).await
    }

    /// Whatever is asked for a statement, within its deadline.
    async fn within<T>(
        &self,
        query: Query<'_>,
        work: impl Future<Output = Result<T, SourceError>>,
    ) -> Result<T, SourceError> {
        let Query { limits, cancel, .. } = query;
        let answer = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(SourceError::new(SourceErrorKind::Cancelled, "the call was cancelled")),
            answer = tokio::time::timeout(limits.timeout, work) => {
                answer.unwrap_or_else(|_| Err(late(limits.timeout)))
            }
        };
        answer.map_err(|error| self.names.put(error))
    }
}

#[async_trait::async_trait]
impl Source for ClickHouse {
    fn dialect(&self) -> Dialect {
        Dialect::ClickHouse
    }

    async fn query(&self, query: Query<'_>) -> Result<Rows, SourceError> {
        self.within(query, self.run(query, Of::Others)).await
    }

    async fn explain(&self, query: Query<'_>) -> Result<Plan, SourceError> {
        let Author::Caller { organization_id } = query.author else { return Err(SourceError::of_callers_alone()) };
        self.within(query, self.planned(query, organization_id)).await
    }

    async fn tables(&self) -> Result<Arc<Tables>, SourceError> {
        self.tables_as_of(None).await
    }

    async fn tables_again(&self, seen: &Arc<Tables>) -> Result<Arc<Tables>, SourceError> {
        self.tables_as_of(Some(seen)).await
    }

    async fn describe_tables(&self) -> Result<Vec<TableDescription>, SourceError> {
        describe::tables(self).await
    }

    async fn prepare(&self, statement: &Statement) -> Result<(), SourceError> {
        // Resolves every name and type. It computes constants and runs subqueries that stand for a value.
        let Named { sql, ahead } = match self.organisation {
            Organisation::Unknown => Named::from(statement.sql.as_str()),
            _ => {
                let catalog = self.catalog(None).await.map_err(|failure| self.names.put(failure.error))?;
                self.organisation.named(&catalog, &statement.sql)
            }
        };
        let explained = Statement { sql: format!("{}{sql}", tenant::EXPLAIN), binds: statement.binds.clone() };
        let ahead = format!("{}{ahead}", tenant::EXPLAIN);
        self.own(&explained).await.map(|_| ()).map_err(|error| behind(&ahead, error.into()).error)
    }

    async fn confined(&self, statement: &Statement) -> Result<(), SourceError> {
        if !self.send_settings {
            return Ok(());
        }
        let asked = async {
            let connection = self.connection().await?;
            let catalog = self.catalog_for(&connection, &statement.sql).await?;
            let Named { sql, .. } = self.organisation.named(&catalog, &statement.sql);
            let statement = Statement { sql: sql.into_owned(), binds: statement.binds.clone() };
            tenant::confined(&connection, &catalog, &self.database, &statement).await
        };
        let asked = tokio::time::timeout(OWN.timeout, asked).await.map_err(|_| late(OWN.timeout))?;
        asked.map_err(|failure| self.names.put(failure.error))
    }

    async fn remarks(&self) -> Result<Vec<Remark>, SourceError> {
        let mut remarks: Vec<Remark> = self.organisation.remark().into_iter().collect();
        if self.send_settings {
            return Ok(remarks);
        }
        remarks.push(Remark {
            found: "there is one lock: the account takes no settings, so the database adds no condition of its own to \
                    the statements of definitions, and only its profile bounds them"
                .to_owned(),
            hint: Some(
                "give this source an account without `readonly = 1` in its profile and set `send_settings: true`"
                    .to_owned(),
            ),
        });
        Ok(remarks)
    }

    async fn ping(&self) -> Result<Ping, SourceError> {
        // Connecting is not part of the latency.
        self.connection().await.map_err(|failure| self.names.put(failure.error))?;
        let started = Instant::now();
        let rows = self.ask("SELECT version() AS version").await?;
        let latency = started.elapsed();
        let version = request::texts(&rows).next().unwrap_or_default().to_owned();
        Ok(Ping { version, latency })
    }

    fn describe(&self) -> String {
        match &self.place {
            Place::Remote(config) => format!("ClickHouse at {}/{}", config.url, self.database),
            Place::Embedded(embedded) => {
                format!("embedded ClickHouse in {}, database {}", embedded.folder().display(), self.database)
            }
        }
    }

    fn know(&self, rules: &TableRules) {
        self.rules.set(rules);
    }

    async fn close(&self) {
        self.endings.close();
        if tokio::time::timeout(PATIENCE, self.endings.wait()).await.is_err() {
            tracing::warn!(source = self.describe(), "statements were told to stop and have not yet");
        }
        *self.connection.lock().await = None;
        if let Place::Embedded(embedded) = &self.place {
            embedded.close().await;
        }
    }
}

impl Connection {
    /// Without settings timestamps come in the zone of the server: asks which one that is.
    async fn with_zone(mut self) -> Result<Self, Failure> {
        let request =
            Request { sql: "SELECT timezone() AS zone", binds: &[], limits: OWN, settings: &[], id: None, slot: None };
        let rows = request.run(&self, false).await?;
        self.utc = request::texts(&rows).next().is_some_and(value::is_utc);
        Ok(self)
    }
}

/// Whose a statement without an author of its own is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// Ours: about the database itself.
    Server,
    Others,
}

/// Callers' statements are bound by settings.
fn takes_no_settings() -> SourceError {
    SourceError::new(
        SourceErrorKind::Forbidden,
        "statements of callers cannot be bound to an organisation with an account that takes no settings",
    )
    .hint("give this source an account without `readonly = 1` in its profile and set `send_settings: true`")
}

fn share(connections: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new((connections / 4).max(1)))
}

fn is_kill(sql: &str) -> bool {
    let tokens = lex::tokens(Dialect::ClickHouse, sql).unwrap_or_default();
    tokens.first().is_some_and(|token| token.is_word("kill"))
}

fn late(limit: Duration) -> SourceError {
    SourceError::new(
        SourceErrorKind::Timeout,
        format!("ClickHouse did not answer within {}; the statement was told to stop", crate::source::rounded(limit)),
    )
    .hint("ask for a shorter window or fewer groups")
}
