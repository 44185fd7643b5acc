//! One SELECT, its ORDER BY, and whether a name there is a column's or one of the select list's.

use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, GroupByWithModifier, Ident, NamedWindowDefinition, NamedWindowExpr, OrderBy,
    OrderByExpr, OrderByKind, Select, SelectFlavor, SelectItem, SelectItemQualifiedWildcardKind,
    WildcardAdditionalOptions, WindowSpec,
};

use super::{
    Body, Checked, Dialect, GuardError, Rewriter, forbidden, invalid,
    names::{NAMELESS, Plain, figure, plain_column},
    not_too_many, quoted, refuse,
    scope::{Level, same},
};

impl Rewriter<'_> {
    pub(super) fn select(&mut self, select: &mut Select) -> Result<Body, GuardError> {
        let texts = self.texts(select);
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
        self.levels.push(Level::default());
        for table in from {
            let columns = self.table_with_joins(table)?;
            let star = &mut self.level()?.star;
            star.extend(columns);
            not_too_many(star.len())?;
        }
        let mut outputs = Vec::new();
        for (item, text) in projection.iter_mut().zip(&texts) {
            self.item(item, text.as_deref(), &mut outputs)?;
            not_too_many(outputs.len())?;
        }
        if self.dialect == Dialect::Sqlite {
            self.level()?.aliases = projection.iter().filter_map(given_name).collect();
        }
        if let Some(Distinct::On(expressions)) = distinct {
            expressions.iter_mut().try_for_each(|expression| self.output_or_column(expression, &outputs))?;
        }
        for expression in [selection, having].into_iter().flatten() {
            self.expression(expression)?;
        }
        match group_by {
            GroupByExpr::Expressions(expressions, modifiers) => {
                for expression in expressions {
                    self.group(expression, &outputs)?;
                }
                for modifier in modifiers {
                    match modifier {
                        GroupByWithModifier::GroupingSets(expression) => self.group(expression, &outputs)?,
                        _ => return Err(refuse("a clause of another database")),
                    }
                }
            }
            GroupByExpr::All(_) => return Err(refuse("`GROUP BY ALL`")),
        }
        for NamedWindowDefinition(name, window) in named_window {
            *name = quoted(&self.name(name));
            match window {
                NamedWindowExpr::NamedWindow(other) => *other = quoted(&self.name(other)),
                NamedWindowExpr::WindowSpec(window) => self.window(window)?,
            }
        }
        Ok(Body { outputs, others: Vec::new(), level: self.levels.pop() })
    }

    /// What SQLite calls the columns that have no name: the text as the caller wrote it.
    fn texts(&self, select: &Select) -> Vec<Option<String>> {
        let text = |(index, item): (usize, &SelectItem)| match item {
            SelectItem::UnnamedExpr(expression) if self.dialect == Dialect::Sqlite => {
                Some(self.titles.item(select, index).map_or_else(|| expression.to_string(), str::to_owned))
            }
            _ => None,
        };
        select.projection.iter().enumerate().map(text).collect()
    }

    /// An item of the select list; what it adds to the columns goes to `outputs`.
    fn item(&mut self, item: &mut SelectItem, text: Option<&str>, outputs: &mut Vec<String>) -> Checked {
        match item {
            SelectItem::UnnamedExpr(expression) => {
                let name = match text {
                    Some(text) => self.unnamed_in_sqlite(expression, text)?,
                    None => self.unnamed_in_postgres(expression)?,
                };
                outputs.push(name.name);
                if let Some(said) = name.said {
                    *item = SelectItem::ExprWithAlias { expr: expression.clone(), alias: said };
                }
            }
            SelectItem::ExprWithAlias { expr, alias } => {
                self.expression(expr)?;
                let name = self.name(alias);
                *alias = quoted(&name);
                outputs.push(name);
            }
            SelectItem::Wildcard(options) => {
                wildcard(options)?;
                outputs.extend(self.level()?.star.iter().cloned());
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                wildcard(options)?;
                outputs.extend(self.qualified_wildcard(name)?);
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(_), _) => {
                return Err(refuse("`.*` behind an expression"));
            }
            SelectItem::ExprWithAliases { .. } => return Err(refuse("more than one name for a column")),
        }
        Ok(())
    }

    /// A whole row was called by the name that it had; everything else keeps its name.
    fn unnamed_in_postgres(&mut self, expression: &mut Expr) -> Result<Name, GuardError> {
        let name = figure(expression).map(|(name, _)| name);
        self.expression(expression)?;
        let changed = figure(expression).map(|(name, _)| name) != name;
        let name = name.unwrap_or_else(|| NAMELESS.to_owned());
        let said = changed.then(|| quoted(&name));
        Ok(Name { name, said })
    }

    fn unnamed_in_sqlite(&mut self, expression: &mut Expr, text: &str) -> Result<Name, GuardError> {
        self.expression(expression)?;
        let answer = self.nesting == 1;
        let (name, is_said) = match plain_column(expression) {
            Some(Plain::Column(column)) => (column.value.clone(), false),
            Some(Plain::Merged(column)) => (column.value.clone(), true),
            Some(Plain::Collated(column)) if !answer => (column.value.clone(), true),
            _ => (text.to_owned(), true),
        };
        let said = is_said.then(|| quoted(&name));
        Ok(Name { name, said })
    }

    /// GROUP BY: in PostgreSQL a column of this FROM, else a name of the select list, else a column from outside.
    /// SQLite's order is that of every expression.
    fn group(&mut self, expression: &mut Expr, outputs: &[String]) -> Checked {
        match expression {
            Expr::GroupingSets(sets) | Expr::Cube(sets) | Expr::Rollup(sets) => {
                sets.iter_mut().flatten().try_for_each(|part| self.group(part, outputs))
            }
            Expr::Tuple(parts) => parts.iter_mut().try_for_each(|part| self.group(part, outputs)),
            Expr::Nested(inner) => self.group(inner, outputs),
            Expr::Identifier(ident) if self.dialect == Dialect::Postgres => {
                let name = self.name(ident);
                if self.level()?.column(Dialect::Postgres, &name)?.is_none() && outputs.contains(&name) {
                    *ident = quoted(&name);
                    return Ok(());
                }
                self.expression(expression)
            }
            _ => self.expression(expression),
        }
    }

    pub(super) fn order_by(&mut self, order_by: &mut OrderBy, body: &mut Body) -> Checked {
        let OrderBy { kind, interpolate } = order_by;
        let list = match kind {
            OrderByKind::Expressions(list) if interpolate.is_none() => list,
            _ => return Err(refuse("this form of `ORDER BY`")),
        };
        let Some(level) = body.level.take() else {
            return list.iter_mut().try_for_each(|item| self.order_of_union(item, body));
        };
        self.levels.push(level);
        for OrderByExpr { expr, options: _, with_fill } in list {
            no_fill(with_fill.is_some())?;
            self.output_or_column(expr, &body.outputs)?;
        }
        body.level = self.levels.pop();
        Ok(())
    }

    /// ORDER BY and DISTINCT ON: a name alone is first one of the select list's. In SQLite only one that was given
    /// there, and what orders may stand under COLLATE.
    fn output_or_column(&mut self, expression: &mut Expr, outputs: &[String]) -> Checked {
        match expression {
            Expr::Nested(inner) => self.output_or_column(inner, outputs),
            Expr::Collate { expr: inner, .. } if self.dialect == Dialect::Sqlite && is_name(inner) => {
                self.output_or_column(inner, outputs)
            }
            Expr::Identifier(ident) => {
                let name = self.name(ident);
                let aliases = self.levels.last().map_or(&[] as &[String], |level| &level.aliases);
                let known = if self.dialect == Dialect::Sqlite { aliases } else { outputs };
                match known.iter().find(|known| same(self.dialect, known, &name)) {
                    Some(known) => *ident = quoted(known),
                    None => self.expression(expression)?,
                }
                Ok(())
            }
            _ => self.expression(expression),
        }
    }

    /// Behind a UNION only its own columns can be named.
    fn order_of_union(&self, item: &mut OrderByExpr, body: &Body) -> Checked {
        let OrderByExpr { expr, options: _, with_fill } = item;
        no_fill(with_fill.is_some())?;
        let mut expression = expr;
        while let Expr::Nested(inner) | Expr::Collate { expr: inner, .. } = expression {
            expression = inner;
        }
        let others: &[String] = if self.dialect == Dialect::Sqlite { &body.others } else { &[] };
        match expression {
            Expr::Value(_) => Ok(()),
            Expr::Identifier(ident) => {
                let name = self.name(ident);
                let known = body.outputs.iter().chain(others).find(|known| same(self.dialect, known, &name));
                *ident = quoted(known.ok_or_else(|| {
                    invalid(format!("`{name}` in ORDER BY is no column of the UNION"))
                        .hint(format!("its columns are {}", body.outputs.join(", ")))
                })?);
                Ok(())
            }
            _ => Err(invalid("an expression orders a UNION").hint("order by the name or number of a column")),
        }
    }

    /// ORDER BY inside a call or a window, where a name is always a column's.
    pub(super) fn order_list(&mut self, list: &mut [OrderByExpr]) -> Checked {
        for OrderByExpr { expr, options: _, with_fill } in list {
            no_fill(with_fill.is_some())?;
            self.expression(expr)?;
        }
        Ok(())
    }

    pub(super) fn window(&mut self, window: &mut WindowSpec) -> Checked {
        let WindowSpec { window_name, partition_by, order_by, window_frame } = window;
        if let Some(name) = window_name {
            *name = quoted(&self.name(name));
        }
        self.expressions(partition_by)?;
        self.order_list(order_by)?;
        let Some(frame) = window_frame else { return Ok(()) };
        self.frame_bound(&mut frame.start_bound)?;
        frame.end_bound.as_mut().map_or(Ok(()), |bound| self.frame_bound(bound))
    }
}

/// What a column is called, and that name if it has to be said.
struct Name {
    name: String,
    said: Option<Ident>,
}

fn given_name(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
        _ => None,
    }
}

fn is_name(expression: &Expr) -> bool {
    match expression {
        Expr::Nested(inner) => is_name(inner),
        other => matches!(other, Expr::Identifier(_)),
    }
}

fn no_fill(fills: bool) -> Checked {
    if fills { Err(refuse("`WITH FILL`")) } else { Ok(()) }
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
