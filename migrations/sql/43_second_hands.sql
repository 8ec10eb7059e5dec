-- Second hands on rules that nobody may waive: what SQL can say plainly, asked at the release beside gate.objections.
-- Each says less than its rule, and never more.

-- Whether papers about a lot show, for this rule, what lacks its record: every step was made before the guideline.
CREATE OR REPLACE FUNCTION gate.legacy_shows_lot(p_rule text, p_lot bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM lab.legacy_dossiers d JOIN lab.signatures s ON s.id = d.signature_id,
            LATERAL (SELECT ((gate.setting('legacy.before') #>> '{}')::timestamp
                - make_interval(hours => (gate.setting('facility.utc_offset_hours') #>> '{}')::integer)) AT TIME ZONE 'UTC' AS day) AS before
        WHERE before.day IS NOT NULL AND d.about = 'lot' AND d.item_id = p_lot AND p_rule = ANY (d.rules) AND s.account_id <> d.proposed_by
          AND d.valid_from <= clock_timestamp() AND d.valid_to > clock_timestamp()
          AND NOT EXISTS (SELECT FROM lab.legacy_withdrawals w WHERE w.dossier_id = d.id)
          AND NOT EXISTS (SELECT FROM lab.steps t WHERE t.lot_id = p_lot AND coalesce(t.ended_at, t.started_at) >= before.day))
$$;

CREATE OR REPLACE FUNCTION gate.second_hands(p_lot bigint, p_donors bigint[], p_began timestamptz) RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_lot lab.lots;
    v_materials bigint[] := lab.with_parts(ARRAY(SELECT material_lot_id FROM lab.consumptions WHERE lot_id = p_lot));
    v_offset interval := make_interval(hours => coalesce((gate.setting('facility.utc_offset_hours') #>> '{}')::integer, 8));
    v_places jsonb := coalesce(gate.setting('don14.places'), '["segregated_storage"]');
    v_panel jsonb := coalesce(gate.setting('don01.panel'), '{}');
    v_safety jsonb := coalesce(gate.setting('rel03.safety_set'), '{}');
    v_own boolean := gate.own_cells(p_donors);
    v_up bigint[] := ARRAY(SELECT item_id FROM lab.ancestry(p_lot));
    v_banks text[] := ARRAY(SELECT b.state FROM lab.lots b WHERE b.kind = 'bank' AND b.id <> p_lot AND b.id IN (
        SELECT c.lot_id FROM lab.containers c WHERE c.id = ANY (v_up) UNION ALL SELECT unnest(v_up)));
    v_process lab.process_versions;
    v_broken boolean;
    v_undocumented boolean;
BEGIN
    SELECT * INTO v_lot FROM lab.lots WHERE id = p_lot;
    SELECT * INTO v_process FROM lab.process_versions WHERE id = v_lot.process_id;
    -- Each infection is tested for by every marker of the panel, and was known to be excluded before processing began. A
    -- marker that is positive is judged for that.
    IF NOT v_own AND (EXISTS (SELECT FROM unnest(ARRAY['HIV', 'HBV', 'HCV', 'syphilis']) AS always(analyte)
                              WHERE coalesce(v_panel -> always.analyte, '[]') = '[]')
           OR EXISTS (SELECT FROM lab.donors d WHERE d.id = ANY (p_donors) AND EXISTS (
                   SELECT FROM jsonb_each(v_panel) AS panel(analyte, markers), jsonb_array_elements_text(panel.markers) AS asked(marker)
                   WHERE NOT EXISTS (
                       SELECT FROM lab.marker_results m WHERE m.donor_id = d.id AND lower(btrim(m.analyte)) = lower(btrim(panel.analyte))
                         AND lower(btrim(m.marker)) = lower(btrim(asked.marker))
                         AND (m.outcome = 'positive' OR (m.outcome = 'negative' AND greatest(m.reported_at, m.recorded_at) <= p_began))))
               AND NOT gate.legacy_shows('DON-01', p_lot, d.id))) THEN
        RETURN NEXT 'DON-01: a marker that is always tested was not known to be negative before processing';
    END IF;
    -- HTLV excludes, unless the tissue was last decided not to be rich in leukocytes.
    IF EXISTS (SELECT FROM lab.donors d JOIN lab.marker_results m ON m.donor_id = d.id
               WHERE d.id = ANY (p_donors) AND d.relation = 'allogeneic' AND lower(btrim(m.analyte)) = 'htlv' AND m.outcome = 'positive')
       AND NOT coalesce((SELECT NOT t.leukocyte_rich FROM lab.tissue_types t JOIN lab.donations o ON lower(btrim(o.tissue)) IN (lower(t.name), lower(t.name_zh))
                         WHERE o.id = v_lot.donation_id AND t.signature_id IS NOT NULL ORDER BY t.version DESC LIMIT 1), false) THEN
        RETURN NEXT 'DON-02: HTLV is positive';
    END IF;
    -- Cells for somebody else are given with a consent to that.
    IF EXISTS (SELECT FROM lab.donors d WHERE d.id = ANY (p_donors) AND d.relation = 'allogeneic'
               AND NOT (SELECT coalesce(jsonb_agg(scope), '[]') FROM lab.consents c, unnest(c.scopes) AS scope
                        WHERE c.donor_id = d.id AND c.withdrawn_at IS NULL
                          AND c.signed_at <= (SELECT collected_at FROM lab.donations WHERE id = v_lot.donation_id)
                          AND (c.recorded_at <= p_began OR gate.legacy_shows('DON-10', p_lot, d.id)))
                   @> coalesce(gate.setting('don10.scopes') -> 'allogeneic', '["allogeneic use"]')
               AND NOT (gate.legacy_shows('DON-10', p_lot, d.id) AND NOT EXISTS (SELECT FROM lab.consents c WHERE c.donor_id = d.id))) THEN
        RETURN NEXT 'DON-10: no consent to the use for others stands';
    END IF;
    -- What is known to be infected stands apart.
    IF EXISTS (SELECT FROM lab.marker_results m, jsonb_each(coalesce(gate.setting('don01.panel'), '{}')) AS panel(analyte, markers),
                   jsonb_array_elements_text(panel.markers) AS asked(marker)
               WHERE m.donor_id = ANY (p_donors) AND m.outcome = 'positive' AND m.reported_at <= clock_timestamp() AND lower(btrim(m.analyte)) = lower(panel.analyte)
                 AND lower(btrim(m.marker)) = lower(asked.marker))
       AND EXISTS (SELECT FROM lab.containers c LEFT JOIN lab.equipment e ON e.id = c.place_id
                   WHERE c.lot_id = p_lot AND c.state = 'stored' AND NOT coalesce(v_places ? e.kind, false)) THEN
        RETURN NEXT 'DON-14: vials of a positive donor are not known to stand apart';
    END IF;
    -- Of birth tissue the mother is tested, and the cells are the infant's.
    IF (SELECT t.birth_tissue FROM lab.tissue_types t JOIN lab.donations o ON lower(btrim(o.tissue)) IN (lower(t.name), lower(t.name_zh))
        WHERE o.id = v_lot.donation_id AND t.signature_id IS NOT NULL ORDER BY t.version DESC LIMIT 1) THEN
        IF EXISTS (SELECT FROM lab.donors d WHERE d.id = v_lot.donor_id
                   AND (d.kind IS DISTINCT FROM 'birth' OR d.tested_person_id = d.id OR d.genetic_source_id <> d.id)) THEN
            RETURN NEXT 'DON-09: of birth tissue the mother is tested, and the infant is the source';
        END IF;
        IF (SELECT count(DISTINCT b.kind) FROM lab.birth_tests b WHERE b.donation_id = v_lot.donation_id) < 2 THEN
            RETURN NEXT 'DON-09: the infant''s genotype, or how much is the mother''s, is not recorded';
        END IF;
    END IF;
    -- Each material was screened for beta-lactams when it was approved, and the judgement that said so was kept.
    IF EXISTS (SELECT FROM unnest(v_materials) AS used(id) WHERE NOT EXISTS (
                   SELECT FROM lab.judgements j WHERE j.subject_kind = 'material_lot' AND j.subject_id = used.id AND j.gate = 'G1' AND NOT j.blocks
                     AND jsonb_path_exists(j.verdicts, '$.verdicts[*] ? (@.rule == "MAT-03" && (@.outcome == "pass" || @.outcome == "not_applicable"))'))) THEN
        RETURN NEXT 'MAT-03: no judgement stands that found a material free of beta-lactams';
    END IF;
    -- Serum of animals: every country is known, and had a negligible risk of BSE on each day that counts, as was stated
    -- by the first use that asks for that day.
    IF EXISTS (SELECT FROM lab.material_lots l JOIN lab.materials m ON m.id = l.material_id
               WHERE l.id = ANY (v_materials) AND m.kind <> 'prepared' AND m.animal_serum IS DISTINCT FROM false
                 AND (m.animal_serum IS NULL OR coalesce(cardinality(l.origin_countries), 0) = 0 OR (
                     coalesce(gate.setting('mat05.ruminants') ? m.species, true) AND EXISTS (
                     SELECT FROM unnest(l.origin_countries) AS origin(country),
                         (SELECT l.collected_on AS day, (SELECT min(u.used_at) FROM lab.consumptions u
                              WHERE u.lot_id = p_lot AND u.material_lot_id = l.id) AS needed
                          UNION SELECT (u.used_at AT TIME ZONE 'UTC' + v_offset)::date, min(u.used_at)
                          FROM lab.consumptions u WHERE u.lot_id = p_lot AND u.material_lot_id = l.id GROUP BY 1) AS counts
                     WHERE counts.day IS NOT NULL AND NOT EXISTS (
                         SELECT FROM lab.animal_disease_status t WHERE t.country = origin.country AND t.disease = 'BSE'
                           AND t.category = 'negligible' AND t.valid_from <= counts.day AND (t.valid_to IS NULL OR t.valid_to >= counts.day)
                           AND (counts.needed IS NULL OR t.recorded_at <= counts.needed)))))) THEN
        RETURN NEXT 'MAT-05: serum of an animal, of unknown origin or from where the risk of BSE is not negligible';
    END IF;
    -- When it was used, each material was approved and in date, its container not open for too long; and it had arrived as its
    -- label asks, unless it was made here.
    SELECT bool_or(l.expires_on IS NULL OR l.expires_on < (u.used_at AT TIME ZONE 'UTC' + v_offset)::date OR c.opened_until < u.used_at
                   OR approved.at IS NULL OR (m.kind <> 'prepared' AND NOT l.storage_ok)),
           bool_or(approved.at > u.used_at OR (m.kind <> 'prepared' AND l.storage_ok IS NULL))
    INTO v_broken, v_undocumented
    FROM lab.consumptions u JOIN lab.material_lots l ON l.id = u.material_lot_id JOIN lab.materials m ON m.id = l.material_id
    JOIN lab.containers c ON c.id = u.container_id
    LEFT JOIN LATERAL (SELECT s.signed_at AS at FROM lab.lot_history h JOIN lab.signatures s ON s.id = h.signature_id
        WHERE h.lot_id = l.id AND h.to_state = 'approved' ORDER BY h.seq LIMIT 1) AS approved ON true
    WHERE u.lot_id = p_lot;
    IF v_broken OR (v_undocumented AND NOT gate.legacy_shows_lot('MAT-06', p_lot)) THEN
        RETURN NEXT 'MAT-06: a material was out of date or not approved when it was used, or did not arrive as it should';
    END IF;
    -- Every open step had its workstation for its donor alone, cleared, and the clearance verified by another, before it began.
    SELECT bool_or(w.donor_id <> v_lot.donor_id OR (c.id IS NOT NULL AND (v.id IS NULL OR v.verified_by = c.performed_by))),
           bool_or(w.id IS NULL OR c.id IS NULL OR c.cleared_at > t.started_at OR v.recorded_at > t.started_at)
    INTO v_broken, v_undocumented
    FROM lab.steps t LEFT JOIN lab.workstation_sessions w ON w.id = t.workstation_session_id
    LEFT JOIN lab.line_clearances c ON c.id = w.opening_clearance_id LEFT JOIN lab.verifications v ON v.clearance_id = c.id
    WHERE t.lot_id = p_lot AND t.kind IN ('isolation', 'passage', 'fill', 'thaw')
      AND NOT EXISTS (SELECT FROM lab.partner_steps p WHERE p.step_id = t.id);
    IF v_broken OR (v_undocumented AND NOT gate.legacy_shows_lot('GMP-03', p_lot)) THEN
        RETURN NEXT 'GMP-03: a line was not cleared for this donor alone and verified by a second person before the step';
    END IF;
    -- No passage and no doubling beyond the limit. The primary culture begins at zero: how many cells were seeded is unknown.
    IF EXISTS (SELECT FROM lab.steps t WHERE t.lot_id = p_lot AND t.kind IN ('isolation', 'thaw', 'passage') AND (
                   t.passage <= v_process.max_passage
                   AND CASE WHEN t.kind = 'isolation' THEN coalesce(t.cpdl, 0) ELSE t.cpdl END <= v_process.max_pdl) IS NOT TRUE) THEN
        RETURN NEXT 'CB-05: passages or doublings are beyond the limit of the process version, or unknown';
    END IF;
    -- Long expansion, by its flag or by any of the figures, genes changed for somebody else, and clones: from released banks.
    IF v_lot.kind <> 'bank' AND (cardinality(v_banks) = 0 OR EXISTS (SELECT FROM unnest(v_banks) AS b(state) WHERE b.state <> 'released')) AND (
            v_process.long_term_expansion OR v_process.clone_selected OR (v_process.gene_modified AND NOT v_own)
            OR v_process.max_passage - (v_process.passage_convention = 'primary_is_p1')::integer > (gate.setting('cb02.passages_over') #>> '{}')::numeric
            OR v_process.max_pdl > (gate.setting('cb02.doublings_over') #>> '{}')::numeric
            OR (SELECT extract(epoch FROM coalesce(min(t.started_at) FILTER (WHERE t.kind IN ('fill', 'cryopreservation')), max(t.started_at) FILTER (WHERE t.kind IN ('isolation', 'thaw', 'passage')))
                       - min(t.started_at) FILTER (WHERE t.kind IN ('isolation', 'thaw', 'passage'))) / 86400 FROM lab.steps t WHERE t.lot_id = p_lot)
               > (gate.setting('cb02.days_over') #>> '{}')::numeric) THEN
        RETURN NEXT 'CB-01: a cell bank is mandatory, and no released one stands behind the lot';
    END IF;
    -- A patient's own cells, gene modified: without a bank only on a written reply that was filed before and was not taken back.
    IF v_lot.kind <> 'bank' AND cardinality(v_banks) = 0 AND v_process.gene_modified AND v_own AND (
            (SELECT r.ruling FROM lab.authority_replies r WHERE r.process_id = v_lot.process_id AND r.rule = 'CB-01A'
             ORDER BY r.dated DESC, r.id DESC LIMIT 1) IS DISTINCT FROM 'permits'
            OR (SELECT r.ruling FROM lab.authority_replies r WHERE r.process_id = v_lot.process_id AND r.rule = 'CB-01A' AND r.recorded_at <= p_began
                ORDER BY r.dated DESC, r.id DESC LIMIT 1) IS DISTINCT FROM 'permits') THEN
        RETURN NEXT 'CB-01A: no written reply of the authority lets the patient''s own gene modified cells do without a bank';
    END IF;
    -- The safety tests stand in the specification, each required and marked as safety, under one of its names.
    IF v_lot.specification_id IS NOT NULL AND EXISTS (
            SELECT FROM unnest(ARRAY['sterility', 'mycoplasma', 'endotoxin', 'viability', 'identity', 'dose', 'adventitious_virus']) AS always(test)
            WHERE (always.test <> 'adventitious_virus' OR gate.setting('rel03.adventitious_virus_by') #>> '{}' = 'lot') AND NOT EXISTS (
                SELECT FROM lab.specification_lines l, jsonb_array_elements_text(coalesce(v_safety -> always.test, jsonb_build_array(replace(always.test, '_', ' ')))) AS names(name)
                WHERE l.specification_id = v_lot.specification_id AND l.required AND l.safety AND lab.spoken(l.test) = lab.spoken(names.name))) THEN
        RETURN NEXT 'REL-03: the specification leaves out a safety test';
    END IF;
    -- A bank, or what was made of one, had its permit when its processing began.
    IF (v_lot.kind = 'bank' OR cardinality(v_banks) > 0) AND coalesce(gate.setting('hgr01.required_for') ? 'banking', true)
       AND NOT EXISTS (SELECT FROM lab.genetic_resource_permits g WHERE 'banking' = ANY (g.purposes)
                       AND g.valid_from <= (p_began AT TIME ZONE 'UTC' + v_offset)::date
                       AND (g.valid_to IS NULL OR g.valid_to >= (p_began AT TIME ZONE 'UTC' + v_offset)::date)
                       AND (g.withdrawn_at IS NULL OR g.withdrawn_at > p_began)
                       AND (g.recorded_at <= p_began OR gate.legacy_shows_lot('HGR-01', p_lot))) THEN
        RETURN NEXT 'HGR-01: no permit for human genetic resources stood before the cells were banked';
    END IF;
END $$;
