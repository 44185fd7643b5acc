//! Tables as callers may read them, from what a database says of them: its columns, one a row, and its keys, one a row.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{ColumnDescription, Rows, TableDescription};
use crate::sql::tenancy::TableRules;

/// Where rows about columns say what. What a database does not have lies beyond its rows.
pub(super) struct Places {
    pub table: usize,
    pub column: usize,
    pub ty: usize,
    pub about_column: usize,
    pub about_table: usize,
    pub schema: usize,
}

impl Places {
    /// Table, column, type, comment of the column, comment of the table; no schema.
    pub const PLAIN: Self = Self { table: 0, column: 1, ty: 2, about_column: 3, about_table: 4, schema: usize::MAX };
}

fn text(row: &[Value], at: usize) -> Option<String> {
    row.get(at).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Reads rows about columns that are in the order of tables, and rows about keys: the table, the key, and the table that it
/// leads to, if any. Left out are tables that are not `readable`, columns that nobody may see, and keys of such.
pub(super) fn tables(
    columns: &Rows,
    places: &Places,
    keys: &Rows,
    readable: impl Fn(&str, &[String]) -> bool,
    rules: &TableRules,
) -> Vec<TableDescription> {
    let mut tables: Vec<TableDescription> = Vec::new();
    for row in &columns.rows {
        let (Some(table), Some(name)) = (text(row, places.table), text(row, places.column)) else { continue };
        let ty = text(row, places.ty).unwrap_or_default();
        let column = ColumnDescription { name, ty, comment: text(row, places.about_column) };
        match tables.last_mut().filter(|last| last.name == table) {
            Some(last) => last.columns.push(column),
            None => tables.push(TableDescription {
                name: table,
                schema: text(row, places.schema),
                comment: text(row, places.about_table),
                columns: vec![column],
                keys: Vec::new(),
            }),
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
    let names: BTreeSet<String> = tables.iter().map(|table| table.name.clone()).collect();
    for row in &keys.rows {
        let (Some(table), Some(key)) = (text(row, 0), text(row, 1)) else { continue };
        let leads_to = text(row, 2);
        let Some(table) = tables.iter_mut().find(|known| known.name == table) else { continue };
        let of = [Some(table.name.as_str()), leads_to.as_deref()];
        let mut words = key.split(|c: char| c != '_' && !c.is_alphanumeric());
        let is_secret = words.any(|word| of.into_iter().flatten().any(|table| rules.is_secret(table, word)));
        if !is_secret && leads_to.as_ref().is_none_or(|other| names.contains(other)) {
            table.keys.push(key);
        }
    }
    tables
}

/// Whether rows of a table can be confined to an organisation.
pub(super) fn is_confinable(rules: &TableRules) -> impl Fn(&str, &[String]) -> bool {
    |table, columns| rules.belongs(table, columns).is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows(rows: Value) -> Rows {
        let rows = serde_json::from_value(rows).unwrap();
        Rows { rows, ..Rows::default() }
    }

    #[test]
    fn a_key_of_a_secret_or_to_a_table_that_is_not_told_is_left_out() {
        let columns = rows(json!([
            ["api_keys", "id", "uuid"],
            ["api_keys", "api_key_secret", "text"],
            ["hidden", "id", "uuid"],
            ["users", "id", "uuid"],
        ]));
        let keys = rows(json!([
            ["api_keys", "PRIMARY KEY (id)", null],
            ["api_keys", "UNIQUE (api_key_secret)", null],
            ["api_keys", "INDEX btree (lower(api_key_secret))", null],
            ["api_keys", "FOREIGN KEY (user_id) REFERENCES users(id)", "users"],
            ["api_keys", "FOREIGN KEY (vault_id) REFERENCES hidden(id)", "hidden"],
            ["nowhere", "PRIMARY KEY (id)", null],
        ]));
        let found = tables(&columns, &Places::PLAIN, &keys, |table, _| table != "hidden", &TableRules::default());
        assert_eq!(found[0].keys, ["PRIMARY KEY (id)", "FOREIGN KEY (user_id) REFERENCES users(id)"]);
        assert_eq!(found.iter().map(|table| table.name.as_str()).collect::<Vec<_>>(), ["api_keys", "users"]);
    }
}
