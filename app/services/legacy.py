"""Legacy dossiers: original papers of donors and lots from before the guideline.

QA files them with the rules for which they may stand, the quality authority accepts them by signature. The scans stay where
papers are kept; name and SHA-256 of each stand in the record. They count from the signature on.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.db import impacts, items, legacy, settings
from app.domain.acts import Act, Actor
from app.domain.errors import BadInput, Blocked, Conflict
from app.domain.facts import LegacyAbout
from app.domain.legacy import ABOUT_NAMES, BEFORE, NEVER_BY_PAPER
from app.domain.text import Text
from app.rules import BY_ID, RULES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.db.door import Call, Change
    from app.services.house import House

NOT_PROPOSED = Text("The papers were not proposed.")
PAGES_MOST = 10_000
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Paper:
    """An original paper: what it is, of which day, and its scan."""

    title: str
    dated: date
    file_name: str
    file_sha256: str
    pages: int


@dataclass(frozen=True, slots=True)
class Content:
    """The papers, for which rules they may stand and why, and for how long."""

    papers: tuple[Paper, ...]
    rules: tuple[str, ...]
    reasons: str
    valid_from: datetime | None
    valid_to: datetime


@dataclass(frozen=True, slots=True)
class LegacyProposedView:
    """Papers that wait for acceptance. `dossier` is what a signature names."""

    dossier: int
    number: str


@dataclass(frozen=True, slots=True)
class LegacyAcceptedView:
    """Papers accepted by signature."""

    dossier: int
    number: str
    signature: int


@dataclass(frozen=True, slots=True)
class LegacyWithdrawnView:
    """Papers that show nothing any more. `impacts`: what came to light by it, by number."""

    dossier: int
    number: str
    impacts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LegacyView:
    """A legacy dossier as it stands: proposed, accepted (and not yet in force), in_force, expired or withdrawn."""

    dossier: int
    number: str
    about: LegacyAbout
    item: str
    subject: str
    papers: tuple[Paper, ...]
    rules: tuple[str, ...]
    reasons: str
    valid_from: datetime
    valid_to: datetime
    proposed_by: str
    proposed_at: datetime
    accepted_by: str | None
    accepted_at: datetime | None
    withdrawn_by: str | None
    withdrawn_at: datetime | None
    withdrawn_why: str | None
    state: str


@dataclass(frozen=True, slots=True)
class SubjectView:
    """What papers may be filed about: a donor or a lot, and the rules that would take them."""

    code: str
    about: LegacyAbout
    name: str
    rules: Mapping[str, Text]


def taking(about: LegacyAbout) -> dict[str, Text]:
    """The rules that take papers about such a subject, by title."""
    return {each.id: each.title for each in RULES if about in each.legacy and each.id not in NEVER_BY_PAPER}


async def propose_legacy(house: House, call: Call, *, item: str, content: Content) -> LegacyProposedView:
    """File papers about a donor or a lot and propose for which rules they are accepted.

    Raises Blocked for a rule of which none ever is, or for what was done under the guideline; NotFound, BadInput.
    """
    async with house.door.change(call, Act.PROPOSE_LEGACY, subject=item) as change:
        found = await items.find(change, code=item)
        about = await _about(change, found)
        _refuse_rules(content.rules, about)
        before = await _first_day(change)
        known = await legacy.done(change, item_id=found.id)
        _refuse_papers(content.papers, before=before, today=known.today)
        if known.done_at is not None and known.done_at.date() >= before:
            raise Blocked(
                what=NOT_PROPOSED,
                why=Text(
                    "It was done at {at}; the guideline is in force since {day}, and asks for its own records.",
                    at=known.done_at,
                    day=before,
                ),
                remedy=Text("Papers are accepted only of what was done before that day."),
            )
        valid_from = content.valid_from or change.at
        if content.valid_to <= valid_from or content.valid_to <= change.at:
            raise BadInput(
                field="valid_to",
                what=NOT_PROPOSED,
                why=Text("It would never be in force."),
                remedy=Text("Give an end that is after its beginning and yet to come."),
            )
        number = await legacy.new_number(change)
        key = await legacy.propose(
            change,
            number=number,
            about=about.value,
            item_id=found.id,
            papers=[{**asdict(each), "dated": each.dated.isoformat()} for each in content.papers],
            rules=list(dict.fromkeys(content.rules)),
            reasons=content.reasons,
            valid_from=valid_from,
            valid_to=content.valid_to,
        )
        return change.answers(LegacyProposedView(key, number))


async def accept_legacy(house: House, call: Call, *, dossier: int, ceremony: UUID) -> LegacyAcceptedView:
    """Accept papers by signature: they count from now on. Nobody accepts those of their own proposing.

    Raises CeremonyRefused, Stale, NotFound, Conflict when they are accepted already, Blocked when a rule takes none any more.
    """
    async with house.door.change(call, Act.ACCEPT_LEGACY, subject=f"legacy dossier {dossier}") as change:
        change.ceremony = ceremony
        number = await legacy.number_of(change, dossier_id=dossier)
        found = await legacy.one(change, number=number)
        _refuse_rules(tuple(found.rules), LegacyAbout(found.about))
        signature = await legacy.accept(change, dossier_id=dossier, ceremony=ceremony)
        return change.answers(LegacyAcceptedView(dossier, number, signature))


async def withdraw_legacy(house: House, call: Call, *, dossier: int, reasons: str) -> LegacyWithdrawnView:
    """Withdraw papers: from now on no gate takes them, and what rested on them is named, held and judged anew.

    Raises NotFound, Conflict when they are withdrawn already.
    """
    async with house.door.change(
        call, Act.WITHDRAW_LEGACY, subject=f"legacy dossier {dossier}", reason=reasons
    ) as change:
        number = await legacy.number_of(change, dossier_id=dossier)
        found = await legacy.one(change, number=number)
        if found.withdrawn_at is not None:
            raise Conflict(
                what=Text("The papers were not withdrawn."),
                why=Text("{number} is withdrawn already.", number=number),
                remedy=Text("Look at the record as it stands now."),
            )
        await legacy.withdraw(change, dossier_id=dossier, reasons=reasons)
        await impacts.judge_what_came_to_light(change)
        numbers = await impacts.of_this_change(change)
        return change.answers(LegacyWithdrawnView(dossier, number, numbers))


async def list_legacy(
    house: House, actor: Actor, *, item: str | None, after: int | None, limit: int
) -> list[LegacyView]:
    """Legacy dossiers, the last proposed first; about one donor or lot, or about all. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        item_id = None if item is None else (await items.find(reading, code=item)).id
        return [_view(row) for row in await legacy.page(reading, item_id=item_id, after=after, limit=limit)]


async def read_legacy(house: House, actor: Actor, *, number: str) -> LegacyView:
    """One legacy dossier. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        return _view(await legacy.one(reading, number=number))


async def read_subject(house: House, actor: Actor, *, item: str) -> SubjectView:
    """What papers are about to be filed about. Raises NotFound, BadInput for what is neither donor nor lot of cells."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        found = await items.find(reading, code=item)
        about = await _about(reading, found)
        told = await items.describe(reading, item_id=found.id)
    return SubjectView(found.code, about, told.item.name or found.code, taking(about))


async def _about(reading: Any, found: items.Item) -> LegacyAbout:
    if found.kind == "person" and await legacy.is_donor(reading, item_id=found.id):
        return LegacyAbout.DONOR
    if found.kind == "lot" and (await items.describe(reading, item_id=found.id)).item.lot_kind != "material":
        return LegacyAbout.LOT
    raise BadInput(
        field="item",
        what=NOT_PROPOSED,
        why=Text("Papers are filed about a donor, or about a lot or bank of cells."),
        remedy=Text("Scan the label of the donor or of the lot."),
    )


def _refuse_rules(rules: tuple[str, ...], about: LegacyAbout) -> None:
    taken = taking(about)
    for each in rules:
        if each not in BY_ID and each not in NEVER_BY_PAPER:
            raise BadInput(
                field="rules",
                what=NOT_PROPOSED,
                why=Text("The rule book has no rule {rules}.", rules=each),
                remedy=Text("Choose one of: {rules}.", rules=tuple(taken)),
            )
        if each not in taken:
            raise Blocked(
                what=NOT_PROPOSED,
                why=Text(
                    "{rule} takes no papers from before the guideline about this: {about}.",
                    rule=each,
                    about=ABOUT_NAMES[about],
                ),
                remedy=Text("Choose one of: {rules}.", rules=tuple(taken)),
                rule=each,
            )
    if not rules:
        raise BadInput(
            field="rules",
            what=NOT_PROPOSED,
            why=Text("It is not said for which rules the papers may stand."),
            remedy=Text("Choose one of: {rules}.", rules=tuple(taken)),
        )


async def _first_day(change: Change) -> date:
    said = (await settings.current(change, BEFORE)).get(BEFORE, "")
    try:
        return date.fromisoformat(str(said))
    except ValueError as error:
        raise Blocked(
            what=NOT_PROPOSED,
            why=Text("The setting {name} names no day, so no papers count.", name=BEFORE),
            remedy=Text("The QA manager proposes the day and the quality authority signs it."),
        ) from error


def _refuse_papers(papers: tuple[Paper, ...], *, before: date, today: date) -> None:
    if not papers:
        raise BadInput(
            field="papers",
            what=NOT_PROPOSED,
            why=Text("There is no paper."),
            remedy=Text("Name at least one original paper with its scan."),
        )
    digests = [each.file_sha256 for each in papers]
    for row, each in enumerate(papers):
        if each.file_sha256 in digests[:row]:
            raise BadInput(
                field=f"file_sha256{row}",
                what=NOT_PROPOSED,
                why=Text("{name} stands here twice.", name=each.file_name),
                remedy=Text("Write it once."),
            )
        if each.dated >= min(before, today):
            raise BadInput(
                field=f"dated{row}",
                what=NOT_PROPOSED,
                why=Text(
                    "A paper of {day} is not from before the guideline ({before}).", day=each.dated, before=before
                ),
                remedy=Text("Name papers of that time; what is written today is recorded as what it is."),
            )
        if not _SHA256.fullmatch(each.file_sha256):
            raise BadInput(
                field=f"file_sha256{row}",
                what=NOT_PROPOSED,
                why=Text("This is no SHA-256: 64 digits of 0 to 9 and a to f."),
                remedy=Text("Compute it from the very scan of the paper."),
            )
        if not 1 <= each.pages <= PAGES_MOST:
            raise BadInput(
                field=f"pages{row}",
                what=NOT_PROPOSED,
                why=Text("A paper has at least one page, and fewer than {most}.", most=PAGES_MOST),
                remedy=Text("Count the pages of the scan."),
            )


def _view(row: Any) -> LegacyView:
    papers = tuple(Paper(**{**each, "dated": date.fromisoformat(each["dated"])}) for each in row.papers)
    return LegacyView(**{**row._asdict(), "about": LegacyAbout(row.about), "papers": papers, "rules": tuple(row.rules)})
