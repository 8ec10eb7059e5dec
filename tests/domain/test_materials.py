from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from app.domain.beta_lactams import CAS_NUMBERS, NAMES, PATTERNS
from app.domain.facts import Component
from app.domain.materials import GROUP_NAMES, is_in_date, look_at, look_at_composition, squeezed

BETA_LACTAMS = (
    """
benzylpenicillin|penicillin G|phenoxymethylpenicillin|penicillin V|procaine penicillin|benzathine penicillin|ampicillin
氨苄西林|amoxicillin|阿莫西林|bacampicillin|pivampicillin|carbenicillin|羧苄西林|ticarcillin|替卡西林|temocillin|azlocillin
阿洛西林|mezlocillin|美洛西林|piperacillin|哌拉西林|sulbenicillin|磺苄西林|furbenicillin|呋布西林|oxacillin|苯唑西林
cloxacillin|氯唑西林|dicloxacillin|双氯西林|flucloxacillin|氟氯西林|methicillin|甲氧西林|nafcillin|mecillinam
pivmecillinam|美西林|cefalexin|cephalexin|cephalothin|latamoxef|moxalactam|拉氧头孢|flomoxef|氟氧头孢|loracarbef|氯碳头孢
cefoxitin|头孢西丁|cefmetazole|头孢美唑|cefotetan|cefminox|头孢米诺|cefotaxime|ceftriaxone|头孢曲松|ceftazidime|头孢他啶
cefepime|头孢吡肟|cefazolin|ceftaroline|ceftobiprole|cefiderocol|先锋霉素|先锋6号|imipenem|亚胺培南|meropenem|美罗培南
ertapenem|厄他培南|doripenem|多立培南|biapenem|比阿培南|panipenem|帕尼培南|tebipenem|替比培南|faropenem|法罗培南
aztreonam|氨曲南|carumonam|卡芦莫南|tigemonam|nocardicin|clavulanic acid|克拉维酸|potassium clavulanate|sulbactam|舒巴坦
tazobactam|他唑巴坦|enmetazobactam|Penicillin-Streptomycin|Pen/Strep|Pen-Strep|PenStrep|P/S|PS 100X|100× PS|1% P/S|双抗
青链霉素|三抗|Antibiotic-Antimycotic|Antibiotic Antimycotic (100X)|Anti-Anti|PSA|PSN|PSG|PSG (pen-strep-glutamine)
DMEM complete medium with P/S|注射用cefazolin钠|氨苄青霉素|青霉素钠|β-lactam antibiotic|ß-lactam|Ｐｅｎｉｃｉｌｌｉｎ|PENICILLIN
peni\u00adcillin|ampi-cillin|cef triaxone|imipenem/cilastatin|ampicillin with β-lactamase|青霉素 与 青霉素酶|Augmentin
""".replace("\n", "|")
    .strip("|")
    .split("|")
)

OTHERS = (
    """
penicillinase|青霉素酶|β-lactamase|beta-lactamase|β内酰胺酶|penicillamine|D-penicillamine|青霉胺|cilastatin|西司他丁
Penicillium chrysogenum|Penicillium|cephalic|cephalin|cephalad|encephalitis vaccine strain|CEF cells|CEFs|gentamicin|庆大霉素
streptomycin|链霉素|amphotericin B|两性霉素B|DMEM/F-12|DPBS|HEPES|TrypLE Express|type I collagenase|西林瓶 10 mL|青霉素瓶
human serum albumin|heparin|PS T75 flask|open emulsion|penicillin-free medium|不含青霉素|无青霉素培养基|kanamycin|caprolactam
Ficoll-Paque PREMIUM|PSI gauge|DMSO|人血小板裂解物|glutathione|EDTA|bisphosphonate|oscillin|AmpR backbone
ampicillin resistance gene|氨苄青霉素抗性基因|penicillin-binding protein
""".replace("\n", "|")
    .strip("|")
    .split("|")
)


@pytest.mark.parametrize("name", BETA_LACTAMS)
def test_a_beta_lactam_is_found_by_any_of_its_names(name):
    assert look_at(name).matches
    assert look_at_composition([Component(name, None)]).matches
    assert look_at(f"medium, 含 {name}, 500 mL").matches


@pytest.mark.parametrize("name", OTHERS)
def test_what_only_sounds_like_one_is_not(name):
    assert not look_at(name).matches
    assert not look_at_composition([Component(name, None)]).matches


def test_what_was_matched_is_said_with_its_group():
    found = look_at("Advanced medium with Ceftriaxone and P/S").matches
    assert {(match.words, match.group) for match in found} == {
        ("ceftriaxone", "cephalosporin"),
        ("p/s", "culture supplement that holds penicillin"),
    }


def test_a_mixture_that_hides_its_makeup_is_named():
    assert look_at("Primocin, 500x").undisclosed == ("primocin",)
    assert not look_at("Primocin, 500x").matches


def test_companions_and_resistance_genes_are_remarked_on():
    assert look_at("ceftazidime/avibactam").remarks == ("avibactam",)
    assert look_at("pUC57 AmpR, bla").remarks
    assert look_at("氨苄青霉素抗性基因").remarks


def test_a_component_is_found_by_its_number_alone():
    look = look_at_composition([Component("antibiotic A", " 73384-59-5 ")])
    assert [(match.words, match.group) for match in look.matches] == [("CAS 73384-59-5", "ceftriaxone")]


@pytest.mark.parametrize("number", CAS_NUMBERS)
def test_every_cas_number_has_its_check_digit(number):
    digits = number.replace("-", "")
    assert sum(place * int(digit) for place, digit in enumerate(reversed(digits[:-1]), start=1)) % 10 == int(digits[-1])


def test_every_name_of_the_list_is_written_as_it_is_compared():
    for names in NAMES.values():
        for name in names:
            assert squeezed(name) == name


def test_every_group_has_a_name():
    assert set(GROUP_NAMES) == {*NAMES, *PATTERNS}


def test_a_material_is_used_to_the_end_of_its_day_where_the_facility_stands():
    china = Decimal(8)
    last = date(2026, 11, 22)
    assert is_in_date(last, datetime(2026, 11, 22, 15, 59, tzinfo=UTC), utc_offset_hours=china)
    assert not is_in_date(last, datetime(2026, 11, 22, 16, 0, tzinfo=UTC), utc_offset_hours=china)
    assert not is_in_date(None, datetime(2026, 11, 22, tzinfo=UTC), utc_offset_hours=china)
