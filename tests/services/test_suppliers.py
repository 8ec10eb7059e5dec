"""Suppliers: audited by one, decided about by another's signature, and what their lots may then be."""

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


def ago(**parts: float) -> str:
    return (datetime.now(UTC) - timedelta(**parts)).isoformat()


async def supplier(lab: Lab, name: str | None = None) -> dict[str, Any]:
    body = {"name": name or f"Supplier {uuid.uuid4().hex[:8]}", "kind": "distributor", "address": "2 Quay Street"}
    found: dict[str, Any] = ok(await lab.as_("quinn").post("/suppliers", body))
    return found


def an_audit(**more: Any) -> dict[str, Any]:
    return {
        "method": "remote",
        "audited_on": str(date.today() - timedelta(days=3)),
        "outcome": "qualified",
        "findings": "two minor ones, closed",
        "evidence": "AR-26-014",
        "valid_to": ago(days=-500),
        **more,
    }


async def audited(lab: Lab, key: int, who: str = "rolf", **more: Any) -> int:
    return int(ok(await lab.as_(who).post(f"/suppliers/{key}/audits", an_audit(**more)))["audit"])


async def decide(lab: Lab, audit: int, who: str = "quinn") -> Any:
    signed = await life.ceremony(lab, who, "supplier_decided", "supplier_audit", audit)
    return await lab.as_(who).post(f"/supplier-audits/{audit}/decide", {"ceremony": signed})


async def standing(lab: Lab, key: int) -> str:
    return str(ok(await lab.as_("tess").get(f"/suppliers/{key}"))["supplier"]["standing"])


async def mat_12(lab: Lab, lot: dict[str, Any]) -> dict[str, Any]:
    shown = ok(await lab.as_("quinn").get(f"/material-lots/{lot['code']}"))
    found: dict[str, Any] = next(each for each in shown["gate"]["verdicts"] if each["rule"] == "MAT-12")
    return found


async def test_a_supplier_is_audited_decided_about_and_read(lab: Lab) -> None:
    made = await supplier(lab)
    assert made["standing"] == "never_audited"
    audit = await audited(lab, made["supplier"])
    assert await standing(lab, made["supplier"]) == "never_audited"

    signed = await lab.sign("quinn", "supplier_decided", "supplier_audit", str(audit))
    decided = ok(await lab.as_("quinn").post(f"/supplier-audits/{audit}/decide", {"ceremony": signed}))
    assert decided["supplier"]["standing"] == "qualified"
    (one,) = ok(await lab.as_("tess").get(f"/suppliers/{made['supplier']}"))["audits"]
    assert (one["recorded_by"], one["signed_by"], one["evidence"]) == ("Rolf Rong", "Quinn Qiu", "AR-26-014")
    listed = ok(await lab.as_("tess").get("/suppliers", sought=made["name"]))
    assert [each["supplier"] for each in listed] == [made["supplier"]]


async def test_nobody_signs_an_audit_of_their_own_writing(lab: Lab) -> None:
    made = await supplier(lab)
    audit = await audited(lab, made["supplier"], "quinn")
    refused(await decide(lab, audit), 403, "ceremony-refused")
    assert await standing(lab, made["supplier"]) == "never_audited"
    ok(await decide(lab, audit, "quincy"))
    assert await standing(lab, made["supplier"]) == "qualified"
    assert (await decide(lab, audit, "quincy")).status_code in {403, 409}


async def test_a_later_decision_takes_the_place_of_an_earlier(lab: Lab) -> None:
    made = await supplier(lab)
    ok(await decide(lab, await audited(lab, made["supplier"])))
    ok(await decide(lab, await audited(lab, made["supplier"], outcome="qualified_with_conditions")))
    assert await standing(lab, made["supplier"]) == "qualified_with_conditions"
    ok(await decide(lab, await audited(lab, made["supplier"], outcome="not_qualified")))
    assert await standing(lab, made["supplier"]) == "not_qualified"


async def test_what_is_refused_about_suppliers(lab: Lab) -> None:
    made = await supplier(lab)
    path = f"/suppliers/{made['supplier']}/audits"
    for wrong in (
        {"audited_on": str(date.today() + timedelta(days=5))},
        {"valid_to": ago(days=1)},
        {"valid_to": ago(days=-4000)},
        {"outcome": "fine"},
        {"findings": ""},
    ):
        assert (await lab.as_("rolf").post(path, an_audit(**wrong))).status_code == 422, wrong
    refused(await lab.as_("rolf").post("/suppliers/999999999/audits", an_audit()), 404, "not-found")
    refused(await lab.as_("tess").post(path, an_audit()), 403, "not-permitted")
    again = {"name": made["name"], "kind": "manufacturer", "address": "elsewhere"}
    refused(await lab.as_("quinn").post("/suppliers", again), 409, "conflict")
    refused(await lab.as_("tess").post("/suppliers", again), 403, "not-permitted")
    assert not ok(await lab.as_("tess").get(f"/suppliers/{made['supplier']}"))["audits"]


async def test_a_lot_of_a_supplier_who_was_qualified_only_later_is_never_approved(lab: Lab) -> None:
    made = await supplier(lab)
    lot = await things.material_lot(lab, supplier=made["name"])
    assert lot["known_supplier"] == made["name"]
    assert (await mat_12(lab, lot))["outcome"] == "fail"
    ok(await decide(lab, await audited(lab, made["supplier"])))
    assert (await mat_12(lab, lot))["outcome"] == "fail"
    signed = await lab.sign("quinn", "material_approved", "material_lot", lot["code"])
    problem = refused(
        await lab.as_("quinn").post(f"/material-lots/{lot['code']}/approve", {"ceremony": signed}), 409, "blocked"
    )
    assert {each["rule"] for each in problem["rules"]} == {"MAT-12"}

    fresh = await things.material_lot(lab, supplier=made["name"], received_at=ago(seconds=0))
    assert (await mat_12(lab, fresh))["outcome"] == "pass"


async def test_a_lot_under_a_name_that_nobody_knows_waits_until_its_supplier_is_chosen(lab: Lab) -> None:
    lot = await things.material_lot(lab, supplier="Good Suplies")
    assert lot["known_supplier"] is None
    assert (await mat_12(lab, lot))["outcome"] == "indeterminate"
    path = f"/material-lots/{lot['code']}/supplier"
    refused(await lab.as_("quinn").post(path, {"supplier": "Nobody & Sons"}), 404, "not-found")
    refused(await lab.as_("tess").post(path, {"supplier": "Good Supplies"}), 403, "not-permitted")
    ok(await lab.as_("quinn").post(path, {"supplier": "Good Supplies"}))
    shown = ok(await lab.as_("quinn").get(f"/material-lots/{lot['code']}"))
    assert (shown["supplier"], shown["known_supplier"]) == ("Good Suplies", "Good Supplies")
    assert (await mat_12(lab, lot))["outcome"] == "pass"


async def test_a_supplier_disqualified_after_receipt_closes_what_waits_for_approval(lab: Lab) -> None:
    made = await supplier(lab)
    ok(await decide(lab, await audited(lab, made["supplier"])))
    lot = await things.material_lot(lab, supplier=made["name"], received_at=ago(seconds=0))
    assert (await mat_12(lab, lot))["outcome"] == "pass"
    ok(await decide(lab, await audited(lab, made["supplier"], outcome="not_qualified")))
    assert (await mat_12(lab, lot))["outcome"] == "fail"


async def test_the_application_cannot_sign_an_audit_nor_change_one(lab: Lab, database: Database) -> None:
    made = await supplier(lab)
    audit = await audited(lab, made["supplier"])
    application = await asyncpg.connect(database.url("stemma_app"))
    for statement in (
        f"UPDATE lab.supplier_audits SET outcome = 'qualified' WHERE id = {audit}",
        f"UPDATE lab.supplier_audits SET signature_id = 1 WHERE id = {audit}",
        f"UPDATE lab.suppliers SET name = 'another' WHERE id = {made['supplier']}",
        f"DELETE FROM lab.supplier_audits WHERE id = {audit}",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await application.execute(statement)
    await application.close()
    assert await standing(lab, made["supplier"]) == "never_audited"
