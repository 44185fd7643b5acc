//! Texts that a template makes are bounded while it makes them: fuel counts instructions, and thirty of them can double
//! a text until memory is gone.
//!
//! What is printed is counted by the formatter, in blocks that are captured too. An operator has no hook, so a template
//! is compiled with a filter behind every `~`, `+` and `*` and every list or map that is written out ([`guarded`]);
//! filters that multiply their input are asked before they run. A text that an author repeats inside a captured block
//! without printing anything is bounded by fuel alone.

use std::fmt::{self, Write};

use minijinja::{
    Environment, Error, ErrorKind, Output, State, Value, filters,
    machinery::{Span, ast, parse},
    value::{Kwargs, Rest},
};

/// Longest text that a template may make, printed or not, in bytes.
pub(super) const LONGEST: usize = 8 << 20;
/// Behind every operator that can make a text longer; no author can write it.
const GUARD: &str = "__bounded";
/// A variable of renderings in which what is not there is no text; no author can write it.
pub(super) const WORD: &str = "__word";
/// How much a rendering has printed.
const PRINTED: &str = "printed";

/// The template with the guard behind everything that can make a text longer; lines stay lines.
pub(super) fn guarded(text: &str) -> Result<String, Error> {
    let mut walk = Walk::default();
    walk.statement(&parse(text, "<template>", Default::default())?);
    let mut pieces: Vec<(usize, &str)> = Vec::with_capacity(walk.0.len() * 2);
    let close = format!(")|{GUARD}");
    for span in &walk.0 {
        pieces.push((span.start_offset as usize, "("));
        pieces.push((span.end_offset as usize, &close));
    }
    // Where one expression ends and another begins there is always something between them.
    pieces.sort_by_key(|(at, _)| *at);
    let (mut out, mut done) = (String::with_capacity(text.len() + pieces.len() * 8), 0);
    for (at, piece) in pieces {
        out.push_str(text.get(done..at).unwrap_or_default());
        out.push_str(piece);
        done = at;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Ok(out)
}

/// The same of a text that may not compile: it is refused when it is rendered.
pub(super) fn guarded_or_as_it_is(text: &str) -> String {
    guarded(text).unwrap_or_else(|_| text.to_owned())
}

/// Puts the guard, and filters that ask before they multiply, into an environment.
pub(super) fn bound(env: &mut Environment<'_>) {
    env.add_filter(GUARD, |value: Value| sized(&value).map(|_| value));
    env.add_filter("replace", |value: &str, from: &str, to: &str| {
        let found = if from.is_empty() { value.chars().count() + 1 } else { value.matches(from).count() };
        fits(found.saturating_mul(to.len()).saturating_add(value.len()))?;
        Ok::<_, Error>(value.replace(from, to))
    });
    let multiplying = [
        ("join", Value::from_function(filters::join)),
        ("indent", Value::from_function(filters::indent)),
        ("format", Value::from_function(filters::format)),
        ("tojson", Value::from_function(filters::tojson)),
        ("pprint", Value::from_function(filters::pprint)),
        ("string", Value::from_function(filters::string)),
    ];
    for (name, original) in multiplying {
        env.add_filter(name, move |state: &mut State, value: Value, rest: Rest<Value>, named: Kwargs| {
            foreseen(name, &value, &rest, &named)?;
            let mut arguments: Vec<Value> = std::iter::once(value).chain(rest.0).collect();
            if named.args().next().is_some() {
                arguments.push(named.into());
            }
            let made = original.call(state, &arguments)?;
            sized(&made)?;
            Ok::<_, Error>(made)
        });
    }
}

/// Counts what is printed; the text of a value that fits.
pub(super) fn printed(state: &mut State, value: &Value) -> Result<String, Error> {
    let before = state.get_temp(PRINTED).and_then(|printed| printed.as_usize()).unwrap_or(0);
    if value.as_str().is_none() {
        sized(value)?;
    }
    let mut text = Bounded { text: String::new(), left: LONGEST.saturating_sub(before) };
    write!(text, "{value}").map_err(|_| too_long())?;
    state.set_temp(PRINTED, Value::from(before + text.text.len()));
    Ok(text.text)
}

/// Writes to the output of a rendering; what is not printed by the template is printed here.
pub(super) fn plainly(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    if value.is_none() && state.lookup(WORD).is_some() {
        return Ok(());
    }
    let text = printed(state, value)?;
    out.write_str(&text).map_err(|_| Error::from(ErrorKind::WriteFailure))
}

/// Whether a filter may run: what comes out is about as long as what goes in, but for what its arguments add.
fn foreseen(name: &str, value: &Value, arguments: &[Value], named: &Kwargs) -> Result<(), Error> {
    let length = sized(value)?;
    let names: Vec<&str> = named.args().collect();
    let named = names.into_iter().filter_map(|name| named.get::<Value>(name).ok());
    let arguments: Vec<Value> = arguments.iter().cloned().chain(named).collect();
    let texts = arguments.iter().filter_map(Value::as_str).map(str::len).max().unwrap_or(0);
    let number = arguments.iter().filter_map(Value::as_usize).max().unwrap_or(0);
    let times = match name {
        "join" => value.len().unwrap_or(0).saturating_mul(texts),
        // A line each of that width.
        "indent" | "tojson" => length.saturating_add(1).saturating_mul(number.saturating_add(1)),
        "format" => widths(value.as_str().unwrap_or_default()).saturating_add(texts.saturating_mul(length)),
        _ => 0,
    };
    fits(length.saturating_add(times))
}

/// The widths and precisions of a format, added up.
fn widths(format: &str) -> usize {
    let numbers = format.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    numbers.map(|digits| digits.parse().unwrap_or(usize::MAX)).fold(0, usize::saturating_add)
}

/// The length of a value as text, or a little more, if that is allowed.
fn sized(value: &Value) -> Result<usize, Error> {
    match value.as_str() {
        Some(text) => fits(text.len()).map(|()| text.len()),
        None => {
            let mut counted = Counted(0);
            write!(counted, "{value}").map_err(|_| too_long())?;
            // An object may go on after a failure to write.
            fits(counted.0).map(|()| counted.0)
        }
    }
}

fn fits(length: usize) -> Result<(), Error> {
    if length > LONGEST { Err(too_long()) } else { Ok(()) }
}

fn too_long() -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("the template makes a text of more than {} MiB", LONGEST >> 20))
}

struct Counted(usize);

impl Write for Counted {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // A list of lists costs more to look at than its brackets say.
        self.0 += text.len() + 16;
        if self.0 > LONGEST { Err(fmt::Error) } else { Ok(()) }
    }
}

struct Bounded {
    text: String,
    left: usize,
}

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.left = self.left.checked_sub(text.len()).ok_or(fmt::Error)?;
        self.text.push_str(text);
        Ok(())
    }
}

/// Places of expressions whose value can be longer than what it is made of.
#[derive(Default)]
struct Walk(Vec<Span>);

impl Walk {
    fn all(&mut self, body: &[ast::Stmt]) {
        body.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &ast::Stmt) {
        match statement {
            ast::Stmt::Template(template) => self.all(&template.children),
            ast::Stmt::EmitExpr(emit) => self.expression(&emit.expr),
            ast::Stmt::IfCond(cond) => {
                self.expression(&cond.expr);
                self.all(&cond.true_body);
                self.all(&cond.false_body);
            }
            ast::Stmt::ForLoop(each) => {
                self.expression(&each.iter);
                each.filter_expr.iter().for_each(|filter| self.expression(filter));
                self.all(&each.body);
                self.all(&each.else_body);
            }
            ast::Stmt::WithBlock(with) => {
                with.assignments.iter().for_each(|(_, value)| self.expression(value));
                self.all(&with.body);
            }
            ast::Stmt::Set(set) => self.expression(&set.expr),
            ast::Stmt::SetBlock(set) => {
                set.filter.iter().for_each(|filter| self.expression(filter));
                self.all(&set.body);
            }
            ast::Stmt::AutoEscape(block) => self.all(&block.body),
            ast::Stmt::FilterBlock(block) => {
                self.expression(&block.filter);
                self.all(&block.body);
            }
            ast::Stmt::Block(block) => self.all(&block.body),
            ast::Stmt::Macro(declared) => self.macro_body(declared),
            ast::Stmt::CallBlock(block) => {
                self.arguments(&block.call.args);
                self.macro_body(&block.macro_decl);
            }
            ast::Stmt::Do(call) => self.arguments(&call.call.args),
            ast::Stmt::EmitRaw(_)
            | ast::Stmt::Import(_)
            | ast::Stmt::FromImport(_)
            | ast::Stmt::Extends(_)
            | ast::Stmt::Include(_)
            | ast::Stmt::Continue(_)
            | ast::Stmt::Break(_) => {}
        }
    }

    fn macro_body(&mut self, declared: &ast::Macro) {
        declared.defaults.iter().for_each(|value| self.expression(value));
        self.all(&declared.body);
    }

    fn expression(&mut self, expression: &ast::Expr) {
        match expression {
            ast::Expr::Var(_) | ast::Expr::Const(_) => {}
            ast::Expr::GetAttr(attr) => self.expression(&attr.expr),
            ast::Expr::GetItem(item) => {
                self.expression(&item.expr);
                self.expression(&item.subscript_expr);
            }
            ast::Expr::Slice(slice) => {
                self.expression(&slice.expr);
                [&slice.start, &slice.stop, &slice.step].into_iter().flatten().for_each(|part| self.expression(part));
            }
            ast::Expr::UnaryOp(op) => self.expression(&op.expr),
            ast::Expr::BinOp(op) => {
                if matches!(op.op, ast::BinOpKind::Add | ast::BinOpKind::Concat | ast::BinOpKind::Mul) {
                    self.0.push(op.span());
                }
                self.expression(&op.left);
                self.expression(&op.right);
            }
            ast::Expr::Compare(compare) => {
                self.expression(&compare.expr);
                compare.ops.iter().for_each(|op| self.expression(&op.expr));
            }
            ast::Expr::IfExpr(cond) => {
                self.expression(&cond.test_expr);
                self.expression(&cond.true_expr);
                cond.false_expr.iter().for_each(|other| self.expression(other));
            }
            ast::Expr::Filter(filter) => {
                filter.expr.iter().for_each(|inner| self.expression(inner));
                self.arguments(&filter.args);
            }
            ast::Expr::Test(test) => {
                self.expression(&test.expr);
                self.arguments(&test.args);
            }
            ast::Expr::Call(call) => {
                self.expression(&call.expr);
                self.arguments(&call.args);
            }
            ast::Expr::List(list) => self.made(list.span(), expression, list.items.iter()),
            ast::Expr::Map(map) => self.made(map.span(), expression, map.keys.iter().chain(&map.values)),
            ast::Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.expression(item)),
        }
    }

    /// A list or map of values: it may hold itself twice, again and again.
    fn made<'a, 't: 'a>(&mut self, span: Span, whole: &ast::Expr<'t>, items: impl Iterator<Item = &'a ast::Expr<'t>>) {
        if whole.as_const().is_none() {
            self.0.push(span);
        }
        items.for_each(|item| self.expression(item));
    }

    fn arguments(&mut self, arguments: &[ast::CallArg]) {
        for argument in arguments {
            match argument {
                ast::CallArg::Pos(expr)
                | ast::CallArg::Kwarg(_, expr)
                | ast::CallArg::PosSplat(expr)
                | ast::CallArg::KwargSplat(expr) => self.expression(expr),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use minijinja::{Environment, context};

    use crate::template::{Flavour, Templates};

    #[test]
    fn no_template_makes_a_text_that_fills_the_memory() {
        let double = |how: &str| {
            format!(
                "{{% set ns = namespace(v='xxxxxxxxxxxxxxxx', l=[1]) %}}{{% for i in range(60) %}}{how}{{% endfor %}}{{{{ ns.v }}}}"
            )
        };
        let straight = "{% set v = 'x' * 1000 %}".to_owned() + &"{% set v = v ~ v %}".repeat(60) + "{{ v }}";
        let recursive = "{% macro f(v, n) %}{% if n %}{{ f(v ~ v, n - 1) }}{% else %}{{ v }}{% endif %}{% endmacro %}{{ f('xxxxxxxx', 60) }}";
        for text in [
            double("{% set ns.v = ns.v ~ ns.v %}"),
            double("{% set ns.v = ns.v + ns.v %}"),
            double("{% set ns.v = (ns.v|trim) ~ ns.v|trim %}"),
            double("{% set ns.v = ns.v * 2 %}"),
            double("{% set ns.v = ns.v * 1000000 %}"),
            double("{% set ns.v = [ns.v, ns.v]|join %}"),
            double("{% set ns.v = [ns.v, '']|join(ns.v) %}"),
            double("{% set ns.v = ns.v|replace('x', ns.v) %}"),
            double("{% set ns.v = ns.v|replace('', ns.v) %}"),
            double("{% set ns.v = '%s%s'|format(ns.v, ns.v) %}"),
            double("{% set ns.v = '%1000000000d'|format(1) %}"),
            double("{% set ns.v = ('a\\nb')|indent(1000000000) %}"),
            double("{% set ns.v = [1]|tojson(indent=1000000000) %}"),
            double("{% set ns.v %}{{ ns.v }}{{ ns.v }}{% endset %}"),
            double("{% set ns.l = [ns.l, ns.l] %}") + "{{ ns.l }}",
            double("{% set ns.l = [ns.l, ns.l] %}") + "{{ ns.l ~ '' }}",
            double("{% set ns.l = {'a': ns.l, 'b': ns.l} %}") + "{{ ns.l|tojson }}",
            double("{% for j in range(1000) %}{{ 'x' * 100000 }}{% endfor %}"),
            straight,
            recursive.to_owned(),
        ] {
            let again = if text.contains("ns.l,") { None } else { Some(Flavour::Evidence) };
            for flavour in std::iter::once(Flavour::Plain).chain(again) {
                let mut templates = Templates::default();
                templates.add(flavour, "grow", &text).unwrap();
                match (templates.render(flavour, "grow", context! {}), flavour) {
                    (Err(error), _) => assert!(
                        error.message.contains("more than 8 MiB") || error.message.contains("too large"),
                        "{text}: {error}"
                    ),
                    // A value in a sentence is cut each time that it is printed.
                    (Ok(said), Flavour::Evidence) => assert!(said.len() < 1000, "{text}"),
                    (Ok(_), Flavour::Plain) => panic!("{text}"),
                }
            }
        }
    }

    #[test]
    fn guarded_templates_say_what_they_said() {
        for text in [
            "{{ 1 + 2 * 3 }} {{ (1 + 2) * 3 }}",
            "{{ 'a' ~ 'b'|upper ~ 1 ~ (2 + 1) }}",
            "{{ ('a' ~ x)|upper }} {{ x ~ 'a' is string }} {{ (x ~ 'a') is string }}",
            "{{ -1 + 2 }} {{ not x ~ '' }} {{ x ~ -1 }} {{ 2 * -3 }} {{ x * 3 }}",
            "{% set l = [x, x ~ 'c'] + [1] %}{{ l|join('-') }} {{ l[0] ~ l[1] }} {{ l }}",
            "{% set m = {'a': x ~ x} %}{{ m.a ~ m['a'] }} {{ m|tojson }} {{ [x]|tojson(indent=2) }} {{ m }}",
            "{{ [x, x]\n ~ 1 if x ~ '' == 'b' else 2 * 2 }}",
            "{{ 'a.b'|replace('.', x) }} {{ '%s-%05.1f'|format(x, 2) }} {{ 'a\nb'|indent(2) }} {{ 'a\nb'|indent(width=3) }}",
            "{% for i in [x, x ~ x] if i ~ '' != 'b' %}{{ loop.index + 1 }}{{ i }}{% endfor %}",
            "{% macro f(a, b='c' ~ 'd') %}{{ a ~ b }}{% endmacro %}{{ f(x ~ x) ~ f(a=x, b=x * 2) }}",
        ] {
            let mut templates = Templates::default();
            templates.add(Flavour::Plain, "said", text).unwrap();
            let mut bare = Environment::new();
            bare.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
            let said = bare.render_str(text, context! { x => "b" }).unwrap();
            assert_eq!(templates.render(Flavour::Plain, "said", context! { x => "b" }).unwrap(), said, "{text}");
        }
    }
}
