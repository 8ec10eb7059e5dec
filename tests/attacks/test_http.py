"""Attacks over HTTP: every act by everybody, bodies that are none, cookies from elsewhere, and releases by the wrong hands."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from app.domain.acts import MAY, Act, Role
from labels.codes import CodeKind, new_code
from tests.attacks.bodies import Bodies
from tests.attacks.staged import staged
from tests.world import API, Lab, ok, refused

if TYPE_CHECKING:
    from tests.conftest import Database

PEOPLE = {
    "tess": Role.TECHNICIAN,
    "vera": Role.VERIFIER,
    "ana": Role.QC_ANALYST,
    "rolf": Role.QC_REVIEWER,
    "quinn": Role.QA_MANAGER,
    "lin": Role.QUALITY_AUTHORITY,
    "phil": Role.PHYSICIAN,
    "hedda": Role.HEAD_OF_PRODUCTION,
    "adam": Role.ADMINISTRATOR,
}
# Whoever is signed in may do these for themselves, and nobody is refused by role.
OWN_AFFAIRS = {
    ("GET", "/health"),
    ("GET", "/metrics"),
    ("GET", f"{API}/session"),
    ("POST", f"{API}/session"),
    ("DELETE", f"{API}/session"),
    ("POST", f"{API}/session/unlock"),
    ("POST", f"{API}/accounts/me/password"),
    ("POST", f"{API}/accounts/me/pin"),
    ("POST", f"{API}/accounts/me/totp/offer"),
    ("POST", f"{API}/accounts/me/totp"),
    ("GET", f"{API}/rules"),
    ("GET", f"{API}/rules/book.pdf"),
    ("GET", f"{API}/rules/{{rule_id}}"),
    ("GET", f"{API}/settings"),
    ("GET", f"{API}/settings/{{name}}"),
    ("GET", f"{API}/packs"),
    ("GET", f"{API}/authority-replies"),
    ("GET", f"{API}/authority-replies/{{reply}}"),
    ("GET", f"{API}/appointments"),
    ("POST", f"{API}/scans"),  # every scan is kept and answered, also one that is refused: see below
}


@pytest.fixture(scope="module")
def bodies(lab: Lab) -> Bodies:
    return Bodies(lab.app.openapi(), new_code(CodeKind.LOT))


async def everybody(lab: Lab, bodies: Bodies, method: str, path: str, operation: Any) -> dict[str, Any]:
    """What each of the cast is answered to one request of the right form."""
    body = bodies.valid(operation)
    query = {"code": bodies.code} if path.endswith("/record") else {}
    query |= {
        each["name"]: "1"
        if each["schema"].get("type") == "integer"
        else {"kind": "lot", "direction": "backward"}.get(each["name"], bodies.code)
        for each in operation.get("parameters", [])
        if each["in"] == "query" and each.get("required")
    }
    answers = {}
    for who in PEOPLE:
        answers[who] = await lab.as_(who).request(method, bodies.path(path), json=body, params=query)
    return answers


async def test_everybody_may_exactly_what_the_table_says(lab: Lab, bodies: Bodies) -> None:
    wrong: list[str] = []
    met: set[Act] = set()
    for method, path, operation in bodies.operations():
        if (method, path) in OWN_AFFAIRS:
            continue
        kept = await lab.value("SELECT count(*) FROM lab.refusals WHERE kind = 'not-permitted'")
        answers = await everybody(lab, bodies, method, path, operation)
        forbidden = {
            who: answer.json()
            for who, answer in answers.items()
            if answer.status_code == 403 and answer.json()["kind"] == "not-permitted"
        }
        acts = {problem["act"] for problem in forbidden.values()}
        if len(acts) != 1:
            wrong.append(f"{method} {path}: { ({who: (a.status_code, a.text[:90]) for who, a in answers.items()}) }")
            continue
        act = Act(acts.pop())
        met.add(act)
        should = {who for who, role in PEOPLE.items() if role not in MAY[act]}
        if set(forbidden) != should:
            wrong.append(f"{method} {path} ({act}): refused {sorted(forbidden)}, not {sorted(should)}")
        if any(answer.status_code >= 500 for answer in answers.values()):
            wrong.append(f"{method} {path}: {[answer.status_code for answer in answers.values()]}")
        more = await lab.value("SELECT count(*) FROM lab.refusals WHERE kind = 'not-permitted'") - kept
        if more != len(forbidden):
            wrong.append(f"{method} {path}: {more} of {len(forbidden)} refusals kept")
    assert not wrong, "\n".join(wrong)
    assert len(met) > 40


async def test_an_administrator_scans_nothing(lab: Lab) -> None:
    answer = ok(await lab.as_("adam").post("/scans", {"raw": "F3K7PX2M9AT"}))
    assert answer["verdict"] == "refused"
    assert await lab.value("SELECT verdict FROM lab.scans WHERE number = $1", answer["scan"]) == "refused"


async def test_nobody_gets_in_without_a_session(lab: Lab, bodies: Bodies) -> None:
    for method, path, operation in bodies.operations():
        if path in {"/health", "/metrics"} or (method, path) == ("POST", f"{API}/session"):
            continue
        for token in (None, "nonsense", "x" * 5000):
            headers = {} if token is None else {"Authorization": f"Bearer {token}"}
            headers["Idempotency-Key"] = str(uuid.uuid4())
            answer = await lab.http.request(method, bodies.path(path), json=bodies.valid(operation), headers=headers)
            assert answer.status_code in {401, 422, 403}, (method, path, answer.status_code, answer.text)
            assert not answer.is_success


NO_BODIES = (
    b"",
    b"{",
    b"\xff\xfe\x00",
    b"null",
    b"[" * 5000,
    b'{"a":' * 2000,
    b'{"a": NaN}',
    b"\x1f\x8b\x08\x00",
    b'{"a": 1, "a": 2}',
)
BUSY_BODY = {
    ("POST", f"{API}/session"),
    ("POST", f"{API}/session/unlock"),
    ("DELETE", f"{API}/session"),
    ("POST", f"{API}/accounts/me/password"),
    ("POST", f"{API}/accounts/me/totp"),
    ("POST", f"{API}/accounts/me/totp/offer"),
}


async def test_no_body_makes_it_stumble(lab: Lab, bodies: Bodies) -> None:
    """Whatever is sent, the answer is one of the 400s with what, why and remedy, or it worked."""
    told: Counter[int] = Counter()
    for method, path, operation in bodies.operations():
        valid = bodies.valid(operation)
        if valid is None or (method, path) in BUSY_BODY:
            continue
        who = await _somebody_who_may(lab, bodies, method, path, valid)
        for sent in (*NO_BODIES, *(_as_bytes(each) for each in bodies.spoiled(valid))):
            answer = await lab.as_(who).request(
                method, bodies.path(path), content=sent, headers={"Content-Type": "application/json"}
            )
            told[answer.status_code] += 1
            assert answer.status_code < 500, (method, path, sent[:200], answer.text)
            if answer.status_code >= 400:
                problem = answer.json()
                assert problem.get("what"), (path, sent[:200], answer.text[:300])
                assert problem.get("remedy"), (path, sent[:200])
    assert told[422] > 500, told


async def _somebody_who_may(lab: Lab, bodies: Bodies, method: str, path: str, body: Any) -> str:
    """Somebody who gets past the permission, so that what is sent gets as deep as it can."""
    for who in PEOPLE:
        answer = await lab.as_(who).request(method, bodies.path(path), json=body)
        if answer.status_code != 403 or answer.json()["kind"] != "not-permitted":
            return who
    raise AssertionError(f"nobody may {method} {path}")


def _as_bytes(body: Any) -> bytes:
    return json.dumps(body).encode()


async def test_unknown_fields_are_refused(lab: Lab, bodies: Bodies) -> None:
    for method, path, operation in bodies.operations():
        valid = bodies.valid(operation)
        if not isinstance(valid, dict) or (method, path) in BUSY_BODY:
            continue
        for extra in ({"state": "released"}, {"recorded_at": "2020-01-01T00:00:00Z"}, {"account_id": 1}):
            answer = await lab.as_("quinn").request(method, bodies.path(path), json={**valid, **extra})
            assert answer.status_code in {422, 403}, (method, path, answer.status_code)


PATHS = (
    "%00",
    "%2e%2e%2f",
    "a" * 3000,
    "L-%E2%80%AE",
    "'%20OR%201=1",
    "%F0%9F%A6%A0",
    "-1",
    "99999999999999999999999999",
    "NULL",
    "%0d%0aSet-Cookie:x",
)


async def test_no_path_makes_it_stumble(lab: Lab, bodies: Bodies) -> None:
    for method, path, operation in bodies.operations():
        if "{" not in path:
            continue
        for strange in PATHS:
            head, _, tail = path.partition("{")
            address = head + strange + tail.partition("}")[2].replace("{form}", "pdf").replace("{role}", "technician")
            answer = await lab.as_("quinn").request(method, address, json=bodies.valid(operation))
            assert answer.status_code < 500, (method, address, answer.text)
            assert "set-cookie" not in answer.headers


async def test_a_cookie_from_another_site_does_nothing(lab: Lab) -> None:
    token = await lab.sign_in("quinn")
    name = f"freezer {uuid.uuid4()}"
    body = {"name": name, "kind": "freezer", "room": "A-1"}
    cookie = {"Cookie": f"stemma_session={token}", "Idempotency-Key": str(uuid.uuid4())}
    for origin in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://lab.test.evil.example"},
        {"Referer": "https://evil.example/"},
        {"Referer": "http://lab.test.evil.example/"},
        {"Referer": "about:blank"},
    ):
        for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
            answer = await lab.http.post(
                f"{API}/equipment", content=json.dumps(body), headers={**cookie, **origin, "Content-Type": kind}
            )
            assert answer.status_code in {401, 403, 415, 422}, (origin, kind, answer.status_code)
    assert await lab.value("SELECT count(*) FROM lab.equipment WHERE name = $1", name) == 0
    ok(await lab.http.post(f"{API}/equipment", json=body, headers={**cookie, "Origin": "http://lab.test"}))


# -- the release -------------------------------------------------------------------------------------------------------


async def _ready(lab: Lab, database: Database, count: int) -> list[dict[str, Any]]:
    """Lots awaiting release with a live ceremony of the authority each, staged by hand."""
    async with staged(database) as stage:
        ready = []
        for lot in await stage.lots(count):
            ceremony = await stage.ceremony("lin", "released", "lot", lot)
            digest = await stage.hand.fetchval("SELECT digest FROM people.ceremonies WHERE id = $1", ceremony)
            code = await stage.hand.fetchval("SELECT code FROM lab.item_codes WHERE item_id = $1", lot)
            sample = await stage.hand.fetchval(
                "SELECT k.code FROM lab.samples s JOIN lab.item_codes k ON k.item_id = s.id WHERE s.lot_id = $1", lot
            )
            ready.append(
                {"id": lot, "code": code, "sample": sample, "body": {"digest": digest, "ceremony": str(ceremony)}}
            )
        return ready


async def _state(lab: Lab, lot: dict[str, Any]) -> str:
    return str(await lab.value("SELECT state FROM lab.lots WHERE id = $1", lot["id"]))


async def test_the_wrong_hands_release_nothing(lab: Lab, database: Database) -> None:
    lot, other = await _ready(lab, database, 2)
    for who in PEOPLE:
        if who != "lin":
            refused(await lab.as_(who).post(f"/lots/{lot['code']}/release", lot["body"]), 403, "not-permitted")
    assert await _state(lab, lot) == "awaiting_release"
    crossed = {"digest": lot["body"]["digest"], "ceremony": other["body"]["ceremony"]}
    assert (await lab.as_("lin").post(f"/lots/{lot['code']}/release", crossed)).status_code == 403
    for body in (
        {**lot["body"], "digest": "f" * 64},
        {**lot["body"], "force": True},
        {"digest": lot["body"]["digest"]},
        {**lot["body"], "ceremony": "x"},
    ):
        assert (await lab.as_("lin").post(f"/lots/{lot['code']}/release", body)).status_code in {409, 422}
    assert await _state(lab, lot) == await _state(lab, other) == "awaiting_release"
    # The stale digest burned the ceremony: it is spent, even for the very lot that it was for.
    refused(await lab.as_("lin").post(f"/lots/{lot['code']}/release", lot["body"]), 403, "ceremony-refused")


async def test_a_deactivated_authority_releases_nothing(lab: Lab, database: Database) -> None:
    [lot] = await _ready(lab, database, 1)
    token = await lab.sign_in("lin")
    await lab.arrange("UPDATE people.accounts SET state = 'deactivated' WHERE username = 'lin'")
    try:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid.uuid4())}
        answer = await lab.http.post(f"{API}/lots/{lot['code']}/release", json=lot["body"], headers=headers)
        assert answer.status_code == 401
    finally:
        await lab.arrange("UPDATE people.accounts SET state = 'active' WHERE username = 'lin'")
    assert await _state(lab, lot) == "awaiting_release"


async def test_a_replayed_release_is_one_release(lab: Lab, database: Database) -> None:
    [lot] = await _ready(lab, database, 1)
    key = str(uuid.uuid4())
    answers = await asyncio.gather(
        *(lab.as_("lin").post(f"/lots/{lot['code']}/release", lot["body"], key=key) for _ in range(6))
    )
    assert {answer.status_code for answer in answers} <= {200, 202, 409}
    assert any(answer.is_success for answer in answers), [answer.text for answer in answers]
    again = await lab.as_("lin").post(f"/lots/{lot['code']}/release", lot["body"], key=key)
    assert again.is_success
    other_key = await lab.as_("lin").post(f"/lots/{lot['code']}/release", lot["body"])
    assert other_key.status_code in {403, 409}
    stolen = await lab.as_("tess").post(f"/lots/{lot['code']}/release", lot["body"], key=key)
    assert stolen.status_code == 403
    assert await lab.value("SELECT count(*) FROM lab.releases WHERE lot_id = $1", lot["id"]) == 1


async def test_releases_race_failing_results_end_to_end(lab: Lab, database: Database) -> None:
    """The whole way, request by request: a result of the analyst against the authority's release."""
    lots = await _ready(lab, database, 40)
    line = await lab.value(
        "SELECT l.test FROM lab.specification_lines l JOIN lab.lots t ON t.specification_id = l.specification_id WHERE t.id = $1 AND l.test = 'sterility'",
        lots[0]["id"],
    )
    ended: Counter[tuple[str, str]] = Counter()
    for first in range(0, len(lots), 8):
        heat = lots[first : first + 8]
        await asyncio.gather(*(_race(lab, lot, line, ended) for lot in heat))
    assert not [each for each in ended if each[0] == "illegal"], ended
    assert sum(ended.values()) == len(lots)


async def _race(lab: Lab, lot: dict[str, Any], test: str, ended: Counter[tuple[str, str]]) -> None:
    growth = {"test": test, "value": "growth", "method_version": "SOP/2", "measured_at": "2026-11-20T10:00:00Z"}
    release, result = await asyncio.gather(
        lab.as_("lin").post(f"/lots/{lot['code']}/release", lot["body"]),
        lab.as_("ana").post(f"/samples/{lot['sample']}/results", growth),
    )
    assert release.status_code < 500, release.text
    assert result.status_code < 500, result.text
    # Rows of the audit are numbered under the lock that their writing takes: this order is the order of the two facts.
    rows = await lab.sql(
        "SELECT (SELECT min(a.seq) FROM audit.rows a JOIN lab.results r ON a.tbl = 'lab.results' AND a.key = r.id::text"
        " WHERE r.lot_id = $1 AND r.value_text = 'growth') AS failing,"
        " (SELECT min(a.seq) FROM audit.rows a JOIN lab.releases r ON a.tbl = 'lab.releases' AND a.key = r.id::text"
        " WHERE r.lot_id = $1) AS released",
        lot["id"],
    )
    failing, released = rows[0]["failing"], rows[0]["released"]
    if released is not None and failing is not None and failing < released:
        ended["illegal", "stated"] += 1
    else:
        ended[
            "released" if released else f"refused {release.status_code}",
            "stated" if failing else f"refused {result.status_code}",
        ] += 1
