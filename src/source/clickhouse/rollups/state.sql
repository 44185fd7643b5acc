CREATE TABLE IF NOT EXISTS tfo_rollups (
    rollup LowCardinality(String),
    version UInt32,
    cutoff DateTime('UTC'),
    day Date,
    since DateTime('UTC'),
    filled_at DateTime64(3, 'UTC')
) ENGINE = ReplacingMergeTree(filled_at) ORDER BY (rollup, version, day)
