"""CB-01A: a patient's own cells, gene modified, do without a bank only on the authority's written reply."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from app.domain.banking import is_gene_modified_for_oneself, unknown_process
from app.domain.counterexamples import Edit, all_of, empty, gene_modified, within, without
from app.domain.dossier import Dossier
from app.domain.facts import AuthorityReply, SubjectKind
from app.domain.lots import LotKind
from app.domain.processing import processing_began_at, too_late
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
from app.domain.text import Text

RULE = "CB-01A"
_OWN_AND_MODIFIED = all_of(gene_modified, empty("authority_replies"))
_PERMITTED = AuthorityReply(
    id=1,
    authority="National Health Commission",
    reference="2026-77",
    dated=date(2026, 8, 20),
    rule=RULE,
    process="BM-MSC 4",
    question="Is a bank of the patient's own cells needed?",
    answer="No; the vector's bank is.",
    ruling="permits",
    file_sha256="ab" * 32,
    recorded_by="quinn",
    recorded_at=datetime(2026, 9, 1, 8, tzinfo=UTC),
)
_AFTER = datetime(2026, 10, 20, 8, tzinfo=UTC)


def _answered(*letters: dict[str, Any]) -> Edit:
    """Own cells, gene modified, with one letter for each set of changes of the permitting one."""
    replies = tuple(replace(_PERMITTED, **changes) for changes in letters)
    return all_of(_OWN_AND_MODIFIED, within("authority_replies", lambda _: replies))


@rule(
    RULE,
    Text("For a patient's own gene modified cells without a bank, the authority has answered in writing"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text(
                "Gene modified preparations must have banks; for one patient's own cells what that means is not said,"
                " so the authority's written reply is asked for."
            ),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G4, Gate.G6, Gate.G7),
    waiver=NEVER,
    breaks=(
        Break("nobody asked the authority", _OWN_AND_MODIFIED, outcome=Outcome.INDETERMINATE),
        Break(
            "nobody asked the authority before the step",
            _OWN_AND_MODIFIED,
            gate=Gate.G4,
            kind=SubjectKind.STEP,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "what the authority answered is unknown",
            all_of(_OWN_AND_MODIFIED, without("authority_replies")),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the reply is about another process version",
            _answered({"process": "BM-MSC 3"}),
            outcome=Outcome.INDETERMINATE,
        ),
        Break("the reply is about another rule", _answered({"rule": "CB-03"}), outcome=Outcome.INDETERMINATE),
        Break("the reply decides nothing", _answered({"ruling": "undecided"}), outcome=Outcome.INDETERMINATE),
        Break("the authority refuses it", _answered({"ruling": "refuses"})),
        Break("the reply was filed after processing had begun", _answered({"recorded_at": _AFTER})),
        Break(
            "a later letter takes it back",
            _answered({}, {"id": 2, "ruling": "refuses", "dated": date(2026, 10, 19), "recorded_at": _AFTER}),
        ),
    ),
)
def authority_answered(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge by the replies that had been filed when processing began, and by the latest letter of all."""
    process = dossier.process
    if dossier.lot is not None and dossier.lot.kind is LotKind.BANK:
        yield does_not_apply(dossier.subject, Text("the lot is itself a bank"))
    elif process is None or (process.gene_modified and not dossier.donors):
        yield unknown_process(dossier)
    elif not is_gene_modified_for_oneself(dossier):
        yield does_not_apply(dossier.subject, Text("these are no gene modified cells for the donor alone"))
    elif dossier.banks:
        yield does_not_apply(dossier.subject, Text("a bank stands behind these cells: CB-03 asks about it"))
    else:
        yield _judged(dossier, asked, f"{process.name} {process.version}")


def _judged(dossier: Dossier, asked: Asked, process: str) -> Statement:
    if dossier.authority_replies is None:
        return lacks(
            dossier.subject,
            Text("It is not known what the authority answered."),
            Text("Report this to whoever keeps the system."),
        )
    began = processing_began_at(dossier) or (dossier.plan.at if dossier.plan else asked.at)
    letters = sorted(
        (each for each in dossier.authority_replies if each.rule == RULE and each.process == process),
        key=lambda each: (each.dated, each.id),
    )
    known = [each for each in letters if each.recorded_at <= began]
    if letters and letters[-1].ruling == "refuses":
        return fails(
            letters[-1].reference,
            Text("{authority} refuses it: {answer}", authority=letters[-1].authority, answer=letters[-1].answer),
            Text("Make a bank, have it tested and released, and make the lot from it."),
        )
    if not letters or letters[-1].ruling == "undecided":
        return lacks(
            dossier.subject,
            Text("No written reply of the authority says that {process} may do without a bank.", process=process),
            Text("Ask the authority in writing, and file its reply before processing begins."),
        )
    if not known or known[-1].ruling != "permits":
        return too_late(
            dossier,
            RULE,
            subject=letters[-1].reference,
            problem=Text("The reply was filed {at}, after processing had begun.", at=letters[-1].recorded_at),
        )
    return shows(
        known[-1].reference,
        Text(
            "{authority} answered on {day}: {answer} (filed {at}, SHA-256 {sha256})",
            authority=known[-1].authority,
            day=known[-1].dated,
            answer=known[-1].answer,
            at=known[-1].recorded_at,
            sha256=known[-1].file_sha256,
        ),
    )
