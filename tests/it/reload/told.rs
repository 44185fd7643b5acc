//! What clients are told of an edit: what they would see differently, if they asked.

use tfo_mcp::{engine::Tenancy, source::SourceErrorKind};

use super::*;
use crate::support::{
    eventually::eventually,
    pack::with_packs,
    scripted::{Reply, Scripted},
};

/// What clients are told of an edit is what they would see differently.
#[tokio::test(flavor = "multi_thread")]
async fn only_what_changed_is_announced() {
    let context = |title: &str| {
        format!(
            "kind: context
name: edited
category: test
title: {title}
description: Edited while it is served.
persona: observability-generalist
sections:
  rows: {{ title: Rows, source: state, query: [ {{ sql: SELECT 1 AS one }} ] }}
"
        )
    };
    let resource = |text: &str| {
        format!(
            "kind: resource
name: item
title: Item
description: An item.
uri: test://item/{{id}}
mime_type: text/plain
parameters: {{ id: {{ type: string, description: Which. }} }}
run: {{ action: template, text: \"{text} {{{{ id }}}}\" }}
"
        )
    };
    let prompt = |description: &str| {
        format!(
            "kind: prompt
name: asked
title: Asked
description: {description}
messages: [ {{ run: {{ action: template, text: Why? }} }} ]
"
        )
    };
    let pack = tempfile::tempdir().unwrap();
    write(pack.path(), FILE, &says("word", "one"));
    write(pack.path(), "definitions/edited.yaml", &context("Before"));
    write(pack.path(), "definitions/item.yaml", &resource("before"));
    write(pack.path(), "definitions/asked.yaml", &prompt("Before."));
    let mut live = Live::on(pack.path(), Mode::Auto);
    let updated = |uri: &str| Event::ResourceUpdated(uri.to_owned());
    let definitions = || updated("status://definitions");
    let text = |text: &str| says("word", text);
    let steps: Vec<(&str, String, Vec<Event>)> = vec![
        // What a tool does is not what is listed of it.
        (FILE, text("two"), vec![definitions()]),
        (FILE, text("two").replace("Says the", "Tells the"), vec![Event::ToolsChanged, definitions()]),
        ("definitions/asked.yaml", prompt("After."), vec![Event::PromptsChanged, definitions()]),
        ("definitions/item.yaml", resource("after"), vec![updated("test://item/{id}"), definitions()]),
        (
            "definitions/item.yaml",
            resource("after").replace("An item", "One item"),
            vec![Event::ResourcesChanged, definitions()],
        ),
        (
            "definitions/edited.yaml",
            context("After"),
            vec![
                updated("catalog://contexts"),
                updated("status://health"),
                updated(
                    "telemetry://context/{context_type}{?time_range,start,end,service_name,operation,host,metric_name,namespace}",
                ),
                definitions(),
            ],
        ),
    ];
    for (file, text, expected) in steps {
        write(pack.path(), file, &text);
        let mut seen = Vec::new();
        loop {
            let event = tokio::time::timeout(DEADLINE, live.events.recv()).await.unwrap().unwrap();
            if matches!(event, Event::Log { .. }) {
                break;
            }
            seen.push(event);
        }
        assert_eq!(seen, expected, "{file}\n{text}");
    }
    let template = updated("test://item/{id}");
    assert!(template.concerns("test://item/7") && template.concerns("test://item/{id}"));
    assert!(!template.concerns("test://other/7") && !Event::ToolsChanged.concerns("test://item/7"));
}

/// The built binary: list changes reach its client, and SIGHUP reloads.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow: scripts/test.sh runs it"]
async fn the_server_follows_its_packs() {
    let (data, pack) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = write(pack.path(), FILE, &says("word", "one"));
    for watch in ["auto", "poll", "off"] {
        fs::write(&file, says("word", "one")).unwrap();
        let mut command = serve_command(data.path());
        command.arg("--pack").arg(pack.path());
        command.env("TELEMETRYFLOW_MCP_WATCH", watch).env("TELEMETRYFLOW_MCP_WATCH_INTERVAL", "1s");
        let mut client = Client::spawn(command);
        client.initialize("2025-11-25").await;
        let word = async |client: &mut Client| client.call("word", json!({})).await["content"][0]["text"].clone();
        assert_eq!(word(&mut client).await, "one");
        fs::write(&file, "kind: tool\n").unwrap();
        if watch == "off" {
            client.signal(rustix::process::Signal::HUP);
        }
        let status = async |client: &mut Client| {
            let read = client.result("resources/read", json!({ "uri": "status://definitions" })).await;
            serde_json::from_str::<Value>(read["contents"][0]["text"].as_str().unwrap()).unwrap()
        };
        eventually("the mistake is told", async || status(&mut client).await["findings"] != json!([])).await;
        assert_eq!(word(&mut client).await, "one");
        fs::write(&file, says("word", "two")).unwrap();
        if watch == "off" {
            client.signal(rustix::process::Signal::HUP);
        }
        eventually("what was mended is served", async || word(&mut client).await == "two").await;
        let (_, code) = client.finish().await;
        assert_eq!(code, Some(0));
    }
}

/// Notifications of an edit, over stdio in both eras. An answer in between belongs to nobody.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow: scripts/test.sh runs it"]
async fn an_edit_is_announced_to_those_who_asked() {
    let (data, pack) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = write(pack.path(), FILE, &says("word", "one"));
    for modern in [false, true] {
        let mut command = serve_command(data.path());
        command.arg("--pack").arg(pack.path());
        let mut client = Client::spawn(command);
        if modern {
            let notifications = json!({ "toolsListChanged": true, "resourceSubscriptions": ["status://definitions"] });
            let params = crate::support::client::modern(json!({ "notifications": notifications }));
            let listen = json!({"jsonrpc": "2.0", "id": "listen", "method": "subscriptions/listen", "params": params});
            client.send_json(listen).await;
            let acknowledged = client.line().await.unwrap();
            assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged", "{acknowledged}");
        } else {
            let offered = client.initialize("2025-11-25").await["capabilities"].take();
            assert_eq!(offered["tools"]["listChanged"], true, "{offered}");
            assert_eq!(offered["resources"]["subscribe"], true, "{offered}");
            client.result("resources/subscribe", json!({ "uri": "status://definitions" })).await;
        }
        // Only what is not listed of it: nobody is told that the list changed.
        for (text, expected) in [
            (says("word", "two"), vec!["notifications/resources/updated"]),
            (
                says("word", "two").replace("Says a word", "Says another word"),
                vec!["notifications/tools/list_changed", "notifications/resources/updated"],
            ),
            ("kind: tool\n".to_owned(), vec!["notifications/resources/updated"]),
            (says("word", "one"), vec!["notifications/tools/list_changed", "notifications/resources/updated"]),
        ] {
            fs::write(&file, &text).unwrap();
            let mut told = Vec::new();
            while told.len() < expected.len() {
                let line = client.line().await.unwrap();
                let method = line["method"].as_str().unwrap_or_else(|| panic!("{line}")).to_owned();
                match method.as_str() {
                    "notifications/message" => {}
                    "notifications/resources/updated" => {
                        assert_eq!(line["params"]["uri"], "status://definitions");
                        told.push(method);
                    }
                    _ => told.push(method),
                }
            }
            assert_eq!(told, expected, "{text}");
        }
    }
}

/// Whoever watches the health of the server is told that a source answers, fails and answers again, and not of each answer.
#[tokio::test]
async fn the_state_of_a_source_is_told() {
    let pack = tempfile::tempdir().unwrap();
    let tool = "kind: tool\nname: peek\ntitle: Peek\ndescription: Reads.\ncategory: test\n\
                run:\n  action: sql\n  source: telemetry\n  \
                sql: \"SELECT a FROM t WHERE organization_id = {{ organization_id }}\"\n";
    write(pack.path(), "definitions/peek.yaml", tool);
    let rows = || Reply::Rows(vec!["a"], vec![vec![json!("row")]]);
    let fails = Reply::Fail(SourceErrorKind::Unavailable);
    let turns = vec![rows(), rows(), fails.clone(), fails, rows()];
    let mut sources = Sources::default();
    sources.bind("telemetry", Arc::new(Scripted::default().on("FROM t", Reply::Turns(turns))));
    let tenancy = Tenancy { organization_id: Some(uuid::Uuid::nil().to_string()), ..Tenancy::default() };
    let options = EngineOptions { tenancy, ..EngineOptions::default() };
    let engine = Engine::new(with_packs(vec![pack.path().to_owned()]), sources, options);
    let mut told = engine.events().listen();
    let mut seen = Vec::new();
    for _ in 0..5 {
        let _ = engine.call_tool("peek", Default::default(), &Call::default()).await;
        seen.push(health_told(&mut told));
    }
    assert_eq!(seen, [1, 0, 1, 0, 1]);
}
