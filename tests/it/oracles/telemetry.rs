//! Logs, metrics, audits, checks, networks, forecasts and the calls of language models.

use std::collections::{BTreeMap, BTreeSet};

use tfo_mcp::demo::{
    event::{Audit, AuditResult, AuditType, Batch, NodeTraffic, Severity},
    oracle::SYNTHETIC_SERVICES,
    spending::ModelCall,
};

use super::{
    Cells, Oracle, Rows, View, cells,
    records::{Line, Records},
    series::{Series, Sides, sides},
};

const MIB: f64 = 1_048_576.0;

/// Those of both windows by what `key` makes of them: now and before.
fn split<'r, K: Ord, T: 'r>(
    view: &View,
    all: impl Iterator<Item = &'r T>,
    time: impl Fn(&T) -> i64,
    key: impl Fn(&T) -> Option<K>,
) -> BTreeMap<K, [Vec<&'r T>; 2]> {
    let mut found = BTreeMap::<K, [Vec<&'r T>; 2]>::new();
    for one in all {
        if let (Some(now), Some(key)) = (view.side(time(one)), key(one)) {
            found.entry(key).or_default()[usize::from(!now)].push(one);
        }
    }
    found
}

fn of<'r, T: 'r>(records: &'r Records, part: impl Fn(&'r Batch) -> &'r Vec<T> + 'r) -> impl Iterator<Item = &'r T> {
    records.batches.iter().flat_map(part)
}

fn share(part: usize, all: usize) -> Option<f64> {
    (all > 0).then(|| 100.0 * part as f64 / all as f64)
}

fn change(now: usize, before: usize) -> Option<f64> {
    (before > 0).then(|| 100.0 * (now as f64 - before as f64) / before as f64)
}

fn count<T>(all: &[&T], fits: impl Fn(&T) -> bool) -> usize {
    all.iter().filter(|one| fits(one)).count()
}

fn series<T>(all: &[&T], value: impl Fn(&T) -> f64) -> Series {
    let mut series = Series::default();
    all.iter().for_each(|one| series.add(0, value(one)));
    series
}

fn different<K: Ord, T>(all: &[&T], key: impl Fn(&T) -> K) -> usize {
    all.iter().map(|one| key(one)).collect::<BTreeSet<K>>().len()
}

fn lines(records: &Records, view: &View) -> Rows {
    let own = records.logs().filter(|log| !SYNTHETIC_SERVICES.contains(&log.service));
    let mut rows = Rows::default();
    for (service, [now, before]) in split(view, own, |log| log.timestamp, |log| Some(log.service)) {
        let of = |severity| count(&now, |log| log.severity == severity);
        let cells = cells![
            "lines" => now.len(),
            "fatal" => of(Severity::Fatal),
            "error" => of(Severity::Error),
            "warn" => of(Severity::Warn),
            "error_pct" => share(of(Severity::Fatal) + of(Severity::Error), now.len()),
            "prev_lines" => before.len(),
            "prev_errors" => count(&before, |log| log.severity >= Severity::Error),
            "change_pct" => change(now.len(), before.len()),
        ];
        rows.add([service], cells);
    }
    rows
}

fn severities(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    for (severity, [now, before]) in split(view, records.logs(), |log| log.timestamp, |log| Some(log.severity.as_str()))
    {
        let cells = cells![
            "records" => now.len(),
            "prev_records" => before.len(),
            "body_mib" => now.iter().map(|log| log.body.len() as f64).sum::<f64>() / MIB,
        ];
        rows.add([severity], cells);
    }
    rows
}

/// Rows of each signal by service, now and before.
fn senders(records: &Records, view: &View) -> BTreeMap<(&'static str, String), [usize; 2]> {
    let mut counts = BTreeMap::<_, [usize; 2]>::new();
    let mut add = |signal: &'static str, service: &str, time: i64| {
        if let Some(now) = view.side(time) {
            counts.entry((signal, service.to_owned())).or_default()[usize::from(!now)] += 1;
        }
    };
    for batch in &records.batches {
        batch.spans.iter().for_each(|one| add("traces", &one.service.name, one.timestamp));
        batch.logs.iter().for_each(|one| add("logs", one.service, one.timestamp));
        batch.metrics.iter().for_each(|one| add("metrics", one.service, one.timestamp));
    }
    counts
}

fn sent(records: &Records, view: &View) -> Rows {
    let all = senders(records, view);
    let mut rows = Rows::default();
    for ((signal, service), [now, before]) in &all {
        let of_signal = all.iter().filter(|((other, _), _)| other == signal).map(|(_, counts)| counts[0]).sum();
        let cells = cells![
            "records" => *now,
            "prev_records" => *before,
            "share_pct" => share(*now, of_signal),
            "change_pct" => change(*now, *before),
        ];
        rows.add([signal, service], cells);
    }
    rows
}

fn signals(records: &Records, view: &View) -> Rows {
    let all = senders(records, view);
    let mut rows = Rows::default();
    for signal in ["traces", "logs", "metrics"] {
        let counts: Vec<[usize; 2]> =
            all.iter().filter(|((other, _), _)| *other == signal).map(|(_, counts)| *counts).collect();
        let side = |side: usize| counts.iter().map(|counts| counts[side]).sum::<usize>();
        let cells = cells![
            "records" => side(0),
            "prev_records" => side(1),
            "rate_per_s" => side(0) as f64 / view.seconds(),
            "change_pct" => change(side(0), side(1)),
            "services" => counts.iter().filter(|counts| counts[0] > 0).count(),
            "prev_services" => counts.iter().filter(|counts| counts[1] > 0).count(),
        ];
        rows.add([signal], cells);
    }
    rows
}

fn kind(audit: &Audit) -> &'static str {
    match audit.kind {
        AuditType::Auth => "AUTH",
        AuditType::Authz => "AUTHZ",
        AuditType::Data => "DATA",
        AuditType::System => "SYSTEM",
    }
}

fn outcome(audit: &Audit) -> &'static str {
    match audit.result {
        AuditResult::Success => "SUCCESS",
        AuditResult::Failure => "FAILURE",
        AuditResult::Denied => "DENIED",
    }
}

fn account(audit: &Audit) -> String {
    audit.user.as_ref().map_or(String::new(), |user| user.email.clone())
}

fn refused(audit: &Audit) -> bool {
    audit.result != AuditResult::Success
}

/// Whether one of the words of an action is a reading one.
fn reads(audit: &Audit) -> bool {
    let words = ["read", "list", "get", "view", "query", "search", "check", "export", "download"];
    audit.action.split(|letter: char| !letter.is_ascii_lowercase()).any(|word| words.contains(&word))
}

fn audits<K: Ord>(
    records: &Records,
    view: &View,
    key: impl Fn(&Audit) -> Option<K>,
    row: impl Fn(&[&Audit], &[&Audit]) -> Cells,
    name: impl Fn(K) -> Vec<String>,
) -> Rows {
    let mut rows = Rows::default();
    let all = of(records, |batch| &batch.audits);
    for (key, [now, before]) in split(view, all, |audit| audit.timestamp, key) {
        rows.0.insert(name(key), row(&now, &before));
    }
    rows
}

fn audit_kinds(records: &Records, view: &View) -> Rows {
    audits(
        records,
        view,
        |audit| Some((kind(audit), outcome(audit))),
        |now, before| {
            cells![
                "events" => now.len(),
                "prev_events" => before.len(),
                "change_pct" => change(now.len(), before.len()),
            ]
        },
        |(kind, outcome)| vec![kind.to_owned(), outcome.to_owned()],
    )
}

/// Rows of what was done in the window too.
fn done(mut rows: Rows, column: &str) -> Rows {
    rows.0.retain(|_, cells| cells.iter().any(|(name, cell)| *name == column && *cell != super::Cell::Number(0.0)));
    rows
}

/// What changed something: it went well, and did more than look.
fn changes(audit: &Audit) -> bool {
    audit.kind != AuditType::Auth && audit.result == AuditResult::Success && !reads(audit)
}

fn audit_accounts(records: &Records, view: &View) -> Rows {
    let rows = audits(
        records,
        view,
        |audit| Some(account(audit)),
        |now, before| {
            cells![
                "events" => now.len(),
                "refused_events" => count(now, refused),
                "changes" => count(now, changes),
                "actions" => different(now, |audit| audit.action),
                "addresses" => different(now, |audit| audit.address.clone()),
                "prev_events" => before.len(),
            ]
        },
        |account| vec![account],
    );
    done(rows, "events")
}

fn sign_ins(records: &Records, view: &View) -> Rows {
    let rows = audits(
        records,
        view,
        |audit| matches!(audit.kind, AuditType::Auth | AuditType::Authz).then(|| (kind(audit), audit.action)),
        |now, before| {
            let mut refusals: Vec<&Audit> = now.iter().copied().filter(|audit| refused(audit)).collect();
            refusals.retain(|audit| audit.user.is_some());
            cells![
                "events" => now.len(),
                "refused" => count(now, refused),
                "refused_pct" => share(count(now, refused), now.len()),
                "prev_refused_pct" => share(count(before, refused), before.len()),
                "accounts_refused" => different(&refusals, account),
            ]
        },
        |(kind, action)| vec![kind.to_owned(), action.to_owned()],
    );
    done(rows, "events")
}

fn actions(records: &Records, view: &View) -> Rows {
    let failed = |audit: &Audit| audit.result == AuditResult::Failure;
    let rows = audits(
        records,
        view,
        |audit| (audit.duration_ms > 0).then_some(audit.action),
        |now, before| {
            let (took, took_before) =
                (series(now, |audit| audit.duration_ms.into()), series(before, |audit| audit.duration_ms.into()));
            cells![
                "times" => now.len(),
                "prev_times" => before.len(),
                "failed_pct" => share(count(now, failed), now.len()),
                "prev_failed_pct" => share(count(before, failed), before.len()),
                "p50_ms" => took.percentile(0.5),
                "p95_ms" => took.percentile(0.95),
                "prev_p95_ms" => took_before.percentile(0.95),
            ]
        },
        |action| vec![action.to_owned()],
    );
    done(rows, "times")
}

/// What people who are known did with data and rights.
fn deeds(records: &Records, view: &View) -> Rows {
    let about = |audit: &Audit| matches!(audit.kind, AuditType::Data | AuditType::Authz) && audit.user.is_some();
    let mut rows = Rows::default();
    let all = of(records, |batch| &batch.audits);
    for (account, [now, before]) in
        split(view, all, |audit| audit.timestamp, |audit| about(audit).then(|| account(audit)))
    {
        let hour = |audit: &Audit| audit.timestamp / tfo_mcp::demo::offset::HOUR % 24;
        if now.is_empty() {
            continue;
        }
        let cells = cells![
            "changes" => count(&now, changes),
            "prev_changes" => count(&before, changes),
            "exports" => count(&now, |audit| audit.action.contains("export")),
            "denied" => count(&now, |audit| audit.result == AuditResult::Denied),
            "night_pct" => share(count(&now, |audit| hour(audit) >= 22 || hour(audit) < 6), now.len()),
            "addresses" => different(&now, |audit| audit.address.clone()),
        ];
        rows.add([&account], cells);
    }
    rows
}

fn monitors(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    let all = of(records, |batch| &batch.checks);
    for (name, [now, before]) in split(view, all, |check| check.timestamp, |check| Some(check.monitor.name.clone())) {
        let up = |check: &tfo_mcp::demo::event::Check| check.status == "success";
        let took = |checks: &[&tfo_mcp::demo::event::Check]| {
            let answered: Vec<_> = checks.iter().copied().filter(|check| up(check)).collect();
            series(&answered, |check| check.response_time).percentile(0.95)
        };
        let cells = cells![
            "checks" => now.len(),
            "failures" => now.len() - count(&now, up),
            "availability_pct" => share(count(&now, up), now.len()),
            "prev_availability_pct" => share(count(&before, up), before.len()),
            "p95_ms" => took(&now),
            "prev_p95_ms" => took(&before),
        ];
        rows.add([&name], cells);
    }
    rows
}

fn exemplars(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    let all = of(records, |batch| &batch.exemplars);
    for ((service, metric), [now, before]) in
        split(view, all, |one| one.timestamp, |one| Some((one.service, one.metric)))
    {
        let (values, earlier) = (series(&now, |one| one.value), series(&before, |one| one.value));
        let (median, before_median) = (values.percentile(0.5), earlier.percentile(0.5));
        if now.is_empty() {
            continue;
        }
        let cells = cells![
            "exemplars_now" => now.len(),
            "traces" => different(&now, |one| one.trace),
            "median_value" => median,
            "max_value" => values.highest(),
            "prev_exemplars" => before.len(),
            "prev_median_value" => before_median,
            "median_ratio" => median.zip(before_median).map(|(now, before)| now / before),
        ];
        rows.add([service, metric], cells);
    }
    rows
}

fn anomalies(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    let all = of(records, |batch| &batch.anomalies);
    let groups = split(view, all, |one| one.timestamp, |one| Some((one.metric.clone(), one.severity.clone())));
    for ((metric, severity), [now, before]) in groups.iter().filter(|(_, [now, _])| !now.is_empty()) {
        let cells = cells![
            "events" => now.len(),
            "prev_events" => before.len(),
            "max_score" => series(now, |one| one.score).highest(),
        ];
        rows.add([metric, severity], cells);
    }
    rows
}

/// Gauges of services that tell how busy they are.
fn busy(records: &Records, view: &View) -> Rows {
    let names = [
        "http.server.active_requests",
        "process.runtime.thread.count",
        "process.runtime.memory.usage",
        "process.runtime.gc.pause_time",
        "process.cpu.utilization",
        "system.cpu.load_average.1m",
        "db.client.connections.wait_time",
    ];
    let gauges = of(records, |batch| &batch.metrics)
        .filter(|one| names.contains(&one.name.as_ref()))
        .filter(|one| one.kind != tfo_mcp::demo::event::MetricKind::Counter)
        .map(|one| ((one.service, one.name.to_string()), one.timestamp, one.value));
    let mut rows = Rows::default();
    for ((service, metric), it) in sides(view, gauges) {
        let (now, before) = (it.now.mean(), it.before.mean());
        if it.now.count() > 0 {
            let cells = cells![
                "samples" => it.now.count(),
                "average" => now,
                "p95" => it.now.percentile(0.95),
                "maximum" => it.now.highest(),
                "prev_average" => before,
                "growth" => now.zip(before.filter(|before| *before != 0.0)).map(|(now, before)| now / before),
            ];
            rows.add([service, &metric], cells);
        }
    }
    rows
}

/// What a node of the network was measured at.
fn node_figures(now: &[&NodeTraffic], before: &[&NodeTraffic]) -> Cells {
    let mbit = |node: &NodeTraffic| (node.received + node.sent) * 8.0 / 1e6;
    let failed = |nodes: &[&NodeTraffic]| {
        let asked: f64 = nodes.iter().map(|node| node.request_rate).sum();
        let failed: f64 = nodes.iter().map(|node| node.request_rate * node.error_rate).sum();
        (asked > 0.0).then(|| failed / asked)
    };
    cells![
        "mbit_per_s" => series(now, mbit).mean(),
        "requests_per_s" => series(now, |node| node.request_rate).mean(),
        "prev_requests_per_s" => series(before, |node| node.request_rate).mean(),
        "error_pct" => failed(now),
        "prev_error_pct" => failed(before),
        "connections" => series(now, |node| node.connections).mean(),
    ]
}

fn nodes<'r>(records: &'r Records, view: &View) -> BTreeMap<String, [Vec<&'r NodeTraffic>; 2]> {
    split(view, of(records, |batch| &batch.node_traffic), |one| one.timestamp, |one| Some(one.node.clone()))
}

fn talkers(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    for (node, [now, before]) in nodes(records, view) {
        let mbit = |node: &NodeTraffic| (node.received + node.sent) * 8.0 / 1e6;
        let mut cells = node_figures(&now, &before);
        cells.extend(cells![
            "peak_mbit_per_s" => series(&now, mbit).highest(),
            "prev_mbit_per_s" => series(&before, mbit).mean(),
            "in_mbit_per_s" => series(&now, |node| node.received * 8.0 / 1e6).mean(),
        ]);
        rows.add([&node], cells);
    }
    rows
}

/// Nodes on record of a type, with some of what was measured of them.
fn nodes_of(records: &Records, view: &View, kind: &str, columns: &[&str]) -> Rows {
    let measured = nodes(records, view);
    let mut rows = Rows::default();
    for node in records.kept("network_map_nodes").filter(|node| node.text("type") == kind) {
        let name = node.text("name");
        let [now, before] = measured.get(&name).cloned().unwrap_or_default();
        let mut cells = node_figures(&now, &before);
        cells.retain(|(column, _)| columns.contains(column));
        rows.add([&name], cells);
    }
    rows
}

fn links(records: &Records, view: &View) -> Rows {
    let name = |line: &Line, column: &str| {
        records.named("network_map_nodes", &line.text(column)).map(|node| node.text("name")).unwrap_or_default()
    };
    let all = of(records, |batch| &batch.link_traffic);
    let mut rows = Rows::default();
    for (id, [now, before]) in split(view, all, |one| one.timestamp, |one| Some(one.link_id.to_string())) {
        let link = records.kept("network_map_connections").find(|link| link.text("id") == id).unwrap();
        let port = link.number("target_port").map_or(String::new(), |port| format!(" {port}"));
        let carried = |all: &[&tfo_mcp::demo::event::LinkTraffic]| {
            (!all.is_empty())
                .then(|| all.iter().map(|one| (one.bytes_sent + one.bytes_received) as f64).sum::<f64>() / MIB)
        };
        let cells = cells![
            "carried_mib" => carried(&now),
            "prev_carried_mib" => carried(&before),
            "latency_ms" => series(&now, |one| one.latency).mean(),
            "prev_latency_ms" => series(&before, |one| one.latency).mean(),
            "loss_pct" => series(&now, |one| one.loss).mean(),
            "prev_loss_pct" => series(&before, |one| one.loss).mean(),
        ];
        let way = format!("{}{port}", link.text("protocol"));
        rows.add([&name(link, "source_node_id"), &name(link, "target_node_id"), &way], cells);
    }
    rows
}

/// What counters of an exporter rose by, by the values of labels, now and before.
fn rises(records: &Records, view: &View, name: &str, labels: &[&str]) -> BTreeMap<Vec<String>, [f64; 2]> {
    let mut last = BTreeMap::<String, f64>::new();
    let mut rises = BTreeMap::<Vec<String>, [f64; 2]>::new();
    for one in of(records, |batch| &batch.scraped).filter(|one| one.name == name) {
        let before = last.insert(format!("{:?}", one.labels), one.value);
        if let (Some(before), Some(now)) = (before, view.side(one.timestamp)) {
            let label = |name: &&str| {
                one.labels.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_ref()).to_owned()
            };
            let key = labels.iter().map(label).collect();
            let rise = if one.value >= before { one.value - before } else { one.value };
            rises.entry(key).or_default()[usize::from(!now)] += rise;
        }
    }
    rises
}

fn name_answers(records: &Records, view: &View) -> Rows {
    let all = rises(records, view, "coredns_dns_responses_total", &["rcode"]);
    let sum = |side: usize| all.values().map(|counts| counts[side]).sum::<f64>();
    let mut rows = Rows::default();
    for (code, [now, before]) in all.iter().filter(|(_, counts)| counts.iter().any(|count| *count >= 1.0)) {
        let cells = cells![
            "answers" => *now,
            "prev_answers" => *before,
            "share_pct" => 100.0 * now / sum(0),
            "prev_share_pct" => 100.0 * before / sum(1),
        ];
        rows.0.insert(code.clone(), cells);
    }
    rows
}

fn refusals(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    let all = rises(records, view, "apiserver_request_total", &["verb", "resource", "code"]);
    for (key, [now, before]) in all.into_iter().filter(|(key, _)| key[2].as_str() >= "400") {
        if now + before > 0.0 {
            rows.0.insert(key, cells!["refusals" => now, "prev_refusals" => before]);
        }
    }
    rows
}

fn verbs(records: &Records, view: &View) -> Rows {
    let all = rises(records, view, "apiserver_request_total", &["verb", "code"]);
    let names: BTreeSet<&String> = all.keys().map(|key| &key[0]).collect();
    let mut rows = Rows::default();
    for verb in names {
        let sum = |side: usize, fits: &dyn Fn(&str) -> bool| {
            let own = all.iter().filter(|(key, _)| key[0] == *verb && fits(&key[1]));
            own.map(|(_, counts)| counts[side]).sum::<f64>()
        };
        let share = |side: usize, fits: &dyn Fn(&str) -> bool| {
            let whole = sum(side, &|_| true);
            (whole > 0.0).then(|| 100.0 * sum(side, fits) / whole)
        };
        let cells = cells![
            "failed_pct" => share(0, &|code| code.starts_with('5')),
            "prev_failed_pct" => share(1, &|code| code.starts_with('5')),
            "away_pct" => share(0, &|code| code == "429"),
            "prev_away_pct" => share(1, &|code| code == "429"),
        ];
        rows.add([verb], cells);
    }
    rows
}

fn usd(calls: &[&ModelCall]) -> f64 {
    calls.iter().map(|call| (call.micros.0 + call.micros.1) as f64 / 1e6).sum()
}

fn tokens(calls: &[&ModelCall]) -> f64 {
    calls.iter().map(|call| f64::from(call.prompt_tokens + call.completion_tokens)).sum()
}

fn failed(call: &ModelCall) -> bool {
    call.error.is_some()
}

fn model_calls<'r, K: Ord>(
    records: &'r Records,
    view: &View,
    key: fn(&ModelCall) -> K,
) -> BTreeMap<K, [Vec<&'r ModelCall>; 2]> {
    split(view, of(records, |batch| &batch.model_calls), |call| call.timestamp, |call| Some(key(call)))
}

fn models(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    for ((model, provider), [now, before]) in model_calls(records, view, |call| (call.model, call.provider)) {
        let took = |calls: &[&ModelCall]| {
            let answered: Vec<&ModelCall> = calls.iter().copied().filter(|call| !failed(call)).collect();
            series(&answered, |call| call.latency.into()).percentile(0.95)
        };
        let cells = cells![
            "calls" => now.len(),
            "prev_calls" => before.len(),
            "failures" => count(&now, failed),
            "prev_failures" => count(&before, failed),
            "error_pct" => share(count(&now, failed), now.len()),
            "p95_ms" => took(&now),
            "prev_p95_ms" => took(&before),
            "tokens" => tokens(&now),
            "prev_tokens" => tokens(&before),
            "cost_usd" => usd(&now),
            "prev_cost_usd" => usd(&before),
            "people" => now.iter().filter_map(|call| call.user).collect::<BTreeSet<_>>().len(),
        ];
        rows.add([model, provider], cells);
    }
    rows
}

fn topics(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    for (topic, [now, before]) in model_calls(records, view, |call| call.context) {
        let each = |calls: &[&ModelCall]| {
            let answered = calls.len() - count(calls, failed);
            (answered > 0).then(|| tokens(calls) / answered as f64)
        };
        let cells = cells![
            "calls" => now.len(),
            "prev_calls" => before.len(),
            "tokens_per_call" => each(&now),
            "prev_tokens_per_call" => each(&before),
            "cost_usd" => usd(&now),
            "prev_cost_usd" => usd(&before),
            "more_usd" => usd(&now) - usd(&before),
        ];
        rows.add([if topic.is_empty() { "(nothing named)" } else { topic }], cells);
    }
    rows
}

fn assistants(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    for ((model, provider), [now, before]) in model_calls(records, view, |call| (call.model, call.provider)) {
        let cells = cells![
            "calls" => now.len(),
            "prev_calls" => before.len(),
            "cost_usd" => usd(&now),
            "prev_cost_usd" => usd(&before),
        ];
        rows.add([model, provider], cells);
    }
    rows
}

/// Of each resource and horizon the newest forecast of each window.
fn horizons(records: &Records, view: &View) -> Rows {
    let forecasts = of(records, |batch| &batch.predictions)
        .map(|one| ((one.horizon, one.kind, one.resource.clone()), one.timestamp, one.probability));
    let mut by_horizon = BTreeMap::<&str, Vec<Sides>>::new();
    for ((horizon, ..), it) in sides(view, forecasts) {
        if it.now.count() > 0 {
            by_horizon.entry(horizon).or_default().push(it);
        }
    }
    let mut rows = Rows::default();
    for (horizon, all) in by_horizon {
        let likely = |side: fn(&Sides) -> &Series| {
            all.iter().filter(|it| side(it).latest().is_some_and(|chance| chance >= 0.7)).count()
        };
        let cells = cells![
            "resources" => all.len(),
            "likely" => likely(|it| &it.now),
            "prev_likely" => likely(|it| &it.before),
            "max_chance_pct" => super::series::highest(all.iter().map(|it| it.now.latest())).map(|most| 100.0 * most),
        ];
        rows.add([horizon], cells);
    }
    rows
}

const MONITOR: &[&str] = &["monitor_label"];
const MODEL: &[&str] = &["model", "provider_type"];
const NODE: &[&str] = &["node"];
const LINK: &[&str] = &["from_node", "to_node", "way"];

pub const ORACLES: &[Oracle] = &[
    Oracle { of: "logs", section: "services", keys: &["service_name"], expect: lines },
    Oracle { of: "platform-capacity", section: "senders", keys: &["signal", "service_name"], expect: sent },
    Oracle { of: "platform-capacity", section: "severities", keys: &["severity"], expect: severities },
    Oracle { of: "platform-health", section: "signals", keys: &["signal"], expect: signals },
    Oracle { of: "platform-performance", section: "actions", keys: &["action_name"], expect: actions },
    Oracle { of: "audit", section: "kinds", keys: &["kind", "outcome"], expect: audit_kinds },
    Oracle { of: "audit", section: "accounts", keys: &["account"], expect: audit_accounts },
    Oracle { of: "security-events", section: "checks", keys: &["kind", "action_name"], expect: sign_ins },
    Oracle { of: "security-access", section: "changes", keys: &["account"], expect: deeds },
    Oracle { of: "kubernetes-api-server", section: "refused", keys: &["verb", "resource", "code"], expect: refusals },
    Oracle { of: "kubernetes-api-server", section: "verbs", keys: &["verb"], expect: verbs },
    Oracle { of: "uptime", section: "monitors", keys: MONITOR, expect: monitors },
    Oracle { of: "status-page", section: "monitors", keys: MONITOR, expect: monitors },
    Oracle { of: "exemplars", section: "metrics", keys: &["service_name", "metric_name"], expect: exemplars },
    Oracle { of: "anomalies", section: "groups", keys: &["metric_name", "severity"], expect: anomalies },
    Oracle { of: "saturation", section: "load", keys: &["service_name", "metric_name"], expect: busy },
    Oracle { of: "network-map-traffic", section: "talkers", keys: NODE, expect: talkers },
    Oracle { of: "network-map-traffic", section: "links", keys: LINK, expect: links },
    Oracle {
        of: "infra-load-balancer",
        section: "balancers",
        keys: NODE,
        expect: |records, view| {
            let columns =
                ["requests_per_s", "prev_requests_per_s", "error_pct", "prev_error_pct", "connections", "mbit_per_s"];
            nodes_of(records, view, "load_balancer", &columns)
        },
    },
    Oracle {
        of: "network-map-firewall",
        section: "firewalls",
        keys: NODE,
        expect: |records, view| nodes_of(records, view, "firewall", &["mbit_per_s", "connections"]),
    },
    Oracle {
        of: "network-map-dns",
        section: "servers",
        keys: NODE,
        expect: |records, view| {
            nodes_of(records, view, "dns", &["requests_per_s", "prev_requests_per_s", "error_pct", "prev_error_pct"])
        },
    },
    Oracle {
        of: "infra-dns",
        section: "servers",
        keys: NODE,
        expect: |records, view| {
            nodes_of(records, view, "dns", &["requests_per_s", "prev_requests_per_s", "error_pct", "prev_error_pct"])
        },
    },
    Oracle { of: "kubernetes-coredns", section: "answers", keys: &["answer_code"], expect: name_answers },
    Oracle { of: "ai-assistant", section: "models", keys: MODEL, expect: models },
    Oracle { of: "ai-assistant", section: "topics", keys: &["topic"], expect: topics },
    Oracle { of: "cost-optimization", section: "assistants", keys: MODEL, expect: assistants },
    Oracle { of: "predictive-maintenance", section: "horizons", keys: &["horizon"], expect: horizons },
];
