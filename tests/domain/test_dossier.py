import hashlib
import json
from dataclasses import FrozenInstanceError
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from app.domain.dossier import DossierUnreadable, digest, parse, parse_signer
from app.domain.facts import Relation, Severity, SubjectKind
from tests.rules.clean import MADE, lot_json, written


def edited(**changes):
    return json.dumps({**lot_json(), **changes}).encode()


@pytest.mark.parametrize("kind", SubjectKind)
def test_each_kind_is_read(kind):
    assert parse(written(kind)).kind is kind
    assert set(MADE) == set(SubjectKind)


def test_facts_have_their_types():
    dossier = parse(written(SubjectKind.LOT))
    assert dossier.donors[0].relation is Relation.AUTOLOGOUS
    assert dossier.deviations[0].severity is Severity.MINOR
    assert dossier.results[2].value_number == Decimal("0.25")
    assert dossier.process.max_pdl == Decimal(20)
    assert dossier.materials[0].expires_on == date(2027, 6, 30)
    assert dossier.appointments[0].from_at == datetime(2026, 2, 1, tzinfo=UTC)
    assert dossier.appointments[0].experience[0].from_on == date(2021, 1, 1)
    assert dossier.plan is None


def test_unknown_and_empty_are_two_things():
    assert parse(edited(holds=None)).holds is None
    assert parse(edited(holds=[])).holds == ()


def test_a_number_keeps_its_digits():
    bytes_ = written(SubjectKind.LOT).replace(b"0.25", b"0.1000000000000000055511151231257827")
    assert parse(bytes_).results[2].value_number == Decimal("0.1000000000000000055511151231257827")


def test_the_digest_is_of_the_exact_bytes():
    bytes_ = written(SubjectKind.LOT)
    assert digest(bytes_) == hashlib.sha256(bytes_).hexdigest()
    assert digest(bytes_ + b" ") != digest(bytes_)


def test_nothing_in_a_dossier_can_be_changed():
    dossier = parse(written(SubjectKind.LOT))
    with pytest.raises(FrozenInstanceError):
        dossier.donors = ()
    with pytest.raises(TypeError):
        dossier.settings["x"] = 1


@pytest.mark.parametrize(
    ("bytes_", "where"),
    [
        (b"{", "document"),
        (b"[]", ""),
        (b'{"schema": 1, "schema": 1}', "document"),
        (edited(schema=2), "schema"),
        (edited(kind="parcel"), "kind"),
        (edited(surprise=1), "surprise"),
        (edited(lot={**lot_json()["lot"], "state": "fine"}), "lot.state"),
        (edited(lot={**lot_json()["lot"], "version": True}), "lot.version"),
        (edited(lot={**lot_json()["lot"], "expires_at": "2026-11-22"}), "lot.expires_at"),
        (edited(lot={**lot_json()["lot"], "expires_at": "2026-11-22T10:00:00"}), "lot.expires_at"),
        (edited(materials=[{**lot_json()["materials"][0], "expires_on": "22.11.2026"}]), "materials[0].expires_on"),
        (
            edited(materials=[{**lot_json()["materials"][0], "composition_complete": "yes"}]),
            "materials[0].composition_complete",
        ),
        (edited(donors={}), "donors"),
        (edited(process={"name": "x"}), "process"),
        (written(SubjectKind.LOT).replace(b"0.25", b"NaN"), "document"),
        (written(SubjectKind.LOT).replace(b"0.25", b'"0.25"'), "results[2].value_number"),
        (edited(deviations=[{**lot_json()["deviations"][0], "state": "ajar"}]), "deviations[0].state"),
    ],
)
def test_what_is_not_a_dossier_is_refused_by_the_place_of_its_trouble(bytes_, where):
    with pytest.raises(DossierUnreadable) as unreadable:
        parse(bytes_)
    assert unreadable.value.where.startswith(where)


def test_a_missing_key_is_not_an_unknown_fact():
    made = lot_json()
    del made["holds"]
    with pytest.raises(DossierUnreadable, match="missing: holds"):
        parse(json.dumps(made).encode())


def test_a_signer_is_read():
    signer = parse_signer(b'{"account": "rhea", "roles": ["quality_authority"], "appointment_id": null}')
    assert (signer.account, signer.roles, signer.appointment_id) == ("rhea", ("quality_authority",), None)
