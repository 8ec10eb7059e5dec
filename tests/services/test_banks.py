"""Cell banks over HTTP: made, tested, released, withdrawn from once, and made into preparations."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from app.db.door import driver_url
from tests import life
from tests.world import ok, refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Database
    from tests.life import Life
    from tests.world import Lab


@pytest.fixture(scope="module")
async def master(lab: Lab) -> AsyncIterator[Life]:
    """A master bank, released, of eight vials; two of them went to tests and to the retain."""
    return await life.bank(lab, vials=8)


async def test_a_bank_is_released_and_a_preparation_made_of_its_vial(lab: Lab, master: Life) -> None:
    assert await master.state() == "released"
    made = await life.banked(lab, master, upto="released")
    assert await made.state() == "released"
    shown = ok(await lab.as_("tess").get(f"/banks/{master.lot}"))
    assert shown["bank"]["tier"] == "master"
    assert shown["bank"]["name"].startswith("MCB-")
    assert (shown["bank"]["stored"], shown["bank"]["withdrawn"]) == (5, 1)
    (vial,) = [each for each in shown["vials"] if each["code"] == master.vials[1]]
    assert (vial["for_lot"], vial["state"], vial["withdrawn_by"]) == (made.lot, "consumed", "Tess Tan")
    steps = await lab.sql(
        "SELECT kind, passage, cpdl FROM lab.steps WHERE lot_id = $1 ORDER BY id", await made.lot_id()
    )
    frozen = await lab.value(
        "SELECT s.cpdl FROM lab.containers c JOIN lab.steps s ON s.id = c.step_id WHERE c.id = $1",
        await lab_id(lab, master.vials[1]),
    )
    assert (steps[0]["kind"], steps[0]["passage"], steps[0]["cpdl"]) == ("thaw", 2, frozen)
    assert (steps[1]["passage"], steps[1]["cpdl"] > frozen) == (3, True)
    trace = ok(await lab.as_("quinn").get(f"/items/{made.vials[0]}/trace", direction="backward"))
    assert master.vials[1] in str(trace)
    assert master.donation in str(trace)


async def lab_id(lab: Lab, code: str) -> int:
    return await life.id_of(lab, code)
