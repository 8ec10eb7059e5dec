"""Changed genes: the edges of amounts, moments and shares that counterexamples alone do not show."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.counterexamples import (
    VECTOR_LOT,
    all_of,
    every,
    gene_edited,
    gene_modified,
    nth,
    part,
    setting,
    vector_lot,
    virus_test,
    where,
    within,
)
from app.domain.facts import SubjectKind, VectorType, VirusOutcome
from app.domain.impacts import ImpactKind, reads_the_fact
from app.domain.rulebook import Gate, Outcome, judge
from app.rules import BY_ID
from tests.rules.clean import AT, SIGNER, clean


def outcome(rule, edit, *, gate=Gate.G6, kind=SubjectKind.LOT):
    return judge([BY_ID[rule]], edit(clean(kind)), gate=gate, at=AT, signer=SIGNER).verdicts[0].outcome


def used(dossier):
    return min(each.used_at for each in dossier.consumptions if each.material_lot == VECTOR_LOT)


def stated(*changes):
    """Statements of the vector that was used, one for each function that changes the good one."""

    def edit(dossier):
        at = used(dossier)
        return replace(
            dossier,
            materials=tuple(
                replace(each, vectors=tuple(change(each.vectors[0], at) for change in changes))
                if each.vectors
                else each
                for each in dossier.materials
            ),
        )

    return all_of(gene_modified, edit)


def as_it_is(vector, _at):
    return vector


def corrected(vector, at):
    return replace(vector, titre=Decimal(9), recorded_at=at + timedelta(days=9))


def another(vector, at):
    return replace(vector, vector_type=VectorType.AAV, recorded_at=at + timedelta(days=9))


def late(vector, at):
    return replace(vector, recorded_at=at + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        ((as_it_is,), Outcome.PASS),
        ((as_it_is, corrected), Outcome.PASS),
        ((as_it_is, another), Outcome.FAIL),
        ((late,), Outcome.FAIL),
        ((lambda vector, at: replace(vector, recorded_at=at),), Outcome.PASS),
    ],
)
def test_a_later_statement_corrects_and_heals_nothing(statements, found):
    assert outcome("GM-01", stated(*statements)) is found


@pytest.mark.parametrize(
    ("tested", "pool", "enough"),
    [
        ("1e8", None, True),
        ("99999999", None, False),
        ("3e5", "3e7", True),
        ("299999", "3e7", False),
        ("1e8", "1e12", True),
        ("1e7", "1e9", True),
    ],
)
def test_one_percent_of_a_small_pool_is_as_good_as_a_hundred_million_cells(tested, pool, enough):
    cells = every("virus_tests", cells_tested=Decimal(tested), cells_in_pool=pool and Decimal(pool))
    assert outcome("GM-05", all_of(gene_modified, cells)) is (Outcome.PASS if enough else Outcome.INDETERMINATE)


def reports(*words):
    """What was reported of the test of the cells, one after the other."""
    told = tuple(
        VirusOutcome(word, AT - timedelta(hours=9 - number), f"VL-{number}", AT - timedelta(hours=9 - number))
        for number, word in enumerate(words)
    )
    return all_of(gene_modified, every("virus_tests", outcomes=told))


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (("inconclusive", "negative"), Outcome.PASS),
        (("negative", "inconclusive"), Outcome.INDETERMINATE),
        (("positive", "negative"), Outcome.FAIL),
        (("negative", "positive"), Outcome.FAIL),
        ((), Outcome.INDETERMINATE),
    ],
)
def test_a_repeat_settles_what_was_unclear_and_never_what_was_found(told, found):
    assert outcome("GM-05", reports(*told)) is found


def test_cells_and_product_may_each_rule_it_out_and_an_open_one_keeps_it_closed():
    product = virus_test(12, "final_product", recorded_at=AT)
    assert outcome("GM-05", all_of(gene_modified, within("virus_tests", lambda _: (product,)))) is Outcome.PASS
    pending = replace(product, outcomes=())
    both = all_of(gene_modified, within("virus_tests", lambda found: (*found, pending)))
    assert outcome("GM-05", both) is Outcome.INDETERMINATE


@pytest.mark.parametrize(("hours", "found"), [(-1, Outcome.INDETERMINATE), (0, Outcome.PASS), (1, Outcome.PASS)])
def test_what_was_begun_is_answered_for_by_what_was_sampled_since(hours, found):
    begun = virus_test(13, "transduced_cells", recorded_at=AT - timedelta(days=2), outcomes=())
    since = virus_test(14, "transduced_cells", recorded_at=begun.sampled_at + timedelta(hours=hours))
    assert outcome("GM-05", all_of(gene_modified, within("virus_tests", lambda _: (begun, since)))) is found


def test_of_a_vector_that_cannot_replicate_no_such_test_is_asked():
    aav = all_of(
        gene_modified,
        part("process", vector_type=VectorType.AAV),
        within(
            "materials",
            lambda found: tuple(
                replace(each, vectors=tuple(replace(one, vector_type=VectorType.AAV) for one in each.vectors or ()))
                for each in found
            ),
        ),
    )
    assert outcome("GM-05", aav) is Outcome.NOT_APPLICABLE
    assert outcome("GM-06", aav) is Outcome.NOT_APPLICABLE
    assert outcome("GM-01", aav) is Outcome.PASS


@given(copies=st.decimals("0.01", "20", places=2), most=st.decimals("0.1", "20", places=1))
def test_the_limit_for_copies_is_inclusive_and_the_setting_s(copies, most):
    edit = all_of(
        gene_modified,
        where("results", "test", "vector copy number in transduced cells", value_number=copies),
        setting("gm06.copies_per_cell_most", most),
    )
    assert outcome("GM-06", edit) is (Outcome.NEEDS_WAIVER if copies > most else Outcome.PASS)


def test_an_editing_process_may_use_what_carries_the_repair_beside_its_editor():
    def beside(vector_type):
        return all_of(
            gene_modified,
            part("process", vector_type=VectorType.RNP, gene_editing=True),
            within(
                "materials",
                lambda found: (
                    *found[:-1],
                    replace(found[-1], vectors=(replace(found[-1].vectors[0], vector_type=VectorType.RNP),)),
                    replace(found[-1], lot="M9", vectors=(replace(found[-1].vectors[0], vector_type=vector_type),)),
                ),
            ),
            within("consumptions", lambda found: (*found, replace(found[-1], material_lot="M9"))),
        )

    assert outcome("GM-01", beside(VectorType.AAV)) is Outcome.PASS
    assert outcome("GM-01", beside(VectorType.LENTIVIRUS)) is Outcome.FAIL


def test_a_report_is_accepted_by_what_was_signed_after_it_alone():
    def approved(moment):
        return within(
            "assessments",
            lambda found: tuple(replace(each, approved_at=moment) if each.rule == "GM-02" else each for each in found),
        )

    study = {"gate": Gate.G8, "kind": SubjectKind.STUDY}
    recorded = gene_edited(clean(SubjectKind.STUDY)).off_target_reports[0].recorded_at
    begun = within(
        "assessments",
        lambda found: tuple(
            replace(each, valid_from=recorded - timedelta(days=9)) if each.rule == "GM-02" else each for each in found
        ),
    )
    at_once = all_of(gene_edited, begun, approved(recorded))
    before = all_of(gene_edited, begun, approved(recorded - timedelta(seconds=1)))
    assert outcome("GM-02", at_once, **study) is Outcome.PASS
    assert outcome("GM-02", before, **study) is Outcome.INDETERMINATE


def test_recombinant_enzymes_leave_nothing_that_is_asked_for_and_those_of_unknown_origin_do():
    trypsin = {"text": "recombinant trypsin", "animal_derived": False}
    assert outcome("MAT-09", nth("materials", 0, **trypsin)) is Outcome.PASS
    assert outcome("MAT-09", nth("materials", 0, **trypsin | {"animal_derived": None})) is Outcome.FAIL


def test_without_serum_lysate_and_enzymes_no_residue_is_asked_for():
    none = within("materials", lambda found: found[:1])
    assert outcome("MAT-09", none) is Outcome.NOT_APPLICABLE


def test_a_recalled_material_says_nothing_of_what_is_left_in_the_product():
    assert not reads_the_fact("MAT-09", ImpactKind.MATERIAL_STOPPED)
    assert reads_the_fact("MAT-11", ImpactKind.MATERIAL_STOPPED)


def test_a_vector_that_is_synthesised_needs_no_plasmid():
    def edit(found):
        return tuple(
            replace(
                each,
                virus_tests=(),
                vectors=tuple(
                    replace(one, vector_type=VectorType.RNP, parts=(), titre=None, titre_unit=None)
                    for one in each.vectors
                ),
            )
            for each in found
        )

    rnp = all_of(vector_lot(), within("materials", edit))
    for rule, found in (("GM-07", Outcome.PASS), ("GM-05", Outcome.NOT_APPLICABLE)):
        assert outcome(rule, rnp, gate=Gate.G1, kind=SubjectKind.MATERIAL_LOT) is found
