"""Who answers, and what the facility may run: signed beforehand, else no step begins."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from tests import life, world
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.conftest import Database
    from tests.world import Lab


def authorisation(process: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "process": process["name"],
        "version": process["version"],
        "owner": "The hospital",
        "address": "1 Lab Road",
        "classification": "A in B",
        "valid_to": life.ago(days=-365),
        **more,
    }


def responsibility(**more: Any) -> dict[str, Any]:
    return {"level": "facility", "username": "hedda", "duties": "answers for the facility", **more}


async def authorising(lab: Lab, number: int, who: str = "lin") -> Any:
    signed = await life.ceremony(lab, who, "process_authorised", "authorisation", number)
    return await lab.as_(who).post(f"/mandates/authorisations/{number}/sign", {"ceremony": signed})


async def accepting(lab: Lab, number: int, who: str = "hedda") -> Any:
    signed = await life.ceremony(lab, who, "responsibility_accepted", "responsibility", number)
    return await lab.as_(who).post(f"/mandates/responsibilities/{number}/accept", {"ceremony": signed})


async def one(lab: Lab, kind: str, number: int) -> dict[str, Any]:
    found = ok(await lab.as_("tess").get("/mandates"))
    return next(
        each for each in found[f"{kind}s" if kind == "authorisation" else "responsibilities"] if each[kind] == number
    )


async def isolating(lab: Lab, lived: life.Life) -> Any:
    step = lived.step(viable="1.8e7", dead="1.1e6", flasks=2)
    return await lab.as_("tess").post(f"/lots/{lived.lot}/isolation", step)


async def test_a_process_version_is_authorised_before_it_is_run(make_database: Any) -> None:
    """In a house of its own, where the process was defined and nothing more."""
    async with world.open_lab(make_database()) as house:
        shared = await life.new_shared(house)
        await house.arrange("UPDATE lab.authorisations SET valid_to = now() - interval '1 day'")
        lived = await life.preparation(house, upto="cleared", use=shared)
        problem = refused(await isolating(house, lived), 409, "blocked")
        assert [each["rule"] for each in problem["findings"]] == ["ORG-05"]
        made = ok(await house.as_("hedda").post("/mandates/authorisations", authorisation(shared.process)))
        refused(await isolating(house, lived), 409, "blocked")
        ok(await authorising(house, made["number"]))
        assert (await one(house, "authorisation", made["number"]))["state"] == "in_force"
        ok(await isolating(house, lived))


async def test_no_step_begins_while_a_level_is_vacant(make_database: Any) -> None:
    async with world.open_lab(make_database()) as house:
        lived = await life.preparation(house, upto="cleared")
        stands = ok(await house.as_("tess").get("/mandates"))
        assert [each["people"] for each in stands["levels"]] == [["Rolf Rong"], ["Dr Phil Fang"], ["Hedda He"]]
        now = next(each for each in stands["responsibilities"] if each["level"] == "facility")
        ok(await house.as_("quinn").post(f"/mandates/responsibilities/{now['responsibility']}/end"))
        refused(
            await house.as_("quinn").post(f"/mandates/responsibilities/{now['responsibility']}/end"), 409, "conflict"
        )
        problem = refused(await isolating(house, lived), 409, "blocked")
        assert [each["rule"] for each in problem["findings"]] == ["ORG-06"]

        made = ok(await house.as_("quinn").post("/mandates/responsibilities", responsibility()))
        refused(await isolating(house, lived), 409, "blocked")
        ok(await accepting(house, made["number"]))
        assert (await one(house, "responsibility", made["number"]))["state"] == "answers"
        ok(await isolating(house, lived))


async def test_who_may_sign_and_who_may_not(lab: Lab) -> None:
    process = await life.process(lab)
    made = ok(await lab.as_("quinn").post("/mandates/authorisations", authorisation(process)))["number"]
    for who in ("quinn", "hedda", "tess"):
        body = {"ceremony": str(uuid.uuid4())}
        refused(await lab.as_(who).post(f"/mandates/authorisations/{made}/sign", body), 403, "not-permitted")
    ok(await authorising(lab, made))
    refused(await authorising(lab, made), 409, "conflict")
    borne = ok(await lab.as_("quinn").post("/mandates/responsibilities", responsibility()))["number"]
    refused(await accepting(lab, borne, "phil"), 403, "ceremony-refused")
    assert (await one(lab, "responsibility", borne))["state"] == "proposed"
    ok(await accepting(lab, borne))
    refused(await accepting(lab, borne), 409, "conflict")


async def test_what_cannot_be_proposed(lab: Lab) -> None:
    quinn = lab.as_("quinn")
    process = await life.process(lab)
    before = await lab.value("SELECT count(*) FROM lab.authorisations")
    wrong = authorisation(process, valid_to=life.ago(days=1))
    assert refused(await quinn.post("/mandates/authorisations", wrong), 422)["field"] == "valid_to"
    missing = authorisation({"name": "no such process", "version": 1})
    refused(await quinn.post("/mandates/authorisations", missing), 404, "not-found")
    refused(await lab.as_("tess").post("/mandates/authorisations", authorisation(process)), 403, "not-permitted")
    assert await lab.value("SELECT count(*) FROM lab.authorisations") == before

    before = await lab.value("SELECT count(*) FROM lab.responsibilities")
    refused(await quinn.post("/mandates/responsibilities", responsibility(username="quinn")), 403, "not-permitted")
    refused(await quinn.post("/mandates/responsibilities", responsibility(username="nobody-there")), 404, "not-found")
    refused(await quinn.post("/mandates/responsibilities", responsibility(level="canteen")), 422)
    backwards = responsibility(until_at=life.ago(days=3))
    assert refused(await quinn.post("/mandates/responsibilities", backwards), 422)["field"] == "until_at"
    refused(await lab.as_("hedda").post("/mandates/responsibilities", responsibility()), 403, "not-permitted")
    assert await lab.value("SELECT count(*) FROM lab.responsibilities") == before
    refused(await quinn.post("/mandates/responsibilities/99999999/end"), 404, "not-found")


async def test_the_database_keeps_what_was_signed(database: Database) -> None:
    connection = await asyncpg.connect(database.url("stemma_app"))
    try:
        for statement in (
            "UPDATE lab.authorisations SET valid_to = '2099-01-01'",
            "UPDATE lab.responsibilities SET signature_id = NULL",
            "UPDATE lab.responsibilities SET until_at = NULL",
            "DELETE FROM lab.responsibilities",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()
