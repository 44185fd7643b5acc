//! SQLite: what may be a time is compared as one.
//!
//! Its tables keep times as text in several forms, whose bytes do not sort as the times do
//! (docs/adr/0026-times-of-sqlite-are-compared-as-times.md). A literal or a value that is a time has its collation
//! already; here columns, functions and subqueries get it, which nobody can tell before the database reads them. Texts
//! that are no times, and numbers, are ordered as ever. An equality of two columns keeps its index: it joins by ids.

use sqlparser::ast::{
    BinaryOperator, DataType, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, Value,
};

use super::{Checked, Dialect, Rewriter, refuse};
use crate::sql::clock::{INSTANT, is_time};

/// Functions that add values up.
pub(super) const ADD_UP: [&str; 3] = ["avg", "sum", "total"];

/// Functions that answer one of their arguments.
const ONE_OF: [&str; 9] = ["max", "min", "coalesce", "ifnull", "first_value", "last_value", "lag", "lead", "nth_value"];

impl Rewriter<'_> {
    /// Refuses arithmetic on times: SQLite computes with the number that their text begins with, which is the year.
    pub(super) fn no_times<'e>(&self, parts: impl IntoIterator<Item = &'e Expr>) -> Checked {
        if self.dialect != Dialect::Sqlite || !parts.into_iter().any(|part| self.is_instant(part)) {
            return Ok(());
        }
        Err(refuse("arithmetic on a time, which SQLite would do with its year,").hint(
            "a duration in seconds is `unixepoch(resolved_at) - unixepoch(starts_at)`; an hour before a time is \
             `datetime(starts_at, '-1 hour')`, seven days ago `date('now', '-7 days')`",
        ))
    }

    /// Whether an expression, as it was written, is a time for all that can be told.
    pub(super) fn is_instant(&self, expression: &Expr) -> bool {
        match expression {
            Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => self.is_instant(inner),
            Expr::Identifier(name) => self.holds_times(name),
            Expr::CompoundIdentifier(parts) => parts.last().is_some_and(|name| self.holds_times(name)),
            Expr::Value(value) => is_literal_time(&value.value),
            Expr::Function(function) => {
                let name = function.name.to_string().to_ascii_lowercase();
                let FunctionArguments::List(list) = &function.args else { return false };
                match name.as_str() {
                    "date" | "datetime" => true,
                    // `%s` and its like are numbers.
                    "strftime" => values(&list.args).next().is_some_and(
                        |format| matches!(format, Expr::Value(value) if value.to_string().starts_with("'%Y-")),
                    ),
                    name if ONE_OF.contains(&name) => values(&list.args).any(|part| self.is_instant(part)),
                    _ => false,
                }
            }
            _ => false,
        }
    }

    fn holds_times(&self, name: &Ident) -> bool {
        self.reach.declared.times.contains(&name.value.to_ascii_lowercase())
    }
}

/// Whether an operator computes with numbers.
pub(super) fn computes(op: &BinaryOperator) -> bool {
    use BinaryOperator as Op;
    matches!(op, Op::Plus | Op::Minus | Op::Multiply | Op::Divide | Op::Modulo)
}

/// The plain arguments of a call.
pub(super) fn values(args: &[FunctionArg]) -> impl Iterator<Item = &Expr> {
    args.iter().filter_map(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => Some(expression),
        _ => None,
    })
}

/// Has `left op right` compared as times where that may matter.
pub(super) fn compared(left: &mut Box<Expr>, op: &BinaryOperator, right: &Expr) {
    let ordered = matches!(op, BinaryOperator::Lt | BinaryOperator::LtEq | BinaryOperator::Gt | BinaryOperator::GtEq);
    if !ordered && !matches!(op, BinaryOperator::Eq | BinaryOperator::NotEq) {
        return;
    }
    if let (Expr::Tuple(left), Expr::Tuple(right)) = (&mut **left, right) {
        for (left, right) in left.iter_mut().zip(right) {
            // What is bound may be a time, and several values have no index to lose.
            if matches!(right, Expr::Value(value) if matches!(value.value, Value::Placeholder(_)))
                && !has_collation(left)
            {
                let mut part = Box::new(left.clone());
                collated(&mut part);
                *left = *part;
                continue;
            }
            let mut part = Box::new(left.clone());
            compared(&mut part, op, right);
            *left = *part;
        }
        return;
    }
    let unknown = |expression: &Expr| may_be(expression) && (ordered || !is_column(expression));
    let matters = may_be(left) && may_be(right) && (unknown(left) || unknown(right));
    if matters && !has_collation(left) && !has_collation(right) {
        collated(left);
    }
}

/// The same of `expression BETWEEN low AND high`.
pub(super) fn between(expression: &mut Box<Expr>, low: &Expr, high: &Expr) {
    let parts = [&**expression, low, high];
    if may_be(expression) && (may_be(low) || may_be(high)) && !parts.into_iter().any(has_collation) {
        collated(expression);
    }
}

/// Gives an expression the collation of times. Several values, `(a, b)`, cannot have one.
pub(super) fn collated(expression: &mut Box<Expr>) {
    if may_be(expression) && !has_collation(expression) && !matches!(**expression, Expr::Tuple(_)) {
        let collation = ObjectName::from(vec![Ident::with_quote('"', INSTANT)]);
        **expression = Expr::Collate { expr: Box::new(Expr::Nested(expression.clone())), collation };
    }
}

/// Whether a type is one of times, which to SQLite are numbers.
pub(super) fn is_type(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Date
            | DataType::Time(..)
            | DataType::Timestamp(..)
            | DataType::Datetime(_)
            | DataType::TimestampNtz(_)
    )
}

/// Whether an expression may be a time: no number, no other text, no placeholder, whose value is known by now.
fn may_be(expression: &Expr) -> bool {
    match expression {
        Expr::Nested(inner) => may_be(inner),
        Expr::Value(value) => is_literal_time(&value.value),
        Expr::UnaryOp { .. } | Expr::BinaryOp { .. } | Expr::Exists { .. } | Expr::Like { .. } => false,
        _ => true,
    }
}

fn is_literal_time(value: &Value) -> bool {
    matches!(value, Value::SingleQuotedString(text) if is_time(text))
}

fn is_column(expression: &Expr) -> bool {
    match expression {
        Expr::Nested(inner) => is_column(inner),
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_) => true,
        _ => false,
    }
}

fn has_collation(expression: &Expr) -> bool {
    match expression {
        Expr::Nested(inner) => has_collation(inner),
        Expr::Collate { .. } => true,
        _ => false,
    }
}
