//! The texts that a SQL template can become, and where each part of them stands in the template.
//!
//! What shapes a statement is which branches are taken, not the values that are bound, so every combination of
//! branches is written once: a proof over all of them holds for whatever a caller passes. The bound organisation is
//! told apart from other values by its placeholder.

use std::ops::Range;

use minijinja::machinery::{
    ast::{BinOpKind, CompareOpKind, Expr, IfCond, Stmt, UnaryOpKind},
    parse,
};

use super::bytes;
use crate::sql::{
    Dialect,
    lex::{self, Kind},
};

/// Stands where the organisation of the call is bound.
pub(in crate::check) const ORGANISATION: &str = "$1";
/// Stands where the workspace of the call is bound.
pub(in crate::check) const WORKSPACE: &str = "$3";
/// Stands where any other value is bound.
const VALUE: &str = "$2";
/// Stands where `| ident` splices a name.
pub(in crate::check) const SPLICED: &str = "spliced_identifier";

/// The variables that are the organisation and the workspace of the call.
const VARIABLES: [(&str, &str); 2] = [("organization_id", ORGANISATION), ("workspace_id", WORKSPACE)];

/// Most combinations of branches that are looked at.
const MOST: usize = 512;

/// Words that a condition may not hold, if adding it is to change nothing but which rows are kept.
const SHAPING: [&str; 32] = [
    "or",
    "xor",
    "select",
    "with",
    "from",
    "join",
    "where",
    "prewhere",
    "group",
    "having",
    "order",
    "limit",
    "offset",
    "union",
    "intersect",
    "except",
    "on",
    "using",
    "as",
    "when",
    "then",
    "else",
    "end",
    "case",
    "settings",
    "format",
    "window",
    "qualify",
    "over",
    "filter",
    "final",
    "by",
];

/// Words that expect something behind them.
const UNFINISHED: [&str; 8] = ["and", "not", "in", "like", "ilike", "is", "between", "any"];

/// One text of a template.
#[derive(Debug)]
pub(in crate::check) struct Variant {
    pub(in crate::check) sql: String,
    /// Where each part begins in the text, what it is in the template, and whether it is written as it stands there.
    parts: Vec<(usize, Range<usize>, bool)>,
    /// Whether it may be the text of a call with a workspace, with all further conditions.
    pub(in crate::check) in_workspace: bool,
}

impl Variant {
    /// The bytes of the template that became a part of the text.
    pub(in crate::check) fn place(&self, range: Range<usize>) -> Range<usize> {
        let start = self.locate(range.start);
        let end = self.locate(range.end.saturating_sub(1).max(range.start));
        start.start..end.end.max(start.start)
    }

    /// The byte of the template from which a byte of the text comes; all of a value.
    fn locate(&self, at: usize) -> Range<usize> {
        let index = self.parts.partition_point(|(start, ..)| *start <= at).saturating_sub(1);
        match self.parts.get(index) {
            Some((start, template, true)) => {
                let byte = (template.start + at.saturating_sub(*start)).min(template.end);
                byte..byte + 1
            }
            Some((_, template, false)) => template.clone(),
            None => 0..0,
        }
    }
}

/// Why the texts are not known.
#[derive(Debug)]
pub(in crate::check) enum NoVariants {
    /// It is no template.
    Broken,
    /// More branches than can be looked at in every combination.
    TooMany,
}

/// Every text that a template can become.
pub(in crate::check) fn variants(text: &str, dialect: Dialect) -> Result<Vec<Variant>, NoVariants> {
    let tree = parse(text, "<template>", Default::default()).map_err(|_| NoVariants::Broken)?;
    let mut writer = Writer::new(text, dialect);
    let mut found: Vec<Variant> = Vec::new();
    loop {
        writer.begin();
        writer.statement(&tree);
        let in_workspace = writer.in_workspace();
        if let Some(known) = found.iter_mut().find(|known| known.sql == writer.sql) {
            known.in_workspace |= in_workspace;
        } else {
            let (sql, parts) = (std::mem::take(&mut writer.sql), std::mem::take(&mut writer.parts));
            found.push(Variant { sql, parts, in_workspace });
        }
        if !writer.advance() {
            return Ok(found);
        }
        writer.written += 1;
        if writer.written >= MOST {
            return Err(NoVariants::TooMany);
        }
    }
}

/// What a branch depends on.
#[derive(Debug, Clone, PartialEq)]
enum Question {
    /// Whether a variable is set, and not empty.
    Set(String),
    /// Whether a variable equals a constant.
    Equals(String, String),
    /// Any other condition, by its text and the turns of the loops around it.
    Other(String),
    /// How often a loop turns.
    Turns(String),
    /// Whether conditions are added that cannot change more than which rows are kept. They are added together: none
    /// of them can undo what another confines.
    Additions,
}

struct Writer<'t> {
    text: &'t str,
    dialect: Dialect,
    sql: String,
    parts: Vec<(usize, Range<usize>, bool)>,
    /// What was answered on the way to here, each with the number of possible answers.
    answers: Vec<(Question, usize, usize)>,
    /// How many of them this text has used.
    used: usize,
    /// Names that the template sets itself.
    locals: Vec<&'t str>,
    /// For every loop around: this turn, and how many there are.
    loops: Vec<(usize, usize)>,
    written: usize,
}

impl<'t> Writer<'t> {
    fn new(text: &'t str, dialect: Dialect) -> Self {
        Self {
            text,
            dialect,
            sql: String::new(),
            parts: Vec::new(),
            answers: Vec::new(),
            used: 0,
            locals: Vec::new(),
            loops: Vec::new(),
            written: 0,
        }
    }

    fn begin(&mut self) {
        self.sql.clear();
        self.parts.clear();
        self.locals.clear();
        self.used = 0;
    }

    /// Turns to the next combination of answers.
    fn advance(&mut self) -> bool {
        while let Some((_, answer, of)) = self.answers.last_mut() {
            *answer += 1;
            if *answer < *of {
                return true;
            }
            self.answers.pop();
        }
        false
    }

    /// One of so many answers, the same for the same question.
    fn ask(&mut self, question: Question, of: usize) -> usize {
        let asked = self.answers.iter().take(self.used).find(|(known, ..)| *known == question);
        if let Some((_, answer, _)) = asked {
            return *answer;
        }
        self.used += 1;
        if let Some((_, answer, _)) = self.answers.get(self.used - 1) {
            return *answer;
        }
        self.answers.push((question, 0, of));
        0
    }

    fn in_workspace(&self) -> bool {
        let without = |question: &Question| {
            *question == Question::Additions || matches!(question, Question::Set(name) if name == "workspace_id")
        };
        !self.answered(without, 1)
    }

    fn answered(&self, asked: impl Fn(&Question) -> bool, answer: usize) -> bool {
        self.answers.iter().take(self.used).any(|(question, given, _)| asked(question) && *given == answer)
    }

    fn body(&mut self, body: &[Stmt<'t>]) {
        body.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &Stmt<'t>) {
        match statement {
            Stmt::Template(template) => self.body(&template.children),
            Stmt::EmitRaw(raw) => {
                let start = (raw.raw.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
                self.write(raw.raw, start..start.saturating_add(raw.raw.len()), true);
            }
            Stmt::EmitExpr(emit) => {
                let written = match &emit.expr {
                    Expr::Filter(filter) if filter.name == "ident" => SPLICED,
                    Expr::Var(var) if !self.locals.contains(&var.id) => {
                        VARIABLES.iter().find(|(name, _)| *name == var.id).map_or(VALUE, |(_, written)| *written)
                    }
                    _ => VALUE,
                };
                let mut range = bytes(emit.span());
                range.end += self.text.get(range.end..).and_then(|rest| rest.find("}}")).map_or(0, |at| at + 2);
                self.write(written, range, false);
            }
            Stmt::IfCond(cond) => {
                let holds =
                    if self.only_adds(cond) { self.ask(Question::Additions, 2) == 0 } else { self.holds(&cond.expr) };
                self.body(if holds { &cond.true_body } else { &cond.false_body });
            }
            Stmt::ForLoop(each) => {
                let turns = self.ask(Question::Turns(self.source(&each.iter).to_owned()), 3);
                self.assign(&each.target);
                for turn in 0..turns {
                    self.loops.push((turn, turns));
                    self.body(&each.body);
                    self.loops.pop();
                }
                if turns == 0 {
                    self.body(&each.else_body);
                }
            }
            Stmt::WithBlock(with) => {
                with.assignments.iter().for_each(|(target, _)| self.assign(target));
                self.body(&with.body);
            }
            Stmt::Set(set) => self.assign(&set.target),
            // Nothing else may shape a statement (`TFO0060`).
            _ => {}
        }
    }

    fn write(&mut self, written: &str, template: Range<usize>, exact: bool) {
        self.parts.push((self.sql.len(), template, exact));
        self.sql.push_str(written);
    }

    fn assign(&mut self, target: &Expr<'t>) {
        match target {
            Expr::Var(var) => self.locals.push(var.id),
            Expr::List(list) => list.items.iter().for_each(|item| self.assign(item)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.assign(item)),
            _ => {}
        }
    }

    fn source(&self, expr: &Expr<'_>) -> &'t str {
        self.text.get(bytes(expr.span())).unwrap_or_default()
    }

    /// Whether a condition holds in this text.
    fn holds(&mut self, condition: &Expr<'t>) -> bool {
        match condition {
            Expr::Const(constant) => constant.value.is_true(),
            Expr::UnaryOp(op) if matches!(op.op, UnaryOpKind::Not) => !self.holds(&op.expr),
            Expr::BinOp(op) if matches!(op.op, BinOpKind::ScAnd) => self.holds(&op.left) && self.holds(&op.right),
            Expr::BinOp(op) if matches!(op.op, BinOpKind::ScOr) => self.holds(&op.left) || self.holds(&op.right),
            Expr::Var(var) if self.loops.is_empty() || !self.locals.contains(&var.id) => self.is_set(var.id),
            Expr::GetAttr(attr) if matches!(&attr.expr, Expr::Var(var) if var.id == "loop") => {
                match (attr.name, self.loops.last()) {
                    ("first", Some((turn, _))) => *turn == 0,
                    ("last", Some((turn, turns))) => turn + 1 == *turns,
                    _ => self.other(condition),
                }
            }
            Expr::BinOp(op) if matches!(op.op, BinOpKind::Eq | BinOpKind::Ne) => {
                let equal = matches!(op.op, BinOpKind::Eq);
                self.compared(&op.left, &op.right).map_or_else(|| self.other(condition), |holds| holds == equal)
            }
            Expr::Compare(compare) => match compare.ops.as_slice() {
                [only] if matches!(only.op, CompareOpKind::Eq | CompareOpKind::Ne) => {
                    let equal = matches!(only.op, CompareOpKind::Eq);
                    self.compared(&compare.expr, &only.expr)
                        .map_or_else(|| self.other(condition), |holds| holds == equal)
                }
                _ => self.other(condition),
            },
            _ => self.other(condition),
        }
    }

    /// Whether a variable equals a text, if that is what is compared.
    fn compared(&mut self, left: &Expr<'t>, right: &Expr<'t>) -> Option<bool> {
        let Expr::Var(var) = left else { return None };
        let constant = right.as_const()?.as_str().map(str::to_owned)?;
        let outside = self.loops.is_empty() || !self.locals.contains(&var.id);
        (outside && !constant.is_empty()).then(|| self.equals(var.id, constant))
    }

    fn is_set(&mut self, name: &str) -> bool {
        self.answered(|question| matches!(question, Question::Equals(known, _) if known == name), 0)
            || self.ask(Question::Set(name.to_owned()), 2) == 0
    }

    fn equals(&mut self, name: &str, constant: String) -> bool {
        let question = Question::Equals(name.to_owned(), constant);
        let another = |known: &Question| matches!(known, Question::Equals(n, _) if n == name) && *known != question;
        let impossible = self.answered(another, 0) || self.answered(|q| *q == Question::Set(name.to_owned()), 1);
        !impossible && self.ask(question, 2) == 0
    }

    fn other(&mut self, condition: &Expr<'t>) -> bool {
        self.ask(Question::Other(format!("{} {:?}", self.source(condition), self.loops)), 2) == 0
    }

    /// Whether all branches hold nothing but further conditions.
    fn only_adds(&self, cond: &IfCond<'t>) -> bool {
        [&cond.true_body, &cond.false_body].into_iter().all(|body| self.is_addition(body))
    }

    /// `AND …`, complete in itself, with no other `OR` than in parentheses and nothing that could read a table.
    fn is_addition(&self, body: &[Stmt<'t>]) -> bool {
        let mut sql = String::new();
        for statement in body {
            match statement {
                Stmt::EmitRaw(raw) => sql.push_str(raw.raw),
                Stmt::EmitExpr(emit) if !matches!(&emit.expr, Expr::Filter(filter) if filter.name == "ident") => {
                    sql.push_str(VALUE);
                }
                _ => return false,
            }
        }
        // A comment could swallow what follows.
        let comment = ["--", "/*", "#"].iter().any(|mark| sql.contains(mark));
        let Ok(tokens) = lex::tokens(self.dialect, &sql) else { return false };
        let Some((last, before)) = tokens.split_last().filter(|_| !comment) else { return !comment };
        let mut depth = 0_usize;
        for token in before.iter().chain([last]) {
            let shaping = |word: &&str| token.is_word(word);
            match token.text {
                "(" => depth += 1,
                ")" if depth == 0 => return false,
                ")" => depth -= 1,
                "->" | "?" | ";" | "," | ":" if depth == 0 => return false,
                _ if ["select", "with"].iter().any(shaping) => return false,
                _ if depth == 0 && SHAPING.iter().any(shaping) => return false,
                _ => {}
            }
        }
        let unfinished = match last.kind {
            Kind::Operator => true,
            Kind::Symbol => !(last.is(")") || last.is("]")),
            _ => UNFINISHED.iter().any(|word| last.is_word(word)),
        };
        depth == 0 && !unfinished && tokens.first().is_some_and(|first| first.is_word("and"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(template: &str) -> Vec<String> {
        let found = variants(template, Dialect::ClickHouse).unwrap();
        let mut texts: Vec<String> =
            found.into_iter().map(|v| v.sql.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        texts.sort();
        texts
    }

    #[test]
    fn every_combination_of_branches_is_written() {
        assert_eq!(texts("{% if a %}x{% endif %} {% if not a %}y{% endif %}"), ["x", "y"]);
        assert_eq!(texts("{% if a %}x{% endif %} {% if b %}y{% else %}z{% endif %}"), ["x y", "x z", "y", "z"]);
        assert_eq!(
            texts(
                "{% if s == 'a' %}A{% elif s == 'b' %}B{% elif s %}S{% else %}-{% endif %}{% if s != 'a' %}n{% endif %}"
            ),
            ["-n", "A", "Bn", "Sn"]
        );
        assert_eq!(
            texts("{% for l in ls %}{% if not loop.first %}OR{% endif %} {{ l }} {% endfor %}"),
            ["", "$2", "$2 OR $2"]
        );
    }

    #[test]
    fn further_conditions_are_added_together() {
        let text =
            "a{% if p %} AND b = {{ p }}{% endif %}{% if q %} AND (c OR d){% endif %}{% if r %} AND e OR f{% endif %}";
        assert_eq!(
            texts(text),
            ["a", "a AND b = $2 AND (c OR d)", "a AND b = $2 AND (c OR d) AND e OR f", "a AND e OR f"]
        );
    }

    #[test]
    fn the_organisation_is_told_from_other_values_and_knows_its_place() {
        let text = "{% if x %}{{ y }}{% endif %}a = {{ organization_id }}";
        let found = variants(text, Dialect::Postgres).unwrap();
        let variant = found.iter().find(|variant| variant.sql == "$2a = $1").unwrap();
        assert_eq!(&text[variant.place(6..8)], "{{ organization_id }}");
        assert_eq!(&text[variant.place(2..3)], "a");
        assert_eq!(texts("{% set organization_id = x %}{{ organization_id }}"), ["$2"]);
        assert_eq!(texts("{{ organization_id if x else y }}"), ["$2"]);
    }

    #[test]
    fn the_texts_of_a_call_with_a_workspace_are_told_from_others() {
        let text = "{% if not workspace_id %}a{% endif %} b {% if workspace_id %}AND c = {{ workspace_id }}{% endif %}";
        let found = variants(text, Dialect::ClickHouse).unwrap();
        let mut told: Vec<_> = found.iter().map(|variant| (variant.sql.as_str(), variant.in_workspace)).collect();
        told.sort_unstable();
        assert_eq!(told, [(" b ", false), (" b AND c = $3", true), ("a b ", false), ("a b AND c = $3", false)]);
    }

    #[test]
    fn too_many_branches_are_not_looked_at() {
        let text: String = (0..12).map(|n| format!("{{% if p{n} %}}OR x{n}{{% endif %}}")).collect();
        assert!(matches!(variants(&text, Dialect::Sqlite), Err(NoVariants::TooMany)));
    }
}
