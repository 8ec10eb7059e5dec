"""Shapes of settings: every shipped value fits its own, what does not fit is named, and the registry tells who reads."""

from contextlib import suppress
from dataclasses import replace

import pytest

from app.domain.facts import SubjectKind
from app.domain.rulebook import Asked, Gate
from app.domain.settings_registry import REGISTRY, SHIPPED, UNDESCRIBED
from app.domain.shapes import ByName, Number, Record, Rows, Word, Words, as_number, shape_of, wrong_in
from app.rules import BY_ID, RULES
from tests.rules.clean import AT, SIGNER, clean


class Watched(dict):
    """Settings that remember which of them was asked for."""

    def __init__(self, settings):
        super().__init__(settings)
        self.asked = set()

    def __getitem__(self, name):
        self.asked.add(name)
        return super().__getitem__(name)


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_shipped_has_its_own_shape(name):
    assert list(wrong_in(REGISTRY[name].shape, SHIPPED[name].value)) == []


def test_every_setting_is_described():
    assert UNDESCRIBED == ()
    for name, known in REGISTRY.items():
        assert str(known.title) != name
        assert known.read_by or known.serves, f"{name}: who reads it?"
        assert set(known.read_by) <= BY_ID.keys()


def dossiers():
    """The clean dossier of every kind and every counterexample of the book, with the gates that each is judged at."""
    yield from ((clean(kind), Gate) for kind in SubjectKind)
    for rule in RULES:
        for each in rule.breaks:
            with suppress(Exception):
                yield each.edit(clean(each.kind)), (each.gate,)


def test_the_registry_names_the_rules_that_read_a_setting():
    found = {rule.id: set() for rule in RULES}
    for dossier, gates in dossiers():
        for rule in RULES:
            for gate in rule.gates & set(gates):
                watched = Watched(dossier.settings)
                # What a rule raises closes its gate; here only what it asked for counts.
                with suppress(Exception):
                    list(rule.check(replace(dossier, settings=watched), Asked(gate, AT, SIGNER)))
                found[rule.id] |= watched.asked
    for name, known in REGISTRY.items():
        assert set(known.read_by) == {rule for rule, asked in found.items() if name in asked}, name
    assert Gate.G6 in BY_ID["CB-01"].gates


NUMBER = Number(as_number(0), as_number(10), whole=True)
RECORD = Record({"code": Word(), "minutes": NUMBER})


@pytest.mark.parametrize(
    ("shape", "value", "where"),
    [
        (NUMBER, True, ()),
        (NUMBER, "3", ()),
        (NUMBER, -1, ()),
        (NUMBER, 11, ()),
        (NUMBER, 2.5, ()),
        (NUMBER, float("nan"), ()),
        (NUMBER, float("inf"), ()),
        (NUMBER, None, ()),
        (Word(), "", ()),
        (Word(), " a", ()),
        (Word(), "a\u202eb", ()),
        (Word(), "a\nb", ()),
        (Word(), "x" * 201, ()),
        (Word(("a", "b")), "c", ()),
        (Words(), [], ()),
        (Words(), ["a", "a"], ()),
        (Words(), "a", ()),
        (Words(), [["a"]], ()),
        (Words(), ["x"] * 201, ()),
        (ByName(Words(), always=("a",)), {"b": ["c"]}, ()),
        (ByName(Words(), only=("a",)), {"b": ["c"]}, ("b",)),
        (ByName(Words()), {}, ()),
        (ByName(NUMBER), {"a": "x"}, ("a",)),
        (ByName(RECORD), {"a": {"code": "x"}}, ("a",)),
        (ByName(RECORD), {"a": {"code": "x", "minutes": 11}}, ("a", "minutes")),
        (Rows(RECORD, "code"), [], ()),
        (Rows(RECORD, "code"), [{"code": "x", "minutes": 1}, {"code": "x", "minutes": 2}], ()),
        (Rows(RECORD, "code"), [{"code": "x", "minutes": 1}, {"code": "", "minutes": 2}], ("2", "code")),
        (Rows(RECORD, "code"), [{"code": "x", "minutes": 1, "more": 1}], ("1",)),
        (RECORD, [], ()),
    ],
)
def test_what_does_not_fit_is_said_where_it_stands(shape, value, where):
    found = list(wrong_in(shape, value))
    assert found
    assert found[0].where == where
    assert str(found[0].problem)
    assert str(found[0].remedy)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shape_read_off_a_value_takes_that_value(name):
    assert list(wrong_in(shape_of(SHIPPED[name].value), SHIPPED[name].value)) == []


@pytest.mark.parametrize("value", [None, True, {}])
def test_some_values_have_no_shape(value):
    with pytest.raises(ValueError, match="setting"):
        shape_of(value)
