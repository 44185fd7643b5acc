//! Sums of our own beside the platform's rows: tables and views that `tfo-mcp migrate telemetry` makes, fills and takes away.
//!
//! Rows from a cutoff on come into the sums by views as they are inserted. What is older is filled in day by day, newest first,
//! each by replacing a whole partition, so that whoever is broken off at any point goes on where it was. The platform's tables
//! are only read. Definitions know whether the sums are whole by `tfo_rollups`; here is nothing of how they are used.

use serde_json::Value;
use time::{Date, OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

use super::ClickHouse;
use crate::{
    source::{Author, Limits, Query, Source as _, SourceError},
    sql::Statement,
};

/// What the sums are: another version is another meaning, which definitions do not read.
pub const VERSION: u32 = 1;

const MAKE: &str = include_str!("make.sql");
const REQUESTS: &str = include_str!("requests.sql");
const BY: &str =
    "GROUP BY organization_id, workspace_id, service_name, operation_name, service_version, environment, minute";
/// How long sums are kept where the operator says nothing else.
const TTL: &str = " TTL minute + INTERVAL 400 DAY";
const LATE_TTL: &str = " TTL arrived + INTERVAL 400 DAY";
/// Newest first, since views stand before what they write to.
const MADE: [&str; 6] =
    ["tfo_late_requests_view", "tfo_requests_1m_view", FILL, "tfo_late_requests", "tfo_requests_1m", "tfo_rollups"];
/// Where a day is gathered before it takes the place of what was there.
const FILL: &str = "tfo_requests_1m_fill";
const SECONDS: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// What makes tables and views, for rows from `cutoff` on, a whole minute. Whatever is there already stays as it is.
pub fn make(cutoff: OffsetDateTime, kept_forever: bool) -> Vec<String> {
    let cutoff = cutoff.format(SECONDS).unwrap_or_default();
    let (ttl, late_ttl) = if kept_forever { ("", "") } else { (TTL, LATE_TTL) };
    let text: String = MAKE.lines().filter(|line| !line.starts_with("--")).map(|line| format!("{line}\n")).collect();
    let text = text
        .replace("{requests}", REQUESTS.trim_end())
        .replace("{requests_by}", BY)
        .replace("{filled}", "0")
        .replace("{cutoff}", &cutoff)
        .replace("{ttl}", ttl)
        .replace("{late_ttl}", late_ttl);
    text.split(";\n").map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

/// What takes them away.
pub fn drop() -> Vec<String> {
    MADE.iter().map(|name| format!("DROP TABLE IF EXISTS {name} SYNC")).collect()
}

/// A day that was filled in, and how many are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filled {
    pub day: Date,
    pub left: usize,
}

/// What is known of the sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    pub cutoff: OffsetDateTime,
    /// From when on nothing is missing.
    pub since: OffsetDateTime,
}

/// Who makes and fills sums: an account that may create tables and insert into them.
pub struct Rollups<'a> {
    clickhouse: &'a ClickHouse,
}

impl<'a> Rollups<'a> {
    pub fn of(clickhouse: &'a ClickHouse) -> Self {
        Self { clickhouse }
    }

    /// Makes them where they are not there. Those of another version, or of which a part is missing, are made anew: nobody
    /// knows what they missed. Whether anything was made: it must be before `cutoff`, or rows in between are in no sum.
    pub async fn make(&self, cutoff: OffsetDateTime, kept_forever: bool) -> Result<bool, SourceError> {
        if self.exists().await? {
            if self.extent().await?.is_some() && self.is_whole().await? {
                return Ok(false);
            }
            self.drop().await?;
        }
        for statement in make(cutoff, kept_forever) {
            self.clickhouse.execute(&statement).await?;
        }
        Ok(true)
    }

    pub async fn drop(&self) -> Result<(), SourceError> {
        for statement in drop() {
            self.clickhouse.execute(&statement).await?;
        }
        Ok(())
    }

    async fn is_whole(&self) -> Result<bool, SourceError> {
        let names: Vec<String> = MADE.iter().filter(|name| **name != FILL).map(|name| format!("'{name}'")).collect();
        let found = format!(
            "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name IN ({})",
            names.join(", ")
        );
        Ok(number(&self.rows(&found).await?) == names.len() as u64)
    }

    async fn exists(&self) -> Result<bool, SourceError> {
        let found = "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = 'tfo_rollups'";
        Ok(number(&self.rows(found).await?) > 0)
    }

    /// How far they reach; none where they were not made, or by another version.
    pub async fn extent(&self) -> Result<Option<Extent>, SourceError> {
        if !self.exists().await? {
            return Ok(None);
        }
        let rows = self
            .rows(&format!(
                "SELECT toInt64(max(toUnixTimestamp(cutoff))), toInt64(min(toUnixTimestamp(since))) FROM tfo_rollups \
                 WHERE rollup = 'tfo_requests_1m' AND version = {VERSION} HAVING count() > 0"
            ))
            .await?;
        let at = |value: Option<&Value>| OffsetDateTime::from_unix_timestamp(value?.as_i64()?).ok();
        Ok(rows.first().and_then(|row| Some(Extent { cutoff: at(row.first())?, since: at(row.get(1))? })))
    }

    /// Fills in what is older than the cutoff, and anew the days to which rows came after they were filled. `told` hears of
    /// each day.
    pub async fn fill(&self, mut told: impl FnMut(Filled)) -> Result<usize, SourceError> {
        let Some(Extent { cutoff, since }) = self.extent().await? else { return Ok(0) };
        let text = cutoff.format(SECONDS).unwrap_or_default();
        let older = format!("timestamp < toDateTime64('{text}', 9, 'UTC') AND span_kind IN ('SERVER', 'CONSUMER')");
        // Days that hold rows and are not filled, and those to which rows came since.
        let days = self
            .rows(&format!(
                "SELECT toString(day) FROM (\
                   SELECT toDate(timestamp, 'UTC') AS day FROM traces WHERE {older} \
                     AND timestamp < toDateTime64('{since}', 9, 'UTC') GROUP BY day \
                   UNION DISTINCT \
                   SELECT day FROM (SELECT day, max(arrived) AS last FROM tfo_late_requests GROUP BY day) AS late \
                   INNER JOIN (SELECT day, max(filled_at) AS filled_at FROM tfo_rollups \
                               WHERE rollup = 'tfo_requests_1m' AND version = {VERSION} GROUP BY day) AS done USING (day) \
                   WHERE last >= toStartOfMinute(filled_at)) ORDER BY day DESC",
                since = since.format(SECONDS).unwrap_or_default()
            ))
            .await?;
        let days: Vec<Date> = days.iter().filter_map(|row| Date::parse(row.first()?.as_str()?, DAY).ok()).collect();
        self.clickhouse.execute(&format!("CREATE TABLE IF NOT EXISTS {FILL} AS tfo_requests_1m")).await?;
        for (nth, day) in days.iter().enumerate() {
            self.fill_day(*day, &text, &older, since).await?;
            told(Filled { day: *day, left: days.len() - nth - 1 });
        }
        // Before the oldest row nothing is missing.
        self.note(OffsetDateTime::UNIX_EPOCH.date(), &text, OffsetDateTime::UNIX_EPOCH, "now64(3)").await?;
        self.clickhouse.execute(&format!("DROP TABLE IF EXISTS {FILL} SYNC")).await?;
        Ok(days.len())
    }

    async fn fill_day(&self, day: Date, cutoff: &str, older: &str, since: OffsetDateTime) -> Result<(), SourceError> {
        let begun = self.rows("SELECT toString(now64(3, 'UTC'))").await?;
        let begun = begun.first().and_then(|row| row.first()).and_then(Value::as_str).unwrap_or_default().to_owned();
        let text = day.format(DAY).unwrap_or_default();
        let select = REQUESTS.trim_end().replace("{filled}", "1");
        let partition = format!("({}, 1)", text.replace('-', ""));
        for statement in [
            format!("TRUNCATE TABLE {FILL} SYNC"),
            format!(
                "INSERT INTO {FILL} (organization_id, workspace_id, service_name, operation_name, \
                 service_version, environment, minute, filled, number, failures, longest_ns, durations) {select} \
                 WHERE {older} AND timestamp >= toDateTime64('{text} 00:00:00', 9, 'UTC') \
                 AND timestamp < toDateTime64('{text} 00:00:00', 9, 'UTC') + toIntervalDay(1) {BY}"
            ),
            format!("ALTER TABLE tfo_requests_1m REPLACE PARTITION {partition} FROM {FILL}"),
        ] {
            self.clickhouse.execute(&statement).await?;
        }
        self.note(day, cutoff, since.min(day.midnight().assume_utc()), &format!("toDateTime64('{begun}', 3, 'UTC')"))
            .await
    }

    async fn note(&self, day: Date, cutoff: &str, since: OffsetDateTime, at: &str) -> Result<(), SourceError> {
        let (day, since) = (day.format(DAY).unwrap_or_default(), since.format(SECONDS).unwrap_or_default());
        self.clickhouse
            .execute(&format!(
                "INSERT INTO tfo_rollups SELECT 'tfo_requests_1m', {VERSION}, toDateTime('{cutoff}', 'UTC'), \
                 toDate('{day}'), toDateTime('{since}', 'UTC'), {at}"
            ))
            .await
    }

    async fn rows(&self, sql: &str) -> Result<Vec<Vec<Value>>, SourceError> {
        let statement = Statement { sql: sql.to_owned(), binds: Vec::new() };
        let limits = Limits { timeout: std::time::Duration::from_secs(3600), max_rows: 100_000, max_bytes: 16 << 20 };
        let cancel = tokio_util::sync::CancellationToken::new();
        let query = Query { statement: &statement, limits, author: Author::UNBOUND, cancel: &cancel, id: None };
        Ok(self.clickhouse.query(query).await?.rows)
    }
}

fn number(rows: &[Vec<Value>]) -> u64 {
    rows.first().and_then(|row| row.first()).and_then(Value::as_u64).unwrap_or_default()
}
