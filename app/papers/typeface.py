"""The typeface of every paper, and what of a text it shows: what has no form is an error, what is invisible is made plain.

A control or bidirectional character would reorder or hide what stands beside it. It is written out, as `[U+202E]`, so
that it is seen and does nothing.
"""

from __future__ import annotations

import threading
import unicodedata
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from labels.typeface import FONT_PATH
from labels.words import N_, SpokenError, Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NAME: Final = "StemmaPaper"
THIN_SPACE: Final = "\u2009"
RAISED: Final = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+−", strict=True))
"""Raised characters that the typeface lacks: drawn small and high from those that it has."""
_SPACES: Final = {"\t": " ", "\u00a0": THIN_SPACE, "\u202f": THIN_SPACE, "\u2007": THIN_SPACE, "\u3000": " "}
_WORDS: Final = Words(
    N_("The paper was not made."),
    N_("Its text {text} holds the character {character}, which the paper's typeface does not have."),
    N_("Correct the text where it is recorded, or say it in other characters there, then make the paper again."),
)
_lock: Final = threading.Lock()


class MissingGlyph(SpokenError):
    """A character of a paper's text has no visible form in the typeface."""

    def __init__(self, *, text: str, character: str) -> None:
        at = text.index(character)
        near = text[max(0, at - 20) : at + 20]
        details = {"text": near, "character": f"{character} (U+{ord(character):04X})"}
        super().__init__(code="missing_glyph", words=_WORDS, details=details)


def visible(text: str) -> str:
    """The text with every invisible character written out; lines and thin spaces stay."""
    return "".join(_plain(each) for each in unicodedata.normalize("NFC", text))


def _plain(character: str) -> str:
    if character in " \n" or character == THIN_SPACE:
        return character
    if character in _SPACES:
        return _SPACES[character]
    category = unicodedata.category(character)
    if category == "Zs":
        return " "
    if category[0] in "CZ" and category not in {"Cn", "Co"}:
        return f"[U+{ord(character):04X}]"
    return character


def require_glyphs(texts: Iterable[str]) -> None:
    """Insist that every character of these visible texts has a form. Raises MissingGlyph."""
    known = pdfmetrics.getFont(NAME).face.charToGlyph
    seen: set[str] = set(" \n" + THIN_SPACE)
    for text in texts:
        for character in text:
            if character in seen:
                continue
            if not known.get(ord(RAISED.get(character, character))):
                raise MissingGlyph(text=text, character=character)
            seen.add(character)


def width(text: str, size: float) -> float:
    """The advance of a line of visible text, in points."""
    raised = sum(character in RAISED for character in text)
    flat = "".join(RAISED.get(character, character) for character in text).replace(THIN_SPACE, " ")
    full: float = pdfmetrics.stringWidth(flat, NAME, size)
    return full - raised * 0.36 * size * 0.555


@contextmanager
def lent() -> Iterator[None]:
    """Lend reportlab the typeface for one paper: its tables would hold 30 MB of whatever process kept it."""
    with _lock:
        font = TTFont(NAME, str(FONT_PATH))
        pdfmetrics.registerFont(font)
        try:
            yield
        finally:
            pdfmetrics._fonts.pop(NAME, None)  # noqa: SLF001
            pdfmetrics._dynFaceNames.pop(font.face.name, None)  # noqa: SLF001
            font.state.clear()
