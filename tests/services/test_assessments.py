"""Assessments: proposed by one, approved by the authority, and what then stands on them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests import life
from tests.services import things
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.world import Lab

KEPT = "SELECT count(*) FROM lab.assessments WHERE number = $1"
MEASURES = [
    {"measure": "one donor at a time", "control": "time_slot"},
    {"measure": "vapour only", "control": "vapour_tank"},
    {"measure": "gown and gloves changed", "control": "protective_clothing"},
    {"measure": "sporicide between donors", "control": "cleaning"},
    {"measure": "closed bags", "control": "waste"},
]


def body(**more: Any) -> dict[str, Any]:
    return {
        "rule": "DON-05",
        "scope": {"kind": "facility"},
        "title": "Cross-contamination between donors",
        "hazard": "cells of one donor reach another's product",
        "mitigations": MEASURES,
        "conclusion": "acceptable",
        "valid_to": (datetime.now(UTC) + timedelta(days=365)).isoformat(),
        **more,
    }


def version(**more: Any) -> dict[str, Any]:
    return {name: value for name, value in body(**more).items() if name not in {"rule", "scope"}}


async def proposed(lab: Lab, who: str = "quinn", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = ok(await lab.as_(who).post("/assessments", body(**more)))
    return found


async def approve(lab: Lab, assessment: int, who: str = "lin") -> Any:
    signed = await life.ceremony(lab, who, "assessment_approved", "assessment", assessment)
    return await lab.as_(who).post(f"/assessments/{assessment}/approve", {"ceremony": signed})


async def about_donor(lab: Lab, donor: str, rule: str) -> dict[str, Any]:
    made = await proposed(lab, rule=rule, scope={"kind": "donor", "name": donor})
    ok(await approve(lab, made["assessment"]))
    return made


async def test_an_assessment_is_proposed_signed_and_read(lab: Lab) -> None:
    made = await proposed(lab)
    assert made["number"].startswith("AS-")

    signed = await lab.sign("lin", "assessment_approved", "assessment", str(made["assessment"]))
    approved = ok(await lab.as_("lin").post(f"/assessments/{made['assessment']}/approve", {"ceremony": signed}))
    assert (approved["number"], approved["version"]) == (made["number"], 1)

    (one,) = ok(await lab.as_("tess").get(f"/assessments/{made['number']}"))
    assert (one["state"], one["proposed_by"], one["approved_by"]) == ("in_force", "quinn", "Dr Lin Qing")
    assert (one["scope_kind"], one["scope"], one["mitigations"][0]) == ("facility", None, MEASURES[0])
    listed = ok(await lab.as_("tess").get("/assessments", rule="DON-05", limit=1))
    assert listed[0]["number"] == made["number"]
    older = ok(await lab.as_("tess").get("/assessments", after=made["assessment"]))
    assert made["assessment"] not in {each["assessment"] for each in older}


async def test_the_authority_alone_approves_and_once(lab: Lab) -> None:
    made = await proposed(lab, "hedda")
    path = f"/assessments/{made['assessment']}/approve"
    signed = await life.ceremony(lab, "lin", "assessment_approved", "assessment", made["assessment"])
    refused(await lab.as_("quinn").post(path, {"ceremony": signed}), 403, "not-permitted")
    refused(await lab.as_("lin").post("/assessments/999999999/approve", {"ceremony": signed}), 404, "not-found")
    ok(await approve(lab, made["assessment"]))
    assert (await approve(lab, made["assessment"])).status_code in {403, 409}
    for who in ("tess", "ana", "adam"):
        refused(await lab.as_(who).post("/assessments", body()), 403, "not-permitted")


async def test_nobody_approves_their_own(lab: Lab) -> None:
    made = await proposed(lab)
    await lab.arrange("UPDATE lab.assessments SET proposed_by = $2 WHERE id = $1", made["assessment"], lab.id_of("lin"))
    refused(await approve(lab, made["assessment"]), 403, "ceremony-refused")
    assert (await one_of(lab, made))["state"] == "proposed"


async def one_of(lab: Lab, made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = ok(await lab.as_("tess").get(f"/assessments/{made['number']}"))[0]
    return found


async def test_a_new_version_supersedes_the_earlier_when_it_is_approved_not_before(lab: Lab) -> None:
    made = await proposed(lab)
    ok(await approve(lab, made["assessment"]))
    second = ok(await lab.as_("phil").post(f"/assessments/{made['number']}/versions", version(title="Anew")))
    assert second["version"] == 2
    states = [each["state"] for each in ok(await lab.as_("tess").get(f"/assessments/{made['number']}"))]
    assert states == ["proposed", "in_force"]

    ok(await approve(lab, second["assessment"]))
    both = ok(await lab.as_("tess").get(f"/assessments/{made['number']}"))
    assert [each["state"] for each in both] == ["in_force", "superseded"]
    assert both[0]["scope_kind"] == both[1]["scope_kind"]


async def test_a_version_older_than_the_one_that_stands_is_not_approved(lab: Lab) -> None:
    made = await proposed(lab)
    second = ok(await lab.as_("quinn").post(f"/assessments/{made['number']}/versions", version()))
    ok(await approve(lab, second["assessment"]))
    refused(await approve(lab, made["assessment"]), 409, "conflict")


async def test_what_changed_after_it_was_shown_is_not_signed(lab: Lab) -> None:
    made = await proposed(lab)
    signed = await life.ceremony(lab, "lin", "assessment_approved", "assessment", made["assessment"])
    await lab.arrange("UPDATE lab.assessments SET conclusion = 'not at all' WHERE id = $1", made["assessment"])
    path = f"/assessments/{made['assessment']}/approve"
    refused(await lab.as_("lin").post(path, {"ceremony": signed}), 409, "stale")
    assert (await one_of(lab, made))["approved_by"] is None


async def test_what_cannot_be_proposed(lab: Lab) -> None:
    quinn = lab.as_("quinn")
    assert refused(await quinn.post("/assessments", body(rule="MAT-03")), 409, "blocked")["rule"] == "MAT-03"
    assert refused(await quinn.post("/assessments", body(rule="XX-99")), 422)["field"] == "rule"
    assert refused(await quinn.post("/assessments", body(rule="DON-04")), 422)["field"] == "scope"
    nameless = body(scope={"kind": "process", "name": "BM-MSC"})
    assert refused(await quinn.post("/assessments", nameless), 422)["field"] == "scope"
    unknown = body(scope={"kind": "process", "name": "no such process", "version": 7})
    refused(await quinn.post("/assessments", unknown), 404, "not-found")
    refused(await quinn.post("/assessments", body(scope={"kind": "donor", "name": "P-NOBODY"})), 404)
    refused(await quinn.post("/assessments", body(mitigations=[])), 422)
    for days in (-1, 365 * 3):
        end = (datetime.now(UTC) + timedelta(days=days)).isoformat()
        assert refused(await quinn.post("/assessments", body(valid_to=end)), 422)["field"] == "valid_to"
    refused(await quinn.post("/assessments/AS-26-99999/versions", version()), 404, "not-found")
    assert await lab.value(KEPT, "AS-26-99999") == 0


async def test_an_assessment_is_about_a_process_version_or_a_donor_by_name(lab: Lab) -> None:
    made = await life.process(lab)
    one = await proposed(lab, scope={"kind": "process", **made})
    assert (await one_of(lab, one))["scope"] == f"{made['name']} 1"
    lived = await life.preparation(lab, upto="eligible")
    pseudonym = await lab.value("SELECT pseudonym FROM lab.persons WHERE id = $1", await lived.id(lived.donor))
    for name in (lived.donor, pseudonym):
        about = await proposed(lab, rule="DON-04", scope={"kind": "donor", "name": name})
        assert (await one_of(lab, about))["scope"] == pseudonym


# -- what stands on them -------------------------------------------------------------------------------------------------


async def positive_donation(lab: Lab) -> life.Life:
    """A donation of a patient whose HBsAg is positive, not yet determined."""
    donor = await things.ready_donor(lab)
    more = [each for each in life.markers(HBV="positive") if each["marker"] == "HBsAg"]
    ok(await lab.as_("ana").post(f"/donors/{donor}/markers", {"markers": more}))
    donation = (await things.donation(lab, donor))["code"]
    return life.Life(lab, await life.shared(lab), donor=donor, donation=donation, stage="eligible")


async def rules_against(lab: Lab, donation: str) -> dict[str, str]:
    shown = ok(await lab.as_("quinn").get(f"/donations/{donation}"))
    closing = {"fail", "needs_waiver", "indeterminate"}
    return {each["rule"]: each["outcome"] for each in shown["gate"]["verdicts"] if each["outcome"] in closing}


def withdrawal() -> dict[str, Any]:
    return {"form_version": "ICF-2", "withdrawn_at": life.now()}


async def test_a_positive_patient_is_processed_only_on_assessments_about_that_patient(lab: Lab) -> None:
    lived = await positive_donation(lab)
    undetermined = {"DON-12": "indeterminate"}
    against = {"DON-04": "needs_waiver", "DON-05": "fail"}
    assert await rules_against(lab, lived.donation) == against | undetermined
    await life.go_on(lived, upto="cleared")
    start = lived.step(viable="1.8e7", dead="1.1e6", flasks=2)
    refused(await lab.as_("tess").post(f"/lots/{lived.lot}/isolation", start), 409, "blocked")

    await about_donor(lab, lived.donor, "DON-05")
    assert await rules_against(lab, lived.donation) == {"DON-04": "needs_waiver"} | undetermined
    await about_donor(lab, lived.donor, "DON-04")
    assert await rules_against(lab, lived.donation) == undetermined
    donation = await life.id_of(lab, lived.donation)
    signed = await life.ceremony(lab, "phil", "eligibility_determined", "donation", donation, "eligible")
    decision = {"decision": "eligible", "reason": "assessed for this patient", "ceremony": signed}
    ok(await lab.as_("phil").post(f"/donations/{lived.donation}/determination", decision))
    start = lived.step(viable="1.8e7", dead="1.1e6", flasks=2)
    problem = refused(await lab.as_("tess").post(f"/lots/{lived.lot}/isolation", start), 409, "blocked")
    assert "DON-14" in {each["rule"] for each in problem["findings"]}, "it stands among other material, for all we know"
    place = (await life.equipment(lab, "segregated_storage"))["code"]
    kept = {"place": place, "biohazard_labelled": True, "stored_at": life.now()}
    ok(await lab.as_("tess").post(f"/donations/{lived.donation}/storage", kept))
    await life.go_on(lived, upto="isolated")


async def test_a_withdrawn_consent_closes_the_way_into_processing(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="cleared")
    ok(await lab.as_("phil").post(f"/donors/{lived.donor}/consents/withdrawal", withdrawal()))
    assert await rules_against(lab, lived.donation) == {"DON-10": "fail", "HOLD": "fail"}, "and it is held at once"
    start = lived.step(viable="1.8e7", dead="1.1e6", flasks=2)
    problem = refused(await lab.as_("tess").post(f"/lots/{lived.lot}/isolation", start), 409, "blocked")
    assert {"DON-10", "HOLD"} <= {each["rule"] for each in problem["findings"]}


async def test_allogeneic_cells_without_a_bank_are_not_processed(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="cleared", relation="allogeneic")
    start = lived.step(viable="1.8e7", dead="1.1e6", flasks=2)
    problem = refused(await lab.as_("tess").post(f"/lots/{lived.lot}/isolation", start), 409, "blocked")
    assert problem["rule"] == "CB-03"


async def test_the_gate_itself_asks_for_consent_assessment_and_what_was_used(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="frozen")
    objections = "SELECT o FROM gate.objections($1, $2) AS o"

    async def against() -> set[str]:
        rows = await lab.sql(objections, await lived.lot_id(), lab.id_of("lin"))
        return {row[0].split(":")[0] for row in rows} & {"DON-05", "DON-10", "CB-06"}

    assert await against() == set()
    bottle = await lived.id(lived.shared.bottles[0])
    await lab.arrange(
        "INSERT INTO lab.consumptions (lot_id, container_id, material_lot_id, used_at, recorded_by)"
        " SELECT $1, $2, lot_id, now(), $3 FROM lab.containers WHERE id = $2",
        await lived.lot_id(),
        bottle,
        lab.id_of("tess"),
    )
    ok(await lab.as_("phil").post(f"/donors/{lived.donor}/consents/withdrawal", withdrawal()))
    assert await against() == {"DON-10", "CB-06"}


async def test_the_gate_itself_does_not_count_what_was_approved_after_processing_began(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="isolated")
    rows = await lab.sql(
        "SELECT o FROM gate.objections($1, $2) AS o WHERE o LIKE 'DON-05%'", await lived.lot_id(), lab.id_of("lin")
    )
    assert rows == []
    # As if it had begun before anything was assessed.
    began = datetime.now(UTC) - timedelta(days=300)
    connection_hands = "UPDATE lab.steps SET started_at = $2 WHERE lot_id = $1"
    in_the_way = ("a_append_only", "b_lock_root", "z_keep_row")
    for trigger in in_the_way:
        await lab.sql(f"ALTER TABLE lab.steps DISABLE TRIGGER {trigger}")
    try:
        await lab.sql(connection_hands, await lived.lot_id(), began)
    finally:
        for trigger in in_the_way:
            await lab.sql(f"ALTER TABLE lab.steps ENABLE ALWAYS TRIGGER {trigger}")
    rows = await lab.sql(
        "SELECT o FROM gate.objections($1, $2) AS o WHERE o LIKE 'DON-05%'", await lived.lot_id(), lab.id_of("lin")
    )
    assert len(rows) == 1
