"""Reagents prepared in house: a recipe, scanned containers, a second person, and what runs through to the cells."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from tests import life
from tests.services import things
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.conftest import Database
    from tests.world import Lab


async def part(lab: Lab, days: int = 200, **more: Any) -> dict[str, Any]:
    """An approved material lot of a material of its own; `name` is the material's."""
    material = await things.material(lab, **more)
    lot = await things.approved_material_lot(
        lab, name=material["name"], expires_on=str(date.today() + timedelta(days=days))
    )
    return {"name": material["name"], "lot": lot["code"], "bottle": lot["containers"][0]["code"]}


async def recipe(lab: Lab, *parts: dict[str, Any], name: str | None = None, hours: int = 72) -> dict[str, Any]:
    body = {
        "material": name or f"Complete medium {uuid.uuid4().hex[:8]}",
        "components": [{"material": each["name"], "amount": "450", "unit": "mL"} for each in parts],
        "shelf_life_hours": str(hours),
        "storage": "2–8 °C, dark",
        "instructions": "mix, filter 0.22 µm, label",
    }
    found: dict[str, Any] = ok(await lab.as_("quinn").post("/recipes", body))
    return found


def preparation(of: dict[str, Any], *parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    taken = [{"container": each["bottle"], "quantity": "450", "unit": "mL"} for each in parts]
    return {"recipe": of["recipe"], "parts": taken, "containers": 2, **more}


async def prepared(lab: Lab, of: dict[str, Any], *parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = ok(await lab.as_("tess").post("/reagents", preparation(of, *parts, **more)))
    return found


async def verify(lab: Lab, reagent: dict[str, Any], who: str = "vera", scanned: str | None = None) -> Any:
    body = {"badge": lab.badge(who), "pin": lab.pin(who), "scanned": scanned or reagent["containers"][0]}
    return await lab.as_("tess").post(f"/reagents/{reagent['code']}/verification", body)


async def approve(lab: Lab, code: str) -> Any:
    signed = await lab.sign("quinn", "material_approved", "material_lot", code)
    return await lab.as_("quinn").post(f"/material-lots/{code}/approve", {"ceremony": signed})


async def checked(lab: Lab, code: str) -> None:
    """The laboratory's own test of the reagent, reviewed."""
    body = {"kind": "analysis", "reference": "QC-26-118"}
    ok(await lab.as_("rolf").post(f"/material-lots/{code}/certificates", body))


async def verdicts(lab: Lab, code: str) -> dict[str, str]:
    shown = ok(await lab.as_("quinn").get(f"/material-lots/{code}"))
    return {each["rule"]: each["outcome"] for each in shown["gate"]["verdicts"]}


async def ready(lab: Lab, *parts: dict[str, Any], hours: int = 72) -> dict[str, Any]:
    """A reagent of these, verified, tested, approved for use."""
    made = await prepared(lab, await recipe(lab, *parts, hours=hours), *parts)
    ok(await verify(lab, made))
    await checked(lab, made["code"])
    ok(await approve(lab, made["code"]))
    return made


async def test_a_reagent_is_prepared_verified_tested_and_approved(lab: Lab) -> None:
    base, supplement = await part(lab), await part(lab)
    of = await recipe(lab, base, supplement)
    assert (of["version"], of["is_newest"]) == (1, True)
    made = await prepared(lab, of, base, supplement)
    assert {each["material"] for each in made["parts"]} == {base["name"], supplement["name"]}
    assert len(made["containers"]) == 2
    told = await verdicts(lab, made["code"])
    assert (told["MAT-13"], told["MAT-06"], told["MAT-03"]) == ("fail", "indeterminate", "pass")

    verified = ok(await verify(lab, made))
    assert verified["verified_by"] == "Vera Wei"
    await checked(lab, made["code"])
    assert ok(await approve(lab, made["code"]))["state"] == "approved"
    read = ok(await lab.as_("ana").get(f"/reagents/{made['code']}"))
    assert (read["state"], read["prepared_by"], read["verified_by"]) == ("approved", "Tess Tan", "Vera Wei")


async def test_it_keeps_no_longer_than_any_of_its_parts(lab: Lab) -> None:
    base, short, open_soon = await part(lab), await part(lab, days=3), await part(lab, opened_life_hours="5")
    at = datetime.now(UTC)

    def hours(made: dict[str, Any]) -> float:
        return (datetime.fromisoformat(made["expires_at"]) - at).total_seconds() / 3600

    assert abs(hours(await prepared(lab, await recipe(lab, base, hours=72), base)) - 72) < 0.1
    of_short = await prepared(lab, await recipe(lab, base, short, hours=2000), base, short)
    assert 60 < hours(of_short) < 100
    assert abs(hours(await prepared(lab, await recipe(lab, open_soon, hours=72), open_soon)) - 5) < 0.1
    shown = ok(await lab.as_("quinn").get(f"/material-lots/{of_short['code']}"))
    assert {each["opened_until"] for each in shown["containers"]} == {of_short["expires_at"]}


async def test_what_may_not_go_into_one(lab: Lab) -> None:
    base, other = await part(lab), await part(lab)
    of = await recipe(lab, base)
    count = "SELECT count(*) FROM lab.reagents"
    before = await lab.value(count)
    waiting = await things.material_lot(lab, base["name"])
    quarantined = {**base, "bottle": waiting["containers"][0]["code"]}
    cases = (
        (preparation(of, other), 422),
        (preparation(of, base, other), 422),
        (preparation(of, base, base), 422),
        (preparation(of, quarantined), 409),
        (preparation(of, {**base, "bottle": base["lot"]}), 422),
        (preparation(of, base, prepared_at=(datetime.now(UTC) + timedelta(hours=3)).isoformat()), 422),
        (preparation({"recipe": 999_999_999}, base), 404),
    )
    for body, status in cases:
        assert (await lab.as_("tess").post("/reagents", body)).status_code == status, body
    refused(await lab.as_("quinn").post("/reagents", preparation(of, base)), 403, "not-permitted")

    ok(await lab.as_("tess").post("/holds", {"item": base["lot"], "reason": "turbid"}))
    refused(await lab.as_("tess").post("/reagents", preparation(of, base)), 409, "conflict")
    assert await lab.value(count) == before


async def test_an_older_version_is_not_prepared(lab: Lab) -> None:
    base = await part(lab)
    first = await recipe(lab, base)
    second = await recipe(lab, base, name=first["material"], hours=24)
    assert second["version"] == 2
    refused(await lab.as_("tess").post("/reagents", preparation(first, base)), 409, "conflict")
    ok(await lab.as_("tess").post("/reagents", preparation(second, base)))
    listed = ok(await lab.as_("tess").get("/recipes"))
    assert [each["version"] for each in listed if each["material"] == first["material"]] == [2, 1]


async def test_what_is_no_recipe(lab: Lab) -> None:
    base = await part(lab)
    component = {"material": base["name"], "amount": "1", "unit": "mL"}
    body = {
        "material": "X " + uuid.uuid4().hex,
        "components": [component],
        "shelf_life_hours": "5",
        "storage": "cold",
        "instructions": "mix",
    }
    for wrong, status in (
        ({"components": [component, component]}, 422),
        ({"components": []}, 422),
        ({"components": [{**component, "material": "nobody's"}]}, 404),
        ({"components": [{**component, "amount": "0"}]}, 422),
        ({"shelf_life_hours": "0"}, 422),
        ({"material": base["name"]}, 422),
    ):
        assert (await lab.as_("quinn").post("/recipes", {**body, **wrong})).status_code == status, wrong
    bought = await things.material(lab)
    refused(await lab.as_("quinn").post("/recipes", {**body, "material": bought["name"]}), 409, "conflict")
    refused(await lab.as_("tess").post("/recipes", body), 403, "not-permitted")


async def test_who_verifies_is_somebody_else_and_scans_it(lab: Lab) -> None:
    base, other = await part(lab), await part(lab)
    made = await prepared(lab, await recipe(lab, base), base)
    refused(await verify(lab, made, who="tom"), 403, "ceremony-refused")
    refused(await verify(lab, made, who="tess"), 403, "ceremony-refused")
    refused(await verify(lab, made, scanned=other["bottle"]), 409, "conflict")
    refused(await verify(lab, {**made, "code": base["lot"]}), 404, "not-found")
    assert (await verdicts(lab, made["code"]))["MAT-13"] == "fail"
    ok(await verify(lab, made, scanned=base["bottle"]))
    refused(await verify(lab, made), 409, "conflict")
    assert (await verdicts(lab, made["code"]))["MAT-13"] == "pass"


async def test_one_of_another_and_the_whole_chain_is_judged(lab: Lab) -> None:
    salt = await part(lab)
    stock = await ready(lab, salt)
    within = {"name": stock["material"], "bottle": stock["containers"][0]}
    made = await prepared(lab, await recipe(lab, within, hours=2000), within)
    assert made["expires_at"] <= stock["expires_at"]
    ok(await verify(lab, made))
    await checked(lab, made["code"])
    assert (await verdicts(lab, made["code"]))["MAT-13"] == "pass"
    # Whatever befalls the salt closes the medium two preparations later.
    ok(await lab.as_("quinn").post(f"/material-lots/{salt['lot']}/recall", {"reason": "supplier recall"}))
    told = await verdicts(lab, made["code"])
    assert (told["MAT-06"], told["HOLD"]) == ("fail", "fail")
    assert (await approve(lab, made["code"])).status_code == 409


async def test_a_recall_of_a_part_reaches_the_cells(lab: Lab) -> None:
    salt = await part(lab)
    medium = await ready(lab, salt)
    own = await life.new_shared(lab)
    own.bottles[0] = medium["containers"][0]
    grown = await life.preparation(lab, upto="awaiting_release", use=own)
    before = ok(await lab.as_("lin").post(f"/lots/{grown.lot}/release-check"))
    outcomes = {each["rule"]: each["outcome"] for each in before["verdicts"]}
    assert (outcomes["MAT-11"], outcomes["MAT-13"], outcomes["MAT-02"]) == ("pass", "pass", "pass")

    ok(await lab.as_("quinn").post(f"/material-lots/{salt['lot']}/recall", {"reason": "supplier recall"}))
    after = ok(await lab.as_("lin").post(f"/lots/{grown.lot}/release-check"))
    outcomes = {each["rule"]: each["outcome"] for each in after["verdicts"]}
    assert (outcomes["MAT-11"], outcomes["HOLD"]) == ("needs_waiver", "fail")
    found = await lab.sql(
        "SELECT * FROM gate.objections((SELECT item_id FROM lab.item_codes WHERE code = $1), $2)",
        grown.lot,
        lab.id_of("lin"),
    )
    assert any(str(row[0]).startswith("MAT-11") for row in found)


async def test_the_database_keeps_an_expiry_from_outliving_a_part(lab: Lab, database: Database) -> None:
    base = await part(lab, days=3)
    made = await prepared(lab, await recipe(lab, base), base)
    key = await life.id_of(lab, made["code"])
    bottle, lot = await life.id_of(lab, base["bottle"]), await life.id_of(lab, base["lot"])
    application = await asyncpg.connect(database.url("stemma_app"))
    for statement in (
        f"UPDATE lab.reagents SET expires_at = now() + interval '900 days' WHERE id = {key}",
        f"DELETE FROM lab.reagent_parts WHERE reagent_id = {key}",
        f"INSERT INTO lab.reagent_verifications (reagent_id) VALUES ({key})",
        f"SELECT people.verify_reagent({key}, 1, 1, 'x')",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await application.execute(statement)
    await application.close()
    part_of = "INSERT INTO lab.reagent_parts (reagent_id, container_id, material_lot_id, quantity, unit)"
    with pytest.raises(asyncpg.PostgresError, match="written when it is prepared"):
        await lab.arrange(f"{part_of} VALUES ($1, $2, $3, 1, 'mL')", key, bottle, lot)
    whole = """
        WITH kept AS (INSERT INTO lab.reagents (id, recipe_id, prepared_by, prepared_at, expires_at, recorded_by)
            SELECT $1, recipe_id, prepared_by, prepared_at, now() + interval '900 days', recorded_by
            FROM lab.reagents WHERE id = $2) SELECT 1
    """
    fresh = await life.id_of(lab, (await things.material_lot(lab))["code"])
    with pytest.raises(asyncpg.PostgresError, match="nothing went into this reagent"):
        await lab.arrange(whole, fresh, key)
    with pytest.raises(asyncpg.PostgresError, match="keeps no longer than the reagent"):
        await lab.arrange("UPDATE lab.containers SET opened_until = now() + interval '900 days' WHERE lot_id = $1", key)
