-- Who owns and who may. Everything is taken away first, so that this page is the whole truth.

DO $$
DECLARE
    o record;
    v_owner text;
BEGIN
    FOR o IN SELECT n.nspname AS schema_name FROM pg_namespace n WHERE n.nspname IN ('lab', 'people', 'identity', 'audit', 'dossier', 'gate') LOOP
        v_owner := CASE o.schema_name WHEN 'audit' THEN 'stemma_audit' WHEN 'gate' THEN 'stemma_gate' ELSE 'stemma_owner' END;
        EXECUTE format('ALTER SCHEMA %I OWNER TO %I', o.schema_name, v_owner);
        EXECUTE format('REVOKE ALL ON SCHEMA %I FROM PUBLIC, stemma_app, stemma_auth, stemma_seal, stemma_report', o.schema_name);
    END LOOP;
    FOR o IN SELECT n.nspname, c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname IN ('lab', 'people', 'identity', 'audit') AND (c.relkind = 'r' OR (c.relkind = 'S' AND NOT EXISTS (
                 SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('i', 'a')))) LOOP
        EXECUTE format('ALTER %s %I.%I OWNER TO %I', CASE o.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, o.nspname, o.relname,
                       CASE o.nspname WHEN 'audit' THEN 'stemma_audit' ELSE 'stemma_owner' END);
        EXECUTE format('REVOKE ALL ON %I.%I FROM PUBLIC, stemma_app, stemma_auth, stemma_seal, stemma_report, stemma_gate%s', o.nspname, o.relname,
                       CASE o.nspname WHEN 'audit' THEN ', stemma_owner' ELSE ', stemma_audit' END);
    END LOOP;
    FOR o IN SELECT n.nspname, p.oid::regprocedure AS signature FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
             WHERE n.nspname IN ('lab', 'people', 'audit', 'dossier', 'gate') LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO %I', o.signature,
                       CASE o.nspname WHEN 'audit' THEN 'stemma_audit' WHEN 'gate' THEN 'stemma_gate' ELSE 'stemma_owner' END);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC, stemma_app, stemma_auth, stemma_seal, stemma_report, stemma_gate, stemma_owner', o.signature);
    END LOOP;
END $$;

-- the house among itself
GRANT USAGE ON SCHEMA lab, people, identity, audit, dossier, gate TO stemma_owner, stemma_audit, stemma_gate;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA lab, people, dossier, audit TO stemma_owner, stemma_gate, stemma_audit;
GRANT SELECT ON ALL TABLES IN SCHEMA lab, people TO stemma_gate, stemma_audit;
GRANT SELECT ON ALL TABLES IN SCHEMA identity TO stemma_audit;
GRANT SELECT ON audit.entries, audit.epochs TO stemma_owner, stemma_gate;
GRANT INSERT ON lab.signatures, lab.releases, lab.settings, lab.pack_choices TO stemma_gate;
GRANT UPDATE (used_at, burned_at, burned_why) ON people.ceremonies TO stemma_gate;
GRANT UPDATE ON lab.deviations, lab.holds, lab.waivers, lab.assessments, lab.supplier_audits, lab.partner_assessments TO stemma_gate;
GRANT UPDATE (signature_id) ON lab.tissue_types, lab.legacy_dossiers TO stemma_gate;
GRANT UPDATE (signature_id) ON lab.documents, lab.authorisations, lab.responsibilities TO stemma_gate;
GRANT UPDATE (signature_id) ON lab.bank_policies, lab.two_step_plans TO stemma_gate;
GRANT UPDATE (signature_id, disposition) ON lab.exceptional_requests TO stemma_gate;
GRANT UPDATE (signature_id) ON lab.comparabilities TO stemma_gate;
GRANT INSERT ON people.appointments TO stemma_gate;
GRANT UPDATE (revoked_at, revoked_signature_id) ON people.appointments TO stemma_gate;
GRANT UPDATE (version) ON people.accounts, lab.materials TO stemma_gate;  -- for the right to lock their rows
GRANT UPDATE (proposed_by) ON people.proposals TO stemma_gate;            -- likewise
GRANT SELECT, INSERT, UPDATE ON lab.scans, lab.idempotency TO stemma_audit;
GRANT SELECT, UPDATE ON people.sessions TO stemma_audit;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA gate TO stemma_gate;
GRANT EXECUTE ON FUNCTION gate.setting(text), gate.hours_to_verify() TO stemma_owner;

-- the application: reads the laboratory, writes its rows, owns nothing, deletes nothing, cannot read secrets
GRANT USAGE ON SCHEMA lab, people, identity, audit, dossier, gate TO stemma_app;
GRANT SELECT ON ALL TABLES IN SCHEMA lab TO stemma_app;
REVOKE SELECT ON lab.idempotency FROM stemma_app;
GRANT SELECT ON people.accounts, people.grants, people.appointments, people.proposals, people.experience, people.meanings, people.badges, people.qualifications TO stemma_app;
GRANT SELECT (id, account_id, meaning, record_kind, record_id, record_version, statement, digest, factors, issued_at, expires_at, used_at, burned_at, burned_why) ON people.ceremonies TO stemma_app;
GRANT SELECT ON audit.entries, audit.rows, audit.leaves, audit.nodes, audit.checkpoints, audit.epochs TO stemma_app;
-- every column but those that the database itself fills in: keys that it draws, and when a record was made
DO $$
DECLARE
    v_table regclass;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['lab.items', 'lab.item_codes', 'lab.lineage', 'lab.equipment', 'lab.containers', 'lab.labels',
        'lab.refusals', 'lab.persons', 'lab.donors', 'lab.identity_matches', 'lab.consents', 'lab.marker_results',
        'lab.donations', 'lab.determinations', 'lab.sampling_statements', 'lab.questionnaires',
        'lab.health_histories', 'lab.birth_tests', 'lab.donation_storage', 'lab.materials', 'lab.material_lots', 'lab.material_statements', 'lab.material_certificates',
        'lab.suppliers', 'lab.material_lot_suppliers', 'lab.recipes', 'lab.recipe_components', 'lab.reagents', 'lab.reagent_parts', 'lab.process_versions',
        'lab.specifications', 'lab.specification_lines', 'lab.line_clearances', 'lab.workstation_sessions', 'lab.steps',
        'lab.consumptions', 'lab.retains', 'lab.samples', 'lab.results', 'lab.result_reviews', 'lab.result_invalidations',
        'lab.judgements', 'lab.batch_reviews', 'people.proposals', 'people.experience',
        'identity.people', 'identity.lookups', 'identity.reveals', 'people.qualifications', 'lab.printers', 'lab.label_counts',
        'lab.bank_lots', 'lab.withdrawals', 'lab.vial_places', 'lab.storage_classes', 'lab.storage_excursions',
        'lab.tests_under_way', 'lab.pending_acknowledgements',
        'lab.institutions', 'lab.institution_statements', 'lab.studies', 'lab.study_versions', 'lab.study_leaders',
        'lab.committee_decisions', 'lab.study_filings', 'lab.study_banks', 'lab.sponsor_agreements', 'lab.partners', 'lab.quality_agreements', 'lab.study_partners',
        'lab.laboratories', 'lab.laboratory_accreditations', 'lab.accreditation_ends', 'lab.independence_declarations', 'lab.reinspections', 'lab.reinspection_tests', 'lab.shipper_qualifications', 'lab.transports',
        'lab.partner_lots', 'lab.partner_papers', 'lab.partner_steps',
        'lab.vector_statements', 'lab.vector_parts', 'lab.virus_tests', 'lab.virus_test_outcomes', 'lab.off_target_reports',
        'lab.legacy_withdrawals', 'lab.production_ends', 'lab.follow_up_plans',
        'lab.label_imbalances', 'lab.impact_verdicts', 'lab.animal_disease_status', 'lab.papers', 'lab.equipment_qualifications', 'lab.area_classifications', 'lab.monitoring_samples', 'lab.monitoring_readings', 'lab.setting_proposals', 'lab.pack_proposals', 'lab.authority_replies']::regclass[]
    LOOP
        EXECUTE format('GRANT INSERT (%s) ON %s TO stemma_app', (
            SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
            WHERE attrelid = v_table AND attnum > 0 AND NOT attisdropped AND attidentity = '' AND attgenerated = ''
              AND attname <> 'recorded_at'), v_table);
    END LOOP;
END $$;
GRANT INSERT (item_id, reason, deviation_id, recorded_by) ON lab.holds TO stemma_app;
GRANT EXECUTE ON FUNCTION dossier.on_donors(bigint[]), dossier.on_material(bigint[], bigint) TO stemma_app;
GRANT INSERT (number, item_id, what, class, rules, recorded_by) ON lab.deviations TO stemma_app;
GRANT UPDATE (assessment, version) ON lab.deviations TO stemma_app;
GRANT INSERT (number, about, item_id, papers, rules, reasons, valid_from, valid_to, proposed_by) ON lab.legacy_dossiers TO stemma_app;
GRANT INSERT (rule, lot_id, donation_id, justification, mitigations, proposed_by, valid_from, valid_to, max_uses) ON lab.waivers TO stemma_app;
GRANT INSERT (workstation_id, lot_id, name, started_at, due_at, recorded_by), UPDATE (ended_at, ended_by) ON lab.timers TO stemma_app;
GRANT INSERT (item_id, lot_id, act, reason, recorded_by), UPDATE (note, noted_at, noted_by) ON lab.bench_reasons TO stemma_app;
GRANT INSERT (label_id, printer_id, recorded_by), UPDATE (state, attempts, trouble, sent_at, ended_at, version) ON lab.print_jobs TO stemma_app;
GRANT INSERT (lot_id, reasons, risk_evaluation, risk_file_name, risk_file_sha256, committee, committee_decision, committee_decided_on, committee_reference, recorded_by) ON lab.exceptional_requests TO stemma_app;
GRANT INSERT (partner_id, assessed_on, sections, findings, evidence, recorded_by) ON lab.partner_assessments TO stemma_app;
GRANT INSERT (supplier_id, method, audited_on, outcome, findings, evidence, valid_from, valid_to, recorded_by) ON lab.supplier_audits TO stemma_app;
GRANT INSERT (number, version, rule, title, scope_kind, scope_id, hazard, mitigations, conclusion, proposed_by, valid_from, valid_to) ON lab.assessments TO stemma_app;
GRANT UPDATE (state, place_id, opened_until, version) ON lab.containers TO stemma_app;
GRANT INSERT (number, version, types, title, effective_from, review_due, file_name, file_sha256, proposed_by) ON lab.documents TO stemma_app;
GRANT INSERT (process_id, owner, address, classification, valid_from, valid_to, proposed_by) ON lab.authorisations TO stemma_app;
GRANT INSERT (level, account_id, duties, from_at, until_at, proposed_by), UPDATE (ended_at) ON lab.responsibilities TO stemma_app;
GRANT INSERT (process_id, version, needed, conditions, tiers, reasons, proposed_by) ON lab.bank_policies TO stemma_app;
GRANT INSERT (process_id, version, protocol, protocol_version, ethics_reference, ethics_approved_on, consent_clause, pending, proposed_by) ON lab.two_step_plans TO stemma_app;
GRANT INSERT (study_id, reinspection_id, process_id, specification_id, bank_ids, differences, reasons, committee_reference, committee_decided_on, file_name, file_sha256, valid_to, proposed_by) ON lab.comparabilities TO stemma_app;
GRANT EXECUTE ON FUNCTION gate.accept_comparability(bigint, uuid) TO stemma_app;
GRANT UPDATE (withdrawn_at) ON lab.consents TO stemma_app;
GRANT INSERT (name, version, name_zh, leukocyte_rich, birth_tissue, reason, proposed_by) ON lab.tissue_types TO stemma_app;
GRANT INSERT (number, authority, purposes, scope, valid_from, valid_to, evidence, recorded_by), UPDATE (withdrawn_at) ON lab.genetic_resource_permits TO stemma_app;
GRANT UPDATE (during, closing_clearance_id) ON lab.workstation_sessions TO stemma_app;
GRANT SELECT ON identity.people, identity.lookups, identity.reveals TO stemma_app;
GRANT USAGE ON SEQUENCE lab.deviation_numbers, lab.lot_names, lab.material_names, lab.pseudonyms, lab.assessment_numbers, lab.study_numbers, lab.legacy_numbers TO stemma_app;
GRANT EXECUTE ON FUNCTION audit.open(bigint, text, text, text, text, text, text, bigint, text, bytea),
    audit.keep_answer(bigint, text, jsonb),
    audit.keep_scan(bigint, bigint, bigint, text, text, text, bigint, text, text, text, text, boolean),
    audit.stamp(timestamptz), audit.sha256_hex(text),
    lab.resolve_scan(bytea, text, text, interval), people.who(bytea, interval), people.touch(bigint), people.begin_attempt(text, text),
    people.answered(bigint, text, text, bytea), people.roles_of(bigint),
    lab.begin_lot(bigint, text, text, text, bigint, bigint, bigint, bigint, bigint), lab.move_lot(bigint, text, boolean),
    lab.state_expiry(bigint, timestamptz, timestamptz), lab.lock_for_judgement(bigint), lab.lock_lots(bigint[], bigint), lab.lock_touched(bigint[]), lab.lock_family(bigint),
    lab.counted(bigint), lab.ancestry(bigint), lab.with_parts(bigint[]), lab.container_keeps_until(bigint), lab.open_holds(bigint), lab.root_of_item(bigint),
    dossier.lot(bigint), dossier.donation(bigint), dossier.material_lot(bigint), dossier.step(bigint, jsonb), dossier.study(bigint),
    dossier.bank_vial(bigint), gate.decide_bank_policy(bigint, uuid), gate.decide_two_step_plan(bigint, uuid), lab.pending_tests(bigint),
    gate.conditionally_release(bigint, uuid, bigint),
    dossier.to_give(bigint, bigint), gate.decide_exceptional_supply(bigint, uuid),
    dossier.signer(bigint), dossier.record(text, bigint),
    gate.sign(uuid, text, bigint), gate.approve_material(bigint, uuid), gate.reject_material(bigint, uuid), gate.reject_lot(bigint, uuid),
    gate.close_deviation(bigint, uuid), gate.lift_hold(bigint, uuid), gate.approve_waiver(bigint, uuid), gate.accept_legacy(bigint, uuid), gate.approve_assessment(bigint, uuid), gate.approve_document(bigint, uuid), gate.authorise_process(bigint, uuid), gate.accept_responsibility(bigint, uuid), gate.qualify_supplier(bigint, uuid), gate.decide_partner(bigint, uuid), gate.decide_tissue(bigint, uuid),
    gate.approve_setting(bigint, uuid), gate.approve_pack(bigint, uuid),
    gate.support_appointment(bigint, uuid), gate.revoke_appointment(bigint, uuid), gate.burn(uuid, text),
    gate.release(bigint, uuid, bigint)
    TO stemma_app;

-- authentication: accounts, factors, grants, sessions, ceremonies; no laboratory table, not the gate
GRANT USAGE ON SCHEMA people, audit TO stemma_auth;
GRANT SELECT ON people.accounts, people.credentials, people.grants, people.sessions, people.login_attempts, people.meanings TO stemma_auth;
GRANT SELECT (id, account_id, from_at, until_at, revoked_at) ON people.appointments TO stemma_auth;
GRANT SELECT (id, account_id, revoked_at) ON people.badges TO stemma_auth;
GRANT INSERT (username, printed_name, language) ON people.accounts TO stemma_auth;
GRANT UPDATE (state, printed_name, language, version) ON people.accounts TO stemma_auth;
GRANT INSERT, UPDATE (password_hash, totp_secret, totp_last_step, reset_at, pin_hash) ON people.credentials TO stemma_auth;
GRANT INSERT (account_id, role), UPDATE (revoked_at) ON people.grants TO stemma_auth;
GRANT INSERT, UPDATE (seen_at, ended_at, second_factor, workstation_id) ON people.sessions TO stemma_auth;
GRANT INSERT ON people.login_attempts TO stemma_auth;
GRANT EXECUTE ON FUNCTION audit.open(bigint, text, text, text, text, text, text, bigint, text, bytea),
    audit.keep_answer(bigint, text, jsonb), audit.stamp(timestamptz),
    people.who(bytea, interval), people.roles_of(bigint),
    people.open_ceremony(bigint, bigint, text, text, bigint, text, text, text[]),
    people.badge_holder(text), people.issue_badge(bigint, text), people.revoke_badge(bigint),
    people.verify_reagent(bigint, bigint, bigint, text),
    people.verify(text, bigint, bigint, bigint, text, text) TO stemma_auth;

-- the sealer: reads what is to be sealed, appends leaves, nodes, checkpoints
GRANT USAGE ON SCHEMA lab, audit TO stemma_seal;
GRANT SELECT ON ALL TABLES IN SCHEMA audit TO stemma_seal;
GRANT SELECT (number, epoch, xid, at, hash) ON lab.scans TO stemma_seal;
GRANT INSERT ON audit.leaves, audit.nodes, audit.checkpoints TO stemma_seal;

-- reports, verification, export: everything but secrets, credentials and identity
GRANT USAGE ON SCHEMA lab, people, audit TO stemma_report;
GRANT SELECT ON ALL TABLES IN SCHEMA lab, audit TO stemma_report;
REVOKE SELECT ON lab.idempotency FROM stemma_report;
GRANT SELECT ON people.accounts, people.grants, people.appointments, people.meanings TO stemma_report;
GRANT EXECUTE ON FUNCTION audit.audited_tables(), audit.current_rows(text), audit.stamp(timestamptz), audit.sha256_hex(text) TO stemma_report;
