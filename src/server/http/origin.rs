//! Names of this server, and browser origins: which may call, and what a browser is told about it (CORS).

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, uri::Authority};

/// Origins that may call; `:*` stands for any port.
#[derive(Debug, Clone)]
pub struct Origins(pub Vec<String>);

/// Headers that a browser may send, and those that its script may read.
const SENT: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, accept, last-event-id, mcp-session-id, mcp-protocol-version, mcp-method, mcp-name, x-api-key, traceparent, tracestate",
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

/// Why a request is none for this server: it was sent to another name, or by a foreign page. rmcp asks the same on the
/// path that it serves.
pub fn foreign(headers: &HeaderMap, hosts: &[String], origins: &Origins) -> Option<&'static str> {
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or_default());
    let host = text(header::HOST).and_then(|host| host.parse::<Authority>().ok());
    let bare = |host: &str| host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let ours = host.is_some_and(|host| {
        hosts.iter().any(|allowed| match allowed.parse::<Authority>() {
            Ok(allowed) if allowed.port().is_some() => allowed == host,
            _ => bare(allowed) == bare(host.host()),
        })
    });
    match text(header::ORIGIN) {
        _ if !ours => Some("Host header is not allowed; see `server.http.public_url` and `allowed_hosts`"),
        Some(origin) if !origins.allow(origin) => {
            Some("Origin header is not allowed; see `server.http.allowed_origins`")
        }
        _ => None,
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
    fn a_request_is_for_this_server_or_another() {
        let hosts = ["localhost".to_owned(), "::1".into(), "mcp.example.com:8443".into()];
        let origins = Origins(vec!["http://localhost:*".into()]);
        for (host, origin, ours) in [
            ("localhost", None, true),
            ("LOCALHOST:8080", Some("http://localhost:1"), true),
            ("[::1]:8080", None, true),
            ("mcp.example.com:8443", None, true),
            ("mcp.example.com", None, false),
            ("localhost.evil.com", None, false),
            ("", None, false),
            ("localhost", Some("http://evil.com"), false),
            ("localhost", Some("null"), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static(host));
            origin.map(|origin| headers.insert(header::ORIGIN, HeaderValue::from_static(origin)));
            assert_eq!(foreign(&headers, &hosts, &origins).is_none(), ours, "{host} {origin:?}");
        }
        assert!(foreign(&HeaderMap::new(), &hosts, &origins).is_some(), "no name at all");
    }

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
