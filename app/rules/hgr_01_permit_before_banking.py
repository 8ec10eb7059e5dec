"""HGR-01: a permit for human genetic resources stood before cells were banked."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from app.domain import settings
from app.domain.counterexamples import Edit, all_of, allogeneic, as_bank, empty, every, setting, without
from app.domain.donors import PERMIT_PURPOSES, permitted
from app.domain.dossier import Dossier
from app.domain.facts import LegacyAbout
from app.domain.lots import LotKind
from app.domain.processing import processing_began_at, too_late
from app.domain.rulebook import (
    NEVER,
    Asked,
    Break,
    Citation,
    Gate,
    Outcome,
    Standing,
    Statement,
    does_not_apply,
    lacks,
    rule,
    shows,
)
from app.domain.sources import HUMAN_GENETIC_RESOURCES
from app.domain.text import Text


def _banked(edit: Edit) -> Edit:
    return all_of(allogeneic, edit)


@rule(
    "HGR-01",
    Text("A permit for human genetic resources stood before cells were banked"),
    cites=(
        Citation(
            HUMAN_GENETIC_RESOURCES,
            "collection and preservation",
            Text(
                "Keeping human genetic resources, and giving them to others, may need an authority's permit beforehand."
            ),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G3, Gate.G6),
    waiver=NEVER,
    legacy=(LegacyAbout.LOT,),
    breaks=(
        Break("no permit is on record", _banked(empty("permits")), outcome=Outcome.INDETERMINATE),
        Break("whether there is a permit is unknown", _banked(without("permits")), outcome=Outcome.INDETERMINATE),
        Break(
            "the permit is for samples that leave, not for banking",
            _banked(every("permits", purposes=("third_party",))),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the permit ran out before",
            _banked(every("permits", valid_to=date(2026, 9, 30))),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the authority had taken it back",
            _banked(every("permits", withdrawn_at=datetime(2026, 8, 1, tzinfo=UTC))),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "it was recorded only afterwards, dated back",
            _banked(every("permits", recorded_at=datetime(2026, 10, 20, tzinfo=UTC))),
        ),
        Break(
            "a bank of a patient's cells without a permit",
            as_bank(empty("permits")),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "for what a permit is needed is not set",
            _banked(setting("hgr01.required_for", [])),
            outcome=Outcome.INDETERMINATE,
        ),
    ),
)
def permit_before_banking(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge a bank, and what was made of one, by the permits that stood when its processing began."""
    needed = settings.words(dossier, "hgr01.required_for")
    if dossier.lot is None or (dossier.lot.kind is not LotKind.BANK and dossier.banks is None):
        yield lacks(
            dossier.subject,
            Text("It is not known whether the cells were banked."),
            Text("Report this to whoever keeps the system."),
        )
        return
    if dossier.lot.kind is not LotKind.BANK and not dossier.banks:
        yield does_not_apply(dossier.subject, Text("the cells were not banked"))
        return
    if "banking" not in needed:
        yield does_not_apply(dossier.subject, Text("by the setting in force no permit is asked for banking"))
        return
    began = processing_began_at(dossier) or asked.at
    offset = int(settings.number(dossier, "facility.utc_offset_hours"))
    stood = permitted(dossier.permits or (), "banking", began, utc_offset_hours=offset)
    known_now = permitted(dossier.permits or (), "banking", began, utc_offset_hours=offset, recorded_by=asked.at)
    if stood:
        yield shows(
            dossier.subject,
            Text(
                "permit {number} of {authority}, {evidence}",
                number=stood[0].number,
                authority=stood[0].authority,
                evidence=stood[0].evidence,
            ),
        )
    elif known_now:
        yield too_late(
            dossier,
            "HGR-01",
            subject=dossier.subject,
            problem=Text(
                "The permit {number} was recorded at {recorded}, after processing began at {began}.",
                number=known_now[0].number,
                recorded=known_now[0].recorded_at,
                began=began,
            ),
        )
    else:
        yield lacks(
            dossier.subject,
            Text("No permit for {purpose} stood at {began}.", purpose=PERMIT_PURPOSES["banking"], began=began),
            Text("Ask the authority for the permit, and record it before cells are banked."),
        )
