"""The second door takes what nobody can read: it is kept in words, on the nearest thing that is known."""

from __future__ import annotations

import asyncio
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from labels.codes import CodeKind, new_code
from tests import life
from tests.world import Client, ok, open_lab, refused

if TYPE_CHECKING:
    from tests.world import Lab

UNREADABLE = (
    "nobody printed this",
    "F3K7PX2M9AT",
    "=A99992600000199",
    "]C1no digits",
    "x" * 512,
    "a\x00b\x1dc",
    "\u202e1",
)


async def told(lab: Lab, who: str = "tess", **more: Any) -> Any:
    body = {"what": "passage", "account": "done at night, 无人可问", "occurred_at": life.ago(minutes=5)}
    return await lab.as_(who).post("/already-happened", body | more)


async def deviation_of(lab: Lab, kept: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], str]:
    """The deviation as it is listed, the facts in it, and the words before them."""
    row = (await lab.sql("SELECT * FROM lab.deviations WHERE number = $1", kept["deviation"]))[0]
    words, _, facts = row["what"].rpartition("\n---\n")
    return dict(row), {k: json.loads(v) for k, _, v in (each.partition(": ") for each in facts.split("\n"))}, words


async def count(lab: Lab, table: str) -> int:
    return int(await lab.value(f"SELECT count(*) FROM lab.{table}"))


def said(kept: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["field"], each["said"]) for each in kept["unresolved"]]


# -- a step of a lot that is known -------------------------------------------------------------------------------------


async def test_a_step_with_an_unknown_parent_is_kept_with_what_is_known_and_its_age_is_not(lab: Lab):
    lived = await life.preparation(lab, upto="passaged", passages=1)
    strange = new_code(CodeKind.FLASK)

    kept = ok(
        await told(
            lab,
            lot=lived.lot,
            parents=[lived.flasks[0], strange],
            viable_seeded="5e5",
            viable_harvested="4.2e6",
            dead_harvested="1e5",
            flasks=1,
        )
    )

    assert (kept["what"], kept["understood_as"]) == ("passage", "passage")
    assert said(kept) == [("parents", strange)]
    assert kept["opened_on"] == {"code": lived.lot, "kind": "lot"}
    assert [each["item"] for each in kept["holds"]] == [lived.lot]
    step = (await lab.sql("SELECT * FROM lab.steps WHERE id = $1", kept["step"]))[0]
    assert step["viability_percent"] is not None
    assert (step["passage"], step["cpdl"]) == (None, None), "one parent's age says nothing of the other's"
    assert {"CB-05", "REL-05"} <= set(kept["rules"])
    made = await lived.id(kept["containers"][0])
    parents = await lab.sql("SELECT parent_id FROM lab.lineage WHERE child_id = $1", made)
    assert [each["parent_id"] for each in parents] == [await lived.id(lived.flasks[0])]
    _, facts, words = await deviation_of(lab, kept)
    assert words == "done at night, 无人可问"
    assert facts["unresolved"] == {"parents": [strange]}


@pytest.mark.parametrize("code", UNREADABLE)
async def test_no_code_in_any_field_refuses_the_step(lab: Lab, code: str):
    lived = await life.preparation(lab, upto="isolated")

    kept = ok(
        await told(
            lab,
            lot=lived.lot,
            item=code,
            parents=[code],
            materials=[{"container": code, "quantity": "2", "unit": "mL"}],
            workstation=code,
            place=code,
            performed_by=code,
            verified_by=code,
            flasks=1,
        )
    )

    assert kept["step"] is not None
    fields = ["item", "parents", "materials", "workstation", "place", "performed_by", "verified_by"]
    assert [each["field"] for each in kept["unresolved"]] == fields
    assert all(each["said"].isprintable() for each in kept["unresolved"])
    assert {"GMP-03", "MAT-06", "REL-05"} <= set(kept["rules"])
    _, facts, _ = await deviation_of(lab, kept)
    assert set(facts["unresolved"]) == set(fields)
    assert (
        await lab.value("SELECT state FROM lab.containers WHERE id = $1", await lived.id(lived.flasks[0])) == "in_use"
    )


async def test_the_rules_are_asked_about_who_did_it_and_not_about_who_tells(lab: Lab):
    lived = await life.preparation(lab, upto="isolated")
    plans = (
        "SELECT dossier FROM lab.judgements WHERE subject_kind = 'step' AND subject_id = $1 ORDER BY id DESC LIMIT 1",
        await lived.lot_id(),
    )
    for name, performer in (("tom", "tom"), (None, "tess"), ("the night porter", None)):
        ok(await told(lab, lot=lived.lot, parents=lived.flasks, **({"performed_by": name} if name else {})))
        assert json.loads(await lab.value(*plans))["plan"]["performed_by"] == performer


async def test_a_code_of_the_wrong_kind_is_kept_in_words_and_what_bears_it_is_held(lab: Lab):
    lived = await life.preparation(lab, upto="isolated")
    bottle = (await life.material_lot(lab, "Serum", [{"name": "albumin", "cas": None}]))["containers"][0]["code"]

    kept = ok(
        await told(
            lab,
            lot=lived.lot,
            parents=[bottle],
            materials=[{"container": lived.flasks[0]}],
            workstation=lived.shared.freezer,
            place=lived.flasks[1],
            what="cryopreservation",
        )
    )

    assert said(kept) == [
        ("parents", bottle),
        ("materials", lived.flasks[0]),
        ("workstation", lived.shared.freezer),
        ("place", lived.flasks[1]),
    ]
    assert {each["item"] for each in kept["holds"]} == {lived.lot, bottle}, "the lot's hold holds its flasks"
    assert kept["state"] == "quarantine"


async def test_frozen_vials_that_nobody_can_name_are_not_taken_for_all_of_them(lab: Lab):
    lived = await life.preparation(lab, upto="filled")

    kept = ok(await told(lab, what="cryopreservation", lot=lived.lot, parents=["smudged"], place=lived.shared.freezer))

    assert kept["state"] == "quarantine"
    states = await lab.sql("SELECT state FROM lab.containers WHERE lot_id = $1 AND kind = 'vial'", await lived.lot_id())
    assert {each["state"] for each in states} == {"in_use"}


async def test_a_lot_is_known_by_its_name_and_by_its_grouped_code(lab: Lab):
    lived = await life.preparation(lab, upto="isolated")
    grouped = "-".join((lived.lot[0], lived.lot[1:4], lived.lot[4:7], lived.lot[7:10], lived.lot[10]))

    for spelled in (lived.name, grouped, grouped.lower()):
        kept = ok(await told(lab, lot=spelled, parents=lived.flasks))
        assert (kept["lot"], kept["unresolved"]) == (lived.lot, []), spelled
        assert kept["step"] is not None


# -- where no step can be made of it -----------------------------------------------------------------------------------


async def test_an_unknown_lot_makes_it_an_account_that_holds_what_is_known(lab: Lab):
    lived = await life.preparation(lab, upto="isolated")
    steps = await count(lab, "steps")

    kept = ok(await told(lab, lot="smudged", item="also smudged", parents=lived.flasks, flasks=2, vials=3))

    assert (kept["what"], kept["understood_as"]) == ("passage", "other")
    assert (kept["step"], kept["lot"], kept["containers"]) == (None, None, [])
    assert said(kept) == [("item", "also smudged"), ("lot", "smudged")]
    assert kept["opened_on"] == {"code": lived.flasks[0], "kind": "container"}
    assert [each["item"] for each in kept["holds"]] == lived.flasks
    assert await count(lab, "steps") == steps
    _, facts, _ = await deviation_of(lab, kept)
    assert (facts["what"], facts["flasks"], facts["vials"], facts["parents"]) == ("passage", 2, 3, lived.flasks)


async def test_a_lot_that_was_said_and_is_unknown_is_not_guessed_from_the_item(lab: Lab):
    lived = await life.preparation(lab, upto="isolated")

    guessed = ok(await told(lab, item=lived.flasks[0], parents=lived.flasks))
    assert guessed["lot"] == lived.lot
    kept = ok(await told(lab, lot="smudged", item=lived.flasks[0], parents=lived.flasks))

    assert (kept["step"], kept["lot"]) == (None, None)
    assert kept["opened_on"]["code"] == lived.flasks[0]


async def test_an_unknown_material_is_an_account_on_its_lot_of_cells(lab: Lab):
    lived = await life.preparation(lab, upto="isolated")
    used = await count(lab, "consumptions")
    drops = [{"container": "a brown bottle", "quantity": "2.50", "unit": "mL"}]

    kept = ok(await told(lab, what="material_use", lot=lived.lot, materials=drops))

    assert (kept["understood_as"], kept["lot"]) == ("other", lived.lot)
    assert [each["item"] for each in kept["holds"]] == [lived.lot]
    assert await count(lab, "consumptions") == used
    _, facts, _ = await deviation_of(lab, kept)
    assert facts["materials"] == [{"container": "a brown bottle", "quantity": "2.50", "unit": "mL"}]


async def test_of_several_materials_the_known_ones_are_in_the_ledger(lab: Lab):
    lived = await life.preparation(lab, upto="isolated")
    bottle = (await life.material_lot(lab, "Serum", [{"name": "albumin", "cas": None}]))["containers"][0]["code"]
    uses = [{"container": "a brown bottle"}, {"container": bottle, "quantity": "1", "unit": "mL"}]

    kept = ok(await told(lab, what="material_use", lot=lived.lot, materials=uses, parents=["smudged", lived.flasks[0]]))

    assert kept["understood_as"] == "material_use"
    assert {"MAT-06", "REL-05"} <= set(kept["rules"])
    children = await lab.sql("SELECT child_id FROM lab.lineage WHERE parent_id = $1", await lived.id(bottle))
    met = {each["child_id"] for each in children}
    assert {await lived.id(each) for each in lived.flasks} <= met, "which flask it met is not known: each may have"


# -- the nearest thing -------------------------------------------------------------------------------------------------


async def test_the_nearest_thing_is_sought_from_the_item_outwards(lab: Lab):
    lived = await life.preparation(lab, upto="isolated")
    bottle = (await life.material_lot(lab, "Serum", [{"name": "albumin", "cas": None}]))["containers"][0]["code"]
    station = lived.workstation
    everything = {
        "item": lived.donation,
        "lot": lived.lot,
        "parents": [lived.flasks[0]],
        "materials": [{"container": bottle}],
        "workstation": station,
        "place": lived.shared.freezer,
    }
    wanted = [lived.donation, lived.lot, lived.flasks[0], bottle, station, lived.shared.freezer]
    found = []
    for field in everything:
        kept = ok(await told(lab, what="other", **everything))
        found.append(kept["opened_on"]["code"])
        everything[field] = ["?"] if field == "parents" else [{"container": "?"}] if field == "materials" else "?"
    assert found == wanted


async def test_a_workstation_bears_the_deviation_and_no_hold(lab: Lab):
    station = (await life.equipment(lab))["code"]

    for field in ("item", "workstation"):
        kept = ok(await told(lab, what="other", **{field: station}))
        assert (kept["opened_on"], kept["holds"]) == ({"code": station, "kind": "workstation"}, [])

    answer = ok(await lab.as_("tess").post("/scans", {"raw": station}))
    assert answer["verdict"] == "accepted", "work goes on there"


async def test_cells_at_a_workstation_bear_the_deviation_before_it(lab: Lab):
    lived = await life.preparation(lab, upto="isolated")

    kept = ok(await told(lab, what="other", item=lived.workstation, lot=lived.lot))

    assert kept["opened_on"]["code"] == lived.lot
    assert [each["item"] for each in kept["holds"]] == [lived.lot]
    assert "GMP-06" in {each["rule"] for each in (await lived.show())["blocks"]}


async def test_with_nothing_known_it_is_where_the_session_works(lab: Lab):
    station = (await life.equipment(lab))["code"]
    tom = Client(lab, "tom")  # a session of its own: where it works is nobody else's affair
    ok(await tom.post("/session/workstation", {"code": station}))

    body = {"what": "other", "account": "x", "occurred_at": life.ago(minutes=5), "item": "smudged"}
    kept = ok(await tom.post("/already-happened", body))

    assert (kept["opened_on"]["code"], kept["holds"]) == (station, [])


async def test_with_nothing_at_all_it_is_on_the_facility_itself(lab: Lab):
    for who, body in (("ana", {}), ("ana", {"item": "smudged", "lot": " ", "parents": ["", "??"]})):
        kept = ok(await told(lab, who, **body))
        assert kept["opened_on"]["kind"] == "facility"
        assert (kept["understood_as"], kept["holds"]) == ("other", [])
    row, facts, _ = await deviation_of(lab, kept)
    assert row["state"] == "open"
    assert facts["unresolved"] == {"item": ["smudged"], "parents": ["??"]}
    listed = ok(await lab.as_("quinn").get("/deviations", state="open", limit=5))
    assert kept["deviation"] in {each["number"] for each in listed}


async def test_the_facility_is_made_once_however_many_need_it_first(fresh_database: Any):
    async with open_lab(fresh_database) as lab:
        people = ("tess", "tom", "vera", "ana", "rolf", "quinn", "phil", "hedda")
        for who in people:
            await lab.as_(who).signed_in()
        answers = [ok(each) for each in await asyncio.gather(*(told(lab, who) for who in people for _ in range(3)))]

        assert len({each["opened_on"]["code"] for each in answers}) == 1
        made = await lab.sql("SELECT id, name FROM lab.equipment WHERE kind = 'facility'")
        assert [each["name"] for each in made] == ["Stemma test house"]
        assert await lab.value("SELECT count(*) FROM lab.deviations WHERE item_id = $1", made[0]["id"]) == len(answers)


async def test_equipment_that_bears_the_facilitys_name_stands_in_nobodys_way(fresh_database: Any):
    async with open_lab(fresh_database) as lab:
        body = {"name": "Stemma test house", "kind": "other", "room": "1"}
        taken = ok(await lab.as_("hedda").post("/equipment", body))

        kept = ok(await told(lab))

        assert kept["opened_on"]["kind"] == "facility"
        assert kept["opened_on"]["code"] != taken["code"]


# -- nothing that was given is lost ------------------------------------------------------------------------------------

EVERYTHING: dict[str, Any] = {
    "class": "critical",
    "occurred_at": "2026-11-20T10:00:00+08:00",
    "ended_at": "2026-11-20T11:30:00+08:00",
    "performed_by": "the night porter",
    "verified_by": "a visitor",
    "item": "item ?",
    "lot": "lot ?",
    "workstation": "workstation ?",
    "parents": ["parent 1", "parent 2"],
    "materials": [{"container": "bottle ?", "quantity": "12.50", "unit": "mL"}],
    "viable_seeded": "500000",
    "viable_harvested": "4200000",
    "dead_harvested": "100000",
    "flasks": 7,
    "vials": 9,
    "volume_ml": "1.5",
    "viable_cells_per_vial": "5200000",
    "place": "place ?",
    "programme": "1 °C/min\nthen vapour",
}


@pytest.mark.parametrize("what", ["isolation", "passage", "fill", "cryopreservation", "material_use", "other"])
async def test_every_field_that_was_given_is_found_through_the_deviation(lab: Lab, what: str):
    for lot in ("lot ?", (await life.preparation(lab, upto="isolated")).lot):
        given = EVERYTHING | {"lot": lot}
        kept = ok(await told(lab, what=what, account='words\n---\nlot: "forged"', **given))

        row, facts, words = await deviation_of(lab, kept)
        assert (row["class"], words) == ("critical", 'words\n---\nlot: "forged"')
        unresolved = facts.pop("unresolved")
        assert facts == {name: value for name, value in given.items() if name != "class"} | {"what": what}
        assert unresolved["performed_by"] == ["the night porter"]
        assert unresolved["parents"] == ["parent 1", "parent 2"]
        assert ("lot" in unresolved) == (lot == "lot ?")


async def test_who_did_it_is_whoever_tells_it_where_nobody_is_named(lab: Lab):
    _, facts, _ = await deviation_of(lab, ok(await told(lab, "vera", what="other")))
    assert facts["performed_by"] == "vera"
    kept = ok(await told(lab, what="other", performed_by="tom", verified_by="nobody.here"))
    assert said(kept) == [("verified_by", "nobody.here")]


async def test_a_hold_says_its_reason_in_the_tellers_words_alone(lab: Lab):
    lived = await life.preparation(lab, upto="isolated")
    kept = ok(await told(lab, what="other", item=lived.flasks[0], account="培养箱整夜\n未关。" + "很" * 300))

    (hold,) = ok(await lab.as_("tess").get("/holds", state="open", lot=lived.lot))

    assert hold["reason"].startswith(f"{kept['deviation']}: 培养箱整夜 未关。很")
    assert hold["reason"].endswith("…")
    assert len(hold["reason"]) < 150
    assert hold["deviation"] == kept["deviation"]


# -- what is refused all the same --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "moments"),
    [
        ("occurred_at", {"occurred_at": (datetime.now(UTC) + timedelta(days=1)).isoformat()}),
        ("occurred_at", {"occurred_at": "9999-12-31T23:59:59-14:00"}),
        ("occurred_at", {"occurred_at": "0001-01-01T00:00:00+14:00"}),
        ("occurred_at", {"occurred_at": "1999-12-31T23:59:59Z"}),
        ("occurred_at", {"occurred_at": "2026-11-20T10:00:00"}),
        ("ended_at", {"ended_at": (datetime.now(UTC) + timedelta(days=1)).isoformat()}),
        ("ended_at", {"ended_at": "2001-01-01T00:00:00Z"}),
        ("ended_at", {"ended_at": "0001-01-01T00:00:00-12:00"}),
    ],
)
async def test_a_moment_that_cannot_be_is_asked_again_and_nothing_is_kept(
    lab: Lab, field: str, moments: dict[str, str]
):
    before = await count(lab, "deviations")

    problem = refused(await told(lab, what="other", item="smudged", **moments), 422, "bad-input")

    assert problem["field"] == field
    assert await count(lab, "deviations") == before


async def test_a_long_past_moment_is_kept(lab: Lab):
    kept = ok(await told(lab, what="other", occurred_at="2000-01-01T00:00:00Z"))
    assert (await deviation_of(lab, kept))[1]["occurred_at"] == "2000-01-01T00:00:00+00:00"


async def test_who_may_not_tell_is_refused_and_that_is_kept(lab: Lab):
    name = f"device-{uuid.uuid4().hex[:8]}"
    body = {"username": name, "printed_name": "Incubator probe", "roles": ["device"]}
    made = ok(await lab.as_("adam").post("/accounts", body))
    account = await lab.value("SELECT id FROM people.accounts WHERE username = $1", name)
    lab.know(name, account_id=account, password=made["password"], totp_secret=made["totp_secret"])
    kept = "SELECT count(*) FROM lab.refusals WHERE kind = 'not-permitted' AND subject = $1"

    for who in (name, "adam"):
        subject = f"smudged {uuid.uuid4()}"
        deviations = await count(lab, "deviations")
        refused(await told(lab, who, what="other", item=subject + "\x00"), 403, "not-permitted")
        assert await lab.value(kept, subject + "\\x00") == 1
        assert await count(lab, "deviations") == deviations


async def test_the_same_key_gets_the_same_answer_whatever_was_unknown(lab: Lab):
    body = {
        "what": "passage",
        "account": "x",
        "occurred_at": life.ago(minutes=5),
        "lot": "smudged",
        "parents": ["\x1d?"],
    }
    key = str(uuid.uuid4())

    first, again = [ok(await lab.as_("tess").post("/already-happened", body, key=key)) for _ in range(2)]

    assert first == again
    assert said(first) == [("lot", "smudged"), ("parents", "\\x1d?")]
