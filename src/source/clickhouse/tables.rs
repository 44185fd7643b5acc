//! Whose the rows of a table are, from what ClickHouse says of the table.
//!
//! A column `organization_id` is not enough: engines that fold rows add up rows of different organisations under
//! one of their ids, unless the organisation is part of the key by which they fold. What reads through to another
//! table (materialized views, views, `Buffer`, `Merge`, `Distributed`) is what that table is; what cannot be followed
//! counts as folded. Pure; [`super::tenant`] asks the questions.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Organisation;
use crate::{
    source::Rows,
    sql::{
        Dialect,
        guard::clickhouse::Access,
        lex::{self, Kind, Token},
        tenancy::ORGANIZATION,
    },
};

/// Longest chain of tables that read through to each other.
const DEPTH: usize = 16;

/// Table functions that read tables which they do not name, or which are elsewhere.
const READERS: [&str; 8] =
    ["merge", "remote", "remotesecure", "cluster", "clusterallreplicas", "loop", "dictionary", "viewifpermitted"];

/// A database and a table of it.
pub(super) type Name = (String, String);

/// What `system.tables` says of a table.
pub(super) struct Table {
    engine: String,
    sorting_key: String,
    uuid: String,
    /// The engine with its arguments.
    engine_full: String,
    /// How a materialized view was created.
    create: String,
    /// What a view selects.
    pub(super) select: String,
    /// Where its rows lie; of a materialized view those of the table inside.
    path: String,
}

impl Table {
    /// Whether this is a materialized view whose rows are read in a table with a name of its own.
    pub(super) fn fills_another(&self) -> bool {
        self.engine == "MaterializedView" && matches!(target(&self.create), Some(Target::Named(..)))
    }
}

/// Tables by name.
#[derive(Default)]
pub(super) struct Known(BTreeMap<Name, Table>);

/// The question whose answer [`Known::take`] reads. Other databases are asked for single tables only.
pub(super) fn question(of: &str) -> String {
    format!(
        "SELECT database, name, engine, sorting_key, toString(uuid) AS uuid, engine_full, \
         if(engine = 'MaterializedView', create_table_query, '') AS create, \
         if(engine = 'View', as_select, '') AS select, arrayStringConcat(data_paths, '\\n') AS path \
         FROM system.tables WHERE {of} ORDER BY database, name"
    )
}

impl Known {
    pub(super) fn take(&mut self, rows: Rows) {
        for row in rows.rows {
            let mut texts = row.into_iter().map(|value| match value {
                Value::String(text) => text,
                _ => String::new(),
            });
            let mut next = || texts.next().unwrap_or_default();
            let name = (next(), next());
            let (engine, sorting_key, uuid, engine_full) = (next(), next(), next(), next());
            let (create, select, path) = (next(), next(), next());
            let table = Table { engine, sorting_key, uuid, engine_full, create, select, path };
            self.0.insert(name, table);
        }
    }

    /// The tables of a database.
    pub(super) fn of<'a>(&'a self, database: &'a str) -> impl Iterator<Item = (&'a str, &'a Table)> {
        self.0.iter().filter(move |((own, _), _)| own == database).map(|((_, name), table)| (name.as_str(), table))
    }

    /// Tables that others read and that were not asked for yet.
    pub(super) fn unasked(&self, databases: &BTreeSet<String>) -> BTreeSet<Name> {
        let read = self.0.iter().filter_map(|(name, table)| self.reads(name, table, databases));
        read.flatten().filter(|name| !self.0.contains_key(name)).collect()
    }

    /// What callers may do with a table of `database`.
    pub(super) fn access(
        &self,
        name: &Name,
        owned: bool,
        shared: bool,
        databases: &BTreeSet<String>,
        organisation: &Organisation,
    ) -> Access {
        let Some(table) = self.0.get(name) else { return Access::Unfiltered };
        match (is_filtered(&table.engine), owned) {
            (false, _) => Access::Unfiltered,
            (true, _) if name.1.starts_with(".inner") => Access::Ownerless,
            (true, true) if self.keeps(name, databases, organisation, DEPTH) => Access::Own,
            (true, true) => Access::Folded,
            (true, false) if shared => Access::Shared,
            (true, false) => Access::Ownerless,
        }
    }

    /// Whether each row is of one organisation, here and in whatever it is read from.
    fn keeps(&self, name: &Name, databases: &BTreeSet<String>, organisation: &Organisation, depth: usize) -> bool {
        if organisation.is_one() {
            return true;
        }
        let Some(table) = self.0.get(name) else { return false };
        let Some(depth) = depth.checked_sub(1) else { return false };
        if let Some(engine) = table.engine.strip_suffix("MergeTree") {
            let folds = !matches!(engine, "" | "Replicated" | "Shared");
            return !folds || has_organization(&table.sorting_key, organisation);
        }
        match self.reads(name, table, databases) {
            Some(read) => read.iter().all(|read| self.keeps(read, databases, organisation, depth)),
            None => false,
        }
    }

    /// The tables that a table is read from; none if that cannot be told.
    fn reads(&self, name: &Name, table: &Table, databases: &BTreeSet<String>) -> Option<BTreeSet<Name>> {
        let (database, own) = name;
        let arguments = || literals(&table.engine_full);
        let one = |database: &str, table: &str| Some(BTreeSet::from([(database.to_owned(), table.to_owned())]));
        match &*table.engine {
            "MaterializedView" => match target(&table.create)? {
                Target::Named(to_database, to) => one(to_database.as_deref().unwrap_or(database), &to),
                Target::Inner => one(database, &self.inner(database, own, table)),
            },
            "View" => selected(&table.select, databases),
            "Buffer" => match &*arguments()? {
                [to_database, to, ..] => one(to_database, to),
                _ => None,
            },
            "Distributed" => match &*arguments()? {
                [_, to_database, to, ..] => one(to_database, to),
                _ => None,
            },
            "Merge" => match &*arguments()? {
                // Which tables of another database there are is not known here.
                [of, pattern, ..] if of == database => {
                    let pattern = regex::Regex::new(pattern).ok()?;
                    let matching = self.of(database).map(|(name, _)| name);
                    let matching = matching.filter(|name| *name != own && pattern.is_match(name));
                    Some(matching.map(|name| (database.clone(), name.to_owned())).collect())
                }
                _ => None,
            },
            _ => Some(BTreeSet::new()),
        }
    }

    /// The table inside a materialized view. An `Overlay` database, such as the embedded server's own, names no UUID of
    /// the view; then it is the one whose rows lie where the view's do.
    fn inner(&self, database: &str, view: &str, table: &Table) -> String {
        let inner = || self.of(database).filter(|(name, _)| name.starts_with(".inner"));
        let (by_id, by_name) = (format!(".inner_id.{}", table.uuid), format!(".inner.{view}"));
        let named = inner().find(|(name, _)| *name == by_id || *name == by_name);
        let found = named.or_else(|| inner().find(|(_, inner)| !table.path.is_empty() && inner.path == table.path));
        match found {
            Some((name, _)) => name.to_owned(),
            // Of a database that was not asked for as a whole.
            None if table.uuid.chars().any(|c| !matches!(c, '0' | '-')) => by_id,
            None => by_name,
        }
    }
}

/// Engines whose rows the server filters wherever they are read. `Join`, `Set`, `Dictionary` and key-value engines
/// are also read by key, past the filter.
fn is_filtered(engine: &str) -> bool {
    engine.ends_with("MergeTree")
        || matches!(
            engine,
            "View"
                | "MaterializedView"
                | "Memory"
                | "Log"
                | "TinyLog"
                | "StripeLog"
                | "Buffer"
                | "Merge"
                | "Distributed"
        )
}

/// Whether the organisation is an element of a sorting key, and not only part of one: rows of two organisations may
/// have the same `cityHash64(organization_id) % 8`.
fn has_organization(key: &str, organisation: &Organisation) -> bool {
    let Ok(tokens) = lex::tokens(Dialect::ClickHouse, key) else { return false };
    let mut tokens = tokens.as_slice();
    while let [open, inner @ .., close] = tokens
        && open.is("(")
        && close.is(")")
        && balanced(inner)
    {
        tokens = inner;
    }
    let mut depth = 0_usize;
    let elements = tokens.split(|token| {
        match token.text {
            "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && token.is(",")
    });
    elements.into_iter().any(|element| {
        let element = match element {
            [element @ .., order] if order.is_word("asc") || order.is_word("desc") => element,
            element => element,
        };
        match element {
            [column] if plain(column).is_some_and(|name| name == ORGANIZATION) => true,
            element => organisation.is_kept_by(element),
        }
    })
}

/// Whether no parenthesis is closed that was not opened here.
fn balanced(tokens: &[Token<'_>]) -> bool {
    let mut depth = 0_usize;
    for token in tokens {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            let Some(less) = depth.checked_sub(1) else { return false };
            depth = less;
        }
    }
    depth == 0
}

enum Target {
    Named(Option<String>, String),
    Inner,
}

/// Where a materialized view keeps its rows: behind `TO`, or in a table inside. None if the text says neither.
fn target(create: &str) -> Option<Target> {
    let tokens = lex::tokens(Dialect::ClickHouse, create).ok()?;
    let begin = tokens.iter().position(|token| token.is_word("view"))? + 1;
    for (index, token) in tokens.iter().enumerate().skip(begin) {
        // What follows is the inner table, its columns or the statement.
        if token.is("(") || token.is_word("engine") || token.is_word("as") {
            return Some(Target::Inner);
        }
        if !token.is_word("to") {
            continue;
        }
        let behind = tokens.get(index + 1..).unwrap_or_default();
        return match behind {
            [inner, uuid, ..] if inner.is_word("inner") && uuid.is_word("uuid") => Some(Target::Inner),
            [database, dot, table, ..] if dot.is(".") => Some(Target::Named(Some(plain(database)?), plain(table)?)),
            [table, ..] => Some(Target::Named(None, plain(table)?)),
            [] => None,
        };
    }
    None
}

/// The tables that a stored SELECT names. ClickHouse stores them qualified.
fn selected(select: &str, databases: &BTreeSet<String>) -> Option<BTreeSet<Name>> {
    let tokens = lex::tokens(Dialect::ClickHouse, select).ok().filter(|tokens| !tokens.is_empty())?;
    let reader = |pair: &[Token<'_>]| match pair {
        [name, open] => open.is("(") && plain(name).is_some_and(|name| READERS.contains(&&*name.to_ascii_lowercase())),
        _ => false,
    };
    if tokens.windows(2).any(reader) {
        return None;
    }
    let mut found = BTreeSet::new();
    for triple in tokens.windows(3) {
        if let [database, dot, table] = triple
            && dot.is(".")
            && let (Some(database), Some(table)) = (plain(database), plain(table))
            && databases.contains(&database)
        {
            found.insert((database, table));
        }
    }
    Some(found)
}

/// The string literals among the arguments of an engine; none if there is something else before them.
fn literals(engine: &str) -> Option<Vec<String>> {
    let tokens = lex::tokens(Dialect::ClickHouse, engine).ok()?;
    let open = tokens.iter().position(|token| token.is("("))?;
    let mut found = Vec::new();
    for argument in tokens.get(open + 1..)?.split(|token| token.is(",")) {
        match argument {
            [name] if name.kind == Kind::Word => found.push(name.text.to_owned()),
            [text, ..] if text.text.starts_with('\'') => found.push(unquoted(text.text)?),
            _ => break,
        }
    }
    Some(found)
}

/// A name without its quotes; none if it has an escape in it.
fn plain(token: &Token<'_>) -> Option<String> {
    match token.kind {
        Kind::Word => Some(token.text.to_owned()),
        _ if token.text.starts_with(['`', '"']) => unquoted(token.text),
        _ => None,
    }
}

fn unquoted(text: &str) -> Option<String> {
    let inner = text.get(1..text.len().checked_sub(1)?)?;
    Some(inner.replace("\\\\", "\\")).filter(|inner| !inner.contains(['\'', '`', '"']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bare_element_of_the_key_keeps_organisations_apart() {
        for key in [
            "organization_id",
            "organization_id, service",
            "(hour, organization_id)",
            "((hour, `organization_id`))",
            "hour DESC, organization_id DESC",
            "toDate(hour), organization_id",
        ] {
            assert!(has_organization(key, &Organisation::Unknown), "{key}");
        }
        for key in [
            "",
            "tuple()",
            "service",
            "cityHash64(organization_id) % 8",
            "service, cityHash64(organization_id) % 8",
            "service, (workspace, organization_id)",
            "substring(organization_id, 1, 2), hour",
            "(organization_id) || service",
            "organization_id || 'x'",
            "my_organization_id",
            "'organization_id'",
        ] {
            assert!(!has_organization(key, &Organisation::Unknown), "{key}");
        }
    }

    #[test]
    fn distributed_tables_are_what_they_are_spread_over() {
        let row = |database: &str, name: &str, engine: &str, key: &str, full: &str| {
            [database, name, engine, key, "", full, "", ""].map(|text| Value::String(text.to_owned())).to_vec()
        };
        let rows = vec![
            row("d", "good", "Distributed", "", "Distributed('all', 'shard', 'kept', rand())"),
            row("d", "bad", "Distributed", "", "Distributed('all', 'shard', 'folded')"),
            row("d", "gone", "Distributed", "", "Distributed('all', 'shard', 'nowhere')"),
            row("d", "odd", "Distributed", "", "Distributed(getMacro('x'), 'shard', 'kept')"),
            row("shard", "kept", "ReplicatedMergeTree", "service", ""),
            row("shard", "folded", "ReplicatedSummingMergeTree", "service", ""),
        ];
        let mut known = Known::default();
        known.take(Rows { rows, ..Rows::default() });
        let databases = BTreeSet::from(["d".to_owned(), "shard".to_owned()]);
        let access = |name: &str| {
            known.access(&("d".to_owned(), name.to_owned()), true, false, &databases, &Organisation::Unknown)
        };
        assert_eq!(access("good"), Access::Own);
        for name in ["bad", "gone", "odd"] {
            assert_eq!(access(name), Access::Folded, "{name}");
        }
        let unasked: Vec<_> = known.unasked(&databases).into_iter().collect();
        assert_eq!(unasked, [("shard".to_owned(), "nowhere".to_owned())]);
    }

    #[test]
    fn the_target_of_a_materialized_view_is_read_from_its_definition() {
        let named = |create: &str| match target(create) {
            Some(Target::Named(database, table)) => Some((database, table)),
            _ => None,
        };
        let other = |database: &str| Some((Some(database.to_owned()), "x".to_owned()));
        assert_eq!(named("CREATE MATERIALIZED VIEW d.v TO d.x (`a` UInt8) AS SELECT 1"), other("d"));
        assert_eq!(named("CREATE MATERIALIZED VIEW d.`to v` REFRESH EVERY 1 HOUR TO e.`x` AS SELECT 1"), other("e"));
        assert_eq!(named("CREATE MATERIALIZED VIEW d.v UUID 'u' TO x AS SELECT 1"), Some((None, "x".to_owned())));
        for inner in [
            "CREATE MATERIALIZED VIEW d.v (`to` UInt8) ENGINE = MergeTree AS SELECT 1 AS to",
            "CREATE MATERIALIZED VIEW d.v UUID 'u' TO INNER UUID 'w' (`a` UInt8) AS SELECT 1",
        ] {
            assert!(matches!(target(inner), Some(Target::Inner)), "{inner}");
        }
        assert!(target("").is_none());
    }
}
