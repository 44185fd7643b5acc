SELECT
    organization_id, workspace_id, service_name,
    multiIf(severity_number >= 17, 'error', severity_number >= 13, 'warn', 'info') AS severity,
    toStartOfMinute(timestamp, 'UTC') AS minute,
    replaceRegexpOne(
        replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(replaceRegexpOne(
            substringUTF8(body, 1, 2000),
            '^[^A-Za-z]*(?i:(error|fatal|critical|warning|warn|info|debug|trace)[^A-Za-z]*)?', ''),
            '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}', '<id>'),
            '[0-9a-fA-F]{16,}', '<id>'),
            '[0-9]+([.:,][0-9]+)*', '<n>'),
            '\\b[a-fA-F]*(<n>[a-fA-F]+)+<n>', '<id>'),
            '\\s+', ' '),
        '^(.{180}).*(.{110})$', '\\1 … \\2') AS text,
    {filled} AS filled, count() AS number, min(timestamp) AS first_at, max(timestamp) AS last_at,
    argMaxState(shown, (timestamp, shown)) AS newest,
    argMaxIfState(trace_id, (timestamp, trace_id), trace_id != '') AS newest_trace
FROM (
    SELECT
        organization_id, workspace_id, service_name, severity_number, timestamp, body, trace_id,
        if(lengthUTF8(body) > 2000, concat(substringUTF8(body, 1, 1000), ' … ', substringUTF8(body, -1000)), body) AS shown
    FROM logs
)
