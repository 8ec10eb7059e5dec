"""What if, as a page: says that nothing is decided, shows both sides, and keeps what was typed."""

import re

import pytest

from tests import life
from tests.web.browsing import words


@pytest.fixture(scope="module")
async def ready(lab):
    """A lot that awaits release."""
    return await life.preparation(lab)


@pytest.fixture(scope="module")
async def begun(lab):
    """A lot that is not finished."""
    return await life.preparation(lab, upto="isolated")


def field(page, label):
    return re.search(rf'<label class="form-label" for="([^"]+)">{label}', page)[1]


@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_both_sides_stand_beside_each_other(browser_of, ready, language):
    browser = await browser_of("quinn", language=language)
    page = f"/lots/{ready.lot}/what-if"
    form = (await browser.get(page)).text
    answer = await browser.post(page, {field(form, "sterility"): "growth <b>"}, page=page)
    assert answer.status_code == 200
    row = re.search(r'<tr data-rule="REL-02" data-changes>.*?</tr>', answer.text, re.DOTALL)[0]
    assert "growth &lt;b&gt;" in answer.text, "what was typed stands in the form still"
    assert row.count('class="v ') == 2
    if language == "en":
        assert "Nothing is decided here." in words(answer.text)


async def test_a_lot_page_leads_there(browser_of, begun):
    browser = await browser_of("tess")
    assert f'href="/lots/{begun.lot}/what-if"' in (await browser.get(f"/lots/{begun.lot}")).text


async def test_what_is_no_number_is_said_at_its_field_and_nothing_is_judged(browser_of, ready):
    browser = await browser_of("quinn")
    page = f"/lots/{ready.lot}/what-if"
    name = field((await browser.get(page)).text, "viability")
    answer = await browser.post(page, {name: "many"}, page=page)
    assert answer.status_code == 422
    assert f'id="{name}-wrong"' in answer.text
    assert 'id="answer"' not in answer.text


async def test_nothing_supposed_answers_nothing(browser_of, ready):
    browser = await browser_of("quinn")
    page = f"/lots/{ready.lot}/what-if"
    answer = await browser.post(page, {}, page=page)
    assert answer.status_code == 200
    assert 'id="answer"' not in answer.text


async def test_another_sites_form_is_refused(lab, browser_of, ready):
    browser = await browser_of("quinn")
    answer = await browser.post(f"/lots/{ready.lot}/what-if", {"csrf": "x", "pack": "EU"})
    assert answer.status_code == 403


@pytest.mark.parametrize("fields", [{"pack": "<b>"}, {"waivers": "QA-05"}, {"at": "tomorrow"}])
async def test_what_is_not_offered_is_refused(browser_of, ready, fields):
    browser = await browser_of("quinn")
    page = f"/lots/{ready.lot}/what-if"
    answer = await browser.post(page, fields, page=page)
    assert answer.status_code == 422
    assert 'id="answer"' not in answer.text
