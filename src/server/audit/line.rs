//! What a line says. Its fields are the contract with whoever reads the audit log: docs/audit.md.

use std::{net::IpAddr, time::Duration};

use serde::Serialize;
use time::{OffsetDateTime, UtcOffset, macros::format_description};

use crate::{masking::Masking, server::calls::CallEnded, template::clean};

/// Longest text of a field, in characters.
const LONGEST: usize = 256;
/// Most statements that are listed; all of them are counted.
const STATEMENTS: usize = 200;

/// A line of the audit log.
#[derive(Debug, Serialize)]
pub struct Line {
    /// When the call began.
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    transport: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_address: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization_id: Option<String>,
    /// Further ones, of a call that went through several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    other_organization_ids: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_id: Option<String>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_kind: Option<&'static str>,
    duration_ms: f64,
    rows: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<usize>,
    /// `hit`, `miss` or `wait`, of answers that may be kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kept: Vec<&'static str>,
    statements: Vec<Statement>,
    /// Statements that are not listed.
    #[serde(skip_serializing_if = "is_zero")]
    omitted_statements: usize,
}

#[derive(Debug, Serialize)]
struct Statement {
    source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    query_id: Option<String>,
    rows: usize,
    elapsed_ms: f64,
    /// `ok`, or the kind of the failure.
    outcome: &'static str,
    /// Asked on the server's own behalf; its rows are nobody's answer.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    aside: bool,
}

impl Line {
    /// The line of a call that has ended just now.
    pub fn of(ended: &CallEnded) -> Self {
        let (name, uri) = ended.subject.parts();
        let mut organizations = ended.organizations.iter().map(|id| bounded(id));
        let listed = ended.statements.iter().take(STATEMENTS).map(|entry| Statement {
            source: entry.source.clone(),
            query_id: entry.query_id.clone(),
            rows: entry.rows,
            elapsed_ms: milliseconds(entry.elapsed),
            outcome: entry.error.map_or("ok", |kind| kind.as_str()),
            aside: entry.aside,
        });
        Self {
            time: stamp(OffsetDateTime::now_utc() - ended.took),
            trace_id: ended.trace_id.clone(),
            transport: ended.caller.transport,
            client_address: ended.caller.address,
            subject: ended.caller.subject.as_deref().map(bounded),
            organization_id: organizations.next(),
            other_organization_ids: organizations.collect(),
            method: ended.method,
            name: name.map(bounded),
            uri: uri.map(bounded),
            task_id: ended.task_id.as_deref().map(bounded),
            outcome: ended.outcome.word,
            error_kind: ended.outcome.error_kind,
            duration_ms: milliseconds(ended.took),
            rows: ended.statements.iter().filter(|entry| !entry.aside).map(|entry| entry.rows).sum(),
            bytes: ended.bytes,
            kept: ended.uses.iter().take(STATEMENTS).map(|how| how.as_str()).collect(),
            statements: listed.collect(),
            omitted_statements: ended.statements.len().saturating_sub(STATEMENTS),
        }
    }

    /// The line without its end.
    pub fn text(&self) -> String {
        // Names, numbers and words are always JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Milliseconds with microseconds behind the point.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_micros() as f64) / 1000.0
}

/// RFC 3339 in UTC, always with milliseconds.
fn stamp(moment: OffsetDateTime) -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    moment.to_offset(UtcOffset::UTC).format(form).unwrap_or_default()
}

/// A text as it stands in a line: without control and invisible characters, and not too long.
fn bounded(text: &str) -> String {
    let mut text = Masking::of_process().masked(&clean(text)).0.into_owned();
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::server::calls::{Caller, Outcome, Subject};

    const OK: Outcome = Outcome { word: "ok", error_kind: None };

    fn read(line: &Line) -> Value {
        serde_json::from_str(&line.text()).unwrap()
    }

    #[test]
    fn a_line_is_one_line_of_bounded_length() {
        let subject = format!("key:\u{202e}a\nb\r\u{2028}c\u{0}{}", "x".repeat(10_000));
        let caller = Caller::over_http("[::ffff:192.0.2.7]:4711".parse().ok(), Some(subject));
        let ended = CallEnded::of(caller, OK, Duration::from_micros(1_234_567));
        let line = Line::of(&ended.about("tools/call", Subject::Uri("a:\n//b".into())));
        let text = line.text();
        assert!(!text.contains(char::is_control) && text.chars().count() < 700, "{text}");
        let read = read(&line);
        assert!(read["subject"].as_str().unwrap().starts_with("key:a b c"), "{read}");
        assert_eq!((&read["client_address"], &read["duration_ms"]), (&json!("192.0.2.7"), &json!(1234.567)));
        assert_eq!(read["uri"], "a: //b");
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let unauthenticated = Outcome { word: "unauthenticated", error_kind: None };
        let line = Line::of(&CallEnded::of(Caller::over_stdio(None), unauthenticated, Duration::ZERO));
        let read = read(&line);
        let keys: Vec<&str> = read.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["time", "transport", "outcome", "duration_ms", "rows", "statements"]);
        let time =
            OffsetDateTime::parse(read["time"].as_str().unwrap(), &time::format_description::well_known::Rfc3339);
        assert!(time.unwrap().offset().is_utc());
    }
}
