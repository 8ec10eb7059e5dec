"""What laboratories outside test again: the matrix of a study, the laboratories' papers, and what an ended one holds."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from tests import life, study
from tests.services.test_studies import TESTED_AGAIN, closing, count
from tests.study import METHODS, accreditation, day, declaration, report, retested
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.conftest import Database
    from tests.world import Lab


async def begun(lab: Lab) -> dict[str, Any]:
    """A study of which nothing was tested again, and a laboratory of its own that stands apart."""
    number = await study.untested(lab)
    institution = ok(await lab.as_("quinn").get(f"/studies/{number}"))["study"]["institution"]["name"]
    found = await study.laboratory(lab)
    ok(await lab.as_("quinn").post(f"/laboratories/{found['number']}/declarations", declaration(institution)))
    return {"number": number, "lot": (await study.tested(lab))[1], "institution": institution, "lab": found}


async def kept(lab: Lab, mine: dict[str, Any], kind: str = "final_formulation", **more: Any) -> int:
    body = await report(lab, mine["lab"]["name"], mine["lot"], kind, **more)
    return int(ok(await lab.as_("quinn").post(f"/studies/{mine['number']}/reinspections", body))["report"])


async def matrix(lab: Lab, number: str) -> dict[tuple[str, str], dict[str, Any]]:
    found = ok(await lab.as_("tess").get(f"/studies/{number}/reinspections"))
    return {(each["kind"], cell["test"]): cell for each in found["samples"] for cell in each["cells"]}


async def test_a_study_starts_only_when_all_eight_cells_passed(lab: Lab) -> None:
    mine = await begun(lab)
    assert await closing(lab, mine["number"], "G8") == TESTED_AGAIN
    assert await closing(lab, mine["number"], "G7") == {"TPR-01", "TPR-04"}
    await kept(lab, mine, "starting_harvest")
    assert await closing(lab, mine["number"], "G8") == {"TPR-01"}
    await kept(lab, mine, tests=[retested(test) for test in METHODS if test != "mycoplasma"])
    shown = await matrix(lab, mine["number"])
    assert {key for key, each in shown.items() if each["state"] != "pass"} == {("final_formulation", "mycoplasma")}
    assert await closing(lab, mine["number"], "G8") == await closing(lab, mine["number"], "G7") == {"TPR-01"}
    await kept(lab, mine, tests=[retested("mycoplasma")])
    assert await closing(lab, mine["number"], "G8") == await closing(lab, mine["number"], "G7") == set()
    shown = await matrix(lab, mine["number"])
    assert len(shown) == 8
    assert {each["state"] for each in shown.values()} == {"pass"}


@pytest.mark.parametrize("kind", ["starting_harvest", "final_formulation"])
@pytest.mark.parametrize("left_out", METHODS)
async def test_any_cell_that_is_missing_closes_the_start(lab: Lab, kind: str, left_out: str) -> None:
    mine = await begun(lab)
    for each in ("starting_harvest", "final_formulation"):
        tests = [retested(test) for test in METHODS if (each, test) != (kind, left_out)]
        await kept(lab, mine, each, tests=tests)
    assert await closing(lab, mine["number"], "G8") == {"TPR-01"}
    shown = await matrix(lab, mine["number"])
    assert shown[kind, left_out]["state"] == "indeterminate"
    assert shown[kind, left_out]["report"] is None


@pytest.mark.parametrize(
    ("more", "rules"),
    [
        (
            {"tests": [retested("sterility", outcome="failed"), *(retested(each) for each in list(METHODS)[1:])]},
            {"TPR-01"},
        ),
        (
            {"tests": [retested(each, **({"value": "0.7"} if each == "endotoxin" else {})) for each in METHODS]},
            {"TPR-01"},
        ),
        ({"tests": [retested(each, method="rapid") for each in METHODS]}, {"TPR-02"}),
        ({"file_name": None, "file_sha256": None}, {"TPR-04"}),
        ({"signatory": None}, {"TPR-04"}),
        ({"received_by": None}, {"TPR-06"}),
        ({"max_c": "11"}, {"TPR-06"}),
        ({"excursion": "the lid stood open"}, {"TPR-06"}),
    ],
)
async def test_what_speaks_against_a_report_is_kept_and_closes_by_its_rule(
    lab: Lab, more: dict[str, Any], rules: set[str]
) -> None:
    mine = await begun(lab)
    await kept(lab, mine, "starting_harvest")
    await kept(lab, mine, **more)
    assert await closing(lab, mine["number"], "G8") == rules
    await kept(lab, mine)
    failed = rules == {"TPR-01"}
    assert await closing(lab, mine["number"], "G8") == (rules if failed else set()), "a failed test is not tested away"


async def test_endotoxin_of_the_beginning_may_be_left_out_by_a_statement_alone(lab: Lab) -> None:
    mine = await begun(lab)
    out = {"outcome": "not_applicable", "found": None, "value": None, "limit_value": None, "unit": None}
    others = [retested(test) for test in METHODS if test != "endotoxin"]
    body = await report(lab, mine["lab"]["name"], mine["lot"], tests=[*others, retested("endotoxin", **out)])
    wrong = refused(await lab.as_("quinn").post(f"/studies/{mine['number']}/reinspections", body), 422, "bad-input")
    assert "statement" in str(wrong)
    stated = retested("endotoxin", **out, statement="the harvest has no endotoxin limit")
    await kept(lab, mine, "starting_harvest", tests=[*others, stated])
    await kept(lab, mine, tests=[*others, stated])
    assert await closing(lab, mine["number"], "G8") == {"TPR-01"}
    shown = await matrix(lab, mine["number"])
    assert shown["starting_harvest", "endotoxin"]["state"] == "pass"
    assert shown["final_formulation", "endotoxin"]["state"] == "fail"


async def test_another_process_version_is_tested_again(lab: Lab) -> None:
    number = await study.ready(lab)
    content = await study.body(lab)
    other = await life.process(lab)
    found = ok(await lab.as_("quinn").get(f"/studies/{number}"))["study"]["institution"]["name"]
    body = {
        **content,
        "institution": found,
        "sponsor": found,
        "process": other,
        "substantial": False,
        "why": "a new medium",
    }
    ok(await lab.as_("quinn").post(f"/studies/{number}/versions", body))
    assert await closing(lab, number, "G8") == {"TPR-05", "CB-12"}


async def test_a_laboratory_of_the_house_or_under_its_control_is_no_third_party(lab: Lab) -> None:
    mine = await begun(lab)
    path = f"/laboratories/{mine['lab']['number']}/declarations"
    for kind in ("starting_harvest", "final_formulation"):
        await kept(lab, mine, kind)
    assert await closing(lab, mine["number"], "G8") == set()
    ok(
        await lab.as_("quinn").post(
            path, declaration(mine["institution"], no_common_control=False, declared_on=day(-1))
        )
    )
    assert await closing(lab, mine["number"], "G8") == {"TPR-02"}
    ok(await lab.as_("quinn").post(path, declaration(mine["institution"], declared_on=day())))
    assert await closing(lab, mine["number"], "G8") == set()


async def test_an_accreditation_that_had_ended_holds_what_was_tested_without_it(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="planned")
    mine = {**await begun(lab), "lot": lived.lot}
    for kind in ("starting_harvest", "final_formulation"):
        await kept(lab, mine, kind)
    path = f"/laboratories/{mine['lab']['number']}"
    body = {
        "accreditation": mine["lab"]["accreditation"],
        "how": "suspended",
        "why": "audit",
        "evidence": "CNAS letter",
    }
    ok(await lab.as_("quinn").post(f"{path}/ends", {**body, "ended_on": day(-4)}))
    assert await closing(lab, mine["number"], "G8") == set(), "it was tested the day before"
    held = "SELECT count(*) FROM lab.holds WHERE item_id = $1 AND lifted_at IS NULL"
    assert await lab.value(held, await lived.lot_id()) == 0
    ok(await lab.as_("quinn").post(f"{path}/ends", {**body, "ended_on": day(-6)}))
    assert await closing(lab, mine["number"], "G8") == {"TPR-02"}
    assert await lab.value(held, await lived.lot_id()) == 1
    found = ok(await lab.as_("quinn").get(f"/impacts?kind=accreditation_ended&item={lived.lot}"))
    listed = found["impacts"] if isinstance(found, dict) else found
    assert len([each for each in listed if mine["lab"]["name"] in str(each)]) == 1
    assert ok(await lab.as_("quinn").get(path))["accredited"] is False


async def test_what_another_accreditation_covers_is_not_held(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="planned")
    mine = {**await begun(lab), "lot": lived.lot}
    for kind in ("starting_harvest", "final_formulation"):
        await kept(lab, mine, kind)
    path = f"/laboratories/{mine['lab']['number']}"
    ok(await lab.as_("quinn").post(f"{path}/accreditations", accreditation(kind="cma", number="CMA 7")))
    body = {"accreditation": mine["lab"]["accreditation"], "how": "withdrawn", "why": "closed", "evidence": "letter"}
    ok(await lab.as_("quinn").post(f"{path}/ends", {**body, "ended_on": day(-6)}))
    assert await lab.value("SELECT count(*) FROM lab.holds WHERE item_id = $1", await lived.lot_id()) == 0
    assert await closing(lab, mine["number"], "G8") == set()


async def test_an_excursion_may_be_assessed_for_this_lot_by_signature(lab: Lab) -> None:
    mine = await begun(lab)
    await kept(lab, mine, "starting_harvest")
    await kept(lab, mine, max_c="9.5")
    assert await closing(lab, mine["number"], "G8") == {"TPR-06"}
    body = {"rule": "TPR-06", "scope": {"kind": "lot", "name": mine["lot"]}, "title": "warm", "hazard": "a germ dies"}
    body |= {"mitigations": [{"measure": "recovery at 12 °C", "control": "stability_data"}], "conclusion": "it holds"}
    made = ok(await lab.as_("quinn").post("/assessments", body | {"valid_to": life.ago(days=-90)}))
    assert await closing(lab, mine["number"], "G8") == {"TPR-06"}, "nobody has approved it"
    key = await lab.value("SELECT id FROM lab.assessments WHERE number = $1", made["number"])
    signed = await life.ceremony(lab, "lin", "assessment_approved", "assessment", key)
    ok(await lab.as_("lin").post(f"/assessments/{key}/approve", {"ceremony": signed}))
    assert await closing(lab, mine["number"], "G8") == set()


async def test_a_report_recorded_wrongly_is_recorded_anew_by_another_person(lab: Lab) -> None:
    mine = await begun(lab)
    await kept(lab, mine, "starting_harvest")
    body = await report(lab, mine["lab"]["name"], mine["lot"])
    path, quinn, rolf = f"/studies/{mine['number']}/reinspections", lab.as_("quinn"), lab.as_("rolf")
    slip = {**body, "tests": [retested("sterility", outcome="failed"), *(retested(each) for each in list(METHODS)[1:])]}
    key = ok(await quinn.post(path, slip))["report"]
    refused(await quinn.post(path, body), 422, "bad-input")
    right = {**body, "replaces": key, "why": "sterility had passed"}
    refused(await quinn.post(path, right), 403, "not-permitted")
    refused(await rolf.post(path, {**right, "report_number": "R-OTHER"}), 422, "bad-input")
    refused(await rolf.post(path, {**right, "why": None}), 422, "bad-input")
    assert await closing(lab, mine["number"], "G8") == {"TPR-01"}
    ok(await rolf.post(path, right))
    assert await closing(lab, mine["number"], "G8") == set()
    refused(await rolf.post(path, right), 422, "bad-input")
    shown = ok(await quinn.get(path))["reports"]
    assert len(shown) == 3, "what was recorded first stays"
    assert [each["id"] for each in shown if each["replaced_at"]] == [key]


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "more",
    [
        {"taken_at": life.ago(days=7)},
        {"received_at": life.ago(days=-1)},
        {"reported_on": day(2)},
        {"reported_on": day(-7)},
        {"tests": [retested("sterility", tested_on=day(-12))]},
        {"tests": [retested("sterility"), retested("sterility")]},
        {"tests": [retested("endotoxin", value=None)]},
        {"tests": [retested("endotoxin", unit="pints")]},
        {"tests": [retested("endotoxin", unit=None)]},
        {"tests": [retested("sterility", found=None)]},
        {"tests": [retested("sterility", outcome="splendid")]},
        {"tests": []},
        {"low_c": "9"},
        {"max_c": "1"},
        {"min_c": "-300"},
        {"file_sha256": None},
        {"file_sha256": "abc"},
        {"laboratory": "No such institute"},
        {"sample_kind": "bank"},
        {"why": "a slip"},
        {"replaces": 999999, "why": "a slip"},
    ],
)
async def test_a_report_that_cannot_be_is_refused_and_nothing_is_kept(lab: Lab, more: dict[str, Any]) -> None:
    number = await study.registered(lab)
    name, lot = await study.tested(lab)
    before = await count(lab, "reinspections"), await count(lab, "reinspection_tests")
    body = await report(lab, name, lot, **more)
    refused(await lab.as_("quinn").post(f"/studies/{number}/reinspections", body), 422, "bad-input")
    assert (await count(lab, "reinspections"), await count(lab, "reinspection_tests")) == before


@pytest.mark.parametrize(
    "more",
    [
        {"valid_to": None},
        {"valid_to": day(-500)},
        {"scope": []},
        {"scope": [{"test": "sterility", "method": "x"}] * 2},
        {"scope": [{"test": "smell", "method": "x"}]},
        {"kind": "iso"},
        {"file_sha256": "abc"},
    ],
)
async def test_an_accreditation_that_cannot_be_is_refused(lab: Lab, more: dict[str, Any]) -> None:
    made = await study.laboratory(lab)
    before = await count(lab, "laboratory_accreditations")
    body = accreditation(**more)
    refused(await lab.as_("quinn").post(f"/laboratories/{made['number']}/accreditations", body), 422, "bad-input")
    assert await count(lab, "laboratory_accreditations") == before
    ok(
        await lab.as_("quinn").post(
            f"/laboratories/{made['number']}/accreditations", accreditation(kind="nifdc", valid_to=None)
        )
    )


async def test_papers_of_laboratories_name_only_what_is_there(lab: Lab) -> None:
    made, quinn = await study.laboratory(lab), lab.as_("quinn")
    other = await study.laboratory(lab)
    path = f"/laboratories/{made['number']}"
    end = {"accreditation": other["accreditation"], "how": "lapsed", "ended_on": day(-1), "why": "x", "evidence": "x"}
    refused(await quinn.post(f"{path}/ends", end), 422, "bad-input")
    end = {**end, "accreditation": made["accreditation"]}
    refused(await quinn.post(f"{path}/ends", {**end, "ended_on": day(2)}), 422, "bad-input")
    refused(await quinn.post(f"{path}/ends", {**end, "ended_on": day(-900)}), 422, "bad-input")
    refused(await quinn.post(f"{path}/declarations", declaration("Nobody Hospital")), 422, "bad-input")
    refused(await quinn.post("/laboratories", {"name": made["name"], "address": "x"}), 409, "conflict")
    refused(await quinn.get("/laboratories/999999"), 404, "not-found")
    assert ok(await quinn.get(path))["ends"] == []


@pytest.mark.parametrize("who", ["tess", "lin", "phil", "hedda"])
async def test_only_quality_records(lab: Lab, who: str) -> None:
    name, lot = await study.tested(lab)
    number = await study.registered(lab)
    body = await report(lab, name, lot)
    refused(await lab.as_(who).post(f"/studies/{number}/reinspections", body), 403, "not-permitted")
    refused(await lab.as_(who).post("/laboratories", {"name": uuid.uuid4().hex, "address": "x"}), 403, "not-permitted")
    refused(await lab.as_(who).post("/laboratories/1/accreditations", accreditation()), 403, "not-permitted")


ADDED = (
    "INSERT INTO lab.reinspection_tests (reinspection_id, test, method, limit_text, outcome, found, tested_on)"
    " VALUES ({report}, 'mycoplasma', 'x', 'x', 'passed', 'x', '2026-01-01')"
)
OF_ONES_OWN = (
    "INSERT INTO lab.reinspections (study_id, laboratory_id, sample_kind, lot_id, process_id, report_number, taken_at,"
    " received_at, reported_on, replaces_id, why, recorded_by) SELECT study_id, laboratory_id, sample_kind, lot_id, process_id,"
    " report_number, taken_at, received_at, reported_on, id, 'x', recorded_by FROM lab.reinspections WHERE id = {report}"
)
FORBIDDEN = (
    "UPDATE lab.reinspections SET file_name = 'x' WHERE id = {report}",
    "DELETE FROM lab.reinspection_tests WHERE reinspection_id = {report}",
    "UPDATE lab.reinspection_tests SET outcome = 'passed' WHERE reinspection_id = {report}",
    "UPDATE lab.laboratory_accreditations SET valid_to = '2099-01-01'",
    "DELETE FROM lab.accreditation_ends",
    "UPDATE lab.independence_declarations SET no_common_control = true",
)


async def test_the_database_keeps_what_was_reported_as_it_is(lab: Lab, database: Database) -> None:
    mine = await begun(lab)
    key = await kept(lab, mine, tests=[retested("sterility")])
    hand = await asyncpg.connect(database.url("stemma_app"))
    try:
        for statement in FORBIDDEN:
            with pytest.raises(asyncpg.PostgresError):
                await hand.execute(statement.format(report=key))
    finally:
        await hand.close()
    for statement, says in ((ADDED, "is recorded with it"), (OF_ONES_OWN, "of their own writing")):
        with pytest.raises(asyncpg.PostgresError, match=says):
            await lab.arrange(statement.format(report=key))
    assert await count(lab, "reinspection_tests") >= 1
    assert await closing(lab, mine["number"], "G8") == {"TPR-01"}


async def test_a_sample_that_left_without_a_permit_closes_the_start_until_another_is_sent(lab: Lab) -> None:
    async def says() -> dict[str, Any]:
        gates = ok(await lab.as_("tess").get(f"/studies/{mine['number']}"))["gates"]
        (start,) = [each for each in gates if each["gate"] == "G8"]
        found: dict[str, Any] = next(each for each in start["verdicts"] if each["rule"] == "HGR-01")
        return found

    mine = await begun(lab)
    assert (await says())["outcome"] == "not_applicable", "nothing left yet"
    await kept(lab, mine, "starting_harvest")
    assert (await says())["outcome"] == "pass"
    await kept(lab, mine, taken_at=life.ago(days=380), received_at=life.ago(days=379))
    assert await closing(lab, mine["number"], "G8") == {"HGR-01"}
    assert (await says())["outcome"] == "indeterminate"

    permit = {"authority": "the authority", "scope": "samples", "evidence": "file 9", "valid_from": day(-500)}
    for purpose, outcome in (("banking", "indeterminate"), ("third_party", "fail")):
        body = permit | {"number": f"HGR-{uuid.uuid4().hex[:8]}", "purposes": [purpose]}
        ok(await lab.as_("quinn").post("/permits", body))
        assert (await says())["outcome"] == outcome, "what is recorded later permits nothing earlier"
    await kept(lab, mine)
    assert await closing(lab, mine["number"], "G8") == set()
    assert (await says())["outcome"] == "pass"
