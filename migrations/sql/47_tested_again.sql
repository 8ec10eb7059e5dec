-- A record of what was tested again is corrected by another person than who made it, and of the same report only.
CREATE OR REPLACE FUNCTION lab.corrected_by_another() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.replaces_id IS NOT NULL THEN
        IF NOT EXISTS (SELECT FROM lab.reinspections r WHERE r.id = NEW.replaces_id
                       AND (r.study_id, r.laboratory_id, r.lot_id, r.report_number) = (NEW.study_id, NEW.laboratory_id, NEW.lot_id, NEW.report_number)) THEN
            RAISE EXCEPTION 'a correction is of the same report, laboratory, lot and study' USING ERRCODE = 'ST013';
        END IF;
        IF EXISTS (SELECT FROM lab.reinspections r WHERE r.id = NEW.replaces_id AND r.recorded_by = NEW.recorded_by) THEN
            RAISE EXCEPTION 'nobody corrects a report of their own writing' USING ERRCODE = 'ST033';
        END IF;
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS c_corrected_by_another ON lab.reinspections;
CREATE TRIGGER c_corrected_by_another BEFORE INSERT ON lab.reinspections FOR EACH ROW EXECUTE FUNCTION lab.corrected_by_another();
ALTER TABLE lab.reinspections ENABLE ALWAYS TRIGGER c_corrected_by_another;

-- What a report says of its tests is said with it: none is added by a later transaction.
CREATE OR REPLACE FUNCTION lab.of_this_report() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM lab.reinspections r WHERE r.id = NEW.reinspection_id AND r.xmin = pg_current_xact_id()::xid) THEN
        RAISE EXCEPTION 'what a report says is recorded with it' USING ERRCODE = 'ST013';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS c_of_this_report ON lab.reinspection_tests;
CREATE TRIGGER c_of_this_report BEFORE INSERT ON lab.reinspection_tests FOR EACH ROW EXECUTE FUNCTION lab.of_this_report();
ALTER TABLE lab.reinspection_tests ENABLE ALWAYS TRIGGER c_of_this_report;

-- An accreditation that had ended when samples were tested: each lot sampled then, and what came of it, is held. What was
-- tested before the end stands, and so does what another accreditation covers.
CREATE OR REPLACE FUNCTION lab.accreditation_comes_to_light() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_of record;
BEGIN
    FOR v_of IN
        SELECT r.lot_id, o.name AS laboratory, a.number, jsonb_agg(DISTINCT t.test) AS tests
        FROM lab.laboratory_accreditations a JOIN lab.laboratories o ON o.id = a.laboratory_id
        JOIN lab.reinspections r ON r.laboratory_id = a.laboratory_id JOIN lab.reinspection_tests t ON t.reinspection_id = r.id
        WHERE a.id = NEW.accreditation_id AND t.tested_on >= NEW.ended_on AND t.outcome <> 'not_applicable'
          AND NOT EXISTS (SELECT FROM lab.reinspections n WHERE n.replaces_id = r.id)
          AND EXISTS (SELECT FROM lab.laboratory_accreditations v WHERE v.laboratory_id = a.laboratory_id AND (v.kind, v.number) = (a.kind, a.number)
                      AND v.valid_from <= NEW.ended_on AND v.scope @> jsonb_build_array(jsonb_build_object('test', t.test)))
          AND NOT EXISTS (
              SELECT FROM lab.laboratory_accreditations c WHERE c.laboratory_id = a.laboratory_id
                AND t.tested_on BETWEEN c.valid_from AND coalesce(c.valid_to, t.tested_on)
                AND c.scope @> jsonb_build_array(jsonb_build_object('test', t.test))
                AND NOT EXISTS (SELECT FROM lab.accreditation_ends e JOIN lab.laboratory_accreditations x ON x.id = e.accreditation_id
                                WHERE x.laboratory_id = c.laboratory_id AND (x.kind, x.number) = (c.kind, c.number)
                                  AND c.valid_from <= e.ended_on AND e.ended_on <= t.tested_on))
        GROUP BY r.lot_id, o.name, a.number ORDER BY r.lot_id
    LOOP
        PERFORM lab.comes_to_light('accreditation_ended', v_of.lot_id, 'accreditation', NEW.id,
            jsonb_build_object('laboratory', v_of.laboratory, 'number', v_of.number, 'how', NEW.how, 'ended_on', NEW.ended_on, 'tests', v_of.tests),
            concat_ws(' ', v_of.laboratory, v_of.number, NEW.how, 'since', NEW.ended_on::text), NEW.recorded_by);
    END LOOP;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS y_comes_to_light ON lab.accreditation_ends;
CREATE TRIGGER y_comes_to_light AFTER INSERT ON lab.accreditation_ends FOR EACH ROW EXECUTE FUNCTION lab.accreditation_comes_to_light();
ALTER TABLE lab.accreditation_ends ENABLE ALWAYS TRIGGER y_comes_to_light;
