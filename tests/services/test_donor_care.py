"""Donors in depth: tissues decided, histories asked, samples judged, birth tissue, where it is kept, permits."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from tests import life
from tests.life import ago
from tests.services import things
from tests.world import ok, refused

if TYPE_CHECKING:
    import httpx

    from tests.world import Lab

NOTHING = {"weight_kg": "60", "blood_ml": "0", "colloid_ml": "0", "crystalloid_ml": "0"}
WHOLE = life.PANEL | life.FOR_LEUKOCYTES


def tissue(**more: Any) -> dict[str, Any]:
    name = f"tissue {uuid.uuid4().hex[:8]}"
    body = {
        "name": name,
        "name_zh": f"组织{name[7:]}",
        "leukocyte_rich": False,
        "birth_tissue": False,
        "reason": "washed",
    }
    return body | more


async def proposed(lab: Lab, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = ok(await lab.as_("quinn").post("/tissues", tissue(**more)))
    return found


async def decide(lab: Lab, key: int, who: str = "lin") -> httpx.Response:
    signed = await life.ceremony(lab, who, "tissue_decided", "tissue_type", key)
    answer: httpx.Response = await lab.as_(who).post(f"/tissues/{key}/decide", {"ceremony": signed})
    return answer


async def verdicts(lab: Lab, donation: str) -> dict[str, dict[str, Any]]:
    """How the donation stands before the gate, by rule."""
    found = ok(await lab.as_("quinn").get(f"/donations/{donation}"))["gate"]["verdicts"]
    return {each["rule"]: each for each in found}


async def giver(
    lab: Lab, *, kind: str = "bone marrow", given: dict[str, str] | None = NOTHING, **differing: str
) -> tuple[str, str]:
    """A donor for others with a whole panel and a history, and a donation. Both codes."""
    donor = (await things.donor(lab, "allogeneic"))["code"]
    await things.consent(lab, donor)
    report: dict[str, Any] = {"markers": things.markers(panel=WHOLE, **differing)}
    if given is not None:
        report["given"] = given
    ok(await lab.as_("ana").post(f"/donors/{donor}/markers", report))
    ok(await lab.as_("tess").post(f"/donors/{donor}/histories", life.history()))
    return donor, (await things.donation(lab, donor, tissue=kind))["code"]


# -- tissues -----------------------------------------------------------------------------------------------------------


async def test_a_tissue_is_proposed_by_one_and_decided_by_the_authority(lab: Lab) -> None:
    made = await proposed(lab)
    (one,) = [each for each in ok(await lab.as_("tess").get("/tissues")) if each["tissue"] == made["tissue"]]
    assert (one["state"], one["proposed_by"], one["decided_by"]) == ("proposed", "quinn", None)
    signed = await lab.sign("lin", "tissue_decided", "tissue_type", made["tissue"])
    ok(await lab.as_("lin").post(f"/tissues/{made['tissue']}/decide", {"ceremony": signed}))
    one = ok(await lab.as_("tess").get(f"/tissues/{made['tissue']}"))
    assert (one["state"], one["decided_by"]) == ("decided", "Dr Lin Qing")


async def test_who_may_propose_and_decide(lab: Lab) -> None:
    made = await proposed(lab)
    for who in ("tess", "phil", "adam", "lin"):
        refused(await lab.as_(who).post("/tissues", tissue()), 403, "not-permitted")
    signed = await life.ceremony(lab, "lin", "tissue_decided", "tissue_type", made["tissue"])
    refused(await lab.as_("quinn").post(f"/tissues/{made['tissue']}/decide", {"ceremony": signed}), 403)
    refused(await lab.as_("lin").post("/tissues/999999999/decide", {"ceremony": signed}), 404, "not-found")
    assert ok(await lab.as_("tess").get(f"/tissues/{made['tissue']}"))["state"] == "proposed"


async def test_nobody_decides_their_own_and_a_later_version_stands(lab: Lab) -> None:
    first = await proposed(lab)
    await lab.arrange("UPDATE lab.tissue_types SET proposed_by = $2 WHERE id = $1", first["tissue"], lab.id_of("lin"))
    refused(await decide(lab, first["tissue"]), 403, "ceremony-refused")
    second = await proposed(lab, name=first["name"].upper())
    assert (second["name"], second["version"]) == (first["name"], 2)
    ok(await decide(lab, second["tissue"]))
    assert (await decide(lab, first["tissue"])).status_code == 409
    assert (await decide(lab, second["tissue"])).status_code in {403, 409}


async def test_the_application_cannot_decide_a_tissue_itself(database: Any, lab: Lab) -> None:
    made = await proposed(lab)
    hand = await asyncpg.connect(database.url("stemma_app").replace("+asyncpg", ""))
    try:
        for attack in (
            "UPDATE lab.tissue_types SET leukocyte_rich = false",
            "UPDATE lab.tissue_types SET signature_id = 1",
            "INSERT INTO lab.tissue_types (name, signature_id) VALUES ('x', 1)",
            "DELETE FROM lab.health_histories",
            "UPDATE lab.sampling_statements SET blood_ml = 0",
            "UPDATE lab.genetic_resource_permits SET valid_to = '2099-01-01'",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await hand.execute(attack)
    finally:
        await hand.close()
    assert ok(await lab.as_("tess").get(f"/tissues/{made['tissue']}"))["state"] == "proposed"


# -- DON-02: what the tissue asks for ----------------------------------------------------------------------------------


async def test_leukocyte_rich_material_for_others_with_everything_negative_is_eligible(lab: Lab) -> None:
    _, donation = await giver(lab)
    found = await verdicts(lab, donation)
    assert [rule for rule, each in found.items() if each["outcome"] not in {"pass", "not_applicable"}] == ["DON-12"]
    assert found["DON-02"]["outcome"] == "pass"


@pytest.mark.parametrize(
    ("marker", "outcome", "verdict"),
    [
        ("anti_HTLV_I_II", "positive", "fail"),
        ("CMV_IgG", "positive", "pass"),
        ("CMV_IgM", "positive", "needs_waiver"),
        ("EBV_VCA_IgM", "inconclusive", "indeterminate"),
    ],
)
async def test_what_a_marker_beside_the_four_infections_means(
    lab: Lab, marker: str, outcome: str, verdict: str
) -> None:
    _, donation = await giver(lab, **{marker: outcome})
    found = (await verdicts(lab, donation))["DON-02"]
    assert found["outcome"] == verdict
    if verdict == "pass":
        assert any("has met CMV" in each["says"] for each in found["evidence"])


async def test_a_tissue_that_nobody_decided_about_closes_the_gate_until_somebody_has(lab: Lab) -> None:
    made = await proposed(lab)
    _, donation = await giver(lab, kind=made["name"])
    before = await verdicts(lab, donation)
    assert (before["DON-02"]["outcome"], before["DON-09"]["outcome"]) == ("indeterminate", "indeterminate")
    ok(await decide(lab, made["tissue"]))
    after = await verdicts(lab, donation)
    assert (after["DON-02"]["outcome"], after["DON-09"]["outcome"]) == ("not_applicable", "not_applicable")
    assert any("washed" in each["says"] for each in after["DON-02"]["evidence"])


async def test_a_tissue_is_known_by_its_chinese_name_too(lab: Lab) -> None:
    _, donation = await giver(lab, kind="骨髓")
    assert (await verdicts(lab, donation))["DON-02"]["outcome"] == "pass"


async def test_an_active_infection_is_assessed_for_this_donor_before_processing(lab: Lab) -> None:
    donor, donation = await giver(lab, CMV_IgM="positive")
    from tests.services.test_assessments import about_donor

    await about_donor(lab, donor, "DON-02")
    assert (await verdicts(lab, donation))["DON-02"]["outcome"] == "pass"


# -- DON-06, DON-11: the sample ----------------------------------------------------------------------------------------


async def test_a_sample_outside_the_window_asks_for_an_assessment(lab: Lab) -> None:
    donor, _ = await giver(lab)
    late = await things.donation(lab, donor, collected_at=ago(days=5), received_at=ago(days=5))
    found = (await verdicts(lab, late["code"]))["DON-06"]
    assert found["outcome"] == "needs_waiver"
    assert "days -30 to 0" in found["findings"][0]["problem"]


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        (NOTHING, "pass"),
        (NOTHING | {"blood_ml": "4100"}, "fail"),
        (NOTHING | {"blood_ml": "3900"}, "pass"),
        (NOTHING | {"colloid_ml": "2500"}, "fail"),
        ({"blood_ml": "300", "colloid_ml": "0", "crystalloid_ml": "0"}, "indeterminate"),
        (None, "indeterminate"),
    ],
)
async def test_how_diluted_a_sample_may_be(lab: Lab, given: dict[str, str] | None, verdict: str) -> None:
    _, donation = await giver(lab, given=given)
    assert (await verdicts(lab, donation))["DON-11"]["outcome"] == verdict


async def test_what_was_given_is_stated_for_one_sample(lab: Lab) -> None:
    donor = (await things.donor(lab, "allogeneic"))["code"]
    two = things.markers()[:2]
    two[1]["sampled_at"] = ago(days=4)
    problem = refused(await lab.as_("ana").post(f"/donors/{donor}/markers", {"markers": two, "given": NOTHING}), 422)
    assert problem["field"] == "sampled_at"
    kept = ok(await lab.as_("ana").get(f"/donors/{donor}"))
    assert (kept["markers"], kept["samplings"]) == ([], [])


# -- markers at the field ----------------------------------------------------------------------------------------------


async def test_a_marker_twice_in_a_report_an_unknown_infection_and_a_report_again_are_refused(lab: Lab) -> None:
    donor = (await things.donor(lab, "allogeneic"))["code"]
    path, (one, *_) = f"/donors/{donor}/markers", things.markers()
    twice = one | {"marker": one["marker"].upper(), "outcome": "positive"}
    assert refused(await lab.as_("ana").post(path, {"markers": [one, twice]}), 422)["field"] == "markers.1.marker"
    unknown = one | {"analyte": "dragon pox"}
    problem = refused(await lab.as_("ana").post(path, {"markers": [unknown]}), 422)
    assert problem["field"] == "markers.0.analyte"
    assert "HTLV" in problem["remedy"]
    assert ok(await lab.as_("ana").get(f"/donors/{donor}"))["markers"] == []
    ok(await lab.as_("ana").post(path, {"markers": [one]}))
    assert refused(await lab.as_("ana").post(path, {"markers": [one]}), 422)["field"] == "markers.0.marker"
    ok(await lab.as_("ana").post(path, {"markers": [one | {"outcome": "positive", "reported_at": ago(days=1)}]}))
    assert len(ok(await lab.as_("ana").get(f"/donors/{donor}"))["markers"]) == 2


async def test_a_result_that_comes_after_the_determination_is_kept_and_changes_what_the_gate_says(lab: Lab) -> None:
    donor, donation = await giver(lab)
    signed = await life.ceremony(
        lab, "phil", "eligibility_determined", "donation", await life.id_of(lab, donation), "eligible"
    )
    body = {"decision": "eligible", "reason": "all is negative", "ceremony": signed}
    assert ok(await lab.as_("phil").post(f"/donations/{donation}/determination", body))["gate"]["is_open"]
    late = things.markers()[0] | {"outcome": "positive", "reported_at": ago(minutes=1)}
    kept = ok(await lab.as_("ana").post(f"/donors/{donor}/markers", {"markers": [late]}))
    assert "positive" in {each["outcome"] for each in kept["markers"]}
    view = ok(await lab.as_("quinn").get(f"/donations/{donation}"))
    assert (view["state"], view["gate"]["is_open"]) == ("eligible", False)
    assert {each["rule"] for each in view["gate"]["verdicts"] if each["outcome"] == "fail"} >= {"DON-01"}


# -- histories ---------------------------------------------------------------------------------------------------------


async def asked(lab: Lab, relation: str = "autologous", **answers: str) -> tuple[str, str]:
    donor = (await things.donor(lab, relation))["code"]
    ok(await lab.as_("phil").post(f"/donors/{donor}/histories", life.history(**answers)))
    return donor, (await things.donation(lab, donor))["code"]


@pytest.mark.parametrize(
    ("relation", "answers", "verdict"),
    [
        ("autologous", {}, "pass"),
        ("autologous", {"malignancy": "yes"}, "needs_waiver"),
        ("allogeneic", {"malignancy": "yes"}, "fail"),
        ("allogeneic", {"travel": "unknown"}, "indeterminate"),
    ],
)
async def test_what_a_donor_says_decides(lab: Lab, relation: str, answers: dict[str, str], verdict: str) -> None:
    _, donation = await asked(lab, relation, **answers)
    assert (await verdicts(lab, donation))["DON-08"]["outcome"] == verdict


async def test_a_patients_excluding_answer_is_assessed_beforehand(lab: Lab) -> None:
    from tests.services.test_assessments import about_donor

    donor, donation = await asked(lab, malignancy="yes")
    await about_donor(lab, donor, "DON-08")
    assert (await verdicts(lab, donation))["DON-08"]["outcome"] == "pass"


async def test_questionnaires_have_versions_and_the_one_in_force_is_asked(lab: Lab) -> None:
    name = f"History {uuid.uuid4().hex[:8]}"
    groups = ("infection", "travel", "prion", "genetic", "malignancy")
    questions = [{"code": each, "en": each, "zh": each, "group": each, "excludes": "yes"} for each in groups]
    body = {"name": name, "questions": questions, "source": "SOP-1"}
    assert ok(await lab.as_("quinn").post("/questionnaires", body))["version"] == 1
    assert ok(await lab.as_("quinn").post("/questionnaires", body))["version"] == 2
    current = [each for each in ok(await lab.as_("tess").get("/questionnaires")) if each["name"] == name]
    assert [(each["version"], each["is_current"]) for each in current] == [(2, True), (1, False)]
    donor = (await things.donor(lab))["code"]
    old = life.history() | {"questionnaire": name, "asked_at": life.now()}
    ok(await lab.as_("tess").post(f"/donors/{donor}/histories", old))
    donation = (await things.donation(lab, donor))["code"]
    assert (await verdicts(lab, donation))["DON-08"]["outcome"] == "indeterminate"
    ok(await lab.as_("tess").post(f"/donors/{donor}/histories", old | {"version": 2, "asked_at": life.now()}))
    assert (await verdicts(lab, donation))["DON-08"]["outcome"] == "pass"


async def test_what_cannot_be_asked_or_answered(lab: Lab) -> None:
    question = {"code": "a", "en": "a?", "zh": "a？", "group": "travel", "excludes": "yes"}
    body = {"name": "muddle", "questions": [question, question], "source": "SOP-1"}
    assert refused(await lab.as_("quinn").post("/questionnaires", body), 422)["field"] == "questions"
    strange = body | {"questions": [question | {"group": "weather"}]}
    assert refused(await lab.as_("quinn").post("/questionnaires", strange), 422)["field"] == "questions"
    refused(await lab.as_("tess").post("/questionnaires", body), 403, "not-permitted")
    donor = (await things.donor(lab))["code"]
    path = f"/donors/{donor}/histories"
    refused(await lab.as_("ana").post(path, life.history()), 403, "not-permitted")
    assert refused(await lab.as_("tess").post(path, life.history(shoe_size="no")), 422)["field"] == "answers"
    refused(await lab.as_("tess").post(path, life.history() | {"version": 77}), 404, "not-found")
    future = life.history() | {"asked_at": ago(days=-1)}
    assert refused(await lab.as_("tess").post(path, future), 422)["field"] == "asked_at"
    assert ok(await lab.as_("tess").get(path)) == []


# -- birth tissue ------------------------------------------------------------------------------------------------------


async def test_birth_tissue_is_of_an_infant_whose_mother_is_tested(lab: Lab) -> None:
    mother = ok(await lab.as_("tess").post("/persons", {"identity": things.identity("Li Mei")}))["code"]
    nobody = {"relation": "allogeneic", "identity": things.identity("Baby Li"), "kind": "birth"}
    assert refused(await lab.as_("tess").post("/donors", nobody), 422)["field"] == "tested_person"
    infant = await things.donor(lab, "allogeneic", kind="birth", tested_person=mother)
    assert infant["kind"] == "birth"
    donation = (await things.donation(lab, infant["code"], tissue="umbilical cord"))["code"]
    assert (await verdicts(lab, donation))["DON-09"]["outcome"] == "pass"
    other = await things.donor(lab, "allogeneic")
    wrong = (await things.donation(lab, other["code"], tissue="脐带"))["code"]
    assert (await verdicts(lab, wrong))["DON-09"]["outcome"] == "fail"


async def test_the_tests_of_birth_tissue_are_each_its_own(lab: Lab) -> None:
    donation = (await things.donation(lab, (await things.donor(lab))["code"], tissue="umbilical cord"))["code"]
    path = f"/donations/{donation}/birth-tests"
    test = {"method": "STR", "laboratory": "Genetics", "sampled_at": ago(hours=3), "reported_at": ago(hours=1)}
    profile = {"profile": {"D3S1358": ["15", "17"], "TH01": ["6", "9.3"]}}
    assert refused(await lab.as_("ana").post(path, test), 422)["field"] == "profile"
    refused(await lab.as_("ana").post(path, test | profile | {"maternal_percent": "0.1"}), 422)
    refused(await lab.as_("ana").post(path, test | {"maternal_percent": "101"}), 422)
    early = test | profile | {"sampled_at": ago(minutes=1)}
    assert refused(await lab.as_("ana").post(path, early), 422)["field"] == "reported_at"
    refused(await lab.as_("tess").post(path, test | profile), 403, "not-permitted")
    assert ok(await lab.as_("tess").get(f"/donations/{donation}/care"))["birth_tests"] == []
    ok(await lab.as_("ana").post(path, test | profile))
    kept = ok(await lab.as_("phil").post(path, test | {"maternal_percent": "0.25"}))["birth_tests"]
    assert [each["kind"] for each in kept] == ["maternal_contamination", "infant_genotype"]
    assert kept[1]["profile"]["TH01"] == ["6", "9.3"]


# -- where it is kept --------------------------------------------------------------------------------------------------


async def test_where_a_donation_is_kept_is_recorded(lab: Lab) -> None:
    donation = (await things.donation(lab, (await things.donor(lab))["code"]))["code"]
    place = (await life.equipment(lab, "segregated_storage"))["code"]
    body = {"place": place, "biohazard_labelled": True, "stored_at": ago(minutes=5)}
    path = f"/donations/{donation}/storage"
    (kept,) = ok(await lab.as_("tess").post(path, body))["storage"]
    assert (kept["place"], kept["kind"], kept["biohazard_labelled"]) == (place, "segregated_storage", True)
    assert refused(await lab.as_("tess").post(path, body | {"stored_at": ago(days=-1)}), 422)["field"] == "stored_at"
    assert refused(await lab.as_("tess").post(path, body | {"stored_at": ago(days=9)}), 422)["field"] == "stored_at"
    refused(await lab.as_("tess").post(path, body | {"place": donation}), 404, "not-found")
    refused(await lab.as_("ana").post(path, body), 403, "not-permitted")
    assert len(ok(await lab.as_("tess").get(f"/donations/{donation}/care"))["storage"]) == 1


async def test_an_untested_patients_material_is_not_processed_among_other_material(lab: Lab) -> None:
    from tests.services.test_assessments import about_donor

    donor = (await things.donor(lab))["code"]
    await things.consent(lab, donor)
    ok(await lab.as_("tess").post(f"/donors/{donor}/histories", life.history()))
    for rule in ("DON-04", "DON-05"):
        await about_donor(lab, donor, rule)
    donation = (await things.donation(lab, donor))["code"]
    signed = await life.ceremony(
        lab, "phil", "eligibility_determined", "donation", await life.id_of(lab, donation), "eligible"
    )
    decision = {"decision": "eligible", "reason": "assessed", "ceremony": signed}
    ok(await lab.as_("phil").post(f"/donations/{donation}/determination", decision))
    lived = life.Life(lab, await life.shared(lab), donor=donor, donation=donation, stage="eligible")
    await life.go_on(lived, upto="cleared")
    body = lived.step(viable="1.8e7", dead="1.1e6", flasks=2)
    problem = refused(await lab.as_("tess").post(f"/lots/{lived.lot}/isolation", body), 409, "blocked")
    assert {each["rule"] for each in problem["findings"]} == {"DON-14"}
    place = (await life.equipment(lab, "segregated_storage"))["code"]
    kept = {"place": place, "biohazard_labelled": True, "stored_at": ago(minutes=1)}
    ok(await lab.as_("tess").post(f"/donations/{donation}/storage", kept))
    ok(await lab.as_("tess").post(f"/lots/{lived.lot}/isolation", lived.step(viable="1.8e7", dead="1.1e6", flasks=2)))


# -- permits -----------------------------------------------------------------------------------------------------------


async def test_a_permit_is_recorded_and_taken_back_once(lab: Lab) -> None:
    number = f"HGR-{uuid.uuid4().hex[:8]}"
    body = {
        "number": number,
        "authority": "National Health Commission",
        "purposes": ["banking"],
        "scope": "marrow",
        "valid_from": "2026-01-01",
        "valid_to": "2029-12-31",
        "evidence": "folder 4",
    }
    for who in ("tess", "lin", "adam"):
        refused(await lab.as_(who).post("/permits", body), 403, "not-permitted")
    assert (
        refused(await lab.as_("quinn").post("/permits", body | {"valid_to": "2025-01-01"}), 422)["field"] == "valid_to"
    )
    refused(await lab.as_("quinn").post("/permits", body | {"purposes": ["export to the moon"]}), 422)
    ok(await lab.as_("quinn").post("/permits", body))
    refused(await lab.as_("quinn").post("/permits", body), 409, "conflict")
    gone = {"number": number, "withdrawn_at": ago(minutes=1)}
    ok(await lab.as_("quinn").post("/permits/withdrawal", gone))
    refused(await lab.as_("quinn").post("/permits/withdrawal", gone), 409, "conflict")
    (one,) = [each for each in ok(await lab.as_("tess").get("/permits")) if each["number"] == number]
    assert one["withdrawn_at"] is not None
