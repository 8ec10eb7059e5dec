"""Judgements as they were kept: read again with the words of that day, by whoever may read the thing, changed by nobody."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import asyncpg
import pytest

from app.domain.rulebook import Gate
from app.rules import BY_ID, RULEBOOK_VERSION
from tests import life
from tests.world import ok, open_lab, refused

if TYPE_CHECKING:
    from tests.conftest import Database
    from tests.world import Lab


async def checked(lab: Lab, lived: life.Life) -> int:
    """A release check that was kept: its number."""
    return int(ok(await lab.as_("quinn").post(f"/lots/{lived.lot}/release-check"))["kept"])


async def test_a_judgement_is_read_as_it_was_kept_though_the_facts_are_others_by_now(lab: Lab) -> None:
    lived = await life.preparation(lab)
    number = await checked(lab, lived)
    before = ok(await lab.as_("quinn").get(f"/judgements/{number}"))
    ok(await lab.as_("tess").post("/holds", {"item": lived.lot, "reason": "the bag was found open"}))

    again = ok(await lab.as_("quinn").get(f"/judgements/{number}"))
    now = ok(await lab.as_("quinn").get(f"/items/{lived.lot}/why"))

    assert again == before
    assert (again["kind"], again["subject"], again["gate"], again["by"]) == ("lot", lived.lot, "G6", "quinn")
    assert (again["rulebook"], again["has_book"], again["agrees"]) == (RULEBOOK_VERSION, True, True)
    assert "HOLD" in {each["rule"] for each in now["answers"] if each["closes"]}
    kept = {each["rule"]: each for each in again["verdicts"]}
    assert not kept["HOLD"]["closes"]
    assert kept["GMP-06"]["outcome"] == "pass"
    cited = BY_ID["GMP-06"].cites
    assert [each["section"] for each in kept["GMP-06"]["cites"]] == [each.section for each in cited]
    assert kept["GMP-06"]["cites"][0]["says"]["en"] == str(cited[0].paraphrase)
    assert set(kept["GMP-06"]["cites"][0]["says"]) == {"en", "zh_CN"}
    assert set(kept) == {rule.id for rule in BY_ID.values() if Gate.G6 in rule.gates}


async def test_the_very_bytes_that_were_judged_are_handed_out(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="tested")
    number = await checked(lab, lived)
    said = ok(await lab.as_("quinn").get(f"/judgements/{number}"))
    answer = await lab.as_("quinn").get(f"/judgements/{number}/dossier")
    assert answer.headers["content-type"] == "application/json"
    assert hashlib.sha256(answer.content).hexdigest() == said["digest"]
    assert json.loads(answer.content)["lot"]["code"] == lived.lot
    assert said["blocks"] is True


async def test_each_gate_that_was_passed_on_the_way_is_listed_and_read(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="passaged")
    quinn = lab.as_("quinn")
    steps = ok(await quinn.get("/judgements", item=lived.lot))
    assert {each["gate"] for each in steps} == {"G4"}
    assert ("passage", 1) in {(each["step"], each["passage"]) for each in steps}
    assert (steps[-1]["step"], steps[-1]["passage"]) == ("isolation", 0)
    assert [each["judgement"] for each in steps] == sorted((each["judgement"] for each in steps), reverse=True)
    second = ok(await quinn.get("/judgements", item=lived.lot, after=steps[0]["judgement"], limit=1))
    assert second == [steps[1]]
    accepted = ok(await quinn.get("/judgements", item=lived.donation))
    assert {each["gate"] for each in accepted} == {"G2"}
    material = ok(await quinn.get("/judgements", item=lived.shared.material_lots[0]))
    assert {each["kind"] for each in material} == {"material_lot"}
    for each in (steps[0], accepted[0], material[0]):
        one = ok(await quinn.get(f"/judgements/{each['judgement']}"))
        assert one["agrees"]
        assert one["verdicts"]
        assert not any(verdict["closes"] for verdict in one["verdicts"])


async def test_the_release_names_the_judgement_that_it_rests_on(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="released")
    listed = ok(await lab.as_("lin").get("/judgements", item=lived.lot))
    (rests,) = [each for each in listed if each["release"]]
    one = ok(await lab.as_("lin").get(f"/judgements/{rests['judgement']}"))
    assert (one["signer"], one["blocks"]) == ("lin", False)
    released = "SELECT judgement_id FROM lab.releases WHERE lot_id = $1"
    assert await lab.value(released, await lived.lot_id()) == rests["judgement"]


async def test_who_may_not_read_the_thing_may_not_read_what_was_judged_of_it(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="isolated")
    (donation,) = ok(await lab.as_("quinn").get("/judgements", item=lived.donation))[:1]
    refused(await lab.as_("adam").get(f"/judgements/{donation['judgement']}"), 403)
    refused(await lab.as_("adam").get(f"/judgements/{donation['judgement']}/dossier"), 403)
    refused(await lab.as_("adam").get("/judgements", item=lived.donation), 403)
    refused(await lab.as_("quinn").get("/judgements/999999999"), 404)
    refused(await lab.as_("quinn").get("/judgements/0"), 422)
    refused(await lab.as_("quinn").get("/judgements", item="LNOTHING"), 404)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE lab.rulebooks SET content = '{}' WHERE version = $1",
        "DELETE FROM lab.rulebooks WHERE version = $1",
        "INSERT INTO lab.rulebooks (version, content) VALUES ($1 || '+', '{}')",
        "UPDATE lab.judgements SET verdicts = '{}' WHERE rulebook = $1",
    ],
)
async def test_nobody_rewrites_the_book_of_a_day(lab: Lab, database: Database, statement: str) -> None:
    hand = await asyncpg.connect(database.url("stemma_app"))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await hand.execute(statement, RULEBOOK_VERSION)
    finally:
        await hand.close()
    assert await lab.value(
        "SELECT content -> 'QA-03' IS NOT NULL FROM lab.rulebooks WHERE version = $1", RULEBOOK_VERSION
    )


async def test_a_judgement_of_a_book_whose_words_were_not_kept_says_so(fresh_database: Database) -> None:
    async with open_lab(fresh_database) as lab:
        lived = await life.preparation(lab, upto="tested")
        number = await checked(lab, lived)
        await lab.sql("ALTER TABLE lab.judgements DISABLE TRIGGER USER")
        other = "UPDATE lab.judgements SET rulebook = 'CN-818/0+older', dossier = dossier || ' ' WHERE id = $1"
        await lab.sql(other, number)
        one = ok(await lab.as_("quinn").get(f"/judgements/{number}"))
    assert (one["has_book"], one["agrees"]) == (False, False)
    assert {tuple(each["cites"]) for each in one["verdicts"]} == {()}
    assert one["verdicts"][0]["title"]
