"""Release in two steps: off until it is signed for, then before the last result, and what that result makes of the lot."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest

from tests import life, two_steps
from tests.services import things
from tests.two_steps import begun, known, plan_of, signed_plan, waiting
from tests.world import Lab, ok, refused


@pytest.fixture
async def allowed(lab: Lab) -> AsyncIterator[None]:
    async with two_steps.allowed(lab):
        yield


OVERDUE = """
INSERT INTO lab.tests_under_way (lot_id, sample_id, line_id, laboratory, started_at, due_at, recorded_by)
SELECT lot_id, sample_id, line_id, laboratory, clock_timestamp(), clock_timestamp() + interval '1 microsecond', recorded_by
FROM lab.tests_under_way WHERE lot_id = $1
"""


async def queues(lab: Lab) -> Counter[str]:
    """How much waits of what a lot that was given out owes."""
    waits = ok(await lab.as_("lin").get("/dashboard"))["waits"]
    owed = ("results_overdue", "second_signatures", "batches_to_review", "results_to_review", "lots_failed")
    return Counter({each["queue"]: each["waiting"] for each in waits if each["queue"] in owed})


async def given_out(made: life.Life, who: str = "lin") -> Any:
    checked = ok(await made.lab.as_(who).post(f"/lots/{made.lot}/conditional-release-check"))
    assert not checked["blocks"], closing(checked)
    proof = await life.ceremony(made.lab, who, "conditionally_released", "lot", await made.lot_id())
    body = {"digest": checked["digest"], "ceremony": proof}
    return await made.lab.as_(who).post(f"/lots/{made.lot}/conditional-release", body)


def closing(checked: dict[str, Any]) -> set[str]:
    return {each["rule"] for each in checked["verdicts"] if each["closes"]}


async def test_it_is_given_out_before_the_last_result_and_released_after_it(lab: Lab, allowed: None) -> None:
    made = await waiting(lab)
    rhea = lab.as_("lin")
    before = ok(await rhea.get(f"/lots/{made.lot}/conditional-release-check"))
    assert closing(before) == {"REL-02", "REL-06"}
    await begun(made)
    refused(await known(made, "quinn"), 403)
    refused(await known(made, "phil", "mycoplasma"), 409)
    assert closing(ok(await rhea.get(f"/lots/{made.lot}/conditional-release-check"))) == {"REL-06"}
    ok(await known(made))

    done = await given_out(made)
    assert done.status_code == 202, done.text
    assert done.json()["meaning"] == "conditionally_released"
    assert await made.state() == "conditionally_released"
    assert ok(await rhea.get(f"/lots/{made.lot}/release")) is None  # it counts as released nowhere

    # The release itself goes on refusing it, in the rules and in the gate, whatever was judged.
    assert closing(ok(await rhea.post(f"/lots/{made.lot}/release-check"))) == {"REL-02"}
    against = await lab.sql("SELECT o FROM gate.objections($1, $2) AS o", await made.lot_id(), lab.id_of("lin"))
    assert [row["o"] for row in against] == [
        "REL-02: a test that was begun has no result yet",
        "REL-02: a required test has no result",
    ]

    before = await queues(lab)
    await lab.arrange(OVERDUE, await made.lot_id())
    assert await queues(lab) - before == Counter({"results_overdue": 1})

    made.results["sterility"] = await life.measured(made, "sterility", "no growth", None)
    await life.result_reviewed(made, made.results["sterility"])
    ok(await life.review_batch(made))
    assert await queues(lab) - before == Counter({"second_signatures": 1})
    await life.go_on(made, upto="released")
    assert await made.state() == "released"
    assert await queues(lab) - before == Counter()
    moves = (
        "SELECT act, release_id IS NOT NULL AS signed FROM lab.lot_history WHERE lot_id = $1 ORDER BY seq DESC LIMIT 2"
    )
    assert [(row["act"], row["signed"]) for row in await lab.sql(moves, await made.lot_id())] == [
        ("release", True),
        ("conditionally_release", True),
    ]


async def test_a_result_from_before_the_test_was_begun_does_not_answer_for_it(lab: Lab, allowed: None) -> None:
    made = await waiting(lab)
    earlier = life.now()
    await begun(made)
    ok(await known(made))
    await given_out(made)
    body = {"test": "sterility", "value": "No  Growth", "unit": None, "method_version": "1", "measured_at": earlier}
    number = int(ok(await lab.as_("ana").post(f"/samples/{made.samples[0]}/results", body))["result"])
    assert await made.state() == "conditionally_released", "words are compared as they are spoken"
    await life.result_reviewed(made, number)
    ok(await life.review_batch(made))
    assert closing(ok(await lab.as_("lin").post(f"/lots/{made.lot}/release-check"))) == {"REL-02"}
    against = await lab.sql("SELECT o FROM gate.objections($1, $2) AS o", await made.lot_id(), lab.id_of("lin"))
    assert "REL-02: a test that was begun has no result yet" in {row["o"] for row in against}


async def test_who_began_a_test_of_the_lot_does_not_release_it(lab: Lab) -> None:
    made = await life.preparation(lab)
    await lab.arrange(
        "INSERT INTO lab.tests_under_way (lot_id, sample_id, line_id, laboratory, started_at, due_at, recorded_by)"
        " SELECT lot_id, sample_id, line_id, 'L', measured_at, clock_timestamp() + interval '1 day', $2"
        " FROM lab.results WHERE lot_id = $1 ORDER BY id LIMIT 1",
        await made.lot_id(),
        lab.id_of("lin"),
    )
    assert "QA-05" in closing(ok(await lab.as_("lin").post(f"/lots/{made.lot}/release-check")))
    against = await lab.sql("SELECT o FROM gate.objections($1, $2) AS o", await made.lot_id(), lab.id_of("lin"))
    assert any(row["o"].startswith("QA-05") for row in against)


async def test_a_result_that_fails_makes_the_lot_failed_and_holds_its_siblings(lab: Lab, allowed: None) -> None:
    made = await waiting(lab)
    body = {"process": made.shared.process, "specification": made.shared.specification, "donation": made.donation}
    sibling = ok(await lab.as_("tess").post("/lots", body))["code"]
    await begun(made)
    ok(await known(made))
    await given_out(made)
    before = await queues(lab)
    await life.measured(made, "sterility", "growth", None)
    assert await made.state() == "failed_after_release"
    assert (await queues(lab) - before)["lots_failed"] == 1
    for who in ("phil", "lin", "quinn", "tess"):
        waits = ok(await lab.as_(who).get("/dashboard"))["waits"]
        (failed,) = (each for each in waits if each["queue"] == "lots_failed")
        assert failed["roles"] == ["qa_manager", "quality_authority", "physician"]
        assert failed["mine"] == (who != "tess")
    (line,) = ok(await lab.as_("phil").get("/impacts", item=made.lot, kind="result_failed"))
    assert line["released"] == 1, "it is out of our hands as before"
    touched = {each["code"]: each for each in ok(await lab.as_("phil").get(f"/impacts/{line['number']}"))["touched"]}
    assert {code: each["next"] for code, each in touched.items()} == {made.lot: "decide_recall", sibling: "assess"}
    holds = "SELECT count(*) FROM lab.holds h JOIN lab.item_codes k ON k.item_id = h.item_id WHERE k.code = $1 AND h.lifted_at IS NULL"
    assert await lab.value(holds, made.lot) == 1
    assert await lab.value(holds, sibling) == 1
    opened = "SELECT class, rules, state FROM lab.deviations WHERE item_id = $1"
    (deviation,) = await lab.sql(opened, await made.lot_id())
    assert (deviation["class"], deviation["rules"], deviation["state"]) == ("critical", ["REL-06"], "open")
    refused(await lab.as_("quinn").post(f"/lots/{made.lot}/submit"), 409)
    ok(await lab.as_("quinn").post(f"/lots/{made.lot}/recall", {"reason": "it grew"}))
    assert (await queues(lab) - before)["lots_failed"] == 0


async def test_virus_found_later_holds_the_siblings_until_the_authority_lifts_it(lab: Lab, allowed: None) -> None:
    made = await waiting(lab)
    body = {"process": made.shared.process, "specification": made.shared.specification, "donation": made.donation}
    sibling = ok(await lab.as_("tess").post("/lots", body))["code"]
    await begun(made)
    ok(await known(made))
    await given_out(made)
    await things.virus_reported(lab, made.lot, "positive")
    assert await made.state() == "failed_after_release"
    (line,) = ok(await lab.as_("quinn").get("/impacts", item=sibling, kind="virus_found"))
    touched = {each["code"]: each for each in ok(await lab.as_("quinn").get(f"/impacts/{line['number']}"))["touched"]}
    assert {code for code, each in touched.items() if each["held"]} == {made.lot, sibling}
    hold = touched[sibling]["hold"]
    signed = await life.ceremony(lab, "quinn", "hold_lifted", "hold", hold, "it is another lot")
    refused(await lab.as_("quinn").post(f"/holds/{hold}/lift", {"ceremony": signed}), 403, "not-permitted")
    signed = await life.ceremony(lab, "lin", "look_back_hold_lifted", "hold", hold, "tested anew, negative")
    ok(await lab.as_("lin").post(f"/holds/{hold}/lift", {"ceremony": signed}))


async def test_off_it_is_refused_by_the_rule_the_ceremony_and_the_gate(lab: Lab) -> None:
    made = await waiting(lab)
    await begun(made)
    ok(await known(made))
    checked = ok(await lab.as_("lin").post(f"/lots/{made.lot}/conditional-release-check"))
    assert closing(checked) == {"REL-06"}
    (said,) = (each for each in checked["verdicts"] if each["rule"] == "REL-06")
    assert "rel06.allowed" in str(said["findings"])
    with pytest.raises(asyncpg.PostgresError, match="blocks"):
        await life.ceremony(lab, "lin", "conditionally_released", "lot", await made.lot_id())
    against = await lab.sql(
        "SELECT o FROM gate.two_step_objections($1, $2) AS o", await made.lot_id(), lab.id_of("lin")
    )
    assert [row["o"] for row in against] == ["REL-06: release in two steps is not allowed here"]
    assert await made.state() == "awaiting_release"


async def test_a_plan_signed_after_the_work_began_opens_nothing(lab: Lab, allowed: None) -> None:
    made = await waiting(lab, planned=False, scopes=())
    await signed_plan(lab, made.shared.process)
    await begun(made)
    found = ok(await lab.as_("lin").get(f"/lots/{made.lot}/conditional-release-check"))
    assert closing(found) == {"REL-02", "REL-06"}
    said = str([each["findings"] for each in found["verdicts"] if each["rule"] == "REL-06"])
    assert "after processing began" in said
    assert "has not consented" in said
    refused(await known(made), 409)
    against = await lab.sql(
        "SELECT o FROM gate.two_step_objections($1, $2) AS o", await made.lot_id(), lab.id_of("lin")
    )
    assert {row["o"][:6] for row in against} == {"REL-06"}
    assert any("before processing" in row["o"] for row in against)
    assert any("consented" in row["o"] for row in against)


async def test_a_plan_is_refused_where_it_contradicts_itself_and_signed_by_somebody_else(lab: Lab) -> None:
    process = await life.process(lab)
    late = plan_of(process)["pending"]
    quinn = lab.as_("quinn")
    for wrong in (
        {"ethics_approved_on": str(date.today() + timedelta(days=2))},
        {"pending": late * 2},
        {"pending": [{**late[0], "days": 0}]},
        {"pending": [{**late[0], "test": "viability"}]},
    ):
        refused(await quinn.post("/two-step-plans", plan_of(process, **wrong)), 422)
    refused(await lab.as_("tess").post("/two-step-plans", plan_of(process)), 403)
    refused(await quinn.post("/two-step-plans", plan_of({"name": "nothing", "version": 1})), 404)
    count = (
        "SELECT count(*) FROM lab.two_step_plans p JOIN lab.process_versions v ON v.id = p.process_id WHERE v.name = $1"
    )
    assert await lab.value(count, process["name"]) == 0
    first = await signed_plan(lab, process)
    shown = ok(await quinn.get(f"/two-step-plans/{first}"))
    assert (shown["state"], shown["decided_by"], shown["pending"][0]["test"]) == ("decided", "Dr Lin Qing", "sterility")
    ended = await signed_plan(lab, process, pending=[])
    assert ok(await quinn.get(f"/two-step-plans/{first}"))["state"] == "superseded"
    assert ok(await quinn.get(f"/two-step-plans/{ended}"))["pending"] == []


async def test_a_test_is_begun_in_the_past_on_a_sample_of_the_lot(lab: Lab) -> None:
    made = await life.preparation(lab, upto="sampled")
    there = f"/samples/{made.samples[0]}/under-way"
    body = {"test": "sterility", "laboratory": "our own", "started_at": life.now(), "due_at": life.ago(days=-13)}
    refused(await lab.as_("tess").post(there, body), 403)
    refused(await lab.as_("ana").post(there, {**body, "due_at": life.ago(days=1)}), 422)
    refused(await lab.as_("ana").post(there, {**body, "started_at": life.ago(days=-1)}), 422)
    refused(await lab.as_("ana").post(there, {**body, "test": "nothing"}), 422)
    assert await lab.value("SELECT count(*) FROM lab.tests_under_way WHERE lot_id = $1", await made.lot_id()) == 0
    ok(await lab.as_("ana").post(there, body))
