"""The donor eligibility sheet: what was tested and consented to, what was determined, and on which rules. No identity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.donors import IDENTIFIER_NAMES, OUTCOME_NAMES
from app.domain.facts import MarkerOutcome
from app.domain.text import Text
from app.papers import parts
from app.papers.sheet import LEFT, MM, QUIET, Cell, Column, Sheet, Tone
from app.papers.voice import NOTHING, code, quantity
from app.papers.words import DETERMINED, MARKER_TONES, RELATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.papers.facts import Consented, Eligibility, Marked, Matched

TITLE = Text("Donor eligibility sheet")
NONE = Text("None.")


def draw(sheet: Sheet, facts: Eligibility) -> None:
    """Lay the sheet out."""
    voice = sheet.voice
    decision = facts.determined.decision if facts.determined else ""
    state = voice.say(DETERMINED.get(decision, Text("not determined yet")))
    tone = {"eligible": Tone.GO, "ineligible": Tone.STOP}.get(decision, Tone.WAIT)
    about = Text("Pseudonymous: nothing on this sheet identifies a person.")
    sheet.opening(voice.say(about), state=state, tone=tone)
    _donation(sheet, facts)
    _panel(sheet, facts.markers)
    _consents(sheet, facts.consents)
    _matches(sheet, facts.matches)
    sheet.heading(Text("Determination"), keep=52 * MM)
    _determination(sheet, facts, tone)
    sheet.heading(Text("Rules judged"))
    sheet.prose(
        voice.say(
            Text("Rule book {version}, as it was signed.", version=facts.rulebook)
            if facts.determined
            else Text("Rule book {version}, judged when this paper was made.", version=facts.rulebook)
        ),
        colour=QUIET,
    )
    parts.verdicts(sheet, facts.verdicts)


def _donation(sheet: Sheet, facts: Eligibility) -> None:
    say, moment = sheet.voice.say, sheet.voice.moment
    sheet.heading(Text("Donor and donation"))
    sheet.y += 0.8 * MM
    sheet.pairs(
        [
            (Text("Donor (pseudonym)"), facts.donor),
            (Text("Relation"), say(RELATIONS.get(facts.relation, facts.relation))),
            (Text("Recipient (pseudonym)"), facts.recipient or NOTHING),
            (Text("Person tested (pseudonym)"), facts.tested_person),
            (Text("Genetic source (pseudonym)"), facts.genetic_source),
            (Text("Tissue and volume"), f"{facts.tissue} / {quantity(facts.volume_ml, 'mL')}"),
            (Text("Donation"), f"{code(facts.donation)}{f' / {facts.din}' if facts.din else ''}"),
            (Text("Collected"), moment(facts.collected_at)),
            (Text("Received"), moment(facts.received_at)),
        ]
    )


def _panel(sheet: Sheet, markers: tuple[Marked, ...]) -> None:
    say, moment = sheet.voice.say, sheet.voice.moment

    def row(each: Marked) -> Iterator[Cell | str]:
        yield each.analyte
        yield each.marker
        yield each.method
        yield each.kit_lot
        yield each.laboratory
        yield moment(each.sampled_at)
        yield moment(each.reported_at)
        is_known = each.outcome in set(MarkerOutcome)
        word = OUTCOME_NAMES[MarkerOutcome(each.outcome)] if is_known else each.outcome
        yield Cell(say(word), MARKER_TONES.get(each.outcome, Tone.WAIT))

    sheet.heading(Text("Infection markers"))
    columns = (
        Column(Text("Analyte"), 19),
        Column(Text("Marker"), 22),
        Column(Text("Method"), 17),
        Column(Text("Kit lot"), 17),
        Column(Text("Laboratory"), 30),
        Column(Text("Sampled"), 25),
        Column(Text("Reported"), 25),
        Column(Text("Result"), 23),
    )
    sheet.table(columns, [tuple(row(each)) for each in markers], empty=NONE)


def _consents(sheet: Sheet, consents: tuple[Consented, ...]) -> None:
    voice = sheet.voice

    def row(each: Consented) -> Iterator[Cell | str]:
        yield each.form_version
        yield voice.listed(each.scopes)
        yield voice.moment(each.signed_at)
        withdrawn = each.withdrawn_at is not None
        word = Text("withdrawn") if withdrawn else Text("in force")
        yield Cell(
            voice.say(word), Tone.STOP if withdrawn else Tone.GO, voice.moment(each.withdrawn_at) if withdrawn else ""
        )

    sheet.heading(Text("Consents"))
    columns = (
        Column(Text("Version of the form"), 32),
        Column(Text("What it covers"), 78),
        Column(Text("Signed"), 32),
        Column(Text("State"), 32),
    )
    sheet.table(columns, [tuple(row(each)) for each in consents], empty=NONE)


def _matches(sheet: Sheet, matches: tuple[Matched, ...]) -> None:
    voice = sheet.voice

    def row(each: Matched) -> Iterator[Cell | str]:
        yield each.recipient
        yield voice.listed(IDENTIFIER_NAMES.get(name, name) for name in each.identifiers)
        yield each.verified_by
        yield each.second_by or NOTHING
        yield voice.moment(each.at)

    sheet.heading(Text("Donor and recipient compared"))
    columns = (
        Column(Text("Recipient (pseudonym)"), 32),
        Column(Text("Compared by (kinds of identifier, not their values)"), 60),
        Column(Text("First person"), 26),
        Column(Text("Second person"), 26),
        Column(Text("When"), 30),
    )
    sheet.table(columns, [tuple(row(each)) for each in matches], empty=NONE)


def _determination(sheet: Sheet, facts: Eligibility, tone: Tone) -> None:
    say, determined = sheet.voice.say, facts.determined
    if determined is None:
        sheet.prose(say(Text("Nobody has determined yet whether this donation is eligible.")), colour=QUIET)
        sheet.room(12 * MM)
        said = Text("SHA-256 of the donation's dossier when this paper was made")
        sheet.text(LEFT, sheet.y + 4 * MM, say(said), 6.6, QUIET)
        sheet.text(LEFT, sheet.y + 8 * MM, parts.in_fours(facts.digest), 7.6)
        sheet.y += 9 * MM
        return
    more = [
        (Text("Decision"), say(DETERMINED.get(determined.decision, determined.decision))),
        (Text("Reason"), determined.reason),
        (Text("Valid until"), sheet.voice.moment(determined.valid_until)),
    ]
    parts.signature(sheet, determined.signed, more=more, tone=tone)
