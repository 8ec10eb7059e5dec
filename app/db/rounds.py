"""How everything that stands before a gate answered when it was last asked, kept in this process with its age.

Nothing here is a record: a judgement that counts is made when somebody acts. What is kept is asked anew when it is
older than the asker wants it, or when the lot has moved since.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.db import judging
from app.domain.rulebook import Gate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from app.db.door import Reading
    from app.domain.rulebook import Outcome
    from app.domain.text import Text

SHOWN_MOST = 200
"""So many of a kind are asked, the newest first; how many there are is said beside it."""
KEPT_MOST = 4 * SHOWN_MOST
FIRST_ASKED = 2

_OPEN_LOTS = """
SELECT l.id, k.code, l.name, l.state, l.version, count(*) OVER () AS total
FROM lab.lots l JOIN lab.item_codes k ON k.item_id = l.id AND k.scheme = 'own'
WHERE l.kind IN ('preparation', 'bank') AND l.state IN ('planned', 'in_process', 'quarantine', 'awaiting_release', 'conditionally_released')
ORDER BY l.id DESC LIMIT :most
"""
_OPEN_MATERIALS = """
SELECT l.id, k.code, l.name, l.state, l.version, count(*) OVER () AS total
FROM lab.lots l JOIN lab.item_codes k ON k.item_id = l.id AND k.scheme = 'own'
WHERE l.kind = 'material' AND l.state = 'quarantine' ORDER BY l.id DESC LIMIT :most
"""
# A donation stands before the gate until something is made of it or it is found ineligible.
_OPEN_DONATIONS = """
SELECT d.id, k.code, p.pseudonym AS name, CAST(NULL AS text) AS state, 0 AS version, count(*) OVER () AS total
FROM lab.donations d JOIN lab.item_codes k ON k.item_id = d.id AND k.scheme = 'own' JOIN lab.persons p ON p.id = d.donor_id
WHERE NOT EXISTS (SELECT FROM lab.lots l WHERE l.donation_id = d.id)
  AND coalesce((SELECT t.decision FROM lab.determinations t WHERE t.donation_id = d.id ORDER BY t.id DESC LIMIT 1), 'eligible') = 'eligible'
ORDER BY d.id DESC LIMIT :most
"""
OPEN: dict[Gate, tuple[str, str]] = {
    Gate.G6: ("lot", _OPEN_LOTS),
    Gate.G2: ("donation", _OPEN_DONATIONS),
    Gate.G1: ("material_lot", _OPEN_MATERIALS),
}
"""The gates before which things stand waiting, with the kind of dossier that each judges and what finds them.

A step is judged in the moment in which it begins; none stands waiting.
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that stands before a gate."""

    id: int
    code: str
    name: str
    state: str | None
    version: int


@dataclass(frozen=True, slots=True)
class Answered:
    """What one rule said of a subject, and of what it complained first."""

    outcome: Outcome
    problem: Text | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What every rule of the gate said of a subject in this version, at this moment, by this rule book."""

    version: int
    rulebook: str
    at: datetime
    answers: Mapping[str, Answered]


class Rounds:
    """The answers of one process."""

    def __init__(self) -> None:
        """Nothing was asked yet."""
        self._kept: dict[tuple[Gate, int], Asked] = {}

    def of(self, gate: Gate, subject: Subject) -> Asked | None:
        """The last answers about this subject, or None when it was never asked or has moved since."""
        kept = self._kept.get((gate, subject.id))
        return kept if kept is not None and kept.version == subject.version else None

    async def ask(
        self, reading: Reading, gate: Gate, subjects: Sequence[Subject], *, older_than: datetime, budget_s: float
    ) -> int:
        """Ask about the subjects whose answers are older, those never asked first, while the time lasts.

        First a few, then in one more question as many as the time will do. How many are left.
        """
        stale = [
            (kept.at if kept else None, each)
            for each in subjects
            if (kept := self.of(gate, each)) is None or kept.at < older_than
        ]
        stale.sort(key=lambda each: (each[0] is not None, each[0] or older_than, -each[1].id))
        todo = [each for _, each in stale]
        began = time.monotonic()
        first, rest = todo[:FIRST_ASKED], todo[FIRST_ASKED:]
        await self._ask(reading, gate, first)
        spent = time.monotonic() - began
        fit = int(len(first) * (budget_s - spent) / spent) if spent < budget_s else 0
        await self._ask(reading, gate, rest[:fit])
        return len(rest[fit:])

    async def _ask(self, reading: Reading, gate: Gate, subjects: Sequence[Subject]) -> None:
        if not subjects:
            return
        versions = {each.id: each.version for each in subjects}
        found = await judging.judged_many(reading, kind=OPEN[gate][0], subject_ids=tuple(versions), gate=gate)
        for subject_id, (at, judgement) in found.items():
            self._kept.pop((gate, subject_id), None)
            self._kept[gate, subject_id] = Asked(
                version=versions[subject_id],
                rulebook=judgement.rulebook,
                at=at,
                answers={
                    each.rule: Answered(each.outcome, each.findings[0].problem if each.findings else None)
                    for each in judgement.verdicts
                },
            )
        while len(self._kept) > KEPT_MOST:
            self._kept.pop(next(iter(self._kept)))


async def standing(reading: Reading, gate: Gate) -> tuple[int, tuple[Subject, ...]]:
    """How many things stand before this gate, and the newest of them."""
    rows = await reading.all(OPEN[gate][1], most=SHOWN_MOST)
    found = tuple(Subject(row.id, row.code, row.name, row.state, row.version) for row in rows)
    return (rows[0].total if rows else 0), found
