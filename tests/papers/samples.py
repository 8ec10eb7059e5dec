"""Facts for every paper, as a life that went well leaves them, and what a hostile hand would type."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from app.domain.rulebook import Outcome
from app.domain.text import Text
from app.papers.facts import (
    Anchor,
    Appointed,
    BatchSummary,
    Certificate,
    Citation,
    Cited,
    Cleared,
    Conclusion,
    Consented,
    Counted,
    Determined,
    Deviated,
    Eligibility,
    Filled,
    Held,
    Identity,
    Labelled,
    Made,
    Marked,
    Matched,
    Reviewed,
    RuleBook,
    Ruled,
    RuleShown,
    SettingShown,
    Signed,
    Step,
    Taken,
    Tested,
    Used,
    Waived,
    WouldClose,
)
from app.rules import RULEBOOK_VERSION, RULES, rulebook_digest
from labels.codes import CodeKind, new_code

AT = datetime(2026, 11, 22, 13, 50, 7, tzinfo=UTC)
MADE = Made(
    facility="第一医院 Stem Cell Preparation Centre",
    zone="Asia/Shanghai",
    purpose="production",
    at=AT,
    by="Quinn Qiu",
    username="quinn",
)
DIGEST = hashlib.sha256(b"dossier").hexdigest()
LOT = Identity(
    code=new_code(CodeKind.LOT),
    name="PREP-26-0108",
    kind="preparation",
    state="released",
    product="Autologous marrow MSC, cryopreserved",
    product_zh="自体骨髓间充质干细胞冻存制剂",
    process="BM-MSC v3",
    specification="SPEC-MSC-02 v5",
    donor="D-0042",
    relation="autologous",
    recipient="D-0042",
    donation=new_code(CodeKind.DONATION),
    din="A99992600012300",
    tissue="bone marrow",
    collected_at=AT - timedelta(days=34),
    frozen_at=AT - timedelta(days=16),
    expires_at=AT + timedelta(days=349),
)
FILLED = Filled(vials=24, stored=22, passage=3, cells=Decimal(5200000), volume_ml=Decimal(1), cpdl=Decimal("6.140932"))


def signed(meaning: str, name: str = "Dr Lin Qing", **more: object) -> Signed:
    facts = {
        "printed_name": name,
        "username": name.rsplit(maxsplit=1)[-1].lower(),
        "roles": ("quality_authority",),
        "meaning": meaning,
        "at": AT - timedelta(hours=2),
        "statement": "",
        "digest": DIGEST,
        "number": 1183,
    }
    return Signed(**{**facts, **more})


def tested(test: str, method: str, **more: object) -> Tested:
    facts = {
        "low": None,
        "high": None,
        "unit": None,
        "expected": None,
        "safety": True,
        "number": None,
        "value": None,
        "sample": new_code(CodeKind.SAMPLE_TUBE),
        "analyst": "Ana An",
        "measured_at": AT - timedelta(days=9),
        "reviewed_by": "Rolf Rong",
        "reviewed_at": AT - timedelta(days=2),
        "invalidated_by": None,
        "conclusion": Conclusion.CONFORMS,
    }
    return Tested(test=test, method=method, **{**facts, **more})


TESTS = (
    tested("sterility", "ChP 1101", expected="no growth", value="no growth"),
    tested("mycoplasma", "ChP 3301", expected="negative", value="negative"),
    tested("endotoxin", "ChP 1143", high=Decimal("0.5"), unit="EU/mL", number=Decimal("0.12")),
    tested("CD34⁺ 残留细胞", "流式细胞术 flow cytometry", high=Decimal(2), unit="%", number=Decimal("0.4")),
    tested("viability", "AO/PI", low=Decimal(80), unit="%", number=Decimal("93.4"), safety=False),
    tested("dose", "AO/PI", low=Decimal(4500000), high=Decimal(10000000), unit="cells/vial", number=Decimal(5200000)),
)
RULED = tuple(
    Ruled(
        rule=rule.id,
        title=rule.title,
        outcome={"MAT-03": Outcome.PASS_WITH_WAIVER, "DON-08": Outcome.PASS_WITH_LEGACY}.get(rule.id, Outcome.PASS),
        cites=tuple(Citation(cite.source, cite.section) for cite in rule.cites),
        waiver=7 if rule.id == "MAT-03" else None,
        problems=(),
        legacy=("LD-26-0003",) if rule.id == "DON-08" else (),
    )
    for rule in RULES
)
NOTE = (
    "lab.example\n51213\n" + base64.b64encode(hashlib.sha256(b"root").digest()).decode() + "\nepoch 1\n"
    "time 2026-11-22T11:50:09Z\n\n— lab.example " + base64.b64encode(b"\x07" * 68).decode() + "\n"
)
ANCHOR = Anchor(
    entry=51198,
    leaf=51197,
    size=51213,
    root=NOTE.splitlines()[2],
    epoch=1,
    origin="lab.example",
    at=datetime(2026, 11, 22, 11, 50, 9, tzinfo=UTC),
    note=NOTE,
)
CERTIFICATE = Certificate(
    made=MADE,
    lot=LOT,
    filled=FILLED,
    tests=TESTS,
    rulebook="2026.1",
    judgement=412,
    release=31,
    verdicts=RULED,
    waivers=(
        Waived(7, "MAT-03", "no free alternative exists", "washed three times", "Quinn Qiu", "Dr Lin Qing", AT, AT),
    ),
    signed=signed("released"),
    appointed=Appointed(3, "senior", "CERT-2019-0042", date(2031, 12, 31), AT - timedelta(days=400)),
    anchor=ANCHOR,
)


def step(kind: str, passage: int | None, days: int, **more: object) -> Step:
    facts = {
        "performed_by": "Tess Tan",
        "verified_by": "Vera Wei",
        "started_at": AT - timedelta(days=days, hours=2),
        "ended_at": AT - timedelta(days=days),
        "workstation": new_code(CodeKind.EQUIPMENT),
        "seeded": None,
        "harvested": None,
        "dead": None,
        "viability_percent": None,
        "pd": None,
        "cpdl": None,
        "happened_anyway": False,
    }
    return Step(kind=kind, passage=passage, **{**facts, **more})


def grown(seeded: str, harvested: str, dead: str, viability: str, pd: str, cpdl: str) -> dict[str, Decimal]:
    names = ("seeded", "harvested", "dead", "viability_percent", "pd", "cpdl")
    return dict(zip(names, map(Decimal, (seeded, harvested, dead, viability, pd, cpdl)), strict=True))


STEPS = (
    step(
        "isolation",
        0,
        33,
        harvested=Decimal(18000000),
        dead=Decimal(1100000),
        viability_percent=Decimal("94.24"),
        cpdl=Decimal(0),
    ),
    step("passage", 1, 28, **grown("500000", "4200000", "200000", "95.4545", "3.070389", "3.070389")),
    step("passage", 2, 23, **grown("500000", "4200000", "200000", "95.4545", "3.070389", "6.140778")),
    step(
        "passage",
        3,
        18,
        **grown("4200000", "4100000", "310000", "92.97", "-0.034765", "6.140778"),
        happened_anyway=True,
    ),
    step(
        "fill",
        3,
        17,
        harvested=Decimal(24000000),
        dead=Decimal(1200000),
        viability_percent=Decimal("95.2"),
        cpdl=Decimal("6.140778"),
    ),
    step("cryopreservation", None, 16, workstation=None),
)
USED = tuple(
    Used(
        material=name,
        supplier="Good Supplies",
        supplier_lot=f"GS-{number}-7f3a",
        lot=new_code(CodeKind.LOT),
        container=new_code(CodeKind.MATERIAL_CONTAINER),
        expires_on=date(2027, 12, 1),
        approved_at=AT - timedelta(days=40),
        step="passage",
        passage=number % 3,
        quantity=Decimal("12.5"),
        unit="mL",
        used_at=AT - timedelta(days=20, hours=number),
    )
    for number, name in enumerate(("Alpha-MEM", "重组胰酶替代物 Trypsin substitute", "人血小板裂解物") * 2)
)
SUMMARY = BatchSummary(
    made=MADE,
    lot=LOT,
    filled=FILLED,
    max_passage=3,
    max_pdl=Decimal(12),
    steps=STEPS,
    used=USED,
    clearances=tuple(
        Cleared(new_code(CodeKind.EQUIPMENT), phase, AT - timedelta(days=days), "Tess Tan", "Vera Wei")
        for phase, days in (("before", 33), ("after", 17))
    ),
    taken=(
        Taken(
            new_code(CodeKind.RETAIN), "retain", "starting_material", LOT.donation, "retain freezer 1", AT, "Tess Tan"
        ),
        Taken(
            new_code(CodeKind.SAMPLE_TUBE), "sample", "release testing", new_code(CodeKind.VIAL), None, AT, "Tess Tan"
        ),
    ),
    tests=TESTS,
    deviations=(
        Deviated(
            "DV-26-0007",
            "minor",
            "a label was torn",
            "closed",
            "acceptable",
            "no contact with the cells",
            AT,
            "Tess Tan",
            AT,
            "Quinn Qiu",
        ),
        Deviated(
            "DV-26-0009", "major", "培养箱温度升至 38.4 °C，持续 12 min", "open", None, None, AT, "Tess Tan", None, None
        ),
    ),
    holds=(Held(new_code(CodeKind.VIAL), "a cracked cap", AT, "Vera Wei", AT, "Quinn Qiu"),),
    labels=(Labelled("vial-25x13-en", 25, 24, 1),),
    counts=(Counted(25, 24, 1, 0, AT, "Tess Tan", None),),
    reviewed=Reviewed(
        "accepted", "complete", True, signed("batch_reviewed", "Quinn Qiu", roles=("qa_manager",), statement="accepted")
    ),
    digest=DIGEST,
)
SHEET = Eligibility(
    made=MADE,
    donation=LOT.donation,
    din=LOT.din,
    donor="D-0042",
    relation="autologous",
    tested_person="D-0042",
    genetic_source="D-0042",
    recipient="D-0042",
    tissue="bone marrow",
    collected_at=AT - timedelta(days=34),
    received_at=AT - timedelta(days=33, hours=20),
    volume_ml=Decimal(30),
    markers=tuple(
        Marked(
            analyte,
            marker,
            "CLIA",
            "K-17",
            "Central laboratory",
            AT - timedelta(days=36),
            AT - timedelta(days=35),
            "negative",
        )
        for analyte, marker in (
            ("HIV", "HIV Ag/Ab"),
            ("HIV", "HIV NAT"),
            ("HBV", "HBsAg"),
            ("HCV", "anti-HCV"),
            ("syphilis", "treponemal"),
        )
    ),
    consents=(
        Consented("ICF-2", ("donation", "processing"), AT - timedelta(days=38), None),
        Consented("ICF-1", ("research",), AT - timedelta(days=99), AT - timedelta(days=50)),
    ),
    matches=(Matched("D-0042", ("hospital_number", "birth_date"), "Tess Tan", "Vera Wei", AT - timedelta(days=38)),),
    determined=Determined(
        "eligible",
        "panel complete and reviewed",
        None,
        signed("eligibility_determined", "Dr Phil Fang", roles=("physician",), statement="eligible"),
    ),
    rulebook="2026.1",
    verdicts=RULED[:3],
    digest=DIGEST,
)
DRAFT = replace(SHEET, determined=None, made=replace(MADE, purpose="test"))


def counterexample(words: str) -> Text:
    return Text(words)


BOOK = RuleBook(
    made=MADE,
    version=RULEBOOK_VERSION,
    digest=rulebook_digest(),
    jurisdiction="CN-818",
    rules=tuple(
        RuleShown(
            id=rule.id,
            title=rule.title,
            gates=tuple(sorted(rule.gates)),
            waiver=tuple(rule.waiver),
            cites=tuple(Cited(each.source, each.section, each.paraphrase, each.status) for each in rule.cites),
            counterexamples=tuple(
                WouldClose(counterexample(each.name), each.gate.value, each.outcome) for each in rule.breaks
            ),
            settings=("qa03.years",) if rule.id == "QA-03" else (),
        )
        for rule in RULES
    ),
    settings=(
        SettingShown("qa03.years", 2, 3, "a", "指南 §2 three years", AT - timedelta(days=90)),
        SettingShown("rel03.set", 1, {"sterility": ["sterility", "无菌"], "dose": [{"low": 4.5}]}, None, "§3", AT),
        SettingShown("never.set", None, None, None, "", None),
    ),
)
