//! The packs for Prometheus and Alertmanager against the programs themselves, of Debian: what a tool says is what their interfaces say.

use std::{
    collections::BTreeSet,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use tfo_mcp::{engine::Engine, host::http::system, settings::Outgoing};

use super::{answer, call, engine_of};
use crate::support::{eventually::eventually, http::http_client, pack::alone};

/// A program that serves on a port of its own from a folder of its own; ended when dropped.
struct Running {
    child: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    /// `configuration` is made of the address.
    async fn start(
        program: &str,
        configuration: impl Fn(&str) -> String,
        arguments: impl Fn(&Path) -> Vec<String>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let file = folder.path().join("configuration.yml");
        std::fs::write(&file, configuration(&at)).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new(program);
        command.arg(format!("--config.file={}", file.display())).arg(format!("--web.listen-address={at}"));
        command.args(arguments(folder.path())).current_dir(folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().unwrap_or_else(|error| panic!("{program}: {error}: run scripts/test.sh"));
        let running = Self { child, url: format!("http://{at}/"), _folder: folder };
        let ready = format!("{}-/ready", running.url);
        eventually(program, async || http_client().get(&ready).send().await.is_ok_and(|answer| answer.status() == 200))
            .await;
        running
    }

    /// What its interface says, asked by nobody of ours.
    async fn api(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let mut url = url::Url::parse(&self.url).unwrap().join(path).unwrap();
        url.query_pairs_mut().extend_pairs(query);
        let answer = http_client().get(url).send().await.unwrap();
        let text = answer.text().await.unwrap();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    fn engine(&self, pack: &str) -> Engine {
        let services = json!({ pack: { "url": self.url, "allow_private": ["127.0.0.1"] } });
        let settings: Outgoing = serde_json::from_value(json!({ "services": services })).unwrap();
        let catalog = alone(Path::new(env!("CARGO_MANIFEST_DIR")).join("packs").join(pack));
        engine_of(catalog, &settings, &system())
    }
}

/// The rows of an answer, as its structured content has them.
async fn rows(engine: &Engine, tool: &str, arguments: Value) -> Vec<Value> {
    let answer =
        answer(engine, tool, arguments.clone()).await.unwrap_or_else(|error| panic!("{tool} {arguments}: {error}"));
    let structured = answer.structured.clone().unwrap_or_else(|| panic!("{tool} {arguments}: {answer:?}"));
    let columns: Vec<&str> =
        structured["columns"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let named = |row: &Value| {
        let cells = row.as_array().unwrap_or_else(|| panic!("{structured}")).iter().cloned();
        columns.iter().map(|name| (*name).to_owned()).zip(cells).collect::<serde_json::Map<_, _>>().into()
    };
    structured["rows"].as_array().unwrap_or_else(|| panic!("{structured}")).iter().map(named).collect()
}

/// Labels as a set of pairs, from an object or from the text of one.
fn labels(value: &Value) -> BTreeSet<(String, String)> {
    let object = match value {
        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}")),
        other => other.clone(),
    };
    object.as_object().unwrap().iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

/// Milliseconds since 1970 of a moment as a tool writes it, or as Prometheus does.
fn millis(value: &Value) -> i64 {
    match value {
        Value::Number(seconds) => (seconds.as_f64().unwrap() * 1000.0).round() as i64,
        Value::String(text) => {
            let at = time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339);
            let at = at.unwrap_or_else(|error| panic!("{error}: {text}"));
            i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap()
        }
        other => panic!("{other} is no moment"),
    }
}

type Point = (BTreeSet<(String, String)>, i64, String);

/// Points as a tool tells them, and as the interface does.
fn told(rows: &[Value]) -> BTreeSet<Point> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    rows.iter().map(|row| (labels(&row["labels"]), millis(&row["time"]), text(&row["value"]))).collect()
}

fn of_api(answer: &Value) -> BTreeSet<Point> {
    assert_eq!(answer["status"], "success", "{answer}");
    let series = answer["data"]["result"].as_array().unwrap();
    let point = |series: &Value, point: &Value| {
        (labels(&series["metric"]), millis(&point[0]), point[1].as_str().unwrap().to_owned())
    };
    let of = |series: &Value| match (series.get("value"), series["values"].as_array()) {
        (Some(value), _) => vec![point(series, value)],
        (None, Some(values)) => values.iter().map(|value| point(series, value)).collect(),
        (None, None) => panic!("{series}"),
    };
    series.iter().flat_map(of).collect()
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn tools_tell_what_a_prometheus_has_measured_of_itself() {
    let prometheus = Running::start(
        "prometheus",
        |at| {
            format!(
                "global: {{ scrape_interval: 1s }}\nscrape_configs:\n  - job_name: itself\n    static_configs:\n      - targets: ['{at}']\n        \
                 labels: {{ place: 'ä \"quoted\" & more' }}\n"
            )
        },
        |folder| vec![format!("--storage.tsdb.path={}", folder.join("tsdb").display())],
    )
    .await;
    let engine = prometheus.engine("prometheus");
    // Some points of a counter.
    let counts = "count_over_time(up[5m])";
    eventually("it measures itself", async || {
        let answer = prometheus.api("api/v1/query", &[("query", counts)]).await;
        let value = answer["data"]["result"][0]["value"][1].as_str().and_then(|value| value.parse::<f64>().ok());
        value.is_some_and(|value| value >= 8.0)
    })
    .await;
    let now = prometheus.api("api/v1/query", &[("query", "time()")]).await["data"]["result"][0].clone();
    let now = now.as_f64().unwrap();
    let stamp = |seconds: f64| {
        let at = time::OffsetDateTime::from_unix_timestamp(seconds as i64).unwrap();
        at.format(&time::format_description::well_known::Rfc3339).unwrap()
    };
    let (start, end) = (stamp(now - 20.0), stamp(now - 1.0));
    for query in [
        "up",
        "prometheus_tsdb_head_samples_appended_total",
        "rate(prometheus_tsdb_head_samples_appended_total[1m])",
        "{__name__=~\"go_gc_.*|process_.*\"}",
        "sum by (job) (scrape_samples_scraped) / 0",
        "up == 2",
    ] {
        let found = rows(&engine, "prometheus_query", json!({"query": query, "time": end})).await;
        let expected = prometheus.api("api/v1/query", &[("query", query), ("time", &end)]).await;
        assert_eq!(told(&found), of_api(&expected), "{query}");
        assert_eq!(found.is_empty(), query == "up == 2", "{query}");
        let with = json!({"query": query, "start": start, "end": end, "step": "2s"});
        let found = rows(&engine, "prometheus_query_range", with).await;
        let asked = [("query", query), ("start", &start), ("end", &end), ("step", "2s")];
        let expected = of_api(&prometheus.api("api/v1/query_range", &asked).await);
        // The structured part of a long answer is shortened; what it holds is right.
        let found = told(&found);
        assert!(found.is_subset(&expected), "{query}");
        assert!(found.len() == expected.len() || expected.len() > 50, "{query}: {} of {}", found.len(), expected.len());
    }
    let scalar = rows(&engine, "prometheus_query", json!({"query": "scalar(vector(2)) ^ 0.5"})).await;
    assert_eq!(scalar[0]["value"], prometheus.api("api/v1/query", &[("query", "2 ^ 0.5")]).await["data"]["result"][1]);

    let set = |values: &Value| -> BTreeSet<String> {
        values.as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_owned()).collect()
    };
    let column = |rows: Vec<Value>, name: &str| -> BTreeSet<String> {
        rows.iter().map(|row| row[name].as_str().unwrap().to_owned()).collect()
    };
    let found = column(rows(&engine, "prometheus_labels", json!({"matchers": ["up"]})).await, "label");
    assert_eq!(found, set(&prometheus.api("api/v1/labels", &[("match[]", "up")]).await["data"]));
    assert!(found.contains("place"), "{found:?}");
    let found = column(rows(&engine, "prometheus_label_values", json!({"label": "place"})).await, "value");
    assert_eq!(found, set(&prometheus.api("api/v1/label/place/values", &[]).await["data"]));
    assert_eq!(found, ["ä \"quoted\" & more".to_owned()].into());
    let matcher = "up{place=\"ä \\\"quoted\\\" & more\"}";
    let found = rows(&engine, "prometheus_series", json!({"matchers": [matcher]})).await;
    let expected = prometheus.api("api/v1/series", &[("match[]", matcher)]).await;
    let expected: Vec<_> = expected["data"].as_array().unwrap().iter().map(labels).collect();
    assert_eq!(found.iter().map(|row| labels(&row["labels"])).collect::<Vec<_>>(), expected);
    assert_eq!(expected.len(), 1);
    let found = rows(&engine, "prometheus_metadata", json!({"metric": "go_goroutines"})).await;
    let expected = prometheus.api("api/v1/metadata", &[("metric", "go_goroutines")]).await;
    let expected = &expected["data"]["go_goroutines"][0];
    assert_eq!((&found[0]["type"], &found[0]["help"]), (&expected["type"], &expected["help"]));
    // Its own words about what it does not understand.
    let refused = call(&engine, "prometheus_query", json!({"query": "sum(up"})).await.unwrap_err();
    assert!(refused.contains("parse error"), "{refused}");
    let refused =
        call(&engine, "prometheus_query_range", json!({"query": "up", "start": end, "end": start, "step": "1s"})).await;
    assert!(refused.as_ref().is_err_and(|refused| refused.contains("end")), "{refused:?}");
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn tools_tell_the_alerts_and_silences_of_an_alertmanager() {
    let alertmanager = Running::start(
        "prometheus-alertmanager",
        |_| "route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n".to_owned(),
        |folder| vec![format!("--storage.path={}", folder.display()), "--cluster.listen-address=".to_owned()],
    )
    .await;
    let engine = alertmanager.engine("alertmanager");
    let alert = |name: &str, severity: &str| {
        let labels = json!({"alertname": name, "severity": severity, "place": "ä & \"b\""});
        json!({"labels": labels, "annotations": {"summary": format!("{name} happens")}})
    };
    let post = async |path: &str, body: Value| {
        let answer = http_client().post(format!("{}{path}", alertmanager.url)).json(&body).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{status} {text}");
        text
    };
    post("api/v2/alerts", json!([alert("DiskFull", "critical"), alert("Slow", "warning"), alert("Quiet", "warning")]))
        .await;
    let now = time::OffsetDateTime::now_utc();
    let stamp = |at: time::OffsetDateTime| at.format(&time::format_description::well_known::Rfc3339).unwrap();
    let silence = json!({
        "matchers": [{"name": "alertname", "value": "Quiet", "isRegex": false, "isEqual": true}],
        "startsAt": stamp(now), "endsAt": stamp(now + time::Duration::hours(1)),
        "createdBy": "ops", "comment": "planned & known",
    });
    post("api/v2/silences", silence).await;
    let states = async || {
        let all = alertmanager.api("api/v2/alerts", &[]).await;
        let all = all.as_array().unwrap().clone();
        all.iter().map(|alert| alert["status"]["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    eventually("the silence holds", async || {
        let mut states = states().await;
        states.sort();
        states == ["active", "active", "suppressed"]
    })
    .await;
    let fingerprints = |alerts: &[Value], name: &str| -> BTreeSet<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let state = |alert: &Value| text(alert.pointer(name).unwrap());
        alerts.iter().map(|alert| (text(&alert["fingerprint"]), state(alert))).collect()
    };
    for (arguments, query) in [
        (json!({}), vec![("silenced", "false")]),
        (json!({"silenced": true}), vec![("silenced", "true")]),
        (
            json!({"filters": ["severity=\"critical\""]}),
            vec![("silenced", "false"), ("filter", "severity=\"critical\"")],
        ),
        (json!({"filters": ["place=~\"ä & .*\""]}), vec![("silenced", "false"), ("filter", "place=~\"ä & .*\"")]),
    ] {
        let found = rows(&engine, "alertmanager_alerts", arguments.clone()).await;
        let expected = alertmanager.api("api/v2/alerts", &query).await;
        let expected = expected.as_array().unwrap();
        assert_eq!(fingerprints(&found, "/state"), fingerprints(expected, "/status/state"), "{arguments}");
        assert!(!found.is_empty(), "{arguments}");
        for row in &found {
            let same = expected.iter().find(|alert| alert["fingerprint"] == row["fingerprint"]).unwrap();
            assert_eq!(labels(&row["labels"]), labels(&same["labels"]));
            assert_eq!(millis(&row["starts_at"]), millis(&same["startsAt"]));
        }
    }
    let found = rows(&engine, "alertmanager_silences", json!({})).await;
    let expected = alertmanager.api("api/v2/silences", &[]).await;
    assert_eq!(found.len(), 1);
    for (ours, theirs) in
        [("id", "/id"), ("state", "/status/state"), ("created_by", "/createdBy"), ("comment", "/comment")]
    {
        assert_eq!(&found[0][ours], expected[0].pointer(theirs).unwrap(), "{ours}");
    }
}
