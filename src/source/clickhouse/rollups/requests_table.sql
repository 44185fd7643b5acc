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
ORDER BY (organization_id, workspace_id, service_name, minute, operation_name, service_version, environment, filled){ttl}
