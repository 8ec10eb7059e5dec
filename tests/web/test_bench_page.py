"""The bench: a scan is answered in colour, word, sign and next step, and kept."""

import pytest

from labels.codes import CodeKind, new_code
from tests import life
from tests.web.browsing import hidden_fields, words


@pytest.fixture(scope="module")
async def cleared(lab):
    """A lot whose cells are at a workstation."""
    return await life.preparation(lab, upto="isolated")


@pytest.fixture(scope="module")
async def another(lab):
    """Another donor's lot."""
    return await life.preparation(lab, upto="isolated")


async def scan(browser, raw, *, key=None, intent="identify"):
    page = await browser.get("/bench")
    csrf = page.text.split('data-csrf="')[1].split('"')[0]
    fields = {"raw": raw, "csrf": csrf, "intent": intent} | ({"key": key} if key else {})
    return await browser.http.post("/bench/scan", data=fields, headers={"hx-request": "true"})


async def scans_of(lab, name):
    return await lab.value("SELECT count(*) FROM lab.scans WHERE account_id = $1", lab.id_of(name))


async def test_a_known_item_is_answered_green_with_its_lot_and_donor(lab, browser_of, cleared):
    browser = await browser_of("tess")
    answer = await scan(browser, cleared.flasks[0])
    assert answer.status_code == 200
    assert 'class="tile go"' in answer.text
    assert cleared.name in words(answer.text)
    assert f'href="/lots/{cleared.lot}"' in answer.text


async def test_a_workstations_label_moves_the_session_there_and_the_side_shows_what_is_there(
    lab, browser_of, cleared, another
):
    browser = await browser_of("tess")
    answer = await scan(browser, cleared.workstation)
    assert "You work at" in words(answer.text)
    side = words((await browser.get("/bench/workplace")).text)
    assert cleared.name in side
    assert "Isolation P0" in side
    refused = await scan(browser, another.flasks[0])
    assert 'class="tile stop"' in refused.text
    assert "Another donor's item" in words(refused.text)
    assert f"/bench/already-happened?item={another.flasks[0]}" in refused.text


async def test_a_misread_and_an_unknown_code_are_red_and_kept(lab, browser_of):
    browser = await browser_of("tess")
    before = await scans_of(lab, "tess")
    code = new_code(CodeKind.FLASK)
    unknown = await scan(browser, code)
    assert "Unknown code" in words(unknown.text)
    misread = await scan(browser, code[:-1] + ("A" if code[-1] != "A" else "B"))
    assert "Misread" in words(misread.text)
    for hostile in ("<img src=x>", "\x00\x1d", "\ud7ff" * 700, " ", "]d1" + code):
        answer = await scan(browser, hostile)
        assert answer.status_code == 200, hostile
        assert "<img" not in answer.text
    assert await scans_of(lab, "tess") == before + 7


async def test_the_same_key_is_the_same_scan(lab, browser_of, cleared):
    browser = await browser_of("tess")
    before = await scans_of(lab, "tess")
    first = await scan(browser, cleared.flasks[0], key="one-scan")
    again = await scan(browser, cleared.flasks[0], key="one-scan")
    assert first.text == again.text
    assert await scans_of(lab, "tess") == before + 1


async def test_a_scan_without_our_own_page_is_refused_and_not_kept(lab, browser_of):
    browser = await browser_of("tess")
    before = await scans_of(lab, "tess")
    answer = await browser.http.post("/bench/scan", data={"raw": "x", "csrf": "guessed"}, headers={"hx-request": "1"})
    assert answer.status_code == 403
    assert "said-no" in answer.text
    assert await scans_of(lab, "tess") == before


async def test_a_scan_after_the_session_ended_leads_to_the_sign_in(lab, browser):
    answer = await browser.http.post("/bench/scan", data={"raw": "x"}, headers={"hx-request": "true"})
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/sign-in"


async def test_an_administrator_has_no_bench(lab, browser_of):
    browser = await browser_of("adam")
    page = await browser.get("/bench")
    assert page.status_code == 403
    assert "You may not" in words(page.text)


async def test_the_bench_opens_with_no_answer_of_another_time(lab, browser_of, cleared):
    browser = await browser_of("tess")
    assert 'class="tile go"' in (await scan(browser, cleared.flasks[0])).text
    page = (await browser.get("/bench")).text
    shown = page.split('id="answer"')[1].split("<template")[0]
    assert "Ready" in words(shown)
    assert 'class="tile rest"' in shown
    assert "data-scan" not in shown
    assert cleared.name in page.split('id="log"')[1], "the last scans stay in their list"


async def test_an_address_alone_claims_no_deviation(lab, browser_of):
    browser = await browser_of("tess")
    for claimed in ("DV-99-9999", "DV-٢٦-0001", "nonsense"):
        page = await browser.get("/bench", params={"already": claimed})
        assert page.status_code == 200
        assert "Kept as it happened" not in words(page.text), claimed


async def test_what_has_already_happened_is_kept_and_the_bench_says_so(lab, browser_of, another):
    browser = await browser_of("tess")
    before = await lab.value("SELECT count(*) FROM lab.deviations")
    there = f"/bench/already-happened?item={another.flasks[0]}"
    fields = {
        "what": "other",
        "account": "The flask stood outside the incubator for two hours.",
        "class": "major",
        "occurred_at": "2026-11-20T10:00",
        "item": another.flasks[0],
        "lot": "",
        "performed_by": "",
    }
    page = (await browser.get(there)).text
    assert f'value="{another.flasks[0]}"' in page
    hidden = hidden_fields(page)
    kept = await browser.http.post("/bench/already-happened", data=hidden | fields)
    assert kept.status_code == 303, words(kept.text)
    again = await browser.http.post("/bench/already-happened", data=hidden | fields)
    assert again.headers["location"] == kept.headers["location"]
    assert await lab.value("SELECT count(*) FROM lab.deviations") == before + 1
    bench = words((await browser.get(kept.headers["location"])).text)
    assert "Kept as it happened" in bench
    assert "on hold" in bench
