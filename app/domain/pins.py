"""What a PIN must be: six to eight digits that nobody tries first. It proves a person together with their badge, never alone."""

import itertools
import unicodedata

from app.domain.errors import BadInput
from app.domain.text import Text

LENGTH_MIN, LENGTH_MAX = 6, 8
DIFFERENT_MIN = 3
"""Fewer different digits than this are a pattern on the keypad."""
WELL_KNOWN = frozenset(
    {
        "123654", "147258", "147852", "159753", "258369", "258456", "321654", "456123", "520131", "520520", "521521",
        "131452", "1314520", "5201314", "520184", "789456", "741852", "963852", "987456", "1472583", "14725836",
        "112358", "314159", "271828", "100000", "888666", "666888", "168168", "518518", "147369", "369258",
    }
)  # fmt: skip


def normalised(pin: str) -> str:
    """The digits, whichever keyboard typed them, without the spaces between."""
    return "".join(unicodedata.normalize("NFKC", pin).split())


def require_good(pin: str) -> str:
    """The PIN in its normal form. Raises BadInput unless it may be taken."""
    digits = normalised(pin)
    if not (digits.isascii() and digits.isdigit()):
        raise _refused(Text("It holds something that is no digit."))
    if not LENGTH_MIN <= len(digits) <= LENGTH_MAX:
        raise _refused(Text("It has {length} digits.", length=len(digits)))
    if _is_guessable(digits):
        raise _refused(Text("It is a pattern that is tried first."))
    return digits


def _is_guessable(digits: str) -> bool:
    steps = {(int(after) - int(before)) % 10 for before, after in itertools.pairwise(digits)}
    repeats = any(digits == (digits[:length] * len(digits))[: len(digits)] for length in range(1, len(digits) // 2 + 1))
    return (
        len(set(digits)) < DIFFERENT_MIN or len(steps) == 1 or repeats or _is_year_first(digits) or digits in WELL_KNOWN
    )


def _is_year_first(digits: str) -> bool:
    """A date of birth, as it is written in full: 19840317."""
    return len(digits) == LENGTH_MAX and digits[:2] in {"19", "20"} and "01" <= digits[4:6] <= "12"


def _refused(why: Text) -> BadInput:
    return BadInput(
        field="pin",
        what=Text("This PIN is not taken."),
        why=why,
        remedy=Text(
            "Choose {least} to {most} digits without a pattern: no row, no repetition, no date.",
            least=LENGTH_MIN,
            most=LENGTH_MAX,
        ),
    )
