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

-- Replication-competent virus that was found, or may have been, holds the lot in the transaction that records it.
CREATE OR REPLACE FUNCTION lab.virus_found() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.outcome <> 'negative' THEN
        INSERT INTO lab.holds (item_id, reason, recorded_by)
        VALUES (NEW.lot_id, 'replication-competent virus: ' || NEW.outcome || ', ' || NEW.reference, coalesce(lab.entry_actor(), NEW.recorded_by));
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
