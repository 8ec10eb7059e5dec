"""Steps of a lot's life: what one is made of, how it is judged before it counts, and how it is kept."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from app.db import equipment, judging, lots
from app.domain.errors import BadInput, NotFound
from app.domain.facts import StepKind
from app.domain.lots import LotKind
from app.domain.passages import Counts, Growth
from app.domain.processing import next_passage
from app.domain.rulebook import Gate, Judgement
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from app.db.door import Change, Reading
    from app.db.items import Item

LOCK = """
SELECT lab.lock_lots(
    ARRAY(SELECT DISTINCT c.lot_id FROM lab.item_codes k JOIN lab.containers c ON c.id = k.item_id
          WHERE k.code = ANY (CAST(:materials AS text[])) AND c.lot_id IS NOT NULL),
    (SELECT item_id FROM lab.item_codes WHERE code = :lot))
"""
VESSELS = """
SELECT c.id, own.code, i.kind AS item_kind, c.kind, c.state, c.lot_id, l.name AS lot_name, l.kind AS lot_kind,
    c.passage, s.cpdl, (SELECT w.lot_id FROM lab.withdrawals w WHERE w.vial_id = c.id) AS withdrawn_for, (SELECT reason FROM lab.holds WHERE item_id = c.id AND lifted_at IS NULL ORDER BY id LIMIT 1) AS held
FROM unnest(CAST(:codes AS text[])) WITH ORDINALITY AS given(code, place)
JOIN lab.item_codes k ON k.code = given.code JOIN lab.items i ON i.id = k.item_id JOIN lab.containers c ON c.id = i.id
JOIN lab.item_codes own ON own.item_id = c.id AND own.scheme = 'own'
LEFT JOIN lab.lots l ON l.id = c.lot_id LEFT JOIN lab.steps s ON s.id = c.step_id ORDER BY given.place
"""
KNOWN = "SELECT code FROM lab.item_codes WHERE code = ANY (CAST(:codes AS text[]))"
OPEN_SESSION = """
SELECT id FROM lab.workstation_sessions
WHERE workstation_id = :workstation_id AND lot_id = :lot_id AND during @> CAST(:at AS timestamptz) ORDER BY id DESC LIMIT 1
"""
OPEN_NOW = """
SELECT id FROM lab.workstation_sessions
WHERE workstation_id = :workstation_id AND lot_id = :lot_id AND upper_inf(during) ORDER BY id DESC LIMIT 1
"""
KEEP = """
INSERT INTO lab.steps (lot_id, kind, passage, performed_by, verified_by, workstation_session_id, started_at, ended_at,
    happened_anyway, viable_seeded, viable_harvested, dead_harvested, viability_percent, pd, cpdl, parameters, recorded_by)
VALUES (:lot_id, :kind, :passage, :performed_by, :verified_by, :session_id, :started_at, :ended_at, :happened_anyway,
    :viable_seeded, :viable_harvested, :dead_harvested, :viability_percent, :pd, :cpdl, CAST(:parameters AS jsonb), :by)
RETURNING id
"""
CONSUME = """
INSERT INTO lab.consumptions (step_id, lot_id, container_id, material_lot_id, quantity, unit, used_at, recorded_by)
VALUES (:step_id, :lot_id, :container_id, :material_lot_id, :quantity, :unit, :used_at, :by)
"""
# The first use opens a container; an earlier one that is recorded later moves the end forward, never back.
OPEN = """
UPDATE lab.containers c SET opened_until = o.until, version = c.version + 1
FROM lab.material_lots r JOIN lab.materials m ON m.id = r.material_id,
    LATERAL (SELECT CAST(:at AS timestamptz) + CAST(m.opened_life_hours AS double precision) * interval '1 hour' AS until) o
WHERE c.id = ANY (CAST(:ids AS bigint[])) AND r.id = c.lot_id AND o.until IS NOT NULL
    AND (c.opened_until IS NULL OR c.opened_until > o.until)
"""


@dataclass(frozen=True, slots=True)
class MaterialUse:
    """What was taken from one material container. Quantity and unit are None only where nobody knows them."""

    container: str
    quantity: Decimal | None
    unit: str | None


@dataclass(frozen=True, slots=True)
class Vessel:
    """A container: a flask or vial of cells, or a bottle of material. `held` is why it stands on hold itself.

    `withdrawn_for` is the lot for which a vial left its bank.
    """

    id: int
    code: str
    item_kind: str
    kind: str
    state: str
    lot_id: int | None
    lot_name: str | None
    lot_kind: str | None
    passage: int | None
    cpdl: Decimal | None
    held: str | None
    withdrawn_for: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A step and everything that it takes. `cpdl_start` are the doublings of the oldest cells that go into it.

    `equipment` is what it takes beside its workstation: the place where cells go, the counter.
    """

    lot: lots.Lot
    kind: StepKind
    started_at: datetime
    workstation: Item | None
    session_id: int | None
    parents: tuple[Vessel, ...]
    materials: tuple[tuple[MaterialUse, Vessel], ...]
    performed_by: int | None = None
    equipment: tuple[int, ...] = ()

    @property
    def parent_passage(self) -> int | None:
        """The oldest passage among the parents; None where one is not known, or there are none."""
        passages = [each.passage for each in self.parents]
        return None if not passages or None in passages else max(each for each in passages if each is not None)

    @property
    def passage(self) -> int | None:
        """The passage number that cells bear after this step."""
        if self.lot.passage_convention is None:
            return None
        return next_passage(kind=self.kind, parent_passage=self.parent_passage, convention=self.lot.passage_convention)

    @property
    def cpdl_start(self) -> Decimal | None:
        """The primary culture starts at zero; else the highest among the parents, None where one is not known."""
        if self.kind is StepKind.ISOLATION:
            return Decimal(0)
        levels = [each.cpdl for each in self.parents]
        return None if not levels or None in levels else max(each for each in levels if each is not None)

    def to_json(self) -> dict[str, Any]:
        """As `dossier.step` takes it."""
        return {
            "kind": self.kind.value,
            "passage": self.passage,
            "workstation_id": self.workstation and self.workstation.id,
            "material_container_ids": [vessel.id for _, vessel in self.materials],
            "parent_ids": [each.id for each in self.parents],
            "equipment_ids": list(self.equipment),
            "performed_by": self.performed_by,
            "at": self.started_at.astimezone(UTC).isoformat(timespec="microseconds"),
        }


@dataclass(frozen=True, slots=True)
class Judged:
    """One gate's answer to a plan, with the bytes that it answered to."""

    kind: str
    subject_id: int
    dossier: bytes
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Done:
    """How the step went: who, until when, what was counted. `happened_anyway` marks the second door.

    `verified_by` is who was said to have looked on, through the second door alone; it verifies nothing.
    """

    performed_by: int
    verified_by: int | None
    ended_at: datetime | None
    counts: Counts
    growth: Growth
    parameters: Mapping[str, Any] = field(default_factory=dict)
    happened_anyway: bool = False


async def lock(change: Change, *, lot: str, materials: Iterable[MaterialUse]) -> None:
    """Lock what the step's rules read, then the lot, before anything is read that a verdict rests on."""
    await change.run(LOCK, lot=lot, materials=[each.container for each in materials])


async def resolve(
    change: Change,
    *,
    lot: str,
    kind: StepKind,
    workstation: str | None,
    parents: Sequence[str],
    materials: Sequence[MaterialUse],
    started_at: datetime,
    equipment_codes: Sequence[str] = (),
) -> Plan:
    """The step, by the person who acts, with everything that its codes name. Raises NotFound for a code that names nothing of the kind."""
    found = await lots.find(change, code=lot)
    station = None if workstation is None else await equipment.workstation(change, code=workstation)
    return Plan(
        lot=found,
        kind=kind,
        started_at=started_at,
        workstation=station,
        session_id=None if station is None else await _session(change, station.id, found.id, started_at),
        parents=await vessels(change, codes=tuple(dict.fromkeys(parents)), item_kind="container"),
        materials=tuple(
            zip(
                materials,
                await vessels(change, codes=[each.container for each in materials], item_kind="material_container"),
                strict=True,
            )
        ),
        performed_by=change.actor.account_id,
        equipment=await equipment.keys_of(change, codes=equipment_codes),
    )


async def _session(reading: Reading, workstation_id: int, lot_id: int, at: datetime) -> int | None:
    open_now: int | None = await reading.value(OPEN_NOW, workstation_id=workstation_id, lot_id=lot_id)
    if open_now is not None:
        return open_now
    then: int | None = await reading.value(OPEN_SESSION, workstation_id=workstation_id, lot_id=lot_id, at=at)
    return then


async def vessels(reading: Reading, *, codes: Sequence[str], item_kind: str) -> tuple[Vessel, ...]:
    """The containers of these codes, in order. Raises NotFound, naming the first that is none of this kind."""
    if not codes:
        return ()
    found = [Vessel(**row._asdict()) for row in await reading.all(VESSELS, codes=list(codes))]
    strange = next((each for each in found if each.item_kind != item_kind), None)
    if len(found) == len(codes) and strange is None:
        return tuple(found)
    if strange is None:
        known = {row.code for row in await reading.all(KNOWN, codes=list(codes))}
        strange_code = next((each for each in codes if each not in known), codes[0])
    else:
        strange_code = strange.code
    wanted = Text("container of cells") if item_kind == "container" else Text("container of material")
    raise NotFound(
        what=Text("Nothing was recorded."),
        why=Text("{code} is no {wanted} that is known here.", code=strange_code, wanted=wanted),
        remedy=Text(
            "Scan the label again. If the thing has no label that can be read, leave it out here, set it aside, and "
            "write in the account what it is."
        ),
        detail={"code": strange_code},
    )


async def judged(reading: Reading, plan: Plan) -> tuple[Judged, ...]:
    """What the rule book says to this step, as of the moment when it began: later evidence does not count.

    An isolation also passes the gate at which a donation is accepted into processing.
    """
    answers: list[Judged] = []
    if plan.kind is StepKind.ISOLATION and plan.lot.donation_id is not None:
        bytes_, judgement = await judging.judged(
            reading, kind="donation", subject_id=plan.lot.donation_id, gate=Gate.G2, at=plan.started_at
        )
        answers.append(Judged("donation", plan.lot.donation_id, bytes_, judgement))
    bytes_, judgement = await judging.judged(
        reading, kind="step", subject_id=plan.lot.id, gate=Gate.G4, at=plan.started_at, plan=plan.to_json()
    )
    return (*answers, Judged("step", plan.lot.id, bytes_, judgement))


async def keep_judgements(change: Change, answers: Iterable[Judged]) -> None:
    """Keep what was judged, so that the step can be explained later."""
    for each in answers:
        await judging.keep_judgement(
            change, kind=each.kind, subject_id=each.subject_id, dossier=each.dossier, judgement=each.judgement
        )


async def keep(change: Change, plan: Plan, done: Done) -> int:
    """Keep the step and what it consumed. The step's number."""
    step_id: int = await change.value(
        KEEP,
        lot_id=plan.lot.id,
        kind=plan.kind.value,
        passage=plan.passage,
        performed_by=done.performed_by,
        verified_by=done.verified_by,
        session_id=plan.session_id,
        started_at=plan.started_at,
        ended_at=done.ended_at,
        happened_anyway=done.happened_anyway,
        viable_seeded=done.counts.viable_seeded,
        viable_harvested=done.counts.viable_harvested,
        dead_harvested=done.counts.dead_harvested,
        viability_percent=done.growth.viability_percent,
        pd=done.growth.pd,
        cpdl=done.growth.cpdl,
        parameters=json.dumps(to_jsonable_python(done.parameters), ensure_ascii=False),
        by=change.actor.account_id,
    )
    await consume(change, lot_id=plan.lot.id, step_id=step_id, used_at=plan.started_at, materials=plan.materials)
    return step_id


async def consume(
    change: Change,
    *,
    lot_id: int,
    step_id: int | None,
    used_at: datetime,
    materials: Sequence[tuple[MaterialUse, Vessel]],
) -> None:
    """Enter in the ledger what was taken from which material container."""
    await change.run_many(
        CONSUME,
        [
            {
                "step_id": step_id,
                "lot_id": lot_id,
                "container_id": vessel.id,
                "material_lot_id": vessel.lot_id,
                "quantity": use.quantity,
                "unit": use.unit,
                "used_at": used_at,
                "by": change.actor.account_id,
            }
            for use, vessel in materials
            # A bottle that belongs to no material lot is traced by lineage: the ledger is of material lots.
            if vessel.lot_kind == LotKind.MATERIAL
        ],
    )
    await open_containers(change, ids=sorted({vessel.id for _, vessel in materials}), at=used_at)


async def open_containers(change: Change, *, ids: Sequence[int], at: datetime) -> None:
    """Note until when these containers may be used, where their material says how long it keeps once opened."""
    await change.run(OPEN, ids=list(ids), at=at)


def refuse_nothing(codes: Sequence[str], *, field_name: str, of: Text) -> None:
    """Raise BadInput where a step names nothing that it came from."""
    if not codes:
        raise BadInput(
            field=field_name,
            what=Text("Nothing was recorded."),
            why=Text("No {of} is named.", of=of),
            remedy=Text("Scan what goes into this step."),
        )
