"""GM-09: whoever was given gene-modified cells is followed for at least five years."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from app.domain import settings
from app.domain.counterexamples import Edit, all_of, gene_modified, part, setting, study_part, study_records
from app.domain.dossier import Dossier
from app.domain.facts import FollowUpPlan, Study, SubjectKind
from app.domain.genes import VECTOR_NAMES
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
from app.domain.studies import known_at, no_study
from app.domain.text import Text

YEARS = "gm09.years"
_G12: dict[str, Any] = {"gate": Gate.G12, "kind": SubjectKind.STUDY, "also": ("BOOK",)}
_PLAN = FollowUpPlan(1, "P-1.0", Decimal(5), "protocol, section 9", datetime(2026, 5, 20, tzinfo=UTC))
_WAITS = Outcome.INDETERMINATE


def planned(**changes: Any) -> Edit:
    """A study of gene-modified cells whose protocol follows each subject for five years."""

    def edit(dossier: Dossier) -> Dossier:
        protocol = dossier.study.protocol_version if dossier.study else ""
        plan = FollowUpPlan(
            **{**{name: getattr(_PLAN, name) for name in _PLAN.__slots__}, "protocol_version": protocol, **changes}
        )
        return study_part(follow_ups=(plan,))(dossier)

    return all_of(gene_modified, edit)


@rule(
    "GM-09",
    Text("Whoever was given gene-modified cells is followed for years"),
    cites=(
        Citation(
            GUIDELINE,
            "§5",
            Text("After gene-modified cells were given, each subject is followed for five years at the least."),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G12,),
    waiver=NEVER,
    breaks=(
        Break("the protocol follows subjects for three years", planned(years=Decimal(3)), **_G12),
        Break("the protocol says five years, and fifteen are asked", all_of(planned(), setting(YEARS, 15)), **_G12),
        Break("no follow-up was planned", gene_modified, **_G12, outcome=_WAITS),
        Break("the plan is of another protocol", planned(protocol_version="P-0.9"), **_G12, outcome=_WAITS),
        Break("the plan was recorded after the moment judged", planned(recorded_at=datetime(2026, 11, 21, tzinfo=UTC)),
              **_G12, outcome=_WAITS),
        Break("how long each subject was followed is unknown", planned(), **_G12, outcome=_WAITS),
        Break("an earlier version of the study changed genes, and the last does not",
              all_of(planned(years=Decimal(3)), part("process", gene_modified=False, vector_type=None),
                     study_part(manipulation="ex_vivo_cell"), study_records("versions", gene_modified=True)), **_G12),
        Break("cells are said to be changed, and the process to change none", study_part(manipulation="ex_vivo_gene"),
              **_G12, outcome=_WAITS),
    ),
)  # fmt: skip
def followed_for_years(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Set the duty by what any version of the study was; ask the plan, and what was done of it.

    Subjects are not on record yet, so nothing shows that they were followed: the answer stays open.
    """
    study, process = dossier.study, dossier.process
    if study is None or process is None:
        yield no_study(dossier)
        return
    if not is_gene_modified(study, process_says=process.gene_modified):
        yield does_not_apply(study.number, Text("no version of the study changes genes"))
        return
    years = settings.number(dossier, YEARS)
    vector = process.vector_type
    yield shows(
        study.number,
        Text(
            "gene-modified ({vector}): each subject is followed for {years} years",
            vector=VECTOR_NAMES[vector],
            years=years,
        )
        if vector is not None
        else Text("gene-modified: each subject is followed for {years} years", years=years),
    )
    yield _plan(study, asked, years)
    yield lacks(
        study.number,
        Text("How long each subject was followed is not on record."),
        Text("Follow every subject for as long, and record each visit; the study is closed out after that."),
    )


def is_gene_modified(study: Study, *, process_says: bool) -> bool:
    """Whether the study ever gave gene-modified cells: once it did, the duty stays."""
    return process_says or study.manipulation == "ex_vivo_gene" or any(each.gene_modified for each in study.versions)


def _plan(study: Study, asked: Asked, years: Decimal) -> Statement:
    plans = [each for each in known_at(study.follow_ups, asked.at) if each.protocol_version == study.protocol_version]
    remedy = Text("Bring a protocol that follows each subject for {years} years, and record what it says.", years=years)
    if not plans:
        return lacks(
            study.number,
            Text(
                "It is not on record for how long protocol {protocol} follows its subjects.",
                protocol=study.protocol_version,
            ),
            remedy,
        )
    last = max(plans, key=lambda each: each.id)
    if last.years < years:
        return fails(
            study.number,
            Text(
                "Protocol {protocol} follows each subject for {planned} years, and {years} are asked.",
                protocol=study.protocol_version,
                planned=last.years,
                years=years,
            ),
            remedy,
        )
    return shows(
        study.number,
        Text(
            "protocol {protocol} follows each subject for {planned} years: {reference}",
            protocol=study.protocol_version,
            planned=last.years,
            reference=last.reference,
        ),
    )
