== writes: statements that change something
INSERT INTO users (id, email, password) VALUES (gen_random_uuid(), 'x', 'y')
UPDATE users SET password = 'x'
DELETE FROM users
TRUNCATE users CASCADE
MERGE INTO agents a USING agents b ON a.id = b.id WHEN MATCHED THEN DELETE
WITH d AS (DELETE FROM agents RETURNING *) SELECT * FROM d
WITH i AS (INSERT INTO roles (id, name) VALUES (gen_random_uuid(), 'x') RETURNING id) SELECT * FROM i
WITH u AS (UPDATE users SET email = password RETURNING email) SELECT * FROM u
WITH m AS (MERGE INTO agents a USING agents b ON a.id = b.id WHEN MATCHED THEN DELETE RETURNING a.id) SELECT 1
WITH RECURSIVE a AS (SELECT 1), d AS (DELETE FROM users) SELECT * FROM a
SELECT * FROM (DELETE FROM agents RETURNING *) d
SELECT email INTO TEMP t FROM users
SELECT email INTO pg_temp.t FROM users
SELECT password INTO UNLOGGED TABLE t2 FROM users
CREATE TEMP TABLE t AS SELECT * FROM users
CREATE TEMP VIEW v AS SELECT * FROM users
CREATE MATERIALIZED VIEW mv AS SELECT * FROM users
CREATE SCHEMA x CREATE VIEW v AS SELECT * FROM users
CREATE EXTENSION dblink
CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw
CREATE ROLE x SUPERUSER LOGIN PASSWORD 'x'
ALTER ROLE postgres PASSWORD 'x'
ALTER SYSTEM SET archive_command = 'id'
ALTER TABLE users DISABLE ROW LEVEL SECURITY
ALTER DATABASE postgres SET search_path = pg_catalog
DROP TABLE users CASCADE
DROP OWNED BY postgres
REASSIGN OWNED BY postgres TO public
GRANT ALL ON users TO PUBLIC
REVOKE ALL ON users FROM PUBLIC
COMMENT ON TABLE users IS 'x'
SECURITY LABEL ON TABLE users IS 'x'
REFRESH MATERIALIZED VIEW mv
REINDEX TABLE users
CLUSTER users
VACUUM FULL users
ANALYZE users
IMPORT FOREIGN SCHEMA x FROM SERVER y INTO z
CREATE RULE r AS ON SELECT TO agents DO INSTEAD SELECT * FROM users
CREATE POLICY p ON users USING (true)
CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION f()
CREATE TEMP SEQUENCE s
SELECT nextval('pg_temp.s')

== copies: COPY to and from everything
COPY users TO STDOUT
COPY (SELECT password FROM users) TO STDOUT
COPY (SELECT 1) TO PROGRAM 'id > /tmp/tfo-attack'
COPY users TO '/tmp/tfo-attack.csv'
COPY users FROM '/etc/passwd'
COPY agents FROM PROGRAM 'id'
COPY users (password) TO STDOUT WITH (FORMAT csv)
copy (delete from agents returning *) to stdout
SELECT 1; COPY users TO STDOUT
BINARY COPY users TO STDOUT

== sessions: statements that change the session or the transaction
SET transaction_read_only = off
SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE
SET TRANSACTION READ WRITE
SET LOCAL statement_timeout = 0
SET ROLE postgres
SET SESSION AUTHORIZATION postgres
SET search_path TO pg_catalog
SET CONSTRAINTS ALL DEFERRED
SET TIME ZONE 'UTC'
SET NAMES 'SQL_ASCII'
SET tfo.organization_id = '<<foreign>>'
RESET ALL
DISCARD ALL
BEGIN
START TRANSACTION READ WRITE
COMMIT
COMMIT AND CHAIN
ROLLBACK
ROLLBACK AND CHAIN
SAVEPOINT a
ROLLBACK TO SAVEPOINT a
RELEASE a
PREPARE TRANSACTION 'x'
COMMIT PREPARED 'x'
ABORT
END
LISTEN x
NOTIFY x, 'y'
UNLISTEN *
LOCK TABLE users IN ACCESS EXCLUSIVE MODE
CHECKPOINT
LOAD 'auto_explain'
SHOW ALL
SHOW data_directory
SHOW is_superuser
SHOW tfo.organization_id

== several-statements: more than one statement in one text
SELECT 1; SELECT password FROM users
SELECT 1;; SELECT 1
SELECT 1; COMMIT; DELETE FROM users
;SELECT password FROM users
SELECT 1;--
SELECT 1; /* x */ ROLLBACK
COMMIT; SELECT email FROM users
BEGIN; SELECT 1; END
SELECT ';'; SELECT ';'
SELECT $$;$$; DELETE FROM agents; SELECT $$;$$
esc SELECT 1\x00; DELETE FROM agents
SELECT E'\';', 1; DELETE FROM agents --'
SELECT 1 \; SELECT 2
SELECT 1 \g
\copy users to stdout
\! id

== explain: plans that tell of rows, or run what they explain
EXPLAIN SELECT * FROM users
EXPLAIN ANALYZE SELECT * FROM users
EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM users WHERE organization_id = '<<foreign>>'
EXPLAIN ANALYZE DELETE FROM users
EXPLAIN (ANALYZE, BUFFERS) SELECT count(*) FROM pg_authid
EXPLAIN VERBOSE SELECT password FROM users
EXPLAIN (SETTINGS, WAL, ANALYZE) SELECT 1
EXPLAIN EXECUTE p
EXPLAIN CREATE TABLE t AS SELECT * FROM users
EXPLAIN ANALYZE CREATE TABLE t AS SELECT * FROM users
EXPLAIN DECLARE c CURSOR FOR SELECT 1
EXPLAIN (GENERIC_PLAN) SELECT * FROM users WHERE id = $1
WITH x AS (EXPLAIN SELECT 1) SELECT * FROM x

== parameters: values and numbers of parameters
params ["SELECT password FROM users"] SELECT $1
params ["users"] SELECT * FROM $1
params ["password"] SELECT $1 FROM users
params ["users"] SELECT $1::regclass
params ["pg_authid"] SELECT CAST($1 AS regclass)::oid
params ["SELECT password FROM users"] SELECT ts_stat($1)
params ["SELECT password FROM users"] SELECT ($1::text).ts_stat
params ["SELECT password FROM users"] SELECT q.x.ts_stat FROM (SELECT $1::text AS x) q
params ["' OR '1'='1"] SELECT email FROM users WHERE email = $1
params ["<<foreign>>"] SELECT email FROM users WHERE organization_id = CAST($1 AS uuid)
params ["<<foreign>>"] SELECT email FROM users WHERE organization_id::text = $1 OR true
params ["a", "b"] SELECT $2, $1, $2
params ["a"] SELECT $2
params ["a"] SELECT $0
params ["a"] SELECT $-1
params ["a"] SELECT $99999999999999999999
params ["a"] SELECT $1a FROM users
params ["a"] SELECT $1$1
params ["{1,2}"] SELECT CAST($1 AS integer[])
params ["1000000000"] SELECT count(*) FROM generate_series(1, CAST($1 AS integer)) g WHERE g < 0
params ["(a,b)"] SELECT CAST($1 AS users)
params ["[1,2)"] SELECT CAST($1 AS int4range)
params ["\u0000"] SELECT $1
params ["x"] SELECT ?
params ["x"] SELECT :p1
params [] SELECT $1
params ["2"] SELECT email FROM users LIMIT CAST($1 AS bigint)
params ["$$"] SELECT $1 || $$x$$
params ["1"] SELECT email FROM users ORDER BY $1
params ["x"] SELECT $1 $1
SELECT email FROM users WHERE organization_id = $1
SELECT email FROM users WHERE organization_id = $2

== huge-ranges: rows without end from a short text
cost SELECT count(*) FROM generate_series(1, 100000000000)
cost SELECT sum(a) FROM generate_series(1, 10000000) a, generate_series(1, 10000000) b
cost SELECT count(*) FROM users a, users b, users c, users d, users e, users f, users g
cost SELECT length(array_agg(g)::text) FROM generate_series(1, 30000000) g
cost SELECT count(*) FROM (SELECT DISTINCT g, md5(g::text) FROM generate_series(1, 50000000) g) q
cost SELECT g FROM generate_series(1, 50000000) g ORDER BY md5(g::text) LIMIT 1
cost SELECT count(*) FROM generate_series(now(), now() + interval '1000 years', interval '1 second')
cost SELECT generate_series(1, 100000000), generate_series(1, 99999999)
cost SELECT unnest(string_to_array(repeat('a,', 50000000), ','))

== recursion: queries that never end
cost WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t
cost WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n FROM t) SELECT max(n) FROM t
cost WITH RECURSIVE t(s) AS (SELECT 'a' UNION ALL SELECT s || s FROM t) SELECT max(length(s)) FROM t
cost WITH RECURSIVE t(s) AS (SELECT ARRAY[1] UNION ALL SELECT s || s FROM t) SELECT count(*) FROM t
cost WITH RECURSIVE t(a, b) AS (SELECT 1, 1 UNION SELECT a + 1, b FROM t UNION SELECT a, b + 1 FROM t) SELECT count(*) FROM t
cost WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT t.n + 1 FROM t, users, agents) SELECT count(*) FROM t

== growing-values: values that grow without end
cost SELECT length(repeat('a', 1000000000))
cost SELECT repeat(repeat('a', 1000), 1000000)
cost SELECT length(lpad('a', 1000000000, 'b'))
cost SELECT length(rpad('', 1000000000, 'xyz'))
cost SELECT length(replace(repeat('a', 1000000), 'a', repeat('b', 1000)))
cost SELECT array_fill(0, ARRAY[100000, 1000])
cost SELECT length(string_agg(repeat('x', 1000), '')) FROM generate_series(1, 1000000)
cost SELECT jsonb_agg(g) FROM generate_series(1, 10000000) g
cost SELECT 10::numeric ^ 100000
cost SELECT length((2::numeric ^ 130000)::text)
cost SELECT length(format('%1000000000s', 'a'))
cost SELECT length(regexp_replace(repeat('a', 1000000), 'a', repeat('b', 1000), 'g'))
cost SELECT length(translate(repeat('a', 500000000), 'a', 'b'))
cost SELECT xmlagg(xmlelement(name a, repeat('x', 1000))) FROM generate_series(1, 1000000)
cost SELECT length(overlay(repeat('a', 500000000) placing repeat('b', 500000000) from 1))
cost SELECT length(array_to_string(array_fill('x'::text, ARRAY[10000000]), repeat('y', 100)))
cost SELECT factorial(100000)
cost SELECT exp(5000::numeric) * exp(5000::numeric)

== expensive-patterns: patterns that take exponential time
cost SELECT repeat('a', 40) ~ '(a*)*b'
cost SELECT repeat('a', 5000) ~ '^(([a-z])+.)+[A-Z]([a-z])+$'
cost SELECT 'x' ~ '((((((a{1,100}){1,100}){1,100}){1,100}){1,100}){1,100})'
cost SELECT repeat('a', 100000) LIKE '%a%a%a%a%a%a%a%a%a%b'
cost SELECT regexp_matches(repeat('ab', 100000), '(a|b|ab)*c', 'g')
cost SELECT repeat('a', 30000) SIMILAR TO '%(a|aa)*(a|aa)*(a|aa)*b'
cost SELECT regexp_count(repeat('a', 100000), '(?=(a+))a*b')
cost SELECT jsonb_path_exists('["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]', '$[*] like_regex "(a*)*b"')
cost SELECT to_tsvector(repeat('word ', 1000000))
cost SELECT levenshtein(repeat('a', 255), repeat('b', 255)) FROM generate_series(1, 1000000)

== deep-nesting: texts that nest until a parser's stack ends
deep 300 SELECT <<( >>1<<) >>
deep 3000 SELECT <<( >>1<<) >>
deep 900 SELECT <<NOT >>true<< >>
deep 2000 SELECT <<- >>1<< >>
deep 150 SELECT <<(SELECT >>1<<) >>
deep 1000 SELECT <<CASE WHEN true THEN >>1<< END>>
deep 1500 SELECT <<abs( >>1<<) >>
deep 1500 SELECT <<ARRAY[ >>1<<] >>
deep 800 SELECT 1<<+1 >><< >>
deep 2500 SELECT 1<< OR true>><< >>
deep 500 SELECT 1<< UNION SELECT 1>><< >>
deep 300 SELECT * FROM <<( >>users<<) >>
deep 200 SELECT * FROM <<(SELECT * FROM >>users<<) q>>
deep 100 <<WITH a AS ( >>SELECT 1<<) SELECT * FROM a>>
deep 2000 SELECT 1 /<<*/* >><<*/ >>
deep 1000 SELECT 1<<::text >><< >>
deep 600 SELECT name FROM agents WHERE <<name IN ('a') AND >>true<< >>
deep 120 SELECT * FROM users<< NATURAL JOIN users>><< >>
