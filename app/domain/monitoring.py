"""Clean areas: what a room or a workstation was classified as at a moment, and what monitoring said of a session."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType

from app.domain.facts import Classification, Monitored
from app.domain.text import Text

KIND_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "settle": Text("settle plate"),
        "contact": Text("contact plate"),
        "glove": Text("glove print"),
        "air": Text("air sample"),
        "particles_05": Text("particles of 0.5 µm and more"),
        "particles_5": Text("particles of 5 µm and more"),
    }
)
GRADE_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "A": Text("grade A"),
        "B": Text("grade B"),
        "C": Text("grade C"),
        "D": Text("grade D"),
        "isolator": Text("isolator"),
        "closed": Text("closed system"),
    }
)
GRADES = ("A", "B", "C", "D")
GROWS = frozenset({"settle", "contact", "glove", "air"})
"""What is read as growth; the others count particles."""


def classified(classes: Iterable[Classification], *, at: datetime, day: date) -> str | None:
    """The grade by the last classification that stood recorded at a moment and counted on its day. None without one."""
    known = [each for each in classes if each.recorded_at <= at and each.classified_on <= day]
    last = max(known, key=lambda each: (each.classified_on, each.id), default=None)
    return last.grade if last is not None and day <= last.due_on else None


def worst(monitored: Monitored) -> Decimal | None:
    """The highest of its readings; None while it is pending."""
    return max((each.value for each in monitored.readings), default=None)


def limit_of(limits: Mapping[str, Decimal], kind: str, grade: str) -> Decimal | None:
    """The action limit, above which a value is an excursion. None where none is set."""
    return limits.get(f"{kind}:{grade}")


def wanted_of(required: Iterable[str], *, room_grade: str) -> tuple[tuple[str, str], ...]:
    """What a session must monitor: pairs of a kind and a grade, the room's where the setting says so."""
    pairs = (each.partition(":") for each in required)
    return tuple((kind, room_grade if grade == "room" else grade) for kind, _, grade in pairs)
