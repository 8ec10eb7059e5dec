"""MAT-04: a material of animal origin is used only where a signed assessment says why nothing else will do."""

from collections.abc import Iterator
from typing import Any

from app.domain import settings
from app.domain.assessments import about_material, carries, named
from app.domain.counterexamples import Edit, all_of, assessed_material, every, setting, within
from app.domain.dossier import Dossier
from app.domain.facts import Material, SubjectKind
from app.domain.materials import made_here, materials_unknown
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
from app.domain.sources import GUIDELINE
from app.domain.text import Text

_SEARCHED = ("recombinant and plant products searched", "animal_free_search")
_TESTED = ("what remains is measured in each lot", "residual_test")
_G1: dict[str, Any] = {"gate": Gate.G1, "kind": SubjectKind.MATERIAL_LOT}


def _animal(*measures: tuple[str, str], **changes: object) -> Edit:
    return all_of(every("materials", animal_derived=True), assessed_material("MAT-04", *measures, **changes))


@rule(
    "MAT-04",
    Text("A material of animal origin is justified"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text(
                "Materials of animal origin are avoided; where one is used it is said why, and what remains is tested."
            ),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G1,),
    waiver=NEVER,
    breaks=(
        Break("of animal origin, and nothing justifies it", every("materials", animal_derived=True), **_G1),
        Break(
            "whether it is of animal origin is unknown",
            every("materials", animal_derived=None),
            **_G1,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "animal serum that is said to be of no animal",
            all_of(every("materials", animal_serum=True), every("materials", animal_derived=False)),
            **_G1,
            also=("MAT-05",),
        ),
        Break("nobody looked for another", _animal(_TESTED), **_G1),
        Break("nothing is done about what remains", _animal(_SEARCHED), **_G1),
        Break("the justification is of another material", _animal(_SEARCHED, _TESTED, scope="trypsin"), **_G1),
        Break("whoever proposed it approved it", _animal(_SEARCHED, _TESTED, approved_by="quinn"), **_G1),
        Break(
            "what a justification must have is not set",
            all_of(_animal(_SEARCHED, _TESTED), setting("mat04.measures", {})),
            **_G1,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "nothing is known of the material",
            within("materials", lambda _: None),
            **_G1,
            outcome=Outcome.INDETERMINATE,
            also=("GM-07", "MAT-01", "MAT-02", "MAT-03", "MAT-05", "MAT-06", "MAT-07", "MAT-08", "MAT-12", "MAT-13"),
        ),
    ),
)
def animal_origin_justified(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Ask for an approved assessment about this material when its lot is to be approved."""
    for material in dossier.materials or ():
        if material.kind == "prepared":
            yield shows(material.lot, made_here(material))
        elif material.animal_derived is None:
            yield lacks(
                material.lot,
                Text("It is not stated whether {name} is of animal origin.", name=material.name),
                Text("Have the supplier state it, and the QA manager record it of the material."),
            )
        elif material.animal_derived:
            yield from _justified(dossier, asked, material)
        elif material.animal_serum:
            yield fails(
                material.lot,
                Text("{name} holds animal serum, and is stated to be of no animal origin.", name=material.name),
                Text("Have the QA manager state the origin of the material as it is."),
            )
        else:
            yield shows(material.lot, Text("{name} is of no animal origin", name=material.name))
    if not dossier.materials:
        yield materials_unknown(dossier)


def _justified(dossier: Dossier, asked: Asked, material: Material) -> Iterator[Statement]:
    assessment = about_material(dossier, "MAT-04", material.name, asked.at)
    if assessment is None:
        yield fails(
            material.lot,
            Text("{name} is of animal origin, and no approved assessment says why it is used.", name=material.name),
            Text("Use one without animal origin, or propose an assessment that says where one was looked for."),
        )
        return
    wanted = settings.word_lists(dossier, "mat04.measures")
    open_ends = [group for group, controls in wanted.items() if not carries(assessment, controls)]
    for group in open_ends:
        yield fails(
            material.lot,
            Text(
                "{assessment} of {name} has no measure of this kind: {group}.",
                assessment=named(assessment),
                name=material.name,
                group=_GROUPS.get(group, Text("{group}", group=group)),
            ),
            Text("Propose a new version that has it, and have the quality authority approve it."),
        )
    if not open_ends:
        yield shows(
            material.lot,
            Text(
                "{name} of animal origin, justified by {assessment}", name=material.name, assessment=named(assessment)
            ),
        )


_GROUPS = {
    "alternative": Text("a search for one without animal origin"),
    "residue": Text("what remains of it in the product"),
}
