"""The one typeface of every label: which characters it has, and how it is drawn in a printer's dots.

Noto Sans SC Regular stands beside this file, whole. A character that it cannot show is an error, for a missing glyph
prints as nothing: ``−196 °C`` would become ``196 °C``.
"""

import struct
import unicodedata
from array import array
from bisect import bisect_right
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from labels.words import N_, SpokenError, Words

FONT_PATH: Final = Path(__file__).parent / "fonts" / "NotoSansSC-Regular.ttf"
RAISED_SIZE: Final = 0.64  # of an exponent, as a part of the size of its line
RAISED_BY: Final = 0.36  # of its baseline, likewise

_INK_FROM: Final = 140  # grey values below are ink: strokes of small Chinese neither break nor clot
_WORDS: Final = Words(
    N_("The label was not printed."),
    N_("Its text {text} holds the character {character}, which the label's typeface does not have."),
    N_("Correct the name or choose another short name, then print again."),
)


class MissingGlyph(SpokenError):
    """A character of a label's text has no visible form in the typeface."""

    def __init__(self, *, text: str, character: str) -> None:
        shown = character if character.isprintable() else "?"
        details = {"text": text, "character": f"{shown} (U+{ord(character):04X})"}
        super().__init__(code="missing_glyph", words=_WORDS, details=details)


def require_glyphs(text: str) -> None:
    """Insist that every character of ``text`` shows.

    Raises:
        MissingGlyph: one does not.

    """
    for character in text:
        if not _shows(character):
            raise MissingGlyph(text=text, character=character)


def width_dots(text: str, *, size_dots: int) -> float:
    """Return the advance of ``text`` in dots at an em of ``size_dots``."""
    return _raster_font(size_dots).getlength(text)


def draw_text(picture: Image.Image, text: str, *, left_dots: int, baseline_dots: int, size_dots: int) -> None:
    """Blacken the dots of ``text`` in ``picture`` (mode 1, 0 is ink), its origin at the left of the baseline."""
    font = _raster_font(size_dots)
    ink = Image.new("L", picture.size, color=255)
    ImageDraw.Draw(ink).text((left_dots, baseline_dots), text, fill=0, font=font, anchor="ls")
    picture.paste(0, mask=ink.point(lambda grey: 255 if grey < _INK_FROM else 0).convert("1", dither=Image.Dither.NONE))


@lru_cache(maxsize=10)  # what one label needs; each face costs some two megabytes
def _raster_font(size_dots: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONT_PATH), size_dots, layout_engine=ImageFont.Layout.BASIC)


@cache
def _shows(character: str) -> bool:
    if character == " ":
        return True
    if unicodedata.category(character)[0] in "CZ" or not _has_glyph(ord(character)):
        return False
    return _raster_font(32).getmask(character).getbbox() is not None


def _has_glyph(code_point: int) -> bool:
    starts, ends = _character_ranges()
    index = bisect_right(starts, code_point) - 1
    return index >= 0 and code_point <= ends[index]


@cache
def _character_ranges() -> tuple["array[int]", "array[int]"]:
    """Read the first and last code points of the groups in the font's ``cmap`` (OpenType, subtable format 12)."""
    with FONT_PATH.open("rb") as font:
        table = _table(font.read(4096), tag=b"cmap")
        font.seek(table[0])
        cmap = font.read(table[1])
    (count,) = struct.unpack_from(">H", cmap, 2)
    for record in range(count):
        platform, encoding, offset = struct.unpack_from(">HHL", cmap, 4 + 8 * record)
        if (platform, encoding) == (3, 10) and struct.unpack_from(">H", cmap, offset) == (12,):
            return _groups(cmap, offset)
    message = f"{FONT_PATH.name} has no character map of format 12"
    raise ValueError(message)


def _table(header: bytes, *, tag: bytes) -> tuple[int, int]:
    """Return offset and length in bytes of the font's table ``tag``."""
    (count,) = struct.unpack_from(">H", header, 4)
    for record in range(count):
        name, _, offset, length = struct.unpack_from(">4sLLL", header, 12 + 16 * record)
        if name == tag:
            return offset, length
    message = f"{FONT_PATH.name} has no table {tag!r}"
    raise ValueError(message)


def _groups(cmap: bytes, offset: int) -> tuple["array[int]", "array[int]"]:
    (count,) = struct.unpack_from(">L", cmap, offset + 12)
    starts, ends = array("L"), array("L")
    for group in range(count):
        start, end, glyph = struct.unpack_from(">LLL", cmap, offset + 16 + 12 * group)
        starts.append(start if glyph else start + 1)  # glyph 0 is the box that stands for "none"
        ends.append(end)
    return starts, ends
