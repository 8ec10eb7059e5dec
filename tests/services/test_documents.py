"""Controlled documents: proposed by one, approved by another; without one in effect no step begins."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from tests import life
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.conftest import Database
    from tests.world import Lab

SHA = "b" * 64


def body(**more: Any) -> dict[str, Any]:
    return {
        "number": f"SOP-{uuid.uuid4().hex[:8]}",
        "types": ["recall"],
        "title": "How a product is recalled",
        "review_due": str(date.today() + timedelta(days=700)),
        "file_name": "SOP-7 v1.pdf",
        "file_sha256": SHA,
        **more,
    }


async def approving(lab: Lab, document: int, who: str = "lin") -> Any:
    signed = await life.ceremony(lab, who, "document_approved", "document", document)
    return await lab.as_(who).post(f"/documents/{document}/approve", {"ceremony": signed})


async def state(lab: Lab, number: str) -> list[str]:
    return [each["state"] for each in ok(await lab.as_("tess").get(f"/documents/{number}"))]


async def test_a_document_is_proposed_approved_and_renewed(lab: Lab) -> None:
    first = ok(await lab.as_("quinn").post("/documents", body()))
    number = first["number"]
    assert (first["version"], await state(lab, number)) == (1, ["proposed"])
    ok(await approving(lab, first["document"]))
    assert await state(lab, number) == ["in_effect"]

    second = ok(await lab.as_("hedda").post("/documents", body(number=number, title="How a product is recalled, anew")))
    assert (second["version"], await state(lab, number)) == (2, ["proposed", "in_effect"])
    ok(await approving(lab, second["document"], "quinn"))
    assert await state(lab, number) == ["in_effect", "superseded"]
    shown = ok(await lab.as_("tess").get(f"/documents/{number}"))[0]
    assert (shown["approved_by"], shown["proposed_by"], shown["file_sha256"]) == ("Quinn Qiu", "Hedda He", SHA)
    listed = ok(await lab.as_("tess").get("/documents", kind="recall"))
    assert [each["version"] for each in listed if each["number"] == number] == [2, 1]


async def test_one_of_later_is_approved_and_not_in_effect_yet(lab: Lab) -> None:
    made = ok(await lab.as_("quinn").post("/documents", body(effective_from=life.ago(days=-3))))
    ok(await approving(lab, made["document"]))
    assert await state(lab, made["number"]) == ["approved"]


async def test_nobody_approves_their_own_nor_twice_nor_an_older_one(lab: Lab) -> None:
    made = ok(await lab.as_("quinn").post("/documents", body()))
    refused(await approving(lab, made["document"], "quinn"), 403, "ceremony-refused")
    assert await state(lab, made["number"]) == ["proposed"]
    newer = ok(await lab.as_("quinn").post("/documents", body(number=made["number"])))
    ok(await approving(lab, newer["document"]))
    refused(await approving(lab, newer["document"]), 409, "conflict")
    refused(await approving(lab, made["document"]), 409, "conflict")
    assert await state(lab, made["number"]) == ["in_effect", "proposed"]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"types": ["cooking"]}, "types"),
        ({"types": []}, None),
        ({"types": ["recall", "recall"]}, "types"),
        ({"review_due": str(date.today())}, "review_due"),
        ({"file_sha256": "abc"}, None),
        ({"number": "new"}, "number"),
        ({"number": "../etc"}, None),
    ],
)
async def test_what_cannot_be_proposed(lab: Lab, more: dict[str, Any], field: str | None) -> None:
    before = await lab.value("SELECT count(*) FROM lab.documents")
    problem = refused(await lab.as_("quinn").post("/documents", body(**more)), 422)
    if field:
        assert problem["field"] == field
    assert await lab.value("SELECT count(*) FROM lab.documents") == before


async def test_who_may_not(lab: Lab) -> None:
    for who in ("tess", "adam", "ana"):
        refused(await lab.as_(who).post("/documents", body()), 403, "not-permitted")
    made = ok(await lab.as_("quinn").post("/documents", body()))
    for who in ("tess", "hedda", "adam"):
        ceremony = {"ceremony": str(uuid.uuid4())}
        refused(await lab.as_(who).post(f"/documents/{made['document']}/approve", ceremony), 403, "not-permitted")
    refused(await lab.as_("tess").get("/documents/SOP-NONE-1"), 404, "not-found")


async def test_no_step_begins_without_the_mandatory_documents(make_database: Any) -> None:
    """In a house of its own: a new version of the manual that says nothing of recalls takes effect."""
    from tests.world import open_lab

    async with open_lab(make_database()) as house:
        lived = await life.preparation(house, upto="cleared")
        parts = ok(await house.as_("tess").get("/documents/mandatory"))
        assert all(each["regulated"] for each in parts)
        rest = [each["type"] for each in parts if each["type"] != "recall"]
        made = ok(await house.as_("quinn").post("/documents", body(number="QM-1", types=rest)))
        ok(await approving(house, made["document"]))
        step = lived.step(viable="1.8e7", dead="1.1e6", flasks=2)
        problem = refused(await house.as_("tess").post(f"/lots/{lived.lot}/isolation", step), 409, "blocked")
        assert [each["rule"] for each in problem["findings"]] == ["GMP-01"]
        assert "recall" in problem["findings"][0]["problem"]
        assert await lived.state() == "planned"
        made = ok(await house.as_("quinn").post("/documents", body()))
        ok(await approving(house, made["document"]))
        step = lived.step(viable="1.8e7", dead="1.1e6", flasks=2)
        ok(await house.as_("tess").post(f"/lots/{lived.lot}/isolation", step))


async def test_the_database_keeps_what_was_approved(lab: Lab, database: Database) -> None:
    made = ok(await lab.as_("quinn").post("/documents", body()))
    ok(await approving(lab, made["document"]))
    connection = await asyncpg.connect(database.url("stemma_app"))
    try:
        for statement in (
            "UPDATE lab.documents SET file_sha256 = repeat('c', 64)",
            "UPDATE lab.documents SET signature_id = NULL",
            "DELETE FROM lab.documents",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()
