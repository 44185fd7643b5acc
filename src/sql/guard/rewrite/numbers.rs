//! SQLite: numbers that are compared with texts.
//!
//! SQLite compares a number with a text that is none without a word: the text is always the larger one. A time of seconds since
//! 1970 compared with a time in text finds nothing, or everything, and a truth value compared with `'true'` nothing. The
//! first is refused, because nobody can tell seconds from milliseconds; the second is compared with what SQLite keeps, too.

use std::collections::BTreeSet;

use sqlparser::ast::{BinaryOperator, CaseWhen, Expr, Function, FunctionArguments, Ident, Value};

use super::{Checked, Dialect, Rewriter, instants, refuse};

impl Rewriter<'_> {
    /// Refuses a comparison of a number with a time in text, one of which is a column.
    pub(super) fn no_times_with_numbers<'e>(&self, parts: impl IntoIterator<Item = &'e Expr>) -> Checked {
        if self.dialect != Dialect::Sqlite {
            return Ok(());
        }
        let parts: Vec<&Expr> = parts.into_iter().collect();
        if let Some(column) = parts.iter().find_map(|part| named(part, &self.reach.declared.only_times))
            && parts.iter().any(|part| is_number(part))
        {
            let name = &column.value;
            return Err(refuse(&format!("a comparison of `{name}`, which keeps times in text, with a number")).hint(
                format!(
                    "write `{name} >= '2026-11-20T10:00:00Z'`, or compare `unixepoch({name})`, its seconds since 1970"
                ),
            ));
        }
        let Some(column) = parts.iter().find_map(|part| self.number_column(part)) else { return Ok(()) };
        if !parts.iter().any(|part| self.is_instant(part)) {
            return Ok(());
        }
        let name = &column.value;
        Err(refuse(&format!("a comparison of `{name}`, which keeps numbers, with a time in text")).hint(format!(
            "if it keeps seconds since 1970, write `{name} >= unixepoch('2026-11-20T10:00:00Z')`, of milliseconds `1000 * \
             unixepoch(…)`; `SELECT min({name}), max({name})` shows which"
        )))
    }

    /// Whether an operator compares.
    pub(super) fn compares(op: &BinaryOperator) -> bool {
        use BinaryOperator as Op;
        matches!(op, Op::Eq | Op::NotEq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq)
    }

    /// `enabled = 'true'` as `enabled IN ('true', 1)`: a column of truth values may keep the word or, as SQLite does, a number.
    pub(super) fn truth(&self, expression: &mut Expr) {
        let Expr::BinaryOp { left, op, right } = expression else { return };
        let negated = match op {
            BinaryOperator::Eq => false,
            BinaryOperator::NotEq => true,
            _ => return,
        };
        if self.dialect != Dialect::Sqlite {
            return;
        }
        let (column, word) = match (self.number_column(left), self.number_column(right)) {
            (Some(_), None) => (left, right),
            (None, Some(_)) => (right, left),
            _ => return,
        };
        let Some(number) = truth_of(word) else { return };
        let number = Expr::Value(Value::Number(number.to_owned(), false).into());
        *expression = Expr::Nested(Box::new(Expr::InList {
            expr: column.clone(),
            list: vec![(**word).clone(), number],
            negated,
        }));
    }

    /// The same of `enabled IN ('true')`.
    pub(super) fn truths(&self, expression: &Expr, list: &mut Vec<Expr>) {
        if self.dialect == Dialect::Sqlite && self.number_column(expression).is_some() {
            let numbers: Vec<&str> = list.iter().filter_map(truth_of).collect();
            list.extend(numbers.into_iter().map(|number| Expr::Value(Value::Number(number.to_owned(), false).into())));
        }
    }

    /// The same of `CASE enabled WHEN 'true' THEN …`: `WHEN 1` follows with the same result.
    pub(super) fn true_cases(&self, operand: &Expr, conditions: &mut Vec<CaseWhen>) {
        if self.dialect != Dialect::Sqlite || self.number_column(operand).is_none() {
            return;
        }
        let both = std::mem::take(conditions).into_iter().flat_map(|when| {
            let number = truth_of(&when.condition).map(|number| CaseWhen {
                condition: Expr::Value(Value::Number(number.to_owned(), false).into()),
                result: when.result.clone(),
            });
            [Some(when), number].into_iter().flatten()
        });
        *conditions = both.collect();
    }

    /// The column of numbers that an expression is, or shows in other clothes.
    fn number_column<'e>(&self, expression: &'e Expr) -> Option<&'e Ident> {
        match expression {
            Expr::Nested(inner) => self.number_column(inner),
            Expr::Cast { expr, .. } => self.number_column(expr),
            Expr::Function(function) if called(function, &["coalesce", "ifnull"]) => {
                let FunctionArguments::List(list) = &function.args else { return None };
                instants::values(&list.args).next().and_then(|first| self.number_column(first))
            }
            other => named(other, &self.reach.declared.numbers),
        }
    }
}

/// A column of these names.
fn named<'e>(expression: &'e Expr, names: &BTreeSet<String>) -> Option<&'e Ident> {
    let name = match expression {
        Expr::Nested(inner) => return named(inner, names),
        Expr::Identifier(name) => name,
        Expr::CompoundIdentifier(parts) => parts.last()?,
        _ => return None,
    };
    names.contains(&name.value.to_ascii_lowercase()).then_some(name)
}

/// Whether an expression is a number for all that can be told; the text of one among them, which SQLite compares with a time
/// letter by letter.
fn is_number(expression: &Expr) -> bool {
    match expression {
        Expr::Nested(inner) | Expr::UnaryOp { expr: inner, .. } => is_number(inner),
        Expr::Value(value) => matches!(value.value, Value::Number(..)),
        Expr::BinaryOp { op, .. } => instants::computes(op),
        Expr::Function(function) if called(function, &["strftime"]) => {
            let FunctionArguments::List(list) = &function.args else { return false };
            let format = instants::values(&list.args).next();
            format.is_some_and(|format| ["'%s'", "'%J'"].contains(&format.to_string().as_str()))
        }
        Expr::Function(function) => called(function, &["unixepoch", "julianday"]),
        _ => false,
    }
}

fn called(function: &Function, names: &[&str]) -> bool {
    names.contains(&function.name.to_string().to_ascii_lowercase().as_str())
}

/// The number that SQLite keeps for a word.
fn truth_of(expression: &Expr) -> Option<&'static str> {
    let Expr::Value(value) = expression else { return None };
    let Value::SingleQuotedString(word) = &value.value else { return None };
    match word.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" => Some("1"),
        "false" | "f" | "no" | "n" | "off" => Some("0"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::super::tests::run, *};

    #[test]
    fn sqlite_compares_numbers_with_no_times_and_truth_values_with_what_is_kept() {
        for sql in [
            "SELECT id FROM jobs WHERE started_s >= '2026-11-20T11:00:00Z'",
            "SELECT id FROM jobs j WHERE '2026-11-20 11:00:00' < j.started_s",
            "SELECT id FROM jobs WHERE started_s BETWEEN datetime('now', '-1 hour') AND datetime('now')",
            "SELECT id FROM jobs WHERE started_s > created_at",
            "SELECT id FROM jobs WHERE started_s IN ('2026-11-20T11:00:00Z')",
            "SELECT CASE started_s WHEN '2026-11-20T11:00:00Z' THEN 1 END AS n FROM jobs",
        ] {
            let error = run(Dialect::Sqlite, sql).unwrap_err();
            assert!(error.message.contains("`started_s`, which keeps numbers"), "{sql}: {error}");
            assert!(error.hint.unwrap().contains("started_s >= unixepoch("), "{sql}");
        }
        for sql in [
            "SELECT id FROM jobs WHERE created_at >= 1795176000",
            "SELECT id FROM jobs j WHERE unixepoch('now') - 3600 < j.created_at",
            "SELECT id FROM jobs WHERE created_at > strftime('%s', 'now')",
            "SELECT id FROM jobs WHERE created_at BETWEEN 1795176000 AND 1795179600",
            "SELECT id FROM jobs WHERE created_at IN (1795176000)",
        ] {
            let error = run(Dialect::Sqlite, sql).unwrap_err();
            assert!(error.message.contains("`created_at`, which keeps times in text"), "{sql}: {error}");
            assert!(error.hint.unwrap().contains("unixepoch(created_at)"), "{sql}");
        }
        for sql in [
            "SELECT id FROM jobs WHERE unixepoch(created_at) > 1795176000 AND created_at > strftime('%Y-%m', 'now')",
            "SELECT id FROM jobs WHERE started_s >= unixepoch('now') - 3600 AND started_s < strftime('%s', 'now')",
            "SELECT id FROM jobs WHERE started_s >= 1795176000 AND enabled",
            "SELECT id FROM jobs WHERE created_at >= '2026-11-20T11:00:00Z'",
        ] {
            run(Dialect::Sqlite, sql).unwrap();
        }
        for (condition, written) in [
            ("enabled = 'true'", "IN ('true', 1)"),
            ("'False' = enabled", "IN ('False', 0)"),
            ("enabled <> 'f'", "NOT IN ('f', 0)"),
            ("enabled IN ('true', 'x')", "IN ('true', 'x', 1)"),
            ("coalesce(enabled, 'no') = 'YES'", "IN ('YES', 1)"),
            ("CAST(enabled AS TEXT) = 'true'", "IN ('true', 1)"),
            ("CASE enabled WHEN 'true' THEN 7 ELSE 8 END = 7", "WHEN 'true' THEN 7 WHEN 1 THEN 7 ELSE 8"),
            ("CASE coalesce(enabled, 'no') WHEN 'off' THEN 7 END = 7", "WHEN 'off' THEN 7 WHEN 0 THEN 7 END"),
        ] {
            let guarded = run(Dialect::Sqlite, &format!("SELECT id FROM jobs WHERE {condition}")).unwrap();
            assert!(guarded.contains(written), "{condition}: {guarded}");
        }
    }
}
