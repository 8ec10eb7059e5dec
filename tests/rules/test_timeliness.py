"""Late paper heals no early gate: evidence that was recorded after the act counts, for every rule, as if it were absent.

Which moments say when evidence was recorded is read off the facts themselves, so that a new section is covered
untouched. A rule for which late evidence does count declares it (`late_by_nature`), and the declaration is tested too.
"""

from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from types import NoneType
from typing import get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.counterexamples import all_of, allogeneic, gene_modified, inside, nth, partner_made, within
from app.domain.dossier import Dossier
from app.domain.facts import DiseaseStatus, Donation, MarkerOutcome, SubjectKind
from app.domain.rulebook import Outcome, judge
from app.rules import BY_ID, RULES
from tests.rules.clean import AT, GATE_OF, SIGNER, clean
from tests.rules.test_evidence import of_the_donor

RECORDED = frozenset(
    {
        "approved_at",
        "recorded_at",
        "coa_recorded_at",
        "signed_at",
        "reported_at",
        "verified_at",
        "clearance_verified_at",
        "clearance_before_at",
    }
)
"""Fields that say when evidence came to be known to the house, whatever it says of itself to be valid from."""

NO_EVIDENCE = {
    "results": "what is measured comes after the work by nature; the act that it precedes is the release itself",
    "batch_review": "as results",
    "labels": "a count is made at the end",
    "deviations": "what a deviation says heals nothing: GMP-06 and the rules' own tests",
    "holds": "a hold forbids, it proves nothing",
    "waivers": "a waiver opens from its own moment on: tests/domain/test_rulebook.py",
    "appointments": "asked about the moment of signing, not about the work",
    "specification": "in force or not at the release",
    "lot": "no evidence",
    "plan": "what is about to be done",
    "late_information": "what came to light speaks against the lot; its decision opens nothing that was done before",
    "exceptional_requests": "asked for before the cells are given, which is yet to come",
}

POSITIVE = inside("donors", "markers", only=("marker", "HBsAg"), outcome=MarkerOutcome.POSITIVE)
NEGLIGIBLE = DiseaseStatus(
    1, "AU", "BSE", "negligible", date(2007, 1, 1), None, "WOAH resolution", datetime(2026, 1, 20, 9, tzinfo=UTC)
)
SERUM = {
    "animal_serum": True,
    "species": "bovine",
    "origin_countries": ("AU",),
    "processed_in": "AU",
    "collected_on": date(2026, 3, 2),
}
STARTS = {
    "clean": lambda dossier: dossier,
    "allogeneic": allogeneic,
    "gene modified": gene_modified,
    "made by a partner": partner_made,
    "with serum": all_of(nth("materials", 0, **SERUM), within("disease_status", lambda _: (NEGLIGIBLE,))),
    "positive, assessed": all_of(POSITIVE, of_the_donor("DON-04"), of_the_donor("DON-05")),
}


def paths(dossier):
    """Every (section, inner, field) of the dossier that says when evidence was recorded; `inner` None at the first level."""
    for section in fields(Dossier):
        records = getattr(dossier, section.name)
        if section.name in NO_EVIDENCE or not isinstance(records, tuple) or not records:
            continue
        for name in {each.name for each in fields(records[0])} if is_dataclass(records[0]) else ():
            if name in RECORDED and not (section.name == "steps" and name == "recorded_at"):
                yield section.name, None, name
            inner = [one for each in records for one in _many(getattr(each, name)) if is_dataclass(one)]
            for field in {each.name for each in fields(inner[0])} & RECORDED if inner else ():
                yield section.name, name, field


def _many(value):
    return value if isinstance(value, tuple) else () if value is None else (value,)


def changed(dossier, path, change):
    """The dossier with `change` made to every record of the path; a record of which nothing is left is left out."""
    section, inner, field = path

    def record(each):
        if inner is None:
            return change(each, field)
        value = getattr(each, inner)
        if isinstance(value, tuple):
            return replace(
                each, **{inner: tuple(one for one in (change(one, field) for one in value) if one is not None)}
            )
        return each if value is None else replace(each, **{inner: change(value, field)})

    left = (record(each) for each in getattr(dossier, section))
    return replace(dossier, **{section: tuple(each for each in left if each is not None)})


def absent(record, field):
    """Without this evidence: where the moment may be unknown it is, else the record itself is the evidence and goes."""
    may_be_unknown = NoneType in get_args(get_type_hints(type(record))[field])
    return replace(record, **{field: None}) if may_be_unknown else None


def late(moment):
    return lambda record, field: record if getattr(record, field) is None else replace(record, **{field: moment})


def closed(dossier, *, at=AT):
    judgement = judge(RULES, dossier, gate=GATE_OF[SubjectKind.LOT], at=at, signer=SIGNER)
    return {each.rule for each in judgement.verdicts if each.closes}


def last_act(dossier):
    return max(step.ended_at or step.started_at for step in dossier.steps)


CASES = [(start, path) for start in STARTS for path in sorted(set(paths(STARTS[start](clean()))), key=str)]
IDS = [f"{start}: {'.'.join(part for part in path if part)}" for start, path in CASES]


@cache
def rests_on(start, path):
    """The rules that pass on this start and do not without this evidence."""
    dossier = STARTS[start](clean())
    return closed(changed(dossier, path, absent)) - closed(dossier)


def declared_late(path, rule):
    """Whether the rule says of this evidence that it comes late by nature: of its section, or of it alone."""
    return bool({path[0], f"{path[0]}.{path[1]}"} & set(rule.late_by_nature))


@pytest.mark.parametrize(("start", "path"), CASES, ids=IDS)
@given(data=st.data())
@settings(max_examples=10)
def test_evidence_recorded_after_the_act_opens_no_gate_that_its_absence_closes(start, path, data):
    dossier = STARTS[start](clean())
    after = data.draw(
        st.integers(1, int((AT - last_act(dossier)).total_seconds()) - 1), label="seconds after the last act"
    )
    at = AT + timedelta(days=data.draw(st.integers(0, 60), label="judged so many days later"))
    found = closed(changed(dossier, path, late(last_act(dossier) + timedelta(seconds=after))), at=at)
    declared = {rule for rule in rests_on(start, path) if declared_late(path, BY_ID[rule])}
    assert rests_on(start, path) - declared <= found


@pytest.mark.parametrize(("start", "path"), CASES, ids=IDS)
def test_what_is_declared_late_by_nature_does_count_late(start, path):
    dossier = STARTS[start](clean())
    found = closed(changed(dossier, path, late(AT - timedelta(minutes=1))))
    for rule in rests_on(start, path):
        if declared_late(path, BY_ID[rule]):
            assert rule not in found, "late evidence does not count: nothing to declare"


def test_evidence_is_found_in_the_facts_and_rules_rest_on_it():
    found = {path for _, path in CASES}
    assert {("assessments", None, "approved_at"), ("qualifications", None, "recorded_at")} <= found
    assert {("donors", "consents", "signed_at"), ("donors", "markers", "reported_at")} <= found
    assert ("donations", "determination", "signed_at") in found
    assert {("donors", "consents", "recorded_at"), ("donors", "markers", "recorded_at")} <= found
    assert {("retains", None, "recorded_at"), ("disease_status", None, "recorded_at")} <= found
    assert ("materials", None, "coa_recorded_at") in found
    resting = {rule for start, path in CASES for rule in rests_on(start, path)}
    assert {"DON-01", "DON-05", "DON-10", "DON-12", "QA-07", "GMP-03", "GMP-05", "MAT-06"} <= resting
    assert {"DON-02", "DON-04", "CB-04", "MAT-05"} <= resting


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_late_by_nature_names_sections_that_there_are(rule):
    sections = {each.name for each in fields(Dossier)} - NO_EVIDENCE.keys()
    kinds = {f"{section}.{inner}" for start in STARTS for section, inner, _ in paths(STARTS[start](clean())) if inner}
    kinds |= {f"donations.{each.name}" for each in fields(Donation)}
    assert set(rule.late_by_nature) <= sections | kinds


@given(data=st.data())
@settings(max_examples=60)
def test_a_late_approval_with_an_early_beginning_turns_no_past_gate_to_pass(data):
    """Whatever was missing then stays a breach, however early the later paper says that it was valid."""
    start, path = data.draw(st.sampled_from(CASES), label="of")
    dossier = STARTS[start](clean())
    resting = {rule for rule in rests_on(start, path) if not declared_late(path, BY_ID[rule])}
    moment = last_act(dossier) + timedelta(minutes=data.draw(st.integers(1, 600), label="minutes after the last act"))
    early = moment - timedelta(days=data.draw(st.integers(30, 900), label="valid from so many days earlier"))

    def backdated(record, field):
        names = {each.name for each in fields(record)}
        record = late(moment)(record, field)
        return (
            replace(record, valid_from=early)
            if "valid_from" in names and hasattr(early, "tzinfo") and isinstance(record.valid_from, type(early))
            else record
        )

    judgement = judge(RULES, changed(dossier, path, backdated), gate=GATE_OF[SubjectKind.LOT], at=AT, signer=SIGNER)
    for each in judgement.verdicts:
        if each.rule in resting:
            assert each.outcome in {Outcome.FAIL, Outcome.INDETERMINATE, Outcome.NEEDS_WAIVER}
