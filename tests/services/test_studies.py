"""Studies: registered in versions, with leader, approvals and filing; judged live, and never edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from tests import life, study
from tests.study import HOSPITAL, LEADER, day, decision, filing
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.conftest import Database
    from tests.world import Lab

TESTED_AGAIN = {"TPR-01", "TPR-02", "TPR-04", "TPR-05", "TPR-06"}
"""The rules that wait for what laboratories outside test again."""
WAITS = {"BOOK", "GMP-01"}
"""What says nothing of the study itself: rules not written, and what the house has documents of."""


async def closing(lab: Lab, number: str, gate: str) -> set[str]:
    """The rules that keep a gate closed to the study, other than those that wait for other parts."""
    found = ok(await lab.as_("tess").get(f"/studies/{number}"))
    (judged,) = [each for each in found["gates"] if each["gate"] == gate]
    return {
        each["rule"] for each in judged["verdicts"] if each["outcome"] in {"fail", "indeterminate", "needs_waiver"}
    } - WAITS


async def count(lab: Lab, table: str) -> int:
    return int(await lab.value(f"SELECT count(*) FROM lab.{table}"))


async def test_a_study_with_all_its_papers_waits_for_nothing_of_its_own(lab: Lab) -> None:
    number = await study.ready(lab)
    assert await closing(lab, number, "G7") == set()
    assert await closing(lab, number, "G8") == set()
    found = ok(await lab.as_("tess").get(f"/studies/{number}"))["study"]
    assert [each["name"] for each in found["leaders"]] == ["Fang Yi"]
    assert found["versions"][0]["protocol_version"] == "P-1.0"
    shown = ok(await lab.as_("tess").get("/studies"))
    assert shown[0]["number"] >= number
    assert {each["number"] for each in shown} >= {number}


async def test_a_study_of_which_nothing_is_recorded_lacks_it_all(lab: Lab) -> None:
    number = await study.registered(lab, institution=(await study.institution(lab))["name"])
    assert await closing(lab, number, "G7") == {"ORG-01", "TPR-01", "TPR-04"}
    assert await closing(lab, number, "G8") == {"ORG-01", "ORG-03", "ORG-04", *TESTED_AGAIN}


async def test_both_gates_stay_closed_while_their_rules_are_not_all_written(lab: Lab) -> None:
    number = await study.ready(lab)
    for judged in ok(await lab.as_("lin").get(f"/studies/{number}"))["gates"]:
        assert {each["rule"]: each["outcome"] for each in judged["verdicts"]}["BOOK"] == "fail"


@pytest.mark.parametrize(
    ("more", "gate", "rules"),
    [
        ({"regulatory_path": "drug_registration"}, "G7", {"SCO-01", "SCO-03"}),
        ({"ind_number": "CXSL2600001"}, "G7", {"SCO-03"}),
        ({"sites": [{"name": "Harbour", "country": "SG"}]}, "G8", {"SCO-01"}),
        ({"cell_class": "pluripotent_derived"}, "G7", {"SCO-02"}),
    ],
)
async def test_what_lies_outside_the_scope_is_kept_and_not_filed(
    lab: Lab, more: dict[str, Any], gate: str, rules: set[str]
) -> None:
    assert await closing(lab, await study.ready(lab, **more), gate) == rules


async def test_a_sponsor_of_its_own_agrees_in_writing(lab: Lab) -> None:
    sponsor = (await study.institution(lab))["name"]
    number = await study.ready(lab, sponsor=sponsor)
    assert await closing(lab, number, "G7") == {"ORG-02"}
    agreement = {"sponsor": sponsor, "protocol_jointly_set": True, "signed_on": day(-20), "reference": "AG-1"}
    ok(await lab.as_("quinn").post(f"/studies/{number}/agreements", agreement))
    assert await closing(lab, number, "G7") == set()
    ok(
        await lab.as_("quinn").post(
            f"/studies/{number}/agreements", {**agreement, "protocol_jointly_set": False, "signed_on": day(-1)}
        )
    )
    assert await closing(lab, number, "G7") == {"ORG-02"}


async def test_a_committee_that_is_dissolved_closes_the_gate_again(lab: Lab) -> None:
    hospital = await study.institution(lab, kinds=HOSPITAL)
    number = await study.ready(lab, institution=hospital["name"])
    assert await closing(lab, number, "G8") == set()
    body = {"kind": "ethics_committee", "held": False, "says": "-", "evidence": "order 7", "valid_from": day(-1)}
    ok(await lab.as_("quinn").post(f"/institutions/{hospital['institution']}/statements", body))
    assert await closing(lab, number, "G8") == {"ORG-01"}
    seen = ok(await lab.as_("tess").get(f"/institutions/{hospital['institution']}"))
    assert len(seen["statements"]) == 4, "the earlier statement stays"


async def test_an_approval_withdrawn_or_a_filing_too_late_closes_the_start(lab: Lab) -> None:
    quinn = lab.as_("quinn")
    withdrawn = await study.ready(lab)
    body = decision("ethics", decision="withdrawn", decided_on=day(-1), valid_to=None)
    ok(await quinn.post(f"/studies/{withdrawn}/decisions", body))
    assert await closing(lab, withdrawn, "G8") == {"ORG-04"}
    late = await study.registered(lab)
    ok(await quinn.post(f"/studies/{late}/leaders", LEADER))
    for committee in ("academic", "ethics"):
        ok(await quinn.post(f"/studies/{late}/decisions", decision(committee, decided_on=day(-30))))
    ok(await quinn.post(f"/studies/{late}/filings", filing(filed_on=day(-2))))
    assert await closing(lab, late, "G8") == {"ORG-04", *TESTED_AGAIN}


async def test_a_change_of_substance_is_approved_and_filed_anew_and_another_is_not(lab: Lab) -> None:
    quinn = lab.as_("quinn")
    body = await study.body(lab)
    number = str(ok(await quinn.post("/studies", body))["number"])
    ok(await quinn.post(f"/studies/{number}/leaders", LEADER))
    for committee in ("academic", "ethics"):
        ok(await quinn.post(f"/studies/{number}/decisions", decision(committee)))
    ok(await quinn.post(f"/studies/{number}/filings", filing()))
    small = {**body, "substantial": False, "protocol_version": "P-1.1", "why": "a new telephone number"}
    assert ok(await quinn.post(f"/studies/{number}/versions", small))["version"] == 2
    await study.tested_again(lab, number, body["institution"])
    assert await closing(lab, number, "G8") == set()
    refused(
        await quinn.post(f"/studies/{number}/versions", {**body, "substantial": True, "why": "dose"}), 422, "bad-input"
    )
    ok(await quinn.post(f"/studies/{number}/versions", {**body, "protocol_version": "P-2.0", "why": "a higher dose"}))
    assert await closing(lab, number, "G8") == {"ORG-04"}
    for committee in ("academic", "ethics"):
        changed = decision(committee, protocol_version="P-2.0", decided_on=day(-3))
        ok(await quinn.post(f"/studies/{number}/decisions", changed))
    ok(await quinn.post(f"/studies/{number}/filings", filing(protocol_version="P-2.0", filed_on=day(-1))))
    assert await closing(lab, number, "G8") == set()
    found = ok(await quinn.get(f"/studies/{number}"))["study"]
    assert [each["protocol_version"] for each in found["versions"]] == ["P-1.0", "P-1.1", "P-2.0"]


async def test_whoever_is_named_later_leads_and_a_vacancy_closes(lab: Lab) -> None:
    number = await study.ready(lab)
    quinn = lab.as_("quinn")
    ok(
        await quinn.post(
            f"/studies/{number}/leaders", {**LEADER, "name": "Ma Li", "title_level": "other", "from_on": day(-2)}
        )
    )
    assert await closing(lab, number, "G8") == {"ORG-03"}
    ok(await quinn.post(f"/studies/{number}/leaders", {**LEADER, "name": "Gu An", "from_on": day(-1)}))
    assert await closing(lab, number, "G8") == set()
    ok(await quinn.post(f"/studies/{number}/leaders", {**LEADER, "from_on": day(-1), "to_on": day(-1)}))
    assert await closing(lab, number, "G8") == {"ORG-03"}


BACKDATED = (
    "INSERT INTO lab.study_filings (study_id, filing_number, authority, protocol_version, filed_on, reference,"
    " recorded_by, recorded_at) SELECT id, 'x', 'x', 'x', '2020-01-01', 'x', recorded_by, '2020-01-01'"
    " FROM lab.studies LIMIT 1"
)
FORBIDDEN = (
    "UPDATE lab.study_filings SET filed_on = '2020-01-01'",
    "DELETE FROM lab.committee_decisions",
    "UPDATE lab.study_versions SET regulatory_path = 'technical_filing'",
    "UPDATE lab.institution_statements SET held = true",
    BACKDATED,
)


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body", "table"),
    [
        ("decisions", decision("ethics", decided_on=day(3), valid_to=day(9)), "committee_decisions"),
        ("decisions", decision("ethics", valid_to=day(-20)), "committee_decisions"),
        ("decisions", decision("ethics", protocol_version="P-9"), "committee_decisions"),
        ("decisions", decision("dean"), "committee_decisions"),
        ("filings", filing(filed_on=day(3)), "study_filings"),
        ("filings", filing(protocol_version="P-9"), "study_filings"),
        ("leaders", {**LEADER, "to_on": day(-60)}, "study_leaders"),
        ("leaders", {**LEADER, "title_level": "captain"}, "study_leaders"),
        (
            "agreements",
            {"sponsor": "Nobody Ltd", "protocol_jointly_set": True, "signed_on": day(-1), "reference": "AG"},
            "sponsor_agreements",
        ),
    ],
)
async def test_impossible_papers_are_refused_and_nothing_is_kept(
    lab: Lab, path: str, body: dict[str, Any], table: str
) -> None:
    number = await study.registered(lab)
    before = await count(lab, table)
    refused(await lab.as_("quinn").post(f"/studies/{number}/{path}", body), 422, "bad-input")
    assert await count(lab, table) == before


async def test_a_study_names_only_what_is_there(lab: Lab) -> None:
    quinn, body = lab.as_("quinn"), await study.body(lab)
    before = await count(lab, "studies")
    refused(await quinn.post("/studies", {**body, "institution": "Nowhere Hospital"}), 422, "bad-input")
    refused(await quinn.post("/studies", {**body, "process": {"name": "no such", "version": 1}}), 404, "not-found")
    refused(await quinn.post("/studies", {**body, "substantial": False}), 422, "bad-input")
    refused(await quinn.post("/studies", {**body, "sites": [{"name": "X", "country": "XQ"}]}), 422, "bad-input")
    assert await count(lab, "studies") == before
    refused(await quinn.get("/studies/ST-26-99999"), 404, "not-found")
    refused(await quinn.get("/institutions/999999"), 404, "not-found")


async def test_an_institution_is_registered_once_with_a_country_and_a_grade_that_exist(lab: Lab) -> None:
    made = await study.institution(lab)
    quinn = lab.as_("quinn")
    refused(await quinn.post("/institutions", {"name": made["name"], "country": "CN"}), 409, "conflict")
    refused(await quinn.post("/institutions", {"name": "Other", "country": "XQ"}), 422, "bad-input")
    grade = {"kind": "grade", "says": "five stars", "evidence": "x", "valid_from": day(-5)}
    path = f"/institutions/{made['institution']}/statements"
    refused(await quinn.post(path, grade), 422, "bad-input")
    refused(await quinn.post(path, {**grade, "says": "tertiary_a", "valid_to": day(-9)}), 422, "bad-input")
    assert ok(await quinn.get(f"/institutions/{made['institution']}"))["statements"] == []


async def test_only_a_bank_lot_is_named_as_the_studys_bank(lab: Lab) -> None:
    number = await study.registered(lab)
    lived = await life.preparation(lab, upto="planned")
    refused(await lab.as_("quinn").post(f"/studies/{number}/banks", {"lot": lived.lot}), 422, "bad-input")
    assert await lab.value("SELECT count(*) FROM lab.study_banks") == 0


@pytest.mark.parametrize("who", ["tess", "lin", "adam", "hedda"])
async def test_only_quality_and_physicians_register_and_only_quality_files(lab: Lab, who: str) -> None:
    number = await study.registered(lab)
    body = await study.body(lab)
    refused(await lab.as_(who).post("/studies", body), 403, "not-permitted")
    refused(await lab.as_(who).post("/institutions", {"name": "X", "country": "CN"}), 403, "not-permitted")
    refused(await lab.as_(who).post(f"/studies/{number}/filings", filing()), 403, "not-permitted")
    refused(await lab.as_("phil").post(f"/studies/{number}/decisions", decision("ethics")), 403, "not-permitted")


async def test_the_database_keeps_what_was_recorded_as_it_is(lab: Lab, database: Database) -> None:
    number = await study.ready(lab)
    hand = await asyncpg.connect(database.url("stemma_app"))
    try:
        for statement in FORBIDDEN:
            with pytest.raises(asyncpg.PostgresError):
                await hand.execute(statement)
    finally:
        await hand.close()
    assert await closing(lab, number, "G8") == set()
