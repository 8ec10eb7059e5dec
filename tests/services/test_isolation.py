"""Isolation: from a donation that may be processed to a primary culture that is traced."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests import life
from tests.world import ok, refused

if TYPE_CHECKING:
    from typing import Any

    from tests.world import Lab

COUNTS = {"viable": "1.8e7", "dead": "1.1e6", "flasks": 2}


async def isolate(lived: life.Life, who: str = "tess", **more: Any) -> Any:
    return await lived.lab.as_(who).post(f"/lots/{lived.lot}/isolation", lived.step(**COUNTS) | more)


async def nothing_changed(lived: life.Life) -> None:
    lot = await lived.lot_id()
    assert await lived.state() == "planned"
    for table in ("steps", "containers", "consumptions"):
        assert await lived.lab.value(f"SELECT count(*) FROM lab.{table} WHERE lot_id = $1", lot) == 0


async def test_isolation_makes_flasks_that_lead_to_donor_and_materials(lab: Lab):
    lived = await life.preparation(lab, upto="cleared")

    made = ok(await isolate(lived))

    assert (made["passage"], made["cpdl"], made["pd"], made["state"]) == (0, 0.0, None, "in_process")
    assert len(made["containers"]) == 2
    behind = await lab.sql(
        "SELECT k.code FROM lab.lineage l JOIN lab.item_codes k ON k.item_id = l.parent_id AND k.scheme = 'own'"
        " WHERE l.child_id = $1",
        await lived.id(made["containers"][0]),
    )
    assert {row["code"] for row in behind} == {lived.donation, *lived.shared.bottles}
    used = await lab.value("SELECT count(*) FROM lab.consumptions WHERE lot_id = $1", await lived.lot_id())
    assert used == 2
    gates = await lab.sql(
        "SELECT gate, blocks FROM lab.judgements WHERE recorded_by = $1 ORDER BY id DESC LIMIT 2", lab.id_of("tess")
    )
    assert {(row["gate"], row["blocks"]) for row in gates} == {("G2", False), ("G4", False)}


async def test_the_process_version_says_how_passages_are_counted(lab: Lab):
    shared = await life.shared(lab)
    one_based = life.Shared(
        process=await life.process(lab, passage_convention="primary_is_p1"),
        specification=shared.specification,
        material_lots=shared.material_lots,
        bottles=shared.bottles,
        freezer=shared.freezer,
    )
    lived = await life.preparation(lab, upto="cleared", use=one_based)

    assert ok(await isolate(lived))["passage"] == 1


async def test_a_donation_that_nobody_determined_eligible_is_not_processed(lab: Lab):
    shared = await life.shared(lab)
    lived = await life.preparation(lab, upto="eligible")
    received = {
        "donor": lived.donor,
        "tissue": "bone marrow",
        "collected_at": life.ago(hours=3),
        "received_at": life.ago(hours=2),
    }
    lived.donation = ok(await lab.as_("tess").post("/donations", received))["code"]
    planned = ok(
        await lab.as_("tess").post(
            "/lots", {"process": shared.process, "specification": shared.specification, "donation": lived.donation}
        )
    )
    lived.lot = planned["code"]
    lived.workstation = (await life.equipment(lab))["code"]
    ok(await life.clear(lived, "before"))

    problem = refused(await isolate(lived), 409, "blocked")

    assert problem["rule"] == "DON-12"
    await nothing_changed(lived)


async def test_evidence_signed_after_the_step_began_does_not_count(lab: Lab):
    lived = await life.preparation(lab, upto="cleared")
    early = life.ago(hours=2)

    problem = refused(await isolate(lived, started_at=early), 409, "blocked")

    assert {each["rule"] for each in problem["findings"]} >= {"DON-12"}
    await nothing_changed(lived)


async def test_a_workstation_that_nobody_cleared_is_refused(lab: Lab):
    lived = await life.preparation(lab, upto="planned")
    lived.workstation = (await life.equipment(lab))["code"]

    problem = refused(await isolate(lived), 409, "blocked")

    assert "GMP-03" in {each["rule"] for each in problem["findings"]}
    await nothing_changed(lived)


async def test_a_workstation_of_another_donor_is_refused(lab: Lab):
    there = await life.preparation(lab, upto="cleared")
    lived = await life.preparation(lab, upto="cleared")

    refused(await isolate(lived, workstation=there.workstation), 409, "blocked")

    await nothing_changed(lived)


async def test_materials_in_quarantine_out_of_date_or_held_are_refused(lab: Lab):
    lived = await life.preparation(lab, upto="cleared")
    quarantined = await life.material_lot(lab, "Serum", [{"name": "human platelet lysate", "cas": None}])
    use = [{"container": quarantined["containers"][0]["code"], "quantity": "1", "unit": "mL"}]
    problem = refused(await isolate(lived, materials=use), 409, "blocked")
    assert "MAT-06" in {each["rule"] for each in problem["findings"]}

    approved = await life.approved_material(lab, "Buffer", [{"name": "sodium chloride", "cas": "7647-14-5"}])
    use = [{"container": approved["containers"][0]["code"], "quantity": "1", "unit": "mL"}]
    ok(await lab.as_("tess").post("/holds", {"item": approved["containers"][0]["code"], "reason": "seal broken"}))
    refused(await isolate(lived, materials=use), 409, "held")

    ok(await lab.as_("tess").post("/holds", {"item": approved["code"], "reason": "supplier called"}))
    problem = refused(await isolate(lived, materials=use), 409, "blocked")
    assert {"HOLD", "MAT-06"} <= {each["rule"] for each in problem["findings"]}
    await nothing_changed(lived)


async def test_a_material_is_good_until_the_end_of_its_last_day_at_the_facility(lab: Lab):
    lived = await life.preparation(lab, upto="cleared")
    today = await life.approved_material(
        lab,
        "Buffer",
        [{"name": "sodium chloride", "cas": "7647-14-5"}],
        expires_on=str((datetime.now(UTC) + timedelta(hours=8)).date()),
    )
    use = [{"container": today["containers"][0]["code"], "quantity": "1", "unit": "mL"}]

    ok(await isolate(lived, materials=use))


async def test_a_material_lot_out_of_date_is_refused(lab: Lab):
    lived = await life.preparation(lab, upto="cleared")
    stale = await life.material_lot(
        lab, "Buffer", [{"name": "sodium chloride", "cas": "7647-14-5"}], expires_on="2026-01-31"
    )
    use = [{"container": stale["containers"][0]["code"], "quantity": "1", "unit": "mL"}]

    problem = refused(await isolate(lived, materials=use), 409, "blocked")

    assert any("2026-01-31" in each["problem"] for each in problem["findings"])
    await nothing_changed(lived)


async def test_penicillin_is_refused_whatever_the_bottle_is_called(lab: Lab):
    lived = await life.preparation(lab, upto="cleared")
    mixture = await life.material_lot(lab, "Supplement X", [{"name": "penicillin G sodium", "cas": "69-57-8"}])
    use = [{"container": mixture["containers"][0]["code"], "quantity": "1", "unit": "mL"}]

    problem = refused(await isolate(lived, materials=use), 409, "blocked")

    assert "MAT-03" in {each["rule"] for each in problem["findings"]}
    await nothing_changed(lived)


async def test_a_held_donation_is_not_processed(lab: Lab):
    lived = await life.preparation(lab, upto="cleared")
    ok(await lab.as_("phil").post("/holds", {"item": lived.donation, "reason": "donor called back"}))

    problem = refused(await isolate(lived), 409, "blocked")

    assert problem["rule"] == "HOLD"
    await nothing_changed(lived)


async def test_isolation_happens_once_and_at_a_time_that_can_be(lab: Lab):
    lived = await life.preparation(lab, upto="cleared")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    refused(await isolate(lived, ended_at=tomorrow), 422, "bad-input")
    refused(await isolate(lived, ended_at=life.ago(days=1)), 422, "bad-input")
    refused(await isolate(lived, viable="0", dead="0"), 422)
    await nothing_changed(lived)

    ok(await isolate(lived))
    refused(await isolate(lived), 409, "illegal-move")
    assert await lab.value("SELECT count(*) FROM lab.steps WHERE lot_id = $1", await lived.lot_id()) == 1


async def test_performing_and_verifying_are_two_peoples_work(lab: Lab):
    lived = await life.preparation(lab, upto="cleared")

    refused(await isolate(lived, verified_by="vera"), 422, "bad-input")  # nobody verifies by being named
    refused(await isolate(lived, who="vera"), 403, "not-permitted")
    refused(await isolate(lived, who="quinn"), 403, "not-permitted")

    await nothing_changed(lived)


async def test_a_code_that_is_no_material_container_is_named(lab: Lab):
    lived = await life.preparation(lab, upto="cleared")

    problem = refused(
        await isolate(lived, materials=[{"container": lived.donation, "quantity": "1", "unit": "mL"}]), 404, "not-found"
    )

    assert problem["code"] == lived.donation
    await nothing_changed(lived)
