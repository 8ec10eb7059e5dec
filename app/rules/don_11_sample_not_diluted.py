"""DON-11: blood that was tested was not so diluted by what the person had been given that a negative means nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from app.domain import settings
from app.domain.counterexamples import Edit, all_of, allogeneic, every, inside, setting, without
from app.domain.donors import dilution_percent, is_proved_autologous, negatives, stated_for
from app.domain.dossier import Dossier
from app.domain.facts import Donor, LegacyAbout, Marker, SubjectKind
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
from app.domain.sources import EU_TISSUE_TESTS
from app.domain.text import Text


def _given(**changes: Any) -> Edit:
    return all_of(allogeneic, inside("donors", "samplings", **changes))


@rule(
    "DON-11",
    Text("The blood that was tested was the donor's own, not diluted by what was given"),
    cites=(
        Citation(
            EU_TISSUE_TESTS,
            "Annex II",
            Text("After transfusions and infusions an algorithm tells whether a sample is too diluted to be valid."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G2, Gate.G6),
    waiver=NEVER,
    legacy=(LegacyAbout.DONOR,),
    breaks=(
        Break("five litres of blood were transfused", _given(blood_ml=Decimal(5000))),
        Break(
            "five litres of blood were transfused, before processing",
            _given(blood_ml=Decimal(5000)),
            gate=Gate.G2,
            kind=SubjectKind.DONATION,
        ),
        Break("three litres of colloids were infused", _given(colloid_ml=Decimal(3000))),
        Break("four litres of crystalloids were infused", _given(crystalloid_ml=Decimal(4000))),
        Break(
            "the patient's sample is more than half somebody else's blood",
            inside("donors", "samplings", blood_ml=Decimal(6000)),
        ),
        Break("the weight is not known", _given(weight_kg=None), outcome=Outcome.INDETERMINATE),
        Break(
            "nothing was stated about what was given",
            all_of(allogeneic, every("donors", samplings=())),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "whether anything was stated is unknown",
            all_of(allogeneic, every("donors", samplings=None)),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "what was stated is about another sample",
            _given(sampled_at=datetime(2026, 9, 28, 7, tzinfo=UTC)),
            outcome=Outcome.INDETERMINATE,
        ),
        Break("it was stated after the isolation", _given(recorded_at=datetime(2026, 10, 9, tzinfo=UTC))),
        Break(
            "how much blood a person has is not set",
            all_of(allogeneic, setting("don11.volumes", {"plasma_ml_per_kg": 40})),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the donors are unknown",
            without("donors"),
            gate=Gate.G2,
            kind=SubjectKind.DONATION,
            outcome=Outcome.INDETERMINATE,
            also=("DON-01", "DON-02", "DON-04", "DON-05", "DON-06", "DON-08", "DON-10"),
        ),
    ),
)
def sample_not_diluted(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """For each marker that is taken for negative, look for a sample that is valid. A patient's need not be stated."""
    if not dossier.donors:
        yield lacks(
            dossier.subject, Text("No donor is known."), Text("Register the donor before the donation is processed.")
        )
    panels = [settings.word_lists(dossier, name) for name in ("don01.panel", "don02.panel")]
    for donor in dossier.donors or ():
        found = negatives(donor, panels, asked.at)
        if not found:
            yield does_not_apply(
                donor.pseudonym, Text("no marker is taken for negative; other rules judge what is missing")
            )
        else:
            yield from _of_donor(dossier, asked, donor, found)


def _of_donor(dossier: Dossier, asked: Asked, donor: Donor, found: dict[str, list[Marker]]) -> Iterator[Statement]:
    samples = {each.sampled_at: _judge(dossier, asked, donor, each) for results in found.values() for each in results}
    said: set[datetime] = set()
    for results in found.values():
        judged = [(each.sampled_at, samples[each.sampled_at]) for each in results]
        valid = [(at, statement) for at, statement in judged if statement.remedy is None]
        # One valid sample is enough for a marker; where there is none, the last one says what is wrong.
        at, statement = valid[0] if valid else judged[-1]
        if at not in said:
            said.add(at)
            yield statement


def _judge(dossier: Dossier, asked: Asked, donor: Donor, marker: Marker) -> Statement:
    stated = stated_for(donor, marker)
    if stated is None and is_proved_autologous(donor):
        return does_not_apply(
            donor.pseudonym, Text("autologous, and nothing is stated to have been given before the sample")
        )
    if stated is None:
        return undocumented(
            donor.pseudonym,
            Text("What was given before the sample of {sampled} is not stated.", sampled=marker.sampled_at),
            Text("State the blood, colloids and crystalloids given before it, or that there were none."),
        )
    began = processing_began_at(dossier) or asked.at
    if stated.recorded_at > began:
        return too_late(
            dossier,
            "DON-11",
            subject=donor.pseudonym,
            problem=Text(
                "What was given before the sample was stated at {stated}, after processing began at {began}.",
                stated=stated.recorded_at,
                began=began,
            ),
        )
    own = settings.numbers(dossier, "don11.volumes")
    most = settings.number(dossier, "don11.dilution_max_percent")
    percent = dilution_percent(stated, blood_ml_per_kg=own["blood_ml_per_kg"], plasma_ml_per_kg=own["plasma_ml_per_kg"])
    if percent is None:
        return lacks(
            donor.pseudonym,
            Text("How diluted the sample of {sampled} is cannot be told without a weight.", sampled=marker.sampled_at),
            Text("State the person's weight with what was given."),
        )
    told: dict[str, Any] = {"sampled": marker.sampled_at, "percent": round(percent, 1), "most": most}
    if percent > most:
        return fails(
            donor.pseudonym,
            Text("The sample of {sampled} is {percent} % diluted, more than {most} %: it is not valid.", **told),
            Text("Test a sample that was taken before the transfusion or infusion."),
        )
    return shows(donor.pseudonym, Text("the sample of {sampled} is {percent} % diluted, at most {most} %", **told))
