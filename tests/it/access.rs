//! What a credential's toolsets and scopes open: tools, prompts, resources, completion, subscriptions, instructions.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{
    client::{Client, DEADLINE, initialize_params, serve_command},
    eventually::eventually,
    http::{HttpServer, http_client, messages, modern_request},
    key,
};

fn key(data: &Path, name: &str, more: &[&str]) -> String {
    key::create(data, name, key::SOME, more)
}

struct Caller<'a> {
    server: &'a HttpServer,
    key: &'a str,
}

impl Caller<'_> {
    async fn ask(&self, method: &str, params: Value) -> Value {
        let request = modern_request(&http_client(), &self.server.url(), Some(self.key), 1, method, params);
        let answer = request.send().await.unwrap();
        let ty = answer.headers()["content-type"].to_str().unwrap().to_owned();
        messages(&ty, &answer.text().await.unwrap()).pop().unwrap()
    }

    /// The names, or URIs, of a list.
    async fn list(&self, method: &str, list: &str, name: &str) -> Vec<String> {
        let answer = self.ask(method, json!({})).await;
        let entries = answer["result"][list].as_array().unwrap_or_else(|| panic!("{method}: {answer}"));
        entries.iter().map(|entry| entry[name].as_str().unwrap().to_owned()).collect()
    }

    async fn lists(&self) -> [Vec<String>; 4] {
        [
            self.list("tools/list", "tools", "name").await,
            self.list("prompts/list", "prompts", "name").await,
            self.list("resources/list", "resources", "uri").await,
            self.list("resources/templates/list", "resourceTemplates", "uriTemplate").await,
        ]
    }
}

const CONTEXT: &str =
    "telemetry://context/{context_type}{?time_range,start,end,service_name,operation,host,metric_name,namespace}";

#[tokio::test]
async fn a_key_sees_and_uses_what_its_toolsets_cover() {
    let data = tempfile::tempdir().unwrap();
    let small = key(data.path(), "small", &["--toolset", "core"]);
    let large = key(data.path(), "large", &["--toolset", "telemetry,core", "--scope", "server.read"]);
    let all = key(data.path(), "all", &[]);
    let server = HttpServer::start(serve_command(data.path())).await;
    let caller = |key| Caller { server: &server, key };
    let (small, large, all) = (caller(small.as_str()), caller(large.as_str()), caller(all.as_str()));

    let [tools, prompts, resources, templates] = small.lists().await;
    let about_code = ["code_review", "debug_help", "explain_code"].map(str::to_owned).to_vec();
    assert_eq!((tools, prompts, resources), (vec!["echo".to_owned()], about_code, vec![]));
    assert!(templates.is_empty(), "{templates:?}");
    let [tools, prompts, resources, templates] = large.lists().await;
    assert!(tools.contains(&"collect_telemetry_context".into()) && !tools.contains(&"ch_query".into()), "{tools:?}");
    assert!(prompts.contains(&"root_cause".into()) && resources.contains(&"catalog://contexts".into()), "{prompts:?}");
    assert_eq!(templates, [CONTEXT]);
    let [tools, _, resources, _] = all.lists().await;
    assert!(tools.contains(&"list_context_types".into()), "no toolsets are no limit");
    // Clients read all that is listed.
    assert!(!tools.contains(&"ch_query".into()) && !resources.contains(&"status://health".into()), "{resources:?}");
    for uri in resources {
        assert!(all.ask("resources/read", json!({"uri": uri})).await["result"].is_object(), "{uri}");
    }

    // What is not covered does not exist: the answer is that to a name that nobody has.
    let context = "telemetry://context/latency";
    for (method, params, unknown) in [
        ("tools/call", json!({"name": "list_context_types", "arguments": {}}), json!({"name": "nope"})),
        (
            "prompts/get",
            json!({"name": "root_cause", "arguments": {"context_type": "latency"}}),
            json!({"name": "nope"}),
        ),
        ("resources/read", json!({"uri": context}), json!({"uri": "nope://nope"})),
        ("resources/read", json!({"uri": "catalog://contexts"}), json!({"uri": "nope://nope"})),
    ] {
        let (refused, nobody) = (small.ask(method, params.clone()).await, small.ask(method, unknown).await);
        let shape = |answer: &Value| (answer["error"]["code"].clone(), answer["error"]["data"]["code"].clone());
        assert_eq!(shape(&refused), shape(&nobody), "{method} {params}: {refused}");
        assert!(refused["error"]["code"].is_number(), "{refused}");
        let served = large.ask(method, params).await;
        assert!(served["result"].is_object(), "{served}");
    }
    let complete = |reference: Value| json!({"ref": reference, "argument": {"name": "context_type", "value": "laten"}});
    for reference in [json!({"type": "ref/prompt", "name": "analyze"}), json!({"type": "ref/resource", "uri": CONTEXT})]
    {
        let refused = small.ask("completion/complete", complete(reference.clone())).await;
        assert!(refused["error"].is_object(), "{refused}");
        let served = large.ask("completion/complete", complete(reference)).await;
        assert_eq!(served["result"]["completion"]["values"], json!(["latency", "service-map-latency"]), "{served}");
    }

    // What a model is told to use is what it can use.
    for (caller, told) in [(&small, false), (&large, true)] {
        let discovered = caller.ask("server/discover", json!({})).await;
        let instructions = discovered["result"]["instructions"].as_str().unwrap();
        assert_eq!(instructions.contains("collect_telemetry_context"), told, "{instructions}");
        assert_eq!(discovered["result"]["cacheScope"], "private");
    }
}

#[tokio::test]
async fn the_state_of_the_server_is_for_those_with_the_scope() {
    let data = tempfile::tempdir().unwrap();
    let without = key(data.path(), "without", &[]);
    let with = key(data.path(), "with", &["--scope", "server.read"]);
    let server = HttpServer::start(serve_command(data.path())).await;
    for uri in ["config://server", "status://definitions", "status://health"] {
        let refused = Caller { server: &server, key: &without }.ask("resources/read", json!({"uri": uri})).await;
        assert_eq!((&refused["error"]["code"], &refused["id"]), (&json!(-32600), &json!(1)), "{refused}");
        assert_eq!(refused["error"]["data"]["scopes"], json!(["server.read"]), "{refused}");
        assert!(refused["error"]["message"].as_str().unwrap().contains("server.read"), "{refused}");
        assert!(!refused.to_string().contains(data.path().to_str().unwrap()), "{refused}");
        let served = Caller { server: &server, key: &with }.ask("resources/read", json!({"uri": uri})).await;
        assert_eq!(served["result"]["contents"][0]["uri"], uri, "{served}");
    }
}

/// Clients of the revisions with sessions take a status for the end of all; a key cannot ask an issuer for more.
#[tokio::test]
async fn a_key_that_lacks_a_scope_is_told_in_the_answer() {
    let data = tempfile::tempdir().unwrap();
    let weak = key(data.path(), "weak", &["--scope", "other"]);
    let narrow = key(data.path(), "narrow", &["--toolset", "telemetry"]);
    let server = HttpServer::start(serve_command(data.path())).await;
    let uri = json!({"uri": "config://server"});
    let read =
        |key: &str| modern_request(&http_client(), &server.url(), Some(key), 7, "resources/read", uri.clone()).send();
    let said = async |answer: reqwest::Response| {
        assert_eq!(answer.status(), 200);
        let ty = answer.headers()["content-type"].to_str().unwrap().to_owned();
        messages(&ty, &answer.text().await.unwrap()).pop().unwrap()
    };
    let lacks = |message: &Value, id: i64| {
        assert_eq!((&message["id"], &message["error"]["data"]["kind"]), (&json!(id), &json!("forbidden")), "{message}");
        assert!(message["error"]["message"].as_str().unwrap().contains("server.read"), "{message}");
    };
    lacks(&said(read(&weak).await.unwrap()).await, 7);
    // What a credential's toolsets hide is not given away by asking for a scope.
    let hidden = said(read(&narrow).await.unwrap()).await;
    assert!(!hidden.to_string().contains("server.read"), "{hidden}");

    let post = |session: Option<&str>, id: i64, method: &str, params: Value| {
        let body = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let request = http_client().post(server.url()).bearer_auth(&weak).header("content-type", "application/json");
        let request = request.header("accept", "application/json, text/event-stream").body(body.to_string());
        session.into_iter().fold(request, |request, id| request.header("mcp-session-id", id)).send()
    };
    for revision in ["2025-03-26", "2025-06-18", "2025-11-25"] {
        let opened = post(None, 1, "initialize", initialize_params(revision)).await.unwrap();
        let session = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
        let within = async |id: i64, method: &str, params: Value| {
            said(post(Some(&session), id, method, params).await.unwrap()).await
        };
        let listed = within(2, "resources/list", json!({})).await;
        assert!(!listed.to_string().contains("config://server"), "{listed}");
        for method in ["resources/read", "resources/subscribe"] {
            lacks(&within(3, method, uri.clone()).await, 3);
        }
        let params = json!({"name": "ch_query", "arguments": {"sql": "SELECT 1"}});
        let called = within(4, "tools/call", params).await;
        assert!(called["result"]["isError"] == true && called.to_string().contains("sql.query"), "{called}");
        assert_eq!(within(5, "ping", json!({})).await["result"], json!({}), "the session goes on");
    }

    let mut stream = http_client().get(format!("{}/sse", server.origin)).bearer_auth(&weak).send().await.unwrap();
    let session = stream.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    let post = async |body: Value| {
        let post = http_client().post(format!("{}/sse/?sessionId={session}", server.origin)).bearer_auth(&weak);
        let post = post.header("content-type", "application/json").body(body.to_string()).send().await.unwrap();
        assert_eq!(post.status(), 202);
    };
    let params = initialize_params("2024-11-05");
    post(json!({"jsonrpc": "2.0", "id": 8, "method": "initialize", "params": params})).await;
    post(json!({"jsonrpc": "2.0", "id": 9, "method": "resources/read", "params": uri})).await;
    let mut read = String::new();
    let lacking = async {
        loop {
            read += str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap();
            let lines =
                read.lines().filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok());
            if let Some(message) = lines.into_iter().find(|message| message["id"] == 9) {
                return message;
            }
        }
    };
    lacks(&tokio::time::timeout(DEADLINE, lacking).await.expect("it is said on the stream"), 9);
}

/// Over a stream of 2026-07-28 nothing is heard of what the caller may not read, nor whether it exists.
#[tokio::test]
async fn a_stream_accepts_what_its_caller_may_read() {
    let data = tempfile::tempdir().unwrap();
    let (weak, strong) = (key(data.path(), "weak", &[]), key(data.path(), "strong", &["--scope", "server.read"]));
    let server = HttpServer::start(serve_command(data.path())).await;
    let wanted = ["catalog://contexts", "status://health", "nope://nope"];
    for (key, accepted) in [(&weak, &wanted[..1]), (&strong, &wanted[..2])] {
        let filter = json!({"notifications": {"resourceSubscriptions": wanted}});
        let listen = modern_request(&http_client(), &server.url(), Some(key), 1, "subscriptions/listen", filter);
        let mut stream = listen.send().await.unwrap();
        let first = String::from_utf8(stream.chunk().await.unwrap().unwrap().to_vec()).unwrap();
        let acknowledged = messages("text/event-stream", &first).pop().unwrap();
        let uris = &acknowledged["params"]["notifications"]["resourceSubscriptions"];
        assert_eq!(*uris, json!(accepted), "{acknowledged}");
    }
}

/// Tools that take their caller's statements: the shipped ones, and one that hides the action in a pipeline and asks for
/// something else.
const OWN_SQL: [&str; 3] = ["ch_query", "pg_query", "hidden"];

fn pack_with_hidden_sql(data: &Path) -> std::path::PathBuf {
    let tools = data.join("pack/definitions/tools");
    std::fs::create_dir_all(&tools).unwrap();
    let parameter = |name: &str, what: &str| format!("  {name}: {{ description: Given., {what} }}\n");
    let hidden = [
        "kind: tool\nname: hidden\ntitle: Hidden\ndescription: Asks.\ncategory: test\nscopes: [other]\n",
        "annotations: { read_only: true }\nparameters:\n",
        &parameter("sql", "type: string, required: true"),
        &parameter("params", "type: array, items: string, default: []"),
        &parameter("max_rows", "type: integer, default: 10"),
        "run:\n  action: pipeline\n  steps:\n    - run: { action: sql.query, source: platform }\n",
    ];
    let hidden = hidden.concat();
    std::fs::write(tools.join("hidden.yaml"), hidden).unwrap();
    data.join("pack")
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn statements_of_a_callers_own_want_a_scope_that_keys_do_not_have_unless_it_is_given() {
    let data = tempfile::tempdir().unwrap();
    let pack = pack_with_hidden_sql(data.path());
    let plain = key(data.path(), "plain", &["--scope", "other"]);
    let wide = key(data.path(), "wide", &["--scope", "other,sql.query"]);
    let mut command = serve_command(data.path());
    command.arg("--pack").arg(&pack);
    let server = HttpServer::start(command).await;
    let call = async |key: &str, tool: &str| {
        let params = json!({"name": tool, "arguments": {"sql": "SELECT 1 AS one"}});
        let answer = modern_request(&http_client(), &server.url(), Some(key), 1, "tools/call", params).send().await;
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 200);
        let ty = answer.headers()["content-type"].to_str().unwrap().to_owned();
        messages(&ty, &answer.text().await.unwrap()).pop().unwrap()["result"].take().to_string()
    };
    for tool in OWN_SQL {
        let refused = call(&plain, tool).await;
        assert!(refused.contains("`sql.query`") && refused.contains("\"isError\":true"), "{tool}: {refused}");
        assert!(!call(&wide, tool).await.contains("`sql.query`"), "{tool}");
    }
    // What is given counts without a new key, and so does what is taken away.
    let keys = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tfo-mcp"));
        command.arg("keys").args(arguments).current_dir(data.path());
        command.env("TELEMETRYFLOW_MCP_DATA_DIR", data.path()).env("HOME", data.path()).output().unwrap()
    };
    let until = async |refused: bool| {
        let is_so = async || call(&plain, "ch_query").await.contains("`sql.query`") == refused;
        eventually(format!("refused: {refused}"), is_so).await;
    };
    let listed = keys(&["list"]);
    let said = String::from_utf8_lossy(&listed.stderr).into_owned();
    assert!(said.contains("keys grant NAME --scope sql.query"), "{said}");
    for (what, refused) in [("grant", false), ("withdraw", true)] {
        assert!(keys(&[what, "plain", "--scope", "sql.query"]).status.success(), "{what}");
        tokio::time::timeout(DEADLINE, until(refused)).await.unwrap_or_else(|_| panic!("{what} has no effect"));
    }
    let listed = String::from_utf8(keys(&["list"]).stdout).unwrap();
    assert!(listed.contains("the scope other") && listed.contains("the scopes other,sql.query"), "{listed}");
    assert!(!keys(&["grant", "nobody", "--scope", "sql.query"]).status.success());
    assert!(!keys(&["grant", "plain", "--scope", "two words"]).status.success());
}

/// Nobody is asked for a credential: on this machine that is its user, from elsewhere it may be anybody.
#[tokio::test]
async fn whoever_is_not_asked_has_statements_of_their_own_on_this_machine_alone() {
    for (elsewhere, settings, refused) in [
        (false, json!({}), false),
        (true, json!({"allow_unauthenticated": true}), true),
        (true, json!({"allow_unauthenticated": true, "unauthenticated_scopes": ["sql.query", "other"]}), false),
    ] {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("tfo-mcp.yaml"), json!({"server": settings}).to_string()).unwrap();
        let mut command = serve_command(data.path());
        command.arg("--pack").arg(pack_with_hidden_sql(data.path()));
        if elsewhere {
            command.args(["--host", "0.0.0.0"]);
        }
        let server = HttpServer::start(command).await;
        for tool in OWN_SQL {
            let params = json!({"name": tool, "arguments": {"sql": "SELECT 1 AS one"}});
            let answer = modern_request(&http_client(), &server.url(), None, 1, "tools/call", params).send().await;
            let said = answer.unwrap().text().await.unwrap();
            assert_eq!(said.contains("`sql.query`") || said.contains("`other`"), refused, "{tool} {settings}: {said}");
        }
    }
    let data = tempfile::tempdir().unwrap();
    let mut client = Client::spawn(serve_command(data.path()));
    client.initialize("2025-11-25").await;
    let answer =
        client.request("tools/call", json!({"name": "pg_query", "arguments": {"sql": "SELECT 1 AS one"}})).await;
    assert!(!answer.to_string().contains("sql.query"), "over stdio nothing is asked for: {answer}");
    client.finish().await;
}

#[tokio::test]
async fn a_session_subscribes_to_what_it_may_read() {
    let data = tempfile::tempdir().unwrap();
    let weak = key(data.path(), "weak", &["--toolset", "core"]);
    let server = HttpServer::start(serve_command(data.path())).await;
    let post = |session: Option<String>, body: Value| {
        let request = http_client().post(server.url()).bearer_auth(&weak).header("content-type", "application/json");
        let request = request.header("accept", "application/json, text/event-stream").body(body.to_string());
        session.into_iter().fold(request, |request, id| request.header("mcp-session-id", id)).send()
    };
    let initialize =
        json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": initialize_params("2025-11-25")});
    let opened = post(None, initialize).await.unwrap();
    let session = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    let ty = opened.headers()["content-type"].to_str().unwrap().to_owned();
    let initialized = messages(&ty, &opened.text().await.unwrap()).pop().unwrap();
    let instructions = initialized["result"]["instructions"].as_str().unwrap();
    assert!(!instructions.contains("collect_telemetry_context"), "{instructions}");
    for (uri, code) in [("catalog://contexts", -32002), ("status://definitions", -32600)] {
        let subscribe = json!({"jsonrpc": "2.0", "id": 2, "method": "resources/subscribe", "params": {"uri": uri}});
        let answer = post(Some(session.clone()), subscribe).await.unwrap();
        let ty = answer.headers()["content-type"].to_str().unwrap().to_owned();
        let refused = messages(&ty, &answer.text().await.unwrap()).pop().unwrap();
        assert_eq!(refused["error"]["code"], code, "{uri}: {refused}");
    }
    // A method that nobody knows is answered; the session goes on.
    for method in ["no/such/method", "tasks/get", "ping"] {
        let request = json!({"jsonrpc": "2.0", "id": 3, "method": method, "params": {"taskId": "x"}});
        let answer = post(Some(session.clone()), request).await.unwrap();
        assert_eq!(answer.status(), 200, "{method}");
        let ty = answer.headers()["content-type"].to_str().unwrap().to_owned();
        let answer = messages(&ty, &answer.text().await.unwrap()).pop().unwrap();
        assert_eq!(answer["error"]["code"] == -32601, method != "ping", "{method}: {answer}");
    }
}

#[tokio::test]
async fn a_server_of_few_toolsets_offers_their_prompts_and_resources_alone() {
    let data = tempfile::tempdir().unwrap();
    for (toolsets, prompts, templates) in [("telemetry", 6, 1), ("core", 3, 0)] {
        let mut command = serve_command(data.path());
        command.args(["--toolsets", toolsets]);
        let mut client = Client::spawn(command);
        client.initialize("2025-11-25").await;
        let listed = client.result("prompts/list", json!({})).await;
        assert_eq!(listed["prompts"].as_array().unwrap().len(), prompts, "{toolsets}: {listed}");
        let listed = client.result("resources/templates/list", json!({})).await;
        assert_eq!(listed["resourceTemplates"].as_array().unwrap().len(), templates, "{toolsets}: {listed}");
        client.finish().await;
    }
}

/// An argument that can say nothing costs every caller its tokens.
#[tokio::test]
async fn only_a_key_for_several_organisations_is_shown_the_argument_that_chooses_one() {
    let data = tempfile::tempdir().unwrap();
    let one = key::create(data.path(), "one", key::SOME, &[]);
    let several = format!("{},22222222-2222-4222-8222-222222222222", key::SOME);
    let two = key::create(data.path(), "two", &several, &[]);
    let mut command = serve_command(data.path());
    command.env("TELEMETRYFLOW_MCP_TENANCY__ALLOW_ARGUMENT", "true");
    let server = HttpServer::start(command).await;
    for (key, shown) in [(&one, false), (&two, true)] {
        let caller = Caller { server: &server, key };
        for (method, list) in [("tools/list", "tools"), ("prompts/list", "prompts")] {
            let answer = caller.ask(method, json!({})).await;
            let entries = answer["result"][list].as_array().unwrap_or_else(|| panic!("{method}: {answer}"));
            let with = entries.iter().filter(|entry| entry.to_string().contains("organization_id")).count();
            assert!(if shown { with >= 5 } else { with == 0 }, "{method} names it {with} times");
        }
    }
}
