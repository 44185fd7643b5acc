//! However a call ends, all who account for calls are told of it, once.

use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use serde_json::{Value, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    server::{
        ServerOptions,
        calls::{CallEnded, Calls, Sink},
        metrics::Metrics,
    },
};

use crate::support::{
    client::modern_able,
    double::{Seen, Served, serve_double, serve_engine},
    eventually::eventually,
    pack::catalog,
};

/// What a sink was told: name, outcome, kind of the error, bytes shown.
type Told = (Option<String>, &'static str, Option<&'static str>, Option<usize>);

#[derive(Default)]
pub struct Book(Mutex<Vec<Told>>);

impl Sink for Book {
    fn take(&self, ended: &CallEnded) -> Option<BoxFuture<'static, ()>> {
        let name = ended.subject.parts().0.map(str::to_owned);
        self.0.lock().unwrap().push((name, ended.outcome.word, ended.outcome.error_kind, ended.bytes));
        None
    }
}

impl Book {
    /// All that it was told, as soon as that is so much.
    async fn told(&self, count: usize) -> Vec<Told> {
        eventually(format!("{count} calls ended"), async || {
            let told = self.0.lock().unwrap();
            (told.len() >= count).then(|| told.clone())
        })
        .await
    }
}

/// How many calls the metrics have counted.
fn counted(metrics: &Metrics) -> u64 {
    let text = metrics.text(&[]);
    let counts = text.lines().filter_map(|line| line.strip_prefix("mcp_server_call_duration_seconds_count{"));
    counts.map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum()
}

fn request(id: i64, tool: &str, arguments: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})
}

#[tokio::test]
async fn every_sink_is_told_once_of_every_call_however_it_ends() {
    let (first, second, metrics) = (Arc::new(Book::default()), Arc::new(Book::default()), Arc::new(Metrics::default()));
    let sinks: [Arc<dyn Sink>; 3] = [first.clone(), metrics.clone(), second.clone()];
    let options = ServerOptions { calls: Calls::told_to(sinks), ..ServerOptions::default() };
    let Served { mut client, mut seen, release, .. } = serve_double(options.clone());
    client.initialize("2025-11-25").await;
    let mut expected: Vec<Told> = Vec::new();
    let mut ends = |name: &str, word, kind, bytes| {
        let known = (!name.is_empty()).then(|| name.to_owned());
        expected.push((known, word, kind, bytes));
        expected.clone()
    };
    let cases = [
        ("echo", json!({"message": "four"}), "ok", None, Some(4)),
        ("echo", json!({}), "refused", Some("invalid_arguments"), None),
        ("fail", json!({}), "error", Some("failed"), None),
        ("panic", json!({}), "error", Some("internal"), None),
        ("no_such_tool", json!({}), "refused", Some("unknown_tool"), None),
    ];
    for (id, (tool, arguments, word, kind, bytes)) in (1..).zip(cases) {
        client.send_json(request(id, tool, arguments)).await;
        client.answer_to(id).await;
        assert_eq!(first.told(id as usize).await, ends(tool, word, kind, bytes));
    }
    // Cancelled by its client.
    client.send_json(request(6, "hold", json!({}))).await;
    assert_eq!(seen.recv().await, Some(Seen::Started));
    client.send_json(json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 6}})).await;
    assert_eq!(first.told(6).await, ends("hold", "cancelled", None, None));
    // One that goes on as a task is told of when the task ends.
    assert_eq!(seen.recv().await, Some(Seen::Cancelled));
    let able = json!({"extensions": {"io.modelcontextprotocol/tasks": {}}});
    let task = client.result("tools/call", modern_able(json!({"name": "job"}), able)).await;
    assert_eq!(seen.recv().await, Some(Seen::Started));
    assert!(task["taskId"].is_string() && first.told(6).await.len() == 6, "{task}");
    release.add_permits(1);
    assert_eq!(first.told(7).await, ends("job", "ok", None, Some(4)));
    // Its own time is over.
    let slow = "kind: tool\nname: slow\ntitle: Slow\ndescription: Waits.\ncategory: test\ntimeout: 100ms\nrun:\n  \
                action: pipeline\n  steps:\n    - run: { action: delay, for: 5m }\n";
    let slow = catalog(&[("definitions/slow.yaml", slow)], &CatalogOptions::default());
    let (mut other, engine) = serve_engine(slow, options);
    other.initialize("2025-11-25").await;
    other.call("slow", json!({})).await;
    assert_eq!(first.told(8).await, ends("slow", "timeout", None, None));
    // The end of the engine ends what runs; nothing is told twice.
    let slow = request(100, "slow", json!({}));
    other.send_json(slow.clone()).await;
    engine.close().await;
    other.answer_to(100).await;
    let told = first.told(9).await;
    assert!(matches!(told[8], (_, "cancelled", None, None)), "{told:?}");
    assert_eq!((second.told(9).await, counted(&metrics)), (told, 9));
}
