-- Reagents prepared in house: what stands behind one, and how long it keeps.

-- These material lots, and every lot that went into them by whatever preparations between.
CREATE OR REPLACE FUNCTION lab.with_parts(p_material_lots bigint[]) RETURNS bigint[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE whole(id) AS (
        SELECT unnest(p_material_lots) UNION SELECT part.id FROM whole CROSS JOIN LATERAL (
            SELECT p.material_lot_id AS id FROM lab.reagent_parts p WHERE p.reagent_id = whole.id
            UNION ALL SELECT v.part_lot_id FROM lab.vector_parts v WHERE v.part_lot_id IS NOT NULL
                AND v.statement_id = (SELECT max(s.id) FROM lab.vector_statements s WHERE s.vector_lot_id = whole.id)) AS part
    ) SELECT coalesce(array_agg(id ORDER BY id), '{}') FROM whole
$$;

-- Until when a container may go into something: the end of its lot's last day here, or earlier where it stands open.
CREATE OR REPLACE FUNCTION lab.container_keeps_until(p_container bigint) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT least((r.expires_on + 1)::timestamp AT TIME ZONE d.time_zone, c.opened_until)
    FROM lab.containers c JOIN lab.material_lots r ON r.id = c.lot_id, lab.deployment d WHERE c.id = p_container
$$;

-- A reagent keeps no longer than any of its parents, whoever writes it down.
CREATE OR REPLACE FUNCTION lab.keeps_as_its_parents() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_reagent lab.reagents;
    v_until timestamptz := lab.container_keeps_until(NEW.container_id);
BEGIN
    SELECT * INTO v_reagent FROM lab.reagents WHERE id = NEW.reagent_id;
    IF NOT EXISTS (SELECT FROM lab.containers WHERE id = NEW.container_id AND lot_id = NEW.material_lot_id) THEN
        RAISE EXCEPTION 'this container is of another lot' USING ERRCODE = 'ST002';
    END IF;
    IF v_until IS NULL OR v_reagent.expires_at > v_until THEN
        RAISE EXCEPTION 'a reagent keeps no longer than what went into it' USING ERRCODE = 'ST013';
    END IF;
    IF NOT EXISTS (SELECT FROM lab.reagents r WHERE r.id = NEW.reagent_id AND r.xmin = pg_current_xact_id()::xid) THEN
        RAISE EXCEPTION 'what went into a reagent is written when it is prepared' USING ERRCODE = 'ST013';
    END IF;
    RETURN NEW;
END $$;

-- A reagent is never written without what went into it, and its lot's last day is the day on which it ends.
CREATE OR REPLACE FUNCTION lab.reagent_is_whole() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM lab.reagent_parts WHERE reagent_id = NEW.id) THEN
        RAISE EXCEPTION 'nothing went into this reagent' USING ERRCODE = 'ST013';
    END IF;
    IF NOT EXISTS (SELECT FROM lab.material_lots m, lab.deployment d
                   WHERE m.id = NEW.id AND m.expires_on = (NEW.expires_at AT TIME ZONE d.time_zone)::date) THEN
        RAISE EXCEPTION 'the last day of the lot is not the day on which it ends' USING ERRCODE = 'ST013';
    END IF;
    RETURN NULL;
END $$;

-- A container of a reagent ends with it, as one that stands open does.
CREATE OR REPLACE FUNCTION lab.contained_as_long() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM lab.reagents r WHERE r.id = NEW.lot_id AND (NEW.opened_until IS NULL OR NEW.opened_until > r.expires_at)) THEN
        RAISE EXCEPTION 'a container of a reagent keeps no longer than the reagent' USING ERRCODE = 'ST013';
    END IF;
    RETURN NEW;
END $$;

DROP TRIGGER IF EXISTS d_keeps_as_its_parents ON lab.reagent_parts;
CREATE TRIGGER d_keeps_as_its_parents BEFORE INSERT ON lab.reagent_parts FOR EACH ROW EXECUTE FUNCTION lab.keeps_as_its_parents();
ALTER TABLE lab.reagent_parts ENABLE ALWAYS TRIGGER d_keeps_as_its_parents;
DROP TRIGGER IF EXISTS d_reagent_is_whole ON lab.reagents;
CREATE CONSTRAINT TRIGGER d_reagent_is_whole AFTER INSERT ON lab.reagents DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION lab.reagent_is_whole();
ALTER TABLE lab.reagents ENABLE ALWAYS TRIGGER d_reagent_is_whole;
DROP TRIGGER IF EXISTS d_contained_as_long ON lab.containers;
CREATE TRIGGER d_contained_as_long BEFORE INSERT OR UPDATE ON lab.containers FOR EACH ROW EXECUTE FUNCTION lab.contained_as_long();
ALTER TABLE lab.containers ENABLE ALWAYS TRIGGER d_contained_as_long;
