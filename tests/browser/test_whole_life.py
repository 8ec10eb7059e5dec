"""The whole life by scans and clicks: from a donor who is registered to a lot that is released, by everybody concerned.

Once in each language, light and dark. Every page that anybody stops at is looked at on the panel beside a hood and on a
desk's screen: nothing runs out of it, axe finds nothing serious, and the picture is kept in var/test/screens.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from tests import life
from tests.browser.accessible import barriers
from tests.browser.conftest import SCREENS, pictured
from tests.world import ok

if TYPE_CHECKING:
    from tests.browser.conftest import Person, Site

HERE = ZoneInfo("Asia/Shanghai")
PANEL, DESK = (1024, 600), (1920, 1080)


def ago(**parts: float) -> str:
    return f"{datetime.now(HERE) - timedelta(**parts):%Y-%m-%dT%H:%M}"


@dataclass
class Journey:
    """Everybody's browser, and what was made on the way."""

    site: Site
    stack: AsyncExitStack
    locale: str
    scheme: str
    size: tuple[int, int]
    people: dict[str, Person] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    async def be(self, name: str) -> Person:
        """This person, signed in at a browser of their own."""
        if name not in self.people:
            person = await self.stack.enter_async_context(
                self.site.person(locale=self.locale, color_scheme=self.scheme, size=self.size)
            )
            await person.signs_in(name)
            self.people[name] = person
        return self.people[name]

    async def look(self, person: Person, name: str) -> None:
        """Keep what is seen on both screens; note what runs out of it, and what would keep somebody from using it."""
        SCREENS.mkdir(parents=True, exist_ok=True)
        self.seen.append(name)
        page = person.page
        for width, height in (PANEL, DESK):
            await page.set_viewport_size({"width": width, "height": height})
            over = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if over > 0:
                self.wrong.append(f"{name} at {width}: {over} pixels too wide")
            self.wrong += [f"{name} at {width}: {each}" for each in await barriers(page)]
            shot = SCREENS / f"life-{len(self.seen):02}-{name}-{self.locale[:2]}-{width}.png"
            await pictured(page, shot, full_page=True)
        await page.set_viewport_size({"width": self.size[0], "height": self.size[1]})

    async def signs(self, person: Person, name: str, **fields: str) -> None:
        """Fill the dialog of a signature and send it."""
        page = person.page
        await page.locator("dialog:modal").wait_for()
        for field_name, value in fields.items():
            await page.fill(f"dialog [name={field_name}]", value)
        await page.fill("dialog input[name=password]", self.site.lab.password(name))
        await page.fill("dialog input[name=totp]", await self.site.lab.totp(name))
        await page.locator("dialog button[type=submit]").click()


async def sends(person: Person) -> None:
    await person.page.locator("main form.entry button[type=submit]").last.click()


async def arrives(person: Person, pattern: str) -> re.Match[str]:
    """Wait until the address fits, and give what it says."""
    await person.comes_to(re.compile(pattern))
    found = re.search(pattern, person.page.url)
    assert found is not None
    return found


async def verifies(journey: Journey, tess: Person, scanned: str, look: str = "") -> None:
    """Vera stands beside Tess: badge, PIN on the big keys, and a scan of the thing itself."""
    lab, page = journey.site.lab, tess.page
    await page.locator("dialog#verify #verify-badge:focus").wait_for()
    await tess.scans(lab.badge("vera"))
    await page.locator("#verify-pin:focus").wait_for()
    for digit in lab.pin("vera"):
        await page.locator(f'.keypad [data-digit="{digit}"]').click()
    if look:
        await journey.look(tess, look)
    await page.locator(".keypad [data-enter]").click()
    await page.locator("#verify-scanned:focus").wait_for()
    await tess.scans(scanned)
    await page.locator("#answer .tile.go").wait_for()


async def scans_into(tess: Person, *codes: str) -> None:
    """Scan into the form of a step, and wait until each has turned green."""
    await tess.page.locator("#raw").focus()
    for code in codes:
        await tess.scans(code)
    for code in codes:
        shown = f"{code[0]}-{code[1:4]}-{code[4:7]}-{code[7:10]}-{code[10]}"
        async with tess.waiting():
            await tess.page.locator(
                f"#taken li.on:has-text('{shown}'), #taken .taken-material:has-text('{shown}')"
            ).wait_for()


async def uses(tess: Person, bottles: list[str]) -> None:
    for bottle in bottles:
        await tess.page.fill(f"#quantity-{bottle}", "12.5")


async def made_and_labelled(tess: Person) -> list[str]:
    """After a step: the codes of what it made; their labels are printed."""
    await tess.page.locator(".ticks").wait_for()
    codes = [each.rsplit("/", 1)[1] for each in await hrefs(tess, ".ticks a")]
    await tess.page.locator("form.entry button[type=submit]").click()
    await tess.page.locator(".ticks li.on").first.wait_for()
    return codes


async def hrefs(person: Person, selector: str) -> list[str]:
    return [str(await each.get_attribute("href")) for each in await person.page.locator(selector).all()]


@pytest.mark.parametrize(
    ("locale", "scheme", "size"), [("en-GB", "light", PANEL), ("zh-CN", "dark", DESK)], ids=["english", "chinese"]
)
async def test_a_whole_life(site: Site, locale: str, scheme: str, size: tuple[int, int]) -> None:
    shared = await life.shared(site.lab)
    workstation = (await life.equipment(site.lab))["code"]
    async with AsyncExitStack() as stack:
        journey = Journey(site, stack, locale, scheme, size)
        donation = await a_donor(journey)
        lot = await planned(journey, shared, donation)
        vials = await prepared(journey, shared, lot, donation, workstation)
        await through_qc(journey, lot, vials)
        await released(journey, lot)
        assert not journey.wrong, "\n".join(journey.wrong)
        assert (
            await site.lab.value(
                "SELECT l.state FROM lab.lots l JOIN lab.item_codes k ON k.item_id = l.id WHERE k.code = $1", lot
            )
            == "released"
        )


async def a_donor(journey: Journey) -> str:
    """Registered, consented, matched, tested, donated, determined; the code of the donation."""
    tess = await journey.be("tess")
    await tess.goes_to("/donors/new")
    await journey.look(tess, "donor-case")
    await tess.page.locator("nav.cases a[href*=autologous]").click()
    await tess.page.fill("#name", "Wang Fang")
    await tess.page.fill("#hospital_number", f"MRN-{journey.locale}")
    await tess.page.fill("#birth_date", "1971-08-15")
    await journey.look(tess, "donor-new")
    await sends(tess)
    await tess.page.locator("#h-markers").wait_for()
    there = tess.page.url.removeprefix(journey.site.address)
    await tess.goes_to(f"{there}/consents/new")
    await tess.page.fill("#form_version", "ICF-2")
    await tess.page.fill("#signed_at", ago(days=5))
    for box in await tess.page.locator("#scopes input").all():
        await box.check()
    await journey.look(tess, "consent")
    await sends(tess)
    await tess.page.locator("#h-markers").wait_for()
    await tess.goes_to(f"{there}/identity-matches/new")
    for identifier in ("hospital_number", "birth_date"):
        await tess.page.check(f"input[value={identifier}]")
    await tess.page.fill("#second_by", "vera")
    await journey.look(tess, "identity-match")
    await sends(tess)
    await tess.page.locator("#h-markers").wait_for()
    await tess.goes_to(f"{there}/histories/new?questionnaire=Donor%20history")
    for each in await tess.page.locator("input[name^=answer-][value=no]").all():
        await each.check()
    await tess.page.check("input[name=examination][value=suitable]")
    await tess.page.fill("#examined_by", "Dr Phil Fang")
    for name in ("asked_at", "examined_at"):
        await tess.page.fill(f"#{name}", ago(days=4))
    await journey.look(tess, "history")
    await sends(tess)
    await tess.page.locator("#h-markers").wait_for()
    await tess.goes_to(f"{there}/donations/new")
    await tess.page.fill("#tissue", "bone marrow")
    await tess.page.fill("#volume_ml", "30")
    await tess.page.fill("#collected_at", ago(hours=6))
    await tess.page.fill("#received_at", ago(hours=4))
    await journey.look(tess, "donation-new")
    await sends(tess)
    donation = (await arrives(tess, r"/donations/([A-Z0-9]{11})$"))[1]

    ana = await journey.be("ana")
    await ana.goes_to(f"{there}/markers/new")
    for name, value in (("laboratory", "City laboratory"), ("method", "CLIA"), ("kit_lot", "K-26-11")):
        await ana.page.fill(f"#{name}", value)
    await ana.page.fill("#sampled_at", ago(days=4))
    await ana.page.fill("#reported_at", ago(days=3))
    for each in await ana.page.locator("fieldset.inline input[value=negative]").all():
        if "other" not in str(await each.get_attribute("name")):
            await each.check()
    await journey.look(ana, "markers")
    await sends(ana)
    await ana.page.locator("tr[data-state=negative]").first.wait_for()
    await journey.look(ana, "donor")

    phil = await journey.be("phil")
    await phil.goes_to(f"/donations/{donation}")
    await journey.look(phil, "donation")
    await phil.page.locator(".buttons .btn-release").click()
    await phil.page.check("input[value=eligible]")
    await journey.look(phil, "determination")
    await journey.signs(phil, "phil", reason="Every marker is negative.")
    await phil.page.locator(".title .v.go").first.wait_for()
    return donation


async def planned(journey: Journey, shared: life.Shared, donation: str) -> str:
    """A lot of the donation; its code."""
    tess = await journey.be("tess")
    await tess.goes_to("/lots/new")
    await tess.page.locator("#donation:focus").wait_for()
    await tess.scans(donation)
    await tess.page.select_option("#process", f"{shared.process['version']}:{shared.process['name']}")
    await tess.page.select_option("#specification", f"{shared.specification['version']}:{shared.specification['name']}")
    await journey.look(tess, "plan")
    await sends(tess)
    lot = (await arrives(tess, r"/lots/(L[A-Z0-9]{10})$"))[1]
    await journey.look(tess, "lot-planned")
    return lot


async def prepared(journey: Journey, shared: life.Shared, lot: str, donation: str, workstation: str) -> list[str]:
    """Cleared, isolated, passaged, filled, cleared again, frozen, each verified; the codes of the vials."""
    tess = await journey.be("tess")
    page = tess.page
    await tess.goes_to("/bench")
    await tess.scans(workstation)
    await page.locator(".steps-to-do a").first.wait_for()
    await journey.look(tess, "bench-clear")
    await page.locator(".steps-to-do a[href$=before]").click()
    await page.locator("#lot:focus").wait_for()
    await tess.scans(lot)
    for each in await page.locator("#checks input").all():
        await each.check()
    await journey.look(tess, "clearance")
    await sends(tess)
    await arrives(tess, r"verify=clearance-")
    await verifies(journey, tess, workstation, look="verify-clearance")
    await journey.look(tess, "bench-cleared")

    await page.locator(".steps-to-do a[href*=isolation]").click()
    await scans_into(tess, donation, *shared.bottles)
    await page.fill("#viable", "1.8e7")
    await page.fill("#dead", "1.1e6")
    await page.fill("#flasks", "2")
    await uses(tess, shared.bottles)
    await page.locator("#growth dd").first.get_by_text("94.2").wait_for()
    await journey.look(tess, "isolation")
    await page.locator("#step button[type=submit]").click()
    await arrives(tess, r"/bench/done/\d+$")
    await journey.look(tess, "isolation-done")
    flasks = await made_and_labelled(tess)
    await page.locator("a[href*='verify=step']").click()
    await verifies(journey, tess, flasks[0])
    await keeps(journey, tess, lot, "starting_material", donation, "mL", look="retain")

    flasks = await a_passage(journey, tess, shared, lot, flasks, look=True)
    flasks = await a_passage(journey, tess, shared, lot, flasks)

    await tess.goes_to("/bench")
    await page.locator(".steps-to-do a[href*=fill]").click()
    await scans_into(tess, *flasks, *shared.bottles)
    await uses(tess, shared.bottles)
    for name, value in (
        ("viable_harvested", "2.4e7"),
        ("dead_harvested", "1.2e6"),
        ("vials", "4"),
        ("volume_ml", "1"),
        ("viable_cells_per_vial", "5.2e6"),
    ):
        await page.fill(f"#{name}", value)
    await journey.look(tess, "fill")
    await page.locator("#step button[type=submit]").click()
    await arrives(tess, r"/bench/done/\d+$")
    vials = await made_and_labelled(tess)
    await journey.look(tess, "fill-done")
    await page.locator("a[href*='verify=step']").click()
    await verifies(journey, tess, vials[0])

    await page.locator(".steps-to-do a[href*=cryopreservation]").click()
    await scans_into(tess, shared.freezer)
    await page.locator("#programme input").first.check()
    await journey.look(tess, "freeze")
    await page.locator("#step button[type=submit]").click()
    await arrives(tess, r"/bench/done/\d+$")
    await journey.look(tess, "freeze-done")
    await page.locator("a[href*='verify=step']").click()
    await verifies(journey, tess, vials[1])
    await page.locator(".steps-to-do a[href$=after]").click()
    for each in await page.locator("#checks input").all():
        await each.check()
    await journey.look(tess, "clear-after")
    await sends(tess)
    await page.locator(".steps-to-do a[href$=before]").wait_for()
    return vials


async def a_passage(
    journey: Journey, tess: Person, shared: life.Shared, lot: str, flasks: list[str], *, look: bool = False
) -> list[str]:
    page = tess.page
    await tess.goes_to("/bench")
    await page.locator(".steps-to-do a[href*=passage]").click()
    await scans_into(tess, *flasks, *shared.bottles)
    if look:
        await tess.scans("NO-SUCH-LABEL")
        await page.locator(".is-refused").wait_for()
    for name, value in (
        ("viable_seeded", "5e5"),
        ("viable_harvested", "4.2e6"),
        ("dead_harvested", "2e5"),
        ("flasks", "2"),
    ):
        await page.fill(f"#{name}", value)
    await uses(tess, shared.bottles)
    await page.locator("#growth dd").get_by_text("3.07").first.wait_for()
    if look:
        await journey.look(tess, "passage")
        # What is half written is still there after the page was lost.
        await page.reload()
        await page.locator(f"#quantity-{shared.bottles[0]}").wait_for()
        await page.locator("#growth dd").get_by_text("3.07").first.wait_for()
        assert await page.input_value("#viable_harvested") == "4.2e6"
        assert await page.input_value(f"#quantity-{shared.bottles[0]}") == "12.5"
        assert await page.locator(".ticks li.on").count() == len(flasks)
        await page.fill("#flasks", "many")
        assert not await page.evaluate("document.querySelector('#flasks').checkValidity()"), "the browser refuses words"
        await page.fill("#flasks", "2,5")
        await page.locator("#step button[type=submit]").click()
        await page.locator("#flasks[aria-invalid=true]").wait_for()
        await journey.look(tess, "passage-refused")
        await page.fill("#flasks", "2")
    await page.locator("#step button[type=submit]").click()
    await arrives(tess, r"/bench/done/\d+$")
    made = await made_and_labelled(tess)
    await page.locator("a[href*='verify=step']").click()
    await verifies(journey, tess, made[0])
    return made


async def keeps(journey: Journey, tess: Person, lot: str, kind: str, source: str, unit: str, look: str = "") -> str:
    """A retain; its code."""
    await tess.goes_to(f"/lots/{lot}/retain")
    await tess.page.check(f"input[value={kind}]")
    await tess.page.locator("#source").focus()
    await tess.scans(source)
    await tess.page.fill("#quantity", "1")
    await tess.page.select_option("#unit", unit)
    await tess.page.fill("#place", "retain freezer 1")
    if look:
        await journey.look(tess, look)
    await sends(tess)
    return (await arrives(tess, r"/items/([A-Z0-9]{11})$"))[1]


async def through_qc(journey: Journey, lot: str, vials: list[str]) -> None:
    """A retain and a sample are taken, results measured and reviewed, labels counted."""
    tess = await journey.be("tess")
    await keeps(journey, tess, lot, "final_product", vials[-1], "vial")
    await tess.goes_to("/samples")
    await tess.page.locator("#code:focus").wait_for()
    await tess.scans(vials[-2])
    await arrives(tess, r"/sample\?from=")
    await journey.look(tess, "sample-new")
    await sends(tess)
    sample = (await arrives(tess, r"/items/([A-Z0-9]{11})$"))[1]

    lot_id = await journey.site.lab.value("SELECT item_id FROM lab.item_codes WHERE code = $1", lot)
    await journey.site.lab.arrange(life.CLEAN, lot_id)
    ana = await journey.be("ana")
    await ana.goes_to("/samples")
    await journey.look(ana, "samples")
    await ana.page.locator("#code").focus()
    await ana.scans(sample)
    await arrives(ana, rf"/samples/{sample}$")
    for test, (value, _) in life.FINDINGS.items():
        row = ana.page.locator(f"table.entering tr:has(th b:text-is('{test}'))")
        box = row.locator("input[type=checkbox]")
        if await box.count():
            await box.check()
        else:
            await row.locator("input[name^=value]").fill(str(value))
        await row.locator("input[name^=version]").fill("3")
    await journey.look(ana, "results-entry")
    await ana.page.locator("#results button[type=submit]").click()
    await ana.page.locator(".results-wide tbody tr").first.wait_for()
    await journey.look(ana, "results-recorded")

    rolf = await journey.be("rolf")
    await rolf.goes_to("/samples")
    await rolf.page.locator(f"a[href='/results/{lot}']").click()
    await rolf.page.locator(".buttons .btn-release").wait_for()
    await journey.look(rolf, "results-review")
    await rolf.page.locator(".buttons .btn-release").click()
    await rolf.page.check("dialog input[value=accepted]")
    await journey.look(rolf, "results-sign")
    await journey.signs(rolf, "rolf", remarks="Raw data and calculations looked through.")
    await rolf.page.locator("dialog").wait_for(state="detached")
    await journey.look(rolf, "results-reviewed")

    await tess.goes_to(f"/lots/{lot}/labels")
    printed = await tess.page.locator(".balance b").first.inner_text()
    for name, value in (("used", printed), ("destroyed", "0"), ("returned", "0")):
        await tess.page.fill(f"form[action$=count] [name={name}]", value)
    await journey.look(tess, "labels-count")
    await tess.page.locator("form[action$=count] button[type=submit]").click()
    await tess.page.locator(".balance .verdict .v.go").wait_for()


async def released(journey: Journey, lot: str) -> None:
    """The record is reviewed, submitted, and released by the quality authority."""
    quinn = await journey.be("quinn")
    await quinn.goes_to(f"/lots/{lot}/batch")
    await journey.look(quinn, "batch")
    await quinn.page.set_viewport_size({"width": 1000, "height": 1400})
    await quinn.page.emulate_media(media="print")
    assert await quinn.page.locator(".topbar").is_hidden()
    paper = await quinn.page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor")
    assert paper == "rgb(255, 255, 255)", "paper is white, whatever the screen is"
    await pictured(quinn.page, SCREENS / f"life-batch-printed-{journey.locale[:2]}.png", full_page=True)
    await quinn.page.emulate_media(media="screen")
    await quinn.page.set_viewport_size({"width": journey.size[0], "height": journey.size[1]})
    assert await quinn.page.locator(".blocking").count() == 0, await quinn.page.locator("main").inner_text()
    await quinn.page.locator(".buttons .btn-release").click()
    await quinn.page.check("dialog input[value=accepted]")
    await journey.look(quinn, "batch-sign")
    await journey.signs(quinn, "quinn", remarks="Complete.")
    await quinn.page.locator(f".buttons a[href='/lots/{lot}/moves/submit']").click()
    await quinn.page.locator("main form.entry").wait_for()
    await journey.look(quinn, "submit")
    await sends(quinn)
    await arrives(quinn, rf"/lots/{lot}$")
    await journey.look(quinn, "lot-awaiting")

    lin = await journey.be("lin")
    await lin.goes_to(f"/lots/{lot}/release")
    await journey.look(lin, "release")
    await lin.page.click("#release")
    await lin.page.locator("dialog:modal").wait_for()
    await journey.look(lin, "release-sign")
    await journey.signs(lin, "lin")
    await lin.page.locator("#seal").wait_for()
    await journey.look(lin, "released")


async def test_a_scan_finds_its_place_wherever_the_cursor_stands(site: Site) -> None:
    """A wedge types into whatever has the cursor: a field of counts gives it back, and loses nothing."""
    lived = await life.preparation(site.lab, upto="isolated")
    async with site.person() as tess:
        await tess.signs_in("tess")
        await tess.scans(lived.workstation)
        await tess.page.locator(".steps-to-do a[href*=passage]").click()
        await tess.page.fill("#viable_harvested", "4.2e6")
        await tess.page.locator("#viable_harvested").focus()
        await tess.scans(lived.flasks[0])
        await tess.page.locator(".ticks li.on").wait_for()
        assert await tess.page.input_value("#viable_harvested") == "4.2e6"
        await tess.page.locator("#viable_seeded").focus()
        await tess.page.keyboard.type("5e5")
        await tess.page.keyboard.press("Enter")
        assert await tess.page.evaluate("document.activeElement.id") == "viable_harvested"
        # Faster than the server answers: none is lost.
        await tess.page.locator("#raw").focus()
        for code in (*lived.shared.bottles, lived.flasks[1]):
            await tess.scans(code)
        await tess.page.locator(".ticks li.on").nth(1).wait_for()
        assert await tess.page.locator(".taken-material").count() == 2
        await tess.page.locator("[data-takes-out]").first.click()
        await tess.page.locator(".taken-material").nth(1).wait_for(state="detached")
        ok(await life.clear(lived, "after"))
        await tess.page.fill("#dead_harvested", "2e5")
        await tess.page.fill("#flasks", "2")
        await tess.page.fill(f"#quantity-{lived.shared.bottles[1]}", "3")
        await tess.page.locator("#step button[type=submit]").click()
        await tess.sees("GMP-03")
        await tess.screen("step-refused-by-rule")
        await tess.page.get_by_role("link", name="Record it as already happened…").click()
        assert await tess.page.input_value("#what") == "passage"
        assert "4200000" in await tess.page.input_value("#account")
        await tess.screen("step-second-door")


async def test_half_written_work_outlives_the_session(site: Site) -> None:
    """The screen locks while somebody counts cells: after unlocking all that was scanned and typed is there."""
    lived = await life.preparation(site.lab, upto="isolated")
    async with site.person() as tess:
        await tess.signs_in("tess")
        await tess.scans(lived.workstation)
        await tess.page.locator(".steps-to-do a[href*=passage]").click()
        await scans_into(tess, lived.flasks[0], lived.shared.bottles[0])
        await tess.page.fill("#viable_harvested", "4.2e6")
        await tess.page.fill(f"#quantity-{lived.shared.bottles[0]}", "7")
        cookies = {each["name"]: each["value"] for each in await tess.page.context.cookies()}
        digest = hashlib.sha256(cookies["stemma_session"].encode()).digest()
        await site.lab.sql(
            "UPDATE people.sessions SET seen_at = now() - interval '1 hour' WHERE token_sha256 = $1", digest
        )
        await tess.page.locator("#raw").focus()
        await tess.scans(lived.flasks[1])
        await arrives(tess, r"/unlock\?next=")
        await tess.page.locator("#badge:focus").wait_for()
        await tess.scans(site.lab.badge("tess"))
        await tess.scans(site.lab.pin("tess"))
        await arrives(tess, rf"/bench/steps/passage/{lived.lot}$")
        await tess.page.locator(f"#quantity-{lived.shared.bottles[0]}").wait_for()
        assert await tess.page.input_value("#viable_harvested") == "4.2e6"
        assert await tess.page.input_value(f"#quantity-{lived.shared.bottles[0]}") == "7"
        assert await tess.page.locator(".ticks li.on").count() == 1, "the scan that found no session was not taken"
