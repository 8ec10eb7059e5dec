"""What browsers load: served from one folder, named by content, so that it may be kept for good."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import Scope

FOLDER = Path(__file__).resolve().parent / "static"
FOR_GOOD = "public, max-age=31536000, immutable"


@cache
def asset(name: str) -> str:
    """The address of a file under static/, which changes when its content does. Raises FileNotFoundError."""
    digest = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()
    return f"/static/{name}?v={digest[:12]}"


class Assets(StaticFiles):
    """Static files; what is asked for by its content's name may be kept."""

    def __init__(self) -> None:
        """Serve static/."""
        super().__init__(directory=FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One file."""
        response = await super().get_response(path, scope)
        named_by_content = scope["query_string"].startswith(b"v=")
        response.headers["Cache-Control"] = FOR_GOOD if named_by_content else "no-cache"
        return response
