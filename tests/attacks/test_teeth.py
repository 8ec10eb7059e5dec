"""The attacks have teeth: with one defence taken away, the attack that it stops succeeds, and the suite would fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.attacks.arena import Arena, arena
from tests.attacks.raw_sql import EVERYBODY
from tests.attacks.test_raw_sql import OWN, old_snapshot

if TYPE_CHECKING:
    from tests.conftest import Database

DIGEST = "IF audit.sha256_hex(p_bytes) IS DISTINCT FROM v_ceremony.digest OR p_version IS DISTINCT FROM v_ceremony.record_version THEN"


class Cut(NamedTuple):
    """Words taken out of a function, and what stands there instead."""

    function: str
    words: str
    instead: str


class Tooth(NamedTuple):
    """A defence, how it is taken away, and the attack that then succeeds."""

    defence: str
    role: str
    attack: str
    without: tuple[str | Cut, ...]


TEETH = (
    Tooth(
        "the application cannot insert ceremonies",
        "stemma_app",
        "mint a ceremony and release",
        ("GRANT INSERT ON people.ceremonies TO stemma_app",),
    ),
    Tooth(
        "the application cannot open ceremonies",
        "stemma_app",
        "have a ceremony opened and release",
        (
            "GRANT EXECUTE ON FUNCTION people.open_ceremony(bigint, bigint, text, text, bigint, text, text, text[]) TO stemma_app",
        ),
    ),
    Tooth(
        "a ceremony is for one version and one digest",
        "stemma_app",
        "release with a ceremony of an older version",
        (Cut("gate.consume", DIGEST, "IF false THEN"),),
    ),
    Tooth(
        "a ceremony is for one record",
        "stemma_app",
        "release with another lot's ceremony",
        (Cut("gate.consume", DIGEST, "IF false THEN"), Cut("gate.consume", "AND record_id = p_record_id", "")),
    ),
    Tooth(
        "a ceremony expires",
        "stemma_app",
        "release with an expired ceremony",
        (
            Cut("gate.consume", "AND expires_at > clock_timestamp()", ""),
            "ALTER TABLE people.ceremonies DISABLE TRIGGER z_keep_row",
        ),
    ),
    Tooth(
        "a burned ceremony is spent",
        "stemma_app",
        "release with a burned ceremony",
        (
            Cut("gate.consume", "AND burned_at IS NULL", ""),
            "ALTER TABLE people.ceremonies DROP CONSTRAINT ck_ceremonies_used_or_burned",
        ),
    ),
    Tooth(
        "the person at the desk is the person who signs",
        "stemma_app",
        "release another's lot while claiming to be somebody else",
        (Cut("gate.consume", "IF lab.entry_actor() IS DISTINCT FROM v_ceremony.account_id THEN", "IF false THEN"),),
    ),
    Tooth(
        "an open hold blocks",
        "stemma_app",
        "submit a held lot",
        (Cut("lab.make_move", "IF v_held IS NOT NULL THEN", "IF false THEN"),),
    ),
    Tooth(
        "a withdrawn consent carries nothing",
        "stemma_app",
        "release a lot whose donor withdrew the consent",
        (
            Cut("gate.objections", "AND c.withdrawn_at IS NULL", ""),
            Cut("gate.second_hands", "AND c.withdrawn_at IS NULL", ""),
            # Who withdraws a consent holds what was made: that stops it too.
            Cut("lab.make_move", "IF v_held IS NOT NULL THEN", "IF false THEN"),
            Cut("gate.objections", "IF EXISTS (SELECT FROM lab.open_holds(p_lot)) THEN", "IF false THEN"),
            # The batch record was reviewed with the consent in it: that stops it a second time.
            Cut(
                "gate.objections",
                "AND b.package_digest = coalesce(p_package_digest, audit.sha256_hex(dossier.package(p_lot)::text))",
                "",
            ),
        ),
    ),
    Tooth(
        "cross-contamination was assessed before processing",
        "stemma_app",
        "release a lot for which nothing was assessed in time",
        (Cut("gate.objections", "AND a.valid_from <= v_began AND a.valid_to > v_began", ""),),
    ),
    Tooth(
        "a label that was printed stays printed",
        "stemma_app",
        "hide a label that was printed",
        ("DROP TRIGGER d_prints_once ON lab.print_jobs",),
    ),
    Tooth(
        "a label is queued when it is made",
        "stemma_app",
        "hide a label that went through no printer",
        ("DROP TRIGGER d_prints_once ON lab.print_jobs",),
    ),
    Tooth(
        "an assessment is approved by signature",
        "stemma_app",
        "approve an assessment by hand",
        ("GRANT INSERT ON lab.assessments TO stemma_app",),
    ),
    Tooth(
        "papers are accepted by signature",
        "stemma_app",
        "accept papers from before the guideline by hand",
        ("GRANT INSERT ON lab.legacy_dossiers TO stemma_app",),
    ),
    Tooth(
        "no paper stands for a banned material",
        "stemma_app",
        "let papers stand for a banned material",
        ("ALTER TABLE lab.legacy_dossiers DROP CONSTRAINT ck_legacy_dossiers_never",),
    ),
    Tooth(
        "a setting changes by signature",
        "stemma_app",
        "loosen a setting with somebody's signature",
        ("GRANT INSERT ON lab.settings TO stemma_app",),
    ),
    Tooth(
        "the rule pack is chosen by signature",
        "stemma_app",
        "choose a rule pack by hand",
        ("GRANT INSERT ON lab.pack_choices TO stemma_app",),
    ),
    Tooth(
        "the database says when somebody was qualified",
        "stemma_app",
        "backdate a qualification",
        ("GRANT INSERT ON people.qualifications TO stemma_app",),
    ),
    Tooth(
        "a review names the package that was signed",
        "stemma_app",
        "review a package of the future with today's signature",
        (
            Cut(
                "lab.stands_on_signature",
                "AND (v_row ->> 'package_digest' IS NULL OR v_row ->> 'package_digest' = s.digest)",
                "",
            ),
        ),
    ),
    Tooth(
        "a signature over results covers those that were shown",
        "stemma_app",
        "slip a result into a review that is signed already",
        (Cut("lab.review_stands_on_signature", "AND s.digest = audit.sha256_hex((", "AND '' <> audit.sha256_hex(("),),
    ),
    Tooth(
        "a row hangs on an entry of its own transaction",
        "stemma_app",
        "write under another transaction's entry",
        (Cut("audit.keep_row", "AND xid = pg_current_xact_id() AND at >= transaction_timestamp()", ""),),
    ),
    Tooth(
        "one transaction, one entry",
        "stemma_app",
        "open two entries and mix their rows",
        (Cut("audit.open", "RAISE EXCEPTION 'this transaction has its entry already' USING ERRCODE = 'ST006';", ""),),
    ),
    Tooth(
        "what is written is audited",
        "stemma_app",
        "write with no entry at all",
        ("DROP TRIGGER z_keep_row ON lab.refusals",),
    ),
    Tooth(
        "what is kept is never changed",
        "stemma_app",
        "change a result",
        ("DROP TRIGGER a_append_only ON lab.results", "GRANT UPDATE ON lab.results TO stemma_app"),
    ),
    Tooth(
        "nobody writes in the audit", "stemma_app", "write an audit row", ("GRANT INSERT ON audit.rows TO stemma_app",)
    ),
    Tooth(
        "the audit is append-only",
        "stemma_app",
        "remove audit rows",
        ("DROP TRIGGER a_append_only ON audit.rows", "GRANT DELETE ON audit.rows TO stemma_app"),
    ),
    Tooth("the database says when", "stemma_app", "backdate a result", ("GRANT INSERT ON lab.results TO stemma_app",)),
    Tooth(
        "durability is asserted",
        "stemma_app",
        "write with durability off",
        ("DROP TRIGGER z_must_be_durable ON audit.entries",),
    ),
    Tooth(
        "a withdrawal stays",
        "stemma_app",
        "take back a withdrawal",
        ("DROP TRIGGER d_withdrawn_at_once ON lab.consents",),
    ),
    Tooth(
        "administrators do nothing else",
        "stemma_auth",
        "make an administrator of the QA manager",
        ("DROP TRIGGER c_administrators ON people.grants",),
    ),
    Tooth(
        "a revoked grant stays revoked",
        "stemma_auth",
        "revive a revoked grant",
        ("DROP TRIGGER d_revoked_at_once ON people.grants",),
    ),
    Tooth(
        "reports see no secrets",
        "stemma_report",
        "read password hashes",
        ("GRANT SELECT ON people.credentials TO stemma_report",),
    ),
    Tooth(
        "the sealer changes nothing",
        "stemma_seal",
        "change an entry",
        ("DROP TRIGGER a_append_only ON audit.entries", "GRANT UPDATE ON audit.entries TO stemma_seal"),
    ),
    Tooth(
        "nobody makes functions in the house",
        "stemma_seal",
        "write a function",
        ("GRANT CREATE ON SCHEMA lab TO stemma_seal",),
    ),
)


async def take_away(under_attack: Arena, without: tuple[str | Cut, ...]) -> None:
    """Remove a defence as a careless migration would."""
    hand = under_attack.stage.hand
    for each in without:
        if isinstance(each, str):
            await hand.execute(each)
            continue
        source = await hand.fetchval(
            "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE oid::regproc::text = $1", each.function
        )
        assert each.words in source, (each.function, each.words)
        await hand.execute(source.replace(each.words, each.instead))


@pytest.mark.parametrize("tooth", TEETH, ids=lambda tooth: tooth.defence.replace(" ", "-"))
async def test_without_it_the_attack_succeeds(tooth: Tooth, fresh_database: Database) -> None:
    async with arena(fresh_database, tooth.role) as under_attack:
        await take_away(under_attack, tooth.without)
        await under_attack.watch.begin()
        tried = await under_attack.attempt(tooth.attack, (EVERYBODY | OWN.get(tooth.role, {}))[tooth.attack])
        assert tried.broken, tried.states


async def test_without_the_isolation_check_an_old_snapshot_releases(fresh_database: Database) -> None:
    async with arena(fresh_database, "stemma_app") as under_attack:
        words = "IF current_setting('transaction_isolation') <> 'read committed' THEN"
        await take_away(under_attack, (Cut("audit.open", words, "IF false THEN"),))
        await under_attack.watch.begin()
        assert any("nobody accepted" in each for each in await old_snapshot(under_attack))
