//! Where a request may go: addresses, names that change their address, redirects, proxies.

use serde_json::json;

use super::{HERE, Server, answers, asking, asking_through, call, settings, status};

#[tokio::test]
async fn an_address_is_judged_however_it_is_written() {
    let server = Server::json("[]").await;
    let port = server.at.port();
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "localhost",
        "169.254.169.254",
        "2852039166",
        "[fd00:ec2::254]",
        "[::ffff:a9fe:a9fe]",
        "10.0.0.1",
        "100.64.0.1",
        "[fe80::1]",
        "224.0.0.1",
        "127.0.0.1.",
    ] {
        let engine = asking("path: /", &settings(&format!("http://{host}:{port}/"), ""));
        let refused = call(&engine, "ask", json!({})).await.unwrap_err();
        assert!(refused.starts_with("forbidden: `other` was not asked"), "{host}: {refused}");
        assert!(refused.contains("`http.services.other.allow_private`"), "{host}: {refused}");
    }
    assert_eq!(server.seen(), []);
    let open = asking("path: /", &settings(&format!("http://2130706433:{port}/"), HERE));
    call(&open, "ask", json!({})).await.unwrap();
}

#[tokio::test]
async fn metadata_is_not_opened_by_a_range() {
    for (url, open) in [
        ("http://169.254.169.254/", "0.0.0.0/0"),
        ("http://169.254.169.254/", "169.254.0.0/16"),
        ("http://[fd00:ec2::254]/", "fd00::/8"),
    ] {
        let engine = asking("path: /", &settings(url, &format!(r#""allow_private": ["{open}"]"#)));
        let refused = call(&engine, "ask", json!({})).await.unwrap_err();
        assert!(refused.contains("where a cloud answers with credentials"), "{refused}");
    }
}

/// The name answers with an open address first, and with a closed one whenever it is asked again.
#[tokio::test]
async fn a_name_that_changes_its_address_is_judged_each_time() {
    // Every answer ends its connection, so that the next request asks for the name again.
    let server =
        Server::new(|_| status(200, &[("content-type", "application/json"), ("connection", "close")], "[]")).await;
    let url = format!("http://changing.example:{}/", server.at.port());
    let engine = asking_through("path: /", &settings(&url, HERE), &answers(&["127.0.0.1", "127.0.0.2"]));
    call(&engine, "ask", json!({})).await.unwrap();
    let refused = call(&engine, "ask", json!({})).await.unwrap_err();
    assert!(refused.contains("`changing.example` has the address 127.0.0.2"), "{refused}");
    assert_eq!(server.seen().len(), 1);
    // One that was public when somebody looked.
    let engine = asking_through("path: /", &settings(&url, ""), &answers(&["127.0.0.1"]));
    let refused = call(&engine, "ask", json!({})).await.unwrap_err();
    assert!(refused.starts_with("forbidden"), "{refused}");
}

#[tokio::test]
async fn a_redirect_leads_to_the_same_server_or_nowhere() {
    let other = Server::json("[]").await;
    let elsewhere = other.url();
    let server = Server::new(move |seen| match seen.target.as_str() {
        "/near" => status(302, &[("location", "/there?a=b")], ""),
        "/far" => status(302, &[("location", &elsewhere)], ""),
        "/secure" => status(301, &[("location", "https://127.0.0.1/")], ""),
        "/user" => status(301, &[("location", &format!("http://u:p@{}/", seen.header("host").unwrap()))], ""),
        "/file" => status(307, &[("location", "file:///etc/passwd")], ""),
        "/circle" => status(302, &[("location", "/circle")], ""),
        "/metadata" => status(302, &[("location", "http://169.254.169.254/latest/")], ""),
        _ => super::json("[7]"),
    })
    .await;
    let ask = async |path: &str, method: &str| {
        let engine = asking(&format!("path: {path}\nmethod: {method}"), &settings(&server.url(), HERE));
        call(&engine, "ask", json!({})).await
    };
    assert!(ask("/near", "GET").await.unwrap().contains('7'));
    assert!(server.seen().iter().any(|seen| seen.target == "/there?a=b"));
    for path in ["/far", "/secure", "/user", "/file", "/metadata"] {
        let refused = ask(path, "GET").await.unwrap_err();
        assert!(refused.contains("which was not followed"), "{path}: {refused}");
    }
    let refused = ask("/near", "POST").await.unwrap_err();
    assert!(refused.contains("only a GET is repeated"), "{refused}");
    let refused = ask("/circle", "GET").await.unwrap_err();
    assert!(refused.contains("led on more than 3 times"), "{refused}");
    assert_eq!(other.seen(), [], "nothing went to the other server");
}
