"""What every page stands in: one template environment, the reader's language and theme, and the bar on top."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.db.facility import Facility, facility
from app.domain.acts import ROLE_NAMES, Act, Role, may
from app.domain.text import Text
from app.locale import LANGUAGE_COOKIE, LANGUAGES, gettext_for, language_of
from app.requests import house
from app.rules import BY_ID
from app.web.assets import asset
from app.web.pictures import icon
from app.web.places import GROUP_NAMES, Group, places_of
from app.web.saying import Voice, day, digest_in_groups, grouped, number

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from fastapi import Request
    from starlette.responses import Response

    from app.db.sessions import SignedIn

TEMPLATES = Path(__file__).resolve().parent / "templates"
THEME_COOKIE = "stemma_theme"
THEMES = frozenset({"light", "dark"})
YEAR_S = 365 * 24 * 3600


ROLES_BY_WEIGHT = (
    Role.QUALITY_AUTHORITY,
    Role.QA_MANAGER,
    Role.QC_REVIEWER,
    Role.QC_ANALYST,
    Role.PHYSICIAN,
    Role.HEAD_OF_PRODUCTION,
    Role.ADMINISTRATOR,
    Role.VERIFIER,
    Role.TECHNICIAN,
    Role.DEVICE,
)
"""Which role is named first where there is room for one."""


class Clock(NamedTuple):
    """What a clock on the wall shows now, and a day on, as a browser's field of a moment writes it."""

    now: str
    a_day_on: str


def clock_in(zone: ZoneInfo) -> Clock:
    """The laboratory's clock."""
    now = datetime.now(UTC).astimezone(zone)
    return Clock(f"{now:%Y-%m-%dT%H:%M}", f"{now + timedelta(days=1):%Y-%m-%dT%H:%M}")


@cache
def environment() -> Environment:
    """The one template environment."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals.update(asset=asset, icon=icon, Act=Act, Group=Group, languages=LANGUAGES, is_rule=BY_ID.__contains__)
    made.globals.update(clock_in=clock_in)
    made.filters.update(number=number, grouped=grouped, day=day, digest=digest_in_groups)
    return made


async def the_facility(request: Request) -> Facility:
    """Whose laboratory this is; asked of the database once."""
    known: Facility | None = getattr(request.app.state, "facility", None)
    if known is None:
        known = request.app.state.facility = await facility(house(request).door)
    return known


async def render(
    request: Request,
    template: str,
    *,
    status: int = 200,
    who: SignedIn | None = None,
    headers: dict[str, str] | None = None,
    **view: Any,
) -> HTMLResponse:
    """A page or a fragment in the reader's language."""
    where = await the_facility(request)
    language = language_of(request)
    voice = Voice(gettext=gettext_for(language), zone=where.zone)
    theme = request.cookies.get(THEME_COOKIE, "")
    html = (
        environment()
        .get_template(template)
        .render(
            _=voice.sentence,
            say=voice.say,
            moment=voice.moment,
            _list=voice.listed,
            language=language,
            theme=theme if theme in THEMES else "",
            facility=where,
            who=who,
            may=_may(who),
            places=places_of(who.actor if who else None),
            group_names=GROUP_NAMES,
            role=_first_role(who),
            idle_minutes=house(request).settings.session_idle_minutes,
            path=request.url.path,
            in_language=lambda other: _with_language(request, other),
            **view,
        )
    )
    response = HTMLResponse(html, status, headers)
    response.headers["Content-Language"] = language.replace("_CN", "-CN")
    _remember_language(request, response)
    return response


def _may(who: SignedIn | None) -> Any:
    return lambda act: who is not None and may(who.actor, act)


def _first_role(who: SignedIn | None) -> Text | None:
    held = [role for role in ROLES_BY_WEIGHT if who is not None and role in who.actor.roles]
    return ROLE_NAMES[held[0]] if held else None


def _with_language(request: Request, language: str) -> str:
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    # Two slashes at its beginning would make it another site's address.
    path = "/" + request.url.path.lstrip("/\\") if request.method == "GET" else "/"
    return f"{path}?{urlencode([*kept, ('lang', language)])}"


def _remember_language(request: Request, response: HTMLResponse) -> None:
    chosen = request.query_params.get("lang")
    if chosen in LANGUAGES:
        keep_language(response, chosen, is_secure=house(request).settings.cookie_secure)


def keep_language(response: Response, language: str, *, is_secure: bool) -> None:
    """This browser reads in this language from now on."""
    response.set_cookie(LANGUAGE_COOKIE, language, max_age=YEAR_S, samesite="strict", secure=is_secure, httponly=True)
