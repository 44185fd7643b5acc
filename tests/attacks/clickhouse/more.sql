== remote-by-address: the own server read as if it were another one
% a: '127.0.0.1' | 'localhost:9000' | '127.0.0.{1,2}' | 'localhost' | '[::1]' | '127.0.0.1:9000,127.0.0.2:9000'
SELECT * FROM remote(<<a>>, view(SELECT * FROM <<db>>.logs))
SELECT count() FROM remote(<<a>>, '<<other>>.logs')
SELECT * FROM remote(<<a>>, numbers(3))
SELECT * FROM cluster(<<a>>, system.one)

== files-by-name: strings and names that stand for files
SELECT * FROM 'file.csv'
SELECT * FROM `/etc/passwd`
SELECT * FROM '/etc/passwd'
SELECT * FROM "https://127.0.0.1:1/x.csv"
SELECT * FROM file('/etc/passwd')
SELECT * FROM file(concat('/etc', '/passwd'), 'CSV', 'a String')
SELECT * FROM file('user_files/../../etc/passwd', CSV, 'a String')
SELECT * FROM file('x.csv', 'CSV', 'a String', 'gzip')
SELECT * FROM fileCluster('default', '*')
SELECT file('../../../etc/passwd', NULL)
SELECT * FROM s3(nosuch, url = 'http://127.0.0.1:1/')
SELECT * FROM url(named, url = 'http://127.0.0.1:1/')
SELECT * FROM values('a String', (SELECT max(body) FROM logs))
SELECT * FROM format(CSV, (SELECT max(body) FROM logs))
SELECT * FROM input('x String') FORMAT CSV
SELECT * FROM executable('id.sh', TabSeparated, 'a String', (SELECT body FROM logs))

== merge-over-tables: one table out of many
SELECT * FROM merge('log')
SELECT _table, count() FROM merge('<<db>>', '^logs') GROUP BY _table
SELECT * FROM merge(REGEXP('test_'), '^logs$')
SELECT * FROM merge('<<other>>', 'logs')
SELECT count() FROM merge('system', 'users')
SELECT count() FROM merge(currentDatabase(), 'tfo_demo')
SELECT * FROM (SELECT * FROM merge('<<db>>', 'logs|traces'))
SELECT count() FROM logs, merge('<<db>>', 'logs_1h')
WITH merge AS (SELECT 1 AS a) SELECT * FROM merge
SELECT merge.body FROM logs AS merge

== generators: tables out of nothing, as a way around the rule for names
SELECT number FROM numbers(3)
SELECT * FROM numbers(3) AS logs
SELECT logs.number, organization_id FROM numbers(3) AS logs, traces LIMIT 0
SELECT * FROM zeros(3), logs LIMIT 0
SELECT * FROM values('organization_id String', '<<own>>') AS logs
SELECT * FROM values('organization_id String', '<<own>>') AS o JOIN logs USING (organization_id) LIMIT 0
SELECT * FROM null('body String')
SELECT * FROM generateRandom('a UInt8', 1) LIMIT 1
SELECT * FROM system.numbers LIMIT 1
SELECT * FROM system.one
SELECT * FROM one
SELECT dummy FROM one()
SELECT 1 FROM (SELECT 1)
SELECT * FROM numbers(0, 10, 2)
SELECT number FROM generate_series(1, 3)
SELECT * FROM view(SELECT number FROM numbers(2))

== tables-of-the-platform: tables that have no organisation
SELECT * FROM tfo_demo
SELECT value FROM tfo_demo WHERE key = 'seed'
SELECT count() FROM tfo_demo
SELECT * FROM tfo_demo FINAL
SELECT any(value) FROM tfo_demo, logs
SELECT key IN (SELECT key FROM tfo_demo) FROM (SELECT 'seed' AS key)
SELECT * FROM (SELECT * FROM tfo_demo UNION ALL SELECT body, body FROM logs)
SELECT dictGet('tfo_demo', 'value', 'seed')
SELECT * FROM logs_1h
SELECT sum(count) FROM logs_1h WHERE organization_id = '<<own>>'
SELECT sum(total_requests), sum(error_count) FROM service_error_rates_1h
SELECT countMerge(request_count) FROM service_latency_percentiles_1h

== tuples-of-organisations: comparisons of the organisation that are none
% c: (organization_id, 1) = ('<<foreign>>', 1) | organization_id IN ('<<own>>', '<<foreign>>') | organization_id NOT IN ('<<own>>') | has(['<<foreign>>'], organization_id) | organization_id LIKE '%' | match(organization_id, '.*') | organization_id > '' | lower(organization_id) = lower('<<foreign>>') | organization_id = '<<own>>' OR 1 | NOT (organization_id = '<<own>>') | organization_id <=> '<<foreign>>' | isNotDistinctFrom(organization_id, '<<foreign>>') | organization_id GLOB '*' | organization_id BETWEEN '' AND 'z' | toUUIDOrNull(organization_id) = toUUID('<<foreign>>') | startsWith(organization_id, 'c5') | organization_id || '' = '<<foreign>>' | materialize(organization_id) = '<<foreign>>' | empty(organization_id) | xor(organization_id = '<<own>>', 1)
SELECT count(), any(body) FROM logs WHERE <<c>>
SELECT countIf(<<c>>) FROM traces

== index-tricks: settings and functions that use an index rather than rows
SELECT min(timestamp), max(timestamp) FROM logs
SELECT min(service_name), max(service_name) FROM traces
SELECT count() FROM logs WHERE timestamp > '2020-01-01'
SELECT min(organization_id) FROM kubernetes_events
SELECT uniq(organization_id) FROM kubernetes_events
SELECT DISTINCT organization_id FROM exemplars
SELECT organization_id FROM exemplars ORDER BY organization_id LIMIT 1
SELECT organization_id FROM exemplars ORDER BY organization_id DESC LIMIT 1
SELECT toYYYYMMDD(timestamp) AS d, count() FROM logs GROUP BY d ORDER BY d
SELECT count() FROM logs WHERE indexHint(timestamp > 0)
SELECT indexHint(1), body FROM logs WHERE 0
SELECT count() FROM vm_metrics WHERE organization_id >= '<<foreign>>'
SELECT max(organization_id) FROM service_map_metrics GROUP BY service_name ORDER BY service_name
SELECT estimate FROM (EXPLAIN ESTIMATE SELECT * FROM logs)
SELECT count() FROM logs GROUP BY toStartOfHour(timestamp) ORDER BY 1

== nested-subqueries: tables deep inside expressions
SELECT if(1, (SELECT max(body) FROM logs), '')
SELECT CASE WHEN 1 THEN (SELECT max(body) FROM logs WHERE organization_id = '<<foreign>>') END
SELECT [1, (SELECT count() FROM tfo_demo)]
SELECT map('a', (SELECT max(name) FROM system.users))
SELECT tuple((SELECT 1), (SELECT max(name) FROM system.databases))
SELECT 1 + (SELECT count() FROM <<other>>.logs)
SELECT multiIf((SELECT count() FROM logs) > 5, 'a', 'b')
SELECT CAST((SELECT count() FROM logs), 'String')
SELECT (SELECT (SELECT (SELECT count() FROM system.tables)))
SELECT body FROM logs WHERE length(body) > (SELECT avg(length(body)) FROM logs)
SELECT body FROM logs PREWHERE length(body) > (SELECT avg(length(span_name)) FROM traces)
SELECT count() FROM logs GROUP BY (SELECT max(organization_id) FROM traces)
SELECT count() AS c FROM logs HAVING c > (SELECT count() FROM <<other>>.logs)
SELECT body FROM logs ORDER BY (SELECT max(name) FROM system.users)
loose SELECT body FROM logs LIMIT (SELECT count() FROM system.users) BY service_name
SELECT sum(1) OVER (ORDER BY (SELECT count() FROM tfo_demo)) FROM logs
SELECT l.body FROM logs l JOIN (SELECT service_name FROM (SELECT * FROM <<other>>.logs)) t USING (service_name)
SELECT body FROM logs ARRAY JOIN (SELECT groupArray(name) FROM system.users) AS n
SELECT quantile(0.5)((SELECT count() FROM tfo_demo))
SELECT dictGet((SELECT 'd'), 'a', 1)

== windows: places inside OVER
SELECT row_number() OVER (ORDER BY organization_id) FROM logs
SELECT count() OVER () FROM logs
SELECT max(organization_id) OVER () FROM logs
loose SELECT first_value(organization_id) OVER (ORDER BY timestamp) FROM logs
loose SELECT lagInFrame(body, 1, 'none') OVER (ORDER BY timestamp) FROM logs
loose SELECT leadInFrame(organization_id) OVER (ORDER BY timestamp ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM logs
SELECT nth_value(organization_id, 1) OVER (PARTITION BY service_name) FROM logs
SELECT dense_rank() OVER (ORDER BY organization_id) FROM traces
SELECT nonNegativeDerivative(value, timestamp) OVER (ORDER BY timestamp) FROM metrics
SELECT sum(1) OVER (ORDER BY timestamp RANGE BETWEEN 1000 PRECEDING AND CURRENT ROW) FROM logs
SELECT sum(1) OVER (ROWS BETWEEN (SELECT count() FROM logs) PRECEDING AND CURRENT ROW) FROM logs
SELECT percent_rank() OVER (ORDER BY organization_id) FROM logs

== combinators: aggregate functions with every ending
% f: countIf(organization_id != '<<own>>') | countDistinct(organization_id) | uniqExactIf(body, organization_id = '<<foreign>>') | groupUniqArray(organization_id) | sumOrDefault(length(organization_id)) | maxOrNull(organization_id) | minDistinct(organization_id) | anyHeavy(organization_id) | groupArraySorted(5)(organization_id) | argMin(organization_id, timestamp) | maxMap(map(organization_id, 1)) | sumMap(map(organization_id, 1)) | uniqCombined(organization_id) | uniqHLL12(organization_id) | uniqTheta(organization_id) | groupBitXor(cityHash64(organization_id)) | sumResample(0, 2, 1)(1, length(organization_id)) | countForEach([organization_id]) | maxArray([organization_id]) | uniqState(organization_id) | cramersV(organization_id, service_name) | quantileExact(0.99)(cityHash64(organization_id)) | histogram(3)(length(organization_id)) | groupArrayMovingSum(length(organization_id)) | stochasticLinearRegression(1.0)(1.0, 2.0) | approx_top_k(3)(organization_id) | groupConcat(',')(organization_id) | maxIntersections(1, 2) | sparkbar(5)(length(organization_id), 1) | distinctDynamicTypes(organization_id)
SELECT <<f>> FROM logs

== old-and-new-syntax: words that older or newer servers understand
SELECT body FROM logs WITH TOTALS
SELECT body FROM logs ANY INNER JOIN traces USING (service_name)
SELECT body FROM logs GLOBAL JOIN traces USING (service_name)
SELECT body FROM logs STREAM
FROM logs |> WHERE 1 |> SELECT body
SELECT body FROM logs TABLESAMPLE (10 ROWS)
SELECT body FROM logs AT TIME ZONE 'UTC'
SELECT body FROM logs FOR SYSTEM_TIME AS OF now()
SELECT body FROM logs CURSOR {'logs': 1}
SELECT body FROM logs UNPIVOT
SELECT body FROM logs PIVOT (count() FOR organization_id IN ('<<foreign>>'))
SELECT body INTO x FROM logs
SELECT SQL_CALC_FOUND_ROWS body FROM logs
SELECT /*+ x */ STRAIGHT_JOIN body FROM logs
SELECT body FROM logs LOCK IN SHARE MODE
SELECT body FROM logs FOR UPDATE
SELECT ALL body FROM logs
SELECT body, FROM logs
SELECT body FROM logs WHERE 1,
SELECT DISTINCT body, FROM logs,
TABLE logs
VALUES (1)
logs | where 1
from logs select body
(SELECT body FROM logs)
((SELECT body FROM logs))
SELECT body FROM (logs)
SELECT body FROM ((SELECT body FROM logs))
SELECT body FROM logs AS l (a, b, c)
SELECT a FROM logs AS l (a)
SELECT l.1 FROM logs AS l

== types-and-casts: types that read or run something
SELECT CAST('x', 'JSON')
SELECT CAST('{"a":1}', 'Object(\'json\')')
SELECT 1::Dynamic, 'x'::Variant(String, UInt8)
SELECT toTypeName(log_attributes), log_attributes::JSON FROM logs
SELECT CAST(tuple(body), 'Tuple(a String)').a FROM logs
SELECT CAST(body AS LowCardinality(String)) FROM logs
SELECT reinterpretAsString(cityHash64(body)) FROM logs
SELECT body::Nullable(Nothing) FROM logs
SELECT CAST('0', 'AggregateFunction(sum, UInt64)')
SELECT CAST(1, 'IntervalDay'), CAST(1, 'Nested(a UInt8)')
SELECT CAST(1, (SELECT any(body) FROM logs WHERE organization_id = '<<foreign>>'))
SELECT accurateCastOrNull(organization_id, 'UUID') FROM logs
SELECT CAST(organization_id, 'Enum(\'<<own>>\' = 1)') FROM logs
SELECT CAST(organization_id AS Enum8('<<own>>' = 1)) FROM traces
SELECT toUUID(organization_id) FROM logs
SELECT CAST(unhex('ff'), 'Bool')

== log-and-trace: what a statement writes into the server's own tables
SELECT body FROM logs SETTINGS log_comment = '<<foreign>>'
SELECT body FROM logs SETTINGS log_queries = 0, opentelemetry_start_trace_probability = 1
SELECT logTrace('a'), logDebug('b'), logInfo('c'), logError('d')
SELECT body FROM logs SETTINGS send_logs_level = 'trace'
SELECT body FROM logs SETTINGS query_id = 'x'
SELECT * FROM system.opentelemetry_span_log
SELECT * FROM system.query_views_log
SELECT query FROM system.query_log WHERE type = 1
SELECT query FROM system.processes
SELECT message FROM system.text_log
SELECT * FROM system.crash_log
SELECT exception FROM system.query_log
SELECT traceId, tracestate FROM logs
SELECT * FROM system.error_log

== names-of-columns: columns of others' structures through errors and hints
SELECT nothing FROM logs
SELECT logs.nothing FROM logs
SELECT * FROM nothing
SELECT * FROM log
SELECT * FROM `logs `
SELECT bodi FROM logs
SELECT * FROM userz
SELECT passwort FROM users
SELECT * FROM system.userz
SELECT noSuchFunction(1)
SELECT hostNam()
SELECT count() FROM <<db>>x.logs
SELECT * FROM <<other>>.nothing
SELECT nothing FROM <<other>>.logs
SELECT * FROM default.nothing
SELECT tfo FROM tfo_demo

== own-answers: honest questions, for what they show beside their rows
SELECT count() FROM logs
SELECT service_name, count() FROM traces GROUP BY service_name ORDER BY service_name
SELECT max(value), min(value) FROM metrics
SELECT sum(duration_ns) FROM traces
SELECT count(), uniqExact(trace_id) FROM traces_errors
SELECT event_type, result, count() FROM audit_logs GROUP BY event_type, result ORDER BY event_type, result
SELECT sum(count) FROM audit_logs_1h
SELECT countMerge(count), maxMerge(max_value) FROM metrics_1h
SELECT countMerge(count) FROM vm_metrics_1h
SELECT avgMerge(avg_latency) FROM service_map_metrics_1h
SELECT count() FROM kubernetes_metrics
SELECT countMerge(count) FROM kubernetes_metrics_1h
SELECT status, count() FROM uptime_checks GROUP BY status ORDER BY status
SELECT count(), max(anomaly_score) FROM anomaly_events
SELECT quantileExact(0.95)(duration_ns) FROM traces
SELECT span_attributes['db.system'] AS db, count() FROM traces GROUP BY db ORDER BY db
SELECT l.c, t.c FROM (SELECT count() AS c FROM logs) AS l, (SELECT count() AS c FROM traces) AS t

== correlated: outer columns in inner places
SELECT (SELECT l.organization_id) FROM logs AS l
SELECT (SELECT max(t.span_name) FROM traces AS t WHERE t.organization_id != l.organization_id) FROM logs AS l
SELECT body FROM logs AS l WHERE EXISTS (SELECT 1 FROM traces AS t WHERE t.organization_id != l.organization_id)
SELECT body FROM logs AS l WHERE NOT EXISTS (SELECT 1 FROM <<other>>.logs AS t WHERE t.body = l.body)
SELECT count() FROM logs AS l WHERE l.service_name IN (SELECT t.service_name FROM traces AS t WHERE t.organization_id = '<<foreign>>')
SELECT (SELECT count() FROM traces WHERE organization_id = logs.organization_id) FROM logs
SELECT (SELECT body LIMIT 1) FROM logs
SELECT (SELECT groupArray(body) FROM logs AS m WHERE m.service_name = l.service_name) FROM logs AS l
SELECT body FROM logs AS l WHERE l.severity_number = (SELECT max(severity_number) FROM logs AS m WHERE m.trace_id = l.trace_id)
SELECT l.body FROM logs l, (SELECT t.span_name FROM traces t WHERE t.trace_id = l.trace_id) q

== array-joins: arrays that carry rows from one place to another
SELECT b FROM (SELECT groupArray(body) AS bs FROM logs) ARRAY JOIN bs AS b
SELECT b.1, b.2 FROM (SELECT groupArray((body, organization_id)) AS bs FROM logs) ARRAY JOIN bs AS b
SELECT arrayJoin((SELECT groupArray(body) FROM logs))
SELECT arrayJoin((SELECT groupArray(tuple(*)) FROM logs)).1
WITH (SELECT groupArray(organization_id) FROM logs) AS os SELECT arrayJoin(os)
WITH (SELECT groupUniqArray(organization_id) FROM traces) AS os SELECT length(os), os
SELECT x FROM numbers(1) ARRAY JOIN (SELECT groupArray(body) FROM logs) AS x
SELECT arrayConcat(a, b) FROM (SELECT groupArray(body) AS a FROM logs) AS p, (SELECT groupArray(name) AS b FROM tfo_demo) AS q
SELECT arrayZip(a, a) FROM (SELECT groupUniqArray(organization_id) AS a FROM logs)
SELECT mapFromArrays(a, a) FROM (SELECT groupUniqArray(organization_id) AS a FROM logs)
SELECT arrayUniq(groupArray(organization_id)) FROM logs
SELECT arrayElement(groupArray(organization_id), -1) = '<<own>>' FROM logs

== block-functions: functions that tell how rows lie in blocks, which hold rows of others before they are filtered
SELECT b, count() AS n FROM (SELECT rowNumberInAllBlocks() - rowNumberInBlock() AS b FROM traces) GROUP BY b ORDER BY b
SELECT max(rowNumberInAllBlocks()) FROM logs
SELECT DISTINCT rowNumberInBlock() FROM metrics ORDER BY 1 DESC LIMIT 3
SELECT dumpColumnStructure(service_name) FROM traces LIMIT 1
SELECT blockSize() FROM traces LIMIT 1
SELECT blockNumber() FROM traces LIMIT 1
SELECT blockSerializedSize(service_name) FROM traces LIMIT 1
SELECT nowInBlock() FROM traces LIMIT 1
SELECT nowInBlock64() FROM traces LIMIT 1
SELECT neighbor(service_name, 1) FROM traces LIMIT 1
SELECT runningDifference(duration_ns) FROM traces LIMIT 1
SELECT runningAccumulate(sumState(duration_ns)) FROM traces LIMIT 1
SELECT lowCardinalityIndices(toLowCardinality(service_name)) FROM traces LIMIT 1
SELECT lowCardinalityKeys(toLowCardinality(service_name)) FROM traces LIMIT 1
