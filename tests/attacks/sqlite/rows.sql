== foreign-by-name: rows of another organisation asked for directly
% t: users | alert_rules | alert_instances | notification_channels | api_keys | llm_providers | workspaces | organizations | agents | change_events | kubernetes_pods | retention_policies | slo_definitions
SELECT * FROM <<t>> WHERE organization_id = '<<foreign>>'
SELECT count(*) FROM <<t>> WHERE organization_id <> '<<own>>'
SELECT count(*), count(DISTINCT organization_id), min(organization_id), max(organization_id) FROM <<t>>

== no-organisation-column: tables that belong to an organisation through another table
SELECT * FROM tenants
SELECT count(*) FROM tenants
SELECT count(*), count(DISTINCT user_id) FROM user_roles
SELECT * FROM user_roles
SELECT * FROM regions ORDER BY code
SELECT * FROM tfo_demo
SELECT r.name, count(*) FROM roles r JOIN user_roles ur ON ur.role_id = r.id GROUP BY r.name ORDER BY 1
SELECT r.code, count(o.name) FROM regions r LEFT JOIN organizations o ON o.region_id = r.id GROUP BY r.code ORDER BY 1
SELECT t.name FROM tenants t LEFT JOIN workspaces w USING (workspace_id) WHERE w.workspace_id IS NULL
SELECT ur.user_id FROM user_roles ur LEFT JOIN users u ON u.id = ur.user_id WHERE u.id IS NULL
SELECT max(assigned_at) FROM user_roles
SELECT EXISTS (SELECT 1 FROM tenants WHERE code LIKE 'LEAK2%')
SELECT tenants.tenant_id FROM user_roles NATURAL JOIN tenants
SELECT total(1) FROM tenants
SELECT name FROM tenants EXCEPT SELECT name FROM workspaces
SELECT count(*) FROM tenants, user_roles

== shared-defaults: rows whose organisation is NULL
SELECT * FROM retention_policies WHERE organization_id IS NULL
SELECT * FROM retention_policies WHERE organization_id IS NOT '<<own>>'
SELECT * FROM retention_policies WHERE organization_id IS NOT NULL
SELECT * FROM users WHERE organization_id ISNULL
SELECT count(*) FROM retention_policies WHERE organization_id IS DISTINCT FROM '<<own>>'
SELECT count(*) FROM retention_policies GROUP BY organization_id IS NULL
SELECT COALESCE(organization_id, 'none'), count(*) FROM retention_policies GROUP BY 1 ORDER BY 1
SELECT a.name, b.name FROM retention_policies a LEFT JOIN retention_policies b ON b.organization_id = a.organization_id
SELECT count(*) FROM retention_policies WHERE organization_id NOTNULL
SELECT ifnull(organization_id, 'x') FROM retention_policies

== affinity: the organisation in another type, case or collation
SELECT email FROM users WHERE organization_id = upper('<<foreign>>')
SELECT email FROM users WHERE organization_id = '<<own>>' COLLATE NOCASE
SELECT email FROM users WHERE organization_id LIKE '%'
SELECT email FROM users WHERE organization_id GLOB '*'
SELECT email FROM users WHERE CAST(organization_id AS BLOB) = CAST('<<foreign>>' AS BLOB)
SELECT count(*) FROM users WHERE typeof(organization_id) = 'blob'
SELECT DISTINCT typeof(organization_id) FROM users
SELECT organization_id + 0 FROM users
SELECT count(*) FROM users WHERE organization_id > ''
SELECT email FROM users WHERE organization_id BETWEEN '' AND 'zzzz'
SELECT email FROM users WHERE organization_id IN ('<<own>>', '<<foreign>>')
SELECT email FROM users WHERE NOT organization_id = '<<own>>'
SELECT email FROM users WHERE organization_id COLLATE RTRIM = '<<foreign>>   '
SELECT email COLLATE password FROM users
SELECT email COLLATE "unknown" FROM users

== outer-joins: filters that end up at the nullable side
SELECT u.* FROM agents a LEFT JOIN users u ON 1
SELECT u.email FROM agents a RIGHT JOIN users u ON 0
SELECT u.email, a.name FROM users u FULL JOIN agents a ON a.organization_id = u.organization_id
SELECT count(u.id) FROM organizations o LEFT JOIN users u ON u.organization_id <> o.organization_id
SELECT u.email FROM users u LEFT JOIN agents a ON u.organization_id = '<<foreign>>'
SELECT count(*) FROM users a FULL JOIN users b ON a.id = b.id AND a.organization_id = '<<foreign>>'
SELECT * FROM roles r LEFT JOIN (users u JOIN user_roles ur ON ur.user_id = u.id) ON ur.role_id = r.id
SELECT count(*) FROM roles LEFT JOIN users ON roles.id = users.id
SELECT * FROM users CROSS JOIN tenants
SELECT * FROM users, tenants
SELECT * FROM users INNER JOIN tenants
SELECT u.email FROM users u RIGHT OUTER JOIN roles r ON u.organization_id = '<<foreign>>'
SELECT * FROM (users u LEFT JOIN agents a) LEFT JOIN tenants
SELECT * FROM ((users)), (agents)

== update-from-returning: writes in all of SQLite's forms
UPDATE users SET password = 'x'
UPDATE users SET email = password RETURNING email
UPDATE OR REPLACE users SET email = 'x'
UPDATE agents SET name = u.password FROM users u RETURNING name
DELETE FROM users RETURNING *
DELETE FROM users LIMIT 1
INSERT INTO tfo_demo VALUES ('a', 'b')
INSERT OR REPLACE INTO tfo_demo VALUES ('a', 'b') RETURNING *
INSERT INTO tfo_demo VALUES ('a', 'b') ON CONFLICT DO UPDATE SET value = excluded.value
INSERT INTO tfo_demo SELECT email, password FROM users
INSERT INTO tfo_demo DEFAULT VALUES
REPLACE INTO tfo_demo VALUES ('a', 'b')
WITH x AS (SELECT 1) DELETE FROM users
WITH x AS (SELECT 1) UPDATE agents SET name = 'x' RETURNING *
WITH x AS (SELECT 1) INSERT INTO tfo_demo SELECT 'a', 'b'
WITH x AS (SELECT 1) REPLACE INTO tfo_demo SELECT 'a', 'b'
WITH d AS (DELETE FROM agents RETURNING *) SELECT * FROM d
SELECT * FROM (DELETE FROM agents RETURNING *)

== definitions: statements that make or change objects
CREATE TABLE t (a)
CREATE TABLE t AS SELECT * FROM users
CREATE TEMP TABLE t AS SELECT * FROM users
CREATE TEMPORARY VIEW v AS SELECT * FROM users
CREATE VIEW v AS SELECT * FROM users
CREATE TEMP TRIGGER tr AFTER INSERT ON tfo_demo BEGIN SELECT 1; END
CREATE INDEX i ON users (password)
CREATE VIRTUAL TABLE v USING fts5(a)
CREATE VIRTUAL TABLE temp.v USING rtree(a, b, c)
CREATE VIRTUAL TABLE temp.v USING csv(filename='/etc/passwd')
CREATE VIRTUAL TABLE temp.d USING dbstat
DROP TABLE users
DROP VIEW IF EXISTS v
DROP INDEX idx_change_events_org
ALTER TABLE users RENAME TO people
ALTER TABLE users DROP COLUMN password
ALTER TABLE users ADD COLUMN x
REINDEX
REINDEX users
ANALYZE
ANALYZE main.users

== transactions: statements about transactions
BEGIN
BEGIN EXCLUSIVE
BEGIN IMMEDIATE TRANSACTION
COMMIT
END TRANSACTION
ROLLBACK
SAVEPOINT a
RELEASE a
ROLLBACK TO a
SELECT 1; COMMIT
BEGIN; DELETE FROM users; COMMIT

== several-statements: more than one statement in one text
SELECT 1; SELECT password FROM users
SELECT 1;; SELECT 1
SELECT 1; DELETE FROM agents
; SELECT password FROM users
SELECT 1; PRAGMA query_only = 0; DELETE FROM agents
SELECT ';'; SELECT ';'
SELECT [;]; SELECT 1
SELECT `;`; DELETE FROM agents; SELECT `;`
SELECT ";", 1; DELETE FROM agents
SELECT 1; -- nothing
SELECT 1 /*;*/ ; SELECT 2
.tables
.shell id
.read /etc/passwd

== explain: plans and byte code
EXPLAIN SELECT * FROM users
EXPLAIN QUERY PLAN SELECT * FROM users
EXPLAIN SELECT password FROM users WHERE password = 'LEAK1a-users.password'
EXPLAIN DELETE FROM users
EXPLAIN QUERY PLAN SELECT * FROM sqlite_master
EXPLAIN EXPLAIN SELECT 1
EXPLAIN ATTACH 'x' AS y
explain query plan with q as (select * from users) select * from q
WITH x AS (EXPLAIN SELECT 1) SELECT * FROM x
EXPLAIN VALUES (1)

== shadow-tables: tables that modules keep beside their own
SELECT * FROM users_content
SELECT * FROM users_segments
SELECT * FROM users_node
SELECT * FROM users_rowid
SELECT * FROM users_data
SELECT * FROM main.logs_fts_config
SELECT * FROM sqlite_autoindex_users_1
SELECT * FROM sqlite_parameters
SELECT * FROM temp.sqlite_parameters
SELECT users FROM users
SELECT * FROM users WHERE users MATCH 'x'
SELECT * FROM users WHERE password MATCH 'x'
SELECT email FROM users WHERE password REGEXP 'a'
SELECT email FROM users('x')
SELECT * FROM agents('a', 'b')

== error-oracles: an error that depends on rows that must not be seen
SELECT CASE WHEN EXISTS (SELECT 1 FROM users WHERE email LIKE 'LEAK2%') THEN abs(-9223372036854775808) END
SELECT abs(-9223372036854775807 - (SELECT count(*) > 2 FROM users WHERE organization_id = '<<foreign>>'))
SELECT json_extract(email, '$.a') FROM users
SELECT json(email) FROM users WHERE organization_id = '<<foreign>>'
SELECT json_extract('{}', email) FROM users
SELECT '{}' -> ('$.' || email || '[') FROM users
SELECT zeroblob(CASE WHEN organization_id = '<<foreign>>' THEN -1 ELSE 2000000000 END) FROM users
SELECT sum(9223372036854775807) FROM users
SELECT sum(CASE WHEN organization_id = '<<foreign>>' THEN 9223372036854775807 ELSE 1 END) FROM users
SELECT 'a' LIKE 'a' ESCAPE email FROM users
SELECT email FROM users WHERE email GLOB replace(hex(zeroblob(60000)), '0', '[') LIMIT 1
SELECT strftime(email) FROM users
SELECT date(email, email) FROM users
SELECT round(email, email) FROM users
SELECT substr(email, email) FROM users
SELECT unhex(email) FROM users
SELECT ntile(0) OVER () FROM users WHERE organization_id = '<<foreign>>'
SELECT nth_value(1, 0) OVER () FROM users
SELECT name FROM tenants WHERE json(name) IS NOT NULL
SELECT CAST(email AS INTEGER), CAST(email AS NUMERIC) FROM users
SELECT count(*) FROM users WHERE CASE WHEN organization_id = '<<foreign>>' THEN json('x') ELSE 1 END
SELECT max(CASE WHEN organization_id = '<<foreign>>' THEN json('x') END) FROM users
SELECT email FROM users ORDER BY CASE WHEN organization_id = '<<foreign>>' THEN json('x') END
SELECT json_group_object(NULL, email) FROM users
SELECT 1 % (SELECT count(*) - count(*) FROM users)
SELECT json_array(email, x'00') FROM users
SELECT json_object(1, email) FROM users
SELECT json_object(email) FROM users
SELECT printf('%.*c', 100000000, 'x') FROM users WHERE organization_id = '<<foreign>>'

== parameters: values, names and numbers of parameters
params ["SELECT password FROM users"] SELECT ?1
params ["users"] SELECT * FROM ?1
params ["password"] SELECT ?1 FROM users
params ["' OR '1'='1"] SELECT email FROM users WHERE email = ?1
params ["<<foreign>>"] SELECT email FROM users WHERE organization_id = ?1
params ["a"] SELECT ?2
params ["a"] SELECT ?0
params ["a"] SELECT ?99999
params ["a"] SELECT ?32767
params ["a", "b"] SELECT ?, ?
params ["a"] SELECT :name
params ["a"] SELECT @name
params ["a"] SELECT $name
params ["a"] SELECT $1
params ["a"] SELECT ?1, ?1, ?
params ["1"] SELECT email FROM users LIMIT ?1
params ["users"] SELECT * FROM pragma_table_info(?1)
params ["[1]"] SELECT * FROM json_each(?1)
params ["3"] SELECT * FROM users ORDER BY ?1
params ["x"] SELECT ?1?1
params [] SELECT ?1
params ["\u0000"] SELECT length(?1)
SELECT email FROM users WHERE organization_id = ?1
SELECT ?1, ?2, ?3 FROM tenants
