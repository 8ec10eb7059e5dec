"""The life of a lot: which states exist, and which acts lead from one to another."""

from collections.abc import Mapping
from enum import StrEnum
from itertools import chain
from types import MappingProxyType

from app.domain.errors import IllegalMove
from app.domain.text import Text


class LotKind(StrEnum):
    PREPARATION = "preparation"
    BANK = "bank"
    MATERIAL = "material"


class LotState(StrEnum):
    PLANNED = "planned"
    IN_PROCESS = "in_process"
    QUARANTINE = "quarantine"
    AWAITING_RELEASE = "awaiting_release"
    CONDITIONALLY_RELEASED = "conditionally_released"
    RELEASED = "released"
    APPROVED = "approved"
    REJECTED = "rejected"
    RECALLED = "recalled"
    FAILED_AFTER_RELEASE = "failed_after_release"
    DESTROYED = "destroyed"


class LotAct(StrEnum):
    """What moves a lot. Passages, samples and reviews happen within a state and move nothing."""

    PLAN = "plan"
    BEGIN = "begin"
    FINISH = "finish"
    SUBMIT = "submit"
    SEND_BACK = "send_back"
    CONDITIONALLY_RELEASE = "conditionally_release"
    RELEASE = "release"
    RECEIVE = "receive"
    APPROVE = "approve"
    REJECT = "reject"
    FAIL_AFTER_RELEASE = "fail_after_release"
    RECALL = "recall"
    DESTROY = "destroy"


Move = tuple[LotState | None, LotAct, LotState]

_CELLS: tuple[Move, ...] = (
    (None, LotAct.PLAN, LotState.PLANNED),
    (LotState.PLANNED, LotAct.BEGIN, LotState.IN_PROCESS),
    (LotState.PLANNED, LotAct.REJECT, LotState.REJECTED),
    (LotState.IN_PROCESS, LotAct.FINISH, LotState.QUARANTINE),
    (LotState.IN_PROCESS, LotAct.REJECT, LotState.REJECTED),
    (LotState.IN_PROCESS, LotAct.DESTROY, LotState.DESTROYED),
    (LotState.QUARANTINE, LotAct.SUBMIT, LotState.AWAITING_RELEASE),
    (LotState.QUARANTINE, LotAct.REJECT, LotState.REJECTED),
    (LotState.QUARANTINE, LotAct.DESTROY, LotState.DESTROYED),
    (LotState.AWAITING_RELEASE, LotAct.SEND_BACK, LotState.QUARANTINE),
    (LotState.AWAITING_RELEASE, LotAct.CONDITIONALLY_RELEASE, LotState.CONDITIONALLY_RELEASED),
    (LotState.AWAITING_RELEASE, LotAct.RELEASE, LotState.RELEASED),
    (LotState.AWAITING_RELEASE, LotAct.REJECT, LotState.REJECTED),
    (LotState.AWAITING_RELEASE, LotAct.DESTROY, LotState.DESTROYED),
    (LotState.CONDITIONALLY_RELEASED, LotAct.RELEASE, LotState.RELEASED),
    (LotState.CONDITIONALLY_RELEASED, LotAct.FAIL_AFTER_RELEASE, LotState.FAILED_AFTER_RELEASE),
    (LotState.CONDITIONALLY_RELEASED, LotAct.RECALL, LotState.RECALLED),
    (LotState.RELEASED, LotAct.RECALL, LotState.RECALLED),
    (LotState.RELEASED, LotAct.DESTROY, LotState.DESTROYED),
    (LotState.FAILED_AFTER_RELEASE, LotAct.RECALL, LotState.RECALLED),
    (LotState.FAILED_AFTER_RELEASE, LotAct.DESTROY, LotState.DESTROYED),
    (LotState.REJECTED, LotAct.DESTROY, LotState.DESTROYED),
    (LotState.RECALLED, LotAct.DESTROY, LotState.DESTROYED),
)
_MATERIAL: tuple[Move, ...] = (
    (None, LotAct.RECEIVE, LotState.QUARANTINE),
    (LotState.QUARANTINE, LotAct.APPROVE, LotState.APPROVED),
    (LotState.QUARANTINE, LotAct.REJECT, LotState.REJECTED),
    (LotState.QUARANTINE, LotAct.RECALL, LotState.RECALLED),
    (LotState.QUARANTINE, LotAct.DESTROY, LotState.DESTROYED),
    (LotState.APPROVED, LotAct.REJECT, LotState.REJECTED),
    (LotState.APPROVED, LotAct.RECALL, LotState.RECALLED),
    (LotState.APPROVED, LotAct.DESTROY, LotState.DESTROYED),
    (LotState.REJECTED, LotAct.RECALL, LotState.RECALLED),
    (LotState.REJECTED, LotAct.DESTROY, LotState.DESTROYED),
    (LotState.RECALLED, LotAct.DESTROY, LotState.DESTROYED),
)

MOVES: Mapping[tuple[LotKind, LotState | None, LotAct], LotState] = MappingProxyType(
    {
        (kind, before, act): after
        for kind, (before, act, after) in chain(
            ((kind, move) for kind in (LotKind.PREPARATION, LotKind.BANK) for move in _CELLS),
            ((LotKind.MATERIAL, move) for move in _MATERIAL),
        )
    }
)

TOWARDS_USE = frozenset(
    {
        LotAct.BEGIN,
        LotAct.SUBMIT,
        LotAct.CONDITIONALLY_RELEASE,
        LotAct.RELEASE,
        LotAct.APPROVE,
    }
)
"""Acts that bring a lot nearer to a patient. An open hold blocks these and no others."""

NEEDS_RELEASE = frozenset({LotState.RELEASED, LotState.CONDITIONALLY_RELEASED})
"""States into which only a row written by the gate leads."""

STATE_NAMES: Mapping[LotState, Text] = MappingProxyType(
    {
        LotState.PLANNED: Text("planned"),
        LotState.IN_PROCESS: Text("in process"),
        LotState.QUARANTINE: Text("in quarantine"),
        LotState.AWAITING_RELEASE: Text("awaiting release"),
        LotState.CONDITIONALLY_RELEASED: Text("conditionally released"),
        LotState.RELEASED: Text("released"),
        LotState.APPROVED: Text("approved for use"),
        LotState.REJECTED: Text("rejected"),
        LotState.RECALLED: Text("recalled"),
        LotState.FAILED_AFTER_RELEASE: Text("failed after release"),
        LotState.DESTROYED: Text("destroyed"),
    }
)

ACT_NAMES: Mapping[LotAct, Text] = MappingProxyType(
    {
        LotAct.PLAN: Text("planned"),
        LotAct.BEGIN: Text("begun"),
        LotAct.FINISH: Text("finished"),
        LotAct.SUBMIT: Text("submitted for release"),
        LotAct.SEND_BACK: Text("sent back to quarantine"),
        LotAct.CONDITIONALLY_RELEASE: Text("conditionally released"),
        LotAct.RELEASE: Text("released"),
        LotAct.RECEIVE: Text("received"),
        LotAct.APPROVE: Text("approved for use"),
        LotAct.REJECT: Text("rejected"),
        LotAct.FAIL_AFTER_RELEASE: Text("failed after release"),
        LotAct.RECALL: Text("recalled"),
        LotAct.DESTROY: Text("destroyed"),
    }
)


def open_acts(kind: LotKind, state: LotState | None) -> tuple[LotAct, ...]:
    """The acts that a lot of this kind allows in this state; none at its end."""
    return tuple(act for (of_kind, before, act) in MOVES if of_kind is kind and before is state)


def move(kind: LotKind, state: LotState | None, act: LotAct) -> LotState:
    """The state that the act leads to. Raises IllegalMove where the table has no such move."""
    after = MOVES.get((kind, state, act))
    if after is not None:
        return after
    allowed = open_acts(kind, state)
    raise IllegalMove(
        what=Text("This lot cannot be {act} now.", act=ACT_NAMES[act]),
        why=(
            Text("It is {state}, and from there it does not lead on that way.", state=STATE_NAMES[state])
            if state is not None
            else Text("There is no such lot yet.")
        ),
        remedy=(
            Text("From here it can be: {acts}.", acts=tuple(ACT_NAMES[each] for each in allowed))
            if allowed
            else Text("Its life has ended; nothing more can be done with it.")
        ),
        detail={"kind": kind.value, "state": state and state.value, "act": act.value},
    )
