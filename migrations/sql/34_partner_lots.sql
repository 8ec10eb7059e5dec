-- Which lots a partner may be said to have made, what the release asks of them again, and a physician's exceptional request.

-- Who makes a lot is stated before anything was done, of a partner that makes cells.
CREATE OR REPLACE FUNCTION lab.made_by_a_partner() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM lab.partners p WHERE p.id = NEW.partner_id AND p.kind = 'preparation') THEN
        RAISE EXCEPTION 'this partner prepares no cells' USING ERRCODE = 'ST002';
    END IF;
    IF NOT EXISTS (SELECT FROM lab.lots l WHERE l.id = NEW.lot_id AND l.kind = 'preparation' AND l.state = 'planned')
       OR EXISTS (SELECT FROM lab.steps s WHERE s.lot_id = NEW.lot_id) THEN
        RAISE EXCEPTION 'who makes a preparation is stated before its work begins' USING ERRCODE = 'ST010';
    END IF;
    RETURN NEW;
END $$;

-- A partner's step is stated with the step itself, and no step of this house becomes one later.
CREATE OR REPLACE FUNCTION lab.step_of_a_partner() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM lab.steps s WHERE s.id = NEW.step_id AND s.lot_id = NEW.lot_id AND s.xmin = pg_current_xact_id()::xid
                   AND s.workstation_session_id IS NULL) THEN
        RAISE EXCEPTION 'a step of a partner is stated with the step itself' USING ERRCODE = 'ST013';
    END IF;
    RETURN NEW;
END $$;

-- A partner's paper that speaks against a lot which was released comes to light.
CREATE OR REPLACE FUNCTION lab.partner_paper_comes_to_light() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT NEW.conforms AND EXISTS (SELECT FROM lab.lots WHERE id = NEW.lot_id AND state IN ('released', 'conditionally_released')) THEN
        PERFORM lab.comes_to_light('partner_paper', NEW.lot_id, 'partner_paper', NEW.id,
            (SELECT jsonb_build_object('partner', p.name, 'kind', NEW.kind, 'reference', NEW.reference, 'signed_by', NEW.signed_by,
                'signed_at', audit.stamp(NEW.signed_at))
             FROM lab.partner_lots m JOIN lab.partners p ON p.id = m.partner_id WHERE m.lot_id = NEW.lot_id),
            'the partner''s paper ' || NEW.reference || ' speaks against the lot', NEW.recorded_by);
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS y_comes_to_light ON lab.partner_papers;
CREATE TRIGGER y_comes_to_light AFTER INSERT ON lab.partner_papers FOR EACH ROW EXECUTE FUNCTION lab.partner_paper_comes_to_light();
ALTER TABLE lab.partner_papers ENABLE ALWAYS TRIGGER y_comes_to_light;

-- What the release asks again of a lot that a partner made; rows only where something stands against it.
CREATE OR REPLACE FUNCTION gate.second_hands_on_partners(p_lot bigint, p_began timestamptz) RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_partner bigint := (SELECT partner_id FROM lab.partner_lots WHERE lot_id = p_lot);
    v_process bigint := (SELECT process_id FROM lab.lots WHERE id = p_lot);
BEGIN
    IF v_partner IS NULL THEN RETURN; END IF;
    -- the last is the one recorded last; what speaks against the lot is answered by a paper recorded after it and not signed before it
    IF EXISTS (SELECT FROM unnest(ARRAY['batch_record', 'analysis', 'release']) AS wanted(kind) WHERE NOT coalesce((
            SELECT d.conforms FROM lab.partner_papers d WHERE d.lot_id = p_lot AND d.kind = wanted.kind ORDER BY d.id DESC LIMIT 1), false))
       OR EXISTS (SELECT FROM lab.partner_papers b WHERE b.lot_id = p_lot AND NOT b.conforms AND NOT EXISTS (
            SELECT FROM lab.partner_papers n WHERE n.lot_id = b.lot_id AND n.kind = b.kind AND n.conforms AND n.id > b.id AND n.signed_at >= b.signed_at)) THEN
        RETURN NEXT 'EXT-03: the partner''s batch record, certificate or release is not on record, or speaks against the lot';
    END IF;
    IF NOT EXISTS (SELECT FROM lab.partner_assessments a JOIN lab.signatures s ON s.id = a.signature_id
                   WHERE a.partner_id = v_partner AND s.account_id <> a.recorded_by AND s.signed_at <= p_began) THEN
        RETURN NEXT 'EXT-01: no assessment of the partner was signed before it began';
    END IF;
    IF NOT EXISTS (SELECT FROM lab.quality_agreements q WHERE q.partner_id = v_partner AND q.process_id = v_process AND q.recorded_at <= p_began) THEN
        RETURN NEXT 'EXT-02: nothing was agreed about this process version before the partner began';
    END IF;
    IF NOT EXISTS (SELECT FROM lab.transports t WHERE t.lot_id = p_lot) THEN
        RETURN NEXT 'EXT-04: how the lot came here is not on record';
    END IF;
END $$;

-- Whether a partner's batch record names a second person for a step, in time; one name written in two ways is one person. What this house did is verified at its bench.
CREATE OR REPLACE FUNCTION gate.verified_by_a_partner(p_step lab.steps) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM lab.partner_steps p WHERE p.step_id = p_step.id AND lab.spoken(p.verified_by) <> lab.spoken(p.performed_by)
                   AND p.verified_at >= p_step.started_at AND p.verified_at <= p_step.ended_at + gate.hours_to_verify());
END $$;

-- The quality authority decides about a physician's request for a lot that is out of specification. The lot does not move:
-- this is no release, and nothing that asks for one takes it for one.
CREATE OR REPLACE FUNCTION gate.decide_exceptional_supply(p_request bigint, p_ceremony uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_record record;
    v_signature lab.signatures;
BEGIN
    PERFORM lab.lock_one('lot', lot_id) FROM lab.exceptional_requests WHERE id = p_request;
    PERFORM 1 FROM lab.exceptional_requests WHERE id = p_request FOR UPDATE;
    SELECT * INTO v_record FROM dossier.record('exceptional_request', p_request);
    v_signature := gate.consume(p_ceremony, 'exceptional_supply_decided', 'exceptional_request', p_request, v_record.bytes, v_record.version);
    IF v_signature.statement NOT IN ('oos_exceptional_supply', 'refused') THEN
        RAISE EXCEPTION 'a request is decided by supplying as an exception, or by refusing' USING ERRCODE = 'ST034';
    END IF;
    IF v_signature.statement = 'oos_exceptional_supply' AND coalesce(gate.setting('rel09.allowed') #>> '{}', 'no') <> 'yes' THEN
        RAISE EXCEPTION 'nothing in this house allows to supply what is out of specification' USING ERRCODE = 'ST034';
    END IF;
    IF v_signature.appointment_id IS NULL OR EXISTS (SELECT FROM lab.exceptional_requests WHERE id = p_request AND recorded_by = v_signature.account_id) THEN
        RAISE EXCEPTION 'the appointed quality authority decides, and nobody their own request' USING ERRCODE = 'ST033';
    END IF;
    UPDATE lab.exceptional_requests SET signature_id = v_signature.id, disposition = v_signature.statement WHERE id = p_request AND signature_id IS NULL;
    IF NOT FOUND THEN RAISE EXCEPTION 'the request is decided already' USING ERRCODE = 'ST013'; END IF;
    RETURN v_signature.id;
END $$;
