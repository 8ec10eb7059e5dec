"""The anchor of a paper in the sealed record, as a QR symbol that anybody's telephone reads.

Its text is four lines of ours, an empty line, and the signed checkpoint word for word: with the public key the
checkpoint can be checked without asking anybody, and an exported record can be held against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import zint
import zxingcpp
from PIL import Image

from labels.symbols import ReadBackError

if TYPE_CHECKING:
    from app.papers.facts import Anchor

QUIET_MODULES: Final = 4
_SCALE: Final = 4


def anchor_text(anchor: Anchor, *, digest: str) -> str:
    """What the symbol says. `digest` is of the dossier that was signed."""
    return f"stemma anchor 1\nentry {anchor.entry}\nleaf {anchor.leaf}\ndigest {digest}\n\n{anchor.note}"


def verified_qr(text: str) -> tuple[tuple[bool, ...], ...]:
    """The rows of the symbol without its quiet zone, True for dark, read back and compared. Raises ReadBackError."""
    symbol = zint.Symbol()
    symbol.symbology = zint.Symbology.QRCODE
    symbol.input_mode = zint.InputMode.UNICODE
    symbol.option_1 = 2  # recovers 15 %
    symbol.eci = 26  # UTF-8, said in the symbol itself
    try:
        symbol.encode(text)
    except (RuntimeError, ValueError) as refused:
        raise ReadBackError(wanted=text, found=str(refused)) from refused
    packed = symbol.encoded_data
    rows = tuple(
        tuple(bool(packed[row, column >> 3] >> (column & 7) & 1) for column in range(symbol.width))
        for row in range(symbol.rows)
    )
    found = zxingcpp.read_barcodes(_picture(rows), text_mode=zxingcpp.TextMode.Plain)
    if [(each.symbology_identifier[:2], each.text) for each in found] != [("]Q", text)]:
        raise ReadBackError(wanted=text, found=", ".join(each.text for each in found))
    return rows


def _picture(rows: tuple[tuple[bool, ...], ...]) -> Image.Image:
    side = len(rows) + 2 * QUIET_MODULES
    picture = Image.new("L", (side, side), color=255)
    for y, modules in enumerate(rows):
        for x, is_dark in enumerate(modules):
            if is_dark:
                picture.putpixel((x + QUIET_MODULES, y + QUIET_MODULES), 0)
    return picture.resize((side * _SCALE, side * _SCALE), Image.Resampling.NEAREST)
