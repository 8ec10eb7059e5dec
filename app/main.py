"""Builds the application: settings, door, routers, refusal handlers. Nothing else."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from app.api import (
    accounts,
    already_happened,
    appointments,
    assessments,
    audit,
    badges,
    banks,
    ceremonies,
    clearances,
    comparabilities,
    dashboard,
    deviations,
    documents,
    donation_care,
    donations,
    donors,
    equipment,
    events,
    exceptional,
    genes,
    governance,
    health,
    histories,
    holds,
    identities,
    impacts,
    institutions,
    items,
    judgements,
    labels,
    laboratories,
    legacy,
    lots,
    mandates,
    materials,
    monitoring,
    papers,
    partner_lots,
    partners,
    permits,
    printing,
    processes,
    production_ends,
    qualifications,
    reagents,
    reasons,
    release,
    results,
    reviews,
    rules,
    samples,
    scans,
    sessions,
    specifications,
    steps,
    studies,
    suppliers,
    timers,
    tissues,
    transports,
    two_steps,
    verifications,
    waivers,
    weather,
    what_if,
    why,
)
from app.api.plumbing import API, install
from app.asgi import BodyLimit, SecurityHeaders, Shield
from app.db.door import Door
from app.db.events import Feed
from app.routing import Directory
from app.services.house import House
from app.settings import Settings
from app.web.routes import install as install_pages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import ModuleType

AREAS: tuple[ModuleType, ...] = (
    accounts,
    already_happened,
    appointments,
    assessments,
    audit,
    badges,
    banks,
    ceremonies,
    clearances,
    comparabilities,
    dashboard,
    deviations,
    documents,
    donation_care,
    donations,
    donors,
    equipment,
    events,
    exceptional,
    genes,
    governance,
    histories,
    holds,
    identities,
    institutions,
    impacts,
    items,
    judgements,
    labels,
    laboratories,
    legacy,
    lots,
    mandates,
    materials,
    monitoring,
    papers,
    partner_lots,
    partners,
    permits,
    printing,
    processes,
    production_ends,
    qualifications,
    reasons,
    release,
    reagents,
    results,
    reviews,
    rules,
    samples,
    scans,
    sessions,
    specifications,
    steps,
    studies,
    suppliers,
    timers,
    tissues,
    transports,
    two_steps,
    verifications,
    waivers,
    weather,
    what_if,
    why,
)
"""What has addresses under /api/v1."""


def build(settings: Settings | None = None) -> FastAPI:
    """The application, ready to be served. Raises pydantic's ValidationError when a setting is missing."""
    settings = settings or Settings()  # type: ignore[call-arg]  # from the environment
    door = Door(
        database_url=settings.database_url.get_secret_value(),
        auth_database_url=settings.auth_database_url.get_secret_value(),
    )

    feed = Feed(door, listeners_max=settings.listeners_max, per_session_max=settings.listeners_per_session_max)
    house = House(settings=settings, door=door, feed=feed)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await health.refuse_a_wrong_database(door, purpose=settings.purpose)
        with events.ended_with_the_process(feed):
            yield
        await house.camera.close()
        await door.close()

    app = FastAPI(title="Stemma", version="0.1.0", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.house = house
    install(app)
    app.include_router(health.router)
    api = [route for area in AREAS for route in area.router.routes if isinstance(route, APIRoute)]
    app.router.routes.append(Directory(api, under=API))
    app.openapi = partial(_schema, app, api)  # type: ignore[method-assign]  # as FastAPI's documentation has it
    install_pages(app)
    # Added last stands first. A scan needs no shield: each of its two statements is a transaction of its own.
    app.add_middleware(
        BodyLimit, limit_bytes=settings.upload_limit_bytes, bounded_inside=frozenset({scans.PICTURE_PATH})
    )
    app.add_middleware(Shield)
    app.add_middleware(scans.ScanLane, path=f"{API}/scans")
    app.add_middleware(SecurityHeaders, secure=settings.cookie_secure)
    return app


def _schema(app: FastAPI, api: list[APIRoute]) -> dict[str, Any]:
    if app.openapi_schema is None:
        app.openapi_schema = get_openapi(title=app.title, version=app.version, routes=[*app.routes, *api])
    return app.openapi_schema
