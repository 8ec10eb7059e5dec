"""Retains and QC samples: traceable to what they were taken from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests import life
from tests.services import things
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


async def retained(lab: Lab, lot: str) -> tuple[str, str]:
    """What CB-04 says of the lot's release, and all its words."""
    shown = ok(await lab.as_("lin").get(f"/lots/{lot}/release-check"))
    verdict = next(each for each in shown["verdicts"] if each["rule"] == "CB-04")
    return verdict["outcome"], str(verdict)


async def test_of_a_critical_reagent_every_lot_that_is_used_is_retained(lab: Lab):
    """Critical by its name in the setting; a retain of the very lot, from one of its own containers, is enough."""
    bottle = await things.approved_material_lot(lab)
    name, other = bottle["material"]["name"], await things.approved_material_lot(lab)
    lived = await life.preparation(lab, upto="isolated")
    used = [{"container": bottle["containers"][0]["code"], "quantity": "10", "unit": "mL"}]
    ok(await life.pass_on(lived, materials=used))
    before = await retained(lab, lived.lot)
    assert before[0] == "pass"
    assert name not in before[1]

    await life.setting(lab, "cb04.critical_materials", {name.upper(): 2}, None)

    outcome, said = await retained(lab, lived.lot)
    assert outcome == "fail"
    assert name in said
    path = f"/material-lots/{bottle['code']}/retains"
    kept = {"from": bottle["containers"][1]["code"], "quantity": "0.5", "unit": "mL", "place": "freezer 2, box 1"}
    wrong = kept | {"from": other["containers"][0]["code"]}
    refused(await lab.as_("tess").post(path, wrong), 409, "conflict")
    refused(await lab.as_("lin").post(path, kept), 403, "not-permitted")
    refused(await lab.as_("tess").post(path, kept | {"taken_at": life.ago(hours=-1)}), 422, "bad-input")
    refused(await lab.as_("tess").post(path, kept | {"taken_at": life.ago(days=9)}), 422, "bad-input")
    little = ok(await lab.as_("tess").post(path, kept))
    assert await lab.value("SELECT parent_id FROM lab.lineage WHERE child_id = $1", await lived.id(little["code"]))
    label = ok(await lab.as_("tess").post(f"/items/{little['code']}/labels", {}))
    assert (label["design"], label["read_back"]) == ("reagent-25x13-en", little["code"])
    assert (await retained(lab, lived.lot))[0] == "needs_waiver"
    ok(await lab.as_("tess").post(path, kept | {"quantity": "2"}))
    assert (await retained(lab, lived.lot))[0] == "pass"
    shown = ok(await lab.as_("quinn").get(f"/material-lots/{bottle['code']}"))
    assert [each["place"] for each in shown["retains"]] == ["freezer 2, box 1"] * 2
