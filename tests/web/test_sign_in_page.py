"""The sign-in page: in, out, locked, and never led astray."""

import hashlib

from tests.web.browsing import words


async def test_signing_in_leads_to_where_ones_work_is(lab, browser):
    answer = await browser.sign_in("tess")
    assert answer.headers["location"] == "/bench"
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "SameSite=strict" in answer.headers["set-cookie"]
    page = await browser.get("/bench")
    assert page.status_code == 200
    assert "Tess Tan" in page.text
    assert "content-security-policy" in page.headers
    answer = await browser.sign_in("lin")
    assert answer.headers["location"] == "/lots"


async def test_a_page_asks_one_to_sign_in_and_then_opens(lab, browser):
    asked = await browser.get("/lots?state=released")
    assert asked.status_code == 303
    assert asked.headers["location"] == "/sign-in?next=/lots"
    form = await browser.get(asked.headers["location"])
    assert 'name="next" value="/lots"' in form.text
    fields = {"username": "quinn", "password": lab.password("quinn"), "totp": await lab.totp("quinn"), "next": "/lots"}
    answer = await browser.http.post("/sign-in", data=fields)
    assert answer.headers["location"] == "/lots"


async def test_nobody_is_led_away_after_signing_in(lab, browser):
    for elsewhere in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        form = await browser.http.get("/sign-in", params={"next": elsewhere})
        assert 'name="next" value=""' in form.text
        fields = {
            "username": "tess",
            "password": lab.password("tess"),
            "totp": await lab.totp("tess"),
            "next": elsewhere,
        }
        answer = await browser.http.post("/sign-in", data=fields)
        assert answer.headers["location"] == "/bench"


async def test_wrong_factors_are_refused_in_words_and_the_name_stays(lab, browser):
    await browser.lab.forget_failures("vera")
    await browser.lab.forgive_places()
    answer = await browser.http.post("/sign-in", data={"username": "vera", "password": "certainly not this"})
    assert answer.status_code == 401
    assert "does not match" in words(answer.text)
    assert 'value="vera"' in answer.text
    assert "certainly not this" not in answer.text
    assert "set-cookie" not in answer.headers


async def test_another_site_cannot_sign_anybody_in_or_out(lab, browser_of):
    browser = await browser_of("tess")
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        fields = {"username": "tess", "password": lab.password("tess")}
        answer = await browser.http.post("/sign-in", data=fields, headers=headers)
        assert answer.status_code == 403
        answer = await browser.http.post("/sign-out", data={}, headers=headers)
        assert answer.status_code == 403
    assert (await browser.get("/bench")).status_code == 200


async def test_signing_out_needs_our_own_form_and_ends_the_session(lab, browser_of):
    browser = await browser_of("tess")
    answer = await browser.http.post("/sign-out", data={"csrf": "guessed"})
    assert answer.status_code == 403
    assert (await browser.get("/bench")).status_code == 200
    token = browser.http.cookies["stemma_session"]
    answer = await browser.post("/sign-out", {}, page="/bench")
    assert answer.headers["location"] == "/sign-in"
    again = await browser.http.get("/bench", headers={"cookie": f"stemma_session={token}"})
    assert again.status_code == 303


async def test_a_locked_screen_opens_for_its_own_person_where_it_locked(lab, browser_of):
    browser = await browser_of("tom")
    token = browser.http.cookies["stemma_session"]
    await lab.sql(
        "UPDATE people.sessions SET seen_at = clock_timestamp() - interval '1 hour' WHERE token_sha256 = $1",
        hashlib.sha256(token.encode()).digest(),
    )
    asked = await browser.get("/lots")
    assert asked.headers["location"] == "/unlock?next=/lots"
    refused = await browser.post("/unlock", {"password": "not his"}, page="/unlock?next=/lots")
    assert refused.status_code == 401
    assert (await browser.get("/lots")).status_code == 303
    opened = await browser.post("/unlock", {"password": lab.password("tom")}, page="/unlock?next=/lots")
    assert opened.status_code == 303, words(opened.text)
    assert opened.headers["location"] == "/lots"
    assert (await browser.get("/lots")).status_code == 200


async def test_the_language_is_the_browsers_until_one_chooses(lab, browser):
    assert "登录" in (await browser.get("/sign-in", headers={"accept-language": "zh-CN,zh;q=0.9"})).text
    english = await browser.get("/sign-in")
    assert 'lang="en"' in english.text
    chosen = await browser.get("/sign-in?lang=zh_CN")
    assert 'lang="zh-CN"' in chosen.text
    assert "登录" in (await browser.get("/sign-in")).text


async def test_an_unknown_page_is_said_in_words_and_programs_get_json(lab, browser_of):
    browser = await browser_of("tess")
    page = await browser.get("/nowhere")
    assert page.status_code == 404
    assert "There is no such page." in words(page.text)
    program = await browser.get("/api/v1/nowhere")
    assert program.status_code == 404
    assert program.headers["content-type"].startswith("application/json")


async def test_an_administrator_lands_where_the_work_is_explained(lab, browser_of):
    browser = await browser_of("adam")
    home = await browser.get("/")
    assert home.headers["location"] == "/administration"
    page = await browser.get("/administration")
    assert page.status_code == 200
    assert "To the accounts" in words(page.text)
    assert "You may not" not in words(page.text)
    tess = await browser_of("tess")
    assert (await tess.get("/administration")).headers["location"] == "/bench"
