"""A dossier as it would be if something were otherwise. Pure: nothing here decides, and nothing of it is ever kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from app.domain.dossier import Dossier
from app.domain.facts import Decision, Donor, Line, LineKind, Marker, MarkerOutcome, Result, Review, Waiver
from app.domain.packs import PACKS, under

NOBODY = "–"
"""Who measured, reviewed or approved what is only supposed."""
_ANOTHER = "somebody else"
CHANGED = "supposed"
"""The digest of a package in which something is only supposed: no review was ever signed on it."""


@dataclass(frozen=True, slots=True)
class Supposed:
    """What is supposed to be otherwise. `results` by line, `markers` by analyte and marker, `waivers` by rule."""

    results: Mapping[int, Decimal | str] = field(default_factory=lambda: MappingProxyType({}))
    markers: Mapping[tuple[str, str], MarkerOutcome] = field(default_factory=lambda: MappingProxyType({}))
    waivers: tuple[str, ...] = ()
    pack: str | None = None
    at: datetime | None = None

    @property
    def is_nothing(self) -> bool:
        """Whether everything is as it is."""
        return not (self.results or self.markers or self.waivers or self.pack or self.at)


def supposing(dossier: Dossier, supposed: Supposed, *, at: datetime) -> Dossier:
    """The dossier with everything that is supposed, as of a moment.

    A supposed result is taken as measured and reviewed, a supposed waiver as approved in time; either is what the
    question is about. What a reviewer froze is another package then, so its review no longer holds.
    """
    changed = replace(
        dossier,
        results=_results(dossier, supposed.results, at),
        donors=_donors(dossier, supposed.markers, at),
        waivers=(*(dossier.waivers or ()), *(_waiver(rule, at) for rule in supposed.waivers))
        if supposed.waivers
        else dossier.waivers,
    )
    if (changed.results, changed.donors) != (dossier.results, dossier.donors):
        changed = replace(changed, package_digest=CHANGED)
    pack = PACKS.get(supposed.pack or "")
    return under(changed, pack) if pack is not None and pack.id != dossier.jurisdiction else changed


def _results(dossier: Dossier, supposed: Mapping[int, Decimal | str], at: datetime) -> tuple[Result, ...] | None:
    lines = {each.id: each for each in dossier.specification.lines} if dossier.specification else {}
    wanted = {number: value for number, value in supposed.items() if number in lines}
    if not wanted:
        return dossier.results
    kept = [each for each in dossier.results or () if each.line_id not in wanted or each.invalidated]
    asked = {each.line_id: each for each in dossier.results or () if not each.invalidated}
    return (*kept, *(_result(lines[number], value, asked.get(number), at) for number, value in wanted.items()))


def _result(line: Line, value: Decimal | str, known: Result | None, at: datetime) -> Result:
    """The last result of the line with another value, or one made of nothing."""
    base = known or Result(
        id=0,
        line_id=line.id,
        test=line.test,
        sample=NOBODY,
        value_number=None,
        value_text=None,
        unit=None,
        method_version=line.method,
        instrument=None,
        analyst=NOBODY,
        measured_at=at,
        invalidated=False,
        review=None,
    )
    number = value if line.kind is LineKind.QUANTITATIVE and isinstance(value, Decimal) else None
    return replace(
        base,
        value_number=number,
        value_text=str(value) if number is None else None,
        unit=line.unit,
        review=base.review or Review(Decision.ACCEPTED, _ANOTHER, at),
    )


def _donors(
    dossier: Dossier, supposed: Mapping[tuple[str, str], MarkerOutcome], at: datetime
) -> tuple[Donor, ...] | None:
    if not supposed or not dossier.donors:
        return dossier.donors
    sampled = min((each.collected_at for each in dossier.donations or ()), default=at)
    return tuple(
        replace(
            donor,
            markers=(
                *(
                    replace(each, outcome=supposed[each.analyte, each.marker], reported_at=each.reported_at or at)
                    if (each.analyte, each.marker) in supposed
                    else each
                    for each in donor.markers
                ),
                *(
                    _marker(name, outcome, sampled)
                    for name, outcome in supposed.items()
                    if name not in {(each.analyte, each.marker) for each in donor.markers}
                ),
            ),
        )
        for donor in dossier.donors
    )


def _marker(name: tuple[str, str], outcome: MarkerOutcome, sampled: datetime) -> Marker:
    analyte, marker = name
    return Marker(
        id=0,
        analyte=analyte,
        marker=marker,
        method=NOBODY,
        kit_lot=NOBODY,
        laboratory=NOBODY,
        sampled_at=sampled,
        reported_at=sampled,
        outcome=outcome,
        recorded_at=sampled,
    )


def _waiver(rule: str, at: datetime) -> Waiver:
    return Waiver(
        id=0,
        rule=rule,
        justification=NOBODY,
        mitigations=NOBODY,
        proposed_by=NOBODY,
        approved_by=_ANOTHER,
        valid_from=at - timedelta(seconds=1),
        valid_to=at + timedelta(days=1),
        max_uses=1,
        used=0,
    )
