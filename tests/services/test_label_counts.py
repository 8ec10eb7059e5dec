"""The count of a lot's labels: kept as it is, explained under a deviation where it does not come out, judged by REL-04."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tests import life
from tests.services import things
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.world import Lab

STATED = {
    "search": "workstation, waste, printer: twice",
    "mix_up_risk": "no other lot was open",
    "independent_evidence": "STR of every vial matches the donor",
}


async def labelled(lab: Lab) -> dict[str, Any]:
    """A lot whose flask and vial have their labels."""
    lot = await things.preparation(lab, (await things.eligible_donation(lab))["code"])
    for code in (lot["vial_code"], lot["flask_code"]):
        ok(await lab.as_("tess").post(f"/items/{code}/labels", {}))
    return lot


async def count(lab: Lab, lot: str, used: int, destroyed: int, returned: int, who: str = "tess") -> Any:
    body = {"used": used, "destroyed": destroyed, "returned": returned}
    return await lab.as_(who).post(f"/lots/{lot}/label-counts", body)


async def deviation(lab: Lab, item: str, *rules: str) -> str:
    body = {"item": item, "what": "a label is missing", "class": "minor", "rules": list(rules)}
    return str(ok(await lab.as_("tess").post("/deviations", body))["number"])


async def verdict(lab: Lab, lot: str) -> dict[str, Any]:
    """What REL-04 says at final release now."""
    checked = ok(await lab.as_("lin").post(f"/lots/{lot}/release-check"))
    return next(each for each in checked["verdicts"] if each["rule"] == "REL-04")


async def objections(lab: Lab, made: life.Life) -> set[str]:
    """The rules for which the gate itself, in SQL, would not let the lot pass."""
    rows = await lab.sql("SELECT gate.objections($1, $2) AS said", await made.lot_id(), lab.id_of("lin"))
    return {row["said"].split(":")[0] for row in rows}


async def test_a_count_that_comes_out(lab: Lab) -> None:
    lot = await labelled(lab)
    counted = ok(await count(lab, lot["lot_code"], 2, 0, 0))
    assert (counted["printed"], counted["missing"], counted["remedy"]) == (2, 0, None)
    shown = ok(await lab.as_("quinn").get(f"/lots/{lot['lot_code']}/labels"))
    assert (shown["printed"], shown["is_stale"]) == (2, False)
    assert {each["item"] for each in shown["labels"]} == {lot["vial_code"], lot["flask_code"]}


async def test_a_reprint_comes_back_as_destroyed(lab: Lab) -> None:
    lot = await labelled(lab)
    ok(await lab.as_("tess").post(f"/items/{lot['vial_code']}/labels", {"reason": "torn"}))
    shown = ok(await lab.as_("tess").get(f"/lots/{lot['lot_code']}/labels"))
    assert (shown["printed"], shown["voided"]) == (3, 1)
    assert ok(await count(lab, lot["lot_code"], 2, 1, 0))["missing"] == 0


async def test_a_count_that_does_not_come_out_is_kept_as_it_is(lab: Lab) -> None:
    lot = await labelled(lab)
    missing = ok(await count(lab, lot["lot_code"], 1, 0, 0))
    assert missing["missing"] == 1
    assert "REL-04" in missing["remedy"]
    many = ok(await count(lab, lot["lot_code"], 2, 1, 0))
    assert many["missing"] == -1
    kept = await lab.sql("SELECT used, destroyed FROM lab.label_counts WHERE lot_id = $1 ORDER BY id", lot["lot"])
    assert [tuple(row) for row in kept] == [(1, 0), (2, 1)]


async def test_only_technicians_count_and_only_quality_explains(lab: Lab) -> None:
    lot = await labelled(lab)
    for who in ("quinn", "ana", "adam", "lin"):
        refused(await count(lab, lot["lot_code"], 2, 0, 0, who=who), 403, "not-permitted")
    for body in ({"used": -1}, {"used": 1.5}, {"used": 10**9}, {"used": None}):
        refused(
            await lab.as_("tess").post(
                f"/lots/{lot['lot_code']}/label-counts", {"destroyed": 0, "returned": 0, **body}
            ),
            422,
        )
    body = {"deviation": "DV-26-0001", **STATED}
    refused(await lab.as_("tess").post(f"/lots/{lot['lot_code']}/label-imbalance", body), 403, "not-permitted")
    assert await lab.value("SELECT count(*) FROM lab.label_counts WHERE lot_id = $1", lot["lot"]) == 0


async def test_what_is_printed_while_somebody_counts_is_counted_or_makes_the_count_old(lab: Lab) -> None:
    lot = await labelled(lab)
    path = f"/items/{lot['vial_code']}/labels"
    await asyncio.gather(
        *(lab.as_("tom").post(path, {"reason": f"copy {n}"}) for n in range(3)),
        *(count(lab, lot["lot_code"], 2, n, 0) for n in range(3)),
    )
    for row in await lab.sql("SELECT printed, recorded_at FROM lab.label_counts WHERE lot_id = $1", lot["lot"]):
        before = await lab.value(
            "SELECT count(*) FROM lab.labels b JOIN lab.containers c ON c.id = b.item_id"
            " WHERE c.lot_id = $1 AND b.recorded_at < $2",
            lot["lot"],
            row["recorded_at"],
        )
        assert row["printed"] == before


async def test_an_imbalance_is_stated_under_a_fitting_deviation_alone(lab: Lab) -> None:
    lot = await labelled(lab)
    other = await labelled(lab)
    path = f"/lots/{lot['lot_code']}/label-imbalance"
    fitting = await deviation(lab, lot["lot_code"], "REL-04")
    body = {"deviation": fitting, **STATED}
    quinn = lab.as_("quinn")
    assert "not counted" in refused(await quinn.post(path, body), 409, "conflict")["why"]
    ok(await count(lab, lot["lot_code"], 2, 0, 0))
    assert "comes out" in refused(await quinn.post(path, body), 409, "conflict")["why"]
    ok(await count(lab, lot["lot_code"], 1, 0, 0))
    elsewhere = await deviation(lab, other["lot_code"], "REL-04")
    otherwise = await deviation(lab, lot["lot_code"], "GMP-03")
    signed = await deviation(lab, lot["vial_code"], "REL-04")
    await life.close_deviation(lab, signed)
    for number in (elsewhere, otherwise, signed):
        assert refused(await quinn.post(path, body | {"deviation": number}), 422)["field"] == "deviation"
    refused(await quinn.post(path, body | {"deviation": "DV-99-9999"}), 404, "not-found")
    assert await lab.value("SELECT count(*) FROM lab.label_imbalances WHERE lot_id = $1", lot["lot"]) == 0
    stated = ok(await quinn.post(path, body))
    assert (stated["deviation"], stated["deviation_state"]) == (fitting, "open")
    ok(await lab.as_("tess").post(f"/items/{lot['vial_code']}/labels", {"reason": "torn"}))
    assert "not counted" in refused(await quinn.post(path, body), 409, "conflict")["why"]


async def test_the_closing_signature_covers_what_was_stated(lab: Lab) -> None:
    lot = await labelled(lab)
    ok(await count(lab, lot["lot_code"], 1, 0, 0))
    number = await deviation(lab, lot["lot_code"], "REL-04")
    key = await lab.value("SELECT id FROM lab.deviations WHERE number = $1", number)
    early = await life.ceremony(lab, "quinn", "deviation_closed", "deviation", key, "none")
    ok(await lab.as_("quinn").post(f"/lots/{lot['lot_code']}/label-imbalance", {"deviation": number, **STATED}))
    body = {"ceremony": early}
    refused(await lab.as_("quinn").post(f"/deviations/{number}/close", body), 409, "stale")


async def test_the_gate_closes_on_an_imbalance_and_opens_with_its_signed_deviation(lab: Lab) -> None:
    made = await life.preparation(lab, upto="tested")
    ok(await count(lab, made.lot, 0, 0, 0))
    ok(await life.review_batch(made))
    found = await verdict(lab, made.lot)
    assert found["outcome"] == "fail"
    assert "REL-04" in await objections(lab, made)
    number = await deviation(lab, made.lot, "REL-04")
    ok(await lab.as_("quinn").post(f"/lots/{made.lot}/label-imbalance", {"deviation": number, **STATED}))
    ok(await life.review_batch(made))
    assert (await verdict(lab, made.lot))["outcome"] == "fail"
    await life.close_deviation(lab, number, impact="none")
    ok(await life.review_batch(made))
    found = await verdict(lab, made.lot)
    assert found["outcome"] == "pass"
    assert "REL-04" not in await objections(lab, made)
    assert number in [each["subject"] for each in found["evidence"]]
    ok(await count(lab, made.lot, 0, 0, 0))
    ok(await life.review_batch(made))
    assert (await verdict(lab, made.lot))["outcome"] == "fail", "a new count needs its own statement"
    await lab.as_("tess").post(f"/items/{made.vials[0]}/labels", {"reason": "torn"})
    assert (await verdict(lab, made.lot))["outcome"] == "indeterminate"
    assert "REL-04" in await objections(lab, made)


async def test_a_life_whose_labels_come_out_is_released(lab: Lab) -> None:
    made = await life.preparation(lab, upto="released")
    assert made.release
