import pytest

from app.domain.errors import IllegalMove
from app.domain.lots import (
    ACT_NAMES,
    MOVES,
    NEEDS_RELEASE,
    STATE_NAMES,
    TOWARDS_USE,
    LotAct,
    LotKind,
    LotState,
    move,
    open_acts,
)
from tests.golden_files import agrees

CELLS = (LotKind.PREPARATION, LotKind.BANK)


def test_a_preparations_life_leads_from_plan_to_release():
    state = None
    for act in (LotAct.PLAN, LotAct.BEGIN, LotAct.FINISH, LotAct.SUBMIT, LotAct.RELEASE):
        state = move(LotKind.PREPARATION, state, act)
    assert state is LotState.RELEASED


def test_a_material_lot_is_approved_and_never_released():
    state = move(LotKind.MATERIAL, move(LotKind.MATERIAL, None, LotAct.RECEIVE), LotAct.APPROVE)
    assert state is LotState.APPROVED
    assert not any(after in NEEDS_RELEASE for (kind, _, _), after in MOVES.items() if kind is LotKind.MATERIAL)


def test_cells_are_released_and_never_approved():
    assert not any(after is LotState.APPROVED for (kind, _, _), after in MOVES.items() if kind in CELLS)


@pytest.mark.parametrize("kind", LotKind)
def test_recalled_and_failed_never_return(kind):
    for ended in (LotState.RECALLED, LotState.FAILED_AFTER_RELEASE, LotState.REJECTED, LotState.DESTROYED):
        reachable, border = set(), {ended}
        while border:
            reachable |= border
            border = {MOVES[kind, each, act] for each in border for act in open_acts(kind, each)} - reachable
        assert reachable <= {LotState.RECALLED, LotState.FAILED_AFTER_RELEASE, LotState.REJECTED, LotState.DESTROYED}


def test_release_comes_only_from_awaiting_release_or_a_conditional_one():
    sources = {before for (_, before, _), after in MOVES.items() if after is LotState.RELEASED}
    assert sources == {LotState.AWAITING_RELEASE, LotState.CONDITIONALLY_RELEASED}


def test_every_move_into_use_is_blocked_by_a_hold():
    into_use = NEEDS_RELEASE | {LotState.APPROVED, LotState.AWAITING_RELEASE, LotState.IN_PROCESS}
    assert {act for (_, _, act), after in MOVES.items() if after in into_use} <= TOWARDS_USE
    away = {LotAct.REJECT, LotAct.RECALL, LotAct.DESTROY, LotAct.FAIL_AFTER_RELEASE, LotAct.SEND_BACK}
    assert not away & TOWARDS_USE


@pytest.mark.parametrize("kind", LotKind)
def test_every_move_that_is_not_in_the_table_is_refused(kind):
    for state in (None, *LotState):
        for act in LotAct:
            if (kind, state, act) not in MOVES:
                with pytest.raises(IllegalMove) as refused:
                    move(kind, state, act)
                assert refused.value.detail["act"] == act.value
                assert str(refused.value.remedy)


def test_states_and_acts_have_names():
    assert set(STATE_NAMES) == set(LotState)
    assert set(ACT_NAMES) == set(LotAct)


def test_the_moves_are_as_reviewed():
    lines = [
        f"{kind.value:12} {(state.value if state else '-'):24} {act.value:24} {after.value:24}"
        f"{'towards use' if act in TOWARDS_USE else ''}".rstrip()
        for (kind, state, act), after in MOVES.items()
    ]
    agrees("moves.txt", "\n".join([*lines, ""]))
