"""Stands between a client and PostgreSQL and counts round trips: every Sync and every simple Query is one."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROUND_TRIP = (b"S", b"Q")
ENCRYPTION_REQUEST = (80877103).to_bytes(4, "big")


@dataclass
class Counted:
    """The address to use instead, and how often the server was asked."""

    url: str = ""
    count: int = 0
    _pipes: set[asyncio.Task[None]] = field(default_factory=set)


@asynccontextmanager
async def counted(url: str) -> AsyncIterator[Counted]:
    """Round trips to the server behind `url`, over TCP without encryption."""
    parts = urlsplit(url)
    found = Counted()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_server = await asyncio.open_connection(parts.hostname, parts.port)
        back = asyncio.ensure_future(_copy(to_server[0], writer))
        found._pipes.add(back)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await _frontend(reader, to_server[1], found)
        to_server[1].close()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    credentials = parts.netloc.rpartition("@")[0]
    found.url = urlunsplit(parts._replace(netloc=f"{credentials}@127.0.0.1:{port}"))
    try:
        yield found
    finally:
        server.close()
        for pipe in found._pipes:
            pipe.cancel()


async def _frontend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, found: Counted) -> None:
    """The client's side, message by message: those before the start has been made have no type, all others one letter."""
    while (first := await _untyped(reader, writer))[4:8] == ENCRYPTION_REQUEST:
        pass
    assert first
    while True:
        kind = await reader.readexactly(1)
        length = await reader.readexactly(4)
        writer.write(kind + length + await reader.readexactly(int.from_bytes(length, "big") - 4))
        found.count += kind in ROUND_TRIP
        await writer.drain()


async def _untyped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    length = await reader.readexactly(4)
    message = length + await reader.readexactly(int.from_bytes(length, "big") - 4)
    writer.write(message)
    await writer.drain()
    return message


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The server's side as it comes; when the server has said goodbye, the client is let go too."""
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
