import pytest

from tests.web.browsing import Browser


@pytest.fixture
async def browser(lab):
    """A browser of nobody yet."""
    opened = Browser(lab)
    yield opened
    await opened.http.aclose()


@pytest.fixture
async def browser_of(lab):
    """A browser in which somebody is signed in."""
    opened = []

    async def of(name, **more):
        browser = Browser(lab, **more)
        opened.append(browser)
        await browser.sign_in(name)
        return browser

    yield of
    for each in opened:
        await each.http.aclose()
