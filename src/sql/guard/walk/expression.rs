//! What may stand where a value is expected.

use sqlparser::ast::{
    AccessExpr, BinaryOperator, CaseWhen, CeilFloorKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentClause, FunctionArgumentList, FunctionArguments, Subscript, TypedString, Value, WindowFrameBound,
    WindowType,
};

use super::{Checked, Walker, forbidden, functions, refuse, unknown_function};

impl Walker<'_> {
    pub(super) fn expressions(&mut self, list: &[Expr]) -> Checked {
        list.iter().try_for_each(|expression| self.expression(expression))
    }

    pub(super) fn expression(&mut self, expression: &Expr) -> Checked {
        self.deeper(|walker| walker.part(expression))
    }

    fn part(&mut self, expression: &Expr) -> Checked {
        match expression {
            Expr::Identifier(_) => Ok(()),
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [qualifier, column] => {
                    self.references.push((self.name(qualifier), self.name(column)));
                    Ok(())
                }
                _ => Err(refuse("a column name of more than two parts")),
            },
            Expr::Value(value) => literal(&value.value),
            Expr::TypedString(TypedString { data_type, value, uses_odbc_syntax: false }) => {
                known_type(data_type)?;
                literal(&value.value)
            }
            Expr::Interval(interval) => self.expression(&interval.value),
            Expr::Nested(inner)
            | Expr::IsFalse(inner)
            | Expr::IsNotFalse(inner)
            | Expr::IsTrue(inner)
            | Expr::IsNotTrue(inner)
            | Expr::IsNull(inner)
            | Expr::IsNotNull(inner)
            | Expr::IsUnknown(inner)
            | Expr::IsNotUnknown(inner)
            | Expr::UnaryOp { op: _, expr: inner }
            | Expr::Extract { field: _, syntax: _, expr: inner }
            | Expr::Collate { expr: inner, collation: _ } => self.expression(inner),
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
                self.expression(left)?;
                self.expression(right)
            }
            Expr::Like { negated: _, any: false, expr, pattern, escape_char }
            | Expr::ILike { negated: _, any: false, expr, pattern, escape_char }
            | Expr::SimilarTo { negated: _, expr, pattern, escape_char } => {
                self.expression(expr)?;
                self.expression(pattern)?;
                escape_char.as_ref().map_or(Ok(()), |escape| self.expression(escape))
            }
            Expr::Between { expr, negated: _, low, high } => {
                self.expression(expr)?;
                self.expression(low)?;
                self.expression(high)
            }
            Expr::InList { expr, list, negated: _ } => {
                self.expression(expr)?;
                self.expressions(list)
            }
            Expr::InSubquery { expr, subquery, negated: _ } => {
                self.expression(expr)?;
                self.query(subquery)
            }
            Expr::Exists { subquery, negated: _ } | Expr::Subquery(subquery) => self.query(subquery),
            Expr::Cast { kind: _, expr, data_type, format: None } => {
                known_type(data_type)?;
                self.expression(expr)
            }
            Expr::Ceil { expr, field: CeilFloorKind::DateTimeField(_) }
            | Expr::Floor { expr, field: CeilFloorKind::DateTimeField(_) } => self.expression(expr),
            Expr::Ceil { expr, field: CeilFloorKind::Scale(_) }
            | Expr::Floor { expr, field: CeilFloorKind::Scale(_) } => self.expression(expr),
            Expr::Substring { expr, substring_from, substring_for, special: _, shorthand: _ } => {
                self.expression(expr)?;
                [substring_from, substring_for].into_iter().flatten().try_for_each(|part| self.expression(part))
            }
            Expr::Trim { trim_where: _, trim_what, expr, trim_characters } => {
                self.expression(expr)?;
                if let Some(what) = trim_what {
                    self.expression(what)?;
                }
                trim_characters.as_ref().map_or(Ok(()), |characters| self.expressions(characters))
            }
            Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                self.expression(expr)?;
                self.expression(overlay_what)?;
                self.expression(overlay_from)?;
                overlay_for.as_ref().map_or(Ok(()), |part| self.expression(part))
            }
            Expr::Case { case_token: _, end_token: _, operand, conditions, else_result } => {
                for part in [operand, else_result].into_iter().flatten() {
                    self.expression(part)?;
                }
                for CaseWhen { condition, result } in conditions {
                    self.expression(condition)?;
                    self.expression(result)?;
                }
                Ok(())
            }
            Expr::GroupingSets(sets) | Expr::Cube(sets) | Expr::Rollup(sets) => {
                sets.iter().try_for_each(|set| self.expressions(set))
            }
            Expr::Tuple(list) => self.expressions(list),
            Expr::Array(array) => self.expressions(&array.elem),
            Expr::Function(function) => self.function(function),
            Expr::CompoundFieldAccess { root, access_chain } => {
                self.expression(root)?;
                access_chain.iter().try_for_each(|access| self.access(access))
            }
            _ => Err(refuse("this kind of expression")),
        }
    }

    /// `array[1]` and `array[1:2]`. A name behind an expression, `(x).y`, may be a call in PostgreSQL.
    fn access(&mut self, access: &AccessExpr) -> Checked {
        match access {
            AccessExpr::Subscript(Subscript::Index { index }) => self.expression(index),
            AccessExpr::Subscript(Subscript::Slice { lower_bound, upper_bound, stride }) => {
                [lower_bound, upper_bound, stride].into_iter().flatten().try_for_each(|bound| self.expression(bound))
            }
            AccessExpr::Dot(_) => Err(refuse("a field of an expression")),
        }
    }

    fn function(&mut self, function: &Function) -> Checked {
        let Function { name, uses_odbc_syntax, parameters, args, filter, null_treatment, over, within_group } =
            function;
        let name = self.name(&self.single(name, "a qualified function name")?);
        if !functions::is_allowed(self.dialect, &name) {
            return Err(unknown_function(&name));
        }
        if *uses_odbc_syntax || !matches!(parameters, FunctionArguments::None) || null_treatment.is_some() {
            return Err(refuse("this form of a call"));
        }
        match args {
            FunctionArguments::None => {}
            FunctionArguments::Subquery(query) => self.query(query)?,
            FunctionArguments::List(FunctionArgumentList { duplicate_treatment: _, args, clauses }) => {
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
            Some(WindowType::NamedWindow(_)) | None => Ok(()),
        }
    }

    pub(super) fn function_arg(&mut self, arg: &FunctionArg) -> Checked {
        let arg = match arg {
            FunctionArg::Unnamed(arg) | FunctionArg::Named { name: _, arg, operator: _ } => arg,
            FunctionArg::ExprNamed { .. } => return Err(refuse("an argument named by an expression")),
        };
        match arg {
            FunctionArgExpr::Expr(expression) => self.expression(expression),
            FunctionArgExpr::Wildcard => Ok(()),
            FunctionArgExpr::QualifiedWildcard(name) => self.single(name, "a qualified name").map(|_| ()),
            FunctionArgExpr::WildcardWithOptions(_) => Err(refuse("an option of `*`")),
        }
    }

    pub(super) fn frame_bound(&mut self, bound: &WindowFrameBound) -> Checked {
        match bound {
            WindowFrameBound::CurrentRow => Ok(()),
            WindowFrameBound::Preceding(distance) | WindowFrameBound::Following(distance) => {
                distance.as_ref().map_or(Ok(()), |distance| self.expression(distance))
            }
        }
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

fn known_type(ty: &DataType) -> Checked {
    let text = ty.to_string().to_ascii_lowercase();
    let element = text.trim_end_matches("[]");
    // `timestamp(3) with time zone` and `numeric(10,2)` without their numbers.
    let name = match (element.find('('), element.find(')')) {
        (Some(open), Some(close)) if open < close => {
            let numbers = element.get(open + 1..close).unwrap_or_default();
            let plain = numbers.bytes().all(|byte| byte.is_ascii_digit() || byte == b',' || byte == b' ');
            let (head, tail) = (element.get(..open).unwrap_or_default(), element.get(close + 1..).unwrap_or_default());
            plain.then(|| format!("{}{tail}", head.trim_end())).unwrap_or_default()
        }
        _ => element.to_owned(),
    };
    if functions::is_type(name.trim()) {
        Ok(())
    } else {
        Err(forbidden(format!("a cast to `{text}`")).hint("cast to a common type such as text, numeric or timestamptz"))
    }
}
