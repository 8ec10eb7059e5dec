"""The parent's end of drawing: one child for one paper, a few at a time, none for longer than allowed."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labels.words import N_, SpokenError, Words

_ROOT: Final = Path(__file__).resolve().parents[2]
_AT_ONCE: Final = 2
_WALL_S: Final = 60.0
_WAITING_MAX: Final = 16
_BROKEN: Final = Words(
    N_("The paper was not made."),
    N_("Drawing it took too long, or ended before its end."),
    N_("Try once more; if it happens again, tell the administrator."),
)


class DrawingBroke(SpokenError):
    """The child ended without a paper."""

    def __init__(self) -> None:
        super().__init__(code="drawing_broke", words=_BROKEN)


@dataclass(frozen=True, slots=True)
class Paper:
    """A drawn paper."""

    number: str
    pages: int
    pdf: bytes


class Drawers:
    """Draws papers for one event loop."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    async def draw(self, *, kind: str, language: str, content: str) -> Paper:
        """Draw a paper in a child of its own.

        Raises SpokenError: a character without a form, a symbol that does not read back, or a child that broke.
        """
        if self._waiting >= _WAITING_MAX:
            raise DrawingBroke
        self._waiting += 1
        try:
            async with self._places:
                return await _drawn(json.dumps({"kind": kind, "language": language, "content": content}).encode())
        finally:
            self._waiting -= 1


async def _drawn(request: bytes) -> Paper:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "app.papers",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=_ROOT,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},
        start_new_session=True,
    )
    try:
        answer, _ = await asyncio.wait_for(process.communicate(request), _WALL_S)
    except TimeoutError:
        raise DrawingBroke from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    head, newline, pdf = answer.partition(b"\n")
    if process.returncode or not newline:
        raise DrawingBroke
    said = json.loads(head)
    if "error" in said:
        raise SpokenError(code=said["error"], words=Words(**said["words"]), details=said["details"])
    return Paper(number=said["number"], pages=said["pages"], pdf=pdf)
