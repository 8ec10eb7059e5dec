"""Transports: a lot goes in a qualified shipper, within temperature and time; what it did is kept, and closes its release."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from tests import life
from tests.services.test_partners import partner
from tests.study import day
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.conftest import Database
    from tests.life import Life
    from tests.world import Lab


def qualification(**more: Any) -> dict[str, Any]:
    body = {"shipper": f"Box {uuid.uuid4().hex[:6]}", "low_c": "2", "high_c": "8", "hours_max": "24"}
    body |= {"qualified_on": day(-100), "valid_to": day(200), "file_name": "oq.pdf", "file_sha256": "a" * 64}
    return {**body, **more}


async def way(lab: Lab, **more: Any) -> dict[str, Any]:
    """A way that was as it should be, in a shipper of its own."""
    body = qualification(**{each: more.pop(each) for each in ("qualified_on", "valid_to") if each in more})
    ok(await lab.as_("quinn").post("/shippers", body))
    made = {"partner": (await partner(lab))["name"], "shipper": body["shipper"], "from_place": "Cell Works"}
    made |= {"to_place": "the house", "dispatched_at": life.now(), "handed_over_by": "Tess", "arrived_at": life.now()}
    made |= {"received_by": "Vera", "min_c": "3", "max_c": "6.5", "file_name": "log.csv", "file_sha256": "b" * 64}
    return {**made, **more}


async def verdict(lab: Lab, lived: Life) -> str:
    found = ok(await lab.as_("lin").post(f"/lots/{lived.lot}/release-check", {}))
    return str(next(each["outcome"] for each in found["verdicts"] if each["rule"] == "EXT-04"))


async def test_a_lot_that_was_carried_nowhere_is_not_asked(lab: Lab) -> None:
    assert await verdict(lab, await life.preparation(lab)) == "not_applicable"


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ({}, "pass"),
        ({"max_c": "9"}, "needs_waiver"),
        ({"min_c": "-2"}, "needs_waiver"),
        ({"excursion": "the lid stood open"}, "needs_waiver"),
        ({"dispatched_at": life.ago(hours=30)}, "fail"),
        ({"min_c": None, "max_c": None}, "indeterminate"),
        ({"file_name": None, "file_sha256": None}, "indeterminate"),
        ({"valid_to": day(-50)}, "fail"),
    ],
)
async def test_how_a_lot_was_carried_is_kept_and_judged(lab: Lab, more: dict[str, Any], outcome: str) -> None:
    lived = await life.preparation(lab, upto="planned")
    path = f"/lots/{lived.lot}/transports"
    ok(await lab.as_("tess").post(path, await way(lab, **more)))
    assert await verdict(lab, lived) == outcome
    assert len(ok(await lab.as_("tess").get(path))) == 1
    ok(await lab.as_("tess").post(path, await way(lab)))
    assert await verdict(lab, lived) == outcome, "a second way does not undo the first"


async def test_a_clean_lot_that_was_carried_well_is_released(lab: Lab) -> None:
    lived = await life.preparation(lab)
    ok(await lab.as_("tess").post(f"/lots/{lived.lot}/transports", await way(lab)))
    await life.go_on(lived, upto="released")
    assert await lived.state() == "released"


@pytest.mark.parametrize(
    "more",
    [
        {"arrived_at": life.ago(hours=5)},
        {"arrived_at": life.ago(hours=-5)},
        {"max_c": "1"},
        {"min_c": "-400"},
        {"file_sha256": None},
        {"file_sha256": "abc"},
        {"shipper": "no such box"},
        {"partner": "Nobody Ltd"},
    ],
)
async def test_a_transport_that_cannot_be_is_refused(lab: Lab, more: dict[str, Any]) -> None:
    lived = await life.preparation(lab, upto="planned")
    body = await way(lab, **more)
    refused(await lab.as_("tess").post(f"/lots/{lived.lot}/transports", body), 422, "bad-input")
    assert ok(await lab.as_("tess").get(f"/lots/{lived.lot}/transports")) == []


@pytest.mark.parametrize(
    "more",
    [
        {"low_c": "9"},
        {"hours_max": "0"},
        {"qualified_on": day(3)},
        {"valid_to": day(-200)},
        {"file_sha256": "abc"},
    ],
)
async def test_a_qualification_that_cannot_be_is_refused(lab: Lab, more: dict[str, Any]) -> None:
    before = await lab.value("SELECT count(*) FROM lab.shipper_qualifications")
    refused(await lab.as_("quinn").post("/shippers", qualification(**more)), 422, "bad-input")
    assert await lab.value("SELECT count(*) FROM lab.shipper_qualifications") == before


async def test_who_may_record_and_what_the_database_keeps(lab: Lab, database: Database) -> None:
    lived = await life.preparation(lab, upto="planned")
    refused(await lab.as_("tess").post("/shippers", qualification()), 403, "not-permitted")
    body = await way(lab)
    refused(await lab.as_("ana").post(f"/lots/{lived.lot}/transports", body), 403, "not-permitted")
    ok(await lab.as_("tess").post(f"/lots/{lived.lot}/transports", {**body, "max_c": "12"}))
    hand = await asyncpg.connect(database.url("stemma_app"))
    try:
        for statement in (
            "UPDATE lab.transports SET max_c = 5",
            "DELETE FROM lab.transports",
            "UPDATE lab.shipper_qualifications SET high_c = 40",
        ):
            with pytest.raises(asyncpg.PostgresError):
                await hand.execute(statement)
    finally:
        await hand.close()
    assert await verdict(lab, lived) == "needs_waiver"
