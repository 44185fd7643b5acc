//! The trace that a request belongs to: W3C trace context in `_meta` (SEP-414), else in the headers of the HTTP request
//! that carried it, else a trace of its own.
//!
//! Everything that is logged while a request is answered carries it, so that the lines of one call are found again
//! in the traces of the client.

use http::{HeaderMap, request::Parts};
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
        let meta = &context.meta;
        let own = || Self { id: uuid::Uuid::new_v4().simple().to_string(), parent: None, state: None };
        // What a client says of the request itself is closer to it than what its HTTP library says of the carrier.
        Self::continued(meta.get_traceparent(), meta.get_tracestate())
            .or_else(|| Self::of_headers(&context.extensions.get::<Parts>()?.headers))
            .unwrap_or_else(own)
    }

    /// The trace of a caller. None: it does not say, or not as the W3C wants it.
    fn continued(parent: Option<&str>, state: Option<&str>) -> Option<Self> {
        let (id, parent) = parse(parent?)?;
        Some(Self { id, parent: Some(parent), state: state.filter(|state| printable(state)).map(str::to_owned) })
    }

    fn of_headers(headers: &HeaderMap) -> Option<Self> {
        let mut parents = headers.get_all("traceparent").iter();
        let parent = parents.next()?.to_str().ok()?;
        if parents.next().is_some() {
            // Of two that contradict each other neither is believed.
            return None;
        }
        // A long list may come in several headers.
        let states: Result<Vec<&str>, _> = headers.get_all("tracestate").iter().map(|state| state.to_str()).collect();
        let state = states.ok().filter(|states| !states.is_empty()).map(|states| states.join(","));
        Self::continued(Some(parent), state.as_deref())
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
            span.record("of", crate::template::bare(name, 200));
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
    fn headers_carry_a_trace_too() {
        let (trace, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        let whole = format!("00-{trace}-{parent}-01");
        /// Headers `traceparent` and `tracestate`, and the state that is found with the trace.
        type Case<'a> = (&'a [&'a str], &'a [&'a str], Option<Option<&'a str>>);
        let cases: [Case; 7] = [
            (&[&whole], &[], Some(None)),
            (&[&whole], &["a=1"], Some(Some("a=1"))),
            (&[&whole], &["a=1", "b=2"], Some(Some("a=1,b=2"))),
            (&[&whole], &["\u{fc}"], Some(None)),
            (&["00-nonsense"], &["a=1"], None),
            (&[&whole, &whole], &[], None),
            (&[], &["a=1"], None),
        ];
        for (parents, states, expected) in cases {
            let mut headers = HeaderMap::new();
            for parent in parents {
                headers.append("traceparent", parent.parse().unwrap());
            }
            for state in states {
                headers.append("tracestate", http::HeaderValue::from_bytes(state.as_bytes()).unwrap());
            }
            let found = Trace::of_headers(&headers).map(|found| {
                assert_eq!((found.id.as_str(), found.parent.as_deref()), (trace, Some(parent)));
                found.state
            });
            assert_eq!(found, expected.map(|state| state.map(str::to_owned)), "{parents:?} {states:?}");
        }
    }

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
