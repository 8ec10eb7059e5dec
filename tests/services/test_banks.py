"""Cell banks over HTTP: made, tested, released, withdrawn from once, and made into preparations."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from app.db.door import driver_url
from tests import life
from tests.world import ok, refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Database
    from tests.life import Life
    from tests.world import Lab


@pytest.fixture(scope="module")
async def master(lab: Lab) -> AsyncIterator[Life]:
    """A master bank, released, of eight vials; two of them went to tests and to the retain."""
    return await life.bank(lab, vials=8)


async def test_a_bank_is_released_and_a_preparation_made_of_its_vial(lab: Lab, master: Life) -> None:
    assert await master.state() == "released"
    made = await life.banked(lab, master, upto="released")
    assert await made.state() == "released"
    shown = ok(await lab.as_("tess").get(f"/banks/{master.lot}"))
    assert shown["bank"]["tier"] == "master"
    assert shown["bank"]["name"].startswith("MCB-")
    assert (shown["bank"]["stored"], shown["bank"]["withdrawn"]) == (5, 1)
    (vial,) = [each for each in shown["vials"] if each["code"] == master.vials[1]]
    assert (vial["for_lot"], vial["state"], vial["withdrawn_by"]) == (made.lot, "consumed", "Tess Tan")
    steps = await lab.sql(
        "SELECT kind, passage, cpdl FROM lab.steps WHERE lot_id = $1 ORDER BY id", await made.lot_id()
    )
    frozen = await lab.value(
        "SELECT s.cpdl FROM lab.containers c JOIN lab.steps s ON s.id = c.step_id WHERE c.id = $1",
        await lab_id(lab, master.vials[1]),
    )
    assert (steps[0]["kind"], steps[0]["passage"], steps[0]["cpdl"]) == ("thaw", 2, frozen)
    assert (steps[1]["passage"], steps[1]["cpdl"] > frozen) == (3, True)
    trace = ok(await lab.as_("quinn").get(f"/items/{made.vials[0]}/trace", direction="backward"))
    assert master.vials[1] in str(trace)
    assert master.donation in str(trace)


async def lab_id(lab: Lab, code: str) -> int:
    return await life.id_of(lab, code)


# -- planning ------------------------------------------------------------------------------------------------------------


async def test_tiers_go_with_what_a_lot_is_made_of(lab: Lab, master: Life) -> None:
    tess = lab.as_("tess")
    same = {"process": master.shared.process, "specification": master.shared.specification}
    before = await lab.value("SELECT count(*) FROM lab.lots")
    for source in (
        {"bank": master.lot, "tier": "master"},
        {"donation": master.donation, "tier": "working"},
    ):
        assert refused(await tess.post("/lots", {**same, **source}), 422)["rule"] == "CB-08"
    assert refused(await tess.post("/lots", same), 422)["field"] == "donation"
    both = {**same, "donation": master.donation, "bank": master.lot}
    assert refused(await tess.post("/lots", both), 422)["field"] == "donation"
    other = await life.preparation(lab, upto="planned")
    refused(await tess.post("/lots", {**same, "bank": other.lot}), 404, "not-found")
    assert await lab.value("SELECT count(*) FROM lab.lots") == before + 1
    working = ok(await tess.post("/lots", {**same, "bank": master.lot, "tier": "working"}))
    assert working["name"].startswith("WCB-")


# -- withdrawals ---------------------------------------------------------------------------------------------------------


async def planned(lab: Lab, of: Life) -> Life:
    """A preparation planned of a bank."""
    return await life.banked(lab, of, upto="planned")


async def test_a_vial_leaves_its_bank_once_however_many_ask_at_once(lab: Lab, master: Life) -> None:
    lots = [await planned(lab, master) for _ in range(3)]
    answers = await asyncio.gather(*(life.withdraw(each, master.vials[2]) for each in lots))
    assert sorted(each.status_code for each in answers) == [201, 409, 409]
    for each in answers:
        if each.status_code != 201:
            assert refused(each, 409)["rule"] == "CB-09"
    vial = await life.id_of(lab, master.vials[2])
    assert await lab.value("SELECT count(*) FROM lab.withdrawals WHERE vial_id = $1", vial) == 1
    assert await lab.value("SELECT state FROM lab.containers WHERE id = $1", vial) == "in_use"


async def test_the_database_holds_a_second_withdrawal_off_by_itself(lab: Lab, master: Life, database: Database) -> None:
    """Two writers with the application's own rights, past every service: the constraint lets one through."""
    lots = [await planned(lab, master) for _ in range(2)]
    vial, bank = await life.id_of(lab, master.vials[3]), await master.lot_id()
    connections = [await asyncpg.connect(driver_url(database.url("stemma_app"))) for _ in lots]

    async def take(connection: asyncpg.Connection, lot: int) -> str:
        try:
            async with connection.transaction():
                await connection.execute(
                    "SELECT audit.open($1, 'tess', '', 'withdraw_vial', '', 'a race', '', NULL, NULL, NULL)",
                    lab.id_of("tess"),
                )
                await connection.execute(
                    "INSERT INTO lab.withdrawals (vial_id, bank_id, lot_id, withdrawn_at, recorded_by)"
                    " VALUES ($1, $2, $3, now(), $4)",
                    vial,
                    bank,
                    lot,
                    lab.id_of("tess"),
                )
        except asyncpg.PostgresError as error:
            return error.sqlstate or ""
        return "taken"

    try:
        keys = [await each.lot_id() for each in lots]
        found = await asyncio.gather(*(take(c, key) for c, key in zip(connections, keys, strict=True)))
    finally:
        for connection in connections:
            await connection.close()
    assert found.count("taken") == 1
    assert set(found) <= {"taken", "23505", "ST013"}
    assert await lab.value("SELECT count(*) FROM lab.withdrawals WHERE vial_id = $1", vial) == 1


async def test_why_a_vial_may_not_leave_is_asked_of_the_vial_itself(lab: Lab, master: Life) -> None:
    there, gone = ok(await lab.as_("tess").get(f"/items/{master.vials[5]}/why")), master.vials[-1]
    assert (there["gate"], there["subject"]["kind"]) == ("G3", "bank_vial")
    assert not [each["rule"] for each in there["answers"] if each["closes"]]
    retained = ok(await lab.as_("tess").get(f"/items/{gone}/why"))
    assert {"CB-09"} <= {each["rule"] for each in retained["answers"] if each["closes"]}


async def test_papers_that_were_accepted_about_a_bank_stand_in_the_dossier_of_its_vial(lab: Lab, master: Life) -> None:
    rows = await lab.arrange(
        "INSERT INTO lab.legacy_dossiers (number, about, item_id, papers, rules, reasons, valid_from, valid_to, proposed_by)"
        " VALUES ('LD-BANK', 'lot', $1, $3::jsonb, '{HGR-01}', 'r', now(), now() + interval '1 day', $2) RETURNING id",
        await master.lot_id(),
        lab.id_of("quinn"),
        '[{"title": "Bank file", "dated": "2025-05-30", "file_name": "b.pdf", "file_sha256": "ab", "pages": 1}]',
    )
    signed = await life.ceremony(lab, "lin", "legacy_accepted", "legacy", rows[0][0])
    ok(await lab.as_("lin").post(f"/legacy-dossiers/{rows[0][0]}/accept", {"ceremony": signed}))
    vial = await life.id_of(lab, master.vials[5])
    told = "SELECT dossier.bank_vial($1)::jsonb -> 'legacy' @> jsonb_build_array(jsonb_build_object('number', 'LD-BANK', 'subject', $2::text))"
    assert await lab.value(told, vial, master.lot)


async def test_nothing_leaves_a_bank_that_is_not_released(lab: Lab) -> None:
    bank = await life.bank(lab, upto="frozen")
    lot = await life.banked(lab, bank, upto="planned")
    problem = refused(await life.withdraw(lot, bank.vials[0]), 409, "blocked")
    assert "CB-07" in {each["rule"] for each in problem["rules"]}
    at_once = "INSERT INTO lab.withdrawals (vial_id, bank_id, lot_id, withdrawn_at, recorded_by) VALUES ($1, $2, $3, now(), $4)"
    values = (await life.id_of(lab, bank.vials[0]), await bank.lot_id(), await lot.lot_id(), lab.id_of("tess"))
    with pytest.raises(asyncpg.PostgresError, match="not released"):
        await lab.arrange(at_once, *values)
    assert await lab.value("SELECT count(*) FROM lab.withdrawals WHERE bank_id = $1", await bank.lot_id()) == 0
    assert await lab.value("SELECT state FROM lab.containers WHERE id = $1", values[0]) == "stored"


async def test_a_vial_is_withdrawn_for_a_planned_lot_of_its_own_donor(lab: Lab, master: Life) -> None:
    stranger = await life.preparation(lab, upto="planned")
    assert refused(await life.withdraw(stranger, master.vials[4]), 409)["rule"] == "CB-09"
    lot = await planned(lab, master)
    retained = master.vials[-1]
    assert refused(await life.withdraw(lot, retained), 409)["rule"] == "CB-09"
    refused(await life.withdraw(lot, stranger.donation), 404, "not-found")
    early = await life.withdraw(lot, master.vials[4], withdrawn_at=life.ago(hours=-2))
    assert refused(early, 422)["field"] == "withdrawn_at"
    refused(await life.withdraw(lot, master.vials[4], who="ana"), 403, "not-permitted")
    await life.go_on(lot, upto="cleared")
    ok(await life.withdraw(lot, master.vials[5]))
    body = lot.step(parents=[master.vials[0]], viable="1e6", dead="1e4", flasks=1)
    assert refused(await lab.as_("tess").post(f"/lots/{lot.lot}/thaw", body), 409)["rule"] == "CB-09"
    assert await lab.value("SELECT count(*) FROM lab.steps WHERE lot_id = $1", await lot.lot_id()) == 0
    assert await lab.value("SELECT state FROM lab.lots WHERE id = $1", await lot.lot_id()) == "planned"


async def test_what_was_thawed_without_a_withdrawal_is_kept_and_never_released(lab: Lab, master: Life) -> None:
    """The second door: the thaw is a true event, so it is stored, and what it breaks is told."""
    lot = await planned(lab, master)
    body = {
        "what": "thaw",
        "occurred_at": life.now(),
        "account": "took a vial out and thawed it before anybody scanned",
        "lot": lot.lot,
        "parents": [master.vials[4]],
        "viable_harvested": "4e6",
        "dead_harvested": "1e5",
        "flasks": 1,
        "class": "major",
    }
    kept = ok(await lab.as_("tess").post("/already-happened", body))
    assert kept["state"] == "in_process"
    assert "CB-09" in kept["rules"]
    found = await lot.show()
    assert "CB-09" in {each["rule"] for each in found["blocks"]}
    objections = await lab.sql("SELECT gate.objections($1, $2) AS says", await lot.lot_id(), lab.id_of("lin"))
    assert any(row["says"].startswith("CB-09") for row in objections)


# -- where vials lie -----------------------------------------------------------------------------------------------------


async def test_an_excursion_holds_what_lay_in_the_tank_and_closes_its_use(lab: Lab) -> None:
    bank = await life.bank(lab, vials=6)
    lot = await life.banked(lab, bank, upto="planned")
    tess = lab.as_("tess")
    elsewhere = await life.tank(lab, "house B")
    left = {"vials": bank.vials[2:3], "place": elsewhere, "stored_at": life.now()}
    ok(await tess.post(f"/banks/{bank.lot}/storage", left))
    body = {"began_at": life.now(), "warmest_celsius": "-120", "what": "the lid stood open"}
    wrong = {**body, "ended_at": life.ago(hours=1)}
    assert refused(await tess.post(f"/storage/{bank.shared.freezer}/excursions", wrong), 422)["field"] == "ended_at"
    kept = ok(await tess.post(f"/storage/{bank.shared.freezer}/excursions", body))
    # the first is where it was frozen; the second and third are in other tanks; the last two are a sample and a retain
    assert set(kept["held"]) == {bank.vials[0], bank.vials[3], bank.vials[4], bank.vials[5]}
    assert kept["deviation"].startswith("DV-")
    problem = refused(await life.withdraw(lot, bank.vials[0]), 409, "blocked")
    assert {"CB-10", "HOLD"} <= {each["rule"] for each in problem["rules"]}
    ok(await life.withdraw(lot, bank.vials[2]))
    assert await bank.state() == "released", "an excursion moves no lot"


async def test_an_excursion_that_comes_to_light_later_holds_what_was_made_of_the_vial(lab: Lab) -> None:
    bank = await life.bank(lab, vials=5)
    made = await life.banked(lab, bank, upto="isolated", vial=bank.vials[0])
    warm = {"began_at": life.ago(minutes=30), "warmest_celsius": "-118", "what": "read off the logger"}
    kept = ok(await lab.as_("hedda").post(f"/storage/{bank.shared.freezer}/excursions", warm))
    assert made.lot in kept["held"]
    assert not {bank.vials[0], bank.lot} & set(kept["held"]), (
        "the vial is used up, and its bank's other vials stand for it"
    )
    body = made.step(parents=made.flasks, viable_seeded="5e5", viable_harvested="4.2e6", dead_harvested="2e5", flasks=2)
    problem = refused(await lab.as_("tess").post(f"/lots/{made.lot}/passages", body), 409, "blocked")
    assert "HOLD" in {each["rule"] for each in problem["rules"]}


async def test_vials_are_put_away_while_they_are_there(lab: Lab, master: Life) -> None:
    tess = lab.as_("tess")
    gone = {"vials": [master.vials[-1]], "place": master.shared.freezer, "stored_at": life.now()}
    assert refused(await tess.post(f"/banks/{master.lot}/storage", gone), 409)["rule"] == "CB-09"
    nowhere = {**gone, "vials": [master.vials[0]], "place": master.donation}
    refused(await tess.post(f"/banks/{master.lot}/storage", nowhere), 404, "not-found")
    early = {**gone, "vials": [master.vials[0]], "stored_at": life.ago(hours=-3)}
    assert refused(await tess.post(f"/banks/{master.lot}/storage", early), 422)["field"] == "stored_at"
    refused(
        await tess.post(
            f"/storage/{master.shared.freezer}/classes",
            {"phase": "vapour", "warmest_celsius": "-160", "site": "x", "evidence": "y"},
        ),
        403,
        "not-permitted",
    )


# -- whether a process needs a bank --------------------------------------------------------------------------------------


def policy(process: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "process": process["name"],
        "process_version": process["version"],
        "needed": False,
        "conditions": ["autologous", "short_cycle", "low_manipulation"],
        "tiers": [],
        "reasons": "one patient's own cells",
        **more,
    }


async def test_a_decision_about_banks_is_proposed_by_one_and_signed_by_the_authority(lab: Lab) -> None:
    process = await life.process(lab)
    made = ok(await lab.as_("quinn").post("/bank-policies", policy(process, needed=True, tiers=["master"])))["number"]
    assert ok(await lab.as_("tess").get(f"/bank-policies/{made}"))["state"] == "proposed"
    signed = await life.ceremony(lab, "lin", "bank_policy_decided", "bank_policy", made)
    ok(await lab.as_("lin").post(f"/bank-policies/{made}/sign", {"ceremony": signed}))
    found = ok(await lab.as_("tess").get(f"/bank-policies/{made}"))
    assert (found["state"], found["version"], found["decided_by"]) == ("decided", 2, "Dr Lin Qing")
    again = await life.ceremony(lab, "lin", "bank_policy_decided", "bank_policy", made)
    refused(await lab.as_("lin").post(f"/bank-policies/{made}/sign", {"ceremony": again}), 409, "conflict")


async def test_a_decision_that_contradicts_itself_or_the_guideline_is_not_proposed(lab: Lab) -> None:
    process = await life.process(lab)
    before = await lab.value("SELECT count(*) FROM lab.bank_policies")
    quinn = lab.as_("quinn")
    for field, wrong in (
        ("conditions", {"conditions": ["autologous", "short_cycle"]}),
        ("conditions", {"conditions": ["autologous", "short_cycle", "low_manipulation", "gene_modified"]}),
        ("conditions", {"conditions": ["cheap"]}),
        ("tiers", {"tiers": ["master"]}),
        ("tiers", {"needed": True}),
        ("tiers", {"needed": True, "tiers": ["working"]}),
    ):
        assert refused(await quinn.post("/bank-policies", policy(process, **wrong)), 422)["field"] == field
    refused(await quinn.post("/bank-policies", policy({"name": "no such", "version": 1})), 404, "not-found")
    refused(await lab.as_("lin").post("/bank-policies", policy(process)), 403, "not-permitted")
    assert await lab.value("SELECT count(*) FROM lab.bank_policies") == before


async def test_a_decision_after_processing_began_heals_nothing(lab: Lab) -> None:
    use = await life.new_shared(lab)
    await lab.arrange(
        "UPDATE lab.bank_policies SET proposed_by = $2 WHERE process_id = (SELECT id FROM lab.process_versions WHERE name = $1)",
        use.process["name"],
        lab.id_of("lin"),
    )  # as if it had been signed by who proposed it
    lived = await life.preparation(lab, use=use, upto="cleared")
    body = lived.step(viable="1.8e7", dead="1.1e6", flasks=2)
    problem = refused(await lab.as_("tess").post(f"/lots/{lived.lot}/isolation", body), 409, "blocked")
    assert {each["rule"] for each in problem["rules"]} == {"CB-03"}
    told = {
        "what": "isolation",
        "occurred_at": life.now(),
        "account": "done all the same",
        "lot": lived.lot,
        "flasks": 2,
        "class": "major",
    }
    assert "CB-03" in ok(await lab.as_("tess").post("/already-happened", told))["rules"]
    made = ok(await lab.as_("quinn").post("/bank-policies", policy(use.process)))["number"]
    signed = await life.ceremony(lab, "lin", "bank_policy_decided", "bank_policy", made)
    ok(await lab.as_("lin").post(f"/bank-policies/{made}/sign", {"ceremony": signed}))
    (block,) = [each for each in (await lived.show())["blocks"] if each["rule"] == "CB-03"]
    assert block["outcome"] == "fail"
    objections = await lab.sql("SELECT gate.objections($1, $2) AS says", await lived.lot_id(), lab.id_of("lin"))
    assert any(row["says"].startswith("CB-03") for row in objections)
