-- Proof that comes later than a study's first papers, as its rules read it, and who signs it.

-- Bank lots from which a lot was made; empty where there is none.
CREATE OR REPLACE FUNCTION dossier.banks_behind(p_lot bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(dossier.own_code(b.id) ORDER BY b.id), '[]')
    FROM lab.ancestry(p_lot) a JOIN lab.lots b ON b.id = a.item_id WHERE b.kind = 'bank' AND b.id <> p_lot
$$;

-- Every document of comparability of a study that was signed.
CREATE OR REPLACE FUNCTION dossier.comparabilities(p_study bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'report', c.reinspection_id, 'process', p.name || ' ' || p.version,
        'specification', s.name || ' ' || s.version,
        'banks', (SELECT coalesce(jsonb_agg(dossier.own_code(b.id) ORDER BY b.id), '[]') FROM unnest(c.bank_ids) AS b(id)),
        'differences', c.differences, 'committee_reference', c.committee_reference, 'committee_decided_on', c.committee_decided_on, 'made_at', to_jsonb(c.made_at),
        'file_name', c.file_name, 'valid_to', c.valid_to, 'proposed_by', dossier.username(c.proposed_by),
        'signed_by', dossier.username(g.account_id), 'signed_at', audit.stamp(g.signed_at)) ORDER BY c.id), '[]')
    FROM lab.comparabilities c JOIN lab.signatures g ON g.id = c.signature_id JOIN lab.process_versions p ON p.id = c.process_id
    JOIN lab.specifications s ON s.id = c.specification_id WHERE c.study_id = p_study
$$;

-- What is signed: the row, and the report that it is about as it is on record.
CREATE OR REPLACE FUNCTION dossier.comparability(p_comparability bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('comparability', to_jsonb(c), 'study', t.number, 'process', p.name || ' ' || p.version,
        'specification', s.name || ' ' || s.version, 'report', to_jsonb(r))
    FROM lab.comparabilities c JOIN lab.studies t ON t.id = c.study_id JOIN lab.process_versions p ON p.id = c.process_id
    JOIN lab.specifications s ON s.id = c.specification_id JOIN lab.reinspections r ON r.id = c.reinspection_id WHERE c.id = p_comparability
$$;

-- Cells at the end of production by this process version, as they were tested.
CREATE OR REPLACE FUNCTION dossier.production_ends(p_process bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', e.id, 'lot', dossier.own_code(e.lot_id), 'process', p.name || ' ' || p.version,
        'pdl_reached', e.pdl_reached, 'laboratory', e.laboratory, 'report_number', e.report_number, 'reported_on', e.reported_on,
        'file_name', e.file_name, 'file_sha256', e.file_sha256, 'tests', e.tests,
        'replaced_at', (SELECT audit.stamp(n.recorded_at) FROM lab.production_ends n WHERE n.replaces_id = e.id),
        'recorded_at', audit.stamp(e.recorded_at)) ORDER BY e.id), '[]')
    FROM lab.production_ends e JOIN lab.lots l ON l.id = e.lot_id JOIN lab.process_versions p ON p.id = l.process_id
    WHERE l.process_id = p_process
$$;

-- For how long each protocol of a study says that subjects are followed.
CREATE OR REPLACE FUNCTION dossier.follow_up_plans(p_study bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', f.id, 'protocol_version', f.protocol_version, 'years', f.years,
        'reference', f.reference, 'recorded_at', audit.stamp(f.recorded_at)) ORDER BY f.id), '[]')
    FROM lab.follow_up_plans f WHERE f.study_id = p_study
$$;

-- Cells are tested, not materials; a record is corrected by another person than who made it, and of the same report only.
CREATE OR REPLACE FUNCTION lab.end_is_of_cells() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM lab.lots l WHERE l.id = NEW.lot_id AND l.kind <> 'material' AND l.process_id IS NOT NULL) THEN
        RAISE EXCEPTION 'this is of another kind of lot' USING ERRCODE = 'ST002';
    END IF;
    IF NEW.replaces_id IS NOT NULL THEN
        IF NOT EXISTS (SELECT FROM lab.production_ends e WHERE e.id = NEW.replaces_id
                       AND (e.lot_id, e.laboratory, e.report_number) = (NEW.lot_id, NEW.laboratory, NEW.report_number)) THEN
            RAISE EXCEPTION 'a correction is of the same report, laboratory and lot' USING ERRCODE = 'ST013';
        END IF;
        IF EXISTS (SELECT FROM lab.production_ends e WHERE e.id = NEW.replaces_id AND e.recorded_by = NEW.recorded_by) THEN
            RAISE EXCEPTION 'nobody corrects a report of their own writing' USING ERRCODE = 'ST033';
        END IF;
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS c_end_is_of_cells ON lab.production_ends;
CREATE TRIGGER c_end_is_of_cells BEFORE INSERT ON lab.production_ends FOR EACH ROW EXECUTE FUNCTION lab.end_is_of_cells();
ALTER TABLE lab.production_ends ENABLE ALWAYS TRIGGER c_end_is_of_cells;

-- It is about a report of its own study that no corrected record has replaced, and about banks.
CREATE OR REPLACE FUNCTION lab.compares_what_is_there() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM lab.reinspections r WHERE r.id = NEW.reinspection_id AND r.study_id = NEW.study_id)
       OR EXISTS (SELECT FROM lab.reinspections n WHERE n.replaces_id = NEW.reinspection_id) THEN
        RAISE EXCEPTION 'what is compared is a standing report of this study' USING ERRCODE = 'ST013';
    END IF;
    IF EXISTS (SELECT FROM unnest(NEW.bank_ids) AS b(id) WHERE NOT EXISTS (SELECT FROM lab.lots l WHERE l.id = b.id AND l.kind = 'bank')) THEN
        RAISE EXCEPTION 'what it is compared to is no bank' USING ERRCODE = 'ST002';
    END IF;
    NEW.made_at := dossier.production_sites(NEW.study_id);  -- whoever makes it at this moment, and nobody who does later
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS c_compares_what_is_there ON lab.comparabilities;
CREATE TRIGGER c_compares_what_is_there BEFORE INSERT ON lab.comparabilities FOR EACH ROW EXECUTE FUNCTION lab.compares_what_is_there();
ALTER TABLE lab.comparabilities ENABLE ALWAYS TRIGGER c_compares_what_is_there;

-- The quality authority signs, never whoever proposed it, and after the committee decided.
CREATE OR REPLACE FUNCTION gate.accept_comparability(p_comparability bigint, p_ceremony uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_record record;
    v_signature lab.signatures;
    v_of lab.comparabilities;
BEGIN
    PERFORM lab.lock_one('facility', 1);
    SELECT * INTO v_of FROM lab.comparabilities WHERE id = p_comparability FOR UPDATE;
    SELECT * INTO v_record FROM dossier.record('comparability', p_comparability);
    v_signature := gate.consume(p_ceremony, 'comparability_accepted', 'comparability', p_comparability, v_record.bytes, v_record.version);
    IF v_of.proposed_by = v_signature.account_id THEN
        RAISE EXCEPTION 'nobody decides what they proposed themselves' USING ERRCODE = 'ST033';
    END IF;
    IF v_of.committee_decided_on > (v_signature.signed_at AT TIME ZONE (SELECT time_zone FROM lab.deployment))::date THEN
        RAISE EXCEPTION 'the committee''s decision is yet to come' USING ERRCODE = 'ST034';
    END IF;
    IF EXISTS (SELECT FROM lab.reinspections n WHERE n.replaces_id = v_of.reinspection_id) THEN
        RAISE EXCEPTION 'the report was replaced by a corrected record' USING ERRCODE = 'ST013';
    END IF;
    UPDATE lab.comparabilities SET signature_id = v_signature.id WHERE id = p_comparability AND signature_id IS NULL;
    IF NOT FOUND THEN RAISE EXCEPTION 'this is decided already' USING ERRCODE = 'ST013'; END IF;
    RETURN v_signature.id;
END $$;
