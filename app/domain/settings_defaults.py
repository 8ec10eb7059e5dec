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
    SettingDefault("rel05.identifiers_min", 2, None, "at least two identifiers prove an autologous recipient (design)"),
)
