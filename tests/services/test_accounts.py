"""Accounts: opened, given roles, reset, closed; one's own factors."""

import asyncio
import itertools
import uuid

import pyotp
import pytest

from tests.world import API, ok, refused

_names = itertools.count()


async def newcomer(lab, *roles, printed_name="Nora Neu"):
    """A fresh account, known to the lab by its name."""
    name = f"new{next(_names)}"
    made = ok(
        await lab.as_("adam").post("/accounts", {"username": name, "printed_name": printed_name, "roles": list(roles)})
    )
    account_id = await lab.value("SELECT id FROM people.accounts WHERE username = $1", name)
    lab.know(name, account_id=account_id, password=made["password"], totp_secret=made["totp_secret"])
    return name


async def roles_of(lab, name):
    return await lab.value("SELECT people.roles_of(id) FROM people.accounts WHERE username = $1", name)


async def entries(lab, act):
    return await lab.value("SELECT count(*) FROM audit.entries WHERE act = $1", act)


# -- opening -----------------------------------------------------------------------------------------------------------


async def test_an_administrator_opens_an_account_and_its_owner_signs_in(lab):
    name = await newcomer(lab, "technician", "verifier")
    session = ok(await lab.as_(name).get("/session"))
    assert session["roles"] == ["technician", "verifier"]
    assert session["printed_name"] == "Nora Neu"
    listed = ok(await lab.as_("quinn").get("/accounts", limit=200))
    mine = next(each for each in listed if each["username"] == name)
    assert mine["active"]
    assert mine["factors_reset_at"] is not None


async def test_factors_are_told_once_and_kept_nowhere_in_the_clear(lab):
    key, name = str(uuid.uuid4()), f"new{next(_names)}"
    body = {"username": name, "printed_name": "Once Told", "roles": ["technician"]}
    first = ok(await lab.as_("adam").post("/accounts", body, key=key))
    again = await lab.as_("adam").post("/accounts", body, key=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert ok(again)["password"] is None
    assert ok(again)["totp_secret"] is None
    assert await lab.value("SELECT count(*) FROM people.accounts WHERE username = $1", name) == 1
    for told in (first["password"], first["totp_secret"]):
        for table in ("audit.entries", "audit.rows", "lab.idempotency", "people.credentials"):
            found = await lab.value(f"SELECT count(*) FROM {table} t WHERE t::text LIKE '%' || $1 || '%'", told)
            assert found == 0, table


async def test_the_audit_says_of_secrets_only_that_they_changed(lab):
    await newcomer(lab, "technician")
    payload = await lab.value(
        "SELECT payload FROM audit.rows WHERE tbl = 'people.credentials' AND op = 'I' ORDER BY seq DESC LIMIT 1"
    )
    assert '"password_hash": "[secret]"' in payload
    assert "argon2" not in payload
    assert "password_hash,totp_secret" in payload


@pytest.mark.parametrize("name", ["tess", "vera", "ana", "rolf", "quinn", "lin", "phil", "hedda"])
async def test_nobody_else_opens_accounts_or_gives_roles(lab, name):
    before = await lab.value("SELECT count(*) FROM people.accounts")
    body = {"username": "puppet", "printed_name": "Puppet", "roles": ["qa_manager"]}
    refused(await lab.as_(name).post("/accounts", body), 403, "not-permitted")
    refused(await lab.as_(name).post("/accounts/tom/roles", {"role": "qa_manager"}), 403, "not-permitted")
    refused(await lab.as_(name).post("/accounts/tom/reset-factors"), 403, "not-permitted")
    refused(await lab.as_(name).post("/accounts/tom/deactivate"), 403, "not-permitted")
    assert await lab.value("SELECT count(*) FROM people.accounts") == before
    assert await roles_of(lab, "tom") == ["technician"]


async def test_a_name_is_taken_once(lab):
    body = {"username": "tess", "printed_name": "Another Tess"}
    refused(await lab.as_("adam").post("/accounts", body), 409, "conflict")
    assert await lab.value("SELECT printed_name FROM people.accounts WHERE username = 'tess'") == "Tess Tan"


@pytest.mark.parametrize("username", ["", "T", "tess tan", "../etc", "a" * 65, "tëss", "1abc", "x\u202ey"])
async def test_a_strange_name_is_refused(lab, username):
    refused(await lab.as_("adam").post("/accounts", {"username": username, "printed_name": "X"}), 422, "bad-input")


# -- roles -------------------------------------------------------------------------------------------------------------


async def test_a_role_given_is_held_at_the_next_sign_in_and_the_old_session_is_over(lab):
    name = await newcomer(lab, "technician")
    ok(await lab.as_(name).get("/session"))
    given = ok(await lab.as_("adam").post(f"/accounts/{name}/roles", {"role": "verifier"}))
    assert given["roles"] == ["technician", "verifier"]
    refused(await lab.as_(name).get("/session"), 401)
    lab.as_(name).token = None
    assert ok(await lab.as_(name).get("/session"))["roles"] == ["technician", "verifier"]
    ok(await lab.as_("adam").delete(f"/accounts/{name}/roles/technician"))
    refused(await lab.as_(name).get("/session"), 401)
    assert await roles_of(lab, name) == ["verifier"]
    refused(await lab.as_("adam").delete(f"/accounts/{name}/roles/technician"), 409, "conflict")


async def test_somebody_whose_last_role_was_taken_does_nothing_but_leave(lab):
    name = await newcomer(lab, "technician")
    token = await lab.as_(name).signed_in()
    await lab.arrange("UPDATE people.grants SET revoked_at = clock_timestamp() WHERE account_id = $1", lab.id_of(name))
    refused(await lab.as_(name).post("/accounts/me/totp/offer"), 403, "not-permitted")
    assert (await lab.as_(name).delete("/session")).status_code == 204
    refused(await lab.http.get(f"{API}/session", headers={"Authorization": f"Bearer {token}"}), 401)
    body = {"username": name, "password": lab.password(name)}
    refused(await lab.http.post(f"{API}/session", json=body), 403, "not-permitted")


async def test_a_role_is_held_once_and_can_come_back(lab):
    name = await newcomer(lab, "technician")
    refused(await lab.as_("adam").post(f"/accounts/{name}/roles", {"role": "technician"}), 409, "conflict")
    ok(await lab.as_("adam").delete(f"/accounts/{name}/roles/technician"))
    ok(await lab.as_("adam").post(f"/accounts/{name}/roles", {"role": "technician"}))
    assert await roles_of(lab, name) == ["technician"]


async def test_an_administrator_holds_no_other_role_in_whatever_order(lab):
    name = await newcomer(lab, "technician")
    refused(await lab.as_("adam").post(f"/accounts/{name}/roles", {"role": "administrator"}), 409, "conflict")
    body = {"username": f"new{next(_names)}", "printed_name": "Both", "roles": ["administrator", "qa_manager"]}
    refused(await lab.as_("adam").post("/accounts", body), 409, "conflict")
    assert await lab.value("SELECT count(*) FROM people.accounts WHERE username = $1", body["username"]) == 0
    refused(await lab.as_("adam").post("/accounts/lin/roles", {"role": "administrator"}), 409, "conflict")
    assert await roles_of(lab, "lin") == ["quality_authority"]


async def test_two_roles_given_at_once_never_make_an_administrator_with_a_second_role(lab):
    name = await newcomer(lab)
    answers = await asyncio.gather(
        *(
            lab.as_("adam").post(f"/accounts/{name}/roles", {"role": role})
            for role in ("administrator", "qa_manager", "administrator", "qa_manager")
        )
    )
    assert min(each.status_code for each in answers) == 200
    held = await roles_of(lab, name)
    assert held in (["administrator"], ["qa_manager"]), held


async def test_the_quality_authority_is_appointed_never_granted(lab):
    problem = refused(await lab.as_("adam").post("/accounts/tess/roles", {"role": "quality_authority"}), 422)
    assert "appointed" in problem["why"]
    body = {"username": "short-cut", "printed_name": "Short Cut", "roles": ["quality_authority"]}
    refused(await lab.as_("adam").post("/accounts", body), 422, "bad-input")
    assert await roles_of(lab, "tess") == ["technician"]


async def test_an_administrator_does_nothing_of_this_to_his_own_account(lab):
    for response in (
        await lab.as_("adam").post("/accounts/adam/roles", {"role": "administrator"}),
        await lab.as_("adam").post("/accounts/adam/roles", {"role": "qa_manager"}),
        await lab.as_("adam").delete("/accounts/adam/roles/administrator"),
        await lab.as_("adam").post("/accounts/adam/reset-factors"),
        await lab.as_("adam").post("/accounts/adam/deactivate"),
    ):
        refused(response, 403, "not-permitted")
    assert await roles_of(lab, "adam") == ["administrator"]
    assert ok(await lab.as_("adam").get("/session"))["username"] == "adam"


# -- reset and closing -------------------------------------------------------------------------------------------------


async def test_reset_factors_sign_in_at_once_and_sign_nothing_for_a_day(lab):
    name = await newcomer(lab, "qa_manager")
    old = lab.password(name)
    ok(await lab.as_(name).get("/session"))
    reset = ok(await lab.as_("adam").post(f"/accounts/{name}/reset-factors"))
    refused(await lab.as_(name).get("/session"), 401)
    refused(
        await lab.http.post(f"{API}/session", json={"username": name, "password": old, "totp": await lab.totp(name)}),
        401,
    )
    lab.cast[name] |= {"password": reset["password"], "totp_secret": reset["totp_secret"]}
    lab.as_(name).token = None
    ok(await lab.as_(name).get("/session"))
    appointment = await lab.value("SELECT id FROM people.appointments ORDER BY id LIMIT 1")
    answer = await lab.try_to_sign(name, "appointment_revoked", "appointment", appointment)
    assert "reset" in refused(answer, 403, "ceremony-refused")["why"]
    assert await lab.value("SELECT count(*) FROM people.ceremonies WHERE account_id = $1", lab.id_of(name)) == 0
    await lab.arrange(
        "UPDATE people.credentials SET reset_at = clock_timestamp() - interval '25 hours' WHERE account_id = $1",
        lab.id_of(name),
    )
    ok(await lab.try_to_sign(name, "appointment_revoked", "appointment", appointment))


async def test_a_closed_account_is_out_at_once_and_for_good(lab):
    name = await newcomer(lab, "technician")
    ok(await lab.as_(name).get("/session"))
    closed = ok(await lab.as_("adam").post(f"/accounts/{name}/deactivate"))
    assert closed["active"] is False
    assert closed["roles"] == []
    refused(await lab.as_(name).get("/session"), 401)
    body = {"username": name, "password": lab.password(name), "totp": await lab.totp(name)}
    refused(await lab.http.post(f"{API}/session", json=body), 401)
    refused(await lab.as_("adam").post(f"/accounts/{name}/deactivate"), 409, "conflict")
    refused(await lab.as_("adam").post(f"/accounts/{name}/roles", {"role": "verifier"}), 409, "conflict")
    refused(await lab.as_("adam").post(f"/accounts/{name}/reset-factors"), 409, "conflict")


async def test_what_is_not_there_is_not_found(lab):
    refused(await lab.as_("adam").post("/accounts/ghost/deactivate"), 404, "not-found")
    refused(await lab.as_("adam").post("/accounts/ghost/unlock"), 404, "not-found")


async def test_accounts_are_listed_page_by_page_for_those_who_may(lab):
    first = ok(await lab.as_("adam").get("/accounts", limit=3))
    rest = ok(await lab.as_("adam").get("/accounts", after=first[-1]["username"], limit=200))
    names = [each["username"] for each in first + rest]
    assert names == sorted(set(names))
    assert {"tess", "adam", "lin"} <= set(names)
    refused(await lab.as_("tess").get("/accounts"), 403, "not-permitted")
    assert not any("hash" in key or "totp" in key for key in first[0])


# -- one's own factors -------------------------------------------------------------------------------------------------


async def change_password(lab, name, **changed):
    body = {"password": lab.password(name), "new_password": "four quiet herons wade"} | changed
    return await lab.as_(name).post(
        "/accounts/me/password", body | {"totp": changed.get("totp") or await lab.totp(name)}
    )


async def test_one_changes_ones_own_password_and_other_sessions_end(lab):
    name = await newcomer(lab, "technician")
    other = await lab.sign_in(name)
    ok(await lab.as_(name).get("/session"))
    ok(await change_password(lab, name))
    ok(await lab.as_(name).get("/session"))
    refused(await lab.http.get(f"{API}/session", headers={"Authorization": f"Bearer {other}"}), 401)
    refused(await lab.http.post(f"{API}/session", json={"username": name, "password": lab.password(name)}), 401)
    lab.cast[name]["password"] = "four quiet herons wade"
    await lab.sign_in(name)


async def test_a_password_is_changed_only_by_both_old_factors(lab):
    name = await newcomer(lab, "technician")
    kept = await lab.value("SELECT password_hash FROM people.credentials WHERE account_id = $1", lab.id_of(name))
    refused(await change_password(lab, name, password="certainly not this"), 403, "ceremony-refused")
    refused(await change_password(lab, name, totp="000000"), 403, "ceremony-refused")
    refused(await change_password(lab, name, new_password="short"), 422, "bad-input")
    refused(await change_password(lab, name, new_password="Nora.Neu.Nora.Neu"), 422, "bad-input")
    assert kept == await lab.value(
        "SELECT password_hash FROM people.credentials WHERE account_id = $1", lab.id_of(name)
    )


async def test_no_guessable_digest_of_a_password_is_kept_with_an_idempotency_key(lab):
    import hashlib
    import json

    name, key = await newcomer(lab, "technician"), str(uuid.uuid4())
    body = {"password": lab.password(name), "totp": await lab.totp(name), "new_password": "four quiet herons wade"}
    ok(await lab.as_(name).post("/accounts/me/password", body, key=key))
    kept = await lab.value("SELECT body_sha256 FROM lab.idempotency WHERE key = $1", key)
    sent = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    plain = hashlib.sha256(b"POST /api/v1/accounts/me/password\n" + sent).digest()
    assert kept != plain
    assert len(kept) == 32
    again = await lab.as_(name).post("/accounts/me/password", body, key=key)
    assert again.headers["idempotency-replayed"] == "true"
    refused(await lab.as_(name).post("/accounts/me/password", body | {"password": "a guess at it"}, key=key), 403)


async def test_another_authenticator_takes_over_once_it_has_shown_a_code(lab):
    name = await newcomer(lab, "qa_manager")
    offer = ok(await lab.as_(name).post("/accounts/me/totp/offer"))
    assert offer["totp_uri"].startswith("otpauth://totp/")
    secret = offer["totp_secret"]
    body = {"password": lab.password(name), "totp": await lab.totp(name), "new_secret": secret}
    refused(await lab.as_(name).post("/accounts/me/totp", body | {"new_code": "000000"}), 422, "bad-input")
    body["totp"] = await lab.totp(name)
    ok(await lab.as_(name).post("/accounts/me/totp", body | {"new_code": pyotp.TOTP(secret).now()}))
    old_code = await lab.totp(name)
    refused(
        await lab.http.post(
            f"{API}/session", json={"username": name, "password": lab.password(name), "totp": old_code}
        ),
        401,
    )
    lab.cast[name]["totp_secret"] = secret
    await lab.sign_in(name)
    assert await lab.value("SELECT reset_at IS NOT NULL FROM people.credentials WHERE account_id = $1", lab.id_of(name))
