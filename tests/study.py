"""A study over HTTP, as it should be: whole papers, so that every written rule about it is satisfied."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from tests import life
from tests.world import ok

if TYPE_CHECKING:
    from tests.world import Lab


def day(days: int = 0) -> str:
    """A day by its distance from today in Shanghai, near enough for papers of weeks ago."""
    return str(date.today() + timedelta(days=days))


async def institution(lab: Lab, *, country: str = "CN", kinds: tuple[str, ...] = ()) -> dict[str, Any]:
    """An institution with what is stated of it; a hospital as it should be has all three kinds."""
    name = f"Hospital {uuid.uuid4().hex[:8]}"
    made: dict[str, Any] = ok(
        await lab.as_("quinn").post("/institutions", {"name": name, "country": country, "registration": "91110000X"})
    )
    for kind in kinds:
        says = "tertiary_a" if kind == "grade" else kind.replace("_", " ")
        body = {"kind": kind, "says": says, "evidence": "EV-1", "valid_from": day(-400), "valid_to": day(400)}
        ok(await lab.as_("quinn").post(f"/institutions/{made['institution']}/statements", body))
    return made


HOSPITAL = ("grade", "academic_committee", "ethics_committee")


async def body(lab: Lab, **more: Any) -> dict[str, Any]:
    """What a study is that satisfies the rules about scope; its hospital is made unless one is named."""
    shared = await life.shared(lab)
    hospital = more.get("institution") or (await institution(lab, kinds=HOSPITAL))["name"]
    return {
        "title": "Marrow MSC in knee osteoarthritis",
        "regulatory_path": "technical_filing",
        "stage": "exploratory",
        "risk_level": "ordinary",
        "cell_class": "tissue_stem_cell",
        "cell_source": "autologous",
        "manipulation": "ex_vivo_cell",
        "administration": "infused",
        "sites": [{"name": "Main campus", "country": "CN"}],
        "institution": hospital,
        "sponsor": hospital,
        "process": shared.process,
        "specification": shared.specification,
        "protocol_version": "P-1.0",
        "why": "first registration",
        **more,
    }


LEADER = {
    "name": "Fang Yi",
    "licence_number": "110-2008-7",
    "title_level": "senior",
    "title_certificate": "ZG-2015-9",
    "from_on": day(-30),
    "evidence": "letter of appointment",
}


def decision(committee: str, **more: Any) -> dict[str, Any]:
    return {
        "committee": committee,
        "decision": "approved",
        "protocol_version": "P-1.0",
        "decided_on": day(-9),
        "valid_to": day(356),
        "reference": f"{committee}-26-1",
        **more,
    }


def filing(**more: Any) -> dict[str, Any]:
    return {
        "filing_number": "MR-N-11-2026-000001",
        "authority": "National Health Commission",
        "protocol_version": "P-1.0",
        "filed_on": day(-6),
        "reference": "receipt 1",
        **more,
    }


async def registered(lab: Lab, **more: Any) -> str:
    """The number of a study of which nothing but itself is recorded."""
    return str(ok(await lab.as_("quinn").post("/studies", await body(lab, **more)))["number"])


async def ready(lab: Lab, **more: Any) -> str:
    """The number of a study that has everything."""
    number = await registered(lab, **more)
    quinn = lab.as_("quinn")
    ok(await quinn.post(f"/studies/{number}/leaders", LEADER))
    for committee in ("academic", "ethics"):
        ok(await quinn.post(f"/studies/{number}/decisions", decision(committee)))
    ok(await quinn.post(f"/studies/{number}/filings", filing()))
    return number
