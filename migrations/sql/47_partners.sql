-- Partners: an assessment is signed by the quality authority, never by whoever wrote it down.

CREATE OR REPLACE FUNCTION gate.decide_partner(p_assessment bigint, p_ceremony uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_record record;
    v_signature lab.signatures;
BEGIN
    PERFORM lab.lock_one('facility', 1);
    PERFORM 1 FROM lab.partner_assessments WHERE id = p_assessment FOR UPDATE;
    SELECT * INTO v_record FROM dossier.record('partner_assessment', p_assessment);
    v_signature := gate.consume(p_ceremony, 'partner_decided', 'partner_assessment', p_assessment, v_record.bytes, v_record.version);
    IF EXISTS (SELECT FROM lab.partner_assessments WHERE id = p_assessment AND recorded_by = v_signature.account_id) THEN
        RAISE EXCEPTION 'nobody signs an assessment of their own writing' USING ERRCODE = 'ST033';
    END IF;
    UPDATE lab.partner_assessments SET signature_id = v_signature.id WHERE id = p_assessment AND signature_id IS NULL;
    IF NOT FOUND THEN RAISE EXCEPTION 'the assessment is signed already' USING ERRCODE = 'ST013'; END IF;
    RETURN v_signature.id;
END $$;
