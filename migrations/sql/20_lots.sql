-- Lots: where they may go, what locks them, and the only ways to move them.

-- A number as names carry it: four digits, more when they run out.
CREATE OR REPLACE FUNCTION lab.counted(p_number bigint) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT lpad(p_number::text, greatest(4, length(p_number::text)), '0') $$;

-- The roots that a row's writing must lock, by table: check-then-act is closed here, not by isolation levels.
-- One lock order: facility, specification, donor, donation, material, material lot, lot; within a rank by id.
CREATE OR REPLACE FUNCTION lab.lock_one(p_kind text, p_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    CASE p_kind
        WHEN 'facility' THEN PERFORM 1 FROM lab.deployment WHERE id = 1 FOR NO KEY UPDATE;
        WHEN 'specification' THEN PERFORM 1 FROM lab.specifications WHERE id = p_id FOR NO KEY UPDATE;
        WHEN 'donor' THEN PERFORM 1 FROM lab.donors WHERE id = p_id FOR NO KEY UPDATE;
        WHEN 'donation' THEN PERFORM 1 FROM lab.donations WHERE id = p_id FOR NO KEY UPDATE;
        WHEN 'material' THEN PERFORM 1 FROM lab.materials WHERE id = p_id FOR NO KEY UPDATE;
        WHEN 'lot' THEN PERFORM 1 FROM lab.lots WHERE id = p_id FOR NO KEY UPDATE;
        ELSE RAISE EXCEPTION 'no root called %', p_kind USING ERRCODE = 'ST002';
    END CASE;
END $$;

-- Which root an item stands under.
CREATE OR REPLACE FUNCTION lab.root_of_item(p_item bigint, OUT root_kind text, OUT root_id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_kind text;
BEGIN
    SELECT kind INTO v_kind FROM lab.items WHERE id = p_item;
    CASE v_kind
        WHEN 'lot' THEN root_kind := 'lot'; root_id := p_item;
        WHEN 'container', 'material_container' THEN
            SELECT 'lot', lot_id INTO root_kind, root_id FROM lab.containers WHERE id = p_item AND lot_id IS NOT NULL;
        WHEN 'sample' THEN SELECT 'lot', lot_id INTO root_kind, root_id FROM lab.samples WHERE id = p_item;
        WHEN 'retain' THEN SELECT 'lot', lot_id INTO root_kind, root_id FROM lab.retains WHERE id = p_item;
        WHEN 'donation' THEN root_kind := 'donation'; root_id := p_item;
        WHEN 'person' THEN
            SELECT 'donor', id INTO root_kind, root_id FROM lab.donors WHERE id = p_item;
        ELSE root_kind := NULL;
    END CASE;
END $$;

-- BEFORE each row: TG_ARGV[0] the root's kind (or 'item', 'result', 'label', 'facility'), TG_ARGV[1] the column that names it,
-- or columns of which one does.
CREATE OR REPLACE FUNCTION lab.lock_root() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_row jsonb;
    v_id bigint;
    v_root record;
BEGIN
    IF TG_ARGV[0] = 'facility' THEN
        PERFORM lab.lock_one('facility', 1);
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    v_row := CASE WHEN TG_OP = 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
    v_id := coalesce(v_row ->> split_part(TG_ARGV[1], ',', 1), v_row ->> split_part(TG_ARGV[1], ',', 2))::bigint;
    IF v_id IS NOT NULL THEN
        CASE TG_ARGV[0]
            WHEN 'item' THEN
                SELECT * INTO v_root FROM lab.root_of_item(v_id);
                IF v_root.root_kind IS NOT NULL THEN PERFORM lab.lock_one(v_root.root_kind, v_root.root_id); END IF;
            WHEN 'result' THEN
                PERFORM lab.lock_one('lot', (SELECT lot_id FROM lab.results WHERE id = v_id));
            WHEN 'label' THEN
                SELECT r.* INTO v_root FROM lab.labels b, LATERAL lab.root_of_item(b.item_id) AS r WHERE b.id = v_id;
                IF v_root.root_kind IS NOT NULL THEN PERFORM lab.lock_one(v_root.root_kind, v_root.root_id); END IF;
            ELSE PERFORM lab.lock_one(TG_ARGV[0], v_id);
        END CASE;
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

-- Every item from which, or from whose lot's containers, the lot came: itself, its containers, their ancestors; and
-- the samples and retains that were taken of it, for what is wrong with them may be wrong with the lot.
CREATE OR REPLACE FUNCTION lab.ancestry(p_lot bigint) RETURNS TABLE (item_id bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE up(id) AS (
        SELECT c.id FROM lab.containers c WHERE c.lot_id = p_lot
        UNION SELECT donation_id FROM lab.lots WHERE id = p_lot AND donation_id IS NOT NULL
        UNION SELECT vial_id FROM lab.withdrawals WHERE lot_id = p_lot
        UNION SELECT l.parent_id FROM up JOIN lab.lineage l ON l.child_id = up.id
    ) SELECT id FROM up UNION SELECT p_lot
    UNION SELECT id FROM lab.samples WHERE lot_id = p_lot UNION SELECT id FROM lab.retains WHERE lot_id = p_lot
$$;

-- Every root whose rows may change the verdict on this lot.
CREATE OR REPLACE FUNCTION lab.roots_of_lot(p_lot bigint) RETURNS TABLE (rank integer, root_kind text, root_id bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH up AS (SELECT item_id AS id FROM lab.ancestry(p_lot)),
    used AS (SELECT unnest(lab.with_parts(ARRAY(SELECT DISTINCT material_lot_id FROM lab.consumptions WHERE lot_id = p_lot))) AS id)
    SELECT 1, 'facility', 1::bigint
    UNION SELECT 2, 'specification', specification_id FROM lab.lots WHERE id = p_lot AND specification_id IS NOT NULL
    UNION SELECT 3, 'donor', d.id FROM lab.donors d JOIN up ON up.id = d.id
    UNION SELECT 3, 'donor', donor_id FROM lab.lots WHERE id = p_lot AND donor_id IS NOT NULL
    UNION SELECT 3, 'donor', d.donor_id FROM lab.donations d JOIN up ON up.id = d.id
    UNION SELECT 4, 'donation', d.id FROM lab.donations d JOIN up ON up.id = d.id
    UNION SELECT 5, 'material', m.material_id FROM lab.material_lots m JOIN used ON used.id = m.id
    UNION SELECT 6, 'lot', used.id FROM used
    UNION SELECT 6, 'lot', c.lot_id FROM lab.containers c JOIN up ON up.id = c.id WHERE c.lot_id <> p_lot  -- banks behind it
    UNION SELECT 7, 'lot', p_lot
$$;

-- One of these roots, shared; the lot itself (rank 7) for its own writing.
CREATE OR REPLACE FUNCTION lab.lock_to_judge(p_rank integer, p_kind text, p_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    CASE p_kind
        WHEN 'facility' THEN PERFORM 1 FROM lab.deployment WHERE id = 1 FOR SHARE;
        WHEN 'specification' THEN PERFORM 1 FROM lab.specifications WHERE id = p_id FOR SHARE;
        WHEN 'donor' THEN PERFORM 1 FROM lab.donors WHERE id = p_id FOR SHARE;
        WHEN 'donation' THEN PERFORM 1 FROM lab.donations WHERE id = p_id FOR SHARE;
        WHEN 'material' THEN PERFORM 1 FROM lab.materials WHERE id = p_id FOR SHARE;
        WHEN 'lot' THEN
            IF p_rank = 7 THEN PERFORM 1 FROM lab.lots WHERE id = p_id FOR NO KEY UPDATE;
            ELSE PERFORM 1 FROM lab.lots WHERE id = p_id FOR SHARE;
            END IF;
        ELSE RAISE EXCEPTION 'no root called %', p_kind USING ERRCODE = 'ST002';
    END CASE;
END $$;

-- Locks them all in the one order: shared, but the lot itself for its move. What grew meanwhile makes the view stale.
CREATE OR REPLACE FUNCTION lab.lock_for_judgement(p_lot bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_root record;
    v_before text;
    v_after text;
BEGIN
    FOR v_root IN SELECT * FROM lab.roots_of_lot(p_lot) ORDER BY rank, root_id LOOP
        v_before := concat_ws(',', v_before, v_root.root_kind || v_root.root_id);
        PERFORM lab.lock_to_judge(v_root.rank, v_root.root_kind, v_root.root_id);
    END LOOP;
    SELECT string_agg(root_kind || root_id, ',' ORDER BY rank, root_id) INTO v_after FROM lab.roots_of_lot(p_lot);
    IF v_before IS DISTINCT FROM v_after THEN
        RAISE EXCEPTION 'what the lot came from changed while it was being judged' USING ERRCODE = 'ST020';
    END IF;
END $$;

-- For a step about to be made: what its rules read is locked shared, the lot for its own writing, in the one order.
CREATE OR REPLACE FUNCTION lab.lock_lots(p_material_lots bigint[], p_lot bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_root record;
BEGIN
    FOR v_root IN
        SELECT rank, root_kind, root_id FROM lab.roots_of_lot(p_lot)
        UNION SELECT 5, 'material', material_id FROM lab.material_lots WHERE id = ANY (lab.with_parts(p_material_lots))
        UNION SELECT 6, 'lot', id FROM lab.material_lots WHERE id = ANY (lab.with_parts(p_material_lots))
        ORDER BY rank, root_id
    LOOP
        PERFORM lab.lock_to_judge(v_root.rank, v_root.root_kind, v_root.root_id);
    END LOOP;
END $$;

-- For the second door, which writes holds on whatever was touched: the roots of these items, in the one order.
CREATE OR REPLACE FUNCTION lab.lock_touched(p_items bigint[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_root record;
BEGIN
    FOR v_root IN
        SELECT DISTINCT CASE WHEN r.root_kind = 'donor' THEN 3 WHEN r.root_kind = 'donation' THEN 4
                             WHEN l.kind = 'material' THEN 6 ELSE 7 END AS rank, r.root_kind, r.root_id
        FROM unnest(p_items) AS touched(id), LATERAL lab.root_of_item(touched.id) AS r
        LEFT JOIN lab.lots l ON r.root_kind = 'lot' AND l.id = r.root_id
        WHERE r.root_kind IS NOT NULL ORDER BY rank, r.root_id
    LOOP
        PERFORM lab.lock_one(v_root.root_kind, v_root.root_id);
    END LOOP;
END $$;

-- Open holds on the lot, on what it came from, or on the material lots used in it.
CREATE OR REPLACE FUNCTION lab.open_holds(p_lot bigint) RETURNS TABLE (hold_id bigint, item_id bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT h.id, h.item_id FROM lab.holds h
    WHERE h.lifted_at IS NULL AND (
        h.item_id IN (SELECT a.item_id FROM lab.ancestry(p_lot) a)
        OR h.item_id IN (SELECT unnest(lab.with_parts(ARRAY(SELECT DISTINCT material_lot_id FROM lab.consumptions WHERE lot_id = p_lot
            UNION ALL SELECT id FROM lab.reagents WHERE id = p_lot))))  -- of a reagent, what it was made from
        OR h.item_id IN (SELECT donor_id FROM lab.lots WHERE id = p_lot))
$$;

CREATE OR REPLACE FUNCTION lab.entry_actor() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT actor_id FROM audit.entries WHERE number = nullif(current_setting('stemma.entry', true), '')::bigint
      AND xid = pg_current_xact_id_if_assigned() AND at >= transaction_timestamp()
$$;

-- Begins a lot in the state that its first act leads to.
CREATE OR REPLACE FUNCTION lab.begin_lot(
    p_item bigint, p_name text, p_kind text, p_act text, p_donor bigint, p_donation bigint, p_recipient bigint,
    p_process bigint, p_specification bigint
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_state text;
    v_actor bigint := lab.entry_actor();
BEGIN
    SELECT to_state INTO v_state FROM lab.lot_moves WHERE kind = p_kind AND from_state = 'none' AND act = p_act;
    IF v_state IS NULL OR v_state IN ('released', 'conditionally_released', 'approved') THEN
        RAISE EXCEPTION 'a % lot does not begin with %', p_kind, p_act USING ERRCODE = 'ST010';
    END IF;
    IF NOT EXISTS (SELECT FROM lab.items WHERE id = p_item AND kind = 'lot') THEN  -- else its holds would lock nothing
        RAISE EXCEPTION 'this item is no lot' USING ERRCODE = 'ST002';
    END IF;
    -- What comes to light of the donor meanwhile waits, and then finds this lot; or this lot is begun knowing it.
    PERFORM 1 FROM lab.donors WHERE id = p_donor FOR SHARE;
    INSERT INTO lab.lots (id, name, kind, state, version, donor_id, donation_id, recipient_id, process_id,
                          specification_id, recorded_by)
    VALUES (p_item, p_name, p_kind, v_state, 1, p_donor, p_donation, p_recipient, p_process, p_specification, v_actor);
    INSERT INTO lab.lot_history (lot_id, seq, kind, from_state, act, to_state, recorded_by)
    VALUES (p_item, 1, p_kind, 'none', p_act, v_state, v_actor);
    RETURN v_state;
END $$;

-- The one way a lot moves, other than through the gate. Held, it moves towards use for nobody; but that processing
-- began (p_happened: the second door) is recorded whatever is held, for it leads to no permission.
DROP FUNCTION IF EXISTS lab.move_lot(bigint, text);
CREATE OR REPLACE FUNCTION lab.move_lot(p_lot bigint, p_act text, p_happened boolean) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_state text;
BEGIN
    -- Asked of the act, not of where the lot stands now: that may change before it is locked.
    SELECT to_state INTO v_state FROM lab.lot_moves
    WHERE act = p_act AND to_state IN ('released', 'conditionally_released', 'approved', 'rejected') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'only a signature moves a lot to %', v_state USING ERRCODE = 'ST011';
    END IF;
    RETURN lab.make_move(p_lot, p_act, NULL, NULL, p_happened AND p_act = 'begin');
END $$;

CREATE OR REPLACE FUNCTION lab.make_move(
    p_lot bigint, p_act text, p_signature bigint, p_release bigint, p_whatever_is_held boolean DEFAULT false) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_lot record;
    v_move record;
    v_held bigint;
BEGIN
    SELECT kind, state, version INTO v_lot FROM lab.lots WHERE id = p_lot FOR NO KEY UPDATE;
    IF NOT FOUND THEN RAISE EXCEPTION 'no such lot' USING ERRCODE = 'ST002'; END IF;
    SELECT to_state, towards_use INTO v_move FROM lab.lot_moves
    WHERE kind = v_lot.kind AND from_state = v_lot.state AND act = p_act;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a % lot that is % cannot be moved by %', v_lot.kind, v_lot.state, p_act USING ERRCODE = 'ST010';
    END IF;
    IF v_move.towards_use AND NOT p_whatever_is_held THEN
        SELECT hold_id INTO v_held FROM lab.open_holds(p_lot) LIMIT 1;
        IF v_held IS NOT NULL THEN
            RAISE EXCEPTION 'an open hold (%) blocks every move towards use', v_held USING ERRCODE = 'ST012';
        END IF;
    END IF;
    INSERT INTO lab.lot_history (lot_id, seq, kind, from_state, act, to_state, release_id, signature_id, recorded_by)
    VALUES (p_lot, v_lot.version + 1, v_lot.kind, v_lot.state, p_act, v_move.to_state, p_release, p_signature, lab.entry_actor());
    UPDATE lab.lots SET version = v_lot.version + 1, state = v_move.to_state WHERE id = p_lot;
    RETURN v_move.to_state;
END $$;

-- Freezing and expiry are stated once.
CREATE OR REPLACE FUNCTION lab.state_expiry(p_lot bigint, p_frozen_at timestamptz, p_expires_at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE lab.lots SET frozen_at = p_frozen_at, expires_at = p_expires_at
    WHERE id = p_lot AND expires_at IS NULL;
    IF NOT FOUND THEN RAISE EXCEPTION 'the expiry of this lot is already stated' USING ERRCODE = 'ST013'; END IF;
END $$;

-- A row that stands on a signature says exactly what was signed, and was signed in this very transaction.
-- TG_ARGV: meaning, record kind, column naming the record, column holding what is stated ('' for none).
CREATE OR REPLACE FUNCTION lab.stands_on_signature() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_row jsonb := to_jsonb(NEW);
BEGIN
    IF NOT EXISTS (
        SELECT FROM lab.signatures s
        WHERE s.id = NEW.signature_id AND s.meaning = TG_ARGV[0] AND s.record_kind = TG_ARGV[1]
          AND s.record_id = (v_row ->> TG_ARGV[2])::bigint
          AND (TG_ARGV[3] = '' OR s.statement = v_row ->> TG_ARGV[3])
          AND (v_row ->> 'package_digest' IS NULL OR v_row ->> 'package_digest' = s.digest)
          AND s.xmin::text = (pg_current_xact_id()::text::numeric % 4294967296)::text
    ) THEN
        RAISE EXCEPTION 'this record stands on no signature of its own' USING ERRCODE = 'ST014';
    END IF;
    RETURN NEW;
END $$;

-- A review stands on the signature of its one result, or on one over all that waited when it was signed, made in this
-- transaction. Which those were is told by the digest: nothing that came since, or in a savepoint, can slip in.
CREATE OR REPLACE FUNCTION lab.review_stands_on_signature() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_now text := (pg_current_xact_id()::text::numeric % 4294967296)::text;
BEGIN
    IF NOT EXISTS (
        SELECT FROM lab.signatures s JOIN lab.results r ON r.id = NEW.result_id
        WHERE s.id = NEW.signature_id AND s.statement = NEW.decision AND s.xmin::text = v_now
          AND ((s.meaning = 'result_reviewed' AND s.record_kind = 'result' AND s.record_id = NEW.result_id)
               OR (s.meaning = 'results_reviewed' AND s.record_kind = 'results' AND s.record_id = r.lot_id
                   AND NOT EXISTS (SELECT FROM lab.result_reviews v WHERE v.result_id = r.id)
                   AND NOT EXISTS (SELECT FROM lab.result_invalidations i WHERE i.result_id = r.id)
                   AND s.digest = audit.sha256_hex((
                       SELECT jsonb_agg(dossier.result(w.id) ORDER BY w.id)::text FROM lab.results w
                       WHERE w.lot_id = r.lot_id
                         AND NOT EXISTS (SELECT FROM lab.result_reviews v WHERE v.result_id = w.id AND v.signature_id <> s.id)
                         AND NOT EXISTS (SELECT FROM lab.result_invalidations i WHERE i.result_id = w.id)))))
    ) THEN
        RAISE EXCEPTION 'this review stands on no signature of its own' USING ERRCODE = 'ST014';
    END IF;
    RETURN NEW;
END $$;

-- An account's roles today: live grants, and the appointment that makes the quality authority.
CREATE OR REPLACE FUNCTION people.roles_of(p_account bigint) RETURNS text[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(role ORDER BY role), '{}') FROM (
        SELECT g.role FROM people.grants g JOIN people.accounts a ON a.id = g.account_id
        WHERE g.account_id = p_account AND g.revoked_at IS NULL AND a.state = 'active'
        UNION
        SELECT 'quality_authority' FROM people.appointments p JOIN people.accounts a ON a.id = p.account_id
        WHERE p.account_id = p_account AND a.state = 'active' AND p.revoked_at IS NULL
          AND p.from_at <= clock_timestamp() AND (p.until_at IS NULL OR p.until_at > clock_timestamp())
    ) AS held
$$;
