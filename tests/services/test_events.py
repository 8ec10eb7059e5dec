"""Following what happens: nothing lost, nothing twice, nothing that the reader may not see, and an end when it is due."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import asyncpg
import httpx
import pytest
import uvicorn

from app.api import events
from app.db.door import driver_url
from app.db.embedded import free_port
from app.db.events import KEPT, Feed, Position
from app.domain.acts import Act, Actor, Role
from app.domain.sight import acts_shown_to
from app.settings import ROOT
from app.stage import web_arguments
from labels.codes import CodeKind, new_code
from tests import life
from tests.world import API, ok, open_lab, refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.world import Lab

WITHIN_S = 15.0
ALL_SETTLED = """
SELECT NOT EXISTS (SELECT FROM audit.entries WHERE xid >= pg_snapshot_xmin(pg_current_snapshot()))
   AND NOT EXISTS (SELECT FROM lab.scans WHERE xid >= pg_snapshot_xmin(pg_current_snapshot()))
"""
OPENED = "SELECT number FROM audit.open($1, 'tess', 'technician', 'place_hold', $2, '', '', NULL, NULL, NULL)"


class Listener:
    """A program that listens: what it was told, in order."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines
        self.last_id: str | None = None
        self.said: list[str] = []

    async def next(self) -> tuple[str, Any]:
        """The next event's name and data, whatever it is."""
        name, data = "", ""
        async with asyncio.timeout(WITHIN_S):
            async for line in self._lines:
                self.said.append(line)
                field, _, value = line.partition(": ")
                match field:
                    case "id":
                        self.last_id = value
                    case "event":
                        name = value
                    case "data":
                        data = value
                    case "" if name:
                        return name, json.loads(data)
        return "closed", None

    async def happened(self, count: int) -> list[dict[str, Any]]:
        """The next so many things that happened."""
        found: list[dict[str, Any]] = []
        while len(found) < count:
            name, data = await self.next()
            assert name in {"happened", "beat"}, (name, data, found)
            if name == "happened":
                found.append(data)
        return found

    async def ends(self) -> str:
        """Why nothing more is told."""
        while True:
            name, data = await self.next()
            if name == "end":
                return str(data["why"])
            assert name != "closed"

    async def is_quiet(self) -> None:
        """Until the next beat nothing happens."""
        assert (await self.next())[0] == "beat"


class Served:
    """The application behind a real server: only there a stream streams."""

    def __init__(self, lab: Lab, http: httpx.AsyncClient, server: uvicorn.Server) -> None:
        self.lab, self.http, self.server = lab, http, server

    @asynccontextmanager
    async def listener(self, name: str, *, after: str | None = None, **query: str) -> AsyncIterator[Listener]:
        headers = {"Authorization": f"Bearer {await self.lab.as_(name).signed_in()}"}
        if after is not None:
            headers["Last-Event-ID"] = after
        else:
            await self._settled()
        async with self.http.stream("GET", f"{API}/events", headers=headers, params=query) as answer:
            assert answer.status_code == 200, await answer.aread()
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert answer.headers["cache-control"] == "no-store"
            heard = Listener(answer.aiter_lines())
            await heard.is_quiet()
            yield heard

    async def _settled(self) -> None:
        """Wait until all that happened lies below the horizon; other tests' transactions on this server hold it back."""
        connection = await asyncpg.connect(driver_url(self.lab._pool._connect_args[0]))
        try:
            async with asyncio.timeout(4 * WITHIN_S):
                while not await connection.fetchval(ALL_SETTLED):
                    await asyncio.sleep(0.05)
        finally:
            await connection.close()


@asynccontextmanager
async def serving(database: Any, **settings: Any) -> AsyncIterator[Served]:
    async with open_lab(database, **settings) as lab:
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(lab.app, lifespan="off", log_level="error", ws="none"))
        task = asyncio.create_task(server.serve([listening]))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=address, timeout=WITHIN_S) as http:
            yield Served(lab, http, server)
        lab.app.state.house.feed.close()
        server.should_exit = True
        await task
        listening.close()


@pytest.fixture(scope="module")
async def served(make_database):
    async with serving(make_database()) as opened:
        yield opened


async def test_an_act_a_refused_act_and_a_refused_scan_are_told_as_they_happen(served):
    lab = served.lab
    lived = await life.preparation(lab, upto="planned")
    async with served.listener("quinn") as heard:
        ok(await lab.as_("tess").post("/holds", {"item": lived.lot, "reason": "Wang Fang's label fell off"}))
        refused(await lab.as_("tess").post(f"/lots/{lived.lot}/submit", {"version": 1}), 403)
        ok(await lab.as_("tess").post("/scans", {"raw": "patient wristband 4711"}))
        done, forbidden, scan = await heard.happened(3)
    assert (done["act"], done["outcome"], done["subject"]) == ("place_hold", "done", lived.lot)
    assert (done["who"], done["lot"], done["lot_name"]) == ("Tess Tan", lived.lot, lived.name)
    assert done["says"] == "place a hold"
    assert (forbidden["act"], forbidden["outcome"], forbidden["refused"]) == ("submit_lot", "refused", "not-permitted")
    assert (scan["act"], scan["outcome"], scan["refused"]) == ("scan", "refused", "unknown_code")
    # What people wrote or scanned from elsewhere may name somebody: it is never told.
    assert "Wang" not in "".join(heard.said)
    assert "4711" not in "".join(heard.said)


async def test_one_lot_can_be_followed_alone(served):
    lab = served.lab
    mine = await life.preparation(lab, upto="planned")
    other = await life.preparation(lab, upto="planned", use=mine.shared)
    async with served.listener("quinn", lot=mine.lot) as heard:
        ok(await lab.as_("tess").post("/holds", {"item": other.lot, "reason": "other"}))
        number = ok(await lab.as_("tess").post("/holds", {"item": mine.lot, "reason": "mine"}))["hold"]
        (event,) = await heard.happened(1)
        assert event["lot"] == mine.lot
        assert number
        await heard.is_quiet()


async def test_who_comes_back_misses_nothing_and_hears_nothing_twice(served):
    lab = served.lab
    lived = await life.preparation(lab, upto="planned")
    async with served.listener("quinn") as heard:
        ok(await lab.as_("tess").post("/holds", {"item": lived.lot, "reason": "first"}))
        first = (await heard.happened(1))[0]
        assert heard.last_id == first["id"]
    for number in range(5):
        ok(await lab.as_("tess").post("/holds", {"item": lived.lot, "reason": f"meanwhile {number}"}))
    headers = {"Authorization": f"Bearer {await lab.as_('quinn').signed_in()}", "Last-Event-ID": first["id"]}
    async with served.http.stream("GET", f"{API}/events", headers=headers) as answer:
        heard = Listener(answer.aiter_lines())
        ids = [each["id"] for each in await heard.happened(5)]
    assert len({first["id"], *ids}) == 6
    assert [Position.read(each) for each in ids] == sorted(Position.read(each) for each in ids)
    async with served.http.stream("GET", f"{API}/events", headers=headers | {"Last-Event-ID": ids[2]}) as answer:
        again = [each["id"] for each in await Listener(answer.aiter_lines()).happened(2)]
    assert again == ids[3:]


async def test_a_smaller_number_that_commits_later_is_not_lost(served):
    """The trap: entry 1 opened, entry 2 opened and committed, a listener told of 2, then 1 commits."""
    lab = served.lab
    lived = await life.preparation(lab, upto="planned")
    slow = await asyncpg.connect(driver_url(lab._pool._connect_args[0]))
    quick = await asyncpg.connect(driver_url(lab._pool._connect_args[0]))
    try:
        async with served.listener("quinn") as heard:
            transaction = slow.transaction()
            await transaction.start()
            before = await slow.fetchval(OPENED, lab.id_of("tess"), lived.lot)
            later = [await quick.fetchval(OPENED, lab.id_of("tess"), lived.lot) for _ in range(3)]
            assert before < later[0]
            await asyncio.sleep(1.2)
            await transaction.commit()
            later.append(await quick.fetchval(OPENED, lab.id_of("tess"), lived.lot))
            events = await heard.happened(5)
        numbers = [Position.read(each["id"]).number for each in events]
        assert numbers == [before, *later]
    finally:
        await slow.close()
        await quick.close()


async def test_many_at_once_with_transactions_that_overlap_all_arrive_once_for_all_who_listen(served):
    lab = served.lab
    lived = await life.preparation(lab, upto="planned")
    address = driver_url(lab._pool._connect_args[0])

    async def work(person: int) -> list[int]:
        connection = await asyncpg.connect(address)
        made = []
        for turn in range(25):
            async with connection.transaction():
                made.append(await connection.fetchval(OPENED, lab.id_of("tess"), lived.lot))
                await asyncio.sleep(0.001 * ((person * 7 + turn * 3) % 11))
        await connection.close()
        return made

    for name in ("quinn", "rolf"):
        await lab.as_(name).signed_in()
    async with served.listener("quinn") as one, served.listener("rolf") as other:
        made, heard, seen = await asyncio.gather(
            asyncio.gather(*(work(person) for person in range(6))), one.happened(150), other.happened(150)
        )
    wanted = sorted(number for numbers in made for number in numbers)
    assert sorted(Position.read(each["id"]).number for each in heard) == wanted
    assert [each["id"] for each in seen] == [each["id"] for each in heard]


async def test_who_is_told_what(served):
    lab = served.lab
    donor = await life.preparation(lab, upto="eligible")
    headers = {"Authorization": f"Bearer {await lab.as_('quinn').signed_in()}"}
    for client in (served.http, lab.http):
        refused(await client.get(f"{API}/events"), 401, "not-signed-in")
    refused(await lab.as_("adam").get("/events"), 403, "not-permitted")
    for bad in ("x", "1-2", "1-2-3-4", "١-٢-٣", "1-" + "9" * 19 + "-1", "9-1-1"):
        answer = await served.http.get(f"{API}/events", params={"after": bad}, headers=headers)
        if bad == "9-1-1":  # well formed, but of an epoch that never was: found when it is read
            assert "cannot be read" in answer.text
        else:
            refused(answer, 422, "bad-input")
    refused(await lab.as_("quinn").get("/events", lot=new_code(CodeKind.LOT)), 404, "not-found")
    tess = Actor(1, "tess", "Tess", frozenset({Role.TECHNICIAN}), 1, "")
    wall = Actor(1, "wall", "Wall", frozenset({Role.DEVICE}), 1, "")
    assert Act.SIGN_IN not in acts_shown_to(tess)
    assert Act.REVEAL_IDENTITY not in acts_shown_to(tess)
    assert Act.RECORD_CONSENT in acts_shown_to(tess)
    assert Act.RECORD_CONSENT not in acts_shown_to(wall)
    assert Act.RELEASE_LOT in acts_shown_to(wall)
    async with served.listener("tess") as heard, served.listener("quinn") as quality:
        await lab.sign_in("vera")
        consent = {"form_version": "ICF-3", "scopes": ["donation"], "signed_at": life.ago(days=1)}
        ok(await lab.as_("tess").post(f"/donors/{donor.donor}/consents", consent))
        assert [each["act"] for each in await heard.happened(1)] == ["record_consent"]
        assert [each["act"] for each in await quality.happened(2)] == ["sign_in", "record_consent"]


async def test_a_session_that_ends_or_locks_hears_no_more(served):
    lab = served.lab
    token = await lab.sign_in("rolf")
    headers = {"Authorization": f"Bearer {token}"}
    async with served.http.stream("GET", f"{API}/events", headers=headers) as answer:
        heard = Listener(answer.aiter_lines())
        await heard.is_quiet()
        ok(await served.http.delete(f"{API}/session", headers=headers | {"Idempotency-Key": "1"}))
        assert await heard.ends() == "signed_out"
    token = await lab.sign_in("rolf")
    async with served.http.stream("GET", f"{API}/events", headers={"Authorization": f"Bearer {token}"}) as answer:
        heard = Listener(answer.aiter_lines())
        await heard.is_quiet()
        await lab.sql(
            "UPDATE people.sessions SET seen_at = clock_timestamp() - interval '16 minutes' WHERE account_id = $1",
            lab.id_of("rolf"),
        )
        lab.as_("rolf").token = None
        assert await heard.ends() == "locked"
    refused(await served.http.get(f"{API}/events", headers={"Authorization": f"Bearer {token}"}), 401)


async def test_listening_keeps_no_session_awake(served):
    lab = served.lab
    token = await lab.sign_in("hedda")
    seen = "SELECT max(seen_at) FROM people.sessions WHERE account_id = $1"
    await lab.sql(
        "UPDATE people.sessions SET seen_at = clock_timestamp() - interval '5 minutes' WHERE account_id = $1",
        lab.id_of("hedda"),
    )
    before = await lab.value(seen, lab.id_of("hedda"))
    async with served.http.stream("GET", f"{API}/events", headers={"Authorization": f"Bearer {token}"}) as answer:
        heard = Listener(answer.aiter_lines())
        await heard.is_quiet()
        await heard.is_quiet()
    assert await lab.value(seen, lab.id_of("hedda")) == before


async def test_so_many_may_listen_and_a_place_is_given_back(make_database):
    async with serving(make_database(), listeners_max=2, listeners_per_session_max=1) as served:
        headers = {"Authorization": f"Bearer {await served.lab.as_('quinn').signed_in()}"}
        feed = served.lab.app.state.house.feed
        async with served.listener("tess"):
            refused(await served.lab.as_("tess").get("/events"), 409, "busy")
            async with served.listener("quinn"):
                assert feed.listeners == 2
                problem = refused(await served.lab.as_("rolf").get("/events"), 409, "busy")
                assert "2" in problem["why"]
        for _ in range(50):
            if feed.listeners == 0:
                break
            await asyncio.sleep(0.1)
        assert feed.listeners == 0
        async with served.http.stream("GET", f"{API}/events", headers=headers) as answer:
            heard = Listener(answer.aiter_lines())
            await heard.is_quiet()
            feed.close()  # as the process's end does
            assert await heard.ends() == "closing"
        refused(await served.lab.as_("rolf").get("/events"), 409, "busy")


async def test_who_falls_behind_costs_no_memory_and_misses_nothing(served):
    """A feed keeps so many events and no more; a reader who stands further back reads them from the database."""
    lab = served.lab
    lived = await life.preparation(lab, upto="planned")
    feed = Feed(lab.app.state.house.door, listeners_max=2, per_session_max=2)
    start = await feed.now()
    feed.admit(1)
    await feed.turned(within_s=5)
    connection = await asyncpg.connect(driver_url(lab._pool._connect_args[0]))
    made = [await connection.fetchval(OPENED, lab.id_of("tess"), lived.lot) for _ in range(KEPT + 60)]
    await connection.close()
    for _ in range(4):
        await feed.turned(within_s=5)
    assert len(feed._tail) == KEPT
    told, at = [], start
    while True:
        page = await feed.after(at)
        assert len(page.events) <= KEPT
        told += [each.position.number for each in page.events]
        at = page.end
        if page.is_last and told and told[-1] == made[-1]:
            break
    feed.leave(1)
    assert [each for each in told if each in set(made)] == made
    assert len(told) == len(set(told))


async def test_a_reader_who_takes_nothing_is_let_go(served, monkeypatch):
    """It holds a place and a little memory for so long, and no longer."""
    monkeypatch.setattr(events, "TAKES_AT_MOST_S", 1.0)
    lab, feed = served.lab, served.lab.app.state.house.feed
    lived = await life.preparation(lab, upto="planned")
    start = await feed.now()
    connection = await asyncpg.connect(driver_url(lab._pool._connect_args[0]))
    for number in range(3000):
        await connection.fetchval(OPENED, lab.id_of("tess"), f"{lived.lot} {number:0>900}")
    await connection.close()
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(raw, (served.http.base_url.host, served.http.base_url.port))
    token = await lab.as_("quinn").signed_in()
    lines = (
        f"GET {API}/events HTTP/1.1",
        "Host: lab.test",
        f"Authorization: Bearer {token}",
        f"Last-Event-ID: {start}",
        "",
        "",
    )
    await loop.sock_sendall(raw, "\r\n".join(lines).encode())
    was_taken = False
    for _ in range(150):
        was_taken = was_taken or feed.listeners == 1
        if was_taken and feed.listeners == 0:
            break
        await asyncio.sleep(0.1)
    assert was_taken
    assert feed.listeners == 0
    raw.close()


async def test_the_end_of_the_process_ends_every_stream_at_once(fresh_database):
    """A server waits for its answers before it ends; a stream would hold it up for as long as somebody listens."""
    keys = fresh_database.cast
    environment = {
        **os.environ,
        "STEMMA_DATABASE_URL": fresh_database.url("stemma_app"),
        "STEMMA_AUTH_DATABASE_URL": fresh_database.url("stemma_auth"),
        "STEMMA_IDENTITY_KEY": keys["identity_key"],
        "STEMMA_TOTP_KEY": keys["totp_key"],
        "STEMMA_COOKIE_SECURE": "false",
        "STEMMA_PURPOSE": "test",
    }
    port = free_port()
    async with open_lab(fresh_database) as lab:
        token = await lab.sign_in("quinn")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *web_arguments(host="127.0.0.1", port=port), env=environment, cwd=ROOT
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=WITHIN_S) as http:
            for _ in range(150):
                with suppress(httpx.ConnectError):
                    await http.get("/health")
                    break
                await asyncio.sleep(0.1)
            async with http.stream("GET", f"{API}/events", headers={"Authorization": f"Bearer {token}"}) as answer:
                heard = Listener(answer.aiter_lines())
                await heard.is_quiet()
                told_at = time.monotonic()
                process.send_signal(signal.SIGTERM)
                assert await heard.ends() == "closing"
        await asyncio.wait_for(process.wait(), 10)
        assert time.monotonic() - told_at < 3.0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
