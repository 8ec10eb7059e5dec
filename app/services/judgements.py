"""Judgements of before, as they were kept: what was judged, by which book, with what answer. Nothing is judged anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.db import items, judgements
from app.domain.acts import Act, Actor, may
from app.domain.facts import StepKind
from app.domain.rulebook import CLOSING, Gate, Outcome
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Row

    from app.services.house import House


@dataclass(frozen=True, slots=True)
class JudgementLine:
    """One of them. `release`: the number of the release that rests on it; `step`, `passage`: of a step that was judged."""

    judgement: int
    kind: str
    subject: str | None
    name: str | None
    gate: Gate
    at: datetime
    by: str
    blocks: bool
    release: int | None
    step: StepKind | None
    passage: int | None


@dataclass(frozen=True, slots=True)
class KeptCiteView:
    """Where a rule came from, in the words of that day by language."""

    source: str
    section: str
    status: str
    says: dict[str, str]


@dataclass(frozen=True, slots=True)
class KeptFindingView:
    """What was wrong, and what would have helped."""

    subject: str
    problem: Text
    remedy: Text


@dataclass(frozen=True, slots=True)
class KeptEvidenceView:
    """A fact that spoke for a rule, and what it was about."""

    subject: str
    says: Text


@dataclass(frozen=True, slots=True)
class KeptVerdictView:
    """One rule's answer as it was kept. `cites` is empty where the book of that day kept no words."""

    rule: str
    title: Text
    outcome: Outcome
    closes: bool
    cites: tuple[KeptCiteView, ...]
    findings: tuple[KeptFindingView, ...]
    evidence: tuple[KeptEvidenceView, ...]
    missing: tuple[Text, ...]
    waiver: int | None
    legacy: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeptJudgementView:
    """A judgement whole. `as_of`: the moment at which was judged, which for a step is when it began; `at`: when it was kept.

    `agrees`: whether the digest is still that of the bytes that were kept. `has_book`: whether the words of that day's
    rule book were kept with it.
    """

    judgement: int
    kind: str
    subject: str | None
    name: str | None
    gate: Gate
    at: datetime
    as_of: datetime
    by: str
    signer: str | None
    blocks: bool
    release: int | None
    step: StepKind | None
    passage: int | None
    rulebook: str
    has_book: bool
    digest: str
    agrees: bool
    verdicts: tuple[KeptVerdictView, ...]


READ_BY: Mapping[str, Act] = {
    "lot": Act.READ_LOT,
    "step": Act.READ_LOT,
    "bank_vial": Act.READ_LOT,
    "material_lot": Act.READ_MATERIAL,
    "donation": Act.READ_DONOR,
}
"""Who may read what was judged of a thing: whoever may read the thing."""


async def list_judgements(
    house: House, actor: Actor, *, item: str, after: int | None, limit: int
) -> list[JudgementLine]:
    """What was judged of a thing and kept, newest first, as far as this person may read it. Raises NotFound."""
    async with house.door.read(actor, Act.READ_ITEM) as reading:
        found = await items.find(reading, code=item)
        kinds = [kind for kind, act in READ_BY.items() if may(actor, act)]
        rows = await judgements.of_item(reading, item_id=found.id, kinds=kinds, after=after, limit=limit)
    return [
        JudgementLine(
            judgement=row.id,
            kind=row.subject_kind,
            subject=row.subject,
            name=row.name,
            gate=Gate(row.gate),
            at=row.at,
            by=row.by,
            blocks=row.blocks,
            release=row.release,
            step=StepKind(row.step) if row.step else None,
            passage=row.passage,
        )
        for row in rows
    ]


async def read_judgement(house: House, actor: Actor, *, number: int) -> KeptJudgementView:
    """A judgement as it was kept. Raises NotFound, NotPermitted."""
    row = await _row(house, actor, number=number)
    kept = row.verdicts
    return KeptJudgementView(
        judgement=row.id,
        kind=row.subject_kind,
        subject=row.subject,
        name=row.name,
        gate=Gate(row.gate),
        at=row.at,
        as_of=datetime.fromisoformat(kept["at"]),
        by=row.by,
        signer=kept["signer"],
        blocks=row.blocks,
        release=row.release,
        step=StepKind(row.step) if row.step else None,
        passage=row.passage,
        rulebook=row.rulebook,
        has_book=row.book is not None,
        digest=row.digest,
        agrees=row.agrees,
        verdicts=tuple(_verdict(each, row.book or {}) for each in kept["verdicts"]),
    )


async def read_judged(house: House, actor: Actor, *, number: int) -> bytes:
    """The very bytes that were judged. Raises NotFound, NotPermitted."""
    row = await _row(house, actor, number=number)
    dossier: str = row.dossier
    return dossier.encode()


async def _row(house: House, actor: Actor, *, number: int) -> Row[Any]:
    async with house.door.read(actor, Act.READ_ITEM) as reading:
        kind = await judgements.kind_of(reading, number=number)
    async with house.door.read(actor, READ_BY[kind]) as reading:
        return await judgements.one(reading, number=number)


def _verdict(kept: Mapping[str, Any], book: Mapping[str, Any]) -> KeptVerdictView:
    outcome = Outcome(kept["outcome"])
    return KeptVerdictView(
        rule=kept["rule"],
        title=Text.from_json(kept["title"]),
        outcome=outcome,
        closes=outcome in CLOSING,
        cites=tuple(
            KeptCiteView(each["source"], each["section"], each["status"], each["says"])
            for each in book.get(kept["rule"], {}).get("cites", ())
        ),
        findings=tuple(
            KeptFindingView(each["subject"], Text.from_json(each["problem"]), Text.from_json(each["remedy"]))
            for each in kept["findings"]
        ),
        evidence=tuple(KeptEvidenceView(each["subject"], Text.from_json(each["says"])) for each in kept["evidence"]),
        missing=tuple(Text.from_json(each) for each in kept["missing"]),
        waiver=kept["waiver"],
        legacy=tuple(kept.get("legacy", ())),
    )
