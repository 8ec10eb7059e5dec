"""CB-10: banked cells lie in nitrogen vapour, a master bank at two sites, and were never too warm."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from app.domain import settings
from app.domain.acts import Role
from app.domain.banking import asked_vials, is_bank, no_bank
from app.domain.cell_banks import MASTER, PHASE_NAMES
from app.domain.counterexamples import as_bank, of_bank, part, setting
from app.domain.dossier import Dossier
from app.domain.facts import BankVial, Excursion, OwnBank, Stay, StorageClass, StoragePlace, SubjectKind
from app.domain.processing import too_late
from app.domain.rulebook import (
    Asked,
    Break,
    Citation,
    Gate,
    Outcome,
    Standing,
    Statement,
    fails,
    lacks,
    rule,
    shows,
    wants_waiver,
)
from app.domain.sources import GUIDELINE
from app.domain.text import Text

_VIAL = SubjectKind.BANK_VIAL
_UNKNOWN = Outcome.INDETERMINATE
_FROZEN = datetime(2026, 10, 26, 11, tzinfo=UTC)
_CLASS = StorageClass(1, "vapour", Decimal(-165), "house A", "mapping report", datetime(2026, 1, 20, 9, tzinfo=UTC))
_WARM = Excursion(
    1,
    datetime(2026, 11, 2, 3, tzinfo=UTC),
    datetime(2026, 11, 2, 5, tzinfo=UTC),
    Decimal(-120),
    "DV-26-0031",
    datetime(2026, 11, 2, 8, tzinfo=UTC),
)


def _classed(**changes: object) -> tuple[StorageClass, ...]:
    return (replace(_CLASS, **changes),)  # type: ignore[arg-type]  # a counterexample names its own fields


@rule(
    "CB-10",
    Text("Banked cells lie in nitrogen vapour, a master bank at two sites, and were never too warm"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text(
                "Banks are stored under controlled conditions; the temperature and the two sites are general practice."
            ),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G3, Gate.G6),
    waiver=(Role.QUALITY_AUTHORITY,),
    breaks=(
        Break("kept in a mechanical freezer", as_bank(of_bank("places", classes=_classed(phase="mechanical")))),
        Break("kept at -130 °C", as_bank(of_bank("places", classes=_classed(warmest_celsius=Decimal(-130))))),
        Break("nobody knows how the tank keeps", as_bank(of_bank("places", classes=())), outcome=_UNKNOWN),
        Break(
            "how the tank keeps was stated only afterwards",
            as_bank(of_bank("places", classes=_classed(recorded_at=datetime(2026, 10, 27, tzinfo=UTC)))),
        ),
        Break("a master bank at one site", as_bank(of_bank("places", classes=_classed(site="house A")))),
        Break("the tank was too warm", as_bank(of_bank("places", excursions=(_WARM,))), outcome=Outcome.NEEDS_WAIVER),
        Break(
            "the tank of this vial is too warm, and nobody knows until when",
            of_bank("places", excursions=(replace(_WARM, ended_at=None),)),
            gate=Gate.G3,
            kind=_VIAL,
            outcome=Outcome.NEEDS_WAIVER,
        ),
        Break(
            "a place of which nothing is known",
            of_bank("places", code="E0000000099"),
            gate=Gate.G3,
            kind=_VIAL,
            outcome=_UNKNOWN,
        ),
        Break(
            "nothing is known of the bank",
            part("bank", vials=()),
            gate=Gate.G3,
            kind=_VIAL,
            outcome=_UNKNOWN,
            also=("CB-08", "CB-09"),
        ),
        Break("how cold a bank is kept is not set", as_bank(setting("cb10.warmest_celsius", "cold")), outcome=_UNKNOWN),
    ),
)
def kept_cold_at_two_sites(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge every stay of the vial about to leave (G3), or of all vials, and the sites of a master bank (G6)."""
    bank = dossier.bank
    if not is_bank(dossier) or bank is None:
        yield no_bank(dossier)
        return
    vials = asked_vials(bank, dossier.vial if asked.gate is Gate.G3 else None)
    if not vials or any(not each.stays for each in vials):
        yield lacks(
            dossier.subject,
            Text("It is not known where the vials of the bank lie."),
            Text("Scan each vial into the place in which it lies."),
        )
        return
    said = [each for vial in vials for each in _vial(dossier, bank, vial)]
    yield from dict.fromkeys(said)
    if asked.gate is not Gate.G3 and bank.tier == MASTER and all(each.classes for each in bank.places):
        yield _sites(dossier, bank, vials)


def _vial(dossier: Dossier, bank: OwnBank, vial: BankVial) -> Iterator[Statement]:
    stays = sorted(vial.stays, key=lambda each: each.stored_at)
    for number, stay in enumerate(stays):
        until = stays[number + 1].stored_at if number + 1 < len(stays) else None
        place = next((each for each in bank.places if each.code == stay.place), None)
        if place is None:
            yield _unclassed(stay.place)
            continue
        yield _kept(dossier, place, stay)
        yield from _excursions(dossier, place, stay, until)


def _kept(dossier: Dossier, place: StoragePlace, stay: Stay) -> Statement:
    if not place.classes:
        return _unclassed(place.code)
    known = [each for each in place.classes if each.recorded_at <= stay.stored_at]
    if not known:
        return too_late(
            dossier,
            "CB-10",
            subject=place.code,
            problem=Text("How {place} keeps was stated only after the vials were put there.", place=place.name),
        )
    warmest = settings.number(dossier, "cb10.warmest_celsius")
    phases = settings.words(dossier, "cb10.phases")
    for each in (known[-1], *(later for later in place.classes if later.recorded_at > stay.stored_at)):
        if each.phase not in phases or each.warmest_celsius > warmest:
            return fails(
                place.code,
                Text(
                    "{place} keeps in {phase} at up to {celsius} °C; {warmest} °C or colder is asked for.",
                    place=place.name,
                    phase=PHASE_NAMES[each.phase],
                    celsius=each.warmest_celsius,
                    warmest=warmest,
                ),
                Text("Bank cells only where they are kept cold enough; what lay elsewhere is not used."),
            )
    return shows(
        place.code,
        Text(
            "{place}: {phase}, at most {celsius} °C",
            place=place.name,
            phase=PHASE_NAMES[known[-1].phase],
            celsius=known[-1].warmest_celsius,
        ),
    )


def _excursions(dossier: Dossier, place: StoragePlace, stay: Stay, until: datetime | None) -> Iterator[Statement]:
    warmest = settings.number(dossier, "cb10.warmest_celsius")
    for each in place.excursions:
        was_there = (until is None or each.began_at <= until) and (
            each.ended_at is None or each.ended_at >= stay.stored_at
        )
        if was_there and each.warmest_celsius > warmest:
            yield wants_waiver(
                place.code,
                Text(
                    "{place} was as warm as {celsius} °C from {began} ({deviation}).",
                    place=place.name,
                    celsius=each.warmest_celsius,
                    began=each.began_at,
                    deviation=each.deviation,
                ),
                Text("The vials are tested for viability; the quality authority decides on the result."),
            )


def _sites(dossier: Dossier, bank: OwnBank, vials: tuple[BankVial, ...]) -> Statement:
    least = int(settings.number(dossier, "cb10.master_sites"))
    now_in = {max(vial.stays, key=lambda each: each.stored_at).place for vial in vials}
    sites = {each.classes[-1].site for each in bank.places if each.code in now_in and each.classes}
    if len(sites) < least:
        return fails(
            dossier.subject,
            Text("The master bank lies at {count} of {least} sites.", count=len(sites), least=least),
            Text("Put a part of its vials into a tank at another site, and record it."),
        )
    return shows(dossier.subject, Text("kept at: {sites}", sites=tuple(sorted(sites))))


def _unclassed(place: str) -> Statement:
    return lacks(
        place,
        Text("It is not known how this place keeps what is in it."),
        Text("Quality or production states it before cells are put there."),
    )
