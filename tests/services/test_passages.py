"""Passages: counted under the lot's lock, never above the limit of the process version."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests import life
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.world import Lab

PASSAGES = "SELECT passage FROM lab.steps WHERE lot_id = $1 AND kind = 'passage' ORDER BY id"


async def test_a_passage_counts_doublings_and_uses_its_parents_up(lab: Lab):
    lived = await life.preparation(lab, upto="isolated")
    parents = lived.flasks

    made = ok(await life.pass_on(lived))

    assert made["passage"] == 1
    assert round(made["pd"], 3) == 3.070
    assert round(made["cpdl"], 3) == 3.070
    assert round(made["viability_percent"], 2) == 95.45
    states = await lab.sql(
        "SELECT c.state FROM lab.containers c JOIN lab.item_codes k ON k.item_id = c.id WHERE k.code = ANY ($1)",
        parents,
    )
    assert {row["state"] for row in states} == {"consumed"}


async def test_cells_that_were_lost_do_not_grow_younger(lab: Lab):
    lived = await life.preparation(lab, upto="passaged", passages=1)

    made = ok(await life.pass_on(lived, viable_seeded="4e6", viable_harvested="1e6"))

    assert made["pd"] == -2.0
    assert round(made["cpdl"], 3) == 3.070


async def test_merged_branches_are_as_old_as_the_oldest(lab: Lab):
    lived = await life.preparation(lab, upto="isolated")
    young, old = lived.flasks
    once = ok(await life.pass_on(lived, parents=[old]))["containers"]

    merged = ok(await life.pass_on(lived, parents=[young, *once]))

    assert merged["passage"] == 2
    assert round(merged["cpdl"], 3) == 6.141


async def test_a_passage_above_the_limit_is_refused(lab: Lab):
    lived = await life.preparation(lab, upto="passaged", passages=3)

    problem = refused(await life.pass_on(lived), 409, "blocked")

    assert problem["rule"] == "CB-05"
    assert [row["passage"] for row in await lab.sql(PASSAGES, await lived.lot_id())] == [1, 2, 3]


async def test_used_up_doublings_refuse_the_next_passage(lab: Lab):
    shared = await life.shared(lab)
    tight = life.Shared(
        process=await life.process(lab, max_pdl="6"),
        specification=shared.specification,
        material_lots=shared.material_lots,
        bottles=shared.bottles,
        freezer=shared.freezer,
    )
    lived = await life.preparation(lab, upto="passaged", passages=2, use=tight)

    assert refused(await life.pass_on(lived), 409, "blocked")["rule"] == "CB-05"


async def test_raced_passages_leave_only_legal_children(lab: Lab):
    lived = await life.preparation(lab, upto="passaged", passages=1)
    first, second = lived.flasks

    answers = await asyncio.gather(*(life.pass_on(lived, parents=[first if n % 2 else second]) for n in range(32)))

    assert sorted(each.status_code for each in answers) == [201, 201] + [409] * 30
    lot = await lived.lot_id()
    assert [row["passage"] for row in await lab.sql(PASSAGES, lot)] == [1, 2, 2]
    assert await lab.value("SELECT max(passage) FROM lab.containers WHERE lot_id = $1", lot) == 2


async def test_raced_passages_at_the_limit_are_all_refused(lab: Lab):
    lived = await life.preparation(lab, upto="passaged", passages=3)

    answers = await asyncio.gather(*(life.pass_on(lived) for _ in range(16)))

    assert {each.status_code for each in answers} == {409}
    assert await lab.value("SELECT max(passage) FROM lab.steps WHERE lot_id = $1", await lived.lot_id()) == 3


async def test_a_used_up_flask_or_one_of_another_lot_is_no_parent(lab: Lab):
    lived = await life.preparation(lab, upto="passaged", passages=1)
    other = await life.preparation(lab, upto="isolated")

    refused(await life.pass_on(lived, parents=lived.all_flasks[:1]), 409, "conflict")
    problem = refused(await life.pass_on(lived, parents=other.flasks), 409, "conflict")
    assert problem["rule"] == "REL-05"
    refused(await life.pass_on(lived, parents=[]), 422, "bad-input")
    refused(await life.pass_on(lived, parents=lived.shared.bottles[:1]), 404, "not-found")

    assert [row["passage"] for row in await lab.sql(PASSAGES, await lived.lot_id())] == [1]


async def test_a_held_flask_closes_the_step(lab: Lab):
    lived = await life.preparation(lab, upto="isolated")
    ok(await lab.as_("vera").post("/holds", {"item": lived.flasks[0], "reason": "cloudy"}))

    assert refused(await life.pass_on(lived), 409, "blocked")["rule"] == "HOLD"


async def test_counts_from_which_nothing_follows_are_refused(lab: Lab):
    lived = await life.preparation(lab, upto="isolated")

    for wrong in ({"viable_seeded": "0"}, {"viable_harvested": "0"}, {"viable_seeded": "-1"}, {"flasks": 0}):
        refused(await life.pass_on(lived, **wrong), 422)

    assert not await lab.sql(PASSAGES, await lived.lot_id())


async def test_the_same_key_makes_one_passage(lab: Lab):
    lived = await life.preparation(lab, upto="isolated")
    body = lived.step(
        parents=lived.flasks, viable_seeded="5e5", viable_harvested="4.2e6", dead_harvested="2e5", flasks=1
    )
    path, key = f"/lots/{lived.lot}/passages", f"key-{lived.lot}"

    first = ok(await lab.as_("tess").post(path, body, key=key))
    again = ok(await lab.as_("tess").post(path, body, key=key))
    refused(await lab.as_("tess").post(path, body | {"flasks": 2}, key=key), 422, "bad-input")

    assert first["containers"] == again["containers"]
    assert len(await lab.sql(PASSAGES, await lived.lot_id())) == 1
