"""Chromium before the real application: uvicorn on a free port, a database of its own, the cast at the keyboard."""

from __future__ import annotations

import asyncio
import re
import socket
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from playwright.async_api import Error as NotNowError
from playwright.async_api import TimeoutError as InVainError
from playwright.async_api import async_playwright

from tests import world
from tests.conftest import RUN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from playwright.async_api import Browser, Page

    from tests.conftest import Database

BROWSERS = ("/usr/bin/chromium-headless-shell", "/usr/bin/chromium", "/usr/bin/google-chrome")
CHROMIUM = next((path for path in BROWSERS if Path(path).exists()), None)
"""The first is the same Chromium without a window's own pages, and opens a page in a third of the time."""
SCREENS = RUN / "screens"
WEDGE_MS = 5
"""Between two characters, as a scanner in keyboard mode types."""


@dataclass
class Person:
    """Somebody before a screen. `heard` is what the browser's console said that it should not."""

    site: Site
    page: Page
    heard: list[str] = field(default_factory=list)

    async def goes_to(self, path: str) -> None:
        await self.page.goto(self.site.address + path)

    async def types(self, text: str, *, into: str) -> None:
        """At the keyboard, where the page itself puts the cursor; on a busy machine it does so after it has loaded."""
        async with self.waiting():
            await self.page.locator(f"{into}:focus").wait_for()
        await self.page.keyboard.type(text)

    async def signs_in(self, name: str) -> None:
        lab = self.site.lab
        await self.goes_to("/sign-in")
        await self.types(name, into="#username")
        await self.page.fill("#password", lab.password(name))
        await self.page.fill("#totp", await lab.totp(name))
        await self.page.keyboard.press("Enter")
        await self.comes_to(re.compile(r"/(bench|lots)$"))

    async def comes_in(self, name: str) -> None:
        """As at the sign-in page, without the page: that one is looked at by itself."""
        lab = self.site.lab
        await lab.forget_failures(name)
        fields = {"username": name, "password": lab.password(name), "totp": await lab.totp(name)}
        answer = await self.page.request.post(
            f"{self.site.address}/sign-in", form=fields, headers={"Origin": self.site.address}, max_redirects=0
        )
        assert answer.status == 303, await answer.text()

    async def comes_to(self, url: str | re.Pattern[str]) -> None:
        async with self.waiting():
            await self.page.wait_for_url(url)

    async def scans(self, text: str) -> None:
        """As a wedge does: keys and Enter, wherever the cursor stands."""
        await self.page.keyboard.type(text, delay=WEDGE_MS)
        await self.page.keyboard.press("Enter")

    async def sees(self, *words: str, within: str = "main") -> None:
        async with self.waiting():
            for word in words:
                await self.page.locator(within).get_by_text(word).first.wait_for()

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """Who waits in vain says what the page shows instead."""
        try:
            yield
        except InVainError as late:
            shown = await self.page.locator("body").inner_text()
            raise AssertionError(f"{late}\n{self.page.url} shows:\n{shown}") from late

    async def screen(self, name: str) -> None:
        """Keep what is seen, for people who look. The caret stays: hiding it would inject a style."""
        SCREENS.mkdir(parents=True, exist_ok=True)
        await pictured(self.page, SCREENS / f"{name}.png")


async def pictured(page: Page, path: Path, **more: Any) -> None:
    """A picture of the page as it stands. A busy browser at times says that it cannot, and can a moment later."""
    for _ in range(4):
        with suppress(NotNowError):
            await page.screenshot(path=path, caret="initial", **more)
            return
        await asyncio.sleep(0.5)
    await page.screenshot(path=path, caret="initial", **more)


@dataclass
class Site:
    """The running application, and the laboratory behind it."""

    address: str
    lab: world.Lab
    database: Database
    browser: Browser

    @asynccontextmanager
    async def person(self, *, locale: str = "en-GB", size: tuple[int, int] = (1280, 800), **more: Any) -> Any:
        context = await self.browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale=locale, reduced_motion="reduce", **more
        )
        page = await context.new_page()
        page.set_default_timeout(15_000)
        person = Person(self, page)
        page.on("console", lambda said: person.heard.append(said.text) if _is_trouble(said) else None)
        page.on("pageerror", lambda error: person.heard.append(str(error)))
        try:
            yield person
        finally:
            await context.close()
        assert person.heard == [], "the browser complained"


def _is_trouble(said: Any) -> bool:
    # A refusal is an answer; the browser reports its status as if it were a fault.
    return said.type in {"error", "warning"} and "Failed to load resource" not in said.text


@asynccontextmanager
async def served(make_database: Callable[[], Database]) -> AsyncIterator[Site]:
    """The application before a browser, on a database of its own."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: ./stemma test says how to install it")
    database = make_database()
    async with world.open_lab(database) as lab:
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(lab.app, lifespan="off", log_level="error", ws="none"))
        serving = asyncio.create_task(server.serve([listening]))
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            address = f"http://127.0.0.1:{listening.getsockname()[1]}"
            yield Site(address=address, lab=lab, database=database, browser=browser)
            await browser.close()
        server.should_exit = True
        await serving
        listening.close()


@pytest.fixture(scope="session")
async def site(make_database: Callable[[], Database]) -> AsyncIterator[Site]:
    """The application, served."""
    async with served(make_database) as made:
        yield made
