== names-63-bytes: names that PostgreSQL cuts at 63 bytes and a parser compares whole
SELECT <<A63>>x.ts_stat FROM (SELECT 'SELECT password FROM users'::text) AS <<A63>>y(ts_statx)
SELECT <<A63>>1.email FROM users AS <<A63>>2
SELECT <<A63>>q.password FROM users AS <<A63>>
WITH <<A63>>a AS (SELECT 1 AS id), <<A63>>b AS (SELECT 2 AS id) SELECT * FROM <<A63>>c
WITH <<A63>>a AS (SELECT 1) SELECT * FROM <<A63>>
SELECT "<<A63>>é" FROM (SELECT 1 AS "<<A63>>è") q
SELECT * FROM (SELECT password AS <<A63>>x FROM users) q
SELECT <<A62>>é.query_to_xml FROM unnest(ARRAY['SELECT 1']) AS <<A62>>è
SELECT "<<A62>>é".current_setting FROM unnest(ARRAY['server_version']) AS "<<A62>>ê"
SELECT <<A62>>.current_setting FROM unnest(ARRAY['server_version']) AS <<A62>>
SELECT <<A63>>.current_setting FROM unnest(ARRAY['server_version']) AS <<A63>>
SELECT sum(1) OVER <<A63>>x FROM agents WINDOW <<A63>>y AS ()
SELECT a.<<A63>>x FROM (SELECT name AS <<A63>>y, id FROM agents) a
SELECT <<A63>>x(1)
SELECT "<<A63>>x".id FROM agents AS "<<A63>>y" JOIN users AS "<<A62>>" ON true

== schema-qualified: every spelling of a table with its schema or database
% t: public.users | "public"."users" | PUBLIC.USERS | public."users" | U&"public"."users" | pg_catalog.pg_authid | pg_catalog.pg_shadow | postgres.public.users | "postgres"."public"."users" | pg_temp.users | pg_toast.pg_toast_1260 | information_schema.tables | "information_schema"."columns" | "$user".users | public . users | public/**/./**/users | current_schema.users
SELECT * FROM <<t>>
SELECT password FROM <<t>> u
SELECT count(*) FROM agents WHERE name IN (SELECT email FROM <<t>>)

== catalogs: the system's own tables, by name alone and with the schema
% c: pg_authid | pg_shadow | pg_user | pg_roles | pg_class | pg_attribute | pg_proc | pg_stats | pg_statistic | pg_statistic_ext_data | pg_stats_ext | pg_stats_ext_exprs | pg_stat_activity | pg_stat_statements | pg_stat_user_tables | pg_statio_user_tables | pg_locks | pg_settings | pg_file_settings | pg_hba_file_rules | pg_largeobject | pg_largeobject_metadata | pg_database | pg_tables | pg_views | pg_indexes | pg_namespace | pg_cursors | pg_prepared_statements | pg_prepared_xacts | pg_user_mappings | pg_foreign_server | pg_subscription | pg_publication | pg_replication_slots | pg_stat_replication | pg_stat_ssl | pg_stat_progress_copy | pg_config | pg_shmem_allocations | pg_backend_memory_contexts | pg_seclabels | pg_policies | pg_default_acl | pg_extension | pg_event_trigger | pg_description | pg_rewrite | pg_trigger | pg_constraint | pg_enum | pg_type | pg_inherits | pg_depend | pg_timezone_names | pg_ts_config
SELECT * FROM <<c>>
SELECT count(*) FROM pg_catalog.<<c>>

== information-schema: the standard's views of the same
% v: tables | columns | views | routines | role_table_grants | enabled_roles | applicable_roles | user_mappings | user_mapping_options | column_privileges | key_column_usage | schemata | sql_features | triggers | element_types | foreign_servers
SELECT * FROM information_schema.<<v>>

== unicode-names: escapes and homoglyphs in names
% c: U&"\0070assword" | U&"p\+000061ssword" | U&"!0070assword" UESCAPE '!' | u&"passwor\0064" | "password" | PASSWORD | PaSsWoRd | "PASSWORD" | ｐassword | pаssword | pasſword | ﬁrstName | "pass""word" | "password " | " password" | password​ | [password] | `password`
SELECT <<c>> FROM users
SELECT u.<<c>> FROM users u
SELECT x FROM (SELECT <<c>> AS x FROM users) q

== unicode-tables: the same for tables
% t: U&"\0075sers" | u&"use\0072s" | "users" | USERS | ｕsers | uѕers | "USERS" | "public.users" | "users""" | U&"api!005fkeys" UESCAPE '!' | U&"pg\005Fauthid" | "pg_authid" | pg_authıd | "pg_catalog.pg_authid"
SELECT * FROM <<t>>
SELECT count(*) FROM <<t>> AS t WHERE true

== hidden-in-strings: quoting that two lexers may end at different places
SELECT 'a' 'b' FROM users
esc SELECT 'a'\n'b', password FROM users
SELECT E'\'', password, E'\'' FROM users
SELECT '\', password FROM users --'
SELECT E'\\', password FROM users
SELECT E'a\' , password FROM users --'
SELECT $$a$$, password, $$b$$ FROM users
SELECT $a$ $b$ $a$, password, $b$ $b$ FROM users
SELECT $é$a$é$, password FROM users
SELECT $a$'$a$, password, $a$'$a$ FROM users
SELECT 1 AS "a""b", password FROM users
SELECT 1 AS "a' , ", password FROM users AS "'"
SELECT U&'\0027', password, U&'\0027' FROM users
SELECT U&'!0027' UESCAPE '!', password FROM users
SELECT B'1', X'1F', password FROM users
SELECT N'a', password FROM users
SELECT n'a''', password, '''' FROM users
SELECT x'27'::text, password FROM users
SELECT E'\x27', password FROM users
SELECT E'\047', password, E'\u0027' FROM users
SELECT '$$', password, '$$' FROM users
SELECT $1$ AS x, password FROM users
SELECT $abc$ $ab$ $abc$ , ( SELECT password FROM users LIMIT 1 )

== hidden-in-comments: comments that two lexers may end at different places
SELECT /* /* */ password */ 1 FROM users
SELECT 1 /* a /* b */ , password FROM users -- */
SELECT 1 -- /*
SELECT 1 --\n, password FROM users
esc SELECT 1 --\r, password FROM users
esc SELECT 1 --\n, password FROM users
esc SELECT 1 --\u{2028}, password FROM users
esc SELECT 1 --\u{85}, password FROM users
esc SELECT 1 --\x0b, password FROM users
esc SELECT 1 --\x0c, password FROM users
SELECT 1 /*! , password */ FROM users
SELECT 1 /*+ IndexScan(users) */ FROM users
SELECT 1 #, password FROM users
SELECT 1--1, password FROM users
SELECT 1/*/**//*/**/*/, password FROM users*/
SELECT 1 +-- comment
SELECT 1 */* 2
SELECT 4 +/-1

== odd-white-space: characters that one lexer skips and another keeps
% ws: \u{a0} | \u{2003} | \u{3000} | \u{feff} | \u{200b} | \u{180e} | \x0b | \x0c | \u{85} | \u{1680} | \u{00ad} | \u{2060} | \x01 | \x7f | \x1b
esc SELECT<<ws>>password<<ws>>FROM<<ws>>users
esc SELECT u.<<ws>>password FROM users u
esc SELECT id FROM users<<ws>>WHERE true

== null-bytes: texts that end early for one of the two
esc SELECT 1\x00, password FROM users
esc SELECT 'a\x00b'
esc \x00SELECT 1
esc SELECT * FROM users\x00
esc SELECT "pass\x00word" FROM users
params ["a\u0000b"] SELECT $1
esc SELECT E'a\\000b'
SELECT chr(0)
SELECT U&'\0000'
SELECT '\u0000'::jsonb
SELECT '{"a":"\u0000"}'::json ->> 'a'

== keywords-as-names: relations and columns that are called as keywords
SELECT "select" FROM (SELECT password AS "select" FROM users) q
SELECT "user" FROM (SELECT 1 AS "user") q
SELECT user FROM (SELECT 1 AS "user") q
SELECT "current_user".email FROM users AS "current_user"
SELECT "lateral".* FROM users AS "lateral"
SELECT "only".* FROM users AS "only"
SELECT * FROM ONLY users
SELECT * FROM ONLY (users)
SELECT * FROM users *
SELECT "from" FROM (SELECT email AS "from" FROM users) AS "where"
SELECT "null"."true" FROM (SELECT email AS "true" FROM users) AS "null"
SELECT value, name, type, password FROM users
SELECT offset.password FROM users AS offset
SELECT "row".password FROM users AS "row"
SELECT row(users.*) FROM users
SELECT "default".x FROM (SELECT 1) AS "default"(x)
SELECT "table".password FROM users "table"
SELECT excluded.password FROM users excluded
SELECT old.password, new.password FROM users old, users new
SELECT session_user.email FROM users session_user

== cte-shadowing: a CTE with the name of a table, and the table within it
WITH users AS (SELECT * FROM users) SELECT * FROM users
WITH users AS (SELECT * FROM public.users) SELECT * FROM users
WITH RECURSIVE users AS (SELECT * FROM users) SELECT * FROM users
WITH RECURSIVE users AS (SELECT 1 AS id UNION ALL SELECT id + 1 FROM users WHERE id < 3) SELECT * FROM users
WITH users AS (SELECT 1 AS organization_id) SELECT password FROM public.users
WITH a AS (WITH users AS (SELECT 1 AS id) SELECT * FROM users) SELECT * FROM users
WITH a AS (SELECT * FROM users), users AS (SELECT 1 AS id) SELECT * FROM a
WITH users AS (SELECT 1 AS id), a AS (SELECT * FROM users) SELECT * FROM a
WITH "Users" AS (SELECT 1 AS id) SELECT * FROM users
WITH USERS AS (SELECT 1 AS id) SELECT * FROM "users"
WITH U&"\0075sers" AS (SELECT 1 AS id) SELECT * FROM users
WITH pg_authid AS (SELECT 1 AS rolpassword) SELECT rolpassword FROM pg_authid
WITH pg_authid AS (SELECT 1 AS rolpassword) SELECT rolpassword FROM pg_catalog.pg_authid
SELECT (WITH users AS (SELECT 1 AS n) SELECT n FROM users), email FROM users
SELECT * FROM users, (WITH users AS (SELECT 1 AS n) SELECT n FROM users) q
WITH x AS (SELECT 1) (WITH users AS (SELECT 2 AS id) SELECT * FROM users) UNION SELECT 1 FROM users
WITH users(password) AS (SELECT email FROM users) SELECT password FROM users
WITH organization_id AS (SELECT 1) SELECT organization_id FROM organization_id
WITH q AS MATERIALIZED (SELECT * FROM users) SELECT * FROM q
WITH q AS NOT MATERIALIZED (SELECT * FROM users) SELECT * FROM q
WITH RECURSIVE a AS (SELECT * FROM b), b AS (SELECT * FROM users) SELECT * FROM a
WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL (WITH users AS (SELECT 1 AS id) SELECT n + 1 FROM a, users WHERE n < 3)) SELECT * FROM a, users
WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM t WHERE n < 3) SEARCH DEPTH FIRST BY n SET password SELECT password FROM t, users
WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM t WHERE n < 3) CYCLE n SET c USING password SELECT password FROM t, users

== alias-shadowing: an alias that is the name of another table
SELECT agents.password FROM users AS agents
SELECT users.name FROM agents AS users
SELECT users.password FROM agents AS users, users AS agents
SELECT agents.* FROM users AS agents
SELECT organization_id.organization_id FROM users AS organization_id
SELECT u.password FROM agents AS u, LATERAL (SELECT password FROM users AS u) q
SELECT q.name FROM users AS q(a, b, name)
SELECT c FROM users AS q(a, b, c)
SELECT q.c FROM users AS q(a, b, c)
SELECT * FROM users AS q(a, b, c)
SELECT q.* FROM (users CROSS JOIN roles) AS q(a, b, c)
SELECT id, email, c FROM (users) AS q(id, email, c)
SELECT password FROM users AS q(password, email)
SELECT q.organization_id FROM users AS q(organization_id)
SELECT o.organization_id FROM organizations AS o(name, organization_id)
SELECT email FROM users AS organizations WHERE organizations.email IS NOT NULL
SELECT name FROM organizations AS users

== numbering-and-outputs: columns by number, output names that shadow columns
SELECT email AS password FROM users ORDER BY password
SELECT email AS password FROM users GROUP BY password
SELECT email FROM users ORDER BY password
SELECT email FROM users ORDER BY length(password)
SELECT DISTINCT ON (password) email FROM users
SELECT count(*) FROM users GROUP BY password
SELECT count(DISTINCT password) FROM users
SELECT count(*) FROM users GROUP BY ROLLUP (password)
SELECT count(*) FROM users GROUP BY CUBE (mfa_secret)
SELECT count(*) FROM users GROUP BY GROUPING SETS ((password), ())
SELECT GROUPING(password) FROM users GROUP BY password
SELECT email FROM users WHERE password LIKE 'L%'
SELECT email FROM users HAVING max(password) > 'a'
SELECT max(email) FROM users HAVING max(password) > 'a'
SELECT rank() OVER (ORDER BY password) FROM users
SELECT rank() OVER w FROM users WINDOW w AS (PARTITION BY password)
SELECT email FROM users LIMIT (SELECT length(password) FROM users LIMIT 1)
SELECT email FROM users OFFSET (SELECT length(password) - 20 FROM users LIMIT 1)
SELECT string_agg(email, ',' ORDER BY password) FROM users
SELECT count(*) FILTER (WHERE password > 'M') FROM users
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY password) FROM users
SELECT mode() WITHIN GROUP (ORDER BY mfa_secret) FROM users
SELECT email FROM users FETCH FIRST (SELECT length(password) FROM users LIMIT 1) ROWS WITH TIES
