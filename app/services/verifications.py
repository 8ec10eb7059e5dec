"""Verification: a second person proves to be there with badge and PIN, and scans the thing itself. An OK alone is none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from app.db import badges, lots, verifications
from app.db.door import Desk
from app.db.verifications import Verified, Waiting, expected
from app.domain.acts import ACT_NAMES, MAY, Act
from app.domain.errors import BadInput, CeremonyRefused, Conflict, NotFound
from app.domain.text import Text
from labels.codes import CodeError, parse, printable

if TYPE_CHECKING:
    from sqlalchemy import Row

    from app.db.badges import BadgeProof
    from app.db.door import Call
    from app.domain.acts import Actor
    from app.services.house import House

NOT_VERIFIED = Text("Nothing was verified.")
SCANNED_LENGTH_MAX = 512
ACT_OF = {Verified.STEP: Act.VERIFY_STEP, Verified.CLEARANCE: Act.VERIFY_CLEARANCE}
RULE_OF = {Verified.STEP: "GMP-05", Verified.CLEARANCE: "GMP-03"}


@dataclass(frozen=True, slots=True)
class VerificationView:
    """A verification as it was kept. `late`: later after the step's end than the setting allows (GMP-05 fails it)."""

    what: Verified
    number: int
    lot: str
    name: str
    verified_by: str
    printed_name: str
    scanned: str
    at: datetime
    late: bool


async def verify(
    house: House, call: Call, *, what: Verified, number: int, badge: str, pin: str, scanned: str, source: str
) -> VerificationView:
    """Keep that the person of this badge verified this, having scanned `scanned`. Whoever is signed in stays it.

    Raises CeremonyRefused for badge or PIN or one's own work, Conflict for what was not part of it or is verified
    already, Locked, Busy, NotFound. Every refusal is kept.
    """
    act, subject = Act.RECORD_VERIFICATION, f"{what.value} {number}"
    proof = await badges.prove(
        house.door,
        call,
        act,
        subject=subject,
        what=NOT_VERIFIED,
        badge=badge,
        pin=pin,
        source=source,
        pin_key=house.totp_key,
    )
    async with house.door.change(call, act, subject=subject, reason=proof.person.username, desk=Desk.PEOPLE) as change:
        _refuse_no_verifier(proof, what)
        row = await verifications.verify(
            change,
            what=what,
            number=number,
            verifier=proof.person.account_id,
            badge=proof.badge_id,
            code=_code(scanned),
            scanned=printable(scanned[:SCANNED_LENGTH_MAX]),
        )
        if row.outcome != "verified":
            _refuse(row, what=what, number=number, proof=proof, scanned=scanned)
        await badges.accept(change, proof)
        return change.answers(
            VerificationView(
                what=what,
                number=number,
                lot=row.lot_code,
                name=row.lot_name,
                verified_by=proof.person.username,
                printed_name=proof.person.printed_name,
                scanned=row.item_code,
                at=row.at,
                late=row.late,
            )
        )


async def waiting(house: House, actor: Actor, *, lot: str) -> tuple[Waiting, ...]:
    """What of this lot waits for a second person, the oldest first."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        found = await lots.find(reading, code=lot)
        return await verifications.waiting(reading, lot_id=found.id)


async def one(house: House, actor: Actor, *, what: Verified, number: int) -> Waiting:
    """One step or clearance, verified or not. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        found = await verifications.one(reading, what=what, number=number)
    if found is None:
        raise _unknown(what, number)
    return found


def _code(scanned: str) -> str:
    try:
        return parse(scanned).value
    except CodeError as error:
        raise BadInput(
            field="scanned",
            what=NOT_VERIFIED,
            why=Text(error.words.why, **error.details),
            remedy=Text(error.words.remedy, **error.details),
        ) from error


def _refuse_no_verifier(proof: BadgeProof, what: Verified) -> None:
    if proof.person.roles.isdisjoint(MAY[ACT_OF[what]]):
        raise CeremonyRefused(
            what=NOT_VERIFIED,
            why=Text("{person} may not {act}.", person=proof.person.printed_name, act=ACT_NAMES[ACT_OF[what]]),
            remedy=Text("Have somebody verify it who holds the role of verifier."),
            rule=RULE_OF[what],
            detail={"field": "badge"},
        )


def _refuse(row: Row[Any], *, what: Verified, number: int, proof: BadgeProof, scanned: str) -> NoReturn:
    rule = RULE_OF[what]
    match row.outcome:
        case "unknown":
            raise _unknown(what, number)
        case "done":
            raise Conflict(
                what=NOT_VERIFIED,
                why=Text("A second person has verified this already."),
                remedy=Text("Look at the lot as it stands now."),
                rule=rule,
            )
        case "own_work":
            raise CeremonyRefused(
                what=NOT_VERIFIED,
                why=Text("{person} did this, or wrote it down.", person=proof.person.printed_name),
                remedy=Text("Somebody else verifies it with their own eyes, badge and PIN."),
                rule=rule,
                detail={"field": "badge"},
            )
        case "no_item" | "other_item":
            raise Conflict(
                what=NOT_VERIFIED,
                why=Text("{code} was no part of it.", code=printable(scanned[:64])),
                remedy=Text("Scan the thing itself. Expected: {kinds}.", kinds=expected(what, row.kind)),
                rule=rule,
                detail={"field": "scanned", "scanned": printable(scanned[:64])},
            )
        case _:  # the badge or the role was taken away since it was proved
            raise CeremonyRefused(
                what=NOT_VERIFIED,
                why=Text("The badge, or the role of verifier, was taken away a moment ago."),
                remedy=Text("Have somebody verify it who holds the role of verifier."),
                rule=rule,
                detail={"field": "badge"},
            )


def _unknown(what: Verified, number: int) -> NotFound:
    return NotFound(
        what=NOT_VERIFIED,
        why=Text("There is no step {number}.", number=number)
        if what is Verified.STEP
        else Text("There is no line clearance {number} of a lot.", number=number),
        remedy=Text("Look at the lot as it stands now."),
    )
