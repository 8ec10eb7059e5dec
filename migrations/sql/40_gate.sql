-- The gate: the only functions that may consume a ceremony, write a signature, or release a lot.

-- A ceremony is opened by the authentication role alone, after two factors, for one record as it stands now.
CREATE OR REPLACE FUNCTION people.open_ceremony(
    p_account bigint, p_session bigint, p_meaning text, p_record_kind text, p_record_id bigint, p_statement text,
    p_digest text, p_factors text[], OUT ceremony uuid, OUT expires_at timestamptz
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_meaning record;
    v_record record;
    v_judgement record;
    v_reset timestamptz;
    v_wait interval;
    v_why text := people.cannot_sign(p_account, p_meaning, p_record_kind);
BEGIN
    IF v_why IS NOT NULL THEN RAISE EXCEPTION '%', v_why USING ERRCODE = 'ST030'; END IF;
    IF coalesce(cardinality(p_factors), 0) < 2 OR (SELECT count(DISTINCT f) FROM unnest(p_factors) AS f) < 2 THEN
        RAISE EXCEPTION 'two different factors are needed' USING ERRCODE = 'ST030';
    END IF;
    SELECT reset_at INTO v_reset FROM people.credentials WHERE account_id = p_account;
    v_wait := make_interval(hours => coalesce((gate.setting('people.hours_before_reset_factors_sign') #>> '{}')::integer, 24));
    IF v_reset IS NOT NULL AND v_reset > clock_timestamp() - v_wait THEN
        RAISE EXCEPTION 'factors reset at % cannot sign before %', audit.stamp(v_reset), audit.stamp(v_reset + v_wait)
            USING ERRCODE = 'ST031';
    END IF;
    SELECT * INTO v_record FROM dossier.record(p_record_kind, p_record_id);
    IF v_record.bytes IS NULL THEN RAISE EXCEPTION 'there is no such record to sign' USING ERRCODE = 'ST002'; END IF;
    IF audit.sha256_hex(v_record.bytes) IS DISTINCT FROM p_digest THEN
        RAISE EXCEPTION 'the record changed since it was shown' USING ERRCODE = 'ST020';
    END IF;
    IF p_meaning IN ('released', 'conditionally_released') THEN
        SELECT digest, blocks INTO v_judgement FROM lab.judgements
        WHERE subject_kind = 'lot' AND subject_id = p_record_id
          AND gate = CASE p_meaning WHEN 'released' THEN 'G6' ELSE 'G5' END ORDER BY id DESC LIMIT 1;
        IF NOT FOUND OR v_judgement.blocks OR v_judgement.digest IS DISTINCT FROM p_digest THEN
            RAISE EXCEPTION 'the release check blocks, or is not of this dossier' USING ERRCODE = 'ST021';
        END IF;
    END IF;
    INSERT INTO people.ceremonies AS c (account_id, meaning, record_kind, record_id, record_version, statement, digest,
                                        factors, session_id)
    VALUES (p_account, p_meaning, p_record_kind, p_record_id, v_record.version, coalesce(p_statement, ''), p_digest,
            p_factors, p_session)
    RETURNING c.id, c.expires_at INTO ceremony, expires_at;
END $$;

-- Why this account cannot sign with this meaning; NULL when it can. Asked when opening and again when consuming.
CREATE OR REPLACE FUNCTION people.cannot_sign(p_account bigint, p_meaning text, p_record_kind text) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_meaning record;
    v_roles text[] := people.roles_of(p_account);
BEGIN
    SELECT roles, record_kind INTO v_meaning FROM people.meanings WHERE meaning = p_meaning;
    IF NOT FOUND OR v_meaning.record_kind <> p_record_kind THEN RETURN 'a ' || p_record_kind || ' is not signed as ' || p_meaning; END IF;
    IF 'administrator' = ANY (v_roles) THEN RETURN 'an administrator signs nothing'; END IF;
    IF NOT v_roles && v_meaning.roles THEN
        RETURN 'this account holds no role that signs ' || p_meaning || ' (' || array_to_string(v_meaning.roles, ', ') || ')';
    END IF;
    RETURN NULL;
END $$;

-- Consumes a live ceremony for exactly this record as it stands, and writes the signature. Not granted to anyone.
CREATE OR REPLACE FUNCTION gate.consume(p_ceremony uuid, p_meaning text, p_record_kind text, p_record_id bigint, p_bytes text, p_version integer)
RETURNS lab.signatures
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_ceremony people.ceremonies;
    v_signature lab.signatures;
    v_why text;
BEGIN
    IF p_ceremony IS NULL OR p_record_id IS NULL OR p_bytes IS NULL THEN
        RAISE EXCEPTION 'nothing to sign' USING ERRCODE = 'ST002';
    END IF;
    UPDATE people.ceremonies SET used_at = clock_timestamp()
    WHERE id = p_ceremony AND used_at IS NULL AND burned_at IS NULL AND expires_at > clock_timestamp()
      AND meaning = p_meaning AND record_kind = p_record_kind AND record_id = p_record_id
    RETURNING * INTO v_ceremony;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no live proof of identity for this signature' USING ERRCODE = 'ST032';
    END IF;
    PERFORM 1 FROM people.accounts WHERE id = v_ceremony.account_id AND state = 'active' FOR SHARE;
    IF NOT FOUND THEN RAISE EXCEPTION 'the account is not active' USING ERRCODE = 'ST030'; END IF;
    v_why := people.cannot_sign(v_ceremony.account_id, p_meaning, p_record_kind);
    IF v_why IS NOT NULL THEN RAISE EXCEPTION '%', v_why USING ERRCODE = 'ST030'; END IF;
    IF lab.entry_actor() IS DISTINCT FROM v_ceremony.account_id THEN
        RAISE EXCEPTION 'a signature is given by the person who proved to be there' USING ERRCODE = 'ST030';
    END IF;
    IF audit.sha256_hex(p_bytes) IS DISTINCT FROM v_ceremony.digest OR p_version IS DISTINCT FROM v_ceremony.record_version THEN
        RAISE EXCEPTION 'the record changed since it was shown' USING ERRCODE = 'ST020';
    END IF;
    INSERT INTO lab.signatures (ceremony_id, account_id, printed_name, roles, appointment_id, meaning, record_kind,
                                record_id, record_version, statement, digest)
    SELECT v_ceremony.id, a.id, a.printed_name, people.roles_of(a.id),
           (SELECT id FROM people.appointments WHERE account_id = a.id AND revoked_at IS NULL AND from_at <= clock_timestamp()
              AND (until_at IS NULL OR until_at > clock_timestamp()) ORDER BY id DESC LIMIT 1),
           p_meaning, p_record_kind, p_record_id, p_version, v_ceremony.statement, v_ceremony.digest
    FROM people.accounts a WHERE a.id = v_ceremony.account_id
    RETURNING * INTO v_signature;
    RETURN v_signature;
END $$;

-- Signs reviews and determinations. Their rows check that they say what was signed (lab.stands_on_signature).
CREATE OR REPLACE FUNCTION gate.sign(p_ceremony uuid, p_meaning text, p_record_id bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_kind text;
    v_record record;
    v_signature lab.signatures;
BEGIN
    IF p_meaning NOT IN ('result_reviewed', 'results_reviewed', 'eligibility_determined', 'batch_reviewed') THEN
        RAISE EXCEPTION '% has a function of its own', p_meaning USING ERRCODE = 'ST030';
    END IF;
    SELECT record_kind INTO v_kind FROM people.meanings WHERE meaning = p_meaning;
    CASE v_kind
        WHEN 'result' THEN PERFORM lab.lock_family(r.lot_id), lab.lock_one('lot', r.lot_id) FROM lab.results r WHERE r.id = p_record_id;
        WHEN 'results' THEN PERFORM lab.lock_family(p_record_id), lab.lock_one('lot', p_record_id);
        WHEN 'donation' THEN PERFORM lab.lock_one('donation', p_record_id);
        WHEN 'batch' THEN PERFORM lab.lock_for_judgement(p_record_id);
    END CASE;
    SELECT * INTO v_record FROM dossier.record(v_kind, p_record_id);
    v_signature := gate.consume(p_ceremony, p_meaning, v_kind, p_record_id, v_record.bytes, v_record.version);
    IF v_kind = 'batch' AND EXISTS (SELECT FROM lab.bench_reasons b WHERE b.lot_id = p_record_id AND b.note IS NULL) THEN
        RAISE EXCEPTION 'words are owed for a reason that was picked at the bench' USING ERRCODE = 'ST034';
    END IF;
    -- a partner's record is typed by one person and reviewed by another, for here the two stand for everybody who made the lot
    IF v_kind = 'batch' AND v_signature.account_id IN (SELECT recorded_by FROM lab.partner_papers WHERE lot_id = p_record_id
            UNION ALL SELECT recorded_by FROM lab.partner_steps WHERE lot_id = p_record_id) THEN
        RAISE EXCEPTION 'nobody reviews a partner''s record that they entered' USING ERRCODE = 'ST033';
    END IF;
    IF (v_kind = 'result' AND EXISTS (SELECT FROM lab.results r WHERE r.id = p_record_id
                                      AND v_signature.account_id IN (r.analyst, r.recorded_by)))
       OR (v_kind = 'results' AND EXISTS (SELECT FROM jsonb_array_elements(v_record.bytes::jsonb) AS shown
                                          JOIN lab.results r ON r.id = (shown ->> 'id')::bigint
                                          WHERE v_signature.account_id IN (r.analyst, r.recorded_by))) THEN
        RAISE EXCEPTION 'nobody reviews their own result' USING ERRCODE = 'ST033';
    END IF;
    RETURN v_signature.id;
END $$;

CREATE OR REPLACE FUNCTION gate.approve_material(p_lot bigint, p_ceremony uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_record record;
    v_signature lab.signatures;
BEGIN
    PERFORM 1 FROM lab.materials WHERE id = (SELECT material_id FROM lab.material_lots WHERE id = p_lot) FOR SHARE;
    PERFORM lab.lock_one('lot', p_lot);
    SELECT * INTO v_record FROM dossier.record('material_lot', p_lot);
    v_signature := gate.consume(p_ceremony, 'material_approved', 'material_lot', p_lot, v_record.bytes, v_record.version);
    IF EXISTS (SELECT FROM lab.material_lots m WHERE m.id = p_lot AND (
            (m.certificate_reviewed_at IS NULL AND NOT EXISTS (
                SELECT FROM lab.material_certificates c WHERE c.material_lot_id = m.id AND c.kind = 'analysis'))
            OR (m.storage_ok IS NOT TRUE AND NOT EXISTS (SELECT FROM lab.materials k WHERE k.id = m.material_id AND k.kind = 'prepared'))
            OR m.expires_on IS NULL OR m.expires_on < (clock_timestamp() AT TIME ZONE 'UTC')::date)) THEN
        RAISE EXCEPTION 'the certificate is not reviewed, the lot did not arrive as its label asks, or it is out of date' USING ERRCODE = 'ST021';
    END IF;
    PERFORM lab.make_move(p_lot, 'approve', v_signature.id, NULL);
    RETURN v_signature.id;
END $$;

-- The reason is signed with it: it is the signature's statement.
CREATE OR REPLACE FUNCTION gate.reject_material(p_lot bigint, p_ceremony uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_record record;
    v_signature lab.signatures;
BEGIN
    PERFORM 1 FROM lab.materials WHERE id = (SELECT material_id FROM lab.material_lots WHERE id = p_lot) FOR SHARE;
    PERFORM lab.lock_one('lot', p_lot);
    SELECT * INTO v_record FROM dossier.record('material_lot', p_lot);
    v_signature := gate.consume(p_ceremony, 'material_rejected', 'material_lot', p_lot, v_record.bytes, v_record.version);
    IF btrim(v_signature.statement) = '' THEN
        RAISE EXCEPTION 'a material lot is rejected for a stated reason' USING ERRCODE = 'ST034';
    END IF;
    PERFORM lab.make_move(p_lot, 'reject', v_signature.id, NULL);
    RETURN v_signature.id;
END $$;

CREATE OR REPLACE FUNCTION gate.reject_lot(p_lot bigint, p_ceremony uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_record record;
    v_signature lab.signatures;
BEGIN
    PERFORM lab.lock_for_judgement(p_lot);
    SELECT * INTO v_record FROM dossier.record('lot', p_lot);
    v_signature := gate.consume(p_ceremony, 'rejected', 'lot', p_lot, v_record.bytes, v_record.version);
    PERFORM lab.make_move(p_lot, 'reject', v_signature.id, NULL);
    RETURN v_signature.id;
END $$;

-- The signature covers the assessment: it is part of the record before anybody signs.
DROP FUNCTION IF EXISTS gate.close_deviation(bigint, uuid, text);
CREATE OR REPLACE FUNCTION gate.close_deviation(p_deviation bigint, p_ceremony uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_root record;
    v_record record;
    v_signature lab.signatures;
BEGIN
    SELECT r.* INTO v_root FROM lab.deviations d, LATERAL lab.root_of_item(d.item_id) AS r WHERE d.id = p_deviation;
    IF v_root.root_kind IS NOT NULL THEN PERFORM lab.lock_one(v_root.root_kind, v_root.root_id); END IF;
    PERFORM 1 FROM lab.deviations WHERE id = p_deviation FOR UPDATE;
    SELECT * INTO v_record FROM dossier.record('deviation', p_deviation);
    v_signature := gate.consume(p_ceremony, 'deviation_closed', 'deviation', p_deviation, v_record.bytes, v_record.version);
    IF v_signature.statement NOT IN ('none', 'acceptable', 'unacceptable') THEN
        RAISE EXCEPTION 'a deviation is closed by stating its impact: none, acceptable or unacceptable' USING ERRCODE = 'ST034';
    END IF;
    IF EXISTS (SELECT FROM lab.deviations WHERE id = p_deviation AND state = 'open' AND btrim(coalesce(assessment, '')) = '') THEN
        RAISE EXCEPTION 'a deviation is assessed before it is closed' USING ERRCODE = 'ST034';
    END IF;
    UPDATE lab.deviations SET state = 'closed', impact = v_signature.statement,
        closed_signature_id = v_signature.id, closed_at = v_signature.signed_at, version = version + 1
    WHERE id = p_deviation AND state = 'open';
    IF NOT FOUND THEN RAISE EXCEPTION 'the deviation is closed already' USING ERRCODE = 'ST013'; END IF;
    RETURN v_signature.id;
END $$;

-- A hold that a look-back placed on a lot that was released is the quality authority's to lift; on any other thing such a
-- hold is lifted for a stated reason.
CREATE OR REPLACE FUNCTION gate.lift_hold(p_hold bigint, p_ceremony uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_root record;
    v_record record;
    v_signature lab.signatures;
    v_looked_back boolean := EXISTS (SELECT FROM lab.impact_items x WHERE x.hold_id = p_hold);
    v_meaning text := 'hold_lifted';
BEGIN
    SELECT r.* INTO v_root FROM lab.holds h, LATERAL lab.root_of_item(h.item_id) AS r WHERE h.id = p_hold;
    IF v_root.root_kind IS NOT NULL THEN PERFORM lab.lock_one(v_root.root_kind, v_root.root_id); END IF;
    SELECT * INTO v_record FROM dossier.record('hold', p_hold);
    IF v_looked_back AND (EXISTS (SELECT FROM lab.holds h JOIN lab.releases r ON r.lot_id = h.item_id WHERE h.id = p_hold)
       OR EXISTS (SELECT FROM lab.impact_items x JOIN lab.impacts i ON i.id = x.impact_id WHERE x.hold_id = p_hold AND i.kind = 'virus_found')) THEN
        v_meaning := 'look_back_hold_lifted';
    END IF;
    v_signature := gate.consume(p_ceremony, v_meaning, 'hold', p_hold, v_record.bytes, v_record.version);
    IF v_looked_back AND btrim(v_signature.statement) = '' THEN
        RAISE EXCEPTION 'a hold that a look-back placed is lifted for a stated reason' USING ERRCODE = 'ST034';
    END IF;
    IF EXISTS (SELECT FROM lab.holds h JOIN lab.deviations d ON d.id = h.deviation_id WHERE h.id = p_hold AND d.state = 'open') THEN
        RAISE EXCEPTION 'the deviation behind this hold is still open' USING ERRCODE = 'ST034';
    END IF;
    UPDATE lab.holds SET lifted_at = v_signature.signed_at, lifted_signature_id = v_signature.id
    WHERE id = p_hold AND lifted_at IS NULL;
    IF NOT FOUND THEN RAISE EXCEPTION 'the hold is lifted already' USING ERRCODE = 'ST013'; END IF;
    RETURN v_signature.id;
END $$;

CREATE OR REPLACE FUNCTION gate.approve_waiver(p_waiver bigint, p_ceremony uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_record record;
    v_signature lab.signatures;
BEGIN
    PERFORM lab.lock_one(CASE WHEN w.donation_id IS NULL THEN 'lot' ELSE 'donation' END, coalesce(w.lot_id, w.donation_id))
    FROM lab.waivers w WHERE w.id = p_waiver;
    SELECT * INTO v_record FROM dossier.record('waiver', p_waiver);
    v_signature := gate.consume(p_ceremony, 'waiver_approved', 'waiver', p_waiver, v_record.bytes, v_record.version);
    IF EXISTS (SELECT FROM lab.waivers WHERE id = p_waiver AND proposed_by = v_signature.account_id) THEN
        RAISE EXCEPTION 'nobody approves a waiver of their own proposing' USING ERRCODE = 'ST033';
    END IF;
    UPDATE lab.waivers SET signature_id = v_signature.id WHERE id = p_waiver AND signature_id IS NULL;
    IF NOT FOUND THEN RAISE EXCEPTION 'the waiver is approved already' USING ERRCODE = 'ST013'; END IF;
    RETURN v_signature.id;
END $$;

-- An assessment is approved by somebody else than who proposed it.
CREATE OR REPLACE FUNCTION gate.approve_assessment(p_assessment bigint, p_ceremony uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_record record;
    v_signature lab.signatures;
BEGIN
    PERFORM lab.lock_one('facility', 1);
    PERFORM 1 FROM lab.assessments WHERE id = p_assessment FOR UPDATE;
    SELECT * INTO v_record FROM dossier.record('assessment', p_assessment);
    v_signature := gate.consume(p_ceremony, 'assessment_approved', 'assessment', p_assessment, v_record.bytes, v_record.version);
    IF EXISTS (SELECT FROM lab.assessments WHERE id = p_assessment AND proposed_by = v_signature.account_id) THEN
        RAISE EXCEPTION 'nobody approves an assessment of their own proposing' USING ERRCODE = 'ST033';
    END IF;
    UPDATE lab.assessments SET signature_id = v_signature.id WHERE id = p_assessment AND signature_id IS NULL;
    IF NOT FOUND THEN RAISE EXCEPTION 'the assessment is approved already' USING ERRCODE = 'ST013'; END IF;
    RETURN v_signature.id;
END $$;

-- What a tissue is to the rules is decided by somebody else than who proposed it, and no older version after a newer one.
CREATE OR REPLACE FUNCTION gate.decide_tissue(p_tissue bigint, p_ceremony uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_record record;
    v_signature lab.signatures;
BEGIN
    PERFORM lab.lock_one('facility', 1);
    PERFORM 1 FROM lab.tissue_types WHERE id = p_tissue FOR UPDATE;
    SELECT * INTO v_record FROM dossier.record('tissue_type', p_tissue);
    v_signature := gate.consume(p_ceremony, 'tissue_decided', 'tissue_type', p_tissue, v_record.bytes, v_record.version);
    IF EXISTS (SELECT FROM lab.tissue_types WHERE id = p_tissue AND proposed_by = v_signature.account_id) THEN
        RAISE EXCEPTION 'nobody decides what they proposed themselves' USING ERRCODE = 'ST033';
    END IF;
    IF EXISTS (SELECT FROM lab.tissue_types t JOIN lab.tissue_types n ON lower(n.name) = lower(t.name) AND n.version > t.version
               WHERE t.id = p_tissue AND n.signature_id IS NOT NULL) THEN
        RAISE EXCEPTION 'a later version is decided already' USING ERRCODE = 'ST013';
    END IF;
    UPDATE lab.tissue_types SET signature_id = v_signature.id WHERE id = p_tissue AND signature_id IS NULL;
    IF NOT FOUND THEN RAISE EXCEPTION 'the tissue is decided already' USING ERRCODE = 'ST013'; END IF;
    RETURN v_signature.id;
END $$;

-- Two people, neither the appointee nor an administrator, appoint. Each supports in a change of their own; the second
-- support makes the appointment.
CREATE OR REPLACE FUNCTION gate.support_appointment(p_proposal bigint, p_ceremony uuid, OUT appointment bigint, OUT supports integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_proposal people.proposals;
    v_record record;
    v_signature lab.signatures;
    v_first bigint;
BEGIN
    PERFORM lab.lock_one('facility', 1);
    SELECT * INTO v_proposal FROM people.proposals WHERE id = p_proposal FOR UPDATE;
    SELECT * INTO v_record FROM dossier.record('proposal', p_proposal);
    v_signature := gate.consume(p_ceremony, 'appointment_supported', 'proposal', p_proposal, v_record.bytes, v_record.version);
    IF v_signature.account_id = v_proposal.account_id THEN
        RAISE EXCEPTION 'nobody supports their own appointment' USING ERRCODE = 'ST033';
    END IF;
    IF EXISTS (SELECT FROM lab.signatures s WHERE s.meaning = 'appointment_supported' AND s.record_kind = 'proposal'
               AND s.record_id = p_proposal AND s.account_id = v_signature.account_id AND s.id <> v_signature.id) THEN
        RAISE EXCEPTION 'this person has supported the proposal already' USING ERRCODE = 'ST033';
    END IF;
    IF EXISTS (SELECT FROM people.appointments WHERE proposal_id = p_proposal) THEN
        RAISE EXCEPTION 'the appointment is made already' USING ERRCODE = 'ST013';
    END IF;
    SELECT s.id INTO v_first FROM lab.signatures s JOIN people.accounts a ON a.id = s.account_id
    WHERE s.meaning = 'appointment_supported' AND s.record_kind = 'proposal' AND s.record_id = p_proposal
      AND s.id <> v_signature.id AND s.digest = v_signature.digest AND a.state = 'active'
      AND people.cannot_sign(a.id, 'appointment_supported', 'proposal') IS NULL ORDER BY s.id LIMIT 1;
    supports := CASE WHEN v_first IS NULL THEN 1 ELSE 2 END;
    IF v_first IS NOT NULL THEN
        IF EXISTS (SELECT FROM people.appointments a WHERE a.revoked_at IS NULL
                   AND tstzrange(a.from_at, a.until_at) && tstzrange(v_proposal.from_at, v_proposal.until_at)) THEN
            RAISE EXCEPTION 'another quality authority is appointed in that time' USING ERRCODE = 'ST035';
        END IF;
        INSERT INTO people.appointments (account_id, title_level, title_certificate, certificate_valid_until, from_at,
            until_at, first_signature_id, second_signature_id, proposal_id)
        -- Nobody was the authority before the second person signed.
        VALUES (v_proposal.account_id, v_proposal.title_level, v_proposal.title_certificate, v_proposal.certificate_valid_until,
            greatest(v_proposal.from_at, v_signature.signed_at), v_proposal.until_at, v_first, v_signature.id, p_proposal)
        RETURNING id INTO appointment;
    END IF;
END $$;

CREATE OR REPLACE FUNCTION gate.revoke_appointment(p_appointment bigint, p_ceremony uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_record record;
    v_signature lab.signatures;
BEGIN
    PERFORM lab.lock_one('facility', 1);
    SELECT * INTO v_record FROM dossier.record('appointment', p_appointment);
    v_signature := gate.consume(p_ceremony, 'appointment_revoked', 'appointment', p_appointment, v_record.bytes, v_record.version);
    UPDATE people.appointments SET revoked_at = v_signature.signed_at, revoked_signature_id = v_signature.id
    WHERE id = p_appointment AND revoked_at IS NULL;
    IF NOT FOUND THEN RAISE EXCEPTION 'the appointment is revoked already' USING ERRCODE = 'ST013'; END IF;
    RETURN v_signature.id;
END $$;

-- A ceremony that was refused is spent: it cannot be tried again on another state of the record.
CREATE OR REPLACE FUNCTION gate.burn(p_ceremony uuid, p_why text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE people.ceremonies SET burned_at = clock_timestamp(), burned_why = p_why
    WHERE id = p_ceremony AND used_at IS NULL AND burned_at IS NULL AND account_id = lab.entry_actor();
    RETURN FOUND;
END $$;

CREATE OR REPLACE FUNCTION gate.setting(p_name text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT value FROM lab.settings WHERE name = p_name AND valid_from <= clock_timestamp() ORDER BY valid_from DESC, version DESC LIMIT 1
$$;

-- Days of stem-cell quality management before the appointment, first and last of each interval included: overlapping
-- intervals count once, unevidenced ones never.
CREATE OR REPLACE FUNCTION gate.experience_days(p_appointment bigint) RETURNS numeric
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET "TimeZone" = 'UTC' AS $$
    SELECT coalesce(sum(upper(part) - lower(part)), 0)::numeric FROM people.appointments a, LATERAL (
        SELECT unnest(range_agg(daterange(e.from_on, least(e.to_on + 1, a.from_at::date)))) AS part
        FROM people.experience e
        WHERE e.proposal_id = a.proposal_id
          AND coalesce(gate.setting('qa03.domains'), '["stem_cell_quality_management"]') ? e.domain
          AND btrim(e.evidence) <> '' AND e.from_on < least(e.to_on + 1, a.from_at::date)
    ) AS parts WHERE a.id = p_appointment
$$;

-- What SQL itself finds against releasing this lot, whatever Python judged. Empty when nothing. The package's digest is
-- computed unless the caller has just done so. p_pending: lines whose results a first release of two does without; NULL
-- for the release itself, which does without none.
DROP FUNCTION IF EXISTS gate.objections(bigint, bigint);
DROP FUNCTION IF EXISTS gate.objections(bigint, bigint, text);
CREATE OR REPLACE FUNCTION gate.objections(p_lot bigint, p_account bigint, p_package_digest text DEFAULT NULL, p_pending bigint[] DEFAULT NULL)
RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET "TimeZone" = 'UTC' SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_lot lab.lots;
    v_donors bigint[];
    v_appointments integer;
    v_appointment people.appointments;
    v_roles text[] := people.roles_of(p_account);
    v_now timestamptz := clock_timestamp();
    v_review record;
    v_labels jsonb;
    v_count lab.label_counts;
    v_began timestamptz := coalesce((SELECT min(started_at) FROM lab.steps WHERE lot_id = p_lot), v_now);
    v_used bigint[] := lab.with_parts(ARRAY(SELECT DISTINCT material_lot_id FROM lab.consumptions WHERE lot_id = p_lot));
BEGIN
    SELECT * INTO v_lot FROM lab.lots WHERE id = p_lot;
    -- the authority
    SELECT count(*) INTO v_appointments FROM people.appointments a
    WHERE a.revoked_at IS NULL AND a.from_at <= v_now AND (a.until_at IS NULL OR a.until_at > v_now);
    IF v_appointments <> 1 THEN RETURN NEXT 'QA-01: ' || v_appointments || ' quality authorities are appointed, not one'; END IF;
    SELECT * INTO v_appointment FROM people.appointments a WHERE a.account_id = p_account
      AND a.revoked_at IS NULL AND a.from_at <= v_now AND (a.until_at IS NULL OR a.until_at > v_now) ORDER BY id DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN NEXT 'QA-04: the signer is not the appointed quality authority';
    ELSE
        IF NOT coalesce(gate.setting('qa02.title_levels'), '[]') ? v_appointment.title_level
           OR coalesce(v_appointment.title_certificate, '') = ''
           OR v_appointment.certificate_valid_until < v_now::date THEN
            RETURN NEXT 'QA-02: no valid senior title';
        END IF;
        IF gate.experience_days(v_appointment.id) < coalesce((gate.setting('qa03.years') #>> '{}')::numeric, 3) * 365.25 THEN
            RETURN NEXT 'QA-03: too little experience in stem cell quality management';
        END IF;
    END IF;
    IF v_roles && ARRAY['administrator', 'head_of_production'] THEN
        RETURN NEXT 'QA-05: the signer administers the system or heads production';
    END IF;
    IF EXISTS (SELECT FROM lab.steps WHERE lot_id = p_lot AND p_account IN (performed_by, verified_by, recorded_by))
       OR EXISTS (SELECT FROM lab.verifications WHERE lot_id = p_lot AND p_account IN (verified_by, recorded_by))
       OR EXISTS (SELECT FROM lab.results WHERE lot_id = p_lot AND p_account IN (analyst, recorded_by))
       OR EXISTS (SELECT FROM lab.samples WHERE lot_id = p_lot AND p_account IN (taken_by, recorded_by))
       OR p_account IN (SELECT recorded_by FROM lab.virus_tests WHERE lot_id = p_lot
            UNION ALL SELECT recorded_by FROM lab.virus_test_outcomes WHERE lot_id = p_lot
            UNION ALL SELECT recorded_by FROM lab.tests_under_way WHERE lot_id = p_lot
            UNION ALL SELECT recorded_by FROM lab.partner_lots WHERE lot_id = p_lot
            UNION ALL SELECT recorded_by FROM lab.partner_papers WHERE lot_id = p_lot)
       OR EXISTS (SELECT FROM lab.result_reviews v JOIN lab.results r ON r.id = v.result_id
                  JOIN lab.signatures s ON s.id = v.signature_id WHERE r.lot_id = p_lot AND s.account_id = p_account)
       OR EXISTS (SELECT FROM lab.batch_reviews b JOIN lab.signatures s ON s.id = b.signature_id
                  WHERE b.lot_id = p_lot AND s.account_id = p_account)
       OR EXISTS (SELECT FROM lab.line_clearances c JOIN lab.workstation_sessions w
                  ON c.id IN (w.opening_clearance_id, w.closing_clearance_id)
                  WHERE w.lot_id = p_lot AND p_account IN (c.performed_by, c.verified_by)) THEN
        RETURN NEXT 'QA-05: the signer performed, verified, tested or reviewed something of this lot';
    END IF;
    -- the lot
    IF v_lot.kind = 'material' THEN RETURN NEXT 'QA-04: a material lot is approved for use, not released'; END IF;
    IF EXISTS (SELECT FROM lab.open_holds(p_lot)) THEN RETURN NEXT 'GMP-06: there is an open hold'; END IF;
    IF EXISTS (SELECT FROM lab.deviations d WHERE (d.state = 'open' OR d.impact = 'unacceptable') AND (
            d.item_id IN (SELECT item_id FROM lab.ancestry(p_lot)) OR d.item_id = ANY (v_used))) THEN
        RETURN NEXT 'GMP-06: a deviation is open, or its impact is unacceptable';
    END IF;
    -- what was recalled or rejected since it was used, or since it went into what was used
    IF EXISTS (SELECT FROM lab.lots m WHERE m.id = ANY (v_used)
               AND (m.state = 'rejected' OR (m.state = 'recalled' AND NOT EXISTS (
                   SELECT FROM lab.waivers w WHERE w.lot_id = p_lot AND w.rule = 'MAT-11' AND w.signature_id IS NOT NULL
                     AND w.valid_from <= v_now AND w.valid_to > v_now)))) THEN
        RETURN NEXT 'MAT-11: a material of the lot was recalled or rejected';
    END IF;
    IF EXISTS (SELECT FROM lab.virus_test_outcomes o WHERE o.outcome = 'positive' AND (o.lot_id = p_lot
               OR o.lot_id IN (SELECT material_lot_id FROM lab.consumptions WHERE lot_id = p_lot))) THEN
        RETURN NEXT 'GM-05: replication-competent virus was found in the lot or in its vector';
    END IF;
    IF p_pending IS NULL AND EXISTS (SELECT FROM lab.tests_under_way w WHERE w.lot_id = p_lot AND NOT EXISTS (
            SELECT FROM lab.results r WHERE r.lot_id = w.lot_id AND r.line_id = w.line_id AND r.sample_id = w.sample_id
              AND r.measured_at >= w.started_at)) THEN  -- another sample's result does not answer for the one that is waited for
        RETURN NEXT 'REL-02: a test that was begun has no result yet';
    END IF;
    IF p_pending IS NULL AND gate.virus_pending(p_lot) THEN
        RETURN NEXT 'GM-05: a test for replication-competent virus is pending';
    END IF;
    IF EXISTS (SELECT FROM lab.consumptions u JOIN lab.vector_statements v ON v.vector_lot_id = u.material_lot_id
               WHERE u.lot_id = p_lot AND v.vector_type IN ('lentivirus', 'gamma_retrovirus') AND gate.virus_pending(u.material_lot_id)) THEN
        RETURN NEXT 'GM-05: a test of the vector for replication-competent virus is pending';
    END IF;
    IF v_lot.expires_at IS NULL OR v_lot.expires_at <= v_now THEN RETURN NEXT 'REL-07: expired, or no expiry stated'; END IF;
    -- every label accounted for by the last count, or answered for under a deviation that was signed after that was stated
    v_labels := dossier.labels(p_lot);
    SELECT * INTO v_count FROM lab.label_counts WHERE lot_id = p_lot ORDER BY id DESC LIMIT 1;
    IF v_count.id IS NULL OR v_count.printed = 0 OR v_count.printed <> (v_labels ->> 'printed')::integer
       OR (v_labels ->> 'last_printed_at')::timestamptz > v_count.recorded_at THEN
        RETURN NEXT 'REL-04: the labels were not counted since the last was printed';
    ELSIF v_count.printed <> v_count.used + v_count.destroyed + v_count.returned AND NOT EXISTS (
            SELECT FROM lab.label_imbalances i JOIN lab.deviations d ON d.id = i.deviation_id
            WHERE i.count_id = v_count.id AND d.state = 'closed' AND d.impact IN ('none', 'acceptable')
              AND 'REL-04' = ANY (d.rules) AND i.recorded_at <= d.closed_at
              AND d.item_id IN (SELECT item_id FROM lab.ancestry(p_lot))) THEN
        RETURN NEXT 'REL-04: the labels do not reconcile';
    END IF;
    IF v_lot.specification_id IS NULL OR NOT EXISTS (SELECT FROM lab.specification_lines
            WHERE specification_id = v_lot.specification_id AND required) THEN
        RETURN NEXT 'REL-03: no specification with required tests';
    END IF;
    IF EXISTS (SELECT FROM lab.specification_lines l WHERE l.specification_id = v_lot.specification_id AND l.required
               AND l.id <> ALL (coalesce(p_pending, '{}'))
               AND NOT EXISTS (SELECT FROM lab.results r WHERE r.lot_id = p_lot AND r.line_id = l.id
                   AND NOT EXISTS (
                       SELECT FROM lab.result_invalidations i JOIN lab.deviations d ON d.id = i.deviation_id
                       WHERE i.result_id = r.id AND d.state = 'closed' AND d.item_id IN (SELECT item_id FROM lab.ancestry(p_lot))))) THEN
        RETURN NEXT 'REL-02: a required test has no result';
    END IF;
    FOR v_review IN
        SELECT l.test, (SELECT v.decision FROM lab.result_reviews v WHERE v.result_id = r.id ORDER BY v.id DESC LIMIT 1) AS decision,
               CASE WHEN l.kind = 'qualitative' THEN lab.spoken(r.value_text) = lab.spoken(l.expected)
                    ELSE r.value_number IS NOT NULL AND r.unit IS NOT DISTINCT FROM l.unit
                         AND (l.low IS NULL OR r.value_number >= l.low) AND (l.high IS NULL OR r.value_number <= l.high) END AS within,
               l.safety
        FROM lab.results r JOIN lab.specification_lines l ON l.id = r.line_id
        WHERE r.lot_id = p_lot AND NOT EXISTS (
                       SELECT FROM lab.result_invalidations i JOIN lab.deviations d ON d.id = i.deviation_id
                       WHERE i.result_id = r.id AND d.state = 'closed' AND d.item_id IN (SELECT item_id FROM lab.ancestry(p_lot)))
    LOOP
        IF v_review.decision IS DISTINCT FROM 'accepted' THEN RETURN NEXT 'REL-02: a result of ' || v_review.test || ' is not reviewed'; END IF;
        IF v_review.within IS NOT TRUE AND (v_review.safety OR NOT EXISTS (
                SELECT FROM lab.waivers w WHERE w.lot_id = p_lot AND w.rule = 'REL-02' AND w.signature_id IS NOT NULL
                  AND w.valid_from <= v_now AND w.valid_to > v_now)) THEN
            RETURN NEXT 'REL-02: a result of ' || v_review.test || ' fails';
        END IF;
    END LOOP;
    -- the second person
    IF EXISTS (SELECT FROM lab.steps s LEFT JOIN lab.verifications v ON v.step_id = s.id
               WHERE s.lot_id = p_lot AND coalesce(gate.setting('gmp05.critical_steps') ? s.kind, true)
                 AND NOT gate.verified_by_a_partner(s) AND (v.verified_by IN (s.performed_by, s.recorded_by) OR s.ended_at IS NULL
                      OR ((v.id IS NULL OR v.recorded_at > s.ended_at + gate.hours_to_verify()) AND NOT gate.legacy_shows_lot('GMP-05', p_lot)))) THEN
        RETURN NEXT 'GMP-05: a step was not verified in time by a second person';
    END IF;
    -- where it came from
    IF v_lot.donation_id IS NULL OR NOT EXISTS (
            SELECT FROM lab.determinations t WHERE t.donation_id = v_lot.donation_id AND t.decision = 'eligible'
              AND t.id = (SELECT max(id) FROM lab.determinations WHERE donation_id = v_lot.donation_id))
       AND NOT (gate.legacy_shows('DON-12', p_lot, v_lot.donor_id) AND v_lot.donation_id IS NOT NULL
                AND NOT EXISTS (SELECT FROM lab.determinations t WHERE t.donation_id = v_lot.donation_id)) THEN
        RETURN NEXT 'DON-12: the donation is not determined eligible';
    END IF;
    -- Whoever is named by the lot, by a donation or by the lineage: an edge left out hides no donor.
    SELECT coalesce(array_agg(DISTINCT id), '{}') INTO v_donors FROM (
        SELECT d.id FROM lab.donors d WHERE d.id IN (SELECT item_id FROM lab.ancestry(p_lot))
        UNION SELECT d.donor_id FROM lab.donations d WHERE d.id IN (SELECT item_id FROM lab.ancestry(p_lot))
        UNION SELECT v_lot.donor_id) AS behind(id) WHERE id IS NOT NULL;
    IF v_donors IS DISTINCT FROM ARRAY[v_lot.donor_id] THEN
        RETURN NEXT 'REL-05: not exactly one donor stands behind the lot';
    END IF;
    IF EXISTS (SELECT FROM lab.donors d JOIN lab.marker_results m ON m.donor_id = d.id
               WHERE d.id = ANY (v_donors) AND d.relation = 'allogeneic'
                 AND m.outcome = 'positive' AND gate.excludes(m.analyte, m.marker)) THEN
        RETURN NEXT 'DON-01: a donor marker is positive';
    END IF;
    -- No consent that was withdrawn, signed after the collection or recorded after processing began covers anything; what
    -- is always asked is covered.
    IF EXISTS (SELECT FROM unnest(v_donors) AS donor(id) WHERE NOT (
            SELECT coalesce(jsonb_agg(scope), '[]') FROM lab.consents c, unnest(c.scopes) AS scope
            WHERE c.donor_id = donor.id AND c.withdrawn_at IS NULL
              AND c.signed_at <= (SELECT collected_at FROM lab.donations WHERE id = v_lot.donation_id)
              AND (c.recorded_at <= v_began OR gate.legacy_shows('DON-10', p_lot, donor.id)))
            @> coalesce(gate.setting('don10.scopes') -> 'always', '["donation", "processing"]')
            AND NOT (gate.legacy_shows('DON-10', p_lot, donor.id) AND NOT EXISTS (SELECT FROM lab.consents c WHERE c.donor_id = donor.id))) THEN
        RETURN NEXT 'DON-10: no consent that was signed before the collection and on record before processing stands';
    END IF;
    IF EXISTS (SELECT FROM lab.donors d WHERE d.id = ANY (v_donors) AND d.relation = 'autologous') AND NOT EXISTS (
            SELECT FROM lab.assessments a JOIN lab.signatures s ON s.id = a.signature_id
            WHERE a.rule = 'DON-05' AND s.account_id <> a.proposed_by AND s.signed_at <= v_began
              AND a.valid_from <= v_began AND a.valid_to > v_began
              AND (a.scope_kind = 'facility' OR (a.scope_kind = 'process' AND a.scope_id = v_lot.process_id)
                   OR (a.scope_kind = 'donor' AND a.scope_id = v_lot.donor_id)))
       AND NOT gate.legacy_shows('DON-05', p_lot, v_lot.donor_id) THEN
        RETURN NEXT 'DON-05: cross-contamination was not assessed before processing';
    END IF;
    IF EXISTS (SELECT FROM lab.consumptions u WHERE u.lot_id = p_lot
               AND (u.step_id IS NULL OR u.quantity IS NULL OR coalesce(btrim(u.unit), '') = ''))
       AND dossier.banks(p_lot) = '[]' THEN
        RETURN NEXT 'CB-06: it is not known in which step, or how much of, a material was used';
    END IF;
    IF v_lot.kind <> 'bank' AND dossier.banks(p_lot) = '[]' AND coalesce((
            SELECT b.needed FROM lab.bank_policies b JOIN lab.signatures s ON s.id = b.signature_id
            WHERE b.process_id = v_lot.process_id AND s.account_id <> b.proposed_by AND s.signed_at <= v_began ORDER BY b.version DESC LIMIT 1),
            -- of a patient's own cells, gene modified, CB-01A asks
            NOT (gate.own_cells(v_donors) AND EXISTS (SELECT FROM lab.process_versions p WHERE p.id = v_lot.process_id AND p.gene_modified))) THEN
        RETURN NEXT 'CB-03: it was not decided before processing that no cell bank is needed';
    END IF;
    IF v_lot.kind = 'bank' AND EXISTS (SELECT FROM jsonb_each(gate.setting('cb07.tests')) AS wanted(test, names)
            WHERE gate.setting('cb07.never_waived') ? wanted.test AND NOT EXISTS (
                SELECT FROM lab.specification_lines l WHERE l.specification_id = v_lot.specification_id AND l.required
                  AND lower(regexp_replace(btrim(normalize(l.test, NFKC)), '\s+', ' ', 'g')) IN (
                      SELECT lower(normalize(n, NFKC)) FROM jsonb_array_elements_text(wanted.names) AS n))) THEN
        RETURN NEXT 'CB-07: the specification of the bank leaves out a test of safety or identity';
    END IF;
    IF EXISTS (SELECT FROM lab.steps t JOIN lab.lineage l ON l.step_id = t.id JOIN lab.containers c ON c.id = l.parent_id
               JOIN lab.lots b ON b.id = c.lot_id AND b.kind = 'bank' WHERE t.lot_id = p_lot AND t.kind = 'thaw'
                 AND NOT EXISTS (SELECT FROM lab.withdrawals w WHERE w.vial_id = c.id AND w.lot_id = p_lot)) THEN
        RETURN NEXT 'CB-09: a vial was thawed that was not withdrawn for this lot';
    END IF;
    IF EXISTS (SELECT FROM lab.donors d WHERE d.id = v_lot.donor_id AND d.relation = 'autologous'
               AND d.recipient_id IS DISTINCT FROM d.id) OR
       EXISTS (SELECT FROM lab.donors d WHERE d.id = v_lot.donor_id AND d.relation = 'autologous'
               AND v_lot.recipient_id IS DISTINCT FROM d.id) THEN
        RETURN NEXT 'REL-05: an autologous lot goes back to its donor alone';
    END IF;
    RETURN QUERY SELECT * FROM gate.second_hands(p_lot, v_donors, v_began);
    RETURN QUERY SELECT * FROM gate.second_hands_on_partners(p_lot, v_began);
    IF NOT EXISTS (SELECT FROM lab.batch_reviews b WHERE b.lot_id = p_lot AND b.decision = 'accepted'
                   AND b.id = (SELECT max(id) FROM lab.batch_reviews WHERE lot_id = p_lot)
                   AND b.package_digest = coalesce(p_package_digest, audit.sha256_hex(dossier.package(p_lot)::text))) THEN
        RETURN NEXT 'QA-06: the batch record is not reviewed as it stands';
    END IF;
END $$;

-- Whether each of these donors is proved to be the recipient of their own cells: one person throughout.
CREATE OR REPLACE FUNCTION gate.own_cells(p_donors bigint[]) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT count(*) > 0 AND count(*) = count(*) FILTER (WHERE d.relation = 'autologous' AND d.id = d.recipient_id
        AND d.id = d.genetic_source_id AND d.id = d.tested_person_id) FROM lab.donors d WHERE d.id = ANY (p_donors)
$$;

-- Markers whose positive result alone excludes an allogeneic donor; the others ask for a waiver, judged by DON-01.
CREATE OR REPLACE FUNCTION gate.excludes(p_analyte text, p_marker text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT NOT EXISTS (
        SELECT FROM jsonb_each(coalesce(gate.setting('don01.waivable'), '{}')) AS w(analyte, rule)
        WHERE w.analyte = p_analyte AND w.rule ->> 'marker' = p_marker)
      AND NOT coalesce(gate.setting('don02.serostatus'), '{"CMV": [], "EBV": []}') ? p_analyte  -- judged by DON-02
$$;

-- Release. Everything is asked again under the locks; the judgement must be of these very bytes.
CREATE OR REPLACE FUNCTION gate.release(p_lot bigint, p_ceremony uuid, p_judgement bigint, OUT release bigint, OUT signature bigint, OUT signed_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_record record;
    v_judgement lab.judgements;
    v_signature lab.signatures;
    v_account bigint;
    v_against text;
    v_move text;
BEGIN
    PERFORM lab.lock_for_judgement(p_lot);
    SELECT * INTO v_record FROM dossier.record('lot', p_lot);
    SELECT * INTO v_judgement FROM lab.judgements
    WHERE id = p_judgement AND subject_kind = 'lot' AND subject_id = p_lot AND gate = 'G6';
    IF NOT FOUND OR v_judgement.blocks OR v_judgement.recorded_at < clock_timestamp() - interval '5 minutes' THEN
        RAISE EXCEPTION 'the judgement blocks, is not of this lot, or not of now' USING ERRCODE = 'ST021';
    END IF;
    IF v_judgement.digest IS DISTINCT FROM audit.sha256_hex(v_record.bytes) OR v_judgement.dossier IS DISTINCT FROM v_record.bytes THEN
        RAISE EXCEPTION 'the dossier changed since it was judged' USING ERRCODE = 'ST020';
    END IF;
    v_signature := gate.consume(p_ceremony, 'released', 'lot', p_lot, v_record.bytes, v_record.version);
    IF v_signature.appointment_id IS NULL THEN
        RAISE EXCEPTION 'the signer is not the appointed quality authority' USING ERRCODE = 'ST030';
    END IF;
    SELECT string_agg(o, '; ') INTO v_against 
    FROM gate.objections(p_lot, v_signature.account_id, v_record.bytes::jsonb ->> 'package_digest') AS o;
    IF v_against IS NOT NULL THEN RAISE EXCEPTION '%', v_against USING ERRCODE = 'ST022'; END IF;
    INSERT INTO lab.releases (lot_id, signature_id, judgement_id, appointment_id, digest)
    VALUES (p_lot, v_signature.id, p_judgement, v_signature.appointment_id, v_signature.digest) RETURNING id INTO release;
    PERFORM lab.make_move(p_lot, 'release', v_signature.id, release);
    signature := v_signature.id;
    signed_at := v_signature.signed_at;
    PERFORM pg_notify('stemma_seal', 'release');
END $$;
