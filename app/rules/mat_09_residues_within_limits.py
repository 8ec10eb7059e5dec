"""MAT-09: what is left of serum, platelet lysate or an enzyme of animal origin in a dose is limited and measured."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

from app.domain import settings
from app.domain.acts import Role
from app.domain.counterexamples import Edit, all_of, drop, nth, setting, where, within, without
from app.domain.dossier import Dossier
from app.domain.facts import Line, Material, Result, Specification
from app.domain.materials import materials_unknown
from app.domain.rulebook import (
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
    wants_waiver,
)
from app.domain.sources import CN_STEM_CELL_QUALITY
from app.domain.testing import Fit, binding_lines, fit, is_accepted, limits, spoken, standing_results, value
from app.domain.text import Text

_LYSATE, _LYSATE_TEST, _SERUM_TEST = "platelet_lysate", "platelet lysate residue", "BSA residue"
KIND_NAMES = {
    "animal_serum": Text("animal serum"),
    _LYSATE: Text("platelet lysate"),
    "animal_enzyme": Text("an enzyme of animal origin"),
}


def _without_line(specification: Specification) -> Specification:
    return replace(specification, lines=tuple(each for each in specification.lines if each.test != _LYSATE_TEST))


def _serum(**changes: object) -> Edit:
    """The first material holds serum, and what the specification says of its residue is another."""

    def lines(specification: Specification) -> Specification:
        changed = tuple(
            replace(each, **changes) if each.test == _SERUM_TEST else each  # type: ignore[arg-type]
            for each in specification.lines
        )
        return replace(specification, lines=changed)

    def results(found: tuple[Result, ...]) -> tuple[Result, ...]:
        return tuple(
            replace(each, unit=str(changes["unit"])) if each.test == _SERUM_TEST and "unit" in changes else each
            for each in found
        )

    return all_of(
        nth("materials", 0, animal_serum=True, species="bovine"),
        within("specification", lines),
        within("results", results),
    )


@rule(
    "MAT-09",
    Text("What is left of serum, lysate and enzymes in a dose is limited and measured"),
    cites=(
        Citation(
            CN_STEM_CELL_QUALITY,
            "release testing",
            Text(
                "Residues of what was used in culture are tested in the product; for serum a classic figure is known."
            ),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G6,),
    waiver=(Role.QUALITY_AUTHORITY,),
    breaks=(
        Break("lysate was used, and the specification asks for no residue", within("specification", _without_line)),
        Break(
            "the residue of lysate was not measured",
            drop("results", "test", _LYSATE_TEST),
            outcome=Outcome.INDETERMINATE,
            also=("REL-02",),
        ),
        Break(
            "nobody accepted the residue",
            where("results", "test", _LYSATE_TEST, review=None),
            outcome=Outcome.INDETERMINATE,
            also=("REL-02",),
        ),
        Break(
            "too much lysate is left",
            where("results", "test", _LYSATE_TEST, value_number=Decimal(51)),
            outcome=Outcome.NEEDS_WAIVER,
            also=("REL-02",),
        ),
        Break(
            "serum was used, and nobody tests for it",
            _serum(required=False),
            also=("MAT-05",),
        ),
        Break("more serum may be left than the setting allows", _serum(high=Decimal(51)), also=("MAT-05",)),
        Break(
            "serum is limited in another unit",
            _serum(unit="ng/mL"),
            also=("MAT-05",),
        ),
        Break(
            "the limit for serum was lowered",
            all_of(_serum(), setting("mat09.limits", {"animal_serum": 30})),
            also=("MAT-05",),
        ),
        Break(
            "an enzyme of animal origin, and nobody tests for it",
            nth("materials", 0, animal_derived=True, text="porcine trypsin"),
        ),
        Break(
            "nobody knows whether a material holds serum, and nobody tests for it",
            all_of(_serum(required=False), nth("materials", 0, animal_serum=None, species=None)),
            outcome=Outcome.FAIL,
            also=("MAT-05",),
        ),
        Break(
            "the materials are unknown",
            without("materials"),
            outcome=Outcome.INDETERMINATE,
            also=("MAT-01", "MAT-02", "MAT-03", "MAT-05", "MAT-06", "MAT-11", "MAT-12", "MAT-13"),
        ),
    ),
)
def residues_within_limits(dossier: Dossier, _asked: Asked) -> Iterator[Statement]:
    """For each kind of material that leaves a residue and was used: a required line, its limit, and an accepted result."""
    if not dossier.materials:
        yield materials_unknown(dossier)
        return
    tests = settings.word_lists(dossier, "mat09.tests")
    words = settings.word_lists(dossier, "mat09.words")
    used: dict[str, Material] = {}
    for material in dossier.materials:
        for kind in _kinds(material, words):
            used.setdefault(kind, material)
    for kind, material in used.items():
        if kind in tests:
            yield from _measured(dossier, kind, material, tests[kind])
    if not used.keys() & tests.keys():
        yield does_not_apply(dossier.subject, Text("nothing was used that leaves a residue which is tested for"))


def _kinds(material: Material, words: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    said = spoken(" ".join((material.name, material.text, *(each.name for each in material.composition or ()))))

    def tells(kind: str) -> bool:
        return any(spoken(word) in said for word in words.get(kind, ()))

    # What nobody knows is not taken for harmless.
    if material.animal_serum is not False:
        yield "animal_serum"
    if material.human_derived is not False and tells(_LYSATE):
        yield _LYSATE
    # A recombinant enzyme is none of an animal; of what origin one is that nobody knows is not taken for granted.
    if material.animal_derived is not False and tells("animal_enzyme"):
        yield "animal_enzyme"


def _measured(dossier: Dossier, kind: str, material: Material, names: tuple[str, ...]) -> Iterator[Statement]:
    lines = binding_lines(dossier, names)
    if not lines:
        yield fails(
            material.lot,
            Text(
                "{name} was used ({kind}), and the specification asks for no test of what is left of it.",
                name=material.name,
                kind=KIND_NAMES.get(kind, kind),
            ),
            Text("A new version of the specification asks for it, and the lot is tested by that version."),
        )
    for line in lines:
        yield from _limited(dossier, kind, line)
        yield from _within(dossier, line)


def _limited(dossier: Dossier, kind: str, line: Line) -> Iterator[Statement]:
    most = settings.numbers(dossier, "mat09.limits").get(kind)
    if most is None:
        return
    if line.high is None or line.high > most or spoken(line.unit or "") != spoken("ng/dose"):
        yield fails(
            line.test,
            Text("The limit is {limits}; at most {most} ng may be left in a dose.", limits=limits(line), most=most),
            Text("A new version of the specification holds that limit, and the lot is tested by that version."),
        )


def _within(dossier: Dossier, line: Line) -> Iterator[Statement]:
    results = standing_results(dossier, line)
    outside = [each for each in results if fit(line, each) is Fit.OUTSIDE]
    accepted = [each for each in results if fit(line, each) is Fit.WITHIN and is_accepted(each)]
    for each in outside:
        yield wants_waiver(
            line.test,
            Text("{test}: {value}, limit {limits}.", test=line.test, value=value(each), limits=limits(line)),
            Text("Investigate the cause; the quality authority may weigh it for this patient and lot."),
        )
    if accepted:
        yield shows(
            line.test, Text("{value}, limit {limits}, reviewed", value=value(accepted[-1]), limits=limits(line))
        )
    elif not outside:
        yield lacks(
            line.test,
            Text("There is no accepted result for {test}.", test=line.test),
            Text("Have the lot tested; a result counts once it is reviewed."),
        )
