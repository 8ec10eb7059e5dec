"""REL-04: the batch record was reviewed, and every label that was printed is accounted for."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from app.domain.counterexamples import Edit, add, all_of, part, within, without
from app.domain.dossier import Dossier
from app.domain.facts import Decision, Deviation, Impact, LabelCount, LabelImbalance, Labels, Severity
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
from app.domain.sources import GMP
from app.domain.text import Text

RULE = "REL-04"
_LATER = datetime(2026, 10, 28, 9, tzinfo=UTC)
_COUNTED = datetime(2026, 10, 27, 9, tzinfo=UTC)
_EARLIER = datetime(2026, 10, 26, 9, tzinfo=UTC)
_AFTERWARDS = datetime(2026, 10, 30, 9, tzinfo=UTC)
_FUTURE = datetime(2030, 1, 1, tzinfo=UTC)
_CLOSED = Deviation(
    number="DV-26-0031",
    severity=Severity.MAJOR,
    what="one label is missing",
    impact=Impact.NONE,
    state="closed",
    rules=(RULE,),
    closed_by="quinn",
    closed_at=datetime(2026, 10, 29, 9, tzinfo=UTC),
)
_STATED = LabelImbalance(
    deviation=_CLOSED.number,
    search="workstation, waste and printer searched twice",
    mix_up_risk="no other lot was at the workstation",
    independent_evidence="every vial matches the donor by STR",
    counted_at=_COUNTED,
    stated_at=_LATER,
)


def _miscounted(*stated: LabelImbalance) -> Edit:
    """One label is missing; perhaps something was stated of it."""
    return all_of(
        within("labels", lambda labels: _with_count(labels, destroyed=0)), part("labels", imbalances=tuple(stated))
    )


def _with_count(labels: Labels, **changes: object) -> Labels:
    assert labels.count is not None
    return replace(labels, count=replace(labels.count, **changes))  # type: ignore[arg-type]  # as the caller names them


@rule(
    RULE,
    Text("The batch record is reviewed and its labels reconcile"),
    cites=(
        Citation(
            GMP,
            "chapters 8 and 9",
            Text("The batch record is reviewed, and labels issued, used, destroyed and returned are reconciled."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G6,),
    waiver=NEVER,
    breaks=(
        Break("the labels are unknown", without("labels"), outcome=Outcome.INDETERMINATE),
        Break("nobody counted", part("labels", count=None), outcome=Outcome.INDETERMINATE),
        Break(
            "no label was made",
            part("labels", printed=0, last_printed_at=None, count=None),
            outcome=Outcome.INDETERMINATE,
        ),
        Break("printed after the count", part("labels", last_printed_at=_LATER), outcome=Outcome.INDETERMINATE),
        Break("more printed than were counted", part("labels", printed=10), outcome=Outcome.INDETERMINATE),
        Break(
            "counted in the future",
            within("labels", lambda labels: _with_count(labels, at=_FUTURE)),
            outcome=Outcome.INDETERMINATE,
        ),
        Break("one label is missing", _miscounted()),
        Break("one label too many", within("labels", lambda labels: _with_count(labels, used=8))),
        Break("stated under no deviation that is known", _miscounted(_STATED)),
        Break(
            "stated of an earlier count",
            all_of(_miscounted(replace(_STATED, counted_at=_EARLIER)), add("deviations", _CLOSED)),
        ),
        Break(
            "stated after the signature",
            all_of(_miscounted(replace(_STATED, stated_at=_AFTERWARDS)), add("deviations", _CLOSED)),
        ),
        Break(
            "stated under a deviation that names another rule",
            all_of(_miscounted(_STATED), add("deviations", replace(_CLOSED, rules=("GMP-03",)))),
        ),
        Break(
            "the deviation found it unacceptable",
            all_of(_miscounted(_STATED), add("deviations", replace(_CLOSED, impact=Impact.UNACCEPTABLE))),
            also=("GMP-06",),
        ),
        Break(
            "the deviation is open",
            all_of(
                _miscounted(_STATED),
                add("deviations", replace(_CLOSED, state="open", impact=None, closed_by=None, closed_at=None)),
            ),
            also=("GMP-06",),
        ),
    ),
)
def labels_reconcile(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge the review, then the count: it is the last word on the last label, and it comes out or is assessed."""
    yield _reviewed(dossier, asked)
    labels = dossier.labels
    if labels is None or labels.printed == 0:
        yield lacks(
            dossier.subject,
            Text("No label of this lot was made here, so that none can be accounted for."),
            Text("Print the labels from the record and count them."),
        )
    elif labels.count is None or labels.count.at > asked.at:
        yield _count_again(dossier, Text("The labels were not counted."))
    elif _is_outdated(labels, labels.count):
        yield _count_again(dossier, Text("A label was printed after the count of {at}.", at=labels.count.at))
    else:
        yield _balance(dossier, labels, labels.count, asked)


def _reviewed(dossier: Dossier, asked: Asked) -> Statement:
    review = dossier.batch_review
    if review is None or review.at > asked.at:
        return lacks(
            dossier.subject,
            Text("The batch record has not been reviewed."),
            Text("The QA manager reviews the whole batch record and signs."),
        )
    if review.decision is not Decision.ACCEPTED:
        return fails(
            dossier.subject,
            Text("{by} returned the batch record at {at}.", by=review.by, at=review.at),
            Text("Answer the reviewer's remarks; then the whole record is reviewed again."),
        )
    return shows(dossier.subject, Text("batch record accepted by {by} at {at}", by=review.by, at=review.at))


def _count_again(dossier: Dossier, problem: Text) -> Statement:
    return lacks(
        dossier.subject, problem, Text("Count the labels used, destroyed and returned, and record what was found.")
    )


def _is_outdated(labels: Labels, count: LabelCount) -> bool:
    return count.printed != labels.printed or labels.last_printed_at is None or labels.last_printed_at > count.at


def _balance(dossier: Dossier, labels: Labels, count: LabelCount, asked: Asked) -> Statement:
    found = count.used + count.destroyed + count.returned
    values: dict[str, str | int] = {
        "printed": count.printed,
        "used": count.used,
        "destroyed": count.destroyed,
        "returned": count.returned,
        "by": count.by,
    }
    if found == count.printed:
        return shows(
            dossier.subject,
            Text(
                "{printed} printed = {used} used + {destroyed} destroyed + {returned} returned; counted by {by}",
                **values,
            ),
        )
    assessed = _assessed(dossier, labels, count, asked)
    if assessed is not None:
        return shows(
            assessed.number,
            Text(
                "{printed} printed, {found} found; search, risk and independent evidence assessed by {by}",
                printed=count.printed,
                found=found,
                by=assessed.closed_by or "",
            ),
        )
    return fails(
        dossier.subject,
        Text(
            "{printed} labels were printed, but {used} used + {destroyed} destroyed + {returned} returned were counted by"
            " {by}.",
            **values,
        ),
        Text(
            "Search for the labels and count again. If it stays so, the QA manager states under a deviation how it was"
            " searched, what could have been mixed up and which independent evidence speaks against it, and signs."
        ),
    )


def _assessed(dossier: Dossier, labels: Labels, count: LabelCount, asked: Asked) -> Deviation | None:
    """Find the signed deviation that answers for exactly this count: stated before it was signed, and not against."""
    deviations = {each.number: each for each in dossier.deviations or ()}
    for stated in labels.imbalances:
        found = deviations.get(stated.deviation)
        if (
            found is not None
            and stated.counted_at == count.at
            and RULE in found.rules
            and found.state == "closed"
            and found.closed_by is not None
            and found.closed_at is not None
            and stated.stated_at <= found.closed_at <= asked.at
            and found.impact in {Impact.NONE, Impact.ACCEPTABLE}
        ):
            return found
    return None
