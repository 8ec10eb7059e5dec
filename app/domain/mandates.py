"""Who answers for a level of the house, and which process versions the facility may run."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType

from app.domain.facts import Authorisation, Responsibility
from app.domain.text import Text

LEVEL_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "institution": Text("the study institution"),
        "study": Text("the study"),
        "facility": Text("the preparation facility"),
    }
)


def covers(responsibility: Responsibility, at: datetime) -> bool:
    """Whether the period of a responsibility holds the moment, accepted or not."""
    return responsibility.from_at <= at and (responsibility.until_at is None or at < responsibility.until_at)


def answered(responsible: Iterable[Responsibility], level: str, at: datetime) -> Responsibility | None:
    """Who answered for a level at a moment, having accepted it before. None where nobody did."""
    return next(
        (each for each in responsible if each.level == level and covers(each, at) and each.accepted_at <= at), None
    )


def authorised(authorisations: Iterable[Authorisation], process: str, at: datetime) -> Authorisation | None:
    """The authorisation of a process version that stood at a moment, signed before it by another person."""
    return next(
        (
            each
            for each in authorisations
            if each.process == process
            and each.approved_by is not None
            and each.approved_by != each.proposed_by
            and each.approved_at is not None
            and each.approved_at <= at
            and each.valid_from <= at < each.valid_to
        ),
        None,
    )
