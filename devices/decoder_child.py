"""The parent's end of the decoder: starts the child, sends a picture, waits no longer than allowed."""

import dataclasses
import json
import logging
import os
import select
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from devices.pictures import DEFAULT_LIMITS, PictureLimits, PictureReason, PictureRefused, require_acceptable

_ROOT: Final = Path(__file__).resolve().parent.parent
_START_S: Final = 20.0  # on a busy machine the first import from a cold disk takes a while
_ANSWER_BYTES_MAX: Final = 4 * 2**20
_PIPE_BYTES: Final = 65_536
_PICTURES_PER_CHILD: Final = 500

_log = logging.getLogger(__name__)
_told: set[str] = set()


@dataclasses.dataclass(frozen=True, slots=True)
class DecodedCode:
    """One code found in a picture.

    ``symbology`` is DataMatrix, QRCode or Code128; ``aim_identifier`` (ISO/IEC 15424, as ``]d1``) is None where the
    reader does not tell; ``corners`` are (x, y) in pixels of the picture, clockwise from the symbol's own top left,
    empty where the code was found in a turned view.
    """

    text: str
    symbology: str
    aim_identifier: str | None
    corners: tuple[tuple[int, int], ...] = ()


class DecoderChild:
    """A child process that decodes pictures one after another. Not for several threads at once."""

    def __init__(self, *, limits: PictureLimits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._pictures = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The child's process id while one runs."""
        return self._process.pid if self._process else None

    def decode(self, data: bytes) -> list[DecodedCode]:
        """Return the codes in the picture file ``data``; none found is an empty list.

        Raises:
            PictureRefused: the picture is not acceptable, or looking at it broke a limit; the child is then replaced.

        """
        require_acceptable(data, limits=self._limits)
        process = self._running()
        try:
            answer = self._exchange(process, data)
        except BaseException:
            self.close()
            raise
        self._pictures += 1
        if self._pictures >= _PICTURES_PER_CHILD or answer.get("refused") == PictureReason.TOO_MUCH_MEMORY:
            self.close()
        if "refused" in answer:
            raise PictureRefused(code=PictureReason(answer["refused"]), **answer["details"])
        return [_decoded(code) for code in answer["codes"]]

    def close(self) -> None:
        """End the child, if one runs; the next picture starts another."""
        process, self._process, self._pictures = self._process, None, 0
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        self._process = process = subprocess.Popen(
            [sys.executable, "-m", "devices._decoder", json.dumps(dataclasses.asdict(self._limits))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},
            bufsize=0,
            start_new_session=True,
        )
        try:
            hello = self._receive(process, deadline=time.monotonic() + _START_S)
        except BaseException:
            self.close()
            raise
        if not hello.get("zbar") and "zbar" not in _told:
            _told.add("zbar")
            _log.warning("the zbar library is missing (Debian: libzbar0): pictures are read by zxing-cpp alone")
        return process

    def _exchange(self, process: subprocess.Popen[bytes], data: bytes) -> dict[str, Any]:
        deadline = time.monotonic() + self._limits.wall_s
        self._send(process, struct.pack(">L", len(data)) + data, deadline=deadline)
        return self._receive(process, deadline=deadline)

    def _send(self, process: subprocess.Popen[bytes], message: bytes, *, deadline: float) -> None:
        assert process.stdin is not None
        pipe, rest = process.stdin.fileno(), memoryview(message)
        os.set_blocking(pipe, False)
        while rest:
            self._wait(pipe, select.POLLOUT, deadline)
            try:
                rest = rest[os.write(pipe, rest[:_PIPE_BYTES]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise self._ended(process) from None

    def _receive(self, process: subprocess.Popen[bytes], *, deadline: float) -> dict[str, Any]:
        (length,) = struct.unpack(">L", self._read(process, 4, deadline=deadline))
        if length > _ANSWER_BYTES_MAX:
            raise PictureRefused(code=PictureReason.CRASH)
        answer: dict[str, Any] = json.loads(self._read(process, length, deadline=deadline))
        return answer

    def _read(self, process: subprocess.Popen[bytes], length: int, *, deadline: float) -> bytes:
        assert process.stdout is not None
        pipe, received = process.stdout.fileno(), bytearray()
        while len(received) < length:
            self._wait(pipe, select.POLLIN, deadline)
            part = os.read(pipe, length - len(received))
            if not part:
                raise self._ended(process)
            received += part
        return bytes(received)

    def _wait(self, pipe: int, events: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(pipe, events)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise self._timeout()

    def _ended(self, process: subprocess.Popen[bytes]) -> PictureRefused:
        """Say why the child is gone: its own limit on processor time, or anything else."""
        process.wait()
        return self._timeout() if process.returncode == -signal.SIGXCPU else PictureRefused(code=PictureReason.CRASH)

    def _timeout(self) -> PictureRefused:
        return PictureRefused(code=PictureReason.TIMEOUT, wall_s=f"{self._limits.wall_s:g}")


def _decoded(code: dict[str, Any]) -> DecodedCode:
    corners = tuple((int(x), int(y)) for x, y in code["corners"])
    return DecodedCode(code["text"], code["symbology"], code["aim_identifier"], corners)
