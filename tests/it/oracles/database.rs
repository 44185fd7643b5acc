//! Databases as their agents measure them.

use std::collections::{BTreeMap, BTreeSet};

use tfo_mcp::demo::event::DatabaseMetric;

use super::{
    Cells, Oracle, Rows, View, cells,
    records::Records,
    series::{Sides, sides},
};

const GIB: f64 = 1_073_741_824.0;
const MIB: f64 = 1_048_576.0;

/// What was measured of one thing, by the name of the measure behind its vocabulary's.
struct Figures {
    prefix: &'static str,
    of: BTreeMap<&'static str, Sides>,
}

impl Figures {
    fn sides(&self, name: &str) -> Option<&Sides> {
        self.of.iter().find(|(known, _)| known.strip_prefix(self.prefix) == Some(name)).map(|(_, sides)| sides)
    }
    fn samples(&self) -> usize {
        self.of.values().map(|sides| sides.now.count()).max().unwrap_or(0)
    }
    fn mean(&self, name: &str) -> Option<f64> {
        self.sides(name)?.now.mean()
    }
    fn before(&self, name: &str) -> Option<f64> {
        self.sides(name)?.before.mean()
    }
    fn high(&self, name: &str) -> Option<f64> {
        self.sides(name)?.now.highest()
    }
    fn low(&self, name: &str) -> Option<f64> {
        self.sides(name)?.now.lowest()
    }
    fn last(&self, name: &str) -> Option<f64> {
        self.sides(name)?.now.latest()
    }
    fn rise(&self, name: &str) -> Option<f64> {
        self.sides(name)?.now.rise()
    }
    fn rise_before(&self, name: &str) -> Option<f64> {
        self.sides(name)?.before.rise()
    }
    /// The last value against the mean before.
    fn grown(&self, name: &str) -> Option<f64> {
        Some(self.last(name)? - self.before(name)?)
    }
}

fn of(by: f64, number: Option<f64>) -> Option<f64> {
    number.map(|number| number * by)
}

fn whole(number: Option<f64>) -> Option<f64> {
    number.map(f64::trunc)
}

fn share(part: Option<f64>, of: Option<f64>) -> Option<f64> {
    Some(100.0 * part? / of.filter(|of| *of != 0.0)?)
}

fn label<'a>(metric: &'a DatabaseMetric, name: &str) -> &'a str {
    metric.labels.and_then(|labels| labels.get(name)).map_or("", String::as_str)
}

/// Whether a measure is that of a server as a whole.
fn plain(metric: &DatabaseMetric) -> bool {
    metric.labels.is_none_or(|labels| labels.is_empty())
}

/// Figures of a vocabulary by server and by the values of some labels, of measures that `fits` chooses.
fn figures(
    records: &Records,
    view: &View,
    kind: &str,
    labels: &[&str],
    fits: impl Fn(&DatabaseMetric) -> bool,
) -> BTreeMap<Vec<String>, Figures> {
    let prefix = match kind {
        "mysql" => "db.mysql.",
        "postgresql" => "db.postgresql.",
        "mongodb" => "db.mongodb.",
        "clickhouse" => "db.clickhouse.",
        "mssql" => "db.mssql.",
        "dynamodb" => "db.dynamodb.",
        "sqlite3" => "db.sqlite3.",
        "timescaledb" => "db.timescaledb.",
        "aurora" => "db.aurora.",
        _ => "db.",
    };
    let metrics = records.batches.iter().flat_map(|batch| &batch.database_metrics);
    let chosen = metrics.filter(|metric| metric.kind == kind && fits(metric)).map(|metric| {
        let mut key = vec![metric.instance.to_owned()];
        key.extend(labels.iter().map(|name| label(metric, name).to_owned()));
        // Measures of Aurora are kept by the minute.
        let time = if kind == "aurora" { metric.timestamp / 60_000_000_000 * 60_000_000_000 } else { metric.timestamp };
        ((key, metric.name), time, metric.value)
    });
    let mut all = BTreeMap::new();
    for ((key, name), sides) in sides(view, chosen) {
        all.entry(key).or_insert_with(|| Figures { prefix, of: BTreeMap::new() }).of.insert(name, sides);
    }
    all
}

/// A row a server, with those that are only on record.
fn servers(records: &Records, view: &View, kind: &str, engines: &[&str], row: impl Fn(&Figures) -> Cells) -> Rows {
    let measured = figures(records, view, kind, &[], plain);
    let on_record: BTreeSet<String> = records
        .kept("database_instances")
        .filter(|line| engines.contains(&line.text("type").as_str()))
        .map(|line| line.text("name"))
        .collect();
    let mut rows = Rows::default();
    for name in on_record.iter().filter(|name| !measured.contains_key(&vec![(*name).clone()])) {
        rows.add([name], cells!["found_in" => "only records"]);
    }
    for (key, figures) in &measured {
        let mut cells = row(figures);
        cells.push(("samples", figures.samples().into()));
        cells.push(("found_in", if on_record.contains(&key[0]) { "both" } else { "only servers" }.into()));
        rows.add([&key[0]], cells);
    }
    rows
}

/// A row a server that was measured in the window.
fn measured(records: &Records, view: &View, kind: &str, row: impl Fn(&Figures) -> Cells) -> Rows {
    labelled(records, view, kind, &[], plain, row)
}

/// A row a server and labels.
fn labelled(
    records: &Records,
    view: &View,
    kind: &str,
    labels: &[&str],
    fits: impl Fn(&DatabaseMetric) -> bool,
    row: impl Fn(&Figures) -> Cells,
) -> Rows {
    let mut rows = Rows::default();
    for (key, figures) in figures(records, view, kind, labels, fits) {
        if figures.samples() > 0 {
            rows.0.insert(key, row(&figures));
        }
    }
    rows
}

fn mysql_servers(records: &Records, view: &View) -> Rows {
    servers(records, view, "mysql", &["mysql", "mariadb", "percona", "aws-rds-mysql"], |it| {
        cells![
            "qps" => it.mean("qps"),
            "prev_qps" => it.before("qps"),
            "running_max" => whole(it.high("threads.running")),
            "connections_pct" => share(it.high("connections.active"), it.last("connections.max")),
            "hit_pct" => of(100.0, it.mean("buffer_pool_hit_ratio")),
            "prev_hit_pct" => of(100.0, it.before("buffer_pool_hit_ratio")),
            "slow_queries" => it.mean("slow_queries_per_hour"),
            "prev_slow_queries" => it.before("slow_queries_per_hour"),
        ]
    })
}

fn mysql_locks(records: &Records, view: &View) -> Rows {
    measured(records, view, "mysql", |it| {
        cells![
            "waits_max" => whole(it.high("innodb.lock_waits")),
            "prev_waits" => it.before("innodb.lock_waits"),
            "longest_wait_s" => whole(it.high("innodb.longest_wait_seconds")),
            "deadlocks" => whole(it.rise("innodb.deadlocks")),
            "prev_deadlocks" => whole(it.rise_before("innodb.deadlocks")),
            "history_length" => whole(it.last("innodb.history_list_length")),
            "prev_history_length" => it.before("innodb.history_list_length"),
        ]
    })
}

fn mysql_replicas(records: &Records, view: &View) -> Rows {
    let fits = |metric: &DatabaseMetric| metric.name.starts_with("db.mysql.replication");
    labelled(records, view, "mysql", &["source"], fits, |it| {
        let yes = |name: &str| if it.last(name) == Some(1.0) { "yes" } else { "no" };
        cells![
            "lag_s" => it.last("replication_lag_seconds"),
            "prev_lag_s" => it.before("replication_lag_seconds"),
            "receives" => yes("replication.io_running"),
            "applies" => yes("replication.sql_running"),
        ]
    })
}

fn mysql_tables(records: &Records, view: &View) -> Rows {
    let fits = |metric: &DatabaseMetric| !label(metric, "table").is_empty() && label(metric, "index").is_empty();
    labelled(records, view, "mysql", &["table"], fits, |it| {
        let (size, free) = (it.last("schema.table_size_bytes"), it.last("schema.table_free_bytes"));
        cells![
            "size_gib" => of(1.0 / GIB, size),
            "grown_gib" => of(1.0 / GIB, it.grown("schema.table_size_bytes")),
            "unused_gib" => of(1.0 / GIB, free),
            "unused_pct" => share(free, size),
        ]
    })
}

fn index_rows(records: &Records, view: &View, kind: &str, reads: &str, size: &str) -> Rows {
    let fits = |metric: &DatabaseMetric| !label(metric, "index").is_empty();
    labelled(records, view, kind, &["table", "index"], fits, |it| {
        cells![
            "scans" => whole(it.rise(reads)),
            "prev_scans" => whole(it.rise_before(reads)),
            "scans_ever" => whole(it.last(reads)),
            "size_gib" => of(1.0 / GIB, it.last(size)),
        ]
    })
}

fn postgresql_servers(records: &Records, view: &View) -> Rows {
    servers(records, view, "postgresql", &["postgresql"], |it| {
        let idle = it.high("connections.idle_in_transaction");
        let used = it.high("connections.active").zip(idle).map(|(active, idle)| active + idle);
        let ended = it.rise("xact_commit").zip(it.rise("xact_rollback")).map(|(done, undone)| done + undone);
        cells![
            "connections_pct" => share(used, it.last("connections.max")),
            "idle_in_transaction_max" => whole(idle),
            "prev_idle_in_transaction" => it.before("connections.idle_in_transaction"),
            "hit_pct" => of(100.0, it.mean("cache_hit_ratio")),
            "prev_hit_pct" => of(100.0, it.before("cache_hit_ratio")),
            "rollback_pct" => share(it.rise("xact_rollback"), ended),
            "xid_age_millions" => of(1e-6, it.last("xid_age")),
            "oldest_transaction_s" => whole(it.high("oldest_transaction_seconds")),
            "prev_oldest_transaction_s" => it.before("oldest_transaction_seconds"),
        ]
    })
}

fn postgresql_locks(records: &Records, view: &View) -> Rows {
    measured(records, view, "postgresql", |it| {
        cells![
            "waits_max" => whole(it.high("locks.waiting")),
            "prev_waits" => it.before("locks.waiting"),
            "longest_wait_s" => whole(it.high("locks.max_wait_seconds")),
            "deadlocks" => whole(it.rise("deadlocks")),
            "prev_deadlocks" => whole(it.rise_before("deadlocks")),
        ]
    })
}

fn postgresql_replicas(records: &Records, view: &View) -> Rows {
    let fits = |metric: &DatabaseMetric| metric.name.starts_with("db.postgresql.replication.lag");
    labelled(records, view, "postgresql", &["source"], fits, |it| {
        cells![
            "lag_s" => it.last("replication.lag_seconds"),
            "lag_max_s" => it.high("replication.lag_seconds"),
            "prev_lag_s" => it.before("replication.lag_seconds"),
            "lag_mib" => of(1.0 / MIB, it.last("replication.lag_bytes")),
        ]
    })
}

fn postgresql_slots(records: &Records, view: &View) -> Rows {
    let fits = |metric: &DatabaseMetric| metric.name.starts_with("db.postgresql.replication.slot");
    labelled(records, view, "postgresql", &["slot"], fits, |it| {
        cells![
            "retained_gib" => of(1.0 / GIB, it.last("replication.slot_retained_bytes")),
            "prev_retained_gib" => of(1.0 / GIB, it.before("replication.slot_retained_bytes")),
        ]
    })
}

fn is_table(metric: &DatabaseMetric) -> bool {
    !label(metric, "table").is_empty() && label(metric, "index").is_empty()
}

fn postgresql_tables(records: &Records, view: &View) -> Rows {
    labelled(records, view, "postgresql", &["table"], is_table, |it| {
        let (dead, live) = (it.last("stat_user_tables.n_dead_tup"), it.last("stat_user_tables.n_live_tup"));
        cells![
            "size_gib" => of(1.0 / GIB, it.last("table_size_bytes")),
            "grown_gib" => of(1.0 / GIB, it.grown("table_size_bytes")),
            "dead_pct" => share(dead, dead.zip(live).map(|(dead, live)| dead + live)),
            "dead_rows" => whole(dead),
            "vacuumed_before_h" => whole(of(1.0 / 3600.0, it.last("stat_user_tables.last_autovacuum_age_seconds"))),
        ]
    })
}

fn postgresql_scanned(records: &Records, view: &View) -> Rows {
    labelled(records, view, "postgresql", &["table"], is_table, |it| {
        let (full, by_index) = (it.rise("stat_user_tables.seq_scan"), it.rise("stat_user_tables.idx_scan"));
        cells![
            "full_scans" => whole(full),
            "prev_full_scans" => whole(it.rise_before("stat_user_tables.seq_scan")),
            "full_scans_pct" => share(full, full.zip(by_index).map(|(full, other)| full + other)),
            "live_rows" => whole(it.last("stat_user_tables.n_live_tup")),
        ]
    })
}

/// The name of the type asks for this engine alone.
const COMMUNITY: &str = "mongodb-community";

fn mongodb_servers(records: &Records, view: &View) -> Rows {
    let mut rows = servers(records, view, "mongodb", &[COMMUNITY], |it| {
        let room = it.last("connections.current").zip(it.last("connections.available"));
        cells![
            "operations_per_s" => it.mean("opcounters.per_s"),
            "prev_operations_per_s" => it.before("opcounters.per_s"),
            "slow_p95_ms" => it.mean("queries.slow_duration_p95"),
            "prev_slow_p95_ms" => it.before("queries.slow_duration_p95"),
            "connections_pct" => share(it.high("connections.current"), room.map(|(used, free)| used + free)),
        ]
    });
    rows.0.retain(|key, _| of_community(records, &key[0]));
    rows
}

fn of_community(records: &Records, server: &str) -> bool {
    records.kept("database_instances").any(|line| line.text("name") == server && line.text("type") == COMMUNITY)
}

fn mongodb_storage(records: &Records, view: &View) -> Rows {
    let mut rows = measured(records, view, "mongodb", |it| {
        cells![
            "fewest_write_tickets" => whole(it.low("wiredtiger.write_tickets_available")),
            "prev_write_tickets" => it.before("wiredtiger.write_tickets_available"),
            "fewest_read_tickets" => whole(it.low("wiredtiger.read_tickets_available")),
            "cache_pct" => of(100.0, it.last("wiredtiger.cache_used_ratio")),
            "dirty_pct" => of(100.0, it.last("wiredtiger.cache_dirty_ratio")),
            "prev_dirty_pct" => of(100.0, it.before("wiredtiger.cache_dirty_ratio")),
        ]
    });
    rows.0.retain(|key, _| of_community(records, &key[0]));
    rows
}

fn clickhouse_servers(records: &Records, view: &View) -> Rows {
    servers(records, view, "clickhouse", &["clickhouse"], |it| {
        cells![
            "running_max" => whole(it.high("queries.running")),
            "failed_queries" => whole(it.rise("queries.failed")),
            "prev_failed_queries" => whole(it.rise_before("queries.failed")),
            "memory_max_pct" => of(100.0, it.high("memory.used_ratio")),
            "merges" => it.mean("merges.running"),
            "prev_merges" => it.before("merges.running"),
            "mutations" => whole(it.last("mutations.unfinished")),
            "prev_mutations" => it.before("mutations.unfinished"),
        ]
    })
}

fn clickhouse_parts(records: &Records, view: &View) -> Rows {
    let fits = |metric: &DatabaseMetric| metric.name.starts_with("db.clickhouse.parts");
    labelled(records, view, "clickhouse", &["table"], fits, |it| {
        cells![
            "parts" => whole(it.last("parts.per_partition_max")),
            "prev_parts" => it.before("parts.per_partition_max"),
            "size_gib" => of(1.0 / GIB, it.last("parts.bytes")),
            "grown_gib" => of(1.0 / GIB, it.grown("parts.bytes")),
        ]
    })
}

fn clickhouse_inserts(records: &Records, view: &View) -> Rows {
    measured(records, view, "clickhouse", |it| {
        cells![
            "delayed" => whole(it.rise("inserts.delayed")),
            "prev_delayed" => whole(it.rise_before("inserts.delayed")),
            "refused" => whole(it.rise("inserts.rejected")),
            "prev_refused" => whole(it.rise_before("inserts.rejected")),
            "keeper_exceptions" => whole(it.rise("keeper.exceptions")),
        ]
    })
}

fn clickhouse_replicas(records: &Records, view: &View) -> Rows {
    let fits = |metric: &DatabaseMetric| metric.name.starts_with("db.clickhouse.replicas");
    labelled(
        records,
        view,
        "clickhouse",
        &["table"],
        fits,
        |it| cells!["lag_s" => it.last("replicas.delay_seconds"), "prev_lag_s" => it.before("replicas.delay_seconds")],
    )
}

fn mssql_servers(records: &Records, view: &View) -> Rows {
    servers(records, view, "mssql", &["mssql"], |it| {
        cells![
            "batches" => it.mean("batch_requests_per_s"),
            "prev_batches" => it.before("batch_requests_per_s"),
            "shortest_page_life_s" => whole(it.low("page_life_expectancy_seconds")),
            "prev_page_life_s" => it.before("page_life_expectancy_seconds"),
            "tempdb_max_pct" => of(100.0, it.high("tempdb_used_ratio")),
        ]
    })
}

fn mssql_blocking(records: &Records, view: &View) -> Rows {
    measured(records, view, "mssql", |it| {
        cells![
            "blocked_max" => whole(it.high("blocked_processes")),
            "prev_blocked" => it.before("blocked_processes"),
            "longest_wait_s" => whole(it.high("longest_block_seconds")),
            "deadlocks" => whole(it.rise("deadlocks")),
            "prev_deadlocks" => whole(it.rise_before("deadlocks")),
        ]
    })
}

fn mssql_waits(records: &Records, view: &View) -> Rows {
    let fits = |metric: &DatabaseMetric| metric.name == "db.mssql.waits.time_ms";
    let all = figures(records, view, "mssql", &["category"], fits);
    let mut rows = Rows::default();
    for (key, it) in all.iter().filter(|(_, it)| it.samples() > 0) {
        let of_server = all.iter().filter(|(other, _)| other[0] == key[0]);
        let waited: f64 = of_server.filter_map(|(_, it)| it.rise("waits.time_ms")).sum();
        let cells = cells![
            "waited_s" => of(1e-3, it.rise("waits.time_ms")),
            "prev_waited_s" => of(1e-3, it.rise_before("waits.time_ms")),
            "time_pct" => share(it.rise("waits.time_ms"), Some(waited)),
        ];
        rows.add([&key[0], &key[1]], cells);
    }
    rows
}

fn dynamodb_tables(records: &Records, view: &View) -> Rows {
    let fits = |metric: &DatabaseMetric| !label(metric, "table").is_empty();
    labelled(records, view, "dynamodb", &["table", "kind"], fits, |it| {
        let room = it.last("provisioned_units_per_s");
        cells![
            "throttled" => whole(it.rise("throttled_requests")),
            "prev_throttled" => whole(it.rise_before("throttled_requests")),
            "units_per_s" => it.mean("consumed_units_per_s"),
            "prev_units_per_s" => it.before("consumed_units_per_s"),
            "capacity_max_pct" => share(it.high("consumed_units_per_s"), room),
            "provisioned_per_s" => whole(room),
            "p99_ms" => it.mean("latency_p99_ms"),
            "prev_p99_ms" => it.before("latency_p99_ms"),
        ]
    })
}

fn sqlite_files(records: &Records, view: &View) -> Rows {
    servers(records, view, "sqlite3", &["sqlite3"], |it| {
        cells![
            "wal_mib" => of(1.0 / MIB, it.last("wal_bytes")),
            "prev_wal_mib" => of(1.0 / MIB, it.before("wal_bytes")),
            "checkpoint_age_s" => whole(it.last("checkpoint_age_seconds")),
            "prev_checkpoint_age_s" => it.before("checkpoint_age_seconds"),
        ]
    })
}

fn sqlite_pages(records: &Records, view: &View) -> Rows {
    measured(records, view, "sqlite3", |it| {
        cells![
            "size_mib" => of(1.0 / MIB, it.last("database_bytes")),
            "grown_mib" => of(1.0 / MIB, it.grown("database_bytes")),
            "free_pages_pct" => of(100.0, it.last("freelist_ratio")),
        ]
    })
}

fn timescale_servers(records: &Records, view: &View) -> Rows {
    servers(records, view, "timescaledb", &["timescaledb"], |it| {
        cells![
            "ingest_rows_per_s" => it.mean("ingest_rows_per_s"),
            "prev_ingest_rows_per_s" => it.before("ingest_rows_per_s"),
            "size_gib" => of(1.0 / GIB, it.last("database_bytes")),
            "grown_gib" => of(1.0 / GIB, it.grown("database_bytes")),
            "workers_pct" => share(it.high("background_workers.busy"), it.last("background_workers.max")),
        ]
    })
}

fn hypertables(records: &Records, view: &View) -> Rows {
    let fits = |metric: &DatabaseMetric| !label(metric, "hypertable").is_empty();
    labelled(records, view, "timescaledb", &["hypertable"], fits, |it| {
        cells![
            "chunks" => whole(it.last("hypertable.chunks")),
            "uncompressed" => whole(it.last("hypertable.uncompressed_chunks")),
            "prev_uncompressed" => it.before("hypertable.uncompressed_chunks"),
            "size_gib" => of(1.0 / GIB, it.last("hypertable.bytes")),
        ]
    })
}

fn cockroach_nodes(records: &Records, view: &View) -> Rows {
    servers(records, view, "cockroachdb", &["cockroachdb"], |it| {
        cells![
            "statements_per_s" => it.mean("sql.statements_per_s"),
            "prev_statements_per_s" => it.before("sql.statements_per_s"),
            "p99_ms" => it.mean("sql.service_latency_p99_ms"),
            "prev_p99_ms" => it.before("sql.service_latency_p99_ms"),
            "disk_max_pct" => of(100.0, it.high("capacity.used_ratio")),
        ]
    })
}

fn cockroach_retries(records: &Records, view: &View) -> Rows {
    measured(records, view, "cockroachdb", |it| {
        cells![
            "restarts" => whole(it.rise("sql.txn_restarts")),
            "prev_restarts" => whole(it.rise_before("sql.txn_restarts")),
            "offset_max_ms" => it.high("clock_offset_ms"),
        ]
    })
}

fn aurora_load(records: &Records, view: &View) -> Rows {
    servers(records, view, "aurora", &["aws-rds-aurora"], |it| {
        cells![
            "active_sessions" => it.mean("load_aas"),
            "prev_active_sessions" => it.before("load_aas"),
            "active_sessions_max" => it.high("load_aas"),
            "cores" => whole(it.last("vcpus")),
            "load_max_pct" => share(it.high("load_aas"), it.last("vcpus")),
            "connections_max" => whole(it.high("connections")),
        ]
    })
}

fn aurora_commits(records: &Records, view: &View) -> Rows {
    measured(records, view, "aurora", |it| {
        cells![
            "commit_ms" => it.mean("commit_latency_ms"),
            "prev_commit_ms" => it.before("commit_latency_ms"),
            "hit_pct" => of(100.0, it.mean("buffer_cache_hit_ratio")),
            "prev_hit_pct" => of(100.0, it.before("buffer_cache_hit_ratio")),
            "deadlocks" => whole(it.rise("deadlocks")),
            "prev_deadlocks" => whole(it.rise_before("deadlocks")),
        ]
    })
}

/// Servers on record by engine, and how many are not online.
fn inventory(records: &Records, _: &View) -> Rows {
    let mut engines = BTreeMap::<String, (usize, usize, BTreeSet<String>)>::new();
    for line in records.kept("database_instances") {
        let known = engines.entry(line.text("type")).or_default();
        known.0 += 1;
        known.1 += usize::from(line.text("status") != "online");
        known.2.extend(Some(line.text("version")).filter(|version| !version.is_empty()));
    }
    let mut rows = Rows::default();
    for (engine, (servers, not_online, versions)) in engines {
        rows.add([&engine], cells!["servers" => servers, "not_online" => not_online, "versions" => versions.len()]);
    }
    rows
}

const SERVER: &[&str] = &["instance"];
const TABLE: &[&str] = &["instance", "table_name"];
const SOURCE: &[&str] = &["instance", "source_server"];
const INDEX: &[&str] = &["instance", "table_name", "index_name"];

const fn oracle(
    of: &'static str,
    section: &'static str,
    keys: &'static [&'static str],
    expect: fn(&Records, &View) -> Rows,
) -> Oracle {
    Oracle { of, section, keys, expect }
}

pub const ORACLES: &[Oracle] = &[
    oracle("db-monitoring-mysql", "servers", SERVER, mysql_servers),
    oracle("db-monitoring-mysql", "locks", SERVER, mysql_locks),
    oracle("db-monitoring-mysql", "replication", SOURCE, mysql_replicas),
    oracle("db-monitoring-postgresql", "servers", SERVER, postgresql_servers),
    oracle("db-monitoring-postgresql", "locks", SERVER, postgresql_locks),
    oracle("db-monitoring-postgresql", "replicas", SOURCE, postgresql_replicas),
    oracle("db-monitoring-postgresql", "slots", &["instance", "slot"], postgresql_slots),
    oracle("db-monitoring-mongodb-community", "servers", SERVER, mongodb_servers),
    oracle("db-monitoring-mongodb-community", "storage", SERVER, mongodb_storage),
    oracle("db-monitoring-clickhouse", "servers", SERVER, clickhouse_servers),
    oracle("db-monitoring-clickhouse", "inserts", SERVER, clickhouse_inserts),
    oracle("db-monitoring-clickhouse", "parts", TABLE, clickhouse_parts),
    oracle("db-monitoring-mssql", "servers", SERVER, mssql_servers),
    oracle("db-monitoring-mssql", "blocking", SERVER, mssql_blocking),
    oracle("db-monitoring-mssql", "waits", &["instance", "wait_category"], mssql_waits),
    oracle("db-monitoring-aws-dynamodb", "tables", &["instance", "table_name", "capacity_of"], dynamodb_tables),
    oracle("db-monitoring-sqlite3", "files", SERVER, sqlite_files),
    oracle("db-monitoring-sqlite3", "pages", SERVER, sqlite_pages),
    oracle("db-monitoring-timescaledb", "servers", SERVER, timescale_servers),
    oracle("db-monitoring-timescaledb", "hypertables", &["instance", "hypertable"], hypertables),
    oracle("db-monitoring-cockroachdb", "nodes", SERVER, cockroach_nodes),
    oracle("db-monitoring-cockroachdb", "retries", SERVER, cockroach_retries),
    oracle("db-monitoring-aurora", "load", SERVER, aurora_load),
    oracle("db-monitoring-aurora", "commits", SERVER, aurora_commits),
    oracle("db-monitoring-inventory", "engines", &["engine"], inventory),
    oracle("db-locks", "postgresql", SERVER, postgresql_locks),
    oracle("db-locks", "mysql", SERVER, mysql_locks),
    oracle("db-locks", "mssql", SERVER, mssql_blocking),
    oracle("db-replication", "mysql", SOURCE, mysql_replicas),
    oracle("db-replication", "postgresql", SOURCE, postgresql_replicas),
    oracle("db-replication", "slots", &["instance", "slot"], postgresql_slots),
    oracle("db-replication", "clickhouse", TABLE, clickhouse_replicas),
    oracle("db-tables", "postgresql", TABLE, postgresql_tables),
    oracle("db-tables", "mysql", TABLE, mysql_tables),
    oracle("db-tables", "clickhouse", TABLE, clickhouse_parts),
    oracle("db-tables", "hypertables", &["instance", "hypertable"], hypertables),
    oracle("db-indexes", "scanned", TABLE, postgresql_scanned),
    oracle("db-indexes", "postgresql", INDEX, |records, view| {
        index_rows(records, view, "postgresql", "stat_user_indexes.idx_scan", "index_size_bytes")
    }),
    oracle("db-indexes", "mysql", INDEX, |records, view| {
        index_rows(records, view, "mysql", "index.reads", "index.size_bytes")
    }),
];
