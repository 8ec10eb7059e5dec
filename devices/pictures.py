"""What a picture may be before anybody decodes it: PNG, JPEG or WebP, by its first bytes, within a size.

Nothing here decompresses: a few bytes of the header say how large the picture claims to be.
"""

import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from labels.words import N_, SpokenError, Words


class PictureFormat(StrEnum):
    """The kinds of file that are looked at."""

    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"


class PictureReason(StrEnum):
    """Why a picture is not looked at."""

    EMPTY = "empty"
    TOO_MANY_BYTES = "too_many_bytes"
    TOO_MANY_PIXELS = "too_many_pixels"
    UNKNOWN_FORMAT = "unknown_format"
    MALFORMED = "malformed"
    ANIMATED = "animated"
    TOO_MUCH_MEMORY = "too_much_memory"
    TIMEOUT = "timeout"
    CRASH = "crash"
    BUSY = "busy"
    CLOSED = "closed"


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureLimits:
    """How much one picture may cost. A WebP is held several times over while it is unpacked: it may be half as large.

    ``memory_bytes_max`` bounds the address space of the child that decodes, and so what it can ever have resident;
    ``wall_s`` and ``cpu_s`` are its time for one picture, ``look_s`` what it plans to spend of them.
    """

    bytes_max: int = 16 * 2**20
    pixels_max: int = 25_000_000
    webp_pixels_max: int = 12_500_000
    side_pixels_max: int = 16_000
    memory_bytes_max: int = 480 * 2**20
    wall_s: float = 3.0
    cpu_s: int = 3
    look_s: float = 1.6


DEFAULT_LIMITS: Final = PictureLimits()

_SMALLER: Final = N_(
    "Take the picture with the camera of the workstation, closer to the label and at a lower resolution."
)
_ANOTHER: Final = N_("Take the picture again, or scan the label, or type the characters printed beside the symbol.")
_REFUSED: Final = N_("The picture was not looked at.")
_WORDS: Final = {
    PictureReason.EMPTY: Words(_REFUSED, N_("The file is empty."), _ANOTHER),
    PictureReason.TOO_MANY_BYTES: Words(
        _REFUSED, N_("The file has {bytes} bytes; at most {bytes_max} are taken."), _SMALLER
    ),
    PictureReason.TOO_MANY_PIXELS: Words(
        _REFUSED,
        N_("It has {width} × {height} pixels; at most {pixels_max} are taken, and {side_pixels_max} a side."),
        _SMALLER,
    ),
    PictureReason.UNKNOWN_FORMAT: Words(
        _REFUSED,
        N_("The file is not a PNG, JPEG or WebP picture."),
        N_("Send a PNG, JPEG or WebP picture of the label."),
    ),
    PictureReason.MALFORMED: Words(_REFUSED, N_("The file is damaged or incomplete."), _ANOTHER),
    PictureReason.ANIMATED: Words(
        _REFUSED, N_("The file holds several pictures, which may show several labels."), N_("Send a single picture.")
    ),
    PictureReason.TOO_MUCH_MEMORY: Words(_REFUSED, N_("Unpacking it needs more memory than is allowed."), _SMALLER),
    PictureReason.TIMEOUT: Words(_REFUSED, N_("Looking at it took longer than {wall_s} seconds."), _SMALLER),
    PictureReason.CRASH: Words(_REFUSED, N_("The decoder stopped while it looked at it."), _ANOTHER),
    PictureReason.BUSY: Words(
        _REFUSED,
        N_("{waiting} other pictures are waiting already."),
        N_("Wait a few seconds, then send the picture again."),
    ),
    PictureReason.CLOSED: Words(_REFUSED, N_("The camera is being shut down."), N_("Send the picture again later.")),
}


class PictureRefused(SpokenError):
    """A picture that was not, or not to its end, looked at. Finding no code in a picture is not a refusal."""

    def __init__(self, *, code: PictureReason, **details: str | int) -> None:
        self.reason = code
        super().__init__(code=code, words=_WORDS[code], details=details)


def require_acceptable(data: bytes, *, limits: PictureLimits) -> PictureFormat:
    """Return the format of the file ``data``, from its first bytes and the size that its header claims.

    Raises:
        PictureRefused: it is empty, too large in bytes or pixels, of another format, or its header makes no sense.

    """
    if not data:
        raise PictureRefused(code=PictureReason.EMPTY)
    if len(data) > limits.bytes_max:
        raise PictureRefused(code=PictureReason.TOO_MANY_BYTES, bytes=len(data), bytes_max=limits.bytes_max)
    picture_format = _format_of(data)
    try:
        width, height = _SIZES[picture_format](data)
    except (struct.error, IndexError, ValueError) as damaged:
        raise PictureRefused(code=PictureReason.MALFORMED) from damaged
    if width == 0 or height == 0:
        raise PictureRefused(code=PictureReason.MALFORMED)
    pixels_max = limits.webp_pixels_max if picture_format is PictureFormat.WEBP else limits.pixels_max
    if width * height > pixels_max or max(width, height) > limits.side_pixels_max:
        raise PictureRefused(
            code=PictureReason.TOO_MANY_PIXELS,
            width=width,
            height=height,
            pixels_max=pixels_max,
            side_pixels_max=limits.side_pixels_max,
        )
    return picture_format


def _format_of(data: bytes) -> PictureFormat:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PictureFormat.PNG
    if data.startswith(b"\xff\xd8\xff"):
        return PictureFormat.JPEG
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return PictureFormat.WEBP
    raise PictureRefused(code=PictureReason.UNKNOWN_FORMAT)


def _png_size(data: bytes) -> tuple[int, int]:
    if data[12:16] != b"IHDR":
        raise ValueError
    width, height = struct.unpack_from(">LL", data, 16)
    return width, height


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Walk the segments to the frame header (ITU-T T.81, B.2): its lengths tell where the next one begins."""
    position = 2
    while True:
        while data[position] != 0xFF:
            position += 1
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = struct.unpack_from(">HH", data, position + 5)
            return width, height
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            position += 2
            continue
        if marker in {0xD9, 0xDA}:  # the picture begins or ends, and no frame header stood before
            raise ValueError
        position += 2 + struct.unpack_from(">H", data, position + 2)[0]


def _webp_size(data: bytes) -> tuple[int, int]:
    """Read the canvas (VP8X), or the frame of a plain lossy or lossless file (RFC 9649)."""
    kind = data[12:16]
    if kind == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if kind == b"VP8L" and data[20] == 0x2F:
        (bits,) = struct.unpack_from("<L", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise ValueError


_SIZES: Final = {PictureFormat.PNG: _png_size, PictureFormat.JPEG: _jpeg_size, PictureFormat.WEBP: _webp_size}
