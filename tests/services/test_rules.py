"""The rule book over HTTP: each rule in full, and how what is open stands before it, with honest ages."""

from datetime import UTC, datetime, timedelta

import pytest

from app.db import rounds
from app.domain.rulebook import Gate
from tests import life, world
from tests.world import ok, refused


@pytest.fixture(scope="module")
async def lab(make_database):
    """A laboratory of its own: in the one that all tests share some hundred lots are open, and each would be judged."""
    async with world.open_lab(make_database()) as opened:
        yield opened


@pytest.fixture(scope="module")
async def failing(lab):
    """A lot with a failing sterility result."""
    return await life.preparation(lab, upto="tested", findings={"sterility": ("growth", None)})


async def asked(lab, rule, gate="G6", **params):
    """Ask until nothing is left, as a program would."""
    for _ in range(200):
        found = ok(await lab.as_("quinn").get(f"/rules/{rule}/open", **params))
        (there,) = [each for each in found["gates"] if each["gate"] == gate]
        if not there["left"]:
            return there
    raise AssertionError("it never ends")


async def test_a_rule_tells_its_settings_as_they_hold_and_what_would_close_it(lab):
    found = ok(await lab.as_("quinn").get("/rules/QA-03"))
    assert found["rule"]["id"] == "QA-03"
    years = {each["name"]: each for each in found["settings"]}["qa03.years"]
    assert (years["value"], years["unit"], years["version"]) == (3, "a", 1)
    assert years["source"]
    assert len(found["counterexamples"]) == len(found["rule"]["counterexamples"]) > 3
    assert {each["outcome"] for each in found["counterexamples"]} <= {"fail", "indeterminate", "needs_waiver"}


async def test_a_rule_tells_how_each_open_lot_stands_before_it(lab, failing):
    there = await asked(lab, "REL-02")
    mine = {each["code"]: each for each in there["subjects"]}[failing.lot]
    assert mine["outcome"] == "fail"
    assert "sterility" in mine["problem"]
    assert datetime.fromisoformat(mine["at"]) > datetime.now(UTC) - timedelta(minutes=5)
    counts = {each["outcome"]: each["subjects"] for each in there["counts"]}
    assert sum(counts.values()) + there["unasked"] == there["total"]
    outcomes = [each["outcome"] for each in there["subjects"]]
    assert outcomes.index("fail") == 0, "what closes stands first"


async def test_an_answer_is_asked_anew_when_it_is_older_than_wanted_and_when_the_lot_moved(lab, failing):
    first = await asked(lab, "REL-02")
    now = {"older_than": datetime.now(UTC).isoformat()}
    again = await asked(lab, "REL-02", **now)
    was = {each["code"]: each["at"] for each in first["subjects"]}
    assert all(each["at"] > was[each["code"]] for each in again["subjects"] if each["code"] in was)
    kept = await asked(lab, "REL-02", older_than=(datetime.now(UTC) - timedelta(hours=1)).isoformat())
    assert {each["code"]: each["at"] for each in kept["subjects"]} == {
        each["code"]: each["at"] for each in again["subjects"]
    }, "what is young enough is not asked again"


async def test_a_lot_that_is_settled_stands_there_no_longer(lab):
    made = await life.preparation(lab)
    assert made.lot in {each["code"] for each in (await asked(lab, "REL-07"))["subjects"]}
    checked = ok(await lab.as_("lin").post(f"/lots/{made.lot}/release-check"))
    ceremony = await lab.sign("lin", "released", "lot", made.lot)
    await lab.as_("lin").post(f"/lots/{made.lot}/release", {"digest": checked["digest"], "ceremony": ceremony})
    assert await made.state() == "released"
    assert made.lot not in {each["code"] for each in (await asked(lab, "REL-07"))["subjects"]}


async def test_looking_writes_nothing(lab, failing):
    before = await lab.value("SELECT count(*) FROM lab.judgements")
    await asked(lab, "REL-02", older_than=datetime.now(UTC).isoformat())
    assert await lab.value("SELECT count(*) FROM lab.judgements") == before


async def test_donations_and_material_lots_stand_before_their_own_gates(lab):
    made = await life.preparation(lab, upto="eligible")
    there = await asked(lab, "DON-12", gate="G2")
    assert {each["code"]: each["outcome"] for each in there["subjects"]}[made.donation] == "pass"
    assert there["kind"] == "donation"
    gates = ok(await lab.as_("quinn").get("/rules/MAT-03"))["state"]["gates"]
    assert "material_lot" in {each["kind"] for each in gates}


async def test_what_is_left_is_said_and_a_few_are_asked_whatever_the_time(lab, failing):
    house = lab.app.state.house
    actor_reads = house.door.look()
    async with actor_reads as reading:
        total, subjects = await rounds.standing(reading, Gate.G6)
        left = await rounds.Rounds().ask(reading, Gate.G6, subjects, older_than=datetime.now(UTC), budget_s=0)
    assert total >= len(subjects) > 0
    assert left == max(0, len(subjects) - rounds.FIRST_ASKED)


async def test_whoever_may_not_read_lots_is_told_of_none(lab):
    assert ok(await lab.as_("adam").get("/rules/REL-02"))["state"] is None
    refused(await lab.as_("adam").get("/rules/REL-02/open"), 403)


@pytest.mark.parametrize("rule", ["XX-99", "rel-02", "REL-02'--"])
async def test_a_rule_that_is_none_is_said_to_be_none(lab, rule):
    assert (await lab.as_("quinn").get(f"/rules/{rule}")).status_code in {404, 422}
