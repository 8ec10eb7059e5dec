"""A lot whose culture for sterility is not read yet, by a plan that was signed before its work began."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from tests import life
from tests.world import ok

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.world import Lab

RAPID = {"test": "rapid sterility", "method": "RS-1", "kind": "qualitative", "expected": "no growth"}
WITHOUT_STERILITY = {
    **{n: v for n, v in life.FINDINGS.items() if n != "sterility"},
    "rapid sterility": ("no growth", None),
}
CONSENTED = "use before all results"


@asynccontextmanager
async def allowed(lab: Lab) -> AsyncIterator[None]:
    """Lin has signed that this house releases in two steps; afterwards it is off again."""
    await life.setting(lab, "rel06.allowed", "yes", None)
    try:
        yield
    finally:
        await life.setting(lab, "rel06.allowed", "no", None)


def plan_of(process: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "process": process["name"],
        "process_version": process["version"],
        "protocol": "PR-7",
        "protocol_version": "3",
        "ethics_reference": "EC-2026-114",
        "ethics_approved_on": str(date.today() - timedelta(days=9)),
        "consent_clause": "clause 9: the cells are given before the last result",
        "pending": [
            {
                "test": "sterility",
                "interim": "rapid sterility",
                "validation": "VR-12",
                "days": 14,
                "if_positive": "the physician is told and treats by the antibiogram",
            }
        ],
        **more,
    }


async def signed_plan(lab: Lab, process: dict[str, Any], **more: Any) -> int:
    made = int(ok(await lab.as_("quinn").post("/two-step-plans", plan_of(process, **more)))["number"])
    proof = await life.ceremony(lab, "lin", "two_step_plan_decided", "two_step_plan", made)
    ok(await lab.as_("lin").post(f"/two-step-plans/{made}/sign", {"ceremony": proof}))
    return made


async def waiting(lab: Lab, *, planned: bool = True, scopes: tuple[str, ...] = (CONSENTED,)) -> life.Life:
    """A lot before the gate whose culture for sterility is not read yet."""
    common = await life.shared(lab)
    use = life.Shared(
        process=await life.process(lab),
        specification=await life.specification(lab, RAPID),
        material_lots=common.material_lots,
        bottles=common.bottles,
        freezer=common.freezer,
    )
    if planned:
        await signed_plan(lab, use.process)
    made = life.Life(lab, use)
    return await life.go_on(made, upto="awaiting_release", findings=WITHOUT_STERILITY, scopes=list(scopes), vials=5)


async def begun(made: life.Life) -> None:
    body = {"test": "sterility", "laboratory": "our own", "started_at": life.now(), "due_at": life.ago(days=-13)}
    ok(await made.lab.as_("ana").post(f"/samples/{made.samples[0]}/under-way", body))


async def known(made: life.Life, who: str = "phil", *tests: str) -> Any:
    body = {"tests": tests or ["sterility"], "remarks": "the patient cannot wait"}
    return await made.lab.as_(who).post(f"/lots/{made.lot}/acknowledgements", body)
