"""Judge, sign, release: the one way a preparation is released, and what leads to it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.db import items, judging, release, seal
from app.domain.acts import Act, Actor, Role
from app.domain.dossier import digest as digest_of
from app.domain.errors import Stale
from app.domain.rulebook import Gate, Judgement, Outcome, Standing
from app.domain.text import Text
from app.rules import BY_ID

if TYPE_CHECKING:
    from app.db.door import Call, Change
    from app.services.house import House

MEANT = {Gate.G5: "conditionally_released", Gate.G6: "released"}
"""What the signature at each gate says."""


@dataclass(frozen=True, slots=True)
class CiteView:
    """Where a rule comes from. `status`: stated, reconstructed or unverified."""

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
class VerdictView:
    """One rule's answer."""

    rule: str
    title: Text
    outcome: Outcome
    closes: bool
    cites: tuple[CiteView, ...]
    findings: tuple[FindingView, ...]
    evidence: tuple[EvidenceView, ...]
    missing: tuple[Text, ...]
    waiver: int | None
    legacy: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JudgementView:
    """A lot before the release gate. `digest` is of the very bytes judged; `kept` numbers a kept judgement."""

    lot: str
    name: str
    state: str
    gate: str
    digest: str
    rulebook: str
    at: datetime
    blocks: bool
    waits: bool
    kept: int | None
    verdicts: tuple[VerdictView, ...]


@dataclass(frozen=True, slots=True)
class ReleaseView:
    """A release as it was committed. `entry` is the audit entry whose inclusion the seal proves."""

    lot: str
    name: str
    release: int
    signature: int
    signed_by: str
    signed_at: datetime
    meaning: str
    digest: str
    judgement: int
    entry: int


@dataclass(frozen=True, slots=True)
class SealView:
    """The seal over a release, or that it is pending."""

    seal: str
    leaf: int | None = None
    size: int | None = None
    path: tuple[str, ...] = ()
    checkpoint: str | None = None


async def live_judgement(house: House, actor: Actor, *, code: str) -> JudgementView:
    """How the lot stands now, for whoever looks. Nothing is kept."""
    judgement, _ = await live_record(house, actor, code=code)
    return judgement


async def live_conditional_judgement(house: House, actor: Actor, *, code: str) -> JudgementView:
    """How the lot stands now before the first release of two. Nothing is kept."""
    judgement, _ = await live_record(house, actor, code=code, gate=Gate.G5)
    return judgement


async def live_record(house: House, actor: Actor, *, code: str, gate: Gate = Gate.G6) -> tuple[JudgementView, Any]:
    """How the lot stands now, and the parsed form of the very bytes that were judged. Nothing is kept."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        lot = await items.find(reading, code=code, kind="lot")
        head = await release.lot_head(reading, lot_id=lot.id)
        at = await judging.now(reading)
        bytes_, judgement = await judging.judged(
            reading, kind="lot", subject_id=lot.id, gate=gate, at=at, signer_id=_signer_id(actor)
        )
    return _view(judgement, bytes_, head=head, kept=None), json.loads(bytes_)


async def check_release(house: House, call: Call, *, code: str) -> JudgementView:
    """Judge the lot and keep the judgement: the dossier's bytes, every verdict, the digest."""
    return await _check(house, call, code=code, gate=Gate.G6)


async def check_conditional_release(house: House, call: Call, *, code: str) -> JudgementView:
    """Judge the lot for the first release of two and keep the judgement."""
    return await _check(house, call, code=code, gate=Gate.G5)


async def _check(house: House, call: Call, *, code: str, gate: Gate) -> JudgementView:
    async with house.door.change(call, Act.CHECK_RELEASE, subject=code) as change:
        lot = await items.find(change, code=code, kind="lot")
        head = await release.lot_head(change, lot_id=lot.id)
        await release.lock(change, lot_id=lot.id)
        bytes_, judgement = await judging.judged(
            change, kind="lot", subject_id=lot.id, gate=gate, at=change.at, signer_id=_signer_id(call.actor)
        )
        kept = await judging.keep_judgement(change, kind="lot", subject_id=lot.id, dossier=bytes_, judgement=judgement)
        return change.answers(_view(judgement, bytes_, head=head, kept=kept))


async def release_lot(house: House, call: Call, *, code: str, digest: str, ceremony: UUID) -> ReleaseView:
    """Release: lock, judge again, and let the gate write it. A refusal spends the ceremony.

    Raises Stale when the dossier is no longer what was shown, Blocked when a rule closes the gate, CeremonyRefused
    when the proof of identity does not hold.
    """
    async with house.door.change(call, Act.RELEASE_LOT, subject=code, reason="released") as change:
        return await _released(change, code=code, digest=digest, ceremony=ceremony, gate=Gate.G6)


async def conditionally_release_lot(house: House, call: Call, *, code: str, digest: str, ceremony: UUID) -> ReleaseView:
    """Release before the results that the plan lets come late: as `release_lot`, through the gate of the first release."""
    async with house.door.change(
        call, Act.CONDITIONALLY_RELEASE_LOT, subject=code, reason="conditionally released"
    ) as change:
        return await _released(change, code=code, digest=digest, ceremony=ceremony, gate=Gate.G5)


async def _released(change: Change, *, code: str, digest: str, ceremony: UUID, gate: Gate) -> ReleaseView:
    change.ceremony = ceremony
    lot = await items.find(change, code=code, kind="lot")
    await release.lock(change, lot_id=lot.id)
    head = await release.lot_head(change, lot_id=lot.id)
    bytes_, judgement = await judging.judged(
        change, kind="lot", subject_id=lot.id, gate=gate, at=change.at, signer_id=change.actor.account_id
    )
    if digest_of(bytes_) != digest:
        raise Stale(
            what=Text("{lot} was not released.", lot=head.name),
            why=Text("Its record changed since it was shown to you."),
            remedy=Text("Read the release page as it stands now, run the release check, and sign again."),
            rule="QA-06",
        )
    if not judgement.is_open:
        raise judgement.refusal()
    kept = await judging.keep_judgement(change, kind="lot", subject_id=lot.id, dossier=bytes_, judgement=judgement)
    if gate is Gate.G6:
        done = await release.release(change, lot_id=lot.id, ceremony=ceremony, judgement=kept)
    else:
        done = await release.conditionally_release(change, lot_id=lot.id, ceremony=ceremony, judgement=kept)
    return change.answers(
        ReleaseView(
            lot=lot.code,
            name=head.name,
            release=done.release,
            signature=done.signature,
            signed_by=change.actor.printed_name,
            signed_at=done.signed_at,
            meaning=MEANT[gate],
            digest=digest,
            judgement=kept,
            entry=change.entry,
        )
    )


async def seal_of(house: House, *, entry: int, within_s: float) -> SealView:
    """The seal over an audit entry, waited for at most so long."""
    async with house.door.driver() as connection:
        proof = await seal.wait_for_seal(connection, number=entry, within_s=within_s)
    if proof is None:
        return SealView(seal="pending")
    return SealView(
        seal="sealed",
        leaf=proof.leaf,
        size=proof.size,
        path=tuple(node.hex() for node in proof.path),
        checkpoint=proof.note,
    )


async def release_of(house: House, actor: Actor, *, code: str) -> ReleaseView | None:
    """The release of this lot, if it was released. A first release of two is none."""
    return await _kept(house, actor, code=code, meaning=MEANT[Gate.G6])


async def conditional_release_of(house: House, actor: Actor, *, code: str) -> ReleaseView | None:
    """The first release of two, if there was one."""
    return await _kept(house, actor, code=code, meaning=MEANT[Gate.G5])


async def _kept(house: House, actor: Actor, *, code: str, meaning: str) -> ReleaseView | None:
    async with house.door.read(actor, Act.READ_LOT) as reading:
        lot = await items.find(reading, code=code, kind="lot")
        row = await release.kept_release(reading, lot_id=lot.id, meaning=meaning)
    return None if row is None else ReleaseView(lot=lot.code, meaning=meaning, **row._asdict())


def _signer_id(actor: Actor) -> int | None:
    return actor.account_id if Role.QUALITY_AUTHORITY in actor.roles else None


def _view(judgement: Judgement, dossier: bytes, *, head: release.LotHead, kept: int | None) -> JudgementView:
    return JudgementView(
        lot=judgement.subject,
        name=head.name,
        state=head.state,
        gate=judgement.gate.value,
        digest=digest_of(dossier),
        rulebook=judgement.rulebook,
        at=judgement.at,
        blocks=bool(judgement.blocks),
        waits=bool(judgement.waiting),
        kept=kept,
        verdicts=tuple(
            VerdictView(
                rule=verdict.rule,
                title=verdict.title,
                outcome=verdict.outcome,
                closes=verdict.closes,
                cites=tuple(
                    CiteView(cite.source, cite.section, cite.paraphrase, cite.status)
                    for cite in (BY_ID[verdict.rule].cites if verdict.rule in BY_ID else ())
                ),
                findings=tuple(FindingView(f.subject, f.problem, f.remedy) for f in verdict.findings),
                evidence=tuple(EvidenceView(each.subject, each.says) for each in verdict.evidence),
                missing=verdict.missing,
                waiver=verdict.waiver,
                legacy=verdict.legacy,
            )
            for verdict in judgement.verdicts
        ),
    )
