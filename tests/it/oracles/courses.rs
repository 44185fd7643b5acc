//! The course of a window in twelve equal slots.

use std::collections::{BTreeMap, BTreeSet};

use tfo_mcp::demo::{
    event::{Severity, Span, SpanKind, Status},
    oracle::SYNTHETIC_SERVICES,
};
use time::{OffsetDateTime, macros::format_description};

use super::{Oracle, Rows, View, cells, records::Records, series::Series};

const MILLISECOND: i64 = 1_000_000;
const SLOTS: i64 = 12;
/// From how many nanoseconds on a statement is slow, where the caller does not say.
const SLOW: u64 = 100 * MILLISECOND as u64;

/// Length of a slot in whole milliseconds.
fn length(view: &View) -> i64 {
    ((view.now.to - view.now.from) / MILLISECOND / SLOTS).max(1)
}

/// When the slot of a moment of the window begins; none for other moments. The last takes what is left over.
fn slot(view: &View, time: i64) -> Option<i64> {
    let passed = time.div_euclid(MILLISECOND) - view.now.from / MILLISECOND;
    let slot = (passed / length(view)).min(SLOTS - 1);
    view.now.holds(time).then(|| view.now.from + slot * length(view) * MILLISECOND)
}

/// As documents tell a moment.
fn told(time: i64) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(time)).unwrap().format(format).unwrap()
}

/// What fell into each slot.
fn slots<T>(view: &View, all: impl Iterator<Item = (i64, T)>) -> BTreeMap<String, Vec<T>> {
    let mut slots = BTreeMap::<String, Vec<T>>::new();
    for (time, one) in all {
        if let Some(slot) = slot(view, time) {
            slots.entry(told(slot)).or_default().push(one);
        }
    }
    slots
}

fn durations(spans: &[&Span]) -> Series {
    let mut series = Series::default();
    spans.iter().for_each(|span| series.add(span.timestamp, span.duration as f64 / 1e6));
    series
}

fn requests(records: &Records, view: &View) -> Rows {
    let entries = records.spans().filter(|span| span.kind.is_entry());
    let mut rows = Rows::default();
    for (slot, spans) in slots(view, entries.map(|span| (span.timestamp, span))) {
        let failed = spans.iter().filter(|span| span.status == Status::Error).count();
        let services: BTreeSet<&str> = spans.iter().map(|span| span.service.name.as_str()).collect();
        let cells = cells![
            "requests" => spans.len(),
            "requests_per_s" => spans.len() as f64 / (length(view) as f64 / 1e3),
            "error_pct" => 100.0 * failed as f64 / spans.len() as f64,
            "services" => services.len(),
        ];
        rows.add([&slot], cells);
    }
    rows
}

fn lines(records: &Records, view: &View) -> Rows {
    let own = records.logs().filter(|log| !SYNTHETIC_SERVICES.contains(&log.service));
    let mut rows = Rows::default();
    for (slot, logs) in slots(view, own.map(|log| (log.timestamp, log))) {
        let errors: Vec<_> = logs.iter().filter(|log| log.severity >= Severity::Error).collect();
        let services: BTreeSet<&str> = errors.iter().map(|log| log.service).collect();
        let cells = cells![
            "lines" => logs.len(),
            "errors" => errors.len(),
            "warnings" => logs.iter().filter(|log| log.severity == Severity::Warn).count(),
            "failing_services" => services.len(),
        ];
        rows.add([&slot], cells);
    }
    rows
}

fn statements(records: &Records, view: &View) -> Rows {
    let calls = records.spans().filter(|span| span.kind == SpanKind::Client);
    let calls = calls.filter(|span| span.fixed.iter().any(|(key, _)| key == "db.system"));
    let mut rows = Rows::default();
    for (slot, spans) in slots(view, calls.map(|span| (span.timestamp, span))) {
        let cells = cells![
            "calls" => spans.len(),
            "slow_calls" => spans.iter().filter(|span| span.duration >= SLOW).count(),
            "p95_ms" => durations(&spans).percentile(0.95),
        ];
        rows.add([&slot], cells);
    }
    rows
}

/// A measure of all hosts, in percent.
fn hosts(records: &Records, view: &View, name: &str) -> BTreeMap<String, (usize, Series)> {
    let all = records.batches.iter().flat_map(|batch| &batch.vm_metrics).filter(|metric| metric.name == name);
    let slots = slots(view, all.map(|metric| (metric.timestamp, metric)));
    let figures = slots.into_iter().map(|(slot, metrics)| {
        let hosts: BTreeSet<_> = metrics.iter().map(|metric| metric.vm.id).collect();
        let mut series = Series::default();
        metrics.iter().for_each(|metric| series.add(metric.timestamp, 100.0 * metric.value));
        (slot, (hosts.len(), series))
    });
    figures.collect()
}

fn processors(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    for (slot, (hosts, used)) in hosts(records, view, "system.cpu.utilization") {
        rows.add([&slot], cells!["hosts" => hosts, "cpu_pct" => used.mean(), "cpu_max_pct" => used.highest()]);
    }
    rows
}

fn memory(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    for (slot, (hosts, used)) in hosts(records, view, "system.memory.utilization") {
        rows.add([&slot], cells!["hosts" => hosts, "memory_pct" => used.mean(), "memory_max_pct" => used.highest()]);
    }
    rows
}

const SLOT: &[&str] = &["slot_start"];

pub const ORACLES: &[Oracle] = &[
    Oracle { of: "throughput", section: "trend", keys: SLOT, expect: requests },
    Oracle { of: "logs", section: "trend", keys: SLOT, expect: lines },
    Oracle { of: "db-slow-queries", section: "course", keys: SLOT, expect: statements },
    Oracle { of: "infra-cpu", section: "course", keys: SLOT, expect: processors },
    Oracle { of: "infra-memory", section: "course", keys: SLOT, expect: memory },
];
