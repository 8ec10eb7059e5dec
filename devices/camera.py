"""Pictures to codes: ``Camera`` for the web process, ``decode_picture`` for one picture, ``cli_decode`` for files.

All three decode in a bounded child process (``devices.decoder_child``); none lets a picture near this one.
"""

import asyncio
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from devices.decoder_child import DecodedCode, DecoderChild
from devices.pictures import DEFAULT_LIMITS, PictureLimits, PictureReason, PictureRefused

__all__ = ["Camera", "DecodedCode", "PictureLimits", "PictureReason", "PictureRefused", "cli_decode", "decode_picture"]

WAITING_MAX: Final = 8


class Camera:
    """Decodes pictures for an event loop, one at a time, in one child that starts with the first picture.

    At most ``waiting_max`` pictures wait or are looked at; a further one is refused as busy, at once.
    """

    def __init__(self, *, limits: PictureLimits = DEFAULT_LIMITS, waiting_max: int = WAITING_MAX) -> None:
        self._child = DecoderChild(limits=limits)
        self._waiting_max = waiting_max
        self._waiting = 0
        self._worker: ThreadPoolExecutor | None = None
        self._is_closed = False

    @property
    def child_pid(self) -> int | None:
        """The process id of the child while one runs."""
        return self._child.pid

    async def decode(self, data: bytes) -> list[DecodedCode]:
        """Return the codes in the picture file ``data``; none found is an empty list.

        Raises:
            PictureRefused: the picture is not acceptable, broke a limit, or too many wait already.

        """
        if self._is_closed:
            raise PictureRefused(code=PictureReason.CLOSED)
        if self._waiting >= self._waiting_max:
            raise PictureRefused(code=PictureReason.BUSY, waiting=self._waiting)
        if self._worker is None:
            self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="camera")
        loop = asyncio.get_running_loop()
        self._waiting += 1
        work = self._worker.submit(self._child.decode, data)
        work.add_done_callback(lambda done: self._count_down(loop, done))
        return await asyncio.wrap_future(work)

    async def close(self) -> None:
        """Let the picture under way end, refuse those that wait, and end the child."""
        self._is_closed = True
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.shutdown(wait=False, cancel_futures=True)
            await asyncio.to_thread(worker.shutdown)
        self._child.close()

    def _count_down(self, loop: asyncio.AbstractEventLoop, _: Future[list[DecodedCode]]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._one_less)

    def _one_less(self) -> None:
        self._waiting -= 1


def decode_picture(data: bytes, *, limits: PictureLimits = DEFAULT_LIMITS) -> list[DecodedCode]:
    """Return the codes in the picture file ``data``, decoded in a child of its own.

    Raises:
        PictureRefused: the picture is not acceptable, or looking at it broke a limit.

    """
    with DecoderChild(limits=limits) as child:
        return child.decode(data)


def cli_decode(paths: Iterable[str | Path], *, limits: PictureLimits = DEFAULT_LIMITS) -> Iterator[dict[str, Any]]:
    """Yield for each picture file, in order, ``{"file": ..., "codes": [{"text": ..., "symbology": ...}, ...]}``.

    A file that could not be read or looked at has no codes and an ``error`` that says why.
    """
    with DecoderChild(limits=limits) as child:
        for path in paths:
            answer: dict[str, Any] = {"file": str(path), "codes": []}
            try:
                codes = child.decode(_bytes_of(Path(path), limits=limits))
                answer["codes"] = [{"text": code.text, "symbology": code.symbology} for code in codes]
            except PictureRefused as refused:
                answer["error"] = f"{refused.why} {refused.remedy}"
            except OSError as unreadable:
                answer["error"] = unreadable.strerror or type(unreadable).__name__
            yield answer


def _bytes_of(path: Path, *, limits: PictureLimits) -> bytes:
    """Read a file, one byte further than is allowed at most: enough to see that it is too large."""
    with path.open("rb") as file:
        return file.read(limits.bytes_max + 1)
