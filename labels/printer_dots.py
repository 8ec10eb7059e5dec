"""A label as the printer's own dots: one bit each, packed; as a picture for people, as ZPL for printers."""

import io
from dataclasses import dataclass
from typing import Final

from PIL import Image

_MM_PER_INCH: Final = 25.4


@dataclass(frozen=True, slots=True)
class PrinterDots:
    """A raster exactly as the print head burns it.

    ``packed`` holds the rows from the top, each of whole bytes, the leftmost dot in the highest bit, 1 for ink; the
    bits beyond ``width_dots`` are 0. ``text`` is what the symbol among the dots was read to say.
    """

    text: str
    width_dots: int
    height_dots: int
    dots_per_mm: float
    packed: bytes

    @property
    def row_bytes(self) -> int:
        """The number of bytes in a row."""
        return (self.width_dots + 7) // 8

    def picture(self) -> Image.Image:
        """Return the dots as a picture of mode 1, black on white."""
        paper = bytes(byte ^ 0xFF for byte in self.packed)
        return Image.frombytes("1", (self.width_dots, self.height_dots), paper)

    def png_bytes(self) -> bytes:
        """Return the dots as a PNG of one bit a pixel that states its resolution."""
        dots_per_inch = self.dots_per_mm * _MM_PER_INCH
        file = io.BytesIO()
        self.picture().save(file, format="PNG", dpi=(dots_per_inch, dots_per_inch))
        return file.getvalue()

    def zpl_bytes(self, *, copies: int = 1) -> bytes:
        """Return the ZPL II job that prints the dots ``copies`` times: one graphic field in hexadecimal."""
        lines = (
            "^XA",
            f"^PW{self.width_dots}",
            f"^LL{self.height_dots}",
            "^LH0,0",
            f"^FO0,0^GFA,{len(self.packed)},{len(self.packed)},{self.row_bytes},{self.packed.hex().upper()}^FS",
            f"^PQ{copies}",
            "^XZ",
        )
        return "\n".join((*lines, "")).encode("ascii")


def dots_of(picture: Image.Image, *, text: str, dots_per_mm: float) -> PrinterDots:
    """Return ``picture`` (mode 1, 0 is ink) as printer's dots."""
    width_dots, height_dots = picture.size
    packed = bytearray(byte ^ 0xFF for byte in picture.tobytes())
    row_bytes, beyond = (width_dots + 7) // 8, -width_dots % 8
    for end_of_row in range(row_bytes - 1, len(packed), row_bytes):
        packed[end_of_row] &= 0xFF << beyond & 0xFF
    return PrinterDots(
        text=text, width_dots=width_dots, height_dots=height_dots, dots_per_mm=dots_per_mm, packed=bytes(packed)
    )
