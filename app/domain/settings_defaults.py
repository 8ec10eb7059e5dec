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
        "don02.panel",
        {
            "HTLV": ["anti-HTLV-I/II"],
            "CMV": ["CMV IgG", "CMV IgM"],
            "EBV": ["EBV VCA IgG", "EBV VCA IgM"],
        },
        None,
        f"{GUIDELINE} §3 names the three viruses for leukocyte-rich material; the markers are usual ones (unverified)",
    ),
    SettingDefault(
        "don02.serostatus",
        {"CMV": ["CMV IgG"], "EBV": ["EBV VCA IgG"]},
        None,
        "an antibody that lasts for life says that the donor once met the virus, not that it is active (unverified)",
    ),
    SettingDefault(
        "donors.further_analytes",
        [
            "HAV",
            "HEV",
            "HHV-8",
            "parvovirus B19",
            "West Nile virus",
            "Zika virus",
            "dengue virus",
            "SARS-CoV-2",
            "Toxoplasma gondii",
            "malaria",
            "Trypanosoma cruzi",
            "tuberculosis",
        ],
        None,
        "infections of which a result may be recorded beside the panels (design)",
    ),
    SettingDefault(
        "don06.windows",
        {
            "other": {"from": -7, "to": 7},
            "bone marrow": {"from": -30, "to": 0},
            "peripheral blood": {"from": -30, "to": 0},
        },
        "d",
        "21 CFR 1271.80(b) as a model, days from the collection by tissue; no Chinese figure was found (unverified)",
    ),
    SettingDefault(
        "don07.retest_days", 180, "d", "Directive 2006/17/EC Annex II, days after the donation (unverified for CN)"
    ),
    SettingDefault(
        "don07.nat",
        {"HIV": ["HIV NAT"], "HBV": ["HBV NAT"], "HCV": ["HCV NAT"]},
        None,
        "Directive 2006/17/EC Annex II: nucleic acid tests of the donation's own sample (unverified for CN)",
    ),
    SettingDefault(
        "don08.groups",
        ["infection", "travel", "prion", "genetic", "malignancy"],
        None,
        "what a donor's history must ask about (put together; unverified for CN)",
    ),
    SettingDefault(
        "don09.maternal_percent_max",
        1,
        "%",
        "how much of birth tissue's cells may be the mother's; each laboratory validates its own (design, unverified)",
    ),
    SettingDefault(
        "don11.volumes",
        {"blood_ml_per_kg": 66.7, "plasma_ml_per_kg": 40},
        "mL/kg",
        "an adult's own blood and plasma as usual plasma dilution algorithms take them (unverified)",
    ),
    SettingDefault(
        "don11.dilution_max_percent",
        50,
        "%",
        "Directive 2006/17/EC Annex II: a more diluted sample is not valid (unverified for CN)",
    ),
    SettingDefault(
        "don14.places",
        ["segregated_storage"],
        None,
        "kinds of equipment that keep positive or untested material apart from all other (design)",
    ),
    SettingDefault(
        "hgr01.required_for",
        ["banking", "third_party"],
        None,
        "for what a permit for human genetic resources is asked; the 2019 regulation was not re-read (unverified)",
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
        "rel06.allowed",
        "no",
        None,
        "release before a slow test has its result: no Chinese text was found that permits or forbids it (unverified), so off",
    ),
    SettingDefault(
        "rel06.may_be_pending",
        ["sterility", "mycoplasma", "replicating_virus"],
        None,
        "tests that last longer than cells keep: culture for sterility (14 days) and mycoplasma (28 days), co-culture for"
        " replication-competent virus (unverified)",
    ),
    SettingDefault(
        "people.hours_before_reset_factors_sign",
        24,
        "h",
        "a factor that an administrator has reset signs nothing for a day (design)",
    ),
    SettingDefault(
        "gmp05.critical_steps",
        ["isolation", "passage", "fill", "cryopreservation", "thaw"],
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
        "cb02.passages_over",
        5,
        None,
        f"{GUIDELINE} §3 gives no figure for long expansion; more than P5 is a suggestion (unverified)",
    ),
    SettingDefault(
        "cb02.doublings_over",
        20,
        "PD",
        f"{GUIDELINE} §3 gives no figure for long expansion; more than 20 doublings is a suggestion (unverified)",
    ),
    SettingDefault(
        "cb02.days_over",
        30,
        "d",
        f"{GUIDELINE} §3 gives no figure for long expansion; more than 30 days is a suggestion (unverified)",
    ),
    SettingDefault(
        "cb07.tests",
        {
            "sterility": ["sterility", "无菌"],
            "mycoplasma": ["mycoplasma", "支原体"],
            "endotoxin": ["endotoxin", "细菌内毒素", "内毒素"],
            "adventitious_virus": ["adventitious virus", "adventitious viruses", "外源病毒"],
            "identity_str": ["STR", "STR identity", "identity (STR)", "STR鉴别", "STR 鉴别"],
            "karyotype": ["karyotype", "核型"],
            "viability": ["viability", "存活率", "细胞活率"],
            "phenotype": ["phenotype", "immunophenotype", "免疫表型", "表型"],
        },
        None,
        f"{GUIDELINE} §3 asks for tested banks; the list was put together from pharmacopoeial practice (unverified)",
    ),
    SettingDefault(
        "cb07.never_waived",
        ["sterility", "mycoplasma", "endotoxin", "adventitious_virus", "identity_str"],
        None,
        "tests of a bank about safety and identity, which nobody waives (design)",
    ),
    SettingDefault(
        "cb08.tolerance_doublings",
        0.01,
        "PD",
        "by how much doublings may differ from their parent's and the growth since, for rounding (design)",
    ),
    SettingDefault("cb09.thaws_most", 1, None, "a vial of a bank is thawed once (design)"),
    SettingDefault(
        "cb10.warmest_celsius",
        -150,
        "°C",
        "banked cells are kept in nitrogen vapour at this or colder; general practice (unverified)",
    ),
    SettingDefault("cb10.phases", ["vapour"], None, "how banked cells are kept; general practice (unverified)"),
    SettingDefault(
        "cb10.master_sites", 2, None, "at how many sites a master bank is kept; general practice (unverified)"
    ),
    SettingDefault(
        "cb04.minimum",
        {"mL": 0.1, "vial": 1, "tube": 1, "cells": 100000, "mg": 10, "µg": 1},
        None,
        "how much of the starting material is enough to investigate with, by the unit it is kept in (design)",
    ),
    SettingDefault(
        "cb04.critical_materials",
        {"fetal bovine serum": 1, "foetal bovine serum": 1, "胎牛血清": 1},
        None,
        "the guideline asks for retains of the raw material; of which reagents too, and how much, each house says (design)",
    ),
    SettingDefault(
        "qa07.topics",
        {
            "isolation": ["gowning", "isolation"],
            "passage": ["gowning", "passage"],
            "fill": ["gowning", "fill"],
            "cryopreservation": ["cryopreservation"],
            "thaw": ["gowning", "thaw"],
        },
        None,
        "what whoever makes a step is qualified for; each laboratory states its own (design)",
    ),
    SettingDefault(
        "mat01.medicinal_grades",
        ["approved_drug", "pharmacopoeial_excipient", "clinical_device"],
        None,
        f"{GUIDELINE} §3 prefers medicinal grade; which grades count as that, and a cleared device as it, is design",
    ),
    SettingDefault(
        "mat01.search", ["medicinal_search"], None, "what shows that one of medicinal grade was looked for (design)"
    ),
    SettingDefault(
        "mat02.measures",
        {"residue": ["residual_removal", "residual_test"], "quality": ["incoming_test", "supplier_audit"]},
        None,
        "what the assessment of a material of another grade must have at the least (design)",
    ),
    SettingDefault(
        "mat04.measures",
        {"alternative": ["animal_free_search"], "residue": ["residual_removal", "residual_test"]},
        None,
        "what the assessment of a material of animal origin must have at the least (design)",
    ),
    SettingDefault(
        "mat07.pool_most",
        60,
        "donors",
        "how many donors a pool of a human reagent may have without its own waiver (design, unverified)",
    ),
    SettingDefault(
        "lookback.markers_without_alarm",
        ["anti-HBs"],
        None,
        "a positive one tells of a vaccination or of an infection long past, and holds nothing that was made before (design)",
    ),
    SettingDefault(
        "gm02.assays",
        ["guide_seq", "circle_seq", "digenome_seq", "rhamp_seq", "whole_genome"],
        None,
        "assays beside the prediction that count as looking for off-target edits (put together, unverified)",
    ),
    SettingDefault(
        "gm02.threshold_percent_most",
        1,
        "%",
        "the share of edited reads from which a site must count at the latest; no Chinese figure was found (design, unverified)",
    ),
    SettingDefault(
        "gm03.residues",
        {
            "lentivirus": ["copies", "p24"],
            "gamma_retrovirus": ["copies", "envelope"],
            "aav": ["virus"],
            "transposon": ["copies", "plasmid", "transposase"],
            "plasmid": ["plasmid"],
            "mrna": ["mrna"],
            "rnp": ["nuclease"],
            "base_editor": ["nuclease"],
            "editing": ["nuclease"],
        },
        None,
        f"{GUIDELINE} §3 asks for the vector's residue; which one by the vector is put together (unverified)",
    ),
    SettingDefault(
        "gm03.tests",
        {
            "copies": ["vector copy number", "VCN", "vector copy number in transduced cells", "载体拷贝数"],
            "p24": ["p24 residue", "p24", "p24残留"],
            "envelope": ["envelope residue", "VSV-G residue", "包膜残留"],
            "virus": ["vector residue", "residual virus", "病毒残留"],
            "plasmid": ["plasmid residue", "residual plasmid", "质粒残留"],
            "transposase": ["transposase residue", "转座酶残留"],
            "mrna": ["mRNA residue", "mRNA残留"],
            "nuclease": ["nuclease residue", "Cas9 residue", "核酸酶残留"],
        },
        None,
        "the names under which specifications ask for a residue (design)",
    ),
    SettingDefault(
        "cb12.tests",
        {
            "start": ["tumorigenicity_in_vitro", "karyotype", "adventitious_virus"],
            "confirmatory": ["tumorigenicity_in_vivo"],
        },
        None,
        "tests of cells at the end of production, before the study starts and by the confirmatory stage (guideline §3, §4; reconstructed)",
    ),
    SettingDefault(
        "gm05.assays",
        ["coculture"],
        None,
        "tests for replication-competent virus that suffice for release; a rapid one is an early sign (FDA 2006, unverified for CN)",
    ),
    SettingDefault(
        "gm05.amounts",
        {"cells": 100000000, "cells_percent": 1, "supernatant_percent": 5},
        "cells, % of the pool (whichever is less), % of the supernatant",
        "FDA guidance on replication-competent retrovirus (2006); no Chinese figure was found (unverified)",
    ),
    SettingDefault(
        "gm09.years",
        5,
        "years",
        "follow-up of whoever was given gene-modified cells (guideline §5, at least five; 15 years are usual abroad for integrating vectors)",
    ),
    SettingDefault(
        "gm06.copies_per_cell_most",
        5,
        "copies/cell",
        "copies in a transduced cell, a usual limit; no Chinese figure was found (unverified)",
    ),
    SettingDefault(
        "gm06.tests",
        {
            "transduced": ["vector copy number in transduced cells", "转导细胞载体拷贝数"],
            "all": ["vector copy number", "VCN", "载体拷贝数"],
            "transduction": ["transduction", "transduction efficiency", "转导率"],
        },
        None,
        "the names under which specifications ask for copies: of transduced cells, or of all with the share transduced (design)",
    ),
    SettingDefault(
        "mat09.tests",
        {
            "animal_serum": ["serum residue", "BSA residue", "bovine serum albumin residue", "牛血清白蛋白残留"],
            "platelet_lysate": ["platelet lysate residue", "human plasma protein residue", "血小板裂解物残留"],
            "animal_enzyme": ["enzyme residue", "trypsin residue", "collagenase residue", "酶残留"],
        },
        None,
        "which kinds of materials leave a residue that is tested for, and the names of the tests (design)",
    ),
    SettingDefault(
        "mat09.limits",
        {"animal_serum": 50},
        "ng/dose",
        "the classic Chinese figure for bovine serum albumin in biologics; for cells unverified",
    ),
    SettingDefault(
        "mat09.words",
        {
            "platelet_lysate": ["platelet lysate", "血小板裂解"],
            "animal_enzyme": [
                "trypsin",
                "胰蛋白酶",
                "胰酶",
                "collagenase",
                "胶原酶",
                "dispase",
                "hyaluronidase",
                "透明质酸酶",
            ],
        },
        None,
        "how platelet lysates and enzymes are told by their names and compositions (design)",
    ),
    SettingDefault("assessment.months_max", 24, "months", "an assessment is made anew after two years (design)"),
    SettingDefault(
        "gmp04.required",
        {
            "workstation": ["performance"],
            "incubator": ["performance", "calibration"],
            "freezer": ["performance", "calibration"],
            "tank": ["performance"],
            "balance": ["calibration"],
            "cell_counter": ["calibration"],
        },
        None,
        "what shows that a kind of equipment is fit, each in date; a laboratory's qualification plan says (design)",
    ),
    SettingDefault(
        "gmp01.mandatory",
        [
            "procedures",
            "environmental_monitoring",
            "equipment",
            "training",
            "deviation",
            "change",
            "complaint",
            "recall",
        ],
        None,
        f"{GUIDELINE} §3 asks for GMP; which parts of the quality system a document regulates is put together (design)",
    ),
    SettingDefault("ext01.months", 24, "months", "a partner is assessed anew after two years (design)"),
    SettingDefault(
        "ext02.duties",
        ["preparation", "testing", "release", "transport", "records", "data_access"],
        None,
        "what a quality agreement says who does, who releases and who sees the data among it (design)",
    ),
    SettingDefault(
        "tpr02.kinds",
        ["cma", "cnas", "nifdc"],
        None,
        "a qualified third party is one by CMA or CNAS, or the national institute (design; which of them suffice is unverified)",
    ),
    SettingDefault(
        "org03.title_levels",
        ["senior", "associate_senior"],
        None,
        "State Council Order 818 asks a project leader for a senior title; that an associate one suffices is unverified",
    ),
    SettingDefault(
        "org04.working_days",
        5,
        "d",
        "State Council Order 818: filed within five working days of the approval (reconstructed from reports of it)",
    ),
    SettingDefault(
        "org04.days_off",
        ["2026-01-01", "2026-05-01", "2026-05-02", "2026-10-01", "2026-10-02", "2026-10-03"],
        None,
        "public holidays on fixed days in 2026; those of the lunar calendar and of later years are added (unverified)",
    ),
    SettingDefault(
        "gmp02.allowed",
        {"A": ["B"], "isolator": ["B", "C", "D"], "closed": ["B", "C", "D"]},
        None,
        "open handling in grade A with a background of B, or closed or in an isolator in C or D "
        "(CFDI 2022 guide for cell therapy products, unverified)",
    ),
    SettingDefault(
        "gmp02.required",
        {"A": ["settle:A", "glove:A", "settle:room"], "isolator": ["settle:A"], "closed": ["settle:room"]},
        None,
        "what is monitored in each session, by the workstation's class; room is the grade of its background (design)",
    ),
    SettingDefault(
        "gmp02.limits",
        {
            "settle:A": 0,
            "settle:B": 5,
            "settle:C": 50,
            "settle:D": 100,
            "contact:A": 0,
            "contact:B": 5,
            "contact:C": 25,
            "contact:D": 50,
            "glove:A": 0,
            "glove:B": 5,
            "air:A": 0,
            "air:B": 10,
            "air:C": 100,
            "air:D": 200,
            "particles_05:A": 3520,
            "particles_05:B": 352000,
            "particles_05:C": 3520000,
            "particles_5:A": 20,
            "particles_5:B": 2900,
            "particles_5:C": 29000,
        },
        "CFU a plate or print, CFU/m³ of air, particles/m³ in operation",
        "EU GMP Annex 1 (2022) action limits; particles of 5 µm and more by the annex on sterile products of the Chinese GMP "
        "of 2010 (unverified)",
    ),
    SettingDefault(
        "legacy.before",
        "2026-05-01",
        "day",
        f"{GUIDELINE}: in force from this day; papers of acts before it may be accepted (that it is allowed is design)",
    ),
    SettingDefault(
        "rel09.allowed",
        "no",
        None,
        "no text was found that allows to give a product out of specification in China; the EU does at a physician's request (unverified)",
    ),
    SettingDefault(
        "org06.levels",
        ["institution", "study", "facility"],
        None,
        f"{GUIDELINE} §2: three levels, each with a responsible person (the table is lost; reconstructed)",
    ),
)
