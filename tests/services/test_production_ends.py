"""Cells at the end of production: reports as laboratories gave them, and what a study waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from tests import life, study
from tests.services import things
from tests.services.test_studies import closing
from tests.study import day, end_report
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.conftest import Database
    from tests.world import Lab

KEPT = "SELECT count(*) FROM lab.production_ends"
IN_VITRO = ("tumorigenicity_in_vitro", "karyotype", "adventitious_virus")


def naming(*names: str, **more: Any) -> list[dict[str, Any]]:
    return [{"test": name, "method": "M-1", "outcome": "passed", "found": "nothing", **more} for name in names]


async def mine(lab: Lab, **more: Any) -> tuple[str, str]:
    """A study of a process of which no last cells were tested, and a lot made by it."""
    shared = await life.new_shared(lab)
    lived = await life.preparation(lab, upto="planned", use=shared)
    return await study.registered(lab, process=shared.process, **more), lived.lot


async def verdict(lab: Lab, number: str) -> str:
    judged = ok(await lab.as_("tess").get(f"/studies/{number}"))["gates"]
    (found,) = [one for each in judged if each["gate"] == "G8" for one in each["verdicts"] if one["rule"] == "CB-12"]
    return str(found["outcome"])


async def test_a_study_waits_for_cells_tested_at_the_limit_and_a_failure_is_not_tested_away(lab: Lab) -> None:
    number, lot = await mine(lab)
    path, quinn = f"/lots/{lot}/production-ends", lab.as_("quinn")
    assert await verdict(lab, number) == "indeterminate"
    ok(await quinn.post(path, end_report(tests=naming(*IN_VITRO), pdl_reached="19")))
    assert await verdict(lab, number) == "indeterminate", "the cells had not reached the limit of 20"
    ok(await quinn.post(path, end_report(tests=naming(*IN_VITRO), pdl_reached="20")))
    assert await verdict(lab, number) == "pass", "in vivo is due by the confirmatory stage"
    grew = end_report(tests=naming("tumorigenicity_in_vitro", outcome="failed", found="colonies"))
    ok(await quinn.post(path, grew))
    assert await verdict(lab, number) == "fail"
    ok(await quinn.post(path, end_report()))
    assert await verdict(lab, number) == "fail"
    assert len(ok(await quinn.get(path))["reports"]) == 4


async def test_a_confirmatory_study_waits_for_what_was_found_in_vivo(lab: Lab) -> None:
    number, lot = await mine(lab, stage="confirmatory")
    path, quinn = f"/lots/{lot}/production-ends", lab.as_("quinn")
    assert await verdict(lab, number) == "fail"
    ok(await quinn.post(path, end_report(tests=naming(*IN_VITRO))))
    assert await verdict(lab, number) == "fail"
    ok(await quinn.post(path, end_report(tests=naming("tumorigenicity_in_vivo"))))
    assert await verdict(lab, number) == "pass"
    assert "CB-12" not in await closing(lab, number, "G8")


async def test_a_report_recorded_wrongly_is_recorded_anew_by_another_person(lab: Lab) -> None:
    number, lot = await mine(lab)
    path, quinn, rolf = f"/lots/{lot}/production-ends", lab.as_("quinn"), lab.as_("rolf")
    right = end_report()
    slip = {**right, "tests": naming("karyotype", outcome="failed")}
    key = ok(await quinn.post(path, slip))["report"]
    assert refused(await quinn.post(path, right), 422)["field"] == "report_number"
    refused(await quinn.post(path, {**right, "replaces": key, "why": "a slip"}), 403, "not-permitted")
    assert refused(await rolf.post(path, {**right, "replaces": key}), 422)["field"] == "why"
    other = {**right, "report_number": "EP-OTHER", "replaces": key, "why": "a slip"}
    assert refused(await rolf.post(path, other), 422)["field"] == "report_number"
    assert await verdict(lab, number) == "fail"
    ok(await rolf.post(path, {**right, "replaces": key, "why": "it had passed"}))
    assert await verdict(lab, number) == "pass"
    shown = ok(await quinn.get(path))["reports"]
    assert [(each["replaces"], each["is_replaced"]) for each in shown] == [(key, False), (None, True)]


async def test_a_report_that_cannot_be_is_refused_and_nothing_is_kept(lab: Lab) -> None:
    _, lot = await mine(lab)
    medium = (await things.material_lot(lab))["code"]
    before = await lab.value(KEPT)
    path, quinn = f"/lots/{lot}/production-ends", lab.as_("quinn")
    refused(await lab.as_("tess").post(path, end_report()), 403, "not-permitted")
    assert refused(await quinn.post(f"/lots/{medium}/production-ends", end_report()), 422)["field"] == "lot"
    assert refused(await quinn.post(path, end_report(reported_on=day(2))), 422)["field"] == "reported_on"
    twice = end_report(tests=naming("karyotype", "karyotype"))
    assert refused(await quinn.post(path, twice), 422)["field"] == "tests"
    assert refused(await quinn.post(path, end_report(why="a slip")), 422)["field"] == "why"
    for wrong in ({"pdl_reached": "0"}, {"pdl_reached": "NaN"}, {"tests": []}, {"tests": naming("smell")}):
        refused(await quinn.post(path, end_report(**wrong)), 422, "bad-input")
    refused(await quinn.post(path, end_report(file_sha256="abc")), 422, "bad-input")
    refused(await quinn.post(path, end_report(replaces=9_000_000, why="a slip")), 422, "bad-input")
    assert await lab.value(KEPT) == before


async def test_the_database_itself_holds_it(lab: Lab, database: Database) -> None:
    _, lot = await mine(lab)
    made = ok(await lab.as_("quinn").post(f"/lots/{lot}/production-ends", end_report()))["report"]
    app = await asyncpg.connect(database.url("stemma_app"))
    try:
        for statement in ("UPDATE lab.production_ends SET pdl_reached = 99", "DELETE FROM lab.production_ends"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(statement)
    finally:
        await app.close()
    copied = (
        "INSERT INTO lab.production_ends (lot_id, pdl_reached, laboratory, report_number, reported_on, file_name, file_sha256,"
        " tests, replaces_id, why, recorded_by) SELECT lot_id, pdl_reached, laboratory, {number}, reported_on, file_name,"
        " file_sha256, {tests}, id, 'a slip', {by} FROM lab.production_ends WHERE id = $1"
    )
    for changes, match in (
        ({"by": "recorded_by"}, "of their own writing"),
        ({"number": "'EP-OTHER'"}, "same report"),
        ({"tests": """'[{"test": "smell", "outcome": "passed"}]'::jsonb"""}, "ck_production_ends_tests"),
    ):
        said = {"number": "report_number", "tests": "tests", "by": str(lab.id_of("rolf")), **changes}
        with pytest.raises(asyncpg.PostgresError, match=match):
            await lab.arrange(copied.format(**said), made)
