"""Holds: anybody places one; only a signature lifts it, and not before its deviation is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests import life
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.world import Lab


async def placed(lab: Lab, item: str, who: str = "tess", **more: Any) -> Any:
    return await lab.as_(who).post("/holds", {"item": item, "reason": "suspected mix-up"} | more)


async def lift(lab: Lab, hold: int) -> Any:
    signed = await life.ceremony(lab, "quinn", "hold_lifted", "hold", hold)
    return await lab.as_("quinn").post(f"/holds/{hold}/lift", {"ceremony": signed})


async def test_a_hold_blocks_every_move_towards_use_until_it_is_lifted(lab: Lab):
    lived = await life.preparation(lab, upto="frozen")
    hold = ok(await placed(lab, lived.donation, "phil"))["hold"]
    refused(await lab.as_("quinn").post(f"/lots/{lived.lot}/submit"), 409, "held")

    signed = await lab.sign("quinn", "hold_lifted", "hold", str(hold))
    ok(await lab.as_("quinn").post(f"/holds/{hold}/lift", {"ceremony": signed}))

    assert ok(await lab.as_("quinn").post(f"/lots/{lived.lot}/submit"))["state"] == "awaiting_release"


async def test_a_hold_on_a_material_lot_holds_every_lot_that_it_went_into(lab: Lab):
    bottle = await life.approved_material(lab, "Buffer", [{"name": "sodium chloride", "cas": "7647-14-5"}])
    lived = await life.preparation(lab, upto="cleared")
    use = [{"container": bottle["containers"][0]["code"], "quantity": "1", "unit": "mL"}]
    body = lived.step(viable="1e7", dead="1e5", flasks=1) | {"materials": use}
    ok(await lab.as_("tess").post(f"/lots/{lived.lot}/isolation", body))

    ok(await placed(lab, bottle["code"]))

    assert "HOLD" in {each["rule"] for each in (await lived.show())["blocks"]}


async def test_a_hold_hinders_neither_rejection_nor_destruction(lab: Lab):
    lived = await life.preparation(lab, upto="frozen")
    ok(await placed(lab, lived.lot))

    assert ok(await lab.as_("quinn").post(f"/lots/{lived.lot}/destroy", {"reason": "mixed up"}))["state"] == "destroyed"


async def test_a_hold_is_not_lifted_while_its_deviation_is_open(lab: Lab):
    lived = await life.preparation(lab, upto="planned")
    number = ok(await lab.as_("tess").post("/deviations", {"item": lived.lot, "what": "x", "class": "minor"}))["number"]
    hold = ok(await placed(lab, lived.lot, deviation=number))["hold"]

    refused(await lift(lab, hold), 409, "conflict")
    await life.close_deviation(lab, number)
    ok(await lift(lab, hold))

    refused(await lift(lab, hold), 409, "conflict")
    (shown,) = ok(await lab.as_("tess").get("/holds", lot=lived.lot, state="lifted"))
    assert (shown["deviation"], shown["lifted_by"], shown["placed_by"]) == (number, "Quinn Qiu", "tess")


async def test_a_hold_is_placed_on_something_known_by_somebody_in_the_lab(lab: Lab):
    lived = await life.preparation(lab, upto="planned")

    refused(await placed(lab, "F-none"), 404, "not-found")
    refused(await placed(lab, lived.lot, deviation="DV-00-0000"), 404, "not-found")
    refused(await placed(lab, lived.lot, "adam"), 403, "not-permitted")

    assert ok(await lab.as_("tess").get("/holds", lot=lived.lot)) == []


async def test_only_the_qa_managers_signature_lifts_it(lab: Lab):
    lived = await life.preparation(lab, upto="planned")
    hold = ok(await placed(lab, lived.lot))["hold"]
    signed = await life.ceremony(lab, "quinn", "hold_lifted", "hold", hold)

    refused(await lab.as_("tess").post(f"/holds/{hold}/lift", {"ceremony": signed}), 403, "not-permitted")
    refused(await lab.as_("quincy").post(f"/holds/{hold}/lift", {"ceremony": signed}), 403, "ceremony-refused")
    refused(await lab.as_("quinn").post("/holds/999999999/lift", {"ceremony": signed}), 404, "not-found")

    (still,) = ok(await lab.as_("tess").get("/holds", lot=lived.lot, state="open"))
    assert still["hold"] == hold
