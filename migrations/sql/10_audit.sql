-- The audit. No login role may insert here: audit.open() opens an entry, the row trigger attaches images to it,
-- and both refuse what another transaction began.

CREATE OR REPLACE FUNCTION audit.netstring(x text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN x IS NULL THEN '-,' ELSE pg_catalog.octet_length(x)::text || ':' || x || ',' END $$;

CREATE OR REPLACE FUNCTION audit.stamp(x timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT pg_catalog.to_char(x AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') $$;

CREATE OR REPLACE FUNCTION audit.sha256_hex(x text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(x, 'UTF8')), 'hex') $$;

CREATE OR REPLACE FUNCTION audit.current_epoch() RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$ SELECT coalesce(max(epoch), 1) FROM audit.epochs $$;

-- Opens the entry of this transaction. outcome: 'open'; 'replay' (this key was answered before: `answer` holds what
-- was said); 'mismatch' (this key came with another act or body).
CREATE OR REPLACE FUNCTION audit.open(
    p_actor_id bigint, p_actor text, p_roles text, p_act text, p_subject text, p_reason text,
    p_device text, p_session bigint, p_key text, p_body bytea,
    OUT outcome text, OUT number bigint, OUT at timestamptz, OUT answer jsonb
) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET "TimeZone" = 'UTC' SET "DateStyle" = 'ISO, YMD' AS $$
DECLARE
    v_epoch integer;
    v_xid xid8 := pg_current_xact_id();
    v_payload text;
    v_before record;
BEGIN
    IF coalesce(p_act, '') = '' OR coalesce(p_actor, '') = '' THEN
        RAISE EXCEPTION 'an entry needs an act and an actor' USING ERRCODE = 'ST002';
    END IF;
    -- A snapshot older than the locks would not show what was committed before they were granted.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'a change is not made under %', current_setting('transaction_isolation') USING ERRCODE = 'ST005';
    END IF;
    IF EXISTS (SELECT FROM audit.entries e WHERE e.xid = v_xid AND e.at >= transaction_timestamp()) THEN
        RAISE EXCEPTION 'this transaction has its entry already' USING ERRCODE = 'ST006';
    END IF;
    outcome := 'open';
    IF p_key IS NOT NULL THEN
        INSERT INTO lab.idempotency AS kept (account_id, key, act, body_sha256)
        VALUES (coalesce(p_actor_id, 0), p_key, p_act, coalesce(p_body, ''::bytea))
        ON CONFLICT (account_id, key) DO NOTHING;
        IF NOT FOUND THEN
            SELECT kept.act, kept.body_sha256, kept.answer INTO v_before
            FROM lab.idempotency AS kept WHERE kept.account_id = coalesce(p_actor_id, 0) AND kept.key = p_key;
            IF v_before.act = p_act AND v_before.body_sha256 = coalesce(p_body, ''::bytea) THEN
                outcome := 'replay';
                answer := v_before.answer;
            ELSE
                outcome := 'mismatch';
            END IF;
            RETURN;
        END IF;
    END IF;
    number := nextval('audit.numbers');
    at := clock_timestamp();
    v_epoch := audit.current_epoch();
    v_payload := audit.netstring('stemma.entry.1') || audit.netstring(number::text) || audit.netstring(v_epoch::text)
        || audit.netstring(v_xid::text) || audit.netstring(audit.stamp(at))
        || audit.netstring(coalesce(p_actor_id::text, '')) || audit.netstring(p_actor)
        || audit.netstring(coalesce(p_roles, '')) || audit.netstring(p_act) || audit.netstring(coalesce(p_subject, ''))
        || audit.netstring(coalesce(p_reason, '')) || audit.netstring(coalesce(p_device, ''))
        || audit.netstring(coalesce(p_session::text, '')) || audit.netstring(coalesce(p_key, ''))
        || audit.netstring(session_user::text);
    INSERT INTO audit.entries (number, epoch, xid, at, actor_id, actor, roles, act, subject, reason, device,
                               session_id, idem_key, db_role, payload, hash)
    VALUES (number, v_epoch, v_xid, at, p_actor_id, p_actor, coalesce(p_roles, ''), p_act, coalesce(p_subject, ''),
            coalesce(p_reason, ''), coalesce(p_device, ''), p_session, p_key, session_user, v_payload,
            sha256(convert_to(v_payload, 'UTF8')));
    PERFORM set_config('stemma.entry', number::text, true);
END $$;

-- Keeps what an idempotent act answered, once, in the transaction that did it.
CREATE OR REPLACE FUNCTION audit.keep_answer(p_actor_id bigint, p_key text, p_answer jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE lab.idempotency SET answer = p_answer
    WHERE account_id = p_actor_id AND key = p_key AND answer IS NULL
      AND xmin::text = (pg_current_xact_id()::text::numeric % 4294967296)::text
$$;

-- The image of a row as it is hashed: secrets only as "there is one".
CREATE OR REPLACE FUNCTION audit.image(p_row jsonb, p_secrets text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN p_row IS NULL THEN NULL WHEN coalesce(p_secrets, '') = '' THEN p_row::text ELSE (
        SELECT jsonb_object_agg(key, CASE WHEN key = ANY (string_to_array(p_secrets, ',')) AND value <> 'null'::jsonb
                                          THEN '"[secret]"'::jsonb ELSE value END)::text
        FROM jsonb_each(p_row)) END
$$;

CREATE OR REPLACE FUNCTION audit.key_of(p_row jsonb, p_columns text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(p_row ->> name, ':' ORDER BY place) FROM unnest(string_to_array(p_columns, ',')) WITH ORDINALITY AS c(name, place)
$$;

-- AFTER each row: TG_ARGV[0] names the key's columns, TG_ARGV[1] the secret ones.
CREATE OR REPLACE FUNCTION audit.keep_row() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET "TimeZone" = 'UTC' SET "DateStyle" = 'ISO, YMD' SET "IntervalStyle" = 'iso_8601'
SET extra_float_digits = 1 SET bytea_output = 'hex' AS $$
DECLARE
    v_entry bigint := nullif(current_setting('stemma.entry', true), '')::bigint;
    v_before jsonb;
    v_after jsonb;
    v_key text;
    v_seq bigint;
    v_op text := left(TG_OP, 1);
    v_changed text := '';
    v_payload text;
BEGIN
    -- A restored cluster numbers its transactions anew: the entry must also be younger than this transaction.
    IF v_entry IS NULL OR NOT EXISTS (
        SELECT FROM audit.entries WHERE number = v_entry AND xid = pg_current_xact_id() AND at >= transaction_timestamp()
    ) THEN
        RAISE EXCEPTION 'write to %.% outside the door', TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'ST001';
    END IF;
    IF TG_OP <> 'INSERT' THEN v_before := to_jsonb(OLD); END IF;
    IF TG_OP <> 'DELETE' THEN v_after := to_jsonb(NEW); END IF;
    v_key := audit.key_of(coalesce(v_after, v_before), TG_ARGV[0]);
    IF TG_NARGS > 1 THEN
        SELECT coalesce(string_agg(name, ',' ORDER BY name), '') INTO v_changed
        FROM unnest(string_to_array(TG_ARGV[1], ',')) AS name
        WHERE v_before ->> name IS DISTINCT FROM v_after ->> name;
    END IF;
    v_seq := nextval('audit.row_seqs');
    v_payload := audit.netstring('stemma.row.1') || audit.netstring(v_seq::text) || audit.netstring(v_entry::text)
        || audit.netstring(TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME) || audit.netstring(v_key) || audit.netstring(v_op)
        || audit.netstring(audit.image(v_before, TG_ARGV[1])) || audit.netstring(audit.image(v_after, TG_ARGV[1]))
        || audit.netstring(v_changed);
    INSERT INTO audit.rows (seq, entry_number, tbl, key, op, payload, hash)
    VALUES (v_seq, v_entry, TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME, v_key, v_op, v_payload,
            sha256(convert_to(v_payload, 'UTF8')));
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION audit.append_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '%.% is kept: nothing in it is changed or removed', TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'ST003';
END $$;

-- Deferred to just before COMMIT, after which no setting can be changed any more.
CREATE OR REPLACE FUNCTION audit.must_be_durable() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('synchronous_commit') IN ('off', 'local') THEN
        RAISE EXCEPTION 'synchronous_commit is %: an acknowledged record could be lost',
            current_setting('synchronous_commit') USING ERRCODE = 'ST004';
    END IF;
    RETURN NULL;
END $$;

-- Keeps one scan as its own hashed leaf. What was said (p_detail, JSON) stands in the payload alone. A key seen before gives the scan kept then.
DROP FUNCTION IF EXISTS audit.keep_scan(bigint, bigint, bigint, text, text, text, bigint, text, text, text, text, boolean);
CREATE OR REPLACE FUNCTION audit.keep_scan(
    p_account bigint, p_session bigint, p_workstation bigint, p_workstation_code text, p_raw text, p_code text,
    p_item bigint, p_verdict text, p_reason text, p_key text, p_detail text, p_touch boolean,
    OUT number bigint, OUT at timestamptz, OUT replayed boolean, OUT verdict text, OUT reason text, OUT payload text, OUT raw text
) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_epoch integer;
    v_xid xid8 := pg_current_xact_id();
BEGIN
    IF current_setting('synchronous_commit') IN ('off', 'local') THEN
        RAISE EXCEPTION 'synchronous_commit is %: an acknowledged scan could be lost',
            current_setting('synchronous_commit') USING ERRCODE = 'ST004';
    END IF;
    number := nextval('audit.numbers');
    at := clock_timestamp();
    SELECT coalesce(max(epoch), 1) INTO v_epoch FROM audit.epochs;
    payload := audit.netstring('stemma.scan.1') || audit.netstring(number::text) || audit.netstring(v_epoch::text)
        || audit.netstring(v_xid::text) || audit.netstring(audit.stamp(at)) || audit.netstring(p_account::text)
        || audit.netstring(p_session::text) || audit.netstring(coalesce(p_workstation_code, ''))
        || audit.netstring(p_raw) || audit.netstring(coalesce(p_code, '')) || audit.netstring(coalesce(p_item::text, ''))
        || audit.netstring(p_verdict) || audit.netstring(p_reason) || audit.netstring(coalesce(p_key, ''))
        || audit.netstring(p_detail);
    INSERT INTO lab.scans (number, epoch, xid, at, account_id, session_id, workstation_id, raw, code, item_id, verdict,
                           reason, key, payload, hash)
    VALUES (number, v_epoch, v_xid, at, p_account, p_session, p_workstation, p_raw, p_code, p_item, p_verdict,
            p_reason, p_key, payload, sha256(convert_to(payload, 'UTF8')))
    ON CONFLICT (account_id, key) WHERE key IS NOT NULL DO NOTHING;
    replayed := NOT FOUND;
    IF replayed THEN
        SELECT s.number, s.at, s.verdict, s.reason, s.payload, s.raw INTO number, at, verdict, reason, payload, raw
        FROM lab.scans s WHERE s.account_id = p_account AND s.key = p_key;
    ELSE
        verdict := p_verdict; reason := p_reason; payload := NULL; raw := p_raw;  -- the caller knows what it said
    END IF;
    IF p_touch THEN  -- work keeps a session awake
        UPDATE people.sessions SET seen_at = at WHERE id = p_session AND ended_at IS NULL;
    END IF;
END $$;

-- For the verifier: which tables are audited, and every row's image as it stands now, exactly as it would be hashed.
CREATE OR REPLACE FUNCTION audit.audited_tables() RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT n.nspname || '.' || c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace pn ON pn.oid = p.pronamespace
    WHERE p.proname = 'keep_row' AND pn.nspname = 'audit' AND NOT t.tgisinternal ORDER BY 1
$$;

CREATE OR REPLACE FUNCTION audit.current_rows(p_table text) RETURNS TABLE (key text, image text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET "TimeZone" = 'UTC' SET "DateStyle" = 'ISO, YMD' SET "IntervalStyle" = 'iso_8601'
SET extra_float_digits = 1 SET bytea_output = 'hex' AS $$
DECLARE
    v_args text[];
BEGIN
    SELECT string_to_array(rtrim(encode(t.tgargs, 'escape'), '\000'), '\000') INTO v_args
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE n.nspname || '.' || c.relname = p_table AND p.proname = 'keep_row' AND NOT t.tgisinternal;
    IF v_args IS NULL THEN
        RAISE EXCEPTION '% is not audited', p_table USING ERRCODE = 'ST002';
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT audit.key_of(to_jsonb(t), %L), audit.image(to_jsonb(t), %L) FROM %I.%I AS t ORDER BY 1',
        v_args[1], v_args[2], split_part(p_table, '.', 1), split_part(p_table, '.', 2));
END $$;

