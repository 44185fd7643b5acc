//! Names of this server, and browser origins: which may call, and what a browser is told about it (CORS).

use std::{
    future::Future,
    net::{Ipv4Addr, Ipv6Addr},
};

use axum::{body::Body, extract::Request, response::Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, uri::Authority};

/// Who may call, and by which name: read once, compared with every request.
#[derive(Debug)]
pub struct Known {
    hosts: Vec<Name>,
    origins: Vec<Origin>,
}

/// A name of this server.
#[derive(Debug)]
enum Name {
    /// On any port; of an address of IPv6 what stands in its brackets.
    Bare(String),
    /// On one port.
    WithPort(Authority),
}

impl Name {
    fn of(allowed: &str) -> Self {
        match allowed.parse::<Authority>() {
            Ok(allowed) if allowed.port().is_some() => Self::WithPort(allowed),
            _ => Self::Bare(bare(allowed).to_owned()),
        }
    }

    fn is(&self, host: &Authority) -> bool {
        match self {
            Self::Bare(name) => name.eq_ignore_ascii_case(bare(host.host())),
            Self::WithPort(name) => name == host,
        }
    }
}

/// A name without the brackets of IPv6.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// Headers that a browser may send, and those that its script may read.
const SENT: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, accept, last-event-id, mcp-session-id, mcp-protocol-version, mcp-method, mcp-name, x-api-key, traceparent, tracestate",
);
const READ: HeaderValue = HeaderValue::from_static("mcp-session-id, www-authenticate, retry-after");
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, DELETE");

impl Known {
    /// `origins`: `:*` stands for any port.
    pub fn new(hosts: &[String], origins: &[String]) -> Self {
        Self {
            hosts: hosts.iter().map(|host| Name::of(host)).collect(),
            origins: origins.iter().filter_map(|origin| Origin::parse(origin)).collect(),
        }
    }

    fn allows(&self, origin: &str) -> bool {
        let Some(origin) = Origin::parse(origin) else { return false };
        self.origins.iter().any(|allowed| allowed.covers(&origin))
    }

    /// Why a request is none for this server: it was sent to another name, or by a foreign page. rmcp asks the same on
    /// the path that it serves.
    pub fn foreign(&self, headers: &HeaderMap) -> Option<&'static str> {
        let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or_default());
        let host = text(header::HOST).and_then(|host| host.parse::<Authority>().ok());
        let ours = host.is_some_and(|host| self.hosts.iter().any(|name| name.is(&host)));
        match text(header::ORIGIN) {
            _ if !ours => Some("Host header is not allowed; see `server.http.public_url` and `allowed_hosts`"),
            Some(origin) if !self.allows(origin) => {
                Some("Origin header is not allowed; see `server.http.allowed_origins`")
            }
            _ => None,
        }
    }
}

/// A browser origin: where a page came from.
#[derive(Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: Port,
}

#[derive(Debug, PartialEq, Eq)]
enum Port {
    Any,
    /// None: that of a scheme of which no port is known.
    Is(Option<u16>),
}

impl Origin {
    /// An origin in any of its spellings. `null` is that of a page without one.
    fn parse(text: &str) -> Option<Self> {
        if text == "null" {
            return Some(Self { scheme: text.into(), host: String::new(), port: Port::Is(None) });
        }
        let (scheme, rest) = text.split_once("://")?;
        let (host, port) = match rest.strip_suffix(":*") {
            Some(host) => (host.parse::<Authority>().ok()?, Port::Any),
            None => {
                let host = rest.parse::<Authority>().ok()?;
                let default = match scheme.to_ascii_lowercase().as_str() {
                    "https" => Some(443),
                    "http" => Some(80),
                    _ => None,
                };
                let port = if host.as_str().len() == host.host().len() { default } else { Some(host.port_u16()?) };
                (host, Port::Is(port))
            }
        };
        let bare = !host.as_str().contains('@') && !host.host().is_empty();
        bare.then(|| Self { scheme: scheme.to_ascii_lowercase(), host: host.host().to_ascii_lowercase(), port })
    }

    fn covers(&self, other: &Self) -> bool {
        self.scheme == other.scheme && self.host == other.host && (self.port == Port::Any || self.port == other.port)
    }
}

/// An entry as rmcp reads it like we do: without a port it would take any.
pub fn canonical(entry: &str) -> String {
    match Origin::parse(entry) {
        Some(Origin { scheme, host, port: Port::Is(Some(port)) }) => format!("{scheme}://{host}:{port}"),
        _ => entry.to_owned(),
    }
}

/// An entry of the list of origins.
///
/// # Errors
/// No browser sends what it would match.
pub fn check_origin(entry: &str) -> Result<(), String> {
    match Origin::parse(entry) {
        Some(Origin { scheme, .. }) if scheme == "null" => Ok(()),
        Some(Origin { host, port, .. })
            if !host.contains('*')
                && host.is_ascii()
                && port != Port::Is(Some(0))
                && never_sent(bare(&host)).is_none() =>
        {
            Ok(())
        }
        _ => Err(format!(
            "`{entry}` matches no origin: write a scheme, a name and a port if it is another than the usual one, such as \
             `https://app.example.com`, `http://localhost:*`, and nothing behind it"
        )),
    }
}

/// An entry of the list of hosts, as it is compared.
///
/// # Errors
/// No client sends what it would match.
pub fn check_host(entry: &str) -> Result<String, String> {
    let wrong = |what: &str| {
        Err(format!(
            "`{entry}` {what}: write a name as clients call it, such as `mcp.example.com`, with a port or without"
        ))
    };
    if entry.contains("://") {
        return wrong("is a URL");
    }
    // Any port, which is what an entry without one says; and clients leave out the one that their scheme has anyhow.
    let name = [":*", ":443", ":80"].iter().find_map(|port| entry.strip_suffix(port)).unwrap_or(entry);
    if let Ok(address) = name.parse::<Ipv6Addr>() {
        let written = address.to_string();
        return never_sent(&written).map_or(Ok(written), wrong);
    }
    if name.contains('*') {
        return wrong("is a pattern, and names are compared whole");
    }
    if name.contains('/') {
        return wrong("has a path");
    }
    if !name.is_ascii() {
        return wrong("has letters that clients write in another way (`xn--…`)");
    }
    if name.trim_end_matches('.').len() < name.len() {
        return wrong("ends with a dot");
    }
    let Some(authority) = super::unambiguous::authority(name) else { return wrong("is no name of a host") };
    if authority.port_u16() == Some(0) {
        return wrong("has the port 0, which nobody calls");
    }
    match never_sent(bare(authority.host())) {
        Some(what) => wrong(what),
        None => Ok(authority.as_str().to_owned()),
    }
}

/// Why no client sends a name or an address, which each writes in one way only.
fn never_sent(host: &str) -> Option<&'static str> {
    if let Ok(address) = host.parse::<Ipv6Addr>() {
        if address.to_ipv4_mapped().is_some() {
            return Some("is an address of IPv4, which browsers write in another way: write it as such");
        }
        return (address.to_string() != host.to_ascii_lowercase())
            .then_some("is an address that clients write in another way");
    }
    if host.split('.').any(str::is_empty) {
        return Some("has nothing before a dot, and names are compared whole");
    }
    if host.split('.').any(|part| part.starts_with('-') || part.ends_with('-')) {
        return Some("has a part that begins or ends with a hyphen, which no name has");
    }
    // A name that ends in a number is an address, and of those there is one way to write them.
    let ends = host.rsplit('.').next().unwrap_or_default();
    let is_number = ends.bytes().all(|byte| byte.is_ascii_digit()) || ends.to_ascii_lowercase().starts_with("0x");
    (is_number && host.parse::<Ipv4Addr>().is_err()).then_some("is no address as clients write it, such as `127.0.0.1`")
}

/// Answers a browser's question whether it may call, and lets its script read the answers. A foreign origin is
/// refused further in.
pub async fn cors<F: Future<Output = Response>>(
    known: &Known,
    request: Request,
    inner: impl FnOnce(Request) -> F,
) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let allowed = origin.filter(|origin| origin.to_str().is_ok_and(|origin| known.allows(origin)));
    let asks = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
        && allowed.is_some();
    let mut response = match asks {
        true => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        }
        false => inner(request).await,
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
        let known = Known::new(&hosts, &["http://localhost:*".into()]);
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
            assert_eq!(known.foreign(&headers).is_none(), ours, "{host} {origin:?}");
        }
        assert!(known.foreign(&HeaderMap::new()).is_some(), "no name at all");
    }

    #[test]
    fn an_origin_is_its_scheme_host_and_port() {
        let allowed = ["http://localhost:*", "https://app.example.com", "https://port.example.com:443"];
        let known = Known::new(&[], &allowed.map(str::to_owned));
        for (origin, allowed) in [
            ("http://localhost", true),
            ("http://localhost:6274", true),
            ("http://LOCALHOST:1", true),
            ("http://localhost:99999", false),
            ("http://localhost.evil.com", false),
            ("http://localhost:1.evil.com", false),
            ("https://localhost", false),
            ("https://app.example.com", true),
            ("https://app.example.com:443", true),
            ("https://app.example.com:8443", false),
            ("http://app.example.com:443", false),
            ("https://port.example.com", true),
            ("https://user@app.example.com", false),
            ("null", false),
        ] {
            assert_eq!(known.allows(origin), allowed, "{origin}");
        }
    }

    #[test]
    fn entries_that_nothing_matches_are_refused() {
        for (entry, taken) in [
            ("mcp.example.com", Some("mcp.example.com")),
            ("MCP.example.com:8443", Some("MCP.example.com:8443")),
            ("mcp.example.com:*", Some("mcp.example.com")),
            ("10.0.0.1", Some("10.0.0.1")),
            ("::1", Some("::1")),
            ("[::1]", Some("[::1]")),
            ("[::1]:8080", Some("[::1]:8080")),
            ("mcp.example.com:443", Some("mcp.example.com")),
            ("mcp.example.com:80", Some("mcp.example.com")),
            ("[::1]:443", Some("[::1]")),
            ("my_service", Some("my_service")),
            ("*.example.com", None),
            ("*", None),
            ("https://mcp.example.com", None),
            ("mcp.example.org/", None),
            ("mcp.example.org/mcp", None),
            ("mcp.example.com.", None),
            ("mcp.example.com:99999", None),
            ("mcp.example.com:http", None),
            ("user@mcp.example.com", None),
            ("müller.example", None),
            (" mcp.example.com", None),
            ("a,b", None),
            ("", None),
            ("0:0:0:0:0:0:0:1", Some("::1")),
            ("[0:0:0:0:0:0:0:1]", None),
            (".example.com", None),
            ("example..com", None),
            ("127.1", None),
            ("2130706433", None),
            ("0x7f.1", None),
            ("10.0.0.1-10.0.0.9", None),
            ("mcp.example.com:0", None),
            ("-a.example", None),
            ("a-.example", None),
            ("::ffff:127.0.0.1", None),
            ("[::ffff:127.0.0.1]:8080", None),
            ("a--b.example", Some("a--b.example")),
        ] {
            assert_eq!(check_host(entry).ok().as_deref(), taken, "{entry}");
        }
        for (entry, taken) in [
            ("https://app.example.com", true),
            ("https://app.example.com:443", true),
            ("http://localhost:*", true),
            ("http://[::1]:*", true),
            ("vscode-webview://panel", true),
            ("chrome-extension://abcdefghijklmnop", true),
            ("https://.example.com", false),
            ("https://a..b", false),
            ("https://127.1", false),
            ("https://a.example:0", false),
            ("https://[0:0:0:0:0:0:0:1]", false),
            ("null", true),
            ("*", false),
            ("https://*.example.com", false),
            ("https://app.example.com/", false),
            ("https://app.example.com/x", false),
            ("https://app.example.com:99999", false),
            ("app.example.com", false),
            ("https://", false),
            ("", false),
        ] {
            assert_eq!(check_origin(entry).is_ok(), taken, "{entry}");
        }
    }
}
