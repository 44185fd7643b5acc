//! The trace that a request belongs to: W3C trace context in `_meta` (SEP-414), else a trace of its own.
//!
//! Everything that is logged while a request is answered carries it, so that the lines of one call are found again
//! in the traces of the client.

use rmcp::{RoleServer, service::RequestContext};
use tracing::Span;

/// The longest `tracestate` that is kept (W3C: vendors propagate at least 512 characters).
const MAX_STATE: usize = 512;

/// A trace id, and the span of the caller if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// 32 hexadecimal digits.
    pub id: String,
    /// 16 hexadecimal digits.
    parent: Option<String>,
    state: Option<String>,
}

impl Trace {
    pub fn of(context: &RequestContext<RoleServer>) -> Self {
        let given = context.meta.get_traceparent().and_then(parse);
        match given {
            Some((id, parent)) => {
                let state = context.meta.get_tracestate().filter(|state| printable(state)).map(str::to_owned);
                Self { id, parent: Some(parent), state }
            }
            None => Self { id: uuid::Uuid::new_v4().simple().to_string(), parent: None, state: None },
        }
    }

    /// A span around the work on a request.
    pub fn span(&self, method: &'static str, name: &str, context: &RequestContext<RoleServer>) -> Span {
        let span = tracing::info_span!(
            "request",
            method,
            of = tracing::field::Empty,
            id = %context.id,
            trace_id = %self.id,
            parent_id = tracing::field::Empty,
            tracestate = tracing::field::Empty,
        );
        if !name.is_empty() {
            span.record("of", crate::template::one_line(name, 200));
        }
        if let Some(parent) = &self.parent {
            span.record("parent_id", parent);
        }
        if let Some(state) = &self.state {
            span.record("tracestate", state);
        }
        span
    }
}

fn printable(state: &str) -> bool {
    state.len() <= MAX_STATE && state.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// Trace id and parent id of a `traceparent` (W3C Trace Context, level 1): version, trace, parent, flags.
fn parse(traceparent: &str) -> Option<(String, String)> {
    let mut parts = traceparent.split('-');
    let mut part = |digits: usize| {
        let part = parts.next()?;
        let hex = part.len() == digits && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        hex.then_some(part)
    };
    let (version, trace, parent, _flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
    let nothing = |id: &str| id.bytes().all(|b| b == b'0');
    // Later versions may add parts; version 00 has four, and ff is no version.
    let odd = version == "ff" || (version == "00" && parts.next().is_some());
    (!odd && !nothing(trace) && !nothing(parent)).then(|| (trace.to_owned(), parent.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_valid_trace_parents_are_taken() {
        let (trace, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        for (text, valid) in [
            (format!("00-{trace}-{parent}-01"), true),
            (format!("01-{trace}-{parent}-01-more"), true),
            (format!("00-{trace}-{parent}-01-more"), false),
            (format!("ff-{trace}-{parent}-01"), false),
            (format!("00-{}-{parent}-01", "0".repeat(32)), false),
            (format!("00-{trace}-{}-01", "0".repeat(16)), false),
            (format!("00-{}-{parent}-01", trace.to_uppercase()), false),
            (format!("00-{trace}-{parent}"), false),
            (format!("00-{trace}\n-{parent}-01"), false),
            (String::new(), false),
        ] {
            let expected = valid.then(|| (trace.to_owned(), parent.to_owned()));
            assert_eq!(parse(&text), expected, "{text}");
        }
    }
}
