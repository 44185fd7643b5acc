//! Goes through a parsed statement and refuses all that is not known to be harmless.
//!
//! Every field and variant is named, so that a parser that learns new syntax does not silently let it pass: what
//! is new does not compile, or falls into the arm that refuses.

mod expression;
mod relation;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use sqlparser::ast::{
    Cte, Distinct, Fetch, GroupByExpr, GroupByWithModifier, Ident, LimitClause, NamedWindowDefinition, NamedWindowExpr,
    OrderBy, OrderByExpr, OrderByKind, Query, Select, SelectFlavor, SelectItem, SelectItemQualifiedWildcardKind,
    SetExpr, WildcardAdditionalOptions, WindowSpec, With,
};

use super::{GuardError, GuardErrorKind, forbidden, functions, invalid};
use crate::sql::{Dialect, TableColumns};

type Checked = Result<(), GuardError>;

/// Deepest tree of operators.
const DEEPEST: usize = 200;

/// The tables that a query uses, all of them known. `calls` are the names that the text has before a parenthesis:
/// whatever the parser made of them, each has to be a known function or a name that the query itself declares.
pub(super) fn walk(
    dialect: Dialect,
    query: &Query,
    tables: &TableColumns,
    calls: &[String],
) -> Result<BTreeSet<String>, GuardError> {
    let mut walker = Walker {
        dialect,
        tables,
        used: BTreeSet::new(),
        scopes: Vec::new(),
        column_lists: Vec::new(),
        row_functions: HashMap::new(),
        relations: HashSet::new(),
        references: Vec::new(),
        depth: 0,
    };
    walker.query(query)?;
    walker.check_references()?;
    walker.check_calls(calls)?;
    Ok(walker.used)
}

struct Walker<'a> {
    dialect: Dialect,
    tables: &'a TableColumns,
    used: BTreeSet<String>,
    /// Names of the common table expressions that are visible here, innermost last.
    scopes: Vec<HashSet<String>>,
    /// Aliases with a list of columns, `t(a, b)`, which look like calls in the text.
    column_lists: Vec<String>,
    /// Columns of functions in FROM, by alias.
    row_functions: HashMap<String, HashSet<String>>,
    /// Names of everything else in FROM.
    relations: HashSet<String>,
    /// `qualifier.column` wherever it stands.
    references: Vec<(String, String)>,
    /// How deep the walk is in expressions.
    depth: usize,
}

fn refuse(what: &str) -> GuardError {
    forbidden(format!("{what} is not among what free SQL may use"))
        .hint("write a plain SELECT over the listed tables, with common functions")
}

impl Walker<'_> {
    /// A name as the database compares it.
    fn name(&self, ident: &Ident) -> String {
        match ident.quote_style {
            Some(_) if self.dialect == Dialect::Postgres => ident.value.clone(),
            _ => ident.value.to_ascii_lowercase(),
        }
    }

    /// The table of a name, in the catalog's own spelling.
    fn table(&self, name: &str) -> Option<String> {
        if self.dialect == Dialect::Postgres {
            return self.tables.contains_key(name).then(|| name.to_owned());
        }
        self.tables.keys().find(|table| table.eq_ignore_ascii_case(name)).cloned()
    }

    fn query(&mut self, query: &Query) -> Checked {
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
        if let Some(with) = with {
            self.with(with)?;
        }
        self.set(body)?;
        if let Some(order_by) = order_by {
            self.order_by(order_by)?;
        }
        if let Some(limit) = limit_clause {
            self.limit(limit)?;
        }
        if let Some(Fetch { with_ties: _, percent: _, quantity: Some(quantity) }) = fetch {
            self.expression(quantity)?;
        }
        self.scopes.truncate(scopes);
        Ok(())
    }

    /// Which expressions see which decides whether a name is one of them or a table. PostgreSQL shows an
    /// expression those before it, and with RECURSIVE all; SQLite always shows all.
    fn with(&mut self, with: &With) -> Checked {
        let With { with_token: _, recursive, cte_tables } = with;
        let see_all = *recursive || self.dialect == Dialect::Sqlite;
        let mut names = HashSet::new();
        for Cte { alias, .. } in cte_tables {
            let name = self.name(&alias.name);
            if self.table(&name).is_some() {
                return Err(forbidden(format!("`{name}` names both a table and a WITH expression"))
                    .hint("give the expression another name"));
            }
            names.insert(name);
        }
        self.scopes.push(if see_all { names } else { HashSet::new() });
        let scope = self.scopes.len() - 1;
        for Cte { alias, query, from, materialized: _, closing_paren_token: _ } in cte_tables {
            if from.is_some() {
                return Err(refuse("`FROM` behind a WITH expression"));
            }
            self.alias_columns(alias)?;
            self.query(query)?;
            let name = self.name(&alias.name);
            if let Some(visible) = self.scopes.get_mut(scope) {
                visible.insert(name);
            }
        }
        Ok(())
    }

    /// Goes one level down, but not without end: the stack is finite.
    fn deeper(&mut self, walk: impl FnOnce(&mut Self) -> Checked) -> Checked {
        if self.depth == DEEPEST {
            return Err(invalid(format!("more than {DEEPEST} operators in a row"))
                .hint("use IN, or bind a list, instead of a long chain"));
        }
        self.depth += 1;
        let checked = walk(self);
        self.depth -= 1;
        checked
    }

    fn set(&mut self, body: &SetExpr) -> Checked {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { left, op: _, set_quantifier: _, right } => self.deeper(|walker| {
                walker.set(left)?;
                walker.set(right)
            }),
            SetExpr::Values(values) => {
                for row in &values.rows {
                    self.expressions(&row.content)?;
                }
                Ok(())
            }
            SetExpr::Table(_) => Err(refuse("`TABLE`")),
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                Err(forbidden("a part of the statement writes").hint("only SELECT, WITH and VALUES are run"))
            }
        }
    }

    fn select(&mut self, select: &Select) -> Checked {
        let Select {
            select_token: _,
            optimizer_hints,
            distinct,
            select_modifiers,
            top,
            top_before_distinct: _,
            projection,
            exclude,
            into,
            from,
            lateral_views,
            prewhere,
            selection,
            connect_by,
            group_by,
            cluster_by,
            distribute_by,
            sort_by,
            having,
            named_window,
            qualify,
            window_before_qualify: _,
            value_table_mode,
            flavor,
        } = select;
        if into.is_some() {
            return Err(forbidden("`SELECT … INTO` writes").hint("leave INTO out"));
        }
        let foreign = !optimizer_hints.is_empty()
            || select_modifiers.is_some()
            || top.is_some()
            || exclude.is_some()
            || !lateral_views.is_empty()
            || prewhere.is_some()
            || !connect_by.is_empty()
            || !cluster_by.is_empty()
            || !distribute_by.is_empty()
            || !sort_by.is_empty()
            || qualify.is_some()
            || value_table_mode.is_some()
            || !matches!(flavor, SelectFlavor::Standard);
        if foreign {
            return Err(refuse("a clause of another database"));
        }
        for table in from {
            self.table_with_joins(table)?;
        }
        if let Some(Distinct::On(expressions)) = distinct {
            self.expressions(expressions)?;
        }
        for item in projection {
            self.item(item)?;
        }
        for expression in [selection, having].into_iter().flatten() {
            self.expression(expression)?;
        }
        match group_by {
            GroupByExpr::Expressions(expressions, modifiers) => {
                self.expressions(expressions)?;
                self.group_modifiers(modifiers)?;
            }
            GroupByExpr::All(_) => return Err(refuse("`GROUP BY ALL`")),
        }
        for NamedWindowDefinition(_, window) in named_window {
            match window {
                NamedWindowExpr::NamedWindow(_) => {}
                NamedWindowExpr::WindowSpec(window) => self.window(window)?,
            }
        }
        Ok(())
    }

    fn group_modifiers(&mut self, modifiers: &[GroupByWithModifier]) -> Checked {
        for modifier in modifiers {
            match modifier {
                GroupByWithModifier::GroupingSets(expression) => self.expression(expression)?,
                _ => return Err(refuse("a clause of another database")),
            }
        }
        Ok(())
    }

    fn item(&mut self, item: &SelectItem) -> Checked {
        match item {
            SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, alias: _ } => {
                self.expression(expression)
            }
            SelectItem::Wildcard(options) => wildcard(options),
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                self.single(name, "a qualified name")?;
                wildcard(options)
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(_), _) => {
                Err(refuse("`.*` behind an expression"))
            }
            SelectItem::ExprWithAliases { .. } => Err(refuse("more than one name for a column")),
        }
    }

    fn order_by(&mut self, order_by: &OrderBy) -> Checked {
        let OrderBy { kind, interpolate } = order_by;
        match kind {
            OrderByKind::Expressions(list) if interpolate.is_none() => self.order_list(list),
            _ => Err(refuse("this form of `ORDER BY`")),
        }
    }

    fn order_list(&mut self, list: &[OrderByExpr]) -> Checked {
        for OrderByExpr { expr, options: _, with_fill } in list {
            if with_fill.is_some() {
                return Err(refuse("`WITH FILL`"));
            }
            self.expression(expr)?;
        }
        Ok(())
    }

    fn limit(&mut self, limit: &LimitClause) -> Checked {
        match limit {
            LimitClause::LimitOffset { limit, offset, limit_by } => {
                if !limit_by.is_empty() {
                    return Err(refuse("`LIMIT BY`"));
                }
                if let Some(limit) = limit {
                    self.expression(limit)?;
                }
                offset.as_ref().map_or(Ok(()), |offset| self.expression(&offset.value))
            }
            LimitClause::OffsetCommaLimit { offset, limit } => {
                self.expression(offset)?;
                self.expression(limit)
            }
        }
    }

    fn window(&mut self, window: &WindowSpec) -> Checked {
        let WindowSpec { window_name: _, partition_by, order_by, window_frame } = window;
        self.expressions(partition_by)?;
        self.order_list(order_by)?;
        let Some(frame) = window_frame else { return Ok(()) };
        self.frame_bound(&frame.start_bound)?;
        frame.end_bound.as_ref().map_or(Ok(()), |bound| self.frame_bound(bound))
    }

    /// `alias.name` calls a function in PostgreSQL when the alias has no such column: `g.ts_stat` with a text from
    /// a function in FROM runs SQL. Columns of such an alias therefore have to be declared.
    fn check_references(&self) -> Checked {
        for (qualifier, column) in &self.references {
            let Some(columns) = self.row_functions.get(qualifier) else {
                if self.relations.contains(qualifier) {
                    continue;
                }
                return Err(forbidden(format!("`{qualifier}` in `{qualifier}.{column}` is nothing in FROM"))
                    .hint("write the name or the alias of a table, or the column alone"));
            };
            if self.relations.contains(qualifier) {
                return Err(forbidden(format!("`{qualifier}` names a table and a function in FROM"))
                    .hint("give one of them another alias"));
            }
            if !columns.contains(column) {
                return Err(forbidden(format!("`{qualifier}.{column}` is no declared column of a function in FROM"))
                    .hint(format!("declare its columns: `AS {qualifier}({column})`")));
            }
        }
        Ok(())
    }

    /// The text's own names before parentheses, independently of what the parser made of them.
    fn check_calls(&self, calls: &[String]) -> Checked {
        let mut declared: BTreeMap<&str, usize> = BTreeMap::new();
        for name in &self.column_lists {
            *declared.entry(name).or_default() += 1;
        }
        for call in calls.iter().filter(|call| !functions::may_precede_parenthesis(self.dialect, call)) {
            match declared.get_mut(call.as_str()) {
                Some(count) if *count > 0 => *count -= 1,
                _ => return Err(unknown_function(call)),
            }
        }
        Ok(())
    }
}

fn unknown_function(name: &str) -> GuardError {
    forbidden(format!("the function `{name}` is not among those that free SQL may call"))
        .hint("use common aggregate, window, number, text, time and JSON functions")
}

fn unknown_table(name: &str) -> GuardError {
    GuardError {
        kind: GuardErrorKind::Missing,
        message: format!("there is no table `{name}`"),
        hint: Some("use a table of this database".to_owned()),
    }
}

fn wildcard(options: &WildcardAdditionalOptions) -> Checked {
    let WildcardAdditionalOptions {
        wildcard_token: _,
        opt_ilike,
        opt_exclude,
        opt_except,
        opt_replace,
        opt_rename,
        opt_alias,
    } = options;
    let plain = opt_ilike.is_none()
        && opt_exclude.is_none()
        && opt_except.is_none()
        && opt_replace.is_none()
        && opt_rename.is_none()
        && opt_alias.is_none();
    if plain { Ok(()) } else { Err(refuse("an option of `*`")) }
}
