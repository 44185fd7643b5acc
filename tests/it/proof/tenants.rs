//! Two organisations, two keys, 10,000 calls interleaved: not one row of the other, or of a third.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tfo_mcp::demo::{canary, people::people};

use crate::{
    answers::{END, filled, stamp, window},
    support::{
        client::serve_command,
        http::{HttpServer, http_client, messages, modern_request},
        key,
    },
};

/// With `TFO_PROOF=full` five times as many.
const CALLS: usize = 2_000;
const AT_ONCE: usize = 16;

/// Tables of both databases, for statements that callers write.
const TELEMETRY: [&str; 4] = ["traces", "logs", "metrics", "audit_logs"];
const PLATFORM: [&str; 4] = ["users", "alert_rules", "alert_instances", "agents"];

/// A type over everything there is costs a hundred times what others do; it is asked once in so many rounds.
const COMPOSED: &str = "ai-root-cause";
const SELDOM: usize = 20;

/// What is asked: every context type in turn, as markdown and JSON, and statements of callers.
fn questions(types: &[(String, Option<&str>)], from: &Value, to: &Value) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    for (context_type, service) in types {
        for format in ["markdown", "json"] {
            all.push(json!({"name": "collect_telemetry_context", "arguments": {
                "context_type": context_type, "from": from, "to": to, "max_items": 500, "format": format,
                "max_chars": 100_000, "service": service,
            }}));
        }
        all.push(json!({"name": "build_insight_prompt", "arguments": {
            "context_type": context_type, "insight_type": "root-cause", "from": from, "to": to, "service": service,
        }}));
    }
    let window = json!({"start": from, "end": to});
    all.push(json!({"name": "compare", "arguments": {"a": window}}));
    all.push(json!({"name": "compare", "arguments": {"a": window, "b": {"start": from, "end": to, "status": "ok"}}}));
    all.push(json!({"name": "trace", "arguments": {"start": from, "end": to}}));
    for table in TELEMETRY {
        let sql = format!("SELECT * FROM {table} LIMIT 200");
        all.push(json!({"name": "ch_query", "arguments": {"sql": sql, "max_rows": 200}}));
    }
    for table in PLATFORM {
        let sql = format!("SELECT * FROM {table} LIMIT 200");
        all.push(json!({"name": "pg_query", "arguments": {"sql": sql, "max_rows": 200}}));
    }
    all
}

/// A server over the canaries of three organisations, and keys of the first two.
pub struct Site {
    pub server: HttpServer,
    /// A key of the first organisation, of the second, and of both.
    pub keys: Vec<String>,
    pub organizations: Vec<String>,
    /// What the first and the second organisation must not see.
    pub foreign: Vec<Vec<String>>,
    pub from: Value,
    pub to: Value,
    _data: tempfile::TempDir,
}

impl Site {
    /// `tenancy`: settings of that section.
    pub async fn start(tenancy: Value) -> Self {
        let filled = filled().await;
        let data = tempfile::tempdir().unwrap();
        let telemetry = &filled.canaries;
        let settings = json!({
            "toolsets": ["telemetry", "comparison", "analytics", "datasource", "core"],
            "server": {"clock": END.format(&time::format_description::well_known::Rfc3339).unwrap()},
            "limits": {"context_deadline": "60s", "query_timeout": "60s"},
            "tenancy": tenancy,
            "sources": {
                "telemetry": {
                    "type": "clickhouse", "url": telemetry.url, "database": telemetry.database, "user": telemetry.user,
                    "password": telemetry.password.as_ref().map(|password| password.expose_secret().to_owned()),
                },
                "platform": {"type": "sqlite", "path": filled.canary_sqlite},
            },
        });
        std::fs::write(data.path().join("tfo-mcp.yaml"), settings.to_string()).unwrap();
        let own = &filled.generator.world.organizations;
        let organizations: Vec<String> = own.iter().map(|own| own.id_text.clone()).collect();
        let both = organizations[..2].join(",");
        let free = ["--scope", "sql.query"];
        // Types about one account answer whoever is known.
        let users: Vec<String> = own.iter().map(|own| people(own)[1].id.to_string()).collect();
        let of = |nth: usize| ["--scope", "sql.query", "--user", users[nth].as_str()];
        let keys = vec![
            key::create(data.path(), "first", &organizations[0], &of(0)),
            key::create(data.path(), "second", &organizations[1], &of(1)),
            key::create(data.path(), "both", &both, &free),
        ];
        let server = HttpServer::start(serve_command(data.path())).await;
        let bounds = window(&filled.generator);
        // The first organisation owns the rows of `canary::AFTER` and `canary::BEFORE`, the others those of `FOREIGN`.
        let foreign = (0..2)
            .map(|who| {
                let mut words = canary::foreign_names(&filled.generator, &own[who]);
                let others = own.iter().filter(|other| other.index != own[who].index);
                words.extend(others.map(|other| format!("{}{}", canary::FOREIGN, other.index)));
                if who == 1 {
                    words.extend([canary::BEFORE.to_owned() + "0", canary::AFTER.to_owned() + "0"]);
                }
                words
            })
            .collect();
        let (from, to) = (stamp(bounds.from), stamp(bounds.to));
        Self { server, keys, organizations, foreign, from, to, _data: data }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: scripts/test.sh runs it"]
async fn thousands_of_interleaved_calls_show_no_foreign_row() {
    let full = std::env::var("TFO_PROOF").is_ok_and(|proof| proof == "full");
    let calls = if full { 5 * CALLS } else { CALLS };
    let site = Site::start(json!({})).await;
    let (often, seldom): (Vec<Value>, Vec<Value>) = questions(&shipped_contexts(), &site.from, &site.to)
        .into_iter()
        .partition(|question| question["arguments"]["context_type"] != COMPOSED);
    assert!(!seldom.is_empty());
    let rounds = std::iter::repeat_n(&often, SELDOM).flatten();
    let questions: Arc<Vec<Value>> = Arc::new(seldom.iter().chain(rounds).cloned().collect());
    let (server, keys, foreign) = (site.server, site.keys, site.foreign);
    let (keys, foreign, next) = (Arc::new(keys), Arc::new(foreign), Arc::new(AtomicUsize::new(0)));
    let workers: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (url, keys, foreign, questions, next) =
                (server.url(), keys.clone(), foreign.clone(), questions.clone(), next.clone());
            tokio::spawn(async move {
                let client = http_client();
                let mut own = BTreeMap::<&str, usize>::new();
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= calls {
                        return own;
                    }
                    let (who, question) = (n % 2, &questions[(n / 2) % questions.len()]);
                    let request =
                        modern_request(&client, &url, Some(&keys[who]), n as i64, "tools/call", question.clone());
                    let answer = request.send().await.unwrap();
                    let (status, ty) = (answer.status(), answer.headers()["content-type"].to_str().unwrap().to_owned());
                    let body = answer.text().await.unwrap();
                    let answer = messages(&ty, &body).pop().unwrap();
                    assert!(
                        answer["id"] == json!(n) && answer["result"]["isError"] == false,
                        "{status} {question} {answer}"
                    );
                    let text = answer["result"]["content"].to_string();
                    for word in &foreign[who] {
                        assert!(!text.contains(word.as_str()), "{question} shows {word} to organisation {who}: {text}");
                    }
                    // The rows are there to be seen by their owner.
                    if who == 1 && text.contains(&format!("{}1", canary::FOREIGN)) {
                        *own.entry("own canaries").or_default() += 1;
                    }
                    *own.entry(if text.len() > 1000 { "long answers" } else { "short answers" }).or_default() += 1;
                }
            })
        })
        .collect();
    let mut seen = BTreeMap::new();
    for worker in workers {
        for (what, count) in worker.await.unwrap() {
            *seen.entry(what).or_insert(0) += count;
        }
    }
    println!("{calls} calls of two keys over {} questions, no foreign row; {seen:?}", questions.len());
    assert!(seen["own canaries"] > calls / 10, "{seen:?}");
}

/// Names of the shipped context types that are listed, and the service of those that are about one; the others have tools of
/// their own.
fn shipped_contexts() -> Vec<(String, Option<&'static str>)> {
    let catalog = crate::support::pack::catalog(&[], &tfo_mcp::catalog::CatalogOptions::default());
    let listed = catalog.contexts.values().map(|entry| &entry.definition).filter(|context| context.listed);
    let is_about_one = |context: &tfo_mcp::definition::Context| {
        context.parameters.get("service").is_some_and(|service| service.required)
    };
    listed.map(|context| (context.name.0.clone(), is_about_one(context).then_some("checkout"))).collect()
}
