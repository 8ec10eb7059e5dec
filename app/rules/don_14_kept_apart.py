"""DON-14: positive or untested material is kept apart from all other, under the sign for biohazard."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from app.domain import settings
from app.domain.counterexamples import Edit, all_of, drop_inside, every, inside, without
from app.domain.donors import as_known_at, read_panel
from app.domain.dossier import Dossier
from app.domain.facts import Donation, Donor, LegacyAbout, MarkerOutcome, Stored, SubjectKind
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
    fails,
    lacks,
    rule,
    shows,
    undocumented,
)
from app.domain.sources import CN_CELL_GMP, US_DONORS
from app.domain.text import Text

_POSITIVE = inside("donors", "markers", only=("marker", "HBsAg"), outcome=MarkerOutcome.POSITIVE)


def _kept(**changes: Any) -> Edit:
    return all_of(_POSITIVE, inside("donations", "storage", **changes))


@rule(
    "DON-14",
    Text("Positive or untested material is kept apart and bears the sign for biohazard"),
    cites=(
        Citation(
            US_DONORS,
            "1271.60, 1271.65",
            Text("Material of donors not found eligible is kept where it can be told apart, and bears the warning."),
            Standing.UNVERIFIED,
        ),
        Citation(
            CN_CELL_GMP,
            "donor material",
            Text("Infected donor material has its own area and equipment, or measures that were validated."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G4, Gate.G6),
    waiver=NEVER,
    legacy=(LegacyAbout.DONOR,),
    breaks=(
        Break(
            "a positive donation in a common tank",
            _kept(place_kind="tank"),
            gate=Gate.G4,
            kind=SubjectKind.STEP,
            also=("DON-05",),
        ),
        Break(
            "a positive donation without the sign for biohazard",
            _kept(biohazard_labelled=False),
            gate=Gate.G4,
            kind=SubjectKind.STEP,
            also=("DON-05",),
        ),
        Break(
            "an untested donation in a freezer",
            all_of(
                drop_inside("donors", "markers", ("analyte", "HCV")),
                inside("donations", "storage", place_kind="freezer"),
            ),
            gate=Gate.G4,
            kind=SubjectKind.STEP,
            also=("DON-05",),
        ),
        Break(
            "where a positive donation was put is not recorded",
            all_of(_POSITIVE, every("donations", storage=())),
            gate=Gate.G4,
            kind=SubjectKind.STEP,
            outcome=Outcome.INDETERMINATE,
            also=("DON-05",),
        ),
        Break(
            "it was recorded only after processing had begun",
            _kept(recorded_at=datetime(2026, 10, 12, tzinfo=UTC)),
            also=("DON-04", "DON-05"),
        ),
        Break(
            "vials of a positive donor in a common tank",
            all_of(_POSITIVE, every("containers", place_kind="tank")),
            also=("DON-04", "DON-05"),
        ),
        Break(
            "where vials of a positive donor were put is not known",
            all_of(_POSITIVE, every("containers", place_kind=None)),
            outcome=Outcome.INDETERMINATE,
            also=("DON-04", "DON-05"),
        ),
        Break(
            "the donors of a step are unknown",
            without("donors"),
            gate=Gate.G4,
            kind=SubjectKind.STEP,
            outcome=Outcome.INDETERMINATE,
            also=("CB-03", "DON-05"),
        ),
    ),
)
def kept_apart(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge where material of a positive or untested donor was put: the donation before processing, the vials now."""
    if not dossier.donors:
        yield lacks(
            dossier.subject, Text("No donor is known."), Text("Register the donor before the donation is processed.")
        )
    began = processing_began_at(dossier) or asked.at
    for donor in dossier.donors or ():
        then = _is_suspect(dossier, as_known_at(donor, began), began)
        now = _is_suspect(dossier, donor, asked.at)
        if not then and not now:
            yield does_not_apply(donor.pseudonym, Text("every marker of the panel is negative"))
            continue
        if then:
            for donation in dossier.donations or ():
                if donation.donor == donor.pseudonym:
                    yield _donation(dossier, donation, began)
        if now:
            yield from _vials(dossier, donor)


def _is_suspect(dossier: Dossier, donor: Donor, at: datetime) -> bool:
    panel = settings.word_lists(dossier, "don01.panel")
    return not all(reading.is_negative for reading in read_panel(donor, panel, at))


def _donation(dossier: Dossier, donation: Donation, began: datetime) -> Statement:
    places = settings.words(dossier, "don14.places")
    in_time = [each for each in donation.storage or () if each.recorded_at <= began and each.stored_at <= began]
    if not donation.storage:
        return undocumented(
            donation.code,
            Text("A marker of the donor is positive or unknown, and where the donation was put is not recorded."),
            Text("Keep it apart under the sign for biohazard, and record the place."),
        )
    if not in_time:
        return too_late(
            dossier,
            "DON-14",
            subject=donation.code,
            problem=Text(
                "Where the donation was put was recorded at {recorded}, after processing began at {began}.",
                recorded=donation.storage[0].recorded_at,
                began=began,
            ),
        )
    last = max(in_time, key=lambda each: (each.stored_at, each.recorded_at))
    return _place(donation, last, places)


def _place(donation: Donation, stored: Stored, places: tuple[str, ...]) -> Statement:
    if stored.place_kind not in places:
        return fails(
            donation.code,
            Text("Positive or untested material was put among other material, in {place}.", place=stored.place),
            Text("Keep it in storage that is set apart for such material, and assess what stood beside it."),
        )
    if not stored.biohazard_labelled:
        return fails(
            donation.code,
            Text("Positive or untested material does not bear the sign for biohazard."),
            Text("Label it, and record where it is kept anew."),
        )
    return shows(
        donation.code,
        Text("kept apart in {place} under the sign for biohazard since {at}", place=stored.place, at=stored.stored_at),
    )


def _vials(dossier: Dossier, donor: Donor) -> Iterator[Statement]:
    places = settings.words(dossier, "don14.places")
    stored = [each for each in dossier.containers or () if each.state == "stored"]
    for container in stored:
        if container.place_kind is None:
            yield lacks(
                container.code,
                Text("Where this container of a positive or untested donor was put is not known."),
                Text("Keep it apart under the sign for biohazard, and record the place."),
            )
        elif container.place_kind not in places:
            yield fails(
                container.code,
                Text("A container of a positive or untested donor was put among other material."),
                Text("Keep it in storage that is set apart for such material, and assess what stood beside it."),
            )
    if stored:
        yield shows(donor.pseudonym, Text("{count} containers looked at", count=len(stored)))
