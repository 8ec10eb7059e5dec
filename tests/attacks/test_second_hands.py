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
CREATE FUNCTION pg_temp.uses(p_lot bigint, p_serum boolean, p_judged boolean, p_country text DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
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
            clock_timestamp() - interval '61 days', true, array_remove(ARRAY[p_country], NULL), p_country, current_date - 200, v_quinn);
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
    """What stands against the lot, and the objections that say so. `others` say so too, in gate.objections."""

    rule: str
    facts: tuple[str, ...]
    objections: tuple[str, ...]
    others: tuple[str, ...] = ()


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


async def test_each_second_hand_refuses_and_without_it_the_attack_succeeds(fresh_database: Database) -> None:
    async with staged(fresh_database) as stage:
        await stage.hand.execute(MATERIAL)
        for attack in ATTACKS:
            (lot,) = await stage.lots(1, whole=False)
            donor = await stage.hand.fetchval("SELECT donor_id FROM lab.lots WHERE id = $1", lot)
            for fact in (*attack.facts, NO_HOLDS, REVIEWED):
                await stage.value(fact.format(lot=lot, donor=donor))
            ceremony = await stage.ceremony("lin", "released", "lot", lot)
            for function, words in (
                *(("gate.objections", each) for each in attack.others),
                *(("gate.second_hands", each) for each in attack.objections),
            ):
                with pytest.raises(asyncpg.PostgresError) as refusal:
                    await released(stage, lot, ceremony)
                assert refusal.value.sqlstate == "ST022", (attack.rule, refusal.value)
                assert f"{attack.rule}: " in str(refusal.value), (attack.rule, refusal.value)
                await without(stage, function, words)
            await released(stage, lot, ceremony)
            state = await stage.hand.fetchval("SELECT state FROM lab.lots WHERE id = $1", lot)
            assert state == "released", attack.rule


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
SERUM = "SELECT pg_temp.uses({lot}, true, true, 'AU')"
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
