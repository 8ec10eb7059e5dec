"""DON-13: what came to light about the donor after the donation was decided, for this lot and those who may receive it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from app.domain.counterexamples import Edit, all_of, part, within, without
from app.domain.dossier import Dossier
from app.domain.facts import LateInformation, SubjectKind
from app.domain.impacts import KIND_NAMES, ImpactKind
from app.domain.lots import NEEDS_RELEASE, STATE_NAMES, LotState
from app.domain.rulebook import (
    NEVER,
    Asked,
    Break,
    Citation,
    Gate,
    Outcome,
    Standing,
    Statement,
    does_not_apply,
    fails,
    lacks,
    rule,
    shows,
)
from app.domain.sources import EU_TISSUE_TESTS, GUIDELINE
from app.domain.text import Text

AS_AUTHORITY = "look_back_hold_lifted"
_UNKNOWN = Outcome.INDETERMINATE
_G3: dict[str, Any] = {"gate": Gate.G3, "kind": SubjectKind.BANK_VIAL}
_KNOWN = LateInformation(
    number="IM-26-0001",
    kind="donor_marker",
    on="L0000000001",
    state_then="quarantine",
    recorded_at=datetime(2026, 11, 2, 9, tzinfo=UTC),
    hold=True,
    lifted_at=datetime(2026, 11, 3, 9, tzinfo=UTC),
    lifted_by="rhea",
    lifted_as=AS_AUTHORITY,
    reasons="a second sample, tested elsewhere, was negative",
    named=("P-DONOR-1",),
    recipients=1,
)


def _late(**changes: Any) -> Edit:
    """Something came to light and was decided, but for these points."""
    return within("late_information", lambda _: (replace(_KNOWN, **changes),))


_OPEN: dict[str, Any] = {"lifted_at": None, "lifted_by": None, "lifted_as": None, "reasons": None}


@rule(
    "DON-13",
    Text("What came to light about the donor later was decided"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("Donors are screened and managed; what is learnt of one later reaches everything that was made."),
            Standing.RECONSTRUCTED,
        ),
        Citation(
            EU_TISSUE_TESTS,
            "donors",
            Text("Where a donor is found unsuitable later, what was made and who received it is found and assessed."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G3, Gate.G6, Gate.G10),
    waiver=NEVER,
    breaks=(
        Break("nobody has decided about it", _late(**_OPEN), outcome=_UNKNOWN),
        Break("decided without a reason", _late(reasons=" "), outcome=_UNKNOWN),
        Break(
            "decided only later",
            _late(lifted_at=datetime(2026, 12, 1, tzinfo=UTC)),
            outcome=_UNKNOWN,
        ),
        Break(
            "the lot had been released, and somebody else than the authority decided",
            _late(state_then="released", lifted_by="quinn", lifted_as="hold_lifted"),
        ),
        Break("a disease learnt later, and nobody has decided", _late(kind="health_found", **_OPEN), outcome=_UNKNOWN),
        Break(
            "one of two is decided",
            within("late_information", lambda _: (_KNOWN, replace(_KNOWN, number="IM-26-0002", **_OPEN))),
            outcome=_UNKNOWN,
        ),
        Break("whether anything came to light is unknown", without("late_information"), outcome=_UNKNOWN),
        Break(
            "a donation found ineligible, about a bank",
            _late(kind="donation_ineligible", **_OPEN),
            **_G3,
            outcome=_UNKNOWN,
        ),
        Break(
            "a consent withdrawn, before the cells are given",
            all_of(_late(kind="consent_withdrawn", **_OPEN), part("lot", state=LotState.RELEASED)),
            gate=Gate.G10,
            outcome=_UNKNOWN,
            also=("BOOK", "ORG-03", "ORG-04"),
        ),
    ),
)
def late_information_decided(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge each thing that came to light by what quality decided about the hold that it placed; name who may be touched."""
    if dossier.late_information is None:
        yield lacks(
            dossier.subject,
            Text("It is not known whether anything came to light about the donor since."),
            Text("Report this to whoever keeps the system."),
        )
    elif not dossier.late_information:
        yield does_not_apply(dossier.subject, Text("nothing came to light about the donor since the donation"))
    for each in dossier.late_information or ():
        yield _judge(each, asked)


def _judge(each: LateInformation, asked: Asked) -> Statement:
    what: dict[str, Any] = {
        "what": KIND_NAMES[ImpactKind(each.kind)],
        "at": each.recorded_at,
        "who": _who(each),
    }
    if not each.hold:
        state = STATE_NAMES.get(LotState(each.state_then)) if each.state_then in set(LotState) else None
        return shows(
            each.number,
            Text("{what}, {at}: nothing was left to hold ({state}). {who}", **what, state=state or each.state_then),
        )
    if each.lifted_at is None or each.lifted_at > asked.at or not (each.reasons or "").strip():
        return lacks(
            each.number,
            Text("{what}, {at}: nobody has decided what it means for {on}. {who}", **what, on=each.on),
            Text("Quality assesses it for each lot and recipient named; the quality authority decides, with reasons."),
        )
    if each.state_then in {state.value for state in NEEDS_RELEASE} and each.lifted_as != AS_AUTHORITY:
        return fails(
            each.number,
            Text("{what}, {at}: the lot was released, and {by} decided. {who}", **what, by=each.lifted_by or ""),
            Text("About what was released the quality authority alone decides; recall the lot."),
        )
    return shows(
        each.number,
        Text(
            "{what}, {at}: decided by {by} at {decided}: {reasons}. {who}",
            **what,
            by=each.lifted_by or "",
            decided=each.lifted_at,
            reasons=each.reasons or "",
        ),
    )


def _who(each: LateInformation) -> Text:
    if not each.recipients:
        return Text("No recipient is named.")
    if each.recipients > len(each.named):
        return Text(
            "Recipients named: {named}, and {more} more.", named=each.named, more=each.recipients - len(each.named)
        )
    return Text("Recipients named: {named}.", named=each.named)
