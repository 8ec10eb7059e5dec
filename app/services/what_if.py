"""What if? A lot's dossier judged as it would be if something were otherwise. Nothing is decided and nothing is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from app.db import judging, lots
from app.domain import settings
from app.domain.acts import Act, Actor
from app.domain.dossier import parse
from app.domain.errors import BadInput
from app.domain.facts import LineKind
from app.domain.next_gate import dossier_for, next_gate
from app.domain.packs import PACKS
from app.domain.rulebook import CLOSING, Gate, Outcome, judge
from app.domain.text import Text
from app.domain.what_if import Supposed, supposing
from app.rules import BY_ID, RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from app.domain.dossier import Dossier
    from app.domain.rulebook import Judgement, Verdict
    from app.services.house import House


@dataclass(frozen=True, slots=True)
class LineOption:
    """A line whose result may be supposed, and its newest result as it is."""

    line: int
    test: str
    kind: LineKind
    unit: str | None
    low: Decimal | None
    high: Decimal | None
    expected: str | None
    value: str | None


@dataclass(frozen=True, slots=True)
class MarkerOption:
    """A marker whose outcome may be supposed, and its outcome as it is; None where it was not tested."""

    analyte: str
    marker: str
    outcome: str | None


@dataclass(frozen=True, slots=True)
class WaiverOption:
    """A rule for which somebody may approve a waiver."""

    rule: str
    title: Text


@dataclass(frozen=True, slots=True)
class PackOption:
    """A rule pack, and whether it is the one chosen here."""

    pack: str
    title: Text
    complete: bool
    chosen: bool


@dataclass(frozen=True, slots=True)
class FindingView:
    subject: str
    problem: Text
    remedy: Text


@dataclass(frozen=True, slots=True)
class SideView:
    """A rule's answer on one side; outcome None where the rule is not asked there."""

    outcome: Outcome | None
    findings: tuple[FindingView, ...]


@dataclass(frozen=True, slots=True)
class ComparedView:
    """One rule as it stands and as it would stand."""

    rule: str
    title: Text
    now: SideView
    then: SideView
    changes: bool


@dataclass(frozen=True, slots=True)
class WhatIfView:
    """A lot as it stands and as it would stand. `decides` is always false: no judgement is kept, nobody may sign it."""

    lot: str
    name: str
    decides: bool
    gate: Gate
    now_at: datetime
    then_at: datetime
    pack_now: str | None
    pack_then: str | None
    closed_now: tuple[str, ...]
    closed_then: tuple[str, ...]
    compared: tuple[ComparedView, ...]
    lines: tuple[LineOption, ...]
    markers: tuple[MarkerOption, ...]
    waivers: tuple[WaiverOption, ...]
    packs: tuple[PackOption, ...]


async def suppose(house: House, actor: Actor, *, code: str, supposed: Supposed) -> WhatIfView:
    """How the gate that the lot stands before next would answer. Raises NotFound, or BadInput for what cannot be supposed of this lot."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        lot = await lots.find(reading, code=code)
        gate = next_gate(lot.kind, lot.state)
        dossier = parse(await judging.dossier_of(reading, kind=dossier_for(gate), subject_id=lot.id))
        at = await judging.now(reading)
    _refuse_the_impossible(dossier, supposed)
    then_at = supposed.at or at
    then = supposing(dossier, supposed, at=then_at)
    before = judge(RULES, dossier, gate=gate, at=at)
    after = judge(RULES, then, gate=gate, at=then_at)
    return WhatIfView(
        lot=lot.code,
        name=lot.name,
        decides=False,
        gate=gate,
        now_at=at,
        then_at=then_at,
        pack_now=dossier.jurisdiction,
        pack_then=then.jurisdiction,
        closed_now=tuple(each.rule for each in before.blocks),
        closed_then=tuple(each.rule for each in after.blocks),
        compared=() if supposed.is_nothing else tuple(_compared(before, after)),
        lines=tuple(_lines(dossier)),
        markers=tuple(_markers(dossier)),
        waivers=tuple(WaiverOption(each.id, each.title) for each in RULES if each.waiver and gate in each.gates),
        packs=tuple(
            PackOption(each.id, each.title, each.complete, each.id == dossier.jurisdiction) for each in PACKS.values()
        ),
    )


def _refuse_the_impossible(dossier: Dossier, supposed: Supposed) -> None:
    lines = {each.id: each for each in dossier.specification.lines} if dossier.specification else {}
    for number, value in supposed.results.items():
        line = lines.get(number)
        if line is None:
            raise _impossible("results", Text("The specification of this lot has no line {line}.", line=number))
        if line.kind is LineKind.QUANTITATIVE and not isinstance(value, Decimal):
            raise _impossible("results", Text("The result of {test} is a number.", test=line.test))
    for rule in supposed.waivers:
        if rule not in BY_ID:
            raise _impossible("waivers", Text("There is no rule {rule}.", rule=rule))
        if not BY_ID[rule].waiver:
            raise _impossible("waivers", Text("Nobody may waive {rule}.", rule=rule))
    if supposed.pack is not None and supposed.pack not in PACKS:
        raise _impossible("pack", Text("This rule book holds no pack called {pack}.", pack=supposed.pack))
    known = {(each.analyte, each.marker) for each in _markers(dossier)}
    for analyte, marker in supposed.markers:
        if (analyte, marker) not in known:
            raise _impossible(
                "markers", Text("No marker {marker} of {analyte} is asked for.", marker=marker, analyte=analyte)
            )


def _impossible(field: str, why: Text) -> BadInput:
    return BadInput(
        field=field, what=Text("Nothing was judged."), why=why, remedy=Text("Suppose something else of this lot.")
    )


def _compared(before: Judgement, after: Judgement) -> Iterator[ComparedView]:
    """Every rule of either side, what changes first, then what closes."""
    sides = [{each.rule: each for each in judgement.verdicts} for judgement in (before, after)]
    titles = {each.rule: each.title for judgement in (before, after) for each in judgement.verdicts}
    found = []
    for rule in dict.fromkeys((*sides[0], *sides[1])):
        now, then = (_side(side.get(rule)) for side in sides)
        found.append(ComparedView(rule, titles[rule], now, then, now != then))
    return iter(sorted(found, key=lambda each: (not each.changes, each.then.outcome not in CLOSING, each.rule)))


def _side(verdict: Verdict | None) -> SideView:
    if verdict is None:
        return SideView(None, ())
    return SideView(
        verdict.outcome, tuple(FindingView(each.subject, each.problem, each.remedy) for each in verdict.findings)
    )


def _lines(dossier: Dossier) -> Iterator[LineOption]:
    known = {each.line_id: each for each in dossier.results or () if not each.invalidated}
    for each in dossier.specification.lines if dossier.specification else ():
        result = known.get(each.id)
        number = result.value_number if result else None
        value = None if result is None else result.value_text if number is None else f"{number:f}"
        yield LineOption(each.id, each.test, each.kind, each.unit, each.low, each.high, each.expected, value)


def _markers(dossier: Dossier) -> Iterator[MarkerOption]:
    known = {
        (each.analyte, each.marker): each.outcome.value for donor in dossier.donors or () for each in donor.markers
    }
    for name in dict.fromkeys((*_panel(dossier), *known)):
        yield MarkerOption(*name, known.get(name))


PANELS = ("don01.panel", "don02.panel")


def _panel(dossier: Dossier) -> Iterable[tuple[str, str]]:
    for name in PANELS:
        if name in dossier.settings:
            yield from (
                (analyte, marker)
                for analyte, markers in settings.word_lists(dossier, name).items()
                for marker in markers
            )
