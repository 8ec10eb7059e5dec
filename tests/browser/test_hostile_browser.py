"""Hostile text typed into a dozen forms in Chromium, then every page that shows it, in both languages: nothing runs."""

from __future__ import annotations

import re
from collections import deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urljoin, urlsplit
from zoneinfo import ZoneInfo

import pytest

from tests import life
from tests.web.pages import PAGES, names_of
from tests.web.test_hostile_text import pattern_of

if TYPE_CHECKING:
    from tests.browser.conftest import Person, Site

MARK = "still-text"
WORDS = (
    f"{MARK} \"'><img src=x onerror=__hit()><script>__hit()</script></textarea><svg onload=__hit()>"
    "<iframe srcdoc='<script>parent.__hit()</script>'></iframe><a href=javascript:__hit()>a</a>"
    "{{7919*7907}} ' autofocus onfocus=__hit() x='"
)
SHORT = f'{MARK} "><svg onload=__hit()>'
TRAP = """
window.__hits = [];
window.__hit = () => window.__hits.push("it ran");
addEventListener("securitypolicyviolation", (event) => window.__hits.push(`${event.violatedDirective} ${event.sample}`));
"""
LOOK = """() => [
    document.body.innerText,
    [...document.querySelectorAll('input, textarea')].map((each) => each.value).join(),
    [...document.querySelectorAll('main a[href]')].map((each) => each.getAttribute('href')),
    window.__hits,
]"""
HERE = ZoneInfo("Asia/Shanghai")
FORMS_AT_LEAST = 12
PAGES_AT_LEAST = 60
ALIKE_AT_MOST = 3
"""So many pages of one route are opened, asked in one way."""
LEFT_OUT = re.compile(r"/(api|static|sign-out)|[?&]lang=|\.(pdf|png)(\?|$)")


def on(**parts: float) -> str:
    return f"{datetime.now(HERE) + timedelta(**parts):%Y-%m-%dT%H:%M}"


async def watched(person: Person) -> Person:
    """Whatever would run in this browser is heard of."""
    await person.page.add_init_script(TRAP)

    async def opened(dialog: object) -> None:
        person.heard.append(f"a dialog: {dialog}")
        await dialog.dismiss()  # type: ignore[attr-defined]

    person.page.on("dialog", opened)
    return person


async def hits(person: Person) -> list[str]:
    found: list[str] = await person.page.evaluate("window.__hits")
    return [f"{person.page.url}: {each}" for each in found]


async def typed(person: Person, path: str, fields: dict[str, str], *, form: str = "main form[method=post]") -> None:
    """Fill a form as a person does, and send it; it is taken."""
    page = person.page
    await person.goes_to(path)
    for name, value in fields.items():
        box = page.locator(f"{form} [name='{name}']").first
        kind = await box.evaluate("each => each.type")
        if kind in {"radio", "checkbox"}:
            await page.locator(f"{form} [name='{name}'][value='{value}']").check(force=True)
        elif kind == "select-one":
            await box.select_option(value)
        else:
            await box.fill(value)
    unfilled = await page.locator(f"{form} :invalid").evaluate_all("all => all.map((each) => each.name)")
    assert not unfilled, f"{path}: {unfilled}"
    async with page.expect_response(lambda answer: answer.request.method == "POST") as sent:
        await page.locator(f"{form} button:not([type=button])").first.click()
    answer = await sent.value
    assert answer.status in {200, 201, 303}, f"{path}: {answer.status} {await page.locator('main').inner_text()}"
    await page.wait_for_load_state()
    assert await hits(person) == []


def forms(lived: life.Life, open_lot: life.Life, signs: dict[str, str]) -> list[tuple[str, str, dict[str, str]]]:
    """Who types, where, what."""
    measures = {f"measure{i}": WORDS for i in range(5)}
    controls = ("time_slot", "vapour_tank", "protective_clothing", "cleaning", "waste")
    measures |= {f"control{i}": control for i, control in enumerate(controls)}
    process = {"name": SHORT, "product": WORDS[:200], "product_zh": WORDS[:200], "cell_source": SHORT}
    process |= {"passage_convention": "primary_is_p0", "max_passage": "3", "max_pdl": "20"}
    identity = {"name": SHORT, "hospital_number": "H-<b>", "birth_date": "1980-01-01"}
    waiver = {"rule": "GMP-06", "justification": WORDS, "mitigations": WORDS, "valid_to": on(days=7)}
    return [
        ("tess", "/donors/new?case=autologous", identity),
        ("tess", "/deviations/new", {"item": lived.vials[0], "what": WORDS, "severity": "minor"}),
        ("tess", "/deviations/new", {"item": lived.lot, "what": WORDS, "severity": "major"}),
        ("tess", "/holds/new", {"item": lived.vials[0], "reason": WORDS[:300]}),
        ("tess", f"/lots/{open_lot.lot}/sample", {"source": open_lot.vials[0], "purpose": WORDS[:200]}),
        ("tess", f"/lots/{lived.lot}/retain", {"kind": "final_product", "source": lived.vials[1], "unit": "vial", "place": SHORT}),
        ("tess", "/bench/already-happened", {"what": "other", "occurred_at": on(minutes=-5), "account": WORDS, "item": lived.vials[2]}),
        ("tess", f"/lots/{lived.lot}/labels", {"used": "0", "destroyed": "0", "returned": "0", "remark": WORDS[:300]}),
        ("quinn", f"/lots/{lived.lot}/waivers/new", waiver),
        ("quinn", "/materials/catalogue/new", {"name": SHORT, "description": WORDS, "grade": "gmp_ancillary", "known": "part", "components": WORDS[:100], "animal_serum": "no", "kind": "reagent", "animal_derived": "no", "human_derived": "no", "selected_with": SHORT}),
        ("quinn", "/assessments/new?rule=DON-05", {"scope_kind": "facility", "title": WORDS[:200], "hazard": WORDS, "conclusion": WORDS, "valid_to": on(days=300), **measures}),
        ("quinn", "/items/new", {"kind": "workstation", "name": SHORT, "room": SHORT}),
        ("quinn", "/processes/new", process),
        ("quinn", "/specifications/new", {"name": SHORT, "test-0": SHORT, "method-0": SHORT, "expected-0": SHORT}),
        ("quinn", "/labels/printers/new", {"name": f"{SHORT} printer", "room": SHORT, "address": "192.0.2.9:9100", "media": "25x13", "dots_per_mm": "8.0"}),
        ("quinn", "/people/tess/training", {"topic": "gowning", "valid_to": on(days=100), "evidence": WORDS[:150]}),
        ("quinn", f"/lots/{open_lot.lot}/rejection", {"reason": WORDS, **signs}),
    ]  # fmt: skip


async def everything(person: Person, starts: list[str]) -> tuple[int, int, list[str]]:
    """Open every page that can be reached: how many, on how many the words stand, and what ran."""
    found: list[str] = []
    seen, shown = 0, 0
    todo, known, alike = deque(starts), set(starts), dict[str, int]()
    while todo:
        path = todo.popleft()
        split = urlsplit(path)
        kind = f"{pattern_of('GET', split.path)} {sorted(parse_qs(split.query, keep_blank_values=True))}"
        alike[kind] = alike.get(kind, 0) + 1
        if path not in starts and alike[kind] > ALIKE_AT_MOST:
            continue
        answer = await person.page.goto(person.site.address + path)
        if answer is None or answer.status != 200:
            continue
        seen += 1
        text, held, links, ran = await person.page.evaluate(LOOK)
        shown += MARK in text or MARK in held
        if "62615533" in text:
            found.append(f"{path}: a template was evaluated")
        found += [f"{path}: {each}" for each in ran]
        for link in links:
            there = urljoin(path, link).split("#")[0]
            if (
                there.startswith("/")
                and there not in known
                and not LEFT_OUT.search(there)
                and not urlsplit(there).netloc
            ):
                known.add(there)
                todo.append(there)
    return seen, shown, found


@pytest.fixture(scope="module")
async def lived(site: Site) -> life.Life:
    """A lot in which everything is written that is written in forms."""
    mine = await life.preparation(site.lab, upto="sampled", vials=6)
    other = await life.preparation(site.lab, upto="frozen")
    sent = 0
    for who in ("tess", "quinn"):
        async with site.person() as person:
            await watched(person)
            await person.comes_in(who)
            signs = {"password": site.lab.password(who), "totp": await site.lab.totp(who)}
            for name, path, fields in forms(mine, other, signs):
                if name == who:
                    await typed(person, path, fields)
                    sent += 1
    assert sent >= FORMS_AT_LEAST
    return mine


@pytest.mark.parametrize(
    ("locale", "who"), [("en-GB", "quinn"), ("zh-CN", "quinn"), ("zh-CN", "tess"), ("en-GB", "tess")]
)
async def test_nothing_that_was_typed_runs(site: Site, lived: life.Life, locale: str, who: str) -> None:
    names = names_of(lived)
    starts = list(dict.fromkeys(path.format_map(names) for name, path in PAGES if name == who))
    async with site.person(locale=locale) as person:
        await watched(person)
        await person.comes_in(who)
        seen, shown, found = await everything(person, starts)
    assert found == []
    assert seen >= PAGES_AT_LEAST if who == "quinn" else seen >= PAGES_AT_LEAST // 2
    assert shown >= 10, "what was typed is shown"


async def test_the_trap_hears_what_runs(site: Site) -> None:
    """What hears nothing anywhere might not listen."""
    async with site.person() as person:
        await watched(person)
        await person.goes_to("/sign-in")
        assert await hits(person) == []
        await person.page.evaluate("document.querySelector('main').innerHTML += '<img src=x onerror=__hit()>'")
        await person.page.wait_for_function("window.__hits.length > 0")
        await person.page.evaluate("window.__hit()")
        assert "it ran" in str(await hits(person))
        assert any("Content Security Policy" in each or "inline" in each for each in person.heard)
        person.heard.clear()
