"""Gauges for Prometheus: the dashboard's numbers and some more, read from the database at most every ten seconds."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from prometheus_client import Gauge

from app.db import dashboard
from app.domain.acts import Act

if TYPE_CHECKING:
    from app.db.door import Door, Reading

LOTS = Gauge("stemma_lots", "Lots by kind and state.", ["kind", "state"])
HOLDS = Gauge("stemma_open_holds", "Open holds.")
DEVIATIONS = Gauge("stemma_open_deviations", "Open deviations by class.", ["class"])
SCANS = Gauge("stemma_scans", "Scans kept, by verdict.", ["verdict"])
REFUSALS = Gauge("stemma_refusals", "Refusals kept, by kind.", ["kind"])
UNSEALED = Gauge("stemma_unsealed_seconds", "Age of the oldest audit entry not yet sealed; 0 when all are.")
SEALED = Gauge("stemma_sealed_leaves", "Leaves under the last checkpoint.")

WAITING = Gauge("stemma_waiting", "What waits for somebody, by queue.", ["queue"])
OLDEST = Gauge(
    "stemma_waiting_oldest_seconds", "How long the oldest of a queue has waited; 0 when it is empty.", ["queue"]
)
GATE = Gauge("stemma_gate_lots", "Lots before the release gate, by their last kept check.", ["check"])
EXPIRING = Gauge("stemma_expiring", "What expires within 30 days, and what has and is still there.", ["when"])
REFUSED = Gauge(
    "stemma_refused_in_a_day", "Acts and scans refused within the last day (at most 2000 of each).", ["what"]
)

KEPT_S = 10.0
"""Who scrapes more often than this is told the same again."""
COUNTS = """
SELECT 'lots' AS what, kind AS a, state AS b, count(*)::float8 AS n FROM lab.lots GROUP BY kind, state
UNION ALL SELECT 'holds', '', '', count(*) FROM lab.holds WHERE lifted_at IS NULL
UNION ALL SELECT 'deviations', class, '', count(*) FROM lab.deviations WHERE state = 'open' GROUP BY class
UNION ALL SELECT 'refusals', kind, '', count(*) FROM lab.refusals GROUP BY kind
UNION ALL SELECT 'sealed', '', '', coalesce(max(size), 0) FROM audit.checkpoints
UNION ALL SELECT 'unsealed', '', '', coalesce(extract(epoch FROM clock_timestamp() - min(at)), 0)
    FROM audit.entries WHERE number > coalesce((SELECT max(number) FROM audit.leaves), 0)
"""
# Scans are many and never change: those of finished transactions are counted once.
HORIZON = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text"
SCANS_SINCE = """
SELECT verdict, count(*) AS n FROM lab.scans
WHERE xid >= CAST(CAST(:since AS text) AS xid8) AND xid < CAST(CAST(:horizon AS text) AS xid8) GROUP BY verdict
"""


@dataclass(slots=True)
class _Known:
    """What was counted last of one database."""

    at: float = 0.0
    horizon: str = "0"
    scans: Counter[str] = field(default_factory=Counter)
    counting: asyncio.Lock = field(default_factory=asyncio.Lock)


_known: WeakKeyDictionary[Door, _Known] = WeakKeyDictionary()


async def refresh(door: Door) -> None:
    """Set every gauge to what the database says, unless it was asked a moment ago."""
    known = _known.setdefault(door, _Known())
    async with known.counting:
        if known.at and time.monotonic() - known.at < KEPT_S:
            return
        async with door.look() as reading:
            await _count(reading)
            await _count_the_dashboard(reading)
            await _count_scans(reading, known)
        known.at = time.monotonic()


async def _count(reading: Reading) -> None:
    rows = await reading.all(COUNTS)
    for gauge in (LOTS, DEVIATIONS, REFUSALS):
        gauge.clear()
    for row in rows:
        match row.what:
            case "lots":
                LOTS.labels(row.a, row.b).set(row.n)
            case "deviations":
                DEVIATIONS.labels(row.a).set(row.n)
            case "refusals":
                REFUSALS.labels(row.a).set(row.n)
            case "holds":
                HOLDS.set(row.n)
            case "sealed":
                SEALED.set(row.n)
            case "unsealed":
                UNSEALED.set(row.n)


async def _count_the_dashboard(reading: Reading) -> None:
    now = (await reading.all("SELECT clock_timestamp() AS at"))[0].at
    for queue in await dashboard.queues(reading):
        WAITING.labels(queue.queue).set(queue.waiting)
        OLDEST.labels(queue.queue).set((now - queue.since).total_seconds() if queue.since else 0)
    gate = (await dashboard.gate(reading))[0]
    for check, lots in (
        ("blocked", gate.blocked),
        ("unopposed", gate.unopposed),
        ("unchecked", gate.unchecked),
        ("held", gate.held_lots),
    ):
        GATE.labels(check).set(lots)
    expiring = await dashboard.expiring(reading)
    total, past = (expiring[0].total, expiring[0].past) if expiring else (0, 0)
    EXPIRING.labels("past").set(past)
    EXPIRING.labels("within_30_days").set(total - past)
    acts = await dashboard.refused_acts(reading, acts=list(Act))
    scans = await dashboard.refused_scans(reading)
    REFUSED.labels("acts").set(acts[0].today if acts else 0)
    REFUSED.labels("scans").set(scans[0].today if scans else 0)


async def _count_scans(reading: Reading, known: _Known) -> None:
    horizon: str = await reading.value(HORIZON)
    for row in await reading.all(SCANS_SINCE, since=known.horizon, horizon=horizon):
        known.scans[row.verdict] += row.n
    known.horizon = horizon
    SCANS.clear()
    for verdict, n in known.scans.items():
        SCANS.labels(verdict).set(n)
