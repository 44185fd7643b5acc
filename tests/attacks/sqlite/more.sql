== in-memory-names: databases that every session may have
% d: temp | main | memory | aux | 'temp' | "main" | [temp] | file | :memory:
SELECT * FROM <<d>>.sqlite_master
SELECT name FROM <<d>>.sqlite_schema WHERE type = 'table'
SELECT count(*) FROM <<d>>.agents

== unicode-and-case: names in other letters
% t: USERS | uSeRs | ｕsers | uѕers | users\u{200b} | \u{feff}users | "users\x00" | "us\u{65}rs" | "USERS " | ᵤsers
esc SELECT * FROM <<t>>
esc SELECT count(*) FROM <<t>> AS x
esc SELECT <<t>>.email FROM users

== hints-in-errors: names of what must not be known, through errors
SELECT nothing FROM users
SELECT passwrd FROM users
SELECT users.passw FROM users
SELECT * FROM nothing
SELECT * FROM user
SELECT * FROM sqlite_mastr
SELECT * FROM main.nothing
SELECT * FROM nothing.users
SELECT nofunction(1)
SELECT pasword(1)
SELECT * FROM pragma_nothing
SELECT u.nothing FROM users AS u
SELECT email FROM users ORDER BY nothing
SELECT email FROM users GROUP BY passwrd
SELECT * FROM users WHERE "nothing" = 1
SELECT * FROM users JOIN agents USING (nothing)

== types-and-casts: casts, blobs and literals
SELECT CAST(password AS blob) FROM users
SELECT CAST(CAST(email AS blob) AS text) FROM users
SELECT CAST('x' AS "password"), CAST('x' AS users) FROM users
SELECT CAST(1 AS 'x'), CAST(2 AS [y])
SELECT CAST(organization_id AS integer) FROM users
SELECT x'4c45414b' || email FROM users
SELECT typeof(password), typeof(email) FROM users
SELECT email + 1, email || 1, -email, +email FROM users
SELECT 1e999, -1e999, 0x7fffffffffffffff, 9223372036854775808
SELECT NULL IS NULL, NULL ISNULL, 1 NOTNULL
SELECT TRUE, FALSE, 'a' IS TRUE, email IS NOT FALSE FROM users
SELECT CURRENT_TIME IS NULL, CURRENT_DATE IS NULL, CURRENT_TIMESTAMP IS NULL
SELECT email IS DISTINCT FROM password FROM users
SELECT email IS NOT DISTINCT FROM mfa_secret FROM users
SELECT CASE password WHEN 'x' THEN 1 ELSE 2 END FROM users
SELECT 1 BETWEEN 0 AND length(password) FROM users

== from-forms: what may stand in FROM
SELECT * FROM (users)
SELECT * FROM ((users))
SELECT * FROM (users, agents)
SELECT * FROM (users) AS u
SELECT * FROM (main.users)
SELECT * FROM (SELECT * FROM users) AS users
SELECT * FROM (VALUES (1, 2)) AS users
SELECT * FROM users AS 'u'
SELECT * FROM users 'u'
SELECT * FROM users "u" JOIN agents [a]
SELECT * FROM users u, users v, users w LIMIT 0
SELECT * FROM users LEFT NATURAL JOIN agents
SELECT * FROM users NATURAL LEFT OUTER JOIN agents
SELECT * FROM users CROSS JOIN agents ON 1
SELECT * FROM users OUTER LEFT JOIN agents
SELECT * FROM users JOIN agents ON 1 JOIN tenants ON 1
SELECT * FROM users, json_each(labels), alert_rules
FROM users SELECT *
SELECT * FROM users WINDOW w AS ()
SELECT ALL email FROM users
SELECT DISTINCT password FROM users
SELECT *
SELECT users.*
SELECT * FROM users u JOIN users v ON u.password = v.password
SELECT u.* FROM tenants u

== having-and-grouping: aggregates over what must not be read
SELECT count(*) FROM users GROUP BY password
SELECT count(*) FROM users GROUP BY length(password)
SELECT count(*) FROM users HAVING count(*) > 100
SELECT count(*) FROM users GROUP BY 1
SELECT email FROM users GROUP BY organization_id
SELECT organization_id, count(*) FROM users GROUP BY organization_id ORDER BY 1
SELECT max(organization_id), email FROM users
SELECT count(DISTINCT organization_id) FROM users
SELECT group_concat(DISTINCT organization_id) FROM users
SELECT group_concat(email ORDER BY password) FROM users
SELECT total(length(password)) FROM users
SELECT avg(length(mfa_secret)) FROM users
SELECT count(password), count(mfa_secret), count(mfa_backup_codes) FROM users
SELECT sum(password IS NULL) FROM users
SELECT min(password) < 'm' FROM users
SELECT count(*) FILTER (WHERE mfa_secret IS NULL) FROM users
SELECT json_group_array(organization_id) FROM users
SELECT email FROM users GROUP BY email HAVING password LIKE 'x%'
SELECT max(rowid), max(oid) FROM tenants

== own-answers: honest questions, for what they show beside their rows
SELECT count(*) FROM users
SELECT severity, count(*) FROM alert_instances GROUP BY severity ORDER BY severity
SELECT name FROM agents ORDER BY name
SELECT name FROM organizations
SELECT name FROM workspaces
SELECT count(*) FROM change_events WHERE kind = 'deploy'
SELECT u.email, a.name FROM users u JOIN agents a ON a.organization_id = u.organization_id
SELECT name, description FROM roles ORDER BY name
SELECT count(*) FROM kubernetes_pods p JOIN kubernetes_nodes n ON n.id = p.node_id
SELECT max(created_at) FROM alert_rules
SELECT json_extract(labels, '$.service') FROM alert_rules
SELECT value FROM agents, json_each(capabilities)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT sum(i) FROM n
SELECT name, row_number() OVER (ORDER BY name) FROM agents
SELECT data_type, retention_days FROM retention_policies ORDER BY data_type

== time-functions: what the clock and the build tell
SELECT date('now') > '2000', datetime('now') > '2000'
SELECT strftime('%s', 'now') > 1
SELECT julianday('now') > 1
SELECT unixepoch() > 1
SELECT datetime('now', password) FROM users
SELECT strftime(password, 'now') FROM users
SELECT date(email) FROM users
SELECT timediff('now', '2000-01-01') IS NOT NULL
SELECT date('now', 'localtime') IS NULL
SELECT datetime(rowid, 'unixepoch') FROM users
