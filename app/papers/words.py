"""The words that papers share: what the record's short words are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.rulebook import Outcome
from app.domain.text import Text
from app.papers.facts import Conclusion
from app.papers.sheet import Tone

if TYPE_CHECKING:
    from collections.abc import Mapping

RELATIONS: Mapping[str, Text] = {"autologous": Text("autologous"), "allogeneic": Text("allogeneic")}
DECISIONS: Mapping[str, Text] = {"accepted": Text("accepted"), "returned": Text("returned")}
DETERMINED: Mapping[str, Text] = {"eligible": Text("eligible"), "ineligible": Text("not eligible")}
SEVERITIES: Mapping[str, Text] = {"minor": Text("minor"), "major": Text("major"), "critical": Text("critical")}
DEVIATION_STATES: Mapping[str, Text] = {"open": Text("open"), "closed": Text("closed")}
IMPACTS: Mapping[str, Text] = {
    "none": Text("no impact"),
    "acceptable": Text("acceptable impact"),
    "unacceptable": Text("unacceptable impact"),
}
PHASES: Mapping[str, Text] = {"before": Text("before the work"), "after": Text("after the work")}
TAKEN: Mapping[str, Text] = {
    "sample": Text("sample"),
    "starting_material": Text("retain of the starting material"),
    "final_product": Text("retain of the final product"),
    "reagent": Text("retain of a reagent"),
}
MEANINGS: Mapping[str, Text] = {
    "released": Text("I release this lot."),
    "batch_reviewed": Text("I have reviewed this batch record."),
    "eligibility_determined": Text("I have determined the eligibility of this donation."),
}
CONCLUSIONS: Mapping[Conclusion, tuple[Text, Tone]] = {
    Conclusion.CONFORMS: (Text("conforms"), Tone.GO),
    Conclusion.FAILS: (Text("does not conform"), Tone.STOP),
    Conclusion.NOT_REVIEWED: (Text("not reviewed yet"), Tone.WAIT),
    Conclusion.NOT_TESTED: (Text("no result"), Tone.WAIT),
}
OUTCOME_TONES: Mapping[Outcome, Tone] = {
    Outcome.PASS: Tone.GO,
    Outcome.PASS_WITH_WAIVER: Tone.WAIT,
    Outcome.PASS_WITH_LEGACY: Tone.WAIT,
    Outcome.NOT_APPLICABLE: Tone.NONE,
    Outcome.WAITS_FOR_SIGNER: Tone.WAIT,
    Outcome.FAIL: Tone.STOP,
    Outcome.NEEDS_WAIVER: Tone.STOP,
    Outcome.INDETERMINATE: Tone.STOP,
}
STATE_TONES: Mapping[str, Tone] = {
    "released": Tone.GO,
    "rejected": Tone.STOP,
    "recalled": Tone.STOP,
    "failed_after_release": Tone.STOP,
    "destroyed": Tone.NONE,
    "planned": Tone.NONE,
}
MARKER_TONES: Mapping[str, Tone] = {
    "negative": Tone.GO,
    "positive": Tone.STOP,
    "inconclusive": Tone.WAIT,
    "pending": Tone.WAIT,
}
