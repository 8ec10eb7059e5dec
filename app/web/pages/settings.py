"""Settings as people read and change them: the list, one with its history, a change proposed by form and signed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, Meaning, RecordKind, may, require
from app.domain.errors import NotFound, Refusal
from app.domain.settings_registry import REGISTRY
from app.domain.shapes import ByName, Number, Record, Rows, Shape, Word, Words, as_number, wrong_in
from app.domain.text import JSON, Text
from app.requests import HouseDep, SignedInDep
from app.services import governance
from app.services.governance import ProposalView, SettingHistoryView
from app.services.house import House
from app.web.fields import Entry, FormView, blank, once, read_entry, see
from app.web.refusals import PageRoute
from app.web.shell import render
from app.web.signing import SignDialog, asks_to_sign, may_sign, signed, to_sign

router = APIRouter(prefix="/rules/settings", route_class=PageRoute)
SIGNING = "sign-"
APPROVED = Meaning.SETTING_APPROVED
VALUE, NAME = "value", "name"
MORE_ROWS = 3
"""Empty rows on the form for entries to come; a change that needs more is made in two."""
ROWS_MOST = 60
Numbered = Annotated[int, Path(ge=1, le=9_223_372_036_854_775_807)]
NONE = Text("–")

COLUMN_NAMES: Mapping[str, Text] = {
    NAME: Text("Name"),
    VALUE: Text("Value"),
    "code": Text("Code"),
    "en": Text("English"),
    "zh": Text("中文"),
    "minutes": Text("Minutes"),
    "marker": Text("Marker"),
    "while_negative": Text("While these are negative"),
}
STATE_MARKS: Mapping[str, tuple[str, str, Text]] = {
    "in_force": ("go", "check", Text("in force")),
    "to_come": ("wait", "clock", Text("signed, not yet in force")),
    "past": ("na", "minus", Text("past")),
}


@router.get("")
async def list_settings(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Every setting as it holds now."""
    found = await governance.list_settings(house, who.actor)
    return await render(request, "settings/list.html", who=who, found=found, **_words())


@router.get("/{name}")
async def show_setting(request: Request, house: HouseDep, who: SignedInDep, name: str) -> Response:
    """One setting: what holds, what waits, and its history."""
    found = await governance.read_setting(house, who.actor, name=name)
    return await render(
        request,
        "settings/setting.html",
        who=who,
        found=found,
        may_propose=may(who.actor, Act.CHANGE_SETTING),
        **_words(),
    )


@router.get("/{name}/new")
async def new_value(request: Request, house: HouseDep, who: SignedInDep, name: str) -> Response:
    """The form, beginning with what holds."""
    require(who.actor, Act.CHANGE_SETTING)
    found = await governance.read_setting(house, who.actor, name=name)
    form = await blank(request, **_filled(REGISTRY[name].shape, found.current.value))
    return await _new_shown(request, who, found, form)


@router.post("/{name}/new")
async def propose(request: Request, house: HouseDep, who: SignedInDep, name: str) -> Response:
    """Propose the change."""
    require(who.actor, Act.CHANGE_SETTING)
    entry = await read_entry(request)
    found = await governance.read_setting(house, who.actor, name=name)
    value = _read(entry, REGISTRY[name].shape)
    said: dict[str, Any] = {
        "source": entry.text("source"),
        "why": entry.prose("why"),
        "valid_from": entry.optional_moment("valid_from", ahead=True),
    }
    try:
        made = await once(
            governance.propose_setting(house, entry.call(who), name=name, value=value, unit=found.current.unit, **said)
        )
    except Refusal as refusal:
        first = _fields(REGISTRY[name].shape, 1)[0]
        return await _new_shown(request, who, found, entry.again(refusal, at={VALUE: first.name}))
    return see(f"/rules/settings/{name}/proposals/{made['proposal']}")


@router.get("/{name}/proposals/{proposal}")
async def show_proposal(request: Request, house: HouseDep, who: SignedInDep, name: str, proposal: Numbered) -> Response:
    """A change that waits: the old beside the new, and where it is signed."""
    form = await blank(request, prefix=SIGNING) if asks_to_sign(request, APPROVED) else None
    return await _proposal_shown(request, house, who, name, proposal, form)


@router.post("/{name}/proposals/{proposal}/approval")
async def approve(request: Request, house: HouseDep, who: SignedInDep, name: str, proposal: Numbered) -> Response:
    """Let the change take effect by signature."""
    entry = await read_entry(request)
    try:
        ceremony = await signed(house, who, entry, meaning=APPROVED, kind=RecordKind.SETTING, ref=str(proposal))
        await once(governance.approve_setting(house, entry.call(who, part="act"), proposal=proposal, ceremony=ceremony))
    except Refusal as refusal:
        return await _proposal_shown(request, house, who, name, proposal, entry.again(refusal, prefix=SIGNING))
    return see(f"/rules/settings/{name}")


# -- a value and its fields --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the form: `row` from 1 in a table, 0 where the value is no table."""

    name: str
    column: str
    row: int
    of: Number | Word | Words
    choices: Mapping[str, Text]
    title: Text


def _columns(shape: Shape) -> dict[str, Number | Word | Words]:
    match shape:
        case ByName(of=Record() as record):
            return {NAME: Word(shape.only), **record.fields}
        case ByName(of=Number() | Words() as of):
            return {NAME: Word(shape.only), VALUE: of}
        case Rows():
            return dict(shape.of.fields)
        case Record():
            return dict(shape.fields)
        case Number() | Word() | Words():
            return {VALUE: shape}
    raise ValueError("no such shape")


def _is_table(shape: Shape) -> bool:
    return isinstance(shape, ByName | Rows)


def _fields(shape: Shape, rows: int) -> list[Field]:
    numbers = range(1, rows + 1) if _is_table(shape) else (0,)
    return [
        Field(
            name=f"{column}{row}" if row else column,
            column=column,
            row=row,
            of=of,
            choices={each: Text("{name}", name=each) for each in of.among} if isinstance(of, Word) else {},
            title=COLUMN_NAMES.get(column, Text("{name}", name=column)),
        )
        for row in numbers
        for column, of in _columns(shape).items()
    ]


def _rows(shape: Shape, value: JSON) -> list[dict[str, JSON]]:
    """The value as rows of columns; one row where it is no table."""
    match shape, value:
        case ByName(of=Record()), dict():
            return [{NAME: name, **(each if isinstance(each, dict) else {})} for name, each in value.items()]
        case ByName(), dict():
            return [{NAME: name, VALUE: each} for name, each in value.items()]
        case Rows(), list():
            return [each for each in value if isinstance(each, dict)]
        case Record(), dict():
            return [dict(value)]
    return [{VALUE: value}]


def _filled(shape: Shape, value: JSON) -> dict[str, str]:
    filled = {}
    for number, row in enumerate(_rows(shape, value), 1 if _is_table(shape) else 0):
        for column, each in row.items():
            name = f"{column}{number}" if number else column
            filled[name] = "\n".join(str(one) for one in each) if isinstance(each, list) else _typed(each)
    return filled


def _typed(value: JSON) -> str:
    number = as_number(value)
    return str(value) if number is None else f"{number:f}"


def _read(entry: Entry, shape: Shape) -> JSON:
    """The value that the form holds; what is wrong with it is noted at its field."""
    rows: list[tuple[int, dict[str, JSON]]] = []
    for number in range(1, ROWS_MOST + 1) if _is_table(shape) else (0,):
        fields = {column: f"{column}{number}" if number else column for column in _columns(shape)}
        if number and not any(each.strip() for name in fields.values() for each in entry.every(name)):
            continue
        row = {column: _read_one(entry, fields[column], of) for column, of in _columns(shape).items()}
        rows.append((number, row))
    value = _built(entry, shape, rows)
    if not entry.problems:
        for wrong in wrong_in(shape, value):
            entry.problem(_place(shape, rows, wrong.where), wrong.problem, wrong.remedy)
    return value


def _read_one(entry: Entry, name: str, of: Number | Word | Words) -> JSON:
    match of:
        case Number():
            number = entry.amount(name, least=of.least, most=of.most)
            return int(number) if number == number.to_integral_value() else float(number)
        case Words():
            lines = entry.lines(name)
            if not lines:
                entry.problem(name, Text("There is no word in it."), Text("Write at least one; a line each."))
            return list(lines)
    return entry.text(name)


def _built(entry: Entry, shape: Shape, rows: list[tuple[int, dict[str, JSON]]]) -> JSON:
    match shape:
        case Rows():
            return [row for _, row in rows]
        case ByName():
            built: dict[str, JSON] = {}
            for number, row in rows:
                name = str(row.pop(NAME))
                if name in built:
                    entry.problem(f"{NAME}{number}", Text("“{word}” stands twice.", word=name), Text("Write it once."))
                built[name] = dict(row) if isinstance(shape.of, Record) else row[VALUE]
                row[NAME] = name
            return built
        case Record():
            return dict(rows[0][1])
    return rows[0][1][VALUE]


def _place(shape: Shape, rows: list[tuple[int, dict[str, JSON]]], where: tuple[str, ...]) -> str:
    """The form's field of what is wrong."""
    columns = list(_columns(shape))
    if not where:
        return columns[0] + ("1" if _is_table(shape) else "")
    column = where[1] if len(where) > 1 and where[1] in columns else columns[-1]
    if isinstance(shape, ByName):
        number = next((number for number, row in rows if row.get(NAME) == where[0]), 1)
        return f"{column}{number}"
    if isinstance(shape, Rows):
        return f"{column}{rows[int(where[0]) - 1][0]}"
    return where[0]


# -- the old beside the new --------------------------------------------------------------------------------------------


def differences(old: JSON, new: JSON, unit: str | None) -> tuple[Text, ...]:
    """What a change changes, a line each: the value where it is one, else the entries that are not the same."""
    before, after = dict(_entries(old)), dict(_entries(new))
    if before.keys() == after.keys() == {""}:
        return (Text("{old} → {new}", old=in_words(old, unit), new=in_words(new, unit)),)
    return tuple(
        Text(
            "{name}: {old} → {new}",
            name=name,
            old=in_words(before[name], unit) if name in before else NONE,
            new=in_words(after[name], unit) if name in after else NONE,
        )
        for name in dict.fromkeys((*before, *after))
        if before.get(name) != after.get(name)
    ) or (Text("only the order changes"),)


def _entries(value: JSON) -> Iterator[tuple[str, JSON]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        for each in value:
            fields = list(each.items()) if isinstance(each, dict) else []
            yield str(fields[0][1]), dict(fields[1:])
    else:
        yield "", value


def in_words(value: JSON, unit: str | None) -> Text:
    """A value as one line."""
    match value:
        case list():
            return Text("{words}", words=tuple(str(each) for each in value))
        case dict():
            return Text("{words}", words=tuple(_pair(name, each) for name, each in value.items()))
    number = as_number(value)
    if number is None:
        return Text("{word}", word=str(value))
    return Text("{number} {unit}", number=Decimal(number), unit=unit) if unit else Text("{number}", number=number)


def _pair(name: str, value: JSON) -> Text:
    title = COLUMN_NAMES.get(name, Text("{name}", name=name))
    return Text("{name} {value}", name=title, value=in_words(value, None))


# -- within ------------------------------------------------------------------------------------------------------------


def _words() -> dict[str, Any]:
    return {"state_marks": STATE_MARKS, "column_names": COLUMN_NAMES, "in_words": in_words}


async def _new_shown(request: Request, who: SignedIn, found: SettingHistoryView, form: FormView) -> Response:
    shape = REGISTRY[found.name].shape
    rows = min(max(len(_rows(shape, found.current.value)), _rows_in(form)) + MORE_ROWS, ROWS_MOST)
    fields = _fields(shape, rows)
    return await render(
        request,
        "settings/new.html",
        status=form.status,
        who=who,
        form=form,
        found=found,
        is_table=_is_table(shape),
        rows=[[each for each in fields if each.row == row] for row in dict.fromkeys(each.row for each in fields)],
        kind_of=_kind_of,
        always=getattr(shape, "always", ()),
        **_words(),
    )


def _kind_of(field: Field) -> str:
    if field.choices:
        return "select"
    return {Number: "number", Words: "lines", Word: "text"}[type(field.of)]


def _rows_in(form: FormView) -> int:
    numbers = [int(digits) for name in form.values if (digits := "".join(filter(str.isdigit, name)))]
    return max((each for each in numbers if each <= ROWS_MOST), default=0)


async def _proposal_shown(
    request: Request, house: House, who: SignedIn, name: str, number: int, form: FormView | None
) -> Response:
    found = await governance.read_setting(house, who.actor, name=name)
    proposal = next((each for each in found.proposals if each.proposal == number), None)
    if proposal is None and form is None:
        raise NotFound(
            what=Text("There is no proposal {number}.", number=number),
            why=Text("It was signed already, or nothing of this number was proposed."),
            remedy=Text("Look at the setting's history."),
        )
    may_approve = may_sign(who, APPROVED) and proposal is not None
    dialog = await _dialog(house, who, found, proposal, form) if form and may_approve and proposal else None
    return await render(
        request,
        "settings/proposal.html",
        status=form.status if form else 200,
        who=who,
        found=found,
        proposal=proposal,
        changes=differences(proposal.old_value, proposal.value, proposal.unit) if proposal else (),
        may_approve=may_approve,
        refusal=form.refusal if form and not dialog else None,
        dialog=dialog,
        meaning=APPROVED,
        **_words(),
    )


async def _dialog(
    house: House, who: SignedIn, found: SettingHistoryView, proposal: ProposalView, form: FormView
) -> SignDialog:
    here = f"/rules/settings/{found.name}/proposals/{proposal.proposal}"
    return await to_sign(
        house,
        who,
        meaning=APPROVED,
        kind=RecordKind.SETTING,
        ref=str(proposal.proposal),
        action=f"{here}/approval",
        here=here,
        title=Text("You change a setting"),
        lines=(
            Text("{title} ({name})", title=found.title, name=found.name),
            *differences(proposal.old_value, proposal.value, proposal.unit),
            Text("Proposed by {by}: {why}", by=proposal.proposed_by, why=proposal.why),
            Text("Read by: {rules}.", rules=found.read_by) if found.read_by else _serves(found),
            _from_when(proposal.valid_from, proposal.proposed_at),
        ),
        form=form,
        is_open=True,
    )


def _serves(found: SettingHistoryView) -> Text:
    return Text("It serves: {what}.", what=found.serves or NONE)


def _from_when(valid_from: datetime, proposed_at: datetime) -> Text:
    if valid_from <= proposed_at:
        return Text("It holds from your signature on. What was judged before keeps its values.")
    return Text(
        "It holds from {moment} on, if it is signed by then. What was judged before keeps its values.",
        moment=valid_from,
    )
