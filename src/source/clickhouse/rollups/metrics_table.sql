CREATE TABLE IF NOT EXISTS tfo_metrics_1m (
    organization_id String,
    workspace_id String,
    service_name LowCardinality(String),
    metric_name LowCardinality(String),
    metric_type LowCardinality(String),
    minute DateTime('UTC'),
    filled UInt8,
    number SimpleAggregateFunction(sum, UInt64),
    avg_value AggregateFunction(avg, Float64),
    min_value AggregateFunction(min, Float64),
    max_value AggregateFunction(max, Float64),
    count AggregateFunction(count)
) ENGINE = AggregatingMergeTree PARTITION BY (toYYYYMMDD(minute), filled)
ORDER BY (organization_id, workspace_id, service_name, metric_name, metric_type, minute, filled){ttl}
