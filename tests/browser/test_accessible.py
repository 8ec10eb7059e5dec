"""Every page for everybody: axe-core finds nothing serious, on a tablet and on a wide screen, in both languages and themes.

Each page is looked at once in light English and once in dark Chinese; the sizes alternate, so that in the end every
kind of page was seen at both.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import pytest

from app.web.places import PLACES
from tests import life
from tests.browser.accessible import barriers
from tests.web.pages import PAGES, names_of

if TYPE_CHECKING:
    from tests.browser.conftest import Person, Site

SIZES = ((1024, 600), (1920, 1080))
WAYS = (("en-GB", "light"), ("zh-CN", "dark"))
PLACES_OF = ("tess", "quinn", "adam")


@pytest.fixture(scope="module")
async def names(site: Site) -> dict[str, str]:
    """One lot that awaits release, and what it is made of."""
    return names_of(await life.preparation(site.lab))


def pages_of_all(names: dict[str, str]) -> list[tuple[str, str]]:
    """Every page once, with who asks for it, a person after the other."""
    listed = [(who, path.format_map(names)) for who, path in PAGES]
    named = {path for _, path in PAGES}
    listed += [(who, place.path) for who in PLACES_OF for place in PLACES if place.path not in named]
    return sorted(dict.fromkeys(listed), key=lambda each: each[0])


async def looked_at(person: Person, path: str) -> list[str]:
    """What is wrong with one page; nothing for a page that is not shown to this person."""
    answer = await person.page.goto(person.site.address + path)
    assert answer is not None
    if answer.status != 200:
        return [] if answer.status in {403, 404} else [f"{path}: it answers {answer.status}"]
    size = person.page.viewport_size
    wide = await person.page.evaluate("document.documentElement.scrollWidth")
    found = [f"{path}: {each}" for each in await barriers(person.page)]
    if size is not None and wide > size["width"]:
        found.append(f"{path}: {wide} px wide on a screen of {size['width']} px")
    return found


@pytest.mark.parametrize(("locale", "scheme"), WAYS)
async def test_nothing_serious_stands_in_anybodys_way(
    site: Site, names: dict[str, str], locale: str, scheme: str
) -> None:
    found: list[str] = []
    seen = 0
    for turn, (who, group) in enumerate(groupby(pages_of_all(names), key=lambda each: each[0])):
        paths = [path for _, path in group]
        first = (turn + WAYS.index((locale, scheme))) % 2
        for offset, size in enumerate(SIZES):
            async with site.person(locale=locale, color_scheme=scheme, size=size) as person:
                await person.comes_in(who)
                for path in paths[(first + offset) % 2 :: 2]:
                    found += [f"{who} {size[0]} {each}" for each in await looked_at(person, path)]
                    seen += 1
    assert found == []
    assert seen >= len(PAGES), "every page was looked at"


async def test_every_place_of_the_bar_is_there(site: Site) -> None:
    async with site.person() as person:
        for who in PLACES_OF:
            await person.comes_in(who)
            for place in PLACES:
                answer = await person.page.request.get(site.address + place.path)
                assert answer.status in {200, 403}, f"{place.path} for {who}: {answer.status}"


@pytest.mark.parametrize(("locale", "scheme"), WAYS)
async def test_nothing_stands_in_the_way_of_who_comes_in(site: Site, locale: str, scheme: str) -> None:
    for size in SIZES:
        async with site.person(locale=locale, color_scheme=scheme, size=size) as person:
            assert await looked_at(person, "/sign-in") == []
            await person.goes_to("/no-such-page-for-anybody")
            assert await barriers(person.page) == []


async def test_axe_sees_a_page_that_stands_in_the_way(site: Site) -> None:
    """What finds nothing anywhere might not look."""
    async with site.person() as person:
        await person.goes_to("/sign-in")
        await person.page.evaluate("document.querySelectorAll('label').forEach(each => each.remove())")
        assert any(each.startswith("label") for each in await barriers(person.page))
