//! What no database demands of a section's statement and an answer needs: both ends of the window, and an order of what a limit cuts.

use std::ops::Range;

use super::{
    jinja::Analysis,
    scan::{Token, TokenKind},
    statements::StatementSite,
};
use crate::{definition::LogicalSource, diagnostic::Code};

/// Variables that are the begin or the end of a window, of which a statement binds some.
const BEGINS: [&str; 4] = ["from", "prev_from", "around_from", "now"];
const ENDS: [&str; 4] = ["to", "prev_to", "around_to", "now"];

/// A finding: its code, what it is about, what is wrong and what to do.
type Found = (Code, Range<usize>, &'static str, &'static str);

pub(super) fn check(site: &StatementSite<'_>, analysis: &Analysis, tokens: &[Token<'_>]) -> Vec<Found> {
    if site.context.is_none() || site.piece {
        return Vec::new();
    }
    let mut found = Vec::new();
    let binds = |names: &[&str]| analysis.variables.iter().any(|variable| names.contains(&variable.name.as_str()));
    // Rows that an earlier section found are of its window, and what reads no table has none.
    let reads_time = site.source == LogicalSource::Telemetry.as_str()
        && site.after.is_empty()
        && tokens.iter().any(|token| token.is("from"));
    // `to | minus('3d')` is a begin.
    let begins = binds(&BEGINS) || analysis.calls.iter().any(|call| call.name == "minus");
    let ends = analysis.variables.iter().filter(|variable| ENDS.contains(&variable.name.as_str()));
    let mut compared = ends.filter_map(|end| tokens.iter().position(|token| token.range.contains(&end.range.start)));
    let open = match (begins, compared.any(|at| is_compared(tokens, at))) {
        _ if !reads_time => None,
        (true, true) => None,
        (true, false) => Some("the statement compares nothing with the end of the window"),
        (false, _) => Some("the statement reads all that was ever recorded, whatever the window"),
    };
    if let (Some(message), Some(first)) = (open, tokens.first()) {
        let help = "Write `timestamp >= {{ from }} AND timestamp < {{ to }}`.";
        found.push((Code::OpenWindow, first.range.clone(), message, help));
    }
    let top = |word: &str| tokens.iter().find(|token| token.parens == 0 && token.is(word));
    if let (Some(limit), None) = (top("limit"), top("order")) {
        found.push((
            Code::UnorderedRows,
            limit.range.clone(),
            "which rows this limit leaves is chance",
            "Write `ORDER BY` before it, with a column at its end that tells all rows apart.",
        ));
    }
    found
}

/// Whether a value is one side of a comparison, by itself or within a function. How long a window is bounds nothing.
fn is_compared(tokens: &[Token<'_>], mut at: usize) -> bool {
    let symbol = |at: usize, of: &[&str]| matches!(tokens.get(at).map(|token| &token.kind), Some(TokenKind::Symbol(symbol)) if of.contains(symbol));
    if symbol(at + 1, &[">", ">="]) {
        return true;
    }
    while let Some(before) = at.checked_sub(1) {
        if symbol(before, &["<", "<=", ">", ">="]) {
            return true;
        }
        let Some(token) = tokens.get(before) else { return false };
        // Of a function the other arguments and its name.
        let opens = match token.kind {
            TokenKind::Symbol("(") => Some(before),
            TokenKind::Symbol(",") => {
                let around =
                    |at: &usize| symbol(*at, &["("]) && tokens.get(*at).is_some_and(|of| of.parens < token.parens);
                (0..before).rev().find(around)
            }
            _ => return token.is("and") || token.is("between"),
        };
        let Some(opens) = opens else { return false };
        let is_function = |of: &Token<'_>| {
            matches!(of.kind, TokenKind::Word(_)) && !of.is_one_of(&["and", "or", "not", "where", "on", "when"])
        };
        let named = opens.checked_sub(1).filter(|name| tokens.get(*name).is_some_and(is_function));
        at = named.unwrap_or(opens);
    }
    false
}
