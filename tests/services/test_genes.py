"""Changed genes over HTTP: vectors and what they came of, tests for replicating virus, off-target edits, rooms kept apart."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from labels.codes import CodeKind, new_code
from tests import life, study
from tests.life import ago
from tests.services import things
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.conftest import Database
    from tests.world import Lab

BANK = {"role": "producer_bank", "name": "HEK293T WCB", "part_lot": "WCB-3"}
PLASMID = {"role": "plasmid", "name": "pTransfer", "part_lot": "PL-7", "selected_with": "kanamycin"}
STATED = {"vector_type": "lentivirus", "titre": "2e8", "titre_unit": "TU/mL", "parts": [PLASMID, BANK]}
SUPERNATANT = {
    "sample": "vector_supernatant",
    "assay": "coculture",
    "method": "RCL-1/2",
    "laboratory": "Virus Laboratory Ltd",
    "supernatant_percent": "5",
    "sampled_at": ago(days=40),
}
PRODUCER = {
    "sample": "producer_cells",
    "assay": "coculture",
    "method": "RCL-1/2",
    "laboratory": "Virus Laboratory Ltd",
    "cells_tested": "1e8",
    "sampled_at": ago(days=40),
}
CELLS = {
    **PRODUCER,
    "sample": "transduced_cells",
    "cells_tested": "3e5",
    "cells_in_pool": "2.4e7",
    "sampled_at": ago(hours=1),
}
REPORT = {
    "reference": "OT-26-1",
    "prediction": "Cas-OFFinder 3, up to 4 mismatches",
    "assay": "guide_seq",
    "assay_method": "GS-2/1",
    "sites_examined": 38,
    "sites_above": 0,
    "threshold_percent": "0.1",
    "highest_percent": "0.04",
    "aberrations": "none_found",
    "aberrations_method": "G-banding",
    "reported_on": str(date.today() - timedelta(days=20)),
    "file_sha256": "cd" * 32,
}


async def vector_lot(lab: Lab, **more: Any) -> str:
    """The code of a lot of a vector in quarantine, of which nothing is stated."""
    made = await things.material(lab, kind="vector", selected_with="kanamycin", description="lentiviral vector", **more)
    return str((await things.material_lot(lab, made["name"]))["code"])


async def state(lab: Lab, code: str, **more: Any) -> Any:
    return await lab.as_("quinn").post(f"/material-lots/{code}/vector", {**STATED, **more})


async def sent_off(lab: Lab, code: str, body: dict[str, Any], outcome: str | None = "negative") -> int:
    """A test that was sent off, and its outcome where one is named. Its number."""
    shown = ok(await lab.as_("ana").post(f"/lots/{code}/virus-tests", body))
    number = int(shown["tests"][-1]["test"])
    if outcome is not None:
        ok(await report(lab, number, outcome))
    return number


async def report(lab: Lab, number: int, outcome: str, **more: Any) -> Any:
    body = {"outcome": outcome, "reported_at": ago(minutes=1), "reference": f"VL-{number}", **more}
    return await lab.as_("ana").post(f"/virus-tests/{number}/outcomes", body)


async def verdict(lab: Lab, code: str, rule: str) -> dict[str, Any]:
    lot = ok(await lab.as_("quinn").get(f"/material-lots/{code}"))
    found: dict[str, Any] = next(each for each in lot["gate"]["verdicts"] if each["rule"] == rule)
    return found


async def ready_vector(lab: Lab, **more: Any) -> str:
    """A lot of a lentiviral vector of which everything is known, not approved yet."""
    code = await vector_lot(lab)
    ok(await state(lab, code, **more))
    await sent_off(lab, code, SUPERNATANT)
    await sent_off(lab, code, PRODUCER)
    return code


async def approve(lab: Lab, code: str) -> Any:
    signed = await life.ceremony(lab, "quinn", "material_approved", "material_lot", await life.id_of(lab, code))
    return await lab.as_("quinn").post(f"/material-lots/{code}/approve", {"ceremony": signed})


# -- vectors -----------------------------------------------------------------------------------------------------------


async def test_a_vector_is_approved_once_it_is_stated_and_free_of_virus(lab: Lab) -> None:
    code = await vector_lot(lab)
    assert (await verdict(lab, code, "GM-07"))["outcome"] == "indeterminate"
    assert (await verdict(lab, code, "GM-05"))["outcome"] == "indeterminate"
    shown = ok(await state(lab, code))
    assert shown["statements"][0]["vector_type"] == "lentivirus"
    assert [each["name"] for each in shown["statements"][0]["parts"]] == ["pTransfer", "HEK293T WCB"]
    assert (await verdict(lab, code, "GM-07"))["outcome"] == "pass"
    problem = refused(await approve(lab, code), 409, "blocked")
    assert {each["rule"] for each in problem["rules"]} == {"GM-05"}
    await sent_off(lab, code, SUPERNATANT)
    number = await sent_off(lab, code, PRODUCER, outcome=None)
    assert (await verdict(lab, code, "GM-05"))["outcome"] == "indeterminate"
    ok(await report(lab, number, "negative"))
    assert ok(await approve(lab, code))["state"] == "approved"


async def test_a_plasmid_grown_under_a_beta_lactam_is_never_approved(lab: Lab) -> None:
    code = await ready_vector(lab, parts=[{**PLASMID, "selected_with": "ampicillin 100 µg/mL"}, BANK])
    assert (await verdict(lab, code, "MAT-03"))["outcome"] == "fail"
    refused(await approve(lab, code), 409, "blocked")


async def test_what_is_stated_later_stands_and_the_earlier_statement_stays(lab: Lab) -> None:
    code = await vector_lot(lab)
    ok(await state(lab, code, parts=[PLASMID]))
    assert (await verdict(lab, code, "GM-07"))["outcome"] == "indeterminate"
    shown = ok(await state(lab, code))
    assert [len(each["parts"]) for each in shown["statements"]] == [2, 1]
    assert (await verdict(lab, code, "GM-07"))["outcome"] == "pass"


async def test_a_plasmid_that_is_a_lot_here_stands_behind_its_vector(lab: Lab) -> None:
    plasmid = await vector_lot(lab)
    ok(await state(lab, plasmid, vector_type="plasmid", titre_unit="mg/mL", titre="1.2", parts=[BANK]))
    code = await vector_lot(lab)
    shown = ok(await state(lab, code, parts=[{"role": "plasmid", "material_lot": plasmid}, BANK]))
    part = shown["statements"][0]["parts"][0]
    assert part["material_lot"] == plasmid
    assert part["part_lot"].startswith("GS-")
    ids = [await life.id_of(lab, each) for each in (code, plasmid)]
    assert ids[1] in await lab.value("SELECT lab.with_parts(ARRAY[$1::bigint])", ids[0])
    held = {"item": plasmid, "reason": "its sequence is in doubt"}
    ok(await lab.as_("quinn").post("/holds", held))
    assert (await verdict(lab, code, "HOLD"))["outcome"] == "fail"
    # A vector cannot have come of itself, by whatever way round.
    assert (
        refused(
            await state(lab, plasmid, vector_type="plasmid", parts=[{"role": "plasmid", "material_lot": code}]), 422
        )["field"]
        == "parts"
    )


async def test_a_recalled_plasmid_reaches_the_vector_that_came_of_it(lab: Lab) -> None:
    plasmid = await vector_lot(lab)
    ok(await state(lab, plasmid, vector_type="plasmid", titre_unit="mg/mL", titre="1.2", parts=[BANK]))
    ok(await approve(lab, plasmid))
    code = await vector_lot(lab)
    ok(await state(lab, code, parts=[{"role": "plasmid", "material_lot": plasmid}, BANK]))
    ok(await lab.as_("quinn").post(f"/material-lots/{plasmid}/recall", {"reason": "wrong insert"}))
    assert (
        await lab.value(
            "SELECT count(*) FROM lab.holds WHERE item_id = $1 AND lifted_at IS NULL", await life.id_of(lab, code)
        )
        == 1
    )


async def test_statements_that_cannot_be_are_refused_and_nothing_is_kept(lab: Lab) -> None:
    code = await vector_lot(lab)
    medium = (await things.material_lot(lab))["code"]
    refused(await lab.as_("tess").post(f"/material-lots/{code}/vector", STATED), 403, "not-permitted")
    assert refused(await state(lab, medium), 422)["field"] == "vector_type"
    for wrong, field in (
        ({"titre_unit": None}, "titre"),
        ({"parts": [{"role": "plasmid", "name": "pX"}]}, "parts"),
        ({"parts": [{"role": "plasmid", "material_lot": code}]}, "parts"),
    ):
        assert refused(await state(lab, code, **wrong), 422)["field"] == field
    for wrong in ({"vector_type": "virus"}, {"titre": "0"}, {"titre": "-1"}, {"parts": [{"role": "cells"}]}):
        refused(await state(lab, code, **wrong), 422, "bad-input")
    refused(await state(lab, new_code(CodeKind.LOT)), 404)
    assert (
        await lab.value(
            "SELECT count(*) FROM lab.vector_statements WHERE vector_lot_id = $1", await life.id_of(lab, code)
        )
        == 0
    )


# -- virus that replicates ---------------------------------------------------------------------------------------------


async def test_virus_that_was_found_holds_the_lot_and_nothing_heals_it(lab: Lab) -> None:
    code = await ready_vector(lab)
    number = await sent_off(lab, code, SUPERNATANT, outcome="positive")
    lot = ok(await lab.as_("quinn").get(f"/material-lots/{code}"))
    closing = {each["rule"] for each in lot["gate"]["verdicts"] if each["outcome"] == "fail"}
    assert closing == {"GM-05", "HOLD", "MAT-06"}
    ok(await report(lab, number, "negative"))
    assert (await verdict(lab, code, "GM-05"))["outcome"] == "fail"
    shown = ok(await lab.as_("tess").get(f"/lots/{code}/genes"))
    assert [each["state"] for each in shown["tests"]] == ["negative", "negative", "positive"]


async def test_impossible_tests_are_refused(lab: Lab) -> None:
    code = await vector_lot(lab)
    medium = (await things.material_lot(lab))["code"]
    ana = lab.as_("ana")
    refused(await lab.as_("tess").post(f"/lots/{code}/virus-tests", SUPERNATANT), 403, "not-permitted")
    for wrong, field in (
        ({"sampled_at": ago(days=-1)}, "sampled_at"),
        ({"supernatant_percent": None}, "supernatant_percent"),
        ({"cells_tested": "1e8"}, "supernatant_percent"),
        ({"sample": "transduced_cells", "supernatant_percent": None, "cells_tested": "1e8"}, "sample"),
        ({"sample": "producer_cells"}, "cells_tested"),
        (
            {"sample": "producer_cells", "supernatant_percent": None, "cells_tested": "9", "cells_in_pool": "8"},
            "cells_in_pool",
        ),
    ):
        assert refused(await ana.post(f"/lots/{code}/virus-tests", {**SUPERNATANT, **wrong}), 422)["field"] == field
    for wrong in ({"assay": "smell"}, {"supernatant_percent": "101"}, {"supernatant_percent": "0"}):
        refused(await ana.post(f"/lots/{code}/virus-tests", {**SUPERNATANT, **wrong}), 422, "bad-input")
    assert refused(await ana.post(f"/lots/{medium}/virus-tests", SUPERNATANT), 422)["field"] == "sample"
    assert ok(await ana.get(f"/lots/{code}/genes"))["tests"] == []
    number = await sent_off(lab, code, SUPERNATANT, outcome=None)
    assert refused(await report(lab, number, "negative", reported_at=ago(days=41)), 422)["field"] == "reported_at"
    assert refused(await report(lab, number, "negative", reported_at=ago(days=-1)), 422)["field"] == "reported_at"
    refused(await report(lab, number, "fine"), 422, "bad-input")
    refused(await report(lab, 9_000_000_000, "negative"), 404)
    assert ok(await ana.get(f"/lots/{code}/genes"))["tests"][0]["state"] == "pending"


async def test_the_database_itself_holds_it(lab: Lab, database: Database) -> None:
    code = await ready_vector(lab)
    key = await life.id_of(lab, code)
    app = await asyncpg.connect(database.url("stemma_app"))
    try:
        for statement in (
            "UPDATE lab.virus_test_outcomes SET outcome = 'negative'",
            "DELETE FROM lab.virus_tests",
            "UPDATE lab.vector_statements SET titre = 1",
            "UPDATE lab.off_target_reports SET sites_above = 0",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(statement)
    finally:
        await app.close()
    later = "INSERT INTO lab.vector_parts (statement_id, vector_lot_id, role, name, part_lot, recorded_by) SELECT max(id), vector_lot_id, 'plasmid', 'pLate', 'PL-9', 1 FROM lab.vector_statements WHERE vector_lot_id = $1 GROUP BY vector_lot_id"
    with pytest.raises(asyncpg.PostgresError, match="written with its statement"):
        await lab.arrange(later, key)
    strange = "INSERT INTO lab.virus_tests (lot_id, sample, assay, method, laboratory, cells_tested, sampled_at, recorded_by) VALUES ($1, 'transduced_cells', 'coculture', 'm', 'l', 1, now(), 1)"
    with pytest.raises(asyncpg.PostgresError, match="another kind of lot"):
        await lab.arrange(strange, key)


# -- processes, off-target edits, studies --------------------------------------------------------------------------------


async def test_a_process_says_with_what_it_changes_genes(lab: Lab) -> None:
    made = await life.process(lab, gene_modified=True, vector_type="aav", gene_editing=True)
    after = await lab.as_("tess").get("/processes", after=made["name"], after_version=0, limit=1)
    assert [(each["vector_type"], each["gene_editing"]) for each in ok(after)] == [("aav", True)]
    before = await lab.value("SELECT count(*) FROM lab.process_versions")
    body = ok(after)[0] | {"name": f"X {uuid.uuid4().hex}", "version": 1}
    for wrong, field in (
        ({"gene_modified": False}, "vector_type"),
        ({"gene_editing": None}, "gene_editing"),
        ({"vector_type": "rnp", "gene_editing": False}, "gene_editing"),
    ):
        assert refused(await lab.as_("quinn").post("/processes", {**body, **wrong}), 422)["field"] == field
    assert await lab.value("SELECT count(*) FROM lab.process_versions") == before


async def edited_study(lab: Lab) -> tuple[str, dict[str, Any]]:
    process = await life.process(lab, gene_modified=True, vector_type="rnp", gene_editing=True)
    number = await study.registered(lab, process=process, manipulation="ex_vivo_gene")
    return number, process


async def of_study(lab: Lab, number: str, rule: str) -> str:
    shown = ok(await lab.as_("quinn").get(f"/studies/{number}"))
    return next(str(each["outcome"]) for each in _verdicts(shown) if each["rule"] == rule)


def _verdicts(shown: Any) -> list[dict[str, Any]]:
    if isinstance(shown, dict):
        if {"rule", "outcome", "findings"} <= shown.keys():
            return [shown]
        return [found for each in shown.values() for found in _verdicts(each)]
    return [found for each in shown for found in _verdicts(each)] if isinstance(shown, list) else []


async def accepted(lab: Lab, rule: str, process: dict[str, Any], control: str) -> None:
    body = {
        "rule": rule,
        "scope": {"kind": "process", **process},
        "title": "Genes changed",
        "hazard": "what is changed besides",
        "mitigations": [{"measure": "as it says", "control": control}],
        "conclusion": "acceptable",
        "valid_to": ago(days=-300),
    }
    proposed = ok(await lab.as_("quinn").post("/assessments", body))["assessment"]
    signed = await life.ceremony(lab, "lin", "assessment_approved", "assessment", proposed)
    ok(await lab.as_("lin").post(f"/assessments/{proposed}/approve", {"ceremony": signed}))


async def test_a_study_waits_for_its_off_target_report_and_for_its_acceptance(lab: Lab) -> None:
    number, process = await edited_study(lab)
    assert await of_study(lab, number, "GM-02") == "indeterminate"
    await accepted(lab, "GM-02", process, "guide_choice")
    ok(await lab.as_("quinn").post("/off-target-reports", {**process_of(process), **REPORT}))
    assert await of_study(lab, number, "GM-02") == "indeterminate", "it was accepted before there was a report"
    await accepted(lab, "GM-02", process, "guide_choice")
    assert await of_study(lab, number, "GM-02") == "pass"
    assert await of_study(lab, number, "GM-04") == "not_applicable"
    found = {**REPORT, "reference": "OT-26-2", "sites_above": 1, "highest_percent": "0.4"}
    ok(await lab.as_("quinn").post("/off-target-reports", {**process_of(process), **found}))
    assert await of_study(lab, number, "GM-02") == "fail"


async def test_a_report_that_comes_while_it_is_signed_makes_the_signature_stale(lab: Lab) -> None:
    _, process = await edited_study(lab)
    body = {
        "rule": "GM-02",
        "scope": {"kind": "process", **process},
        "title": "Genes changed",
        "hazard": "edits beside the target",
        "mitigations": [{"measure": "as it says", "control": "guide_choice"}],
        "conclusion": "acceptable",
        "valid_to": ago(days=-300),
    }
    proposed = ok(await lab.as_("quinn").post("/assessments", body))["assessment"]
    signed = await life.ceremony(lab, "lin", "assessment_approved", "assessment", proposed)
    ok(await lab.as_("quinn").post("/off-target-reports", {**process_of(process), **REPORT}))
    refused(await lab.as_("lin").post(f"/assessments/{proposed}/approve", {"ceremony": signed}), 409)
    assert await lab.value("SELECT signature_id FROM lab.assessments WHERE id = $1", proposed) is None


async def test_a_viral_vector_s_study_waits_for_the_risk_of_replicating_virus(lab: Lab) -> None:
    process = await life.process(lab, gene_modified=True, vector_type="lentivirus", gene_editing=False)
    number = await study.registered(lab, process=process, manipulation="ex_vivo_gene")
    assert await of_study(lab, number, "GM-04") == "indeterminate"
    await accepted(lab, "GM-04", process, "packaging_split")
    assert await of_study(lab, number, "GM-04") == "pass"
    assert await of_study(lab, number, "GM-02") == "not_applicable"


async def test_impossible_reports_are_refused(lab: Lab) -> None:
    _, process = await edited_study(lab)
    plain = await life.process(lab)
    quinn = lab.as_("quinn")
    refused(await lab.as_("tess").post("/off-target-reports", {**process_of(process), **REPORT}), 403, "not-permitted")
    for wrong, field in (
        ({"reported_on": str(date.today() + timedelta(days=2))}, "reported_on"),
        ({"sites_above": 39, "highest_percent": "3"}, "sites_above"),
        ({"sites_above": 1}, "highest_percent"),
        ({"highest_percent": "0.2"}, "highest_percent"),
        (process_of(plain), "version"),
    ):
        assert (
            refused(await quinn.post("/off-target-reports", {**process_of(process), **REPORT, **wrong}), 422)["field"]
            == field
        )
    for wrong in ({"file_sha256": "abc"}, {"threshold_percent": "0"}, {"highest_percent": "101"}, {"assay": "luck"}):
        refused(await quinn.post("/off-target-reports", {**process_of(process), **REPORT, **wrong}), 422, "bad-input")
    refused(await quinn.post("/off-target-reports", {**REPORT, "process": "nobody's", "version": 1}), 404)
    shown = ok(await quinn.get("/off-target-reports", **process_of(process)))
    assert shown["reports"] == []


def process_of(process: dict[str, Any]) -> dict[str, Any]:
    return {"process": process["name"], "version": process["version"]}


# -- lots of cells -------------------------------------------------------------------------------------------------------


LINES = (
    {
        "test": "vector copy number in transduced cells",
        "method": "ddPCR",
        "kind": "quantitative",
        "high": "5",
        "unit": "copies/cell",
        "safety": False,
    },
    {"test": "p24 residue", "method": "ELISA", "kind": "quantitative", "high": "100", "unit": "pg/mL", "safety": False},
)


def vector_room() -> str:
    """A room in which nobody works yet."""
    return f"V-{uuid.uuid4().hex[:6]}"


async def transduced(lab: Lab, room: str, *, upto: str = "isolated") -> tuple[life.Life, str]:
    """A patient's own cells about to be transduced in this room, and the code of a bottle of the approved vector."""
    process = await life.process(
        lab, gene_modified=True, vector_type="lentivirus", gene_editing=False, low_manipulation=False
    )
    vector = await ready_vector(lab)
    ok(await approve(lab, vector))
    shared = await life.new_shared(lab)
    shared.process = process
    shared.specification = await life.specification(lab, *LINES)
    shared.room = room
    lived = await life.preparation(lab, upto="planned", use=shared)
    consent = {"form_version": "ICF-3", "scopes": ["gene modification"], "signed_at": ago(days=5)}
    ok(await lab.as_("tess").post(f"/donors/{lived.donor}/consents", consent))
    await answered(lab, process)
    await life.go_on(lived, upto=upto)
    lot = ok(await lab.as_("tess").get(f"/material-lots/{vector}"))
    return lived, str(lot["containers"][0]["code"])


async def answered(lab: Lab, process: dict[str, Any]) -> None:
    """The authority answered that these cells need no bank."""
    body = {
        "authority": "National Health Commission",
        "reference": f"R-{uuid.uuid4().hex[:6]}",
        "dated": str(date.today() - timedelta(days=9)),
        "rule": "CB-01A",
        "process": process["name"],
        "process_version": process["version"],
        "question": "Is a bank of the patient's own cells needed?",
        "answer": "No.",
        "ruling": "permits",
        "file_name": "R.pdf",
        "file_sha256": "ab" * 32,
        "file_place": "regulatory file",
    }
    ok(await lab.as_("quinn").post("/authority-replies", body))


async def test_a_whole_gene_modified_life_is_released_by_the_quality_authority_alone(lab: Lab) -> None:
    lived, bottle = await transduced(lab, vector_room())
    step = lived.step(
        parents=lived.flasks, viable_seeded="5e5", viable_harvested="4.2e6", dead_harvested="2e5", flasks=2
    )
    step["materials"].append({"container": bottle, "quantity": "1", "unit": "mL"})
    made = ok(await lab.as_("tess").post(f"/lots/{lived.lot}/passages", step))
    ok(await life.verify(lived, made["step"], scanned=made["containers"][0]))
    lived.flasks = made["containers"]
    lived.stage = "passaged"
    findings = {
        **life.FINDINGS,
        "vector copy number in transduced cells": ("1.8", "copies/cell"),
        "p24 residue": ("12", "pg/mL"),
    }
    await life.go_on(lived, upto="awaiting_release", findings=findings)
    checked = ok(await lab.as_("lin").post(f"/lots/{lived.lot}/release-check"))
    closing = {
        each["rule"]: each["outcome"]
        for each in _verdicts(checked)
        if each["outcome"] in {"fail", "indeterminate", "needs_waiver"}
    }
    assert closing == {"GM-05": "indeterminate"}
    await sent_off(lab, lived.lot, CELLS)
    await life.go_on(lived, upto="released")
    assert await lived.state() == "released"


async def released_with_a_vector(lab: Lab) -> tuple[life.Life, str]:
    """A released lot of a patient's transduced cells, and the code of the vector's lot."""
    lived, bottle = await transduced(lab, vector_room())
    step = lived.step(
        parents=lived.flasks, viable_seeded="5e5", viable_harvested="4.2e6", dead_harvested="2e5", flasks=2
    )
    step["materials"].append({"container": bottle, "quantity": "1", "unit": "mL"})
    made = ok(await lab.as_("tess").post(f"/lots/{lived.lot}/passages", step))
    ok(await life.verify(lived, made["step"], scanned=made["containers"][0]))
    lived.flasks = made["containers"]
    lived.stage = "passaged"
    copies = {"vector copy number in transduced cells": ("1.8", "copies/cell"), "p24 residue": ("12", "pg/mL")}
    await life.go_on(lived, upto="awaiting_release", findings={**life.FINDINGS, **copies})
    await sent_off(lab, lived.lot, CELLS)
    await life.go_on(lived, upto="released")
    of = "SELECT k.code FROM lab.containers c JOIN lab.item_codes k ON k.item_id = c.lot_id AND k.scheme = 'own' WHERE c.id = $1"
    return lived, str(await lab.value(of, await life.id_of(lab, bottle)))


async def came_to_light(lab: Lab, code: str) -> dict[str, Any]:
    (line,) = ok(await lab.as_("quinn").get("/impacts", item=code, kind="virus_found"))
    found: dict[str, Any] = ok(await lab.as_("quinn").get(f"/impacts/{line['number']}"))
    return found


async def test_a_vector_that_turns_positive_names_and_holds_the_released_lot(lab: Lab) -> None:
    lived, vector = await released_with_a_vector(lab)
    other = await life.preparation(lab, upto="isolated")
    held = "SELECT count(*) FROM lab.holds WHERE item_id = $1 AND lifted_at IS NULL"
    assert await lab.value(held, await lived.lot_id()) == 0
    number = await sent_off(lab, vector, SUPERNATANT, outcome="positive")
    found = await came_to_light(lab, vector)
    assert (found["impact"]["subject"], found["impact"]["released"], found["impact"]["unjudged"]) == (vector, 1, 0)
    assert "positive" in str(found["impact"]["facts"])
    assert f"VL-{number}" in str(found["impact"]["facts"])
    touched = {each["code"]: each for each in found["touched"]}
    assert touched.keys() == {vector, lived.lot}
    lot = touched[lived.lot]
    assert (lot["state_then"], lot["held"], lot["next"]) == ("released", True, "decide_recall")
    assert lot["recipient"] is not None
    assert set(lived.vials) <= {each["code"] for each in lot["containers"]}
    assert {each["rule"] for each in lot["verdict"]["closing"]} >= {"GM-05"}
    assert {each["rule"] for each in touched[vector]["verdict"]["closing"]} >= {"GM-05"}
    assert (await lived.state(), await lab.value(held, await other.lot_id())) == ("released", 0)
    scanned = ok(await lab.as_("tess").post("/scans", {"raw": lived.vials[0]}))
    assert (scanned["verdict"], scanned["reason"]) == ("refused", "held")
    # The quality authority alone lifts what this holds, the vector's own lot too, and says why.
    for hold in (lot["hold"], touched[vector]["hold"]):
        signed = await life.ceremony(lab, "quinn", "hold_lifted", "hold", hold, "it is fine")
        refused(await lab.as_("quinn").post(f"/holds/{hold}/lift", {"ceremony": signed}), 403, "not-permitted")
    assert await lab.value(held, await lived.lot_id()) == 1
    signed = await life.ceremony(
        lab, "lin", "look_back_hold_lifted", "hold", lot["hold"], "tested anew, twice negative"
    )
    ok(await lab.as_("lin").post(f"/holds/{lot['hold']}/lift", {"ceremony": signed}))
    assert await lab.value(held, await lived.lot_id()) == 0
    # A second report is a fact of its own and holds again.
    ok(await report(lab, number, "inconclusive"))
    assert await lab.value(held, await lived.lot_id()) == 1


async def test_virus_in_the_product_itself_comes_to_light_after_its_release(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="released")
    await sent_off(lab, lived.lot, {**CELLS, "sample": "final_product"}, outcome="positive")
    (touched,) = (await came_to_light(lab, lived.lot))["touched"]
    assert (touched["code"], touched["state_then"], touched["held"], touched["next"]) == (
        lived.lot,
        "released",
        True,
        "decide_recall",
    )
    assert await lived.state() == "released", "to recall it is a decision"


async def test_many_lots_of_a_vector_are_judged_by_the_rule_on_virus(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.db.impacts.WHOLE_BOOK_MOST", 0)
    lived, vector = await released_with_a_vector(lab)
    await sent_off(lab, vector, SUPERNATANT, outcome="positive")
    touched = {each["code"]: each["verdict"] for each in (await came_to_light(lab, vector))["touched"]}
    assert touched[lived.lot]["asked"] == "rules_on_the_fact"
    assert {each["rule"] for each in touched[lived.lot]["closing"]} == {"GM-05"}
    assert len(touched[lived.lot]["closing"][0]["problems"]) == 1, "the cells themselves are negative"
    assert touched[vector]["asked"] == "book"


async def test_the_database_itself_names_and_holds_what_a_positive_vector_went_into(
    lab: Lab, database: Database
) -> None:
    lived, vector = await released_with_a_vector(lab)
    number = await sent_off(lab, vector, SUPERNATANT, outcome=None)
    app = await asyncpg.connect(database.url("stemma_app"))
    try:
        async with app.transaction():
            opened = "SELECT audit.open($1, 'ana', '', 'report_virus_test', '', '', '', NULL, NULL, NULL)"
            await app.execute(opened, lab.id_of("ana"))
            await app.execute(
                "INSERT INTO lab.virus_test_outcomes (lot_id, test_id, outcome, reported_at, reference, recorded_by)"
                " VALUES ($1, $2, 'positive', now(), 'VL-raw', $3)",
                await life.id_of(lab, vector),
                number,
                lab.id_of("ana"),
            )
        for statement in ("UPDATE lab.holds SET lifted_at = now()", "DELETE FROM lab.impacts"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(statement)
    finally:
        await app.close()
    found = await came_to_light(lab, vector)
    assert {each["code"] for each in found["touched"] if each["held"]} == {vector, lived.lot}
    assert found["impact"]["unjudged"] == 2, "what is written past the application is held, and not judged yet"


async def test_vector_work_and_other_cells_never_stand_open_in_one_room(lab: Lab) -> None:
    room = vector_room()
    lived, _ = await transduced(lab, room)
    other = await life.preparation(lab, upto="cleared", use=replace(await life.shared(lab), room=room))
    body = other.step(viable="1.8e7", dead="1.1e6", flasks=2)
    problem = refused(await lab.as_("tess").post(f"/lots/{other.lot}/isolation", body), 409, "blocked")
    assert {each["rule"] for each in problem["rules"]} == {"GM-08"}
    assert "GM-08" in str(refused(await life.pass_on(lived), 409, "blocked")["rules"])
    ok(await life.clear(lived, "after"))
    ok(await lab.as_("tess").post(f"/lots/{other.lot}/isolation", body))


async def test_another_culture_of_the_vector_that_was_begun_is_waited_for_in_both_hands(lab: Lab) -> None:
    lived, vector = await released_with_a_vector(lab)
    asked, objections = (
        (await lived.lot_id(), lab.id_of("lin")),
        "SELECT string_agg(o, '; ') FROM gate.objections($1, $2) AS o",
    )
    assert "GM-05" not in (await lab.value(objections, *asked) or "")
    number = await sent_off(lab, vector, {**PRODUCER, "sampled_at": ago(days=1)}, outcome=None)
    assert "GM-05: a test of the vector" in await lab.value(objections, *asked)
    assert (await verdict(lab, vector, "GM-05"))["outcome"] == "indeterminate"
    ok(await report(lab, number, "negative"))
    assert "GM-05" not in (await lab.value(objections, *asked) or "")
    assert (await verdict(lab, vector, "GM-05"))["outcome"] == "pass"


async def test_the_database_itself_releases_nothing_in_which_virus_was_found(lab: Lab) -> None:
    objections = "SELECT string_agg(o, '; ') FROM gate.objections($1, $2) AS o"
    lived = await life.preparation(lab, upto="isolated")
    asked = await lived.lot_id(), lab.id_of("lin")
    assert "GM-05" not in await lab.value(objections, *asked)
    await sent_off(lab, lived.lot, CELLS, outcome="positive")
    assert "GM-05: replication-competent virus" in await lab.value(objections, *asked)
