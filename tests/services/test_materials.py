"""Materials: defined, received into quarantine, approved for use by signature, recalled."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.services import things
from tests.world import ok, refused

if TYPE_CHECKING:
    import httpx

    from tests.world import Lab


async def approve(lab: Lab, code: str) -> httpx.Response:
    ceremony = await lab.sign("quinn", "material_approved", "material_lot", code)
    return await lab.as_("quinn").post(f"/material-lots/{code}/approve", {"ceremony": ceremony})


async def state(lab: Lab, code: str) -> str:
    return ok(await lab.as_("tess").get(f"/material-lots/{code}"))["state"]


async def test_a_lot_is_received_into_quarantine_with_its_containers(lab: Lab) -> None:
    lot = await things.material_lot(lab, containers=3)
    assert lot["code"][0] == "L"
    assert lot["name"].startswith("MAT-")
    assert lot["state"] == "quarantine"
    assert len({each["code"] for each in lot["containers"]}) == 3
    assert {each["code"][0] for each in lot["containers"]} == {"M"}
    container = ok(await lab.as_("tess").get(f"/items/{lot['containers'][0]['code']}"))
    assert (container["kind"], container["lot"]["code"], container["name"]) == (
        "material_container",
        lot["code"],
        lot["name"],
    )


async def test_a_lot_is_approved_by_signature(lab: Lab) -> None:
    lot = await things.material_lot(lab)
    assert lot["gate"]["is_open"], lot["gate"]
    approved = ok(await approve(lab, lot["code"]))
    assert (approved["state"], approved["approved_by"]) == ("approved", "Quinn Qiu")
    kept = await lab.value(
        "SELECT gate FROM lab.judgements WHERE subject_kind = 'material_lot' ORDER BY id DESC LIMIT 1"
    )
    assert kept == "G1"


@pytest.mark.parametrize(
    ("of_material", "of_lot", "rule"),
    [
        ({"composition": [{"name": "penicillin G", "cas": None}]}, {}, "MAT-03"),
        ({"description": "contains 青霉素-链霉素"}, {}, "MAT-03"),
        ({"composition": None, "composition_complete": False}, {}, "MAT-03"),
        ({}, {"expires_on": str(date.today() - timedelta(days=2))}, "MAT-06"),
        ({}, {"expires_on": None}, "MAT-06"),
        ({}, {"certificate_reviewed_at": None}, "MAT-06"),
        ({}, {"storage_ok": False}, "MAT-06"),
        ({}, {"storage_ok": None}, "MAT-06"),
    ],
    ids=[
        "penicillin",
        "penicillin in Chinese",
        "composition unknown",
        "expired",
        "no expiry",
        "no certificate",
        "arrived warm",
        "arrived nobody knows how",
    ],
)
async def test_the_rules_stand_before_approval(lab: Lab, of_material: dict, of_lot: dict, rule: str) -> None:
    material = await things.material(lab, **of_material)
    lot = await things.material_lot(lab, material["name"], **of_lot)
    problem = refused(await approve(lab, lot["code"]), 409, "blocked")
    assert rule in {each["rule"] for each in problem["rules"]}
    assert problem["findings"]
    assert await state(lab, lot["code"]) == "quarantine"
    kept = await lab.sql("SELECT detail FROM lab.refusals WHERE act = 'approve_material' AND subject = $1", lot["code"])
    assert len(kept) == 1
    assert rule in kept[0]["detail"]


async def test_a_refused_approval_spends_the_ceremony(lab: Lab) -> None:
    lot = await things.material_lot(lab, certificate_reviewed_at=None)
    ceremony = await lab.sign("quinn", "material_approved", "material_lot", lot["code"])
    for _ in range(2):
        answer = await lab.as_("quinn").post(f"/material-lots/{lot['code']}/approve", {"ceremony": ceremony})
        refused(answer, 409, "blocked")
    burned = await lab.value("SELECT burned_why FROM people.ceremonies WHERE id = $1", uuid.UUID(ceremony))
    assert burned == "blocked"


async def test_a_held_lot_is_not_approved(lab: Lab) -> None:
    lot = await things.material_lot(lab)
    item = await lab.value("SELECT item_id FROM lab.item_codes WHERE code = $1", lot["code"])
    await things.hold(lab, item, "leaking")
    problem = refused(await approve(lab, lot["code"]), 409, "blocked")
    assert "HOLD" in {each["rule"] for each in problem["rules"]}
    assert await state(lab, lot["code"]) == "quarantine"


async def test_only_the_qa_manager_approves_and_only_by_a_ceremony_of_their_own(lab: Lab) -> None:
    lot = await things.material_lot(lab)
    ceremony = await lab.sign("quinn", "material_approved", "material_lot", lot["code"])
    path = f"/material-lots/{lot['code']}/approve"
    refused(await lab.as_("tess").post(path, {"ceremony": ceremony}), 403, "not-permitted")
    refused(await lab.as_("quinn").post(path, {"ceremony": str(uuid.uuid4())}), 403, "ceremony-refused")
    refused(await lab.as_("quincy").post(path, {"ceremony": ceremony}), 403, "ceremony-refused")
    refused(await lab.as_("quinn").post(path, {}), 422, "bad-input")
    assert await state(lab, lot["code"]) == "quarantine"
    ok(await lab.as_("quinn").post(path, {"ceremony": ceremony}))


async def test_a_lot_is_approved_once(lab: Lab) -> None:
    lot = await things.approved_material_lot(lab)
    refused(await approve(lab, lot["code"]), 409)
    assert await state(lab, lot["code"]) == "approved"


async def test_a_lot_is_recalled_with_a_reason(lab: Lab) -> None:
    lot = await things.approved_material_lot(lab)
    path = f"/material-lots/{lot['code']}/recall"
    refused(await lab.as_("quinn").post(path, {}), 422)
    assert ok(await lab.as_("quinn").post(path, {"reason": "the supplier recalls it"}))["state"] == "recalled"
    refused(await approve(lab, lot["code"]), 409)
    assert await state(lab, lot["code"]) == "recalled"


async def test_a_suppliers_own_code_finds_the_lot(lab: Lab) -> None:
    gs1 = f"]C10109506000134352{uuid.uuid4().int % 10**8:08d}"
    lot = await things.material_lot(lab, supplier_code=gs1)
    assert ok(await lab.as_("tess").get("/items", raw=gs1))["code"] == lot["code"]
    for taken in (lot["containers"][0]["code"], "=A99992612345600", "F3K7PX2M9AA"):
        body = {"supplier_code": taken, "containers": 1}
        answer = await lab.as_("tess").post("/material-lots", await _body(lab, lot, **body))
        refused(answer, 422, "bad-input")


async def _body(lab: Lab, lot: dict, **more: object) -> dict:
    return {
        "material": lot["material"]["name"],
        "supplier": "S",
        "supplier_lot": "X",
        "received_at": things.ago(hours=1),
        "containers": 1,
        **more,
    }


async def test_bad_lots_are_not_received(lab: Lab) -> None:
    lot = await things.material_lot(lab)
    before = await lab.value("SELECT count(*) FROM lab.material_lots")
    for wrong in (
        {"received_at": things.ago(hours=-1)},
        {"containers": 0},
        {"certificate_reviewed_at": things.ago(days=-1)},
    ):
        refused(await lab.as_("tess").post("/material-lots", await _body(lab, lot, **wrong)), 422)
    refused(await lab.as_("tess").post("/material-lots", await _body(lab, lot, material="no such")), 404, "not-found")
    refused(await lab.as_("quinn").post("/material-lots", await _body(lab, lot)), 403, "not-permitted")
    assert await lab.value("SELECT count(*) FROM lab.material_lots") == before


async def test_a_material_is_defined_once_and_honestly(lab: Lab) -> None:
    made = await things.material(lab)
    again = {**made, "composition": None, "composition_complete": False}
    refused(await lab.as_("quinn").post("/materials", again), 409, "conflict")
    lied = {**again, "name": "New medium", "composition_complete": True}
    assert refused(await lab.as_("quinn").post("/materials", lied), 422)["field"] == "composition_complete"
    refused(await lab.as_("tess").post("/materials", {**again, "name": "Other"}), 403)
    wrong_cas = {**made, "name": "Third", "composition": [{"name": "x", "cas": "12"}]}
    refused(await lab.as_("quinn").post("/materials", wrong_cas), 422)


async def test_lots_are_listed_by_state(lab: Lab) -> None:
    held, approved = await things.material_lot(lab), await things.approved_material_lot(lab)
    waiting = ok(await lab.as_("quinn").get("/material-lots", state="quarantine", limit=200))
    assert held["code"] in {each["code"] for each in waiting}
    assert approved["code"] not in {each["code"] for each in waiting}
    newest = ok(await lab.as_("quinn").get("/material-lots", limit=1))
    after = ok(await lab.as_("quinn").get("/material-lots", limit=1, after=newest[0]["code"]))
    assert [newest[0]["code"], after[0]["code"]] == [approved["code"], held["code"]]
