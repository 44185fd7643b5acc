SELECT
    organization_id, workspace_id, service_name, toString(span_kind) AS span_kind,
    toStartOfMinute(timestamp, 'UTC') AS minute, {filled} AS filled, count() AS number,
    countIf(status_code = 'ERROR') AS failures
FROM traces
