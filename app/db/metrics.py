"""Gauges for Prometheus, read from the database when they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Gauge

if TYPE_CHECKING:
    from app.db.door import Door

LOTS = Gauge("stemma_lots", "Lots by kind and state.", ["kind", "state"])
HOLDS = Gauge("stemma_open_holds", "Open holds.")
DEVIATIONS = Gauge("stemma_open_deviations", "Open deviations by class.", ["class"])
SCANS = Gauge("stemma_scans", "Scans kept, by verdict.", ["verdict"])
REFUSALS = Gauge("stemma_refusals", "Refusals kept, by kind.", ["kind"])
UNSEALED = Gauge("stemma_unsealed_seconds", "Age of the oldest audit entry not yet sealed; 0 when all are.")
SEALED = Gauge("stemma_sealed_leaves", "Leaves under the last checkpoint.")

COUNTS = """
SELECT 'lots' AS what, kind AS a, state AS b, count(*)::float8 AS n FROM lab.lots GROUP BY kind, state
UNION ALL SELECT 'holds', '', '', count(*) FROM lab.holds WHERE lifted_at IS NULL
UNION ALL SELECT 'deviations', class, '', count(*) FROM lab.deviations WHERE state = 'open' GROUP BY class
UNION ALL SELECT 'refusals', kind, '', count(*) FROM lab.refusals GROUP BY kind
UNION ALL SELECT 'scans', verdict, '', count(*) FROM lab.scans GROUP BY verdict
UNION ALL SELECT 'sealed', '', '', coalesce(max(size), 0) FROM audit.checkpoints
UNION ALL SELECT 'unsealed', '', '', coalesce(extract(epoch FROM clock_timestamp() - min(at)), 0)
    FROM audit.entries WHERE number > coalesce((SELECT max(number) FROM audit.leaves), 0)
"""


async def refresh(door: Door) -> None:
    """Set every gauge to what the database says now."""
    async with door.look() as reading:
        rows = await reading.all(COUNTS)
    for gauge in (LOTS, DEVIATIONS, SCANS, REFUSALS):
        gauge.clear()
    for row in rows:
        match row.what:
            case "lots":
                LOTS.labels(row.a, row.b).set(row.n)
            case "deviations":
                DEVIATIONS.labels(row.a).set(row.n)
            case "scans":
                SCANS.labels(row.a).set(row.n)
            case "refusals":
                REFUSALS.labels(row.a).set(row.n)
            case "holds":
                HOLDS.set(row.n)
            case "sealed":
                SEALED.set(row.n)
            case "unsealed":
                UNSEALED.set(row.n)
