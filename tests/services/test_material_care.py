"""Materials: animal serum by where it comes from, containers that stand open, lots that are rejected."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from tests import life
from tests.life import ago
from tests.services import things
from tests.world import ok, refused

if TYPE_CHECKING:
    import httpx

    from tests.world import Lab

SERUM = {"animal_serum": True, "species": "bovine"}
# A country of its own for each test: what one states is stated for all.
COUNTRIES = (f"B{letter}" for letter in "ABDEFGHIJLMNOQRSTVWYZ")
COLLECTED = date.today() - timedelta(days=100)


async def stated(lab: Lab, country: str, **more: Any) -> httpx.Response:
    body = {
        "country": country,
        "disease": "BSE",
        "category": "negligible",
        "valid_from": "2010-01-01",
        "source": "WOAH resolution 20",
        **more,
    }
    return await lab.as_("quinn").post("/animal-disease-status", body)


async def serum(lab: Lab, country: str, **more: Any) -> dict[str, Any]:
    material = await things.material(lab, **SERUM, animal_derived=True, description="fetal bovine serum, 胎牛血清")
    await things.assessed(lab, "MAT-04", material["name"], "animal_free_search", "residual_test")
    come_from = {"origin_countries": [country], "processed_in": country, "collected_on": str(COLLECTED), **more}
    return await things.material_lot(lab, material["name"], **come_from)


async def approve(lab: Lab, code: str) -> httpx.Response:
    ceremony = await lab.sign("quinn", "material_approved", "material_lot", code)
    return await lab.as_("quinn").post(f"/material-lots/{code}/approve", {"ceremony": ceremony})


async def mat_05(lab: Lab, code: str) -> dict[str, Any]:
    lot = ok(await lab.as_("quinn").get(f"/material-lots/{code}"))
    found: dict[str, Any] = next(each for each in lot["gate"]["verdicts"] if each["rule"] == "MAT-05")
    return found


# -- serum -------------------------------------------------------------------------------------------------------------


async def test_serum_is_approved_once_its_country_is_stated_with_a_source(lab: Lab) -> None:
    country = next(COUNTRIES)
    lot = await serum(lab, country)
    assert (lot["origin_countries"], lot["material"]["species"]) == ([country], "bovine")
    problem = refused(await approve(lab, lot["code"]), 409, "blocked")
    assert "MAT-05" in {each["rule"] for each in problem["rules"]}
    told = ok(await stated(lab, country))
    assert (told["stated_by"], told["category"]) == ("Quinn Qiu", "negligible")
    verdict = await mat_05(lab, lot["code"])
    assert verdict["outcome"] == "pass"
    assert "WOAH resolution 20" in str(verdict["evidence"])
    assert ok(await approve(lab, lot["code"]))["state"] == "approved"


async def test_a_later_statement_supersedes_from_its_first_day(lab: Lab) -> None:
    country = next(COUNTRIES)
    lot = await serum(lab, country)
    ok(await stated(lab, country, disease="bse "))
    assert (await mat_05(lab, lot["code"]))["outcome"] == "pass"
    worse = {"category": "undetermined", "valid_from": str(date.today() - timedelta(days=9)), "source": "notice 4"}
    ok(await stated(lab, country, **worse))
    assert (await mat_05(lab, lot["code"]))["outcome"] == "fail"
    ok(await stated(lab, country, valid_from=str(date.today() - timedelta(days=8))))
    assert (await mat_05(lab, lot["code"]))["outcome"] == "pass"
    prohibited = {"disease": "foot-and-mouth", "category": "prohibited", "valid_from": str(date.today())}
    ok(await stated(lab, country, **prohibited))
    assert (await mat_05(lab, lot["code"]))["outcome"] == "fail"
    listed = ok(await lab.as_("tess").get("/animal-disease-status", country=country))
    assert [each["disease"] for each in listed] == ["foot-and-mouth", "BSE", "BSE", "BSE"]


@pytest.mark.parametrize("unknown", ["origin_countries", "processed_in", "collected_on"])
async def test_what_the_certificate_leaves_open_keeps_the_gate_closed(lab: Lab, unknown: str) -> None:
    country = next(COUNTRIES)
    ok(await stated(lab, country))
    lot = await serum(lab, country, **{unknown: None})
    assert (await mat_05(lab, lot["code"]))["outcome"] == "indeterminate"
    refused(await approve(lab, lot["code"]), 409, "blocked")


async def test_a_material_of_which_nobody_said_whether_it_holds_serum_is_not_approved(lab: Lab) -> None:
    lot = await things.material_lot(lab, (await things.material(lab, animal_serum=None))["name"])
    assert (await mat_05(lab, lot["code"]))["outcome"] == "indeterminate"
    refused(await approve(lab, lot["code"]), 409, "blocked")


async def test_only_quality_states_a_status_and_only_of_a_country(lab: Lab) -> None:
    before = await lab.value("SELECT count(*) FROM lab.animal_disease_status")
    body = {"country": "AU", "disease": "BSE", "category": "negligible", "valid_from": "2010-01-01", "source": "x"}
    refused(await lab.as_("tess").post("/animal-disease-status", body), 403, "not-permitted")
    for wrong in (
        {"country": "XX"},
        {"country": "au"},
        {"category": "fine"},
        {"valid_to": "2009-01-01"},
        {"source": ""},
    ):
        refused(await lab.as_("quinn").post("/animal-disease-status", body | wrong), 422, "bad-input")
    assert await lab.value("SELECT count(*) FROM lab.animal_disease_status") == before


async def test_a_species_belongs_to_serum_and_is_known(lab: Lab) -> None:
    made = await things.material(lab)
    for wrong in (
        {"species": "bovine"},
        {"animal_serum": True, "species": "yeti"},
        {"animal_serum": None, "species": "ovine"},
    ):
        body = {**made, "name": uuid.uuid4().hex, **wrong}
        assert refused(await lab.as_("quinn").post("/materials", body), 422)["field"] == "species"
    body = {
        "material": made["name"],
        "supplier": "S",
        "supplier_lot": "X",
        "received_at": ago(),
        "containers": 1,
    }
    for wrong, field in (
        ({"origin_countries": ["AU", "XX"]}, "origin_countries"),
        ({"processed_in": "QQ"}, "processed_in"),
        ({"collected_on": str(date.today() + timedelta(days=9))}, "collected_on"),
    ):
        assert refused(await lab.as_("tess").post("/material-lots", body | wrong), 422)["field"] == field


# -- opened containers -------------------------------------------------------------------------------------------------


async def until(lab: Lab, code: str) -> datetime | None:
    opened: datetime | None = await lab.value(
        "SELECT c.opened_until FROM lab.containers c JOIN lab.item_codes k ON k.item_id = c.id WHERE k.code = $1", code
    )
    return opened


async def test_the_first_use_opens_a_container_and_the_next_one_after_its_time_is_refused(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="isolated")
    medium = await things.material(lab, opened_life_hours="48")
    lot = await things.approved_material_lot(lab, name=medium["name"])
    bottle, other = (each["code"] for each in lot["containers"])
    use = {"materials": [{"container": bottle, "quantity": "20", "unit": "mL"}]}
    before = datetime.now(UTC)
    made = ok(await life.pass_on(lived, **use))
    lived.flasks = made["containers"]
    opened = await until(lab, bottle)
    assert opened is not None
    assert timedelta(hours=47) < opened - before < timedelta(hours=49)
    assert await until(lab, other) is None
    again = ok(await life.pass_on(lived, **use))
    lived.flasks = again["containers"]
    assert await until(lab, bottle) == opened, "a second use opens nothing"

    past = "UPDATE lab.containers SET opened_until = $2 WHERE id = (SELECT item_id FROM lab.item_codes WHERE code = $1)"
    await lab.arrange(past, bottle, datetime.now(UTC) - timedelta(hours=1))
    problem = refused(await life.pass_on(lived, **use), 409, "blocked")
    assert {each["rule"] for each in problem["rules"]} == {"MAT-06"}
    assert bottle in str(problem["findings"])
    scanned = ok(await lab.as_("tess").post("/scans", {"raw": bottle, "intent": "use"}))
    assert (scanned["verdict"], scanned["reason"]) == ("refused", "expired")
    ok(await life.pass_on(lived, materials=[{"container": other, "quantity": "20", "unit": "mL"}]))


async def test_an_opening_without_use_is_noted_once(lab: Lab) -> None:
    medium = await things.material(lab, opened_life_hours="1.5")
    lot = await things.approved_material_lot(lab, name=medium["name"])
    code = lot["containers"][0]["code"]
    path = f"/items/{code}/open"
    refused(await lab.as_("quinn").post(path, {}), 403, "not-permitted")
    refused(await lab.as_("tess").post(path, {"opened_at": ago(hours=-3)}), 422, "bad-input")
    refused(await lab.as_("tess").post(path, {"opened_at": ago(days=30)}), 422, "bad-input")
    opened = ok(await lab.as_("tess").post(path, {"opened_at": ago(minutes=30)}))
    assert opened["code"] == code
    left = datetime.fromisoformat(opened["opened_until"]) - datetime.now(UTC)
    assert timedelta(minutes=55) < left < timedelta(minutes=65)
    refused(await lab.as_("tess").post(path, {}), 409, "conflict")
    refused(await lab.as_("tess").post(f"/items/{lot['code']}/open", {}), 404, "not-found")


async def test_what_keeps_as_long_as_unopened_or_waits_for_approval_is_not_opened(lab: Lab) -> None:
    keeps = await things.approved_material_lot(lab)
    waits = await things.material_lot(lab, (await things.material(lab, opened_life_hours="24"))["name"])
    for lot in (keeps, waits):
        code = lot["containers"][0]["code"]
        refused(await lab.as_("tess").post(f"/items/{code}/open", {}), 409, "conflict")
        assert await until(lab, code) is None


# -- rejection ---------------------------------------------------------------------------------------------------------


async def rejecting(lab: Lab, code: str, reason: str = "the box arrived warm") -> str:
    return await lab.sign("quinn", "material_rejected", "material_lot", code, reason)


async def reject(lab: Lab, code: str, ceremony: str, who: str = "quinn") -> httpx.Response:
    return await lab.as_(who).post(f"/material-lots/{code}/reject", {"ceremony": ceremony})


@pytest.mark.parametrize("make", [things.material_lot, things.approved_material_lot])
async def test_a_lot_is_rejected_by_signature_with_its_reason(lab: Lab, make: Any) -> None:
    lot = await make(lab)
    gone = ok(await reject(lab, lot["code"], await rejecting(lab, lot["code"])))
    assert (gone["state"], gone["rejected_by"], gone["rejected_because"]) == (
        "rejected",
        "Quinn Qiu",
        "the box arrived warm",
    )
    scanned = ok(await lab.as_("tess").post("/scans", {"raw": lot["containers"][0]["code"], "intent": "use"}))
    assert scanned["verdict"] == "refused"
    refused(await approve(lab, lot["code"]), 409)


async def test_a_rejection_needs_its_own_proof_and_a_reason(lab: Lab) -> None:
    lot, other = await things.material_lot(lab), await things.material_lot(lab)
    code = lot["code"]
    approving = await lab.sign("quinn", "material_approved", "material_lot", code)
    refused(await reject(lab, code, approving), 422)  # it states no reason
    refused(await reject(lab, code, await rejecting(lab, other["code"])), 403, "ceremony-refused")
    refused(await reject(lab, code, await rejecting(lab, code), who="tess"), 403, "not-permitted")
    refused(await reject(lab, code, await rejecting(lab, code), who="quincy"), 403, "ceremony-refused")
    silent = await lab.sign("quinn", "material_rejected", "material_lot", code, "")
    assert refused(await reject(lab, code, silent), 422)["field"] == "ceremony"
    refused(await reject(lab, code, silent), 422)  # spent
    assert ok(await lab.as_("tess").get(f"/material-lots/{code}"))["state"] == "quarantine"


async def test_the_database_itself_lets_no_opened_container_keep_for_longer(lab: Lab) -> None:
    medium = await things.material(lab, opened_life_hours="24")
    lot = await things.approved_material_lot(lab, name=medium["name"])
    code = lot["containers"][0]["code"]
    ok(await lab.as_("tess").post(f"/items/{code}/open", {}))
    opened = await until(lab, code)
    stretch = (
        "UPDATE lab.containers SET opened_until = {} WHERE id = (SELECT item_id FROM lab.item_codes WHERE code = $1)"
    )
    for later in ("opened_until + interval '1 hour'", "NULL"):
        with pytest.raises(asyncpg.PostgresError, match="stated already"):
            await lab.arrange(stretch.format(later), code)
    assert await until(lab, code) == opened
