"""The second door: no rule refuses what has happened; it is kept, held, and opened as a deviation, all at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests import life
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.world import Lab


async def told(lived: life.Life, who: str = "tess", **more: Any) -> Any:
    body = {"what": "passage", "account": "done at night, nobody could be asked", "occurred_at": life.ago(minutes=5)}
    return await lived.lab.as_(who).post("/already-happened", body | more)


async def told_at_last(lived: life.Life, **more: Any) -> Any:
    """As somebody does who is told that much is going on and to come again."""
    answer = await told(lived, **more)
    while answer.status_code == 409 and answer.json()["kind"] == "busy":
        answer = await told(lived, **more)
    return answer


async def holds_of(lived: life.Life) -> set[str]:
    open_now = ok(await lived.lab.as_("tess").get("/holds", state="open", lot=lived.lot))
    return {each["item"] for each in open_now}


async def test_a_passage_above_the_limit_is_kept_held_and_opened_as_a_deviation(lab: Lab):
    lived = await life.preparation(lab, upto="passaged", passages=3)
    facts = {"lot": lived.lot, "parents": lived.flasks, "workstation": lived.workstation, "performed_by": "tom"}
    counts = {"viable_seeded": "5e5", "viable_harvested": "4.2e6", "dead_harvested": "2e5", "flasks": 2}

    kept = ok(await told(lived, **facts, **counts, verified_by="vera"))

    assert "CB-05" in kept["rules"]
    assert len(kept["containers"]) == 2
    step = (await lab.sql("SELECT * FROM lab.steps WHERE id = $1", kept["step"]))[0]
    assert (step["passage"], step["happened_anyway"], step["performed_by"]) == (4, True, lab.id_of("tom"))
    assert round(step["cpdl"], 3) == round(4 * step["pd"], 3)
    assert await holds_of(lived) == {lived.lot}
    (deviation,) = ok(await lab.as_("quinn").get("/deviations", lot=lived.lot))
    assert (deviation["number"], deviation["severity"], deviation["rules"]) == (
        kept["deviation"],
        "major",
        kept["rules"],
    )
    assert "HOLD" in {each["rule"] for each in (await lived.show())["blocks"]}


async def test_an_isolation_before_its_time_moves_the_lot_and_holds_what_it_touched(lab: Lab):
    lived = await life.preparation(lab, upto="planned")
    quarantined = await life.material_lot(lab, "Serum", [{"name": "human platelet lysate", "cas": None}])
    bottle = quarantined["containers"][0]["code"]
    station = (await life.equipment(lab))["code"]

    kept = ok(
        await told(
            lived,
            what="isolation",
            lot=lived.lot,
            workstation=station,
            occurred_at=life.ago(hours=20),
            ended_at=life.ago(hours=19),
            materials=[{"container": bottle}],
            flasks=1,
            **{"class": "critical"},
        )
    )

    assert kept["state"] == "in_process"
    assert {"DON-12", "GMP-03", "MAT-06"} <= set(kept["rules"])
    assert kept["severity"] == "critical"
    assert {each["item"] for each in kept["holds"]} == {lived.lot, lived.donation, bottle}
    used = (await lab.sql("SELECT quantity, unit FROM lab.consumptions WHERE lot_id = $1", await lived.lot_id()))[0]
    assert (used["quantity"], used["unit"]) == (None, None)
    blocks = {each["rule"]: each for each in (await lived.show())["blocks"]}
    assert {"DON-12", "GMP-03", "GMP-06", "HOLD", "MAT-06"} <= set(blocks)


async def test_it_is_kept_whatever_is_held_and_closing_paperwork_heals_nothing(lab: Lab):
    lived = await life.preparation(lab, upto="planned")
    ok(await lab.as_("phil").post("/holds", {"item": lived.donation, "reason": "donor called back"}))
    kept = ok(await told(lived, what="isolation", lot=lived.lot, occurred_at=life.ago(hours=5), flasks=1))
    assert "HOLD" in kept["rules"]

    await life.close_deviation(lab, kept["deviation"])
    for hold in ok(await lab.as_("tess").get("/holds", state="open", lot=lived.lot)):
        signed = await life.ceremony(lab, "quinn", "hold_lifted", "hold", hold["hold"])
        ok(await lab.as_("quinn").post(f"/holds/{hold['hold']}/lift", {"ceremony": signed}))

    blocks = {each["rule"]: each for each in (await lived.show())["blocks"]}
    assert "HOLD" not in blocks
    assert "GMP-06" not in blocks
    assert kept["deviation"] in blocks["DON-12"]["findings"][0]["problem"]


async def test_a_lot_in_any_state_takes_the_record(lab: Lab):
    lived = await life.preparation(lab, upto="awaiting_release")

    kept = ok(await told(lived, what="cryopreservation", lot=lived.lot, account="thawed and frozen again"))

    assert kept["state"] == "awaiting_release"
    checked = ok(await lab.as_("lin").post(f"/lots/{lived.lot}/release-check"))
    assert checked["blocks"] is True


async def test_freezing_told_afterwards_brings_the_lot_to_quarantine_with_its_expiry(lab: Lab):
    lived = await life.preparation(lab, upto="filled")
    frozen_at = datetime.now(UTC) - timedelta(hours=2)

    kept = ok(
        await told(
            lived,
            what="cryopreservation",
            lot=lived.lot,
            occurred_at=(frozen_at - timedelta(hours=1)).isoformat(),
            ended_at=frozen_at.isoformat(),
            place=lived.shared.freezer,
        )
    )

    assert kept["state"] == "quarantine"
    story = await lived.show()
    assert datetime.fromisoformat(story["expires_at"]) == frozen_at + timedelta(days=365)
    assert {each["state"] for each in story["containers"] if each["kind"] == "vial"} == {"stored"}


async def test_cells_of_two_lots_that_met_hold_both(lab: Lab):
    lived = await life.preparation(lab, upto="isolated")
    other = await life.preparation(lab, upto="isolated")

    kept = ok(await told(lived, lot=lived.lot, parents=[*lived.flasks, *other.flasks], flasks=1))

    assert "REL-05" in kept["rules"]
    assert "HOLD" in {each["rule"] for each in (await other.show())["blocks"]}
    donors = await lab.value("SELECT dossier.donors_behind($1)::text", await lived.id(kept["containers"][0]))
    assert donors.count("D-") == 2


async def test_a_used_up_parent_is_no_reason_to_refuse(lab: Lab):
    lived = await life.preparation(lab, upto="passaged", passages=1)

    kept = ok(await told(lived, lot=lived.lot, parents=lived.all_flasks[:1], flasks=1))

    assert len(kept["containers"]) == 1


async def test_a_material_used_without_a_step_is_in_the_ledger(lab: Lab):
    lived = await life.preparation(lab, upto="planned")
    mixture = await life.material_lot(lab, "Drops", [{"name": "penicillin G sodium", "cas": "69-57-8"}])
    bottle = mixture["containers"][0]["code"]
    use = [{"container": bottle, "quantity": "2", "unit": "mL"}]

    kept = ok(await told(lived, what="material_use", lot=lived.lot, materials=use))

    assert {"MAT-03", "MAT-06"} <= set(kept["rules"])
    assert kept["step"] is None
    assert "MAT-03" in {each["rule"] for each in (await lived.show())["blocks"]}
    traced = await lab.value("SELECT count(*) FROM lab.lineage WHERE parent_id = $1", await lived.id(bottle))
    assert traced == 1


async def test_anything_else_is_kept_on_the_nearest_thing_known(lab: Lab):
    lived = await life.preparation(lab, upto="isolated")

    kept = ok(await told(lived, what="other", item=lived.flasks[0], account="the incubator stood open all night"))

    assert kept["step"] is None
    assert await holds_of(lived) == {lived.flasks[0]}
    assert ok(await told(lived, what="passage", item=lived.workstation))["deviation"].startswith("DV-")


async def test_somebody_without_an_account_is_named_in_words(lab: Lab):
    lived = await life.preparation(lab, upto="isolated")

    kept = ok(await told(lived, lot=lived.lot, parents=lived.flasks, performed_by="the night porter", flasks=1))

    step = (await lab.sql("SELECT performed_by, parameters::text FROM lab.steps WHERE id = $1", kept["step"]))[0]
    assert step["performed_by"] == lab.id_of("tess")
    assert "the night porter" in step["parameters"]


async def test_counts_from_which_nothing_follows_are_kept_as_they_are(lab: Lab):
    lived = await life.preparation(lab, upto="isolated")

    kept = ok(
        await told(
            lived, lot=lived.lot, parents=lived.flasks, viable_seeded="5e5", viable_harvested="0", dead_harvested="0"
        )
    )

    step = (await lab.sql("SELECT viable_harvested, pd, cpdl FROM lab.steps WHERE id = $1", kept["step"]))[0]
    assert (step["viable_harvested"], step["pd"], step["cpdl"]) == (0, None, None)
    assert "CB-05" in {each["rule"] for each in (await lived.show())["blocks"]}


async def test_everybody_in_the_lab_may_tell_and_nobody_else(lab: Lab):
    lived = await life.preparation(lab, upto="isolated")

    for who in ("vera", "ana", "rolf", "quinn", "lin", "phil", "hedda"):
        ok(await told(lived, who, what="other", lot=lived.lot))
    refused(await told(lived, "adam", what="other", lot=lived.lot), 403, "not-permitted")


async def test_it_is_one_transaction_under_one_key(lab: Lab):
    lived = await life.preparation(lab, upto="isolated")
    body = {
        "what": "passage",
        "account": "at night",
        "occurred_at": life.ago(minutes=5),
        "lot": lived.lot,
        "parents": lived.flasks,
        "flasks": 1,
    }

    first = ok(await lab.as_("tess").post("/already-happened", body, key=f"once-{lived.lot}"))
    again = ok(await lab.as_("tess").post("/already-happened", body, key=f"once-{lived.lot}"))

    assert first == again
    steps = "SELECT count(*) FROM lab.steps WHERE lot_id = $1 AND happened_anyway"
    assert await lab.value(steps, await lived.lot_id()) == 1
    entries = await lab.sql(
        "SELECT DISTINCT entry_number FROM audit.rows WHERE tbl = 'lab.deviations' AND payload LIKE $1"
        " UNION SELECT entry_number FROM audit.rows WHERE tbl = 'lab.steps' AND key = $2",
        f"%{first['deviation']}%",
        str(first["step"]),
    )
    assert len(entries) == 1


async def test_telling_races_with_working_and_neither_is_lost(lab: Lab):
    lived = await life.preparation(lab, upto="isolated")
    other = await life.preparation(lab, upto="isolated")
    bottle = [{"container": lived.shared.bottles[1], "quantity": "1", "unit": "mL"}]

    answers = await asyncio.gather(
        *(told_at_last(lived, what="other", lot=lived.lot, item=lived.donation) for _ in range(6)),
        *(told_at_last(other, lot=other.lot, parents=other.flasks, flasks=1) for _ in range(6)),
        *(life.pass_on(lived, materials=bottle) for _ in range(6)),
        *(life.pass_on(other) for _ in range(6)),
    )

    assert {each.status_code for each in answers[:12]} == {201}
    assert {each.status_code for each in answers[12:]} <= {201, 409}
    kept = await lab.value("SELECT count(*) FROM lab.steps WHERE lot_id = $1 AND happened_anyway", await other.lot_id())
    assert kept == 6
