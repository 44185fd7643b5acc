CREATE TABLE IF NOT EXISTS tfo_spans_1m (
    organization_id String,
    workspace_id String,
    service_name LowCardinality(String),
    span_kind LowCardinality(String),
    minute DateTime('UTC'),
    filled UInt8,
    number SimpleAggregateFunction(sum, UInt64),
    failures SimpleAggregateFunction(sum, UInt64)
) ENGINE = AggregatingMergeTree PARTITION BY (toYYYYMMDD(minute), filled)
ORDER BY (organization_id, workspace_id, minute, service_name, span_kind, filled){ttl}
