"""Clean dossiers, one of each kind: an autologous marrow preparation as it should be, written as the database writes it.

The cast: Tess the technician, Vera who verifies, Quill who tests, Reva who reviews results, Quinn from quality,
Phil the physician, Rhea the quality authority.
"""

import json
from datetime import UTC, datetime
from functools import cache

from app.domain.dossier import Dossier, parse
from app.domain.facts import Signer, SubjectKind
from app.domain.rulebook import Gate
from app.domain.settings_defaults import DEFAULTS

AT = datetime(2026, 11, 20, 10, tzinfo=UTC)
SIGNER = Signer(account="rhea", roles=("quality_authority",), appointment_id=1)
DONOR = "P-DONOR-1"
GATE_OF = {
    SubjectKind.LOT: Gate.G6,
    SubjectKind.DONATION: Gate.G2,
    SubjectKind.MATERIAL_LOT: Gate.G1,
    SubjectKind.STEP: Gate.G4,
    SubjectKind.STUDY: Gate.G8,
    SubjectKind.BANK_VIAL: Gate.G3,
}
SECTIONS = [
    "lot",
    "process",
    "donations",
    "donors",
    "materials",
    "consumptions",
    "steps",
    "plan",
    "containers",
    "specification",
    "results",
    "retains",
    "recorders",
    "deviations",
    "holds",
    "waivers",
    "batch_review",
    "package_digest",
    "appointments",
    "assessments",
    "labels",
    "qualifications",
    "disease_status",
    "banks",
    "suppliers",
    "equipment",
    "facility",
    "work_sessions",
    "authorisations",
    "permits",
    "authority_replies",
    "study",
    "transports",
    "virus_tests",
    "off_target_reports",
    "bank",
    "vial",
    "bank_policies",
    "legacy",
    "two_steps",
]


def moment(text):
    return f"{text}:00.000000+00:00"


def marker(number, analyte, name):
    return {
        "id": number,
        "analyte": analyte,
        "marker": name,
        "method": "ECLIA" if "NAT" not in name else "PCR",
        "kit_lot": f"K-{number}",
        "laboratory": "Clinical laboratory",
        "sampled_at": moment("2026-09-28T08:00"),
        "reported_at": moment("2026-10-01T12:00"),
        "outcome": "negative",
        "recorded_at": moment("2026-10-01T12:05"),
    }


def donor():
    panel = next(each.value for each in DEFAULTS if each.name == "don01.panel")
    names = [(analyte, name) for analyte, names in panel.items() for name in names]
    return {
        "pseudonym": DONOR,
        "relation": "autologous",
        "tested_person": DONOR,
        "genetic_source": DONOR,
        "recipient": DONOR,
        "identity_matches": [
            {
                "recipient": DONOR,
                "identifiers": ["hospital_number", "birth_date"],
                "verified_by": "tess",
                "second_by": "vera",
                "at": moment("2026-10-02T09:00"),
            }
        ],
        "consents": [
            {
                "form_version": "IC-3",
                "scopes": ["donation", "processing", "autologous use"],
                "signed_at": moment("2026-09-20T09:00"),
                "withdrawn_at": None,
                "recorded_at": moment("2026-09-20T09:05"),
            }
        ],
        "markers": [marker(number, analyte, name) for number, (analyte, name) in enumerate(names, start=1)],
        "kind": None,
        "histories": [history()],
        "samplings": [
            {
                "sampled_at": moment("2026-09-28T08:00"),
                "weight_kg": 60,
                "blood_ml": 0,
                "colloid_ml": 500,
                "crystalloid_ml": 250,
                "recorded_at": moment("2026-10-01T12:05"),
            }
        ],
    }


def history():
    groups = ("infection", "travel", "prion", "genetic", "malignancy")
    return {
        "questionnaire": "Donor history",
        "version": 2,
        "outdated": False,
        "questions": [
            {"code": group, "en": f"Anything about {group}?", "zh": f"有关{group}？", "group": group, "excludes": "yes"}
            for group in groups
        ],
        "answers": dict.fromkeys(groups, "no"),
        "asked_at": moment("2026-09-25T09:00"),
        "examined_at": moment("2026-09-25T10:00"),
        "examined_by": "Dr Phil Fang",
        "examination": "suitable",
        "recorded_at": moment("2026-09-25T11:00"),
    }


def donation():
    return {
        "code": "D0000000001",
        "din": None,
        "donor": DONOR,
        "tissue": "bone marrow",
        "collected_at": moment("2026-10-04T08:00"),
        "received_at": moment("2026-10-04T10:00"),
        "determination": {
            "decision": "eligible",
            "signed_at": moment("2026-10-04T12:00"),
            "signed_by": "phil",
            "valid_until": moment("2027-10-04T12:00"),
        },
        "holds": [],
        "tissue_decisions": [
            {
                "name": "bone marrow",
                "version": 1,
                "leukocyte_rich": True,
                "birth_tissue": False,
                "reason": "marrow holds leukocytes in great number",
                "proposed_by": "quinn",
                "approved_by": "rhea",
                "approved_at": moment("2026-06-02T09:00"),
            }
        ],
        "birth_tests": [],
        "storage": [
            {
                "place": "E0000000007",
                "place_kind": "segregated_storage",
                "biohazard_labelled": True,
                "stored_at": moment("2026-10-04T10:30"),
                "recorded_at": moment("2026-10-04T10:31"),
            }
        ],
    }


def material(code, name, components):
    return {
        "lot": code,
        "name": name,
        "supplier_lot": "SL-7",
        "state": "approved",
        "composition": [{"name": each, "cas": None} for each in components],
        "composition_complete": True,
        "text": name,
        "expires_on": "2027-06-30",
        "coa_reviewed_at": moment("2026-09-10T09:00"),
        "coa_recorded_at": moment("2026-09-10T09:10"),
        "approved_at": moment("2026-09-11T09:00"),
        "approved_by": "quinn",
        "recalled": False,
        "holds": [],
        "animal_serum": False,
        "species": None,
        "origin_countries": ["DE"],
        "processed_in": "DE",
        "collected_on": None,
        "kind": "reagent",
        "grade": "pharmacopoeial_excipient",
        "animal_derived": False,
        "human_derived": False,
        "selected_with": None,
        "received_at": moment("2026-09-05T09:00"),
        "storage_ok": True,
        "supplier": "Good Supplies",
        "certificates": [],
        "vectors": [],
        "virus_tests": [],
        "retains": [],
    }


def certificate(kind, reference, pool_size=None):
    return {
        "kind": kind,
        "reference": reference,
        "pool_size": pool_size,
        "recorded_by": "quinn",
        "recorded_at": moment("2026-09-10T09:30"),
    }


def materials():
    lysate = ["human platelet lysate", "heparin"]
    return [
        material("M0000000001", "DMEM low glucose", ["glucose", "L-glutamine", "inorganic salts", "vitamins"]),
        {
            **material("M0000000002", "人血小板裂解物 (platelet lysate)", lysate),
            "human_derived": True,
            "certificates": [
                certificate("donor_pool", "POOL-7", pool_size=12),
                certificate("virus_inactivation", "VI-7"),
            ],
        },
    ]


def suppliers():
    return [
        {
            "name": "Good Supplies",
            "kind": "manufacturer",
            "audits": [
                {
                    "outcome": "qualified",
                    "audited_on": "2026-01-10",
                    "evidence": "AR-26-001",
                    "valid_from": moment("2026-01-15T09:00"),
                    "valid_to": moment("2028-01-15T09:00"),
                    "recorded_by": "rolf",
                    "signed_by": "quinn",
                    "signed_at": moment("2026-01-15T09:00"),
                }
            ],
        }
    ]


def consumption(step, lot, used_at):
    return {
        "material_lot": lot,
        "container": f"C-{lot}",
        "step_id": step,
        "used_at": moment(used_at),
        "quantity": 45.5,
        "unit": "mL",
        "expires_on": "2027-06-30",
        "opened_until": moment("2026-11-05T00:00"),
        "approved_at": moment("2026-09-11T09:00"),
    }


def step(number, kind, passage, day, cpdl=None, pd=None):
    is_open = kind != "cryopreservation"
    return {
        "id": number,
        "kind": kind,
        "passage": passage,
        "performed_by": "tess",
        "verified_by": "vera",
        "verified_at": moment(f"2026-10-{day:02}T11:10"),
        "started_at": moment(f"2026-10-{day:02}T09:00"),
        "ended_at": moment(f"2026-10-{day:02}T11:00"),
        "recorded_at": moment(f"2026-10-{day:02}T11:01"),
        "happened_anyway": False,
        "workstation": "E0000000001" if is_open else None,
        "session_donor": DONOR if is_open else None,
        "clearance_before_at": moment(f"2026-10-{day:02}T08:30") if is_open else None,
        "clearance_performed_by": "tess" if is_open else None,
        "clearance_verified_by": "vera" if is_open else None,
        "clearance_verified_at": moment(f"2026-10-{day:02}T08:40") if is_open else None,
        "viable_seeded": None if pd is None else 500000,
        "viable_harvested": None if pd is None else 4200000,
        "viability_percent": 95.5,
        "pd": pd,
        "cpdl": cpdl,
    }


def steps():
    return [
        step(1, "isolation", 0, 5),
        step(2, "passage", 1, 12, cpdl=3.07, pd=3.07),
        step(3, "passage", 2, 17, cpdl=6.14, pd=3.07),
        step(4, "passage", 3, 22, cpdl=9.21, pd=3.07),
        step(5, "fill", 3, 26, cpdl=9.21),
        step(6, "cryopreservation", 3, 26, cpdl=9.21),
    ]


def line(number, test, *, low=None, high=None, unit=None, expected=None):
    return {
        "id": number,
        "test": test,
        "method": f"SOP-{number}",
        "kind": "qualitative" if expected else "quantitative",
        "low": low,
        "high": high,
        "unit": unit,
        "expected": expected,
        "safety": True,
        "required": True,
    }


def specification():
    return {
        "name": "MSC-BM",
        "version": 2,
        "effective_from": moment("2026-06-01T00:00"),
        "lines": [
            line(1, "sterility", expected="no growth"),
            line(2, "mycoplasma", expected="not detected"),
            line(3, "endotoxin", high=0.5, unit="EU/mL"),
            line(4, "viability", low=70, unit="%"),
            line(5, "identity", expected="conforms"),
            line(6, "dose", low=2e7, high=5e7, unit="cells/vial"),
            line(7, "adventitious virus", expected="not detected"),
            {**line(8, "platelet lysate residue", high=50, unit="ng/mL"), "safety": False},
            {**line(9, "BSA residue", high=50, unit="ng/dose"), "safety": False},
        ],
    }


def result(number, test, *, value_number=None, value_text=None, unit=None):
    return {
        "id": number,
        "line_id": number,
        "test": test,
        "sample": "T0000000001",
        "value_number": value_number,
        "value_text": value_text,
        "unit": unit,
        "method_version": f"SOP-{number}/1",
        "instrument": None,
        "analyst": "quill",
        "measured_at": moment("2026-11-10T10:00"),
        "invalidated": False,
        "invalidated_by": None,
        "review": {"decision": "accepted", "by": "reva", "at": moment("2026-11-11T10:00")},
    }


def results():
    return [
        result(1, "sterility", value_text="No growth"),
        result(2, "mycoplasma", value_text="not detected"),
        result(3, "endotoxin", value_number=0.25, unit="EU/mL"),
        result(4, "viability", value_number=91.2, unit="%"),
        result(5, "identity", value_text="conforms"),
        result(6, "dose", value_number=30000000, unit="cells/vial"),
        result(7, "adventitious virus", value_text="not detected"),
        result(8, "platelet lysate residue", value_number=4.5, unit="ng/mL"),
        result(9, "BSA residue", value_number=12, unit="ng/dose"),
    ]


def retain(code, kind, day):
    return {
        "code": code,
        "kind": kind,
        "quantity": 1,
        "unit": "mL",
        "place": "retain store 2",
        "taken_at": moment(f"2026-10-{day}T12:00"),
        "recorded_at": moment(f"2026-10-{day}T12:05"),
    }


def assessment(rule="DON-05", scope_kind="process", scope="BM-MSC 4"):
    return {
        "number": "AS-26-0001",
        "version": 1,
        "rule": rule,
        "title": "Cross-contamination between autologous donors",
        "scope_kind": scope_kind,
        "scope": scope,
        "hazard": "cells or infection of one donor reach another donor's product",
        "mitigations": [
            {"measure": "one incubator for each donor", "control": "dedicated_incubator"},
            {"measure": "one donor at a workstation at a time", "control": "time_slot"},
            {"measure": "vapour phase storage only", "control": "vapour_tank"},
            {"measure": "gowning and gloves changed between donors", "control": "protective_clothing"},
            {"measure": "sporicidal cleaning between donors", "control": "cleaning"},
            {"measure": "waste leaves in closed bags", "control": "waste"},
        ],
        "conclusion": "the remaining risk is acceptable",
        "proposed_by": "quinn",
        "approved_by": "rhea",
        "approved_at": moment("2026-06-02T09:00"),
        "valid_from": moment("2026-06-02T09:00"),
        "valid_to": moment("2028-06-02T09:00"),
        "superseded": False,
    }


def labels():
    return {
        "printed": 9,
        "last_printed_at": moment("2026-10-26T10:00"),
        "count": {
            "printed": 9,
            "used": 7,
            "destroyed": 1,
            "returned": 1,
            "by": "tess",
            "at": moment("2026-10-27T09:00"),
        },
        "imbalances": [],
    }


def qualifications():
    topics = ("gowning", "line_clearance", "isolation", "passage", "fill", "cryopreservation", "thaw")
    return [
        {
            "account": "tess",
            "topic": topic,
            "valid_from": moment("2026-01-10T00:00"),
            "valid_to": moment("2027-01-10T00:00"),
            "evidence": f"TR-26-{number:03}",
            "recorded_at": moment("2026-01-10T09:00"),
        }
        for number, topic in enumerate(topics, start=1)
    ]


def classification(number, grade):
    return {
        "id": number,
        "grade": grade,
        "classified_on": "2026-02-01",
        "due_on": "2027-01-31",
        "recorded_at": moment("2026-02-02T09:00"),
    }


def monitored(number, kind, grade):
    return {
        "id": number,
        "kind": kind,
        "grade": grade,
        "place": f"{kind} {grade}",
        "taken_at": moment("2026-10-05T09:30"),
        "readings": [{"value": 0, "organism": None, "read_at": moment("2026-10-10T09:00")}],
    }


def work_session():
    """The one in which all steps were made: nothing grew."""
    return {
        "id": 1,
        "workstation": "E0000000001",
        "room": "B-01",
        "since": moment("2026-10-05T08:40"),
        "until": moment("2026-10-26T12:00"),
        "workstation_classes": [classification(1, "A")],
        "room_classes": [classification(2, "B")],
        "monitored": [monitored(1, "settle", "A"), monitored(2, "glove", "A"), monitored(3, "settle", "B")],
    }


def facility():
    """What stands in the house."""
    return {
        "documents": [
            {
                "number": "QM-1",
                "version": 3,
                "types": next(each.value for each in DEFAULTS if each.name == "gmp01.mandatory"),
                "title": "Quality manual",
                "effective_from": moment("2026-02-01T00:00"),
                "proposed_by": "quinn",
                "approved_by": "rhea",
                "approved_at": moment("2026-01-20T09:00"),
            }
        ],
        "responsible": [
            {
                "level": level,
                "account": account,
                "from": moment("2026-01-01T00:00"),
                "until": None,
                "accepted_at": moment("2026-01-02T09:00"),
            }
            for level, account in (("institution", "ida"), ("study", "phil"), ("facility", "hedda"))
        ],
    }


def authorisation():
    return {
        "id": 1,
        "process": "BM-MSC 4",
        "proposed_by": "quinn",
        "approved_by": "rhea",
        "approved_at": moment("2026-06-03T09:00"),
        "valid_from": moment("2026-06-03T09:00"),
        "valid_to": moment("2028-06-03T09:00"),
    }


def equipment(code, kind, steps, planned=False):
    """A piece that is fit; `steps` are those in which it served."""
    return {
        "code": code,
        "name": f"{kind} {code[-1]}",
        "kind": kind,
        "steps": steps,
        "planned": planned,
        "qualifications": [
            {
                "id": int(code[-1]),
                "kind": "performance",
                "done_on": "2026-01-15",
                "due_on": "2027-01-14",
                "outcome": "passed",
                "as_found_in_tolerance": True,
                "evidence": f"PQ-26-{code[-1]}",
                "recorded_at": moment("2026-01-16T09:00"),
            }
        ],
    }


def deviation():
    return {
        "number": "DV-26-0009",
        "class": "minor",
        "what": "a pipette tip fell on the floor",
        "impact": "none",
        "state": "closed",
        "rules": [],
        "closed_by": "quinn",
        "closed_at": moment("2026-10-20T10:00"),
    }


def permit():
    return {
        "number": "HGR-2026-0117",
        "authority": "National Health Commission",
        "purposes": ["banking", "third_party"],
        "scope": "marrow of up to 200 donors",
        "valid_from": "2026-05-01",
        "valid_to": "2029-04-30",
        "evidence": "original in the regulatory file, folder 4",
        "withdrawn_at": None,
        "recorded_at": moment("2026-05-02T09:00"),
    }


def appointment():
    return {
        "id": 1,
        "account": "rhea",
        "from": moment("2026-02-01T00:00"),
        "until": None,
        "revoked_at": None,
        "title_level": "senior",
        "title_certificate": "ZG-2019-118",
        "certificate_valid_until": None,
        "experience": [
            {
                "employer": "Hospital One",
                "position": "QA manager",
                "domain": "stem_cell_quality_management",
                "from": "2021-01-01",
                "to": "2025-12-31",
                "evidence": "letter of 2026-01-05",
            }
        ],
    }


def shell(kind, subject, name):
    settings = {each.name: {"version": 1, "value": each.value} for each in DEFAULTS}
    head = {"schema": 1, "kind": kind, "subject": subject, "name": name, "rulebook": "test", "jurisdiction": "CN-818"}
    return {**head, "settings": settings, **dict.fromkeys(SECTIONS)}


def process():
    return {
        "name": "BM-MSC",
        "version": 4,
        "passage_convention": "primary_is_p0",
        "max_passage": 5,
        "max_pdl": 20,
        "cell_source": "bone marrow",
        "gene_modified": False,
        "long_term_expansion": False,
        "clone_selected": False,
        "short_cycle": True,
        "low_manipulation": True,
        "vector_type": None,
        "gene_editing": None,
    }


def lot(state="awaiting_release"):
    return {
        "code": "L0000000001",
        "name": "PREP-26-0108",
        "kind": "preparation",
        "state": state,
        "version": 5,
        "recipient": DONOR,
        "expires_at": moment("2028-10-26T00:00"),
        "frozen_at": moment("2026-10-26T11:00"),
        "product": "autologous marrow MSC",
    }


def lot_json():
    used = [(1, "05"), (2, "12"), (3, "17"), (4, "22"), (5, "26")]
    vials = [f"V000000000{number}" for number in range(1, 4)]
    digest = "ab" * 32
    return {
        **shell("lot", "L0000000001", "PREP-26-0108"),
        "lot": lot(),
        "process": process(),
        "donations": [donation()],
        "donors": [donor()],
        "materials": materials(),
        "consumptions": [
            consumption(number, each["lot"], f"2026-10-{day}T09:30") for number, day in used for each in materials()
        ],
        "steps": steps(),
        "containers": [
            {
                "code": code,
                "kind": "vial",
                "state": "stored",
                "donors": [DONOR],
                "orphan": False,
                "labels_verified": 1,
                "place_kind": "segregated_storage",
            }
            for code in vials
        ],
        "specification": specification(),
        "results": results(),
        "transports": [],
        "retains": [
            retain("R0000000001", "starting_material", "05"),
            retain("R0000000002", "final_product", "26"),
        ],
        "recorders": ["ana", "tess"],
        "deviations": [deviation()],
        "holds": [],
        "waivers": [],
        "batch_review": {
            "decision": "accepted",
            "by": "quinn",
            "at": moment("2026-11-15T10:00"),
            "package_digest": digest,
        },
        "package_digest": digest,
        "permits": [permit()],
        "appointments": [appointment()],
        "assessments": [assessment()],
        "labels": labels(),
        "qualifications": qualifications(),
        "disease_status": [],
        "banks": [],
        "suppliers": suppliers(),
        "facility": facility(),
        "work_sessions": [work_session()],
        "authorisations": [authorisation()],
        "equipment": [
            equipment("E0000000001", "workstation", [1, 2, 3, 4, 5]),
            equipment("E0000000002", "tank", [6]),
        ],
        "authority_replies": [],
        "virus_tests": [],
        "bank_policies": [bank_policy()],
        "two_steps": {"plans": [], "under_way": [], "acknowledgements": []},
        "makers": [],
        "partners": [],
        "late_information": [],
        "exceptional_requests": [],
    }


def bank_policy():
    """Own cells, short, little manipulated: decided long before that they need no bank."""
    return {
        "id": 1,
        "process": "BM-MSC 4",
        "version": 1,
        "needed": False,
        "conditions": ["autologous", "low_manipulation", "short_cycle"],
        "tiers": [],
        "reasons": "one patient, one harvest, three passages",
        "proposed_by": "quinn",
        "approved_by": "rhea",
        "approved_at": moment("2026-06-03T09:00"),
    }


def bank_vial_json():
    """A vial about to leave a released master bank of somebody's own cells."""
    made = lot_json()
    own = {**made["lot"], "kind": "bank", "state": "released"}
    given = donor()
    given["consents"][0]["scopes"] = ["donation", "processing", "storage", "autologous use"]
    tests = tuple(enumerate(("STR", "karyotype", "phenotype"), start=21))
    lines = [{**line(number, test, expected="conforms"), "safety": test == "STR"} for number, test in tests]
    places = (("E0000000002", "tank 2", "house A"), ("E0000000008", "tank 8", "house B"))
    at = moment("2026-10-26T11:00")
    return {
        **made,
        "kind": "bank_vial",
        "vial": "V0000000001",
        "lot": own,
        "donors": [given],
        "specification": {**made["specification"], "lines": [*made["specification"]["lines"], *lines]},
        "results": [*made["results"], *(result(number, test, value_text="conforms") for number, test in tests)],
        "bank": {
            "tier": "master",
            "vials": [
                {
                    "code": f"V000000000{number}",
                    "state": "stored",
                    "passage": 3,
                    "cpdl": 9.21,
                    "stays": [{"place": place, "stored_at": at, "recorded_at": at}],
                    "withdrawals": [],
                    "thawed_in": [],
                }
                for number, place in enumerate(("E0000000002", "E0000000002", "E0000000008"), start=1)
            ],
            "places": [
                {
                    "code": code,
                    "name": name,
                    "classes": [
                        {
                            "id": number,
                            "phase": "vapour",
                            "warmest_celsius": -165,
                            "site": site,
                            "evidence": "mapping report",
                            "recorded_at": moment("2026-01-20T09:00"),
                        }
                    ],
                    "excursions": [],
                }
                for number, (code, name, site) in enumerate(places, start=1)
            ],
        },
    }


def donation_json():
    return {
        **shell("donation", "D0000000001", DONOR),
        "donations": [donation()],
        "donors": [donor()],
        "deviations": [],
        "holds": [],
        "assessments": [assessment(scope_kind="facility", scope=None)],
    }


def material_lot_json():
    fresh = {**materials()[0], "state": "quarantine", "approved_at": None, "approved_by": None}
    own = {**lot("quarantine"), "code": fresh["lot"], "kind": "material", "recipient": None, "product": None}
    return {
        **shell("material_lot", fresh["lot"], "DMEM low glucose, SL-7"),
        "lot": own,
        "materials": [fresh],
        "deviations": [],
        "holds": [],
        "waivers": [],
        "assessments": [],
        "disease_status": [],
        "suppliers": suppliers(),
    }


def step_json():
    """The passage to P4 is about to start; the lot has reached P3."""
    plan = {
        "kind": "passage",
        "passage": 4,
        "cpdl_start": 9.21,
        "parent_passage": 3,
        "workstation": "E0000000001",
        "workstation_open_session": {
            "donor": DONOR,
            "lot": "L0000000001",
            "since": moment("2026-10-26T08:40"),
            "clearance_at": moment("2026-10-26T08:30"),
            "clearance_performed_by": "tess",
            "clearance_verified_by": "vera",
            "clearance_verified_at": moment("2026-10-26T08:40"),
        },
        "other_open_sessions": 0,
        "materials": [each["lot"] for each in materials()],
        "donor": DONOR,
        "at": moment("2026-10-26T09:00"),
        "performed_by": "tess",
        "neighbours": [],
    }
    unmade = dict.fromkeys(("containers", "results", "batch_review", "package_digest"))
    made = {**lot_json(), **unmade, "kind": "step", "steps": steps()[:4], "lot": lot("in_process"), "plan": plan}
    # What earlier steps consumed is not planned for this one.
    made["equipment"] = [equipment("E0000000001", "workstation", [1, 2, 3, 4], planned=True)]
    return {**made, "consumptions": [consumption(1, "M0000000777", "2026-10-05T09:30")]}


def institution(name="First Hospital", **more):
    kinds = (
        ("grade", "tertiary_a"),
        ("academic_committee", "Academic committee"),
        ("ethics_committee", "Ethics committee"),
    )
    return {
        "name": name,
        "country": "CN",
        "registration": f"REG-{name}",
        "statements": [
            {
                "kind": kind,
                "held": True,
                "says": says,
                "evidence": f"EV-{kind}",
                "valid_from": "2024-01-01",
                "valid_to": "2028-12-31",
                "recorded_at": moment("2026-03-01T09:00"),
            }
            for kind, says in kinds
        ],
        **more,
    }


def partner():
    """A courier, assessed and bound by an agreement."""
    sections = ("qualification", "facilities", "quality_system")
    duties = ("preparation", "testing", "release", "transport", "records", "data_access")
    return {
        "name": "Cold Road Ltd",
        "kind": "transport",
        "assessments": [
            {
                "id": 1,
                "assessed_on": "2026-04-15",
                "sections": [{"section": each, "score": 90, "accepted": True} for each in sections],
                "findings": [
                    {"class": "major", "what": "loggers not calibrated", "capa_due_on": "2026-12-31", "closed_on": None}
                ],
                "evidence": "PA-26-1",
                "recorded_by": "quinn",
                "signed_by": "rhea",
                "signed_at": moment("2026-04-20T09:00"),
            }
        ],
        "agreements": [
            {
                "id": 1,
                "process": "BM-MSC 4",
                "duties": {each: "partner" if each == "transport" else "house" for each in duties},
                "signed_on": "2026-04-22",
                "valid_to": None,
                "reference": "QA-7",
                "recorded_at": moment("2026-04-22T09:00"),
            }
        ],
    }


def study():
    """Sponsored by another, approved on two Thursdays, filed on the Wednesday after."""
    recorded = {"recorded_at": moment("2026-06-11T09:00")}
    return {
        "number": "ST-26-0001",
        "version": 1,
        "title": "Marrow MSC in knee osteoarthritis",
        "regulatory_path": "technical_filing",
        "ind_number": None,
        "stage": "exploratory",
        "risk_level": "ordinary",
        "cell_class": "tissue_stem_cell",
        "cell_source": "autologous",
        "manipulation": "ex_vivo_cell",
        "administration": "infused",
        "sites": [{"name": "First Hospital", "country": "CN"}],
        "protocol_version": "P-1.0",
        "institution": institution(),
        "sponsor": institution("Cell Works Ltd", statements=[]),
        "versions": [{"version": 1, "protocol_version": "P-1.0", "substantial": True, **recorded}],
        "leaders": [
            {
                "id": 1,
                "name": "Fang Yi",
                "licence_number": "110-2008-7",
                "licence_valid_to": None,
                "title_level": "senior",
                "title_certificate": "ZG-2015-9",
                "title_valid_to": None,
                "from": "2026-05-04",
                "to": None,
                "evidence": "letter of 2026-05-04",
                **recorded,
            }
        ],
        "decisions": [
            {
                "id": number,
                "committee": committee,
                "decision": "approved",
                "protocol_version": "P-1.0",
                "decided_on": day,
                "valid_to": "2027-06-04",
                "reference": f"D-{number}",
                **recorded,
            }
            for number, (committee, day) in enumerate((("academic", "2026-05-28"), ("ethics", "2026-06-04")), start=1)
        ],
        "filings": [
            {
                "id": 1,
                "filing_number": "MR-N-11-2026-000001",
                "authority": "National Health Commission",
                "protocol_version": "P-1.0",
                "filed_on": "2026-06-10",
                "reference": "receipt 1",
                **recorded,
            }
        ],
        "agreements": [
            {
                "id": 1,
                "sponsor": "Cell Works Ltd",
                "protocol_jointly_set": True,
                "signed_on": "2026-05-11",
                "valid_to": "2029-05-10",
                "reference": "AG-1",
                **recorded,
            }
        ],
        "partners": [partner()],
        "house": "House of Cells",
        "reinspections": [
            reinspection(1, "starting_harvest", "L0000000030"),
            reinspection(2, "final_formulation", "L0000000031"),
        ],
        "laboratories": [laboratory()],
        "production_ends": [production_end()],
        "made_at": [""],
    }


def production_end():
    """Cells of the process grown beyond its limit, tested in May for everything."""
    tests = ("tumorigenicity_in_vitro", "tumorigenicity_in_vivo", "karyotype", "adventitious_virus")
    return {
        "id": 1,
        "lot": "L0000000031",
        "process": "BM-MSC 4",
        "pdl_reached": 21.5,
        "laboratory": "Third Institute",
        "report_number": "EP-26-1",
        "reported_on": "2026-05-25",
        "file_name": "EP-26-1.pdf",
        "file_sha256": "c" * 64,
        "tests": [{"test": test, "method": "M-1", "outcome": "passed", "found": "nothing"} for test in tests],
        "replaced_at": None,
        "recorded_at": moment("2026-05-26T09:00"),
    }


METHODS = {"sterility": "ChP 1101", "mycoplasma": "ChP 3301", "endotoxin": "ChP 1143", "exogenous_viruses": "ChP 3302"}


def reinspection(number, sample_kind, lot):
    """A sample of May, tested outside for everything, and passed."""
    return {
        "id": number,
        "laboratory": "Third Institute",
        "sample_kind": sample_kind,
        "lot": lot,
        "lot_kind": "preparation",
        "process": "BM-MSC 4",
        "specification": "MSC-BM 2",
        "stated_process": "BM-MSC 4",
        "report_number": f"R-26-{number}",
        "signatory": "Dr Wen",
        "file_name": f"R-26-{number}.pdf",
        "file_sha256": "c" * 64,
        "taken_at": moment("2026-05-04T08:00"),
        "handed_over_by": "Tess",
        "received_at": moment("2026-05-04T14:00"),
        "received_by": "Liu",
        "low_c": 2,
        "high_c": 8,
        "min_c": 3.1,
        "max_c": 6.4,
        "excursion": None,
        "reported_on": "2026-05-25",
        "replaced_at": None,
        "recorded_at": moment("2026-05-26T09:00"),
        "banks": [],
        "made_at": "",
        "tests": [
            {
                "test": test,
                "method": method,
                "limit_text": "not more than 0.5 EU/mL" if test == "endotoxin" else "none found",
                "limit_value": 0.5 if test == "endotoxin" else None,
                "outcome": "passed",
                "found": "0.05" if test == "endotoxin" else "none found",
                "value": 0.05 if test == "endotoxin" else None,
                "unit": "EU/mL" if test == "endotoxin" else None,
                "statement": None,
                "tested_on": "2026-05-20",
            }
            for test, method in METHODS.items()
        ],
    }


def laboratory():
    recorded = {"recorded_at": moment("2026-05-03T09:00")}
    return {
        "name": "Third Institute",
        "accreditations": [
            {
                "id": 1,
                "kind": "cnas",
                "number": "CNAS L0001",
                "scope": [{"test": test, "method": method} for test, method in METHODS.items()],
                "valid_from": "2024-03-01",
                "valid_to": "2030-02-28",
                **recorded,
            }
        ],
        "ends": [],
        "declarations": [
            {
                "id": 1,
                "institution": "First Hospital",
                "not_the_institution": True,
                "not_the_facility": True,
                "no_common_control": True,
                "declared_by": "Director Wen",
                "declared_on": "2026-05-02",
                "evidence": "DI-1",
                **recorded,
            }
        ],
    }


def study_json():
    """A study of the autologous preparation, ready to start but for what no rule can say yet."""
    return {
        **shell("study", "ST-26-0001", "Marrow MSC in knee osteoarthritis"),
        "study": study(),
        "banks": [],
        "facility": facility(),
        "process": process(),
        "specification": specification(),
        "assessments": [assessment()],
        "permits": [permit()],
        "off_target_reports": [],
    }


MADE = {
    SubjectKind.STUDY: study_json,
    SubjectKind.LOT: lot_json,
    SubjectKind.DONATION: donation_json,
    SubjectKind.MATERIAL_LOT: material_lot_json,
    SubjectKind.STEP: step_json,
    SubjectKind.BANK_VIAL: bank_vial_json,
}


def written(kind):
    """The clean dossier's bytes."""
    return json.dumps(MADE[kind](), ensure_ascii=False, sort_keys=True).encode()


@cache
def clean(kind=SubjectKind.LOT) -> Dossier:
    """The clean dossier, read once: nobody changes one, everybody replaces parts of it."""
    return parse(written(kind))
