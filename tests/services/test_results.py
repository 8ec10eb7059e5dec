"""Results: measured by one, reviewed by another, set aside only under an investigation that has ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests import life
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.world import Lab

KEPT = "SELECT count(*) FROM lab.results WHERE lot_id = $1"


async def record(lived: life.Life, who: str = "ana", **more: Any) -> Any:
    body = {"test": "viability", "value": "93.4", "unit": "%", "method_version": "1", "measured_at": life.now()}
    return await lived.lab.as_(who).post(f"/samples/{lived.samples[0]}/results", body | more)


async def invalidate(lived: life.Life, number: int, deviation: str, who: str = "quinn") -> Any:
    body = {"deviation": deviation, "reason": "the incubator of the test had failed"}
    return await lived.lab.as_(who).post(f"/results/{number}/invalidate", body)


async def test_a_result_answers_the_line_of_the_lots_specification(lab: Lab):
    lived = await life.preparation(lab, upto="sampled")

    made = ok(await record(lived, test="Viability", value=93.4))

    assert (made["test"], made["value"], made["lot"]) == ("viability", "93.4", lived.lot)
    assert await lab.value("SELECT analyst FROM lab.results WHERE id = $1", made["result"]) == lab.id_of("ana")


async def test_a_bad_result_is_kept_as_it_is(lab: Lab):
    lived = await life.preparation(lab, upto="sampled")

    made = ok(await record(lived, test="sterility", value="growth of Gram-positive cocci", unit=None))

    assert await lab.value("SELECT value_text FROM lab.results WHERE id = $1", made["result"]) == made["value"]


async def test_what_cannot_have_been_measured_is_refused_and_what_lies_far_outside_is_kept(lab: Lab):
    lived = await life.preparation(lab, upto="sampled")
    for test, value, unit in (("viability", "100.1", "%"), ("viability", "-1", "%"), ("endotoxin", "-0.01", "EU/mL")):
        said = refused(await record(lived, test=test, value=value, unit=unit), 422, "bad-input")
        assert (said["field"], said["why"].startswith(test)) == ("value", True)
    assert await lab.value(KEPT, await lived.lot_id()) == 0
    for test, value, unit in (("viability", "0", "%"), ("endotoxin", "93000", "EU/mL")):
        ok(await record(lived, test=test, value=value, unit=unit))


async def test_a_value_of_the_wrong_sort_or_an_unknown_test_is_refused(lab: Lab):
    lived = await life.preparation(lab, upto="sampled")

    assert "sterility" in refused(await record(lived, test="colour"), 422, "bad-input")["remedy"]
    refused(await record(lived, value="fine"), 422, "bad-input")
    refused(await record(lived, value="NaN"), 422, "bad-input")
    refused(await record(lived, value="1e400"), 422, "bad-input")
    refused(await record(lived, test="sterility", value=7), 422, "bad-input")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    refused(await record(lived, measured_at=tomorrow), 422, "bad-input")
    refused(await record(lived, who="tess"), 403, "not-permitted")
    refused(await record(lived, who="rolf"), 403, "not-permitted")

    assert await lab.value(KEPT, await lived.lot_id()) == 0


async def test_another_accepts_it_by_signature(lab: Lab):
    lived = await life.preparation(lab, upto="sampled")
    number = ok(await record(lived))["result"]
    signed = await lab.sign("rolf", "result_reviewed", "result", str(number), "accepted")

    body = {"decision": "accepted", "remarks": "checked", "ceremony": signed}
    ok(await lab.as_("rolf").post(f"/results/{number}/review", body))

    (shown,) = (await lived.show())["results"]
    assert (shown["review"], shown["analyst"], shown["value_number"]) == ("accepted", "ana", 93.4)


async def test_a_review_says_what_was_signed(lab: Lab):
    lived = await life.preparation(lab, upto="sampled")
    number = ok(await record(lived))["result"]
    signed = await life.ceremony(lab, "rolf", "result_reviewed", "result", number, "returned")

    body = {"decision": "accepted", "remarks": "checked", "ceremony": signed}
    refused(await lab.as_("rolf").post(f"/results/{number}/review", body), 403, "not-permitted")

    assert await lab.value("SELECT count(*) FROM lab.result_reviews WHERE result_id = $1", number) == 0
    # The ceremony is spent by the refusal.
    body = {"decision": "returned", "remarks": "checked", "ceremony": signed}
    refused(await lab.as_("rolf").post(f"/results/{number}/review", body), 403, "ceremony-refused")


async def test_a_ceremony_for_another_result_reviews_nothing(lab: Lab):
    lived = await life.preparation(lab, upto="sampled")
    first, second = ok(await record(lived))["result"], ok(await record(lived))["result"]
    signed = await life.ceremony(lab, "rolf", "result_reviewed", "result", first, "accepted")

    body = {"decision": "accepted", "remarks": "checked", "ceremony": signed}
    refused(await lab.as_("rolf").post(f"/results/{second}/review", body), 403, "ceremony-refused")
    refused(await lab.as_("ana").post(f"/results/{first}/review", body), 403, "not-permitted")
    refused(await lab.as_("rolf").post("/results/999999999/review", body), 404, "not-found")
    refused(await lab.as_("rolf").post("/results/99999999999999999999/review", body), 422, "bad-input")


async def test_a_failing_result_stands_until_an_investigation_has_ended(lab: Lab):
    lived = await life.preparation(lab, upto="sampled")
    number = ok(await record(lived, test="sterility", value="growth", unit=None))["result"]
    other = await life.preparation(lab, upto="planned")
    elsewhere = await life.deviation_closed(lab, other.lot)
    here = ok(await lab.as_("ana").post("/deviations", {"item": lived.samples[0], "what": "OOS", "class": "major"}))

    refused(await invalidate(lived, number, "DV-00-0000"), 409, "conflict")
    refused(await invalidate(lived, number, elsewhere), 409, "conflict")
    assert refused(await invalidate(lived, number, here["number"]), 409, "conflict")["rule"] == "REL-02"
    refused(await invalidate(lived, number, here["number"], who="ana"), 403, "not-permitted")

    await life.close_deviation(lab, here["number"], impact="none")
    ok(await invalidate(lived, number, here["number"]))
    refused(await invalidate(lived, number, here["number"]), 409, "conflict")
    assert [each["invalidated"] for each in (await lived.show())["results"]] == [True]


async def test_a_result_set_aside_and_measured_anew_no_longer_blocks(lab: Lab):
    lived = await life.preparation(lab, upto="tested", findings={"sterility": ("growth", None)})
    blocked = {each["rule"] for each in (await lived.show())["blocks"]}
    again = await life.measured(lived, "sterility", "no growth", None)
    await life.result_reviewed(lived, again)
    still = {each["rule"] for each in (await lived.show())["blocks"]}

    number = await life.deviation_closed(lab, lived.samples[0], impact="none", what="the test medium was contaminated")
    ok(await invalidate(lived, lived.results["sterility"], number))

    assert "REL-02" in blocked
    assert "REL-02" in still  # no testing into compliance
    assert "REL-02" not in {each["rule"] for each in (await lived.show())["blocks"]}
    await life.go_on(lived, upto="released")
    assert await lived.state() == "released"


async def test_the_gate_itself_counts_no_result_as_set_aside_while_the_investigation_is_open(lab: Lab):
    lived = await life.preparation(lab, upto="awaiting_release", findings={"sterility": ("growth", None)})
    number = ok(await lab.as_("ana").post("/deviations", {"item": lived.lot, "what": "OOS", "class": "minor"}))[
        "number"
    ]
    against = "SELECT o FROM gate.objections($1, $2) AS o WHERE o LIKE 'REL-02%'"

    # Written past the service, as somebody with the application's password could.
    await lab.arrange(
        "INSERT INTO lab.result_invalidations (result_id, deviation_id, reason, recorded_by)"
        " SELECT $1, id, 'set aside', $2 FROM lab.deviations WHERE number = $3",
        lived.results["sterility"],
        lab.id_of("ana"),
        number,
    )

    found = await lab.sql(against, await lived.lot_id(), lab.id_of("lin"))
    assert [row["o"] for row in found] == ["REL-02: a result of sterility fails"]
    assert "REL-02" in {each["rule"] for each in (await lived.show())["blocks"]}
