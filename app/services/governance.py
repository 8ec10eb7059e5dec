"""What the house is governed by: settings changed by signature, the rule pack, authorities' written replies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.db import governance
from app.domain.acts import Act, Actor
from app.domain.errors import BadInput, NotFound
from app.domain.moments import CLOCKS_DIFFER_BY
from app.domain.packs import PACKS, Pack
from app.domain.settings_registry import REGISTRY, SHIPPED, Known
from app.domain.shapes import wrong_in
from app.domain.text import JSON, Text
from app.rules import BY_ID

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Row

    from app.db.door import Call
    from app.services.house import House

A_DAY_AHEAD = timedelta(hours=14)
NOT_PROPOSED = Text("The change was not proposed.")
REPLY_RULES = ("CB-01A",)
"""The rules on which an authority's written reply may stand. On no other does one."""


@dataclass(frozen=True, slots=True)
class SettingVersionView:
    """One version of a setting. Version 1 is as shipped: nobody proposed or signed it."""

    version: int
    value: JSON
    unit: str | None
    source: str
    why: str | None
    valid_from: datetime
    proposed_by: str | None
    approved_by: str | None
    approved_at: datetime | None
    signature: int | None
    state: str


@dataclass(frozen=True, slots=True)
class ProposalView:
    """A change that waits for its signature, and what holds until then."""

    proposal: int
    name: str
    value: JSON
    unit: str | None
    source: str
    why: str
    valid_from: datetime
    proposed_by: str
    proposed_at: datetime
    old_version: int
    old_value: JSON


@dataclass(frozen=True, slots=True)
class SettingView:
    """A setting as it holds now, and what waits."""

    name: str
    title: Text
    read_by: tuple[str, ...]
    serves: Text | None
    current: SettingVersionView
    to_come: int
    waiting: int


@dataclass(frozen=True, slots=True)
class SettingHistoryView:
    """A setting with every version, the newest first, and the changes that wait."""

    name: str
    title: Text
    read_by: tuple[str, ...]
    serves: Text | None
    current: SettingVersionView
    versions: tuple[SettingVersionView, ...]
    proposals: tuple[ProposalView, ...]


@dataclass(frozen=True, slots=True)
class SettingProposedView:
    """A change that waits. `proposal` is what a signature names."""

    proposal: int
    name: str


@dataclass(frozen=True, slots=True)
class SettingApprovedView:
    """A change that was signed, and from when it holds."""

    proposal: int
    name: str
    version: int
    valid_from: datetime
    signature: int


@dataclass(frozen=True, slots=True)
class PackView:
    """A rule pack. `without`: rules of the book that do not hold in it; `settings`: what differs from what was shipped."""

    id: str
    title: Text
    effective_from: datetime
    source: str
    complete: bool
    rules: tuple[str, ...]
    without: tuple[str, ...]
    settings: Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class PackChoiceView:
    """A pack that was chosen by signature."""

    pack: str
    why: str
    proposed_by: str
    chosen_by: str
    chosen_at: datetime
    signature: int


@dataclass(frozen=True, slots=True)
class PackProposalView:
    """A pack that waits for the quality authority."""

    proposal: int
    pack: str
    why: str
    proposed_by: str
    proposed_at: datetime


@dataclass(frozen=True, slots=True)
class PacksView:
    """Which pack judges this house, which there are, which were chosen, which wait."""

    chosen: str | None
    packs: tuple[PackView, ...]
    choices: tuple[PackChoiceView, ...]
    proposals: tuple[PackProposalView, ...]


@dataclass(frozen=True, slots=True)
class PackProposedView:
    """A proposal. `proposal` is what a signature names."""

    proposal: int
    pack: str


@dataclass(frozen=True, slots=True)
class PackChosenView:
    """The pack that judges from now on."""

    proposal: int
    pack: str
    signature: int


@dataclass(frozen=True, slots=True)
class Reply:
    """What an authority answered in writing, about which rule and process version, and where the paper lies."""

    authority: str
    reference: str
    dated: date
    rule: str
    process: str
    process_version: int
    question: str
    answer: str
    ruling: str
    file_name: str
    file_sha256: str
    file_place: str


@dataclass(frozen=True, slots=True)
class ReplyView:
    """A reply as it was filed."""

    reply: int
    authority: str
    reference: str
    dated: date
    rule: str
    process: str
    process_version: int
    question: str
    answer: str
    ruling: str
    file_name: str
    file_sha256: str
    file_place: str
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class ReplyFiledView:
    """The number under which it was filed."""

    reply: int


# -- settings ----------------------------------------------------------------------------------------------------------


async def list_settings(house: House, actor: Actor) -> tuple[SettingView, ...]:
    """Every setting that the code reads, as it holds now, by name."""
    async with house.door.read(actor, Act.READ_RULES) as reading:
        rows = await governance.versions(reading)
        waiting = [each.name for each in await governance.proposals(reading)]
    told = {}
    for name in REGISTRY:
        found = _versions([each for each in rows if each.name == name])
        if found:
            told[name] = SettingView(
                name=name,
                title=REGISTRY[name].title,
                read_by=REGISTRY[name].read_by,
                serves=REGISTRY[name].serves,
                current=_current(found),
                to_come=sum(each.state == "to_come" for each in found),
                waiting=waiting.count(name),
            )
    return tuple(told[name] for name in sorted(told))


async def read_setting(house: House, actor: Actor, *, name: str) -> SettingHistoryView:
    """One setting with its history and the changes that wait. Raises NotFound."""
    known = _known(name)
    async with house.door.read(actor, Act.READ_RULES) as reading:
        found = _versions(await governance.versions(reading, name=name))
        waiting = await governance.proposals(reading, name=name)
    if not found:
        raise _no_setting(name)
    return SettingHistoryView(
        name=name,
        title=known.title,
        read_by=known.read_by,
        serves=known.serves,
        current=_current(found),
        versions=found,
        proposals=tuple(_proposal(each) for each in waiting),
    )


async def propose_setting(
    house: House,
    call: Call,
    *,
    name: str,
    value: JSON,
    unit: str | None,
    source: str,
    why: str,
    valid_from: datetime | None,
) -> SettingProposedView:
    """Propose a change; it holds when the quality authority has signed it, and not before `valid_from`.

    Raises NotFound; BadInput for a value of another shape, another unit, a value that holds already, a day gone by.
    """
    async with house.door.change(call, Act.CHANGE_SETTING, subject=name, reason=why) as change:
        known = _known(name)
        _refuse_shape(known, value)
        _refuse_unit(name, unit)
        if valid_from is not None and valid_from < change.at - CLOCKS_DIFFER_BY:
            raise BadInput(
                field="valid_from",
                what=NOT_PROPOSED,
                why=Text("{moment} is past; it is {now}.", moment=valid_from, now=change.at),
                remedy=Text("What was judged keeps its values. Choose a moment to come, or leave it empty."),
            )
        begins = max(valid_from or change.at, change.at)
        versions = _versions(await governance.versions(change, name=name))
        if not versions:
            raise _no_setting(name)
        if _holds_at(versions, begins).value == value:
            raise BadInput(
                field="value",
                what=NOT_PROPOSED,
                why=Text("This is the value that holds then already."),
                remedy=Text("Write the value that it shall have."),
            )
        key = await governance.propose(
            change, name=name, value=value, unit=unit, source=source, why=why, valid_from=begins
        )
        return change.answers(SettingProposedView(key, name))


async def approve_setting(house: House, call: Call, *, proposal: int, ceremony: UUID) -> SettingApprovedView:
    """Let a change take effect by signature. Nobody signs one of their own proposing.

    Raises NotFound, CeremonyRefused, Stale when another change was signed meanwhile, Conflict when this one was.
    """
    async with house.door.change(call, Act.APPROVE_SETTING, subject=f"setting proposal {proposal}") as change:
        change.ceremony = ceremony
        name = await governance.proposed_name(change, proposal=proposal)
        done = await governance.approve(change, proposal=proposal, ceremony=ceremony)
        return change.answers(
            SettingApprovedView(proposal, name, done.setting_version, done.effective_from, done.signature)
        )


def _known(name: str) -> Known:
    if name not in REGISTRY:
        raise _no_setting(name)
    return REGISTRY[name]


def _no_setting(name: str) -> NotFound:
    return NotFound(
        what=Text("There is no setting {name}.", name=name),
        why=Text("Nothing in this version of Stemma reads one of this name."),
        remedy=Text("Choose one of the list of settings."),
    )


def _refuse_shape(known: Known, value: JSON) -> None:
    wrong = next(wrong_in(known.shape, value), None)
    if wrong is not None:
        raise BadInput(
            field=".".join(("value", *wrong.where)),
            what=NOT_PROPOSED,
            why=Text("{where}: {problem}", where=" · ".join(wrong.where), problem=wrong.problem)
            if wrong.where
            else wrong.problem,
            remedy=wrong.remedy,
        )


def _refuse_unit(name: str, unit: str | None) -> None:
    if unit != SHIPPED[name].unit:
        raise BadInput(
            field="unit",
            what=NOT_PROPOSED,
            why=Text("The rules read this setting in another unit: {unit}.", unit=SHIPPED[name].unit or Text("none")),
            remedy=Text("Write the value in that unit."),
        )


def _versions(rows: Sequence[Row[Any]]) -> tuple[SettingVersionView, ...]:
    now_holds = next((each.valid_from for each in rows if each.in_force), None)
    return tuple(
        SettingVersionView(
            version=each.version,
            value=each.value,
            unit=each.unit,
            source=each.source,
            why=each.why,
            valid_from=each.valid_from,
            proposed_by=each.proposed_by,
            approved_by=each.approved_by,
            approved_at=each.approved_at,
            signature=each.signature,
            state="in_force"
            if each.in_force
            else "to_come"
            if now_holds is None or each.valid_from > now_holds
            else "past",
        )
        for each in rows
    )


def _current(versions: tuple[SettingVersionView, ...]) -> SettingVersionView:
    return next((each for each in versions if each.state == "in_force"), versions[-1])


def _holds_at(versions: tuple[SettingVersionView, ...], at: datetime) -> SettingVersionView:
    begun = [each for each in versions if each.valid_from <= at]
    return max(begun, key=lambda each: (each.valid_from, each.version), default=versions[-1])


def _proposal(row: Row[Any]) -> ProposalView:
    old = row.old or {}
    return ProposalView(
        proposal=row.proposal,
        name=row.name,
        value=row.value,
        unit=row.unit,
        source=row.source,
        why=row.why,
        valid_from=row.valid_from,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        old_version=old.get("version", 0),
        old_value=old.get("value"),
    )


# -- rule packs --------------------------------------------------------------------------------------------------------


async def read_packs(house: House, actor: Actor) -> PacksView:
    """Which pack judges this house, and which there are."""
    async with house.door.read(actor, Act.READ_RULES) as reading:
        chosen = await governance.pack(reading)
        choices = await governance.pack_choices(reading)
        waiting = await governance.pack_proposals(reading)
    return PacksView(
        chosen=chosen,
        packs=tuple(_pack(each) for each in PACKS.values()),
        choices=tuple(PackChoiceView(**each._asdict()) for each in choices),
        proposals=tuple(PackProposalView(**each._asdict()) for each in waiting),
    )


async def propose_pack(house: House, call: Call, *, pack: str, why: str) -> PackProposedView:
    """Propose by whose rules the house is judged. Raises BadInput for a pack that the book does not hold or that is chosen."""
    async with house.door.change(call, Act.PROPOSE_PACK, subject=pack, reason=why) as change:
        if pack not in PACKS:
            raise BadInput(
                field="pack",
                what=Text("The rule pack was not proposed."),
                why=Text("This rule book holds no pack called {pack}.", pack=pack),
                remedy=Text("Choose one of: {packs}.", packs=tuple(PACKS)),
            )
        if await governance.pack(change) == pack:
            raise BadInput(
                field="pack",
                what=Text("The rule pack was not proposed."),
                why=Text("This house is judged by it already."),
                remedy=Text("Choose another, or leave it as it is."),
            )
        key = await governance.propose_pack(change, pack=pack, why=why)
        return change.answers(PackProposedView(key, pack))


async def choose_pack(house: House, call: Call, *, proposal: int, ceremony: UUID) -> PackChosenView:
    """Choose a proposed pack by signature. Raises NotFound, CeremonyRefused, Stale, Conflict."""
    async with house.door.change(call, Act.CHOOSE_PACK, subject=f"pack proposal {proposal}") as change:
        change.ceremony = ceremony
        pack = await governance.proposed_pack(change, proposal=proposal)
        signature = await governance.choose_pack(change, proposal=proposal, ceremony=ceremony)
        return change.answers(PackChosenView(proposal, pack, signature))


def _pack(pack: Pack) -> PackView:
    return PackView(
        id=pack.id,
        title=pack.title,
        effective_from=pack.effective_from,
        source=pack.source,
        complete=pack.complete,
        rules=tuple(each for each in BY_ID if pack.holds(each)),
        without=tuple(each for each in BY_ID if not pack.holds(each)),
        settings=dict(pack.settings),
    )


# -- authorities' written replies --------------------------------------------------------------------------------------


async def file_reply(house: House, call: Call, *, reply: Reply) -> ReplyFiledView:
    """File an authority's written reply about one rule and one process version.

    Raises NotFound for a process version that is not there, BadInput for a day to come or a rule that rests on none.
    """
    subject = f"{reply.authority} {reply.reference}"
    async with house.door.change(call, Act.RECORD_AUTHORITY_REPLY, subject=subject) as change:
        if reply.rule not in REPLY_RULES:
            raise BadInput(
                field="rule",
                what=Text("The reply was not filed."),
                why=Text("No written reply opens {rule}.", rule=reply.rule),
                remedy=Text("Choose one of: {rules}.", rules=REPLY_RULES),
            )
        # A day begins up to fourteen hours before it does in Greenwich.
        if reply.dated > (change.at + A_DAY_AHEAD).date():
            raise BadInput(
                field="dated",
                what=Text("The reply was not filed."),
                why=Text("{day} is yet to come.", day=reply.dated),
                remedy=Text("Write the day that stands on the letter."),
            )
        process = await governance.process_id(change, name=reply.process, version=reply.process_version)
        key = await governance.file_reply(
            change,
            process_id=process,
            dated=reply.dated,
            authority=reply.authority,
            reference=reply.reference,
            rule=reply.rule,
            question=reply.question,
            answer=reply.answer,
            ruling=reply.ruling,
            file_name=reply.file_name,
            file_sha256=reply.file_sha256,
            file_place=reply.file_place,
        )
        return change.answers(ReplyFiledView(key))


async def list_replies(house: House, actor: Actor, *, after: int | None, limit: int) -> list[ReplyView]:
    """Replies, the last filed first. `after` is the last one's `reply`."""
    async with house.door.read(actor, Act.READ_RULES) as reading:
        return [ReplyView(**each._asdict()) for each in await governance.replies(reading, after=after, limit=limit)]


async def read_reply(house: House, actor: Actor, *, reply: int) -> ReplyView:
    """One reply. Raises NotFound."""
    async with house.door.read(actor, Act.READ_RULES) as reading:
        rows = await governance.replies(reading, reply=reply)
    if not rows:
        raise NotFound(
            what=Text("There is no reply {number}.", number=reply),
            why=Text("No reply of this number was filed."),
            remedy=Text("Choose one of the list."),
        )
    return ReplyView(**rows[0]._asdict())


async def known_processes(house: House, actor: Actor) -> list[tuple[str, int]]:
    """Process versions that a reply may be about."""
    async with house.door.read(actor, Act.READ_RULES) as reading:
        return [(each.name, each.version) for each in await governance.processes(reading)]
