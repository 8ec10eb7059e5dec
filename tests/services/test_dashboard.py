"""What the wall shows: how many lots stand where, and why each that waits may not go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests import life
from tests.world import ok, open_lab, refused

if TYPE_CHECKING:
    from tests.world import Lab


async def _counts(lab: Lab) -> dict[tuple[str, str], int]:
    return {(each["kind"], each["state"]): each["lots"] for each in ok(await lab.as_("tess").get("/dashboard/lots"))}


async def _blocked(lab: Lab, **query: Any) -> dict[str, Any]:
    found: dict[str, Any] = ok(await lab.as_("quinn").get("/dashboard/blocked", **query))
    return found


async def test_lots_are_counted_by_kind_and_state(fresh_database):
    async with open_lab(fresh_database) as lab:
        assert await _counts(lab) == {}
        lived = await life.preparation(lab, upto="planned")
        materials = len(lived.shared.material_lots)
        assert await _counts(lab) == {("preparation", "planned"): 1, ("material", "approved"): materials}
        await life.preparation(lab, upto="planned", use=lived.shared)
        assert (await _counts(lab))[("preparation", "planned")] == 2


async def test_every_lot_that_waits_is_told_with_what_keeps_it_there(fresh_database):
    async with open_lab(fresh_database) as lab:
        frozen = await life.preparation(lab, upto="frozen")
        ready = await life.preparation(lab, upto="awaiting_release", use=frozen.shared)
        await life.preparation(lab, upto="filled", use=frozen.shared)
        page = await _blocked(lab)
        assert [each["lot"] for each in page["lots"]] == [frozen.lot, ready.lot]
        assert page["after"] is None
        waits, free = page["lots"]
        assert waits["blocked"] is True
        assert {"REL-02", "QA-06"} <= {each["rule"] for each in waits["reasons"]}
        assert all(each["problem"] and each["remedy"] for each in waits["reasons"])
        assert (free["blocked"], free["reasons"]) == (False, [])
        first = await _blocked(lab, limit=1)
        assert ([each["lot"] for each in first["lots"]], first["after"]) == ([frozen.lot], frozen.lot)
        second = await _blocked(lab, limit=1, after=first["after"])
        assert [each["lot"] for each in second["lots"]] == [ready.lot]
        # Judged this moment: what happens next is seen at the next look, and nothing was kept of the last.
        assert await lab.value("SELECT count(*) FROM lab.judgements WHERE gate = 'G6'") == 0
        ok(await lab.as_("quinn").post("/holds", {"item": ready.lot, "reason": "a label fell off"}))
        assert (await _blocked(lab, after=frozen.lot))["lots"][0]["blocked"] is True


async def test_an_administrator_sees_no_laboratory(lab):
    refused(await lab.as_("adam").get("/dashboard/lots"), 403, "not-permitted")
    refused(await lab.as_("adam").get("/dashboard/blocked"), 403, "not-permitted")
