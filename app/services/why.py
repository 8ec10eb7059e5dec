"""Why is this blocked? Anything that carries a label, judged this moment at the gate that it or its lot stands before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.db import items, judging
from app.domain.acts import Act, Actor
from app.domain.lots import LotKind, LotState
from app.domain.next_gate import dossier_for, next_gate
from app.domain.rulebook import Gate, Outcome, Standing
from app.domain.text import Text
from app.rules import BY_ID

if TYPE_CHECKING:
    from sqlalchemy import Row

    from app.domain.rulebook import Verdict
    from app.services.house import House


@dataclass(frozen=True, slots=True)
class CiteView:
    """Where a rule comes from."""

    source: str
    section: str
    says: Text
    status: Standing


@dataclass(frozen=True, slots=True)
class FindingView:
    """What is wrong, and what would help."""

    subject: str
    problem: Text
    remedy: Text


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """A fact that speaks for a rule, and what it is about."""

    subject: str
    says: Text


@dataclass(frozen=True, slots=True)
class AnswerView:
    """One rule's answer."""

    rule: str
    title: Text
    outcome: Outcome
    closes: bool
    cites: tuple[CiteView, ...]
    findings: tuple[FindingView, ...]
    evidence: tuple[EvidenceView, ...]


@dataclass(frozen=True, slots=True)
class HoldView:
    """An open hold on the item or on its lot."""

    on: str
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class SubjectView:
    """What is judged: the item itself, or the lot to which it belongs. `kind`: lot, material_lot, donation,
    or bank_vial, a vial of a released bank before it leaves that.
    """

    kind: str
    code: str
    name: str
    state: str | None


@dataclass(frozen=True, slots=True)
class WhyView:
    """An item and everything that stands against it. `subject` is None where no gate judges such a thing."""

    item: str
    item_kind: str
    name: str
    holds: tuple[HoldView, ...]
    at: datetime
    subject: SubjectView | None
    gate: Gate | None
    rulebook: str | None
    answers: tuple[AnswerView, ...]

    @property
    def closing(self) -> tuple[AnswerView, ...]:
        """What keeps the gate closed."""
        return tuple(each for each in self.answers if each.closes)


GATES = {
    "lot": (Gate.G6, Act.READ_LOT),
    "material_lot": (Gate.G1, Act.READ_MATERIAL),
    "donation": (Gate.G2, Act.READ_DONOR),
    "bank_vial": (Gate.G3, Act.READ_LOT),
}


async def read_why(house: House, actor: Actor, *, code: str) -> WhyView:
    """Everything that stands against an item, judged this moment. Nothing is kept. Raises NotFound."""
    async with house.door.read(actor, Act.READ_ITEM) as reading:
        item = await items.find(reading, code=code)
        told = await items.describe(reading, item_id=item.id)
        at = await judging.now(reading)
    subject, subject_id = _subject(item, told.item)
    gate, act = GATES[subject.kind] if subject else (None, None)
    kind = subject.kind if subject else ""
    if subject and kind == "lot":
        gate = next_gate(LotKind(told.item.lot_kind or item.kind), LotState(subject.state or ""))
        kind = dossier_for(gate)
        if gate is Gate.G10 and told.item.subkind == "vial":
            kind, subject_id = "vial_to_give", item.id  # this very container is before the patient
    judgement = None
    if subject and gate and act:
        async with house.door.read(actor, act) as reading:
            _, judgement = await judging.judged(reading, kind=kind, subject_id=subject_id, gate=gate, at=at)
    return WhyView(
        item=item.code,
        item_kind=told.item.subkind or item.kind,
        name=told.item.name or item.code,
        holds=tuple(HoldView(each.on, each.reason, each.since) for each in told.holds),
        at=at,
        subject=subject,
        gate=gate,
        rulebook=judgement.rulebook if judgement else None,
        answers=tuple(_answer(each) for each in judgement.verdicts) if judgement else (),
    )


def _subject(item: items.Item, row: Row[Any]) -> tuple[SubjectView | None, int]:
    if item.kind == "donation":
        return SubjectView("donation", item.code, row.name, None), item.id
    if row.lot_id is None:
        return None, 0
    if row.subkind == "vial" and row.lot_kind == "bank" and row.lot_state == LotState.RELEASED:
        return SubjectView("bank_vial", row.lot, row.lot_name, row.lot_state), item.id
    kind = "material_lot" if row.lot_kind == "material" else "lot"
    return SubjectView(kind, row.lot, row.lot_name, row.lot_state), row.lot_id


def _answer(verdict: Verdict) -> AnswerView:
    rule = BY_ID.get(verdict.rule)
    return AnswerView(
        rule=verdict.rule,
        title=verdict.title,
        outcome=verdict.outcome,
        closes=verdict.closes,
        cites=tuple(CiteView(c.source, c.section, c.paraphrase, c.status) for c in (rule.cites if rule else ())),
        findings=tuple(FindingView(each.subject, each.problem, each.remedy) for each in verdict.findings),
        evidence=tuple(EvidenceView(each.subject, each.says) for each in verdict.evidence),
    )
