-- A study as its rules read it, and who may read it. Everything that was recorded stands in it, the latest last.

CREATE OR REPLACE FUNCTION dossier.institution(p_institution bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('name', i.name, 'country', i.country, 'registration', i.registration, 'statements', (
        SELECT coalesce(jsonb_agg(jsonb_build_object('kind', s.kind, 'held', s.held, 'says', s.says, 'evidence', s.evidence,
            'valid_from', s.valid_from, 'valid_to', s.valid_to, 'recorded_at', audit.stamp(s.recorded_at)) ORDER BY s.id), '[]')
        FROM lab.institution_statements s WHERE s.institution_id = i.id))
    FROM lab.institutions i WHERE i.id = p_institution
$$;

-- A partner with every assessment that was signed and every quality agreement.
CREATE OR REPLACE FUNCTION dossier.partner(p_partner bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('name', p.name, 'kind', p.kind, 'assessments', (
        SELECT coalesce(jsonb_agg(jsonb_build_object('id', a.id, 'assessed_on', a.assessed_on, 'sections', a.sections,
            'findings', a.findings, 'evidence', a.evidence, 'recorded_by', dossier.username(a.recorded_by),
            'signed_by', dossier.username(g.account_id), 'signed_at', audit.stamp(g.signed_at)) ORDER BY a.id), '[]')
        FROM lab.partner_assessments a JOIN lab.signatures g ON g.id = a.signature_id WHERE a.partner_id = p.id),
        'agreements', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', q.id, 'process', v.name || ' ' || v.version,
            'duties', q.duties, 'signed_on', q.signed_on, 'valid_to', q.valid_to, 'reference', q.reference,
            'recorded_at', audit.stamp(q.recorded_at)) ORDER BY q.id), '[]')
        FROM lab.quality_agreements q JOIN lab.process_versions v ON v.id = q.process_id WHERE q.partner_id = p.id))
    FROM lab.partners p WHERE p.id = p_partner
$$;

-- Who makes what a study gives, by its last version: whoever prepares by the agreement with a partner of the study, and
-- whoever makes a lot of its process version that has not come to its end. An empty name is this house.
CREATE OR REPLACE FUNCTION dossier.production_sites(p_study bigint) RETURNS text[]
LANGUAGE sql STABLE AS $$
    WITH given AS (
        SELECT v.process_id FROM lab.study_versions v WHERE v.study_id = p_study ORDER BY v.version DESC LIMIT 1
    ), shared AS (
        SELECT p.name, (SELECT q.duties ->> 'preparation' FROM lab.quality_agreements q
            WHERE q.partner_id = p.id AND q.process_id = given.process_id ORDER BY q.id DESC LIMIT 1) AS bearer
        FROM given, lab.study_partners n JOIN lab.partners p ON p.id = n.partner_id WHERE n.study_id = p_study AND p.kind = 'preparation'
    ), going AS NOT MATERIALIZED (
        SELECT l.id FROM given JOIN lab.lots l ON l.process_id = given.process_id AND l.kind = 'preparation'
        WHERE l.state NOT IN ('rejected', 'recalled', 'failed_after_release', 'destroyed')
    )
    SELECT array_agg(DISTINCT made.name ORDER BY made.name) FROM (
        SELECT name FROM shared WHERE bearer IS DISTINCT FROM 'house'
        UNION ALL SELECT p.name FROM lab.partner_lots b JOIN going ON going.id = b.lot_id JOIN lab.partners p ON p.id = b.partner_id
        UNION ALL SELECT '' WHERE NOT EXISTS (SELECT FROM shared WHERE bearer = 'partner') OR EXISTS (SELECT FROM shared WHERE bearer IN ('both', 'house'))
            OR EXISTS (SELECT FROM going JOIN lab.steps s ON s.lot_id = going.id WHERE NOT EXISTS (SELECT FROM lab.partner_lots b WHERE b.lot_id = going.id))
    ) AS made
$$;

CREATE OR REPLACE FUNCTION dossier.study_json(p_study bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('number', t.number, 'version', v.version, 'title', v.title, 'regulatory_path', v.regulatory_path,
        'ind_number', v.ind_number, 'stage', v.stage, 'risk_level', v.risk_level, 'cell_class', v.cell_class,
        'cell_source', v.cell_source, 'manipulation', v.manipulation, 'administration', v.administration, 'sites', v.sites,
        'protocol_version', v.protocol_version, 'institution', dossier.institution(v.institution_id),
        'sponsor', dossier.institution(v.sponsor_id),
        'versions', (SELECT jsonb_agg(jsonb_build_object('version', n.version, 'protocol_version', n.protocol_version,
            'substantial', n.substantial, 'recorded_at', audit.stamp(n.recorded_at), 'gene_modified', np.gene_modified) ORDER BY n.version)
            FROM lab.study_versions n JOIN lab.process_versions np ON np.id = n.process_id WHERE n.study_id = t.id),
        'leaders', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', l.id, 'name', l.name, 'licence_number', l.licence_number,
            'licence_valid_to', l.licence_valid_to, 'title_level', l.title_level, 'title_certificate', l.title_certificate,
            'title_valid_to', l.title_valid_to, 'from', l.from_on, 'to', l.to_on, 'evidence', l.evidence,
            'recorded_at', audit.stamp(l.recorded_at)) ORDER BY l.id), '[]') FROM lab.study_leaders l WHERE l.study_id = t.id),
        'decisions', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', d.id, 'committee', d.committee, 'decision', d.decision,
            'protocol_version', d.protocol_version, 'decided_on', d.decided_on, 'valid_to', d.valid_to, 'reference', d.reference,
            'recorded_at', audit.stamp(d.recorded_at)) ORDER BY d.id), '[]') FROM lab.committee_decisions d WHERE d.study_id = t.id),
        'filings', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', f.id, 'filing_number', f.filing_number, 'authority', f.authority,
            'protocol_version', f.protocol_version, 'filed_on', f.filed_on, 'reference', f.reference,
            'recorded_at', audit.stamp(f.recorded_at)) ORDER BY f.id), '[]') FROM lab.study_filings f WHERE f.study_id = t.id),
        'agreements', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', a.id,
            'sponsor', (SELECT name FROM lab.institutions WHERE id = a.sponsor_id), 'protocol_jointly_set', a.protocol_jointly_set,
            'signed_on', a.signed_on, 'valid_to', a.valid_to, 'reference', a.reference,
            'recorded_at', audit.stamp(a.recorded_at)) ORDER BY a.id), '[]') FROM lab.sponsor_agreements a WHERE a.study_id = t.id),
        'partners', (SELECT coalesce(jsonb_agg(dossier.partner(n.partner_id) ORDER BY n.id), '[]') FROM lab.study_partners n WHERE n.study_id = t.id),
        'house', (SELECT facility FROM lab.deployment), 'reinspections', dossier.reinspections(t.id), 'laboratories', dossier.laboratories(t.id),
        'comparabilities', dossier.comparabilities(t.id), 'production_ends', dossier.production_ends(v.process_id),
        'follow_ups', dossier.follow_up_plans(t.id), 'made_at', to_jsonb(dossier.production_sites(t.id)))
    FROM lab.studies t JOIN lab.study_versions v ON v.study_id = t.id
    WHERE t.id = p_study ORDER BY v.version DESC LIMIT 1
$$;

CREATE OR REPLACE FUNCTION dossier.study(p_study bigint) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET "TimeZone" = 'UTC' SET "DateStyle" = 'ISO, YMD' SET extra_float_digits = 1 SET plan_cache_mode = force_generic_plan AS $$
    SELECT (dossier.shell('study', NULL, v.title) || jsonb_build_object('subject', t.number, 'study', dossier.study_json(t.id),
        'process', dossier.process(v.process_id), 'specification', dossier.specification(v.specification_id), 'facility', dossier.facility(), 'permits', dossier.permits(),
        'assessments', dossier.assessments_of_samples(t.id) || dossier.assessments(v.process_id, '{}', NULL, '{}'), 'off_target_reports', dossier.off_target_reports(v.process_id),
        'banks', (SELECT coalesce(jsonb_agg(jsonb_build_object('code', dossier.own_code(l.id), 'name', l.name, 'state', l.state) ORDER BY l.id), '[]')
            FROM lab.study_banks b JOIN lab.lots l ON l.id = b.lot_id WHERE b.study_id = t.id)))::text
    FROM lab.studies t JOIN lab.study_versions v ON v.study_id = t.id
    WHERE t.id = p_study ORDER BY v.version DESC LIMIT 1
$$;
