"""What each setting is: its shape and limits, what it means in words, and which rules read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from app.domain.assessments import ABOUT_MATERIALS
from app.domain.cell_banks import PHASE_NAMES
from app.domain.donors import PERMIT_PURPOSES, QUESTION_GROUPS
from app.domain.facts import StepKind, VectorType
from app.domain.laboratories import ACCREDITATION_NAMES
from app.domain.people import TITLE_NAMES
from app.domain.settings_defaults import DEFAULTS, SettingDefault
from app.domain.shapes import ByName, Number, Record, Rows, Shape, Word, Words, shape_of
from app.domain.text import Text


@dataclass(frozen=True, slots=True)
class Known:
    """A setting as the code knows it. `read_by` are rules; `serves` says what else stands on it."""

    title: Text
    shape: Shape
    read_by: tuple[str, ...] = ()
    serves: Text | None = None


def _n(least: str, most: str, *, whole: bool = False) -> Number:
    return Number(Decimal(least), Decimal(most), whole=whole)


VECTORS = tuple(each.value for each in VectorType)
OFF_TARGET_ASSAYS = ("guide_seq", "circle_seq", "digenome_seq", "rhamp_seq", "whole_genome")
MAY_BE_PENDING = ("sterility", "mycoplasma", "replicating_virus")
_BANK_TESTS = (
    "sterility",
    "mycoplasma",
    "endotoxin",
    "adventitious_virus",
    "identity_str",
    "karyotype",
    "viability",
    "phenotype",
)
_STEPS = tuple(each.value for each in StepKind)
_OFFER = {"code": Word(), "en": Word(), "zh": Word()}
_OFFERED = Text("what is offered at the bench")

_KNOWN: Mapping[str, Known] = MappingProxyType(
    {
        "don01.panel": Known(
            Text("Infection markers that are asked for, by infection"),
            ByName(Words(), always=("HIV", "HBV", "HCV", "syphilis")),
            ("DON-01", "DON-04", "DON-05", "DON-06", "DON-07", "DON-11", "DON-14"),
            Text("the form for markers"),
        ),
        "don01.waivable": Known(
            Text("Markers whose positive result a waiver may open while others are negative"),
            ByName(Record({"marker": Word(), "while_negative": Words()})),
            ("DON-01",),
        ),
        "don02.panel": Known(
            Text("Infection markers that leukocyte-rich material for others needs besides"),
            ByName(Words(), always=("HTLV", "CMV", "EBV")),
            ("DON-02", "DON-06", "DON-11"),
            Text("the form for markers"),
        ),
        "don02.serostatus": Known(
            Text("Lasting antibodies, which say that a virus was once met and not that it is active"),
            ByName(Words(), only=("CMV", "EBV")),
            ("DON-02",),
            Text("which positive results the gate itself takes for excluding"),
        ),
        "donors.further_analytes": Known(
            Text("Infections of which a result may be recorded beside the panels"),
            Words(),
            (),
            Text("the form for markers"),
        ),
        "don06.windows": Known(
            Text("When a blood sample may be taken, in days from the collection, by tissue"),
            ByName(Record({"from": _n("-365", "365"), "to": _n("-365", "365")}), always=("other",)),
            ("DON-06", "DON-07"),
        ),
        "don07.retest_days": Known(
            Text("Days after the donation from which a second test closes the window period"),
            _n("1", "3650", whole=True),
            ("DON-07",),
        ),
        "don07.nat": Known(
            Text("Nucleic acid tests of the donation's own sample that close the window period at once"),
            ByName(Words(), always=("HIV", "HBV", "HCV")),
            ("DON-07",),
        ),
        "don08.groups": Known(
            Text("What a donor's history must ask about"), Words(tuple(QUESTION_GROUPS)), ("DON-08",)
        ),
        "don09.maternal_percent_max": Known(
            Text("How much of birth tissue's cells may be the mother's"), _n("0", "100"), ("DON-09",)
        ),
        "don11.volumes": Known(
            Text("A person's own blood and plasma for each kilogram"),
            Record({"blood_ml_per_kg": _n("1", "200"), "plasma_ml_per_kg": _n("1", "200")}),
            ("DON-11",),
        ),
        "don11.dilution_max_percent": Known(Text("How diluted a blood sample may be"), _n("0", "100"), ("DON-11",)),
        "don14.places": Known(
            Text("Kinds of equipment that keep positive or untested material apart"), Words(), ("DON-14",)
        ),
        "hgr01.required_for": Known(
            Text("For what a permit for human genetic resources is asked"),
            Words(tuple(PERMIT_PURPOSES)),
            ("HGR-01",),
        ),
        "facility.utc_offset_hours": Known(
            Text("The facility's clock: hours ahead of UTC"),
            _n("-12", "14"),
            (
                "CB-12",
                "EXT-01",
                "EXT-02",
                "EXT-04",
                "GMP-02",
                "GMP-04",
                "HGR-01",
                "MAT-05",
                "MAT-06",
                "MAT-13",
                "ORG-01",
                "ORG-02",
                "ORG-03",
                "ORG-04",
                "REL-06",
                "REL-09",
                "TPR-01",
                "TPR-02",
                "TPR-04",
                "TPR-05",
                "TPR-06",
            ),
        ),
        "qa02.title_levels": Known(
            Text("Titles that a quality authority may hold"), Words(tuple(TITLE_NAMES)), ("QA-02",)
        ),
        "qa03.years": Known(
            Text("Years of quality management that a quality authority must have"), _n("3", "40"), ("QA-03",)
        ),
        "qa03.domains": Known(
            Text("What counts as experience of a quality authority"),
            Words(),
            ("QA-03",),
        ),
        "rel03.safety_set": Known(
            Text("Safety tests that a release needs, each by the names under which it is known"),
            ByName(
                Words(),
                always=(
                    "sterility",
                    "mycoplasma",
                    "endotoxin",
                    "viability",
                    "identity",
                    "dose",
                    "adventitious_virus",
                ),
            ),
            ("GM-05", "REL-02", "REL-03", "REL-06"),
        ),
        "rel03.adventitious_virus_by": Known(
            Text("Where the test for adventitious virus is made: on each lot or on its bank"),
            Word(("lot", "bank")),
            ("REL-03",),
        ),
        "rel06.allowed": Known(
            Text("Whether a lot may be released before a slow test has its result"), Word(("no", "yes")), ("REL-06",)
        ),
        "rel06.may_be_pending": Known(
            Text("Tests that a plan may let come after a first release"),
            Words(MAY_BE_PENDING),
            ("GM-05", "REL-02", "REL-06"),
        ),
        "people.hours_before_reset_factors_sign": Known(
            Text("Hours for which factors that were reset sign nothing"),
            _n("1", "720", whole=True),
            serves=Text("every signature"),
        ),
        "gmp01.mandatory": Known(
            Text("Parts of the quality system for which a document must be in effect"), Words(), ("GMP-01",)
        ),
        "gmp02.allowed": Known(
            Text("Backgrounds in which open cells may be handled, by the workstation's class"),
            ByName(Words()),
            ("GMP-02",),
        ),
        "gmp02.required": Known(
            Text("What is monitored in each session, by the workstation's class"), ByName(Words()), ("GMP-02",)
        ),
        "gmp02.limits": Known(
            Text("Limits of environmental monitoring, by what is measured and the grade"),
            ByName(_n("0", "1e9")),
            ("GMP-02",),
        ),
        "gmp04.required": Known(
            Text("What shows that a kind of equipment is fit for use"), ByName(Words()), ("GMP-04",)
        ),
        "org06.levels": Known(
            Text("Levels of responsibility on which somebody must answer"),
            Words(("institution", "study", "facility")),
            ("ORG-06",),
        ),
        "gmp05.critical_steps": Known(Text("Kinds of steps that a second person verifies"), Words(_STEPS), ("GMP-05",)),
        "gmp05.within_hours": Known(
            Text("Hours within which a second person verifies a step"), _n("0", "168"), ("GMP-05",)
        ),
        "bench.timers": Known(
            Text("Timers"),
            Rows(Record({**_OFFER, "minutes": _n("0.1", "10080")}), "code"),
            serves=_OFFERED,
        ),
        "bench.reasons": Known(Text("Reasons"), Rows(Record(_OFFER), "code"), serves=_OFFERED),
        "bench.clearance": Known(Text("What a line clearance looks at"), Rows(Record(_OFFER), "code"), serves=_OFFERED),
        "bench.programmes": Known(Text("Freezing programmes"), Rows(Record(_OFFER), "code"), serves=_OFFERED),
        "rel05.identifiers_min": Known(
            Text("Identifiers that prove an autologous recipient, at the least"), _n("2", "5", whole=True), ("REL-05",)
        ),
        "don05.controls": Known(
            Text("What carries out measures against cross-contamination in this house, by group"),
            ByName(Words()),
            ("DON-05",),
            Text("the form for assessments"),
        ),
        "don05.required_groups": Known(
            Text("Groups of measures against cross-contamination of which none may be missing"), Words(), ("DON-05",)
        ),
        "mat01.medicinal_grades": Known(
            Text("Grades of materials that count as medicinal"),
            Words(("approved_drug", "pharmacopoeial_excipient", "gmp_ancillary", "clinical_device", "research")),
            ("MAT-01", "MAT-02"),
        ),
        "mat01.search": Known(
            Text("What shows that one of medicinal grade was looked for"), Words(ABOUT_MATERIALS), ("MAT-01",)
        ),
        "mat02.measures": Known(
            Text("What the assessment of a material of another grade must have"),
            ByName(Words(ABOUT_MATERIALS), always=("residue", "quality")),
            ("MAT-02",),
        ),
        "mat04.measures": Known(
            Text("What the assessment of a material of animal origin must have"),
            ByName(Words(ABOUT_MATERIALS), always=("alternative", "residue")),
            ("MAT-04",),
        ),
        "mat07.pool_most": Known(
            Text("How many donors the pool of a human reagent may have"), _n("1", "100000", whole=True), ("MAT-07",)
        ),
        "mat05.ruminants": Known(Text("Animals whose serum is judged by BSE status"), Words(), ("MAT-05",)),
        "don10.scopes": Known(
            Text("What a consent must cover, always and for a use"),
            ByName(
                Words(),
                always=("always", "allogeneic", "bank", "gene_modified"),
                only=("always", "allogeneic", "bank", "gene_modified"),
            ),
            ("DON-10",),
        ),
        "cb02.passages_over": Known(
            Text("Long expansion: more passages than this, the primary culture counted as none"),
            _n("0", "100", whole=True),
            (
                "CB-01",
                "HGR-01",
                "TPR-01",
                "TPR-02",
                "TPR-04",
                "TPR-05",
                "TPR-06",
            ),
        ),
        "cb02.doublings_over": Known(
            Text("Long expansion: more population doublings than this"),
            _n("0", "200"),
            (
                "CB-01",
                "HGR-01",
                "TPR-01",
                "TPR-02",
                "TPR-04",
                "TPR-05",
                "TPR-06",
            ),
        ),
        "cb02.days_over": Known(
            Text("Long expansion: more days in culture than this"),
            _n("0", "365"),
            (
                "CB-01",
                "HGR-01",
                "TPR-01",
                "TPR-02",
                "TPR-04",
                "TPR-05",
                "TPR-06",
            ),
        ),
        "cb07.tests": Known(
            Text("Tests that a cell bank needs, each by the names under which it is known"),
            ByName(Words(), always=_BANK_TESTS),
            ("CB-07",),
        ),
        "cb07.never_waived": Known(Text("Tests of a cell bank that nobody waives"), Words(_BANK_TESTS), ("CB-07",)),
        "cb08.tolerance_doublings": Known(
            Text("By how much doublings may differ from their parent's and the growth since"), _n("0", "1"), ("CB-08",)
        ),
        "cb09.thaws_most": Known(
            Text("How often a vial of a cell bank is thawed at the most"), _n("1", "1", whole=True), ("CB-09",)
        ),
        "cb10.warmest_celsius": Known(Text("How warm a cell bank is kept at the most"), _n("-196", "-20"), ("CB-10",)),
        "cb10.phases": Known(Text("How a cell bank is kept"), Words(tuple(PHASE_NAMES)), ("CB-10",)),
        "cb10.master_sites": Known(
            Text("At how many sites a master cell bank is kept at the least"), _n("1", "10", whole=True), ("CB-10",)
        ),
        "cb04.minimum": Known(
            Text("How much of the starting material is kept at the least, by unit"),
            ByName(_n("0", "1e12")),
            ("CB-04",),
        ),
        "cb04.critical_materials": Known(
            Text(
                "How much of each lot of a critical material is kept at the least, by its name, in the unit that it is kept in"
            ),
            ByName(_n("0", "1e12")),
            ("CB-04",),
        ),
        "qa07.topics": Known(
            Text("What whoever makes a step is qualified for"),
            ByName(Words(), always=_STEPS, only=_STEPS),
            ("QA-07",),
        ),
        "lookback.markers_without_alarm": Known(
            Text("Markers whose positive result holds nothing that was made before"),
            Words(),
            serves=Text("what comes to light later"),
        ),
        "rel09.allowed": Known(
            Text("Whether a lot out of specification may be given at a treating physician's request"),
            Word(("no", "yes")),
            ("REL-09",),
        ),
        "ext01.months": Known(
            Text("Months for which the assessment of a partner counts"), _n("1", "60", whole=True), ("EXT-01",)
        ),
        "ext02.duties": Known(
            Text("Duties that a quality agreement gives to somebody"),
            Words(),
            ("EXT-02",),
            Text("the form for agreements"),
        ),
        "tpr02.kinds": Known(
            Text("Accreditations that qualify a laboratory to test again"),
            Words(tuple(ACCREDITATION_NAMES)),
            (
                "HGR-01",
                "TPR-01",
                "TPR-02",
                "TPR-04",
                "TPR-05",
                "TPR-06",
            ),
        ),
        "org03.title_levels": Known(
            Text("Titles that a study's leader may hold"), Words(tuple(TITLE_NAMES)), ("ORG-03",)
        ),
        "org04.working_days": Known(
            Text("Working days within which an approved study is filed"), _n("1", "60", whole=True), ("ORG-04",)
        ),
        "org04.days_off": Known(
            Text("Weekdays on which nobody works, as year-month-day, which do not count against a filing"),
            Words(),
            ("ORG-04",),
        ),
        "gm02.assays": Known(
            Text("Assays that count as looking for off-target edits"), Words(tuple(OFF_TARGET_ASSAYS)), ("GM-02",)
        ),
        "gm02.threshold_percent_most": Known(
            Text("Share of edited reads from which a site counts as off-target at the latest"),
            _n("0.001", "100"),
            ("GM-02",),
        ),
        "gm03.residues": Known(
            Text("Residues that are quantified, by the vector"),
            ByName(Words(), always=VECTORS, only=(*VECTORS, "editing")),
            ("GM-03",),
        ),
        "gm03.tests": Known(
            Text("Tests for residues of vectors, each by the names under which it is known"),
            ByName(Words()),
            ("GM-03",),
        ),
        "gm05.assays": Known(
            Text("Tests for replication-competent virus that suffice for release"),
            Words(("coculture", "rapid_pcr")),
            ("GM-05", "REL-02", "REL-06"),
        ),
        "gm05.amounts": Known(
            Text("How much is tested for replication-competent virus at the least"),
            Record(
                {
                    "cells": _n("1", "1e12"),
                    "cells_percent": _n("0.001", "100"),
                    "supernatant_percent": _n("0.001", "100"),
                }
            ),
            ("GM-05",),
        ),
        "cb12.tests": Known(
            Text("Tests of cells at the end of production, before the start and by the confirmatory stage"),
            ByName(Words(), always=("start", "confirmatory"), only=("start", "confirmatory")),
            ("CB-12",),
        ),
        "gm09.years": Known(
            Text("Years for which whoever was given gene-modified cells is followed, at the least"),
            _n("5", "100"),
            ("GM-09",),
        ),
        "gm06.copies_per_cell_most": Known(
            Text("Copies of the vector in a transduced cell, at the most"), _n("0.01", "100"), ("GM-06",)
        ),
        "gm06.tests": Known(
            Text("Tests for copies of the vector, by what they count"),
            ByName(Words(), always=("transduced", "all", "transduction"), only=("transduced", "all", "transduction")),
            ("GM-06",),
        ),
        "mat09.tests": Known(
            Text("Residues of materials that are tested for, and the names of the tests"), ByName(Words()), ("MAT-09",)
        ),
        "mat09.limits": Known(
            Text("How much of a material may be left in a dose"), ByName(_n("0", "1e9")), ("MAT-09",)
        ),
        "mat09.words": Known(
            Text("Words by which platelet lysates and enzymes are told"), ByName(Words()), ("MAT-09",)
        ),
        "legacy.before": Known(
            Text("First day of the guideline: of acts before it old papers may be accepted"),
            Word(day=True),
            serves=Text("legacy dossiers"),
        ),
        "assessment.months_max": Known(
            Text("Months for which an assessment may stand"), _n("1", "60", whole=True), serves=Text("assessments")
        ),
    }
)


def known(default: SettingDefault) -> Known:
    """What the setting is; one that is not described has the shape of its first value."""
    return _KNOWN.get(default.name) or Known(Text("{name}", name=default.name), shape_of(default.value))


SHIPPED: Mapping[str, SettingDefault] = MappingProxyType({each.name: each for each in DEFAULTS})
REGISTRY: Mapping[str, Known] = MappingProxyType({each.name: known(each) for each in DEFAULTS})
"""Every setting that the code reads, by name."""
UNDESCRIBED: tuple[str, ...] = tuple(name for name in SHIPPED if name not in _KNOWN)
"""Settings that nobody has described yet; a test keeps this empty."""
