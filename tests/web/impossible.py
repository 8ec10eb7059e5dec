"""What cannot be in a field of a form or of a body, told by the field's kind and name."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.web.hostile import Field

PLANNED = frozenset(
    "valid_from valid_to valid_until expires_on from_at until_at due_on review_due effective_from capa_due_on"
    " certificate_valid_until licence_valid_to title_valid_to due_at at".split()
)
"""Dated fields that state what is meant to come, or what is asked about it. Every other one states what has happened."""
LEADING = {"/studies/{number}/record/{what}", "/studies/{number}/leaders"}
"""A study's leader may be named for a day to come: there `from_on` and `to_on` are plans, elsewhere years of work."""
ORDER = (
    ("valid_from", "valid_to"),
    ("from_at", "until_at"),
    ("from_on", "to_on"),
    ("began_at", "ended_at"),
    ("started_at", "ended_at"),
    ("occurred_at", "ended_at"),
    ("collected_at", "received_at"),
    ("sampled_at", "reported_at"),
    ("taken_at", "received_at"),
    ("dispatched_at", "arrived_at"),
    ("classified_on", "due_on"),
    ("done_on", "due_on"),
    ("qualified_on", "valid_to"),
    ("audited_on", "valid_to"),
    ("signed_on", "valid_to"),
    ("decided_on", "valid_to"),
    ("effective_from", "review_due"),
    ("collected_on", "received_at"),
    ("received_at", "reported_on"),
    ("low_c", "high_c"),
    ("min_c", "max_c"),
    ("low", "high"),
)
"""Which of two fields comes first, where a form holds both."""
SIGNED = re.compile(r"(value|result|low|high|limit|at_least|at_most)\b|.*(celsius|_c)$")
"""Numbers that may lie below nothing: degrees, and what a specification or a result may state of anything."""
COLD = re.compile(r".*(celsius|_c)$")
SHARE = re.compile(r".*(percent|score)")
NOT_A_MOMENT = ("2026-02-30T10:00", "0001-01-01T00:00", "9999-12-31T23:59", "2026-11-22T25:61", "soon")
NOT_A_DAY = ("2026-02-30", "0001-01-01", "9999-12-31", "2026-13-01", "soon")
NOT_A_NUMBER = ("NaN", "Infinity", "1e999", "9" * 400, "three")
NOT_A_CHOICE = "furlong"
FURTHER_ROW = re.compile(r"-?[1-9]\d*$")
"""A form's rows are alike: the first stands for all. (`result-7` is no row, but is read as the others are.)"""
SECRETS = frozenset({"password", "totp", "pin", "badge", "new_password", "again", "new_code"})
"""Typed blind: compared, never shown again, and nowhere said which of them was wrong."""


def base(name: str) -> str:
    """A field's name without its row: `from_on-0` and `dated0` are `from_on` and `dated`."""
    return re.sub(r"-?\d+$", "", name.rsplit("__", 1)[-1])


@dataclass(frozen=True)
class Wrong:
    """One impossible thing: what is typed where, and at which fields the refusal must stand: at all, or at one."""

    said: str
    typed: dict[str, str]
    at_all: bool = True


def things_wrong(action: str, fields: list[Field], honest: Mapping[str, str]) -> Iterator[Wrong]:
    """Everything impossible of a form, one thing at a time; what no reader can take, at every field at once."""
    every = fields
    fields = [each for each in fields if each.name not in SECRETS and not FURTHER_ROW.search(each.name)]
    dated = [each for each in fields if each.kind in {"datetime-local", "date"}]
    numbered = [each for each in fields if each.attributes.get("inputmode") in {"decimal", "numeric"}]
    chosen = [each for each in fields if each.kind in {"select", "radio"}]
    for row, wrong in enumerate(NOT_A_MOMENT):
        typed = {each.name: wrong if each.kind == "datetime-local" else NOT_A_DAY[row] for each in dated}
        typed |= {each.name: NOT_A_NUMBER[row] for each in numbered}
        if typed:
            yield Wrong(f"unreadable: {wrong}", typed)
    yield from (Wrong("no such choice", {name: NOT_A_CHOICE}) for name in dict.fromkeys(each.name for each in chosen))
    yield from (Wrong("empty", {each.name: ""}) for each in [*dated, *numbered] if each.is_required)
    for each in numbered:
        yield from (Wrong(said, {each.name: value}) for said, value in _no_such_number(each))
    for each in dated:
        if base(each.name) not in PLANNED and not (action in LEADING and base(each.name) in {"from_on", "to_on"}):
            yield Wrong("yet to come", {each.name: _at(each, datetime.now(UTC) + timedelta(days=3))})
    yield from _out_of_order(fields)
    if twice := row_twice(every, honest):
        yield twice


def row_twice(fields: list[Field], honest: Mapping[str, str]) -> Wrong | None:
    """The first row of a form again in its second, where it has rows."""
    names = {each.name for each in fields if each.kind not in {"hidden", "radio"}}
    again = {}
    for name in names:
        second = re.sub(r"0$", "1", name)
        if second != name and second in names and honest.get(name):
            again[second] = honest[name]
    return Wrong("a row twice", again, at_all=False) if again else None


def _no_such_number(each: Field) -> Iterator[tuple[str, str]]:
    if not SIGNED.match(base(each.name)):
        yield "less than nothing", "-1"
    if COLD.match(each.name):
        yield "colder than anything", "-274"
    if SHARE.match(each.name):
        yield "more than all", "101"
    if each.attributes.get("inputmode") == "numeric":
        yield "a part of one", "1.5"


def _out_of_order(fields: list[Field]) -> Iterator[Wrong]:
    by_name = {each.name: each for each in fields}
    for name, field in by_name.items():
        for first, second in ORDER:
            later = re.sub(rf"^{first}(?=-?\d*$)", second, name)
            if base(name) != first or later not in by_name or later == name:
                continue
            if field.kind in {"datetime-local", "date"}:
                typed = {
                    name: _at(field, datetime.now(UTC) - timedelta(days=10)),
                    later: _at(by_name[later], datetime.now(UTC) - timedelta(days=12)),
                }
            else:
                typed = {name: "8", later: "2"}
            yield Wrong(f"{second} before {first}", typed, at_all=False)


def _at(field: Field, when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M}" if field.kind == "datetime-local" else f"{when:%Y-%m-%d}"


# -- bodies ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Leaf:
    """A field of a body: where it lies, and its kind: moment, day, number, whole or choice."""

    path: tuple[str | int, ...]
    kind: str

    @property
    def name(self) -> str:
        return next(str(each) for each in reversed(self.path) if isinstance(each, str))


def leaves(api: dict[str, Any], schema: dict[str, Any], body: Any, path: tuple[str | int, ...] = ()) -> Iterator[Leaf]:
    """Every dated, numbered or chosen field of a body, by its schema; those left out of it too, but not their rows."""
    schema = _resolved(api, schema)
    if isinstance(body, list):
        for row, each in enumerate(body[:1]):
            yield from leaves(api, schema.get("items", {}), each, (*path, row))
    elif "properties" in schema:
        for name, of in schema["properties"].items():
            yield from leaves(api, of, body.get(name) if isinstance(body, dict) else None, (*path, name))
    elif path and (kind := _kind(api, schema)):
        yield Leaf(path, kind)


def _resolved(api: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = api["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    some = [each for each in schema.get("anyOf", []) if each.get("type") != "null"]
    return _resolved(api, some[0]) if len(some) == 1 else schema


def _kind(api: dict[str, Any], schema: dict[str, Any]) -> str | None:
    some = [_resolved(api, each) for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    formats, types = {each.get("format") for each in some}, {each.get("type") for each in some}
    if "date-time" in formats:
        return "moment"
    if "date" in formats:
        return "day"
    if any("enum" in each for each in some):
        return "choice"
    if "number" in types:  # what may also be said in words is whatever is written
        return None if any(each == {"type": "string"} or each.get("minLength") for each in some) else "number"
    return "whole" if types == {"integer"} else None


def put(body: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """A copy of the body with another value at one place."""
    made = copy.deepcopy(body)
    there = made
    for each in path[:-1]:
        there = there[each]
    there[path[-1]] = value
    return made


def reachable(body: Any, path: tuple[str | int, ...]) -> bool:
    """Whether all but the last of the path is in the body."""
    for each in path[:-1]:
        try:
            body = body[each]
        except (KeyError, IndexError, TypeError):
            return False
    return isinstance(body, dict | list)


@dataclass(frozen=True)
class WrongBody:
    """One impossible thing in a body, and the names of fields at one of which, or at all, the problem must stand."""

    said: str
    body: Any
    at: tuple[str, ...]
    at_all: bool = True


def bodies_wrong(route: str, found: list[Leaf], body: Any) -> Iterator[WrongBody]:
    """Everything impossible of a body, as of a form."""
    found = [each for each in found if reachable(body, each.path)]
    for row, wrong in enumerate(NOT_A_MOMENT):
        typed = {
            "moment": f"{wrong}:00+08:00" if "T" in wrong else wrong,
            "day": NOT_A_DAY[row],
            "number": NOT_A_NUMBER[row],
            "whole": NOT_A_NUMBER[row],
        } | ({"choice": NOT_A_CHOICE} if row == 0 else {})
        made, at = body, []
        for leaf in found:
            if leaf.kind in typed:
                made, at = put(made, leaf.path, typed[leaf.kind]), [*at, leaf.name]
        if at:
            yield WrongBody(f"unreadable: {wrong}", made, tuple(at))
    for leaf in found:
        if leaf.kind in {"number", "whole"} and not SIGNED.match(leaf.name):
            yield WrongBody("less than nothing", put(body, leaf.path, -1), (leaf.name,))
        if leaf.kind in {"number", "whole"} and COLD.match(leaf.name):
            yield WrongBody("colder than anything", put(body, leaf.path, -274), (leaf.name,))
        if leaf.kind in {"number", "whole"} and SHARE.match(leaf.name):
            yield WrongBody("more than all", put(body, leaf.path, 101), (leaf.name,))
    if "ceremony" in body:  # a refusal spends the proof of identity: what follows would be refused for that
        return
    for leaf in found:
        if leaf.kind in {"moment", "day"} and leaf.name not in PLANNED and route not in LEADING:
            ahead = datetime.now(UTC) + timedelta(days=3)
            yield WrongBody("yet to come", put(body, leaf.path, _stated(leaf, ahead)), (leaf.name,))
    by_path = {leaf.path: leaf for leaf in found}
    for leaf in found:
        for first, second in ORDER:
            later = by_path.get((*leaf.path[:-1], second))
            if leaf.name != first or later is None:
                continue
            if leaf.kind in {"moment", "day"}:
                values = [_stated(leaf, datetime.now(UTC) - timedelta(days=10))]
                values.append(_stated(later, datetime.now(UTC) - timedelta(days=12)))
            else:
                values = ["8", "2"]
            made = put(put(body, leaf.path, values[0]), later.path, values[1])
            yield WrongBody(f"{second} before {first}", made, (first, second), at_all=False)
    for name, rows in body.items():
        if isinstance(rows, list) and rows and isinstance(rows[0], dict):
            yield WrongBody("a row twice", body | {name: [*rows, rows[0]]}, (name,))
            for unit in {"unit"} & rows[0].keys():
                made = put(body, (name, 0, unit), NOT_A_CHOICE)
                yield WrongBody("a unit that nobody knows", made, (unit,))
        if name.endswith("unit") and isinstance(rows, str):
            yield WrongBody("a unit that nobody knows", body | {name: NOT_A_CHOICE}, (name,))


def _stated(leaf: Leaf, when: datetime) -> str:
    return when.isoformat() if leaf.kind == "moment" else f"{when:%Y-%m-%d}"
