"""GM-05: lentiviral and gamma-retroviral vectors and the cells that they changed are free of replicating virus."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from app.domain.counterexamples import VECTOR_LOT as LOT
from app.domain.counterexamples import (
    Edit,
    add,
    all_of,
    drop,
    every,
    gene_modified,
    part,
    setting,
    two_steps,
    vector_lot,
    virus_in_two_steps,
    virus_test,
    where,
    within,
    without,
)
from app.domain.dossier import Dossier
from app.domain.facts import Material, SubjectKind, VectorType, VirusOutcome, VirusTest
from app.domain.genes import (
    RETROVIRAL,
    VECTOR_NAMES,
    judge_tests,
    needed_by,
    not_gene_modified,
    stated,
    vectors,
)
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
)
from app.domain.sources import GUIDELINE
from app.domain.text import Text
from app.domain.two_steps import virus_may_wait

RULE = "GM-05"
_AT = datetime(2026, 11, 9, 9, tzinfo=UTC)
_FOUND = (VirusOutcome("positive", _AT, "VL-99", _AT),)
_UNSURE = (VirusOutcome("inconclusive", _AT, "VL-98", _AT),)
_OF_VECTOR, _OF_CELLS = ("vector_supernatant", "producer_cells"), ("transduced_cells", "final_product")
_G1: dict[str, Any] = {"gate": Gate.G1, "kind": SubjectKind.MATERIAL_LOT}
_G3: dict[str, Any] = {"gate": Gate.G3, "kind": SubjectKind.BANK_VIAL}


def _cells(**changes: Any) -> Edit:
    """The test of the cells themselves is another."""
    return all_of(gene_modified, every("virus_tests", **changes))


def _of_vector(sample: str, **changes: Any) -> Edit:
    """The test of the vector's lot of this sample is another."""

    def edit(materials: tuple[Material, ...]) -> tuple[Material, ...]:
        return tuple(
            replace(
                each,
                virus_tests=tuple(
                    replace(one, **changes) if one.sample == sample else one for one in each.virus_tests or ()
                ),
            )
            for each in materials
        )

    return within("materials", edit)


def _begun(at: datetime, sample: str = "transduced_cells") -> VirusTest:
    """A culture of which nothing is reported yet."""
    return virus_test(99, sample, recorded_at=at, outcomes=())


def _more_of_vector(test: VirusTest) -> Edit:
    """One more test of the vector's lot."""
    return within(
        "materials",
        lambda found: tuple(
            replace(each, virus_tests=(*each.virus_tests, test)) if each.virus_tests else each for each in found
        ),
    )


@rule(
    RULE,
    Text("Lentiviral and gamma-retroviral vectors and their cells hold no virus that replicates"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("For lentiviral and gamma-retroviral vectors a specific test for replication-competent virus is made."),
            Standing.STATED,
        ),
        Citation(
            GUIDELINE,
            "§3",
            Text("Vector, producer cells at the end of production and transduced cells are tested, in amounts usual abroad."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G1, Gate.G3, Gate.G6),
    waiver=NEVER,
    breaks=(
        Break("virus that replicates in the cells", _cells(outcomes=_FOUND)),
        Break("virus that replicates in a bank, before a vial leaves it", _cells(outcomes=_FOUND), **_G3),
        Break(
            "the test of a bank is pending, before a vial leaves it",
            _cells(outcomes=()),
            **_G3,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "a bank's vector was tested only after its use, before a vial leaves it",
            all_of(gene_modified, _of_vector("vector_supernatant", recorded_at=_AT)),
            **_G3,
        ),
        Break("the test of the cells is pending", _cells(outcomes=()), outcome=Outcome.INDETERMINATE),
        Break("the test of the cells is inconclusive", _cells(outcomes=_UNSURE), outcome=Outcome.INDETERMINATE),
        Break("the cells had a rapid test only", _cells(assay="rapid_pcr"), outcome=Outcome.INDETERMINATE),
        Break("too few cells were tested", _cells(cells_tested=Decimal("1e7")), outcome=Outcome.INDETERMINATE),
        Break(
            "few cells of a pool whose size nobody knows",
            _cells(cells_tested=Decimal("2e7"), cells_in_pool=None),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "more must be tested than was",
            all_of(gene_modified, setting("gm05.amounts", {"cells": 10**9, "cells_percent": 100, "supernatant_percent": 5})),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "a positive test before a negative one",
            all_of(
                gene_modified,
                within("virus_tests", lambda found: (virus_test(10, "final_product", outcomes=_FOUND), *found)),
            ),
        ),
        Break("no test of the cells", all_of(gene_modified, drop("virus_tests", "sample", "transduced_cells")),
              outcome=Outcome.INDETERMINATE),
        Break("the tests are unknown", all_of(gene_modified, without("virus_tests")), outcome=Outcome.INDETERMINATE),
        Break("virus that replicates in the vector that was used",
              all_of(gene_modified, _of_vector("vector_supernatant", outcomes=_FOUND))),
        Break(
            "the producer cells' outcome came after the vector's use",
            all_of(gene_modified, _of_vector("producer_cells", outcomes=(VirusOutcome("negative", _AT, "VL-2", _AT),))),
        ),
        Break(
            "the vector that was used was never tested",
            all_of(gene_modified, where("materials", "lot", LOT, virus_tests=())),
            outcome=Outcome.INDETERMINATE,
        ),
        Break("approval of a vector with virus that replicates",
              all_of(vector_lot(), _of_vector("producer_cells", outcomes=_FOUND)), **_G1),
        Break("approval of a vector whose supernatant is not tested yet",
              all_of(vector_lot(), _of_vector("vector_supernatant", outcomes=())), **_G1,
              outcome=Outcome.INDETERMINATE),
        Break("approval of a vector of which too little was tested",
              all_of(vector_lot(), _of_vector("vector_supernatant", supernatant_percent=Decimal(1))), **_G1,
              outcome=Outcome.INDETERMINATE),
        Break("approval of a vector whose producer cells were not tested",
              all_of(vector_lot(), every("materials", virus_tests=(virus_test(1, "vector_supernatant"),))), **_G1,
              outcome=Outcome.INDETERMINATE),
        Break("a culture that the plan lets come late, asked for at the release itself", virus_in_two_steps,
              outcome=Outcome.INDETERMINATE, also=("REL-02",)),
        Break("a culture that comes late without the rapid test in its place",
              all_of(virus_in_two_steps, drop("virus_tests", "assay", "rapid_pcr")), gate=Gate.G5,
              outcome=Outcome.INDETERMINATE, also=("REL-06",)),
        Break("a culture that comes late though the rapid test found virus",
              all_of(virus_in_two_steps, where("virus_tests", "assay", "rapid_pcr", outcomes=_FOUND)), gate=Gate.G5,
              also=("REL-06",)),
        Break("a culture that no plan lets come late", all_of(two_steps, _cells(outcomes=())), gate=Gate.G5,
              outcome=Outcome.INDETERMINATE),
        Break("a culture begun after a negative one",
              all_of(gene_modified, add("virus_tests", _begun(_AT + timedelta(days=1)))), outcome=Outcome.INDETERMINATE),
        Break("a culture begun, and of what was sampled since a negative one of too few cells",
              all_of(_cells(cells_tested=Decimal("1e7")), add("virus_tests", _begun(_AT), virus_test(13, "transduced_cells",
                     recorded_at=_AT - timedelta(days=1)))), outcome=Outcome.INDETERMINATE),
        Break("a culture begun, and of what was sampled since a rapid test that found nothing",
              all_of(_cells(sampled_at=_AT - timedelta(days=1)), add("virus_tests", _begun(_AT), virus_test(13, "transduced_cells",
                     recorded_at=_AT, assay="rapid_pcr"))), outcome=Outcome.INDETERMINATE),
        Break("a culture of the product begun, of which only the transduced cells are free of it",
              all_of(gene_modified, add("virus_tests", _begun(_AT, "final_product"))), outcome=Outcome.INDETERMINATE),
        Break("approval of a vector of which another culture was begun",
              all_of(vector_lot(), _more_of_vector(_begun(_AT, "producer_cells"))), **_G1, outcome=Outcome.INDETERMINATE),
        Break("another culture of the vector that was used was begun",
              all_of(gene_modified, _more_of_vector(_begun(_AT, "producer_cells"))), outcome=Outcome.INDETERMINATE),
        Break("of two cultures one has no rapid test in its place",
              all_of(virus_in_two_steps, add("virus_tests", _begun(_AT + timedelta(days=1)))), gate=Gate.G5,
              outcome=Outcome.INDETERMINATE, also=("REL-06",)),
        Break("a culture begun after a negative one, that no plan lets come late",
              all_of(two_steps, gene_modified, add("virus_tests", _begun(_AT + timedelta(days=1)))), gate=Gate.G5,
              outcome=Outcome.INDETERMINATE),
        Break(
            "nobody said which vector",
            all_of(gene_modified, part("process", vector_type=None)),
            outcome=Outcome.INDETERMINATE,
            also=("GM-01", "GM-03", "GM-06"),
        ),
    ),
    late_by_nature=("virus_tests",),
)  # fmt: skip
def no_replicating_virus(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge the vector lots by what was known before their use, and the cells by everything that was reported."""
    used = vectors(dossier, asked)
    if asked.gate is Gate.G1:
        if not used:
            yield does_not_apply(dossier.subject, Text("the lot is no vector"))
        for material in used:
            yield from _vector(dossier, material, asked)
        return
    silent = not_gene_modified(dossier)
    if silent is not None:
        yield silent
        return
    for material in used:
        yield from _vector(dossier, material, asked)
    process = dossier.process
    if process is not None and process.vector_type is not None and process.vector_type not in RETROVIRAL:
        yield _not_asked(dossier.subject, process.vector_type)
        return
    if not used:
        yield lacks(
            dossier.subject,
            Text("It is not known which lot of the vector was used."),
            Text(
                "Establish from the bench record which lot of the vector went into the cells; quality assesses what cannot be."
            ),
        )
    tested = [each for each in dossier.virus_tests or () if each.sample in _OF_CELLS]
    samples = tuple(dict.fromkeys(each.sample for each in tested)) or (_OF_CELLS[0],)
    enough = [
        list(
            judge_tests(
                dossier,
                RULE,
                dossier.subject,
                dossier.virus_tests,
                each,
                by=None,
                may_wait=partial(virus_may_wait, dossier) if asked.gate is Gate.G5 else None,
            )
        )
        for each in samples
    ]
    # Either sample suffices; what was found, or is open, in the other one still counts.
    for said in enough:
        yield from said


def _vector(dossier: Dossier, material: Material, asked: Asked) -> Iterator[Statement]:
    by = needed_by(dossier, material, asked)
    found = stated(dossier, RULE, material, by=by)
    if isinstance(found, Statement):
        yield found
    elif not any(each.vector_type in RETROVIRAL for each in found):
        yield _not_asked(material.lot, found[0].vector_type)
    else:
        for sample in _OF_VECTOR:
            yield from judge_tests(dossier, RULE, material.lot, material.virus_tests, sample, by=by)


def _not_asked(subject: str, vector: VectorType) -> Statement:
    return does_not_apply(subject, Text("no such test is asked of: {vector}", vector=VECTOR_NAMES[vector]))
