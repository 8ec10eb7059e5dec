"""Signing in and out, the throttle, the screen that locks itself, the workstation."""

import asyncio
import hashlib

import httpx
import pytest

from app.db.secrets import HASHING
from tests.world import API, ok, refused

PATH = f"{API}/session"


@pytest.fixture
async def door(lab):
    """Somebody without a session, at a place of their own: the throttle counts by place."""
    made = []

    def at(place):
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=lab.app, client=(place, 1)), base_url="http://lab.test"
        )
        made.append(client)
        return client

    yield at
    for each in made:
        await each.aclose()


async def sign_in(client, lab, name, **changed):
    factors = {} if "totp" in changed else {"totp": await lab.totp(name)}
    body = {"username": name, "password": lab.password(name)} | factors | changed
    return await client.post(PATH, json={k: v for k, v in body.items() if v is not None})


async def wrong(client, lab, name="tess"):
    return await client.post(PATH, json={"username": name, "password": "certainly not this"})


async def refusals(lab, act="sign_in"):
    return await lab.value("SELECT count(*) FROM lab.refusals WHERE act = $1", act)


async def failures_ago(lab, name, source, count, seconds):
    for _ in range(count):
        await lab.sql(
            "INSERT INTO people.login_attempts (username, source, outcome, at)"
            " VALUES ($1, $2, 'tried', clock_timestamp() - make_interval(secs => $3))",
            name,
            source,
            float(seconds),
        )


# -- in and out --------------------------------------------------------------------------------------------------------


async def test_a_session_is_a_token_and_a_cookie_and_says_who_one_is(lab, door):
    client = door("10.0.1.1")
    response = await sign_in(client, lab, "tess", totp=None)
    session = ok(response)
    assert response.status_code == 201
    assert session["printed_name"] == "Tess Tan"
    assert session["roles"] == ["technician"]
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert session["token"] in cookie
    by_cookie = ok(await client.get(PATH))
    assert by_cookie["username"] == "tess"
    by_token = ok(await lab.http.get(PATH, headers={"Authorization": f"Bearer {session['token']}"}))
    assert by_token == by_cookie


async def test_the_database_keeps_only_the_digest_of_a_token(lab):
    token = await lab.sign_in("tom")
    assert (
        await lab.value(
            "SELECT count(*) FROM people.sessions WHERE token_sha256 = $1", hashlib.sha256(token.encode()).digest()
        )
        == 1
    )
    kept = await lab.sql("SELECT payload FROM audit.entries WHERE act = 'sign_in'")
    assert kept
    assert all(token not in row["payload"] for row in kept)


async def test_signing_in_and_out_are_on_record_under_the_persons_name(lab, door):
    client = door("10.0.1.2")
    ok(await sign_in(client, lab, "ana"))
    assert (await client.delete(PATH)).status_code == 204
    refused(await client.get(PATH), 401, "not-signed-in")
    rows = await lab.sql(
        "SELECT act, actor, db_role, device FROM audit.entries WHERE actor = 'ana' ORDER BY number DESC LIMIT 2"
    )
    assert [row["act"] for row in rows] == ["sign_out", "sign_in"]
    assert {row["db_role"] for row in rows} == {"stemma_auth"}
    assert rows[0]["device"].startswith("10.0.1.2")


async def test_an_ended_session_stays_ended_whoever_holds_its_token(lab, door):
    client = door("10.0.1.3")
    token = ok(await sign_in(client, lab, "ana"))["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert (await lab.http.delete(PATH, headers=bearer)).status_code == 204
    refused(await lab.http.get(PATH, headers=bearer), 401)
    refused(await lab.http.post(f"{PATH}/unlock", headers=bearer, json={"password": lab.password("ana")}), 401)
    refused(await lab.http.delete(PATH, headers=bearer), 401)


async def test_signing_in_again_in_the_same_browser_ends_the_session_before(lab, door):
    client = door("10.0.1.4")
    first = ok(await sign_in(client, lab, "ana"))["token"]
    second = ok(await sign_in(client, lab, "ana"))["token"]
    assert first != second
    refused(await lab.http.get(PATH, headers={"Authorization": f"Bearer {first}"}), 401)
    ok(await lab.http.get(PATH, headers={"Authorization": f"Bearer {second}"}))


async def test_behind_tls_the_cookie_is_bound_to_this_host(database):
    from tests.world import open_lab

    async with open_lab(database, cookie_secure=True, origin="https://lab.test") as strict:
        body = {"username": "tom", "password": strict.password("tom")}
        cookie = (await strict.http.post(PATH, json=body)).headers["set-cookie"]
    assert cookie.startswith("__Host-stemma_session=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


# -- refused -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["quinn", "lin", "phil", "adam"])
async def test_without_the_code_password_alone_is_not_enough_for_those_who_decide(lab, door, name):
    client = door(f"10.0.2.{len(name)}")
    problem = refused(await sign_in(client, lab, name, totp=None), 401, "not-signed-in")
    assert problem == refused(await sign_in(client, lab, name, password="certainly not this"), 401)
    refused(await sign_in(client, lab, name, totp="000000"), 401)
    ok(await sign_in(client, lab, name))


async def test_a_code_that_is_given_must_hold_even_where_none_is_asked_for(lab, door):
    refused(await sign_in(door("10.0.2.20"), lab, "tess", totp="000000"), 401, "not-signed-in")


async def test_a_code_is_used_once(lab, door):
    client = door("10.0.2.21")
    code = await lab.totp("quinn")
    ok(await sign_in(client, lab, "quinn", totp=code))
    refused(await sign_in(client, lab, "quinn", totp=code), 403, "ceremony-refused")


async def test_one_code_at_once_from_many_places_signs_in_once(lab, door):
    code = await lab.totp("quincy")
    body = {"username": "quincy", "password": lab.password("quincy"), "totp": code}
    answers = await asyncio.gather(*(door(f"10.0.2.{30 + n}").post(PATH, json=body) for n in range(4)))
    assert sorted(each.status_code for each in answers) == [201, 403, 403, 403]


async def test_a_name_that_nobody_has_is_told_the_same_and_is_not_written_down(lab, door):
    client = door("10.0.2.22")
    before = await refusals(lab)
    secret = "my-own-secret-in-the-wrong-field"
    unknown = refused(await client.post(PATH, json={"username": secret, "password": "x"}), 401)
    known = refused(await wrong(client, lab, "tess"), 401)
    assert unknown == known
    assert await refusals(lab) == before + 2
    assert await lab.value("SELECT count(*) FROM people.login_attempts WHERE username = $1", secret) == 0
    assert await lab.value("SELECT count(*) FROM audit.entries WHERE payload LIKE '%wrong-field%'") == 0


async def test_a_request_from_another_site_signs_nobody_in(lab, door):
    body = {"username": "tess", "password": lab.password("tess")}
    client = door("10.0.2.23")
    refused(await client.post(PATH, json=body, headers={"Origin": "https://elsewhere.example"}), 403)
    refused(await client.post(PATH, json=body, headers={"Sec-Fetch-Site": "cross-site"}), 403)
    assert "set-cookie" not in client.headers


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "tess"},
        {"username": "tess", "password": ""},
        {"username": "t" * 65, "password": "x"},
        {"username": "tess", "password": "x" * 513},
        {"username": "tess", "password": "x", "role": "administrator"},
        {"username": ["tess"], "password": "x"},
    ],
)
async def test_a_malformed_request_is_refused_without_the_password_in_the_answer(door, body):
    response = await door("10.0.2.24").post(PATH, json=body)
    refused(response, 422, "bad-input")
    assert "xxx" not in response.text


async def test_a_name_that_the_database_cannot_hold_is_refused(door):
    refused(await door("10.0.2.25").post(PATH, json={"username": "te\x00ss", "password": "x"}), 422, "bad-input")


@pytest.mark.parametrize("username", ["'; DROP TABLE people.accounts; --", "ﬀ" * 20, "李"])
async def test_strange_names_are_just_wrong(door, username):
    refused(await door("10.0.2.25").post(PATH, json={"username": username, "password": "x"}), 401)


# -- the throttle ------------------------------------------------------------------------------------------------------


async def test_after_five_failures_the_next_waits_and_the_right_password_waits_too(lab, door):
    client = door("10.0.3.1")
    for _ in range(5):
        refused(await wrong(client, lab, "hedda"), 401)
    response = await sign_in(client, lab, "hedda")
    problem = refused(response, 423, "locked")
    assert 1 <= problem["retry_after_s"] <= 2
    assert response.headers["retry-after"] == str(problem["retry_after_s"])
    await asyncio.sleep(problem["retry_after_s"] + 0.05)
    ok(await sign_in(client, lab, "hedda"))
    refused(await wrong(client, lab, "hedda"), 401)


@pytest.mark.parametrize(("count", "wait_s"), [(5, 1), (6, 2), (10, 32), (14, 512), (15, 900), (40, 900)])
async def test_each_failure_doubles_the_wait_up_to_a_quarter_of_an_hour(lab, count, wait_s):
    name = f"nobody-{count}"
    bucket = "?" + hashlib.sha256(name.encode()).hexdigest()[:3]
    await failures_ago(lab, bucket, f"10.0.3.{count + 20}", count, 0.2)
    assert await lab.value("SELECT wait_s FROM people.begin_attempt($1, '10.0.3.99')", name) == wait_s


async def test_waiting_does_not_count_and_nobody_is_locked_out_for_good(lab):
    bucket = "?" + hashlib.sha256(b"nobody-late").hexdigest()[:3]
    await failures_ago(lab, bucket, "10.0.3.70", 30, 890)
    for _ in range(20):
        assert 1 <= await lab.value("SELECT wait_s FROM people.begin_attempt('nobody-late', '10.0.3.71')") <= 10
    assert await lab.value("SELECT count(*) FROM people.login_attempts WHERE username = $1", bucket) == 30
    await failures_ago(lab, "?000", "10.0.3.72", 30, 901)
    assert (
        await lab.value("SELECT people.wait_after(30, 5, clock_timestamp() - interval '901 s', clock_timestamp())") == 0
    )


async def test_a_stranger_who_guesses_does_not_lock_the_owner_out_of_her_own_bench(lab, door):
    bench, stranger = door("10.0.3.80"), door("10.0.3.81")
    ok(await sign_in(bench, lab, "vera"))
    await failures_ago(lab, "vera", "10.0.3.82", 25, 1)
    refused(await wrong(stranger, lab, "vera"), 423, "locked")
    ok(await sign_in(bench, lab, "vera"))


async def test_the_owners_sign_in_gives_the_stranger_no_fresh_attempts(lab, door):
    bench = door("10.0.3.83")
    ok(await sign_in(bench, lab, "tom"))
    await failures_ago(lab, "tom", "10.0.3.84", 12, 1)
    ok(await sign_in(bench, lab, "tom"))
    refused(await wrong(door("10.0.3.84"), lab, "tom"), 423)


async def test_a_hundred_guesses_at_once_are_no_hundred_guesses(lab, door):
    client = door("10.0.3.90")
    answers = await asyncio.gather(*(wrong(client, lab, "rolf") for _ in range(60)))
    statuses = [each.status_code for each in answers]
    assert set(statuses) <= {401, 409, 423}, statuses
    assert statuses.count(401) <= 6, statuses
    assert statuses.count(409) >= 1, statuses


async def test_one_place_that_tries_many_names_waits(lab, door):
    for n in range(40):
        await failures_ago(lab, f"?{n:03x}", "10.0.3.91", 1, 0)
    refused(await wrong(door("10.0.3.91"), lab, "ana"), 423, "locked")
    refused(await wrong(door("10.0.3.92"), lab, "ana"), 401)


async def test_an_administrator_unlocks(lab, door):
    client = door("10.0.3.93")
    await failures_ago(lab, "phil", "10.0.3.93", 14, 1)
    refused(await sign_in(client, lab, "phil"), 423)
    refused(await lab.as_("quinn").post("/accounts/phil/unlock"), 403, "not-permitted")
    refused(await sign_in(client, lab, "phil"), 423)
    ok(await lab.as_("adam").post("/accounts/phil/unlock"))
    ok(await sign_in(client, lab, "phil"))


async def test_too_many_at_once_are_turned_away_uncounted(lab, door):
    before = await lab.value("SELECT count(*) FROM people.login_attempts")
    HASHING._taken += 18
    try:
        refused(await wrong(door("10.0.3.94"), lab, "ana"), 409, "busy")
    finally:
        HASHING._taken -= 18
    assert await lab.value("SELECT count(*) FROM people.login_attempts") == before


# -- the lock ----------------------------------------------------------------------------------------------------------


async def idle(lab, token, minutes=16):
    await lab.sql(
        "UPDATE people.sessions SET seen_at = clock_timestamp() - make_interval(mins => $2) WHERE token_sha256 = $1",
        hashlib.sha256(token.encode()).digest(),
        minutes,
    )


async def test_after_a_quarter_of_an_hour_the_screen_is_locked_and_its_owner_goes_on(lab, door):
    client = door("10.0.4.1")
    token = ok(await sign_in(client, lab, "ana"))["token"]
    await idle(lab, token, minutes=14)
    ok(await client.get(PATH))
    await idle(lab, token)
    assert refused(await client.get(PATH), 401, "not-signed-in")["locked"] is True
    refused(await client.post(f"{PATH}/unlock", json={"password": "certainly not this"}), 401)
    assert refused(await client.get(PATH), 401)["locked"] is True
    ok(await client.post(f"{PATH}/unlock", json={"password": lab.password("ana")}))
    assert ok(await client.get(PATH))["username"] == "ana"


async def test_nobody_elses_password_opens_a_locked_screen(lab, door):
    client = door("10.0.4.2")
    token = ok(await sign_in(client, lab, "ana"))["token"]
    await idle(lab, token)
    refused(await client.post(f"{PATH}/unlock", json={"password": lab.password("tess")}), 401)
    refused(await client.get(PATH), 401)


async def test_after_twelve_hours_the_session_has_ended(lab, door):
    client = door("10.0.4.3")
    token = ok(await sign_in(client, lab, "ana"))["token"]
    digest = hashlib.sha256(token.encode()).digest()
    hours = await lab.value(
        "SELECT extract(epoch FROM ends_at - started_at) / 3600 FROM people.sessions WHERE token_sha256 = $1", digest
    )
    assert abs(float(hours) - 12) < 0.01
    await lab.sql(
        "UPDATE people.sessions SET ends_at = clock_timestamp() - interval '1 second' WHERE token_sha256 = $1", digest
    )
    assert refused(await client.get(PATH), 401)["locked"] is False
    refused(await client.post(f"{PATH}/unlock", json={"password": lab.password("ana")}), 401)


# -- the workstation ---------------------------------------------------------------------------------------------------


async def equipment(lab, kind):
    name = f"{kind} {await lab.value('SELECT count(*) FROM lab.equipment')}"
    return ok(await lab.as_("hedda").post("/equipment", {"name": name, "kind": kind, "room": "B 101"}))


async def test_a_session_works_at_the_workstation_that_was_scanned(lab):
    bench = await equipment(lab, "workstation")
    tom = lab.as_("tom")
    answer = ok(await tom.post("/session/workstation", {"code": bench["code"].lower()}))
    assert answer["workstation"] == bench["code"]
    assert ok(await tom.get("/session"))["workstation_name"] == bench["name"]


async def test_nobody_works_at_a_freezer_or_at_nothing(lab):
    freezer = await equipment(lab, "freezer")
    before = ok(await lab.as_("tess").get("/session"))["workstation"]
    refused(await lab.as_("tess").post("/session/workstation", {"code": freezer["code"]}), 404, "not-found")
    refused(await lab.as_("tess").post("/session/workstation", {"code": "E-000-000-000-0"}), 422, "bad-input")
    refused(await lab.as_("tess").post("/session/workstation", {"code": "nothing here"}), 404, "not-found")
    assert ok(await lab.as_("tess").get("/session"))["workstation"] == before
