-- The platform's telemetry schema for ClickHouse, as the demo and the tests load it.
--
-- Columns, engines, sorting keys and materialized views are the platform's own, traps included: logs_1h,
-- metrics_5m, service_error_rates_1h and service_latency_percentiles_1h keep organization_id outside their
-- sorting key, so that merges add up rows of different tenants under one tenant's id. Retention (TTL) is left out
-- on purpose: demo data must not vanish. Tables for which the platform publishes no DDL are marked "inferred";
-- their organization_id leads every key and their averages are aggregate states.
--
-- Servers from 26.7 on refuse such keys for aggregate states unless allow_dimensions_outside_sorting_key is set;
-- the loader takes that clause away where the server does not know the setting.
--
-- Statements end with a semicolon at the end of a line. Names are unqualified: the loader chooses the database.

-- Marks the database as made by the demo. Nothing without this table is ever dropped by the loader.
CREATE TABLE tfo_demo (
    key String,
    value String
) ENGINE = MergeTree ORDER BY key;

-- Base tables ---------------------------------------------------------------------------------------------------

CREATE TABLE logs (
    timestamp DateTime64(9),
    observed_timestamp DateTime64(9) DEFAULT now64(9),
    trace_id String,
    span_id String,
    trace_flags UInt32,
    severity_text String,
    severity_number UInt8,
    service_name String,
    organization_id String DEFAULT '',
    workspace_id String DEFAULT '',
    tenant_id String DEFAULT '',
    body String,
    resource_attributes Map(String, String),
    log_attributes Map(String, String),
    scope_name String,
    scope_version String,
    INDEX idx_timestamp timestamp TYPE minmax GRANULARITY 1,
    INDEX idx_trace_id trace_id TYPE bloom_filter GRANULARITY 1,
    INDEX idx_organization_id organization_id TYPE bloom_filter GRANULARITY 1,
    INDEX idx_severity severity_text TYPE set(10) GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toYYYYMMDD(timestamp) ORDER BY (service_name, timestamp);

CREATE TABLE metrics (
    timestamp DateTime64(9),
    metric_name String,
    metric_type Enum8('gauge' = 1, 'counter' = 2, 'histogram' = 3, 'summary' = 4),
    value Float64,
    service_name String,
    organization_id String DEFAULT '',
    workspace_id String DEFAULT '',
    tenant_id String DEFAULT '',
    resource_attributes Map(String, String),
    metric_attributes Map(String, String),
    unit String DEFAULT ''
) ENGINE = MergeTree PARTITION BY toYYYYMMDD(timestamp) ORDER BY (service_name, metric_name, timestamp);

CREATE TABLE traces (
    timestamp DateTime64(9),
    trace_id String,
    span_id String,
    parent_span_id String,
    span_name String,
    span_kind Enum8('INTERNAL' = 1, 'SERVER' = 2, 'CLIENT' = 3, 'PRODUCER' = 4, 'CONSUMER' = 5),
    service_name String,
    status_code Enum8('UNSET' = 0, 'OK' = 1, 'ERROR' = 2),
    status_message String,
    duration_ns UInt64,
    organization_id String DEFAULT '',
    workspace_id String DEFAULT '',
    tenant_id String DEFAULT '',
    resource_attributes Map(String, String),
    span_attributes Map(String, String),
    events String DEFAULT '',
    links String DEFAULT ''
) ENGINE = MergeTree PARTITION BY toYYYYMMDD(timestamp) ORDER BY (service_name, trace_id, timestamp);

CREATE TABLE audit_logs (
    id UUID,
    timestamp DateTime64(3),
    user_id String,
    user_email String,
    user_first_name String,
    user_last_name String,
    event_type Enum8('AUTH' = 1, 'AUTHZ' = 2, 'DATA' = 3, 'SYSTEM' = 4),
    action String,
    resource String,
    resource_id String,
    result Enum8('SUCCESS' = 1, 'FAILURE' = 2, 'DENIED' = 3),
    error_message String,
    error_code String,
    ip_address String,
    user_agent String,
    request_method String,
    request_path String,
    metadata String,
    tenant_id String,
    workspace_id String,
    organization_id String,
    region_id String,
    session_id String,
    correlation_id String,
    duration_ms UInt32,
    created_at DateTime64(3) DEFAULT now64(3)
) ENGINE = MergeTree PARTITION BY toYYYYMM(timestamp) ORDER BY (timestamp, event_type, user_id);

-- Filter views: plain MergeTree, every row kept, tenant-safe ----------------------------------------------------

CREATE MATERIALIZED VIEW logs_errors
ENGINE = MergeTree PARTITION BY toYYYYMM(date) ORDER BY (date, service_name, timestamp)
AS SELECT
    toDate(timestamp) AS date, timestamp, service_name, severity_text, body, trace_id,
    organization_id, workspace_id, tenant_id
FROM logs WHERE severity_number >= 17;

CREATE MATERIALIZED VIEW traces_errors
ENGINE = MergeTree PARTITION BY toYYYYMM(date) ORDER BY (date, service_name, timestamp)
AS SELECT
    toDate(timestamp) AS date, timestamp, trace_id, span_id, service_name, span_name, status_message, duration_ns,
    organization_id, workspace_id, tenant_id
FROM traces WHERE status_code = 'ERROR';

-- Rollups of metrics: 1m and 1h are tenant-safe, 5m is not ------------------------------------------------------

CREATE MATERIALIZED VIEW metrics_1m
ENGINE = AggregatingMergeTree PARTITION BY toYYYYMM(minute)
ORDER BY (organization_id, service_name, metric_name, minute) SETTINGS allow_dimensions_outside_sorting_key = 1
AS SELECT
    toStartOfMinute(timestamp) AS minute, service_name, metric_name, metric_type,
    organization_id, workspace_id, tenant_id,
    avgState(value) AS avg_value, minState(value) AS min_value, maxState(value) AS max_value,
    sumState(value) AS sum_value, countState() AS count
FROM metrics
GROUP BY minute, service_name, metric_name, metric_type, organization_id, workspace_id, tenant_id;

CREATE MATERIALIZED VIEW metrics_5m
ENGINE = AggregatingMergeTree PARTITION BY toYYYYMM(five_minutes)
ORDER BY (service_name, metric_name, five_minutes) SETTINGS allow_dimensions_outside_sorting_key = 1
AS SELECT
    toStartOfFiveMinutes(timestamp) AS five_minutes, service_name, metric_name, metric_type,
    organization_id, workspace_id, tenant_id,
    avgState(value) AS avg_value, minState(value) AS min_value, maxState(value) AS max_value,
    sumState(value) AS sum_value, countState() AS count,
    quantileState(0.5)(value) AS p50_value, quantileState(0.75)(value) AS p75_value,
    quantileState(0.9)(value) AS p90_value, quantileState(0.95)(value) AS p95_value,
    quantileState(0.99)(value) AS p99_value
FROM metrics
GROUP BY five_minutes, service_name, metric_name, metric_type, organization_id, workspace_id, tenant_id;

CREATE MATERIALIZED VIEW metrics_1h
ENGINE = AggregatingMergeTree PARTITION BY toYYYYMM(hour)
ORDER BY (organization_id, service_name, metric_name, hour) SETTINGS allow_dimensions_outside_sorting_key = 1
AS SELECT
    toStartOfHour(timestamp) AS hour, service_name, metric_name, metric_type,
    organization_id, workspace_id, tenant_id,
    avgState(value) AS avg_value, minState(value) AS min_value, maxState(value) AS max_value,
    sumState(value) AS sum_value, countState() AS count
FROM metrics
GROUP BY hour, service_name, metric_name, metric_type, organization_id, workspace_id, tenant_id;

-- Rollups of logs and traces: none is tenant-safe ---------------------------------------------------------------

CREATE MATERIALIZED VIEW logs_1h
ENGINE = SummingMergeTree PARTITION BY toYYYYMM(hour) ORDER BY (hour, service_name, severity_text)
AS SELECT
    toStartOfHour(timestamp) AS hour, service_name, severity_text,
    organization_id, workspace_id, tenant_id, count() AS count
FROM logs
GROUP BY hour, service_name, severity_text, organization_id, workspace_id, tenant_id;

-- total_requests counts spans of every kind, not requests.
CREATE MATERIALIZED VIEW service_error_rates_1h
ENGINE = SummingMergeTree PARTITION BY toYYYYMM(hour) ORDER BY (hour, service_name)
AS SELECT
    toStartOfHour(timestamp) AS hour, service_name, organization_id, workspace_id, tenant_id,
    count() AS total_requests, countIf(status_code = 'ERROR') AS error_count
FROM traces
GROUP BY hour, service_name, organization_id, workspace_id, tenant_id;

CREATE MATERIALIZED VIEW service_latency_percentiles_1h
ENGINE = AggregatingMergeTree PARTITION BY toYYYYMM(hour)
ORDER BY (hour, service_name) SETTINGS allow_dimensions_outside_sorting_key = 1
AS SELECT
    toStartOfHour(timestamp) AS hour, service_name, organization_id, workspace_id, tenant_id,
    countState() AS request_count, avgState(duration_ns) AS avg_duration_ns,
    quantileState(0.5)(duration_ns) AS p50_duration_ns, quantileState(0.75)(duration_ns) AS p75_duration_ns,
    quantileState(0.9)(duration_ns) AS p90_duration_ns, quantileState(0.95)(duration_ns) AS p95_duration_ns,
    quantileState(0.99)(duration_ns) AS p99_duration_ns
FROM traces
GROUP BY hour, service_name, organization_id, workspace_id, tenant_id;

-- Rollup of audit events: by organisation tenant-safe, tenant_id is arbitrary after a merge ---------------------

CREATE MATERIALIZED VIEW audit_logs_1h
ENGINE = SummingMergeTree PARTITION BY toYYYYMM(bucket) ORDER BY (bucket, event_type, result, organization_id)
AS SELECT
    toStartOfHour(timestamp) AS bucket, event_type, result, organization_id, tenant_id, count() AS count
FROM audit_logs
GROUP BY bucket, event_type, result, organization_id, tenant_id;

-- Inferred tables -----------------------------------------------------------------------------------------------

CREATE TABLE exemplars (
    timestamp DateTime64(9),
    metric_name String,
    value Float64,
    trace_id String,
    span_id String,
    labels Map(String, String),
    filtered_labels Map(String, String),
    service_name String,
    organization_id String DEFAULT '',
    workspace_id String DEFAULT '',
    tenant_id String DEFAULT ''
) ENGINE = MergeTree PARTITION BY toYYYYMMDD(timestamp)
ORDER BY (organization_id, service_name, metric_name, timestamp);

-- Its time column is checked_at. ssl_days_remaining is -1 where nothing is known.
CREATE TABLE uptime_checks (
    monitor_id String,
    monitor_name String,
    target_url String,
    region String,
    status LowCardinality(String),
    status_code UInt16,
    response_time Float64,
    message String,
    error String,
    ssl_days_remaining Int32,
    checked_at DateTime64(3),
    organization_id String DEFAULT '',
    workspace_id String DEFAULT '',
    tenant_id String DEFAULT ''
) ENGINE = MergeTree ORDER BY (organization_id, monitor_id, checked_at);

CREATE TABLE vm_metrics (
    timestamp DateTime64(3),
    vm_id UUID,
    metric_name String,
    value Float64,
    unit String,
    labels Map(String, String),
    organization_id String DEFAULT '',
    workspace_id String DEFAULT '',
    tenant_id String DEFAULT ''
) ENGINE = MergeTree ORDER BY (organization_id, vm_id, metric_name, timestamp);

CREATE MATERIALIZED VIEW vm_metrics_1h
ENGINE = AggregatingMergeTree PARTITION BY toYYYYMM(hour) ORDER BY (organization_id, vm_id, metric_name, hour)
AS SELECT
    toStartOfHour(timestamp) AS hour, organization_id, vm_id, metric_name,
    avgState(value) AS avg_value, minState(value) AS min_value, maxState(value) AS max_value,
    sumState(value) AS sum_value, countState() AS count, quantileState(0.95)(value) AS p95_value
FROM vm_metrics
GROUP BY hour, organization_id, vm_id, metric_name;

CREATE TABLE kubernetes_metrics (
    timestamp DateTime64(3),
    cluster_id String,
    resource_type String,
    resource_name String,
    namespace String,
    metric_name String,
    value Float64,
    labels Map(String, String),
    organization_id String DEFAULT '',
    workspace_id String DEFAULT '',
    tenant_id String DEFAULT '',
    ingestion_source String,
    ingestion_time DateTime64(3)
) ENGINE = ReplacingMergeTree(ingestion_time)
ORDER BY (organization_id, cluster_id, resource_type, namespace, resource_name, metric_name, timestamp);

CREATE MATERIALIZED VIEW kubernetes_metrics_1h
ENGINE = AggregatingMergeTree PARTITION BY toYYYYMM(hour)
ORDER BY (organization_id, cluster_id, resource_type, namespace, resource_name, metric_name, hour)
AS SELECT
    toStartOfHour(timestamp) AS hour, organization_id, cluster_id, resource_type, resource_name, namespace,
    metric_name,
    avgState(value) AS avg_value, minState(value) AS min_value, maxState(value) AS max_value,
    sumState(value) AS sum_value, countState() AS count
FROM kubernetes_metrics
GROUP BY hour, organization_id, cluster_id, resource_type, resource_name, namespace, metric_name;

-- No tenant_id.
CREATE TABLE kubernetes_events (
    timestamp DateTime64(3),
    cluster_id String,
    organization_id String DEFAULT '',
    workspace_id String DEFAULT '',
    namespace String,
    type String,
    reason String,
    message String,
    source String,
    involved_kind String,
    involved_name String,
    count UInt32,
    first_timestamp DateTime64(3),
    last_timestamp DateTime64(3)
) ENGINE = MergeTree ORDER BY (organization_id, cluster_id, timestamp);

CREATE TABLE anomaly_events (
    timestamp DateTime64(3),
    id UUID,
    detection_rule_id String,
    metric_name String,
    signal_type String,
    severity String,
    anomaly_score Float64,
    z_score Float64,
    sigma_level Float64,
    observed_value Float64,
    expected_value Float64,
    detection_method String,
    labels Map(String, String),
    resource_attributes Map(String, String),
    correlated_signals Array(String),
    llm_analysis String,
    organization_id String DEFAULT '',
    workspace_id String DEFAULT ''
) ENGINE = MergeTree ORDER BY (organization_id, timestamp, metric_name);

-- Inferred: forecasts of resources, one row a resource and horizon each time that a model runs.
CREATE TABLE predictions (
    timestamp DateTime64(3),
    prediction_model_id String,
    resource_type String,
    resource_identifier String,
    algorithm String,
    horizon String,
    predicted_value Float64,
    failure_probability Float64,
    time_to_failure_seconds Nullable(UInt64),
    confidence_upper Float64,
    confidence_lower Float64,
    r_squared Float64,
    health_score Float64,
    health_status String,
    labels Map(String, String),
    organization_id String DEFAULT '',
    workspace_id String DEFAULT ''
) ENGINE = MergeTree ORDER BY (organization_id, timestamp, resource_type);

CREATE TABLE service_map_metrics (
    timestamp DateTime64(3),
    service_id String,
    service_name String,
    health_score Float64,
    uptime Float64,
    avg_latency Float64,
    error_rate Float64,
    request_rate Float64,
    organization_id String DEFAULT ''
) ENGINE = MergeTree ORDER BY (organization_id, service_id, timestamp);

CREATE MATERIALIZED VIEW service_map_metrics_1h
ENGINE = AggregatingMergeTree PARTITION BY toYYYYMM(hour) ORDER BY (organization_id, service_id, service_name, hour)
AS SELECT
    toStartOfHour(timestamp) AS hour, organization_id, service_id, service_name,
    avgState(health_score) AS avg_health_score, avgState(avg_latency) AS avg_latency,
    avgState(error_rate) AS avg_error_rate, avgState(request_rate) AS avg_request_rate
FROM service_map_metrics
GROUP BY hour, organization_id, service_id, service_name;

-- A gauge of each node of the network map; network_in and network_out are bytes a second, error_rate percent.
CREATE TABLE network_map_traffic (
    timestamp DateTime64(3),
    node_id String,
    node_name String,
    cpu_usage Float64,
    memory_usage Float64,
    disk_usage Float64,
    network_in Float64,
    network_out Float64,
    active_connections Float64,
    request_rate Float64,
    error_rate Float64,
    organization_id String DEFAULT ''
) ENGINE = MergeTree ORDER BY (organization_id, node_id, timestamp);

-- What went over a link since the row before: bytes and packets are counts, bandwidth is Mbit/s in use.
CREATE TABLE network_map_connection_metrics (
    timestamp DateTime64(3),
    connection_id String,
    bandwidth Float64,
    latency Float64,
    packet_loss Float64,
    bytes_sent UInt64,
    bytes_received UInt64,
    packets_sent UInt64,
    packets_received UInt64,
    organization_id String DEFAULT ''
) ENGINE = MergeTree ORDER BY (organization_id, connection_id, timestamp);

-- The key holds the labels, since a name alone is no series.
CREATE TABLE prometheus_metrics (
    timestamp DateTime64(3),
    metric_name String,
    labels Map(String, String),
    value Float64,
    organization_id String DEFAULT '',
    workspace_id String DEFAULT '',
    tenant_id String DEFAULT '',
    ingestion_source String,
    ingestion_time DateTime64(3)
) ENGINE = ReplacingMergeTree(ingestion_time)
ORDER BY (organization_id, metric_name, cityHash64(toString(labels)), timestamp);

-- What agents measure at databases. The platform names these tables and some of their columns; `labels` hold the name
-- of the instance (`instance`), its type in the inventory (`flavor`), and what a measure is about (`table`, `slot`, ...).

CREATE TABLE db_mysql_metrics (
    timestamp DateTime64(3),
    organization_id String DEFAULT '',
    workspace_id String DEFAULT '',
    instance_id String,
    metric_name String,
    value Float64,
    labels Map(String, String)
) ENGINE = MergeTree ORDER BY (organization_id, instance_id, metric_name, timestamp);

CREATE TABLE db_postgresql_metrics (
    timestamp DateTime64(3),
    organization_id String DEFAULT '',
    workspace_id String DEFAULT '',
    instance_id String,
    metric_name String,
    value Float64,
    labels Map(String, String)
) ENGINE = MergeTree ORDER BY (organization_id, instance_id, metric_name, timestamp);

CREATE TABLE db_mongodb_metrics (
    timestamp DateTime64(3),
    organization_id String DEFAULT '',
    workspace_id String DEFAULT '',
    instance_id String,
    metric_name String,
    value Float64,
    labels Map(String, String)
) ENGINE = MergeTree ORDER BY (organization_id, instance_id, metric_name, timestamp);

CREATE TABLE db_clickhouse_metrics (
    timestamp DateTime64(3),
    organization_id String DEFAULT '',
    workspace_id String DEFAULT '',
    instance_id String,
    metric_name String,
    value Float64,
    labels Map(String, String)
) ENGINE = MergeTree ORDER BY (organization_id, instance_id, metric_name, timestamp);

CREATE TABLE db_mssql_metrics (
    timestamp DateTime64(3),
    organization_id String DEFAULT '',
    workspace_id String DEFAULT '',
    instance_id String,
    metric_name String,
    value Float64,
    labels Map(String, String)
) ENGINE = MergeTree ORDER BY (organization_id, instance_id, metric_name, timestamp);

CREATE TABLE db_dynamodb_metrics (
    timestamp DateTime64(3),
    organization_id String DEFAULT '',
    workspace_id String DEFAULT '',
    instance_id String,
    metric_name String,
    value Float64,
    labels Map(String, String)
) ENGINE = MergeTree ORDER BY (organization_id, instance_id, metric_name, timestamp);

CREATE TABLE db_sqlite3_metrics (
    timestamp DateTime64(3),
    organization_id String DEFAULT '',
    workspace_id String DEFAULT '',
    instance_id String,
    metric_name String,
    value Float64,
    labels Map(String, String)
) ENGINE = MergeTree ORDER BY (organization_id, instance_id, metric_name, timestamp);

CREATE TABLE db_timescaledb_metrics (
    timestamp DateTime64(3),
    organization_id String DEFAULT '',
    workspace_id String DEFAULT '',
    instance_id String,
    metric_name String,
    value Float64,
    labels Map(String, String)
) ENGINE = MergeTree ORDER BY (organization_id, instance_id, metric_name, timestamp);

CREATE TABLE db_cockroachdb_metrics (
    timestamp DateTime64(3),
    organization_id String DEFAULT '',
    workspace_id String DEFAULT '',
    instance_id String,
    metric_name String,
    value Float64,
    labels Map(String, String)
) ENGINE = MergeTree ORDER BY (organization_id, instance_id, metric_name, timestamp);

CREATE TABLE db_aurora_metrics_1m (
    timestamp_1m DateTime64(3),
    organization_id String DEFAULT '',
    workspace_id String DEFAULT '',
    instance_id String,
    cluster_identifier String,
    metric_name String,
    avg_value Float64,
    max_value Float64,
    min_value Float64,
    labels Map(String, String)
) ENGINE = MergeTree ORDER BY (organization_id, instance_id, metric_name, timestamp_1m);

-- Inferred; the platform's cost_data_daily_mv is a summing view over what clouds bill, by day (UTC). Every dimension is
-- in its key.
CREATE TABLE cost_data (
    timestamp DateTime64(3),
    provider LowCardinality(String),
    service_name LowCardinality(String),
    service_category LowCardinality(String),
    region LowCardinality(String),
    pricing_model LowCardinality(String),
    total_cost_usd Float64,
    total_usage Float64,
    organization_id String DEFAULT ''
) ENGINE = MergeTree PARTITION BY toYYYYMM(timestamp)
ORDER BY (organization_id, provider, service_name, timestamp);

CREATE MATERIALIZED VIEW cost_data_daily_mv
ENGINE = SummingMergeTree PARTITION BY toYYYYMM(day)
ORDER BY (organization_id, provider, service_name, service_category, region, pricing_model, day)
AS SELECT
    toDate(timestamp, 'UTC') AS day, organization_id, provider, service_name, service_category, region, pricing_model,
    sum(total_cost_usd) AS total_cost_usd, sum(total_usage) AS total_usage
FROM cost_data
GROUP BY day, organization_id, provider, service_name, service_category, region, pricing_model;

-- Calls of language models: the platform's own ------------------------------------------------------------------

CREATE TABLE llm_usage_raw (
    id UUID,
    timestamp DateTime64(3),
    message_id String,
    conversation_id String,
    provider_id String,
    provider_type LowCardinality(String),
    model_id LowCardinality(String),
    prompt_tokens UInt32,
    completion_tokens UInt32,
    total_tokens UInt32,
    latency_ms UInt32,
    time_to_first_token_ms UInt32,
    prompt_cost_micros UInt64,
    completion_cost_micros UInt64,
    total_cost_micros UInt64,
    role LowCardinality(String),
    context_type LowCardinality(String),
    context_id String,
    is_streaming UInt8,
    status LowCardinality(String) DEFAULT 'success',
    error_type LowCardinality(String),
    error_message String,
    organization_id String,
    workspace_id String,
    user_id String,
    tenant_id String,
    created_at DateTime64(3) DEFAULT now64(3)
) ENGINE = MergeTree PARTITION BY toYYYYMM(timestamp)
ORDER BY (organization_id, provider_type, model_id, timestamp);
