"""Waivers: of rules that allow one, proposed and approved by two people, cited where they open something."""

from __future__ import annotations

import uuid
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


# -- of a material lot, of a donation ------------------------------------------------------------------------------------


async def pooled(lab: Lab) -> dict[str, Any]:
    """A lysate of human origin whose donors are certified, and in which no virus was inactivated."""
    name = f"Platelet lysate {uuid.uuid4().hex[:8]}"
    body = {
        "name": name,
        "description": "human platelet lysate",
        "grade": "pharmacopoeial_excipient",
        "composition": [{"name": "human platelet lysate", "cas": None}],
        "composition_complete": True,
        "animal_serum": False,
        "animal_derived": False,
        "human_derived": True,
    }
    ok(await lab.as_("quinn").post("/materials", body))
    received = {
        "material": name,
        "supplier": "Good Supplies",
        "supplier_lot": f"HPL-{uuid.uuid4().hex[:8]}",
        "expires_on": str((datetime.now(UTC) + timedelta(days=300)).date()),
        "received_at": life.ago(days=3),
        "certificate_reference": "CoA-1",
        "certificate_reviewed_at": life.ago(days=2),
        "storage_ok": True,
        "containers": 1,
    }
    lot: dict[str, Any] = ok(await lab.as_("tess").post("/material-lots", received))
    paper = {"kind": "donor_pool", "reference": "DP-12", "pool_size": 12}
    ok(await lab.as_("quinn").post(f"/material-lots/{lot['code']}/certificates", paper))
    return lot


def body_for(rule: str, **more: Any) -> dict[str, Any]:
    return {
        "rule": rule,
        "justification": "no licensed lysate is on the market",
        "mitigations": "each bag is tested for the viruses named in the assessment",
        "valid_from": life.ago(hours=1),
        "valid_to": (datetime.now(UTC) + timedelta(days=7)).isoformat(),
        **more,
    }


async def outcome_of(lab: Lab, path: str, rule: str) -> str:
    shown = ok(await lab.as_("quinn").get(path))
    return str(next(each["outcome"] for each in shown["gate"]["verdicts"] if each["rule"] == rule))


async def signed_waiver(lab: Lab, path: str, rule: str) -> int:
    waiver = int(ok(await lab.as_("quinn").post(f"{path}/waivers", body_for(rule)))["waiver"])
    proof = await lab.sign("lin", "waiver_approved", "waiver", str(waiver))
    ok(await lab.as_("lin").post(f"/waivers/{waiver}/approve", {"ceremony": proof}))
    return waiver


async def test_a_material_lot_is_approved_on_a_waiver_that_its_judgement_cites(lab: Lab):
    lot = await pooled(lab)
    path, key = f"/material-lots/{lot['code']}", await life.id_of(lab, lot["code"])
    assert await outcome_of(lab, path, "MAT-07") == "needs_waiver"
    signed = await life.ceremony(lab, "quinn", "material_approved", "material_lot", key)
    refused(await lab.as_("quinn").post(f"{path}/approve", {"ceremony": signed}), 409, "blocked")

    waiver = await signed_waiver(lab, path, "MAT-07")
    assert await outcome_of(lab, path, "MAT-07") == "pass_with_waiver"
    (shown,) = ok(await lab.as_("tess").get(f"{path}/waivers"))
    assert (shown["waiver"], shown["approved_by"]) == (waiver, "Dr Lin Qing")
    signed = await life.ceremony(lab, "quinn", "material_approved", "material_lot", key)
    assert ok(await lab.as_("quinn").post(f"{path}/approve", {"ceremony": signed}))["state"] == "approved"
    kept = await lab.value(
        "SELECT verdicts::text FROM lab.judgements WHERE subject_id = $1 ORDER BY id DESC LIMIT 1", key
    )
    assert f'"waiver": {waiver}' in kept


async def test_a_donations_rule_is_waived_for_that_donation_alone(lab: Lab):
    lived = await life.preparation(lab, upto="eligible")
    other = await life.preparation(lab, upto="eligible")
    for each in (lived, other):
        await lab.arrange(
            "INSERT INTO lab.marker_results (donor_id, analyte, marker, method, kit_lot, laboratory, sampled_at, reported_at,"
            " outcome, recorded_by) SELECT $1, 'HBV', 'anti-HBc', 'CLIA', 'K', 'L', now() - interval '3 days',"
            " now() - interval '2 days', 'positive', id FROM people.accounts WHERE username = 'ana'",
            await life.id_of(lab, each.donor),
        )
    path = f"/donations/{lived.donation}"
    assert await outcome_of(lab, path, "DON-04") == "needs_waiver"
    await signed_waiver(lab, path, "DON-04")
    assert await outcome_of(lab, path, "DON-04") == "pass_with_waiver"
    assert await outcome_of(lab, f"/donations/{other.donation}", "DON-04") == "needs_waiver"


async def test_materials_and_donations_take_no_waiver_that_there_is_none_of_or_that_judges_something_else(lab: Lab):
    lot, lived = await pooled(lab), await life.preparation(lab, upto="eligible")
    quinn = lab.as_("quinn")
    for path, never, elsewhere in (
        (f"/material-lots/{lot['code']}", ("MAT-03", "MAT-05", "MAT-06", "HOLD"), "REL-02"),
        (f"/donations/{lived.donation}", ("DON-12", "DON-05", "DON-10"), "MAT-07"),
    ):
        for rule in never:
            assert refused(await quinn.post(f"{path}/waivers", body_for(rule)), 409, "blocked")["rule"] == rule
        refused(await quinn.post(f"{path}/waivers", body_for(elsewhere)), 422, "bad-input")
        refused(await lab.as_("tess").post(f"{path}/waivers", body_for("MAT-07")), 403, "not-permitted")
        assert ok(await quinn.get(f"{path}/waivers")) == []
    refused(await quinn.post(f"/donations/{lived.donor}/waivers", body_for("DON-04")), 404, "not-found")
