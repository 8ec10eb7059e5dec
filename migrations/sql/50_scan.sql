-- One statement resolves a scan: session, roles, code, and what the workstation expects. Without a code (one that could
-- not be read) it tells who scans and where. A code counts under its own scheme alone: a trade number of thirteen
-- digits is no donation number. No row: there is no such session.
DROP FUNCTION IF EXISTS lab.resolve_scan(bytea, text, interval);
DROP FUNCTION IF EXISTS lab.resolve_scan(bytea, text, text, interval);
CREATE FUNCTION lab.resolve_scan(p_token bytea, p_code text, p_scheme text, p_idle interval) RETURNS TABLE (
    at timestamptz, session_id bigint, account_id bigint, username text, printed_name text, device text, roles text[],
    session_state text, touch_due boolean, workstation_id bigint, workstation_code text, workstation_name text, workstation_donor text,
    item_id bigint, item_code text, item_kind text, item_name text, item_state text,
    lot_code text, lot_name text, lot_kind text, lot_state text, expires_at timestamptz, holds text[],
    donor text, donors integer, eligibility text
) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    v_lot bigint;
    v_donation bigint;
    v_donor bigint;
    v_kind text;
    v_shown_kind text;
    v_opened_until timestamptz;
BEGIN
    at := clock_timestamp();
    -- The roles as people.roles_of finds them, written out: a call of its own costs as much as all the rest.
    SELECT s.id, s.account_id, a.username, a.printed_name, s.device, s.workstation_id, s.seen_at < at - interval '30 seconds',
           ARRAY(SELECT g.role FROM people.grants g WHERE g.account_id = a.id AND g.revoked_at IS NULL
                 UNION ALL
                 SELECT 'quality_authority' FROM people.appointments p WHERE p.account_id = a.id AND p.revoked_at IS NULL
                 AND p.from_at <= at AND (p.until_at IS NULL OR p.until_at > at)),
           CASE WHEN s.ended_at IS NOT NULL OR s.ends_at <= at OR a.state <> 'active' THEN 'ended'
                WHEN s.seen_at <= at - p_idle THEN 'idle' ELSE 'live' END
    INTO session_id, account_id, username, printed_name, device, workstation_id, touch_due, roles, session_state
    FROM people.sessions s JOIN people.accounts a ON a.id = s.account_id WHERE s.token_sha256 = p_token;
    IF NOT FOUND THEN RETURN; END IF;
    IF workstation_id IS NOT NULL THEN
        SELECT c.code, e.name INTO workstation_code, workstation_name FROM lab.equipment e
        LEFT JOIN lab.item_codes c ON c.item_id = e.id AND c.scheme = 'own' WHERE e.id = workstation_id;
        SELECT p.pseudonym INTO workstation_donor FROM lab.workstation_sessions w JOIN lab.persons p ON p.id = w.donor_id
        WHERE w.workstation_id = resolve_scan.workstation_id AND upper_inf(w.during) ORDER BY w.id DESC LIMIT 1;
    END IF;
    -- A container's whole answer comes in one statement, for containers are what is scanned all day.
    SELECT k.item_id, i.kind, i.kind, CASE k.scheme WHEN 'own' THEN k.code ELSE
        (SELECT o.code FROM lab.item_codes o WHERE o.item_id = k.item_id AND o.scheme = 'own') END,
        c.state, c.opened_until, CASE WHEN i.kind = 'container' AND c.kind IN ('flask', 'vial', 'bag') THEN c.kind ELSE i.kind END,
        l.id, l.name, l.kind, l.state, least(l.expires_at, c.opened_until), l.donation_id, l.donor_id, p.pseudonym, o.code,
        ARRAY(SELECT h.reason FROM lab.holds h WHERE h.lifted_at IS NULL
              AND h.item_id = ANY (ARRAY[k.item_id, l.id, l.donation_id, l.donor_id]) ORDER BY h.id)
    INTO item_id, v_kind, item_kind, item_code, item_state, v_opened_until, v_shown_kind,
        v_lot, lot_name, lot_kind, lot_state, expires_at, v_donation, v_donor, donor, lot_code, holds
    FROM lab.item_codes k JOIN lab.items i ON i.id = k.item_id
    LEFT JOIN lab.containers c ON c.id = k.item_id
    LEFT JOIN lab.lots l ON l.id = c.lot_id
    LEFT JOIN lab.item_codes o ON o.item_id = l.id AND o.scheme = 'own'
    LEFT JOIN lab.persons p ON p.id = l.donor_id
    WHERE k.code = p_code AND k.scheme = p_scheme;
    IF NOT FOUND THEN RETURN NEXT; RETURN; END IF;
    IF v_lot IS NOT NULL AND v_donor IS NOT NULL THEN
        item_kind := v_shown_kind;
        item_name := lot_name;
        donors := 1;
        RETURN NEXT;
        RETURN;
    END IF;
    CASE v_kind
        WHEN 'container', 'material_container' THEN item_kind := v_shown_kind;
        WHEN 'lot' THEN v_lot := item_id;
        WHEN 'sample' THEN SELECT s.lot_id INTO v_lot FROM lab.samples s WHERE s.id = item_id;
        WHEN 'retain' THEN SELECT r.lot_id INTO v_lot FROM lab.retains r WHERE r.id = item_id;
        WHEN 'donation' THEN
            SELECT d.donor_id, coalesce((SELECT t.decision FROM lab.determinations t WHERE t.donation_id = d.id
                                         ORDER BY t.id DESC LIMIT 1), 'undetermined')
            INTO v_donor, eligibility FROM lab.donations d WHERE d.id = item_id;
        WHEN 'person' THEN v_donor := item_id;
        WHEN 'equipment' THEN
            SELECT e.name, CASE e.kind WHEN 'workstation' THEN e.kind ELSE v_kind END INTO item_name, item_kind
            FROM lab.equipment e WHERE e.id = item_id;
        ELSE NULL;
    END CASE;
    IF v_lot IS NOT NULL THEN
        SELECT l.name, l.kind, l.state, least(l.expires_at, v_opened_until), l.donor_id, l.donation_id, k.code
        INTO lot_name, lot_kind, lot_state, expires_at, v_donor, v_donation, lot_code
        FROM lab.lots l LEFT JOIN lab.item_codes k ON k.item_id = l.id AND k.scheme = 'own' WHERE l.id = v_lot;
        item_name := lot_name;
        IF lot_kind = 'material' THEN
            -- Until the end of its last day where the facility stands, as the rules count it.
            SELECT least(expires_at, (m.expires_on + 1)::timestamp AT TIME ZONE 'UTC' - make_interval(secs =>
                       3600 * coalesce((gate.setting('facility.utc_offset_hours') #>> '{}')::double precision, 0)))
            INTO expires_at FROM lab.material_lots m WHERE m.id = v_lot;
        END IF;
    END IF;
    -- A lot names its donor; whether its cells truly come from nobody else is asked before release (REL-05).
    IF v_donor IS NULL AND v_kind IN ('container', 'sample', 'retain') THEN
        WITH RECURSIVE up(id) AS (
            SELECT item_id UNION SELECT l.parent_id FROM up JOIN lab.lineage l ON l.child_id = up.id
        ) SELECT count(*), min(p.pseudonym) INTO donors, donor
          FROM up JOIN lab.donors d ON d.id = up.id JOIN lab.persons p ON p.id = d.id;
    END IF;
    IF donor IS NULL AND v_donor IS NOT NULL THEN
        SELECT 1, p.pseudonym INTO donors, donor FROM lab.persons p WHERE p.id = v_donor;
    END IF;
    item_name := coalesce(item_name, donor, item_code);
    holds := ARRAY(SELECT h.reason FROM lab.holds h WHERE h.lifted_at IS NULL
                   AND h.item_id = ANY (ARRAY[item_id, v_lot, v_donation, v_donor]) ORDER BY h.id);
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
