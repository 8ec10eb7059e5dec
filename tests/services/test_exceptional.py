"""A lot out of specification that a physician asks for: recorded, decided by the authority, and never released by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from tests import life
from tests.study import day
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.conftest import Database
    from tests.world import Lab

RELEASES = "SELECT count(*) FROM lab.releases r JOIN lab.lots l ON l.id = r.lot_id WHERE l.name = $1"
SUPPLY = "oos_exceptional_supply"


def asking(**more: Any) -> dict[str, Any]:
    body = {"reasons": "nothing else is left", "risk_evaluation": "fewer living cells", "risk_file_name": "risk.pdf"}
    body |= {"risk_file_sha256": "d" * 64, "committee": "Ethics committee", "committee_decision": "approved"}
    return {**body, "committee_decided_on": day(-2), "committee_reference": "EC-31", **more}


@pytest.fixture(scope="module")
async def failed(lab: Lab) -> life.Life:
    """A lot whose viability lies below its limit, rejected or not: nobody can release it."""
    return await life.preparation(lab, upto="tested", findings={"viability": ("58", "%")})


async def asked(lab: Lab, lot: str, **more: Any) -> int:
    return int(ok(await lab.as_("phil").post(f"/lots/{lot}/exceptional-requests", asking(**more)))["request"])


async def decide(lab: Lab, request: int, what: str, who: str = "lin") -> Any:
    signed = await life.ceremony(lab, who, "exceptional_supply_decided", "exceptional_request", request, what)
    return await lab.as_(who).post(f"/exceptional-requests/{request}/decision", {"ceremony": signed})


async def test_a_request_is_kept_and_refused_and_the_lot_stays_what_it_is(lab: Lab, failed: life.Life) -> None:
    state = await failed.state()
    request = await asked(lab, failed.lot)
    done = ok(await decide(lab, request, "refused"))
    assert done["state"] == state == await failed.state()
    shown = ok(await lab.as_("tess").get(f"/lots/{failed.lot}/exceptional-requests"))
    assert shown["allowed"] is False
    assert (shown["requests"][0]["disposition"], shown["requests"][0]["requested_by"]) == ("refused", "phil")
    refused(await decide(lab, request, "refused"), 409)
    assert await lab.value(RELEASES, failed.name) == 0


async def test_where_nothing_allows_it_nobody_can_decide_to_supply(lab: Lab, failed: life.Life) -> None:
    request = await asked(lab, failed.lot)
    assert (await decide(lab, request, SUPPLY)).is_error
    assert await lab.value("SELECT disposition FROM lab.exceptional_requests WHERE id = $1", request) is None


async def test_where_it_is_allowed_the_decision_is_a_record_and_no_release(lab: Lab) -> None:
    made = await life.preparation(lab, upto="tested", findings={"viability": ("61", "%")})
    await life.setting(lab, "rel09.allowed", "yes", None)
    try:
        request = await asked(lab, made.lot)
        ok(await decide(lab, request, SUPPLY))
        shown = ok(await lab.as_("tess").get(f"/lots/{made.lot}/exceptional-requests"))["requests"][0]
        assert (shown["disposition"], shown["decided_by"]) == (SUPPLY, "lin")
        assert await made.state() == "quarantine"
        assert await lab.value(RELEASES, made.name) == 0
        checked = ok(await lab.as_("lin").post(f"/lots/{made.lot}/release-check", {}))
        assert "REL-02" in {each["rule"] for each in checked["verdicts"] if each["outcome"] in {"fail", "needs_waiver"}}
        given = await lab.value("SELECT dossier.to_give($1, NULL)", await made.lot_id())
        assert SUPPLY in given
    finally:
        await life.setting(lab, "rel09.allowed", "no", None)


async def test_only_a_physician_asks_and_only_the_authority_decides(lab: Lab, failed: life.Life) -> None:
    path = f"/lots/{failed.lot}/exceptional-requests"
    for who in ("tess", "quinn", "lin"):
        refused(await lab.as_(who).post(path, asking()), 403, "not-permitted")
    request = await asked(lab, failed.lot)
    refused(
        await lab.try_to_sign("quinn", "exceptional_supply_decided", "exceptional_request", request, "refused"), 403
    )
    refused(await lab.as_("lin").post("/exceptional-requests/999999/decision", {"ceremony": "0" * 32}), 404)


@pytest.mark.parametrize(
    "more",
    [
        {"committee_decided_on": day(5)},
        {"risk_file_sha256": "d" * 63},
        {"committee_decision": "perhaps"},
        {"reasons": "  "},
    ],
)
async def test_a_request_that_cannot_be_is_refused_and_nothing_is_kept(
    lab: Lab, failed: life.Life, more: dict[str, Any]
) -> None:
    count = "SELECT count(*) FROM lab.exceptional_requests"
    before = await lab.value(count)
    refused(await lab.as_("phil").post(f"/lots/{failed.lot}/exceptional-requests", asking(**more)), 422)
    assert await lab.value(count) == before
    planned = await life.preparation(lab, upto="planned")
    refused(await lab.as_("phil").post(f"/lots/{planned.lot}/exceptional-requests", asking()), 409)


async def test_the_application_itself_decides_no_request(lab: Lab, failed: life.Life, database: Database) -> None:
    request = await asked(lab, failed.lot)
    hand = await asyncpg.connect(database.url("stemma_app"))
    try:
        for change in ("disposition = 'oos_exceptional_supply'", "reasons = 'others'", "signature_id = 1"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await hand.execute(f"UPDATE lab.exceptional_requests SET {change} WHERE id = {request}")
    finally:
        await hand.close()
