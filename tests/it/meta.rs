//! `_meta` of tools, resources and results, and the extension of views: let through in both eras.

use serde_json::{Map, Value, json};

use tfo_mcp::{check, diagnostic::Severity, load};

use crate::support::client::{Client, modern, serve_command};

const TOOL: &str = r#"
kind: tool
name: chart
title: Chart
description: Draws.
category: test
annotations: { read_only: true }
parameters:
  unit: { type: string, required: true, description: The unit. }
_meta: { ui: { resourceUri: "ui://chart" }, "ui/resourceUri": "ui://chart" }
run:
  action: pipeline
  steps:
    - run: { action: meta, text: '{"example.com/unit": {{ unit | tojson }}, "a": 1}' }
    - run: { action: template, text: drawn }
    - run: { action: meta, text: '{"a": 2}' }
examples:
  - { title: A chart, arguments: { unit: ms }, expect: { text: drawn } }
"#;

const VIEW: &str = r#"
kind: resource
name: chart-view
title: Chart
description: The view of charts.
uri: ui://chart
mime_type: text/html;profile=mcp-app
_meta: { ui: { prefersBorder: true } }
run: { action: template, text: "<p>chart</p>" }
"#;

const TEMPLATE: &str = r#"
kind: resource
name: numbered
title: Numbered
description: A view with a number.
uri: ui://numbered/{n}
mime_type: text/html;profile=mcp-app
parameters: { n: { type: string, required: true, description: The number. } }
_meta: { ui: {} }
run:
  action: pipeline
  steps:
    - run: { action: template, text: "<p>{{ n }}</p>" }
    - run: { action: meta, text: '{"n": {{ n | tojson }}}' }
"#;

/// A tool that shows resources: one with its text, one by a link, and what is no resource of this server.
const SHOWS: &str = r#"
kind: tool
name: shows
title: Shows
description: Shows.
category: test
annotations: { read_only: true }
run:
  action: pipeline
  steps:
    - run: { action: embed, uri: "ui://chart", mime_type: text/html, text: "<p>chart</p>" }
    - run: { action: link, uri: "ui://numbered/7", name: numbered }
    - run: { action: embed, uri: "test://other", mime_type: text/plain, text: other }
"#;

#[tokio::test]
async fn meta_is_let_through_and_views_are_announced_in_both_eras() {
    let data = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("tools/chart", TOOL),
        ("tools/shows", SHOWS),
        ("resources/chart-view", VIEW),
        ("resources/numbered", TEMPLATE),
    ] {
        let path = data.path().join(format!("pack/definitions/{path}.yaml"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let mut command = serve_command(data.path());
    command.arg("--pack").arg(data.path().join("pack"));
    let mut client = Client::spawn(command);
    let ui = "io.modelcontextprotocol/ui";
    let discovered = client.result("server/discover", modern(json!({}))).await;
    let extensions = &discovered["capabilities"]["extensions"];
    assert_eq!((&extensions[ui], &extensions["io.modelcontextprotocol/tasks"]), (&json!({}), &json!({})));
    for revision in ["2024-11-05", "2025-06-18", "2025-11-25"] {
        let initialized = client.initialize(revision).await;
        assert_eq!(initialized["capabilities"]["extensions"], json!({ui: {}}), "{revision}: {initialized}");
    }
    let plain = |params: Value| params;
    for era in [plain as fn(Value) -> Value, modern] {
        let without_server = |meta: &Value| {
            let mut meta: Map<String, Value> = meta.as_object().cloned().unwrap_or_default();
            meta.remove("io.modelcontextprotocol/serverInfo");
            Value::Object(meta)
        };
        let entry = |list: &Value, name: &str| {
            let entry = list.as_array().unwrap().iter().find(|entry| entry["name"] == name);
            entry.unwrap_or_else(|| panic!("{name} is not in {list}"))["_meta"].clone()
        };
        let listed = client.result("tools/list", era(json!({}))).await;
        let meta = json!({"ui": {"resourceUri": "ui://chart"}, "ui/resourceUri": "ui://chart"});
        assert_eq!(entry(&listed["tools"], "chart"), meta);
        assert_eq!(entry(&listed["tools"], "echo"), Value::Null);
        let listed = client.result("resources/list", era(json!({}))).await;
        assert_eq!(entry(&listed["resources"], "chart-view"), json!({"ui": {"prefersBorder": true}}));
        let listed = client.result("resources/templates/list", era(json!({}))).await;
        assert_eq!(entry(&listed["resourceTemplates"], "numbered"), json!({"ui": {}}));

        let called = client.result("tools/call", era(json!({"name": "chart", "arguments": {"unit": "m\"s"}}))).await;
        assert_eq!(without_server(&called["_meta"]), json!({"example.com/unit": "m\"s", "a": 2}), "{called}");
        assert_eq!(called["content"], json!([{"type": "text", "text": "drawn"}]), "no model is shown it");
        let called = client.result("tools/call", era(json!({"name": "echo", "arguments": {"message": "x"}}))).await;
        assert_eq!(without_server(&called["_meta"]), json!({}));
        let shown = client.result("tools/call", era(json!({"name": "shows", "arguments": {}}))).await;
        let content = &shown["content"];
        assert_eq!(content[0]["resource"]["_meta"], json!({"ui": {"prefersBorder": true}}), "{shown}");
        assert_eq!((&content[1]["type"], &content[1]["_meta"]), (&json!("resource_link"), &json!({"ui": {}})));
        assert_eq!(content[2]["resource"].get("_meta"), None, "{shown}");
        let read = client.result("resources/read", era(json!({"uri": "ui://chart"}))).await;
        let content = &read["contents"][0];
        assert_eq!(content["_meta"], json!({"ui": {"prefersBorder": true}}), "{read}");
        assert_eq!(
            (&content["mimeType"], &content["text"]),
            (&json!("text/html;profile=mcp-app"), &json!("<p>chart</p>"))
        );
        let read = client.result("resources/read", era(json!({"uri": "ui://numbered/7"}))).await;
        assert_eq!(
            (&read["contents"][0]["_meta"], &without_server(&read["_meta"])),
            (&json!({"ui": {}}), &json!({"n": "7"}))
        );
    }
    client.finish().await;
}

/// What is wrong with a tool beside its view, and what to do.
fn mistakes(tool: &str) -> Vec<String> {
    let request = load::Request { built_in: true, ..load::Request::default() };
    let loaded =
        load::load(&request).with_text("chart-view.yaml", VIEW.trim()).with_text("chart.yaml", tool.trim().to_owned());
    let found = check::check(loaded, check::Options::default()).diagnostics;
    let errors = found.iter().filter(|found| found.severity == Severity::Error);
    errors.map(|found| format!("{}; {}", found.message, found.help.join("; "))).collect()
}

#[test]
fn a_view_that_nobody_defines_is_a_mistake() {
    assert_eq!(mistakes(TOOL), Vec::<String>::new());
    for (view, place) in
        [("resourceUri: \"ui://chart\"", "ui"), ("\"ui/resourceUri\": \"ui://chart\"", "ui/resourceUri")]
    {
        let found = mistakes(&TOOL.replace(view, &view.replace("ui://chart", "ui://chrat")));
        assert_eq!(found.len(), 1, "{place}: {found:?}");
        assert!(found[0].contains("`ui://chrat`") && found[0].contains("`ui://chart`"), "{place}: {found:?}");
    }
}

/// A name that was copied looks right and is not: what nobody sees is named.
#[test]
fn what_nobody_sees_in_a_definition_is_named() {
    for (right, wrong, named) in [
        ("title: Chart", "ti\u{200b}tle: Chart", "U+200B (zero width space)"),
        ("category: test", "category: te\u{ad}st", "U+00AD (soft hyphen)"),
        ("title: Chart", "\u{a0}title: Chart", "U+00A0 (no-break space)"),
    ] {
        let found = mistakes(&TOOL.replace(right, wrong));
        assert!(found.iter().any(|found| found.contains(named)), "{named}: {found:?}");
    }
    // A mark at the beginning of a file, and line ends of Windows, are nobody's mistake.
    let windows = format!("\u{feff}{}", TOOL.trim().replace('\n', "\r\n"));
    assert_eq!(mistakes(&windows), Vec::<String>::new());
}
