== foreign-by-name: rows of another organisation asked for directly
% t: logs | traces | metrics | audit_logs | logs_errors | traces_errors | metrics_1m | metrics_1h | audit_logs_1h | exemplars | uptime_checks | vm_metrics | kubernetes_metrics | kubernetes_events | anomaly_events | service_map_metrics
SELECT * FROM <<t>> WHERE organization_id = '<<foreign>>'
SELECT count(), uniqExact(organization_id), min(organization_id), max(organization_id) FROM <<t>>
SELECT count() FROM <<t>> WHERE organization_id != '<<own>>'
SELECT count() FROM <<t>> FINAL WHERE organization_id != ''

== matchers: columns by pattern, and what is done to them
SELECT COLUMNS('.*') FROM logs
SELECT COLUMNS('org') FROM logs
SELECT COLUMNS('^_') FROM logs
SELECT logs.COLUMNS('.*') FROM logs
SELECT COLUMNS(organization_id, body) FROM logs
SELECT * EXCEPT (organization_id) FROM logs
SELECT * EXCEPT ('.*_id') FROM logs
SELECT * EXCEPT STRICT organization_id FROM logs
SELECT * REPLACE ('<<own>>' AS organization_id) FROM logs
SELECT * REPLACE ('<<own>>' AS organization_id) FROM logs WHERE organization_id = '<<own>>'
SELECT * REPLACE STRICT ('x' AS body) FROM logs
SELECT * APPLY (max) FROM logs
SELECT * APPLY (toString) APPLY (length) FROM logs
SELECT COLUMNS('body') APPLY (x -> concat(x, hostName())) FROM logs
SELECT * APPLY (x -> (SELECT count() FROM traces)) FROM logs
SELECT * APPLY quantiles(0.5) FROM (SELECT duration_ns FROM traces)
SELECT * EXCEPT (organization_id) REPLACE (upper(body) AS body) APPLY (any) FROM logs
SELECT * LIKE 'org%' FROM logs
SELECT * ILIKE 'ORG%' FROM logs
SELECT untuple(tuple(*)) FROM logs
SELECT tuple(*) FROM logs
SELECT tuple(logs.*).1 FROM logs
loose SELECT (SELECT tuple(*) FROM logs LIMIT 1).1
loose SELECT (SELECT tuple(COLUMNS('.*')) FROM logs LIMIT 1) AS t, t.1
SELECT array(*) FROM (SELECT body, service_name FROM logs)
SELECT map(*) FROM (SELECT body, service_name FROM logs)
SELECT cityHash64(*) FROM logs
SELECT sipHash128(*) FROM logs
SELECT toTypeName(*) FROM (SELECT body FROM logs)
SELECT dumpColumnStructure(*) FROM (SELECT body FROM logs)
SELECT count(*) FROM logs
SELECT groupArray(tuple(*)) FROM logs
SELECT formatRow('JSONEachRow', *) FROM logs
SELECT formatRowNoNewline('CSV', COLUMNS('.*')) FROM logs
loose SELECT * FROM logs, traces LIMIT 1

== organisation-shadowing: an alias that takes the name of the organisation's column
SELECT '<<own>>' AS organization_id, body FROM logs
SELECT '<<own>>' AS organization_id, body FROM logs WHERE organization_id = '<<own>>'
WITH '<<own>>' AS organization_id SELECT body FROM logs
WITH '<<own>>' AS organization_id SELECT body FROM logs WHERE organization_id = '<<own>>'
SELECT body, '<<own>>' AS `organization_id` FROM logs PREWHERE organization_id = '<<own>>'
SELECT body, lower('<<own>>') AS "organization_id" FROM logs
SELECT body FROM (SELECT body, '<<own>>' AS organization_id FROM logs)
SELECT (SELECT '<<own>>') AS organization_id, body FROM logs
WITH (SELECT '<<own>>') AS organization_id SELECT body FROM logs
WITH organization_id AS x, '<<own>>' AS organization_id SELECT x, body FROM logs
SELECT body AS organization_id, organization_id AS body FROM logs
SELECT body FROM logs ARRAY JOIN ['<<own>>'] AS organization_id
SELECT body FROM logs ARRAY JOIN ['<<own>>', '<<foreign>>'] AS organization_id WHERE organization_id = '<<own>>'
SELECT body, x AS organization_id FROM logs ARRAY JOIN ['<<own>>'] AS x
SELECT body FROM logs LEFT ARRAY JOIN emptyArrayString() AS organization_id
SELECT organization_id.organization_id FROM logs AS organization_id
SELECT body FROM logs AS organization_id
SELECT if(1, '<<own>>', organization_id) AS organization_id, body FROM logs
SELECT arrayMap(organization_id -> '<<own>>', [1]), body FROM logs
SELECT body FROM logs GROUP BY body, '<<own>>' AS organization_id
SELECT body FROM logs ORDER BY '<<own>>' AS organization_id
loose SELECT body FROM logs LIMIT 1 BY '<<own>>' AS organization_id
SELECT body FROM logs HAVING '<<own>>' AS organization_id
SELECT body FROM logs QUALIFY ('<<own>>' AS organization_id) = '<<own>>'
SELECT any(body) OVER (PARTITION BY '<<own>>' AS organization_id) FROM logs
SELECT body, materialize('<<own>>') organization_id FROM logs WHERE (organization_id = '<<own>>')
SELECT logs.body FROM logs JOIN (SELECT '<<own>>' AS organization_id) AS o USING (organization_id)
SELECT logs.body FROM logs RIGHT JOIN (SELECT '<<foreign>>' AS organization_id) AS o USING (organization_id)
SELECT body FROM logs CROSS JOIN (SELECT '<<own>>' AS organization_id) AS o
SELECT l.body FROM (SELECT '<<own>>' AS organization_id) AS o FULL JOIN logs AS l ON true

== table-shadowing: a WITH or an alias that takes the name of a table
WITH logs AS (SELECT * FROM logs) SELECT * FROM logs
WITH logs AS (SELECT * FROM <<db>>.logs) SELECT * FROM logs
WITH logs AS (SELECT 1 AS a) SELECT * FROM <<db>>.logs
WITH logs AS (SELECT 1 AS a) SELECT * FROM `logs`
WITH traces AS (SELECT * FROM logs), logs AS (SELECT 1) SELECT * FROM traces
WITH logs AS (SELECT 1 AS a), q AS (SELECT * FROM logs) SELECT * FROM q
WITH q AS (WITH logs AS (SELECT 1 AS a) SELECT * FROM logs) SELECT * FROM logs, q
WITH RECURSIVE logs AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM logs WHERE n < 3) SELECT * FROM logs
WITH RECURSIVE q AS (SELECT body FROM logs UNION ALL SELECT body FROM q WHERE 0) SELECT * FROM q
WITH 'x' AS logs SELECT logs, body FROM logs
WITH (SELECT max(body) FROM logs) AS logs SELECT logs
WITH system AS (SELECT 1 AS a) SELECT * FROM system
WITH numbers AS (SELECT 1 AS a) SELECT * FROM numbers, numbers(2)
SELECT traces.body FROM logs AS traces
loose SELECT traces.body, logs.span_name FROM logs AS traces, traces AS logs LIMIT 1
loose SELECT * FROM logs AS system LIMIT 1
SELECT system.users.name FROM logs AS system
SELECT * FROM (SELECT * FROM logs) AS logs
SELECT <<db>>.logs.body FROM logs AS q
SELECT l.* FROM logs AS l ANY LEFT JOIN logs AS m USING (organization_id)
WITH logs_1h AS (SELECT * FROM logs) SELECT * FROM logs_1h
WITH q AS MATERIALIZED (SELECT * FROM logs) SELECT * FROM q
WITH q(a, b) AS (SELECT body, organization_id FROM logs) SELECT * FROM q

== joins: kinds of join that only ClickHouse has
% j: ANY LEFT JOIN traces t ON l.service_name = t.service_name | ALL INNER JOIN traces t USING (service_name) | SEMI LEFT JOIN traces t USING (service_name) | ANTI LEFT JOIN traces t USING (service_name) | ANTI RIGHT JOIN traces t USING (service_name) | ASOF LEFT JOIN traces t ON l.service_name = t.service_name AND l.timestamp >= t.timestamp | ASOF JOIN traces t USING (service_name, timestamp) | PASTE JOIN traces t | CROSS JOIN traces t | FULL JOIN traces t ON l.trace_id = t.trace_id | GLOBAL ANY LEFT JOIN traces t USING (service_name) | RIGHT JOIN traces t ON l.organization_id != t.organization_id | LEFT JOIN traces t ON t.organization_id = '<<foreign>>' | JOIN LATERAL (SELECT 1) t ON 1 | , traces t | ARRAY JOIN mapKeys(log_attributes) AS t | LEFT ARRAY JOIN mapValues(resource_attributes) AS t | ARRAY JOIN log_attributes AS t | LOCAL JOIN traces t USING (service_name) | FULL JOIN system.users t ON l.body = t.name | LEFT JOIN tfo_demo t ON l.body = t.key
SELECT l.body, t.* FROM logs AS l <<j>>
SELECT count() FROM logs AS l <<j>>
SELECT count(), uniqExact(l.organization_id) FROM logs AS l <<j>> WHERE l.organization_id != '<<own>>'

== table-clauses: clauses behind a table
SELECT * FROM logs FINAL
SELECT count() FROM kubernetes_metrics FINAL
SELECT * FROM logs SAMPLE 0.5
SELECT count() FROM logs SAMPLE 1 OFFSET 0.1
SELECT * FROM logs PREWHERE organization_id = '<<foreign>>'
SELECT * FROM logs PREWHERE 1 WHERE 1
SELECT count() FROM logs PREWHERE organization_id != '<<own>>' WHERE 1
loose SELECT * FROM logs LIMIT 1 BY organization_id
loose SELECT * FROM logs LIMIT 1 OFFSET 1 BY organization_id
SELECT count() FROM logs GROUP BY organization_id WITH TOTALS
SELECT organization_id, count() FROM logs GROUP BY organization_id WITH ROLLUP
SELECT organization_id, count() FROM logs GROUP BY CUBE (organization_id, service_name)
SELECT count() FROM logs GROUP BY GROUPING SETS ((organization_id), ())
SELECT grouping(organization_id), count() FROM logs GROUP BY organization_id WITH CUBE
SELECT count() FROM logs GROUP BY ALL
SELECT timestamp, count() FROM logs GROUP BY timestamp ORDER BY timestamp WITH FILL STEP 3600
SELECT service_name FROM logs ORDER BY service_name WITH FILL FROM '' TO 'z'
SELECT * FROM logs ORDER BY ALL LIMIT 1 WITH TIES
loose SELECT DISTINCT ON (organization_id) organization_id, body FROM logs
loose SELECT TOP 1 body FROM logs
SELECT body FROM logs ORDER BY timestamp INTERPOLATE (body AS hostName())
loose SELECT body FROM logs QUALIFY row_number() OVER (PARTITION BY organization_id) = 1
SELECT sum(1) OVER w FROM logs WINDOW w AS (PARTITION BY organization_id)
FROM logs SELECT body
FROM logs SELECT * WHERE organization_id = '<<foreign>>'
loose SELECT body FROM logs FETCH FIRST 1 ROWS ONLY
SELECT count() FROM logs HAVING max(organization_id) != min(organization_id)
SELECT * FROM logs LIMIT -1
SELECT * FROM logs LIMIT 0.5
SELECT (SELECT count() FROM logs) AS c LIMIT (SELECT count() FROM logs)

== settings-clause: settings in the statement
% s: additional_table_filters = {} | additional_table_filters = {'logs': '1'} | additional_table_filters = {'<<db>>.logs': 'organization_id = \'<<foreign>>\''} | additional_result_filter = '1' | readonly = 0 | readonly = 2 | max_execution_time = 0 | max_memory_usage = 0 | max_result_rows = 0 | allow_ddl = 1 | log_queries = 0 | enable_analyzer = 0 | allow_experimental_analyzer = 0 | allow_introspection_functions = 1 | optimize_use_implicit_projections = 1 | optimize_trivial_count_query = 1 | final = 1 | limit = 1 | offset = 1 | SQL_x = 1 | param_x = '1' | allow_experimental_parallel_reading_from_replicas = 1 | join_use_nulls = 1 | use_query_cache = 1 | force_index_by_date = 1 | dialect = 'kusto' | dialect = 'prql' | compatibility = '20.1' | session_timezone = 'Asia/Tokyo' | send_logs_level = 'trace' | workload = 'x' | implicit_select = 1 | count_distinct_implementation = 'uniqHLL12' | extremes = 1 | totals_mode = 'before_having' | profile = 'default'
SELECT count() FROM logs SETTINGS <<s>>
SELECT * FROM (SELECT count() FROM logs SETTINGS <<s>>)
SET <<s>>

== formats-and-outfiles: FORMAT and INTO OUTFILE
% x: FORMAT JSON | FORMAT Null | FORMAT PrettyCompact | FORMAT Native | FORMAT Values | FORMAT SQLInsert | FORMAT Template SETTINGS format_template_row = '/etc/passwd' | INTO OUTFILE '/tmp/tfo-attack' | INTO OUTFILE '/tmp/tfo-attack' TRUNCATE FORMAT CSV | INTO OUTFILE 'x' AND STDOUT | SETTINGS max_threads = 1 FORMAT CSV | FORMAT JSON SETTINGS output_format_json_quote_64bit_integers = 0 | COMPRESSION 'gzip' | format json | FORMAT`JSON` | FORMAT CapnProto SETTINGS format_schema = '/etc/passwd:x'
SELECT body FROM logs <<x>>
SELECT count() FROM logs UNION ALL SELECT 1 <<x>>

== subcolumns: parts of columns
% c: log_attributes.keys | log_attributes.values | body.size | organization_id.size | log_attributes.size0 | resource_attributes.key_x | log_attributes['LEAK2a-logs.log_attributes'] | getSubcolumn(log_attributes,'keys') | tupleElement(tuple(body),1) | mapKeys(log_attributes) | mapValues(resource_attributes) | arrayJoin(mapKeys(log_attributes)) | arrayJoin(log_attributes) | log_attributes.1 | (log_attributes).keys | body.null | `log_attributes.keys` | `logs.body` | logs.log_attributes.keys | log_attributes::String | timestamp.second
SELECT <<c>> FROM logs
SELECT count() FROM logs WHERE toString(<<c>>) LIKE '%LEAK2%'
SELECT uniqExact(<<c>>) FROM logs

== higher-order: lambdas, and tables in them
SELECT arrayMap(x -> (SELECT max(body) FROM logs), [1])
SELECT arrayMap(x -> x IN (SELECT body FROM logs), ['LEAK2a-logs.body'])
SELECT arrayFilter(x -> x IN (SELECT organization_id FROM logs), ['<<foreign>>'])
SELECT arrayFold((a, x) -> a + (SELECT count() FROM logs), [1, 2], toUInt64(0))
SELECT arraySort(x -> (SELECT count() FROM traces), [3, 1, 2])
SELECT arrayExists(x -> x IN tfo_demo, [('a', 'b')])
SELECT arrayMap(organization_id -> organization_id, [1]), organization_id FROM logs
SELECT arrayMap((organization_id, body) -> body, [1], [2]) FROM logs
SELECT arrayMap(logs -> logs, [1]) FROM logs
WITH x -> (SELECT count() FROM logs) AS f SELECT f(1)
WITH x -> concat(x, currentUser()) AS f SELECT f('a')
WITH (x -> x IN system.users) AS f SELECT f('default')
WITH f AS (SELECT 1) SELECT f(1)
SELECT mapApply((k, v) -> (k, hostName()), log_attributes) FROM logs
SELECT mapFilter((k, v) -> k LIKE 'LEAK2%', log_attributes) FROM logs
SELECT arrayReduce('max', groupArray(body)) FROM logs
SELECT arrayReduce('groupArray', [hostName()])
SELECT arrayReduceInRanges('sum', [(1, 5)], [1, 2, 3])
SELECT initializeAggregation('sumState', 1)
SELECT arrayMap(lambda(tuple(x), plus(x, 1)), [1])
SELECT lambda(tuple(x), x)
SELECT (x -> x)(1)
SELECT apply(x -> x, [1])

== aggregate-states: states from bytes, and states of others
SELECT CAST('\0\0' AS AggregateFunction(count))
SELECT finalizeAggregation(CAST('\x05' AS AggregateFunction(count)))
SELECT finalizeAggregation(unhex('0101')::AggregateFunction(groupArray, String))
SELECT finalizeAggregation(avg_value), minMerge(min_value) FROM metrics_1m GROUP BY avg_value
SELECT hex(avg_value) FROM metrics_1m
SELECT toString(avg_value) FROM metrics_1m
SELECT avgMerge(avg_value), countMerge(count) FROM metrics_1m
SELECT avgMergeState(avg_value) FROM metrics_1h
SELECT countMerge(count) FROM metrics_1m WHERE organization_id = '<<foreign>>'
SELECT runningAccumulate(count) FROM metrics_1m
SELECT groupArray(organization_id) FROM metrics_1m
SELECT sumMap(log_attributes) FROM logs
SELECT quantileDeterministic(0.5)(duration_ns, 1) FROM traces
SELECT arrayReduce('avgMerge', [avg_value]) FROM metrics_1m
SELECT readWKTPoint('x'), reinterpret(unhex('00'), 'AggregateFunction(uniq, String)')
SELECT uniqState(organization_id) FROM logs
SELECT maxMerge(max_value) FROM metrics_5m
SELECT sum(count) FROM logs_1h
SELECT multiply(sumState(1), 5) FROM logs
SELECT bitmapToArray(groupBitmapState(toUInt32(length(body)))) FROM logs
SELECT finalizeAggregation((SELECT sumState(value) FROM metrics))
loose SELECT sumOrNull(value), countIf(organization_id != '<<own>>') FROM metrics
SELECT groupArrayIf(body, organization_id = '<<foreign>>') FROM logs
SELECT argMax(body, organization_id) FROM logs
SELECT anyLast(organization_id) RESPECT NULLS FROM logs
SELECT topK(10)(organization_id) FROM logs
SELECT exponentialTimeDecayedAvg(1)(value, timestamp) OVER () FROM metrics
SELECT groupUniqArrayArray(mapKeys(log_attributes)) FROM logs
SELECT sumMapFiltered([1])([1], [1]) FROM logs
SELECT entropy(organization_id), simpleLinearRegression(value, value) FROM metrics
SELECT flameGraph(arrayMap(x -> x, [1])) FROM logs
SELECT estimateCompressionRatio(body) FROM logs
