"""What a material lot must bring with it before it is approved: grade, origin, papers, selection."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.services import things
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.world import Lab


async def lot_of(lab: Lab, **more: Any) -> tuple[str, dict[str, Any]]:
    """A material defined so, and a lot of it in quarantine."""
    material = await things.material(lab, **more)
    return material["name"], await things.material_lot(lab, material["name"])


async def stands(lab: Lab, lot: dict[str, Any], rule: str) -> str:
    shown = ok(await lab.as_("quinn").get(f"/material-lots/{lot['code']}"))
    return next(each["outcome"] for each in shown["gate"]["verdicts"] if each["rule"] == rule)


async def approve(lab: Lab, lot: dict[str, Any]) -> Any:
    signed = await lab.sign("quinn", "material_approved", "material_lot", lot["code"])
    return await lab.as_("quinn").post(f"/material-lots/{lot['code']}/approve", {"ceremony": signed})


async def file(lab: Lab, lot: dict[str, Any], kind: str, who: str = "rolf", **more: Any) -> Any:
    body = {"kind": kind, "reference": f"C-{kind}", **more}
    return await lab.as_(who).post(f"/material-lots/{lot['code']}/certificates", body)


async def state(lab: Lab, name: str, **more: Any) -> Any:
    body = {"material": name, "animal_derived": False, "human_derived": False, **more}
    return await lab.as_("quinn").post("/materials/origins", body)


async def test_another_grade_is_approved_on_a_signed_assessment_with_a_search(lab: Lab) -> None:
    name, lot = await lot_of(lab, grade="gmp_ancillary")
    assert {rule: await stands(lab, lot, rule) for rule in ("MAT-01", "MAT-02")} == {"MAT-01": "fail", "MAT-02": "fail"}
    problem = refused(await approve(lab, lot), 409, "blocked")
    assert {each["rule"] for each in problem["rules"]} == {"MAT-01", "MAT-02"}
    await things.assessed(lab, "MAT-02", name, "residual_removal", "incoming_test")
    assert {rule: await stands(lab, lot, rule) for rule in ("MAT-01", "MAT-02")} == {"MAT-01": "fail", "MAT-02": "pass"}
    await things.assessed(lab, "MAT-02", name, "medicinal_search", "residual_removal", "incoming_test")
    assert ok(await approve(lab, lot))["state"] == "approved"


async def test_an_assessment_of_a_material_is_about_a_material_alone(lab: Lab) -> None:
    body = {
        "rule": "MAT-02",
        "scope": {"kind": "facility"},
        "title": "everything",
        "hazard": "any",
        "mitigations": [{"measure": "care", "control": "incoming_test"}],
        "conclusion": "fine",
        "valid_to": (things.now() + timedelta(days=300)).isoformat(),
    }
    refused(await lab.as_("quinn").post("/assessments", body), 422)
    refused(await lab.as_("quinn").post("/assessments", {**body, "scope": {"kind": "material", "name": "none"}}), 404)


async def test_animal_origin_is_unknown_stated_and_justified(lab: Lab) -> None:
    name, lot = await lot_of(lab, animal_derived=None)
    assert await stands(lab, lot, "MAT-04") == "indeterminate"
    assert ok(await state(lab, name, animal_derived=True))["animal_derived"] is True
    assert await stands(lab, lot, "MAT-04") == "fail"
    await things.assessed(lab, "MAT-04", name, "animal_free_search")
    assert await stands(lab, lot, "MAT-04") == "fail"
    await things.assessed(lab, "MAT-04", name, "animal_free_search", "residual_test")
    assert await stands(lab, lot, "MAT-04") == "pass"
    kept = await lab.value(
        "SELECT count(*) FROM lab.material_statements s JOIN lab.materials m ON m.id = s.material_id WHERE m.name = $1",
        name,
    )
    assert kept == 2
    refused(await state(lab, "nobody's"), 404, "not-found")
    body = {"material": name, "animal_derived": False, "human_derived": False}
    refused(await lab.as_("tess").post("/materials/origins", body), 403, "not-permitted")


async def test_a_human_reagent_is_licensed_or_its_pool_is_certified(lab: Lab) -> None:
    _, lot = await lot_of(lab, human_derived=True)
    assert await stands(lab, lot, "MAT-07") == "fail"
    ok(await file(lab, lot, "donor_pool", pool_size=900))
    assert await stands(lab, lot, "MAT-07") == "needs_waiver"
    ok(await file(lab, lot, "donor_pool", pool_size=12))
    assert await stands(lab, lot, "MAT-07") == "needs_waiver"
    ok(await file(lab, lot, "virus_inactivation"))
    assert await stands(lab, lot, "MAT-07") == "pass"

    _, licensed = await lot_of(lab, human_derived=True)
    ok(await file(lab, licensed, "marketing_licence"))
    assert ok(await approve(lab, licensed))["state"] == "approved"


async def test_a_paper_that_cannot_be_is_not_filed(lab: Lab) -> None:
    _, lot = await lot_of(lab)
    refused(await file(lab, lot, "donor_pool"), 422)
    refused(await file(lab, lot, "sterility", pool_size=3), 422)
    refused(await file(lab, lot, "sterility", who="tess"), 403, "not-permitted")
    assert (await file(lab, lot, "goodwill")).status_code == 422
    assert not ok(await lab.as_("tess").get(f"/material-lots/{lot['code']}"))["certificates"]


async def test_single_use_items_bring_their_papers(lab: Lab) -> None:
    _, lot = await lot_of(lab, kind="single_use", grade="clinical_device")
    assert await stands(lab, lot, "MAT-08") == "fail"
    for kind in ("sterility", "endotoxin"):
        ok(await file(lab, lot, kind))
    assert await stands(lab, lot, "MAT-08") == "needs_waiver"
    shown = ok(await file(lab, lot, "compatibility"))
    assert [each["kind"] for each in shown["certificates"]] == ["sterility", "endotoxin", "compatibility"]
    assert ok(await approve(lab, lot))["state"] == "approved"


async def test_a_vector_says_what_it_was_selected_with(lab: Lab) -> None:
    name, lot = await lot_of(lab, kind="vector", description="pUC57 backbone, AmpR")
    assert await stands(lab, lot, "MAT-03") == "indeterminate"
    ok(await state(lab, name, selected_with="ampicillin 100 µg/mL"))
    assert await stands(lab, lot, "MAT-03") == "fail"
    ok(await state(lab, name, selected_with="kanamycin"))
    assert await stands(lab, lot, "MAT-03") == "pass"
    other, _ = await lot_of(lab)
    refused(await state(lab, other, selected_with="kanamycin"), 422)


async def test_a_certificate_that_came_after_the_receipt_counts_from_its_review(lab: Lab) -> None:
    material = await things.material(lab)
    lot = await things.material_lot(lab, material["name"], certificate_reference=None, certificate_reviewed_at=None)
    assert await stands(lab, lot, "MAT-06") == "indeterminate"
    ok(await file(lab, lot, "analysis"))
    assert await stands(lab, lot, "MAT-06") == "pass"
    assert ok(await approve(lab, lot))["state"] == "approved"
