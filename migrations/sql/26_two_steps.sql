-- Release in two steps: what may be pending and what stands in for it, the gate of the first signature, and what becomes
-- of a lot whose late result fails.

SET LOCAL check_function_bodies = off;  -- some of what is called here is defined in later files

-- Words as they compare: compatibility forms, case and spaces do not count.
CREATE OR REPLACE FUNCTION lab.spoken(p_words text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT lower(btrim(regexp_replace(normalize(p_words, NFKC), '\s+', ' ', 'g'))) $$;

-- The plan that was signed before the work on a lot began, the last of them; none where nobody signed one by then.
CREATE OR REPLACE FUNCTION lab.plan_in_force(p_lot bigint) RETURNS SETOF lab.two_step_plans
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT p.* FROM lab.lots l JOIN lab.two_step_plans p ON p.process_id = l.process_id JOIN lab.signatures s ON s.id = p.signature_id
    WHERE l.id = p_lot AND s.meaning = 'two_step_plan_decided' AND s.account_id <> p.proposed_by
      AND s.signed_at <= (SELECT min(started_at) FROM lab.steps WHERE lot_id = p_lot)
    ORDER BY p.version DESC LIMIT 1
$$;

-- Every test of a lot that its plan lets come late and whose result is not there: what was begun, when it is due, and
-- whether the test that stands in for it was negative, of the same sample (of virus: of the same kind, not sampled before). What a later signed plan
-- names no more, or otherwise, may not be pending; of a lot that was given out its result is owed all the same.
CREATE OR REPLACE FUNCTION lab.pending_tests(p_lot bigint) RETURNS TABLE (
    test text, line_id bigint, name text, interim text, validation text, days integer, if_positive text, sample_id bigint,
    laboratory text, started_at timestamptz, due_at timestamptz, recorded_at timestamptz, recorded_by bigint, interim_stands boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH planned AS (
        SELECT e.each ->> 'test' AS test, e.each ->> 'interim' AS interim, e.each ->> 'validation' AS validation,
            (e.each ->> 'days')::integer AS days, e.each ->> 'if_positive' AS if_positive, e.at
        FROM lab.plan_in_force(p_lot) AS p, jsonb_array_elements(p.pending) WITH ORDINALITY AS e(each, at)
        WHERE EXISTS (SELECT FROM lab.lots l WHERE l.id = p_lot AND l.state = 'conditionally_released')  -- its result is owed, whatever changed since
           OR gate.setting('rel06.may_be_pending') ? (e.each ->> 'test')
          AND EXISTS (  -- the last signed plan binds: it may give the test more time, and changes nothing else of it
              SELECT FROM (SELECT n.pending FROM lab.two_step_plans n WHERE n.process_id = p.process_id AND n.signature_id IS NOT NULL
                           ORDER BY n.version DESC LIMIT 1) AS last, jsonb_array_elements(last.pending) AS l(each)
              WHERE l.each ->> 'test' = e.each ->> 'test' AND (l.each ->> 'days')::integer >= (e.each ->> 'days')::integer
                AND lab.spoken(l.each ->> 'interim') = lab.spoken(e.each ->> 'interim')
                AND lab.spoken(l.each ->> 'validation') = lab.spoken(e.each ->> 'validation'))
    ), standing AS (
        SELECT r.* FROM lab.results r WHERE r.lot_id = p_lot AND NOT EXISTS (
            SELECT FROM lab.result_invalidations i JOIN lab.deviations d ON d.id = i.deviation_id WHERE i.result_id = r.id AND d.state = 'closed')
    ), lines AS (
        SELECT s.* FROM lab.lots l JOIN lab.specification_lines s ON s.specification_id = l.specification_id
        WHERE l.id = p_lot AND s.required AND s.safety
    )
    SELECT p.test, s.id, s.test, p.interim, p.validation, p.days, p.if_positive, w.sample_id, w.laboratory, w.started_at, w.due_at,
        w.recorded_at, w.recorded_by, coalesce((  -- of the very sample, and none of any sample that found something or is not accepted
            SELECT bool_or(r.sample_id = w.sample_id) AND bool_and(lab.is_within(r) AND 'accepted' = coalesce(
                (SELECT v.decision FROM lab.result_reviews v WHERE v.result_id = r.id ORDER BY v.id DESC LIMIT 1), ''))
            FROM lines i JOIN standing r ON r.line_id = i.id WHERE i.id <> s.id AND lab.spoken(i.test) = lab.spoken(p.interim)), false)
    FROM planned p JOIN lines s ON lab.spoken(s.test) IN (
            SELECT lab.spoken(n) FROM jsonb_array_elements_text(gate.setting('rel03.safety_set') -> p.test) AS n)
    LEFT JOIN LATERAL (SELECT * FROM lab.tests_under_way w WHERE w.lot_id = p_lot AND w.line_id = s.id
        AND w.started_at > coalesce((SELECT max(r.measured_at) FROM lab.results r WHERE r.lot_id = p_lot AND r.line_id = s.id), '-infinity')
        ORDER BY w.id DESC LIMIT 1) AS w ON true  -- begun after whatever was measured and set aside since
    WHERE NOT EXISTS (SELECT FROM standing r WHERE r.line_id = s.id)
    UNION ALL
    SELECT p.test, NULL, t.method, 'rapid_pcr', p.validation, p.days, p.if_positive, NULL, t.laboratory, t.sampled_at,
        t.sampled_at + make_interval(days => p.days), t.recorded_at, t.recorded_by, EXISTS (
            SELECT FROM lab.virus_tests r WHERE r.lot_id = p_lot AND r.sample = t.sample AND r.assay = 'rapid_pcr' AND r.sampled_at >= t.sampled_at
              AND 'negative' = (SELECT o.outcome FROM lab.virus_test_outcomes o WHERE o.test_id = r.id ORDER BY o.id DESC LIMIT 1))
            AND NOT EXISTS (  -- one that found it spoils every other
                SELECT FROM lab.virus_tests r JOIN lab.virus_test_outcomes o ON o.test_id = r.id
                WHERE r.lot_id = p_lot AND r.sample = t.sample AND r.assay = 'rapid_pcr' AND o.outcome = 'positive')
    FROM planned p JOIN lab.virus_tests t ON t.lot_id = p_lot AND gate.setting('gm05.assays') ? t.assay
    WHERE p.test = 'replicating_virus' AND NOT EXISTS (SELECT FROM lab.virus_test_outcomes o WHERE o.test_id = t.id)
$$;

-- Whether a test rules replication-competent virus out: by a full assay, of enough, and negative by its last report.
CREATE OR REPLACE FUNCTION gate.rules_virus_out(p_test lab.virus_tests) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(gate.setting('gm05.assays') ? p_test.assay
        AND CASE WHEN p_test.supernatant_percent IS NOT NULL
            THEN p_test.supernatant_percent >= (gate.setting('gm05.amounts') ->> 'supernatant_percent')::numeric
            ELSE p_test.cells_tested >= least((gate.setting('gm05.amounts') ->> 'cells')::numeric,
                p_test.cells_in_pool * (gate.setting('gm05.amounts') ->> 'cells_percent')::numeric / 100) END
        AND 'negative' = (SELECT o.outcome FROM lab.virus_test_outcomes o WHERE o.test_id = p_test.id ORDER BY o.id DESC LIMIT 1), false)
$$;

-- A test for replication-competent virus that has no outcome yet, where no negative one of the same kind of sample, not
-- sampled before it, answers for it.
CREATE OR REPLACE FUNCTION gate.virus_pending(p_lot bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM lab.virus_tests t WHERE t.lot_id = p_lot AND gate.setting('gm05.assays') ? t.assay
          AND NOT EXISTS (SELECT FROM lab.virus_test_outcomes o WHERE o.test_id = t.id)
          AND NOT EXISTS (SELECT FROM lab.virus_tests n WHERE n.lot_id = p_lot AND n.sample = t.sample
                          AND n.sampled_at >= t.sampled_at AND gate.rules_virus_out(n)))
$$;

-- What the rules read of it: every plan that was signed, what was begun, and which physician knows of what.
CREATE OR REPLACE FUNCTION dossier.two_steps(p_lot bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'plans', (SELECT coalesce(jsonb_agg(jsonb_build_object('version', p.version, 'protocol', p.protocol, 'protocol_version', p.protocol_version,
            'ethics_reference', p.ethics_reference, 'ethics_approved_on', p.ethics_approved_on, 'consent_clause', p.consent_clause,
            'pending', p.pending, 'proposed_by', dossier.username(p.proposed_by), 'approved_by', dossier.username(s.account_id),
            'approved_at', audit.stamp(s.signed_at)) ORDER BY p.version), '[]')
            FROM lab.two_step_plans p JOIN lab.signatures s ON s.id = p.signature_id WHERE p.process_id = l.process_id),
        'under_way', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', w.id, 'line_id', w.line_id, 'sample', dossier.own_code(w.sample_id),
            'laboratory', w.laboratory, 'started_at', audit.stamp(w.started_at), 'due_at', audit.stamp(w.due_at),
            'recorded_by', dossier.username(w.recorded_by), 'recorded_at', audit.stamp(w.recorded_at)) ORDER BY w.id), '[]')
            FROM lab.tests_under_way w WHERE w.lot_id = l.id),
        'acknowledgements', (SELECT coalesce(jsonb_agg(jsonb_build_object('tests', to_jsonb(a.tests), 'by', dossier.username(a.recorded_by),
            'at', audit.stamp(a.recorded_at)) ORDER BY a.id), '[]')
            FROM lab.pending_acknowledgements a WHERE a.lot_id = l.id))
    FROM lab.lots l WHERE l.id = p_lot
$$;

-- Whether a process version is released in two steps: the quality authority signs, and not what they proposed.
CREATE OR REPLACE FUNCTION gate.decide_two_step_plan(p_plan bigint, p_ceremony uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_record record;
    v_signature lab.signatures;
BEGIN
    PERFORM lab.lock_one('facility', 1);
    PERFORM 1 FROM lab.two_step_plans WHERE id = p_plan FOR UPDATE;
    SELECT * INTO v_record FROM dossier.record('two_step_plan', p_plan);
    v_signature := gate.consume(p_ceremony, 'two_step_plan_decided', 'two_step_plan', p_plan, v_record.bytes, v_record.version);
    IF EXISTS (SELECT FROM lab.two_step_plans WHERE id = p_plan AND proposed_by = v_signature.account_id) THEN
        RAISE EXCEPTION 'nobody decides what they proposed themselves' USING ERRCODE = 'ST033';
    END IF;
    IF EXISTS (SELECT FROM lab.two_step_plans p JOIN lab.two_step_plans n ON n.process_id = p.process_id AND n.version > p.version
               WHERE p.id = p_plan AND n.signature_id IS NOT NULL) THEN
        RAISE EXCEPTION 'a later version is decided already' USING ERRCODE = 'ST013';
    END IF;
    UPDATE lab.two_step_plans SET signature_id = v_signature.id WHERE id = p_plan AND signature_id IS NULL;
    IF NOT FOUND THEN RAISE EXCEPTION 'this is decided already' USING ERRCODE = 'ST013'; END IF;
    RETURN v_signature.id;
END $$;

-- The lines whose results a first release does without: begun in time, not overdue, with a negative test in their place.
CREATE OR REPLACE FUNCTION gate.pending_lines(p_lot bigint) RETURNS bigint[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(p.line_id), '{}') FROM lab.pending_tests(p_lot) AS p
    WHERE p.line_id IS NOT NULL AND p.started_at IS NOT NULL AND p.interim_stands
      AND p.due_at > clock_timestamp() AND p.due_at <= p.started_at + make_interval(days => p.days)
$$;

-- What stands against a first release of two beside everything that stands against a release.
CREATE OR REPLACE FUNCTION gate.two_step_objections(p_lot bigint, p_account bigint) RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET "TimeZone" = 'UTC' SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_lot lab.lots;
    v_now timestamptz := clock_timestamp();
    v_pending text[] := ARRAY(SELECT DISTINCT p.test FROM lab.pending_tests(p_lot) AS p);
BEGIN
    SELECT * INTO v_lot FROM lab.lots WHERE id = p_lot;
    IF gate.setting('rel06.allowed') #>> '{}' IS DISTINCT FROM 'yes' THEN
        RETURN NEXT 'REL-06: release in two steps is not allowed here';
    END IF;
    IF v_lot.kind IS DISTINCT FROM 'preparation' THEN RETURN NEXT 'REL-06: only a preparation is released in two steps'; END IF;
    IF NOT EXISTS (SELECT FROM lab.plan_in_force(p_lot)) THEN
        RETURN NEXT 'REL-06: no plan was signed before processing began';
    END IF;
    IF cardinality(v_pending) = 0 THEN RETURN NEXT 'REL-06: nothing is pending that the plan lets come late'; END IF;
    IF EXISTS (SELECT FROM lab.pending_tests(p_lot) AS p WHERE p.started_at IS NULL OR p.interim_stands IS NOT TRUE
               OR p.due_at <= v_now OR p.due_at > p.started_at + make_interval(days => p.days)) THEN
        RETURN NEXT 'REL-06: a pending test is not under way, is overdue, or no negative test stands in its place';
    END IF;
    IF gate.virus_pending(p_lot) AND NOT 'replicating_virus' = ANY (v_pending) THEN
        RETURN NEXT 'GM-05: a test for replication-competent virus is pending, and the plan does not let it come late';
    END IF;
    IF NOT EXISTS (SELECT FROM lab.pending_acknowledgements a WHERE a.lot_id = p_lot AND a.tests @> v_pending AND a.recorded_by <> p_account
                   AND a.recorded_at >= ALL (SELECT p.recorded_at FROM lab.pending_tests(p_lot) AS p WHERE p.recorded_at IS NOT NULL)) THEN
        RETURN NEXT 'REL-06: no physician has acknowledged what is pending';
    END IF;
    IF EXISTS (SELECT FROM lab.tests_under_way w WHERE w.lot_id = p_lot AND w.recorded_by = p_account) THEN
        RETURN NEXT 'QA-05: the signer began a test of this lot';
    END IF;
    IF NOT EXISTS (SELECT FROM lab.consents c WHERE c.donor_id = v_lot.recipient_id AND c.withdrawn_at IS NULL
                   AND c.signed_at <= v_now AND 'use before all results' = ANY (c.scopes)) THEN
        RETURN NEXT 'REL-06: the patient has not consented to the use before all results';
    END IF;
END $$;

-- The first release of two. Everything that the release asks is asked, but for the results that the plan lets come late.
CREATE OR REPLACE FUNCTION gate.conditionally_release(p_lot bigint, p_ceremony uuid, p_judgement bigint, OUT release bigint, OUT signature bigint, OUT signed_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_record record;
    v_judgement lab.judgements;
    v_signature lab.signatures;
    v_against text;
BEGIN
    PERFORM lab.lock_for_judgement(p_lot);
    SELECT * INTO v_record FROM dossier.record('lot', p_lot);
    SELECT * INTO v_judgement FROM lab.judgements
    WHERE id = p_judgement AND subject_kind = 'lot' AND subject_id = p_lot AND gate = 'G5';
    IF NOT FOUND OR v_judgement.blocks OR v_judgement.recorded_at < clock_timestamp() - interval '5 minutes' THEN
        RAISE EXCEPTION 'the judgement blocks, is not of this lot, or not of now' USING ERRCODE = 'ST021';
    END IF;
    IF v_judgement.digest IS DISTINCT FROM audit.sha256_hex(v_record.bytes) OR v_judgement.dossier IS DISTINCT FROM v_record.bytes THEN
        RAISE EXCEPTION 'the dossier changed since it was judged' USING ERRCODE = 'ST020';
    END IF;
    v_signature := gate.consume(p_ceremony, 'conditionally_released', 'lot', p_lot, v_record.bytes, v_record.version);
    IF v_signature.appointment_id IS NULL THEN
        RAISE EXCEPTION 'the signer is not the appointed quality authority' USING ERRCODE = 'ST030';
    END IF;
    SELECT string_agg(o, '; ') INTO v_against FROM (
        SELECT o FROM gate.objections(p_lot, v_signature.account_id, v_record.bytes::jsonb ->> 'package_digest', gate.pending_lines(p_lot)) AS o
        UNION ALL SELECT o FROM gate.two_step_objections(p_lot, v_signature.account_id) AS o) AS against;
    IF v_against IS NOT NULL THEN RAISE EXCEPTION '%', v_against USING ERRCODE = 'ST022'; END IF;
    INSERT INTO lab.releases (lot_id, signature_id, judgement_id, appointment_id, digest)
    VALUES (p_lot, v_signature.id, p_judgement, v_signature.appointment_id, v_signature.digest) RETURNING id INTO release;
    PERFORM lab.make_move(p_lot, 'conditionally_release', v_signature.id, release);
    signature := v_signature.id;
    signed_at := v_signature.signed_at;
    PERFORM pg_notify('stemma_seal', 'release');
END $$;

-- A lot stands as it was signed for: no signature for a first release leads to a second, and none for something else to either.
CREATE OR REPLACE FUNCTION lab.as_it_was_signed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.release_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM lab.releases r JOIN lab.signatures s ON s.id = r.signature_id
            WHERE r.id = NEW.release_id AND r.lot_id = NEW.lot_id AND s.id = NEW.signature_id AND s.meaning = NEW.to_state) THEN
        RAISE EXCEPTION 'no signature says that this lot is %', NEW.to_state USING ERRCODE = 'ST014';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS c_as_it_was_signed ON lab.lot_history;
CREATE TRIGGER c_as_it_was_signed BEFORE INSERT ON lab.lot_history FOR EACH ROW EXECUTE FUNCTION lab.as_it_was_signed();
ALTER TABLE lab.lot_history ENABLE ALWAYS TRIGGER c_as_it_was_signed;

-- A test is begun on a sample of the lot, by a line of its specification, after the sample was taken.
CREATE OR REPLACE FUNCTION lab.of_the_lot_s_own() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM lab.samples s JOIN lab.lots l ON l.id = s.lot_id JOIN lab.specification_lines n ON n.specification_id = l.specification_id
                   WHERE s.id = NEW.sample_id AND l.id = NEW.lot_id AND n.id = NEW.line_id AND s.taken_at <= NEW.started_at)
       OR NEW.started_at > clock_timestamp() THEN
        RAISE EXCEPTION 'a test is begun on a sample of the lot, for a line of its specification' USING ERRCODE = 'ST002';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS c_of_the_lot_s_own ON lab.tests_under_way;
CREATE TRIGGER c_of_the_lot_s_own BEFORE INSERT ON lab.tests_under_way FOR EACH ROW EXECUTE FUNCTION lab.of_the_lot_s_own();
ALTER TABLE lab.tests_under_way ENABLE ALWAYS TRIGGER c_of_the_lot_s_own;

-- What is pending is acknowledged by a physician in person.
CREATE OR REPLACE FUNCTION lab.a_physician_knows() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.recorded_by IS DISTINCT FROM lab.entry_actor() OR NOT 'physician' = ANY (people.roles_of(NEW.recorded_by)) THEN
        RAISE EXCEPTION 'a physician acknowledges in person what is pending' USING ERRCODE = 'ST030';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS c_a_physician_knows ON lab.pending_acknowledgements;
CREATE TRIGGER c_a_physician_knows BEFORE INSERT ON lab.pending_acknowledgements FOR EACH ROW EXECUTE FUNCTION lab.a_physician_knows();
ALTER TABLE lab.pending_acknowledgements ENABLE ALWAYS TRIGGER c_a_physician_knows;

-- The other lots of the same donation, when a result fails of a lot that was given out before it was there, or virus is
-- found in it or may have been.
CREATE OR REPLACE FUNCTION lab.siblings_at_risk(p_kind text, p_lot bigint) RETURNS bigint[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(s.id), '{}') FROM lab.lots l JOIN lab.lots s ON s.donation_id = l.donation_id AND s.id <> l.id
    WHERE p_kind IN ('result_failed', 'virus_found') AND l.id = p_lot AND l.state = 'conditionally_released'
$$;

-- What a late result may hold is locked before the lot itself, in the one order (as lab.comes_to_light does): of two siblings
-- that fail at once one waits for the other, never each for the other. A lot about to be given out counts as if it were.
CREATE OR REPLACE FUNCTION lab.lock_family(p_lot bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM lab.lots WHERE id = p_lot AND state IN ('awaiting_release', 'conditionally_released'))
       AND EXISTS (SELECT FROM lab.plan_in_force(p_lot)) THEN
        PERFORM 1 FROM lab.lots WHERE id = ANY (ARRAY(SELECT d.item_id FROM lab.descendants(ARRAY(
                SELECT p_lot UNION SELECT s.id FROM lab.lots l JOIN lab.lots s ON s.donation_id = l.donation_id WHERE l.id = p_lot)) AS d))
            ORDER BY array_position(ARRAY['material', 'bank', 'preparation'], kind), id FOR NO KEY UPDATE;
    END IF;
END $$;

-- BEFORE b_lock_root, by its name.
CREATE OR REPLACE FUNCTION lab.family_first() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM lab.lock_family(NEW.lot_id);
    RETURN NEW;
END $$;

-- A lot that was released before a result fails by it in the transaction that records it: a deviation is opened, and it never
-- returns. y_comes_to_light and e_virus_found, before this by their names, name what is touched, siblings too, and hold it.
CREATE OR REPLACE FUNCTION lab.fails_after_release() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_by bigint := coalesce(lab.entry_actor(), NEW.recorded_by);
    v_what text;
    v_number text;
BEGIN
    IF NOT EXISTS (SELECT FROM lab.lots WHERE id = NEW.lot_id AND state = 'conditionally_released') THEN RETURN NULL; END IF;
    IF TG_TABLE_NAME = 'results' THEN
        SELECT concat_ws(' ', l.test, coalesce(NEW.value_text, NEW.value_number::text), NEW.unit) INTO v_what
        FROM lab.specification_lines l WHERE l.id = NEW.line_id AND l.safety AND NOT lab.is_within(NEW)
          AND (l.kind = 'qualitative' OR (NEW.value_number IS NOT NULL AND NEW.unit IS NOT DISTINCT FROM l.unit));
        -- a value in no unit of the line says nothing yet: it is held (y_comes_to_light) and reported again
    ELSIF NEW.outcome = 'positive' THEN
        v_what := 'replication-competent virus ' || NEW.outcome || ', ' || NEW.reference;
    END IF;
    IF v_what IS NULL THEN RETURN NULL; END IF;
    v_number := 'DV-' || to_char(clock_timestamp() AT TIME ZONE (SELECT time_zone FROM lab.deployment), 'YY') || '-' || lab.counted(nextval('lab.deviation_numbers'));
    INSERT INTO lab.deviations (number, item_id, what, class, rules, recorded_by)
    VALUES (v_number, NEW.lot_id, 'out of specification after a conditional release: ' || v_what, 'critical', '{REL-06}', v_by);
    PERFORM lab.make_move(NEW.lot_id, 'fail_after_release', NULL, NULL);
    RETURN NULL;
END $$;
DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['results', 'virus_test_outcomes'] LOOP
        EXECUTE format('DROP TRIGGER IF EXISTS b_family_first ON lab.%I', v_table);
        EXECUTE format('CREATE TRIGGER b_family_first BEFORE INSERT ON lab.%I FOR EACH ROW EXECUTE FUNCTION lab.family_first()', v_table);
        EXECUTE format('ALTER TABLE lab.%I ENABLE ALWAYS TRIGGER b_family_first', v_table);
        EXECUTE format('DROP TRIGGER IF EXISTS y_fails_after_release ON lab.%I', v_table);
        EXECUTE format('CREATE TRIGGER y_fails_after_release AFTER INSERT ON lab.%I FOR EACH ROW EXECUTE FUNCTION lab.fails_after_release()', v_table);
        EXECUTE format('ALTER TABLE lab.%I ENABLE ALWAYS TRIGGER y_fails_after_release', v_table);
    END LOOP;
END $$;

SET LOCAL check_function_bodies = on;
