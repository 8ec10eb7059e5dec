"""Second hands in SQL: a lot that a rule nobody may waive stands against is not released by the application's password.

Each attack releases with a live ceremony of the authority's own and a judgement forged over the very bytes, so that the
objection is all that is left. With the objection taken away the same attack succeeds: it has teeth.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import asyncpg
import pytest

from tests.attacks.raw_sql import FORGE, OPEN
from tests.attacks.staged import Stage, staged

if TYPE_CHECKING:
    from tests.conftest import Database

MATERIAL = """
CREATE FUNCTION pg_temp.uses(p_lot bigint, p_serum boolean, p_judged boolean, p_arrived boolean DEFAULT true, p_country text DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_quinn bigint := pg_temp.who('quinn');
    v_lot bigint := pg_temp.item('lot');
    v_bottle bigint := pg_temp.item('material_container');
    v_material bigint;
BEGIN
    INSERT INTO lab.materials (name, description, grade, composition, composition_complete, animal_serum, species, recorded_by)
    VALUES ('further ' || v_lot, 'x', 'pharmacopoeial_excipient', '[]', true, p_serum, CASE WHEN p_serum THEN 'bovine' END, v_quinn) RETURNING id INTO v_material;
    INSERT INTO lab.lots (id, name, kind, state, version, recorded_by) VALUES (v_lot, 'MAT ' || v_lot, 'material', 'approved', 2, v_quinn);
    PERFORM pg_temp.history(v_lot, 'material', '{receive,approve}',
        pg_temp.signed('quinn', 'material_approved', 'material_lot', v_lot, '', repeat('0', 64), clock_timestamp() - interval '60 days'));
    INSERT INTO lab.material_lots (id, material_id, supplier, supplier_lot, expires_on, received_at, certificate_reference,
        certificate_reviewed_at, storage_ok, origin_countries, processed_in, collected_on, recorded_by)
    VALUES (v_lot, v_material, 'Supplier', 'SL-' || v_lot, current_date + 300, clock_timestamp() - interval '65 days', 'C-1',
            clock_timestamp() - interval '61 days', p_arrived, array_remove(ARRAY[p_country], NULL), p_country, current_date - 200, v_quinn);
    INSERT INTO lab.containers (id, lot_id, kind, recorded_by) VALUES (v_bottle, v_lot, 'bottle', v_quinn);
    INSERT INTO lab.consumptions (step_id, lot_id, container_id, material_lot_id, quantity, unit, used_at, recorded_by)
    SELECT min(id), p_lot, v_bottle, v_lot, 1, 'mL', min(started_at), v_quinn FROM lab.steps WHERE lot_id = p_lot;
    IF p_judged THEN
        INSERT INTO lab.judgements (subject_kind, subject_id, gate, rulebook, dossier, digest, verdicts, blocks, recorded_by)
        SELECT 'material_lot', v_lot, 'G1', 'staged', d, audit.sha256_hex(d), '{"verdicts": [{"rule": "MAT-03", "outcome": "pass"}]}', false, v_quinn
        FROM dossier.material_lot(v_lot) AS d;
    END IF;
END $$;
CREATE FUNCTION pg_temp.from_a_bank(p_lot bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_bank bigint := pg_temp.item('lot');
    v_vial bigint := pg_temp.item('container');
BEGIN
    INSERT INTO lab.lots (id, name, kind, state, version, donor_id, donation_id, recorded_by)
    SELECT v_bank, 'BANK ' || v_bank, 'bank', 'planned', 1, donor_id, donation_id, recorded_by FROM lab.lots WHERE id = p_lot;
    PERFORM pg_temp.history(v_bank, 'bank', '{plan}', NULL);
    INSERT INTO lab.containers (id, lot_id, kind, state, passage, recorded_by) VALUES (v_vial, v_bank, 'vial', 'stored', 1, pg_temp.who('tess'));
    INSERT INTO lab.lineage (parent_id, child_id) SELECT donation_id, v_vial FROM lab.lots WHERE id = p_lot;
    INSERT INTO lab.lineage (parent_id, child_id) SELECT v_vial, id FROM lab.containers WHERE lot_id = p_lot;
END $$;
-- The lot follows another process version, changed in these points; decided upon as the first, or not at all.
CREATE FUNCTION pg_temp.follows(p_lot bigint, p_changes jsonb, p_decided boolean DEFAULT true) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_old bigint := (SELECT process_id FROM lab.lots WHERE id = p_lot);
    v_process bigint;
    v_policy bigint;
BEGIN
    INSERT INTO lab.process_versions (name, version, product, product_zh, cell_source, passage_convention, max_passage, max_pdl,
        shelf_life_days, gene_modified, vector_type, gene_editing, long_term_expansion, clone_selected, short_cycle, low_manipulation, recorded_by)
    SELECT 'of ' || p_lot, 1, c.product, c.product_zh, c.cell_source, c.passage_convention, c.max_passage, c.max_pdl, c.shelf_life_days,
        c.gene_modified, c.vector_type, c.gene_editing, c.long_term_expansion, c.clone_selected, c.short_cycle, c.low_manipulation, c.recorded_by
    FROM lab.process_versions p, jsonb_populate_record(p, p_changes) AS c WHERE p.id = v_old RETURNING id INTO v_process;
    IF p_decided THEN
        INSERT INTO lab.bank_policies (process_id, version, needed, conditions, tiers, reasons, proposed_by)
        SELECT v_process, version, needed, conditions, tiers, reasons, proposed_by FROM lab.bank_policies WHERE process_id = v_old RETURNING id INTO v_policy;
        UPDATE lab.bank_policies SET signature_id = pg_temp.signed('lin', 'bank_policy_decided', 'bank_policy', v_policy, '', repeat('0', 64),
            clock_timestamp() - interval '180 days') WHERE id = v_policy;
    END IF;
    UPDATE lab.lots SET process_id = v_process WHERE id = p_lot;
END $$;
-- One step more, verified; at the workstation as it was cleared then, or as somebody cleared it alone.
CREATE FUNCTION pg_temp.step(p_lot bigint, p_kind text, p_passage integer, p_cpdl numeric, p_at timestamptz, p_verified boolean DEFAULT true)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_session bigint := (SELECT workstation_session_id FROM lab.steps WHERE lot_id = p_lot ORDER BY id LIMIT 1);
    v_clearance bigint;
    v_step bigint;
BEGIN
    IF NOT p_verified THEN
        INSERT INTO lab.line_clearances (workstation_id, phase, checks, performed_by, cleared_at, recorded_by)
        SELECT workstation_id, 'before', '{}', recorded_by, p_at - interval '1 hour', recorded_by FROM lab.workstation_sessions WHERE id = v_session
        RETURNING id INTO v_clearance;
        INSERT INTO lab.workstation_sessions (workstation_id, lot_id, donor_id, during, planned, opening_clearance_id, recorded_by)
        SELECT workstation_id, lot_id, donor_id, tstzrange(p_at - interval '1 hour', p_at + interval '1 hour'), false, v_clearance, recorded_by
        FROM lab.workstation_sessions WHERE id = v_session RETURNING id INTO v_session;
    END IF;
    INSERT INTO lab.steps (lot_id, kind, passage, performed_by, workstation_session_id, started_at, ended_at, viability_percent, cpdl, parameters, recorded_by)
    SELECT p_lot, p_kind, p_passage, performed_by, v_session, p_at, p_at + interval '1 hour', 95, p_cpdl, '{}', recorded_by
    FROM lab.steps WHERE lot_id = p_lot ORDER BY id LIMIT 1 RETURNING id INTO v_step;
    INSERT INTO lab.verifications (lot_id, step_id, verified_by, badge_id, scanned_item_id, scanned, recorded_by, recorded_at)
    SELECT lot_id, v_step, verified_by, badge_id, scanned_item_id, scanned, recorded_by, p_at + interval '2 hours'
    FROM lab.verifications WHERE lot_id = p_lot AND step_id IS NOT NULL ORDER BY id LIMIT 1;
END $$;
"""
POSITIVE = (
    "INSERT INTO lab.marker_results (donor_id, analyte, marker, method, kit_lot, laboratory, sampled_at, reported_at, outcome, recorded_by)"
    " VALUES ({donor}, '%s', '%s', 'CLIA', 'K', 'L', now() - interval '44 days', now() - interval '43 days', 'positive', 1)"
)
NO_HOLDS = "UPDATE lab.holds SET lifted_at = clock_timestamp(), lifted_signature_id = (SELECT max(id) FROM lab.signatures) WHERE lifted_at IS NULL"
REVIEWED = (
    "INSERT INTO lab.batch_reviews (lot_id, decision, package_digest, remarks, signature_id, recorded_by)"
    " SELECT {lot}, 'accepted', p.d, '', pg_temp.signed('quinn', 'batch_reviewed', 'batch', {lot}, 'accepted', p.d, clock_timestamp()),"
    " pg_temp.who('quinn') FROM (SELECT audit.sha256_hex(dossier.package({lot})::text) AS d) AS p"
)


class Attack(NamedTuple):
    """What stands against the lot, and the objections that say so. `others` say so too, in gate.objections.

    `leaves_out`: a test or a marker that was never done. `own`: the lot goes back to its donor.
    """

    rule: str
    facts: tuple[str, ...]
    objections: tuple[str, ...]
    others: tuple[str, ...] = ()
    leaves_out: str = ""
    own: bool = False


NO_BANK = "RETURN NEXT 'CB-01: a cell bank is mandatory, and no released one stands behind the lot';"
UNFIT = (
    "RETURN NEXT 'MAT-06: a material was out of date or not approved when it was used, or did not arrive as it should';"
)
NO_REPLY = "RETURN NEXT 'CB-01A: no written reply of the authority lets the patient''s own gene modified cells do without a bank';"
BEYOND = "RETURN NEXT 'CB-05: passages or doublings are beyond the limit of the process version, or unknown';"
MODIFIED = '{{"gene_modified": true, "vector_type": "lentivirus", "gene_editing": false}}'
USED_AT = (
    "INSERT INTO lab.consumptions (step_id, lot_id, container_id, material_lot_id, quantity, unit, used_at, recorded_by)"
    " SELECT step_id, lot_id, container_id, material_lot_id, 1, 'mL', %s, recorded_by FROM lab.consumptions WHERE lot_id = {lot} LIMIT 1"
)
REPLY = (
    "INSERT INTO lab.authority_replies (authority, reference, dated, rule, process_id, question, answer, ruling, file_name, file_sha256,"
    " file_place, recorded_by, recorded_at) SELECT 'NHC', '%(ruling)s', current_date - %(days)s, 'CB-01A', process_id, 'q', 'a', '%(ruling)s', 'f',"
    " repeat('a', 64), 'p', recorded_by, now() - interval '%(days)s days' FROM lab.lots WHERE id = {lot}"
)

FUNCTIONS = ("gate.objections", "gate.second_hands")
ATTACKS = (
    Attack(
        "DON-02",
        (POSITIVE % ("HTLV", "anti-HTLV-I/II"),),
        ("RETURN NEXT 'DON-02: HTLV is positive';",),
        ("RETURN NEXT 'DON-01: a donor marker is positive';",),
    ),
    Attack(
        "DON-10",
        (
            "UPDATE lab.consents SET withdrawn_at = clock_timestamp() WHERE donor_id = {donor}",
            (
                "INSERT INTO lab.consents (donor_id, form_version, scopes, signed_at, recorded_by, recorded_at)"
                " VALUES ({donor}, 'IC-4', '{{donation,processing}}', now() - interval '45 days', 1, now() - interval '45 days')"
            ),
        ),
        ("RETURN NEXT 'DON-10: no consent to the use for others stands';",),
    ),
    Attack(
        "DON-14",
        (POSITIVE % ("HBV", "anti-HBc"),),
        ("RETURN NEXT 'DON-14: vials of a positive donor are not known to stand apart';",),
    ),
    Attack(
        "MAT-03",
        ("SELECT pg_temp.uses({lot}, false, false)",),
        ("RETURN NEXT 'MAT-03: no judgement stands that found a material free of beta-lactams';",),
    ),
    Attack(
        "MAT-05",
        ("SELECT pg_temp.uses({lot}, true, true)",),
        (
            "RETURN NEXT 'MAT-05: serum of an animal, of unknown origin or from where the risk of BSE is not negligible';",
        ),
    ),
    Attack(
        "HGR-01",
        ("SELECT pg_temp.from_a_bank({lot})",),
        ("RETURN NEXT 'HGR-01: no permit for human genetic resources stood before the cells were banked';",),
    ),
    Attack(
        "DON-01",
        (),
        ("RETURN NEXT 'DON-01: a marker that is always tested was not known to be negative before processing';",),
        leaves_out="anti-HCV",
    ),
    Attack("MAT-06", ("SELECT pg_temp.uses({lot}, false, true, false)",), (UNFIT,)),
    Attack("MAT-06", ("SELECT pg_temp.uses({lot}, false, true, NULL)",), (UNFIT,)),
    Attack("MAT-06", (USED_AT % "now() - interval '61 days'",), (UNFIT,)),
    Attack("MAT-06", (USED_AT % "now() + interval '31 days'",), (UNFIT,)),
    Attack("MAT-06", (USED_AT % "now() + interval '302 days'",), (UNFIT,)),
    Attack(
        "GMP-03",
        ("SELECT pg_temp.step({lot}, 'fill', 0, 0, now() - interval '19 days', false)",),
        (
            "RETURN NEXT 'GMP-03: a line was not cleared for this donor alone and verified by a second person before the step';",
        ),
    ),
    Attack("CB-05", ("SELECT pg_temp.step({lot}, 'passage', 6, 9, now() - interval '33 days')",), (BEYOND,)),
    Attack("CB-05", ("SELECT pg_temp.step({lot}, 'passage', 1, 20.1, now() - interval '33 days')",), (BEYOND,)),
    Attack("CB-05", ("SELECT pg_temp.step({lot}, 'passage', 1, NULL, now() - interval '33 days')",), (BEYOND,)),
    Attack("CB-01", (f"SELECT pg_temp.follows({{lot}}, '{MODIFIED}')",), (NO_BANK,)),
    Attack("CB-01", ("SELECT pg_temp.follows({lot}, '{{\"long_term_expansion\": true}}')",), (NO_BANK,)),
    Attack("CB-01", ("SELECT pg_temp.follows({lot}, '{{\"clone_selected\": true}}')",), (NO_BANK,)),
    Attack("CB-01", ("SELECT pg_temp.follows({lot}, '{{\"max_passage\": 6}}')",), (NO_BANK,)),
    Attack("CB-01", ("SELECT pg_temp.follows({lot}, '{{\"max_pdl\": 20.1}}')",), (NO_BANK,)),
    Attack("CB-01", ("SELECT pg_temp.step({lot}, 'passage', 1, 3, now() - interval '5 days')",), (NO_BANK,)),
    Attack(
        "CB-03",
        (f"SELECT pg_temp.follows({{lot}}, '{MODIFIED}', false)",),
        (NO_BANK,),
        ("RETURN NEXT 'CB-03: it was not decided before processing that no cell bank is needed';",),
    ),
    Attack("CB-01A", (f"SELECT pg_temp.follows({{lot}}, '{MODIFIED}', false)",), (NO_REPLY,), own=True),
    Attack(
        "CB-01A",
        (
            f"SELECT pg_temp.follows({{lot}}, '{MODIFIED}', false)",
            REPLY % {"ruling": "permits", "days": 100},
            REPLY % {"ruling": "refuses", "days": 1},
        ),
        (NO_REPLY,),
        own=True,
    ),
    Attack(
        "CB-01A",
        (f"SELECT pg_temp.follows({{lot}}, '{MODIFIED}', false)", REPLY % {"ruling": "permits", "days": 3}),
        (NO_REPLY,),
        own=True,
    ),
    Attack(
        "REL-03", (), ("RETURN NEXT 'REL-03: the specification leaves out a safety test';",), leaves_out="endotoxin"
    ),
    Attack(
        "DON-09",
        (
            (
                "INSERT INTO lab.tissue_types (name, version, name_zh, leukocyte_rich, birth_tissue, reason, proposed_by)"
                " VALUES ('bone marrow', 2, '骨髓', true, true, 'as decided by mistake', pg_temp.who('quinn'))"
            ),
            (
                "UPDATE lab.tissue_types SET signature_id = pg_temp.signed('lin', 'tissue_decided', 'tissue_type', id, '', repeat('0', 64), now())"
                " WHERE version = 2"
            ),
        ),
        (
            "RETURN NEXT 'DON-09: of birth tissue the mother is tested, and the infant is the source';",
            "RETURN NEXT 'DON-09: the infant''s genotype, or how much is the mother''s, is not recorded';",
        ),
    ),
)


async def released(stage: Stage, lot: int, ceremony: object) -> None:
    """As the application would, with a judgement of its own making. Raises what the gate refuses."""
    app = await stage.as_role("stemma_app")
    try:
        async with app.transaction():
            await app.execute(OPEN.format(lin=stage.id_of("lin")))
            await app.execute(FORGE.format(lot=lot, lin=stage.id_of("lin")))
            newest = await app.fetchval("SELECT max(id) FROM lab.judgements WHERE subject_id = $1", lot)
            await app.execute("SELECT gate.release($1, $2, $3)", lot, ceremony, newest)
    finally:
        await app.close()


async def without(stage: Stage, function: str, words: str) -> None:
    """The objection is taken out, as a careless migration would."""
    source = await stage.hand.fetchval(
        "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE oid::regproc::text = $1", function
    )
    assert words in source, (function, words)
    await stage.hand.execute(source.replace(words, "NULL;"))


async def attacked(stage: Stage, *facts: str, leaves_out: str = "", own: bool = False) -> tuple[int, object]:
    """A lot against which these facts stand, reviewed since, and the authority's live ceremony for its release."""
    await stage.hand.execute("SELECT set_config('stage.leaves_out', $1, false)", leaves_out)
    if leaves_out:
        await stage.hand.execute("DROP TABLE IF EXISTS stage")
    (lot,) = await stage.lots(1, whole=own)
    donor = await stage.hand.fetchval("SELECT donor_id FROM lab.lots WHERE id = $1", lot)
    for fact in (*facts, NO_HOLDS, REVIEWED):
        await stage.value(fact.format(lot=lot, donor=donor))
    if leaves_out:
        await stage.hand.execute("DROP TABLE stage")
    return lot, await stage.ceremony("lin", "released", "lot", lot)


async def test_each_second_hand_refuses_and_without_it_the_attack_succeeds(fresh_database: Database) -> None:
    async with staged(fresh_database) as stage:
        await stage.hand.execute(MATERIAL)
        whole = [await stage.hand.fetchval("SELECT pg_get_functiondef($1::regproc)", each) for each in FUNCTIONS]
        for attack in ATTACKS:
            lot, ceremony = await attacked(stage, *attack.facts, leaves_out=attack.leaves_out, own=attack.own)
            for function, words in (
                *(("gate.objections", each) for each in attack.others),
                *(("gate.second_hands", each) for each in attack.objections),
            ):
                with pytest.raises(asyncpg.PostgresError) as refusal:
                    await released(stage, lot, ceremony)
                rule = words.removeprefix("RETURN NEXT '").split(":", 1)[0]
                assert refusal.value.sqlstate == "ST022", (attack, refusal.value)
                assert f"{rule}: " in str(refusal.value), (attack, refusal.value)
                await without(stage, function, words)
            await released(stage, lot, ceremony)
            state = await stage.hand.fetchval("SELECT state FROM lab.lots WHERE id = $1", lot)
            assert state == "released", attack
            for source in whole:
                await stage.hand.execute(source)


async def test_a_second_hand_says_no_more_than_its_rule(fresh_database: Database) -> None:
    """What the rules let pass is released: a reply that permits, material used on its last day, the limit itself."""
    allowed = (
        ((f"SELECT pg_temp.follows({{lot}}, '{MODIFIED}', false)", REPLY % {"ruling": "permits", "days": 100}), True),
        (("SELECT pg_temp.step({lot}, 'passage', 5, 20, now() - interval '33 days')",), False),
        (("SELECT pg_temp.uses({lot}, false, true)",), False),
    )
    async with staged(fresh_database) as stage:
        await stage.hand.execute(MATERIAL)
        for facts, own in allowed:
            lot, ceremony = await attacked(stage, *facts, own=own)
            await released(stage, lot, ceremony)
            assert await stage.hand.fetchval("SELECT state FROM lab.lots WHERE id = $1", lot) == "released", facts


AFTERWARDS = (
    "UPDATE lab.consents SET withdrawn_at = clock_timestamp() WHERE donor_id = {donor}",
    (
        "INSERT INTO lab.consents (donor_id, form_version, scopes, signed_at, recorded_by)"
        " VALUES ({donor}, 'IC-4', '{{donation,processing,allogeneic use}}', now() - interval '45 days', 1)"
    ),
)
STATED = (
    "INSERT INTO lab.animal_disease_status (country, disease, category, valid_from, source, recorded_by, recorded_at)"
    " VALUES ('AU', 'BSE', 'negligible', '2007-01-01', 'WOAH resolution', 1, {at})"
)
SERUM = "SELECT pg_temp.uses({lot}, true, true, true, 'AU')"
SAID = "SELECT o FROM gate.objections($1, (SELECT id FROM people.accounts WHERE username = 'lin')) AS o"


async def test_what_was_recorded_after_the_work_counts_for_nothing_however_early_it_is_dated(
    fresh_database: Database,
) -> None:
    async with staged(fresh_database) as stage:
        await stage.hand.execute(MATERIAL)
        (lot,) = await stage.lots(1, whole=False)
        donor = await stage.hand.fetchval("SELECT donor_id FROM lab.lots WHERE id = $1", lot)

        async def said(rule: str) -> int:
            return sum(row[0].startswith(f"{rule}: ") for row in await stage.hand.fetch(SAID, lot))

        assert await said("DON-10") == 0
        for fact in AFTERWARDS:
            await stage.value(fact.format(donor=donor))
        assert await said("DON-10") == 2, "what is always asked, and the use for others"

        await stage.value(SERUM.format(lot=lot))
        assert await said("MAT-05") == 1
        await stage.value(STATED.format(at="now()"))
        assert await said("MAT-05") == 1, "it was stated after the use"
        await stage.value(STATED.format(at="now() - interval '60 days'"))
        assert await said("MAT-05") == 0


PAPERS = (
    "INSERT INTO lab.legacy_dossiers (number, about, item_id, papers, rules, reasons, valid_from, valid_to, proposed_by, signature_id)"
    " SELECT 'LD-' || n, '{about}', {item}, '[{{}}]', '{{DON-05,DON-10,DON-12,GMP-05}}', 'r', now() - interval '1 day', {until},"
    " pg_temp.who('quinn'), pg_temp.signed('lin', 'legacy_accepted', 'legacy', n, '', repeat('0', 64), {signed})"
    " FROM (SELECT coalesce(max(id), 0) + 1 AS n FROM lab.legacy_dossiers) AS next"
)
OLD = """
CREATE FUNCTION pg_temp.old(p_collected timestamptz, p_began timestamptz) RETURNS TABLE (lot bigint, donor bigint, donation bigint) LANGUAGE plpgsql AS $$
DECLARE
    v_tess bigint := pg_temp.who('tess');
BEGIN
    lot := pg_temp.item('lot'); donor := pg_temp.item('person'); donation := pg_temp.item('donation');
    INSERT INTO lab.persons (id, pseudonym) VALUES (donor, 'P-' || donor);
    INSERT INTO lab.donors (id, relation, tested_person_id, genetic_source_id, recipient_id, recorded_by) VALUES (donor, 'autologous', donor, donor, donor, v_tess);
    INSERT INTO lab.donations (id, donor_id, tissue, collected_at, received_at, recorded_by) VALUES (donation, donor, 'bone marrow', p_collected, p_collected, v_tess);
    INSERT INTO lab.lineage (parent_id, child_id) VALUES (donor, donation);
    INSERT INTO lab.lots (id, name, kind, state, version, donor_id, donation_id, recipient_id, recorded_by)
    VALUES (lot, 'PREP ' || lot, 'preparation', 'planned', 1, donor, donation, donor, v_tess);
    PERFORM pg_temp.history(lot, 'preparation', '{plan}', NULL);
    INSERT INTO lab.steps (lot_id, kind, passage, performed_by, started_at, ended_at, viability_percent, parameters, recorded_by)
    VALUES (lot, 'isolation', 0, v_tess, p_began, p_began + interval '1 hour', 95, '{}', v_tess);
    RETURN NEXT;
END $$;
"""
OBJECTIONS = "SELECT DISTINCT split_part(o, ':', 1) FROM gate.objections($1, (SELECT id FROM people.accounts WHERE username = 'lin')) AS o"
WATCHED = {"DON-05", "DON-10", "DON-12", "GMP-05"}
NOW, LATER = "now()", "now() + interval '1 year'"


async def objected(stage: Stage, lot: int) -> set[str]:
    return {row[0] for row in await stage.hand.fetch(OBJECTIONS, lot)} & WATCHED


async def test_the_gate_respects_papers_from_before_the_guideline_and_only_where_the_rules_do(
    fresh_database: Database,
) -> None:
    async with staged(fresh_database) as stage:
        await stage.hand.execute(OLD)

        async def old(collected: str, began: str) -> dict[str, int]:
            await stage.value(
                "SELECT set_config('x.old', (SELECT row_to_json(o)::text FROM pg_temp.old($1::text::timestamptz, $2::text::timestamptz) AS o), false)",
                collected,
                began,
            )
            return dict(json.loads(await stage.hand.fetchval("SELECT current_setting('x.old')")))

        async def papers(of: dict[str, int], *, until: str = LATER, signed: str = NOW) -> None:
            for about, item in (("donor", of["donor"]), ("lot", of["lot"])):
                await stage.value(PAPERS.format(about=about, item=item, until=until, signed=signed))

        before = await old("2025-03-01", "2025-03-02")
        assert await objected(stage, before["lot"]) == WATCHED
        await papers(before, until="now() - interval '1 hour'")
        assert await objected(stage, before["lot"]) == WATCHED, "they ran out"
        await papers(before)
        assert await objected(stage, before["lot"]) == set()

        # Collected before, processed under the guideline: the papers count where they were accepted before the work.
        between = await old("2026-03-01", "2026-06-02")
        await papers(between)
        # Whether the house had assessed cross-contamination by then is told by the day on which this is run.
        assert await objected(stage, between["lot"]) | {"DON-05"} == WATCHED
        await papers(between, signed="'2026-05-20'")
        assert await objected(stage, between["lot"]) == {"GMP-05"}

        after = await old("2026-06-01", "2026-06-02")
        await papers(after, signed="'2026-05-20'")
        assert await objected(stage, after["lot"]) | {"DON-05"} == WATCHED

        # A fact is no missing paper.
        await stage.value(
            "INSERT INTO lab.consents (donor_id, form_version, scopes, signed_at, withdrawn_at, recorded_by)"
            " VALUES ($1, 'IC-1', '{donation,processing}', '2025-02-01', '2025-04-01', 1)",
            before["donor"],
        )
        await stage.value(
            "INSERT INTO lab.determinations (donation_id, decision, reason, signature_id, recorded_by)"
            " SELECT $1, 'ineligible', 'x', pg_temp.signed('phil', 'eligibility_determined', 'donation', $1, 'ineligible', repeat('0', 64), now()), 1",
            before["donation"],
        )
        assert await objected(stage, before["lot"]) == {"DON-10", "DON-12"}
