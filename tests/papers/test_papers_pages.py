"""Papers on pages: a button makes one and the browser shows it; what was made is listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import life
from tests.web.browsing import Browser, words

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.world import Lab


@pytest.fixture
async def quinn(lab: Lab) -> AsyncIterator[Browser]:
    browser = Browser(lab)
    await browser.sign_in("quinn")
    yield browser
    await browser.http.aclose()


@pytest.fixture(scope="module")
async def lot(lab: Lab) -> life.Life:
    return await life.preparation(lab, upto="released")


async def test_a_button_makes_a_paper_and_the_browser_shows_it(quinn: Browser, lot: life.Life) -> None:
    page = f"/lots/{lot.lot}/papers"
    assert "None was made yet." in words((await quinn.get(page)).text)
    made = await quinn.post(page, {"kind": "batch_summary", "language": "zh_CN"}, page=page)
    assert made.status_code == 303
    shown = await quinn.get(made.headers["location"])
    assert shown.headers["content-type"] == "application/pdf"
    assert shown.content.startswith(b"%PDF")
    number = made.headers["location"].partition("number=")[2]
    assert number in shown.headers["content-disposition"]
    listed = words((await quinn.get(page)).text)
    assert number in listed
    assert "Quinn Qiu" in listed


async def test_the_pages_of_lot_release_and_donation_lead_to_papers(quinn: Browser, lot: life.Life) -> None:
    for path in (f"/lots/{lot.lot}", f"/lots/{lot.lot}/release"):
        page = (await quinn.get(path)).text
        assert f'action="/lots/{lot.lot}/papers"' in page, path
        assert "Certificate of release" in page
    page = (await quinn.get(f"/donations/{lot.donation}/papers")).text
    assert "Donor eligibility sheet" in page
    assert "Certificate of release" not in page


async def test_a_certificate_before_its_seal_says_what_it_waits_for(quinn: Browser, lab: Lab) -> None:
    fresh = await life.preparation(lab, upto="awaiting_release")
    page = f"/lots/{fresh.lot}/papers"
    answer = await quinn.post(page, {"kind": "certificate", "language": "en"}, page=page)
    assert answer.status_code == 409
    assert "It is not released, or is so no longer." in words(answer.text)


@pytest.mark.parametrize(
    "fields",
    [{"kind": "", "language": "en"}, {"kind": "x", "language": "en"}, {"kind": "certificate", "language": "<b>"}],
)
async def test_a_form_of_another_shape_is_refused(quinn: Browser, lot: life.Life, fields: dict[str, str]) -> None:
    page = f"/lots/{lot.lot}/papers"
    answer = await quinn.post(page, fields, page=page)
    assert answer.status_code == 422
    assert "<b>" not in answer.text.partition("<main")[2].replace("<b>Scan", "")


async def test_a_form_that_another_site_sent_makes_nothing(quinn: Browser, lot: life.Life) -> None:
    answer = await quinn.post(f"/lots/{lot.lot}/papers", {"kind": "batch_summary", "language": "en", "csrf": "x"})
    assert answer.status_code == 403
