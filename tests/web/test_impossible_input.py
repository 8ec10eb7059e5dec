"""Impossible input, one thing at a time, through every form and every body that the laboratory's life sends.

Every form that a crawl meets is sent as somebody fills it who means well, but for one impossible thing; every body that
furnishing the laboratory sends is sent first with each of its impossible things. Always: refused, at the field, in the
reader's language, with what was typed still there, and nothing is kept.
"""

from __future__ import annotations

import itertools
import json
import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from argon2 import PasswordHasher

from app.db import secrets
from app.locale import LANGUAGE_COOKIE
from tests import world
from tests.web.hostile import Page
from tests.web.impossible import Wrong, WrongBody, bodies_wrong, leaves, things_wrong
from tests.web.test_hostile_text import ROLES, Journal, Met, Visitor, crawl, furnished, honest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import httpx

    from tests.conftest import Database
    from tests.web.test_hostile_text import House
    from tests.world import Lab

API = world.API
KEPT = "SELECT count(*) FROM audit.entries WHERE reason NOT LIKE 'refused: %' AND act NOT IN ('sign_in', 'arrange')"
"""What was done. A refusal is a record too, and says that nothing was."""
FAIR: dict[tuple[str, str, str], str] = {
    ("/legacy-dossiers", "papers", "a row twice"): "told at the second paper's file: file_sha2561",
}
"""(where, field, what) that is not impossible there, or not refused at its field, and why."""
CHINESE = re.compile(r"[\u4e00-\u9fff]")
TRIED = "x-impossible"


@dataclass
class Tried:
    """What was sent and what was wrong with the answers."""

    bodies: dict[str, int] = field(default_factory=dict)
    forms: dict[str, int] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)


# -- bodies ------------------------------------------------------------------------------------------------------------


class Meeting:
    """Stands at the laboratory's door: of every route's first body, what cannot be is sent before the body itself."""

    def __init__(self, lab: Lab, tried: Tried) -> None:
        self.lab, self.tried = lab, tried
        self.api = lab.app.openapi()
        self.routes = [
            (re.compile(re.sub(r"{\w+}", "[^/]+", path) + "$"), path.removeprefix(API), of["post"])
            for path, of in sorted(self.api["paths"].items(), key=lambda each: each[0].count("{"))
            if "post" in of and "requestBody" in of["post"]
        ]

    async def __call__(self, request: httpx.Request) -> None:
        if request.method != "POST" or TRIED in request.headers or "authorization" not in request.headers:
            return
        found = next((each for each in self.routes if each[0].match(request.url.path)), None)
        if found is None or found[1] in self.tried.bodies or not request.content:
            return
        _, route, of = found
        self.tried.bodies[route] = 0
        body = json.loads(request.content)
        schema = next(iter(of["requestBody"]["content"].values()))["schema"]
        for wrong in bodies_wrong(route, list(leaves(self.api, schema, body)), body):
            self.tried.bodies[route] += 1
            await self._try(request, route, wrong)

    async def _try(self, request: httpx.Request, route: str, wrong: WrongBody) -> None:
        before = await self.lab.value(KEPT)
        head = {"authorization": request.headers["authorization"], TRIED: "1", "idempotency-key": str(uuid.uuid4())}
        answer = await self.lab.http.post(request.url, json=wrong.body, headers=head)
        where = f"POST {route} [{wrong.said}] {wrong.at}"
        if answer.status_code not in {400, 422}:
            if all((route, name, wrong.said) in FAIR for name in wrong.at):
                return
            self.tried.troubles.append(f"{where} → {answer.status_code} {answer.text[:300]}")
            return
        problem = answer.json()
        told = " ".join([problem.get("field", ""), *(each["field"] for each in problem.get("fields", []))])
        named = [name for name in wrong.at if re.search(rf"\b{re.escape(name)}(\b|[\d_])", told)]
        if len(named) < (len(set(wrong.at)) if wrong.at_all else 1) and not _all_fair(
            route, wrong.at, named, wrong.said
        ):
            self.tried.troubles.append(f"{where}: told of {told!r}: {problem['why']}")
        if answer.headers["content-type"] != "application/problem+json" or not problem["remedy"]:
            self.tried.troubles.append(f"{where}: no problem+json")
        if await self.lab.value(KEPT) != before:
            self.tried.troubles.append(f"{where}: something was kept")


def _all_fair(where: str, at: Any, named: list[str], said: str) -> bool:
    return all(name in named or (where, name, said.partition(":")[0]) in FAIR for name in at)


# -- forms -------------------------------------------------------------------------------------------------------------


def element_of(page: Page, name: str) -> dict[str, str] | None:
    """The field that is marked as refused, or the group of its choices."""
    for _, has in page.elements:
        is_it = has.get("name") == name or (not has.get("name") and re.fullmatch(rf"(.*-)?{name}", has.get("id", "")))
        if is_it and has.get("aria-invalid") == "true":
            return has
    return None


def said_at(html: str, has: dict[str, str]) -> str:
    """What the refusal says that the field is described by."""
    for each in has.get("aria-describedby", "").split():
        if each.endswith("-wrong"):
            found = re.search(rf'id="{re.escape(each)}"[^>]*>(.*?)</div>', html, re.DOTALL)
            return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split()) if found else ""
    return ""


async def attack(house: House, visitor: Visitor, met: Met, tried: Tried, turns: itertools.cycle[str]) -> None:
    """Send one form with each impossible thing in it."""
    typed = {name: str(value) for name, value in await honest(house, met, "words")}
    tried.forms.setdefault(met.action, 0)
    for wrong in things_wrong(met.action, met.form.fields, typed):
        tried.forms[met.action] += 1
        language = next(turns)
        visitor.browser.http.cookies.delete(LANGUAGE_COOKIE)
        visitor.browser.http.cookies.set(LANGUAGE_COOKIE, language, domain="lab.test")
        before = await house.lab.value(KEPT)
        sent = [(name, value) for name, value in await honest(house, met, "words") if name not in wrong.typed]
        answer = await visitor.send(met, sent + list(wrong.typed.items()))
        where = f"{met.who} {met.page} → {met.action} [{wrong.said}] {list(wrong.typed)}"
        tried.troubles += [f"{where}: {each}" for each in judged(answer, met, wrong, language)]
        if await house.lab.value(KEPT) != before:
            tried.troubles.append(f"{where}: something was kept")


def judged(answer: httpx.Response, met: Met, wrong: Wrong, language: str) -> list[str]:
    """What is wrong with the page that answers."""
    if not 400 <= answer.status_code < 500:
        return [] if all((met.action, name, wrong.said) in FAIR for name in wrong.typed) else [str(answer.status_code)]
    page, found, marked = Page(answer.text), [], 0
    for name, value in wrong.typed.items():
        if (met.action, name, wrong.said.partition(":")[0]) in FAIR:
            continue
        has = element_of(page, name)
        if has is None:
            if wrong.at_all:
                found.append(f"{name} is not marked")
            continue
        marked += 1
        words = said_at(answer.text, has)
        if len(words) < 5 or bool(CHINESE.search(words)) != (language == "zh_CN"):
            found.append(f"{name} says {words!r} in {language}")
        is_typed = any(name == has.get("name") and "value" in has and "type" not in has for _, has in page.elements)
        if is_typed and not any(h.get("name") == name and h.get("value") == value for _, h in page.elements):
            found.append(f"{name} has lost {value[:30]!r}")
    if not marked and not wrong.at_all:
        found.append("nothing is marked")
    return found


# -- what is asked of it -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def tried(make_database: Callable[[], Database]) -> AsyncIterator[Tried]:
    """The laboratory furnished, with all that cannot be sent before what can; then every form."""
    kept = Tried()
    small = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash("nobody's")
    async with world.open_lab(make_database()) as lab:
        with patch.object(secrets, "_dummies", [small]):
            meeting = Meeting(lab, kept)
            lab.http.event_hooks["request"].append(meeting)
            house = await furnished(lab)
            lab.http.event_hooks["request"].remove(meeting)
            await every_form(house, kept)
            yield kept


async def every_form(house: House, tried: Tried) -> None:
    """Each form that somebody meets."""
    journal, turns = Journal(), itertools.cycle(("en", "zh_CN", "zh_CN", "en", "zh_CN"))
    visitors = {who: await Visitor(house, who).comes_in() for who in ROLES}
    for met in await crawl(house, visitors, journal, newest=False):
        await attack(house, visitors[met.who], met, tried, turns)
    for each in visitors.values():
        await each.browser.http.aclose()


async def test_no_form_and_no_body_takes_what_cannot_be(tried: Tried) -> None:
    """Every one was refused, at its field."""
    assert tried.troubles == [], "\n".join(tried.troubles)
