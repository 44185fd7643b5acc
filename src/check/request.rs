//! Requests over HTTP: one body at most and where one may be, names of headers, and none that is the operator's or the protocol's.
//!
//! Paths and pointers are proved when they are read (`definition/http.rs`), templates with all others.

use super::statements;
use crate::{
    definition::{Action, Definition, HttpMethod},
    diagnostic::{Code, Diagnostic},
    load::Document,
};

/// Headers that are written by whoever sends a request, and those that hold credentials.
const NOT_THEIRS: [&str; 17] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
];

pub(super) fn check(document: &Document, definition: &Definition, out: &mut Vec<Diagnostic>) {
    for site in statements::sites(definition) {
        let Action::HttpRequest { method, headers, json, form, .. } = site.action else { continue };
        let mut say = |key: &str, message: String, help: &str| {
            let span = document.key_span(&format!("{}/{key}", site.pointer));
            out.push(document.finding(Code::HttpRequest, span, message).help(help));
        };
        match (json.is_some(), form.is_some()) {
            (true, true) => say("form", "a request has one body".to_owned(), "Keep `json:` or `form:`."),
            (json, form) if (json || form) && *method == HttpMethod::Get => {
                let key = if json { "json" } else { "form" };
                say(key, "a GET has no body".to_owned(), "Name the method, such as `method: POST`, or use `query:`.");
            }
            _ => {}
        }
        for name in headers.keys() {
            let key = format!("headers/{}", name.replace('~', "~0").replace('/', "~1"));
            let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
            if name.is_empty() || !name.bytes().all(token) {
                say(&key, format!("`{name}` is no name of a header"), "Names are letters, digits and `-`.");
            } else if NOT_THEIRS.contains(&name.to_ascii_lowercase().as_str()) {
                say(
                    &key,
                    format!("the header `{name}` is not written by a definition"),
                    "Credentials are the operator's: `http.services.<name>.bearer_env` and `headers_env` of the settings.",
                );
            }
        }
    }
}
