"""Controlled documents: what of the quality system each regulates, and which version is in effect at a moment."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType

from app.domain.facts import Document
from app.domain.text import Text

TYPE_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "procedures": Text("standard operating procedures"),
        "environmental_monitoring": Text("environmental monitoring"),
        "equipment": Text("equipment"),
        "training": Text("training"),
        "deviation": Text("deviations"),
        "change": Text("change control"),
        "complaint": Text("complaints"),
        "recall": Text("recall"),
        "quality_manual": Text("quality manual"),
        "cleaning": Text("cleaning and disinfection"),
        "validation": Text("qualification and validation"),
        "supplier": Text("suppliers"),
        "other": Text("another document"),
    }
)
"""Words for what a document regulates; a laboratory's setting may name further ones."""


def in_effect(documents: Iterable[Document], at: datetime) -> tuple[Document, ...]:
    """Of each number the last version that was approved by another person and in effect at the moment."""
    newest: dict[str, Document] = {}
    for each in documents:
        before = newest.get(each.number)
        if _stood(each, at) and (before is None or each.version > before.version):
            newest[each.number] = each
    return tuple(newest.values())


def _stood(each: Document, at: datetime) -> bool:
    return (
        each.approved_by is not None
        and each.approved_by != each.proposed_by
        and each.approved_at is not None
        and each.approved_at <= at
        and each.effective_from <= at
    )
