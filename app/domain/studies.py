"""Studies: the words for what they are, and which of the papers about them stands on a day."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Protocol, TypeVar

from app.domain import settings
from app.domain.dossier import Dossier
from app.domain.equipment import day_of
from app.domain.facts import CommitteeDecision, Filing, Institution, InstitutionStatement, Study, StudyLeader
from app.domain.rulebook import Asked, Statement, lacks
from app.domain.text import Text

CHINA = "CN"
TECHNICAL_FILING, DRUG_REGISTRATION = "technical_filing", "drug_registration"
TERTIARY_A = "tertiary_a"
GRADE, ACADEMIC_COMMITTEE, ETHICS_COMMITTEE = "grade", "academic_committee", "ethics_committee"
SATURDAY = 5

PATH_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        TECHNICAL_FILING: Text("technical filing"),
        DRUG_REGISTRATION: Text("registration as a drug"),
    }
)
STAGE_NAMES: Mapping[str, Text] = MappingProxyType(
    {"exploratory": Text("exploratory"), "confirmatory": Text("confirmatory")}
)
RISK_NAMES: Mapping[str, Text] = MappingProxyType({"ordinary": Text("ordinary risk"), "high": Text("high risk")})
CELL_CLASS_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "tissue_stem_cell": Text("stem cells of a tissue"),
        "pluripotent_derived": Text("cells derived from pluripotent cells"),
        "somatic_cell": Text("somatic cells that are no stem cells"),
        "cell_free": Text("something derived from cells, without cells"),
    }
)
CELL_SOURCE_NAMES: Mapping[str, Text] = MappingProxyType(
    {"autologous": Text("the patient's own"), "allogeneic": Text("a donor's")}
)
MANIPULATION_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "ex_vivo_cell": Text("cells worked on outside the body"),
        "ex_vivo_gene": Text("genes of the cells changed outside the body"),
        "none": Text("nothing is done outside the body"),
    }
)
ADMINISTRATION_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "infused": Text("given back by infusion or injection"),
        "implanted": Text("implanted"),
        "other": Text("given in another way"),
    }
)
GRADE_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        TERTIARY_A: Text("tertiary hospital, grade A"),
        "tertiary_b": Text("tertiary hospital, grade B"),
        "secondary": Text("secondary hospital"),
        "other": Text("another institution"),
    }
)
HELD_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        GRADE: Text("the hospital's grade"),
        ACADEMIC_COMMITTEE: Text("the academic committee"),
        ETHICS_COMMITTEE: Text("the ethics committee"),
    }
)
COMMITTEE_NAMES: Mapping[str, Text] = MappingProxyType(
    {"academic": Text("academic committee"), "ethics": Text("ethics committee")}
)
DECISION_NAMES: Mapping[str, Text] = MappingProxyType(
    {"approved": Text("approved"), "refused": Text("refused"), "withdrawn": Text("withdrew its approval")}
)


class Recorded(Protocol):
    """What was written down at a moment."""

    @property
    def recorded_at(self) -> datetime:
        """When."""


R = TypeVar("R", bound=Recorded)


def known_at(records: Iterable[R], at: datetime) -> tuple[R, ...]:
    """What had been recorded by then: a paper that is filed later says nothing of the moment."""
    return tuple(each for each in records if each.recorded_at <= at)


def today(dossier: Dossier, asked: Asked) -> date:
    """The day of the question on the facility's calendar. Raises SettingUnusable."""
    return day_of(asked.at, utc_offset_hours=settings.number(dossier, "facility.utc_offset_hours"))


def no_study(dossier: Dossier) -> Statement:
    """State that the study is not known."""
    return lacks(
        dossier.subject,
        Text("No study stands behind this."),
        Text("Register the study, then judge it."),
    )


def stated(institution: Institution, kind: str, *, at: datetime, day: date) -> InstitutionStatement | None:
    """What was said last of the institution's grade or committee, as far as it had begun; None where nothing was."""
    begun = [each for each in known_at(institution.statements, at) if each.kind == kind and each.valid_from <= day]
    return max(enumerate(begun), key=lambda each: (each[1].valid_from, each[0]))[1] if begun else None


def leader_on(study: Study, *, at: datetime, day: date) -> StudyLeader | None:
    """Who was named last for this day or an earlier one; None where nobody was."""
    begun = [each for each in known_at(study.leaders, at) if each.from_on <= day]
    return max(begun, key=lambda each: (each.from_on, each.id), default=None)


def protocol_to_file(study: Study) -> str:
    """The protocol that committees approve and the authority gets: that of the last substantial version."""
    substantial = [each for each in study.versions if each.substantial]
    return substantial[-1].protocol_version if substantial else study.protocol_version


def decision_of(study: Study, committee: str, protocol: str, *, at: datetime) -> CommitteeDecision | None:
    """What the committee decided last about this protocol; None where it did not."""
    found = [
        each
        for each in known_at(study.decisions, at)
        if each.committee == committee and each.protocol_version == protocol
    ]
    return max(found, key=lambda each: (each.decided_on, each.id), default=None)


def filing_of(study: Study, protocol: str, *, at: datetime) -> Filing | None:
    """The first filing of this protocol; None where there is none."""
    found = [each for each in known_at(study.filings, at) if each.protocol_version == protocol]
    return min(found, key=lambda each: (each.filed_on, each.id), default=None)


def working_days(after: date, until: date, *, days_off: Iterable[str]) -> int:
    """Working days that pass after one day until another, that one counted: no weekends, none of the days off."""
    off = frozenset(days_off)
    days = (after + timedelta(days=number) for number in range(1, (until - after).days + 1))
    return sum(each.weekday() < SATURDAY and each.isoformat() not in off for each in days)
