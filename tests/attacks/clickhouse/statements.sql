== error-oracles: an error that depends on rows that must not be seen
SELECT throwIf(organization_id = '<<foreign>>') FROM logs
SELECT throwIf(count() > 3) FROM logs
SELECT throwIf((SELECT count() FROM logs) > 2)
SELECT count() FROM logs WHERE throwIf(organization_id = '<<foreign>>', body)
SELECT throwIf(1, (SELECT max(body) FROM logs))
SELECT throwIf(1, concat('x', hostName()))
SELECT count() FROM logs PREWHERE throwIf(organization_id != '<<own>>') = 0
SELECT intDiv(1, if(organization_id = '<<foreign>>', 0, 1)) FROM logs
SELECT count() FROM logs WHERE intDiv(1, organization_id != '<<foreign>>')
SELECT toInt32(body) FROM logs
SELECT toUUID(body) FROM logs
SELECT parseDateTimeBestEffort(body) FROM logs
SELECT CAST(body, 'Enum8(\'x\' = 1)') FROM logs
SELECT accurateCast(body, 'UInt8') FROM logs
SELECT toFixedString(body, 1) FROM logs
SELECT JSONExtract(body, 'x', body) FROM logs
SELECT match(body, '(') FROM logs
SELECT match('x', body) FROM logs
SELECT extractAll(body, body) FROM logs
SELECT replaceRegexpAll('x', body, 'y') FROM logs
SELECT multiMatchAny(body, ['(']) FROM logs
SELECT dateDiff(body, now(), now()) FROM logs
SELECT formatDateTime(now(), body) FROM logs
SELECT toTimeZone(now(), body) FROM logs
SELECT assumeNotNull(if(organization_id = '<<foreign>>', NULL, 1)) FROM logs
SELECT arrayElement([1], length(body)) FROM logs
SELECT toDecimal32(body, 2) FROM logs
SELECT hex(unhex(body)), base64Decode(body) FROM logs
SELECT encrypt('aes-256-gcm', body, body) FROM logs
SELECT decrypt('aes-128-ecb', body, 'x') FROM logs
SELECT count() FROM logs l JOIN traces t ON throwIf(t.organization_id = '<<foreign>>') = l.severity_number
SELECT count() FROM logs GROUP BY throwIf(organization_id = '<<foreign>>')
SELECT body FROM logs ORDER BY throwIf(organization_id = '<<foreign>>')
SELECT max(throwIf(organization_id = '<<foreign>>')) FROM logs
SELECT body FROM logs ARRAY JOIN [throwIf(organization_id = '<<foreign>>')] AS x
loose SELECT body FROM logs LIMIT 1 BY throwIf(organization_id = '<<foreign>>')
SELECT sum(1) OVER (PARTITION BY throwIf(organization_id = '<<foreign>>')) FROM logs
SELECT body FROM logs QUALIFY throwIf(organization_id = '<<foreign>>') = 0
SELECT (SELECT body FROM logs)
SELECT (SELECT body FROM logs WHERE organization_id = '<<foreign>>')
SELECT equals((SELECT groupArray(body) FROM logs), [])
SELECT geohashDecode(body), h3ToString(length(body)) FROM logs
SELECT evalMLMethod(body) FROM logs
SELECT toTypeName(CAST(1, body)) FROM logs
SELECT CAST((SELECT max(body) FROM logs), 'UInt8')
SELECT toUInt8((SELECT max(organization_id) FROM logs))
SELECT defaultValueOfTypeName((SELECT any(body) FROM logs))
SELECT JSONExtract('{}', (SELECT any(body) FROM logs))
SELECT parseTimeDelta(body) FROM logs
SELECT snowflakeToDateTime(toInt64(body)) FROM logs

== scalar-subqueries: subqueries that run while the statement is analysed
SELECT (SELECT count() FROM logs)
SELECT (SELECT max(organization_id) FROM logs)
SELECT (SELECT groupArray(body) FROM logs WHERE organization_id = '<<foreign>>')
WITH (SELECT count() FROM traces) AS n SELECT n
WITH (SELECT * FROM (SELECT count() FROM traces)) AS n SELECT n, n
SELECT 1 WHERE (SELECT count() FROM logs) > 100
SELECT numbers.number FROM numbers(10) WHERE number < (SELECT count() FROM logs)
SELECT * FROM numbers((SELECT count() FROM logs))
SELECT * FROM numbers(toUInt64((SELECT count() FROM logs WHERE organization_id = '<<foreign>>')))
SELECT quantile((SELECT count() / 1000 FROM logs))(duration_ns) FROM traces
SELECT topK((SELECT count() FROM logs))(service_name) FROM traces
loose SELECT body FROM logs LIMIT (SELECT uniqExact(organization_id) FROM logs)
SELECT CAST(1, (SELECT 'String'))
SELECT toFixedString('x', (SELECT count() FROM logs))
SELECT if((SELECT count() FROM logs) > 3, 'more', 'less')
SELECT range((SELECT count() FROM logs))
SELECT [(SELECT count() FROM logs), (SELECT count() FROM traces)]
SELECT ((SELECT count() FROM logs), (SELECT uniqExact(organization_id) FROM traces)).2
SELECT EXISTS (SELECT 1 FROM logs WHERE organization_id = '<<foreign>>')
SELECT NOT EXISTS (SELECT 1 FROM logs WHERE organization_id != '<<own>>')
SELECT count() FROM logs WHERE length(body) > ALL (SELECT length(span_name) FROM traces)
SELECT count() FROM logs WHERE service_name = ANY (SELECT service_name FROM traces)
SELECT l.body, (SELECT count() FROM traces AS t WHERE t.service_name = l.service_name) FROM logs AS l
SELECT (SELECT max(t.organization_id) FROM traces t WHERE t.trace_id = l.trace_id) FROM logs l
SELECT identity((SELECT name FROM system.users LIMIT 1))
SELECT __scalarSubqueryResult(1)
SELECT __getScalar('x')
SELECT __actionName(1, 'x')
SELECT __bitWrapperFunc(1)
SELECT __topKFilter(1)

== set-operations: other arms
SELECT body FROM logs UNION ALL SELECT body FROM logs WHERE organization_id = '<<foreign>>'
SELECT body FROM logs UNION DISTINCT SELECT name FROM system.users
SELECT body FROM logs EXCEPT SELECT body FROM logs WHERE organization_id = '<<own>>'
SELECT organization_id FROM logs EXCEPT ALL SELECT '<<own>>'
SELECT '<<foreign>>' INTERSECT SELECT organization_id FROM logs
(SELECT body FROM logs) INTERSECT DISTINCT (SELECT body FROM logs)
SELECT count() FROM logs UNION ALL SELECT count() FROM tfo_demo
(SELECT 1) UNION ALL (SELECT count() FROM system.tables)
SELECT * FROM (SELECT 1 UNION ALL SELECT count() FROM logs_1h)
SELECT 1 UNION ALL SELECT 2 UNION DISTINCT SELECT length(groupArray(name)) FROM system.databases
((SELECT 1) UNION ALL ((SELECT max(organization_id) = '<<own>>' FROM logs)))
SELECT arrayJoin(['a', 'b']) UNION ALL SELECT organization_id FROM traces
SELECT body FROM logs UNION SELECT body FROM logs

== quoting: quotes, heredocs, comments and escapes
SELECT $$a$$, body FROM logs
SELECT $a$ ' $a$, body FROM logs
SELECT $heredoc$ -- $heredoc$, hostName()
SELECT 'a\'', hostName(), '\''
SELECT 'a\\', hostName(), ''
SELECT "body", `body`, body FROM logs
SELECT `bo\x64y` FROM logs
SELECT "bo\x64y" FROM logs
SELECT `host\x4eame`()
SELECT `hostName`()
SELECT "hostName"()
SELECT `system`.`one`.dummy FROM `system`.`one`
SELECT `a``b`, "a""b" FROM (SELECT 1 AS `a``b`, 2 AS "a""b")
SELECT * FROM `sys\x74em`.`users`
SELECT * FROM "system"."us\x65rs"
SELECT * FROM system/**/./**/users
SELECT * FROM system.-- x
esc SELECT * FROM system.--\nusers
esc SELECT * FROM system.#!\nusers
esc SELECT 1 # comment\n, hostName()
esc SELECT 1 #! comment\n, hostName()
esc SELECT 1 // comment\n, hostName()
SELECT 1 /* /* */ , hostName() /* */
SELECT 1 /* a */ /* b */, hostName()
SELECT 1 -- , hostName()
SELECT 1 −− , hostName()
SELECT 1 —, hostName()
SELECT ‘a’, hostName()
SELECT “body” FROM logs
esc SELECT\u{a0}hostName()
esc SELECT\u{200b}hostName()
esc SELECT\x0chostName()
esc SELECT hostName\x00()
esc SELECT 1\x00, hostName()
esc \x00SELECT hostName()
esc SELECT * FROM logs\x00 WHERE 1
esc \u{feff}SELECT hostName()
SELECT x'41', b'01', 0x41, 0b11, hostName()
SELECT 'a' 'b', hostName()
SELECT E'a', N'b'
SELECT ｈostName()
SELECT hоstName()
SELECT HOSTNAME(), hostname()
SELECT HoStNaMe()
SELECT {x}, @@version, @@max_allowed_packet
SELECT @@hostname
SELECT $1, body FROM logs
SELECT :x, ?
SELECT 1::String, '1'::UInt8, hostName()::String
SELECT DATE '2026-01-01', TIMESTAMP '2026-01-01 00:00:00', INTERVAL '1' DAY
SELECT CAST('x' AS `String`), 'x'::`String`
SELECT body AS `a.b`, `a.b` FROM logs
SELECT logs.body AS "logs.body" FROM logs WHERE `logs.body` != ''

== parameters: values, names, and types of parameters
params ["logs"] SELECT * FROM {p1:Identifier}
params ["users"] SELECT * FROM system.{p1:Identifier}
params ["system", "users"] SELECT * FROM {p1:Identifier}.{p2:Identifier}
params ["_part_offset"] SELECT {p1:Identifier} FROM logs
params ["system.users"] SELECT * FROM {p1:Identifier}
params ["hostName"] SELECT {p1:Identifier}()
params ["organization_id"] SELECT '<<own>>' AS {p1:Identifier}, body FROM logs
params ["<<foreign>>"] SELECT body FROM logs WHERE organization_id = {p1:String}
params ["x') OR 1 = 1 --"] SELECT body FROM logs WHERE body = {p1:String}
params ["x"] SELECT {p2:String}
params ["x"] SELECT {p1}
params ["x"] SELECT {p1:}
params ["x"] SELECT {p1:Nothing}
params ["x"] SELECT {p1:AggregateFunction(count)}
params ["[1,2]"] SELECT {p1:Array(UInt8)}
params ["{'a':'b'}"] SELECT {p1:Map(String, String)}
params ["{'logs':'1'}"] SELECT count() FROM logs SETTINGS additional_table_filters = {p1:Map(String, String)}
params ["a"] SELECT {P1:String}
params ["a"] SELECT { p1 : String }
params ["a"] SELECT {`p1`:String}
params ["a\\tb"] SELECT {p1:String}
params ["\u0000"] SELECT length({p1:String})
params ["\\N"] SELECT {p1:Nullable(String)}
params ["99999999999"] SELECT {p1:UInt8}
params ["1000000000"] SELECT count() FROM numbers({p1:UInt64})
params ["a"] SELECT {param_p1:String}
params ["a"] SELECT {p1:Identifier}, {p1:String} FROM logs
params [] SELECT {p1:String}
params ["a"] SELECT '{p1:String}'
params ["1 FORMAT JSON"] SELECT {p1:UInt8}
SELECT {tfo_organization_id:String}
SELECT {organization_id:String}
SELECT {query_id:String}, {database:Identifier}

== several-statements: more than one statement in one text
SELECT 1; SELECT hostName()
SELECT 1;
SELECT 1;; 
; SELECT hostName()
SELECT 1; DROP TABLE logs
SELECT 1 PARALLEL WITH SELECT 2
SELECT 1 PARALLEL WITH KILL QUERY WHERE 1
KILL QUERY WHERE 1 PARALLEL WITH SELECT 1
INSERT INTO logs (body) SELECT 'x' PARALLEL WITH INSERT INTO logs (body) SELECT 'y'
SELECT 1 /* ; */ ; /* */ SELECT 2
SELECT $$;$$; SELECT 1
BEGIN TRANSACTION
COMMIT
SET TRANSACTION SNAPSHOT 1

== writes: statements that change something
INSERT INTO logs (body, organization_id) VALUES ('x', '<<foreign>>')
INSERT INTO logs SELECT * FROM logs
INSERT INTO FUNCTION file('/tmp/tfo-attack','CSV') SELECT * FROM logs
INSERT INTO FUNCTION url('http://127.0.0.1:1/x','CSV') SELECT * FROM logs
INSERT INTO TABLE FUNCTION remote('127.0.0.1','<<db>>','logs') SELECT * FROM logs
INSERT INTO logs FORMAT JSONEachRow {"body":"x"}
INSERT INTO logs FROM INFILE '/etc/passwd' FORMAT CSV
WITH x AS (SELECT 1) INSERT INTO logs (body) SELECT 'x'
ALTER TABLE logs DELETE WHERE 1
ALTER TABLE logs UPDATE body = 'x' WHERE 1
ALTER TABLE logs FREEZE
ALTER TABLE logs MODIFY SETTING index_granularity = 1
ALTER TABLE logs DROP PARTITION ALL
ALTER USER default IDENTIFIED BY 'x'
DELETE FROM logs WHERE 1
UPDATE logs SET body = 'x' WHERE 1
TRUNCATE TABLE logs
TRUNCATE ALL TABLES FROM <<db>>
DROP TABLE logs
DROP DATABASE <<db>>
DETACH TABLE logs
ATTACH TABLE logs
RENAME TABLE logs TO logs2
EXCHANGE TABLES logs AND traces
UNDROP TABLE logs
OPTIMIZE TABLE logs FINAL
CREATE TABLE t (a String) ENGINE = Memory
CREATE TEMPORARY TABLE t AS SELECT * FROM logs
CREATE TABLE t ENGINE = File(CSV) AS SELECT * FROM logs
CREATE VIEW v AS SELECT * FROM logs
CREATE MATERIALIZED VIEW v ENGINE = Memory AS SELECT * FROM logs
CREATE FUNCTION f AS (x) -> x
CREATE USER x IDENTIFIED BY 'x'
CREATE NAMED COLLECTION c AS a = 1
CREATE DICTIONARY d (a String) PRIMARY KEY a SOURCE(CLICKHOUSE(TABLE 'logs')) LAYOUT(FLAT()) LIFETIME(1)
CREATE ROW POLICY p ON logs USING 1 TO ALL
CREATE SETTINGS PROFILE p SETTINGS max_threads = 1
CREATE QUOTA q FOR INTERVAL 1 hour MAX queries = 1
GRANT ALL ON *.* TO default
REVOKE ALL ON *.* FROM default
KILL QUERY WHERE 1
KILL MUTATION WHERE 1
SYSTEM SHUTDOWN
SYSTEM KILL
SYSTEM STOP MERGES
SYSTEM RELOAD CONFIG
SYSTEM DROP MARK CACHE
SYSTEM FLUSH LOGS
SYSTEM DROP QUERY CACHE
SYSTEM ENABLE FAILPOINT x
BACKUP TABLE logs TO File('/tmp/tfo-attack')
RESTORE TABLE logs FROM File('/tmp/tfo-attack')
MOVE USER default TO local_directory
EXECUTE AS default SELECT 1
USE system
SET ROLE ALL
SET DEFAULT ROLE NONE TO default
SET PROFILE default
WATCH logs
EXTERNAL DDL FROM MySQL(x) DROP TABLE y

== views-with-parameters: views, and tables as functions
SELECT * FROM logs(a = 1)
SELECT * FROM logs_errors(organization_id = '<<foreign>>')
SELECT * FROM logs('x')
SELECT * FROM <<db>>.logs(1)
SELECT * FROM v(x = 'y')
SELECT * FROM logs_errors WHERE organization_id = '<<foreign>>'
SELECT * FROM `.inner.logs_errors`
SELECT * FROM `.inner.metrics_1m` WHERE organization_id = '<<foreign>>'
SELECT count() FROM view(SELECT organization_id FROM logs WHERE organization_id = '<<foreign>>')
SELECT * FROM (SELECT * FROM view(SELECT * FROM traces))

== time-and-names: functions that tell of the server or wait
SELECT sleep(1)
SELECT sleepEachRow(1) FROM logs
SELECT count() FROM logs WHERE sleepEachRow(0.5) = 0
SELECT if(exists(SELECT 1 FROM logs WHERE organization_id = '<<foreign>>'), sleep(3), 0)
SELECT sleep((SELECT count() > 2 FROM logs))
SELECT count() FROM logs WHERE organization_id = '<<foreign>>' AND sleepEachRow(3) = 0
SELECT `sleep`(2)
SELECT SLEEP(2)
SELECT currentUser(), currentUser, current_user()
SELECT currentSchemas(true), currentDatabase(), DATABASE(), SCHEMA()
SELECT getClientHTTPHeader('X-ClickHouse-Key')
SELECT getSetting('max_execution_time'), getSetting('readonly')
SELECT queryString(), query_id(), initialQueryStartTime()
SELECT isDecimalOverflow(1::Decimal32(1), 1), byteSize(*) FROM logs
SELECT ignore(*), materialize(1), trap('x')
SELECT trap('access memory')
SELECT logTrace('x')
SELECT dumpColumnStructure(organization_id) FROM logs
SELECT blockSize(), rowNumberInAllBlocks() FROM logs
SELECT neighbor(organization_id, 1) FROM logs
SELECT runningDifferenceStartingWithFirstValue(severity_number) FROM logs
SELECT lagInFrame(organization_id) OVER () FROM logs
SELECT rowNumberInAllBlocks(), _part FROM logs
SELECT replicate(1, [1]), indexHint(organization_id = '<<foreign>>') FROM logs
SELECT count() FROM logs WHERE indexHint(organization_id = '<<foreign>>')
SELECT count() FROM logs WHERE indexHint(service_name = 'checkout' AND organization_id != '<<own>>')
SELECT min2(1, 2), filesystemUnreserved()
SELECT bar(count(), 0, 10, 10) FROM logs
