"""Every page by who asks for it: what is counted, and what is timed. An area adds its own lines here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.life import Life

PAGES = (
    ("quinn", "/lots"),
    ("quinn", "/lots?state=quarantine"),
    ("quinn", "/lots/{lot}"),
    ("lin", "/lots/{lot}"),
    ("quinn", "/lots/{lot}/timeline"),
    ("quinn", "/lots/{lot}/lineage"),
    ("quinn", "/lots/{lot}/containers"),
    ("quinn", "/lots/{lot}/moves/send-back"),
    ("quinn", "/lots/{lot}/rejection"),
    ("tess", "/lots/new"),
    ("tess", "/lots/{lot}/sample"),
    ("tess", "/lots/{lot}/retain"),
    ("lin", "/lots/{lot}/release"),
    ("tess", "/items"),
    ("hedda", "/items/new"),
    ("tess", "/items/{vial}"),
    ("quinn", "/items/{vial}"),
    ("quinn", "/items/{lot}"),
    ("tess", "/items/{donation}"),
    ("tess", "/items/{person}"),
    ("tess", "/bench"),
)
"""Who asks, and for what. Names in braces are those of `names_of`: lot, vial, flask, donation, person, sample, retain, bottle, material, workstation."""


def names_of(lived: Life) -> dict[str, str]:
    """The codes of one lived lot and of what it is made of, as addresses name them."""
    return {
        "lot": lived.lot,
        "vial": lived.vials[0],
        "flask": lived.flasks[0],
        "donation": lived.donation,
        "person": lived.donor,
        "sample": lived.samples[0],
        "retain": lived.retains[0],
        "bottle": lived.shared.bottles[0],
        "material": lived.shared.material_lots[0],
        "workstation": lived.workstation,
    }
