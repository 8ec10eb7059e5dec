"""REL-06: a lot is given out before a slow test has its result only by a plan that stood beforehand."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from app.domain import settings
from app.domain.counterexamples import (
    Edit,
    add,
    all_of,
    as_master_bank,
    inside,
    part,
    setting,
    two_steps,
    virus_in_two_steps,
    virus_test,
    where,
    within,
    without,
)
from app.domain.dossier import Dossier
from app.domain.equipment import day_of
from app.domain.facts import Deviation, Impact, Result, Severity, TwoStepPlan, TwoSteps, VirusOutcome
from app.domain.lots import LotKind
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
from app.domain.sources import EU_ATMP_GMP, GUIDELINE
from app.domain.text import Text
from app.domain.two_steps import (
    CONSENT,
    TEST_NAMES,
    Pending,
    interim_stands,
    pending,
    plan_in_force,
    signed_plans,
    stands_in,
)

RULE = "REL-06"
_LATE = datetime(2026, 10, 5, 9, 0, 1, tzinfo=UTC)
_EARLY = datetime(2026, 11, 9, tzinfo=UTC)


def _plan(**changes: Any) -> Edit:
    return all_of(two_steps, within("two_steps", lambda found: _of_plans(found, **changes)))


def _of_plans(found: TwoSteps, **changes: Any) -> TwoSteps:
    return replace(found, plans=tuple(replace(each, **changes) for each in found.plans))


def _of(field: str, **changes: Any) -> Edit:
    def edit(found: TwoSteps) -> TwoSteps:
        return replace(found, **{field: tuple(replace(each, **changes) for each in getattr(found, field))})

    return all_of(two_steps, within("two_steps", edit))


def _no(field: str) -> Edit:
    return all_of(two_steps, within("two_steps", lambda found: replace(found, **{field: ()})))


def _takes_back(found: TwoSteps) -> TwoSteps:
    (plan,) = found.plans
    return replace(found, plans=(plan, replace(plan, version=2, pending=(), approved_at=_EARLY)))


def _later(**changes: Any) -> Edit:
    """A later plan lets the same tests come late, otherwise."""

    def edit(found: TwoSteps) -> TwoSteps:
        (plan,) = found.plans
        late = tuple(replace(each, **changes) for each in plan.pending)
        return replace(found, plans=(plan, replace(plan, version=2, pending=late, approved_at=_EARLY)))

    return all_of(two_steps, within("two_steps", edit))


def _planned(**changes: Any) -> Edit:
    def edit(found: TwoSteps) -> TwoSteps:
        return replace(
            found,
            plans=tuple(
                replace(plan, pending=tuple(replace(each, **changes) for each in plan.pending)) for plan in found.plans
            ),
        )

    return all_of(two_steps, within("two_steps", edit))


_SET_ASIDE = Result(
    id=9903,
    line_id=1,
    test="sterility",
    sample="T0000000001",
    value_number=None,
    value_text="growth",
    unit=None,
    method_version="STE-1/3",
    instrument=None,
    analyst="quill",
    measured_at=datetime(2026, 11, 12, tzinfo=UTC),
    invalidated=True,
    review=None,
    invalidated_by="DV-26-0042",
)
_INVESTIGATED = Deviation(
    number="DV-26-0042",
    severity=Severity.MAJOR,
    what="the bottle was opened outside the cabinet",
    impact=Impact.ACCEPTABLE,
    state="closed",
    rules=(),
    closed_by="quinn",
    closed_at=datetime(2026, 11, 16, tzinfo=UTC),
)

_OF_ANOTHER = replace(
    _SET_ASIDE,
    id=9904,
    line_id=31,
    test="rapid sterility",
    sample="T0000000009",
    invalidated=False,
    invalidated_by=None,
)
_FOUND = virus_test(
    13,
    "transduced_cells",
    recorded_at=datetime(2026, 11, 9, 9, tzinfo=UTC),
    assay="rapid_pcr",
    outcomes=(
        VirusOutcome("positive", datetime(2026, 11, 9, 10, tzinfo=UTC), "VL-13", datetime(2026, 11, 9, 10, tzinfo=UTC)),
    ),
)


_G5: dict[str, Any] = {"gate": Gate.G5}
_UNKNOWN: dict[str, Any] = {"gate": Gate.G5, "outcome": Outcome.INDETERMINATE}


@rule(
    RULE,
    Text("A lot is given out before a slow result only by a plan that was signed beforehand"),
    cites=(
        Citation(
            EU_ATMP_GMP,
            "batch release",
            Text(
                "Where a test lasts longer than the cells keep, a described procedure may release in two steps: on the "
                "results that are there, and again when the last has come; the physician is told of a failing one."
            ),
            Standing.UNVERIFIED,
        ),
        Citation(
            GUIDELINE,
            "§3",
            Text("The guideline is silent on release in two steps, so it is off unless a signed setting allows it."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G5,),
    waiver=NEVER,
    breaks=(
        Break("it is not allowed here", all_of(two_steps, setting("rel06.allowed", "no")), **_G5),
        Break("as a house begins: off, and every result there", lambda dossier: dossier, **_G5),
        Break("no plan", _no("plans"), **_UNKNOWN, also=("REL-02",)),
        Break("the plan was signed a second after the work began", _plan(approved_at=_LATE), **_G5, also=("REL-02",)),
        Break("whoever proposed the plan signed it", _plan(proposed_by="rhea"), **_UNKNOWN, also=("REL-02",)),
        Break(
            "a later plan lets nothing come late any more",
            all_of(two_steps, within("two_steps", _takes_back)),
            **_G5,
            also=("REL-02",),
        ),
        Break("a later plan has another test in its place", _later(interim="gram stain"), **_G5, also=("REL-02",)),
        Break("a later plan rests on another validation", _later(validation="VR-19"), **_G5, also=("REL-02",)),
        Break("a later plan gives it less time", _later(days=13), **_G5, also=("REL-02",)),
        Break(
            "the ethics committee approved it after the work began",
            _plan(ethics_approved_on=date(2026, 10, 6)),
            **_G5,
        ),
        Break("the test was not begun", _no("under_way"), **_UNKNOWN, also=("REL-02",)),
        Break(
            "its result was set aside and the test not begun again",
            all_of(two_steps, add("results", _SET_ASIDE), within("deviations", lambda _: (_INVESTIGATED,))),
            **_UNKNOWN,
            also=("REL-02",),
        ),
        Break("its result is overdue", _of("under_way", due_at=datetime(2026, 11, 20, 9, tzinfo=UTC)), **_G5),
        Break(
            "it takes longer than the plan gives it", _of("under_way", due_at=datetime(2026, 12, 1, tzinfo=UTC)), **_G5
        ),
        Break(
            "the rapid test found growth",
            all_of(two_steps, where("results", "test", "rapid sterility", value_text="growth")),
            **_UNKNOWN,
            also=("REL-02",),
        ),
        Break(
            "nobody reviewed the rapid test",
            all_of(two_steps, where("results", "test", "rapid sterility", review=None)),
            **_UNKNOWN,
            also=("REL-02",),
        ),
        Break(
            "the rapid test was made of another sample",
            all_of(two_steps, where("results", "test", "rapid sterility", sample="T0000000009")),
            **_UNKNOWN,
        ),
        Break(
            "the rapid test found growth in another sample",
            all_of(two_steps, add("results", _OF_ANOTHER)),
            **_UNKNOWN,
            also=("REL-02",),
        ),
        Break(
            "the cells of the rapid test for virus were sampled before those of the culture",
            all_of(virus_in_two_steps, where("virus_tests", "assay", "rapid_pcr", sampled_at=_LATE)),
            **_UNKNOWN,
            also=("GM-05",),
        ),
        Break(
            "a rapid test of another kind of sample stands in for the culture",
            all_of(virus_in_two_steps, where("virus_tests", "assay", "rapid_pcr", sample="final_product")),
            **_UNKNOWN,
            also=("GM-05",),
        ),
        Break(
            "of two rapid tests one found virus",
            all_of(virus_in_two_steps, add("virus_tests", _FOUND)),
            **_UNKNOWN,
            also=("GM-05",),
        ),
        Break("another test stands in its place than was made", _planned(interim="gram stain"), **_UNKNOWN),
        Break("the method in its place is not validated", _planned(validation=" "), **_UNKNOWN),
        Break(
            "the patient did not consent to it",
            all_of(two_steps, inside("donors", "consents", scopes=("donation", "processing", "autologous use"))),
            **_G5,
        ),
        Break(
            "it is given to somebody of whose consent nothing is known",
            all_of(two_steps, part("lot", recipient=None)),
            **_UNKNOWN,
            also=("REL-05",),
        ),
        Break("no physician knows of it", _no("acknowledgements"), **_UNKNOWN),
        Break("the physician knows of another test", _of("acknowledgements", tests=("mycoplasma",)), **_UNKNOWN),
        Break("the physician knew before the test was begun", _of("acknowledgements", at=_EARLY), **_UNKNOWN),
        Break("the signer is the physician", _of("acknowledgements", by="rhea"), **_UNKNOWN),
        Break("the signer began the test", _of("under_way", recorded_by="rhea"), **_G5),
        Break("it is a bank", all_of(two_steps, as_master_bank), **_G5, also=("CB-07",)),
        Break("nothing is known of it", all_of(two_steps, without("two_steps")), **_UNKNOWN, also=("REL-02",)),
    ),
)
def released_in_two_steps(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Ask for the setting, the plan, each pending test with what stands in for it, the consent and the physician."""
    if settings.word(dossier, "rel06.allowed") != "yes":
        yield fails(
            dossier.subject,
            Text("Release in two steps is not allowed here (setting {setting}).", setting="rel06.allowed"),
            Text(
                "Wait for every result. Only a change of the setting that the quality authority signs would allow it."
            ),
        )
        return
    if dossier.lot is None or dossier.two_steps is None:
        yield lacks(
            dossier.subject,
            Text("Nothing is known of a release in two steps."),
            Text("Report this to whoever keeps the system."),
        )
        return
    if dossier.lot.kind is not LotKind.PREPARATION:
        yield fails(
            dossier.subject,
            Text("Only a preparation is released in two steps."),
            Text("Wait for every result."),
        )
        return
    plan = plan_in_force(dossier)
    yield from _plan_stands(dossier, plan)
    waiting = pending(dossier)
    for each in waiting:
        yield from _waits(dossier, asked, each)
    if plan is not None and not waiting:
        yield shows(dossier.subject, Text("nothing is pending that the plan lets come late"))
    yield _consented(dossier, asked)
    yield from _acknowledged(dossier, asked, dossier.two_steps, waiting)


def _plan_stands(dossier: Dossier, plan: TwoStepPlan | None) -> Iterator[Statement]:
    began = processing_began_at(dossier)
    if plan is None or began is None:
        signed = signed_plans(dossier)
        if signed and began is not None:
            yield too_late(
                dossier,
                RULE,
                subject=dossier.subject,
                problem=Text(
                    "The plan was signed at {signed}, after processing began at {began}.",
                    signed=signed[0].approved_at,
                    began=began,
                ),
            )
        else:
            yield lacks(
                dossier.subject,
                Text("No plan for a release in two steps was signed for this process version."),
                Text("Wait for every result. A plan is signed before the work begins."),
            )
        return
    last = signed_plans(dossier)[-1]
    for each in plan.pending:
        if all(one.test != each.test for one in last.pending):
            yield fails(
                dossier.subject,
                Text(
                    "Plan {version} lets {test} not come late any more.",
                    version=last.version,
                    test=_named(each.test),
                ),
                Text("Wait for its result."),
            )
        elif not stands_in(last, each):
            yield fails(
                dossier.subject,
                Text(
                    "Plan {version} lets {test} come late otherwise than the plan under which the work began: "
                    "another test in its place, another validation, or less time.",
                    version=last.version,
                    test=_named(each.test),
                ),
                Text("Wait for its result."),
            )
    offset = settings.number(dossier, "facility.utc_offset_hours")
    if plan.ethics_approved_on > day_of(began, utc_offset_hours=offset):
        yield too_late(
            dossier,
            RULE,
            subject=dossier.subject,
            problem=Text(
                "The ethics committee approved the plan on {day}, after processing began at {began}.",
                day=plan.ethics_approved_on,
                began=began,
            ),
        )
    else:
        yield shows(
            dossier.subject,
            Text(
                "plan {version} of {protocol} {protocol_version}, approved by the ethics committee ({reference}), signed by "
                "{by} at {at}",
                version=plan.version,
                protocol=plan.protocol,
                protocol_version=plan.protocol_version,
                reference=plan.ethics_reference,
                by=plan.approved_by,
                at=plan.approved_at,
            ),
        )


def _waits(dossier: Dossier, asked: Asked, each: Pending) -> Iterator[Statement]:
    began, due = each.started_at, each.due_at
    if began is None or due is None:
        yield lacks(
            each.name,
            Text("It is not recorded that the test {test} is under way.", test=each.name),
            Text("The analyst records on which sample and when it was begun, and by when its result is read."),
        )
        return
    if due <= asked.at:
        yield fails(
            each.name,
            Text("The result of {test} was due at {due}.", test=each.name, due=due),
            Text("Find out what became of the test; the lot is judged by its result."),
        )
    if each.is_late:
        yield fails(
            each.name,
            Text(
                "The result of {test} comes later than the plan allows: {days} days.",
                test=each.name,
                days=each.planned.days,
            ),
            Text("Wait for the result."),
        )
    if asked.signer is not None and each.under_way is not None and each.under_way.recorded_by == asked.signer.account:
        yield fails(
            each.name,
            Text("The signer began the test {test}.", test=each.name),
            Text("Another appointed quality authority decides about this lot."),
        )
    if not each.planned.validation.strip() or not each.planned.if_positive.strip():
        yield lacks(
            each.name,
            Text(
                "The plan does not say how the test in place of {test} was validated, or what is done if it fails.",
                test=each.name,
            ),
            Text("Wait for the result."),
        )
    if interim_stands(dossier, each):
        yield shows(
            each.name,
            Text(
                "{test} under way since {began}, due {due}; meanwhile {interim} (validated: {validation}) found nothing",
                test=each.name,
                began=began,
                due=due,
                interim=each.planned.interim,
                validation=each.planned.validation,
            ),
        )
    else:
        yield lacks(
            each.name,
            Text(
                "No reviewed result of {interim} on the same sample rules out what {test} looks for.",
                interim=each.planned.interim,
                test=each.name,
            ),
            Text("Have the same sample tested by the method that the plan names; it counts once it is reviewed."),
        )


def _consented(dossier: Dossier, asked: Asked) -> Statement:
    recipient = dossier.lot.recipient if dossier.lot else None
    patients = [each for each in dossier.donors or () if each.pseudonym == recipient]
    if recipient is None or not patients:
        return lacks(
            dossier.subject,
            Text("It is not known whether the patient consented to the use before all results."),
            Text("Wait for every result."),
        )
    for consent in patients[0].consents:
        if CONSENT in consent.scopes and consent.withdrawn_at is None and consent.signed_at <= asked.at:
            return shows(
                recipient,
                Text(
                    "consented to the use before all results: {form}, signed {at}",
                    form=consent.form_version,
                    at=consent.signed_at,
                ),
            )
    return fails(
        recipient,
        Text("The patient has not consented to the use before all results."),
        Text("Wait for every result, or have the physician speak with the patient."),
    )


def _acknowledged(dossier: Dossier, asked: Asked, found: TwoSteps, waiting: tuple[Pending, ...]) -> Iterator[Statement]:
    tests = {each.planned.test for each in waiting}
    begun = [each.recorded_at for each in waiting if each.recorded_at is not None]
    known = [
        each
        for each in found.acknowledgements
        if tests <= set(each.tests)
        and all(each.at >= at for at in begun)
        and (asked.signer is None or each.by != asked.signer.account)
    ]
    if known:
        yield shows(
            dossier.subject,
            Text("{by} knows what is pending, {at}", by=known[-1].by, at=known[-1].at),
        )
    else:
        yield lacks(
            dossier.subject,
            Text(
                "No treating physician has acknowledged what is pending: {tests}.",
                tests=tuple(_named(each) for each in sorted(tests)),
            ),
            Text("The treating physician reads what is pending on the lot's page and acknowledges it."),
        )


def _named(test: str) -> Text | str:
    return TEST_NAMES.get(test, test)
