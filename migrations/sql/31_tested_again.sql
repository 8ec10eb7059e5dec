-- What laboratories outside tested again for a study, as its rules read it. What is replaced stays and says so.

CREATE OR REPLACE FUNCTION dossier.reinspections(p_study bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'laboratory', o.name, 'sample_kind', r.sample_kind,
        'lot', dossier.own_code(r.lot_id), 'lot_kind', l.kind, 'process', p.name || ' ' || p.version, 'specification', c.name || ' ' || c.version,
        'stated_process', s.name || ' ' || s.version, 'report_number', r.report_number, 'signatory', r.signatory,
        'file_name', r.file_name, 'file_sha256', r.file_sha256, 'taken_at', audit.stamp(r.taken_at), 'handed_over_by', r.handed_over_by,
        'received_at', audit.stamp(r.received_at), 'received_by', r.received_by, 'low_c', r.low_c, 'high_c', r.high_c,
        'min_c', r.min_c, 'max_c', r.max_c, 'excursion', r.excursion, 'reported_on', r.reported_on,
        'replaced_at', (SELECT audit.stamp(n.recorded_at) FROM lab.reinspections n WHERE n.replaces_id = r.id),
        'recorded_at', audit.stamp(r.recorded_at), 'banks', dossier.banks_behind(r.lot_id),
        'made_at', coalesce((SELECT m.name FROM lab.partner_lots b JOIN lab.partners m ON m.id = b.partner_id WHERE b.lot_id = r.lot_id), ''),
        'tests', (SELECT coalesce(jsonb_agg(jsonb_build_object('test', t.test, 'method', t.method, 'limit_text', t.limit_text,
            'limit_value', t.limit_value, 'outcome', t.outcome, 'found', t.found, 'value', t.value, 'unit', t.unit,
            'statement', t.statement, 'tested_on', t.tested_on) ORDER BY t.id), '[]')
            FROM lab.reinspection_tests t WHERE t.reinspection_id = r.id)) ORDER BY r.id), '[]')
    FROM lab.reinspections r JOIN lab.laboratories o ON o.id = r.laboratory_id JOIN lab.lots l ON l.id = r.lot_id
    JOIN lab.process_versions s ON s.id = r.process_id LEFT JOIN lab.process_versions p ON p.id = l.process_id
    LEFT JOIN lab.specifications c ON c.id = l.specification_id
    WHERE r.study_id = p_study
$$;

-- The laboratories of a study's reports, each with every accreditation, what ended, and who says that it stands apart.
CREATE OR REPLACE FUNCTION dossier.laboratories(p_study bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('name', o.name,
        'accreditations', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', a.id, 'kind', a.kind, 'number', a.number, 'scope', a.scope,
            'valid_from', a.valid_from, 'valid_to', a.valid_to, 'recorded_at', audit.stamp(a.recorded_at)) ORDER BY a.id), '[]')
            FROM lab.laboratory_accreditations a WHERE a.laboratory_id = o.id),
        'ends', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', e.id, 'kind', a.kind, 'number', a.number, 'how', e.how,
            'ended_on', e.ended_on, 'recorded_at', audit.stamp(e.recorded_at)) ORDER BY e.id), '[]')
            FROM lab.accreditation_ends e JOIN lab.laboratory_accreditations a ON a.id = e.accreditation_id WHERE e.laboratory_id = o.id),
        'declarations', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', d.id, 'institution', i.name,
            'not_the_institution', d.not_the_institution, 'not_the_facility', d.not_the_facility, 'no_common_control', d.no_common_control,
            'declared_by', d.declared_by, 'declared_on', d.declared_on, 'evidence', d.evidence,
            'recorded_at', audit.stamp(d.recorded_at)) ORDER BY d.id), '[]')
            FROM lab.independence_declarations d JOIN lab.institutions i ON i.id = d.institution_id WHERE d.laboratory_id = o.id)
        ) ORDER BY o.id), '[]')
    FROM lab.laboratories o WHERE o.id IN (SELECT r.laboratory_id FROM lab.reinspections r WHERE r.study_id = p_study)
$$;

-- Assessments about the lots of which samples were sent out.
CREATE OR REPLACE FUNCTION dossier.assessments_of_samples(p_study bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(found.each ORDER BY sent.lot_id), '[]')
    FROM (SELECT DISTINCT r.lot_id FROM lab.reinspections r WHERE r.study_id = p_study) AS sent
    CROSS JOIN LATERAL jsonb_array_elements(dossier.assessments(NULL, '{}', sent.lot_id, '{}')) AS found(each)
    WHERE found.each ->> 'scope_kind' = 'lot'
$$;
