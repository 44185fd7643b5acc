//! Credentials come from the environment, reach their service, and are seen nowhere else.

use serde_json::json;
use tfo_mcp::host::http::{Services, system};

use super::{Server, asking, call, settings, status};

/// The value of `TOKEN_OF_TEST`.
pub(super) const SECRET: &str = "hunter2-9d1f";

/// The value of `ODD_OF_TEST`: what writers escape.
pub(super) const ODD: &str = r#"quiet/Word<and&"more"#;

fn with(more: &str) -> String {
    format!(r#""allow_private": ["127.0.0.1"], {more}"#)
}

#[tokio::test]
async fn credentials_are_sent_and_win_over_a_definition() {
    let server = Server::json("[]").await;
    for (more, header, value) in [
        (r#""bearer_env": "TOKEN_OF_TEST""#, "authorization", format!("Bearer {SECRET}")),
        (
            r#""basic_user": "me", "basic_password_env": "TOKEN_OF_TEST""#,
            "authorization",
            "Basic bWU6aHVudGVyMi05ZDFm".to_owned(),
        ),
        (r#""headers_env": { "X-Key": "TOKEN_OF_TEST" }"#, "x-key", SECRET.to_owned()),
    ] {
        let run = "path: /\nheaders: { x-key: theirs }";
        let engine = asking(run, &settings(&server.url(), &with(more)));
        call(&engine, "ask", json!({})).await.unwrap();
        assert_eq!(server.seen().last().unwrap().header(header), Some(value.as_str()), "{more}");
    }
}

#[tokio::test]
async fn a_secret_that_comes_back_is_hidden() {
    let server = Server::new(|seen| {
        let said = seen.header("authorization").unwrap_or_default().to_owned();
        match seen.target.as_str() {
            "/fail" => status(400, &[], said),
            _ => super::json(format!("[{{\"said\": \"{said}\"}}]")),
        }
    })
    .await;
    for more in [r#""bearer_env": "TOKEN_OF_TEST""#, r#""basic_user": "me", "basic_password_env": "TOKEN_OF_TEST""#] {
        for path in ["/fail", "/rows"] {
            let engine = asking(&format!("path: {path}"), &settings(&server.url(), &with(more)));
            let shown = call(&engine, "ask", json!({})).await.unwrap_or_else(|error| error);
            assert!(!shown.contains(SECRET) && !shown.contains("bWU6aHVudGVyMi05ZDFm"), "{shown}");
            assert!(shown.contains("***"), "{shown}");
        }
    }
}

/// Writers of JSON escape what others write plainly, and addresses and pages what JSON does not.
#[tokio::test]
async fn a_secret_that_comes_back_escaped_is_hidden() {
    let every: String = ODD.chars().map(|c| format!("\\u{:04X}", u32::from(c))).collect();
    let said = [
        r#"quiet\/Word<and&\"more"#.to_owned(),
        r#"quiet/Word\u003cand\u0026\"more"#.to_owned(),
        r#"quiet\/Word\u003Cand\u0026\u0022more"#.to_owned(),
        r#"{\"in\":\"quiet\\\/Word\\u003cand&\\\"more\"}"#.to_owned(),
        "quiet%2FWord%3cand%26%22more".to_owned(),
        "quiet&#x2F;Word&lt;and&amp;&quot;more".to_owned(),
        every,
    ];
    let bodies = said.clone();
    let server = Server::new(move |seen| {
        let (kind, n) = seen.target.trim_start_matches('/').split_once('/').unwrap();
        let said = &bodies[n.parse::<usize>().unwrap()];
        match kind {
            "rows" => super::json(format!(r#"[{{"said": "{said}", "{said}": 1}}]"#)),
            "fail" => status(401, &[("content-type", "application/json")], format!(r#"{{"said": "{said}"}}"#)),
            "torn" => status(502, &[], format!(r#"<p>{{"said": "{said}"#)),
            "type" => status(200, &[("content-type", "text/quiet/Word<and&\"more")], "[]"),
            _ => status(200, &[("content-encoding", "quiet/Word<and&\"more")], "[]"),
        }
    })
    .await;
    let settings = settings(&server.url(), &with(r#""bearer_env": "ODD_OF_TEST""#));
    for n in 0..said.len() {
        for kind in ["rows", "fail", "torn", "type", "packed"] {
            let engine = asking(&format!("path: /{kind}/{n}"), &settings);
            let shown = call(&engine, "ask", json!({})).await.unwrap_or_else(|error| error);
            let plain = shown.to_lowercase();
            assert!(
                shown.contains("***") && !plain.contains("quiet") && !plain.contains("more"),
                "{kind} {n}: {shown}"
            );
        }
    }
}

/// What only resembles a secret is what the service said.
#[tokio::test]
async fn answers_without_a_secret_stay_as_they_are() {
    let text = r#"[{"a": "quiet/word and \u003cmore\u003e %2F", "n": 1.50, "hunter": "hunter2"}]"#;
    let server = Server::json(text).await;
    let engine = asking("path: /", &settings(&server.url(), &with(r#""bearer_env": "TOKEN_OF_TEST""#)));
    let shown = call(&engine, "ask", json!({})).await.unwrap();
    assert!(shown.contains("quiet/word and <more> %2F") && shown.contains("hunter2"), "{shown}");
    assert!(!shown.contains("***"), "{shown}");
}

#[test]
fn what_is_wrong_with_credentials_is_told_by_name() {
    for (more, said) in [
        (r#""bearer_env": "NOT_SET""#, "the environment variable `NOT_SET` (`bearer_env`) is not set"),
        (r#""basic_password_env": "TOKEN_OF_TEST""#, "`basic_password_env` needs `basic_user`"),
        (r#""basic_user": "a", "bearer_env": "TOKEN_OF_TEST""#, "keep one"),
        (
            r#""headers_env": { "X-Key": "LINES" }"#,
            "the value of the variable of `headers_env.X-Key` holds what no header may",
        ),
        (r#""ca_file": "/does/not/exist.pem""#, "`ca_file`"),
    ] {
        let variable = |name: &str| match name {
            "TOKEN_OF_TEST" => Some(SECRET.to_owned()),
            "LINES" => Some(format!("{SECRET}\nx: y")),
            _ => None,
        };
        let services = Services::new(&settings("http://127.0.0.1/", more), &variable, &system());
        let problems: Vec<String> = services.problems().collect();
        assert!(problems.len() == 1 && problems[0].contains(said) && !problems[0].contains(SECRET), "{problems:?}");
    }
}

/// What `config://server` shows is what the settings serialise to.
#[test]
fn the_settings_hold_names_and_no_values() {
    let shown = serde_json::to_string(&settings("http://x/", r#""bearer_env": "TOKEN_OF_TEST""#)).unwrap();
    assert!(shown.contains("TOKEN_OF_TEST") && !shown.contains(SECRET));
}
