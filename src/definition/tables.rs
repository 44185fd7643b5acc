//! What is known of the tables of a source: whose their rows are, and what of them nobody may see.

use std::sync::{Arc, LazyLock};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Name, source::SourceName};
use crate::sql::tenancy::{TableRules, Through};

/// What is known of the tables of one source: the checks of statements prove by it, and the guards of callers' SQL are made
/// of it. Several definitions add up; what the shipped ones say always counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tables {
    /// Name of the list.
    pub name: Name,
    /// Logical source whose database is asked.
    #[schemars(with = "SourceName")]
    pub source: Name,
    /// Tables whose rows belong to a workspace, by their column `workspace_id`. A statement that reads one of them has to
    /// narrow it by `{% if workspace_id %}AND workspace_id = {{ workspace_id }}{% endif %}`, or say why not.
    #[serde(default)]
    pub workspace: Vec<String>,
    /// Tables without a column `organization_id` that reach one through another table.
    #[serde(default)]
    pub through: IndexMap<String, Path>,
    /// Tables without that column that hold the same for everyone, in PostgreSQL and SQLite.
    #[serde(default)]
    pub everyones: Vec<String>,
    /// Tables in which a row without an organisation is the default of all. Elsewhere it is nobody's.
    #[serde(default)]
    pub defaults: Vec<String>,
    /// Rollups in ClickHouse that add up rows of several organisations, and what to do instead, such as "read `metrics_1m`".
    #[serde(default)]
    pub folded: IndexMap<String, String>,
    /// Tables that nobody may read, since they are secrets as a whole. In ClickHouse, whose callers' SQL is not written anew,
    /// grants have to see to that.
    #[serde(default)]
    pub hidden: Vec<String>,
    /// Columns that nobody may see, `table.column`, besides those that are called as secrets are (`password`, `api_key`). In
    /// ClickHouse they are left out of descriptions only.
    #[serde(default)]
    pub private: Vec<ColumnOf>,
    /// Replaces the definition of the same name in an earlier pack. Default: false.
    #[serde(default, rename = "override")]
    pub overrides: bool,
}

/// A way to the organisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Path {
    /// Column of this table.
    pub column: String,
    /// Column of the other table that holds the same value: `users.id`.
    pub of: ColumnOf,
}

/// A column of a table: `table.column`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ColumnOf(#[schemars(regex(pattern = r"^[^.]+[.][^.]+$"))] pub String);

impl ColumnOf {
    /// Table and column.
    fn parts(&self) -> (String, String) {
        let (table, column) = self.0.split_once('.').unwrap_or((&self.0, ""));
        (table.to_owned(), column.to_owned())
    }
}

impl Tables {
    /// What this says of whose rows are and what is hidden.
    pub fn rules(&self) -> TableRules {
        let through = self.through.iter().map(|(table, path)| {
            let (parent, parent_column) = path.of.parts();
            (table.clone(), Through { column: path.column.clone(), parent, parent_column })
        });
        TableRules {
            through: through.collect(),
            everyones: self.everyones.iter().cloned().collect(),
            defaults: self.defaults.iter().cloned().collect(),
            folded: self.folded.iter().map(|(table, instead)| (table.clone(), instead.clone())).collect(),
            hidden: self.hidden.iter().cloned().collect(),
            private: self.private.iter().map(ColumnOf::parts).collect(),
        }
    }
}

/// What the shipped pack says of tables. It counts whatever else is loaded, and where nothing is: no pack, and no option, can
/// make a server forget it.
pub fn shipped_rules() -> Arc<TableRules> {
    static RULES: LazyLock<Arc<TableRules>> = LazyLock::new(|| {
        // Written by `build.rs`; that all of it is read here is tested below.
        let shipped: Vec<Tables> =
            serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/tables.json"))).unwrap_or_default();
        Arc::new(shipped.iter().fold(TableRules::default(), |rules, tables| rules.with(&tables.rules())))
    });
    Arc::clone(&RULES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shipped_is_read() {
        let rules = shipped_rules();
        let counts = [rules.through.len(), rules.everyones.len(), rules.defaults.len(), rules.folded.len()];
        assert_eq!((counts, rules.hidden.len(), rules.private.len()), ([12, 5, 2, 16], 2, 2));
        assert!(rules.is_hidden("auth_tokens") && rules.is_secret("llm_messages", "content"));
        assert!(rules.is_secret("users", "password") && !rules.is_secret("users", "email"));
    }
}
