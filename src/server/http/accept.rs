//! What a client takes (`Accept`, RFC 9110, 12.5.1): JSON, a stream of events, or both.

use http::{HeaderMap, header};

/// How much a client wants a form of answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wish {
    No,
    /// It takes anything.
    Any,
    /// It says so by name.
    Named,
}

/// What a client takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    pub json: Wish,
    pub events: Wish,
    /// It takes both, and would rather have events: it weighs them higher, or names them first.
    pub rather_events: bool,
}

impl Accepted {
    pub fn of(headers: &HeaderMap) -> Self {
        let texts = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let ranges: Vec<_> = texts.flat_map(|text| text.split(',')).filter_map(range).collect();
        let find = |kind: &str, of: &str| ranges.iter().position(|range| range.is(kind, of));
        let weight = |at: usize| ranges.get(at).map_or(0.0, |range| range.weight);
        let wish = |kind: &str, of: &str| {
            // The most specific range decides; where nothing is said everything is taken.
            for (kind, of, wish) in [(kind, of, Wish::Named), (kind, "*", Wish::Any), ("*", "*", Wish::Any)] {
                if let Some(at) = find(kind, of) {
                    return if weight(at) > 0.0 { wish } else { Wish::No };
                }
            }
            if ranges.is_empty() { Wish::Any } else { Wish::No }
        };
        let place = |kind: &str, of: &str| find(kind, of).map(|at| (weight(at), std::cmp::Reverse(at)));
        let rather_events = match (place("text", "event-stream"), place("application", "json")) {
            (Some(events), Some(json)) => events > json,
            _ => false,
        };
        Self { json: wish("application", "json"), events: wish("text", "event-stream"), rather_events }
    }
}

/// A media range and its weight: zero says that it is not wanted.
struct Range<'a> {
    kind: &'a str,
    of: &'a str,
    weight: f64,
}

impl Range<'_> {
    fn is(&self, kind: &str, of: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind) && self.of.eq_ignore_ascii_case(of)
    }
}

fn range(text: &str) -> Option<Range<'_>> {
    let mut parts = text.split(';').map(str::trim);
    let range = parts.next().filter(|range| !range.is_empty())?;
    let weight = parts.find_map(|part| {
        let (name, weight) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| weight.trim().parse::<f64>().ok())?
    });
    let (kind, of) = range.split_once('/').unwrap_or((range, ""));
    Some(Range { kind, of, weight: weight.unwrap_or(1.0) })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_most_specific_range_decides() {
        use Wish::*;
        for (accept, json, events) in [
            (&["application/json, text/event-stream"][..], Named, Named),
            (&["application/json", "text/event-stream"], Named, Named),
            (&["Application/JSON; charset=utf-8 , TEXT/event-stream;q=0.9"], Named, Named),
            (&[], Any, Any),
            (&[""], Any, Any),
            (&["*/*"], Any, Any),
            (&["application/*, text/*"], Any, Any),
            (&["application/json"], Named, No),
            (&["application/json, */*;q=0.1"], Named, Any),
            (&["text/event-stream"], No, Named),
            (&["text/html, */*; q=0.8"], Any, Any),
            (&["*/*, text/event-stream;q=0"], Any, No),
            (&["application/*;q=0.000, */*"], No, Any),
            (&["application/json;q=0"], No, No),
            (&["application/json;q=loud"], Named, No),
            (&["text/html"], No, No),
        ] {
            let mut headers = HeaderMap::new();
            for accept in accept {
                headers.append(header::ACCEPT, HeaderValue::from_static(accept));
            }
            let accepted = Accepted::of(&headers);
            assert_eq!((accepted.json, accepted.events), (json, events), "{accept:?}");
        }
    }

    #[test]
    fn of_two_forms_one_may_be_liked_better() {
        for (accept, rather) in [
            ("application/json, text/event-stream", false),
            ("text/event-stream, application/json", true),
            ("text/event-stream;q=0.5, application/json", false),
            ("application/json;q=0.5, text/event-stream;q=0.6", true),
            ("text/event-stream, */*", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(Accepted::of(&headers).rather_events, rather, "{accept}");
        }
    }
}
