"""A lot's story in sentences: what happened, in which colour and under which sign; and the same as lanes over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.domain.lots import STATE_NAMES, LotAct, LotState
from app.domain.text import Text
from app.web.timelines import Lane, Moment, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

DECISIONS = {"accepted": Text("accepted"), "returned": Text("returned")}
MOVED: Mapping[LotAct, Text] = {
    LotAct.PLAN: Text("Lot planned"),
    LotAct.BEGIN: Text("Work on the lot begun"),
    LotAct.FINISH: Text("Work finished; the lot is in quarantine"),
    LotAct.SUBMIT: Text("Submitted for release"),
    LotAct.SEND_BACK: Text("Sent back to quarantine"),
    LotAct.CONDITIONALLY_RELEASE: Text("Conditionally released"),
    LotAct.RELEASE: Text("Lot released"),
    LotAct.RECEIVE: Text("Material lot received; it is in quarantine"),
    LotAct.APPROVE: Text("Approved for use"),
    LotAct.REJECT: Text("Lot rejected"),
    LotAct.FAIL_AFTER_RELEASE: Text("Declared failed after release"),
    LotAct.RECALL: Text("Lot recalled"),
    LotAct.DESTROY: Text("Lot destroyed"),
}
STATE_TONES: Mapping[LotState, str] = {
    LotState.IN_PROCESS: "info",
    LotState.QUARANTINE: "wait",
    LotState.AWAITING_RELEASE: "wait",
    LotState.CONDITIONALLY_RELEASED: "wait",
    LotState.RELEASED: "go",
    LotState.APPROVED: "go",
    LotState.REJECTED: "stop",
    LotState.RECALLED: "stop",
    LotState.FAILED_AFTER_RELEASE: "stop",
}
LANES: Mapping[str, Lane] = {
    "move": Lane.STATE,
    "isolation": Lane.CULTURE,
    "passage": Lane.CULTURE,
    "fill": Lane.CULTURE,
    "cryopreservation": Lane.CULTURE,
    "thaw": Lane.CULTURE,
    "line_clearance": Lane.CULTURE,
    "verification": Lane.REVIEWS,
    "label_count": Lane.REVIEWS,
    "sample": Lane.TESTS,
    "retain": Lane.TESTS,
    "result": Lane.TESTS,
    "result_review": Lane.REVIEWS,
    "batch_review": Lane.REVIEWS,
    "release": Lane.REVIEWS,
    "deviation": Lane.HOLDS,
    "hold": Lane.HOLDS,
    "hold_lifted": Lane.HOLDS,
}
LANE_NAMES: Mapping[Lane, Text] = {
    Lane.STATE: Text("State"),
    Lane.CULTURE: Text("Culture"),
    Lane.TESTS: Text("Samples and tests"),
    Lane.REVIEWS: Text("Reviews and release"),
    Lane.HOLDS: Text("Holds and deviations"),
}
STEPS = frozenset({"isolation", "passage", "fill", "cryopreservation", "thaw"})


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a lot's story. `by` is a printed name."""

    at: datetime
    by: str | None
    tone: str
    sign: str
    says: Text


Told = Mapping[str, Any]
Teller = Callable[[Told], tuple[str, str, Text]]


def _moved(detail: Told) -> tuple[str, str, Text]:
    tone = STATE_TONES.get(LotState(detail["state"]), "na")
    return ("na" if tone in {"wait", "info"} else tone, "arrow-right", MOVED[LotAct(detail["act"])])


def _step(sign: str, name: Text) -> Teller:
    def tell(detail: Told) -> tuple[str, str, Text]:
        what = name if detail["passage"] is None else Text("{step} P{passage}", step=name, passage=detail["passage"])
        if detail.get("partner"):
            return "info", sign, Text("{step}, made by {partner}; entered here", step=what, partner=detail["partner"])
        if detail["happened_anyway"]:
            return "wait", "alert-triangle", Text("{step}, recorded as already happened", step=what)
        return "info", sign, what

    return tell


def _reviewed(name: Text) -> Teller:
    def tell(detail: Told) -> tuple[str, str, Text]:
        is_accepted = detail["decision"] == "accepted"
        what = Text("{what}: {test}", what=name, test=detail["test"]) if detail.get("test") else name
        return (
            "go" if is_accepted else "wait",
            "user-check",
            Text("{what}: {decision}", what=what, decision=DECISIONS[detail["decision"]]),
        )

    return tell


STEPS_MADE = {
    "isolation": Text("Isolation"),
    "passage": Text("Passage"),
    "fill": Text("Fill"),
    "cryopreservation": Text("Cryopreservation"),
    "thaw": Text("Thaw"),
}


def _verified(detail: Told) -> tuple[str, str, Text]:
    what = STEPS_MADE[detail["step"]] if detail["step"] else PHASES[detail["phase"]]
    if detail["passage"] is not None:
        what = Text("{step} P{passage}", step=what, passage=detail["passage"])
    return "go", "user-check", Text("Verified by a second person: {what}", what=what)


PHASES = {"before": Text("Line cleared before work"), "after": Text("Line cleared after work")}
RETAINS = {
    "starting_material": Text("Retain of the starting material taken"),
    "final_product": Text("Retain of the final product taken"),
    "reagent": Text("Retain of a reagent taken"),
}
TELLERS: Mapping[str, Teller] = {
    "move": _moved,
    "isolation": _step("droplet", STEPS_MADE["isolation"]),
    "passage": _step("flask", STEPS_MADE["passage"]),
    "fill": _step("test-pipe", STEPS_MADE["fill"]),
    "cryopreservation": _step("snowflake", STEPS_MADE["cryopreservation"]),
    "thaw": _step("droplet", STEPS_MADE["thaw"]),
    "line_clearance": lambda detail: ("na", "clipboard-check", PHASES[detail["phase"]]),
    "sample": lambda detail: ("na", "test-pipe", Text("Sample taken: {purpose}", purpose=detail["purpose"])),
    "retain": lambda detail: ("na", "archive", RETAINS.get(detail["kind"], Text("Retain sample taken"))),
    "result": lambda detail: ("na", "microscope", Text("Result recorded: {test}", test=detail["test"])),
    "result_review": _reviewed(Text("Result reviewed")),
    "batch_review": _reviewed(Text("Batch record reviewed")),
    "deviation": lambda detail: (
        "wait",
        "alert-triangle",
        Text("Deviation {number}: {what}", number=detail["number"], what=detail["what"]),
    ),
    "hold": lambda detail: ("stop", "player-pause", Text("Hold placed: {reason}", reason=detail["reason"])),
    "hold_lifted": lambda detail: ("go", "check", Text("Hold lifted: {reason}", reason=detail["reason"])),
    "verification": _verified,
    "label_count": lambda detail: (
        "na",
        "clipboard-check",
        Text(
            "Labels counted: {printed} printed; {used} used, {destroyed} destroyed, {returned} returned",
            printed=detail["printed"],
            used=detail["used"],
            destroyed=detail["destroyed"],
            returned=detail["returned"],
        ),
    ),
    "release": lambda fact: (
        ("go", "signature", Text("Released by signature"))
        if fact.get("meaning") != "conditionally_released"
        else ("wait", "signature", Text("Released by signature before results that are pending"))
    ),
}


def event(told: Told) -> Event:
    """One row of the story as a sentence. What is not known by name is said as it is, never left out."""
    teller = TELLERS.get(told["what"])
    tone, sign, says = (
        teller(told["detail"]) if teller else ("na", "info-circle", Text("{what}", what=str(told["what"])))
    )
    return Event(at=told["at"], by=told["by_name"] or told["by"], tone=tone, sign=sign, says=says)


def lanes(story: Sequence[Told], *, say: Callable[[Text], str]) -> tuple[list[Span], list[Moment]]:
    """The story, oldest first, as what lasted and what happened at once: states, steps and holds last."""
    spans: list[Span] = []
    moments: list[Moment] = []
    moves = [each for each in story if each["what"] == "move"]
    for each, following in zip(moves, [*moves[1:], None], strict=True):
        state = LotState(each["detail"]["state"])
        until = None if following is None else following["at"]
        spans.append(Span(Lane.STATE, STATE_TONES.get(state, "na"), say(STATE_NAMES[state]), each["at"], until))
    lifted = {each["number"]: each["at"] for each in story if each["what"] == "hold_lifted"}
    for each in story:
        what = each["what"]
        told = event(each)
        if what == "hold":
            spans.append(Span(Lane.HOLDS, told.tone, say(told.says), each["at"], lifted.get(each["number"])))
        elif what in STEPS and each["detail"].get("began"):
            began = datetime.fromisoformat(each["detail"]["began"])
            spans.append(Span(Lane.CULTURE, told.tone, say(told.says), began, each["at"]))
        elif what not in {"move", "hold_lifted"}:
            moments.append(Moment(LANES.get(what, Lane.REVIEWS), told.tone, say(told.says), each["at"]))
    return spans, moments
