//! Requests that two readers could understand differently are refused before anybody understands them (RFC 9112, 3.2).
//!
//! A proxy in front may judge one of two headers and this server the other. What may be said once is said once, and
//! the name of the server is the same wherever it stands.

use axum::{extract::Request, response::Response};
use http::{HeaderMap, HeaderName, StatusCode, Uri, Version, header, uri::Authority};
use serde_json::Value;

use super::front::refusal;

/// Headers by which something is decided.
const ONCE: [HeaderName; 10] = [
    header::HOST,
    header::AUTHORIZATION,
    HeaderName::from_static("x-api-key"),
    header::ORIGIN,
    header::CONTENT_TYPE,
    HeaderName::from_static("last-event-id"),
    HeaderName::from_static("mcp-session-id"),
    HeaderName::from_static("mcp-protocol-version"),
    HeaderName::from_static("mcp-method"),
    HeaderName::from_static("mcp-name"),
];

/// The answer to a request that two could understand differently: around everything.
pub fn refused(request: &Request) -> Option<Response> {
    ambiguity(request.version(), request.uri(), request.headers())
        .map(|what| refusal(StatusCode::BAD_REQUEST, &Value::Null, &what))
}

fn ambiguity(version: Version, target: &Uri, headers: &HeaderMap) -> Option<String> {
    if let Some(twice) = ONCE.iter().find(|name| headers.get_all(*name).iter().nth(1).is_some()) {
        return Some(format!("the header `{twice}` stands there more than once"));
    }
    let named = match headers.get(header::HOST) {
        Some(host) => match authority(host.to_str().unwrap_or_default()) {
            Some(host) => Some(host),
            None => return Some("the header `Host` is no name, with a port or without".into()),
        },
        None if version >= Version::HTTP_11 => return Some("there is no header `Host`".into()),
        None => None,
    };
    let scheme = target.scheme_str().unwrap_or("http");
    let told = |authority: &Authority| {
        let port = authority.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
        (authority.host().to_ascii_lowercase(), port)
    };
    let target = target.authority()?;
    match authority(target.as_str()).zip(named) {
        Some((target, host)) if told(&target) == told(&host) => None,
        _ => Some("the request line names another server than the header `Host`".into()),
    }
}

/// A host with a port or without, and nothing else: what stands before an `@` is read as part of it by some, and two
/// headers that were joined hold a comma.
pub fn authority(text: &str) -> Option<Authority> {
    let name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let ipv6 = |byte: u8| byte.is_ascii_hexdigit() || b":.".contains(&byte);
    text.parse().ok().filter(|authority: &Authority| {
        let host = authority.host();
        let plain = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) => address.bytes().all(ipv6),
            None => host.bytes().all(name),
        };
        // A port that is no port is read as none by some.
        let port = authority.as_str().len() == host.len() || authority.port_u16().is_some();
        plain && port && !host.is_empty() && !text.contains('@')
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_server_is_named_once_and_the_same_everywhere() {
        for (target, hosts, clear) in [
            ("/mcp", &["localhost:8080"][..], true),
            ("/mcp", &["[::1]:8080"], true),
            ("/mcp", &["evil.example"], true),
            ("/mcp", &["localhost", "localhost"], false),
            ("/mcp", &[], false),
            ("/mcp", &[""], false),
            ("/mcp", &["evil.example@127.0.0.1"], false),
            ("/mcp", &["a b"], false),
            ("/mcp", &["localhost/x"], false),
            ("/mcp", &["localhost:99999"], false),
            ("/mcp", &["localhost:x"], false),
            ("/mcp", &["localhost:"], false),
            ("/mcp", &["[::1]:65536"], false),
            ("/mcp", &["[::1]"], true),
            ("/mcp", &["localhost:65535"], true),
            ("/mcp", &["localhost,evil.example"], false),
            ("http://localhost:8080/mcp", &["LOCALHOST:8080"], true),
            ("http://localhost/mcp", &["localhost:80"], true),
            ("https://localhost/mcp", &["localhost:443"], true),
            ("http://evil.example/mcp", &["localhost"], false),
            ("http://localhost:1/mcp", &["localhost:2"], false),
            ("http://evil.example@localhost/mcp", &["localhost"], false),
        ] {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(header::HOST, HeaderValue::from_static(host));
            }
            let found = ambiguity(Version::HTTP_11, &Uri::from_static(target), &headers);
            assert_eq!(found.is_none(), clear, "{target} {hosts:?}: {found:?}");
        }
        assert_eq!(ambiguity(Version::HTTP_10, &Uri::from_static("/healthz"), &HeaderMap::new()), None);
    }

    #[test]
    fn what_decides_stands_once() {
        for name in ONCE {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("localhost"));
            for _ in 0..2 {
                headers.append(name.clone(), HeaderValue::from_static("localhost"));
            }
            let found = ambiguity(Version::HTTP_11, &Uri::from_static("/mcp"), &headers).unwrap();
            assert!(found.contains(name.as_str()), "{found}");
        }
    }
}
