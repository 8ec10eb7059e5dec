"""Views as plain values: every dataclass a dict, every Text said or kept as the caller wants."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from app.domain.text import Text


def spoken(value: Any, say: Callable[[Text], Any]) -> Any:
    """The same value with each Text replaced by what `say` makes of it, and dataclasses by dicts."""
    match value:
        case Text():
            return say(value)
        case tuple() | list():
            return [spoken(each, say) for each in value]
        case Mapping():
            return {name: spoken(each, say) for name, each in value.items()}
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {each.name: spoken(getattr(value, each.name), say) for each in fields(value)}
        case _:
            return value


def respoken(kept: Any, say: Callable[[Text], Any]) -> Any:
    """What `spoken(value, Text.to_json)` kept, said again."""
    match kept:
        case {"text": str(), "values": dict()} if len(kept) == 2:
            return say(Text.from_json(kept))
        case dict():
            return {name: respoken(each, say) for name, each in kept.items()}
        case list():
            return [respoken(each, say) for each in kept]
        case _:
            return kept
