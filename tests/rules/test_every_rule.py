"""What holds for every rule of the book, and for every rule that will come, untouched."""

import re
from dataclasses import replace

import pytest

from app.domain.acts import Role
from app.domain.counterexamples import (
    all_of,
    allogeneic,
    gene_edited,
    gene_modified,
    partner_made,
    two_steps,
    vector_lot,
    virus_in_two_steps,
)
from app.domain.facts import SubjectKind
from app.domain.rulebook import CLOSING, Gate, Outcome, judge
from app.domain.standing import WRITTEN
from app.rules import BY_ID, RULES
from tests.rules.clean import AT, GATE_OF, SIGNER, clean

BREAKS = [(rule, example) for rule in RULES for example in rule.breaks]


JUDGED = tuple(WRITTEN.values())
"""Kinds whose gate is open to what is clean; the gates of the others wait for rules that are not written."""


@pytest.mark.parametrize("kind", JUDGED)
def test_the_clean_dossier_of_each_kind_opens_its_gate(kind):
    judgement = judge(RULES, clean(kind), gate=GATE_OF[kind], at=AT, signer=SIGNER)
    assert [(each.rule, each.findings) for each in judgement.blocks] == []
    assert judgement.is_open
    assert all(each.evidence for each in judgement.verdicts), "an open gate shows its evidence"


KINDS = {
    "autologous, unbanked": (lambda dossier: dossier, SubjectKind.LOT),
    "allogeneic, banked": (allogeneic, SubjectKind.LOT),
    "gene modified": (gene_modified, SubjectKind.LOT),
    "made by a partner": (partner_made, SubjectKind.LOT),
    "gene modified, made by a partner": (lambda dossier: partner_made(gene_modified(dossier)), SubjectKind.LOT),
    "gene modified, before a step": (gene_modified, SubjectKind.STEP),
    "a vector": (vector_lot(), SubjectKind.MATERIAL_LOT),
}


@pytest.mark.parametrize("of", KINDS)
def test_a_clean_dossier_of_every_sort_of_product_opens_its_gate(of):
    edit, kind = KINDS[of]
    judgement = judge(RULES, edit(clean(kind)), gate=GATE_OF[kind], at=AT, signer=SIGNER)
    assert [(each.rule, each.findings) for each in judgement.blocks] == []
    assert judgement.is_open


@pytest.mark.parametrize("edit", [gene_modified, gene_edited])
def test_the_rules_of_gene_modification_let_a_clean_study_start(edit):
    judgement = judge(RULES, edit(clean(SubjectKind.STUDY)), gate=Gate.G8, at=AT, signer=SIGNER)
    assert [each.rule for each in judgement.blocks] == ["BOOK"]


def test_what_changes_no_genes_is_asked_nothing_about_vectors_and_hears_why():
    for kind in (SubjectKind.LOT, SubjectKind.STEP, SubjectKind.MATERIAL_LOT, SubjectKind.STUDY):
        found = judge(RULES, clean(kind), gate=GATE_OF[kind], at=AT, signer=SIGNER).verdicts
        asked = [each for each in found if each.rule in VECTOR_RULES]
        assert {each.outcome for each in asked} == {Outcome.NOT_APPLICABLE}
        assert all(each.evidence for each in asked)


VECTOR_RULES = frozenset(f"GM-0{number}" for number in range(1, 9))


@pytest.mark.parametrize(("rule", "example"), BREAKS, ids=[f"{rule.id}: {each.name}" for rule, each in BREAKS])
def test_each_counterexample_is_refused_by_its_rule_and_by_no_other_than_named(rule, example):
    judgement = judge(
        RULES,
        example.edit(clean(example.kind)),
        gate=example.gate,
        at=example.at(AT),
        signer=example.signer(SIGNER),
    )
    verdicts = {each.rule: each for each in judgement.verdicts}
    assert verdicts[rule.id].outcome is example.outcome
    assert {each.rule for each in judgement.blocks} == {rule.id, *example.also}
    assert not judgement.is_open


@pytest.mark.parametrize(("rule", "example"), BREAKS, ids=[f"{rule.id}: {each.name}" for rule, each in BREAKS])
def test_each_refusal_names_the_subject_the_problem_and_a_remedy(rule, example):
    dossier = example.edit(clean(example.kind))
    judgement = judge([rule], dossier, gate=example.gate, at=example.at(AT), signer=example.signer(SIGNER))
    assert judgement.verdicts[0].findings
    for finding in judgement.verdicts[0].findings:
        assert finding.subject
        assert finding.rule == rule.id
        assert str(finding.problem)
        assert str(finding.remedy)


@pytest.mark.parametrize(("rule", "example"), BREAKS, ids=[f"{rule.id}: {each.name}" for rule, each in BREAKS])
def test_no_remedy_suggests_closing_paperwork_to_pass(rule, example):
    dossier = example.edit(clean(example.kind))
    judgement = judge([rule], dossier, gate=example.gate, at=example.at(AT), signer=example.signer(SIGNER))
    for finding in judgement.verdicts[0].findings:
        assert not re.search(r"clos\w+ the deviation|lift the hold|backdat", str(finding.remedy), re.IGNORECASE)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_no_rule_lacks_a_citation_a_counterexample_or_a_gate(rule):
    assert rule.cites
    assert rule.breaks
    assert rule.gates
    assert all(cite.source and cite.section and str(cite.paraphrase) for cite in rule.cites)
    assert {example.gate for example in rule.breaks} <= rule.gates
    assert {example.outcome for example in rule.breaks} <= CLOSING
    for example in rule.breaks:
        assert set(example.also) <= BY_ID.keys() - {rule.id}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_only_a_rule_that_may_be_waived_asks_for_a_waiver(rule):
    wants = any(example.outcome is Outcome.NEEDS_WAIVER for example in rule.breaks)
    assert wants == bool(rule.waiver)
    assert set(rule.waiver) <= {Role.QUALITY_AUTHORITY}


@pytest.mark.parametrize("kind", SubjectKind)
@pytest.mark.parametrize(
    "section",
    [
        "lot",
        "process",
        "donations",
        "donors",
        "materials",
        "consumptions",
        "steps",
        "plan",
        "containers",
        "specification",
        "results",
        "retains",
        "recorders",
        "deviations",
        "holds",
        "waivers",
        "batch_review",
        "package_digest",
        "appointments",
        "assessments",
        "labels",
        "qualifications",
        "disease_status",
        "banks",
        "permits",
        "equipment",
        "facility",
        "work_sessions",
        "authorisations",
        "transports",
        "virus_tests",
        "off_target_reports",
        "bank",
        "vial",
        "bank_policies",
        "two_steps",
        "makers",
        "partners",
        "late_information",
        "exceptional_requests",
    ],
)
def test_no_missing_section_opens_a_gate_further(kind, section):
    before = judge(RULES, clean(kind), gate=GATE_OF[kind], at=AT, signer=SIGNER)
    edited = judge(RULES, replace(clean(kind), **{section: None}), gate=GATE_OF[kind], at=AT, signer=SIGNER)
    passed = {each.rule for each in before.verdicts if each.outcome is Outcome.PASS}
    assert {each.rule for each in edited.verdicts if each.outcome is Outcome.PASS} <= passed
    assert {each.rule for each in edited.verdicts} == {each.rule for each in before.verdicts}


@pytest.mark.parametrize("gate", Gate)
@pytest.mark.parametrize("kind", SubjectKind)
def test_a_gate_opens_only_for_its_own_kind_and_only_when_written(gate, kind):
    dossier = two_steps(clean(kind)) if (gate, kind) == (Gate.G5, SubjectKind.LOT) else clean(kind)
    judgement = judge(RULES, dossier, gate=gate, at=AT, signer=SIGNER)
    assert judgement.is_open == (WRITTEN.get(gate) is kind)


def test_what_waits_for_a_slow_result_by_its_plan_opens_the_first_gate_and_not_the_second():
    asked = {
        two_steps: {"REL-02"},
        all_of(gene_modified, two_steps): {"REL-02"},
        virus_in_two_steps: {"REL-02", "GM-05"},
    }
    for sort, closing in asked.items():
        first, second = (judge(RULES, sort(clean()), gate=gate, at=AT, signer=SIGNER) for gate in (Gate.G5, Gate.G6))
        assert first.is_open, [(each.rule, each.findings) for each in first.blocks]
        assert {each.rule for each in second.blocks} == closing


def test_a_conditional_release_is_asked_everything_that_the_release_is_asked():
    assert all(Gate.G5 in rule.gates for rule in RULES if Gate.G6 in rule.gates)


@pytest.mark.parametrize("gate", [Gate.G7, Gate.G8])
def test_a_clean_study_waits_only_for_rules_that_are_not_written(gate):
    judgement = judge(RULES, clean(SubjectKind.STUDY), gate=gate, at=AT, signer=SIGNER)
    assert [each.rule for each in judgement.blocks] == ["BOOK"]
    assert not judgement.waiting


@pytest.mark.parametrize("kind", SubjectKind)
def test_without_a_jurisdiction_every_gate_is_closed(kind):
    for gate in Gate:
        judgement = judge(RULES, replace(clean(kind), jurisdiction=None), gate=gate, at=AT, signer=SIGNER)
        assert "SCO-04" in {each.rule for each in judgement.blocks}


def test_a_bare_dossier_opens_nothing():
    bare = replace(
        clean(),
        **dict.fromkeys(
            [
                "lot",
                "process",
                "donations",
                "donors",
                "materials",
                "consumptions",
                "steps",
                "containers",
                "specification",
                "results",
                "retains",
                "recorders",
                "deviations",
                "holds",
                "waivers",
                "batch_review",
                "package_digest",
                "appointments",
                "assessments",
                "labels",
                "qualifications",
                "disease_status",
                "banks",
                "permits",
                "equipment",
                "facility",
                "work_sessions",
                "authorisations",
                "transports",
                "virus_tests",
                "off_target_reports",
                "makers",
                "partners",
                "late_information",
                "exceptional_requests",
            ]
        ),
    )
    judgement = judge(RULES, bare, gate=Gate.G6, at=AT, signer=SIGNER)
    opened = {each.rule for each in judgement.verdicts if not each.closes}
    assert opened == {"SCO-04", "BOOK"}


def test_every_rule_file_bears_the_name_of_its_rule():
    from pkgutil import iter_modules

    import app.rules

    files = {found.name for found in iter_modules(app.rules.__path__)}
    prefixes = {rule.id.lower().replace("-", "_") for rule in RULES if rule.id not in {"SCO-04", "BOOK", "HOLD"}}
    assert {"_".join(name.split("_")[:2]) for name in files} == prefixes
    assert len(files) == len(prefixes)


def test_the_rules_of_the_first_life_are_all_there():
    asked = "DON-01 DON-12 MAT-03 MAT-06 CB-05 QA-01 QA-02 QA-03 QA-04 QA-05 QA-06 REL-02 REL-03 REL-05 REL-07 GMP-03 GMP-06"
    assert set(asked.split()) <= BY_ID.keys()


def test_the_rules_of_the_whole_first_life_are_all_there():
    asked = "DON-04 DON-05 DON-10 MAT-05 CB-03 CB-04 CB-06 GMP-05 REL-08 QA-07"
    assert set(asked.split()) <= BY_ID.keys()
