"""Cells at the end of production: which tests there are, and which of them are asked from which stage of a study on."""

from collections.abc import Mapping
from types import MappingProxyType

from app.domain.text import Text

START, CONFIRMATORY = "start", "confirmatory"
TESTS = "cb12.tests"
"""The setting that names the tests asked before a study starts, and those asked besides from the confirmatory stage on."""
TEST_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "tumorigenicity_in_vitro": Text("tumorigenicity in vitro"),
        "tumorigenicity_in_vivo": Text("tumorigenicity in vivo"),
        "karyotype": Text("karyotype"),
        "adventitious_virus": Text("adventitious viruses"),
    }
)
OUTCOME_NAMES: Mapping[str, Text] = MappingProxyType(
    {"passed": Text("passed"), "failed": Text("failed"), "inconclusive": Text("inconclusive")}
)
