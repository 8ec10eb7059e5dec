"""A preparation's lot: planned, lived, shown, moved."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests import life
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.world import Lab


async def test_a_whole_life_leads_from_the_donor_to_a_release(lab: Lab):
    lived = await life.preparation(lab, upto="released")

    assert await lived.state() == "released"
    story = await lived.show()
    assert [each["detail"]["state"] for each in story["timeline"] if each["what"] == "move"] == [
        "planned",
        "in_process",
        "quarantine",
        "awaiting_release",
        "released",
    ]
