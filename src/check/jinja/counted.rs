//! Numbers in a sentence that are counted from the rows of a section: where there are more rows than were read, such a
//! number is too small, and does not say so.

use std::{collections::HashMap, ops::Range};

use minijinja::machinery::{
    ast::{BinOpKind, CallArg, Expr, ForLoop, IfCond, Stmt, UnaryOpKind},
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

/// Filters that make lists of rows of them.
const GROUPING: [&str; 3] = ["groupby", "batch", "slice"];

/// Filters that put one of their arguments into what is printed.
const PASSING: [&str; 4] = ["default", "d", "format", "replace"];

/// What a name that the template sets stands for.
#[derive(Clone)]
enum Local {
    Section,
    Rows,
    /// Rows in several lists: each of them is rows.
    Groups,
    Count(Range<usize>),
}

#[derive(Default)]
struct Walk {
    /// By name; what stands in a namespace, by both names: `ns.n`.
    locals: HashMap<String, Local>,
    /// The loops around this place: whether each goes over rows.
    loops: Vec<bool>,
    /// Whether this is said behind the last row alone, where the number of the row is that of all.
    at_last: bool,
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
            Stmt::IfCond(cond) => self.branches(cond),
            Stmt::ForLoop(each) => self.each(each),
            Stmt::Set(set) => self.assign(&set.target, &set.expr),
            Stmt::WithBlock(with) => {
                with.assignments.iter().for_each(|(target, value)| self.assign(target, value));
                self.body(&with.body);
            }
            Stmt::SetBlock(set) => self.body(&set.body),
            Stmt::FilterBlock(block) => self.body(&block.body),
            Stmt::AutoEscape(block) => self.body(&block.body),
            Stmt::Macro(declared) => self.body(&declared.body),
            Stmt::CallBlock(block) => self.body(&block.macro_decl.body),
            _ => {}
        }
    }

    /// What a name stands for in one of the branches, it may stand for behind them.
    fn branches(&mut self, cond: &IfCond) {
        let before = self.locals.clone();
        let at_last = self.at_last;
        self.at_last |= is_of_loop(&cond.expr, &["last"]);
        self.body(&cond.true_body);
        self.at_last = at_last;
        let one = std::mem::replace(&mut self.locals, before);
        self.body(&cond.false_body);
        self.locals.extend(one);
    }

    fn each(&mut self, each: &ForLoop) {
        let of = self.made_of(&each.iter);
        let rows = matches!(of, Some(Local::Rows | Local::Groups));
        let group = match (&of, &each.iter) {
            (Some(Local::Groups), _) => Some(Local::Rows),
            (_, Expr::List(list)) if list.items.iter().any(|item| self.is_section(item)) => Some(Local::Section),
            (_, Expr::Filter(filter)) if filter.name == "items" && filter.expr.as_ref().is_some_and(is_sections) => {
                Some(Local::Section)
            }
            _ => None,
        };
        match &each.target {
            Expr::Var(name) => self.set(name.id, group),
            // Its name stands before it.
            Expr::List(pair) => pair.items.iter().for_each(|name| self.set_name(name, group.clone())),
            Expr::Tuple(pair) => pair.items.iter().for_each(|name| self.set_name(name, group.clone())),
            _ => {}
        }
        let at_last = std::mem::take(&mut self.at_last);
        self.loops.push(rows);
        self.body(&each.body);
        self.loops.pop();
        self.at_last = at_last;
        self.body(&each.else_body);
    }

    fn set_name(&mut self, name: &Expr, local: Option<Local>) {
        if let Expr::Var(name) = name {
            self.set(name.id, local);
        }
    }

    fn set(&mut self, name: &str, local: Option<Local>) {
        match local {
            Some(local) => self.locals.insert(name.to_owned(), local),
            None => self.locals.remove(name),
        };
    }

    fn assign(&mut self, target: &Expr, value: &Expr) {
        let Some(name) = name(target) else { return };
        let local = self.count(value).map(Local::Count).or_else(|| self.made_of(value));
        if local.is_none() && name.contains('.') {
            // It outlives the turn of a loop, of which one turn may set it and another not.
            if let Some(local) = self.gathered(&name, value) {
                self.locals.insert(name, local);
            }
            return;
        }
        self.set(&name, local);
    }

    /// What becomes of a value of a namespace to which something is added for each row.
    fn gathered(&self, name: &str, value: &Expr) -> Option<Local> {
        let over_rows = self.loops.contains(&true);
        match value {
            Expr::BinOp(op) if over_rows && matches!(op.op, BinOpKind::Add | BinOpKind::Sub) => {
                let (left, right) = (self::name(&op.left), self::name(&op.right));
                let added = if left.as_deref() == Some(name) { &op.right } else { &op.left };
                let of_itself = [left, right].iter().flatten().any(|of| of == name);
                let is_text = matches!(added, Expr::Const(text) if text.value.as_str().is_some());
                match added {
                    _ if !of_itself || is_text => None,
                    Expr::List(_) => Some(Local::Rows),
                    _ => Some(Local::Count(start(&op.left)..end(&op.right))),
                }
            }
            _ if over_rows && is_of_loop(value, &["index", "index0"]) => Some(Local::Count(start(value)..end(value))),
            _ => None,
        }
    }

    /// The place of a number of rows in what is printed.
    fn count(&self, expr: &Expr) -> Option<Range<usize>> {
        if let Some(name) = name(expr)
            && let Some(Local::Count(range)) = self.locals.get(&name)
        {
            return Some(range.clone());
        }
        let is_number = is_of_loop(expr, &["length", "revindex", "revindex0"])
            || self.at_last && is_of_loop(expr, &["index", "index0"]);
        if is_number && self.loops.last() == Some(&true) {
            return Some(start(expr)..end(expr));
        }
        match expr {
            Expr::GetAttr(_) | Expr::GetItem(_) if self.is_of_section(expr, "count") => Some(start(expr)..end(expr)),
            Expr::Filter(filter) => {
                let inner = filter.expr.as_ref()?;
                if COUNTING.contains(&filter.name) && self.made_of(inner).is_some() {
                    return Some(start(inner)..bytes(filter.span()).end);
                }
                let is_passing = PASSING.contains(&filter.name);
                self.count(inner).or_else(|| is_passing.then(|| self.arguments(&filter.args)).flatten())
            }
            Expr::Call(call) => self.arguments(&call.args),
            Expr::List(list) => list.items.iter().find_map(|item| self.count(item)),
            Expr::Tuple(tuple) => tuple.items.iter().find_map(|item| self.count(item)),
            Expr::UnaryOp(op) if matches!(op.op, UnaryOpKind::Neg) => self.count(&op.expr),
            Expr::BinOp(op) if matches!(op.op, BinOpKind::ScAnd) => self.count(&op.right),
            Expr::BinOp(op) if is_arithmetic(&op.op) => self.count(&op.left).or_else(|| self.count(&op.right)),
            Expr::IfExpr(cond) => {
                self.count(&cond.true_expr).or_else(|| cond.false_expr.as_ref().and_then(|other| self.count(other)))
            }
            _ => None,
        }
    }

    fn arguments(&self, of: &[CallArg]) -> Option<Range<usize>> {
        of.iter().find_map(|argument| match argument {
            CallArg::Pos(value) | CallArg::Kwarg(_, value) => self.count(value),
            CallArg::PosSplat(_) | CallArg::KwargSplat(_) => None,
        })
    }

    /// Whether an expression is a section, its rows or some of them.
    fn made_of(&self, expr: &Expr) -> Option<Local> {
        if let Some(name) = name(expr)
            && let Some(local) = self.locals.get(&name).filter(|local| !matches!(local, Local::Count(_)))
        {
            return Some(local.clone());
        }
        match expr {
            _ if self.is_section(expr) => Some(Local::Section),
            Expr::GetAttr(_) | Expr::GetItem(_) if self.is_of_section(expr, "rows") => Some(Local::Rows),
            // The first three of them are three.
            Expr::Slice(slice) if slice.stop.is_none() => self.made_of(&slice.expr),
            Expr::Filter(filter) if TAKING.contains(&filter.name) || COUNTING.contains(&filter.name) => None,
            Expr::Filter(filter) if filter.name == "attr" => {
                let asked = filter.args.first();
                let is_rows = matches!(asked, Some(CallArg::Pos(Expr::Const(of))) if of.value.as_str() == Some("rows"));
                (is_rows && self.is_section(filter.expr.as_ref()?)).then_some(Local::Rows)
            }
            Expr::Filter(filter) => match self.made_of(filter.expr.as_ref()?)? {
                Local::Rows if GROUPING.contains(&filter.name) => Some(Local::Groups),
                Local::Section => None,
                rows => Some(rows),
            },
            Expr::BinOp(op) if matches!(op.op, BinOpKind::Add | BinOpKind::ScOr) => {
                self.made_of(&op.left).or_else(|| self.made_of(&op.right))
            }
            Expr::IfExpr(cond) => {
                self.made_of(&cond.true_expr).or_else(|| cond.false_expr.as_ref().and_then(|other| self.made_of(other)))
            }
            _ => None,
        }
    }

    /// `sections.x`, `sections['x']`, or a name for it.
    fn is_section(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Var(name) => matches!(self.locals.get(name.id), Some(Local::Section)),
            Expr::GetAttr(attr) => is_sections(&attr.expr),
            Expr::GetItem(item) => is_sections(&item.expr),
            _ => false,
        }
    }

    /// `sections.x.MEMBER`, however it is written.
    fn is_of_section(&self, expr: &Expr, member: &str) -> bool {
        match expr {
            Expr::GetAttr(attr) => attr.name == member && self.is_section(&attr.expr),
            Expr::GetItem(item) => {
                let named = matches!(&item.subscript_expr, Expr::Const(name) if name.value.as_str() == Some(member));
                named && self.is_section(&item.expr)
            }
            _ => false,
        }
    }
}

fn is_sections(expr: &Expr) -> bool {
    matches!(expr, Expr::Var(name) if name.id == "sections")
}

/// `loop.MEMBER`, of one of some members.
fn is_of_loop(expr: &Expr, members: &[&str]) -> bool {
    let Expr::GetAttr(attr) = expr else { return false };
    members.contains(&attr.name) && matches!(&attr.expr, Expr::Var(name) if name.id == "loop")
}

/// `a` or `a.b`.
fn name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Var(name) => Some(name.id.to_owned()),
        Expr::GetAttr(attr) => match &attr.expr {
            Expr::Var(name) => Some(format!("{}.{}", name.id, attr.name)),
            _ => None,
        },
        _ => None,
    }
}

const fn is_arithmetic(op: &BinOpKind) -> bool {
    use BinOpKind::{Add, Concat, Div, FloorDiv, Mul, Pow, Rem, ScOr, Sub};
    matches!(op, Add | Sub | Mul | Div | FloorDiv | Rem | Pow | Concat | ScOr)
}

fn end(expr: &Expr) -> usize {
    bytes(expr.span()).end
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
            "{{ sections.a['rows'] | list | length }}{{ sections.a | attr('rows') | count }}",
            "{{ sections.a.rows[3:] | length }} others",
            "{{ sections.a.rows | length or 'no' }}",
            "{{ '%d rows' | format(sections.a.rows | length) }}",
            "{{ sections.a.rows | map(attribute='x') | unique | list | count }}",
            "{{ sections.a.rows | groupby('x') | length }}",
            "{% for x, group in sections.a.rows | groupby('x') %}{{ x }}: {{ group | length }}{% endfor %}",
            "{% for row in sections.a.rows %}{{ row.x }} of {{ loop.length }}{% endfor %}",
            "{% for row in sections.a.rows if row.x %}{% if loop.last %}{{ loop.index }} of them{% endif %}{% endfor %}",
            "{% set ns = namespace(n=0) %}{% for row in sections.a.rows %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}",
            "{% set ns = namespace(n=0) %}{% for row in sections.a.rows %}{% set ns.n = row.x + ns.n %}{% endfor %}{{ ns.n }}",
            "{% set ns = namespace(n=0) %}{% for row in sections.a.rows %}{% set ns.n = loop.index %}{% endfor %}{{ ns.n }}",
            "{% set ns = namespace(all=[]) %}{% for row in sections.a.rows %}{% set ns.all = ns.all + [row.x] %}{% endfor %}\
             {{ ns.all | length }}",
            "{% set s = sections.a %}{{ s.rows | length }}",
            "{% for name, s in sections | items %}{{ name }}: {{ s.count }}{% endfor %}",
            "{% for s in [sections.a, sections.b] %}{{ s.rows | length }}{% endfor %}",
            "{% set n = 0 %}{% if sections.a is defined %}{% set n = sections.a.rows | length %}{% else %}{% set n = 1 %}\
             {% endif %}{{ n }}",
            "{% set all = sections.a.rows if sections.a is defined else [] %}{{ all | length }}",
            "{% set all = sections.a.rows + sections.b.rows %}{{ all | length }}",
            "{% set said %}{{ sections.a.rows | length }} rows{% endset %}{{ said }}",
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
            "{% for row in sections.a.rows %}{{ loop.index }}. {{ row.x }}{% if not loop.last %}, {% endif %}{% endfor %}",
            "{% for tag in row.tags %}{{ loop.length }}{% endfor %}",
            "{% for row in sections.a.rows[:3] %}{{ loop.length }}{% endfor %}",
            "{% for row in sections.a.rows %}{% for tag in row.tags %}{{ loop.length }}{% endfor %}{% endfor %}",
            "{% set ns = namespace(t='') %}{% for row in sections.a.rows %}{% set ns.t = ns.t + ', ' %}{% endfor %}{{ ns.t }}",
            "{% set ns = namespace(t='') %}{% for row in sections.a.rows %}{% set ns.t = ns.t ~ row.x %}{% endfor %}{{ ns.t }}",
            "{% set s = sections.a %}{{ s.total }} {{ s | tally('x', 'equalto', 1) }}",
            "{{ 'none' if not sections.a.rows | length }}",
        ] {
            assert!(counted(text).is_empty(), "{text}");
        }
        let text = "All: {{ sections.a.rows | length }}.";
        assert_eq!(counted(text).first().map(|range| &text[range.clone()]), Some("sections.a.rows | length"));
    }
}
