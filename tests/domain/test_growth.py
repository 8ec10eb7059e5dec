import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import growth
from app.domain.growth import CannotCompute

counts = st.floats(min_value=1, max_value=1e12)


def test_the_checked_numbers():
    grown = {"viable_seeded": 5e5, "viable_harvested": 4.2e6}
    assert growth.population_doublings(**grown) == pytest.approx(3.070, abs=5e-4)
    assert growth.doubling_time_hours(hours=96, **grown) == pytest.approx(31.27, abs=5e-3)
    seeded = growth.viable_cells(cells_per_ml=1e6, volume_ml=1, viability_percent=90)
    harvested = growth.viable_cells(cells_per_ml=7.5e6, volume_ml=1, viability_percent=95)
    assert growth.population_doublings(viable_seeded=seeded, viable_harvested=harvested) == pytest.approx(
        2.985, abs=5e-4
    )
    assert growth.dose_per_kg(viable=1.2e8, weight_kg=60) == 2e6


def test_viability_is_a_share_of_all_cells_counted():
    assert growth.viability_percent(viable=95, dead=5) == 95
    assert growth.viability_percent(viable=0, dead=5) == 0


def test_a_known_plating_efficiency_corrects_the_seeding():
    corrected = growth.population_doublings(viable_seeded=1e6, viable_harvested=4e6, plating_efficiency=0.5)
    assert corrected == pytest.approx(3)


def test_recovery_fold_and_volume():
    assert growth.recovery_percent(viable_before=1e7, viable_after=8e6) == pytest.approx(80)
    assert growth.fold_expansion(viable_seeded=5e5, viable_harvested=4.2e6) == pytest.approx(8.4)
    assert growth.volume_needed_ml(cells_per_kg=2e6, weight_kg=60, viable_per_ml=1e7) == pytest.approx(12)


@given(counts, counts)
def test_doublings_undo_themselves(seeded, harvested):
    pd = growth.population_doublings(viable_seeded=seeded, viable_harvested=harvested)
    assert seeded * 2**pd == pytest.approx(harvested, rel=1e-9)
    back = growth.population_doublings(viable_seeded=harvested, viable_harvested=seeded)
    assert back == pytest.approx(-pd, abs=1e-9)


@given(counts, counts, counts)
def test_doublings_of_two_passages_add_up(first, second, third):
    one = growth.population_doublings(viable_seeded=first, viable_harvested=second)
    two = growth.population_doublings(viable_seeded=second, viable_harvested=third)
    whole = growth.population_doublings(viable_seeded=first, viable_harvested=third)
    assert one + two == pytest.approx(whole, abs=1e-9)


@given(st.floats(min_value=0, max_value=100), st.floats(min_value=-60, max_value=60))
def test_cells_never_grow_younger(start, pd):
    end = growth.cumulative_pdl(cpdl_start=start, pd=pd)
    assert end >= start
    assert end == pytest.approx(start + max(pd, 0))


@given(st.lists(st.floats(min_value=0, max_value=100), min_size=1))
def test_merged_lineages_are_as_old_as_the_oldest(cpdls):
    assert growth.merged_cpdl(*cpdls) == max(cpdls)


@given(counts, st.floats(min_value=0, max_value=1e12))
def test_viability_stays_between_none_and_all(viable, dead):
    assert 0 < growth.viability_percent(viable=viable, dead=dead) <= 100


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, -1.0])
def test_what_is_no_count_is_refused(wrong):
    for call in (
        lambda: growth.viability_percent(viable=wrong, dead=1),
        lambda: growth.viability_percent(viable=1, dead=wrong),
        lambda: growth.population_doublings(viable_seeded=wrong, viable_harvested=1),
        lambda: growth.population_doublings(viable_seeded=1, viable_harvested=wrong),
        lambda: growth.cumulative_pdl(cpdl_start=wrong, pd=1),
        lambda: growth.dose_per_kg(viable=1, weight_kg=wrong),
        lambda: growth.viable_cells(cells_per_ml=1, volume_ml=1, viability_percent=wrong),
        lambda: growth.merged_cpdl(1, wrong),
    ):
        with pytest.raises(CannotCompute):
            call()


def test_nothing_comes_from_nothing():
    for call in (
        lambda: growth.viability_percent(viable=0, dead=0),
        lambda: growth.population_doublings(viable_seeded=0, viable_harvested=1),
        lambda: growth.population_doublings(viable_seeded=1, viable_harvested=0),
        lambda: growth.population_doublings(viable_seeded=1, viable_harvested=1, plating_efficiency=1.5),
        lambda: growth.doubling_time_hours(hours=24, viable_seeded=2, viable_harvested=2),
        lambda: growth.viable_cells(cells_per_ml=1, volume_ml=1, viability_percent=101),
        growth.merged_cpdl,
    ):
        with pytest.raises(CannotCompute) as refused:
            call()
        assert refused.value.status == 422
        assert refused.value.field
