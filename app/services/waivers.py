"""Waivers: only of rules that allow one, proposed and approved by two people, for a lot, a material lot or a donation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING
from uuid import UUID

from app.db import items, waivers
from app.domain.acts import ROLE_NAMES, Act, Actor, Role
from app.domain.errors import BadInput, Blocked, NotFound
from app.domain.lots import LotState
from app.domain.rulebook import NEVER, Gate
from app.domain.text import Text
from app.rules import BY_ID, RULES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.db.door import Call, Reading
    from app.services.house import House


class Waived(StrEnum):
    """What a waiver is for."""

    LOT = "lot"
    MATERIAL_LOT = "material_lot"
    DONATION = "donation"


GATES: Mapping[Waived, frozenset[Gate]] = MappingProxyType(
    {
        Waived.LOT: frozenset(Gate) - {Gate.G1, Gate.G2},
        Waived.MATERIAL_LOT: frozenset({Gate.G1}),
        Waived.DONATION: frozenset({Gate.G2}),
    }
)
"""The gates before which each of them stands."""


@dataclass(frozen=True, slots=True)
class SubjectView:
    """A lot, material lot or donation as pages of its waivers are headed. A donation has no state of a lot."""

    code: str
    kind: Waived
    name: str
    state: LotState | None


@dataclass(frozen=True, slots=True)
class ProposedView:
    """A waiver that waits for approval."""

    waiver: int
    lot: str
    rule: str


@dataclass(frozen=True, slots=True)
class ApprovedView:
    """A waiver approved by signature."""

    waiver: int
    rule: str
    signature: int


@dataclass(frozen=True, slots=True)
class WaiverView:
    """A waiver as it stands; without `approved_by` it opens nothing."""

    waiver: int
    rule: str
    justification: str
    mitigations: str
    proposed_by: str
    approved_by: str | None
    approved_at: datetime | None
    valid_from: datetime
    valid_to: datetime
    max_uses: int


async def propose_waiver(
    house: House,
    call: Call,
    *,
    lot: str,
    rule: str,
    justification: str,
    mitigations: str,
    valid_from: datetime,
    valid_to: datetime,
    max_uses: int,
) -> ProposedView:
    """Propose a waiver of one rule for one lot, material lot or donation (`lot`: its code).

    Raises Blocked for a rule that nobody can waive, BadInput for one that does not judge such a thing, NotFound.
    """
    async with house.door.change(call, Act.PROPOSE_WAIVER, subject=lot) as change:
        _refuse_unwaivable(rule)
        found = await _subject(change, lot)
        _refuse_not_judged(rule, found[1].kind)
        if valid_to <= valid_from or valid_to <= change.at:
            raise BadInput(
                field="valid_to",
                what=Text("The waiver was not proposed."),
                why=Text("It would never be in force."),
                remedy=Text("Give an end that is after its beginning and yet to come."),
            )
        is_donation = found[1].kind is Waived.DONATION
        number = await waivers.propose(
            change,
            lot_id=None if is_donation else found[0],
            donation_id=found[0] if is_donation else None,
            rule=rule,
            justification=justification,
            mitigations=mitigations,
            valid_from=valid_from,
            valid_to=valid_to,
            max_uses=max_uses,
        )
        return change.answers(ProposedView(waiver=number, lot=found[1].code, rule=rule))


async def approve_waiver(house: House, call: Call, *, waiver: int, ceremony: UUID) -> ApprovedView:
    """Approve a waiver by signature. Raises CeremonyRefused, Blocked when the rule allows none any more."""
    async with house.door.change(call, Act.APPROVE_WAIVER, subject=f"waiver {waiver}") as change:
        change.ceremony = ceremony
        rule = await waivers.rule_of(change, waiver_id=waiver)
        _refuse_unwaivable(rule, by=frozenset(change.actor.roles))
        signature = await waivers.approve(change, waiver_id=waiver, ceremony=ceremony)
        return change.answers(ApprovedView(waiver=waiver, rule=rule, signature=signature))


async def list_waivers(house: House, actor: Actor, *, lot: str) -> list[WaiverView]:
    """Every waiver proposed for a lot, material lot or donation, by its code."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        key, _ = await _subject(reading, lot)
        rows = await waivers.of_subject(reading, subject_id=key)
    return [WaiverView(**row._asdict()) for row in rows]


async def read_subject(house: House, actor: Actor, *, code: str) -> SubjectView:
    """What the waivers are for. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        return (await _subject(reading, code))[1]


def waivable(kind: Waived) -> dict[str, Text]:
    """The rules that may be waived for such a thing, by title."""
    return {each.id: each.title for each in RULES if each.waiver != NEVER and each.gates & GATES[kind]}


async def _subject(reading: Reading, code: str) -> tuple[int, SubjectView]:
    item = await items.find(reading, code=code)
    told = await waivers.subject(reading, item_id=item.id)
    if told.kind == "donation":
        return item.id, SubjectView(item.code, Waived.DONATION, item.code, None)
    if told.kind != "lot" or told.lot_kind is None:
        raise NotFound(
            what=Text("There is no lot {code}.", code=code),
            why=Text("A waiver is for a lot, a material lot or a donation."),
            remedy=Text("Scan the right label."),
        )
    kind = Waived.MATERIAL_LOT if told.lot_kind == "material" else Waived.LOT
    return item.id, SubjectView(item.code, kind, told.name, LotState(told.state))


def _refuse_not_judged(rule: str, kind: Waived) -> None:
    if not BY_ID[rule].gates & GATES[kind]:
        raise BadInput(
            field="rule",
            what=Text("The waiver was not proposed."),
            why=Text("{rule} does not judge this: {title}.", rule=rule, title=BY_ID[rule].title),
            remedy=Text("Choose one of: {rules}.", rules=tuple(waivable(kind))),
            rule=rule,
        )


def _refuse_unwaivable(rule: str, *, by: frozenset[Role] | None = None) -> None:
    found = BY_ID.get(rule)
    if found is None:
        raise BadInput(
            field="rule",
            what=Text("The waiver was not proposed."),
            why=Text("The rule book has no rule {rules}.", rules=rule),
            remedy=Text("Name the rule as the release page names it."),
        )
    if found.waiver == NEVER:
        raise Blocked(
            what=Text("There is no waiver of {rule}.", rule=rule),
            why=Text("Nobody can waive it: {title}.", title=found.title),
            remedy=Text("What fails this rule is investigated, and the lot may be rejected."),
            rule=rule,
        )
    if by is not None and by.isdisjoint(found.waiver):
        raise Blocked(
            what=Text("The waiver was not approved."),
            why=Text(
                "A waiver of {rule} is approved by: {roles}.",
                rule=rule,
                roles=tuple(ROLE_NAMES[each] for each in found.waiver),
            ),
            remedy=Text("Ask somebody who holds such a role."),
            rule=rule,
        )
