"""Accounts, training, the authority's appointment and everybody's own page, as people work with them."""

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyotp
import pytest

from tests.web.browsing import Browser, hidden_fields, words
from tests.web.test_deviation_pages import HOSTILE, at, factors
from tests.world import open_lab

HERE = ZoneInfo("Asia/Shanghai")
_serial = iter(range(10_000))


@pytest.fixture(scope="module")
async def lab(make_database):
    """A house of its own: its authority is revoked and another appointed."""
    async with open_lab(make_database()) as opened:
        yield opened


async def opened(adam, *, name=None, roles=("technician",), **more):
    username = name or f"new.person{next(_serial)}"
    fields = {"username": username, "printed_name": f"New {username}", "language": "en", "roles": list(roles)} | more
    answer = await adam.post("/people/new", fields, page="/people/new")
    assert answer.status_code == 200, words(answer.text)
    return username, answer


def secrets_on(page):
    return re.findall(r'class="secret">([^<]+)<', page)


async def newcomer(lab, adam, **more):
    """Somebody whose account was opened on a page, known to the lab by the factors that it showed."""
    username, answer = await opened(adam, **more)
    _, password, secret = secrets_on(answer.text)
    key = await lab.value("SELECT id FROM people.accounts WHERE username = $1", username)
    lab.know(username, account_id=key, password=password, totp_secret=secret)
    return username


async def test_an_account_is_opened_and_its_factors_are_shown_once(lab, browser_of):
    adam = await browser_of("adam")
    fields = hidden_fields((await adam.get("/people/new")).text) | {
        "username": "wang.li",
        "printed_name": "Wang Li",
        "language": "zh_CN",
        "roles": "technician",
    }
    first = await adam.http.post("/people/new", data=fields)
    again = await adam.http.post("/people/new", data=fields)
    _, password, secret = secrets_on(first.text)
    assert first.headers["cache-control"] == "no-store"
    assert '<svg class="qr"' in first.text
    assert password not in again.text
    assert secret not in again.text
    assert "shown to nobody a second time" in words(again.text)
    listed = words((await adam.get("/people?q=wang")).text)
    assert "Wang Li wang.li technician open none" in listed
    key = await lab.value("SELECT id FROM people.accounts WHERE username = 'wang.li'")
    lab.know("wang.li", account_id=key, password=password, totp_secret=secret)
    person = Browser(lab)
    answer = await person.sign_in("wang.li")
    assert "stemma_language=zh_CN" in answer.headers["set-cookie"], "what somebody reads is known when they sign in"
    await person.http.aclose()
    for name in ("me", "new", "appointments", "Me Too", "1st"):
        refused = await adam.post("/people/new", fields | {"username": name}, page="/people/new")
        assert refused.status_code == 422, name
        assert 'id="username-wrong"' in refused.text


async def test_roles_badges_and_factors_are_given_and_taken(lab, browser_of):
    adam, quinn = await browser_of("adam"), await browser_of("quinn")
    username = await newcomer(lab, adam)
    there = f"/people/{username}"
    for path, fields, seen in (
        ("roles", {"role": "verifier"}, "verifier"),
        ("badge", {}, "issued"),
        ("roles/technician/revocation", {}, "verifier"),
    ):
        answer = await adam.post(f"{there}/{path}", fields, page=there)
        assert answer.status_code == 303, words(answer.text)
        assert seen in words((await adam.get(there)).text)
    assert (await adam.post(f"{there}/roles", {"role": "administrator"}, page=there)).status_code == 409
    assert (await adam.post(f"{there}/roles", {"role": "quality_authority"}, page=there)).status_code == 422
    fresh = await adam.post(f"{there}/factors", {}, page=there)
    assert len(secrets_on(fresh.text)) == 3
    assert (await adam.post(f"{there}/unlocking", {}, page=there)).status_code == 303
    assert (await quinn.post(f"{there}/badge/revocation", {}, page=there)).status_code == 303
    assert (await quinn.post(f"{there}/badge", {}, page=there)).status_code == 403
    assert (await quinn.post(f"{there}/closing", {}, page=there)).status_code == 403
    assert (await adam.post(f"{there}/closing", {}, page=there)).status_code == 303
    assert "account closed" in words((await adam.get(there)).text)
    own = await adam.post("/people/adam/closing", {}, page="/people/adam")
    assert own.status_code == 403
    assert "Nobody changes their own account" in words(own.text)
    tess = await browser_of("tess")
    assert (await tess.get("/people")).status_code == 403
    assert (await tess.get(there)).status_code == 403


async def test_one_changes_ones_own_password_pin_language_and_authenticator(lab, browser_of):
    adam = await browser_of("adam")
    username = await newcomer(lab, adam)
    me, elsewhere = await browser_of(username), await browser_of(username)
    new = "violet harbour 77 lanterns"
    wrong = await me.post("/people/me/password", await factors(lab, username) | {"new_password": new, "again": "x"},
                          page="/people/me")  # fmt: skip
    assert wrong.status_code == 422
    assert new not in wrong.text
    answer = await me.post("/people/me/password", await factors(lab, username) | {"new_password": new, "again": new},
                           page="/people/me")  # fmt: skip
    assert answer.headers["location"] == "/people/me?done=password", words(answer.text)
    assert (await elsewhere.get("/people/me")).headers["location"].startswith("/sign-in"), "other sessions ended"
    lab.cast[username]["password"] = new
    answer = await me.post("/people/me/pin", await factors(lab, username) | {"pin": "111111", "again": "111111"},
                           page="/people/me")  # fmt: skip
    assert answer.status_code == 422
    answer = await me.post("/people/me/pin", await factors(lab, username) | {"pin": "582931", "again": "582931"},
                           page="/people/me")  # fmt: skip
    assert answer.headers["location"] == "/people/me?done=pin", words(answer.text)

    page = (await me.get("/people/me/totp")).text
    (secret,) = secrets_on(page)
    asked = {"new_secret": secret, "new_code": "000000"}
    bad = await me.http.post("/people/me/totp", data=hidden_fields(page) | await factors(lab, username) | asked)
    assert bad.status_code == 422
    assert secret in secrets_on(bad.text), "the same secret stands there, and is not scanned twice"
    fields = hidden_fields(bad.text) | await factors(lab, username) | asked | {"new_code": pyotp.TOTP(secret).now()}
    answer = await me.http.post("/people/me/totp", data=fields)
    assert answer.headers["location"] == "/people/me?done=totp", words(answer.text)
    lab.cast[username]["totp_secret"] = secret

    answer = await me.post("/people/me/language", {"language": "zh_CN"}, page="/people/me")
    assert "stemma_language=zh_CN" in answer.headers["set-cookie"]
    assert 'lang="zh-CN"' in (await me.get("/people/me")).text
    assert await lab.value("SELECT language FROM people.accounts WHERE username = $1", username) == "zh_CN"


async def test_sessions_are_listed_ended_and_never_too_many(lab, browser_of, monkeypatch):
    adam = await browser_of("adam")
    username = await newcomer(lab, adam)
    me, other = await browser_of(username), await browser_of(username, place="198.51.100.9")
    page = (await me.get("/people/me")).text
    assert "198.51.100.9" in page
    ends = re.findall(r'action="(/people/me/sessions/\d+/end)"', page)
    assert len(ends) == 1, "not the one that is being looked at"
    stolen = await adam.post(ends[0], {}, page="/people/me")
    assert stolen.status_code == 409, "nobody ends anybody else's"
    assert (await me.post(ends[0], {}, page="/people/me")).status_code == 303
    assert (await other.get("/people/me")).status_code == 303

    monkeypatch.setattr(lab.app.state.house.settings, "sessions_per_person_max", 2)
    second = await browser_of(username)
    third = Browser(lab)
    answer = await third.sign_in(username)
    assert answer.headers["location"].startswith("/people/me?ended=1")
    assert "your oldest was ended" in words((await third.get(answer.headers["location"])).text)
    assert (await me.get("/people/me")).status_code == 303
    assert (await second.get("/people/me")).status_code == 200
    assert 'href="//evil' not in (await third.get("/people/me?ended=1&next=//evil.example/")).text
    await third.http.aclose()


async def test_training_is_recorded_by_quality_for_others(lab, browser_of):
    adam, quinn = await browser_of("adam"), await browser_of("quinn")
    username = await newcomer(lab, adam)
    there = f"/people/{username}/training"
    assert "not trained" in words((await quinn.get(there)).text)
    fields = {"topic": "gowning", "valid_from": at(minutes=-2), "valid_to": at(days=300), "evidence": "TR-1"}
    backwards = await quinn.post(there, fields | {"valid_to": at(days=-3)}, page=there)
    assert backwards.status_code == 422
    assert 'id="valid_to-wrong"' in backwards.text
    assert (await quinn.post(there, fields, page=there)).status_code == 303
    me = await browser_of(username)
    own = words((await me.get("/people/me/training")).text)
    assert "gowning holds" in own
    assert (await quinn.post("/people/quinn/training", fields, page=there)).status_code == 403
    assert (await me.get("/people/tess/training")).status_code == 403


async def test_an_authority_is_revoked_proposed_counted_and_appointed_by_two(lab, browser_of):
    adam, quinn, phil = await browser_of("adam"), await browser_of("quinn"), await browser_of("phil")
    username = await newcomer(lab, adam, roles=())
    shown = words((await quinn.get("/people/appointments")).text)
    assert "Dr Lin Qing" in shown
    assert "QA-03" in shown
    stint = {
        "employer-0": "Riverside Cell Bank",
        "position-0": "QA manager",
        "domain-0": "stem_cell_quality_management",
        "from_on-0": f"{date.today() - timedelta(days=4 * 365):%Y-%m-%d}",
        "to_on-0": "",
        "evidence-0": "letter",
    }
    counted = await quinn.post("/people/appointments/counting", stint)
    assert "enough" in words(counted.text)
    assert "4.00 years" in words(counted.text)
    none = await quinn.post("/people/appointments/counting", stint | {"evidence-0": ""})
    assert "not enough" in words(none.text)
    fields = {"account": username, "title_level": "senior", "title_certificate": "CERT-9",
              "certificate_valid_until": "2035-01-01", "from_at": "", "until_at": ""} | stint  # fmt: skip
    unknown = await quinn.post(
        "/people/appointments/new", fields | {"account": "nobody.here"}, page="/people/appointments/new"
    )
    assert 'id="account-wrong"' in unknown.text
    assert "4.00 years" in words(unknown.text), "what was typed is counted again"
    answer = await quinn.post("/people/appointments/new", fields, page="/people/appointments/new")
    assert answer.status_code == 303, words(answer.text)
    there = answer.headers["location"]
    page = (await quinn.get(there)).text
    assert re.findall(r'data-rule="(QA-0\d)" data-outcome="(\w+)"', page) == [
        ("QA-01", "pass"), ("QA-02", "pass"), ("QA-03", "pass")]  # fmt: skip
    assert (await phil.get("/people")).headers["location"] == "/people/appointments"
    live = re.search(r'href="(/people/appointments/\d+)"', (await quinn.get("/people/appointments")).text)[1]
    gone = await phil.post(
        f"{live}/revocation", await factors(lab, "phil"), page=f"{live}?sign=sign-appointment_revoked"
    )
    assert gone.status_code == 303, words(gone.text)
    assert "nobody" in words((await quinn.get("/people/appointments")).text)
    for name, browser in (("quinn", quinn), ("phil", phil)):
        opened_ = f"{there}?sign=sign-appointment_supported"
        answer = await browser.post(f"{there}/support", await factors(lab, name), page=opened_)
        assert answer.status_code == 303, words(answer.text)
        assert "Support by signature" not in words((await browser.get(there)).text), "nobody signs twice"
    assert f"New {username}" in words((await quinn.get("/people/appointments")).text).split("Proposed, and")[0]


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_hostile_text_stays_text(lab, browser_of, hostile):
    adam, quinn = await browser_of("adam"), await browser_of("quinn")
    stint = {f"{field}-0": hostile for field in ("employer", "position", "domain", "from_on", "to_on", "evidence")}
    for browser, page, path, fields in (
        (adam, "/people/new", "/people/new", {"username": hostile, "printed_name": hostile, "roles": hostile, "language": hostile}),
        (adam, "/people/new", "/people/new", {"username": f"h.{next(_serial)}", "printed_name": hostile, "language": "en"}),
        (adam, "/people/tess", "/people/tess/roles", {"role": hostile}),
        (adam, "/people/me", "/people/me/password", {"password": hostile, "totp": hostile, "new_password": hostile, "again": hostile}),
        (adam, "/people/me", "/people/me/pin", {"password": hostile, "totp": hostile, "pin": hostile, "again": hostile}),
        (adam, "/people/me", "/people/me/totp", {"password": hostile, "totp": hostile, "new_secret": hostile, "new_code": hostile}),
        (adam, "/people/me", "/people/me/language", {"language": hostile}),
        (quinn, "/people/tess/training", "/people/tess/training", {"topic": hostile, "evidence": hostile, "valid_from": hostile, "valid_to": hostile}),
        (quinn, "/people/tess/training", "/people/tess/training", {"topic": "gowning", "evidence": hostile, "valid_from": at(), "valid_to": at(days=1)}),
        (quinn, "/people/appointments/new", "/people/appointments/new", {"account": hostile, "title_level": hostile, "title_certificate": hostile, "certificate_valid_until": hostile, "from_at": hostile, "until_at": hostile} | stint),
        (quinn, "/people/appointments/new", "/people/appointments/counting", {"from_at": hostile} | stint),
    ):  # fmt: skip
        await lab.forget_failures("adam")
        answer = await browser.post(path, fields, page=page)
        assert answer.status_code < 500, f"{path} {words(answer.text)}"
        assert "<script>alert" not in answer.text
        assert '" onfocus=alert' not in answer.text
    for path in ("/people", "/people/tess/training", "/people/appointments"):
        answer = await quinn.get(path, params={"q": hostile, "after": hostile, "state": hostile})
        assert answer.status_code == 200, path
        assert "<script>alert" not in answer.text
    assert datetime.now(HERE)
