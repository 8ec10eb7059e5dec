"""Materials as people handle them: in Chromium, by scans and clicks, in both languages, in light and dark."""

import uuid
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.browser.accessible import barriers
from tests.services import things

HERE = ZoneInfo("Asia/Shanghai")


def ago(**parts):
    return f"{datetime.now(HERE) - timedelta(**parts):%Y-%m-%dT%H:%M}"


async def looks(person, name):
    """Keep what is seen, and ask whether everybody can use it."""
    await person.screen(name)
    assert await barriers(person.page) == [], name


async def wide(person):
    return await person.page.evaluate("document.documentElement.scrollWidth")


async def sends(person):
    await person.page.locator("form.entry button[type=submit]").click()


async def signs(site, person, name, *, reason=None):
    dialog = person.page.locator("dialog[open]")
    await dialog.wait_for()
    if reason:
        await dialog.locator("textarea").fill(reason)
    await dialog.locator("[name=password]").fill(site.lab.password(name))
    await dialog.locator("[name=totp]").fill(await site.lab.totp(name))
    await dialog.locator("button[type=submit]").click()


@pytest.mark.parametrize(
    ("locale", "scheme", "size"),
    [("en-GB", "light", (1024, 600)), ("zh-CN", "dark", (1920, 1080))],
)
async def test_a_serum_from_definition_to_rejection(site, locale, scheme, size):
    language = "zh" if locale == "zh-CN" else "en"
    shot = f"materials-{language}-{scheme}-{size[0]}"
    name = f"Fetal bovine serum {uuid.uuid4().hex[:6]}"
    country = {"en": "AU", "zh": "NZ"}[language]
    look = {"locale": locale, "color_scheme": scheme, "size": size}
    async with site.person(**look) as quinn, site.person(**look) as tess:
        await quinn.signs_in("quinn")
        await quinn.goes_to("/materials/catalogue/new")
        await quinn.page.fill("#name", name)
        await quinn.page.fill("#description", "胎牛血清 FBS")
        await quinn.page.check("input[name=kind][value=reagent]")
        await quinn.page.check("input[value=pharmacopoeial_excipient]")
        await quinn.page.check("input[name=known][value=all]")
        await quinn.page.fill("#components", "fetal bovine serum")
        assert not await quinn.page.locator("#species").is_visible()
        await quinn.page.check("input[name=animal_serum][value=yes]")
        await quinn.page.select_option("#species", "bovine")
        await quinn.page.check("input[name=animal_derived][value=yes]")
        await quinn.page.check("input[name=human_derived][value=no]")
        await quinn.page.fill("#opened_life_hours", "1,5")
        await sends(quinn)
        await quinn.page.locator("#opened_life_hours[aria-invalid=true]").wait_for()
        await looks(quinn, f"{shot}-1-define-refused")
        await quinn.page.fill("#opened_life_hours", "168")
        await sends(quinn)
        await quinn.comes_to(f"{site.address}/materials/catalogue")
        await looks(quinn, f"{shot}-2-catalogue")
        await things.assessed(site.lab, "MAT-04", name, "animal_free_search", "residual_test")

        await tess.signs_in("tess")
        await tess.goes_to("/materials/receive")
        assert await tess.page.evaluate("document.activeElement.id") == "scan"
        gtin = f"{uuid.uuid4().int % 10**14:014d}"
        await tess.scans(f"]d201{gtin}17{date.today() + timedelta(days=300):%y%m%d}10FBS-77")
        await tess.page.fill("#material", name)
        await looks(tess, f"{shot}-3-receive-scan")
        await sends(tess)
        await tess.page.locator("#supplier_lot").wait_for()
        assert await tess.page.input_value("#supplier_lot") == "FBS-77"
        await tess.page.fill("#supplier", "Good Supplies")
        await tess.page.fill("#certificate_reference", "CoA FBS-77")
        await tess.page.fill("#certificate_reviewed_at", ago(minutes=10))
        await tess.page.fill("#origin_countries", country)
        await tess.page.select_option("#processed_in", country)
        await tess.page.fill("#collected_on", f"{date.today() - timedelta(days=60)}")
        await looks(tess, f"{shot}-4-receive")
        await tess.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        await looks(tess, f"{shot}-4b-receive")
        await sends(tess)
        await tess.page.locator("#printer").wait_for()
        there = tess.page.url.removeprefix(site.address).removesuffix("/labels")
        await looks(tess, f"{shot}-4c-labels")
        await sends(tess)
        await tess.page.locator("#h-made").wait_for()
        await looks(tess, f"{shot}-4d-labelled")

        await quinn.goes_to(there)
        assert await quinn.page.locator("[data-rule=MAT-05]").get_attribute("data-outcome") == "fail"
        await looks(quinn, f"{shot}-5-lot-closed")
        assert await wide(quinn) <= size[0]
        await quinn.goes_to(f"/materials/animal-diseases/new?country={country}")
        await quinn.page.check("input[value=negligible]")
        await quinn.page.fill("#valid_from", "2010-01-01")
        await quinn.page.fill("#source", "WOAH resolution 20, 2026-05-28")
        await looks(quinn, f"{shot}-6-disease")
        await sends(quinn)
        await quinn.comes_to(f"{site.address}/materials/animal-diseases?country={country}")
        await looks(quinn, f"{shot}-7-diseases")
        await quinn.goes_to(there)
        assert await quinn.page.locator("[data-rule=MAT-05]").get_attribute("data-outcome") == "pass"
        await quinn.page.locator("a[href$=sign-material_approved]").click()
        await looks(quinn, f"{shot}-8-approving")
        await signs(site, quinn, "quinn")
        await quinn.page.locator("#h-signed").wait_for()

        await tess.goes_to(there)
        await tess.page.locator("a[href*='/opening']").first.click()
        assert await tess.page.input_value("#container") != ""
        await looks(tess, f"{shot}-9-opening")
        await sends(tess)
        await tess.page.locator("#h-containers").wait_for()
        await looks(tess, f"{shot}-10-lot-open")

        await quinn.page.locator("a[href$=sign-material_rejected]").click()
        await looks(quinn, f"{shot}-11-rejecting")
        await signs(site, quinn, "quinn", reason="The seal is broken.")
        await quinn.sees("The seal is broken.")
        await looks(quinn, f"{shot}-12-rejected")
        for path, end in (("/materials", "13-list"), ("/processes", "14-processes"), ("/processes/new", "15-process"),
                          ("/specifications", "16-specifications"), ("/specifications/new", "17-specification"),
                          (f"{there}/recall", "18-recall")):  # fmt: skip
            await quinn.goes_to(path)
            await looks(quinn, f"{shot}-{end}")
            assert await wide(quinn) <= size[0], path
