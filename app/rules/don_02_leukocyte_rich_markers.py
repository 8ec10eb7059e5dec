"""DON-02: leukocyte-rich material for others is tested for HTLV, CMV and EBV too; other material is decided not to be."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from app.domain import settings
from app.domain.acts import Role
from app.domain.assessments import excuses, named
from app.domain.counterexamples import Edit, all_of, allogeneic, drop_inside, every, inside, setting, within, without
from app.domain.donors import MarkerReading, decided_at, is_proved_autologous, read_panel, same
from app.domain.dossier import Dossier
from app.domain.facts import Donation, Donor, LegacyAbout, Marker, MarkerOutcome, SubjectKind, TissueDecision
from app.domain.processing import processing_began_at, too_late
from app.domain.rulebook import (
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
    wants_waiver,
)
from app.domain.sources import CN_STEM_CELL_QUALITY, GUIDELINE
from app.domain.text import Text

_ANALYTES = ("HTLV", "CMV", "EBV")
_POSITIVE = MarkerOutcome.POSITIVE
_LATER = datetime(2026, 10, 10, 9, tzinfo=UTC)


def _marker(name: str, **changes: object) -> Edit:
    return all_of(allogeneic, inside("donors", "markers", only=("marker", name), **changes))


def _decided(**changes: Any) -> Edit:
    return all_of(allogeneic, inside("donations", "tissue_decisions", **changes))


def _with_nucleic_acid(donors: tuple[Donor, ...]) -> tuple[Donor, ...]:
    return tuple(
        replace(
            donor,
            markers=(
                *donor.markers,
                replace(donor.markers[0], id=90, analyte="CMV", marker="CMV NAT", outcome=_POSITIVE),
            ),
        )
        for donor in donors
    )


@rule(
    "DON-02",
    Text("Leukocyte-rich material for others was tested for HTLV, CMV and EBV"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("Donors of leukocyte-rich material for others are tested for HTLV, CMV and EBV as well."),
            Standing.STATED,
        ),
        Citation(
            GUIDELINE,
            "§3",
            Text(
                "DON-03: material that is not rich in leukocytes needs it not; who decided that, and why, is on record."
            ),
            Standing.RECONSTRUCTED,
        ),
        Citation(
            CN_STEM_CELL_QUALITY,
            "donors",
            Text("Tests of donors for HIV, HBV, HCV, HTLV, EBV, CMV and syphilis."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G2, Gate.G3, Gate.G6),
    waiver=(Role.QUALITY_AUTHORITY,),
    legacy=(LegacyAbout.DONOR,),
    late_by_nature=("donations",),  # a stricter decision may come late; the tests that it asks for may not
    breaks=(
        Break("HTLV is confirmed positive", _marker("anti-HTLV-I/II", outcome=_POSITIVE)),
        Break(
            "HTLV was never tested",
            all_of(allogeneic, drop_inside("donors", "markers", ("analyte", "HTLV"))),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "CMV was never tested, before processing",
            all_of(allogeneic, drop_inside("donors", "markers", ("analyte", "CMV"))),
            gate=Gate.G2,
            kind=SubjectKind.DONATION,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "EBV VCA IgG is pending",
            _marker("EBV VCA IgG", outcome=MarkerOutcome.PENDING, reported_at=None),
            outcome=Outcome.INDETERMINATE,
        ),
        Break("CMV IgM is positive", _marker("CMV IgM", outcome=_POSITIVE), outcome=Outcome.NEEDS_WAIVER),
        Break("EBV VCA IgM is positive", _marker("EBV VCA IgM", outcome=_POSITIVE), outcome=Outcome.NEEDS_WAIVER),
        Break(
            "CMV NAT, done beside the panel, is positive",
            all_of(allogeneic, within("donors", _with_nucleic_acid)),
            outcome=Outcome.NEEDS_WAIVER,
        ),
        Break("CMV IgG was reported after the isolation", _marker("CMV IgG", reported_at=_LATER)),
        Break("CMV IgG was recorded after the isolation, of an earlier report", _marker("CMV IgG", recorded_at=_LATER)),
        Break(
            "a positive CMV IgG was recorded after the isolation, of an earlier report",
            _marker("CMV IgG", outcome=_POSITIVE, recorded_at=_LATER),
        ),
        Break(
            "nobody has decided whether the tissue is rich in leukocytes",
            all_of(allogeneic, every("donations", tissue_decisions=())),
            outcome=Outcome.INDETERMINATE,
            also=("DON-09",),
        ),
        Break(
            "whether anybody decided about the tissue is unknown",
            all_of(allogeneic, every("donations", tissue_decisions=None)),
            outcome=Outcome.INDETERMINATE,
            also=("DON-09",),
        ),
        Break(
            "whoever proposed what the tissue is decided it",
            _decided(approved_by="quinn"),
            outcome=Outcome.INDETERMINATE,
            also=("DON-09",),
        ),
        Break(
            "it was decided only after the isolation that it is not rich",
            _decided(leukocyte_rich=False, approved_at=_LATER),
            also=("DON-09",),
        ),
        Break(
            "a panel without EBV",
            all_of(allogeneic, setting("don02.panel", {"HTLV": ["anti-HTLV-I/II"], "CMV": ["CMV IgG", "CMV IgM"]})),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the donations are unknown, before processing",
            all_of(allogeneic, without("donations")),
            gate=Gate.G2,
            kind=SubjectKind.DONATION,
            outcome=Outcome.INDETERMINATE,
            also=("DON-06", "DON-09", "DON-10", "DON-12"),
        ),
    ),
)
def leukocyte_rich_markers(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge each donor who is not proved to give for the donor alone, by what the donated tissue was decided to be."""
    if not dossier.donors:
        yield lacks(
            dossier.subject, Text("No donor is known."), Text("Register the donor before the donation is processed.")
        )
    for donor in dossier.donors or ():
        if is_proved_autologous(donor):
            yield does_not_apply(
                donor.pseudonym,
                Text("autologous: donor, person tested, genetic source and recipient are one person"),
            )
            continue
        given = [each for each in dossier.donations or () if each.donor == donor.pseudonym]
        if not given:
            yield lacks(
                donor.pseudonym,
                Text("No donation of this donor is known."),
                Text("Trace the cells back to the donation that they came from."),
            )
        for donation in given:
            yield from _of_donation(dossier, asked, donor, donation)


def _of_donation(dossier: Dossier, asked: Asked, donor: Donor, donation: Donation) -> Iterator[Statement]:
    began = processing_began_at(dossier) or asked.at
    now, then = decided_at(donation, asked.at), decided_at(donation, began)
    if now is None:
        yield lacks(
            donation.code,
            Text("Nobody has decided whether {tissue} is rich in leukocytes.", tissue=donation.tissue),
            Text("QA proposes what this tissue is, with the reason; the quality authority decides it by signature."),
        )
    elif now.leukocyte_rich or (then is not None and then.leukocyte_rich):
        yield shows(donation.code, _said(now))
        yield from _tested(dossier, asked, donor, began)
    elif then is None:
        yield too_late(
            dossier,
            "DON-02",
            subject=donation.code,
            problem=Text(
                "What {tissue} is was decided at {decided}, after processing began at {began}.",
                tissue=donation.tissue,
                decided=now.approved_at,
                began=began,
            ),
        )
    else:
        yield does_not_apply(donation.code, _said(now))


def _said(decision: TissueDecision) -> Text:
    words: dict[str, Any] = {
        "tissue": decision.name,
        "version": decision.version,
        "by": decision.approved_by,
        "at": decision.approved_at,
        "reason": decision.reason,
    }
    if decision.leukocyte_rich:
        return Text("{tissue} v{version} is rich in leukocytes, decided by {by} at {at}: {reason}", **words)
    return Text("{tissue} v{version} is not rich in leukocytes, decided by {by} at {at}: {reason}", **words)


def _tested(dossier: Dossier, asked: Asked, donor: Donor, began: datetime) -> Iterator[Statement]:
    panel = settings.word_lists(dossier, "don02.panel")
    lasting = settings.word_lists(dossier, "don02.serostatus")
    absent = tuple(analyte for analyte in _ANALYTES if not panel.get(analyte))
    if absent:
        yield lacks(
            dossier.subject,
            Text("The panel in force leaves out {analytes}.", analytes=absent),
            Text("Restore the setting don02.panel: these three infections are always tested here."),
        )
    for reading in read_panel(donor, panel, asked.at):
        yield _judge(dossier, asked, donor, reading, lasting=lasting.get(reading.analyte, ()), began=began)


def _judge(
    dossier: Dossier, asked: Asked, donor: Donor, reading: MarkerReading, *, lasting: tuple[str, ...], began: datetime
) -> Statement:
    is_lasting = any(same(reading.marker, name) for name in lasting)
    if reading.positives and not is_lasting:
        return _active(dossier, asked, donor, reading, began=began)
    if reading.unsettled and not reading.positives:
        return lacks(
            donor.pseudonym,
            Text("{marker} is not settled.", marker=reading.marker),
            Text("Wait for the laboratory's final report, or take a new sample."),
        )
    known_since = reading.negative_since if not reading.positives else _since(reading.positives)
    if known_since is None:
        return undocumented(
            donor.pseudonym,
            Text("There is no result for {marker}.", marker=reading.marker),
            Text("Have the person tested sampled and tested for {analyte}.", analyte=reading.analyte),
        )
    if known_since > began:
        return too_late(
            dossier,
            "DON-02",
            subject=donor.pseudonym,
            problem=Text(
                "{marker} was known only at {known}, after processing began at {began}.",
                marker=reading.marker,
                known=known_since,
                began=began,
            ),
        )
    if reading.positives:
        return shows(
            donor.pseudonym,
            Text(
                "{marker} positive: the donor has met {analyte}. Match the recipient: one who never met it should not "
                "receive these cells without a physician's decision",
                marker=reading.marker,
                analyte=reading.analyte,
            ),
        )
    return shows(
        donor.pseudonym, Text("{marker} negative, known since {known}", marker=reading.marker, known=known_since)
    )


def _since(positives: tuple[Marker, ...]) -> datetime | None:
    return min((each.known_at for each in positives if each.known_at is not None), default=None)


def _active(dossier: Dossier, asked: Asked, donor: Donor, reading: MarkerReading, *, began: datetime) -> Statement:
    problem = Text("{marker} is positive.", marker=reading.marker)
    if same(reading.analyte, "HTLV"):
        return fails(
            donor.pseudonym, problem, Text("Reject the donation and what was made of it; tell the donor's physician.")
        )
    if assessment := excuses(dossier, "DON-02", donor, began=began, at=asked.at):
        return shows(
            donor.pseudonym,
            Text("{said} Assessed for this donor: {assessment}", said=problem, assessment=named(assessment)),
        )
    return wants_waiver(
        donor.pseudonym,
        problem,
        Text(
            "The recipient's physician assesses the risk for this recipient, and the quality authority decides: before "
            "processing by an assessment about this donor, after it by a waiver."
        ),
    )
