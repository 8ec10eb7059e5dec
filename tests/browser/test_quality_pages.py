"""Deviations, holds, waivers, people, appointments and the audit in Chromium: by scans and clicks, in both languages."""

import pytest

from tests import life
from tests.browser.accessible import barriers
from tests.world import ok


async def wide(person):
    return await person.page.evaluate("document.documentElement.scrollWidth")


async def sends(person, form="form.entry"):
    await person.page.locator(f"{form} button[type=submit]").first.click()


async def signs(person, name):
    lab = person.site.lab
    await person.page.locator("dialog:modal").wait_for()
    await person.page.fill("dialog input[name=password]", lab.password(name))
    await person.page.fill("dialog input[name=totp]", await lab.totp(name))
    await person.page.locator("dialog button[type=submit]").click()
    async with person.waiting():
        await person.page.locator("dialog").wait_for(state="detached")


WAYS = [("en-GB", "light", (1024, 600)), ("zh-CN", "dark", (1920, 1080))]


@pytest.mark.parametrize(("locale", "scheme", "size"), WAYS)
async def test_a_deviation_from_the_flask_to_the_signature(site, locale, scheme, size):
    lived = await life.preparation(site.lab, upto="isolated")
    shot = f"quality-{'zh' if locale == 'zh-CN' else 'en'}-{size[0]}"
    async with site.person(locale=locale, color_scheme=scheme, size=size) as tess:
        await tess.signs_in("tess")
        await tess.goes_to("/deviations/new")
        assert await tess.page.evaluate("document.activeElement.id") == "item"
        await tess.scans(lived.flasks[0])
        assert await tess.page.evaluate("document.activeElement.id") == "what"
        await tess.page.keyboard.type("The flask fell from the rack; the cap held.")
        await tess.screen(f"{shot}-1-new")
        await tess.page.locator("label.big", has=tess.page.locator("input[value=major]")).click()
        await sends(tess)
        await tess.page.locator("#h-what").wait_for()
        there = tess.page.url.removeprefix(site.address)
        await tess.page.locator("a[href^='/holds/new']").click()
        await tess.page.fill("#reason", "fell from the rack")
        await tess.screen(f"{shot}-2-hold")
        await sends(tess)
        await tess.page.locator("#h-reason").wait_for()
        hold = tess.page.url.removeprefix(site.address)
        assert await wide(tess) <= size[0]
    async with site.person(locale=locale, color_scheme=scheme, size=size) as quinn:
        await quinn.signs_in("quinn")
        await quinn.goes_to("/deviations")
        await quinn.screen(f"{shot}-3-list")
        assert await wide(quinn) <= size[0]
        await quinn.goes_to(there)
        await quinn.page.fill("#assessment", "The cap held, nothing was spilled; the cells show no change.")
        await sends(quinn)
        await quinn.page.locator(".buttons .btn-release").wait_for()
        await quinn.screen(f"{shot}-4-assessed")
        assert await wide(quinn) <= size[0]
        await quinn.page.locator(".buttons .btn-release").click()
        await quinn.page.locator("dialog:modal").wait_for()
        await quinn.page.check("input[value=none]")
        await quinn.screen(f"{shot}-5-sign")
        await signs(quinn, "quinn")
        await quinn.screen(f"{shot}-6-closed")
        await quinn.goes_to(hold)
        await quinn.page.locator(".buttons .btn-release").click()
        await quinn.screen(f"{shot}-7-lift")
        await signs(quinn, "quinn")
        await quinn.goes_to("/holds")
        await quinn.screen(f"{shot}-8-holds")
        await quinn.goes_to(f"/lots/{lived.lot}/waivers/new")
        await quinn.screen(f"{shot}-9-waiver")
        assert await wide(quinn) <= size[0]
        await quinn.goes_to("/audit")
        await quinn.screen(f"{shot}-10-audit")
        assert await wide(quinn) <= size[0]
        await quinn.page.fill("#subject", there.rsplit("/", 1)[1])
        await quinn.page.locator("form.sieve button").click()
        await quinn.page.locator("tr.linked a").first.click()
        await quinn.page.locator("#h-what").wait_for()
        await quinn.screen(f"{shot}-11-entry")
        assert await wide(quinn) <= size[0]
        await quinn.page.locator("a[href^='/audit/record/']").first.click()
        await quinn.screen(f"{shot}-12-record")
        await quinn.goes_to(f"/audit/item/{lived.lot}")
        await quinn.screen(f"{shot}-13-item")
    state = await site.lab.value("SELECT state FROM lab.deviations WHERE number = $1", there.rsplit("/", 1)[1])
    assert state == "closed"


@pytest.mark.parametrize(("locale", "scheme", "size"), WAYS)
async def test_people_are_let_in_trained_and_proposed(site, locale, scheme, size):
    tag = "zh" if locale == "zh-CN" else "en"
    shot = f"people-{tag}-{size[0]}"
    async with site.person(locale=locale, color_scheme=scheme, size=size) as adam:
        lab = site.lab
        await adam.goes_to("/sign-in")
        await adam.page.fill("#username", "adam")
        await adam.page.fill("#password", lab.password("adam"))
        await adam.page.fill("#totp", await lab.totp("adam"))
        await adam.page.locator("main form button").click()
        await adam.page.wait_for_url("**/administration")
        await adam.goes_to("/people")
        await adam.screen(f"{shot}-1-list")
        assert await wide(adam) <= size[0]
        await adam.goes_to("/people/new")
        await adam.page.fill("#printed_name", "Zhang Wei")
        await adam.page.fill("#username", f"zhang.{tag}")
        await adam.page.check("input[value=technician]")
        await adam.screen(f"{shot}-2-new")
        await sends(adam)
        await adam.page.locator("svg.qr").wait_for()
        await adam.screen(f"{shot}-3-factors")
        assert await wide(adam) <= size[0]
        await adam.goes_to(f"/people/zhang.{tag}")
        await adam.page.locator("form[action$='/badge'] button").click()
        await adam.page.locator("form[action$='/badge/revocation']").wait_for()
        await adam.screen(f"{shot}-4-account")
        assert await wide(adam) <= size[0]
        await adam.goes_to("/people/me")
        await adam.screen(f"{shot}-5-me")
        assert await wide(adam) <= size[0]
        await adam.goes_to("/people/me/totp")
        await adam.screen(f"{shot}-6-totp")
    async with site.person(locale=locale, color_scheme=scheme, size=size) as quinn:
        await quinn.signs_in("quinn")
        await quinn.goes_to(f"/people/zhang.{tag}/training")
        await quinn.screen(f"{shot}-7-training")
        assert await wide(quinn) <= size[0]
        await quinn.goes_to("/people/appointments")
        await quinn.screen(f"{shot}-8-authority")
        assert await wide(quinn) <= size[0]
        await quinn.goes_to("/people/appointments/new")
        await quinn.page.fill("#account", f"zhang.{tag}")
        await quinn.page.fill("#title_certificate", "CERT-7")
        await quinn.page.locator("label.big", has=quinn.page.locator("input[value=senior]")).first.click()
        await quinn.page.fill("#employer-0", "Riverside Cell Bank")
        await quinn.page.fill("#position-0", "QA manager")
        await quinn.page.fill("#from_on-0", "2018-01-01")
        await quinn.page.fill("#evidence-0", "letter of 2026-01-05")
        await quinn.page.keyboard.press("Tab")
        async with quinn.waiting():
            await quinn.page.locator("#counted .v.go").wait_for()
        await quinn.screen(f"{shot}-9-propose")
        assert await wide(quinn) <= size[0]
        await sends(quinn)
        await quinn.page.locator("#h-supports").wait_for()
        await quinn.screen(f"{shot}-10-proposal")
        assert await wide(quinn) <= size[0]
    proposed = await site.lab.value("SELECT count(*) FROM people.proposals WHERE title_certificate = 'CERT-7'")
    assert proposed >= 1
    assert ok(await site.lab.as_("quinn").get("/appointments"))["proposals"]


QUALITY = (
    "/deviations", "/deviations/new", "/holds", "/holds/new", "/people", "/people/me", "/people/me/totp", "/people/tess",
    "/people/tess/training", "/people/appointments", "/people/appointments/1", "/people/appointments/new", "/audit",
    "/audit/entry/5?proof=1",
)  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_keeps_anybody_from_using_these_pages(site, scheme):
    found = {}
    async with site.person(color_scheme=scheme, size=(1024, 600)) as quinn:
        await quinn.signs_in("quinn")
        for path in QUALITY:
            await quinn.goes_to(path)
            if said := await barriers(quinn.page):
                found[path] = said
    assert not found, found
