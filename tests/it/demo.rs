//! The demo's generator, scenarios, oracle and loader.

use std::collections::{HashMap, HashSet, hash_map::DefaultHasher};
use std::hash::{Hash, Hasher};

use tfo_mcp::demo::{
    Generator, Plan, Scenario,
    event::{Batch, Span, SpanKind},
    offset::MINUTE,
    oracle::{self, SYNTHETIC_SERVICES, Window},
};
use time::macros::datetime;

const INCIDENT: &str = "db-pool-exhaustion";

fn plan(seed: u64, scenario: Option<&str>) -> Plan {
    let scenario = scenario.map(|name| Scenario::embedded(name).unwrap());
    Plan { seed, end: datetime!(2026-11-20 12:00:00 UTC), scale: 0.05, scenario }
}

fn generator() -> Generator {
    Generator::new(plan(7, Some(INCIDENT))).unwrap()
}

fn fingerprint(batches: impl Iterator<Item = Batch>) -> u64 {
    let mut hasher = DefaultHasher::new();
    for batch in batches {
        format!("{batch:?}").hash(&mut hasher);
    }
    hasher.finish()
}

#[test]
fn the_same_plan_gives_the_same_events_in_any_order_and_another_seed_others() {
    let first: Vec<Batch> = generator().batches().take(60).collect();
    let again = generator();
    let mut units: Vec<_> = again.units().take(60).collect();
    units.reverse();
    let mut backwards: Vec<Batch> = units.into_iter().filter_map(|unit| again.batch(unit)).collect();
    backwards.reverse();
    assert_eq!(fingerprint(first.into_iter()), fingerprint(backwards.into_iter()));
    let other = Generator::new(plan(8, Some(INCIDENT))).unwrap();
    assert_ne!(fingerprint(again.batches().take(60)), fingerprint(other.batches().take(60)));
}

#[test]
fn events_outside_the_incident_do_not_depend_on_the_scenario() {
    let (with, without) = (generator(), Generator::new(plan(7, None)).unwrap());
    let quiet = |unit: &tfo_mcp::demo::generate::Unit| unit.slot < 200;
    for unit in with.units().filter(quiet).step_by(17) {
        let spans = |generator: &Generator| format!("{:?}", generator.batch(unit).unwrap().spans);
        assert_eq!(spans(&with), spans(&without));
    }
}

#[test]
fn traces_are_whole_nested_and_of_one_organisation() {
    let generator = generator();
    let mut traces: HashMap<u128, usize> = HashMap::new();
    let (mut roots, mut total) = (0, 0);
    for batch in generator.batches() {
        let spans: HashMap<(u128, u64), &Span> = batch.spans.iter().map(|span| ((span.trace, span.id), span)).collect();
        assert_eq!(spans.len(), batch.spans.len(), "span ids are unique");
        for span in &batch.spans {
            total += 1;
            assert!(span.timestamp >= generator.start() && span.end() < generator.end());
            let owner = *traces.entry(span.trace).or_insert(batch.organization.index);
            assert_eq!(owner, batch.organization.index, "a trace belongs to one organisation");
            if span.parent == 0 {
                roots += 1;
                assert!(span.kind.is_entry());
                continue;
            }
            let parent = spans.get(&(span.trace, span.parent)).expect("the parent is in the same trace and batch");
            if span.kind == SpanKind::Consumer {
                assert_eq!(parent.kind, SpanKind::Producer);
                assert!(span.timestamp >= parent.end(), "a message is consumed after it was published");
            } else {
                assert!(span.timestamp >= parent.timestamp && span.end() <= parent.end(), "{span:?} in {parent:?}");
            }
            let crosses = span.service.name != parent.service.name;
            assert_eq!(crosses, span.kind.is_entry(), "only entry spans have a parent in another service");
        }
        let known: HashSet<u128> = batch.spans.iter().map(|span| span.trace).collect();
        for log in &batch.logs {
            assert!(log.timestamp >= generator.start() && log.timestamp < generator.end(), "{log:?}");
            assert!(log.trace == 0 || known.contains(&log.trace), "a log names a trace that exists");
            assert_eq!(log.pod.is_none(), SYNTHETIC_SERVICES.contains(&log.service));
        }
        for exemplar in &batch.exemplars {
            assert!(spans.contains_key(&(exemplar.trace, exemplar.span)));
        }
        for metric in &batch.metrics {
            assert!(metric.timestamp >= generator.start() && metric.timestamp < generator.end());
            assert!(metric.value.is_finite());
        }
    }
    assert_eq!(roots, traces.len(), "each trace has one root");
    assert!(total > 50_000, "{total} spans");
}

#[test]
fn organisations_have_clearly_different_numbers() {
    let generator = generator();
    let day = Window { from: generator.start(), to: generator.end() };
    let quiet = Window { from: generator.start(), to: generator.end() - 60 * MINUTE };
    let all = oracle::answers(&generator, &[day, quiet]);
    let requests: Vec<u64> = all[0].iter().map(oracle::Answers::requests).collect();
    assert!(requests[0] > requests[1] * 3 / 2 && requests[1] > requests[2] * 3 / 2, "{requests:?}");
    let gateway: Vec<u64> = all[1].iter().map(|answers| answers.services["edge-gateway"].percentile(0.5)).collect();
    assert!(gateway[1] > gateway[0] * 5 / 4 && gateway[0] > gateway[2] * 5 / 4, "{gateway:?}");
}

#[test]
fn the_incident_is_visible_upstream_and_nowhere_else() {
    let generator = generator();
    let before = Window { from: generator.end() - 100 * MINUTE, to: generator.end() - 40 * MINUTE };
    let during = Window::last(&generator, 25 * MINUTE);
    let all = oracle::answers(&generator, &[before, during]);
    let (before, during) = (&all[0], &all[1]);
    let p95 = |answers: &oracle::Answers, service: &str| answers.services[service].percentile(0.95) as f64 / 1e6;
    for service in ["checkout", "web", "edge-gateway"] {
        assert!(p95(&during[0], service) > 4.0 * p95(&before[0], service), "{service} is slower");
        assert!(p95(&during[0], service) > 2000.0);
    }
    for service in ["auth", "search", "catalog"] {
        assert!(p95(&during[0], service) < 3.0 * p95(&before[0], service), "{service} is not part of it");
    }
    let checkout = &during[0].services["checkout"];
    assert!(checkout.error_percent() > 10.0, "{}", checkout.error_percent());
    let message = "timed out waiting for connection from pool";
    let pool = ("checkout".to_owned(), "db.client.connections.usage".to_owned());
    assert!(during[0].metrics[&pool].max >= 50.0 && before[0].metrics[&pool].max < 30.0);
    assert!(during[0].errors.keys().any(|(service, _, text)| service == "edge-gateway" && text.contains(message)));
    assert!(during[0].error_logs.keys().any(|(service, body)| service == "checkout" && body.contains(message)));
    let version = ("checkout".to_owned(), "v2.14.0".to_owned());
    let seen = during[0].versions[&version];
    assert!(seen.spans > 0 && !before[0].versions.contains_key(&version));
    for other in [1, 2] {
        assert!(!during[other].versions.contains_key(&version));
        assert!(during[other].errors.keys().all(|(_, _, text)| !text.contains(message)));
        assert!(during[other].metrics[&pool].max < 40.0);
    }
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn alerts_fire_in_order_of_cause_and_when_their_rule_holds() {
    let scenario = Scenario::embedded(INCIDENT).unwrap();
    assert!(scenario.alerts.is_sorted_by_key(|alert| alert.at));
    // More traffic than in the other tests: five minutes of one service must say something.
    let generator = Generator::new(Plan { scale: 1.5, ..plan(7, Some(INCIDENT)) }).unwrap();
    let start = generator.end() + scenario.start.0;
    for alert in &scenario.alerts {
        let window = |to: i64| Window { from: to - 5 * MINUTE, to };
        let windows = [window(start), window(start + alert.at.0)];
        let all = oracle::answers(&generator, &windows);
        let value = |answers: &oracle::Answers| {
            let requests = &answers.services[&alert.service];
            match alert.target.as_str() {
                "metrics" => {
                    let of = |name: &str| answers.metrics[&(alert.service.clone(), name.to_owned())].max;
                    of("db.client.connections.usage") / of("db.client.connections.max")
                }
                _ if alert.query.starts_with("p95") => requests.percentile(0.95) as f64 / 1e6,
                _ => requests.error_percent(),
            }
        };
        let (calm, fired) = (value(&all[0][0]), value(&all[1][0]));
        assert!(calm < alert.threshold, "{}: {calm} before the incident", alert.rule);
        assert!(fired > alert.threshold * 0.98, "{}: {fired} when it fired", alert.rule);
    }
}

#[test]
fn the_schema_of_scenarios_is_the_committed_one_and_mistakes_are_explained() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/demo/scenario.schema.json");
    let schema = serde_json::to_string_pretty(&schemars::schema_for!(Scenario)).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(&path, &schema).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == schema, "refresh it: UPDATE_SCHEMAS=1 cargo test --test it demo::the_schema");

    let text = include_str!("../../src/demo/scenarios/db-pool-exhaustion.yaml");
    for (from, to, expected) in [
        ("organization: meridian", "organization: nobody", "there is no organisation `nobody`"),
        ("service: web, severity: WARN", "service: webb, severity: WARN", "there is no service `webb`"),
        ("store: checkout-db", "store: checkout-database", "there is no store `checkout-database`"),
        ("start: -40m", "start: forty minutes ago", "is not a length of time"),
        ("duration: 3h", "duration: 3h\nblast: wide", "blast"),
    ] {
        let error = format!("{:#}", Scenario::parse(&text.replace(from, to)).unwrap_err());
        assert!(error.contains(expected), "{error}");
    }
    assert!(Scenario::embedded("flood").unwrap_err().to_string().contains("db-pool-exhaustion"));
}
