"""The gate that a lot of cells stands before next, by its kind and state."""

from app.domain.lots import LotKind, LotState
from app.domain.rulebook import Gate

AFTER_RELEASE = frozenset({LotState.RELEASED, LotState.RECALLED, LotState.FAILED_AFTER_RELEASE})
"""States of a preparation that was released once: what is asked next is whether it may be given."""


def next_gate(kind: LotKind, state: LotState) -> Gate:
    """The infusion for a preparation that was released once, also where it never returns; else the final release."""
    return Gate.G10 if kind is LotKind.PREPARATION and state in AFTER_RELEASE else Gate.G6


def dossier_for(gate: Gate) -> str:
    """The dossier of a lot that this gate judges: before it is given, its study stands in it as well."""
    return "to_give" if gate is Gate.G10 else "lot"
