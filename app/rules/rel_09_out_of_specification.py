"""REL-09: what is out of specification is given only at the treating physician's documented request, where that is allowed.

Nobody releases it so: the quality authority's decision is a record of its own, and the lot stays what it is.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from app.domain import settings
from app.domain.counterexamples import Edit, all_of, part, setting, where, within, without
from app.domain.dossier import Dossier
from app.domain.equipment import day_of
from app.domain.facts import ExceptionalRequest, Line, Waiver
from app.domain.lots import LotState
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
from app.domain.sources import GUIDELINE
from app.domain.testing import Fit, fit, is_set_aside
from app.domain.text import Text

ALLOWED = "rel09.allowed"
SUPPLY = "oos_exceptional_supply"
_CLOSED = ("BOOK", "ORG-03", "ORG-04", "REL-10")
_G10: dict[str, Any] = {"gate": Gate.G10, "also": _CLOSED}
_FAILED = where("results", "test", "viability", value_text=None, value_number=Decimal(58))
_LATER = datetime(2026, 11, 25, 9, tzinfo=UTC)
_REQUEST = ExceptionalRequest(
    id=1,
    requested_by="phil",
    reasons="no other treatment is left for this patient",
    risk_evaluation="fewer living cells; no risk of infection",
    risk_file_sha256="5f" * 32,
    committee="Ethics committee of First Hospital",
    committee_decision="approved",
    committee_decided_on=date(2026, 11, 18),
    committee_reference="EC-26-31",
    recorded_at=datetime(2026, 11, 18, 10, tzinfo=UTC),
    disposition=SUPPLY,  # type: ignore[arg-type]  # the word of the fact
    decided_by="rhea",
    decided_at=datetime(2026, 11, 18, 15, tzinfo=UTC),
)
_UNDECIDED = {"disposition": None, "decided_by": None, "decided_at": None}


def _asked_for(**changes: Any) -> Edit:
    """Out of specification, where it is allowed, and asked for as it should be but for these points."""
    return all_of(
        _FAILED,
        setting(ALLOWED, "yes"),
        within("exceptional_requests", lambda _: (replace(_REQUEST, **changes),)),
    )


@rule(
    "REL-09",
    Text("Out of specification only at a physician's request, and never released"),
    cites=(
        Citation(
            GUIDELINE,
            "§2",
            Text(
                "Nothing is found that allows it here. Elsewhere a treating physician may ask for it, with the risks weighed."
            ),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G10,),
    waiver=NEVER,
    breaks=(
        Break("out of specification, and nothing allows to give it", _FAILED, **_G10),
        Break("failed after its release", part("lot", state=LotState.FAILED_AFTER_RELEASE), **_G10),
        Break(
            "asked for by the rules, where nothing allows to give it",
            all_of(_asked_for(), setting(ALLOWED, "no")),
            **_G10,
        ),
        Break(
            "allowed, and no physician asked for it",
            all_of(_FAILED, setting(ALLOWED, "yes"), within("exceptional_requests", lambda _: ())),
            outcome=Outcome.INDETERMINATE,
            **_G10,
        ),
        Break(
            "asked for, and the quality authority has not decided",
            _asked_for(**_UNDECIDED),
            outcome=Outcome.INDETERMINATE,
            **_G10,
        ),
        Break("the quality authority refused it", _asked_for(disposition="refused"), **_G10),
        Break("the ethics committee refused it", _asked_for(committee_decision="refused"), **_G10),
        Break(
            "the committee decides only later",
            _asked_for(committee_decided_on=date(2026, 11, 25)),
            outcome=Outcome.INDETERMINATE,
            **_G10,
        ),
        Break("whoever asked for it decided it", _asked_for(decided_by="phil"), outcome=Outcome.INDETERMINATE, **_G10),
        Break("the risk was not evaluated", _asked_for(risk_evaluation=" "), outcome=Outcome.INDETERMINATE, **_G10),
        Break("asked for only later", _asked_for(recorded_at=_LATER), outcome=Outcome.INDETERMINATE, **_G10),
        Break("decided only later", _asked_for(decided_at=_LATER), outcome=Outcome.INDETERMINATE, **_G10),
        Break(
            "whether anybody asked is unknown",
            all_of(_FAILED, setting(ALLOWED, "yes"), without("exceptional_requests")),
            outcome=Outcome.INDETERMINATE,
            **_G10,
        ),
        Break("what was measured is unknown", without("results"), outcome=Outcome.INDETERMINATE, **_G10),
        Break(
            "whether it is allowed is not set",
            all_of(_FAILED, setting(ALLOWED, "perhaps")),
            outcome=Outcome.INDETERMINATE,
            **_G10,
        ),
    ),
)
def out_of_specification(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge whether the lot failed, and if so whether it was asked for and decided as this house allows."""
    if dossier.lot is None or dossier.specification is None or dossier.results is None:
        yield lacks(
            dossier.subject,
            Text("Whether the lot is within its specification is not known."),
            Text("Have the lot tested; nothing is given of what was not."),
        )
        return
    lines = tuple(dict.fromkeys(_failed(dossier)))
    waived = _waived_at_release(dossier, lines)
    failed = () if waived else tuple(Text("{test}", test=line.test) for line in lines)
    if waived:
        yield does_not_apply(
            dossier.subject,
            Text("released with a waiver for what is no test of safety: {why}", why=waived.justification),
        )
        return
    if not failed and dossier.lot.state is not LotState.FAILED_AFTER_RELEASE:
        yield does_not_apply(dossier.subject, Text("no result of the lot lies outside its specification"))
        return
    what = failed or (Text("a test after its release"),)
    allowed = settings.word(dossier, ALLOWED)
    if allowed == "no":
        yield fails(
            dossier.subject,
            Text("Out of specification ({tests}), and in this house nothing allows to give such a lot.", tests=what),
            Text("Give nothing of it. The quality authority rejects or recalls the lot."),
        )
    elif allowed != "yes":
        raise settings.SettingUnusable(ALLOWED, "is neither yes nor no")
    else:
        yield _request(dossier, asked, what)


def _waived_at_release(dossier: Dossier, lines: tuple[Line, ...]) -> Waiver | None:
    """The waiver of REL-02 by which the lot was released though these lines fail; none reaches a test of safety."""
    if (
        not lines
        or any(line.safety for line in lines)
        or dossier.lot is None
        or dossier.lot.state is not LotState.RELEASED
    ):
        return None
    return next(
        (each for each in dossier.waivers or () if each.rule == "REL-02" and each.approved_by and each.used), None
    )


def _failed(dossier: Dossier) -> Iterator[Line]:
    for line in dossier.specification.lines if dossier.specification else ():
        for each in dossier.results or ():
            if each.line_id == line.id and not is_set_aside(dossier, each) and fit(line, each) is Fit.OUTSIDE:
                yield line


def _request(dossier: Dossier, asked: Asked, what: tuple[Text, ...]) -> Statement:
    known = [each for each in dossier.exceptional_requests or () if each.recorded_at <= asked.at]
    if not known:
        return lacks(
            dossier.subject,
            Text("Out of specification ({tests}), and no treating physician has asked for it.", tests=what),
            Text("The treating physician states the reasons, the risks and the ethics committee's decision."),
        )
    last = max(known, key=lambda each: (each.recorded_at, each.id))
    subject = f"REQUEST-{last.id}"
    day = day_of(asked.at, utc_offset_hours=settings.number(dossier, "facility.utc_offset_hours"))
    if last.committee_decision == "refused" or last.disposition == "refused":
        return fails(
            subject,
            Text("It was asked for, and refused: {committee}, or the quality authority.", committee=last.committee),
            Text("Give nothing of it. The quality authority rejects or recalls the lot."),
        )
    if last.committee_decided_on > day or not last.reasons.strip() or not last.risk_evaluation.strip():
        return lacks(
            subject,
            Text("The request does not state its reasons, the risks, or a decision of the committee that stands."),
            Text("The treating physician asks anew, with reasons, risks and the ethics committee's decision."),
        )
    if last.decided_at is None or last.decided_at > asked.at or last.decided_by in {None, last.requested_by}:
        return lacks(
            subject,
            Text("The quality authority has not decided about the request."),
            Text("The quality authority decides, and signs, whether the lot is supplied as an exception."),
        )
    return shows(
        subject,
        Text(
            "asked for by {physician}; {committee} {reference}; supplied as an exception by decision of {by} at {at}: no release",
            physician=last.requested_by,
            committee=last.committee,
            reference=last.committee_reference,
            by=last.decided_by or "",
            at=last.decided_at,
        ),
    )
