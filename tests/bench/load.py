"""A small load client: keep-alive HTTP/1.1 over asyncio streams, the same for every server measured."""

import asyncio
import itertools
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Round:
    """What one round measured. Times in milliseconds."""

    requests_per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    errors: int


async def _one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> int:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    at = head.lower().find(b"content-length:")
    length = int(head[at + 15 : head.index(b"\r\n", at)])
    await reader.readexactly(length)
    return status


async def _client(
    url: str, body: Callable[[], bytes], headers: Mapping[str, str], until: float, took: list[float]
) -> int:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    head = f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-type: application/json\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    errors = 0
    clock = time.perf_counter
    while (began := clock()) < until:
        data = body()
        if await _one(reader, writer, f"{head}content-length: {len(data)}\r\n\r\n".encode() + data) != 200:
            errors += 1
        took.append(clock() - began)
    writer.close()
    return errors


async def measure(url: str, *, codes: Sequence[str], clients: int, seconds: float, headers: Mapping[str, str]) -> Round:
    """Scan random codes for so many seconds."""
    order = random.Random(7)
    shuffled = itertools.cycle(order.sample(list(codes), min(len(codes), 20_000)))
    took: list[float] = []
    began = time.perf_counter()
    errors = await asyncio.gather(
        *(
            _client(url, lambda: b'{"raw":"' + next(shuffled).encode() + b'"}', headers, began + seconds, took)
            for _ in range(clients)
        )
    )
    elapsed = time.perf_counter() - began
    cuts = statistics.quantiles(took, n=100)
    return Round(len(took) / elapsed, cuts[49] * 1000, cuts[94] * 1000, cuts[98] * 1000, sum(errors))
