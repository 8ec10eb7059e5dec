"""A donor's record as people make it: in Chromium, by scans and clicks, in both languages, in light and dark."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.world import ok

HERE = ZoneInfo("Asia/Shanghai")


def ago(**parts):
    return f"{datetime.now(HERE) - timedelta(**parts):%Y-%m-%dT%H:%M}"


async def wide(person):
    return await person.page.evaluate("document.documentElement.scrollWidth")


async def sends(person):
    await person.page.locator("form.entry button[type=submit]").click()


@pytest.mark.parametrize(
    ("locale", "scheme", "size", "number"),
    [("en-GB", "light", (1024, 600), "=A999926700001"), ("zh-CN", "dark", (1920, 1080), "=A999926700002")],
)
async def test_a_donor_from_registration_to_determination(site, locale, scheme, size, number):
    person = {"name": "Sun Li", "hospital_number": f"H-{number}", "birth_date": "1990-02-03"}
    recipient = ok(await site.lab.as_("tess").post("/persons", {"identity": person}))["code"]
    shot = f"donor-{'zh' if locale == 'zh-CN' else 'en'}-{scheme}-{size[0]}"
    async with site.person(locale=locale, color_scheme=scheme, size=size) as tess:
        await tess.signs_in("tess")
        await tess.goes_to("/donors/new")
        await tess.screen(f"{shot}-1-case")
        await tess.page.locator("nav.cases a[href*=allogeneic]").click()
        await tess.page.fill("#name", "Li Ming")
        await tess.page.fill("#hospital_number", f"H-{shot}")
        await tess.page.fill("#birth_date", "1961-04-09")
        await tess.page.focus("#recipient")
        await tess.scans(recipient)
        await tess.screen(f"{shot}-2-new")
        await sends(tess)
        await tess.page.locator("#h-markers").wait_for()
        assert "Li Ming" not in await tess.page.content()
        there = tess.page.url.removeprefix(site.address)
        await tess.screen(f"{shot}-3-empty")

        await tess.goes_to(f"{there}/consents/new")
        await tess.page.fill("#form_version", "ICF-2")
        await tess.page.fill("#signed_at", ago(days=5))
        await sends(tess)
        await tess.page.locator("#scopes[aria-invalid=true]").wait_for()
        assert await tess.page.input_value("#form_version") == "ICF-2"
        await tess.screen(f"{shot}-4-consent-refused")
        for box in await tess.page.locator("#scopes input").all():
            await box.check()
        await sends(tess)
        await tess.page.locator("#h-markers").wait_for()

        await tess.goes_to(f"{there}/identity-matches/new")
        assert await tess.page.evaluate("document.activeElement.id") == "recipient"
        await tess.scans(recipient)
        for identifier in ("name", "hospital_number"):
            await tess.page.check(f"input[value={identifier}]")
        await tess.page.fill("#second_by", "vera")
        await tess.screen(f"{shot}-5-match")
        await sends(tess)
        await tess.page.locator("#h-markers").wait_for()

        await tess.goes_to(f"{there}/histories/new?questionnaire=Donor%20history")
        for each in await tess.page.locator("input[name^=answer-][value=no]").all():
            await each.check()
        await tess.page.check("input[name=examination][value=suitable]")
        await tess.page.fill("#asked_at", ago(days=4))
        await tess.page.fill("#examined_at", ago(days=4))
        await sends(tess)
        await tess.page.locator("#examined_by[aria-invalid=true]").wait_for()
        await tess.page.fill("#examined_by", "Dr Phil Fang")
        assert await wide(tess) <= size[0]
        await tess.screen(f"{shot}-5b-history")
        await sends(tess)
        await tess.page.locator("#h-markers").wait_for()

        # A scanner's Enter goes on to the next field; it does not send the form.
        await tess.goes_to(f"{there}/donations/new")
        assert await tess.page.evaluate("document.activeElement.id") == "din"
        await tess.scans(number + "00")
        assert await tess.page.evaluate("document.activeElement.id") == "tissue"
        await tess.page.keyboard.type("bone marrow")
        await tess.page.fill("#volume_ml", "1,5")
        await tess.page.fill("#collected_at", ago(hours=4))
        await tess.page.fill("#received_at", ago(hours=1))
        await sends(tess)
        await tess.page.locator("#volume_ml[aria-invalid=true]").wait_for()
        assert await tess.page.evaluate("document.activeElement.id") == "volume_ml"
        await tess.screen(f"{shot}-6-donation-refused")
        await tess.page.fill("#volume_ml", "42.5")
        await sends(tess)
        await tess.page.locator("#h-rules").wait_for()
        donation = tess.page.url.removeprefix(site.address)
        await tess.screen(f"{shot}-7-quarantine")
        assert await wide(tess) <= size[0]

    async with site.person(locale=locale, color_scheme=scheme, size=size) as ana:
        await ana.signs_in("ana")
        await ana.goes_to(f"{there}/markers/new")
        for field, value in (("laboratory", "City laboratory"), ("method", "CLIA"), ("kit_lot", "K-26-11")):
            await ana.page.fill(f"#{field}", value)
        await ana.page.fill("#sampled_at", ago(days=4))
        await ana.page.fill("#reported_at", ago(days=3))
        for field, value in (("weight_kg", "60"), ("blood_ml", "0"), ("colloid_ml", "0"), ("crystalloid_ml", "0")):
            await ana.page.fill(f"#{field}", value)
        await ana.screen(f"{shot}-8-markers")
        for each in await ana.page.locator("fieldset.inline input[value=negative]").all():
            if "other" not in await each.get_attribute("name"):
                await each.check()
        assert await wide(ana) <= size[0]
        await sends(ana)
        await ana.page.locator("tr[data-state=negative]").first.wait_for()
        assert await ana.page.locator("tr[data-state=negative]").count() == 14

    async with site.person(locale=locale, color_scheme=scheme, size=size) as quinn:
        await quinn.signs_in("quinn")
        await quinn.goes_to(donation)
        await quinn.page.locator(".buttons .btn-release").click()
        await quinn.page.locator("dialog:modal").wait_for()
        await quinn.screen(f"{shot}-9-sign")
        await quinn.page.check("input[value=eligible]")
        await quinn.page.fill("#sign-reason", "Every marker is negative.")
        await quinn.page.fill("input[name=password]", "certainly not this")
        await quinn.page.fill("input[name=totp]", "000000")
        await quinn.page.locator("dialog button[type=submit]").click()
        await quinn.page.locator("dialog .said-no").wait_for()
        assert await quinn.page.input_value("#sign-reason") == "Every marker is negative."
        assert await quinn.page.input_value("input[name=password]") == ""
        assert await quinn.page.is_checked("input[value=eligible]")
        await quinn.screen(f"{shot}-10-sign-refused")
        await site.lab.forget_failures("quinn")
        await quinn.page.fill("input[name=password]", site.lab.password("quinn"))
        await quinn.page.fill("input[name=totp]", await site.lab.totp("quinn"))
        await quinn.page.locator("dialog button[type=submit]").click()
        await quinn.page.locator(".title .v.go").first.wait_for()
        await quinn.screen(f"{shot}-11-determined")
        await quinn.goes_to(there)
        await quinn.screen(f"{shot}-12-donor")
        assert await wide(quinn) <= size[0]
        await quinn.goes_to("/donors")
        await quinn.screen(f"{shot}-13-list")
        await quinn.page.locator("details.menu summary").first.click()
        await quinn.screen(f"{shot}-14-menu")
        await quinn.page.keyboard.press("Escape")
        assert await quinn.page.locator("details.menu[open]").count() == 0
    decided = await site.lab.value(
        "SELECT t.decision FROM lab.determinations t JOIN lab.item_codes k ON k.item_id = t.donation_id WHERE k.code = $1",
        donation.rsplit("/", 1)[1],
    )
    assert decided == "eligible"


async def test_the_forms_and_the_sign_dialog_work_without_scripts(site):
    async with site.person(java_script_enabled=False) as tess:
        await tess.goes_to("/sign-in")
        await tess.page.fill("#username", "tess")
        await tess.page.fill("#password", site.lab.password("tess"))
        await tess.page.fill("#totp", await site.lab.totp("tess"))
        await tess.page.locator("main button").click()
        await tess.goes_to("/donors/new?case=autologous")
        await tess.page.fill("#name", "Zhao Yi")
        await tess.page.fill("#hospital_number", "H-NOSCRIPT")
        await tess.page.fill("#birth_date", "1970-01-01")
        await sends(tess)
        there = tess.page.url.removeprefix(site.address)
        await tess.goes_to(f"{there}/donations/new")
        await tess.page.fill("#tissue", "skin")
        await tess.page.fill("#collected_at", ago(hours=4))
        await tess.page.fill("#received_at", ago(hours=1))
        await sends(tess)
        await tess.page.locator("#h-rules").wait_for()
        donation = tess.page.url.removeprefix(site.address)
    async with site.person(java_script_enabled=False) as quinn:
        await quinn.goes_to("/sign-in")
        await quinn.page.fill("#username", "quinn")
        await quinn.page.fill("#password", site.lab.password("quinn"))
        await quinn.page.fill("#totp", await site.lab.totp("quinn"))
        await quinn.page.locator("main button").click()
        await quinn.goes_to(donation)
        await quinn.page.locator(".buttons .btn-release").click()
        await quinn.page.check("input[value=ineligible]")
        await quinn.page.fill("#sign-reason", "Not tested.")
        await quinn.page.fill("input[name=password]", site.lab.password("quinn"))
        await quinn.page.fill("input[name=totp]", await site.lab.totp("quinn"))
        await quinn.screen("donor-sign-without-scripts")
        await quinn.page.locator("dialog button[type=submit]").click()
        await quinn.sees("donor not eligible")
