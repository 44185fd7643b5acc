CREATE TABLE IF NOT EXISTS tfo_texts_1m (
    organization_id String,
    workspace_id String,
    service_name LowCardinality(String),
    severity LowCardinality(String),
    minute DateTime('UTC'),
    text String,
    filled UInt8,
    number SimpleAggregateFunction(sum, UInt64),
    first_at SimpleAggregateFunction(min, DateTime64(9)),
    last_at SimpleAggregateFunction(max, DateTime64(9)),
    newest AggregateFunction(argMax, String, Tuple(DateTime64(9), String)),
    newest_trace AggregateFunction(argMaxIf, String, Tuple(DateTime64(9), String), UInt8)
) ENGINE = AggregatingMergeTree PARTITION BY (toYYYYMMDD(minute), filled)
ORDER BY (organization_id, workspace_id, service_name, severity, minute, text, filled){ttl}
