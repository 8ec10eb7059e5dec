-- What is signed when a setting or the rule pack changes: the old beside the new, and the gate that lets it through.

-- A setting's version that holds at a moment: the last that took effect, and of two that took effect together the later.
CREATE OR REPLACE FUNCTION dossier.setting_at(p_name text, p_at timestamptz) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('version', version, 'value', value, 'unit', unit, 'valid_from', audit.stamp(valid_from))
    FROM lab.settings WHERE name = p_name AND valid_from <= p_at ORDER BY valid_from DESC, version DESC LIMIT 1
$$;

-- `latest` makes the record another one as soon as any other change of this setting is signed.
CREATE OR REPLACE FUNCTION dossier.setting_change(p_proposal bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('proposal', to_jsonb(p),
        'from', dossier.setting_at(p.name, greatest(p.valid_from, clock_timestamp())),
        'latest', (SELECT max(version) FROM lab.settings WHERE name = p.name))
    FROM lab.setting_proposals p WHERE p.id = p_proposal
$$;

-- The pack that judges: the last that was chosen by signature; a house that is older than that act has what it began with.
CREATE OR REPLACE FUNCTION dossier.pack() RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT pack FROM lab.pack_choices ORDER BY id DESC LIMIT 1),
                    (SELECT jurisdiction FROM lab.rulebooks ORDER BY id DESC LIMIT 1))
$$;

CREATE OR REPLACE FUNCTION dossier.pack_change(p_proposal bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('proposal', to_jsonb(p), 'from', dossier.pack(),
        'latest', (SELECT max(id) FROM lab.pack_choices))
    FROM lab.pack_proposals p WHERE p.id = p_proposal
$$;

-- A change of a setting takes effect when it says, and never before it is signed.
CREATE OR REPLACE FUNCTION gate.approve_setting(p_proposal bigint, p_ceremony uuid,
    OUT signature bigint, OUT setting_version integer, OUT effective_from timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_record record;
    v_proposal lab.setting_proposals;
    v_signature lab.signatures;
BEGIN
    PERFORM lab.lock_one('facility', 1);
    SELECT * INTO v_proposal FROM lab.setting_proposals WHERE id = p_proposal;
    SELECT * INTO v_record FROM dossier.record('setting', p_proposal);
    v_signature := gate.consume(p_ceremony, 'setting_approved', 'setting', p_proposal, v_record.bytes, v_record.version);
    IF v_proposal.proposed_by = v_signature.account_id THEN
        RAISE EXCEPTION 'nobody approves a change of a setting of their own proposing' USING ERRCODE = 'ST033';
    END IF;
    IF EXISTS (SELECT FROM lab.settings WHERE proposal_id = p_proposal) THEN
        RAISE EXCEPTION 'this change is signed already' USING ERRCODE = 'ST013';
    END IF;
    SELECT max(version) + 1 INTO setting_version FROM lab.settings WHERE name = v_proposal.name;
    IF setting_version IS NULL THEN RAISE EXCEPTION 'there is no such setting' USING ERRCODE = 'ST002'; END IF;
    signature := v_signature.id;
    effective_from := greatest(v_proposal.valid_from, v_signature.signed_at);
    INSERT INTO lab.settings (name, version, value, unit, source, valid_from, proposal_id, signature_id)
    VALUES (v_proposal.name, setting_version, v_proposal.value, v_proposal.unit, v_proposal.source, effective_from,
        p_proposal, signature);
END $$;

-- Who the administrator is plays no part: the QA manager proposes, the quality authority signs.
CREATE OR REPLACE FUNCTION gate.approve_pack(p_proposal bigint, p_ceremony uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_record record;
    v_proposal lab.pack_proposals;
    v_signature lab.signatures;
BEGIN
    PERFORM lab.lock_one('facility', 1);
    SELECT * INTO v_proposal FROM lab.pack_proposals WHERE id = p_proposal;
    SELECT * INTO v_record FROM dossier.record('pack', p_proposal);
    v_signature := gate.consume(p_ceremony, 'pack_approved', 'pack', p_proposal, v_record.bytes, v_record.version);
    IF v_proposal.proposed_by = v_signature.account_id THEN
        RAISE EXCEPTION 'nobody chooses a rule pack of their own proposing' USING ERRCODE = 'ST033';
    END IF;
    IF EXISTS (SELECT FROM lab.pack_choices WHERE proposal_id = p_proposal) THEN
        RAISE EXCEPTION 'this rule pack is chosen already' USING ERRCODE = 'ST013';
    END IF;
    INSERT INTO lab.pack_choices (pack, proposal_id, signature_id) VALUES (v_proposal.pack, p_proposal, v_signature.id);
    RETURN v_signature.id;
END $$;
