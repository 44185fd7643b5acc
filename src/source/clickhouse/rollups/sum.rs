//! What one sum is: of which rows of the platform, in which table of ours, and what makes it. Two further tables belong to
//! it: one in which a day is gathered, and one that counts rows that came late.

use time::{Date, OffsetDateTime};

use super::{DAY, SECONDS};

/// Rows of the platform that are added up by the minute.
#[derive(Debug, Clone, Copy)]
pub struct Sum {
    /// Its table, which is also its name in `tfo_rollups`.
    pub table: &'static str,
    /// Where rows are counted that came after the views were made and are older than that.
    pub late: &'static str,
    /// Another version is another meaning, which definitions do not read.
    pub version: u32,
    /// What is added up, to stand in a sentence.
    pub what: &'static str,
    /// Which rows of the platform's table.
    which: &'static str,
    /// `CREATE TABLE …`; its columns stand in the order of `select`.
    made: &'static str,
    /// `SELECT … FROM …`, whose expressions cannot throw, or the platform's inserts would fail.
    select: &'static str,
    /// What a row is of.
    by: &'static str,
}

pub const REQUESTS: Sum = Sum {
    table: "tfo_requests_1m",
    late: "tfo_late_requests",
    version: 1,
    what: "requests",
    which: "span_kind IN ('SERVER', 'CONSUMER')",
    made: include_str!("requests_table.sql"),
    select: include_str!("requests.sql"),
    by: "organization_id, workspace_id, service_name, operation_name, service_version, environment, minute",
};

/// How many spans there are, by which samples are chosen.
pub const SPANS: Sum = Sum {
    table: "tfo_spans_1m",
    late: "tfo_late_spans",
    version: 1,
    what: "spans",
    which: "true",
    made: include_str!("spans_table.sql"),
    select: include_str!("spans.sql"),
    by: "organization_id, workspace_id, service_name, span_kind, minute",
};

pub const TEXTS: Sum = Sum {
    table: "tfo_texts_1m",
    late: "tfo_late_lines",
    version: 2,
    what: "texts of log lines",
    which: "true",
    made: include_str!("texts_table.sql"),
    select: include_str!("texts.sql"),
    by: "organization_id, workspace_id, service_name, severity, text, minute",
};

/// What a workspace measured; the platform's own rollups add workspaces up.
pub const METRICS: Sum = Sum {
    table: "tfo_metrics_1m",
    late: "tfo_late_points",
    version: 1,
    what: "metric points",
    which: "true",
    made: include_str!("metrics_table.sql"),
    select: include_str!("metrics.sql"),
    by: "organization_id, workspace_id, service_name, metric_name, metric_type, minute",
};

/// How long sums are kept where the operator says nothing else.
const TTL: &str = " TTL minute + INTERVAL 400 DAY";
const LATE_TTL: &str = " TTL arrived + INTERVAL 400 DAY";

impl Sum {
    /// The table of the platform.
    pub fn of(&self) -> &'static str {
        let mut read = self.select.split("FROM ").skip(1).filter_map(|rest| rest.split_whitespace().next());
        read.find(|name| !name.starts_with('(')).unwrap_or_default()
    }

    /// What makes it, for rows from `cutoff` on, a whole minute. Whatever is there already stays as it is.
    pub fn make(&self, cutoff: OffsetDateTime, kept_forever: bool) -> Vec<String> {
        let (of, Self { table, late, version, which, by, .. }) = (self.of(), self);
        let cutoff = cutoff.format(SECONDS).unwrap_or_default();
        let (ttl, late_ttl) = if kept_forever { ("", "") } else { (TTL, LATE_TTL) };
        let select = self.select("0");
        vec![
            self.made.trim_end().replace("{ttl}", ttl),
            format!(
                "CREATE MATERIALIZED VIEW IF NOT EXISTS {table}_view TO {table} AS\n{select}\n\
                 WHERE timestamp >= toDateTime64('{cutoff}', 9, 'UTC') AND {which}\nGROUP BY {by}"
            ),
            // A backfill may have been there already.
            format!(
                "CREATE TABLE IF NOT EXISTS {late} (\n    organization_id String,\n    workspace_id String,\n    day Date,\n    \
                 arrived DateTime('UTC'),\n    number UInt64\n) ENGINE = SummingMergeTree(number) \
                 PARTITION BY toYYYYMM(arrived)\nORDER BY (organization_id, workspace_id, day, arrived){late_ttl}"
            ),
            format!(
                "CREATE MATERIALIZED VIEW IF NOT EXISTS {late}_view TO {late} AS\n\
                 SELECT organization_id, workspace_id, toDate(timestamp, 'UTC') AS day, \
                 toStartOfMinute(now('UTC')) AS arrived,\n    count() AS number\nFROM {of}\n\
                 WHERE timestamp < toDateTime64('{cutoff}', 9, 'UTC') AND {which}\n\
                 GROUP BY organization_id, workspace_id, day, arrived"
            ),
            format!(
                "INSERT INTO tfo_rollups\nSELECT '{table}', {version}, toDateTime('{cutoff}', 'UTC'), toDate(0), \
                 toDateTime('{cutoff}', 'UTC'), now64(3)\n\
                 WHERE (SELECT count() FROM tfo_rollups WHERE rollup = '{table}') = 0"
            ),
        ]
    }

    /// What takes it away: newest first, since views stand before what they write to.
    pub fn drop(&self) -> Vec<String> {
        let mut names = self.tables();
        names.push(self.gathered());
        names.iter().map(|name| format!("DROP TABLE IF EXISTS {name} SYNC")).collect()
    }

    /// All of which it consists at rest.
    pub fn tables(&self) -> Vec<String> {
        let Self { table, late, .. } = self;
        vec![format!("{late}_view"), format!("{table}_view"), (*late).to_owned(), (*table).to_owned()]
    }

    /// Where a day is gathered before it takes the place of what was there.
    pub fn gathered(&self) -> String {
        format!("{}_fill", self.table)
    }

    /// The days of rows before `cutoff` that hold rows and are not filled, and those to which rows came since; newest first.
    pub fn days(&self, cutoff: OffsetDateTime, since: OffsetDateTime) -> String {
        let (of, Self { table, late, version, .. }) = (self.of(), self);
        format!(
            "SELECT toString(day) FROM (\
               SELECT toDate(timestamp, 'UTC') AS day FROM {of} WHERE {older} \
                 AND timestamp < toDateTime64('{since}', 9, 'UTC') GROUP BY day \
               UNION DISTINCT \
               SELECT day FROM (SELECT day, max(arrived) AS last FROM {late} GROUP BY day) AS late \
               INNER JOIN (SELECT day, max(filled_at) AS filled_at FROM tfo_rollups \
                           WHERE rollup = '{table}' AND version = {version} GROUP BY day) AS done USING (day) \
               WHERE last >= toStartOfMinute(filled_at)) ORDER BY day DESC",
            older = self.older(cutoff),
            since = since.format(SECONDS).unwrap_or_default()
        )
    }

    /// What fills a day in, in the order in which it is run.
    pub fn fill(&self, day: Date, cutoff: OffsetDateTime) -> [String; 3] {
        let (Self { table, by, .. }, gathered) = (self, self.gathered());
        let day = day.format(DAY).unwrap_or_default();
        let partition = format!("({}, 1)", day.replace('-', ""));
        [
            format!("TRUNCATE TABLE {gathered} SYNC"),
            format!(
                "INSERT INTO {gathered} {select} \
                 WHERE {older} AND timestamp >= toDateTime64('{day} 00:00:00', 9, 'UTC') \
                 AND timestamp < toDateTime64('{day} 00:00:00', 9, 'UTC') + toIntervalDay(1) GROUP BY {by}",
                select = self.select("1"),
                older = self.older(cutoff)
            ),
            format!("ALTER TABLE {table} REPLACE PARTITION {partition} FROM {gathered}"),
        ]
    }

    fn older(&self, cutoff: OffsetDateTime) -> String {
        let cutoff = cutoff.format(SECONDS).unwrap_or_default();
        format!("timestamp < toDateTime64('{cutoff}', 9, 'UTC') AND {}", self.which)
    }

    fn select(&self, filled: &str) -> String {
        self.select.trim_end().replace("{filled}", filled)
    }
}
