"""ORG-02: the sponsor is a legal person in China and, where it is another than the institution, has agreed in writing."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from app.domain.counterexamples import study_part, study_records, within
from app.domain.dossier import Dossier
from app.domain.facts import Study, SubjectKind
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
from app.domain.studies import CHINA, known_at, no_study, today
from app.domain.text import Text

_G7: dict[str, Any] = {"gate": Gate.G7, "kind": SubjectKind.STUDY, "also": ("BOOK",)}
_AGREE = Text("Sponsor and institution sign an agreement by which they set the protocol together; record it.")


def _abroad(study: Study) -> Study:
    return replace(study, sponsor=replace(study.sponsor, country="SG"))


def _unregistered(study: Study) -> Study:
    return replace(study, sponsor=replace(study.sponsor, registration=None))


def _of_nobody(study: Study) -> Study:
    institution = replace(study.institution, registration=None)
    return replace(study, institution=institution, sponsor=institution, agreements=())


@rule(
    "ORG-02",
    Text("The sponsor is a legal person in China and has agreed with the institution"),
    cites=(
        Citation(
            ORDER_818,
            "institutions",
            Text(
                "A sponsor is a legal person in China; another than the institution sets the protocol with it in writing."
            ),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G7,),
    waiver=NEVER,
    breaks=(
        Break("a sponsor abroad", within("study", _abroad), **_G7),
        Break("no registration of the sponsor", within("study", _unregistered), **_G7, outcome=Outcome.INDETERMINATE),
        Break(
            "the institution is the sponsor and its registration is not on record",
            within("study", _of_nobody),
            **_G7,
            outcome=Outcome.INDETERMINATE,
        ),
        Break("no agreement", study_part(agreements=()), **_G7, outcome=Outcome.INDETERMINATE),
        Break(
            "an agreement with somebody else",
            study_records("agreements", sponsor="Elsewhere Ltd"),
            **_G7,
            outcome=Outcome.INDETERMINATE,
        ),
        Break("the sponsor alone set the protocol", study_records("agreements", protocol_jointly_set=False), **_G7),
        Break("the agreement ran out", study_records("agreements", valid_to=date(2026, 11, 19)), **_G7),
        Break(
            "the agreement is signed on a later day",
            study_records("agreements", signed_on=date(2026, 11, 21)),
            **_G7,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the agreement was recorded after the moment judged",
            study_records("agreements", recorded_at=datetime(2026, 11, 21, tzinfo=UTC)),
            **_G7,
            outcome=Outcome.INDETERMINATE,
        ),
    ),
)
def sponsor_and_agreement(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Ask who the sponsor is, and for the agreement that stands on the day."""
    study = dossier.study
    if study is None:
        yield no_study(dossier)
        return
    sponsor, day = study.sponsor, today(dossier, asked)
    if sponsor.country != CHINA:
        yield fails(
            sponsor.name,
            Text("The sponsor {name} is not in China ({country}).", name=sponsor.name, country=sponsor.country),
            Text("Only a legal person in China initiates a study: find one."),
        )
    elif not sponsor.registration:
        yield lacks(
            sponsor.name,
            Text("The sponsor {name}: its registration as a legal person is not on record.", name=sponsor.name),
            Text("Register the sponsor with its registration number, then name it in a new version of the study."),
        )
    else:
        yield shows(sponsor.name, Text("a legal person in China, registered as {number}", number=sponsor.registration))
    if sponsor.name == study.institution.name:
        yield shows(study.number, Text("the institution is the sponsor; no agreement is needed"))
        return
    signed = [
        each for each in known_at(study.agreements, asked.at) if each.sponsor == sponsor.name and each.signed_on <= day
    ]
    last = max(signed, key=lambda each: (each.signed_on, each.id), default=None)
    if last is None:
        yield lacks(study.number, Text("No agreement with the sponsor {name} is on record.", name=sponsor.name), _AGREE)
    elif last.valid_to is not None and last.valid_to < day:
        yield fails(
            study.number,
            Text("The agreement {reference} ran out on {day}.", reference=last.reference, day=last.valid_to),
            _AGREE,
        )
    elif not last.protocol_jointly_set:
        yield fails(
            study.number,
            Text("By the agreement {reference} the protocol is not set jointly.", reference=last.reference),
            _AGREE,
        )
    else:
        yield shows(study.number, Text("agreement {reference} of {day}", reference=last.reference, day=last.signed_on))
