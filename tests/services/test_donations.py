"""Receiving a donation, and determining by signature whether it is eligible."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from tests import life
from tests.services import things
from tests.world import ok, refused

if TYPE_CHECKING:
    import httpx

    from tests.world import Lab


async def determine(
    lab: Lab, code: str, decision: str = "eligible", *, by: str = "quinn", signed_as: str | None = None
) -> httpx.Response:
    ceremony = await lab.sign(by, "eligibility_determined", "donation", code, signed_as or decision)
    body = {"decision": decision, "reason": "looked at", "ceremony": ceremony}
    return await lab.as_(by).post(f"/donations/{code}/determination", body)


async def allogeneic(lab: Lab, results: list[dict[str, Any]]) -> str:
    donor = await things.donor(lab, "allogeneic")
    await things.consent(lab, donor["code"])
    if results:
        given = {"weight_kg": "60", "blood_ml": "0", "colloid_ml": "0", "crystalloid_ml": "0"}
        ok(await lab.as_("ana").post(f"/donors/{donor['code']}/markers", {"markers": results, "given": given}))
    ok(await lab.as_("phil").post(f"/donors/{donor['code']}/histories", life.history()))
    return (await things.donation(lab, donor["code"]))["code"]


async def determinations(lab: Lab, code: str) -> int:
    return await lab.value(
        "SELECT count(*) FROM lab.determinations t JOIN lab.item_codes k ON k.item_id = t.donation_id WHERE k.code = $1",
        code,
    )


async def test_a_donation_is_received_into_quarantine(lab: Lab) -> None:
    donor = await things.donor(lab)
    await things.consent(lab, donor["code"])
    number = things.din()
    view = await things.donation(lab, donor["code"], din=number)
    assert view["code"][0] == "D"
    assert view["din"] == number[:13]
    assert (view["state"], view["determination"], view["volume_ml"]) == ("quarantine", None, "42.5")
    read = ok(await lab.as_("quinn").get(f"/donations/{view['code']}"))
    assert read["gate"]["gate"] == "G2"
    assert not read["gate"]["is_open"]
    assert [each["rule"] for each in read["gate"]["verdicts"] if each["outcome"] == "indeterminate"] == [
        "DON-08",
        "DON-12",
    ]
    assert ok(await lab.as_("tess").get(f"/items/{view['code']}"))["codes"] == [
        {"code": number[:13], "scheme": "din"},
        {"code": view["code"], "scheme": "own"},
    ]


async def test_a_donation_number_is_scanned_or_typed_with_its_check(lab: Lab) -> None:
    donor = await things.donor(lab)
    number = things.din()
    scanned = f"={number[:13]}00"
    assert (await things.donation(lab, donor["code"], din=scanned))["din"] == number[:13]
    body = {
        "donor": donor["code"],
        "tissue": "marrow",
        "collected_at": things.ago(hours=2),
        "received_at": things.ago(hours=1),
    }
    problem = refused(await lab.as_("tess").post("/donations", body | {"din": number}), 409, "conflict")
    assert number[:13] in problem["why"]
    fresh = things.din()
    wrong = fresh[:-1] + ("A" if fresh[-1] != "A" else "B")
    for bad in (wrong, fresh[:13], "PX-17 from the ward", "F3K7PX2M9A"):
        refused(await lab.as_("tess").post("/donations", body | {"din": bad}), 422, "bad-input")
    assert len(ok(await lab.as_("tess").get(f"/donors/{donor['code']}"))["donations"]) == 1


async def test_times_follow_each_other(lab: Lab) -> None:
    donor = await things.donor(lab)
    body = {
        "donor": donor["code"],
        "tissue": "marrow",
        "collected_at": things.ago(hours=1),
        "received_at": things.ago(hours=2),
    }
    assert refused(await lab.as_("tess").post("/donations", body), 422)["field"] == "received_at"
    body["received_at"] = things.ago(hours=-2)
    assert refused(await lab.as_("tess").post("/donations", body), 422)["field"] == "received_at"
    body["received_at"] = things.ago(minutes=5)
    refused(await lab.as_("quinn").post("/donations", body), 403, "not-permitted")
    assert ok(await lab.as_("tess").get(f"/donors/{donor['code']}"))["donations"] == []


async def test_an_autologous_donation_is_determined_eligible(lab: Lab) -> None:
    code = (await things.eligible_donation(lab))["code"]
    view = ok(await lab.as_("tess").get(f"/donations/{code}"))
    assert view["state"] == "eligible"
    assert view["determination"]["signed_by"] == "Quinn Qiu"
    assert view["gate"]["is_open"]


async def test_an_allogeneic_donation_with_a_negative_panel_is_determined_eligible(lab: Lab) -> None:
    code = await allogeneic(lab, things.markers(panel=life.PANEL | life.FOR_LEUKOCYTES))
    view = ok(await determine(lab, code, by="phil"))
    assert view["determination"]["signed_by"] == "Dr Phil Fang"
    assert view["gate"]["is_open"]


async def test_a_positive_marker_blocks_eligible_and_spends_the_ceremony(lab: Lab) -> None:
    code = await allogeneic(lab, things.markers(HBsAg="positive"))
    ceremony = await lab.sign("quinn", "eligibility_determined", "donation", code, "eligible")
    body = {"decision": "eligible", "reason": "it will do", "ceremony": ceremony}
    problem = refused(await lab.as_("quinn").post(f"/donations/{code}/determination", body), 409, "blocked")
    assert problem["rule"] == "DON-01"
    assert any("HBsAg" in finding["problem"] for finding in problem["findings"])
    burned = await lab.value("SELECT burned_why FROM people.ceremonies WHERE id = $1", uuid.UUID(ceremony))
    assert burned == "blocked"
    refused(await lab.as_("quinn").post(f"/donations/{code}/determination", body), 409, "blocked")
    assert await determinations(lab, code) == 0
    assert ok(await determine(lab, code, "ineligible"))["state"] == "ineligible"


async def test_missing_results_are_no_negative_ones(lab: Lab) -> None:
    code = await allogeneic(lab, things.markers()[:-1])
    problem = refused(await determine(lab, code), 409, "blocked")
    assert any("non-treponemal" in finding["problem"] for finding in problem["findings"])
    assert await determinations(lab, code) == 0


async def test_what_was_signed_is_what_is_determined(lab: Lab) -> None:
    code = (await things.donation(lab, await things.ready_donor(lab)))["code"]
    refused(await determine(lab, code, "eligible", signed_as="ineligible"), 403, "not-permitted")
    assert await determinations(lab, code) == 0


async def test_a_record_that_changed_after_signing_is_stale(lab: Lab) -> None:
    donor = await things.ready_donor(lab)
    code = (await things.donation(lab, donor))["code"]
    ceremony = await lab.sign("quinn", "eligibility_determined", "donation", code, "eligible")
    ok(await lab.as_("ana").post(f"/donors/{donor}/markers", {"markers": things.markers()[:1]}))
    body = {"decision": "eligible", "reason": "as shown", "ceremony": ceremony}
    refused(await lab.as_("quinn").post(f"/donations/{code}/determination", body), 409, "stale")
    assert await determinations(lab, code) == 0


async def test_nobody_uses_another_persons_ceremony(lab: Lab) -> None:
    code = (await things.donation(lab, await things.ready_donor(lab)))["code"]
    ceremony = await lab.sign("quinn", "eligibility_determined", "donation", code, "eligible")
    body = {"decision": "eligible", "reason": "as shown", "ceremony": ceremony}
    refused(await lab.as_("phil").post(f"/donations/{code}/determination", body), 403, "ceremony-refused")
    refused(await lab.as_("tess").post(f"/donations/{code}/determination", body), 403, "not-permitted")
    assert await determinations(lab, code) == 0


async def test_a_held_donation_is_not_determined_eligible(lab: Lab) -> None:
    view = await things.donation(lab, (await things.donor(lab))["code"])
    item = await lab.value("SELECT item_id FROM lab.item_codes WHERE code = $1", view["code"])
    await things.hold(lab, item)
    assert refused(await determine(lab, view["code"]), 409, "blocked")["rule"] == "HOLD"


async def test_donations_are_listed_newest_first(lab: Lab) -> None:
    donor = await things.donor(lab)
    made = [(await things.donation(lab, donor["code"]))["code"] for _ in range(2)]
    listed = ok(await lab.as_("tess").get("/donations", limit=2))
    assert [each["code"] for each in listed] == made[::-1]
