"""Risk assessments: on which rules one may stand, what each may be about, and which stood at a moment."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType

from app.domain.dossier import Dossier
from app.domain.facts import Assessment, Donor
from app.domain.text import Text

FACILITY, PROCESS, DONOR, LOT, MATERIAL = "facility", "process", "donor", "lot", "material"

SCOPE_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        FACILITY: Text("the whole facility"),
        PROCESS: Text("a process version"),
        DONOR: Text("one donor"),
        LOT: Text("one lot"),
        MATERIAL: Text("a material"),
    }
)
SCOPES_OF: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "DON-04": (DONOR,),
        "DON-05": (FACILITY, PROCESS, DONOR),
    }
)
"""The rules on which an assessment may stand, and what it may then be about. On no other rule does one stand."""

RULES_ON_ASSESSMENT = tuple(SCOPES_OF)

GROUP_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "containment": Text("containment in place or time"),
        "storage": Text("storage"),
        "protective_clothing": Text("protective clothing"),
        "cleaning": Text("cleaning"),
        "waste": Text("waste"),
    }
)
CONTROL_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "dedicated_incubator": Text("an incubator for one donor"),
        "dedicated_workstation": Text("a workstation for one donor"),
        "closed_system": Text("a closed system"),
        "time_slot": Text("one donor at a time"),
        "vapour_tank": Text("storage in vapour"),
        "segregated_tank": Text("a tank set apart"),
        "protective_clothing": Text("protective clothing"),
        "cleaning": Text("cleaning between donors"),
        "waste": Text("waste kept apart"),
        "medical_review": Text("a physician's decision on record"),
    }
)
"""Words for the controls as shipped; a laboratory's setting may name further ones."""


def stood(dossier: Dossier, rule: str, at: datetime) -> Iterator[Assessment]:
    """The assessments for the rule that stood at the moment: approved by another, in force, not yet superseded."""
    return (each for each in dossier.assessments or () if each.rule == rule and _stood(dossier, each, at))


def is_about_donor(assessment: Assessment, donor: Donor) -> bool:
    """Whether the assessment is about this very donor."""
    return assessment.scope_kind == DONOR and assessment.scope == donor.pseudonym


def is_about_work(assessment: Assessment, dossier: Dossier) -> bool:
    """Whether the assessment is about the facility, or about the process version that the dossier's lot follows."""
    if assessment.scope_kind == PROCESS:
        process = dossier.process
        return process is not None and assessment.scope == f"{process.name} {process.version}"
    return assessment.scope_kind == FACILITY


def named(assessment: Assessment) -> str:
    """An assessment as people cite it."""
    return f"{assessment.number} v{assessment.version}"


def _stood(dossier: Dossier, assessment: Assessment, at: datetime) -> bool:
    return _holds(assessment, at) and not _was_superseded(dossier, assessment, at)


def _holds(assessment: Assessment, at: datetime) -> bool:
    return (
        assessment.approved_by is not None
        and assessment.approved_by != assessment.proposed_by
        and assessment.approved_at is not None
        and assessment.approved_at <= at
        and assessment.valid_from <= at < assessment.valid_to
    )


def _was_superseded(dossier: Dossier, assessment: Assessment, at: datetime) -> bool:
    later = [
        each
        for each in dossier.assessments or ()
        if each.number == assessment.number and each.version > assessment.version and each.approved_at is not None
    ]
    # One that is said to be superseded by a version that is not shown stands at no moment.
    return assessment.superseded if not later else any(each.approved_at <= at for each in later if each.approved_at)
