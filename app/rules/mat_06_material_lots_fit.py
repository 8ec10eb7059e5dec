"""MAT-06: every material lot was identified, reviewed, approved and in date when it was used, and arrived as it should."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

from app.domain import settings
from app.domain.counterexamples import every, nth, part, without
from app.domain.dossier import Dossier
from app.domain.facts import Consumption, LegacyAbout, Material, OpenedContainer, SubjectKind
from app.domain.lots import STATE_NAMES, LotState
from app.domain.materials import is_in_date
from app.domain.processing import breached, too_late
from app.domain.rulebook import (
    NEVER,
    Asked,
    Break,
    Citation,
    Gate,
    Outcome,
    Standing,
    Statement,
    fails,
    lacks,
    rule,
    shows,
    undocumented,
)
from app.domain.sources import GMP, GUIDELINE
from app.domain.text import Text

_OLD = date(2026, 9, 1)
_LATE = datetime(2026, 10, 20, 9, tzinfo=UTC)


@rule(
    "MAT-06",
    Text("Every material lot was approved and in date when it was used"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("Raw materials are managed by their risk: received into quarantine, checked, approved, and in date."),
            Standing.RECONSTRUCTED,
        ),
        Citation(GMP, "chapter 6", Text("Only approved materials within their period are used."), Standing.UNVERIFIED),
    ),
    gates=(Gate.G1, Gate.G4, Gate.G6),
    waiver=NEVER,
    legacy=(LegacyAbout.LOT,),
    breaks=(
        Break("expired when used", nth("consumptions", 0, expires_on=_OLD)),
        Break("used after its opened period", nth("consumptions", 0, opened_until=datetime(2026, 10, 1, tzinfo=UTC))),
        Break("approved after it was used", nth("consumptions", 0, approved_at=_LATE)),
        Break("used without approval", nth("consumptions", 0, approved_at=None)),
        Break("no expiry is known", nth("consumptions", 0, expires_on=None), outcome=Outcome.INDETERMINATE),
        Break("its certificate was reviewed after use", nth("materials", 0, coa_reviewed_at=_LATE)),
        Break("the review was recorded after use, as made before it", nth("materials", 0, coa_recorded_at=_LATE)),
        Break(
            "its certificate was never reviewed",
            nth("materials", 0, coa_reviewed_at=None),
            outcome=Outcome.INDETERMINATE,
        ),
        Break("it arrived not as its label asks", nth("materials", 0, storage_ok=False)),
        Break("how it arrived is unknown", nth("materials", 0, storage_ok=None), outcome=Outcome.INDETERMINATE),
        Break(
            "a planned lot that arrived not as its label asks",
            nth("materials", 0, storage_ok=False),
            gate=Gate.G4,
            kind=SubjectKind.STEP,
        ),
        Break(
            "approval of a lot that arrived not as its label asks",
            nth("materials", 0, storage_ok=False),
            gate=Gate.G1,
            kind=SubjectKind.MATERIAL_LOT,
        ),
        Break(
            "approval of a lot of which nobody knows how it arrived",
            nth("materials", 0, storage_ok=None),
            gate=Gate.G1,
            kind=SubjectKind.MATERIAL_LOT,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "what was consumed is unknown",
            without("consumptions"),
            outcome=Outcome.INDETERMINATE,
            also=("CB-06", "MAT-10"),
        ),
        Break(
            "a planned lot in quarantine",
            nth("materials", 0, state=LotState.QUARANTINE, approved_at=None),
            gate=Gate.G4,
            kind=SubjectKind.STEP,
        ),
        Break("a planned lot out of date", nth("materials", 0, expires_on=_OLD), gate=Gate.G4, kind=SubjectKind.STEP),
        Break(
            "a planned container past its opened period",
            part("plan", opened=(OpenedContainer("M0000000099", "M0000000001", datetime(2026, 10, 1, tzinfo=UTC)),)),
            gate=Gate.G4,
            kind=SubjectKind.STEP,
        ),
        Break(
            "approval of a lot out of date",
            nth("materials", 0, expires_on=_OLD),
            gate=Gate.G1,
            kind=SubjectKind.MATERIAL_LOT,
        ),
        Break(
            "approval without a certificate",
            nth("materials", 0, coa_reviewed_at=None),
            gate=Gate.G1,
            kind=SubjectKind.MATERIAL_LOT,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "approval of a recalled lot",
            every("materials", state=LotState.RECALLED, recalled=True),
            gate=Gate.G1,
            kind=SubjectKind.MATERIAL_LOT,
        ),
    ),
)
def material_lots_fit(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge a lot's fitness for approval (G1), for the step planned now (G4), or at each time that it was used (G6).

    At G1 the lot still stands in quarantine: everything but the approval itself must be there.
    """
    if asked.gate is Gate.G1:
        yield from _for_approval(dossier, asked)
    elif asked.gate is Gate.G4:
        yield from _for_step(dossier, asked)
    else:
        yield from _when_used(dossier)


def _for_approval(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    for material in dossier.materials or ():
        yield from _sound(dossier, material, asked.at, (LotState.QUARANTINE, LotState.APPROVED))
    if not dossier.materials:
        yield _unknown(dossier.subject)


def _for_step(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    materials = {each.lot: each for each in dossier.materials or ()}
    if dossier.plan is None:
        yield lacks(dossier.subject, Text("No step is planned."), Text("Plan the step with its materials."))
        return
    for lot in dossier.plan.materials:
        if lot not in materials:
            yield _unknown(lot)
            continue
        yield from _sound(dossier, materials[lot], asked.at, (LotState.APPROVED,))
        yield from _approved(dossier, materials[lot].approved_at, at=asked.at, subject=lot)
    for opened in dossier.plan.opened:
        if asked.at > opened.opened_until:
            yield _open_too_long(opened.container, opened.material_lot, opened.opened_until)
    if not dossier.plan.materials:
        yield shows(dossier.subject, Text("the step is planned without any material"))


def _when_used(dossier: Dossier) -> Iterator[Statement]:
    materials = {each.lot: each for each in dossier.materials or ()}
    if not dossier.consumptions:
        yield lacks(
            dossier.subject,
            Text("No consumption of materials is recorded."),
            Text("Record which material lots each step consumed."),
        )
    for used in dossier.consumptions or ():
        material = materials.get(used.material_lot)
        if material is None:
            yield _unknown(used.material_lot)
            continue
        as_used = replace(material, expires_on=used.expires_on)
        yield from _sound(dossier, as_used, used.used_at, ())
        yield from _approved(dossier, used.approved_at, at=used.used_at, subject=used.material_lot)
        yield from _opened(used)


def _sound(dossier: Dossier, material: Material, at: datetime, states: tuple[LotState, ...]) -> Iterator[Statement]:
    yield from _standing(material, states)
    yield from _arrived(material)
    yield from _dated(dossier, material, at)
    yield from _certified(dossier, material, at)


def _standing(material: Material, states: tuple[LotState, ...]) -> Iterator[Statement]:
    # No states are asked for where it was used: how it stands today is MAT-11's to judge.
    if states and (material.recalled or material.state not in states):
        state = LotState.RECALLED if material.recalled else material.state
        yield fails(
            material.lot,
            Text("{name} is {state}.", name=material.name, state=STATE_NAMES[state]),
            Text("Use an approved lot; quality assesses what was already made with this one."),
        )
    if material.holds:
        yield fails(
            material.lot,
            Text("{name} is on hold: {reason}", name=material.name, reason=material.holds[0].reason),
            Text("Use an approved lot; the QA manager decides about the hold."),
        )
    if not material.supplier_lot.strip():
        yield lacks(
            material.lot, Text("The supplier's lot is not recorded."), Text("Read it from the container and record it.")
        )


def _arrived(material: Material) -> Iterator[Statement]:
    if material.kind == "prepared":  # made here: it did not arrive, and its parts are judged themselves
        return
    if material.storage_ok is None:
        yield undocumented(
            material.lot,
            Text("It is not known whether {name} arrived stored and cooled as its label asks.", name=material.name),
            Text("Use a lot whose arrival is on record; quality rejects this one."),
        )
    elif not material.storage_ok:
        yield fails(
            material.lot,
            Text("{name} did not arrive stored and cooled as its label asks.", name=material.name),
            Text("Quality rejects the lot, and assesses what was already made with it. Use another lot."),
        )
    else:
        yield shows(material.lot, Text("{name} arrived as its label asks", name=material.name))


def _dated(dossier: Dossier, material: Material, at: datetime) -> Iterator[Statement]:
    offset_hours = settings.number(dossier, "facility.utc_offset_hours")
    if material.expires_on is None:
        yield lacks(
            material.lot,
            Text("It is not known when {name} expires.", name=material.name),
            Text("Read the date from the container or the certificate and record it."),
        )
    elif not is_in_date(material.expires_on, at, utc_offset_hours=offset_hours):
        yield fails(
            material.lot,
            Text(
                "{name} expired on {date}; used or to be used at {at}.",
                name=material.name,
                date=material.expires_on,
                at=at,
            ),
            Text("Use a lot that is in date. An expiry is never waived."),
        )
    else:
        yield shows(material.lot, Text("{name} in date until {date}", name=material.name, date=material.expires_on))


def _certified(dossier: Dossier, material: Material, at: datetime) -> Iterator[Statement]:
    reviewed_at = material.coa_known_at
    if reviewed_at is None:
        yield lacks(
            material.lot,
            Text("The certificate of analysis of {name} has not been reviewed.", name=material.name),
            Text("Obtain the certificate of this very lot and have it reviewed."),
        )
    elif reviewed_at > at:
        yield too_late(
            dossier,
            "MAT-06",
            subject=material.lot,
            problem=Text(
                "The review of the certificate was on record at {known}, after the use at {at}.",
                known=reviewed_at,
                at=at,
            ),
        )
    else:
        yield shows(material.lot, Text("certificate of analysis reviewed, on record since {known}", known=reviewed_at))


def _approved(dossier: Dossier, approved_at: datetime | None, *, at: datetime, subject: str) -> Iterator[Statement]:
    if approved_at is None:
        yield breached(dossier, "MAT-06", subject=subject, problem=Text("It was not approved for use."))
    elif approved_at > at:
        yield too_late(
            dossier,
            "MAT-06",
            subject=subject,
            problem=Text("It was approved at {approved}, after the use at {at}.", approved=approved_at, at=at),
        )
    else:
        yield shows(subject, Text("approved for use {approved}", approved=approved_at))


def _opened(used: Consumption) -> Iterator[Statement]:
    if used.opened_until is not None and used.used_at > used.opened_until:
        yield _open_too_long(used.container, used.material_lot, used.opened_until)


def _open_too_long(container: str, material_lot: str, until: datetime) -> Statement:
    return fails(
        material_lot,
        Text("Container {container} could be used until {until}.", container=container, until=until),
        Text("Open a fresh container; quality assesses what was already made with this one."),
    )


def _unknown(subject: str) -> Statement:
    return lacks(
        subject,
        Text("Nothing is known of this material lot."),
        Text("Receive the lot, record it, and have it approved before use."),
    )
