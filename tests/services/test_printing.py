"""The print queue over real sockets: in order, once, settled by people where nobody else knows, across kill -9."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import sys
import time
import uuid
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app.db.door import Door
from app.services import printing
from app.workers.printing import send
from devices.camera import decode_picture
from devices.printer import PrinterReason
from devices.simulated import SimulatedPrinter
from tests import world
from tests.services import things
from tests.world import ok, refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.conftest import Database
    from tests.world import Lab

ROOT = Path(__file__).resolve().parents[2]
JOB = "SELECT state, trouble, attempts FROM lab.print_jobs WHERE id = $1"


async def printer(lab: Lab, address: str, media: str = "25x13", **more: Any) -> dict[str, Any]:
    body = {"name": f"LP {uuid.uuid4().hex[:8]}", "room": "B-01", "address": address, "dots_per_mm": 8, "media": media}
    return ok(await lab.as_("hedda").post("/printers", body | more))


async def vials(lab: Lab, count: int = 1) -> tuple[dict[str, Any], list[str]]:
    """A lot with so many vials."""
    lot = await things.preparation(lab, (await things.eligible_donation(lab))["code"])
    codes = [lot["vial_code"]]
    for _ in range(count - 1):
        codes.append((await things.cells(lab, lot["lot"], "vial", parent=lot["flask"]))[1])
    return lot, codes


async def queued(lab: Lab, target: dict[str, Any], count: int = 1) -> tuple[list[int], list[str]]:
    """Labels of so many vials wait at a printer: the jobs' numbers and the vials' codes, in order."""
    lot, _ = await vials(lab, count)
    made = ok(await lab.as_("tess").post(f"/lots/{lot['lot_code']}/labels", {"printer": target["code"]}))
    return [each["job"] for each in made["labels"]], [each["item"] for each in made["labels"]]


@asynccontextmanager
async def sending(lab: Lab) -> AsyncIterator[None]:
    """The sender at work, in this process, with a door of its own."""
    settings = lab.app.state.house.settings
    url = settings.database_url.get_secret_value()
    door, stop = Door(database_url=url, auth_database_url=url), asyncio.Event()
    task = asyncio.create_task(send(door, stop))
    try:
        yield
    finally:
        stop.set()
        await task
        await door.close()


async def job(lab: Lab, number: int) -> tuple[str, str | None, int]:
    row = (await lab.sql(JOB, number))[0]
    return row["state"], row["trouble"], row["attempts"]


async def until(lab: Lab, number: int, *states: str, within_s: float = 30) -> None:
    ends = time.monotonic() + within_s
    while time.monotonic() < ends:
        if (await job(lab, number))[0] in states:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"job {number} is {await job(lab, number)}, not {states}")


def codes_printed(simulated: SimulatedPrinter) -> list[str]:
    return [code.text for each in simulated.printed for code in decode_picture(each.png_bytes())]


def unused_port() -> int:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        return int(nobody.getsockname()[1])


# -- printers ----------------------------------------------------------------------------------------------------------


async def test_a_printer_is_equipment_with_an_address(lab: Lab) -> None:
    made = await printer(lab, "labels-1.lab.example:9100")
    assert made["code"].startswith("E")
    listed = ok(await lab.as_("tess").get("/printers"))
    assert [each["media"] for each in listed if each["code"] == made["code"]] == ["25x13"]
    assert ok(await lab.as_("tess").get(f"/items/{made['code']}"))["kind"] == "equipment"
    refused(await lab.as_("quinn").post("/printers", {**_body(), "name": made["name"]}), 409)


def _body() -> dict[str, Any]:
    return {"name": uuid.uuid4().hex, "room": "B", "address": "printer:9100", "dots_per_mm": 12, "media": "50x25"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"address": "printer"},
        {"address": "printer:0"},
        {"address": "printer:70000"},
        {"address": "http://printer:9100"},
        {"address": "a b:9100"},
        {"address": "printer:９１００"},
        {"address": "[::1]:9100@x:1"},
        {"dots_per_mm": 10},
        {"dots_per_mm": "nan"},
        {"media": "10x10"},
    ],
)
async def test_a_printer_that_could_not_print_is_not_defined(lab: Lab, wrong: dict[str, Any]) -> None:
    refused(await lab.as_("quinn").post("/printers", _body() | wrong), 422)


async def test_only_quality_and_production_define_printers(lab: Lab) -> None:
    for who in ("tess", "vera", "ana", "adam", "lin"):
        refused(await lab.as_(who).post("/printers", _body()), 403, "not-permitted")


# -- the queue ---------------------------------------------------------------------------------------------------------


async def test_labels_come_out_in_order_once_each(lab: Lab) -> None:
    async with SimulatedPrinter() as simulated, sending(lab):
        target = await printer(lab, f"127.0.0.1:{simulated.port}")
        jobs, codes = await queued(lab, target, 6)
        await until(lab, jobs[-1], "printed")
        assert codes_printed(simulated) == codes
        assert [await job(lab, each) for each in jobs] == [("printed", None, 1)] * 6
        listed = ok(await lab.as_("quinn").get("/print-jobs", printer=target["code"], limit=4))
        assert [each["number"] for each in listed] == jobs[:-5:-1]
        older = ok(await lab.as_("quinn").get("/print-jobs", printer=target["code"], after=listed[-1]["number"]))
        assert [each["number"] for each in older] == jobs[1::-1]


async def test_two_printers_print_at_the_same_time_and_one_in_trouble_keeps_nobody_else(lab: Lab) -> None:
    async with SimulatedPrinter() as good, SimulatedPrinter(troubles={PrinterReason.PAPER_OUT}) as bad, sending(lab):
        stands, works = [await printer(lab, f"127.0.0.1:{each.port}") for each in (bad, good)]
        waiting, codes = await queued(lab, stands, 3)
        fine, _ = await queued(lab, works, 2)
        await until(lab, fine[-1], "printed")
        await until(lab, waiting[0], "failed")
        await asyncio.sleep(0.6)
        assert [(await job(lab, each))[:2] for each in waiting] == [("failed", "paper_out"), *[("queued", None)] * 2]
        shown = {each["code"]: each for each in ok(await lab.as_("tess").get("/printers"))}
        assert (shown[stands["code"]]["stands"], shown[works["code"]]["stands"]) == (True, False)
        assert bad.printed == []
        bad.troubles.clear()
        ok(await lab.as_("tess").post(f"/print-jobs/{waiting[0]}/retry"))
        await until(lab, waiting[-1], "printed")
        assert codes_printed(bad) == codes


async def test_a_printer_that_is_away_fails_and_is_tried_again_by_a_person(lab: Lab) -> None:
    port = unused_port()
    async with sending(lab):
        target = await printer(lab, f"127.0.0.1:{port}")
        (number,), (code,) = await queued(lab, target)
        await until(lab, number, "failed")
        assert (await job(lab, number))[1] == "unreachable"
        async with SimulatedPrinter(port=port) as simulated:
            ok(await lab.as_("tess").post(f"/print-jobs/{number}/retry"))
            await until(lab, number, "printed")
            assert codes_printed(simulated) == [code]
            assert await job(lab, number) == ("printed", None, 2)


async def test_nobody_knows_of_a_label_inside_a_printer_that_stopped_until_a_person_says(lab: Lab) -> None:
    async with SimulatedPrinter(burning_s=0.2) as simulated, sending(lab):
        target = await printer(lab, f"127.0.0.1:{simulated.port}")
        jobs, _ = await queued(lab, target, 2)
        while not simulated._waiting:
            await asyncio.sleep(0.005)
        simulated.troubles.add(PrinterReason.HEAD_OPEN)
        await until(lab, jobs[0], "unknown")
        assert (await job(lab, jobs[0]))[1] == "stopped"
        simulated.troubles.clear()
        await asyncio.sleep(0.6)
        assert (await job(lab, jobs[1]))[0] == "queued", "the printer waits for the person too"
        assert len(simulated.printed) == 1, "never sent again by itself"
        refused(await lab.as_("tess").post(f"/print-jobs/{jobs[0]}/retry"), 409, "conflict")
        refused(await lab.as_("tess").post(f"/print-jobs/{jobs[0]}/cancel"), 409, "conflict")
        ok(await lab.as_("tess").post(f"/print-jobs/{jobs[0]}/printed"))
        await until(lab, jobs[1], "printed")
        assert len(simulated.printed) == 2


async def test_a_label_that_did_not_come_out_is_tried_again_or_given_up(lab: Lab) -> None:
    target = await printer(lab, f"127.0.0.1:{unused_port()}")
    jobs, codes = await queued(lab, target, 2)
    for state in ("sending", "unknown"):
        await lab.arrange("UPDATE lab.print_jobs SET state = $2 WHERE id = ANY($1)", jobs, state)
    for number in jobs:
        ok(await lab.as_("tess").post(f"/print-jobs/{number}/not-printed"))
        assert (await job(lab, number))[:2] == ("failed", "did_not_print")
    ok(await lab.as_("tess").post(f"/print-jobs/{jobs[0]}/retry"))
    ok(await lab.as_("tess").post(f"/print-jobs/{jobs[1]}/cancel"))
    assert [(await job(lab, each))[0] for each in jobs] == ["queued", "cancelled"]
    ok(await lab.as_("tess").post(f"/print-jobs/{jobs[0]}/cancel"))
    refused(await lab.as_("tess").get(f"/items/{codes[1]}/label.png"), 404, "not-found")
    again = ok(await lab.as_("tess").post(f"/items/{codes[1]}/labels", {}))
    assert (again["copy"], again["reprint_of"]) == (2, None), "a cancelled label was never on paper: no reason is asked"


async def test_who_may_settle_and_what_is_never_settled_twice(lab: Lab) -> None:
    target = await printer(lab, f"127.0.0.1:{unused_port()}")
    (number,), _ = await queued(lab, target)
    for who in ("vera", "adam", "lin"):
        refused(await lab.as_(who).post(f"/print-jobs/{number}/cancel"), 403, "not-permitted")
    for said in ("retry", "printed", "not-printed"):
        refused(await lab.as_("tess").post(f"/print-jobs/{number}/{said}"), 409, "conflict")
    refused(await lab.as_("tess").post("/print-jobs/999999999/cancel"), 404, "not-found")
    answers = await asyncio.gather(*(lab.as_("tess").post(f"/print-jobs/{number}/cancel") for _ in range(4)))
    assert sorted(each.status_code for each in answers) == [200, 409, 409, 409]


async def test_a_label_goes_only_to_a_printer_that_holds_its_size(lab: Lab) -> None:
    target = await printer(lab, "printer:9100", media="50x25")
    _, (vial,) = await vials(lab)
    problem = refused(await lab.as_("tess").post(f"/items/{vial}/labels", {"printer": target["code"]}), 422)
    assert problem["field"] == "printer"
    refused(await lab.as_("tess").post(f"/items/{vial}/labels", {"printer": vial}), 404, "not-found")
    assert ok(await lab.as_("tess").get(f"/items/{vial}/labels")) == []


async def test_a_label_whose_facts_changed_in_the_queue_is_not_printed_and_holds_nobody_up(lab: Lab) -> None:
    target = await printer(lab, f"127.0.0.1:{unused_port()}")
    lot, (vial,) = await vials(lab)
    stale = ok(await lab.as_("tess").post(f"/items/{vial}/labels", {"printer": target["code"]}))["job"]
    await lab.arrange("UPDATE lab.lots SET frozen_at = '2026-03-01T00:00:00Z' WHERE id = $1", lot["lot"])
    async with sending(lab):
        await until(lab, stale, "failed")
        assert await job(lab, stale) == ("failed", "label_changed", 0)
        (other,), _ = await queued(lab, target)
        await until(lab, other, "failed")
        assert (await job(lab, other))[1] == "unreachable", "the printer was tried"
    for each in (stale, other):
        ok(await lab.as_("tess").post(f"/print-jobs/{each}/cancel"))


async def test_labels_that_wait_are_not_counted_and_cancelled_ones_were_never_there(lab: Lab) -> None:
    target = await printer(lab, f"127.0.0.1:{unused_port()}")
    lot, _ = await vials(lab, 2)
    made = ok(await lab.as_("tess").post(f"/lots/{lot['lot_code']}/labels", {"printer": target["code"]}))
    body = {"used": 2, "destroyed": 0, "returned": 0}
    path = f"/lots/{lot['lot_code']}/label-counts"
    refused(await lab.as_("tess").post(path, body), 409, "conflict")
    for each in made["labels"]:
        ok(await lab.as_("tess").post(f"/print-jobs/{each['job']}/cancel"))
    ok(await lab.as_("tess").post(f"/lots/{lot['lot_code']}/labels", {}))
    counted = ok(await lab.as_("tess").post(path, body))
    assert (counted["printed"], counted["missing"]) == (2, 0)
    facts = await lab.value("SELECT dossier.labels($1) ->> 'printed'", lot["lot"])
    assert facts == "2"


async def test_a_sender_that_takes_over_leaves_to_a_person_what_was_being_sent(lab: Lab) -> None:
    async with SimulatedPrinter() as simulated:
        target = await printer(lab, f"127.0.0.1:{simulated.port}")
        jobs, codes = await queued(lab, target, 2)
        await lab.arrange("UPDATE lab.print_jobs SET state = 'sending' WHERE id = $1", jobs[0])
        async with sending(lab):
            await until(lab, jobs[0], "unknown")
            assert (await job(lab, jobs[0]))[1] == "sender_ended"
            ok(await lab.as_("tess").post(f"/print-jobs/{jobs[0]}/not-printed"))
            ok(await lab.as_("tess").post(f"/print-jobs/{jobs[0]}/retry"))
            await until(lab, jobs[1], "printed")
        assert codes_printed(simulated) == codes


async def test_a_second_sender_waits_until_the_first_ends(lab: Lab) -> None:
    async with SimulatedPrinter() as simulated, sending(lab):
        async with sending(lab):
            target = await printer(lab, f"127.0.0.1:{simulated.port}")
            jobs, codes = await queued(lab, target, 4)
            await until(lab, jobs[-1], "printed")
        assert codes_printed(simulated) == codes


# -- kill -9 -----------------------------------------------------------------------------------------------------------


async def start(database: Database) -> asyncio.subprocess.Process:
    """The sender as it is run: a process of its own."""
    environment = {
        **os.environ,
        "STEMMA_DATABASE_URL": database.url("stemma_app"),
        "STEMMA_PURPOSE": "test",
        "PYTHONPATH": str(ROOT),
    }
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "app.workers.printing", env=environment, cwd=ROOT)


async def test_killed_at_any_moment_no_label_is_printed_twice_and_none_is_lost_silently(
    make_database: Callable[[], Database],
) -> None:
    database = make_database()
    fate = random.Random(26)
    async with world.open_lab(database) as lab, SimulatedPrinter(burning_s=0.03) as simulated:
        target = await printer(lab, f"127.0.0.1:{simulated.port}")
        jobs, codes = await queued(lab, target, 24)
        kills = 0
        while kills < 6:
            process = await start(database)
            began = len(simulated.printed)
            while len(simulated.printed) < began + 2 and (await _left(lab, jobs)):
                await asyncio.sleep(0.01)
            await asyncio.sleep(fate.random() * 0.15)
            process.send_signal(signal.SIGKILL)
            await process.wait()
            kills += 1
            await asyncio.sleep(0.2)  # what the printer has taken, it prints
            out = Counter(codes_printed(simulated))
            for number, code in zip(jobs, codes, strict=True):
                state = (await job(lab, number))[0]
                assert out[code] <= 1, (number, state)
                if state in {"sending", "unknown"}:
                    # The next sender leaves it to a person, who looks at the printer.
                    await lab.arrange("UPDATE lab.print_jobs SET state = 'unknown' WHERE id = $1", number)
                    said = "printed" if out[code] else "not-printed"
                    ok(await lab.as_("tess").post(f"/print-jobs/{number}/{said}"))
                    if not out[code]:
                        ok(await lab.as_("tess").post(f"/print-jobs/{number}/retry"))
                else:
                    assert (state == "printed") == (out[code] == 1), (number, state)
            if not await _left(lab, jobs):
                break
        process = await start(database)
        for number in jobs:
            await until(lab, number, "printed", within_s=60)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
        assert Counter(codes_printed(simulated)) == Counter(codes)
        assert kills >= 3


async def _left(lab: Lab, jobs: list[int]) -> bool:
    return bool(await lab.value("SELECT count(*) FROM lab.print_jobs WHERE id = ANY($1) AND state = 'queued'", jobs))


async def test_the_sender_refuses_a_database_of_another_purpose(database: Database) -> None:
    environment = {**os.environ, "STEMMA_DATABASE_URL": database.url("stemma_app"), "PYTHONPATH": str(ROOT)}
    for given, why in (({}, b"marked test"), ({"STEMMA_DATABASE_URL": ""}, b"not set")):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "app.workers.printing",
            env=environment | given,
            cwd=ROOT,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
        assert process.returncode == 1
        assert why in said


def test_every_trouble_of_a_printer_has_its_words() -> None:
    assert set(printing.TROUBLES) == set(printing.Trouble)
    assert {each.value for each in PrinterReason} <= {each.value for each in printing.Trouble}
