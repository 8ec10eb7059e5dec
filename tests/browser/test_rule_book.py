"""The rule book, what-if, weather and why in Chromium: keys alone find a rule, strips arrive by themselves, nothing is too wide."""

import pytest

from tests import life
from tests.browser.accessible import barriers


@pytest.fixture(scope="module")
async def begun(site):
    """A lot in process."""
    return await life.preparation(site.lab, upto="passaged")


@pytest.mark.parametrize(
    ("locale", "scheme", "size"), [("en-GB", "light", (1024, 600)), ("zh-CN", "dark", (1920, 1080))]
)
async def test_a_rule_is_found_by_keys_and_its_lots_are_asked_by_themselves(site, begun, locale, scheme, size):
    shot = f"rules-{'zh' if locale == 'zh-CN' else 'en'}-{scheme}-{size[0]}"

    async def fits(person):
        assert await person.page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert await barriers(person.page) == []

    async with site.person(locale=locale, color_scheme=scheme, size=size) as quinn:
        await quinn.signs_in("quinn")
        await quinn.goes_to("/rules")
        await quinn.page.locator("h1").click()
        await quinn.page.evaluate("document.activeElement.blur()")
        await quinn.page.keyboard.press("/")
        await quinn.types("qa-03", into="#q")
        await quinn.page.keyboard.press("Enter")
        await quinn.page.locator("tr#QA-03").wait_for()
        assert await quinn.page.locator("table.rules tbody tr").count() < 5
        await quinn.screen(f"{shot}-1-found")
        await fits(quinn)
        await quinn.page.locator("tr#QA-03 a.code").click()
        await quinn.page.locator("#open:not([hx-get])").wait_for()
        await quinn.screen(f"{shot}-2-rule")
        await fits(quinn)
        await quinn.goes_to("/rules/REL-03")
        await quinn.page.locator(
            f'#open:not([hx-get]) tr[data-leads-to="/lots/{begun.lot}/release"][data-outcome]'
        ).wait_for()
        await fits(quinn)

        await quinn.goes_to(f"/lots/{begun.lot}")
        await quinn.page.locator("#weather[data-weather]").wait_for()
        await quinn.screen(f"{shot}-3-lot-weather")
        await fits(quinn)
        await quinn.goes_to(f"/lots/{begun.lot}/weather")
        await quinn.page.fill("#on", "2036-01-01")
        await quinn.page.locator("form.sieve button").click()
        await quinn.page.locator("#weather[data-weather=rain]").wait_for()
        await quinn.screen(f"{shot}-4-weather")
        await fits(quinn)

        await quinn.goes_to(f"/why/{begun.lot}")
        await quinn.page.locator("tr.closes").first.wait_for()
        await quinn.screen(f"{shot}-5-why")
        await fits(quinn)

        await quinn.goes_to(f"/lots/{begun.lot}/what-if")
        await quinn.screen(f"{shot}-6-what-if")
        await fits(quinn)
        await quinn.page.locator("form.entry input[name^=result-]").first.fill("growth")
        await quinn.page.locator("form.entry button[type=submit]").click()
        await quinn.page.locator("#answer tr[data-changes]").first.wait_for()
        await quinn.screen(f"{shot}-7-answer")
        await fits(quinn)
