-- Papers from before the guideline as the rules read them: every one about these donors or lots that was signed.
CREATE OR REPLACE FUNCTION dossier.legacy(p_items bigint[]) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('number', d.number, 'about', d.about,
        'subject', CASE d.about WHEN 'donor' THEN dossier.pseudonym(d.item_id) ELSE dossier.own_code(d.item_id) END,
        'rules', to_jsonb(d.rules), 'reasons', d.reasons, 'papers', d.papers, 'proposed_by', dossier.username(d.proposed_by),
        'accepted_by', dossier.username(s.account_id), 'accepted_at', audit.stamp(s.signed_at),
        'valid_from', audit.stamp(d.valid_from), 'valid_to', audit.stamp(d.valid_to), 'withdrawn_at', audit.stamp(w.recorded_at)) ORDER BY d.id), '[]')
        FROM lab.legacy_dossiers d JOIN lab.signatures s ON s.id = d.signature_id LEFT JOIN lab.legacy_withdrawals w ON w.dossier_id = d.id WHERE d.item_id = ANY (p_items));
END $$;
