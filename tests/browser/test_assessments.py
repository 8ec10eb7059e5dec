"""An assessment proposed and approved in Chromium, in both languages and themes."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

HERE = ZoneInfo("Asia/Shanghai")
CONTROLS = ("time_slot", "vapour_tank", "protective_clothing", "cleaning", "waste")


@pytest.mark.parametrize(
    ("locale", "scheme", "size"), [("en-GB", "light", (1024, 600)), ("zh-CN", "dark", (1920, 1080))]
)
async def test_proposed_by_one_approved_by_another(site, locale, scheme, size):
    shot = f"assessment-{'zh' if locale == 'zh-CN' else 'en'}-{scheme}-{size[0]}"
    async with site.person(locale=locale, color_scheme=scheme, size=size) as quinn:
        await quinn.signs_in("quinn")
        await quinn.goes_to("/assessments/new")
        await quinn.screen(f"{shot}-1-case")
        await quinn.page.locator("nav.cases a").first.click()
        await quinn.page.check("input[value=facility]")
        await quinn.page.fill("#title", "Cross-contamination between autologous donors 自体供者间交叉污染")
        await quinn.page.fill("#hazard", "Cells or an infection of one donor reach another donor's product.")
        for i, control in enumerate(CONTROLS):
            await quinn.page.fill(f"#measure{i}", f"what is done about {control.replace('_', ' ')}")
            await quinn.page.select_option(f"#control{i}", control)
        await quinn.page.fill("#conclusion", "The remaining risk is acceptable.")
        await quinn.page.fill("#valid_to", f"{datetime.now(HERE) + timedelta(days=2000):%Y-%m-%dT%H:%M}")
        await quinn.page.locator("form.entry button[type=submit]").click()
        await quinn.page.locator("#valid_to[aria-invalid=true]").wait_for()
        await quinn.screen(f"{shot}-2-refused")
        await quinn.page.fill("#valid_to", f"{datetime.now(HERE) + timedelta(days=600):%Y-%m-%dT%H:%M}")
        await quinn.page.locator("form.entry button[type=submit]").click()
        await quinn.page.locator("#h-stands").wait_for()
        there = quinn.page.url.removeprefix(site.address)
        await quinn.screen(f"{shot}-3-proposed")
        assert await quinn.page.evaluate("document.documentElement.scrollWidth") <= size[0]

    async with site.person(locale=locale, color_scheme=scheme, size=size) as lin:
        await lin.signs_in("lin")
        await lin.goes_to(there)
        await lin.page.locator(".buttons .btn-release").click()
        await lin.page.locator("dialog:modal").wait_for()
        await lin.screen(f"{shot}-4-sign")
        await lin.page.fill("input[name=password]", site.lab.password("lin"))
        await lin.page.fill("input[name=totp]", await site.lab.totp("lin"))
        await lin.page.locator("dialog button[type=submit]").click()
        await lin.page.locator(".title .v.go").wait_for()
        await lin.screen(f"{shot}-5-in-force")
        await lin.goes_to("/assessments")
        await lin.screen(f"{shot}-6-list")
