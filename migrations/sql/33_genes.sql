-- Gene modification: what is signed beside an assessment, and what the rows about vectors and their tests must hold.

-- What is signed beside an assessment's own words: whoever accepts off-target edits signs the very reports.
CREATE OR REPLACE FUNCTION dossier.beside_assessment(p_rule text, p_scope_kind text, p_scope bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p_rule = 'GM-02' AND p_scope_kind = 'process'
        THEN jsonb_build_object('off_target_reports', dossier.off_target_reports(p_scope)) ELSE '{}' END
$$;

-- What a vector came of is written with the statement, never added to it later.
CREATE OR REPLACE FUNCTION lab.parts_with_their_statement() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM lab.vector_statements s WHERE s.id = NEW.statement_id AND s.xmin = pg_current_xact_id()::xid) THEN
        RAISE EXCEPTION 'what a vector came of is written with its statement' USING ERRCODE = 'ST013';
    END IF;
    RETURN NEW;
END $$;

-- Replication-competent virus that was found, or may have been, comes to light: the lot, and everything that came of it
-- or that its vector went into, is named and held in the transaction that records it, released lots too. A lot that has
-- come to its end is held as well: what is left of it is not touched.
CREATE OR REPLACE FUNCTION lab.virus_found() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_words text;
BEGIN
    IF NEW.outcome <> 'negative' THEN
        v_words := 'replication-competent virus: ' || NEW.outcome || ', ' || NEW.reference;
        PERFORM lab.comes_to_light('virus_found', NEW.lot_id, 'virus_test', NEW.id,
            (SELECT jsonb_build_object('sample', t.sample, 'outcome', NEW.outcome, 'reference', NEW.reference, 'laboratory', t.laboratory,
                'lot', l.name, 'reported_at', audit.stamp(NEW.reported_at))
             FROM lab.virus_tests t JOIN lab.lots l ON l.id = t.lot_id WHERE t.id = NEW.test_id), v_words, NEW.recorded_by);
        IF NOT EXISTS (  -- another hold is lifted for its own reason
                SELECT FROM lab.impact_facts f JOIN lab.impact_items x ON x.impact_id = f.impact_id JOIN lab.holds h ON h.id = x.hold_id
                WHERE f.fact = 'virus_test' AND f.fact_id = NEW.id AND x.item_id = NEW.lot_id AND h.lifted_at IS NULL) THEN
            INSERT INTO lab.holds (item_id, reason, recorded_by) VALUES (NEW.lot_id, v_words, coalesce(lab.entry_actor(), NEW.recorded_by));
        END IF;
    END IF;
    RETURN NULL;
END $$;

-- Vectors and their producer cells are tested as material lots, transduced cells and products as lots of cells.
CREATE OR REPLACE FUNCTION lab.tested_where_it_belongs() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (NEW.sample IN ('vector_supernatant', 'producer_cells')) <> EXISTS (SELECT FROM lab.lots l WHERE l.id = NEW.lot_id AND l.kind = 'material') THEN
        RAISE EXCEPTION 'this sample is of another kind of lot' USING ERRCODE = 'ST002';
    END IF;
    RETURN NEW;
END $$;

DROP TRIGGER IF EXISTS d_parts_with_their_statement ON lab.vector_parts;
CREATE TRIGGER d_parts_with_their_statement BEFORE INSERT ON lab.vector_parts FOR EACH ROW EXECUTE FUNCTION lab.parts_with_their_statement();
ALTER TABLE lab.vector_parts ENABLE ALWAYS TRIGGER d_parts_with_their_statement;
DROP TRIGGER IF EXISTS d_tested_where_it_belongs ON lab.virus_tests;
CREATE TRIGGER d_tested_where_it_belongs BEFORE INSERT ON lab.virus_tests FOR EACH ROW EXECUTE FUNCTION lab.tested_where_it_belongs();
ALTER TABLE lab.virus_tests ENABLE ALWAYS TRIGGER d_tested_where_it_belongs;
DROP TRIGGER IF EXISTS e_virus_found ON lab.virus_test_outcomes;
CREATE TRIGGER e_virus_found AFTER INSERT ON lab.virus_test_outcomes FOR EACH ROW EXECUTE FUNCTION lab.virus_found();
ALTER TABLE lab.virus_test_outcomes ENABLE ALWAYS TRIGGER e_virus_found;
