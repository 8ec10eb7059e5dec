"""A second person verifies with badge, PIN and a scan of the thing itself; an OK alone never does."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import TYPE_CHECKING, Any

from app.db.badges import new_pin
from tests import life
from tests.world import ok, refused

if TYPE_CHECKING:
    import httpx

    from tests.world import Lab

COUNT = "SELECT count(*) FROM lab.verifications WHERE step_id = $1"
REFUSED = (
    "SELECT what, rule, detail::text FROM lab.refusals WHERE act = 'record_verification' AND subject = $1 ORDER BY id"
)


async def isolated(lab: Lab) -> tuple[life.Life, int, str]:
    """A life, its isolation that nobody has verified, and one of its flasks."""
    lived = await life.preparation(lab, upto="cleared")
    body = lived.step(viable="1.8e7", dead="1.1e6", flasks=2)
    made = ok(await lab.as_("tess").post(f"/lots/{lived.lot}/isolation", body))
    return lived, made["step"], made["containers"][0]


async def somebody(lab: Lab, *roles: str) -> str:
    """A new colleague with a badge and a PIN of their own."""
    name = f"v{uuid.uuid4().hex[:10]}"
    opened = ok(
        await lab.as_("adam").post("/accounts", {"username": name, "printed_name": "Victor Vo", "roles": list(roles)})
    )
    account = await lab.value("SELECT id FROM people.accounts WHERE username = $1", name)
    lab.know(name, account_id=account, password=opened["password"], totp_secret=opened["totp_secret"])
    lab.cast[name]["badge"] = ok(await lab.as_("adam").post(f"/accounts/{name}/badge"))["badge"]
    lab.cast[name]["pin"] = new_pin()
    ok(await set_pin(lab, name, lab.pin(name)))
    return name


async def set_pin(lab: Lab, name: str, pin: str, **more: Any) -> httpx.Response:
    body = {"password": lab.password(name), "totp": await lab.totp(name), "pin": pin, **more}
    return await lab.as_(name).post("/accounts/me/pin", body)


# -- a step ------------------------------------------------------------------------------------------------------------


async def test_a_verifier_at_the_technicians_bench_verifies_what_was_made(lab: Lab) -> None:
    lived, step, flask = await isolated(lab)
    assert [each["what"] for each in ok(await lab.as_("tess").get(f"/lots/{lived.lot}/unverified"))] == ["step"]

    kept = ok(await life.verify(lived, step, scanned=flask))

    assert (kept["verified_by"], kept["scanned"], kept["late"], kept["lot"]) == ("vera", flask, False, lived.lot)
    row = (await lab.sql("SELECT * FROM lab.verifications WHERE step_id = $1", step))[0]
    assert (row["verified_by"], row["recorded_by"]) == (lab.id_of("vera"), lab.id_of("tess"))
    assert ok(await lab.as_("tess").get(f"/lots/{lived.lot}/unverified")) == []
    entry = (
        await lab.sql("SELECT * FROM audit.entries WHERE act = 'record_verification' ORDER BY number DESC LIMIT 1")
    )[0]
    assert (entry["actor"], entry["reason"]) == ("tess", "vera")
    kept_text = await lab.value(
        "SELECT string_agg(payload, '') FROM audit.rows WHERE entry_number = $1", entry["number"]
    )
    assert lab.pin("vera") not in kept_text


async def test_a_material_used_proves_the_step_as_well_and_the_verifier_may_be_signed_in(lab: Lab) -> None:
    lived, step, _ = await isolated(lab)
    kept = ok(await life.verify(lived, step, scanned=lived.shared.bottles[0], at="vera"))
    assert kept["scanned"] == lived.shared.bottles[0]


async def test_an_ok_without_a_scan_verifies_nothing(lab: Lab) -> None:
    lived, step, _ = await isolated(lab)
    refused(await life.verify(lived, step, scanned=""), 422, "bad-input")
    path = f"/steps/{step}/verification"
    refused(await lab.as_("tess").post(path, {"badge": lab.badge("vera"), "pin": lab.pin("vera")}), 422, "bad-input")
    refused(await lab.as_("tess").post(path, {"verified_by": "vera"}), 422, "bad-input")
    refused(await life.verify(lived, step, scanned="OK"), 409, "conflict")
    assert await lab.value(COUNT, step) == 0


async def test_another_lots_vial_is_refused_and_the_kind_expected_is_said(lab: Lab) -> None:
    lived, step, flask = await isolated(lab)
    other, _, strange = await isolated(lab)
    assert other.lot != lived.lot

    problem = refused(await life.verify(lived, step, scanned=strange), 409, "conflict")

    assert problem["rule"] == "GMP-05"
    assert "Flask" in problem["remedy"]
    assert flask not in str(problem)
    assert await lab.value(COUNT, step) == 0
    kept = await lab.sql(REFUSED, f"step {step}")
    assert len(kept) == 1
    assert strange in kept[0]["detail"]
    assert lab.pin("vera") not in kept[0]["detail"]
    refused(await life.verify(lived, step, scanned=lived.workstation), 409, "conflict")
    refused(await life.verify(lived, step, scanned=lived.lot), 409, "conflict")
    refused(await life.verify(lived, step, scanned=flask[:-1] + ("A" if flask[-1] != "A" else "B")), 422, "bad-input")


async def test_nobody_verifies_their_own_step_and_nobody_without_the_role(lab: Lab) -> None:
    lived, step, flask = await isolated(lab)
    assert refused(await life.verify(lived, step, scanned=flask, who="tess"), 403)["rule"] == "GMP-05"
    refused(await life.verify(lived, step, scanned=flask, who="quinn"), 403, "ceremony-refused")
    both = await somebody(lab, "technician", "verifier")
    await life.qualify(lab, both)
    body = lived.step(parents=[flask], viable_seeded="5e5", viable_harvested="4e6", dead_harvested="2e5", flasks=1)
    made = ok(await lab.as_(both).post(f"/lots/{lived.lot}/passages", body))
    problem = refused(await life.verify(lived, made["step"], scanned=made["containers"][0], who=both), 403)
    assert "did this" in problem["why"]
    refused(await life.verify(lived, step, scanned=flask, at="ana"), 403, "not-permitted")
    assert await lab.value(COUNT, step) == await lab.value(COUNT, made["step"]) == 0
    ok(await life.verify(lived, step, scanned=flask, who=both))


async def test_of_two_verifications_at_once_one_is_kept(lab: Lab) -> None:
    lived, step, flask = await isolated(lab)
    second = await somebody(lab, "verifier")

    answers = await asyncio.gather(*(life.verify(lived, step, scanned=flask, who=who) for who in ("vera", second) * 2))

    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
    assert await lab.value(COUNT, step) == 1
    refused(await life.verify(lived, step, scanned=flask), 409, "conflict")


async def test_a_repeated_request_is_done_once_and_answers_the_same(lab: Lab) -> None:
    _, step, flask = await isolated(lab)
    body = {"badge": lab.badge("vera"), "pin": lab.pin("vera"), "scanned": flask}
    first = ok(await lab.as_("tess").post(f"/steps/{step}/verification", body, key=f"v-{step}"))
    again = ok(await lab.as_("tess").post(f"/steps/{step}/verification", body, key=f"v-{step}"))
    assert first == again
    assert await lab.value(COUNT, step) == 1


async def test_hostile_texts_are_refused_in_words_and_verify_nothing(lab: Lab) -> None:
    _, step, flask = await isolated(lab)
    name = await somebody(lab, "verifier")
    for hostile in (
        "\ud800",
        "\x00",
        "\u202e1",
        "<script>alert(1)</script>",
        "'; --",
        "=1+1",
        "\ufdfd" * 300,
        "１" * 6,
    ):
        for field in ("badge", "pin", "scanned"):
            body = {"badge": lab.badge(name), "pin": lab.pin(name), "scanned": flask, field: hostile}
            answer = await lab.as_("tess").post(
                f"/steps/{step}/verification",
                content=json.dumps(body),
                headers={"Content-Type": "application/json"},
            )
            assert 400 <= answer.status_code < 500, (field, hostile, answer.text)
            if field == "pin":
                await lab.succeeded_here(name)
    assert await lab.value(COUNT, step) == 0


async def test_a_step_that_is_not_there_is_not_verified(lab: Lab) -> None:
    lived, _, flask = await isolated(lab)
    refused(await life.verify(lived, 999_999_999, scanned=flask), 404, "not-found")
    refused(await life.verify_clearance(lived, 999_999_999), 404, "not-found")


# -- badge and PIN -----------------------------------------------------------------------------------------------------


async def test_a_wrong_pin_or_a_badge_of_nobody_is_refused_in_the_same_words_and_five_lock(lab: Lab) -> None:
    lived, step, flask = await isolated(lab)
    name = await somebody(lab, "verifier")
    wrong = "918273" if lab.pin(name) != "918273" else "918274"

    said = {refused(await life.verify(lived, step, scanned=flask, who=name, pin=wrong), 403)["why"]}
    said.add(refused(await life.verify(lived, step, scanned=flask, badge=flask), 403)["why"])
    said.add(refused(await life.verify(lived, step, scanned=flask, badge="'; --"), 403)["why"])
    assert len(said) == 1
    for _ in range(4):
        refused(await life.verify(lived, step, scanned=flask, who=name, pin=wrong), 403, "ceremony-refused")
    problem = refused(await life.verify(lived, step, scanned=flask, who=name), 423, "locked")
    assert problem["retry_after_s"] >= 1
    assert await lab.value(COUNT, step) == 0
    ok(await lab.as_("adam").post(f"/accounts/{name}/unlock"))
    ok(await life.verify(lived, step, scanned=flask, who=name))
    for _ in range(6):
        await lab.succeeded_here(name)  # the place has its count back


async def test_a_revoked_badge_and_an_older_one_are_worth_nothing(lab: Lab) -> None:
    lived, step, flask = await isolated(lab)
    name = await somebody(lab, "verifier")
    old = lab.badge(name)
    lab.cast[name]["badge"] = ok(await lab.as_("adam").post(f"/accounts/{name}/badge"))["badge"]
    refused(await life.verify(lived, step, scanned=flask, who=name, badge=old), 403, "ceremony-refused")
    ok(await lab.as_("adam").delete(f"/accounts/{name}/badge"))
    refused(await life.verify(lived, step, scanned=flask, who=name), 403, "ceremony-refused")
    refused(await lab.as_("adam").delete(f"/accounts/{name}/badge"), 409, "conflict")
    refused(await lab.as_("adam").get(f"/accounts/{name}/badge"), 404, "not-found")
    live = await lab.value(
        "SELECT count(*) FROM people.badges WHERE account_id = $1 AND revoked_at IS NULL", lab.id_of(name)
    )
    assert live == 0


async def test_only_an_administrator_issues_badges(lab: Lab) -> None:
    refused(await lab.as_("quinn").post("/accounts/tom/badge"), 403, "not-permitted")
    refused(await lab.as_("tess").delete("/accounts/tom/badge"), 403, "not-permitted")
    refused(await lab.as_("adam").post("/accounts/nobody.here/badge"), 404, "not-found")


async def test_a_closed_account_and_a_taken_role_verify_nothing(lab: Lab) -> None:
    lived, step, flask = await isolated(lab)
    name = await somebody(lab, "verifier")
    ok(await lab.as_("adam").delete(f"/accounts/{name}/roles/verifier"))
    refused(await life.verify(lived, step, scanned=flask, who=name), 403, "ceremony-refused")
    ok(await lab.as_("adam").post(f"/accounts/{name}/roles", {"role": "verifier"}))
    ok(await lab.as_("adam").post(f"/accounts/{name}/deactivate"))
    refused(await life.verify(lived, step, scanned=flask, who=name), 403, "ceremony-refused")
    refused(await lab.as_("adam").post(f"/accounts/{name}/badge"), 409, "conflict")


async def test_a_pin_is_set_with_both_factors_and_is_no_pattern(lab: Lab) -> None:
    name = await somebody(lab, "verifier")
    refused(await set_pin(lab, name, "918274", password="certainly not this"), 403, "ceremony-refused")
    for pin in (
        "123456",
        "12345",
        "111111",
        "121212",
        "987654",
        "520131",
        "19840317",
        "123456789",
        "12345a",
        "１２３４５６",
    ):
        refused(await set_pin(lab, name, pin), 422, "bad-input")
    ok(await set_pin(lab, name, "918274"))
    kept = await lab.value("SELECT pin_hash FROM people.credentials WHERE account_id = $1", lab.id_of(name))
    assert kept.startswith("$argon2id$")
    audited = await lab.value(
        "SELECT string_agg(payload, '') FROM audit.rows WHERE tbl = 'people.credentials' AND key = $1",
        str(lab.id_of(name)),
    )
    assert kept not in audited
    assert "918274" not in audited
    ok(await lab.as_("adam").post(f"/accounts/{name}/reset-factors"))
    assert await lab.value("SELECT pin_hash FROM people.credentials WHERE account_id = $1", lab.id_of(name)) is None


# -- a line clearance --------------------------------------------------------------------------------------------------


async def test_no_step_begins_before_its_clearance_is_verified(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="planned")
    lived.workstation = (await life.equipment(lab))["code"]
    cleared = ok(await life.clear(lived, "before"))
    body = lived.step(viable="1.8e7", dead="1.1e6", flasks=2)

    problem = refused(await lab.as_("tess").post(f"/lots/{lived.lot}/isolation", body), 409, "blocked")
    assert "GMP-03" in {each["rule"] for each in problem["findings"]}

    other = (await life.equipment(lab))["code"]
    assert (
        "Workstation"
        in refused(await life.verify_clearance(lived, cleared["clearance"], scanned=other), 409, "conflict")["remedy"]
    )
    refused(await life.verify_clearance(lived, cleared["clearance"], who="tess"), 403, "ceremony-refused")
    began_before = lived.step(viable="1.8e7", dead="1.1e6", flasks=2)
    ok(await life.verify_clearance(lived, cleared["clearance"]))
    refused(await lab.as_("tess").post(f"/lots/{lived.lot}/isolation", began_before), 409, "blocked")
    ok(await lab.as_("tess").post(f"/lots/{lived.lot}/isolation", lived.step(viable="1.8e7", dead="1.1e6", flasks=2)))


# -- the gate ----------------------------------------------------------------------------------------------------------


async def objections(lab: Lab, lived: life.Life) -> list[str]:
    rows = await lab.sql("SELECT gate.objections($1, $2)", await lived.lot_id(), lab.id_of("lin"))
    return [row[0] for row in rows]


async def test_an_unverified_or_late_step_closes_the_release(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="sampled")
    assert not any("GMP-05" in each for each in await objections(lab, lived))
    step = await lab.value("SELECT max(id) FROM lab.steps WHERE lot_id = $1", await lived.lot_id())
    verified = await lab.value("SELECT id FROM lab.verifications WHERE step_id = $1", step)
    await life.setting(lab, "gmp05.within_hours", 0.0000001, "h")
    try:
        assert any("GMP-05" in each for each in await objections(lab, lived))
    finally:
        await life.setting(lab, "gmp05.within_hours", 12, "h")
    assert not any("GMP-05" in each for each in await objections(lab, lived))
    assert verified is not None

    unverified, number, _ = await isolated(lab)
    assert any("GMP-05" in each for each in await objections(lab, unverified))
    assert await lab.value(COUNT, number) == 0
