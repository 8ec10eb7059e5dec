"""All pages under one roof, and what browsers load with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi.exception_handlers import http_exception_handler
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from app.routing import Directory
from app.web.assets import Assets
from app.web.pages import (
    already_happened,
    appointments,
    assessments,
    audit,
    banks,
    batch,
    bench,
    bench_acts,
    comparabilities,
    dashboard,
    deviations,
    documents,
    donation_care,
    donations,
    donors,
    equipment,
    exceptional,
    genes,
    governance,
    histories,
    holds,
    impacts,
    items,
    judgements,
    labels,
    laboratories,
    legacy,
    lot_acts,
    lots,
    mandates,
    material_lots,
    materials,
    monitoring,
    papers,
    partner_lots,
    partners,
    people,
    permits,
    processes,
    reagents,
    release,
    results,
    rules,
    samples,
    settings,
    sign_in,
    steps,
    studies,
    suppliers,
    tissues,
    transports,
    two_steps,
    waivers,
    weather,
    what_if,
    why,
)
from app.web.refusals import no_such_page, show

if TYPE_CHECKING:
    from types import ModuleType

    from fastapi import FastAPI, Request
    from starlette.responses import Response

NOT_PAGES = ("/api/", "/static/", "/openapi.json", "/health", "/metrics")


AREAS: tuple[ModuleType, ...] = (
    sign_in,
    already_happened,
    assessments,
    banks,
    bench,
    bench_acts,
    comparabilities,
    steps,
    laboratories,
    transports,
    studies,
    samples,
    results,
    settings,
    governance,
    rules,
    batch,
    dashboard,
    release,
    two_steps,
    why,
    what_if,
    weather,
    lot_acts,
    waivers,
    papers,
    exceptional,
    partner_lots,
    partners,
    lots,
    mandates,
    equipment,
    documents,
    items,
    judgements,
    labels,
    legacy,
    tissues,
    permits,
    histories,
    donation_care,
    donations,
    donors,
    deviations,
    holds,
    impacts,
    appointments,
    people,
    audit,
    suppliers,
    reagents,
    materials,
    genes,
    monitoring,
    material_lots,
    processes,
)
"""What has pages; the more literal addresses first."""


def install(app: FastAPI) -> None:
    """Give the application its pages."""
    app.mount("/static", Assets(), name="static")
    # Not `include_router`: that holds every request against each router twice.
    found = [route for area in AREAS for route in area.router.routes if isinstance(route, APIRoute)]
    for route in found:
        route.include_in_schema = False
    app.router.routes.append(Directory(found))
    app.add_exception_handler(404, _no_such_page)


async def _no_such_page(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if request.method != "GET" or request.url.path.startswith(NOT_PAGES):
        return await http_exception_handler(request, error)
    return await show(request, no_such_page())
