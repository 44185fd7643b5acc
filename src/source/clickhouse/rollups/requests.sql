SELECT
    organization_id, workspace_id, service_name, span_name AS operation_name,
    resource_attributes['service.version'] AS service_version,
    if(resource_attributes['deployment.environment.name'] != '', resource_attributes['deployment.environment.name'],
        resource_attributes['deployment.environment']) AS environment,
    toStartOfMinute(timestamp, 'UTC') AS minute, {filled} AS filled, count() AS number,
    countIf(status_code = 'ERROR') AS failures, max(duration_ns) AS longest_ns,
    quantilesTDigestState(0.5, 0.75, 0.9, 0.95, 0.99)(duration_ns) AS durations
FROM traces
