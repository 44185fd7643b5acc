//! What may stand where a value is expected, with every name replaced by what it means.

use sqlparser::ast::{
    AccessExpr, BinaryOperator, CaseWhen, CeilFloorKind, DateTimeField, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgOperator, FunctionArgumentClause, FunctionArgumentList, FunctionArguments, Ident, ObjectName, Subscript,
    TypedString, Value, WindowFrameBound, WindowType,
};

use super::{
    Checked, Dialect, GuardError, Rewriter, functions, instants, quoted, refuse,
    scope::Found,
    types::{field, known_type, unit},
    unknown_function,
};

/// SQLite's functions whose second argument is a set of characters.
const SETS: [&str; 4] = ["trim", "ltrim", "rtrim", "unhex"];

/// Bytes of the longest such set.
const LONGEST_SET: usize = 64;

impl Rewriter<'_> {
    pub(super) fn expressions(&mut self, list: &mut [Expr]) -> Checked {
        list.iter_mut().try_for_each(|expression| self.expression(expression))
    }

    pub(super) fn expression(&mut self, expression: &mut Expr) -> Checked {
        self.deeper(|rewriter| rewriter.part(expression))
    }

    fn part(&mut self, expression: &mut Expr) -> Checked {
        match expression {
            Expr::Identifier(ident) => {
                *expression = reference(&self.levels().name(&self.name(ident))?);
                Ok(())
            }
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [qualifier, column] => {
                    *expression = reference(&self.levels().qualified(&self.name(qualifier), &self.name(column))?);
                    Ok(())
                }
                [schema, table, column] => {
                    let (schema, table, column) = (self.name(schema), self.name(table), self.name(column));
                    *expression = reference(&self.levels().in_schema(&schema, &table, &column)?);
                    Ok(())
                }
                _ => Err(refuse("a column name of more than three parts")),
            },
            Expr::Value(value) => literal(&value.value),
            Expr::TypedString(TypedString { data_type, value, uses_odbc_syntax: false }) => {
                known_type(data_type)?;
                literal(&value.value)
            }
            Expr::Interval(interval) => {
                unit(interval.leading_field.as_ref())?;
                unit(interval.last_field.as_ref())?;
                self.expression(&mut interval.value)
            }
            Expr::Extract { field: part, syntax: _, expr } => {
                field(part)?;
                self.expression(expr)
            }
            Expr::Collate { expr, collation } => {
                let name = self.name(&self.single(collation, "a qualified collation")?);
                *collation = ObjectName::from(vec![quoted(&name)]);
                self.expression(expr)
            }
            Expr::Nested(inner)
            | Expr::IsFalse(inner)
            | Expr::IsNotFalse(inner)
            | Expr::IsTrue(inner)
            | Expr::IsNotTrue(inner)
            | Expr::IsNull(inner)
            | Expr::IsNotNull(inner)
            | Expr::IsUnknown(inner)
            | Expr::IsNotUnknown(inner) => self.expression(inner),
            Expr::UnaryOp { op: _, expr: inner } => {
                // `- -1` would be printed as a comment, `~ -1` as another operator.
                if matches!(**inner, Expr::UnaryOp { .. }) {
                    **inner = Expr::Nested(inner.clone());
                }
                self.expression(inner)
            }
            Expr::IsDistinctFrom(left, right)
            | Expr::IsNotDistinctFrom(left, right)
            | Expr::AtTimeZone { timestamp: left, time_zone: right }
            | Expr::Position { expr: left, r#in: right } => {
                self.expression(left)?;
                self.expression(right)
            }
            Expr::BinaryOp { left, op, right }
            | Expr::AnyOp { left, compare_op: op, right, is_some: _ }
            | Expr::AllOp { left, compare_op: op, right } => {
                operator(op)?;
                if instants::computes(op) {
                    self.no_times([&**left, &**right])?;
                }
                if Self::compares(op) {
                    self.no_times_with_numbers([&**left, &**right])?;
                }
                self.expression(left)?;
                self.expression(right)?;
                if self.dialect == Dialect::Sqlite {
                    instants::compared(left, op, right);
                }
                self.truth(expression);
                Ok(())
            }
            Expr::Like { negated: _, any: false, expr, pattern, escape_char }
            | Expr::ILike { negated: _, any: false, expr, pattern, escape_char }
            | Expr::SimilarTo { negated: _, expr, pattern, escape_char } => {
                self.expression(expr)?;
                self.expression(pattern)?;
                escape_char.as_mut().map_or(Ok(()), |escape| self.expression(escape))
            }
            Expr::Between { expr, negated: _, low, high } => {
                self.no_times_with_numbers([&**expr, &**low, &**high])?;
                self.expression(expr)?;
                self.expression(low)?;
                self.expression(high)?;
                if self.dialect == Dialect::Sqlite {
                    instants::between(expr, low, high);
                }
                Ok(())
            }
            Expr::InList { expr, list, negated: _ } => {
                self.no_times_with_numbers(list.iter().chain([&**expr]))?;
                self.expression(expr)?;
                self.expressions(list)?;
                self.truths(expr, list);
                Ok(())
            }
            Expr::InSubquery { expr, subquery, negated: _ } => {
                self.expression(expr)?;
                self.query(subquery)?;
                if self.dialect == Dialect::Sqlite {
                    instants::collated(expr);
                }
                Ok(())
            }
            Expr::Exists { subquery, negated: _ } | Expr::Subquery(subquery) => self.query(subquery).map(|_| ()),
            Expr::Cast { kind: _, expr, data_type, format: None } => {
                known_type(data_type)?;
                if self.dialect == Dialect::Sqlite && instants::is_type(data_type) {
                    return Err(refuse("a cast of this text to a time")
                        .hint("write a time as `'2026-11-20T10:00:00Z'`, or use `now() - interval '1 hour'`"));
                }
                self.expression(expr)
            }
            Expr::Ceil { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) }
            | Expr::Floor { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
                self.expression(expr)
            }
            Expr::Substring { expr, substring_from, substring_for, special: _, shorthand: _ } => {
                self.expression(expr)?;
                [substring_from, substring_for].into_iter().flatten().try_for_each(|part| self.expression(part))
            }
            Expr::Trim { trim_where: _, trim_what, expr, trim_characters } => {
                self.expression(expr)?;
                self.short_sets(trim_what.as_deref().into_iter().chain(trim_characters.iter().flatten()))?;
                if let Some(what) = trim_what {
                    self.expression(what)?;
                }
                trim_characters.as_mut().map_or(Ok(()), |characters| self.expressions(characters))
            }
            Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                self.expression(expr)?;
                self.expression(overlay_what)?;
                self.expression(overlay_from)?;
                overlay_for.as_mut().map_or(Ok(()), |part| self.expression(part))
            }
            Expr::Case { case_token: _, end_token: _, operand, conditions, else_result } => {
                if let Some(operand) = operand.as_deref() {
                    self.no_times_with_numbers(conditions.iter().map(|when| &when.condition).chain([operand]))?;
                }
                for part in [&mut *operand, else_result].into_iter().flatten() {
                    self.expression(part)?;
                }
                for CaseWhen { condition, result } in &mut *conditions {
                    self.expression(condition)?;
                    self.expression(result)?;
                }
                if let Some(operand) = operand {
                    self.true_cases(operand, conditions);
                }
                Ok(())
            }
            Expr::GroupingSets(sets) | Expr::Cube(sets) | Expr::Rollup(sets) => {
                sets.iter_mut().try_for_each(|set| self.expressions(set))
            }
            Expr::Tuple(list) => self.expressions(list),
            Expr::Array(array) => self.expressions(&mut array.elem),
            Expr::Function(function) => self.function(function),
            Expr::CompoundFieldAccess { root, access_chain } => {
                self.subscripted(root, access_chain)?;
                access_chain.iter_mut().try_for_each(|access| self.access(access))
            }
            _ => Err(refuse("this kind of expression")),
        }
    }

    /// What stands before `[1]`. The parser takes `table.column[1]` for a field of `table`; a column with a qualifier is
    /// put in parentheses, so that it is read as one when it is read again.
    fn subscripted(&mut self, root: &mut Box<Expr>, chain: &mut Vec<AccessExpr>) -> Checked {
        if let (Expr::Identifier(qualifier), Some(AccessExpr::Dot(Expr::Identifier(column)))) = (&**root, chain.first())
        {
            **root = Expr::CompoundIdentifier(vec![qualifier.clone(), column.clone()]);
            chain.remove(0);
        }
        self.expression(root)?;
        if matches!(**root, Expr::CompoundIdentifier(_)) {
            **root = Expr::Nested(root.clone());
        }
        Ok(())
    }

    /// `array[1]` and `array[1:2]`. A name behind an expression, `(x).y`, may be a call in PostgreSQL.
    fn access(&mut self, access: &mut AccessExpr) -> Checked {
        match access {
            AccessExpr::Subscript(Subscript::Index { index }) => self.expression(index),
            AccessExpr::Subscript(Subscript::Slice { lower_bound, upper_bound, stride }) => {
                [lower_bound, upper_bound, stride].into_iter().flatten().try_for_each(|bound| self.expression(bound))
            }
            AccessExpr::Dot(_) => Err(refuse("a field of an expression")),
        }
    }

    fn function(&mut self, function: &mut Function) -> Checked {
        let Function { name, uses_odbc_syntax, parameters, args, filter, null_treatment, over, within_group } =
            function;
        let called = self.function_name(&self.single(name, "a qualified function name")?);
        if !functions::is_allowed(self.dialect, &called) {
            return Err(unknown_function(&called));
        }
        *name = ObjectName::from(vec![Ident::new(called)]);
        if *uses_odbc_syntax || !matches!(parameters, FunctionArguments::None) || null_treatment.is_some() {
            return Err(refuse("this form of a call"));
        }
        match args {
            FunctionArguments::None => {}
            FunctionArguments::Subquery(query) => drop(self.query(query)?),
            FunctionArguments::List(FunctionArgumentList { duplicate_treatment: _, args, clauses }) => {
                if instants::ADD_UP.contains(&name.to_string().as_str()) {
                    self.no_times(instants::values(args))?;
                }
                if SETS.contains(&name.to_string().as_str()) {
                    self.short_sets(args.iter().skip(1).filter_map(|arg| match arg {
                        FunctionArg::Unnamed(FunctionArgExpr::Expr(set)) => Some(set),
                        _ => None,
                    }))?;
                }
                for arg in args {
                    self.function_arg(arg)?;
                }
                for clause in clauses {
                    match clause {
                        FunctionArgumentClause::OrderBy(list) => self.order_list(list)?,
                        _ => return Err(refuse("a clause inside a call")),
                    }
                }
            }
        }
        self.order_list(within_group)?;
        if let Some(filter) = filter {
            self.expression(filter)?;
        }
        match over {
            Some(WindowType::WindowSpec(window)) => self.window(window),
            Some(WindowType::NamedWindow(window)) => {
                *window = quoted(&self.name(window));
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// SQLite compares each character of a text with each one of a set, and looks at the clock when it is done.
    fn short_sets<'e>(&self, sets: impl IntoIterator<Item = &'e Expr>) -> Checked {
        let short = |set: &Expr| match set {
            Expr::Value(value) => {
                matches!(&value.value, Value::SingleQuotedString(text) if text.len() <= LONGEST_SET)
            }
            _ => false,
        };
        if self.dialect == Dialect::Sqlite && !sets.into_iter().all(short) {
            return Err(refuse("a set of characters that is not a short text in quotes"));
        }
        Ok(())
    }

    pub(super) fn function_arg(&mut self, arg: &mut FunctionArg) -> Checked {
        let arg = match arg {
            FunctionArg::Unnamed(arg) => arg,
            FunctionArg::Named { name, arg, operator: FunctionArgOperator::RightArrow }
            | FunctionArg::ExprNamed { name: Expr::Identifier(name), arg, operator: FunctionArgOperator::RightArrow } =>
            {
                *name = quoted(&self.name(name));
                arg
            }
            FunctionArg::Named { .. } | FunctionArg::ExprNamed { .. } => {
                return Err(refuse("this form of a named argument"));
            }
        };
        match arg {
            FunctionArgExpr::Expr(expression) => self.expression(expression),
            FunctionArgExpr::Wildcard => Ok(()),
            FunctionArgExpr::QualifiedWildcard(name) => self.qualified_wildcard(name).map(|_| ()),
            FunctionArgExpr::WildcardWithOptions(_) => Err(refuse("an option of `*`")),
        }
    }

    /// `alias.*`, and the columns that it stands for.
    pub(super) fn qualified_wildcard(&self, name: &mut ObjectName) -> Result<Vec<String>, GuardError> {
        let (schema, qualifier) = self.table_name(name)?;
        let levels = self.levels();
        let relation = match schema {
            Some(schema) => levels.relation_in(&schema, &qualifier)?,
            None => levels.relation(&qualifier)?,
        };
        *name = ObjectName::from(vec![quoted(&relation.ours)]);
        Ok(relation.columns.clone())
    }

    pub(super) fn frame_bound(&mut self, bound: &mut WindowFrameBound) -> Checked {
        match bound {
            WindowFrameBound::CurrentRow => Ok(()),
            WindowFrameBound::Preceding(distance) | WindowFrameBound::Following(distance) => {
                distance.as_mut().map_or(Ok(()), |distance| self.expression(distance))
            }
        }
    }
}

fn reference(found: &Found) -> Expr {
    match found {
        Found::Column { ours, column } => Expr::CompoundIdentifier(vec![quoted(ours), quoted(column)]),
        Found::Bare(name) | Found::Row(name) => Expr::Identifier(quoted(name)),
    }
}

fn literal(value: &Value) -> Checked {
    match value {
        Value::Number(..)
        | Value::SingleQuotedString(_)
        | Value::HexStringLiteral(_)
        | Value::Boolean(_)
        | Value::Null
        | Value::Placeholder(_) => Ok(()),
        _ => Err(refuse("this kind of literal")),
    }
}

/// `OPERATOR(schema.op)` reaches any operator by name.
fn operator(operator: &BinaryOperator) -> Checked {
    match operator {
        BinaryOperator::PGCustomBinaryOperator(_) | BinaryOperator::Custom(_) => Err(refuse("a named operator")),
        _ => Ok(()),
    }
}
