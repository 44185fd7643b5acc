//! Messages as older revisions and other languages write them, over a pipe and over HTTP: batches, and empty lists where
//! an object belongs.

use serde_json::{Value, json};

use crate::support::{
    client::{Client, initialize_params, serve_command},
    http::{HttpServer, http_client, messages},
};

fn ping(id: i64) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "ping"})
}

fn echo(id: i64, arguments: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "echo", "arguments": arguments}})
}

/// What is sent in a session of 2025-03-26: two requests that are served, a notification, one that stands alone only,
/// and what is no message.
fn batch() -> Value {
    let initialize =
        json!({"jsonrpc": "2.0", "id": 3, "method": "initialize", "params": initialize_params("2025-03-26")});
    let cancelled = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 99}});
    json!([ping(1), cancelled, echo(2, json!({"message": "hello"})), initialize, 5])
}

#[tokio::test]
async fn a_pipe_takes_batches_in_the_revision_that_has_them() {
    let data = tempfile::tempdir().unwrap();
    let mut client = Client::spawn(serve_command(data.path()));
    client.initialize("2025-03-26").await;
    client.send_json(batch()).await;
    assert_eq!(client.answer_to(1).await["result"], json!({}));
    assert_eq!(client.answer_to(2).await["result"]["content"][0]["text"], "hello");
    assert!(client.answer_to(3).await["error"]["message"].as_str().unwrap().contains("comes alone"));
    assert_eq!(client.answer_to(Value::Null).await["error"]["code"], -32600);
    client.send_json(json!([])).await;
    assert_eq!(client.answer_to(Value::Null).await["error"]["code"], -32600);
    // More than may wait at once, and the end of input behind them: each is answered.
    client.send_json((10..200).map(ping).collect()).await;
    client.end_input();
    for id in 10..200 {
        assert_eq!(client.answer_to(id).await["result"], json!({}), "{id}");
    }
    for revision in ["2024-11-05", "2025-06-18", "2025-11-25"] {
        let mut client = Client::spawn(serve_command(data.path()));
        client.initialize(revision).await;
        client.send_json(batch()).await;
        let refused = client.answer_to(Value::Null).await;
        assert!(refused["error"]["message"].as_str().unwrap().contains("2025-03-26"), "{revision}: {refused}");
    }
}

struct Caller {
    url: String,
    session: Option<String>,
}

impl Caller {
    async fn open(server: &HttpServer, params: Value) -> Self {
        let mut caller = Self { url: server.url(), session: None };
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
        let opened = caller.request("application/json", &message).send().await.unwrap();
        let session = opened.headers().get("mcp-session-id").map(|id| id.to_str().unwrap().to_owned());
        let answer = opened.text().await.unwrap();
        caller.session = Some(session.unwrap_or_else(|| panic!("{answer}")));
        caller
    }

    fn request(&self, accept: &str, body: &Value) -> reqwest::RequestBuilder {
        let request = http_client().post(&self.url).header("content-type", "application/json").header("accept", accept);
        let request = self.session.iter().fold(request, |request, id| request.header("mcp-session-id", id));
        request.body(body.to_string())
    }

    /// Status and messages of the answer.
    async fn post(&self, accept: &str, body: &Value) -> (u16, Vec<Value>) {
        let answer = self.request(accept, body).send().await.unwrap();
        let (status, kind) = (answer.status().as_u16(), answer.headers().get("content-type").cloned());
        let kind = kind.map(|kind| kind.to_str().unwrap().to_owned()).unwrap_or_default();
        let found = messages(&kind, &answer.text().await.unwrap());
        (status, found.into_iter().flat_map(|m| m.as_array().cloned().unwrap_or(vec![m])).collect())
    }
}

#[tokio::test]
async fn http_takes_batches_in_the_revision_that_has_them() {
    let data = tempfile::tempdir().unwrap();
    let server = HttpServer::start(serve_command(data.path())).await;
    let caller = Caller::open(&server, initialize_params("2025-03-26")).await;
    for accept in ["application/json, text/event-stream", "application/json", "text/event-stream", "*/*"] {
        let (status, answers) = caller.post(accept, &batch()).await;
        let of = |id: Value| answers.iter().find(|answer| answer["id"] == id).unwrap_or_else(|| panic!("{answers:?}"));
        assert_eq!((status, answers.len()), (200, 4), "{accept}: {answers:?}");
        assert_eq!(of(json!(1))["result"], json!({}));
        assert_eq!(of(json!(2))["result"]["content"][0]["text"], "hello");
        assert!(of(json!(3))["error"]["message"].as_str().unwrap().contains("comes alone"));
        assert_eq!(of(Value::Null)["error"]["code"], -32600);
    }
    let told = json!([{"jsonrpc": "2.0", "method": "notifications/initialized"}]);
    assert_eq!(caller.post("application/json", &told).await, (202, vec![]));
    assert_eq!(caller.post("application/json", &json!([])).await.0, 400);
    let later = Caller::open(&server, initialize_params("2025-06-18")).await;
    let stranger = Caller { url: server.url(), session: None };
    for caller in [later, stranger] {
        let (status, answers) = caller.post("application/json", &batch()).await;
        assert!(
            status == 400 && answers[0]["error"]["message"].as_str().unwrap().contains("2025-03-26"),
            "{answers:?}"
        );
    }
    let ended = Caller { url: server.url(), session: Some("no-such-session".into()) };
    assert_eq!(ended.post("application/json", &batch()).await.0, 404, "its client begins anew");
    // A compressed body is named, not taken for broken JSON.
    let caller = Caller::open(&server, initialize_params("2025-06-18")).await;
    for (encoding, status) in [("gzip", 415), ("br, gzip", 415), ("identity", 200)] {
        let answer =
            caller.request("application/json", &ping(1)).header("content-encoding", encoding).send().await.unwrap();
        assert_eq!(answer.status(), status, "{encoding}");
        let accepts = answer.headers().get("accept-encoding").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(accepts, (status == 415).then(|| "identity".to_owned()));
        assert_eq!(answer.text().await.unwrap().contains("is encoded (`Content-Encoding: "), status == 415);
    }
}

/// PHP writes `[]` for an empty object, and frameworks write arguments as a text.
#[tokio::test]
async fn a_client_whose_empty_objects_are_lists_is_served() {
    let data = tempfile::tempdir().unwrap();
    let mut client = Client::spawn(serve_command(data.path()));
    let mut params = initialize_params("2025-06-18");
    params["capabilities"] = json!({"roots": [], "sampling": []});
    let opened = client.request("initialize", params.clone()).await;
    assert_eq!(opened["result"]["protocolVersion"], "2025-06-18", "{opened}");
    client.send_json(json!({"jsonrpc": "2.0", "method": "notifications/initialized", "params": []})).await;
    for (method, of) in [("tools/list", "tools"), ("prompts/list", "prompts"), ("resources/list", "resources")] {
        let listed = client.request(method, json!([])).await;
        assert!(listed["result"][of].is_array(), "{method}: {listed}");
    }
    assert_eq!(client.request("ping", json!([])).await["result"], json!({}));
    let server = HttpServer::start(serve_command(data.path())).await;
    let caller = Caller::open(&server, params).await;
    for (arguments, text) in [
        (json!([]), "`message` is required"),
        (json!(""), "`message` is required"),
        (json!("{\"message\": \"hello\"}"), "hello"),
    ] {
        client.send_json(echo(70, arguments.clone())).await;
        let over_a_pipe = client.answer_to(70).await;
        let (_, over_http) = caller.post("application/json", &echo(70, arguments.clone())).await;
        for answer in [&over_a_pipe, &over_http[0]] {
            assert!(answer["result"]["content"][0]["text"].as_str().unwrap().contains(text), "{arguments}: {answer}");
        }
    }
    let asked = client.request("prompts/get", json!({"name": "analyze", "arguments": []})).await;
    assert!(asked["error"]["message"].as_str().unwrap().contains("`context_type` is required"), "{asked}");
}
