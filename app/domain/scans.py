"""One scan judged: what was read, what stands behind it, and what the person should do now. Pure and quick."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from app.domain.lots import STATE_NAMES, LotState
from app.domain.text import Text


class Scheme(StrEnum):
    """Whose grammar the text follows; `MALFORMED` follows none and may not be looked up."""

    OWN = "own"
    DIN = "din"
    UNKNOWN = "unknown"
    MALFORMED = "malformed"


class Malformation(StrEnum):
    """Why a text cannot be a code. The words are those of the grammar that reads them."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    CONTROL_CHARACTER = "control_character"
    INVISIBLE_CHARACTER = "invisible_character"
    WRONG_LENGTH = "wrong_length"
    WRONG_ALPHABET = "wrong_alphabet"
    WRONG_CHECK_CHARACTER = "wrong_check_character"
    MISSING_CHECK_CHARACTER = "missing_check_character"
    UNKNOWN_GRAMMAR = "unknown_grammar"


@dataclass(frozen=True, slots=True)
class ScannedCode:
    """What the grammar made of the raw text. `value` is normal form; `malformation` only where it is malformed."""

    raw: str
    scheme: Scheme
    value: str
    malformation: Malformation | None = None


class Purpose(StrEnum):
    """What the scan is for: to see what it is, or to use it in work."""

    IDENTIFY = "identify"
    USE = "use"


@dataclass(frozen=True, slots=True)
class ScanFacts:
    """What one statement resolves: the item behind the code, its lot, and what the workstation expects.

    `expires_at` is the earliest end: the lot's, the opened container's, the material's last day in the facility's zone.
    `holds` are the reasons of open holds on the item or its lot. `donor` is the one donor whose cells the item holds,
    `donors` how many it reaches. `awaits_determination` is a donation of which nothing has been determined,
    `is_ineligible` one that was found ineligible. Without an item all else is as it defaults.
    """

    permitted: bool
    purpose: Purpose = Purpose.IDENTIFY
    item_id: int | None = None
    item_kind: str = ""
    item_name: str = ""
    item_state: str | None = None
    lot_kind: str | None = None
    lot_state: LotState | None = None
    expires_at: datetime | None = None
    holds: tuple[str, ...] = ()
    donor: str | None = None
    donors: int = 0
    awaits_determination: bool = False
    is_ineligible: bool = False
    workstation: str | None = None
    workstation_donor: str | None = None
    expected_kinds: tuple[str, ...] = ()


class ScanOutcome(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class ScanReason(StrEnum):
    IDENTIFIED = "identified"
    FIT_FOR_USE = "fit_for_use"
    IN_QUARANTINE = "in_quarantine"
    NOT_PERMITTED = "not_permitted"
    MALFORMED = "malformed"
    WRONG_CHECK_CHARACTER = "wrong_check_character"
    UNKNOWN_CODE = "unknown_code"
    GONE = "gone"
    SET_ASIDE = "set_aside"
    WITHDRAWN = "withdrawn"
    HELD = "held"
    EXPIRED = "expired"
    OTHER_DONOR = "other_donor"
    SEVERAL_DONORS = "several_donors"
    NOT_RELEASED = "not_released"
    NOT_EXPECTED = "not_expected"


class Colour(StrEnum):
    """Green, amber, red. Each also has its word and its icon on the screen."""

    GO = "go"
    WAIT = "wait"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class ScanVerdict:
    outcome: ScanOutcome
    reason: ScanReason
    colour: Colour
    headline: Text
    why: Text
    next: Text


KIND_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "person": Text("Person"),
        "donation": Text("Donation"),
        "lot": Text("Lot"),
        "container": Text("Cell container"),
        "flask": Text("Flask"),
        "vial": Text("Vial"),
        "bag": Text("Bag"),
        "material_container": Text("Material"),
        "sample": Text("Sample"),
        "retain": Text("Retain sample"),
        "equipment": Text("Equipment"),
        "workstation": Text("Workstation"),
        "shelf": Text("Shelf"),
        "position": Text("Position"),
        "badge": Text("Badge"),
    }
)

GONE: Mapping[str, Text] = MappingProxyType(
    {
        "consumed": Text("It is recorded as used up."),
        "destroyed": Text("It is recorded as destroyed."),
        "issued": Text("It is recorded as issued."),
    }
)
SET_ASIDE: Mapping[str, Text] = MappingProxyType(
    {
        "retained": Text("It is kept as a retain."),
        "sampled": Text("It was taken for tests."),
    }
)
"""Here and whole, and never again for use."""
_WITHDRAWN = frozenset(
    {LotState.REJECTED, LotState.RECALLED, LotState.FAILED_AFTER_RELEASE, LotState.DESTROYED},
)
_IN_WORK = frozenset({LotState.PLANNED, LotState.IN_PROCESS})
_USABLE_MATERIAL = frozenset({LotState.APPROVED})
_USABLE_CELLS = frozenset({LotState.IN_PROCESS, LotState.RELEASED})
_TAKEN_FOR_TESTS = frozenset({"sample", "retain"})
_ANY_MOMENT = Text("If this has already been done, record it as already happened.")


def judge_scan(code: ScannedCode, facts: ScanFacts, at: datetime) -> ScanVerdict:
    """Answer one scan. The first objection is the answer, the gravest asked first."""
    if code.scheme is Scheme.MALFORMED:
        return _malformed(code)
    if not facts.permitted:
        return _NOT_PERMITTED
    if facts.item_id is None:
        return _unknown(code)
    for objection in _OBJECTIONS:
        verdict = objection(facts, at)
        if verdict is not None:
            return verdict
    return _accepted(facts)


def _refused(reason: ScanReason, headline: Text, why: Text, next_step: Text) -> ScanVerdict:
    return ScanVerdict(ScanOutcome.REFUSED, reason, Colour.STOP, headline, why, next_step)


_NOT_PERMITTED = _refused(
    ScanReason.NOT_PERMITTED,
    Text("Not permitted"),
    Text("None of your roles may scan here."),
    Text("Sign in as somebody who works at the bench."),
)

_MALFORMED_WHY: Mapping[Malformation, Text] = MappingProxyType(
    {
        Malformation.EMPTY: Text("Nothing was read."),
        Malformation.TOO_LONG: Text("More characters were read than any code has."),
        Malformation.CONTROL_CHARACTER: Text("A character was read that no label carries."),
        Malformation.INVISIBLE_CHARACTER: Text("A character was read that no eye sees."),
        Malformation.WRONG_LENGTH: Text("A part of the code is missing or too much."),
        Malformation.WRONG_ALPHABET: Text("The code holds a character that our codes never use."),
        Malformation.WRONG_CHECK_CHARACTER: Text("The check character does not fit: a character was misread."),
        Malformation.MISSING_CHECK_CHARACTER: Text("The check character is missing."),
        Malformation.UNKNOWN_GRAMMAR: Text("It begins like a code but does not go on like one."),
    }
)


def _malformed(code: ScannedCode) -> ScanVerdict:
    is_check = code.malformation in {Malformation.WRONG_CHECK_CHARACTER, Malformation.MISSING_CHECK_CHARACTER}
    return _refused(
        ScanReason.WRONG_CHECK_CHARACTER if is_check else ScanReason.MALFORMED,
        Text("Misread"),
        _MALFORMED_WHY[code.malformation or Malformation.UNKNOWN_GRAMMAR],
        Text("Scan the label again. If it is damaged, have it reprinted; never type a code from memory."),
    )


def _unknown(code: ScannedCode) -> ScanVerdict:
    return ScanVerdict(
        ScanOutcome.UNKNOWN,
        ScanReason.UNKNOWN_CODE,
        Colour.STOP,
        Text("Unknown code"),
        Text("Nothing here bears the code {code}.", code=code.value),
        Text("Set it aside. Check that it belongs to this facility and was received here."),
    )


def _gone(facts: ScanFacts, _at: datetime) -> ScanVerdict | None:
    if facts.item_state is None or facts.item_state not in GONE:
        return None
    return _refused(
        ScanReason.GONE,
        Text("This should no longer be here"),
        GONE[facts.item_state],
        Text("Put it down, keep it apart and call quality: the record and the shelf disagree."),
    )


def _withdrawn(facts: ScanFacts, _at: datetime) -> ScanVerdict | None:
    if facts.lot_state not in _WITHDRAWN:
        return None
    return _refused(
        ScanReason.WITHDRAWN,
        Text("Do not use: {state}", state=STATE_NAMES[facts.lot_state]),
        Text("The lot is {state}.", state=STATE_NAMES[facts.lot_state]),
        Text("Keep it apart from what is in use and tell quality where it is."),
    )


def _ineligible(facts: ScanFacts, _at: datetime) -> ScanVerdict | None:
    return _INELIGIBLE if facts.is_ineligible else None


def _held(facts: ScanFacts, _at: datetime) -> ScanVerdict | None:
    if not facts.holds:
        return None
    return _refused(
        ScanReason.HELD,
        Text("On hold"),
        Text("Reason: {reasons}", reasons=facts.holds),
        Text("Leave it where it is. The QA manager decides about the hold."),
    )


def _expired(facts: ScanFacts, at: datetime) -> ScanVerdict | None:
    if facts.expires_at is None or at < facts.expires_at:
        return None
    return _refused(
        ScanReason.EXPIRED,
        Text("Expired"),
        Text("It could be used until {until}.", until=facts.expires_at),
        Text("Take another lot. {already}", already=_ANY_MOMENT),
    )


def _other_donor(facts: ScanFacts, _at: datetime) -> ScanVerdict | None:
    if facts.workstation_donor is None or facts.donor is None or facts.donor == facts.workstation_donor:
        return None
    return _refused(
        ScanReason.OTHER_DONOR,
        Text("Another donor's item"),
        Text(
            "Workstation {workstation} is taken by donor {there}; this belongs to donor {here}.",
            workstation=facts.workstation or "",
            there=facts.workstation_donor,
            here=facts.donor,
        ),
        Text("Take it away closed. Finish here and clear the line before another donor's material comes."),
    )


def _several_donors(facts: ScanFacts, _at: datetime) -> ScanVerdict | None:
    if facts.donors <= 1:
        return None
    return _refused(
        ScanReason.SEVERAL_DONORS,
        Text("More than one donor"),
        Text("Its origin leads to {count} donors.", count=facts.donors),
        Text("Keep it apart and call quality: cells of different donors may have met."),
    )


def _not_expected(facts: ScanFacts, _at: datetime) -> ScanVerdict | None:
    if not facts.expected_kinds or facts.item_kind in facts.expected_kinds:
        return None
    return _refused(
        ScanReason.NOT_EXPECTED,
        Text("Not what is expected here"),
        Text("This is: {kind}.", kind=_kind(facts.item_kind)),
        Text("Scan: {kinds}.", kinds=tuple(_kind(each) for each in facts.expected_kinds)),
    )


_INELIGIBLE = _refused(
    ScanReason.WITHDRAWN,
    Text("Do not use: ineligible"),
    Text("The donation was determined ineligible."),
    Text("Keep it apart from what is in use and tell quality where it is."),
)

_AWAITS_DETERMINATION = _refused(
    ScanReason.IN_QUARANTINE,
    Text("Not for use: {state}", state=STATE_NAMES[LotState.QUARANTINE]),
    Text("The donor's eligibility has not been determined."),
    Text("Put it back into quarantine. {already}", already=_ANY_MOMENT),
)


def _set_aside(facts: ScanFacts, _at: datetime) -> ScanVerdict | None:
    if facts.purpose is not Purpose.USE or facts.item_state is None or facts.item_state not in SET_ASIDE:
        return None
    return _refused(
        ScanReason.SET_ASIDE,
        Text("Not for use"),
        SET_ASIDE[facts.item_state],
        Text("Put it back where retains and samples are kept. {already}", already=_ANY_MOMENT),
    )


def _not_released(facts: ScanFacts, _at: datetime) -> ScanVerdict | None:
    if facts.purpose is not Purpose.USE or facts.item_kind in _TAKEN_FOR_TESTS:
        return None
    if facts.awaits_determination:
        return _AWAITS_DETERMINATION
    if facts.lot_state is None:
        return None
    usable = _USABLE_MATERIAL if facts.lot_kind == "material" else _USABLE_CELLS
    if facts.lot_state in usable:
        return None
    return _refused(
        ScanReason.IN_QUARANTINE if facts.lot_state is LotState.QUARANTINE else ScanReason.NOT_RELEASED,
        Text("Not for use: {state}", state=STATE_NAMES[facts.lot_state]),
        Text("The lot is {state}.", state=STATE_NAMES[facts.lot_state]),
        Text("Take an approved lot. {already}", already=_ANY_MOMENT)
        if facts.lot_kind == "material"
        else Text("Put it back. It may be used after its release. {already}", already=_ANY_MOMENT),
    )


_OBJECTIONS: tuple[Callable[[ScanFacts, datetime], ScanVerdict | None], ...] = (
    _gone,
    _withdrawn,
    _ineligible,
    _held,
    _other_donor,
    _several_donors,
    _expired,
    _not_expected,
    _set_aside,
    _not_released,
)


def _accepted(facts: ScanFacts) -> ScanVerdict:
    headline = Text("{kind}: {name}", kind=_kind(facts.item_kind), name=facts.item_name)
    if facts.purpose is Purpose.USE:
        return ScanVerdict(
            ScanOutcome.ACCEPTED,
            ScanReason.FIT_FOR_USE,
            Colour.GO,
            headline,
            Text("It may be used here."),
            Text("Go on with the step."),
        )
    if facts.item_state is not None and facts.item_state in SET_ASIDE:
        return ScanVerdict(
            ScanOutcome.ACCEPTED,
            ScanReason.SET_ASIDE,
            Colour.WAIT,
            headline,
            SET_ASIDE[facts.item_state],
            Text("Look only: it is not for use."),
        )
    if facts.awaits_determination:
        return ScanVerdict(
            ScanOutcome.ACCEPTED,
            ScanReason.IN_QUARANTINE,
            Colour.WAIT,
            headline,
            _AWAITS_DETERMINATION.why,
            Text("Look only: it may not be used yet."),
        )
    if facts.lot_state is None or facts.lot_state in _IN_WORK:
        return ScanVerdict(
            ScanOutcome.ACCEPTED,
            ScanReason.IDENTIFIED,
            Colour.GO,
            headline,
            Text("It is known and nothing stands against it."),
            Text("Choose what to do with it."),
        )
    waiting = facts.lot_state in {LotState.QUARANTINE, LotState.AWAITING_RELEASE, LotState.CONDITIONALLY_RELEASED}
    return ScanVerdict(
        ScanOutcome.ACCEPTED,
        ScanReason.IN_QUARANTINE if facts.lot_state is LotState.QUARANTINE else ScanReason.IDENTIFIED,
        Colour.WAIT if waiting else Colour.GO,
        headline,
        Text("The lot is {state}.", state=STATE_NAMES[facts.lot_state]),
        Text("Look only: it may not be used yet.") if waiting else Text("Choose what to do with it."),
    )


def _kind(kind: str) -> Text:
    return KIND_NAMES.get(kind) or Text("{kind}", kind=kind)
