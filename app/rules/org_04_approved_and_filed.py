"""ORG-04: both committees approved the protocol, then it was filed, in time; nobody is treated before or by another."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from app.domain import settings
from app.domain.counterexamples import setting, study_part, study_records
from app.domain.dossier import Dossier
from app.domain.facts import CommitteeDecision, Filing, StudyVersion, SubjectKind
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
)
from app.domain.sources import ORDER_818
from app.domain.studies import (
    COMMITTEE_NAMES,
    decision_of,
    filing_of,
    no_study,
    protocol_to_file,
    today,
    working_days,
)
from app.domain.text import Text

_G8: dict[str, Any] = {"gate": Gate.G8, "kind": SubjectKind.STUDY, "also": ("BOOK",)}
_ETHICS = ("committee", "ethics")
_THEN = datetime(2026, 6, 11, 9, tzinfo=UTC)
_LATER = datetime(2026, 11, 21, tzinfo=UTC)
_FIRST = StudyVersion(1, "P-1.0", substantial=True, recorded_at=_THEN)
_CHANGED = StudyVersion(2, "P-2.0", substantial=True, recorded_at=_THEN)
_REVIEW = Text("The committee reviews the protocol as it stands; nobody is treated before.")
_FILE = Text("File the protocol as it was approved; nobody is treated before it is filed.")


@rule(
    "ORG-04",
    Text("The study is approved by both committees and filed"),
    cites=(
        Citation(
            ORDER_818,
            "filing",
            Text(
                "Both committees approve, then the study is filed with the health commission within five working days."
            ),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G8, Gate.G10),
    waiver=NEVER,
    breaks=(
        Break("no committee decided", study_part(decisions=()), **_G8, outcome=Outcome.INDETERMINATE),
        Break("the ethics committee refused", study_records("decisions", only=_ETHICS, decision="refused"), **_G8),
        Break(
            "the ethics committee withdrew its approval",
            study_records("decisions", only=_ETHICS, decision="withdrawn"),
            **_G8,
        ),
        Break(
            "the ethics committee's approval ran out",
            study_records("decisions", only=_ETHICS, valid_to=date(2026, 11, 19)),
            **_G8,
        ),
        Break(
            "approved after it was filed",
            study_records("decisions", only=_ETHICS, decided_on=date(2026, 6, 11)),
            **_G8,
        ),
        Break(
            "another protocol was approved",
            study_records("decisions", protocol_version="P-0.9"),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break("never filed", study_part(filings=()), **_G8, outcome=Outcome.INDETERMINATE),
        Break("filed on a later day", study_records("filings", filed_on=date(2026, 11, 21)), **_G8),
        Break("filed on the sixth working day", study_records("filings", filed_on=date(2026, 6, 12)), **_G8),
        Break("a shorter time is set", setting("org04.working_days", 3), **_G8),
        Break(
            "another protocol was filed",
            study_records("filings", protocol_version="P-0.9"),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the protocol was changed in substance since",
            study_part(version=2, protocol_version="P-2.0", versions=(_FIRST, _CHANGED)),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the filing was recorded after the moment judged",
            study_records("filings", recorded_at=_LATER),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "an approval was recorded after the moment judged",
            study_records("decisions", only=_ETHICS, recorded_at=_LATER),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
    ),
)
def approved_and_filed(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Ask for both approvals of the protocol that counts, and for its filing after them and in time.

    A change without substance keeps the protocol that was filed; one of substance is approved and filed anew.
    """
    study = dossier.study
    if study is None:
        yield no_study(dossier)
        return
    day, protocol = today(dossier, asked), protocol_to_file(study)
    approvals = []
    for committee, name in COMMITTEE_NAMES.items():
        decision = decision_of(study, committee, protocol, at=asked.at)
        if decision is None:
            yield lacks(
                study.number,
                Text("The {committee} has not decided about protocol {protocol}.", committee=name, protocol=protocol),
                _REVIEW,
            )
        elif decision.decision != "approved":
            yield fails(
                study.number,
                Text("The {committee} does not approve protocol {protocol}.", committee=name, protocol=protocol),
                _REVIEW,
            )
        elif decision.valid_to is not None and decision.valid_to < day:
            yield fails(
                study.number,
                Text("The approval of the {committee} ran out on {day}.", committee=name, day=decision.valid_to),
                _REVIEW,
            )
        else:
            approvals.append(decision)
            yield shows(
                study.number,
                Text(
                    "{committee}: protocol {protocol} approved on {day}, {reference}",
                    committee=name,
                    protocol=protocol,
                    day=decision.decided_on,
                    reference=decision.reference,
                ),
            )
    filing = filing_of(study, protocol, at=asked.at)
    if filing is None:
        yield lacks(study.number, Text("Protocol {protocol} is not filed.", protocol=protocol), _FILE)
    elif filing.filed_on > day:
        yield fails(
            study.number,
            Text("Protocol {protocol} is filed on {day} only.", protocol=protocol, day=filing.filed_on),
            _FILE,
        )
    elif len(approvals) == len(COMMITTEE_NAMES):
        yield from _in_time(dossier, filing, max(approvals, key=lambda each: each.decided_on))


def _in_time(dossier: Dossier, filing: Filing, approval: CommitteeDecision) -> Iterator[Statement]:
    most = int(settings.number(dossier, "org04.working_days"))
    passed = working_days(approval.decided_on, filing.filed_on, days_off=settings.words(dossier, "org04.days_off"))
    if filing.filed_on < approval.decided_on:
        yield fails(
            filing.filing_number,
            Text(
                "It was filed on {filed}, before both committees had approved it on {approved}.",
                filed=filing.filed_on,
                approved=approval.decided_on,
            ),
            Text("What was filed unapproved is no filing: ask the authority, and file what both committees approved."),
        )
    elif passed > most:
        yield fails(
            filing.filing_number,
            Text("It was filed {count} working days after the approval; {most} are allowed.", count=passed, most=most),
            Text("The institution asks the authority how to go on. The committees may review the protocol anew."),
        )
    else:
        yield shows(
            filing.filing_number,
            Text(
                "protocol {protocol} filed on {day} as {number}",
                protocol=filing.protocol_version,
                day=filing.filed_on,
                number=filing.filing_number,
            ),
        )
