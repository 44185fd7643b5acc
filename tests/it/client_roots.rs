//! Folders of a client (MCP roots): the built binary over stdio, asked by a raw client and by the Python SDK.

use std::{path::Path, process::Command};

use serde_json::{Value, json};

use crate::support::{
    client::{Client, initialize_params, serve_command},
    http::{HttpServer, http_client},
    node, python,
};

/// A working folder, folders of a client and of an operator, and a data folder apart.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["data", "cwd", "one two", "three", "operator", "operator/inner", "operator/kept"] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
            std::fs::write(folder.path().join(name).join("who"), name).unwrap();
        }
        Self { folder }
    }

    fn path(&self, below: &str) -> String {
        self.folder.path().canonicalize().unwrap().join(below).display().to_string()
    }

    /// Its address as clients write it.
    fn uri(&self, below: &str) -> String {
        format!("file://{}", self.path(below).replace(' ', "%20"))
    }

    /// With the folders that the settings name, as YAML.
    fn command(&self, files: &str, commands: &str) -> tokio::process::Command {
        let data = self.folder.path().join("data");
        let file = self.folder.path().join("settings.yaml");
        // On a kernel without Landlock these tests are about all the rest.
        let settings = format!(
            "toolsets: [files, system, core]\nfiles: {{ {files} }}\ncommands: {{ unconfined: true, {commands} }}\n"
        );
        std::fs::write(&file, settings).unwrap();
        let mut command = serve_command(&data);
        command.current_dir(self.folder.path().join("cwd")).arg("--config").arg(file);
        command
    }

    async fn session(&self, files: &str, commands: &str, capabilities: Value) -> Session {
        let mut client = Client::spawn(self.command(files, commands));
        client.initialize_able("2025-11-25", capabilities).await;
        Session { client, roots: json!({"roots": []}), asked: 0, told: Vec::new(), next: 0 }
    }
}

/// A client that answers for its folders.
struct Session {
    client: Client,
    /// What it answers; null: an error.
    roots: Value,
    /// How often it was asked.
    asked: usize,
    /// What it was warned of.
    told: Vec<String>,
    next: i64,
}

fn able() -> Value {
    json!({"roots": {"listChanged": true}})
}

impl Session {
    fn works_in(&mut self, uris: &[&str]) {
        let roots: Vec<Value> = uris.iter().map(|uri| json!({ "uri": uri })).collect();
        self.roots = json!({ "roots": roots });
    }

    async fn changed(&mut self) {
        self.client.send_json(json!({"jsonrpc": "2.0", "method": "notifications/roots/list_changed"})).await;
    }

    async fn send(&mut self, tool: &str, arguments: Value) -> i64 {
        self.next += 1;
        let params = json!({"name": tool, "arguments": arguments});
        let id = self.next;
        self.client.send_json(json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})).await;
        id
    }

    /// The answer to a call, with what the server wants on the way.
    async fn answer(&mut self, id: i64) -> Value {
        loop {
            let line = self.client.line().await.expect("the server lives");
            match line["method"].as_str() {
                Some("roots/list") => {
                    self.asked += 1;
                    match &self.roots {
                        Value::Null => {
                            let error = json!({"code": -32603, "message": "no roots today"});
                            self.client.send_json(json!({"jsonrpc": "2.0", "id": line["id"], "error": error})).await;
                        }
                        roots => {
                            let roots = roots.clone();
                            self.client.reply(&line, roots).await;
                        }
                    }
                }
                Some("notifications/message") if line["params"]["level"] == "warning" => {
                    self.told.push(line["params"]["data"].as_str().unwrap().to_owned());
                }
                Some(_) => {}
                None if line["id"] == id => return line["result"].clone(),
                None => panic!("an answer to nothing: {line}"),
            }
        }
    }

    async fn call(&mut self, tool: &str, arguments: Value) -> Result<String, String> {
        let id = self.send(tool, arguments).await;
        let result = self.answer(id).await;
        let texts = result["content"].as_array().unwrap().iter().filter_map(|content| content["text"].as_str());
        let text = texts.collect::<Vec<_>>().join("\n");
        if result["isError"] == true { Err(text) } else { Ok(text) }
    }

    async fn who(&mut self, path: &str) -> Result<String, String> {
        self.call("read_file", json!({ "path": path })).await
    }
}

#[tokio::test]
async fn where_the_operator_named_none_the_clients_folders_are_open() {
    let place = Place::new();
    std::os::unix::fs::symlink(place.path("three"), place.path("link")).unwrap();
    let mut session = place.session("", "", able()).await;
    let uris = [
        &place.uri("one two"),
        &place.uri("link"),
        &place.uri("not there"),
        &place.uri("three/who"),
        "file:///C:/Users/me",
        "file:///",
        "https://example.com/a",
        &place.uri("ghp_aB3dE5gH7jK9mN1pQ3sT5vX7zA9cE1gI3kM5"),
    ];
    session.works_in(&uris);
    assert_eq!(session.asked, 0, "nobody is asked before a call needs it");
    assert_eq!(session.who("who").await.unwrap(), "one two");
    assert_eq!(session.who(&place.path("three/who")).await.unwrap(), "three");
    let told = session.told.join("\n");
    for (what, why) in [
        ("not%20there", "does not exist"),
        ("three/who", "is no folder"),
        ("C:/Users/me", "Windows"),
        ("`/`", "by the operator alone"),
        ("example.com", "file:///"),
    ] {
        assert!(session.told.iter().any(|line| line.contains(what) && line.contains(why)), "{what}: {told}");
    }
    // The one behind a link is open, and told as well.
    assert!(session.told.len() == 7 && !told.contains("ghp_"), "each once, and without secrets: {told}");
    // The working folder is no longer one, and whoever asks for it learns why the others are not.
    let error = session.who(&place.path("cwd/who")).await.unwrap_err();
    assert!(error.contains("one two") && error.contains("is not used"), "{error}");
    assert!(session.who("../cwd/who").await.is_err());
    // A link that comes to stand at the name of a folder later is not that folder, and nothing is done in the old one unseen.
    std::fs::rename(place.path("three"), place.path("moved")).unwrap();
    std::os::unix::fs::symlink(place.path("operator"), place.path("three")).unwrap();
    std::fs::write(place.path("operator/secret"), "x").unwrap();
    for name in ["three/who", "three/secret"] {
        let error = session.who(&place.path(name)).await.unwrap_err();
        assert!(error.contains("it is no longer what it was"), "{error}");
    }
    assert_eq!(session.asked, 1);
    session.client.finish().await;
}

#[tokio::test]
async fn the_folders_of_the_operator_win_and_a_client_narrows_them() {
    let place = Place::new();
    let folder = place.path("operator");
    let files = format!("roots: ['{folder}'], read_only_roots: ['{folder}/kept']");
    let mut session = place.session(&files, &format!("roots: ['{folder}']"), able()).await;
    session.works_in(&[&place.uri("three"), &place.uri("operator/inner")]);
    assert_eq!(session.who("who").await.unwrap(), "operator/inner");
    assert!(session.told.concat().contains("three` is not used: it lies outside"), "{:?}", session.told);
    let error = session.who(&place.path("operator/kept/who")).await.unwrap_err();
    assert!(error.contains("operator/inner"), "{error}");
    assert!(session.who(&place.path("three/who")).await.is_err());
    let said = session.call("execute_command", json!({"command": "pwd"})).await.unwrap();
    assert!(said.contains(&place.path("operator/inner")), "{said}");
    // What may only be read stays so, also where the client names it, or a folder around it.
    for uri in ["operator/kept", ""] {
        session.works_in(&[&place.uri(uri)]);
        session.changed().await;
        let path = place.path("operator/kept/new");
        let error = session.call("write_file", json!({"path": path, "content": "x"})).await.unwrap_err();
        assert!(error.contains("may be read and not changed"), "{error}");
        assert_eq!(session.who(&place.path("operator/kept/who")).await.unwrap(), "operator/kept");
    }
    // A client that has nothing in common with the operator changes nothing.
    session.told.clear();
    session.works_in(&[&place.uri("three")]);
    session.changed().await;
    assert_eq!(session.who("inner/who").await.unwrap(), "operator/inner");
    assert!(session.told.concat().contains("it lies outside"), "{:?}", session.told);
    match session.call("execute_command", json!({"command": "pwd"})).await {
        Ok(said) => assert!(said.contains(&format!("{}\n", place.path("operator"))), "{said}"),
        // Who has not the right to mount runs nothing where something is to stay as it is.
        Err(error) => assert!(error.contains("operator/kept` is read-only and lies inside"), "{error}"),
    }
    session.client.finish().await;
}

#[tokio::test]
async fn changed_folders_hold_for_the_next_call_and_what_runs_goes_on() {
    let place = Place::new();
    let mut session = place.session("", "", able()).await;
    session.works_in(&[&place.uri("one two")]);
    let run = json!({"command": "sh", "args": ["-c", "read x < fifo; cat who; echo; pwd"], "background": true});
    assert!(
        session
            .call("execute_command", json!({"command": "mkfifo", "args": ["fifo"]}))
            .await
            .unwrap()
            .contains("exit code 0")
    );
    let started = session.call("execute_command", run).await.unwrap();
    let id = started.split("in the background as `").nth(1).unwrap().split('`').next().unwrap().to_owned();
    session.works_in(&[&place.uri("three")]);
    session.changed().await;
    // At once: the call stands right behind the news.
    assert_eq!(session.who("who").await.unwrap(), "three");
    assert_eq!(session.asked, 2);
    let said = session.call("execute_command", json!({"command": "pwd"})).await.unwrap();
    assert!(said.contains(&place.path("three")), "{said}");
    let error = session
        .call("execute_command", json!({"command": "pwd", "working_dir": place.path("one two")}))
        .await
        .unwrap_err();
    assert!(error.contains("leads outside of the folders of commands"), "{error}");
    // The command that runs is where it was.
    std::fs::write(place.path("one two/fifo"), "go\n").unwrap();
    let mut output = String::new();
    while !output.contains(&place.path("one two")) {
        output += &session.call("read_output", json!({ "session_id": id })).await.unwrap();
    }
    assert!(output.contains("one two"), "{output}");
    // No folder at all says nothing about which: the default.
    session.works_in(&[]);
    session.changed().await;
    assert_eq!(session.who("who").await.unwrap(), "cwd");
    // None that can be used is no reason to open another.
    session.works_in(&["file:///not/there"]);
    session.changed().await;
    let error = session.who("who").await.unwrap_err();
    assert!(error.contains("no folder is open") && error.contains("`file:///not/there`"), "{error}");
    let error = session.call("execute_command", json!({"command": "pwd"})).await.unwrap_err();
    assert!(error.contains("no folder is open") && error.contains("`file:///not/there`"), "{error}");
    session.client.finish().await;
}

/// A command put a link in the place of a folder that the client names next, in the same session or in another one.
#[tokio::test]
async fn a_folder_of_the_client_that_a_command_made_a_link_opens_nothing() {
    let place = Place::new();
    let mut session = place.session("", "", able()).await;
    session.works_in(&[&place.uri("one two")]);
    let text = "mkdir data sub && echo inner > sub/who && mv data old && ln -s ../operator data && ln -s sub within && echo ran";
    let said = session.call("execute_command", json!({"command": "sh", "args": ["-c", text]})).await.unwrap();
    assert!(said.contains("\nran"), "{said}");
    for name in ["one two/data", "one two/data/inner"] {
        session.works_in(&[&place.uri(name)]);
        session.changed().await;
        for (tool, arguments) in [("read_file", json!({"path": "who"})), ("execute_command", json!({"command": "pwd"}))]
        {
            let error = session.call(tool, arguments).await.unwrap_err();
            assert!(error.contains("no folder is open") && error.contains("leads out of a folder"), "{name}: {error}");
        }
    }
    // One that leads to what was open, opens it.
    session.works_in(&[&place.uri("one two/within")]);
    session.changed().await;
    assert_eq!(session.who("who").await.unwrap(), "inner\n");
    session.client.finish().await;
    std::os::unix::fs::symlink("../operator", place.path("cwd/data")).unwrap();
    let folder = format!("roots: ['{}']", place.path("one two"));
    for (files, commands, name) in [
        ("", folder.as_str(), "one two/data"),
        (folder.as_str(), "", "one two/data"),
        ("", "", "cwd/data"),
        (folder.as_str(), folder.as_str(), "cwd/data"),
    ] {
        let mut session = place.session(files, commands, able()).await;
        session.works_in(&[&place.uri(name)]);
        for path in ["who".to_owned(), place.path("operator/who"), place.path(name) + "/who"] {
            let said = session.who(&path).await.unwrap_or_default();
            assert!(!said.contains("operator"), "{files}, {commands}: {path}: {said}");
        }
        let said = session.call("execute_command", json!({"command": "pwd"})).await.unwrap_or_default();
        assert!(!said.contains("/operator"), "{files}, {commands}: {said}");
        assert!(session.told.concat().contains("leads out of a folder that is changed"), "{:?}", session.told);
        session.client.finish().await;
    }
    // Where nothing is named, what a client says to a new server is all there is: it is told of the link.
    let mut session = place.session("", "", able()).await;
    session.works_in(&[&place.uri("one two/data")]);
    assert!(session.who("who").await.unwrap().contains("operator"));
    assert!(session.told.concat().contains("one two/data`, and what that leads to is open"), "{:?}", session.told);
    session.client.finish().await;
}

#[tokio::test]
async fn a_client_that_cannot_tell_has_the_default() {
    let place = Place::new();
    let mut session = place.session("", "", json!({})).await;
    session.works_in(&[&place.uri("three")]);
    assert_eq!((session.who("who").await.unwrap().as_str(), session.asked), ("cwd", 0));
    session.client.finish().await;
    // One that says that it can and then cannot is told so, and asked once.
    let mut session = place.session("", "", able()).await;
    session.roots = Value::Null;
    assert_eq!(session.who("who").await.unwrap(), "cwd");
    assert_eq!(session.who("who").await.unwrap(), "cwd");
    assert_eq!(session.asked, 1);
    assert!(session.told.concat().contains("no roots today"), "{:?}", session.told);
    session.client.finish().await;
    // A folder that holds what belongs to the server opens no commands, whoever names it.
    let mut session = place.session("", "", able()).await;
    session.works_in(&[&place.uri("")]);
    let error = session.call("execute_command", json!({"command": "pwd"})).await.unwrap_err();
    assert!(error.contains("belongs to this server"), "{error}");
    let error = session.who("settings.yaml").await.unwrap_err();
    assert!(error.contains("belongs to this server"), "{error}");
    session.client.finish().await;
}

#[tokio::test]
async fn folders_of_another_machine_are_not_asked_for() {
    let place = Place::new();
    let server = HttpServer::start(place.command(&format!("roots: ['{}']", place.path("operator")), "")).await;
    let mut params = initialize_params("2025-11-25");
    params["capabilities"] = able();
    let post = |session: Option<String>, message: Value| {
        let request = http_client().post(server.url()).header("accept", "application/json, text/event-stream");
        let request = request.header("mcp-protocol-version", "2025-11-25");
        let request = session.map_or(request.try_clone().unwrap(), |session| request.header("mcp-session-id", session));
        request.json(&message).send()
    };
    let opened =
        post(None, json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})).await.unwrap();
    let session = Some(opened.headers()["mcp-session-id"].to_str().unwrap().to_owned());
    post(session.clone(), json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await.unwrap();
    let params = json!({"name": "read_file", "arguments": {"path": "who"}});
    let answer =
        post(session, json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params})).await.unwrap();
    let text = answer.text().await.unwrap();
    assert!(text.contains("\"text\":\"operator\""), "{text}");
    assert!(!text.contains("roots/list"), "{text}");
}

fn asked_by_python(place: &Place, roots: &[String]) -> Value {
    let python = python::install("python", &["mcp==2.3.0"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/roots.py");
    let file = place.folder.path().join("python.yaml");
    std::fs::write(&file, "toolsets: [files]\n").unwrap();
    let mut command = Command::new(python);
    let data = place.path("data");
    command.arg(script).arg(place.path("cwd")).arg(roots.join("|"));
    command.args([env!("CARGO_BIN_EXE_tfo-mcp"), "serve", "--data-dir", &data, "--config", file.to_str().unwrap()]);
    let run = node::run(&mut command);
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stdout))
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn the_python_sdk_names_its_folders_and_changes_them() {
    let place = Place::new();
    let seen = asked_by_python(&place, &[place.path("one two"), place.path("three")]);
    assert_eq!(seen["first"], "one two");
    assert_eq!(seen["second"], "three");
    assert_eq!(seen["asked"], 2);
    assert!(seen["outside"].as_str().unwrap().contains("outside"), "{seen}");
}
