"""Attacks by raw SQL with a login role's password. In each, `{names}` stand for what lies around (see test_raw_sql.py).

Every statement is tried, whatever the one before answered; what is left open is committed.
"""

from __future__ import annotations

OPEN = "SELECT audit.open({lin}, 'lin', 'quality_authority', 'release_lot', '', '', 'raw', NULL, NULL, NULL)"
FORGE = (
    "INSERT INTO lab.judgements (subject_kind, subject_id, gate, rulebook, dossier, digest, verdicts, blocks, recorded_by)"
    " SELECT 'lot', {lot}, 'G6', 'forged', d, audit.sha256_hex(d), '[]', false, {lin} FROM dossier.lot({lot}) AS d"
)


def change(*statements: str) -> tuple[str, ...]:
    """Under an entry of one's own, as the application works."""
    return ("BEGIN", OPEN, *statements, "COMMIT")


def release(ceremony: str, *before: str, lot: str = "{lot}") -> tuple[str, ...]:
    """Through the gate, with a forged judgement of the very bytes."""
    return change(
        *before,
        FORGE.replace("{lot}", lot),
        f"SELECT gate.release({lot}, {ceremony}, (SELECT max(id) FROM lab.judgements WHERE subject_id = {lot}))",
    )


def give_out(ceremony: str, *before: str, lot: str = "{lot}") -> tuple[str, ...]:
    """Through the gate of the first release of two, with a forged judgement of the very bytes."""
    return change(
        *before,
        FORGE.replace("'G6'", "'G5'").replace("{lot}", lot),
        f"SELECT gate.conditionally_release({lot}, {ceremony}, (SELECT max(id) FROM lab.judgements WHERE subject_id = {lot}))",
    )


RELEASE: dict[str, tuple[str, ...]] = {
    "give out before a result with no ceremony": give_out("NULL"),
    "give out before a result with a ceremony for releasing": give_out("'{others}'", lot="{other}"),
    "give out before a result with a ceremony of somebody who is no authority": give_out("'{quinns}'"),
    "give out before a result by a plan that one signs oneself": give_out(
        "'{others}'",
        "INSERT INTO lab.two_step_plans (process_id, version, protocol, protocol_version, ethics_reference, ethics_approved_on, consent_clause, pending, proposed_by)"
        " SELECT process_id, 1, 'x', 'x', 'x', current_date, 'x', '[]', {lin} FROM lab.lots WHERE id = {other}",
        "UPDATE lab.two_step_plans SET signature_id = (SELECT max(id) FROM lab.signatures)",
        "SELECT gate.decide_two_step_plan((SELECT max(id) FROM lab.two_step_plans), '{others}')",
        lot="{other}",
    ),
    "give out on a judgement for the release": change(
        "SELECT gate.conditionally_release({other}, '{others}', {judgement_of_other})"
    ),
    "make the move before a result": change("SELECT lab.make_move({lot}, 'conditionally_release', NULL, NULL, true)"),
    "write history to conditionally released": change(
        "INSERT INTO lab.lot_history (lot_id, seq, kind, from_state, act, to_state, release_id, recorded_by)"
        " VALUES ({lot}, 5, 'preparation', 'awaiting_release', 'conditionally_release', 'conditionally_released', 1, {lin})"
    ),
    "acknowledge for a physician": change(
        "INSERT INTO lab.pending_acknowledgements (lot_id, tests, remarks, recorded_by) VALUES ({lot}, '{{sterility}}', 'x', {tess})"
    ),
    "fail a released lot": change("SELECT lab.move_lot({released}, 'fail_after_release', true)"),
    "release with no ceremony": release("NULL"),
    "release with a ceremony out of thin air": release("gen_random_uuid()"),
    "release with another lot's ceremony": release("'{others}'"),
    "release with a ceremony for rejecting": release("'{rejecting}'"),
    "release with a ceremony for reviewing the batch": release("'{reviewing}'"),
    "release with an expired ceremony": release("'{expired}'"),
    "release with a used ceremony": release("'{used}'"),
    "release with a burned ceremony": release("'{burned}'"),
    "release with a ceremony of an older version": release("'{stale}'"),
    "release with a ceremony of somebody who is no authority": release("'{quinns}'"),
    "release a released lot again with its used ceremony": release("'{used}'", lot="{released}"),
    "release a material lot": release("'{others}'", lot="{medium}"),
    "release on a judgement of another lot": change("SELECT gate.release({lot}, '{others}', {judgement_of_other})"),
    "release another's lot while claiming to be somebody else": (
        "BEGIN",
        "SELECT audit.open({tess}, 'tess', 'quality_authority', 'release_lot', '', '', 'raw', NULL, NULL, NULL)",
        "SELECT gate.release({other}, '{others}', {judgement_of_other})",
        "COMMIT",
    ),
    "release without an entry": ("SELECT gate.release({other}, '{others}', {judgement_of_other})",),
    "release under a stranger's entry": (
        "BEGIN",
        "SELECT set_config('stemma.entry', '{old_entry}', true)",
        "SELECT gate.release({other}, '{others}', {judgement_of_other})",
        "COMMIT",
    ),
    "release inside a cursor held over commit": (
        "BEGIN",
        OPEN,
        "DECLARE c CURSOR WITH HOLD FOR SELECT gate.release({lot}, '{others}', {judgement_of_other})",
        "COMMIT",
    ),
    "release inside savepoints": change(
        "SAVEPOINT a",
        "SELECT gate.release({lot}, '{others}', {judgement_of_other})",
        "ROLLBACK TO a",
        "SELECT gate.release({lot}, '{rejecting}', {judgement_of_other})",
        "ROLLBACK TO a",
        "RELEASE a",
    ),
    "release by every ceremony in sight": change(
        "DO $$ DECLARE c record; BEGIN FOR c IN SELECT id FROM people.ceremonies WHERE id <> '{others}' OR true LOOP BEGIN"
        " PERFORM gate.release({lot}, c.id, {judgement_of_other}); EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END $$"
    ),
    "mint a ceremony and release": release(
        "current_setting('x.minted')::uuid",
        "SELECT set_config('x.minted', '00000000-0000-4000-8000-000000000001', true)",
        "INSERT INTO people.ceremonies (id, account_id, meaning, record_kind, record_id, record_version, digest, factors)"
        " SELECT current_setting('x.minted')::uuid, {lin}, 'released', 'lot', {lot}, 4, audit.sha256_hex(dossier.lot({lot})), '{{password,totp}}'",
    ),
    "have a ceremony opened and release": release(
        "current_setting('x.opened')::uuid",
        FORGE,
        "SELECT set_config('x.opened', (people.open_ceremony({lin}, NULL, 'released', 'lot', {lot}, '',"
        " audit.sha256_hex(dossier.lot({lot})), '{{password,totp}}')).ceremony::text, true)",
    ),
    "consume a ceremony alone": change(
        "SELECT gate.consume('{others}', 'released', 'lot', {lot}, dossier.lot({lot}), 4)"
    ),
    "make the move": change("SELECT lab.make_move({lot}, 'release', NULL, NULL)"),
    "make the move with the release of another lot": change("SELECT lab.make_move({lot}, 'release', NULL, 1, true)"),
    "move to released": change("SELECT lab.move_lot({lot}, 'release', false)"),
    "move to released, it has happened": change("SELECT lab.move_lot({lot}, 'release', true)"),
    "move to conditionally released": change("SELECT lab.move_lot({lot}, 'conditionally_release', false)"),
    "move to rejected": change("SELECT lab.move_lot({lot}, 'reject', false)"),
    "approve a material lot by a move": change("SELECT lab.move_lot({quarantined}, 'approve', false)"),
    "approve a material lot with another ceremony": change(
        "SELECT gate.approve_material({quarantined}, '{rejecting}')"
    ),
    "reject a material lot by a move": change("SELECT lab.move_lot({quarantined}, 'reject', false)"),
    "reject a material lot with another ceremony": change("SELECT gate.reject_material({quarantined}, '{rejecting}')"),
    "begin a lot as released": change(
        "SELECT lab.begin_lot({spare}, 'X', 'preparation', 'release', NULL, NULL, NULL, NULL, NULL)"
    ),
    "begin a lot that is there": change(
        "SELECT lab.begin_lot({lot}, 'X', 'preparation', 'plan', NULL, NULL, NULL, NULL, NULL)"
    ),
    "begin a lot on what is no lot": change(
        "SELECT lab.begin_lot({person}, 'X', 'preparation', 'plan', NULL, NULL, NULL, NULL, NULL)"
    ),
    "write the state": change("UPDATE lab.lots SET state = 'released' WHERE id = {lot}"),
    "write the state without an entry": ("UPDATE lab.lots SET state = 'released' WHERE id = {lot}",),
    "point at an older page of history": change(
        "UPDATE lab.lots SET version = 4, state = 'awaiting_release' WHERE id = {released}"
    ),
    "write history to released": change(
        "INSERT INTO lab.lot_history (lot_id, seq, kind, from_state, act, to_state, recorded_by)"
        " VALUES ({lot}, 5, 'preparation', 'awaiting_release', 'release', 'released', {lin})"
    ),
    "write history with the release of another lot": change(
        "INSERT INTO lab.lot_history (lot_id, seq, kind, from_state, act, to_state, release_id, recorded_by)"
        " VALUES ({lot}, 5, 'preparation', 'awaiting_release', 'release', 'released', 1, {lin})"
    ),
    "write a release": change(
        "INSERT INTO lab.releases (lot_id, signature_id, judgement_id, appointment_id, digest)"
        " SELECT {lot}, max(id), {judgement_of_other}, 1, repeat('a', 64) FROM lab.signatures"
    ),
    "make releasing another word for submitting": change(
        "UPDATE lab.lot_moves SET to_state = 'released' WHERE act = 'submit' AND kind = 'preparation'"
    ),
    "add a move": change(
        "INSERT INTO lab.lot_moves VALUES ('preparation', 'awaiting_release', 'finish', 'released', false)"
    ),
    "defer the constraints": change(
        "SET CONSTRAINTS ALL DEFERRED", "UPDATE lab.lots SET state = 'released', version = 9 WHERE id = {lot}"
    ),
    "forge a verification": change(
        "INSERT INTO lab.verifications (lot_id, step_id, verified_by, badge_id, scanned_item_id, scanned, recorded_by)"
        " SELECT lot_id, id, {lin}, (SELECT min(id) FROM people.badges), (SELECT min(id) FROM lab.items), 'V', {lin}"
        " FROM lab.steps WHERE lot_id = {lot}"
    ),
    "change who verified": change("UPDATE lab.verifications SET verified_by = {lin}, recorded_at = now()"),
    "have a verification written": change(
        "SELECT people.verify('step', s.id, b.account_id, b.id, k.code, k.code) FROM lab.steps s, people.badges b, lab.item_codes k"
        " WHERE s.lot_id = {lot} AND b.account_id <> s.performed_by LIMIT 5"
    ),
    "issue oneself a badge": change(
        "INSERT INTO people.badges (id, account_id, recorded_by) VALUES ({spare}, {lin}, {lin})",
        "SELECT people.issue_badge({lin}, 'G0000000000')",
    ),
    "set somebody's PIN": change(
        "UPDATE people.credentials SET pin_hash = 'x'", "SELECT pin_hash FROM people.credentials"
    ),
    "write a signature": change(
        "INSERT INTO lab.signatures (ceremony_id, account_id, printed_name, roles, meaning, record_kind, record_id, record_version, digest)"
        " VALUES ('{others}', {lin}, 'Dr Lin Qing', '{{}}', 'released', 'lot', {lot}, 4, repeat('a', 64))"
    ),
    "write a ceremony": change(
        "INSERT INTO people.ceremonies (account_id, meaning, record_kind, record_id, record_version, digest, factors)"
        " VALUES ({lin}, 'released', 'lot', {lot}, 4, repeat('a', 64), '{{password,totp}}')"
    ),
    "revive a ceremony": change(
        "UPDATE people.ceremonies SET used_at = NULL, burned_at = NULL, expires_at = now() + interval '1 minute'"
    ),
    "turn a ceremony to another lot": change("UPDATE people.ceremonies SET record_id = {lot} WHERE id = '{others}'"),
    "appoint oneself": change(
        "INSERT INTO people.appointments (account_id, title_level, title_certificate, from_at) VALUES ({tess}, 'senior', 'C', now())"
    ),
    "support an appointment with no ceremony": change(
        "INSERT INTO people.proposals (account_id, title_level, title_certificate, from_at, proposed_by)"
        " VALUES ({tess}, 'senior', 'C', now(), {tess})",
        "SELECT gate.support_appointment((SELECT max(id) FROM people.proposals), '{others}')",
    ),
    "revoke the appointment with no ceremony": change("SELECT gate.revoke_appointment(1, '{rejecting}')"),
    "move the appointment to another account": change("UPDATE people.appointments SET account_id = {tess}"),
    "grant the authority as a role": change(
        "INSERT INTO people.grants (account_id, role) VALUES ({tess}, 'quality_authority')"
    ),
    "let technicians sign releases": change(
        "UPDATE people.meanings SET roles = roles || '{{technician}}'::text[] WHERE meaning = 'released'"
    ),
    "lift a hold by hand": change(
        "UPDATE lab.holds SET lifted_at = now(), lifted_signature_id = 1 WHERE item_id = {held}"
    ),
    "lift a hold with another ceremony": change(
        "SELECT gate.lift_hold((SELECT max(id) FROM lab.holds), '{rejecting}')"
    ),
    "submit a held lot": change("SELECT lab.move_lot({held}, 'submit', false)"),
    "submit a held lot, it has happened": change("SELECT lab.move_lot({held}, 'submit', true)"),
    "submit a held lot by an old snapshot": (
        "BEGIN ISOLATION LEVEL REPEATABLE READ",
        OPEN,
        "SELECT lab.move_lot({held}, 'submit', false)",
        "COMMIT",
    ),
    "close a deviation by hand": change(
        "UPDATE lab.deviations SET state = 'closed', impact = 'none', closed_signature_id = 1"
    ),
    "approve a waiver by hand": change(
        "INSERT INTO lab.waivers (rule, lot_id, justification, mitigations, proposed_by, signature_id, valid_from, valid_to, max_uses)"
        " VALUES ('REL-02', {lot}, 'x', 'x', {tess}, 1, now(), now() + interval '1 year', 9)"
    ),
    "release a lot whose donor withdrew the consent": release("'{unconsenteds}'", lot="{unconsented}"),
    "release a lot for which nothing was assessed in time": release("'{unassesseds}'", lot="{unassessed}"),
    "approve an assessment by hand": change(
        "INSERT INTO lab.assessments (number, version, rule, title, scope_kind, hazard, mitigations, conclusion, proposed_by,"
        " valid_from, valid_to, signature_id) SELECT 'AS-X', 1, 'DON-05', 't', 'facility', 'h', '[]', 'c', {tess},"
        " now() - interval '1 year', now() + interval '1 year', max(id) FROM lab.signatures",
    ),
    "stretch an assessment": change("UPDATE lab.assessments SET valid_to = now() + interval '9 years'"),
    "approve an assessment with another ceremony": change(
        "INSERT INTO lab.assessments (number, version, rule, title, scope_kind, hazard, mitigations, conclusion, proposed_by,"
        " valid_from, valid_to) VALUES ('AS-Y', 1, 'DON-05', 't', 'facility', 'h', '[]', 'c', {tess},"
        " now() - interval '1 year', now() + interval '1 year')",
        "SELECT gate.approve_assessment((SELECT max(id) FROM lab.assessments), '{others}')",
    ),
    "accept papers from before the guideline by hand": change(
        "INSERT INTO lab.legacy_dossiers (number, about, item_id, papers, rules, reasons, valid_from, valid_to, proposed_by, signature_id)"
        " SELECT 'LD-X', 'lot', {lot}, '[{{}}]', '{{GMP-05}}', 'x', now(), now() + interval '1 year', {tess}, max(id) FROM lab.signatures",
    ),
    "accept papers with another ceremony": change(
        "INSERT INTO lab.legacy_dossiers (number, about, item_id, papers, rules, reasons, valid_from, valid_to, proposed_by)"
        " VALUES ('LD-Y', 'lot', {lot}, '[{{}}]', '{{GMP-05}}', 'x', now(), now() + interval '1 year', {tess})",
        "SELECT gate.accept_legacy((SELECT max(id) FROM lab.legacy_dossiers), '{others}')",
    ),
    "let papers stand for a banned material": change(
        "INSERT INTO lab.legacy_dossiers (number, about, item_id, papers, rules, reasons, valid_from, valid_to, proposed_by)"
        " VALUES ('LD-Z', 'lot', {lot}, '[{{}}]', '{{GMP-05,MAT-03}}', 'x', now(), now() + interval '1 year', {tess})",
    ),
    "backdate a qualification": change(
        "INSERT INTO people.qualifications (account_id, topic, valid_from, valid_to, evidence, recorded_by, recorded_at)"
        " VALUES ({tess}, 'fill', '2020-01-01', '2030-01-01', 'x', {quinn}, '2020-01-01')"
    ),
    "loosen a setting": change(
        "INSERT INTO lab.settings (name, version, value, source, valid_from) VALUES ('qa03.years', 2, '0', 'me', now())"
    ),
    "loosen a setting with somebody's signature": change(
        "INSERT INTO lab.setting_proposals (name, value, source, why, valid_from, proposed_by)"
        " VALUES ('qa03.years', '0', 'me', 'x', now(), {tess})",
        "INSERT INTO lab.settings (name, version, value, source, valid_from, proposal_id, signature_id)"
        " SELECT 'qa03.years', 2, '0', 'me', now(), max(p.id), (SELECT max(id) FROM lab.signatures) FROM lab.setting_proposals p",
    ),
    "approve the change of a setting with another ceremony": change(
        "INSERT INTO lab.setting_proposals (name, value, source, why, valid_from, proposed_by)"
        " VALUES ('qa03.years', '0', 'me', 'x', now(), {tess})",
        "SELECT gate.approve_setting((SELECT max(id) FROM lab.setting_proposals), '{others}')",
    ),
    "change a proposed setting before it is signed": change("UPDATE lab.setting_proposals SET value = '0'"),
    "backdate a proposed setting": change(
        "INSERT INTO lab.setting_proposals (name, value, source, why, valid_from, proposed_by, recorded_at)"
        " VALUES ('qa03.years', '0', 'me', 'x', '2020-01-01', {tess}, '2020-01-01')"
    ),
    "choose a rule pack by hand": change(
        "INSERT INTO lab.pack_proposals (pack, why, proposed_by) VALUES ('EU', 'x', {tess})",
        "INSERT INTO lab.pack_choices (pack, proposal_id, signature_id)"
        " SELECT 'EU', max(p.id), (SELECT max(id) FROM lab.signatures) FROM lab.pack_proposals p",
    ),
    "choose a rule pack with another ceremony": change(
        "INSERT INTO lab.pack_proposals (pack, why, proposed_by) VALUES ('EU', 'x', {tess})",
        "SELECT gate.approve_pack((SELECT max(id) FROM lab.pack_proposals), '{others}')",
    ),
    "backdate an authority's reply": change(
        "INSERT INTO lab.authority_replies (authority, reference, dated, rule, process_id, question, answer, ruling,"
        " file_name, file_sha256, file_place, recorded_by, recorded_at)"
        " SELECT 'NHC', '1', '2020-01-01', 'CB-01A', max(id), 'q', 'a', 'permits', 'f', repeat('a', 64), 's', {tess},"
        " '2020-01-01' FROM lab.process_versions"
    ),
    "reject with the authority's releasing ceremony": change("SELECT gate.reject_lot({other}, '{others}')"),
    "ask for a release under an old snapshot": (
        "BEGIN ISOLATION LEVEL REPEATABLE READ",
        OPEN,
        "SELECT gate.release({other}, '{others}', {judgement_of_other})",
        "COMMIT",
    ),
}
KEPT: dict[str, tuple[str, ...]] = {
    "keep an opened bottle for longer": change(
        "UPDATE lab.containers SET opened_until = now() + interval '9 years' WHERE kind = 'bottle'"
    ),
    "let an opened bottle have never been opened": change(
        "UPDATE lab.containers SET opened_until = NULL WHERE kind = 'bottle'"
    ),
    "turn a country's status back": change("UPDATE lab.animal_disease_status SET category = 'negligible'"),
    "change a result": change("UPDATE lab.results SET value_text = value_text || ', I say'"),
    "remove a result": change("DELETE FROM lab.results"),
    "remove results by truncating": change("TRUNCATE lab.results CASCADE"),
    "change a review": change("UPDATE lab.result_reviews SET decision = 'accepted', remarks = 'mine'"),
    "review with somebody else's signature": change(
        "INSERT INTO lab.results (lot_id, sample_id, line_id, value_text, method_version, analyst, measured_at, recorded_by)"
        " SELECT lot_id, sample_id, line_id, value_text, 'x', analyst, now(), analyst FROM lab.results WHERE lot_id = {spoilt} LIMIT 1",
        "INSERT INTO lab.result_reviews (result_id, decision, remarks, signature_id, recorded_by)"
        " SELECT (SELECT max(id) FROM lab.results), 'accepted', '', signature_id, {rolf} FROM lab.result_reviews LIMIT 1",
    ),
    "review the batch with somebody else's signature": change(
        "INSERT INTO lab.batch_reviews (lot_id, decision, package_digest, remarks, signature_id, recorded_by)"
        " SELECT {lot}, 'accepted', repeat('b', 64), '', max(id), {quinn} FROM lab.signatures"
    ),
    "review a package that nobody saw": change(
        "INSERT INTO lab.batch_reviews (lot_id, decision, package_digest, remarks, signature_id, recorded_by)"
        " VALUES ({spoilt}, 'accepted', repeat('b', 64), '', gate.sign('{reviewing}', 'batch_reviewed', {spoilt}), {quinn})"
    ),
    "determine with somebody else's signature": change(
        "INSERT INTO lab.determinations (donation_id, decision, reason, signature_id, recorded_by)"
        " SELECT {donation}, 'eligible', '', max(id), {tess} FROM lab.signatures"
    ),
    "backdate a result": change(
        "INSERT INTO lab.results (lot_id, sample_id, line_id, value_text, method_version, analyst, measured_at, recorded_by, recorded_at)"
        " SELECT lot_id, sample_id, line_id, value_text, 'x', analyst, now(), analyst, '2020-01-01' FROM lab.results WHERE lot_id = {spoilt} LIMIT 1"
    ),
    "choose a result's number": change(
        "INSERT INTO lab.results (id, lot_id, sample_id, line_id, value_text, method_version, analyst, measured_at, recorded_by)"
        " OVERRIDING SYSTEM VALUE SELECT -1, lot_id, sample_id, line_id, value_text, 'x', analyst, now(), analyst FROM lab.results"
        " WHERE lot_id = {spoilt} LIMIT 1"
    ),
    "backdate a judgement": change(
        "INSERT INTO lab.judgements (subject_kind, subject_id, gate, rulebook, dossier, digest, verdicts, blocks, recorded_by, recorded_at)"
        " VALUES ('lot', {lot}, 'G6', 'x', '', '', '[]', false, {lin}, '2020-01-01')"
    ),
    "change a judgement": change("UPDATE lab.judgements SET blocks = false, digest = repeat('a', 64)"),
    "change a signature": change("UPDATE lab.signatures SET printed_name = 'Me'"),
    "change a kept scan": change("UPDATE lab.scans SET verdict = 'accepted'"),
    "write a scan": change(
        "INSERT INTO lab.scans (number, epoch, xid, at, account_id, session_id, raw, verdict, reason, payload, hash)"
        " VALUES (-5, 1, '1', now(), 1, 1, 'x', 'accepted', 'ok', 'x', sha256('x'))"
    ),
    "change a setting": change("UPDATE lab.settings SET value = '0'"),
    "change the rule book": change("UPDATE lab.rulebooks SET jurisdiction = 'nowhere'"),
    "make this a demo": change("UPDATE lab.deployment SET purpose = 'demo'"),
    "overwrite a code": change(
        "INSERT INTO lab.item_codes (code, item_id, scheme) VALUES ('{code}', {lot}, 'own') ON CONFLICT (code) DO UPDATE SET item_id = {lot}"
    ),
    "merge into codes": change(
        "MERGE INTO lab.item_codes c USING (SELECT 1) s ON c.code = '{code}' WHEN MATCHED THEN UPDATE SET item_id = {lot}"
    ),
    "cut the lineage": change("DELETE FROM lab.lineage WHERE child_id = {donation}"),
    "turn the lineage": change("UPDATE lab.lineage SET parent_id = {person} WHERE child_id = {donation}"),
    "take back a withdrawal": change("UPDATE lab.consents SET withdrawn_at = NULL WHERE donor_id = {withdrawn}"),
    "reopen a workstation's session": change(
        "UPDATE lab.workstation_sessions SET during = tstzrange(lower(during), NULL)"
    ),
    "begin a workstation's session earlier": change(
        "UPDATE lab.workstation_sessions SET during = tstzrange(lower(during) - interval '1 year', upper(during))"
    ),
    "hide a label that was printed": change("UPDATE lab.print_jobs SET state = 'cancelled' WHERE id = {printed}"),
    "print a label again": change("UPDATE lab.print_jobs SET state = 'queued' WHERE id = {printed}"),
    "hide a label that went through no printer": change(
        "INSERT INTO lab.print_jobs (label_id, printer_id, recorded_by) VALUES ({handed_out}, {printer}, {lin})",
        "UPDATE lab.print_jobs SET state = 'cancelled' WHERE label_id = {handed_out}",
    ),
    "change whose a material is": change("UPDATE lab.material_lots SET expires_on = current_date + 3650"),
    "change an expiry": change("SELECT lab.state_expiry({lot}, now(), now() + interval '50 years')"),
    "remove refusals": change("DELETE FROM lab.refusals"),
    "change an answer that was kept": change("SELECT audit.keep_answer({tess}, 'kept-key', '{{\"released\": true}}')"),
    "change kept answers by hand": change("UPDATE lab.idempotency SET answer = '{{}}'"),
    "write an audit entry": (
        (
            "INSERT INTO audit.entries SELECT number + 1000000, epoch, xid, at, actor_id, 'forged', roles, act, subject, reason, device,"
            " session_id, idem_key, db_role, payload, hash FROM audit.entries LIMIT 1"
        ),
    ),
    "write an audit row": change(
        "INSERT INTO audit.rows SELECT seq + 1000000, {old_entry}, tbl, key, op, payload, hash FROM audit.rows LIMIT 1"
    ),
    "change an audit row": ("UPDATE audit.rows SET payload = 'x'",),
    "remove audit rows": ("DELETE FROM audit.rows",),
    "remove an audit entry": ("DELETE FROM audit.entries WHERE number = {old_entry}",),
    "truncate the audit": ("TRUNCATE audit.rows, audit.entries CASCADE",),
    "change an entry": ("UPDATE audit.entries SET actor = 'somebody else'",),
    "change a leaf": ("UPDATE audit.leaves SET hash = sha256('x')",),
    "remove a checkpoint": ("DELETE FROM audit.checkpoints",),
    "open an epoch": ("INSERT INTO audit.epochs (epoch, reason, previous_size) VALUES (2, 'restore', 0)",),
    "write under another transaction's entry": (
        "BEGIN",
        "SET LOCAL stemma.entry = '{old_entry}'",
        "{harmless}",
        "COMMIT",
    ),
    "write under an entry set for the session": ("SET stemma.entry = '{old_entry}'", "{harmless}"),
    "write under an entry rolled back to a savepoint": (
        "BEGIN",
        "SAVEPOINT a",
        OPEN,
        "SELECT set_config('stemma.entry', current_setting('stemma.entry'), false)",
        "ROLLBACK TO a",
        "SELECT set_config('stemma.entry', (SELECT (max(number) + 1)::text FROM audit.entries), true)",
        "{harmless}",
        "COMMIT",
    ),
    "write under an entry of a nested transaction": (
        "BEGIN",
        "SAVEPOINT a",
        OPEN,
        "RELEASE a",
        "SAVEPOINT b",
        "SELECT set_config('stemma.entry', '{old_entry}', true)",
        "{harmless}",
        "COMMIT",
    ),
    "open two entries and mix their rows": (
        "BEGIN",
        OPEN,
        "{harmless}",
        "SELECT audit.open({tess}, 'tess', '', 'another', '', '', '', NULL, NULL, NULL)",
        "{harmless}",
        "COMMIT",
    ),
    "open two entries around a savepoint": (
        "BEGIN",
        "SAVEPOINT a",
        OPEN,
        "RELEASE a",
        "SAVEPOINT b",
        "SELECT audit.open({tess}, 'tess', '', 'another', '', '', '', NULL, NULL, NULL)",
        "RELEASE b",
        "{harmless}",
        "COMMIT",
    ),
    "write with no entry at all": ("{harmless}",),
    "prepare the transaction and commit it elsewhere": (
        "BEGIN",
        OPEN,
        "{harmless}",
        "PREPARE TRANSACTION 'x'",
        "COMMIT PREPARED 'x'",
    ),
    "write with durability off": ("SET synchronous_commit = off", "BEGIN", OPEN, "{harmless_checked}", "COMMIT"),
    "turn durability off on the way": (
        "BEGIN",
        OPEN,
        "SET LOCAL synchronous_commit = local",
        "{harmless_checked}",
        "COMMIT",
    ),
    "draw audit numbers": (
        "SELECT nextval('audit.numbers')",
        "SELECT setval('audit.numbers', 1)",
        "ALTER SEQUENCE audit.row_seqs RESTART",
    ),
    "skip triggers as a replica does": (
        "SET session_replication_role = replica",
        "UPDATE lab.results SET value_text = 'no growth'",
    ),
}
RIGHTS: dict[str, tuple[str, ...]] = {
    "become an owner": (
        "SET ROLE stemma_owner",
        "SET ROLE stemma_audit",
        "SET ROLE stemma_gate",
        "UPDATE lab.lots SET state = 'released'",
    ),
    "become another login role": (
        "SET ROLE stemma_app",
        "SET ROLE stemma_auth",
        "SET ROLE stemma_seal",
        "SET ROLE stemma_report",
    ),
    "become the superuser": (
        "SET ROLE stemma_admin",
        "SET SESSION AUTHORIZATION stemma_admin",
        "SET SESSION AUTHORIZATION postgres",
    ),
    "become the gate for a transaction": (
        "BEGIN",
        "SET LOCAL ROLE stemma_gate",
        "SET LOCAL SESSION AUTHORIZATION stemma_gate",
        "COMMIT",
    ),
    "make oneself superuser": ("ALTER ROLE {role} SUPERUSER", "ALTER ROLE {role} CREATEROLE BYPASSRLS REPLICATION"),
    "join the gate": (
        "GRANT stemma_gate TO {role}",
        "ALTER GROUP stemma_gate ADD USER {role}",
        "GRANT pg_write_all_data TO {role}",
    ),
    "let the gate log in": ("ALTER ROLE stemma_gate LOGIN PASSWORD 'x'", "ALTER ROLE stemma_owner LOGIN"),
    "make a role": ("CREATE ROLE stemma_mine SUPERUSER LOGIN", "CREATE USER stemma_mine IN ROLE stemma_gate"),
    "take rights on releases": (
        "GRANT ALL ON lab.releases TO {role}",
        "GRANT ALL ON ALL TABLES IN SCHEMA lab TO {role}",
    ),
    "take rights on the gate": (
        "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA gate, lab TO {role}",
        "GRANT stemma_owner TO {role}",
    ),
    "give rights to all": (
        "GRANT ALL ON DATABASE {database} TO PUBLIC",
        "ALTER DEFAULT PRIVILEGES FOR ROLE stemma_owner GRANT ALL ON TABLES TO {role}",
    ),
    "write a function": (
        "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
        "CREATE FUNCTION lab.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ),
    "write a function in C": (
        "CREATE FUNCTION public.sys(cstring) RETURNS int LANGUAGE c AS '/lib/x86_64-linux-gnu/libc.so.6', 'system'",
    ),
    "replace the gate": (
        "CREATE OR REPLACE FUNCTION gate.objections(p_lot bigint, p_account bigint, p_package_digest text DEFAULT NULL) RETURNS SETOF text LANGUAGE sql AS 'SELECT ''x'' WHERE false'",
        "DROP FUNCTION gate.release(bigint, uuid, bigint)",
        "ALTER FUNCTION gate.release(bigint, uuid, bigint) SECURITY INVOKER",
        "ALTER FUNCTION gate.release(bigint, uuid, bigint) SET search_path = public",
        "ALTER FUNCTION gate.release(bigint, uuid, bigint) OWNER TO {role}",
    ),
    "make a schema": ("CREATE SCHEMA mine", "CREATE SCHEMA AUTHORIZATION {role}", "ALTER SCHEMA gate RENAME TO gone"),
    "make an extension": (
        "CREATE EXTENSION dblink",
        "CREATE EXTENSION plpython3u",
        "CREATE EXTENSION hstore SCHEMA public",
        "CREATE EXTENSION adminpack",
    ),
    "shadow tables by temporary ones": (
        "CREATE TEMP TABLE lots (id bigint, state text)",
        "CREATE TEMP TABLE deployment (id int)",
        "CREATE TEMP VIEW holds AS SELECT 1",
        "SELECT * INTO TEMP settings FROM pg_class",
    ),
    "shadow by a schema of one's own": (
        "CREATE TEMP TABLE ceremonies (LIKE people.ceremonies)",
        "CREATE FUNCTION pg_temp.sha256(bytea) RETURNS bytea LANGUAGE sql AS $$ SELECT ''::bytea $$",
        "CREATE FUNCTION pg_temp.cannot_sign(bigint, text, text) RETURNS text LANGUAGE sql AS $$ SELECT NULL::text $$",
        "CREATE FUNCTION pg_temp.yes(text, text) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$",
        "CREATE OPERATOR pg_temp.= (LEFTARG = text, RIGHTARG = text, FUNCTION = pg_temp.yes)",
        "CREATE FUNCTION pg_temp.no(uuid, uuid) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$",
        "CREATE OPERATOR pg_temp.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = pg_temp.no)",
        "SET search_path = pg_temp, lab, people, audit, pg_catalog",
        *release("'{others}'"),
        *release("'{rejecting}'"),
        *change("SELECT lab.move_lot({lot}, 'release', true)"),
    ),
    "shadow by the search path": (
        "SET search_path = pg_temp, public, lab, pg_catalog",
        "BEGIN",
        OPEN,
        "SELECT gate.release({lot}, '{others}', {judgement_of_other})",
        "COMMIT",
    ),
    "shadow an operator": (
        "CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = pg_catalog.textne)",
        "CREATE OPERATOR pg_temp.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = pg_catalog.int8ne)",
        "CREATE CAST (text AS bigint) WITH INOUT",
        "CREATE TYPE public.mine AS (a int)",
    ),
    "bend the settings of parsing": (
        "SET standard_conforming_strings = off",
        "SET transform_null_equals = on",
        "SET \"TimeZone\" = '-14'",
        "SET DateStyle = 'German'",
        "SET extra_float_digits = -15",
        "SET array_nulls = off",
        *release("'{others}'"),
    ),
    "run a program": (
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "COPY lab.refusals FROM PROGRAM 'echo'",
        "COPY (SELECT 1) TO '/tmp/stemma-attack'",
    ),
    "read a file": (
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_read_binary_file('postgresql.conf')",
        "SELECT pg_ls_dir('.')",
        "SELECT pg_stat_file('pg_hba.conf')",
        "SELECT lo_import('/etc/passwd')",
        "CREATE TEMP TABLE t (l text)",
        "COPY t FROM '/etc/passwd'",
        "SELECT pg_current_logfile()",
    ),
    "write a file": (
        "SELECT lo_export(lo_from_bytea(0, 'x'), '/tmp/stemma-attack')",
        "SELECT pg_rotate_logfile()",
        "SELECT pg_file_write('x', 'y', false)",
    ),
    "take away triggers": (
        "ALTER TABLE lab.results DISABLE TRIGGER ALL",
        "ALTER TABLE lab.results DISABLE TRIGGER z_keep_row",
        "DROP TRIGGER z_keep_row ON lab.results",
        "ALTER TRIGGER z_keep_row ON lab.results RENAME TO gone",
        "DROP TRIGGER z_must_be_durable ON audit.entries",
    ),
    "take away constraints": (
        "ALTER TABLE lab.lot_history DROP CONSTRAINT ck_lot_history_released_by_the_gate",
        "ALTER TABLE lab.lots ALTER COLUMN state DROP NOT NULL",
        "ALTER TABLE people.ceremonies ALTER CONSTRAINT fk_ceremonies_meaning_meanings DEFERRABLE",
    ),
    "add triggers": (
        "CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION audit.append_only()",
        "CREATE TRIGGER a BEFORE INSERT ON lab.results FOR EACH ROW EXECUTE FUNCTION audit.append_only()",
        "CREATE RULE r AS ON INSERT TO lab.holds DO INSTEAD NOTHING",
    ),
    "add policies": ("ALTER TABLE lab.holds ENABLE ROW LEVEL SECURITY", "CREATE POLICY p ON lab.holds USING (false)"),
    "drop and alter": (
        "DROP TABLE lab.holds CASCADE",
        "ALTER TABLE lab.results ADD COLUMN x int",
        "ALTER TABLE lab.results RENAME TO old",
        "DROP SCHEMA audit CASCADE",
        "DROP OWNED BY stemma_gate",
        "REASSIGN OWNED BY stemma_owner TO {role}",
        "ALTER TABLE lab.holds OWNER TO {role}",
    ),
    "make views and tables": (
        "CREATE VIEW public.v AS SELECT * FROM lab.lots",
        "CREATE TABLE public.t (a int)",
        "CREATE MATERIALIZED VIEW lab.m AS SELECT 1",
        "CREATE TABLE lab.t (a int)",
        "CREATE TABLE public.child () INHERITS (lab.results)",
        "CREATE INDEX ON lab.results ((1))",
    ),
    "change the server": (
        "ALTER SYSTEM SET fsync = off",
        "ALTER DATABASE {database} SET search_path = public",
        "SELECT pg_reload_conf()",
        "CHECKPOINT",
    ),
    "change other roles": (
        "ALTER ROLE stemma_admin SET search_path = public",
        "ALTER ROLE ALL SET search_path = public",
        "ALTER ROLE stemma_admin PASSWORD 'x'",
    ),
    "reach other servers": (
        "CREATE FOREIGN DATA WRAPPER w",
        "CREATE SERVER s FOREIGN DATA WRAPPER w",
        "CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p",
        "CREATE PUBLICATION p FOR ALL TABLES",
        "SELECT pg_create_physical_replication_slot('x')",
        "SELECT dblink('x', 'y')",
    ),
    "label and comment": ("COMMENT ON TABLE lab.lots IS 'mine'", "SECURITY LABEL ON TABLE lab.lots IS 'x'"),
    "own a database": (
        "CREATE DATABASE mine",
        "ALTER DATABASE {database} OWNER TO {role}",
        "DROP DATABASE {database}",
        "SET ROLE pg_database_owner",
    ),
    "run what nobody may run": (
        "SELECT gate.consume('{others}', 'released', 'lot', {other}, 'x', 4)",
        "SELECT lab.lock_one('lot', {lot})",
        "SELECT audit.image('{{}}', '')",
        "SELECT gate.setting('qa03.years')",
        "SELECT * FROM gate.objections({lot}, {lin})",
        "SELECT audit.keep_row()",
        "SELECT dossier.lot_json({lot})",
        "SELECT people.cannot_sign({tess}, 'released', 'lot')",
        "SELECT dossier.package({lot})",
    ),
    "cancel and terminate the superuser": (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'stemma_admin' OR usename IS NULL",
        "SELECT pg_promote()",
        "SELECT pg_switch_wal()",
        "SELECT pg_logical_emit_message(true, 'x', 'y')",
    ),
    "read password hashes": (
        "SELECT * FROM people.credentials",
        "TABLE people.credentials",
        "SELECT c FROM people.credentials c",
    ),
    "read sessions": ("SELECT * FROM people.sessions",),
    "read secrets through XML": (
        "SELECT table_to_xml('people.credentials', true, false, '')",
        "SELECT query_to_xml('SELECT * FROM people.credentials', true, false, '')",
        "SELECT schema_to_xml('people', true, false, '')",
    ),
    "read secrets through statistics": (
        "SELECT most_common_vals::text, histogram_bounds::text FROM pg_stats WHERE schemaname = 'people'",
        "SELECT stavalues1::text FROM pg_statistic",
    ),
    "read secrets out of the audit": (
        "SELECT payload FROM audit.rows WHERE tbl = 'people.credentials'",
        "SELECT key, image FROM audit.current_rows('people.credentials')",
        "SELECT audit.current_rows('people.sessions')",
        "SELECT audit.current_rows('people.credentials) t; SELECT * FROM people.credentials --')",
    ),
    "read the server's passwords": (
        "SELECT rolname, rolpassword FROM pg_authid",
        "SELECT usename, passwd FROM pg_shadow",
    ),
    "copy secrets out": (
        "DECLARE c CURSOR WITH HOLD FOR SELECT password_hash FROM people.credentials",
        "FETCH ALL FROM c",
    ),
    "guess secrets by a leaky comparison": (
        "SELECT count(*) FROM people.credentials WHERE password_hash LIKE '$argon2%'",
        "INSERT INTO people.credentials (account_id, password_hash) VALUES ({tess}, 'x') ON CONFLICT (account_id) DO UPDATE SET password_hash = people.credentials.password_hash RETURNING password_hash",
    ),
}
EVERYBODY = RELEASE | KEPT | RIGHTS
