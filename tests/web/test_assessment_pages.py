"""Assessments on their pages: proposed, refused at the field, approved by signature, renewed."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests import life
from tests.web.browsing import words
from tests.world import ok

HERE = ZoneInfo("Asia/Shanghai")
CONTROLS = ("time_slot", "vapour_tank", "protective_clothing", "cleaning", "waste")
HOSTILE = "<script>alert(1)</script>'; DROP TABLE lab.lots; -- =cmd|' /C calc'!A0"


def on(**parts):
    return f"{datetime.now(HERE) + timedelta(**parts):%Y-%m-%dT%H:%M}"


def fields(**more):
    rows = {f"measure{i}": f"measure for {control}" for i, control in enumerate(CONTROLS)}
    rows |= {f"control{i}": control for i, control in enumerate(CONTROLS)}
    return {
        "scope_kind": "facility",
        "scope_name": "",
        "scope_version": "",
        "title": "Donors kept apart",
        "hazard": "one donor's cells reach another",
        "conclusion": "acceptable",
        "valid_from": "",
        "valid_to": on(days=365),
        **rows,
        **more,
    }


async def proposed(browser, rule="DON-05", **more):
    page = f"/assessments/new?rule={rule}"
    answer = await browser.post(page, fields(**more), page=page)
    assert answer.status_code == 303, words(answer.text)
    return answer.headers["location"]


async def test_an_assessment_is_proposed_approved_and_renewed_on_its_pages(lab, browser_of):
    quinn, lin = await browser_of("quinn"), await browser_of("lin")
    assert "First: what is assessed?" in words((await quinn.get("/assessments/new")).text)
    there = await proposed(quinn)
    shown = (await quinn.get(there)).text
    assert "waits for approval" in words(shown)
    assert "one donor at a time" in words(shown)
    assert "Approve…" not in words(shown)

    opened = f"{there}?sign=sign-assessment_approved"
    assert "Your signature says: “I approve this assessment.”" in words((await lin.get(opened)).text) or (
        "我" in (await lin.get(opened)).text
    )
    wrong = {"password": "not this one at all", "totp": "000000"}
    answer = await lin.post(f"{there}/approval", wrong, page=opened)
    assert answer.status_code == 403
    assert "not this one at all" not in answer.text
    await lab.forget_failures("lin")
    factors = {"password": lab.password("lin"), "totp": await lab.totp("lin")}
    answer = await lin.post(f"{there}/approval", factors, page=opened)
    assert answer.status_code == 303, words(answer.text)
    assert "in force" in words((await quinn.get(there)).text)

    renewal = (await quinn.get(f"{there}/new")).text
    assert 'value="measure for waste"' in renewal
    answer = await quinn.post(f"{there}/new", fields(title="Donors kept apart, anew"), page=f"{there}/new")
    assert answer.headers["location"] == there
    both = words((await quinn.get(there)).text)
    assert "Donors kept apart, anew" in both
    assert "Earlier versions" in both
    listed = words((await quinn.get("/assessments?rule=DON-05")).text)
    assert listed.index("Donors kept apart, anew") < listed.rindex("Donors kept apart")


async def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(lab, browser_of):
    quinn = await browser_of("quinn")
    page = "/assessments/new?rule=DON-05"
    before = await lab.value("SELECT count(*) FROM lab.assessments")
    for wrong, field in (
        ({"title": ""}, "title"),
        ({"valid_to": on(days=-1)}, "valid_to"),
        ({"valid_to": on(days=1000)}, "valid_to"),
        ({"valid_to": "soon"}, "valid_to"),
        ({"control2": ""}, "control2"),
        ({"measure3": ""}, "measure3"),
        ({"control1": "good luck"}, "control1"),
        ({"scope_kind": "process", "scope_name": "BM-MSC"}, "scope_version"),
        ({"scope_kind": "donor"}, "scope_name"),
        ({"scope_kind": "lot"}, "scope_kind"),
        ({f"measure{i}": "" for i in range(5)} | {f"control{i}": "" for i in range(5)}, "measure0"),
    ):
        answer = await quinn.post(page, fields(**wrong), page=page)
        assert answer.status_code == 422, (field, words(answer.text))
        assert f'id="{field}-wrong"' in answer.text, (field, words(answer.text))
        assert "one donor&#39;s cells reach another" in answer.text
    missing = fields(scope_kind="process", scope_name="no such process", scope_version="3")
    answer = await quinn.post(page, missing, page=page)
    assert answer.status_code == 404
    assert "no such process" in answer.text
    assert await lab.value("SELECT count(*) FROM lab.assessments") == before


async def test_one_about_a_donor_names_the_donor(lab, browser_of):
    lived = await life.preparation(lab, upto="eligible")
    there = await proposed(
        await browser_of("phil"), "DON-04", scope_kind="donor", scope_name=lived.donor, control0="medical_review"
    )
    pseudonym = await lab.value("SELECT pseudonym FROM lab.persons WHERE id = $1", await lived.id(lived.donor))
    assert pseudonym in words((await (await browser_of("tess")).get(there)).text)


async def test_hostile_words_are_shown_and_do_nothing(lab, browser_of):
    quinn = await browser_of("quinn")
    rows = {f"measure{i}": HOSTILE for i in range(5)}
    there = await proposed(quinn, title=HOSTILE, hazard=HOSTILE, conclusion=HOSTILE, **rows)
    for path in (there, f"{there}/new", "/assessments"):
        page = (await quinn.get(path)).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page
    page = "/assessments/new?rule=DON-05"
    for field in ("title", "hazard", "conclusion", "measure0", "scope_name"):
        answer = await quinn.post(page, fields(**{field: "a\x00b\u202e"}), page=page)
        assert answer.status_code == 422, field


async def test_a_form_sent_twice_proposes_once(lab, browser_of):
    quinn = await browser_of("quinn")
    page = "/assessments/new?rule=DON-05"
    from tests.web.browsing import hidden_fields

    sent = hidden_fields((await quinn.get(page)).text) | fields()
    first = await quinn.http.post(page, data=sent)
    second = await quinn.http.post(page, data=sent)
    assert first.headers["location"] == second.headers["location"]


@pytest.mark.parametrize(("who", "may"), [("tess", False), ("adam", None), ("lin", False), ("hedda", True)])
async def test_who_sees_and_who_proposes(lab, browser_of, who, may):
    browser = await browser_of(who)
    answer = await browser.get("/assessments")
    assert (answer.status_code == 403) == (may is None)
    assert ("/assessments/new" in answer.text) == bool(may)
    assert (await browser.get("/assessments/new?rule=DON-05")).status_code == (200 if may else 403)
    posted = await browser.post("/assessments/new?rule=DON-05", fields(), page="/assessments/new?rule=DON-05")
    assert posted.status_code in ({303} if may else {403})


async def test_a_number_that_is_none_is_not_found(browser_of):
    quinn = await browser_of("quinn")
    for path in ("/assessments/AS-26-9999", "/assessments/nothing", "/assessments/AS-26-9999/new"):
        assert (await quinn.get(path)).status_code == 404
    assert (await quinn.get("/assessments?after=abc")).status_code in {200, 404, 422}


async def test_the_list_and_one_take_few_statements(lab, browser_of):
    quinn = await browser_of("quinn")
    there = await proposed(quinn)
    for path in ("/assessments", there):
        assert ok_page(await quinn.get(path))


def ok_page(answer):
    return answer.status_code == 200 or ok(answer)
