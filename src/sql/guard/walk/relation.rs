//! What may stand in FROM.

use std::collections::HashSet;

use sqlparser::ast::{
    FunctionArg, Ident, Join, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart, TableAlias,
    TableAliasColumnDef, TableFactor, TableFunctionArgs, TableWithJoins,
};

use super::{Checked, GuardError, Walker, forbidden, functions, refuse, unknown_function, unknown_table};

impl Walker<'_> {
    pub(super) fn table_with_joins(&mut self, table: &TableWithJoins) -> Checked {
        self.factor(&table.relation)?;
        for Join { relation, global, join_operator } in &table.joins {
            if *global {
                return Err(refuse("`GLOBAL JOIN`"));
            }
            self.factor(relation)?;
            self.join(join_operator)?;
        }
        Ok(())
    }

    fn join(&mut self, operator: &JoinOperator) -> Checked {
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
        match constraint {
            JoinConstraint::On(expression) => self.expression(expression),
            JoinConstraint::Using(_) | JoinConstraint::Natural | JoinConstraint::None => Ok(()),
        }
    }

    fn factor(&mut self, factor: &TableFactor) -> Checked {
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
                    None => self.relation(name, alias.as_ref()),
                    Some(TableFunctionArgs { args, settings: None }) => {
                        self.row_function(name, args, alias.as_ref(), *with_ordinality)
                    }
                    Some(_) => Err(refuse("settings of a function in FROM")),
                }
            }
            TableFactor::Function { lateral: _, name, args, with_ordinality, alias } => {
                self.row_function(name, args, alias.as_ref(), *with_ordinality)
            }
            TableFactor::UNNEST { alias, array_exprs, with_offset, with_offset_alias, with_ordinality } => {
                if *with_offset || with_offset_alias.is_some() {
                    return Err(refuse("`WITH OFFSET`"));
                }
                self.expressions(array_exprs)?;
                self.row_alias("unnest", alias.as_ref(), *with_ordinality, array_exprs.len() > 1)
            }
            TableFactor::Derived { lateral: _, subquery, alias, sample } => {
                if sample.is_some() {
                    return Err(refuse("a sample of a subquery"));
                }
                self.query(subquery)?;
                self.named_relation(alias.as_ref())
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                self.table_with_joins(table_with_joins)?;
                self.named_relation(alias.as_ref())
            }
            _ => Err(refuse("this kind of item in FROM")),
        }
    }

    /// A table or a WITH expression.
    fn relation(&mut self, name: &ObjectName, alias: Option<&TableAlias>) -> Checked {
        let ident = self.single(name, "a qualified table name")?;
        let name = self.name(&ident);
        match self.table(&name) {
            Some(table) => {
                self.used.insert(table);
            }
            None if self.scopes.iter().any(|scope| scope.contains(&name)) => {}
            None => return Err(unknown_table(&name)),
        }
        self.relations.insert(alias.map_or(name, |alias| self.name(&alias.name)));
        alias.map_or(Ok(()), |alias| self.alias_columns(alias))
    }

    fn named_relation(&mut self, alias: Option<&TableAlias>) -> Checked {
        let Some(alias) = alias else { return Ok(()) };
        self.relations.insert(self.name(&alias.name));
        self.alias_columns(alias)
    }

    fn row_function(
        &mut self,
        name: &ObjectName,
        args: &[FunctionArg],
        alias: Option<&TableAlias>,
        ordinality: bool,
    ) -> Checked {
        let name = self.name(&self.single(name, "a qualified function name")?);
        if !functions::returns_rows(self.dialect, &name) {
            return Err(unknown_function(&name));
        }
        for arg in args {
            self.function_arg(arg)?;
        }
        self.row_alias(&name, alias, ordinality, name == "unnest" && args.len() > 1)
    }

    /// A column that is not declared exists only where the function or its alias names it: PostgreSQL takes any
    /// other name behind the alias for a function's.
    fn row_alias(&mut self, function: &str, alias: Option<&TableAlias>, ordinality: bool, several: bool) -> Checked {
        let name = alias.map_or(function.to_owned(), |alias| self.name(&alias.name));
        let declared = alias.map(|alias| alias.columns.as_slice()).unwrap_or_default();
        let own = functions::own_columns(self.dialect, function);
        let mut columns: HashSet<String> = if declared.is_empty() {
            match own {
                Some(own) => own.iter().map(|column| (*column).to_owned()).collect(),
                None if ordinality || several => HashSet::new(),
                None => HashSet::from([name.clone()]),
            }
        } else {
            declared.iter().map(|column| self.name(&column.name)).collect()
        };
        if ordinality && declared.is_empty() {
            columns.insert("ordinality".to_owned());
        }
        if self.row_functions.insert(name.clone(), columns).is_some() {
            return Err(
                forbidden(format!("`{name}` names two functions in FROM")).hint("give each an alias of its own")
            );
        }
        alias.map_or(Ok(()), |alias| self.alias_columns(alias))
    }

    pub(super) fn alias_columns(&mut self, alias: &TableAlias) -> Checked {
        let TableAlias { explicit: _, name, columns, at } = alias;
        if at.is_some() {
            return Err(refuse("`AT` behind an alias"));
        }
        for TableAliasColumnDef { name: _, data_type } in columns {
            if data_type.is_some() {
                return Err(refuse("a list of columns with types"));
            }
        }
        if !columns.is_empty() {
            self.column_lists.push(self.name(name));
        }
        Ok(())
    }

    /// The only part of a name.
    pub(super) fn single(&self, name: &ObjectName, what: &str) -> Result<Ident, GuardError> {
        match name.0.as_slice() {
            [ObjectNamePart::Identifier(ident)] => Ok(ident.clone()),
            _ => Err(forbidden(format!("{what}, `{name}`")).hint("write the name alone, without a schema")),
        }
    }
}
