"""Assessments: risks thought through before the work, proposed by one person and approved by the quality authority.

An assessment is about one rule and one thing (facility, process version, donor, ...). A new version of its number is about
the same; the earlier one stands until the new one is approved.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.db import assessments, settings
from app.domain.acts import Act, Actor
from app.domain.assessments import FACILITY, PROCESS, RULES_ON_ASSESSMENT, SCOPE_NAMES, SCOPES_OF
from app.domain.errors import BadInput, Blocked, Conflict
from app.domain.rows import require_once_each
from app.domain.text import Text
from app.rules import BY_ID

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.db.door import Call, Change, Reading
    from app.services.house import House

MONTHS_MAX = "assessment.months_max"
MONTHS_MAX_UNLESS_SET = 24
LONGEST_MONTH = timedelta(days=31)
NOT_PROPOSED = Text("The assessment was not proposed.")


@dataclass(frozen=True, slots=True)
class MitigationView:
    """A preventive measure, and the control that carries it out."""

    measure: str
    control: str


@dataclass(frozen=True, slots=True)
class Scope:
    """What an assessment is about, as people name it. The facility has no name; a process has a version."""

    kind: str
    name: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What an assessment says, and for how long."""

    title: str
    hazard: str
    mitigations: tuple[MitigationView, ...]
    conclusion: str
    valid_from: datetime | None
    valid_to: datetime


@dataclass(frozen=True, slots=True)
class AssessmentProposedView:
    """A version that waits for approval. `assessment` is what a signature names."""

    assessment: int
    number: str
    version: int
    rule: str


@dataclass(frozen=True, slots=True)
class AssessmentApprovedView:
    """A version approved by signature."""

    assessment: int
    number: str
    version: int
    signature: int


@dataclass(frozen=True, slots=True)
class AssessmentView:
    """A version as it stands: proposed, approved (and not yet in force), in_force, superseded or expired."""

    assessment: int
    number: str
    version: int
    rule: str
    title: str
    scope_kind: str
    scope: str | None
    hazard: str
    mitigations: tuple[MitigationView, ...]
    conclusion: str
    proposed_by: str
    proposed_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    valid_from: datetime
    valid_to: datetime
    state: str


async def propose_assessment(
    house: House, call: Call, *, rule: str, scope: Scope, content: Content
) -> AssessmentProposedView:
    """Propose an assessment under a new number.

    Raises Blocked for a rule on which none may stand, NotFound for a scope that is not there, BadInput.
    """
    async with house.door.change(call, Act.PROPOSE_ASSESSMENT, subject=rule) as change:
        _refuse_rule(rule, scope.kind)
        about = None
        if scope.kind != FACILITY:
            about = await assessments.scope_id(change, kind=scope.kind, name=_named(scope), version=scope.version)
        number = await assessments.new_number(change)
        key = await _keep(change, number=number, version=1, rule=rule, kind=scope.kind, about=about, content=content)
        return change.answers(AssessmentProposedView(key, number, 1, rule))


async def new_version(house: House, call: Call, *, number: str, content: Content) -> AssessmentProposedView:
    """Propose the next version of a number, about the same thing. The earlier one stands until this one is approved."""
    async with house.door.change(call, Act.PROPOSE_ASSESSMENT, subject=number) as change:
        last = (await assessments.versions(change, number=number))[0]
        about = await assessments.subject_of(change, number=number)
        version = last.version + 1
        key = await _keep(
            change, number=number, version=version, rule=last.rule, kind=last.scope_kind, about=about, content=content
        )
        return change.answers(AssessmentProposedView(key, number, version, last.rule))


async def approve_assessment(house: House, call: Call, *, assessment: int, ceremony: UUID) -> AssessmentApprovedView:
    """Approve a version by signature. Nobody approves one of their own proposing.

    Raises CeremonyRefused, Stale, NotFound, Conflict when it is approved already or a later version is.
    """
    async with house.door.change(call, Act.APPROVE_ASSESSMENT, subject=f"assessment {assessment}") as change:
        change.ceremony = ceremony
        found = await assessments.one(change, assessment_id=assessment)
        if found.state == "superseded":
            raise Conflict(
                what=Text("The assessment was not approved."),
                why=Text("A later version of {number} is approved already.", number=found.number),
                remedy=Text("Read the version that stands, or propose a new one."),
            )
        signature = await assessments.approve(change, assessment_id=assessment, ceremony=ceremony)
        return change.answers(AssessmentApprovedView(assessment, found.number, found.version, signature))


async def list_assessments(
    house: House, actor: Actor, *, rule: str | None, after: int | None, limit: int
) -> list[AssessmentView]:
    """Versions, the last proposed first; of one rule or of all. `after` is the last one's `assessment`."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        return [_view(row) for row in await assessments.page(reading, rule=rule, after=after, limit=limit)]


async def read_assessment(house: House, actor: Actor, *, number: str) -> tuple[AssessmentView, ...]:
    """Every version of a number, the newest first. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        return tuple(_view(row) for row in await assessments.versions(reading, number=number))


async def known_controls(house: House, actor: Actor) -> Mapping[str, tuple[str, ...]]:
    """The controls that carry out measures against cross-contamination, by group, as the setting in force has them."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        found = (await settings.current(reading, "don05.controls")).get("don05.controls", {})
    return {group: tuple(controls) for group, controls in found.items()}


async def _keep(
    change: Change, *, number: str, version: int, rule: str, kind: str, about: int | None, content: Content
) -> int:
    valid_from = content.valid_from or change.at
    require_once_each([(each, each.measure) for each in content.mitigations], field="mitigations")
    await _refuse_span(change, valid_from=valid_from, valid_to=content.valid_to)
    return await assessments.propose(
        change,
        number=number,
        version=version,
        rule=rule,
        title=content.title,
        scope_kind=kind,
        scope=about,
        hazard=content.hazard,
        mitigations=[{"measure": each.measure, "control": each.control} for each in content.mitigations],
        conclusion=content.conclusion,
        valid_from=valid_from,
        valid_to=content.valid_to,
    )


def _refuse_rule(rule: str, kind: str) -> None:
    if rule not in BY_ID:
        raise BadInput(
            field="rule",
            what=NOT_PROPOSED,
            why=Text("The rule book has no rule {rules}.", rules=rule),
            remedy=Text("Choose one of: {rules}.", rules=RULES_ON_ASSESSMENT),
        )
    if rule not in SCOPES_OF:
        raise Blocked(
            what=NOT_PROPOSED,
            why=Text("No assessment stands on {rule}: {title}.", rule=rule, title=BY_ID[rule].title),
            remedy=Text("Choose one of: {rules}.", rules=RULES_ON_ASSESSMENT),
            rule=rule,
        )
    if kind not in SCOPES_OF[rule]:
        raise BadInput(
            field="scope",
            what=NOT_PROPOSED,
            why=Text("An assessment of {rule} is not about this: {scope}.", rule=rule, scope=SCOPE_NAMES[kind]),
            remedy=Text("Choose one of: {scopes}.", scopes=tuple(SCOPE_NAMES[each] for each in SCOPES_OF[rule])),
            rule=rule,
        )


def _named(scope: Scope) -> str:
    if not scope.name or (scope.kind == PROCESS and scope.version is None):
        raise BadInput(
            field="scope",
            what=NOT_PROPOSED,
            why=Text("It is not said what it is about: {scope}.", scope=SCOPE_NAMES[scope.kind]),
            remedy=Text("Name it; a process version by name and version."),
        )
    return scope.name


async def _refuse_span(reading: Change | Reading, *, valid_from: datetime, valid_to: datetime) -> None:
    months = int((await settings.current(reading, MONTHS_MAX)).get(MONTHS_MAX, MONTHS_MAX_UNLESS_SET))
    if valid_to <= valid_from:
        raise BadInput(
            field="valid_to",
            what=NOT_PROPOSED,
            why=Text("It would end before it begins."),
            remedy=Text("Give an end that is after its beginning."),
        )
    if valid_to > _months_later(valid_from, months):
        raise BadInput(
            field="valid_to",
            what=NOT_PROPOSED,
            why=Text("It would stand for longer than {months} months.", months=months),
            remedy=Text("Choose an earlier end; the risk is then assessed anew in a new version."),
        )


def _months_later(at: datetime, months: int) -> datetime:
    years, month = divmod(at.month - 1 + months, 12)
    first = at.replace(year=at.year + years, month=month + 1, day=1)
    # The day after the end of a shorter month stands for the day that it does not have.
    last = (first + LONGEST_MONTH).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(at.day, last.day)) + timedelta(days=1)


def _view(row: Any) -> AssessmentView:
    found: Sequence[Mapping[str, str]] = row.mitigations
    return AssessmentView(
        **{**row._asdict(), "mitigations": tuple(MitigationView(each["measure"], each["control"]) for each in found)}
    )
