"""Gene modification: the words for vectors and their tests, which of them a rule asks about, and what stood when."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from app.domain import settings
from app.domain.dossier import Dossier
from app.domain.facts import Material, SubjectKind, Vector, VectorType, VirusOutcome, VirusTest
from app.domain.materials import first_used_at
from app.domain.processing import too_late
from app.domain.rulebook import RELEASES, Asked, Gate, Statement, does_not_apply, fails, lacks, shows
from app.domain.text import Text

VECTOR_NAMES: Mapping[VectorType, Text] = MappingProxyType(
    {
        VectorType.LENTIVIRUS: Text("lentiviral vector"),
        VectorType.GAMMA_RETROVIRUS: Text("gamma-retroviral vector"),
        VectorType.AAV: Text("adeno-associated viral vector"),
        VectorType.TRANSPOSON: Text("transposon"),
        VectorType.PLASMID: Text("plasmid"),
        VectorType.MRNA: Text("messenger RNA"),
        VectorType.RNP: Text("ribonucleoprotein (CRISPR)"),
        VectorType.BASE_EDITOR: Text("base editor"),
    }
)
ROLE_NAMES: Mapping[str, Text] = MappingProxyType(
    {"plasmid": Text("plasmid"), "producer_bank": Text("bank of producer cells")}
)
SAMPLE_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "vector_supernatant": Text("the vector's supernatant"),
        "producer_cells": Text("producer cells at the end of production"),
        "transduced_cells": Text("transduced cells"),
        "final_product": Text("the final product"),
    }
)
ASSAY_NAMES: Mapping[str, Text] = MappingProxyType(
    {"coculture": Text("co-culture with permissive cells"), "rapid_pcr": Text("rapid PCR")}
)
OUTCOME_NAMES: Mapping[str, Text] = MappingProxyType(
    {"negative": Text("negative"), "positive": Text("positive"), "inconclusive": Text("inconclusive")}
)
OFF_TARGET_ASSAY_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "guide_seq": Text("GUIDE-seq"),
        "circle_seq": Text("CIRCLE-seq"),
        "digenome_seq": Text("Digenome-seq"),
        "rhamp_seq": Text("rhAmpSeq of predicted sites"),
        "whole_genome": Text("whole-genome sequencing"),
        "none": Text("no assay was made"),
    }
)
ABERRATION_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "none_found": Text("no chromosomal aberration found"),
        "found": Text("chromosomal aberrations found"),
        "not_examined": Text("not examined for chromosomal aberrations"),
    }
)

VIRAL = frozenset({VectorType.LENTIVIRUS, VectorType.GAMMA_RETROVIRUS, VectorType.AAV})
RETROVIRAL = frozenset({VectorType.LENTIVIRUS, VectorType.GAMMA_RETROVIRUS})
"""Of these a specific test for replication-competent virus is asked."""
INTEGRATING = RETROVIRAL | {VectorType.TRANSPOSON}
EDITS_ALWAYS = frozenset({VectorType.RNP, VectorType.BASE_EDITOR})
CAME_OF: Mapping[VectorType, tuple[str, ...]] = MappingProxyType(
    {
        VectorType.LENTIVIRUS: ("plasmid", "producer_bank"),
        VectorType.GAMMA_RETROVIRUS: ("producer_bank",),
        VectorType.AAV: ("plasmid", "producer_bank"),
        VectorType.TRANSPOSON: ("plasmid", "producer_bank"),
        VectorType.PLASMID: ("producer_bank",),
        VectorType.MRNA: ("plasmid",),
        VectorType.RNP: (),
        VectorType.BASE_EDITOR: (),
    }
)
"""What a vector of each type came of at the least. A stable line makes a gamma-retroviral vector without plasmids; what
is synthesised came of neither."""
HAS_NO_TITRE = frozenset({VectorType.RNP, VectorType.BASE_EDITOR})
_UNKNOWN_PROCESS = Text("The process version is not known, and so neither is whether genes are changed.")


def not_gene_modified(dossier: Dossier) -> Statement | None:
    """Why a rule about gene modification does not apply, or cannot be answered; None where it applies."""
    process = dossier.process
    if process is None:
        return lacks(dossier.subject, _UNKNOWN_PROCESS, Text("Name the process version that the lot follows."))
    if not process.gene_modified:
        return does_not_apply(
            f"{process.name} {process.version}",
            Text("{name} changes no genes", name=f"{process.name} {process.version}"),
        )
    if process.vector_type is None:
        return lacks(
            f"{process.name} {process.version}",
            Text("It is not stated with what {name} changes genes.", name=f"{process.name} {process.version}"),
            Text("Define a version of the process that names its vector, and work by that version."),
        )
    return None


def is_edited(dossier: Dossier) -> bool | None:
    """Whether the process edits the genome at a chosen place; None where nobody said."""
    process = dossier.process
    if process is None or not process.gene_modified:
        return False
    return True if process.vector_type in EDITS_ALWAYS else process.gene_editing


def vectors(dossier: Dossier, asked: Asked) -> tuple[Material, ...]:
    """The vector lots that the question is about: the lot itself, those planned for the step, or those that were used."""
    if asked.gate is Gate.G1 and dossier.kind is SubjectKind.MATERIAL_LOT:
        lots = {dossier.subject}
    elif asked.gate is Gate.G4:
        lots = set(dossier.plan.materials) if dossier.plan else set()
    else:
        lots = {each.material_lot for each in dossier.consumptions or ()}
    return tuple(each for each in dossier.materials or () if each.kind == "vector" and each.lot in lots)


def needed_by(dossier: Dossier, material: Material, asked: Asked) -> datetime:
    """By when what is known of a vector must have been recorded: its first use, else the moment that is judged."""
    is_made = asked.gate in RELEASES or asked.gate is Gate.G3  # a bank is made when a vial leaves it
    return (first_used_at(dossier, material) if is_made else None) or asked.at


def stated(dossier: Dossier, rule: str, material: Material, *, by: datetime) -> tuple[Vector, ...] | Statement:
    """What was stated of a vector last by then, and whatever was stated later; else that nothing was, or too late."""
    told = material.vectors or ()
    if not told:
        return lacks(
            material.lot,
            Text("Nothing is stated of the vector {name}: neither its type nor what it came of.", name=material.name),
            Text(
                "Read from the maker's record what the vector is and came of, and have quality state it before it is used."
            ),
        )
    in_time = [number for number, each in enumerate(told) if each.recorded_at <= by]
    if not in_time:
        return too_late(
            dossier,
            rule,
            subject=material.lot,
            problem=Text(
                "What the vector is was stated at {stated}, after its use at {at}.", stated=told[0].recorded_at, at=by
            ),
        )
    return told[in_time[-1] :]


def judge_tests(
    dossier: Dossier,
    rule: str,
    subject: str,
    tests: tuple[VirusTest, ...] | None,
    sample: str,
    *,
    by: datetime | None,
    may_wait: Callable[[VirusTest], Text | None] | None = None,
) -> Iterator[Statement]:
    """Whether tests of one kind of sample rule replication-competent virus out: one found closes, whatever else is.

    One that was begun is waited for, unless a negative one of what was sampled since answers for it. `by`: when they had
    to be known; None where they come late by nature. `may_wait`: why a test that was begun may be pending; None where it
    may not. Raises SettingUnusable.
    """
    of_it = tuple(each for each in tests or () if each.sample == sample)
    name = SAMPLE_NAMES[sample]
    found = [outcome for each in of_it for outcome in each.outcomes if outcome.outcome == "positive"]
    for outcome in found:
        yield fails(
            subject,
            Text(
                "Replication-competent virus was found in {sample}: {reference}.",
                sample=name,
                reference=outcome.reference,
            ),
            Text("Nothing that this touched is used. It is never waived: reject the lot."),
        )
    if found:
        return
    enough = [each for each in of_it if _is_full(dossier, each) and not _too_small(dossier, each)]
    negative = [each for each in enough if _told(each) is not None]
    in_time = [each for each in negative if by is None or _known_at(each) <= by]
    unread = [
        each
        for each in of_it
        if _is_full(dossier, each) and not each.outcomes and all(one.sampled_at < each.sampled_at for one in negative)
    ]
    said = {each.id: may_wait(each) for each in unread} if may_wait is not None else {}
    excused = {number: words for number, words in said.items() if words is not None}
    if in_time:
        yield _ruled_out(subject, in_time[0], name)
    elif negative:
        yield too_late(
            dossier,
            rule,
            subject=subject,
            problem=Text(
                "The test of {sample} was recorded at {recorded}, after the use at {at}.",
                sample=name,
                recorded=_known_at(negative[0]),
                at=by or _known_at(negative[0]),
            ),
        )
    elif not any(each.id in excused for each in enough) or any(each.outcomes for each in enough):
        yield lacks(
            subject,
            _what_lacks(dossier, of_it, enough, name),
            Text(
                "Have enough of it tested by a method that counts, and record the outcome when the laboratory reports it."
            ),
        )
    for each in unread:
        if each.id in excused:
            yield shows(subject, excused[each.id])
        elif negative or excused:
            yield lacks(
                subject,
                Text(
                    "A test of {sample} for replication-competent virus, sampled {at}, is pending; no negative one of what "
                    "was sampled since answers for it.",
                    sample=name,
                    at=each.sampled_at,
                ),
                Text("Record its outcome when the laboratory reports it."),
            )
    for each in of_it:
        if any(outcome.outcome == "inconclusive" for outcome in each.outcomes) and _told(each) is None:
            yield lacks(
                subject,
                Text("A test of {sample} is inconclusive.", sample=name),
                Text("Quality finds out why, and the laboratory tests again and reports."),
            )


def _what_lacks(dossier: Dossier, tests: tuple[VirusTest, ...], enough: list[VirusTest], name: Text) -> Text:
    if enough:
        return Text("The test of {sample} for replication-competent virus is pending.", sample=name)
    small = [each for each in tests if _is_full(dossier, each)]
    if small:
        return Text("Too little of {sample} was tested: {asked}.", sample=name, asked=_asked_amount(dossier, small[0]))
    if tests:
        return Text("Of {sample} there is a rapid test only, which does not suffice for release.", sample=name)
    return Text("There is no test of {sample} for replication-competent virus.", sample=name)


def _ruled_out(subject: str, test: VirusTest, name: Text) -> Statement:
    outcome = _told(test)
    return shows(
        subject,
        Text(
            "{sample}: no replication-competent virus by {assay}, {laboratory}, {reference}",
            sample=name,
            assay=ASSAY_NAMES[test.assay],
            laboratory=test.laboratory,
            reference=outcome.reference if outcome else "",
        ),
    )


def _told(test: VirusTest) -> VirusOutcome | None:
    """The first negative report, where nothing else was reported after it."""
    last = max(test.outcomes, key=lambda each: each.recorded_at, default=None)
    return last if last is not None and last.outcome == "negative" else None


def _known_at(test: VirusTest) -> datetime:
    outcome = _told(test)
    return test.recorded_at if outcome is None else max(test.recorded_at, outcome.recorded_at)


def _is_full(dossier: Dossier, test: VirusTest) -> bool:
    return test.assay in settings.words(dossier, "gm05.assays")


def _too_small(dossier: Dossier, test: VirusTest) -> bool:
    amounts = settings.numbers(dossier, "gm05.amounts")
    if test.supernatant_percent is not None:
        return test.supernatant_percent < amounts["supernatant_percent"]
    if test.cells_tested is None:
        return True
    return test.cells_tested < _cells_asked(dossier, test)


def _cells_asked(dossier: Dossier, test: VirusTest) -> Decimal:
    amounts = settings.numbers(dossier, "gm05.amounts")
    if test.cells_in_pool is None:
        return amounts["cells"]
    return min(amounts["cells"], test.cells_in_pool * amounts["cells_percent"] / 100)


def _asked_amount(dossier: Dossier, test: VirusTest) -> Text:
    if test.supernatant_percent is not None:
        least = settings.numbers(dossier, "gm05.amounts")["supernatant_percent"]
        return Text("{tested} % of the supernatant, at least {least} %", tested=test.supernatant_percent, least=least)
    return Text(
        "{tested} cells, at least {least}", tested=test.cells_tested or Decimal(0), least=_cells_asked(dossier, test)
    )
