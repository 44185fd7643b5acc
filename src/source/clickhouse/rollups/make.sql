-- Sums of each minute, made by `tfo-mcp migrate telemetry`. Version 1.
-- Organisation and workspace are first in every key, so that merges never add up rows of two. Expressions of views cannot throw,
-- or inserts into the platform's tables would.

-- How far sums are whole: `since` is the time from which on nothing is missing, of all that was filled so far.
CREATE TABLE IF NOT EXISTS tfo_rollups (
    rollup LowCardinality(String),
    version UInt32,
    cutoff DateTime('UTC'),
    day Date,
    since DateTime('UTC'),
    filled_at DateTime64(3, 'UTC')
) ENGINE = ReplacingMergeTree(filled_at) ORDER BY (rollup, version, day);

-- Requests as their receivers saw them: entry spans, apart from all spans.
CREATE TABLE IF NOT EXISTS tfo_requests_1m (
    organization_id String,
    workspace_id String,
    service_name LowCardinality(String),
    operation_name String,
    service_version LowCardinality(String),
    environment LowCardinality(String),
    minute DateTime('UTC'),
    filled UInt8,
    number SimpleAggregateFunction(sum, UInt64),
    failures SimpleAggregateFunction(sum, UInt64),
    longest_ns SimpleAggregateFunction(max, UInt64),
    durations AggregateFunction(quantilesTDigest(0.5, 0.75, 0.9, 0.95, 0.99), UInt64)
) ENGINE = AggregatingMergeTree PARTITION BY (toYYYYMMDD(minute), filled)
ORDER BY (organization_id, workspace_id, service_name, minute, operation_name, service_version, environment, filled){ttl};

-- Rows from the cutoff on come by themselves.
CREATE MATERIALIZED VIEW IF NOT EXISTS tfo_requests_1m_view TO tfo_requests_1m AS
{requests}
WHERE timestamp >= toDateTime64('{cutoff}', 9, 'UTC') AND span_kind IN ('SERVER', 'CONSUMER')
{requests_by};

-- Rows of before the cutoff that come late are counted, since a backfill may have been there already.
CREATE TABLE IF NOT EXISTS tfo_late_requests (
    organization_id String,
    workspace_id String,
    day Date,
    arrived DateTime('UTC'),
    number UInt64
) ENGINE = SummingMergeTree(number) PARTITION BY toYYYYMM(arrived)
ORDER BY (organization_id, workspace_id, day, arrived){late_ttl};

CREATE MATERIALIZED VIEW IF NOT EXISTS tfo_late_requests_view TO tfo_late_requests AS
SELECT organization_id, workspace_id, toDate(timestamp, 'UTC') AS day, toStartOfMinute(now('UTC')) AS arrived,
    count() AS number
FROM traces
WHERE timestamp < toDateTime64('{cutoff}', 9, 'UTC') AND span_kind IN ('SERVER', 'CONSUMER')
GROUP BY organization_id, workspace_id, day, arrived;

INSERT INTO tfo_rollups
SELECT 'tfo_requests_1m', 1, toDateTime('{cutoff}', 'UTC'), toDate(0), toDateTime('{cutoff}', 'UTC'), now64(3)
WHERE (SELECT count() FROM tfo_rollups WHERE rollup = 'tfo_requests_1m') = 0;
