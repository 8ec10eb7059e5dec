"""MAT-13: a reagent prepared in house was made of approved materials in date, verified, and keeps no longer than they."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from app.domain import settings
from app.domain.counterexamples import Edit
from app.domain.dossier import Dossier
from app.domain.facts import Material, Part, Prepared, SubjectKind
from app.domain.lots import LotState
from app.domain.materials import is_in_date, materials_unknown
from app.domain.processing import too_late
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
)
from app.domain.sources import GMP, GUIDELINE
from app.domain.text import Text

_PREPARED_AT = datetime(2026, 10, 1, 9, tzinfo=UTC)
_PART = Part(
    material_lot="M0000000001",
    container="C-M0000000001",
    quantity=Decimal(450),
    unit="mL",
    expires_on=date(2027, 6, 30),
    opened_until=None,
    approved_at=datetime(2026, 9, 11, 9, tzinfo=UTC),
)
_PREPARED = Prepared(
    recipe="complete medium",
    version=2,
    prepared_by="tess",
    prepared_at=_PREPARED_AT,
    expires_at=datetime(2026, 11, 29, 9, tzinfo=UTC),
    verified_by="vera",
    verified_at=datetime(2026, 10, 1, 10, tzinfo=UTC),
    parts=(_PART,),
)
_G1: dict[str, Any] = {"gate": Gate.G1, "kind": SubjectKind.MATERIAL_LOT}
_EARLY = datetime(2026, 10, 20, 9, tzinfo=UTC)
_MOMENT = timedelta(microseconds=1)
"""What ends with a day ends at its last moment, not at the first of the next."""


def _made(*, part: dict[str, object] | None = None, without_parts: bool = False, **changes: object) -> Edit:
    """The first material went into a reagent that stands beside it."""
    parts = () if without_parts else (replace(_PART, **(part or {})),)  # type: ignore[arg-type]
    prepared = replace(_PREPARED, **{"parts": parts, **changes})  # type: ignore[arg-type]

    def edit(dossier: Dossier) -> Dossier:
        first, *others = dossier.materials or ()
        source = replace(first, state=LotState.APPROVED)
        reagent = replace(first, lot="M0000000077", name="complete medium", kind="prepared", prepared=prepared)
        return replace(dossier, materials=(source, *others, reagent))

    return edit


@rule(
    "MAT-13",
    Text("A reagent prepared in house is made of approved materials, verified, and keeps no longer than they"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("What is prepared from raw materials is managed by the risk of each of them."),
            Standing.RECONSTRUCTED,
        ),
        Citation(
            GMP,
            "chapter 8",
            Text("Solutions are prepared by a written procedure, checked by a second person, labelled and dated."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G1, Gate.G4, Gate.G6),
    waiver=NEVER,
    breaks=(
        Break("nobody verified it", _made(verified_by=None, verified_at=None), **_G1),
        Break("whoever prepared it verified it", _made(verified_by="tess"), **_G1),
        Break("nothing is known of what went into it", _made(without_parts=True), **_G1, outcome=Outcome.INDETERMINATE),
        Break("a material that was not approved went into it", _made(part={"approved_at": None}), **_G1),
        Break("a material that was approved only later went into it", _made(part={"approved_at": _EARLY}), **_G1),
        Break("a material out of date went into it", _made(part={"expires_on": date(2026, 9, 1)}), **_G1),
        Break(
            "a container that stood open for too long went into it",
            _made(part={"opened_until": datetime(2026, 9, 30, tzinfo=UTC)}),
            **_G1,
        ),
        Break("it keeps longer than what went into it", _made(part={"expires_on": date(2026, 10, 15)}), **_G1),
        Break(
            "it keeps longer than what stood open",
            _made(part={"opened_until": datetime(2026, 10, 2, tzinfo=UTC)}),
            **_G1,
        ),
        Break(
            "it holds a material of which nothing is known",
            _made(part={"material_lot": "M0000000099"}),
            **_G1,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "when a material in it expires is unknown",
            _made(part={"expires_on": None}),
            **_G1,
            outcome=Outcome.INDETERMINATE,
        ),
        Break("approved though it had ended", _made(expires_at=_EARLY), **_G1),
        Break("used, and nobody verified it", _made(verified_by=None, verified_at=None)),
        Break("used, and of a material that was never approved", _made(part={"approved_at": None})),
        Break(
            "to be used, and nobody verified it",
            _made(verified_by=None, verified_at=None),
            gate=Gate.G4,
            kind=SubjectKind.STEP,
        ),
    ),
)
def reagents_prepared_as_written(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge each reagent among the materials by how its parts stood when it was prepared. How they stand now is MAT-11's."""
    lots = {each.lot for each in dossier.materials or ()}
    for material in dossier.materials or ():
        if material.prepared is not None:
            yield from _judge(dossier, asked, material, material.prepared, lots)
    if dossier.materials is None:
        yield materials_unknown(dossier)
    elif not any(each.prepared for each in dossier.materials):
        yield does_not_apply(dossier.subject, Text("none of its materials was prepared in house"))


def _judge(
    dossier: Dossier, asked: Asked, material: Material, prepared: Prepared, lots: set[str]
) -> Iterator[Statement]:
    yield from _verified(material, prepared)
    if not prepared.parts:
        yield lacks(
            material.lot,
            Text("{name}: it is not known what went into it.", name=material.name),
            Text("Prepare it anew from labelled containers."),
        )
    for part in prepared.parts:
        if part.material_lot not in lots:
            yield lacks(
                part.material_lot,
                Text("Nothing is known of this material lot, which went into {name}.", name=material.name),
                Text("Report this to whoever keeps the system."),
            )
        yield from _part(dossier, material, prepared, part)
    if asked.gate is Gate.G1 and asked.at >= prepared.expires_at:
        yield fails(
            material.lot,
            Text("{name} could be used until {until}.", name=material.name, until=prepared.expires_at),
            Text("Prepare it anew."),
        )


def _verified(material: Material, prepared: Prepared) -> Iterator[Statement]:
    if prepared.verified_by is None or prepared.verified_by == prepared.prepared_by:
        yield fails(
            material.lot,
            Text("{name}: no second person verified its preparation.", name=material.name),
            Text("A verifier scans it and verifies it at the bench, or it is prepared anew."),
        )
    else:
        yield shows(
            material.lot,
            Text(
                "{name}: prepared by {by} after version {version} of its recipe, verified by {second}",
                name=material.name,
                by=prepared.prepared_by,
                version=prepared.version,
                second=prepared.verified_by,
            ),
        )


def _part(dossier: Dossier, material: Material, prepared: Prepared, part: Part) -> Iterator[Statement]:
    offset_hours = settings.number(dossier, "facility.utc_offset_hours")
    at, until = prepared.prepared_at, prepared.expires_at
    if part.approved_at is None or part.approved_at > at:
        problem = Text("It went into {name} at {at} without being approved for use.", name=material.name, at=at)
        yield too_late(dossier, "MAT-13", subject=part.material_lot, problem=problem)
    if part.expires_on is None:
        yield lacks(
            part.material_lot,
            Text("It went into {name}, and it is not known when it expires.", name=material.name),
            Text("Read the date from the container or the certificate and record it."),
        )
    elif not is_in_date(part.expires_on, at, utc_offset_hours=offset_hours) or (
        part.opened_until is not None and at > part.opened_until
    ):
        yield fails(
            part.material_lot,
            Text(
                "It was out of date, or open for too long, when it went into {name} at {at}.", name=material.name, at=at
            ),
            Text("Prepare the reagent anew of a material in date. An expiry is never waived."),
        )
    elif not is_in_date(part.expires_on, until - _MOMENT, utc_offset_hours=offset_hours) or (
        part.opened_until is not None and until > part.opened_until
    ):
        yield fails(
            part.material_lot,
            Text("{name} would keep until {until}, longer than what went into it.", name=material.name, until=until),
            Text("Prepare the reagent anew; it keeps no longer than any of its parts."),
        )
    else:
        yield shows(part.material_lot, Text("approved and in date when it went into {name}", name=material.name))
