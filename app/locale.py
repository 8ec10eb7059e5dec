"""Which language somebody reads, and its catalogue: one for pages, refusals and rules (app/web/locale)."""

from __future__ import annotations

import gettext
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

LANGUAGES = ("en", "zh_CN")
FOLDER = Path(__file__).resolve().parent / "web" / "locale"
LANGUAGE_COOKIE = "stemma_language"


@lru_cache(maxsize=len(LANGUAGES))
def gettext_for(language: str) -> Callable[[str], str]:
    """The translation of a language; English is the catalogue's key itself."""
    return gettext.translation("stemma", FOLDER, languages=[language], fallback=True).gettext


def language_of(request: Request) -> str:
    """What was chosen, else what the browser prefers, else English."""
    if request.scope["query_string"] or "cookie" in request.headers:
        chosen = request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
        if chosen in LANGUAGES:
            return chosen
    return _preferred(request.headers.get("accept-language", ""))


@lru_cache(maxsize=64)
def _preferred(accepted: str) -> str:
    for part in accepted.split(","):
        tag = part.split(";")[0].strip().lower()
        if tag.startswith("zh"):
            return "zh_CN"
        if tag.startswith("en"):
            return "en"
    return "en"
