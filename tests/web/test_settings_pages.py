"""Settings, rule packs and authorities' replies on their pages: proposed, refused at the field, signed in plain words."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.domain.settings_registry import REGISTRY
from app.web.pages.settings import differences
from tests import life
from tests.web.browsing import words

HERE = ZoneInfo("Asia/Shanghai")
SAID = {"source": "QP-7 section 3", "why": "asked for by the board", "valid_from": ""}
HOSTILE = "<script>alert(1)</script>'; DROP TABLE lab.lots; --"
SHA = "ab" * 32


async def signs(lab, browser, address, opened):
    factors = {"password": lab.password("lin"), "totp": await lab.totp("lin")}
    return await browser.post(address, factors, page=opened)


async def proposed(browser, name, fields):
    page = f"/rules/settings/{name}/new"
    answer = await browser.post(page, SAID | fields, page=page)
    assert answer.status_code == 303, words(answer.text)
    return answer.headers["location"]


async def test_a_number_is_proposed_read_in_plain_words_and_signed(lab, browser_of):
    quinn, lin = await browser_of("quinn"), await browser_of("lin")
    listed = words((await quinn.get("/rules/settings")).text)
    assert "Hours within which a second person verifies a step" in listed
    there = await proposed(quinn, "gmp05.within_hours", {"value": "10"})
    shown = words((await quinn.get(there)).text)
    assert "12 h → 10 h" in shown
    assert "Sign…" not in shown

    opened = f"{there}?sign=sign-setting_approved"
    dialog = words((await lin.get(opened)).text)
    assert "12 h → 10 h" in dialog
    assert "I approve this change of a setting." in dialog
    wrong = await lin.post(f"{there}/approval", {"password": "not this", "totp": "000000"}, page=opened)
    assert wrong.status_code == 403
    await lab.forget_failures("lin")
    answer = await signs(lab, lin, f"{there}/approval", opened)
    assert answer.headers["location"] == "/rules/settings/gmp05.within_hours", words(answer.text)
    history = words((await quinn.get("/rules/settings/gmp05.within_hours")).text)
    assert "in force 10 h" in history
    assert "QP-7 section 3" in history
    assert "as shipped" in history
    gone = await lin.get(there)
    assert gone.status_code == 404
    back = await proposed(quinn, "gmp05.within_hours", {"value": "12"})
    answer = await signs(lab, lin, f"{back}/approval", f"{back}?sign=sign-setting_approved")
    assert answer.status_code == 303


async def test_words_and_tables_have_fields_of_their_shape(lab, browser_of):
    quinn = await browser_of("quinn")
    form = (await quinn.get("/rules/settings/don01.panel/new")).text
    assert 'value="HIV"' in form
    assert ">HIV Ag/Ab\nHIV NAT</textarea>" in form
    rows = {
        "name1": "HIV", "value1": "HIV Ag/Ab\nHIV NAT",
        "name2": "HBV", "value2": "HBsAg\nanti-HBc\nHBV NAT",
        "name3": "HCV", "value3": "anti-HCV",
        "name4": "syphilis", "value4": "treponemal\nnon-treponemal",
        "name5": "HTLV", "value5": "anti-HTLV",
    }  # fmt: skip
    there = await proposed(quinn, "don01.panel", rows)
    shown = words((await quinn.get(there)).text)
    assert "HCV: anti-HCV, HCV NAT → anti-HCV" in shown
    assert "HTLV: – → anti-HTLV" in shown
    assert "HIV: HIV Ag/Ab" not in shown
    timers = (await quinn.get("/rules/settings/bench.timers/new")).text
    assert 'name="minutes1"' in timers
    assert 'name="zh5"' in timers
    choice = (await quinn.get("/rules/settings/rel03.adventitious_virus_by/new")).text
    assert '<option value="bank"' in choice


@pytest.mark.parametrize(
    ("name", "fields", "field"),
    [
        ("qa03.years", {"value": "2"}, "value"),
        ("qa03.years", {"value": "1,5"}, "value"),
        ("qa03.years", {"value": ""}, "value"),
        ("qa03.years", {"value": "3"}, "value"),
        ("qa03.years", {"value": "5", "source": ""}, "source"),
        ("qa03.years", {"value": "5", "why": ""}, "why"),
        ("qa03.years", {"value": "5", "valid_from": "2020-01-01T00:00"}, "valid_from"),
        ("gmp05.critical_steps", {"value": "isolation\nisolation"}, "value"),
        ("gmp05.critical_steps", {"value": "dancing"}, "value"),
        ("cb04.minimum", {"name1": "mL", "value1": "much"}, "value1"),
        ("cb04.minimum", {"name1": "mL", "value1": "1", "name2": "mL", "value2": "2"}, "name2"),
        ("cb04.minimum", {"name1": "", "value1": "1"}, "name1"),
        ("don01.panel", {"name1": "HIV", "value1": ""}, "value1"),
        ("don01.panel", {"name1": "HIV", "value1": "x"}, "name1"),
        ("bench.timers", {"code1": "a", "en1": "A", "zh1": "甲", "minutes1": "0"}, "minutes1"),
    ],
)
async def test_what_is_wrong_stands_at_its_field(lab, browser_of, name, fields, field):
    quinn = await browser_of("quinn")
    before = await lab.value("SELECT count(*) FROM lab.setting_proposals")
    page = f"/rules/settings/{name}/new"
    answer = await quinn.post(page, SAID | fields, page=page)
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text, words(answer.text)
    assert await lab.value("SELECT count(*) FROM lab.setting_proposals") == before


async def test_every_form_sends_back_what_it_was_filled_with(browser_of):
    """A value that is shown in its form and sent as it stands reads as the same value."""
    quinn = await browser_of("quinn")
    for name in REGISTRY:
        page = f"/rules/settings/{name}/new"
        shown = (await quinn.get(page)).text
        from tests.web.hostile import Page

        (form,) = [each for each in Page(shown).forms if each.action == page]
        fields = {each.name: each.value for each in form.fields if each.name not in {"csrf", "key"}}
        answer = await quinn.post(page, fields | SAID, page=page)
        assert "holds then already" in words(answer.text), (name, words(answer.text)[:600])


async def test_only_the_qa_manager_is_offered_the_form(browser_of):
    for who in ("tess", "adam", "lin"):
        browser = await browser_of(who)
        page = await browser.get("/rules/settings/qa03.years")
        assert page.status_code == 200
        assert "Propose a change" not in page.text
        assert (await browser.get("/rules/settings/qa03.years/new")).status_code == 403
    assert (await browser.get("/rules/settings/nothing.here")).status_code == 404


async def test_typed_text_stays_text(browser_of):
    quinn = await browser_of("quinn")
    there = await proposed(quinn, "mat05.ruminants", {"value": HOSTILE[:150], "why": HOSTILE})
    for page in (there, "/rules/settings/mat05.ruminants", "/rules/settings"):
        assert "<script>alert(1)" not in (await quinn.get(page)).text


def test_a_difference_is_said_by_its_entries():
    assert [str(each) for each in differences(3, 5, "a")] == ["3 a → 5 a"]
    assert [str(each) for each in differences(["a"], ["a", "b"], None)] == ["a → a, b"]
    told = differences({"x": 1, "y": 2}, {"y": 2.5, "z": 3}, "mL")
    assert [str(each) for each in told] == ["x: 1 mL → –", "y: 2 mL → 2.5 mL", "z: – → 3 mL"]
    rows = [{"code": "a", "en": "A"}], [{"code": "a", "en": "B"}]
    assert [str(each) for each in differences(*rows, None)] == ["a: English A → English B"]


async def test_a_rule_pack_is_proposed_and_signed_with_what_it_means(lab, browser_of, make_database):
    quinn, lin, adam = await browser_of("quinn"), await browser_of("lin"), await browser_of("adam")
    shown = words((await adam.get("/rules/packs")).text)
    assert "CN-818 judges this house" in shown
    assert "Propose a rule pack" not in shown
    assert (await adam.get("/rules/packs/new")).status_code == 403
    bad = await quinn.post("/rules/packs/new", {"pack": "CN-818", "why": "again"}, page="/rules/packs/new")
    assert bad.status_code == 422
    answer = await quinn.post("/rules/packs/new", {"pack": "EU", "why": "we move"}, page="/rules/packs/new")
    there = answer.headers["location"]
    assert "skeleton: every gate" in words((await quinn.get(there)).text)
    opened = f"{there}?sign=sign-pack_approved"
    dialog = words((await lin.get(opened)).text)
    assert "CN-818 → EU" in dialog
    assert "I choose this rule pack for this house." in dialog
    assert "waits for" in words((await quinn.get("/rules/packs")).text).lower()


async def test_a_reply_is_filed_and_shown(lab, browser_of):
    quinn = await browser_of("quinn")
    process = await life.process(lab, gene_modified=True)
    named = f"{process['name']} {process['version']}"
    today = datetime.now(HERE).date()
    fields = {
        "authority": "NHC", "reference": "2026-77", "dated": str(today), "rule": "CB-01A", "process": named,
        "question": "Is a bank needed?", "answer": "No.", "ruling": "permits", "file_name": "reply.pdf",
        "file_place": "safe 3", "file_sha256": SHA.upper(),
    }  # fmt: skip
    page = "/rules/replies/new"
    for wrong, field in (
        ({"file_sha256": "xyz"}, "file_sha256"),
        ({"dated": str(today + timedelta(days=3))}, "dated"),
        ({"process": "nothing 1"}, "process"),
        ({"ruling": "maybe"}, "ruling"),
    ):
        answer = await quinn.post(page, fields | wrong, page=page)
        assert answer.status_code == 422
        assert f'href="#{field}"' in answer.text, words(answer.text)
    answer = await quinn.post(page, fields, page=page)
    shown = words((await quinn.get(answer.headers["location"])).text)
    assert "permits it" in shown
    assert SHA in shown
    assert named in words((await quinn.get("/rules/replies")).text)
    tess = await browser_of("tess")
    assert (await tess.get(page)).status_code == 403


async def test_the_pages_speak_chinese(browser_of):
    lin = await browser_of("lin", language="zh-CN")
    for page in ("/rules/settings", "/rules/settings/don01.panel", "/rules/packs", "/rules/replies"):
        assert (await lin.get(page)).status_code == 200


async def test_the_rule_book_leads_to_the_settings(browser_of):
    tess = await browser_of("tess")
    assert 'href="/rules/settings"' in (await tess.get("/rules")).text
