import pytest

from app.domain.acts import ACT_NAMES, MAY, MEANINGS, ROLE_NAMES, Act, Actor, Meaning, Role, may, require
from app.domain.errors import NotPermitted
from tests.golden_files import agrees


def somebody(*roles):
    return Actor(1, "tess", "Tess Technician", frozenset(roles), 1, "bench-1")


def test_every_act_role_and_meaning_is_in_its_table():
    assert set(MAY) == set(Act) == set(ACT_NAMES)
    assert set(ROLE_NAMES) == set(Role)
    assert set(MEANINGS) == set(Meaning)
    assert all(MAY.values())
    assert all(signing.roles for signing in MEANINGS.values())


def test_only_the_quality_authority_releases():
    assert MAY[Act.RELEASE_LOT] == MAY[Act.CONDITIONALLY_RELEASE_LOT] == {Role.QUALITY_AUTHORITY}
    assert MEANINGS[Meaning.RELEASED].roles == {Role.QUALITY_AUTHORITY}


def test_an_administrator_does_nothing_in_the_laboratory_and_signs_nothing():
    allowed = {act for act in Act if Role.ADMINISTRATOR in MAY[act]}
    assert allowed == {
        Act.SIGN_IN,
        Act.SIGN_OUT,
        Act.READ_RULES,
        Act.READ_ACCOUNTS,
        Act.VERIFY_AUDIT,
        Act.MANAGE_OWN_FACTORS,
        Act.OPEN_ACCOUNT,
        Act.GRANT_ROLE,
        Act.REVOKE_ROLE,
        Act.RESET_FACTORS,
        Act.UNLOCK_ACCOUNT,
        Act.DEACTIVATE_ACCOUNT,
        Act.ISSUE_BADGE,
        Act.REVOKE_BADGE,
    }
    assert not any(Role.ADMINISTRATOR in signing.roles for signing in MEANINGS.values())


def test_a_device_only_signs_in_scans_shows_the_dashboard_and_prints():
    assert {act for act in Act if Role.DEVICE in MAY[act]} == {
        Act.SIGN_IN,
        Act.SIGN_OUT,
        Act.SCAN,
        Act.DECODE_PICTURE,
        Act.READ_DASHBOARD,
        Act.RUN_PRINTER,
    }


def test_everybody_who_works_may_record_what_has_already_happened_and_open_a_deviation():
    people = set(Role) - {Role.DEVICE, Role.ADMINISTRATOR}
    assert MAY[Act.RECORD_ALREADY_HAPPENED] == MAY[Act.OPEN_DEVIATION] == MAY[Act.PLACE_HOLD] == people


@pytest.mark.parametrize("role", Role)
def test_who_determines_results_does_not_review_them_by_the_same_role(role):
    assert not (role in MAY[Act.RECORD_RESULT] and role in MAY[Act.REVIEW_RESULT])
    assert not (role in MAY[Act.PROPOSE_WAIVER] and role in MAY[Act.APPROVE_WAIVER])


def test_what_is_permitted_passes_quietly():
    assert may(somebody(Role.TECHNICIAN), Act.PASSAGE)
    require(somebody(Role.TECHNICIAN, Role.VERIFIER), Act.VERIFY_STEP)


def test_what_is_not_names_who_may():
    with pytest.raises(NotPermitted) as refused:
        require(somebody(Role.TECHNICIAN), Act.RELEASE_LOT)
    assert "quality authority" in str(refused.value.why)
    assert refused.value.detail == {"act": "release_lot", "roles": ["quality_authority"]}


def test_a_refused_act_of_the_hands_names_the_second_door():
    with pytest.raises(NotPermitted) as refused:
        require(somebody(Role.QC_ANALYST), Act.PASSAGE)
    assert "already happened" in str(refused.value.remedy)


def test_nobody_without_a_role_may_do_anything_but_leave():
    assert [act for act in Act if may(somebody(), act)] == [Act.SIGN_OUT]


def test_permissions_are_as_reviewed():
    width = max(len(act) for act in Act)
    lines = [f"{act.value:{width}}  {' '.join(role.value for role in Role if role in MAY[act])}" for act in Act]
    signing = [
        f"{meaning.value:{width}}  {signs.record.value:12}  {' '.join(role.value for role in Role if role in signs.roles)}"
        for meaning, signs in MEANINGS.items()
    ]
    agrees("permissions.txt", "\n".join(["# who may", *lines, "", "# who signs what", *signing, ""]))
