"""What happens, as server-sent events: resumed after `Last-Event-ID` without loss or repetition."""

import asyncio
import json
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from types import FrameType
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from app.api.plumbing import API, HouseDep, token_of
from app.api.saying import said
from app.api.schemas import Code
from app.db.events import Feed
from app.domain.errors import Refusal
from app.requests import WatchingDep
from app.services import events
from app.services.events import Beat, End, EventView, Following

router = APIRouter(prefix=API, tags=["dashboard"])
log = structlog.get_logger("stemma.events")

RETRY_MS = 3_000
TAKES_AT_MOST_S = 30.0
"""How long a reader may take to take what was sent. Then it is let go, and resumes where it was."""


class EventStream(StreamingResponse):
    """Events until there are no more; whatever ends it, the place among the listeners is given back."""

    media_type = "text/event-stream"

    def __init__(self, request: Request, following: Following) -> None:
        """Hold a place already taken."""
        super().__init__(_lines(request, following), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._following = following

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream."""

        async def in_time(message: Message) -> None:
            async with asyncio.timeout(TAKES_AT_MOST_S):
                await send(message)

        try:
            await super().__call__(scope, receive, in_time)
        finally:
            self._following.leave()


@router.get("/events", response_class=StreamingResponse)
async def follow_events(
    request: Request,
    house: HouseDep,
    who: WatchingDep,
    lot: Code | None = None,
    after: Annotated[str | None, Query(max_length=64)] = None,
    last_event_id: Annotated[str | None, Header(max_length=64)] = None,
) -> EventStream:
    """Acts, refused acts and refused scans that the reader may see, as they happen (server-sent events).

    `Last-Event-ID` (or `after`, for the first request of a browser) resumes after that event; without it the stream
    begins now. Every event is `happened` with id, at, act, says, subject, who, outcome, refused, rule, lot, lot_name.
    `beat` says that all is known up to `at`; `end` why nothing more is told.
    """
    following = await events.follow(
        house, who, token=token_of(request) or "", after=last_event_id or after or None, lot=lot
    )
    return EventStream(request, following)


async def _lines(request: Request, following: Following) -> AsyncIterator[str]:
    yield f"retry: {RETRY_MS}\n\n"
    try:
        async with aclosing(events.told(following)) as told:
            async for each in told:
                yield _block(request, each)
    except Refusal as refusal:
        log.warning("stream_ended", error=str(refusal))
        yield ": what happened cannot be read now\n\n"


def _block(request: Request, each: EventView | Beat | End) -> str:
    match each:
        case EventView():
            return _event("happened", said(request, each), event_id=each.id)
        case Beat(at=None):
            return ": the database does not answer\n\n"
        case Beat():
            return ": beat\n" + _event("beat", {"at": said(request, each.at)}, event_id=each.id)
        case End():
            return _event("end", {"why": each.value})


def _event(name: str, data: Any, *, event_id: str | None = None) -> str:
    place = f"id: {event_id}\n" if event_id is not None else ""
    return f"{place}event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


@contextmanager
def ended_with_the_process(feed: Feed) -> Iterator[None]:
    """End every stream as soon as the process is told to: a server waits for its answers, and these never end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        feed.close()
        return
    loop = asyncio.get_running_loop()
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}

    def told(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(feed.close)
        then = before[signal.Signals(number)]
        if callable(then):
            then(number, frame)

    ours = [each for each, then in before.items() if callable(then)]
    for each in ours:
        signal.signal(each, told)
    try:
        yield
    finally:
        feed.close()
        for each in ours:
            if signal.getsignal(each) is told:
                signal.signal(each, before[each])
