//! The guard in the database: the SQL that makes it, and takes it away again.
//!
//! A second lock behind the tenant guard, and no parser: a schema of views with a barrier over the tables that hold an
//! organisation's rows, without their secret columns. They belong to a role that nobody can log in as, show the rows of
//! the organisation that this server has signed for the transaction ([`super::signature`]), and are all that the
//! role which serves can read. Tables, roles and grants of the platform stay as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use secrecy::SecretString;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

use super::{error::told, quote, signature::GuardKey};
use crate::{
    source::{SourceError, SourceErrorKind},
    sql::tenancy::{Belongs, ORGANIZATION, TableRules, Through},
};

/// The schema of the views.
pub(super) const SCHEMA: &str = "tfo_guard";

/// Tables of the platform: those that an unqualified name reaches, whoever may read them.
const TABLES: &str = "\
    SELECT n.nspname::text, c.relname::text, a.attname::text, pg_catalog.format_type(a.atttypid, NULL) \
    FROM pg_catalog.pg_class c \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
    WHERE n.nspname = ANY (pg_catalog.current_schemas(false)) AND n.nspname <> 'tfo_guard' \
      AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND pg_catalog.pg_table_is_visible(c.oid) \
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') \
    ORDER BY c.relname, a.attnum";

/// A table of the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Table {
    schema: String,
    /// Names and types.
    columns: Vec<(String, String)>,
}

/// The tables of a platform's database, for [`Platform::guard`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Platform(BTreeMap<String, Table>);

/// What a guard serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    pub sql: String,
    /// Tables that have a view.
    pub served: Vec<String>,
    /// Tables that have none: nothing says whose their rows are, or they are secrets as a whole.
    pub left_out: Vec<String>,
}

impl Platform {
    /// Reads the tables of a database.
    pub async fn read(url: &SecretString) -> Result<Self, SourceError> {
        let mut connection = connect(url).await?;
        let rows = sqlx::raw_sql(TABLES).fetch_all(&mut connection).await;
        let _ = connection.close().await;
        let mut tables = Self::default();
        for row in rows.map_err(|error| told(&error))? {
            let text = |index| row.try_get::<String, _>(index).map_err(|error| told(&error));
            let (schema, name, column, ty) = (text(0)?, text(1)?, text(2)?, text(3)?);
            let table = tables.0.entry(name).or_insert_with(|| Table { schema, columns: Vec::new() });
            table.columns.push((column, ty));
        }
        if tables.0.is_empty() {
            let message = "no tables of the platform are in the search path of this account";
            return Err(SourceError::new(SourceErrorKind::Missing, message)
                .hint("give the URL of an administrator of the platform's database"));
        }
        Ok(tables)
    }

    /// The SQL that makes the guard, or makes it anew; in one transaction.
    pub fn guard(&self, key: &GuardKey, reader: &str, rules: &TableRules) -> Guard {
        let (mut views, mut served, mut left_out) = (String::new(), Vec::new(), Vec::new());
        for name in self.0.keys() {
            match self.view(name, reader, rules) {
                Some(view) => {
                    views.push_str(&view);
                    served.push(name.clone());
                }
                None => left_out.push(name.clone()),
            }
        }
        let [inner, outer] = key.pads();
        let tables: Vec<String> = served.iter().filter_map(|name| self.relation(name)).collect();
        let sql = include_str!("migration/guard.sql")
            .replace("{views}", views.trim_end())
            .replace("{tables}", &tables.join(", "))
            .replace("{inner}", &inner)
            .replace("{outer}", &outer)
            .replace("{reader_name}", &literal(reader))
            .replace("{reader}", &quote(reader));
        Guard { sql, served, left_out }
    }

    fn view(&self, name: &str, reader: &str, rules: &TableRules) -> Option<String> {
        let table = self.0.get(name)?;
        let columns = table.columns.iter().map(|(column, _)| column);
        let visible: Vec<String> =
            columns.filter(|column| !rules.is_secret(name, column)).map(|column| quote(column)).collect();
        if visible.is_empty() {
            return None;
        }
        let filter = self.condition(name, rules, &mut BTreeSet::new())?;
        let filter = filter.map(|condition| format!("\n    WHERE {condition}")).unwrap_or_default();
        let mut sql = String::new();
        // Writing to a string cannot fail.
        let _ = write!(
            sql,
            "CREATE VIEW {SCHEMA}.{view} WITH (security_barrier) AS\n    SELECT {columns} FROM {table}{filter};\n\
             GRANT SELECT ON {SCHEMA}.{view} TO {reader};\n",
            view = quote(name),
            columns = visible.join(", "),
            table = self.relation(name)?,
            reader = quote(reader),
        );
        Some(sql)
    }

    /// The condition that a row is the organisation's, without one for tables that are everybody's; no answer where
    /// nothing says whose the rows are.
    #[allow(clippy::option_option)]
    fn condition(&self, name: &str, rules: &TableRules, seen: &mut BTreeSet<String>) -> Option<Option<String>> {
        let table = self.0.get(name)?;
        if !seen.insert(name.to_owned()) {
            return None;
        }
        let names: Vec<String> = table.columns.iter().map(|(column, _)| column.clone()).collect();
        let own = quote(ORGANIZATION);
        // A scalar subquery is evaluated once a statement, and serves an index like a value.
        let asked = || {
            let ty = table.columns.iter().find(|(column, _)| column == ORGANIZATION).map_or("text", |(_, ty)| ty);
            format!("(SELECT {SCHEMA}.organization()::{ty})")
        };
        Some(match rules.belongs(name, &names)? {
            Belongs::Global => None,
            Belongs::Directly => Some(format!("{own} = {}", asked())),
            Belongs::DirectlyOrDefault => Some(format!("({own} = {} OR {own} IS NULL)", asked())),
            Belongs::Through(Through { column, parent, parent_column }) => {
                let inner = self.condition(parent, rules, seen)??;
                let (column, parent_column) = (quote(column), quote(parent_column));
                Some(format!("{column} IN (SELECT {parent_column} FROM {} WHERE {inner})", self.relation(parent)?))
            }
        })
    }

    fn relation(&self, name: &str) -> Option<String> {
        Some(format!("{}.{}", quote(&self.0.get(name)?.schema), quote(name)))
    }
}

/// The SQL that takes the guard away. The role that read through it stays.
pub fn without_guard(reader: &str) -> String {
    include_str!("migration/undo.sql").replace("{reader_name}", &literal(reader))
}

/// Runs SQL of this module with an administrator's rights, whole or not at all.
pub async fn apply(url: &SecretString, sql: &str) -> Result<(), SourceError> {
    let mut connection = connect(url).await?;
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await;
    let _ = connection.close().await;
    done.map(|_| ()).map_err(|error| told(&error))
}

/// The user of a URL: whom a source reads as.
pub fn user(url: &SecretString) -> Result<String, SourceError> {
    Ok(super::connection::parse(url)?.get_username().to_owned())
}

async fn connect(url: &SecretString) -> Result<PgConnection, SourceError> {
    let options = super::connection::parse(url)?;
    PgConnection::connect_with(&options).await.map_err(|error| told(&error))
}

/// A text as PostgreSQL reads it literally.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(tables: &[(&str, &[&str])]) -> Platform {
        let table = |columns: &[&str]| Table {
            schema: "public".into(),
            columns: columns.iter().map(|column| ((*column).to_owned(), "uuid".to_owned())).collect(),
        };
        Platform(tables.iter().map(|(name, columns)| ((*name).to_owned(), table(columns))).collect())
    }

    #[test]
    fn a_table_is_served_only_where_its_rows_are_somebodys() {
        let platform = platform(&[
            ("users", &["id", "password", "firstName", "organization_id"]),
            ("user_roles", &["id", "user_id"]),
            ("roles", &["id", "name"]),
            ("retention_policies", &["id", "organization_id"]),
            ("auth_tokens", &["id", "organization_id"]),
            ("migrations", &["id"]),
            // Its parent is not there.
            ("groups", &["id", "tenant_id"]),
        ]);
        let key = GuardKey::new(&SecretString::from("k".repeat(32))).unwrap();
        let guard = platform.guard(&key, "it's \"me\"", &crate::definition::shipped_rules());
        assert_eq!(guard.served, ["retention_policies", "roles", "user_roles", "users"]);
        assert_eq!(guard.left_out, ["auth_tokens", "groups", "migrations"]);
        let sql = guard.sql;
        assert!(sql.contains("SELECT \"id\", \"firstName\", \"organization_id\" FROM \"public\".\"users\""), "{sql}");
        assert!(!sql.contains("\"password\"") && !sql.contains('{'), "{sql}");
        let asked = "(SELECT tfo_guard.organization()::uuid)";
        for condition in [
            format!("WHERE \"organization_id\" = {asked};"),
            format!("WHERE (\"organization_id\" = {asked} OR \"organization_id\" IS NULL);"),
            format!(
                "WHERE \"user_id\" IN (SELECT \"id\" FROM \"public\".\"users\" WHERE \"organization_id\" = {asked});"
            ),
            "SELECT \"id\", \"name\" FROM \"public\".\"roles\";".to_owned(),
        ] {
            assert!(sql.contains(&condition), "{condition}\n{sql}");
        }
        assert!(sql.contains("'it''s \"me\"'") && sql.contains("TO \"it's \"\"me\"\"\";"), "{sql}");
    }
}
