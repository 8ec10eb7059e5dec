import pytest

from app.domain.facts import PassageConvention, StepKind
from app.domain.processing import next_passage

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
