"""What was tested again stands for another version only by a document that the quality authority signed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from tests import life, study
from tests.services.test_partner_lots import maker, named
from tests.services.test_studies import closing
from tests.study import day
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.conftest import Database
    from tests.world import Lab

KEPT = "SELECT count(*) FROM lab.comparabilities"


async def changed(lab: Lab, to: dict[str, Any] | None = None) -> tuple[str, int]:
    """A study that follows another process version than what was tested again, and the report of its final formulation."""
    number = await study.ready(lab)
    quinn = lab.as_("quinn")
    shown = ok(await quinn.get(f"/studies/{number}"))["study"]
    body = await study.body(
        lab, institution=shown["institution"]["name"], process=to or await life.process(lab), why="a new centrifuge"
    )
    ok(await quinn.post(f"/studies/{number}/versions", {**body, "substantial": False}))
    reports = ok(await quinn.get(f"/studies/{number}/reinspections"))["reports"]
    return number, next(each["id"] for each in reports if each["sample_kind"] == "final_formulation")


def document(about: int, **more: Any) -> dict[str, Any]:
    return {
        "report": about,
        "differences": "another centrifuge",
        "reasons": "three runs beside each other, all within limits",
        "committee_reference": "AC-26-7",
        "committee_decided_on": day(-2),
        "file_name": "comparability.pdf",
        "file_sha256": "ab" * 32,
        "valid_to": day(300),
        **more,
    }


async def test_a_document_of_comparability_counts_from_the_quality_authoritys_signature(lab: Lab) -> None:
    number, _ = await changed(lab)
    path, quinn = f"/studies/{number}/comparabilities", lab.as_("quinn")
    assert "TPR-05" in await closing(lab, number, "G8")
    made = [
        ok(await quinn.post(path, document(each["id"])))["comparability"]
        for each in ok(await quinn.get(f"/studies/{number}/reinspections"))["reports"]
    ]
    assert "TPR-05" in await closing(lab, number, "G8"), "nobody signed"
    signed = await life.ceremony(lab, "lin", "comparability_accepted", "comparability", made[0])
    refused(await quinn.post(f"/comparabilities/{made[0]}/sign", {"ceremony": signed}), 403, "not-permitted")
    for each in made:
        signed = await life.ceremony(lab, "lin", "comparability_accepted", "comparability", each)
        ok(await lab.as_("lin").post(f"/comparabilities/{each}/sign", {"ceremony": signed}))
    assert "TPR-05" not in await closing(lab, number, "G8")
    again = await life.ceremony(lab, "lin", "comparability_accepted", "comparability", made[0])
    refused(await lab.as_("lin").post(f"/comparabilities/{made[0]}/sign", {"ceremony": again}), 409, "conflict")
    shown = ok(await quinn.get(path))
    assert {each["comparability"] for each in shown} == set(made)
    assert all(each["accepted_at"] for each in shown)
    # The next version of the process is another again.
    institution = ok(await quinn.get(f"/studies/{number}"))["study"]["institution"]["name"]
    body = await study.body(lab, institution=institution, process=await life.process(lab), why="a further change")
    ok(await quinn.post(f"/studies/{number}/versions", {**body, "substantial": False}))
    assert "TPR-05" in await closing(lab, number, "G8")


async def test_what_a_partner_makes_is_tested_again_or_compared_by_a_document_that_names_the_partner(lab: Lab) -> None:
    own = await life.new_shared(lab)
    number, _ = await changed(lab, to=own.process)
    path, quinn = f"/studies/{number}/comparabilities", lab.as_("quinn")
    reports = [each["id"] for each in ok(await quinn.get(f"/studies/{number}/reinspections"))["reports"]]

    async def accepted() -> None:
        for report in reports:
            made = ok(await quinn.post(path, document(report)))["comparability"]
            signed = await life.ceremony(lab, "lin", "comparability_accepted", "comparability", made)
            ok(await lab.as_("lin").post(f"/comparabilities/{made}/sign", {"ceremony": signed}))

    await accepted()
    assert "TPR-05" not in await closing(lab, number, "G8")
    by = await maker(lab)
    await named(lab, by, use=own)
    assert "TPR-05" in await closing(lab, number, "G8"), "what was compared before the partner made it names no partner"
    samples = ok(await quinn.get(f"/studies/{number}/reinspections"))["samples"]
    assert [(each["kind"], each["site"]) for each in samples if each["kind"] == "final_formulation"] == [
        ("final_formulation", None),
        ("final_formulation", by),
    ]
    await accepted()
    assert "TPR-05" not in await closing(lab, number, "G8")
    assert [each["made_at"] for each in ok(await quinn.get(path))] == [["", by]] * 2 + [[""]] * 2


async def test_a_document_that_cannot_be_is_refused_and_nothing_is_kept(lab: Lab) -> None:
    number, report = await changed(lab)
    other = await study.registered(lab)
    before = await lab.value(KEPT)
    path, quinn = f"/studies/{number}/comparabilities", lab.as_("quinn")
    refused(await lab.as_("tess").post(path, document(report)), 403, "not-permitted")
    for wrong, field in (
        ({"committee_decided_on": day(3)}, "committee_decided_on"),
        ({"valid_to": day(-1)}, "valid_to"),
        ({"valid_to": day(-3)}, "valid_to"),
        ({"report": 9_000_000}, "report"),
    ):
        assert refused(await quinn.post(path, document(report, **wrong)), 422)["field"] == field
    theirs = document(report)
    assert refused(await quinn.post(f"/studies/{other}/comparabilities", theirs), 422)["field"] == "report"
    refused(await quinn.post(path, document(report, file_sha256="abc")), 422, "bad-input")
    assert await lab.value(KEPT) == before


async def signing(app: asyncpg.Connection, account: int, comparability: int, ceremony: str) -> None:
    """As the application's own role signs, past the application."""
    async with app.transaction():
        opened = "SELECT audit.open($1, 'lin', '', 'accept_comparability', '', '', '', NULL, NULL, NULL)"
        await app.execute(opened, account)
        await app.execute("SELECT gate.accept_comparability($1, $2)", comparability, ceremony)


async def test_the_database_lets_nobody_sign_their_own_nor_write_a_signature(lab: Lab, database: Database) -> None:
    number, report = await changed(lab)
    made = ok(await lab.as_("quinn").post(f"/studies/{number}/comparabilities", document(report)))["comparability"]
    app = await asyncpg.connect(database.url("stemma_app"))
    try:
        for statement in (
            f"UPDATE lab.comparabilities SET signature_id = 1 WHERE id = {made}",
            f"UPDATE lab.comparabilities SET valid_to = '2099-01-01' WHERE id = {made}",
            f"DELETE FROM lab.comparabilities WHERE id = {made}",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(statement)
        own = await lab.arrange(
            "INSERT INTO lab.comparabilities (study_id, reinspection_id, process_id, specification_id, bank_ids, differences, reasons,"
            " committee_reference, committee_decided_on, file_name, file_sha256, valid_to, proposed_by)"
            " SELECT study_id, reinspection_id, process_id, specification_id, bank_ids, differences, reasons, committee_reference,"
            " committee_decided_on, file_name, file_sha256, valid_to, $2 FROM lab.comparabilities WHERE id = $1 RETURNING id",
            made,
            lab.id_of("lin"),
        )
        signed = await life.ceremony(lab, "lin", "comparability_accepted", "comparability", own[0]["id"])
        with pytest.raises(asyncpg.PostgresError, match="proposed themselves"):
            await signing(app, lab.id_of("lin"), own[0]["id"], signed)
    finally:
        await app.close()
    other = await study.registered(lab)
    with pytest.raises(asyncpg.PostgresError, match="standing report of this study"):
        await lab.arrange(
            "INSERT INTO lab.comparabilities (study_id, reinspection_id, process_id, specification_id, bank_ids, differences, reasons,"
            " committee_reference, committee_decided_on, file_name, file_sha256, valid_to, proposed_by)"
            " SELECT (SELECT id FROM lab.studies WHERE number = $2), reinspection_id, process_id, specification_id, bank_ids,"
            " differences, reasons, committee_reference, committee_decided_on, file_name, file_sha256, valid_to, proposed_by"
            " FROM lab.comparabilities WHERE id = $1",
            made,
            other,
        )
