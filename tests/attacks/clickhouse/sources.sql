== table-functions: functions in FROM that read from elsewhere
% f: url('http://127.0.0.1:1/x','CSV','a String') | file('/etc/passwd','CSV','a String') | file('*','RawBLOB') | s3('http://127.0.0.1:1/b/x','CSV','a String') | s3Cluster('default','http://127.0.0.1:1/b','CSV','a String') | gcs('http://127.0.0.1:1/b','CSV','a String') | hdfs('hdfs://127.0.0.1:1/x','CSV','a String') | azureBlobStorage('x','c','b') | remote('127.0.0.1','<<db>>','logs') | remote('127.0.0.1',<<db>>.logs) | remoteSecure('127.0.0.1','<<db>>','logs') | cluster('default','<<db>>','logs') | clusterAllReplicas('default','<<db>>.logs') | merge('<<db>>','logs') | merge('logs.*') | merge(currentDatabase(),'.*') | merge(REGEXP('.*'),'logs') | numbers(10) | zeros(10) | generate_series(1,3) | generateSeries(1,3) | values('a String','x') | VALUES('a String','x') | null('a String') | input('a String') | generateRandom('a String',1,10,2) | dictionary('d') | executable('cat /etc/passwd','CSV','a String') | mysql('127.0.0.1:1','d','t','u','p') | postgresql('127.0.0.1:1','d','t','u','p') | sqlite('/etc/x.db','t') | mongodb('127.0.0.1:1','d','c','u','p','a String') | redis('127.0.0.1:1','k','k String, v String') | jdbc('x','y','z') | odbc('x','y','z') | iceberg('http://127.0.0.1:1/x') | deltaLake('http://127.0.0.1:1/x') | hudi('http://127.0.0.1:1/x') | view(SELECT * FROM logs) | viewIfPermitted(SELECT * FROM system.users ELSE null('a String')) | viewExplain('EXPLAIN','',(SELECT 1)) | format(JSONEachRow,'{"a":1}') | format('CSV','a String','x') | fuzzJSON('{}') | fuzzQuery('SELECT 1') | loop(logs) | loop(<<db>>,logs) | mergeTreeIndex('<<db>>','logs') | mergeTreeProjection('<<db>>','logs','p') | mergeTreeAnalyzeIndexes('<<db>>','logs') | timeSeriesData('<<db>>','x') | timeSeriesTags('x') | prometheusQuery('x','up',now()) | filesystem('/etc') | ytsaurus('x','y','z','a String') | arrowFlight('127.0.0.1:1','x') | python('x') | Python('x') | numbers_mt(10) | primes(5) | urlCluster('default','http://127.0.0.1:1','CSV','a String') | fileCluster('default','/etc/passwd','CSV','a String')
loose SELECT * FROM <<f>> LIMIT 5
SELECT count() FROM logs WHERE body IN (SELECT toString(tuple(*)) FROM <<f>>)
DESCRIBE TABLE <<f>>

== system-tables: the server's own tables, in both cases of the schema
% t: tables | columns | databases | parts | parts_columns | query_log | processes | users | roles | grants | settings | merge_tree_settings | server_settings | functions | table_functions | clusters | dictionaries | mutations | detached_parts | data_skipping_indices | errors | metrics | asynchronous_metrics | events | one | numbers | contributors | build_options | text_log | query_thread_log | part_log | session_log | trace_log | stack_trace | zookeeper | disks | storage_policies | named_collections | quota_usage | row_policies | settings_profiles | user_processes | view_refreshes | warnings | replicas | remote_data_paths | filesystem_cache | projections | completions | documentation | schema_inference_cache | symbols | licenses | time_zones | dropped_tables | asynchronous_inserts | kafka_consumers | backups | certificates | graphite_retentions | macros | models
loose SELECT * FROM system.<<t>> LIMIT 3
SELECT count() FROM logs WHERE service_name IN (SELECT toString(tuple(*)) FROM `system`.`<<t>>` LIMIT 1)

== information-schema: the standard's views
% v: INFORMATION_SCHEMA.TABLES | information_schema.columns | INFORMATION_SCHEMA.tables | `information_schema`.`COLUMNS` | information_schema.schemata | INFORMATION_SCHEMA.views | information_schema.key_column_usage | information_schema.referential_constraints | information_schema.statistics | information_schema.engines | information_schema.character_sets | information_schema.collations
loose SELECT * FROM <<v>> LIMIT 3
SELECT count() FROM <<v>>

== other-databases: tables by database, in each spelling
% t: default.logs | <<other>>.logs | `<<other>>`.`logs` | "<<other>>"."logs" | <<db>>.logs | `<<db>>`.`logs` | "<<db>>"."logs" | <<db>> . logs | _temporary_and_external_tables.x | `.inner.logs_errors` | <<db>>.`.inner.logs_1h` | `.inner_id.00000000-0000-0000-0000-000000000000` | tfo_demo | system.one | `logs` | "logs" | LOGS | Logs | `<<db>>.logs` | logs.body | <<db>>.logs.body
loose SELECT * FROM <<t>> LIMIT 3
SELECT count() FROM traces WHERE service_name IN (SELECT toString(tuple(*)) FROM <<t>>)
SELECT count() FROM traces WHERE service_name IN <<t>>

== in-table: IN with a table or a set on its right
SELECT count() FROM logs WHERE organization_id IN organizations
SELECT 'x' IN logs
SELECT ('a','b') IN tfo_demo
SELECT ('seed','7') IN <<db>>.tfo_demo
SELECT 'x' GLOBAL IN system.users
SELECT in('x', system.users)
SELECT globalIn('x', 'system.users')
SELECT notIn('x', tfo_demo)
SELECT nullIn('x', tfo_demo)
SELECT inIgnoreSet('x', tfo_demo)
SELECT body FROM logs WHERE service_name IN (SELECT service_name FROM logs WHERE organization_id = '<<foreign>>')
SELECT count() FROM logs WHERE 'LEAK2a-logs.body' IN (SELECT body FROM logs)
SELECT 'LEAK2a-logs.body' IN (SELECT body FROM logs)
SELECT exists(SELECT 1 FROM logs WHERE organization_id = '<<foreign>>')
SELECT any(1) FROM logs WHERE ('<<foreign>>', 1) IN (SELECT organization_id, 1 FROM logs)
SELECT tuple(organization_id) IN (SELECT tuple(organization_id) FROM logs) FROM logs
SELECT 1 IN (SELECT * FROM numbers(2))
SELECT x FROM (SELECT 1 AS x) WHERE x IN tfo_demo

== dictionaries-and-joins: functions that read a dictionary or a Join table by name
% f: dictGet('d','a',1) | dictGet('<<db>>.d','a',1) | dictGetOrDefault('d','a',1,2) | dictGetString('d','a',1) | dictHas('d',1) | dictGetAll('d','a','x') | dictGetHierarchy('d',1) | dictGetChildren('d',1) | dictGetDescendants('d',1) | dictIsIn('d',1,2) | dictGetOrNull('d','a',1) | joinGet('j','a',1) | joinGetOrNull('<<db>>.j','a',1) | hasColumnInTable('system','users','name') | hasColumnInTable('<<db>>','logs','body') | hasColumnInTable('127.0.0.1','<<db>>','logs','body') | getSetting('max_threads') | getSettingOrDefault('SQL_tfo',1) | getSetting('additional_table_filters') | getMergeTreeSetting('index_granularity') | getServerSetting('max_connections') | getMacro('shard') | getServerPort('tcp_port') | getOSKernelVersion() | catboostEvaluate('/x',1) | evalMLMethod(1,2) | transform(1,[1],[2]) | regionToName(1) | filesystemAvailable() | filesystemCapacity('default') | file('/etc/passwd') | file('x','y') | currentProfiles() | currentRoles() | enabledRoles() | defaultRoles() | connectionId() | initialQueryID() | queryID() | serverUUID() | shardNum() | zookeeperSessionUptime() | partitionId(1) | getSubcolumn(1,'x') | hasThreadFuzzer() | showCertificate() | displayName() | getClientHTTPHeader('Authorization') | generateSerialID('x') | addressToLine(1) | demangle('x') | addressToSymbol(1) | buildId() | tcpPort() | uptime() | version() | revision() | hostName() | FQDN() | currentDatabase() | currentUser() | user() | database() | initialUser() | authenticatedUser() | blockNumber() | rowNumberInBlock() | rowNumberInAllBlocks() | runningDifference(1) | structureToCapnProtoSchema('a String') | mapFromString('x') | aiGenerateContent('x') | naiveBayesClassifier('x','y') | url('x') | lowCardinalityIndices(toLowCardinality('x')) | isMergeTreePartCoveredBy('a','b') | executable('id') | userDefined('x')
SELECT <<f>>
SELECT count() FROM logs WHERE isNotNull(toString(<<f>>))

== virtual-columns: columns that every table has
% c: _part | _partition_id | _part_index | _part_uuid | _part_offset | _part_starting_offset | _part_granule_offset | _block_number | _block_offset | _sample_factor | _table | _database | _row_exists | _partition_value | _part_data_version | _disk_name | _distance | _shard_num | _path | _file | _size | _time | _headers | _etag | _data_lake_snapshot_version
SELECT <<c>> FROM logs
SELECT max(<<c>>), count() FROM traces GROUP BY service_name ORDER BY service_name
SELECT l.`<<c>>` FROM logs AS l
SELECT count() FROM logs WHERE <<c>> != ''
SELECT x FROM (SELECT <<c>> AS x FROM logs)
SELECT count() FROM logs PREWHERE <<c>> > 0
SELECT untuple(tuple(<<c>>)) FROM logs

== folded-rollups: tables whose merges add rows of several organisations
% t: metrics_5m | logs_1h | service_error_rates_1h | service_latency_percentiles_1h | `.inner.logs_1h` | logs_1h FINAL | metrics_5m AS m FINAL | <<db>>.service_error_rates_1h FINAL
SELECT * FROM <<t>>
SELECT count() FROM <<t>>
SELECT service_name, count() FROM <<t>> GROUP BY service_name ORDER BY service_name
SELECT max(service_name) FROM traces LEFT JOIN (SELECT service_name AS s FROM <<t>>) AS r ON r.s = traces.service_name

== describing: statements that describe rather than read
% s: SHOW TABLES | SHOW DATABASES | SHOW CREATE TABLE logs | SHOW PROCESSLIST | SHOW GRANTS | SHOW USERS | SHOW ACCESS | SHOW SETTINGS LIKE '%' | SHOW COLUMNS FROM logs | SHOW INDEXES FROM logs | SHOW FUNCTIONS | SHOW ENGINES | SHOW CLUSTERS | SHOW FILESYSTEM CACHES | SHOW MERGES | SHOW DICTIONARIES | SHOW POLICIES | SHOW PROFILES | SHOW QUOTA | SHOW NAMED COLLECTIONS | SHOW CREATE VIEW logs_errors | DESCRIBE logs | DESC TABLE system.users | DESCRIBE (SELECT * FROM logs) | EXISTS logs | EXISTS TABLE system.users | EXISTS DATABASE default | EXISTS VIEW logs_1h | EXISTS DICTIONARY d | CHECK TABLE logs | CHECK ALL TABLES | CHECK GRANT SELECT ON *.* | HELP 'x' | SHOW RESOURCES | SHOW WORKLOADS
<<s>>
<<s>> FORMAT JSON

== explain: plans, trees and estimates
% e: EXPLAIN | EXPLAIN AST | EXPLAIN SYNTAX | EXPLAIN SYNTAX run_query_tree_passes = 1 | EXPLAIN QUERY TREE | EXPLAIN QUERY TREE dump_passes = 1 | EXPLAIN PLAN indexes = 1 | EXPLAIN PIPELINE | EXPLAIN ESTIMATE | EXPLAIN TABLE OVERRIDE | EXPLAIN CURRENT TRANSACTION | EXPLAIN PLAN json = 1, actions = 1 | EXPLAIN PLAN projections = 1 | explain analyze
<<e>> SELECT * FROM logs
<<e>> SELECT count() FROM logs WHERE organization_id = '<<foreign>>'
SELECT * FROM (<<e>> SELECT * FROM logs)
SELECT explain FROM viewExplain('<<e>>', '', (SELECT * FROM logs))
