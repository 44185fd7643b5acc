SELECT
    organization_id, workspace_id, service_name, toString(span_kind) AS span_kind,
    toStartOfMinute(timestamp, 'UTC') AS minute, {filled} AS filled, count() AS number,
    countIf(status_code = 'ERROR') AS failures,
    min(toDateTime64(timestamp, 3, 'UTC')) AS first_at, max(toDateTime64(timestamp, 3, 'UTC')) AS last_at
FROM traces
