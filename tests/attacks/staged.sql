-- Lots as they stand just before release, written by a superuser's hand: for attacks and races, which begin where a
-- life ends. Temporary functions; nothing of this stays in the database but rows.

CREATE FUNCTION pg_temp.who(p_name text) RETURNS bigint LANGUAGE sql STABLE AS
$$ SELECT id FROM people.accounts WHERE username = p_name $$;

-- One of our own codes: a letter, nine characters, the check character of ISO/IEC 7064 MOD 37,36 (written a second time
-- here). The second character varies until the check character is none that people misread.
CREATE FUNCTION pg_temp.code(p_letter text, p_number bigint) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_alphabet text := '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';
    v_body text;
    v_product integer;
    v_check text;
BEGIN
    FOR i IN 1..9 LOOP
        v_body := p_letter || i || lpad(p_number::text, 8, '0');
        v_product := 36;
        FOR j IN 1..10 LOOP
            v_product := v_product + position(substr(v_body, j, 1) IN v_alphabet) - 1;
            v_product := (CASE v_product % 36 WHEN 0 THEN 36 ELSE v_product % 36 END * 2) % 37;
        END LOOP;
        v_check := substr(v_alphabet, (37 - v_product) % 36 + 1, 1);
        IF v_check NOT IN ('I', 'L', 'O', 'U') THEN RETURN v_body || v_check; END IF;
    END LOOP;
END $$;

CREATE FUNCTION pg_temp.item(p_kind text) RETURNS bigint LANGUAGE sql AS $$
    WITH made AS (INSERT INTO lab.items (kind) VALUES (p_kind) RETURNING id)
    INSERT INTO lab.item_codes (code, item_id, scheme)
    SELECT pg_temp.code(substr('PDLVMTRESNG', array_position(ARRAY['person', 'donation', 'lot', 'container', 'material_container',
        'sample', 'retain', 'equipment', 'shelf', 'position', 'badge'], p_kind), 1), id), id, 'own'
    FROM made RETURNING item_id
$$;

-- A signature with its used ceremony, as the gate would have written it then.
CREATE FUNCTION pg_temp.signed(p_who text, p_meaning text, p_kind text, p_record bigint, p_statement text, p_digest text, p_at timestamptz)
RETURNS bigint LANGUAGE sql AS $$
    WITH proof AS (
        INSERT INTO people.ceremonies (account_id, meaning, record_kind, record_id, record_version, statement, digest, factors,
                                       issued_at, expires_at, used_at)
        VALUES (pg_temp.who(p_who), p_meaning, p_kind, p_record, 1, p_statement, p_digest, '{password,totp}',
                p_at - interval '1 minute', p_at + interval '1 minute', p_at) RETURNING id)
    INSERT INTO lab.signatures (ceremony_id, account_id, printed_name, roles, meaning, record_kind, record_id,
                                record_version, statement, digest, signed_at)
    SELECT proof.id, a.id, a.printed_name, '{}', p_meaning, p_kind, p_record, 1, p_statement, p_digest, p_at
    FROM proof, people.accounts a WHERE a.username = p_who RETURNING id
$$;

CREATE FUNCTION pg_temp.history(p_lot bigint, p_kind text, p_acts text[], p_signature bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_from text := 'none';
    v_to text;
    v_seq integer := 0;
    v_act text;
BEGIN
    FOREACH v_act IN ARRAY p_acts LOOP
        SELECT to_state INTO STRICT v_to FROM lab.lot_moves WHERE kind = p_kind AND from_state = v_from AND act = v_act;
        v_seq := v_seq + 1;
        INSERT INTO lab.lot_history (lot_id, seq, kind, from_state, act, to_state, signature_id, recorded_by)
        VALUES (p_lot, v_seq, p_kind, v_from, v_act, v_to, CASE WHEN v_to = 'approved' THEN p_signature END, pg_temp.who('quinn'));
        v_from := v_to;
    END LOOP;
END $$;

-- What all lots share: a workstation cleared, a process, two specifications with all safety tests (the second
-- without the one that stage.leaves_out names), a
-- material lot approved two months ago and an opened bottle of it.
CREATE FUNCTION pg_temp.stage(OUT workstation bigint, OUT clearance bigint, OUT process bigint, OUT whole bigint, OUT short bigint,
                              OUT bottle bigint, OUT medium bigint) LANGUAGE plpgsql AS $$
DECLARE
    v_material bigint;
    v_signature bigint;
    v_authorisation bigint;
    v_policy bigint;
BEGIN
    workstation := pg_temp.item('equipment');
    INSERT INTO lab.equipment (id, name, kind, room, recorded_by)
    VALUES (workstation, 'BSC ' || workstation, 'workstation', 'A-1', pg_temp.who('quinn'));
    INSERT INTO lab.equipment_qualifications (equipment_id, kind, done_on, due_on, outcome, as_found_in_tolerance, evidence, done_by, recorded_by, recorded_at)
    VALUES (workstation, 'performance', current_date - 200, current_date + 500, 'passed', true, 'PQ-1', 'Metrology Ltd', pg_temp.who('quinn'),
            clock_timestamp() - interval '199 days');
    INSERT INTO lab.area_classifications (workstation_id, room, grade, classified_on, due_on, evidence, recorded_by, recorded_at)
    SELECT area.*, current_date - 200, current_date + 500, 'CL-1', pg_temp.who('quinn'), clock_timestamp() - interval '199 days'
    FROM (VALUES (workstation, NULL, 'A'), (NULL, 'A-1', 'B')) AS area(workstation_id, room, grade);
    INSERT INTO lab.line_clearances (workstation_id, phase, checks, performed_by, cleared_at, recorded_by)
    VALUES (workstation, 'before', '{}', pg_temp.who('tess'), clock_timestamp() - interval '41 days',
            pg_temp.who('tess')) RETURNING id INTO clearance;
    INSERT INTO lab.process_versions (name, version, product, product_zh, cell_source, passage_convention, max_passage, max_pdl,
        shelf_life_days, gene_modified, long_term_expansion, clone_selected, short_cycle, low_manipulation, recorded_by)
    VALUES ('MSC ' || workstation, 1, 'MSC', '间充质干细胞', 'bone marrow', 'primary_is_p0', 5, 20, 730, false, false, false, true,
            true, pg_temp.who('quinn')) RETURNING id INTO process;
    INSERT INTO lab.authorisations (process_id, owner, address, classification, valid_from, valid_to, proposed_by)
    VALUES (process, 'test house', 'here', 'A in B', clock_timestamp() - interval '190 days', clock_timestamp() + interval '500 days',
            pg_temp.who('quinn')) RETURNING id INTO v_authorisation;
    v_signature := pg_temp.signed('lin', 'process_authorised', 'authorisation', v_authorisation, '', repeat('0', 64), clock_timestamp() - interval '189 days');
    UPDATE lab.authorisations SET signature_id = v_signature WHERE id = v_authorisation;
    INSERT INTO lab.bank_policies (process_id, version, needed, conditions, tiers, reasons, proposed_by)
    VALUES (process, 1, false, '{autologous,low_manipulation,short_cycle}', '{}', 'own cells', pg_temp.who('quinn')) RETURNING id INTO v_policy;
    v_signature := pg_temp.signed('lin', 'bank_policy_decided', 'bank_policy', v_policy, '', repeat('0', 64), clock_timestamp() - interval '189 days');
    UPDATE lab.bank_policies SET signature_id = v_signature WHERE id = v_policy;
    INSERT INTO lab.specifications (name, version, effective_from, recorded_by)
    VALUES ('whole ' || workstation, 1, clock_timestamp() - interval '90 days', pg_temp.who('quinn')) RETURNING id INTO whole;
    INSERT INTO lab.specification_lines (specification_id, test, method, kind, low, high, unit, expected, safety, required)
    SELECT whole, test, 'SOP', CASE WHEN expected IS NULL THEN 'quantitative' ELSE 'qualitative' END, low, high, unit, expected, true, true
    FROM (VALUES ('sterility', NULL::numeric, NULL::numeric, NULL, 'no growth'), ('mycoplasma', NULL, NULL, NULL, 'not detected'),
        ('endotoxin', NULL, 0.5, 'EU/mL', NULL), ('viability', 70, NULL, '%', NULL), ('identity', NULL, NULL, NULL, 'conforms'),
        ('dose', 20000000, 50000000, 'cells/vial', NULL), ('adventitious virus', NULL, NULL, NULL, 'not detected')
    ) AS lines(test, low, high, unit, expected);
    INSERT INTO lab.specifications (name, version, effective_from, recorded_by)
    VALUES ('short ' || workstation, 1, clock_timestamp() - interval '90 days', pg_temp.who('quinn')) RETURNING id INTO short;
    INSERT INTO lab.specification_lines (specification_id, test, method, kind, low, high, unit, expected, safety, required)
    SELECT short, test, method, kind, low, high, unit, expected, safety, required FROM lab.specification_lines
    WHERE specification_id = whole AND test IS DISTINCT FROM current_setting('stage.leaves_out', true) ORDER BY id;
    INSERT INTO lab.materials (name, description, grade, composition, composition_complete, animal_serum, recorded_by)
    VALUES ('medium ' || workstation, 'DMEM low glucose', 'pharmacopoeial_excipient', '[{"name": "glucose", "cas": null}]', true, false, pg_temp.who('quinn'))
    RETURNING id INTO v_material;
    INSERT INTO lab.material_statements (material_id, animal_derived, human_derived, recorded_by) VALUES (v_material, false, false, pg_temp.who('quinn'));
    medium := pg_temp.item('lot');
    v_signature := pg_temp.signed('quinn', 'material_approved', 'material_lot', medium, '', repeat('0', 64), clock_timestamp() - interval '60 days');
    INSERT INTO lab.lots (id, name, kind, state, version, recorded_by) VALUES (medium, 'MAT ' || medium, 'material', 'approved', 2, pg_temp.who('tess'));
    PERFORM pg_temp.history(medium, 'material', '{receive,approve}', v_signature);
    INSERT INTO lab.material_lots (id, material_id, supplier, supplier_lot, expires_on, received_at, certificate_reference,
        certificate_reviewed_at, storage_ok, recorded_by, recorded_at)
    VALUES (medium, v_material, 'Supplier', 'SL-1', current_date + 300, clock_timestamp() - interval '65 days', 'C-1',
            clock_timestamp() - interval '61 days', true, pg_temp.who('tess'), clock_timestamp() - interval '61 days');
    INSERT INTO lab.material_lot_suppliers (material_lot_id, supplier_id, recorded_by)
    SELECT medium, s.id, pg_temp.who('tess') FROM lab.suppliers s WHERE s.name = 'Good Supplies';
    INSERT INTO lab.judgements (subject_kind, subject_id, gate, rulebook, dossier, digest, verdicts, blocks, recorded_by)
    SELECT 'material_lot', medium, 'G1', 'staged', d, audit.sha256_hex(d), '{"verdicts": [{"rule": "MAT-03", "outcome": "pass"}]}', false,
           pg_temp.who('quinn') FROM dossier.material_lot(medium) AS d;
    bottle := pg_temp.item('material_container');
    INSERT INTO lab.containers (id, lot_id, kind, opened_until, recorded_by)
    VALUES (bottle, medium, 'bottle', clock_timestamp() + interval '30 days', pg_temp.who('tess'));
END $$;

-- One preparation awaiting release, its batch reviewed; only the signature is missing. With the whole specification it is
-- autologous, and every rule is satisfied; else allogeneic, and only what the gate itself asks stands.
CREATE FUNCTION pg_temp.lot(p_specification bigint, p_stage record) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_tess bigint := pg_temp.who('tess');
    v_vera bigint := pg_temp.who('vera');
    v_whole boolean := p_specification = p_stage.whole;
    v_donor bigint := pg_temp.item('person');
    v_recipient bigint := CASE WHEN p_specification = p_stage.whole THEN v_donor END;
    v_donation bigint := pg_temp.item('donation');
    v_lot bigint := pg_temp.item('lot');
    v_vial bigint := pg_temp.item('container');
    v_sample bigint := pg_temp.item('sample');
    v_retain bigint;
    v_session bigint;
    v_step bigint;
    v_signature bigint;
    v_digest text;
BEGIN
    INSERT INTO lab.persons (id, pseudonym) VALUES (v_donor, 'P-' || v_donor);
    INSERT INTO lab.donors (id, relation, tested_person_id, genetic_source_id, recipient_id, recorded_by)
    VALUES (v_donor, CASE WHEN v_whole THEN 'autologous' ELSE 'allogeneic' END, v_donor, v_donor, v_recipient, v_tess);
    INSERT INTO lab.identity_matches (donor_id, recipient_id, identifiers, verified_by, second_by, recorded_by)
    SELECT v_donor, v_recipient, '{hospital_number,birth_date}', v_tess, v_vera, v_tess WHERE v_whole;
    INSERT INTO lab.marker_results (donor_id, analyte, marker, method, kit_lot, laboratory, sampled_at, reported_at, outcome, recorded_by, recorded_at)
    SELECT v_donor, panel.analyte, marker, 'PCR', 'K-1', 'Clinical laboratory', v_now - interval '44 days', v_now - interval '43 days', 'negative', pg_temp.who('ana'), v_now - interval '43 days'
    FROM (SELECT analyte, jsonb_array_elements_text(markers) AS marker FROM lab.settings, jsonb_each(value) AS p(analyte, markers)
          WHERE name = 'don01.panel' ORDER BY version DESC) AS panel WHERE marker IS DISTINCT FROM current_setting('stage.leaves_out', true);
    INSERT INTO lab.consents (donor_id, form_version, scopes, signed_at, recorded_by, recorded_at)
    VALUES (v_donor, 'IC-3', '{donation,processing,allogeneic use}', v_now - interval '45 days', v_tess, v_now - interval '45 days');
    INSERT INTO lab.health_histories (donor_id, questionnaire_id, answers, asked_at, examined_at, examined_by, examination, recorded_by, recorded_at)
    SELECT v_donor, q.id, (SELECT jsonb_object_agg(asked ->> 'code', 'no') FROM jsonb_array_elements(q.questions) AS asked),
           v_now - interval '44 days', v_now - interval '44 days', 'Dr Phil Fang', 'suitable', v_tess, v_now - interval '44 days'
    FROM lab.questionnaires q WHERE q.name = 'Donor history';
    INSERT INTO lab.donations (id, donor_id, tissue, collected_at, received_at, recorded_by)
    VALUES (v_donation, v_donor, 'bone marrow', v_now - interval '42 days', v_now - interval '42 days' + interval '1 hour', v_tess);
    INSERT INTO lab.lineage (parent_id, child_id) VALUES (v_donor, v_donation);
    v_signature := pg_temp.signed('phil', 'eligibility_determined', 'donation', v_donation, 'eligible', repeat('0', 64), v_now - interval '41 days 12 hours');
    INSERT INTO lab.determinations (donation_id, decision, reason, signature_id, recorded_by)
    VALUES (v_donation, 'eligible', 'all negative', v_signature, pg_temp.who('phil'));
    INSERT INTO lab.lots (id, name, kind, state, version, donor_id, donation_id, recipient_id, process_id, specification_id, frozen_at, expires_at, recorded_by)
    VALUES (v_lot, 'PREP ' || v_lot, 'preparation', 'awaiting_release', 4, v_donor, v_donation, v_recipient, p_stage.process, p_specification,
            v_now - interval '20 days', v_now + interval '700 days', v_tess);
    PERFORM pg_temp.history(v_lot, 'preparation', '{plan,begin,finish,submit}', NULL);
    INSERT INTO lab.workstation_sessions (workstation_id, lot_id, donor_id, during, planned, opening_clearance_id, recorded_by)
    VALUES (p_stage.workstation, v_lot, v_donor, tstzrange(v_now - interval '40 days', v_now - interval '20 days'), false, p_stage.clearance, v_tess)
    RETURNING id INTO v_session;
    INSERT INTO lab.steps (lot_id, kind, passage, performed_by, workstation_session_id, started_at, ended_at,
        viable_seeded, viable_harvested, viability_percent, pd, cpdl, parameters, recorded_by)
    SELECT v_lot, kind, passage, v_tess, CASE WHEN kind <> 'cryopreservation' THEN v_session END, v_now - age, v_now - age + interval '2 hours',
        CASE WHEN pd > 0 THEN 500000 END, CASE WHEN pd > 0 THEN 4000000 END, 95, pd, cpdl,
        jsonb_build_object('place', dossier.own_code(p_stage.workstation)), v_tess
    FROM (VALUES ('isolation', 0, interval '40 days', NULL::numeric, NULL::numeric), ('passage', 1, interval '33 days', 3, 3),
                 ('fill', 1, interval '21 days', NULL, 3), ('cryopreservation', 1, interval '20 days 12 hours', NULL, 3)) AS s(kind, passage, age, pd, cpdl)
    WHERE v_whole OR kind = 'isolation';
    SELECT min(id) INTO v_step FROM lab.steps WHERE lot_id = v_lot;
    WITH taken AS (
        INSERT INTO lab.monitoring_samples (lot_id, session_id, kind, grade, place, taken_at, recorded_by)
        SELECT v_lot, v_session, wanted.kind, wanted.grade, 'work surface', v_now - interval '40 days', v_tess
        FROM (VALUES ('settle', 'A'), ('glove', 'A'), ('settle', 'B')) AS wanted(kind, grade) RETURNING id)
    INSERT INTO lab.monitoring_readings (lot_id, sample_id, value, read_at, recorded_by)
    SELECT v_lot, id, 0, v_now - interval '35 days', pg_temp.who('ana') FROM taken ORDER BY id;
    INSERT INTO lab.consumptions (step_id, lot_id, container_id, material_lot_id, quantity, unit, used_at, recorded_by)
    SELECT id, v_lot, p_stage.bottle, p_stage.medium, 45, 'mL', started_at, v_tess FROM lab.steps
    WHERE lot_id = v_lot AND kind <> 'cryopreservation' ORDER BY id;
    INSERT INTO lab.containers (id, lot_id, kind, state, passage, recorded_by) VALUES (v_vial, v_lot, 'vial', 'stored', 1, v_tess);
    INSERT INTO lab.lineage (parent_id, child_id, step_id) VALUES (v_donation, v_vial, v_step);
    INSERT INTO lab.verifications (lot_id, clearance_id, verified_by, badge_id, scanned_item_id, scanned, recorded_by, recorded_at)
    SELECT v_lot, c.id, v_vera, b.id, c.workstation_id, 'E', v_tess, c.cleared_at + interval '5 minutes'
    FROM lab.line_clearances c, people.badges b WHERE c.id = p_stage.clearance AND b.account_id = v_vera AND b.revoked_at IS NULL
    ON CONFLICT DO NOTHING;
    INSERT INTO lab.verifications (lot_id, step_id, verified_by, badge_id, scanned_item_id, scanned, recorded_by, recorded_at)
    SELECT v_lot, s.id, v_vera, b.id, v_vial, 'V', v_tess, s.ended_at + interval '10 minutes'
    FROM lab.steps s, people.badges b WHERE s.lot_id = v_lot AND b.account_id = v_vera AND b.revoked_at IS NULL ORDER BY s.id;
    INSERT INTO lab.labels (item_id, design, content_sha256, read_back, recorded_by) VALUES (v_vial, 'vial', repeat('0', 64), 'V', v_tess);
    INSERT INTO lab.label_counts (lot_id, printed, used, destroyed, returned, recorded_by) VALUES (v_lot, 1, 1, 0, 0, v_tess);
    INSERT INTO lab.samples (id, lot_id, from_item_id, purpose, taken_at, taken_by, recorded_by)
    VALUES (v_sample, v_lot, v_vial, 'release', v_now - interval '20 days', v_tess, v_tess);
    IF v_whole THEN
        FOR i IN 1..2 LOOP
            v_retain := pg_temp.item('retain');
            INSERT INTO lab.retains (id, lot_id, from_item_id, kind, quantity, unit, place, taken_at, recorded_by, recorded_at)
            VALUES (v_retain, v_lot, CASE i WHEN 1 THEN v_donation ELSE v_vial END, (ARRAY['starting_material', 'final_product'])[i],
                    1, 'mL', 'LN2-1', v_now - (ARRAY[interval '39 days', interval '20 days'])[i], v_tess, v_now - (ARRAY[interval '39 days', interval '20 days'])[i]);
        END LOOP;
    END IF;
    INSERT INTO lab.results (lot_id, sample_id, line_id, value_number, value_text, unit, method_version, analyst, measured_at, recorded_by)
    SELECT v_lot, v_sample, l.id, CASE WHEN l.expected IS NULL THEN coalesce((l.low + l.high) / 2, l.low + 20, l.high / 2) END, l.expected, l.unit, 'SOP/1',
           pg_temp.who('ana'), v_now - interval '10 days', pg_temp.who('ana')
    FROM lab.specification_lines l WHERE l.specification_id = p_specification ORDER BY l.id;
    v_digest := audit.sha256_hex(dossier.results_to_review(v_lot)::text);
    v_signature := pg_temp.signed('rolf', 'results_reviewed', 'results', v_lot, 'accepted', v_digest, v_now - interval '9 days');
    INSERT INTO lab.result_reviews (result_id, decision, remarks, signature_id, recorded_by)
    SELECT id, 'accepted', '', v_signature, pg_temp.who('rolf') FROM lab.results WHERE lot_id = v_lot ORDER BY id;
    v_digest := audit.sha256_hex(dossier.package(v_lot)::text);
    v_signature := pg_temp.signed('quinn', 'batch_reviewed', 'batch', v_lot, 'accepted', v_digest, v_now - interval '1 day');
    INSERT INTO lab.batch_reviews (lot_id, decision, package_digest, remarks, signature_id, recorded_by)
    VALUES (v_lot, 'accepted', v_digest, '', v_signature, pg_temp.who('quinn'));
    RETURN v_lot;
END $$;

-- A live ceremony as the authentication role would have opened it a moment ago, for the record as it stands now.
CREATE FUNCTION pg_temp.ceremony(p_who text, p_meaning text, p_kind text, p_record bigint, p_statement text DEFAULT '') RETURNS uuid LANGUAGE sql AS $$
    INSERT INTO people.ceremonies (account_id, meaning, record_kind, record_id, record_version, statement, digest, factors, expires_at)
    SELECT pg_temp.who(p_who), p_meaning, p_kind, p_record, r.version, p_statement, audit.sha256_hex(r.bytes), '{password,totp}',
           clock_timestamp() + interval '4 minutes 50 seconds'
    FROM dossier.record(p_kind, p_record) AS r RETURNING id
$$;
