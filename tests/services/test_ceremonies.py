"""Ceremonies: two factors, one record as it stands, one signature, two minutes."""

import asyncio
import hashlib
import itertools
import uuid

import pytest

from tests.world import API, ok, refused

_names = itertools.count()


async def account(lab, *roles):
    """Somebody whose factors are theirs since long ago."""
    name = f"sig{next(_names)}"
    body = {"username": name, "printed_name": f"Signe {name}", "roles": list(roles)}
    made = ok(await lab.as_("adam").post("/accounts", body))
    account_id = await lab.value("SELECT id FROM people.accounts WHERE username = $1", name)
    await lab.arrange("UPDATE people.credentials SET reset_at = NULL WHERE account_id = $1", account_id)
    lab.know(name, account_id=account_id, password=made["password"], totp_secret=made["totp_secret"])
    return name


async def proposal(lab, appointee=None):
    """A proposal to sign: its number as text."""
    appointee = appointee or await account(lab, "qc_reviewer")
    body = {
        "account": appointee,
        "title_level": "senior",
        "title_certificate": "CERT-1",
        "from_at": "2036-01-01T00:00:00Z",
        "until_at": "2036-02-01T00:00:00Z",
        "experience": [],
    }
    return str(ok(await lab.as_("hedda").post("/appointments/proposals", body))["id"])


async def open_one(lab, name, ref, **changed):
    return await lab.try_to_sign(name, "appointment_supported", "proposal", ref, **changed)


async def ceremonies_on(lab, ref):
    return await lab.value(
        "SELECT count(*) FROM people.ceremonies WHERE record_kind = 'proposal' AND record_id = $1", int(ref)
    )


async def support(lab, name, ref, ceremony, key=None):
    return await lab.as_(name).post(f"/appointments/proposals/{ref}/support", {"ceremony": ceremony}, key=key)


# -- what works --------------------------------------------------------------------------------------------------------


async def test_a_ceremony_says_in_plain_words_what_is_signed_by_whom_and_until_when(lab):
    ref = await proposal(lab)
    shown = await lab.record("quinn", "proposal", ref)
    made = ok(await open_one(lab, "quinn", ref))
    assert made["printed_name"] == "Quinn Qiu"
    assert made["digest"] == shown["digest"]
    assert made["says"] == "I support the appointment of this person as quality authority."
    assert made["record"] == shown["name"]
    row = (await lab.sql("SELECT * FROM people.ceremonies WHERE id = $1", uuid.UUID(made["ceremony"])))[0]
    assert row["account_id"] == lab.id_of("quinn")
    assert list(row["factors"]) == ["password", "totp"]
    assert (row["expires_at"] - row["issued_at"]).total_seconds() == pytest.approx(120, abs=1)
    assert row["used_at"] is None


async def test_the_digest_is_of_the_very_bytes_that_are_signed(lab):
    ref = await proposal(lab)
    shown = await lab.record("quinn", "proposal", ref)
    kept = await lab.value("SELECT bytes FROM dossier.record('proposal', $1)", int(ref))
    assert shown["digest"] == hashlib.sha256(kept.encode()).hexdigest()
    assert shown["content"]["proposal"]["title_certificate"] == "CERT-1"


async def test_it_is_used_once(lab):
    ref = await proposal(lab)
    ceremony = await lab.sign("quinn", "appointment_supported", "proposal", ref)
    ok(await support(lab, "quinn", ref, ceremony))
    refused(await support(lab, "quinn", ref, ceremony), 403, "ceremony-refused")
    assert await lab.value("SELECT count(*) FROM lab.signatures WHERE ceremony_id = $1", uuid.UUID(ceremony)) == 1


async def test_at_once_from_many_requests_it_is_used_once(lab):
    ref = await proposal(lab)
    ceremony = await lab.sign("quinn", "appointment_supported", "proposal", ref)
    answers = await asyncio.gather(*(support(lab, "quinn", ref, ceremony) for _ in range(6)))
    assert [each.status_code for each in answers].count(200) == 1
    assert await lab.value("SELECT count(*) FROM lab.signatures WHERE ceremony_id = $1", uuid.UUID(ceremony)) == 1


async def test_the_same_request_again_gets_the_same_ceremony_and_needs_no_second_code(lab):
    ref, key = await proposal(lab), str(uuid.uuid4())
    shown = await lab.record("quinn", "proposal", ref)
    body = {
        "meaning": "appointment_supported",
        "record": {"kind": "proposal", "ref": ref},
        "digest": shown["digest"],
        "password": lab.password("quinn"),
        "totp": await lab.totp("quinn"),
    }
    first = ok(await lab.as_("quinn").post("/ceremonies", body, key=key))
    again = await lab.as_("quinn").post("/ceremonies", body, key=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert ok(again)["ceremony"] == first["ceremony"]
    refused(await lab.as_("quinn").post("/ceremonies", body | {"password": "a guess"}, key=key), 403)
    assert await ceremonies_on(lab, ref) == 1


async def test_in_chinese_it_says_so_too(lab):
    ref = await proposal(lab)
    body = {
        "meaning": "appointment_supported",
        "record": {"kind": "proposal", "ref": ref},
        "digest": (await lab.record("quinn", "proposal", ref))["digest"],
        "password": lab.password("quinn"),
        "totp": await lab.totp("quinn"),
    }
    made = ok(await lab.as_("quinn").post("/ceremonies", body, headers={"Accept-Language": "zh-CN"}))
    assert "质量受权人" in made["says"]
    problem = refused(await lab.as_("tess").post("/ceremonies", body, headers={"Accept-Language": "zh-CN"}), 403)
    assert "签" in problem["what"]


# -- factors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "factors",
    [
        {"password": "certainly not this"},
        {"totp": "000000"},
        {"password": "certainly not this", "totp": "000000"},
        {"totp": "1"},
    ],
)
async def test_with_fewer_than_both_factors_nothing_is_signed(lab, factors):
    ref, name = await proposal(lab), await account(lab, "qa_manager")
    refused(await open_one(lab, name, ref, **factors), 403, "ceremony-refused")
    assert await ceremonies_on(lab, ref) == 0
    assert await lab.value("SELECT count(*) FROM lab.refusals WHERE act = 'open_ceremony' AND subject = $1", ref) == 1


async def test_one_factor_is_not_even_a_request(lab):
    ref = await proposal(lab)
    body = {
        "meaning": "appointment_supported",
        "record": {"kind": "proposal", "ref": ref},
        "digest": "0" * 64,
        "password": lab.password("quinn"),
    }
    refused(await lab.as_("quinn").post("/ceremonies", body), 422, "bad-input")
    refused(await lab.as_("quinn").post("/ceremonies", body | {"totp": ""}), 422, "bad-input")
    assert await ceremonies_on(lab, ref) == 0


async def test_somebody_elses_factors_do_not_sign_for_oneself(lab):
    ref = await proposal(lab)
    refused(
        await open_one(lab, "quinn", ref, password=lab.password("quincy"), totp=await lab.totp("quincy")),
        403,
        "ceremony-refused",
    )
    assert await ceremonies_on(lab, ref) == 0


async def test_a_code_signs_once(lab):
    first, second = await proposal(lab), await proposal(lab)
    code = await lab.totp("quinn")
    ok(await open_one(lab, "quinn", first, totp=code))
    refused(await open_one(lab, "quinn", second, totp=code), 403, "ceremony-refused")
    assert await ceremonies_on(lab, second) == 0


async def test_a_code_that_held_is_spent_though_the_signature_was_refused(lab):
    ref, code = await proposal(lab), await lab.totp("quinn")
    refused(await open_one(lab, "quinn", ref, digest="0" * 64, totp=code), 409, "stale")
    answer = refused(await open_one(lab, "quinn", ref, totp=code), 403, "ceremony-refused")
    assert answer["code_used"] is True
    ok(await open_one(lab, "quinn", ref))


async def test_five_wrong_attempts_end_the_session_and_are_kept(lab):
    ref, name = await proposal(lab), await account(lab, "qa_manager")
    before = await lab.value("SELECT count(*) FROM lab.refusals WHERE act = 'open_ceremony'")
    for attempt in range(5):
        answer = refused(await open_one(lab, name, ref, totp="000000"), 403)
        assert answer["session_ended"] is (attempt == 4)
    refused(await lab.as_(name).get("/session"), 401)
    assert await lab.value("SELECT count(*) FROM lab.refusals WHERE act = 'open_ceremony'") == before + 5
    lab.as_(name).token = None
    await lab.as_(name).signed_in()
    ok(await open_one(lab, name, ref))


async def test_many_guesses_at_once_are_throttled(lab):
    ref, name = await proposal(lab), await account(lab, "qa_manager")
    shown = await lab.record(name, "proposal", ref)
    answers = await asyncio.gather(
        *(open_one(lab, name, ref, digest=shown["digest"], totp=f"{n:06d}") for n in range(14))
    )
    assert sum(each.status_code == 403 for each in answers) <= 6
    assert any(each.status_code in {401, 423} for each in answers)
    assert await ceremonies_on(lab, ref) == 0


# -- person, meaning, record -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tess", "vera", "ana", "rolf", "lin"])
async def test_who_holds_no_role_for_it_is_refused_before_any_password_is_checked(lab, name):
    ref = await proposal(lab)
    attempts = await lab.value("SELECT count(*) FROM people.login_attempts WHERE outcome = 'tried'")
    shown = await lab.value("SELECT audit.sha256_hex(bytes) FROM dossier.record('proposal', $1)", int(ref))
    await lab.as_(name).signed_in()
    attempts = await lab.value("SELECT count(*) FROM people.login_attempts WHERE outcome = 'tried'")
    refused(await open_one(lab, name, ref, digest=shown), 403, "ceremony-refused")
    assert await lab.value("SELECT count(*) FROM people.login_attempts WHERE outcome = 'tried'") == attempts
    assert await ceremonies_on(lab, ref) == 0


async def test_an_administrator_signs_nothing(lab):
    ref = await proposal(lab)
    refused(await lab.as_("adam").get("/ceremonies/record", kind="proposal", ref=ref), 403, "not-permitted")
    refused(await open_one(lab, "adam", ref, digest="0" * 64), 403, "not-permitted")
    assert await ceremonies_on(lab, ref) == 0


async def test_a_record_that_changed_since_it_was_shown_is_not_signed(lab):
    appointee = await account(lab, "qc_reviewer")
    ref = await proposal(lab, appointee)
    shown = (await lab.record("quinn", "proposal", ref))["digest"]
    await lab.arrange(
        "INSERT INTO people.experience (proposal_id, employer, position, domain, from_on)"
        " VALUES ($1, 'Elsewhere', 'clerk', 'other', '2020-01-01')",
        int(ref),
    )
    refused(await open_one(lab, "quinn", ref, digest=shown), 409, "stale")
    assert await ceremonies_on(lab, ref) == 0


async def test_a_ceremony_signs_no_other_record_meaning_or_person(lab):
    one, other = await proposal(lab), await proposal(lab)
    ceremony = await lab.sign("quinn", "appointment_supported", "proposal", one)
    refused(await support(lab, "quinn", other, ceremony), 403, "ceremony-refused")
    refused(await support(lab, "quinn", one, ceremony), 403, "ceremony-refused")  # burned by the attempt before
    ceremony = await lab.sign("quinn", "appointment_supported", "proposal", one)
    refused(await support(lab, "quincy", one, ceremony), 403, "ceremony-refused")
    assert (
        await lab.value(
            "SELECT count(*) FROM lab.signatures WHERE record_kind = 'proposal' AND record_id = ANY($1)",
            [int(one), int(other)],
        )
        == 0
    )


async def test_after_two_minutes_it_signs_nothing(lab):
    ref = await proposal(lab)
    ceremony = await lab.sign("quinn", "appointment_supported", "proposal", ref)
    await lab.arrange(
        "UPDATE people.ceremonies SET expires_at = clock_timestamp() - interval '1 millisecond' WHERE id = $1",
        uuid.UUID(ceremony),
    )
    refused(await support(lab, "quinn", ref, ceremony), 403, "ceremony-refused")
    assert await lab.value("SELECT burned_why FROM people.ceremonies WHERE id = $1", uuid.UUID(ceremony)) is not None


async def test_an_account_closed_between_proof_and_signature_signs_nothing(lab):
    ref, name = await proposal(lab), await account(lab, "qa_manager")
    ceremony = await lab.sign(name, "appointment_supported", "proposal", ref)
    ok(await lab.as_("adam").post(f"/accounts/{name}/deactivate"))
    refused(await support(lab, name, ref, ceremony), 401, "not-signed-in")
    assert await lab.value("SELECT count(*) FROM lab.signatures WHERE ceremony_id = $1", uuid.UUID(ceremony)) == 0


async def test_a_role_lost_between_proof_and_signature_signs_nothing(lab):
    ref, name = await proposal(lab), await account(lab, "qa_manager", "qc_reviewer")
    ceremony = await lab.sign(name, "appointment_supported", "proposal", ref)
    await lab.arrange(
        "UPDATE people.grants SET revoked_at = clock_timestamp() WHERE account_id = $1 AND role = 'qa_manager'",
        lab.id_of(name),
    )
    refused(await support(lab, name, ref, ceremony), 403)
    assert await lab.value("SELECT count(*) FROM lab.signatures WHERE ceremony_id = $1", uuid.UUID(ceremony)) == 0


@pytest.mark.parametrize(
    ("meaning", "record", "status"),
    [
        ("released", {"kind": "proposal", "ref": "1"}, 422),
        ("appointment_supported", {"kind": "proposal", "ref": "999999999999"}, 404),
        ("appointment_supported", {"kind": "proposal", "ref": "9" * 30}, 404),
        ("appointment_supported", {"kind": "proposal", "ref": "1; DROP"}, 404),
        ("appointment_supported", {"kind": "proposal"}, 422),
        ("appointment_supported", {"kind": "proposal", "ref": "1", "code": "x"}, 422),
        ("appointment_supported", {"kind": "spell", "ref": "1"}, 422),
        ("blessed", {"kind": "proposal", "ref": "1"}, 422),
        ("batch_reviewed", {"kind": "batch", "code": "nowhere"}, 422),
        ("deviation_closed", {"kind": "deviation", "ref": "DV-99-9999"}, 422),
    ],
)
async def test_what_cannot_be_signed_so_is_refused(lab, meaning, record, status):
    body = {"meaning": meaning, "record": record, "digest": "0" * 64, "password": "x", "totp": "000000"}
    refused(await lab.as_("quinn").post("/ceremonies", body), status)


async def test_a_decision_states_one_of_its_choices(lab):
    body = {
        "meaning": "deviation_closed",
        "record": {"kind": "deviation", "ref": "DV-26-0001"},
        "statement": "perhaps",
        "digest": "0" * 64,
        "password": "x",
        "totp": "000000",
    }
    problem = refused(await lab.as_("quinn").post("/ceremonies", body), 422, "bad-input")
    assert "acceptable" in problem["why"]


async def test_without_a_session_there_is_no_ceremony(lab):
    answer = await lab.http.post(f"{API}/ceremonies", json={}, headers={"Idempotency-Key": "k"})
    refused(answer, 401, "not-signed-in")
