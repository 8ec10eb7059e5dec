"""Parts that more than one paper has: what the lot is, its tests, the verdicts, a signature's manifestation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.acts import ROLE_NAMES, Role
from app.domain.rulebook import OUTCOME_NAMES
from app.domain.text import Text
from app.papers.sheet import BAR, LEFT, MM, QUIET, WIDTH, Cell, Column, Sheet, Tone
from app.papers.typeface import visible
from app.papers.voice import NOTHING, code, number, passage, quantity
from app.papers.words import CONCLUSIONS, MEANINGS, OUTCOME_TONES, RELATIONS
from app.papers.wrap import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from app.papers.facts import Filled, Identity, Ruled, Signed, Tested
    from app.papers.voice import Voice

_BOX_PAD = 3.4 * MM


def product(lot: Identity, voice: Voice) -> str:
    """The product in the paper's language, then in the other."""
    names = [lot.product, lot.product_zh]
    return " / ".join(each for each in (names[::-1] if voice.language.value == "zh_CN" else names) if each) or NOTHING


def identity(sheet: Sheet, lot: Identity, filled: Filled) -> None:
    """What the lot is, and whose."""
    say, moment = sheet.voice.say, sheet.voice.moment
    sheet.heading(Text("Identity"))
    sheet.y += 0.8 * MM
    sheet.pairs(
        [
            (Text("Lot"), lot.name),
            (Text("Lot code"), code(lot.code)),
            (Text("Use"), say(RELATIONS.get(lot.relation, lot.relation))),
            (Text("Donor (pseudonym)"), lot.donor),
            (Text("Recipient (pseudonym)"), lot.recipient or NOTHING),
            (Text("Donation"), f"{code(lot.donation)}{f' / {lot.din}' if lot.din else ''}"),
            (Text("Process and version"), lot.process),
            (Text("Specification and version"), lot.specification),
            (Text("Starting material"), f"{lot.tissue}, {moment(lot.collected_at)}"),
            (Text("Vials filled / there for use"), f"{number(filled.vials)} / {number(filled.stored)}"),
            (Text("Passage and cumulative PDL"), f"{passage(filled.passage)} / {number(filled.cpdl, 2)}"),
            (
                Text("Viable cells and volume in each vial"),
                f"{number(filled.cells)} / {quantity(filled.volume_ml, 'mL')}",
            ),
            (Text("Frozen"), moment(lot.frozen_at)),
            (Text("Usable until"), moment(lot.expires_at)),
        ]
    )


def tests(sheet: Sheet, tested: Sequence[Tested]) -> None:
    """Each line of the specification, what was found, and what that says."""
    say, moment = sheet.voice.say, sheet.voice.moment

    def row(each: Tested) -> Iterator[Cell | str]:
        word, tone = CONCLUSIONS[each.conclusion]
        yield Cell(each.test, below=say(Text("safety test")) if each.safety else "")
        yield each.method
        yield limits(each, sheet.voice)
        found = each.value if each.number is None else quantity(each.number, each.unit)
        yield Cell(found or NOTHING, below=code(each.sample) if each.sample else "")
        yield Cell(each.analyst or NOTHING, below=moment(each.measured_at) if each.measured_at else "")
        yield Cell(each.reviewed_by or NOTHING, below=moment(each.reviewed_at) if each.reviewed_at else "")
        set_aside = each.invalidated_by and Text("set aside, {deviation}", deviation=each.invalidated_by)
        yield Cell(say(set_aside), Tone.NONE) if set_aside else Cell(say(word), tone)

    columns = (
        Column(Text("Test"), 20),
        Column(Text("Method"), 19),
        Column(Text("Limits"), 23),
        Column(Text("Result and sample"), 25),
        Column(Text("Analyst, measured"), 27),
        Column(Text("Reviewer, reviewed"), 27),
        Column(Text("Conclusion"), 22),
    )
    sheet.table(columns, [tuple(row(each)) for each in tested], empty=Text("No specification is chosen yet."))


def limits(each: Tested, voice: Voice) -> str:
    """A line's limits, inclusive, with their unit."""
    unit = each.unit or ""
    match (each.low, each.high):
        case (None, None):
            return each.expected or NOTHING
        case (low, None):
            return f"≥ {number(low)} {unit}".strip()
        case (None, high):
            return f"≤ {number(high)} {unit}".strip()
        case (low, high):
            return f"{number(low)} – {number(high)} {unit}".strip()


def verdicts(sheet: Sheet, ruled: Sequence[Ruled]) -> None:
    """Every rule's answer with where the rule comes from."""
    say, listed, named = sheet.voice.say, sheet.voice.listed, sheet.voice.named

    def row(each: Ruled) -> Iterator[Cell | str]:
        yield each.rule
        yield Cell(say(each.title), below=listed(each.problems) if each.problems else "")
        cited = (_cited(source=named(cite.source), section=named(cite.section)) for cite in each.cites)
        yield listed(dict.fromkeys(cited))
        waiver = Text("waiver {number}", number=each.waiver) if each.waiver is not None else None
        below = [say(waiver)] if waiver else []
        below += [say(Text("legacy evidence {number}", number=number)) for number in each.legacy]
        yield Cell(say(OUTCOME_NAMES[each.outcome]), OUTCOME_TONES[each.outcome], listed(below) if below else "")

    columns = (
        Column(Text("Rule"), 13),
        Column(Text("What it asks"), 62),
        Column(Text("Where it comes from"), 64),
        Column(Text("Verdict"), 30),
    )
    sheet.table(columns, [tuple(row(each)) for each in ruled], empty=Text("No rule was judged."), size=7.4)


def _cited(*, source: str, section: str) -> str:
    return f"{source} {section}".strip()


def signature(sheet: Sheet, signed: Signed, *, more: Sequence[tuple[Text, str]] = (), tone: Tone = Tone.GO) -> None:
    """The manifestation of an electronic signature, in a frame that is never parted."""
    voice = sheet.voice
    roles = voice.listed(ROLE_NAMES[Role(each)] if each in set(Role) else each for each in signed.roles)
    meaning = voice.say(MEANINGS.get(signed.meaning, signed.meaning))
    pairs = [
        (Text("Role"), roles),
        (Text("Signed at"), voice.second(signed.at)),
        (Text("Signature number"), str(signed.number)),
        *more,
        *([(Text("Statement"), signed.statement)] if signed.statement else []),
    ]
    inside = WIDTH - 2 * _BOX_PAD
    height = _measured(pairs, voice, within=inside) + 24.6 * MM
    fits = height < 200 * MM
    if fits:
        sheet.room(height + 3 * MM)
        sheet.y += 2.4 * MM
        sheet.box(sheet.y, height, colour=BAR, fill="#f6f8f9")
    top, left = sheet.y, LEFT + _BOX_PAD
    moved = sheet.sign(tone, left, top + 6.6 * MM, 12)
    sheet.text(left + moved, top + 6.6 * MM, signed.printed_name, 13, bold=True)
    sheet.text(LEFT + WIDTH - _BOX_PAD, top + 6.6 * MM, signed.username, 8, QUIET, align="right")
    sheet.text(left, top + 12.2 * MM, meaning, 10)
    sheet.y = top + 13.4 * MM
    sheet.pairs(pairs, left=left, within=inside)
    sheet.text(left, sheet.y + 3.9 * MM, voice.say(Text("SHA-256 of the record that was signed")), 6.6, QUIET)
    sheet.text(left, sheet.y + 8.0 * MM, in_fours(signed.digest), 7.6)
    sheet.y = max(sheet.y + 10 * MM, top + height if fits else 0)


def _measured(pairs: Sequence[tuple[Text, str]], voice: Voice, *, within: float) -> float:
    wide = (within - 8 * MM) / 3
    rows = [pairs[start : start + 3] for start in range(0, len(pairs), 3)]
    lines = [max(len(wrapped(visible(value), size=9, within=wide)) for _, value in row) for row in rows]
    return sum(4.6 * MM + count * 4.0 * MM for count in lines)


def in_fours(digest: str) -> str:
    """A digest in groups of four, for eyes that compare."""
    return " ".join(digest[start : start + 4] for start in range(0, len(digest), 4))
