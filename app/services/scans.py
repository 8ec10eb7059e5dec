"""Scanning: read the code, resolve it, judge it, keep it. Refused and unknown scans are kept like any other."""

from __future__ import annotations

import hashlib
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

from app.db import scans
from app.domain.acts import Act, Actor, require
from app.domain.errors import BadInput, Busy, NotSignedIn, PayloadTooLarge, Refusal
from app.domain.scans import Malformation, Purpose, ScannedCode, ScanOutcome, ScanVerdict, Scheme, judge_scan
from app.domain.text import JSON, Text
from devices.pictures import PictureReason, PictureRefused
from labels.codes import CodeError, parse, printable

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.scans import Detail, KeptScan, Resolved
    from app.services.house import House

RAW_LENGTH_MAX = 512
"""Characters of a scan that are kept. No code is as long; what is longer is refused, and its beginning kept."""
CODES_IN_A_PICTURE_MAX = 48

_KEPT_SCHEME = {Scheme.OWN: "own", Scheme.DIN: "din", Scheme.UNKNOWN: "supplier", Scheme.MALFORMED: ""}
_TOO_LARGE = {PictureReason.TOO_MANY_BYTES, PictureReason.TOO_MANY_PIXELS, PictureReason.TOO_MUCH_MEMORY}
_LATER = {PictureReason.BUSY, PictureReason.CLOSED}


@dataclass(frozen=True, slots=True)
class PastScan:
    """A scan of before, as it was answered. `detail` holds the texts, to be said again."""

    scan: int
    at: datetime
    by: str
    raw: str
    verdict: str
    reason: str
    detail: dict[str, Any]


async def scan(
    house: House, *, token: str | None, raw: str, key: str | None, symbology: str | None, purpose: Purpose
) -> KeptScan:
    """One scan: two statements, and the second is its record.

    Raises NotSignedIn, which keeps nothing, and BadInput when the key belongs to another scan, which is kept.
    """
    code = read_code(raw, symbology=symbology)
    if token is None:
        raise _not_signed_in(None)
    async with house.door.scanning() as scanning:
        found = await scans.resolve(
            scanning,
            token=token,
            code=_looked_up(code),
            scheme=_KEPT_SCHEME[code.scheme],
            idle_minutes=house.settings.session_idle_minutes,
        )
        if found is None or found.state != "live":
            raise _not_signed_in(found)
        facts = found.facts(purpose)
        verdict = judge_scan(code, facts, found.at)
        kept = await scans.keep(
            scanning,
            found,
            raw=_storable(raw),
            code=_looked_up(code),
            verdict=verdict.outcome.value,
            reason=verdict.reason.value,
            key=key,
            detail=_detail(verdict, code, found, purpose, length=len(raw), permitted=facts.permitted),
        )
    if kept.replayed and not _same_scan(kept, raw=raw, purpose=purpose):
        await _keep_clash(house, found, raw=raw, key=key or "", earlier=kept.number, purpose=purpose)
        raise BadInput(
            field="key",
            what=Text("This scan was not taken."),
            why=Text("Its key belongs to another scan, number {number}.", number=kept.number),
            remedy=Text("Scan again; every scan is sent with a fresh key."),
            detail={"scan": kept.number},
        )
    return kept


async def scan_picture(
    house: House, actor: Actor, *, token: str | None, picture: bytes, key: str | None, purpose: Purpose
) -> list[KeptScan]:
    """Every code in a picture, each scanned; a picture without any is kept as one scan that read nothing.

    Raises NotPermitted, or the refusal that the decoder's limits mean, which is kept.
    """
    subject = f"picture {hashlib.sha256(picture).hexdigest()[:16]}"
    try:
        require(actor, Act.DECODE_PICTURE)
        codes = await house.camera.decode(picture)
    except (PictureRefused, Refusal) as refused:
        refusal = picture_refusal(refused) if isinstance(refused, PictureRefused) else refused
        await house.door.keep_refusal(actor, Act.DECODE_PICTURE, subject, refusal)
        raise refusal from refused
    texts = [(code.text, code.aim_identifier) for code in codes[:CODES_IN_A_PICTURE_MAX]] or [("", None)]
    return [
        await scan(
            house,
            token=token,
            raw=text,
            key=None if key is None else f"{key}#{place}",
            symbology=symbology,
            purpose=purpose,
        )
        for place, (text, symbology) in enumerate(texts)
    ]


async def refuse_large_picture(house: House, actor: Actor, *, limit_bytes: int) -> PayloadTooLarge:
    """Keep that more was sent than is taken, and say so."""
    refusal = PayloadTooLarge(
        what=Text("The picture was not looked at."),
        why=Text("More than {limit} bytes were sent.", limit=limit_bytes),
        remedy=Text(
            "Take the picture with the camera of the workstation, closer to the label and at a lower resolution."
        ),
        detail={"limit_bytes": limit_bytes},
    )
    await house.door.keep_refusal(actor, Act.DECODE_PICTURE, "picture", refusal)
    return refusal


async def last_scans(
    house: House, actor: Actor, *, account_id: int | None, after: int | None, limit: int
) -> list[PastScan]:
    """The newest scans first."""
    async with house.door.read(actor, Act.SCAN) as reading:
        found = await scans.last(reading, account_id=account_id, after=after, limit=limit)
        return [
            PastScan(
                each.number, each.at, each.username, each.raw, each.verdict, each.reason, scans.detail_of(each.payload)
            )
            for each in found
        ]


def read_code(raw: str, *, symbology: str | None = None) -> ScannedCode:
    """What the grammar makes of a scanned text, in the domain's words. Never raises."""
    try:
        code = parse(raw, symbology=symbology)
    except CodeError as error:
        return ScannedCode(raw, Scheme.MALFORMED, printable(raw[:64]), Malformation(error.code))
    return ScannedCode(raw, Scheme(code.scheme.value), code.value)


def picture_refusal(refused: PictureRefused) -> Refusal:
    """What the decoder said, as a refusal of the house."""
    what, why, remedy = (Text(words, **refused.details) for words in astuple(refused.words))
    detail: dict[str, JSON] = {"picture": refused.reason.value}
    if refused.reason in _TOO_LARGE:
        return PayloadTooLarge(what=what, why=why, remedy=remedy, detail=detail)
    if refused.reason in _LATER:
        return Busy(what=what, why=why, remedy=remedy, detail={**detail, "retry_after_s": 2})
    return BadInput(field="picture", what=what, why=why, remedy=remedy, detail=detail)


def _not_signed_in(found: Resolved | None) -> NotSignedIn:
    is_idle = found is not None and found.state == "idle"
    return NotSignedIn(
        what=Text("You are not signed in."),
        why=Text("The screen was locked after a while without use.") if is_idle else Text("There is no live session."),
        remedy=Text("Sign in."),
        detail={"locked": is_idle},
    )


def _detail(
    verdict: ScanVerdict, code: ScannedCode, found: Resolved, purpose: Purpose, *, length: int, permitted: bool
) -> Detail:
    """All that the answer says, kept with the scan, so that a repeated scan gets the same answer in any language."""
    shown = found.shown() if permitted else {"item": None, "lot": None, "donor": None, "workstation": None}
    return {
        "colour": verdict.colour.value,
        "headline": verdict.headline,
        "why": verdict.why,
        "next": verdict.next,
        "code": code.value,
        "scheme": code.scheme.value,
        "intent": purpose.value,
        "length": length,
        **shown,
    }


def _looked_up(code: ScannedCode) -> str | None:
    return None if code.scheme is Scheme.MALFORMED else code.value


def _storable(raw: str) -> str:
    """The beginning of the text as the database can hold it: NUL and lone surrogates as their escapes."""
    text = raw[:RAW_LENGTH_MAX].encode("utf-8", "backslashreplace").decode()
    return text.replace("\x00", "\\x00")


def _same_scan(kept: KeptScan, *, raw: str, purpose: Purpose) -> bool:
    return kept.raw == _storable(raw) and kept.detail["length"] == len(raw) and kept.detail["intent"] == purpose.value


async def _keep_clash(house: House, found: Resolved, *, raw: str, key: str, earlier: int, purpose: Purpose) -> None:
    detail: Detail = {
        "colour": "stop",
        "headline": Text("This scan was not taken."),
        "why": Text("Its key belongs to another scan, number {number}.", number=earlier),
        "next": Text("Scan again; every scan is sent with a fresh key."),
        "code": printable(raw[:64]),
        "scheme": Scheme.UNKNOWN.value,
        "intent": purpose.value,
        "length": len(raw),
        "key": key,
        **found.shown(),
    }
    async with house.door.scanning() as scanning:
        await scans.keep(
            scanning,
            found,
            raw=_storable(raw),
            code=None,
            verdict=ScanOutcome.REFUSED.value,
            reason="key_reused",
            key=None,
            detail=detail,
        )
