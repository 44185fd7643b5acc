//! A host on which what runs there is slow is the suspect, and neither the services on it nor a host of which only one
//! service is slow.

use serde_json::json;

use crate::{
    answers::collect,
    own_rows::{NOON, OWN, over, rows},
};

const HOUR: i64 = 3600;
/// Something is slow from half an hour before the end on.
const LAST: i64 = HOUR / 2;

/// Requests to a service on a host, one every ten seconds from `from` to `to` before noon, of about so many milliseconds.
fn requests(service: &str, host: &str, from: i64, to: i64, ms: i64) -> String {
    format!(
        "INSERT INTO traces (timestamp, trace_id, span_id, span_name, span_kind, service_name, status_code, duration_ns, \
         organization_id, resource_attributes) \
         SELECT fromUnixTimestamp64Milli(({NOON} - {from} + 10 * number) * 1000), concat('{service}{host}{from}', toString(number)), \
         toString(number), 'GET /', 'SERVER', '{service}', 'OK', toUInt64({ms} * 1e6 * (1 + number % 7 / 10)), '{OWN}', \
         map('host.name', '{host}') FROM numbers({})",
        (from - to) / 10
    )
}

/// Log lines of `cart`, so many from `from` seconds before noon on, one each `every` seconds.
fn lines(severity: &str, text: &str, from: i64, every: i64, number: i64) -> String {
    format!(
        "INSERT INTO logs (timestamp, service_name, severity_text, severity_number, body, organization_id) SELECT \
         fromUnixTimestamp64Milli(({NOON} - {from} + {every} * number) * 1000), 'cart', {severity}, '{text}', '{OWN}' \
         FROM numbers({number})"
    )
}

/// Three services on two hosts: `slow` says how long requests take on which in the end.
fn shops(slow: impl Fn(&str, &str) -> i64) -> Vec<String> {
    let places = ["cart", "stock", "users"].into_iter().flat_map(|service| ["one", "two"].map(|host| (service, host)));
    places
        .flat_map(|(service, host)| {
            [requests(service, host, 3 * HOUR, LAST, 20), requests(service, host, LAST, 0, slow(service, host))]
        })
        .collect()
}

#[tokio::test]
async fn a_host_is_the_suspect_where_several_services_are_slow_on_it_alone() {
    let alone = |service: &str, host: &str| {
        vec![requests(service, host, 3 * HOUR, LAST, 20), requests(service, host, LAST, 0, 100)]
    };
    let node = |rows: Vec<String>| rows.into_iter().map(|row| row.replace("host.name", "k8s.node.name")).collect();
    let always = ["cart", "stock", "users"]
        .into_iter()
        .flat_map(|service| [requests(service, "one", 3 * HOUR, 0, 20), requests(service, "two", 3 * HOUR, 0, 100)]);
    let heals = ["cart", "stock", "users"].into_iter().flat_map(|service| {
        [
            requests(service, "one", 3 * HOUR, LAST, 100),
            requests(service, "one", LAST, 0, 20),
            requests(service, "two", 3 * HOUR, 0, 20),
        ]
    });
    let cases: [(&str, Vec<String>, Option<&str>); 7] = [
        ("all on one host", shops(|_, host| if host == "two" { 100 } else { 20 }), Some("two")),
        ("the same by the name of its node", node(shops(|_, host| if host == "two" { 100 } else { 20 })), Some("two")),
        (
            "one service on one host",
            shops(|service, host| if (service, host) == ("cart", "two") { 100 } else { 20 }),
            Some("cart"),
        ),
        ("one service everywhere", shops(|service, _| if service == "cart" { 100 } else { 20 }), Some("cart")),
        ("as slow before", always.collect(), None),
        ("the other host recovers", heals.collect(), None),
        ("no other host", [alone("cart", "two"), alone("stock", "two")].concat(), Some("cart")),
    ];
    for (case, spans, expected) in cases {
        let (engine, _kept) = over(&spans, &[]).await;
        let document = collect(&engine, "ai-root-cause", json!({ "time_range": "1h" })).await;
        let suspects = rows(&document, "suspects");
        let first = suspects.first().map(|row| row["suspect"].as_str().unwrap());
        assert_eq!(first, expected, "{case}: {}\n{suspects:#?}", document.summary);
        let on_host =
            suspects.iter().filter(|row| row["evidence_against"].as_str().unwrap().contains("runs on two,")).count();
        assert_eq!(on_host, if expected == Some("two") { 3 } else { 0 }, "{case}: {suspects:#?}");
        if expected == Some("two") {
            let finding = suspects[0]["evidence_for"].as_str().unwrap();
            assert_eq!(
                finding,
                "own time of steps of 3 of 3 services is 5 times what is usual on two against other hosts: cart, stock, users"
            );
            assert_eq!(suspects[0]["since"], "2026-11-20T11:30:00.000Z");
            assert!(document.highlights[0].text.starts_with("two turned bad"), "{}", document.highlights[0].text);
        }
    }
}

#[tokio::test]
async fn the_operations_of_suspects_are_told_with_what_changed() {
    let (engine, _kept) = over(&shops(|service, _| if service == "cart" { 100 } else { 20 }), &[]).await;
    let document = collect(&engine, "ai-root-cause", json!({ "time_range": "1h" })).await;
    let operations = rows(&document, "operations");
    assert_eq!(operations.len(), 1, "{operations:#?}");
    let row = &operations[0];
    assert_eq!((&row["service_name"], &row["operation_name"]), (&json!("cart"), &json!("GET /")));
    // In the second half of the hour 100 to 160 ms, before 20 to 32.
    assert_eq!((&row["requests"], &row["p95_ms"], &row["prev_p95_ms"]), (&json!(720), &json!(160.0), &json!(32.0)));
}

/// Three failures in half an hour are chance, and evidence where the service is suspected without them.
#[tokio::test]
async fn a_few_failures_are_told_of_who_is_suspected_anyway() {
    let few = requests("cart", "one", 900, 870, 20).replace("'OK'", "'ERROR'");
    let lines = [lines("'INFO', 9", "served", 3 * HOUR, 10, 1080), lines("'ERROR', 17", "no stock", 900, 10, 3)];
    for (ms, told) in [(20, false), (100, true)] {
        let spans =
            [shops(|service, _| if service == "cart" { ms } else { 20 }), vec![few.clone()], lines.to_vec()].concat();
        let (engine, _kept) = over(&spans, &[]).await;
        let document = collect(&engine, "ai-root-cause", json!({ "time_range": "1h" })).await;
        let findings: Vec<_> =
            rows(&document, "findings").iter().map(|row| row["finding"].as_str().unwrap().to_owned()).collect();
        let says = |text: &str| findings.iter().any(|finding| finding.starts_with(text));
        assert_eq!(says("cart `GET /` failed 3 times, 0 expected: no message"), told, "{findings:#?}");
        assert_eq!(says("cart logs (error) 3 times, 0 expected for its requests: no stock"), told, "{findings:#?}");
        assert_eq!(rows(&document, "suspects").is_empty(), !told, "{}", document.summary);
    }
}

/// An error that comes in bursts is not told for another of them, however many lines one has.
#[tokio::test]
async fn another_burst_of_an_error_is_no_news() {
    let bursts = [5460, 4560, 1260].map(|from| lines("'ERROR', 17", "no stock", from, 1, 40));
    let rows_of = [shops(|_, _| 20), vec![lines("'INFO', 9", "served", 3 * HOUR, 10, 1080)], bursts.to_vec()].concat();
    let (engine, _kept) = over(&rows_of, &[]).await;
    let logs = collect(&engine, "logs", json!({ "time_range": "1h" })).await;
    assert!(rows(&logs, "shifts").is_empty(), "{:#?}", rows(&logs, "shifts"));
    let cause = collect(&engine, "ai-root-cause", json!({ "time_range": "1h" })).await;
    assert!(rows(&cause, "suspects").is_empty(), "{}", cause.summary);
}
