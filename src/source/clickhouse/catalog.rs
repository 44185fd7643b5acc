//! What is known of the bound database: asked for in three questions, and believed for a while.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    ClickHouse, Connection, OWN,
    bounds::Setting,
    error::Failure,
    late,
    request::{self, Request},
    tables, tenant,
};
use crate::{
    source::{SourceError, Tables},
    sql::guard::clickhouse::Access,
};

/// What is in the bound database.
pub(super) struct Catalog {
    pub(super) tables: Arc<Tables>,
    /// What callers may do with each table, also with those inside materialized views.
    pub(super) access: BTreeMap<String, Access>,
    /// What the views among them select.
    pub(super) views: BTreeMap<String, String>,
    /// Materialized views that only fill another table, in which their rows are read.
    pub(super) fillers: BTreeSet<String>,
    /// What is compared with an organisation, of tables of which something is known to say whose their rows are.
    pub(super) compared: BTreeMap<String, String>,
    pub(super) databases: BTreeSet<String>,
    /// The settings of the server that statements are run with.
    pub(super) settings: BTreeMap<String, Setting>,
}

impl ClickHouse {
    async fn catalog_of(&self, connection: &Connection) -> Result<Arc<Catalog>, Failure> {
        // A database without tables is about to get some.
        connection.catalog.get(|catalog| !catalog.tables.0.is_empty(), || self.ask_catalog(connection)).await
    }

    async fn ask_catalog(&self, connection: &Connection) -> Result<Catalog, Failure> {
        // With `readonly = 1` every setting says that it cannot be changed. These questions are our own.
        let settings = &[("readonly", "2".to_owned())];
        let ask = async |sql: &str| {
            let request = Request { sql, binds: &[], limits: OWN, settings, id: None, slot: None };
            request.run(connection, self.send_settings).await
        };
        let columns =
            ask("SELECT table, name FROM system.columns WHERE database = currentDatabase() ORDER BY table, position");
        let (server, of) = (tenant::server_facts(), tables::question("database = currentDatabase()"));
        let (columns, rows, server) = tokio::try_join!(columns, ask(&of), ask(&server))?;
        let server = tenant::Facts::of(&server);
        let mut known = tables::Known::default();
        known.take(rows);
        // Views of this database may read tables of others, and those further ones.
        let mut asked = BTreeSet::new();
        loop {
            let unasked = known.unasked(&server.databases);
            let names: Vec<_> = unasked.into_iter().filter(|name| asked.insert(name.clone())).collect();
            if names.is_empty() {
                break;
            }
            let quoted: Vec<String> = names
                .iter()
                .map(|(database, name)| format!("({}, {})", request::quote(database), request::quote(name)))
                .collect();
            known.take(ask(&tables::question(&format!("(database, name) IN ({})", quoted.join(", ")))).await?);
        }
        Ok(tenant::catalog(&self.database, columns, &known, server, &self.shared_tables, &self.organisation))
    }

    /// What is known of the tables, looked at again if the statement names one that was not there.
    pub(super) async fn catalog_for(&self, connection: &Connection, sql: &str) -> Result<Arc<Catalog>, Failure> {
        let catalog = self.catalog_of(connection).await?;
        match catalog.lacks_table_of(sql) {
            true => connection.catalog.again(&catalog, || self.ask_catalog(connection)).await,
            false => Ok(catalog),
        }
    }

    /// What is known; with `seen` for somebody who misses something in it.
    pub(super) async fn catalog(&self, seen: Option<&Arc<Tables>>) -> Result<Arc<Catalog>, Failure> {
        let connection = self.connection().await?;
        let found = async {
            let catalog = self.catalog_of(&connection).await?;
            match seen.is_some_and(|seen| Arc::ptr_eq(seen, &catalog.tables)) {
                true => connection.catalog.again(&catalog, || self.ask_catalog(&connection)).await,
                false => Ok(catalog),
            }
        };
        match found.await {
            Ok(catalog) => Ok(catalog),
            Err(failure) => Err(self.noted(&connection, failure).await),
        }
    }

    pub(super) async fn tables_as_of(&self, seen: Option<&Arc<Tables>>) -> Result<Arc<Tables>, SourceError> {
        let found = async {
            let mut begun = 1;
            loop {
                match self.catalog(seen).await {
                    Err(failure) if self.begins_anew(&failure, &mut begun) => {}
                    result => return result,
                }
            }
        };
        let found = tokio::time::timeout(OWN.timeout, found).await.map_err(|_| late(OWN.timeout))?;
        found.map(|catalog| Arc::clone(&catalog.tables)).map_err(|failure| self.names.put(failure.error))
    }

    pub(super) async fn forget_catalog(&self) {
        let connection = self.connection.lock().await.clone();
        if let Some(connection) = connection {
            connection.catalog.forget();
        }
    }
}
