"""HGR-01: a permit for human genetic resources stood before cells were banked, and while samples left the house.

A bank is asked about when it is used and released, samples that left when the study that rests on them is to start.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from app.domain import settings
from app.domain.counterexamples import Edit, all_of, allogeneic, as_bank, empty, every, setting, without
from app.domain.donors import PERMIT_PURPOSES, permitted
from app.domain.dossier import Dossier
from app.domain.facts import LegacyAbout, Permit, Reinspection, SubjectKind
from app.domain.lots import LotKind
from app.domain.processing import processing_began_at, too_late
from app.domain.reinspection import cells, standing_reports
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
from app.domain.sources import HUMAN_GENETIC_RESOURCES
from app.domain.studies import no_study
from app.domain.text import Text

_G8: dict[str, Any] = {"gate": Gate.G8, "kind": SubjectKind.STUDY, "also": ("BOOK",)}
_UNKNOWN = Outcome.INDETERMINATE
_ON_THE_WAY = datetime(2026, 5, 4, 10, tzinfo=UTC)


def _banked(edit: Edit) -> Edit:
    return all_of(allogeneic, edit)


@rule(
    "HGR-01",
    Text("A permit for human genetic resources stood before cells were banked, and while samples left"),
    cites=(
        Citation(
            HUMAN_GENETIC_RESOURCES,
            "collection and preservation",
            Text(
                "Keeping human genetic resources, and giving them to others, may need an authority's permit beforehand."
            ),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G3, Gate.G6, Gate.G8),
    waiver=NEVER,
    legacy=(LegacyAbout.LOT,),
    breaks=(
        Break("no permit is on record", _banked(empty("permits")), outcome=Outcome.INDETERMINATE),
        Break("whether there is a permit is unknown", _banked(without("permits")), outcome=Outcome.INDETERMINATE),
        Break(
            "the permit is for samples that leave, not for banking",
            _banked(every("permits", purposes=("third_party",))),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the permit ran out before",
            _banked(every("permits", valid_to=date(2026, 9, 30))),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the authority had taken it back",
            _banked(every("permits", withdrawn_at=datetime(2026, 8, 1, tzinfo=UTC))),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "it was recorded only afterwards, dated back",
            _banked(every("permits", recorded_at=datetime(2026, 10, 20, tzinfo=UTC))),
        ),
        Break(
            "a bank of a patient's cells without a permit",
            as_bank(empty("permits")),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "for what a permit is needed is not set",
            _banked(setting("hgr01.required_for", [])),
            outcome=Outcome.INDETERMINATE,
        ),
        Break("samples left, and no permit is on record", empty("permits"), **_G8, outcome=_UNKNOWN),
        Break("samples left, and whether there is a permit is unknown", without("permits"), **_G8, outcome=_UNKNOWN),
        Break(
            "samples left, and the permit is for banking alone",
            every("permits", purposes=("banking",)),
            **_G8,
            outcome=_UNKNOWN,
        ),
        Break(
            "the permit began after the samples had left",
            every("permits", valid_from=date(2026, 5, 5)),
            **_G8,
            outcome=_UNKNOWN,
        ),
        Break(
            "the permit ran out before the samples left",
            every("permits", valid_to=date(2026, 5, 3)),
            **_G8,
            outcome=_UNKNOWN,
        ),
        Break(
            "the authority took the permit back while the samples were on their way",
            every("permits", withdrawn_at=_ON_THE_WAY),
            **_G8,
            outcome=_UNKNOWN,
        ),
        Break(
            "the permit was recorded only after the samples had left",
            every("permits", recorded_at=_ON_THE_WAY),
            **_G8,
        ),
        Break(
            "samples left, and for what a permit is needed is not set",
            setting("hgr01.required_for", []),
            **_G8,
            outcome=_UNKNOWN,
        ),
    ),
)
def permit_before_banking_or_sending(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge a bank, and what was made of one, by the permits of when its processing began; samples by those of their way."""
    if asked.gate is Gate.G8:
        yield from _sent(dossier, asked)
    else:
        yield from _kept(dossier, asked)


def _sent(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Of each report that the study rests on: a permit stood from when the sample was taken until it was received."""
    if dossier.study is None:
        yield no_study(dossier)
        return
    if "third_party" not in settings.words(dossier, "hgr01.required_for"):
        yield does_not_apply(dossier.subject, Text("by the setting in force no permit is asked for samples that leave"))
        return
    filling = {each.report.id: each.report for each in cells(dossier, asked) if each.report is not None}
    sent = tuple(filling.values()) or standing_reports(dossier.study, asked)
    if not sent:
        yield does_not_apply(dossier.study.number, Text("no sample is known to have left to a laboratory outside"))
    for each in sent:
        yield _left(dossier, asked, each)


def _left(dossier: Dossier, asked: Asked, report: Reinspection) -> Statement:
    offset = int(settings.number(dossier, "facility.utc_offset_hours"))

    def standing(at: datetime, recorded_by: datetime) -> list[Permit]:
        return permitted(dossier.permits or (), "third_party", at, utc_offset_hours=offset, recorded_by=recorded_by)

    def all_the_way(recorded_by: datetime) -> list[Permit]:
        arrived = standing(report.received_at, recorded_by)
        return [each for each in standing(report.taken_at, recorded_by) if each in arrived]

    if stood := all_the_way(report.taken_at):
        return shows(
            report.lot,
            Text(
                "sample of report {report}, taken {taken}: permit {number} of {authority}, {evidence}",
                report=report.report_number,
                taken=report.taken_at,
                number=stood[0].number,
                authority=stood[0].authority,
                evidence=stood[0].evidence,
            ),
        )
    if known_now := all_the_way(asked.at):
        return fails(
            report.lot,
            Text(
                "The permit {number} was recorded at {recorded}, after the sample of report {report} was taken at {taken}.",
                number=known_now[0].number,
                recorded=known_now[0].recorded_at,
                report=report.report_number,
                taken=report.taken_at,
            ),
            _SEND_ANEW,
        )
    return lacks(
        report.lot,
        Text(
            "No permit for {purpose} stood while the sample of report {report} was on its way, {taken} to {received}.",
            purpose=PERMIT_PURPOSES["third_party"],
            report=report.report_number,
            taken=report.taken_at,
            received=report.received_at,
        ),
        _SEND_ANEW,
    )


_SEND_ANEW = Text("Ask the authority for the permit and record it; then send a sample again, and record its report.")


def _kept(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    needed = settings.words(dossier, "hgr01.required_for")
    if dossier.lot is None or (dossier.lot.kind is not LotKind.BANK and dossier.banks is None):
        yield lacks(
            dossier.subject,
            Text("It is not known whether the cells were banked."),
            Text("Report this to whoever keeps the system."),
        )
        return
    if dossier.lot.kind is not LotKind.BANK and not dossier.banks:
        yield does_not_apply(dossier.subject, Text("the cells were not banked"))
        return
    if "banking" not in needed:
        yield does_not_apply(dossier.subject, Text("by the setting in force no permit is asked for banking"))
        return
    began = processing_began_at(dossier) or asked.at
    offset = int(settings.number(dossier, "facility.utc_offset_hours"))
    stood = permitted(dossier.permits or (), "banking", began, utc_offset_hours=offset)
    known_now = permitted(dossier.permits or (), "banking", began, utc_offset_hours=offset, recorded_by=asked.at)
    if stood:
        yield shows(
            dossier.subject,
            Text(
                "permit {number} of {authority}, {evidence}",
                number=stood[0].number,
                authority=stood[0].authority,
                evidence=stood[0].evidence,
            ),
        )
    elif known_now:
        yield too_late(
            dossier,
            "HGR-01",
            subject=dossier.subject,
            problem=Text(
                "The permit {number} was recorded at {recorded}, after processing began at {began}.",
                number=known_now[0].number,
                recorded=known_now[0].recorded_at,
                began=began,
            ),
        )
    else:
        yield lacks(
            dossier.subject,
            Text("No permit for {purpose} stood at {began}.", purpose=PERMIT_PURPOSES["banking"], began=began),
            Text("Ask the authority for the permit, and record it before cells are banked."),
        )
