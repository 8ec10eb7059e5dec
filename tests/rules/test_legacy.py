"""Papers from before the guideline: what they may show, and all that they never do."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.counterexamples import Edit, all_of, allogeneic, as_bank, drop_inside, every, inside, setting
from app.domain.facts import (
    Eligibility,
    Legacy,
    LegacyAbout,
    LegacyPaper,
    Lot,
    MarkerOutcome,
    Setting,
    SubjectKind,
)
from app.domain.legacy import BEFORE, NEVER_BY_PAPER
from app.domain.rulebook import Asked, Gate, Outcome, Rule, fails, judge, lacks, undocumented
from app.domain.text import Text
from app.rules import BY_ID, RULES
from tests.rules.clean import AT, DONOR, GATE_OF, SIGNER, clean

EVERYTHING = tuple(BY_ID)
LOT = "L0000000001"
BEGAN = min(step.started_at for step in clean().steps)
FIRST_DAY = setting(BEFORE, "2027-01-01")
"""As if the guideline took effect after everything that the clean lot went through."""
PAPER = LegacyPaper("Donor file 2019", date(2019, 3, 1), "file.pdf", "a" * 64, 12)


def papers(subject: str = DONOR, about: LegacyAbout = LegacyAbout.DONOR, **changes: object) -> Legacy:
    accepted = AT - timedelta(days=1)
    made = Legacy(
        number="LD-26-0001",
        about=about,
        subject=subject,
        rules=EVERYTHING,
        reasons="the originals were seen",
        papers=(PAPER,),
        proposed_by="quinn",
        accepted_by="rhea",
        accepted_at=accepted,
        valid_from=accepted,
        valid_to=AT + timedelta(days=365),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


ABOUT_BOTH = (papers(), papers(LOT, LegacyAbout.LOT, number="LD-26-0002"))


def with_papers(*those: Legacy) -> Edit:
    return lambda dossier: replace(dossier, legacy=those)


def verdict(rule, edit, *, kind=SubjectKind.LOT, at=AT):
    return judge([BY_ID[rule]], edit(clean(kind)), gate=GATE_OF[kind], at=at, signer=SIGNER).verdicts[0]


UNDETERMINED = every("donations", determination=None)
LATE = inside("donations", "determination", signed_at=datetime(2026, 10, 9, tzinfo=UTC))


@pytest.mark.parametrize("edit", [UNDETERMINED, LATE], ids=["undocumented", "late"])
def test_what_is_late_or_undocumented_is_shown_by_papers_and_the_verdict_says_so(edit):
    assert verdict("DON-12", edit).closes
    found = verdict("DON-12", all_of(edit, FIRST_DAY, with_papers(papers())))
    assert (found.outcome, found.legacy) == (Outcome.PASS_WITH_LEGACY, ("LD-26-0001",))
    said = str(found.evidence[0].says)
    assert said.startswith("Legacy evidence LD-26-0001:")
    assert "Donor file 2019 (2019-03-01)" in said
    assert "rhea" in said
    assert not found.findings
    assert not found.missing
    assert found.to_json()["legacy"] == ["LD-26-0001"]


def test_a_lots_own_steps_are_shown_by_papers_about_the_lot():
    unverified = every("steps", verified_by=None, verified_at=None)
    assert verdict("GMP-05", all_of(unverified, FIRST_DAY, with_papers(papers()))).closes, "papers about the donor"
    found = verdict("GMP-05", all_of(unverified, FIRST_DAY, with_papers(*ABOUT_BOTH)))
    assert (found.outcome, found.legacy) == (Outcome.PASS_WITH_LEGACY, ("LD-26-0002",))


def test_a_vial_leaves_an_old_bank_by_the_papers_by_which_the_bank_was_released():
    late = every("permits", recorded_at=BEGAN + timedelta(days=3))
    about_bank, about_another = (papers(code, LegacyAbout.LOT) for code in (LOT, "L0000000002"))
    for bank, kind in ((as_bank(late), SubjectKind.LOT), (late, SubjectKind.BANK_VIAL)):
        found = verdict("HGR-01", all_of(bank, FIRST_DAY, with_papers(about_bank)), kind=kind)
        assert (found.outcome, found.legacy) == (Outcome.PASS_WITH_LEGACY, ("LD-26-0001",)), kind
        assert verdict("HGR-01", all_of(bank, FIRST_DAY, with_papers(about_another)), kind=kind).closes
        assert verdict("HGR-01", all_of(bank, with_papers(about_bank)), kind=kind).closes, "made under the guideline"


@pytest.mark.parametrize(
    "changes",
    [
        {"accepted_by": None, "accepted_at": None},
        {"accepted_by": "quinn"},
        {"rules": ("DON-01",)},
        {"subject": "P-DONOR-2"},
        {"accepted_at": AT + timedelta(seconds=1)},
        {"valid_from": AT + timedelta(seconds=1)},
        {"valid_to": AT},
        {"withdrawn_at": AT - timedelta(days=1)},
    ],
    ids=" ".join,
)
def test_only_papers_that_another_accepted_for_this_rule_and_subject_count_and_only_then(changes):
    found = verdict("DON-12", all_of(LATE, FIRST_DAY, with_papers(papers(**changes))))
    assert (found.outcome, found.legacy) == (Outcome.FAIL, ())


def test_nothing_done_under_the_guideline_is_shown_by_papers():
    assert verdict("DON-12", all_of(LATE, with_papers(papers()))).outcome is Outcome.FAIL
    assert verdict("GMP-05", all_of(every("steps", verified_by=None), with_papers(*ABOUT_BOTH))).closes


def test_work_that_began_under_the_guideline_needs_the_papers_accepted_beforehand():
    between = setting(BEFORE, "2026-10-05")  # the donation was collected the day before, its processing began that day
    afterwards, in_time = papers(), papers(accepted_at=BEGAN - timedelta(hours=1), valid_from=BEGAN - timedelta(days=1))
    assert verdict("DON-12", all_of(LATE, between, with_papers(afterwards))).outcome is Outcome.FAIL
    assert verdict("DON-12", all_of(LATE, between, with_papers(in_time))).outcome is Outcome.PASS_WITH_LEGACY


@pytest.mark.parametrize("said", ["tomorrow", "", 7, None])
def test_a_setting_that_names_no_day_lets_no_paper_count(said):
    edit = all_of(LATE, lambda dossier: replace(dossier, settings={**dossier.settings, BEFORE: Setting(9, said)}))
    assert verdict("DON-12", all_of(edit, with_papers(papers()))).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("rule", "edit"),
    [
        ("DON-01", inside("donors", "markers", only=("marker", "HIV NAT"), outcome=MarkerOutcome.POSITIVE)),
        ("DON-02", inside("donors", "markers", only=("marker", "anti-HTLV-I/II"), outcome=MarkerOutcome.POSITIVE)),
        ("DON-12", inside("donations", "determination", decision=Eligibility.INELIGIBLE)),
        ("DON-10", inside("donors", "consents", withdrawn_at=AT - timedelta(days=3))),
        ("DON-10", inside("donors", "consents", signed_at=datetime(2026, 10, 4, 9, tzinfo=UTC))),
        ("DON-08", inside("donors", "histories", examination="not_suitable")),
    ],
)
def test_no_fact_is_healed(rule, edit):
    found = verdict(rule, all_of(allogeneic, edit, FIRST_DAY, with_papers(*ABOUT_BOTH)))
    assert (found.outcome, found.legacy) == (Outcome.FAIL, ())


def test_a_positive_beside_a_missing_marker_stays_positive():
    edit = all_of(
        allogeneic,
        drop_inside("donors", "markers", ("marker", "HCV NAT")),
        inside("donors", "markers", only=("marker", "HIV NAT"), outcome=MarkerOutcome.POSITIVE),
        FIRST_DAY,
        with_papers(papers()),
    )
    assert verdict("DON-01", edit).outcome is Outcome.FAIL


def test_a_marker_that_is_not_settled_is_not_missing():
    edit = inside("donors", "markers", only=("marker", "HIV NAT"), outcome=MarkerOutcome.INCONCLUSIVE)
    assert verdict("DON-01", all_of(allogeneic, edit, FIRST_DAY, with_papers(papers()))).closes


BREAKS = [(rule, example) for rule in RULES for example in rule.breaks]


def _closed_by_a_fact(rule, dossier, example):
    """Whether anything that the rule says against it is more than a record that is late or missing."""
    asked = Asked(example.gate, example.at(AT), example.signer(SIGNER))
    try:
        said = tuple(rule.check(dossier, asked))
    except ValueError:  # a setting that cannot be read
        return True
    return not said or any(each.remedy is not None and each.weight not in {"late", "undocumented"} for each in said)


TAKING = [(rule, example) for rule, example in BREAKS if rule.legacy]


@given(
    case=st.one_of(st.sampled_from(BREAKS), st.sampled_from(TAKING)),
    day=st.dates(min_value=date(2019, 1, 1), max_value=date(2028, 1, 1)),
    days=st.integers(1, 900),
)
@settings(max_examples=40, deadline=None)
def test_papers_open_no_gate_that_a_fact_or_a_setting_closes(case, day, days):
    """Papers for every rule, about donor and lot, of whatever day the guideline took effect, accepted whenever."""
    rule, example = case
    accepted = {"accepted_at": AT - timedelta(days=days), "valid_from": AT - timedelta(days=days)}
    edited = example.edit(clean(example.kind))
    whole = all_of(setting(BEFORE, day.isoformat()), with_papers(*(replace(each, **accepted) for each in ABOUT_BOTH)))
    dossier = whole(edited)
    (found,) = judge([rule], dossier, gate=example.gate, at=example.at(AT), signer=example.signer(SIGNER)).verdicts
    touched_settings = any(edited.settings[name] != clean(example.kind).settings.get(name) for name in edited.settings)
    if not rule.legacy or touched_settings or _closed_by_a_fact(rule, dossier, example):
        assert found.closes, found
    if not found.closes:
        assert found.outcome is Outcome.PASS_WITH_LEGACY
        assert found.legacy


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_on_materials_banned_outright_or_tested_by_a_third_party_takes_no_paper(rule):
    if rule.id in NEVER_BY_PAPER or rule.id.startswith("TPR-"):
        assert rule.legacy == ()
    assert not (rule.legacy and rule.id in {"HOLD", "BOOK", "SCO-04", "MAT-11", "REL-02", "REL-03", "QA-04", "CB-01"})


def test_a_rule_that_forgot_itself_is_held_all_the_same():
    """Should MAT-03 ever be declared to take papers, the domain still knows better."""
    careless = replace(BY_ID["MAT-03"], legacy=(LegacyAbout.LOT,), check=lambda dossier, _: (_missing(dossier),))
    dossier = all_of(FIRST_DAY, with_papers(*ABOUT_BOTH))(clean())
    assert judge([careless], dossier, gate=Gate.G6, at=AT, signer=SIGNER).blocks


def _missing(dossier):
    return undocumented(dossier.subject, Text("so it is"), Text("do this"))


@pytest.mark.parametrize("say", [lacks, fails])
def test_what_merely_lacks_or_fails_is_not_what_papers_show(say):
    def check(dossier, _asked):
        yield _missing(dossier)
        yield say(dossier.subject, Text("and so it is"), Text("do that"))

    rule = Rule("DON-12", Text("a rule"), (), frozenset({Gate.G6}), (), (), check, (), (LegacyAbout.LOT,))
    dossier = all_of(FIRST_DAY, with_papers(*ABOUT_BOTH))(clean())
    assert judge([rule], dossier, gate=Gate.G6, at=AT, signer=SIGNER).blocks


def test_papers_about_another_lot_show_nothing_of_this_one():
    assert isinstance(clean().lot, Lot)
    edit = all_of(every("steps", verified_by=None), FIRST_DAY, with_papers(papers("L0000000002", LegacyAbout.LOT)))
    assert verdict("GMP-05", edit).closes
