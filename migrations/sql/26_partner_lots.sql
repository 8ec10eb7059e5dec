-- Lots that partners made, what came to light of their donors, and what a physician asked for: as their rules read them.

SET LOCAL check_function_bodies = off;  -- some of what is called here is defined in the next files

-- The partner that made the lot, with its papers. A part of what the batch review freezes.
CREATE OR REPLACE FUNCTION dossier.makers(p_lot bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('partner', p.name, 'lot_number', m.lot_number, 'process', m.process,
        'recorded_at', audit.stamp(m.recorded_at), 'papers', (
            SELECT coalesce(jsonb_agg(jsonb_build_object('id', d.id, 'kind', d.kind, 'reference', d.reference, 'conforms', d.conforms,
                'covers', to_jsonb(d.covers), 'signed_by', d.signed_by, 'signed_at', audit.stamp(d.signed_at), 'file_name', d.file_name,
                'file_sha256', d.file_sha256, 'recorded_by', dossier.username(d.recorded_by), 'recorded_at', audit.stamp(d.recorded_at)) ORDER BY d.id), '[]')
            FROM lab.partner_papers d WHERE d.lot_id = m.lot_id))), '[]')
    FROM lab.partner_lots m JOIN lab.partners p ON p.id = m.partner_id WHERE m.lot_id = p_lot
$$;

-- How a partner's batch record tells a step: its people bear its name, so that nobody is taken for one of this house.
CREATE OR REPLACE FUNCTION dossier.step_away(p_step bigint) RETURNS TABLE (partner text, workstation text, donor text, performed_by text,
    verified_by text, verified_at timestamptz, cleared_at timestamptz, cleared_by text, clearance_verified_by text, clearance_verified_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT p.name, w.workstation || ' (' || p.name || ')', CASE WHEN w.one_donor THEN dossier.pseudonym(l.donor_id) END,
        w.performed_by || ' (' || p.name || ')', w.verified_by || ' (' || p.name || ')', w.verified_at, w.cleared_at,
        w.cleared_by || ' (' || p.name || ')', w.clearance_verified_by || ' (' || p.name || ')', w.clearance_verified_at
    FROM lab.partner_steps w JOIN lab.partner_lots m ON m.lot_id = w.lot_id JOIN lab.partners p ON p.id = m.partner_id
    JOIN lab.lots l ON l.id = w.lot_id WHERE w.step_id = p_step
$$;

-- That partner as it was assessed and agreed with. No part of the package: a later assessment says nothing of what was done.
CREATE OR REPLACE FUNCTION dossier.making_partners(p_lot bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(dossier.partner(m.partner_id)), '[]') FROM lab.partner_lots m WHERE m.lot_id = p_lot
$$;

-- What came to light about the donor and names one of these items, with the hold and the decision about it. `p_most`
-- recipients of each impact are named; of the others it is said how many they are.
CREATE OR REPLACE FUNCTION dossier.late_information(p_items bigint[], p_most integer) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('number', i.number, 'kind', i.kind, 'on', coalesce(dossier.own_code(x.item_id), x.item_id::text),
        'state_then', x.state_then, 'recorded_at', audit.stamp(i.recorded_at), 'hold', x.hold_id IS NOT NULL,
        'lifted_at', audit.stamp(h.lifted_at), 'lifted_by', dossier.username(s.account_id), 'lifted_as', s.meaning, 'reasons', s.statement,
        'named', named.people, 'recipients', named.count) ORDER BY i.id, x.id), '[]')
    FROM lab.impact_items x JOIN lab.impacts i ON i.id = x.impact_id LEFT JOIN lab.holds h ON h.id = x.hold_id
    LEFT JOIN lab.signatures s ON s.id = h.lifted_signature_id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN p_most > 0 THEN (SELECT count(DISTINCT o.recipient_id) FROM lab.impact_items o WHERE o.impact_id = i.id)
                    ELSE (x.recipient_id IS NOT NULL)::integer END AS count,
            CASE WHEN p_most > 0 THEN (SELECT coalesce(jsonb_agg(r.pseudonym ORDER BY r.pseudonym), '[]') FROM (
                    SELECT DISTINCT n.pseudonym FROM lab.impact_items o JOIN lab.persons n ON n.id = o.recipient_id WHERE o.impact_id = i.id
                    ORDER BY n.pseudonym LIMIT p_most) AS r)
                 WHEN x.recipient_id IS NULL THEN '[]' ELSE jsonb_build_array(dossier.pseudonym(x.recipient_id)) END AS people) AS named
    WHERE x.item_id = ANY (p_items) AND i.kind IN ('donor_marker', 'health_found', 'consent_withdrawn', 'donation_ineligible')
$$;

CREATE OR REPLACE FUNCTION dossier.exceptional_requests(p_lot bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'requested_by', dossier.username(r.recorded_by), 'reasons', r.reasons,
        'risk_evaluation', r.risk_evaluation, 'risk_file_sha256', r.risk_file_sha256, 'committee', r.committee,
        'committee_decision', r.committee_decision, 'committee_decided_on', r.committee_decided_on,
        'committee_reference', r.committee_reference, 'recorded_at', audit.stamp(r.recorded_at), 'disposition', r.disposition,
        'decided_by', dossier.username(s.account_id), 'decided_at', audit.stamp(s.signed_at)) ORDER BY r.id), '[]')
    FROM lab.exceptional_requests r LEFT JOIN lab.signatures s ON s.id = r.signature_id WHERE r.lot_id = p_lot
$$;

-- A lot about to be given, or one container of it: the lot's dossier and the study of its process version, where one alone
-- follows that. No part of what is released: a study's papers come and go.
CREATE OR REPLACE FUNCTION dossier.to_give(p_lot bigint, p_container bigint) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET "TimeZone" = 'UTC' SET "DateStyle" = 'ISO, YMD' SET extra_float_digits = 1 SET plan_cache_mode = force_generic_plan AS $$
    SELECT (dossier.lot_json(l.id) || jsonb_build_object('vial', dossier.own_code(p_container), 'study', (
        SELECT CASE WHEN count(*) = 1 THEN dossier.study_json(min(v.study_id)) END FROM lab.study_versions v
        WHERE v.process_id = l.process_id AND NOT EXISTS (
            SELECT FROM lab.study_versions n WHERE n.study_id = v.study_id AND n.version > v.version))))::text
    FROM lab.lots l WHERE l.id = p_lot AND l.kind <> 'material'
      AND (p_container IS NULL OR EXISTS (SELECT FROM lab.containers c WHERE c.id = p_container AND c.lot_id = l.id))
$$;

SET LOCAL check_function_bodies = on;
