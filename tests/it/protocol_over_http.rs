//! Telling and asking over HTTP: streams of a session and of a request, and who may go on with what.

use std::collections::VecDeque;

use serde_json::{Value, json};

use crate::support::{
    client::{DEADLINE, initialize_params, modern_able, serve_command},
    http::{HttpServer, http_client},
    key,
};

/// A server of the conformance pack, and keys of two callers.
struct Served {
    server: HttpServer,
    keys: [String; 2],
    client: reqwest::Client,
    _data: tempfile::TempDir,
}

/// A stream of events.
struct Stream {
    response: reqwest::Response,
    text: String,
    messages: VecDeque<Value>,
}

impl Stream {
    fn new(response: reqwest::Response) -> Self {
        Self { response, text: String::new(), messages: VecDeque::new() }
    }

    async fn next(&mut self) -> Value {
        loop {
            if let Some(message) = self.messages.pop_front() {
                return message;
            }
            let chunk = tokio::time::timeout(DEADLINE, self.response.chunk()).await.expect("the server tells").unwrap();
            self.text += std::str::from_utf8(&chunk.expect("the stream goes on")).unwrap();
            while let Some(end) = self.text.find('\n') {
                let line: String = self.text.drain(..=end).collect();
                let data = line.strip_prefix("data:").map(str::trim).filter(|data| !data.is_empty());
                self.messages.extend(data.map(|data| serde_json::from_str(data).unwrap()));
            }
        }
    }
}

impl Served {
    async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let keys = ["ada", "bob"].map(|name| key::create(data.path(), name, key::SOME, &[]));
        let mut command = serve_command(data.path());
        let pack = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("packs/conformance");
        command.arg("--pack").arg(pack).arg("--packs-only").env("TELEMETRYFLOW_MCP_MCP__ENABLE_SAMPLING", "true");
        let server = HttpServer::start(command).await;
        Self { server, keys, client: http_client(), _data: data }
    }

    fn request(&self, method: reqwest::Method, who: usize) -> reqwest::RequestBuilder {
        let accept = "application/json, text/event-stream";
        self.client.request(method, self.server.url()).bearer_auth(&self.keys[who]).header("accept", accept)
    }

    /// A request of 2026-07-28.
    async fn ask(&self, who: usize, method: &str, params: Value) -> Stream {
        let capabilities = json!({
            "elicitation": {"form": {}}, "extensions": {"io.modelcontextprotocol/tasks": {}},
        });
        let params = modern_able(params, capabilities);
        let mut request = self.request(reqwest::Method::POST, who);
        if let Some(name) = ["name", "uri", "taskId"].iter().find_map(|key| params[key].as_str()) {
            request = request.header("mcp-name", name);
        }
        let request = request.header("mcp-protocol-version", "2026-07-28").header("mcp-method", method);
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        Stream::of(request.header("content-type", "application/json").body(body.to_string())).await
    }
}

impl Stream {
    /// Also of an answer that is a plain one.
    async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let json = response.headers()["content-type"].to_str().unwrap().starts_with("application/json");
        let mut stream = Self::new(response);
        if json {
            let mut body = String::new();
            while let Some(chunk) = stream.response.chunk().await.unwrap() {
                body += std::str::from_utf8(&chunk).unwrap();
            }
            stream.messages.push_back(serde_json::from_str(&body).unwrap());
        }
        stream
    }
}

#[tokio::test]
async fn a_session_over_http_is_told_and_asked() {
    let served = Served::start().await;
    let post = |session: Option<&str>, message: Value| {
        let mut request = served.request(reqwest::Method::POST, 0).header("content-type", "application/json");
        if let Some(session) = session {
            request = request.header("mcp-session-id", session).header("mcp-protocol-version", "2025-11-25");
        }
        request.body(message.to_string())
    };
    let mut params = initialize_params("2025-11-25");
    params["capabilities"] = json!({"elicitation": {}});
    let opened = post(None, json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}));
    let opened = opened.send().await.unwrap();
    let session = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    drop(opened);
    let id = session.as_str();
    let session = Some(id);
    let accepted =
        post(session, json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).send().await.unwrap();
    assert_eq!(accepted.status(), 202);
    let told = served.request(reqwest::Method::GET, 0).header("mcp-session-id", id);
    let mut told = Stream::new(told.header("mcp-protocol-version", "2025-11-25").send().await.unwrap());
    let call = |id: i64, tool: &str, arguments: Value| {
        let params = json!({"name": tool, "arguments": arguments});
        json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})
    };

    let mut answer = Stream::of(post(session, call(2, "test_trigger_tool_change", json!({})))).await;
    assert_eq!(answer.next().await["id"], 2);
    assert_eq!(told.next().await["method"], "notifications/tools/list_changed");
    let subscribe = json!({"uri": "test://watched-resource"});
    let subscribe = json!({"jsonrpc": "2.0", "id": 3, "method": "resources/subscribe", "params": subscribe});
    assert_eq!(Stream::of(post(session, subscribe)).await.next().await["id"], 3);
    Stream::of(post(session, call(4, "test_trigger_resource_update", json!({})))).await.next().await;
    assert_eq!(told.next().await["params"]["uri"], "test://watched-resource");

    // The level is the session's, not the request's.
    let level = json!({"jsonrpc": "2.0", "id": 5, "method": "logging/setLevel", "params": {"level": "error"}});
    Stream::of(post(session, level)).await.next().await;
    Stream::of(post(session, call(6, "test_tool_with_logging", json!({})))).await.next().await;
    Stream::of(post(session, call(7, "test_trigger_prompt_change", json!({})))).await.next().await;
    assert_eq!(told.next().await["method"], "notifications/prompts/list_changed", "no log message before it");

    let mut answer = Stream::of(post(session, call(8, "test_elicitation", json!({"message": "Who?"})))).await;
    let asked = answer.next().await;
    assert_eq!(asked["method"], "elicitation/create", "the question comes with the answer to the call");
    let reply = json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "decline"}});
    assert_eq!(post(session, reply).send().await.unwrap().status(), 202);
    let answer = answer.next().await;
    assert!(answer["id"] == 8 && answer["result"]["isError"] == false, "{answer}");
}

#[tokio::test]
async fn a_request_over_http_is_told_asked_and_bound_to_its_caller() {
    let served = Served::start().await;
    let filter = json!({"notifications": {"toolsListChanged": true}});
    let mut stream = served.ask(1, "subscriptions/listen", filter).await;
    assert_eq!(stream.next().await["method"], "notifications/subscriptions/acknowledged");
    served.ask(0, "tools/call", json!({"name": "test_trigger_prompt_change"})).await.next().await;
    served.ask(0, "tools/call", json!({"name": "test_trigger_tool_change"})).await.next().await;
    let told = stream.next().await;
    assert_eq!(told["method"], "notifications/tools/list_changed");
    assert_eq!(told["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 1);

    let rounds = || json!({"name": "test_input_required_result_multi_round", "arguments": {}});
    let first = served.ask(0, "tools/call", rounds()).await.next().await["result"].take();
    assert_eq!(first["resultType"], "input_required", "{first}");
    let mut again = rounds();
    again["requestState"] = first["requestState"].clone();
    again["inputResponses"] = json!({"step1": {"action": "accept", "content": {"name": "Ada"}}});
    let refused = served.ask(1, "tools/call", again.clone()).await.next().await;
    assert_eq!(refused["error"]["code"], -32602, "another caller cannot go on with it: {refused}");
    let second = served.ask(0, "tools/call", again).await.next().await;
    assert_eq!(second["result"]["resultType"], "input_required", "{second}");

    let slow = json!({"name": "slow_compute", "arguments": {"seconds": 60}});
    let task = served.ask(0, "tools/call", slow).await.next().await["result"].take();
    let id = json!({"taskId": task["taskId"]});
    assert_eq!(served.ask(1, "tasks/get", id.clone()).await.next().await["error"]["code"], -32602);
    assert_eq!(served.ask(1, "tasks/cancel", id.clone()).await.next().await["error"]["code"], -32602);
    assert_eq!(served.ask(0, "tasks/get", id.clone()).await.next().await["result"]["status"], "working");
    assert!(served.ask(0, "tasks/cancel", id.clone()).await.next().await.get("error").is_none());
    tokio::time::timeout(DEADLINE, async {
        while served.ask(0, "tasks/get", id.clone()).await.next().await["result"]["status"] != "cancelled" {}
    })
    .await
    .expect("the task is cancelled");
}
