"""Waivers: only of rules that allow one, proposed and approved by two people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from app.db import lots, waivers
from app.domain.acts import ROLE_NAMES, Act, Actor, Role
from app.domain.errors import BadInput, Blocked
from app.domain.rulebook import NEVER
from app.domain.text import Text
from app.rules import BY_ID

if TYPE_CHECKING:
    from app.db.door import Call
    from app.services.house import House


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
    """Propose a waiver of one rule for one lot. Raises Blocked for a rule that nobody can waive."""
    async with house.door.change(call, Act.PROPOSE_WAIVER, subject=lot) as change:
        _refuse_unwaivable(rule)
        if valid_to <= valid_from or valid_to <= change.at:
            raise BadInput(
                field="valid_to",
                what=Text("The waiver was not proposed."),
                why=Text("It would never be in force."),
                remedy=Text("Give an end that is after its beginning and yet to come."),
            )
        found = await lots.find(change, code=lot)
        number = await waivers.propose(
            change,
            lot_id=found.id,
            rule=rule,
            justification=justification,
            mitigations=mitigations,
            valid_from=valid_from,
            valid_to=valid_to,
            max_uses=max_uses,
        )
        return change.answers(ProposedView(waiver=number, lot=found.code, rule=rule))


async def approve_waiver(house: House, call: Call, *, waiver: int, ceremony: UUID) -> ApprovedView:
    """Approve a waiver by signature. Raises CeremonyRefused, Blocked when the rule allows none any more."""
    async with house.door.change(call, Act.APPROVE_WAIVER, subject=f"waiver {waiver}") as change:
        change.ceremony = ceremony
        rule = await waivers.rule_of(change, waiver_id=waiver)
        _refuse_unwaivable(rule, by=frozenset(change.actor.roles))
        signature = await waivers.approve(change, waiver_id=waiver, ceremony=ceremony)
        return change.answers(ApprovedView(waiver=waiver, rule=rule, signature=signature))


async def list_waivers(house: House, actor: Actor, *, lot: str) -> list[WaiverView]:
    """Every waiver proposed for a lot."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        found = await lots.find(reading, code=lot)
        rows = await waivers.of_lot(reading, lot_id=found.id)
    return [WaiverView(**row._asdict()) for row in rows]


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
