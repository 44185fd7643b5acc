//! By what the next start of a server comes about: files of clients, and libraries that are loaded into it.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::support::client::{Client, serve_command};

/// A server in the folder `work`, with these variables.
async fn started(data: &Path, variables: &[(&str, &str)]) -> (Client, PathBuf) {
    let work = data.join("work");
    fs::create_dir_all(&work).unwrap();
    fs::write(work.join("mine"), "x").unwrap();
    // Beside the folder of its data, which is closed.
    let mut command = serve_command(&data.join("data"));
    command.current_dir(&work).args(["--toolsets", "system,files"]).envs(variables.iter().copied());
    command.env("TELEMETRYFLOW_MCP_COMMANDS__UNCONFINED", "true");
    let mut client = Client::spawn(command);
    client.initialize("2025-11-25").await;
    (client, work)
}

/// What a shell says, or why there is none.
async fn shell(client: &mut Client, text: &str) -> String {
    let answer = client.call("execute_command", json!({"command": "sh", "args": ["-c", text]})).await;
    answer["content"][0]["text"].as_str().unwrap().to_owned()
}

async fn refused(client: &mut Client, why: &str, tool: &str, arguments: Value) {
    let answer = client.call(tool, arguments.clone()).await;
    let text = answer["content"][0]["text"].as_str().unwrap();
    assert!(answer["isError"] == Value::Bool(true) && text.contains(why), "{tool} {arguments}: {answer}");
}

#[tokio::test]
async fn no_tool_changes_how_a_client_starts_the_server() {
    let data = tempfile::tempdir().unwrap();
    let work = data.path().join("work");
    let entry = json!({"mcpServers": {"t": {"command": "/usr/bin/tfo-mcp", "args": ["serve"]}}}).to_string();
    for folder in [".vscode", ".zed", "conf", "evil"] {
        fs::create_dir_all(work.join(folder)).unwrap();
    }
    for file in [".mcp.json", "conf/mcp.json", ".zed/settings.json", ".vscode/tasks.json", "evil/mcp.json"] {
        fs::write(work.join(file), &entry).unwrap();
    }
    symlink("../conf/mcp.json", work.join(".vscode/mcp.json")).unwrap();
    symlink(".mcp.json", work.join("link")).unwrap();
    let (mut client, _) = started(data.path(), &[]).await;
    // Those that are there, those that are not, and what leads to one.
    for path in [".mcp.json", "link", ".vscode/mcp.json", "conf/mcp.json", ".zed/settings.json"] {
        let edit = json!({"path": path, "old_text": "serve", "new_text": "--config\", \"e.yaml"});
        refused(&mut client, "says how a client starts", "edit_file", edit).await;
        assert!(client.call("read_file", json!({ "path": path })).await.to_string().contains("tfo-mcp"), "{path}");
    }
    for path in [".mcp.json", ".vscode/mcp.json", ".cursor/mcp.json", "opencode.jsonc", ".junie/mcp/mcp.json"] {
        let write = json!({"path": path, "content": "{}", "create_dirs": true});
        refused(&mut client, "says how a client starts", "write_file", write).await;
        let deep = json!({"path": format!("{path}/x"), "content": "{}", "create_dirs": true});
        refused(&mut client, "", "write_file", deep).await;
        refused(&mut client, "", "create_directory", json!({ "path": path })).await;
        let onto = json!({"path": "mine", "destination": path, "overwrite": true});
        refused(&mut client, "", "move_file", onto).await;
    }
    for (path, destination) in [(".mcp.json", "old"), (".vscode", "old"), ("evil", ".cursor"), ("conf", "old")] {
        refused(&mut client, "", "move_file", json!({"path": path, "destination": destination})).await;
    }
    assert!(!work.join(".cursor").exists() && !work.join(".junie").exists());
    // What lies beside them is a file like others.
    client.call("write_file", json!({"path": ".vscode/tasks.json", "content": "new"})).await;
    assert_eq!(fs::read_to_string(work.join(".vscode/tasks.json")).unwrap(), "new");
    client.call("write_file", json!({"path": "deep/.mcp.json", "content": "new", "create_dirs": true})).await;
    assert_eq!(fs::read_to_string(work.join("deep/.mcp.json")).unwrap(), "new");
}

/// Where the system lets them be kept, which it does for root who may mount.
#[tokio::test]
async fn no_command_changes_how_a_client_starts_the_server() {
    let data = tempfile::tempdir().unwrap();
    let (mut client, work) = started(data.path(), &[]).await;
    let text = "cp /bin/true libx.so; echo evil > .mcp.json; rm -f .mcp.json; mv .cursor c2; rm -r .cursor; mv .vscode/mcp.json v; \
                rm -f .vscode/mcp.json; echo evil > .vscode/mcp.json; echo new > other; echo ran";
    let said = shell(&mut client, text).await;
    assert!(said.contains("\nran"), "{said}");
    let entry = r#"{"mcpServers": {"t": {"command": "tfo-mcp"}}}"#;
    for folder in [".cursor", ".vscode", "conf"] {
        fs::create_dir_all(work.join(folder)).unwrap();
    }
    // As `connect` writes them while a server runs.
    for file in [".mcp.json", ".cursor/mcp.json", "conf/mcp.json"] {
        fs::write(work.join(file), entry).unwrap();
    }
    drop(fs::remove_file(work.join(".vscode/mcp.json")));
    symlink("../conf/mcp.json", work.join(".vscode/mcp.json")).unwrap();
    fs::remove_file(work.join("other")).unwrap();
    let said = shell(&mut client, text).await;
    assert!(said.contains("\nran") && work.join("other").exists(), "{said}");
    let is_kept = said.contains("Read-only file system") || said.contains("Device or resource busy");
    for file in [".mcp.json", ".cursor/mcp.json", ".vscode/mcp.json"] {
        let now = fs::read_to_string(work.join(file)).unwrap_or_default();
        assert!(!is_kept || now == entry, "{file}: {now} {said}");
    }
    // They are others when somebody has written them anew.
    let removed = fs::remove_file(work.join(".mcp.json"));
    assert!(!is_kept || removed.is_ok(), "{removed:?}");
    fs::write(work.join(".mcp.json"), entry).unwrap();
    assert!(shell(&mut client, "echo ran").await.contains("\nran"));
}

#[tokio::test]
async fn nothing_is_put_where_the_server_looks_for_its_libraries() {
    // What a loader is told, where a library would be put, and whether commands run.
    for (of, is_there, path, runs) in [
        ("WORK/lib", true, "lib/libgcc_s.so.1", true),
        ("WORK/lib", true, "lib/glibc-hwcaps/x86-64-v2/libc.so.6", true),
        ("WORK/lib", false, "lib/libgcc_s.so.1", false),
        ("/opt/x/lib:", true, "libgcc_s.so.1", false),
        ("WORK", true, "libc.so.6", false),
        ("/opt/x/lib", true, "", true),
    ] {
        let data = tempfile::tempdir().unwrap();
        let work = data.path().join("work");
        fs::create_dir_all(if is_there { work.join("lib") } else { work.clone() }).unwrap();
        let of = of.replace("WORK", work.to_str().unwrap());
        let (mut client, work) = started(data.path(), &[("LD_LIBRARY_PATH", &of)]).await;
        let text = "mkdir -p lib; cp mine lib/libgcc_s.so.1; mkdir lib/glibc-hwcaps; cp mine libgcc_s.so.1; mv lib l2; echo ran";
        let said = shell(&mut client, text).await;
        match said.contains("\nran") {
            true => assert!(runs, "{of}: {said}"),
            // Who has not the right to mount runs nothing either.
            false => assert!(said.contains("LD_LIBRARY_PATH") || said.contains("is read-only and lies"), "{said}"),
        }
        if path.is_empty() {
            assert!(work.join("libgcc_s.so.1").exists());
            continue;
        }
        let write = json!({"path": path, "content": "x", "create_dirs": true});
        refused(&mut client, "looks for its libraries", "write_file", write).await;
        let onto = json!({"path": "mine", "destination": path});
        refused(&mut client, "", "move_file", onto).await;
        assert!(!work.join(path).exists() && !work.join("l2").exists(), "{of}: {said}");
        let away = json!({"path": "lib", "destination": "away"});
        if of.ends_with("/lib") && is_there {
            refused(&mut client, "", "move_file", away).await;
        }
        // A source of that name is no library.
        let answer = client.call("write_file", json!({"path": "main.source", "content": "x"})).await;
        assert!(answer["isError"] != Value::Bool(true), "{answer}");
    }
}

#[tokio::test]
async fn a_library_that_is_named_stays_as_it_is_whether_it_is_there_or_not() {
    for (name, is_there) in [
        ("LD_PRELOAD", true),
        ("LD_PRELOAD", false),
        ("TELEMETRYFLOW_MCP_LIBCHDB", true),
        ("TELEMETRYFLOW_MCP_LIBCHDB", false),
    ] {
        let data = tempfile::tempdir().unwrap();
        let library = data.path().join("work/lib/one.so");
        fs::create_dir_all(library.parent().unwrap()).unwrap();
        if is_there {
            fs::write(&library, "old").unwrap();
        }
        let settings =
            [(name, library.to_str().unwrap()), ("TELEMETRYFLOW_MCP_SOURCES__TELEMETRY__TYPE", "embedded-clickhouse")];
        let (mut client, _) = started(data.path(), &settings).await;
        let said =
            shell(&mut client, "cp mine lib/one.so; mv lib l2; mkdir -p lib; cp mine lib/one.so; echo ran").await;
        assert!(!said.contains("\nran") || is_there && name == "LD_PRELOAD", "{name}: {said}");
        for (tool, arguments) in [
            ("write_file", json!({"path": "lib/one.so", "content": "x"})),
            ("move_file", json!({"path": "mine", "destination": "lib/one.so", "overwrite": true})),
            ("move_file", json!({"path": "lib", "destination": "away"})),
        ] {
            refused(&mut client, "belongs to this server", tool, arguments).await;
        }
        assert_eq!(fs::read_to_string(&library).ok(), is_there.then(|| "old".to_owned()), "{name}");
    }
}
