//! Every way in which a caller could name another organisation: refused, or without effect.

use serde_json::{Value, json};
use tfo_mcp::demo::canary;

use super::tenants::Site;
use crate::support::{
    client::modern,
    http::{http_client, messages},
};

/// What becomes of an attempt.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    /// The caller is told that this cannot be done.
    Refused,
    /// It has no effect: the caller sees its own rows.
    Own,
    /// It is answered, without rows of anybody else.
    Nothing,
}

struct Caller<'a> {
    site: &'a Site,
    key: &'a str,
}

impl Caller<'_> {
    async fn send(&self, method: &str, params: Value, more: &[(&str, &str)], query: &str) -> (u16, Value) {
        let name = params.get("name").or_else(|| params.get("uri")).and_then(Value::as_str).map(str::to_owned);
        let meta = params.get("_meta").cloned();
        let mut params = modern(params);
        if let (Some(own), Some(meta)) = (params["_meta"].as_object_mut(), meta) {
            own.extend(meta.as_object().unwrap().clone());
        }
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let mut request = http_client()
            .post(format!("{}{query}", self.site.server.url()))
            .bearer_auth(self.key)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", method);
        for (header, value) in name.iter().map(|name| ("mcp-name", name.as_str())).chain(more.iter().copied()) {
            request = request.header(header, value);
        }
        let answer = request.body(body.to_string()).send().await.unwrap();
        let (status, ty) = (answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap().to_owned());
        (status, messages(&ty, &answer.text().await.unwrap()).pop().unwrap())
    }

    /// Sees that an attempt had this fate.
    fn tries(&self, what: &str, fate: Fate, answer: (u16, Value)) {
        let seen = self.clean(what, &answer.1);
        assert_eq!(seen, fate, "{what}: {}", answer.1);
    }

    /// Sees that no foreign row came of an attempt, whatever its fate.
    fn clean(&self, what: &str, answer: &Value) -> Fate {
        // The id itself is what the caller said; an answer may repeat it.
        let text = answer.to_string().replace(&self.site.organizations[0], "");
        for word in &self.site.foreign[1] {
            assert!(!text.contains(word.as_str()), "{what} shows {word}: {answer}");
        }
        let refused = answer["error"].is_object() || answer["result"]["isError"] == true;
        let own = text.contains(&format!("{}1", canary::FOREIGN));
        match (refused, own) {
            (true, _) => Fate::Refused,
            (false, true) => Fate::Own,
            (false, false) => Fate::Nothing,
        }
    }
}

impl Site {
    /// Rows that the second organisation has.
    fn logs(&self, more: Value) -> Value {
        let mut arguments = json!({
            "context_type": "logs", "from": self.from, "to": self.to, "max_items": 500, "format": "json",
            "max_chars": 100_000,
        });
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"name": "collect_telemetry_context", "arguments": arguments})
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_caller_cannot_name_another_organisation() {
    let site = Site::start(json!({})).await;
    let caller = Caller { site: &site, key: &site.keys[1] };
    let foreign = site.organizations[0].as_str();
    let call = async |what: &str, fate: Fate, params: Value| {
        let answer = caller.send("tools/call", params, &[], "").await;
        caller.tries(what, fate, answer);
    };
    call("nothing at all", Fate::Own, site.logs(json!({}))).await;

    // Arguments.
    for (what, value) in [
        ("an organisation", json!(foreign)),
        ("in upper case", json!(foreign.to_uppercase())),
        ("with blanks", json!(format!(" {foreign} "))),
        ("a list", json!([foreign])),
        ("text with SQL", json!(format!("{foreign}' OR '1'='1"))),
        ("an object", json!({"id": foreign})),
    ] {
        for name in ["organization_id", "organization", "tenant_id", "claims"] {
            call(&format!("{what} as `{name}`"), Fate::Refused, site.logs(json!({name: value}))).await;
        }
    }
    let insight = json!({"context_type": "logs", "insight_type": "root-cause", "organization_id": foreign});
    call("an insight", Fate::Refused, json!({"name": "build_insight_prompt", "arguments": insight})).await;
    for name in ["ch_query", "pg_query"] {
        let arguments = json!({"sql": "SELECT 1", "organization_id": foreign});
        call(name, Fate::Refused, json!({"name": name, "arguments": arguments})).await;
    }
    let value = format!("x' OR organization_id = '{foreign}");
    call("a filter", Fate::Nothing, site.logs(json!({"service": value}))).await;
    for filter in ["organization_id", "tenant_id", "workspace_id"] {
        call(filter, Fate::Refused, site.logs(json!({"filters": {filter: foreign}}))).await;
    }
    for (name, filter) in [("logs", "contains"), ("traces", "operation"), ("traces", "trace_id")] {
        let mut params = site.logs(json!({"filters": {filter: value}}));
        params["arguments"]["context_type"] = name.into();
        let answer = caller.send("tools/call", params, &[], "").await;
        caller.clean(&format!("the filter {filter} of {name}"), &answer.1);
    }
    // A trace that the other organisation sees.
    let mut traces = site.logs(json!({}));
    traces["arguments"]["context_type"] = "traces".into();
    let first = Caller { site: &site, key: &site.keys[0] };
    let theirs = first.send("tools/call", traces.clone(), &[], "").await.1["result"].to_string();
    let hex = |word: &&str| word.len() == 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let trace =
        theirs.split(|c: char| !c.is_ascii_alphanumeric()).find(hex).expect("a trace of the first organisation");
    traces["arguments"]["filters"] = json!({"trace_id": trace});
    for (caller, status) in [(&first, "ok"), (&caller, "empty")] {
        let (_, answer) = caller.send("tools/call", traces.clone(), &[], "").await;
        let text = answer["result"]["content"][0]["text"].as_str().unwrap();
        let inside = text.strip_prefix("```json\n").and_then(|text| text.strip_suffix("\n```")).unwrap();
        let document: Value = serde_json::from_str(inside).unwrap();
        assert_eq!(document["sections"]["spans"]["status"], status, "{text}");
        if status == "empty" {
            caller.clean("a trace of others", &answer);
        }
    }

    // Statements of callers.
    let own = format!(
        "SELECT * FROM logs WHERE organization_id = '{}' AND body LIKE '%{}%'",
        site.organizations[1],
        canary::FOREIGN
    );
    call(
        "the own organisation in SQL",
        Fate::Own,
        json!({"name": "ch_query", "arguments": {"sql": own, "max_rows": 200}}),
    )
    .await;
    for (name, table) in [("ch_query", "logs"), ("pg_query", "users")] {
        for sql in [
            format!("SELECT * FROM {table} WHERE organization_id = '{foreign}'"),
            format!("WITH o AS (SELECT * FROM {table}) SELECT * FROM o WHERE organization_id = '{foreign}'"),
            format!("SELECT * FROM {table} WHERE organization_id IN (SELECT '{foreign}')"),
        ] {
            let answer = caller.send("tools/call", json!({"name": name, "arguments": {"sql": sql}}), &[], "").await;
            assert_ne!(caller.clean(&sql, &answer.1), Fate::Own, "{sql}");
        }
    }

    let users = json!({"sql": "SELECT * FROM users", "max_rows": 200});
    call("the own users", Fate::Own, json!({"name": "pg_query", "arguments": users})).await;
    for sql in [
        format!("SELECT body FROM logs UNION ALL SELECT body FROM logs WHERE organization_id = '{foreign}'"),
        format!(
            "SELECT body FROM logs SETTINGS additional_table_filters = {{'logs': 'organization_id = ''{foreign}'''}}"
        ),
        format!("SET SQL_tfo_organization_id = '{foreign}'"),
    ] {
        let answer = caller.send("tools/call", json!({"name": "ch_query", "arguments": {"sql": sql}}), &[], "").await;
        caller.clean(&sql, &answer.1);
    }

    // Prompts, resources, completion.
    let arguments = json!({"context_type": "audit", "time_range": "1h"});
    let answer = caller.send("prompts/get", json!({"name": "root_cause", "arguments": arguments}), &[], "").await;
    caller.tries("the own prompt", Fate::Own, answer);
    let answer =
        caller.send("resources/read", json!({"uri": "telemetry://context/audit?time_range=1h"}), &[], "").await;
    caller.tries("the own resource", Fate::Own, answer);
    let arguments = json!({"context_type": "logs", "organization_id": foreign});
    let answer = caller.send("prompts/get", json!({"name": "root_cause", "arguments": arguments}), &[], "").await;
    caller.tries("an argument of a prompt", Fate::Refused, answer);
    for uri in [
        format!("telemetry://context/logs?organization_id={foreign}"),
        format!("telemetry://context/logs%3Forganization_id={foreign}"),
        format!("telemetry://context/logs?time_range=1h&organization_id={foreign}"),
        format!("telemetry://{foreign}/context/logs"),
        format!("telemetry://{foreign}@context/logs"),
        format!("telemetry://context/{foreign}/logs"),
        format!("telemetry://context/logs#{foreign}"),
        format!("telemetry://context/logs%253Forganization_id={foreign}"),
    ] {
        let answer = caller.send("resources/read", json!({"uri": uri}), &[], "").await;
        caller.tries(&uri, Fate::Refused, answer);
    }
    // The services are the caller's own; organisations are not completed.
    let arguments = [("service", Fate::Own), ("organization_id", Fate::Nothing), ("context_type", Fate::Nothing)];
    for (argument, fate) in arguments {
        let uri = "telemetry://context/{context_type}{?time_range,start,end,service_name,operation,host,metric_name,namespace}";
        let params = json!({
            "ref": {"type": "ref/resource", "uri": uri}, "argument": {"name": argument, "value": ""},
        });
        let answer = caller.send("completion/complete", params, &[], "").await;
        caller.tries(&format!("completion of {argument}"), fate, answer);
    }

    // What stands around a request.
    for header in ["x-organization-id", "x-org-id", "x-tenant-id", "x-scope-orgid", "x-user-id", "forwarded", "cookie"]
    {
        let answer = caller.send("tools/call", site.logs(json!({})), &[(header, foreign)], "").await;
        caller.tries(header, Fate::Own, answer);
    }
    let query = format!("?organization_id={foreign}&api_key={}", site.keys[0]);
    let answer = caller.send("tools/call", site.logs(json!({})), &[], &query).await;
    caller.tries("the query of the URL", Fate::Own, answer);
    for meta in [
        json!({"organization_id": foreign}),
        json!({"io.modelcontextprotocol/organization": foreign, "claims": {"organization_id": foreign}}),
        json!({"io.modelcontextprotocol/clientInfo": {"name": foreign, "version": "1", "organization_id": foreign}}),
    ] {
        let mut params = site.logs(json!({}));
        params["_meta"] = meta.clone();
        let answer = caller.send("tools/call", params, &[], "").await;
        caller.tries(&meta.to_string(), Fate::Own, answer);
    }
    let two = [("x-api-key", site.keys[0].as_str())];
    let answer = caller.send("tools/call", site.logs(json!({})), &two, "").await;
    assert_eq!(answer.0, 401);
    caller.tries("two credentials", Fate::Refused, answer);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_caller_of_several_organisations_chooses_among_its_own() {
    let site = Site::start(json!({"allow_argument": true})).await;
    let ask = async |key: &str, organization: Value| {
        let caller = Caller { site: &site, key };
        caller.send("tools/call", site.logs(json!({"organization_id": organization})), &[], "").await.1
    };
    let both = &site.keys[2];
    let text = |answer: &Value| answer["result"].to_string();
    let second = ask(both, json!(site.organizations[1])).await;
    assert!(text(&second).contains(&format!("{}1", canary::FOREIGN)), "{second}");
    let first = ask(both, json!(site.organizations[0])).await;
    assert_eq!(first["result"]["isError"], false, "{first}");
    assert!(!text(&first).contains(&format!("{}1", canary::FOREIGN)), "{first}");
    let ids = |word: &&String| !site.organizations.contains(*word);
    assert!(site.foreign[1].iter().filter(ids).any(|word| text(&first).contains(word.as_str())), "{first}");
    // The third exists; the other one does not. Nobody learns which is which.
    let refusal = |answer: Value, id: &str| {
        assert!(answer["error"].is_object() || answer["result"]["isError"] == true, "{answer}");
        answer.to_string().replace(id, "ID")
    };
    let (third, nobody) = (site.organizations[2].as_str(), "00000000-0000-4000-8000-000000000000");
    for key in [both, &site.keys[1]] {
        let existing = refusal(ask(key, json!(third)).await, third);
        assert_eq!(existing, refusal(ask(key, json!(nobody)).await, nobody));
    }
    for odd in [
        json!([site.organizations[0]]),
        json!("' OR 1=1 --"),
        json!(7),
        json!(format!("{{{}}}", site.organizations[0])),
    ] {
        refusal(ask(&site.keys[1], odd).await, "none");
    }
    // Nothing is no name.
    let own = text(&ask(&site.keys[1], json!("")).await);
    assert!(own.contains(&site.organizations[1]) && !own.contains(&site.organizations[0]), "{own}");
}
