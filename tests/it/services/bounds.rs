//! How long an answer may take and how long it may be, and of which kind it is.

use std::{io::Write, time::Duration};

use flate2::{Compression, write::GzEncoder};
use serde_json::json;

use super::{Server, asking, call, pieces, settings, status};

const JSON: (&str, &str) = ("content-type", "application/json");

fn limits(more: &str) -> String {
    format!(r#""allow_private": ["127.0.0.1"], {more}"#)
}

#[tokio::test]
async fn a_slow_body_ends_with_the_timeout() {
    let server = Server::new(|_| status(200, &[JSON], pieces(" ", 100_000, Duration::from_millis(20)))).await;
    let engine = asking("path: /", &settings(&server.url(), &limits(r#""timeout": "300ms""#)));
    let refused = call(&engine, "ask", json!({})).await.unwrap_err();
    assert!(refused.starts_with("timeout: ") && refused.contains("`http.services.other.timeout`"), "{refused}");
}

#[tokio::test]
async fn a_server_that_says_nothing_ends_with_the_timeout() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let engine = asking("path: /", &settings(&url, &limits(r#""timeout": "300ms""#)));
    let refused = call(&engine, "ask", json!({})).await.unwrap_err();
    assert!(refused.starts_with("timeout: "), "{refused}");
}

#[tokio::test]
async fn an_endless_body_ends_with_the_size() {
    let server = Server::new(|_| status(200, &[JSON], pieces("[[[[[[[[", usize::MAX, Duration::ZERO))).await;
    let engine = asking("path: /", &settings(&server.url(), &limits(r#""max_bytes": "64KiB""#)));
    let refused = call(&engine, "ask", json!({})).await.unwrap_err();
    assert!(refused.contains("longer than 64KiB (`http.services.other.max_bytes`)"), "{refused}");
}

#[tokio::test]
async fn the_endless_body_of_a_failure_is_told_by_its_beginning() {
    let server = Server::new(|_| status(500, &[], pieces("no no ", usize::MAX, Duration::ZERO))).await;
    let engine = asking("path: /", &settings(&server.url(), &limits(r#""max_bytes": "64KiB""#)));
    let refused = call(&engine, "ask", json!({})).await.unwrap_err();
    assert!(refused.contains("answered 500 Internal Server Error: ") && refused.chars().count() < 900, "{refused}");
}

#[tokio::test]
async fn a_packed_body_is_counted_unpacked() {
    let packed = |text: &[u8]| {
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(text).unwrap();
        packer.finish().unwrap()
    };
    let (small, bomb) = (packed(b"[42]"), packed(&vec![b' '; 8 << 20]));
    assert!(bomb.len() < 64 << 10);
    let server = Server::new(move |seen| {
        let body = if seen.target == "/bomb" { bomb.clone() } else { small.clone() };
        status(200, &[JSON, ("content-encoding", if seen.target == "/other" { "br" } else { "gzip" })], body)
    })
    .await;
    let ask = async |path: &str| {
        let engine = asking(&format!("path: {path}"), &settings(&server.url(), &limits(r#""max_bytes": "64KiB""#)));
        call(&engine, "ask", json!({})).await
    };
    assert!(ask("/small").await.unwrap().contains("42"));
    let refused = ask("/bomb").await.unwrap_err();
    assert!(refused.contains("longer than 64KiB"), "{refused}");
    let refused = ask("/other").await.unwrap_err();
    assert!(refused.contains("packed its answer as `br`"), "{refused}");
}

#[tokio::test]
async fn only_json_is_an_answer() {
    let server = Server::new(|seen| match seen.target.as_str() {
        "/html" => status(200, &[("content-type", "text/html")], "<html>login</html>"),
        "/none" => status(200, &[], "[1]"),
        "/half" => status(200, &[JSON], "{\"a\": "),
        "/bytes" => status(200, &[JSON], vec![b'"', 0xff, b'"']),
        "/deep" => status(200, &[JSON], "[".repeat(100_000)),
        "/problem" => status(200, &[("content-type", "application/vnd.x+json")], "[1]"),
        _ => status(204, &[], ""),
    })
    .await;
    let ask = async |path: &str| {
        let engine = asking(&format!("path: {path}"), &settings(&server.url(), &limits(r#""timeout": "5s""#)));
        call(&engine, "ask", json!({})).await
    };
    for (path, said) in [
        ("/html", "answered no JSON: its answer has text/html"),
        ("/none", "answered no JSON: its answer has no media type"),
        ("/half", "answered no JSON: EOF"),
        ("/bytes", "is not UTF-8"),
        ("/deep", "is not read: it is deeper than 128 levels"),
        ("/empty", "answered no JSON"),
    ] {
        let refused = ask(path).await.unwrap_err();
        assert!(refused.contains(said), "{path}: {refused}");
    }
    assert!(ask("/problem").await.unwrap().contains('1'));
}
