"""Risk assessments: on which rules one may stand, what each may be about, and which stood at a moment."""

from collections.abc import Iterable, Iterator, Mapping
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
        "DON-02": (DONOR,),
        "DON-04": (DONOR,),
        "DON-05": (FACILITY, PROCESS, DONOR),
        "DON-06": (DONOR,),
        "DON-08": (DONOR,),
        "GM-02": (PROCESS,),
        "GM-04": (PROCESS,),
        "MAT-02": (MATERIAL,),
        "MAT-04": (MATERIAL,),
        "TPR-06": (LOT,),
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
        "guide_choice": Text("a guide or editor chosen for few off-target edits"),
        "off_target_monitoring": Text("a look for off-target edits in what is given"),
        "packaging_split": Text("packaging functions kept on separate plasmids"),
        "self_inactivating": Text("a self-inactivating vector"),
        "virus_testing": Text("every lot tested for replication-competent virus"),
        "patient_follow_up": Text("patients followed up for it"),
        "medicinal_search": Text("a documented search for one of medicinal grade"),
        "animal_free_search": Text("a documented search for one without animal origin"),
        "residual_removal": Text("washing or another removal that was validated"),
        "residual_test": Text("a test for what remains in the product"),
        "incoming_test": Text("a test of each lot when it arrives"),
        "supplier_audit": Text("an audit of the supplier"),
        "stability_data": Text("stability data at the temperatures reached"),
    }
)
"""Words for the controls as shipped; a laboratory's setting may name further ones."""

ABOUT_MATERIALS = (
    "medicinal_search",
    "animal_free_search",
    "residual_removal",
    "residual_test",
    "incoming_test",
    "supplier_audit",
)
"""What carries out the measures of an assessment about a material."""

ABOUT_SAMPLES = ("stability_data", "medical_review")
"""What carries out the measures of an assessment about a sample's way."""


ABOUT_GENES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "GM-02": ("guide_choice", "off_target_monitoring", "patient_follow_up"),
        "GM-04": ("packaging_split", "self_inactivating", "virus_testing", "patient_follow_up"),
    }
)
"""What carries out the measures of an assessment of changed genes."""


def stood(dossier: Dossier, rule: str, at: datetime) -> Iterator[Assessment]:
    """The assessments for the rule that stood at the moment: approved by another, in force, not yet superseded."""
    return (each for each in dossier.assessments or () if each.rule == rule and _stood(dossier, each, at))


def is_about_donor(assessment: Assessment, donor: Donor) -> bool:
    """Whether the assessment is about this very donor."""
    return assessment.scope_kind == DONOR and assessment.scope == donor.pseudonym


def excuses(dossier: Dossier, rule: str, donor: Donor, *, began: datetime, at: datetime) -> Assessment | None:
    """The assessment of the rule about this donor that stands, where one stood already when processing began."""
    stands = next((each for each in stood(dossier, rule, at) if is_about_donor(each, donor)), None)
    stood_then = any(is_about_donor(each, donor) for each in stood(dossier, rule, began))
    return stands if stood_then else None


def is_about_work(assessment: Assessment, dossier: Dossier) -> bool:
    """Whether the assessment is about the facility, or about the process version that the dossier's lot follows."""
    if assessment.scope_kind == PROCESS:
        process = dossier.process
        return process is not None and assessment.scope == f"{process.name} {process.version}"
    return assessment.scope_kind == FACILITY


def about_material(dossier: Dossier, rule: str, name: str, at: datetime) -> Assessment | None:
    """The assessment of this material for the rule that stood at the moment; the newest, None where none did."""
    found = [each for each in stood(dossier, rule, at) if each.scope_kind == MATERIAL and each.scope == name]
    return max(found, key=lambda each: (each.approved_at or at, each.version), default=None)


def carries(assessment: Assessment, controls: Iterable[str]) -> bool:
    """Whether one of its measures is carried out by one of these controls."""
    wanted = set(controls)
    return any(each.control in wanted and each.measure.strip() for each in assessment.mitigations)


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
