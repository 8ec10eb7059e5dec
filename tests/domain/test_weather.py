"""Release weather, pure: clear where nothing ends, rain with the day where something does, and rules that turn."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.domain.facts import Legacy, LegacyAbout, OpenedContainer, SubjectKind
from app.domain.rulebook import Gate
from app.domain.weather import END_NAMES, EndKind, forecast, of_the_lot
from app.rules import RULES
from tests.rules.clean import AT, clean

ZONE = ZoneInfo("Asia/Shanghai")
NOW = clean(SubjectKind.STEP).plan.at
SOON, LATER = NOW + timedelta(days=3), NOW + timedelta(days=9)


def step():
    """A step about to begin, whose every paper holds for long."""
    dossier = clean(SubjectKind.STEP)
    return replace(
        dossier,
        plan=replace(dossier.plan, performed_by="tess"),
        materials=tuple(replace(each, expires_on=date(2039, 1, 1)) for each in dossier.materials),
        qualifications=tuple(
            replace(each, valid_to=datetime(2039, 1, 1, tzinfo=UTC)) for each in dossier.qualifications
        ),
        assessments=tuple(replace(each, valid_to=datetime(2039, 1, 1, tzinfo=UTC)) for each in dossier.assessments),
        appointments=tuple(replace(each, until_at=None, certificate_valid_until=None) for each in dossier.appointments),
    )


def told(dossier, on=LATER):
    return forecast(RULES, of_the_lot(dossier), then=dossier, now=NOW, on=on, zone=ZONE)


def kinds(found):
    return [each.kind for each in found.endings]


def test_it_is_clear_while_everything_holds():
    found = told(step(), on=SOON)
    assert kinds(found) == []
    assert [each.verdict.rule for each in found.turns] == []
    assert found.is_clear
    assert found.first is None


def test_a_material_that_expires_before_is_rain_with_its_day_and_its_rule():
    dossier = step()
    planned = dossier.plan.materials[0]
    dossier = replace(
        dossier,
        materials=tuple(
            replace(each, expires_on=SOON.date()) if each.lot == planned else each for each in dossier.materials
        ),
    )
    found = told(dossier)
    assert kinds(found) == [EndKind.MATERIAL]
    assert found.first.astimezone(ZONE) == datetime.combine(SOON.date() + timedelta(days=1), time(), tzinfo=ZONE), (
        "it serves until the end of its last day there"
    )
    assert [(each.verdict.rule, each.gate, each.since_now) for each in found.turns] == [("MAT-06", Gate.G4, False)]
    assert told(dossier, on=SOON).is_clear, "on its last day it still serves"


def test_an_opened_container_is_rain_from_its_hour():
    dossier = step()
    opened = OpenedContainer("M0000000099", dossier.plan.materials[0], SOON)
    found = told(replace(dossier, plan=replace(dossier.plan, opened=(opened,))))
    assert kinds(found) == [EndKind.OPENED]
    assert found.first == SOON
    assert "MAT-06" in {each.verdict.rule for each in found.turns}


def test_training_counts_by_its_last_record_and_only_of_who_makes_the_step():
    dossier = step()
    first = dossier.qualifications[0]
    other = replace(first, account="somebody", valid_to=SOON)
    assert told(replace(dossier, qualifications=(*dossier.qualifications, other))).is_clear
    ending = tuple(replace(each, valid_to=SOON) for each in dossier.qualifications)
    found = told(replace(dossier, qualifications=ending))
    assert set(kinds(found)) == {EndKind.TRAINING}
    assert {each.person for each in found.endings} == {"tess"}
    assert "QA-07" in {each.verdict.rule for each in found.turns}
    renewed = tuple(replace(each, valid_to=datetime(2039, 1, 1, tzinfo=UTC)) for each in ending)
    assert told(replace(dossier, qualifications=(*ending, *renewed))).is_clear


def test_an_assessment_an_appointment_and_a_certificate_end():
    dossier = step()
    dossier = replace(
        dossier,
        assessments=tuple(replace(each, valid_to=SOON) for each in dossier.assessments),
        appointments=tuple(
            replace(each, until_at=SOON, certificate_valid_until=SOON.date()) for each in dossier.appointments
        ),
    )
    found = told(dossier)
    assert {EndKind.ASSESSMENT, EndKind.APPOINTMENT, EndKind.CERTIFICATE} <= set(kinds(found))
    assert [each.at for each in found.endings] == sorted(each.at for each in found.endings)
    assert "QA-01" in {each.verdict.rule for each in found.turns}
    (post,) = dossier.appointments
    following = replace(post, id=99, from_at=SOON, until_at=None, certificate_valid_until=None)
    assert {EndKind.APPOINTMENT, EndKind.CERTIFICATE}.isdisjoint(
        kinds(told(replace(dossier, appointments=(post, following))))
    )


def test_a_withdrawn_consent_is_rain_already():
    dossier = step()
    (donor,) = dossier.donors
    withdrawn = tuple(replace(each, withdrawn_at=NOW - timedelta(days=1)) for each in donor.consents)
    found = told(replace(dossier, donors=(replace(donor, consents=withdrawn),)))
    assert EndKind.CONSENT in kinds(found)


def test_what_a_lot_in_process_merely_lacks_is_no_weather():
    found = told(replace(step(), results=(), batch_review=None, retains=()))
    assert "REL-03" not in {each.verdict.rule for each in found.turns}


def test_what_only_the_day_brings_is_fog_and_never_clear():
    dossier = step()
    found = told(replace(dossier, plan=replace(dossier.plan, performed_by=None)), on=SOON)
    assert found.weather == "fog"
    assert [each.verdict.rule for each in found.untold] == ["QA-07"]
    assert found.turns == ()


def test_without_a_step_only_what_turns_at_release_is_told():
    dossier = clean()
    dossier = replace(dossier, lot=replace(dossier.lot, expires_at=AT + timedelta(days=3)))
    found = forecast(RULES, dossier, then=None, now=AT, on=AT + timedelta(days=9), zone=ZONE)
    assert kinds(found).count(EndKind.LOT) == 1
    assert "REL-07" in {each.verdict.rule for each in found.turns}
    assert all(each.gate is Gate.G6 and not each.since_now for each in found.turns)


@pytest.mark.parametrize("kind", EndKind)
def test_every_kind_of_ending_has_its_words(kind):
    assert str(END_NAMES[kind])


def papers(number, **more):
    """Accepted papers from before the guideline about the donor of the step."""
    (donor, *_) = clean(SubjectKind.STEP).donors
    held = {
        "about": LegacyAbout.DONOR,
        "subject": donor.pseudonym,
        "rules": ("DON-08",),
        "reasons": "seen",
        "papers": (),
    }
    held |= {"proposed_by": "quinn", "accepted_by": "lin", "accepted_at": NOW - timedelta(days=30)}
    held |= {"valid_from": NOW - timedelta(days=30), "valid_to": datetime(2039, 1, 1, tzinfo=UTC)}
    return Legacy(number=number, **{**held, **more})


def test_old_papers_that_run_out_or_were_withdrawn_are_told_unless_others_go_on():
    ending = papers("LD-1", valid_to=NOW + timedelta(days=2))
    (found,) = told(replace(step(), legacy=(ending,))).endings
    assert (found.kind, found.subject, found.at) == (EndKind.LEGACY, "LD-1", ending.valid_to)
    assert kinds(told(replace(step(), legacy=(papers("LD-2"),)))) == []
    withdrawn = papers("LD-3", withdrawn_at=NOW - timedelta(days=1))
    (found,) = told(replace(step(), legacy=(withdrawn,))).endings
    assert found.at == withdrawn.withdrawn_at
    assert kinds(told(replace(step(), legacy=(ending, papers("LD-2"))))) == []
    assert kinds(told(replace(step(), legacy=(replace(ending, accepted_by=None),)))) == []
