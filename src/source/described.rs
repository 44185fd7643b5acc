//! Tables as callers may read them, from what a database says of them, one row a column.

use serde_json::Value;

use super::{ColumnDescription, Rows, TableDescription};
use crate::sql::tenancy::TableRules;

/// Reads rows that are in the order of tables. `places` are those of table, column, type, comment of the column and comment
/// of the table; what a database does not have lies beyond its rows. Left out are tables that are not `readable`, and columns that nobody may see.
pub(super) fn tables(
    rows: &Rows,
    places: [usize; 5],
    readable: impl Fn(&str, &[String]) -> bool,
    rules: &TableRules,
) -> Vec<TableDescription> {
    let mut tables: Vec<TableDescription> = Vec::new();
    for row in &rows.rows {
        let text = |at: usize| row.get(at).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
        let [table, name, ty, about, comment] = places.map(text);
        let (Some(table), Some(name)) = (table, name) else { continue };
        let column = ColumnDescription { name, ty: ty.unwrap_or_default(), comment: about };
        match tables.last_mut().filter(|last| last.name == table) {
            Some(last) => last.columns.push(column),
            None => tables.push(TableDescription { name: table, comment, columns: vec![column] }),
        }
    }
    tables.retain(|table| {
        let columns: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
        readable(&table.name, &columns)
    });
    for table in &mut tables {
        let name = &table.name;
        table.columns.retain(|column| !rules.is_secret(name, &column.name));
    }
    tables
}

/// Whether rows of a table can be confined to an organisation.
pub(super) fn is_confinable(rules: &TableRules) -> impl Fn(&str, &[String]) -> bool {
    |table, columns| rules.belongs(table, columns).is_some()
}
