"""The shapes that a setting's value may have, and what is wrong with a value of another shape."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias
from unicodedata import category, normalize

from app.domain.text import JSON, Text

WORD_LONGEST = 200
ENTRIES_MOST = 200
DIGITS_MOST = 15
DOES_NOT_SHOW = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Number:
    """A number within limits, both included; `whole` where no fraction is taken."""

    least: Decimal
    most: Decimal
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """One word or line; one of `among` where that is named, a day of the calendar where `day` says so."""

    among: tuple[str, ...] = ()
    day: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """A list of words, none twice, at least one; of `among` where that is named."""

    among: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """Fields by name, all of them there and no other."""

    fields: Mapping[str, Number | Word | Words]


@dataclass(frozen=True, slots=True)
class ByName:
    """Entries by name. `always` may not be left out; where `only` is named, no other is taken."""

    of: Number | Words | Record
    always: tuple[str, ...] = ()
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rows:
    """Records one after the other; `key` is the field by which they are told apart."""

    of: Record
    key: str


Shape: TypeAlias = Number | Word | Words | Record | ByName | Rows


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong, and where: the name of an entry and its field, as far as the value has such."""

    where: tuple[str, ...]
    problem: Text
    remedy: Text


def wrong_in(shape: Shape, value: JSON, where: tuple[str, ...] = ()) -> Iterator[Wrong]:
    """Everything that keeps the value from having the shape; nothing where it fits."""
    match shape:
        case Number():
            yield from _number(shape, value, where)
        case Word():
            yield from _word(shape, value, where)
        case Words():
            yield from _words(shape, value, where)
        case Record():
            yield from _record(shape, value, where)
        case ByName():
            yield from _by_name(shape, value, where)
        case Rows():
            yield from _rows(shape, value, where)


def as_number(value: Any) -> Decimal | None:
    """The number that JSON holds; None for what is none, and for what is no finite one."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = Decimal(str(value))
    return number if number.is_finite() else None


def shape_of(value: JSON) -> Shape:
    """The shape that a value has, for a setting that the registry does not describe. Raises ValueError for none."""
    match value:
        case bool() | None:
            raise ValueError("a setting is no truth value and not nothing")
        case int() | float():
            return Number(Decimal(-(10**12)), Decimal(10**12))
        case str():
            return Word()
        case list() if value and all(isinstance(each, dict) for each in value):
            fields = _shape_of_record(value[0])
            return Rows(fields, next(iter(fields.fields)))
        case list():
            return Words()
        case dict() if value:
            inner = shape_of(next(iter(value.values())))
            if isinstance(inner, Number | Words):
                return ByName(inner)
            if isinstance(inner, Word):
                return _shape_of_record(value)
            return ByName(_shape_of_record(next(iter(value.values()))))
    raise ValueError("no setting has such a value")


def _shape_of_record(value: JSON) -> Record:
    if not isinstance(value, dict):
        raise ValueError("no setting has such a value")  # noqa: TRY004  one error for every value without a shape
    read = {name: shape_of(each) for name, each in value.items()}
    return Record({name: each for name, each in read.items() if isinstance(each, Number | Word | Words)})


def _number(shape: Number, value: JSON, where: tuple[str, ...]) -> Iterator[Wrong]:
    number = as_number(value)
    if number is None:
        yield Wrong(where, Text("It is not a number."), Text("Write it as 12.5 or as 1.2e6, without its unit."))
    elif number < shape.least:
        yield Wrong(where, Text("It is less than {least}.", least=shape.least), Text("Correct the number."))
    elif number > shape.most:
        yield Wrong(where, Text("It is more than {most}.", most=shape.most), Text("Correct the number."))
    elif shape.whole and number != number.to_integral_value():
        yield Wrong(where, Text("It is not a whole number."), Text("Write a whole number, such as 12."))
    elif len(number.as_tuple().digits) > DIGITS_MOST:
        yield Wrong(where, Text("It has more digits than anybody measures."), Text("Round it."))


def _word(shape: Word, value: JSON, where: tuple[str, ...]) -> Iterator[Wrong]:
    if not isinstance(value, str) or not value.strip():
        yield Wrong(where, Text("This field is empty."), Text("Fill it in and send it again."))
    elif len(value) > WORD_LONGEST:
        yield Wrong(where, Text("It is longer than {most} characters.", most=WORD_LONGEST), Text("Shorten it."))
    elif any(category(each) in DOES_NOT_SHOW for each in value):
        yield Wrong(where, Text("It holds a character that does not show."), Text("Remove it."))
    elif value != normalize("NFC", value).strip():
        yield Wrong(where, Text("It begins or ends with a space."), Text("Remove it."))
    elif shape.among and value not in shape.among:
        yield Wrong(
            where,
            Text("“{word}” is none of the choices.", word=value),
            Text("Choose among: {words}.", words=shape.among),
        )
    elif shape.day and not _is_day(value):
        yield Wrong(where, Text("It is not a date."), Text("Write it as 2026-11-22."))


def _is_day(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _words(shape: Words, value: JSON, where: tuple[str, ...]) -> Iterator[Wrong]:
    if not isinstance(value, list) or not value:
        yield Wrong(where, Text("There is no word in it."), Text("Write at least one; a line each."))
        return
    if len(value) > ENTRIES_MOST:
        yield _too_many(where)
        return
    for each in value:
        yield from _word(Word(shape.among), each, where)
    twice = {each for each in value if isinstance(each, str) and value.count(each) > 1}
    for each in sorted(twice):
        yield Wrong(where, Text("“{word}” stands twice.", word=each), Text("Write it once."))


def _record(shape: Record, value: JSON, where: tuple[str, ...]) -> Iterator[Wrong]:
    if not isinstance(value, dict) or value.keys() != shape.fields.keys():
        yield Wrong(
            where, Text("It does not have the fields it must."), Text("Give: {words}.", words=tuple(shape.fields))
        )
        return
    for name, of in shape.fields.items():
        yield from wrong_in(of, value[name], (*where, name))


def _by_name(shape: ByName, value: JSON, where: tuple[str, ...]) -> Iterator[Wrong]:
    if not isinstance(value, dict) or not value:
        yield Wrong(where, Text("There is no entry in it."), Text("Write at least one."))
        return
    if len(value) > ENTRIES_MOST:
        yield _too_many(where)
        return
    for name in shape.always:
        if name not in value:
            yield Wrong(where, Text("“{word}” is missing.", word=name), Text("It may not be left out."))
    for name, each in value.items():
        yield from _word(Word(shape.only), name, (*where, name))
        yield from wrong_in(shape.of, each, (*where, name))


def _rows(shape: Rows, value: JSON, where: tuple[str, ...]) -> Iterator[Wrong]:
    if not isinstance(value, list) or not value:
        yield Wrong(where, Text("There is no entry in it."), Text("Write at least one."))
        return
    if len(value) > ENTRIES_MOST:
        yield _too_many(where)
        return
    keys = []
    for number, each in enumerate(value, 1):
        yield from _record(shape.of, each, (*where, str(number)))
        if isinstance(each, dict):
            keys.append(str(each.get(shape.key)))
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        yield Wrong(where, Text("“{word}” stands twice.", word=key), Text("Write it once."))


def _too_many(where: tuple[str, ...]) -> Wrong:
    return Wrong(
        where, Text("It holds more than {most} entries.", most=ENTRIES_MOST), Text("Leave out what is not needed.")
    )
