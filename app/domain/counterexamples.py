"""Edits of a dossier, so that a counterexample is one line. Each leaves its argument as it was."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeAlias

from app.domain.dossier import Dossier
from app.domain.facts import Setting

Edit: TypeAlias = Callable[[Dossier], Dossier]


def without(*sections: str) -> Edit:
    """Sections become unknown."""
    return lambda dossier: _with(dossier, dict.fromkeys(sections))


def empty(*sections: str) -> Edit:
    """Sections become known to be empty."""
    return lambda dossier: _with(dossier, dict.fromkeys(sections, ()))


def every(section: str, **changes: object) -> Edit:
    """Every record of a section is changed in the same way."""
    return lambda dossier: _with(dossier, {section: tuple(_with(each, changes) for each in _records(dossier, section))})


def nth(section: str, index: int, **changes: object) -> Edit:
    """One record of a section is changed."""

    def edit(dossier: Dossier) -> Dossier:
        records = list(_records(dossier, section))
        records[index] = _with(records[index], changes)
        return _with(dossier, {section: tuple(records)})

    return edit


def where(section: str, field: str, value: object, **changes: object) -> Edit:
    """The records of a section whose field has the value are changed. Raises LookupError where there is none."""

    def edit(dossier: Dossier) -> Dossier:
        records = tuple(_records(dossier, section))
        if not any(getattr(each, field) == value for each in records):
            raise LookupError(f"{section} has no record whose {field} is {value!r}")
        changed = tuple(_with(each, changes) if getattr(each, field) == value else each for each in records)
        return _with(dossier, {section: changed})

    return edit


def drop(section: str, field: str, value: object) -> Edit:
    """The records of a section whose field has the value are left out. Raises LookupError where there is none."""

    def edit(dossier: Dossier) -> Dossier:
        records = tuple(_records(dossier, section))
        kept = tuple(each for each in records if getattr(each, field) != value)
        if len(kept) == len(records):
            raise LookupError(f"{section} has no record whose {field} is {value!r}")
        return _with(dossier, {section: kept})

    return edit


def add(section: str, *records: object) -> Edit:
    """Records are added to a section."""
    return lambda dossier: _with(dossier, {section: (*_records(dossier, section), *records)})


def part(name: str, **changes: object) -> Edit:
    """A part that stands once (lot, process, plan, ...) is changed."""
    return lambda dossier: _with(dossier, {name: _with(getattr(dossier, name), changes)})


def within(name: str, edit: Callable[[Any], object]) -> Edit:
    """A section or part becomes what the function makes of it."""
    return lambda dossier: _with(dossier, {name: edit(getattr(dossier, name))})


def setting(name: str, value: object) -> Edit:
    """A setting has another value."""
    return lambda dossier: replace(dossier, settings={**dossier.settings, name: Setting(99, value)})


def all_of(*edits: Edit) -> Edit:
    """Several edits one after the other."""

    def edit(dossier: Dossier) -> Dossier:
        for each in edits:
            dossier = each(dossier)
        return dossier

    return edit


def _records(dossier: Dossier, section: str) -> Iterable[Any]:
    records = getattr(dossier, section)
    if not records:
        raise LookupError(f"the dossier has no {section} to edit")
    return tuple(records)


def _with(record: Any, changes: dict[str, Any] | dict[str, object]) -> Any:  # noqa: ANN401  any fact
    return replace(record, **changes)
