"""DON-01: an allogeneic donor is negative for HIV, hepatitis B, hepatitis C and syphilis."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from app.domain import settings
from app.domain.acts import Role
from app.domain.counterexamples import Edit, all_of, allogeneic, drop_inside, every, inside, setting, without
from app.domain.donors import OUTCOME_NAMES, MarkerReading, is_proved_autologous, read_panel, same
from app.domain.dossier import Dossier
from app.domain.facts import Donor, LegacyAbout, MarkerOutcome, Relation, SubjectKind
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
from app.domain.sources import EU_TISSUE_TESTS, GUIDELINE
from app.domain.text import Text

_MANDATORY = ("HIV", "HBV", "HCV", "syphilis")


def _marker(name: str, **changes: object) -> Edit:
    return all_of(allogeneic, inside("donors", "markers", only=("marker", name), **changes))


_POSITIVE = MarkerOutcome.POSITIVE


@rule(
    "DON-01",
    Text("An allogeneic donor is negative for HIV, HBV, HCV and syphilis"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("Donors of allogeneic material are tested for HIV, hepatitis B, hepatitis C and syphilis."),
            Standing.STATED,
        ),
        Citation(
            EU_TISSUE_TESTS,
            "Annex II 1.1-1.4",
            Text("Which markers stand for each infection, and when an isolated antibody may be assessed."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G2, Gate.G3, Gate.G6),
    waiver=(Role.QUALITY_AUTHORITY,),
    legacy=(LegacyAbout.DONOR,),
    breaks=(
        Break("HIV NAT is positive", _marker("HIV NAT", outcome=_POSITIVE), also=("DON-07",)),
        Break(
            "HIV NAT is positive before processing",
            _marker("HIV NAT", outcome=_POSITIVE),
            gate=Gate.G2,
            kind=SubjectKind.DONATION,
        ),
        Break("HBsAg is positive", _marker("HBsAg", outcome=_POSITIVE)),
        Break("HBV DNA is found", _marker("HBV NAT", outcome=_POSITIVE), also=("DON-07",)),
        Break("anti-HBc alone is positive", _marker("anti-HBc", outcome=_POSITIVE), outcome=Outcome.NEEDS_WAIVER),
        Break("treponemal alone is positive", _marker("treponemal", outcome=_POSITIVE), outcome=Outcome.NEEDS_WAIVER),
        Break("non-treponemal is positive", _marker("non-treponemal", outcome=_POSITIVE)),
        Break(
            "HCV was never tested",
            all_of(allogeneic, drop_inside("donors", "markers", ("analyte", "HCV"))),
            outcome=Outcome.INDETERMINATE,
            also=("DON-07",),
        ),
        Break(
            "anti-HCV is pending",
            _marker("anti-HCV", outcome=MarkerOutcome.PENDING, reported_at=None),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "HIV Ag/Ab is inconclusive",
            _marker("HIV Ag/Ab", outcome=MarkerOutcome.INCONCLUSIVE),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "HIV NAT was reported after the isolation",
            _marker("HIV NAT", reported_at=datetime(2026, 10, 10, 9, tzinfo=UTC)),
        ),
        Break(
            "HIV NAT was recorded after the isolation, of an earlier report",
            _marker("HIV NAT", recorded_at=datetime(2026, 10, 10, 9, tzinfo=UTC)),
        ),
        Break(
            "autologous is only claimed",
            every("donors", genetic_source="P00000000XX"),
            outcome=Outcome.INDETERMINATE,
            also=("CB-03", "DON-02", "DON-10", "REL-05"),
        ),
        Break(
            "a panel without syphilis",
            all_of(allogeneic, setting("don01.panel", {"HIV": ["HIV NAT"], "HBV": ["HBsAg"], "HCV": ["HCV NAT"]})),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the donors are unknown",
            without("donors"),
            outcome=Outcome.INDETERMINATE,
            also=(
                "CB-03",
                "DON-02",
                "DON-04",
                "DON-05",
                "DON-06",
                "DON-07",
                "DON-08",
                "DON-10",
                "DON-11",
                "DON-14",
                "GMP-03",
                "REL-05",
            ),
        ),
    ),
)
def mandatory_markers(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge each donor by the person tested. For autologous material the results are shown and do not decide here."""
    if not dossier.donors:
        yield lacks(
            dossier.subject, Text("No donor is known."), Text("Register the donor before the donation is processed.")
        )
    panel = settings.word_lists(dossier, "don01.panel")
    for donor in dossier.donors or ():
        readings = tuple(read_panel(donor, panel, asked.at))
        if is_proved_autologous(donor):
            yield from _autologous(donor, readings)
            continue
        yield from _claim(donor)
        yield from _complete(panel, dossier.subject)
        for reading in readings:
            yield from _allogeneic(dossier, donor, reading, readings)


def _autologous(donor: Donor, readings: tuple[MarkerReading, ...]) -> Iterator[Statement]:
    yield does_not_apply(
        donor.pseudonym,
        Text("autologous: donor, person tested, genetic source and recipient are one person"),
    )
    for reading in readings:
        yield shows(donor.pseudonym, Text("{marker}: {state}", marker=reading.marker, state=_state(reading)))


def _state(reading: MarkerReading) -> Text:
    if reading.positives:
        return Text("positive")
    if reading.unsettled:
        return Text("open")
    return Text("negative") if reading.is_negative else Text("not tested")


def _claim(donor: Donor) -> Iterator[Statement]:
    if donor.relation is Relation.AUTOLOGOUS:
        yield lacks(
            donor.pseudonym,
            Text("Autologous is claimed, but donor, person tested, genetic source and recipient are not one person."),
            Text("Establish who the recipient is. Until then the donor is judged as allogeneic."),
        )


def _complete(panel: Mapping[str, tuple[str, ...]], subject: str) -> Iterator[Statement]:
    absent = tuple(analyte for analyte in _MANDATORY if not panel.get(analyte))
    if absent:
        yield lacks(
            subject,
            Text("The panel in force leaves out {analytes}.", analytes=absent),
            Text("Restore the setting don01.panel: these four infections are always tested."),
        )


def _allogeneic(
    dossier: Dossier, donor: Donor, reading: MarkerReading, readings: tuple[MarkerReading, ...]
) -> Iterator[Statement]:
    began = processing_began_at(dossier)
    if reading.positives:
        yield _positive(dossier, donor, reading, readings)
    elif reading.unsettled:
        yield lacks(
            donor.pseudonym,
            Text("{marker} is not settled: {outcome}.", marker=reading.marker, outcome=_outcomes(reading)),
            Text("Wait for the laboratory's final report, or take a new sample."),
        )
    elif reading.negative_since is None:
        yield undocumented(
            donor.pseudonym,
            Text("There is no result for {marker}.", marker=reading.marker),
            Text("Have the person tested sampled and tested for {analyte}.", analyte=reading.analyte),
        )
    elif began is not None and reading.negative_since > began:
        yield too_late(
            dossier,
            "DON-01",
            subject=donor.pseudonym,
            problem=Text(
                "{marker} was known only at {known}, after processing began at {began}.",
                marker=reading.marker,
                known=reading.negative_since,
                began=began,
            ),
        )
    else:
        yield shows(
            donor.pseudonym,
            Text("{marker} negative, known since {known}", marker=reading.marker, known=reading.negative_since),
        )


def _positive(dossier: Dossier, donor: Donor, reading: MarkerReading, readings: tuple[MarkerReading, ...]) -> Statement:
    problem = Text("{marker} is positive.", marker=reading.marker)
    if not _may_be_waived(dossier, reading):
        return fails(
            donor.pseudonym, problem, Text("Reject the donation and what was made of it; tell the donor's physician.")
        )
    needed = _while_negative(dossier, reading)
    others = [each for each in readings if any(same(each.marker, name) for name in needed)]
    if any(each.positives for each in others):
        return fails(
            donor.pseudonym, problem, Text("Reject the donation and what was made of it; tell the donor's physician.")
        )
    if len(others) < len(needed) or not all(each.is_negative for each in others):
        return lacks(
            donor.pseudonym,
            Text("{marker} is positive, and {others} do not settle it.", marker=reading.marker, others=needed),
            Text("Complete these tests; only with all of them negative may the risk be assessed."),
        )
    return wants_waiver(
        donor.pseudonym,
        Text("{marker} alone is positive; {others} are negative.", marker=reading.marker, others=needed),
        Text("An infection physician assesses the risk for the recipient, and the quality authority decides."),
    )


def _may_be_waived(dossier: Dossier, reading: MarkerReading) -> bool:
    exception = settings.objects(dossier, "don01.waivable").get(reading.analyte)
    # HIV and HCV are never waived, whatever the setting says.
    return reading.analyte not in {"HIV", "HCV"} and exception is not None and same(exception["marker"], reading.marker)


def _while_negative(dossier: Dossier, reading: MarkerReading) -> tuple[str, ...]:
    return tuple(settings.objects(dossier, "don01.waivable")[reading.analyte]["while_negative"])


def _outcomes(reading: MarkerReading) -> tuple[Text, ...]:
    return tuple(OUTCOME_NAMES[each] for each in sorted({each.outcome for each in reading.unsettled}))
