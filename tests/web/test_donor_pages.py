"""The donor's pages as people use them: registered, consented, matched, tested, received, determined."""

import re
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

from app.domain.donors import SCOPE_NAMES
from app.domain.text import Text
from app.web.forms import Form
from tests.standing import QUESTIONS
from tests.web.browsing import hidden_fields, words
from tests.world import ok

HERE = ZoneInfo("Asia/Shanghai")
_serial = iter(range(10_000))


def ago(**parts):
    return f"{datetime.now(HERE) - timedelta(**parts):%Y-%m-%dT%H:%M}"


def somebody(prefix=""):
    n = next(_serial)
    return {
        f"{prefix}name": f"Wang Zhen {n}",
        f"{prefix}hospital_number": f"H-PAGE-{n}",
        f"{prefix}birth_date": "1961-04-09",
    }


async def registered(browser, case="autologous", **more):
    answer = await browser.post(f"/donors/new?case={case}", somebody() | more, page=f"/donors/new?case={case}")
    assert answer.status_code == 303, words(answer.text)
    return answer.headers["location"].rsplit("/", 1)[1]


async def known(lab):
    """A donor and a donation of a donor, without a page."""
    who = {"relation": "autologous", "identity": somebody(), "recipient": "self"}
    donor = ok(await lab.as_("tess").post("/donors", who))["code"]
    consent = {"form_version": "ICF-1", "scopes": ["donation"], "signed_at": f"{ago(days=2)}+08:00"}
    ok(await lab.as_("tess").post(f"/donors/{donor}/consents", consent))
    at = f"{ago(hours=1)}+08:00"
    arrived = {"donor": donor, "tissue": "skin", "collected_at": at, "received_at": at}
    return SimpleNamespace(donor=donor, donation=ok(await lab.as_("tess").post("/donations", arrived))["code"])


def panel_of(page, outcome="negative"):
    slugs = re.findall(r'name="outcome-([a-z0-9-]+)" value="pending"', page)
    return {f"outcome-{slug}": outcome for slug in slugs if slug != "other"}


REPORT = {"method": "CLIA", "kit_lot": "K-1", "laboratory": "City laboratory"}


async def test_a_donors_whole_record_is_made_on_pages(lab, browser_of):
    tess, ana, quinn = await browser_of("tess"), await browser_of("ana"), await browser_of("quinn")
    recipient = ok(await lab.as_("tess").post("/persons", {"identity": somebody()}))["code"]
    code = await registered(tess, case="allogeneic", recipient=recipient)
    there = f"/donors/{code}"
    empty = words((await tess.get(there)).text)
    assert "no consent stands" in empty
    assert "There is no result yet for:" in empty
    assert "14 markers missing" in empty, "its tissue is not known yet, so it may be rich in leukocytes"
    assert "Wang Zhen" not in empty

    consent = {
        "form_version": "ICF-2",
        "signed_at": ago(days=5),
        "scopes": list(SCOPE_NAMES),
        "other_scopes": "",
    }
    answer = await tess.post(f"{there}/consents/new", consent, page=f"{there}/consents/new")
    assert answer.headers["location"] == there, words(answer.text)
    match = {"identifiers": ["name", "hospital_number"], "second_by": "vera"}
    answer = await tess.post(
        f"{there}/identity-matches/new", match | {"recipient": recipient}, page=f"{there}/identity-matches/new"
    )
    assert answer.headers["location"] == there, words(answer.text)

    page = (await ana.get(f"{there}/markers/new")).text
    given = hidden_fields(page) | REPORT | panel_of(page) | {"sampled_at": ago(days=4), "reported_at": ago(days=3)}
    assert len(panel_of(page)) == 14
    given |= {"weight_kg": "60", "blood_ml": "0", "colloid_ml": "0", "crystalloid_ml": "250"}
    answer = await ana.http.post(f"{there}/markers/new", data=given)
    assert answer.headers["location"] == there, words(answer.text)

    arrived = {"tissue": "bone marrow", "collected_at": ago(hours=5), "received_at": ago(hours=1), "volume_ml": "4.2e1"}
    answer = await tess.post(f"{there}/donations/new", arrived, page=f"{there}/donations/new")
    donation = answer.headers["location"]
    full = (await tess.get(there)).text
    assert "consent given" in words(full)
    assert full.count('data-state="negative"') == 14
    assert "Given before the blood was taken" in words(full)
    history = f"{there}/histories/new?questionnaire=Donor%20history"
    answers = {f"answer-{each}": "no" for each in QUESTIONS if each != "travel"}
    asked = answers | {"asked_at": ago(days=4), "examination": "suitable", "examined_by": "Dr Phil Fang"}
    half = await tess.post(history, asked, page=history)
    assert half.status_code == 422, "when the donor was examined is not said"
    answer = await tess.post(history, asked | {"examined_at": ago(days=4)}, page=history)
    assert answer.headers["location"] == there, words(answer.text)
    assert "not answered" in words((await tess.get(there)).text)
    asked |= {"answer-travel": "no", "examined_at": ago(days=4)}
    assert (await tess.post(history, asked, page=history)).status_code == 303
    assert "nothing that excludes" in words((await tess.get(there)).text)
    assert donation in full
    assert "42 mL" in words((await tess.get(donation)).text)

    opened = f"{donation}?sign=sign-eligibility_determined"
    asked = {"statement": "eligible", "reason": "All negative.", "valid_until": ""}
    factors = {"password": lab.password("quinn"), "totp": await lab.totp("quinn")}
    answer = await quinn.post(f"{donation}/determination", asked | factors, page=opened)
    assert answer.status_code == 303, words(answer.text)
    shown = words((await quinn.get(donation)).text)
    assert "donor eligible" in shown
    assert "Signed by Quinn Qiu" in shown


async def test_a_sign_dialog_that_refuses_says_why_keeps_the_reason_and_no_password(lab, browser_of):
    tess, quinn = await browser_of("tess"), await browser_of("quinn")
    code = await registered(tess, case="allogeneic")
    arrived = {"tissue": "skin", "collected_at": ago(hours=5), "received_at": ago(hours=1)}
    answer = await tess.post(f"/donors/{code}/donations/new", arrived, page=f"/donors/{code}/donations/new")
    donation = answer.headers["location"]
    opened = f"{donation}?sign=sign-eligibility_determined"
    page = (await quinn.get(opened)).text
    assert 'value="ineligible"' in page
    assert 'value="eligible"' not in page, "the rules stand against it, and so it is not offered"
    assert "DON-01" in words(page.split("<dialog")[1])
    asked = {"statement": "ineligible", "reason": "Untested and leaving.", "password": "certainly not this"}
    refused = await quinn.post(f"{donation}/determination", asked | {"totp": "000000"}, page=opened)
    assert refused.status_code == 403
    dialog = refused.text.split("<dialog")[1]
    assert "Nothing was signed." in words(dialog)
    assert "Untested and leaving." in dialog
    assert "certainly not this" not in refused.text
    await lab.forget_failures("quinn")
    factors = {"password": lab.password("quinn"), "totp": await lab.totp("quinn")}
    forced = await quinn.post(f"{donation}/determination", asked | factors | {"statement": "eligible"}, page=opened)
    assert forced.status_code == 409, words(forced.text)
    assert "not determined eligible" in words(forced.text)
    assert (
        await lab.value(
            "SELECT count(*) FROM lab.determinations t JOIN lab.item_codes k ON k.item_id = t.donation_id WHERE k.code = $1",
            donation.rsplit("/", 1)[1],
        )
        == 0
    )


async def test_a_record_that_changed_is_read_again_before_it_is_signed(lab, browser_of):
    tess, phil, ana = await browser_of("tess"), await browser_of("phil"), await browser_of("ana")
    code = await registered(tess)
    arrived = {"tissue": "skin", "collected_at": ago(hours=5), "received_at": ago(hours=1)}
    answer = await tess.post(f"/donors/{code}/donations/new", arrived, page=f"/donors/{code}/donations/new")
    donation = answer.headers["location"]
    hidden = hidden_fields((await phil.get(f"{donation}?sign=sign-eligibility_determined")).text)
    page = (await ana.get(f"/donors/{code}/markers/new")).text
    given = hidden_fields(page) | REPORT | panel_of(page) | {"sampled_at": ago(days=4), "reported_at": ago(days=3)}
    assert (await ana.http.post(f"/donors/{code}/markers/new", data=given)).status_code == 303
    factors = {"password": lab.password("phil"), "totp": await lab.totp("phil")}
    stale = await phil.http.post(
        f"{donation}/determination", data=hidden | factors | {"statement": "ineligible", "reason": "x"}
    )
    assert stale.status_code == 409
    dialog = stale.text.split("<dialog")[1]
    assert "Read the page as it stands now" in words(dialog)
    assert "password" not in dialog


async def test_birth_tissue_asks_for_the_mother_who_is_tested(lab, browser_of):
    tess = await browser_of("tess")
    page = (await tess.get("/donors/new?case=birth")).text
    assert "The mother, who is tested" in words(page)
    code = await registered(tess, case="birth", **somebody("mother_"))
    shown = words((await tess.get(f"/donors/{code}")).text)
    assert re.search(r"Person tested S-\d+", shown), shown
    assert "Results hang on the person tested" in shown
    known = somebody("mother_")
    child = somebody()
    first = await tess.post("/donors/new?case=birth", child | known, page="/donors/new?case=birth")
    assert first.status_code == 303
    # The same child again, with another mother: the mother is registered by now, and her code stands in the form.
    again = await tess.post("/donors/new?case=birth", child | somebody("mother_"), page="/donors/new?case=birth")
    assert again.status_code == 409
    assert re.search(r'name="mother"[^>]* value="P[0-9A-Z-]+"', again.text)


async def test_one_person_is_registered_once_and_an_identity_comes_back_on_no_page(lab, browser_of):
    tess = await browser_of("tess")
    person = somebody()
    code = (await tess.post("/donors/new?case=autologous", person, page="/donors/new?case=autologous")).headers[
        "location"
    ]
    again = await tess.post("/donors/new?case=autologous", person, page="/donors/new?case=autologous")
    assert again.status_code == 409
    assert "registered already" in words(again.text)
    for path in ("/donors", code, f"{code}/markers/new", f"{code}/consents/new"):
        assert person["name"] not in (await tess.get(path)).text, path


async def test_sent_twice_a_donor_is_registered_once(lab, browser_of):
    tess = await browser_of("tess")
    before = await lab.value("SELECT count(*) FROM lab.persons")
    fields = hidden_fields((await tess.get("/donors/new?case=birth")).text) | somebody() | somebody("mother_")
    first = await tess.http.post("/donors/new?case=birth", data=fields)
    second = await tess.http.post("/donors/new?case=birth", data=fields)
    assert first.headers["location"] == second.headers["location"]
    assert await lab.value("SELECT count(*) FROM lab.persons") == before + 2


async def test_a_recipient_is_registered_and_scanned_into_the_donor(lab, browser_of):
    tess = await browser_of("tess")
    made = await tess.post("/donors/recipients/new", somebody(), page="/donors/recipients/new")
    assert made.status_code == 201
    pseudonym = re.search(r"S-\d+", words(made.text))[0]
    label = re.search(r'href="/items/([0-9A-Z]+)"', made.text)[1]
    code = await registered(tess, case="allogeneic", recipient=label)
    assert f"Recipient {pseudonym}" in words((await tess.get(f"/donors/{code}")).text)
    unknown = await tess.post(
        "/donors/new?case=allogeneic", somebody() | {"recipient": label[:-1] + "*"}, page="/donors/new?case=allogeneic"
    )
    assert unknown.status_code in {404, 422}


async def test_a_consent_is_withdrawn_by_its_form(lab, browser_of):
    tess, quinn = await browser_of("tess"), await browser_of("quinn")
    code = await registered(tess)
    there = f"/donors/{code}"
    consent = {
        "form_version": "ICF-7",
        "signed_at": ago(days=5),
        "scopes": list(SCOPE_NAMES)[:2],
        "other_scopes": "teaching",
    }
    assert (await tess.post(f"{there}/consents/new", consent, page=f"{there}/consents/new")).status_code == 303
    assert "teaching" in words((await tess.get(there)).text)
    page = f"{there}/consents/withdrawal"
    too_early = await quinn.post(page, {"form_version": "ICF-7", "withdrawn_at": ago(days=9)}, page=page)
    assert too_early.status_code == 409
    done = await quinn.post(page, {"form_version": "ICF-7", "withdrawn_at": ago(hours=1)}, page=page)
    assert done.status_code == 303
    shown = words((await quinn.get(there)).text)
    assert "no consent stands" in shown
    assert "withdrawn" in shown


async def test_results_are_asked_for_whole_and_refused_at_their_field(lab, browser_of):
    tess, ana = await browser_of("tess"), await browser_of("ana")
    code = await registered(tess)
    page = f"/donors/{code}/markers/new"
    none = await ana.post(page, REPORT | {"sampled_at": ago(days=1)}, page=page)
    assert none.status_code == 422
    assert "No marker has an answer." in words(none.text)
    hiv = "outcome-hiv-hiv-nat"
    unreported = await ana.post(page, REPORT | {"sampled_at": ago(days=1), hiv: "negative"}, page=page)
    assert 'id="reported_at-wrong"' in unreported.text
    backwards = REPORT | {"sampled_at": ago(days=1), "reported_at": ago(days=2), hiv: "negative"}
    refused = await ana.post(page, backwards, page=page)
    assert refused.status_code == 422
    assert 'id="reported_at-wrong"' in refused.text
    assert "City laboratory" in refused.text
    changed = await ana.post(page, REPORT | {"sampled_at": ago(days=1), "outcome-plague": "negative"}, page=page)
    assert "The panel has changed" in words(changed.text)
    pending = await ana.post(
        page, REPORT | {"sampled_at": ago(days=1), hiv: "pending", "kit-hiv-hiv-nat": "K-9"}, page=page
    )
    assert pending.status_code == 303, words(pending.text)
    beside = {"other_analyte": "HTLV", "other_marker": "anti-HTLV", "outcome-other": "negative"}
    more = await ana.post(page, REPORT | {"sampled_at": ago(days=1), "reported_at": ago(hours=1)} | beside, page=page)
    assert more.status_code == 303, words(more.text)
    shown = (await ana.get(f"/donors/{code}")).text
    assert 'data-marker="HIV NAT" data-state="open"' in shown
    assert 'data-marker="anti-HTLV" data-state="negative"' in shown
    assert "K-9" in shown


async def test_a_search_finds_by_pseudonym_and_a_scan_leads_there(lab, browser_of):
    tess = await browser_of("tess")
    code = await registered(tess)
    pseudonym = re.search(r"D-\d+", (await tess.get(f"/donors/{code}")).text)[0]
    assert code in (await tess.get("/donors", params={"q": pseudonym.lower()})).text
    assert code in (await tess.get("/donors?relation=autologous")).text
    assert code not in (await tess.get("/donors?relation=allogeneic")).text
    assert (await tess.get("/donors", params={"q": code})).headers["location"] == f"/donors/{code}"
    nothing = await tess.get("/donors", params={"q": "<script>"})
    assert "No donor was found for &lt;script&gt;." in nothing.text
    for odd in ("%", "\x00", "\u202e", "x" * 5000, "=A9999"):
        assert (await tess.get("/donors", params={"q": odd})).status_code == 200, odd


async def test_the_list_goes_on_to_older_donors(lab, browser_of, monkeypatch):
    tess = await browser_of("tess")
    monkeypatch.setattr("app.web.pages.donors.PAGE", 2)
    made = [await registered(tess) for _ in range(3)]
    first = (await tess.get("/donors?relation=autologous")).text
    assert made[2] in first
    assert made[1] in first
    assert f"after={made[1]}&amp;relation=autologous" in first
    assert made[0] in (await tess.get(f"/donors?after={made[1]}&relation=autologous")).text


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("quinn", "/donors/new"),
        ("quinn", "/donors/recipients/new"),
        ("vera", "/donors/{code}/consents/new"),
        ("ana", "/donors/{code}/donations/new"),
        ("tess", "/donors/{code}/markers/new"),
        ("vera", "/donors/{code}/consents/withdrawal"),
        ("adam", "/donors"),
        ("adam", "/donors/{code}"),
    ],
)
async def test_who_may_not_is_told_before_typing(lab, browser_of, name, path):
    donor = await known(lab)
    browser = await browser_of(name)
    page = await browser.get(path.format(code=donor.donor))
    assert page.status_code == 403
    assert "You may not" in words(page.text)


async def test_somebody_who_may_not_sign_sees_no_dialog_and_signs_nothing(lab, browser_of):
    donor = await known(lab)
    tess = await browser_of("tess")
    page = (await tess.get(f"/donations/{donor.donation}?sign=sign-eligibility_determined")).text
    assert "<dialog" not in page
    fields = {"statement": "ineligible", "reason": "x", "digest": "0" * 64, "password": "x", "totp": "1"}
    refused = await tess.post(
        f"/donations/{donor.donation}/determination", fields, page=f"/donors/{donor.donor}/consents/new"
    )
    assert refused.status_code == 403
    assert "Nothing was signed." in words(refused.text)


async def test_a_donation_number_is_scanned_kept_and_found(lab, browser_of):
    tess = await browser_of("tess")
    code = await registered(tess)
    n = next(_serial)
    page = f"/donors/{code}/donations/new"
    arrived = {"tissue": "skin", "collected_at": ago(hours=5), "received_at": ago(hours=1)}
    wrong = await tess.post(page, arrived | {"din": "not a number"}, page=page)
    assert wrong.status_code == 422
    assert 'id="din-wrong"' in wrong.text
    done = await tess.post(page, arrived | {"din": f"=A9999261{n:05d}00"}, page=page)
    assert done.status_code == 303, words(done.text)
    donation = done.headers["location"]
    found = await tess.get("/donors", params={"q": f"=A9999261{n:05d}00"})
    assert (await tess.get(found.headers["location"])).status_code == 200
    assert donation.rsplit("/", 1)[1] in (await tess.get("/donations")).text
    twice = await tess.post(page, arrived | {"din": f"=A9999261{n:05d}00"}, page=page)
    assert twice.status_code == 409


HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "'; DROP TABLE lab.donors; --",
    '=HYPERLINK("http://evil")',
    "{{ 7*7 }}{% raw %}",
    "\u202eevil\u2066",
    "\x00\x1b[31m",
    "姓名" * 3000,
    "\ud83d\ude00 😀",
    "",
)


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_inert_in_every_field(lab, browser_of, text):
    tess, ana, quinn = await browser_of("tess"), await browser_of("ana"), await browser_of("quinn")
    donor = await known(lab)
    there = f"/donors/{donor.donor}"
    text = text.encode("utf-8", "replace").decode()
    paths = (
        (tess, "/donors/new?case=birth"),
        (tess, "/donors/recipients/new"),
        (tess, f"{there}/consents/new"),
        (tess, f"{there}/consents/withdrawal"),
        (tess, f"{there}/identity-matches/new"),
        (ana, f"{there}/markers/new"),
        (tess, f"{there}/donations/new"),
    )
    for browser, path in paths:
        page = (await browser.get(path)).text
        names = set(re.findall(r' name="([a-z_-]+[a-z0-9_-]*)"', page.split('class="entry')[1])) - {"csrf", "key"}
        answer = await browser.http.post(path, data=hidden_fields(page) | dict.fromkeys(names, text))
        assert answer.status_code < 500, path
        assert "<img src=x" not in answer.text, path
    opened = f"/donations/{donor.donation}?sign=sign-eligibility_determined"
    answer = await quinn.post(
        f"/donations/{donor.donation}/determination",
        {"statement": text, "reason": text, "valid_until": text, "totp": text, "password": text},
        page=opened,
    )
    assert 400 <= answer.status_code < 500
    assert "<img src=x" not in answer.text
    await lab.forget_failures("quinn")


async def test_what_was_written_in_hostile_letters_is_shown_as_letters(lab, browser_of):
    tess = await browser_of("tess")
    code = await registered(tess)
    version = "<b onclick=alert(1)>ICF</b>"
    consent = {"form_version": version, "signed_at": ago(days=5), "scopes": "donation", "other_scopes": "</td><script>"}
    page = f"/donors/{code}/consents/new"
    assert (await tess.post(page, consent, page=page)).status_code == 303
    shown = (await tess.get(f"/donors/{code}")).text
    assert "<script>" not in shown.split("<main")[1]
    assert "&lt;b onclick=alert(1)&gt;ICF&lt;/b&gt;" in shown


async def test_the_api_and_the_pages_tell_the_same(lab, browser_of):
    tess = await browser_of("tess")
    code = await registered(tess)
    told = ok(await lab.as_("tess").get(f"/donors/{code}"))
    assert told["relation"] == "autologous"
    assert told["recipient"] == told["pseudonym"]
    assert isinstance(SCOPE_NAMES["donation"], Text)


@contextmanager
def statements(lab):
    """What the application asks of the database meanwhile."""
    asked = []

    def note(connection, cursor, statement, parameters, context, executemany):
        asked.append(statement)

    engines = [engine.sync_engine for engine in lab.app.state.house.door._engines.values()]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield asked
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


async def test_no_page_asks_the_database_more_than_twelve_times(lab, browser_of):
    donor = await known(lab)
    quinn, tess = await browser_of("quinn"), await browser_of("tess")
    there = f"/donors/{donor.donor}"
    opened = f"/donations/{donor.donation}?sign=sign-eligibility_determined"
    for browser, path in ((tess, "/donors"), (tess, there), (tess, f"{there}/consents/new"), (quinn, opened)):
        with statements(lab) as asked:
            assert (await browser.get(path)).status_code == 200
        assert 0 < len(asked) <= 12, (path, asked)


async def test_what_is_kept_of_a_request_lets_nobody_guess_an_identity(lab, browser_of):
    tess = await browser_of("tess")
    fields = hidden_fields((await tess.get("/donors/new?case=autologous")).text) | somebody()
    made = await tess.http.post("/donors/new?case=autologous", data=fields)
    assert made.status_code == 303
    request = SimpleNamespace(method="POST", url=SimpleNamespace(path="/donors/new"))
    plain = Form(fields.items()).digest(request)
    kept = "SELECT count(*) FROM lab.idempotency WHERE key = $1"
    assert await lab.value(kept, f"{fields['key']}/donor") == 1
    assert await lab.value(f"{kept} AND body_sha256 = $2", f"{fields['key']}/donor", plain) == 0
