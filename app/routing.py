"""How a request finds who answers it: by how its address begins, not by asking some hundred routes one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import BaseRoute, Match

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastapi.routing import APIRoute
    from starlette.types import Receive, Scope, Send

FOUND = "stemma.route"


class Directory(BaseRoute):
    """Routes of one prefix, grouped by the next part of their address; within a group the first that matches answers.

    A route whose next part is a parameter stands in every group, in its place.
    """

    def __init__(self, routes: Iterable[APIRoute], *, under: str = "") -> None:
        """`under`: what every address begins with. Raises ValueError for a route that lies elsewhere."""
        self.routes = tuple(routes)
        self._under = f"{under}/"
        parts = []
        for each in self.routes:
            if not each.path.startswith(self._under):
                raise ValueError(f"{each.path} does not begin with {self._under}")
            parts.append(self._part(each.path))
        anywhere = {part for part in parts if part.startswith("{")}
        self._groups = {
            part: tuple(route for route, own in zip(self.routes, parts, strict=True) if own == part or own in anywhere)
            for part in parts
        }
        self._others = tuple(route for route, own in zip(self.routes, parts, strict=True) if own in anywhere)

    def _part(self, path: str) -> str:
        return path[len(self._under) :].partition("/")[0]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """The first route that answers this method; else the first that would answer another."""
        path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        if scope["type"] != "http" or not path.startswith(self._under):
            return Match.NONE, {}
        partial: tuple[Match, Scope] = Match.NONE, {}
        for route in self._groups.get(self._part(path), self._others):
            match, found = route.matches(scope)
            if match is Match.FULL:
                return match, {**found, FOUND: route}
            if match is Match.PARTIAL and partial[0] is Match.NONE:
                partial = match, {**found, FOUND: route}
        return partial

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the route answer that was found."""
        route: APIRoute = scope[FOUND]
        await route.handle(scope, receive, send)
