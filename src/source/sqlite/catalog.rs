//! What tables there are, and what their columns declare.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use crate::{
    source::{Rows, Tables, confined::Confined},
    sql::{guard::Declared, tenancy::TableRules},
};

/// Tables and views with their columns. SQLite's own tables are left out.
pub(super) const QUERY: &str = "\
    SELECT m.name, c.name, c.type \
    FROM sqlite_schema AS m JOIN pragma_table_xinfo(m.name) AS c \
    WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND c.hidden <> 1 \
    ORDER BY m.name, c.cid";

/// Keys and indexes of the same tables, with the table that a foreign key leads to.
pub(super) const KEYS: &str = "\
    SELECT name, text, leads_to FROM ( \
      SELECT m.name, 1 AS place, 'PRIMARY KEY (' || group_concat(c.name, ', ' ORDER BY c.pk) || ')' AS text, NULL AS leads_to \
      FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table' AND c.pk > 0 GROUP BY m.name \
      UNION ALL \
      SELECT m.name, 2, 'FOREIGN KEY (' || group_concat(f.\"from\", ', ' ORDER BY f.seq) || ') REFERENCES ' || f.\"table\" \
        || coalesce('(' || group_concat(f.\"to\", ', ' ORDER BY f.seq) || ')', ''), f.\"table\" \
      FROM sqlite_schema AS m JOIN pragma_foreign_key_list(m.name) AS f WHERE m.type = 'table' GROUP BY m.name, f.id \
      UNION ALL \
      SELECT m.name, 3, iif(l.\"unique\", 'UNIQUE INDEX (', 'INDEX (') \
        || group_concat(coalesce(i.name, 'an expression'), ', ' ORDER BY i.seqno) || ')' \
        || iif(l.partial, ' of some rows', ''), NULL \
      FROM sqlite_schema AS m JOIN pragma_index_list(m.name) AS l JOIN pragma_index_info(l.name) AS i \
      WHERE m.type = 'table' AND l.origin <> 'pk' GROUP BY m.name, l.name \
    ) WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name, place, text";

/// The tables of the bound database.
pub(super) struct Catalog {
    pub tables: Arc<Tables>,
    pub declarations: Declarations,
    /// What the names of columns stand for.
    pub declared: Declared,
    /// The file that it describes.
    pub file: (u64, u64),
    /// What packs say of them.
    pub rules: Arc<TableRules>,
    /// What became of definitions' statements by these tables.
    pub confined: Confined,
}

/// What columns of tables are declared as.
#[derive(Default)]
pub(super) struct Declarations(HashMap<String, HashMap<String, String>>);

impl Declarations {
    pub fn of(&self, table: &str, column: &str) -> Option<&str> {
        Some(self.0.get(table)?.get(column)?.as_str())
    }
}

impl Catalog {
    pub fn of(rows: Rows, file: (u64, u64), rules: Arc<TableRules>) -> Self {
        let mut tables = Tables::default();
        let mut declarations = Declarations::default();
        let (mut times, mut numbers, mut others) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for row in &rows.rows {
            let [Some(table), Some(column), declaration] = [0, 1, 2].map(|at| row.get(at).and_then(|v| v.as_str()))
            else {
                continue;
            };
            tables.0.entry(table.to_owned()).or_default().push(column.to_owned());
            let declared = declarations.0.entry(table.to_owned()).or_default();
            let declaration = declaration.unwrap_or_default();
            let (name, kind) = (column.to_ascii_lowercase(), declaration.to_ascii_uppercase());
            let says = |words: &[&str]| words.iter().any(|word| kind.contains(word));
            if says(&["DATE", "TIME"]) {
                times.insert(name.clone());
                others.insert(name);
            } else if says(&["INT", "REAL", "FLOA", "DOUB", "NUMERIC", "DECIMAL", "BOOL"]) {
                numbers.insert(name);
            } else {
                others.insert(name);
            }
            declared.insert(column.to_owned(), declaration.to_owned());
        }
        let only_times = times.difference(&numbers).cloned().collect();
        numbers.retain(|name| !others.contains(name));
        let declared = Declared { times, only_times, numbers };
        Self { tables: Arc::new(tables), declarations, declared, file, rules, confined: Confined::default() }
    }
}
