"""What an item is, where it came from, what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.db import trace
from app.domain.acts import Act
from labels.codes import CodeKind, format_code
from tests.services import things
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.world import Lab


def codes(found: dict) -> set[str]:
    return {node["code"] for node in found["nodes"]}


async def test_an_item_says_what_it_is(lab: Lab) -> None:
    donation = await things.eligible_donation(lab)
    made = await things.preparation(lab, donation["code"])
    vial = ok(await lab.as_("tess").get(f"/items/{made['vial_code']}"))
    assert (vial["kind"], vial["kind_name"], vial["state"], vial["passage"]) == ("vial", "Vial", "in_use", 2)
    assert vial["lot"]["code"] == made["lot_code"]
    assert vial["lot"]["state_name"] == "in process"
    assert vial["donor"] == donation["donor"]
    assert vial["shown"] == format_code(made["vial_code"])
    chinese = await lab.as_("tess").get(f"/items/{made['vial_code']}", lang="zh_CN")
    assert ok(chinese)["kind_name"] != ""


async def test_an_item_is_found_by_any_text_that_a_scanner_gives(lab: Lab) -> None:
    donor = await things.donor(lab)
    number = things.din()
    donation = await things.donation(lab, donor["code"], din=number)
    for raw in (donation["code"], format_code(donation["code"]).lower(), f"]d1{donation['code']}", f"={number[:13]}00"):
        assert ok(await lab.as_("tess").get("/items", raw=raw))["code"] == donation["code"], raw
    assert ok(await lab.as_("tess").get(f"/items/{format_code(donation['code'])}"))["code"] == donation["code"]


async def test_a_trade_number_is_no_donation_number(lab: Lab) -> None:
    """Thirteen digits may be a donation number or a trade item number; only the donation's own scheme finds it."""
    donor = await things.donor(lab)
    await things.donation(lab, donor["code"], din="=199992612345600")
    refused(await lab.as_("tess").get("/items", raw="1999926123456"), 404, "not-found")


async def test_holds_and_place_are_shown(lab: Lab) -> None:
    made = await things.preparation(lab, (await things.eligible_donation(lab))["code"])
    await things.hold(lab, made["lot"], "temperature excursion")
    vial = ok(await lab.as_("tess").get(f"/items/{made['vial_code']}"))
    assert [(each["on"], each["reason"]) for each in vial["holds"]] == [(made["lot_code"], "temperature excursion")]


async def test_what_is_no_code_and_what_nobody_bears(lab: Lab) -> None:
    problem = refused(await lab.as_("tess").get("/items", raw="F3K7PX2M9AA"), 422, "bad-input")
    assert "check character" in problem["why"]
    refused(await lab.as_("tess").get("/items", raw="\x00"), 422, "bad-input")
    refused(await lab.as_("tess").get("/items/F3K7PX2M9AA"), 422, "bad-input")
    refused(await lab.as_("tess").get("/items", raw="never seen"), 404, "not-found")
    refused(await lab.as_("adam").get("/items", raw="never seen"), 403, "not-permitted")


async def test_a_trace_backward_reaches_donor_and_material(lab: Lab) -> None:
    donation = await things.eligible_donation(lab)
    made = await things.preparation(lab, donation["code"])
    material = await things.approved_material_lot(lab)
    used = await lab.value("SELECT item_id FROM lab.item_codes WHERE code = $1", material["containers"][0]["code"])
    await lab.arrange("INSERT INTO lab.lineage (parent_id, child_id) VALUES ($1, $2)", used, made["flask"])
    back = ok(await lab.as_("tess").get(f"/items/{made['vial_code']}/trace", direction="backward"))
    assert codes(back) == {
        made["vial_code"],
        made["flask_code"],
        donation["code"],
        donation["donor_code"],
        material["containers"][0]["code"],
        material["code"],
    }
    assert {"parent": made["flask_code"], "child": made["vial_code"], "step": None, "passage": None} in back["edges"]
    assert not back["truncated"]
    forward = ok(await lab.as_("quinn").get(f"/items/{material['code']}/trace", direction="forward"))
    assert made["vial_code"] in codes(forward)
    assert material["containers"][1]["code"] in codes(forward)
    assert donation["code"] not in codes(forward)


async def test_a_trace_of_a_lot_starts_from_its_containers(lab: Lab) -> None:
    donation = await things.eligible_donation(lab)
    made = await things.preparation(lab, donation["code"])
    back = ok(await lab.as_("tess").get(f"/items/{made['lot_code']}/trace", direction="backward"))
    assert {made["lot_code"], made["vial_code"], donation["donor_code"]} <= codes(back)
    forward = ok(await lab.as_("tess").get(f"/items/{donation['donor_code']}/trace", direction="forward"))
    assert made["vial_code"] in codes(forward)


async def test_a_trace_ends_even_in_a_circle_and_at_its_limit(lab: Lab) -> None:
    made = await things.preparation(lab, (await things.eligible_donation(lab))["code"])
    await lab.arrange("INSERT INTO lab.lineage (parent_id, child_id) VALUES ($1, $2)", made["vial"], made["flask"])
    found = ok(await lab.as_("tess").get(f"/items/{made['vial_code']}/trace", direction="forward"))
    assert codes(found) == {made["vial_code"], made["flask_code"]}
    await lab.arrange(
        "WITH made AS (INSERT INTO lab.items (kind) SELECT 'shelf' FROM generate_series(1, 30) RETURNING id), coded AS ("
        " INSERT INTO lab.item_codes (code, item_id, scheme) SELECT 'S' || lpad(id::text, 10, '0'), id, 'own' FROM made)"
        " INSERT INTO lab.lineage (parent_id, child_id) SELECT $1, id FROM made",
        made["vial"],
    )
    house = lab.app.state.house
    who = await lab.sql("SELECT id FROM people.accounts WHERE username = 'tess'")
    from app.domain.acts import Actor, Role

    tess = Actor(who[0]["id"], "tess", "Tess", frozenset({Role.TECHNICIAN}), None, "test")
    async with house.door.read(tess, Act.READ_TRACE) as reading:
        cut = await trace.trace(reading, item_id=made["vial"], direction=trace.Direction.FORWARD, nodes_max=10)
    assert len(cut.nodes) == 10
    assert cut.is_cut


async def test_a_trace_of_nothing(lab: Lab) -> None:
    _, code = await things.item(lab, "shelf", CodeKind.SHELF)
    alone = ok(await lab.as_("tess").get(f"/items/{code}/trace", direction="backward"))
    assert codes(alone) == {code}
    assert alone["edges"] == []
    refused(await lab.as_("tess").get(f"/items/{code}/trace", direction="sideways"), 422)
    refused(await lab.as_("adam").get(f"/items/{code}/trace", direction="forward"), 403)
