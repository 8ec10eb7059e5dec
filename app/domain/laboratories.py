"""Laboratories outside: what accredits each for which test on which day, and whether it stands apart."""

import unicodedata
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from app.domain import settings
from app.domain.dossier import Dossier
from app.domain.facts import Accreditation, IndependenceDeclaration, Laboratory, RetestedItem, Study
from app.domain.rulebook import Asked, Statement, fails, lacks, shows
from app.domain.studies import known_at, today
from app.domain.text import Text

STERILITY, MYCOPLASMA, ENDOTOXIN, EXOGENOUS_VIRUSES = "sterility", "mycoplasma", "endotoxin", "exogenous_viruses"
TEST_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        STERILITY: Text("sterility"),
        MYCOPLASMA: Text("mycoplasma"),
        ENDOTOXIN: Text("endotoxin"),
        EXOGENOUS_VIRUSES: Text("exogenous viruses"),
    }
)
"""What is tested again of every sample."""
BY_STATUTE = "nifdc"
"""The kind that stands by law, and so without an end."""
ACCREDITATION_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "cma": Text("CMA, metrology accreditation"),
        "cnas": Text("CNAS, laboratory accreditation"),
        "nifdc": Text("national institute for food and drug control"),
        "other": Text("another accreditation"),
    }
)
END_NAMES: Mapping[str, Text] = MappingProxyType(
    {"lapsed": Text("lapsed"), "suspended": Text("suspended"), "withdrawn": Text("withdrawn")}
)


def accredited(dossier: Dossier, asked: Asked, laboratory: Laboratory, result: RetestedItem) -> Statement:
    """Whether the laboratory was accredited for this test, by its method, on the day of testing."""
    kinds, name, test = settings.words(dossier, "tpr02.kinds"), laboratory.name, TEST_NAMES[result.test]
    known = [each for each in known_at(laboratory.accreditations, asked.at) if each.kind in kinds]
    if not known:
        return lacks(
            name,
            Text("{name}: no accreditation that qualifies a third party is on record.", name=name),
            Text("Record the accreditation with its scope, or have the test done by a qualified laboratory."),
        )
    covering = [each for each in known if _covers(each, result)]
    if not covering:
        return fails(
            name,
            Text("{name}: its scope has no {test} by {method}.", name=name, test=test, method=result.method),
            Text("Have the test done by a laboratory whose scope covers it."),
        )
    day = result.tested_on
    in_force = [each for each in covering if _in_force(each, laboratory, asked, day) and _newest(each, known, day)]
    if not in_force:
        return fails(
            name,
            Text("{name}: not accredited for {test} on {day}, when it was tested.", name=name, test=test, day=day),
            Text("Have the test done again by a laboratory that is accredited on the day of testing."),
        )
    return shows(
        name,
        Text(
            "{test}: {name}, {kind} {number}",
            test=test,
            name=name,
            kind=ACCREDITATION_NAMES[in_force[-1].kind],
            number=in_force[-1].number,
        ),
    )


def _covers(accreditation: Accreditation, result: RetestedItem) -> bool:
    return any(each.test == result.test and plain(each.method) == plain(result.method) for each in accreditation.scope)


def _in_force(accreditation: Accreditation, laboratory: Laboratory, asked: Asked, day: date) -> bool:
    ended = any(
        (each.kind, each.number) == (accreditation.kind, accreditation.number)
        and accreditation.valid_from <= each.ended_on <= day
        for each in known_at(laboratory.ends, asked.at)
    )
    return accreditation.valid_from <= day <= (accreditation.valid_to or day) and not ended


def _newest(accreditation: Accreditation, known: list[Accreditation], day: date) -> bool:
    """Whether no later paper of the same number had taken its place by then: a scope that was narrowed is narrow."""
    return not any(
        (each.kind, each.number) == (accreditation.kind, accreditation.number)
        and each.valid_from <= day
        and (each.valid_from, each.id) > (accreditation.valid_from, accreditation.id)
        for each in known
    )


def apart(dossier: Dossier, asked: Asked, study: Study, laboratory: Laboratory) -> Statement:
    """Whether the laboratory stands apart from the study's institution and from this facility."""
    name = laboratory.name
    own = {plain(each) for each in (study.institution.name, study.sponsor.name, study.house or "")}
    own |= {plain(each.name) for each in study.partners if each.kind == "preparation"}
    elsewhere = Text("Have it tested by a laboratory that stands apart from whoever prepares and whoever treats.")
    if plain(name) in own - {""}:
        return fails(name, Text("{name} takes part in the study itself and is no third party.", name=name), elsewhere)
    declared = declared_about(laboratory, study.institution.name, asked, day=today(dossier, asked))
    if declared is None:
        return lacks(
            name,
            Text(
                "{name}: nobody has declared that it stands apart from {other}.",
                name=name,
                other=study.institution.name,
            ),
            Text("Record who declares its independence and on what evidence."),
        )
    if not (declared.not_the_institution and declared.not_the_facility and declared.no_common_control):
        return fails(
            name, Text("{name} does not stand apart, as {by} declared.", name=name, by=declared.declared_by), elsewhere
        )
    return shows(
        name,
        Text(
            "{name} stands apart: {by}, {day}, {evidence}",
            name=name,
            by=declared.declared_by,
            day=declared.declared_on,
            evidence=declared.evidence,
        ),
    )


def declared_about(
    laboratory: Laboratory, institution: str, asked: Asked, *, day: date
) -> IndependenceDeclaration | None:
    """What was declared last about the laboratory and this institution; None where nothing was."""
    found = [
        each
        for each in known_at(laboratory.declarations, asked.at)
        if each.institution == institution and each.declared_on <= day
    ]
    return max(found, key=lambda each: (each.declared_on, each.id), default=None)


def plain(name: str) -> str:
    """A name without what writing changes: width, case, spaces and signs."""
    return "".join(each for each in unicodedata.normalize("NFKC", name).casefold() if each.isalnum())
