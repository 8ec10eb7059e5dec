"""The rule book, for whoever wants to read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.acts import Act, Actor, require
from app.domain.rulebook import Standing
from app.domain.text import Text
from app.rules import RULEBOOK_VERSION, RULES

if TYPE_CHECKING:
    from app.services.house import House


@dataclass(frozen=True, slots=True)
class CitationView:
    """Where a rule comes from, and how well that is known."""

    source: str
    section: str
    says: Text
    status: Standing


@dataclass(frozen=True, slots=True)
class RuleView:
    """One rule. `waiver`: the roles that may approve one; empty means never."""

    id: str
    title: Text
    gates: tuple[str, ...]
    waiver: tuple[str, ...]
    cites: tuple[CitationView, ...]
    counterexamples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleBookView:
    """The book and its version: a digest of the source that judges."""

    version: str
    rules: tuple[RuleView, ...]


async def read_rules(_: House, actor: Actor) -> RuleBookView:
    """Every rule with its citations, gates, waiver and counterexamples."""
    require(actor, Act.READ_RULES)
    return RuleBookView(
        version=RULEBOOK_VERSION,
        rules=tuple(
            RuleView(
                id=rule.id,
                title=rule.title,
                gates=tuple(sorted((gate.value for gate in rule.gates), key=lambda gate: int(gate[1:]))),
                waiver=tuple(role.value for role in rule.waiver),
                cites=tuple(CitationView(c.source, c.section, c.paraphrase, c.status) for c in rule.cites),
                counterexamples=tuple(each.name for each in rule.breaks),
            )
            for rule in RULES
        ),
    )
