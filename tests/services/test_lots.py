"""A preparation's lot: planned, lived, shown, moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests import life
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.world import Lab

UNKNOWN = "L000000000A"


async def test_a_whole_life_leads_from_the_donor_to_a_release(lab: Lab):
    lived = await life.preparation(lab, upto="released")

    assert await lived.state() == "released"
    story = await lived.show()
    assert [each["detail"]["state"] for each in story["timeline"] if each["what"] == "move"] == [
        "planned",
        "in_process",
        "quarantine",
        "awaiting_release",
        "released",
    ]
    assert {each["what"] for each in story["timeline"]} >= {
        "isolation",
        "passage",
        "fill",
        "cryopreservation",
        "line_clearance",
        "retain",
        "sample",
        "result",
        "result_review",
        "batch_review",
        "release",
    }


async def test_a_lot_is_planned_with_a_name_of_the_year_and_goes_back_to_its_donor(lab: Lab):
    lived = await life.preparation(lab, upto="planned")

    story = await lived.show()
    assert story["name"].startswith("PREP-")
    assert story["state"] == "planned"
    assert story["recipient"] == story["donor"]
    assert story["acts"] == ["begin", "reject"]


async def test_an_autologous_lot_is_planned_for_nobody_else(lab: Lab):
    lived = await life.preparation(lab, upto="eligible")
    someone = ok(
        await lab.as_("tess").post(
            "/persons", {"identity": {"name": "Li", "hospital_number": "X-1", "birth_date": "1980-01-01"}}
        )
    )
    body = {"process": lived.shared.process, "specification": lived.shared.specification, "donation": lived.donation}
    before = await lab.value("SELECT count(*) FROM lab.lots")

    problem = refused(await lab.as_("tess").post("/lots", {**body, "recipient": someone["code"]}), 422, "bad-input")

    assert problem["rule"] == "REL-05"
    assert await lab.value("SELECT count(*) FROM lab.lots") == before


async def test_an_allogeneic_lot_is_not_planned_for_its_donor(lab: Lab):
    lived = await life.preparation(lab, upto="eligible", relation="allogeneic")
    body = {"process": lived.shared.process, "specification": lived.shared.specification, "donation": lived.donation}

    refused(await lab.as_("tess").post("/lots", {**body, "recipient": "self"}), 422, "bad-input")

    planned = ok(await lab.as_("tess").post("/lots", body))
    assert planned["recipient"] is None


async def test_a_lot_is_planned_only_by_versions_that_are_defined(lab: Lab):
    lived = await life.preparation(lab, upto="eligible")
    body = {"process": lived.shared.process, "specification": lived.shared.specification, "donation": lived.donation}

    refused(await lab.as_("tess").post("/lots", {**body, "process": {"name": "none", "version": 1}}), 404, "not-found")
    refused(
        await lab.as_("tess").post("/lots", {**body, "specification": {"name": "none", "version": 1}}), 404, "not-found"
    )
    refused(await lab.as_("tess").post("/lots", {**body, "donation": lived.donor}), 404, "not-found")


async def test_only_those_who_may_plan_a_lot(lab: Lab):
    lived = await life.preparation(lab, upto="eligible")
    body = {"process": lived.shared.process, "specification": lived.shared.specification, "donation": lived.donation}

    for who in ("quinn", "lin", "adam", "ana"):
        refused(await lab.as_(who).post("/lots", body), 403, "not-permitted")


async def test_the_page_tells_growth_what_blocks_and_the_version(lab: Lab):
    lived = await life.preparation(lab, upto="passaged")

    response = await lab.as_("tess").get(f"/lots/{lived.lot}")
    story = ok(response)

    assert response.headers["etag"] == f'"{story["version"]}"'
    assert [each["passage"] for each in story["growth"]] == [0, 1, 2]
    assert [round(each["cpdl"], 3) for each in story["growth"]] == [0.0, 3.070, 6.141]
    assert story["growth"][0]["viability_percent"] == 94.240838
    blocking = {each["rule"] for each in story["blocks"]}
    assert {"REL-02", "REL-07", "QA-06"} <= blocking
    assert all(each["findings"][0]["remedy"] for each in story["blocks"])
    assert [each["state"] for each in story["containers"]] == ["consumed"] * 4 + ["in_use"] * 2
    assert story["workstations"][0]["workstation"] == lived.workstation


async def test_the_page_speaks_the_readers_language(lab: Lab):
    lived = await life.preparation(lab, upto="planned")

    said = await lab.as_("tess").get(f"/lots/{lived.lot}", lang="zh_CN")

    assert ok(said)["code"] == lived.lot


async def test_lots_are_listed_newest_first_and_in_pages(lab: Lab):
    first = await life.preparation(lab, upto="planned")
    second = await life.preparation(lab, upto="planned")

    page = ok(await lab.as_("tess").get("/lots", state="planned", limit=1))
    rest = ok(await lab.as_("tess").get("/lots", state="planned", after=second.lot, limit=200))

    assert [each["code"] for each in page] == [second.lot]
    assert first.lot in [each["code"] for each in rest]
    assert second.lot not in [each["code"] for each in rest]


async def test_a_material_lot_is_no_lot_of_cells(lab: Lab):
    shared = await life.shared(lab)

    refused(await lab.as_("tess").get(f"/lots/{shared.material_lots[0]}"), 404, "not-found")
    refused(await lab.as_("tess").get(f"/lots/{UNKNOWN}"), 422, "bad-input")  # a wrong check character


async def test_a_lot_goes_to_release_and_back_and_is_destroyed(lab: Lab):
    lived = await life.preparation(lab, upto="frozen")
    quinn = lab.as_("quinn")

    assert ok(await quinn.post(f"/lots/{lived.lot}/submit"))["state"] == "awaiting_release"
    back = ok(await quinn.post(f"/lots/{lived.lot}/send-back", {"reason": "results to come"}))
    assert back["state"] == "quarantine"
    gone = ok(await quinn.post(f"/lots/{lived.lot}/destroy", {"reason": "freezer failed"}))

    assert gone["state"] == "destroyed"
    states = await lab.sql(
        "SELECT DISTINCT state FROM lab.containers WHERE lot_id = $1 AND kind = 'vial'", await lived.lot_id()
    )
    assert [row["state"] for row in states] == ["destroyed"]


async def test_a_lot_that_is_being_made_is_not_submitted(lab: Lab):
    lived = await life.preparation(lab, upto="isolated")

    refused(await lab.as_("quinn").post(f"/lots/{lived.lot}/submit"), 409, "illegal-move")

    assert await lived.state() == "in_process"


async def test_a_stale_page_moves_nothing(lab: Lab):
    lived = await life.preparation(lab, upto="frozen")
    seen = (await lived.show())["version"]
    ok(await lab.as_("quinn").post(f"/lots/{lived.lot}/submit", headers={"If-Match": f'"{seen}"'}))

    stale = {"If-Match": f'"{seen}"'}
    refused(await lab.as_("quinn").post(f"/lots/{lived.lot}/send-back", {"reason": "x"}, headers=stale), 409, "stale")
    refused(
        await lab.as_("quinn").post(f"/lots/{lived.lot}/send-back", {"reason": "x"}, headers={"If-Match": "junk"}),
        422,
        "bad-input",
    )

    assert await lived.state() == "awaiting_release"


async def test_a_held_lot_is_not_submitted(lab: Lab):
    lived = await life.preparation(lab, upto="frozen")
    ok(await lab.as_("tess").post("/holds", {"item": lived.vials[0], "reason": "label loose"}))

    refused(await lab.as_("quinn").post(f"/lots/{lived.lot}/submit"), 409, "held")

    assert await lived.state() == "quarantine"


async def test_a_lot_is_rejected_by_signature_and_released_no_more(lab: Lab):
    lived = await life.preparation(lab, upto="awaiting_release")
    signed = await lab.sign("quinn", "rejected", "lot", lived.lot)

    assert ok(await lab.as_("quinn").post(f"/lots/{lived.lot}/reject", {"ceremony": signed}))["state"] == "rejected"

    refused(await lab.as_("quinn").post(f"/lots/{lived.lot}/reject", {"ceremony": signed}), 403, "ceremony-refused")
    assert await lived.state() == "rejected"


async def test_a_ceremony_for_a_release_rejects_nothing(lab: Lab):
    lived = await life.preparation(lab, upto="awaiting_release")
    ok(await lab.as_("lin").post(f"/lots/{lived.lot}/release-check"))
    signed = await lab.sign("lin", "released", "lot", lived.lot)

    refused(await lab.as_("lin").post(f"/lots/{lived.lot}/reject", {"ceremony": signed}), 403, "ceremony-refused")

    assert await lived.state() == "awaiting_release"


async def test_only_what_was_released_is_recalled_and_it_never_returns(lab: Lab):
    waiting = await life.preparation(lab, upto="awaiting_release")
    refused(await lab.as_("quinn").post(f"/lots/{waiting.lot}/recall", {"reason": "complaint"}), 409, "illegal-move")

    ok(await life.release(waiting))
    assert (
        ok(await lab.as_("quinn").post(f"/lots/{waiting.lot}/recall", {"reason": "complaint"}))["state"] == "recalled"
    )

    assert (await waiting.show())["acts"] == ["destroy"]
