//! Whether a statement answers rows of the caller's organisation alone: a proof over every text that its template
//! can become, on the parser's tree where the parser reads it and by its words where not.
//!
//! What can be proved neither way is a finding too. Which tables reach an organisation how is `crate::sql::tenancy`'s.

mod proof;
mod query;
mod secrets;
mod slices;
mod tree;
mod words;
mod workspace;

use std::{collections::HashSet, ops::Range};

use self::{
    proof::{Fault, FaultKind},
    query::{Query, fold},
};
use super::jinja::{NoVariants, ORGANISATION, Variant, variants};
use crate::{
    diagnostic::Code,
    sql::{
        Dialect,
        lex::{self, Kind, Token},
        tenancy::{self, Belongs, ORGANIZATION, TableRules, Through},
    },
};

/// Something wrong, in bytes of the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub code: Code,
    pub range: Range<usize>,
    pub message: String,
    pub label: &'static str,
    pub help: Vec<String>,
}

/// What came out of looking at a statement.
#[derive(Debug, Default)]
pub struct Proof {
    /// What keeps the statement from being right.
    pub findings: Vec<Finding>,
    /// Whether the parser read every text that the template can become, so that nobody needs to ask it again.
    pub parsed: bool,
}

/// Looks at a statement on tenants' data in a dialect. A statement that is `exempt` is said to read no tenants' rows:
/// then only rollups that hold those of all are looked for. Rows of the tables `in_workspaces` belong to workspaces.
pub fn prove(text: &str, dialect: Dialect, exempt: bool, rules: &TableRules, in_workspaces: &HashSet<String>) -> Proof {
    let found = match variants(text, dialect) {
        Ok(found) => found,
        // Said elsewhere.
        Err(NoVariants::Broken) => return Proof::default(),
        Err(NoVariants::TooMany) => {
            let finding = Finding {
                code: Code::UnprovenTenant,
                range: 0..text.trim_end().len(),
                message: "there are too many `{% if %}` to look at every combination".to_owned(),
                label: "",
                help: vec![
                    "write optional conditions as `{% if x %}AND column = {{ x }}{% endif %}`, which count as one, or \
                     make several statements of it"
                        .to_owned(),
                ],
            };
            return Proof { findings: if exempt { Vec::new() } else { vec![finding] }, parsed: false };
        }
    };
    let judged: Vec<Judged> = found.iter().map(|variant| judge(variant, dialect, text, rules, in_workspaces)).collect();
    let mut findings = Vec::new();
    for (fault, range) in judged.iter().flat_map(|judged| &judged.faults) {
        let everywhere = judged.iter().all(|judged| judged.faults.iter().any(|(f, r)| f == fault && r == range));
        let finding = match fault {
            FaultKind::Folded { table, instead } => folded(table, instead, range),
            FaultKind::Secret { table, column } => secret(table, column.as_deref(), range),
            _ if exempt => continue,
            FaultKind::Unknown(message) => unknown(message, range),
            FaultKind::Unconfined { table, unqualified } => {
                unconfined(rules, table, *unqualified, range, if everywhere { "" } else { "for some arguments" })
            }
        };
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    match unbound(&judged, text) {
        _ if exempt => {}
        Some(unbound) => {
            // That a table is not confined would only repeat it.
            findings.retain(|finding| finding.code != Code::UnboundPart);
            findings.push(unbound);
        }
        None => {
            for (table, range) in judged.iter().flat_map(|judged| &judged.forgotten) {
                let finding = forgotten(table, range);
                if !findings.contains(&finding) {
                    findings.push(finding);
                }
            }
        }
    }
    Proof { findings, parsed: judged.iter().all(|judged| judged.parsed) }
}

/// A text of the template with what is wrong with it.
struct Judged {
    /// Where the organisation is bound, in bytes of the template.
    bound: Option<Range<usize>>,
    faults: Vec<(FaultKind, Range<usize>)>,
    /// Tables of workspaces that are not narrowed to one in the text of a call that has one.
    forgotten: Vec<(String, Range<usize>)>,
    /// Whether it was read from the parser's tree.
    parsed: bool,
}

fn judge(
    variant: &Variant,
    dialect: Dialect,
    text: &str,
    rules: &TableRules,
    in_workspaces: &HashSet<String>,
) -> Judged {
    let Ok(tokens) = lex::tokens(dialect, &variant.sql) else {
        let fault = FaultKind::Unknown("a quote or comment does not end in all branches".to_owned());
        let faults = vec![(fault, 0..text.trim_end().len())];
        return Judged { bound: Some(0..0), faults, forgotten: Vec::new(), parsed: false };
    };
    let bound = tokens.iter().find(|token| token.kind == Kind::Placeholder && token.text == ORGANISATION);
    let mut faults = by_name(dialect, &tokens);
    let (query, parsed) = read(dialect, &variant.sql, &tokens);
    let forgotten = match &query {
        Some(query) if variant.in_workspace && !in_workspaces.is_empty() => workspace::forgotten(query, in_workspaces),
        _ => Vec::new(),
    };
    match query {
        Some(query) => {
            faults.extend(secrets::named(&query, dialect, &tokens, rules));
            faults.extend(proof::prove(&query, dialect, renames(dialect, &tokens), rules));
        }
        None if tokens.iter().any(|token| token.is_word("select")) => {
            let kind = FaultKind::Unknown("the statement is not understood".to_owned());
            let end = tokens.first().map_or(0, Token::end);
            faults.push(Fault { kind, place: tokens.first().map_or(0, |token| token.start)..end });
        }
        // `SHOW` and the like bind nothing.
        None => {}
    }
    let place = |fault: Fault| (fault.kind, variant.place(fault.place));
    Judged {
        bound: bound.map(|token| variant.place(token.start..token.end())),
        faults: faults.into_iter().map(place).collect(),
        forgotten: forgotten.into_iter().map(|(table, range)| (table, variant.place(range))).collect(),
        parsed,
    }
}

/// The statement, and whether it was read from the parser's tree.
fn read(dialect: Dialect, sql: &str, tokens: &[Token<'_>]) -> (Option<Query>, bool) {
    // A map of ClickHouse hides what is in it.
    if tokens.iter().any(|token| token.text.starts_with('{')) {
        return (None, false);
    }
    let selects = tokens.iter().filter(|token| token.is_word("select")).count();
    match tree::read(dialect, sql, selects) {
        Some(query) => (Some(query), true),
        None => (words::read(dialect, tokens, selects), false),
    }
}

/// Tables that are read without standing behind `FROM`.
fn by_name(dialect: Dialect, tokens: &[Token<'_>]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |token: &Token<'_>, message: String| {
        faults.push(Fault { kind: FaultKind::Unknown(message), place: token.start..token.end() });
    };
    for (at, token) in tokens.iter().enumerate() {
        let behind = |distance: usize| tokens.get(at + distance);
        let called = behind(1).is_some_and(|token| token.is("("));
        if token.is_word("in") && dialect != Dialect::Postgres {
            // `IN name`, and in ClickHouse `IN (name)` and `in(x, name)`, may read a table.
            let named = |token: Option<&Token<'_>>| token.is_some_and(is_name);
            let words = |token: &&Token<'_>| token.is_word("not") || token.is_word("global");
            let before = tokens.get(..at).and_then(|before| before.iter().rev().find(|token| !words(token)));
            let function = dialect == Dialect::ClickHouse && before.is_none_or(slices::awaits_operand);
            let bare = !called && named(behind(1)) && !behind(2).is_some_and(|token| token.is("("));
            let alone = called && named(behind(2)) && behind(3).is_some_and(|token| token.is(")") || token.is("."));
            if bare || (dialect == Dialect::ClickHouse && alone) || (function && called) {
                fault(token, "what stands behind `IN` may be a table".to_owned());
            }
        } else if called && matches!(token.kind, Kind::Word | Kind::Quoted) {
            let name = token.text.trim_matches(['"', '`']);
            if tenancy::reads_by_name(name) {
                fault(token, format!("`{name}` reads rows that no condition confines"));
            }
        }
    }
    faults
}

/// Whether a token may be the name of a table.
fn is_name(token: &Token<'_>) -> bool {
    matches!(token.kind, Kind::Word | Kind::Quoted) && !token.is_word("select")
}

/// Whether something else is given the name of the organisation's column inside of an expression, where ClickHouse
/// and SQLite let the bare name mean it.
fn renames(dialect: Dialect, tokens: &[Token<'_>]) -> bool {
    let is_column = |token: &Token<'_>| {
        let name = token.text.trim_matches(['"', '`']);
        matches!(token.kind, Kind::Word | Kind::Quoted)
            && fold(dialect, name, token.kind == Kind::Quoted).rsplit('.').next() == Some(ORGANIZATION)
    };
    dialect != Dialect::Postgres
        && tokens.windows(3).any(
            |window| matches!(window, [before, word, name] if word.is_word("as") && is_column(name) && !is_column(before)),
        )
}

/// What is said of a statement that does not bind the organisation in every text.
fn unbound(judged: &[Judged], text: &str) -> Option<Finding> {
    if judged.iter().all(|judged| judged.bound.is_some()) {
        return None;
    }
    let bound = judged.iter().find_map(|judged| judged.bound.clone());
    let table = judged
        .iter()
        .flat_map(|judged| &judged.faults)
        .find_map(|(fault, range)| matches!(fault, FaultKind::Unconfined { .. }).then(|| range.clone()));
    let (range, message) = match bound {
        Some(range) => (range, "the organisation is bound only sometimes"),
        None => {
            let first = text.trim_start();
            let start = text.len() - first.len();
            let word = start..start + first.find(char::is_whitespace).unwrap_or(first.len());
            (table.unwrap_or(word), "the statement does not bind `organization_id`")
        }
    };
    let help = [
        "add `organization_id = {{ organization_id }}` to the conditions, outside of every `{% if %}` and `{% for %}`",
        "where the tables hold no tenant's rows, say so and why beside `sql:`, in the same entry: `tenant: { none: server \
         constants only }`",
    ];
    Some(Finding {
        code: Code::UnboundTenant,
        range,
        message: message.to_owned(),
        label: "",
        help: help.map(str::to_owned).to_vec(),
    })
}

fn unconfined(
    rules: &TableRules,
    table: &str,
    unqualified: bool,
    range: &Range<usize>,
    label: &'static str,
) -> Finding {
    let mut help = Vec::new();
    if let Some(Belongs::Through(Through { column, parent, parent_column })) = rules.belongs(table, &[]) {
        help.push(format!(
            "`{table}` has no column of its own for it: join `{parent}` by `{table}.{column} = {parent}.{parent_column}`, \
             and confine that"
        ));
    } else {
        if unqualified {
            help.push(format!(
                "the column may be another's here, or a selected value of that name: write it with its table, \
                 `{table}.{ORGANIZATION}`"
            ));
        }
        help.push(
            "make `organization_id = {{ organization_id }}` a condition of its own in `WHERE`, or in the `ON` that joins \
             the table, not in `HAVING`: no `OR` beside it, no `NOT`, `CASE` or call around it, outside of every `{% if %}`"
                .to_owned(),
        );
        if rules.belongs(table, &[ORGANIZATION.to_owned()]) == Some(Belongs::DirectlyOrDefault) {
            help.push(format!(
                "with the defaults of all: `({ORGANIZATION} = {{{{ organization_id }}}} OR {ORGANIZATION} IS NULL)`"
            ));
        }
        help.push("the `ON` of an outer join confines only the side that may be missing".to_owned());
    }
    let message = format!("`{table}` is read without being confined to the organisation");
    Finding { code: Code::UnboundPart, range: range.clone(), message, label, help }
}

fn forgotten(table: &str, range: &Range<usize>) -> Finding {
    let help = [
        "add `{% if workspace_id %}AND workspace_id = {{ workspace_id }}{% endif %}` to its conditions, or join it by `id` \
         to what is narrowed",
        "where rows of all workspaces are meant, say why beside `sql:`, in the same entry: `workspace: { none: a host \
         serves all of them }`",
    ];
    Finding {
        code: Code::UnboundWorkspace,
        range: range.clone(),
        message: format!("`{table}` is read without being narrowed to the caller's workspace"),
        label: "",
        help: help.map(str::to_owned).to_vec(),
    }
}

fn folded(table: &str, instead: &str, range: &Range<usize>) -> Finding {
    Finding {
        code: Code::FoldedRollup,
        range: range.clone(),
        message: format!("`{table}` adds up rows of several organisations"),
        label: "no condition takes them apart again",
        help: vec![format!("{instead}, whose rows stay apart")],
    }
}

fn secret(table: &str, column: Option<&str>, range: &Range<usize>) -> Finding {
    let (message, help) = match column {
        Some(column) => (
            format!("`{table}.{column}` is a column that nobody may see"),
            "leave it out, or select what may be known of it under another name from a column that is not withheld; \
                     lists of `kind: tables` name such columns under `private:`, and others are called as secrets are"
                .to_owned(),
        ),
        None => (
            format!("`{table}` is a table that nobody may read"),
            "leave it out: lists of `kind: tables` name such tables under `hidden:`".to_owned(),
        ),
    };
    Finding { code: Code::SecretColumn, range: range.clone(), message, label: "", help: vec![help] }
}

fn unknown(message: &str, range: &Range<usize>) -> Finding {
    Finding {
        code: Code::UnprovenTenant,
        range: range.clone(),
        message: format!("it cannot be proved whose rows this reads: {message}"),
        label: "",
        help: vec![
            "name each table behind `FROM` or `JOIN`, and let each `SELECT` say `organization_id = {{ organization_id }}` \
             as a condition of its own"
                .to_owned(),
            "where no tenant's rows are read, say so and why beside `sql:`, in the same entry: `tenant: { none: server \
             constants only }`"
                .to_owned(),
        ],
    }
}

#[cfg(test)]
mod tests;
