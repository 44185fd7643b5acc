//! Writes a parsed statement anew, so that it means to the database what it means to us.
//!
//! Two things at once, because the same walk decides them. What is not known to be harmless is refused: every field
//! and variant is named, so that a parser that learns new syntax does not silently let it pass. And every name is
//! replaced by what it was found to mean: relations get names that no caller can write, columns are quoted and
//! qualified with them, functions stand as the list has them ([`functions`]). A name that means nothing is refused.

mod expression;
mod instants;
mod names;
mod numbers;
mod relation;
mod scope;
mod select;
mod types;

use std::collections::BTreeMap;

use sqlparser::ast::{Cte, Fetch, Ident, LimitClause, Query, SetExpr, TableAlias, With};

use self::{
    names::Titles,
    relation::{column_definition, rename},
    scope::{Level, Levels, same},
};
use super::{GuardError, GuardErrorKind, OURS, Scope, forbidden, functions, invalid};
use crate::sql::Dialect;

type Checked = Result<(), GuardError>;

/// Deepest tree of operators.
const DEEPEST: usize = 200;

/// Most columns of anything. Subqueries that repeat `*` multiply them, and ours are the names.
const MOST_COLUMNS: usize = 4_096;

/// Most relations that a statement reads once each WITH expression stands wherever it is used. SQLite unfolds them so
/// before it looks at a clock: a chain in which each reads the one before twice takes gigabytes in a thousand bytes.
const MOST_RELATIONS: usize = 500;

/// Rewrites a query, which was parsed from `text`. The tables that it uses, all of them known, and what it calls them now.
pub(super) fn rewrite(
    dialect: Dialect,
    query: &mut Query,
    text: &str,
    reach: &Scope<'_>,
) -> Result<BTreeMap<String, String>, GuardError> {
    let mut rewriter = Rewriter {
        dialect,
        reach,
        titles: Titles::of(dialect, text),
        used: BTreeMap::new(),
        scopes: Vec::new(),
        levels: Vec::new(),
        generated: 0,
        unfolded: 0,
        nesting: 0,
        depth: 0,
    };
    rewriter.query(query)?;
    Ok(rewriter.used)
}

struct Rewriter<'a> {
    dialect: Dialect,
    /// The tables on offer.
    reach: &'a Scope<'a>,
    titles: Titles,
    used: BTreeMap<String, String>,
    /// The common table expressions that are visible here, innermost last.
    scopes: Vec<Vec<WithExpression>>,
    /// The FROMs that are visible here, innermost last.
    levels: Vec<Level>,
    /// How many names we gave.
    generated: usize,
    /// How many relations were read since the WITH expression began, those inside others with them.
    unfolded: usize,
    /// In how many queries we are.
    nesting: usize,
    /// How deep the walk is in expressions.
    depth: usize,
}

struct WithExpression {
    name: String,
    ours: String,
    declared: Vec<String>,
    /// How many relations it stands for; one while it is read.
    unfolded: usize,
    /// Not known before its definition was read.
    columns: Option<Vec<String>>,
}

/// A query's columns, and what its ORDER BY sees.
struct Body {
    outputs: Vec<String>,
    /// Names in the further parts of a UNION.
    others: Vec<String>,
    level: Option<Level>,
}

fn refuse(what: &str) -> GuardError {
    forbidden(format!("{what} is not among what free SQL may use"))
        .hint("write a plain SELECT over the listed tables, with common functions")
}

fn not_too_many(columns: usize) -> Checked {
    if columns <= MOST_COLUMNS {
        return Ok(());
    }
    Err(invalid(format!("more than {MOST_COLUMNS} columns")).hint("name those that are needed"))
}

/// A name in quotes, as it is.
fn quoted(name: &str) -> Ident {
    Ident::with_quote('"', name.replace('"', "\"\""))
}

impl Rewriter<'_> {
    /// A name as the database has it: PostgreSQL folds what is not quoted, SQLite compares whatever the case.
    fn name(&self, ident: &Ident) -> String {
        match ident.quote_style {
            None if self.dialect == Dialect::Postgres => ident.value.to_ascii_lowercase(),
            _ => ident.value.clone(),
        }
    }

    fn function_name(&self, ident: &Ident) -> String {
        let name = self.name(ident);
        if self.dialect == Dialect::Sqlite { name.to_ascii_lowercase() } else { name }
    }

    /// A name for something that the caller calls `name`. The part that can be read is for error messages.
    fn generated(&mut self, name: &str) -> String {
        self.generated += 1;
        let readable = name.len() <= 32 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        format!("{OURS}{}_{}", self.generated, if readable { name } else { "" })
    }

    fn levels(&self) -> Levels<'_> {
        Levels { dialect: self.dialect, levels: &self.levels }
    }

    /// The level whose FROM is being read.
    fn level(&mut self) -> Result<&mut Level, GuardError> {
        self.levels.last_mut().ok_or_else(|| refuse("an item of FROM outside a SELECT"))
    }

    /// The table of a name, in the catalog's own spelling.
    fn table(&self, name: &str) -> Option<String> {
        self.reach.tables.keys().find(|table| same(self.dialect, table, name)).cloned()
    }

    /// What stands for a table: our name for it, and the columns that may be seen.
    fn shadow(&mut self, table: &str) -> Result<(String, Vec<String>), GuardError> {
        let columns = self.reach.tables.get(table).map(Vec::as_slice).unwrap_or_default();
        let visible = columns.iter().filter(|column| !self.reach.rules.is_secret(table, column)).cloned().collect();
        self.reads(1)?;
        if let Some(ours) = self.used.get(table) {
            return Ok((ours.clone(), visible));
        }
        let ours = self.generated(table);
        self.used.insert(table.to_owned(), ours.clone());
        Ok((ours, visible))
    }

    /// So many relations more.
    fn reads(&mut self, relations: usize) -> Checked {
        self.unfolded = self.unfolded.saturating_add(relations);
        if self.unfolded <= MOST_RELATIONS {
            return Ok(());
        }
        Err(invalid(format!(
            "the statement reads more than {MOST_RELATIONS} tables, WITH expressions counted wherever they are used"
        ))
        .hint("use each WITH expression once or twice"))
    }

    /// The WITH expression of a name.
    fn with_expression(&mut self, name: &str) -> Result<Option<(String, Vec<String>)>, GuardError> {
        let mut visible = self.scopes.iter().rev().flat_map(|scope| scope.iter().rev());
        let Some(found) = visible.find(|expression| same(self.dialect, &expression.name, name)) else {
            return Ok(None);
        };
        match &found.columns {
            Some(columns) => {
                let (known, unfolded) = ((found.ours.clone(), columns.clone()), found.unfolded);
                self.reads(unfolded)?;
                Ok(Some(known))
            }
            None => Err(invalid(format!("the WITH expression `{name}` is used before it is defined"))
                .hint("put it before the one that uses it; a recursive one begins with a part that does not use it")),
        }
    }

    /// The names of a query's columns.
    fn query(&mut self, query: &mut Query) -> Result<Vec<String>, GuardError> {
        self.whole_query(query, false).map(|body| body.outputs)
    }

    /// With `defines` the query is that of the WITH expression that was entered last and may use itself.
    fn whole_query(&mut self, query: &mut Query, defines: bool) -> Result<Body, GuardError> {
        let Query {
            with,
            body,
            order_by,
            limit_clause,
            fetch,
            locks,
            for_clause,
            settings,
            format_clause,
            pipe_operators,
        } = query;
        if !locks.is_empty() {
            return Err(refuse("locking rows (`FOR UPDATE`, `FOR SHARE`)"));
        }
        if for_clause.is_some() || settings.is_some() || format_clause.is_some() || !pipe_operators.is_empty() {
            return Err(refuse("a clause of another database"));
        }
        let scopes = self.scopes.len();
        let place = self.place_of_definition(defines);
        self.nesting += 1;
        if let Some(with) = with {
            self.with(with)?;
        }
        let mut body = self.set(body, place)?;
        if let Some(order_by) = order_by {
            self.order_by(order_by, &mut body)?;
        }
        if let Some(limit) = limit_clause {
            self.limit(limit)?;
        }
        if let Some(Fetch { with_ties: _, percent: _, quantity: Some(quantity) }) = fetch {
            self.expression(quantity)?;
        }
        self.scopes.truncate(scopes);
        self.nesting -= 1;
        Ok(body)
    }

    fn place_of_definition(&self, defines: bool) -> Option<(usize, usize)> {
        let scope = self.scopes.len().checked_sub(1).filter(|_| defines)?;
        let undefined = |expression: &WithExpression| expression.columns.is_none();
        Some((scope, self.scopes.get(scope)?.iter().position(undefined)?))
    }

    /// Which expressions see which decides what a name is. PostgreSQL shows an expression those before it, and with
    /// RECURSIVE all; SQLite always shows all. Those that were not read yet have no columns that we know.
    fn with(&mut self, with: &mut With) -> Checked {
        let With { with_token: _, recursive, cte_tables } = with;
        let see_all = *recursive || self.dialect == Dialect::Sqlite;
        let mut entries = Vec::new();
        for Cte { alias, from, .. } in cte_tables.iter() {
            if from.is_some() {
                return Err(refuse("`FROM` behind a WITH expression"));
            }
            let name = self.name(&alias.name);
            if self.table(&name).is_some() {
                return Err(forbidden(format!("`{name}` names both a table and a WITH expression"))
                    .hint("give the expression another name"));
            }
            let twice = |entry: &WithExpression| same(self.dialect, &entry.name, &name);
            if entries.iter().any(twice) {
                return Err(invalid(format!("`{name}` names two WITH expressions")).hint("give each a name of its own"));
            }
            let declared = self.alias_columns(alias)?;
            let ours = self.generated(&name);
            entries.push(WithExpression { name, ours, declared, unfolded: 1, columns: None });
        }
        let mut later = entries.into_iter();
        self.scopes.push(if see_all { later.by_ref().collect() } else { Vec::new() });
        let scope = self.scopes.len() - 1;
        for (index, Cte { alias, query, from: _, materialized: _, closing_paren_token: _ }) in
            cte_tables.iter_mut().enumerate()
        {
            let before = std::mem::take(&mut self.unfolded);
            let columns = self.whole_query(query, see_all)?.outputs;
            let unfolded = std::mem::replace(&mut self.unfolded, before) + 1;
            if let Some((entry, visible)) = later.next().zip(self.scopes.get_mut(scope)) {
                visible.push(entry);
            }
            self.define((scope, index), &columns)?;
            let mut entry = self.scopes.get_mut(scope).and_then(|entries| entries.get_mut(index));
            if let Some(entry) = &mut entry {
                entry.unfolded = unfolded;
            }
            let Some(WithExpression { ours, columns: Some(columns), .. }) = entry else { continue };
            *alias = TableAlias {
                explicit: false,
                name: quoted(ours),
                columns: columns.iter().map(|column| column_definition(column)).collect(),
                at: None,
            };
        }
        Ok(())
    }

    /// From here on a WITH expression has columns.
    fn define(&mut self, (scope, index): (usize, usize), columns: &[String]) -> Checked {
        let Some(entry) = self.scopes.get_mut(scope).and_then(|entries| entries.get_mut(index)) else { return Ok(()) };
        let mut columns = columns.to_vec();
        rename(&mut columns, &entry.declared)?;
        entry.columns = Some(columns);
        Ok(())
    }

    /// Goes one level down, but not without end: the stack is finite.
    fn deeper<T>(&mut self, walk: impl FnOnce(&mut Self) -> Result<T, GuardError>) -> Result<T, GuardError> {
        if self.depth == DEEPEST {
            return Err(invalid(format!("more than {DEEPEST} operators in a row"))
                .hint("use IN, or bind a list, instead of a long chain"));
        }
        self.depth += 1;
        let done = walk(self);
        self.depth -= 1;
        done
    }

    /// `place` is that of the WITH expression which this defines: its first part says what its columns are.
    fn set(&mut self, body: &mut SetExpr, place: Option<(usize, usize)>) -> Result<Body, GuardError> {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.whole_query(query, false),
            SetExpr::SetOperation { left, op: _, set_quantifier: _, right } => self.deeper(|rewriter| {
                let Body { outputs, mut others, level: _ } = rewriter.set(left, place)?;
                if let Some(place) = place {
                    rewriter.define(place, &outputs)?;
                }
                let right = rewriter.set(right, None)?;
                others.extend(right.outputs);
                others.extend(right.others);
                Ok(Body { outputs, others, level: None })
            }),
            SetExpr::Values(values) => {
                for row in &mut values.rows {
                    self.expressions(&mut row.content)?;
                }
                let count = values.rows.first().map_or(0, |row| row.content.len());
                let outputs = (1..=count).map(|number| format!("column{number}")).collect();
                Ok(Body { outputs, others: Vec::new(), level: None })
            }
            SetExpr::Table(_) => Err(refuse("`TABLE`")),
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                Err(forbidden("a part of the statement writes").hint("only SELECT, WITH and VALUES are run"))
            }
        }
    }

    fn limit(&mut self, limit: &mut LimitClause) -> Checked {
        match limit {
            LimitClause::LimitOffset { limit, offset, limit_by } => {
                if !limit_by.is_empty() {
                    return Err(refuse("`LIMIT BY`"));
                }
                if let Some(limit) = limit {
                    self.expression(limit)?;
                }
                offset.as_mut().map_or(Ok(()), |offset| self.expression(&mut offset.value))
            }
            LimitClause::OffsetCommaLimit { offset, limit } => {
                self.expression(offset)?;
                self.expression(limit)
            }
        }
    }
}

fn unknown_function(name: &str) -> GuardError {
    forbidden(format!("the function `{name}` is not among those that free SQL may call"))
        .hint("use common aggregate, window, number, text, time and JSON functions")
}

/// A table that is there, but not for the account. Of one that is a secret nobody is told.
fn withheld(dialect: Dialect, name: &str, reach: &Scope<'_>) -> Option<GuardError> {
    let table = reach.withheld.iter().find(|table| same(dialect, table, name) && !reach.rules.is_hidden(table))?;
    let message = format!("the table `{table}` is there, but the account of this server may not read it");
    Some(forbidden(message).hint(format!("the operator lets its role: `GRANT SELECT ON {table} TO …`")))
}

/// Why a name in FROM, with or without a schema, is none of the tables on offer.
fn unknown_table(dialect: Dialect, schema: Option<&str>, name: &str, reach: &Scope<'_>) -> GuardError {
    let missing =
        |message: String, hint: String| GuardError { kind: GuardErrorKind::Missing, message, hint: Some(hint) };
    let Some(schema) = schema else {
        if let Some(refusal) = withheld(dialect, name, reach) {
            return refusal;
        }
        let hint = match dialect {
            Dialect::Postgres => "use a table that is listed; those of schemas beside the search path are out of reach",
            _ => "use a table of this database",
        };
        return missing(format!("there is no table `{name}`"), hint.to_owned());
    };
    if let Some(refusal) = withheld(dialect, name, reach) {
        return refusal;
    }
    let message = format!("there is no table `{schema}.{name}` on offer");
    if let Some(table) = reach.tables.keys().find(|table| same(dialect, table, name)) {
        return missing(message, format!("the table on offer is `{}.{table}`: write `{table}`", reach.schema(table)));
    }
    let path: std::collections::BTreeSet<&str> = reach.schemas.values().map(String::as_str).collect();
    let plain = |name: &str| name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
    let system = schema.starts_with("pg_") || schema == "information_schema";
    if dialect != Dialect::Postgres
        || system
        || path.contains(schema)
        || !path.iter().chain([&schema]).all(|name| plain(name))
    {
        return missing(message, "use a table that is listed".to_owned());
    }
    let shown = match path.is_empty() {
        true => "no schema of the search path has a table that the account of the source may read".to_owned(),
        false => format!(
            "only tables of the search path ({}) can be asked for",
            path.iter().copied().collect::<Vec<_>>().join(", ")
        ),
    };
    let wider: Vec<&str> = path.into_iter().chain([schema]).collect();
    let hint = format!(
        "{shown}; the operator widens it with `?options=-csearch_path%3D{}` in the URL of the source",
        wider.join("%2C"),
    );
    missing(message, hint)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::{
        super::{
            Declared, TableColumns, guard,
            tests::{rules, tables},
        },
        *,
    };

    #[test]
    fn a_search_path_without_tables_is_told_from_one_that_lacks_the_schema() {
        let hint = |tables: &TableColumns, schemas: &BTreeMap<String, String>, sql: &str| {
            let scope = Scope {
                values: 0,
                organization_type: None,
                tables,
                withheld: &BTreeSet::new(),
                declared: &Declared::NOTHING,
                schemas,
                rules: &rules(),
            };
            guard(Dialect::Postgres, sql, &scope).unwrap_err().hint.unwrap()
        };
        let none = BTreeMap::new();
        let said = hint(&TableColumns::new(), &none, "SELECT id FROM app.hidden");
        assert!(
            said.contains("no schema of the search path") && said.contains("?options=-csearch_path%3Dapp`"),
            "{said}"
        );
        let public = tables().into_keys().map(|table| (table, "public".to_owned())).collect();
        assert_eq!(hint(&tables(), &public, "SELECT id FROM public.ordres"), "use a table that is listed");
        let said = hint(&tables(), &public, "SELECT id FROM app.hidden");
        assert!(said.contains("(public)") && said.contains("?options=-csearch_path%3Dpublic%2Capp`"), "{said}");
    }
}
