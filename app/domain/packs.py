"""Rule packs: by whose rules a house is judged, since when, and what differs from the book as it is written.

The book is written for China. A pack that is not complete opens nothing; it can be asked what it would say.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from types import MappingProxyType

from app.domain.dossier import Dossier
from app.domain.facts import Setting
from app.domain.sources import EU_TISSUE_TESTS, GUIDELINE, US_DONORS
from app.domain.text import JSON, Text

IN_CHINA = timezone(timedelta(hours=8))
IN_BRUSSELS = timezone(timedelta(hours=1))
IN_WASHINGTON = timezone(timedelta(hours=-5))
AS_SHIPPED = 0
"""The version of a setting's value that a pack brings: no laboratory signed it."""


@dataclass(frozen=True, slots=True)
class Pack:
    """A jurisdiction's rules. `without` names the book's rules that do not hold in it; `settings` what differs."""

    id: str
    title: Text
    effective_from: datetime
    source: str
    complete: bool
    without: frozenset[str]
    settings: Mapping[str, JSON]

    def holds(self, rule: str) -> bool:
        """Whether the rule is asked under this pack."""
        return rule not in self.without


_CHINA_ALONE = frozenset(
    {
        *("CB-01", "CB-01A", "CB-03", "HGR-01", "QA-02", "QA-03"),
        *("ORG-01", "ORG-02", "ORG-03", "ORG-04", "SCO-01", "SCO-02", "SCO-03"),
    }
)
"""Sentences of the Chinese guideline for which the others have sentences of their own, not written here."""

CN_818 = Pack(
    id="CN-818",
    title=Text("China: clinical research and use of tissue stem cells (Order 818)"),
    effective_from=datetime(2026, 5, 1, tzinfo=IN_CHINA),
    source=GUIDELINE,
    complete=True,
    without=frozenset(),
    settings=MappingProxyType({}),
)
EU = Pack(
    id="EU",
    title=Text("European Union: donation, procurement and testing of tissues and cells (skeleton)"),
    effective_from=datetime(2006, 11, 1, tzinfo=IN_BRUSSELS),
    source=EU_TISSUE_TESTS,
    complete=False,
    without=_CHINA_ALONE,
    settings=MappingProxyType(
        {
            "don01.panel": {
                "HIV": ["HIV Ag/Ab"],
                "HBV": ["HBsAg", "anti-HBc"],
                "HCV": ["anti-HCV"],
                "syphilis": ["treponemal"],
            },
            "don01.waivable": {
                "HBV": {"marker": "anti-HBc", "while_negative": ["HBsAg"]},
                "syphilis": {"marker": "treponemal", "while_negative": ["non-treponemal"]},
            },
            "don06.windows": {
                "other": {"from": 0, "to": 7},
                "bone marrow": {"from": -30, "to": 0},
                "peripheral blood": {"from": -30, "to": 0},
            },
        }
    ),
)
US = Pack(
    id="US",
    title=Text("United States: eligibility of donors of human cells and tissues (skeleton)"),
    effective_from=datetime(2005, 5, 25, tzinfo=IN_WASHINGTON),
    source=US_DONORS,
    complete=False,
    without=_CHINA_ALONE,
    settings=MappingProxyType(
        {
            "don01.panel": {
                "HIV": ["HIV Ag/Ab", "HIV NAT"],
                "HBV": ["HBsAg", "anti-HBc", "HBV NAT"],
                "HCV": ["anti-HCV", "HCV NAT"],
                "syphilis": ["treponemal"],
            },
        }
    ),
)

PACKS: Mapping[str, Pack] = MappingProxyType({each.id: each for each in (CN_818, EU, US)})
COMPLETE = tuple(each.id for each in PACKS.values() if each.complete)


def holds(pack: str | None, rule: str) -> bool:
    """Whether a rule is asked under the pack of this name. Without a known pack every rule is asked, and none opens."""
    known = PACKS.get(pack or "")
    return known is None or known.holds(rule)


def under(dossier: Dossier, pack: Pack) -> Dossier:
    """The dossier as it would be judged under another pack: for asking what it would say, never for deciding."""
    brought = {name: Setting(AS_SHIPPED, value) for name, value in pack.settings.items()}
    return replace(dossier, jurisdiction=pack.id, settings={**dossier.settings, **brought})
