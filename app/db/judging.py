"""Dossiers out of the database, judged by the rule book, and kept: the one place where facts meet rules."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from app.domain.dossier import digest, parse, parse_signer
from app.domain.errors import NotFound
from app.domain.rulebook import Gate, Judgement, Verdict, judge
from app.domain.text import Text
from app.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.db.door import Change, Reading
    from app.domain.facts import Signer

DOSSIERS = {
    "lot": "SELECT dossier.lot(:id)",
    "donation": "SELECT dossier.donation(:id)",
    "material_lot": "SELECT dossier.material_lot(:id)",
    "step": "SELECT dossier.step(:id, CAST(:plan AS jsonb))",
    "study": "SELECT dossier.study(:id)",
    "bank_vial": "SELECT dossier.bank_vial(:id)",
    "to_give": "SELECT dossier.to_give(:id, NULL)",
    "vial_to_give": "SELECT dossier.to_give(lot_id, id) FROM lab.containers WHERE id = :id",
}
MANY = (
    "SELECT s.id, clock_timestamp() AS at, dossier.{kind}(s.id) AS dossier FROM unnest(CAST(:ids AS bigint[])) AS s(id)"
)
SIGNER = "SELECT dossier.signer(:account_id)"
NOW = "SELECT clock_timestamp()"
KEEP = """
INSERT INTO lab.judgements (subject_kind, subject_id, gate, rulebook, dossier, digest, verdicts, blocks, recorded_by)
VALUES (:kind, :id, :gate, :rulebook, :dossier, :digest, CAST(:verdicts AS jsonb), :blocks, :by) RETURNING id
"""


@dataclass(frozen=True, slots=True)
class GateView:
    """How a subject stands before a gate now. `digest` is of the very bytes judged."""

    gate: Gate
    is_open: bool
    digest: str
    rulebook: str
    at: datetime
    verdicts: tuple[Verdict, ...]


async def dossier_of(reading: Reading, *, kind: str, subject_id: int, plan: Mapping[str, Any] | None = None) -> bytes:
    """The exact bytes of the subject's dossier as it stands. `kind`: lot, donation, material_lot, or step of a lot.

    `plan` belongs to a step: {kind, passage, workstation_id, material_container_ids, parent_ids, at}.
    Raises NotFound when there is no such subject.
    """
    values: dict[str, Any] = {"id": subject_id}
    if kind == "step":
        values["plan"] = json.dumps(to_jsonable_python(plan or {}))
    text: str | None = await reading.value(DOSSIERS[kind], **values)
    if text is None:
        raise NotFound(
            what=Text("There is nothing to judge."),
            why=Text("No {kind} stands behind this code.", kind=kind.replace("_", " ")),
            remedy=Text("Scan the right label."),
        )
    return text.encode()


async def signer_of(reading: Reading, *, account_id: int) -> Signer:
    """What the rules may know about somebody who is about to sign."""
    text: str = await reading.value(SIGNER, account_id=account_id)
    return parse_signer(text.encode())


async def judged(
    reading: Reading,
    *,
    kind: str,
    subject_id: int,
    gate: Gate,
    at: datetime,
    signer_id: int | None = None,
    plan: Mapping[str, Any] | None = None,
) -> tuple[bytes, Judgement]:
    """The dossier as it stands, and what the whole rule book says of it at this gate. Nothing is kept.

    Raises NotFound, or DossierUnreadable when database and code are not of one version.
    """
    dossier = await dossier_of(reading, kind=kind, subject_id=subject_id, plan=plan)
    signer = None if signer_id is None else await signer_of(reading, account_id=signer_id)
    return dossier, judge(RULES, parse(dossier), gate=gate, at=at, signer=signer)


async def judged_many(
    reading: Reading, *, kind: str, subject_ids: Sequence[int], gate: Gate
) -> dict[int, tuple[datetime, Judgement]]:
    """When and how the rule book judges each of these lots, donations or material lots at this gate, in one question."""
    if kind not in {"lot", "donation", "material_lot"}:
        raise ValueError(kind)
    rows = await reading.all(MANY.format(kind=kind), ids=list(subject_ids))
    return {
        row.id: (row.at, judge(RULES, parse(row.dossier.encode()), gate=gate, at=row.at))
        for row in rows
        if row.dossier is not None
    }


async def stands_before(
    reading: Reading, *, kind: str, subject_id: int, gate: Gate, at: datetime | None = None
) -> GateView:
    """How the subject stands before a gate at this moment, for whoever looks."""
    at = at or await now(reading)
    dossier, judgement = await judged(reading, kind=kind, subject_id=subject_id, gate=gate, at=at)
    return GateView(
        gate=judgement.gate,
        is_open=judgement.is_open,
        digest=digest(dossier),
        rulebook=judgement.rulebook,
        at=at,
        verdicts=judgement.verdicts,
    )


async def now(reading: Reading) -> datetime:
    """The database's clock."""
    at: datetime = await reading.value(NOW)
    return at


async def keep_judgement(change: Change, *, kind: str, subject_id: int, dossier: bytes, judgement: Judgement) -> int:
    """Keep the bytes that were judged and every verdict, so that it can be explained in thirty years. Its number."""
    number: int = await change.value(
        KEEP,
        kind=kind,
        id=subject_id,
        gate=judgement.gate.value,
        rulebook=judgement.rulebook,
        dossier=dossier.decode(),
        digest=digest(dossier),
        verdicts=json.dumps(judgement.to_json(), ensure_ascii=False),
        blocks=bool(judgement.blocks),
        by=change.actor.account_id,
    )
    return number
