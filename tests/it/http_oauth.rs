//! What a client finds that looks for an issuer, and what the operator is told of settings under which nobody could
//! come in.

use serde_json::{Value, json};

use crate::support::{
    client::{DEADLINE, serve_command},
    eventually::eventually,
    http::{HttpServer, http_client},
    key,
};

async fn serve(settings: Value) -> (HttpServer, tempfile::TempDir) {
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("tfo-mcp.yaml"), settings.to_string()).unwrap();
    (HttpServer::start(serve_command(data.path())).await, data)
}

const ISSUER: &str = "http://127.0.0.1:9/realms/ops";

/// The place of the metadata that a challenge names, as a path.
async fn place(server: &HttpServer, path: &str) -> Option<String> {
    let refused = http_client().post(format!("{}{path}", server.origin)).send().await.unwrap();
    assert_eq!(refused.status(), 401);
    let challenge = refused.headers()["www-authenticate"].to_str().unwrap().to_owned();
    let url = challenge.split_once("resource_metadata=\"")?.1.split_once('"')?.0.to_owned();
    Some(reqwest::Url::parse(&url).unwrap().path().to_owned())
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn the_metadata_stand_where_the_challenge_says() {
    const PLACE: &str = "/.well-known/oauth-protected-resource";
    for (public, path, named, also) in [
        ("https://gw.example.com/tools/mcp", "/mcp", "/tools/mcp", "/mcp"),
        ("https://gw.example.com/tools/mcp/", "/mcp", "/tools/mcp", "/tools/mcp/"),
        ("https://mcp.example.com", "/", "", "/"),
        ("https://mcp.example.com/mcp", "/mcp", "/mcp", ""),
    ] {
        let http = json!({"public_url": public, "path": path, "allowed_hosts": ["127.0.0.1"]});
        let (server, _data) = serve(json!({"auth": {"issuer": ISSUER}, "server": {"http": http}})).await;
        let place = place(&server, path).await.expect("a place is named");
        assert_eq!(place, format!("{PLACE}{named}"), "{public}");
        for at in [place, PLACE.into(), format!("{PLACE}{also}")] {
            let found = http_client().get(format!("{}{at}", server.origin)).send().await.unwrap();
            assert_eq!(found.status(), 200, "{public}: {at}");
            let metadata: Value = serde_json::from_str(&found.text().await.unwrap()).unwrap();
            assert_eq!((&metadata["resource"], &metadata["authorization_servers"]), (&json!(public), &json!([ISSUER])));
        }
        // The transport of 2024-11-05 is a resource of its own, which its client compares with what it called.
        let refused = http_client().get(format!("{}/sse", server.origin)).send().await.unwrap();
        let challenge = refused.headers()["www-authenticate"].to_str().unwrap().to_owned();
        let url = challenge.split_once("resource_metadata=\"").unwrap().1.split_once('"').unwrap().0;
        let stream = format!("{}/sse", public.trim_end_matches('/').trim_end_matches(path.trim_end_matches('/')));
        for at in [reqwest::Url::parse(url).unwrap().path(), &format!("{PLACE}/sse")] {
            let found = http_client().get(format!("{}{at}", server.origin)).send().await.unwrap();
            let metadata: Value = serde_json::from_str(&found.text().await.unwrap()).unwrap();
            assert_eq!(metadata["resource"], json!(stream), "{at}");
        }
    }
}

#[tokio::test]
async fn an_audience_that_is_no_url_leads_nowhere_and_the_operator_is_told() {
    let audience = "api://11111111-2222-3333-4444-555555555555";
    for (audience, leads) in
        [(json!(audience), false), (json!("urn:x"), false), (json!([audience, "https://mcp.example.com/mcp"]), true)]
    {
        let data = tempfile::tempdir().unwrap();
        let settings = json!({"auth": {"issuer": ISSUER, "audience": audience}, "logging": {"output": "log"}});
        std::fs::write(data.path().join("tfo-mcp.yaml"), settings.to_string()).unwrap();
        let mut command = serve_command(data.path());
        command.args(["--transport", "http", "--port", "0"]).kill_on_drop(true);
        command.env("TELEMETRYFLOW_MCP_LOG_LEVEL", "info");
        let mut child = command.spawn().unwrap();
        let log = data.path().join("log");
        let said = eventually("it listens", async || {
            std::fs::read_to_string(&log).ok().filter(|said| said.contains("Serving MCP"))
        })
        .await;
        assert_eq!(said.contains("cannot find the issuer"), !leads, "{said}");
        child.kill().await.unwrap();
    }
    let (server, _data) = serve(json!({"auth": {"issuer": ISSUER, "audience": audience}})).await;
    assert_eq!(place(&server, "/mcp").await, None);
    let found = http_client().get(format!("{}/.well-known/oauth-protected-resource", server.origin)).send().await;
    assert_eq!(found.unwrap().status(), 404);
}

/// Claude Code and mcp-remote read what is answered there as JSON, and show it.
#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_client_that_looks_for_an_issuer_is_told_how_to_authenticate() {
    let places = [
        "/register",
        "/authorize",
        "/token",
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/mcp",
        "/.well-known/openid-configuration",
        "/mcp/.well-known/openid-configuration",
    ];
    let (open, _data) = serve(json!({})).await;
    let data = tempfile::tempdir().unwrap();
    key::create(data.path(), "x", key::SOME, &[]);
    let keyed = HttpServer::start(serve_command(data.path())).await;
    let audience = json!({"issuer": ISSUER, "audience": "api://x"});
    let (issued, _data) = serve(json!({"auth": audience})).await;
    for (server, says) in [(&open, "nobody is asked"), (&keyed, "tfo-mcp keys create"), (&issued, ISSUER)] {
        for place in places {
            for method in [reqwest::Method::GET, reqwest::Method::POST] {
                let answer = http_client().request(method, format!("{}{place}", server.origin)).send().await.unwrap();
                assert_eq!(answer.status(), 404, "{place}");
                assert_eq!(answer.headers()["content-type"], "application/json", "{place}");
                let said: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
                assert!(said["error"].is_string(), "{said}");
                assert!(said["error_description"].as_str().unwrap().contains(says), "{place}: {said}");
            }
            // A browser's client asks first, and shows its user what it may read.
            for (origin, may) in [("http://localhost:6274", true), ("https://evil.example", false)] {
                let url = format!("{}{place}", server.origin);
                let asked = http_client().request(reqwest::Method::OPTIONS, &url).header("origin", origin);
                let asked = asked.header("access-control-request-method", "POST");
                let asked =
                    asked.header("access-control-request-headers", "mcp-protocol-version").send().await.unwrap();
                let got = http_client().get(&url).header("origin", origin).send().await.unwrap();
                for answer in [&asked, &got] {
                    let allowed = answer.headers().get("access-control-allow-origin");
                    assert_eq!(allowed.map(|value| value.to_str().unwrap()), may.then_some(origin), "{place}");
                }
                assert_eq!(asked.status(), if may { 204 } else { 404 }, "{place}");
            }
        }
    }
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn names_and_origins_that_nothing_matches_stop_the_start() {
    for (key, entry, says) in [
        ("allowed_hosts", "*.example.com", "is a pattern"),
        ("allowed_hosts", "https://mcp.example.com", "is a URL"),
        ("allowed_hosts", "mcp.example.org/", "has a path"),
        ("allowed_origins", "*", "matches no origin"),
        ("allowed_origins", "https://app.example.com/", "matches no origin"),
        ("public_url", "mcp.example.com", "https://mcp.example.com/mcp"),
        ("public_url", "ftp://mcp.example.com", "http or https"),
        ("path", "/a b", "clients write in another way"),
        ("path", "/é", "clients write in another way"),
        ("path", "/a%20b", "clients write in another way"),
        ("path", "/a/../mcp", "clients write in another way"),
    ] {
        let single = matches!(key, "public_url" | "path");
        let value = if single { json!(entry) } else { json!(["localhost", entry]) };
        let value = if key == "allowed_origins" { json!([entry]) } else { value };
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("tfo-mcp.yaml"), json!({"server": {"http": {key: value}}}).to_string())
            .unwrap();
        let mut command = serve_command(data.path());
        command.args(["--transport", "http", "--port", "0"]).stdin(std::process::Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(DEADLINE, command.output()).await.expect("it does not start").unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{entry}");
        for part in [entry, says, key, "tfo-mcp.yaml"].into_iter().take(if single { 3 } else { 4 }) {
            assert!(said.contains(part), "{entry}: {part} is not in {said}");
        }
    }
    let names = ["mcp.example.com:*", "mcp.example.net:443", "mcp.example.org:8443"];
    let hosts = json!({"allowed_hosts": names, "allowed_origins": ["https://app.example.com:443"]});
    let (server, _data) = serve(json!({"server": {"http": hosts}})).await;
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}).to_string();
    for (host, origin, status) in [
        ("mcp.example.com:1234", None, 400),
        ("mcp.example.net", None, 400),
        ("mcp.example.org:8443", None, 400),
        ("mcp.example.org", None, 403),
        ("mcp.example.com", Some("https://app.example.com"), 400),
        ("mcp.example.com", Some("https://app.example.com:8443"), 403),
        ("localhost", None, 403),
    ] {
        let request = http_client().post(server.url()).header("content-type", "application/json").body(ping.clone());
        let request = request.header("host", host);
        let request = origin.into_iter().fold(request, |request, origin| request.header("origin", origin));
        assert_eq!(request.send().await.unwrap().status(), status, "{host} {origin:?}");
    }
}
