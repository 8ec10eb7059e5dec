"""The rule pack of a house, chosen by signature, and authorities' replies: what works, what is refused, what it closes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from app.db.migrate import Deployment, migrate
from tests import life, world
from tests.world import ok, refused

if TYPE_CHECKING:
    from app.db.embedded import EmbeddedPostgres
    from tests.conftest import Database
    from tests.world import Lab

CHOICES = "SELECT count(*) FROM lab.pack_choices"
SHA = "0123456789abcdef" * 4


async def proposed(lab: Lab, pack: str = "EU") -> int:
    return int(ok(await lab.as_("quinn").post("/packs/proposals", {"pack": pack, "why": "we move"}))["proposal"])


async def choose(lab: Lab, proposal: int) -> Any:
    signed = await life.ceremony(lab, "lin", "pack_approved", "pack", proposal)
    return await lab.as_("lin").post(f"/packs/proposals/{proposal}/choose", {"ceremony": signed})


async def test_a_skeleton_that_was_chosen_closes_every_gate_until_another_is(fresh_database: Database) -> None:
    async with world.open_lab(fresh_database) as lab:
        found = ok(await lab.as_("adam").get("/packs"))
        assert (found["chosen"], [each["id"] for each in found["packs"]]) == ("CN-818", ["CN-818", "EU", "US"])
        proposal = await proposed(lab)
        assert ok(await lab.as_("tess").get("/packs"))["chosen"] == "CN-818"

        signed = await lab.sign("lin", "pack_approved", "pack", str(proposal))
        done = ok(await lab.as_("lin").post(f"/packs/proposals/{proposal}/choose", {"ceremony": signed}))
        assert done["pack"] == "EU"
        after = ok(await lab.as_("tess").get("/packs"))
        assert (after["chosen"], after["proposals"]) == ("EU", [])
        assert (after["choices"][0]["proposed_by"], after["choices"][0]["chosen_by"]) == ("quinn", "Dr Lin Qing")

        lot = (await life.material_lot(lab, "Alpha-MEM", [{"name": "L-glutamine", "cas": "56-85-9"}]))["code"]
        signed = await life.ceremony(lab, "quinn", "material_approved", "material_lot", await life.id_of(lab, lot))
        problem = refused(await lab.as_("quinn").post(f"/material-lots/{lot}/approve", {"ceremony": signed}), 409)
        assert "SCO-04" in {each["rule"] for each in problem["rules"]}

        ok(await choose(lab, await proposed(lab, "CN-818")))
        signed = await life.ceremony(lab, "quinn", "material_approved", "material_lot", await life.id_of(lab, lot))
        again = await lab.as_("quinn").post(f"/material-lots/{lot}/approve", {"ceremony": signed})
        assert "SCO-04" not in {each["rule"] for each in again.json().get("rules", [])}


async def test_the_qa_manager_proposes_the_authority_signs_and_no_administrator_has_part(lab: Lab) -> None:
    for who in ("adam", "lin", "tess", "hedda"):
        refused(await lab.as_(who).post("/packs/proposals", {"pack": "EU", "why": "x"}), 403, "not-permitted")
    before = await lab.value(CHOICES)
    proposal = await proposed(lab)
    signed = await life.ceremony(lab, "lin", "pack_approved", "pack", proposal)
    for who in ("adam", "quinn"):
        refused(
            await lab.as_(who).post(f"/packs/proposals/{proposal}/choose", {"ceremony": signed}), 403, "not-permitted"
        )
        refused(await lab.try_to_sign(who, "pack_approved", "pack", proposal, digest="0" * 64), 403)
    (mine,) = await lab.arrange(
        "INSERT INTO lab.pack_proposals (pack, why, proposed_by) VALUES ('US', 'x', $1) RETURNING id", lab.id_of("lin")
    )
    refused(await choose(lab, mine["id"]), 403, "ceremony-refused")
    refused(await lab.as_("lin").post("/packs/proposals/999999999/choose", {"ceremony": signed}), 404, "not-found")
    assert await lab.value(CHOICES) == before


async def test_a_pack_that_is_not_held_or_judges_already_is_refused(lab: Lab) -> None:
    for pack in ("XX-1", "CN-818"):
        problem = refused(await lab.as_("quinn").post("/packs/proposals", {"pack": pack, "why": "x"}), 422, "bad-input")
        assert problem["field"] == "pack"


async def test_a_pack_is_chosen_once(fresh_database: Database) -> None:
    async with world.open_lab(fresh_database) as lab:
        first, second = await proposed(lab), await proposed(lab, "US")
        shown = await life.ceremony(lab, "lin", "pack_approved", "pack", first)
        ok(await choose(lab, second))
        # The old beside the new was another when it was shown.
        refused(await lab.as_("lin").post(f"/packs/proposals/{first}/choose", {"ceremony": shown}), 409, "stale")
        refused(await choose(lab, second), 409, "conflict")
        assert ok(await lab.as_("tess").get("/packs"))["chosen"] == "US"


async def test_a_new_house_begins_with_no_pack_and_an_old_one_keeps_its_own(postgres: EmbeddedPostgres) -> None:
    """Whoever migrates is no quality authority: what they lay down chooses nothing, and takes nothing away."""
    house = Deployment(purpose="test", facility="Test", time_zone="Asia/Shanghai")
    postgres.create_database("making_of_packs")
    try:
        url = postgres.admin_url("making_of_packs")
        await migrate(url, deployment=house, said=lambda _: None)
        connection = await asyncpg.connect(url)
        assert await connection.fetchval("SELECT dossier.rulebook() ->> 'jurisdiction'") is None
        # As a house of before has it: its row named the pack, and its book was another.
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("ALTER TABLE lab.rulebooks DISABLE TRIGGER USER")
        await connection.execute("UPDATE lab.rulebooks SET version = 'older', jurisdiction = 'CN-818'")
        await connection.execute("ALTER TABLE lab.rulebooks ENABLE ALWAYS TRIGGER a_append_only")
        await connection.execute("SET session_replication_role = origin")
        await migrate(url, deployment=house, said=lambda _: None)
        assert await connection.fetchval("SELECT dossier.rulebook() ->> 'jurisdiction'") == "CN-818"
        assert await connection.fetchval("SELECT count(*) FROM lab.rulebooks") == 2
        await connection.close()
    finally:
        postgres.drop_database("making_of_packs")


# -- authorities' replies ------------------------------------------------------------------------------------------------


async def reply(lab: Lab, **more: Any) -> dict[str, Any]:
    process = await life.process(
        lab, gene_modified=True, vector_type="lentivirus", gene_editing=False, low_manipulation=False
    )
    return {
        "authority": "NHC",
        "reference": "2026-77",
        "dated": str(datetime.now(UTC).date() - timedelta(days=1)),
        "rule": "CB-01A",
        "process": process["name"],
        "process_version": process["version"],
        "question": "Is a bank of the patient's own cells needed?",
        "answer": "No; the vector's bank is.",
        "ruling": "permits",
        "file_name": "reply.pdf",
        "file_sha256": SHA,
        "file_place": "safe 3, folder 12",
        **more,
    }


async def test_a_reply_is_filed_read_and_told_to_the_rules(lab: Lab) -> None:
    body = await reply(lab)
    filed = ok(await lab.as_("quinn").post("/authority-replies", body))["reply"]
    found = ok(await lab.as_("tess").get(f"/authority-replies/{filed}"))
    assert {name: found[name] for name in body} == body
    assert found["recorded_by"] == "quinn"
    assert ok(await lab.as_("adam").get("/authority-replies", limit=1))[0]["reply"] == filed
    told = await lab.value(
        "SELECT dossier.authority_replies(id) FROM lab.process_versions WHERE name = $1", body["process"]
    )
    assert f'"file_sha256": "{SHA}"' in told
    assert f'"process": "{body["process"]} {body["process_version"]}"' in told


@pytest.mark.parametrize(
    ("more", "status", "field"),
    [
        ({"dated": str(datetime.now(UTC).date() + timedelta(days=3))}, 422, "dated"),
        ({"rule": "MAT-03"}, 422, "rule"),
        ({"ruling": "perhaps"}, 422, "ruling"),
        ({"file_sha256": "abc"}, 422, "file_sha256"),
        ({"file_sha256": SHA.upper()}, 422, "file_sha256"),
        ({"answer": " "}, 422, "answer"),
        ({"process": "no such process"}, 404, None),
    ],
)
async def test_a_reply_that_cannot_be_is_refused(
    lab: Lab, more: dict[str, Any], status: int, field: str | None
) -> None:
    before = await lab.value("SELECT count(*) FROM lab.authority_replies")
    problem = refused(await lab.as_("quinn").post("/authority-replies", await reply(lab, **more)), status)
    assert field is None or problem["field"] == field
    assert await lab.value("SELECT count(*) FROM lab.authority_replies") == before


async def test_only_the_qa_manager_files_and_nothing_changes_a_reply(lab: Lab, database: Database) -> None:
    body = await reply(lab)
    for who in ("tess", "lin", "adam", "hedda"):
        refused(await lab.as_(who).post("/authority-replies", body), 403, "not-permitted")
    refused(await lab.as_("quinn").get("/authority-replies/999999999"), 404, "not-found")
    ok(await lab.as_("quinn").post("/authority-replies", body))
    application = await asyncpg.connect(database.url("stemma_app"))
    try:
        for statement in ("UPDATE lab.authority_replies SET ruling = 'permits'", "DELETE FROM lab.authority_replies"):
            with pytest.raises(asyncpg.PostgresError):
                await application.execute(statement)
    finally:
        await application.close()


async def test_what_is_modified_and_own_waits_for_the_letter_before_it_begins(lab: Lab) -> None:
    """Before the first step nothing stands but the reply: without it CB-01A cannot be told, with it it passes."""
    body = await reply(lab)
    shared = replace(
        await life.shared(lab), process={"name": body["process"], "version": body["process_version"]}, room="V-01"
    )
    lived = await life.preparation(lab, upto="eligible", use=shared)
    consent = {
        "form_version": "ICF-GM",
        "scopes": ["donation", "processing", "gene modification"],
        "signed_at": life.ago(days=5),
    }
    ok(await lab.as_("tess").post(f"/donors/{lived.donor}/consents", consent))
    await life.go_on(lived, upto="cleared")
    with pytest.raises(AssertionError, match="CB-01A") as refusal:
        await life.go_on(lived, upto="isolated")
    assert "CB-03" not in str(refusal.value)
    assert await lab.value("SELECT count(*) FROM lab.steps WHERE lot_id = $1", await lived.lot_id()) == 0

    ok(await lab.as_("quinn").post("/authority-replies", {**body, "ruling": "undecided"}))
    with pytest.raises(AssertionError, match="CB-01A"):
        await life.go_on(lived, upto="isolated")
    ok(await lab.as_("quinn").post("/authority-replies", {**body, "reference": "2026-78"}))
    await life.go_on(lived, upto="isolated")
    assert await lab.value("SELECT count(*) FROM lab.steps WHERE lot_id = $1", await lived.lot_id()) == 1


async def test_the_database_itself_asks_for_the_bank(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="isolated")
    objections = "SELECT string_agg(o, '; ') FROM gate.objections($1, $2) AS o"
    assert "CB-01" not in await lab.value(objections, await lived.lot_id(), lab.id_of("lin"))
    long = await life.process(lab, long_term_expansion=True)
    await lab.arrange(
        "UPDATE lab.lots SET process_id = (SELECT id FROM lab.process_versions WHERE name = $2) WHERE id = $1",
        await lived.lot_id(),
        long["name"],
    )
    assert "CB-01: a cell bank is mandatory" in await lab.value(objections, await lived.lot_id(), lab.id_of("lin"))
