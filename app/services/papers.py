"""Papers: made from what is recorded, kept with everything that stands on them, and drawn again as they were."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from app.db import judging, papers, seal, settings
from app.domain.acts import Act, Actor
from app.domain.dossier import digest as digest_of
from app.domain.errors import BadInput, Busy, Conflict, NotFound, Refusal, Stale, in_words_of
from app.domain.lots import LotState
from app.domain.reads import settings_read
from app.domain.rulebook import Gate, Outcome, Rule
from app.domain.seals import read_note
from app.domain.settings_defaults import DEFAULTS
from app.domain.text import Text
from app.papers import facts as on_paper
from app.papers.facts import Kind, Language
from app.papers.from_dossier import people_in, tests_in, vials_in, waivers_in
from app.rules import BY_ID, RULEBOOK_VERSION, RULES, rulebook_digest
from labels.words import SpokenError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator, Mapping

    from sqlalchemy import Row

    from app.db.door import Call, Reading
    from app.papers.child import Paper
    from app.services.house import House

__all__ = [
    "Kind",
    "Language",
    "PaperBytes",
    "PaperView",
    "list_papers",
    "make_paper",
    "paper_bytes",
    "rule_book",
]

T = TypeVar("T")

ADDRESSES = {
    Kind.CERTIFICATE: "/api/v1/lots/{code}/certificate.pdf",
    Kind.BATCH_SUMMARY: "/api/v1/lots/{code}/batch-summary.pdf",
    Kind.ELIGIBILITY: "/api/v1/donations/{code}/eligibility.pdf",
}


@dataclass(frozen=True, slots=True)
class PaperView:
    """A paper that was made. `sha256` is of the very bytes that its address gives."""

    number: str
    kind: Kind
    language: Language
    item: str
    pages: int
    sha256: str
    pdf: str


@dataclass(frozen=True, slots=True)
class PaperLine:
    """A paper in a list."""

    number: str
    kind: Kind
    language: Language
    pages: int
    sha256: str
    made_by: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class PaperBytes:
    """A paper as it leaves."""

    number: str
    pdf: bytes


@dataclass(frozen=True, slots=True)
class _Gathered:
    """What a paper is about and what stands on it."""

    item_id: int
    code: str
    content: str


async def make_paper(house: House, call: Call, *, kind: Kind, code: str, language: Language) -> PaperView:
    """Make a paper: gather, draw, and keep that it was made; only then can it be fetched.

    Raises NotFound; Conflict where the lot is not released; Busy while the seal is pending; BadInput for a character
    that the typeface lacks.
    """
    if kind not in _GATHER:
        raise BadInput(
            field="kind",
            what=Text("The paper was not made."),
            why=Text("A paper of this kind is not about one thing."),
            remedy=Text("Choose one of the list."),
        )
    gathered, drawn = await _drawn_anew(house, call, kind=kind, code=code, language=language)
    sha256 = hashlib.sha256(drawn.pdf).hexdigest()
    reason = f"{kind.value} {drawn.number} {language.value} sha256 {sha256}"
    async with house.door.change(call, Act.PRINT_PAPER, subject=code, reason=reason) as change:
        await papers.insert(
            change,
            item_id=gathered.item_id,
            number=drawn.number,
            kind=kind.value,
            language=language.value,
            content=gathered.content,
            pdf_sha256=sha256,
            pages=drawn.pages,
        )
        return change.answers(
            PaperView(
                number=drawn.number,
                kind=kind,
                language=language,
                item=gathered.code,
                pages=drawn.pages,
                sha256=sha256,
                pdf=f"{ADDRESSES[kind].format(code=gathered.code)}?number={drawn.number}",
            )
        )


async def paper_bytes(
    house: House, actor: Actor, *, kind: Kind, code: str, number: str | None, language: Language | None
) -> PaperBytes:
    """A paper that was made, drawn again from what stood on it: the one of this number, else the last.

    Raises NotFound where none was made, Stale where this version of Stemma draws other bytes, Conflict for the
    certificate of a lot that is no longer released.
    """
    async with house.door.read(actor, _READS[kind]) as reading:
        made = await papers.last(
            reading, code=code, kind=kind.value, number=number, language=None if language is None else language.value
        )
        if kind is Kind.CERTIFICATE:
            _refuse_unless_released(await papers.lot(reading, code=code))
    if made is None:
        raise NotFound(
            what=Text("There is no such paper."),
            why=Text("Every paper is recorded before it is handed out, and none of this kind was made here."),
            remedy=Text("Make the paper first."),
        )
    drawn = await _drawn(house, kind=kind, language=Language(made.language), content=made.content)
    if hashlib.sha256(drawn.pdf).hexdigest() != made.pdf_sha256:
        raise Stale(
            what=Text("The paper was not drawn."),
            why=Text("It was made by another version of Stemma, which drew it differently."),
            remedy=Text("Make a new copy. What stands on the first is kept with the record."),
        )
    return PaperBytes(number=made.number, pdf=drawn.pdf)


async def list_papers(house: House, actor: Actor, *, code: str) -> tuple[PaperLine, ...]:
    """The papers that were made of a lot or a donation, newest first."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        rows = await reading.all(papers.LIST, code=code)
    return tuple(
        PaperLine(
            each.number, Kind(each.kind), Language(each.language), each.pages, each.sha256, each.made_by, each.made_at
        )
        for each in rows
    )


_READS = {Kind.CERTIFICATE: Act.READ_LOT, Kind.BATCH_SUMMARY: Act.READ_LOT, Kind.ELIGIBILITY: Act.READ_DONOR}


async def _drawn_anew(
    house: House, call: Call, *, kind: Kind, code: str, language: Language
) -> tuple[_Gathered, Paper]:
    # No transaction stands open while it is drawn: it would hold the seal of everybody's work back.
    async with house.door.read(call.actor, Act.PRINT_PAPER) as reading:
        gathered = await _kept_if_refused(house, call, code, _GATHER[kind](house, reading, call.actor, code))
    drawing = _drawn(house, kind=kind, language=language, content=gathered.content)
    return gathered, await _kept_if_refused(house, call, code, drawing)


async def _kept_if_refused(house: House, call: Call, code: str, work: Awaitable[T]) -> T:
    """A refusal is a record, here too where no change is open yet."""
    try:
        return await work
    except Refusal as refusal:
        await house.door.keep_refusal(call.actor, Act.PRINT_PAPER, code, refusal)
        raise


async def _drawn(house: House, *, kind: Kind, language: Language, content: str) -> Paper:
    try:
        return await house.drawers.draw(kind=kind.value, language=language.value, content=content)
    except SpokenError as error:
        if error.code == "missing_glyph":
            raise BadInput(field="paper", **in_words_of(error)) from error
        raise Busy(**in_words_of(error)) from error


# --- the certificate --------------------------------------------------------------------------------------------------


async def _certificate(house: House, reading: Reading, actor: Actor, code: str) -> _Gathered:
    lot = await papers.lot(reading, code=code)
    _refuse_unless_released(lot)
    done = await papers.only(reading, papers.RELEASE, id=lot.id)
    judged = json.loads(done.verdicts) if isinstance(done.verdicts, str) else done.verdicts
    dossier = json.loads(done.dossier, parse_float=Decimal)
    names = await papers.printed_names(reading, usernames=people_in(dossier))
    facts = on_paper.Certificate(
        made=await _made(reading, actor),
        lot=_identity(lot),
        filled=replace(await _filled(reading, lot), stored=vials_in(dossier)),
        tests=tuple(tests_in(dossier, names)),
        rulebook=done.rulebook,
        judgement=done.judgement,
        release=done.release,
        verdicts=tuple(_ruled(judged)),
        waivers=tuple(waivers_in(dossier, judged, names)),
        signed=_signed(done),
        appointed=on_paper.Appointed(
            done.appointment, done.title_level, done.title_certificate, done.certificate_valid_until, done.from_at
        ),
        anchor=await _anchor(house, entry=done.entry),
    )
    return _Gathered(lot.id, lot.code, on_paper.kept(facts))


def _refuse_unless_released(lot: Row[Any]) -> None:
    if lot.state != LotState.RELEASED:
        raise Conflict(
            what=Text("There is no certificate of {lot}.", lot=lot.name),
            why=Text("It is not released, or is so no longer."),
            remedy=Text("Only a released lot has a certificate. The batch summary tells of any lot."),
        )


async def _anchor(house: House, *, entry: int) -> on_paper.Anchor:
    async with house.door.driver() as connection:
        proof = await seal.seal_proof(connection, number=entry)
    if proof is None:
        raise Busy(
            what=Text("The certificate was not made."),
            why=Text("The release is done and recorded; its seal is still pending."),
            remedy=Text("Wait for the seal, which follows within seconds, then ask again."),
        )
    note = read_note(proof.note)
    return on_paper.Anchor(
        entry=entry,
        leaf=proof.leaf,
        size=proof.size,
        root=base64.b64encode(note.root).decode(),
        epoch=note.epoch,
        origin=note.origin,
        at=note.at,
        note=proof.note,
    )


# --- the batch summary ------------------------------------------------------------------------------------------------


async def _batch_summary(_: House, reading: Reading, actor: Actor, code: str) -> _Gathered:
    lot = await papers.lot(reading, code=code)
    bytes_ = await judging.dossier_of(reading, kind="lot", subject_id=lot.id)
    dossier = json.loads(bytes_, parse_float=Decimal)
    names = await papers.printed_names(reading, usernames=people_in(dossier))
    reviewed = await reading.one(papers.REVIEW, id=lot.id)

    async def told(statement: str) -> list[dict[str, Any]]:
        return [row._asdict() for row in await reading.all(statement, id=lot.id)]

    facts = on_paper.BatchSummary(
        made=await _made(reading, actor),
        lot=_identity(lot),
        filled=await _filled(reading, lot),
        max_passage=lot.max_passage,
        max_pdl=lot.max_pdl,
        steps=tuple(on_paper.Step(**each) for each in await told(papers.STEPS)),
        used=tuple(on_paper.Used(**each) for each in await told(papers.USED)),
        clearances=tuple(on_paper.Cleared(**each) for each in await told(papers.CLEARANCES)),
        taken=tuple(on_paper.Taken(**each) for each in await told(papers.TAKEN)),
        tests=tuple(tests_in(dossier, names)),
        deviations=tuple(on_paper.Deviated(**each) for each in await told(papers.DEVIATIONS)),
        holds=tuple(on_paper.Held(**each) for each in await told(papers.HOLDS)),
        labels=tuple(on_paper.Labelled(**each) for each in await told(papers.LABELS)),
        counts=tuple(on_paper.Counted(**each) for each in await told(papers.COUNTS)),
        reviewed=None
        if reviewed is None
        else on_paper.Reviewed(reviewed.decision, reviewed.remarks, reviewed.is_current, _signed(reviewed)),
        digest=digest_of(bytes_),
    )
    return _Gathered(lot.id, lot.code, on_paper.kept(facts))


# --- the eligibility sheet --------------------------------------------------------------------------------------------


async def _eligibility(_: House, reading: Reading, actor: Actor, code: str) -> _Gathered:
    given = await papers.donation(reading, code=code)
    determined = await reading.one(papers.DETERMINED, id=given.id)
    dossier, judgement = await judging.judged(
        reading, kind="donation", subject_id=given.id, gate=Gate.G2, at=await judging.now(reading)
    )
    judged, rulebook = judgement.to_json(), judgement.rulebook
    if determined is not None and determined.verdicts is not None:
        judged, rulebook = determined.verdicts, determined.rulebook
    facts = on_paper.Eligibility(
        made=await _made(reading, actor),
        donation=given.code,
        din=given.din,
        donor=given.donor,
        relation=given.relation,
        tested_person=given.tested_person,
        genetic_source=given.genetic_source,
        recipient=given.recipient,
        tissue=given.tissue,
        collected_at=given.collected_at,
        received_at=given.received_at,
        volume_ml=given.volume_ml,
        markers=tuple(on_paper.Marked(**row._asdict()) for row in await reading.all(papers.MARKERS, id=given.donor_id)),
        consents=tuple(
            on_paper.Consented(row.form_version, tuple(row.scopes), row.signed_at, row.withdrawn_at)
            for row in await reading.all(papers.CONSENTS, id=given.donor_id)
        ),
        matches=tuple(
            on_paper.Matched(row.recipient, tuple(row.identifiers), row.verified_by, row.second_by, row.at)
            for row in await reading.all(papers.MATCHES, id=given.donor_id)
        ),
        determined=None
        if determined is None
        else on_paper.Determined(determined.decision, determined.reason, determined.valid_until, _signed(determined)),
        rulebook=rulebook,
        verdicts=tuple(_ruled(judged)),
        digest=digest_of(dossier),
    )
    return _Gathered(given.id, given.code, on_paper.kept(facts))


_GATHER = {Kind.CERTIFICATE: _certificate, Kind.BATCH_SUMMARY: _batch_summary, Kind.ELIGIBILITY: _eligibility}


# --- the rule book ----------------------------------------------------------------------------------------------------


async def rule_book(house: House, actor: Actor, *, language: Language) -> PaperBytes:
    """The rule book as it judges now, to lay before an inspector.

    It is about no item and no row is kept of it: its version names the source that judges, digest and all, and beside
    each setting stands its version. Raises Busy.
    """
    names = {each.id: settings_read(each, known=SETTINGS_KNOWN) for each in RULES}
    async with house.door.read(actor, Act.READ_RULES) as reading:
        wanted = sorted({name for each in names.values() for name in each})
        kept = {row.name: row for row in await settings.described(reading, *wanted)}
        made = await _made(reading, actor)
        pack = await reading.value(papers.PACK)
    facts = on_paper.RuleBook(
        made=made,
        version=RULEBOOK_VERSION,
        digest=rulebook_digest(),
        jurisdiction=pack,
        rules=tuple(_rule_shown(each, names[each.id]) for each in RULES),
        settings=tuple(_setting_shown(name, kept.get(name)) for name in wanted),
    )
    drawn = await _drawn(house, kind=Kind.RULE_BOOK, language=language, content=on_paper.kept(facts))
    return PaperBytes(number=drawn.number, pdf=drawn.pdf)


SETTINGS_KNOWN = frozenset(each.name for each in DEFAULTS)


def _rule_shown(rule: Rule, names: tuple[str, ...]) -> on_paper.RuleShown:
    return on_paper.RuleShown(
        id=rule.id,
        title=rule.title,
        gates=tuple(each.value for each in Gate if each in rule.gates),
        waiver=tuple(rule.waiver),
        cites=tuple(on_paper.Cited(each.source, each.section, each.paraphrase, each.status) for each in rule.cites),
        counterexamples=tuple(
            on_paper.WouldClose(_as_text(each.name), each.gate.value, each.outcome) for each in rule.breaks
        ),
        settings=names,
    )


def _as_text(words: str) -> Text:
    return Text(words)  # marked where the rule is written


def _setting_shown(name: str, row: Row[Any] | None) -> on_paper.SettingShown:
    if row is None:
        return on_paper.SettingShown(name, None, None, None, "", None)
    return on_paper.SettingShown(name, row.version, row.value, row.unit, row.source, row.valid_from)


# --- what papers share ------------------------------------------------------------------------------------------------


async def _made(reading: Reading, actor: Actor) -> on_paper.Made:
    house = await papers.only(reading, papers.HOUSE)
    return on_paper.Made(
        house.facility, house.time_zone, house.purpose, house.at, by=actor.printed_name, username=actor.username
    )


def _identity(lot: Row[Any]) -> on_paper.Identity:
    return on_paper.Identity(
        code=lot.code,
        name=lot.name,
        kind=lot.kind,
        state=lot.state,
        product=lot.product or "",
        product_zh=lot.product_zh or "",
        process=lot.process or "",
        specification=lot.specification or "",
        donor=lot.donor or "",
        relation=lot.relation or "",
        recipient=lot.recipient,
        donation=lot.donation or "",
        din=lot.din,
        tissue=lot.tissue or "",
        collected_at=lot.collected_at,
        frozen_at=lot.frozen_at,
        expires_at=lot.expires_at,
    )


async def _filled(reading: Reading, lot: Row[Any]) -> on_paper.Filled:
    row = await papers.only(reading, papers.FILLED, id=lot.id)
    return on_paper.Filled(**row._asdict())


def _signed(row: Row[Any]) -> on_paper.Signed:
    return on_paper.Signed(
        printed_name=row.printed_name,
        username=row.username,
        roles=tuple(row.roles),
        meaning=row.meaning,
        at=row.at,
        statement=row.statement,
        digest=row.digest,
        number=row.number,
    )


def _ruled(judged: Mapping[str, Any]) -> Iterator[on_paper.Ruled]:
    for each in judged["verdicts"]:
        rule = BY_ID.get(each["rule"])
        yield on_paper.Ruled(
            rule=each["rule"],
            title=Text.from_json(each["title"]),
            outcome=Outcome(each["outcome"]),
            cites=tuple(on_paper.Citation(cite.source, cite.section) for cite in (rule.cites if rule else ())),
            waiver=each["waiver"],
            problems=tuple(Text.from_json(finding["problem"]) for finding in each["findings"]),
            legacy=tuple(each.get("legacy", ())),
        )
