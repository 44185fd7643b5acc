//! Reads a statement from sqlparser's tree.
//!
//! What the tree holds and this does not know confines nothing. So that no subquery is overlooked in a kind of
//! expression that is not known here, every `SELECT` of the text has to be met on the way.

use std::ops::Range;

use sqlparser::{
    ast::{
        BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments,
        GroupByExpr, Ident, Join as TreeJoin, JoinConstraint, JoinOperator, LimitClause, ObjectName, ObjectNamePart,
        OrderBy, OrderByExpr, OrderByKind, Query as TreeQuery, Select as TreeSelect, SelectItem, SetExpr, Statement,
        TableAlias, TableFactor, TableWithJoins, Value, WindowType,
    },
    tokenizer::Span,
};

use super::{
    super::jinja::{ORGANISATION, WORKSPACE},
    query::{Arm, Condition, Item, Join, Operand, Output, Query, Relation, Select, fold, is_cast, keeps_identity},
};
use crate::sql::{Dialect, parse::parse};

/// The statement, if all of it is understood. `selects` is how often the text says `SELECT`.
pub(super) fn read(dialect: Dialect, sql: &str, selects: usize) -> Option<Query> {
    let parsed = parse(dialect, sql).ok()?;
    let [Statement::Query(query)] = parsed.as_slice() else { return None };
    let mut reader = Reader { dialect, sql, selects: 0 };
    let query = reader.query(query)?;
    (reader.selects == selects).then_some(query)
}

struct Reader<'s> {
    dialect: Dialect,
    sql: &'s str,
    /// Parts met so far.
    selects: usize,
}

impl Reader<'_> {
    fn name(&self, ident: &Ident) -> String {
        fold(self.dialect, &ident.value, ident.quote_style.is_some())
    }

    fn query(&mut self, query: &TreeQuery) -> Option<Query> {
        let mut found = Query::default();
        if !query.pipe_operators.is_empty() {
            return None;
        }
        if let Some(with) = &query.with {
            found.recursive = with.recursive;
            for cte in &with.cte_tables {
                let mut inner = self.query(&cte.query)?;
                inner.renamed = !cte.alias.columns.is_empty();
                found.ctes.push((self.name(&cte.alias.name), inner));
            }
        }
        self.set(&query.body, &mut found.arms)?;
        let mut around = Vec::new();
        if let Some(OrderBy { kind: OrderByKind::Expressions(list), .. }) = &query.order_by {
            around.extend(list.iter().map(|item| &item.expr));
        }
        match &query.limit_clause {
            Some(LimitClause::LimitOffset { limit, offset, limit_by }) => {
                around.extend(limit);
                around.extend(offset.as_ref().map(|offset| &offset.value));
                around.extend(limit_by);
            }
            Some(LimitClause::OffsetCommaLimit { offset, limit }) => around.extend([offset, limit]),
            None => {}
        }
        for expr in around {
            self.subqueries(expr, &mut found.around)?;
        }
        Some(found)
    }

    fn set(&mut self, body: &SetExpr, arms: &mut Vec<Arm>) -> Option<()> {
        match body {
            SetExpr::Select(select) => arms.push(Arm::Select(Box::new(self.select(select)?))),
            SetExpr::Query(query) => arms.push(Arm::Query(Box::new(self.query(query)?))),
            SetExpr::SetOperation { left, right, .. } => {
                self.set(left, arms)?;
                self.set(right, arms)?;
            }
            SetExpr::Values(values) => {
                let mut subqueries = Vec::new();
                for row in &values.rows {
                    self.all(&row.content, &mut subqueries)?;
                }
                arms.push(Arm::Rows(subqueries));
            }
            _ => return None,
        }
        Some(())
    }

    fn select(&mut self, tree: &TreeSelect) -> Option<Select> {
        self.selects += 1;
        if tree.into.is_some() || !tree.lateral_views.is_empty() || !tree.connect_by.is_empty() {
            return None;
        }
        let mut select = Select::default();
        for table in &tree.from {
            self.joined(table, &mut select)?;
        }
        let all = 0..select.relations.len();
        for filter in [&tree.prewhere, &tree.selection].into_iter().flatten() {
            self.conjuncts(filter, &all, &mut select)?;
        }
        for item in &tree.projection {
            let output = match item {
                SelectItem::UnnamedExpr(expr) => {
                    self.subqueries(expr, &mut select.subqueries)?;
                    let operand = self.operand(expr);
                    let name = match &operand {
                        Operand::Column { name, .. } => Some(name.clone()),
                        _ => None,
                    };
                    Output::Value(name, operand)
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    self.subqueries(expr, &mut select.subqueries)?;
                    Output::Value(Some(self.name(alias)), self.operand(expr))
                }
                SelectItem::Wildcard(options) | SelectItem::QualifiedWildcard(_, options) => {
                    if options.opt_replace.is_some() || options.opt_rename.is_some() {
                        return None;
                    }
                    Output::All
                }
                SelectItem::ExprWithAliases { .. } => return None,
            };
            select.outputs.push(output);
        }
        let mut rest: Vec<&Expr> = [&tree.having, &tree.qualify].into_iter().flatten().collect();
        if let GroupByExpr::Expressions(list, _) = &tree.group_by {
            rest.extend(list);
        }
        for expr in rest {
            self.subqueries(expr, &mut select.subqueries)?;
        }
        Some(select)
    }

    fn joined(&mut self, tree: &TableWithJoins, select: &mut Select) -> Option<()> {
        let start = select.relations.len();
        self.factor(&tree.relation, select)?;
        for TreeJoin { relation, join_operator, .. } in &tree.joins {
            let middle = select.relations.len();
            self.factor(relation, select)?;
            let (join, constraint) = kind(join_operator)?;
            let (left, right) = (start..middle, middle..select.relations.len());
            match constraint {
                JoinConstraint::On(condition) => {
                    let kept = join.keeps(left.clone(), right.clone());
                    self.conjuncts(condition, &kept, select)?;
                }
                JoinConstraint::Using(columns) => {
                    for column in columns {
                        let name = self.name(single(column)?);
                        using(select, join, left.clone(), right.clone(), name);
                    }
                }
                JoinConstraint::Natural | JoinConstraint::None => {}
            }
            for relation in select.relations.get_mut(join.fills(left, right)).into_iter().flatten() {
                relation.filled = true;
            }
        }
        Some(())
    }

    fn factor(&mut self, factor: &TableFactor, select: &mut Select) -> Option<()> {
        let (item, alias, place, lateral) = match factor {
            TableFactor::Table { name, alias, args, .. } => {
                let (schema, table) = match name.0.as_slice() {
                    [ObjectNamePart::Identifier(table)] => (None, table),
                    [.., ObjectNamePart::Identifier(schema), ObjectNamePart::Identifier(table)] => {
                        (Some(self.name(schema)), table)
                    }
                    _ => return None,
                };
                let place = self.place(table.span)?;
                let item = match args {
                    None => Item::Table { schema, name: self.name(table) },
                    Some(args) => {
                        self.arguments(&args.args, &mut select.subqueries)?;
                        Item::Function(table.value.clone())
                    }
                };
                (item, alias, place, false)
            }
            TableFactor::Function { name, args, alias, .. } => {
                let ident = single(name)?;
                self.arguments(args, &mut select.subqueries)?;
                (Item::Function(ident.value.clone()), alias, self.place(ident.span)?, false)
            }
            TableFactor::UNNEST { alias, array_exprs, .. } => {
                self.all(array_exprs, &mut select.subqueries)?;
                (Item::Function("unnest".to_owned()), alias, 0..0, false)
            }
            TableFactor::Derived { lateral, subquery, alias, .. } => {
                (Item::Query(self.query(subquery)?), alias, 0..0, *lateral)
            }
            TableFactor::NestedJoin { table_with_joins, alias: None } => return self.joined(table_with_joins, select),
            _ => return None,
        };
        let alias: Option<&TableAlias> = alias.as_ref();
        if self.dialect == Dialect::ClickHouse && alias.is_some_and(|alias| !alias.explicit && is_no_name(&alias.name))
        {
            return None;
        }
        select.relations.push(Relation {
            item,
            alias: alias.map(|alias| self.name(&alias.name)),
            place,
            filled: false,
            renamed: alias.is_some_and(|alias| !alias.columns.is_empty()),
            lateral,
        });
        Some(())
    }

    /// The comparisons of a condition that hold for every row that is kept.
    fn conjuncts(&mut self, expr: &Expr, of: &Range<usize>, select: &mut Select) -> Option<()> {
        match expr {
            Expr::Nested(inner) if is_conjunction(inner) => return self.conjuncts(inner, of, select),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                self.conjuncts(left, of, select)?;
                return self.conjuncts(right, of, select);
            }
            _ => {}
        }
        self.subqueries(expr, &mut select.subqueries)?;
        if let Some((left, right, or_null)) = self.comparison(expr) {
            select.conditions.push(Condition { left, right, or_null, of: of.clone() });
        }
        Some(())
    }

    /// `a = b`, or `(a = b OR a IS NULL)`.
    fn comparison(&self, expr: &Expr) -> Option<(Operand, Operand, bool)> {
        match expr {
            Expr::Nested(inner) => self.comparison(inner),
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
                Some((self.operand(left), self.operand(right), false))
            }
            Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
                let (equal, null) = if let Expr::IsNull(null) = &**right {
                    (left, null)
                } else {
                    (
                        right,
                        match &**left {
                            Expr::IsNull(null) => null,
                            _ => return None,
                        },
                    )
                };
                let null = self.operand(null);
                match self.comparison(equal)? {
                    (left, right, false) if left == null => Some((left, right, true)),
                    (left, right, false) if right == null => Some((right, left, true)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn operand(&self, expr: &Expr) -> Operand {
        match expr {
            Expr::Nested(inner) => self.operand(inner),
            Expr::Value(value) if matches!(&value.value, Value::Placeholder(name) if name == ORGANISATION) => {
                Operand::Organisation
            }
            Expr::Value(value) if matches!(&value.value, Value::Placeholder(name) if name == WORKSPACE) => {
                Operand::Workspace
            }
            Expr::Identifier(name) => Operand::Column { qualifier: None, name: self.name(name) },
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [qualifier, name] => Operand::Column { qualifier: Some(self.name(qualifier)), name: self.name(name) },
                _ => Operand::Other,
            },
            Expr::Cast { expr, data_type, format: None, .. } if keeps_identity(&data_type.to_string()) => {
                self.operand(expr)
            }
            Expr::Function(Function {
                name, args: FunctionArguments::List(list), over: None, filter: None, ..
            }) => match (single(name), list.args.as_slice()) {
                (Some(name), [FunctionArg::Unnamed(FunctionArgExpr::Expr(inner))]) if is_cast(&name.value) => {
                    self.operand(inner)
                }
                _ => Operand::Other,
            },
            _ => Operand::Other,
        }
    }

    fn all<'e>(&mut self, list: impl IntoIterator<Item = &'e Expr>, found: &mut Vec<Query>) -> Option<()> {
        list.into_iter().try_for_each(|expr| self.subqueries(expr, found))
    }

    fn arguments(&mut self, arguments: &[FunctionArg], found: &mut Vec<Query>) -> Option<()> {
        for argument in arguments {
            let (FunctionArg::Unnamed(argument)
            | FunctionArg::Named { arg: argument, .. }
            | FunctionArg::ExprNamed { arg: argument, .. }) = argument;
            if let FunctionArgExpr::Expr(expr) = argument {
                self.subqueries(expr, found)?;
            }
        }
        Some(())
    }

    /// The subqueries of an expression. Kinds that are not listed hold none, or `selects` tells.
    fn subqueries(&mut self, expr: &Expr, found: &mut Vec<Query>) -> Option<()> {
        match expr {
            Expr::Subquery(query) | Expr::Exists { subquery: query, .. } => found.push(self.query(query)?),
            Expr::InSubquery { expr, subquery, .. } => {
                found.push(self.query(subquery)?);
                self.subqueries(expr, found)?;
            }
            Expr::BinaryOp { left, right, .. }
            | Expr::AnyOp { left, right, .. }
            | Expr::AllOp { left, right, .. }
            | Expr::IsDistinctFrom(left, right)
            | Expr::IsNotDistinctFrom(left, right)
            | Expr::Like { expr: left, pattern: right, .. }
            | Expr::ILike { expr: left, pattern: right, .. }
            | Expr::AtTimeZone { timestamp: left, time_zone: right } => self.all([&**left, &**right], found)?,
            Expr::Nested(inner)
            | Expr::UnaryOp { expr: inner, .. }
            | Expr::Cast { expr: inner, .. }
            | Expr::Extract { expr: inner, .. }
            | Expr::Ceil { expr: inner, .. }
            | Expr::Floor { expr: inner, .. }
            | Expr::Collate { expr: inner, .. }
            | Expr::IsNull(inner)
            | Expr::IsNotNull(inner)
            | Expr::IsTrue(inner)
            | Expr::IsNotTrue(inner)
            | Expr::IsFalse(inner)
            | Expr::IsNotFalse(inner) => self.subqueries(inner, found)?,
            Expr::Between { expr, low, high, .. } => self.all([&**expr, &**low, &**high], found)?,
            Expr::InList { expr, list, .. } => {
                self.subqueries(expr, found)?;
                self.all(list, found)?;
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                self.all([operand, else_result].into_iter().flatten().map(|part| &**part), found)?;
                for case in conditions {
                    self.all([&case.condition, &case.result], found)?;
                }
            }
            Expr::Tuple(list) => self.all(list, found)?,
            Expr::Array(array) => self.all(&array.elem, found)?,
            Expr::Function(function) => self.function(function, found)?,
            _ => {}
        }
        Some(())
    }

    fn function(&mut self, function: &Function, found: &mut Vec<Query>) -> Option<()> {
        for arguments in [&function.parameters, &function.args] {
            match arguments {
                FunctionArguments::None => {}
                FunctionArguments::Subquery(query) => found.push(self.query(query)?),
                FunctionArguments::List(list) => {
                    self.arguments(&list.args, found)?;
                    for clause in &list.clauses {
                        if let FunctionArgumentClause::OrderBy(list) = clause {
                            self.order(list, found)?;
                        }
                    }
                }
            }
        }
        self.order(&function.within_group, found)?;
        self.all(function.filter.iter().map(|filter| &**filter), found)?;
        if let Some(WindowType::WindowSpec(window)) = &function.over {
            self.all(&window.partition_by, found)?;
            self.order(&window.order_by, found)?;
        }
        Some(())
    }

    fn order(&mut self, list: &[OrderByExpr], found: &mut Vec<Query>) -> Option<()> {
        self.all(list.iter().map(|item| &item.expr), found)
    }

    /// The bytes of the statement that a name stands in.
    fn place(&self, span: Span) -> Option<Range<usize>> {
        let offset = |line: u64, column: u64| {
            let line = usize::try_from(line).ok()?.checked_sub(1)?;
            let column = usize::try_from(column).ok()?.checked_sub(1)?;
            let start: usize = self.sql.split_inclusive('\n').take(line).map(str::len).sum();
            let rest = self.sql.get(start..)?;
            Some(start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at))
        };
        Some(offset(span.start.line, span.start.column)?..offset(span.end.line, span.end.column)?)
    }
}

/// How a word of the tree joins, and by what. Other joins are read by their words.
fn kind(operator: &JoinOperator) -> Option<(Join, &JoinConstraint)> {
    Some(match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::CrossJoin(constraint)
        | JoinOperator::Semi(constraint)
        | JoinOperator::LeftSemi(constraint)
        | JoinOperator::RightSemi(constraint) => (Join::Inner, constraint),
        JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => (Join::Left, constraint),
        JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => (Join::Right, constraint),
        JoinOperator::FullOuter(constraint) => (Join::Full, constraint),
        JoinOperator::Anti(constraint) | JoinOperator::LeftAnti(constraint) => (Join::Anti, constraint),
        JoinOperator::RightAnti(constraint) => (Join::RightAnti, constraint),
        _ => return None,
    })
}

/// `USING`: which relation on the left is meant is known where there is one.
pub(super) fn using(select: &mut Select, join: Join, left: Range<usize>, right: Range<usize>, name: String) {
    if left.len() == 1 && right.len() == 1 {
        let of = join.keeps(left.clone(), right.clone());
        let (left, right) = (Operand::Of(left.start, name.clone()), Operand::Of(right.start, name));
        select.conditions.push(Condition { left, right, or_null: false, of });
    }
}

/// A word of ClickHouse behind a table that our parser takes for the table's name.
fn is_no_name(alias: &Ident) -> bool {
    let words = ["final", "sample", "any", "all", "asof", "semi", "anti", "paste", "global", "local", "array"];
    alias.quote_style.is_none() && words.iter().any(|word| alias.value.eq_ignore_ascii_case(word))
}

fn single(name: &ObjectName) -> Option<&Ident> {
    match name.0.as_slice() {
        [ObjectNamePart::Identifier(ident)] => Some(ident),
        _ => None,
    }
}

fn is_conjunction(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_conjunction(inner),
        Expr::BinaryOp { op, .. } => *op == BinaryOperator::And,
        _ => false,
    }
}
