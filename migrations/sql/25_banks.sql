-- Cell banks: where vials lie, what leaves them, what an excursion holds, and all that as their rules read it.

SET LOCAL check_function_bodies = off;  -- some of what is called here is defined in the next file

-- A place and whatever holds it: a shelf or a position stands in what bears the name of its room.
CREATE OR REPLACE FUNCTION lab.holders(p_place bigint) RETURNS TABLE (place_id bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE up(id, depth) AS (
        SELECT p_place, 0
        UNION SELECT h.id, u.depth + 1 FROM up u JOIN lab.equipment p ON p.id = u.id AND p.kind IN ('shelf', 'position')
            JOIN lab.equipment h ON h.name = p.room WHERE u.depth < 4
    ) SELECT DISTINCT id FROM up
$$;

-- A vial leaves a released bank that is not held, and while it lies there; both lots are locked, the bank before the other.
CREATE OR REPLACE FUNCTION lab.leaves_a_released_bank() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM lab.containers c WHERE c.id = NEW.vial_id AND c.lot_id = NEW.bank_id AND c.kind = 'vial')
       OR NOT EXISTS (SELECT FROM lab.lots b WHERE b.id = NEW.bank_id AND b.kind = 'bank')
       OR NOT EXISTS (SELECT FROM lab.lots l WHERE l.id = NEW.lot_id AND l.kind <> 'material') THEN
        RAISE EXCEPTION 'only a vial of a bank is withdrawn, for a lot of cells' USING ERRCODE = 'ST002';
    END IF;
    IF NOT EXISTS (SELECT FROM lab.lots b WHERE b.id = NEW.bank_id AND b.state = 'released') THEN
        RAISE EXCEPTION 'the bank is not released' USING ERRCODE = 'ST021';
    END IF;
    IF EXISTS (SELECT FROM lab.withdrawals w WHERE w.vial_id = NEW.vial_id) OR NOT EXISTS (
            SELECT FROM lab.containers c WHERE c.id = NEW.vial_id AND c.state = 'stored') THEN
        RAISE EXCEPTION 'this vial does not lie in the bank any more' USING ERRCODE = 'ST013';
    END IF;
    IF EXISTS (SELECT FROM lab.holds h WHERE h.item_id IN (NEW.vial_id, NEW.bank_id) AND h.lifted_at IS NULL) THEN
        RAISE EXCEPTION 'the vial or its bank is on hold' USING ERRCODE = 'ST012';
    END IF;
    PERFORM lab.lock_one('lot', NEW.lot_id);
    RETURN NEW;
END $$;

-- Whatever lay in the place while it was too warm, or lies in it while nobody knows that it is over, is held; and so is
-- every lot that was made since of a vial that lay there, unless its life has ended.
CREATE OR REPLACE FUNCTION lab.excursion_holds() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_there bigint[];
    v_left bigint[];
BEGIN
    v_there := ARRAY(
        SELECT now_there.id FROM lab.containers now_there
        WHERE now_there.place_id IS NOT NULL AND NEW.place_id IN (SELECT h.place_id FROM lab.holders(now_there.place_id) h)
        UNION SELECT s.vial_id FROM (
            SELECT v.vial_id, v.place_id, v.stored_at, coalesce(lead(v.stored_at) OVER (PARTITION BY v.vial_id ORDER BY v.stored_at, v.id),
                (SELECT w.withdrawn_at FROM lab.withdrawals w WHERE w.vial_id = v.vial_id)) AS left_at
            FROM lab.vial_places v) AS s
        WHERE s.stored_at <= coalesce(NEW.ended_at, 'infinity') AND coalesce(s.left_at, 'infinity') >= NEW.began_at
          AND NEW.place_id IN (SELECT h.place_id FROM lab.holders(s.place_id) h));
    v_left := ARRAY(SELECT w.vial_id FROM lab.withdrawals w WHERE w.vial_id = ANY (v_there));
    INSERT INTO lab.holds (item_id, reason, deviation_id, recorded_by)
    SELECT held.id, d.number || ': ' || NEW.warmest_celsius || ' °C', NEW.deviation_id, NEW.recorded_by
    FROM (SELECT c.id, c.lot_id FROM lab.containers c
          WHERE c.id = ANY (v_there) AND c.state IN ('stored', 'in_use', 'retained', 'sampled') AND c.id <> ALL (v_left)
          UNION ALL SELECT l.id, l.id FROM lab.lots l JOIN lab.descendants(v_left) AS down ON down.item_id = l.id
          WHERE l.kind <> 'material' AND l.state NOT IN ('rejected', 'recalled', 'failed_after_release', 'destroyed')
            AND l.id NOT IN (SELECT w.bank_id FROM lab.withdrawals w WHERE w.vial_id = ANY (v_left))) AS held(id, lot_id),
        lab.deviations d
    WHERE d.id = NEW.deviation_id ORDER BY held.lot_id, held.id;
    RETURN NULL;
END $$;

-- Vials with their age, everywhere they lay, and for which lot they left.
CREATE OR REPLACE FUNCTION dossier.vials(p_vials bigint[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('code', dossier.own_code(c.id), 'state', c.state, 'passage', c.passage, 'cpdl', s.cpdl,
        'stays', (SELECT coalesce(jsonb_agg(jsonb_build_object('place', dossier.own_code(v.place_id), 'stored_at', audit.stamp(v.stored_at),
            'recorded_at', audit.stamp(v.recorded_at)) ORDER BY v.stored_at, v.id), '[]') FROM lab.vial_places v WHERE v.vial_id = c.id),
        'withdrawals', (SELECT coalesce(jsonb_agg(jsonb_build_object('lot', dossier.own_code(w.lot_id), 'withdrawn_at', audit.stamp(w.withdrawn_at),
            'recorded_at', audit.stamp(w.recorded_at)) ORDER BY w.id), '[]') FROM lab.withdrawals w WHERE w.vial_id = c.id),
        'thawed_in', (SELECT coalesce(jsonb_agg(DISTINCT l.step_id ORDER BY l.step_id), '[]') FROM lab.lineage l
            JOIN lab.steps t ON t.id = l.step_id AND t.kind = 'thaw' WHERE l.parent_id = c.id)) ORDER BY c.id), '[]')
    FROM lab.containers c LEFT JOIN lab.steps s ON s.id = c.step_id WHERE c.id = ANY (p_vials)
$$;

-- How places keep what is in them, and when they did not: each with what is said of it and of whatever holds it.
CREATE OR REPLACE FUNCTION dossier.storage_places(p_places bigint[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('code', dossier.own_code(e.id), 'name', e.name,
        'classes', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', k.id, 'phase', k.phase, 'warmest_celsius', k.warmest_celsius,
            'site', k.site, 'evidence', k.evidence, 'recorded_at', audit.stamp(k.recorded_at)) ORDER BY k.id), '[]')
            FROM lab.storage_classes k WHERE k.place_id IN (SELECT h.place_id FROM lab.holders(e.id) h)),
        'excursions', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', x.id, 'began_at', audit.stamp(x.began_at),
            'ended_at', audit.stamp(x.ended_at), 'warmest_celsius', x.warmest_celsius, 'deviation', (SELECT number FROM lab.deviations WHERE id = x.deviation_id),
            'recorded_at', audit.stamp(x.recorded_at)) ORDER BY x.id), '[]')
            FROM lab.storage_excursions x WHERE x.place_id IN (SELECT h.place_id FROM lab.holders(e.id) h))) ORDER BY e.id), '[]')
    FROM lab.equipment e WHERE e.id = ANY (p_places)
$$;

-- A bank lot as a bank: its tier, its vials, where they lay. NULL for any other lot.
CREATE OR REPLACE FUNCTION dossier.own_bank(p_lot bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('tier', (SELECT tier FROM lab.bank_lots WHERE lot_id = l.id),
        'vials', dossier.vials(own.vials), 'places', dossier.storage_places(ARRAY(
            SELECT DISTINCT v.place_id FROM lab.vial_places v WHERE v.vial_id = ANY (own.vials))))
    FROM lab.lots l, LATERAL (SELECT ARRAY(SELECT c.id FROM lab.containers c WHERE c.lot_id = l.id AND c.kind = 'vial') AS vials) AS own
    WHERE l.id = p_lot AND l.kind = 'bank'
$$;

-- Every decision that was signed about the banks of a process version, the latest last.
CREATE OR REPLACE FUNCTION dossier.bank_policies(p_process bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'process', v.name || ' ' || v.version, 'version', p.version, 'needed', p.needed,
        'conditions', to_jsonb(p.conditions), 'tiers', to_jsonb(p.tiers), 'reasons', p.reasons,
        'proposed_by', dossier.username(p.proposed_by), 'approved_by', dossier.username(s.account_id),
        'approved_at', audit.stamp(s.signed_at)) ORDER BY p.version), '[]')
    FROM lab.bank_policies p JOIN lab.signatures s ON s.id = p.signature_id JOIN lab.process_versions v ON v.id = p.process_id
    WHERE p.process_id = p_process
$$;

-- A vial before it leaves its bank: the bank's own dossier, and of the holds those on the bank, on what it came from and on
-- this vial; a hold on another vial is not this one's.
CREATE OR REPLACE FUNCTION dossier.bank_vial(p_vial bigint) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET "TimeZone" = 'UTC' SET "DateStyle" = 'ISO, YMD' SET extra_float_digits = 1 SET plan_cache_mode = force_generic_plan AS $$
    SELECT (dossier.lot_json(c.lot_id) || jsonb_build_object('kind', 'bank_vial', 'vial', dossier.own_code(c.id),
        'holds', dossier.holds_on(ARRAY(
            SELECT a.item_id FROM lab.ancestry(c.lot_id) a LEFT JOIN lab.containers o ON o.id = a.item_id AND o.lot_id = c.lot_id AND o.kind = 'vial'
            WHERE o.id IS NULL OR o.id = c.id
            UNION SELECT l.donor_id FROM lab.lots l WHERE l.id = c.lot_id
            UNION SELECT unnest(lab.with_parts(ARRAY(SELECT DISTINCT u.material_lot_id FROM lab.consumptions u WHERE u.lot_id = c.lot_id)))))))::text
    FROM lab.containers c JOIN lab.lots l ON l.id = c.lot_id WHERE c.id = p_vial AND l.kind = 'bank' AND c.kind = 'vial'
$$;

-- Whether a process version works from a bank: the quality authority signs, and not what they proposed.
CREATE OR REPLACE FUNCTION gate.decide_bank_policy(p_policy bigint, p_ceremony uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_record record;
    v_signature lab.signatures;
BEGIN
    PERFORM lab.lock_one('facility', 1);
    PERFORM 1 FROM lab.bank_policies WHERE id = p_policy FOR UPDATE;
    SELECT * INTO v_record FROM dossier.record('bank_policy', p_policy);
    v_signature := gate.consume(p_ceremony, 'bank_policy_decided', 'bank_policy', p_policy, v_record.bytes, v_record.version);
    IF EXISTS (SELECT FROM lab.bank_policies WHERE id = p_policy AND proposed_by = v_signature.account_id) THEN
        RAISE EXCEPTION 'nobody decides what they proposed themselves' USING ERRCODE = 'ST033';
    END IF;
    IF EXISTS (SELECT FROM lab.bank_policies p JOIN lab.bank_policies n ON n.process_id = p.process_id AND n.version > p.version
               WHERE p.id = p_policy AND n.signature_id IS NOT NULL) THEN
        RAISE EXCEPTION 'a later version is decided already' USING ERRCODE = 'ST013';
    END IF;
    UPDATE lab.bank_policies SET signature_id = v_signature.id WHERE id = p_policy AND signature_id IS NULL;
    IF NOT FOUND THEN RAISE EXCEPTION 'this is decided already' USING ERRCODE = 'ST013'; END IF;
    RETURN v_signature.id;
END $$;

SET LOCAL check_function_bodies = on;
