"""Legacy dossiers: papers from before the guideline, filed by QA, accepted by the quality authority, printed on verdicts."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from tests import life
from tests.world import ok, open_lab, refused

if TYPE_CHECKING:
    from tests.conftest import Database
    from tests.world import Lab

PAPER = {
    "title": "Donor file",
    "dated": "2025-05-30",
    "file_name": "donor-0007.pdf",
    "file_sha256": "ab" * 32,
    "pages": 14,
}
KEPT = "SELECT count(*) FROM lab.legacy_dossiers WHERE item_id = $1"
ARRANGED = "SELECT audit.open($1, 'quinn', 'qa_manager', 'raw', '', '', 'raw', NULL, NULL, NULL)"


async def old_donor(lab: Lab, *, collected_at: str = "2025-06-01T08:00:00Z") -> tuple[str, str]:
    """A patient whose marrow was collected long ago, who was never asked what this house asks. Donor and donation."""
    identity = {"name": "Wang Fang", "hospital_number": f"MRN-{uuid.uuid4().hex}", "birth_date": "1971-08-15"}
    body = {"relation": "autologous", "identity": identity, "recipient": "self"}
    donor = ok(await lab.as_("tess").post("/donors", body))["code"]
    match = {"recipient": "self", "identifiers": ["hospital_number", "birth_date"], "second_by": "vera"}
    ok(await lab.as_("tess").post(f"/donors/{donor}/identity-matches", match))
    consent = {"form_version": "ICF-1", "scopes": ["donation", "processing"], "signed_at": "2025-05-30T08:00:00Z"}
    ok(await lab.as_("tess").post(f"/donors/{donor}/consents", consent))
    ok(await lab.as_("ana").post(f"/donors/{donor}/markers", life.report()))
    given = {"donor": donor, "tissue": "bone marrow", "collected_at": collected_at, "received_at": life.ago(hours=4)}
    return donor, ok(await lab.as_("tess").post("/donations", given))["code"]


async def propose(lab: Lab, item: str, who: str = "quinn", **more: Any) -> Any:
    body = {
        "item": item,
        "papers": [PAPER],
        "rules": ["DON-08"],
        "reasons": "asked and examined by the form of that year; the original was seen",
        "valid_to": (datetime.now(UTC) + timedelta(days=365)).isoformat(),
    }
    return await lab.as_(who).post("/legacy-dossiers", body | more)


async def accepted(lab: Lab, item: str, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = ok(await propose(lab, item, **more))
    signed = await life.ceremony(lab, "lin", "legacy_accepted", "legacy", made["dossier"])
    ok(await lab.as_("lin").post(f"/legacy-dossiers/{made['dossier']}/accept", {"ceremony": signed}))
    return made


async def verdict(lab: Lab, donation: str, rule: str) -> dict[str, Any]:
    shown = ok(await lab.as_("phil").get(f"/donations/{donation}"))
    found: dict[str, Any] = next(each for each in shown["gate"]["verdicts"] if each["rule"] == rule)
    return found


async def test_accepted_papers_show_what_lacks_its_record_and_the_verdict_says_so(lab: Lab) -> None:
    donor, donation = await old_donor(lab)
    assert (await verdict(lab, donation, "DON-08"))["outcome"] == "indeterminate"
    made = ok(await propose(lab, donor))
    assert (await verdict(lab, donation, "DON-08"))["outcome"] == "indeterminate", "unsigned, they count for nothing"

    signed = await lab.sign("lin", "legacy_accepted", "legacy", str(made["dossier"]))
    ok(await lab.as_("lin").post(f"/legacy-dossiers/{made['dossier']}/accept", {"ceremony": signed}))

    found = await verdict(lab, donation, "DON-08")
    assert (found["outcome"], found["legacy"]) == ("pass_with_legacy", [made["number"]])
    assert "Legacy evidence" in str(found["evidence"])
    shown = ok(await lab.as_("tess").get(f"/legacy-dossiers/{made['number']}"))
    assert (shown["state"], shown["proposed_by"], shown["accepted_by"]) == ("in_force", "quinn", "Dr Lin Qing")
    assert shown["papers"] == [PAPER]
    assert [each["number"] for each in ok(await lab.as_("tess").get("/legacy-dossiers", item=donor))] == [
        made["number"]
    ]


async def test_the_snapshot_of_a_determination_keeps_the_legacy_evidence(lab: Lab) -> None:
    donor, donation = await old_donor(lab)
    made = await accepted(lab, donor)
    key = await life.id_of(lab, donation)
    signed = await life.ceremony(lab, "phil", "eligibility_determined", "donation", key, "eligible")
    decision = {"decision": "eligible", "reason": "by the papers of that time", "ceremony": signed}
    ok(await lab.as_("phil").post(f"/donations/{donation}/determination", decision))
    kept = await lab.value(
        "SELECT v FROM lab.judgements, jsonb_array_elements(verdicts -> 'verdicts') AS v"
        " WHERE subject_kind = 'donation' AND subject_id = $1 AND v ->> 'rule' = 'DON-08' ORDER BY id DESC LIMIT 1",
        key,
    )
    assert '"outcome": "pass_with_legacy"' in kept
    assert made["number"] in kept


@pytest.mark.parametrize("rule", ["MAT-03", "MAT-05", "TPR-01", "TPR-06", "QA-03", "HOLD", "GMP-05"])
async def test_a_rule_that_takes_no_papers_takes_no_proposal(lab: Lab, rule: str) -> None:
    donor, _ = await old_donor(lab)
    assert refused(await propose(lab, donor, rules=["DON-08", rule]), 409, "blocked")["rule"] == rule
    assert await lab.value(KEPT, await life.id_of(lab, donor)) == 0


async def test_papers_are_of_that_time_and_of_what_was_done_then(lab: Lab) -> None:
    donor, _ = await old_donor(lab)
    for papers in (
        [PAPER | {"dated": "2026-05-01"}],
        [PAPER | {"dated": "2031-01-01"}],
        [PAPER | {"file_sha256": "AB"}],
        [PAPER | {"pages": 0}],
        [],
    ):
        refused(await propose(lab, donor, papers=papers), 422, "bad-input")
    refused(await propose(lab, donor, rules=["XX-01"]), 422, "bad-input")
    refused(await propose(lab, donor, rules=[]), 422, "bad-input")
    refused(await propose(lab, donor, valid_to=life.ago(days=1)), 422, "bad-input")
    refused(await propose(lab, donor, "tess"), 403, "not-permitted")
    refused(await propose(lab, donor, "lin"), 403, "not-permitted")
    assert await lab.value(KEPT, await life.id_of(lab, donor)) == 0

    recent, _ = await old_donor(lab, collected_at=life.ago(hours=6))
    refused(await propose(lab, recent), 409, "blocked")
    lived = await life.preparation(lab, upto="isolated")
    refused(await propose(lab, lived.lot, rules=["GMP-05"]), 409, "blocked")
    refused(await propose(lab, lived.shared.material_lots[0], rules=["MAT-06"]), 422, "bad-input")


async def test_nobody_accepts_papers_of_their_own_proposing(lab: Lab) -> None:
    donor, donation = await old_donor(lab)
    rows = await lab.arrange(
        "INSERT INTO lab.legacy_dossiers (number, about, item_id, papers, rules, reasons, valid_from, valid_to, proposed_by)"
        " SELECT 'LD-OWN-' || $1::bigint, 'donor', $1, papers, rules, reasons, valid_from, valid_to, $3 FROM lab.legacy_dossiers WHERE id = $2 RETURNING id",
        await life.id_of(lab, donor),
        ok(await propose(lab, donor))["dossier"],
        lab.id_of("lin"),
    )
    signed = await life.ceremony(lab, "lin", "legacy_accepted", "legacy", rows[0][0])
    there = f"/legacy-dossiers/{rows[0][0]}/accept"
    refused(await lab.as_("lin").post(there, {"ceremony": signed}), 403, "ceremony-refused")
    assert (await verdict(lab, donation, "DON-08"))["outcome"] == "indeterminate"


async def test_only_the_authority_accepts_and_once(lab: Lab) -> None:
    donor, donation = await old_donor(lab)
    made = ok(await propose(lab, donor))
    signed = await life.ceremony(lab, "lin", "legacy_accepted", "legacy", made["dossier"])
    there = f"/legacy-dossiers/{made['dossier']}/accept"
    refused(await lab.as_("quinn").post(there, {"ceremony": signed}), 403, "not-permitted")
    refused(await lab.as_("lin").post("/legacy-dossiers/999999999/accept", {"ceremony": signed}), 404, "not-found")
    assert (await verdict(lab, donation, "DON-08"))["outcome"] == "indeterminate"
    again = await life.ceremony(lab, "lin", "legacy_accepted", "legacy", made["dossier"])
    ok(await lab.as_("lin").post(there, {"ceremony": again}))
    assert (await lab.as_("lin").post(there, {"ceremony": again})).status_code in {403, 409}


async def test_a_positive_result_is_healed_by_no_paper(lab: Lab) -> None:
    donor, donation = await old_donor(lab)
    await accepted(lab, donor, rules=["DON-01", "DON-05", "DON-08", "DON-14"])
    ok(await lab.as_("ana").post(f"/donors/{donor}/markers", life.report(HIV="positive")))
    assert (await verdict(lab, donation, "DON-05"))["outcome"] == "fail"
    assert (await verdict(lab, donation, "DON-08"))["outcome"] == "pass_with_legacy"


async def tried(hand: asyncpg.Connection, account: int, statement: str) -> None:
    """The statement under an entry of its own, as the application works."""
    async with hand.transaction():
        await hand.execute(ARRANGED, account)
        await hand.execute(statement)


async def test_the_database_holds_it_without_the_application(lab: Lab, database: Database) -> None:
    donor, _ = await old_donor(lab)
    key, quinn = await life.id_of(lab, donor), lab.id_of("quinn")
    made = ok(await propose(lab, donor))["dossier"]
    signature = await lab.value("SELECT max(id) FROM lab.signatures")
    insert = (
        "INSERT INTO lab.legacy_dossiers (number, about, item_id, papers, rules, reasons, valid_from, valid_to, proposed_by)"
        " VALUES ('LD-X', 'donor', {key}, '{papers}', '{rules}', 'r', now(), now() + interval '1 day', {quinn})"
    )
    attacks = {
        insert.format(key=key, quinn=quinn, papers="[{}]", rules="{DON-08,MAT-03}"): "23514",
        insert.format(key=key, quinn=quinn, papers="[{}]", rules="{TPR-02}"): "23514",
        insert.format(key=key, quinn=quinn, papers="[]", rules="{DON-08}"): "23514",
        insert.format(key=key, quinn=quinn, papers="[{}]", rules="{}"): "23514",
        f"UPDATE lab.legacy_dossiers SET signature_id = {signature} WHERE id = {made}": "42501",
        f"UPDATE lab.legacy_dossiers SET rules = '{{DON-01}}' WHERE id = {made}": "42501",
        f"DELETE FROM lab.legacy_dossiers WHERE id = {made}": "42501",
        f"SELECT gate.accept_legacy({made}, gen_random_uuid())": "ST032",
    }
    hand = await asyncpg.connect(database.url("stemma_app"))
    try:
        for statement, state in attacks.items():
            with pytest.raises(asyncpg.PostgresError) as refusal:
                await tried(hand, quinn, statement)
            assert refusal.value.sqlstate == state, statement
    finally:
        await hand.close()
    assert await lab.value("SELECT signature_id FROM lab.legacy_dossiers WHERE id = $1", made) is None


async def test_the_gate_takes_no_papers_while_nobody_says_when_the_guideline_began(fresh_database: Database) -> None:
    async with open_lab(fresh_database) as lab:
        donor, donation = await old_donor(lab)
        await accepted(lab, donor, rules=["DON-05"])
        planned = {
            "process": await life.process(lab),
            "specification": await life.specification(lab),
            "donation": donation,
            "recipient": "self",
        }
        lot = await life.id_of(lab, ok(await lab.as_("tess").post("/lots", planned))["code"])
        shows = "SELECT gate.legacy_shows('DON-05', $1, $2)"
        assert await lab.value(shows, lot, await life.id_of(lab, donor)) is True
        await lab.sql("ALTER TABLE lab.settings DISABLE TRIGGER USER")
        await lab.sql("DELETE FROM lab.settings WHERE name = 'legacy.before'")
        assert await lab.value(shows, lot, await life.id_of(lab, donor)) is False


# -- withdrawn ---------------------------------------------------------------------------------------------------------


async def withdraw(lab: Lab, dossier: int, who: str = "quinn", reasons: str = "the scan is another donor's") -> Any:
    return await lab.as_(who).post(f"/legacy-dossiers/{dossier}/withdrawal", {"reasons": reasons})


async def test_withdrawn_papers_show_nothing_and_what_was_determined_by_them_is_held(lab: Lab) -> None:
    donor, donation = await old_donor(lab)
    made = await accepted(lab, donor)
    key = await life.id_of(lab, donation)
    signed = await life.ceremony(lab, "phil", "eligibility_determined", "donation", key, "eligible")
    decision = {"decision": "eligible", "reason": "by the papers of that time", "ceremony": signed}
    ok(await lab.as_("phil").post(f"/donations/{donation}/determination", decision))
    refused(await withdraw(lab, made["dossier"], "tess"), 403, "not-permitted")
    refused(await withdraw(lab, made["dossier"], reasons=""), 422, "bad-input")
    assert (await verdict(lab, donation, "DON-08"))["outcome"] == "pass_with_legacy"

    answer = ok(await withdraw(lab, made["dossier"]))
    assert (await verdict(lab, donation, "DON-08"))["outcome"] == "indeterminate"
    shown = ok(await lab.as_("tess").get(f"/legacy-dossiers/{made['number']}"))
    assert (shown["state"], shown["withdrawn_by"] is not None) == ("withdrawn", True)
    assert shown["accepted_by"] == "Dr Lin Qing", "what was signed stays"
    (number,) = answer["impacts"]
    found = ok(await lab.as_("quinn").get(f"/impacts/{number}"))
    (touched,) = found["touched"]
    assert (touched["code"], touched["held"]) == (donation, True)
    assert "DON-08" in {each["rule"] for each in touched["verdict"]["closing"]}
    refused(await withdraw(lab, made["dossier"]), 409, "conflict")


async def test_papers_that_others_stand_beside_hold_nothing_when_they_are_withdrawn(lab: Lab) -> None:
    donor, donation = await old_donor(lab)
    await accepted(lab, donor)
    second = await accepted(lab, donor)
    assert ok(await withdraw(lab, second["dossier"]))["impacts"] == []
    assert (await verdict(lab, donation, "DON-08"))["outcome"] == "pass_with_legacy"


async def test_a_proposal_that_is_withdrawn_is_accepted_by_nobody(lab: Lab) -> None:
    donor, _ = await old_donor(lab)
    made = ok(await propose(lab, donor))
    assert ok(await withdraw(lab, made["dossier"], "lin"))["impacts"] == []
    signed = await life.ceremony(lab, "lin", "legacy_accepted", "legacy", made["dossier"])
    refused(await lab.as_("lin").post(f"/legacy-dossiers/{made['dossier']}/accept", {"ceremony": signed}), 409)


async def test_the_gate_itself_takes_no_withdrawn_papers_and_the_database_holds_what_rested_on_them(
    lab: Lab, database: Database
) -> None:
    donor, donation = await old_donor(lab)
    made = await accepted(lab, donor, rules=["DON-05"])
    planned = {
        "process": await life.process(lab),
        "specification": await life.specification(lab),
        "donation": donation,
        "recipient": "self",
    }
    lot = await life.id_of(lab, ok(await lab.as_("tess").post("/lots", planned))["code"])
    key, quinn = await life.id_of(lab, donor), lab.id_of("quinn")
    shows = "SELECT gate.legacy_shows('DON-05', $1, $2)"
    held = "SELECT count(*) FROM lab.holds WHERE item_id = $1 AND lifted_at IS NULL"
    assert await lab.value(shows, lot, key) is True
    forged = "INSERT INTO lab.legacy_withdrawals (dossier_id, item_id, reasons, recorded_by) VALUES ({of}, {item}, '{why}', {by})"
    right = {"of": made["dossier"], "item": key, "why": "raw", "by": quinn}
    hand = await asyncpg.connect(database.url("stemma_app"))
    try:
        for statement, state in {
            forged.format(**{**right, "why": " "}): "23514",
            forged.format(**{**right, "item": lot}): "23503",
            "DELETE FROM lab.legacy_withdrawals": "42501",
            "UPDATE lab.legacy_withdrawals SET reasons = 'no'": "42501",
        }.items():
            with pytest.raises(asyncpg.PostgresError) as refusal:
                await tried(hand, quinn, statement)
            assert refusal.value.sqlstate == state, statement
        assert await lab.value(shows, lot, key) is True
        await tried(hand, quinn, forged.format(**right))
    finally:
        await hand.close()
    assert await lab.value(shows, lot, key) is False
    assert await lab.value(held, lot) == 1


async def test_papers_about_a_lot_hold_the_lot_itself_when_they_are_withdrawn(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="planned")
    other = await life.preparation(lab, upto="planned")
    made = await accepted(lab, lived.lot, rules=["GMP-05"])
    (number,) = ok(await withdraw(lab, made["dossier"]))["impacts"]
    (touched,) = ok(await lab.as_("quinn").get(f"/impacts/{number}"))["touched"]
    assert (touched["code"], touched["held"], touched["verdict"] is not None) == (lived.lot, True, True)
    held = "SELECT count(*) FROM lab.holds WHERE item_id = $1 AND lifted_at IS NULL"
    assert await lab.value(held, await other.lot_id()) == 0
