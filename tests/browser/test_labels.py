"""The print queue and the count of labels as people meet them, in both languages, light and dark, small and large."""

from pathlib import Path

import axe_playwright_python
import pytest

from devices.printer import PrinterReason
from devices.simulated import SimulatedPrinter
from tests.services import things
from tests.services.test_printing import printer, queued, sending, until
from tests.world import ok

LOOKS = [
    ("en-GB", (1280, 800), "light", "en"),
    ("zh-CN", (1024, 600), "light", "zh"),
    ("en-GB", (1920, 1080), "dark", "dark"),
]
# What no page may do: overflow sideways, leave a button too small for a glove, leave a field without a label.
TROUBLES = """() => {
  const found = [];
  if (document.documentElement.scrollWidth > innerWidth + 1) found.push('wider than the screen');
  for (const each of document.querySelectorAll('main button, main .btn')) {
    const box = each.getBoundingClientRect();
    if (box.height && box.height < 44) found.push('small: ' + each.textContent.trim() + ' ' + box.height);
  }
  for (const each of document.querySelectorAll('main input:not([type=hidden]), main select, main textarea'))
    if (!each.labels.length) found.push('no label: ' + each.name);
  let level = 0;
  for (const each of document.querySelectorAll('main h1, main h2, main h3')) {
    const now = Number(each.tagName[1]);
    if (now > level + 1) found.push('heading out of order: ' + each.textContent);
    level = now;
  }
  const ids = [...document.querySelectorAll('[id]')].map(each => each.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push('twice: ' + id);
  return found;
}"""


AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()


async def troubles(person):
    """What a person at this page would stumble over; axe's serious findings among them."""
    await person.page.evaluate(AXE)
    found = await person.page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'best-practice']})")
    serious = [
        (each["id"], [node["html"] for node in each["nodes"]][:3])
        for each in found["violations"]
        if each["impact"] in {"serious", "critical"}
    ]
    return serious + await person.page.evaluate(TROUBLES)


@pytest.fixture(scope="module")
async def counted(site):
    """A lot whose labels do not come out."""
    lab = site.lab
    lot = await things.preparation(lab, (await things.eligible_donation(lab))["code"])
    for _ in range(3):
        await things.cells(lab, lot["lot"], "vial", parent=lot["flask"])
    ok(await lab.as_("tess").post(f"/lots/{lot['lot_code']}/labels", {}))
    ok(await lab.as_("tess").post(f"/items/{lot['vial_code']}/labels", {"reason": "smeared"}))
    body = {"used": 4, "destroyed": 0, "returned": 0, "remark": "one not found"}
    ok(await lab.as_("tess").post(f"/lots/{lot['lot_code']}/label-counts", body))
    number = ok(
        await lab.as_("tess").post(
            "/deviations",
            {"item": lot["lot_code"], "what": "one label is missing", "class": "minor", "rules": ["REL-04"]},
        )
    )["number"]
    return lot, number


@pytest.mark.parametrize(("locale", "size", "scheme", "name"), LOOKS)
async def test_the_pages_of_labels_in_every_look(site, counted, locale, size, scheme, name):
    lot, _ = counted
    async with site.person(locale=locale, size=size, color_scheme=scheme) as tess:
        await tess.signs_in("tess")
        for path, shown in ((f"/lots/{lot['lot_code']}/labels", "lot"), (f"/items/{lot['vial_code']}/labels", "item")):
            await tess.goes_to(path)
            await tess.screen(f"labels-{shown}-{name}")
            assert await troubles(tess) == []
    async with site.person(locale=locale, size=size, color_scheme=scheme) as hedda:
        await hedda.signs_in("hedda")
        await hedda.goes_to("/labels/printers/new")
        await hedda.screen(f"labels-printer-{name}")
        assert await troubles(hedda) == []


async def test_quality_states_what_was_done_about_a_missing_label(site, counted):
    lot, number = counted
    async with site.person() as quinn:
        await quinn.signs_in("quinn")
        await quinn.goes_to(f"/lots/{lot['lot_code']}/labels")
        await quinn.sees("missing: 1", "The count does not come out")
        await quinn.page.get_by_role("button", name="State it").scroll_into_view_if_needed()
        await quinn.screen("labels-imbalance")
        for field, typed in (("search", "twice"), ("mix_up_risk", "no other lot"), ("independent_evidence", "STR")):
            await quinn.page.fill(f"#explain-{field}", typed)
        await quinn.page.get_by_role("button", name="State it").click()
        await quinn.sees(f"Stated under deviation {number}", "waits for the signature that closes it")
        assert await troubles(quinn) == []
        await quinn.screen("labels-imbalance-stated")


@pytest.mark.parametrize(("locale", "size", "scheme", "name"), LOOKS)
async def test_the_queue_moves_by_itself_and_asks_a_person_where_nobody_knows(site, locale, size, scheme, name):
    lab = site.lab
    async with SimulatedPrinter(burning_s=0.4) as works, SimulatedPrinter() as empty:
        empty.troubles.add(PrinterReason.PAPER_OUT)
        good, bad = [await printer(lab, f"127.0.0.1:{each.port}", room="B-02") for each in (works, empty)]
        stuck, _ = await queued(lab, bad, 2)
        async with site.person(locale=locale, size=size, color_scheme=scheme) as tess:
            await tess.signs_in("tess")
            async with sending(lab):
                going, _ = await queued(lab, good, 5)
                await until(lab, stuck[0], "failed")
                await tess.goes_to("/labels")
                await tess.page.locator(".trouble").first.wait_for()
                await tess.screen(f"labels-queue-{name}")
                assert await troubles(tess) == []
                await until(lab, going[-1], "printed")
                # Without a reload: the printer's own section says that nothing waits.
                section = tess.page.locator(f"section[aria-labelledby=p-{good['code']}]")
                await section.locator(".v.go").wait_for()
                empty.troubles.clear()
                await tess.page.locator(f"form[action='/labels/jobs/{stuck[0]}/retry'] button").click()
                await until(lab, stuck[-1], "printed")
                await tess.page.locator(f"section[aria-labelledby=p-{bad['code']}] .v.go").wait_for()
