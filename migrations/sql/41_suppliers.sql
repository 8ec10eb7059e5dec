-- Suppliers: who qualifies one, and that nobody signs an audit of their own writing.

CREATE OR REPLACE FUNCTION gate.qualify_supplier(p_audit bigint, p_ceremony uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_record record;
    v_signature lab.signatures;
BEGIN
    PERFORM lab.lock_one('facility', 1);
    PERFORM 1 FROM lab.supplier_audits WHERE id = p_audit FOR UPDATE;
    SELECT * INTO v_record FROM dossier.record('supplier_audit', p_audit);
    v_signature := gate.consume(p_ceremony, 'supplier_decided', 'supplier_audit', p_audit, v_record.bytes, v_record.version);
    IF EXISTS (SELECT FROM lab.supplier_audits WHERE id = p_audit AND recorded_by = v_signature.account_id) THEN
        RAISE EXCEPTION 'nobody signs an audit of their own writing' USING ERRCODE = 'ST033';
    END IF;
    UPDATE lab.supplier_audits SET signature_id = v_signature.id WHERE id = p_audit AND signature_id IS NULL;
    IF NOT FOUND THEN RAISE EXCEPTION 'the audit is signed already' USING ERRCODE = 'ST013'; END IF;
    RETURN v_signature.id;
END $$;
