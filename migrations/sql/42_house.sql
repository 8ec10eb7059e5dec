-- The papers of the house: approved by somebody else than who proposed them, each signature over the whole row.
CREATE OR REPLACE FUNCTION gate.approve_document(p_document bigint, p_ceremony uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_record record;
    v_signature lab.signatures;
BEGIN
    PERFORM lab.lock_one('facility', 1);
    PERFORM 1 FROM lab.documents WHERE id = p_document FOR UPDATE;
    SELECT * INTO v_record FROM dossier.record('document', p_document);
    v_signature := gate.consume(p_ceremony, 'document_approved', 'document', p_document, v_record.bytes, v_record.version);
    IF EXISTS (SELECT FROM lab.documents WHERE id = p_document AND proposed_by = v_signature.account_id) THEN
        RAISE EXCEPTION 'nobody approves a document of their own proposing' USING ERRCODE = 'ST033';
    END IF;
    IF EXISTS (SELECT FROM lab.documents d JOIN lab.documents n ON n.number = d.number AND n.version > d.version
               WHERE d.id = p_document AND n.signature_id IS NOT NULL) THEN
        RAISE EXCEPTION 'a later version of this document is approved already' USING ERRCODE = 'ST013';
    END IF;
    UPDATE lab.documents SET signature_id = v_signature.id WHERE id = p_document AND signature_id IS NULL;
    IF NOT FOUND THEN RAISE EXCEPTION 'the document is approved already' USING ERRCODE = 'ST013'; END IF;
    RETURN v_signature.id;
END $$;

-- Which process version the facility may run: the quality authority signs, and not what they proposed.
CREATE OR REPLACE FUNCTION gate.authorise_process(p_authorisation bigint, p_ceremony uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_record record;
    v_signature lab.signatures;
BEGIN
    PERFORM lab.lock_one('facility', 1);
    PERFORM 1 FROM lab.authorisations WHERE id = p_authorisation FOR UPDATE;
    SELECT * INTO v_record FROM dossier.record('authorisation', p_authorisation);
    v_signature := gate.consume(p_ceremony, 'process_authorised', 'authorisation', p_authorisation, v_record.bytes, v_record.version);
    IF EXISTS (SELECT FROM lab.authorisations WHERE id = p_authorisation AND proposed_by = v_signature.account_id) THEN
        RAISE EXCEPTION 'nobody authorises what they proposed' USING ERRCODE = 'ST033';
    END IF;
    UPDATE lab.authorisations SET signature_id = v_signature.id WHERE id = p_authorisation AND signature_id IS NULL;
    IF NOT FOUND THEN RAISE EXCEPTION 'the authorisation is signed already' USING ERRCODE = 'ST013'; END IF;
    RETURN v_signature.id;
END $$;

-- A responsibility is accepted by the very person who bears it.
CREATE OR REPLACE FUNCTION gate.accept_responsibility(p_responsibility bigint, p_ceremony uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_record record;
    v_signature lab.signatures;
BEGIN
    PERFORM lab.lock_one('facility', 1);
    PERFORM 1 FROM lab.responsibilities WHERE id = p_responsibility FOR UPDATE;
    SELECT * INTO v_record FROM dossier.record('responsibility', p_responsibility);
    v_signature := gate.consume(p_ceremony, 'responsibility_accepted', 'responsibility', p_responsibility, v_record.bytes, v_record.version);
    IF NOT EXISTS (SELECT FROM lab.responsibilities WHERE id = p_responsibility AND account_id = v_signature.account_id) THEN
        RAISE EXCEPTION 'a responsibility is accepted by the person who bears it' USING ERRCODE = 'ST033';
    END IF;
    IF EXISTS (SELECT FROM lab.responsibilities WHERE id = p_responsibility AND ended_at IS NOT NULL) THEN
        RAISE EXCEPTION 'this responsibility has ended' USING ERRCODE = 'ST013';
    END IF;
    UPDATE lab.responsibilities SET signature_id = v_signature.id WHERE id = p_responsibility AND signature_id IS NULL;
    IF NOT FOUND THEN RAISE EXCEPTION 'the responsibility is accepted already' USING ERRCODE = 'ST013'; END IF;
    RETURN v_signature.id;
END $$;
