SELECT
    organization_id, workspace_id, service_name, metric_name, toString(metric_type) AS metric_type,
    toStartOfMinute(timestamp, 'UTC') AS minute, {filled} AS filled, count() AS number,
    avgState(value) AS avg_value, minState(value) AS min_value, maxState(value) AS max_value, countState() AS count
FROM metrics
