"""Whose laboratory this is, and which clock hangs on its wall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from app.db.door import Door

FACILITY = "SELECT facility, time_zone, purpose FROM lab.deployment"


@dataclass(frozen=True, slots=True)
class Facility:
    """The facility of this database. `purpose` is production, demo or test."""

    name: str
    zone: ZoneInfo
    purpose: str


async def facility(door: Door) -> Facility:
    """Read once for all pages; an unknown zone is shown as UTC."""
    row = await door.scan_row(FACILITY)
    if row is None:
        return Facility(name="", zone=ZoneInfo("UTC"), purpose="unknown")
    try:
        zone = ZoneInfo(row["time_zone"])
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    return Facility(name=row["facility"], zone=zone, purpose=row["purpose"])
