-- One statement resolves a scan: session, permission, code, and what the workstation expects.
CREATE OR REPLACE FUNCTION lab.resolve_scan(p_token bytea, p_code text, p_idle interval) RETURNS TABLE (
    session_id bigint, account_id bigint, username text, printed_name text, roles text[], session_state text,
    workstation_id bigint, workstation_code text, workstation_name text, occupied_donor text, occupied_lot text,
    item_id bigint, item_code text, item_kind text, container_kind text, container_state text, passage integer,
    lot_code text, lot_name text, lot_kind text, lot_state text, expires_at timestamptz, opened_until timestamptz,
    donor text, held boolean, hold_reason text, donation_determined text, max_passage integer, facts jsonb
) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_session people.sessions;
    v_item bigint;
    v_lot bigint;
    v_donor bigint;
    v_work record;
BEGIN
    SELECT s.* INTO v_session FROM people.sessions s WHERE s.token_sha256 = p_token;
    IF NOT FOUND THEN RETURN; END IF;
    session_id := v_session.id;
    account_id := v_session.account_id;
    session_state := CASE WHEN v_session.ended_at IS NOT NULL OR v_session.ends_at <= v_now THEN 'ended'
                          WHEN v_session.seen_at <= v_now - p_idle THEN 'idle' ELSE 'live' END;
    SELECT a.username, a.printed_name INTO username, printed_name FROM people.accounts a
    WHERE a.id = v_session.account_id AND a.state = 'active';
    IF NOT FOUND THEN session_state := 'ended'; END IF;
    roles := people.roles_of(v_session.account_id);
    IF v_session.workstation_id IS NOT NULL THEN
        workstation_id := v_session.workstation_id;
        SELECT c.code, e.name INTO workstation_code, workstation_name FROM lab.equipment e
        LEFT JOIN lab.item_codes c ON c.item_id = e.id AND c.scheme = 'own' WHERE e.id = v_session.workstation_id;
        SELECT p.pseudonym, l.name INTO occupied_donor, occupied_lot FROM lab.workstation_sessions w
        JOIN lab.persons p ON p.id = w.donor_id JOIN lab.lots l ON l.id = w.lot_id
        WHERE w.workstation_id = v_session.workstation_id AND upper_inf(w.during) ORDER BY w.id DESC LIMIT 1;
    END IF;
    SELECT k.item_id, i.kind INTO v_item, item_kind FROM lab.item_codes k JOIN lab.items i ON i.id = k.item_id WHERE k.code = p_code;
    IF NOT FOUND THEN RETURN NEXT; RETURN; END IF;
    item_id := v_item;
    item_code := p_code;
    CASE item_kind
        WHEN 'container', 'material_container' THEN
            SELECT c.kind, c.state, c.passage, c.lot_id, c.opened_until INTO container_kind, container_state, passage, v_lot, opened_until
            FROM lab.containers c WHERE c.id = v_item;
        WHEN 'lot' THEN v_lot := v_item;
        WHEN 'sample' THEN SELECT s.lot_id INTO v_lot FROM lab.samples s WHERE s.id = v_item;
        WHEN 'retain' THEN SELECT r.lot_id INTO v_lot FROM lab.retains r WHERE r.id = v_item;
        WHEN 'donation' THEN
            SELECT d.donor_id, coalesce((SELECT t.decision FROM lab.determinations t WHERE t.donation_id = d.id ORDER BY t.id DESC LIMIT 1), 'none')
            INTO v_donor, donation_determined FROM lab.donations d WHERE d.id = v_item;
        WHEN 'person' THEN v_donor := v_item;
        ELSE NULL;
    END CASE;
    IF v_lot IS NOT NULL THEN
        SELECT l.name, l.kind, l.state, l.expires_at, l.donor_id, k.code, p.max_passage
        INTO lot_name, lot_kind, lot_state, expires_at, v_donor, lot_code, max_passage
        FROM lab.lots l LEFT JOIN lab.item_codes k ON k.item_id = l.id AND k.scheme = 'own'
        LEFT JOIN lab.process_versions p ON p.id = l.process_id WHERE l.id = v_lot;
        IF lot_kind = 'material' THEN
            SELECT (m.expires_on + 1)::timestamp AT TIME ZONE 'UTC' INTO expires_at FROM lab.material_lots m WHERE m.id = v_lot;
        END IF;
    END IF;
    SELECT p.pseudonym INTO donor FROM lab.persons p WHERE p.id = v_donor;
    SELECT true, h.reason INTO held, hold_reason FROM lab.holds h
    WHERE h.lifted_at IS NULL AND h.item_id IN (v_item, v_lot) ORDER BY h.id LIMIT 1;
    held := coalesce(held, false);
    RETURN NEXT;
END $$;

DROP FUNCTION IF EXISTS people.who(bytea, interval);
-- Who is signed in behind a token. The application never reads the sessions table itself.
CREATE OR REPLACE FUNCTION people.who(p_token bytea, p_idle interval) RETURNS TABLE (
    session_id bigint, account_id bigint, username text, printed_name text, roles text[], language text, session_state text,
    device text, csrf text, workstation_id bigint, touch_due boolean
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.id, a.id, a.username, a.printed_name, people.roles_of(a.id), a.language,
        CASE WHEN s.ended_at IS NOT NULL OR s.ends_at <= clock_timestamp() OR a.state <> 'active' THEN 'ended'
             WHEN s.seen_at <= clock_timestamp() - p_idle THEN 'idle' ELSE 'live' END,
        s.device, s.csrf, s.workstation_id, s.seen_at < clock_timestamp() - interval '30 seconds'
    FROM people.sessions s JOIN people.accounts a ON a.id = s.account_id WHERE s.token_sha256 = p_token
$$;

-- Work keeps a session awake.
CREATE OR REPLACE FUNCTION people.touch(p_session bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE people.sessions SET seen_at = clock_timestamp() WHERE id = p_session AND ended_at IS NULL
$$;
