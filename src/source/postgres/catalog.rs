//! What tables there are, and which of their columns can be read.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use crate::{
    source::{Rows, Tables, confined::Confined, described::Places},
    sql::{
        Statement,
        guard::{Declared, Scope},
        tenancy::TableRules,
    },
};

/// Tables and views that an unqualified name reaches, with the columns that this user may read, the types as they were
/// declared, and comments.
pub(super) const QUERY: &str = "\
    SELECT c.relname::text, a.attname::text, pg_catalog.format_type(a.atttypid, NULL), n.nspname::text, \
      pg_catalog.format_type(a.atttypid, a.atttypmod), pg_catalog.col_description(c.oid, a.attnum), \
      pg_catalog.obj_description(c.oid, 'pg_class') \
    FROM pg_catalog.pg_class c \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
    WHERE n.nspname = ANY (pg_catalog.current_schemas(false)) \
      AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND (n.nspname <> 'tfo_guard' OR c.relkind = 'v') \
      AND pg_catalog.pg_table_is_visible(c.oid) \
      AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT') \
    ORDER BY c.relname, a.attnum";

/// Tables that are there, but that this user may not read, in whatever schema that is nobody's own. Behind the guard
/// that is as it should be.
pub(super) const WITHHELD: &str = "\
    SELECT DISTINCT c.relname::text \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
      AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp%' \
      AND NOT (pg_catalog.has_schema_privilege(n.oid, 'USAGE') \
        AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT')) \
      AND pg_catalog.to_regnamespace('tfo_guard') IS NULL \
    ORDER BY 1 LIMIT 5000";

/// Where its rows say what is told of tables.
pub(super) const DESCRIBED: Places = Places { table: 0, column: 1, ty: 4, about_column: 5, about_table: 6, schema: 3 };

/// Keys and indexes of the same tables, with the table that a foreign key leads to.
pub(super) const KEYS: &str = "\
    SELECT c.relname::text, k.text, k.leads_to \
    FROM pg_catalog.pg_class c \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    JOIN ( \
      SELECT o.conrelid AS oid, pg_catalog.strpos('puf', o.contype::text) AS place, \
        pg_catalog.pg_get_constraintdef(o.oid) AS text, r.relname::text AS leads_to \
      FROM pg_catalog.pg_constraint o LEFT JOIN pg_catalog.pg_class r ON r.oid = o.confrelid \
      WHERE o.contype IN ('p', 'u', 'f') \
      UNION ALL \
      SELECT i.indrelid, 4, CASE WHEN i.indisunique THEN 'UNIQUE INDEX ' ELSE 'INDEX ' END \
        || pg_catalog.regexp_replace(pg_catalog.pg_get_indexdef(i.indexrelid), '^.*? USING ', ''), NULL \
      FROM pg_catalog.pg_index i \
      WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint o WHERE o.conindid = i.indexrelid AND o.contype IN ('p', 'u')) \
    ) k ON k.oid = c.oid \
    WHERE n.nspname = ANY (pg_catalog.current_schemas(false)) AND pg_catalog.pg_table_is_visible(c.oid) \
    ORDER BY c.relname, k.place, k.text";

/// The tables of the bound database.
pub(super) struct Catalog {
    pub tables: Arc<Tables>,
    /// The schema in which each table was found.
    pub schemas: BTreeMap<String, String>,
    /// Whether organisations are kept as `uuid`, which text is not compared with by itself.
    pub organization_is_uuid: bool,
    /// What packs say of them.
    pub rules: Arc<TableRules>,
    /// What became of definitions' statements by these tables.
    pub confined: Confined,
}

impl Catalog {
    /// What a statement is confined with.
    pub fn scope(&self, statement: &Statement) -> Scope<'_> {
        Scope {
            values: statement.binds.len(),
            organization_type: self.organization_is_uuid.then_some("uuid"),
            tables: &self.tables.0,
            withheld: &self.tables.1,
            declared: const { &Declared::NOTHING },
            schemas: &self.schemas,
            rules: &self.rules,
        }
    }

    pub fn of(rows: Rows, withheld: &Rows, rules: Arc<TableRules>) -> Self {
        let first = |row: &Vec<Value>| row.first().and_then(Value::as_str).map(str::to_owned);
        let mut tables = Tables(BTreeMap::new(), withheld.rows.iter().filter_map(first).collect());
        let mut schemas = BTreeMap::new();
        let mut organization_is_uuid = false;
        for row in rows.rows {
            let mut texts = row.into_iter().filter_map(|value| match value {
                Value::String(text) => Some(text),
                _ => None,
            });
            let (Some(table), Some(column), Some(ty), Some(schema)) =
                (texts.next(), texts.next(), texts.next(), texts.next())
            else {
                continue;
            };
            organization_is_uuid |= column == "organization_id" && ty == "uuid";
            schemas.insert(table.clone(), schema);
            tables.0.entry(table).or_default().push(column);
        }
        Self { tables: Arc::new(tables), schemas, organization_is_uuid, rules, confined: Confined::default() }
    }
}
