"""EXT-01: a partner was assessed in qualification, facilities and quality system, and nothing critical stands open."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from app.domain import settings
from app.domain.counterexamples import Edit, made_by_partner, of_making_partner, setting, study_records, within, without
from app.domain.dossier import Dossier
from app.domain.facts import Partner, PartnerAssessment, PartnerFinding, Severity, Study, SubjectKind
from app.domain.making import making_days, of_makers, partner_of
from app.domain.partners import SECTION_NAMES, decided, months_later
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
from app.domain.sources import GUIDELINE
from app.domain.studies import no_study, today
from app.domain.text import Text

_G7: dict[str, Any] = {"gate": Gate.G7, "kind": SubjectKind.STUDY, "also": ("BOOK",)}
_G8: dict[str, Any] = {"gate": Gate.G8, "kind": SubjectKind.STUDY, "also": ("BOOK",)}
_LATER = datetime(2026, 11, 21, tzinfo=UTC)
_STEP: dict[str, Any] = {"gate": Gate.G4, "kind": SubjectKind.STEP}
_AFTER = datetime(2026, 11, 2, 9, tzinfo=UTC)
_ANEW = Text("Assess the partner anew, in all three parts; nothing of the partner's is used before.")


def _assessed(**changes: object) -> Edit:
    """Every assessment of the study's partners is another."""

    def edit(study: Study) -> Study:
        partners = tuple(
            replace(each, assessments=tuple(replace(one, **changes) for one in each.assessments))  # type: ignore[arg-type]
            for each in study.partners
        )
        return replace(study, partners=partners)

    return within("study", edit)


def _found(severity: Severity, *, capa_due_on: date | None = None) -> Edit:
    return _assessed(findings=(PartnerFinding(severity, "rooms open to each other", capa_due_on, None),))


def _unaccepted(study: Study) -> Study:
    (partner,) = study.partners
    (assessment,) = partner.assessments
    sections = tuple(replace(each, accepted=each.section != "facilities") for each in assessment.sections)
    return replace(study, partners=(replace(partner, assessments=(replace(assessment, sections=sections),)),))


def _two_parts(study: Study) -> Study:
    (partner,) = study.partners
    (assessment,) = partner.assessments
    return replace(
        study,
        partners=(replace(partner, assessments=(replace(assessment, sections=assessment.sections[:2]),)),),
    )


def _poor_facilities(found: tuple[Partner, ...]) -> tuple[Partner, ...]:
    (partner,) = found
    (assessment,) = partner.assessments
    poor = tuple(replace(each, accepted=each.section != "facilities") for each in assessment.sections)
    return (replace(partner, assessments=(replace(assessment, sections=poor),)),)


def _assessed_since(found: tuple[Partner, ...]) -> tuple[Partner, ...]:
    (partner,) = found
    (assessment,) = partner.assessments
    finding = PartnerFinding(Severity.CRITICAL, "cells of two donors met", date(2027, 1, 31), None)
    since = replace(assessment, id=2, assessed_on=date(2026, 11, 1), signed_at=_AFTER, findings=(finding,))
    return (replace(partner, assessments=(assessment, since)),)


@rule(
    "EXT-01",
    Text("Every partner is assessed in qualification, facilities and quality system"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("Where others take part, their qualification, facilities and quality system are fully assessed."),
            Standing.STATED,
        ),
    ),
    gates=(Gate.G4, Gate.G6, Gate.G7, Gate.G8),
    waiver=NEVER,
    late_by_nature=("makers",),
    breaks=(
        Break(
            "a partner never assessed", study_records("partners", assessments=()), **_G7, outcome=Outcome.INDETERMINATE
        ),
        Break("the partner's facilities are not accepted", within("study", _unaccepted), **_G7),
        Break(
            "the quality system was not looked at", within("study", _two_parts), **_G7, outcome=Outcome.INDETERMINATE
        ),
        Break("a critical finding stands open", _found(Severity.CRITICAL, capa_due_on=date(2027, 1, 31)), **_G8),
        Break("a major finding without a day for its correction", _found(Severity.MAJOR), **_G8),
        Break(
            "the correction of a major finding is overdue",
            _found(Severity.MAJOR, capa_due_on=date(2026, 11, 19)),
            **_G8,
        ),
        Break("the partner's assessment is too old", _assessed(assessed_on=date(2024, 4, 15)), **_G8),
        Break("assessments count for a shorter time", setting("ext01.months", 6), **_G8),
        Break(
            "whoever assessed the partner signed it",
            _assessed(signed_by="quinn"),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the partner's assessment was signed after the moment judged",
            _assessed(signed_at=_LATER),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "whoever made the lot was never assessed",
            made_by_partner(within("partners", lambda found: tuple(replace(each, assessments=()) for each in found))),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "whoever made the lot is not known as a partner",
            made_by_partner(without("partners")),
            outcome=Outcome.INDETERMINATE,
            also=("EXT-02",),
        ),
        Break("the maker was assessed only after its work", of_making_partner("assessments", signed_at=_AFTER)),
        Break(
            "the maker's assessment had run out by its last step",
            of_making_partner("assessments", assessed_on=date(2024, 10, 15)),
        ),
        Break("the maker's facilities are not accepted", made_by_partner(within("partners", _poor_facilities))),
        Break(
            "a critical finding against the maker came to light since",
            made_by_partner(within("partners", _assessed_since)),
        ),
        Break(
            "a partner that was never assessed makes the next step's cells",
            made_by_partner(within("partners", lambda found: tuple(replace(each, assessments=()) for each in found))),
            **_STEP,
            outcome=Outcome.INDETERMINATE,
        ),
    ),
)
def partner_assessed(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge the assessment of each partner that was signed last: of a study's partners, or of who made the lot."""
    if asked.gate is Gate.G4 or asked.gate in RELEASES:
        yield from _maker(dossier, asked)
        return
    study = dossier.study
    if study is None:
        yield no_study(dossier)
        return
    if not study.partners:
        yield does_not_apply(study.number, Text("nobody else is named as taking part in the study"))
    day = today(dossier, asked)
    for partner in study.partners:
        found = decided(partner, asked.at)
        if found is None:
            yield lacks(
                partner.name,
                Text("{name}: no assessment was signed by the quality authority.", name=partner.name),
                _ANEW,
            )
        else:
            yield from _judge(partner, found, day, until=months_later(found.assessed_on, _months(dossier)))


def _maker(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """The assessment that stood when the partner began, until its last step; and what was found since."""
    yield from of_makers(dossier)
    began, first, last = making_days(dossier, asked)
    for maker in dossier.makers or ():
        partner = partner_of(dossier, maker)
        then = None if partner is None else decided(partner, began)
        if partner is None or (then is None and decided(partner, asked.at) is None):
            yield lacks(
                maker.partner,
                Text("{name}: no assessment was signed by the quality authority.", name=maker.partner),
                _ANEW,
            )
            continue
        if then is None:
            yield too_late(
                dossier,
                "EXT-01",
                subject=maker.partner,
                problem=Text("{name}: assessed only after it began at {began}.", name=maker.partner, began=began),
            )
            continue
        yield from _judge(partner, then, last, until=months_later(then.assessed_on, _months(dossier)))
        since = decided(partner, asked.at)
        if since is not None and since != then:
            yield from _judge(partner, since, max(first, since.assessed_on), until=date.max)


def _months(dossier: Dossier) -> int:
    return int(settings.number(dossier, "ext01.months"))


def _judge(partner: Partner, found: PartnerAssessment, day: date, *, until: date) -> Iterator[Statement]:
    if day > until:
        yield fails(
            partner.name, Text("{name}: the assessment counted until {day}.", name=partner.name, day=until), _ANEW
        )
    for section, name in SECTION_NAMES.items():
        looked = [each for each in found.sections if each.section == section]
        if not looked:
            yield lacks(partner.name, Text("{name}: not assessed: {section}.", name=partner.name, section=name), _ANEW)
        elif not all(each.accepted for each in looked):
            yield fails(partner.name, Text("{name}: not accepted: {section}.", name=partner.name, section=name), _ANEW)
        else:
            yield shows(
                partner.name,
                Text(
                    "{section}: {score} of 100, by {evidence}",
                    section=name,
                    score=min(each.score for each in looked),
                    evidence=found.evidence,
                ),
            )
    for finding in found.findings:
        if finding.closed_on is not None and finding.closed_on <= day:
            continue
        if finding.severity is Severity.CRITICAL:
            yield fails(
                partner.name,
                Text("{name}: a critical finding stands open: {what}", name=partner.name, what=finding.what),
                Text("The partner corrects it and is assessed anew; nothing of the partner's is used before."),
            )
        elif finding.severity is Severity.MAJOR and (finding.capa_due_on is None or finding.capa_due_on < day):
            yield fails(
                partner.name,
                Text(
                    "{name}: a major finding stands open and its correction is overdue, or no day is set: {what}",
                    name=partner.name,
                    what=finding.what,
                ),
                Text("The partner corrects it by a day that is agreed, and the assessment is made anew and signed."),
            )
