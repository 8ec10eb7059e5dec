"""Settings as shipped: each a value with its unit and the source that it comes from, to be kept with versions."""

from dataclasses import dataclass

from app.domain.sources import GUIDELINE
from app.domain.text import JSON


@dataclass(frozen=True, slots=True)
class SettingDefault:
    name: str
    value: JSON
    unit: str | None
    source: str


DEFAULTS: tuple[SettingDefault, ...] = (
    SettingDefault(
        "don01.panel",
        {
            "HIV": ["HIV Ag/Ab", "HIV NAT"],
            "HBV": ["HBsAg", "anti-HBc", "HBV NAT"],
            "HCV": ["anti-HCV", "HCV NAT"],
            "syphilis": ["treponemal", "non-treponemal"],
        },
        None,
        f"{GUIDELINE} §3 names the four infections; "
        "the markers follow Directive 2006/17/EC Annex II (unverified for CN)",
    ),
    SettingDefault(
        "don01.waivable",
        {
            "HBV": {"marker": "anti-HBc", "while_negative": ["HBsAg", "HBV NAT"]},
            "syphilis": {"marker": "treponemal", "while_negative": ["non-treponemal"]},
        },
        None,
        "Directive 2006/17/EC Annex II 1.3 and 1.4 as a model (unverified for CN)",
    ),
    SettingDefault(
        "facility.utc_offset_hours",
        8,
        "h",
        "the day at whose end a material expires is the facility's; China keeps UTC+8 all year",
    ),
    SettingDefault(
        "qa02.title_levels",
        ["senior"],
        None,
        f"{GUIDELINE} §2 asks for a senior title; whether associate_senior (副高) suffices is unverified",
    ),
    SettingDefault("qa03.years", 3, "a", f"{GUIDELINE} §2"),
    SettingDefault("qa03.domains", ["stem_cell_quality_management"], None, f"{GUIDELINE} §2"),
    SettingDefault(
        "rel03.safety_set",
        {
            "sterility": ["sterility", "无菌"],
            "mycoplasma": ["mycoplasma", "支原体"],
            "endotoxin": ["endotoxin", "细菌内毒素", "内毒素"],
            "viability": ["viability", "存活率", "细胞活率"],
            "identity": ["identity", "鉴别"],
            "dose": ["dose", "viable cell count", "剂量", "活细胞数"],
            "adventitious_virus": ["adventitious virus", "外源病毒"],
        },
        None,
        f"{GUIDELINE} §3 (the set is put together from its safety tests and those of a cell product's specification)",
    ),
    SettingDefault(
        "rel03.adventitious_virus_by",
        "lot",
        None,
        "by lot or by bank; until banks carry their own results, by lot (design)",
    ),
    SettingDefault(
        "people.hours_before_reset_factors_sign",
        24,
        "h",
        "a factor that an administrator has reset signs nothing for a day (design)",
    ),
    SettingDefault(
        "gmp05.critical_steps",
        ["isolation", "passage", "fill", "cryopreservation"],
        None,
        "every kind of step is critical until a risk assessment says otherwise (design)",
    ),
    SettingDefault(
        "gmp05.within_hours", 12, "h", "a second person verifies within the shift in which the step was made (design)"
    ),
    SettingDefault(
        "bench.timers",
        [
            {"code": "enzyme", "en": "Enzyme", "zh": "酶消化", "minutes": 5},
            {"code": "wash", "en": "Centrifuge", "zh": "离心", "minutes": 10},
            {"code": "settle", "en": "Attach", "zh": "贴壁", "minutes": 30},
            {"code": "equilibrate", "en": "Equilibrate", "zh": "平衡", "minutes": 15},
        ],
        "min",
        "timers offered at the bench; each laboratory states its own (design)",
    ),
    SettingDefault(
        "bench.reasons",
        [
            {"code": "LABEL-DAMAGED", "en": "label damaged or unreadable", "zh": "标签破损或无法识读"},
            {"code": "VESSEL-DAMAGED", "en": "vessel damaged or leaking", "zh": "容器破损或渗漏"},
            {"code": "LOOKS-WRONG", "en": "cells or medium look wrong", "zh": "细胞或培养基外观异常"},
            {"code": "DROPPED", "en": "dropped or spilled", "zh": "掉落或洒漏"},
            {"code": "TEMPERATURE", "en": "temperature left its range", "zh": "温度超出范围"},
            {"code": "EQUIPMENT", "en": "equipment failed", "zh": "设备故障"},
            {"code": "OTHER", "en": "another reason, words follow", "zh": "其他原因，文字说明待补"},
        ],
        None,
        "reasons picked at the bench; words follow before the batch review (design)",
    ),
    SettingDefault(
        "bench.clearance",
        [
            {"code": "previous material removed", "en": "Previous material removed", "zh": "前次物料已清除"},
            {"code": "surfaces disinfected", "en": "Surfaces disinfected", "zh": "台面已消毒"},
            {"code": "labels of others removed", "en": "No labels of other lots", "zh": "无其他批次标签"},
            {"code": "waste removed", "en": "Waste removed", "zh": "废弃物已移除"},
            {
                "code": "equipment ready",
                "en": "Cabinet runs, within its check date",
                "zh": "生物安全柜运行正常且在检定有效期内",
            },
        ],
        None,
        "what a line clearance looks at; each laboratory states its own (design)",
    ),
    SettingDefault(
        "bench.programmes",
        [
            {
                "code": "1 °C/min to -80 °C, then vapour",
                "en": "1 °C/min to −80 °C, then vapour",
                "zh": "1 °C/min 降至 −80 °C，转入气相液氮",
            },
            {"code": "controlled rate to -120 °C", "en": "Controlled rate to −120 °C", "zh": "程序降温至 −120 °C"},
        ],
        None,
        "freezing programmes offered at the bench; each laboratory states its own (design)",
    ),
    SettingDefault("rel05.identifiers_min", 2, None, "at least two identifiers prove an autologous recipient (design)"),
    SettingDefault(
        "don05.controls",
        {
            "containment": ["dedicated_incubator", "dedicated_workstation", "closed_system", "time_slot"],
            "storage": ["vapour_tank", "segregated_tank"],
            "protective_clothing": ["protective_clothing"],
            "cleaning": ["cleaning"],
            "waste": ["waste"],
        },
        None,
        "what carries out a measure against cross-contamination in this house, by group (design)",
    ),
    SettingDefault(
        "don05.required_groups",
        ["containment", "storage", "protective_clothing", "cleaning", "waste"],
        None,
        f"{GUIDELINE} §3 asks for preventive measures; which kinds are needed is put together (design)",
    ),
    SettingDefault(
        "mat05.ruminants",
        ["bovine", "ovine", "caprine", "cervine"],
        None,
        "the species whose serum is judged by the BSE status of every country concerned (WOAH chapter 11.4, unverified)",
    ),
    SettingDefault(
        "don10.scopes",
        {
            "always": ["donation", "processing"],
            "allogeneic": ["allogeneic use"],
            "bank": ["storage"],
            "gene_modified": ["gene modification"],
        },
        None,
        "what a consent must cover, always and for a use; the words are those of the consent's page (design)",
    ),
    SettingDefault(
        "cb04.minimum",
        {"mL": 0.1, "vial": 1, "tube": 1, "cells": 100000, "mg": 10, "µg": 1},
        None,
        "how much of the starting material is enough to investigate with, by the unit it is kept in (design)",
    ),
    SettingDefault(
        "qa07.topics",
        {
            "isolation": ["gowning", "isolation"],
            "passage": ["gowning", "passage"],
            "fill": ["gowning", "fill"],
            "cryopreservation": ["cryopreservation"],
        },
        None,
        "what whoever makes a step is qualified for; each laboratory states its own (design)",
    ),
    SettingDefault("assessment.months_max", 24, "months", "an assessment is made anew after two years (design)"),
)
