-- Roles belong to the whole cluster: made once, found by every later database, never altered twice at once.
DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN SELECT * FROM (VALUES
        ('stemma_owner', 'NOLOGIN'), ('stemma_audit', 'NOLOGIN'), ('stemma_gate', 'NOLOGIN'),
        ('stemma_app', 'LOGIN'), ('stemma_auth', 'LOGIN'), ('stemma_seal', 'LOGIN'), ('stemma_report', 'LOGIN')
    ) AS roles(name, login) LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I %s NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS',
                               wanted.name, wanted.login);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END;
        END IF;
    END LOOP;
END $$;

-- What a service role starts with. Durability is asserted again before each commit: a role may change its own settings.
DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT role, setting, value FROM (VALUES
            ('synchronous_commit', 'on'), ('lock_timeout', '2s'), ('statement_timeout', '15s'),
            ('idle_in_transaction_session_timeout', '15s'), ('TimeZone', 'UTC'), ('DateStyle', 'ISO, YMD'),
            ('search_path', 'pg_catalog'), ('jit', 'off'),
            ('plan_cache_mode', 'force_generic_plan')  -- every statement is small and asked a thousand times: plan it once
        ) AS settings(setting, value),
        unnest(ARRAY['stemma_app', 'stemma_auth', 'stemma_seal', 'stemma_report']) AS role
    LOOP
        IF NOT EXISTS (
            SELECT FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
            WHERE r.rolname = wanted.role AND s.setdatabase = 0
              AND wanted.setting || '=' || wanted.value = ANY (s.setconfig)
        ) THEN
            BEGIN
                EXECUTE format('ALTER ROLE %I SET %I = %L', wanted.role, wanted.setting, wanted.value);
            EXCEPTION WHEN internal_error THEN NULL;  -- another database's migration is setting the same
            END;
        END IF;
    END LOOP;
END $$;

DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO stemma_app, stemma_auth, stemma_seal, stemma_report', current_database());
END $$;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA IF NOT EXISTS lab;
CREATE SCHEMA IF NOT EXISTS people;
CREATE SCHEMA IF NOT EXISTS identity;
CREATE SCHEMA IF NOT EXISTS audit;
CREATE SCHEMA IF NOT EXISTS dossier;
CREATE SCHEMA IF NOT EXISTS gate;
CREATE SEQUENCE IF NOT EXISTS audit.numbers;
CREATE SEQUENCE IF NOT EXISTS audit.row_seqs;
CREATE SEQUENCE IF NOT EXISTS lab.deviation_numbers;
CREATE SEQUENCE IF NOT EXISTS lab.lot_names;
CREATE SEQUENCE IF NOT EXISTS lab.material_names;
CREATE SEQUENCE IF NOT EXISTS lab.pseudonyms;
