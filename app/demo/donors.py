"""What a house decides about donors before the first one comes: what is asked of them, and what a tissue is."""

from typing import Any

HISTORY: dict[str, Any] = {
    "name": "Donor history",
    "source": "SOP-DON-02, annex A",
    "questions": [
        {"code": code, "group": group, "en": en, "zh": zh, "excludes": "yes"}
        for code, group, en, zh in (
            ("jaundice", "infection", "Jaundice or hepatitis at any time?", "是否曾患黄疸或肝炎？"),
            ("exposure", "infection", "A needle stick, tattoo or piercing in the last six months?",
             "近六个月内是否有针刺伤、纹身或穿刺？"),
            ("transfusion", "infection", "A blood transfusion in the last twelve months?", "近十二个月内是否输过血？"),
            ("fever", "infection", "Fever or an infection in the last two weeks?", "近两周内是否发热或感染？"),
            ("abroad", "travel", "In an area of malaria or dengue in the last three months?",
             "近三个月内是否到过疟疾或登革热流行区？"),
            ("prion", "prion", "Dementia of unknown cause, a graft of dura mater or pituitary hormone?",
             "是否有不明原因痴呆、硬脑膜移植或垂体激素治疗史？"),
            ("prion_family", "prion", "Creutzfeldt-Jakob disease in the family?", "家族中是否有克雅氏病？"),
            ("hereditary", "genetic", "A hereditary disease, of the person or in the family?", "本人或家族是否有遗传性疾病？"),
            ("cancer", "malignancy", "Cancer or a disease of the blood at any time?", "是否曾患恶性肿瘤或血液病？"),
        )
    ],
}  # fmt: skip
TISSUES: tuple[dict[str, Any], ...] = (
    {"name": "bone marrow", "name_zh": "骨髓", "leukocyte_rich": True, "birth_tissue": False,
     "reason": "Marrow and what is aspirated with it hold leukocytes in great number."},
    {"name": "umbilical cord", "name_zh": "脐带", "leukocyte_rich": False, "birth_tissue": True,
     "reason": "Washed cord tissue without its blood; the vessels are taken out before it is cut."},
    {"name": "adipose tissue", "name_zh": "脂肪组织", "leukocyte_rich": False, "birth_tissue": False,
     "reason": "Washed free of blood; what remains is told by the count of CD45 in the harvest."},
)  # fmt: skip
"""The first is decided in the demonstration; the others wait for the quality authority's signature."""
