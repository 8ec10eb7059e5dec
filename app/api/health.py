"""Is it up, is it the right database, how much waits: for machines that watch."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from app.api.plumbing import house
from app.db import health
from app.db.door import Door
from app.db.metrics import refresh

router = APIRouter(tags=["health"])


@router.get("/health")
async def read_health(request: Request) -> JSONResponse:
    """Up, and the database answers: 200. Else 503 with what is wrong."""
    found = await health.look(house(request).door)
    return JSONResponse({"status": "ok" if found.well else "failing", **found.said()}, 200 if found.well else 503)


@router.get("/metrics")
async def read_metrics(request: Request) -> Response:
    """Counts for Prometheus; no names, no codes."""
    await refresh(house(request).door)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def refuse_a_wrong_database(door: Door, *, purpose: str) -> None:
    """A demo database is never served as production, nor rules that the database does not know. Raises RuntimeError."""
    found = await health.look(door)
    if not found.well:
        raise RuntimeError(f"the database cannot be served: {found.said()}")
    if found.purpose != purpose:
        raise RuntimeError(
            f"this database is marked '{found.purpose}' and is not served as '{purpose}': use a database of its own"
        )
