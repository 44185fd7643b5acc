//! Browser origins: which may call, and what a browser is told about it (CORS).

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderValue, Method, StatusCode, header};

/// Origins that may call; `:*` stands for any port.
#[derive(Debug, Clone)]
pub struct Origins(pub Vec<String>);

/// Headers that a browser may send, and those that its script may read.
const SENT: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, accept, last-event-id, mcp-session-id, mcp-protocol-version, mcp-method, mcp-name, x-api-key, traceparent",
);
const READ: HeaderValue = HeaderValue::from_static("mcp-session-id, www-authenticate, retry-after");
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, DELETE");

impl Origins {
    fn allow(&self, origin: &str) -> bool {
        self.0.iter().any(|allowed| match allowed.strip_suffix(":*") {
            None => allowed.eq_ignore_ascii_case(origin),
            Some(base) => {
                let port = origin.get(base.len()..).unwrap_or_default();
                origin.get(..base.len()).is_some_and(|start| start.eq_ignore_ascii_case(base))
                    && (port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok()))
            }
        })
    }
}

/// Answers a browser's question whether it may call, and lets its script read the answers. A foreign origin is
/// refused further in.
pub async fn cors(State(origins): State<Origins>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let allowed = origin.filter(|origin| origin.to_str().is_ok_and(|origin| origins.allow(origin)));
    let asks = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
        && allowed.is_some();
    let mut response = match asks {
        true => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        }
        false => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, READ);
        if asks {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, SENT);
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_its_scheme_host_and_port() {
        let origins = Origins(vec!["http://localhost:*".into(), "https://app.example.com".into()]);
        for (origin, allowed) in [
            ("http://localhost", true),
            ("http://localhost:6274", true),
            ("http://LOCALHOST:1", true),
            ("http://localhost:99999", false),
            ("http://localhost.evil.com", false),
            ("http://localhost:1.evil.com", false),
            ("https://localhost", false),
            ("https://app.example.com", true),
            ("https://app.example.com:8443", false),
            ("null", false),
        ] {
            assert_eq!(origins.allow(origin), allowed, "{origin}");
        }
    }
}
