"""The review of the batch record: what the release rests on is exactly what was reviewed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests import life
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.world import Lab


async def test_a_review_freezes_the_record_by_its_digest(lab: Lab):
    lived = await life.preparation(lab, upto="tested")
    signed = await lab.sign("quinn", "batch_reviewed", "batch", lived.lot, "accepted")
    body = {"decision": "accepted", "remarks": "complete", "ceremony": signed}

    made = ok(await lab.as_("quinn").post(f"/lots/{lived.lot}/batch-review", body))

    assert len(made["package_digest"]) == 64
    review = (await lived.show())["batch_review"]
    assert (review["decision"], review["by"], review["current"]) == ("accepted", "Quinn Qiu", True)
    assert "QA-06" not in {each["rule"] for each in (await lived.show())["blocks"]}


async def test_whatever_is_recorded_later_needs_a_new_review(lab: Lab):
    lived = await life.preparation(lab, upto="reviewed")
    await life.deviation_closed(lab, lived.lot, impact="none")

    story = await lived.show()

    assert story["batch_review"]["current"] is False
    assert "QA-06" in {each["rule"] for each in story["blocks"]}
    ok(await life.review_batch(lived))
    assert "QA-06" not in {each["rule"] for each in (await lived.show())["blocks"]}


async def test_a_record_that_changed_after_it_was_shown_is_not_signed(lab: Lab):
    lived = await life.preparation(lab, upto="tested")
    signed = await life.ceremony(lab, "quinn", "batch_reviewed", "batch", await lived.lot_id(), "accepted")
    ok(await lab.as_("tess").post("/deviations", {"item": lived.lot, "what": "late news", "class": "minor"}))

    body = {"decision": "accepted", "remarks": "complete", "ceremony": signed}
    refused(await lab.as_("quinn").post(f"/lots/{lived.lot}/batch-review", body), 409, "stale")

    assert await lab.value("SELECT count(*) FROM lab.batch_reviews WHERE lot_id = $1", await lived.lot_id()) == 0
    burned = await lab.value("SELECT burned_why FROM people.ceremonies WHERE id::text = $1", signed)
    assert burned == "stale"


async def test_a_record_still_being_written_is_not_reviewed(lab: Lab):
    lived = await life.preparation(lab, upto="filled")

    refused(await life.review_batch(lived), 409, "illegal-move")


async def test_a_returned_record_keeps_the_gate_closed(lab: Lab):
    lived = await life.preparation(lab, upto="tested")

    ok(await life.review_batch(lived, "returned"))

    assert "QA-06" in {each["rule"] for each in (await lived.show())["blocks"]}


async def test_only_a_qa_manager_reviews(lab: Lab):
    lived = await life.preparation(lab, upto="tested")
    signed = await life.ceremony(lab, "quinn", "batch_reviewed", "batch", await lived.lot_id(), "accepted")
    body = {"decision": "accepted", "remarks": "complete", "ceremony": signed}

    for who in ("lin", "tess", "hedda", "adam"):
        refused(await lab.as_(who).post(f"/lots/{lived.lot}/batch-review", body), 403, "not-permitted")
    refused(await lab.as_("quincy").post(f"/lots/{lived.lot}/batch-review", body), 403, "ceremony-refused")
