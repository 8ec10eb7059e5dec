"""EXT-02: a written agreement with every partner says who does what, for the very process version of the study."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from app.domain import settings
from app.domain.counterexamples import Edit, made_by_partner, of_making_partner, setting, study_records, within
from app.domain.dossier import Dossier
from app.domain.facts import Partner, QualityAgreement, Study, SubjectKind
from app.domain.making import making_days, of_makers, partner_of
from app.domain.partners import DUTY_NAMES, agreed
from app.domain.processing import too_late
from app.domain.rulebook import (
    NEVER,
    RELEASES,
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
from app.domain.sources import GUIDELINE, ORDER_818
from app.domain.studies import no_study, today
from app.domain.text import Text

_G7: dict[str, Any] = {"gate": Gate.G7, "kind": SubjectKind.STUDY, "also": ("BOOK",)}
_G8: dict[str, Any] = {"gate": Gate.G8, "kind": SubjectKind.STUDY, "also": ("BOOK",)}
_SIGN = Text("Sign a quality agreement that gives every duty to somebody, for this process version; record it.")


def _agreed(**changes: object) -> Edit:
    """Every agreement with the study's partners is another."""

    def edit(study: Study) -> Study:
        partners = tuple(
            replace(each, agreements=tuple(replace(one, **changes) for one in each.agreements))  # type: ignore[arg-type]
            for each in study.partners
        )
        return replace(study, partners=partners)

    return within("study", edit)


def _nobody_releases(study: Study) -> Study:
    (partner,) = study.partners
    (agreement,) = partner.agreements
    duties = {duty: bearer for duty, bearer in agreement.duties.items() if duty != "release"}
    return replace(study, partners=(replace(partner, agreements=(replace(agreement, duties=duties),)),))


_MAKER_RELEASES = {
    "preparation": "partner",
    "testing": "partner",
    "release": "partner",
    "transport": "both",
    "records": "both",
    "data_access": "both",
}


def _unagreed(found: tuple[Partner, ...]) -> tuple[Partner, ...]:
    return tuple(replace(each, agreements=()) for each in found)


@rule(
    "EXT-02",
    Text("A quality agreement with every partner splits the duties"),
    cites=(
        Citation(
            ORDER_818,
            "institutions",
            Text("Where another body gives technical support, both sign a written agreement."),
            Standing.RECONSTRUCTED,
        ),
        Citation(
            GUIDELINE,
            "§3",
            Text("Co-operation with others is managed by quality; who does what and who releases is agreed."),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G4, Gate.G6, Gate.G7, Gate.G8),
    waiver=NEVER,
    late_by_nature=("makers",),
    breaks=(
        Break("no quality agreement", study_records("partners", agreements=()), **_G7, outcome=Outcome.INDETERMINATE),
        Break(
            "an agreement about an earlier process version",
            _agreed(process="BM-MSC 3"),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break("the quality agreement ran out", _agreed(valid_to=date(2026, 11, 19)), **_G8),
        Break("it does not say who releases", within("study", _nobody_releases), **_G8),
        Break("a further duty is asked for", setting("ext02.duties", ["release", "recall"]), **_G8),
        Break(
            "the quality agreement is signed on a later day",
            _agreed(signed_on=date(2026, 11, 21)),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the quality agreement was recorded after the moment judged",
            _agreed(recorded_at=datetime(2026, 11, 21, tzinfo=UTC)),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "with whoever made the lot nothing was agreed",
            made_by_partner(within("partners", _unagreed)),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "what was agreed with the maker is about another process version",
            of_making_partner("agreements", process="BM-MSC 3"),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "agreed with the maker only after its work",
            of_making_partner("agreements", recorded_at=datetime(2026, 11, 2, tzinfo=UTC)),
        ),
        Break(
            "the agreement with the maker ran out before its last step",
            of_making_partner("agreements", valid_to=date(2026, 10, 20)),
        ),
        Break(
            "by the agreement with the maker nobody here releases",
            of_making_partner("agreements", duties=_MAKER_RELEASES),
        ),
        Break(
            "nothing was agreed with a partner whose cells are about to be worked on",
            made_by_partner(within("partners", _unagreed)),
            gate=Gate.G4,
            kind=SubjectKind.STEP,
            outcome=Outcome.INDETERMINATE,
        ),
    ),
)
def quality_agreement(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge the last agreement about the process version: with each partner of a study, or with who made the lot."""
    if asked.gate is Gate.G4 or asked.gate in RELEASES:
        yield from _maker(dossier, asked)
        return
    study, process = dossier.study, dossier.process
    if study is None or process is None:
        yield no_study(dossier)
        return
    if not study.partners:
        yield does_not_apply(study.number, Text("nobody else is named as taking part in the study"))
    day, made = today(dossier, asked), f"{process.name} {process.version}"
    wanted = settings.words(dossier, "ext02.duties")
    for partner in study.partners:
        found = agreed(partner, made, at=asked.at, day=day)
        if found is None:
            yield lacks(
                partner.name,
                Text("{name}: no quality agreement about {process} is on record.", name=partner.name, process=made),
                _SIGN,
            )
            continue
        yield from _judge(partner, found, wanted, day)


def _maker(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """What had been agreed when the partner began, and stood until its last step. The release stays with this house."""
    yield from of_makers(dossier)
    began, first, last = making_days(dossier, asked)
    process = dossier.process
    made = f"{process.name} {process.version}" if process else ""
    wanted = settings.words(dossier, "ext02.duties")
    for maker in dossier.makers or ():
        partner = partner_of(dossier, maker)
        found = None if partner is None else agreed(partner, made, at=began, day=first)
        if partner is None or (found is None and agreed(partner, made, at=asked.at, day=today(dossier, asked)) is None):
            yield lacks(
                maker.partner,
                Text("{name}: no quality agreement about {process} is on record.", name=maker.partner, process=made),
                _SIGN,
            )
        elif found is None:
            yield too_late(
                dossier,
                "EXT-02",
                subject=maker.partner,
                problem=Text(
                    "{name}: agreed about {process} only after it began at {began}.",
                    name=maker.partner,
                    process=made,
                    began=began,
                ),
            )
        elif found.duties.get("release") not in {"house", "both"}:
            yield fails(
                maker.partner,
                Text("{name}: by the agreement this house does not release.", name=maker.partner),
                Text("Agree that this house's quality authority releases; what was made before is not released."),
            )
        else:
            yield from _judge(partner, found, wanted, last)


def _judge(partner: Partner, found: QualityAgreement, wanted: tuple[str, ...], day: date) -> Iterator[Statement]:
    open_duties = tuple(
        DUTY_NAMES.get(each, Text("{duty}", duty=each))
        for each in wanted
        if found.duties.get(each, "nobody") == "nobody"
    )
    if found.valid_to is not None and found.valid_to < day:
        yield fails(
            partner.name,
            Text("{name}: the quality agreement ran out on {day}.", name=partner.name, day=found.valid_to),
            _SIGN,
        )
    elif open_duties:
        yield fails(
            partner.name,
            Text("{name}: by the agreement nobody has: {duties}.", name=partner.name, duties=open_duties),
            _SIGN,
        )
    else:
        yield shows(
            partner.name,
            Text("{name}: quality agreement {reference}", name=partner.name, reference=found.reference),
        )
