"""What comes to light later holds everything downstream in the same transaction, names it, and judges it anew."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from tests import life
from tests.services import things
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.conftest import Database
    from tests.world import Lab

OPEN_HOLDS = "SELECT count(*) FROM lab.holds WHERE item_id = $1 AND lifted_at IS NULL"


def one_marker(outcome: str = "positive", **more: Any) -> dict[str, Any]:
    return {**life.markers()[0], "outcome": outcome, **more}


async def report(lived: life.Life, *markers: dict[str, Any]) -> Any:
    return await lived.lab.as_("ana").post(f"/donors/{lived.donor}/markers", {"markers": list(markers)})


async def impacts_of(lab: Lab, code: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ok(await lab.as_("quinn").get("/impacts", item=code))
    return found


async def one_of(lab: Lab, code: str) -> dict[str, Any]:
    (line,) = await impacts_of(lab, code)
    found: dict[str, Any] = ok(await lab.as_("quinn").get(f"/impacts/{line['number']}"))
    return found


async def test_a_positive_marker_after_the_determination_holds_the_lot_and_names_its_vials_and_recipient(
    lab: Lab,
) -> None:
    lived = await life.preparation(lab)
    before = await lab.sql(
        "SELECT id, digest, verdicts FROM lab.judgements WHERE subject_id = $1", await lived.lot_id()
    )
    ok(await report(lived, one_marker(), one_marker(marker="HIV NAT")))

    found = await one_of(lab, lived.donor)
    assert found["impact"]["kind"] == "donor_marker"
    assert len(found["impact"]["facts"]) == 2, "both results of one act are one impact"
    (touched,) = found["touched"]
    assert (touched["code"], touched["state_then"], touched["held"]) == (lived.lot, "awaiting_release", True)
    assert touched["recipient"] is not None
    assert set(lived.vials) <= {each["code"] for each in touched["containers"]}
    assert touched["verdict"]["asked"] == "book"
    assert "DON-04" in {each["rule"] for each in touched["verdict"]["closing"]}
    assert touched["next"] == "assess"
    assert await lab.value(OPEN_HOLDS, await lived.lot_id()) == 1
    after = await lab.sql("SELECT id, digest, verdicts FROM lab.judgements WHERE subject_id = $1", await lived.lot_id())
    assert after[: len(before)] == before, "what was judged before stays as it was"
    assert [each["number"] for each in await impacts_of(lab, lived.lot)] == [found["impact"]["number"]]


async def test_a_held_lot_goes_no_further_towards_use_and_its_vial_is_refused_at_the_bench(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="released")
    assert (await life_scan(lived))["verdict"] == "accepted"
    ok(await report(lived, one_marker()))
    (touched,) = (await one_of(lab, lived.lot))["touched"]
    assert touched["next"] == "decide_recall"
    scanned = await life_scan(lived)
    assert (scanned["verdict"], scanned["reason"]) == ("refused", "held")
    waits = ok(await lab.as_("lin").get("/dashboard"))["waits"]
    assert next(each for each in waits if each["queue"] == "recalls_to_decide")["waiting"] >= 1
    ok(await lab.as_("lin").post(f"/lots/{lived.lot}/recall", {"reason": "the donor is positive"}))
    assert (await one_of(lab, lived.lot))["touched"][0]["state_now"] == "recalled"


async def life_scan(lived: life.Life) -> dict[str, Any]:
    found: dict[str, Any] = ok(await lived.lab.as_("tess").post("/scans", {"raw": lived.vials[0]}))
    return found


@pytest.mark.parametrize("outcome", ["negative", "pending"])
async def test_a_result_that_says_nothing_ill_holds_nothing(lab: Lab, outcome: str) -> None:
    lived = await life.preparation(lab, upto="planned")
    more = {"reported_at": None} if outcome == "pending" else {}
    ok(await report(lived, one_marker(outcome, **more)))
    assert await impacts_of(lab, lived.donor) == []
    assert await lab.value(OPEN_HOLDS, await lived.lot_id()) == 0


async def test_a_marker_of_an_old_vaccination_alarms_nobody_and_an_inconclusive_one_does(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="planned")
    ok(await report(lived, one_marker(analyte="HBV", marker="anti-HBs")))
    assert await impacts_of(lab, lived.donor) == []
    ok(await report(lived, one_marker("inconclusive")))
    assert len(await impacts_of(lab, lived.donor)) == 1


async def test_a_positive_marker_before_the_determination_is_no_later_fact(lab: Lab) -> None:
    donor = str((await things.donor(lab))["code"])
    received = await things.donation(lab, donor)
    ok(await lab.as_("ana").post(f"/donors/{donor}/markers", {"markers": things.markers(HBsAg="positive")}))
    assert await impacts_of(lab, donor) == []
    assert await impacts_of(lab, received["code"]) == []


async def test_a_determined_donation_of_which_nothing_was_made_is_held_itself(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="eligible")
    ok(await report(lived, one_marker()))
    (touched,) = (await one_of(lab, lived.donor))["touched"]
    assert (touched["kind"], touched["code"], touched["held"]) == ("donation", lived.donation, True)
    assert touched["verdict"]["gate"] == "G2"
    body = {"process": lived.shared.process, "specification": lived.shared.specification, "donation": lived.donation}
    planned = await lab.as_("tess").post("/lots", body)
    if planned.is_success:  # planning is no processing: what comes of it is held with its donation
        assert await lab.value("SELECT count(*) FROM lab.open_holds($1)", await life.id_of(lab, planned.json()["code"]))


async def test_a_withdrawn_consent_holds_what_is_not_used_and_another_that_covers_it_holds_nothing(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="planned")
    again = {"form_version": "ICF-1", "scopes": ["donation", "processing"], "signed_at": life.ago(days=6)}
    ok(await lab.as_("tess").post(f"/donors/{lived.donor}/consents", again))
    url = f"/donors/{lived.donor}/consents/withdrawal"
    ok(await lab.as_("quinn").post(url, {"form_version": "ICF-2", "withdrawn_at": life.now()}))
    assert await impacts_of(lab, lived.donor) == []
    ok(await lab.as_("quinn").post(url, {"form_version": "ICF-1", "withdrawn_at": life.now()}))
    found = await one_of(lab, lived.donor)
    assert found["impact"]["kind"] == "consent_withdrawn"
    assert lived.lot in {each["code"] for each in found["touched"]}
    assert all(each["held"] for each in found["touched"])


async def test_a_recalled_material_lot_holds_every_lot_that_it_went_into_and_no_other(lab: Lab) -> None:
    own = await life.new_shared(lab)
    lived = await life.preparation(lab, upto="isolated", use=own)
    other = await life.preparation(lab, upto="isolated")
    code = own.material_lots[0]
    ok(await lab.as_("quinn").post(f"/material-lots/{code}/recall", {"reason": "the supplier recalls it"}))
    found = await one_of(lab, code)
    assert found["impact"]["kind"] == "material_stopped"
    assert [each["code"] for each in found["touched"]] == [lived.lot]
    closing = {each["rule"] for each in found["touched"][0]["verdict"]["closing"]}
    assert any(each.startswith("MAT-") for each in closing)
    assert await lab.value(OPEN_HOLDS, await lived.lot_id()) == 1
    assert await lab.value(OPEN_HOLDS, await other.lot_id()) == 0
    # A lot that nobody used yet: nothing is downstream.
    unused = own.material_lots[1]
    ok(await lab.as_("quinn").post(f"/material-lots/{unused}/recall", {"reason": "likewise"}))
    assert len(await impacts_of(lab, lived.lot)) == 2, "isolation used both bottles"


async def test_a_result_that_fails_after_the_release_holds_the_lot(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="released")
    await life.measured(lived, "sterility", "growth on day 14", None)
    found = await one_of(lab, lived.lot)
    assert found["impact"]["kind"] == "result_failed"
    (touched,) = found["touched"]
    assert (touched["held"], touched["next"]) == (True, "decide_recall")
    assert "REL-02" in {each["rule"] for each in touched["verdict"]["closing"]}
    # A good one after the release, and a bad one before it, are no such facts.
    early = await life.preparation(lab, upto="sampled")
    await life.measured(early, "sterility", "growth on day 14", None)
    assert await impacts_of(lab, early.lot) == []


async def test_a_release_that_races_a_positive_marker_never_leaves_the_lot_released_and_free(lab: Lab) -> None:
    for _ in range(3):
        lived = await life.preparation(lab)
        check = ok(await lab.as_("lin").post(f"/lots/{lived.lot}/release-check", {}))
        signed = await life.ceremony(lab, "lin", "released", "lot", await lived.lot_id())
        body = {"digest": check["digest"], "ceremony": signed}
        answers = await asyncio.gather(
            lab.as_("lin").post(f"/lots/{lived.lot}/release", body),
            report(lived, one_marker()),
            return_exceptions=False,
        )
        assert answers[1].is_success, answers[1].text
        state = await lived.state()
        assert state in {"released", "awaiting_release"}
        assert (state == "released") == answers[0].is_success
        assert await lab.value(OPEN_HOLDS, await lived.lot_id()) == 1, f"{state}, and nothing holds it"
        assert (await one_of(lab, lived.lot))["touched"][0]["state_then"] == state


async def test_many_lots_are_judged_by_the_rules_that_read_the_fact(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.db.impacts.WHOLE_BOOK_MOST", 0)
    lived = await life.preparation(lab, upto="filled")
    ok(await report(lived, one_marker()))
    (touched,) = (await one_of(lab, lived.lot))["touched"]
    assert (touched["held"], touched["verdict"]["asked"]) == (True, "rules_on_the_fact")
    assert {each["rule"] for each in touched["verdict"]["closing"]} >= {"DON-04", "DON-05"}
    own = await life.new_shared(lab)
    made = await life.preparation(lab, upto="isolated", use=own)
    ok(await lab.as_("quinn").post(f"/material-lots/{own.material_lots[0]}/recall", {"reason": "glass in it"}))
    (touched,) = (await one_of(lab, made.lot))["touched"]
    assert touched["verdict"]["asked"] == "rules_on_the_fact"
    assert any(each["rule"].startswith("MAT-") for each in touched["verdict"]["closing"])


async def test_a_hold_of_a_look_back_is_lifted_by_the_qa_managers_signature_for_a_stated_reason(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="planned")
    ok(await report(lived, one_marker()))
    hold = (await one_of(lab, lived.lot))["touched"][-1]["hold"]
    signed = await life.ceremony(lab, "quinn", "hold_lifted", "hold", hold, "the donor was tested again")
    refused(await lab.as_("tess").post(f"/holds/{hold}/lift", {"ceremony": signed}), 403)
    silent = await life.ceremony(lab, "quinn", "hold_lifted", "hold", hold)
    refused(await lab.as_("quinn").post(f"/holds/{hold}/lift", {"ceremony": silent}), 422, "bad-input")
    signed = await life.ceremony(lab, "quinn", "hold_lifted", "hold", hold, "the donor was tested again")
    ok(await lab.as_("quinn").post(f"/holds/{hold}/lift", {"ceremony": signed}))
    found = next(each for each in (await one_of(lab, lived.lot))["touched"] if each["hold"] == hold)
    assert (found["held"], found["next"]) == (False, "done")


WHY = "a false positive by the reference laboratory's report"


async def test_a_hold_of_a_look_back_on_a_released_lot_is_the_quality_authoritys_to_lift(
    lab: Lab, database: Database
) -> None:
    lived = await life.preparation(lab, upto="released")
    ok(await report(lived, one_marker()))
    hold = (await one_of(lab, lived.lot))["touched"][-1]["hold"]
    assert ok(await lab.as_("tess").get(f"/holds/{hold}"))["hold"]["authoritys"]
    quinns = await life.ceremony(lab, "quinn", "hold_lifted", "hold", hold, WHY)
    refused(await lab.as_("quinn").post(f"/holds/{hold}/lift", {"ceremony": quinns}), 403, "not-permitted")

    # Neither by the application's own password, with a ceremony of the QA manager's that would lift any other hold.
    quinns = await life.ceremony(lab, "quinn", "hold_lifted", "hold", hold, WHY)
    app = await asyncpg.connect(database.url("stemma_app"))
    try:
        for statement, state in (
            (f"SELECT gate.lift_hold({hold}, '{quinns}')", "ST032"),
            (f"UPDATE lab.holds SET lifted_at = now() WHERE id = {hold}", "42501"),
            (f"UPDATE lab.impact_items SET hold_id = NULL WHERE hold_id = {hold}", "42501"),
        ):
            with pytest.raises(asyncpg.PostgresError) as refusal:
                await tried(app, lab.id_of("quinn"), statement)
            assert refusal.value.sqlstate == state, statement
    finally:
        await app.close()
    assert await lab.value(OPEN_HOLDS, await lived.lot_id()) == 1

    silent = await life.ceremony(lab, "lin", "look_back_hold_lifted", "hold", hold)
    refused(await lab.as_("lin").post(f"/holds/{hold}/lift", {"ceremony": silent}), 422, "bad-input")
    signed = await lab.sign("lin", "look_back_hold_lifted", "hold", hold, WHY)
    ok(await lab.as_("lin").post(f"/holds/{hold}/lift", {"ceremony": signed}))
    assert await lab.value(OPEN_HOLDS, await lived.lot_id()) == 0


async def tried(app: asyncpg.Connection, account: int, statement: str) -> None:
    """In a change of this person's, as the application opens one."""
    async with app.transaction():
        await app.execute("SELECT audit.open($1, 'ana', '', 'x', '', '', '', NULL, NULL, NULL)", account)
        await app.execute(statement)


async def test_raw_sql_of_the_application_places_the_hold_too_and_can_neither_write_nor_change_an_impact(
    lab: Lab, database: Database
) -> None:
    lived = await life.preparation(lab, upto="planned")
    app = await asyncpg.connect(database.url("stemma_app"))
    try:
        async with app.transaction():
            await app.execute(
                "SELECT audit.open($1, 'ana', '', 'record_marker', '', '', '', NULL, NULL, NULL)", lab.id_of("ana")
            )
            await app.execute(
                "INSERT INTO lab.marker_results (donor_id, analyte, marker, method, kit_lot, laboratory, sampled_at, reported_at, outcome, recorded_by)"
                " VALUES ($1, 'HIV', 'HIV NAT', 'NAT', 'K', 'L', now(), now(), 'positive', $2)",
                await lived.id(lived.donor),
                lab.id_of("ana"),
            )
        assert await lab.value(OPEN_HOLDS, await lived.lot_id()) == 1
        for attack in (
            "INSERT INTO lab.impacts (number, kind, subject_id, entry, recorded_by) VALUES ('IM-26-9999', 'donor_marker', 1, 1, 1)",
            "INSERT INTO lab.impact_items (impact_id, item_id, kind, state_then, containers) SELECT id, subject_id, 'bank', 'x', '{}' FROM lab.impacts LIMIT 1",
            "UPDATE lab.impact_items SET hold_id = NULL",
            "DELETE FROM lab.impact_items",
            "UPDATE lab.impact_verdicts SET closing = '[]'",
            "SELECT lab.comes_to_light('donor_marker', 1, 'marker', 1, '{}', '', 1)",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await tried(app, lab.id_of("ana"), attack)
    finally:
        await app.close()
    # The database held it; what nobody judged says so.
    found = await one_of(lab, lived.lot)
    assert found["impact"]["unjudged"] >= 1
    assert all(each["verdict"] is None for each in found["touched"])


async def test_nobody_from_outside_the_laboratory_reads_it(lab: Lab) -> None:
    refused(await lab.as_("adam").get("/impacts"), 403)
    refused(await lab.as_("quinn").get("/impacts/IM-26-99999999"), 404, "not-found")


async def learnt(lived: life.Life, *, outcome: str = "suitable", **answers: str) -> Any:
    """The donor is asked and examined once more."""
    examined = {"outcome": outcome, "by": "Dr Phil Fang", "at": life.ago(hours=1)}
    body = life.history(**answers) | {"asked_at": life.ago(hours=1), "examination": examined}
    return await lived.lab.as_("tess").post(f"/donors/{lived.donor}/histories", body)


async def test_a_disease_learnt_of_the_donor_later_holds_what_was_made_and_waits_for_a_decision(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="released")
    judged = "SELECT id, digest, verdicts FROM lab.judgements WHERE subject_id = $1"
    before = await lab.sql(judged, await lived.lot_id())
    ok(await learnt(lived, malignancy="yes"))
    found = await one_of(lab, lived.donor)
    assert found["impact"]["kind"] == "health_found"
    assert "malignant disease" in str(found["impact"]["facts"])
    (touched,) = found["touched"]
    assert (touched["code"], touched["state_then"], touched["held"]) == (lived.lot, "released", True)
    assert touched["next"] == "decide_recall"
    assert touched["recipient"] is not None
    assert set(lived.vials) <= {each["code"] for each in touched["containers"]}
    assert {"DON-08", "DON-13"} <= {each["rule"] for each in touched["verdict"]["closing"]}
    assert (await lab.sql(judged, await lived.lot_id()))[: len(before)] == before
    assert (await life_scan(lived))["reason"] == "held"

    signed = await lab.sign("lin", "look_back_hold_lifted", "hold", touched["hold"], "a naevus, by the histology")
    ok(await lab.as_("lin").post(f"/holds/{touched['hold']}/lift", {"ceremony": signed}))
    assert await lab.value(OPEN_HOLDS, await lived.lot_id()) == 0


async def test_a_physician_who_finds_the_donor_not_suitable_holds_it_too_and_what_excludes_nobody_does_not(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived = await life.preparation(lab, upto="filled")
    ok(await learnt(lived))
    ok(await learnt(lived, travel="unknown"))
    assert await impacts_of(lab, lived.donor) == []
    monkeypatch.setattr("app.db.impacts.WHOLE_BOOK_MOST", 0)
    ok(await learnt(lived, outcome="not_suitable"))
    (touched,) = (await one_of(lab, lived.lot))["touched"]
    assert (touched["held"], touched["verdict"]["asked"]) == (True, "rules_on_the_fact")
    assert {"DON-08", "DON-13"} <= {each["rule"] for each in touched["verdict"]["closing"]}


async def test_the_version_that_was_asked_says_which_answer_excludes(lab: Lab) -> None:
    name = f"Of donors {uuid.uuid4().hex[:8]}"
    groups = {"infection": "yes", "travel": None, "prion": "yes", "genetic": "no", "malignancy": "yes"}
    questions = [{"code": each, "en": each, "zh": each, "group": each, "excludes": by} for each, by in groups.items()]
    ok(await lab.as_("quinn").post("/questionnaires", {"name": name, "questions": questions, "source": "SOP-1"}))
    lived = await life.preparation(lab, upto="eligible")
    path = f"/donors/{lived.donor}/histories"
    said = {"infection": "no", "travel": "yes", "prion": "no", "genetic": "yes", "malignancy": "unknown"}
    body = life.history() | {"questionnaire": name, "answers": said, "asked_at": life.ago(hours=1)}
    ok(await lab.as_("tess").post(path, body))
    assert await impacts_of(lab, lived.donor) == []
    ok(await lab.as_("tess").post(path, body | {"answers": said | {"genetic": "no"}}))
    found = await one_of(lab, lived.donor)
    assert "hereditary disease" in str(found["impact"]["facts"])
    (touched,) = found["touched"]
    assert (touched["kind"], touched["code"], touched["held"]) == ("donation", lived.donation, True)
    assert "DON-08" in {each["rule"] for each in touched["verdict"]["closing"]}


async def test_a_history_before_anything_was_determined_is_no_later_fact(lab: Lab) -> None:
    donor = str((await things.donor(lab))["code"])
    await things.donation(lab, donor)
    ok(await lab.as_("phil").post(f"/donors/{donor}/histories", life.history(malignancy="yes")))
    assert await impacts_of(lab, donor) == []


async def test_raw_sql_of_the_application_holds_for_a_donors_health_too(lab: Lab, database: Database) -> None:
    lived = await life.preparation(lab, upto="planned")
    app = await asyncpg.connect(database.url("stemma_app"))
    try:
        await tried(
            app,
            lab.id_of("tess"),
            "INSERT INTO lab.health_histories (donor_id, questionnaire_id, answers, asked_at, examined_at, examined_by, examination, recorded_by) "
            "SELECT donor_id, questionnaire_id, '{}', now(), now(), 'Dr Phil Fang', 'not_suitable', recorded_by "
            f"FROM lab.health_histories WHERE donor_id = {await lived.id(lived.donor)} LIMIT 1",
        )
    finally:
        await app.close()
    assert await lab.value(OPEN_HOLDS, await lived.lot_id()) == 1
