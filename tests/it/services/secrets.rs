//! Credentials come from the environment, reach their service, and are seen nowhere else.

use serde_json::json;
use tfo_mcp::host::http::{Services, system};

use super::{Server, asking, call, settings, status};

/// The value of `TOKEN_OF_TEST`.
pub(super) const SECRET: &str = "hunter2-9d1f";

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
