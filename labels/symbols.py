"""Symbols as rows of modules: written by zint, read back by zxing-cpp before anybody may use them.

The two share no code, so a mistake of one is seen by the other. A symbol that does not come back as the text that went
in never leaves this module.
"""

from dataclasses import dataclass
from typing import Final

import zint
import zxingcpp
from PIL import Image

from labels.words import N_, SpokenError, Words

DATAMATRIX_IDENTIFIER: Final = "]d1"
QUIET_ZONE_MODULES: Final = 1

_READ_BACK_SCALE: Final = 4  # dots a module while reading back
_WORDS: Final = Words(
    N_("The symbol for {wanted} was not printed."),
    N_("Read back before printing, it says {found}."),
    N_("Do not write the label by hand. Try once more; if it happens again, tell the administrator."),
)


class ReadBackError(SpokenError):
    """What was drawn does not read as what was meant."""

    def __init__(self, *, wanted: str, found: str) -> None:
        super().__init__(code="read_back", words=_WORDS, details={"wanted": wanted, "found": found or "—"})


@dataclass(frozen=True, slots=True)
class Matrix:
    """A square symbol without its quiet zone: ``rows`` from the top, in each from the left, True for a dark module."""

    text: str
    rows: tuple[tuple[bool, ...], ...]

    @property
    def side(self) -> int:
        """The number of modules along one side."""
        return len(self.rows)


def verified_datamatrix(text: str) -> Matrix:
    """Return the square DataMatrix (ECC 200, never a rectangular extension) of ``text``, read back and compared.

    Raises:
        ReadBackError: zint cannot encode ``text``, or zxing-cpp reads something else from what it drew.

    """
    symbol = zint.Symbol()
    symbol.symbology = zint.Symbology.DATAMATRIX
    symbol.option_3 = zint.DataMatrixOptions.SQUARE
    symbol.input_mode = zint.InputMode.UNICODE
    try:
        symbol.encode(text)
    except (RuntimeError, ValueError) as refused:
        raise ReadBackError(wanted=text, found=str(refused)) from refused
    packed = symbol.encoded_data  # eight modules a byte, the first in the lowest bit
    rows = tuple(
        tuple(bool(packed[row, column >> 3] >> (column & 7) & 1) for column in range(symbol.width))
        for row in range(symbol.rows)
    )
    matrix = Matrix(text=text, rows=rows)
    require_datamatrix(_picture(matrix), text=text)
    return matrix


def require_datamatrix(picture: Image.Image, *, text: str) -> None:
    """Read ``picture`` (mode L or 1) with zxing-cpp and insist on one plain DataMatrix that says ``text``.

    Raises:
        ReadBackError: it holds none, several, another symbology or another text.

    """
    found = zxingcpp.read_barcodes(picture.convert("L"), text_mode=zxingcpp.TextMode.Plain)
    if [(code.symbology_identifier, code.text) for code in found] != [(DATAMATRIX_IDENTIFIER, text)]:
        said = ", ".join(f"{code.symbology_identifier}{code.text}" for code in found)
        raise ReadBackError(wanted=text, found=said)


def _picture(matrix: Matrix) -> Image.Image:
    """Draw ``matrix`` black on white with its quiet zone."""
    side = matrix.side + 2 * QUIET_ZONE_MODULES
    picture = Image.new("L", (side, side), color=255)
    for row, modules in enumerate(matrix.rows):
        for column, is_dark in enumerate(modules):
            if is_dark:
                picture.putpixel((column + QUIET_ZONE_MODULES, row + QUIET_ZONE_MODULES), 0)
    return picture.resize((side * _READ_BACK_SCALE, side * _READ_BACK_SCALE), Image.Resampling.NEAREST)
