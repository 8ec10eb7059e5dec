"""A whole life over HTTP, up to any stage, as the cast lives it: facts such that every rule is satisfied.

`await life.preparation(lab)` gives a lot that awaits release; `upto=` stops earlier or goes on to `released`.
What lives share (process, specification, materials, freezer) is made once for each laboratory.
"""

from __future__ import annotations

import asyncio
import itertools
import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from tests.standing import QUESTIONS
from tests.world import ok

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from tests.world import Lab

STAGES = (
    "eligible",
    "planned",
    "cleared",
    "isolated",
    "passaged",
    "filled",
    "frozen",
    "sampled",
    "tested",
    "reviewed",
    "awaiting_release",
    "released",
)
PANEL = {
    "HIV": ("HIV Ag/Ab", "HIV NAT"),
    "HBV": ("HBsAg", "anti-HBc", "HBV NAT"),
    "HCV": ("anti-HCV", "HCV NAT"),
    "syphilis": ("treponemal", "non-treponemal"),
}
FOR_LEUKOCYTES = {
    "HTLV": ("anti-HTLV-I/II",),
    "CMV": ("CMV IgG", "CMV IgM"),
    "EBV": ("EBV VCA IgG", "EBV VCA IgM"),
}
"""What leukocyte-rich material for others is tested for besides."""
CHECKS = {"previous material removed": True, "surfaces disinfected": True, "labels of others removed": True}
SPECIFICATION: tuple[dict[str, Any], ...] = (
    {"test": "sterility", "method": "ChP 1101", "kind": "qualitative", "expected": "no growth"},
    {"test": "mycoplasma", "method": "ChP 3301", "kind": "qualitative", "expected": "negative"},
    {"test": "endotoxin", "method": "ChP 1143", "kind": "quantitative", "high": "0.5", "unit": "EU/mL"},
    {"test": "adventitious virus", "method": "ChP 3302", "kind": "qualitative", "expected": "negative"},
    {"test": "identity", "method": "flow cytometry", "kind": "qualitative", "expected": "conforms"},
    {"test": "viability", "method": "AO/PI", "kind": "quantitative", "low": "80", "unit": "%"},
    {"test": "dose", "method": "AO/PI", "kind": "quantitative", "low": "4.5e6", "high": "1e7", "unit": "cells/vial"},
)
FINDINGS: Mapping[str, tuple[Any, str | None]] = {
    "sterility": ("no growth", None),
    "mycoplasma": ("negative", None),
    "endotoxin": ("0.12", "EU/mL"),
    "adventitious virus": ("negative", None),
    "identity": ("conforms", None),
    "viability": ("93.4", "%"),
    "dose": ("5.2e6", "cells/vial"),
}
_serial = itertools.count(1)


def now() -> str:
    return datetime.now(UTC).isoformat()


def ago(**parts: float) -> str:
    return (datetime.now(UTC) - timedelta(**parts)).isoformat()


@dataclass
class Shared:
    """What every life of a laboratory uses."""

    process: dict[str, Any]
    specification: dict[str, Any]
    material_lots: list[str]
    bottles: list[str]
    freezer: str
    room: str = "B-01"
    """Where its lots are worked on; vector work has a room of its own."""


@dataclass
class Life:
    """Codes, and the database's keys, of everything that a life has made so far."""

    lab: Lab
    shared: Shared
    donor: str = ""
    donation: str = ""
    lot: str = ""
    name: str = ""
    workstation: str = ""
    flasks: list[str] = field(default_factory=list)
    all_flasks: list[str] = field(default_factory=list)
    vials: list[str] = field(default_factory=list)
    retains: list[str] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)
    results: dict[str, int] = field(default_factory=dict)
    stage: str = ""
    release: dict[str, Any] = field(default_factory=dict)

    async def id(self, code: str) -> int:
        """The database's key of a code."""
        return await id_of(self.lab, code)

    async def lot_id(self) -> int:
        return await self.id(self.lot)

    async def state(self) -> str:
        return str(await self.lab.value("SELECT state FROM lab.lots WHERE id = $1", await self.lot_id()))

    async def show(self, who: str = "quinn") -> dict[str, Any]:
        """The lot as its page tells it."""
        found: dict[str, Any] = ok(await self.lab.as_(who).get(f"/lots/{self.lot}"))
        return found

    def step(self, *, bottles: int = 2, **more: Any) -> dict[str, Any]:
        """The body that every step has in common."""
        at = now()
        return {
            "workstation": self.workstation,
            "materials": [
                {"container": bottle, "quantity": "12.5", "unit": "mL"} for bottle in self.shared.bottles[:bottles]
            ],
            "started_at": at,
            "ended_at": at,
            **more,
        }


OPENED = """
SELECT ceremony::text FROM people.open_ceremony($1, NULL, $2, $3, $4, $5,
    audit.sha256_hex((SELECT bytes FROM dossier.record($3, $4))), ARRAY['password', 'totp'])
"""


async def ceremony(lab: Lab, who: str, meaning: str, kind: str, record_id: int, statement: str = "") -> str:
    """A live ceremony as the authentication role opens it, without the hashing of factors that makes one slow.

    How factors are proved has tests of its own; `lab.sign` is the whole way, and releases take it.
    """
    rows = await lab.arrange(OPENED, lab.id_of(who), meaning, kind, record_id, statement)
    return str(rows[0][0])


async def setting(lab: Lab, name: str, value: Any, unit: str | None) -> None:
    """A setting changed as it is in life: proposed by the QA manager, signed by the quality authority."""
    body = {"value": value, "unit": unit, "source": "a test", "why": "a test"}
    proposal = ok(await lab.as_("quinn").post(f"/settings/{name}/proposals", body))["proposal"]
    signed = await ceremony(lab, "lin", "setting_approved", "setting", proposal)
    ok(await lab.as_("lin").post(f"/settings/proposals/{proposal}/approve", {"ceremony": signed}))


async def id_of(lab: Lab, code: str) -> int:
    """The database's key of a code."""
    return int(await lab.value("SELECT item_id FROM lab.item_codes WHERE code = $1", code))


_shared: WeakKeyDictionary[Lab, asyncio.Task[Shared]] = WeakKeyDictionary()


async def shared(lab: Lab) -> Shared:
    """Process, specification, two approved material lots, a freezer: made once.

    A test that puts a hold or a deviation on any of them takes `new_shared` instead, and passes it as `use=`.
    """
    if lab not in _shared:
        _shared[lab] = asyncio.ensure_future(new_shared(lab))
    return await asyncio.shield(_shared[lab])


async def new_shared(lab: Lab) -> Shared:
    """The same, of a test's own."""
    lots = [
        await approved_material(lab, "Alpha-MEM", [{"name": "L-glutamine", "cas": "56-85-9"}]),
        await approved_material(lab, "Trypsin substitute", [{"name": "recombinant trypsin", "cas": None}]),
    ]
    return Shared(
        process=await process(lab),
        specification=await specification(lab),
        material_lots=[lot["code"] for lot in lots],
        bottles=[lot["containers"][0]["code"] for lot in lots],
        freezer=(await equipment(lab, "freezer"))["code"],
    )


async def equipment(lab: Lab, kind: str = "workstation", room: str = "B-01") -> dict[str, Any]:
    """A new piece of equipment, qualified and calibrated long before."""
    body = {"name": f"{kind} {uuid.uuid4().hex[:10]}", "kind": kind, "room": room}
    found: dict[str, Any] = ok(await lab.as_("hedda").post("/equipment", body))
    await lab.arrange(FIT, found["code"])
    if kind == "workstation":
        await lab.arrange(CLASSIFIED, found["code"])
        if room != "B-01":
            await lab.arrange(ROOM_CLASSIFIED, room)
    return found


FIT = """
INSERT INTO lab.equipment_qualifications (equipment_id, kind, done_on, due_on, outcome, as_found_in_tolerance, evidence, done_by, recorded_by, recorded_at)
SELECT k.item_id, kind, current_date - 200, current_date + 500, 'passed', true, 'Q-' || kind, 'Metrology Ltd', a.id, now() - interval '199 days'
FROM lab.item_codes k, people.accounts a, unnest('{performance,calibration}'::text[]) AS kind
WHERE k.code = $1 AND a.username = 'quinn' ORDER BY kind
"""
CLASSIFIED = """
INSERT INTO lab.area_classifications (workstation_id, grade, classified_on, due_on, evidence, recorded_by, recorded_at)
SELECT k.item_id, 'A', current_date - 200, current_date + 500, 'CL-2', a.id, now() - interval '199 days'
FROM lab.item_codes k, people.accounts a WHERE k.code = $1 AND a.username = 'quinn'
"""
ROOM_CLASSIFIED = """
INSERT INTO lab.area_classifications (room, grade, classified_on, due_on, evidence, recorded_by, recorded_at)
SELECT $1, 'B', current_date - 200, current_date + 500, 'CL-9', a.id, now() - interval '199 days'
FROM people.accounts a WHERE a.username = 'quinn'
"""
CLEAN = """
WITH taken AS (
    INSERT INTO lab.monitoring_samples (lot_id, session_id, kind, grade, place, taken_at, recorded_by)
    SELECT w.lot_id, w.id, wanted.kind, wanted.grade, 'work surface', lower(w.during), a.id
    FROM lab.workstation_sessions w, people.accounts a, (VALUES ('settle', 'A'), ('glove', 'A'), ('settle', 'B')) AS wanted(kind, grade)
    WHERE w.lot_id = $1 AND a.username = 'tess' AND NOT EXISTS (SELECT FROM lab.monitoring_samples m WHERE m.session_id = w.id)
    RETURNING id, lot_id)
INSERT INTO lab.monitoring_readings (lot_id, sample_id, value, read_at, recorded_by)
SELECT taken.lot_id, taken.id, 0, now(), a.id FROM taken, people.accounts a WHERE a.username = 'ana' ORDER BY taken.id
"""
"""In every session of a lot plates were put out, and nothing grew."""
"""A piece is fit, and was when lots were staged in the past."""


async def process(lab: Lab, **more: Any) -> dict[str, Any]:
    """A process version of marrow MSC: at most P3 and 20 doublings."""
    body = {
        "name": f"BM-MSC {uuid.uuid4().hex[:8]}",
        "version": 1,
        "product": "Autologous marrow MSC, cryopreserved",
        "product_zh": "自体骨髓间充质干细胞冻存制剂",
        "cell_source": "bone marrow",
        "passage_convention": "primary_is_p0",
        "max_passage": 3,
        "max_pdl": "20",
        "shelf_life_days": 365,
        "gene_modified": False,
        "long_term_expansion": False,
        "clone_selected": False,
        "short_cycle": True,
        "low_manipulation": True,
        **more,
    }
    ok(await lab.as_("quinn").post("/processes", body))
    await authorise(lab, str(body["name"]), int(body["version"]))
    return {"name": body["name"], "version": body["version"]}


AUTHORISATION = """
INSERT INTO lab.authorisations (process_id, owner, address, classification, valid_from, valid_to, proposed_by)
SELECT p.id, 'Stemma test house', '1 Lab Road', 'A in B', now() - interval '190 days', now() + interval '500 days', a.id
FROM lab.process_versions p, people.accounts a WHERE p.name = $1 AND p.version = $2 AND a.username = 'quinn' RETURNING id
"""
AUTHORISED = """
WITH proof AS (
    INSERT INTO people.ceremonies (account_id, meaning, record_kind, record_id, record_version, digest, factors, issued_at, expires_at, used_at)
    SELECT a.id, 'process_authorised', 'authorisation', r.id, 1, r.digest, '{password,totp}', now() - interval '189 days',
        now() - interval '189 days' + interval '2 minutes', now() - interval '189 days' + interval '1 minute'
    FROM people.accounts a, (SELECT $1::bigint AS id, audit.sha256_hex(bytes) AS digest FROM dossier.record('authorisation', $1)) AS r
    WHERE a.username = 'lin' RETURNING id, account_id, record_id, digest, used_at),
signed AS (
    INSERT INTO lab.signatures (ceremony_id, account_id, printed_name, roles, meaning, record_kind, record_id, record_version, digest, signed_at)
    SELECT proof.id, a.id, a.printed_name, '{quality_authority}', 'process_authorised', 'authorisation', proof.record_id, 1, proof.digest, proof.used_at
    FROM proof JOIN people.accounts a ON a.id = proof.account_id RETURNING id)
UPDATE lab.authorisations SET signature_id = signed.id FROM signed WHERE authorisations.id = $1
"""


POLICY = """
INSERT INTO lab.bank_policies (process_id, version, needed, conditions, tiers, reasons, proposed_by)
SELECT p.id, 1, not p.short_cycle, CASE WHEN p.short_cycle THEN '{autologous,low_manipulation,short_cycle}'::text[] ELSE '{}' END,
    CASE WHEN p.short_cycle THEN '{}'::text[] ELSE '{master}' END, 'as the process is', a.id
FROM lab.process_versions p, people.accounts a WHERE p.name = $1 AND p.version = $2 AND a.username = 'quinn' RETURNING id
"""
POLICY_DECIDED = (
    AUTHORISED.replace("process_authorised", "bank_policy_decided")
    .replace("'authorisation'", "'bank_policy'")
    .replace("lab.authorisations", "lab.bank_policies")
    .replace("authorisations.id", "bank_policies.id")
)


async def authorise(lab: Lab, name: str, version: int) -> None:
    """Lin authorised the house for a process version, and decided whether it needs a bank, long before."""
    for proposed, signed in ((AUTHORISATION, AUTHORISED), (POLICY, POLICY_DECIDED)):
        rows = await lab.arrange(proposed, name, version)
        await lab.arrange(signed, rows[0][0])


async def specification(lab: Lab, *lines: dict[str, Any]) -> dict[str, Any]:
    """A specification version with every safety test, and `lines` besides."""
    body = {
        "name": f"SPEC {uuid.uuid4().hex[:8]}",
        "version": 1,
        "effective_from": ago(days=1),
        "lines": [{"safety": True, "required": True, **line} for line in (*SPECIFICATION, *lines)],
    }
    ok(await lab.as_("quinn").post("/specifications", body))
    return {"name": body["name"], "version": 1}


async def material_lot(lab: Lab, name: str, composition: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A material lot in quarantine, with its containers."""
    unique = f"{name} {uuid.uuid4().hex[:8]}"
    ok(
        await lab.as_("quinn").post(
            "/materials",
            {
                "name": unique,
                "description": name,
                "grade": "pharmacopoeial_excipient",
                "composition": composition,
                "composition_complete": True,
                "animal_serum": False,
                "animal_derived": False,
                "human_derived": False,
            },
        )
    )
    body = {
        "material": unique,
        "supplier": "Good Supplies",
        "supplier_lot": f"GS-{next(_serial)}-{uuid.uuid4().hex[:6]}",
        "expires_on": str(date.today() + timedelta(days=400)),
        "received_at": ago(days=3),
        "certificate_reference": "CoA-1",
        "certificate_reviewed_at": ago(days=2),
        "storage_ok": True,
        "containers": 2,
        **more,
    }
    found: dict[str, Any] = ok(await lab.as_("tess").post("/material-lots", body))
    return found


async def approved_material(lab: Lab, name: str, composition: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A material lot approved for use."""
    lot = await material_lot(lab, name, composition, **more)
    signed = await ceremony(lab, "quinn", "material_approved", "material_lot", await id_of(lab, lot["code"]))
    found: dict[str, Any] = ok(
        await lab.as_("quinn").post(f"/material-lots/{lot['code']}/approve", {"ceremony": signed})
    )
    return found


def history(**answers: str) -> dict[str, Any]:
    """A history without anything that excludes, but for the answers named, and an examination that found nothing."""
    return {
        "questionnaire": "Donor history",
        "version": 1,
        "answers": {**dict.fromkeys(QUESTIONS, "no"), **answers},
        "asked_at": ago(days=4),
        "examination": {"outcome": "suitable", "by": "Dr Phil Fang", "at": ago(days=4)},
    }


def report(relation: str = "autologous", **outcomes: str) -> dict[str, Any]:
    """A laboratory's report of one sample: the panel that goes with the relation, and that nothing was given before."""
    panel = PANEL | (FOR_LEUKOCYTES if relation == "allogeneic" else {})
    given = {"weight_kg": "60", "blood_ml": "0", "colloid_ml": "0", "crystalloid_ml": "0"}
    return {"markers": markers(panel, **outcomes), "given": given}


def markers(panel: Mapping[str, tuple[str, ...]] | None = None, **outcomes: str) -> list[dict[str, Any]]:
    """A whole panel of one sample, negative but for the analytes named."""
    sampled_at, reported_at = ago(days=3), ago(days=2)
    return [
        {
            "analyte": analyte,
            "marker": marker,
            "method": "CLIA",
            "kit_lot": "K-17",
            "laboratory": "Central laboratory",
            "sampled_at": sampled_at,
            "reported_at": reported_at,
            "outcome": outcomes.get(analyte, "negative"),
        }
        for analyte, names in (panel or PANEL).items()
        for marker in names
    ]


async def preparation(
    lab: Lab,
    *,
    upto: str = "awaiting_release",
    relation: str = "autologous",
    passages: int = 2,
    vials: int = 4,
    findings: Mapping[str, tuple[Any, str | None]] | None = None,
    use: Shared | None = None,
) -> Life:
    """A preparation lived up to a stage of `STAGES`. `findings` replaces results by test; `use` what is shared."""
    life = Life(lab, use or await shared(lab))
    knobs = {"relation": relation, "passages": passages, "vials": vials, "findings": {**FINDINGS, **(findings or {})}}
    await go_on(life, upto=upto, **knobs)
    return life


async def go_on(life: Life, *, upto: str, **knobs: Any) -> Life:
    """Live on from where the life stands, up to another stage."""
    knobs = {"relation": "autologous", "passages": 2, "vials": 4, "findings": FINDINGS, **knobs}
    done = STAGES.index(life.stage) + 1 if life.stage else 0
    for stage in STAGES[done : STAGES.index(upto) + 1]:
        await _LIVED[stage](life, knobs)
        life.stage = stage
    return life


async def _eligible(life: Life, knobs: dict[str, Any]) -> None:
    lab = life.lab
    body: dict[str, Any] = {
        "relation": knobs["relation"],
        "identity": {"name": "Wang Fang", "hospital_number": f"MRN-{uuid.uuid4().hex}", "birth_date": "1971-08-15"},
    }
    if knobs["relation"] == "autologous":
        body["recipient"] = "self"
    life.donor = ok(await lab.as_("tess").post("/donors", body))["code"]
    if knobs["relation"] == "autologous":
        match = {"recipient": "self", "identifiers": ["hospital_number", "birth_date"], "second_by": "vera"}
        ok(await lab.as_("tess").post(f"/donors/{life.donor}/identity-matches", match))
    scopes = ["donation", "processing", *(["allogeneic use"] if knobs["relation"] == "allogeneic" else [])]
    scopes += ["storage"] if "source" in knobs else []
    scopes += knobs.get("scopes", [])
    consent = {"form_version": "ICF-2", "scopes": scopes, "signed_at": ago(days=5)}
    ok(await lab.as_("tess").post(f"/donors/{life.donor}/consents", consent))
    ok(await lab.as_("ana").post(f"/donors/{life.donor}/markers", report(knobs["relation"])))
    ok(await lab.as_("tess").post(f"/donors/{life.donor}/histories", history()))
    life.donation = ok(
        await lab.as_("tess").post(
            "/donations",
            {
                "donor": life.donor,
                "tissue": "bone marrow",
                "collected_at": ago(hours=6),
                "received_at": ago(hours=4),
                "volume_ml": "30",
            },
        )
    )["code"]
    signed = await ceremony(lab, "phil", "eligibility_determined", "donation", await life.id(life.donation), "eligible")
    decision = {"decision": "eligible", "reason": "panel complete and reviewed", "ceremony": signed}
    ok(await lab.as_("phil").post(f"/donations/{life.donation}/determination", decision))


async def _planned(life: Life, knobs: dict[str, Any]) -> None:
    body = {"process": life.shared.process, "specification": life.shared.specification, **knobs.get("source", {})}
    if "bank" not in body:
        body["donation"] = life.donation
    planned = ok(await life.lab.as_("tess").post("/lots", body))
    life.lot, life.name = planned["code"], planned["name"]


async def _cleared(life: Life, _: dict[str, Any]) -> None:
    life.workstation = (await equipment(life.lab, room=life.shared.room))["code"]
    cleared = ok(await clear(life, "before"))
    ok(await verify_clearance(life, cleared["clearance"]))


async def verify(life: Life, step: int, *, scanned: str, who: str = "vera", at: str = "tess", **more: Any) -> Any:
    """Somebody verifies a step at the bench where `at` is signed in: badge, PIN, a scan of the thing itself."""
    if who == "vera":  # whom tests of lock-out may have locked
        await life.lab.forget_failures(who)
    body = {"badge": life.lab.badge(who), "pin": life.lab.pin(who), "scanned": scanned, **more}
    return await life.lab.as_(at).post(f"/steps/{step}/verification", body)


async def verify_clearance(life: Life, clearance: int, *, who: str = "vera", at: str = "tess", **more: Any) -> Any:
    """Somebody verifies a line clearance, with a scan of the workstation."""
    if who == "vera":  # whom tests of lock-out may have locked
        await life.lab.forget_failures(who)
    body = {"badge": life.lab.badge(who), "pin": life.lab.pin(who), "scanned": life.workstation, **more}
    return await life.lab.as_(at).post(f"/clearances/{clearance}/verification", body)


async def clear(life: Life, phase: str, **more: Any) -> Any:
    """A line clearance at the life's own workstation."""
    body = {"lot": life.lot, "phase": phase, "checks": CHECKS, **more}
    return await life.lab.as_("tess").post(f"/workstations/{life.workstation}/clearances", body)


async def _isolated(life: Life, knobs: dict[str, Any]) -> None:
    if "bank" in knobs.get("source", {}):
        await _thawed(life, knobs)
        return
    body = life.step(viable="1.8e7", dead="1.1e6", flasks=2)
    made = ok(await life.lab.as_("tess").post(f"/lots/{life.lot}/isolation", body))
    ok(await verify(life, made["step"], scanned=made["containers"][0]))
    await retain(life, "starting_material", life.donation, "mL")
    life.flasks = made["containers"]
    life.all_flasks += life.flasks


async def _thawed(life: Life, knobs: dict[str, Any]) -> None:
    ok(await withdraw(life, knobs["vial"]))
    body = life.step(parents=[knobs["vial"]], viable="4.6e6", dead="4e5", flasks=2)
    made = ok(await life.lab.as_("tess").post(f"/lots/{life.lot}/thaw", body))
    ok(await verify(life, made["step"], scanned=made["containers"][0]))
    life.flasks = made["containers"]
    life.all_flasks += life.flasks


async def withdraw(life: Life, vial: str, *, who: str = "tess", **more: Any) -> Any:
    """Somebody takes a vial out of its bank for the lot."""
    return await life.lab.as_(who).post(f"/lots/{life.lot}/withdrawals", {"vial": vial, "withdrawn_at": now(), **more})


FOR_BANKS: tuple[dict[str, Any], ...] = (
    {"test": "STR", "method": "ChP 9401", "kind": "qualitative", "expected": "one donor"},
    {"test": "karyotype", "method": "G-banding", "kind": "qualitative", "expected": "normal"},
    {"test": "phenotype", "method": "flow cytometry", "kind": "quantitative", "low": "95", "unit": "%"},
)
FOUND_IN_BANKS: Mapping[str, tuple[Any, str | None]] = {
    **FINDINGS,
    "STR": ("one donor", None),
    "karyotype": ("normal", None),
    "phenotype": ("98.2", "%"),
}


async def tank(lab: Lab, site: str, **more: Any) -> str:
    """A nitrogen tank at a site, of which it is stated how it keeps."""
    code = str((await equipment(lab, "tank"))["code"])
    body = {"phase": "vapour", "warmest_celsius": "-165", "site": site, "evidence": "mapping report", **more}
    ok(await lab.as_("hedda").post(f"/storage/{code}/classes", body))
    return code


async def bank(lab: Lab, *, upto: str = "released", tier: str = "master", of: Life | None = None, **knobs: Any) -> Life:
    """A bank lot lived up to a stage: a master bank of somebody else's donation, or a working bank of a vial of `of`."""
    common = await shared(lab)
    use = Shared(
        process=await process(lab, short_cycle=False),
        specification=await specification(lab, *FOR_BANKS),
        material_lots=common.material_lots,
        bottles=common.bottles,
        freezer=await tank(lab, "house A"),
    )
    life = Life(lab, use)
    if of is None:
        permit = {
            "number": f"HGR-{uuid.uuid4().hex[:8]}",
            "authority": "the authority",
            "purposes": ["banking"],
            "scope": "marrow",
            "valid_from": str(date.today() - timedelta(days=5)),
            "evidence": "file 7",
        }
        ok(await lab.as_("quinn").post("/permits", permit))
    source: dict[str, Any] = {"tier": tier}
    if of is not None:
        life.donor, life.donation, life.stage = of.donor, of.donation, "eligible"
        source["bank"] = of.lot
        knobs["vial"] = knobs.get("vial") or of.vials[0]
    return await go_on(
        life, upto=upto, relation="allogeneic", passages=1, source=source, findings=FOUND_IN_BANKS, **knobs
    )


async def banked(lab: Lab, of: Life, *, upto: str = "awaiting_release", vial: str | None = None, **more: Any) -> Life:
    """A preparation for somebody else, made of a vial of a bank."""
    common = await shared(lab)
    use = Shared(
        process=await process(lab, product="Allogeneic marrow MSC", short_cycle=False, **more),
        specification=common.specification,
        material_lots=common.material_lots,
        bottles=common.bottles,
        freezer=common.freezer,
    )
    life = Life(lab, use, donor=of.donor, donation=of.donation, stage="eligible")
    source = {"bank": of.lot}
    return await go_on(life, upto=upto, relation="allogeneic", passages=1, source=source, vial=vial or of.vials[1])


async def _passaged(life: Life, knobs: dict[str, Any]) -> None:
    for _ in range(knobs["passages"]):
        made = ok(await pass_on(life))
        ok(await verify(life, made["step"], scanned=made["containers"][0]))
        life.flasks = made["containers"]
        life.all_flasks += life.flasks


async def pass_on(life: Life, **more: Any) -> Any:
    """One more passage of the flasks in hand: half a million cells become 4.2 million."""
    body = life.step(parents=life.flasks, viable_seeded="5e5", viable_harvested="4.2e6", dead_harvested="2e5", flasks=2)
    return await life.lab.as_("tess").post(f"/lots/{life.lot}/passages", body | more)


async def _filled(life: Life, knobs: dict[str, Any]) -> None:
    body = life.step(
        parents=life.flasks,
        viable_harvested="2.4e7",
        dead_harvested="1.2e6",
        vials=knobs["vials"],
        volume_ml="1",
        viable_cells_per_vial="5.2e6",
    )
    made = ok(await life.lab.as_("tess").post(f"/lots/{life.lot}/fill", body))
    ok(await verify(life, made["step"], scanned=made["containers"][0]))
    life.vials = made["containers"]
    ok(await clear(life, "after"))


async def _frozen(life: Life, knobs: dict[str, Any]) -> None:
    at = now()
    body = {
        "place": life.shared.freezer,
        "programme": "1 °C/min to -80 °C, then vapour",
        "started_at": at,
        "frozen_at": at,
    }
    frozen = ok(await life.lab.as_("tess").post(f"/lots/{life.lot}/cryopreservation", body))
    ok(await verify(life, frozen["step"], scanned=life.vials[0]))
    if "tier" in knobs.get("source", {}):
        elsewhere = {"vials": life.vials[1:2], "place": await tank(life.lab, "house B"), "stored_at": now()}
        ok(await life.lab.as_("tess").post(f"/banks/{life.lot}/storage", elsewhere))


async def retain(life: Life, kind: str, source: str, unit: str) -> None:
    """Tess keeps one mL or one vial of something."""
    body = {"kind": kind, "from": source, "quantity": "1", "unit": unit, "place": "retain freezer 1"}
    life.retains.append(ok(await life.lab.as_("tess").post(f"/lots/{life.lot}/retains", body))["code"])


async def _sampled(life: Life, _: dict[str, Any]) -> None:
    tess = life.lab.as_("tess")
    await retain(life, "final_product", life.vials[-1], "vial")
    sample = {"from": life.vials[-2], "purpose": "release testing"}
    life.samples.append(ok(await tess.post(f"/lots/{life.lot}/samples", sample))["code"])


async def _tested(life: Life, knobs: dict[str, Any]) -> None:
    await nothing_grew(life)
    for test, (value, unit) in knobs["findings"].items():
        life.results[test] = await measured(life, test, value, unit)
        await result_reviewed(life, life.results[test])
    await labels_counted(life)


async def nothing_grew(life: Life) -> None:
    """Plates were out in every session of the lot, and nothing grew on them."""
    await life.lab.arrange(CLEAN, await life.lot_id())


async def labels_counted(life: Life) -> None:
    """Tess labels a vial, and counts every label of the lot: all are on something."""
    tess = life.lab.as_("tess")
    if not await life.lab.value("SELECT count(*) FROM lab.labels WHERE item_id = $1", await life.id(life.vials[0])):
        ok(await tess.post(f"/items/{life.vials[0]}/labels", {}))
    printed = ok(await tess.get(f"/lots/{life.lot}/labels"))["printed"]
    ok(await tess.post(f"/lots/{life.lot}/label-counts", {"used": printed, "destroyed": 0, "returned": 0}))


async def measured(life: Life, test: str, value: Any, unit: str | None) -> int:
    """Ana records a result; its number."""
    body = {"test": test, "value": value, "unit": unit, "method_version": "1", "measured_at": now()}
    return int(ok(await life.lab.as_("ana").post(f"/samples/{life.samples[0]}/results", body))["result"])


async def result_reviewed(life: Life, number: int, decision: str = "accepted") -> None:
    """Rolf reviews a result."""
    signed = await ceremony(life.lab, "rolf", "result_reviewed", "result", number, decision)
    body = {"decision": decision, "remarks": "raw data looked through", "ceremony": signed}
    ok(await life.lab.as_("rolf").post(f"/results/{number}/review", body))


async def _reviewed(life: Life, _: dict[str, Any]) -> None:
    ok(await review_batch(life))


async def review_batch(life: Life, decision: str = "accepted", who: str = "quinn") -> Any:
    """Quinn reviews the batch record as it stands."""
    signed = await ceremony(life.lab, who, "batch_reviewed", "batch", await life.lot_id(), decision)
    body = {"decision": decision, "remarks": "complete", "ceremony": signed}
    return await life.lab.as_(who).post(f"/lots/{life.lot}/batch-review", body)


async def _awaiting_release(life: Life, _: dict[str, Any]) -> None:
    ok(await life.lab.as_("quinn").post(f"/lots/{life.lot}/submit"))


async def _released(life: Life, _: dict[str, Any]) -> None:
    life.release = ok(await release(life))


async def release(life: Life, who: str = "lin") -> Any:
    """Check, sign, release, as the quality authority does."""
    checked = ok(await life.lab.as_(who).post(f"/lots/{life.lot}/release-check"))
    signed = await life.lab.sign(who, "released", "lot", life.lot)
    body = {"digest": checked["digest"], "ceremony": signed}
    return await life.lab.as_(who).post(f"/lots/{life.lot}/release", body)


TOPICS = ("gowning", "line_clearance", "isolation", "passage", "fill", "cryopreservation", "thaw")


async def qualify(lab: Lab, name: str, *topics: str) -> None:
    """Quinn records that somebody was trained; for everything at the bench where no topic is named."""
    for topic in topics or TOPICS:
        body = {"topic": topic, "valid_from": ago(hours=1), "valid_to": ago(days=-300), "evidence": f"TR-{topic}"}
        ok(await lab.as_("quinn").post(f"/accounts/{name}/qualifications", body))


async def deviation_closed(lab: Lab, item: str, *, impact: str = "acceptable", what: str = "a label was torn") -> str:
    """A minor deviation on an item, opened by Tess and closed by Quinn. Its number."""
    body = {"item": item, "what": what, "class": "minor"}
    number = str(ok(await lab.as_("tess").post("/deviations", body))["number"])
    await close_deviation(lab, number, impact=impact)
    return number


async def close_deviation(lab: Lab, number: str, *, impact: str = "acceptable") -> None:
    """Quinn closes a deviation with the impact that is signed."""
    key = await lab.value("SELECT id FROM lab.deviations WHERE number = $1", number)
    words = {"assessment": "no contact with the cells"}
    ok(await lab.as_("quinn").post(f"/deviations/{number}/assessment", words))
    signed = await ceremony(lab, "quinn", "deviation_closed", "deviation", key, impact)
    ok(await lab.as_("quinn").post(f"/deviations/{number}/close", {"ceremony": signed}))


_LIVED: dict[str, Callable[[Life, dict[str, Any]], Awaitable[None]]] = {
    "eligible": _eligible,
    "planned": _planned,
    "cleared": _cleared,
    "isolated": _isolated,
    "passaged": _passaged,
    "filled": _filled,
    "frozen": _frozen,
    "sampled": _sampled,
    "tested": _tested,
    "reviewed": _reviewed,
    "awaiting_release": _awaiting_release,
    "released": _released,
}
