//! Lists in pages: put together they are the list, whatever the size of a page and whatever happens in between.

use std::{path::Path, sync::Arc};

use serde_json::{Value, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    engine::{Engine, EngineOptions, Sources},
    reload::Definitions,
    server::{ServerOptions, serve},
};
use tokio_util::sync::CancellationToken;

use crate::support::client::Client;

const LISTS: [(&str, &str); 4] = [
    ("tools/list", "tools"),
    ("prompts/list", "prompts"),
    ("resources/list", "resources"),
    ("resources/templates/list", "resourceTemplates"),
];

fn tool(name: &str) -> String {
    format!(
        "kind: tool
name: {name}
title: {name}
description: Does nothing.
category: utility
toolsets: [core]
run: {{ action: template, text: x }}
"
    )
}

/// A pack with a few of everything that is listed.
fn pack() -> tempfile::TempDir {
    let pack = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(pack.path().join("definitions")).unwrap();
    let write = |name: &str, text: String| std::fs::write(file(pack.path(), name), text).unwrap();
    for n in 0..25 {
        write(&format!("tool_{n}"), tool(&format!("tool_{n}")));
        write(
            &format!("prompt_{n}"),
            format!(
                "{{kind: prompt, name: prompt_{n}, title: P, description: A prompt., \
                 messages: [{{run: {{action: template, text: x}}}}]}}"
            ),
        );
        for (kind, uri, parameters) in [
            ("fixed", format!("test://{n}"), "{}"),
            ("each", format!("each://{n}/{{id}}"), "{id: {type: string, description: Which.}}"),
        ] {
            write(
                &format!("{kind}_{n}"),
                format!(
                    "{{kind: resource, name: {kind}_{n}, title: R, description: A resource., uri: '{uri}', \
                     mime_type: text/plain, parameters: {parameters}, run: {{action: template, text: 'x{}'}}}}",
                    if kind == "each" { "{{ id }}" } else { "" }
                ),
            );
        }
    }
    pack
}

fn file(pack: &Path, name: &str) -> std::path::PathBuf {
    pack.join(format!("definitions/{name}.yaml"))
}

fn definitions(pack: &Path) -> Definitions {
    Definitions {
        built_in: true,
        packs: vec![pack.to_owned()],
        options: CatalogOptions { lazy: true, ..Default::default() },
    }
}

fn engine(pack: &Path) -> Arc<Engine> {
    let good = definitions(pack).read().unwrap_or_else(|findings| panic!("{findings:#?}"));
    Arc::new(Engine::new(good.catalog, Sources::default(), EngineOptions::default()))
}

fn replace(engine: &Engine, pack: &Path) {
    let good = definitions(pack).read().unwrap_or_else(|findings| panic!("{findings:#?}"));
    engine.replace(good.catalog, good.findings);
}

/// A client of a server with pages of this size.
async fn client(engine: &Arc<Engine>, page_size: usize, toolsets: Option<&[&str]>) -> Client {
    let (ours, theirs) = (tokio::io::duplex(1 << 16), tokio::io::duplex(1 << 16));
    let mut options = ServerOptions { page_size, ..ServerOptions::default() };
    options.principal.toolsets = toolsets.map(|sets| sets.iter().map(|set| (*set).to_owned()).collect());
    let engine = engine.clone();
    tokio::spawn(async move { serve(engine, options, theirs.0, ours.1, &CancellationToken::new()).await });
    let mut client = Client::over(ours.0, theirs.1);
    client.initialize("2025-11-25").await;
    client
}

async fn page(client: &mut Client, method: &str, cursor: Option<&Value>) -> Value {
    client.result(method, cursor.map_or(json!({}), |cursor| json!({ "cursor": cursor }))).await
}

/// All pages of a list, and how many they were.
async fn pages(client: &mut Client, method: &str, key: &str, size: usize) -> (Vec<Value>, usize) {
    let (mut all, mut count, mut cursor) = (Vec::new(), 0, None);
    loop {
        let mut page = page(client, method, cursor.as_ref()).await;
        let entries = page[key].as_array().unwrap();
        assert!(entries.len() <= size && (count == 0 || !entries.is_empty()), "{method}: {} entries", entries.len());
        all.extend(entries.iter().cloned());
        count += 1;
        match page.get_mut("nextCursor") {
            Some(next) => cursor = Some(next.take()),
            None => return (all, count),
        }
    }
}

fn names(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn pages_put_together_are_the_list() {
    let pack = pack();
    // Two servers that read the same files: cursors of one are good at the other.
    let (one, other) = (engine(pack.path()), engine(pack.path()));
    let mut whole = client(&one, 100_000, None).await;
    for size in [1, 7, 500] {
        let mut paged = client(&other, size, None).await;
        for (method, key) in LISTS {
            let list = page(&mut whole, method, None).await;
            assert!(list.get("nextCursor").is_none());
            let list = list[key].as_array().unwrap();
            assert!(list.len() > 20, "{method}");
            assert!(names(list).is_sorted(), "{method}");
            let (all, count) = pages(&mut paged, method, key, size).await;
            assert_eq!(&all, list, "{method} in pages of {size}");
            assert_eq!(count, list.len().div_ceil(size), "{method} in pages of {size}");
            if count > 1 {
                let cursor = page(&mut paged, method, None).await["nextCursor"].take();
                let rest = page(&mut whole, method, Some(&cursor)).await;
                assert_eq!(rest[key].as_array().unwrap()[..], list[size..], "{method}");
            }
        }
    }
}

#[tokio::test]
async fn a_cursor_of_another_list_or_of_nobody_is_refused() {
    let pack = pack();
    let engine = engine(pack.path());
    let mut client = client(&engine, 3, None).await;
    for (method, _) in LISTS {
        let cursor = page(&mut client, method, None).await["nextCursor"].take();
        // What clients write whose texts are never absent.
        assert_eq!(page(&mut client, method, Some(&json!(""))).await["nextCursor"], cursor, "{method}");
        let mut wrong = vec![json!("page-2"), json!("MTA"), json!(format!("{}x", cursor.as_str().unwrap()))];
        for (other, _) in LISTS.into_iter().filter(|(other, _)| *other != method) {
            wrong.push(page(&mut client, other, None).await["nextCursor"].take());
        }
        for cursor in wrong {
            let answer = client.request(method, json!({ "cursor": cursor })).await;
            assert_eq!(answer["error"]["code"], -32602, "{method} {cursor}: {answer}");
            assert!(answer["error"]["message"].as_str().unwrap().contains("without a cursor"), "{answer}");
        }
    }
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn an_edit_between_two_pages_loses_and_doubles_nothing() {
    let pack = pack();
    let engine = engine(pack.path());
    let mut client = client(&engine, 7, None).await;
    let (before, _) = pages(&mut client, "tools/list", "tools", 7).await;
    let before = names(&before);
    for at in 1..before.len() / 7 {
        let mut listed = Vec::new();
        let mut cursor = None;
        for _ in 0..at {
            let mut page = page(&mut client, "tools/list", cursor.as_ref()).await;
            listed.extend(page["tools"].as_array().unwrap().iter().cloned());
            cursor = Some(page["nextCursor"].take());
        }
        // The entry at which the page ended goes, one comes before it, one after it.
        let last = names(&listed).last().unwrap().to_string();
        let gone = file(pack.path(), &last);
        let ours = std::fs::remove_file(&gone).is_ok();
        for name in ["aaa", "zzz"] {
            std::fs::write(file(pack.path(), name), tool(name)).unwrap();
        }
        replace(&engine, pack.path());
        while let Some(next) = cursor.take().filter(Value::is_string) {
            let mut page = page(&mut client, "tools/list", Some(&next)).await;
            listed.extend(page["tools"].as_array().unwrap().iter().cloned());
            cursor = Some(page["nextCursor"].take());
        }
        let listed: Vec<&str> = names(&listed).into_iter().filter(|name| *name != "zzz").collect();
        assert_eq!(listed, before, "edited after page {at}");
        for name in ["aaa", "zzz"] {
            std::fs::remove_file(file(pack.path(), name)).unwrap();
        }
        if ours {
            std::fs::write(gone, tool(&last)).unwrap();
        }
        replace(&engine, pack.path());
    }
}

#[tokio::test]
async fn a_caller_sees_the_tools_of_its_toolsets() {
    let pack = pack();
    let engine = engine(pack.path());
    let mut all = client(&engine, 500, None).await;
    let all = page(&mut all, "tools/list", None).await["tools"].take();
    let mut seen = 0;
    for sets in [&["core"][..], &["telemetry", "core"], &["no-such-toolset"]] {
        let mut some = client(&engine, 500, Some(sets)).await;
        let some = page(&mut some, "tools/list", None).await["tools"].take();
        let catalog = engine.catalog();
        let expected: Vec<&Value> = all
            .as_array()
            .unwrap()
            .iter()
            .filter(|tool| {
                let entry = &catalog.tools[tool["name"].as_str().unwrap()];
                entry.definition.toolsets.iter().any(|set| sets.contains(&&**set))
            })
            .collect();
        assert_eq!(some.as_array().unwrap().iter().collect::<Vec<_>>(), expected, "{sets:?}");
        seen += expected.len();
    }
    assert!(seen > 50);
}
