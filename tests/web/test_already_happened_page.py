"""The form of the second door: what was typed is never thrown away, and what cannot be made out is kept in words."""

import pytest

from labels.codes import CodeKind, new_code
from tests import life
from tests.web.browsing import hidden_fields, words

PAGE = "/bench/already-happened"
FIELDS = {"what": "other", "account": "Something fell.", "class": "minor", "occurred_at": "2026-11-20T10:00"}


async def tell(browser, **more):
    return await browser.post(PAGE, FIELDS | more, page=PAGE)


async def scan(browser, raw):
    csrf = (await browser.get("/bench")).text.split('data-csrf="')[1].split('"')[0]
    fields = {"raw": raw, "csrf": csrf, "intent": "identify"}
    return await browser.http.post("/bench/scan", data=fields, headers={"hx-request": "true"})


async def test_an_account_that_names_nothing_is_kept_on_the_facility_and_the_page_says_so(lab, browser_of):
    kept = await tell(await browser_of("rolf"))
    assert kept.status_code == 200
    said = words(kept.text)
    assert "Kept as it happened" in said
    assert "on the facility itself" in said
    assert "Nothing is on hold" in said


async def test_what_cannot_be_made_out_is_shown_as_kept_in_words(lab, browser_of):
    lived = await life.preparation(lab, upto="isolated")
    browser = await browser_of("tess")
    misread = "F3K7PX2M9AT"

    kept = await tell(browser, what="passage", item=misread, lot=lived.lot, performed_by="the <b>porter</b>")

    assert kept.status_code == 200
    said = words(kept.text)
    assert misread in said
    assert "the <b>porter</b>" in said
    assert "What it touches is on hold" in said
    assert await lab.value("SELECT count(*) FROM lab.steps WHERE lot_id = $1 AND happened_anyway", await lived.lot_id())
    other = await tell(browser, what="passage", item=lived.flasks[0], lot="smudged")
    assert "could not be entered as such" in words(other.text)


async def test_sent_twice_it_is_kept_once_and_says_the_same(lab, browser_of):
    browser = await browser_of("tess")
    form = hidden_fields((await browser.get(PAGE)).text) | FIELDS | {"item": "smudged"}
    before = await lab.value("SELECT count(*) FROM lab.deviations")

    first, again = [await browser.http.post(PAGE, data=form) for _ in range(2)]

    assert await lab.value("SELECT count(*) FROM lab.deviations") == before + 1
    assert words(first.text) == words(again.text)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("account", ""),
        ("account", " \n "),
        ("what", "party"),
        ("occurred_at", "yesterday"),
        ("occurred_at", "2999-01-01T10:00"),
        ("occurred_at", "1999-01-01T10:00"),
        ("occurred_at", "0001-01-01T00:00"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(lab, browser_of, field, wrong):
    before = await lab.value("SELECT count(*) FROM lab.deviations")
    answer = await tell(await browser_of("tess"), item="a bottle", **{field: wrong})
    assert answer.status_code == 422
    assert f'id="{field}-wrong"' in answer.text
    assert answer.text.count("is-invalid") == 1
    assert 'value="a bottle"' in answer.text
    if field == "account":
        assert "Nothing is said in your own words" in words(answer.text)
    else:
        assert "Something fell." in answer.text
    assert await lab.value("SELECT count(*) FROM lab.deviations") == before


async def test_in_chinese_nothing_of_the_answer_is_english(lab, browser_of):
    browser = await browser_of("tess", language="zh-CN")
    lived = await life.preparation(lab, upto="isolated")
    kept = await tell(browser, item=lived.flasks[0], account="培养箱整夜未关。")
    assert kept.status_code == 303
    tile = await scan(browser, lived.flasks[0])
    assert "培养箱整夜未关。" in words(tile.text)
    assert "already happened" not in words(tile.text)


async def test_an_unknown_and_a_misread_code_lead_to_the_form_with_what_was_scanned(lab, browser_of):
    browser = await browser_of("tess")
    code = new_code(CodeKind.FLASK)
    for raw, filled in (
        (code, code),
        (code[:-1] + ("A" if code[-1] != "A" else "B"), code[:-1] + ("A" if code[-1] != "A" else "B")),
        ('<"&=\x1d', "&lt;&#34;&amp;=\\x1d"),
    ):
        tile = (await scan(browser, raw)).text
        assert 'class="tile stop"' in tile
        link = tile.split('href="/bench/already-happened')[1].split('"')[0]
        page = await browser.get(f"{PAGE}{link.replace('&amp;', '&')}")
        assert f'name="item" value="{filled}"' in page.text, raw
