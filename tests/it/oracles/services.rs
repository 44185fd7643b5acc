//! Requests, calls and what they wait for, from spans.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use tfo_mcp::demo::{
    event::{Severity, Span, SpanKind, Status},
    offset::HOUR,
    oracle::SYNTHETIC_SERVICES,
};

use super::{Cells, Oracle, Rows, View, cells, records::Records, series::Series};

/// Share of requests that may fail where the caller names no target.
const ALLOWED: f64 = 0.001;
/// Nanoseconds within which a request is fast, where the caller names no threshold.
const FAST: u64 = 500_000_000;

/// Calls of one side of a comparison; durations in milliseconds.
#[derive(Debug, Default)]
struct Side {
    durations: Series,
    errors: usize,
    fast: usize,
}

impl Side {
    fn add(&mut self, span: &Span) {
        self.durations.add(span.timestamp, span.duration as f64 / 1e6);
        let failed = span.status == Status::Error;
        self.errors += usize::from(failed);
        self.fast += usize::from(!failed && span.duration <= FAST);
    }
    fn count(&self) -> usize {
        self.durations.count()
    }
    fn share(&self, part: usize) -> Option<f64> {
        (self.count() > 0).then(|| 100.0 * part as f64 / self.count() as f64)
    }
    fn failed(&self) -> Option<f64> {
        self.share(self.errors)
    }
    fn well(&self) -> Option<f64> {
        self.share(self.count() - self.errors)
    }
    fn p(&self, level: f64) -> Option<f64> {
        self.durations.percentile(level)
    }
    fn seconds(&self) -> f64 {
        self.durations.sum() / 1e3
    }
}

#[derive(Debug, Default)]
struct Calls {
    now: Side,
    before: Side,
}

impl Calls {
    /// Errors that the share of before lets expect, and by how many standard deviations there are more.
    fn expected(&self) -> (Option<f64>, Option<f64>) {
        let expected = self.before.failed().map(|share| share / 100.0 * self.now.count() as f64);
        (expected, expected.map(|expected| (self.now.errors as f64 - expected) / (expected + 1.0).sqrt()))
    }

    fn ratio(&self) -> Option<f64> {
        Some(self.now.p(0.95)? / self.before.p(0.95)?)
    }
}

/// Spans of both windows by what `key` makes of them.
fn calls<K: Ord>(records: &Records, view: &View, key: impl Fn(&Span) -> Option<K>) -> BTreeMap<K, Calls> {
    let mut all = BTreeMap::<K, Calls>::new();
    for span in records.spans() {
        let (Some(now), Some(key)) = (view.side(span.timestamp), key(span)) else { continue };
        let calls = all.entry(key).or_default();
        if now { calls.now.add(span) } else { calls.before.add(span) }
    }
    all
}

fn name(span: &Span) -> String {
    span.service.name.clone()
}

fn requests(records: &Records, view: &View) -> BTreeMap<String, Calls> {
    calls(records, view, |span| span.kind.is_entry().then(|| name(span)))
}

fn operations(records: &Records, view: &View) -> BTreeMap<(String, String), Calls> {
    calls(records, view, |span| span.kind.is_entry().then(|| (name(span), span.name.to_string())))
}

fn change(now: usize, before: usize) -> Option<f64> {
    (before > 0).then(|| 100.0 * (now as f64 - before as f64) / before as f64)
}

fn per_second(view: &View, count: usize) -> f64 {
    count as f64 / view.seconds()
}

/// Rows by service.
fn by_service(calls: BTreeMap<String, Calls>, row: impl Fn(&Calls) -> Cells) -> Rows {
    let mut rows = Rows::default();
    for (service, calls) in &calls {
        rows.add([service], row(calls));
    }
    rows
}

fn by_pair(calls: BTreeMap<(String, String), Calls>, row: impl Fn(&Calls) -> Cells) -> Rows {
    let mut rows = Rows::default();
    for ((one, other), calls) in &calls {
        rows.add([one, other], row(calls));
    }
    rows
}

fn figures(view: &View, it: &Calls) -> Cells {
    cells![
        "requests" => it.now.count(),
        "prev_requests" => it.before.count(),
        "requests_per_s" => per_second(view, it.now.count()),
        "errors" => it.now.errors,
        "error_pct" => it.now.failed(),
        "prev_error_pct" => it.before.failed(),
        "p95_ms" => it.now.p(0.95),
        "prev_p95_ms" => it.before.p(0.95),
    ]
}

fn traced(records: &Records, view: &View) -> Rows {
    by_service(requests(records, view), |it| {
        let mut cells = figures(view, it);
        cells.extend(cells![
            "p50_ms" => it.now.p(0.5),
            "prev_p50_ms" => it.before.p(0.5),
            "p99_ms" => it.now.p(0.99),
            "p95_ratio" => it.ratio(),
            "expected_errors" => it.expected().0,
            "errors_z" => it.expected().1,
        ]);
        cells
    })
}

fn traced_operations(records: &Records, view: &View) -> Rows {
    by_pair(operations(records, view), |it| {
        cells![
            "requests" => it.now.count(),
            "errors" => it.now.errors,
            "error_pct" => it.now.failed(),
            "p95_ms" => it.now.p(0.95),
            "max_ms" => it.now.durations.highest(),
            "prev_p95_ms" => it.before.p(0.95),
            "p95_ratio" => it.ratio(),
        ]
    })
}

fn latencies(records: &Records, view: &View) -> Rows {
    by_service(requests(records, view), |it| {
        cells![
            "requests" => it.now.count(),
            "p50_ms" => it.now.p(0.5),
            "p75_ms" => it.now.p(0.75),
            "p90_ms" => it.now.p(0.9),
            "p95_ms" => it.now.p(0.95),
            "p99_ms" => it.now.p(0.99),
            "max_ms" => it.now.durations.highest(),
            "prev_requests" => it.before.count(),
            "prev_p50_ms" => it.before.p(0.5),
            "prev_p95_ms" => it.before.p(0.95),
            "p95_ratio" => it.ratio(),
        ]
    })
}

fn failures(records: &Records, view: &View) -> Rows {
    let mut requests = requests(records, view);
    requests.retain(|_, it| it.now.errors + it.before.errors > 0);
    by_service(requests, |it| {
        let (expected, z) = it.expected();
        cells![
            "requests" => it.now.count(),
            "errors" => it.now.errors,
            "expected_errors" => expected,
            "errors_z" => z,
            "error_pct" => it.now.failed(),
            "prev_errors" => it.before.errors,
            "prev_error_pct" => it.before.failed(),
            "change_points" => it.now.failed().zip(it.before.failed()).map(|(now, before)| now - before),
        ]
    })
}

/// Requests a second in the busiest of twelve equal slots.
fn peak(view: &View, it: &Calls) -> f64 {
    let millis = |nanos: i64| nanos.div_euclid(1_000_000);
    let length = millis(view.now.to) - millis(view.now.from);
    let mut slots = [0usize; 12];
    for time in it.now.durations.times() {
        slots[((millis(time) - millis(view.now.from)) * 12 / length) as usize] += 1;
    }
    12.0 * *slots.iter().max().unwrap() as f64 / view.seconds()
}

fn throughput(records: &Records, view: &View) -> Rows {
    by_service(requests(records, view), |it| {
        cells![
            "requests" => it.now.count(),
            "requests_per_s" => per_second(view, it.now.count()),
            "peak_per_s" => peak(view, it),
            "prev_requests" => it.before.count(),
            "change_pct" => change(it.now.count(), it.before.count()),
        ]
    })
}

fn throughput_operations(records: &Records, view: &View) -> Rows {
    by_pair(operations(records, view), |it| {
        cells![
            "requests" => it.now.count(),
            "requests_per_s" => per_second(view, it.now.count()),
            "prev_requests" => it.before.count(),
            "change_pct" => change(it.now.count(), it.before.count()),
        ]
    })
}

fn publishers(records: &Records, view: &View) -> Rows {
    by_pair(calls(records, view, |span| Some((topic(span, SpanKind::Producer)?, name(span)))), |it| {
        cells![
            "published" => it.now.count(),
            "prev_published" => it.before.count(),
            "errors" => it.now.errors,
            "p95_ms" => it.now.p(0.95),
            "prev_p95_ms" => it.before.p(0.95),
        ]
    })
}

/// What services wait for, by what their calls name.
fn steps(records: &Records, view: &View) -> Rows {
    let all = calls(records, view, |span| {
        let target = match (database(span), topic(span, SpanKind::Producer)) {
            (Some((_, name)), _) => name,
            (_, Some(topic)) => topic,
            _ => attribute(span, "peer.service").filter(|_| span.kind == SpanKind::Client)?.to_owned(),
        };
        Some((name(span), target))
    });
    let mut rows = Rows::default();
    for ((caller, target), it) in &all {
        let share = |side: fn(&Calls) -> &Side| {
            let of_caller = all.iter().filter(|((other, _), _)| other == caller);
            let whole: f64 = of_caller.map(|(_, it)| side(it).seconds()).sum();
            (whole > 0.0).then(|| 100.0 * side(it).seconds() / whole)
        };
        let cells = cells![
            "calls" => it.now.count(),
            "waited_s" => it.now.seconds(),
            "prev_waited_s" => it.before.seconds(),
            "share_pct" => share(|it| &it.now),
            "prev_share_pct" => share(|it| &it.before),
        ];
        rows.add([caller, target], cells);
    }
    rows
}

/// Components of the map with what was measured of them.
fn components(records: &Records, view: &View) -> Rows {
    let measured = requests(records, view);
    let mut rows = Rows::default();
    for component in records.kept("service_map_services") {
        let links = |own: &str, other: &str| {
            let links = records.kept("service_map_dependencies");
            let own = links.filter(|link| link.text(own) == component.text("id"));
            own.map(|link| link.text(other)).collect::<BTreeSet<_>>().len()
        };
        let it = measured.get(&component.text("name"));
        let cells = cells![
            "declared_callers" => links("target_service_id", "source_service_id"),
            "declared_callees" => links("source_service_id", "target_service_id"),
            "requests" => it.map(|it| it.now.count() as f64),
            "prev_requests" => it.map(|it| it.before.count() as f64),
            "error_pct" => it.and_then(|it| it.now.failed()),
            "p95_ms" => it.and_then(|it| it.now.p(0.95)),
            "prev_p95_ms" => it.and_then(|it| it.before.p(0.95)),
        ];
        rows.add([&component.text("name")], cells);
    }
    rows
}

/// Error lines by service, now and before, and how many of them carry a trace.
fn error_lines(records: &Records, view: &View) -> BTreeMap<String, [[usize; 2]; 2]> {
    let mut all = BTreeMap::<String, [[usize; 2]; 2]>::new();
    let own = records.logs().filter(|log| !SYNTHETIC_SERVICES.contains(&log.service));
    for log in own.filter(|log| log.severity >= Severity::Error) {
        let Some(now) = view.side(log.timestamp) else { continue };
        let counts = &mut all.entry(log.service.to_owned()).or_default()[usize::from(!now)];
        counts[0] += 1;
        counts[1] += usize::from(log.trace != 0);
    }
    all
}

fn health(records: &Records, view: &View) -> Rows {
    let lines = error_lines(records, view);
    let mut rows = by_service(requests(records, view), |it| figures(view, it));
    for (key, cells) in &mut rows.0 {
        let [[now, _], [before, _]] = lines.get(&key[0]).copied().unwrap_or_default();
        cells.extend(cells!["error_logs" => now, "prev_error_logs" => before]);
    }
    rows
}

fn coverage(records: &Records, view: &View) -> Rows {
    let lines = error_lines(records, view);
    let logged: HashSet<u128> = records
        .logs()
        .filter(|log| log.severity >= Severity::Error && view.now.holds(log.timestamp))
        .filter(|log| !SYNTHETIC_SERVICES.contains(&log.service))
        .map(|log| log.trace)
        .collect();
    let mut failed = BTreeMap::<String, [usize; 2]>::new();
    let spans = records.spans().filter(|span| view.now.holds(span.timestamp) && span.kind.is_entry());
    for span in spans.filter(|span| span.status == Status::Error) {
        let counts = failed.entry(name(span)).or_default();
        counts[0] += 1;
        counts[1] += usize::from(logged.contains(&span.trace));
    }
    let services: BTreeSet<&String> = lines.keys().chain(failed.keys()).collect();
    let share = |[all, part]: [usize; 2]| (all > 0).then(|| 100.0 * part as f64 / all as f64);
    let mut rows = Rows::default();
    for service in services {
        let [now, before] = lines.get(service).copied().unwrap_or_default();
        let requests = failed.get(service).copied().unwrap_or_default();
        if now[0] + requests[0] > 0 {
            let cells = cells![
                "lines" => now[0],
                "traced_pct" => share(now),
                "prev_traced_pct" => share(before),
                "failed_requests" => requests[0],
                "logged_pct" => share(requests),
            ];
            rows.add([service], cells);
        }
    }
    rows
}

fn indicators(records: &Records, view: &View) -> Rows {
    by_service(requests(records, view), |it| {
        cells![
            "requests" => it.now.count(),
            "availability_pct" => it.now.well(),
            "prev_availability_pct" => it.before.well(),
            "fast_pct" => it.now.share(it.now.fast),
            "prev_fast_pct" => it.before.share(it.before.fast),
            "p50_ms" => it.now.p(0.5),
            "p99_ms" => it.now.p(0.99),
            "prev_requests" => it.before.count(),
        ]
    })
}

fn operation_indicators(records: &Records, view: &View) -> Rows {
    let mut operations = operations(records, view);
    operations.retain(|_, it| it.now.count() >= 20);
    by_pair(operations, |it| {
        cells![
            "requests" => it.now.count(),
            "errors" => it.now.errors,
            "availability_pct" => it.now.well(),
            "fast_pct" => it.now.share(it.now.fast),
            "p99_ms" => it.now.p(0.99),
        ]
    })
}

fn asked(records: &Records, view: &View) -> BTreeMap<String, Calls> {
    let mut requests = requests(records, view);
    requests.retain(|_, it| it.now.count() > 0);
    requests
}

fn attainment(records: &Records, view: &View) -> Rows {
    by_service(asked(records, view), |it| {
        cells![
            "requests" => it.now.count(),
            "errors" => it.now.errors,
            "availability_pct" => it.now.well(),
            "allowed_errors" => ALLOWED * it.now.count() as f64,
            "prev_availability_pct" => it.before.well(),
            "fast_pct" => it.now.share(it.now.fast),
            "p99_ms" => it.now.p(0.99),
        ]
    })
}

fn budget(records: &Records, view: &View) -> Rows {
    by_service(asked(records, view), |it| {
        let allowed = ALLOWED * it.now.count() as f64;
        cells![
            "requests" => it.now.count(),
            "errors" => it.now.errors,
            "allowed_errors" => allowed,
            "consumed_pct" => 100.0 * it.now.errors as f64 / allowed,
            "errors_left" => allowed - it.now.errors as f64,
        ]
    })
}

/// Whether the day of data covers seven eighths of so many hours: a rate of less is not known.
fn covers(hours: i64) -> bool {
    24 * 8 >= hours * 7
}

/// Burn rates look back from the end of the window, whatever its length.
fn burn(records: &Records, view: &View) -> Rows {
    let last = |hours: i64| requests(records, &View::new(view.now.to - hours * HOUR, view.now.to));
    let (one, six, day, all) = (last(1), last(6), last(24), last(72));
    let rate = |of: &BTreeMap<String, Calls>, service: &String| {
        of.get(service).and_then(|it| it.now.failed()).map(|share| share / 100.0 / ALLOWED)
    };
    let mut rows = Rows::default();
    for (service, _) in all.iter().filter(|(_, it)| it.now.count() > 0) {
        let hour = one.get(service).map_or((0, 0), |it| (it.now.count(), it.now.errors));
        let cells = cells![
            "burn_1h" => rate(&one, service),
            "burn_6h" => rate(&six, service),
            "burn_24h" => rate(&day, service),
            "burn_3d" => rate(&all, service).filter(|_| covers(72)),
            "requests_1h" => hour.0,
            "errors_1h" => hour.1,
            "exhausted_in_h" => rate(&one, service).filter(|rate| *rate > 0.0).map(|rate| 30.0 * 24.0 / rate),
        ];
        rows.add([service], cells);
    }
    rows
}

/// Calls between services.
#[derive(Debug, Default)]
struct Edge {
    calls: Calls,
    /// What the caller waited, and what of it was not the callee's own time.
    waited: Calls,
    beyond: [Series; 2],
    /// Failed while a call of the callee in the same trace had failed.
    passed_on: usize,
}

/// Entry spans whose parent is a call of another service.
fn edges(records: &Records, view: &View) -> BTreeMap<(String, String), Edge> {
    let outgoing = |span: &&Span| matches!(span.kind, SpanKind::Client | SpanKind::Producer);
    let parents: HashMap<(u128, u64), &Span> =
        records.spans().filter(outgoing).map(|span| ((span.trace, span.id), span)).collect();
    let failing: HashSet<(u128, &str)> = records
        .spans()
        .filter(outgoing)
        .filter(|span| span.status == Status::Error && view.side(span.timestamp).is_some())
        .map(|span| (span.trace, span.service.name.as_str()))
        .collect();
    let mut all = BTreeMap::<_, Edge>::new();
    for span in records.spans().filter(|span| span.kind.is_entry()) {
        let (Some(now), Some(parent)) = (view.side(span.timestamp), parents.get(&(span.trace, span.parent))) else {
            continue;
        };
        if parent.service.name == span.service.name {
            continue;
        }
        let edge = all.entry((name(parent), name(span))).or_default();
        let beyond = parent.duration.saturating_sub(span.duration) as f64 / 1e6;
        edge.beyond[usize::from(!now)].add(span.timestamp, beyond);
        if now {
            edge.calls.now.add(span);
            edge.waited.now.add(parent);
            let failed = span.status == Status::Error;
            edge.passed_on += usize::from(failed && failing.contains(&(span.trace, span.service.name.as_str())));
        } else {
            edge.calls.before.add(span);
            edge.waited.before.add(parent);
        }
    }
    all
}

fn by_edge(edges: &BTreeMap<(String, String), Edge>, row: impl Fn(&str, &str, &Edge) -> Cells) -> Rows {
    let mut rows = Rows::default();
    for ((caller, callee), edge) in edges {
        rows.add([caller, callee], row(caller, callee, edge));
    }
    rows
}

fn dependencies(records: &Records, view: &View) -> Rows {
    by_edge(&edges(records, view), |_, _, it| {
        cells![
            "calls" => it.calls.now.count(),
            "calls_per_s" => per_second(view, it.calls.now.count()),
            "prev_calls" => it.calls.before.count(),
            "errors" => it.calls.now.errors,
            "error_pct" => it.calls.now.failed(),
            "prev_error_pct" => it.calls.before.failed(),
            "p50_ms" => it.calls.now.p(0.5),
            "prev_p50_ms" => it.calls.before.p(0.5),
            "p95_ms" => it.calls.now.p(0.95),
            "prev_p95_ms" => it.calls.before.p(0.95),
            "caller_p95_ms" => it.waited.now.p(0.95),
            "prev_caller_p95_ms" => it.waited.before.p(0.95),
            "wait_p50_ms" => it.beyond[0].percentile(0.5),
            "prev_wait_p50_ms" => it.beyond[1].percentile(0.5),
        ]
    })
}

fn edge_latencies(records: &Records, view: &View) -> Rows {
    by_edge(&edges(records, view), |_, _, it| {
        cells![
            "calls" => it.calls.now.count(),
            "p50_ms" => it.calls.now.p(0.5),
            "prev_p50_ms" => it.calls.before.p(0.5),
            "p95_ms" => it.calls.now.p(0.95),
            "prev_p95_ms" => it.calls.before.p(0.95),
            "p99_ms" => it.calls.now.p(0.99),
            "wait_p50_ms" => it.beyond[0].percentile(0.5),
            "waited_s" => it.waited.now.seconds(),
            "prev_waited_s" => it.waited.before.seconds(),
        ]
    })
}

fn edge_traffic(records: &Records, view: &View) -> Rows {
    let (edges, requests) = (edges(records, view), requests(records, view));
    by_edge(&edges, |caller, callee, it| {
        let to_callee = edges.iter().filter(|((_, other), _)| other == callee);
        let all: usize = to_callee.map(|(_, edge)| edge.calls.now.count()).sum();
        let (now, before) = (it.calls.now.count(), it.calls.before.count());
        let per = |calls: usize, requests: usize| (requests > 0).then(|| calls as f64 / requests as f64);
        cells![
            "calls" => now,
            "calls_per_s" => per_second(view, now),
            "prev_calls" => before,
            "share_pct" => (all > 0).then(|| 100.0 * now as f64 / all as f64),
            "calls_per_request" => per(now, requests.get(caller).map_or(0, |it| it.now.count())),
            "prev_calls_per_request" => per(before, requests.get(caller).map_or(0, |it| it.before.count())),
        ]
    })
}

fn edge_errors(records: &Records, view: &View) -> Rows {
    let mut edges = edges(records, view);
    edges.retain(|_, it| it.calls.now.errors + it.calls.before.errors > 0);
    by_edge(&edges, |_, _, it| {
        let errors = it.calls.now.errors;
        cells![
            "calls" => it.calls.now.count(),
            "errors" => errors,
            "error_pct" => it.calls.now.failed(),
            "prev_error_pct" => it.calls.before.failed(),
            "passed_on" => it.passed_on,
            "began_here_pct" => (errors > 0).then(|| 100.0 * (errors - it.passed_on) as f64 / errors as f64),
        ]
    })
}

/// It is about one service, which is asked about one ([`crate::answers::collect`]).
fn investigated(records: &Records, view: &View) -> Rows {
    let mut edges = edges(records, view);
    edges.retain(|(caller, callee), _| [caller, callee].into_iter().any(|one| one == "checkout"));
    by_edge(&edges, |_, _, it| {
        cells![
            "calls" => it.calls.now.count(),
            "prev_calls" => it.calls.before.count(),
            "errors" => it.calls.now.errors,
            "error_pct" => it.calls.now.failed(),
            "p95_ms" => it.calls.now.p(0.95),
            "prev_p95_ms" => it.calls.before.p(0.95),
        ]
    })
}

fn inflow(records: &Records, view: &View) -> Rows {
    by_service(requests(records, view), |it| {
        cells![
            "requests" => it.now.count(),
            "prev_requests" => it.before.count(),
            "requests_per_s" => per_second(view, it.now.count()),
            "change_pct" => change(it.now.count(), it.before.count()),
        ]
    })
}

fn graph(records: &Records, view: &View) -> Rows {
    let mut edges = edges(records, view);
    edges.retain(|_, edge| edge.calls.now.count() > 0);
    let requests = asked(records, view);
    let services: BTreeSet<&String> =
        requests.keys().chain(edges.keys().flat_map(|(caller, callee)| [caller, callee])).collect();
    let mut rows = Rows::default();
    for service in services {
        let callers: Vec<&str> =
            edges.keys().filter(|(_, callee)| callee == service).map(|(caller, _)| caller.as_str()).collect();
        let callees: Vec<&str> =
            edges.keys().filter(|(caller, _)| caller == service).map(|(_, callee)| callee.as_str()).collect();
        let cells = cells![
            "requests" => requests.get(service).map_or(0, |it| it.now.count()),
            "fan_in" => callers.len(),
            "fan_out" => callees.len(),
            "called_by" => callers.join(", "),
            "calls_to" => callees.join(", "),
        ];
        rows.add([service], cells);
    }
    rows
}

fn versions(records: &Records, view: &View) -> Rows {
    let spans = calls(records, view, |span| {
        (span.kind.is_entry() && view.now.holds(span.timestamp)).then(|| (name(span), span.pod.version.clone()))
    });
    let of_service = |service: &str| -> usize {
        spans.iter().filter(|((of, _), _)| of == service).map(|(_, it)| it.now.count()).sum()
    };
    let mut rows = Rows::default();
    for ((service, version), it) in &spans {
        let cells = cells![
            "requests" => it.now.count(),
            "share_pct" => 100.0 * it.now.count() as f64 / of_service(service) as f64,
            "error_pct" => it.now.failed(),
            "p95_ms" => it.now.p(0.95),
        ];
        rows.add([service, version], cells);
    }
    rows
}

/// Sides have windows of their own: the last hour and the one before, unless the caller names others.
fn sides(records: &Records, _: &View) -> Rows {
    let view = &View::new(records.end() - HOUR, records.end());
    let mut rows = Rows::default();
    let whole = calls(records, view, |span| span.kind.is_entry().then_some(()));
    let services = requests(records, view);
    for (side, now) in [("a", true), ("b", false)] {
        let pick = |it: &'_ Calls| -> usize { if now { it.now.count() } else { it.before.count() } };
        let it = &whole[&()];
        let of = if now { &it.now } else { &it.before };
        let cells = cells![
            "requests" => of.count(),
            "services" => services.values().filter(|it| pick(it) > 0).count(),
            "error_pct" => of.failed(),
            "p50_ms" => of.p(0.5),
            "p95_ms" => of.p(0.95),
        ];
        rows.add([side], cells);
    }
    rows
}

fn attribute<'a>(span: &'a Span, name: &str) -> Option<&'a str> {
    span.fixed.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// The system and the name of the database that a span calls.
fn database(span: &Span) -> Option<(String, String)> {
    let system = attribute(span, "db.system").filter(|_| span.kind == SpanKind::Client)?;
    Some((system.to_owned(), attribute(span, "db.name").unwrap_or_default().to_owned()))
}

fn is_cache(system: &str) -> bool {
    ["redis", "memcached", "valkey"].contains(&system)
}

/// How many services called, now.
fn callers<K: Ord + Clone>(records: &Records, view: &View, key: impl Fn(&Span) -> Option<K>) -> BTreeMap<K, usize> {
    let pairs = calls(records, view, |span| Some((key(span)?, name(span))));
    let mut counts = BTreeMap::new();
    for ((key, _), it) in &pairs {
        *counts.entry(key.clone()).or_default() += usize::from(it.now.count() > 0);
    }
    counts
}

fn databases(records: &Records, view: &View) -> Rows {
    let callers = callers(records, view, database);
    let mut rows = Rows::default();
    for (key, it) in &calls(records, view, database) {
        let cells = cells![
            "callers" => callers[key],
            "calls" => it.now.count(),
            "prev_calls" => it.before.count(),
            "errors" => it.now.errors,
            "error_pct" => it.now.failed(),
            "prev_error_pct" => it.before.failed(),
            "p50_ms" => it.now.p(0.5),
            "p95_ms" => it.now.p(0.95),
            "prev_p95_ms" => it.before.p(0.95),
        ];
        rows.add([&key.0, &key.1], cells);
    }
    rows
}

fn database_callers(records: &Records, view: &View) -> Rows {
    by_pair(calls(records, view, |span| Some((name(span), database(span)?.1))), |it| {
        cells![
            "calls" => it.now.count(),
            "prev_calls" => it.before.count(),
            "total_s" => it.now.seconds(),
            "prev_total_s" => it.before.seconds(),
        ]
    })
}

fn busy(records: &Records, view: &View) -> Rows {
    by_pair(calls(records, view, |span| Some((name(span), database(span)?.1))), |it| {
        cells![
            "calls" => it.now.count(),
            "busy_avg" => it.now.seconds() / view.seconds(),
            "prev_busy_avg" => it.before.seconds() / view.seconds(),
        ]
    })
}

fn caches(records: &Records, view: &View) -> Rows {
    let cache = |span: &Span| database(span).filter(|(system, _)| is_cache(system)).map(|(_, name)| name);
    let callers = callers(records, view, cache);
    let mut rows = Rows::default();
    for (name, it) in &calls(records, view, cache) {
        let cells = cells![
            "callers" => callers[name],
            "calls" => it.now.count(),
            "prev_calls" => it.before.count(),
            "calls_per_s" => per_second(view, it.now.count()),
            "errors" => it.now.errors,
            "p50_ms" => it.now.p(0.5),
            "prev_p50_ms" => it.before.p(0.5),
            "p95_ms" => it.now.p(0.95),
            "prev_p95_ms" => it.before.p(0.95),
            "p95_ratio" => it.ratio(),
        ];
        rows.add([name], cells);
    }
    rows
}

fn cache_uses(records: &Records, view: &View) -> Rows {
    let uses = calls(records, view, |span| {
        let (_, cache) = database(span).filter(|(system, _)| is_cache(system))?;
        Some((name(span), cache, attribute(span, "db.operation")?.to_owned()))
    });
    let mut rows = Rows::default();
    for ((caller, cache, command), it) in uses.iter().filter(|(_, it)| it.now.count() > 0) {
        let cells = cells![
            "calls" => it.now.count(),
            "prev_calls" => it.before.count(),
            "errors" => it.now.errors,
            "p95_ms" => it.now.p(0.95),
            "prev_p95_ms" => it.before.p(0.95),
            "total_s" => it.now.seconds(),
        ];
        rows.add([caller, cache, command], cells);
    }
    rows
}

fn topic(span: &Span, kind: SpanKind) -> Option<String> {
    attribute(span, "messaging.destination.name").filter(|_| span.kind == kind).map(str::to_owned)
}

fn topics(records: &Records, view: &View) -> Rows {
    let published = calls(records, view, |span| topic(span, SpanKind::Producer));
    let processed = calls(records, view, |span| topic(span, SpanKind::Consumer));
    let names: BTreeSet<&String> = published.keys().chain(processed.keys()).collect();
    let mut rows = Rows::default();
    for name in names {
        let count =
            |of: &BTreeMap<String, Calls>, side: fn(&Calls) -> &Side| of.get(name).map_or(0, |it| side(it).count());
        let sides: [fn(&Calls) -> &Side; 2] = [|it| &it.now, |it| &it.before];
        let [(sent, taken), (sent_before, taken_before)] =
            sides.map(|side| (count(&published, side), count(&processed, side)));
        let per = |taken: usize, sent: usize| (sent > 0).then(|| taken as f64 / sent as f64);
        let cells = cells![
            "published" => sent,
            "prev_published" => sent_before,
            "processed" => taken,
            "prev_processed" => taken_before,
            "per_message" => per(taken, sent),
            "prev_per_message" => per(taken_before, sent_before),
        ];
        rows.add([name], cells);
    }
    rows
}

fn consumers(records: &Records, view: &View) -> Rows {
    by_pair(calls(records, view, |span| Some((topic(span, SpanKind::Consumer)?, name(span)))), |it| {
        cells![
            "processed" => it.now.count(),
            "prev_processed" => it.before.count(),
            "errors" => it.now.errors,
            "error_pct" => it.now.failed(),
            "p50_ms" => it.now.p(0.5),
            "p95_ms" => it.now.p(0.95),
            "prev_p95_ms" => it.before.p(0.95),
            "p95_ratio" => it.ratio(),
        ]
    })
}

/// From the end of what published a message to the begin of what takes it, in milliseconds.
fn waits(records: &Records, view: &View) -> Rows {
    let sent: HashMap<(u128, u64), i64> = records
        .spans()
        .filter(|span| span.kind == SpanKind::Producer && view.side(span.timestamp).is_some())
        .map(|span| ((span.trace, span.id), span.end()))
        .collect();
    let taken = records.spans().filter_map(|span| {
        let (topic, end) = (topic(span, SpanKind::Consumer)?, sent.get(&(span.trace, span.parent))?);
        Some(((topic, name(span)), span.timestamp, (span.timestamp - end) as f64 / 1e6))
    });
    let mut rows = Rows::default();
    for ((topic, consumer), it) in super::series::sides(view, taken) {
        if it.now.count() > 0 {
            let cells = cells![
                "seen" => it.now.count(),
                "wait_p50_ms" => it.now.percentile(0.5),
                "wait_p95_ms" => it.now.percentile(0.95),
                "prev_wait_p95_ms" => it.before.percentile(0.95),
                "wait_max_ms" => it.now.highest(),
            ];
            rows.add([&topic, &consumer], cells);
        }
    }
    rows
}

const SERVICE: &[&str] = &["service_name"];
const EDGE: &[&str] = &["caller", "callee"];
const OPERATION: &[&str] = &["service_name", "operation_name"];
const DATABASE: &[&str] = &["service_name", "database_name"];

pub const ORACLES: &[Oracle] = &[
    Oracle { of: "traces", section: "services", keys: SERVICE, expect: traced },
    Oracle { of: "traces", section: "operations", keys: OPERATION, expect: traced_operations },
    Oracle { of: "latency", section: "services", keys: SERVICE, expect: latencies },
    Oracle { of: "errors", section: "services", keys: SERVICE, expect: failures },
    Oracle { of: "throughput", section: "services", keys: SERVICE, expect: throughput },
    Oracle { of: "throughput", section: "operations", keys: OPERATION, expect: throughput_operations },
    Oracle { of: "service-health", section: "services", keys: SERVICE, expect: health },
    Oracle { of: "correlations", section: "services", keys: SERVICE, expect: health },
    Oracle { of: "correlations", section: "coverage", keys: SERVICE, expect: coverage },
    Oracle { of: "custom", section: "service-health.services", keys: SERVICE, expect: health },
    Oracle { of: "sli", section: "services", keys: SERVICE, expect: indicators },
    Oracle { of: "sli", section: "operations", keys: &["service_name", "operation"], expect: operation_indicators },
    Oracle { of: "slo", section: "attainment", keys: SERVICE, expect: attainment },
    Oracle { of: "error-budget", section: "budget", keys: SERVICE, expect: budget },
    Oracle { of: "error-budget", section: "burn", keys: SERVICE, expect: burn },
    Oracle { of: "dependencies", section: "edges", keys: EDGE, expect: dependencies },
    Oracle { of: "service-map-latency", section: "edges", keys: EDGE, expect: edge_latencies },
    Oracle { of: "service-map-traffic", section: "edges", keys: EDGE, expect: edge_traffic },
    Oracle { of: "service-map-traffic", section: "inflow", keys: SERVICE, expect: inflow },
    Oracle { of: "service-map-errors", section: "edges", keys: EDGE, expect: edge_errors },
    Oracle { of: "service-investigation", section: "calls", keys: EDGE, expect: investigated },
    Oracle { of: "topology", section: "graph", keys: &["service"], expect: graph },
    Oracle { of: "service-map-topology", section: "measured", keys: &["service"], expect: graph },
    Oracle { of: "deployment", section: "versions", keys: &["service_name", "version"], expect: versions },
    Oracle { of: "compare", section: "sides", keys: &["side"], expect: sides },
    Oracle { of: "db-queries", section: "databases", keys: &["system", "database_name"], expect: databases },
    Oracle { of: "db-overview", section: "callers", keys: DATABASE, expect: database_callers },
    Oracle { of: "db-connections", section: "use", keys: DATABASE, expect: busy },
    Oracle { of: "infra-cache", section: "caches", keys: &["cache"], expect: caches },
    Oracle { of: "infra-cache", section: "uses", keys: &["caller", "cache", "command"], expect: cache_uses },
    Oracle { of: "infra-queue", section: "topics", keys: &["topic"], expect: topics },
    Oracle { of: "infra-queue", section: "consumers", keys: &["topic", "consumer"], expect: consumers },
    Oracle { of: "infra-queue", section: "publishers", keys: &["topic", "publisher"], expect: publishers },
    Oracle { of: "service-map-latency", section: "steps", keys: &["caller", "target"], expect: steps },
    Oracle { of: "service-map", section: "components", keys: SERVICE, expect: components },
    Oracle { of: "infra-queue", section: "waits", keys: &["topic", "consumer"], expect: waits },
];
