"""Partners: assessed in three parts, signed by the quality authority, bound by an agreement; then a study may name them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from tests import life, study
from tests.services.test_studies import closing
from tests.study import day
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.conftest import Database
    from tests.world import Lab

PARTS = [{"section": each, "score": 88, "accepted": True} for each in ("qualification", "facilities", "quality_system")]
DUTIES = dict.fromkeys(("preparation", "testing", "release", "records", "data_access"), "house")
SIGNED = "SELECT signature_id FROM lab.partner_assessments WHERE id = $1"


def assessment(*findings: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"assessed_on": day(-20), "sections": PARTS, "findings": findings, "evidence": "PA-1", **more}


async def partner(lab: Lab) -> dict[str, Any]:
    """A new partner: its name and number."""
    name = f"Courier {uuid.uuid4().hex[:8]}"
    made = ok(await lab.as_("quinn").post("/partners", {"name": name, "kind": "transport", "address": "Road 1"}))
    return {"name": name, "number": made["partner"]}


async def assessed(lab: Lab, number: int, body: dict[str, Any]) -> int:
    """The number of an assessment that the quality authority signed."""
    key = int(ok(await lab.as_("quinn").post(f"/partners/{number}/assessments", body))["record"])
    signed = await life.ceremony(lab, "lin", "partner_decided", "partner_assessment", key)
    ok(await lab.as_("lin").post(f"/partners/assessments/{key}/decision", {"ceremony": signed}))
    return key


async def agreement(lab: Lab, **more: Any) -> dict[str, Any]:
    process = (await life.shared(lab)).process
    duties = {**DUTIES, "transport": "partner"}
    body = {"process": process["name"], "process_version": process["version"], "duties": duties}
    return {**body, "signed_on": day(-15), "reference": "QA-7", **more}


async def test_a_study_with_a_partner_waits_for_assessment_and_agreement(lab: Lab) -> None:
    number, courier, quinn = await study.ready(lab), await partner(lab), lab.as_("quinn")
    assert await closing(lab, number, "G8") == set()
    ok(await quinn.post(f"/studies/{number}/partners", {"partner": courier["name"]}))
    assert await closing(lab, number, "G7") == await closing(lab, number, "G8") == {"EXT-01", "EXT-02"}
    key = int(ok(await quinn.post(f"/partners/{courier['number']}/assessments", assessment()))["record"])
    assert await closing(lab, number, "G8") == {"EXT-01", "EXT-02"}, "unsigned, it counts for nothing"
    signed = await lab.sign("lin", "partner_decided", "partner_assessment", str(key))
    ok(await lab.as_("lin").post(f"/partners/assessments/{key}/decision", {"ceremony": signed}))
    assert await closing(lab, number, "G8") == {"EXT-02"}
    ok(await quinn.post(f"/partners/{courier['number']}/agreements", await agreement(lab)))
    assert await closing(lab, number, "G7") == await closing(lab, number, "G8") == set()


@pytest.mark.parametrize(
    ("body", "closes"),
    [
        (assessment({"severity": "critical", "what": "x"}), True),
        (assessment({"severity": "critical", "what": "x", "closed_on": day(-2)}), False),
        (assessment({"severity": "major", "what": "x"}), True),
        (assessment({"severity": "major", "what": "x", "capa_due_on": day(30)}), False),
        (assessment({"severity": "minor", "what": "x"}), False),
        (assessment(assessed_on=day(-800)), True),
        (assessment(sections=[{**each, "accepted": each["section"] != "facilities"} for each in PARTS]), True),
    ],
)
async def test_what_was_found_decides_and_a_later_assessment_takes_its_place(
    lab: Lab, body: dict[str, Any], closes: bool
) -> None:
    number, courier = await study.ready(lab), await partner(lab)
    ok(await lab.as_("quinn").post(f"/studies/{number}/partners", {"partner": courier["name"]}))
    ok(await lab.as_("quinn").post(f"/partners/{courier['number']}/agreements", await agreement(lab)))
    await assessed(lab, courier["number"], body)
    assert await closing(lab, number, "G8") == ({"EXT-01"} if closes else set())
    await assessed(lab, courier["number"], assessment())
    assert await closing(lab, number, "G8") == set()
    seen = ok(await lab.as_("tess").get(f"/partners/{courier['number']}"))
    assert len(seen["assessments"]) == 2


async def test_an_agreement_that_leaves_the_release_to_nobody_is_not_enough(lab: Lab) -> None:
    number, courier = await study.ready(lab), await partner(lab)
    ok(await lab.as_("quinn").post(f"/studies/{number}/partners", {"partner": courier["name"]}))
    await assessed(lab, courier["number"], assessment())
    duties = {**DUTIES, "transport": "partner", "release": "nobody"}
    body = await agreement(lab, duties=duties)
    ok(await lab.as_("quinn").post(f"/partners/{courier['number']}/agreements", body))
    assert await closing(lab, number, "G8") == {"EXT-02"}


async def test_nobody_but_the_authority_signs_and_only_once(lab: Lab) -> None:
    courier = await partner(lab)
    path = f"/partners/{courier['number']}/assessments"
    key = int(ok(await lab.as_("hedda").post(path, assessment()))["record"])
    refused(await lab.try_to_sign("quinn", "partner_decided", "partner_assessment", str(key)), 403)
    other = str(uuid.uuid4())
    refused(
        await lab.as_("quinn").post(f"/partners/assessments/{key}/decision", {"ceremony": other}), 403, "not-permitted"
    )
    refused(await lab.as_("lin").post(f"/partners/assessments/{key}/decision", {"ceremony": other}), 403)
    assert await lab.value(SIGNED, key) is None
    signed = await life.ceremony(lab, "lin", "partner_decided", "partner_assessment", key)
    ok(await lab.as_("lin").post(f"/partners/assessments/{key}/decision", {"ceremony": signed}))
    again = await life.ceremony(lab, "lin", "partner_decided", "partner_assessment", key)
    refused(await lab.as_("lin").post(f"/partners/assessments/{key}/decision", {"ceremony": again}), 409)


@pytest.mark.parametrize(
    "body",
    [
        assessment(assessed_on=day(3)),
        assessment(sections=[PARTS[0]] * 3),
        assessment(sections=[{**PARTS[0], "score": 101}, *PARTS[1:]]),
        assessment({"severity": "awful", "what": "x"}),
        assessment({"severity": "major", "what": "x", "closed_on": day(3)}),
    ],
)
async def test_an_assessment_that_cannot_be_is_refused(lab: Lab, body: dict[str, Any]) -> None:
    courier = await partner(lab)
    before = await lab.value("SELECT count(*) FROM lab.partner_assessments")
    refused(await lab.as_("quinn").post(f"/partners/{courier['number']}/assessments", body), 422, "bad-input")
    assert await lab.value("SELECT count(*) FROM lab.partner_assessments") == before


async def test_what_names_what_is_not_there_is_refused(lab: Lab) -> None:
    number, courier, quinn = await study.registered(lab), await partner(lab), lab.as_("quinn")
    refused(await quinn.post(f"/studies/{number}/partners", {"partner": "Nobody Ltd"}), 422, "bad-input")
    ok(await quinn.post(f"/studies/{number}/partners", {"partner": courier["name"]}))
    refused(await quinn.post(f"/studies/{number}/partners", {"partner": courier["name"]}), 409, "conflict")
    refused(await quinn.get("/partners/999999"), 404, "not-found")
    path = f"/partners/{courier['number']}/agreements"
    refused(await quinn.post(path, await agreement(lab, process="no such")), 404, "not-found")
    refused(await quinn.post(path, await agreement(lab, signed_on=day(2))), 422, "bad-input")
    refused(await quinn.post(path, await agreement(lab, valid_to=day(-30))), 422, "bad-input")
    refused(await lab.as_("tess").post(path, await agreement(lab)), 403, "not-permitted")


async def test_the_database_lets_no_assessment_be_signed_or_changed_by_the_application(
    lab: Lab, database: Database
) -> None:
    courier = await partner(lab)
    key = ok(await lab.as_("quinn").post(f"/partners/{courier['number']}/assessments", assessment()))["record"]
    hand = await asyncpg.connect(database.url("stemma_app"))
    try:
        for change in ("signature_id = 1", "evidence = 'x'", "findings = '[]'"):
            with pytest.raises(asyncpg.PostgresError):
                await hand.execute(f"UPDATE lab.partner_assessments SET {change} WHERE id = {key}")
    finally:
        await hand.close()
    assert await lab.value(SIGNED, key) is None
