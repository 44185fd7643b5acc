== field-notation-any-from: alias.name is name(alias) for every kind of FROM item, so the text of a row becomes an argument
% fn: ts_stat | query_to_xml | current_setting | pg_read_file | pg_ls_dir | pg_stat_file | to_regclass | pg_sleep_for | pg_notify | lo_get | setval | nextval | regclass | pg_get_userbyid
SELECT <<fn>>.<<fn>> FROM string_to_table('SELECT password FROM users', '~') AS <<fn>>
SELECT q.<<fn>> FROM (VALUES ('SELECT password FROM users'::text)) AS q
SELECT (x).<<fn>> FROM regexp_split_to_table('SELECT email FROM users', '@@') AS x

== field-notation-nested: the dotted call hides in a place that a walker may skip
SELECT 1 FROM agents a ORDER BY (a.name).query_to_xml
SELECT count(*) FILTER (WHERE (a.name).pg_read_file IS NULL) FROM agents a
SELECT array_agg(a.name ORDER BY (a.name).ts_stat) FROM agents a
SELECT CASE WHEN (a.name).to_regclass IS NULL THEN 1 END FROM agents a
SELECT 1 FROM agents a GROUP BY GROUPING SETS (((a.name).pg_read_file))
SELECT 1 FROM agents a GROUP BY a.name HAVING (max(a.name)).pg_read_file IS NULL
SELECT sum(1) OVER (PARTITION BY (a.name).pg_read_file) FROM agents a
SELECT sum(1) OVER w FROM agents a WINDOW w AS (ORDER BY (a.name).pg_read_file)
SELECT 1 FROM agents a LIMIT (SELECT (t).length FROM (SELECT 'abc'::text t) z)
SELECT 1 FROM agents a OFFSET (SELECT (t).pg_ls_dir FROM (SELECT 'abc'::text t) z)
SELECT ((ARRAY['SELECT password FROM users'])[1]).ts_stat
SELECT (('SELECT 1'::text)).query_to_xml
SELECT (SELECT 'SELECT password FROM users'::text).ts_stat
SELECT (COALESCE(NULL, 'SELECT password FROM users'::text)).ts_stat
SELECT 1 FROM agents a JOIN agents b ON (a.name).pg_read_file = b.name
SELECT 1 FROM agents a, LATERAL (SELECT (a.name).pg_read_file) z
SELECT 1 WHERE EXISTS (SELECT (t).pg_read_file FROM (SELECT '/etc/passwd'::text t) z)
SELECT DISTINCT ON ((a.name).pg_read_file) 1 FROM agents a

== whole-row-call: a relation as an argument of a function that shows all its columns
% fn: to_json | to_jsonb | row_to_json | hstore | json_build_array | jsonb_build_object | concat | format | quote_literal | md5 | hashtext | record_out | num_nonnulls | pg_typeof | pg_column_size | xmlforest | string_agg | min | max | count | anyarray_in
SELECT <<fn>>(users) FROM users
SELECT <<fn>>(u.*) FROM users AS u
% all: array_agg | json_agg | jsonb_agg
loose SELECT <<all>>(users) FROM users
loose SELECT <<all>>(u.*) FROM users AS u

== whole-row-cast: a row as text, in every spelling
% cast: users::text | (users.*)::text | CAST(users AS text) | CAST(users.* AS varchar) | text(users) | users::varchar::text | (users)::text COLLATE "C" | ''||users | users||'' | ROW(users.*)::text | ROW(users)::text | ARRAY[users]::text | ARRAY[users.*]::text[] | (users = users)::text | users::users::text | (SELECT u FROM users u LIMIT 1)::text | users IS DISTINCT FROM NULL | to_jsonb(users)->>'password' | (to_jsonb(users.*))['password'] | users::json | users::xml | users.users | users."text" | (users).*
SELECT <<cast>> FROM users
SELECT <<cast>> AS x, 1 FROM users ORDER BY 1
loose SELECT (ARRAY(SELECT u FROM users u))::text FROM users

== whole-row-derived: the row travels through a derived table before it is taken apart
SELECT (r).password FROM (SELECT u AS r FROM users u) q
SELECT (r).* FROM (SELECT u AS r FROM users u) q
SELECT (q.r).mfa_secret FROM (SELECT users AS r FROM users) AS q
SELECT q.r::text FROM (SELECT users AS r FROM users) AS q
SELECT (SELECT r::text) FROM (SELECT users AS r FROM users) AS q
WITH q AS (SELECT u FROM users u) SELECT (u).password FROM q
WITH q AS (SELECT u FROM users u) SELECT u::text FROM q
WITH q(a) AS (SELECT u FROM users u) SELECT (a).* FROM q
SELECT (x).password FROM users u, LATERAL (SELECT u AS x) z
SELECT x FROM users u CROSS JOIN LATERAL (SELECT to_jsonb(u) AS x) z
SELECT (unnest(ARRAY(SELECT u FROM users u))).password
SELECT (ARRAY(SELECT u FROM users u))[1].password
SELECT ((ARRAY(SELECT u FROM users u))[1]).password
SELECT (max(u::text)) FROM users u
SELECT (jsonb_populate_record(NULL::users, to_jsonb(u))).password FROM users u
SELECT (json_populate_record(NULL::api_keys, '{}')).api_key_secret
SELECT r.* FROM users u, jsonb_to_record(to_jsonb(u)) AS r(password text)
SELECT r.password FROM users u, jsonb_populate_record(NULL::users, to_jsonb(u)) AS r
SELECT e.value FROM users u, jsonb_each_text(to_jsonb(u)) AS e
SELECT e.* FROM users u CROSS JOIN LATERAL jsonb_each(to_jsonb(u.*)) e
SELECT lag(u) OVER (ORDER BY u.id) FROM users u
SELECT first_value(u) OVER (ORDER BY u.id) FROM users u
SELECT nth_value(u, 1) OVER () FROM users u
SELECT (first_value(u) OVER ()).password FROM users u
SELECT CASE WHEN true THEN u END FROM users u
SELECT COALESCE(u, NULL) FROM users u
SELECT NULLIF(u, NULL) FROM users u
SELECT GREATEST(u, u) FROM users u
SELECT u FROM users u UNION SELECT NULL
SELECT VARIADIC ARRAY[u] FROM users u
SELECT ROW(u.*, 1) FROM users u
SELECT (ROW(u.*)).f3 FROM users u
SELECT (ROW(u)).f1 FROM users u
SELECT u FROM users u GROUP BY u
SELECT u FROM users u ORDER BY u
SELECT DISTINCT u FROM users u
SELECT mode() WITHIN GROUP (ORDER BY u) FROM users u
SELECT rank(u) WITHIN GROUP (ORDER BY u) FROM users u

== sql-running-functions: functions that run a text as SQL
% sql: SELECT password FROM users | SELECT * FROM api_keys | TABLE llm_providers
% fn: query_to_xml($$<<sql>>$$,true,true,'') | query_to_xmlschema($$<<sql>>$$,true,true,'') | query_to_xml_and_xmlschema($$<<sql>>$$,true,true,'') | xmlparse(document query_to_xml($$<<sql>>$$,true,true,'')) | (SELECT word FROM ts_stat($$<<sql>>$$) LIMIT 1) | ts_rewrite('a'::tsquery, $$<<sql>>$$) | crosstab($$<<sql>>$$) | connectby('users','id','id','x',0) | dblink('dbname=postgres', $$<<sql>>$$) | dblink_exec($$<<sql>>$$) | pg_catalog.query_to_xml($$<<sql>>$$,true,true,'') | "query_to_xml"($$<<sql>>$$,true,true,'') | U&"query\005Fto\005Fxml"($$<<sql>>$$,true,true,'') | pg_catalog."ts_stat"($$<<sql>>$$) | postgres.pg_catalog.query_to_xml($$<<sql>>$$,true,true,'') | OPERATOR(pg_catalog.||)($$<<sql>>$$) | cursor_to_xml('c', 1, true, true, '') | xpath('//row', query_to_xml($$<<sql>>$$,true,true,''))
SELECT <<fn>>

== schema-export-functions: functions that write a whole table, schema or database as XML
% fn: table_to_xml('users',true,true,'') | table_to_xml('users'::regclass,true,true,'') | table_to_xmlschema('users',true,true,'') | table_to_xml_and_xmlschema('users',true,true,'') | schema_to_xml('public',true,true,'') | schema_to_xmlschema('public',true,true,'') | schema_to_xml_and_xmlschema('public',true,true,'') | database_to_xml(true,true,'') | database_to_xmlschema(true,true,'') | database_to_xml_and_xmlschema(true,true,'') | cursor_to_xmlschema('c',true,true,'')
SELECT <<fn>>
SELECT * FROM <<fn>> AS x

== file-functions: files and folders of the database's host
% fn: pg_read_file('/etc/passwd') | pg_read_file('postgresql.conf') | pg_read_binary_file('PG_VERSION') | pg_ls_dir('.') | pg_ls_logdir() | pg_ls_waldir() | pg_ls_tmpdir() | pg_ls_archive_statusdir() | pg_ls_logicalmapdir() | pg_ls_replslotdir('x') | pg_stat_file('PG_VERSION') | pg_current_logfile() | lo_import('/etc/passwd') | lo_export(1, '/tmp/x') | pg_logfile_rotate() | pg_hba_file_rules() | pg_ident_file_mappings() | pg_show_all_file_settings() | pg_config() | pg_relation_filepath('users') | pg_file_write('x','y',false) | pg_ls_logicalsnapdir() | pg_tablespace_location(1663) | pg_read_server_files()
SELECT <<fn>>
SELECT * FROM <<fn>> AS x

== large-objects: storage that belongs to no table
% fn: lo_create(0) | lo_creat(-1) | lo_from_bytea(0, 'x') | lo_open(1, 262144) | lo_get(1) | lo_put(1, 0, 'x') | lo_unlink(1) | loread(0, 1) | lowrite(0, 'x') | lo_lseek(0,0,0) | lo_tell(0) | lo_truncate(0, 0)
SELECT <<fn>>
SELECT loid FROM pg_largeobject WHERE <<fn>> IS NOT NULL

== settings-functions: reading and writing what the session is
% fn: set_config('transaction_read_only','off',false) | set_config('statement_timeout','0',false) | set_config('search_path','pg_catalog',true) | set_config('role','postgres',false) | set_config('session_authorization','postgres',false) | set_config('log_statement','all',false) | current_setting('data_directory') | current_setting('hba_file') | current_setting('is_superuser') | current_setting('tfo.organization') | current_setting('tfo.organization_id', true) | current_setting('application_name') | current_setting('config_file', true) | pg_reload_conf() | pg_show_all_settings() | pg_settings_get_flags('work_mem') | current_database() | current_user | session_user | user | system_user | current_role | current_schema | current_catalog | current_schemas(true) | inet_server_addr() | inet_client_port() | pg_backend_pid() | version() | pg_postmaster_start_time() | pg_conf_load_time() | pg_is_in_recovery() | pg_export_snapshot() | txid_current() | pg_current_xact_id() | pg_current_snapshot() | pg_my_temp_schema()
SELECT <<fn>>

== operator-on-others: functions that act on other sessions or the server
% fn: pg_terminate_backend(pid) | pg_cancel_backend(pid) | pg_blocking_pids(pid) | pg_stat_get_backend_activity(1) | pg_log_backend_memory_contexts(pid)
SELECT <<fn>> FROM pg_stat_activity
SELECT <<fn>> FROM pg_locks
SELECT <<fn>> FROM (SELECT pg_backend_pid() AS pid) p

== server-actions: functions that change the server
% fn: pg_switch_wal() | pg_create_restore_point('x') | pg_promote() | pg_rotate_logfile() | pg_wal_replay_pause() | pg_backup_start('x') | pg_backup_stop() | pg_create_physical_replication_slot('x') | pg_create_logical_replication_slot('x','pgoutput') | pg_drop_replication_slot('x') | pg_replication_origin_create('x') | pg_logical_emit_message(false,'a','b') | pg_stat_reset() | pg_stat_reset_shared('bgwriter') | pg_stat_clear_snapshot() | pg_import_system_collations('public') | brin_summarize_new_values('x') | gin_clean_pending_list('x') | pg_prewarm('users') | pg_sync_replication_slots() | pg_copy_physical_replication_slot('a','b') | pg_nextoid('pg_class','oid','pg_class_oid_index')
SELECT <<fn>>

== waiting: statements that do nothing for a long time
cost SELECT pg_sleep(30)
cost SELECT pg_sleep_for('30 seconds')
cost SELECT pg_sleep_until(now() + interval '30 seconds')
cost SELECT pg_catalog.pg_sleep(30) FROM agents
cost SELECT 1 FROM agents WHERE pg_sleep(30) IS NULL
cost SELECT "pg_sleep"(30)
cost SELECT CASE WHEN EXISTS (SELECT 1 FROM users WHERE password LIKE 'L%') THEN pg_sleep(30) END
SELECT pg_advisory_lock(1)
SELECT pg_advisory_xact_lock(1)
SELECT pg_try_advisory_lock(42)
SELECT pg_advisory_lock_shared(1, 2)
SELECT pg_try_advisory_lock(length(a.name)) FROM agents a
SELECT pg_advisory_unlock_all()
SELECT pg_notify('x', 'y')
SELECT pg_listening_channels()
SELECT pg_notification_queue_usage()

== typed-literal-cast: type 'text' casts, whatever word stands before the string
% ty: regclass | regrole | regnamespace | regproc | regprocedure | regoper | regoperator | regtype | regconfig | regdictionary | regcollation | refcursor | xml | jsonpath | tsquery | tsvector | users | pg_class | pg_lsn | txid_snapshot | pg_snapshot | aclitem | cstring | oid | tid | "char" | name | int2vector | oidvector | pg_node_tree | api_key_type | xid8 | gtsvector | anyelement | record | _users | money | macaddr
SELECT <<ty>> '1'
SELECT '1'::<<ty>>::text

== function-cast: type(text), as a function and over three dots
% ty: regclass | regrole | regnamespace | regproc | regtype | xml | refcursor | users | pg_catalog.regclass | "pg_catalog"."regrole"
SELECT <<ty>>('pg_authid')
SELECT CAST('pg_authid' AS <<ty>>)
SELECT ('pg_authid'::<<ty>>)::oid::<<ty>>
SELECT ARRAY['pg_authid']::<<ty>>[]

== operators-as-functions: an operator or an I/O function named out of pg_catalog
SELECT 1 OPERATOR(pg_catalog.+) 1
SELECT u.email OPERATOR(public.=) u.password FROM users u
SELECT pg_catalog.textcat(u.password, '') FROM users u
SELECT texteq(u.password, 'x') FROM users u
SELECT pg_catalog.record_out(u) FROM users u
SELECT textin(record_out(u)) FROM users u
SELECT record_send(u) FROM users u
SELECT encode(record_send(u), 'escape') FROM users u
SELECT byteain(record_out(users)) FROM users
loose SELECT array_to_string(array_agg(u), ',') FROM users u
SELECT array_out(array_agg(u)) FROM users u
SELECT int4in('x')
SELECT regclassin('pg_authid')
SELECT pg_catalog.to_regclass('pg_authid')::text
SELECT to_regrole('postgres'), to_regnamespace('pg_toast'), to_regproc('now'), to_regtype('users')
SELECT format_type('users'::text::oid, NULL)
SELECT domain_in('x', 1, 1)
SELECT enum_range(NULL::api_key_type)
SELECT pg_input_is_valid('x', 'regrole')
SELECT * FROM pg_input_error_info('pg_authid_x', 'regclass')

== introspection-functions: functions that describe objects by oid or name
% fn: pg_get_viewdef('pg_roles') | pg_get_functiondef(1) | pg_get_ruledef(1) | pg_get_constraintdef(1) | pg_get_indexdef(1) | pg_get_triggerdef(1) | pg_get_userbyid(10) | pg_get_serial_sequence('users','id') | pg_get_expr('x', 1) | pg_describe_object(1259, 1259, 0) | pg_identify_object(1259,1259,0) | obj_description(1259) | col_description(1259, 1) | shobj_description(1,'pg_database') | has_table_privilege('users','select') | has_schema_privilege('public','create') | has_database_privilege('postgres','create') | pg_has_role('postgres','member') | has_column_privilege('users','password','select') | row_security_active('users') | pg_relation_size('users') | pg_total_relation_size('users') | pg_table_size('users') | pg_indexes_size('users') | pg_database_size('postgres') | pg_size_pretty(pg_relation_size('api_keys')) | pg_stat_get_live_tuples('users'::regclass) | pg_stat_get_tuples_inserted(1) | pg_stat_get_numscans(1) | pg_relation_filenode('users') | pg_filenode_relation(0,1) | pg_sequence_last_value('x') | pg_index_column_has_property('x',1,'asc') | pg_options_to_table(NULL) | aclexplode(NULL) | pg_get_keywords() | pg_timezone_names() | pg_available_extensions() | pg_cursor() | pg_prepared_statement() | pg_lock_status() | pg_stat_get_activity(NULL) | pg_visible_in_snapshot(1,NULL) | pg_partition_tree('users') | pg_stats_ext_mcvlist_items(NULL) | pg_mcv_list_items(NULL)
SELECT <<fn>>
SELECT * FROM <<fn>> AS t

== procedural-text: text that a language would run
DO $$ BEGIN PERFORM pg_sleep(1); END $$
DO LANGUAGE plpgsql 'BEGIN RAISE NOTICE ''%'', (SELECT password FROM users LIMIT 1); END'
CALL pg_sleep(1)
CREATE FUNCTION pg_temp.f() RETURNS text LANGUAGE sql AS 'SELECT password FROM users'
SELECT pg_temp.f()
SELECT public.f()
EXECUTE immediate 'SELECT 1'
PREPARE p AS SELECT password FROM users
EXECUTE p
DEALLOCATE ALL
DECLARE c CURSOR FOR SELECT password FROM users
FETCH ALL FROM c
MOVE c
CLOSE ALL
