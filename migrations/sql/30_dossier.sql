-- The dossier: every fact that a rule may read about one subject, as canonical JSON. One small function an area.
-- jsonb gives one text for one value: keys sorted, numbers exact; instants are written out in UTC.

CREATE OR REPLACE FUNCTION dossier.username(p_account bigint) RETURNS text
LANGUAGE sql STABLE AS $$ SELECT username FROM people.accounts WHERE id = p_account $$;

CREATE OR REPLACE FUNCTION dossier.own_code(p_item bigint) RETURNS text
LANGUAGE sql STABLE AS $$ SELECT code FROM lab.item_codes WHERE item_id = p_item AND scheme = 'own' $$;

CREATE OR REPLACE FUNCTION dossier.pseudonym(p_person bigint) RETURNS text
LANGUAGE sql STABLE AS $$ SELECT pseudonym FROM lab.persons WHERE id = p_person $$;

CREATE OR REPLACE FUNCTION dossier.holds_on(p_items bigint[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'id', h.id, 'on', coalesce(dossier.own_code(h.item_id), h.item_id::text), 'reason', h.reason,
        'placed_at', audit.stamp(h.recorded_at)) ORDER BY h.id), '[]')
    FROM lab.holds h WHERE h.lifted_at IS NULL AND h.item_id = ANY (p_items)
$$;

CREATE OR REPLACE FUNCTION dossier.settings() RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_object_agg(name, jsonb_build_object('version', version, 'value', value)), '{}') FROM (
        SELECT DISTINCT ON (name) name, version, value FROM lab.settings
        WHERE valid_from <= clock_timestamp() ORDER BY name, valid_from DESC, version DESC) AS current
$$;

CREATE OR REPLACE FUNCTION dossier.rulebook() RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('rulebook', version, 'jurisdiction', coalesce(
        (SELECT pack FROM lab.pack_choices ORDER BY id DESC LIMIT 1), jurisdiction))
    FROM lab.rulebooks ORDER BY id DESC LIMIT 1
$$;

CREATE OR REPLACE FUNCTION dossier.process(p_process bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('name', name, 'version', version, 'passage_convention', passage_convention,
        'max_passage', max_passage, 'max_pdl', max_pdl, 'cell_source', cell_source, 'gene_modified', gene_modified,
        'long_term_expansion', long_term_expansion, 'clone_selected', clone_selected, 'short_cycle', short_cycle,
        'low_manipulation', low_manipulation, 'vector_type', vector_type, 'gene_editing', gene_editing)
    FROM lab.process_versions WHERE id = p_process
$$;

-- What the authority decided a tissue of this name to be, in every version; a name in either language names it.
CREATE OR REPLACE FUNCTION dossier.tissue_decisions(p_tissue text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('name', t.name, 'version', t.version, 'leukocyte_rich', t.leukocyte_rich,
        'birth_tissue', t.birth_tissue, 'reason', t.reason, 'proposed_by', dossier.username(t.proposed_by),
        'approved_by', dossier.username(s.account_id), 'approved_at', audit.stamp(s.signed_at)) ORDER BY t.id), '[]')
    FROM lab.tissue_types t JOIN lab.signatures s ON s.id = t.signature_id
    WHERE lower(btrim(p_tissue)) IN (lower(t.name), lower(t.name_zh))
$$;

CREATE OR REPLACE FUNCTION dossier.birth_tests(p_donation bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('kind', b.kind, 'method', b.method, 'laboratory', b.laboratory,
        'sampled_at', audit.stamp(b.sampled_at), 'reported_at', audit.stamp(b.reported_at),
        'loci', (SELECT count(*) FROM jsonb_object_keys(b.profile)), 'maternal_percent', b.maternal_percent) ORDER BY b.id), '[]')
    FROM lab.birth_tests b WHERE b.donation_id = p_donation
$$;

CREATE OR REPLACE FUNCTION dossier.donation_storage(p_donation bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('place', dossier.own_code(s.place_id), 'place_kind', e.kind,
        'biohazard_labelled', s.biohazard_labelled, 'stored_at', audit.stamp(s.stored_at),
        'recorded_at', audit.stamp(s.recorded_at)) ORDER BY s.id), '[]')
    FROM lab.donation_storage s JOIN lab.equipment e ON e.id = s.place_id WHERE s.donation_id = p_donation
$$;

-- What was asked of the donor, with the version that was asked and whether a newer one had been there by then.
CREATE OR REPLACE FUNCTION dossier.histories(p_donor bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('questionnaire', q.name, 'version', q.version, 'questions', q.questions,
        'outdated', EXISTS (SELECT FROM lab.questionnaires n WHERE n.name = q.name AND n.version > q.version AND n.recorded_at <= h.asked_at),
        'answers', h.answers, 'asked_at', audit.stamp(h.asked_at), 'examined_at', audit.stamp(h.examined_at),
        'examined_by', h.examined_by, 'examination', h.examination, 'recorded_at', audit.stamp(h.recorded_at)) ORDER BY h.id), '[]')
    FROM lab.health_histories h JOIN lab.questionnaires q ON q.id = h.questionnaire_id WHERE h.donor_id = p_donor
$$;

CREATE OR REPLACE FUNCTION dossier.samplings(p_donor bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('sampled_at', audit.stamp(s.sampled_at), 'weight_kg', s.weight_kg,
        'blood_ml', s.blood_ml, 'colloid_ml', s.colloid_ml, 'crystalloid_ml', s.crystalloid_ml,
        'recorded_at', audit.stamp(s.recorded_at)) ORDER BY s.id), '[]')
    FROM lab.sampling_statements s WHERE s.donor_id = p_donor
$$;

-- The authorities' permits for human genetic resources, of the whole facility.
CREATE OR REPLACE FUNCTION dossier.permits() RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('number', p.number, 'authority', p.authority, 'purposes', to_jsonb(p.purposes),
        'scope', p.scope, 'valid_from', p.valid_from, 'valid_to', p.valid_to, 'evidence', p.evidence,
        'withdrawn_at', audit.stamp(p.withdrawn_at), 'recorded_at', audit.stamp(p.recorded_at)) ORDER BY p.id), '[]')
    FROM lab.genetic_resource_permits p
$$;

CREATE OR REPLACE FUNCTION dossier.donations(p_donations bigint[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'code', dossier.own_code(d.id), 'din', d.din, 'donor', dossier.pseudonym(d.donor_id), 'tissue', d.tissue,
        'collected_at', audit.stamp(d.collected_at), 'received_at', audit.stamp(d.received_at),
        'determination', (
            SELECT jsonb_build_object('decision', t.decision, 'signed_at', audit.stamp(s.signed_at),
                'signed_by', dossier.username(s.account_id), 'valid_until', audit.stamp(t.valid_until))
            FROM lab.determinations t JOIN lab.signatures s ON s.id = t.signature_id
            WHERE t.donation_id = d.id ORDER BY t.id DESC LIMIT 1),
        'tissue_decisions', dossier.tissue_decisions(d.tissue), 'birth_tests', dossier.birth_tests(d.id),
        'storage', dossier.donation_storage(d.id),
        'holds', dossier.holds_on(ARRAY[d.id])) ORDER BY d.id), '[]')
    FROM lab.donations d WHERE d.id = ANY (p_donations)
$$;

CREATE OR REPLACE FUNCTION dossier.donors(p_donors bigint[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'pseudonym', dossier.pseudonym(d.id), 'relation', d.relation, 'kind', d.kind,
        'histories', dossier.histories(d.id), 'samplings', dossier.samplings(d.id),
        'tested_person', dossier.pseudonym(d.tested_person_id),
        'genetic_source', dossier.pseudonym(d.genetic_source_id), 'recipient', dossier.pseudonym(d.recipient_id),
        'identity_matches', (
            SELECT coalesce(jsonb_agg(jsonb_build_object('recipient', dossier.pseudonym(m.recipient_id),
                'identifiers', to_jsonb(m.identifiers), 'verified_by', dossier.username(m.verified_by),
                'second_by', dossier.username(m.second_by), 'at', audit.stamp(m.recorded_at)) ORDER BY m.id), '[]')
            FROM lab.identity_matches m WHERE m.donor_id = d.id),
        'consents', (
            SELECT coalesce(jsonb_agg(jsonb_build_object('form_version', c.form_version, 'scopes', to_jsonb(c.scopes),
                'signed_at', audit.stamp(c.signed_at), 'withdrawn_at', audit.stamp(c.withdrawn_at),
                'recorded_at', audit.stamp(c.recorded_at)) ORDER BY c.id), '[]')
            FROM lab.consents c WHERE c.donor_id = d.id),
        'markers', (
            SELECT coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'analyte', r.analyte, 'marker', r.marker,
                'method', r.method, 'kit_lot', r.kit_lot, 'laboratory', r.laboratory,
                'sampled_at', audit.stamp(r.sampled_at), 'reported_at', audit.stamp(r.reported_at),
                'outcome', r.outcome, 'recorded_at', audit.stamp(r.recorded_at)) ORDER BY r.id), '[]')
            FROM lab.marker_results r WHERE r.donor_id = d.id)) ORDER BY d.id), '[]')
    FROM lab.donors d WHERE d.id = ANY (p_donors)
$$;

-- Everything that was stated of a material lot that is a vector, each time with its parts, the latest last.
CREATE OR REPLACE FUNCTION dossier.vectors(p_lot bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('vector_type', s.vector_type, 'titre', s.titre, 'titre_unit', s.titre_unit,
        'recorded_at', audit.stamp(s.recorded_at), 'parts', (
            SELECT coalesce(jsonb_agg(jsonb_build_object('role', p.role, 'name', p.name, 'part_lot', p.part_lot,
                'material_lot', dossier.own_code(p.part_lot_id), 'selected_with', p.selected_with) ORDER BY p.id), '[]')
            FROM lab.vector_parts p WHERE p.statement_id = s.id)) ORDER BY s.id), '[]')
    FROM lab.vector_statements s WHERE s.vector_lot_id = p_lot
$$;

CREATE OR REPLACE FUNCTION dossier.virus_tests(p_lot bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'sample', t.sample, 'assay', t.assay, 'method', t.method,
        'laboratory', t.laboratory, 'cells_tested', t.cells_tested, 'cells_in_pool', t.cells_in_pool,
        'supernatant_percent', t.supernatant_percent, 'sampled_at', audit.stamp(t.sampled_at),
        'recorded_at', audit.stamp(t.recorded_at), 'outcomes', (
            SELECT coalesce(jsonb_agg(jsonb_build_object('outcome', o.outcome, 'reported_at', audit.stamp(o.reported_at),
                'reference', o.reference, 'recorded_at', audit.stamp(o.recorded_at)) ORDER BY o.id), '[]')
            FROM lab.virus_test_outcomes o WHERE o.test_id = t.id)) ORDER BY t.id), '[]')
    FROM lab.virus_tests t WHERE t.lot_id = p_lot
$$;

CREATE OR REPLACE FUNCTION dossier.off_target_reports(p_process bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(to_jsonb(r) - ARRAY['process_id', 'recorded_by'] || jsonb_build_object(
        'recorded_at', audit.stamp(r.recorded_at)) ORDER BY r.id), '[]')
    FROM lab.off_target_reports r WHERE r.process_id = p_process
$$;

-- Sessions of other lots that stand open in the room of a workstation, at it or beside it. NULL without a workstation.
CREATE OR REPLACE FUNCTION dossier.neighbours(p_lot bigint, p_workstation bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p_workstation IS NOT NULL THEN (
        SELECT coalesce(jsonb_agg(jsonb_build_object('lot', dossier.own_code(w.lot_id), 'workstation', dossier.own_code(w.workstation_id),
            'gene_modified', (SELECT v.gene_modified FROM lab.lots l JOIN lab.process_versions v ON v.id = l.process_id WHERE l.id = w.lot_id),
            'since', audit.stamp(lower(w.during))) ORDER BY w.id), '[]')
        FROM lab.workstation_sessions w JOIN lab.equipment e ON e.id = w.workstation_id
        WHERE upper_inf(w.during) AND w.lot_id <> p_lot AND e.room = (SELECT h.room FROM lab.equipment h WHERE h.id = p_workstation)) END
$$;

CREATE OR REPLACE FUNCTION dossier.retains(p_lot bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('code', dossier.own_code(id), 'kind', kind, 'quantity', quantity, 'unit', unit,
        'place', place, 'taken_at', audit.stamp(taken_at), 'recorded_at', audit.stamp(recorded_at)) ORDER BY id), '[]')
    FROM lab.retains WHERE lot_id = p_lot
$$;

CREATE OR REPLACE FUNCTION dossier.materials(p_material_lots bigint[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'lot', dossier.own_code(l.id), 'name', m.name, 'supplier_lot', ml.supplier_lot, 'state', l.state,
        'composition', m.composition, 'composition_complete', m.composition_complete,
        'text', concat_ws(' ', m.name, m.description), 'expires_on', ml.expires_on,
        'coa_reviewed_at', audit.stamp(coalesce(ml.certificate_reviewed_at, (
            SELECT min(c.recorded_at) FROM lab.material_certificates c WHERE c.material_lot_id = ml.id AND c.kind = 'analysis'))),
        'coa_recorded_at', audit.stamp(CASE WHEN ml.certificate_reviewed_at IS NOT NULL THEN ml.recorded_at ELSE (
            SELECT min(c.recorded_at) FROM lab.material_certificates c WHERE c.material_lot_id = ml.id AND c.kind = 'analysis') END),
        'approved_at', (SELECT audit.stamp(s.signed_at) FROM lab.lot_history h JOIN lab.signatures s ON s.id = h.signature_id
                        WHERE h.lot_id = l.id AND h.to_state = 'approved' ORDER BY h.seq DESC LIMIT 1),
        'approved_by', (SELECT dossier.username(s.account_id) FROM lab.lot_history h JOIN lab.signatures s ON s.id = h.signature_id
                        WHERE h.lot_id = l.id AND h.to_state = 'approved' ORDER BY h.seq DESC LIMIT 1),
        'recalled', l.state = 'recalled', 'animal_serum', m.animal_serum, 'species', m.species,
        'origin_countries', ml.origin_countries, 'processed_in', ml.processed_in, 'collected_on', ml.collected_on,
        'kind', m.kind, 'grade', m.grade, 'animal_derived', t.animal_derived, 'human_derived', t.human_derived,
        'selected_with', t.selected_with, 'received_at', audit.stamp(ml.received_at), 'storage_ok', ml.storage_ok, 'supplier', (
            SELECT s.name FROM lab.material_lot_suppliers c JOIN lab.suppliers s ON s.id = c.supplier_id
            WHERE c.material_lot_id = ml.id ORDER BY c.id DESC LIMIT 1),
        'retains', dossier.retains(l.id), 'certificates', (
            SELECT coalesce(jsonb_agg(jsonb_build_object('kind', c.kind, 'reference', c.reference, 'pool_size', c.pool_size,
                'recorded_by', dossier.username(c.recorded_by), 'recorded_at', audit.stamp(c.recorded_at)) ORDER BY c.id), '[]')
            FROM lab.material_certificates c WHERE c.material_lot_id = ml.id),
        'prepared', (
            SELECT jsonb_build_object('recipe', m.name, 'version', r.version, 'prepared_by', dossier.username(b.prepared_by),
                'prepared_at', audit.stamp(b.prepared_at), 'expires_at', audit.stamp(b.expires_at),
                'verified_by', dossier.username(v.verified_by), 'verified_at', audit.stamp(v.recorded_at), 'parts', (
                    SELECT coalesce(jsonb_agg(jsonb_build_object('material_lot', dossier.own_code(p.material_lot_id),
                        'container', dossier.own_code(p.container_id), 'quantity', p.quantity, 'unit', p.unit,
                        'expires_on', x.expires_on, 'opened_until', audit.stamp(c.opened_until),
                        'approved_at', (SELECT audit.stamp(s.signed_at) FROM lab.lot_history h JOIN lab.signatures s ON s.id = h.signature_id
                            WHERE h.lot_id = p.material_lot_id AND h.to_state = 'approved' ORDER BY h.seq LIMIT 1)) ORDER BY p.id), '[]')
                    FROM lab.reagent_parts p JOIN lab.containers c ON c.id = p.container_id
                    JOIN lab.material_lots x ON x.id = p.material_lot_id WHERE p.reagent_id = b.id))
            FROM lab.reagents b JOIN lab.recipes r ON r.id = b.recipe_id
            LEFT JOIN lab.reagent_verifications v ON v.reagent_id = b.id WHERE b.id = l.id),
        'vectors', dossier.vectors(ml.id), 'virus_tests', dossier.virus_tests(ml.id),
        'holds', dossier.holds_on(ARRAY[l.id])) ORDER BY l.id), '[]')
    FROM lab.material_lots ml JOIN lab.lots l ON l.id = ml.id JOIN lab.materials m ON m.id = ml.material_id
    LEFT JOIN LATERAL (SELECT * FROM lab.material_statements WHERE material_id = m.id ORDER BY id DESC LIMIT 1) AS t ON true
    WHERE ml.id = ANY (p_material_lots)
$$;

-- The suppliers of these material lots with every audit that was signed. No part of what a batch review freezes: a later
-- audit says nothing of what was done.
CREATE OR REPLACE FUNCTION dossier.suppliers(p_material_lots bigint[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('name', s.name, 'kind', s.kind, 'audits', (
        SELECT coalesce(jsonb_agg(jsonb_build_object('outcome', a.outcome, 'audited_on', a.audited_on, 'evidence', a.evidence,
            'valid_from', audit.stamp(a.valid_from), 'valid_to', audit.stamp(a.valid_to),
            'recorded_by', dossier.username(a.recorded_by), 'signed_by', dossier.username(g.account_id),
            'signed_at', audit.stamp(g.signed_at)) ORDER BY a.id), '[]')
        FROM lab.supplier_audits a JOIN lab.signatures g ON g.id = a.signature_id WHERE a.supplier_id = s.id)) ORDER BY s.id), '[]')
    FROM lab.suppliers s WHERE s.id IN (SELECT c.supplier_id FROM lab.material_lot_suppliers c WHERE c.material_lot_id = ANY (p_material_lots))
$$;

CREATE OR REPLACE FUNCTION dossier.consumptions(p_lot bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'material_lot', dossier.own_code(u.material_lot_id), 'container', dossier.own_code(u.container_id),
        'step_id', u.step_id, 'used_at', audit.stamp(u.used_at), 'quantity', u.quantity, 'unit', u.unit,
        'expires_on', ml.expires_on, 'opened_until', audit.stamp(c.opened_until),
        'approved_at', (SELECT audit.stamp(s.signed_at) FROM lab.lot_history h JOIN lab.signatures s ON s.id = h.signature_id
                        WHERE h.lot_id = u.material_lot_id AND h.to_state = 'approved' ORDER BY h.seq LIMIT 1)) ORDER BY u.id), '[]')
    FROM lab.consumptions u JOIN lab.material_lots ml ON ml.id = u.material_lot_id
    JOIN lab.containers c ON c.id = u.container_id WHERE u.lot_id = p_lot
$$;

CREATE OR REPLACE FUNCTION dossier.clearance(p_clearance bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('at', audit.stamp(c.cleared_at), 'performed_by', dossier.username(c.performed_by),
                              'verified_by', dossier.username(v.verified_by), 'verified_at', audit.stamp(v.recorded_at))
    FROM lab.line_clearances c LEFT JOIN lab.verifications v ON v.clearance_id = c.id WHERE c.id = p_clearance
$$;

CREATE OR REPLACE FUNCTION dossier.steps(p_lot bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'id', s.id, 'kind', s.kind, 'passage', s.passage, 'performed_by', coalesce(away.performed_by, dossier.username(s.performed_by)),
        'verified_by', CASE WHEN away.partner IS NULL THEN dossier.username(v.verified_by) ELSE away.verified_by END,
        'verified_at', audit.stamp(CASE WHEN away.partner IS NULL THEN v.recorded_at ELSE away.verified_at END), 'partner', away.partner,
        'started_at', audit.stamp(s.started_at),
        'ended_at', audit.stamp(s.ended_at), 'recorded_at', audit.stamp(s.recorded_at),
        'happened_anyway', s.happened_anyway, 'workstation', coalesce(dossier.own_code(w.workstation_id), away.workstation),
        'session_donor', coalesce(dossier.pseudonym(w.donor_id), away.donor),
        'clearance_before_at', coalesce(cleared.before ->> 'at', audit.stamp(away.cleared_at)),
        'clearance_performed_by', coalesce(cleared.before ->> 'performed_by', away.cleared_by),
        'clearance_verified_by', coalesce(cleared.before ->> 'verified_by', away.clearance_verified_by),
        'clearance_verified_at', coalesce(cleared.before ->> 'verified_at', audit.stamp(away.clearance_verified_at)),
        'viable_seeded', s.viable_seeded, 'viable_harvested', s.viable_harvested,
        'viability_percent', s.viability_percent, 'pd', s.pd, 'cpdl', s.cpdl) ORDER BY s.id), '[]')
    FROM lab.steps s LEFT JOIN lab.workstation_sessions w ON w.id = s.workstation_session_id
    LEFT JOIN lab.verifications v ON v.step_id = s.id
    CROSS JOIN LATERAL (SELECT dossier.clearance(w.opening_clearance_id) AS before OFFSET 0) AS cleared  -- computed once
    LEFT JOIN LATERAL (SELECT * FROM dossier.step_away(s.id)) AS away ON true
    WHERE s.lot_id = p_lot
$$;

-- Donors reached backwards from one item. More than one, or none, breaks the chain of identity.
CREATE OR REPLACE FUNCTION dossier.donors_behind(p_item bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE up(id) AS (
        SELECT p_item UNION SELECT l.parent_id FROM up JOIN lab.lineage l ON l.child_id = up.id
    ) SELECT coalesce(jsonb_agg(p.pseudonym ORDER BY p.pseudonym), '[]')
      FROM up JOIN lab.donors d ON d.id = up.id JOIN lab.persons p ON p.id = d.id
$$;

CREATE OR REPLACE FUNCTION dossier.containers(p_lot bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'code', dossier.own_code(c.id), 'kind', c.kind, 'state', c.state, 'donors', dossier.donors_behind(c.id),
        'orphan', NOT EXISTS (SELECT FROM lab.lineage l WHERE l.child_id = c.id),
        'place_kind', (SELECT e.kind FROM lab.equipment e WHERE e.id = c.place_id),
        'labels_verified', (SELECT count(*) FROM lab.labels b WHERE b.item_id = c.id)) ORDER BY c.id), '[]')
    FROM lab.containers c WHERE c.lot_id = p_lot
$$;

CREATE OR REPLACE FUNCTION dossier.specification(p_specification bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('name', s.name, 'version', s.version, 'effective_from', audit.stamp(s.effective_from),
        'lines', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', l.id, 'test', l.test, 'method', l.method,
            'kind', l.kind, 'low', l.low, 'high', l.high, 'unit', l.unit, 'expected', l.expected, 'safety', l.safety,
            'required', l.required) ORDER BY l.id), '[]') FROM lab.specification_lines l WHERE l.specification_id = s.id))
    FROM lab.specifications s WHERE s.id = p_specification
$$;

CREATE OR REPLACE FUNCTION dossier.result(p_result bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('id', r.id, 'line_id', r.line_id, 'test', l.test, 'sample', dossier.own_code(r.sample_id),
        'value_number', r.value_number, 'value_text', r.value_text, 'unit', r.unit, 'method_version', r.method_version,
        'instrument', r.instrument, 'analyst', dossier.username(r.analyst), 'measured_at', audit.stamp(r.measured_at),
        'paper', (SELECT d.reference FROM lab.partner_papers d WHERE d.id = r.paper_id))
    FROM lab.results r JOIN lab.specification_lines l ON l.id = r.line_id WHERE r.id = p_result
$$;

CREATE OR REPLACE FUNCTION dossier.results(p_lot bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(dossier.result(r.id) || jsonb_build_object(
        'invalidated', i.id IS NOT NULL,
        'invalidated_by', (SELECT d.number FROM lab.deviations d WHERE d.id = i.deviation_id),
        'review', (SELECT jsonb_build_object('decision', v.decision, 'by', dossier.username(s.account_id),
                   'at', audit.stamp(s.signed_at)) FROM lab.result_reviews v JOIN lab.signatures s ON s.id = v.signature_id
                   WHERE v.result_id = r.id ORDER BY v.id DESC LIMIT 1)) ORDER BY r.id), '[]')
    FROM lab.results r LEFT JOIN lab.result_invalidations i ON i.result_id = r.id WHERE r.lot_id = p_lot
$$;

-- The results of a lot that wait for their review, signed together. NULL when none waits.
CREATE OR REPLACE FUNCTION dossier.results_to_review(p_lot bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_agg(dossier.result(r.id) ORDER BY r.id) FROM lab.results r WHERE r.lot_id = p_lot
      AND NOT EXISTS (SELECT FROM lab.result_reviews v WHERE v.result_id = r.id)
      AND NOT EXISTS (SELECT FROM lab.result_invalidations i WHERE i.result_id = r.id)
$$;

-- The bank lots from whose containers the lot came, by whatever steps between.
CREATE OR REPLACE FUNCTION dossier.banks_among(p_lot bigint, p_up bigint[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('code', dossier.own_code(b.id), 'name', b.name, 'state', b.state,
        'tier', (SELECT k.tier FROM lab.bank_lots k WHERE k.lot_id = b.id), 'vials', dossier.vials(ARRAY(
            SELECT v.id FROM lab.containers v WHERE v.id = ANY (p_up) AND v.lot_id = b.id AND v.kind = 'vial')))
        || CASE WHEN told.by_bank THEN jsonb_build_object('lines', dossier.specification(b.specification_id) -> 'lines', 'results', dossier.results(b.id))
            ELSE '{}' END ORDER BY b.id), '[]')
    FROM (SELECT (SELECT value #>> '{}' = 'bank' FROM lab.settings WHERE name = 'rel03.adventitious_virus_by' AND valid_from <= clock_timestamp()
        ORDER BY valid_from DESC, version DESC LIMIT 1) AS by_bank) AS told, lab.lots b
    WHERE b.kind = 'bank' AND b.id <> p_lot AND b.id IN (
        SELECT c.lot_id FROM lab.containers c WHERE c.id = ANY (p_up) UNION ALL SELECT unnest(p_up))
$$;

CREATE OR REPLACE FUNCTION dossier.banks(p_lot bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$ SELECT dossier.banks_among(p_lot, ARRAY(SELECT a.item_id FROM lab.ancestry(p_lot) a)) $$;

-- Labels of the lot's own containers, samples and retains: how many were made, what was counted last, and what was
-- stated where the count does not come out. A label whose printing was cancelled never came out of a printer.
CREATE OR REPLACE FUNCTION dossier.labels(p_lot bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('printed', count(b.id), 'last_printed_at', audit.stamp(max(b.recorded_at)),
        'count', (SELECT jsonb_build_object('printed', c.printed, 'used', c.used, 'destroyed', c.destroyed, 'returned', c.returned,
                      'by', dossier.username(c.recorded_by), 'at', audit.stamp(c.recorded_at))
                  FROM lab.label_counts c WHERE c.lot_id = p_lot ORDER BY c.id DESC LIMIT 1),
        'imbalances', (SELECT coalesce(jsonb_agg(jsonb_build_object('deviation', d.number, 'search', i.search,
                           'mix_up_risk', i.mix_up_risk, 'independent_evidence', i.independent_evidence,
                           'counted_at', audit.stamp(c.recorded_at), 'stated_at', audit.stamp(i.recorded_at)) ORDER BY i.id), '[]')
                       FROM lab.label_imbalances i JOIN lab.deviations d ON d.id = i.deviation_id
                       JOIN lab.label_counts c ON c.id = i.count_id WHERE i.lot_id = p_lot))
    FROM (SELECT id FROM lab.containers WHERE lot_id = p_lot UNION ALL SELECT id FROM lab.samples WHERE lot_id = p_lot
          UNION ALL SELECT id FROM lab.retains WHERE lot_id = p_lot) AS own JOIN lab.labels b ON b.item_id = own.id
    WHERE NOT EXISTS (SELECT FROM lab.print_jobs j WHERE j.label_id = b.id AND j.state = 'cancelled')
$$;

-- Assessments that were approved, for the facility and for any of these. What each is about stands as its plain name.
CREATE OR REPLACE FUNCTION dossier.assessments(p_process bigint, p_donors bigint[], p_lot bigint, p_material_lots bigint[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('number', a.number, 'version', a.version, 'rule', a.rule, 'title', a.title,
        'scope_kind', a.scope_kind, 'scope', CASE a.scope_kind
            WHEN 'donor' THEN dossier.pseudonym(a.scope_id) WHEN 'lot' THEN dossier.own_code(a.scope_id)
            WHEN 'process' THEN (SELECT p.name || ' ' || p.version FROM lab.process_versions p WHERE p.id = a.scope_id)
            WHEN 'material' THEN (SELECT m.name FROM lab.materials m WHERE m.id = a.scope_id) END,
        'hazard', a.hazard, 'mitigations', a.mitigations, 'conclusion', a.conclusion,
        'proposed_by', dossier.username(a.proposed_by), 'approved_by', dossier.username(s.account_id),
        'approved_at', audit.stamp(s.signed_at), 'valid_from', audit.stamp(a.valid_from), 'valid_to', audit.stamp(a.valid_to),
        'superseded', EXISTS (SELECT FROM lab.assessments n WHERE n.number = a.number AND n.version > a.version AND n.signature_id IS NOT NULL)
        ) ORDER BY a.id), '[]')
    FROM lab.assessments a JOIN lab.signatures s ON s.id = a.signature_id
    WHERE a.scope_kind = 'facility' OR (a.scope_kind = 'process' AND a.scope_id = p_process)
       OR (a.scope_kind = 'donor' AND a.scope_id = ANY (p_donors)) OR (a.scope_kind = 'lot' AND a.scope_id = p_lot)
       OR (a.scope_kind = 'material' AND a.scope_id IN (SELECT material_id FROM lab.material_lots WHERE id = ANY (p_material_lots)))
$$;

-- What these people were qualified for, and when.
CREATE OR REPLACE FUNCTION dossier.qualifications(p_accounts bigint[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('account', dossier.username(q.account_id), 'topic', q.topic,
        'valid_from', audit.stamp(q.valid_from), 'valid_to', audit.stamp(q.valid_to), 'evidence', q.evidence,
        'recorded_at', audit.stamp(q.recorded_at)) ORDER BY q.id), '[]')
    FROM people.qualifications q WHERE q.account_id = ANY (p_accounts)
$$;

-- What stands in the house, whatever lot is judged: every document that was ever approved.
CREATE OR REPLACE FUNCTION dossier.facility() RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'documents', (SELECT coalesce(jsonb_agg(jsonb_build_object('number', d.number, 'version', d.version, 'types', to_jsonb(d.types),
            'title', d.title, 'effective_from', audit.stamp(d.effective_from), 'proposed_by', dossier.username(d.proposed_by),
            'approved_by', dossier.username(s.account_id), 'approved_at', audit.stamp(s.signed_at)) ORDER BY d.id), '[]')
            FROM lab.documents d JOIN lab.signatures s ON s.id = d.signature_id),
        'responsible', (SELECT coalesce(jsonb_agg(jsonb_build_object('level', r.level, 'account', dossier.username(r.account_id),
            'from', audit.stamp(r.from_at), 'until', audit.stamp(least(r.until_at, r.ended_at)), 'accepted_at', audit.stamp(s.signed_at)) ORDER BY r.id), '[]')
            FROM lab.responsibilities r JOIN lab.signatures s ON s.id = r.signature_id))
$$;

-- That the facility may run a process version.
CREATE OR REPLACE FUNCTION dossier.authorisations(p_process bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', a.id, 'process', p.name || ' ' || p.version,
        'proposed_by', dossier.username(a.proposed_by), 'approved_by', dossier.username(s.account_id),
        'approved_at', audit.stamp(s.signed_at), 'valid_from', audit.stamp(a.valid_from), 'valid_to', audit.stamp(a.valid_to)) ORDER BY a.id), '[]')
    FROM lab.authorisations a JOIN lab.signatures s ON s.id = a.signature_id JOIN lab.process_versions p ON p.id = a.process_id
    WHERE a.process_id = p_process
$$;

-- The lot's sessions at workstations: what each and its room were classified as, and what was monitored.
CREATE OR REPLACE FUNCTION dossier.classes(p_room text, p_workstation bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'grade', c.grade, 'classified_on', c.classified_on, 'due_on', c.due_on,
        'recorded_at', audit.stamp(c.recorded_at)) ORDER BY c.id), '[]')
    FROM lab.area_classifications c WHERE c.room = p_room OR c.workstation_id = p_workstation
$$;

CREATE OR REPLACE FUNCTION dossier.work_sessions(p_lot bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', w.id, 'workstation', dossier.own_code(w.workstation_id), 'room', e.room,
        'since', audit.stamp(lower(w.during)), 'until', audit.stamp(upper(w.during)),
        'workstation_classes', dossier.classes(NULL, e.id), 'room_classes', dossier.classes(e.room, NULL),
        'monitored', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', m.id, 'kind', m.kind, 'grade', m.grade, 'place', m.place,
            'taken_at', audit.stamp(m.taken_at), 'readings', (SELECT coalesce(jsonb_agg(jsonb_build_object('value', r.value,
                'organism', r.organism, 'read_at', audit.stamp(r.read_at)) ORDER BY r.id), '[]')
                FROM lab.monitoring_readings r WHERE r.sample_id = m.id)) ORDER BY m.id), '[]')
            FROM lab.monitoring_samples m WHERE m.session_id = w.id)) ORDER BY w.id), '[]')
    FROM lab.workstation_sessions w JOIN lab.equipment e ON e.id = w.workstation_id
    WHERE w.lot_id = p_lot AND EXISTS (SELECT FROM lab.steps s WHERE s.workstation_session_id = w.id)
$$;

-- Every piece of equipment that a step of the lot, or the planned one, names: its workstation, its place, its counter. A
-- shelf or a position stands for what holds it. What shows that each is fit stands with it, whenever it was recorded.
CREATE OR REPLACE FUNCTION dossier.equipment(p_lot bigint, p_planned bigint[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE used(step_id, equipment_id, depth) AS (
        SELECT named.* FROM (
            SELECT s.id, w.workstation_id, 0 FROM lab.steps s JOIN lab.workstation_sessions w ON w.id = s.workstation_session_id WHERE s.lot_id = p_lot
            UNION SELECT s.id, k.item_id, 0 FROM lab.steps s JOIN lab.item_codes k ON k.code IN (s.parameters ->> 'place', s.parameters ->> 'counter')
                WHERE s.lot_id = p_lot
            UNION SELECT NULL, planned.id, 0 FROM unnest(p_planned) AS planned(id)) AS named
        UNION SELECT u.step_id, h.id, u.depth + 1 FROM used u JOIN lab.equipment p ON p.id = u.equipment_id AND p.kind IN ('shelf', 'position')
            JOIN lab.equipment h ON h.name = p.room WHERE u.depth < 4
    )
    SELECT coalesce(jsonb_agg(jsonb_build_object('code', dossier.own_code(e.id), 'name', e.name, 'kind', e.kind,
        'steps', (SELECT coalesce(jsonb_agg(DISTINCT u.step_id ORDER BY u.step_id), '[]') FROM used u WHERE u.equipment_id = e.id AND u.step_id IS NOT NULL),
        'planned', EXISTS (SELECT FROM used u WHERE u.equipment_id = e.id AND u.step_id IS NULL),
        'qualifications', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', q.id, 'kind', q.kind, 'done_on', q.done_on, 'due_on', q.due_on,
            'outcome', q.outcome, 'as_found_in_tolerance', q.as_found_in_tolerance, 'evidence', q.evidence,
            'recorded_at', audit.stamp(q.recorded_at)) ORDER BY q.id), '[]') FROM lab.equipment_qualifications q WHERE q.equipment_id = e.id)
        ) ORDER BY e.id), '[]')
    FROM lab.equipment e WHERE e.id IN (SELECT equipment_id FROM used)
$$;

-- The animal disease status of every country from which these material lots come.
CREATE OR REPLACE FUNCTION dossier.disease_status(p_material_lots bigint[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'country', t.country, 'disease', t.disease, 'category', t.category,
        'valid_from', t.valid_from, 'valid_to', t.valid_to, 'source', t.source, 'recorded_at', audit.stamp(t.recorded_at)) ORDER BY t.id), '[]')
    FROM lab.animal_disease_status t WHERE t.country IN (
        SELECT unnest(ml.origin_countries || ml.processed_in) FROM lab.material_lots ml WHERE ml.id = ANY (p_material_lots))
$$;

-- Whoever wrote down a step, a result, a virus test or a partner's paper of the lot, or took a sample of it, whether or not
-- they did the work.
CREATE OR REPLACE FUNCTION dossier.recorders(p_lot bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(dossier.username(id) ORDER BY dossier.username(id)), '[]') FROM (
        SELECT recorded_by AS id FROM lab.steps WHERE lot_id = p_lot
        UNION SELECT recorded_by FROM lab.results WHERE lot_id = p_lot
        UNION SELECT recorded_by FROM lab.samples WHERE lot_id = p_lot
        UNION SELECT taken_by FROM lab.samples WHERE lot_id = p_lot
        UNION SELECT recorded_by FROM lab.virus_tests WHERE lot_id = p_lot
        UNION SELECT recorded_by FROM lab.virus_test_outcomes WHERE lot_id = p_lot
        UNION SELECT recorded_by FROM lab.tests_under_way WHERE lot_id = p_lot
        UNION SELECT recorded_by FROM lab.partner_lots WHERE lot_id = p_lot
        UNION SELECT recorded_by FROM lab.partner_papers WHERE lot_id = p_lot) AS hands
$$;

CREATE OR REPLACE FUNCTION dossier.deviations(p_items bigint[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('number', d.number, 'class', d.class, 'what', d.what,
        'impact', d.impact, 'state', d.state, 'rules', to_jsonb(d.rules), 'closed_at', audit.stamp(d.closed_at),
        'closed_by', (SELECT dossier.username(s.account_id) FROM lab.signatures s WHERE s.id = d.closed_signature_id)) ORDER BY d.id), '[]')
    FROM lab.deviations d WHERE d.item_id = ANY (p_items)
$$;

-- Of a lot, a material lot or a donation. A use is what opened its gate: the release, the approval, the determination.
CREATE OR REPLACE FUNCTION dossier.waivers(p_lot bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', w.id, 'rule', w.rule, 'justification', w.justification,
        'mitigations', w.mitigations, 'proposed_by', dossier.username(w.proposed_by),
        'approved_by', dossier.username(s.account_id), 'valid_from', audit.stamp(w.valid_from),
        'valid_to', audit.stamp(w.valid_to), 'max_uses', w.max_uses,
        'used', (SELECT count(*) FROM lab.judgements j
                 WHERE (j.id IN (SELECT r.judgement_id FROM lab.releases r WHERE r.lot_id = w.lot_id)
                        OR (j.subject_id = coalesce(w.lot_id, w.donation_id) AND (j.subject_kind, j.gate) IN (('material_lot', 'G1'), ('donation', 'G2'))))
                 AND jsonb_path_exists(j.verdicts, '$.verdicts[*].waiver ? (@ == $id)', jsonb_build_object('id', w.id)))) ORDER BY w.id), '[]')
    FROM lab.waivers w JOIN lab.signatures s ON s.id = w.signature_id WHERE p_lot IN (w.lot_id, w.donation_id)
$$;

CREATE OR REPLACE FUNCTION dossier.appointments() RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', a.id, 'account', dossier.username(a.account_id),
        'from', audit.stamp(a.from_at), 'until', audit.stamp(a.until_at), 'revoked_at', audit.stamp(a.revoked_at),
        'title_level', a.title_level, 'title_certificate', a.title_certificate,
        'certificate_valid_until', a.certificate_valid_until,
        'experience', (SELECT coalesce(jsonb_agg(jsonb_build_object('employer', e.employer, 'position', e.position,
            'domain', e.domain, 'from', e.from_on, 'to', e.to_on, 'evidence', e.evidence) ORDER BY e.id), '[]')
            FROM people.experience e WHERE e.proposal_id = a.proposal_id)) ORDER BY a.id), '[]')
    FROM people.appointments a
$$;

-- What authorities answered about the process version that a lot follows.
CREATE OR REPLACE FUNCTION dossier.authority_replies(p_process bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'authority', r.authority, 'reference', r.reference,
        'dated', r.dated, 'rule', r.rule, 'process', v.name || ' ' || v.version, 'question', r.question,
        'answer', r.answer, 'ruling', r.ruling, 'file_sha256', r.file_sha256,
        'recorded_by', dossier.username(r.recorded_by), 'recorded_at', audit.stamp(r.recorded_at)) ORDER BY r.id), '[]')
    FROM lab.authority_replies r JOIN lab.process_versions v ON v.id = r.process_id WHERE r.process_id = p_process
$$;

-- How a lot was carried between partner, house and hospital, each way with the shipper as it was qualified.
CREATE OR REPLACE FUNCTION dossier.transports(p_lot bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'partner', p.name, 'shipper', q.shipper, 'low_c', q.low_c, 'high_c', q.high_c,
        'hours_max', q.hours_max, 'qualified_on', q.qualified_on, 'valid_to', q.valid_to, 'qualification_recorded_at', audit.stamp(q.recorded_at),
        'from_place', t.from_place, 'to_place', t.to_place, 'dispatched_at', audit.stamp(t.dispatched_at), 'arrived_at', audit.stamp(t.arrived_at),
        'handed_over_by', t.handed_over_by, 'received_by', t.received_by, 'min_c', t.min_c, 'max_c', t.max_c, 'file_name', t.file_name,
        'excursion', t.excursion) ORDER BY t.id), '[]')
    FROM lab.transports t JOIN lab.shipper_qualifications q ON q.id = t.qualification_id JOIN lab.partners p ON p.id = t.partner_id
    WHERE t.lot_id = p_lot
$$;

CREATE OR REPLACE FUNCTION dossier.shell(p_kind text, p_item bigint, p_name text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('schema', 1, 'kind', p_kind, 'subject', dossier.own_code(p_item), 'name', p_name,
        'settings', dossier.settings(), 'rulebook', NULL, 'jurisdiction', NULL, 'lot', NULL, 'process', NULL,
        'donations', NULL, 'donors', NULL, 'materials', NULL, 'consumptions', NULL, 'steps', NULL, 'plan', NULL,
        'containers', NULL, 'specification', NULL, 'results', NULL, 'retains', NULL, 'recorders', NULL, 'deviations', NULL, 'holds', NULL,
        'waivers', NULL, 'batch_review', NULL, 'package_digest', NULL, 'appointments', NULL, 'assessments', NULL, 'labels', NULL,
        'qualifications', NULL) || jsonb_build_object('disease_status', NULL, 'banks', NULL, 'suppliers', NULL, 'permits', NULL, 'equipment', NULL, 'facility', NULL, 'work_sessions', NULL, 'authorisations', NULL, 'authority_replies', NULL, 'study', NULL, 'transports', NULL, 'virus_tests', NULL, 'off_target_reports', NULL, 'bank', NULL, 'vial', NULL, 'bank_policies', NULL, 'legacy', NULL, 'two_steps', NULL, 'makers', NULL, 'partners', NULL, 'late_information', NULL, 'exceptional_requests', NULL)
        || coalesce(dossier.rulebook(), '{}')
$$;

-- What the batch review freezes: everything that was done, used and found. Not the lot's state, which the review moves.
CREATE OR REPLACE FUNCTION dossier.package_from(p_lot bigint, p_up bigint[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'process', dossier.process(l.process_id), 'specification', dossier.specification(l.specification_id),
        'recipient', dossier.pseudonym(l.recipient_id), 'frozen_at', audit.stamp(l.frozen_at),
        'expires_at', audit.stamp(l.expires_at),
        'donations', dossier.donations(p_up), 'donors', dossier.donors(p_up || l.donor_id),
        'materials', dossier.materials(used.ids), 'consumptions', dossier.consumptions(l.id), 'steps', dossier.steps(l.id),
        'containers', dossier.containers(l.id), 'results', dossier.results(l.id), 'retains', dossier.retains(l.id), 'recorders', dossier.recorders(l.id),
        'labels', dossier.labels(l.id), 'makers', dossier.makers(l.id), 'banks', dossier.banks_among(l.id, p_up), 'deviations', dossier.deviations(p_up || used.ids))
    FROM lab.lots l,
        LATERAL (SELECT lab.with_parts(array_agg(DISTINCT material_lot_id)) AS ids FROM lab.consumptions WHERE lot_id = l.id) AS used
    WHERE l.id = p_lot
$$;

CREATE OR REPLACE FUNCTION dossier.package(p_lot bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$ SELECT dossier.package_from(p_lot, ARRAY(SELECT a.item_id FROM lab.ancestry(p_lot) a)) $$;

CREATE OR REPLACE FUNCTION dossier.lot_json(p_lot bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT dossier.shell('lot', l.id, l.name) || (package.json - ARRAY['recipient', 'frozen_at', 'expires_at'])
        || jsonb_build_object(
            'lot', jsonb_build_object('code', dossier.own_code(l.id), 'name', l.name, 'kind', l.kind, 'state', l.state,
                'version', l.version, 'recipient', dossier.pseudonym(l.recipient_id), 'expires_at', audit.stamp(l.expires_at),
                'frozen_at', audit.stamp(l.frozen_at), 'product', (SELECT product FROM lab.process_versions WHERE id = l.process_id)),
            'holds', dossier.holds_on(up.ids || used.ids || l.donor_id),
            'equipment', dossier.equipment(l.id, '{}'), 'facility', dossier.facility(), 'work_sessions', dossier.work_sessions(l.id),
            'virus_tests', dossier.virus_tests(l.id),
            'authorisations', dossier.authorisations(l.process_id), 'waivers', dossier.waivers(l.id), 'package_digest', audit.sha256_hex(package.json::text),
            'permits', dossier.permits(), 'appointments', dossier.appointments(), 'authority_replies', dossier.authority_replies(l.process_id), 'legacy', dossier.legacy(up.ids || l.donor_id),
            'bank', dossier.own_bank(l.id), 'bank_policies', dossier.bank_policies(l.process_id), 'two_steps', dossier.two_steps(l.id),
            'assessments', dossier.assessments(l.process_id, up.ids || l.donor_id, l.id, used.ids),
            'qualifications', dossier.qualifications(ARRAY(SELECT performed_by FROM lab.steps WHERE lot_id = l.id)),
            'disease_status', dossier.disease_status(used.ids), 'suppliers', dossier.suppliers(used.ids),
            'transports', dossier.transports(l.id), 'partners', dossier.making_partners(l.id),
            'late_information', dossier.late_information(up.ids, 50), 'exceptional_requests', dossier.exceptional_requests(l.id),
            'batch_review', (SELECT jsonb_build_object('decision', b.decision, 'by', dossier.username(s.account_id),
                'at', audit.stamp(s.signed_at), 'package_digest', b.package_digest)
                FROM lab.batch_reviews b JOIN lab.signatures s ON s.id = b.signature_id WHERE b.lot_id = l.id
                ORDER BY b.id DESC LIMIT 1))
    FROM lab.lots l, LATERAL (SELECT array_agg(a.item_id) AS ids FROM lab.ancestry(l.id) a) AS up,
        LATERAL (SELECT dossier.package_from(l.id, up.ids) AS json OFFSET 0) AS package,  -- computed once
        LATERAL (SELECT lab.with_parts(array_agg(DISTINCT material_lot_id)) AS ids FROM lab.consumptions WHERE lot_id = l.id) AS used
    WHERE l.id = p_lot
$$;

-- The bytes that are judged, shown, signed. Pinned, so that no session setting changes them. Each question below is planned
-- once for a connection: to plan the dozens of them again for these very numbers takes longer than to answer them.
CREATE OR REPLACE FUNCTION dossier.lot(p_lot bigint) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET "TimeZone" = 'UTC' SET "DateStyle" = 'ISO, YMD' SET extra_float_digits = 1 SET plan_cache_mode = force_generic_plan AS
$$ SELECT dossier.lot_json(p_lot)::text $$;

CREATE OR REPLACE FUNCTION dossier.donation(p_donation bigint) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET "TimeZone" = 'UTC' SET "DateStyle" = 'ISO, YMD' SET extra_float_digits = 1 SET plan_cache_mode = force_generic_plan AS $$
    SELECT (dossier.shell('donation', d.id, dossier.pseudonym(d.donor_id)) || jsonb_build_object(
        'donations', dossier.donations(ARRAY[d.id]), 'donors', dossier.donors(ARRAY[d.donor_id]),
        'deviations', dossier.deviations(ARRAY[d.id, d.donor_id]), 'holds', dossier.holds_on(ARRAY[d.id, d.donor_id]),
        'assessments', dossier.assessments(NULL, ARRAY[d.donor_id], NULL, '{}'), 'waivers', dossier.waivers(d.id), 'legacy', dossier.legacy(ARRAY[d.donor_id])))::text
    FROM lab.donations d WHERE d.id = p_donation
$$;

CREATE OR REPLACE FUNCTION dossier.material_lot(p_lot bigint) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET "TimeZone" = 'UTC' SET "DateStyle" = 'ISO, YMD' SET extra_float_digits = 1 SET plan_cache_mode = force_generic_plan AS $$
    SELECT (dossier.shell('material_lot', l.id, l.name) || jsonb_build_object(
        'lot', jsonb_build_object('code', dossier.own_code(l.id), 'name', l.name, 'kind', l.kind, 'state', l.state,
            'version', l.version, 'recipient', NULL, 'expires_at', NULL, 'frozen_at', NULL, 'product', NULL),
        'materials', dossier.materials(lab.with_parts(ARRAY[l.id])), 'waivers', dossier.waivers(l.id),
        'assessments', dossier.assessments(NULL, '{}', NULL, lab.with_parts(ARRAY[l.id])), 'disease_status', dossier.disease_status(lab.with_parts(ARRAY[l.id])), 'suppliers', dossier.suppliers(lab.with_parts(ARRAY[l.id])),
        'deviations', dossier.deviations(lab.with_parts(ARRAY[l.id])), 'holds', dossier.holds_on(lab.with_parts(ARRAY[l.id]))))::text
    FROM lab.lots l WHERE l.id = p_lot AND l.kind = 'material'
$$;

-- The plan of a step about to start: {kind, passage, workstation_id, material_container_ids, parent_ids, at}.
CREATE OR REPLACE FUNCTION dossier.step(p_lot bigint, p_plan jsonb) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET "TimeZone" = 'UTC' SET "DateStyle" = 'ISO, YMD' SET extra_float_digits = 1 SET plan_cache_mode = force_generic_plan AS $$
    WITH planned AS (
        SELECT (p_plan ->> 'workstation_id')::bigint AS workstation_id,
               ARRAY(SELECT DISTINCT c.lot_id FROM lab.containers c
                     WHERE c.id IN (SELECT value::bigint FROM jsonb_array_elements_text(p_plan -> 'material_container_ids'))
                       AND c.lot_id IS NOT NULL ORDER BY 1) AS material_lots
    ), occupied AS (
        SELECT w.* FROM lab.workstation_sessions w, planned
        WHERE w.workstation_id = planned.workstation_id AND upper_inf(w.during)
    ), used AS (
        SELECT lab.with_parts(array_agg(DISTINCT material_lot_id)) AS material_lots FROM lab.consumptions WHERE lot_id = p_lot
    ), parents AS (
        SELECT c.passage, s.cpdl FROM lab.containers c LEFT JOIN lab.steps s ON s.id = c.step_id
        WHERE c.id IN (SELECT value::bigint FROM jsonb_array_elements_text(p_plan -> 'parent_ids'))
    ), age AS (  -- where lineages merge the oldest counts, and one of unknown age makes the age unknown
        SELECT CASE WHEN count(*) = count(passage) THEN max(passage) END AS passage,
               CASE WHEN p_plan ->> 'kind' = 'isolation' THEN 0 WHEN count(*) = count(cpdl) THEN max(cpdl) END AS cpdl
        FROM parents
    )
    SELECT (dossier.lot_json(p_lot) || jsonb_build_object(
        'kind', 'step',
        'materials', dossier.materials(lab.with_parts(planned.material_lots) || used.material_lots),
        'assessments', (SELECT dossier.assessments(l.process_id, (SELECT array_agg(a.item_id) FROM lab.ancestry(l.id) a) || l.donor_id, l.id,
            lab.with_parts(planned.material_lots) || used.material_lots) FROM lab.lots l WHERE l.id = p_lot),
        'disease_status', dossier.disease_status(lab.with_parts(planned.material_lots) || used.material_lots),
        'qualifications', dossier.qualifications(ARRAY(SELECT performed_by FROM lab.steps WHERE lot_id = p_lot) || (p_plan ->> 'performed_by')::bigint),
        'equipment', dossier.equipment(p_lot, array_remove(planned.workstation_id || ARRAY(
            SELECT value::bigint FROM jsonb_array_elements_text(coalesce(p_plan -> 'equipment_ids', '[]'))), NULL)),
        'plan', jsonb_build_object(
            'kind', p_plan ->> 'kind', 'passage', (p_plan ->> 'passage')::integer, 'at', p_plan ->> 'at',
            'parent_passage', age.passage, 'cpdl_start', age.cpdl,
            'workstation', dossier.own_code(planned.workstation_id), 'performed_by', dossier.username((p_plan ->> 'performed_by')::bigint),
            'donor', dossier.pseudonym((SELECT donor_id FROM lab.lots WHERE id = p_lot)),
            'neighbours', dossier.neighbours(p_lot, planned.workstation_id),
            'materials', (SELECT coalesce(jsonb_agg(dossier.own_code(m)), '[]') FROM unnest(planned.material_lots) AS m),
            'opened', (SELECT coalesce(jsonb_agg(jsonb_build_object('container', dossier.own_code(c.id),
                'material_lot', dossier.own_code(c.lot_id), 'opened_until', audit.stamp(c.opened_until)) ORDER BY c.id), '[]')
                FROM lab.containers c WHERE c.opened_until IS NOT NULL AND c.lot_id IS NOT NULL
                AND c.id IN (SELECT value::bigint FROM jsonb_array_elements_text(p_plan -> 'material_container_ids'))),
            'workstation_open_session', (SELECT jsonb_build_object('donor', dossier.pseudonym(o.donor_id),
                'lot', dossier.own_code(o.lot_id), 'since', audit.stamp(lower(o.during)),
                'clearance_at', dossier.clearance(o.opening_clearance_id) ->> 'at',
                'clearance_performed_by', dossier.clearance(o.opening_clearance_id) ->> 'performed_by',
                'clearance_verified_by', dossier.clearance(o.opening_clearance_id) ->> 'verified_by',
                'clearance_verified_at', dossier.clearance(o.opening_clearance_id) ->> 'verified_at')
                FROM occupied o WHERE o.lot_id = p_lot ORDER BY o.id DESC LIMIT 1),
            'other_open_sessions', (SELECT count(*) FROM occupied o WHERE o.lot_id <> p_lot))))::text
    FROM planned, used, age
$$;

CREATE OR REPLACE FUNCTION dossier.signer(p_account bigint) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object('account', dossier.username(p_account), 'roles', to_jsonb(people.roles_of(p_account)),
        'appointment_id', (SELECT id FROM people.appointments WHERE account_id = p_account AND revoked_at IS NULL
            AND from_at <= clock_timestamp() AND (until_at IS NULL OR until_at > clock_timestamp()) ORDER BY id DESC LIMIT 1))::text
$$;

-- What exactly is signed, by kind of record. NULL where there is no such record.
CREATE OR REPLACE FUNCTION dossier.record(p_kind text, p_id bigint, OUT version integer, OUT bytes text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET "TimeZone" = 'UTC' SET "DateStyle" = 'ISO, YMD' SET extra_float_digits = 1 SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    version := 1;
    CASE p_kind
        WHEN 'lot' THEN
            SELECT l.version, dossier.lot(l.id) INTO version, bytes FROM lab.lots l WHERE l.id = p_id AND l.kind <> 'material';
        WHEN 'batch' THEN
            SELECT l.version, dossier.package(l.id)::text INTO version, bytes FROM lab.lots l WHERE l.id = p_id AND l.kind <> 'material';
        WHEN 'material_lot' THEN
            SELECT l.version, dossier.material_lot(l.id) INTO version, bytes FROM lab.lots l WHERE l.id = p_id;
        WHEN 'donation' THEN bytes := dossier.donation(p_id);
        WHEN 'result' THEN bytes := dossier.result(p_id)::text;
        WHEN 'results' THEN bytes := dossier.results_to_review(p_id)::text;
        WHEN 'deviation' THEN
            SELECT d.version, ((to_jsonb(d) - 'recorded_by') || CASE WHEN count(i.id) = 0 THEN '{}' ELSE jsonb_build_object(
                'label_imbalances', jsonb_agg(to_jsonb(i) ORDER BY i.id)) END)::text
            INTO version, bytes FROM lab.deviations d LEFT JOIN lab.label_imbalances i ON i.deviation_id = d.id WHERE d.id = p_id GROUP BY d.id;
        WHEN 'hold' THEN SELECT to_jsonb(h)::text INTO bytes FROM lab.holds h WHERE h.id = p_id;
        WHEN 'legacy' THEN
            SELECT (to_jsonb(d) || jsonb_build_object('subject', coalesce(dossier.pseudonym(d.item_id), dossier.own_code(d.item_id))))::text INTO bytes
            FROM lab.legacy_dossiers d WHERE d.id = p_id;
        WHEN 'waiver' THEN SELECT to_jsonb(w)::text INTO bytes FROM lab.waivers w WHERE w.id = p_id;
        WHEN 'authorisation' THEN
            SELECT (to_jsonb(a) || jsonb_build_object('process', p.name || ' ' || p.version))::text INTO bytes
            FROM lab.authorisations a JOIN lab.process_versions p ON p.id = a.process_id WHERE a.id = p_id;
        WHEN 'responsibility' THEN
            SELECT (to_jsonb(r) || jsonb_build_object('account', dossier.username(r.account_id)))::text INTO bytes FROM lab.responsibilities r WHERE r.id = p_id;
        WHEN 'document' THEN SELECT to_jsonb(d)::text INTO bytes FROM lab.documents d WHERE d.id = p_id;
        WHEN 'assessment' THEN
            SELECT (to_jsonb(a) || dossier.beside_assessment(a.rule, a.scope_kind, a.scope_id))::text INTO bytes FROM lab.assessments a WHERE a.id = p_id;
        WHEN 'bank_policy' THEN
            SELECT jsonb_build_object('policy', to_jsonb(b), 'process', p.name || ' ' || p.version)::text INTO bytes
            FROM lab.bank_policies b JOIN lab.process_versions p ON p.id = b.process_id WHERE b.id = p_id;
        WHEN 'two_step_plan' THEN
            SELECT jsonb_build_object('plan', to_jsonb(t), 'process', p.name || ' ' || p.version)::text INTO bytes
            FROM lab.two_step_plans t JOIN lab.process_versions p ON p.id = t.process_id WHERE t.id = p_id;
        WHEN 'comparability' THEN bytes := dossier.comparability(p_id)::text;
        WHEN 'partner_assessment' THEN
            SELECT jsonb_build_object('assessment', to_jsonb(a), 'partner', to_jsonb(s))::text INTO bytes
            FROM lab.partner_assessments a JOIN lab.partners s ON s.id = a.partner_id WHERE a.id = p_id;
        WHEN 'exceptional_request' THEN
            SELECT (to_jsonb(r) || jsonb_build_object('lot', dossier.own_code(r.lot_id)))::text INTO bytes FROM lab.exceptional_requests r WHERE r.id = p_id;
        WHEN 'supplier_audit' THEN
            SELECT jsonb_build_object('audit', to_jsonb(a), 'supplier', to_jsonb(s))::text INTO bytes
            FROM lab.supplier_audits a JOIN lab.suppliers s ON s.id = a.supplier_id WHERE a.id = p_id;
        WHEN 'setting' THEN bytes := dossier.setting_change(p_id)::text;
        WHEN 'pack' THEN bytes := dossier.pack_change(p_id)::text;
        WHEN 'tissue_type' THEN SELECT to_jsonb(t)::text INTO bytes FROM lab.tissue_types t WHERE t.id = p_id;
        WHEN 'proposal' THEN
            SELECT jsonb_build_object('proposal', to_jsonb(p), 'account', dossier.username(p.account_id), 'experience',
                (SELECT coalesce(jsonb_agg(to_jsonb(e) ORDER BY e.id), '[]') FROM people.experience e WHERE e.proposal_id = p.id))::text
            INTO bytes FROM people.proposals p WHERE p.id = p_id;
        WHEN 'appointment' THEN SELECT to_jsonb(a)::text INTO bytes FROM people.appointments a WHERE a.id = p_id;
        ELSE RAISE EXCEPTION 'nothing called % is signed', p_kind USING ERRCODE = 'ST002';
    END CASE;
END $$;
