"""REL-10: at the bedside the lot stands released this very moment, and the container is one that may be given."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from app.domain.counterexamples import Edit, all_of, every, part, released, within, without
from app.domain.dossier import Dossier
from app.domain.facts import Container, Hold
from app.domain.lots import STATE_NAMES, LotState
from app.domain.rulebook import (
    NEVER,
    Asked,
    Break,
    Citation,
    Gate,
    Outcome,
    Standing,
    Statement,
    fails,
    lacks,
    rule,
    shows,
)
from app.domain.sources import GMP, GUIDELINE
from app.domain.text import Text

MAY_BE_GIVEN = frozenset({"stored", "in_use", "issued"})
"""States of a container that is still there and was taken for nothing else."""
_CLOSED = ("BOOK", "ORG-03", "ORG-04")
_G10: dict[str, Any] = {"gate": Gate.G10, "also": _CLOSED}
_WHY: Mapping[LotState, Text] = MappingProxyType(
    {
        LotState.RECALLED: Text("The lot was recalled. It never returns, whoever released it before."),
        LotState.FAILED_AFTER_RELEASE: Text("The lot failed a test after its release. It never returns."),
        LotState.DESTROYED: Text("The lot was destroyed."),
        LotState.REJECTED: Text("The lot was rejected."),
    }
)
_GONE: Mapping[str, Text] = MappingProxyType(
    {
        "consumed": Text("This container is recorded as used up."),
        "destroyed": Text("This container is recorded as destroyed."),
        "retained": Text("This container is kept as a retain."),
        "sampled": Text("This container was taken for tests."),
    }
)
_SET_ASIDE = Text("Give nothing of it: set the container aside and call quality.")
_VIAL = "V0000000001"


def _state(name: str, state: LotState) -> Break:
    return Break(name, part("lot", state=state), **_G10)


def _vial(**changes: object) -> Edit:
    """One vial of a released lot is before the patient, and the lot's vials are as said."""
    return all_of(released, within("vial", lambda _: _VIAL), every("containers", **changes))


def _holds(_: object) -> tuple[Hold, ...]:
    return (Hold(9002, "L0000000001", "complaint from a ward", datetime(2026, 11, 19, 8, tzinfo=UTC)),)


@rule(
    "REL-10",
    Text("The lot stands released at this moment, and so does the container"),
    cites=(
        Citation(
            GUIDELINE,
            "§2",
            Text("Only what the quality authority released, and has not taken back, is given."),
            Standing.RECONSTRUCTED,
        ),
        Citation(
            GMP,
            "chapter 10",
            Text("A product may be recalled at any time, and the recall reaches whoever holds it."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G10,),
    waiver=NEVER,
    breaks=(
        _state("recalled since its release", LotState.RECALLED),
        Break(
            "failed after its release",
            part("lot", state=LotState.FAILED_AFTER_RELEASE),
            gate=Gate.G10,
            also=(*_CLOSED, "REL-09"),
        ),
        _state("released conditionally, and no further", LotState.CONDITIONALLY_RELEASED),
        _state("not released yet", LotState.AWAITING_RELEASE),
        _state("destroyed", LotState.DESTROYED),
        Break(
            "held since its release",
            all_of(released, within("holds", _holds)),
            gate=Gate.G10,
            also=("BOOK", "HOLD", "ORG-03", "ORG-04"),
        ),
        Break("the vial was destroyed", _vial(state="destroyed"), **_G10),
        Break("the vial was taken for tests", _vial(state="sampled"), **_G10),
        Break("the vial was used up", _vial(state="consumed"), **_G10),
        Break("the vial is none of this lot's", _vial(code="V0000000777"), **_G10),
        Break("nothing of the lot is left", all_of(released, every("containers", state="consumed")), **_G10),
        Break(
            "what is left of the lot is unknown",
            all_of(released, without("containers")),
            gate=Gate.G10,
            outcome=Outcome.INDETERMINATE,
            also=("BOOK", "ORG-03", "ORG-04", "REL-05"),
        ),
        Break(
            "the lot is unknown",
            without("lot"),
            gate=Gate.G10,
            outcome=Outcome.INDETERMINATE,
            also=("BOOK", "ORG-03", "ORG-04", "REL-05", "REL-07", "REL-09"),
        ),
    ),
)
def stands_released_now(dossier: Dossier, _asked: Asked) -> Iterator[Statement]:
    """Judge the lot's state, its open holds and the one container that is named, or all of them, as they stand now."""
    if dossier.lot is None or dossier.containers is None:
        yield lacks(
            dossier.subject,
            Text("How the lot stands now, or what is left of it, is not known."),
            Text("Give nothing of it; report this to whoever keeps the system."),
        )
        return
    state = dossier.lot.state
    if state is not LotState.RELEASED:
        why = _WHY.get(state, Text("The lot is not released: {state}.", state=STATE_NAMES[state]))
        yield fails(dossier.subject, why, _SET_ASIDE)
    else:
        yield shows(dossier.subject, Text("the lot stands released"))
    for hold in dossier.holds or ():
        yield fails(
            hold.on,
            Text("Held since {since}: {reason}", since=hold.placed_at, reason=hold.reason),
            Text("Give nothing of it while quality investigates the reason for the hold."),
        )
    yield from _containers(dossier, dossier.containers)


def _containers(dossier: Dossier, containers: tuple[Container, ...]) -> Iterator[Statement]:
    vials = tuple(each for each in containers if dossier.vial in {None, each.code} and each.kind != "flask")
    there = tuple(each for each in vials if each.state in MAY_BE_GIVEN)
    if there:
        yield shows(dossier.vial or dossier.subject, Text("{count} containers may be given", count=len(there)))
    elif dossier.vial is None:
        yield fails(dossier.subject, Text("Nothing of the lot is left that may be given."), _SET_ASIDE)
    elif not vials:
        yield fails(dossier.vial, Text("This container is none of the lot's."), _SET_ASIDE)
    else:
        yield fails(
            dossier.vial,
            _GONE.get(vials[0].state, Text("This container is not there for use any more.")),
            _SET_ASIDE,
        )
