//! Tables for people: types and comments of those that statements of callers may read.

use super::{ClickHouse, Source as _};
use crate::{
    source::{
        SourceError, TableDescription,
        described::{self, Places},
    },
    sql::guard::clickhouse::Access,
};

const QUERY: &str = "\
    SELECT c.table, c.name, c.type, c.comment, t.comment \
    FROM system.columns AS c JOIN system.tables AS t ON t.database = c.database AND t.name = c.table \
    WHERE c.database = currentDatabase() ORDER BY c.table, c.position";

/// How rows lie, which is what a statement should narrow by.
const KEYS: &str = "\
    SELECT name, arrayJoin(arrayFilter(text -> text != '', [ \
      if(partition_key = '', '', concat('PARTITION BY ', partition_key)), \
      if(sorting_key = '', '', concat('ORDER BY (', sorting_key, ')'))])), '' \
    FROM system.tables WHERE database = currentDatabase() ORDER BY name";

pub(super) async fn tables(clickhouse: &ClickHouse) -> Result<Vec<TableDescription>, SourceError> {
    // Connects, and begins anew where a server on this machine went away.
    clickhouse.tables().await?;
    let catalog = clickhouse.catalog(None).await.map_err(|failure| failure.error)?;
    let rows = clickhouse.ask(QUERY).await?;
    let readable = |table: &str, _: &[String]| {
        let read = matches!(catalog.access.get(table), Some(Access::Own | Access::Shared));
        // The same rows are shown once.
        read && !catalog.fillers.contains(table)
    };
    let keys = clickhouse.ask(KEYS).await?;
    Ok(described::tables(&rows, &Places::PLAIN, &keys, readable, &clickhouse.rules.get()))
}
