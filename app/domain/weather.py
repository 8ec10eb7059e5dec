"""Release weather: what would keep a lot from going on, on a day that is yet to come. Pure: nothing here decides.

Two ways of looking are laid over each other. Everything in the dossier that ends by that day is named with its day;
and the rule book is asked as of that day beside now, so that a rule which turns is told even where no date shows it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from itertools import chain

from app.domain.dossier import Dossier
from app.domain.facts import Legacy, SubjectKind
from app.domain.rulebook import Gate, Outcome, Rule, Verdict, judge
from app.domain.text import Text

MOMENTARY = frozenset({"GMP-03"})
"""What is settled in the moment in which the step begins: a line that is not cleared yet says nothing of a day to come."""


class EndKind(StrEnum):
    MATERIAL = "material"
    OPENED = "opened"
    TRAINING = "training"
    ASSESSMENT = "assessment"
    APPOINTMENT = "appointment"
    CERTIFICATE = "certificate"
    CONSENT = "consent"
    DETERMINATION = "determination"
    WAIVER = "waiver"
    EQUIPMENT = "equipment"
    SUPPLIER = "supplier"
    PERMIT = "permit"
    LEGACY = "legacy"
    LOT = "lot"


END_NAMES: dict[EndKind, Text] = {
    EndKind.MATERIAL: Text("material"),
    EndKind.OPENED: Text("opened container"),
    EndKind.TRAINING: Text("training"),
    EndKind.ASSESSMENT: Text("risk assessment"),
    EndKind.APPOINTMENT: Text("appointment of the quality authority"),
    EndKind.CERTIFICATE: Text("title certificate of the quality authority"),
    EndKind.CONSENT: Text("consent"),
    EndKind.DETERMINATION: Text("determination of the donor"),
    EndKind.WAIVER: Text("waiver"),
    EndKind.EQUIPMENT: Text("qualification or calibration of equipment"),
    EndKind.SUPPLIER: Text("qualification of a supplier"),
    EndKind.PERMIT: Text("permit for human genetic resources"),
    EndKind.LEGACY: Text("papers from before the guideline"),
    EndKind.LOT: Text("shelf life of the lot"),
}


@dataclass(frozen=True, slots=True)
class Ending:
    """Something that stands no longer from `at` on. `person` is a user name where it is somebody's."""

    kind: EndKind
    subject: str
    what: str
    at: datetime
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """A rule that would close on that day. `since_now`: it closes already; else it turns between now and then."""

    gate: Gate
    verdict: Verdict
    since_now: bool


@dataclass(frozen=True, slots=True)
class Forecast:
    """What would stand in the way on the day. `endings` by their moment; `turns`: what closes the step, then what turns.

    `untold` are rules of the step that lack a fact today and would lack it then: who makes it, where, with what.
    """

    endings: tuple[Ending, ...]
    turns: tuple[Turn, ...]
    untold: tuple[Turn, ...] = ()

    @property
    def weather(self) -> str:
        """Rain where something stands in the way, fog where that cannot be told, else clear."""
        return "rain" if self.endings or self.turns else "fog" if self.untold else "clear"

    @property
    def is_clear(self) -> bool:
        """Whether nothing is known to stand in the way, and nothing is unknown."""
        return self.weather == "clear"

    @property
    def first(self) -> datetime | None:
        """When the first of it ends."""
        return min((each.at for each in self.endings), default=None)


def forecast(
    rules: Iterable[Rule], dossier: Dossier, *, then: Dossier | None, now: datetime, on: datetime, zone: tzinfo
) -> Forecast:
    """The weather on a day.

    `dossier` is the lot's; `then` that of the step which is expected on the day, planned for it, or None where the lot's
    steps are done. Release itself is asked as of both moments and only what turns is told: that a lot in process lacks
    its tests today is no weather.
    """
    rules = tuple(rules)
    turns: list[Turn] = []
    untold: list[Turn] = []
    if then is not None:
        today = _blocks(rules, _planned(then, now), Gate.G4, now)
        for each in _blocks(rules, _planned(then, on), Gate.G4, on).values():
            turn = Turn(Gate.G4, each, since_now=each.rule in today)
            if each.rule not in MOMENTARY:
                (untold if turn.since_now and each.outcome is Outcome.INDETERMINATE else turns).append(turn)
    before = _blocks(rules, dossier, Gate.G6, now)
    told = {each.verdict.rule for each in (*turns, *untold)}
    turns += [
        Turn(Gate.G6, each, since_now=False)
        for each in _blocks(rules, dossier, Gate.G6, on).values()
        if each.rule not in before and each.rule not in told
    ]
    endings = sorted(_endings(then or dossier, now, on, zone), key=lambda each: (each.at, each.kind, each.what))
    return Forecast(tuple(endings), tuple(turns), tuple(untold))


def of_the_lot(step: Dossier) -> Dossier:
    """The lot's own dossier out of that of a step planned for it."""
    return replace(step, kind=SubjectKind.LOT, plan=None)


def _planned(step: Dossier, at: datetime) -> Dossier:
    return replace(step, plan=step.plan and replace(step.plan, at=at))


def _blocks(rules: tuple[Rule, ...], dossier: Dossier, gate: Gate, at: datetime) -> dict[str, Verdict]:
    return {each.rule: each for each in judge(rules, dossier, gate=gate, at=at).blocks}


def _endings(dossier: Dossier, now: datetime, on: datetime, zone: tzinfo) -> Iterator[Ending]:
    """Everything that stands now and no longer on the day, and what has ended already and would be needed."""
    found = (_of_things(dossier, zone), _of_people(dossier, zone), _of_papers(dossier, zone), _of_legacy(dossier))
    for each in chain.from_iterable(found):
        if each.at <= on:
            yield each


def _of_things(dossier: Dossier, zone: tzinfo) -> Iterator[Ending]:
    planned = set(dossier.plan.materials) if dossier.plan else set()
    for each in dossier.materials or ():
        # What was used up is judged as of its use; only what the step is expected to take can spoil it.
        if each.lot in planned and each.expires_on is not None:
            yield Ending(EndKind.MATERIAL, each.lot, each.name, _after(each.expires_on, zone))
    for opened in dossier.plan.opened if dossier.plan else ():
        name = next((each.name for each in dossier.materials or () if each.lot == opened.material_lot), "")
        yield Ending(EndKind.OPENED, opened.container, name, opened.opened_until)
    for machine in dossier.equipment or ():
        for kind in sorted({each.kind for each in machine.qualifications}):
            due = [each.due_on for each in machine.qualifications if each.kind == kind and each.outcome == "passed"]
            if machine.planned and due and None not in due:
                last = max(each for each in due if each is not None)
                yield Ending(EndKind.EQUIPMENT, machine.code, machine.name, _after(last, zone))
    if dossier.lot and dossier.lot.expires_at:
        yield Ending(EndKind.LOT, dossier.lot.code, dossier.lot.name, dossier.lot.expires_at)


def _of_people(dossier: Dossier, zone: tzinfo) -> Iterator[Ending]:
    person = dossier.plan.performed_by if dossier.plan else None
    held: dict[str, datetime] = {}
    for each in dossier.qualifications or ():
        if each.account == person:
            held[each.topic] = max(each.valid_to, held.get(each.topic, each.valid_to))
    for topic, until in held.items():
        yield Ending(EndKind.TRAINING, person or "", topic, until, person=person)
    for post in dossier.appointments or ():
        if post.revoked_at is not None:
            continue
        if post.until_at is not None and not _followed(dossier, post.until_at):
            yield Ending(EndKind.APPOINTMENT, post.account, post.account, post.until_at, person=post.account)
        if post.certificate_valid_until is not None and not _ended(dossier, post.until_at):
            ends = _after(post.certificate_valid_until, zone)
            yield Ending(EndKind.CERTIFICATE, post.account, post.title_certificate or "", ends, person=post.account)


def _followed(dossier: Dossier, until: datetime) -> bool:
    """Whether another appointment goes on where this one ends."""
    return any(
        each.revoked_at is None and each.from_at <= until and (each.until_at is None or each.until_at > until)
        for each in dossier.appointments or ()
    )


def _ended(dossier: Dossier, until: datetime | None) -> bool:
    """Whether another appointment took over from this one: its certificate matters no longer."""
    return until is not None and _followed(dossier, until)


def _of_papers(dossier: Dossier, zone: tzinfo) -> Iterator[Ending]:
    for paper in dossier.assessments or ():
        if not paper.superseded and not any(
            other.rule == paper.rule and other.scope == paper.scope and other.valid_to > paper.valid_to
            for other in dossier.assessments or ()
        ):
            yield Ending(EndKind.ASSESSMENT, paper.number, f"{paper.rule} {paper.title}", paper.valid_to)
    for donation in dossier.donations or ():
        if donation.determination and donation.determination.valid_until:
            yield Ending(EndKind.DETERMINATION, donation.code, donation.donor, donation.determination.valid_until)
    for donor in dossier.donors or ():
        for consent in donor.consents:
            if consent.withdrawn_at is not None:
                yield Ending(EndKind.CONSENT, donor.pseudonym, consent.form_version, consent.withdrawn_at)
    for waiver in dossier.waivers or ():
        if waiver.approved_by is not None:
            yield Ending(EndKind.WAIVER, waiver.rule, waiver.rule, waiver.valid_to)
    for supplier in dossier.suppliers or ():
        if supplier.audits:
            until = max(each.valid_to for each in supplier.audits)
            yield Ending(EndKind.SUPPLIER, supplier.name, supplier.name, until)
    for permit in dossier.permits or ():
        if permit.valid_to is not None and not any(
            other.valid_to is None or other.valid_to > permit.valid_to
            for other in dossier.permits or ()
            if set(permit.purposes) <= set(other.purposes)
        ):
            yield Ending(EndKind.PERMIT, permit.number, permit.scope, _after(permit.valid_to, zone))


def _of_legacy(dossier: Dossier) -> Iterator[Ending]:
    """Accepted papers, unless others about the same go on for all their rules. Withdrawn ones end when they were."""
    accepted = [each for each in dossier.legacy or () if each.accepted_by is not None]
    for papers in accepted:
        ends = _papers_end(papers)
        others = (each for each in accepted if each.subject == papers.subject and _papers_end(each) > ends)
        if not any(set(papers.rules) <= set(other.rules) for other in others):
            yield Ending(EndKind.LEGACY, papers.number, ", ".join(papers.rules), ends)


def _papers_end(papers: Legacy) -> datetime:
    return min(papers.valid_to, papers.withdrawn_at or papers.valid_to)


def _after(day: date, zone: tzinfo) -> datetime:
    """The moment after a last day, where the facility stands."""
    return datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(days=1)
