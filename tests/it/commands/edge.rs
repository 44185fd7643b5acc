//! The tools as a client meets them: on offer or not, over stdio and HTTP, and with arguments that make no sense.

use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};
use serde_json::{Map, Value, json};
use tfo_mcp::{
    engine::{Call, Engine},
    host::{
        ClientFolders,
        commands::{Commands, Wanted},
        files::{Caller, Files},
    },
    settings,
};

use super::{Room, keeper, landlock};
use crate::support::{
    client::{Client, in_working_folder, serve_command},
    http::{HttpServer, http_client, messages, modern_request},
};

const TOOLS: [&str; 8] = [
    "execute_command",
    "force_terminate",
    "kill_process",
    "list_processes",
    "list_sessions",
    "monitor_performance",
    "read_output",
    "system_info",
];

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn over_stdio_commands_run_in_the_working_folder_for_whoever_asks_for_the_toolset() {
    let data = tempfile::tempdir().unwrap();
    let work = data.path().join("work");
    std::fs::create_dir(&work).unwrap();
    let mut client = in_working_folder(data.path(), "system").await;
    let list = client.result("tools/list", json!({})).await;
    let tools = list["tools"].as_array().unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, TOOLS);
    for tool in tools {
        let name = tool["name"].as_str().unwrap();
        let destroys = ["execute_command", "force_terminate", "kill_process"].contains(&name);
        assert_eq!(tool["annotations"]["destructiveHint"], destroys, "{tool}");
        assert_eq!(tool["annotations"]["readOnlyHint"], !destroys, "{tool}");
        assert_eq!(tool["annotations"]["openWorldHint"], name == "execute_command", "{tool}");
    }
    let answer = client.call("execute_command", json!({"command": "pwd"})).await;
    match landlock() {
        Some(_) => {
            assert!(text(&answer).starts_with("exit code 0") && text(&answer).ends_with("/work"), "{answer}");
            assert!(answer.to_string().contains("confined to its folders"), "{answer}");
        }
        None => assert!(text(&answer).contains("`commands.unconfined: true`"), "{answer}"),
    }
}

#[tokio::test]
async fn without_the_toolset_there_are_none_and_at_home_nothing_runs() {
    let data = tempfile::tempdir().unwrap();
    let mut client = Client::spawn(serve_command(data.path()));
    client.initialize("2025-11-25").await;
    let list = client.result("tools/list", json!({})).await.to_string();
    assert!(TOOLS.iter().all(|tool| !list.contains(&format!("\"{tool}\""))), "{list}");
    // The working folder of this one is the home folder, which nobody chose.
    let mut command = serve_command(data.path());
    command.args(["--toolsets", "system"]);
    let mut client = Client::spawn(command);
    client.initialize("2025-11-25").await;
    let answer = client.call("execute_command", json!({"command": "pwd"})).await;
    assert!(text(&answer).contains("no folder is open") && text(&answer).contains("commands.roots"), "{answer}");
}

#[tokio::test]
async fn what_belongs_to_the_server_is_in_no_folder_of_commands() {
    let data = tempfile::tempdir().unwrap();
    let work = data.path().join("work");
    std::fs::create_dir(&work).unwrap();
    std::fs::write(work.join("settings.yaml"), "{}\n").unwrap();
    let mut command = serve_command(data.path());
    command.current_dir(&work).args(["--toolsets", "system", "--config", "settings.yaml"]);
    let mut client = Client::spawn(command);
    client.initialize("2025-11-25").await;
    let answer = client.call("execute_command", json!({"command": "cat settings.yaml"})).await;
    assert_eq!(answer["isError"], json!(true));
    assert!(text(&answer).contains("`settings.yaml`, which belongs to this server"), "{answer}");
}

#[tokio::test]
async fn over_http_commands_are_off_until_somebody_says_otherwise() {
    let data = tempfile::tempdir().unwrap();
    let work = data.path().join("work");
    std::fs::create_dir(&work).unwrap();
    let off = "commands are off on this server";
    let runs = if landlock().is_some() { "exit code 0" } else { "it has no Landlock" };
    for (settings, run, ended) in [
        ("{}\n", off, off),
        ("commands: { roots: [work] }\n", off, off),
        ("commands: { enabled: true }\n", "no folder is open to commands", "there is no process"),
        ("commands: { enabled: true, roots: [work] }\n", runs, "there is no process"),
    ] {
        let path = data.path().join("settings.yaml");
        std::fs::write(&path, settings).unwrap();
        let mut command = serve_command(data.path());
        command.args(["--toolsets", "system", "--config"]).arg(&path).current_dir(&work);
        let server = HttpServer::start(command).await;
        let client = http_client();
        for (tool, arguments, expected) in [
            ("execute_command", json!({"command": "pwd"}), run),
            ("kill_process", json!({"pid": 2_147_483_647}), ended),
            ("system_info", json!({"include": ["os"]}), "os: name"),
        ] {
            let params = json!({"name": tool, "arguments": arguments});
            let url = format!("{}/mcp", server.origin);
            let answer = modern_request(&client, &url, None, 1, "tools/call", params).send().await.unwrap();
            let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
            let said = messages(&kind, &answer.text().await.unwrap()).pop().unwrap();
            assert!(text(&said["result"]).contains(expected), "{settings} {tool}: {said}");
        }
    }
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

/// Whether a value of one type is taken where another is asked for: whole numbers are numbers, and what is plainly one may be
/// written as a text.
fn fits(wanted: &str, given: &str) -> bool {
    wanted == given || wanted == "number" && given == "integer"
}

async fn refused(engine: &Engine, tool: &str, arguments: &Value) -> Option<String> {
    let arguments: Map<String, Value> = arguments.as_object().cloned().unwrap();
    engine.call_tool(tool, arguments, &Call::default()).await.err().map(|error| error.to_text())
}

#[tokio::test]
async fn every_tool_refuses_wrong_types_and_what_is_missing_or_unknown_by_name() {
    let room = Room::new();
    let catalog = room.engine.catalog();
    let mut tried = 0;
    for tool in TOOLS {
        let entry = catalog.tools.get(tool).unwrap_or_else(|| panic!("{tool}"));
        let whole: Map<String, Value> = match tool {
            "execute_command" => json!({"command": "true"}),
            "force_terminate" | "read_output" => json!({"session_id": "x"}),
            "kill_process" => json!({"pid": 2_147_483_647}),
            _ => json!({}),
        }
        .as_object()
        .cloned()
        .unwrap();
        for (name, parameter) in &entry.definition.parameters {
            let wanted = parameter.ty.as_str();
            for (given, value) in values().into_iter().filter(|(given, _)| !fits(wanted, given)) {
                // A single item is taken as a list of one where the items fit, and a number as the text that it is.
                let scalar = ["string", "integer", "number", "boolean"].contains(&given);
                if scalar && (wanted == "array" || wanted == "string") {
                    continue;
                }
                let mut arguments = whole.clone();
                arguments.insert(name.clone(), value);
                let said = refused(&room.engine, tool, &Value::Object(arguments)).await;
                let said = said.unwrap_or_else(|| panic!("{tool} takes {given} as `{name}`"));
                assert!(said.contains(name.as_str()), "{tool} {name} {given}: {said}");
                tried += 1;
            }
            if parameter.required {
                let mut arguments = whole.clone();
                arguments.remove(name);
                let said = refused(&room.engine, tool, &Value::Object(arguments)).await.unwrap();
                assert!(said.contains(name.as_str()) && said.contains("required"), "{tool} {name}: {said}");
            }
        }
        let mut arguments = whole.clone();
        arguments.insert("no_such_argument".to_owned(), json!(1));
        let said = refused(&room.engine, tool, &Value::Object(arguments)).await.unwrap();
        assert!(said.contains("no_such_argument"), "{tool}: {said}");
    }
    assert!(tried > 30, "{tried}");
}

/// Whatever is passed, there is an answer or an error, and the engine lives.
#[tokio::test]
async fn no_arguments_make_a_tool_panic() {
    let room = Room::with(|commands| commands.allow = vec!["nothing-at-all".to_owned()]);
    let mut runner = TestRunner::deterministic();
    let leaf = proptest::prop_oneof![
        proptest::strategy::Just(Value::Null),
        proptest::bool::ANY.prop_map(Value::from),
        proptest::num::i64::ANY.prop_map(Value::from),
        proptest::num::f64::NORMAL.prop_map(Value::from),
        "\\PC{0,40}".prop_map(Value::from),
        "(sh|env|find|git|-c|-exec|\\$|`|\\(|\\)|\\||;|<|>|'|\"|\\\\|\\{|\\}|=| |a|\\n){0,20}".prop_map(Value::from),
    ];
    let value = leaf.clone().prop_recursive(2, 12, 4, |inner| {
        proptest::prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((".{0,8}", inner), 0..3)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    });
    let words = proptest::collection::vec(leaf, 0..6).prop_map(Value::from);
    let next = |runner: &mut TestRunner, of: &dyn Fn(&mut TestRunner) -> Value| of(runner);
    let any = |runner: &mut TestRunner| value.new_tree(runner).unwrap().current();
    let list = |runner: &mut TestRunner| words.new_tree(runner).unwrap().current();
    for round in 0..600 {
        let tool = TOOLS[round % TOOLS.len()];
        // What takes its time, and what ends processes, is tried with what cannot be.
        let arguments = match tool {
            "monitor_performance" => {
                json!({"duration": next(&mut runner, &any).to_string(), "interval": next(&mut runner, &any)})
            }
            "kill_process" => json!({"pid": next(&mut runner, &list)}),
            "list_processes" => json!({"filter": {"x": next(&mut runner, &any)}}),
            "system_info" => json!({"include": [next(&mut runner, &any).to_string()]}),
            _ => json!({
                "command": next(&mut runner, &any), "args": next(&mut runner, &list), "working_dir": next(&mut runner, &any),
                "timeout": next(&mut runner, &any), "session_id": next(&mut runner, &any),
            }),
        };
        let said = refused(&room.engine, tool, &arguments).await;
        assert!(said.is_some() || tool == "list_sessions", "{tool} {arguments}");
    }
    for _ in 0..300 {
        let word = |runner: &mut TestRunner| match next(runner, &list) {
            Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>(),
            _ => Vec::new(),
        };
        let text = word(&mut runner).join("");
        for (program, arguments) in
            [("sh", vec!["-c".to_owned(), text]), ("env", word(&mut runner)), ("git", word(&mut runner))]
        {
            let said = refused(&room.engine, "execute_command", &json!({"command": program, "args": arguments})).await;
            assert!(said.is_some_and(|said| !said.contains("panic")), "{program} {arguments:?}");
        }
    }
    assert!(room.answer("system_info", json!({"include": ["os"]})).await.is_ok());
}

/// Root is bound by other means than everybody else: where the tests are root's, this one is somebody's.
#[tokio::test]
async fn an_account_without_powers_is_confined_and_counted_by_the_kernel() {
    use std::os::unix::{fs::PermissionsExt as _, process::CommandExt as _};
    const NOBODY: u32 = 65534;
    if !rustix::process::getuid().is_root() || landlock().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::copy(keeper(), path("tfo-mcp")).unwrap();
    for name in ["work", "beside"] {
        std::fs::create_dir(path(name)).unwrap();
        std::os::unix::fs::chown(path(name), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    std::fs::write(
        path("work/look.sh"),
        "touch here ../beside/there; grep 'Max processes' /proc/self/limits; ls ../beside\n\
         server=$(cut -d' ' -f4 /proc/$PPID/stat)\n\
         for way in 'renice 19 -p' 'taskset -p 1' 'chrt -i -p 0' 'ionice -c 3 -p'; do $way $server || echo turned down; done",
    )
    .unwrap();
    let mut call = std::process::Command::new(path("tfo-mcp"));
    call.args(["--toolsets", "system", "call", "execute_command", "command=sh look.sh"]).uid(NOBODY).gid(NOBODY);
    call.current_dir(path("work")).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", path("beside"));
    call.env("TELEMETRYFLOW_MCP_DATA_DIR", path("beside"));
    let said = String::from_utf8_lossy(&call.output().unwrap().stdout).into_owned();
    let most = said.lines().find_map(|line| line.strip_prefix("Max processes")).unwrap_or_else(|| panic!("{said}"));
    // All threads of the account, and those of 256 processes with eight each.
    let most: usize = most.split_whitespace().next().unwrap().parse().unwrap_or_else(|_| panic!("{said}"));
    assert!((2048..100_000).contains(&most), "{said}");
    assert!(said.contains("cannot touch '../beside/there': Permission denied"), "{said}");
    // The server is of the same account, which may make it give way.
    assert_eq!(said.lines().filter(|line| *line == "turned down").count(), 4, "{said}");
    assert!(path("work/here").exists() && !path("beside/there").exists(), "{said}");
}

/// Folders that nobody named for commands are read by them where files say that nothing is changed.
#[tokio::test]
async fn where_files_are_only_read_commands_change_nothing_in_their_folders() {
    for roots in [false, true] {
        let data = tempfile::tempdir().unwrap();
        let work = data.path().join("work");
        std::fs::create_dir_all(work.join("sub")).unwrap();
        std::fs::write(work.join("f"), "as it was\n").unwrap();
        let mut command = serve_command(&data.path().join("data"));
        command
            .current_dir(&work)
            .args(["--toolsets", "system,files"])
            .env("TELEMETRYFLOW_MCP_FILES__READ_ONLY", "true");
        if roots {
            command.env("TELEMETRYFLOW_MCP_FILES__ROOTS", &work);
        }
        let mut client = Client::spawn(command);
        client.initialize("2025-11-25").await;
        let text = "echo EVIL > f; touch new; mv sub s2; cat f; echo x > $HOME/own && cat $HOME/own";
        let answer = client.call("execute_command", json!({"command": "sh", "args": ["-c", text]})).await;
        let said = answer["content"][0]["text"].as_str().unwrap();
        assert!(landlock().is_none() || said.contains("\nas it was\nx"), "{said}");
        assert_eq!(std::fs::read_to_string(work.join("f")).unwrap(), "as it was\n", "{said}");
        assert!(!work.join("new").exists() && work.join("sub").exists(), "{said}");
    }
    // Those of a client too.
    let room = tempfile::tempdir().unwrap();
    let work = room.path().canonicalize().unwrap();
    std::fs::write(work.join("f"), "as it was\n").unwrap();
    for read_only in [true, false] {
        let of_files = settings::Files { read_only: Some(read_only), ..settings::Files::default() };
        let commands =
            Commands::new(&settings::Commands { unconfined: true, ..settings::Commands::default() }, Caller::Here, &[]);
        let commands = commands.beside(&of_files).kept_by(keeper());
        let client = ClientFolders { found: vec![work.clone()], refused: Vec::new() };
        let files = Files::new(&of_files, Caller::Here, Vec::new()).of_client(&client);
        let folders = commands.folders_of(&client, &files);
        let arguments = ["-c", "echo EVIL > f; touch new; cat f"].map(str::to_owned);
        let wanted =
            Wanted { command: "sh", arguments: Some(&arguments), folders: Some(&folders), ..Wanted::default() };
        let mut running = commands.run(&wanted, None).await.unwrap();
        while running.next().await.is_some() {}
        running.ended().await;
        if landlock().is_some() {
            let now = std::fs::read_to_string(work.join("f")).unwrap();
            assert_eq!(now == "as it was\n" && !work.join("new").exists(), read_only, "{now}");
        }
    }
}
