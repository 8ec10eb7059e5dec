"""A refusal as a page, or as a fragment where a page asks for one: what, why, what now, and which rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from fastapi import Depends
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from starlette.responses import Response

from app.db.door import Replay
from app.domain.errors import BadInput, NotFound, NotSignedIn, Refusal
from app.domain.text import Text
from app.web.shell import render
from labels.codes import CodeError, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from fastapi import Request


class PageRoute(APIRoute):
    """A route whose refusals are shown to a person."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler."""
        handle = super().get_route_handler()

        async def shown(request: Request) -> Response:
            try:
                return await handle(request)
            except Refusal as refusal:
                return await show(request, refusal)
            except Replay:
                # The form was sent twice: the first time did it, and the page shows how it stands now.
                return RedirectResponse(request.url.path, status_code=303)
            except RequestValidationError:
                return await show(request, not_understood())

        return shown


def wants_fragment(request: Request) -> bool:
    """Whether a script of ours asks, to put the answer into the page that is there."""
    return "hx-request" in request.headers


async def show(request: Request, refusal: Refusal) -> Response:
    """The refusal where the person looks."""
    if isinstance(refusal, NotSignedIn):
        return _to_sign_in(request, refusal)
    who = getattr(request.state, "signed_in", None)
    template = "_refusal.html" if wants_fragment(request) else "refusal.html"
    return await render(request, template, status=refusal.status, who=who, refusal=refusal)


def _to_sign_in(request: Request, refusal: NotSignedIn) -> Response:
    page = "/unlock" if refusal.detail.get("locked") else "/sign-in"
    came_from = request.url.path if request.method == "GET" and not wants_fragment(request) else ""
    there = f"{page}?next={quote(came_from)}" if came_from not in {"", "/"} else page
    if wants_fragment(request):
        return Response(status_code=401, headers={"HX-Redirect": there})
    return RedirectResponse(there, status_code=303)


def not_understood() -> BadInput:
    """What came could not be read at all."""
    return BadInput(
        field="form",
        what=Text("Nothing was done."),
        why=Text("What was sent could not be understood."),
        remedy=Text("Open the page again and repeat it there."),
    )


def code_in_address(code: str) -> str:
    """The code in an address, grouped or not. Raises NotFound for what is no code."""
    try:
        return parse(code).value
    except CodeError as error:
        raise no_such_page() from error


CodeDep = Annotated[str, Depends(code_in_address)]


def no_such_page() -> NotFound:
    """The address leads nowhere."""
    return NotFound(
        what=Text("There is no such page."),
        why=Text("The address may have been typed wrongly."),
        remedy=Text("Go to the bench or to the lots and find it from there."),
    )
