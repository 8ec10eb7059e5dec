"""GM-04: where a viral vector is used, the risk of replication-competent virus was assessed and signed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from app.domain.assessments import is_about_work, named, stood
from app.domain.counterexamples import Edit, all_of, gene_modified, part, within, without
from app.domain.dossier import Dossier
from app.domain.facts import SubjectKind
from app.domain.genes import VECTOR_NAMES, VIRAL, not_gene_modified
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
    lacks,
    rule,
    shows,
)
from app.domain.sources import GUIDELINE
from app.domain.text import Text

RULE = "GM-04"
_LATER = datetime(2026, 11, 21, tzinfo=UTC)


def _broken(name: str, edit: Edit) -> Break:
    return Break(
        name,
        all_of(gene_modified, edit),
        gate=Gate.G8,
        kind=SubjectKind.STUDY,
        outcome=Outcome.INDETERMINATE,
        also=("BOOK",),
    )


def _assessed(**changes: Any) -> Edit:
    """The assessment of the risk is another."""
    return within(
        "assessments",
        lambda found: tuple(replace(each, **changes) if each.rule == RULE else each for each in found),
    )


@rule(
    RULE,
    Text("The risk of replication-competent virus is assessed"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("For viral vectors the risk that virus able to replicate arises is assessed."),
            Standing.STATED,
        ),
    ),
    gates=(Gate.G7, Gate.G8),
    waiver=NEVER,
    breaks=(
        Break(
            "nothing was assessed",
            all_of(gene_modified, _assessed(rule="GM-02")),
            gate=Gate.G7,
            kind=SubjectKind.STUDY,
            outcome=Outcome.INDETERMINATE,
            also=("BOOK", "CB-01", "CB-01A"),
        ),
        _broken("the assessments are unknown", without("assessments")),
        _broken("nobody approved the assessment", _assessed(approved_by=None, approved_at=None)),
        _broken("whoever proposed it approved it", _assessed(approved_by="quinn")),
        _broken("it was approved after the moment judged", _assessed(approved_at=_LATER)),
        _broken("it stood only for a time", _assessed(valid_to=datetime(2026, 9, 1, tzinfo=UTC))),
        _broken("it is about another version of the process", _assessed(scope="BM-MSC 3")),
        _broken("it names no measure", _assessed(mitigations=())),
        Break(
            "nobody said which vector",
            all_of(gene_modified, part("process", vector_type=None)),
            gate=Gate.G8,
            kind=SubjectKind.STUDY,
            outcome=Outcome.INDETERMINATE,
            also=("BOOK", "GM-01"),
        ),
    ),
)
def virus_risk_assessed(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Look for an approved assessment of this process version, with measures, that stands at the moment judged."""
    silent = not_gene_modified(dossier)
    process = dossier.process
    if silent is not None:
        yield silent
        return
    if process is not None and process.vector_type is not None and process.vector_type not in VIRAL:
        yield does_not_apply(
            dossier.subject, Text("no viral vector: {vector}", vector=VECTOR_NAMES[process.vector_type])
        )
        return
    found = [
        each
        for each in stood(dossier, RULE, asked.at)
        if is_about_work(each, dossier) and any(one.measure.strip() for one in each.mitigations)
    ]
    if found:
        yield shows(
            named(found[0]),
            Text("assessed, approved by {by} {at}", by=found[0].approved_by or "", at=found[0].approved_at or asked.at),
        )
    else:
        yield lacks(
            dossier.subject,
            Text("No approved assessment of the risk of replication-competent virus stands for this process version."),
            Text(
                "Quality proposes one with its measures, and the quality authority signs it before the study goes on."
            ),
        )
