//! The report of what was measured.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{Cost, Measured, data::BLOCK};

/// Types that read fewer rows are told together.
const LITTLE: u64 = 100_000;
/// What a collection may take.
const LIMIT: f64 = 1.0;

pub fn render(measured: &[Measured]) -> String {
    let mut text = String::from(
        "# Cost of context types\n\nWritten by `cargo bench --bench scale`; the last run. Spans, log lines and metric points of two \
         days, so many of each, a quarter of them the asked organisation's and the others of nine whose services have the same \
         names. One collection of each type by a server that knows nothing of its rows yet, rendering included; rows and bytes \
         are those that ClickHouse read for it, counts and proofs included. `all`: from all rows; `1/n`: at least one section \
         from a sample of one trace in n; `sums`: at least one from kept sums.\n",
    );
    for of in measured {
        one(&mut text, of);
    }
    if let [small, large] = measured {
        growth(&mut text, small, large);
    }
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let profile = if cfg!(debug_assertions) { "unoptimised" } else { "optimised" };
    let loads: Vec<String> = measured.iter().map(|of| format!("{:.1}", of.load)).collect();
    let _ = writeln!(
        text,
        "\nMachine: {cores} cores, {}; the server {profile}; load average at the end of each part {}.",
        std::env::consts::ARCH,
        loads.join(" and ")
    );
    text
}

fn one(text: &mut String, of: &Measured) {
    let _ = writeln!(text, "\n## {} of each\n", thousands(of.rows));
    for kept in [false, true] {
        let costs: Vec<&Cost> = of.costs.iter().filter(|cost| cost.kept == kept).collect();
        let failed: Vec<String> = costs
            .iter()
            .filter(|cost| !cost.failed.is_empty())
            .map(|cost| format!("{} {}: {}", cost.context_type, cost.window, cost.failed.join(", ")))
            .collect();
        let slow = costs.iter().filter(|cost| cost.seconds > LIMIT).count();
        let _ = writeln!(
            text,
            "{} sums: {slow} of {} collections took more than {LIMIT} s; not read: {}.\n",
            if kept { "With" } else { "Without" },
            costs.len(),
            if failed.is_empty() { "nothing".to_owned() } else { failed.join("; ") }
        );
    }
    let mut types: BTreeMap<&str, Vec<&Cost>> = BTreeMap::new();
    for cost in &of.costs {
        types.entry(&cost.context_type).or_default().push(cost);
    }
    text.push_str("| type | window | without: rows | MB | s | CPU s | read | with: rows | MB | s | CPU s | read |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    let mut little = Vec::new();
    for (name, costs) in &types {
        if costs.iter().all(|cost| cost.rows < LITTLE) {
            little.extend(costs.iter().copied());
            continue;
        }
        let mut windows: Vec<&str> = costs.iter().map(|cost| cost.window).collect();
        windows.dedup();
        windows.truncate(windows.len().div_ceil(2));
        for window in windows {
            let cells = |kept| {
                let cost = costs.iter().find(|cost| cost.kept == kept && cost.window == window);
                cost.map_or_else(|| "| | | | ".to_owned(), |cost| cells(cost))
            };
            let _ = writeln!(text, "| {name} | {window} | {} | {} |", cells(false), cells(true));
        }
    }
    let slowest = little.iter().map(|cost| cost.seconds).fold(0.0, f64::max);
    let _ =
        writeln!(text, "\n{} collections read fewer rows than that; the slowest took {slowest:.2} s.", little.len());
    let _ = writeln!(text, "\n| table | rows | MB | bytes a row |\n|---|---|---|---|");
    for stored in &of.stored {
        let _ = writeln!(
            text,
            "| {} | {} | {:.1} | {:.1} |",
            stored.table,
            thousands(stored.rows),
            stored.bytes as f64 / 1e6,
            stored.bytes as f64 / stored.rows.max(1) as f64
        );
    }
    let _ = writeln!(text, "\nThe backfill took {:.1} s.", of.backfill_seconds);
    for (table, without, with) in &of.inserts {
        let _ = writeln!(
            text,
            "An insert of {} rows into `{table}`: {without:.0} ms without our views, {with:.0} ms with them ({:.2} ×).",
            thousands(BLOCK),
            with / without
        );
    }
}

fn cells(cost: &Cost) -> String {
    let mut read = Vec::new();
    if cost.from_sums {
        read.push("sums".to_owned());
    }
    if cost.sample > 1 {
        read.push(format!("1/{}", cost.sample));
    }
    if read.is_empty() {
        read.push("all".to_owned());
    }
    read.extend(cost.failed.iter().map(|failed| format!("**{failed}**")));
    format!(
        "{} | {:.0} | {:.2} | {:.2} | {}",
        thousands(cost.rows),
        cost.bytes as f64 / 1e6,
        cost.seconds,
        cost.cpu,
        read.join(", ")
    )
}

/// How cost grows with ten times the rows: where sums are read, hardly.
fn growth(text: &mut String, small: &Measured, large: &Measured) {
    let _ = writeln!(
        text,
        "\n## Growth\n\nRows read at {} for one read at {}, over 24 h:\n",
        thousands(large.rows),
        thousands(small.rows)
    );
    let _ = writeln!(text, "| type | without sums | with |\n|---|---|---|");
    let of = |measured: &Measured, name: &str, kept: bool| {
        let found = |cost: &&Cost| cost.context_type == name && cost.kept == kept && cost.window == "24h";
        measured.costs.iter().find(found).map(|cost| cost.rows as f64)
    };
    let grown = large.costs.iter().filter(|cost| !cost.kept && cost.window == "24h" && cost.rows >= LITTLE);
    for cost in grown {
        let name = &cost.context_type;
        let ratio = |kept| Some(of(large, name, kept)? / of(small, name, kept)?.max(1.0));
        if let (Some(without), Some(with)) = (ratio(false), ratio(true)) {
            let _ = writeln!(text, "| {name} | {without:.1} | {with:.1} |");
        }
    }
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
