"""Cell banks: their vials put away and withdrawn, how places keep them, excursions, and whether a process needs a bank."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.db import banks, deviations, items, judging, lots
from app.domain.acts import Act, Actor
from app.domain.cell_banks import refuse_other_words
from app.domain.errors import BadInput, Conflict, NotFound
from app.domain.lots import STATE_NAMES, LotState
from app.domain.moments import require_past
from app.domain.rulebook import Gate
from app.domain.scans import GONE, SET_ASIDE
from app.domain.text import Text

if TYPE_CHECKING:
    from app.db.door import Call, Change
    from app.db.items import Item
    from app.services.house import House

PLACES = frozenset({"equipment", "shelf", "position"})
MANY = 5_000


@dataclass(frozen=True, slots=True)
class WithdrawnView:
    """A vial that left its bank, and the lot for which it did."""

    withdrawal: int
    vial: str
    bank: str
    lot: str
    withdrawn_at: datetime


@dataclass(frozen=True, slots=True)
class BankLine:
    """A bank lot in a list, with how many of its vials are there and have left."""

    code: str
    name: str
    tier: str | None
    state: LotState
    donor: str | None
    product: str | None
    product_zh: str | None
    expires_at: datetime | None
    recorded_at: datetime
    stored: int
    withdrawn: int
    held: bool


@dataclass(frozen=True, slots=True)
class VialView:
    """A vial of a bank: where it is, or who took it out, when and for what. `cpdl` in population doublings."""

    code: str
    state: str
    passage: int | None
    cpdl: float | None
    place: str | None
    place_code: str | None
    stored_at: datetime | None
    held: bool
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    for_lot: str | None
    for_lot_name: str | None


@dataclass(frozen=True, slots=True)
class BankView:
    """A bank with the map of its vials."""

    bank: BankLine
    vials: tuple[VialView, ...]


@dataclass(frozen=True, slots=True)
class StoredView:
    """What was put where."""

    place: str
    vials: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StorageView:
    """A tank or freezer with what was last said of how it keeps; nothing where nothing was."""

    code: str
    name: str
    kind: str
    room: str
    phase: str | None
    warmest_celsius: float | None
    site: str | None
    evidence: str | None
    recorded_at: datetime | None
    vials: int
    excursions: int


@dataclass(frozen=True, slots=True)
class ClassView:
    """The number of a statement about a place."""

    storage_class: int
    place: str


@dataclass(frozen=True, slots=True)
class ExcursionView:
    """An excursion, the deviation that it opened, and what it holds."""

    excursion: int
    place: str
    deviation: str
    held: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PolicyContent:
    """Whether a process version works from a bank, which conditions of the guideline hold, in which tiers, and why."""

    process: str
    process_version: int
    needed: bool
    conditions: tuple[str, ...]
    tiers: tuple[str, ...]
    reasons: str


@dataclass(frozen=True, slots=True)
class PolicyView:
    """A decision about banks as it stands: proposed, decided or superseded."""

    policy: int
    process: str
    process_version: int
    version: int
    needed: bool
    conditions: tuple[str, ...]
    tiers: tuple[str, ...]
    reasons: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class PolicyKept:
    """The number of a decision that was proposed or signed."""

    number: int
    signature: int | None = None


async def withdraw(house: House, call: Call, *, lot: str, vial: str, withdrawn_at: datetime) -> WithdrawnView:
    """Take a vial out of its bank for a lot that is planned of the same donor's cells. It leaves once.

    Raises Blocked where a rule closes the use of the bank (G3), Conflict where the vial left before (CB-09).
    """
    async with house.door.change(call, Act.WITHDRAW_VIAL, subject=lot) as change:
        require_past(withdrawn_at, now=change.at, field="withdrawn_at")
        (found,) = await banks.vials_of_banks(change, codes=[vial])
        await banks.lock(change, bank_id=found.bank_id)
        (found,) = await banks.vials_of_banks(change, codes=[vial])  # as it is now that nobody else changes it
        taking = await lots.find(change, code=lot)
        _refuse_withdrawal(found, taking)
        dossier, judgement = await judging.judged(
            change, kind="bank_vial", subject_id=found.id, gate=Gate.G3, at=withdrawn_at
        )
        if not judgement.is_open:
            raise judgement.refusal()
        await judging.keep_judgement(
            change, kind="bank_vial", subject_id=found.id, dossier=dossier, judgement=judgement
        )
        number = await banks.withdraw(
            change, vial_id=found.id, bank_id=found.bank_id, lot_id=taking.id, withdrawn_at=withdrawn_at
        )
        return change.answers(WithdrawnView(number, found.code, found.bank, taking.code, withdrawn_at))


def _refuse_withdrawal(vial: Any, lot: lots.Lot) -> None:
    why: Text | None = None
    if vial.withdrawn_for is not None:
        why = Text("{code} was withdrawn before. A vial leaves its bank once.", code=vial.code)
    elif vial.state in GONE or vial.state in SET_ASIDE:
        why = Text("{code}: {problem}", code=vial.code, problem=GONE.get(vial.state) or SET_ASIDE[vial.state])
    elif vial.state != "stored":
        why = Text("{code} was not put away yet.", code=vial.code)
    elif vial.bank_id == lot.id or vial.donor_id != lot.donor_id:
        why = Text("{code} holds cells of another donor than {lot}.", code=vial.code, lot=lot.name)
    elif lot.state is not LotState.PLANNED:
        why = Text(
            "{lot} is {state}; a vial is withdrawn for a planned lot.", lot=lot.name, state=STATE_NAMES[lot.state]
        )
    if why is not None:
        raise Conflict(
            what=Text("The vial was not withdrawn."),
            why=why,
            remedy=Text("Take another vial. If this one was thawed already, record it as already happened."),
            rule="CB-09",
            detail={"code": vial.code},
        )


async def put_away(
    house: House, call: Call, *, bank: str, vials: tuple[str, ...], place: str, stored_at: datetime
) -> StoredView:
    """Put vials of a bank into a place, from wherever they are. Raises Conflict for one that has left the bank."""
    async with house.door.change(call, Act.STORE_VIALS, subject=bank) as change:
        require_past(stored_at, now=change.at, field="stored_at")
        lot = await lots.find(change, code=bank)
        where = await _place(change, code=place)
        found = await banks.vials_of_banks(change, codes=vials)
        for each in found:
            if each.bank_id != lot.id or each.state != "stored" or each.withdrawn_for is not None:
                raise Conflict(
                    what=Text("Nothing was put away."),
                    why=Text("{code} does not lie in {bank} any more, or never did.", code=each.code, bank=lot.name),
                    remedy=Text("Scan the vials that are in hand. A vial that was thawed is not frozen again."),
                    rule="CB-09",
                    detail={"code": each.code},
                )
        ids = [each.id for each in found]
        await banks.keep_place(change, vials=ids, place_id=where.id, stored_at=stored_at)
        await banks.move(change, vials=ids, place_id=where.id)
        return change.answers(StoredView(where.code, tuple(each.code for each in found)))


async def list_banks(house: House, actor: Actor, *, after: str | None, limit: int) -> list[BankLine]:
    """Bank lots, newest first."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        rows = await banks.page(reading, code=None, after=after, limit=limit)
    return [BankLine(**{**row._asdict(), "state": LotState(row.state)}) for row in rows]


async def read_bank(house: House, actor: Actor, *, code: str) -> BankView:
    """A bank with the map of its vials. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        rows = await banks.page(reading, code=code, after=None, limit=1)
        if not rows:
            raise NotFound(
                what=Text("There is no cell bank {code}.", code=code),
                why=Text("This code is not known here, or is of something else."),
                remedy=Text("Look the bank up in the list of banks."),
            )
        found = await banks.vials(reading, code=code, limit=MANY)
    vials = tuple(VialView(**{**row._asdict(), "cpdl": None if row.cpdl is None else float(row.cpdl)}) for row in found)
    return BankView(BankLine(**{**rows[0]._asdict(), "state": LotState(rows[0].state)}), vials)


# -- how places keep ---------------------------------------------------------------------------------------------------


async def classify_storage(
    house: House, call: Call, *, place: str, phase: str, warmest_celsius: Decimal, site: str, evidence: str
) -> ClassView:
    """State how a place keeps what is in it. What was put there before was put there without it. Raises NotFound."""
    async with house.door.change(call, Act.CLASSIFY_STORAGE, subject=place) as change:
        where = await _place(change, code=place)
        number = await banks.classify(
            change, place_id=where.id, phase=phase, warmest_celsius=warmest_celsius, site=site, evidence=evidence
        )
        return change.answers(ClassView(number, where.code))


async def record_excursion(
    house: House,
    call: Call,
    *,
    place: str,
    began_at: datetime,
    ended_at: datetime | None,
    warmest_celsius: Decimal,
    what: str,
) -> ExcursionView:
    """Record that a place was too warm: a deviation is opened, and whatever lay there is held, in one transaction.

    Raises BadInput for an end before the beginning, or a moment that has not come.
    """
    async with house.door.change(call, Act.RECORD_EXCURSION, subject=place, reason=what) as change:
        require_past(began_at, now=change.at, field="began_at")
        if ended_at is not None:
            require_past(ended_at, now=change.at, field="ended_at")
            if ended_at < began_at:
                raise BadInput(
                    field="ended_at",
                    what=Text("Nothing was recorded."),
                    why=Text("It would end before it begins."),
                    remedy=Text("Give an end that is after its beginning."),
                )
        where = await _place(change, code=place)
        deviation_id, deviation = await deviations.open_one(
            change, item_id=where.id, what=what, severity="major", rules=("CB-10",)
        )
        number = await banks.keep_excursion(
            change,
            place_id=where.id,
            began_at=began_at,
            ended_at=ended_at,
            warmest_celsius=warmest_celsius,
            what=what,
            deviation_id=deviation_id,
        )
        held = await banks.held_by(change, deviation_id=deviation_id)
        return change.answers(ExcursionView(number, where.code, deviation, held))


async def list_storage(house: House, actor: Actor) -> list[StorageView]:
    """Tanks and freezers, and how each keeps what is in it."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        rows = await banks.places(reading, limit=500)
    return [
        StorageView(
            **{
                **row._asdict(),
                "warmest_celsius": None if row.warmest_celsius is None else float(row.warmest_celsius),
            }
        )
        for row in rows
    ]


async def _place(change: Change, *, code: str) -> Item:
    place = await items.find(change, code=code)
    if place.kind not in PLACES:
        raise NotFound(
            what=Text("{code} is no place.", code=code),
            why=Text("A tank, freezer, shelf or position is needed."),
            remedy=Text("Scan the label of the place."),
        )
    return place


# -- whether a process needs a bank ------------------------------------------------------------------------------------


async def propose_policy(house: House, call: Call, *, content: PolicyContent) -> PolicyKept:
    """Propose whether a process version works from a bank. Raises BadInput for what contradicts itself, NotFound."""
    async with house.door.change(call, Act.PROPOSE_BANK_POLICY, subject=content.process) as change:
        refuse_other_words(needed=content.needed, conditions=content.conditions, tiers=content.tiers)
        number = await banks.propose_policy(
            change,
            process=content.process,
            process_version=content.process_version,
            needed=content.needed,
            conditions=sorted(set(content.conditions)),
            tiers=sorted(set(content.tiers)),
            reasons=content.reasons,
        )
        return change.answers(PolicyKept(number))


async def decide_policy(house: House, call: Call, *, number: int, ceremony: UUID) -> PolicyKept:
    """Sign it. Nobody decides what they proposed. Raises CeremonyRefused, Stale, NotFound, Conflict."""
    async with house.door.change(call, Act.DECIDE_BANK_POLICY, subject=f"bank policy {number}") as change:
        change.ceremony = ceremony
        await banks.policy(change, number=number)
        return change.answers(PolicyKept(number, await banks.decide(change, number=number, ceremony=ceremony)))


async def list_policies(house: House, actor: Actor) -> list[PolicyView]:
    """Every decision about banks, the last proposed first."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        rows = await banks.policies(reading)
    return [_policy(row) for row in rows]


async def read_policy(house: House, actor: Actor, *, number: int) -> PolicyView:
    """One decision about banks. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        return _policy(await banks.policy(reading, number=number))


def _policy(row: Any) -> PolicyView:
    return PolicyView(**{**row._asdict(), "conditions": tuple(row.conditions), "tiers": tuple(row.tiers)})
