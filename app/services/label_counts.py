"""The count of a lot's labels: printed = used + destroyed + returned, or a deviation says why not.

The count is never made to fit. What was counted stays; where it does not come out the gate stays closed until quality
has stated, under a deviation that is then closed by signature, how it was searched, what could have been mixed up, and
which evidence that does not rest on labels speaks against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.db import label_counts, lots
from app.domain.acts import Act, Actor
from app.domain.errors import BadInput, Conflict, NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from sqlalchemy import Row

    from app.db.door import Call
    from app.services.house import House

RULE = "REL-04"
COUNTS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class CountView:
    """A count as it was made. `missing` labels were printed and not found; below zero, more were found than printed."""

    number: int
    printed: int
    used: int
    destroyed: int
    returned: int
    remark: str | None
    at: datetime
    by: str

    @property
    def missing(self) -> int:
        """How many labels the count does not account for."""
        return self.printed - self.used - self.destroyed - self.returned


@dataclass(frozen=True, slots=True)
class CountedView:
    """A count just made. `remedy` says what is needed where it does not come out."""

    lot: str
    number: int
    printed: int
    used: int
    destroyed: int
    returned: int
    missing: int
    remedy: Text | None


@dataclass(frozen=True, slots=True)
class ImbalanceView:
    """What was stated of a count that does not come out."""

    deviation: str
    deviation_state: str
    impact: str | None
    count: int
    search: str
    mix_up_risk: str
    independent_evidence: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class LotLabel:
    """One label of a lot. `voided`: a reprint took its place."""

    number: int
    item: str
    kind: str
    design: str
    reprint_of: int | None
    reason: str | None
    at: datetime
    by: str
    job: str | None
    printer: str | None
    voided: bool


@dataclass(frozen=True, slots=True)
class OpenDeviation:
    """An open deviation that names the rule of labels."""

    number: str
    what: str


@dataclass(frozen=True, slots=True)
class LotLabels:
    """The labels of a lot, and how they were counted. `is_stale`: something was printed after the last count."""

    code: str
    name: str
    printed: int
    voided: int
    waiting: int
    is_stale: bool
    labels: tuple[LotLabel, ...]
    counts: tuple[CountView, ...]
    imbalances: tuple[ImbalanceView, ...]
    deviations: tuple[OpenDeviation, ...]


async def show_labels(house: House, actor: Actor, *, code: str, after: int | None, limit: int) -> LotLabels:
    """The labels of a lot, its counts, and what was stated of them."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        lot = await lots.find(reading, code=code)
        totals = await label_counts.totals(reading, lot_id=lot.id)
        made = await label_counts.page(reading, lot_id=lot.id, after=after, limit=limit)
        counts = [_count(row) for row in await label_counts.counts(reading, lot_id=lot.id, limit=COUNTS_SHOWN)]
        stated = await label_counts.imbalances(reading, lot_id=lot.id, limit=COUNTS_SHOWN)
        open_deviations = await label_counts.open_deviations(reading, lot_id=lot.id)
    last = totals.last_printed_at
    return LotLabels(
        code=lot.code,
        name=lot.name,
        printed=totals.printed,
        voided=totals.voided,
        waiting=totals.waiting,
        is_stale=bool(counts) and last is not None and (counts[0].at < last or counts[0].printed != totals.printed),
        labels=tuple(LotLabel(**row._asdict()) for row in made),
        counts=tuple(counts),
        imbalances=tuple(ImbalanceView(**row._asdict()) for row in stated),
        deviations=tuple(OpenDeviation(**row._asdict()) for row in open_deviations),
    )


async def count_labels(
    house: House, call: Call, *, code: str, used: int, destroyed: int, returned: int, remark: str | None
) -> CountedView:
    """Keep what was counted at the end of a lot; what was printed is counted here, in the same transaction.

    A count that does not come out is kept as it is. Raises Conflict while labels of the lot wait in a print queue.
    """
    async with house.door.change(call, Act.COUNT_LABELS, subject=code) as change:
        lot = await lots.find(change, code=code)
        await label_counts.lock(change, lot_id=lot.id)
        totals = await label_counts.totals(change, lot_id=lot.id)
        if totals.waiting:
            raise Conflict(
                what=Text("The labels were not counted."),
                why=Text("Labels of this lot in the print queue: {count}.", count=totals.waiting),
                remedy=Text("Let them print, settle or cancel them, then count."),
            )
        number = await label_counts.keep(
            change,
            lot_id=lot.id,
            printed=totals.printed,
            used=used,
            destroyed=destroyed,
            returned=returned,
            remark=remark,
        )
        missing = totals.printed - used - destroyed - returned
        return change.answers(
            CountedView(
                lot=lot.code,
                number=number,
                printed=totals.printed,
                used=used,
                destroyed=destroyed,
                returned=returned,
                missing=missing,
                remedy=_remedy(missing),
            )
        )


async def explain_imbalance(
    house: House,
    call: Call,
    *,
    code: str,
    deviation: str,
    search: str,
    mix_up_risk: str,
    independent_evidence: str,
) -> ImbalanceView:
    """State what was done about the last count, under an open deviation of this lot that names REL-04.

    The deviation's closing signature then covers the statement. Raises Conflict where nothing was counted, where the
    count comes out or is out of date; BadInput where the deviation is closed, of another lot, or names another rule.
    """
    async with house.door.change(call, Act.EXPLAIN_LABEL_COUNT, subject=code) as change:
        lot = await lots.find(change, code=code)
        await label_counts.lock(change, lot_id=lot.id)
        totals = await label_counts.totals(change, lot_id=lot.id)
        counted = await label_counts.counts(change, lot_id=lot.id, limit=1)
        _require_imbalance(code, totals, _count(counted[0]) if counted else None)
        found = await label_counts.deviation(change, lot_id=lot.id, number=deviation)
        if found is None:
            raise NotFound(
                what=Text("Nothing was stated."),
                why=Text("There is no deviation {number}.", number=deviation),
                remedy=Text("Open a deviation on this lot that names {rule}.", rule=RULE),
            )
        _require_fitting(found)
        await label_counts.explain(
            change,
            lot_id=lot.id,
            count=counted[0].number,
            deviation_id=found.id,
            search=search,
            risk=mix_up_risk,
            evidence=independent_evidence,
        )
        return change.answers(
            ImbalanceView(
                deviation=found.number,
                deviation_state=found.state,
                impact=None,
                count=counted[0].number,
                search=search,
                mix_up_risk=mix_up_risk,
                independent_evidence=independent_evidence,
                at=change.at,
                by=change.actor.printed_name,
            )
        )


def _count(row: Row[Any]) -> CountView:
    return CountView(**row._asdict())


def _remedy(missing: int) -> Text | None:
    if missing == 0:
        return None
    if missing > 0:
        return Text(
            "Labels missing: {count}. Search for them and count again; if they stay missing, quality opens a"
            " deviation that names {rule} and states search, risk of a mix-up and independent evidence.",
            count=missing,
            rule=RULE,
        )
    return Text(
        "Labels too many: {count}. Look for labels of another lot and count again; if it stays so, quality"
        " opens a deviation that names {rule} and states search, risk of a mix-up and independent evidence.",
        count=-missing,
        rule=RULE,
    )


def _require_imbalance(code: str, totals: Row[Any], count: CountView | None) -> None:
    if count is None or totals.printed != count.printed:
        raise Conflict(
            what=Text("Nothing was stated."),
            why=Text("The labels of {code} were not counted since the last was printed.", code=code),
            remedy=Text("Count them first."),
        )
    if count.missing == 0:
        raise Conflict(
            what=Text("Nothing was stated."),
            why=Text("The count comes out: there is nothing to explain."),
            remedy=Text("If it was miscounted, count again."),
        )


def _require_fitting(found: Row[Any]) -> None:
    problem = None
    if found.state != "open":
        problem = Text("Deviation {number} is closed: its signature would not cover this.", number=found.number)
    elif not found.on_lot:
        problem = Text("Deviation {number} is about something else.", number=found.number)
    elif RULE not in found.rules:
        problem = Text("Deviation {number} does not name {rule}.", number=found.number, rule=RULE)
    if problem is not None:
        raise BadInput(
            field="deviation",
            what=Text("Nothing was stated."),
            why=problem,
            remedy=Text("Open a deviation on this lot that names {rule}.", rule=RULE),
        )
