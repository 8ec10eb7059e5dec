"""Finding the codes in one picture: an easy look first, harder looks while the easy ones find nothing.

Two readers look together: zxing-cpp (DataMatrix, QR, Code 128) and zbar (QR, Code 128). Symbologies are restricted,
for every further one adds misreadings. Where the two read different texts in one place, neither is believed.
Runs inside the decoder's child process.
"""

import importlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Final

import zxingcpp
from PIL import Image, ImageChops, ImageFilter, ImageOps

Picture = Image.Image
Corners = tuple[tuple[int, int], ...]

_FORMATS: Final = zxingcpp.BarcodeFormats(
    [zxingcpp.BarcodeFormat.DataMatrix, zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.Code128]
)
_ZBAR_NAMES: Final = {"CODE128": "Code128", "QRCODE": "QRCode"}
_ZBAR_SCANLINES_MIN: Final = 2  # one line of noise can look like a Code 128, two agreeing ones do not

_EASY_PIXELS_MAX: Final = 6_000_000
_HARD_PIXELS_MAX: Final = 1_500_000
_DOUBLE_PIXELS_MAX: Final = 1_000_000
_VIEW_PIXELS_MAX: Final = 8_000_000
_LOOKS_FOR_THE_REST: Final = 4  # once something was read, and a symbol beside it was not


@dataclass(frozen=True, slots=True)
class Sighting:
    """One code in a picture. ``aim_identifier`` is None where the reader does not tell (zbar); corners in pixels."""

    text: str
    symbology: str
    aim_identifier: str | None
    corners: Corners


@dataclass(frozen=True, slots=True)
class Look:
    """One way to prepare a picture before reading it."""

    name: str
    prepare: Callable[[Picture], Picture]
    pixels_max: int = _HARD_PIXELS_MAX
    keeps_geometry: bool = True


def _flattened(picture: Picture) -> Picture:
    """Take the slow changes of light away (shadow, glare, a vial's curve) and calm the noise."""
    light = picture.filter(ImageFilter.GaussianBlur(20))
    return ImageChops.subtract(picture, light, scale=0.4, offset=128).filter(ImageFilter.GaussianBlur(1))


def _sharpened(picture: Picture) -> Picture:
    return picture.filter(ImageFilter.UnsharpMask(radius=4, percent=300, threshold=0))


def _doubled(picture: Picture) -> Picture:
    return picture.resize((picture.width * 2, picture.height * 2), Image.Resampling.BICUBIC)


def _turned(degrees: int) -> Callable[[Picture], Picture]:
    """Turn by an angle between the four that a reader tries itself: lines of a Code 128 need about eight degrees."""

    def turn(picture: Picture) -> Picture:
        return _flattened(picture).rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=200)

    return turn


# In the order of what each found among degraded labels of our own that the looks before it had missed.
_HARD_LOOKS: Final = (
    Look("flattened", _flattened),
    Look("sharpened", _sharpened),
    Look("blurred", lambda picture: picture.filter(ImageFilter.GaussianBlur(2))),
    Look("doubled", _doubled, pixels_max=_DOUBLE_PIXELS_MAX, keeps_geometry=False),
    Look("turned 45", _turned(45), keeps_geometry=False),
    Look("turned 15", _turned(15), keeps_geometry=False),
    Look("turned 30", _turned(30), keeps_geometry=False),
    Look("turned 60", _turned(60), keeps_geometry=False),
    Look("turned 75", _turned(75), keeps_geometry=False),
    Look("median", lambda picture: picture.filter(ImageFilter.MedianFilter(3))),
    Look("contrast", lambda picture: ImageOps.autocontrast(picture, cutoff=1)),
    Look("darkened", lambda picture: picture.point(lambda grey: grey * grey // 255)),
    Look(
        "doubled and sharpened",
        lambda picture: _doubled(picture).filter(ImageFilter.UnsharpMask(radius=3, percent=250, threshold=0)),
        pixels_max=_DOUBLE_PIXELS_MAX,
        keeps_geometry=False,
    ),
    Look("thinned", lambda picture: picture.filter(ImageFilter.MaxFilter(3))),
    Look("median of 5", lambda picture: picture.filter(ImageFilter.MedianFilter(5))),
    Look("turned back", lambda picture: _doubled(_turned(-20)(picture)), _DOUBLE_PIXELS_MAX, keeps_geometry=False),
)


class _Watch:
    """Spends a budget of seconds, and knows from the pixels looked at so far what a further look will cost."""

    def __init__(self, budget_s: float) -> None:
        self._look_started = time.monotonic()
        self._ends = self._look_started + budget_s
        self._s_per_pixel = 0.0

    def allows(self, pixels: int) -> bool:
        """Say whether a look at so many pixels can end in time; it begins now."""
        self._look_started = time.monotonic()
        return self._look_started + self._s_per_pixel * pixels < self._ends

    def note(self, pixels: int) -> None:
        """Take down what the look that ends now has cost."""
        spent_s = time.monotonic() - self._look_started
        self._s_per_pixel = max(self._s_per_pixel, spent_s / max(pixels, 10_000))


def find_codes(picture: Picture, *, budget_s: float) -> list[Sighting]:
    """Return the codes in ``picture`` (mode L), each once, top to bottom, within about ``budget_s`` seconds.

    Looks end with the first that finds a code, unless a symbol beside it was seen whose text could not be read: then a
    few harder looks follow, and what they add is merged in.
    """
    looks_left = _LOOKS_FOR_THE_REST
    watch = _Watch(budget_s)
    found: dict[tuple[str, str], Sighting] = {}
    for view, scale, keeps_geometry in _views(picture, watch):
        sightings, unread = _read(view, is_in_place=keeps_geometry)
        watch.note(view.width * view.height)
        for sighting in sightings:
            found.setdefault((sighting.symbology, sighting.text), _scaled(sighting, scale))
        if found:
            looks_left = looks_left - 1 if unread else 0
        if looks_left == 0:
            break
    return sorted(found.values(), key=lambda sighting: [(y, x) for x, y in sighting.corners[:1]])


def _views(picture: Picture, watch: _Watch) -> Iterator[tuple[Picture, float, bool]]:
    """Yield pictures to read, easy ones first, each with the factor back to the original's pixels."""
    easy, scale = _at_most(picture, _EASY_PIXELS_MAX)
    yield easy, scale, True
    if easy is not picture and watch.allows(picture.width * picture.height):
        yield picture, 1.0, True
    for look in _HARD_LOOKS:
        base, scale = _at_most(picture, look.pixels_max)
        # A turned view is at most as large as the square over its diagonal, and no smaller than a doubled one.
        pixels = base.width * base.height if look.keeps_geometry else (base.width + base.height) ** 2
        if pixels <= _VIEW_PIXELS_MAX and watch.allows(pixels):
            yield look.prepare(base), scale, look.keeps_geometry


def _at_most(picture: Picture, pixels_max: int) -> tuple[Picture, float]:
    pixels = picture.width * picture.height
    if pixels <= pixels_max:
        return picture, 1.0
    scale = (pixels / pixels_max) ** 0.5
    size = (max(1, int(picture.width / scale)), max(1, int(picture.height / scale)))
    return picture.resize(size, Image.Resampling.BOX), scale


def _scaled(sighting: Sighting, scale: float) -> Sighting:
    corners = tuple((round(x * scale), round(y * scale)) for x, y in sighting.corners)
    return Sighting(sighting.text, sighting.symbology, sighting.aim_identifier, corners)


def _read(view: Picture, *, is_in_place: bool) -> tuple[list[Sighting], int]:
    """Read one view with both readers; return what they agree on and how many symbols were seen but not read."""
    codes = zxingcpp.read_barcodes(view, _FORMATS, text_mode=zxingcpp.TextMode.Plain, return_errors=True)
    places = [(_zxing_sighting(code), code.valid and code.text != "") for code in codes]
    first = [sighting for sighting, is_valid in places if is_valid]
    second = list(_zbar_sightings(view))
    believed = [sighting for sighting in first if not _contradicted(sighting, second)]
    believed += [sighting for sighting in second if not (_contradicted(sighting, first) or _known(sighting, first))]
    unread = [place for place, is_valid in places if not is_valid and not _covered(place, believed)]
    if not is_in_place:  # corners of a turned or doubled view would point somewhere else
        believed = [Sighting(code.text, code.symbology, code.aim_identifier, ()) for code in believed]
    return believed, len(unread)


def _contradicted(sighting: Sighting, others: Iterable[Sighting]) -> bool:
    """Say whether the other reader read another Code 128 in the same place.

    Zbar does not know the shift to characters beyond ASCII (FNC4), so there zxing-cpp alone is asked.
    """
    return (
        sighting.symbology == "Code128"
        and sighting.text.isascii()
        and any(
            other.symbology == "Code128" and other.text != sighting.text and _overlap(sighting.corners, other.corners)
            for other in others
        )
    )


def _known(sighting: Sighting, others: Iterable[Sighting]) -> bool:
    """Say whether the other reader has a QR code in this place: zbar guesses at encodings, which zxing-cpp reads."""
    return any(other.symbology == sighting.symbology and _overlap(other.corners, sighting.corners) for other in others)


def _covered(place: Sighting, believed: Iterable[Sighting]) -> bool:
    return any(_overlap(place.corners, sighting.corners) for sighting in believed)


def _overlap(one: Corners, other: Corners) -> bool:
    (left, top, right, bottom), (other_left, other_top, other_right, other_bottom) = _box(one), _box(other)
    return left < other_right and other_left < right and top <= other_bottom and other_top <= bottom


def _box(corners: Corners) -> tuple[int, int, int, int]:
    columns, rows = [x for x, _ in corners], [y for _, y in corners]
    return min(columns), min(rows), max(columns), max(rows)


def _zxing_sighting(code: zxingcpp.Barcode) -> Sighting:
    place = code.position
    corners = tuple(
        (point.x, point.y) for point in (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
    )
    return Sighting(code.text, code.format.name, code.symbology_identifier, corners)


def _zbar_sightings(view: Picture) -> Iterator[Sighting]:
    zbar = load_zbar()
    if zbar is None:
        return
    for code in zbar.decode(view, symbols=[zbar.ZBarSymbol.CODE128, zbar.ZBarSymbol.QRCODE]):
        is_line = code.type == "CODE128"
        if (is_line and code.quality < _ZBAR_SCANLINES_MIN) or code.type not in _ZBAR_NAMES:
            continue
        left, top, width, height = code.rect
        corners = ((left, top), (left + width, top), (left + width, top + height), (left, top + height))
        text = code.data.decode("utf-8", errors="replace")
        yield Sighting(text, _ZBAR_NAMES[code.type], None, corners)


@cache
def load_zbar() -> ModuleType | None:
    """Return pyzbar, or None where the system lacks the zbar library (Debian: libzbar0)."""
    try:
        return importlib.import_module("pyzbar.pyzbar")
    except ImportError:
        return None
