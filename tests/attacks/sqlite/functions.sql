== file-functions: functions of the shell and of extensions
% f: readfile('/etc/passwd') | writefile('/tmp/tfo-attack','x') | edit('x','vi') | load_extension('/tmp/x.so') | load_extension('libc.so.6','system') | fts3_tokenizer('simple') | fts3_tokenizer('simple', x'00') | lsmode(33188) | sqlar_uncompress('a',1) | sha3_query('SELECT password FROM users') | sha3(1) | eval('SELECT password FROM users') | shell_add_schema('a','b','c') | dbdata('x') | fsdir('/') | zipfile('a') | geopoly_json('[]') | rtreecheck('x') | rtreenode(2, x'00') | matchinfo(users) | snippet(users) | offsets(users) | highlight(users,1,'a','b') | bm25(users) | sqlite_source_id() | sqlite_version() | sqlite_compileoption_get(1) | sqlite_compileoption_used('THREADSAFE') | sqlite_log(1,'x') | sqlite_offset(email) | sqlite_drop_column(0,'x',1) | sqlite_rename_table('a','b') | sqlite_rename_column(1) | sqlite_fail('x') | sqlite_add_constraint('x') | last_insert_rowid() | changes() | total_changes() | random() | randomblob(8) | regexp('a','b') | subtype('x') | unistr('a') | unistr_quote('a')
SELECT <<f>>
SELECT <<f>> FROM users

== table-functions: functions in FROM
% f: json_each((SELECT json_group_array(password) FROM users)) | json_tree('{}') | jsonb_each('[1]') | generate_series(1,3) | fsdir('/etc') | zipfile('/tmp/x') | carray(1,2) | bytecode('SELECT 1') | tables_used('SELECT password FROM users') | dbstat('main') | sqlite_dbpage('main') | sqlite_stmt() | completion('SEL') | csv('/etc/passwd') | wholenumber() | prefixes('abc') | vtablog() | json_each('[1]','$') | fts5vocab('main','x','row') | memstat() | btreeinfo('main') | explain('SELECT 1') | series(1) | main.json_each('[1]') | "json_each"('[1]') | [json_tree]('[]')
SELECT * FROM <<f>>
SELECT * FROM users, <<f>> AS f

== hidden-arguments: hidden columns of table-valued functions, and their arguments
SELECT json, root FROM json_each('[1]')
SELECT * FROM json_each WHERE json = '[1,2]'
SELECT * FROM json_each WHERE json = (SELECT json_group_array(email) FROM users)
SELECT j.json FROM users, json_each(json_array(password)) j
SELECT value FROM users, json_each(json_array(password))
SELECT value FROM users u, json_tree(json_object('a', u.mfa_secret))
SELECT value, start, stop, step FROM generate_series(1, 3)
SELECT value FROM generate_series WHERE start = 1 AND stop = 3
SELECT name FROM pragma_table_info WHERE arg = 'users'
SELECT name FROM pragma_table_info WHERE schema = 'main' AND arg = 'api_keys'
SELECT fullkey, path FROM json_tree('{"a":[1]}')
SELECT rowid FROM json_each('[1,2]')
SELECT rowid FROM generate_series(1,2)
SELECT value FROM notification_channels, json_each(config)
SELECT value FROM workspaces, json_each(datasource_config)

== json-functions: JSON as a way to a column or out of a statement
% f: json_object('p', password) | json_array(password) | json_group_array(password) | json_group_object(email, password) | json_extract(config, '$.token') | config -> '$' | config ->> 'token' | json_patch('{}', config) | json_set('{}', '$.a', password) | json_quote(password) | json_type(config) | json_valid(config) | json_each(config) | json_pretty(config) | jsonb(config) | jsonb_extract(config, '$') | json_error_position(config) | json_array_length(config) | json_remove(config, '$.a') | json_insert(config, '$.a', 1) | json_extract('{}', 'bad path') | json_extract(name, '$.a') | json(name)
SELECT <<f>> FROM users, notification_channels
SELECT 1 FROM users, notification_channels WHERE <<f>> IS NOT NULL

== text-functions: secrets through functions of text
% f: hex(password) | quote(password) | length(password) | substr(password,1,1) | unicode(password) | instr(password,'a') | replace(password,'a','b') | upper(password) | trim(password) | printf('%s',password) | format('%s',password) | typeof(password) | glob('L*',password) | like('L%',password) | soundex(password) | coalesce(password,1) | ifnull(password,1) | iif(password,1,2) | nullif(password,'a') | max(password,'a') | min(password) | group_concat(password) | string_agg(password,',') | concat(password,'x') | concat_ws(',',password,'x') | octet_length(password) | char(unicode(password)) | total(password) | sum(password) | avg(password) | date(password) | julianday(password) | timediff(password,'now') | abs(password) | round(password) | sign(password) | zeroblob(length(password)) | cast(password AS blob) | password COLLATE NOCASE | password || ''
SELECT <<f>> FROM users

== secret-columns: a secret by name, in each table that has one
% c: users.mfa_secret | users.mfa_backup_codes | users."passwordHistory" | users.passwordhistory | users.[PASSWORDHISTORY] | api_keys.api_key_secret | api_keys.encrypt_key | llm_providers.encrypted_api_key | notification_channels.config | workspaces.datasource_config | "api_keys"."ENCRYPT_KEY"
SELECT <<c>> FROM users, api_keys, llm_providers, notification_channels, workspaces LIMIT 3
SELECT 1 FROM users, api_keys, llm_providers, notification_channels, workspaces ORDER BY <<c>> LIMIT 3
SELECT count(DISTINCT <<c>>) FROM users, api_keys, llm_providers, notification_channels, workspaces
SELECT (SELECT <<c>>) FROM users, api_keys, llm_providers, notification_channels, workspaces LIMIT 3

== secret-elsewhere: secrets in columns that no list may know
SELECT http_config FROM uptime_monitors
SELECT http_config ->> '$.headers' FROM uptime_monitors
SELECT metadata FROM api_keys
SELECT key_prefix, key_hint, api_key_id FROM api_keys
SELECT api_key_hint, base_url FROM llm_providers
SELECT last_error, metadata FROM notification_channels
SELECT recovery_email FROM users
SELECT archive_destination FROM retention_policies
SELECT notification_channels FROM alert_rules
SELECT notifications_sent FROM alert_instances

== wildcards: stars that hold secret columns
% t: users | api_keys | llm_providers | notification_channels | workspaces | uptime_monitors | user_roles | tenants
SELECT * FROM <<t>>
SELECT t.* FROM <<t>> AS t
SELECT * FROM (SELECT * FROM <<t>>)
SELECT x.* FROM (SELECT t.* FROM <<t>> t) x
SELECT * FROM <<t>> NATURAL JOIN regions
SELECT * FROM regions LEFT JOIN <<t>> ON 1
WITH x AS (SELECT * FROM <<t>>) SELECT x.* FROM x
SELECT *, * FROM <<t>>

== column-by-position: a column of a star by its number or a list of names
SELECT 1, * FROM users ORDER BY 4
SELECT * FROM users ORDER BY 3
SELECT * FROM users GROUP BY 3
WITH q(a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,aa,ab,ac,ad,ae,af,ag,ah,ai,aj) AS (SELECT * FROM users) SELECT c, o, p, r FROM q
SELECT column1 FROM (VALUES ((SELECT password FROM users)))
SELECT column2 FROM (VALUES (1, (SELECT max(mfa_secret) FROM users)))
VALUES ((SELECT group_concat(password) FROM users))
SELECT * FROM (SELECT 1 AS a, 2 AS b, 3 AS c UNION ALL SELECT id, email, password FROM users)
SELECT c FROM (SELECT 1 AS a, 2 AS b, 3 AS c WHERE 0 UNION ALL SELECT * FROM users)
SELECT email FROM users UNION SELECT password FROM users ORDER BY 1
SELECT "password" FROM (SELECT 1 AS x) UNION ALL SELECT password FROM users
SELECT (SELECT password UNION SELECT 1) FROM users
SELECT email FROM users EXCEPT SELECT password FROM users
SELECT email FROM users INTERSECT SELECT password FROM users

== merged-columns: NATURAL and USING with secret columns
SELECT count(*) FROM users JOIN (SELECT 'LEAK1a-users.password' AS password) USING (password)
SELECT password FROM users NATURAL JOIN (SELECT 'LEAK1a-users.password' AS password)
SELECT * FROM users NATURAL JOIN users AS b
SELECT count(*) FROM users NATURAL LEFT JOIN users AS b
SELECT b.email FROM users JOIN users b USING (id, password)
SELECT count(*) FROM api_keys JOIN llm_providers USING (organization_id, name)
SELECT count(*) FROM users NATURAL FULL OUTER JOIN agents
SELECT count(*) FROM users RIGHT JOIN agents USING (organization_id)
SELECT organization_id FROM users FULL JOIN agents USING (organization_id)
SELECT * FROM tenants NATURAL JOIN workspaces
SELECT id FROM users NATURAL FULL JOIN organizations
SELECT * FROM (users JOIN agents USING (organization_id))

== correlated: outer columns in inner places
SELECT (SELECT u.password) FROM users u
SELECT (SELECT (SELECT (SELECT password))) FROM users
SELECT EXISTS (SELECT 1 FROM agents WHERE name > u.password) FROM users u
SELECT email FROM users u WHERE 1 = (SELECT 1 WHERE password LIKE '%a%')
SELECT email FROM users ORDER BY (SELECT password)
SELECT (SELECT max(password)) FROM users
SELECT (SELECT group_concat(password) FROM agents) FROM users
SELECT (SELECT password FROM agents LIMIT 1) FROM users
SELECT email FROM users LIMIT (SELECT length(password) FROM users LIMIT 1)
SELECT email FROM users LIMIT 5 OFFSET (SELECT length(mfa_secret) FROM users LIMIT 1)
SELECT email FROM users LIMIT (SELECT count(*) FROM tenants)
SELECT CASE (SELECT password) WHEN 'x' THEN 1 ELSE 0 END FROM users
SELECT email FROM users GROUP BY (SELECT password)
SELECT count(*) FROM users HAVING max(password) > 'a'
SELECT max(email), password FROM users
SELECT email, max(rowid) FROM users
SELECT min(email), rowid FROM users
SELECT (VALUES (password)) FROM users
SELECT (email, password) = ('a', 'b') FROM users
SELECT (email, password) < ('a', 'b') FROM users
SELECT (SELECT email, password FROM users) = ('a', 'b')
SELECT RAISE(ABORT, 'x')
SELECT count(*) FILTER (WHERE password > 'M') FROM users

== window-tricks: places inside OVER
SELECT rank() OVER (ORDER BY password) FROM users
SELECT count(*) OVER (PARTITION BY password) FROM users
SELECT lag(password) OVER (ORDER BY id) FROM users
SELECT first_value(password) OVER () FROM users
SELECT group_concat(password) OVER () FROM users
SELECT nth_value(mfa_secret, 1) OVER () FROM users
SELECT sum(1) OVER (ROWS BETWEEN (SELECT length(password) FROM users LIMIT 1) PRECEDING AND CURRENT ROW) FROM agents
SELECT ntile((SELECT count(*) FROM tenants)) OVER () FROM users
SELECT sum(1) OVER w FROM users WINDOW w AS (ORDER BY password)
SELECT sum(1) OVER (w ROWS 1 PRECEDING) FROM users WINDOW w AS (ORDER BY password)
SELECT count(*) FILTER (WHERE password > 'M') OVER () FROM users
SELECT row_number() OVER (), count(*) OVER () FROM tenants
SELECT email FROM users ORDER BY row_number() OVER (ORDER BY password)
SELECT cume_dist() OVER (ORDER BY mfa_secret) FROM users
