SELECT
    organization_id, workspace_id, service_name,
    multiIf(severity_number >= 17, 'error', severity_number >= 13, 'warn', 'info') AS severity,
    toStartOfMinute(timestamp, 'UTC') AS minute,
    arrayMap(folded -> if(lengthUTF8(folded) > 600,
            concat(substringUTF8(folded, 1, 300), ' … ', substringUTF8(folded, -300)), folded), [
        replaceRegexpOne(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(
            arrayMap(whole -> if(lengthUTF8(whole) > 2000,
                    concat(substringUTF8(whole, 1, 1000), ' … ', substringUTF8(whole, -1000)), whole), [
                replaceRegexpAll(body,
                    concat('(\\n[ \\t]+at [^\\n(\\[]+)[^\\n]*(?:(\\n[ \\t]+at [^\\n(\\[]+)[^\\n]*)?',
                        '(?:\\n[ \\t]+(?:at |--- |\\.\\.\\. )[^\\n]*)*'), '\\1\\2')
            ])[1],
            concat('(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16,}|\\b0x[0-9a-f]+|@[0-9]{5,}\\b|',
                '(?:[@_]|\\b)(?:(?-i:0[0-9]?[A-Z][0-9A-Z]{8,})|',
                '[0-9][a-f][0-9a-f]{4,}|[0-9]{2}[a-f][0-9a-f]{3,}|[0-9]{3}[a-f][0-9a-f]{2,}|',
                '[0-9]{4}[a-f][0-9a-f]+|[0-9]{5,}[a-f][0-9a-f]*|(?-i:[a-f])[0-9][0-9a-f]{4,}|',
                '[a-f][0-9][0-9a-f]{5,}|[a-f]{2}[0-9][0-9a-f]{3,}|[a-f]{3}[0-9][0-9a-f]{2,}|',
                '[a-f]{4}[0-9][0-9a-f]+|[a-f]{5,}[0-9][0-9a-f]*)\\b'), '<id>'),
            '[0-9]+(?:[.:,][0-9]+|[hm][0-9]+)*(?:(?:[mnuµ]?s|[hm]|[kKMGT]i?B)\\b)?', '<n>'),
            '[\\t\\n\\f\\r]\\s*| \\s+', ' '),
            concat('^(?:[^\\pL<]|<?T?<(?:n|id)>Z?)*',
                '(?:(?i:error|fatal|critical|warning|warn|info|debug|trace)\\b(?:[^\\pL<]|<(?:n|id)>)*)?'), '')
    ])[1] AS text,
    {filled} AS filled, count() AS number, min(timestamp) AS first_at, max(timestamp) AS last_at,
    argMaxState(shown, (timestamp, shown)) AS newest,
    argMaxIfState(trace_id, (timestamp, trace_id), trace_id != '') AS newest_trace
FROM (
    SELECT
        organization_id, workspace_id, service_name, severity_number, timestamp, body, trace_id,
        if(lengthUTF8(body) > 2000, concat(substringUTF8(body, 1, 1000), ' … ', substringUTF8(body, -1000)), body) AS shown
    FROM logs
)
