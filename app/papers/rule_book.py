"""The rule book on paper: every rule with its sources, gates, waiver, settings and counterexamples, found by its contents."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.domain.acts import ROLE_NAMES, Role
from app.domain.rulebook import GATE_NAMES, OUTCOME_NAMES, Gate, Standing
from app.domain.text import Text
from app.papers import parts
from app.papers.sheet import LEFT, MM, QUIET, Cell, Column, Sheet, Tone
from app.papers.voice import NOTHING, day, number
from app.papers.words import OUTCOME_TONES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.papers.facts import Cited, RuleBook, RuleShown, SettingShown, WouldClose
    from app.papers.voice import Voice

TITLE = Text("Rule book")
NONE = Text("None.")
STANDINGS: Mapping[Standing, tuple[Text, Tone]] = {
    Standing.STATED: (Text("wording stated"), Tone.GO),
    Standing.RECONSTRUCTED: (Text("wording reconstructed"), Tone.WAIT),
    Standing.UNVERIFIED: (Text("wording to be checked"), Tone.WAIT),
}
STANDINGS_MEAN: Mapping[Standing, Text] = {
    Standing.STATED: Text("The sentence was read in its source."),
    Standing.RECONSTRUCTED: Text("The sentence was put together from a damaged source or from several."),
    Standing.UNVERIFIED: Text(
        "The source is named as it is commonly cited; nobody here has held the sentence against it."
    ),
}
EVERY_GATE = Text("every gate")
NOBODY = Text("nobody")


def draw(sheet: Sheet, facts: RuleBook) -> None:
    """Lay the book out: contents first, then each rule, then every setting."""
    say = sheet.voice.say
    settings = {each.name: each for each in facts.settings}
    about = Text(
        "Every rule by which this laboratory's system opens or closes a gate, as it judged when this paper was made. "
        "A rule that lacks a fact closes its gate; nothing overrides one."
    )
    sheet.opening(say(about), state=say(Text("{count} rules", count=len(facts.rules))), tone=Tone.NONE)
    _identity(sheet, facts)
    _reading(sheet)
    _contents(sheet, facts)
    for rule in facts.rules:
        _rule(sheet, rule, settings)
    _settings(sheet, facts.settings)


def _identity(sheet: Sheet, facts: RuleBook) -> None:
    sheet.y += 0.8 * MM
    sheet.pairs(
        [
            (Text("Version of the book"), facts.version),
            (Text("Rule pack"), facts.jurisdiction or NOTHING),
            (Text("As of"), sheet.voice.second(facts.made.at)),
        ]
    )
    sheet.room(12 * MM)
    said = Text("SHA-256 over the source of every rule and of what judges with it")
    sheet.text(LEFT, sheet.y + 4 * MM, sheet.voice.say(said), 6.6, QUIET)
    sheet.text(LEFT, sheet.y + 8 * MM, parts.in_fours(facts.digest), 7.6)
    sheet.y += 9 * MM


def _reading(sheet: Sheet) -> None:
    say = sheet.voice.say
    sheet.heading(Text("How to read it"))
    rows = [(Cell(say(name), tone), say(STANDINGS_MEAN[each])) for each, (name, tone) in STANDINGS.items()]
    columns = (Column(Text("How well its source is known"), 34), Column(Text("What that means"), 140))
    sheet.table(columns, rows, empty=NONE)
    gates = [(each.value, say(GATE_NAMES[each])) for each in Gate]
    columns = (Column(Text("Gate"), 34), Column(Text("What it closes"), 140))
    sheet.table(columns, gates, empty=NONE)


def _contents(sheet: Sheet, facts: RuleBook) -> None:
    say = sheet.voice.say
    sheet.heading(Text("Contents"))
    rows = [(each.id, say(each.title), _page(sheet, each.id)) for each in facts.rules]
    rows.append(("", say(SETTINGS), _page(sheet, _SETTINGS_AT)))
    columns = (Column(Text("Rule"), 20), Column(Text("What it asks"), 140), Column(Text("Page"), 14, is_number=True))
    sheet.table(columns, rows, empty=NONE)


def _page(sheet: Sheet, key: str) -> str:
    # Known from the first drawing on; both drawings give the number the same room.
    return str(sheet.known.get(key, 0))


def _rule(sheet: Sheet, rule: RuleShown, settings: Mapping[str, SettingShown]) -> None:
    voice = sheet.voice
    sheet.section(rule.id, f"{rule.id}  {voice.say(rule.title)}", voice.other(rule.title), keep=48 * MM)
    sheet.y += 0.8 * MM
    sheet.pairs(
        [
            (Text("What it closes"), _gates(rule, voice)),
            (
                Text("May be waived by"),
                voice.listed(ROLE_NAMES[Role(each)] for each in rule.waiver) if rule.waiver else voice.say(NOBODY),
            ),
        ],
        columns=2,
    )
    columns = (
        Column(Text("Where it comes from"), 60),
        Column(Text("What it says, in our words"), 84),
        Column(Text("How well its source is known"), 30),
    )
    sheet.table(columns, [tuple(_cited(each, voice)) for each in rule.cites], empty=NONE, size=7.4)
    if rule.settings:
        _settings_of(sheet, [settings[name] for name in rule.settings])
    columns = (
        Column(Text("This would close it"), 104),
        Column(Text("Gate"), 14),
        Column(Text("Verdict"), 56),
    )
    sheet.table(columns, [tuple(_would_close(each, voice)) for each in rule.counterexamples], empty=NONE, size=7.4)


def _gates(rule: RuleShown, voice: Voice) -> str:
    if len(rule.gates) == len(Gate):
        return voice.say(EVERY_GATE)
    return voice.listed(f"{each} {voice.say(GATE_NAMES[Gate(each)])}" for each in rule.gates)


def _cited(cite: Cited, voice: Voice) -> Iterator[Cell | str]:
    name, tone = STANDINGS[cite.status]
    yield f"{voice.named(cite.source)} {voice.named(cite.section)}".strip()
    yield voice.say(cite.says)
    yield Cell(voice.say(name), tone)


def _would_close(each: WouldClose, voice: Voice) -> Iterator[Cell | str]:
    yield voice.say(each.says)
    yield each.gate
    yield Cell(voice.say(OUTCOME_NAMES[each.outcome]), OUTCOME_TONES[each.outcome])


SETTINGS = Text("Settings")
_SETTINGS_AT = "settings"


def _settings(sheet: Sheet, settings: tuple[SettingShown, ...]) -> None:
    sheet.section(_SETTINGS_AT, sheet.voice.say(SETTINGS), sheet.voice.other(SETTINGS))
    _settings_of(sheet, settings)


def _settings_of(sheet: Sheet, settings: tuple[SettingShown, ...] | list[SettingShown]) -> None:
    voice = sheet.voice

    def row(each: SettingShown) -> Iterator[Cell | str]:
        yield each.name
        if each.version is None:
            yield Cell(voice.say(Text("missing: the rule closes")), Tone.STOP)
        else:
            yield Cell(f"{plain(each.value, voice)} {each.unit or ''}".strip(), below=each.source)
        since = day(each.valid_from.astimezone(voice.zone).date()) if each.valid_from else NOTHING
        yield Cell(since, below=voice.say(Text("version {version}", version=each.version)) if each.version else "")

    columns = (
        Column(Text("Setting"), 42),
        Column(Text("Value and source"), 106),
        Column(Text("Holds since"), 26),
    )
    sheet.table(columns, [tuple(row(each)) for each in settings], empty=NONE, size=7.4)


def plain(value: Any, voice: Voice) -> str:
    """A setting's value in one line, whatever its shape."""
    match value:
        case None:
            return NOTHING
        case bool():
            return voice.say(Text("yes") if value else Text("no"))
        case int() | float():
            return number(Decimal(str(value)))
        case str():
            return value
        case dict():
            return "; ".join(f"{name}: {plain(each, voice)}" for name, each in value.items())
        case _:
            return ("; " if any(isinstance(each, dict) for each in value) else ", ").join(
                plain(each, voice) for each in value
            )
