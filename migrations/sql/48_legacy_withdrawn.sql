-- Papers from before the guideline that are withdrawn come to light: what they were accepted for may rest on nothing now.
-- Where other accepted papers about the same stand for all the same rules, and those that nobody had accepted, nothing does.
CREATE OR REPLACE FUNCTION lab.legacy_withdrawal_comes_to_light() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_of lab.legacy_dossiers;
BEGIN
    SELECT * INTO v_of FROM lab.legacy_dossiers WHERE id = NEW.dossier_id;
    IF v_of.signature_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM lab.legacy_dossiers o JOIN lab.signatures s ON s.id = o.signature_id
            WHERE o.item_id = v_of.item_id AND o.id <> v_of.id AND o.rules @> v_of.rules AND s.account_id <> o.proposed_by
              AND o.valid_from <= v_of.valid_from AND o.valid_to > clock_timestamp()
              AND s.signed_at <= (SELECT signed_at FROM lab.signatures WHERE id = v_of.signature_id)
              AND NOT EXISTS (SELECT FROM lab.legacy_withdrawals w WHERE w.dossier_id = o.id)) THEN
        PERFORM lab.comes_to_light('legacy_withdrawn', v_of.item_id, 'legacy', NEW.id,
            jsonb_build_object('number', v_of.number, 'rules', to_jsonb(v_of.rules), 'reasons', NEW.reasons),
            'papers ' || v_of.number || ' withdrawn', NEW.recorded_by);
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS y_comes_to_light ON lab.legacy_withdrawals;
CREATE TRIGGER y_comes_to_light AFTER INSERT ON lab.legacy_withdrawals FOR EACH ROW EXECUTE FUNCTION lab.legacy_withdrawal_comes_to_light();
ALTER TABLE lab.legacy_withdrawals ENABLE ALWAYS TRIGGER y_comes_to_light;
