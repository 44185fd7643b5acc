-- The guard of tfo-mcp: made by `tfo-mcp migrate platform --guard`, which may run again when tables were added.
-- It holds a secret. Run it as an administrator of the platform's database; `psql --single-transaction` is not needed.
BEGIN;

DO $tfo$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'tfo_guard_owner') THEN
        CREATE ROLE tfo_guard_owner NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {reader_name}) THEN
        -- Without a password: give it one, or let it in by a certificate.
        CREATE ROLE {reader} LOGIN;
    END IF;
    IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = {reader_name}) THEN
        RAISE EXCEPTION 'the role % is a superuser, before whom no guard holds', {reader_name}
            USING ERRCODE = 'invalid_object_definition', HINT = 'name a role of its own with --reader';
    END IF;
    IF NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
        EXECUTE pg_catalog.format('GRANT tfo_guard_owner TO %I', current_user);
    END IF;
    -- A role of PostgreSQL's own, so that no grant of the platform's tables changes. Nobody can log in as the owner.
    IF current_setting('server_version_num')::integer >= 140000 THEN
        GRANT pg_read_all_data TO tfo_guard_owner;
    ELSE
        GRANT SELECT ON {tables} TO tfo_guard_owner;
    END IF;
END
$tfo$;

DROP SCHEMA IF EXISTS tfo_guard CASCADE;
CREATE SCHEMA tfo_guard AUTHORIZATION tfo_guard_owner;
SET LOCAL ROLE tfo_guard_owner;
SET LOCAL search_path = pg_catalog;
GRANT USAGE ON SCHEMA tfo_guard TO {reader};

-- The key in the two forms that HMAC hashes. No grant: only the function below reads it.
CREATE TABLE tfo_guard.key (inner_pad bytea NOT NULL, outer_pad bytea NOT NULL);
INSERT INTO tfo_guard.key VALUES (decode('{inner}', 'hex'), decode('{outer}', 'hex'));

-- Whose rows this transaction may see: what the server has signed, for this process and this transaction alone.
CREATE FUNCTION tfo_guard.organization() RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $tfo$
DECLARE
    told CONSTANT text := current_setting('tfo.organization', true);
    signed text;
    pads tfo_guard.key;
BEGIN
    IF told IS NULL OR told = '' THEN
        RETURN NULL;
    END IF;
    SELECT * INTO STRICT pads FROM tfo_guard.key;
    signed := concat_ws('.', split_part(told, '.', 1), pg_backend_pid(),
        (EXTRACT(EPOCH FROM transaction_timestamp()) * 1000000)::bigint);
    IF told IS DISTINCT FROM concat_ws('.', split_part(told, '.', 1),
        encode(sha256(pads.outer_pad || sha256(pads.inner_pad || convert_to(signed, 'UTF8'))), 'hex')) THEN
        RAISE EXCEPTION 'the organisation of this transaction is not signed by the server' USING ERRCODE = 'TFG01';
    END IF;
    RETURN split_part(told, '.', 1);
END
$tfo$;
REVOKE ALL ON FUNCTION tfo_guard.organization() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tfo_guard.organization() TO {reader};

{views}

RESET ROLE;

-- What the role that serves may cost, and what it sees.
DO $tfo$
DECLARE
    setting text;
BEGIN
    FOREACH setting IN ARRAY ARRAY['search_path = tfo_guard', 'default_transaction_read_only = on',
        'statement_timeout = ''60s''', 'work_mem = ''16MB''', 'temp_file_limit = ''1GB'''] LOOP
        BEGIN
            EXECUTE pg_catalog.format('ALTER ROLE %I IN DATABASE %I SET %s', {reader_name}, current_database(), setting);
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE WARNING 'not set for the role %: %; it needs a superuser', {reader_name}, setting;
        END;
    END LOOP;
END
$tfo$;

COMMIT;
