//! Tables for people: types and comments of those that statements of callers may read.

use super::{ClickHouse, Source as _};
use crate::{
    source::{SourceError, TableDescription, described},
    sql::guard::clickhouse::Access,
};

const QUERY: &str = "\
    SELECT c.table, c.name, c.type, c.comment, t.comment \
    FROM system.columns AS c JOIN system.tables AS t ON t.database = c.database AND t.name = c.table \
    WHERE c.database = currentDatabase() ORDER BY c.table, c.position";

pub(super) async fn tables(clickhouse: &ClickHouse) -> Result<Vec<TableDescription>, SourceError> {
    // Connects, and begins anew where a server on this machine went away.
    clickhouse.tables().await?;
    let catalog = clickhouse.catalog(None).await.map_err(|failure| failure.error)?;
    let rows = clickhouse.ask(QUERY).await?;
    let readable = |table: &str, _: &[String]| matches!(catalog.access.get(table), Some(Access::Own | Access::Shared));
    Ok(described::tables(&rows, [0, 1, 2, 3, 4], readable, &clickhouse.rules.get()))
}
