"""A released lot stands before the infusion: judged live, explained, taken back by a recall, and never opened yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests import life
from tests.services.test_partner_lots import made, maker
from tests.services.test_scans import scan
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.world import Lab

HOLD = "SELECT id FROM lab.holds WHERE item_id = $1 AND lifted_at IS NULL"
WHY = "a second laboratory found it negative; the first sample was mixed up"


async def why(lab: Lab, code: str) -> dict[str, dict[str, Any]]:
    """Every rule's answer at the gate before which the item stands, which is the infusion."""
    found = ok(await lab.as_("quinn").get(f"/items/{code}/why"))
    assert found["gate"] == "G10"
    return {each["rule"]: each for each in found["answers"]}


async def test_before_its_release_a_lot_stands_before_that_and_afterwards_before_the_infusion(lab: Lab) -> None:
    lived = await life.preparation(lab)
    assert ok(await lab.as_("quinn").get(f"/items/{lived.lot}/why"))["gate"] == "G6"
    assert (await what_if(lab, lived))["gate"] == "G6"
    ok(await life.release(lived))
    for code in (lived.lot, lived.vials[0]):
        answers = await why(lab, code)
        outcomes = {rule: each["outcome"] for rule, each in answers.items()}
        assert {outcomes[each] for each in ("HOLD", "REL-05", "REL-07", "REL-10", "MAT-11", "DON-10")} == {"pass"}
        assert {outcomes[each] for each in ("EXT-03", "EXT-04", "REL-09", "DON-13")} == {"not_applicable"}
        assert outcomes["BOOK"] == "fail", "the infusion itself is not ruled yet"
        assert {"ORG-03", "ORG-04"} <= outcomes.keys()
        assert all(each["findings"] or each["evidence"] for each in answers.values())
    told = await what_if(lab, lived)
    assert told["gate"] == "G10"
    assert "REL-10" not in told["closed_now"]


async def what_if(lab: Lab, lived: life.Life) -> dict[str, Any]:
    found: dict[str, Any] = ok(await lab.as_("quinn").post(f"/lots/{lived.lot}/what-if", {}))
    return found


async def test_a_lot_that_was_recalled_is_not_given_and_its_vial_is_red_at_the_bench(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="released")
    assert (await why(lab, lived.vials[0]))["REL-10"]["outcome"] == "pass"
    refused(await lab.as_("tess").post(f"/lots/{lived.lot}/recall", {"reason": "a complaint"}), 403, "not-permitted")
    assert (await why(lab, lived.vials[0]))["REL-10"]["outcome"] == "pass", "a refused recall recalls nothing"
    ok(await lab.as_("quinn").post(f"/lots/{lived.lot}/recall", {"reason": "a complaint"}))
    for code in (lived.lot, lived.vials[0]):
        found = (await why(lab, code))["REL-10"]
        assert found["outcome"] == "fail"
        assert "recalled" in found["findings"][0]["problem"]
        assert "call quality" in found["findings"][0]["remedy"]
    answer = await scan(lab, lived.vials[0])
    assert (answer["verdict"], answer["reason"], answer["colour"]) == ("refused", "withdrawn", "stop")
    assert "recalled" in answer["headline"]
    assert answer["next"]


async def test_a_vial_that_was_taken_for_tests_is_not_given_and_another_of_the_lot_may_be(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="released")
    sampled = (await why(lab, lived.vials[-2]))["REL-10"]
    assert sampled["outcome"] == "fail"
    assert "taken for tests" in sampled["findings"][0]["problem"]
    assert (await why(lab, lived.vials[0]))["REL-10"]["outcome"] == "pass"


async def test_a_hold_closes_the_infusion_at_once(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="released")
    ok(await lab.as_("tess").post("/holds", {"item": lived.lot, "reason": "a ward complains"}))
    answers = await why(lab, lived.vials[0])
    assert (answers["REL-10"]["outcome"], answers["HOLD"]["outcome"]) == ("fail", "fail")


async def test_what_a_partner_made_is_given_on_this_house_s_release_alone(lab: Lab) -> None:
    lived = await made(lab, await maker(lab))
    ok(await life.release(lived))
    found = (await why(lab, lived.lot))["EXT-03"]
    assert found["outcome"] == "pass"
    assert any("released by this house" in each["says"] for each in found["evidence"])
    ok(await lab.as_("quinn").post(f"/lots/{lived.lot}/recall", {"reason": "a complaint"}))
    assert (await why(lab, lived.lot))["EXT-03"]["outcome"] == "fail"


async def test_a_result_that_fails_after_the_release_is_not_given_where_nothing_allows_it(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="released")
    await life.measured(lived, "viability", "51", "%")
    found = (await why(lab, lived.lot))["REL-09"]
    assert found["outcome"] == "fail"
    assert "viability" in found["findings"][0]["problem"]
    assert (await why(lab, lived.lot))["REL-10"]["outcome"] == "fail", "it stands on hold"


async def test_what_comes_to_light_of_the_donor_waits_for_the_authority_and_names_who_receives(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="released")
    who = ok(await lab.as_("quinn").get(f"/items/{lived.donor}"))["name"]
    assert (await why(lab, lived.lot))["DON-13"]["outcome"] == "not_applicable"
    late = life.markers({"HBV": ("HBsAg",)}, HBV="positive")
    ok(await lab.as_("ana").post(f"/donors/{lived.donor}/markers", {"markers": late}))
    found = (await why(lab, lived.lot))["DON-13"]
    assert found["outcome"] == "indeterminate"
    assert who in found["findings"][0]["problem"]
    hold = await lab.value(HOLD, await lived.lot_id())
    signed = await lab.sign("lin", "look_back_hold_lifted", "hold", hold, WHY)
    ok(await lab.as_("lin").post(f"/holds/{hold}/lift", {"ceremony": signed}))
    decided = (await why(lab, lived.lot))["DON-13"]
    assert decided["outcome"] == "pass"
    assert any(
        "lin" in each["says"] and "mixed up" in each["says"] and who in each["says"] for each in decided["evidence"]
    )


async def test_before_the_release_it_is_asked_too(lab: Lab) -> None:
    lived = await life.preparation(lab)
    late = life.markers({"HBV": ("HBsAg",)}, HBV="positive")
    ok(await lab.as_("ana").post(f"/donors/{lived.donor}/markers", {"markers": late}))
    checked = ok(await lab.as_("lin").post(f"/lots/{lived.lot}/release-check", {}))
    outcomes = {each["rule"]: each["outcome"] for each in checked["verdicts"]}
    assert outcomes["DON-13"] == "indeterminate"
    hold = await lab.value(HOLD, await lived.lot_id())
    signed = await lab.sign("quinn", "hold_lifted", "hold", hold, WHY)
    ok(await lab.as_("quinn").post(f"/holds/{hold}/lift", {"ceremony": signed}))
    checked = ok(await lab.as_("lin").post(f"/lots/{lived.lot}/release-check", {}))
    assert {each["rule"]: each["outcome"] for each in checked["verdicts"]}["DON-13"] == "pass"
