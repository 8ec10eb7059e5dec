"""Release in two steps: what a plan that was signed later changes for lots begun under an earlier one."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.domain.counterexamples import all_of, part, setting, two_steps, within
from app.domain.lots import LotState
from app.domain.rulebook import Gate, judge
from app.domain.two_steps import pending
from app.rules import RULES
from tests.rules.clean import AT, SIGNER, clean


def later(**changes):
    """A plan signed after the work began, which lets the same tests come late with these changes."""

    def edit(found):
        (plan,) = found.plans
        late = tuple(replace(each, **changes) for each in plan.pending)
        at = datetime(2026, 11, 9, tzinfo=UTC)
        return replace(found, plans=(plan, replace(plan, version=2, pending=late, approved_at=at)))

    return all_of(two_steps, within("two_steps", edit))


@pytest.mark.parametrize(
    "changes",
    [{}, {"days": 15}, {"interim": " Rapid  STERILITY "}, {"validation": "vr-12"}, {"if_positive": "otherwise"}],
)
def test_a_later_plan_that_asks_the_same_or_gives_more_time_changes_nothing(changes):
    dossier = later(**changes)(clean())
    found = judge(RULES, dossier, gate=Gate.G5, at=AT, signer=SIGNER)
    assert found.is_open, [(each.rule, each.findings) for each in found.blocks]
    assert [each.planned.days for each in pending(dossier)] == [14], "the time is that of the plan of that day"


@pytest.mark.parametrize("changes", [{"days": 13}, {"interim": "gram stain"}, {"validation": "VR-19"}])
def test_of_a_lot_that_was_given_out_the_result_is_owed_whatever_changed_since(changes):
    given_out = all_of(
        later(**changes),
        setting("rel06.may_be_pending", ["mycoplasma"]),
        part("lot", state=LotState.CONDITIONALLY_RELEASED),
    )
    assert pending(later(**changes)(clean())) == ()
    assert [each.planned.test for each in pending(given_out(clean()))] == ["sterility"]
