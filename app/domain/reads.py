"""Which settings a rule reads, told by its own code, so that no list beside it can fall behind."""

from __future__ import annotations

from collections.abc import Mapping
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from app.domain.rulebook import Rule

OURS = ("app.rules.", "app.domain.")


def settings_read(rule: Rule, *, known: Collection[str]) -> tuple[str, ...]:
    """The names among `known` that stand in the rule's check or in what it calls of ours, in order.

    It may name one too many, where a helper reads a setting for another caller; it never names one too few, unless a
    name is put together while the rule runs.
    """
    seen: set[int] = set()
    found: set[str] = set()
    waiting: list[object] = [rule.check]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, str):
            found.add(each)
        elif isinstance(each, tuple | frozenset):
            waiting.extend(each)
        elif isinstance(each, Mapping):
            waiting.extend(each.values())
        else:
            waiting.extend(_within(each))
    return tuple(sorted(found & set(known)))


def _within(thing: object) -> Iterator[object]:
    function = getattr(thing, "__wrapped__", thing)
    if isinstance(function, FunctionType) and function.__module__.startswith(OURS):
        names: set[str] = set()
        for code in _codes(function.__code__):
            names.update(code.co_names)
            yield from (each for each in code.co_consts if isinstance(each, str | tuple | frozenset))
        for name in names:
            value = function.__globals__.get(name)
            yield value
            if isinstance(value, ModuleType) and value.__name__.startswith(OURS):
                yield from (getattr(value, other) for other in names if hasattr(value, other))
    elif isinstance(thing, type) and thing.__module__.startswith(OURS):
        yield from vars(thing).values()


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _codes(each)
