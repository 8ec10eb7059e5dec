"""Why is this blocked? One click from wherever it is shown: findings, citation, evidence, remedy."""

import re
from dataclasses import replace

import pytest

from app.domain.rulebook import Gate, judge
from app.rules import BY_ID, RULES
from app.web.shell import environment
from tests import life
from tests.rules.clean import AT, SIGNER, clean
from tests.services import things
from tests.web.browsing import words
from tests.world import ok


@pytest.fixture(scope="module")
async def failing(lab):
    """A lot with a failing sterility result."""
    return await life.preparation(lab, upto="tested", findings={"sterility": ("growth", None)})


@pytest.fixture(scope="module")
async def held(lab):
    """A lot of its own with a hold on a flask."""
    made = await life.preparation(lab, upto="isolated")
    ok(await lab.as_("tess").post("/holds", {"item": made.flasks[0], "reason": "a cloudy flask"}))
    return made


async def test_a_lot_says_what_closes_with_citation_and_remedy(browser_of, failing):
    browser = await browser_of("quinn")
    page = (await browser.get(f"/why/{failing.lot}")).text
    row = re.search(r'<tr class="closes" data-rule="REL-02".*?</tr>', page, re.DOTALL)[0]
    assert 'href="/rules/REL-02"' in row
    assert 'class="cite"' in row
    assert "<b>" in row
    assert "sterility" in words(row)
    assert page.index('data-rule="REL-02"') < page.index('data-rule="REL-05"'), "what closes stands first"


async def test_a_vial_and_a_sample_are_asked_for_their_lot(browser_of, failing):
    browser = await browser_of("tess")
    for code in (failing.vials[0], failing.samples[0], failing.retains[0]):
        page = (await browser.get(f"/why/{code}")).text
        assert failing.name in page
        assert 'class="closes" data-rule="REL-02"' in page


async def test_a_hold_stands_above_everything(browser_of, held):
    browser = await browser_of("tess")
    page = (await browser.get(f"/why/{held.flasks[0]}")).text
    assert "a cloudy flask" in words(page)
    assert page.index("a cloudy flask") < page.index("What keeps the gate closed")
    assert 'class="closes" data-rule="HOLD"' in page


async def test_a_donation_and_a_material_lot_stand_before_their_own_gates(lab, browser_of):
    browser = await browser_of("quinn")
    donor = await things.ready_donor(lab)
    donation = (await things.donation(lab, donor))["code"]
    page = (await browser.get(f"/why/{donation}")).text
    assert 'class="closes" data-rule="DON-12"' in page
    assert f'href="/why/{donation}"' in (await browser.get(f"/donations/{donation}")).text
    assert f'href="/why/{donation}"' in (await browser.get("/donations")).text
    material = (await things.material_lot(lab))["code"]
    assert "at the gate G1" in words((await browser.get(f"/why/{material}")).text)
    assert f'href="/why/{material}"' in (await browser.get("/materials?state=quarantine")).text


async def test_what_no_gate_judges_says_so(lab, browser_of, failing):
    browser = await browser_of("tess")
    said = words((await browser.get(f"/why/{failing.donor}")).text)
    assert "No gate judges such a thing" in said
    assert (await browser.get("/why/L0000000000")).status_code == 404


async def test_every_place_that_shows_it_blocked_leads_there(lab, browser_of, failing, held):
    browser = await browser_of("quinn")
    ok(await lab.as_("quinn").post(f"/lots/{failing.lot}/release-check"))
    for path, code in (
        (f"/lots/{failing.lot}", failing.lot),
        ("/lots?state=in_process", held.lot),
        (f"/items/{held.flasks[0]}", held.flasks[0]),
        (f"/items/{failing.vials[0]}", failing.vials[0]),
        ("/dashboard", failing.lot),
    ):
        assert f'href="/why/{code}"' in (await browser.get(path)).text, path
    released = (await browser.get(f"/lots/{failing.lot}/release")).text
    assert 'href="/rules/REL-02"' in released


async def test_a_refused_scan_leads_there(lab, browser_of, failing):
    browser = await browser_of("tess")
    scanned = await browser.post("/bench/scan", {"raw": failing.vials[0], "intent": "use"}, page="/bench")
    assert f'href="/why/{failing.vials[0]}"' in scanned.text


def test_a_refusal_leads_to_its_rules():
    example = BY_ID["REL-02"].breaks[0]
    refusal = judge(RULES, example.edit(clean()), gate=Gate.G6, at=AT, signer=SIGNER).refusal()
    shown = environment().get_template("_refusal.html").render(refusal=refusal, say=str)
    assert shown.count('href="/rules/REL-02"') == 1 + len(refusal.findings)
    unknown = replace(refusal.findings[0], rule="<b>")
    refusal.findings = (unknown,)
    shown = environment().get_template("_refusal.html").render(refusal=refusal, say=str)
    assert '<span class="code">&lt;b&gt;</span>' in shown, "what is no rule leads nowhere"


async def test_over_http_it_is_the_same(lab, failing):
    found = ok(await lab.as_("quinn").get(f"/items/{failing.vials[0]}/why"))
    assert found["subject"]["code"] == failing.lot
    (answer,) = [each for each in found["answers"] if each["rule"] == "REL-02"]
    assert answer["closes"] is True
    assert answer["cites"]
    assert answer["findings"][0]["remedy"]


async def test_looking_keeps_nothing(lab, browser_of, failing):
    before = await lab.value("SELECT count(*) FROM lab.judgements")
    browser = await browser_of("quinn")
    await browser.get(f"/why/{failing.lot}")
    assert await lab.value("SELECT count(*) FROM lab.judgements") == before


@pytest.mark.parametrize("who", ["adam"])
async def test_who_may_not_read_items_is_refused(browser_of, failing, who):
    browser = await browser_of(who)
    assert (await browser.get(f"/why/{failing.lot}")).status_code == 403
