"""The biohazard sign, drawn from circles: three open rings around a hub, and an arc across their feet.

Proportions are those of the sign's 1966 construction, in which the gap between its parts is the unit. The typeface has
no such character, and a sign that is missing must never print as nothing.
"""

import math
from typing import Final

from PIL import Image, ImageDraw
from reportlab.pdfgen.canvas import Canvas

_REACH: Final = 26.5  # from the hub to the far edge of a ring, in units
_SINK: Final = 3.2  # how far the hub stands below the middle of the square
_DIRECTIONS: Final = (90.0, 210.0, 330.0)
_RING: Final = (11.0, 15.0)  # distance of its middle from the hub, radius
_HOLE: Final = (15.0, 10.5)
_HUB_RADIUS: Final = 3.0
_ARC: Final = (10.5, 3.0)  # radius around the hub, thickness
_OVERSAMPLING: Final = 8
_INK_FROM: Final = 128


def burn_biohazard(picture: Image.Image, corner: tuple[int, int], side_dots: int) -> None:
    """Blacken the sign in a square of ``picture`` (mode 1, 0 is ink) whose top left dot is ``corner``."""
    side = side_dots * _OVERSAMPLING
    large = Image.new("L", (side, side), color=255)
    pen = ImageDraw.Draw(large)
    unit = side / (2 * _REACH)
    middle_x, middle_y = side / 2, side / 2 + _SINK * unit

    def disc(x: float, y: float, radius: float, ink: int) -> None:
        at_x, at_y, reach = middle_x + x * unit, middle_y - y * unit, radius * unit
        pen.ellipse((at_x - reach, at_y - reach, at_x + reach, at_y + reach), fill=ink)

    for x, y in _around(_RING[0]):
        disc(x, y, _RING[1], 0)
    for x, y in _around(_HOLE[0]):
        disc(x, y, _HOLE[1], 255)
    disc(0, 0, _HUB_RADIUS, 255)
    radius, width = (_ARC[0] + _ARC[1] / 2) * unit, max(1, round(_ARC[1] * unit))
    box = (middle_x - radius, middle_y - radius, middle_x + radius, middle_y + radius)
    for start, end in _arcs():
        pen.arc(box, -end, -start, fill=0, width=width)
    small = large.resize((side_dots, side_dots), Image.Resampling.BOX)
    ink = small.point(lambda grey: 255 if grey < _INK_FROM else 0).convert("1", dither=Image.Dither.NONE)
    picture.paste(0, (corner[0], corner[1], corner[0] + side_dots, corner[1] + side_dots), mask=ink)


def draw_biohazard(canvas: Canvas, left: float, bottom: float, side: float) -> None:
    """Draw the sign as vectors in a square of ``side``, in the canvas' units, black on the white of the paper."""
    unit = side / (2 * _REACH)
    middle_x, middle_y = left + side / 2, bottom + side / 2 - _SINK * unit
    canvas.saveState()
    canvas.setFillGray(0)
    for x, y in _around(_RING[0]):
        canvas.circle(middle_x + x * unit, middle_y + y * unit, _RING[1] * unit, stroke=0, fill=1)
    canvas.setFillGray(1)
    for x, y in _around(_HOLE[0]):
        canvas.circle(middle_x + x * unit, middle_y + y * unit, _HOLE[1] * unit, stroke=0, fill=1)
    canvas.circle(middle_x, middle_y, _HUB_RADIUS * unit, stroke=0, fill=1)
    canvas.setStrokeGray(0)
    canvas.setLineWidth(_ARC[1] * unit)
    radius = _ARC[0] * unit
    for start, end in _arcs():
        canvas.arc(middle_x - radius, middle_y - radius, middle_x + radius, middle_y + radius, start, end - start)
    canvas.restoreState()


def _around(distance: float) -> list[tuple[float, float]]:
    return [(distance * math.cos(math.radians(each)), distance * math.sin(math.radians(each))) for each in _DIRECTIONS]


def _arcs() -> list[tuple[float, float]]:
    """The spans of the arc, in degrees, where it crosses the open inside of each ring."""
    radius, (distance, hole) = _ARC[0], _HOLE
    half = math.degrees(math.acos((radius**2 + distance**2 - hole**2) / (2 * radius * distance))) - 4
    return [(each - half, each + half) for each in _DIRECTIONS]
