"""Donations: received, then determined eligible or not by signature. Until then they stand in quarantine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.db import donations, donors, impacts, judging
from app.db.judging import GateView
from app.domain.acts import Act, Actor
from app.domain.dossier import digest
from app.domain.errors import BadInput, Blocked, Stale, in_words_of
from app.domain.facts import Eligibility, Relation
from app.domain.moments import require_order, require_past
from app.domain.rulebook import Gate, Judgement, Outcome
from app.domain.text import Text
from labels.codes import CodeError, CodeScheme, parse

if TYPE_CHECKING:
    from app.db.door import Call, Reading
    from app.services.house import House


@dataclass(frozen=True, slots=True)
class DeterminationView:
    """Who determined what."""

    decision: Eligibility
    reason: str
    signed_at: datetime
    signed_by: str
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class DonationView:
    """A donation and, where it was asked for, how it stands before the gate into processing."""

    code: str
    din: str | None
    donor: str
    donor_code: str
    relation: Relation
    tissue: str
    collected_at: datetime
    received_at: datetime
    volume_ml: Decimal | None
    state: str
    determination: DeterminationView | None
    gate: GateView | None


@dataclass(frozen=True, slots=True)
class DonationLine:
    """A donation in a list."""

    code: str
    donor: str
    tissue: str
    din: str | None
    received_at: datetime
    state: str


async def receive_donation(
    house: House,
    call: Call,
    *,
    donor: str,
    tissue: str,
    collected_at: datetime,
    received_at: datetime,
    din: str | None,
    volume_ml: Decimal | None,
) -> DonationView:
    """Receive a donation into quarantine. `din` is its donation number as scanned or typed.

    Raises NotFound for a code of no donor, BadInput for a donation number that is none, Conflict for one known already.
    """
    async with house.door.change(call, Act.RECEIVE_DONATION, subject=donor) as change:
        require_past(collected_at, now=change.at, field="collected_at")
        require_past(received_at, now=change.at, field="received_at")
        require_order(earlier=collected_at, later=received_at, field="received_at")
        found = await donors.donor(change, code=donor)
        item = await donations.insert(
            change,
            donor_id=found.id,
            tissue=tissue,
            collected_at=collected_at,
            received_at=received_at,
            din=None if din is None else _din(din),
            volume_ml=volume_ml,
        )
        return change.answers(_view(await donations.find(change, code=item.code), gate=None))


async def determine_eligibility(
    house: House,
    call: Call,
    *,
    code: str,
    decision: Eligibility,
    reason: str,
    valid_until: datetime | None,
    ceremony: UUID,
) -> DonationView:
    """Determine by signature whether the donation is eligible. A refusal spends the ceremony.

    Raises Blocked where the rule book stands against *eligible*; *ineligible* may always be determined.
    """
    async with house.door.change(call, Act.DETERMINE_ELIGIBILITY, subject=code, reason=reason) as change:
        change.ceremony = ceremony
        donation = await donations.find(change, code=code)
        dossier, judgement = await judging.judged(
            change, kind="donation", subject_id=donation.id, gate=Gate.G2, at=change.at
        )
        if decision is Eligibility.ELIGIBLE:
            _refuse_against_the_rules(judgement)
        signature, signed = await donations.sign(change, donation_id=donation.id, ceremony=ceremony)
        if signed != digest(dossier):
            raise Stale(
                what=Text("Nothing was determined."),
                why=Text("The donor's record changed while it was being signed."),
                remedy=Text("Read the donation again as it stands now, then sign."),
            )
        await donations.determine(
            change,
            donation_id=donation.id,
            decision=decision.value,
            reason=reason,
            valid_until=valid_until,
            signature=signature,
        )
        await judging.keep_judgement(
            change, kind="donation", subject_id=donation.id, dossier=dossier, judgement=judgement
        )
        await impacts.judge_what_came_to_light(change)
        return change.answers(await _judged_view(change, code=code))


async def read_donation(house: House, actor: Actor, *, code: str) -> DonationView:
    """A donation and how it stands before the gate now. Raises NotFound."""
    async with house.door.read(actor, Act.READ_DONOR) as reading:
        return await _judged_view(reading, code=code)


async def list_donations(
    house: House, actor: Actor, *, after: str | None, limit: int, donor: str | None = None
) -> list[DonationLine]:
    """Donations, newest first; of one donor, or of all."""
    async with house.door.read(actor, Act.READ_DONOR) as reading:
        return [
            DonationLine(each.code, each.donor, each.tissue, each.din, each.received_at, _state(each.decision))
            for each in await donations.page(reading, after=after, limit=limit, donor=donor)
        ]


def _refuse_against_the_rules(judgement: Judgement) -> None:
    """Raise Blocked for everything at the gate that fails or cannot be told, but for the determination itself.

    What an assessed risk may excuse (needs a waiver) is this very determination's to assess; the waiver is asked for
    again, by the quality authority, before release.
    """
    against = tuple(
        each
        for each in judgement.verdicts
        if each.rule != "DON-12" and each.outcome in {Outcome.FAIL, Outcome.INDETERMINATE}
    )
    if against:
        raise Blocked(
            what=Text("The donation was not determined eligible."),
            why=Text("Not satisfied: {rules}.", rules=tuple(each.rule for each in against)),
            remedy=Text("Each finding names what would help. It may be determined ineligible at any time."),
            rule=against[0].rule,
            findings=tuple(finding for each in against for finding in each.findings),
            detail={"gate": judgement.gate.value, "subject": judgement.subject},
        )


def _din(raw: str) -> str:
    try:
        code = parse(raw)
    except CodeError as error:
        raise BadInput(field="din", **in_words_of(error)) from error
    if code.scheme is not CodeScheme.DIN:
        raise BadInput(
            field="din",
            what=Text("The donation was not recorded."),
            why=Text("{shown} is not a donation number.", shown=code.shown),
            remedy=Text("Scan the donation number on the container, or leave it out when there is none."),
        )
    return code.value


def _state(decision: str | None) -> str:
    return decision or "quarantine"


async def _judged_view(reading: Reading, *, code: str) -> DonationView:
    found = await donations.find(reading, code=code)
    gate = await judging.stands_before(reading, kind="donation", subject_id=found.id, gate=Gate.G2)
    return _view(found, gate=gate)


def _view(row: Any, *, gate: GateView | None) -> DonationView:
    return DonationView(
        code=row.code,
        din=row.din,
        donor=row.donor,
        donor_code=row.donor_code,
        relation=Relation(row.relation),
        tissue=row.tissue,
        collected_at=row.collected_at,
        received_at=row.received_at,
        volume_ml=row.volume_ml,
        state=_state(row.decision),
        determination=None
        if row.decision is None
        else DeterminationView(Eligibility(row.decision), row.reason, row.signed_at, row.signed_by, row.valid_until),
        gate=gate,
    )
