-- Papers from before the guideline: accepted by the quality authority's signature, told to the rules, and what the gate
-- itself makes of them.

CREATE OR REPLACE FUNCTION gate.accept_legacy(p_dossier bigint, p_ceremony uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_root record;
    v_record record;
    v_signature lab.signatures;
BEGIN
    SELECT r.* INTO v_root FROM lab.legacy_dossiers d, LATERAL lab.root_of_item(d.item_id) AS r WHERE d.id = p_dossier;
    IF v_root.root_kind IS NOT NULL THEN PERFORM lab.lock_one(v_root.root_kind, v_root.root_id); END IF;
    SELECT * INTO v_record FROM dossier.record('legacy', p_dossier);
    v_signature := gate.consume(p_ceremony, 'legacy_accepted', 'legacy', p_dossier, v_record.bytes, v_record.version);
    IF EXISTS (SELECT FROM lab.legacy_dossiers WHERE id = p_dossier AND proposed_by = v_signature.account_id) THEN
        RAISE EXCEPTION 'nobody accepts papers of their own proposing' USING ERRCODE = 'ST033';
    END IF;
    IF EXISTS (SELECT FROM lab.legacy_withdrawals WHERE dossier_id = p_dossier) THEN
        RAISE EXCEPTION 'the papers are withdrawn' USING ERRCODE = 'ST013';
    END IF;
    UPDATE lab.legacy_dossiers SET signature_id = v_signature.id WHERE id = p_dossier AND signature_id IS NULL;
    IF NOT FOUND THEN RAISE EXCEPTION 'the papers are accepted already' USING ERRCODE = 'ST013'; END IF;
    RETURN v_signature.id;
END $$;

-- Whether papers about the donors of a lot show, for this rule, what lacks its record: the second hand of
-- app/domain/legacy.py. They count from their signature on, for donations collected before the guideline; work that began
-- under it needed them beforehand.
CREATE OR REPLACE FUNCTION gate.legacy_shows(p_rule text, p_lot bigint, p_donor bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM lab.legacy_dossiers d JOIN lab.signatures s ON s.id = d.signature_id,
            LATERAL (SELECT ((gate.setting('legacy.before') #>> '{}')::timestamp
                - make_interval(hours => (gate.setting('facility.utc_offset_hours') #>> '{}')::integer)) AT TIME ZONE 'UTC' AS day) AS before,
            LATERAL (SELECT min(started_at) AS began FROM lab.steps WHERE lot_id = p_lot) AS work
        WHERE before.day IS NOT NULL AND d.about = 'donor' AND d.item_id = p_donor AND p_rule = ANY (d.rules) AND s.account_id <> d.proposed_by
          AND d.valid_from <= clock_timestamp() AND d.valid_to > clock_timestamp()
          AND NOT EXISTS (SELECT FROM lab.legacy_withdrawals w WHERE w.dossier_id = d.id)
          AND (work.began IS NULL OR work.began < before.day OR s.signed_at <= work.began)
          AND EXISTS (SELECT FROM lab.donations o WHERE o.donor_id = p_donor AND o.id IN (SELECT item_id FROM lab.ancestry(p_lot)))
          AND NOT EXISTS (SELECT FROM lab.donations o WHERE o.donor_id = p_donor AND o.id IN (SELECT item_id FROM lab.ancestry(p_lot))
                          AND o.collected_at >= before.day))
$$;
