"""One label of every kind, in both languages, with the longest texts that must still be legible."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

from labels.codes import CodeKind, new_code
from labels.facts import (
    BadgeFacts,
    BagFacts,
    DonationFacts,
    EquipmentFacts,
    FlaskFacts,
    Infection,
    LabelFacts,
    LabelLanguage,
    MaterialFacts,
    PlaceFacts,
    ReagentRetainFacts,
    RetainFacts,
    SampleFacts,
    Use,
    VialFacts,
)

AT = datetime(2026, 11, 22, 14, 5, tzinfo=timezone(timedelta(hours=8)))
ON = date(2026, 11, 22)
NAME = "PREP-26-0108"
VIAL = VialFacts(
    code=new_code(CodeKind.VIAL),
    name=NAME,
    product="骨髓间充质干细胞",
    passage_number=3,
    cells=5_234_000,
    frozen_on=ON,
    use=Use.AUTOLOGOUS,
    storage_celsius_max=-150,
    vial_number=12,
)
FLASK = FlaskFacts(
    code=new_code(CodeKind.FLASK),
    name=NAME,
    product="Bone-marrow MSC",
    passage_number=2,
    donor="D-26-0007",
    seeded_at=AT,
    use=Use.AUTOLOGOUS,
)
BAG = BagFacts(
    code=new_code(CodeKind.BAG),
    name=NAME,
    product="自体骨髓间充质干细胞",
    passage_number=3,
    volume_ml="20",
    cells=52_000_000,
    donor="D-26-0007",
    recipient="D-26-0007",
    frozen_on=ON,
    expires_on=date(2028, 11, 21),
    storage_celsius_max=-150,
    facility="Riverside Hospital 干细胞制备中心",
    use=Use.AUTOLOGOUS,
)
SAMPLE = SampleFacts(
    code=new_code(CodeKind.SAMPLE_TUBE), name=NAME, purpose="sterility", taken_at=AT, use=Use.AUTOLOGOUS
)
RETAIN = RetainFacts(
    code=new_code(CodeKind.RETAIN), name=NAME, kind="starting_material", taken_at=AT, use=Use.AUTOLOGOUS
)
REAGENT = ReagentRetainFacts(
    code=new_code(CodeKind.RETAIN), material="胎牛血清 fetal bovine serum", lot="MAT-26-0003", taken_at=AT
)
DONATION = DonationFacts(
    code=new_code(CodeKind.DONATION),
    donor="D-26-0007",
    tissue="bone marrow",
    din="G123498654321",
    collected_at=AT,
    use=Use.AUTOLOGOUS,
)
MATERIAL = MaterialFacts(
    code=new_code(CodeKind.MATERIAL_CONTAINER),
    material="间充质干细胞培养基",
    lot="MAT-26-0003",
    supplier_lot="RH-26-001",
    expires_on=date(2027, 9, 1),
    container_number=2,
)
PLACE = PlaceFacts(code=new_code(CodeKind.SHELF), kind="shelf", name="Tank 2 Rack B Shelf 4")
EQUIPMENT = EquipmentFacts(code=new_code(CodeKind.EQUIPMENT), name="BSC-02", kind="workstation", room="C-114")
BADGE = BadgeFacts(
    code=new_code(CodeKind.BADGE), printed_name="王芳 Wang Fang", username="fang", facility="Riverside", issued_on=ON
)
PLAIN: tuple[LabelFacts, ...] = (
    VIAL,
    FLASK,
    BAG,
    SAMPLE,
    RETAIN,
    REAGENT,
    DONATION,
    MATERIAL,
    PLACE,
    EQUIPMENT,
    BADGE,
)
SIZES = {
    "vial-25x13": (25, 13, 0.5),
    "flask-50x25": (50, 25, 0.75),
    "bag-100x50": (100, 50, 1.0),
    "sample-25x13": (25, 13, 0.5),
    "retain-25x13": (25, 13, 0.5),
    "reagent-25x13": (25, 13, 0.5),
    "donation-50x25": (50, 25, 0.75),
    "material-50x25": (50, 25, 0.75),
    "place-100x25": (100, 25, 1.25),
    "equipment-100x25": (100, 25, 1.25),
    "badge-54x86": (54, 86, 2.0),
}
LONG = "Long words 长长的名称 that describe more than there is room for on so small a thing, and go on " * 4
WIDEST: tuple[LabelFacts, ...] = (
    replace(
        VIAL, product="WWWWWWWWWW", cells=88_800_000_000, passage_number=28, vial_number=888, storage_celsius_max=-196
    ),
    replace(FLASK, product=LONG, name="PREP-26-88888", passage_number=28, donor="D-26-888888"),
    replace(BAG, cells=88_800_000_000, volume_ml="1250.5", facility=LONG, expires_on=None),
    replace(SAMPLE, purpose=LONG),
    replace(RETAIN, kind="final_product"),
    replace(DONATION, tissue=LONG, use=Use.ALLOGENEIC),
    replace(MATERIAL, material=LONG, supplier_lot="WXYZ-WXYZ-8888888", expires_on=None),
    replace(PLACE, name=None, kind="position", code=new_code(CodeKind.POSITION)),
    replace(EQUIPMENT, name="Biosafety cabinet 2 of the cell therapy unit", room=LONG, kind="something new"),
    replace(BADGE, printed_name="Dr Alexandra Wolfeschlegelsteinhausenbergerdorff", username="w" * 24),
)
EVERY: tuple[tuple[LabelFacts, LabelLanguage, int], ...] = tuple(
    (facts, language, copy)
    for language in LabelLanguage
    for facts, copy in (
        *((each, 1) for each in PLAIN),
        *((each, 12) for each in WIDEST),
        *(
            (replace(each, infection=infection), copy)
            for each in (VIAL, FLASK, BAG, SAMPLE, RETAIN, DONATION)
            for infection, copy in ((Infection.BIOHAZARD, 2), (Infection.NOT_EVALUATED, 12))
        ),
    )
)


def name_of(value: object) -> str:
    return value.design if hasattr(value, "design") else str(value)
