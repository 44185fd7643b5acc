//! What a line says. Its fields are the contract with whoever reads the audit log: docs/audit.md.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use serde::Serialize;
use time::{OffsetDateTime, UtcOffset, macros::format_description};

use crate::{engine::Ledger, template::clean};

/// Longest text of a field, in characters.
const LONGEST: usize = 256;
/// Most statements that are listed; all of them are counted.
const STATEMENTS: usize = 200;

/// Who calls, and from where.
#[derive(Debug, Clone)]
pub struct Caller {
    pub transport: &'static str,
    pub address: Option<IpAddr>,
    pub subject: Option<String>,
}

impl Caller {
    pub fn over_http(from: Option<SocketAddr>, subject: Option<String>) -> Self {
        Self { transport: "http", address: from.map(|from| from.ip().to_canonical()), subject }
    }

    pub fn over_stdio(subject: Option<String>) -> Self {
        Self { transport: "stdio", address: None, subject }
    }
}

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
    /// The line of a call that took so long until now.
    pub fn of(caller: &Caller, duration: Duration) -> Self {
        let begun = OffsetDateTime::now_utc() - duration;
        Self {
            time: stamp(begun),
            trace_id: None,
            transport: caller.transport,
            client_address: caller.address,
            subject: caller.subject.as_deref().map(bounded),
            organization_id: None,
            other_organization_ids: Vec::new(),
            method: None,
            name: None,
            uri: None,
            task_id: None,
            outcome: "ok",
            error_kind: None,
            duration_ms: milliseconds(duration),
            rows: 0,
            statements: Vec::new(),
            omitted_statements: 0,
        }
    }

    pub fn ended(mut self, outcome: &'static str, error_kind: Option<&'static str>) -> Self {
        (self.outcome, self.error_kind) = (outcome, error_kind);
        self
    }

    pub fn traced(mut self, trace_id: &str) -> Self {
        self.trace_id = Some(trace_id.to_owned());
        self
    }

    pub fn about(mut self, method: &'static str, name: Option<&str>, uri: Option<&str>) -> Self {
        (self.method, self.name, self.uri) = (Some(method), name.map(bounded), uri.map(bounded));
        self
    }

    pub fn task(mut self, id: Option<&str>) -> Self {
        self.task_id = id.map(bounded);
        self
    }

    /// What was asked of the databases.
    pub fn asked(mut self, ledger: &Ledger) -> Self {
        let mut organizations = ledger.organizations().into_iter().map(|id| bounded(&id));
        self.organization_id = organizations.next();
        self.other_organization_ids = organizations.collect();
        let entries = ledger.entries();
        self.rows = entries.iter().filter(|entry| !entry.aside).map(|entry| entry.rows).sum();
        self.omitted_statements = entries.len().saturating_sub(STATEMENTS);
        let listed = entries.into_iter().take(STATEMENTS).map(|entry| Statement {
            source: entry.source,
            query_id: entry.query_id,
            rows: entry.rows,
            elapsed_ms: milliseconds(entry.elapsed),
            outcome: entry.error.map_or("ok", |kind| kind.as_str()),
            aside: entry.aside,
        });
        self.statements = listed.collect();
        self
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
    let mut text = clean(text);
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

    fn read(line: &Line) -> Value {
        serde_json::from_str(&line.text()).unwrap()
    }

    #[test]
    fn a_line_is_one_line_of_bounded_length() {
        let subject = format!("key:\u{202e}a\nb\r\u{2028}c\u{0}{}", "x".repeat(10_000));
        let caller = Caller::over_http("[::ffff:192.0.2.7]:4711".parse().ok(), Some(subject));
        let line = Line::of(&caller, Duration::from_micros(1_234_567)).about("tools/call", None, Some("a:\n//b"));
        let text = line.text();
        assert!(!text.contains(char::is_control) && text.chars().count() < 700, "{text}");
        let read = read(&line);
        assert!(read["subject"].as_str().unwrap().starts_with("key:a b c"), "{read}");
        assert_eq!((&read["client_address"], &read["duration_ms"]), (&json!("192.0.2.7"), &json!(1234.567)));
        assert_eq!(read["uri"], "a: //b");
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let line = Line::of(&Caller::over_stdio(None), Duration::ZERO).ended("unauthenticated", None);
        let read = read(&line);
        let keys: Vec<&str> = read.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["time", "transport", "outcome", "duration_ms", "rows", "statements"]);
        let time =
            OffsetDateTime::parse(read["time"].as_str().unwrap(), &time::format_description::well_known::Rfc3339);
        assert!(time.unwrap().offset().is_utc());
    }
}
