//! What an answer says is shown as it was said, and what is not shown is told.

use serde_json::json;

use super::{HERE, Server, answer, asking, call, settings, status};

#[tokio::test]
async fn a_part_is_no_answer() {
    let server = Server::new(|_| {
        let part = [("content-type", "application/json"), ("content-range", "items 0-1/40")];
        status(206, &part, "[1, 2]")
    })
    .await;
    let engine = asking("path: /", &settings(&server.url(), HERE));
    let refused = call(&engine, "ask", json!({})).await.unwrap_err();
    assert!(refused.contains("`other` answered a part of what was asked (206 Partial Content)"), "{refused}");
}

#[tokio::test]
async fn whole_numbers_keep_their_digits() {
    let server =
        Server::json(r#"[{"a": 18446744073709551616, "b": 18446744073709551615, "c": -9223372036854775809}]"#).await;
    let engine = asking("path: /", &settings(&server.url(), HERE));
    let shown = call(&engine, "ask", json!({})).await.unwrap();
    for digits in ["18446744073709551616", "18446744073709551615", "-9223372036854775809"] {
        assert!(shown.contains(digits), "{digits} in {shown}");
    }
}

#[tokio::test]
async fn members_that_are_not_shown_are_told() {
    let many: String = (0..62).map(|n| format!("\"m{n}\": {n},")).collect();
    let text: &'static str = format!("[{{{many} \"twice\": 1, \"twice\": 2}}]").leak();
    let server = Server::json(text).await;
    let engine = asking("path: /", &settings(&server.url(), HERE));
    let shown = call(&engine, "ask", json!({})).await.unwrap();
    assert!(shown.contains("m59") && !shown.contains("m60"), "{shown}");
    assert!(shown.contains("3 further members of its rows are left out: the definition names no `columns`"), "{shown}");
    assert!(
        shown.contains("`other` wrote the member `twice` more than once in one object, of which the last is read"),
        "{shown}"
    );
    // Whoever names columns has left out the others.
    let engine = asking("path: /\ncolumns: { a: /m0 }", &settings(&server.url(), HERE));
    assert!(!call(&engine, "ask", json!({})).await.unwrap().contains("further member"));
}

/// What stands above the rows is one, however many they are.
#[tokio::test]
async fn long_keys_above_many_rows_take_no_more_than_the_answer() {
    let key = "K".repeat(1_500_000);
    let rows = vec![r#"{"type":"gauge"}"#; 1000].join(",");
    let text: &'static str = format!("{{\"data\":{{\"{key}\":[{rows}]}}}}").leak();
    let server = Server::json(text).await;
    let engine = asking("path: /\nrows: /data/*/*\ncolumns: { type: /type }", &settings(&server.url(), HERE));
    let before = peak();
    let told = answer(&engine, "ask", json!({})).await.unwrap();
    assert!(told.text().contains("gauge"), "{}", told.text());
    // 1.5 GB if each row had the keys above it.
    assert!(peak() - before < 400 << 20, "{} MiB", (peak() - before) >> 20);
    // A column of the key is bounded as all rows are, before it is copied.
    let engine = asking("path: /\nrows: /data/*/*\ncolumns: { of: 1#, type: /type }", &settings(&server.url(), HERE));
    let told = answer(&engine, "ask", json!({})).await.unwrap();
    assert!(
        told.text().contains("limits.max_bytes") || told.text().contains("cut") || told.text().contains("not shown"),
        "{}",
        &told.text()[..400.min(told.text().len())]
    );
    assert!(peak() - before < 400 << 20, "{} MiB", (peak() - before) >> 20);
}

/// Most memory that this process had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

#[tokio::test]
async fn an_address_that_is_too_long_is_the_callers_affair() {
    let server = Server::json("[]").await;
    let engine = asking("path: /\nquery: { q: \"{{ value }}\" }", &settings(&server.url(), HERE));
    let refused = call(&engine, "ask", json!({ "value": "🔥".repeat(8000) })).await.unwrap_err();
    assert!(refused.starts_with("invalid_arguments: the address of the request is 96"), "{refused}");
    assert!(refused.contains("at most 65534") && refused.contains("shorten"), "{refused}");
    assert!(server.seen().is_empty());
}
