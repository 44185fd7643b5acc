//! What a template does, read from minijinja's own syntax tree: variables, filters, tests, functions, and every
//! piece that it prints, with bytes of the template.
//!
//! The tree is minijinja's `unstable_machinery`; `template/growth` alone knows it beside this module.

mod counted;
mod depth;
mod variants;

use std::ops::Range;

use minijinja::machinery::{Span, ast, parse, parse_expr};

pub(super) use counted::counted;
pub(super) use variants::{NoVariants, ORGANISATION, SPLICED, Variant, WORKSPACE, variants};

/// What a template does.
#[derive(Debug, Default)]
pub(super) struct Analysis {
    /// Uses of variables that the template does not set itself.
    pub(super) variables: Vec<Variable>,
    /// Uses of filters, tests and functions.
    pub(super) calls: Vec<Call>,
    /// Parts of the language that not every template may use.
    pub(super) features: Vec<Feature>,
    /// What is printed, in the order of the text.
    pub(super) pieces: Vec<Piece>,
}

/// A use of a variable.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) name: String,
    /// `b` and `c` of `a.b.c`.
    pub(super) attributes: Vec<String>,
    /// The variable with its attributes.
    pub(super) range: Range<usize>,
    /// Whether it stands in a context that copes with an undefined attribute, such as `a.b is defined`.
    pub(super) optional: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) what: Callee,
    pub(super) name: String,
    pub(super) range: Range<usize>,
    /// Constant text arguments, in order.
    pub(super) arguments: Vec<String>,
    /// Whether it is a filter whose result is printed as it is, applied to a bare variable.
    pub(super) prints_variable: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Callee {
    Filter,
    Test,
    Function,
    /// `a.b()`, of anything but `loop`.
    Method,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Feature {
    pub(super) kind: FeatureKind,
    pub(super) range: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FeatureKind {
    /// `{% set x %}…{% endset %}`
    Capture,
    Macro,
    Call,
    FilterBlock,
    /// `{% include %}`, `{% import %}`, `{% extends %}`, `{% block %}`
    OtherTemplate,
    Autoescape,
    Do,
}

/// Something that ends up in the output.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) range: Range<usize>,
    pub(super) content: Content,
    /// Blocks around it: 0 is printed always.
    pub(super) depth: usize,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Text as it is.
    Text,
    /// A value; the name where it is a bare variable.
    Value(Option<String>),
    /// The result of `| ident`.
    Identifier,
    /// The beginning of a branch or of another turn of a loop: what is read next follows what stood before the
    /// block, not what stood before this mark.
    Branch,
    /// The end of the block that the last unfinished branch belongs to.
    End,
}

/// Why a template cannot be parsed.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) message: String,
    pub(super) range: Range<usize>,
}

/// Reads a template.
pub(super) fn template(text: &str) -> Result<Analysis, Broken> {
    if let Some(broken) = depth::too_deep(text, false) {
        return Err(broken);
    }
    let tree = parse(text, "<template>", Default::default()).map_err(|error| broken(text, &error))?;
    let mut walk = Walk { text, ..Walk::default() };
    walk.statement(&tree);
    Ok(walk.found)
}

/// Reads an expression.
pub(super) fn expression(text: &str) -> Result<Analysis, Broken> {
    if let Some(broken) = depth::too_deep(text, true) {
        return Err(broken);
    }
    let tree = parse_expr(text).map_err(|error| broken(text, &error))?;
    let mut walk = Walk { text, ..Walk::default() };
    walk.expression(&tree, false);
    Ok(walk.found)
}

fn broken(text: &str, error: &minijinja::Error) -> Broken {
    let message = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    let range = error.range().filter(|range| text.get(range.clone()).is_some()).unwrap_or_else(|| {
        let line = error.line().unwrap_or(1).saturating_sub(1);
        let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        start..start + text.get(start..).and_then(|rest| rest.lines().next()).map_or(0, str::len)
    });
    Broken { message, range }
}

#[derive(Default)]
struct Walk<'t> {
    text: &'t str,
    found: Analysis,
    /// Names that the template has set so far.
    locals: Vec<String>,
    depth: usize,
}

impl<'t> Walk<'t> {
    fn body(&mut self, body: &[ast::Stmt<'t>]) {
        body.iter().for_each(|statement| self.statement(statement));
    }

    /// A body whose names end with it.
    fn scope(&mut self, body: &[ast::Stmt<'t>]) {
        let outer = self.locals.len();
        self.body(body);
        self.locals.truncate(outer);
    }

    fn branch(&mut self, at: usize, body: &[ast::Stmt<'t>]) {
        self.piece(at..at, Content::Branch);
        self.depth += 1;
        self.body(body);
        self.depth -= 1;
    }

    fn piece(&mut self, range: Range<usize>, content: Content) {
        self.found.pieces.push(Piece { range, content, depth: self.depth });
    }

    fn feature(&mut self, kind: FeatureKind, span: Span) {
        self.found.features.push(Feature { kind, range: bytes(span) });
    }

    fn statement(&mut self, statement: &ast::Stmt<'t>) {
        match statement {
            ast::Stmt::Template(template) => self.body(&template.children),
            ast::Stmt::EmitRaw(raw) => {
                // The raw text borrows from the template, so its place is known exactly.
                let start = (raw.raw.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
                let range = start..start.saturating_add(raw.raw.len());
                if self.text.get(range.clone()) == Some(raw.raw) {
                    self.piece(range, Content::Text);
                }
            }
            ast::Stmt::EmitExpr(emit) => self.print(&emit.expr, emit.span()),
            ast::Stmt::IfCond(cond) => {
                self.expression(&cond.expr, false);
                let span = bytes(cond.span());
                self.branch(span.start, &cond.true_body);
                self.branch(span.start, &cond.false_body);
                self.piece(span.end..span.end, Content::End);
            }
            ast::Stmt::ForLoop(each) => {
                self.expression(&each.iter, false);
                let outer = self.locals.len();
                self.locals.push("loop".to_owned());
                self.assign(&each.target);
                if let Some(filter) = &each.filter_expr {
                    self.expression(filter, false);
                }
                let span = bytes(each.span());
                self.branch(span.start, &each.body);
                self.locals.truncate(outer);
                self.branch(span.start, &each.else_body);
                self.piece(span.end..span.end, Content::End);
            }
            ast::Stmt::WithBlock(with) => {
                let outer = self.locals.len();
                for (target, value) in &with.assignments {
                    self.expression(value, false);
                    self.assign(target);
                }
                self.body(&with.body);
                self.locals.truncate(outer);
            }
            ast::Stmt::Set(set) => {
                self.expression(&set.expr, false);
                self.assign(&set.target);
            }
            ast::Stmt::SetBlock(set) => {
                self.feature(FeatureKind::Capture, set.span());
                if let Some(filter) = &set.filter {
                    self.expression(filter, false);
                }
                self.scope(&set.body);
                self.assign(&set.target);
            }
            ast::Stmt::AutoEscape(block) => {
                self.feature(FeatureKind::Autoescape, block.span());
                self.expression(&block.enabled, false);
                self.scope(&block.body);
            }
            ast::Stmt::FilterBlock(block) => {
                self.feature(FeatureKind::FilterBlock, block.span());
                self.expression(&block.filter, false);
                self.scope(&block.body);
            }
            ast::Stmt::Block(block) => {
                self.feature(FeatureKind::OtherTemplate, block.span());
                self.scope(&block.body);
            }
            ast::Stmt::Import(import) => {
                self.feature(FeatureKind::OtherTemplate, import.span());
                self.assign(&import.name);
            }
            ast::Stmt::FromImport(import) => {
                self.feature(FeatureKind::OtherTemplate, import.span());
                for (name, alias) in &import.names {
                    self.assign(alias.as_ref().unwrap_or(name));
                }
            }
            ast::Stmt::Extends(extends) => self.feature(FeatureKind::OtherTemplate, extends.span()),
            ast::Stmt::Include(include) => self.feature(FeatureKind::OtherTemplate, include.span()),
            ast::Stmt::Macro(declared) => {
                self.feature(FeatureKind::Macro, declared.span());
                self.locals.push(declared.name.to_owned());
                self.macro_body(declared);
            }
            ast::Stmt::CallBlock(block) => {
                self.feature(FeatureKind::Call, block.span());
                self.call(&block.call);
                self.macro_body(&block.macro_decl);
            }
            ast::Stmt::Do(call) => {
                self.feature(FeatureKind::Do, call.span());
                self.call(&call.call);
            }
            ast::Stmt::Continue(_) | ast::Stmt::Break(_) => {}
        }
    }

    fn macro_body(&mut self, declared: &ast::Macro<'t>) {
        let outer = self.locals.len();
        declared.defaults.iter().for_each(|value| self.expression(value, false));
        declared.args.iter().for_each(|argument| self.assign(argument));
        self.locals.push("caller".to_owned());
        self.body(&declared.body);
        self.locals.truncate(outer);
    }

    fn print(&mut self, expr: &ast::Expr<'t>, span: Span) {
        let content = match expr {
            ast::Expr::Filter(filter) if filter.name == "ident" => Content::Identifier,
            ast::Expr::Var(var) => Content::Value(Some(var.id.to_owned())),
            _ => Content::Value(None),
        };
        let seen = self.found.calls.len();
        self.expression(expr, false);
        if let ast::Expr::Filter(filter) = expr
            && let Some(ast::Expr::Var(var)) = &filter.expr
            && let Some(call) = self.found.calls.get_mut(seen)
        {
            call.prints_variable = Some(var.id.to_owned());
        }
        let mut range = bytes(span);
        // The tree's span leaves out the closing braces.
        range.end += self.text.get(range.end..).and_then(|rest| rest.find("}}")).map_or(0, |at| at + 2);
        self.piece(range, content);
    }

    fn assign(&mut self, target: &ast::Expr<'t>) {
        match target {
            ast::Expr::Var(var) => self.locals.push(var.id.to_owned()),
            ast::Expr::List(list) => list.items.iter().for_each(|item| self.assign(item)),
            ast::Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.assign(item)),
            _ => {}
        }
    }

    fn expression(&mut self, expr: &ast::Expr<'t>, optional: bool) {
        match expr {
            ast::Expr::Var(var) => self.variable(var.id, Vec::new(), bytes(var.span()), optional),
            ast::Expr::Const(_) => {}
            ast::Expr::GetAttr(_) | ast::Expr::GetItem(_) => self.path(expr, optional),
            ast::Expr::Slice(slice) => {
                self.expression(&slice.expr, optional);
                for part in [&slice.start, &slice.stop, &slice.step].into_iter().flatten() {
                    self.expression(part, false);
                }
            }
            ast::Expr::UnaryOp(op) => self.expression(&op.expr, optional),
            ast::Expr::BinOp(op) => {
                self.expression(&op.left, false);
                self.expression(&op.right, false);
            }
            ast::Expr::Compare(compare) => {
                self.expression(&compare.expr, false);
                compare.ops.iter().for_each(|op| self.expression(&op.expr, false));
            }
            ast::Expr::IfExpr(cond) => {
                self.expression(&cond.test_expr, false);
                self.expression(&cond.true_expr, false);
                if let Some(other) = &cond.false_expr {
                    self.expression(other, false);
                }
            }
            ast::Expr::Filter(filter) => {
                let range = self.name_range(filter.name, filter.span(), filter.expr.as_ref());
                self.called(Callee::Filter, filter.name, range, &filter.args);
                if let Some(inner) = &filter.expr {
                    self.expression(inner, matches!(filter.name, "default" | "d"));
                }
                self.arguments(&filter.args);
            }
            ast::Expr::Test(test) => {
                let range = self.name_range(test.name, test.span(), Some(&test.expr));
                self.called(Callee::Test, test.name, range, &test.args);
                self.expression(&test.expr, matches!(test.name, "defined" | "undefined"));
                self.arguments(&test.args);
            }
            ast::Expr::Call(call) => self.call(call),
            ast::Expr::List(list) => list.items.iter().for_each(|item| self.expression(item, false)),
            ast::Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.expression(item, false)),
            ast::Expr::Map(map) => map.keys.iter().chain(&map.values).for_each(|item| self.expression(item, false)),
        }
    }

    /// `a.b['c']` as one use of `a`; whatever is not constant is looked at by itself.
    fn path(&mut self, expr: &ast::Expr<'t>, optional: bool) {
        let mut attributes = Vec::new();
        let mut current = expr;
        // Attributes behind a computed subscript say nothing about the variable itself.
        let mut known = true;
        loop {
            match current {
                ast::Expr::GetAttr(attr) => {
                    attributes.push(attr.name.to_owned());
                    current = &attr.expr;
                }
                ast::Expr::GetItem(item) => {
                    match item.subscript_expr.as_const().and_then(|value| value.as_str().map(str::to_owned)) {
                        Some(name) => attributes.push(name),
                        None => {
                            self.expression(&item.subscript_expr, false);
                            attributes.clear();
                            known = false;
                        }
                    }
                    current = &item.expr;
                }
                ast::Expr::Var(var) => {
                    attributes.reverse();
                    let end = if known { bytes(expr.span()).end } else { bytes(var.span()).end };
                    let start = bytes(var.span()).start;
                    return self.variable(var.id, attributes, start..end.max(start), optional);
                }
                other => return self.expression(other, optional),
            }
        }
    }

    fn variable(&mut self, name: &str, attributes: Vec<String>, range: Range<usize>, optional: bool) {
        if !self.locals.iter().any(|local| local == name) {
            self.found.variables.push(Variable { name: name.to_owned(), attributes, range, optional });
        }
    }

    fn call(&mut self, call: &ast::Spanned<ast::Call<'t>>) {
        match &call.expr {
            ast::Expr::Var(var) => {
                if !self.locals.iter().any(|local| local == var.id) {
                    self.called(Callee::Function, var.id, bytes(var.span()), &call.args);
                }
            }
            // A method: what it is called on is a use of a variable.
            ast::Expr::GetAttr(attr) => {
                if !matches!(&attr.expr, ast::Expr::Var(var) if var.id == "loop") {
                    let range = self.name_range(attr.name, attr.span(), Some(&attr.expr));
                    self.called(Callee::Method, attr.name, range, &call.args);
                }
                self.expression(&attr.expr, false);
            }
            other => self.expression(other, false),
        }
        self.arguments(&call.args);
    }

    fn arguments(&mut self, arguments: &[ast::CallArg<'t>]) {
        for argument in arguments {
            match argument {
                ast::CallArg::Pos(expr)
                | ast::CallArg::Kwarg(_, expr)
                | ast::CallArg::PosSplat(expr)
                | ast::CallArg::KwargSplat(expr) => self.expression(expr, false),
            }
        }
    }

    fn called(&mut self, what: Callee, name: &str, range: Range<usize>, arguments: &[ast::CallArg<'t>]) {
        let constants = arguments.iter().filter_map(|argument| match argument {
            ast::CallArg::Pos(expr) => expr.as_const()?.as_str().map(str::to_owned),
            _ => None,
        });
        let arguments = constants.collect();
        self.found.calls.push(Call { what, name: name.to_owned(), range, arguments, prints_variable: None });
    }

    /// The bytes of a filter's or test's name: it stands behind what it is applied to.
    fn name_range(&self, name: &str, span: Span, applied_to: Option<&ast::Expr<'t>>) -> Range<usize> {
        let whole = bytes(span);
        let from = applied_to.map_or(whole.start, |expr| bytes(expr.span()).end).max(whole.start);
        let found = self.text.get(from..).and_then(|rest| rest.find(name)).map(|at| from + at);
        found.map_or(whole, |start| start..start + name.len())
    }
}

fn bytes(span: Span) -> Range<usize> {
    span.start_offset as usize..span.end_offset.max(span.start_offset) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let found = template(text).unwrap();
        found.variables.iter().map(|v| text[v.range.clone()].to_owned()).collect()
    }

    #[test]
    fn free_variables_are_found_with_their_places() {
        for (text, expected) in [
            ("{{ a }} {{ b.c['d'] }} {{ e[f].g }}", vec!["a", "b.c['d']", "f", "e"]),
            ("{% set x = y %}{{ x }}{{ z }}", vec!["y", "z"]),
            ("{% for r in rows if r.a %}{{ r.b }}{{ loop.index }}{% else %}{{ r }}{% endfor %}", vec!["rows", "r"]),
            ("{% with a = b %}{{ a }}{% endwith %}{{ a }}", vec!["b", "a"]),
            ("{{ x | default(y) }}{{ f(z) }}{{ s.m(t) }}", vec!["x", "y", "z", "s", "t"]),
        ] {
            assert_eq!(names(text), expected, "{text}");
        }
    }

    #[test]
    fn calls_are_found_with_their_names() {
        let text = "{{ floor | floor('1h') }}{% if x is defined %}{{ range(3) }}{% endif %}";
        let found = template(text).unwrap();
        let calls: Vec<_> = found.calls.iter().map(|c| (c.what, &text[c.range.clone()], c.range.start)).collect();
        assert_eq!(
            calls,
            [(Callee::Filter, "floor", 11), (Callee::Test, "defined", 36), (Callee::Function, "range", 49)]
        );
        assert_eq!(found.calls[0].prints_variable.as_deref(), Some("floor"));
        assert_eq!(found.calls[0].arguments, ["1h"]);
    }

    #[test]
    fn pieces_are_in_order_with_their_depth() {
        let text = "a {{ b }}{% if c %} d {{ e | ident }}{% else %}f{% endif %} g";
        let found = template(text).unwrap();
        let pieces: Vec<_> = found.pieces.iter().map(|p| (&text[p.range.clone()], p.depth)).collect();
        assert_eq!(
            pieces.iter().filter(|(text, _)| !text.is_empty()).copied().collect::<Vec<_>>(),
            [("a ", 0), ("{{ b }}", 0), (" d ", 1), ("{{ e | ident }}", 1), ("f", 1), (" g", 0)]
        );
    }
}
