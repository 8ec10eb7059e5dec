"""Equipment: recorded as fit before it serves, else no step begins; what was overdue never becomes a pass."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from tests import life
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.conftest import Database
    from tests.world import Lab

KEPT = (
    "SELECT count(*) FROM lab.equipment_qualifications q JOIN lab.item_codes k ON k.item_id = q.equipment_id"
    " WHERE k.code = $1"
)
OVERDUE = (
    "INSERT INTO lab.equipment_qualifications (equipment_id, kind, done_on, due_on, outcome, as_found_in_tolerance,"
    " evidence, done_by, recorded_by, recorded_at) SELECT k.item_id, 'performance', current_date - 400, current_date - 5,"
    " 'passed', true, 'PQ-old', 'Metrology Ltd', a.id, now() - interval '399 days'"
    " FROM lab.item_codes k, people.accounts a WHERE k.code = $1 AND a.username = 'quinn'"
)

CHANGED = "UPDATE lab.equipment_qualifications SET due_on = '2099-01-01'"
DELETED = "DELETE FROM lab.equipment_qualifications"
BACKDATED = (
    "INSERT INTO lab.equipment_qualifications (equipment_id, kind, done_on, due_on, outcome, evidence, done_by,"
    " recorded_by, recorded_at) SELECT id, 'performance', '2026-01-01', '2027-01-01', 'passed', 'x', 'x',"
    " recorded_by, '2026-01-01' FROM lab.equipment LIMIT 1"
)


def day(days: int = 0) -> str:
    return str(date.today() + timedelta(days=days))


def body(**more: Any) -> dict[str, Any]:
    return {
        "kind": "performance",
        "done_on": day(-2),
        "due_on": day(363),
        "outcome": "passed",
        "evidence": "PQ-26-7",
        "done_by": "Metrology Ltd",
        **more,
    }


async def bare(lab: Lab, kind: str = "workstation") -> str:
    """A piece to which nothing was ever done."""
    made = await lab.as_("hedda").post(
        "/equipment", {"name": f"new {uuid.uuid4().hex[:10]}", "kind": kind, "room": "B"}
    )
    return str(ok(made)["code"])


async def at_workstation(lab: Lab, workstation: str) -> life.Life:
    """A life whose line is cleared at this workstation."""
    lived = await life.preparation(lab, upto="planned")
    lived.workstation = workstation
    cleared = ok(await life.clear(lived, "before"))
    ok(await life.verify_clearance(lived, cleared["clearance"]))
    lived.stage = "cleared"
    return lived


async def isolating(lived: life.Life) -> Any:
    return await lived.lab.as_("tess").post(
        f"/lots/{lived.lot}/isolation", lived.step(viable="1.8e7", dead="1.1e6", flasks=2)
    )


async def gate_says(lab: Lab, lot: str) -> dict[str, Any]:
    """What GMP-04 says at the release check."""
    checked = ok(await lab.as_("lin").post(f"/lots/{lot}/release-check"))
    return next(each for each in checked["verdicts"] if each["rule"] == "GMP-04")


async def test_what_was_done_is_recorded_and_listed_with_what_is_due(lab: Lab) -> None:
    code = await bare(lab)
    shown = ok(await lab.as_("tess").get(f"/equipment/{code}"))
    assert (shown["state"], [each["trouble"] for each in shown["against"]]) == ("unfit", ["never"])

    kept = ok(await lab.as_("hedda").post(f"/equipment/{code}/qualifications", body(due_on=day(20))))
    assert kept["code"] == code
    shown = ok(await lab.as_("tess").get(f"/equipment/{code}"))
    assert (shown["state"], shown["due_on"], shown["against"]) == ("due_soon", day(20), [])
    (one,) = shown["qualifications"]
    assert (one["evidence"], one["recorded_by"], one["done_by"]) == ("PQ-26-7", "Hedda He", "Metrology Ltd")

    other = await bare(lab)
    listed = [each["code"] for each in ok(await lab.as_("tess").get("/equipment", kind="workstation"))]
    assert listed.index(other) < listed.index(code), "what is not fit stands before what is due soon"
    expires = ok(await lab.as_("quinn").get("/dashboard"))["expires"]["items"]
    assert [each["kind"] for each in expires if each["code"] == code] == ["equipment"]


async def test_equipment_may_come_with_what_was_done_to_it(lab: Lab) -> None:
    made = {"name": f"inc {uuid.uuid4().hex[:8]}", "kind": "incubator", "room": "B"}
    records = [body(), body(kind="calibration", as_found_in_tolerance=True)]
    code = ok(await lab.as_("quinn").post("/equipment", made | {"qualifications": records}))["code"]
    assert ok(await lab.as_("tess").get(f"/equipment/{code}"))["state"] == "fit"
    wrong = {**made, "name": f"inc {uuid.uuid4().hex[:8]}", "qualifications": [body(), body(kind="calibration")]}
    assert refused(await lab.as_("quinn").post("/equipment", wrong), 422)["field"] == "as_found_in_tolerance"
    assert await lab.value("SELECT count(*) FROM lab.equipment WHERE name = $1", wrong["name"]) == 0


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"done_on": day(3)}, "done_on"),
        ({"due_on": day(-10)}, "due_on"),
        ({"due_on": None}, "due_on"),
        ({"kind": "calibration"}, "as_found_in_tolerance"),
        ({"kind": "magic"}, None),
        ({"evidence": " "}, None),
    ],
)
async def test_what_cannot_be_recorded(lab: Lab, more: dict[str, Any], field: str | None) -> None:
    code = await bare(lab)
    problem = refused(await lab.as_("quinn").post(f"/equipment/{code}/qualifications", body(**more)), 422)
    if field:
        assert problem["field"] == field
    assert await lab.value(KEPT, code) == 0


async def test_only_quality_and_production_record_and_only_of_equipment(lab: Lab) -> None:
    code = await bare(lab)
    for who in ("tess", "ana", "lin", "adam"):
        refused(await lab.as_(who).post(f"/equipment/{code}/qualifications", body()), 403, "not-permitted")
    refused(await lab.as_("quinn").post(f"/equipment/{await a_donor(lab)}/qualifications", body()), 404, "not-found")
    assert await lab.value(KEPT, code) == 0


async def a_donor(lab: Lab) -> str:
    return (await life.preparation(lab, upto="eligible")).donor


async def test_no_step_begins_at_a_workstation_that_is_not_fit(lab: Lab) -> None:
    lived = await at_workstation(lab, await bare(lab))
    problem = refused(await isolating(lived), 409, "blocked")
    assert [each["rule"] for each in problem["findings"]] == ["GMP-04"]
    assert await lived.state() == "planned"

    await lab.arrange(OVERDUE, lived.workstation)
    problem = refused(await isolating(lived), 409, "blocked")
    assert "was due on" in problem["findings"][0]["problem"]

    ok(await lab.as_("quinn").post(f"/equipment/{lived.workstation}/qualifications", body()))
    ok(await isolating(lived))


async def test_no_cells_are_frozen_into_what_is_not_fit_nor_counted_with_it(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="cleared")
    counter = await bare(lab, "cell_counter")
    step = lived.step(viable="1.8e7", dead="1.1e6", flasks=2)
    path = f"/lots/{lived.lot}/isolation"
    problem = refused(await lab.as_("tess").post(path, step | {"counter": counter}), 409, "blocked")
    assert [(each["rule"], each["subject"]) for each in problem["findings"]] == [("GMP-04", counter)]
    refused(await lab.as_("tess").post(path, step | {"counter": lived.workstation}), 404, "not-found")
    calibrated = body(kind="calibration", as_found_in_tolerance=True)
    ok(await lab.as_("quinn").post(f"/equipment/{counter}/qualifications", calibrated))
    ok(await lab.as_("tess").post(path, lived.step(viable="1.8e7", dead="1.1e6", flasks=2) | {"counter": counter}))

    filled = await life.preparation(lab, upto="filled")
    freezer = await bare(lab, "freezer")
    at = life.now()
    frozen = {"place": freezer, "programme": "slow", "started_at": at, "frozen_at": at}
    problem = refused(await lab.as_("tess").post(f"/lots/{filled.lot}/cryopreservation", frozen), 409, "blocked")
    assert {each["rule"] for each in problem["findings"]} == {"GMP-04"}
    shelf = {"name": f"shelf {uuid.uuid4().hex[:8]}", "kind": "shelf", "room": "nowhere that is known"}
    loose = await lab.arrange(
        "WITH i AS (INSERT INTO lab.items (kind) VALUES ('shelf') RETURNING id), e AS (INSERT INTO lab.equipment"
        " (id, name, kind, room, recorded_by) SELECT i.id, $1, 'shelf', $2, a.id FROM i, people.accounts a WHERE"
        " a.username = 'quinn' RETURNING id) INSERT INTO lab.item_codes (code, item_id, scheme)"
        " SELECT 'ETEST' || id, id, 'own' FROM e RETURNING code",
        shelf["name"],
        shelf["room"],
    )
    assert loose
    assert await filled.state() == "in_process"


async def isolated_anyway(lab: Lab) -> life.Life:
    """An isolation at a workstation whose qualification had run out, told through the second door."""
    station = await bare(lab)
    await lab.arrange(OVERDUE, station)
    lived = await at_workstation(lab, station)
    told = {
        "what": "isolation",
        "account": "isolated before anybody saw that the cabinet was overdue",
        "class": "major",
        "occurred_at": life.now(),
        "lot": lived.lot,
        "workstation": station,
        "viable_harvested": "1.8e7",
        "dead_harvested": "1e6",
        "flasks": 2,
    }
    kept = ok(await lab.as_("tess").post("/already-happened", told))
    assert kept["rules"] == ["GMP-04"]
    return lived


async def test_later_paper_does_not_heal_what_was_overdue(lab: Lab) -> None:
    lived = await isolated_anyway(lab)
    assert (await gate_says(lab, lived.lot))["outcome"] == "fail"
    path = f"/equipment/{lived.workstation}/qualifications"
    ok(await lab.as_("quinn").post(path, body(done_on=day(), due_on=day(365))))
    assert (await gate_says(lab, lived.lot))["outcome"] == "fail", "nothing is said of how it was found"
    ok(await lab.as_("quinn").post(path, body(done_on=day(), due_on=day(365), as_found_in_tolerance=True)))
    assert (await gate_says(lab, lived.lot))["outcome"] == "fail", (
        "the first look after it served is the one that tells"
    )


async def test_what_was_overdue_may_be_waived_where_it_was_found_in_tolerance(lab: Lab) -> None:
    lived = await isolated_anyway(lab)
    found = body(done_on=day(), due_on=day(365), as_found_in_tolerance=True)
    ok(await lab.as_("quinn").post(f"/equipment/{lived.workstation}/qualifications", found))
    assert (await gate_says(lab, lived.lot))["outcome"] == "needs_waiver"


async def test_what_was_in_date_and_found_out_of_tolerance_asks_the_quality_authority(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="isolated")
    assert (await gate_says(lab, lived.lot))["outcome"] == "pass"
    out = body(done_on=day(), due_on=day(300), as_found_in_tolerance=False)
    ok(await lab.as_("quinn").post(f"/equipment/{lived.workstation}/qualifications", out))
    said = await gate_says(lab, lived.lot)
    assert said["outcome"] == "needs_waiver"
    assert "out of tolerance" in said["findings"][0]["problem"]


async def test_the_database_keeps_what_was_recorded(lab: Lab, database: Database) -> None:
    code = await bare(lab)
    ok(await lab.as_("quinn").post(f"/equipment/{code}/qualifications", body()))
    connection = await asyncpg.connect(database.url("stemma_app"))
    try:
        for statement in (CHANGED, DELETED, BACKDATED):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()
