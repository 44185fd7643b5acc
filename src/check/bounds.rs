//! What no database demands of a section's statement and an answer needs: both ends of the window, and an order of what a limit cuts.

use std::ops::Range;

use super::{jinja::Analysis, scan::Token, statements::StatementSite};
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
    let open = match (begins, binds(&ENDS)) {
        _ if !reads_time => None,
        (true, true) => None,
        (true, false) => Some("the statement binds the begin of the window and not its end"),
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
