-- The one way in which the preparation of a reagent is verified: as a step is, by a verifier with a live badge who neither
-- made it nor wrote it down, and who scanned one of its containers or one that went into it.
CREATE OR REPLACE FUNCTION people.verify_reagent(
    p_reagent bigint, p_verifier bigint, p_badge bigint, p_code text, OUT outcome text, OUT at timestamptz, OUT item_code text
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    v_actor bigint := lab.entry_actor();
    v_reagent lab.reagents;
    v_item bigint;
BEGIN
    IF v_actor IS NULL THEN RAISE EXCEPTION 'a verification needs its entry' USING ERRCODE = 'ST001'; END IF;
    SELECT r.* INTO v_reagent FROM lab.reagents r WHERE r.id = p_reagent;
    IF v_reagent.id IS NULL THEN outcome := 'unknown'; RETURN; END IF;
    PERFORM lab.lock_one('lot', p_reagent);
    IF EXISTS (SELECT FROM lab.reagent_verifications v WHERE v.reagent_id = p_reagent) THEN outcome := 'done'; RETURN; END IF;
    PERFORM 1 FROM people.badges b JOIN people.accounts a ON a.id = b.account_id
    WHERE b.id = p_badge AND b.account_id = p_verifier AND b.revoked_at IS NULL AND a.state = 'active' FOR SHARE OF b;
    IF NOT FOUND THEN outcome := 'no_badge'; RETURN; END IF;
    IF NOT 'verifier' = ANY (people.roles_of(p_verifier)) THEN outcome := 'no_verifier'; RETURN; END IF;
    IF p_verifier IN (v_reagent.prepared_by, v_reagent.recorded_by) THEN outcome := 'own_work'; RETURN; END IF;
    SELECT k.item_id, o.code INTO v_item, item_code FROM lab.item_codes k
    JOIN lab.item_codes o ON o.item_id = k.item_id AND o.scheme = 'own' WHERE k.code = p_code ORDER BY k.scheme = 'own' DESC LIMIT 1;
    IF v_item IS NULL THEN outcome := 'no_item'; RETURN; END IF;
    IF NOT EXISTS (SELECT FROM lab.containers c WHERE c.id = v_item AND c.lot_id = p_reagent)
       AND NOT EXISTS (SELECT FROM lab.reagent_parts p WHERE p.container_id = v_item AND p.reagent_id = p_reagent) THEN
        outcome := 'other_item'; RETURN;
    END IF;
    INSERT INTO lab.reagent_verifications AS v (reagent_id, verified_by, badge_id, scanned_item_id, recorded_by)
    VALUES (p_reagent, p_verifier, p_badge, v_item, v_actor) RETURNING v.recorded_at INTO at;
    outcome := 'verified';
END $$;
