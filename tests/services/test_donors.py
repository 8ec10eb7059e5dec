"""Registering a donor and what is recorded of them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from tests.services import things
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.world import Lab


async def test_a_donor_is_registered_under_a_pseudonym(lab: Lab) -> None:
    view = await things.donor(lab)
    assert view["code"][0] == "P"
    assert view["pseudonym"].startswith("D-")
    assert (view["tested_person"], view["genetic_source"], view["recipient"]) == (view["pseudonym"],) * 3
    assert ok(await lab.as_("quinn").get(f"/donors/{view['code']}")) == view


async def test_the_three_facts_are_kept_apart(lab: Lab) -> None:
    mother = ok(await lab.as_("tess").post("/persons", {"identity": things.identity("Li Mei")}))
    patient = ok(await lab.as_("phil").post("/persons", {"identity": things.identity("Wang Wu")}))
    child = await things.donor(
        lab, "allogeneic", tested_person=mother["code"], recipient=patient["code"], identity=things.identity("Baby Li")
    )
    assert mother["pseudonym"].startswith("S-")
    assert child["tested_person"] == mother["pseudonym"]
    assert child["genetic_source"] == child["pseudonym"]
    assert child["recipient"] == patient["pseudonym"]


async def test_an_identity_stands_nowhere_in_the_clear(lab: Lab) -> None:
    canary = f"Canary{uuid.uuid4().hex}"
    body = {"relation": "autologous", "identity": {**things.identity(canary), "phone": f"555-{canary}"}}
    view = ok(await lab.as_("tess").post("/donors", body))
    assert canary not in str(view)
    tables = await lab.sql(
        "SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind = 'r' AND n.nspname IN ('lab', 'people', 'identity', 'audit')"
    )
    for table in tables:
        found = await lab.value(f"SELECT count(*) FROM {table['name']} AS t WHERE t::text LIKE $1", f"%{canary}%")
        assert found == 0, table["name"]


async def test_the_same_person_is_not_registered_twice(lab: Lab) -> None:
    who = things.identity("Zhao Liu")
    first = ok(await lab.as_("tess").post("/donors", {"relation": "autologous", "identity": who}))
    before = await lab.value("SELECT count(*) FROM lab.persons")
    again = {**who, "name": "zhao  liu"}
    problem = refused(await lab.as_("phil").post("/persons", {"identity": again}), 409, "conflict")
    assert problem["code"] == first["code"]
    assert await lab.value("SELECT count(*) FROM lab.persons") == before


async def test_an_autologous_donor_has_no_other_recipient(lab: Lab) -> None:
    other = ok(await lab.as_("tess").post("/persons", {"identity": things.identity()}))
    body = {"relation": "autologous", "identity": things.identity(), "recipient": other["code"]}
    before = await lab.value("SELECT count(*) FROM lab.persons")
    problem = refused(await lab.as_("tess").post("/donors", body), 422, "bad-input")
    assert problem["rule"] == "REL-05"
    assert await lab.value("SELECT count(*) FROM lab.persons") == before


async def test_who_may_register(lab: Lab) -> None:
    for name in ("adam", "ana", "lin"):
        problem = await lab.as_(name).post("/donors", {"relation": "autologous", "identity": things.identity()})
        refused(problem, 403, "not-permitted")
    kept = await lab.value("SELECT count(*) FROM lab.refusals WHERE act = 'register_donor' AND kind = 'not-permitted'")
    assert kept >= 3


async def test_an_identity_is_matched_by_two_people(lab: Lab) -> None:
    view = await things.donor(lab)
    match = {"recipient": "self", "identifiers": ["hospital_number", "birth_date"], "second_by": "vera"}
    view = ok(await lab.as_("tess").post(f"/donors/{view['code']}/identity-matches", match))
    (kept,) = view["identity_matches"]
    assert kept["identifiers"] == ["birth_date", "hospital_number"]
    assert (kept["verified_by"], kept["second_by"], kept["recipient"]) == ("tess", "vera", view["pseudonym"])


async def test_nobody_matches_alone(lab: Lab) -> None:
    view = await things.donor(lab)
    path = f"/donors/{view['code']}/identity-matches"
    match = {"recipient": "self", "identifiers": ["hospital_number"], "second_by": "tess"}
    assert refused(await lab.as_("tess").post(path, match), 422)["field"] == "second_by"
    assert refused(await lab.as_("tess").post(path, match | {"second_by": "adam"}), 422)["field"] == "second_by"
    assert refused(await lab.as_("tess").post(path, match | {"second_by": "nobody"}), 422)["field"] == "second_by"
    refused(await lab.as_("tess").post(path, match | {"identifiers": ["shoe size"], "second_by": "vera"}), 422)
    assert ok(await lab.as_("tess").get(f"/donors/{view['code']}"))["identity_matches"] == []


async def test_a_consent_is_recorded_and_withdrawn(lab: Lab) -> None:
    code = (await things.donor(lab))["code"]
    consent = {"form_version": "ICF-3", "scopes": ["treatment", "banking"], "signed_at": things.ago(days=9)}
    view = ok(await lab.as_("tess").post(f"/donors/{code}/consents", consent))
    assert view["consents"][0]["scopes"] == ["banking", "treatment"]
    gone = {"form_version": "ICF-3", "withdrawn_at": things.ago(days=1)}
    view = ok(await lab.as_("quinn").post(f"/donors/{code}/consents/withdrawal", gone))
    assert view["consents"][0]["withdrawn_at"] is not None
    refused(await lab.as_("quinn").post(f"/donors/{code}/consents/withdrawal", gone), 409, "conflict")


async def test_a_consent_of_tomorrow_is_none(lab: Lab) -> None:
    code = (await things.donor(lab))["code"]
    consent = {"form_version": "ICF-3", "scopes": ["treatment"], "signed_at": things.ago(days=-1)}
    assert refused(await lab.as_("tess").post(f"/donors/{code}/consents", consent), 422)["field"] == "signed_at"
    naive = consent | {"signed_at": "2026-01-01T10:00:00"}
    refused(await lab.as_("tess").post(f"/donors/{code}/consents", naive), 422)
    assert ok(await lab.as_("tess").get(f"/donors/{code}"))["consents"] == []


async def test_markers_are_recorded_many_at_once(lab: Lab) -> None:
    code = (await things.donor(lab, "allogeneic"))["code"]
    view = ok(await lab.as_("ana").post(f"/donors/{code}/markers", {"markers": things.markers()}))
    assert len(view["markers"]) == 9
    assert {each["outcome"] for each in view["markers"]} == {"negative"}


async def test_a_marker_that_contradicts_itself_is_refused_and_none_is_kept(lab: Lab) -> None:
    code = (await things.donor(lab, "allogeneic"))["code"]
    good, bad = things.markers()[:2]
    for wrong in (
        {"reported_at": None},
        {"outcome": "pending"},
        {"reported_at": things.ago(days=5)},
        {"outcome": "fine"},
    ):
        refused(await lab.as_("ana").post(f"/donors/{code}/markers", {"markers": [good, bad | wrong]}), 422)
    refused(await lab.as_("tess").post(f"/donors/{code}/markers", {"markers": [good]}), 403)
    assert ok(await lab.as_("ana").get(f"/donors/{code}"))["markers"] == []


async def test_unknown_and_foreign_codes(lab: Lab) -> None:
    person = ok(await lab.as_("tess").post("/persons", {"identity": things.identity()}))
    refused(await lab.as_("tess").get(f"/donors/{person['code']}"), 404, "not-found")
    refused(await lab.as_("tess").get("/donors/P0000000000"), 422)
    lot = await things.material_lot(lab)
    refused(await lab.as_("tess").get(f"/donors/{lot['code']}"), 404, "not-found")


async def test_the_same_key_registers_once(lab: Lab) -> None:
    body = {"relation": "autologous", "identity": things.identity()}
    first = await lab.as_("tess").post("/donors", body, key="donor-once")
    again = await lab.as_("tess").post("/donors", body, key="donor-once")
    assert ok(first) == ok(again)
    assert again.headers["idempotency-replayed"] == "true"
    refused(await lab.as_("tess").post("/donors", body | {"relation": "allogeneic"}, key="donor-once"), 422)


async def test_donors_are_listed_newest_first(lab: Lab) -> None:
    made = [(await things.donor(lab))["code"] for _ in range(3)]
    first = ok(await lab.as_("tess").get("/donors", limit=2))
    rest = ok(await lab.as_("tess").get("/donors", limit=1, after=first[-1]["code"]))
    assert [each["code"] for each in first + rest] == made[::-1]
