"""A study over HTTP, as it should be: whole papers, so that every written rule about it is satisfied."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

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


def end_report(**more: Any) -> dict[str, Any]:
    """A report about cells that were grown beyond the limit of the process, everything passed."""
    tests = ("tumorigenicity_in_vitro", "tumorigenicity_in_vivo", "karyotype", "adventitious_virus")
    return {
        "pdl_reached": "60",
        "laboratory": "Institute",
        "report_number": f"EP-{uuid.uuid4().hex[:6]}",
        "reported_on": day(-5),
        "file_name": "ep.pdf",
        "file_sha256": "e" * 64,
        "tests": [{"test": test, "method": "M-1", "outcome": "passed", "found": "nothing"} for test in tests],
        **more,
    }


async def registered(lab: Lab, **more: Any) -> str:
    """The number of a study of which nothing but itself is recorded, of a process whose last cells were tested."""
    await tested(lab)
    return str(ok(await lab.as_("quinn").post("/studies", await body(lab, **more)))["number"])


METHODS = {"sterility": "ChP 1101", "mycoplasma": "ChP 3301", "endotoxin": "ChP 1143", "exogenous_viruses": "ChP 3302"}
PERMIT = """
INSERT INTO lab.genetic_resource_permits (number, authority, purposes, scope, valid_from, evidence, recorded_by, recorded_at)
SELECT 'HGR-OUT-1', 'the authority', '{third_party}', 'samples for testing', current_date - 300, 'file 8', a.id, now() - interval '299 days'
FROM people.accounts a WHERE a.username = 'quinn'
"""
"""Samples may leave to laboratories outside, and might since long before."""
_TESTED: WeakKeyDictionary[Lab, tuple[str, str]] = WeakKeyDictionary()


async def laboratory(lab: Lab, **more: Any) -> dict[str, Any]:
    """A laboratory outside that is accredited for every test: its name, number and accreditation."""
    name, quinn = f"Institute {uuid.uuid4().hex[:8]}", lab.as_("quinn")
    number = ok(await quinn.post("/laboratories", {"name": name, "address": "Road 2"}))["laboratory"]
    body = accreditation(**more)
    made = ok(await quinn.post(f"/laboratories/{number}/accreditations", body))["record"]
    return {"name": name, "number": number, "accreditation": made}


def accreditation(**more: Any) -> dict[str, Any]:
    scope = [{"test": test, "method": method} for test, method in METHODS.items()]
    body = {"kind": "cnas", "number": "CNAS L0001", "scope": scope, "valid_from": day(-400), "valid_to": day(400)}
    return {**body, "file_name": "cnas.pdf", "file_sha256": "d" * 64, **more}


def declaration(institution: str, **more: Any) -> dict[str, Any]:
    apart = dict.fromkeys(("not_the_institution", "not_the_facility", "no_common_control"), True)
    body = {"institution": institution, **apart, "declared_by": "Director Wen"}
    return {**body, "declared_on": day(-20), "evidence": "DI-1", **more}


def retested(test: str, **more: Any) -> dict[str, Any]:
    body = {"test": test, "method": METHODS[test], "limit_text": "none", "outcome": "passed", "found": "none"}
    if test == "endotoxin":
        body |= {"value": "0.05", "limit_value": "0.5", "unit": "EU/mL"}  # type: ignore[dict-item]
    return {**body, "tested_on": day(-5), **more}


async def report(lab: Lab, by: str, lot: str, sample_kind: str = "final_formulation", **more: Any) -> dict[str, Any]:
    """A report about a sample of the lot that every test passed."""
    process = (await life.shared(lab)).process
    body = {"laboratory": by, "sample_kind": sample_kind, "lot": lot, "process": process["name"]}
    body |= {"process_version": process["version"], "report_number": f"R-{uuid.uuid4().hex[:6]}", "signatory": "Dr Wen"}
    body |= {"file_name": "r.pdf", "file_sha256": "e" * 64, "reported_on": day(-3)}
    body |= {
        "taken_at": life.ago(days=9),
        "handed_over_by": "Tess",
        "received_at": life.ago(days=8),
        "received_by": "Liu",
    }
    body |= {"low_c": "2", "high_c": "8", "min_c": "3.5", "max_c": "6"}
    return {**body, "tests": [retested(test) for test in METHODS], **more}


async def tested(lab: Lab) -> tuple[str, str]:
    """A laboratory outside by name, and the lot of which samples are sent out."""
    if lab not in _TESTED:
        lived = await life.preparation(lab, upto="planned")
        _TESTED[lab] = ((await laboratory(lab))["name"], lived.lot)
        ok(await lab.as_("quinn").post(f"/lots/{lived.lot}/production-ends", end_report()))
        await lab.arrange(PERMIT)
    return _TESTED[lab]


async def tested_again(lab: Lab, number: str, institution: str) -> None:
    """The study's matrix becomes whole."""
    name, lot = await tested(lab)
    quinn = lab.as_("quinn")
    found = next(each for each in ok(await quinn.get("/laboratories")) if each["name"] == name)
    ok(await quinn.post(f"/laboratories/{found['laboratory']}/declarations", declaration(institution)))
    for sample_kind in ("starting_harvest", "final_formulation"):
        ok(await quinn.post(f"/studies/{number}/reinspections", await report(lab, name, lot, sample_kind)))


async def ready(lab: Lab, **more: Any) -> str:
    """The number of a study that has everything."""
    number = await untested(lab, **more)
    shown = ok(await lab.as_("quinn").get(f"/studies/{number}"))
    await tested_again(lab, number, shown["study"]["institution"]["name"])
    return number


async def untested(lab: Lab, **more: Any) -> str:
    """The number of a study that has everything but what is tested again."""
    number = await registered(lab, **more)
    quinn = lab.as_("quinn")
    ok(await quinn.post(f"/studies/{number}/leaders", LEADER))
    for committee in ("academic", "ethics"):
        ok(await quinn.post(f"/studies/{number}/decisions", decision(committee)))
    ok(await quinn.post(f"/studies/{number}/filings", filing()))
    return number
