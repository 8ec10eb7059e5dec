"""Fill and cryopreservation: vials with codes of their own, put away, with an expiry that is stated once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests import life
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.world import Lab


async def fill(lived: life.Life, **more: Any) -> Any:
    body = lived.step(
        parents=lived.flasks,
        viable_harvested="2.4e7",
        dead_harvested="1.2e6",
        vials=24,
        volume_ml="1.5",
        viable_cells_per_vial="5e6",
    )
    return await lived.lab.as_("tess").post(f"/lots/{lived.lot}/fill", body | more)


async def freeze(lived: life.Life, **more: Any) -> Any:
    at = life.now()
    body = {
        "place": lived.shared.freezer,
        "programme": "1 °C/min",
        "started_at": at,
        "frozen_at": at,
    }
    return await lived.lab.as_("tess").post(f"/lots/{lived.lot}/cryopreservation", body | more)


async def test_every_vial_has_a_code_and_leads_to_one_donor(lab: Lab):
    lived = await life.preparation(lab, upto="passaged")

    made = ok(await fill(lived))

    assert len(set(made["containers"])) == 24
    rows = await lab.sql(
        "SELECT c.kind, c.passage, c.volume_ml, c.viable_cells, dossier.donors_behind(c.id) AS donors FROM lab.containers c"
        " JOIN lab.item_codes k ON k.item_id = c.id WHERE k.code = ANY ($1)",
        made["containers"],
    )
    assert {(row["kind"], row["passage"], float(row["volume_ml"]), float(row["viable_cells"])) for row in rows} == {
        ("vial", 2, 1.5, 5e6)
    }
    assert len({row["donors"] for row in rows}) == 1


async def test_a_lot_is_filled_from_its_own_flasks_only(lab: Lab):
    lived = await life.preparation(lab, upto="passaged", passages=1)
    other = await life.preparation(lab, upto="isolated")

    assert refused(await fill(lived, parents=other.flasks), 409, "conflict")["rule"] == "REL-05"
    refused(await fill(lived, parents=[]), 422, "bad-input")
    refused(await fill(lived, vials=0), 422, "bad-input")
    refused(await fill(lived, vials=1001), 422, "bad-input")

    vials = await lab.value(
        "SELECT count(*) FROM lab.containers WHERE lot_id = $1 AND kind = 'vial'", await lived.lot_id()
    )
    assert vials == 0


async def test_a_lot_that_is_not_in_process_is_not_filled(lab: Lab):
    lived = await life.preparation(lab, upto="frozen")

    refused(await fill(lived, parents=lived.all_flasks[:1]), 409, "illegal-move")


async def test_freezing_puts_vials_away_and_states_the_expiry(lab: Lab):
    lived = await life.preparation(lab, upto="filled")

    frozen = ok(await freeze(lived))

    assert frozen["state"] == "quarantine"
    story = await lived.show()
    assert {each["place"] for each in story["containers"] if each["kind"] == "vial"} == {lived.shared.freezer}
    assert {each["state"] for each in story["containers"] if each["kind"] == "vial"} == {"stored"}
    days = datetime.fromisoformat(story["expires_at"]) - datetime.fromisoformat(story["frozen_at"])
    assert days == timedelta(days=365)


async def test_freezing_happens_once_and_needs_vials_and_a_place(lab: Lab):
    unfilled = await life.preparation(lab, upto="isolated")
    refused(await freeze(unfilled), 409, "conflict")
    assert await unfilled.state() == "in_process"

    lived = await life.preparation(lab, upto="filled")
    refused(await freeze(lived, place=lived.donation), 404, "not-found")
    refused(await freeze(lived, verified_by="vera"), 422, "bad-input")
    assert await lived.state() == "in_process"

    ok(await freeze(lived))
    refused(await freeze(lived), 409, "illegal-move")
