"""One life of a preparation over HTTP, from donor to "awaiting release"."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from app.demo.donors import HISTORY, TISSUES
from app.demo.people import Person, Unexpected
from app.demo.telling import step

VIALS = 4
PASSED = {
    "sterility": {"value": "no growth"},
    "mycoplasma": {"value": "not detected"},
    "endotoxin": {"value": "0.6", "unit": "EU/mL"},
    "adventitious virus": {"value": "not detected"},
    "viability": {"value": "93.5", "unit": "%"},
    "identity": {"value": "STR match"},
    "dose": {"value": "10400000", "unit": "cells/vial"},
    "CD73+ CD90+ CD105+": {"value": "98.2", "unit": "%"},
    "platelet lysate residue": {"value": "6.4", "unit": "ng/mL"},
}
LINES: list[dict[str, Any]] = [
    {"test": "sterility", "method": "direct inoculation, 14 d", "kind": "qualitative", "expected": "no growth", "safety": True},
    {"test": "mycoplasma", "method": "culture and NAT", "kind": "qualitative", "expected": "not detected", "safety": True},
    {"test": "endotoxin", "method": "kinetic chromogenic LAL", "kind": "quantitative", "high": "5", "unit": "EU/mL", "safety": True},
    {"test": "adventitious virus", "method": "in vitro, three indicator lines", "kind": "qualitative", "expected": "not detected", "safety": True},
    {"test": "viability", "method": "AO/PI count", "kind": "quantitative", "low": "80", "unit": "%", "safety": True},
    {"test": "identity", "method": "STR against the donor", "kind": "qualitative", "expected": "STR match", "safety": True},
    {"test": "dose", "method": "AO/PI count", "kind": "quantitative", "low": "9000000", "unit": "cells/vial", "safety": True},
    {"test": "CD73+ CD90+ CD105+", "method": "flow cytometry", "kind": "quantitative", "low": "95", "unit": "%", "safety": False},
    {"test": "platelet lysate residue", "method": "ELISA of a platelet protein", "kind": "quantitative", "high": "50", "unit": "ng/mL", "safety": False},
]  # fmt: skip
MATERIALS: list[dict[str, Any]] = [
    {"name": "MSC expansion medium", "description": "间充质干细胞扩增培养基, xeno-free", "grade": "gmp_ancillary", "human_derived": True,
     "composition": [{"name": "α-MEM"}, {"name": "human platelet lysate"}, {"name": "L-glutamine", "cas": "56-85-9"}]},
    {"name": "Recombinant trypsin", "description": "重组胰蛋白酶", "grade": "pharmacopoeial_excipient", "human_derived": False,
     "composition": [{"name": "trypsin, recombinant", "cas": "9002-07-7"}, {"name": "EDTA", "cas": "60-00-4"}]},
    {"name": "Cryoprotectant CS10", "description": "冻存液, DMSO 10 %", "grade": "pharmacopoeial_excipient", "human_derived": True,
     "composition": [{"name": "dimethyl sulfoxide", "cas": "67-68-5"}, {"name": "human serum albumin", "cas": "70024-90-7"}]},
]  # fmt: skip


@dataclass
class Laboratory:
    """The people, and what they work with."""

    people: dict[str, Person]
    folder: Path
    workstation: str = ""
    tank: str = ""
    containers: dict[str, str] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Person:
        """Somebody by their user name."""
        try:
            return self.people[name]
        except KeyError:
            raise AttributeError(name) from None


@dataclass
class Preparation:
    """What a life left behind."""

    code: str
    name: str
    donation: str
    vials: list[str]
    pseudonym: str


def now() -> str:
    """This moment."""
    return datetime.now(UTC).isoformat()


def _half_a_year_ago() -> dict[str, str]:
    done = datetime.now(UTC).date() - timedelta(days=180)
    return {"done_on": str(done), "due_on": str(done + timedelta(days=365))}


def prepare_house(lab: Laboratory) -> None:
    """By whose rules; equipment, process, specification, materials: what must stand before the first donation."""
    choose_the_rules(lab)
    quinn, quincy, tess = lab.quinn, lab.quincy, lab.tess
    done = {"kind": "performance", "outcome": "passed", "done_by": "Metrology Ltd", **_half_a_year_ago()}
    lab.workstation = quinn.does(
        "/equipment",
        {"name": "BSC-02", "kind": "workstation", "room": "C-114",
         "qualifications": [{**done, "evidence": "PQ-BSC-02 airflow, filters, smoke"}]},
    )["code"]  # fmt: skip
    lab.tank = quinn.does(
        "/equipment",
        {
            "name": "LN2-01",
            "kind": "tank",
            "room": "C-120",
            "qualifications": [{**done, "evidence": "PQ-LN2-01 mapping"}],
        },
    )["code"]
    on = _half_a_year_ago()
    for area in ({"room": "C-114", "grade": "B"}, {"workstation": lab.workstation, "grade": "A"}):
        days = {"classified_on": on["done_on"], "due_on": on["due_on"]}
        quinn.does("/monitoring/areas", {**area, **days, "evidence": "CL-26-1"})
    quinn.does(
        "/processes",
        {
            "name": "MSC-BM", "version": 4, "product": "Autologous BM-MSC", "product_zh": "自体骨髓间充质干细胞",
            "cell_source": "bone marrow", "passage_convention": "primary_is_p0", "max_passage": 5, "max_pdl": "18",
            "shelf_life_days": 730, "gene_modified": False, "long_term_expansion": False, "clone_selected": False,
            "short_cycle": True, "low_manipulation": True,
        },
    )  # fmt: skip
    quinn.does(
        "/specifications",
        {
            "name": "MSC-BM",
            "version": 4,
            "effective_from": now(),
            "lines": [{"required": True, **line} for line in LINES],
        },
    )
    step("Quinn (QA manager)", "defined workstation, process MSC-BM v4 and its specification")
    qualify_supplier(lab)
    for number, material in enumerate(MATERIALS):
        quinn.does(
            "/materials", {**material, "composition_complete": True, "animal_serum": False, "animal_derived": False}
        )
        if material["grade"] == "gmp_ancillary":
            assess_material(lab, material["name"])
        lot = tess.does(
            "/material-lots",
            {
                "material": material["name"], "supplier": "Reagent House", "supplier_lot": f"RH-26-{number + 1:03}",
                "expires_on": str((datetime.now(UTC) + timedelta(days=300)).date()), "received_at": now(),
                "certificate_reference": f"CoA RH-26-{number + 1:03}", "certificate_reviewed_at": now(),
                "storage_ok": True, "containers": 2,
            },
        )  # fmt: skip
        if material["human_derived"]:
            papers = {"kind": "marketing_licence", "reference": f"licence of lot RH-26-{number + 1:03}"}
            quinn.does(f"/material-lots/{lot['code']}/certificates", papers)
        approver = quinn if number == 0 else quincy
        ceremony = approver.signs("material_approved", {"kind": "material_lot", "code": lot["code"]})
        approver.does(f"/material-lots/{lot['code']}/approve", {"ceremony": ceremony})
        lab.containers[material["name"]] = lot["containers"][0]["code"]
    step("Tess and the QA managers", "received three material lots; each approved for use by signature")


def choose_the_rules(lab: Laboratory) -> None:
    """Until a rule pack is chosen by signature every gate is closed."""
    pack = lab.quinn.does("/packs/proposals", {"pack": "CN-818", "why": "the house lies in China"})
    ceremony = lab.lin.signs("pack_approved", {"kind": "pack", "ref": str(pack["proposal"])})
    lab.lin.does(f"/packs/proposals/{pack['proposal']}/choose", {"ceremony": ceremony})
    step("Quinn and Dr Lin Qing", "chose the rule pack CN-818: proposed by one, signed by the other")


def qualify_supplier(lab: Laboratory) -> None:
    """One QA manager writes the audit down, another signs it."""
    made = lab.quinn.does(
        "/suppliers", {"name": "Reagent House", "kind": "manufacturer", "address": "18 Harbour Road, Shanghai"}
    )
    audit = lab.quinn.does(
        f"/suppliers/{made['supplier']}/audits",
        {
            "method": "on_site", "audited_on": str(datetime.now(UTC).date() - timedelta(days=20)), "outcome": "qualified",
            "findings": "one minor finding, closed", "evidence": "AR-26-003",
            "valid_to": (datetime.now(UTC) + timedelta(days=700)).isoformat(),
        },
    )["audit"]  # fmt: skip
    ceremony = lab.quincy.signs("supplier_decided", {"kind": "supplier_audit", "ref": str(audit)})
    lab.quincy.does(f"/supplier-audits/{audit}/decide", {"ceremony": ceremony})
    step("The QA managers", "audited the supplier Reagent House and signed that it is qualified")


def assess_material(lab: Laboratory, name: str) -> None:
    """Why a material that is not of medicinal grade may be used: proposed by Quinn, approved by Lin."""
    proposed = lab.quinn.does(
        "/assessments",
        {
            "rule": "MAT-02", "scope": {"kind": "material", "name": name}, "title": f"{name} is not of medicinal grade",
            "hazard": "impurities of the material reach the patient",
            "mitigations": [
                {"measure": "pharmacopoeias and authorised drugs searched: there is none", "control": "medicinal_search"},
                {"measure": "three washes before the fill, validated", "control": "residual_removal"},
                {"measure": "each lot tested for growth on arrival", "control": "incoming_test"},
            ],
            "conclusion": "acceptable with these measures",
            "valid_to": (datetime.now(UTC) + timedelta(days=600)).isoformat(),
        },
    )  # fmt: skip
    ceremony = lab.lin.signs("assessment_approved", {"kind": "assessment", "ref": str(proposed["assessment"])})
    lab.lin.does(f"/assessments/{proposed['assessment']}/approve", {"ceremony": ceremony})


MEASURES = {
    "time_slot": "one donor at a workstation at a time, line cleared before and after",
    "dedicated_incubator": "one incubator for each donor",
    "vapour_tank": "storage in vapour, never in liquid",
    "protective_clothing": "gown and gloves changed between donors",
    "cleaning": "sporicidal cleaning between donors",
    "waste": "waste leaves in closed bags",
}


def qualify_and_assess(lab: Laboratory) -> None:
    """Before anybody works: who was trained for what, and how donors' cells are kept apart."""
    regulate(lab)
    begins = datetime.now(UTC) - timedelta(days=1)
    for topic in ("gowning", "line_clearance", "isolation", "passage", "fill", "cryopreservation"):
        lab.quinn.does(
            "/accounts/tess/qualifications",
            {"topic": topic, "valid_from": begins.isoformat(), "valid_to": (begins + timedelta(days=365)).isoformat(),
             "evidence": f"training record TR-26-{topic}"},
        )  # fmt: skip
    step("Quinn", "recorded what Tess is qualified for, before she touches anything: gowning and each step")
    lab.quinn.does("/questionnaires", HISTORY)
    proposed = [lab.quinn.does("/tissues", each) for each in TISSUES]
    marrow = proposed[0]
    ceremony = lab.lin.signs("tissue_decided", {"kind": "tissue_type", "ref": str(marrow["tissue"])})
    lab.lin.does(f"/tissues/{marrow['tissue']}/decide", {"ceremony": ceremony})
    step(
        "Quinn and Dr Lin Qing",
        "what donors are asked, and that marrow is rich in leukocytes: proposed by one, decided by the other",
    )
    proposed = lab.quinn.does(
        "/assessments",
        {"rule": "DON-05", "scope": {"kind": "facility"}, "title": "Cross-contamination between autologous donors",
         "hazard": "cells or an infection of one donor reach another donor's product",
         "mitigations": [{"measure": measure, "control": control} for control, measure in MEASURES.items()],
         "conclusion": "with these measures the remaining risk is acceptable",
         "valid_to": (datetime.now(UTC) + timedelta(days=700)).isoformat()},
    )  # fmt: skip
    ceremony = lab.lin.signs("assessment_approved", {"kind": "assessment", "ref": str(proposed["assessment"])})
    lab.lin.does(f"/assessments/{proposed['assessment']}/approve", {"ceremony": ceremony})
    step(
        "Quinn and Dr Lin Qing",
        f"assessed cross-contamination between donors, {proposed['number']}: proposed by one, approved by the other",
    )


PARTS = (
    "procedures",
    "environmental_monitoring",
    "equipment",
    "training",
    "deviation",
    "change",
    "complaint",
    "recall",
)


def regulate(lab: Laboratory) -> None:
    """The quality system, in one manual that a QA manager proposes and the quality authority approves."""
    proposed = lab.quinn.does(
        "/documents",
        {"number": "QM-001", "types": list(PARTS), "title": "Quality manual", "file_name": "QM-001 v1.pdf",
         "file_sha256": sha256(b"the quality manual of the demonstration").hexdigest(),
         "review_due": str((datetime.now(UTC) + timedelta(days=700)).date())},
    )  # fmt: skip
    ceremony = lab.lin.signs("document_approved", {"kind": "document", "ref": str(proposed["document"])})
    lab.lin.does(f"/documents/{proposed['document']}/approve", {"ceremony": ceremony})
    for level, name in (("institution", "rolf"), ("study", "phil"), ("facility", "hedda")):
        borne = lab.quinn.does(
            "/mandates/responsibilities", {"level": level, "username": name, "duties": f"answers for the {level}"}
        )["number"]
        ceremony = lab.people[name].signs("responsibility_accepted", {"kind": "responsibility", "ref": str(borne)})
        lab.people[name].does(f"/mandates/responsibilities/{borne}/accept", {"ceremony": ceremony})
    granted = lab.quinn.does(
        "/mandates/authorisations",
        {"process": "MSC-BM", "version": 4, "owner": "The hospital", "address": "1 Lab Road", "classification": "A in B",
         "valid_to": (datetime.now(UTC) + timedelta(days=700)).isoformat()},
    )["number"]  # fmt: skip
    ceremony = lab.lin.signs("process_authorised", {"kind": "authorisation", "ref": str(granted)})
    lab.lin.does(f"/mandates/authorisations/{granted}/sign", {"ceremony": ceremony})
    decided = lab.quinn.does(
        "/bank-policies",
        {"process": "MSC-BM", "process_version": 4, "needed": False, "tiers": [],
         "conditions": ["autologous", "short_cycle", "low_manipulation"],
         "reasons": "one patient's own cells, three passages, no change but growth"},
    )["number"]  # fmt: skip
    ceremony = lab.lin.signs("bank_policy_decided", {"kind": "bank_policy", "ref": str(decided)})
    lab.lin.does(f"/bank-policies/{decided}/sign", {"ceremony": ceremony})
    step(
        "Quinn and Dr Lin Qing",
        "put the quality manual into effect: procedures, training, deviations, recalls and more",
    )


def _used(lab: Laboratory, *names: str) -> list[dict[str, Any]]:
    return [{"container": lab.containers[name], "quantity": "25", "unit": "mL"} for name in names]


def _clear(lab: Laboratory, lot: str, phase: str) -> None:
    checks = {"previous material gone": True, "surfaces disinfected": True, "labels reconciled": True}
    cleared = lab.tess.does(
        f"/workstations/{lab.workstation}/clearances", {"lot": lot, "phase": phase, "checks": checks}
    )
    _verify(lab, f"/clearances/{cleared['clearance']}", scanned=lab.workstation)


def _verify(lab: Laboratory, path: str, *, scanned: str) -> None:
    """Vera comes to Tess's bench, scans her badge, types her PIN and scans the thing itself."""
    lab.tess.does(f"{path}/verification", {"badge": lab.vera.badge, "pin": lab.vera.pin, "scanned": scanned})


def _monitor(lab: Laboratory) -> None:
    """Plates are put out, and gloves printed, in the session that was opened just now."""
    session = lab.tess.asks("/monitoring/sessions", limit=1)[0]["session"]
    taken = [("settle", "A", "left of the work surface"), ("glove", "A", "right glove"), ("settle", "B", "by the door")]
    lab.tess.does(
        f"/monitoring/sessions/{session}/samples",
        {"samples": [{"kind": kind, "grade": grade, "place": at, "taken_at": now()} for kind, grade, at in taken]},
    )


def _read_plates(lab: Laboratory) -> None:
    """Ana reads every plate that waits: nothing grew."""
    waiting = lab.ana.asks("/monitoring/sessions", pending=True)
    samples = [
        each["sample"]
        for line in waiting
        for each in lab.ana.asks(f"/monitoring/sessions/{line['session']}")["samples"]
        if each["state"] == "pending"
    ]
    readings = [{"sample": each, "value": "0", "read_at": now()} for each in samples]
    lab.ana.does("/monitoring/readings", {"readings": readings})
    step("Ana", f"read {len(readings)} plates and prints of the session: nothing grew")


def _retain(lab: Laboratory, lot: str, kind: str, source: str) -> None:
    lab.tess.does(
        f"/lots/{lot}/retains",
        {"kind": kind, "from": source, "quantity": "0.5", "unit": "mL", "place": "Freezer R-3, drawer 2"},
    )


def donate(lab: Laboratory, *, name: str, number: str, born: str) -> dict[str, str]:
    """Donor, consent, markers, donation, determination."""
    donor = lab.phil.does(
        "/donors",
        {"relation": "autologous", "recipient": "self",
         "identity": {"name": name, "hospital_number": number, "birth_date": born}},
    )  # fmt: skip
    code, pseudonym = donor["code"], donor["pseudonym"]
    lab.phil.does(
        f"/donors/{code}/identity-matches",
        {"recipient": "self", "identifiers": ["hospital_number", "birth_date"], "second_by": "vera"},
    )
    lab.phil.does(
        f"/donors/{code}/consents",
        {
            "form_version": "IC-MSC-3.1",
            "scopes": ["donation", "processing", "storage", "autologous use"],
            "signed_at": now(),
        },
    )
    panel = [("HIV", "HIV Ag/Ab"), ("HIV", "HIV NAT"), ("HBV", "HBsAg"), ("HBV", "anti-HBc"), ("HBV", "HBV NAT"),
             ("HCV", "anti-HCV"), ("HCV", "HCV NAT"), ("syphilis", "treponemal"), ("syphilis", "non-treponemal")]  # fmt: skip
    lab.ana.does(
        f"/donors/{code}/markers",
        {"markers": [{"analyte": analyte, "marker": marker, "method": "hospital laboratory", "kit_lot": "K-118",
                      "laboratory": "Hospital laboratory medicine", "sampled_at": now(), "reported_at": now(),
                      "outcome": "negative"} for analyte, marker in panel]},
    )  # fmt: skip
    lab.phil.does(
        f"/donors/{code}/histories",
        {"questionnaire": HISTORY["name"], "version": 1, "asked_at": now(),
         "answers": {each["code"]: "no" for each in HISTORY["questions"]},
         "examination": {"outcome": "suitable", "by": "Dr Phil Fang", "at": now()}},
    )  # fmt: skip
    step(
        "Phil (physician) and Ana (QC)",
        f"registered donor [bold]{pseudonym}[/], consent, two identifiers, history, nine markers",
    )
    donation = lab.tess.does(
        "/donations",
        {"donor": code, "tissue": "bone marrow", "collected_at": now(), "received_at": now(), "volume_ml": "40"},
    )["code"]
    ceremony = lab.phil.signs("eligibility_determined", {"kind": "donation", "code": donation}, statement="eligible")
    lab.phil.does(
        f"/donations/{donation}/determination",
        {"decision": "eligible", "reason": "history, examination and markers reviewed", "ceremony": ceremony},
    )
    step("Phil", f"determined donation {donation} eligible; until then it stood in quarantine")
    return {"donor": code, "pseudonym": pseudonym, "donation": donation}


def culture(lab: Laboratory, given: dict[str, str]) -> Preparation:
    """Plan, clear the line, isolate, passage three times, fill, freeze."""
    lot = lab.tess.does(
        "/lots",
        {"process": {"name": "MSC-BM", "version": 4}, "specification": {"name": "MSC-BM", "version": 4},
         "donation": given["donation"], "recipient": "self"},
    )  # fmt: skip
    code = lot["code"]
    _clear(lab, code, "before")
    _monitor(lab)
    bench = {"workstation": lab.workstation}
    began = now()
    medium = _used(lab, "MSC expansion medium")
    done = lab.tess.does(
        f"/lots/{code}/isolation",
        {
            **bench,
            "materials": medium,
            "started_at": began,
            "ended_at": now(),
            "viable": "500000",
            "dead": "26000",
            "flasks": 1,
        },
    )
    flasks = _codes(done)
    _verify(lab, f"/steps/{done['step']}", scanned=flasks[0])
    _retain(lab, code, "starting_material", given["donation"])
    step(
        "Tess (technician), Vera with badge and PIN",
        f"cleared the line, isolated P0 of [bold]{lot['name']}[/]; both verified by a scan of the thing itself",
    )
    for seeded, harvested, dead in (
        (500_000, 2_100_000, 70_000),
        (2_000_000, 9_400_000, 310_000),
        (9_000_000, 44_000_000, 1_500_000),
    ):
        began = now()
        done = lab.tess.does(
            f"/lots/{code}/passages",
            {**bench, "parents": flasks, "materials": _used(lab, "MSC expansion medium", "Recombinant trypsin"),
             "started_at": began, "ended_at": now(), "viable_seeded": str(seeded), "viable_harvested": str(harvested),
             "dead_harvested": str(dead), "flasks": 2},
        )  # fmt: skip
        flasks = _codes(done)
        _verify(lab, f"/steps/{done['step']}", scanned=flasks[0])
    step("Tess", "passaged P1 to P3; population doublings counted")
    began = now()
    done = lab.tess.does(
        f"/lots/{code}/fill",
        {**bench, "parents": flasks, "materials": _used(lab, "Cryoprotectant CS10"), "started_at": began, "ended_at": now(),
         "viable_harvested": "43000000", "dead_harvested": "1600000", "vials": VIALS, "volume_ml": "1.0",
         "viable_cells_per_vial": "10400000"},
    )  # fmt: skip
    vials = _codes(done)
    _verify(lab, f"/steps/{done['step']}", scanned=vials[0])
    return Preparation(
        code=code, name=lot["name"], donation=given["donation"], vials=vials, pseudonym=given["pseudonym"]
    )


def _codes(done: dict[str, Any]) -> list[str]:
    return [each if isinstance(each, str) else each["code"] for each in done["containers"]]


def label_and_freeze(lab: Laboratory, made: Preparation) -> None:
    """Label and freeze, have it verified, clear the line and keep a retain."""
    label(lab, made)
    _verify(lab, f"/steps/{freeze(lab, made)}", scanned=made.vials[0])
    clear_and_retain(lab, made)


def label(lab: Laboratory, made: Preparation) -> None:
    """Print a label for each vial, and read it back from its own picture as a technician would."""
    folder = lab.folder / "labels"
    folder.mkdir(parents=True, exist_ok=True)
    for vial in made.vials:
        lab.tess.does(f"/items/{vial}/labels", {})
        picture = lab.tess.fetches(f"/items/{vial}/label.png", dots_per_mm="12")
        (folder / f"{vial}.png").write_bytes(picture)
        (folder / f"{vial}.pdf").write_bytes(lab.tess.fetches(f"/items/{vial}/label.pdf"))
        seen = lab.tess.sends_picture("/scans/picture", picture)["scans"]
        if [scan["item"]["code"] for scan in seen if scan["item"]] != [vial]:
            raise Unexpected(f"the label of {vial} reads as {seen}")
    step("Tess", f"printed {len(made.vials)} vial labels and scanned each [bold]from the picture of its label[/]")


def freeze(lab: Laboratory, made: Preparation) -> int:
    """Freeze every vial; the number of the step, which nobody has verified yet."""
    frozen = lab.tess.does(
        f"/lots/{made.code}/cryopreservation",
        {"place": lab.tank, "programme": "-1 °C/min to -40 °C, then -10 °C/min to -120 °C",
         "started_at": now(), "frozen_at": now()},
    )  # fmt: skip
    return int(frozen["step"])


def clear_and_retain(lab: Laboratory, made: Preparation) -> None:
    """The line is cleared after the cells, and the last vial is kept."""
    _clear(lab, made.code, "after")
    _retain(lab, made.code, "final_product", made.vials[-1])
    step("Tess", "froze the vials, cleared the line, kept a vial as retain; the lot is in quarantine")


def run_tests(lab: Laboratory, made: Preparation, *, but: dict[str, dict[str, str]] | None = None) -> None:
    """Read the plates of the session, sample, measure, review."""
    _read_plates(lab)
    sample = lab.ana.does(f"/lots/{made.code}/samples", {"from": made.vials[0], "purpose": "release testing"})["code"]
    for name, value in {**PASSED, **(but or {})}.items():
        lab.ana.does(
            f"/samples/{sample}/results",
            {"test": name, **value, "method_version": "QC-SOP-12 v3", "instrument": "LAB-7", "measured_at": now()},
        )
    step("Ana (QC analyst)", f"recorded {len(PASSED)} results of sample {sample}")
    ceremony = lab.rolf.signs("results_reviewed", {"kind": "results", "code": made.code}, statement="accepted")
    lab.rolf.does(
        f"/lots/{made.code}/results/review",
        {"decision": "accepted", "remarks": "raw data checked", "ceremony": ceremony},
    )
    step("Rolf (QC reviewer)", "reviewed them all by one signature")


def count_labels(lab: Laboratory, made: Preparation) -> None:
    """At the end every label that was printed is accounted for: one stands on each vial."""
    lab.tess.does(f"/lots/{made.code}/label-counts", {"used": len(made.vials), "destroyed": 0, "returned": 0})
    step("Tess", f"counted the labels: {len(made.vials)} printed = {len(made.vials)} used")


def review(lab: Laboratory, made: Preparation) -> None:
    """The QA review of the batch record, and the submission for release."""
    ceremony = lab.quinn.signs("batch_reviewed", {"kind": "batch", "code": made.code}, statement="accepted")
    lab.quinn.does(
        f"/lots/{made.code}/batch-review",
        {"decision": "accepted", "remarks": "batch record and audit trail reviewed", "ceremony": ceremony},
    )
    lab.quinn.does(f"/lots/{made.code}/submit")
    step("Quinn", f"reviewed the batch record of {made.name} by signature and submitted it for release")
