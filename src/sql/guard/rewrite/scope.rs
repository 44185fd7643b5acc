//! What names mean where they stand: the things in FROM, level by level, and which column a name is.
//!
//! The rules are the database's own. Where one of them were read wrongly the statement would fail, not reach
//! something else: a column is printed with the name that we gave its relation, and no other relation has it.

use super::{Dialect, GuardError, GuardErrorKind, forbidden};

/// Most names that an error offers.
const OFFERED: usize = 60;

/// One thing in FROM.
pub(super) struct Relation {
    /// What the caller calls it, if anything.
    pub name: Option<String>,
    /// The schema of a table that goes by its own name.
    pub schema: Option<String>,
    /// What we call it.
    pub ours: String,
    pub columns: Vec<String>,
    /// Columns that a join has merged: without a qualifier they are the join's.
    pub merged: Vec<String>,
}

/// FROM and what else names can mean in one SELECT.
#[derive(Default)]
pub(super) struct Level {
    pub relations: Vec<Relation>,
    /// Columns merged by USING or NATURAL, each with the first relation of its join.
    pub merged: Vec<(String, usize)>,
    /// The first relation that is in sight: PostgreSQL's ON sees its own join only.
    pub first: usize,
    /// All columns, as `*` gives them.
    pub star: Vec<String>,
    /// Names given in the select list, where conditions may use them (SQLite).
    pub aliases: Vec<String>,
}

/// What a name turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Column {
        ours: String,
        column: String,
    },
    /// A merged column or a name of the select list: it has no qualifier.
    Bare(String),
    /// A whole row.
    Row(String),
}

/// Whether two names are one to the database. PostgreSQL's are folded already.
pub(super) fn same(dialect: Dialect, left: &str, right: &str) -> bool {
    left == right || (dialect == Dialect::Sqlite && left.eq_ignore_ascii_case(right))
}

/// The column of a list that a name means. In SQLite the first of several, as the others get other names.
fn in_list<'a>(dialect: Dialect, columns: &'a [String], name: &str) -> Result<Option<&'a String>, GuardError> {
    let mut matches = columns.iter().filter(|column| same(dialect, column, name));
    let found = matches.next();
    if dialect == Dialect::Postgres && matches.next().is_some() {
        return Err(ambiguous(name));
    }
    Ok(found)
}

impl Level {
    /// The column of this level that a name without a qualifier means.
    pub fn column(&self, dialect: Dialect, name: &str) -> Result<Option<Found>, GuardError> {
        let mut found = Vec::new();
        for relation in self.relations.iter().skip(self.first) {
            if relation.merged.iter().any(|merged| same(dialect, merged, name)) {
                continue;
            }
            if let Some(column) = in_list(dialect, &relation.columns, name)? {
                found.push(Found::Column { ours: relation.ours.clone(), column: column.clone() });
            }
        }
        for (merged, start) in &self.merged {
            if *start >= self.first && same(dialect, merged, name) {
                found.push(Found::Bare(merged.clone()));
            }
        }
        if found.len() > 1 {
            return Err(ambiguous(name));
        }
        Ok(found.pop())
    }

    fn named<'a>(&'a self, dialect: Dialect, name: &str) -> impl Iterator<Item = &'a Relation> {
        let named = move |relation: &&Relation| relation.name.as_deref().is_some_and(|own| same(dialect, own, name));
        self.relations.iter().skip(self.first).filter(named)
    }
}

/// Levels from the outermost to the innermost.
pub(super) struct Levels<'a> {
    pub dialect: Dialect,
    pub levels: &'a [Level],
}

impl<'a> Levels<'a> {
    /// A name without a qualifier. Columns come before whole rows, and names of the select list behind columns.
    pub fn name(&self, name: &str) -> Result<Found, GuardError> {
        for level in self.levels.iter().rev() {
            if let Some(found) = level.column(self.dialect, name)? {
                return Ok(found);
            }
            if let Some(alias) = level.aliases.iter().find(|alias| same(self.dialect, alias, name)) {
                return Ok(Found::Bare(alias.clone()));
            }
        }
        if self.dialect == Dialect::Postgres
            && let Some(relation) = self.levels.iter().rev().find_map(|level| level.named(self.dialect, name).next())
        {
            return Ok(Found::Row(relation.ours.clone()));
        }
        Err(self.unknown_column(name))
    }

    /// `qualifier.column`. In PostgreSQL the nearest relation of that name decides; a column that it has not would be
    /// a function's call there, and is refused.
    pub fn qualified(&self, qualifier: &str, name: &str) -> Result<Found, GuardError> {
        let mut known = false;
        for level in self.levels.iter().rev() {
            let mut found = Vec::new();
            let mut here = false;
            for relation in level.named(self.dialect, qualifier) {
                here = true;
                if let Some(column) = in_list(self.dialect, &relation.columns, name)? {
                    found.push(Found::Column { ours: relation.ours.clone(), column: column.clone() });
                }
            }
            known |= here;
            match (found.pop(), found.pop()) {
                (Some(_), Some(_)) => return Err(ambiguous(&format!("{qualifier}.{name}"))),
                (Some(found), None) => return Ok(found),
                _ if here && self.dialect == Dialect::Postgres => break,
                _ => {}
            }
        }
        if known { Err(self.unknown_column(&format!("{qualifier}.{name}"))) } else { Err(unknown_qualifier(qualifier)) }
    }

    /// `schema.table.column`. It means what `table.column` does, if that table is in FROM under its own name.
    pub fn in_schema(&self, schema: &str, table: &str, name: &str) -> Result<Found, GuardError> {
        self.relation_in(schema, table)?;
        self.qualified(table, name)
    }

    /// The relation of `schema.table`.
    pub fn relation_in(&self, schema: &str, table: &str) -> Result<&'a Relation, GuardError> {
        let relation = self.relation(table)?;
        match &relation.schema {
            Some(own) if same(self.dialect, own, schema) => Ok(relation),
            _ => Err(unknown_qualifier(&format!("{schema}.{table}"))),
        }
    }

    /// The relation of a qualifier, for `qualifier.*`.
    pub fn relation(&self, qualifier: &str) -> Result<&'a Relation, GuardError> {
        let nearest = self.levels.iter().rev().find_map(|level| level.named(self.dialect, qualifier).next());
        nearest.ok_or_else(|| unknown_qualifier(qualifier))
    }

    fn unknown_column(&self, name: &str) -> GuardError {
        let known: Vec<String> = self
            .levels
            .iter()
            .rev()
            .flat_map(|level| level.relations.iter().skip(level.first))
            .flat_map(|relation| {
                let qualifier = relation.name.as_ref().map_or(String::new(), |name| format!("{name}."));
                relation.columns.iter().map(move |column| format!("{qualifier}{column}"))
            })
            .collect();
        let hint = if known.is_empty() {
            "a text stands in single quotes; a column needs a table in FROM".to_owned()
        } else {
            let more = if known.len() > OFFERED { ", …" } else { "" };
            let known: Vec<String> = known.into_iter().take(OFFERED).collect();
            format!("here are {}{more}; a text stands in single quotes", known.join(", "))
        };
        GuardError {
            kind: GuardErrorKind::Missing,
            message: format!("there is no column `{name}` here"),
            hint: Some(hint),
        }
    }
}

fn ambiguous(name: &str) -> GuardError {
    super::invalid(format!("`{name}` is ambiguous")).hint("put the table's name or alias before it")
}

fn unknown_qualifier(qualifier: &str) -> GuardError {
    forbidden(format!("`{qualifier}` is nothing in FROM that can be seen here"))
        .hint("write the name or the alias of a table, or the column alone")
}
