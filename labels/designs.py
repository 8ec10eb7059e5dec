"""Every design, by what stands on it."""

from labels import badge, bag, donation, equipment, flask, material, place, retain, sample, vial
from labels.drawing import Drawing
from labels.facts import (
    BadgeFacts,
    BagFacts,
    DonationFacts,
    EquipmentFacts,
    FlaskFacts,
    LabelFacts,
    LabelLanguage,
    MaterialFacts,
    PlaceFacts,
    ReagentRetainFacts,
    RetainFacts,
    SampleFacts,
    VialFacts,
)


def draw(facts: LabelFacts, *, language: LabelLanguage, copy: int = 1) -> Drawing:
    """Draw the label of these facts; ``copy`` counts from 1, and from 2 on stands on the label.

    Raises:
        CodeError, ValueError: the code is not the bare code of what the label is for.
        MissingGlyph: the typeface lacks a character.
        DoesNotFit: a text is too long.

    """
    match facts:
        case VialFacts():
            return vial.draw(facts, language=language, copy=copy)
        case FlaskFacts():
            return flask.draw(facts, language=language, copy=copy)
        case BagFacts():
            return bag.draw(facts, language=language, copy=copy)
        case SampleFacts():
            return sample.draw(facts, language=language, copy=copy)
        case RetainFacts():
            return retain.draw(facts, language=language, copy=copy)
        case ReagentRetainFacts():
            return retain.draw_reagent(facts, language=language, copy=copy)
        case DonationFacts():
            return donation.draw(facts, language=language, copy=copy)
        case MaterialFacts():
            return material.draw(facts, language=language, copy=copy)
        case PlaceFacts():
            return place.draw(facts, language=language, copy=copy)
        case EquipmentFacts():
            return equipment.draw(facts, language=language, copy=copy)
        case BadgeFacts():
            return badge.draw(facts, language=language, copy=copy)
