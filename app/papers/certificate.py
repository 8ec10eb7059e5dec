"""The certificate of release: what was released, on which tests and rules, by whom, and where that stands sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.lots import STATE_NAMES, LotState
from app.domain.people import TITLE_NAMES
from app.domain.text import Text
from app.papers import parts
from app.papers.anchor import QUIET_MODULES, anchor_text, verified_qr
from app.papers.sheet import INK, LEFT, LINE, MM, QUIET, WIDTH, Column, Sheet
from app.papers.voice import NOTHING, day
from app.papers.words import STATE_TONES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.papers.facts import Certificate, Waived

TITLE = Text("Certificate of release")
_QR_SIDE = 44 * MM


def draw(sheet: Sheet, facts: Certificate) -> None:
    """Lay the certificate out."""
    voice, lot = sheet.voice, facts.lot
    state = voice.say(STATE_NAMES[LotState(lot.state)])
    sheet.opening(parts.product(lot, voice), state=state, tone=STATE_TONES[lot.state])
    parts.identity(sheet, lot, facts.filled)
    sheet.heading(Text("Release"))
    _release(sheet, facts)
    sheet.heading(Text("Release tests"))
    parts.tests(sheet, facts.tests)
    sheet.heading(Text("Rules judged at release"))
    about = Text("Rule book {version}, judgement {number}.", version=facts.rulebook, number=facts.judgement)
    sheet.prose(voice.say(about), colour=QUIET)
    parts.verdicts(sheet, facts.verdicts)
    if facts.waivers:
        sheet.heading(Text("Waivers"))
        _waivers(sheet, facts.waivers)
    sheet.heading(Text("Anchor in the sealed record"), keep=_QR_SIDE + 16 * MM)
    _anchor(sheet, facts)


def _release(sheet: Sheet, facts: Certificate) -> None:
    voice, appointed = sheet.voice, facts.appointed
    title = TITLE_NAMES.get(appointed.title, appointed.title)
    more = [
        (Text("Professional title"), voice.say(title)),
        (Text("Certificate of the title"), _until(appointed.certificate, day(appointed.certificate_valid_until))),
        (Text("Appointment number"), f"{appointed.number}, ≥ {voice.moment(appointed.from_at)}"),
        (Text("Release number"), str(facts.release)),
        (Text("Document number"), sheet.number),
    ]
    parts.signature(sheet, facts.signed, more=more)


def _until(what: str, until: str) -> str:
    return what if until == NOTHING else f"{what}, ≤ {until}"


def _waivers(sheet: Sheet, waivers: tuple[Waived, ...]) -> None:
    def row(each: Waived) -> Iterator[str]:
        yield str(each.number)
        yield each.rule
        yield each.justification
        yield each.mitigations
        yield each.proposed_by
        yield each.approved_by
        yield f"{sheet.voice.moment(each.valid_from)} – {sheet.voice.moment(each.valid_to)}"

    columns = (
        Column(Text("Number"), 11),
        Column(Text("Rule"), 13),
        Column(Text("Justification"), 38),
        Column(Text("Mitigations"), 38),
        Column(Text("Proposed by"), 20),
        Column(Text("Approved by"), 20),
        Column(Text("Valid"), 28),
    )
    sheet.table(columns, [tuple(row(each)) for each in waivers], empty=Text("None."))


def _anchor(sheet: Sheet, facts: Certificate) -> None:
    voice, anchor = sheet.voice, facts.anchor
    rows = verified_qr(anchor_text(anchor, digest=facts.signed.digest))
    module = _QR_SIDE / (len(rows) + 2 * QUIET_MODULES)
    top = sheet.y + 2.4 * MM
    sheet.box(top, _QR_SIDE, colour=LINE, fill="#ffffff", wide=_QR_SIDE)
    sheet.squares(rows, left=LEFT + QUIET_MODULES * module, top=top + QUIET_MODULES * module, module=module)
    left = LEFT + _QR_SIDE + 5 * MM
    within = WIDTH - _QR_SIDE - 5 * MM
    sheet.y = top - 1.4 * MM
    sheet.pairs(
        [
            (Text("Audit entry"), str(anchor.entry)),
            (Text("Leaf of the tree"), str(anchor.leaf)),
            (Text("Size of the tree"), str(anchor.size)),
            (Text("Log and epoch"), f"{anchor.origin} / {anchor.epoch}"),
            (Text("Checkpoint signed"), voice.second(anchor.at)),
        ],
        left=left,
        within=within,
    )
    sheet.text(left, sheet.y + 3.9 * MM, voice.say(Text("Root of the tree (base64)")), 6.6, QUIET)
    sheet.text(left, sheet.y + 8.0 * MM, anchor.root, 7.6, INK)
    sheet.y = max(sheet.y, top + _QR_SIDE + 1.5 * MM)
    sheet.prose(
        voice.say(
            Text(
                "The symbol holds this anchor and the signed checkpoint word for word. With the public key of the log"
                " anybody can check the checkpoint, and that an exported record contains this release, without"
                " trusting the server."
            )
        ),
        size=7.4,
        colour=QUIET,
    )
