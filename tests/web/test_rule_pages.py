"""The rule book as pages: found by words of either language, each rule in full, and what stands before it now."""

import re

import pytest

from app.rules import RULES
from tests import life
from tests.web.browsing import words


@pytest.fixture(scope="module")
async def failing(lab):
    """A lot with a failing sterility result."""
    return await life.preparation(lab, upto="tested", findings={"sterility": ("growth", None)})


def listed(page):
    return re.findall(r'<tr id="([A-Z0-9-]+)"', page)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_words_of_either_language_find_a_rule(browser_of, language):
    browser = await browser_of("tess", language=language)
    assert listed((await browser.get("/rules")).text) == [each.id for each in RULES]
    for sought in ("qa-03", "QA-03", "three years", "三年", "qa03.years"):
        found = listed((await browser.get("/rules", params={"q": sought})).text)
        assert "QA-03" in found, sought
        assert len(found) < len(RULES)
    assert listed((await browser.get("/rules?q=%3Cscript%3E")).text) == []


async def test_rules_are_sieved_by_gate_waiver_and_standing(browser_of):
    browser = await browser_of("tess")
    by_id = {each.id: each for each in RULES}
    for query, holds in (
        ("gate=G1", lambda rule: "G1" in rule.gates),
        ("waiver=never", lambda rule: not rule.waiver),
        ("waiver=quality_authority", lambda rule: "quality_authority" in rule.waiver),
        ("standing=unverified", lambda rule: any(cite.status == "unverified" for cite in rule.cites)),
    ):
        found = listed((await browser.get(f"/rules?{query}")).text)
        assert found == [each.id for each in RULES if holds(by_id[each.id])], query
    assert len(listed((await browser.get("/rules?gate=%27&waiver=%3Cb%3E&standing=x")).text)) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
async def test_every_rule_has_its_page(browser_of, rule):
    browser = await browser_of("adam")
    page = await browser.get(f"/rules/{rule.id}")
    assert page.status_code == 200
    said = words(page.text)
    assert str(rule.title) in said
    for each in rule.breaks:
        assert each.name in said
    assert ("nobody" in said) or rule.waiver
    assert "How what is open stands before it" not in said, "who keeps accounts reads no lots"


async def test_a_rule_page_shows_its_settings_as_they_hold(browser_of):
    browser = await browser_of("quinn")
    said = words((await browser.get("/rules/QA-03")).text)
    assert "qa03.years 3 a" in said
    assert "version 1, since" in said


async def test_a_rule_page_leads_to_the_lots_that_it_closes(lab, browser_of, failing):
    browser = await browser_of("quinn")
    for _ in range(100):
        page = (await browser.get("/rules/REL-02/open?since=0", headers={"hx-request": "true"})).text
        if "hx-trigger" not in page:
            break
    row = re.search(
        rf'<tr[^>]*data-leads-to="/lots/{failing.lot}/release" data-outcome="fail">.*?</tr>', page, re.DOTALL
    )
    assert row, page
    assert "sterility" in words(row[0])
    assert 'data-rule="REL-02" data-outcome="fail"' in (await browser.get(f"/lots/{failing.lot}/release")).text
    whole = await browser.get("/rules/REL-02/open")
    assert "<!doctype html>" in whole.text, "works without scripts"


@pytest.mark.parametrize(
    "path", ["/rules/XX-99", "/rules/qa-03", "/rules/QA-03%3Cb%3E", "/rules/QA-03/open?since=nan", "/rules/XX-99/open"]
)
async def test_an_address_that_is_no_rule_leads_nowhere(browser_of, path):
    browser = await browser_of("quinn")
    assert (await browser.get(path)).status_code in {404, 422}


async def test_far_moments_are_no_trouble(browser_of):
    browser = await browser_of("quinn")
    for since in ("1e30", "-1e30", "inf"):
        assert (await browser.get(f"/rules/QA-03/open?since={since}")).status_code in {200, 404, 422}
    later = await browser.get("/rules/QA-03/open?since=99999999999", headers={"hx-request": "true"})
    assert later.status_code == 200


def test_no_counterexample_holds_a_placeholder():
    assert [each.name for rule in RULES for each in rule.breaks if "{" in each.name or "}" in each.name] == []
