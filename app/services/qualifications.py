"""Qualifications: the training matrix. Nobody records their own, and a later record qualifies no earlier work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from app.db import qualifications, settings
from app.domain.acts import Act, Actor
from app.domain.errors import BadInput, Conflict, NotPermitted
from app.domain.people import TOPIC_NAMES
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.db.door import Call, Reading
    from app.services.house import House

SHOWN_AT_MOST = 500


@dataclass(frozen=True, slots=True)
class QualificationView:
    """What somebody was qualified for. `holds`: in force this moment. `evidence` names the record of the training."""

    qualification: int
    topic: str
    valid_from: datetime
    valid_to: datetime
    evidence: str
    recorded_by: str
    recorded_at: datetime
    holds: bool


@dataclass(frozen=True, slots=True)
class TrainingView:
    """Everything that a person was qualified for, newest first."""

    username: str
    printed_name: str
    qualifications: tuple[QualificationView, ...]


@dataclass(frozen=True, slots=True)
class QualifiedView:
    """A qualification that was just recorded."""

    qualification: int
    username: str
    topic: str


async def topics(house: House, actor: Actor) -> Mapping[str, Text]:
    """What a qualification may be for: the topics known by name, and those that the laboratory's setting adds."""
    async with house.door.read(actor, Act.READ_RULES) as reading:
        return await _topics(reading)


async def qualify(
    house: House,
    call: Call,
    *,
    username: str,
    topic: str,
    valid_from: datetime,
    valid_to: datetime,
    evidence: str,
) -> QualifiedView:
    """Record that somebody is qualified for a topic.

    Raises NotPermitted for oneself, NotFound, Conflict for a closed account, BadInput for a topic that is not known.
    """
    async with house.door.change(call, Act.QUALIFY_PERSON, subject=username, reason=topic) as change:
        person = await qualifications.account(change, username=username)
        if person.id == change.actor.account_id:
            raise NotPermitted(
                what=Text("Nothing was recorded."),
                why=Text("Nobody records a qualification of their own."),
                remedy=Text("Ask another QA manager."),
                rule="QA-07",
            )
        if not person.active:
            raise Conflict(
                what=Text("Nothing was recorded."),
                why=Text("The account {username} is closed.", username=username),
                remedy=Text("Open a new account if the person is back."),
            )
        known = await _topics(change)
        if topic not in known:
            raise BadInput(
                field="topic",
                what=Text("Nothing was recorded."),
                why=Text("Nobody is trained for {topic} here.", topic=topic),
                remedy=Text("Choose one of: {topics}.", topics=tuple(known)),
            )
        if valid_to <= valid_from:
            raise BadInput(
                field="valid_to",
                what=Text("Nothing was recorded."),
                why=Text("It would end before it begins."),
                remedy=Text("Give an end that is after its beginning."),
            )
        number = await qualifications.keep(
            change, account_id=person.id, topic=topic, valid_from=valid_from, valid_to=valid_to, evidence=evidence
        )
        return change.answers(QualifiedView(qualification=number, username=person.username, topic=topic))


async def training_of(house: House, actor: Actor, *, username: str) -> TrainingView:
    """What a person was qualified for; one's own may be read by everybody. Raises NotFound."""
    act = Act.READ_RULES if username == actor.username else Act.READ_ACCOUNTS
    async with house.door.read(actor, act) as reading:
        person = await qualifications.account(reading, username=username)
        rows = await qualifications.of_account(reading, account_id=person.id, limit=SHOWN_AT_MOST)
    return TrainingView(
        username=person.username,
        printed_name=person.printed_name,
        qualifications=tuple(QualificationView(**row._asdict()) for row in rows),
    )


async def _topics(reading: Reading) -> dict[str, Text]:
    asked = (await settings.current(reading, "qa07.topics")).get("qa07.topics", {})
    own = {topic for wanted in asked.values() for topic in wanted} - TOPIC_NAMES.keys()
    return {**TOPIC_NAMES, **{topic: Text("{topic}", topic=topic) for topic in sorted(own)}}
