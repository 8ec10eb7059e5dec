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
    sources.CN_CELL_GMP: Text(
        "CFDI guide for the production quality management of cell therapy products (2022, trial)"
    ),
    sources.CN_STEM_CELL_QUALITY: Text(
        "Guideline for quality control and preclinical study of stem cell preparations (2015)"
    ),
    sources.GMP: Text("Good Manufacturing Practice for Drugs (2010 revision)"),
    sources.WOAH: Text("WOAH Terrestrial Animal Health Code"),
    sources.STEMMA: Text("Stemma's own design; no regulator says it"),
}

SECTION_NAMES: Mapping[str, Text] = {
    "chapter 3": Text("chapter 3"),
    "chapter 6": Text("chapter 6"),
    "chapter 9": Text("chapter 9"),
    "chapter 11.4": Text("chapter 11.4"),
    "chapters 8 and 9": Text("chapters 8 and 9"),
    "chapter 10": Text("chapter 10"),
    "informed consent": Text("informed consent"),
    "missing is not passing": Text("missing is not passing"),
    "production": Text("production"),
    "release testing": Text("release testing"),
    "retained samples": Text("retained samples"),
    "stability": Text("stability"),
    "traceability": Text("traceability"),
}
"""Sections in words; a section that is a number alone is said as it is."""
