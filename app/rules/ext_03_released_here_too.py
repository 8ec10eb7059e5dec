"""EXT-03: what a partner released is an input; the house's own quality authority releases the lot."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from app.domain.counterexamples import (
    empty,
    every,
    further_papers,
    made_by_partner,
    of_papers,
    part,
    without,
    without_paper,
)
from app.domain.dossier import Dossier
from app.domain.facts import Maker, PartnerPaper
from app.domain.lots import STATE_NAMES, LotState
from app.domain.making import last_paper, of_makers, steps_at_a_partner
from app.domain.partners import COVERED_NAMES, PAPER_NAMES
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
    fails,
    lacks,
    rule,
    shows,
)
from app.domain.sources import GUIDELINE
from app.domain.text import Text

_UNKNOWN = Outcome.INDETERMINATE
_G10: dict[str, Any] = {"gate": Gate.G10, "also": ("BOOK", "ORG-03", "ORG-04", "REL-10")}
_BEFORE_THE_WORK = datetime(2026, 10, 4, tzinfo=UTC)


@rule(
    "EXT-03",
    Text("A partner's release is an input: the house releases the lot itself"),
    cites=(
        Citation(
            GUIDELINE,
            "§2",
            Text(
                "Only the institution's quality authority releases, and answers for it alone, whoever made the cells."
            ),
            Standing.RECONSTRUCTED,
        ),
        Citation(
            GUIDELINE,
            "§3",
            Text("Where others take part, what they certify is reviewed here; it takes nobody's place."),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G6, Gate.G10),
    waiver=NEVER,
    late_by_nature=("makers.papers",),
    breaks=(
        Break("the partner's certificate of analysis is not here", without_paper("analysis"), outcome=_UNKNOWN),
        Break("the partner's batch record is not here", without_paper("batch_record"), outcome=_UNKNOWN),
        Break(
            "the partner's own release is not here",
            without_paper("release"),
            outcome=_UNKNOWN,
            also=("GMP-02", "GMP-04", "GMP-06", "QA-07"),
        ),
        Break(
            "the partner did not release it",
            of_papers(only=("kind", "release"), conforms=False),
            also=("GMP-02", "GMP-04", "GMP-06", "QA-07"),
        ),
        Break("the partner's certificate does not conform", of_papers(only=("kind", "analysis"), conforms=False)),
        Break(
            "a certificate that does not conform, recorded after a clean one and dated before it",
            further_papers("analysis", {"conforms": False, "signed_at": _BEFORE_THE_WORK}),
        ),
        Break(
            "a batch record that does not conform, and after it a clean one of an older date",
            further_papers("batch_record", {"conforms": False}, {"signed_at": _BEFORE_THE_WORK}),
        ),
        Break(
            "the partner released it before it was made",
            of_papers(only=("kind", "release"), signed_at=_BEFORE_THE_WORK),
        ),
        Break(
            "a result is said to come from a paper that is not here",
            made_by_partner(every("results", paper="CW-99-9")),
            outcome=_UNKNOWN,
        ),
        Break(
            "who made it was stated only after the work",
            made_by_partner(every("makers", recorded_at=datetime(2026, 11, 1, tzinfo=UTC))),
        ),
        Break(
            "nothing of the partner's work was handed over",
            made_by_partner(empty("steps")),
            outcome=_UNKNOWN,
            also=(
                "CB-04",
                "CB-05",
                "CB-06",
                "GMP-02",
                "GMP-03",
                "GMP-04",
                "GMP-05",
                "ORG-05",
                "QA-07",
            ),
        ),
        Break(
            "steps at a partner, and which one is unknown",
            made_by_partner(empty("makers")),
            outcome=_UNKNOWN,
            also=("EXT-01", "EXT-02", "EXT-04", "GMP-02", "GMP-04", "GMP-06", "QA-07"),
        ),
        Break(
            "whether a partner made it is unknown",
            without("makers"),
            outcome=_UNKNOWN,
            also=("EXT-01", "EXT-02", "EXT-04"),
        ),
        Break("given on the partner's release alone", made_by_partner(), **_G10),
        Break(
            "recalled here, whatever the partner released",
            made_by_partner(part("lot", state=LotState.RECALLED)),
            **_G10,
        ),
    ),
)
def released_here_too(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge the partner's papers as inputs, and before the lot is given whether it was released here."""
    yield from of_makers(dossier)
    for maker in dossier.makers or ():
        yield from _named_in_time(dossier, maker)
        for kind in PAPER_NAMES:
            yield from _paper(dossier, asked, maker, kind)
        yield from _results(dossier, maker)
        if not steps_at_a_partner(dossier):
            yield lacks(
                maker.partner,
                Text("{partner}: no step out of its batch record is on record.", partner=maker.partner),
                Text("Enter the steps from the partner's batch record, each with who made it and who verified it."),
            )
        if asked.gate is Gate.G10:
            yield _released_here(dossier, maker)


def _named_in_time(dossier: Dossier, maker: Maker) -> Iterator[Statement]:
    began = processing_began_at(dossier)
    if began is not None and maker.recorded_at > began:
        yield too_late(
            dossier,
            "EXT-03",
            subject=maker.partner,
            problem=Text(
                "That {partner} makes the lot was recorded at {at}, after the work had begun.",
                partner=maker.partner,
                at=maker.recorded_at,
            ),
        )


def _paper(dossier: Dossier, asked: Asked, maker: Maker, kind: str) -> Iterator[Statement]:
    name = PAPER_NAMES[kind]
    found = last_paper(maker, kind, at=asked.at)
    if found is None:
        yield lacks(
            maker.partner,
            Text("{partner}: {paper} is not on record.", partner=maker.partner, paper=name),
            Text("Ask the partner for the signed paper, and record it with its file."),
        )
    elif not found.conforms:
        yield fails(
            maker.partner,
            Text("{partner}: {paper} {reference} speaks against the lot.", **_named(maker, name, found)),
            Text("Reject the lot. Only a paper that the partner itself signs anew says otherwise."),
        )
    elif kind == "release" and any(
        (step.ended_at or step.started_at) > found.signed_at for step in steps_at_a_partner(dossier)
    ):
        yield fails(
            maker.partner,
            Text("{partner}: {paper} {reference} was signed before the lot was made.", **_named(maker, name, found)),
            Text("Ask the partner for a release of what was made; this one speaks of something else."),
        )
    else:
        yield shows(
            maker.partner,
            Text(
                "{paper} {reference}, signed by {by} at {at}, file {file}",
                paper=name,
                reference=found.reference,
                by=found.signed_by,
                at=found.signed_at,
                file=found.file_sha256[:12],
            ),
        )
        if kind == "release" and (missing := [each for each in COVERED_NAMES if each not in found.covers]):
            yield lacks(
                maker.partner,
                Text(
                    "{partner}: its release does not state: {what}.",
                    partner=maker.partner,
                    what=tuple(COVERED_NAMES[each] for each in missing),
                ),
                Text("Ask the partner for a signed statement about this lot, and record it with its file."),
            )


def _named(maker: Maker, name: Text, found: PartnerPaper) -> dict[str, Any]:
    return {"partner": maker.partner, "paper": name, "reference": found.reference}


def _results(dossier: Dossier, maker: Maker) -> Iterator[Statement]:
    papers = {each.reference for each in maker.papers}
    for each in dossier.results or ():
        if each.paper is not None and each.paper not in papers:
            yield lacks(
                each.test,
                Text("The result is read from {paper}, which is not on record.", paper=each.paper),
                Text("Record the partner's paper with its file."),
            )


def _released_here(dossier: Dossier, maker: Maker) -> Statement:
    state = dossier.lot.state if dossier.lot else None
    if state is LotState.RELEASED:
        return shows(dossier.subject, Text("released by this house's own quality authority"))
    return fails(
        dossier.subject,
        Text(
            "{partner} released it; this house has not: {state}.",
            partner=maker.partner,
            state=STATE_NAMES[state] if state else Text("unknown"),
        ),
        Text("The quality authority of this house decides about the lot; nothing is given before."),
    )
