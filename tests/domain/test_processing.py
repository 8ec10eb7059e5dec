from decimal import Decimal

import pytest

from app.domain.errors import Blocked
from app.domain.facts import PassageConvention, StepKind
from app.domain.processing import next_passage, refuse_above_limit

P0, P1 = PassageConvention.PRIMARY_IS_P0, PassageConvention.PRIMARY_IS_P1


@pytest.mark.parametrize(
    ("kind", "parent", "convention", "expected"),
    [
        (StepKind.ISOLATION, None, P0, 0),
        (StepKind.ISOLATION, None, P1, 1),
        (StepKind.PASSAGE, 0, P0, 1),
        (StepKind.PASSAGE, 3, P1, 4),
        (StepKind.PASSAGE, None, P0, None),
        (StepKind.FILL, 3, P0, 3),
        (StepKind.CRYOPRESERVATION, 3, P0, 3),
    ],
)
def test_the_convention_numbers_the_passages(kind, parent, convention, expected):
    assert next_passage(kind=kind, parent_passage=parent, convention=convention) == expected


def test_a_passage_at_the_limit_is_allowed_and_beyond_it_refused():
    refuse_above_limit(passage=5, max_passage=5, cpdl_start=Decimal("19.9"), max_pdl=Decimal(20))
    for passage, cpdl_start in ((6, Decimal(3)), (2, Decimal(20))):
        with pytest.raises(Blocked) as refused:
            refuse_above_limit(passage=passage, max_passage=5, cpdl_start=cpdl_start, max_pdl=Decimal(20))
        assert refused.value.rule == "CB-05"
