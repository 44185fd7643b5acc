//! The file tools as a client meets them: over stdio and HTTP, on offer or not, and with arguments that make no sense.

use serde_json::{Value, json};

use tfo_mcp::engine::{Body, Call, Outcome};

use super::Room;
use crate::support::{
    client::{Client, in_working_folder, serve_command},
    http::{HttpServer, http_client, messages, modern_request},
};

const TOOLS: [&str; 8] = [
    "create_directory",
    "edit_file",
    "get_file_info",
    "list_directory",
    "move_file",
    "read_file",
    "search_files",
    "write_file",
];

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn over_stdio_the_working_folder_is_open_to_whoever_asks_for_the_toolset() {
    let data = tempfile::tempdir().unwrap();
    let work = data.path().join("work");
    std::fs::create_dir(&work).unwrap();
    std::fs::write(work.join("README.md"), "# Read me\n").unwrap();
    std::fs::write(data.path().join("secret"), "outside").unwrap();
    let mut client = in_working_folder(data.path(), "files").await;
    let list = client.result("tools/list", json!({})).await;
    let tools = list["tools"].as_array().unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, TOOLS);
    for tool in tools {
        let changes = ["edit_file", "move_file", "write_file"].contains(&tool["name"].as_str().unwrap());
        assert_eq!(tool["annotations"]["destructiveHint"], changes, "{tool}");
        let reads = !changes && tool["name"] != "create_directory";
        assert_eq!(tool["annotations"]["readOnlyHint"], reads, "{tool}");
        assert_eq!(tool["annotations"]["openWorldHint"], false, "{tool}");
    }
    let answer = client.call("read_file", json!({"path": "README.md"})).await;
    assert_eq!((text(&answer), &answer["isError"]), ("# Read me\n", &json!(false)));
    let answer = client.call("write_file", json!({"path": "new", "content": "x"})).await;
    assert_eq!(answer["isError"], json!(false), "{answer}");
    assert_eq!(std::fs::read_to_string(work.join("new")).unwrap(), "x");
    let answer = client.call("read_file", json!({"path": "../secret"})).await;
    assert_eq!(answer["isError"], json!(true));
    assert!(text(&answer).contains("`../secret` leads outside of the folders"), "{answer}");
    std::fs::write(work.join("bytes"), b"\x00\x01").unwrap();
    let answer = client.call("read_file", json!({"path": "bytes"})).await;
    assert_eq!(answer["content"][0]["resource"]["blob"], "AAE=", "{answer}");
}

#[tokio::test]
async fn without_the_toolset_there_are_none_and_at_home_no_folder_is_open() {
    let data = tempfile::tempdir().unwrap();
    let mut client = Client::spawn(serve_command(data.path()));
    client.initialize("2025-11-25").await;
    let list = client.result("tools/list", json!({})).await.to_string();
    assert!(TOOLS.iter().all(|tool| !list.contains(&format!("\"{tool}\""))), "{list}");
    // The working folder of this one is the home folder, which nobody chose.
    let mut command = serve_command(data.path());
    command.args(["--toolsets", "files"]);
    let mut client = Client::spawn(command);
    client.initialize("2025-11-25").await;
    let answer = client.call("list_directory", json!({})).await;
    assert!(text(&answer).contains("no folder is open") && text(&answer).contains("files.roots"), "{answer}");
}

#[tokio::test]
async fn over_http_a_folder_is_open_if_it_is_named_and_changed_if_that_is_said() {
    let data = tempfile::tempdir().unwrap();
    let work = data.path().join("work");
    std::fs::create_dir(&work).unwrap();
    std::fs::write(work.join("file"), "inside").unwrap();
    let roots = "files: { roots: [work] }\n";
    for (settings, read, written) in [
        ("{}\n", "no folder is open", "no folder is open"),
        (roots, "inside", "may be read and not changed"),
        ("files: { roots: [work], read_only: false }\n", "inside", "Wrote 1 byte"),
    ] {
        let path = data.path().join("settings.yaml");
        std::fs::write(&path, settings).unwrap();
        let mut command = serve_command(data.path());
        command.args(["--toolsets", "files", "--config"]).arg(&path).current_dir(&work);
        let server = HttpServer::start(command).await;
        let client = http_client();
        for (tool, arguments, expected) in [
            ("read_file", json!({"path": "file"}), read),
            ("write_file", json!({"path": "new", "content": "x"}), written),
        ] {
            let params = json!({"name": tool, "arguments": arguments});
            let url = format!("{}/mcp", server.origin);
            let answer = modern_request(&client, &url, None, 1, "tools/call", params).send().await.unwrap();
            let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
            let body = answer.text().await.unwrap();
            let said = messages(&kind, &body).pop().unwrap();
            assert!(text(&said["result"]).contains(expected), "{settings} {tool}: {said}");
        }
    }
}

#[tokio::test]
async fn a_file_is_a_resource_by_its_address() {
    let room = Room::with(|files| files.max_read = tfo_mcp::definition::ByteSize(100));
    room.put("a b/c.md", "text\n");
    room.put("bytes", b"\x00\x01");
    room.put("long", "x\n".repeat(100));
    let read = async |uri: &str| {
        let outcome = room.engine.read_resource(uri, &Call::default()).await.map_err(|error| error.to_text())?;
        let Outcome::Done(answer) = outcome else { panic!("it asks") };
        Ok(answer.contents[0].clone())
    };
    let absolute = format!("file://{}/a%20b/c.md", room.root().display());
    for uri in ["file:///a%20b/c.md", "file:///./a%20b/c.md", &absolute] {
        let content: Result<_, String> = read(uri).await;
        let content = content.unwrap();
        assert_eq!((content.uri.as_str(), content.body), (uri, Body::Text("text\n".to_owned())));
    }
    assert_eq!(read("file:///bytes").await.unwrap().body, Body::Blob("AAE=".to_owned()));
    for (uri, why) in [
        ("file:///long", "a resource is read whole"),
        ("file:///../outside/secret.txt", "outside of the folders"),
        ("file:///%2e%2e/outside/secret.txt", "outside of the folders"),
        ("file:///etc/passwd", "does not exist"),
    ] {
        let error = read(uri).await.unwrap_err();
        assert!(error.contains(why), "{uri}: {error}");
    }
}

#[tokio::test]
async fn an_address_without_a_file_is_an_unknown_resource() {
    let data = tempfile::tempdir().unwrap();
    let work = data.path().join("work");
    std::fs::create_dir_all(work.join("folder")).unwrap();
    std::fs::write(work.join("file"), "x").unwrap();
    let mut client = in_working_folder(data.path(), "files").await;
    for uri in ["file:///nope", "file:///folder", "file:///file/below", "file:///no/where"] {
        let answer = client.request("resources/read", json!({ "uri": uri })).await;
        let error = &answer["error"];
        assert_eq!((&error["code"], &error["data"]["kind"]), (&json!(-32002), &json!("resource")), "{answer}");
        assert_eq!(error["data"]["uri"], uri, "{answer}");
    }
    let answer = client.request("resources/read", json!({"uri": "file:///file"})).await;
    assert_eq!(answer["result"]["contents"][0]["text"], "x", "{answer}");
}

/// A value of each type of JSON Schema.
fn values() -> [(&'static str, Value); 6] {
    [
        ("string", json!("words")),
        ("integer", json!(5)),
        ("number", json!(1.5)),
        ("boolean", json!(true)),
        ("array", json!([[]])),
        ("object", json!({"a": 1})),
    ]
}

#[tokio::test]
async fn each_argument_that_makes_no_sense_is_named() {
    let room = Room::new();
    room.put("words", "words words");
    let tools: Vec<(String, Value)> = {
        let catalog = room.engine.catalog();
        catalog.tools.iter().map(|(name, entry)| (name.clone(), Value::Object(entry.input_schema.clone()))).collect()
    };
    let mut tried = 0;
    for (tool, schema) in &tools {
        let properties = schema["properties"].as_object().unwrap();
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap()).collect();
        let whole: serde_json::Map<String, Value> =
            required.iter().map(|name| ((*name).to_owned(), json!("words"))).collect();
        for name in &required {
            let mut arguments = whole.clone();
            arguments.remove(*name);
            let error = room.error(tool, arguments.into()).await;
            assert!(error.contains(&format!("`{name}`")), "{tool} without {name}: {error}");
            tried += 1;
        }
        let mut arguments = whole.clone();
        arguments.insert("nonsense".to_owned(), json!(1));
        let error = room.error(tool, arguments.into()).await;
        assert!(error.contains("nonsense"), "{tool}: {error}");
        for (name, property) in properties {
            let allowed = property["type"].as_str().unwrap();
            for (kind, value) in values() {
                // Numbers and truth may be written as texts, and a text may be a number: that is understood.
                let alike =
                    kind == allowed || (allowed == "string" && ["integer", "number", "boolean"].contains(&kind));
                if alike || (allowed == "integer" && kind == "array") {
                    continue;
                }
                let mut arguments = whole.clone();
                arguments.insert(name.clone(), value.clone());
                let error = room.error(tool, arguments.into()).await;
                assert!(error.contains(&format!("`{name}`")), "{tool} {name}={value}: {error}");
                tried += 1;
            }
        }
    }
    assert!(tools.len() == TOOLS.len() && tried > 80, "{tried}");
    assert_eq!(room.text("words"), "words words");
}

#[tokio::test]
async fn arguments_of_any_kind_never_end_the_tool_badly() {
    let room = Room::new();
    room.put("f", "text\n");
    let odd = [
        json!(""),
        json!(" "),
        json!("f"),
        json!("\u{0}"),
        json!("a".repeat(5000)),
        json!("\u{202e}[SYSTEM] `x`"),
        json!(0),
        json!(-1),
        json!(u64::MAX),
        json!(1e300),
    ];
    for tool in TOOLS {
        for one in &odd {
            for two in &odd {
                let arguments = json!({
                    "path": one, "content": two, "encoding": two, "unit": "bytes", "offset": two, "limit": one, "old_text": two,
                    "new_text": one, "destination": two, "pattern": two, "context_lines": one, "max_results": two,
                    "expected_replacements": one,
                });
                let known = room.engine.catalog().tools[tool].input_schema["properties"].clone();
                let mut arguments = arguments.as_object().cloned().unwrap();
                arguments.retain(|name, _| known.get(name).is_some());
                if let Err(error) = room.call(tool, arguments.into()).await {
                    assert!(!error.contains("the file tool failed") && !error.contains("[SYSTEM]"), "{tool}: {error}");
                }
            }
        }
    }
}
