-- A fact that comes to light later holds everything downstream in the transaction that records it, whoever records it and
-- however: the holds are placed here, by triggers. How each lot stands then is judged by the application, under these locks.

-- Everything that came from these items: their children, the lots that these belong to, all containers of such lots, and
-- on. The counterpart of lab.ancestry, for many at once. Of a person: the donations and lots that name it.
CREATE OR REPLACE FUNCTION lab.descendants(p_items bigint[]) RETURNS TABLE (item_id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY WITH RECURSIVE down(id) AS (
        SELECT unnest(p_items)
        UNION
        SELECT next.id FROM down JOIN lab.items i ON i.id = down.id CROSS JOIN LATERAL (
            SELECT l.child_id AS id FROM lab.lineage l WHERE l.parent_id = down.id
            UNION ALL SELECT c.lot_id FROM lab.containers c WHERE i.kind IN ('container', 'material_container') AND c.id = down.id AND c.lot_id IS NOT NULL
            UNION ALL SELECT u.lot_id FROM lab.consumptions u WHERE i.kind IN ('container', 'material_container') AND u.container_id = down.id
            UNION ALL SELECT w.lot_id FROM lab.withdrawals w WHERE i.kind = 'container' AND w.vial_id = down.id
            UNION ALL SELECT c.id FROM lab.containers c WHERE i.kind = 'lot' AND c.lot_id = down.id
            UNION ALL SELECT u.lot_id FROM lab.consumptions u WHERE i.kind = 'lot' AND u.material_lot_id = down.id
            UNION ALL SELECT v.vector_lot_id FROM lab.vector_parts v WHERE i.kind = 'lot' AND v.part_lot_id = down.id
                AND v.statement_id = (SELECT max(s.id) FROM lab.vector_statements s WHERE s.vector_lot_id = v.vector_lot_id)
            UNION ALL SELECT d.id FROM lab.lots d WHERE i.kind = 'donation' AND d.donation_id = down.id
            UNION ALL SELECT d.id FROM lab.donations d WHERE i.kind = 'person' AND d.donor_id = down.id
            UNION ALL SELECT d.id FROM lab.lots d WHERE i.kind = 'person' AND d.donor_id = down.id
        ) AS next
    ) SELECT down.id FROM down;
END $$;

-- Writes down what came to light, names what is downstream as it stands, and holds what may still be used. Nothing
-- downstream: nothing is written. Several facts about one thing in one act are one impact.
-- p_unused: only what is not used yet concerns it (a consent withdrawn), and a donation or lot used up is not named.
CREATE OR REPLACE FUNCTION lab.comes_to_light(
    p_kind text, p_subject bigint, p_fact text, p_fact_id bigint, p_says jsonb, p_words text, p_by bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_ended CONSTANT text[] := ARRAY['rejected', 'recalled', 'failed_after_release', 'destroyed'];
    v_itself CONSTANT text[] := ARRAY['result_failed', 'accreditation_ended', 'virus_found', 'legacy_withdrawn', 'partner_paper', 'growth_found'];  -- the lot they are about, too
    v_left CONSTANT text[] := ARRAY['in_use', 'stored', 'issued', 'retained', 'sampled'];
    v_entry bigint := nullif(current_setting('stemma.entry', true), '')::bigint;
    v_by bigint := coalesce(lab.entry_actor(), p_by);
    v_impact bigint;
    v_number text;
    v_of record;
    v_hold bigint;
    v_down bigint[];
BEGIN
    SELECT id INTO v_impact FROM lab.impacts WHERE entry = v_entry AND kind = p_kind AND subject_id = p_subject;
    IF FOUND THEN
        INSERT INTO lab.impact_facts (impact_id, fact, fact_id, says) VALUES (v_impact, p_fact, p_fact_id, p_says);
        RETURN;
    END IF;
    -- Donations before lots, banks before what came from them: the one lock order, so that who judges is waited for.
    IF p_kind IN ('donor_marker', 'health_found', 'consent_withdrawn', 'legacy_withdrawn') THEN
        PERFORM 1 FROM lab.donations WHERE donor_id = p_subject ORDER BY id FOR NO KEY UPDATE;
    END IF;
    v_down := ARRAY(SELECT d.item_id FROM lab.descendants(ARRAY[p_subject] || lab.siblings_at_risk(p_kind, p_subject)) AS d);
    PERFORM 1 FROM lab.lots WHERE id = ANY (v_down) AND (id <> p_subject OR p_kind = ANY (v_itself))
        ORDER BY array_position(ARRAY['material', 'bank', 'preparation'], kind), id FOR NO KEY UPDATE;
    FOR v_of IN
        SELECT * FROM (
            SELECT 1 AS rank, d.id, 'donation' AS kind, 'eligible' AS state, '{}'::bigint[] AS containers,
                   (SELECT r.recipient_id FROM lab.donors r WHERE r.id = d.donor_id) AS recipient_id, true AS usable
            FROM lab.donations d
            WHERE p_kind IN ('donor_marker', 'health_found', 'consent_withdrawn', 'legacy_withdrawn') AND d.id = ANY (v_down)
              AND 'eligible' = (SELECT t.decision FROM lab.determinations t WHERE t.donation_id = d.id ORDER BY t.id DESC LIMIT 1)
              AND NOT EXISTS (SELECT FROM lab.lots l WHERE l.donation_id = d.id AND l.state <> 'planned')
            UNION ALL
            SELECT CASE l.kind WHEN 'material' THEN 2 WHEN 'bank' THEN 3 ELSE 4 END, l.id, l.kind, l.state, here.containers, l.recipient_id,
                   l.state <> ALL (v_ended) AND (p_kind <> 'consent_withdrawn' OR here.usable
                       OR l.state NOT IN ('released', 'conditionally_released'))
            FROM lab.lots l CROSS JOIN LATERAL (
                SELECT coalesce(array_agg(c.id ORDER BY c.id) FILTER (WHERE c.state = ANY (v_left)), '{}') AS containers,
                       coalesce(bool_or(c.state IN ('in_use', 'stored', 'issued')), false) AS usable
                FROM lab.containers c WHERE c.lot_id = l.id) AS here
            WHERE l.id = ANY (v_down) AND (l.id <> p_subject OR p_kind = ANY (v_itself))
        ) AS downstream WHERE p_kind <> 'consent_withdrawn' OR downstream.usable ORDER BY rank, id
    LOOP
        IF v_impact IS NULL THEN
            v_number := 'IM-' || to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YY') || '-' || lab.counted(nextval('lab.impact_numbers'));
            INSERT INTO lab.impacts (number, kind, subject_id, entry, recorded_by)
            VALUES (v_number, p_kind, p_subject, v_entry, v_by) RETURNING id INTO v_impact;
            INSERT INTO lab.impact_facts (impact_id, fact, fact_id, says) VALUES (v_impact, p_fact, p_fact_id, p_says);
        END IF;
        v_hold := NULL;
        IF v_of.usable THEN
            INSERT INTO lab.holds (item_id, reason, recorded_by) VALUES (v_of.id, v_number || ': ' || p_words, v_by) RETURNING id INTO v_hold;
        END IF;
        INSERT INTO lab.impact_items (impact_id, item_id, kind, state_then, containers, recipient_id, hold_id)
        VALUES (v_impact, v_of.id, v_of.kind, v_of.state, v_of.containers, v_of.recipient_id, v_hold);
    END LOOP;
END $$;

-- A marker that is positive or inconclusive. What tells of an old infection or of a vaccination is judged at the gates
-- and alarms nobody: the setting lists those markers.
CREATE OR REPLACE FUNCTION lab.marker_comes_to_light() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.outcome IN ('positive', 'inconclusive') AND NOT EXISTS (
            SELECT FROM jsonb_array_elements_text(coalesce(gate.setting('lookback.markers_without_alarm'), '[]')) AS quiet(marker)
            WHERE lower(quiet.marker) = lower(btrim(NEW.marker)))
       AND NOT EXISTS (
            SELECT FROM jsonb_each(coalesce(gate.setting('don02.serostatus'), '{}')) AS lasting(analyte, markers), jsonb_array_elements_text(lasting.markers) AS quiet(marker)
            WHERE lower(lasting.analyte) = lower(btrim(NEW.analyte)) AND lower(quiet.marker) = lower(btrim(NEW.marker))) THEN
        PERFORM lab.comes_to_light('donor_marker', NEW.donor_id, 'marker', NEW.id,
            jsonb_build_object('analyte', NEW.analyte, 'marker', NEW.marker, 'outcome', NEW.outcome,
                'sampled_at', audit.stamp(NEW.sampled_at), 'reported_at', audit.stamp(NEW.reported_at)),
            concat_ws(' ', NEW.analyte, NEW.marker, NEW.outcome), NEW.recorded_by);
    END IF;
    RETURN NULL;
END $$;

-- Of what an answered history is: the groups of its questions that were answered as excludes, as the version that was asked
-- says. The second hand of DON-08, which also takes a physician's finding.
CREATE OR REPLACE FUNCTION lab.excluding_answers(p_history lab.health_histories) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(jsonb_agg(DISTINCT asked.question ->> 'group'), '[]')
    FROM lab.questionnaires q, jsonb_array_elements(q.questions) AS asked(question)
    WHERE q.id = p_history.questionnaire_id AND p_history.answers ->> (asked.question ->> 'code') = asked.question ->> 'excludes'
$$;

-- A donor's history that excludes, or a physician who finds the donor not suitable.
CREATE OR REPLACE FUNCTION lab.health_comes_to_light() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_groups jsonb := lab.excluding_answers(NEW);
BEGIN
    IF v_groups <> '[]' OR NEW.examination = 'not_suitable' THEN
        PERFORM lab.comes_to_light('health_found', NEW.donor_id, 'history', NEW.id,
            (SELECT jsonb_build_object('questionnaire', q.name, 'version', q.version, 'groups', v_groups, 'examination', NEW.examination,
                'examined_by', NEW.examined_by, 'asked_at', audit.stamp(NEW.asked_at)) FROM lab.questionnaires q WHERE q.id = NEW.questionnaire_id),
            concat_ws(', ', 'history of the donor', (SELECT string_agg(each, ', ') FROM jsonb_array_elements_text(v_groups) AS each),
                CASE NEW.examination WHEN 'not_suitable' THEN 'found not suitable' END), NEW.recorded_by);
    END IF;
    RETURN NULL;
END $$;

-- A consent withdrawn, unless another that stands covers the same uses.
CREATE OR REPLACE FUNCTION lab.withdrawal_comes_to_light() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.withdrawn_at IS NULL AND NEW.withdrawn_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM lab.consents c WHERE c.donor_id = NEW.donor_id AND c.id <> NEW.id AND c.withdrawn_at IS NULL
              AND c.scopes @> NEW.scopes AND c.signed_at <= NEW.signed_at) THEN
        PERFORM lab.comes_to_light('consent_withdrawn', NEW.donor_id, 'consent', NEW.id,
            jsonb_build_object('form_version', NEW.form_version, 'scopes', to_jsonb(NEW.scopes), 'withdrawn_at', audit.stamp(NEW.withdrawn_at)),
            'consent ' || NEW.form_version || ' withdrawn', NEW.recorded_by);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION lab.determination_comes_to_light() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.decision <> 'eligible' THEN
        PERFORM lab.comes_to_light('donation_ineligible', NEW.donation_id, 'determination', NEW.id,
            jsonb_build_object('decision', NEW.decision, 'reason', NEW.reason), 'donation determined ' || NEW.decision, NEW.recorded_by);
    END IF;
    RETURN NULL;
END $$;

-- A material lot recalled or rejected after it was used, or after something that was prepared of it was.
CREATE OR REPLACE FUNCTION lab.material_comes_to_light() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.kind = 'material' AND NEW.to_state IN ('recalled', 'rejected') THEN
        PERFORM lab.comes_to_light('material_stopped', NEW.lot_id, 'material_lot', NEW.lot_id,
            jsonb_build_object('lot', (SELECT l.name FROM lab.lots l WHERE l.id = NEW.lot_id), 'state', NEW.to_state,
                'material', (SELECT m.name FROM lab.material_lots ml JOIN lab.materials m ON m.id = ml.material_id WHERE ml.id = NEW.lot_id)),
            concat_ws(' ', 'material lot', (SELECT l.name FROM lab.lots l WHERE l.id = NEW.lot_id), NEW.to_state), NEW.recorded_by);
    END IF;
    RETURN NULL;
END $$;

-- Whether a result lies within its line; a value in another unit does not.
CREATE OR REPLACE FUNCTION lab.is_within(p_result lab.results) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(CASE WHEN l.kind = 'qualitative' THEN lab.spoken(p_result.value_text) = lab.spoken(l.expected)
        ELSE p_result.value_number IS NOT NULL AND p_result.unit IS NOT DISTINCT FROM l.unit
             AND (l.low IS NULL OR p_result.value_number >= l.low) AND (l.high IS NULL OR p_result.value_number <= l.high) END, false)
    FROM lab.specification_lines l WHERE l.id = p_result.line_id
$$;

-- A result that fails after the release: held when it is recorded, and again when it is accepted if that hold was lifted.
CREATE OR REPLACE FUNCTION lab.result_comes_to_light() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_result lab.results;
BEGIN
    IF TG_TABLE_NAME = 'results' THEN
        v_result := NEW;
    ELSIF NEW.decision = 'accepted' THEN
        SELECT * INTO v_result FROM lab.results WHERE id = NEW.result_id;
    END IF;
    IF v_result.id IS NULL OR lab.is_within(v_result)
       OR NOT EXISTS (SELECT FROM lab.lots WHERE id = v_result.lot_id AND state IN ('released', 'conditionally_released'))
       OR EXISTS (SELECT FROM lab.impact_facts f JOIN lab.impact_items i ON i.impact_id = f.impact_id JOIN lab.holds h ON h.id = i.hold_id
                  WHERE f.fact = 'result' AND f.fact_id = v_result.id AND i.item_id = v_result.lot_id AND h.lifted_at IS NULL) THEN
        RETURN NULL;
    END IF;
    PERFORM lab.comes_to_light('result_failed', v_result.lot_id, 'result', v_result.id,
        (SELECT jsonb_build_object('test', l.test, 'value', coalesce(v_result.value_text, v_result.value_number::text), 'unit', v_result.unit,
            'measured_at', audit.stamp(v_result.measured_at)) FROM lab.specification_lines l WHERE l.id = v_result.line_id),
        (SELECT concat_ws(' ', l.test, coalesce(v_result.value_text, v_result.value_number::text), v_result.unit)
         FROM lab.specification_lines l WHERE l.id = v_result.line_id), v_result.recorded_by);
    RETURN NULL;
END $$;

-- What grew, or was counted, above its action limit, read days after the work: every lot whose cells may have stood in that
-- air is named and held. A plate of grade A tells of its workstation, unless the room itself is of grade A; any other tells
-- of the room, and so of every session there while its own went on. A step may be recorded later: a session is enough. A
-- reading that says no more than one that holds the lot already holds it no second time.
CREATE OR REPLACE FUNCTION lab.growth_comes_to_light() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_of record;
    v_lots bigint[];
    v_lot bigint;
BEGIN
    SELECT m.kind, m.grade, m.place, m.taken_at, w.id AS session_id, w.workstation_id, e.name AS workstation, e.room, l.name AS lot,
        (gate.setting('gmp02.limits') ->> (m.kind || ':' || m.grade))::numeric AS action_limit,
        w.during * tstzrange(NULL, NEW.read_at, '[]') AS during,
        m.grade = 'A' AND NOT EXISTS (SELECT FROM lab.area_classifications c WHERE c.room = e.room AND c.grade = 'A') AS alone
    INTO v_of FROM lab.monitoring_samples m JOIN lab.workstation_sessions w ON w.id = m.session_id
    JOIN lab.equipment e ON e.id = w.workstation_id JOIN lab.lots l ON l.id = w.lot_id WHERE m.id = NEW.sample_id;
    IF v_of.action_limit IS NULL OR NEW.value <= v_of.action_limit THEN RETURN NULL; END IF;
    v_lots := ARRAY(
        SELECT DISTINCT w.lot_id FROM lab.workstation_sessions w JOIN lab.equipment e ON e.id = w.workstation_id
        WHERE w.id = v_of.session_id OR (w.during && v_of.during
            AND CASE WHEN v_of.alone THEN w.workstation_id = v_of.workstation_id ELSE e.room = v_of.room END));
    PERFORM 1 FROM lab.lots WHERE id IN (SELECT d.item_id FROM lab.descendants(v_lots) AS d)
        ORDER BY array_position(ARRAY['material', 'bank', 'preparation'], kind), id FOR NO KEY UPDATE;
    FOREACH v_lot IN ARRAY v_lots LOOP
        CONTINUE WHEN EXISTS (
            SELECT FROM lab.impact_facts f JOIN lab.impact_items i ON i.impact_id = f.impact_id JOIN lab.holds h ON h.id = i.hold_id
            JOIN lab.monitoring_readings r ON r.id = f.fact_id
            WHERE f.fact = 'monitoring_reading' AND r.sample_id = NEW.sample_id AND i.item_id = v_lot AND h.lifted_at IS NULL
              AND r.value >= NEW.value AND (NEW.organism IS NULL OR NEW.organism = r.organism));
        PERFORM lab.comes_to_light('growth_found', v_lot, 'monitoring_reading', NEW.id,
            jsonb_build_object('kind', v_of.kind, 'grade', v_of.grade, 'place', v_of.place, 'workstation', v_of.workstation, 'room', v_of.room,
                'lot', v_of.lot, 'value', NEW.value::text, 'limit', v_of.action_limit::text, 'organism', NEW.organism,
                'taken_at', audit.stamp(v_of.taken_at), 'read_at', audit.stamp(NEW.read_at)),
            concat_ws(' ', v_of.room, v_of.kind, v_of.grade, NEW.value, 'above', v_of.action_limit, NEW.organism), NEW.recorded_by);
    END LOOP;
    RETURN NULL;
END $$;

DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT * FROM (VALUES
        ('marker_results', 'INSERT', 'marker_comes_to_light'), ('health_histories', 'INSERT', 'health_comes_to_light'), ('consents', 'UPDATE', 'withdrawal_comes_to_light'),
        ('determinations', 'INSERT', 'determination_comes_to_light'), ('lot_history', 'INSERT', 'material_comes_to_light'),
        ('results', 'INSERT', 'result_comes_to_light'), ('result_reviews', 'INSERT', 'result_comes_to_light'),
        ('monitoring_readings', 'INSERT', 'growth_comes_to_light')
    ) AS wanted(table_name, upon, function_name) LOOP
        EXECUTE format('DROP TRIGGER IF EXISTS y_comes_to_light ON lab.%I', t.table_name);
        EXECUTE format('CREATE TRIGGER y_comes_to_light AFTER %s ON lab.%I FOR EACH ROW EXECUTE FUNCTION lab.%I()',
                       t.upon, t.table_name, t.function_name);
        EXECUTE format('ALTER TABLE lab.%I ENABLE ALWAYS TRIGGER y_comes_to_light', t.table_name);
    END LOOP;
END $$;

-- What is stated of an impact is stated with it: no fact, and no item, is added by a later transaction.
CREATE OR REPLACE FUNCTION lab.of_this_impact() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM lab.impacts i WHERE i.id = NEW.impact_id AND i.entry = nullif(current_setting('stemma.entry', true), '')::bigint) THEN
        RAISE EXCEPTION 'what an impact names is named with it' USING ERRCODE = 'ST013';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS c_of_this_impact ON lab.impact_items;
CREATE TRIGGER c_of_this_impact BEFORE INSERT ON lab.impact_items FOR EACH ROW EXECUTE FUNCTION lab.of_this_impact();
ALTER TABLE lab.impact_items ENABLE ALWAYS TRIGGER c_of_this_impact;
DROP TRIGGER IF EXISTS c_of_this_impact ON lab.impact_facts;
CREATE TRIGGER c_of_this_impact BEFORE INSERT ON lab.impact_facts FOR EACH ROW EXECUTE FUNCTION lab.of_this_impact();
ALTER TABLE lab.impact_facts ENABLE ALWAYS TRIGGER c_of_this_impact;

-- What the rules on donors read of these lots, for many at once: the part that all lots of the same donors and process
-- share is written out once, in its first row; the lot's own part stands in each. Canonical, as every dossier.
CREATE OR REPLACE FUNCTION dossier.on_donors(p_lots bigint[]) RETURNS TABLE (lot_id bigint, shared_by bigint, shared text, own text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET "TimeZone" = 'UTC' SET "DateStyle" = 'ISO, YMD' SET extra_float_digits = 1 SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY WITH RECURSIVE up(lot, id) AS (
        SELECT c.lot_id, c.id FROM lab.containers c WHERE c.lot_id = ANY (p_lots)
        UNION SELECT l.id, l.donation_id FROM lab.lots l WHERE l.id = ANY (p_lots) AND l.donation_id IS NOT NULL
        UNION SELECT up.lot, e.parent_id FROM up JOIN lab.lineage e ON e.child_id = up.id
    ), given AS MATERIALIZED (
        SELECT up.lot, array_agg(d.id ORDER BY d.id) AS ids FROM up JOIN lab.donations d ON d.id = up.id GROUP BY up.lot
    ), givers AS MATERIALIZED (
        SELECT known.lot, array_agg(known.id ORDER BY known.id) AS ids FROM (
            SELECT up.lot, d.id FROM up JOIN lab.donors d ON d.id = up.id
            UNION SELECT l.id, l.donor_id FROM lab.lots l WHERE l.id = ANY (p_lots) AND l.donor_id IS NOT NULL) AS known GROUP BY known.lot
    ), kin AS MATERIALIZED (
        SELECT l.id, l.process_id, coalesce(given.ids, '{}') AS donations, coalesce(givers.ids, '{}') AS donors
        FROM lab.lots l LEFT JOIN given ON given.lot = l.id LEFT JOIN givers ON givers.lot = l.id WHERE l.id = ANY (p_lots)
    ), firsts AS MATERIALIZED (
        SELECT min(k.id) AS first, k.process_id, k.donations, k.donors FROM kin k GROUP BY k.process_id, k.donations, k.donors
    )
    SELECT k.id, f.first, CASE WHEN k.id = f.first THEN (dossier.shell('lot', k.id, '') || jsonb_build_object(
            'process', dossier.process(f.process_id), 'donations', dossier.donations(f.donations), 'donors', dossier.donors(f.donors),
            'permits', dossier.permits(), 'legacy', dossier.legacy(f.donors), 'assessments', dossier.assessments(f.process_id, f.donors, NULL, '{}')))::text END,
        (jsonb_build_object('subject', dossier.own_code(l.id), 'name', l.name,
            'lot', jsonb_build_object('code', dossier.own_code(l.id), 'name', l.name, 'kind', l.kind, 'state', l.state,
                'version', l.version, 'recipient', dossier.pseudonym(l.recipient_id), 'expires_at', audit.stamp(l.expires_at),
                'frozen_at', audit.stamp(l.frozen_at), 'product', (SELECT v.product FROM lab.process_versions v WHERE v.id = l.process_id)),
            'steps', dossier.steps(l.id), 'banks', dossier.banks(l.id), 'containers', dossier.containers(l.id), 'waivers', dossier.waivers(l.id),
            'late_information', dossier.late_information(array_append(k.donations, l.id), 0))
        || CASE WHEN EXISTS (SELECT FROM lab.assessments a WHERE a.scope_kind = 'lot' AND a.scope_id = l.id)
             THEN jsonb_build_object('assessments', dossier.assessments(l.process_id, f.donors, l.id, '{}')) ELSE '{}' END)::text
    FROM kin k JOIN firsts f ON (f.donations, f.donors) = (k.donations, k.donors) AND f.process_id IS NOT DISTINCT FROM k.process_id
    JOIN lab.lots l ON l.id = k.id ORDER BY f.first, k.id;
END $$;

-- What the rules on materials read of these lots about one material lot: the material is shared, its use is each lot's own.
CREATE OR REPLACE FUNCTION dossier.on_material(p_lots bigint[], p_material_lot bigint)
RETURNS TABLE (lot_id bigint, shared_by bigint, shared text, own text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET "TimeZone" = 'UTC' SET "DateStyle" = 'ISO, YMD' SET extra_float_digits = 1 SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY SELECT l.id, p_material_lot,
        CASE WHEN row_number() OVER (ORDER BY l.id) = 1 THEN (dossier.shell('lot', l.id, '') || jsonb_build_object(
            'materials', dossier.materials(ARRAY[p_material_lot]), 'disease_status', dossier.disease_status(ARRAY[p_material_lot]),
            'suppliers', dossier.suppliers(ARRAY[p_material_lot])))::text END,
        jsonb_build_object('subject', dossier.own_code(l.id), 'name', l.name,
            'lot', jsonb_build_object('code', dossier.own_code(l.id), 'name', l.name, 'kind', l.kind, 'state', l.state,
                'version', l.version, 'recipient', dossier.pseudonym(l.recipient_id), 'expires_at', audit.stamp(l.expires_at),
                'frozen_at', audit.stamp(l.frozen_at), 'product', (SELECT v.product FROM lab.process_versions v WHERE v.id = l.process_id)),
            'process', dossier.process(l.process_id), 'steps', dossier.steps(l.id), 'waivers', dossier.waivers(l.id),
            'virus_tests', dossier.virus_tests(l.id), 'assessments', dossier.assessments(l.process_id, '{}', l.id, ARRAY[p_material_lot]),
            'consumptions', (SELECT coalesce(jsonb_agg(used.each), '[]') FROM jsonb_array_elements(dossier.consumptions(l.id)) AS used(each)
                             WHERE used.each ->> 'material_lot' = dossier.own_code(p_material_lot)))::text
    FROM lab.lots l WHERE l.id = ANY (p_lots) ORDER BY l.id;
END $$;
