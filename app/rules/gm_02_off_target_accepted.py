"""GM-02: where genomes are edited, off-target edits were looked for and the report was accepted by signature."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from app.domain import settings
from app.domain.assessments import is_about_work, named, stood
from app.domain.counterexamples import Edit, all_of, every, gene_edited, part, setting, within, without
from app.domain.dossier import Dossier
from app.domain.facts import OffTargetReport, SubjectKind
from app.domain.genes import ABERRATION_NAMES, OFF_TARGET_ASSAY_NAMES, is_edited, not_gene_modified
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
from app.domain.studies import known_at
from app.domain.text import Text

RULE = "GM-02"
_LATER = datetime(2026, 11, 21, tzinfo=UTC)
_OPEN = ("BOOK",)
_ANEW = Text("Examine it anew, record the report, and have the quality authority accept it before the study goes on.")


def _broken(name: str, edit: Edit, outcome: Outcome = Outcome.FAIL, gate: Gate = Gate.G8) -> Break:
    also = (*_OPEN, "CB-01", "CB-01A") if gate is Gate.G7 else _OPEN
    return Break(name, all_of(gene_edited, edit), gate=gate, kind=SubjectKind.STUDY, outcome=outcome, also=also)


def _report(**changes: Any) -> Edit:
    return every("off_target_reports", **changes)


def _accepted(**changes: Any) -> Edit:
    """The assessment that accepts the report is another."""
    return within(
        "assessments",
        lambda found: tuple(replace(each, **changes) if each.rule == RULE else each for each in found),
    )


@rule(
    RULE,
    Text("Off-target edits were looked for, and the report is accepted"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("The off-target risk of gene editing is assessed and controlled."),
            Standing.STATED,
        ),
        Citation(
            GUIDELINE,
            "§3",
            Text("A prediction alone does not suffice: an assay looks for edits, and for chromosomal aberrations."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G7, Gate.G8),
    waiver=NEVER,
    breaks=(
        _broken("nothing was reported", within("off_target_reports", lambda _: ()), Outcome.INDETERMINATE, Gate.G7),
        _broken("the reports are unknown", without("off_target_reports"), Outcome.INDETERMINATE),
        _broken("the report was recorded after the moment judged", _report(recorded_at=_LATER), Outcome.INDETERMINATE),
        _broken("nothing was predicted", _report(prediction=" "), Outcome.INDETERMINATE),
        _broken("predicted, and no assay made", _report(assay="none"), Outcome.INDETERMINATE),
        _broken("an assay that does not count", setting("gm02.assays", ["whole_genome"]), Outcome.INDETERMINATE),
        _broken("no site was examined", _report(sites_examined=0), Outcome.INDETERMINATE),
        _broken("a site is edited beside the target", _report(sites_above=1, highest_percent=Decimal("0.7"))),
        _broken("the threshold is too high to find anything", _report(threshold_percent=Decimal(20))),
        _broken("chromosomes are broken", _report(aberrations="found")),
        _broken("nobody looked at chromosomes", _report(aberrations="not_examined"), Outcome.INDETERMINATE),
        _broken("nobody accepted the report", _accepted(approved_by=None, approved_at=None), Outcome.INDETERMINATE),
        _broken("whoever proposed to accept it signed", _accepted(approved_by="quinn"), Outcome.INDETERMINATE),
        _broken("accepted for another version of the process", _accepted(scope="BM-MSC 3"), Outcome.INDETERMINATE),
        _broken(
            "a later report that nobody accepted",
            _report(recorded_at=datetime(2026, 7, 1, tzinfo=UTC)),
            Outcome.INDETERMINATE,
        ),
        Break(
            "nobody said whether genomes are edited",
            all_of(gene_edited, part("process", vector_type="aav", gene_editing=None)),
            gate=Gate.G8,
            kind=SubjectKind.STUDY,
            outcome=Outcome.INDETERMINATE,
            also=("BOOK", "GM-01", "GM-04"),
        ),
    ),
)
def off_target_accepted(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge every report that was recorded by then: the last as the state of knowledge, any earlier for what it found."""
    silent = not_gene_modified(dossier)
    edited = is_edited(dossier)
    if silent is not None and dossier.process is not None and not dossier.process.gene_modified:
        yield silent
        return
    if edited is None or dossier.process is None:
        yield lacks(
            dossier.subject,
            Text("It is not stated whether the process edits the genome."),
            Text("Define a version of the process that says so, and work by that version."),
        )
        return
    if not edited:
        yield does_not_apply(dossier.subject, Text("genes are added, and the genome is not edited"))
        return
    reports = known_at(dossier.off_target_reports or (), asked.at)
    if not reports:
        yield lacks(dossier.subject, Text("There is no report of off-target edits."), _ANEW)
        return
    last = max(reports, key=lambda each: (each.recorded_at, each.id))
    yield from _judged(dossier, last)
    acceptance = [
        each
        for each in stood(dossier, RULE, asked.at)
        if is_about_work(each, dossier) and each.approved_at is not None and each.approved_at >= last.recorded_at
    ]
    if acceptance:
        yield shows(
            last.reference,
            Text(
                "accepted in {assessment} by {by}", assessment=named(acceptance[0]), by=acceptance[0].approved_by or ""
            ),
        )
    else:
        yield lacks(
            last.reference,
            Text(
                "The report {reference} of off-target edits is not accepted by the quality authority.",
                reference=last.reference,
            ),
            Text(
                "Quality proposes an assessment of the process for this rule, and the quality authority signs it with the report."
            ),
        )


def _judged(dossier: Dossier, report: OffTargetReport) -> Iterator[Statement]:
    most = settings.number(dossier, "gm02.threshold_percent_most")
    if not report.prediction.strip():
        yield lacks(report.reference, Text("No sites were predicted."), _ANEW)
    if report.assay not in settings.words(dossier, "gm02.assays"):
        yield lacks(
            report.reference,
            Text("No assay that counts looked for edits: {assay}.", assay=OFF_TARGET_ASSAY_NAMES[report.assay]),
            _ANEW,
        )
    if report.sites_examined <= 0:
        yield lacks(report.reference, Text("No site was examined."), _ANEW)
    if report.threshold_percent > most:
        yield fails(
            report.reference,
            Text(
                "A site counted from {threshold} % of reads, which may be {most} % at the most.",
                threshold=report.threshold_percent,
                most=most,
            ),
            _ANEW,
        )
    if report.sites_above:
        yield fails(
            report.reference,
            Text(
                "{count} sites beside the target are edited, in up to {highest} % of reads.",
                count=report.sites_above,
                highest=report.highest_percent,
            ),
            Text("Choose another guide or editor, and examine that; nothing is given to anybody before."),
        )
    if report.aberrations == "none_found":
        yield shows(
            report.reference,
            Text(
                "{assay}: {count} sites examined, highest {highest} %; {aberrations}",
                assay=OFF_TARGET_ASSAY_NAMES[report.assay],
                count=report.sites_examined,
                highest=report.highest_percent,
                aberrations=ABERRATION_NAMES[report.aberrations],
            ),
        )
    elif report.aberrations == "found":
        yield fails(
            report.reference,
            Text("Chromosomal aberrations were found."),
            Text("Choose another guide or editor, and examine that; nothing is given to anybody before."),
        )
    else:
        yield lacks(report.reference, Text("Nobody examined the chromosomes."), _ANEW)
