-- Badges, and what a second person proves with one. Only the authentication role may call what stands here: the
-- application cannot say by itself that somebody was there.

-- Whose badge bears this code, with what their PIN is checked against. No row: nobody's.
CREATE OR REPLACE FUNCTION people.badge_holder(p_code text) RETURNS TABLE (
    badge_id bigint, is_live boolean, account_id bigint, username text, printed_name text, roles text[], pin_hash text
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT b.id, b.revoked_at IS NULL AND a.state = 'active', a.id, a.username, a.printed_name, people.roles_of(a.id), c.pin_hash
    FROM lab.item_codes k JOIN people.badges b ON b.id = k.item_id JOIN people.accounts a ON a.id = b.account_id
    LEFT JOIN people.credentials c ON c.account_id = a.id WHERE k.code = p_code AND k.scheme = 'own'
$$;

-- A new badge for an account; the one before is worth nothing from now on.
CREATE OR REPLACE FUNCTION people.issue_badge(p_account bigint, p_code text, OUT badge bigint, OUT issued_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_actor bigint := lab.entry_actor();
BEGIN
    IF v_actor IS NULL OR NOT 'administrator' = ANY (people.roles_of(v_actor)) THEN
        RAISE EXCEPTION 'an administrator issues badges' USING ERRCODE = 'ST030';
    END IF;
    PERFORM 1 FROM people.accounts WHERE id = p_account AND state = 'active' FOR NO KEY UPDATE;
    IF NOT FOUND THEN RAISE EXCEPTION 'there is no such account' USING ERRCODE = 'ST002'; END IF;
    UPDATE people.badges SET revoked_at = clock_timestamp() WHERE account_id = p_account AND revoked_at IS NULL;
    INSERT INTO lab.items (kind) VALUES ('badge') RETURNING id INTO badge;
    INSERT INTO lab.item_codes (code, item_id, scheme) VALUES (p_code, badge, 'own');
    INSERT INTO people.badges (id, account_id, recorded_by) VALUES (badge, p_account, v_actor) RETURNING recorded_at INTO issued_at;
END $$;

CREATE OR REPLACE FUNCTION people.revoke_badge(p_account bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_badge bigint;
BEGIN
    UPDATE people.badges SET revoked_at = clock_timestamp() WHERE account_id = p_account AND revoked_at IS NULL RETURNING id INTO v_badge;
    RETURN v_badge;
END $$;

-- The one way a verification is written: by a verifier with a live badge, who neither did the thing nor wrote it down,
-- and who scanned something that it was done with. `outcome` says why nothing was written; the record is kept by nobody
-- but here. Items of a step: what it made, what it was made from, what it used up; of a clearance the workstation.
CREATE OR REPLACE FUNCTION people.verify(
    p_what text, p_id bigint, p_verifier bigint, p_badge bigint, p_code text, p_scanned text,
    OUT outcome text, OUT verification bigint, OUT at timestamptz, OUT late boolean,
    OUT lot_code text, OUT lot_name text, OUT kind text, OUT item_code text
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    v_actor bigint := lab.entry_actor();
    v_lot bigint;
    v_performed_by bigint;
    v_recorded_by bigint;
    v_ended_at timestamptz;
    v_workstation bigint;
    v_item bigint;
    v_fits boolean := false;
BEGIN
    IF v_actor IS NULL THEN RAISE EXCEPTION 'a verification needs its entry' USING ERRCODE = 'ST001'; END IF;
    IF p_what = 'step' THEN
        SELECT s.lot_id, s.kind, s.performed_by, s.recorded_by, s.ended_at INTO v_lot, kind, v_performed_by, v_recorded_by, v_ended_at
        FROM lab.steps s WHERE s.id = p_id AND NOT EXISTS (SELECT FROM lab.partner_steps w WHERE w.step_id = s.id);
    ELSIF p_what = 'clearance' THEN
        SELECT w.lot_id, c.phase, c.performed_by, c.recorded_by, c.cleared_at, c.workstation_id
        INTO v_lot, kind, v_performed_by, v_recorded_by, v_ended_at, v_workstation
        FROM lab.line_clearances c JOIN lab.workstation_sessions w ON c.id IN (w.opening_clearance_id, w.closing_clearance_id)
        WHERE c.id = p_id ORDER BY w.id LIMIT 1;
    END IF;
    IF v_lot IS NULL THEN outcome := 'unknown'; RETURN; END IF;
    PERFORM lab.lock_one('lot', v_lot);
    SELECT l.name, k.code INTO lot_name, lot_code FROM lab.lots l
    LEFT JOIN lab.item_codes k ON k.item_id = l.id AND k.scheme = 'own' WHERE l.id = v_lot;
    IF EXISTS (SELECT FROM lab.verifications v WHERE CASE p_what WHEN 'step' THEN v.step_id ELSE v.clearance_id END = p_id) THEN
        outcome := 'done'; RETURN;
    END IF;
    PERFORM 1 FROM people.badges b JOIN people.accounts a ON a.id = b.account_id
    WHERE b.id = p_badge AND b.account_id = p_verifier AND b.revoked_at IS NULL AND a.state = 'active' FOR SHARE OF b;
    IF NOT FOUND THEN outcome := 'no_badge'; RETURN; END IF;
    IF NOT 'verifier' = ANY (people.roles_of(p_verifier)) THEN outcome := 'no_verifier'; RETURN; END IF;
    IF p_verifier IN (v_performed_by, v_recorded_by) THEN outcome := 'own_work'; RETURN; END IF;
    SELECT k.item_id, o.code INTO v_item, item_code FROM lab.item_codes k
    JOIN lab.item_codes o ON o.item_id = k.item_id AND o.scheme = 'own' WHERE k.code = p_code ORDER BY k.scheme = 'own' DESC LIMIT 1;
    IF v_item IS NULL THEN outcome := 'no_item'; RETURN; END IF;
    IF p_what = 'clearance' THEN
        v_fits := v_item = v_workstation;
    ELSE
        v_fits := EXISTS (SELECT FROM lab.containers c WHERE c.id = v_item AND c.lot_id = v_lot
                          AND (c.step_id = p_id OR (kind = 'cryopreservation' AND c.kind IN ('vial', 'bag'))))
            OR EXISTS (SELECT FROM lab.lineage l WHERE l.parent_id = v_item AND l.step_id = p_id)
            OR EXISTS (SELECT FROM lab.consumptions u WHERE u.container_id = v_item AND u.step_id = p_id);
    END IF;
    IF NOT v_fits THEN outcome := 'other_item'; RETURN; END IF;
    INSERT INTO lab.verifications AS v (lot_id, step_id, clearance_id, verified_by, badge_id, scanned_item_id, scanned, recorded_by)
    VALUES (v_lot, CASE p_what WHEN 'step' THEN p_id END, CASE p_what WHEN 'clearance' THEN p_id END, p_verifier, p_badge,
            v_item, p_scanned, v_actor)
    RETURNING v.id, v.recorded_at INTO verification, at;
    outcome := 'verified';
    late := p_what = 'step' AND (v_ended_at IS NULL OR at > v_ended_at + gate.hours_to_verify());
END $$;

-- How long after its end a step may be verified (setting gmp05.within_hours).
CREATE OR REPLACE FUNCTION gate.hours_to_verify() RETURNS interval
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT make_interval(secs => 3600 * coalesce((gate.setting('gmp05.within_hours') #>> '{}')::double precision, 12))
$$;
