"""The two check characters of ISO/IEC 7064 that our codes rest on, as arithmetic and nothing else.

MOD 37,36 (hybrid) closes our own codes: it detects every substitution of one character, and every swap of two
neighbours but 72 of 45,360 (state, pair) cases; ``labels.codes.new_code`` never issues a code that has such a pair.
MOD 37-2 (pure) closes an ISBT 128 donation number: it detects every substitution and every swap of neighbours.
"""

from typing import Final

DIGITS_AND_LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS_LETTERS_AND_STAR: Final = DIGITS_AND_LETTERS + "*"

_VALUES: Final = {character: value for value, character in enumerate(DIGITS_LETTERS_AND_STAR)}


def mod_37_36(body: str) -> str:
    """Return the ISO/IEC 7064 MOD 37,36 check character (0-9, A-Z) of ``body`` (0-9, A-Z, not empty).

    Raises:
        KeyError: a character of ``body`` has no value.

    """
    product = 36
    for character in body:
        total = (product + _VALUES[character]) % 36 or 36
        product = total * 2 % 37
    return DIGITS_AND_LETTERS[(37 - product) % 36]


def mod_37_2_value(body: str) -> int:
    """Return the ISO/IEC 7064 MOD 37-2 check value (0 to 36) of ``body`` (0-9, A-Z).

    Raises:
        KeyError: a character of ``body`` has no value.

    """
    product = 0
    for character in body:
        product = (product + _VALUES[character]) * 2 % 37
    return (38 - product) % 37


def mod_37_2(body: str) -> str:
    """Return the MOD 37-2 check character (0-9, A-Z or ``*``) of ``body``."""
    return DIGITS_LETTERS_AND_STAR[mod_37_2_value(body)]
