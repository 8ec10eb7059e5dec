"""Reading a setting out of a dossier, its shape checked. One that is absent or misshapen closes what asks for it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.domain.dossier import Dossier


class SettingUnusable(ValueError):
    """A setting that a rule needs is absent from the dossier or has another shape than it must."""

    def __init__(self, name: str, trouble: str) -> None:
        super().__init__(f"setting {name} {trouble}")
        self.name = name


def number(dossier: Dossier, name: str) -> Decimal:
    """A number. Raises SettingUnusable."""
    value = _value(dossier, name)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise SettingUnusable(name, "is no number")
    return Decimal(value)


def word(dossier: Dossier, name: str) -> str:
    """One word. Raises SettingUnusable."""
    value = _value(dossier, name)
    if not isinstance(value, str):
        raise SettingUnusable(name, "is no word")
    return value


def words(dossier: Dossier, name: str) -> tuple[str, ...]:
    """A list of words. Raises SettingUnusable."""
    return _words(name, _value(dossier, name))


def word_lists(dossier: Dossier, name: str) -> Mapping[str, tuple[str, ...]]:
    """Lists of words by name. Raises SettingUnusable."""
    value = _object(name, _value(dossier, name))
    return {key: _words(name, each) for key, each in value.items()}


def numbers(dossier: Dossier, name: str) -> Mapping[str, Decimal]:
    """Numbers by name. Raises SettingUnusable."""
    value = _object(name, _value(dossier, name))
    if any(isinstance(each, bool) or not isinstance(each, int | Decimal) for each in value.values()):
        raise SettingUnusable(name, "holds what is no number")
    return {key: Decimal(each) for key, each in value.items()}


def objects(dossier: Dossier, name: str) -> Mapping[str, Mapping[str, Any]]:
    """Objects by name, whose own fields the asker checks. Raises SettingUnusable."""
    value = _object(name, _value(dossier, name))
    return {key: _object(name, each) for key, each in value.items()}


def _value(dossier: Dossier, name: str) -> object:
    if name not in dossier.settings:
        raise SettingUnusable(name, "is missing")
    value: object = dossier.settings[name].value
    return value


def _words(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
        raise SettingUnusable(name, "is no list of words")
    return tuple(value)


def _object(name: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not value:
        raise SettingUnusable(name, "is no object")
    return value
