"""Who answers which address, found by how it begins."""

from __future__ import annotations

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from app.routing import Directory


def application() -> FastAPI:
    """Two groups of addresses, and one whose first part may be anything."""
    router = APIRouter(prefix="/v1")

    def answering(method: str, path: str) -> None:
        async def said() -> str:
            return f"{method} {path}"

        router.add_api_route(path, said, methods=[method])

    for method, path in (
        ("GET", "/lots/new"),
        ("GET", "/lots/{code}"),
        ("POST", "/lots/{code}"),
        ("GET", "/{kind}/new"),
        ("GET", "/{kind}/{code}/history"),
        ("GET", "/lots/{code}/history"),
        ("DELETE", "/donors"),
    ):
        answering(method, path)
    app = FastAPI()
    app.router.routes.append(Directory([each for each in router.routes if isinstance(each, APIRoute)], under="/v1"))
    return app


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("GET", "/v1/lots/new", 200, "GET /lots/new"),
        ("GET", "/v1/lots/A", 200, "GET /lots/{code}"),
        ("POST", "/v1/lots/A", 200, "POST /lots/{code}"),
        ("GET", "/v1/lots/A/history", 200, "GET /{kind}/{code}/history"),
        ("GET", "/v1/banks/new", 200, "GET /{kind}/new"),
        ("DELETE", "/v1/donors", 200, "DELETE /donors"),
        ("GET", "/v1/donors", 405, None),
        ("POST", "/v1/banks/new", 405, None),
        ("GET", "/v1/banks", 404, None),
        ("GET", "/v1", 404, None),
        ("GET", "/v2/lots/new", 404, None),
        ("GET", "/lots/new", 404, None),
        ("GET", "/v1/lots/new/", 307, None),
    ],
)
async def test_the_first_that_matches_answers(method: str, path: str, status: int, said: str | None) -> None:
    transport = httpx.ASGITransport(app=application())
    async with httpx.AsyncClient(transport=transport, base_url="http://lab.test") as http:
        answer = await http.request(method, path)
    assert answer.status_code == status
    if said is not None:
        assert answer.json() == said


def test_what_lies_elsewhere_is_not_taken() -> None:
    router = APIRouter()
    router.add_api_route("/lots", lambda: "x")
    with pytest.raises(ValueError, match="/lots"):
        Directory([each for each in router.routes if isinstance(each, APIRoute)], under="/v1")
