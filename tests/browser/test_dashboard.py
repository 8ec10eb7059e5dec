"""The dashboard before people: at a desk in both languages, and on a wall across the room, live or honestly not."""

import asyncio
import re
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from tests import life
from tests.browser.conftest import served
from tests.world import ok, refused

SIZES = ((1920, 1080), (1024, 600))


@pytest.fixture(scope="session")
async def site(make_database):
    """A house of its own: a wall has room for a few lots, and other tests' would take it."""
    async with served(make_database) as made:
        yield made


@pytest.fixture(scope="session")
async def laboratory(site):
    """Something of everything: lots that wait and are blocked, holds, what expires, what was refused, a wall's account."""
    lab = site.lab
    mine = await life.new_shared(lab)  # its bottles run out below
    failing = await life.preparation(lab, use=mine, upto="tested", findings={"sterility": ("growth", None)})
    ready = await life.preparation(lab, use=failing.shared)
    at_work = await life.preparation(lab, upto="passaged", use=failing.shared)
    for lived in (failing, ready):
        ok(await lab.as_("quinn").post(f"/lots/{lived.lot}/release-check"))
    ok(await lab.as_("quinn").post("/holds", {"item": at_work.flasks[0], "reason": "the cap was loose"}))
    refused(await lab.as_("tess").post(f"/lots/{ready.lot}/submit", {"version": 1}), 403)
    ok(await lab.as_("tess").post("/scans", {"raw": "patient wristband 4711"}))
    await lab.arrange(
        "UPDATE lab.containers SET opened_until = clock_timestamp() + interval '3 hours' WHERE id = $1",
        await life.id_of(lab, failing.shared.bottles[0]),
    )
    await lab.arrange(
        "UPDATE lab.containers SET opened_until = clock_timestamp() - interval '3 hours' WHERE id = $1",
        await life.id_of(lab, failing.shared.bottles[1]),
    )
    wall = {"username": "wall", "printed_name": "Wall A", "roles": ["device"]}
    made = ok(await lab.as_("adam").post("/accounts", wall))
    account = await lab.value("SELECT id FROM people.accounts WHERE username = 'wall'")
    lab.know("wall", account_id=account, password=made["password"], totp_secret=made["totp_secret"])
    return failing, ready, at_work


async def signs_in(person, name):
    """As `signs_in` of a person, who may land on any page."""
    lab = person.site.lab
    await person.goes_to("/sign-in")
    await person.page.fill("#username", name)
    await person.page.fill("#password", lab.password(name))
    await person.page.fill("#totp", await lab.totp(name))
    await person.page.keyboard.press("Enter")
    await person.page.wait_for_url(re.compile(r"/(bench|lots|dashboard|administration)$"))


async def is_live(person):
    await person.page.locator("#live:not(.waits):not(.away)").wait_for(timeout=15_000)
    assert await person.page.locator("#stale").is_hidden()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("locale", "theme"), [("en-GB", "light"), ("zh-CN", "dark")])
async def test_four_questions_are_answered_at_a_desk(site, laboratory, size, locale, theme):
    failing, _, _ = laboratory
    async with site.person(size=size, locale=locale, color_scheme=theme) as quinn:
        await signs_in(quinn, "quinn")
        await quinn.goes_to("/dashboard")
        await quinn.sees(failing.name, within="#blocks")
        await quinn.sees("REL-02", within="#blocks")
        await quinn.sees("Tess Tan", within="#refused")
        assert "4711" not in await quinn.page.content()
        await quinn.page.locator("#live:not(.waits):not(.away)").wait_for(timeout=10_000)
        wide = await quinn.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0
        await quinn.screen(f"dashboard-{locale}-{size[0]}")
        await quinn.page.screenshot(
            path=f"{site_screens()}/dashboard-{locale}-{size[0]}-whole.png", full_page=True, caret="initial"
        )


def site_screens():
    from tests.browser.conftest import SCREENS

    SCREENS.mkdir(parents=True, exist_ok=True)
    return SCREENS


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
async def test_the_wall_is_read_from_across_the_room(site, laboratory, size, locale):
    failing, _, _ = laboratory
    async with site.person(size=size, locale=locale) as wall:
        await signs_in(wall, "wall")
        await wall.page.locator("body.wall").wait_for()
        await wall.page.locator("#live:not(.waits):not(.away)").wait_for(timeout=10_000)
        await wall.sees(failing.name)
        await wall.screen(f"wall-{locale}-{size[0]}")
        smallest, hidden = await wall.page.evaluate(
            """() => {
                const texts = [...document.querySelectorAll("main *")].filter((each) =>
                    each.checkVisibility() && [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
                const sizes = texts.map((each) => parseFloat(getComputedStyle(each).fontSize));
                const below = texts.filter((each) => each.getBoundingClientRect().bottom > innerHeight + 1);
                return [Math.min(...sizes) / innerHeight, below.map((each) => each.textContent)];
            }"""
        )
        assert smallest >= 0.0399, smallest
        assert hidden == []
        assert await wall.page.locator("nav, a:visible").count() == 0
        said = await wall.page.locator("main").inner_text()
        assert "Tess" not in said
        assert "4711" not in said


async def test_what_happens_appears_by_itself(site, laboratory):
    _, ready, _ = laboratory
    async with site.person() as quinn, site.person(size=(1920, 1080)) as wall:
        await signs_in(quinn, "quinn")
        await quinn.goes_to("/dashboard")
        await signs_in(wall, "wall")
        await is_live(quinn)
        await is_live(wall)
        number = quinn.page.locator(".sum[href='#refused'] b")
        before = int(await number.inner_text())
        # A wall may see fewer refusals than the QA manager: it has a number of its own.
        walls = int(await wall.page.locator("section:last-of-type > b").inner_text())
        refused(await site.lab.as_("tess").post(f"/lots/{ready.lot}/submit", {"version": 1}), 403)
        await quinn.page.wait_for_function(
            "before => Number(document.querySelector(\".sum[href='#refused'] b\").textContent) > before", arg=before
        )
        await wall.page.wait_for_function(
            "before => Number(document.querySelector('section:last-of-type > b').textContent) > before", arg=walls
        )
        await is_live(quinn)


class Cable:
    """What the browser's packets run through: cut, everything is silent, as when a switch loses its power."""

    def __init__(self, address):
        self._to = urlsplit(address)
        self._whole = asyncio.Event()
        self._whole.set()
        self._running = set()
        self.address = ""

    def cut(self):
        self._whole.clear()

    def mend(self):
        self._whole.set()

    @asynccontextmanager
    async def laid(self):
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield self
        server.close()
        for each in self._running:
            each.cancel()

    async def _serve(self, reader, writer):
        there = await asyncio.open_connection(self._to.hostname, self._to.port)
        ways = [
            asyncio.ensure_future(self._copy(reader, there[1])),
            asyncio.ensure_future(self._copy(there[0], writer)),
        ]
        self._running.update(ways)

    async def _copy(self, reader, writer):
        try:
            with suppress(ConnectionError):
                while data := await reader.read(65536):
                    await self._whole.wait()
                    writer.write(data)
                    await writer.drain()
        finally:
            writer.close()


async def test_old_numbers_are_never_shown_as_live(site, laboratory):
    """Without the server it says so in red, with the time of the last data, and goes on when the server is back."""
    async with Cable(site.address).laid() as cable, site.person(size=(1920, 1080)) as wall:
        wall.site = replace(site, address=cable.address)
        await signs_in(wall, "wall")
        await is_live(wall)
        cable.cut()
        await wall.page.locator("#stale:visible").wait_for(timeout=25_000)
        assert re.search(r"No data since \d\d:\d\d\.", await wall.page.locator("#stale").inner_text())
        assert "away" in (await wall.page.locator("#live").get_attribute("class"))
        assert await wall.page.locator("#now").evaluate("each => getComputedStyle(each).filter") == "grayscale(1)"
        await wall.screen("wall-stale")
        cable.mend()
        await is_live(wall)
        await wall.page.locator("#stale").wait_for(state="hidden")


async def test_a_display_that_was_signed_out_says_so(site, laboratory):
    async with site.person(size=(1024, 600)) as wall:
        await signs_in(wall, "wall")
        await is_live(wall)
        await site.lab.sql(
            "UPDATE people.sessions SET ended_at = clock_timestamp() WHERE account_id = $1 AND ended_at IS NULL",
            site.lab.id_of("wall"),
        )
        await wall.page.locator("#stale:visible", has_text="signed out or locked").wait_for(timeout=15_000)
        await wall.screen("wall-signed-out")
        wall.heard.clear()  # an event source that is refused is said aloud by the browser


async def test_a_persons_dashboard_locks_as_every_page_does(site, laboratory):
    async with site.person() as rolf:
        await signs_in(rolf, "rolf")
        await rolf.goes_to("/dashboard")
        await is_live(rolf)
        await site.lab.sql(
            "UPDATE people.sessions SET seen_at = clock_timestamp() - interval '16 minutes'"
            " WHERE account_id = $1 AND ended_at IS NULL",
            site.lab.id_of("rolf"),
        )
        site.lab.as_("rolf").token = None
        await rolf.page.wait_for_url("**/unlock?next=*", timeout=15_000)
        rolf.heard.clear()
