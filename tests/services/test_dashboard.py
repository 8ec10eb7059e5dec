"""What the wall shows: how many lots stand where, and why each that waits may not go on."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from app.db import metrics
from tests import life
from tests.world import ok, open_lab, refused

if TYPE_CHECKING:
    from tests.world import Lab


async def _counts(lab: Lab) -> dict[tuple[str, str], int]:
    return {(each["kind"], each["state"]): each["lots"] for each in ok(await lab.as_("tess").get("/dashboard/lots"))}


async def _blocked(lab: Lab, **query: Any) -> dict[str, Any]:
    found: dict[str, Any] = ok(await lab.as_("quinn").get("/dashboard/blocked", **query))
    return found


async def test_lots_are_counted_by_kind_and_state(fresh_database):
    async with open_lab(fresh_database) as lab:
        assert await _counts(lab) == {}
        lived = await life.preparation(lab, upto="planned")
        materials = len(lived.shared.material_lots)
        assert await _counts(lab) == {("preparation", "planned"): 1, ("material", "approved"): materials}
        await life.preparation(lab, upto="planned", use=lived.shared)
        assert (await _counts(lab))[("preparation", "planned")] == 2


async def test_every_lot_that_waits_is_told_with_what_keeps_it_there(fresh_database):
    async with open_lab(fresh_database) as lab:
        frozen = await life.preparation(lab, upto="frozen")
        ready = await life.preparation(lab, upto="awaiting_release", use=frozen.shared)
        await life.preparation(lab, upto="filled", use=frozen.shared)
        page = await _blocked(lab)
        assert [each["lot"] for each in page["lots"]] == [frozen.lot, ready.lot]
        assert page["after"] is None
        waits, free = page["lots"]
        assert waits["blocked"] is True
        assert {"REL-02", "QA-06"} <= {each["rule"] for each in waits["reasons"]}
        assert all(each["problem"] and each["remedy"] for each in waits["reasons"])
        assert (free["blocked"], free["reasons"]) == (False, [])
        first = await _blocked(lab, limit=1)
        assert ([each["lot"] for each in first["lots"]], first["after"]) == ([frozen.lot], frozen.lot)
        second = await _blocked(lab, limit=1, after=first["after"])
        assert [each["lot"] for each in second["lots"]] == [ready.lot]
        # Judged this moment: what happens next is seen at the next look, and nothing was kept of the last.
        assert await lab.value("SELECT count(*) FROM lab.judgements WHERE gate = 'G6'") == 0
        ok(await lab.as_("quinn").post("/holds", {"item": ready.lot, "reason": "a label fell off"}))
        assert (await _blocked(lab, after=frozen.lot))["lots"][0]["blocked"] is True


async def test_an_administrator_sees_no_laboratory(lab):
    refused(await lab.as_("adam").get("/dashboard/lots"), 403, "not-permitted")
    refused(await lab.as_("adam").get("/dashboard/blocked"), 403, "not-permitted")
    refused(await lab.as_("adam").get("/dashboard"), 403, "not-permitted")


async def _dashboard(lab: Lab, who: str = "quinn") -> dict[str, Any]:
    found: dict[str, Any] = ok(await lab.as_(who).get("/dashboard"))
    return found


async def _queues(lab: Lab) -> dict[str, int]:
    return {each["queue"]: each["waiting"] for each in (await _dashboard(lab))["waits"] if each["waiting"]}


async def test_what_waits_for_whom_follows_a_life(fresh_database):
    async with open_lab(fresh_database) as lab:
        assert await _queues(lab) == {}
        lived = await life.preparation(lab, upto="frozen")
        assert await _queues(lab) == {}
        await life.go_on(lived, upto="sampled")
        assert await _queues(lab) == {}
        result = await life.measured(lived, "sterility", "no growth", None)
        assert await _queues(lab) == {"results_to_review": 1}
        await life.result_reviewed(lived, result, "returned")
        assert await _queues(lab) == {"batches_to_review": 1}
        await life.go_on(lived, upto="tested")
        assert await _queues(lab) == {"batches_to_review": 1}
        await life.go_on(lived, upto="reviewed")
        assert await _queues(lab) == {"lots_to_submit": 1}
        await life.go_on(lived, upto="awaiting_release")
        assert await _queues(lab) == {"releases_awaited": 1}
        waits = {each["queue"]: each for each in (await _dashboard(lab, "lin"))["waits"]}
        assert waits["releases_awaited"]["mine"] is True
        assert waits["releases_awaited"]["roles"] == ["quality_authority"]
        assert waits["releases_awaited"]["since"] is not None
        assert waits["results_to_review"]["mine"] is False
        raw = await life.material_lot(lab, "DMSO", [])
        assert (await _queues(lab))["materials_to_approve"] == 1
        await life.material_lot(lab, "HSA", [], certificate_reviewed_at=None)
        assert (await _queues(lab))["certificates_to_review"] == 1
        ok(
            await lab.as_("tess").post(
                "/deviations", {"item": raw["code"], "what": "the box was wet", "class": "minor", "rules": []}
            )
        )
        assert (await _queues(lab))["deviations_to_close"] == 1


async def test_what_a_second_person_has_not_seen_waits_for_the_verifier(fresh_database):
    async with open_lab(fresh_database) as lab:
        lived = await life.preparation(lab, upto="planned")
        lived.workstation = (await life.equipment(lab))["code"]
        cleared = ok(await life.clear(lived, "before"))
        assert await _queues(lab) == {"clearances_to_verify": 1}
        ok(await life.verify_clearance(lived, cleared["clearance"]))
        assert await _queues(lab) == {}
        body = lived.step(viable="1.8e7", dead="1.1e6", flasks=2)
        made = ok(await lab.as_("tess").post(f"/lots/{lived.lot}/isolation", body))
        waits = {each["queue"]: each for each in (await _dashboard(lab, "vera"))["waits"] if each["waiting"]}
        assert list(waits) == ["steps_to_verify"]
        assert (waits["steps_to_verify"]["mine"], waits["steps_to_verify"]["roles"]) == (True, ["verifier"])
        ok(await life.verify(lived, made["step"], scanned=made["containers"][0]))
        assert await _queues(lab) == {}


async def test_what_blocks_is_said_with_the_moment_of_the_check(fresh_database):
    async with open_lab(fresh_database) as lab:
        frozen = await life.preparation(lab, upto="frozen")
        ready = await life.preparation(lab, upto="awaiting_release", use=frozen.shared)
        blocks = (await _dashboard(lab))["blocks"]
        assert (blocks["waiting"], blocks["blocked"], blocks["unopposed"], blocks["unchecked"]) == (2, 0, 0, 2)
        for lived in (frozen, ready):
            ok(await lab.as_("quinn").post(f"/lots/{lived.lot}/release-check"))
        blocks = (await _dashboard(lab))["blocks"]
        assert (blocks["blocked"], blocks["unopposed"], blocks["unchecked"]) == (1, 1, 0)
        (closed,) = blocks["lots"]
        assert (closed["lot"], closed["held"]) == (frozen.lot, False)
        assert closed["checked_at"]
        assert {"REL-02", "QA-06"} <= {each["rule"] for each in closed["rules"]}
        assert all(found["problem"] and found["remedy"] for each in closed["rules"] for found in each["findings"])
        ok(await lab.as_("quinn").post("/holds", {"item": ready.vials[0], "reason": "Wang Fang's label fell off"}))
        said = await _dashboard(lab)
        assert (said["blocks"]["holds"], said["blocks"]["held"]) == (1, 1)
        assert {each["lot"]: each["held"] for each in said["blocks"]["lots"]} == {frozen.lot: False, ready.lot: True}
        (item,) = said["blocks"]["items"]
        assert (item["item"], item["lot"]) == (ready.vials[0], ready.lot)
        assert "Wang" not in str(said)


async def test_what_expires_comes_sorted_and_says_what_is_past(fresh_database):
    async with open_lab(fresh_database) as lab:
        lived = await life.preparation(lab, upto="planned")
        soon = await life.approved_material(
            lab, "Soon", [{"name": "water", "cas": "7732-18-5"}], expires_on=str(date.today() + timedelta(days=9))
        )
        await life.material_lot(lab, "Late", [], expires_on=str(date.today() + timedelta(days=90)))
        bottle = lived.shared.bottles[0]
        past = "UPDATE lab.containers SET opened_until = clock_timestamp() - interval '1 hour' WHERE id = $1"
        await lab.arrange(past, await life.id_of(lab, bottle))
        await lab.arrange(
            "UPDATE people.appointments SET certificate_valid_until = current_date + 12 WHERE account_id = $1",
            lab.id_of("lin"),
        )
        await lab.arrange(
            "INSERT INTO people.qualifications (account_id, topic, valid_from, valid_to, evidence, recorded_by)"
            " VALUES ($1, 'microscopy', now() - interval '1 year', now() + interval '20 days', 'T-7', $2)",
            lab.id_of("tess"),
            lab.id_of("quinn"),
        )
        expires = (await _dashboard(lab))["expires"]
        assert [(each["kind"], each["is_past"]) for each in expires["items"]] == [
            ("opened", True),
            ("material", False),
            ("certificate", False),
            ("qualification", False),
        ]
        assert (expires["total"], expires["past"]) == (4, 1)
        assert [each["code"] for each in expires["items"][:2]] == [bottle, soon["code"]]
        assert [each["person"] for each in expires["items"][2:]] == ["Dr Lin Qing", "Tess Tan"]


async def test_what_was_refused_is_told_to_those_who_may_know(fresh_database):
    async with open_lab(fresh_database) as lab:
        lived = await life.preparation(lab, upto="planned")
        before = (await _dashboard(lab))["refused"]
        assert before == {"acts_in_a_day": 0, "scans_in_a_day": 0, "items": []}
        refused(await lab.as_("tess").post(f"/lots/{lived.lot}/submit", {"version": 1}), 403)
        ok(await lab.as_("tess").post("/scans", {"raw": "patient wristband 4711"}))
        wrong = {"username": "tess", "password": "certainly wrong"}
        refused(await lab.http.post("/api/v1/session", json=wrong), 401)
        seen = (await _dashboard(lab, "tess"))["refused"]
        assert (seen["acts_in_a_day"], seen["scans_in_a_day"]) == (1, 1)
        scan, act = seen["items"]
        assert (scan["act"], scan["kind"], scan["who"], scan["subject"]) == ("scan", "unknown_code", "Tess Tan", None)
        assert (act["act"], act["kind"], act["who"], act["lot"]) == (
            "submit_lot",
            "not-permitted",
            "Tess Tan",
            lived.lot,
        )
        assert "QA manager" in act["why"]
        assert "4711" not in str(seen)
        assert {each["act"] for each in (await _dashboard(lab))["refused"]["items"]} == {
            "scan",
            "submit_lot",
            "sign_in",
        }


async def _hang_on_the_wall(lab: Lab) -> None:
    """An account that is a display and nothing else."""
    made = ok(
        await lab.as_("adam").post("/accounts", {"username": "wall", "printed_name": "Wall A", "roles": ["device"]})
    )
    account = await lab.value("SELECT id FROM people.accounts WHERE username = 'wall'")
    lab.know("wall", account_id=account, password=made["password"], totp_secret=made["totp_secret"])


async def test_a_wall_display_looks_on_for_long_and_names_nobody(fresh_database):
    async with open_lab(fresh_database) as lab:
        lived = await life.preparation(lab, upto="planned")
        refused(await lab.as_("tess").post(f"/lots/{lived.lot}/submit", {"version": 1}), 403)
        await _hang_on_the_wall(lab)
        (item,) = (await _dashboard(lab, "wall"))["refused"]["items"]
        assert (item["who"], item["why"], item["lot"]) == (None, None, lived.lot)
        ends = await lab.value(
            "SELECT ends_at - started_at FROM people.sessions WHERE account_id = $1 ORDER BY id DESC LIMIT 1",
            lab.id_of("wall"),
        )
        assert ends > timedelta(days=29)
        untouched = "UPDATE people.sessions SET seen_at = clock_timestamp() - interval '9 days' WHERE account_id = $1"
        await lab.sql(untouched, lab.id_of("wall"))
        await _dashboard(lab, "wall")
        # It may look on, and nothing else: what anybody does there asks for the password again.
        refused(await lab.as_("wall").post("/scans", {"raw": "x"}), 401, "not-signed-in")
        refused(await lab.as_("wall").get("/session"), 401, "not-signed-in")
        await _dashboard(lab, "rolf")
        await lab.sql(untouched, lab.id_of("rolf"))
        refused(await lab.as_("rolf").get("/dashboard"), 401, "not-signed-in")


async def test_looking_at_the_dashboard_keeps_no_session_awake(lab):
    await _dashboard(lab, "hedda")
    await lab.sql(
        "UPDATE people.sessions SET seen_at = clock_timestamp() - interval '5 minutes' WHERE account_id = $1",
        lab.id_of("hedda"),
    )
    seen = "SELECT max(seen_at) FROM people.sessions WHERE account_id = $1"
    before = await lab.value(seen, lab.id_of("hedda"))
    await _dashboard(lab, "hedda")
    assert await lab.value(seen, lab.id_of("hedda")) == before


async def test_the_same_numbers_are_gauges_counted_at_most_every_ten_seconds(fresh_database, monkeypatch):
    async with open_lab(fresh_database) as lab:
        lived = await life.preparation(lab, upto="sampled")
        result = await life.measured(lived, "sterility", "growth", None)
        ok(await lab.as_("quinn").post(f"/lots/{lived.lot}/release-check"))
        ok(await lab.as_("tess").post("/scans", {"raw": "patient wristband 4711"}))

        async def gauges() -> list[str]:
            return (await lab.http.get("/metrics")).text.splitlines()

        async def counts_scans(number: int) -> list[str]:
            """The gauges once so many unknown scans are counted: when every older transaction of the server has ended."""
            with monkeypatch.context() as hasty:
                hasty.setattr(metrics, "KEPT_S", 0.0)
                async with asyncio.timeout(30):
                    while f'stemma_scans{{verdict="unknown"}} {number}.0' not in (said := await gauges()):
                        await asyncio.sleep(0.1)
            return said

        said = await counts_scans(1)
        for line in (
            'stemma_waiting{queue="results_to_review"} 1.0',
            'stemma_gate_lots{check="blocked"} 1.0',
            'stemma_expiring{when="past"} 0.0',
            'stemma_refused_in_a_day{what="scans"} 1.0',
            'stemma_scans{verdict="unknown"} 1.0',
        ):
            assert line in said
        await life.result_reviewed(lived, result)
        for _ in range(2):
            ok(await lab.as_("tess").post("/scans", {"raw": "another wristband"}))
        assert 'stemma_waiting{queue="results_to_review"} 1.0' in await gauges()
        await counts_scans(3)
        for _ in range(2):  # what was counted once is not counted again
            said = await counts_scans(3)
            assert 'stemma_waiting{queue="results_to_review"} 0.0' in said
            assert 'stemma_scans{verdict="unknown"} 3.0' in said
