"""One database under attack: lots, ceremonies and records lying around, and a way to try an attack and see what it broke."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import asyncpg

from tests.attacks.invariants import Watch
from tests.attacks.raw_sql import RIGHTS
from tests.attacks.staged import BY_QUINN, Stage, staged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tests.conftest import Database

READS = ("read", "guess", "copy")
KEPT_REFUSAL = "INSERT INTO lab.refusals (kind, act, subject, what, why, remedy, detail) VALUES ('{kind}', 'a', 's', 'w', 'w', 'r', '{{}}')"
OWN_WRITE = {
    "stemma_auth": "UPDATE people.accounts SET language = '{kind}' WHERE username = 'tom'",
}
UNDURABLE = "SELECT 'kept without durability' FROM lab.refusals WHERE kind = 'undurable' UNION ALL SELECT 'likewise' FROM people.accounts WHERE language = 'undurable'"
OVER_A_FACT = """
SELECT 'lot ' || l.id || ' was released over a result that nobody accepted' FROM lab.lots l JOIN lab.releases r ON r.lot_id = l.id
WHERE EXISTS (SELECT FROM lab.results x WHERE x.lot_id = l.id AND x.recorded_at < r.recorded_at
              AND NOT EXISTS (SELECT FROM lab.result_reviews v WHERE v.result_id = x.id AND v.decision = 'accepted'))
UNION ALL
SELECT 'lot ' || lot_id || ' was submitted while held' FROM lab.lot_history h WHERE act = 'submit' AND EXISTS (
    SELECT FROM lab.holds o WHERE o.item_id = h.lot_id AND o.recorded_at < h.recorded_at AND o.lifted_at IS NULL)
UNION ALL
SELECT 'the withdrawal of a consent was taken back' WHERE (SELECT count(*) FROM lab.consents WHERE withdrawn_at IS NOT NULL) <> 2
UNION ALL
SELECT 'a workstation''s session was rewritten' WHERE EXISTS (
    SELECT FROM lab.workstation_sessions WHERE upper_inf(during) OR lower(during) < clock_timestamp() - interval '60 days')
UNION ALL
SELECT 'a revoked grant lives again' FROM people.grants WHERE role = 'verifier' AND revoked_at IS NULL AND account_id =
    (SELECT id FROM people.accounts WHERE username = 'tom')
UNION ALL
SELECT 'a label that was printed is no longer counted' FROM lab.print_jobs WHERE state <> 'printed'
"""


@dataclass
class Attack:
    """What one attack answered and what it broke."""

    name: str
    states: list[str]
    broken: list[str]


@dataclass
class Arena:
    """A staged database, and what an attacker may know of it."""

    stage: Stage
    role: str
    watch: Watch
    names: dict[str, Any] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)

    async def connect(self) -> asyncpg.Connection:
        """As the attacked role, by its own password."""
        return await asyncpg.connect(self.stage.database.url(self.role), statement_cache_size=0)

    def say(self, statement: str) -> str:
        """A statement with its names filled in; once more for names inside names."""
        return statement.format_map(self.names)

    async def attempt(self, name: str, script: Sequence[str]) -> Attack:
        """Try every statement, commit what is left open, and look at what is broken."""
        connection = await self.connect()
        states: list[str] = []
        seen: list[str] = []
        try:
            for statement in script:
                try:
                    if name.startswith(READS):
                        rows = await connection.fetch(self.say(statement), timeout=10)
                        seen += [str(value) for row in rows for value in row.values()]
                    else:
                        await connection.execute(self.say(statement), timeout=10)
                    states.append("ok")
                except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                    states.append(getattr(error, "sqlstate", None) or type(error).__name__)
            if connection.is_in_transaction():
                await connection.execute("COMMIT")
        finally:
            await connection.close(timeout=5)
        rebuilt = await self.watch.rebuilt() if name in RIGHTS else []
        return Attack(name, states, rebuilt + await self.broken(seen))

    async def broken(self, seen: Sequence[str] = ()) -> list[str]:
        """Everything that no longer holds, and every secret that was read."""
        found = await self.watch.broken()
        found += [row[0] for row in await self.stage.hand.fetch(UNDURABLE)]
        found += [row[0] for row in await self.stage.hand.fetch(OVER_A_FACT)]
        found += [f"read the secret {secret[:12]}" for secret in self.secrets if any(secret in each for each in seen)]
        return found


@asynccontextmanager
async def arena(database: Database, role: str) -> AsyncIterator[Arena]:
    """Stage everything that an attacker could use, but not the signature that is missing."""
    async with staged(database) as stage:
        made = Arena(stage, role, Watch(stage.hand, role))
        await _people(made)
        await _lots(made)
        await made.watch.begin()
        yield made


async def _people(made: Arena) -> None:
    stage = made.stage
    made.names |= {who: stage.id_of(who) for who in stage.database.cast["people"]}
    await stage.value(
        "INSERT INTO people.sessions (token_sha256, account_id, device, ends_at, csrf)"
        " SELECT sha256('canary'), id, 'bench', now() + interval '1 day', 'csrf-canary' FROM people.accounts LIMIT 1"
    )
    await stage.value(
        "INSERT INTO people.grants (account_id, role, revoked_at) VALUES ($1, 'verifier', now())", stage.id_of("tom")
    )
    if made.role != "stemma_auth":  # whose trade these are
        rows = await stage.hand.fetch("SELECT password_hash, encode(totp_secret, 'hex') FROM people.credentials")
        made.secrets = [secret for row in rows for secret in row.values()] + ["csrf-canary"]
    async with stage.hand.transaction():
        await stage.hand.execute(
            "SELECT audit.open($1, 'tess', '', 'kept', '', '', '', NULL, 'kept-key', 'body')", stage.id_of("tess")
        )
    made.names |= {
        "role": made.role,
        "database": stage.database.name,
        "harmless": OWN_WRITE.get(made.role, KEPT_REFUSAL).format(kind="harmless"),
        "harmless_checked": OWN_WRITE.get(made.role, KEPT_REFUSAL).format(kind="undurable"),
    }


async def _lots(made: Arena) -> None:
    stage, names, hand = made.stage, made.names, made.stage.hand
    lots = await stage.lots(9, whole=False)
    wanted = ["lot", "other", "spoilt", "held", "waiting", "released", "hidden", "orphan", "unconsented"]
    names |= dict(zip(wanted, lots, strict=True))
    # The one autologous lot; what the house assessed had run out long before it was made.
    [names["unassessed"]] = await stage.lots(1, whole=True)
    await stage.value("UPDATE lab.assessments SET valid_to = valid_from + interval '1 day'")
    await stage.value(
        "UPDATE lab.consents SET withdrawn_at = now() WHERE donor_id = (SELECT donor_id FROM lab.lots WHERE id = $1)",
        names["unconsented"],
    )
    names["medium"] = await hand.fetchval("SELECT medium FROM stage")
    names["quarantined"] = await stage.value(
        "WITH lot AS (INSERT INTO lab.lots (id, name, kind, state, version, recorded_by)"
        " VALUES (pg_temp.item('lot'), 'MAT quarantined', 'material', 'quarantine', 1, 1) RETURNING id),"
        " page AS (INSERT INTO lab.lot_history (lot_id, seq, kind, from_state, act, to_state, recorded_by)"
        " SELECT id, 1, 'material', 'none', 'receive', 'quarantine', 1 FROM lot) SELECT id FROM lot"
    )
    names["spare"] = await stage.value("SELECT pg_temp.item('lot')")
    names["person"] = await stage.value("SELECT pg_temp.item('person')")
    names["donation"] = await hand.fetchval("SELECT donation_id FROM lab.lots WHERE id = $1", names["lot"])
    names["code"] = await hand.fetchval("SELECT code FROM lab.item_codes WHERE item_id = $1", names["other"])
    await stage.value("SELECT lab.move_lot($1, 'send_back', false)", names["held"])
    await stage.value("INSERT INTO lab.holds (item_id, reason, recorded_by) VALUES ($1, 'held', 1)", names["held"])
    names["withdrawn"] = await stage.value(
        "UPDATE lab.consents SET withdrawn_at = now() WHERE donor_id = (SELECT donor_id FROM lab.lots WHERE id = $1)"
        " RETURNING donor_id",
        names["held"],
    )
    names["sample"] = await hand.fetchval("SELECT id FROM lab.samples WHERE lot_id = $1", names["waiting"])
    for waits in ("waiting", "spoilt"):
        await stage.value(
            "INSERT INTO lab.results (lot_id, sample_id, line_id, value_text, method_version, analyst, measured_at, recorded_by)"
            " SELECT lot_id, sample_id, line_id, value_text, 'x', analyst, now(), analyst FROM lab.results"
            " WHERE lot_id = $1 AND value_text IS NOT NULL LIMIT 1",
            names[waits],
        )
    await _print_jobs(made)
    await _ceremonies(made)
    names["old_entry"] = await hand.fetchval("SELECT max(number) FROM audit.entries")
    made.watch.allowed = {names["medium"], names["released"]}


async def _print_jobs(made: Arena) -> None:
    """A label that came out of its printer, and one that never went through any."""
    stage, names, hand = made.stage, made.names, made.stage.hand
    names["handed_out"] = await hand.fetchval(
        "SELECT b.id FROM lab.labels b JOIN lab.containers c ON c.id = b.item_id WHERE c.lot_id = $1", names["held"]
    )
    names["printer"] = await hand.fetchval("SELECT id FROM lab.equipment LIMIT 1")
    await stage.value(
        "INSERT INTO lab.printers (id, address, dots_per_mm, media, recorded_by) VALUES ($1, 'lp:9100', 8, '25x13', 1)",
        names["printer"],
    )
    async with hand.transaction():
        await hand.execute(BY_QUINN)
        label = await hand.fetchval(
            "INSERT INTO lab.labels (item_id, design, content_sha256, read_back, recorded_by)"
            " SELECT item_id, design, content_sha256, read_back, recorded_by FROM lab.labels WHERE id = $1 RETURNING id",
            names["handed_out"],
        )
        names["printed"] = await hand.fetchval(
            "INSERT INTO lab.print_jobs (label_id, printer_id, recorded_by) VALUES ($1, $2, 1) RETURNING id",
            label,
            names["printer"],
        )
    for state in ("sending", "printed"):
        await stage.value("UPDATE lab.print_jobs SET state = $2 WHERE id = $1", names["printed"], state)


async def _ceremonies(made: Arena) -> None:
    stage, names = made.stage, made.names
    judged = (
        "INSERT INTO lab.judgements (subject_kind, subject_id, gate, rulebook, dossier, digest, verdicts, blocks, recorded_by)"
        " SELECT 'lot', $1, 'G6', 'staged', d, audit.sha256_hex(d), '[]', false, $2 FROM dossier.lot($1) AS d RETURNING id"
    )
    names["used"] = await stage.ceremony("lin", "released", "lot", names["released"])
    judgement = await stage.value(judged, names["released"], stage.id_of("lin"))
    await legitimate_release(stage, lot=names["released"], ceremony=names["used"], judgement=judgement)
    for name, who, meaning, kind, lot, statement in (
        ("others", "lin", "released", "lot", "other", ""),
        ("hiddens", "lin", "released", "lot", "hidden", ""),
        ("orphans", "lin", "released", "lot", "orphan", ""),
        ("unconsenteds", "lin", "released", "lot", "unconsented", ""),
        ("unassesseds", "lin", "released", "lot", "unassessed", ""),
        ("rejecting", "quinn", "rejected", "lot", "lot", ""),
        ("reviewing", "quinn", "batch_reviewed", "batch", "spoilt", "accepted"),
        ("reviewing_results", "rolf", "results_reviewed", "results", "waiting", "accepted"),
        ("quinns", "quinn", "released", "lot", "lot", ""),
        ("expired", "lin", "released", "lot", "lot", ""),
        ("burned", "lin", "released", "lot", "lot", ""),
        ("stale", "lin", "released", "lot", "lot", ""),
    ):
        names[name] = await stage.ceremony(who, meaning, kind, names[lot], statement)
    await stage.value(
        "UPDATE people.ceremonies SET issued_at = now() - interval '5 minutes', expires_at = now() - interval '1 minute' WHERE id = $1",
        names["expired"],
    )
    await stage.value("UPDATE people.ceremonies SET burned_at = now() WHERE id = $1", names["burned"])
    await stage.value("UPDATE people.ceremonies SET record_version = 3 WHERE id = $1", names["stale"])
    names["judgement_of_other"] = await stage.value(judged, names["other"], stage.id_of("lin"))


async def legitimate_release(stage: Stage, *, lot: int, ceremony: Any, judgement: int) -> None:
    """The application's own way, with the application's own password. Raises what the gate refuses."""
    connection = await stage.as_role("stemma_app")
    try:
        async with connection.transaction():
            await connection.execute(
                "SELECT audit.open($1, 'lin', 'quality_authority', 'release_lot', '', '', 'bench', NULL, NULL, NULL)",
                stage.id_of("lin"),
            )
            await connection.fetchrow("SELECT * FROM gate.release($1, $2, $3)", lot, ceremony, judgement)
    finally:
        await connection.close()
