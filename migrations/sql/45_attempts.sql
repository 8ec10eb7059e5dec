-- The throttle on proofs of identity. One statement counts and takes an attempt, under a lock, before anything is
-- checked: a thousand requests at once are no thousand guesses.
--
-- An account's failures are counted in two lanes: places where this person succeeded in the last 30 days each count for
-- themselves, all other places together. A stranger who guesses locks out strangers, never the owner at her own bench.
-- After 5 failures the next attempt waits 1 s, 2 s, 4 s ... at most 15 min after the last: nobody is locked out for good.

CREATE OR REPLACE FUNCTION people.begin_attempt(p_name text, p_source text, OUT wait_s integer, OUT failures integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- A name that nobody has may be a password typed in the wrong field: only a bucket of it is kept.
    v_name text := CASE WHEN EXISTS (SELECT FROM people.accounts WHERE username = p_name) THEN p_name
                        ELSE '?' || left(encode(sha256(convert_to(p_name, 'UTF8')), 'hex'), 3) END;
    v_source text := left(p_source, 100);
    v_now timestamptz;
    v_known boolean;
    v_since timestamptz;
    v_last timestamptz;
    v_source_failures integer;
    v_source_last timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('stemma.attempt.name.' || v_name, 0));
    PERFORM pg_advisory_xact_lock(hashtextextended('stemma.attempt.source.' || v_source, 0));
    v_now := clock_timestamp();
    v_known := EXISTS (SELECT FROM people.login_attempts WHERE username = v_name AND source = v_source AND outcome = 'ok'
                       AND at > v_now - interval '30 days');
    SELECT coalesce(max(at), '-infinity') INTO v_since FROM people.login_attempts
    WHERE username = v_name AND at > v_now - interval '1 hour'
      AND (outcome = 'unlocked' OR (outcome = 'ok' AND v_known AND source = v_source));
    SELECT count(*), max(a.at) INTO failures, v_last FROM people.login_attempts a
    WHERE a.username = v_name AND a.outcome = 'tried' AND a.at > v_now - interval '1 hour' AND a.at > v_since
      AND CASE WHEN v_known THEN a.source = v_source ELSE NOT EXISTS (
            SELECT FROM people.login_attempts k WHERE k.username = v_name AND k.source = a.source AND k.outcome = 'ok'
              AND k.at > v_now - interval '30 days') END;
    wait_s := people.wait_after(failures, 5, v_last, v_now);
    -- A place from which many names are tried: a whole laboratory may share one address, so the limit is wider.
    SELECT count(*) FILTER (WHERE outcome = 'tried') - count(*) FILTER (WHERE outcome = 'ok'), max(at) FILTER (WHERE outcome = 'tried')
    INTO v_source_failures, v_source_last
    FROM people.login_attempts WHERE source = v_source AND at > v_now - interval '15 minutes';
    wait_s := greatest(wait_s, people.wait_after(v_source_failures, 40, v_source_last, v_now));
    IF wait_s > 0 THEN RETURN; END IF;
    INSERT INTO people.login_attempts (username, source, outcome) VALUES (v_name, v_source, 'tried');
    failures := failures + 1;
END $$;

-- Seconds still to wait: 1, 2, 4 ... 900 after the last failure, once there are as many as the limit.
CREATE OR REPLACE FUNCTION people.wait_after(p_failures integer, p_limit integer, p_last timestamptz, p_now timestamptz) RETURNS integer
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN p_failures < p_limit OR p_last IS NULL THEN 0 ELSE greatest(0, ceil(
        least(900, 2 ^ least(p_failures - p_limit, 10)) - extract(epoch FROM p_now - p_last)))::integer END
$$;

-- What was answered to this very request before, so that repeating it needs no second one-time code. The digest of a
-- request with secrets in it is keyed outside the database: whoever can name it sent the same secrets.
CREATE OR REPLACE FUNCTION people.answered(p_account bigint, p_key text, p_act text, p_body bytea) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT answer FROM lab.idempotency WHERE account_id = p_account AND key = p_key AND act = p_act AND body_sha256 = p_body
$$;
