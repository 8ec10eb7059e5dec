"""What the rules cite, as pages name it in the reader's language. The keys are the citations' own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain import sources
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE_NAMES: Mapping[str, Text] = {
    sources.GUIDELINE: Text(
        "Guideline for the technical filing of clinical research on tissue stem cell therapy (version 1, 2026)"
    ),
    sources.ORDER_818: Text("State Council Order 818"),
    sources.EU_TISSUE_TESTS: Text("Directive 2006/17/EC"),
    sources.EU_ATMP_GMP: Text("EU Good Manufacturing Practice, Part IV (advanced therapy medicinal products)"),
    sources.US_DONORS: Text("21 CFR part 1271, subpart C"),
    sources.CN_CELL_GMP: Text(
        "CFDI guide for the production quality management of cell therapy products (2022, trial)"
    ),
    sources.CN_STEM_CELL_QUALITY: Text(
        "Guideline for quality control and preclinical study of stem cell preparations (2015)"
    ),
    sources.HUMAN_GENETIC_RESOURCES: Text("Regulation on human genetic resources (2019, amended 2024)"),
    sources.GMP: Text("Good Manufacturing Practice for Drugs (2010 revision)"),
    sources.WOAH: Text("WOAH Terrestrial Animal Health Code"),
    sources.STEMMA: Text("Stemma's own design; no regulator says it"),
}

SECTION_NAMES: Mapping[str, Text] = {
    "annex on sterile products": Text("annex on sterile products"),
    "chapter 3": Text("chapter 3"),
    "chapter 5": Text("chapter 5"),
    "chapter 6": Text("chapter 6"),
    "chapter 8": Text("chapter 8"),
    "chapter 9": Text("chapter 9"),
    "chapter 11.4": Text("chapter 11.4"),
    "chapters 8 and 9": Text("chapters 8 and 9"),
    "chapter 10": Text("chapter 10"),
    "batch release": Text("batch release"),
    "collection and preservation": Text("collection and preservation"),
    "donor material": Text("donor material"),
    "donors": Text("donors"),
    "filing": Text("filing"),
    "informed consent": Text("informed consent"),
    "institutions": Text("institutions"),
    "missing is not passing": Text("missing is not passing"),
    "premises": Text("premises"),
    "production": Text("production"),
    "release testing": Text("release testing"),
    "retained samples": Text("retained samples"),
    "stability": Text("stability"),
    "traceability": Text("traceability"),
}
"""Sections in words; a section that is a number alone is said as it is."""

SHORT_NAMES: Mapping[str, Text] = {
    sources.GUIDELINE: Text("Guideline 2026"),
    sources.ORDER_818: Text("Order 818"),
    sources.EU_TISSUE_TESTS: Text("2006/17/EC"),
    sources.EU_ATMP_GMP: Text("EU GMP Part IV"),
    sources.US_DONORS: Text("21 CFR 1271"),
    sources.CN_CELL_GMP: Text("CFDI guide 2022"),
    sources.CN_STEM_CELL_QUALITY: Text("Stem cell quality 2015"),
    sources.HUMAN_GENETIC_RESOURCES: Text("Genetic resources 2019"),
    sources.GMP: Text("GMP 2010"),
    sources.WOAH: Text("WOAH Code"),
    sources.STEMMA: Text("our own design"),
}
"""As a line in a long table names them; the whole name stands beside, or behind."""
