"""What came to light later: each fact with everything that it touches, how it was judged, and what is left to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from app.db import impacts, items
from app.domain.acts import Act, Actor
from app.domain.donors import QUESTION_GROUPS
from app.domain.genes import SAMPLE_NAMES
from app.domain.impacts import Asked, ImpactKind
from app.domain.laboratories import END_NAMES, TEST_NAMES
from app.domain.lots import LotState
from app.domain.monitoring import GRADE_NAMES, GROWS
from app.domain.monitoring import KIND_NAMES as MONITORED_NAMES
from app.domain.partners import PAPER_NAMES
from app.domain.rulebook import Outcome
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Row

    from app.services.house import House

HOLDS_TELL_ALREADY = frozenset({"HOLD"})
"""The hold that was just placed closes the gate as well; that is no news of a verdict."""


class Next(StrEnum):
    """What is left to do about something that a fact touches."""

    DECIDE_RECALL = "decide_recall"
    ASSESS = "assess"
    TELL_THE_PHYSICIAN = "tell_the_physician"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class ClosingRule:
    """A rule that did not pass when this was judged."""

    rule: str
    title: Text
    outcome: Outcome
    problems: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class VerdictThen:
    """How it was judged at its gate. `digest` is of the whole dossier, where the whole book was asked."""

    gate: str
    asked: Asked
    at: datetime
    rulebook: str
    digest: str | None
    closing: tuple[ClosingRule, ...]


@dataclass(frozen=True, slots=True)
class ContainerView:
    """A container that was there when it came to light, as it stands now."""

    code: str
    kind: str
    state: str
    place: str | None


@dataclass(frozen=True, slots=True)
class TouchedView:
    """A donation or lot that the fact touches: as it stood then and now, what is held, and what is left to do.

    `hold` is null where nothing was left to hold. `kind`: donation, preparation, bank, material.
    """

    code: str
    kind: str
    name: str
    state_then: str
    state_now: str | None
    recipient: str | None
    containers: tuple[ContainerView, ...]
    hold: int | None
    held: bool
    lifted_at: datetime | None
    verdict: VerdictThen | None
    next: Next


@dataclass(frozen=True, slots=True)
class ImpactLine:
    """A fact that came to light, and counts of what it touches. `released`: lots out of our hands, still to be decided."""

    number: str
    kind: ImpactKind
    subject: str | None
    subject_kind: str
    subject_name: str
    facts: tuple[Text, ...]
    at: datetime
    who: str
    touched: int
    holding: int
    released: int
    recipients: int
    unjudged: int


@dataclass(frozen=True, slots=True)
class ImpactView:
    """A fact with what it touches, in the order in which it was held. `after` names the next page, null at the end."""

    impact: ImpactLine
    entry: int
    touched: tuple[TouchedView, ...]
    after: int | None


async def list_impacts(
    house: House, actor: Actor, *, kind: ImpactKind | None, item: str | None, after: int | None, limit: int
) -> tuple[list[ImpactLine], int | None]:
    """What came to light, newest first; of one kind, or about or touching an item. And where the next page begins.

    Raises NotFound for a code of nothing.
    """
    async with house.door.read(actor, Act.READ_LOT) as reading:
        item_id = None if item is None else (await items.find(reading, code=item)).id
        rows = await impacts.page(
            reading, after=after, limit=limit, kind=None if kind is None else kind.value, item_id=item_id
        )
    return [_line(row) for row in rows], rows[-1].id if len(rows) == limit else None


async def show_impact(house: House, actor: Actor, *, number: str, after: int | None, limit: int) -> ImpactView:
    """One of them with what it touches. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        row = await impacts.one(reading, number=number)
        found = await impacts.items(reading, impact=row.id, after=after or 0, limit=limit)
    return ImpactView(
        impact=_line(row),
        entry=row.entry,
        touched=tuple(_touched(each) for each in found),
        after=found[-1].id if len(found) == limit else None,
    )


def _line(row: Row[Any]) -> ImpactLine:
    return ImpactLine(
        number=row.number,
        kind=ImpactKind(row.kind),
        subject=row.subject,
        subject_kind=row.subject_kind,
        subject_name=row.subject_name or "",
        facts=tuple(_says(each) for each in row.facts),
        at=row.at,
        who=row.who,
        touched=row.items,
        holding=row.holding,
        released=row.released,
        recipients=row.recipients,
        unjudged=row.unjudged,
    )


OUTCOMES = {"positive": Text("positive"), "inconclusive": Text("inconclusive")}
STOPPED = {"recalled": Text("recalled"), "rejected": Text("rejected")}


def _says(fact: Mapping[str, Any]) -> Text:
    match fact["fact"]:
        case "marker":
            return Text(
                "{analyte}, {marker}: {outcome}, sampled {sampled}, reported {reported}",
                analyte=fact["analyte"],
                marker=fact["marker"],
                outcome=OUTCOMES.get(fact["outcome"], Text("not known")),
                sampled=datetime.fromisoformat(fact["sampled_at"]),
                reported=datetime.fromisoformat(fact["reported_at"]) if fact["reported_at"] else "–",
            )
        case "history":
            excluding = [QUESTION_GROUPS.get(each, Text("not known")) for each in fact["groups"]]
            if fact["examination"] == "not_suitable":
                excluding.append(Text("{by} found the donor not suitable.", by=fact["examined_by"] or "–"))
            return Text(
                "{questionnaire} v{version}, asked {asked}; what excludes: {groups}",
                questionnaire=fact["questionnaire"],
                version=fact["version"],
                asked=datetime.fromisoformat(fact["asked_at"]),
                groups=tuple(excluding),
            )
        case "consent":
            return Text(
                "consent {form} withdrawn on {at}; it covered: {scopes}",
                form=fact["form_version"],
                at=datetime.fromisoformat(fact["withdrawn_at"]),
                scopes=tuple(fact["scopes"]),
            )
        case "determination":
            return Text("determined not eligible: {reason}", reason=fact["reason"])
        case "material_lot":
            return Text(
                "material lot {lot} of {material} {state}",
                lot=fact["lot"],
                material=fact["material"] or "–",
                state=STOPPED.get(fact["state"], Text("not known")),
            )
        case "result":
            return Text(
                "{test}: {value}, measured {at}",
                test=fact["test"],
                value=" ".join(each for each in (fact["value"], fact["unit"]) if each),
                at=datetime.fromisoformat(fact["measured_at"]),
            )
        case "accreditation":
            return Text(
                "{laboratory}, {number}: {how} since {day}; tested without it: {tests}",
                laboratory=fact["laboratory"],
                number=fact["number"],
                how=END_NAMES.get(fact["how"], Text("not known")),
                day=date.fromisoformat(fact["ended_on"]),
                tests=tuple(TEST_NAMES.get(each, Text("not known")) for each in fact["tests"]),
            )
        case "virus_test":
            return Text(
                "{sample} of {lot}: {outcome} for replication-competent virus, {laboratory}, {reference}, reported {reported}",
                sample=SAMPLE_NAMES.get(fact["sample"], Text("not known")),
                lot=fact["lot"],
                outcome=OUTCOMES.get(fact["outcome"], Text("not known")),
                laboratory=fact["laboratory"],
                reference=fact["reference"],
                reported=datetime.fromisoformat(fact["reported_at"]),
            )
        case "legacy":
            return Text(
                "papers {number} withdrawn, which stood for {rules}: {reasons}",
                number=fact["number"],
                rules=tuple(fact["rules"]),
                reasons=fact["reasons"],
            )
        case "partner_paper":
            return Text(
                "{partner}: {paper} {reference}, signed by {by} at {at}, speaks against the lot",
                partner=fact["partner"],
                paper=PAPER_NAMES.get(fact["kind"], Text("not known")),
                reference=fact["reference"],
                by=fact["signed_by"],
                at=datetime.fromisoformat(fact["signed_at"]),
            )
        case "monitoring_reading":
            return Text(
                "{kind}, {grade}, {place}: {value}, above the action limit of {limit}; {organism}, {station} in room {room}, "
                "session of {lot}, taken {taken}, read {read}",
                kind=MONITORED_NAMES.get(fact["kind"], Text("not known")),
                grade=GRADE_NAMES.get(fact["grade"], Text("not known")),
                place=fact["place"],
                value=fact["value"],
                limit=fact["limit"],
                organism=fact["organism"] or (Text("not identified") if fact["kind"] in GROWS else "–"),
                station=fact["workstation"],
                room=fact["room"],
                lot=fact["lot"],
                taken=datetime.fromisoformat(fact["taken_at"]),
                read=datetime.fromisoformat(fact["read_at"]),
            )
    raise ValueError(fact["fact"])


OUT = frozenset({LotState.RELEASED.value, LotState.CONDITIONALLY_RELEASED.value, LotState.FAILED_AFTER_RELEASE.value})
"""A lot that failed after it was given out is out of our hands as before."""


def _touched(row: Row[Any]) -> TouchedView:
    held = row.hold is not None and row.lifted_at is None
    return TouchedView(
        code=row.code,
        kind=row.kind,
        name=row.name or "",
        state_then=row.state_then,
        state_now=row.state_now,
        recipient=row.recipient,
        containers=tuple(ContainerView(**each) for each in row.vials),
        hold=row.hold,
        held=held,
        lifted_at=row.lifted_at,
        verdict=None if row.gate is None else _verdict(row),
        next=_next(row, held=held),
    )


def _next(row: Row[Any], *, held: bool) -> Next:
    if held:
        return Next.DECIDE_RECALL if row.state_now in OUT else Next.ASSESS
    if row.hold is None and row.recipient is not None:
        return Next.TELL_THE_PHYSICIAN
    return Next.DONE


def _verdict(row: Row[Any]) -> VerdictThen:
    closing: Sequence[Mapping[str, Any]] = row.closing
    return VerdictThen(
        gate=row.gate,
        asked=Asked(row.asked),
        at=row.judged_at,
        rulebook=row.rulebook,
        digest=row.digest,
        closing=tuple(
            ClosingRule(
                rule=each["rule"],
                title=Text.from_json(each["title"]),
                outcome=Outcome(each["outcome"]),
                problems=tuple(Text.from_json(finding["problem"]) for finding in each["findings"]),
            )
            for each in closing
            if each["rule"] not in HOLDS_TELL_ALREADY
        ),
    )
