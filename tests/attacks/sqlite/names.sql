== schema-table: the table of tables, in each of its spellings
% t: sqlite_schema | sqlite_master | sqlite_temp_schema | sqlite_temp_master | main.sqlite_schema | main.sqlite_master | temp.sqlite_master | "sqlite_master" | [sqlite_master] | `sqlite_master` | 'sqlite_master' | SQLITE_MASTER | Sqlite_Schema | main."sqlite_schema" | 'main'.'sqlite_master' | [main].[sqlite_master] | sqlite_sequence | sqlite_stat1 | sqlite_stat4 | sqlite_dbpage | dbstat | sqlite_stmt | bytecode | tables_used | sqlite_memory
SELECT * FROM <<t>>
SELECT count(*) FROM <<t>> AS x WHERE 1

== pragma-functions: pragmas as table-valued functions
% p: pragma_table_info('users') | pragma_table_list | pragma_table_list() | pragma_table_xinfo('api_keys') | pragma_database_list | pragma_database_list() | pragma_index_list('users') | pragma_index_info('x') | pragma_foreign_key_list('users') | pragma_collation_list | pragma_function_list | pragma_module_list | pragma_pragma_list | pragma_compile_options | pragma_user_version | pragma_schema_version | pragma_data_version | pragma_page_count | pragma_freelist_count | pragma_encoding | pragma_journal_mode | pragma_quick_check | pragma_integrity_check | pragma_optimize | pragma_foreign_key_check | pragma_query_only | pragma_writable_schema | pragma_table_info
SELECT * FROM <<p>>
SELECT x.* FROM users, <<p>> x
SELECT 1 FROM "pragma_table_info"(<<q>>)
% q: 'users' | "users" | users.email

== pragmas: pragmas as statements
% p: table_info(users) | query_only = 0 | query_only(0) | main.query_only = OFF | writable_schema = 1 | temp_store_directory = '/tmp' | journal_mode = DELETE | hard_heap_limit = 0 | soft_heap_limit = 0 | cache_size = -1000000 | mmap_size = 100000000000 | database_list | case_sensitive_like = 1 | trusted_schema = 1 | user_version = 7 | application_id = 7 | key = 'x' | lock_status | wal_checkpoint(TRUNCATE) | incremental_vacuum | shrink_memory | threads = 8 | temp_store = 1 | busy_timeout = 100000 | recursive_triggers = 1 | data_version
PRAGMA <<p>>
EXPLAIN PRAGMA <<p>>

== attach: other files
ATTACH DATABASE ':memory:' AS x
ATTACH '/etc/passwd' AS p
ATTACH DATABASE 'file:other.db?mode=rwc' AS o
attach database '' as t
ATTACH (SELECT email FROM users) AS x
ATTACH 'x' AS y KEY 'z'
DETACH DATABASE main
DETACH temp
SELECT * FROM other.users
SELECT * FROM temp.users
VACUUM INTO '/tmp/tfo-attack.sqlite'
VACUUM main INTO (SELECT '/tmp/tfo-attack.sqlite')
VACUUM

== schema-qualified: a table with its database in front
% t: main.users | "main"."users" | [main].[users] | `main`.`users` | 'main'.'users' | MAIN.USERS | main . users | main/**/.users | temp.users | "main".users | main.'users'
SELECT * FROM <<t>>
SELECT password FROM <<t>> AS u
SELECT count(*) FROM agents WHERE name IN (SELECT email FROM <<t>>)
SELECT count(*) FROM agents WHERE name IN <<t>>

== in-table: IN with a table or a function on its right
SELECT 'x' IN users
SELECT count(*) FROM agents WHERE name IN roles
SELECT 1 IN sqlite_master
SELECT 1 IN main.users
SELECT 1 IN json_each('[1]')
SELECT 1 IN pragma_page_count
SELECT 1 IN pragma_table_info('users')
SELECT 'x' NOT IN users
SELECT (1, 2) IN tfo_demo
SELECT ('seed', '7') IN tfo_demo
SELECT 1 IN (users)
SELECT (SELECT 1 IN users)
SELECT 1 FROM agents ORDER BY name IN users
SELECT count(*) FILTER (WHERE name IN users) FROM agents
SELECT CASE WHEN 'x' IN main.users THEN 1 END
SELECT 'LEAK2a-tenants.name' IN (SELECT name FROM tenants)

== quoted-names: names in all four kinds of quotes
% c: "password" | [password] | `password` | 'password' | PASSWORD | "PassWord" | u.[password] | u.`password` | users."password" | main.users.password | "main"."users"."password" | [main].[users].[password] | pass\u{200b}word | ｐassword | "pass""word" | `pass``word` | [pass]
SELECT <<c>> FROM users AS u
SELECT <<c>> FROM users
SELECT q.x FROM (SELECT <<c>> AS x FROM users) AS q
SELECT 1 FROM users WHERE <<c>> LIKE 'L%'

== strings-as-names: a quoted name that becomes a string where there is no such column
SELECT "passwrd" FROM users
SELECT "password" FROM agents
SELECT "users"."password" FROM agents
SELECT (SELECT "password") FROM users
SELECT (SELECT "password" FROM agents LIMIT 1) FROM users
SELECT "organization_id" = '<<foreign>>' FROM tenants
SELECT * FROM users WHERE "organization_id" = "<<foreign>>"
SELECT "sqlite_master"
SELECT 'a' "b" FROM users
SELECT 1 AS 'password' FROM users
SELECT q.'password' FROM (SELECT 1 AS 'password') q
SELECT x'70617373776f7264' FROM users
SELECT "a" "password" FROM users
SELECT email 'password' FROM users
SELECT email AS "password", "password" FROM users ORDER BY 2

== row-numbers: numbers that every table has
% c: rowid | oid | _rowid_ | u.rowid | users.oid | "rowid" | [rowid] | `_rowid_` | ROWID | max(rowid) | count(rowid) | max(u._rowid_) - count(*) | main.users.rowid | 'rowid' | min(u.oid)
SELECT <<c>> FROM users AS u
SELECT <<c>> FROM users
SELECT x FROM (SELECT <<c>> AS x FROM users u) AS q
SELECT 1 FROM users u WHERE rowid > 1 AND u.oid < 5 AND <<c>> IS NOT NULL

== index-hints: clauses that only SQLite has behind a table
SELECT * FROM users INDEXED BY sqlite_autoindex_users_1
SELECT * FROM users INDEXED BY sqlite_autoindex_users_2 WHERE email > ''
SELECT email FROM users NOT INDEXED
SELECT email FROM main.users AS u NOT INDEXED WHERE u.password > ''
SELECT * FROM change_events INDEXED BY idx_change_events_org WHERE organization_id = '<<foreign>>'
SELECT * FROM users AS u INDEXED BY nothing
SELECT * FROM (users NOT INDEXED)
SELECT * FROM sqlite_autoindex_users_1
SELECT * FROM idx_change_events_org
SELECT +organization_id FROM users WHERE +organization_id = '<<foreign>>'
SELECT likely(organization_id = '<<foreign>>') FROM users
SELECT unlikely(password > 'M') FROM users
SELECT likelihood(password > 'M', 0.5) FROM users

== cte-shadowing: a CTE with the name of a table, and the table within it
WITH users AS (SELECT * FROM users) SELECT * FROM users
WITH users AS (SELECT * FROM main.users) SELECT * FROM users
WITH users AS (SELECT 1 AS id) SELECT * FROM main.users
WITH users AS (SELECT 1 AS id) SELECT * FROM "users"
WITH Users AS (SELECT 1 AS id) SELECT * FROM [users]
WITH RECURSIVE users AS (SELECT 1 AS id UNION ALL SELECT id + 1 FROM users WHERE id < 3) SELECT * FROM users
WITH RECURSIVE users(id) AS (SELECT id FROM main.users) SELECT * FROM users
WITH a AS (SELECT * FROM users), users AS (SELECT 1 AS id) SELECT * FROM a
WITH users AS (SELECT 1 AS id), a AS (SELECT * FROM users) SELECT * FROM a
WITH a AS (WITH users AS (SELECT 1 AS id) SELECT * FROM users) SELECT * FROM users
SELECT (WITH users AS (SELECT 1 AS n) SELECT n FROM users), email FROM users
WITH sqlite_master AS (SELECT 1 AS sql) SELECT sql FROM sqlite_master
WITH sqlite_master AS (SELECT 1 AS sql) SELECT sql FROM main.sqlite_master
WITH sqlite_schema AS (SELECT 1 AS sql) SELECT sql FROM sqlite_master
WITH sqlite_master AS (SELECT 1 AS sql) SELECT sql FROM sqlite_schema
WITH json_each AS (SELECT 1 AS value) SELECT * FROM json_each, json_each('[1]')
WITH pragma_table_list AS (SELECT 1 AS name) SELECT * FROM pragma_table_list, pragma_database_list
WITH users(password) AS (SELECT email FROM users) SELECT password FROM users
WITH users AS (SELECT 1) SELECT 1 IN users
WITH x AS (SELECT 1) SELECT 'a' IN users
WITH organization_id AS (SELECT 1) SELECT * FROM organization_id, users
WITH q AS MATERIALIZED (SELECT * FROM users) SELECT * FROM q
WITH q AS NOT MATERIALIZED (SELECT password FROM users) SELECT * FROM q
WITH q(a, b, c) AS (SELECT * FROM users) SELECT c FROM q
WITH RECURSIVE a AS (SELECT * FROM b), b AS (SELECT * FROM users) SELECT * FROM a
WITH 'users' AS (SELECT 1 AS id) SELECT * FROM 'users'

== alias-shadowing: aliases that are other tables
SELECT agents.password FROM users AS agents
SELECT users.name FROM agents AS users
SELECT users.password FROM agents AS users, users AS agents
SELECT agents.* FROM users AS agents
SELECT organization_id.organization_id FROM users AS organization_id
SELECT main.password FROM users AS main
SELECT main.main.password FROM users AS main
SELECT temp.password FROM users temp
SELECT sqlite_master.email FROM users AS sqlite_master
SELECT new.password, old.password FROM users AS new, users AS old
SELECT excluded.password FROM users AS excluded
SELECT email AS organization_id FROM users WHERE organization_id = '<<foreign>>'
SELECT '<<own>>' AS organization_id, email FROM users WHERE organization_id = '<<own>>'
SELECT '<<own>>' AS organization_id, name FROM tenants WHERE organization_id = '<<own>>'
SELECT email AS e FROM users WHERE e LIKE 'LEAK2%'
SELECT password AS p, 1 FROM users WHERE p > 'a'
SELECT 1 AS p FROM users ORDER BY password
SELECT 'users'.'password' FROM 'users'
SELECT "users"."email" FROM tenants AS "users"

== bad-texts: control characters, NULs and strange spaces
esc SELECT password\x00 FROM users
esc SELECT 1\x00; DELETE FROM agents
esc \x00SELECT * FROM sqlite_master
esc SELECT\x0cpassword\x0cFROM\x0cusers
esc SELECT\x0bpassword FROM users
esc SELECT\u{a0}password\u{a0}FROM users
esc SELECT 1 --\r, password FROM users
esc SELECT 1 --\n, password FROM users
esc SELECT 1 --\u{2028}, password FROM users
esc \u{feff}SELECT password FROM users
esc SELECT 'a\x00b' || password FROM users
SELECT 1 /* , password */ FROM users
SELECT 1 /* /* */, password /* */ FROM users
SELECT 1 /* */*/ FROM users
SELECT 1 /* unfinished, password FROM users
SELECT 1 -- , password FROM users
SELECT 1 # comment
SELECT 1--1, password FROM users
SELECT 'it''s', password FROM users
SELECT 'a\', password FROM users --'
SELECT "a\", password FROM users --"
SELECT [a], password, [b] FROM users
SELECT [a'], password, ['] FROM users
SELECT `a'`, password, `'` FROM users
SELECT 1 AS [x], password AS [y]]] FROM users
SELECT x'00', password FROM users
SELECT X'', password FROM users
SELECT x'0', password FROM users
SELECT $a, password FROM users
SELECT $a::b(c), password FROM users
SELECT $a$ , password, $b$ FROM users
SELECT @x, #y, password FROM users
SELECT 0x10, 1_000, password FROM users
SELECT 1e1password FROM users
SELECT .5email FROM users
SELECT 1 ISNULL, password NOTNULL FROM users
SELECT email == password FROM users
SELECT email <> password, email != password FROM users
SELECT ~length(password) | 1 & 3 << 2 FROM users
