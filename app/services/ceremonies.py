"""Proving who one is, freshly and with two factors, for one signature on one record as it stands."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.db import ceremonies, factors
from app.db.door import Call, Desk
from app.domain.acts import MEANINGS, Act, Actor, Meaning, RecordKind, Role
from app.domain.errors import BadInput, CeremonyRefused, Refusal
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.db.factors import Proof
    from app.services.house import House

WORDS: Mapping[tuple[Meaning, str | None], Text] = {
    (Meaning.RESULT_REVIEWED, "accepted"): Text("I have reviewed this result and accept it."),
    (Meaning.RESULT_REVIEWED, "returned"): Text("I have reviewed this result and return it."),
    (Meaning.RESULTS_REVIEWED, "accepted"): Text("I have reviewed these results and accept them."),
    (Meaning.RESULTS_REVIEWED, "returned"): Text("I have reviewed these results and return them."),
    (Meaning.ELIGIBILITY_DETERMINED, "eligible"): Text("I determine that the donor of this donation is eligible."),
    (Meaning.ELIGIBILITY_DETERMINED, "ineligible"): Text(
        "I determine that the donor of this donation is not eligible."
    ),
    (Meaning.MATERIAL_APPROVED, None): Text("I approve this material lot for use."),
    (Meaning.MATERIAL_REJECTED, None): Text("I reject this material lot."),
    (Meaning.BATCH_REVIEWED, "accepted"): Text("I have reviewed this batch record and accept it."),
    (Meaning.BATCH_REVIEWED, "returned"): Text("I have reviewed this batch record and return it."),
    (Meaning.DEVIATION_CLOSED, "none"): Text("I close this deviation: it has no impact."),
    (Meaning.DEVIATION_CLOSED, "acceptable"): Text("I close this deviation: its impact is acceptable."),
    (Meaning.DEVIATION_CLOSED, "unacceptable"): Text("I close this deviation: its impact is not acceptable."),
    (Meaning.HOLD_LIFTED, None): Text("I lift this hold."),
    (Meaning.LOOK_BACK_HOLD_LIFTED, None): Text("I lift this hold, which a look-back placed."),
    (Meaning.WAIVER_APPROVED, None): Text("I approve this waiver."),
    (Meaning.LEGACY_ACCEPTED, None): Text("I accept these papers from before the guideline for the rules named."),
    (Meaning.ASSESSMENT_APPROVED, None): Text("I approve this assessment."),
    (Meaning.DOCUMENT_APPROVED, None): Text("I approve this version of the document."),
    (Meaning.PROCESS_AUTHORISED, None): Text("I authorise this facility to run this process version."),
    (Meaning.COMPARABILITY_ACCEPTED, None): Text(
        "I accept that what was tested again stands for what the study gives, as described."
    ),
    (Meaning.BANK_POLICY_DECIDED, None): Text(
        "I decide whether this process version works from a cell bank as described."
    ),
    (Meaning.TWO_STEP_PLAN_DECIDED, None): Text(
        "I decide that lots of this process version may be released in two steps as described."
    ),
    (Meaning.RESPONSIBILITY_ACCEPTED, None): Text("I accept this responsibility."),
    (Meaning.PARTNER_DECIDED, None): Text("I decide about this partner as the assessment says."),
    (Meaning.EXCEPTIONAL_SUPPLY_DECIDED, "oos_exceptional_supply"): Text(
        "I decide that this lot is supplied as an exception. This is no release."
    ),
    (Meaning.EXCEPTIONAL_SUPPLY_DECIDED, "refused"): Text("I refuse this request."),
    (Meaning.SUPPLIER_DECIDED, None): Text("I decide about this supplier as the audit says."),
    (Meaning.SETTING_APPROVED, None): Text("I approve this change of a setting."),
    (Meaning.PACK_APPROVED, None): Text("I choose this rule pack for this house."),
    (Meaning.TISSUE_DECIDED, None): Text("I decide that this tissue is as described here."),
    (Meaning.APPOINTMENT_SUPPORTED, None): Text("I support the appointment of this person as quality authority."),
    (Meaning.APPOINTMENT_REVOKED, None): Text("I revoke the appointment of this quality authority."),
    (Meaning.RELEASED, None): Text("I release this lot."),
    (Meaning.CONDITIONALLY_RELEASED, None): Text("I release this lot before the results that are named as pending."),
    (Meaning.REJECTED, None): Text("I reject this lot."),
}
"""What a signature says, by meaning and, where the meaning leaves a choice, the statement that makes it."""


@dataclass(frozen=True, slots=True)
class RecordView:
    """A record as it is shown to be signed. `content` is the parsed form of the bytes behind `digest`."""

    kind: RecordKind
    ref: str
    name: str
    version: int
    digest: str
    content: Any


@dataclass(frozen=True, slots=True)
class CeremonyView:
    """A live proof of identity: what is signed, in plain words, by whom, until when it can be used."""

    ceremony: UUID
    expires_at: datetime
    digest: str
    printed_name: str
    meaning: Meaning
    statement: str
    record: str
    says: Text


async def record_to_sign(house: House, actor: Actor, *, kind: RecordKind, ref: str) -> RecordView:
    """The record as it stands now, with the digest that a ceremony must name. Raises NotFound."""
    async with house.door.read(actor, Act.OPEN_CEREMONY) as reading:
        found = await ceremonies.record(reading, kind=kind, ref=ref)
    return RecordView(
        kind=kind,
        ref=ref,
        name=found.name,
        version=found.version,
        digest=found.digest,
        content=json.loads(found.content),
    )


async def open_ceremony(
    house: House,
    call: Call,
    *,
    meaning: Meaning,
    kind: RecordKind,
    ref: str,
    statement: str,
    digest: str,
    password: str,
    totp: str,
    source: str,
) -> CeremonyView:
    """Check both factors of the person who is signed in, and no one else's; then open the ceremony.

    Raises BadInput for a statement that the meaning does not know, CeremonyRefused, Stale, Blocked, Locked, Busy.
    """
    actor = call.actor
    says = _words(meaning, kind, statement)
    async with house.door.read(actor, Act.OPEN_CEREMONY) as reading:
        record = await ceremonies.record(reading, kind=kind, ref=ref)
    await _may_sign(house, actor, meaning, ref)
    proof = await factors.prove(
        house.door,
        call,
        Act.OPEN_CEREMONY,
        subject=ref,
        what=Text("Nothing was signed."),
        password=password,
        totp=totp,
        source=source,
        totp_key=house.totp_key,
    )
    try:
        async with house.door.change(
            call, Act.OPEN_CEREMONY, subject=ref, reason=meaning.value, desk=Desk.PEOPLE
        ) as change:
            await factors.accept(change, proof)
            opened = await ceremonies.open_ceremony(
                change,
                meaning=meaning,
                kind=kind,
                record_id=record.record_id,
                statement=statement,
                digest=digest,
            )
            return change.answers(
                CeremonyView(
                    ceremony=opened.ceremony,
                    expires_at=opened.expires_at,
                    digest=digest,
                    printed_name=actor.printed_name,
                    meaning=meaning,
                    statement=statement,
                    record=record.name,
                    says=says,
                )
            )
    except Refusal as refusal:
        if "code_used" not in refusal.detail:
            await _spend_all_the_same(house, actor, proof)
        raise


def _words(meaning: Meaning, kind: RecordKind, statement: str) -> Text:
    if MEANINGS[meaning].record is not kind:
        raise BadInput(
            field="record.kind",
            what=Text("Nothing was signed."),
            why=Text("A signature that says {meaning} is set to another kind of record.", meaning=meaning.value),
            remedy=Text("Sign from the record's own page."),
        )
    # What leaves no choice may carry a reason in the signer's own words.
    says = WORDS.get((meaning, statement)) or WORDS.get((meaning, None))
    if says is None:
        choices = tuple(sorted(choice for known, choice in WORDS if known is meaning and choice is not None))
        raise BadInput(
            field="statement",
            what=Text("Nothing was signed."),
            why=Text("This signature states one of: {choices}.", choices=choices),
            remedy=Text("Choose one of them."),
        )
    return says


async def _may_sign(house: House, actor: Actor, meaning: Meaning, ref: str) -> None:
    """The early no, before anybody types a password; the database asks again."""
    signers = MEANINGS[meaning].roles
    if not actor.roles.isdisjoint(signers):
        return
    refusal = CeremonyRefused(
        what=Text("Nothing was signed."),
        why=Text("You hold no role that signs this."),
        remedy=Text("Ask the person whose signature it is."),
        detail={"meaning": meaning.value, "roles": [role.value for role in Role if role in signers]},
    )
    await house.door.keep_refusal(actor, Act.OPEN_CEREMONY, ref, refusal)
    raise refusal


async def _spend_all_the_same(house: House, actor: Actor, proof: Proof) -> None:
    """A code that held is used up though the signature was refused: nobody tries it again on another record."""
    async with house.door.change(
        Call(actor), Act.MANAGE_OWN_FACTORS, subject=actor.username, reason="code spent", desk=Desk.PEOPLE
    ) as change:
        await factors.accept(change, proof)
