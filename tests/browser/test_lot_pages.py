"""A lot's growth, timeline, lineage and containers, and items, as people see them: both languages, light and dark, printed."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from labels.codes import CodeKind
from tests import life
from tests.browser.conftest import SCREENS, pictured
from tests.services import things
from tests.world import ok

SIZES = {"panel": (1024, 600), "wide": (1920, 1080), "phone": (390, 844)}
BEGUN = """
WITH made AS (
    INSERT INTO lab.lots (id, name, kind, state, version, donor_id, donation_id, recipient_id, process_id, specification_id, recorded_by)
    SELECT $1::bigint, 'PREP-26-9' || $1::bigint::text, 'preparation', 'quarantine', 3, d.donor_id, d.id, d.donor_id,
        (SELECT id FROM lab.process_versions WHERE name = $4), (SELECT id FROM lab.specifications WHERE name = $5), $3
    FROM lab.donations d WHERE d.id = $2 RETURNING id)
INSERT INTO lab.lot_history (lot_id, seq, kind, from_state, act, to_state, recorded_by, recorded_at)
SELECT made.id, h.seq, 'preparation', h.before, h.act, h.after, $3, now() - make_interval(days => h.days)
FROM made, (VALUES (1, 'none', 'plan', 'planned', 42), (2, 'planned', 'begin', 'in_process', 40),
    (3, 'in_process', 'finish', 'quarantine', 9)) AS h(seq, before, act, after, days)
"""
STEP = """
INSERT INTO lab.steps (lot_id, kind, passage, performed_by, verified_by, started_at, ended_at, viable_seeded, viable_harvested,
    dead_harvested, viability_percent, pd, cpdl, parameters, recorded_by)
VALUES ($1, $2, $3, $4, $5, now() - make_interval(days => $6), now() - make_interval(days => $6 - $7) - interval '4 hours',
    $8, $9, $10, $11, $12, $13, '{}', $4) RETURNING id
"""
CONTAINER = """
INSERT INTO lab.containers (id, lot_id, kind, state, passage, volume_ml, viable_cells, step_id, recorded_by)
VALUES ($1, $2, $3, $4, $5, 1, 5200000, $6, $7)
"""
DESCENT = "INSERT INTO lab.lineage (parent_id, child_id, step_id) SELECT unnest($1::bigint[]), $2, $3"
CULTURE = (
    # kind, passage, begun days ago, days long, seeded, harvested, dead, viability %, PD, cumulative PDL, made, how many
    ("isolation", 0, 40, 8, None, 5e5, 3e4, 94.3, None, 0, "flask", 2),
    ("passage", 1, 32, 7, 5e5, 4.2e6, 2e5, 95.5, 3.0704, 3.0704, "flask", 2),
    ("passage", 2, 25, 6, 4e6, 2.6e7, 9e5, 96.7, 2.7004, 5.7708, "flask", 3),
    ("passage", 3, 19, 9, 2.4e7, 1.31e8, 1.2e7, 91.6, 2.4484, 8.2192, "flask", 4),
    ("fill", 3, 10, 1, None, 1.27e8, 9e6, 93.4, None, 8.2192, "vial", 24),
)
"""Six weeks, as a laboratory counts them. They cannot be waited for, and what is kept cannot be moved: they are laid down."""


@dataclass
class Grown:
    """A lot that lasted six weeks."""

    lot: str
    vials: list[str]
    name: str


@pytest.fixture(scope="module")
async def lived(site):
    """A lot of six weeks with 24 vials, three passages, a closed deviation and an open hold."""
    lab = site.lab
    given = await life.preparation(lab, upto="eligible")
    shared = given.shared
    donation = await given.id(given.donation)
    bottles = [await given.id(each) for each in shared.bottles]
    lot, code = await things.item(lab, "lot", CodeKind.LOT)
    tess, vera = lab.id_of("tess"), lab.id_of("vera")
    await lab.arrange(BEGUN, lot, donation, tess, shared.process["name"], shared.specification["name"])
    parents, vials, flasks = [donation], [], []
    for kind, passage, begun, days, *counts, made, how_many in CULTURE:
        step = (await lab.arrange(STEP, lot, kind, passage, tess, vera, begun, days, *counts))[0][0]
        children = []
        for _ in range(how_many):
            item, item_code = await things.item(lab, "container", CodeKind[made.upper()])
            state = "stored" if made == "vial" else "consumed"
            await lab.arrange(CONTAINER, item, lot, made, state, passage, step, tess)
            await lab.arrange(DESCENT, [*parents, *bottles], item, step)
            children.append(item)
            (vials if made == "vial" else flasks).append(item_code)
        parents = children
    retain = {"kind": "final_product", "from": vials[-1], "quantity": "1", "unit": "vial", "place": "retain freezer 1"}
    ok(await lab.as_("tess").post(f"/lots/{code}/retains", retain))
    sample = ok(await lab.as_("tess").post(f"/lots/{code}/samples", {"from": vials[-2], "purpose": "release testing"}))[
        "code"
    ]
    for test, (value, unit) in life.FINDINGS.items():
        body = {"test": test, "value": value, "unit": unit, "method_version": "1", "measured_at": life.now()}
        ok(await lab.as_("ana").post(f"/samples/{sample}/results", body))
    await life.deviation_closed(lab, flasks[0], what="the incubator's door stood open for ten minutes")
    ok(
        await lab.as_("tess").post(
            "/holds", {"item": code, "reason": "temperature excursion of LN2-01 under investigation"}
        )
    )
    name = await lab.value("SELECT name FROM lab.lots WHERE id = $1", lot)
    return Grown(code, vials, name)


async def overflow(page):
    """By how many pixels the page is wider than the window."""
    return await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


async def shot(person, name):
    SCREENS.mkdir(parents=True, exist_ok=True)
    await pictured(person.page, SCREENS / f"{name}.png", full_page=True)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
async def test_the_pages_of_a_lot_fit_their_screen(site, lived, locale, size):
    scheme = "dark" if size == "panel" else "light"
    async with site.person(locale=locale, size=SIZES[size], color_scheme=scheme) as quinn:
        await quinn.signs_in("quinn")
        for name, path in (
            ("list", "/lots"),
            ("lot", f"/lots/{lived.lot}"),
            ("timeline", f"/lots/{lived.lot}/timeline"),
            ("lineage", f"/lots/{lived.lot}/lineage"),
            ("containers", f"/lots/{lived.lot}/containers"),
            ("vial", f"/items/{lived.vials[0]}"),
            ("items", "/items"),
            ("destroy", f"/lots/{lived.lot}/moves/destroy"),
        ):
            await quinn.goes_to(path)
            await quinn.page.locator("main h1").first.wait_for()
            assert await overflow(quinn.page) <= 0, path
            await shot(quinn, f"lots-{name}-{locale[:2]}-{size}")
        if locale == "zh-CN":
            await quinn.goes_to(f"/lots/{lived.lot}")
            await quinn.sees("自体骨髓间充质干细胞冻存制剂")


async def test_a_lineage_opens_a_group_and_leads_to_a_vial(site, lived):
    async with site.person() as quinn:
        await quinn.signs_in("quinn")
        await quinn.goes_to(f"/lots/{lived.lot}/lineage")
        assert await quinn.page.locator("svg.lineage g.vial .code").count() == 0
        await quinn.page.locator("svg.lineage g.vial a").first.click()
        await quinn.page.wait_for_url("**opened=**")
        assert await quinn.page.locator("svg.lineage g.vial .code").count() == 24
        await shot(quinn, "lots-lineage-opened")
        await quinn.page.locator("svg.lineage g.vial a:has(.code)").nth(3).click()
        await quinn.page.wait_for_url(f"**/items/{lived.vials[3]}")


async def test_the_pictures_can_be_printed(site, lived):
    async with site.person(size=(1000, 1400)) as quinn:
        await quinn.signs_in("quinn")
        await quinn.page.emulate_media(media="print")
        for name in ("", "/timeline", "/lineage"):
            await quinn.goes_to(f"/lots/{lived.lot}{name}")
            assert await quinn.page.locator(".tabs").is_hidden()
            assert await quinn.page.locator(".topbar").is_hidden()
            assert await overflow(quinn.page) <= 0, name
            await shot(quinn, f"lots-printed{name.replace('/', '-')}")


async def test_a_scan_in_the_search_box_goes_to_the_item(site, lived):
    async with site.person() as tess:
        await tess.signs_in("tess")
        await tess.goes_to("/items")
        await tess.page.locator("#q:focus").wait_for()
        await tess.scans(lived.vials[0])
        await tess.page.wait_for_url(f"**/items/{lived.vials[0]}")
        await tess.goes_to("/items")
        await tess.page.locator("#q:focus").wait_for()
        await tess.page.keyboard.type(lived.name.lower())
        await tess.page.keyboard.press("Enter")
        await tess.page.wait_for_url(f"**/items/{lived.lot}")
        await shot(tess, "items-lot")
        await tess.goes_to("/items?q=nobody+knows+this")
        await tess.sees("There is no item")
        await shot(tess, "items-unknown")


async def test_a_rejection_is_signed_in_its_dialog(site):
    lot = await life.preparation(site.lab, upto="planned")
    async with site.person(size=SIZES["panel"]) as quinn:
        await quinn.signs_in("quinn")
        await quinn.goes_to(f"/lots/{lot.lot}")
        await quinn.page.get_by_role("link", name="reject a lot").click()
        await quinn.sees("A rejected lot is never used")
        await quinn.page.fill("textarea[name=reason]", "the donor withdrew")
        await quinn.page.fill("input[name=password]", "certainly not this")
        await quinn.page.fill("input[name=totp]", await site.lab.totp("quinn"))
        await quinn.page.get_by_role("button", name="Sign and reject").click()
        await quinn.sees("Nothing was signed")
        assert await quinn.page.input_value("textarea[name=reason]") == "the donor withdrew"
        assert await quinn.page.input_value("input[name=password]") == ""
        await quinn.screen("lots-rejection-refused")
        await site.lab.forget_failures("quinn")
        await quinn.page.fill("input[name=password]", site.lab.password("quinn"))
        await quinn.page.fill("input[name=totp]", await site.lab.totp("quinn"))
        await quinn.page.get_by_role("button", name="Sign and reject").click()
        await quinn.page.wait_for_url(f"**/lots/{lot.lot}")
        await quinn.sees("rejected")
    assert await lot.state() == "rejected"
