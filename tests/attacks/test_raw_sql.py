"""Every login role, with its real password, against a peopled database: nothing is released, changed, forged or gained."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from app.db.verify import verify_database
from tests.attacks.arena import Arena, arena, legitimate_release
from tests.attacks.raw_sql import EVERYBODY, FORGE, OPEN, change

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Database

ROLES = ("stemma_app", "stemma_auth", "stemma_seal", "stemma_report")
OPEN_AS = "SELECT audit.open({{{who}}}, '{who}', '', 'sign', '', '', 'raw', NULL, NULL, NULL)"
# What only the one role could try with any hope.
OWN: dict[str, dict[str, tuple[str, ...]]] = {
    "stemma_app": {
        "review a package of the future with today's signature": (
            "BEGIN",
            OPEN_AS.format(who="quinn"),
            (
                "INSERT INTO lab.batch_reviews (lot_id, decision, package_digest, remarks, signature_id, recorded_by)"
                " VALUES ({spoilt}, 'accepted', repeat('b', 64), '', gate.sign('{reviewing}', 'batch_reviewed', {spoilt}), {quinn})"
            ),
            "COMMIT",
        ),
        "slip a result into a review that is signed already": (
            "BEGIN",
            OPEN_AS.format(who="rolf"),
            "SELECT set_config('x.signature', gate.sign('{reviewing_results}', 'results_reviewed', {waiting})::text, true)",
            "SAVEPOINT a",
            (
                "INSERT INTO lab.results (lot_id, sample_id, line_id, value_text, method_version, analyst, measured_at, recorded_by)"
                " SELECT {waiting}, {sample}, line_id, value_text, 'x', analyst, now(), analyst FROM lab.results"
                " WHERE lot_id = {waiting} AND value_text IS NOT NULL LIMIT 1"
            ),
            "RELEASE a",
            (
                "INSERT INTO lab.result_reviews (result_id, decision, remarks, signature_id, recorded_by)"
                " SELECT max(id), 'accepted', '', current_setting('x.signature')::bigint, {rolf} FROM lab.results WHERE lot_id = {waiting}"
            ),
            "COMMIT",
        ),
        "sign as another meaning": (
            "BEGIN",
            OPEN_AS.format(who="quinn"),
            "SELECT gate.sign('{rejecting}', 'rejected', {lot})",
            "SELECT gate.sign('{rejecting}', 'batch_reviewed', {lot})",
            "COMMIT",
        ),
        "choose among two readings of one ceremony": (
            "BEGIN",
            OPEN_AS.format(who="quinn"),
            "SELECT gate.reject_lot({other}, '{rejecting}')",
            "COMMIT",
        ),
    },
    "stemma_auth": {
        "open a ceremony for a record as it never was": change(
            "SELECT people.open_ceremony({lin}, NULL, 'released', 'lot', {lot}, '', repeat('a', 64), '{{password,totp}}')"
        ),
        "open a ceremony with one factor twice": change(
            "SELECT people.open_ceremony({quinn}, NULL, 'rejected', 'lot', {lot}, '', repeat('a', 64), '{{password,password}}')"
        ),
        "open a releasing ceremony for a technician": change(
            "SELECT people.open_ceremony({tess}, NULL, 'released', 'lot', {lot}, '', repeat('a', 64), '{{password,totp}}')"
        ),
        "open a ceremony for an administrator": change(
            "SELECT people.open_ceremony({adam}, NULL, 'rejected', 'lot', {lot}, '', repeat('a', 64), '{{password,totp}}')"
        ),
        "make an administrator of the QA manager": change(
            "INSERT INTO people.grants (account_id, role) VALUES ({quinn}, 'administrator')"
        ),
        "make an administrator of the authority": change(
            "INSERT INTO people.grants (account_id, role) VALUES ({lin}, 'administrator')"
        ),
        "make the administrator QA manager": change(
            "INSERT INTO people.grants (account_id, role) VALUES ({adam}, 'qa_manager')"
        ),
        "revive a revoked grant": change("UPDATE people.grants SET revoked_at = NULL WHERE role = 'verifier'"),
        "turn a grant into another": change(
            "UPDATE people.grants SET role = 'administrator' WHERE role = 'qa_manager'"
        ),
        "take somebody's name": change("UPDATE people.accounts SET username = 'lin2' WHERE username = 'lin'"),
        "write a grant as of long ago": change(
            "INSERT INTO people.grants (account_id, role, recorded_at) VALUES ({tess}, 'qa_manager', '2020-01-01')"
        ),
        "delete an account": change("DELETE FROM people.accounts WHERE username = 'tom'"),
        "rewrite who failed to sign in": change(
            "UPDATE people.login_attempts SET outcome = 'ok'", "DELETE FROM people.login_attempts"
        ),
    },
    "stemma_seal": {
        "change a sealed leaf": (
            "INSERT INTO audit.leaves SELECT n, kind, number, sha256('x') FROM audit.leaves ON CONFLICT (n) DO UPDATE SET hash = EXCLUDED.hash",
        ),
        "read scans' words": ("SELECT raw FROM lab.scans",),
    },
    "stemma_report": {
        "write where one reads": ("BEGIN", OPEN, "SELECT 1 FROM lab.lots FOR UPDATE", "COMMIT"),
        "read images of what is not audited": (
            "SELECT audit.current_rows('people.sessions')",
            "SELECT audit.current_rows('pg_authid')",
        ),
        "inject into the reader of images": ("SELECT audit.current_rows('lab.lots\" t; DELETE FROM lab.lots; --')",),
    },
}


@pytest.mark.parametrize("role", ROLES)
async def test_no_attack_succeeds(role: str, fresh_database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    async with arena(fresh_database, role) as under_attack:
        attacks = EVERYBODY | OWN[role]
        assert len(attacks) >= 60
        states: Counter[str] = Counter()
        for name, script in attacks.items():
            tried = await under_attack.attempt(name, script)
            assert tried.broken == [], (role, name, tried.states)
            states[next((state for state in tried.states if state != "ok"), "ok")] += 1
        await _released_by_an_old_snapshot(under_attack)
        await _released_without_its_lineage(under_attack)
        await _still_works(under_attack)
        await _proved(under_attack)
        assert await under_attack.watch.rebuilt() == []
        with capsys.disabled():
            print(f"\n{role}: 0 of {len(attacks) + 2} attacks succeeded; first answers {dict(states.most_common())}")


async def _released_by_an_old_snapshot(under_attack: Arena) -> None:
    """A snapshot older than a failing result, and a ceremony that was good then."""
    assert await old_snapshot(under_attack) == []


async def old_snapshot(under_attack: Arena) -> list[str]:
    """What is broken after it was tried."""
    connection = await under_attack.connect()
    stage, names = under_attack.stage, under_attack.names
    try:
        await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        await connection.fetch("SELECT 1 FROM pg_class LIMIT 1")
        await stage.value(
            "INSERT INTO lab.results (lot_id, sample_id, line_id, value_text, method_version, analyst, measured_at, recorded_by)"
            " SELECT lot_id, sample_id, line_id, 'growth', 'x', analyst, now(), analyst FROM lab.results"
            " WHERE lot_id = $1 AND value_text IS NOT NULL LIMIT 1",
            names["hidden"],
        )
        await _try(
            connection,
            under_attack,
            OPEN,
            FORGE.replace("{lot}", "{hidden}"),
            "SELECT gate.release({hidden}, '{hiddens}', (SELECT max(id) FROM lab.judgements WHERE subject_id = {hidden}))",
            "COMMIT",
        )
    finally:
        await connection.close(timeout=5)
    return await under_attack.broken()


async def _released_without_its_lineage(under_attack: Arena) -> None:
    """The edge from a donor with a positive marker to the donation is missing: no donor, no release."""
    stage, names = under_attack.stage, under_attack.names
    hand = stage.hand
    donor = await hand.fetchval("SELECT donor_id FROM lab.lots WHERE id = $1", names["orphan"])
    await hand.execute("ALTER TABLE lab.lineage DISABLE TRIGGER USER")
    await hand.execute("DELETE FROM lab.lineage WHERE parent_id = $1", donor)
    for trigger in ("a_append_only", "a_no_truncate", "b_lock_root", "z_keep_row"):
        await hand.execute(f"ALTER TABLE lab.lineage ENABLE ALWAYS TRIGGER {trigger}")
    await stage.value(
        "INSERT INTO lab.marker_results (donor_id, analyte, marker, method, kit_lot, laboratory, sampled_at, reported_at, outcome, recorded_by)"
        " VALUES ($1, 'HIV', 'HIV NAT', 'PCR', 'K', 'L', now(), now(), 'positive', 1)",
        donor,
    )
    found = [row[0] for row in await hand.fetch("SELECT gate.objections($1, $2)", names["orphan"], names["lin"])]
    assert any("DON-01" in each for each in found), found


async def _try(connection: object, under_attack: Arena, *script: str) -> None:
    import asyncpg

    for statement in script:
        try:
            await connection.fetch(under_attack.say(statement))  # type: ignore[attr-defined]
        except asyncpg.PostgresError:
            continue


async def _still_works(under_attack: Arena) -> None:
    """The positive control: after all that, the authority's own ceremony releases her lot."""
    names = under_attack.names
    await legitimate_release(
        under_attack.stage, lot=names["other"], ceremony=names["others"], judgement=names["judgement_of_other"]
    )
    state = await under_attack.stage.hand.fetchval("SELECT state FROM lab.lots WHERE id = $1", names["other"])
    assert state == "released"


async def _proved(under_attack: Arena) -> None:
    """The verifier finds nothing, but the edge that the test itself cut with every trigger asleep."""
    report = await under_attack.stage.as_role("stemma_report")
    try:
        found = (await verify_database(report)).findings
    finally:
        await report.close()
    assert [each for each in found if not each["where"].startswith("lab.lineage")] == [], found
    assert any("lineage" in each["where"] for each in found), "the verifier did not notice the cut edge"


async def test_a_forged_checkpoint_is_found(make_database: Callable[[], Database]) -> None:
    """The sealer's password without its key: what it may append, the verifier does not believe."""
    async with arena(make_database(), "stemma_seal") as under_attack:
        tried = await under_attack.attempt(
            "seal without the key",
            (
                "INSERT INTO audit.leaves (n, kind, number, hash) SELECT 0, 'entry', min(number), sha256('x') FROM audit.entries",
                "INSERT INTO audit.checkpoints (size, epoch, root, horizon, note) VALUES (1, 1, sha256('x'), '9', E'x\\n1\\nAAAA\\n\\n— x AAAA\\n')",
            ),
        )
        assert tried.states == ["ok", "ok"]
        report = await under_attack.stage.as_role("stemma_report")
        found = (await verify_database(report)).findings
        await report.close()
        assert {each["where"] for each in found} >= {"checkpoint 1"}, found
