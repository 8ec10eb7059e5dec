"""Release: the authority signs what was judged; everything else is a refusal that is kept and changes nothing."""

import json
import uuid

import pytest

from tests import life
from tests.world import Lab, ok, refused


async def _awaiting(lab: Lab, **knobs) -> life.Life:
    return await life.preparation(lab, upto="awaiting_release", **knobs)


async def _signed(lab: Lab, made: life.Life, who: str = "lin") -> tuple[str, str]:
    checked = ok(await lab.as_(who).post(f"/lots/{made.lot}/release-check"))
    assert not checked["blocks"], [v for v in checked["verdicts"] if v["closes"]]
    return checked["digest"], await lab.sign(who, "released", "lot", made.lot)


async def _releases(lab: Lab, made: life.Life) -> int:
    return await lab.value("SELECT count(*) FROM lab.releases WHERE lot_id = $1", await made.lot_id())


async def test_the_quality_authority_releases_what_was_judged(lab):
    made = await _awaiting(lab)
    digest, ceremony = await _signed(lab, made)
    answer = await lab.as_("lin").post(f"/lots/{made.lot}/release", {"digest": digest, "ceremony": ceremony})
    assert answer.status_code == 202, answer.text  # no sealer runs here: the seal is pending
    done = answer.json()
    assert done["seal"] == "pending"
    assert done["signed_by"] == "Dr Lin Qing"
    assert await made.state() == "released"
    kept = (await lab.sql("SELECT * FROM lab.releases WHERE lot_id = $1", await made.lot_id()))[0]
    signature = (await lab.sql("SELECT * FROM lab.signatures WHERE id = $1", kept["signature_id"]))[0]
    judgement = (await lab.sql("SELECT * FROM lab.judgements WHERE id = $1", kept["judgement_id"]))[0]
    assert kept["digest"] == signature["digest"] == judgement["digest"] == digest
    assert signature["meaning"] == "released"
    assert signature["printed_name"] == "Dr Lin Qing"
    assert judgement["blocks"] is False
    assert json.loads(judgement["dossier"])["lot"]["name"] == made.name
    read = ok(await lab.as_("quinn").get(f"/lots/{made.lot}/release"))
    assert read["release"] == done["release"]


async def test_the_same_key_gets_the_same_release_and_then_the_seal(lab):
    made = await _awaiting(lab)
    digest, ceremony = await _signed(lab, made)
    key = str(uuid.uuid4())
    body = {"digest": digest, "ceremony": ceremony}
    first = await lab.as_("lin").post(f"/lots/{made.lot}/release", body, key=key)
    again = await lab.as_("lin").post(f"/lots/{made.lot}/release", body, key=key)
    assert first.json()["release"] == again.json()["release"]
    assert await _releases(lab, made) == 1
    refused(await lab.as_("lin").post(f"/lots/{made.lot}/release", {**body, "digest": "0" * 64}, key=key), 422)


async def test_looking_keeps_nothing_and_checking_keeps_the_judgement(lab):
    made = await _awaiting(lab)
    number = "SELECT count(*) FROM lab.judgements WHERE subject_id = $1 AND gate = 'G6'"
    before = await lab.value(number, await made.lot_id())
    seen = ok(await lab.as_("tess").get(f"/lots/{made.lot}/release-check"))
    assert seen["waits"]  # somebody who cannot sign sees the questions that only a signer answers
    assert await lab.value(number, await made.lot_id()) == before
    checked = ok(await lab.as_("lin").post(f"/lots/{made.lot}/release-check"))
    assert not checked["waits"]
    assert checked["kept"]
    assert checked["digest"] == seen["digest"]
    assert await lab.value(number, await made.lot_id()) == before + 1
    assert all(verdict["cites"] and verdict["title"] for verdict in checked["verdicts"])


@pytest.mark.parametrize("who", ["tess", "vera", "ana", "rolf", "quinn", "phil", "hedda", "adam"])
async def test_nobody_else_releases(lab, who):
    made = await _awaiting(lab)
    digest, ceremony = await _signed(lab, made)
    problem = refused(
        await lab.as_(who).post(f"/lots/{made.lot}/release", {"digest": digest, "ceremony": ceremony}),
        403,
        "not-permitted",
    )
    assert problem["roles"] == ["quality_authority"]
    assert await made.state() == "awaiting_release"
    kept = await lab.sql("SELECT kind FROM lab.refusals WHERE subject = $1 AND act = 'release_lot'", made.lot)
    assert [row["kind"] for row in kept] == ["not-permitted"]


async def test_a_record_that_changed_since_it_was_shown_is_not_signed(lab):
    made = await _awaiting(lab)
    digest, ceremony = await _signed(lab, made)
    ok(await lab.as_("quinn").post(f"/lots/{made.lot}/send-back", {"reason": "one more look"}))
    ok(await lab.as_("quinn").post(f"/lots/{made.lot}/submit"))
    refused(
        await lab.as_("lin").post(f"/lots/{made.lot}/release", {"digest": digest, "ceremony": ceremony}), 409, "stale"
    )
    assert await made.state() == "awaiting_release"
    spent = (await lab.sql("SELECT used_at, burned_why FROM people.ceremonies WHERE id = $1", uuid.UUID(ceremony)))[0]
    assert spent["used_at"] is None
    assert spent["burned_why"] == "stale"
    now = ok(await lab.as_("lin").post(f"/lots/{made.lot}/release-check"))
    refused(
        await lab.as_("lin").post(f"/lots/{made.lot}/release", {"digest": now["digest"], "ceremony": ceremony}),
        403,
        "ceremony-refused",
    )
    assert await _releases(lab, made) == 0


async def test_a_failing_result_blocks_check_ceremony_and_release(lab):
    made = await _awaiting(lab, findings={"sterility": ("growth", None)})
    checked = ok(await lab.as_("lin").post(f"/lots/{made.lot}/release-check"))
    assert checked["blocks"]
    assert [v["rule"] for v in checked["verdicts"] if v["closes"]] == ["REL-02"]
    refused(await lab.try_to_sign("lin", "released", "lot", made.lot), 409, "blocked")
    problem = refused(
        await lab.as_("lin").post(
            f"/lots/{made.lot}/release", {"digest": checked["digest"], "ceremony": str(uuid.uuid4())}
        ),
        409,
        "blocked",
    )
    assert problem["rule"] == "REL-02"
    assert problem["findings"][0]["remedy"]
    assert await made.state() == "awaiting_release"


async def test_a_ceremony_for_another_lot_releases_nothing(lab):
    one, other = await _awaiting(lab), await _awaiting(lab)
    _, ceremony = await _signed(lab, one)
    digest, _ = await _signed(lab, other)
    refused(
        await lab.as_("lin").post(f"/lots/{other.lot}/release", {"digest": digest, "ceremony": ceremony}),
        403,
        "ceremony-refused",
    )
    assert await _releases(lab, other) == 0


async def test_a_ceremony_lives_two_minutes(lab):
    made = await _awaiting(lab)
    digest, ceremony = await _signed(lab, made)
    await lab.arrange(
        "UPDATE people.ceremonies SET issued_at = issued_at - interval '3 minutes', expires_at = expires_at - interval '3 minutes'"
        " WHERE id = $1",
        uuid.UUID(ceremony),
    )
    refused(
        await lab.as_("lin").post(f"/lots/{made.lot}/release", {"digest": digest, "ceremony": ceremony}),
        403,
        "ceremony-refused",
    )
    assert await made.state() == "awaiting_release"


async def test_a_material_lot_is_approved_and_never_released(lab):
    material = (await life.shared(lab)).material_lots[0]
    refused(await lab.as_("lin").post(f"/lots/{material}/release-check"), 404, "not-found")


async def test_an_open_hold_blocks_release(lab):
    made = await _awaiting(lab)
    digest, ceremony = await _signed(lab, made)
    ok(await lab.as_("vera").post("/holds", {"item": made.vials[0], "reason": "a cracked cap"}))
    refused(
        await lab.as_("lin").post(f"/lots/{made.lot}/release", {"digest": digest, "ceremony": ceremony}), 409, "stale"
    )
    checked = ok(await lab.as_("lin").post(f"/lots/{made.lot}/release-check"))
    assert checked["blocks"]
    assert await made.state() == "awaiting_release"
