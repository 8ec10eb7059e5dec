"""Partners: the words for what they are, what is assessed of each, and until when it counts."""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType

from app.domain.facts import Partner, PartnerAssessment, QualityAgreement, Severity
from app.domain.text import Text

KIND_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "preparation": Text("prepares cells"),
        "collection": Text("collects material"),
        "testing": Text("tests samples"),
        "transport": Text("carries what is prepared"),
        "technical_support": Text("gives technical support"),
    }
)
SECTION_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "qualification": Text("qualification"),
        "facilities": Text("facilities"),
        "quality_system": Text("quality system"),
    }
)
"""What every assessment of a partner looks at."""
DUTY_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "preparation": Text("preparation"),
        "testing": Text("testing"),
        "release": Text("release"),
        "transport": Text("transport"),
        "records": Text("records"),
        "data_access": Text("access to the data"),
    }
)
BEARER_NAMES: Mapping[str, Text] = MappingProxyType(
    {"house": Text("this house"), "partner": Text("the partner"), "both": Text("both"), "nobody": Text("nobody")}
)
PAPER_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "batch_record": Text("batch record"),
        "analysis": Text("certificate of analysis"),
        "release": Text("the partner's release"),
    }
)
COVERED_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "equipment": Text("equipment was qualified and calibrated"),
        "clean_area": Text("the clean area was classified and monitored, within its limits"),
        "training": Text("everybody was qualified for what they did"),
        "deviations": Text("every deviation was assessed, and none speaks against the lot"),
    }
)
"""What a partner's release may state of its own house, where this house has no records of its own."""
FINDING_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        Severity.MINOR.value: Text("minor"),
        Severity.MAJOR.value: Text("major"),
        Severity.CRITICAL.value: Text("critical"),
    }
)


def months_later(day: date, months: int) -> date:
    """The same day of a later month; the last of it where the month is shorter."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def decided(partner: Partner, at: datetime) -> PartnerAssessment | None:
    """The assessment that was signed last by then, by somebody else than who wrote it; None where none was."""
    signed = [each for each in partner.assessments if each.signed_at <= at and each.signed_by != each.recorded_by]
    return max(signed, key=lambda each: (each.signed_at, each.id), default=None)


def agreed(partner: Partner, process: str, *, at: datetime, day: date) -> QualityAgreement | None:
    """The last agreement about this process version that was signed and recorded by then; None where there is none."""
    found = [
        each
        for each in partner.agreements
        if each.process == process and each.recorded_at <= at and each.signed_on <= day
    ]
    return max(found, key=lambda each: (each.signed_on, each.id), default=None)
