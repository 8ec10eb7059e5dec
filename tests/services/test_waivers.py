"""Waivers: of rules that allow one, proposed and approved by two people, cited where they open something."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests import life
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.world import Lab

KEPT = "SELECT count(*) FROM lab.waivers WHERE lot_id = $1"


async def propose(lived: life.Life, who: str = "quinn", **more: Any) -> Any:
    body = {
        "rule": "GMP-06",
        "justification": "the deviation concerns the outer box",
        "mitigations": "box replaced",
        "valid_from": life.ago(hours=1),
        "valid_to": (datetime.now(UTC) + timedelta(days=7)).isoformat(),
    }
    return await lived.lab.as_(who).post(f"/lots/{lived.lot}/waivers", body | more)


async def approve(lived: life.Life, waiver: int) -> Any:
    signed = await life.ceremony(lived.lab, "lin", "waiver_approved", "waiver", waiver)
    return await lived.lab.as_("lin").post(f"/waivers/{waiver}/approve", {"ceremony": signed})


async def test_an_approved_waiver_opens_its_rule_and_is_cited(lab: Lab):
    lived = await life.preparation(lab, upto="awaiting_release")
    ok(await lab.as_("tess").post("/deviations", {"item": lived.lot, "what": "torn box", "class": "minor"}))
    waiver = ok(await propose(lived))["waiver"]
    assert "GMP-06" in {each["rule"] for each in (await lived.show())["blocks"]}

    signed = await lab.sign("lin", "waiver_approved", "waiver", str(waiver))
    ok(await lab.as_("lin").post(f"/waivers/{waiver}/approve", {"ceremony": signed}))

    judged = ok(await lab.as_("tess").get(f"/lots/{lived.lot}/release-check"))
    verdict = next(each for each in judged["verdicts"] if each["rule"] == "GMP-06")
    assert (verdict["outcome"], verdict["waiver"]) == ("pass_with_waiver", waiver)
    (shown,) = ok(await lab.as_("tess").get(f"/lots/{lived.lot}/waivers"))
    assert (shown["proposed_by"], shown["approved_by"]) == ("quinn", "Dr Lin Qing")


async def test_a_rule_that_nobody_can_waive_takes_no_proposal(lab: Lab):
    lived = await life.preparation(lab, upto="planned")

    for rule in ("DON-12", "CB-05", "QA-04", "REL-03", "HOLD"):
        assert refused(await propose(lived, rule=rule), 409, "blocked")["rule"] == rule
    refused(await propose(lived, rule="XX-01"), 422, "bad-input")

    assert await lab.value(KEPT, await lived.lot_id()) == 0


async def test_a_waiver_that_would_never_be_in_force_is_refused(lab: Lab):
    lived = await life.preparation(lab, upto="planned")

    refused(await propose(lived, valid_to=life.ago(days=1)), 422, "bad-input")
    refused(await propose(lived, valid_from="2040-01-01T00:00:00Z"), 422, "bad-input")
    refused(await propose(lived, max_uses=0), 422, "bad-input")
    refused(await propose(lived, "tess"), 403, "not-permitted")

    assert await lab.value(KEPT, await lived.lot_id()) == 0


async def test_a_waiver_is_approved_once_and_by_the_authority_alone(lab: Lab):
    lived = await life.preparation(lab, upto="planned")
    waiver = ok(await propose(lived))["waiver"]
    signed = await life.ceremony(lab, "lin", "waiver_approved", "waiver", waiver)

    refused(await lab.as_("quinn").post(f"/waivers/{waiver}/approve", {"ceremony": signed}), 403, "not-permitted")
    refused(await lab.as_("lin").post("/waivers/999999999/approve", {"ceremony": signed}), 404, "not-found")
    # That refusal spent it: a new one is needed.
    refused(await lab.as_("lin").post(f"/waivers/{waiver}/approve", {"ceremony": signed}), 403, "ceremony-refused")
    ok(await approve(lived, waiver))
    assert (await approve(lived, waiver)).status_code in {403, 409}
