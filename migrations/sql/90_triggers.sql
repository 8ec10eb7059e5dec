-- What stands on which table. Every table is either audited or named here as exempt, with its reason; a test reads this.

DO $$
DECLARE
    t record;
    v_exempt text[] := ARRAY[
        'lab.scans',               -- each scan is its own hashed leaf
        'lab.idempotency',         -- a cache of answers; the acts themselves are audited
        'people.sessions',         -- touched on every use; signing in and out is audited
        'people.login_attempts',   -- a counter for lock-out
        'audit.entries', 'audit.rows', 'audit.leaves', 'audit.nodes', 'audit.checkpoints', 'audit.epochs'  -- the audit itself
    ];
    v_key text;
    v_secrets text;
BEGIN
    FOR t IN SELECT n.nspname, c.relname, c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind = 'r' AND n.nspname IN ('lab', 'people', 'identity', 'audit') LOOP
        EXECUTE format('DROP TRIGGER IF EXISTS z_keep_row ON %I.%I', t.nspname, t.relname);
        EXECUTE format('DROP TRIGGER IF EXISTS a_no_truncate ON %I.%I', t.nspname, t.relname);
        EXECUTE format('CREATE TRIGGER a_no_truncate BEFORE TRUNCATE ON %I.%I FOR EACH STATEMENT EXECUTE FUNCTION audit.append_only()', t.nspname, t.relname);
        EXECUTE format('ALTER TABLE %I.%I ENABLE ALWAYS TRIGGER a_no_truncate', t.nspname, t.relname);
        CONTINUE WHEN t.nspname || '.' || t.relname = ANY (v_exempt);
        SELECT string_agg(a.attname, ',' ORDER BY array_position(i.indkey::smallint[], a.attnum)) INTO v_key
        FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
        WHERE i.indrelid = t.oid AND i.indisprimary;
        v_secrets := CASE t.nspname || '.' || t.relname WHEN 'people.credentials' THEN 'password_hash,totp_secret,pin_hash' ELSE '' END;
        EXECUTE format('CREATE TRIGGER z_keep_row AFTER INSERT OR UPDATE OR DELETE ON %I.%I FOR EACH ROW EXECUTE FUNCTION audit.keep_row(%L, %L)',
                       t.nspname, t.relname, v_key, v_secrets);
        EXECUTE format('ALTER TABLE %I.%I ENABLE ALWAYS TRIGGER z_keep_row', t.nspname, t.relname);
    END LOOP;
END $$;

-- Nothing is ever deleted, and what is append-only is never updated either.
DO $$
DECLARE
    t record;
    v_updatable text[] := ARRAY[
        'lab.lots', 'lab.containers', 'lab.holds', 'lab.deviations', 'lab.waivers', 'lab.consents', 'lab.workstation_sessions',
        'lab.idempotency', 'people.accounts', 'people.credentials', 'people.grants', 'people.sessions', 'people.ceremonies',
        'people.appointments', 'people.badges', 'lab.timers', 'lab.bench_reasons', 'lab.print_jobs', 'lab.assessments', 'lab.documents', 'lab.authorisations', 'lab.responsibilities', 'lab.supplier_audits', 'lab.partner_assessments', 'lab.legacy_dossiers', 'lab.tissue_types',
        'lab.genetic_resource_permits', 'lab.bank_policies', 'lab.two_step_plans', 'lab.exceptional_requests', 'lab.comparabilities'];
BEGIN
    FOR t IN SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind = 'r' AND n.nspname IN ('lab', 'people', 'identity', 'audit') LOOP
        EXECUTE format('DROP TRIGGER IF EXISTS a_append_only ON %I.%I', t.nspname, t.relname);
        EXECUTE format('CREATE TRIGGER a_append_only BEFORE %s ON %I.%I FOR EACH STATEMENT EXECUTE FUNCTION audit.append_only()',
            CASE WHEN t.nspname || '.' || t.relname = ANY (v_updatable) THEN 'DELETE' ELSE 'UPDATE OR DELETE' END, t.nspname, t.relname);
        EXECUTE format('ALTER TABLE %I.%I ENABLE ALWAYS TRIGGER a_append_only', t.nspname, t.relname);
    END LOOP;
END $$;

-- The root that each row's writing locks. Tables that no dossier reads, or whose rows never change and are reached only
-- through a row that locks, stand in tests/db/test_coverage.py with their reason.
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT * FROM (VALUES
        ('lab', 'settings', 'facility', ''), ('lab', 'rulebooks', 'facility', ''), ('lab', 'pack_choices', 'facility', ''),
        ('lab', 'authority_replies', 'facility', ''), ('people', 'appointments', 'facility', ''),
        ('people', 'grants', 'facility', ''), ('people', 'experience', 'facility', ''),
        ('lab', 'specification_lines', 'specification', 'specification_id'),
        ('lab', 'identity_matches', 'donor', 'donor_id'), ('lab', 'consents', 'donor', 'donor_id'),
        ('lab', 'marker_results', 'donor', 'donor_id'), ('lab', 'determinations', 'donation', 'donation_id'),
        ('lab', 'lot_history', 'lot', 'lot_id'), ('lab', 'holds', 'item', 'item_id'), ('lab', 'deviations', 'item', 'item_id'),
        ('lab', 'waivers', 'item', 'lot_id,donation_id'), ('lab', 'legacy_dossiers', 'item', 'item_id'), ('lab', 'batch_reviews', 'lot', 'lot_id'), ('lab', 'containers', 'lot', 'lot_id'),
        ('lab', 'labels', 'item', 'item_id'), ('lab', 'lineage', 'item', 'child_id'), ('lab', 'steps', 'lot', 'lot_id'),
        ('lab', 'consumptions', 'lot', 'lot_id'), ('lab', 'retains', 'lot', 'lot_id'), ('lab', 'samples', 'lot', 'lot_id'),
        ('lab', 'results', 'lot', 'lot_id'), ('lab', 'result_reviews', 'result', 'result_id'),
        ('lab', 'result_invalidations', 'result', 'result_id'), ('lab', 'workstation_sessions', 'lot', 'lot_id'),
        ('lab', 'item_codes', 'item', 'item_id'), ('lab', 'verifications', 'lot', 'lot_id'),
        ('lab', 'label_counts', 'lot', 'lot_id'), ('lab', 'label_imbalances', 'lot', 'lot_id'), ('lab', 'print_jobs', 'label', 'label_id'), ('lab', 'bench_reasons', 'item', 'item_id'),
        ('lab', 'sampling_statements', 'donor', 'donor_id'), ('lab', 'health_histories', 'donor', 'donor_id'),
        ('lab', 'birth_tests', 'donation', 'donation_id'), ('lab', 'donation_storage', 'donation', 'donation_id'),
        ('lab', 'tissue_types', 'facility', ''), ('lab', 'questionnaires', 'facility', ''), ('lab', 'genetic_resource_permits', 'facility', ''),
        ('lab', 'reagents', 'lot', 'id'), ('lab', 'reagent_parts', 'lot', 'reagent_id'), ('lab', 'reagent_verifications', 'lot', 'reagent_id'),
        ('lab', 'supplier_audits', 'facility', ''), ('lab', 'suppliers', 'facility', ''), ('lab', 'material_statements', 'material', 'material_id'),
        ('lab', 'material_certificates', 'lot', 'material_lot_id'), ('lab', 'material_lot_suppliers', 'lot', 'material_lot_id'),
        ('lab', 'bank_lots', 'lot', 'lot_id'), ('lab', 'withdrawals', 'lot', 'bank_id'), ('lab', 'vial_places', 'item', 'vial_id'),
        ('lab', 'storage_classes', 'facility', ''), ('lab', 'storage_excursions', 'facility', ''), ('lab', 'bank_policies', 'facility', ''),
        ('lab', 'two_step_plans', 'facility', ''), ('lab', 'tests_under_way', 'lot', 'lot_id'), ('lab', 'pending_acknowledgements', 'lot', 'lot_id'),
        ('lab', 'institutions', 'facility', ''), ('lab', 'institution_statements', 'facility', ''), ('lab', 'studies', 'facility', ''),
        ('lab', 'study_versions', 'facility', ''), ('lab', 'study_leaders', 'facility', ''), ('lab', 'committee_decisions', 'facility', ''),
        ('lab', 'study_filings', 'facility', ''), ('lab', 'study_banks', 'facility', ''), ('lab', 'partners', 'facility', ''), ('lab', 'partner_assessments', 'facility', ''),
        ('lab', 'quality_agreements', 'facility', ''), ('lab', 'study_partners', 'facility', ''), ('lab', 'sponsor_agreements', 'facility', ''),
        ('lab', 'laboratories', 'facility', ''), ('lab', 'laboratory_accreditations', 'facility', ''), ('lab', 'accreditation_ends', 'facility', ''),
        ('lab', 'independence_declarations', 'facility', ''), ('lab', 'reinspections', 'facility', ''), ('lab', 'reinspection_tests', 'facility', ''),
        ('lab', 'comparabilities', 'facility', ''), ('lab', 'production_ends', 'lot', 'lot_id'), ('lab', 'follow_up_plans', 'facility', ''), ('lab', 'legacy_withdrawals', 'item', 'item_id'),
        ('lab', 'shipper_qualifications', 'facility', ''), ('lab', 'transports', 'lot', 'lot_id'),
        ('lab', 'assessments', 'facility', ''), ('lab', 'animal_disease_status', 'facility', ''), ('people', 'qualifications', 'facility', ''),
        ('lab', 'equipment_qualifications', 'facility', ''), ('lab', 'documents', 'facility', ''), ('lab', 'authorisations', 'facility', ''), ('lab', 'responsibilities', 'facility', ''),
        ('lab', 'vector_statements', 'lot', 'vector_lot_id'), ('lab', 'vector_parts', 'lot', 'vector_lot_id'), ('lab', 'virus_tests', 'lot', 'lot_id'),
        ('lab', 'virus_test_outcomes', 'lot', 'lot_id'), ('lab', 'off_target_reports', 'facility', ''),
        ('lab', 'partner_lots', 'lot', 'lot_id'), ('lab', 'partner_papers', 'lot', 'lot_id'), ('lab', 'partner_steps', 'lot', 'lot_id'),
        ('lab', 'exceptional_requests', 'lot', 'lot_id'), ('lab', 'impact_items', 'item', 'item_id'),
        ('lab', 'area_classifications', 'facility', ''), ('lab', 'monitoring_samples', 'lot', 'lot_id'), ('lab', 'monitoring_readings', 'lot', 'lot_id')
    ) AS wanted(schema_name, table_name, root, via) LOOP
        EXECUTE format('DROP TRIGGER IF EXISTS b_lock_root ON %I.%I', t.schema_name, t.table_name);
        EXECUTE format('CREATE TRIGGER b_lock_root BEFORE INSERT OR UPDATE OR DELETE ON %I.%I FOR EACH ROW EXECUTE FUNCTION lab.lock_root(%L, %L)',
                       t.schema_name, t.table_name, t.root, t.via);
        EXECUTE format('ALTER TABLE %I.%I ENABLE ALWAYS TRIGGER b_lock_root', t.schema_name, t.table_name);
    END LOOP;
END $$;

DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT * FROM (VALUES
        ('determinations', 'eligibility_determined', 'donation', 'donation_id', 'decision'),
        ('batch_reviews', 'batch_reviewed', 'batch', 'lot_id', 'decision')
    ) AS wanted(table_name, meaning, kind, via, statement) LOOP
        EXECUTE format('DROP TRIGGER IF EXISTS c_stands_on_signature ON lab.%I', t.table_name);
        EXECUTE format('CREATE TRIGGER c_stands_on_signature BEFORE INSERT ON lab.%I FOR EACH ROW EXECUTE FUNCTION lab.stands_on_signature(%L, %L, %L, %L)',
                       t.table_name, t.meaning, t.kind, t.via, t.statement);
        EXECUTE format('ALTER TABLE lab.%I ENABLE ALWAYS TRIGGER c_stands_on_signature', t.table_name);
    END LOOP;
END $$;

DROP TRIGGER IF EXISTS c_stands_on_signature ON lab.result_reviews;
CREATE TRIGGER c_stands_on_signature BEFORE INSERT ON lab.result_reviews FOR EACH ROW EXECUTE FUNCTION lab.review_stands_on_signature();
ALTER TABLE lab.result_reviews ENABLE ALWAYS TRIGGER c_stands_on_signature;

DROP TRIGGER IF EXISTS z_must_be_durable ON audit.entries;
CREATE CONSTRAINT TRIGGER z_must_be_durable AFTER INSERT ON audit.entries DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION audit.must_be_durable();
ALTER TABLE audit.entries ENABLE ALWAYS TRIGGER z_must_be_durable;

-- Administrators hold no other role, and nobody else's account becomes one while it holds another.
CREATE OR REPLACE FUNCTION people.administrators_do_nothing_else() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM 1 FROM people.accounts WHERE id = NEW.account_id FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM people.grants g WHERE g.account_id = NEW.account_id AND g.revoked_at IS NULL
               AND g.id IS DISTINCT FROM NEW.id AND (g.role = 'administrator') <> (NEW.role = 'administrator'))
       OR (NEW.role = 'administrator' AND EXISTS (
               SELECT FROM people.appointments a WHERE a.account_id = NEW.account_id AND a.revoked_at IS NULL)) THEN
        RAISE EXCEPTION 'an administrator holds no other role' USING ERRCODE = 'ST036';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS c_administrators ON people.grants;
CREATE TRIGGER c_administrators BEFORE INSERT ON people.grants FOR EACH ROW EXECUTE FUNCTION people.administrators_do_nothing_else();
ALTER TABLE people.grants ENABLE ALWAYS TRIGGER c_administrators;

-- Experience is stated before anyone supports the proposal, never after.
CREATE OR REPLACE FUNCTION people.experience_before_support() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM lab.signatures WHERE record_kind = 'proposal' AND record_id = NEW.proposal_id)
       OR EXISTS (SELECT FROM people.appointments WHERE proposal_id = NEW.proposal_id) THEN
        RAISE EXCEPTION 'the proposal is signed: its experience is stated' USING ERRCODE = 'ST013';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS c_before_support ON people.experience;
CREATE TRIGGER c_before_support BEFORE INSERT ON people.experience FOR EACH ROW EXECUTE FUNCTION people.experience_before_support();
ALTER TABLE people.experience ENABLE ALWAYS TRIGGER c_before_support;

-- A specification or process version in use is not edited: its lines stand once a lot names it.
CREATE OR REPLACE FUNCTION lab.lines_before_use() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM lab.lots WHERE specification_id = NEW.specification_id) THEN
        RAISE EXCEPTION 'this specification version is in use: make a new version' USING ERRCODE = 'ST013';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS c_lines_before_use ON lab.specification_lines;
CREATE TRIGGER c_lines_before_use BEFORE INSERT ON lab.specification_lines FOR EACH ROW EXECUTE FUNCTION lab.lines_before_use();
ALTER TABLE lab.specification_lines ENABLE ALWAYS TRIGGER c_lines_before_use;

-- A vial leaves its bank once; an excursion holds what lay in the place (25_banks.sql).
DROP TRIGGER IF EXISTS c_leaves_a_released_bank ON lab.withdrawals;
CREATE TRIGGER c_leaves_a_released_bank BEFORE INSERT ON lab.withdrawals FOR EACH ROW EXECUTE FUNCTION lab.leaves_a_released_bank();
ALTER TABLE lab.withdrawals ENABLE ALWAYS TRIGGER c_leaves_a_released_bank;
DROP TRIGGER IF EXISTS y_excursion_holds ON lab.storage_excursions;
CREATE TRIGGER y_excursion_holds AFTER INSERT ON lab.storage_excursions FOR EACH ROW EXECUTE FUNCTION lab.excursion_holds();
ALTER TABLE lab.storage_excursions ENABLE ALWAYS TRIGGER y_excursion_holds;

-- Who makes a lot, and which steps a partner made (34_partner_lots.sql).
DROP TRIGGER IF EXISTS c_made_by_a_partner ON lab.partner_lots;
CREATE TRIGGER c_made_by_a_partner BEFORE INSERT ON lab.partner_lots FOR EACH ROW EXECUTE FUNCTION lab.made_by_a_partner();
ALTER TABLE lab.partner_lots ENABLE ALWAYS TRIGGER c_made_by_a_partner;
DROP TRIGGER IF EXISTS c_step_of_a_partner ON lab.partner_steps;
CREATE TRIGGER c_step_of_a_partner BEFORE INSERT ON lab.partner_steps FOR EACH ROW EXECUTE FUNCTION lab.step_of_a_partner();
ALTER TABLE lab.partner_steps ENABLE ALWAYS TRIGGER c_step_of_a_partner;

-- What is stated once stays: a withdrawal is not taken back, a revoked grant does not revive, a session does not reopen.
CREATE OR REPLACE FUNCTION lab.stated_once() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_before text := to_jsonb(OLD) ->> TG_ARGV[0];
    v_after text := to_jsonb(NEW) ->> TG_ARGV[0];
BEGIN
    IF v_before IS NOT NULL AND v_before IS DISTINCT FROM v_after THEN
        RAISE EXCEPTION '% of this record is stated already', TG_ARGV[0] USING ERRCODE = 'ST013';
    END IF;
    RETURN NEW;
END $$;

-- A closed deviation is what was signed.
CREATE OR REPLACE FUNCTION lab.closed_stays_closed() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.state = 'closed' THEN
        RAISE EXCEPTION 'the deviation is closed already' USING ERRCODE = 'ST013';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS d_closed_stays_closed ON lab.deviations;
CREATE TRIGGER d_closed_stays_closed BEFORE UPDATE ON lab.deviations FOR EACH ROW EXECUTE FUNCTION lab.closed_stays_closed();
ALTER TABLE lab.deviations ENABLE ALWAYS TRIGGER d_closed_stays_closed;

-- A label that came out of its printer was there for good, and one that was given up never comes out: labels.printed of
-- REL-04 stands on both. A label is queued by the transaction that makes it, so that none can be queued, and given up, later.
CREATE OR REPLACE FUNCTION lab.prints_once() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT EXISTS (SELECT FROM lab.labels l WHERE l.id = NEW.label_id AND l.xmin = pg_current_xact_id()::xid) THEN
            RAISE EXCEPTION 'a label is queued when it is made' USING ERRCODE = 'ST013';
        END IF;
    ELSIF NEW.state <> OLD.state AND NOT (OLD.state, NEW.state) IN (
            ('queued', 'sending'), ('queued', 'failed'), ('queued', 'cancelled'),
            ('sending', 'printed'), ('sending', 'failed'), ('sending', 'unknown'),
            ('unknown', 'printed'), ('unknown', 'failed'), ('failed', 'queued'), ('failed', 'cancelled')) THEN
        RAISE EXCEPTION 'a job that is % does not become %', OLD.state, NEW.state USING ERRCODE = 'ST013';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS d_prints_once ON lab.print_jobs;
CREATE TRIGGER d_prints_once BEFORE INSERT OR UPDATE ON lab.print_jobs FOR EACH ROW EXECUTE FUNCTION lab.prints_once();
ALTER TABLE lab.print_jobs ENABLE ALWAYS TRIGGER d_prints_once;

-- A container that stands open keeps no longer than was said: an earlier opening may come to light, never a later one.
CREATE OR REPLACE FUNCTION lab.keeps_no_longer() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.opened_until IS NOT NULL AND (NEW.opened_until IS NULL OR NEW.opened_until > OLD.opened_until) THEN
        RAISE EXCEPTION 'until when this container may be used is stated already' USING ERRCODE = 'ST013';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION lab.session_ends_once() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF lower(NEW.during) IS DISTINCT FROM lower(OLD.during) OR isempty(NEW.during)
       OR (NOT upper_inf(OLD.during) AND NEW.during <> OLD.during) THEN
        RAISE EXCEPTION 'this session began and ended when it was said' USING ERRCODE = 'ST013';
    END IF;
    RETURN NEW;
END $$;

DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT * FROM (VALUES
        ('lab.consents', 'lab.stated_once', 'withdrawn_at'), ('lab.genetic_resource_permits', 'lab.stated_once', 'withdrawn_at'),
        ('lab.documents', 'lab.stated_once', 'signature_id'), ('lab.authorisations', 'lab.stated_once', 'signature_id'),
        ('lab.responsibilities', 'lab.stated_once', 'signature_id'), ('lab.responsibilities', 'lab.stated_once', 'ended_at'),
        ('lab.tissue_types', 'lab.stated_once', 'signature_id'), ('people.grants', 'lab.stated_once', 'revoked_at'),
        ('people.badges', 'lab.stated_once', 'revoked_at'), ('lab.timers', 'lab.stated_once', 'ended_at'),
        ('lab.bench_reasons', 'lab.stated_once', 'note'), ('lab.bank_policies', 'lab.stated_once', 'signature_id'),
        ('lab.legacy_dossiers', 'lab.stated_once', 'signature_id'), ('lab.two_step_plans', 'lab.stated_once', 'signature_id'),
        ('lab.exceptional_requests', 'lab.stated_once', 'signature_id'),
        ('lab.comparabilities', 'lab.stated_once', 'signature_id'),
        ('lab.workstation_sessions', 'lab.stated_once', 'closing_clearance_id'),
        ('lab.workstation_sessions', 'lab.session_ends_once', 'during'),
        ('lab.containers', 'lab.keeps_no_longer', 'opened_until')
    ) AS wanted(table_name, function_name, column_name) LOOP
        EXECUTE format('DROP TRIGGER IF EXISTS d_%s_once ON %s', t.column_name, t.table_name);
        EXECUTE format('CREATE TRIGGER d_%s_once BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION %s(%L)',
                       t.column_name, t.table_name, t.function_name, t.column_name);
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER d_%s_once', t.table_name, t.column_name);
    END LOOP;
END $$;
