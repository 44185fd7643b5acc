== foreign-by-name: rows of another organisation asked for directly
% t: users | alert_rules | alert_instances | notification_channels | api_keys | llm_providers | workspaces | organizations | agents | change_events | kubernetes_pods | retention_policies | slo_definitions | uptime_monitors
SELECT * FROM <<t>> WHERE organization_id = '<<foreign>>'
SELECT count(*) FROM <<t>> WHERE organization_id <> '<<own>>'
SELECT count(*), count(DISTINCT organization_id), min(organization_id::text), max(organization_id::text) FROM <<t>>

== no-organisation-column: tables that belong to an organisation through another table
SELECT * FROM tenants
SELECT count(*) FROM tenants
SELECT name, code, domain FROM tenants ORDER BY name
SELECT * FROM user_roles
SELECT count(*), count(DISTINCT user_id), count(DISTINCT tenant_id) FROM user_roles
SELECT r.name, count(*) FROM roles r JOIN user_roles ur ON ur.role_id = r.id GROUP BY r.name ORDER BY 1
SELECT * FROM regions ORDER BY code
SELECT * FROM tfo_demo
SELECT r.code, o.name FROM regions r LEFT JOIN organizations o ON o.region_id = r.id ORDER BY 1
SELECT r.code, count(o.name) FROM regions r LEFT JOIN organizations o ON o.region_id = r.id GROUP BY r.code ORDER BY 1
SELECT t.name FROM tenants t LEFT JOIN workspaces w USING (workspace_id) WHERE w.workspace_id IS NULL
SELECT t.* FROM tenants t FULL JOIN workspaces w USING (workspace_id)
SELECT ur.user_id FROM user_roles ur LEFT JOIN users u ON u.id = ur.user_id WHERE u.id IS NULL
SELECT ur.assigned_by, ur.tenant_id FROM user_roles ur
SELECT max(assigned_at) FROM user_roles
SELECT EXISTS (SELECT 1 FROM tenants WHERE code LIKE 'LEAK%')
SELECT name FROM roles WHERE id IN (SELECT role_id FROM user_roles)
SELECT pg_typeof(t) FROM tenants t
SELECT tenants.tenant_id FROM user_roles NATURAL JOIN tenants

== shared-defaults: rows whose organisation is NULL, and rows beside them
SELECT * FROM retention_policies WHERE organization_id IS NULL
SELECT * FROM retention_policies WHERE organization_id IS NOT NULL
SELECT * FROM users WHERE organization_id IS NULL
SELECT count(*) FROM retention_policies WHERE organization_id IS DISTINCT FROM '<<own>>'
SELECT count(*) FROM retention_policies GROUP BY organization_id IS NULL
SELECT a.name, b.name FROM retention_policies a LEFT JOIN retention_policies b ON b.organization_id = a.organization_id
SELECT COALESCE(organization_id::text, 'none'), count(*) FROM retention_policies GROUP BY 1 ORDER BY 1
SELECT count(organization_id) FROM users

== outer-joins: filters that end up at the nullable side
SELECT * FROM agents a LEFT JOIN users u ON true
SELECT u.* FROM agents a RIGHT JOIN users u ON false
SELECT u.email, a.name FROM users u FULL JOIN agents a ON a.organization_id = u.organization_id
SELECT u.email FROM users u LEFT JOIN agents a ON u.organization_id = '<<foreign>>'
SELECT count(*) FROM (agents a LEFT JOIN users u ON u.organization_id = '<<foreign>>')
SELECT count(u.id) FROM organizations o LEFT JOIN users u ON u.organization_id <> o.organization_id
SELECT * FROM roles r LEFT JOIN (users u JOIN user_roles ur ON ur.user_id = u.id) ON ur.role_id = r.id
SELECT count(*) FROM users a FULL JOIN users b ON a.id = b.id AND a.organization_id = '<<foreign>>'
SELECT u.email FROM regions LEFT JOIN LATERAL (SELECT email FROM users) u ON true
SELECT count(*) FROM roles LEFT JOIN users ON roles.id = users.id
SELECT u.email FROM users u RIGHT JOIN roles r ON u.organization_id = '<<foreign>>' WHERE u.id IS NOT NULL
SELECT * FROM users NATURAL FULL JOIN organizations
SELECT 1 FROM users CROSS JOIN users AS b NATURAL LEFT JOIN users c
SELECT * FROM (users u LEFT JOIN agents a USING (organization_id)) AS j
SELECT organization_id FROM (users u FULL JOIN agents a USING (organization_id)) j

== merged-columns: columns that USING and NATURAL make, and what a secret column does there
SELECT password FROM users NATURAL JOIN (SELECT 'x' AS password) q
SELECT * FROM users JOIN (VALUES ('LEAK1a-users.password')) v(password) USING (password)
SELECT count(*) FROM users JOIN users b USING (password)
SELECT j.password FROM (users a JOIN users b USING (id, password)) j
SELECT j.* FROM users a JOIN users b USING (id) AS j
SELECT j.id, a.email FROM users a JOIN users b USING (id, email, password) AS j
SELECT count(*) FROM users NATURAL JOIN users b
SELECT count(*) FROM api_keys a JOIN llm_providers b USING (organization_id, name)
SELECT config FROM notification_channels JOIN (SELECT '{}'::jsonb AS config) q USING (config)
SELECT count(*) FROM users u NATURAL LEFT JOIN (SELECT 'LEAK1a-users.mfa_secret' AS mfa_secret) q
SELECT * FROM users RIGHT JOIN (SELECT generate_series(1,3)::text AS password) q USING (password)
SELECT organization_id FROM users NATURAL JOIN agents
SELECT organization_id FROM users FULL JOIN (SELECT '<<foreign>>'::uuid AS organization_id) q USING (organization_id)
SELECT name FROM agents NATURAL JOIN virtual_machines
SELECT id FROM users NATURAL FULL JOIN organizations
SELECT j FROM users a JOIN users b USING (id) AS j
SELECT to_jsonb(j) FROM users a JOIN users b USING (id, password) AS j
SELECT * FROM (SELECT * FROM users) a JOIN (SELECT * FROM users) b USING (password)

== wildcards: stars that hold secret columns
% t: users | api_keys | llm_providers | notification_channels | workspaces | uptime_monitors
SELECT * FROM <<t>>
SELECT t.* FROM <<t>> t
SELECT x.* FROM (SELECT * FROM <<t>>) x
SELECT x.* FROM <<t>> t, LATERAL (SELECT t.*) x
TABLE <<t>>
(TABLE <<t>>)
WITH x AS (TABLE <<t>>) SELECT * FROM x
SELECT * FROM (TABLE <<t>>) x
SELECT 1 WHERE (SELECT count(*) FROM (TABLE <<t>>) y) > 0
SELECT * FROM (<<t>> AS t CROSS JOIN regions)

== secret-columns: a secret by name, in each part of a statement
% c: users.password | users.mfa_secret | users.mfa_backup_codes | users."passwordHistory" | api_keys.api_key_secret | api_keys.encrypt_key | llm_providers.encrypted_api_key | notification_channels.config | workspaces.datasource_config
SELECT <<c>> FROM users, api_keys, llm_providers, notification_channels, workspaces LIMIT 3
SELECT length(<<c>>::text) FROM users, api_keys, llm_providers, notification_channels, workspaces LIMIT 3
SELECT 1 FROM users, api_keys, llm_providers, notification_channels, workspaces WHERE <<c>> IS NOT NULL LIMIT 3
SELECT md5(<<c>>::text) FROM users, api_keys, llm_providers, notification_channels, workspaces LIMIT 3

== secret-elsewhere: secrets in columns that no list may know
SELECT http_config FROM uptime_monitors
SELECT http_config -> 'headers' FROM uptime_monitors
SELECT metadata FROM api_keys
SELECT key_prefix, key_hint, api_key_id FROM api_keys
SELECT api_key_hint FROM llm_providers
SELECT last_error, metadata FROM notification_channels
SELECT recovery_email FROM users
SELECT archive_destination FROM retention_policies
SELECT notification_channels FROM alert_rules
SELECT notifications_sent FROM alert_instances
SELECT url FROM uptime_monitors
SELECT base_url FROM llm_providers

== correlated: outer columns that reach into places where they were not judged
SELECT (SELECT u.password) FROM users u
SELECT (SELECT (SELECT (SELECT u.password))) FROM users u
SELECT ARRAY(SELECT u.password) FROM users u
SELECT EXISTS (SELECT 1 FROM agents WHERE agents.name > u.password) FROM users u
SELECT u.email IN (SELECT u.password) FROM users u
SELECT u.email = ANY (ARRAY[u.password]) FROM users u
SELECT u.email = ALL (SELECT password) FROM users u
SELECT (SELECT max(password)) FROM users u
SELECT (SELECT count(*) FROM agents WHERE u.password IS NOT NULL) FROM users u
SELECT * FROM users u, LATERAL (SELECT u.password) q
SELECT * FROM users u, LATERAL (VALUES (u.password)) v
SELECT * FROM users u CROSS JOIN LATERAL unnest(ARRAY[u.password]) p
SELECT * FROM users u, unnest(ARRAY[u.password, u.email]) WITH ORDINALITY AS p(x, n)
SELECT * FROM users u, ROWS FROM (unnest(ARRAY[u.password]), generate_series(1,2)) AS f
SELECT * FROM users u, string_to_table(password, '-')
SELECT * FROM users u, regexp_matches(u.password, '.*') m
SELECT * FROM users u, generate_series(1, length(u.password)) g
SELECT * FROM users u, LATERAL (SELECT password FROM agents LIMIT 1) q
SELECT * FROM users u JOIN LATERAL (SELECT * FROM agents WHERE name < password) q ON true
SELECT (SELECT password FROM agents LIMIT 1) FROM users
SELECT (SELECT mfa_secret FROM (SELECT 1) x) FROM users
SELECT email FROM users u WHERE 1 = (SELECT 1 WHERE password LIKE '%a%')
SELECT email FROM users u ORDER BY (SELECT u.password)
SELECT count(*) FROM users u GROUP BY (SELECT u.password)
SELECT (SELECT string_agg(password, ',')) FROM users
SELECT (WITH q AS (SELECT password) SELECT * FROM q) FROM users
SELECT (VALUES (password)) FROM users
SELECT (SELECT password UNION ALL SELECT password LIMIT 1) FROM users
SELECT CASE (SELECT password) WHEN 'x' THEN 1 ELSE 0 END FROM users

== set-operations: columns that come from another arm
SELECT id, email FROM users UNION ALL SELECT id, password FROM users
SELECT email FROM users EXCEPT SELECT password FROM users
SELECT email FROM users INTERSECT ALL SELECT password FROM users
TABLE users UNION TABLE users
SELECT 1 UNION (TABLE api_keys)
(SELECT email FROM users) UNION ALL (SELECT api_key_secret FROM api_keys) ORDER BY 1
SELECT NULL AS email UNION ALL SELECT email FROM public.users
VALUES (1) UNION ALL SELECT count(*) FROM pg_authid
SELECT * FROM (SELECT 'x' AS e UNION ALL SELECT encrypted_api_key FROM llm_providers) q
SELECT email FROM users UNION SELECT email FROM users WHERE organization_id = '<<foreign>>'
SELECT 1 EXCEPT SELECT 1 FROM users WHERE password LIKE 'tfo%'
SELECT name FROM agents UNION DISTINCT SELECT rolname FROM pg_roles
((SELECT 1) UNION (SELECT 2)) INTERSECT (SELECT length(password) FROM users)
SELECT email FROM users UNION ALL SELECT email FROM users ORDER BY password
VALUES ((SELECT password FROM users LIMIT 1))
VALUES (1, (SELECT count(*) FROM pg_shadow)), (2, 3)
SELECT * FROM (VALUES ((SELECT max(mfa_secret) FROM users))) v(x)
SELECT column1 FROM (VALUES ((SELECT rolname FROM pg_roles LIMIT 1))) v
VALUES (users), (NULL)
SELECT * FROM agents WHERE (id, name) IN (SELECT id, password FROM users)

== physical-columns: columns that every table has, and that tell of other rows
% c: ctid | xmin | xmax | cmin | cmax | tableoid | tableoid::regclass | oid | u.ctid | u.xmin::text | (ctid::text::point)[0] | ctid::text | tableoid::regclass::text | users.tableoid
SELECT <<c>> FROM users u
SELECT max(<<c>>) FROM users u
SELECT 1 FROM users u WHERE <<c>> IS NOT NULL
SELECT x FROM (SELECT <<c>> AS x FROM users u) q

== sampling-and-locks: table clauses besides the name
SELECT * FROM users TABLESAMPLE SYSTEM (100)
SELECT count(*) FROM users TABLESAMPLE BERNOULLI (100) REPEATABLE (1)
SELECT count(*) FROM users TABLESAMPLE SYSTEM ((SELECT length(password) FROM users LIMIT 1))
SELECT email FROM users TABLESAMPLE public.users(1)
SELECT email FROM users FOR UPDATE
SELECT email FROM users FOR SHARE SKIP LOCKED
SELECT email FROM users FOR NO KEY UPDATE OF users NOWAIT
SELECT email FROM users FOR KEY SHARE
SELECT email FROM (SELECT * FROM users FOR UPDATE) q
WITH q AS (SELECT * FROM users FOR UPDATE) SELECT email FROM q
SELECT email FROM users FOR UPDATE OF pg_authid
SELECT * FROM ONLY users AS u
SELECT count(*) FROM users* AS u

== partitions-and-inheritance: names that an operator's tables may have
SELECT * FROM users_default
SELECT * FROM users_p0
SELECT * FROM pg_toast.pg_toast_2619
SELECT * FROM idx_alert_instances_org
SELECT * FROM users_pkey
SELECT * FROM users_email_key
SELECT * FROM pg_class_oid_index
SELECT * FROM pg_temp_1.users
SELECT * FROM alert_rules_old
SELECT * FROM users_id_seq

== json-and-xml-access: values that a path language takes out of a row
SELECT JSON_VALUE(to_jsonb(u), '$.password') FROM users u
SELECT JSON_QUERY(to_jsonb(u), '$.*' WITH WRAPPER) FROM users u
SELECT JSON_EXISTS(to_jsonb(u), '$.password') FROM users u
SELECT JSON_OBJECT('a' VALUE u.password) FROM users u
SELECT JSON_OBJECT('a': u) FROM users u
SELECT JSON_ARRAY(u.*) FROM users u
SELECT JSON_ARRAY(SELECT password FROM users)
SELECT JSON_ARRAYAGG(u) FROM users u
SELECT JSON_OBJECTAGG(u.email : u.password) FROM users u
SELECT JSON_SCALAR(password) FROM users
SELECT JSON_SERIALIZE(to_json(u)) FROM users u
SELECT * FROM users u, JSON_TABLE(to_jsonb(u), '$' COLUMNS (p text PATH '$.password')) t
SELECT * FROM users u, XMLTABLE('/a' PASSING XMLELEMENT(NAME a, u.password) COLUMNS p text PATH '.') t
SELECT XMLELEMENT(NAME u, XMLATTRIBUTES(u.password)) FROM users u
SELECT XMLFOREST(u.password, u.email) FROM users u
SELECT XMLFOREST(u.*) FROM users u
SELECT XMLAGG(XMLELEMENT(NAME x, u)) FROM users u
SELECT XMLCONCAT('<a/>', (SELECT XMLELEMENT(NAME p, password) FROM users LIMIT 1))
SELECT XMLPARSE(DOCUMENT '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>')
SELECT XMLPI(NAME php, password) FROM users
SELECT XMLSERIALIZE(CONTENT XMLELEMENT(NAME x, password) AS text) FROM users
SELECT xpath('/x/text()', XMLELEMENT(NAME x, u.password)) FROM users u
SELECT jsonb_path_query(to_jsonb(u), '$.password') FROM users u
SELECT jsonb_path_query_array(to_jsonb(u), 'strict $.**') FROM users u
SELECT to_jsonb(u) @? '$.password' FROM users u
SELECT to_jsonb(u) #>> '{password}' FROM users u
SELECT jsonb_pretty(to_jsonb(u)) FROM users u
loose SELECT jsonb_agg(u) FROM users u
loose SELECT json_object_agg(u.id, u) FROM users u
SELECT labels || to_jsonb(u) FROM alert_rules, users u

== collations-and-domains: names that follow COLLATE, AT TIME ZONE and the like
SELECT email COLLATE "pg_authid" FROM users
SELECT email COLLATE pg_catalog."C" FROM users
SELECT email COLLATE public.users FROM users
SELECT now() AT TIME ZONE password FROM users
SELECT EXTRACT(password FROM now()) FROM users
SELECT OVERLAY(email PLACING password FROM 1) FROM users
SELECT SUBSTRING(email FROM password) FROM users
SELECT SUBSTRING(password SIMILAR '%' ESCAPE '#') FROM users
SELECT POSITION('a' IN password) FROM users
SELECT TRIM(BOTH password FROM email) FROM users
SELECT CEIL(length(password)) FROM users
SELECT NORMALIZE(password, NFC) FROM users
SELECT password IS NORMALIZED FROM users
SELECT email LIKE 'a' ESCAPE left(password, 1) FROM users
SELECT email SIMILAR TO password FROM users
SELECT email BETWEEN SYMMETRIC password AND 'z' FROM users
SELECT (now(), now()) OVERLAPS (now(), now() + length(password) * interval '1 day') FROM users
SELECT TREAT(password AS text) FROM users
SELECT CAST(password AS text COLLATE "C") FROM users
SELECT COLLATION FOR (password) FROM users
SELECT password IS DOCUMENT FROM users
SELECT INTERVAL '1' DAY * length(password) FROM users
SELECT CURRENT_TIMESTAMP(3), password FROM users

== window-frames: places inside OVER
SELECT sum(1) OVER (ROWS BETWEEN (SELECT length(password) FROM users LIMIT 1) PRECEDING AND CURRENT ROW) FROM agents
SELECT count(*) OVER (ORDER BY password RANGE UNBOUNDED PRECEDING) FROM users
SELECT count(*) OVER (ORDER BY (SELECT password)) FROM users
SELECT lag(password) OVER (ORDER BY id) FROM users
SELECT first_value(password) OVER (PARTITION BY organization_id) FROM users
SELECT ntile((SELECT length(password) FROM users LIMIT 1)) OVER (ORDER BY id) FROM users
SELECT dense_rank() OVER (ORDER BY mfa_secret) FROM users
SELECT count(*) OVER (GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE TIES) FROM users
SELECT array_agg(password) OVER () FROM users
SELECT count(*) OVER () FROM users
SELECT max(organization_id::text) OVER () FROM users
SELECT cume_dist() OVER (ORDER BY password) FROM users
SELECT percent_rank() OVER w, w FROM users WINDOW w AS (ORDER BY password)
SELECT sum(1) OVER (w ROWS 1 PRECEDING) FROM users WINDOW w AS (ORDER BY password)

== error-oracles: an error that depends on rows that must not be seen
SELECT 1 / (SELECT count(*) - count(*) FROM users WHERE organization_id = '<<foreign>>')
SELECT CASE WHEN EXISTS (SELECT 1 FROM users WHERE email LIKE 'LEAK2%') THEN 1 / 0 END
SELECT CAST((SELECT string_agg(email, ',') FROM users WHERE organization_id <> '<<own>>') AS integer)
SELECT CAST(email AS integer) FROM users
SELECT email::uuid FROM users
SELECT email::inet FROM users WHERE email::inet IS NOT NULL
SELECT name FROM agents WHERE 1 / (length(name) - length(name)) = 1 AND organization_id = '<<foreign>>'
SELECT name FROM alert_rules WHERE name::int > 0
SELECT ('{' || name || '}')::jsonb FROM alert_rules
SELECT (name || '[')::json FROM agents
SELECT regexp_replace('a', name, 'b') FROM agents
SELECT 'a' ~ ('(' || title) FROM alert_instances
SELECT name ~ '(' FROM agents
SELECT jsonb_path_query('{}', ('strict $.' || quote_ident(name))::jsonpath) FROM agents
SELECT to_timestamp(name, 'YYYY') FROM agents
SELECT to_date(email, 'YYYY-MM-DD') FROM users
SELECT to_number(email, '999') FROM users
SELECT date_trunc(name, now()) FROM agents
SELECT extract(epoch FROM name::timestamp) FROM agents
SELECT decode(email, 'hex') FROM users
SELECT encode('x', email) FROM users
SELECT convert_from(convert_to(email, 'UTF8'), name) FROM users, agents
SELECT substring(email, 1, -1) FROM users
SELECT (ARRAY[1])[email::int] FROM users
SELECT email::bit(8) FROM users
SELECT email::money FROM users
SELECT email::xml FROM users
SELECT email::tsquery FROM users
SELECT email::interval FROM users
SELECT pg_input_is_valid(email, 'integer') FROM users
SELECT now() AT TIME ZONE name FROM agents
SELECT chr(ascii(email) * 100000) FROM users
SELECT generate_series(1, 0, length(email) - length(email)) FROM users
SELECT setseed(length(email)) FROM users
SELECT sqrt(-length(email)) FROM users
SELECT factorial(-length(email)) FROM users
SELECT make_date(length(email), 13, 1) FROM users
SELECT (SELECT email FROM users)
SELECT 1 WHERE (SELECT email FROM users) = 'x'
SELECT 1 WHERE (SELECT true FROM users WHERE organization_id = '<<foreign>>')
SELECT width_bucket(length(email), 1, 1, 1) FROM users
SELECT lpad(email, 2000000000) FROM users
SELECT name FROM organizations WHERE name::int = 1
SELECT jsonb_array_length(labels) FROM alert_rules
SELECT (labels ->> 'service')::int FROM alert_rules
SELECT (conditions -> 0 ->> 'query')::float8 FROM alert_rules

== case-order-oracles: evaluation before the filter of the organisation
SELECT email FROM users WHERE CASE WHEN organization_id = '<<foreign>>' THEN 1 / 0 = 1 ELSE true END
SELECT email FROM users WHERE organization_id = '<<own>>' OR 1 / (length(email) - length(email)) = 1
SELECT count(*) FROM users WHERE (organization_id = '<<foreign>>')::int / 0 = 1
SELECT count(*) FROM users u JOIN agents a ON (CASE WHEN u.organization_id = '<<foreign>>' THEN 1 / 0 ELSE 1 END) = 1
SELECT count(*) FROM users GROUP BY CASE WHEN organization_id = '<<foreign>>' THEN 1 / 0 END
SELECT max(CASE WHEN organization_id = '<<foreign>>' THEN 1 / 0 END) FROM users
SELECT count(*) FILTER (WHERE 1 / (CASE WHEN organization_id = '<<foreign>>' THEN 0 ELSE 1 END) = 1) FROM users
SELECT email FROM users ORDER BY CASE WHEN organization_id = '<<foreign>>' THEN 1 / 0 ELSE 1 END
SELECT email FROM users u WHERE EXISTS (SELECT 1 WHERE u.organization_id = '<<foreign>>' AND 1 / (length(u.email) * 0) = 1)
SELECT email FROM users WHERE email::int = 5 AND organization_id = '<<foreign>>'
SELECT t.name FROM tenants t WHERE t.name::int = 1
SELECT name FROM workspaces WHERE length(name) / (CASE WHEN name LIKE 'LEAK2%' THEN 0 ELSE 1 END) > 0

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
SELECT labels ->> 'service' FROM alert_rules
SELECT c FROM agents, jsonb_array_elements_text(capabilities) AS c
SELECT sum(g) FROM generate_series(1, 5) AS g
SELECT name, row_number() OVER (ORDER BY name) FROM agents
SELECT data_type, retention_days FROM retention_policies ORDER BY data_type
SELECT unnest(roles) FROM kubernetes_nodes
