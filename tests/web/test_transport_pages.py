"""Shippers and the ways of a lot on their pages."""

import uuid
from datetime import UTC, datetime

import pytest

from tests import life
from tests.services.test_partners import partner
from tests.study import day
from tests.web.browsing import words
from tests.web.test_laboratory_pages import DIGEST, local


async def shipper(browser, **more):
    given = {"shipper": f"Box <b>{uuid.uuid4().hex[:6]}</b>", "low_c": "2", "high_c": "8", "hours_max": "24"}
    given |= {"qualified_on": day(-9), "valid_to": day(300), "file_name": "oq.pdf", "file_sha256": DIGEST, **more}
    return given["shipper"], await browser.post("/shippers", given, page="/shippers")


async def test_a_lot_is_carried_and_its_rule_answers(lab, browser_of):
    quinn, tess = await browser_of("quinn"), await browser_of("tess")
    _, wrong = await shipper(quinn, high_c="1")
    assert wrong.status_code == 422
    assert "It is below the lower one." in words(wrong.text)
    name, kept = await shipper(quinn)
    assert kept.status_code == 303, words(kept.text)
    assert "<b>" + name[7:13] not in (await quinn.get("/shippers")).text
    lived = await life.preparation(lab, upto="sampled")
    page = f"/lots/{lived.lot}/transport"
    assert page in (await tess.get(f"/lots/{lived.lot}")).text
    at = await local(lab, datetime.now(UTC))
    given = {"partner": (await partner(lab))["name"], "shipper": name, "from_place": "Works", "to_place": "House"}
    given |= {"dispatched_at": at, "handed_over_by": "Tess", "arrived_at": at, "received_by": "Vera"}
    given |= {"min_c": "3", "max_c": "9.5", "file_name": "log.csv", "file_sha256": DIGEST, "excursion": ""}
    early = await tess.post(page, given | {"dispatched_at": f"{day(3)}T00:00"}, page=page)
    assert early.status_code == 422
    assert "is yet to come" in words(early.text)
    assert (await tess.post(page, given, page=page)).headers["location"] == page
    assert "3 to 9.5 °C" in words((await tess.get(page)).text)
    assert 'data-rule="EXT-04"' in (await quinn.get(f"/lots/{lived.lot}")).text


@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_both_pages_are_there_and_show_a_form_to_whoever_may(lab, browser_of, language):
    lived = await life.preparation(lab, upto="planned")
    quinn = await browser_of("quinn", language=language)
    for path in ("/shippers", f"/lots/{lived.lot}/transport"):
        assert 'action="' + path in (await quinn.get(path)).text
        assert 'action="' + path not in (await (await browser_of("ana")).get(path)).text
    assert (await quinn.get("/lots/L0000000000/transport")).status_code == 404
