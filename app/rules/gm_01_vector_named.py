"""GM-01: what changes genes is stated by the process, and nothing else was used."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from app.domain.counterexamples import VECTOR_LOT as LOT
from app.domain.counterexamples import (
    Edit,
    all_of,
    drop,
    gene_edited,
    gene_modified,
    part,
    where,
    within,
    without,
)
from app.domain.dossier import Dossier
from app.domain.facts import Material, SubjectKind, Vector, VectorType
from app.domain.genes import EDITS_ALWAYS, VECTOR_NAMES, is_edited, needed_by, not_gene_modified, stated, vectors
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
    fails,
    lacks,
    rule,
    shows,
)
from app.domain.sources import GUIDELINE
from app.domain.text import Text

RULE = "GM-01"
_G4: dict[str, Any] = {"gate": Gate.G4, "kind": SubjectKind.STEP}
_G7: dict[str, Any] = {"gate": Gate.G7, "kind": SubjectKind.STUDY}
_LATER = datetime(2026, 11, 1, tzinfo=UTC)
_BESIDE_EDITING = frozenset({*EDITS_ALWAYS, VectorType.MRNA, VectorType.AAV, VectorType.PLASMID})
"""What an editing process may use beside its own vector: the editor itself, and what carries the repair."""


def _vector(**changes: Any) -> Edit:
    """What is stated of the vector that was used is another."""

    def edit(materials: tuple[Material, ...]) -> tuple[Material, ...]:
        return tuple(
            replace(each, vectors=tuple(replace(one, **changes) for one in each.vectors or ())) for each in materials
        )

    return all_of(gene_modified, within("materials", edit))


@rule(
    RULE,
    Text("The process says what changes genes, and nothing else was used"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("Gene modified preparations are controlled by what modifies them, so that has to be known."),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G4, Gate.G6, Gate.G7, Gate.G8),
    waiver=NEVER,
    breaks=(
        Break(
            "nobody said with what genes are changed",
            all_of(gene_modified, part("process", vector_type=None)),
            outcome=Outcome.INDETERMINATE,
            also=("GM-03", "GM-05", "GM-06"),
        ),
        Break(
            "nobody said whether genomes are edited",
            all_of(gene_modified, part("process", gene_editing=None)),
            outcome=Outcome.INDETERMINATE,
            also=("GM-03",),
        ),
        Break(
            "no vector was ever used",
            all_of(gene_modified, drop("consumptions", "material_lot", LOT)),
            outcome=Outcome.INDETERMINATE,
            also=("GM-05",),
        ),
        Break("another vector was used", _vector(vector_type=VectorType.TRANSPOSON)),
        Break(
            "what the vector is was stated after its use",
            _vector(recorded_at=_LATER),
            also=("GM-05",),
        ),
        Break(
            "nothing is stated of the vector",
            all_of(gene_modified, where("materials", "lot", LOT, vectors=())),
            outcome=Outcome.INDETERMINATE,
            also=("GM-05",),
        ),
        Break(
            "a vector in a process that changes no genes",
            all_of(
                gene_modified,
                part("process", gene_modified=False, vector_type=None, gene_editing=None, low_manipulation=True),
            ),
        ),
        Break(
            "a vector planned in a process that changes no genes",
            all_of(
                gene_modified,
                part("process", gene_modified=False, vector_type=None, gene_editing=None, low_manipulation=True),
            ),
            **_G4,
        ),
        Break(
            "a process with a ribonucleoprotein that is said to edit nothing",
            all_of(gene_edited, part("process", gene_editing=False)),
            **_G7,
            also=("BOOK", "CB-01", "CB-01A"),
        ),
        Break(
            "a study that says that no genes are changed",
            all_of(gene_edited, part("study", manipulation="ex_vivo_cell")),
            **_G7,
            also=("BOOK", "CB-01", "CB-01A"),
        ),
        Break(
            "a study of changed genes whose process changes none",
            part("study", manipulation="ex_vivo_gene"),
            **_G7,
            also=("BOOK",),
        ),
        Break(
            "the process is not known",
            without("process"),
            **_G7,
            outcome=Outcome.INDETERMINATE,
            also=("BOOK", "CB-01", "CB-01A", "EXT-02", "GM-02", "GM-04", "TPR-01", "TPR-04"),
        ),
    ),
)
def vector_named(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Compare what the process states with what the study says and with what was used or is planned."""
    used = vectors(dossier, asked)
    process = dossier.process
    yield from _of_the_study(dossier)
    if process is not None and not process.gene_modified:
        for material in used:
            yield fails(
                material.lot,
                Text("{name} changes genes, and the process changes none.", name=material.name),
                Text("Keep the cells apart: they are not those of this process. Quality decides about them."),
            )
    silent = not_gene_modified(dossier)
    if silent is not None:
        yield silent
        return
    yield from _of_the_process(dossier)
    if asked.gate in {Gate.G7, Gate.G8}:
        return
    types = set()
    for material in used:
        found = stated(dossier, RULE, material, by=needed_by(dossier, material, asked))
        if isinstance(found, Statement):
            yield found
            types.add(process.vector_type if process else None)
            continue
        for vector in found:
            types.add(vector.vector_type)
            yield _compared(dossier, material, vector)
    if asked.gate in RELEASES and (process is None or process.vector_type not in types):
        yield lacks(
            dossier.subject,
            Text("It is not recorded that any vector of the process was used."),
            Text(
                "Establish from the bench record which lot of the vector went into the cells; quality assesses what cannot be."
            ),
        )


def _of_the_study(dossier: Dossier) -> Iterator[Statement]:
    study, process = dossier.study, dossier.process
    if study is None or process is None:
        return
    if process.gene_modified != (study.manipulation == "ex_vivo_gene"):
        yield fails(
            study.number,
            Text("The study and its process do not agree whether genes are changed."),
            Text("Register a version of the study that says what its process does, and have it approved and filed."),
        )


def _of_the_process(dossier: Dossier) -> Iterator[Statement]:
    process = dossier.process
    if process is None or process.vector_type is None:
        return
    name = f"{process.name} {process.version}"
    if process.vector_type in EDITS_ALWAYS and process.gene_editing is False:
        yield fails(
            name,
            Text(
                "{name} uses a {vector} and is said to edit nothing.",
                name=name,
                vector=VECTOR_NAMES[process.vector_type],
            ),
            Text("Define a version of the process that says what it does, and work by that version."),
        )
    elif is_edited(dossier) is None:
        yield lacks(
            name,
            Text("It is not stated whether {name} edits the genome.", name=name),
            Text("Define a version of the process that says so, and work by that version."),
        )
    else:
        yield shows(name, Text("genes are changed by: {vector}", vector=VECTOR_NAMES[process.vector_type]))


def _compared(dossier: Dossier, material: Material, vector: Vector) -> Statement:
    process = dossier.process
    beside = is_edited(dossier) and vector.vector_type in _BESIDE_EDITING
    if process is not None and (vector.vector_type is process.vector_type or beside):
        return shows(
            material.lot, Text("{name}: {vector}", name=material.name, vector=VECTOR_NAMES[vector.vector_type])
        )
    return fails(
        material.lot,
        Text(
            "{name} is a {vector}, which the process does not name.",
            name=material.name,
            vector=VECTOR_NAMES[vector.vector_type],
        ),
        Text("Use the vector that the process names; quality decides about what was made with another."),
    )
