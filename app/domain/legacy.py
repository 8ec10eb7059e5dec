"""Papers from before the guideline: what they may show, of which subject, and from when on.

They show what lacks its record, or has it late, of acts before the guideline took effect. They heal no fact, and nothing
that was done under the guideline: for that they count only where they had been accepted before the work began.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta

from app.domain import settings
from app.domain.dossier import Dossier
from app.domain.facts import Legacy, LegacyAbout, SubjectKind
from app.domain.text import Text

BEFORE = "legacy.before"
"""The setting that names the first day of the guideline."""
ABOUT_NAMES: Mapping[LegacyAbout, Text] = {LegacyAbout.DONOR: Text("donor"), LegacyAbout.LOT: Text("lot or bank")}
NEVER_BY_PAPER = frozenset({"MAT-03", "MAT-05", "TPR-01", "TPR-02", "TPR-03", "TPR-04", "TPR-05", "TPR-06"})
"""Rules of which no paper from before the guideline is ever accepted. The table holds the same."""


def accepted_for(dossier: Dossier, *, rule: str, about: Iterable[LegacyAbout], at: datetime) -> Mapping[str, Legacy]:
    """By the subject of a finding: the papers that may show what is late or undocumented about it for this rule."""
    found: dict[str, Legacy] = {}
    taken = [each for each in dossier.legacy or () if each.about in about and _counts(each, rule, at)]
    before = guideline_begins(dossier) if taken else None
    if before is None or rule in NEVER_BY_PAPER:
        return found
    for each in taken:
        subjects = (
            _of_donor(dossier, each, before) if each.about is LegacyAbout.DONOR else _of_lot(dossier, each, before)
        )
        for subject in subjects:
            found.setdefault(subject, each)
    return found


def guideline_begins(dossier: Dossier) -> datetime | None:
    """The first moment of the guideline's first day here. None where the setting does not say."""
    try:
        day = date.fromisoformat(settings.word(dossier, BEFORE))
        offset = float(settings.number(dossier, "facility.utc_offset_hours"))
    except ValueError:
        return None
    return datetime.combine(day, time(), UTC) - timedelta(hours=offset)


def _counts(papers: Legacy, rule: str, at: datetime) -> bool:
    """Whether they were accepted by then and are in force. A withdrawal counts at once, of whatever moment is asked."""
    return (
        rule in papers.rules
        and papers.accepted_by is not None
        and papers.accepted_by != papers.proposed_by
        and papers.accepted_at is not None
        and papers.accepted_at <= at
        and papers.valid_from <= at < papers.valid_to
        and papers.withdrawn_at is None
    )


def _of_donor(dossier: Dossier, papers: Legacy, before: datetime) -> Iterator[str]:
    """The donor and the donations, all collected before the guideline, unless work on them began without the papers."""
    given = [each for each in dossier.donations or () if each.donor == papers.subject]
    if not given or any(each.collected_at >= before for each in given):
        return
    began = min((step.started_at for step in dossier.steps or ()), default=None)
    if began is not None and began >= before and not _in_time(papers, began):
        return
    yield papers.subject
    yield from (each.code for each in given)


def _in_time(papers: Legacy, began: datetime) -> bool:
    return papers.accepted_at is not None and papers.accepted_at <= began


def _of_lot(dossier: Dossier, papers: Legacy, before: datetime) -> Iterator[str]:
    """The lot itself, every step of which began before the guideline; what it was made in, and what was used in it."""
    steps = dossier.steps or ()
    of_a_lot = dossier.kind in {SubjectKind.LOT, SubjectKind.BANK_VIAL}  # a vial stands as the bank that it is of
    is_this = of_a_lot and dossier.lot is not None and dossier.lot.code == papers.subject
    if not is_this or not steps or any((step.ended_at or step.started_at) >= before for step in steps):
        return
    yield dossier.subject
    yield from (f"STEP-{step.id}" for step in steps)
    yield from (each.workstation for each in dossier.work_sessions or () if each.since < before)
    late = {each.material_lot for each in dossier.consumptions or () if each.used_at >= before}
    for each in dossier.consumptions or ():
        if each.material_lot not in late:
            yield each.material_lot
            yield each.container
