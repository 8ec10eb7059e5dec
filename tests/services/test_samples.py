"""Retains and QC samples: traceable to what they were taken from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests import life
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.world import Lab

STATE = "SELECT c.state FROM lab.containers c JOIN lab.item_codes k ON k.item_id = c.id WHERE k.code = $1"


async def test_a_sample_leads_back_to_its_vial_which_is_set_aside(lab: Lab):
    lived = await life.preparation(lab, upto="frozen")
    body = {"from": lived.vials[0], "purpose": "sterility"}

    taken = ok(await lab.as_("tess").post(f"/lots/{lived.lot}/samples", body))

    parent = await lab.value("SELECT parent_id FROM lab.lineage WHERE child_id = $1", await lived.id(taken["code"]))
    assert parent == await lived.id(lived.vials[0])
    assert await lab.value(STATE, lived.vials[0]) == "sampled"
    refused(await lab.as_("ana").post(f"/lots/{lived.lot}/samples", body), 409, "conflict")


async def test_a_flask_that_is_sampled_stays_in_use(lab: Lab):
    lived = await life.preparation(lab, upto="isolated")
    body = {"from": lived.flasks[0], "purpose": "mycoplasma, in process"}

    ok(await lab.as_("ana").post(f"/lots/{lived.lot}/samples", body))

    assert await lab.value(STATE, lived.flasks[0]) == "in_use"


async def test_what_is_held_may_be_sampled_to_find_out_why(lab: Lab):
    lived = await life.preparation(lab, upto="isolated")
    ok(await lab.as_("tess").post("/holds", {"item": lived.flasks[0], "reason": "cloudy"}))

    body = {"from": lived.flasks[0], "purpose": "contamination"}
    ok(await lab.as_("tess").post(f"/lots/{lived.lot}/samples", body))


async def test_retains_of_donation_and_product_are_kept(lab: Lab):
    lived = await life.preparation(lab, upto="sampled")

    kinds = await lab.sql("SELECT kind, place FROM lab.retains WHERE lot_id = $1 ORDER BY id", await lived.lot_id())

    assert [row["kind"] for row in kinds] == ["starting_material", "final_product"]
    assert await lab.value(STATE, lived.vials[-1]) == "retained"


async def test_nothing_is_taken_from_another_lot_or_in_the_future(lab: Lab):
    lived = await life.preparation(lab, upto="frozen")
    other = await life.preparation(lab, upto="isolated")
    path = f"/lots/{lived.lot}/samples"

    refused(await lab.as_("tess").post(path, {"from": other.flasks[0], "purpose": "x"}), 404, "not-found")
    refused(await lab.as_("tess").post(path, {"from": other.donation, "purpose": "x"}), 404, "not-found")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    body = {"from": lived.vials[0], "purpose": "x", "taken_at": tomorrow}
    refused(await lab.as_("tess").post(path, body), 422, "bad-input")
    refused(await lab.as_("quinn").post(path, {"from": lived.vials[0], "purpose": "x"}), 403, "not-permitted")

    assert await lab.value("SELECT count(*) FROM lab.samples WHERE lot_id = $1", await lived.lot_id()) == 0
    assert await lab.value(STATE, lived.vials[0]) == "stored"


async def test_a_retained_vial_is_where_it_should_be_and_not_for_use(lab: Lab):
    lived = await life.preparation(lab, upto="sampled")
    looked = ok(await lab.as_("tess").post("/scans", {"raw": lived.vials[-1]}))
    used = ok(await lab.as_("tess").post("/scans", {"raw": lived.vials[-1], "intent": "use"}))
    assert (looked["verdict"], looked["reason"], looked["colour"]) == ("accepted", "set_aside", "wait")
    assert (used["verdict"], used["reason"], used["colour"]) == ("refused", "set_aside", "stop")
