-- Takes the guard of tfo-mcp away: made by `tfo-mcp migrate platform --guard --drop`. The role that served stays, and
-- can read nothing.
BEGIN;
DROP SCHEMA IF EXISTS tfo_guard CASCADE;
DO $tfo$
DECLARE
    setting text;
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {reader_name}) THEN
        FOREACH setting IN ARRAY ARRAY['search_path', 'default_transaction_read_only', 'statement_timeout', 'work_mem',
            'temp_file_limit'] LOOP
            BEGIN
                EXECUTE pg_catalog.format('ALTER ROLE %I IN DATABASE %I RESET %s', {reader_name}, current_database(), setting);
            EXCEPTION WHEN insufficient_privilege THEN
                RAISE WARNING 'not reset for the role %: %; it needs a superuser', {reader_name}, setting;
            END;
        END LOOP;
    END IF;
    -- It owns the guards of other databases, too.
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'tfo_guard_owner') THEN
        BEGIN
            DROP ROLE tfo_guard_owner;
        EXCEPTION WHEN dependent_objects_still_exist THEN
            RAISE NOTICE 'the role tfo_guard_owner stays: it owns something in another database';
        END;
    END IF;
END
$tfo$;
COMMIT;
