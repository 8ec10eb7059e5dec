"""How cells grow, in the lab's formulas. Counts are viable cells unless a name says otherwise."""

import math

from app.domain.errors import BadInput
from app.domain.text import Text


class CannotCompute(BadInput):
    """A number from which nothing can be computed: not finite, negative, or zero where something must be."""


def viability_percent(*, viable: float, dead: float) -> float:
    """Viable cells per hundred counted. Raises CannotCompute where nothing was counted."""
    _at_least_zero("viable", viable)
    _at_least_zero("dead", dead)
    _more_than_zero("viable", viable + dead)
    return viable / (viable + dead) * 100


def viable_cells(*, cells_per_ml: float, volume_ml: float, viability_percent: float) -> float:
    """Viable cells in a volume of which all cells were counted. Raises CannotCompute."""
    _at_least_zero("cells_per_ml", cells_per_ml)
    _at_least_zero("volume_ml", volume_ml)
    _percent("viability_percent", viability_percent)
    return cells_per_ml * volume_ml * viability_percent / 100


def population_doublings(*, viable_seeded: float, viable_harvested: float, plating_efficiency: float = 1.0) -> float:
    """PD = log2(harvested / seeded); below zero where cells were lost.

    `plating_efficiency` is the fraction of seeded cells that attached, where it is known. Vessels that were pooled
    are summed before. Raises CannotCompute.
    """
    _more_than_zero("viable_seeded", viable_seeded)
    _more_than_zero("viable_harvested", viable_harvested)
    _more_than_zero("plating_efficiency", plating_efficiency)
    if plating_efficiency > 1:
        raise _cannot("plating_efficiency", Text("No more cells can attach than were seeded."))
    return math.log2(viable_harvested) - math.log2(viable_seeded) - math.log2(plating_efficiency)


def cumulative_pdl(*, cpdl_start: float, pd: float) -> float:
    """Cumulative population doubling level after a passage. A loss of cells never makes them younger.

    Raises CannotCompute.
    """
    _at_least_zero("cpdl_start", cpdl_start)
    _finite("pd", pd)
    return cpdl_start + max(pd, 0.0)


def merged_cpdl(*cpdls: float) -> float:
    """The level of lineages that were merged: the oldest. Raises CannotCompute without any."""
    if not cpdls:
        raise _cannot("cpdl", Text("There is no lineage to merge."))
    for cpdl in cpdls:
        _at_least_zero("cpdl", cpdl)
    return max(cpdls)


def doubling_time_hours(*, hours: float, viable_seeded: float, viable_harvested: float) -> float:
    """Hours for one doubling, lag ignored. Raises CannotCompute where the cells did not grow."""
    _more_than_zero("hours", hours)
    pd = population_doublings(viable_seeded=viable_seeded, viable_harvested=viable_harvested)
    if pd <= 0:
        raise _cannot("viable_harvested", Text("Cells that did not grow have no doubling time."))
    return hours / pd


def fold_expansion(*, viable_seeded: float, viable_harvested: float) -> float:
    """Harvested over seeded. Raises CannotCompute."""
    _more_than_zero("viable_seeded", viable_seeded)
    _at_least_zero("viable_harvested", viable_harvested)
    return viable_harvested / viable_seeded


def recovery_percent(*, viable_before: float, viable_after: float) -> float:
    """Viable cells after a step such as a thaw per hundred before it. Raises CannotCompute."""
    return fold_expansion(viable_seeded=viable_before, viable_harvested=viable_after) * 100


def dose_per_kg(*, viable: float, weight_kg: float) -> float:
    """Viable cells given per kilogram of body weight. Raises CannotCompute."""
    _at_least_zero("viable", viable)
    _more_than_zero("weight_kg", weight_kg)
    return viable / weight_kg


def volume_needed_ml(*, cells_per_kg: float, weight_kg: float, viable_per_ml: float) -> float:
    """Volume that holds the dose, overfill and dead volume not counted. Raises CannotCompute."""
    _more_than_zero("cells_per_kg", cells_per_kg)
    _more_than_zero("weight_kg", weight_kg)
    _more_than_zero("viable_per_ml", viable_per_ml)
    return cells_per_kg * weight_kg / viable_per_ml


def _finite(field: str, value: float) -> None:
    if not math.isfinite(value):
        raise _cannot(field, Text("It is not a finite number."))


def _at_least_zero(field: str, value: float) -> None:
    _finite(field, value)
    if value < 0:
        raise _cannot(field, Text("It is below zero."))


def _more_than_zero(field: str, value: float) -> None:
    _finite(field, value)
    if value <= 0:
        raise _cannot(field, Text("It must be more than zero."))


def _percent(field: str, value: float) -> None:
    _at_least_zero(field, value)
    if value > 100:
        raise _cannot(field, Text("It is more than a hundred per cent."))


def _cannot(field: str, why: Text) -> CannotCompute:
    return CannotCompute(
        field=field,
        what=Text("Nothing can be computed from {field}.", field=field),
        why=why,
        remedy=Text("Check the count and enter it again."),
    )
