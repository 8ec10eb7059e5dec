"""Studies on their pages: registered, given their papers, judged; refused at the field; whoever may not finds no form."""

import pytest

from tests import life, study
from tests.study import HOSPITAL, day
from tests.web.browsing import words

NO_STUDY = "/studies/ST-26-99999"


async def fields(lab, **more):
    shared = await life.shared(lab)
    hospital = more.get("institution") or (await study.institution(lab, kinds=HOSPITAL))["name"]
    return {
        "title": "Marrow MSC in knee osteoarthritis",
        "institution": hospital,
        "sponsor": hospital,
        "regulatory_path": "technical_filing",
        "stage": "exploratory",
        "risk_level": "ordinary",
        "cell_class": "tissue_stem_cell",
        "cell_source": "autologous",
        "manipulation": "ex_vivo_cell",
        "administration": "infused",
        "process": f"{shared.process['name']} {shared.process['version']}",
        "specification": f"{shared.specification['name']} {shared.specification['version']}",
        "site0": "Main campus",
        "country0": "cn",
        "protocol_version": "P-1.0",
        "why": "first registration",
        **more,
    }


async def registered(browser, lab, **more):
    answer = await browser.post("/studies/new", await fields(lab, **more), page="/studies/new")
    assert answer.status_code == 303, words(answer.text)
    return answer.headers["location"]


async def record(browser, there, what, **given):
    page = f"{there}/record/{what}"
    return await browser.post(page, given, page=page)


async def test_a_study_gets_its_papers_and_its_rules_answer_on_its_page(lab, browser_of):
    quinn = await browser_of("quinn")
    there = await registered(quinn, lab)
    bare = (await quinn.get(there)).text
    assert 'data-rule="ORG-04" data-outcome="indeterminate"' in bare
    assert 'data-rule="SCO-01" data-outcome="pass"' in bare
    for committee in ("academic", "ethics"):
        given = {"committee": committee, "decision": "approved", "protocol_version": "P-1.0"}
        given |= {"decided_on": day(-9), "valid_to": "", "reference": "minutes 7"}
        assert (await record(quinn, there, "decision", **given)).headers["location"] == there
    leader = {"name": "Fang Yi", "licence_number": "110", "title_level": "senior", "title_certificate": "ZG-1"}
    await record(quinn, there, "leader", **leader, from_on=day(-20), evidence="letter")
    filing = {"filing_number": "MR-N-11-2026-000001", "authority": "NHC", "protocol_version": "P-1.0"}
    await record(quinn, there, "filing", **filing, filed_on=day(-6), reference="receipt")
    full = (await quinn.get(there)).text
    for rule in ("ORG-03", "ORG-04"):
        assert f'data-rule="{rule}" data-outcome="pass"' in full
    assert "Fang Yi" in full
    assert 'data-rule="BOOK" data-outcome="fail"' in full, "the gates wait for rules that are not written"


async def test_a_study_changes_in_versions_and_its_form_begins_with_what_it_is(lab, browser_of):
    quinn = await browser_of("quinn")
    there = await registered(quinn, lab)
    form = (await quinn.get(f"{there}/new")).text
    assert 'value="Marrow MSC in knee osteoarthritis"' in form
    assert 'value="Main campus"' in form
    given = await fields(lab, protocol_version="P-2.0", why="a higher dose", substantial="yes")
    answer = await quinn.post(f"{there}/new", given, page=f"{there}/new")
    assert answer.headers["location"] == there
    assert "version 2" in words((await quinn.get(there)).text)
    again = await quinn.post(f"{there}/new", given, page=f"{there}/new")
    assert again.status_code == 422
    assert "Protocol P-2.0 is known already." in words(again.text)
    assert "version 2" in words((await quinn.get(there)).text)


async def test_a_sponsor_agrees_and_a_lot_that_is_no_bank_is_refused(lab, browser_of):
    quinn = await browser_of("quinn")
    sponsor = (await study.institution(lab))["name"]
    there = await registered(quinn, lab, sponsor=sponsor)
    assert 'data-rule="ORG-02" data-outcome="indeterminate"' in (await quinn.get(there)).text
    given = {"sponsor": sponsor, "protocol_jointly_set": "on", "signed_on": day(-20), "reference": "AG-1"}
    assert (await record(quinn, there, "agreement", **given)).status_code == 303
    assert 'data-rule="ORG-02" data-outcome="pass"' in (await quinn.get(there)).text
    lived = await life.preparation(lab, upto="planned")
    answer = await record(quinn, there, "bank", lot=lived.lot)
    assert answer.status_code == 422
    assert "is no lot of a cell bank." in words(answer.text)


async def test_institutions_are_registered_and_stated_on_their_pages(lab, browser_of):
    quinn = await browser_of("quinn")
    page = "/studies/institutions"
    name = f"Riverside <b>{day()}</b> {(await study.institution(lab))['institution']}"
    answer = await quinn.post(page, {"name": name, "country": "CN", "registration": ""}, page=page)
    assert answer.status_code == 303, words(answer.text)
    there = answer.headers["location"]
    twice = await quinn.post(page, {"name": name, "country": "CN"}, page=page)
    assert twice.status_code == 409
    given = {"kind": "grade", "grade": "tertiary_a", "held": "yes", "evidence": "licence 3", "valid_from": day(-5)}
    assert (await quinn.post(f"{there}/statements", given, page=there)).status_code == 303
    shown = (await quinn.get(there)).text
    assert "tertiary hospital, grade A" in words(shown)
    assert "<b>2" not in shown
    wrong = await quinn.post(f"{there}/statements", {**given, "valid_to": day(-9)}, page=there)
    assert wrong.status_code == 422
    assert "It would end before it begins." in words(wrong.text)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_every_page_is_there_in_both_languages(lab, browser_of, language):
    quinn = await browser_of("quinn", language=language)
    number = await study.ready(lab)
    hospital = (await study.institution(lab, kinds=HOSPITAL))["institution"]
    for path in (
        "/studies",
        "/studies/new",
        f"/studies/{number}",
        f"/studies/{number}/new",
        *(f"/studies/{number}/record/{what}" for what in ("leader", "decision", "filing", "agreement", "bank")),
        "/studies/institutions",
        f"/studies/institutions/{hospital}",
    ):
        assert (await quinn.get(path)).status_code == 200, path


async def test_whoever_may_not_finds_no_form_and_is_refused(lab, browser_of):
    tess = await browser_of("tess")
    number = await study.registered(lab)
    shown = (await tess.get(f"/studies/{number}")).text
    assert "/record/" not in shown
    assert (await tess.get("/studies/new")).status_code == 403
    assert (await tess.get(f"/studies/{number}/record/filing")).status_code == 403
    assert (await tess.get(f"/studies/{number}/record/nothing")).status_code == 404
    assert (await tess.get(NO_STUDY)).status_code == 404
    assert (await (await browser_of("adam")).get("/studies")).status_code == 403
