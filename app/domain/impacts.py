"""What came to light later: the kinds of such facts, and which rules read each."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from app.domain.text import Text


class ImpactKind(StrEnum):
    """A fact that, known later, may change what was judged before.

    What lapses is none: an assessment, an appointment or a qualification that ends was in force when it was needed, and
    the gates ask at their own moment. A laboratory whose accreditation had ended before it tested is one.
    """

    DONOR_MARKER = "donor_marker"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    DONATION_INELIGIBLE = "donation_ineligible"
    MATERIAL_STOPPED = "material_stopped"
    RESULT_FAILED = "result_failed"
    ACCREDITATION_ENDED = "accreditation_ended"
    VIRUS_FOUND = "virus_found"
    LEGACY_WITHDRAWN = "legacy_withdrawn"
    PARTNER_PAPER = "partner_paper"
    GROWTH_FOUND = "growth_found"
    HEALTH_FOUND = "health_found"


KIND_NAMES: Mapping[ImpactKind, Text] = MappingProxyType(
    {
        ImpactKind.DONOR_MARKER: Text("Donor marker reported"),
        ImpactKind.CONSENT_WITHDRAWN: Text("Consent withdrawn"),
        ImpactKind.DONATION_INELIGIBLE: Text("Donation determined ineligible"),
        ImpactKind.MATERIAL_STOPPED: Text("Material recalled or rejected after use"),
        ImpactKind.RESULT_FAILED: Text("Result failed after release"),
        ImpactKind.ACCREDITATION_ENDED: Text("Laboratory without accreditation when it tested"),
        ImpactKind.VIRUS_FOUND: Text("Replication-competent virus found"),
        ImpactKind.LEGACY_WITHDRAWN: Text("Papers from before the guideline withdrawn"),
        ImpactKind.PARTNER_PAPER: Text("Partner's paper against a released lot"),
        ImpactKind.GROWTH_FOUND: Text("Monitoring of a clean area above its action limit"),
        ImpactKind.HEALTH_FOUND: Text("Donor's health learnt later"),
    }
)


class Asked(StrEnum):
    """What a verdict of a look-back rests on: the whole rule book, or the rules that read the changed fact."""

    BOOK = "book"
    RULES_ON_THE_FACT = "rules_on_the_fact"


WHOLE_BOOK_MOST = 25
"""So many lots are judged by the whole book while the request waits; of more, by the rules that read the fact."""

_READ_BY: Mapping[ImpactKind, str] = MappingProxyType(
    {
        ImpactKind.DONOR_MARKER: "DON-",
        ImpactKind.HEALTH_FOUND: "DON-",
        ImpactKind.CONSENT_WITHDRAWN: "DON-",
        ImpactKind.DONATION_INELIGIBLE: "DON-",
        ImpactKind.MATERIAL_STOPPED: "MAT-",
        ImpactKind.VIRUS_FOUND: "GM-05",
    }
)

_OF_THE_PRODUCT = frozenset({"MAT-09"})
"""Rules that read what is left in the product: a material that is stopped says nothing of that."""

ON_DONORS = (
    "process",
    "donations",
    "donors",
    "permits",
    "assessments",
    "lot",
    "steps",
    "banks",
    "containers",
    "waivers",
    "late_information",
)
"""The sections of a dossier that the rules on donors read, as `dossier.on_donors` writes them."""


def reads_the_fact(rule: str, kind: ImpactKind) -> bool:
    """Whether the rule of this id reads a fact of this kind. Of a result, a laboratory, a partner or a clean area, only the
    whole dossier tells.
    """
    prefix = _READ_BY.get(kind)
    return prefix is not None and rule.startswith(prefix) and rule not in _OF_THE_PRODUCT
