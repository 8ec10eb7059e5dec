"""Deviations: opened by whoever sees one, closed by a signature that states the impact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests import life
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.world import Lab


async def opened(lab: Lab, item: str, who: str = "tess", **more: Any) -> Any:
    return await lab.as_(who).post(
        "/deviations", {"item": item, "what": "a flask was dropped", "class": "major"} | more
    )


async def assessed(lab: Lab, number: str, who: str = "quinn", words: str = "no cells were in it") -> Any:
    return await lab.as_(who).post(f"/deviations/{number}/assessment", {"assessment": words})


async def test_everybody_in_the_lab_opens_one_and_it_has_a_number(lab: Lab):
    lived = await life.preparation(lab, upto="isolated")

    numbers = [ok(await opened(lab, lived.flasks[0], who))["number"] for who in ("tess", "vera", "ana", "lin", "phil")]

    assert all(number.startswith("DV-") for number in numbers)
    assert len(set(numbers)) == 5
    refused(await opened(lab, lived.flasks[0], "adam"), 403, "not-permitted")


async def test_an_open_one_keeps_the_gate_closed_wherever_it_stands(lab: Lab):
    lived = await life.preparation(lab, upto="sampled", use=await life.new_shared(lab))
    before = {each["rule"] for each in (await lived.show())["blocks"]}
    for item in (lived.donation, lived.all_flasks[0], lived.shared.bottles[0], lived.samples[0], lived.retains[0]):
        number = ok(await opened(lab, item, **{"class": "critical"}))["number"]
        found = next(each for each in (await lived.show())["blocks"] if each["rule"] == "GMP-06")
        assert number in {each["subject"] for each in found["findings"]}
        await life.close_deviation(lab, number, impact="none")

    assert "GMP-06" not in before
    assert "GMP-06" not in {each["rule"] for each in (await lived.show())["blocks"]}


async def test_it_is_closed_once_with_the_impact_that_was_signed(lab: Lab):
    lived = await life.preparation(lab, upto="planned")
    number = ok(await opened(lab, lived.lot))["number"]
    ok(await assessed(lab, number))
    signed = await lab.sign("quinn", "deviation_closed", "deviation", number, "acceptable")
    body = {"ceremony": signed}

    ok(await lab.as_("quinn").post(f"/deviations/{number}/close", body))

    (shown,) = ok(await lab.as_("tess").get("/deviations", lot=lived.lot))
    assert (shown["state"], shown["impact"], shown["severity"]) == ("closed", "acceptable", "major")
    assert shown["closed_by"] == "Quinn Qiu"
    refused(await lab.as_("quinn").post(f"/deviations/{number}/close", body), 403, "ceremony-refused")


async def test_the_assessment_stands_before_the_signature_and_under_it(lab: Lab):
    lived = await life.preparation(lab, upto="planned")
    number = ok(await opened(lab, lived.lot))["number"]
    close = f"/deviations/{number}/close"
    early = await lab.sign("quinn", "deviation_closed", "deviation", number, "none")
    refused(await lab.as_("quinn").post(close, {"ceremony": early}), 409, "conflict")
    refused(await assessed(lab, number, "tess"), 403, "not-permitted")
    ok(await assessed(lab, number, words="first words"))
    before = await lab.sign("quinn", "deviation_closed", "deviation", number, "none")
    ok(await assessed(lab, number, words="other words"))
    refused(await lab.as_("quinn").post(close, {"ceremony": before}), 409, "stale")
    assert (await lab.record("quinn", "deviation", number))["content"]["assessment"] == "other words"
    signed = await lab.sign("quinn", "deviation_closed", "deviation", number, "none")
    ok(await lab.as_("quinn").post(close, {"ceremony": signed}))
    refused(await assessed(lab, number, words="words of afterwards"), 409, "conflict")
    shown = ok(await lab.as_("tess").get(f"/deviations/{number}"))
    assert shown["deviation"]["assessment"] == "other words"
    assert shown["opened_by"] == "Tess Tan"


async def test_an_impact_nobody_can_state_closes_nothing(lab: Lab):
    lived = await life.preparation(lab, upto="planned")
    number = ok(await opened(lab, lived.lot))["number"]
    ok(await assessed(lab, number))
    key = await lab.value("SELECT id FROM lab.deviations WHERE number = $1", number)
    signed = await life.ceremony(lab, "quinn", "deviation_closed", "deviation", key, "fine")

    refused(
        await lab.as_("quinn").post(f"/deviations/{number}/close", {"ceremony": signed}),
        409,
        "conflict",
    )

    assert await lab.value("SELECT state FROM lab.deviations WHERE id = $1", key) == "open"


async def test_unknown_things_are_refused(lab: Lab):
    lived = await life.preparation(lab, upto="planned")
    before = await lab.value("SELECT count(*) FROM lab.deviations")

    refused(await opened(lab, "D-none"), 404, "not-found")
    refused(await opened(lab, lived.lot, rules=["XX-99"]), 422, "bad-input")
    refused(await opened(lab, lived.lot, **{"class": "catastrophic"}), 422, "bad-input")
    signed = await life.ceremony(lab, "rolf", "result_reviewed", "result", await _any_result(lab), "accepted")
    body = {"ceremony": signed}
    refused(await lab.as_("quinn").post("/deviations/DV-00-0000/close", body), 404, "not-found")

    assert await lab.value("SELECT count(*) FROM lab.deviations") == before


async def _any_result(lab: Lab) -> int:
    lived = await life.preparation(lab, upto="sampled")
    return await life.measured(lived, "viability", "90", "%")


async def test_deviations_are_listed_by_state_and_in_pages(lab: Lab):
    lived = await life.preparation(lab, upto="planned")
    first, second = [ok(await opened(lab, lived.lot))["number"] for _ in range(2)]

    page = ok(await lab.as_("tess").get("/deviations", lot=lived.lot, limit=1))
    rest = ok(await lab.as_("tess").get("/deviations", lot=lived.lot, after=second))
    closed = ok(await lab.as_("tess").get("/deviations", lot=lived.lot, state="closed"))

    assert [each["number"] for each in page] == [second]
    assert [each["number"] for each in rest] == [first]
    assert closed == []
