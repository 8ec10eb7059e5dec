"""Items: found by code or name, shown with where they came from, who did what, and what this person may do now."""

from __future__ import annotations

import re

import pytest

from labels.codes import CodeKind, format_code, new_code
from tests import life
from tests.services import things
from tests.web.browsing import words

HOSTILE = (
    "<script>alert(1)</script>",
    "' OR 1=1 --",
    "=HYPERLINK(1)",
    "\u202egnirts",
    "{{ 7 * 7 }}",
    "%00",
    "x" * 5000,
    "\ud83d\ude00",
)


@pytest.fixture(scope="module")
async def lived(lab):
    """A lot that awaits release."""
    return await life.preparation(lab)


async def found(browser, typed):
    answer = await browser.get("/items", params={"q": typed})
    assert answer.status_code == 303, words(answer.text)
    return answer.headers["location"]


def ways_of(page):
    """Where the page says that one may go on."""
    if 'class="ways"' not in page:
        return []
    return re.findall(r'<a href="([^"]+)"', page.split('class="ways"')[1].split("</nav>")[0])


async def test_what_is_scanned_or_typed_leads_to_the_item(lab, browser_of, lived):
    browser = await browser_of("tess")
    vial = lived.vials[0]
    pseudonym = await lab.value("SELECT pseudonym FROM lab.persons WHERE id = $1", await lived.id(lived.donor))
    station = await lab.value("SELECT name FROM lab.equipment WHERE id = $1", await lived.id(lived.workstation))
    for typed, there in (
        (vial, vial),
        (format_code(vial).lower(), vial),
        (f"]d1{vial}", vial),
        (lived.name, lived.lot),
        (f" {lived.name.lower()} ", lived.lot),
        (pseudonym, lived.donor),
        (station, lived.workstation),
    ):
        assert await found(browser, typed) == f"/items/{there}", typed


async def test_a_donation_is_found_by_its_own_number(lab, browser_of):
    donor = await things.donor(lab)
    number = things.din()
    donation = await things.donation(lab, donor["code"], din=number)
    browser = await browser_of("tess")
    assert await found(browser, number) == f"/items/{donation['code']}"


async def test_what_nobody_bears_is_said_and_the_box_keeps_it(lab, browser_of):
    browser = await browser_of("tess")
    answer = await browser.get("/items", params={"q": "never seen"})
    assert answer.status_code == 404
    assert "There is no item" in words(answer.text)
    assert 'value="never seen"' in answer.text
    misread = await browser.get("/items", params={"q": "F3K7PX2M9AA"})
    assert misread.status_code == 422
    assert "check character" in words(misread.text)
    assert (await browser.get(f"/items/{new_code(CodeKind.VIAL)}")).status_code == 404


@pytest.mark.parametrize("typed", HOSTILE)
async def test_hostile_text_in_the_search_does_nothing(lab, browser_of, typed):
    browser = await browser_of("tess")
    answer = await browser.get("/items", params={"q": typed.encode("utf-16", "surrogatepass").decode("utf-16")})
    assert 400 <= answer.status_code < 500
    assert "<script>alert" not in answer.text
    assert "49" not in words(answer.text).split("There is no item")[-1][:20]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("vial", "Vial"),
        ("flask", "Flask"),
        ("donation", "Donation"),
        ("person", "Person"),
        ("lot", "Lot"),
        ("bottle", "Material"),
        ("sample", "Sample"),
        ("retain", "Retain sample"),
        ("workstation", "Workstation"),
        ("freezer", "Equipment"),
        ("material", "Lot"),
        ("shelf", "Shelf"),
        ("position", "Position"),
        ("badge", "Badge"),
    ],
)
@pytest.mark.parametrize("who", ["tess", "quinn"])
async def test_every_kind_has_its_page(lab, browser_of, lived, who, name, says):
    if name in {"shelf", "position", "badge"}:
        _, code = await things.item(lab, name, CodeKind[name.upper()])
    else:
        code = {
            "vial": lived.vials[0],
            "flask": lived.all_flasks[0],
            "donation": lived.donation,
            "person": lived.donor,
            "lot": lived.lot,
            "bottle": lived.shared.bottles[0],
            "sample": lived.samples[0],
            "retain": lived.retains[0],
            "workstation": lived.workstation,
            "freezer": lived.shared.freezer,
            "material": lived.shared.material_lots[0],
        }[name]
    browser = await browser_of(who)
    page = await browser.get(f"/items/{code}")
    assert page.status_code == 200
    assert says in words(page.text.split("<h1")[0].split('class="head"')[1] + page.text.split("<h1")[1][:200])
    assert format_code(code) in page.text


async def test_a_vial_says_where_it_came_from_and_where_it_is(lab, browser_of, lived):
    browser = await browser_of("tess")
    page = (await browser.get(f"/items/{lived.vials[0]}")).text
    came = page.split("Came from")[1].split("Became")[0]
    for code in (lived.flasks[0], lived.donation, lived.donor, lived.shared.bottles[0], lived.shared.material_lots[0]):
        assert f'href="/items/{code}"' in came, code
    assert f'href="/items/{lived.shared.freezer}"' in page.split("Where it is")[1]
    assert f'href="/lots/{lived.lot}"' in page
    flask = (await browser.get(f"/items/{lived.all_flasks[0]}")).text
    became = flask.split("Became")[1].split("What happened")[0]
    assert f'href="/items/{lived.vials[0]}"' in became
    assert f'href="/items/{lived.samples[0]}"' in became


async def test_the_story_names_people_as_they_are_called_and_the_audit_only_those_who_may(lab, browser_of, lived):
    for_tess = (await (await browser_of("tess")).get(f"/items/{lived.flasks[0]}")).text
    story = words(for_tess.split("What happened", 1)[1])
    assert "Made by passage P2" in story
    assert f"Went into fill P2 of {lived.name}" in story
    assert lab.cast["tess"]["printed_name"] in story
    assert "Audit entry" not in story
    for_quinn = words(
        (await (await browser_of("quinn")).get(f"/items/{lived.flasks[0]}")).text.split("What happened", 1)[1]
    )
    assert "Audit entry" in for_quinn
    assert "passage cells" in for_quinn
    assert "fill vials" in for_quinn


async def test_what_may_be_done_depends_on_who_looks_and_on_what_it_is(lab, browser_of, lived):
    tess, vera, quinn = [await browser_of(name) for name in ("tess", "vera", "quinn")]
    vial, gone = lived.vials[0], lived.all_flasks[0]
    assert f"/lots/{lived.lot}/sample?from={vial}" in ways_of((await tess.get(f"/items/{vial}")).text)
    assert f"/lots/{lived.lot}/sample?from={vial}" not in ways_of((await vera.get(f"/items/{vial}")).text)
    used = ways_of((await tess.get(f"/items/{gone}")).text)
    assert f"/lots/{lived.lot}" in used
    assert not any("/sample" in each for each in used), "a flask that is used up is sampled no more"
    planned = ways_of((await tess.get(f"/items/{lived.donation}")).text)
    assert f"/lots/new?donation={lived.donation}" in planned
    for browser, code in ((tess, vial), (quinn, lived.lot), (quinn, lived.donor), (tess, lived.shared.bottles[0])):
        for there in ways_of((await browser.get(f"/items/{code}")).text):
            assert (await browser.get(there.replace("&amp;", "&"))).status_code in {200, 303}, there


async def test_a_hold_is_seen_first(lab, browser_of):
    made = await things.preparation(lab, (await things.eligible_donation(lab))["code"])
    await things.hold(lab, made["lot"], "temperature <b>excursion</b>")
    page = (await (await browser_of("vera")).get(f"/items/{made['vial_code']}")).text
    assert page.index("On hold") < page.index("Came from")
    assert "temperature &lt;b&gt;excursion" in page


async def test_equipment_shelves_and_positions_are_defined_and_listed(lab, browser_of):
    hedda, tess = await browser_of("hedda"), await browser_of("tess")
    for kind, letter in (("incubator", "E"), ("shelf", "S"), ("position", "N")):
        name = f"{kind} <i>{new_code(CodeKind.BADGE)}"
        kept = await hedda.post("/items/new", {"kind": kind, "name": name, "room": "B-07"}, page="/items/new")
        assert kept.status_code == 303, words(kept.text)
        there = kept.headers["location"]
        assert there.startswith(f"/items/{letter}")
        assert "<i>" not in (await tess.get(there)).text
        assert there in (await tess.get("/items", params={"kind": kind})).text
        again = await hedda.post("/items/new", {"kind": kind, "name": name, "room": "B-07"}, page="/items/new")
        assert again.status_code == 409, "no two bear the same name"
    assert (await tess.get("/items/new")).status_code == 403
    assert "/items/new" not in (await tess.get("/items")).text
    empty = await hedda.post("/items/new", {"kind": "castle", "name": "", "room": "\x01"}, page="/items/new")
    assert empty.status_code == 422
    assert empty.text.count('aria-invalid="true"') == 3


async def test_an_administrator_finds_nothing(lab, browser_of, lived):
    adam = await browser_of("adam")
    for path in ("/items", f"/items/{lived.vials[0]}", "/items?q=x", f"/lots/{lived.lot}/lineage"):
        assert (await adam.get(path)).status_code == 403, path
