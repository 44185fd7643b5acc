//! Two tenants and keys of other scopes at one server over a real database: each is told what is its own, and the server
//! counts what it did not ask.

use std::path::Path;

use serde_json::{Value, json};
use tfo_mcp::source::sqlite::Writer;

use super::{ONE, TWO};
use crate::support::{
    client::serve_command,
    eventually::eventually,
    http::{HttpServer, http_client, messages, modern_request},
    key::create,
};

const STOCK: &str = "
kind: tool
name: stock
title: Stock
description: What there is.
category: test
toolsets: [telemetry]
parameters:
  kind: { type: string, description: Which kind., default: all }
cache: 30m
run:
  action: sql
  source: platform
  sql: SELECT name FROM stock_items WHERE organization_id = {{ organization_id }} AND {{ kind }} <> '' ORDER BY name
";

const OWN: &str = "
kind: tool
name: own_kept
title: Own statement
description: Runs a statement, and keeps what it says.
category: test
toolsets: [datasource]
parameters:
  sql: { type: string, required: true, description: A statement. }
cache: 30m
run: { action: sql.query, source: platform }
";

async fn write(file: &Path, script: &str) {
    let mut writer = Writer::open(file).await.unwrap();
    writer.execute_script(script).await.unwrap();
    writer.close().await.unwrap();
}

fn item(organization: &str, name: &str) -> String {
    format!("INSERT INTO stock_items VALUES ('{organization}', '{name}');")
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_and_scopes_are_kept_apart_over_a_real_database() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let file = root.join("own.sqlite");
    let table = "CREATE TABLE stock_items (organization_id TEXT NOT NULL, name TEXT NOT NULL);";
    write(&file, &format!("{table}{}{}", item(ONE, "of-one"), item(TWO, "of-two"))).await;
    std::fs::create_dir_all(root.join("pack/definitions")).unwrap();
    std::fs::write(root.join("pack/definitions/stock.yaml"), STOCK).unwrap();
    std::fs::write(root.join("pack/definitions/own_kept.yaml"), OWN).unwrap();
    let settings = json!({
        "sources": { "platform": { "type": "sqlite", "path": file } },
        "audit": { "output": root.join("audit.jsonl") },
    });
    std::fs::write(root.join("own.yaml"), settings.to_string()).unwrap();
    let reader = create(root, "one", ONE, &["--scope", "sql.query"]);
    let same = create(root, "same", ONE, &["--scope", "sql.query"]);
    let weak = create(root, "weak", ONE, &[]);
    let other = create(root, "other", TWO, &["--scope", "sql.query"]);
    let mut command = serve_command(root);
    command.args(["--config", "own.yaml", "--pack", "pack"]);
    let server = HttpServer::start(command).await;
    let client = http_client();
    let call = async |key: &str, name: &str, arguments: Value| -> Value {
        let params = json!({ "name": name, "arguments": arguments });
        let answer = modern_request(&client, &server.url(), Some(key), 1, "tools/call", params).send().await.unwrap();
        let ty = answer.headers()["content-type"].to_str().unwrap().to_owned();
        messages(&ty, &answer.text().await.unwrap()).pop().unwrap()["result"].clone()
    };
    let ask = async |key: &str, kind: &str| call(key, "stock", json!({ "kind": kind })).await;
    let about = |answer: &Value| answer["_meta"].get("tfo-mcp/kept").is_some();
    let first = ask(&reader, "all").await;
    assert!(first.to_string().contains("of-one") && !about(&first), "{first}");
    // What is written now is in no answer of before, and the answer says of when it is.
    write(&file, &format!("{}{}", item(ONE, "newer-one"), item(TWO, "newer-two"))).await;
    for key in [&reader, &same] {
        let kept = ask(key, "all").await;
        let text = kept.to_string();
        assert!(text.contains("of-one") && !text.contains("newer-one") && about(&kept), "{kept}");
        assert!(text.contains("from memory: this was answered"), "{kept}");
    }
    for (key, own, not) in [(&other, "newer-two", "-one"), (&weak, "newer-one", "-two")] {
        let answer = ask(key, "all").await;
        let text = answer.to_string();
        assert!(text.contains(own) && !text.contains(not) && !about(&answer), "{answer}");
    }
    // Many at once: one statement.
    let all = futures::future::join_all((0..24).map(|_| ask(&reader, "at once"))).await;
    assert!(all.iter().all(|answer| answer.to_string().contains("newer-one")));
    let metrics = client.get(format!("{}/metrics", server.origin)).bearer_auth(&reader).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let count = |result: &str| -> u64 {
        let name = format!("mcp_server_kept_answers_total{{result=\"{result}\"}} ");
        metrics.lines().find_map(|line| line.strip_prefix(&name)).map_or(0, |count| count.parse().unwrap())
    };
    assert_eq!((count("miss"), count("hit") + count("wait")), (4, 25), "{metrics}");
    let lines = || -> Vec<Value> {
        let text = std::fs::read_to_string(root.join("audit.jsonl")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    };
    eventually("every call has a line", async || lines().len() >= 29).await;
    let lines = lines();
    let asked = lines.iter().filter(|line| line["rows"].as_u64() > Some(0)).count();
    assert_eq!(asked, 4);
    let kept = lines.iter().find(|line| line["kept"] == json!(["hit"])).unwrap();
    assert_eq!((&kept["organization_id"], &kept["statements"]), (&json!(ONE), &json!([])));
    // What callers write is asked every time, unless the definition says otherwise.
    let sql = json!({ "sql": "SELECT name FROM stock_items ORDER BY name" });
    for (tool, sees) in [("pg_query", true), ("own_kept", false)] {
        let first = call(&reader, tool, sql.clone()).await;
        assert!(first.to_string().contains("of-one") && !first.to_string().contains("-two"), "{first}");
        write(&file, &item(ONE, tool)).await;
        assert_eq!(call(&reader, tool, sql.clone()).await.to_string().contains(tool), sees, "{tool}");
    }
    let refused = call(&weak, "own_kept", sql).await;
    assert!(refused["isError"] == true && refused.to_string().contains("sql.query"), "{refused}");
}
