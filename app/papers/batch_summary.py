"""The batch summary: everything that was done with a lot, used for it, found in it and written about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.lots import STATE_NAMES, LotState
from app.domain.processing import STEP_NAMES
from app.domain.text import Text
from app.papers import parts
from app.papers.growth import draw_growth
from app.papers.sheet import LEFT, MM, QUIET, Cell, Column, Sheet, Tone
from app.papers.voice import NOTHING, code, day, number, passage, quantity
from app.papers.words import (
    DECISIONS,
    DEVIATION_STATES,
    IMPACTS,
    PHASES,
    SEVERITIES,
    STATE_TONES,
    TAKEN,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.papers.facts import BatchSummary, Cleared, Deviated, Held, Step, Taken, Used

TITLE = Text("Batch summary")
NONE = Text("None.")


def draw(sheet: Sheet, facts: BatchSummary) -> None:
    """Lay the summary out."""
    voice, lot = sheet.voice, facts.lot
    state = voice.say(STATE_NAMES[LotState(lot.state)])
    sheet.opening(parts.product(lot, voice), state=state, tone=STATE_TONES.get(lot.state, Tone.WAIT))
    parts.identity(sheet, lot, facts.filled)
    _steps(sheet, facts)
    if any(step.cpdl is not None for step in facts.steps):
        sheet.heading(Text("Growth"), keep=66 * MM)
        draw_growth(sheet, facts.steps, max_pdl=facts.max_pdl)
    _used(sheet, facts.used)
    _clearances(sheet, facts.clearances)
    _taken(sheet, facts.taken)
    sheet.heading(Text("Tests and their reviews"))
    parts.tests(sheet, facts.tests)
    _deviations(sheet, facts.deviations)
    _holds(sheet, facts.holds)
    _labels(sheet, facts)
    _review(sheet, facts)


def _steps(sheet: Sheet, facts: BatchSummary) -> None:
    say, moment = sheet.voice.say, sheet.voice.moment

    def row(each: Step) -> Iterator[Cell | str]:
        anyway = say(Text("recorded after it happened")) if each.happened_anyway else ""
        name = say(next((text for kind, text in STEP_NAMES.items() if kind == each.kind), each.kind))
        yield Cell(f"{name} {passage(each.passage) if each.passage is not None else ''}".strip(), below=anyway)
        yield Cell(moment(each.started_at), below=moment(each.ended_at))
        yield code(each.workstation)
        yield Cell(each.performed_by, below=each.verified_by or say(Text("not verified")))
        yield number(each.seeded)
        yield number(each.harvested)
        yield number(each.dead)
        yield number(each.viability_percent, 1)
        yield number(each.pd, 2)
        yield number(each.cpdl, 2)

    sheet.heading(Text("Process steps"))
    columns = (
        Column(Text("Step"), 22),
        Column(Text("Began, ended"), 35),
        Column(Text("Workstation"), 26),
        Column(Text("Performed, verified"), 20),
        Column(Text("Seeded"), 16, is_number=True),
        Column(Text("Harvested"), 17, is_number=True),
        Column(Text("Dead"), 15, is_number=True),
        Column(Text("Viable %"), 11, is_number=True),
        Column(Text("PD"), 10, is_number=True),
        Column(Text("cPDL"), 10, is_number=True),
    )
    sheet.table(columns, [tuple(row(each)) for each in facts.steps], empty=NONE, size=7.2)
    limits = Text(
        "Limits of the process: P{passage}, {pdl} cumulative doublings.",
        passage=NOTHING if facts.max_passage is None else facts.max_passage,
        pdl=number(facts.max_pdl),
    )
    sheet.prose(say(limits), size=7.4, colour=QUIET)


def _used(sheet: Sheet, used: tuple[Used, ...]) -> None:
    say, moment = sheet.voice.say, sheet.voice.moment

    def row(each: Used) -> Iterator[Cell | str]:
        yield Cell(each.material, below=each.supplier)
        yield Cell(each.supplier_lot, below=code(each.lot))
        yield code(each.container)
        yield day(each.expires_on)
        yield moment(each.approved_at)
        name = next((text for kind, text in STEP_NAMES.items() if kind == each.step), each.step)
        yield f"{say(name)} {passage(each.passage) if each.passage is not None else ''}".strip()
        yield quantity(each.quantity, each.unit)
        yield moment(each.used_at)

    sheet.heading(Text("Materials consumed"))
    columns = (
        Column(Text("Material, supplier"), 34),
        Column(Text("Supplier's lot, lot code"), 30),
        Column(Text("Container"), 22),
        Column(Text("Expires"), 17),
        Column(Text("Approved for use"), 24),
        Column(Text("Step"), 20),
        Column(Text("Quantity"), 15, is_number=True),
        Column(Text("Used"), 24),
    )
    sheet.table(columns, [tuple(row(each)) for each in used], empty=NONE, size=7.2)


def _clearances(sheet: Sheet, clearances: tuple[Cleared, ...]) -> None:
    say = sheet.voice.say

    def row(each: Cleared) -> Iterator[Cell | str]:
        yield code(each.workstation)
        yield say(PHASES.get(each.phase, each.phase))
        yield sheet.voice.moment(each.at)
        yield each.performed_by
        yield each.verified_by or say(Text("not verified"))

    sheet.heading(Text("Line clearances"))
    columns = (
        Column(Text("Workstation"), 30),
        Column(Text("Phase"), 30),
        Column(Text("Cleared at"), 36),
        Column(Text("Performed by"), 36),
        Column(Text("Verified by"), 36),
    )
    sheet.table(columns, [tuple(row(each)) for each in clearances], empty=NONE)


def _taken(sheet: Sheet, taken: tuple[Taken, ...]) -> None:
    say = sheet.voice.say

    def row(each: Taken) -> Iterator[Cell | str]:
        yield code(each.code)
        if each.kind == "sample":
            yield Cell(say(TAKEN["sample"]), below=each.what)
        else:
            yield say(TAKEN.get(each.what, each.what))
        yield code(each.source)
        yield each.place or NOTHING
        yield sheet.voice.moment(each.at)
        yield each.by

    sheet.heading(Text("Samples and retains"))
    columns = (
        Column(Text("Code"), 26),
        Column(Text("What it is"), 40),
        Column(Text("Taken from"), 26),
        Column(Text("Place"), 26),
        Column(Text("Taken at"), 30),
        Column(Text("Taken by"), 24),
    )
    sheet.table(columns, [tuple(row(each)) for each in taken], empty=NONE)


def _deviations(sheet: Sheet, deviations: tuple[Deviated, ...]) -> None:
    say, moment = sheet.voice.say, sheet.voice.moment

    def row(each: Deviated) -> Iterator[Cell | str]:
        yield Cell(each.number, below=say(SEVERITIES.get(each.severity, each.severity)))
        yield each.what
        yield Cell(each.assessment or NOTHING, below=say(IMPACTS.get(each.impact, each.impact)) if each.impact else "")
        yield Cell(each.opened_by, below=moment(each.opened_at))
        yield Cell(each.closed_by or NOTHING, below=moment(each.closed_at) if each.closed_at else "")
        state = say(DEVIATION_STATES.get(each.state, each.state))
        yield Cell(state, Tone.GO if each.state == "closed" else Tone.STOP)

    sheet.heading(Text("Deviations"))
    columns = (
        Column(Text("Number"), 20),
        Column(Text("What happened"), 44),
        Column(Text("Assessment"), 44),
        Column(Text("Opened"), 25),
        Column(Text("Closed"), 25),
        Column(Text("State"), 16),
    )
    sheet.table(columns, [tuple(row(each)) for each in deviations], empty=NONE)


def _holds(sheet: Sheet, holds: tuple[Held, ...]) -> None:
    say, moment = sheet.voice.say, sheet.voice.moment

    def row(each: Held) -> Iterator[Cell | str]:
        yield code(each.on)
        yield each.reason
        yield Cell(each.by, below=moment(each.at))
        yield Cell(each.lifted_by or NOTHING, below=moment(each.lifted_at) if each.lifted_at else "")
        is_lifted = each.lifted_at is not None
        yield Cell(say(Text("lifted") if is_lifted else Text("on hold")), Tone.GO if is_lifted else Tone.STOP)

    sheet.heading(Text("Holds"))
    columns = (
        Column(Text("On"), 26),
        Column(Text("Reason"), 68),
        Column(Text("Placed"), 28),
        Column(Text("Lifted"), 28),
        Column(Text("State"), 20),
    )
    sheet.table(columns, [tuple(row(each)) for each in holds], empty=NONE)


def _labels(sheet: Sheet, facts: BatchSummary) -> None:
    sheet.heading(Text("Labels"))
    made = (
        Column(Text("Design"), 60),
        Column(Text("Containers labelled"), 36, is_number=True),
        Column(Text("Labels made"), 36, is_number=True),
        Column(Text("of these again, with a reason"), 36, is_number=True),
    )
    rows = [(each.design, number(each.items), number(each.made), number(each.again)) for each in facts.labels]
    sheet.table(made, rows, empty=Text("No label was made."))
    if facts.counts:
        sheet.y += 1.5 * MM
        counted = (
            Column(Text("Counted"), 36),
            Column(Text("Counted by"), 36),
            Column(Text("Printed"), 20, is_number=True),
            Column(Text("Used"), 20, is_number=True),
            Column(Text("Destroyed"), 20, is_number=True),
            Column(Text("Returned"), 20, is_number=True),
            Column(Text("Remark"), 40),
        )
        sheet.table(
            counted,
            [
                (
                    sheet.voice.moment(each.at),
                    each.by,
                    *(number(count) for count in (each.printed, each.used, each.destroyed, each.returned)),
                    each.remark or NOTHING,
                )
                for each in facts.counts
            ],
            empty=NONE,
        )


def _review(sheet: Sheet, facts: BatchSummary) -> None:
    say, reviewed = sheet.voice.say, facts.reviewed
    sheet.heading(Text("Review of the batch record"), keep=52 * MM)
    if reviewed is None:
        sheet.prose(say(Text("Not reviewed yet.")), colour=QUIET)
    else:
        current = (
            Text("The record is what was reviewed.")
            if reviewed.is_current
            else Text("The record has changed since it was reviewed.")
        )
        more = [
            (Text("Decision"), say(DECISIONS.get(reviewed.decision, reviewed.decision))),
            (Text("Remarks"), reviewed.remarks),
            (Text("Since then"), say(current)),
        ]
        tone = Tone.GO if reviewed.decision == "accepted" and reviewed.is_current else Tone.WAIT
        parts.signature(sheet, reviewed.signed, more=more, tone=tone)
    sheet.room(14 * MM)
    said = Text("SHA-256 of the lot's dossier when this paper was made")
    sheet.text(LEFT, sheet.y + 6 * MM, say(said), 6.6, QUIET)
    sheet.text(LEFT, sheet.y + 10 * MM, parts.in_fours(facts.digest), 7.6)
    sheet.y += 12 * MM
