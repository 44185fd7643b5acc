//! The packs of services that many people run, against answers of the shapes that their documentation shows.

use std::path::Path;

use serde_json::{Value, json};
use tfo_mcp::{host::http::system, settings::Outgoing};

use super::{Server, call, engine_of};
use crate::support::pack::alone;

/// An engine with a pack whose service is a server that answers paths with these texts.
async fn pack(name: &str, answers: &'static [(&'static str, &'static str)]) -> (Server, tfo_mcp::engine::Engine) {
    let server = Server::new(move |seen| {
        let path = seen.target.split('?').next().unwrap();
        match answers.iter().find(|(known, _)| *known == path) {
            Some((_, text)) if text.contains("\"status\":\"error\"") => {
                super::status(400, &[("content-type", "application/json")], *text)
            }
            Some((_, text)) => super::json(*text),
            None => super::status(404, &[], "page not found"),
        }
    })
    .await;
    let settings: Outgoing = serde_json::from_value(
        json!({ "services": { name: { "url": server.url(), "allow_private": ["127.0.0.1"] } } }),
    )
    .unwrap();
    let catalog = alone(Path::new(env!("CARGO_MANIFEST_DIR")).join("packs").join(name));
    let engine = engine_of(catalog, &settings, &system());
    (server, engine)
}

/// Each call shows these texts.
async fn shows(engine: &tfo_mcp::engine::Engine, calls: &[(&str, Value, &[&str])]) {
    for (tool, arguments, texts) in calls {
        let shown = call(engine, tool, arguments.clone()).await.unwrap_or_else(|error| error);
        for text in *texts {
            assert!(shown.contains(text), "{tool} {arguments}: {text} in\n{shown}");
        }
    }
}

#[tokio::test]
async fn prometheus_keeps_values_as_they_were_sent() {
    let (server, engine) = pack(
        "prometheus",
        &[
            (
                "/api/v1/query",
                r#"{"status":"success","data":{"resultType":"vector","result":[
                {"metric":{"__name__":"up","job":"a"},"value":[1435781451.781,"0.1000000000000000055"]},
                {"metric":{"__name__":"up","job":"b"},"value":[1435781451.781,"NaN"]},
                {"metric":{"__name__":"up","job":"c"},"value":[1435781451.781,"+Inf"]}]},
                "warnings":["a remote store did not answer"]}"#,
            ),
            (
                "/api/v1/query_range",
                r#"{"status":"success","data":{"resultType":"matrix","result":[
                {"metric":{"job":"a"},"values":[[1435781430.781,"1"],[1435781445.781,"2"]]},
                {"metric":{"job":"b"},"values":[[1435781430.781,"3"]]}]}}"#,
            ),
            ("/api/v1/labels", r#"{"status":"success","data":["__name__","job"]}"#),
            ("/api/v1/label/job/values", r#"{"status":"success","data":["node","prometheus"]}"#),
            ("/api/v1/series", r#"{"status":"success","data":[{"__name__":"up","job":"node"}]}"#),
            (
                "/api/v1/metadata",
                r#"{"status":"success","data":{"go_goroutines":[{"type":"gauge","help":"Number of goroutines.","unit":""}]}}"#,
            ),
        ],
    )
    .await;
    shows(
        &engine,
        &[
            (
                "prometheus_query",
                json!({ "query": "up", "time": "2015-07-01T20:10:51Z" }),
                &[
                    "0.1000000000000000055",
                    "NaN",
                    "+Inf",
                    "2015-07-01T20:10:51.781Z",
                    "a remote store did not answer",
                    "job",
                ],
            ),
            (
                "prometheus_query_range",
                json!({ "query": "up", "start": "2015-07-01T20:10:30Z", "end": "2015-07-01T20:11:00Z", "step": "15s" }),
                &["3 rows", "2015-07-01T20:10:45.781Z"],
            ),
            ("prometheus_labels", json!({}), &["__name__", "job"]),
            ("prometheus_label_values", json!({ "label": "job" }), &["node", "prometheus"]),
            ("prometheus_label_values", json!({ "label": "job/../x" }), &["answered 404 Not Found: page not found"]),
            ("prometheus_series", json!({ "matchers": ["up{job=\"node\"}", "x&y"] }), &["node"]),
            ("prometheus_metadata", json!({}), &["go_goroutines", "gauge", "Number of goroutines."]),
        ],
    )
    .await;
    let targets: Vec<String> = server.seen().into_iter().map(|seen| seen.target).collect();
    assert!(targets[0].starts_with("/api/v1/query?query=up&time=2015-07-01T20%3A10%3A51"), "{targets:?}");
    assert!(targets.contains(&"/api/v1/labels".to_owned()), "{targets:?}");
    assert!(
        targets.contains(&"/api/v1/series?match%5B%5D=up%7Bjob%3D%22node%22%7D&match%5B%5D=x%26y".to_owned()),
        "{targets:?}"
    );
}

/// Its documentation: with `status: error` data may be there, of what could be read. A proxy answers such with 200.
#[tokio::test]
async fn prometheus_that_failed_with_data_has_failed() {
    let (_server, engine) = pack(
        "prometheus",
        &[
            (
                "/api/v1/query",
                r#"{"status": "error","errorType":"execution","error":"partial boom","data":{"resultType":"vector","result":[]}}"#,
            ),
            (
                "/api/v1/query_range",
                r#"{"status":"success","isPartial":true,"data":{"resultType":"matrix","result":[
                {"metric":{"job":"a"},"values":[[1435781430.781,"1"]]}]}}"#,
            ),
            ("/api/v1/labels", r#"{"status":"success","data":{"error":"boom"}}"#),
            ("/api/v1/series", r#"{"status":"success","data":[{"job":"a"},null,"x"]}"#),
            ("/api/v1/metadata", r#"{"status": "error","error":"too many","data":{}}"#),
        ],
    )
    .await;
    let failed = call(&engine, "prometheus_query", json!({ "query": "up" })).await.unwrap_err();
    assert!(failed.contains("`prometheus` says that it failed: execution: partial boom"), "{failed}");
    let range = json!({ "query": "up", "start": "2015-07-01T20:10:30Z", "end": "2015-07-01T20:11:00Z", "step": "15s" });
    shows(
        &engine,
        &[
            ("prometheus_query_range", range, &["1 row", "`prometheus` says: isPartial"]),
            ("prometheus_labels", json!({}), &["there is no list", "boom"]),
            ("prometheus_series", json!({ "matchers": ["up"] }), &["3 rows", "2 rows have nothing of what"]),
            ("prometheus_metadata", json!({}), &["says that it failed: too many"]),
        ],
    )
    .await;
}

/// A window with native histograms told "no rows … there is no `values`", or left them out without a word.
#[tokio::test]
async fn prometheus_tells_of_histograms_that_have_no_row() {
    let range = json!({ "query": "up", "start": "2015-07-01T20:10:30Z", "end": "2015-07-01T20:11:00Z", "step": "15s" });
    let (values, histograms) =
        (r#""values":[[1435781430.781,"1"]]"#, r#""histograms":[[1435781430.781,{"count":"3"}]]"#);
    let told = "native histograms, which have no row here";
    for (series, wanted) in [
        (vec![histograms.to_owned()], vec!["there is no `values`", told]),
        (vec![values.to_owned(), histograms.to_owned()], vec!["1 row", "1 element has no rows", told]),
        (vec![format!("{values},{histograms}")], vec!["1 row", told]),
    ] {
        let series: Vec<String> = series.iter().map(|one| format!(r#"{{"metric":{{"job":"a"}},{one}}}"#)).collect();
        let result = series.join(",");
        let answer = format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{result}]}}}}"#);
        let answers: &'static [(&str, &str)] = vec![("/api/v1/query_range", &*answer.leak())].leak();
        let (_server, engine) = pack("prometheus", answers).await;
        shows(&engine, &[("prometheus_query_range", range.clone(), &wanted)]).await;
    }
}

/// `status` is what tells, whatever stands beside it; a histogram of one moment has its own time.
#[tokio::test]
async fn prometheus_that_tells_no_error_but_its_status_has_failed() {
    for (answer, told) in [
        (
            r#"{"status": "error","data":{"resultType":"vector","result":[]}}"#,
            "says that it failed: `/status` is \"error\"",
        ),
        (r#"{"status": "error","error":"","data":[]}"#, "says that it failed: `/status` is \"error\""),
        (r#"{"status": "error","error":"boom","data":[]}"#, "says that it failed: boom"),
        (r#"{"status":"success","errors":["boom"],"data":[]}"#, "says that it failed: boom"),
        (r#"{"status":null,"data":[]}"#, "says that it failed: `/status` is null"),
        (r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#, "no rows"),
        (
            r#"{"status":"success","data":{"resultType":"vector","result":[
            {"metric":{"a":"b"},"histogram":[1435781451.781,{"count":"3","sum":"4","buckets":[]}]}]}}"#,
            "2015-07-01T20:10:51.781Z",
        ),
    ] {
        let (_server, engine) = pack("prometheus", vec![("/api/v1/query", answer)].leak()).await;
        shows(&engine, &[("prometheus_query", json!({ "query": "up" }), &[told])]).await;
    }
}

#[tokio::test]
async fn prometheus_answers_scalars_and_texts_and_its_own_errors() {
    let (_server, engine) = pack(
        "prometheus",
        &[("/api/v1/query", r#"{"status":"success","data":{"resultType":"scalar","result":[1435781451.781,"-Inf"]}}"#)],
    )
    .await;
    shows(&engine, &[("prometheus_query", json!({ "query": "-1/0" }), &["1 row", "-Inf"])]).await;
    let (_server, engine) = pack(
        "prometheus",
        &[("/api/v1/query", r#"{"status":"success","data":{"resultType":"string","result":[1435781451.781,"so"]}}"#)],
    )
    .await;
    shows(&engine, &[("prometheus_query", json!({ "query": "\"so\"" }), &["so", "1 row"])]).await;
    let (_server, engine) = pack(
        "prometheus",
        &[("/api/v1/query", r#"{"status":"error","errorType":"bad_data","error":"1:5: parse error: unexpected end"}"#)],
    )
    .await;
    shows(
        &engine,
        &[("prometheus_query", json!({ "query": "sum(" }), &["invalid_arguments", "parse error: unexpected end"])],
    )
    .await;
}

#[tokio::test]
async fn alertmanager_tells_alerts_and_silences() {
    let (server, engine) = pack(
        "alertmanager",
        &[
            (
                "/api/v2/alerts",
                r#"[{"annotations":{"summary":"Disk is full"},"endsAt":"2026-11-20T10:10:00.000Z","fingerprint":"02aeb7c2e52e9d35",
                "receivers":[{"name":"web"}],"startsAt":"2026-11-20T10:00:00.000Z","status":{"inhibitedBy":[],"silencedBy":[],
                "state":"active"},"updatedAt":"2026-11-20T10:06:00.000Z","generatorURL":"","labels":{"alertname":"DiskFull"}}]"#,
            ),
            (
                "/api/v2/silences",
                r#"[{"id":"d1a0f0b6","status":{"state":"expired"},"comment":"planned","createdBy":"ops",
                "endsAt":"2026-11-20T11:00:00.000Z","startsAt":"2026-11-20T10:00:00.000Z","updatedAt":"2026-11-20T10:00:00.000Z",
                "matchers":[{"isEqual":true,"isRegex":false,"name":"alertname","value":"DiskFull"}]}]"#,
            ),
        ],
    )
    .await;
    shows(
        &engine,
        &[
            (
                "alertmanager_alerts",
                json!({ "filters": ["severity=\"critical\""] }),
                &["DiskFull", "active", "Disk is full"],
            ),
            ("alertmanager_silences", json!({}), &["planned", "expired", "ops"]),
        ],
    )
    .await;
    assert_eq!(
        server.seen()[0].target,
        "/api/v2/alerts?active=true&silenced=false&inhibited=false&filter=severity%3D%22critical%22"
    );
}

#[tokio::test]
async fn a_status_page_tells_components_and_open_incidents() {
    let (_server, engine) = pack(
        "statuspage",
        &[
            (
                "/api/v2/summary.json",
                r#"{"page":{"id":"x","name":"Example"},"status":{"description":"Partial System Outage","indicator":"major"},
                "components":[{"id":"b","name":"API","status":"partial_outage","updated_at":"2026-11-20T10:00:00.000Z",
                "description":null}],"incidents":[],"scheduled_maintenances":[]}"#,
            ),
            (
                "/api/v2/incidents/unresolved.json",
                r#"{"page":{"id":"x"},"incidents":[{"name":"API is slow","status":"investigating","impact":"major",
                "started_at":"2026-11-20T09:58:00.000Z","updated_at":"2026-11-20T10:00:00.000Z","shortlink":"https://stspg.example/x",
                "incident_updates":[{"body":"We look into it."},{"body":"Seen."}]}]}"#,
            ),
        ],
    )
    .await;
    shows(
        &engine,
        &[
            (
                "status_page_components",
                json!({}),
                &["API", "partial_outage", "`statuspage` says: Partial System Outage"],
            ),
            ("status_page_incidents", json!({}), &["API is slow", "We look into it.", "investigating"]),
        ],
    )
    .await;
}

/// Every tool names the argument that is wrong, and no argument ends the server.
#[tokio::test]
async fn wrong_arguments_are_named_and_strange_ones_survived() {
    let strange: [Value; 12] = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e308),
        json!("\u{0}"),
        json!("{{ 7 * 7 }}"),
        json!("../../.."),
        json!("\u{202e}\u{feff}"),
        json!([1, "a", null]),
        json!({ "a": { "b": [] } }),
        json!("x".repeat(100_000)),
        json!(["y".repeat(10_000)]),
    ];
    for name in ["prometheus", "alertmanager", "statuspage"] {
        let (_server, engine) = pack(name, &[]).await;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("packs").join(name).join("definitions/tools");
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let tool = text.lines().find_map(|line| line.strip_prefix("name: ")).unwrap();
            let refused = call(&engine, tool, json!({ "no_such": 1 })).await.unwrap_err();
            assert!(refused.contains("no_such") || refused.contains("is required"), "{tool}: {refused}");
            let parameters: Vec<&str> = text
                .lines()
                .skip_while(|line| *line != "parameters:")
                .skip(1)
                .take_while(|line| line.starts_with(' '))
                .filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':').filter(|name| !name.starts_with(' ')))
                .collect();
            for parameter in &parameters {
                let object = json!({ *parameter: { "a": 1 } });
                let refused = call(&engine, tool, object).await.unwrap_err();
                assert!(refused.starts_with("invalid_arguments") && refused.contains(*parameter), "{tool}: {refused}");
                for value in &strange {
                    let arguments = parameters.iter().map(|name| (name.to_string(), value.clone()));
                    // An error, or an answer: nothing panics.
                    let _ = call(&engine, tool, Value::Object(arguments.collect())).await;
                    let _ = call(&engine, tool, json!({ *parameter: value })).await;
                }
            }
        }
    }
}

/// What has nothing of what the definition names is no row of blanks.
#[tokio::test]
async fn what_a_service_says_instead_of_rows_is_an_error() {
    let answers: &[_] =
        &[("/api/v2/alerts", r#"{"status":"failure","error":"boom"}"#), ("/api/v2/silences", r#"[1,"x",null,[1]]"#)];
    let (_server, engine) = pack("alertmanager", answers).await;
    let said = call(&engine, "alertmanager_alerts", json!({})).await.unwrap_err();
    assert!(said.contains("has none of the columns of the definition") && said.contains("boom"), "{said}");
    assert!(call(&engine, "alertmanager_silences", json!({})).await.is_err());
    let answers: &[_] = &[
        ("/api/v1/query", r#"{"status":"failure","error":"boom"}"#),
        ("/api/v1/series", r#"{"status":"success","data":[{"__name__":"up"}],"data":[]}"#),
    ];
    let (_server, engine) = pack("prometheus", answers).await;
    let said = call(&engine, "prometheus_query", json!({ "query": "up" })).await.unwrap_err();
    assert!(said.contains("`prometheus` says that it failed: boom"), "{said}");
    let said = call(&engine, "prometheus_series", json!({ "matchers": ["up"] })).await.unwrap_or_else(|error| error);
    assert!(said.contains("wrote the member `data` more than once"), "{said}");
    // One that is foreign among others is told.
    let answers: &[_] = &[("/api/v2/silences", r#"[{"id":"1","status":{"state":"active"}},{"error":"boom"}]"#)];
    let (_server, engine) = pack("alertmanager", answers).await;
    let said = call(&engine, "alertmanager_silences", json!({})).await.unwrap();
    assert!(
        said.contains("2 rows") && said.contains("1 row have nothing") || said.contains("1 row has nothing"),
        "{said}"
    );
}
