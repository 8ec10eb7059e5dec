"""DON-08: the donor was asked and examined, and nothing that was said or found excludes the donor."""

from collections.abc import Iterator
from datetime import UTC, datetime

from app.domain import settings
from app.domain.acts import Role
from app.domain.assessments import excuses, named
from app.domain.counterexamples import all_of, allogeneic, every, inside, without
from app.domain.donors import QUESTION_GROUPS, is_proved_autologous
from app.domain.dossier import Dossier
from app.domain.facts import Donor, History, LegacyAbout, Question, SubjectKind
from app.domain.processing import processing_began_at, too_late
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
    undocumented,
    wants_waiver,
)
from app.domain.sources import CN_STEM_CELL_QUALITY, EU_TISSUE_TESTS
from app.domain.text import Text

_GROUPS = ("infection", "travel", "prion", "genetic", "malignancy")
_ILL = {**dict.fromkeys(_GROUPS, "no"), "malignancy": "yes"}
_SILENT = {each: "no" for each in _GROUPS if each != "travel"}
_LATER = datetime(2026, 10, 9, 9, tzinfo=UTC)


@rule(
    "DON-08",
    Text("The donor's history and examination exclude nothing"),
    cites=(
        Citation(
            CN_STEM_CELL_QUALITY,
            "donors",
            Text("Donors are asked about infections, hereditary and malignant disease, and are examined."),
            Standing.UNVERIFIED,
        ),
        Citation(
            EU_TISSUE_TESTS,
            "Annex I",
            Text("What is asked of a donor, and which answers exclude one who gives for others."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G2, Gate.G6),
    waiver=(Role.QUALITY_AUTHORITY,),
    legacy=(LegacyAbout.DONOR,),
    breaks=(
        Break(
            "a donor for others had cancer",
            all_of(allogeneic, inside("donors", "histories", answers=_ILL)),
        ),
        Break(
            "a donor for others had cancer, before processing",
            all_of(allogeneic, inside("donors", "histories", answers=_ILL)),
            gate=Gate.G2,
            kind=SubjectKind.DONATION,
        ),
        Break(
            "the patient had cancer",
            inside("donors", "histories", answers=_ILL),
            outcome=Outcome.NEEDS_WAIVER,
        ),
        Break(
            "a question was not answered",
            inside("donors", "histories", answers=_SILENT),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "an answer is not known",
            inside("donors", "histories", answers={**_SILENT, "travel": "unknown"}),
            gate=Gate.G2,
            kind=SubjectKind.DONATION,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "nobody examined the donor",
            inside("donors", "histories", examination=None, examined_at=None, examined_by=None),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the physician found a donor for others not suitable",
            all_of(allogeneic, inside("donors", "histories", examination="not_suitable")),
        ),
        Break(
            "the physician found the patient not suitable",
            inside("donors", "histories", examination="not_suitable"),
            outcome=Outcome.NEEDS_WAIVER,
        ),
        Break("nothing was asked", every("donors", histories=()), outcome=Outcome.INDETERMINATE),
        Break(
            "whether anything was asked is unknown",
            every("donors", histories=None),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "a version was asked that had been replaced",
            inside("donors", "histories", outdated=True),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the version asks nothing about malignant disease",
            inside(
                "donors",
                "histories",
                questions=tuple(Question(each, each, each, each, "yes") for each in _GROUPS if each != "malignancy"),
            ),
            outcome=Outcome.INDETERMINATE,
        ),
        Break("it was recorded after the isolation", inside("donors", "histories", recorded_at=_LATER)),
        Break("the examination came after the isolation", inside("donors", "histories", examined_at=_LATER)),
        Break(
            "the donors are unknown, before processing",
            without("donors"),
            gate=Gate.G2,
            kind=SubjectKind.DONATION,
            outcome=Outcome.INDETERMINATE,
            also=("DON-01", "DON-02", "DON-04", "DON-05", "DON-06", "DON-10", "DON-11"),
        ),
    ),
)
def history_excludes_nothing(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge everything that was ever asked: what came before processing must suffice, and nothing later may exclude."""
    if not dossier.donors:
        yield lacks(
            dossier.subject, Text("No donor is known."), Text("Register the donor before the donation is processed.")
        )
    began = processing_began_at(dossier) or asked.at
    for donor in dossier.donors or ():
        told = [each for each in donor.histories or () if each.recorded_at <= asked.at]
        if not told:
            yield undocumented(
                donor.pseudonym,
                Text("The donor was not asked about health, travel and family."),
                Text("Go through the questionnaire with the donor, and have a physician examine the donor."),
            )
            continue
        in_time = [each for each in told if _known_at(each) <= began]
        if not in_time:
            yield too_late(
                dossier,
                "DON-08",
                subject=donor.pseudonym,
                problem=Text(
                    "History and examination were recorded at {recorded}, after processing began at {began}.",
                    recorded=_known_at(told[0]),
                    began=began,
                ),
            )
        yield from _sufficient(dossier, donor, max(in_time or told, key=_known_at))
        for each in told:
            yield from _excluding(dossier, asked, donor, each, began)


def _known_at(history: History) -> datetime:
    return max(history.recorded_at, history.asked_at, history.examined_at or history.recorded_at)


def _sufficient(dossier: Dossier, donor: Donor, history: History) -> Iterator[Statement]:
    cited = _named(history)
    if history.outdated:
        yield lacks(
            donor.pseudonym,
            Text("{questionnaire} had been replaced by a newer version when the donor was asked.", questionnaire=cited),
            Text("Ask what the version in force asks."),
        )
    groups = {each.group for each in history.questions}
    for group in settings.words(dossier, "don08.groups"):
        if group not in groups:
            yield lacks(
                cited,
                Text("{questionnaire} asks nothing about: {group}.", questionnaire=cited, group=_group(group)),
                Text("Quality defines a version that does; ask the donor what it asks."),
            )
    for question in history.questions:
        if history.answers.get(question.code) not in {"yes", "no"}:
            yield lacks(
                donor.pseudonym,
                Text("Not answered: {question}", question=_asked(question)),
                Text("Ask the donor, and record the answers anew."),
            )
    if history.examination is None:
        yield undocumented(
            donor.pseudonym,
            Text("No physician's examination of the donor is recorded."),
            Text("Have a physician examine the donor, and record it with the history."),
        )
    yield shows(
        donor.pseudonym,
        Text(
            "{questionnaire}: {count} questions, asked {asked}; examined by {by}",
            questionnaire=cited,
            count=len(history.questions),
            asked=history.asked_at,
            by=history.examined_by or "–",
        ),
    )


def _excluding(dossier: Dossier, asked: Asked, donor: Donor, history: History, began: datetime) -> Iterator[Statement]:
    said = [
        Text(
            "{question}: {answer}", question=_asked(each), answer=Text("yes") if each.excludes == "yes" else Text("no")
        )
        for each in history.questions
        if each.excludes is not None and history.answers.get(each.code) == each.excludes
    ]
    if history.examination == "not_suitable":
        said.append(Text("{by} found the donor not suitable.", by=history.examined_by or ""))
    for problem in said:
        if not is_proved_autologous(donor):
            yield fails(
                donor.pseudonym,
                problem,
                Text("Reject the donation and what was made of it; tell the donor's physician."),
            )
        elif assessment := excuses(dossier, "DON-08", donor, began=began, at=asked.at):
            yield shows(
                donor.pseudonym,
                Text("{said} Assessed for this donor: {assessment}", said=problem, assessment=named(assessment)),
            )
        else:
            yield wants_waiver(
                donor.pseudonym,
                problem,
                Text(
                    "Before processing: a physician assesses the risk for this patient and the quality authority "
                    "approves it. After it: the quality authority decides on a waiver."
                ),
            )


def _asked(question: Question) -> Text:
    return Text("{en} ({zh})", en=question.en, zh=question.zh)


def _group(group: str) -> Text | str:
    return QUESTION_GROUPS.get(group, group)


def _named(history: History) -> str:
    return f"{history.questionnaire} v{history.version}"
