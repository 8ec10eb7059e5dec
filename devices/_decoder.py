"""The child that decodes pictures: started with ``python -m devices._decoder``, fed and read through two pipes.

A request is a length (four bytes, big-endian) and the file; an answer is a length and a JSON object: ``codes``, or
``refused`` with a reason. Limits on memory, time, files and processes are set before the first byte of a picture is
read, so whatever a hostile file does to a decoder happens in here. Closing its input ends it.
"""

import dataclasses
import io
import json
import math
import os
import resource
import struct
import sys
import time
from collections.abc import Callable
from typing import Any, BinaryIO, Final

from PIL import Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin
from PIL.ImageFile import ImageFile

from devices.looks import find_codes, load_zbar
from devices.pictures import PictureFormat, PictureLimits, PictureReason, PictureRefused, require_acceptable

_OPENERS: Final[dict[PictureFormat, Callable[[BinaryIO], ImageFile]]] = {
    PictureFormat.PNG: PngImagePlugin.PngImageFile,
    PictureFormat.JPEG: JpegImagePlugin.JpegImageFile,
    PictureFormat.WEBP: WebPImagePlugin.WebPImageFile,
}
_DEEP_MODES: Final = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N"})


def main() -> None:
    """Answer pictures until the input ends."""
    limits = PictureLimits(**json.loads(sys.argv[1]))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not stand among the answers
    has_zbar = load_zbar() is not None
    _limit_process(limits)
    _answer(answers, {"ready": True, "zbar": has_zbar})
    while header := sys.stdin.buffer.read(4):
        data = sys.stdin.buffer.read(struct.unpack(">L", header)[0])
        _limit_cpu(limits)
        answer = _look(data, limits)
        _answer(answers, answer)
        if answer.get("refused") == PictureReason.TOO_MUCH_MEMORY:
            return  # a heap that was full once stays in pieces: the next picture gets a fresh child


def grey_picture(data: bytes, *, limits: PictureLimits) -> Image.Image:
    """Return the file ``data`` as a picture of mode L, what is transparent in it white.

    Raises:
        PictureRefused: it is too large, animated, or damaged.
        MemoryError: it does not fit.

    """
    picture_format = require_acceptable(data, limits=limits)
    try:
        picture = _OPENERS[picture_format](io.BytesIO(data))
        if getattr(picture, "is_animated", False):
            raise PictureRefused(code=PictureReason.ANIMATED)
        if picture.width * picture.height > limits.pixels_max:
            raise PictureRefused(code=PictureReason.MALFORMED)
        if isinstance(picture, JpegImagePlugin.JpegImageFile):
            picture.draft("L", None)  # the brightness alone, without ever holding the colours
        picture.load()
        return _grey(picture)
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError, struct.error) as damaged:
        raise PictureRefused(code=PictureReason.MALFORMED) from damaged


def _grey(picture: Image.Image) -> Image.Image:
    if picture.mode in _DEEP_MODES:
        return picture.convert("I").point(lambda grey: grey * (1 / 256)).convert("L")
    if picture.mode == "P" and "transparency" in picture.info:
        picture = picture.convert("RGBA")
    if picture.mode in {"RGBA", "LA", "PA"}:
        opacity = picture.getchannel("A")
        return Image.composite(picture.convert("L"), Image.new("L", picture.size, color=255), opacity)
    return picture.convert("L")


def _look(data: bytes, limits: PictureLimits) -> dict[str, Any]:
    started = time.monotonic()
    try:
        picture = grey_picture(data, limits=limits)
        budget_s = limits.look_s - (time.monotonic() - started)
        return {"codes": [dataclasses.asdict(code) for code in find_codes(picture, budget_s=budget_s)]}
    except PictureRefused as refused:
        return {"refused": refused.reason, "details": dict(refused.details)}
    except MemoryError:
        return {"refused": PictureReason.TOO_MUCH_MEMORY, "details": {}}


def _limit_process(limits: PictureLimits) -> None:
    """Bound memory, and forbid core files, files and further processes, for the rest of this process's life."""
    for kind, most in (
        (resource.RLIMIT_AS, limits.memory_bytes_max),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        resource.setrlimit(kind, (most, most))


def _limit_cpu(limits: PictureLimits) -> None:
    """Give the next picture its seconds: it holds even when nobody is left outside to end this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    seconds = math.ceil(usage.ru_utime + usage.ru_stime + limits.cpu_s)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))


def _answer(answers: BinaryIO, answer: dict[str, Any]) -> None:
    body = json.dumps(answer).encode("ascii")
    answers.write(struct.pack(">L", len(body)) + body)
    answers.flush()


if __name__ == "__main__":
    main()
