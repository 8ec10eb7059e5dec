"""Words shown to people, kept as a template and its values so that any language can say them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeAlias, Union

JSON: TypeAlias = bool | int | float | str | list["JSON"] | dict[str, "JSON"] | None
Translate: TypeAlias = Callable[[str], str]
Value: TypeAlias = Union[str, int, "Text", tuple[Union[str, "Text"], ...]]
Given: TypeAlias = Value | float | Decimal | date | datetime


@dataclass(frozen=True, slots=True, init=False)
class Text:
    """An English sentence with `{name}` placeholders; the template is also the catalogue's key.

    Values may be texts themselves, or tuples of them, which are listed. Moments are said in UTC.
    """

    template: str
    values: tuple[tuple[str, Value], ...]

    def __init__(self, template: str, /, **values: Given) -> None:
        object.__setattr__(self, "template", template)
        object.__setattr__(self, "values", tuple((name, _plain(value)) for name, value in sorted(values.items())))

    def __str__(self) -> str:
        return self.translated(_as_it_is)

    def translated(self, gettext: Translate) -> str:
        """The sentence in the language of `gettext`. A translation with a wrong placeholder falls back to English."""
        said = {name: _said(value, gettext) for name, value in self.values}
        try:
            return gettext(self.template).format_map(said)
        except (KeyError, IndexError, ValueError, AttributeError):
            return self.template.format_map(said)

    def to_json(self) -> dict[str, JSON]:
        """`{"text": template, "values": {...}}`, for what is kept and must be said again in any language."""
        return {"text": self.template, "values": {name: _to_json(value) for name, value in self.values}}

    @classmethod
    def from_json(cls, kept: Mapping[str, JSON]) -> "Text":
        """The text that `to_json` kept. Raises ValueError for anything else."""
        template, values = kept.get("text"), kept.get("values")
        if not isinstance(template, str) or not isinstance(values, dict):
            raise ValueError("not a kept text")  # noqa: TRY004  one error for every malformed record
        return cls(template, **{name: _from_json(value) for name, value in values.items()})


LIST_SEPARATOR = Text(", ")


def _as_it_is(message: str) -> str:
    return message


def _plain(value: Given) -> Value:
    match value:
        case datetime():
            if value.tzinfo is None:
                raise ValueError("a moment without a time zone cannot be shown")
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        case date():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case float():
            return f"{value:.12g}"
        case str():
            return str(value)  # an enumeration's member becomes its plain text
        case _:
            return value


def _said(value: Value, gettext: Translate) -> str:
    match value:
        case Text():
            return value.translated(gettext)
        case tuple():
            return gettext(LIST_SEPARATOR.template).join(_said(each, gettext) for each in value)
        case _:
            return str(value)


def _to_json(value: Value) -> JSON:
    match value:
        case Text():
            return value.to_json()
        case tuple():
            return [_to_json(each) for each in value]
        case _:
            return value


def _from_json(value: JSON) -> Value:
    match value:
        case dict():
            return Text.from_json(value)
        case list():
            return tuple(Text.from_json(each) if isinstance(each, dict) else str(each) for each in value)
        case str() | int():
            return value
        case _:
            raise ValueError("not a kept text")
