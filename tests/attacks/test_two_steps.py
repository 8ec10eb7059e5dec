"""The gate of the first release of two, attacked with the application's password.

The lot is as it should be: each attack takes one thing away, and the gate's own objection is all that is left against
it. With the objection taken out the same attack succeeds: it has teeth.
"""

from __future__ import annotations

import asyncio
import json
import random
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

import asyncpg
import pytest

from tests.attacks.raw_sql import FORGE, OPEN
from tests.attacks.staged import Stage, staged, triggers_asleep
from tests.attacks.test_second_hands import REVIEWED, without

if TYPE_CHECKING:
    from tests.conftest import Database

RACES = 40
READY = """
CREATE FUNCTION pg_temp.two_steps(p_lot bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_lot lab.lots;
    v_line bigint;
    v_rapid bigint;
    v_plan bigint;
    v_sample bigint;
    v_result bigint;
BEGIN
    SELECT * INTO v_lot FROM lab.lots WHERE id = p_lot;
    SELECT id INTO v_line FROM lab.specification_lines WHERE specification_id = v_lot.specification_id AND test = 'sterility';
    SELECT id INTO v_rapid FROM lab.specification_lines WHERE specification_id = v_lot.specification_id AND test = 'rapid sterility';
    IF v_rapid IS NULL THEN
        INSERT INTO lab.specification_lines (specification_id, test, method, kind, expected, safety, required)
        VALUES (v_lot.specification_id, 'rapid sterility', 'RS', 'qualitative', 'no growth', true, true) RETURNING id INTO v_rapid;
        INSERT INTO lab.two_step_plans (process_id, version, protocol, protocol_version, ethics_reference, ethics_approved_on, consent_clause, pending, proposed_by)
        VALUES (v_lot.process_id, 1, 'PR-7', '3', 'EC-1', current_date - 200, 'clause 9',
            '[{"test": "sterility", "interim": "rapid sterility", "validation": "VR-1", "days": 14, "if_positive": "treat"}]', pg_temp.who('quinn'))
        RETURNING id INTO v_plan;
        UPDATE lab.two_step_plans SET signature_id = pg_temp.signed('lin', 'two_step_plan_decided', 'two_step_plan', v_plan, '', repeat('0', 64),
            clock_timestamp() - interval '189 days') WHERE id = v_plan;
    END IF;
    SELECT min(id) INTO v_sample FROM lab.samples WHERE lot_id = p_lot;
    DELETE FROM lab.result_reviews WHERE result_id IN (SELECT id FROM lab.results WHERE lot_id = p_lot AND line_id = v_line);
    DELETE FROM lab.results WHERE lot_id = p_lot AND line_id = v_line;
    INSERT INTO lab.results (lot_id, sample_id, line_id, value_text, method_version, analyst, measured_at, recorded_by)
    VALUES (p_lot, v_sample, v_rapid, 'no growth', 'RS/1', pg_temp.who('ana'), clock_timestamp() - interval '8 days', pg_temp.who('ana'))
    RETURNING id INTO v_result;
    INSERT INTO lab.result_reviews (result_id, decision, remarks, signature_id, recorded_by)
    VALUES (v_result, 'accepted', '', pg_temp.signed('rolf', 'result_reviewed', 'result', v_result, 'accepted', repeat('0', 64), clock_timestamp() - interval '7 days'), pg_temp.who('rolf'));
    INSERT INTO lab.tests_under_way (lot_id, sample_id, line_id, laboratory, started_at, due_at, recorded_by)
    VALUES (p_lot, v_sample, v_line, 'our own', clock_timestamp() - interval '9 days', clock_timestamp() + interval '4 days', pg_temp.who('ana'));
    INSERT INTO lab.pending_acknowledgements (lot_id, tests, remarks, recorded_by) VALUES (p_lot, '{sterility}', 'urgent', pg_temp.who('phil'));
    UPDATE lab.consents SET scopes = scopes || '{use before all results}'::text[] WHERE donor_id = v_lot.donor_id;
END $$;
CREATE FUNCTION pg_temp.of_another_sample(p_lot bigint, p_found text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_sample bigint := pg_temp.item('sample');
    v_rapid bigint[] := ARRAY(SELECT r.id FROM lab.results r JOIN lab.specification_lines l ON l.id = r.line_id WHERE r.lot_id = p_lot AND l.test = 'rapid sterility');
BEGIN
    INSERT INTO lab.samples (id, lot_id, from_item_id, purpose, taken_at, taken_by, recorded_by)
    SELECT v_sample, lot_id, from_item_id, purpose, taken_at, taken_by, recorded_by FROM lab.samples WHERE lot_id = p_lot ORDER BY id LIMIT 1;
    IF p_found IS NULL THEN
        UPDATE lab.results SET sample_id = v_sample WHERE id = ANY (v_rapid);
    ELSE
        WITH made AS (
            INSERT INTO lab.results (lot_id, sample_id, line_id, value_text, method_version, analyst, measured_at, recorded_by)
            SELECT lot_id, v_sample, line_id, p_found, method_version, analyst, measured_at, recorded_by FROM lab.results WHERE id = v_rapid[1] RETURNING id)
        INSERT INTO lab.result_reviews (result_id, decision, remarks, signature_id, recorded_by)
        SELECT id, 'accepted', '', pg_temp.signed('rolf', 'result_reviewed', 'result', id, 'accepted', repeat('0', 64), clock_timestamp()), pg_temp.who('rolf') FROM made;
    END IF;
END $$;
"""
ALLOW = "UPDATE lab.settings SET value = to_jsonb($1::text) WHERE name = 'rel06.allowed'"


class Attack(NamedTuple):
    """What is taken away of the lot, and the objections that say so, one after the other."""

    name: str
    fact: str
    says: tuple[tuple[str, str], ...]


OBJECTIONS, TWO = "gate.objections", "gate.two_step_objections"
NOT_THERE = (OBJECTIONS, "RETURN NEXT 'REL-02: a required test has no result';")
NOT_BEGUN = (
    TWO,
    "RETURN NEXT 'REL-06: a pending test is not under way, is overdue, or no negative test stands in its place';",
)
UNPLANNED = (
    NOT_THERE,
    (TWO, "RETURN NEXT 'REL-06: no plan was signed before processing began';"),
    (TWO, "RETURN NEXT 'REL-06: nothing is pending that the plan lets come late';"),
)
ATTACKS = (
    Attack(
        "the plan is unsigned",
        "UPDATE lab.two_step_plans SET signature_id = NULL",
        UNPLANNED,
    ),
    Attack(
        "the plan was signed after the work began",
        "UPDATE lab.signatures SET signed_at = clock_timestamp() WHERE meaning = 'two_step_plan_decided'",
        UNPLANNED,
    ),
    Attack(
        "the test was never begun",
        "DELETE FROM lab.tests_under_way WHERE lot_id = {lot}",
        (NOT_THERE, NOT_BEGUN),
    ),
    Attack(
        "the result is overdue",
        "UPDATE lab.tests_under_way SET due_at = clock_timestamp() - interval '1 minute' WHERE lot_id = {lot}",
        (NOT_THERE, NOT_BEGUN),
    ),
    Attack(
        "the rapid test was made of another sample",
        "SELECT pg_temp.of_another_sample({lot}, NULL)",
        (NOT_THERE, NOT_BEGUN),
    ),
    Attack(
        "the rapid test of another sample found growth",
        "SELECT pg_temp.of_another_sample({lot}, 'growth')",
        (NOT_THERE, NOT_BEGUN, (OBJECTIONS, "RETURN NEXT 'REL-02: a result of ' || v_review.test || ' fails';")),
    ),
    Attack(
        "the physician knows of nothing",
        "DELETE FROM lab.pending_acknowledgements WHERE lot_id = {lot}",
        ((TWO, "RETURN NEXT 'REL-06: no physician has acknowledged what is pending';"),),
    ),
    Attack(
        "the patient did not consent",
        "UPDATE lab.consents SET scopes = '{{donation,processing,allogeneic use}}' WHERE donor_id = {donor}",
        ((TWO, "RETURN NEXT 'REL-06: the patient has not consented to the use before all results';"),),
    ),
    Attack(
        "it is not allowed here",
        "UPDATE lab.settings SET value = to_jsonb('no'::text) WHERE name = 'rel06.allowed'",
        ((TWO, "RETURN NEXT 'REL-06: release in two steps is not allowed here';"),),
    ),
)


async def ready(stage: Stage, count: int) -> list[int]:
    """Lots for which nothing is left but the first signature."""
    lots = await stage.lots(count)
    async with triggers_asleep(stage.hand):
        await stage.hand.execute(ALLOW, "yes")
        for lot in lots:
            await stage.hand.execute("SELECT pg_temp.two_steps($1)", lot)
            await stage.hand.execute(REVIEWED.format(lot=lot))
    return lots


async def given_out(stage: Stage, lot: int, ceremony: object, app: asyncpg.Connection | None = None) -> None:
    """As the application would, with a judgement of its own making. Raises what the gate refuses."""
    own = app or await stage.as_role("stemma_app")
    try:
        async with own.transaction():
            await own.execute(OPEN.format(lin=stage.id_of("lin")))
            await own.execute(FORGE.replace("'G6'", "'G5'").format(lot=lot, lin=stage.id_of("lin")))
            newest = await own.fetchval("SELECT max(id) FROM lab.judgements WHERE subject_id = $1", lot)
            await own.execute("SELECT gate.conditionally_release($1, $2, $3)", lot, ceremony, newest)
    finally:
        if app is None:
            await own.close()


async def state_of(stage: Stage, lot: int) -> str:
    return str(await stage.hand.fetchval("SELECT state FROM lab.lots WHERE id = $1", lot))


async def proof(stage: Stage, lot: int, who: str = "lin", meaning: str = "conditionally_released") -> object:
    return await stage.ceremony(who, meaning, "lot", lot)


async def test_each_objection_refuses_and_without_it_the_attack_succeeds(fresh_database: Database) -> None:
    async with staged(fresh_database) as stage:
        await stage.hand.execute(READY)
        kept = {
            name: await stage.hand.fetchval(
                "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE oid::regproc::text = $1", name
            )
            for name in (OBJECTIONS, TWO)
        }
        (whole,) = await ready(stage, 1)
        await given_out(stage, whole, await proof(stage, whole))
        assert await state_of(stage, whole) == "conditionally_released"
        for attack in ATTACKS:
            (lot,) = await ready(stage, 1)
            donor = await stage.hand.fetchval("SELECT donor_id FROM lab.lots WHERE id = $1", lot)
            async with triggers_asleep(stage.hand):
                before = await stage.hand.fetchrow("SELECT signature_id FROM lab.two_step_plans")
                await stage.hand.execute(attack.fact.format(lot=lot, donor=donor))
                await stage.hand.execute(REVIEWED.format(lot=lot))
            ceremony = await proof(stage, lot)
            for function, words in attack.says:
                with pytest.raises(asyncpg.PostgresError) as refusal:
                    await given_out(stage, lot, ceremony)
                assert refusal.value.sqlstate == "ST022", (attack.name, refusal.value)
                assert words.split("'")[1] in str(refusal.value), (attack.name, refusal.value)
                assert await state_of(stage, lot) == "awaiting_release"
                await without(stage, function, words)
            await given_out(stage, lot, ceremony)
            assert await state_of(stage, lot) == "conditionally_released", attack.name
            for source in kept.values():
                await stage.hand.execute(source)
            async with triggers_asleep(stage.hand):
                await stage.hand.execute("UPDATE lab.two_step_plans SET signature_id = $1", before["signature_id"])
                await stage.hand.execute(
                    "UPDATE lab.signatures SET signed_at = clock_timestamp() - interval '189 days' WHERE meaning = 'two_step_plan_decided'"
                )


async def test_only_the_authority_s_own_proof_for_this_very_act_is_taken(fresh_database: Database) -> None:
    async with staged(fresh_database) as stage:
        await stage.hand.execute(READY)
        lot, other = await ready(stage, 2)
        for ceremony in (
            None,
            await proof(stage, lot, "lin", "released"),
            await proof(stage, lot, "tess"),
            await proof(stage, lot, "quinn"),
            await proof(stage, other),
        ):
            with pytest.raises(asyncpg.PostgresError):
                await given_out(stage, lot, ceremony)
        # The proof for a first release opens no other, and a lot given out before is not released by forging alone.
        app = await stage.as_role("stemma_app")
        first = await proof(stage, lot)
        names = {"lot": lot, "first": first, "lin": stage.id_of("lin"), "phil": stage.id_of("phil")}
        for script in WRITTEN:
            assert await refused(app, stage, script.format(**names)), script
            assert await state_of(stage, lot) == "awaiting_release", script
        await given_out(stage, lot, first, app)
        second = await proof(stage, lot, "lin", "released")
        said = await refused(
            app,
            stage,
            FORGE.format(**names),
            f"SELECT gate.release({lot}, '{second}', (SELECT max(id) FROM lab.judgements WHERE subject_id = {lot}))",
        )
        assert "REL-02: a required test has no result" in said
        assert await state_of(stage, lot) == "conditionally_released"
        await app.close()


WRITTEN = (
    "SELECT gate.release({lot}, '{first}', (SELECT max(id) FROM lab.judgements WHERE subject_id = {lot}))",
    "SELECT lab.move_lot({lot}, 'conditionally_release', true)",
    "SELECT lab.make_move({lot}, 'conditionally_release', NULL, NULL, true)",
    (
        "INSERT INTO lab.lot_history (lot_id, seq, kind, from_state, act, to_state, release_id, recorded_by)"
        " VALUES ({lot}, 5, 'preparation', 'awaiting_release', 'conditionally_release', 'conditionally_released', 1, {lin})"
    ),
    (
        "INSERT INTO lab.releases (lot_id, signature_id, judgement_id, appointment_id, digest)"
        " SELECT {lot}, max(id), 1, 1, repeat('a', 64) FROM lab.signatures"
    ),
    "UPDATE lab.lots SET state = 'conditionally_released' WHERE id = {lot}",
    "UPDATE lab.two_step_plans SET pending = '[]'",
    "UPDATE lab.two_step_plans SET signature_id = 1",
    (
        "INSERT INTO lab.two_step_plans (process_id, version, protocol, protocol_version, ethics_reference, ethics_approved_on,"
        " consent_clause, pending, proposed_by, signature_id) SELECT process_id, 9, 'x', 'x', 'x', current_date, 'x', '[]', {lin}, 1"
        " FROM lab.lots WHERE id = {lot}"
    ),
    "INSERT INTO lab.pending_acknowledgements (lot_id, tests, remarks, recorded_by) VALUES ({lot}, '{{sterility}}', 'x', {phil})",
    "INSERT INTO lab.pending_acknowledgements (lot_id, tests, remarks, recorded_by) VALUES ({lot}, '{{sterility}}', 'x', {lin})",
    "INSERT INTO lab.settings (name, version, value, source) VALUES ('rel06.allowed', 2, '\"yes\"', 'x')",
)
"""What the application's password may not write, under an entry that names the authority."""


async def refused(app: asyncpg.Connection, stage: Stage, *script: str) -> str:
    """What the database said against it; empty where it took it."""
    try:
        async with app.transaction():
            await app.execute(OPEN.format(lin=stage.id_of("lin")))
            for statement in script:
                await app.execute(statement)
    except asyncpg.PostgresError as error:
        return str(error)
    return ""


FAILING = (
    "INSERT INTO lab.results (lot_id, sample_id, line_id, value_text, method_version, analyst, measured_at, recorded_by)"
    " SELECT lot_id, sample_id, line_id, 'growth', 'SOP/1', recorded_by, clock_timestamp(), recorded_by FROM lab.tests_under_way WHERE lot_id = $1"
)


async def test_a_positive_result_against_the_signature_never_leaves_the_lot_given_out(fresh_database: Database) -> None:
    async with staged(fresh_database) as stage:
        await stage.hand.execute(READY)
        first, *lots = await ready(stage, RACES)
        proofs = {lot: await proof(stage, lot) for lot in lots}
        signing, stating = [await stage.as_role("stemma_app") for _ in range(2)]
        ana = stage.id_of("ana")
        chance = random.Random(7)
        began = perf_counter()
        await given_out(stage, first, await proof(stage, first), signing)
        lead = perf_counter() - began  # how long a signature takes on this machine at this moment

        # Every second time the one, else the other, sets out first; who comes first is left to them.
        async def state(lot: int, at: int) -> None:
            await asyncio.sleep(chance.random() * (2 * lead if at % 2 else 0))
            async with stating.transaction():
                await stating.execute(
                    f"SELECT audit.open({ana}, 'ana', '', 'record_result', '', '', 'race', NULL, NULL, NULL)"
                )
                await stating.execute(FAILING, lot)

        async def sign(lot: int, at: int) -> str:
            await asyncio.sleep(chance.random() * (0 if at % 2 else lead))
            try:
                await given_out(stage, lot, proofs[lot], signing)
            except asyncpg.PostgresError as error:
                return error.sqlstate or ""
            return "given out"

        ended = set()
        for at, lot in enumerate(lots):
            said, _ = await asyncio.gather(sign(lot, at), state(lot, at))
            stands = await state_of(stage, lot)
            ended.add(stands)
            # Signed first, the result fails it; stated first, it is never given out.
            assert stands == ("failed_after_release" if said == "given out" else "awaiting_release"), (said, stands)
        assert ended == {"failed_after_release", "awaiting_release"}, "this was no race"
        await signing.close()
        await stating.close()


WAIT = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database() AND usename = 'stemma_app'"


async def test_two_siblings_that_fail_at_the_same_moment_both_fail(fresh_database: Database) -> None:
    async with staged(fresh_database) as stage:
        await stage.hand.execute(READY)
        eldest, *siblings = await ready(stage, 3)
        ana = stage.id_of("ana")
        for lot in siblings:
            await given_out(stage, lot, await proof(stage, lot))
        async with triggers_asleep(stage.hand):
            await stage.hand.execute(
                "UPDATE lab.lots SET donation_id = (SELECT donation_id FROM lab.lots WHERE id = $1) WHERE id = ANY ($2)",
                eldest,
                siblings,
            )
        apps = [await stage.as_role("stemma_app") for _ in siblings]

        async def state(app: asyncpg.Connection, lot: int) -> None:
            async with app.transaction():
                await app.execute(
                    f"SELECT audit.open({ana}, 'ana', '', 'record_result', '', '', 'race', NULL, NULL, NULL)"
                )
                await app.execute(FAILING, lot)

        # Whoever writes the eldest keeps both waiting; then each has what the other asks for, or one comes after the other.
        async with asyncio.TaskGroup() as both, stage.hand.transaction():
            await stage.hand.execute("SELECT FROM lab.lots WHERE id = $1 FOR NO KEY UPDATE", eldest)
            for app, lot in zip(apps, siblings, strict=True):
                both.create_task(state(app, lot))
            while await stage.hand.fetchval(WAIT) < len(apps):
                await asyncio.sleep(0.01)
        assert [await state_of(stage, lot) for lot in siblings] == ["failed_after_release"] * 2
        held = "SELECT count(*) FROM lab.holds WHERE item_id = $1 AND lifted_at IS NULL"
        assert await stage.hand.fetchval(held, eldest) == 2
        for app in apps:
            await app.close()


SIBLING = """
CREATE FUNCTION pg_temp.sibling(p_lot bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_lot bigint := pg_temp.item('lot');
BEGIN
    INSERT INTO lab.lots (id, name, kind, state, version, donor_id, donation_id, recipient_id, process_id, specification_id, recorded_by)
    SELECT v_lot, 'PREP ' || v_lot, 'preparation', 'planned', 1, donor_id, donation_id, recipient_id, process_id, specification_id, recorded_by
    FROM lab.lots WHERE id = p_lot;
    PERFORM pg_temp.history(v_lot, 'preparation', '{plan}', NULL);
    RETURN v_lot;
END $$;
"""
CULTURE = (
    "INSERT INTO lab.virus_tests (lot_id, sample, assay, method, laboratory, cells_tested, cells_in_pool, sampled_at, recorded_by)"
    " VALUES ($1, 'final_product', 'coculture', 'RCL-1', 'Virus Laboratory', 1e8, 1e9, clock_timestamp(), $2) RETURNING id"
)
RAPID = (
    "INSERT INTO lab.virus_tests (lot_id, sample, assay, method, laboratory, cells_tested, sampled_at, recorded_by)"
    " VALUES ($1, $3, 'rapid_pcr', 'PCR-1', 'Virus Laboratory', 1e8, clock_timestamp() - $4::text::interval, $2) RETURNING id"
)
SAMPLED = (
    "INSERT INTO lab.virus_tests (lot_id, sample, assay, method, laboratory, cells_tested, cells_in_pool, sampled_at, recorded_by)"
    " VALUES ($1, $3, $4, 'M-1', 'Virus Laboratory', $5::float8, 1e9, date_trunc('day', clock_timestamp()) - make_interval(days => $6), $2)"
    " RETURNING id"
)
LATER = """
INSERT INTO lab.two_step_plans (process_id, version, protocol, protocol_version, ethics_reference, ethics_approved_on, consent_clause, pending,
    proposed_by, signature_id)
SELECT process_id, $1::integer, protocol, protocol_version, ethics_reference, ethics_approved_on, consent_clause,
    (SELECT jsonb_agg(each || $2::text::jsonb) FROM jsonb_array_elements(pending) AS each), proposed_by,
    pg_temp.signed('lin', 'two_step_plan_decided', 'two_step_plan', $1, '', repeat('0', 64), clock_timestamp())
FROM lab.two_step_plans WHERE version = 1
"""
LATE_VIRUS = (
    "UPDATE lab.two_step_plans SET pending = pending || jsonb_build_array(jsonb_build_object('test', 'replicating_virus',"
    " 'interim', 'rapid PCR', 'validation', 'VR-13', 'days', 45, 'if_positive', 'followed up'))"
)
OUTCOME = (
    "INSERT INTO lab.virus_test_outcomes (lot_id, test_id, outcome, reported_at, reference, recorded_by)"
    " SELECT $1, max(id), $2, clock_timestamp(), 'VL-1', $3 FROM lab.virus_tests WHERE lot_id = $1"
)


async def test_a_later_plan_binds_the_lots_begun_under_an_earlier_one(fresh_database: Database) -> None:
    async with staged(fresh_database) as stage:
        await stage.hand.execute(READY)
        out, lot = await ready(stage, 2)
        await given_out(stage, out, await proof(stage, out))
        pending = "SELECT array_agg(test || ' ' || days) FROM lab.pending_tests($1)"
        against = "SELECT string_agg(o, '; ') FROM gate.two_step_objections($1, $2) AS o"
        assert await stage.hand.fetchval(against, lot, stage.id_of("lin")) is None
        for version, changes in enumerate(({"days": 13}, {"interim": "gram stain"}, {"validation": "VR-2"}), start=2):
            await stage.value(LATER, version, json.dumps(changes))
            assert await stage.hand.fetchval(pending, lot) is None, changes
            said = await stage.hand.fetchval(against, lot, stage.id_of("lin"))
            assert "nothing is pending that the plan lets come late" in said, changes
            assert await stage.hand.fetchval(pending, out) == ["sterility 14"], changes
        await stage.value(LATER, 5, json.dumps({"days": 20, "interim": "Rapid  Sterility", "if_positive": "otherwise"}))
        assert await stage.hand.fetchval(pending, lot) == ["sterility 14"]
        assert await stage.hand.fetchval(against, lot, stage.id_of("lin")) is None


async def test_only_a_rapid_test_of_the_same_kind_and_not_before_the_culture_stands_in_for_it(
    fresh_database: Database,
) -> None:
    async with staged(fresh_database) as stage:
        await stage.hand.execute(READY)
        (lot,) = await ready(stage, 1)
        ana = stage.id_of("ana")
        async with triggers_asleep(stage.hand):
            await stage.hand.execute(LATE_VIRUS)
        await stage.value(CULTURE, lot, ana)
        stands = "SELECT interim_stands FROM lab.pending_tests($1) WHERE test = 'replicating_virus'"
        for sample, age, outcome, found in (
            ("final_product", "1 hour", "negative", False),
            ("transduced_cells", "0", "negative", False),
            ("final_product", "0", None, False),
            ("final_product", "0", "negative", True),
            ("final_product", "1 hour", "positive", False),
            ("final_product", "0", "negative", False),
        ):
            await stage.value(RAPID, lot, ana, sample, age)
            if outcome:
                await stage.value(OUTCOME, lot, outcome, ana)
            assert await stage.hand.fetchval(stands, lot) is found, (sample, age, outcome)


async def test_a_culture_is_waited_for_until_one_of_what_was_sampled_since_answers(fresh_database: Database) -> None:
    async with staged(fresh_database) as stage:
        (lot,) = await stage.lots(1)
        ana, pending = stage.id_of("ana"), "SELECT gate.virus_pending($1)"
        await stage.value(SAMPLED, lot, ana, "final_product", "coculture", 1e8, 3)
        await stage.value(OUTCOME, lot, "negative", ana)
        assert not await stage.hand.fetchval(pending, lot)
        begun = await stage.value(SAMPLED, lot, ana, "final_product", "coculture", 1e8, 2)
        assert await stage.hand.fetchval(pending, lot), "what was sampled before answers for nothing"
        for sample, assay, cells, days in (
            ("transduced_cells", "coculture", 1e8, 1),
            ("final_product", "rapid_pcr", 1e8, 1),
            ("final_product", "coculture", 1e6, 1),
        ):
            await stage.value(SAMPLED, lot, ana, sample, assay, cells, days)
            await stage.value(OUTCOME, lot, "negative", ana)
            assert await stage.hand.fetchval(pending, lot), (sample, assay, cells)
        objections = "SELECT string_agg(o, '; ') FROM gate.objections($1, $2) AS o"
        assert "GM-05: a test for replication-competent virus is pending" in await stage.hand.fetchval(
            objections, lot, stage.id_of("lin")
        )
        await stage.value(SAMPLED, lot, ana, "final_product", "coculture", 1e8, 2)
        await stage.value(OUTCOME, lot, "negative", ana)
        assert not await stage.hand.fetchval(pending, lot), f"virus test {begun} is answered for"
        assert "GM-05" not in (await stage.hand.fetchval(objections, lot, stage.id_of("lin")) or "")


async def test_virus_that_is_found_later_fails_the_lot_and_holds_its_siblings(fresh_database: Database) -> None:
    async with staged(fresh_database) as stage:
        await stage.hand.execute(READY)
        await stage.hand.execute(SIBLING)
        (lot,) = await ready(stage, 1)
        sibling = await stage.value("SELECT pg_temp.sibling($1)", lot)
        ana = stage.id_of("ana")
        against = "SELECT string_agg(o, '; ') FROM gate.two_step_objections($1, $2) AS o"
        assert await stage.hand.fetchval(against, lot, stage.id_of("lin")) is None
        # A culture for virus that no plan lets come late keeps the lot back; one that found nothing does not.
        await stage.value(CULTURE, lot, ana)
        assert "the plan does not let it come late" in await stage.hand.fetchval(against, lot, stage.id_of("lin"))
        assert await stage.hand.fetchval("SELECT gate.virus_pending($1)", lot)
        await stage.value(OUTCOME, lot, "negative", ana)
        assert await stage.hand.fetchval(against, lot, stage.id_of("lin")) is None
        await given_out(stage, lot, await proof(stage, lot))

        held = "SELECT count(*) FROM lab.holds WHERE item_id = $1 AND lifted_at IS NULL"
        await stage.value(CULTURE, lot, ana)
        await stage.value(OUTCOME, lot, "inconclusive", ana)
        assert await state_of(stage, lot) == "conditionally_released"
        assert [await stage.hand.fetchval(held, each) for each in (lot, sibling)] == [1, 1], "it may have been found"
        await stage.value(OUTCOME, lot, "positive", ana)
        assert await state_of(stage, lot) == "failed_after_release"
        assert [await stage.hand.fetchval(held, each) for each in (lot, sibling)] == [2, 2]
        named = "SELECT count(*) FROM lab.holds h JOIN lab.impact_items x ON x.hold_id = h.id WHERE h.item_id = $1"
        assert [await stage.hand.fetchval(named, each) for each in (lot, sibling)] == [2, 2], "each by a look-back"
        # What has failed is held for what is found later too, whatever else holds it.
        await stage.value(OUTCOME, lot, "inconclusive", ana)
        assert [await stage.hand.fetchval(held, each) for each in (lot, sibling)] == [3, 2]
        reasons = "SELECT reason FROM lab.holds WHERE item_id = $1 ORDER BY id DESC LIMIT 1"
        assert await stage.hand.fetchval(reasons, lot) == "replication-competent virus: inconclusive, VL-1"
        opened = "SELECT class || ' ' || state FROM lab.deviations WHERE item_id = $1"
        assert await stage.hand.fetchval(opened, lot) == "critical open"
