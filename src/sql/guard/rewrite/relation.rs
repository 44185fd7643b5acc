//! What may stand in FROM. Everything there gets a name of ours.

use sqlparser::ast::{
    FunctionArg, Ident, Join, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart, Query, TableAlias,
    TableAliasColumnDef, TableFactor, TableFunctionArgs, TableWithJoins,
};

use super::{
    Checked, Dialect, GuardError, Rewriter, forbidden, functions, invalid, not_too_many, quoted, refuse,
    scope::{Relation, same},
    unknown_function, unknown_table,
};

/// Columns in the order in which `*` gives them.
type Columns = Vec<String>;

impl Rewriter<'_> {
    pub(super) fn table_with_joins(&mut self, table: &mut TableWithJoins) -> Result<Columns, GuardError> {
        let start = self.level()?.relations.len();
        let mut columns = self.factor(&mut table.relation)?;
        for Join { relation, global, join_operator } in &mut table.joins {
            if *global {
                return Err(refuse("`GLOBAL JOIN`"));
            }
            let right = self.factor(relation)?;
            columns = self.join(join_operator, columns, right, start)?;
        }
        Ok(columns)
    }

    fn join(
        &mut self,
        operator: &mut JoinOperator,
        left: Columns,
        right: Columns,
        start: usize,
    ) -> Result<Columns, GuardError> {
        let constraint = match operator {
            JoinOperator::Join(constraint)
            | JoinOperator::Inner(constraint)
            | JoinOperator::Left(constraint)
            | JoinOperator::LeftOuter(constraint)
            | JoinOperator::Right(constraint)
            | JoinOperator::RightOuter(constraint)
            | JoinOperator::FullOuter(constraint)
            | JoinOperator::CrossJoin(constraint) => constraint,
            _ => return Err(refuse("this kind of JOIN")),
        };
        let merged = match constraint {
            JoinConstraint::On(expression) => {
                // PostgreSQL's ON does not see what stands before a comma.
                let first = if self.dialect == Dialect::Postgres { start } else { 0 };
                let before = std::mem::replace(&mut self.level()?.first, first);
                self.expression(expression)?;
                self.level()?.first = before;
                Vec::new()
            }
            JoinConstraint::Using(names) => self.using(names, &left, &right)?,
            JoinConstraint::Natural => left.iter().filter(|column| self.contains(&right, column)).cloned().collect(),
            JoinConstraint::None => Vec::new(),
        };
        self.merge(&merged, start);
        let is_kept = |column: &String| !self.contains(&merged, column);
        let mut columns = left;
        if self.dialect == Dialect::Postgres && !merged.is_empty() {
            columns.retain(is_kept);
            columns.splice(0..0, merged.iter().cloned());
        }
        columns.extend(right.into_iter().filter(is_kept));
        not_too_many(columns.len())?;
        Ok(columns)
    }

    fn using(&mut self, names: &mut [ObjectName], left: &Columns, right: &Columns) -> Result<Columns, GuardError> {
        let mut merged = Vec::new();
        for name in names {
            let ident = self.single(name, "a qualified column in USING")?;
            let column = self.name(&ident);
            let on_left = left.iter().find(|known| same(self.dialect, known, &column));
            let (Some(known), true) = (on_left, self.contains(right, &column)) else {
                return Err(invalid(format!("`{column}` in USING is no column of both sides"))
                    .hint("join them with `ON left.column = right.column`"));
            };
            *name = ObjectName::from(vec![quoted(known)]);
            merged.push(known.clone());
        }
        Ok(merged)
    }

    /// From here on these columns are the join's when they have no qualifier.
    fn merge(&mut self, columns: &[String], start: usize) {
        let dialect = self.dialect;
        let Some(level) = self.levels.last_mut() else { return };
        for column in columns {
            level.merged.retain(|(known, at)| *at < start || !same(dialect, known, column));
            level.merged.push((column.clone(), start));
            for relation in level.relations.iter_mut().skip(start) {
                relation.merged.push(column.clone());
            }
        }
    }

    fn contains(&self, columns: &[String], name: &str) -> bool {
        columns.iter().any(|column| same(self.dialect, column, name))
    }

    fn factor(&mut self, factor: &mut TableFactor) -> Result<Columns, GuardError> {
        match factor {
            TableFactor::Table {
                name,
                alias,
                args,
                with_hints,
                version,
                with_ordinality,
                partitions,
                json_path,
                sample,
                index_hints,
            } => {
                let plain = with_hints.is_empty()
                    && version.is_none()
                    && partitions.is_empty()
                    && json_path.is_none()
                    && sample.is_none()
                    && index_hints.is_empty();
                if !plain {
                    return Err(refuse("an option of a table in FROM"));
                }
                match args {
                    None if *with_ordinality => Err(refuse("`WITH ORDINALITY` behind a table")),
                    None => self.table_or_expression(name, alias),
                    Some(TableFunctionArgs { args, settings: None }) => {
                        self.row_function(name, args, alias, *with_ordinality)
                    }
                    Some(_) => Err(refuse("settings of a function in FROM")),
                }
            }
            TableFactor::Function { lateral: _, name, args, with_ordinality, alias } => {
                self.row_function(name, args, alias, *with_ordinality)
            }
            TableFactor::UNNEST { alias, array_exprs, with_offset, with_offset_alias, with_ordinality } => {
                if *with_offset || with_offset_alias.is_some() || self.dialect != Dialect::Postgres {
                    return Err(refuse("this form of `unnest`"));
                }
                self.expressions(array_exprs)?;
                let count = array_exprs.len();
                self.rows("unnest", count, alias, *with_ordinality)
            }
            TableFactor::Derived { lateral, subquery, alias, sample } => {
                if sample.is_some() {
                    return Err(refuse("a sample of a subquery"));
                }
                let columns = self.derived(subquery, *lateral)?;
                self.declare(None, columns, alias, self.dialect == Dialect::Postgres)
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                let start = self.level()?.relations.len();
                let columns = self.table_with_joins(table_with_joins)?;
                if alias.is_none() {
                    return Ok(columns);
                }
                // The alias hides what is inside.
                let level = self.level()?;
                level.relations.truncate(start);
                level.merged.retain(|(_, at)| *at < start);
                self.declare(None, columns, alias, self.dialect == Dialect::Postgres)
            }
            _ => Err(refuse("this kind of item in FROM")),
        }
    }

    /// A subquery in FROM sees what stands before it only if it is LATERAL.
    fn derived(&mut self, query: &mut Query, lateral: bool) -> Result<Columns, GuardError> {
        if lateral {
            return self.query(query);
        }
        let hidden = self.levels.pop();
        let columns = self.query(query);
        self.levels.extend(hidden);
        columns
    }

    /// A table or a WITH expression.
    fn table_or_expression(
        &mut self,
        name: &mut ObjectName,
        alias: &mut Option<TableAlias>,
    ) -> Result<Columns, GuardError> {
        let (schema, plain) = self.table_name(name)?;
        let table =
            self.table(&plain).filter(|table| schema.as_deref().is_none_or(|schema| self.lies_in(table, schema)));
        let (ours, columns) = match (&table, &schema) {
            (Some(table), _) => self.shadow(table)?,
            // A name with a schema means a table, whatever WITH calls so.
            (None, Some(_)) => return Err(unknown_table(self.dialect, schema.as_deref(), &plain, self.reach)),
            (None, None) => {
                let found = self.with_expression(&plain)?;
                found.ok_or_else(|| unknown_table(self.dialect, None, &plain, self.reach))?
            }
        };
        *name = ObjectName::from(vec![quoted(&ours)]);
        let by_its_name = alias.is_none();
        let columns = self.declare(Some(plain), columns, alias, false)?;
        if let Some(table) = table.filter(|_| by_its_name) {
            let schema = self.reach.schema(&table).to_owned();
            if let Some(relation) = self.level()?.relations.last_mut() {
                relation.schema = Some(schema);
            }
        }
        Ok(columns)
    }

    /// A table's name and the schema before it.
    pub(super) fn table_name(&self, name: &ObjectName) -> Result<(Option<String>, String), GuardError> {
        match name.0.as_slice() {
            [ObjectNamePart::Identifier(table)] => Ok((None, self.name(table))),
            [ObjectNamePart::Identifier(schema), ObjectNamePart::Identifier(table)] => {
                Ok((Some(self.name(schema)), self.name(table)))
            }
            _ => Err(forbidden(format!("`{name}` has more than a schema before the table's name"))
                .hint("write the name, or the schema and the name")),
        }
    }

    fn lies_in(&self, table: &str, schema: &str) -> bool {
        same(self.dialect, self.reach.schema(table), schema)
    }

    fn row_function(
        &mut self,
        name: &mut ObjectName,
        args: &mut [FunctionArg],
        alias: &mut Option<TableAlias>,
        ordinality: bool,
    ) -> Result<Columns, GuardError> {
        let function = self.name(&self.single(name, "a qualified function name")?);
        if !functions::returns_rows(self.dialect, &function) {
            return Err(unknown_function(&function));
        }
        *name = ObjectName::from(vec![Ident::new(function.clone())]);
        for arg in args.iter_mut() {
            self.function_arg(arg)?;
        }
        let count = if function == "unnest" { args.len() } else { 1 };
        self.rows(&function, count, alias, ordinality)
    }

    /// A function in FROM with `count` columns of its own. In PostgreSQL they are all declared, so that they are called
    /// what we take them to be called.
    fn rows(
        &mut self,
        function: &str,
        count: usize,
        alias: &mut Option<TableAlias>,
        ordinality: bool,
    ) -> Result<Columns, GuardError> {
        let named = alias.as_ref().map_or(function.to_owned(), |alias| self.name(&alias.name));
        let mut columns = match functions::own_columns(self.dialect, function) {
            Some(own) => own.iter().map(|column| (*column).to_owned()).collect(),
            None if count > 1 => vec![function.to_owned(); count],
            None => vec![named],
        };
        if ordinality {
            columns.push("ordinality".to_owned());
        }
        self.declare(Some(function.to_owned()), columns, alias, self.dialect == Dialect::Postgres)
    }

    /// Gives a thing in FROM our name and enters it into the level. `own` is what it is called without an alias; with
    /// `in_full` all its columns are written behind the alias.
    fn declare(
        &mut self,
        own: Option<String>,
        mut columns: Columns,
        alias: &mut Option<TableAlias>,
        in_full: bool,
    ) -> Result<Columns, GuardError> {
        let name = alias.as_ref().map(|alias| self.name(&alias.name)).or(own);
        let declared = alias.as_ref().map_or(Ok(Vec::new()), |alias| self.alias_columns(alias))?;
        rename(&mut columns, &declared)?;
        let dialect = self.dialect;
        let twice = |known: &Relation| known.name.is_some() && known.name == name;
        if dialect == Dialect::Postgres && self.level()?.relations.iter().any(twice) {
            let name = name.unwrap_or_default();
            return Err(invalid(format!("`{name}` names two things in FROM")).hint("give each an alias of its own"));
        }
        let ours = self.generated(name.as_deref().unwrap_or_default());
        let listed = if in_full { &columns } else { &declared };
        *alias = Some(TableAlias {
            explicit: true,
            name: quoted(&ours),
            columns: listed.iter().map(|column| column_definition(column)).collect(),
            at: None,
        });
        let relation = Relation { name, schema: None, ours, columns: columns.clone(), merged: Vec::new() };
        self.level()?.relations.push(relation);
        Ok(columns)
    }

    /// The columns that an alias declares.
    pub(super) fn alias_columns(&self, alias: &TableAlias) -> Result<Columns, GuardError> {
        let TableAlias { explicit: _, name: _, columns, at } = alias;
        if at.is_some() {
            return Err(refuse("`AT` behind an alias"));
        }
        let plain = |TableAliasColumnDef { name, data_type }: &TableAliasColumnDef| match data_type {
            Some(_) => Err(refuse("a list of columns with types")),
            None => Ok(self.name(name)),
        };
        columns.iter().map(plain).collect()
    }

    /// The only part of a name.
    pub(super) fn single(&self, name: &ObjectName, what: &str) -> Result<Ident, GuardError> {
        match name.0.as_slice() {
            [ObjectNamePart::Identifier(ident)] => Ok(ident.clone()),
            _ => Err(forbidden(format!("{what}, `{name}`")).hint("write the name alone, without a schema")),
        }
    }
}

pub(super) fn column_definition(name: &str) -> TableAliasColumnDef {
    TableAliasColumnDef { name: quoted(name), data_type: None }
}

/// The first columns under the names that were declared for them.
pub(super) fn rename(columns: &mut [String], declared: &[String]) -> Checked {
    if declared.len() > columns.len() {
        return Err(invalid(format!("{} names for {} columns", declared.len(), columns.len())));
    }
    columns.iter_mut().zip(declared).for_each(|(column, name)| column.clone_from(name));
    Ok(())
}
