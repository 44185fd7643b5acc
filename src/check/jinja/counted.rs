//! Numbers in a sentence that are counted from the rows of a section: where there are more rows than were read, such a
//! number is too small, and does not say so.

use std::{collections::HashMap, ops::Range};

use minijinja::machinery::{
    ast::{BinOpKind, Expr, Stmt},
    parse,
};

use super::bytes;

/// Filters that make one number of all rows.
const COUNTING: [&str; 3] = ["length", "count", "sum"];

/// Filters that take one row, or a text of them.
const TAKING: [&str; 6] = ["first", "last", "min", "max", "join", "random"];

/// Where a text prints a number of rows that were read as if it were all of them.
pub(in crate::check) fn counted(text: &str) -> Vec<Range<usize>> {
    let mut walk = Walk::default();
    if let Ok(tree) = parse(text, "<template>", Default::default()) {
        walk.statement(&tree);
    }
    walk.found
}

/// What a name that the template sets stands for.
#[derive(Clone)]
enum Local {
    Rows,
    Count(Range<usize>),
}

#[derive(Default)]
struct Walk {
    locals: HashMap<String, Local>,
    found: Vec<Range<usize>>,
}

impl Walk {
    fn body(&mut self, body: &[Stmt]) {
        body.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Template(template) => self.body(&template.children),
            Stmt::EmitExpr(emit) => {
                if let Some(range) = self.count(&emit.expr)
                    && !self.found.contains(&range)
                {
                    self.found.push(range);
                }
            }
            Stmt::IfCond(cond) => {
                self.body(&cond.true_body);
                self.body(&cond.false_body);
            }
            Stmt::ForLoop(each) => {
                self.body(&each.body);
                self.body(&each.else_body);
            }
            Stmt::Set(set) => self.assign(&set.target, &set.expr),
            Stmt::WithBlock(with) => {
                with.assignments.iter().for_each(|(target, value)| self.assign(target, value));
                self.body(&with.body);
            }
            _ => {}
        }
    }

    fn assign(&mut self, target: &Expr, value: &Expr) {
        let Expr::Var(name) = target else { return };
        let local = self.count(value).map(Local::Count).or_else(|| self.is_rows(value).then_some(Local::Rows));
        match local {
            Some(local) => self.locals.insert(name.id.to_owned(), local),
            None => self.locals.remove(name.id),
        };
    }

    /// The place of a number of rows in what is printed.
    fn count(&self, expr: &Expr) -> Option<Range<usize>> {
        match expr {
            Expr::Var(name) => match self.locals.get(name.id) {
                Some(Local::Count(range)) => Some(range.clone()),
                _ => None,
            },
            Expr::GetAttr(attr) if attr.name == "count" && is_section(&attr.expr) => {
                Some(start(&attr.expr)..bytes(attr.span()).end)
            }
            Expr::Filter(filter) => {
                let inner = filter.expr.as_ref()?;
                match COUNTING.contains(&filter.name) && self.is_rows(inner) {
                    true => Some(start(inner)..bytes(filter.span()).end),
                    false => self.count(inner),
                }
            }
            Expr::UnaryOp(op) => self.count(&op.expr),
            Expr::BinOp(op) if is_arithmetic(&op.op) => self.count(&op.left).or_else(|| self.count(&op.right)),
            Expr::IfExpr(cond) => {
                self.count(&cond.true_expr).or_else(|| cond.false_expr.as_ref().and_then(|other| self.count(other)))
            }
            _ => None,
        }
    }

    /// Whether an expression is the rows of a section, or some of them.
    fn is_rows(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Var(name) => matches!(self.locals.get(name.id), Some(Local::Rows)),
            Expr::GetAttr(attr) => attr.name == "rows" && is_section(&attr.expr),
            Expr::Filter(filter) => {
                !TAKING.contains(&filter.name)
                    && !COUNTING.contains(&filter.name)
                    && filter.expr.as_ref().is_some_and(|inner| self.is_rows(inner))
            }
            _ => false,
        }
    }
}

const fn is_arithmetic(op: &BinOpKind) -> bool {
    use BinOpKind::{Add, Concat, Div, FloorDiv, Mul, Pow, Rem, Sub};
    matches!(op, Add | Sub | Mul | Div | FloorDiv | Rem | Pow | Concat)
}

/// Where a path or a chain of filters begins.
fn start(expr: &Expr) -> usize {
    match expr {
        Expr::GetAttr(attr) => start(&attr.expr),
        Expr::GetItem(item) => start(&item.expr),
        Expr::Filter(filter) => filter.expr.as_ref().map_or_else(|| bytes(filter.span()).start, start),
        other => bytes(other.span()).start,
    }
}

/// `sections.x` or `sections['x']`.
fn is_section(expr: &Expr) -> bool {
    let of = |expr: &Expr| matches!(expr, Expr::Var(name) if name.id == "sections");
    match expr {
        Expr::GetAttr(attr) => of(&attr.expr),
        Expr::GetItem(item) => of(&item.expr),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn numbers_of_rows_are_found_however_they_are_made() {
        for text in [
            "{{ sections.a.rows | length }}",
            "{{ sections['a'].rows | count }} of them",
            "{{ sections.a.rows | selectattr('x', 'equalto', 1) | list | length }}",
            "{{ sections.a.rows | map(attribute='errors') | sum }}",
            "{{ sections.a.rows | sum(attribute='errors') }}",
            "{{ sections.a.count }}",
            "{% set n = sections.a.rows | length %}{% if n %}{{ n }}{% endif %}",
            "{% set bad = sections.a.rows | selectattr('x') | list %}{{ bad | length + 1 }}",
            "{{ 'many: ' ~ (sections.a.rows | length) }}{{ 1 if x else sections.a.rows | length }}",
        ] {
            assert!(!counted(text).is_empty(), "{text}");
        }
        for text in [
            "{{ sections.a.total }} {{ sections.a | tally('x', 'equalto', 1) }}",
            "{% if sections.a.rows | length > 3 %}many{% endif %}",
            "{% set n = sections.a.rows | length %}{% if n > 3 %}many{% endif %}",
            "{{ (sections.a.rows | first).errors }} {{ sections.a.rows | map(attribute='x') | max }}",
            "{{ row.tags | length }} {{ sections.a.rows | map(attribute='x') | join(', ') | length }}",
            "{{ 'many' if sections.a.rows | length > 3 else 'few' }}",
        ] {
            assert!(counted(text).is_empty(), "{text}");
        }
        let text = "All: {{ sections.a.rows | length }}.";
        assert_eq!(counted(text).first().map(|range| &text[range.clone()]), Some("sections.a.rows | length"));
    }
}
